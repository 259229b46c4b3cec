"""Answers to affine-dequantize."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("int32, then float32")
def by_int32(codes, scale, zero_point):
    return (codes.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)


@right("all in float32")
def by_float32(codes, scale, zero_point):
    return (codes.astype(np.float32) - zero_point) * np.float32(scale)


@right("a table of 256 values")
def by_table(codes, scale, zero_point):
    table = np.array([(q - zero_point) * scale for q in range(256)], dtype=np.float32)
    return table[codes]


@right("torch in float64")
def by_torch(codes, scale, zero_point):
    import torch

    t = torch.from_numpy(np.array(codes)).to(torch.float64)
    return ((t - zero_point) * scale).to(torch.float32).numpy()


@wrong(
    "uint8-wrap-around",
    "You subtracted in uint8, where 3 - 5 is 254: widen the codes first, for instance with "
    "codes.astype(np.int32).",
)
def wraps(codes, scale, zero_point):
    return (codes - np.uint8(zero_point)).astype(np.float32) * np.float32(scale)


@wrong(
    "int8-codes",
    "You read the codes as int8, so that 200 becomes -56; widen them to int16 or more.",
)
def int8_codes(codes, scale, zero_point):
    return (codes.astype(np.int8).astype(np.float32) - zero_point) * np.float32(scale)


@wrong(
    "difference-cast-to-int8",
    "You cast the difference to int8: differences beyond -128..127 wrap around. Use int16 or "
    "wider.",
)
def int8_difference(codes, scale, zero_point):
    difference = (codes.astype(np.int32) - zero_point).astype(np.int8)
    return difference.astype(np.float32) * np.float32(scale)


@wrong(
    "clipped-at-zero",
    "You clipped the difference at 0, so every negative value is lost; codes below the "
    "zero-point are negative numbers.",
)
def clipped(codes, scale, zero_point):
    return np.maximum(codes.astype(np.float32) - zero_point, 0) * np.float32(scale)


@wrong(
    "absolute-difference",
    "You took the absolute difference; codes below the zero-point stand for negative numbers.",
)
def absolute(codes, scale, zero_point):
    return np.abs(codes.astype(np.float32) - zero_point) * np.float32(scale)


@wrong(
    "zero-point-forgotten",
    "You left the zero-point out; code zero_point stands for the real number 0.",
)
def forgotten(codes, scale, zero_point):
    return codes.astype(np.float32) * np.float32(scale)


@wrong(
    "zero-point-added", "You added the zero-point; quantizing adds it, dequantizing subtracts it."
)
def added(codes, scale, zero_point):
    return (codes.astype(np.float32) + zero_point) * np.float32(scale)


@wrong(
    "zero-point-after-the-scale",
    "You subtracted the zero-point after multiplying; it is a code, so subtract it from the "
    "codes first.",
)
def after_scale(codes, scale, zero_point):
    return codes.astype(np.float32) * np.float32(scale) - np.float32(zero_point)


@wrong("sign-flipped", "You computed zero_point - codes: every value has the wrong sign.")
def flipped(codes, scale, zero_point):
    return (zero_point - codes.astype(np.float32)) * np.float32(scale)


@wrong(
    "divided-by-the-scale", "You divided by the scale; one code step is `scale` wide, so multiply."
)
def divided(codes, scale, zero_point):
    return (codes.astype(np.float32) - zero_point) / np.float32(scale)


@wrong(
    "two-products",
    "You multiplied before you subtracted: codes * scale and zero_point * scale round apart, "
    "and zero no longer comes back as exactly 0.",
)
def two_products(codes, scale, zero_point):
    return codes.astype(np.float32) * np.float32(scale) - np.float32(scale * zero_point)


@wrong("float64", "Your result is float64, twice the size; return float32.")
def float64(codes, scale, zero_point):
    return (codes.astype(np.float64) - zero_point) * scale


@wrong(
    "integer-result",
    "You rounded the result back to integers; real values are not whole numbers. Multiply in "
    "float32.",
)
def integers(codes, scale, zero_point):
    return ((codes.astype(np.int32) - zero_point) * scale).astype(np.int32)


@wrong(
    "float16-on-the-way",
    "You went through float16, which has 11 bits of precision; compute in float32.",
)
def float16(codes, scale, zero_point):
    return ((codes.astype(np.float16) - zero_point) * np.float16(scale)).astype(np.float32)


@wrong(
    "middle-of-the-range",
    "You subtracted 128 whatever zero_point says; use the zero_point that is given.",
)
def middle(codes, scale, zero_point):
    return (codes.astype(np.float32) - 128) * np.float32(scale)


@wrong(
    "half-a-step-off",
    "You added half a step, as if a code stood for the middle of a bin; here a code stands "
    "for (code - zero_point) * scale itself.",
)
def half_step(codes, scale, zero_point):
    return (codes.astype(np.float32) - zero_point + np.float32(0.5)) * np.float32(scale)


@wrong("flattened", "Your result came back flat; keep the shape of codes.")
def flattened(codes, scale, zero_point):
    return ((codes.astype(np.float32) - zero_point) * np.float32(scale)).ravel()
