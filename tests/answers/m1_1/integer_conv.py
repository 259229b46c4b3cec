"""Answers to integer-conv."""

import numpy as np

from autograder.checks.bank import right, wrong


def _padded(x, padding, value=0):
    return np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2), constant_values=value)


def _windows(x, kernel, stride, stride_w=None):
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
    return view[:, :, ::stride, :: stride_w or stride]


def _sums(x, w, stride, **dtype):
    windows = _windows(x, w.shape[2:], stride)
    return np.einsum("nchwij,ocij->nohw", windows, w, **dtype)


def _with_bias(sums, bias):
    return (sums.astype(np.int64) + bias[None, :, None, None]).astype(np.int32)


def _wide(x_q, x_zero_point):
    return x_q.astype(np.int64) - x_zero_point


@right("windows and einsum, int32")
def by_windows(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(x_q.astype(np.int32) - x_zero_point, padding)
    return _sums(x, w_q.astype(np.int32), stride) + bias[:, None, None]


@right("the codes padded with the zero-point, kernel position by kernel position")
def by_positions(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(x_q, padding, x_zero_point).astype(np.int64) - x_zero_point
    n, c, h, w = x.shape
    o, _, kh, kw = w_q.shape
    oh, ow = (h - kh) // stride + 1, (w - kw) // stride + 1
    acc = np.zeros((n, o, oh, ow), np.int64) + bias[:, None, None]
    for i in range(kh):
        for j in range(kw):
            part = x[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride]
            acc += np.einsum("nchw,oc->nohw", part, w_q[:, :, i, j].astype(np.int64))
    return acc.astype(np.int32)


@right("scipy.signal.correlate, channel by channel")
def by_scipy(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    from scipy.signal import correlate

    x = _padded(_wide(x_q, x_zero_point), padding)
    out = []
    for image in x:
        maps = [
            correlate(image, kernel.astype(np.int64), mode="valid", method="direct")[0]
            for kernel in w_q
        ]
        out.append(np.stack(maps)[:, ::stride, ::stride] + bias[:, None, None])
    return np.stack(out).astype(np.int32)


@right("unfolded to one matrix product, zero-point through the weights' sums")
def by_unfold(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    import torch

    x = torch.from_numpy(_padded(x_q, padding, x_zero_point).astype(np.float64))
    o = w_q.shape[0]
    columns = torch.nn.functional.unfold(x, w_q.shape[2:], stride=stride)
    w = torch.from_numpy(w_q.reshape(o, -1).astype(np.float64))
    acc = (w @ columns).numpy().astype(np.int64)
    acc = acc + (bias - x_zero_point * w_q.reshape(o, -1).sum(1, dtype=np.int64))[:, None]
    oh = (x.shape[2] - w_q.shape[2]) // stride + 1
    return acc.reshape(len(x_q), o, oh, -1).astype(np.int32)


@wrong(
    "padded-with-code-0",
    "You pad the codes with 0 and subtract the zero-point after: pad with x_zero_point, the real 0.",
)
def padded_with_code_0(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _wide(_padded(x_q, padding), x_zero_point)
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong(
    "padded-twice-shifted",
    "You subtract the zero-point and then pad with it: after the subtraction the real 0 is 0.",
)
def padded_twice_shifted(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point), padding, x_zero_point)
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong(
    "padded-with-code-minus-128",
    "You pad with the code -128, which is the real 0 behind a ReLU only: pad with x_zero_point.",
)
def padded_with_lowest(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point), padding, -128 - x_zero_point)
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong(
    "height-width-swapped",
    "Your output has height and width swapped: OH comes from H and KH, and stands before OW.",
)
def height_width_swapped(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point), padding)
    sums = _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)
    return sums.transpose(0, 1, 3, 2).copy()


@wrong(
    "zero-point-magnitude",
    "You subtract the magnitude of x_zero_point; subtract it with its sign.",
)
def zero_point_magnitude(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, abs(x_zero_point)), padding)
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong("padded-with-edge", "You repeat the border pixels; pad with the real value 0.")
def padded_with_edge(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = np.pad(_wide(x_q, x_zero_point), ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2), "edge")
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong("zero-point-ignored", "You use the codes as they are: subtract x_zero_point from x_q first.")
def zero_point_ignored(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(x_q.astype(np.int64), padding)
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong("zero-point-added", "You add x_zero_point; the real value is scale * (x_q - x_zero_point).")
def zero_point_added(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, -x_zero_point), padding)
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong(
    "int8-subtraction",
    "x_q - x_zero_point stays int8 and wraps: it needs 9 bits, so widen x_q first.",
)
def int8_subtraction(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    with np.errstate(all="ignore"):
        x = _padded(x_q - np.int8(x_zero_point), padding)
    return _with_bias(_sums(x.astype(np.int64), w_q.astype(np.int64), stride), bias)


@wrong("int8-products", "int8 times int8 stays int8 in NumPy and wraps: widen both to int32 first.")
def int8_products(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point).astype(np.int8), padding)
    return _with_bias(_sums(x, w_q, stride), bias)


