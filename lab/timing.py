"""Measure how long a call takes: warm-up, median, spread, synchronised, hardware named."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lab.errors import CourseError
from lab.profile import cpu_hardware, gpu_hardware


@dataclass(frozen=True)
class Timing:
    """Wall-clock times of one call.

    Attributes:
        median_ms, p10_ms, p90_ms: the median and the 10th and 90th percentile, milliseconds.
        repeats: how many calls were timed.
        hardware: the machine that ran them.
    """

    median_ms: float
    p10_ms: float
    p90_ms: float
    repeats: int
    hardware: str

    def __str__(self) -> str:
        low, high = _short(self.p10_ms), _short(self.p90_ms)
        runs = f"{self.repeats} run{'' if self.repeats == 1 else 's'}"
        return f"{_short(self.median_ms)} ms median ({low} to {high}, {runs}, {self.hardware})"


def measure(
    fn: Callable[[], object],
    *,
    warmup: int = 3,
    repeats: int = 20,
    sync: Callable[[], object] | None = None,
) -> Timing:
    """Time `fn()`.

    Args:
        fn: called with no arguments; its result is thrown away.
        warmup: calls that are not timed (allocators, caches and compilers settle in them).
        repeats: calls that are timed, each on its own.
        sync: waits until the device has finished. By default `torch.cuda.synchronize` when torch
            has used CUDA in this process: a GPU call returns before its work is done, so without
            it only the launch would be timed.

    Raises:
        CourseError: `repeats` below 1 or `warmup` below 0.
    """
    times_ms = sample_ms(fn, warmup=warmup, repeats=repeats, sync=sync)
    p10_ms, median_ms, p90_ms = (float(p) for p in np.percentile(times_ms, [10, 50, 90]))
    hardware = gpu_hardware() if _cuda_in_use() else cpu_hardware()
    return Timing(median_ms, p10_ms, p90_ms, repeats, hardware)


def sample_ms(
    fn: Callable[[], object],
    *,
    warmup: int = 3,
    repeats: int = 20,
    sync: Callable[[], object] | None = None,
) -> np.ndarray:
    """The time of each of `repeats` calls of `fn()`, milliseconds, (repeats,) float64.

    Arguments and errors are those of `measure`, which summarizes these samples.
    """
    return interleave_ms({"": fn}, warmup=warmup, rounds=repeats, sync=sync)[""]


def interleave_ms(
    versions: Mapping[str, Callable[[], object]],
    *,
    warmup: int = 3,
    rounds: int = 20,
    sync: Callable[[], object] | None = None,
) -> dict[str, np.ndarray]:
    """Time several versions in one run: each round calls every version once.

    Within a round the order is drawn anew (a randomized block design): a machine that slows down
    during the run slows all versions alike, and none always runs on the caches that the same other
    one left behind. Row i of every result belongs to the same round.

    Args:
        versions: functions by name, called with no arguments; results are thrown away.
        warmup: rounds that are not timed.
        rounds: rounds that are timed.
        sync: as in `measure`.

    Returns:
        Milliseconds of each call by name, (rounds,) float64, in the order of `versions`.

    Raises:
        CourseError: no version, `rounds` below 1 or `warmup` below 0.
    """
    if rounds < 1 or warmup < 0:
        raise CourseError(
            f"Timing needs repeats >= 1 and warmup >= 0, not repeats={rounds}, warmup={warmup}."
        )
    if not versions:
        raise CourseError("Timing needs one function or more.")
    for _ in range(warmup):
        for fn in versions.values():
            fn()
    if sync is None:
        # Asked after the warm-up, because the first call may be what starts CUDA.
        sync = sys.modules["torch"].cuda.synchronize if _cuda_in_use() else _nothing
    times_ms = {name: np.empty(rounds) for name in versions}
    order = np.random.default_rng(0)
    sync()
    for index in range(rounds):
        for name in order.permutation(list(versions)):
            start = time.perf_counter_ns()
            versions[name]()
            sync()
            times_ms[name][index] = (time.perf_counter_ns() - start) / 1e6
    return times_ms


def _cuda_in_use() -> bool:
    """Whether torch has a CUDA context in this process; imports nothing."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()


def _nothing() -> None:
    """The CPU needs no synchronisation."""


def _short(value_ms: float) -> str:
    """Three significant digits without an exponent."""
    if value_ms >= 100:
        return f"{value_ms:,.0f}"
    decimals = 2 if value_ms >= 1 else 4
    return f"{value_ms:.{decimals}f}"
