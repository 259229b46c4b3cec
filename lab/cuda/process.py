"""Runs a compiler or a compiled kernel in a process of its own, in a folder of its own, with a time limit.

While grading, another runner with the same call takes its place: the sandbox's.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_runner: ContextVar[Any] = ContextVar("runner", default=None)
MOST_STREAM_BYTES = 256 * 2**10


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        status: exit status; -n after signal n.
        reason: why it was ended from outside; empty when it ended by itself.
        stderr: what it wrote to stderr and stdout, the first 256 KB.
        files: the output files that were asked for and are there.
    """

    status: int
    reason: str
    stderr: bytes
    files: dict[str, bytes] = field(default_factory=dict)


def runner() -> Callable[..., Ended]:
    """What runs compilers and kernels now: `run`, or what `run_by` says."""
    return _runner.get() or run


@contextlib.contextmanager
def run_by(other: Callable[..., Ended]) -> Iterator[None]:
    """Inside the block, everything is run by `other`, which is called as `run` is."""
    token = _runner.set(other)
    try:
        yield
    finally:
        _runner.reset(token)


def scratch() -> str | None:
    """A folder in memory where there is one: buffers pass through files."""
    shared = "/dev/shm"
    if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 256 * 2**20:
        return shared
    return None


def run(
    argv: list[str],
    files: Mapping[str, bytes | np.ndarray | Path],
    outputs: Iterable[str],
    wall_s: float,
) -> Ended:
    """Run argv in a fresh folder with `files` in it; "./name" starts one of them.

    A file that is a path is left where it is, and only started from there: folders in memory are
    often mounted noexec.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder(scratch()))
        for name, data in files.items():
            started = argv[0] == f"./{name}"
            if isinstance(data, Path):
                assert started, f"{name} is a path but not the program"
                argv = [str(data), *argv[1:]]
                continue
            path = Path(stack.enter_context(_folder(None)) if started else folder, name)
            with open(path, "wb") as out:
                out.write(data if isinstance(data, bytes) else memoryview(data))
            if started:
                path.chmod(0o700)
                argv = [str(path), *argv[1:]]
        status, reason = _wait(argv, folder, wall_s)
        found = {}
        for name in outputs:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                found[name] = path.read_bytes()
        with open(f"{folder}/stderr", "rb") as err:
            text = err.read(MOST_STREAM_BYTES)
    return Ended(status, reason, text, found)


def _folder(parent: str | None) -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(
        prefix="course-cuda-", dir=parent, ignore_cleanup_errors=True
    )


def _wait(argv: list[str], folder: str, wall_s: float) -> tuple[int, str]:
    with open(f"{folder}/stderr", "wb") as err:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=err,
            stderr=err,
            env={**os.environ, "LC_ALL": "C", "TMPDIR": folder},
            start_new_session=True,
        )
    reason = ""
    try:
        process.wait(wall_s)
    except subprocess.TimeoutExpired:
        reason = f"it ran for more than {wall_s:g} s"
    finally:
        if process.poll() is None:  # a limit, or the learner's interrupt
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, reason
