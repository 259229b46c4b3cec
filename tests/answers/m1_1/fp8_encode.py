"""Answers to fp8-encode."""

import numpy as np

from autograder.checks.bank import right, wrong

SHAPES = {"e4m3": (3, 7, 0x7E), "e5m2": (2, 15, 0x7B)}


def _arithmetic(x, fmt, saturate=True, rounding=np.rint, zero_exponent=-99):
    m, bias, largest = SHAPES[fmt]
    a = np.abs(x.astype(np.float64))
    a = np.where(np.isfinite(a), a, 2.0**20)
    exponent = np.where(a > 0, np.frexp(a)[1] - 1, zero_exponent)  # frexp gives 0 for 0.0
    exponent = np.maximum(exponent, 1 - bias)
    codes = (exponent + bias - 1) * 2**m + rounding(np.ldexp(a, m - exponent)).astype(np.int64)
    over = 0x7F if fmt == "e4m3" else 0x7C
    codes = np.where(codes > largest, largest if saturate else over, codes)
    codes = np.where(np.isnan(x), 0x7F, codes)
    return (codes | np.where(np.signbit(x), 0x80, 0)).astype(np.uint8)


@right("the step of the binade and rint")
def by_step(x, fmt, saturate=True):
    return _arithmetic(x, fmt, saturate)


def _table(fmt):
    m, bias, largest = SHAPES[fmt]
    code = np.arange(largest + 2)  # one beyond the largest, so that overflow is seen after rounding
    field, rest = code >> m, code & (2**m - 1)
    return np.where(field == 0, rest, rest + 2**m) * 2.0 ** (np.maximum(field, 1) - bias - m)


@right("nearest in a sorted table, ties to the even code")
def by_table(x, fmt, saturate=True):
    m, bias, largest = SHAPES[fmt]
    table = _table(fmt)
    a = np.abs(x.astype(np.float64)).ravel()
    low = np.clip(np.searchsorted(table, a, side="right") - 1, 0, largest)
    down, up = a - table[low], table[low + 1] - a
    take_up = (up < down) | ((up == down) & (low % 2 == 1))
    codes = low + take_up
    over = codes > largest
    codes[over] = largest if saturate else (0x7F if fmt == "e4m3" else 0x7C)
    codes[np.isnan(a)] = 0x7F
    codes = codes + 128 * np.signbit(x).ravel()
    return codes.astype(np.uint8).reshape(x.shape)


@right("bits of float32, carry trick, subnormals by adding a magic number")
def by_bits(x, fmt, saturate=True):
    m, bias, largest = SHAPES[fmt]
    bits = np.ascontiguousarray(x).view(np.uint32)
    a = bits & np.uint32(0x7FFFFFFF)
    drop = 23 - m
    even = (a >> drop) & 1
    normal = (a.astype(np.int64) + (1 << (drop - 1)) - 1 + even) >> drop
    normal = normal - ((127 - bias) << m)
    # Adding 2**(1 - bias - m + 23) leaves the subnormal code in the lowest bits, rounded to even.
    magic = np.float32(2.0 ** (24 - bias - m))
    with np.errstate(all="ignore"):
        small = (a.view(np.float32) + magic).view(np.uint32).astype(np.int64) - int(
            magic.view(np.uint32)
        )
    codes = np.where(a.view(np.float32) < 2.0 ** (1 - bias), small, normal)
    codes = np.where(
        codes > largest, largest if saturate else (127 if fmt == "e4m3" else 124), codes
    )
    codes = np.where(a > 0x7F800000, 127, codes)
    return (codes + ((bits >> 31).astype(np.int64) << 7)).astype(np.uint8)


@right("ml_dtypes, saturated afterwards")
def by_ml_dtypes(x, fmt, saturate=True):
    import ml_dtypes

    dtype = ml_dtypes.float8_e4m3fn if fmt == "e4m3" else ml_dtypes.float8_e5m2
    if saturate:
        top = np.float32(448 if fmt == "e4m3" else 57344)
        x = np.clip(x, -top, top)
    with np.errstate(all="ignore"):
        return x.astype(dtype).view(np.uint8)


