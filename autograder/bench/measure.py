"""Wall time, CPU time and memory of a command and everything that it starts."""

import contextlib
import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.grading.sandbox import libc

ORPHANS_S = 15
SAMPLE_S = 1.0
MB = 2**20


class CommandFailed(Exception):
    """A measured command ended with an error; the text holds its last lines."""


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        wall_s, cpu_s: seconds; CPU time of the command and its descendants, user and system.
        peak_mb: the most memory that all its processes held at one moment, shared pages counted
            once (proportional set size, proc_pid_smaps(5)), MB (2**20 bytes).
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: list[str], cwd: Path, env: dict[str, str]) -> Usage:
    """Run a command to its end. Raises CommandFailed."""
    # Descendants that outlive their parents come to this process, so that their time is counted.
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    before = cpu_of_children()
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    peak, ended = [0.0], threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peak, ended))
    sampler.start()
    process.wait()
    wall_s = time.perf_counter() - start
    ended.set()
    sampler.join()
    reader.join(5)
    if process.returncode:
        raise CommandFailed(f"`{' '.join(command)}` failed:\n{''.join(said[-15:])}")
    collect_orphans()
    return Usage(wall_s, cpu_of_children() - before, peak[0])


def cpu_of_children() -> float:
    """CPU seconds, user and system, of every child that has ended and been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def collect_orphans() -> None:
    """Wait for the descendants that were left; CommandFailed if one does not end."""
    until = time.monotonic() + ORPHANS_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
        raise CommandFailed(f"A process of the command was still there after {ORPHANS_S} s.")


def _sample(pid: int, peak: list[float], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_S):
        peak[0] = max(peak[0], tree_mb(pid))


def tree_mb(pid: int) -> float:
    """Memory of a process and its descendants now, shared pages counted once, MB."""
    total = 0
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        for process in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total / MB
