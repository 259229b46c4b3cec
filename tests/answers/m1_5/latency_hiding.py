"""Answers to latency-hiding."""

from math import ceil, floor

from autograder.checks.bank import right, wrong


def _refuse(*values):
    if min(values) <= 0:
        raise ValueError("must be positive")


def _answer(need, each, bandwidth, latency, sms, resident):
    return need, ceil(need / (sms * each)), min(bandwidth, resident * sms * each / latency)


@right("Little's law")
def little(bandwidth_gb_s, latency_ns, sms, lane_bytes, loads, resident_warps):
    _refuse(bandwidth_gb_s, latency_ns, sms, lane_bytes, loads, resident_warps)
    each = 32 * lane_bytes * loads
    return _answer(
        bandwidth_gb_s * latency_ns, each, bandwidth_gb_s, latency_ns, sms, resident_warps
    )


@right("warps counted up")
def counted(bandwidth_gb_s, latency_ns, sms, lane_bytes, loads, resident_warps):
    values = (bandwidth_gb_s, latency_ns, sms, lane_bytes, loads, resident_warps)
    if any(v <= 0 for v in values):
        raise ValueError("not positive")
    need, warps = latency_ns * bandwidth_gb_s, 1
    while warps * sms * 32 * lane_bytes * loads < need:
        warps += 1
    share = min(1.0, resident_warps * sms * 32 * lane_bytes * loads / need)
    return need, warps, share * bandwidth_gb_s


@wrong("divided", "Bytes in flight are bandwidth times latency.")
def divided(*values):
    _refuse(*values)
    b, t, s, w, k, r = values
    return _answer(b / t, 32 * w * k, b, t, s, r)


@wrong("units", "GB/s times ns is bytes: 10^9 and 10^-9 cancel.")
def units(*values):
    _refuse(*values)
    b, t, s, w, k, r = values
    return _answer(b * t * 1e9, 32 * w * k, b, t, s, r)


@wrong("per-sm-forgotten", "The warps are for each SM: divide by their number.")
def all_sms(*values):
    _refuse(*values)
    b, t, s, w, k, r = values
    need, _, reached = little(*values)
    return need, ceil(need / (32 * w * k)), reached


@wrong("threads-for-warps", "A warp has 32 lanes: divide by 32 too.")
def threads(*values):
    _refuse(*values)
    b, t, s, w, k, r = values
    need, _, reached = little(*values)
    return need, ceil(need / (s * w * k)), reached


@wrong("rounded-down", "A fraction of a warp is a warp more: round up.")
def down(*values):
    need, _, reached = little(*values)
    b, t, s, w, k, r = values
    return need, floor(need / (s * 32 * w * k)), reached


@wrong("one-more-always", "Where it comes out even, no further warp is needed.")
def one_more(*values):
    need, _, reached = little(*values)
    b, t, s, w, k, r = values
    return need, floor(need / (s * 32 * w * k)) + 1, reached


@wrong("loads-forgotten", "Independent loads of one lane are in flight together: multiply by them.")
def no_loads(*values):
    _refuse(*values)
    b, t, s, w, k, r = values
    return _answer(b * t, 32 * w, b, t, s, r)


@wrong("width-forgotten", "A lane's load has lane_bytes bytes.")
def no_width(*values):
    _refuse(*values)
    b, t, s, w, k, r = values
    return _answer(b * t, 32 * k, b, t, s, r)


@wrong(
    "beyond-the-bandwidth",
    "More bytes in flight do not raise the bandwidth above its peak: take the lesser.",
)
def unbounded(*values):
    need, warps, _ = little(*values)
    b, t, s, w, k, r = values
    return need, warps, r * s * 32 * w * k / t


@wrong("always-the-peak", "With few warps the peak is not reached: bytes in flight / latency.")
def peak(*values):
    need, warps, _ = little(*values)
    return need, warps, values[0]


@wrong("share-for-gb-s", "You return the share of the bandwidth; GB/s are asked for.")
def share(*values):
    need, warps, reached = little(*values)
    return need, warps, reached / values[0]


@wrong("reached-of-one-sm", "All SMs load at the same time: multiply by their number.")
def one_sm(*values):
    need, warps, _ = little(*values)
    b, t, s, w, k, r = values
    return need, warps, min(b, r * 32 * w * k / t)


@wrong("gibibytes", "A GB is 10^9 bytes.")
def gibibytes(*values):
    need, warps, reached = little(*values)
    return need * 1.073741824, warps, reached


@wrong("float-warps", "warps is an int.")
def float_warps(*values):
    need, warps, reached = little(*values)
    return need, float(warps), reached


@wrong("no-refusal", "A value of 0 or less must raise ValueError.")
def unchecked(*values):
    b, t, s, w, k, r = values
    each = s * 32 * w * k
    return b * t, ceil(b * t / each) if each else 0, min(b, r * each / t) if t else b
