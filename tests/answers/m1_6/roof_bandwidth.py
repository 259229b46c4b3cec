"""Answers to roof-bandwidth."""

import math
import statistics

import numpy as np

from autograder.checks.bank import right, wrong

READ = {"copy": 1, "scale": 1, "add": 2, "triad": 2, "sum": 1, "fill": 0}
WRITTEN = {"copy": 1, "scale": 1, "add": 1, "triad": 1, "sum": 0, "fill": 1}


def _refuse(kernel, elements, bytes_each, samples, checks):
    if "k" in checks and kernel not in READ:
        raise ValueError("kernel")
    if "e" in checks and elements < 1:
        raise ValueError("elements")
    if "b" in checks and bytes_each < 1:
        raise ValueError("bytes")
    if "n" in checks and len(samples) < 2:
        raise ValueError("two times")
    timed = samples if "w" in checks else samples[1:]
    if "t" in checks and any(not ms > 0 for ms in timed):
        raise ValueError("time")
    if "f" in checks and any(not math.isfinite(ms) for ms in timed):
        raise ValueError("finite")


def _model(kernel, elements, bytes_each, samples, allocate=False, *, checks="kebnwtf", first=1,
           arrays=None, best=min, middle=statistics.median, unit=1e6, extra=None):  # fmt: skip
    _refuse(kernel, elements, bytes_each, samples, checks)
    read, written = READ.get(kernel, 1), WRITTEN.get(kernel, 1)
    count = arrays(read, written) if arrays else read + written
    if allocate:
        count += extra(read, written) if extra else written
    timed = list(samples[first:]) or list(samples) or [1.0]
    moved = count * elements * bytes_each
    return moved / (best(timed) or 1.0) / unit, moved / (middle(timed) or 1.0) / unit


@right("shortest and median")
def plain(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate)


@right("numpy, sorted")
def by_numpy(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    moves = {"copy": 2, "scale": 2, "add": 3, "triad": 3, "sum": 1, "fill": 1}
    if kernel not in moves or min(elements, bytes_each) < 1 or len(samples_ms) < 2:
        raise ValueError("arguments")
    times = np.asarray(samples_ms, dtype=float)
    if not (np.isfinite(times) & (times > 0)).all():
        raise ValueError("times")
    seconds = np.sort(times[1:]) / 1e3
    more = 1 if write_allocate and kernel != "sum" else 0
    nbytes = (moves[kernel] + more) * elements * bytes_each
    return [nbytes / 1e9 / seconds[0], nbytes / 1e9 / np.median(seconds)]


@wrong("one-direction", "A copy reads one array and writes another: both move.")
def one_way(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(
        kernel, elements, bytes_each, samples_ms, write_allocate, arrays=lambda r, w: max(r, w)
    )


@wrong("always-two-arrays", "add and triad read two arrays; sum and fill move one.")
def two(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, arrays=lambda r, w: 2)


@wrong("always-three-arrays", "Only add and triad move three arrays.")
def three(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, arrays=lambda r, w: 3)


@wrong("write-allocate-ignored", "With write_allocate each written array is read once more.")
def not_allocated(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms)


@wrong("write-allocate-always", "Count the extra read only where write_allocate is set.")
def allocated(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, True)


@wrong("write-allocate-of-a-sum", "A sum writes no array, so nothing more is read.")
def sum_allocates(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, extra=lambda r, w: 1)


@wrong("write-allocate-doubles-all", "Only written arrays are read once more, not all.")
def doubled(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(
        kernel, elements, bytes_each, samples_ms, write_allocate, extra=lambda r, w: r + w
    )


@wrong("warm-up-kept", "Leave out the first time.")
def first(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, first=0)


@wrong("last-left-out", "Leave out the first time, not the last.")
def last(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    _refuse(kernel, elements, bytes_each, samples_ms, "kebnwtf")
    return _model(kernel, elements, bytes_each, [1.0, *samples_ms[:-1]], write_allocate)


@wrong("shortest-left-out", "Leave out the first time, whatever it is, not the shortest.")
def trimmed(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    _refuse(kernel, elements, bytes_each, samples_ms, "kebnwtf")
    return _model(kernel, elements, bytes_each, sorted(samples_ms), write_allocate)


@wrong("longest-for-best", "The best rate belongs to the shortest time.")
def longest(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, best=max)


@wrong("mean-for-median", "The second rate is that of the median time, not of the mean.")
def mean(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, middle=statistics.fmean)


@wrong(
    "median-of-rates", "Take the median of the times, then the rate: for an even count it differs."
)
def rates(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate,
                  middle=lambda t: 1 / statistics.median([1 / x for x in t]))  # fmt: skip


@wrong("median-low", "The median of an even count is the mean of the two in the middle.")
def low(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(
        kernel, elements, bytes_each, samples_ms, write_allocate, middle=statistics.median_low
    )


@wrong("gibibytes", "1 GB is 10^9 bytes here, not 2^30.")
def gib(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, unit=2**30 / 1e3)


@wrong("bytes-per-second", "Return GB/s.")
def unscaled(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, unit=1e-3)


@wrong("ms-taken-for-s", "The times are milliseconds.")
def seconds(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, unit=1e9)


@wrong("elements-for-bytes", "Bytes are elements * bytes_each.")
def elements_only(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    _refuse(kernel, elements, bytes_each, samples_ms, "kebnwtf")
    return _model(kernel, elements, 1, samples_ms, write_allocate)


@wrong("unknown-kernel-accepted", "An unknown kernel must raise ValueError.")
def any_kernel(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="ebnwtf")


@wrong("key-error", "An unknown kernel must raise ValueError, not KeyError.")
def key_error(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    READ[kernel]
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate)


@wrong("sizes-not-checked", "Elements and bytes below 1 must raise ValueError.")
def any_size(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="knwtf")


@wrong("one-time-accepted", "One time is only the warm-up: raise ValueError.")
def one_time(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="kebwtf")


@wrong("first-time-not-checked", "The first time must be finite and above 0 too.")
def any_first(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="kebntf")


@wrong("times-not-checked", "A time of 0 or below must raise ValueError.")
def any_time(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="kebnwf")


@wrong("infinite-time-accepted", "A time that is not finite must raise ValueError.")
def infinite(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="kebnwt")


@wrong("first-time-infinite", "The first time must be finite too.")
def first_infinite(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    if samples_ms and samples_ms[0] <= 0:
        raise ValueError("first")
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="kebntf")


@wrong("only-zero-refused", "Elements and bytes below 0 must raise ValueError too.")
def only_zero(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    if 0 in (elements, bytes_each):
        raise ValueError("zero")
    return _model(kernel, elements, bytes_each, samples_ms, write_allocate, checks="knwtf")


@wrong("samples-sorted", "Work on a copy: samples_ms is not changed.")
def sorts(kernel, elements, bytes_each, samples_ms, write_allocate=False):
    found = _model(kernel, elements, bytes_each, samples_ms, write_allocate)
    samples_ms.sort()
    return found
