"""Answers to fp8-decode."""

import numpy as np

from autograder.checks.bank import right, wrong

SHAPES = {"e4m3": (4, 3, 7), "e5m2": (5, 2, 15)}


@right("fields and ldexp")
def by_fields(codes, fmt):
    e, m, bias = SHAPES[fmt]
    c = codes.astype(np.int32)
    sign = np.where(c & 0x80, -1.0, 1.0)
    field, rest = (c >> m) & (2**e - 1), c & (2**m - 1)
    whole = rest + np.where(field > 0, 2**m, 0)
    value = np.ldexp(sign * whole, np.maximum(field, 1) - bias - m)
    if fmt == "e4m3":
        value = np.where((c & 0x7F) == 0x7F, np.nan, value)
    else:
        value = np.where(field == 31, np.where(rest == 0, sign * np.inf, np.nan), value)
    return value.astype(np.float32)


@right("a table of 256, one Python float at a time")
def by_table(codes, fmt):
    e, m, bias = SHAPES[fmt]
    table = np.zeros(256, np.float32)
    for code in range(256):
        field, rest = (code % 128) >> m, code % 2**m
        value = (
            rest / 2**m * 2.0 ** (1 - bias)
            if field == 0
            else (1 + rest / 2**m) * 2.0 ** (field - bias)
        )
        if fmt == "e4m3" and code % 128 == 127:
            value = float("nan")
        if fmt == "e5m2" and field == 31:
            value = float("inf") if rest == 0 else float("nan")
        table[code] = -value if code >= 128 else value
    return table[codes]


@right("E5M2 as the high byte of float16, E4M3 through torch")
def by_float16(codes, fmt):
    if fmt == "e5m2":
        return (codes.astype(np.uint16) << 8).view(np.float16).astype(np.float32)
    import torch

    flat = torch.from_numpy(np.array(codes)).view(torch.float8_e4m3fn)
    return flat.float().numpy()


@right("float32 bits put together")
def by_bits(codes, fmt):
    e, m, bias = SHAPES[fmt]
    c = codes.astype(np.uint32)
    shifted = ((c & 0x7F) << (23 - m)).view(np.float32)  # the exponent is too small by 127 - bias
    value = shifted * np.float32(2.0 ** (127 - bias))
    top = (c & 0x7F) == 0x7F if fmt == "e4m3" else (c & 0x7F) > 0x7C
    value = np.where(top, np.float32(np.nan), value)
    if fmt == "e5m2":
        value = np.where((c & 0x7F) == 0x7C, np.float32(np.inf), value)
    return np.copysign(value, np.where(c & 0x80, -1, 1)).astype(np.float32)


def _parts(codes, fmt):
    e, m, bias = SHAPES[fmt]
    c = codes.astype(np.int32)
    return c, (c >> m) & (2**e - 1), c & (2**m - 1), np.where(c & 0x80, -1.0, 1.0), m, bias


# First: answers are matched by value, and -0.0 == 0.0.
@wrong("minus-zero-lost", "Your -0 lost its sign: code 0x80 is -0.0.")
def minus_zero_lost(codes, fmt):
    return by_fields(codes, fmt) + np.float32(0)


@wrong(
    "e4m3-like-ieee",
    "You kept infinity and seven NaNs in E4M3: only S.1111.111 is special, S.1111.110 is 448.",
)
def e4m3_like_ieee(codes, fmt):
    value = by_fields(codes, fmt)
    if fmt == "e4m3":
        magnitude = codes & 0x7F
        value = np.where(
            magnitude > 0x78, np.nan, np.where(magnitude == 0x78, np.inf, np.abs(value))
        )
        value = np.where(codes & 0x80, -value, value)
    return value.astype(np.float32)


@wrong(
    "e5m2-all-finite",
    "You read E5M2's exponent field 31 as numbers: it holds infinity (M = 0) and NaN.",
)
def e5m2_all_finite(codes, fmt):
    value = by_fields(codes, fmt)
    if fmt == "e5m2":
        c, field, rest, sign, m, bias = _parts(codes, fmt)
        value = np.where(field == 31, sign * (1 + rest / 4) * 2.0**16, value)
    return value.astype(np.float32)


