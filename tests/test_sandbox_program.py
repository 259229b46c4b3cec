"""Programs of a learner's, shut in: compiled and run for real, the hostile ones of hostile.c among them."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from autograder.grading.sandbox import Limits, SandboxRefused, compiled, folders, program
from autograder.syllabus import repo_root

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc"),
]

SMALL = Limits(wall_s=5, cpu_s=1, memory_mb=96, processes=16, file_mb=4, disk_mb=16, open_files=32)
CPU_BOUND = replace(SMALL, wall_s=20)
GOOD = r"""
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
int main(int count, char **words) {
    std::ifstream in("in.bin", std::ios::binary);
    std::string data((std::istreambuf_iterator<char>(in)), {});
    std::ofstream("out.bin", std::ios::binary) << std::string(data.rbegin(), data.rend());
    std::cout << words[1] << " " << data.size() << std::endl;
    std::cerr << "noted" << std::endl;
}
"""


@functools.cache
def hostile() -> bytes:
    """The compiled program; compiled in the sandbox as well."""
    source = Path(__file__).with_name("hostile.c").read_text()
    done, binary = compiled.compile_source(source, "c", flags=("-O1", "-w"))
    assert binary, done.stderr.decode()
    return binary


def attack(*words, limits=SMALL, **options):
    """Run hostile.c with these arguments."""
    return program.run(
        ["./hostile", *map(str, words)], {"hostile": hostile()}, limits=limits, **options
    )


def needs(ended, *names):
    """Skip where the machine does not give a layer that the test is about."""
    for layer in ended.layers:
        if not layer.held and layer.name in names:
            pytest.skip(str(layer))


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    """The runs' folders lie where a test can see whether they are removed."""
    monkeypatch.setattr(tempfile, "tempdir", tempfile.mkdtemp(prefix="t"))
    yield
    left = os.listdir(tempfile.tempdir)
    folders.remove(tempfile.tempdir)
    assert left == []


def test_good_program_from_a_process_with_threads():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    built = compiled.compile_and_run(
        GOOD, arguments=["hello"], files={"in.bin": b"abc\0"}, outputs=["out.bin", "none"]
    )
    stop.set()
    thread.join()
    assert built.good, built.compilation.stderr
    assert built.run.stdout == b"hello 4\n" and built.run.stderr == b"noted\n"
    assert built.run.files == {"out.bin": b"\0cba"}
    assert built.run.left_out == {"none": "it is not there"}
    assert built.compilation.peak_mb > 5
    assert {"seccomp", "landlock", "network", "limits"} <= {x.name for x in built.run.layers}


def test_compile_error_keeps_the_compilers_message():
    built = compiled.compile_and_run("int main() { return undeclared_name; }", "c")
    assert not built.good and built.run is None
    assert built.compilation.status == 1
    assert b"main.c:1" in built.compilation.stderr
    assert b"undeclared_name" in built.compilation.stderr


def test_compiler_includes_nothing_but_the_systems_headers():
    secret = repo_root() / "syllabus.yml"
    built = compiled.compile_and_run(f'#include "{secret}"\nint main() {{}}', "c")
    needs(built.compilation, "view", "landlock")
    assert built.run is None and b"No such file" in built.compilation.stderr
    assert b"title" not in built.compilation.stderr


def test_exit_status_and_segfault():
    assert program.run(["/bin/sh", "-c", "exit 3"]).status == 3
    ended = attack("segfault")
    assert (ended.status, ended.reason) == (139, "ended by SIGSEGV")


def test_program_that_is_not_there():
    ended = program.run(["./nothing"])
    assert ended.status == 127 and b"./nothing: No such file" in ended.stderr


def test_endless_loop_meets_the_cpu_limit():
    ended = attack("spin", limits=CPU_BOUND)
    assert ended.reason == "CPU time limit 1 s exceeded" and not ended.good


def test_endless_sleep_meets_the_wall_limit():
    ended = attack("sleep", limits=replace(SMALL, wall_s=0.5))
    assert ended.reason == "time limit 0.5 s exceeded" and ended.status != 0


def test_fork_bomb_is_limited():
    before = len(psutil.pids())
    ended = attack("forks", limits=replace(SMALL, wall_s=1))
    assert ended.reason in ("process limit 16 exceeded", "time limit 1 s exceeded")
    assert len(psutil.pids()) < before + 16


def test_memory_hog_is_ended():
    ended = attack("memory")
    assert ended.reason == "memory limit 96 MB exceeded"
    assert 96 < ended.peak_mb < 400


def test_disk_filler_is_ended():
    ended = attack("disk")
    assert ended.reason == "disk limit 16 MB exceeded"


def test_one_large_file_meets_the_file_limit():
    ended = attack("one-file", outputs=["big"])
    assert ended.reason == "file size limit 4 MB exceeded"
    assert len(ended.files["big"]) == 4 * 2**20


def test_endless_output_is_bounded_and_said():
    ended = attack("output")
    assert ended.reason == "file size limit 4 MB exceeded"
    assert len(ended.stdout) == program.MOST_STREAM_BYTES
    assert "bytes of stdout are kept" in ended.cut[0]


