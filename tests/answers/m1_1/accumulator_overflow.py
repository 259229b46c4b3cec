"""Answers to accumulator-overflow."""

import math
from itertools import product

from autograder.checks.bank import right, wrong

INT8 = (-128, 127)


@right("corners and integer division")
def by_corners(acc_bits, x_range=INT8, w_range=INT8):
    top = 2 ** (acc_bits - 1) - 1
    found = []
    for x, w in product(x_range, w_range):
        if x * w > 0:
            found.append((top // (x * w) + 1, x, w))
        elif x * w < 0:
            found.append(((top + 1) // -(x * w) + 1, x, w))
    if not found:
        raise ValueError("every product is 0")
    return min(found)


@right("every pair of values, tried one by one")
def by_all_pairs(acc_bits, x_range=INT8, w_range=INT8):
    best = None
    for x in range(x_range[0], x_range[1] + 1):
        for w in range(w_range[0], w_range[1] + 1):
            p = x * w
            if p == 0:
                continue
            room = (1 << (acc_bits - 1)) - (1 if p > 0 else 0)
            k = room // abs(p) + 1
            if best is None or k < best[0]:
                best = [k, x, w]
    if best is None:
        raise ValueError("no product differs from 0: nothing overflows")
    return best


def _answer(k_of, pairs=None):
    def solve(acc_bits, x_range=INT8, w_range=INT8):
        found = []
        for x, w in pairs(x_range, w_range) if pairs else product(x_range, w_range):
            if x * w:
                found.append((k_of(acc_bits, x * w), x, w))
        if not found:
            raise ValueError("every product is 0")
        return min(found)

    return solve


def _exact(bits, p):
    room = 2 ** (bits - 1) - (p > 0)
    return room // abs(p) + 1


@wrong(
    "127-squared",
    "You take 127 * 127 as the worst product; with -128 allowed, (-128) * (-128) is larger.",
    call=True,
)
def largest_ends():
    return _answer(_exact, lambda xr, wr: [(xr[1], wr[1])])


@wrong(
    "positive-side-only",
    "You look at the positive end alone; negative products can leave at the other end first.",
    call=True,
)
def positive_only():
    def k_of(bits, p):
        return _exact(bits, p) if p > 0 else 10**9

    return _answer(k_of)


@wrong(
    "largest-that-fits",
    "You return the largest number of products that still fits; the question is one more.",
    call=True,
)
def largest_that_fits():
    return _answer(lambda bits, p: _exact(bits, p) - 1)


@wrong(
    "unsigned-accumulator",
    "You let the accumulator count to 2**b - 1; a signed one ends at 2**(b-1) - 1.",
    call=True,
)
def unsigned():
    return _answer(lambda bits, p: (2**bits - 1) // abs(p) + 1)


@wrong(
    "end-does-not-fit",
    "You call -2**(b-1) an overflow; two's complement holds it. Only the positive end is one lower.",
    call=True,
)
def end_does_not_fit():
    return _answer(lambda bits, p: (2 ** (bits - 1) - 1) // abs(p) + 1)


@wrong(
    "range-one-too-wide",
    "You let the sum reach 2**(b-1); the largest value is 2**(b-1) - 1.",
    call=True,
)
def one_too_wide():
    return _answer(lambda bits, p: 2 ** (bits - 1) // abs(p) + 1)


@wrong(
    "rounded-up-division",
    "ceil(limit / product) overlooks that a sum equal to the limit still fits: use limit // product + 1.",
    call=True,
)
def ceil_division():
    return _answer(lambda bits, p: math.ceil((2 ** (bits - 1) - (p > 0)) / abs(p)))


@wrong(
    "bits-added",
    "You add bit widths (8 + 8 + log2 k <= b); that is a safe bound, not the smallest k.",
    call=True,
)
def bits_added():
    def solve(acc_bits, x_range=INT8, w_range=INT8):
        xb = max(abs(v) for v in x_range).bit_length() + 1
        wb = max(abs(v) for v in w_range).bit_length() + 1
        x, w = max(x_range, key=abs), max(w_range, key=abs)
        if x * w == 0:
            raise ValueError("every product is 0")
        return 2 ** max(acc_bits - xb - wb, 0) + 1, x, w

    return solve


@wrong(
    "average-case",
    "You size for typical values, whose sum grows with sqrt(k); the question is the worst case.",
    call=True,
)
def average_case():
    return _answer(lambda bits, p: int((2 ** (bits - 1) / abs(p)) ** 2) + 1)


@wrong(
    "always-int32",
    "You use 32 bits whatever acc_bits says.",
    call=True,
)
def always_int32():
    return _answer(lambda bits, p: _exact(32, p))


@wrong(
    "always-int8",
    "You use -128..127 for both operands; use the ranges that are given.",
    call=True,
)
def always_int8():
    return _answer(_exact, lambda xr, wr: [(-128, -128)])


@wrong(
    "largest-magnitudes",
    "You multiply the operands of largest magnitude; their product may be negative while a positive "
    "one, equally large, leaves one step earlier. Try all four corners.",
    call=True,
)
def largest_magnitudes():
    return _answer(_exact, lambda xr, wr: [(max(xr, key=abs), max(wr, key=abs))])


@wrong(
    "last-largest-product",
    "You take the last product of largest magnitude, whatever its sign: the positive end is one "
    "lower, so compare the k of every corner.",
    call=True,
)
def last_largest():
    def corner(x_range, w_range):
        pairs = list(product(x_range, w_range))
        return [max(reversed(pairs), key=lambda pair: abs(pair[0] * pair[1]))]

    return _answer(_exact, corner)


@wrong(
    "float-division",
    "You divide with /, whose 53 bits miss k for a wide accumulator: use // on integers.",
    call=True,
)
def float_division():
    return _answer(lambda bits, p: math.floor((2 ** (bits - 1) - (p > 0)) / abs(p)) + 1)


@wrong(
    "lowest-corner",
    "You try the smallest values of both operands alone; try all four corners.",
    call=True,
)
def lowest_corner():
    def solve(acc_bits, x_range=INT8, w_range=INT8):
        x, w = (low or high for low, high in (x_range, w_range))
        if x * w == 0:
            raise ValueError("every product is 0")
        return _exact(acc_bits, x * w), x, w

    return solve


@wrong(
    "pair-swapped",
    "Your x and w are swapped: return k, then a value of x_range, then one of w_range.",
    call=True,
)
def pair_swapped():
    def solve(acc_bits, x_range=INT8, w_range=INT8):
        k, x, w = by_corners(acc_bits, x_range, w_range)
        return k, w, x

    return solve


@wrong(
    "k-alone",
    "You return k alone; return k and the pair of values that shows the overflow.",
    call=True,
)
def k_alone():
    return lambda *a, **k: by_corners(*a, **k)[0]


@wrong(
    "best-pair-not-worst",
    "k is right, but your pair is not the worst one: k of its products still fit.",
    call=True,
)
def wrong_pair():
    def solve(acc_bits, x_range=INT8, w_range=INT8):
        return by_corners(acc_bits, x_range, w_range)[0], x_range[1], w_range[1]

    return solve


@wrong(
    "no-refusal",
    "When every product is 0 there is no such k: raise ValueError.",
    call=True,
)
def no_refusal():
    def solve(acc_bits, x_range=INT8, w_range=INT8):
        try:
            return by_corners(acc_bits, x_range, w_range)
        except ValueError:
            return 2**acc_bits, 0, 0

    return solve
