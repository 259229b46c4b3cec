"""lab.download against a real server on this machine that misbehaves on demand."""

import hashlib
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.download import fetch
from lab.errors import CourseError

BODY = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves BODY; the path names the misbehaviour."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        getattr(self, "serve_" + self.path.strip("/"))()

    def serve_good(self, body=BODY):
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start:])

    def serve_norange(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def serve_cut(self):
        """The first answer breaks off in the middle; later ones are good."""
        if len(self.server.requests) > 1:
            return self.serve_good()
        return self.serve_always_cut()

    def serve_always_cut(self):
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        self.wfile.write(BODY[start : start + 100_000])
        self.wfile.flush()
        self.close_connection = True

    def serve_otherrange(self):
        """A 206 for another range than was asked for, once."""
        if "Range" not in self.headers:
            return self.serve_good()
        self.send_response(206)
        self.send_header("Content-Range", f"bytes 7-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(BODY) - 7))
        self.end_headers()
        return self.wfile.write(BODY[7:])

    def serve_corrupt(self):
        self.serve_good(b"x" + BODY[1:])

    def serve_longer(self):
        self.serve_good(BODY + b"more")

    def serve_endless(self):
        """No length is announced, and more comes than should."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for _ in range(64):
                self.wfile.write(BODY)
        except OSError:
            pass

    def serve_gone(self):
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.requests = []
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def part_of(dest: Path) -> Path:
    return dest.with_name(dest.name + ".part")


def test_a_file_arrives_whole_and_nothing_goes_to_stderr(server, tmp_path, capfd):
    dest = tmp_path / "deep" / "file.bin"
    assert fetch(f"{server.url}/good", dest, SHA256, len(BODY)) == dest
    assert dest.read_bytes() == BODY
    assert not part_of(dest).exists()
    out, err = capfd.readouterr()
    assert err == ""
    assert "file.bin" in out


def test_a_file_that_is_there_is_not_asked_for_again(server, tmp_path):
    dest = tmp_path / "file.bin"
    dest.write_bytes(BODY)
    fetch(f"{server.url}/good", dest, SHA256.upper())
    assert server.requests == []


def test_an_interrupted_transfer_goes_on_where_it_stopped(server, tmp_path):
    dest = tmp_path / "file.bin"
    fetch(f"{server.url}/cut", dest, SHA256, len(BODY))
    assert dest.read_bytes() == BODY
    assert server.requests == [("/cut", None), ("/cut", "bytes=100000-")]


def test_a_part_from_an_earlier_run_is_used(server, tmp_path):
    dest = tmp_path / "file.bin"
    with pytest.raises(CourseError, match="broke off 3 times.*run again"):
        fetch(f"{server.url}/always_cut", dest, SHA256, len(BODY))
    assert part_of(dest).read_bytes() == BODY[:300_000]
    assert not dest.exists()
    server.requests.clear()
    fetch(f"{server.url}/good", dest, SHA256, len(BODY))
    assert server.requests == [("/good", "bytes=300000-")]
    assert dest.read_bytes() == BODY


@pytest.mark.parametrize("path", ["norange", "otherrange"])
def test_a_server_that_does_not_resume_is_read_from_the_start(server, tmp_path, path):
    dest = tmp_path / "file.bin"
    part_of(dest).write_bytes(BODY[:5000])
    fetch(f"{server.url}/{path}", dest, SHA256, len(BODY))
    assert server.requests[0] == (f"/{path}", "bytes=5000-")
    assert dest.read_bytes() == BODY


@pytest.mark.parametrize("size_bytes", [None, len(BODY)])
def test_a_complete_or_too_long_part_is_no_dead_end(server, tmp_path, size_bytes):
    dest = tmp_path / "file.bin"
    for left_over in (BODY, BODY + b"junk"):
        part_of(dest).write_bytes(left_over)
        assert fetch(f"{server.url}/good", dest, SHA256, size_bytes).read_bytes() == BODY
        dest.unlink()


def test_a_corrupt_body_is_thrown_away(server, tmp_path):
    dest = tmp_path / "file.bin"
    with pytest.raises(CourseError, match="does not match its sha256"):
        fetch(f"{server.url}/corrupt", dest, SHA256, len(BODY))
    assert not dest.exists()
    assert not part_of(dest).exists()


def test_a_stale_file_is_replaced_only_by_a_good_one(server, tmp_path):
    dest = tmp_path / "file.bin"
    dest.write_bytes(b"stale")
    with pytest.raises(CourseError):
        fetch(f"{server.url}/corrupt", dest, SHA256, len(BODY))
    assert dest.read_bytes() == b"stale"
    fetch(f"{server.url}/good", dest, SHA256, len(BODY))
    assert dest.read_bytes() == BODY


@pytest.mark.parametrize("path", ["longer", "endless"])
def test_a_wrong_size_is_refused(server, tmp_path, path):
    dest = tmp_path / "file.bin"
    with pytest.raises(CourseError, match="has [0-9,]+ bytes, not 1,048,576"):
        fetch(f"{server.url}/{path}", dest, SHA256, len(BODY))
    assert not dest.exists()
    assert not part_of(dest).exists()


def test_an_http_error_is_one_sentence(server, tmp_path):
    with pytest.raises(CourseError, match=r"HTTP 404 Not Found: try later") as caught:
        fetch(f"{server.url}/gone", tmp_path / "file.bin", SHA256)
    assert "\n" not in str(caught.value)


def test_no_server_is_one_sentence(server, tmp_path):
    closed = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = closed.server_port
    closed.server_close()
    with pytest.raises(CourseError, match="could not be reached.*check the network"):
        fetch(f"http://127.0.0.1:{port}/good", tmp_path / "file.bin", SHA256)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence(server, tmp_path):
    dest = tmp_path / "file.bin"
    part_of(dest).symlink_to("/dev/full")
    with pytest.raises(CourseError, match="disk under .* is full: free some space"):
        fetch(f"{server.url}/good", dest, SHA256, len(BODY))
    assert not dest.exists()


def test_two_at_once_download_once(server, tmp_path):
    dest = tmp_path / "file.bin"
    faults = []

    def run():
        try:
            fetch(f"{server.url}/good", dest, SHA256, len(BODY))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert dest.read_bytes() == BODY
    assert len(server.requests) == 1