def test_files_of_the_machine_and_of_the_course_cannot_be_opened(tmp_path):
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_text("grades")
    root = repo_root()
    paths = [
        "/etc/shadow",
        gradebook,
        root / "solutions",
        root / "syllabus.yml",
        root / "autograder/checks/oracles/lenet.py",
        root / "tests/answers",
        Path.home(),
        sys.prefix,
    ]
    ended = attack("open", *paths)
    needs(ended, "view", "landlock")
    lines = ended.stdout.decode().splitlines()
    assert len(lines) == len(paths)
    for path, line in zip(paths, lines, strict=True):
        assert line.startswith(f"{path}: ") and not line.endswith("DONE"), line


def test_no_writing_outside_its_own_folder(tmp_path):
    tmp_path.chmod(0o777)
    places = [tmp_path / "new", repo_root() / "new", "/etc/new", "/usr/bin/new", "/new"]
    ended = attack("write", *places, "own")
    needs(ended, "view", "landlock")
    *outside, own = ended.stdout.decode().splitlines()
    assert own == "own: DONE"
    assert len(outside) == len(places) and not any(line.endswith("DONE") for line in outside)
    assert not any(Path(place).exists() for place in places)


def test_no_sockets_to_the_machine():
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder, socket.socket(1) as server:
        server.bind(f"{folder}/s")
        os.chmod(folder, 0o777)
        os.chmod(f"{folder}/s", 0o777)
        server.listen()
        ended = attack("socket", f"{folder}/s")
    needs(ended, "view", "seccomp")
    lines = ended.stdout.decode().splitlines()
    assert len(lines) == 3 and not any(line.endswith("DONE") for line in lines), lines


def test_no_signal_reaches_the_grader():
    ended = attack("signal", os.getpid())
    needs(ended, "pid")
    assert ended.stdout == b"signal: No such process\n"


def test_daemon_ends_with_the_program():
    seconds = f"{1000 + os.getpid()}.25"
    ended = attack("daemon", seconds)
    assert ended.good
    assert not [p for p in psutil.process_iter(["cmdline"]) if seconds in (p.info["cmdline"] or ())]


def test_links_and_other_things_are_no_output_files():
    ended = attack("links", outputs=["plain", "link", "second", "folder", "pipe", "good"])
    assert ended.files == {"good": b"good"}
    assert ended.left_out["link"] == "it is a link, or may not be read"
    for name in ("plain", "second", "folder", "pipe"):
        assert ended.left_out[name] == "it is no plain file of its own", name


def test_output_files_are_bounded_together(monkeypatch):
    monkeypatch.setattr(program, "MOST_FILE_BYTES", 6)
    ended = program.run(["/bin/sh", "-c", "echo 123 > a; echo 456 > b"], outputs=["a", "b"])
    assert ended.files == {"a": b"123\n"}
    assert ended.left_out == {"b": "it has 4 bytes, and 2 are left of 6"}


def test_link_in_place_of_the_output_stream_is_not_followed():
    ended = attack("streams")
    assert ended.stdout == b"link: DONE\n"


@pytest.mark.parametrize("mode", ["nest", "closed"])
def test_odd_folders_are_removed_and_break_nothing(mode):
    ended = attack(mode)
    assert ended.reason in ("", "limit of 64 nested folders exceeded")


def test_folder_nested_beyond_recursion_is_walked_and_removed(monkeypatch):
    top = Path(tempfile.tempdir, "top")
    top.mkdir()
    monkeypatch.chdir(top)
    (top / "file").touch()
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    monkeypatch.chdir("/")
    try:
        seen = set()
        with pytest.raises(folders.TooDeep):
            for entry in folders.walk(str(top)):
                seen.add(entry.name)
        assert seen == {"file", "d"}
        folders.remove(str(top))
        assert not top.exists()
        folders.remove(str(top))
    finally:  # Python's own removal would fail at it, pytest's too
        subprocess.run(["rm", "-rf", top], check=True)


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc/passwd", "x" * 300, "a\0b"])
def test_names_with_folders_are_refused(name):
    with pytest.raises(ValueError, match="no plain file name"):
        program.run(["/bin/true"], {name: b""})
    with pytest.raises(ValueError, match="no plain file name"):
        program.run(["/bin/true"], outputs=[name])


def test_layers_may_be_required():
    try:
        ended = program.run(["/bin/true"], require=True)
    except SandboxRefused as refused:
        assert "The sandbox is required" in str(refused)
    else:
        assert ended.good and all(layer.held for layer in ended.layers)


def test_off_linux_it_runs_only_when_allowed_and_with_limits(monkeypatch):
    hostile()
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxRefused, match="no sandbox on darwin: .*allow it to run unconfined"):
        program.run(["/bin/true"])
    with pytest.raises(SandboxRefused, match="no sandbox on darwin"):
        program.run(["/bin/true"], require=True, allow_unconfined=True)
    ended = attack("links", outputs=["good", "link"], allow_unconfined=True)
    assert ended.good and ended.files == {"good": b"good"} and "link" in ended.left_out
    assert [layer.name for layer in ended.layers if layer.held] == ["limits"]
    ended = attack("spin", allow_unconfined=True, limits=CPU_BOUND)
    assert (ended.status, ended.reason) == (152, "CPU time limit 1 s exceeded")
    ended = attack("sleep", allow_unconfined=True, limits=replace(SMALL, wall_s=0.5))
    assert ended.reason == "time limit 0.5 s exceeded"


def test_compilers(monkeypatch):
    with pytest.raises(ValueError, match="No language is called 'fortran': choose from c, c"):
        compiled.compile_and_run("", "fortran")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(compiled.NoCompiler, match="no compiler for c here: install gcc"):
        compiled.compile_and_run("", "c")