@wrong("nan-as-480", "You read S.1111.111 of E4M3 as 480: that code is NaN.")
def nan_as_480(codes, fmt):
    value = by_fields(codes, fmt)
    if fmt == "e4m3":
        value = np.where(codes == 0x7F, 480, np.where(codes == 0xFF, -480, value))
    return value.astype(np.float32)


@wrong(
    "hidden-one-always",
    "You put the hidden 1 before subnormals too: with exponent field 0 it is 0.",
)
def hidden_one_always(codes, fmt):
    c, field, rest, sign, m, bias = _parts(codes, fmt)
    value = sign * (1 + rest / 2**m) * 2.0 ** (np.maximum(field, 1) - bias)
    return np.where((field == 0), value, by_fields(codes, fmt)).astype(np.float32)


@wrong(
    "hidden-one-never", "You left out the hidden 1: with exponent field > 0 the mantissa is 1.M."
)
def hidden_one_never(codes, fmt):
    c, field, rest, sign, m, bias = _parts(codes, fmt)
    return (sign * rest / 2**m * 2.0 ** (np.maximum(field, 1) - bias)).astype(np.float32)


@wrong(
    "subnormal-exponent",
    "Your subnormals use 2**(0 - bias): their exponent is 1 - bias, as for the smallest normals.",
)
def subnormal_exponent(codes, fmt):
    c, field, rest, sign, m, bias = _parts(codes, fmt)
    return np.where(field == 0, by_fields(codes, fmt) / 2, by_fields(codes, fmt)).astype(np.float32)


@wrong(
    "subnormals-flushed",
    "You read every code with exponent field 0 as zero: those with M > 0 are subnormals.",
)
def subnormals_flushed(codes, fmt):
    c, field, rest, sign, m, bias = _parts(codes, fmt)
    return np.where(field == 0, sign * 0.0, by_fields(codes, fmt)).astype(np.float32)


@wrong(
    "bias-8-and-16",
    "You took 2**(e - 1) as the bias, which is one too many: that is the fnuz variant.",
)
def bias_too_big(codes, fmt):
    return (by_fields(codes, fmt) / 2).astype(np.float32)


@wrong(
    "uint8-wraps",
    "Your exponent field is still uint8: E - bias wraps around below 0; widen the codes to int32 first.",
)
def uint8_wraps(codes, fmt):
    e, m, bias = SHAPES[fmt]
    field, rest = (codes >> m) & (2**e - 1), codes & (2**m - 1)
    with np.errstate(all="ignore"):
        value = (-1.0) ** (codes >> 7) * 2.0 ** (field - np.uint8(bias)) * (1 + rest / 2**m)
        return value.astype(np.float32)


@wrong("one-bias", "You used the bias 7 for both formats: E5M2's is 15.")
def one_bias(codes, fmt):
    value = by_fields(codes, fmt)
    return (value * np.float32(2.0**8) if fmt == "e5m2" else value).astype(np.float32)


@wrong("formats-swapped", "You read E4M3 as E5M2 and the other way round.")
def formats_swapped(codes, fmt):
    return by_fields(codes, "e5m2" if fmt == "e4m3" else "e4m3")


@wrong("e4m3-only", "You read E5M2 with E4M3's fields: it has 5 exponent and 2 mantissa bits.")
def e4m3_only(codes, fmt):
    return by_fields(codes, "e4m3")


@wrong("sign-dropped", "You dropped the sign bit: codes from 0x80 on are negative.")
def sign_dropped(codes, fmt):
    return np.abs(by_fields(codes, fmt))


@wrong(
    "twos-complement",
    "You read the code as a two's complement number: floats keep sign and magnitude apart.",
)
def twos_complement(codes, fmt):
    c = codes.astype(np.int32)
    magnitude = np.where(c >= 0x80, 256 - c, c).astype(np.uint8) & 0x7F
    return np.where(c >= 0x80, -by_fields(magnitude, fmt), by_fields(magnitude, fmt)).astype(
        np.float32
    )


@wrong("float64-returned", "You returned float64: the exercise asks for float32.")
def float64_returned(codes, fmt):
    return by_fields(codes, fmt).astype(np.float64)


@wrong("flattened", "You returned a flat array: keep the shape of the codes.")
def flattened(codes, fmt):
    return by_fields(codes, fmt).ravel()
