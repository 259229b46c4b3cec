"""Answers to cuda-host."""

import numpy as np

from autograder.checks.bank import right, wrong
from lab import cuda


def _launch(kernel, flat, scale, zero_point, blocks=None, threads=256):
    codes = cuda.zeros(flat.size, np.int8)
    args = (cuda.asarray(flat), codes, np.float32(scale), np.int32(zero_point), np.int32(flat.size))
    kernel((blocks or -(-flat.size // threads),), (threads,), args)
    return cuda.asnumpy(codes)


@right("flat, launched, reshaped")
def by_ravel(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    return _launch(kernel, flat, scale, zero_point).reshape(x.shape)


@right("device arrays of x's shape, three-dimensional sizes")
def by_shape(kernel, x, scale, zero_point):
    device = cuda.asarray(np.array(x, dtype=np.float32, order="C"))
    codes = cuda.empty(x.shape, np.int8)
    if x.size > 0:
        args = (device, codes, np.float32(scale), np.int32(zero_point), np.int32(x.size))
        kernel(((x.size + 255) // 256, 1, 1), (256, 1, 1), args)
    return codes.get()


@wrong(
    "empty-grid", "An empty array launches a grid of 0 blocks, which is an error: return before."
)
def empty_grid(kernel, x, scale, zero_point):
    flat = np.ascontiguousarray(x, np.float32).ravel()
    codes = cuda.zeros(flat.size, np.int8)
    args = (cuda.asarray(flat), codes, np.float32(scale), np.int32(zero_point), np.int32(flat.size))
    kernel((-(-flat.size // 256),), (256,), args)
    return cuda.asnumpy(codes).reshape(x.shape)


@wrong(
    "empty-launched-once",
    "For an empty array nothing is to be launched, not one block for nothing.",
)
def at_least_one(kernel, x, scale, zero_point):
    flat = np.ascontiguousarray(x, np.float32).ravel()
    return _launch(kernel, flat, scale, zero_point, max(1, -(-flat.size // 256))).reshape(x.shape)


@wrong("memory-order", "You ravel by memory order: a transposed array comes back mixed up.")
def memory_order(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.asarray(x, np.float32).ravel(order="K")
    return _launch(kernel, flat, scale, zero_point).reshape(x.shape)


@wrong("flat-result", "The codes must have x's shape again.")
def flat_result(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    return _launch(kernel, np.ascontiguousarray(x, np.float32).ravel(), scale, zero_point)


@wrong("one-block-too-many", "x.size // 256 + 1 blocks are one too many for multiples of 256.")
def extra_block(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    return _launch(kernel, flat, scale, zero_point, flat.size // 256 + 1).reshape(x.shape)


@wrong("a-block-too-few", "x.size // 256 blocks leave the last elements undone: round up.")
def too_few(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    return _launch(kernel, flat, scale, zero_point, max(1, flat.size // 256)).reshape(x.shape)


@wrong(
    "as-many-blocks-as-elements", "That is a block for each element: 256 times too many threads."
)
def many_blocks(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    return _launch(kernel, flat, scale, zero_point, flat.size).reshape(x.shape)


@wrong("another-block-size", "The exercise asks for 256 threads a block.")
def blocks_of_128(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    return _launch(kernel, flat, scale, zero_point, threads=128).reshape(x.shape)


@wrong("float64-sent", "The kernel reads float32: float64 bytes are other numbers.")
def float64_sent(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    return _launch(kernel, np.ascontiguousarray(x).ravel(), scale, zero_point).reshape(x.shape)


@wrong(
    "left-on-the-device", "Copy the codes back with cuda.asnumpy: a device array is no NumPy array."
)
def on_device(kernel, x, scale, zero_point):
    codes = cuda.zeros(x.shape, np.int8)
    if x.size:
        flat = np.ascontiguousarray(x, np.float32)
        args = (
            cuda.asarray(flat),
            codes,
            np.float32(scale),
            np.int32(zero_point),
            np.int32(x.size),
        )
        kernel((-(-x.size // 256),), (256,), args)
    return codes


@wrong("launch-for-each-row", "One launch does the whole array; you launch once a row.")
def by_rows(kernel, x, scale, zero_point):
    rows = np.ascontiguousarray(x, np.float32).reshape(-1, x.shape[-1])
    codes = [_launch(kernel, row, scale, zero_point) for row in rows if row.size]
    return np.array(codes, np.int8).reshape(x.shape) if codes else np.zeros(x.shape, np.int8)


@wrong("quantized-on-the-host", "You quantized with NumPy: launch the kernel.")
def by_numpy(kernel, x, scale, zero_point):
    codes = np.rint(np.asarray(x, np.float32) / np.float32(scale)) + zero_point
    return np.clip(codes, -128, 127).astype(np.int8)


# Not to be recognised: every refused argument raises the same CudaError, whose sentence says which.
@wrong(
    "python-numbers",
    "Python numbers go over as 64-bit: pass np.float32(scale) and np.int32(n).",
    diagnose=False,
)
def python_numbers(kernel, x, scale, zero_point):
    if not x.size:
        return np.zeros(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    codes = cuda.zeros(flat.size, np.int8)
    kernel(
        (-(-flat.size // 256),), (256,), (cuda.asarray(flat), codes, scale, zero_point, flat.size)
    )
    return cuda.asnumpy(codes).reshape(x.shape)


@wrong(
    "numpy-beside-the-kernel",
    "You launch the kernel and then return NumPy's codes: return what the kernel wrote.",
)
def numpy_after_launch(kernel, x, scale, zero_point):
    if x.size:
        _launch(kernel, np.ascontiguousarray(x, np.float32).ravel(), scale, zero_point)
    return by_numpy(kernel, x, scale, zero_point)
