"""Functions in processes of their own that talk over torch.distributed's gloo, on one machine.

The processes are forks of this one, so that functions written in a notebook need not be importable.
They meet through a file, and talk over the loopback interface. All are gone when the call returns.
"""

import contextlib
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np

from lab.errors import CourseError

END_S = 2.0


class ProcessRank:
    """One process's view of the others; the same calls as lab.thread_ranks.ThreadRank.

    Attributes:
        rank, ranks: its number, from 0, and their count.
    """

    def __init__(self, rank: int, ranks: int):
        self.rank, self.ranks = rank, ranks
        self._pending: list = []

    def send_next(self, array: np.ndarray) -> None:
        """Send a copy of an array to rank (rank + 1) % ranks, behind a header. Does not wait."""
        import torch
        import torch.distributed as dist

        data = torch.from_numpy(np.ascontiguousarray(array).copy())
        code = np.dtype(array.dtype).num
        # gloo's receiver must know the size beforehand: so two messages for each one.
        for part in (torch.tensor([data.numel(), code]), data):
            if part.numel():
                self._pending.append((dist.isend(part, (self.rank + 1) % self.ranks), part))

    def recv_previous(self) -> np.ndarray:
        """The next array from rank (rank - 1) % ranks, one-dimensional; waits for it."""
        import torch
        import torch.distributed as dist

        header, source = torch.zeros(2, dtype=torch.int64), (self.rank - 1) % self.ranks
        dist.recv(header, source)
        size, code = header.tolist()
        kinds = [np.dtype(k) for k in ("float32", "float64", "int32", "int64", "uint8")]
        found = np.zeros(size, next(k for k in kinds if k.num == code))
        if size:
            dist.recv(torch.from_numpy(found), source)
        return found

    def all_reduce(self, tensor, op: str = "sum"):
        """The sum (or, op="max", the maximum) of all ranks' tensors, a new tensor on each rank."""
        import torch.distributed as dist

        result = tensor.detach().clone().contiguous()
        dist.all_reduce(result, {"sum": dist.ReduceOp.SUM, "max": dist.ReduceOp.MAX}[op])
        return result

    def finish(self) -> None:
        """Wait until what was sent has left."""
        for work, _ in self._pending:
            work.wait()


def process_ranks(function: Callable, arguments: Sequence[tuple], timeout_s: float = 60.0) -> list:
    """Call function(rank_object, *arguments[r]) in a process for each rank r, all at once.

    Args:
        function: takes a ProcessRank and the rank's own arguments (CPU tensors, arrays, numbers).
        arguments: one tuple for each rank, 1 to 8 of them.
        timeout_s: for all of it; then every process is ended.

    Returns:
        the results by rank; they travel by pickle.

    Raises:
        CourseError: no fork or no loopback interface here, a rank failed, ended early, or none
            finished in time. No process is left behind.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise CourseError("This system cannot fork: run this cell on Linux or in the container.")
    if not 1 <= len(arguments) <= 8 or not timeout_s > 0:
        raise CourseError("process_ranks takes 1 to 8 ranks and a time limit above 0 s.")
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory(prefix="ranks-") as folder:
        workers, pipes = [], []
        try:
            for rank, given in enumerate(arguments):
                ours, theirs = context.Pipe(duplex=False)
                pipes.append(ours)
                job = (theirs, function, given, rank, len(arguments), folder, timeout_s)
                workers.append(context.Process(target=_work, args=job, daemon=True))
                workers[-1].start()
                theirs.close()
            return _collect(pipes, time.monotonic() + timeout_s, timeout_s)
        finally:
            for worker in workers:
                _end(worker)
            for pipe in pipes:
                pipe.close()


def _collect(pipes: list, deadline: float, timeout_s: float) -> list:
    """Every rank's result; stops at the first that reports an error or ends without a word."""
    results, left = {}, dict(zip(pipes, range(len(pipes)), strict=True))
    while left:
        ready = wait(list(left), timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            raise CourseError(
                f"Ranks {sorted(left.values())} did not finish in {timeout_s:g} s: one waits for a "
                "message or a collective that another rank never starts."
            )
        for pipe in ready:
            rank = left.pop(pipe)
            try:
                good, value = pickle.loads(pipe.recv_bytes())
            except EOFError:
                raise CourseError(f"Rank {rank} ended without a result.") from None
            if not good:
                raise CourseError(f"Rank {rank} failed: {value}")
            results[rank] = value
    return [results[rank] for rank in range(len(pipes))]


def _end(worker: multiprocessing.Process) -> None:
    """Let a process that is done go; end it if it is not. Reaps it in either case."""
    if worker.pid is None:
        return
    worker.join(END_S if worker.exitcode is None and not sys.exc_info()[0] else 0)
    if worker.exitcode is None:
        worker.kill()
        worker.join()
    with contextlib.suppress(ValueError):
        worker.close()


def _work(pipe, function, given, rank, ranks, folder, timeout_s) -> None:
    """In the new process: join the group, call the function, send what came of it."""
    import torch
    import torch.distributed as dist

    # A fork has none of its parent's OpenMP threads: with one thread it never looks for them.
    torch.set_num_threads(1)
    if sys.platform.startswith("linux"):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # gloo's own lines; an error goes through the pipe
    try:
        dist.init_process_group(
            "gloo",
            init_method=Path(folder, "meet").as_uri(),
            rank=rank,
            world_size=ranks,
            timeout=timedelta(seconds=timeout_s),
        )
    except Exception as error:
        text = f"gloo cannot start, is there a loopback interface? ({str(error)[:200]})"
        pipe.send_bytes(pickle.dumps((False, text)))
        return
    try:
        me = ProcessRank(rank, ranks)
        result = function(me, *given)
        me.finish()
        dist.barrier()
        answer = pickle.dumps((True, result))
    except Exception as error:
        answer = pickle.dumps((False, f"{type(error).__name__}: {str(error)[:500]}"))
    pipe.send_bytes(answer)
    with contextlib.suppress(Exception):
        dist.destroy_process_group()
