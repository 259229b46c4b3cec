"""Answers to qadd-params."""

import math
from dataclasses import dataclass

from autograder.checks.bank import right, wrong


@dataclass(frozen=True)
class Params:
    m_a: int
    m_b: int
    shift: int
    z_a: int
    z_b: int
    z_out: int


def _refuse(scales, zeros):
    if not all(math.isfinite(s) and s > 0 for s in scales):
        raise ValueError("scales")
    if not all(-128 <= z <= 127 for z in zeros):
        raise ValueError("zero-points")


def _params(s_a, s_b, s_out, zeros, most=2**21, top=30, rounded=round, strict=False, larger=max):
    for shift in range(top, 0, -1):
        m_a, m_b = rounded(s_a / s_out * 2**shift), rounded(s_b / s_out * 2**shift)
        if larger(m_a, m_b) < most + (not strict):
            return Params(m_a, m_b, shift, *zeros)
    raise ValueError("too large")


@right("from the largest shift down")
def downwards(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out))


@right("from shift 1 up, until it no longer fits")
def upwards(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    found = None
    for shift in range(1, 31):
        pair = [round(s / s_out * 2**shift) for s in (s_a, s_b)]
        if pair[0] > 2_097_152 or pair[1] > 2_097_152:
            break
        found = Params(pair[0], pair[1], shift, z_a, z_b, z_out)
    if found is None:
        raise ValueError("too large")
    return found


@wrong(
    "smallest-shift",
    "You take the first shift that fits from below; the largest one loses the least.",
)
def smallest(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    if max(round(2 * s_a / s_out), round(2 * s_b / s_out)) > 2**21:
        raise ValueError("too large")
    return Params(round(2 * s_a / s_out), round(2 * s_b / s_out), 1, z_a, z_b, z_out)


@wrong("truncated-multiplier", "int() cuts the fraction off; round to nearest.")
def truncated(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), rounded=int)


@wrong("rounded-up-multiplier", "You round up; round to nearest.")
def ceiled(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), rounded=math.ceil)


@wrong("below-instead-of-at-most", "2**21 itself is allowed.")
def below(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), strict=True)


@wrong("only-the-first-input", "You look at the multiplier of a only; b's may be the larger one.")
def only_a(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), larger=lambda a, b: a)


@wrong("the-smaller-one-fits", "Both multipliers must fit, not only the smaller one.")
def smaller(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), larger=min)


@wrong("inverted-ratio", "The multiplier is s_in / s_out; you divided the other way.")
def inverted(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(1 / s_a, 1 / s_b, 1 / s_out, (z_a, z_b, z_out))


@wrong(
    "31-bits", "Multipliers of up to 2**31 overflow the kernel's int products; 2**21 is the limit."
)
def wide(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), most=2**31)


@wrong("unlimited-shift", "Shifts go up to 30: the half is added as an int.")
def unlimited(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (z_a, z_b, z_out), top=60)


@wrong("zero-points-dropped", "Hand the zero-points through.")
def dropped(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_a, s_b, s_out, (0, 0, 0))


@wrong("inputs-swapped", "m_a belongs to a, m_b to b.")
def swapped(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    return _params(s_b, s_a, s_out, (z_a, z_b, z_out))


@wrong("a-shift-for-each", "One shift serves both products; you chose one for each.")
def own_shift(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    first, second = (_params(s, s, s_out, (0, 0, 0)) for s in (s_a, s_b))
    return Params(first.m_a, second.m_a, first.shift, z_a, z_b, z_out)


@wrong(
    "no-refusal",
    "Scales that are 0, negative or not finite, and zero-points outside INT8, must be refused.",
)
def no_refusal(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    try:
        return _params(s_a, s_b, s_out, (z_a, z_b, z_out))
    except (ZeroDivisionError, OverflowError):
        return Params(0, 0, 1, z_a, z_b, z_out)


@wrong(
    "too-large-accepted",
    "Where no shift fits, raise ValueError; you return a multiplier that is too large.",
)
def accepted(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    _refuse((s_a, s_b, s_out), (z_a, z_b, z_out))
    try:
        return _params(s_a, s_b, s_out, (z_a, z_b, z_out))
    except ValueError:
        return Params(round(2 * s_a / s_out), round(2 * s_b / s_out), 1, z_a, z_b, z_out)
