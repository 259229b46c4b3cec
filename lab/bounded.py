"""Call a function on input that may be hostile, with limits on its memory and time."""

import contextlib
import math
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab.errors import CourseError

MB = 2**20


# What was stopped last, and when it was last asked for.
_stopped: tuple[Any, float] = (None, -math.inf)
FORGET_S = 1.0


class _Late(BaseException):
    """Not an Exception: what is called cannot take it for an error of its own."""


def bounded_call(
    call: Callable[[], Any], memory_mb: int = 256, seconds: float = 2.0, of: Any = None
) -> dict:
    """Run `call()` and say what came of it.

    The limits hold on Linux in a process's main thread; elsewhere the peak is measured and not limited.

    Args:
        memory_mb: how much more data memory the process may take (RLIMIT_DATA).
        seconds: of processor time, after which the call is stopped (SIGPROF). Not of the clock: on a busy
            machine an innocent call would be stopped too.
        of: what is tried, in a row of many calls: when one was stopped, those of the same object that follow
            within a second are not made, and count as stopped.

    Returns:
        {"value": its result} or {"raised": name of the error, "message": its text, "field": its `field` or
        None}, and in both "peak_bytes" (the most that Python and NumPy allocated at a time) and
        "seconds". A kind of ValueError is named ValueError; a call that was stopped TimeoutError.

    Raises:
        NotImplementedError: when `call` does. CourseError: a limit that is not positive.
    """
    if memory_mb <= 0 or not (seconds > 0 and math.isfinite(seconds)):
        raise CourseError(f"Limits are positive, not {memory_mb} MB and {seconds} s.")
    global _stopped
    begin = time.perf_counter()
    late = {
        "raised": "TimeoutError",
        "message": f"stopped after {seconds} s of work",
        "field": None,
    }
    if of is not None and of is _stopped[0] and begin - _stopped[1] < FORGET_S:
        _stopped = (of, begin)
        return {**late, "peak_bytes": 0, "seconds": 0.0}
    with _traced() as peak, _memory_limit(memory_mb * MB):
        try:
            with _alarm(seconds):
                found = {"value": call()}
        except NotImplementedError:
            raise
        except _Late:
            found = late
            _stopped = (of, time.perf_counter())
        except Exception as error:
            name = "ValueError" if isinstance(error, ValueError) else type(error).__name__
            text, field = str(error)[:300], getattr(error, "field", None)
            found = {"raised": name, "message": text, "field": field}
        found["peak_bytes"] = peak()
    found["seconds"] = time.perf_counter() - begin
    return found


@contextlib.contextmanager
def _traced() -> Iterator[Callable[[], int]]:
    """Gives a function that returns the peak of the memory allocated since now."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield lambda: max(0, tracemalloc.get_traced_memory()[1] - before)
    finally:
        if not running:
            tracemalloc.stop()


@contextlib.contextmanager
def _memory_limit(more_bytes: int) -> Iterator[None]:
    """A lower soft limit on the process's data while the block runs, where there is one."""
    try:
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        taken = next(
            int(x.split()[1]) * 1024 for x in status.splitlines() if x.startswith("VmData")
        )
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = taken + more_bytes
        if soft != resource.RLIM_INFINITY:
            wanted = min(wanted, soft)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    except (ImportError, OSError, ValueError, StopIteration):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raises _Late in the block after this time, in the main thread."""

    def late(_signal, _frame):
        raise _Late

    try:
        before = signal.signal(signal.SIGPROF, late)
    except (AttributeError, ValueError):  # no such signal, or not the main thread
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
