"""Answers to transfer-copy-time."""

import numpy as np

from autograder.checks.bank import right, wrong


def _model(sizes, latency, rate, *, checks="nslr", unit=1000, pays=len, own=None):
    if "n" in checks and not len(sizes):
        raise ValueError("no copies")
    if "s" in checks and any(size < 0 for size in sizes):
        raise ValueError("size")
    if "l" in checks and latency < 0:
        raise ValueError("latency")
    if "r" in checks and rate <= 0:
        raise ValueError("rate")
    time_us = pays(sizes) * latency + sum(sizes) / (rate * unit)
    effective = own(sizes, time_us) if own else sum(sizes) / time_us / unit if time_us else 0.0
    return time_us, effective


@right("a loop over copies, in seconds")
def by_seconds(sizes, latency, rate):
    if len(sizes) == 0 or any(size < 0 for size in sizes) or latency < 0 or not rate > 0:
        raise ValueError("bad input")
    seconds = 0.0
    for size in sizes:
        seconds += latency * 1e-6 + size / (rate * 1e9)
    return seconds * 1e6, sum(sizes) / 1e9 / seconds if seconds else 0


@right("numpy")
def by_numpy(sizes, latency, rate):
    size = np.array(sizes, dtype=np.float64)
    if not size.size or (size < 0).any() or latency < 0 or rate <= 0:
        raise ValueError("bad input")
    time_us = np.sum(latency + size / rate / 1e3)
    return [time_us, size.sum() / time_us / 1e3 if time_us > 0 else 0.0]


@wrong("latency-once", "You pay the latency once for all copies; each copy pays it.")
def latency_once(sizes, latency, rate):
    return _model(sizes, latency, rate, pays=lambda s: 1)


@wrong("latency-per-byte", "You pay the latency for each byte; it is paid once a copy.")
def per_byte(sizes, latency, rate):
    return _model(sizes, latency, rate, pays=lambda s: sum(s))


@wrong("no-latency", "The latency of the copies is missing.")
def no_latency(sizes, latency, rate):
    return _model(sizes, latency, rate, pays=lambda s: 0)


@wrong("bits-for-bytes", "You count bits; the rate is in bytes, GB/s.")
def bits(sizes, latency, rate):
    return _model(sizes, latency, rate, unit=125)


@wrong("gib-for-gb", "1 GB is 10**9 bytes here, not 2**30.")
def gib(sizes, latency, rate):
    return _model(sizes, latency, rate, unit=2**30 / 1e6)


@wrong("milliseconds", "Your time is in milliseconds; microseconds are asked for.")
def milliseconds(sizes, latency, rate):
    time_us, effective = _model(sizes, latency, rate)
    return time_us / 1e3, effective


@wrong("nominal-returned", "You return the link's rate; effective is all bytes by all time.")
def nominal(sizes, latency, rate):
    return _model(sizes, latency, rate, own=lambda s, t: rate if sum(s) else 0.0)


@wrong("mean-of-bandwidths", "You average the copies' bandwidths; divide all bytes by all time.")
def averaged(sizes, latency, rate):
    def own(sizes, _):
        each = [_model([s], latency, rate)[1] for s in sizes]
        return sum(each) / len(each)

    return _model(sizes, latency, rate, own=own)


@wrong("empty-copies-free", "An empty copy costs the latency too.")
def empty_free(sizes, latency, rate):
    return _model(sizes, latency, rate, pays=lambda s: sum(1 for size in s if size))


@wrong("largest-only", "The copies run one after another: add them, do not take the longest.")
def largest(sizes, latency, rate):
    _model(sizes, latency, rate)
    return _model([max(sizes)], latency, rate)


@wrong("both-directions", "A data sheet's sum of both directions does not double this rate.")
def doubled(sizes, latency, rate):
    return _model(sizes, latency, 2 * rate)


@wrong("zero-time", "All bytes 0 and no latency: the effective bandwidth is 0.0, not an error.")
def divides(sizes, latency, rate):
    return _model(sizes, latency, rate, own=lambda s, t: sum(s) / t / 1000)


@wrong("no-copies-accepted", "No copies at all must raise ValueError.")
def no_copies(sizes, latency, rate):
    return _model(sizes, latency, rate, checks="slr")


@wrong("negative-size-accepted", "A negative size must raise ValueError.")
def any_size(sizes, latency, rate):
    return _model(sizes, latency, rate, checks="nlr")


@wrong("negative-latency-accepted", "A negative latency must raise ValueError.")
def any_latency(sizes, latency, rate):
    return _model(sizes, latency, rate, checks="nsr")


@wrong("rate-not-checked", "A rate that is not above 0 must raise ValueError.")
def any_rate(sizes, latency, rate):
    return _model(sizes, latency, rate, checks="nsl")
