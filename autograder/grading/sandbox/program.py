"""Run one program of a learner's, shut in like a kernel, and give plain results.

The program is started by a keeper in a process of its own, so a caller with threads may call this. It
sees the system's libraries, its own empty folder with the input files, and nothing else.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autograder.grading.sandbox import folders, unconfined
from autograder.grading.sandbox.layers import Layer, SandboxRefused
from autograder.grading.sandbox.policy import Limits, Policy, scrub, system_only

LIMITS = Limits(
    wall_s=20, cpu_s=10, memory_mb=1024, processes=32, file_mb=16, disk_mb=64, open_files=64
)
MOST_STREAM_BYTES = 256 * 2**10
MOST_FILE_BYTES = 16 * 2**20
KEEPER_GRACE_S = 60


@dataclass(frozen=True)
class Ended:
    """How a program ended and what it left.

    Attributes:
        status: exit status; 128 + n after signal n, negative when the sandbox ended it.
        reason: one phrase why it did not end by itself with status 0; empty when it did.
        stdout, stderr: their first bytes.
        cut: sentences on what of stdout and stderr was left out.
        files: contents of the output files that were asked for and are there.
        left_out: the other ones by name, with the reason.
        peak_mb: the most resident memory seen, MB; looked at ten times a second, so 0.0 for a
            program that ends sooner.
        layers: what each layer of the sandbox said.
    """

    status: int
    reason: str
    stdout: bytes
    stderr: bytes
    cut: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    peak_mb: float = 0.0
    layers: tuple[Layer, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it ended by itself with status 0."""
        return self.status == 0 and not self.reason


def run(
    argv: Iterable[str],
    files: Mapping[str, bytes] | None = None,
    *,
    outputs: Iterable[str] = (),
    limits: Limits = LIMITS,
    read: Iterable[str] = (),
    server: str = "",
    require: bool = False,
    allow_unconfined: bool = False,
) -> Ended:
    """Run a program to its end.

    Args:
        argv: the program and its arguments; "./name" for one of `files`.
        files: input files by plain name, no folders.
        outputs: plain names of the files to bring back: regular ones, 16 MB together.
        limits: what it may spend; 256 KB of each stream are kept.
        read: further paths that it may read.
        server: socket of a warm server (Prepared.server.path); without one, a cold start.
        require: refuse to run without every layer.
        allow_unconfined: off Linux (not on Windows), run it with limits alone, with the caller's rights.

    Raises:
        SandboxRefused: a layer is required that this machine does not give, or there is no
            sandbox here and allow_unconfined is not set.
        RuntimeError: the sandbox could not be started, with the reason.
        ValueError: a name with a folder in it, or no program.
    """
    argv, outputs, files = list(argv), list(outputs), dict(files or {})
    if not argv:
        raise ValueError("There is no program to run: argv is empty.")
    for name in (*files, *outputs):
        check_name(name)
    linux = sys.platform.startswith("linux")
    if not linux and (require or not allow_unconfined or os.name != "posix"):
        raise SandboxRefused(unconfined.refusal())
    base = tempfile.mkdtemp(prefix="course-")
    try:
        if os.geteuid() == 0:
            os.chmod(base, 0o711)  # the program's own user passes to its two folders
        policy = _policy(base, limits, tuple(read))
        streams = [_create(f"{policy.private}/{name}", 0o600) for name in ("stdout", "stderr")]
        work = os.open(policy.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name, data in files.items():
                mode = 0o700 if argv[0] == f"./{name}" else 0o600
                _write(_create(name, mode, work), data)
            if linux:
                ended, layers = _shut_in(argv, policy, server, require)
            else:
                ended, layers = unconfined.run(argv, policy)
            return _result(ended, layers, streams, work, outputs)
        finally:
            for descriptor in (*streams, work):
                os.close(descriptor)
    finally:
        folders.remove(base)


def check_name(name: str) -> None:
    """Raise ValueError when a file's name is more than a name."""
    if not name or name in (".", "..") or "/" in name or "\0" in name or len(name) > 200:
        raise ValueError(f"{name[:80]!r} is no plain file name: use one without folders.")


def _policy(base: str, limits: Limits, read: tuple[str, ...]) -> Policy:
    private = f"{base}/own"
    policy = Policy(
        f"{base}/work", private, system_only(read), scrub(dict(os.environ), private), limits
    )
    for folder in policy.write:
        os.mkdir(folder, 0o700)
    return policy


def _create(path: str, mode: int, folder: int | None = None) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode, dir_fd=folder)


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)


def _shut_in(argv, policy, server, require) -> tuple[dict, list[Layer]]:
    from autograder.grading.warm.client import Line  # late: it needs this package

    line = Line()
    try:
        line.start_program(server, policy, argv, require)
        wall_s = policy.limits.wall_s
        ended = line.wait(wall_s + KEEPER_GRACE_S if wall_s else float("inf"))
        return ended, line.layers
    finally:
        line.close()


def _result(ended, layers, streams, work, outputs) -> Ended:
    texts, cut = [], []
    for name, descriptor in zip(("stdout", "stderr"), streams, strict=True):
        # The descriptor is from before the start: no link that took the file's name is followed.
        texts.append(os.pread(descriptor, MOST_STREAM_BYTES, 0))
        size = os.fstat(descriptor).st_size
        if size > MOST_STREAM_BYTES:
            cut.append(f"The first {MOST_STREAM_BYTES} of {size} bytes of {name} are kept.")
    found, left_out = {}, {}
    for name in outputs:
        room = MOST_FILE_BYTES - sum(map(len, found.values()))
        content = _read(name, work, room)
        (found if isinstance(content, bytes) else left_out)[name] = content
    return Ended(
        ended["status"],
        ended["reason"],
        *texts,
        tuple(cut),
        found,
        left_out,
        ended["peak_mb"],
        tuple(layers),
    )


def _read(name: str, work: int, room: int) -> bytes | str:
    """An output file's bytes, or why it is left out."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(name, flags, dir_fd=work)
    except FileNotFoundError:
        return "it is not there"
    except OSError:
        return "it is a link, or may not be read"
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            return "it is no plain file of its own"
        if facts.st_size > room:
            return f"it has {facts.st_size} bytes, and {room} are left of {MOST_FILE_BYTES}"
        return os.pread(descriptor, room, 0)
    finally:
        os.close(descriptor)
