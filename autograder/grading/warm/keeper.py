"""One kernel and its three processes: keeper, first process, kernel.

The keeper leaves the machine's namespaces and watches. The first process is number 1 of the new
process namespace: when it ends, Linux ends all that the learner started (pid_namespaces(7)). The
kernel is its child and alone runs the learner's code.
"""

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from autograder.grading.sandbox import apply, folders, libc, namespaces
from autograder.grading.sandbox.layers import Layer, from_plain, to_plain
from autograder.grading.sandbox.policy import Policy
from autograder.grading.warm.processes import children, kill_all

FAILED = 70  # sysexits.h, EX_SOFTWARE: our own code failed before the learner's ran


@dataclass
class Started:
    """A kernel that is shut in.

    Attributes:
        first: process id of the first process; it ends with the kernel's status.
        layers: what each layer said.
        policy: what the kernel was given.
        owners: user and group of the working folder before it was lent to the kernel.
    """

    first: int
    layers: list[Layer]
    policy: Policy
    owners: tuple[int, int] | None

    @property
    def kernel(self) -> int | None:
        """The kernel's process id; None when it has ended."""
        return next(iter(children(self.first)), None)


def start(policy: Policy, body: Callable[[], int]) -> Started:
    """Fork a kernel, shut it in, run `body` in it. The calling process becomes its keeper.

    Call it in a process with one thread that does nothing else afterwards.

    Raises:
        RuntimeError: the kernel ended before it was shut in; the text holds why.
    """
    for name in ("home", "tmp"):
        os.makedirs(f"{policy.private}/{name}", mode=0o700, exist_ok=True)
    apply.load()
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    # Some of policy.read, such as downloads in the home folder, may be out of reach.
    needed = (sys.prefix, sys.base_prefix, __file__, *policy.write)
    identity, layers = namespaces.enter(needed)
    owners = None
    if identity.real_id is not None:
        found = os.stat(policy.folder)
        owners = (found.st_uid, found.st_gid)
        for path in policy.write:
            lend(path, identity.real_id, identity.real_id)
    reading, writing = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(reading)
        _guarded(lambda: _first(policy, identity, layers, writing, body))
    os.close(writing)
    with os.fdopen(reading, "r") as pipe:
        lines = pipe.read().splitlines()
    started = Started(first, layers, policy, owners)
    if not lines or json.loads(lines[-1]) != "ready":
        end(started)
        said = _tail(Path(policy.private, "stderr"))
        raise RuntimeError(f"The kernel ended before it was shut in. {said}".strip())
    layers.extend(from_plain(row for line in lines[:-1] for row in json.loads(line)))
    return started


def _first(policy, identity, layers, writing, body) -> int:
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    _redirect(policy.private)
    _close_others(writing)
    built = apply.build_view(policy)
    os.write(writing, (json.dumps(to_plain([built])) + "\n").encode())
    held = {layer.name for layer in [*layers, built] if layer.held}
    kernel = os.fork()
    if kernel == 0:
        _guarded(lambda: _kernel(policy, identity, held, writing, body))
    os.close(writing)
    while True:  # number 1 collects every orphan
        pid, status = os.wait()
        if pid == kernel:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _kernel(policy, identity, held, writing, body) -> int:
    os.setsid()
    os.chdir(policy.folder)
    layers = apply.shut_in(policy, identity, held)
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.write(writing, (json.dumps(to_plain(layers)) + '\n"ready"\n').encode())
    os.close(writing)
    return body()


def _guarded(work: Callable[[], int]) -> NoReturn:
    """Run in a fork and end there: never unwind into the code of the process it came from."""
    code = FAILED
    try:
        code = work()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else int(done.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _redirect(private: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{private}/{name}", flags, 0o600), number)


def _close_others(keep: int) -> None:
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))


def lend(path: str, user: int, group: int) -> None:
    """Give a folder and all in it to a user, links themselves and not what they point to."""
    os.chown(path, user, group, follow_symlinks=False)
    with contextlib.suppress(folders.TooDeep):
        for entry in folders.walk(path):
            with contextlib.suppress(FileNotFoundError):
                os.chown(entry.path, user, group, follow_symlinks=False)


def end(started: Started) -> int:
    """End the kernel and every process it left. Returns the first process's exit code."""
    kill_all(started.first)
    code = FAILED
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if pid == started.first:
            code = os.waitstatus_to_exitcode(status)
    if started.owners is not None:
        lend(started.policy.folder, *started.owners)
    return code


def _tail(path: Path, lines: int = 1) -> str:
    try:
        return " ".join(path.read_text(errors="replace").strip().splitlines()[-lines:])
    except OSError:
        return ""
