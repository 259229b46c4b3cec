"""Answers to triton-quantize-rows."""

from autograder.checks.bank import right, wrong
from lab.triton_setup import use_triton

triton, tl = use_triton()

from lab.triton_math import round_even  # noqa: E402


@right("division and round_even")
@triton.jit
def by_division(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@right("times 127 / amax, half to even by floor and parity")
@triton.jit
def by_parity(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    inside = lanes < cols
    x = tl.load(x_ptr + row * stride + lanes, mask=inside, other=0.0)
    amax = tl.max(tl.abs(x))
    y = x * tl.where(amax > 0, 127.0 / tl.where(amax > 0, amax, 1.0), 0.0)
    down = tl.floor(y)
    part = y - down
    odd = (down.to(tl.int32) & 1) == 1
    up = (part > 0.5) | ((part == 0.5) & odd)
    q = tl.minimum(tl.maximum(down + tl.where(up, 1.0, 0.0), -127.0), 127.0)
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=inside)
    tl.store(scale_ptr + row, amax / 127)


@right("amax from the two ends, masked lanes lifted out of the way")
@triton.jit
def by_ends(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    inside = lanes < cols
    x = tl.load(x_ptr + row * stride + lanes, mask=inside, other=float("-inf"))
    high = tl.max(x, axis=0)
    low = tl.min(tl.where(inside, x, float("inf")), axis=0)
    scale = tl.maximum(high, -low) / 127.0
    if scale > 0:
        q = round_even(tl.where(inside, x, 0.0) / scale)
    else:
        q = tl.zeros((BLOCK,), tl.float32)
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=inside)
    tl.store(scale_ptr + row, scale)


@wrong("truncated", "You narrowed without rounding: the cast to INT8 cuts the fraction off.")
@triton.jit
def truncated(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = x / tl.where(scale > 0, scale, 1.0)
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("floor-for-round", "You rounded down; round to nearest, half to even.")
@triton.jit
def floored(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = tl.floor(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("half-up", "You added 0.5 and rounded down: half goes up, not to the even neighbour.")
@triton.jit
def half_up(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = tl.floor(x / tl.where(scale > 0, scale, 1.0) + 0.5)
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("half-away-from-zero", "You round half away from zero; the exercise says half to even.")
@triton.jit
def half_away(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    ratio = x / tl.where(scale > 0, scale, 1.0)
    q = tl.where(ratio >= 0, ratio + 0.5, ratio - 0.5)
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("maximum-without-the-sign", "You took the maximum, not the maximum of |x|.")
@triton.jit
def plain_max(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(x, axis=0) / 127.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("divided-by-128", "Your scale is amax / 128: the largest value would be code 128.")
@triton.jit
def by_128(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 128.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    q = tl.minimum(tl.maximum(q, -128.0), 127.0)
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong(
    "stride-taken-for-cols", "You step from row to row by cols in x; its rows are `stride` apart."
)
@triton.jit
def no_stride(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * cols + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("codes-stored-by-stride", "You store q with the stride of x; q is contiguous, `cols` a row.")
@triton.jit
def q_by_stride(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * stride + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong(
    "neighbours-in-the-amax",
    "Without a mask on the load the amax takes in what lies after the row.",
)
@triton.jit
def no_mask(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("zero-row-scale-1", "A row of zeros has scale 0 in the result; divide by 1, but store 0.")
@triton.jit
def scale_one(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    scale = tl.where(scale > 0, scale, 1.0)
    tl.store(q_ptr + row * cols + lanes, round_even(x / scale).to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("a-floor-under-the-scale", "A small constant under the scale changes rows of small values.")
@triton.jit
def with_epsilon(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    scale = tl.maximum(tl.max(tl.abs(x), axis=0), 1e-3) / 127.0
    tl.store(q_ptr + row * cols + lanes, round_even(x / scale).to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)


@wrong("amax-stored", "You stored the amax; the scale is amax / 127.")
@triton.jit
def amax_stored(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols, other=0.0)
    amax = tl.max(tl.abs(x), axis=0)
    q = round_even(x / tl.where(amax > 0, amax / 127.0, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, amax)


@wrong(
    "other-left-out",
    "Without `other` a masked lane holds anything, and may win the reduction: other=0.0.",
)
@triton.jit
def no_other(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + lanes, mask=lanes < cols)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    q = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, q.to(tl.int8), mask=lanes < cols)
    tl.store(scale_ptr + row, scale)
