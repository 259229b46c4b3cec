"""Answers to triton-saturating-add."""

from autograder.checks.bank import right, wrong
from lab.triton_setup import use_triton

triton, tl = use_triton()


@right("widened to int32, clipped by minimum and maximum")
@triton.jit
def by_int32(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -128), 127).to(tl.int8), mask=inside)


@right("int16 and two where, no other")
@triton.jit
def by_where(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK) + BLOCK * tl.program_id(axis=0)
    total = tl.load(x_ptr + at, at < n).to(tl.int16) + tl.load(y_ptr + at, at < n).to(tl.int16)
    total = tl.where(total > 127, 127, total)
    total = tl.where(total < -128, -128, total)
    tl.store(out_ptr + at, total.to(tl.int8), at < n)


@right("float32 and clamp, pointers moved first")
@triton.jit
def by_float(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    start = tl.program_id(0) * BLOCK
    lanes = tl.arange(0, BLOCK)
    inside = start + lanes < n
    x = tl.load(x_ptr + start + lanes, mask=inside, other=0).to(tl.float32)
    y = tl.load(y_ptr + start + lanes, mask=inside, other=0).to(tl.float32)
    total = tl.clamp(x + y, -128.0, 127.0)
    tl.store(out_ptr + start + lanes, total.to(tl.int8), mask=inside)


@wrong("int8-overflow", "Your sum is INT8 and wraps around: widen before the sum, not after.")
@triton.jit
def wraps(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0)
    y = tl.load(y_ptr + lanes, mask=inside, other=0)
    tl.store(out_ptr + lanes, x + y, mask=inside)


@wrong("widened-too-late", "You widened the sum; it had wrapped around by then.")
@triton.jit
def late(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0)
    y = tl.load(y_ptr + lanes, mask=inside, other=0)
    total = (x + y).to(tl.int32)
    total = tl.minimum(tl.maximum(total, -128), 127)
    tl.store(out_ptr + lanes, total.to(tl.int8), mask=inside & (total < 1000))


@wrong("narrow-range", "You clip to -127: the range of the result is -128 to 127.")
@triton.jit
def narrow(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -127), 127).to(tl.int8), mask=inside)


@wrong("clips-above-only", "You clip at 127 and forget -128: negative sums wrap around.")
@triton.jit
def above(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(x + y, 127).to(tl.int8), mask=inside)


@wrong(
    "loads-without-a-mask",
    "Your loads have no mask: lanes past n read outside the inputs, although their sums are thrown away.",
)
@triton.jit
def hasty(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + lanes).to(tl.int32)
    y = tl.load(y_ptr + lanes).to(tl.int32)
    total = tl.minimum(tl.maximum(x + y, -128), 127)
    tl.store(out_ptr + lanes, total.to(tl.int8), mask=lanes < n)


@wrong(
    "store-without-a-mask", "Your store has no mask: the last program writes past the end of out."
)
@triton.jit
def careless(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -128), 127).to(tl.int8))


@wrong("off-by-one-mask", "Your mask is lanes <= n: element n does not exist.")
@triton.jit
def one_more(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes <= n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -128), 127).to(tl.int8), mask=inside)


@wrong("last-element-left-out", "Your mask is lanes < n - 1: the last element is never written.")
@triton.jit
def one_less(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n - 1
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -128), 127).to(tl.int8), mask=inside)


@wrong("program-left-out", "Your lanes start at 0 in every program: add program_id * BLOCK.")
@triton.jit
def first_block(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -128), 127).to(tl.int8), mask=inside)


@wrong("not-a-kernel", "Keep the line @triton.jit: without it this is a Python function.")
def no_decorator(x_ptr, y_ptr, out_ptr, n, BLOCK):
    return x_ptr


@wrong("masked-by-the-block", "Your mask compares with BLOCK; it must compare with n.")
@triton.jit
def block_mask(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < BLOCK
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    tl.store(out_ptr + lanes, tl.minimum(tl.maximum(x + y, -128), 127).to(tl.int8), mask=inside)


@wrong("every-program-does-all", "Each program does every element: program p does its BLOCK only.")
@triton.jit
def all_by_each(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    for start in range(0, n, BLOCK):
        lanes = start + tl.arange(0, BLOCK)
        inside = lanes < n
        x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
        y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
        total = tl.minimum(tl.maximum(x + y, -128), 127)
        tl.store(out_ptr + lanes, total.to(tl.int8), mask=inside)


@wrong(
    "lanes-apart",
    "Your lanes are num_programs apart: every lane has a sector to itself. Program p does neighbours.",
)
@triton.jit
def lanes_apart(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) + tl.num_programs(0) * tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    total = tl.minimum(tl.maximum(x + y, -128), 127)
    tl.store(out_ptr + lanes, total.to(tl.int8), mask=inside)
