"""Answers to triton-unpack-int4."""

from autograder.checks.bank import right, wrong
from lab.triton_setup import use_triton

triton, tl = use_triton()


@right("two stores, xor for the sign")
@triton.jit
def two_stores(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    low, high = 2 * lanes, 2 * lanes + 1
    packed = tl.load(packed_ptr + lanes, mask=low < n, other=0).to(tl.int32)
    s0 = tl.load(scale_ptr + low // GROUP, mask=low < n, other=0.0)
    s1 = tl.load(scale_ptr + high // GROUP, mask=high < n, other=0.0)
    tl.store(out_ptr + low, (((packed & 15) ^ 8) - 8).to(tl.float32) * s0, mask=low < n)
    tl.store(out_ptr + high, (((packed >> 4) ^ 8) - 8).to(tl.float32) * s1, mask=high < n)


@right("join, where for the sign")
@triton.jit
def joined(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    byte = tl.load(packed_ptr + lanes, mask=2 * lanes < n, other=0).to(tl.int32)
    nibbles = tl.join(byte & 15, byte >> 4)
    codes = tl.where(nibbles >= 8, nibbles - 16, nibbles)
    index = 2 * lanes[:, None] + tl.arange(0, 2)[None, :]
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, codes * scale, mask=index < n)


@right("one lane for each weight, each byte loaded twice")
@triton.jit
def by_weight(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    code = nibble - 16 * (nibble // 8)
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, code.to(tl.float32) * scale, mask=index < n)


@wrong("nibbles-swapped", "You gave the high nibble to the even weight; the low one comes first.")
@triton.jit
def swapped(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 - 4 * (index % 2))) & 15
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, ((nibble ^ 8) - 8).to(tl.float32) * scale, mask=index < n)


@wrong("unsigned-nibbles", "You left the nibbles at 0 to 15: 8 to 15 stand for -8 to -1.")
@triton.jit
def unsigned(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, nibble.to(tl.float32) * scale, mask=index < n)


@wrong(
    "offset-of-8",
    "You subtracted 8: that is an offset code. Two's complement takes 16 off from 8 on.",
)
@triton.jit
def offset(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, (nibble - 8).to(tl.float32) * scale, mask=index < n)


@wrong("sign-of-7", "You take 7 for negative: 7 is the largest positive code, -8 begins at 8.")
@triton.jit
def seven(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    code = tl.where(nibble >= 7, nibble - 16, nibble)
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, code.to(tl.float32) * scale, mask=index < n)


@wrong("sign-and-magnitude", "You read bit 3 as a minus sign; the codes are two's complement.")
@triton.jit
def magnitude(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    code = tl.where(nibble >= 8, -(nibble & 7), nibble)
    scale = tl.load(scale_ptr + index // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, code.to(tl.float32) * scale, mask=index < n)


@wrong(
    "a-scale-for-each-byte-group", "You divided the byte's number by GROUP; a group counts weights."
)
@triton.jit
def byte_groups(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    scale = tl.load(scale_ptr + (index // 2) // GROUP, mask=index < n, other=0.0)
    tl.store(out_ptr + index, ((nibble ^ 8) - 8).to(tl.float32) * scale, mask=index < n)


@wrong(
    "one-scale-for-both-nibbles",
    "You use the low weight's scale for the high one too; a group may end inside a byte.",
)
@triton.jit
def shared_scale(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    low, high = 2 * lanes, 2 * lanes + 1
    packed = tl.load(packed_ptr + lanes, mask=low < n, other=0).to(tl.int32)
    s = tl.load(scale_ptr + low // GROUP, mask=low < n, other=0.0)
    tl.store(out_ptr + low, (((packed & 15) ^ 8) - 8).to(tl.float32) * s, mask=low < n)
    tl.store(out_ptr + high, (((packed >> 4) ^ 8) - 8).to(tl.float32) * s, mask=high < n)


@wrong(
    "padding-written", "With an odd number of weights you write the padding nibble past the end."
)
@triton.jit
def padding(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    low, high = 2 * lanes, 2 * lanes + 1
    packed = tl.load(packed_ptr + lanes, mask=low < n, other=0).to(tl.int32)
    s0 = tl.load(scale_ptr + low // GROUP, mask=low < n, other=0.0)
    s1 = tl.load(scale_ptr + high // GROUP, mask=high < n, other=0.0)
    tl.store(out_ptr + low, (((packed & 15) ^ 8) - 8).to(tl.float32) * s0, mask=low < n)
    tl.store(out_ptr + high, (((packed >> 4) ^ 8) - 8).to(tl.float32) * s1, mask=low < n)


@wrong(
    "scales-read-outside",
    "You load scales without a mask: the last program reads past the end of them.",
)
@triton.jit
def scales_outside(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    scale = tl.load(scale_ptr + index // GROUP)
    tl.store(out_ptr + index, ((nibble ^ 8) - 8).to(tl.float32) * scale, mask=index < n)


@wrong(
    "halves-apart",
    "You wrote all low nibbles, then all high ones; the two of a byte are neighbours.",
)
@triton.jit
def halves(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    size = (n + 1) // 2
    packed = tl.load(packed_ptr + lanes, mask=lanes < size, other=0).to(tl.int32)
    high = lanes + size
    s0 = tl.load(scale_ptr + lanes // GROUP, mask=lanes < size, other=0.0)
    s1 = tl.load(scale_ptr + high // GROUP, mask=high < n, other=0.0)
    tl.store(out_ptr + lanes, (((packed & 15) ^ 8) - 8).to(tl.float32) * s0, mask=lanes < size)
    tl.store(out_ptr + high, (((packed >> 4) ^ 8) - 8).to(tl.float32) * s1, mask=high < n)


@wrong("scale-forgotten", "You return the codes; multiply each by its group's scale.")
@triton.jit
def unscaled(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * (2 * BLOCK) + tl.arange(0, 2 * BLOCK)
    byte = tl.load(packed_ptr + index // 2, mask=index < n, other=0).to(tl.int32)
    nibble = (byte >> (4 * (index % 2))) & 15
    tl.store(out_ptr + index, ((nibble ^ 8) - 8).to(tl.float32), mask=index < n)