@wrong("int16-sums", "Your sums are int16: they wrap after a few products; use int32.")
def int16_sums(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point).astype(np.int16), padding)
    return _with_bias(_sums(x, w_q.astype(np.int16), stride), bias)


@wrong("float32-sums", "Your sums are float32: beyond 2**24 they lose the last bits; use int32.")
def float32_sums(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    import torch

    x = torch.from_numpy(_wide(x_q, x_zero_point).astype(np.float32))
    w, b = (torch.from_numpy(a.astype(np.float32)) for a in (w_q, bias))
    return torch.nn.functional.conv2d(x, w, b, stride, padding).numpy().astype(np.int32)


@wrong(
    "kernel-flipped",
    "You flip the kernel (mathematical convolution); networks use cross-correlation, unflipped.",
)
def kernel_flipped(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point), padding)
    return _with_bias(_sums(x, w_q[:, :, ::-1, ::-1].astype(np.int64), stride), bias)


@wrong("kernel-transposed", "You swap the kernel's rows and columns.")
def kernel_transposed(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _padded(_wide(x_q, x_zero_point), padding)
    w = w_q.swapaxes(2, 3).astype(np.int64)
    return _with_bias(_sums(x, w, stride), bias)


@wrong("bias-forgotten", "You leave the bias out: add bias[o] to every sum of channel o.")
def bias_forgotten(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, 0 * bias, x_zero_point, stride, padding)


@wrong("bias-per-channel-in", "You add the bias once for each input channel; add it once.")
def bias_many_times(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, x_q.shape[1] * bias, x_zero_point, stride, padding)


@wrong("first-channel-only", "You convolve the first input channel alone; sum over all of them.")
def first_channel_only(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q[:, :1], w_q[:, :1], bias, x_zero_point, stride, padding)


@wrong("stride-ignored", "You ignore the stride: the output keeps every position.")
def stride_ignored(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, bias, x_zero_point, 1, padding)


@wrong("stride-on-rows-only", "You stride over the rows but not over the columns.")
def stride_on_rows(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, bias, x_zero_point, 1, padding)[:, :, ::stride]


@wrong("stride-offset", "You start the strided windows at stride - 1; the first one starts at 0.")
def stride_offset(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    full = by_windows(x_q, w_q, bias, x_zero_point, 1, padding)
    return full[:, :, stride - 1 :: stride, stride - 1 :: stride]


@wrong("padding-ignored", "You ignore padding.")
def padding_ignored(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, bias, x_zero_point, stride, 0)


@wrong("padding-from-kernel", "You pad by half the kernel; pad by `padding`, whatever the kernel.")
def padding_from_kernel(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, bias, x_zero_point, stride, padding and w_q.shape[2] // 2)


@wrong("padded-on-one-side", "You pad after the last row and column only; pad all four sides.")
def padded_on_one_side(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    x = _wide(x_q, x_zero_point)
    x = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    return _with_bias(_sums(x, w_q.astype(np.int64), stride), bias)


@wrong("int64-result", "You return int64: the accumulators are int32.")
def int64_result(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    return by_windows(x_q, w_q, bias, x_zero_point, stride, padding).astype(np.int64)


@wrong("clipped-to-int8", "You clip the sums to int8; return them as int32, without a multiplier.")
def clipped(x_q, w_q, bias, x_zero_point, stride=1, padding=0):
    sums = by_windows(x_q, w_q, bias, x_zero_point, stride, padding)
    return np.clip(sums, -128, 127).astype(np.int32)
