"""Answers to roof-batch."""

import math
from fractions import Fraction

from autograder.checks.bank import right, wrong


def _solve(n, k, bits, act, peak, rate, *, flops=2, weights=None, acts=None, inclusive=True,
           none=lambda gain: gain <= 0, checks=True):  # fmt: skip
    if checks and any(v < 1 for v in (n, k, bits, act, peak, rate)):
        raise ValueError("1 or more")
    w = (-(-n * k * bits // 8)) if weights is None else weights
    each = act * (n + k) if acts is None else acts
    gain = flops * n * k * rate - peak * each
    if none(gain):
        return None
    if gain == 0:
        return 1
    if inclusive:
        return max(1, -(-peak * w // gain))
    return peak * w // gain + 1


@right("solved for the batch")
def solved(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth)


@right("fractions and bisection")
def bisected(n, k, weight_bits, act_bytes, peak, bandwidth):
    if min(n, k, weight_bits, act_bytes, peak, bandwidth) <= 0:
        raise ValueError("above 0")
    ridge, weights = Fraction(peak, bandwidth), (n * k * weight_bits + 7) // 8

    def bound(b):
        return Fraction(2 * b * n * k, weights + b * act_bytes * (n + k)) >= ridge

    if Fraction(2 * n * k, act_bytes * (n + k)) <= ridge:
        return None
    low, high = 0, 1
    while not bound(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) else (middle, high)
    return high


@wrong("activations-forgotten", "x and y move too: act_bytes for each element.")
def no_acts(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, acts=0)


@wrong("output-forgotten", "y moves too: n elements for each row.")
def no_output(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, acts=act_bytes * k)


@wrong("input-forgotten", "x moves too: k elements for each row.")
def no_input(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, acts=act_bytes * n)


@wrong("one-flop-each", "A multiplication and an addition: 2 batch n k.")
def one_flop(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, flops=1)


@wrong(
    "ridge-for-batch", "The batch is not the ridge: intensity is about 2 batch / bytes of a weight."
)
def ridge(n, k, weight_bits, act_bytes, peak, bandwidth):
    found = _solve(n, k, weight_bits, act_bytes, peak, bandwidth)
    return found if found is None else -(-peak // bandwidth)


@wrong("weights-for-each-row", "The weights move once, not for each row of the batch.")
def each_row(n, k, weight_bits, act_bytes, peak, bandwidth):
    _solve(n, k, weight_bits, act_bytes, peak, bandwidth)
    each = act_bytes * (n + k) + n * k * weight_bits // 8
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, weights=0, acts=each)


@wrong("bits-for-bytes", "Weights have bits: divide by 8.")
def as_bits(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, weights=n * k * weight_bits)


@wrong("whole-bytes-a-weight", "Two 4-bit weights share a byte.")
def unpacked(n, k, weight_bits, act_bytes, peak, bandwidth):
    w = n * k * -(-weight_bits // 8)
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, weights=w)


@wrong("rounded-down", "Packed weights are rounded up to whole bytes, not down.")
def down(n, k, weight_bits, act_bytes, peak, bandwidth):
    w = n * k * weight_bits // 8
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, weights=w)


@wrong("half-bytes", "Packed weights are rounded up to whole bytes.")
def half_bytes(n, k, weight_bits, act_bytes, peak, bandwidth):
    w = Fraction(n * k * weight_bits, 8)
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, weights=w)


@wrong("weights-of-activation-size", "The weights have bits of their own.")
def act_weights(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, weights=n * k * act_bytes)


@wrong("beyond-the-ridge", "On the ridge a batch is compute-bound: >=, not >.")
def strict(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, inclusive=False)


@wrong("one-too-few", "Round up: the batch before does not reach the ridge.")
def floor(n, k, weight_bits, act_bytes, peak, bandwidth):
    found = _solve(n, k, weight_bits, act_bytes, peak, bandwidth, inclusive=False)
    return found if found is None else max(1, found - 1)


@wrong("rounded", "Round up, not to nearest.")
def nearest(n, k, weight_bits, act_bytes, peak, bandwidth):
    found = _solve(n, k, weight_bits, act_bytes, peak, bandwidth)
    if found is None:
        return None
    gain = 2 * n * k * bandwidth - peak * act_bytes * (n + k)
    return max(1, round(Fraction(peak * -(-n * k * weight_bits // 8), gain)))


@wrong("next-power-of-two", "Any batch counts, not only powers of two.")
def power(n, k, weight_bits, act_bytes, peak, bandwidth):
    found = _solve(n, k, weight_bits, act_bytes, peak, bandwidth)
    return found if found is None else 1 << (found - 1).bit_length()


@wrong(
    "float-division", "Floats round here: compare whole numbers, flops * bandwidth >= peak * bytes."
)
def floats(n, k, weight_bits, act_bytes, peak, bandwidth):
    if min(n, k, weight_bits, act_bytes, peak, bandwidth) < 1:
        raise ValueError("above 0")
    gain = 2 * n * k - peak / bandwidth * act_bytes * (n + k)
    if gain <= 0:
        return None
    return max(1, math.ceil(peak / bandwidth * math.ceil(n * k * weight_bits / 8) / gain))


@wrong("search-gives-up", "The answer may be far beyond 100,000: solve for it, or bisect.")
def gives_up(n, k, weight_bits, act_bytes, peak, bandwidth):
    found = _solve(n, k, weight_bits, act_bytes, peak, bandwidth)
    return None if found is None or found > 100_000 else found


@wrong("negative-batch", "Where the intensity's limit is below the ridge there is no batch: None.")
def negative(n, k, weight_bits, act_bytes, peak, bandwidth):
    if min(n, k, weight_bits, act_bytes, peak, bandwidth) < 1:
        raise ValueError("above 0")
    gain = 2 * n * k * bandwidth - peak * act_bytes * (n + k)
    return abs(-(-peak * -(-n * k * weight_bits // 8) // gain)) if gain else 0


@wrong("zero-for-none", "Where no batch is compute-bound, return None.")
def zero(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth) or 0


@wrong("limit-counts-as-reached", "If the limit equals the ridge, no batch reaches it: None.")
def limit(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, none=lambda gain: gain < 0)


@wrong("peak-and-bandwidth-swapped", "The ridge is peak / bandwidth.")
def swapped(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, bandwidth, peak)


@wrong("float-returned", "Return an int.")
def as_float(n, k, weight_bits, act_bytes, peak, bandwidth):
    found = _solve(n, k, weight_bits, act_bytes, peak, bandwidth)
    return found if found is None else float(found)


@wrong("arguments-not-checked", "An argument below 1 must raise ValueError.")
def unchecked(n, k, weight_bits, act_bytes, peak, bandwidth):
    return _solve(n, k, weight_bits, act_bytes, peak, bandwidth, checks=False)


@wrong(
    "float-quotient",
    "A quotient held as a float rounds: divide with //, or compare products of ints.",
)
def quotient(n, k, weight_bits, act_bytes, peak, bandwidth):
    if min(n, k, weight_bits, act_bytes, peak, bandwidth) < 1:
        raise ValueError("above 0")
    gain = 2 * n * k * bandwidth - peak * act_bytes * (n + k)
    return math.ceil(peak * -(-n * k * weight_bits // 8) / gain) if gain > 0 else None


@wrong("float-comparison", "Floats round here: compare flops * bandwidth and peak * bytes as ints.")
def comparison(n, k, weight_bits, act_bytes, peak, bandwidth):
    if min(n, k, weight_bits, act_bytes, peak, bandwidth) < 1:
        raise ValueError("above 0")
    weights = -(-n * k * weight_bits // 8)

    def reached(batch):
        return 2 * batch * n * k / (weights + batch * act_bytes * (n + k)) >= peak / bandwidth

    low, high = 0, 2**40
    while reached(high) and high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high if reached(high) else None