@wrong(
    "compared-before-rounding",
    "You compared with the largest value before rounding: what rounds down to it has not overflowed.",
)
def compared_before_rounding(x, fmt, saturate=True):
    top = 448 if fmt == "e4m3" else 57344
    over = (0x7F if fmt == "e4m3" else 0x7C) | np.where(np.signbit(x), 0x80, 0)
    codes = by_step(x, fmt, saturate)
    return np.where((np.abs(x) > top) & (not saturate), over, codes).astype(np.uint8)


@wrong("truncated", "You rounded toward zero: take the nearer neighbour.")
def truncated(x, fmt, saturate=True):
    return _arithmetic(x, fmt, saturate, rounding=np.floor)


@wrong("half-away", "You rounded ties away from zero: at exactly halfway take the even code.")
def half_away(x, fmt, saturate=True):
    return _arithmetic(x, fmt, saturate, rounding=lambda v: np.floor(v + 0.5))


@wrong("half-down", "You rounded ties toward zero: at exactly halfway take the even code.")
def half_down(x, fmt, saturate=True):
    return _arithmetic(x, fmt, saturate, rounding=lambda v: np.ceil(v - 0.5))


@wrong("always-up", "You rounded away from zero every time: the nearer neighbour may be below.")
def always_up(x, fmt, saturate=True):
    return _arithmetic(x, fmt, saturate, rounding=np.ceil)


@wrong(
    "nearest-first-of-two",
    "You kept the first of the nearest values: at a tie that is the lower code, not the even one.",
)
def nearest_first(x, fmt, saturate=True):
    m, bias, largest = SHAPES[fmt]
    table = _table(fmt)[: largest + 1]
    a = np.abs(x.astype(np.float64))
    flat = np.nan_to_num(a.ravel(), nan=0.0, posinf=1e30)
    codes = np.array([np.argmin(np.abs(table - v)) for v in flat], np.int64).reshape(x.shape)
    beyond = a > (464 if fmt == "e4m3" else 61439.998)
    codes = np.where(beyond & (not saturate), 0x7F if fmt == "e4m3" else 0x7C, codes)
    codes = np.where(np.isnan(x), 0x7F, codes)
    return (codes | np.where(np.signbit(x), 0x80, 0)).astype(np.uint8)


@wrong(
    "through-float16",
    "You rounded to float16 first: rounding twice turns neighbours of a tie into ties.",
)
def through_float16(x, fmt, saturate=True):
    # Values beyond float16's range take the direct way, so that only the second rounding shows.
    with np.errstate(all="ignore"):
        half = x.astype(np.float16).astype(np.float32)
    inside = np.isfinite(half) & (np.abs(half) >= 2.0**-14) & (np.abs(x) < 400)
    return _arithmetic(np.where(inside, half, x).astype(np.float32), fmt, saturate)


@wrong(
    "subnormals-flushed",
    "You made zero of everything below the smallest normal value: subnormals reach further down.",
)
def subnormals_flushed(x, fmt, saturate=True):
    m, bias, _ = SHAPES[fmt]
    codes = by_step(x, fmt, saturate)
    return np.where((codes & 0x7F) < 2**m, codes & 0x80, codes).astype(np.uint8)


@wrong(
    "subnormal-step-halved",
    "Your subnormals use a step half as big: their exponent is 1 - bias, not -bias.",
)
def subnormal_step(x, fmt, saturate=True):
    m, bias, _ = SHAPES[fmt]
    small = np.abs(x) < 2.0 ** (1 - bias)
    steps = np.minimum(
        np.rint(np.where(small, np.abs(x), 0).astype(np.float64) * 2.0 ** (bias + m)), 2**m
    )
    codes = steps.astype(np.int64) | np.where(np.signbit(x), 0x80, 0)
    return np.where(small, codes, by_step(x, fmt, saturate)).astype(np.uint8)


@wrong(
    "infinity-kept",
    "You kept infinity with saturate=True: an infinite input is an overflow and gives the largest value.",
)
def infinity_kept(x, fmt, saturate=True):
    over = 0x7F if fmt == "e4m3" else 0x7C
    codes = np.where(
        np.isinf(x), over | np.where(np.signbit(x), 0x80, 0), by_step(x, fmt, saturate)
    )
    return codes.astype(np.uint8)


@wrong("never-saturates", "You ignored saturate=True: overflow must give the largest value then.")
def never_saturates(x, fmt, saturate=True):
    return by_step(x, fmt, False)


