"""Answers to qlora-bytes."""

import math

from autograder.checks.bank import right, wrong


def _count(shape, block_size, outer_block, up=math.ceil, scale=4, mean=4, inner=1):
    n = math.prod(shape)
    codes, count = up(n / 2), up(n / block_size)
    if outer_block is None:
        scales = scale * count
    else:
        scales = inner * count + scale * up(count / outer_block) + mean
    return _answer(n, int(codes), int(scales))


def _answer(n, codes, scales, bits=None):
    total = codes + scales
    bits = 8 * total / n if bits is None else bits
    return {"codes": codes, "scales": scales, "total": total, "bits_per_parameter": bits}


@right("ceil")
def by_ceil(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, outer_block)


@right("integer division")
def by_integers(shape, block_size=64, outer_block=None):
    n = 1
    for size in shape:
        n *= size
    codes, count = (n + 1) // 2, (n + block_size - 1) // block_size
    if not outer_block:
        return _answer(n, codes, count * 4)
    return _answer(n, codes, count + 4 + 4 * ((count + outer_block - 1) // outer_block))


@right("divmod, with more keys")
def by_divmod(shape, block_size=64, outer_block=None):
    def up(a, b):
        whole, rest = divmod(a, b)
        return whole + bool(rest)

    n = math.prod(shape)
    scales = up(n, block_size)
    kept = 4 * scales if outer_block is None else scales + 4 * up(scales, outer_block) + 4
    return {**_answer(n, up(n, 2), kept), "count": scales}


@wrong("rounded-down", "You rounded down: a ragged end still needs its byte and its scale.")
def rounded_down(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, outer_block, up=math.floor)


@wrong("one-byte-a-code", "You counted a byte for each code; two fit into one.")
def byte_codes(shape, block_size=64, outer_block=None):
    n = math.prod(shape)
    return _answer(n, n, _count(shape, block_size, outer_block)["scales"])


@wrong("mean-forgotten", "You forgot the 4 bytes of the mean.")
def no_mean(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, outer_block, mean=0)


@wrong(
    "mean-for-each-outer-block", "You counted a mean for each outer block; there is one a tensor."
)
def many_means(shape, block_size=64, outer_block=None):
    n = math.prod(shape)
    count = math.ceil(n / block_size)
    if outer_block is None:
        return _count(shape, block_size, None)
    return _answer(n, math.ceil(n / 2), count + 8 * math.ceil(count / outer_block))


@wrong("outer-scales-forgotten", "You forgot the float32 scales of the outer blocks.")
def no_outer(shape, block_size=64, outer_block=None):
    n = math.prod(shape)
    if outer_block is None:
        return _count(shape, block_size, None)
    return _answer(n, math.ceil(n / 2), math.ceil(n / block_size) + 4)


@wrong("first-scales-kept", "You kept the float32 scales beside their 8-bit codes.")
def both(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, outer_block, inner=5)


@wrong("scales-in-16-bits", "You counted 2 bytes a scale; they are float32, 4 bytes.")
def half_scales(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, outer_block, scale=2)


@wrong("outer-block-in-weights", "You divided the weights by outer_block; it counts scales.")
def outer_of_weights(shape, block_size=64, outer_block=None):
    n = math.prod(shape)
    if outer_block is None:
        return _count(shape, block_size, None)
    scales = math.ceil(n / block_size) + 4 * math.ceil(n / outer_block) + 4
    return _answer(n, math.ceil(n / 2), scales)


@wrong("double-ignored", "You ignored outer_block: the scales stay float32.")
def ignored(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, None)


@wrong("double-always", "You always quantize the scales; outer_block=None means that you do not.")
def always(shape, block_size=64, outer_block=None):
    return _count(shape, block_size, outer_block or 256)


@wrong("bytes-per-parameter", "You returned bytes per parameter; bits are eight times that.")
def in_bytes(shape, block_size=64, outer_block=None):
    answer = _count(shape, block_size, outer_block)
    return {**answer, "bits_per_parameter": answer["bits_per_parameter"] / 8}


@wrong("asymptotic-bits", "You wrote the formula for a huge tensor; count this one's bytes.")
def asymptotic(shape, block_size=64, outer_block=None):
    answer = _count(shape, block_size, outer_block)
    extra = (
        32 / block_size if outer_block is None else 8 / block_size + 32 / block_size / outer_block
    )
    return {**answer, "bits_per_parameter": 4 + extra}


@wrong("blocks-in-each-row", "You started a new block in each row; blocks run on across rows.")
def per_row(shape, block_size=64, outer_block=None):
    n = math.prod(shape)
    count = n // shape[-1] * math.ceil(shape[-1] / block_size)
    if outer_block is None:
        return _answer(n, math.ceil(n / 2), 4 * count)
    return _answer(n, math.ceil(n / 2), count + 4 * math.ceil(count / outer_block) + 4)


@wrong("tables-counted", "You counted the table of levels; it is a constant of the program.")
def with_table(shape, block_size=64, outer_block=None):
    answer = _count(shape, block_size, outer_block)
    return _answer(math.prod(shape), answer["codes"], answer["scales"] + 64)


@wrong("floats-for-bytes", "Your byte counts are floats; bytes are whole numbers.")
def floats(shape, block_size=64, outer_block=None):
    answer = _count(shape, block_size, outer_block)
    return {key: float(value) for key, value in answer.items()}
