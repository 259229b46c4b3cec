"""Answers to format-limits."""

import math

from autograder.checks.bank import right, wrong


@right("powers of two")
def powers(exponent_bits, mantissa_bits, specials="ieee"):
    bias = 2 ** (exponent_bits - 1) - 1
    top, mantissa = 2**exponent_bits - 1, 2 - 2.0**-mantissa_bits
    if specials == "ieee":
        top -= 1
    elif specials == "fn":
        mantissa -= 2.0**-mantissa_bits
    return (
        mantissa * 2.0 ** (top - bias),
        2.0 ** (1 - bias),
        2.0 ** (1 - bias - mantissa_bits),
        2.0**-mantissa_bits,
    )


@right("ldexp of integers, list returned")
def by_ldexp(exponent_bits, mantissa_bits, specials="ieee"):
    least = 2 - 2 ** (exponent_bits - 1) - mantissa_bits
    ones = 2 ** (mantissa_bits + 1) - 1 - (specials == "fn")
    shift = 2**exponent_bits - 2 - (specials == "ieee")
    return [
        math.ldexp(ones, shift + least),
        math.ldexp(1, least + mantissa_bits),
        math.ldexp(1, least),
        math.ldexp(1, -mantissa_bits),
    ]


@right("decode the codes at the ends with numpy")
def by_codes(exponent_bits, mantissa_bits, specials="ieee"):
    import numpy as np

    e, m = exponent_bits, mantissa_bits
    bias = (1 << (e - 1)) - 1
    last = {
        "ieee": (((1 << e) - 1) << m) - 1,
        "fn": (1 << (e + m)) - 2,
        "finite": (1 << (e + m)) - 1,
    }
    codes = np.array([last[specials], 1 << m, 1, bias << m, (bias << m) + 1], dtype=np.int64)
    field, rest = codes >> m, codes & ((1 << m) - 1)
    whole = rest + np.where(field > 0, 1 << m, 0)
    values = np.ldexp(whole.astype(np.float64), (np.maximum(field, 1) - bias - m).astype(np.int32))
    return values[0], values[1], values[2], values[4] - values[3]


def _changed(position, change):
    def answer(exponent_bits, mantissa_bits, specials="ieee"):
        values = list(powers(exponent_bits, mantissa_bits, specials))
        values[position] = change(values[position], exponent_bits, mantissa_bits, specials)
        return tuple(values)

    return answer


@wrong(
    "all-formats-ieee",
    "You kept an exponent field for infinity in every format: fn and finite use it for numbers.",
)
def all_formats_ieee(exponent_bits, mantissa_bits, specials="ieee"):
    return powers(exponent_bits, mantissa_bits, "ieee")


@wrong(
    "nothing-reserved",
    "You used the exponent field of all ones for numbers: in ieee it holds infinity and NaN.",
)
def nothing_reserved(exponent_bits, mantissa_bits, specials="ieee"):
    return powers(exponent_bits, mantissa_bits, "finite" if specials == "ieee" else specials)


@wrong(
    "fn-nan-counted",
    "You counted the code of all ones as a number: in fn it is NaN, so the largest is one step below.",
)
def fn_nan_counted(exponent_bits, mantissa_bits, specials="ieee"):
    return powers(exponent_bits, mantissa_bits, "finite" if specials == "fn" else specials)


@wrong("fn-for-finite", "You took a code away for NaN in finite too: there every code is a number.")
def fn_for_finite(exponent_bits, mantissa_bits, specials="ieee"):
    return powers(exponent_bits, mantissa_bits, "fn" if specials == "finite" else specials)


@wrong("bias-half", "Your bias is 2**(e - 1): it is one less.")
def bias_half(exponent_bits, mantissa_bits, specials="ieee"):
    largest, normal, subnormal, epsilon = powers(exponent_bits, mantissa_bits, specials)
    return largest / 2, normal / 2, subnormal / 2, epsilon


@wrong("hidden-one-forgotten", "Your largest value lacks the hidden 1 before the mantissa.")
def hidden_one_forgotten(exponent_bits, mantissa_bits, specials="ieee"):
    values = powers(exponent_bits, mantissa_bits, specials)
    top = 2.0 ** math.floor(math.log2(values[0]))
    return (values[0] - top, *values[1:])


@wrong(
    "power-of-two-largest",
    "Your largest value has an empty mantissa: the largest has all its mantissa bits set.",
)
def power_of_two_largest(exponent_bits, mantissa_bits, specials="ieee"):
    values = powers(exponent_bits, mantissa_bits, specials)
    return (2.0 ** math.floor(math.log2(values[0])), *values[1:])


next_power = wrong(
    "next-power-of-two",
    "Your largest value is the power of two above it: take one step off the mantissa.",
)(_changed(0, lambda v, e, m, s: 2.0 ** (math.floor(math.log2(v)) + 1)))
no_subnormals = wrong(
    "no-subnormals", "You gave the smallest normal value twice: subnormals go m bits further down."
)(_changed(2, lambda v, e, m, s: v * 2.0**m))
normal_from_zero = wrong(
    "normal-from-field-0",
    "Your smallest normal value uses exponent field 0: that field is for subnormals, normals begin at 1.",
)(_changed(1, lambda v, e, m, s: v / 2))
subnormal_field_zero = wrong(
    "subnormal-exponent-0",
    "Your subnormals use the exponent 0 - bias: they share 1 - bias with the smallest normals.",
)(_changed(2, lambda v, e, m, s: v / 2))
half_epsilon = wrong(
    "half-epsilon", "You gave half the gap at 1, the rounding error: epsilon is the gap itself."
)(_changed(3, lambda v, e, m, s: v / 2))
hidden_counted = wrong(
    "epsilon-one-bit-wide",
    "Your epsilon counts one mantissa bit too few: the hidden 1 is not one of the m stored bits.",
)(_changed(3, lambda v, e, m, s: v * 2))


@wrong(
    "half-always",
    "You returned FP16's limits for every format: compute them from the two field widths.",
)
def half_always(exponent_bits, mantissa_bits, specials="ieee"):
    return powers(5, 10, "ieee")


@wrong(
    "computed-in-float32",
    "Your largest value passed through float32: without infinity 8 exponent bits reach beyond it.",
)
def in_float32(exponent_bits, mantissa_bits, specials="ieee"):
    import numpy as np

    with np.errstate(over="ignore"):
        return tuple(float(np.float32(v)) for v in powers(exponent_bits, mantissa_bits, specials))
