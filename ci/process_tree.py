"""The processes that one notebook starts: how much memory they hold, and how they are ended."""

import contextlib
import os
import time
from pathlib import Path

import psutil

MB = 1024 * 1024


def descendants_of(worker_pids: set[int]) -> dict[int, list[psutil.Process]]:
    """For each worker (a child of this process), everything below it, at any depth.

    One pass over the process table serves all workers: a pass for each would cost more than
    the sampling itself on a machine with many cores.
    """
    found: dict[int, list[psutil.Process]] = {pid: [] for pid in worker_pids}
    owner: dict[int, int] = {pid: pid for pid in worker_pids}
    waiting = []
    for process in psutil.Process().children(recursive=True):
        if process.pid not in worker_pids:
            with contextlib.suppress(psutil.Error):
                waiting.append((process, process.ppid()))
    while waiting:
        known = [pair for pair in waiting if pair[1] in owner]
        if not known:
            break
        for process, parent_pid in known:
            owner[process.pid] = owner[parent_pid]
            found[owner[parent_pid]].append(process)
        waiting = [pair for pair in waiting if pair[0].pid not in owner]
    return found


def memory_mb(processes: list[psutil.Process]) -> float:
    """The resident memory of these processes in MB: their sum now, or one's own peak if higher.

    The peak of a process (`VmHWM`, Linux) catches what comes and goes between two samples.
    """
    total, highest = 0, 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
            highest = max(highest, _peak_of(process.pid))
    return max(total, highest) / MB


def _peak_of(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def end_tree(worker: psutil.Process, seen: set[psutil.Process], timeout_s: float = 10) -> None:
    """End a worker, its kernel's process group and all that they started, and nothing else.

    The worker is stopped first and killed last: it adopts orphans (see notebook_worker), so
    while it lives no process of the notebook can leave its tree.
    """
    with contextlib.suppress(psutil.Error):
        worker.suspend()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        members = set(seen)
        with contextlib.suppress(psutil.Error):
            members |= set(worker.children(recursive=True))
        alive = [process for process in members if _alive(process)]
        if not alive:
            break
        for process in alive:
            _kill_with_group(process)
        time.sleep(0.02)
    with contextlib.suppress(psutil.Error):
        worker.kill()


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill_with_group(process: psutil.Process) -> None:
    # psutil compares creation times, so a process id used again by a stranger is left alone.
    with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, 9)
        process.kill()
