"""Fetch one file: resumed where it stopped, moved into place only when its sha256 matches."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import requests
import urllib3
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from lab.errors import CourseError
from lab.manifest import CHUNK_BYTES, sha256_of

ATTEMPTS = 3
TIMEOUT_S = (5.0, 30.0)  # connect, and the longest silence between two pieces
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class _Interrupted(Exception):
    """The transfer broke off; what arrived is kept in the .part file."""


def fetch(
    url: str,
    dest: Path | str,
    sha256: str,
    size_bytes: int | None = None,
    session: requests.Session | None = None,
) -> Path:
    """Download `url` to `dest`, showing progress on stdout.

    What has arrived lies in `dest` + ".part", so a second call goes on where the first stopped
    (HTTP Range, RFC 9110 section 14). `dest` itself appears whole or not at all.

    Args:
        url: http or https address.
        dest: the file to write; its folder is made. Returned at once if it already matches.
        sha256: hexadecimal digest of the whole file.
        size_bytes: exact size, where it is known: a wrong one is refused before downloading.
        session: a requests session to use (connections, proxies, certificates).

    Returns:
        `dest` as a Path.

    Raises:
        CourseError: no network, HTTP error, wrong size, checksum mismatch, disk full or a folder
            that cannot be written.
    """
    dest = Path(dest)
    part = dest.with_name(dest.name + ".part")
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(dest):
            if dest.is_file() and sha256_of(dest) == sha256.lower():
                return dest
            with contextlib.ExitStack() as stack:
                session = session or stack.enter_context(requests.Session())
                _transfer(session, url, part, size_bytes)
                if sha256_of(part) != sha256.lower():
                    part.unlink()
                    raise CourseError(
                        f"What {url} sent does not match its sha256, so it was thrown away: "
                        "run again, and if it happens again use a mirror (COURSE_MIRROR)."
                    )
            os.replace(part, dest)
    except OSError as error:
        raise _for_disk(error, dest) from error
    return dest


def _transfer(session: requests.Session, url: str, part: Path, size_bytes: int | None) -> None:
    """Fill `part`, going on after an interruption, at most ATTEMPTS requests."""
    for attempt in range(ATTEMPTS):
        try:
            _one_request(session, url, part, size_bytes)
            return
        except _Interrupted as error:
            if attempt + 1 == ATTEMPTS:
                raise CourseError(
                    f"{url} broke off {ATTEMPTS} times ({error}): run again, "
                    "and the download goes on where it stopped."
                ) from error


def _one_request(session: requests.Session, url: str, part: Path, size_bytes: int | None) -> None:
    """One GET from where `part` ends."""
    have = part.stat().st_size if part.exists() else 0
    if size_bytes is not None and have == size_bytes:
        return
    if size_bytes is not None and have > size_bytes:
        part.unlink()
        have = 0
    response = _get(session, url, have)
    with response:
        if response.status_code == 416 and have:
            # The part is as long as the file or longer; without a known size only a fresh
            # start can tell which.
            part.unlink()
            raise _Interrupted("the part on disk did not fit")
        if response.status_code >= 400:
            raise CourseError(
                f"{url} answered HTTP {response.status_code} {response.reason}: "
                "try later, or point COURSE_MIRROR at a folder with the files."
            )
        start = _start_of(response)
        if start not in (0, have):
            part.unlink()
            raise _Interrupted("it sent another range than was asked for")
        total = _total_bytes(response, start)
        if size_bytes is not None and total is not None and total != size_bytes:
            raise _wrong_size(url, total, size_bytes, part)
        _room_for(part, (total or size_bytes or 0) - start)
        written = start + _write_body(response, part, start, total or size_bytes)
    if size_bytes is not None and written != size_bytes:
        raise _wrong_size(url, written, size_bytes, part)


def _get(session: requests.Session, url: str, have: int) -> requests.Response:
    """Ask for the file from byte `have` on."""
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        return session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S)
    except requests.exceptions.InvalidSchema as error:
        raise CourseError(f"{url} is no http or https address: correct the manifest.") from error
    except requests.RequestException as error:
        raise CourseError(
            f"{url} could not be reached ({type(error).__name__}): check the network, "
            "or point COURSE_MIRROR at a folder with the files."
        ) from error


def _start_of(response: requests.Response) -> int:
    """Where in the file the body starts: 0 when the server ignored Range and sends it all."""
    if response.status_code != 206:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _total_bytes(response: requests.Response, start: int) -> int | None:
    """Size of the whole file, where the server tells it."""
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _write_body(response: requests.Response, part: Path, start: int, total: int | None) -> int:
    """Append the body to `part` from `start` on; return the count of bytes written."""
    written = 0
    with part.open("ab" if start else "wb") as stream, _progress() as bar:
        task = bar.add_task(part.name.removesuffix(".part"), total=total, completed=start)
        try:
            # The raw stream, because requests would unzip a body sent as Content-Encoding: gzip.
            for piece in response.raw.stream(CHUNK_BYTES, decode_content=False):
                stream.write(piece)
                written += len(piece)
                bar.update(task, advance=len(piece))
                if total is not None and start + written > total:
                    break
        except urllib3.exceptions.HTTPError as error:
            raise _Interrupted(type(error).__name__) from error
    return written


def _progress() -> Progress:
    """A bar on stdout: nbgrader gives no points to a cell that writes to stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=False),
    )


def _wrong_size(url: str, found: int, expected: int, part: Path) -> CourseError:
    """The error for a file of another size; the part is useless, so it goes."""
    part.unlink(missing_ok=True)
    return CourseError(
        f"{url} has {found:,} bytes, not {expected:,}: the file upstream has changed, "
        "so use a mirror (COURSE_MIRROR) that has the old one."
    )


def _room_for(part: Path, needed_bytes: int) -> None:
    """Refuse before the first byte what the disk cannot hold."""
    if needed_bytes > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _for_disk(error: OSError, dest: Path) -> CourseError:
    """The sentence for what the file system refused."""
    if error.errno in FULL_DISK:
        return CourseError(
            f"The disk under {dest.parent} is full: free some space, "
            "or set COURSE_CACHE to a folder on another disk, and run again."
        )
    return CourseError(
        f"{dest} cannot be written ({error.strerror}): "
        "set COURSE_CACHE to a folder that you may write to."
    )


@contextlib.contextmanager
def _only_one(dest: Path) -> Iterator[None]:
    """Let one process at a time fetch `dest`; the others wait and find it there."""
    try:
        import fcntl
    except ImportError:  # Windows has no flock; two notebooks at once are rare there
        yield
        return
    with dest.with_name(dest.name + ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
