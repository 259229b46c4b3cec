"""Answers to integer-linear."""

import numpy as np

from autograder.checks.bank import right, wrong


def _sums(x_q, w_q, bias, x_zero_point):
    x = x_q.astype(np.int64) - x_zero_point
    return x @ w_q.astype(np.int64).T + bias


def _scaled(acc, m0, shift):
    n = 31 + shift.astype(np.int64)
    return (acc.astype(np.int64) * m0.astype(np.int64) + (np.int64(1) << (n - 1))) >> n


def _finish(value, zero_point, low=-128):
    return np.clip(value + zero_point, low, 127).astype(np.int8)


@right("int32 sums, int64 product")
def by_int32(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    x = x_q.astype(np.int32) - x_zero_point
    acc = x @ w_q.astype(np.int32).T + bias
    n = 31 + shift.astype(np.int64)
    y = (acc.astype(np.int64) * m0 + (np.int64(1) << (n - 1))) >> n
    return np.clip(y + y_zero_point, -128, 127).astype(np.int8)


@right("zero-point taken out through the row sums of w (Jacob et al. 2018, section 2.3)")
def by_row_sums(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    raw = np.einsum("nk,ok->no", x_q, w_q, dtype=np.int64)
    offset = bias.astype(np.int64) - x_zero_point * w_q.sum(axis=1, dtype=np.int64)
    return _finish(_scaled(raw + offset, m0, shift), y_zero_point)


@right("torch")
def by_torch(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    import torch

    x, w, b, m, s = (torch.from_numpy(a.astype(np.int64)) for a in (x_q, w_q, bias, m0, shift))
    product = ((x - x_zero_point) @ w.T + b) * m
    n = 31 + s
    y = (product + torch.ones_like(n).bitwise_left_shift(n - 1)).bitwise_right_shift(n)
    return (y + y_zero_point).clamp(-128, 127).to(torch.int8).numpy()


@right("channel by channel, sums in float64 that are exact, Python's integers after that")
def by_channels(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    out = np.zeros((x_q.shape[0], w_q.shape[0]), np.int8)
    x = x_q.astype(np.float64) - x_zero_point
    for o in range(w_q.shape[0]):
        for r, total in enumerate(x @ w_q[o].astype(np.float64)):
            n = 31 + int(shift[o])
            y = (2 * (int(total) + int(bias[o])) * int(m0[o]) + 2**n) // 2 ** (n + 1)
            out[r, o] = max(-128, min(127, y + y_zero_point))
    return out


@wrong(
    "zero-point-ignored",
    "You multiply the codes as they are: subtract x_zero_point from x_q first.",
)
def zero_point_ignored(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _finish(_scaled(_sums(x_q, w_q, bias, 0), m0, shift), y_zero_point)


@wrong("zero-point-added", "You add x_zero_point; the real value is scale * (x_q - x_zero_point).")
def zero_point_added(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _finish(_scaled(_sums(x_q, w_q, bias, -x_zero_point), m0, shift), y_zero_point)


@wrong(
    "int8-subtraction",
    "x_q - x_zero_point stays int8 and wraps: it needs 9 bits, so widen x_q first.",
)
def int8_subtraction(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    with np.errstate(all="ignore"):
        x = x_q - np.int8(x_zero_point)
    return _finish(_scaled(_sums(x, w_q, bias, 0), m0, shift), y_zero_point)


@wrong("clipped-subtraction", "You clip x_q - x_zero_point to int8; it needs 9 bits, keep them.")
def clipped_subtraction(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    x = np.clip(x_q.astype(int) - x_zero_point, -128, 127)
    return _finish(_scaled(_sums(x, w_q, bias, 0), m0, shift), y_zero_point)


@wrong("int8-products", "int8 times int8 stays int8 in NumPy and wraps: widen both to int32 first.")
def int8_products(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    with np.errstate(all="ignore"):
        acc = (x_q - np.int8(x_zero_point)) @ w_q.T
    return _finish(_scaled(acc.astype(np.int64) + bias, m0, shift), y_zero_point)


@wrong("int16-sums", "Your sums are int16: they wrap after a few products; use int32.")
def int16_sums(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = (x_q.astype(np.int16) - np.int16(x_zero_point)) @ w_q.astype(np.int16).T
    return _finish(_scaled(acc.astype(np.int64) + bias, m0, shift), y_zero_point)


@wrong("float32-sums", "Your sums are float32: beyond 2**24 they lose the last bits; use int32.")
def float32_sums(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = (x_q.astype(np.float32) - x_zero_point) @ w_q.astype(np.float32).T
    acc = acc + bias.astype(np.float32)
    return _finish(_scaled(acc.astype(np.int64), m0, shift), y_zero_point)


@wrong(
    "float64-product",
    "You scale the sums in float64: its 53 bits cannot hold the 62-bit product, use int64.",
)
def float64_product(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point)
    return _finish(np.floor(acc * (m0 * 2.0 ** -(31.0 + shift)) + 0.5), y_zero_point)


@wrong(
    "half-to-even", "np.round goes half to even; adding 2**(n-1) before the shift rounds half up."
)
def half_to_even(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point)
    return _finish(np.round(acc * (m0 * 2.0 ** -(31.0 + shift))), y_zero_point)


@wrong("half-away-from-zero", "You round half-way sums away from zero; here they go up.")
def half_away(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point)
    return _finish(np.sign(acc) * _scaled(np.abs(acc), m0, shift), y_zero_point)


@wrong("rounds-twice", "You round after 31 places and again after the shift; round once.")
def rounds_twice(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point)
    high = (acc * m0.astype(np.int64) + (1 << 30)) >> 31
    s = shift.astype(np.int64)
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    return _finish((high + half) >> s, y_zero_point)


@wrong("int32-product", "acc * m0 wraps in int32: widen acc to int64 before multiplying.")
def int32_product(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    with np.errstate(all="ignore"):
        product = _sums(x_q, w_q, bias, x_zero_point).astype(np.int32) * m0
    n = 31 + shift.astype(np.int64)
    return _finish((product.astype(np.int64) + (np.int64(1) << (n - 1))) >> n, y_zero_point)


@wrong(
    "half-step-in-int32",
    "1 << (n - 1) of an int32 array stays int32 and wraps: shift np.int64(1) by an int64 n.",
)
def half_step_in_int32(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    product = _sums(x_q, w_q, bias, x_zero_point) * m0.astype(np.int64)
    half = np.int32(1) << (30 + shift)
    return _finish((product + half) >> (31 + shift).astype(np.int64), y_zero_point)


@wrong(
    "all-in-int32",
    "acc * m0 and 1 << (n - 1) stay int32 and wrap: convert acc and shift to int64 first.",
)
def all_in_int32(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point).astype(np.int32)
    y = (acc * m0 + (1 << (30 + shift))) >> (31 + shift)
    return _finish(y, y_zero_point)


@wrong("no-rounding", "You shift without adding 2**(n-1), which rounds down; round half up.")
def no_rounding(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point) * m0.astype(np.int64)
    return _finish(acc >> (31 + shift.astype(np.int64)), y_zero_point)


@wrong("bias-forgotten", "You leave the bias out: add it to the int32 sums.")
def bias_forgotten(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _finish(_scaled(_sums(x_q, w_q, 0, x_zero_point), m0, shift), y_zero_point)


@wrong(
    "bias-after",
    "You add the bias after the multiplier; it has the scale of the sums, so add it before.",
)
def bias_after(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _finish(_scaled(_sums(x_q, w_q, 0, x_zero_point), m0, shift) + bias, y_zero_point)


@wrong("first-channel", "You use the first multiplier for every channel; there is one for each.")
def first_channel(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point)
    return _finish(_scaled(acc, m0[:1], shift[:1]), y_zero_point)


@wrong("first-shift", "You use the first channel's shift for all; each channel has its own.")
def first_shift(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _finish(_scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift[:1]), y_zero_point)


@wrong(
    "weights-reshaped",
    "w_q has a row for each output: w_q.T turns it, reshape(K, O) mixes the rows up.",
)
def weights_reshaped(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = (x_q.astype(np.int64) - x_zero_point) @ w_q.reshape(w_q.shape[::-1]).astype(
        np.int64
    ) + bias
    return _finish(_scaled(acc, m0, shift), y_zero_point)


@wrong("multiplier-per-row", "You apply the multipliers to rows; they belong to output channels.")
def multiplier_per_row(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point)
    rows = np.resize(m0, len(acc))[:, None], np.resize(shift, len(acc))[:, None]
    return _finish(_scaled(acc, *rows), y_zero_point)


@wrong("output-zero-point-forgotten", "You leave y_zero_point out: add it after the shift.")
def output_zero_point_forgotten(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _finish(_scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift), 0)


@wrong("no-clip", "You do not clip: values outside -128..127 wrap around in int8.")
def no_clip(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    y = _scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift)
    return (y + y_zero_point).astype(np.int8)


@wrong("restricted-clip", "You clip to -127..127; the output here uses -128 too.")
def restricted_clip(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    y = _scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift)
    return _finish(y, y_zero_point, low=-127)


@wrong("clip-first", "You clip before adding y_zero_point, so the sum can leave int8 again.")
def clip_first(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    y = np.clip(_scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift), -128, 127)
    return (y + y_zero_point).astype(np.int8)


@wrong("clips-twice", "You clip before adding y_zero_point and after it; clip once, after it.")
def clips_twice(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    y = np.clip(_scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift), -128, 127)
    return _finish(y, y_zero_point)


@wrong(
    "relu-added",
    "You clip at y_zero_point, a ReLU on every layer; where one is wanted, -128 is the zero-point.",
)
def relu_added(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    y = _scaled(_sums(x_q, w_q, bias, x_zero_point), m0, shift)
    return _finish(np.maximum(y, 0), y_zero_point)


@wrong(
    "weights-shifted-too",
    "You subtract x_zero_point from the weights as well; they are symmetric, their zero-point is 0.",
)
def weights_shifted(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q.astype(np.int64) - x_zero_point, bias, x_zero_point)
    return _finish(_scaled(acc, m0, shift), y_zero_point)


@wrong(
    "int16-accumulator",
    "You add products and bias up in int16, where they wrap; the accumulator is int32.",
)
def int16_accumulator(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    acc = _sums(x_q, w_q, bias, x_zero_point).astype(np.int16)
    return _finish(_scaled(acc, m0, shift), y_zero_point)


@wrong("sums-returned", "You return the int32 sums: requantize them to int8.")
def sums_returned(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return _sums(x_q, w_q, bias, x_zero_point).astype(np.int32)
