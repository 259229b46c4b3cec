"""Ranks as threads of one process: a stand-in for devices, with exact messages and collectives.

Arithmetic and messages are real, time is not: nothing here says how fast a link is.
`lab.two_processes` runs the same functions in processes, over torch.distributed.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np


class RankError(RuntimeError):
    """A rank waits for what no other one does, or the ranks of a collective disagree."""


class _Stopped(RankError):
    """This rank was fine; another one has failed."""


class _Group:
    """What the threads share, under one condition."""

    def __init__(self, ranks: int):
        self.ranks, self.changed = ranks, threading.Condition()
        self.boxes = [deque() for _ in range(ranks)]
        self.waiting: dict[int, tuple[Callable[[], bool], str]] = {}
        self.ended: set[int] = set()
        self.rounds = [0] * ranks
        self.given: dict[int, dict[int, tuple]] = {}
        self.problem: str | None = None
        self.failed = False

    def wait(self, rank: int, ready: Callable[[], bool], what: str) -> None:
        """Until ready() holds; the caller has the condition. Raises RankError for a deadlock."""
        self.waiting[rank] = ready, what
        self.find_deadlock()
        self.changed.wait_for(lambda: self.problem is not None or ready())
        del self.waiting[rank]
        if self.problem is not None:
            raise (_Stopped if self.failed else RankError)(self.problem)

    def find_deadlock(self) -> None:
        """All that have not ended wait, and none of them can go on: then all stop at once."""
        alive = self.ranks - len(self.ended)
        if alive and len(self.waiting) == alive and not any(f() for f, _ in self.waiting.values()):
            rank = min(self.waiting)
            self.problem = self.problem or f"rank {rank} waits for {self.waiting[rank][1]}"
            self.changed.notify_all()


class ThreadRank:
    """One rank's view of the others.

    Attributes:
        rank, ranks: its number, from 0, and their count.
        sent: messages it sent, as (elements, dtype name).
        reduced: what it gave to all_reduce, as (op, tensor).
    """

    def __init__(self, group: _Group, rank: int):
        self._group, self.rank, self.ranks = group, rank, group.ranks
        self.sent: list[tuple[int, str]] = []
        self.reduced: list[tuple[str, object]] = []

    @property
    def unread(self) -> int:
        """Messages to this rank that it has not received."""
        return len(self._group.boxes[self.rank])

    def send_next(self, array: np.ndarray) -> None:
        """Send a copy of an array to rank (rank + 1) % ranks. Does not wait."""
        copy = np.array(array)
        with self._group.changed:
            self.sent.append((copy.size, copy.dtype.name))
            self._group.boxes[(self.rank + 1) % self.ranks].append(copy)
            self._group.changed.notify_all()

    def recv_previous(self) -> np.ndarray:
        """The next array from rank (rank - 1) % ranks; waits for it."""
        box = self._group.boxes[self.rank]
        with self._group.changed:
            sender = (self.rank - 1) % self.ranks
            self._group.wait(
                self.rank, lambda: bool(box), f"a message that rank {sender} never sends"
            )
            return box.popleft()

    def all_reduce(self, tensor, op: str = "sum"):
        """The sum (or, op="max", the maximum) of all ranks' tensors, a new tensor on each rank."""
        import torch

        if not isinstance(tensor, torch.Tensor) or op not in ("sum", "max"):
            raise TypeError('all_reduce takes a torch tensor and op "sum" or "max".')
        group = self._group
        with group.changed:
            number = group.rounds[self.rank]
            group.rounds[self.rank] += 1
            given = group.given.setdefault(number, {})
            given[self.rank] = op, tensor.detach().clone()
            self.reduced.append(given[self.rank])
            group.changed.notify_all()
            group.wait(
                self.rank,
                lambda: len(given) == self.ranks,
                "an all-reduce that not every rank calls",
            )
        calls = [given[rank] for rank in range(self.ranks)]
        if len({(kind, tuple(x.shape), x.dtype) for kind, x in calls}) != 1:
            raise RankError(
                "The ranks of an all-reduce gave different shapes, dtypes or operations."
            )
        combine = torch.maximum if op == "max" else torch.add
        return reduce(combine, [x for _, x in calls]).clone()


def thread_ranks(function: Callable, arguments: Sequence[tuple]) -> tuple[list, list[ThreadRank]]:
    """Call function(rank_object, *arguments[r]) for each rank r, all at once.

    Args:
        function: takes a ThreadRank and the rank's own arguments.
        arguments: one tuple for each rank.

    Returns:
        the results by rank, and the rank objects with what they sent.

    Raises:
        RankError: the ranks wait for one another without end.
        Whatever the function raised, of the lowest rank that raised it.

    >>> results, _ = thread_ranks(lambda me, x: me.rank + x, [(10,), (20,)])
    >>> results
    [10, 21]
    """
    group = _Group(len(arguments))
    members = [ThreadRank(group, rank) for rank in range(group.ranks)]
    results: list = [None] * group.ranks
    errors: dict[int, BaseException] = {}

    def work(rank: int) -> None:
        try:
            results[rank] = function(members[rank], *arguments[rank])
        except BaseException as error:  # raised again below, in the caller's thread
            errors[rank] = error
        with group.changed:
            group.ended.add(rank)
            if rank in errors:
                if group.problem is None:
                    group.problem, group.failed = f"rank {rank} has failed", True
                group.changed.notify_all()
            group.find_deadlock()

    threads = [threading.Thread(target=work, args=(r,), daemon=True) for r in range(group.ranks)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:  # an interrupt: those that wait end too
        with group.changed:
            group.problem, group.failed = group.problem or "interrupted", True
            group.changed.notify_all()
        raise
    if errors:
        own = [r for r in sorted(errors) if not isinstance(errors[r], _Stopped)]
        raise errors[(own or sorted(errors))[0]]
    return results, members
