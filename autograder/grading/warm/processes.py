"""A process and all that it started, read from /proc (proc(5))."""

import os
import signal
import time

import psutil

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def children(pid: int) -> list[int]:
    """Process ids of the direct children."""
    try:
        found = []
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as listing:
                found += map(int, listing.read().split())
        return found
    except FileNotFoundError:
        pass  # no such process any more, or a kernel without these lists
    try:
        return [p.pid for p in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    found, at = [pid], 0
    while at < len(found):
        found += children(found[at])
        at += 1
    return found


def resident_bytes(pids: list[int]) -> int:
    """Resident memory, pages shared after a fork counted for each process."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm") as numbers:
                total += int(numbers.read().split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            continue
    return total


def proportional_bytes(pids: list[int]) -> int:
    """Resident memory with shared pages divided among their users (Pss); slower."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as lines:
                total += sum(int(x.split()[1]) * 1024 for x in lines if x.startswith("Pss:"))
        except (OSError, ValueError):
            total += resident_bytes([pid])
    return total


def kill_all(first: int, patience_s: float = 5.0) -> None:
    """SIGKILL to a child and all below it, until none is left, orphans of ours included.

    In a process namespace of its own one signal to its first process ends all.
    """
    until = time.monotonic() + patience_s
    below = tree(os.getpid())[1:]
    for pid in (first, *below):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    while time.monotonic() < until:
        left = [pid for pid in tree(os.getpid())[1:] if not _zombie(pid)]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.002)


def _zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as line:
            return line.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
