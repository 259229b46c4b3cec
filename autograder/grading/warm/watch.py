"""Limits that are watched from outside the kernel: time, memory, processes, disk."""

import contextlib
import itertools
import time

from autograder.grading.sandbox import folders
from autograder.grading.sandbox.policy import Policy
from autograder.grading.warm.processes import proportional_bytes, resident_bytes, tree

MB = 2**20
DISK_EVERY_S = 0.5
MOST_FILES = 20_000


class Watch:
    """Looks at one kernel and says which limit it broke."""

    def __init__(self, first: int, policy: Policy):
        self.first, self.limits = first, policy.limits
        self.folders = list(policy.write)
        self.started = time.monotonic()
        self.disk_next = self.started
        self.peak_mb = 0.0

    def broken(self) -> str:
        """The limit that is exceeded, with its figure; empty when none is."""
        limits, now = self.limits, time.monotonic()
        if limits.wall_s and now - self.started > limits.wall_s:
            return f"time limit {limits.wall_s:g} s exceeded"
        pids = tree(self.first)
        if limits.processes and len(pids) > limits.processes + 1:
            return f"process limit {limits.processes} exceeded"
        memory = resident_bytes(pids)
        if limits.memory_mb and memory > limits.memory_mb * MB and len(pids) > 2:
            memory = proportional_bytes(pids)
        self.peak_mb = max(self.peak_mb, memory / MB)
        if limits.memory_mb and memory > limits.memory_mb * MB:
            return f"memory limit {limits.memory_mb} MB exceeded"
        if limits.disk_mb and now >= self.disk_next:
            self.disk_next = now + DISK_EVERY_S
            return self._disk()
        return ""

    def _disk(self) -> str:
        size = files = 0
        try:
            for entry in itertools.chain.from_iterable(map(folders.walk, self.folders)):
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                files += 1
                if size > self.limits.disk_mb * MB:
                    return f"disk limit {self.limits.disk_mb} MB exceeded"
                if files > MOST_FILES:
                    return f"limit of {MOST_FILES} files exceeded"
        except folders.TooDeep:
            return f"limit of {folders.MOST_DEPTH} nested folders exceeded"
        return ""