@wrong(
    "always-saturates",
    "You ignored saturate=False: overflow must give NaN in E4M3 and infinity in E5M2 then.",
)
def always_saturates(x, fmt, saturate=True):
    return by_step(x, fmt, True)


@wrong(
    "as-torch-does",
    "You did what torch's cast does, whatever saturate says: E4M3 saturates, E5M2 goes to infinity.",
)
def as_torch_does(x, fmt, saturate=True):
    return by_step(x, fmt, fmt == "e4m3")


@wrong(
    "e4m3-ends-at-240",
    "You kept E4M3's top exponent for infinity, as IEEE 754 would: it reaches 448.",
)
def ends_at_240(x, fmt, saturate=True):
    codes = by_step(x, fmt, saturate)
    if fmt == "e5m2":
        return codes
    magnitude = codes & 0x7F
    top = 0x77 if saturate else 0x78
    magnitude = np.where((magnitude >= 0x78) & ~np.isnan(x), top, magnitude)
    return (magnitude | (codes & 0x80)).astype(np.uint8)


@wrong(
    "carried-into-nan",
    "You let E4M3 round up into S.1111.111: that code is NaN, so saturate to 0x7e.",
)
def carried_into_nan(x, fmt, saturate=True):
    codes = by_step(x, fmt, saturate)
    slip = (fmt == "e4m3") & (np.abs(x) > 464)
    return np.where(slip, codes | 0x7F, codes).astype(np.uint8)


@wrong("nan-saturated", "You made the largest value of NaN: NaN stays NaN, saturating or not.")
def nan_saturated(x, fmt, saturate=True):
    codes = by_step(x, fmt, saturate)
    return np.where(np.isnan(x), SHAPES[fmt][2], codes).astype(np.uint8)


@wrong("nan-to-zero", "You made zero of NaN: NaN stays NaN.")
def nan_to_zero(x, fmt, saturate=True):
    return np.where(np.isnan(x), 0, by_step(x, fmt, saturate)).astype(np.uint8)


@wrong("zero-sign-lost", "You lost the sign of -0.0: its code is 0x80.")
def zero_sign_lost(x, fmt, saturate=True):
    return np.where(x == 0, 0, by_step(x, fmt, saturate)).astype(np.uint8)


@wrong(
    "underflow-sign-lost",
    "You lost the sign of small negatives that round to zero: they become -0, code 0x80.",
)
def underflow_sign_lost(x, fmt, saturate=True):
    codes = by_step(x, fmt, saturate)
    return np.where((codes == 0x80) & (x != 0), 0, codes).astype(np.uint8)


@wrong("sign-forgotten", "You left the sign out: bit 7 is set for negative inputs.")
def sign_forgotten(x, fmt, saturate=True):
    return by_step(np.abs(x), fmt, saturate)


@wrong("one-format", "You encoded everything as E4M3: fmt may be e5m2.")
def one_format(x, fmt, saturate=True):
    return by_step(x, "e4m3", saturate)


@wrong(
    "zero-as-one-binade",
    "np.frexp(0.0) gives the exponent 0, so your zero lands in a binade near 1: its code is 0x00.",
)
def zero_through_frexp(x, fmt, saturate=True):
    return _arithmetic(x, fmt, saturate, zero_exponent=-1)


@wrong(
    "int8-in-disguise",
    "You rounded to integers: FP8 codes are floats, their steps grow with the exponent.",
)
def int8_in_disguise(x, fmt, saturate=True):
    return np.clip(np.rint(np.nan_to_num(x)), -128, 127).astype(np.int8).view(np.uint8)


@wrong(
    "argmin-of-magnitudes",
    "You took the nearest value to abs(x): that loses the sign, and at a tie the first hit wins.",
)
def argmin_of_all(x, fmt, saturate=True):
    table = np.concatenate([_table(fmt)[:-1], -_table(fmt)[:-1]])
    flat = np.nan_to_num(np.abs(x.ravel().astype(np.float64)), posinf=1e30)
    codes = np.array([np.argmin(np.abs(table - v)) for v in flat], np.int64)
    return codes.astype(np.uint8).reshape(x.shape)


@wrong(
    "default-changed",
    "You made saturate=False the default: keep the signature, the encoder saturates unless told.",
)
def default_changed(x, fmt, saturate=False):
    return _arithmetic(x, fmt, saturate)
