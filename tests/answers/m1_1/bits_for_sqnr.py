"""Answers to bits-for-sqnr."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


@right("try one width after the other")
def by_loop(target_db, amax_over_rms):
    bits = 2
    while 10 * math.log10(12 * ((2 ** (bits - 1) - 1) / amax_over_rms) ** 2) < target_db:
        bits += 1
    return bits


@right("the inverse formula")
def by_formula(target_db, amax_over_rms):
    qmax = amax_over_rms * math.sqrt(10 ** (target_db / 10) / 12)
    return max(2, math.ceil(math.log2(qmax + 1)) + 1)


@right("a table in NumPy")
def by_table(target_db, amax_over_rms):
    bits = np.arange(2, 60)
    noise = (amax_over_rms / (2.0 ** (bits - 1) - 1)) ** 2 / 12
    return bits[np.argmax(-10 * np.log10(noise) >= target_db)]


def _search(target_db, predict, start=2):
    bits = start
    while predict(bits) < target_db:
        bits += 1
    return bits


def _predict(bits, crest):
    return 10 * math.log10(12 * ((2 ** (bits - 1) - 1) / crest) ** 2)


@wrong(
    "six-db-alone",
    "You divided the target by 6.02 and left the crest factor out; amax_over_rms costs 20 "
    "log10 of it, and 10.79 dB come from the 12.",
)
def six_alone(target_db, amax_over_rms):
    return max(2, math.ceil(target_db / 6.02))


@wrong(
    "crest-forgotten",
    "You left amax_over_rms out, as if amax were the rms: real tensors need more bits.",
)
def no_crest(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b, 1.0))


@wrong(
    "sine-formula",
    "You used 6.02 b + 1.76 dB, which holds for a full-scale sine only; put the crest factor in.",
)
def sine(target_db, amax_over_rms):
    return max(2, math.ceil((target_db - 1.76) / 6.02))


@wrong(
    "crest-as-power",
    "You took 10 log10 of amax_over_rms; it is a ratio of amplitudes, so it costs 20 log10.",
)
def crest_as_power(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b, math.sqrt(amax_over_rms)))


@wrong(
    "crest-helps",
    "You let a large amax_over_rms raise the SQNR; it lowers it, because the scale grows with "
    "amax.",
)
def crest_helps(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b, 1 / amax_over_rms))


@wrong(
    "one-bit-too-few",
    "You stop one bit short: signed codes end at qmax = 2**(bits-1) - 1 (not 2**bits - 1), "
    "and a fractional width is rounded up.",
)
def unsigned(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b + 1, amax_over_rms))


@wrong(
    "qmax-off-by-one",
    "You used qmax = 2**(bits-1); the largest signed code is one less, and at few bits that "
    "decides.",
)
def off_by_one(target_db, amax_over_rms):
    return _search(target_db, lambda b: 10 * math.log10(12 * (2 ** (b - 1) / amax_over_rms) ** 2))


@wrong(
    "step-over-2-to-the-bits",
    "You took the step 2 amax / (2**bits - 1); with the restricted range it is amax / "
    "(2**(bits-1) - 1).",
)
def two_sided(target_db, amax_over_rms):
    return _search(target_db, lambda b: 10 * math.log10(12 * ((2**b - 1) / 2 / amax_over_rms) ** 2))


@wrong(
    "twelve-forgotten",
    "You took scale**2 as the noise; an error spread evenly over one step has the power "
    "scale**2 / 12.",
)
def no_twelve(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b, amax_over_rms) - 10 * math.log10(12))


@wrong(
    "worst-case-noise",
    "You took the worst error, half a step, as the noise; the mean of its square is scale**2 / 12.",
)
def worst_case(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b, amax_over_rms) - 10 * math.log10(3))


@wrong("twenty-for-ten", "You used 20 log10 on a ratio of powers; powers take 10.")
def twenty(target_db, amax_over_rms):
    return _search(target_db, lambda b: 2 * _predict(b, amax_over_rms))


@wrong("one-bit-too-many", "You went one width too far; return the first that reaches the target.")
def too_many(target_db, amax_over_rms):
    return _search(target_db, lambda b: _predict(b, amax_over_rms)) + 1


@wrong(
    "one-bit-allowed",
    "You let the search start below 2 bits; a symmetric scheme needs 2 (one sign, one step).",
)
def one_bit(target_db, amax_over_rms):
    qmax = amax_over_rms * math.sqrt(10 ** (target_db / 10) / 12)
    return max(1, math.ceil(math.log2(qmax + 1) + 1 - 0.9 * (target_db < 0)))


@wrong("stops-at-16", "Your search stops at 16 bits; go on until the target is reached.")
def stops(target_db, amax_over_rms):
    return min(16, _search(target_db, lambda b: _predict(b, amax_over_rms)))


@wrong("stops-at-8", "Your search stops at 8 bits; go on until the target is reached.")
def stops_at_eight(target_db, amax_over_rms):
    return min(8, _search(target_db, lambda b: _predict(b, amax_over_rms)))


@wrong("float-result", "You returned a float; bits are counted in whole numbers, return an int.")
def as_float(target_db, amax_over_rms):
    return float(_search(target_db, lambda b: _predict(b, amax_over_rms)))


@wrong("fractional-bits", "You solved for a fractional number of bits; round it up to a whole one.")
def fractional(target_db, amax_over_rms):
    return (target_db - 10.79 + 20 * math.log10(amax_over_rms)) / 6.02 + 1


@wrong("stops-at-32", "Your search stops at 32 bits; go on until the target is reached.")
def stops_at_thirty_two(target_db, amax_over_rms):
    return min(32, _search(target_db, lambda b: _predict(b, amax_over_rms)))
