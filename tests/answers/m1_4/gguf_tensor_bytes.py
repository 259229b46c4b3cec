"""Answers to gguf-tensor-bytes."""

import math

import numpy as np

from autograder.checks.bank import right, wrong
from autograder.checks.oracles import gguf_reader
from autograder.checks.oracles.gguf_reader import BLOCKS, GGUFError


def _size(
    dims, kind, *, most=4, zeros=True, rows=True, types=True, limit=2**63 - 1, bits=None, first=0,
    blocks=BLOCKS, counted=None,
):  # fmt: skip
    if len(dims) > most:
        raise GGUFError("n_dims", "too many.")
    if kind not in blocks:
        if types:
            raise GGUFError("type", "unknown.")
        return 0
    if zeros and 0 in dims:
        raise GGUFError("dims", "zero.")
    values, size = blocks[kind]
    row = dims[first] if dims else 1
    if rows and row % values:
        raise GGUFError("dims", "rows.")
    count = 1
    for n in dims:
        count *= n
        count = count % 2**bits if bits else count
    total = counted(count, values, size) if counted else count // values * size
    total = total % 2**bits if bits else total
    if limit is not None and total > limit:
        raise GGUFError("dims", "too large.")
    return total


@right("the product of the dimensions")
def product(dims, kind):
    return _size(dims, kind)


@right("division before each product")
def division(dims, kind):
    if len(dims) > 4:
        raise GGUFError("n_dims", "5.")
    if BLOCKS.get(kind) is None:
        raise GGUFError("type", "unknown.")
    values, size = BLOCKS[kind]
    if (dims[0] if len(dims) else 1) % values:
        raise GGUFError("type", "no whole blocks.")
    total = size
    for i, n in enumerate(dims):
        n = n // values if i == 0 else n
        if n == 0 or n > (2**63 - 1) // total:
            raise GGUFError("dims", "zero or too large.")
        total *= n
    return total


@right("the reference")
def reference(dims, kind):
    return gguf_reader.tensor_bytes(tuple(dims), kind)


@right("NumPy with objects")
def objects(dims, kind):
    _size(dims, kind)
    return math.prod(np.array(dims, dtype=object).tolist()) // BLOCKS[kind][0] * BLOCKS[kind][1]


@wrong("wraps-at-64-bits", "The product wraps in 64 bits: 2^32 by 2^32 is 0.")
def wraps(dims, kind):
    return _size(dims, kind, bits=64)


@wrong("wraps-signed", "The product wraps in NumPy's int64.")
def signed(dims, kind):
    checked = _size(dims, kind, limit=None)
    with np.errstate(over="ignore"):
        wrapped = int(np.array(checked % 2**64, np.uint64).astype(np.int64))
    if wrapped > 2**63 - 1:
        raise GGUFError("dims", "too large.")
    return wrapped


@wrong("wraps-at-32-bits", "Sizes beyond 4 GiB exist: the product was cut to 32 bits.")
def narrow(dims, kind):
    return _size(dims, kind, bits=32)


@wrong("floats", "A float has 53 bits: large sizes come out wrong.")
def floats(dims, kind):
    exact = _size(dims, kind, limit=None)
    total = int(float(exact))
    if total > 2**63 - 1:
        raise GGUFError("dims", "too large.")
    return total


@wrong("no-limit", "A size beyond 2^63 - 1 bytes must be refused.")
def no_limit(dims, kind):
    return _size(dims, kind, limit=None)


@wrong("limit-of-64-bits", "The limit is 2^63 - 1 bytes: sizes are signed in many programs.")
def unsigned(dims, kind):
    return _size(dims, kind, limit=2**64 - 1)


@wrong("limit-of-32-bits", "Tensors of more than 4 GiB are allowed.")
def small_limit(dims, kind):
    return _size(dims, kind, limit=2**32)


@wrong(
    "values-limited-not-bytes", "The limit holds for the bytes: 2^61 values of F32 are 2^63 bytes."
)
def values(dims, kind):
    total = _size(dims, kind, limit=None)
    if math.prod(dims) > 2**63 - 1:
        raise GGUFError("dims", "too large.")
    return total


@wrong("each-dimension-tested", "Small dimensions have large products.")
def each(dims, kind):
    total = _size(dims, kind, limit=None)
    if any(n > 2**32 for n in dims):
        raise GGUFError("dims", "too large.")
    return total


@wrong("values-counted", "Multiply with the bytes of a block, divided by its values.")
def counted(dims, kind):
    return _size(dims, kind, counted=lambda count, values, size: count)


@wrong("block-bytes-for-each-value", "A block holds several values: divide by their number.")
def each_value(dims, kind):
    return _size(dims, kind, counted=lambda count, values, size: count * size)


@wrong("four-bytes-for-all", "The type gives the size.")
def four(dims, kind):
    return _size(dims, kind, counted=lambda count, values, size: count * 4)


@wrong("blocks-along-the-last", "Blocks lie along the first dimension, the fastest.")
def last(dims, kind):
    return _size(dims, kind, first=-1)


@wrong("blocks-over-rows", "Each row must be whole blocks; a product that divides is not enough.")
def over_rows(dims, kind):
    total = _size(dims, kind, rows=False)
    if math.prod(dims) % BLOCKS[kind][0]:
        raise GGUFError("dims", "blocks.")
    return total


@wrong("rounded-up-blocks", "A row that is no multiple of the block must be refused, not padded.")
def rounded(dims, kind):
    return _size(dims, kind, rows=False, counted=lambda c, v, s: -(-c // v) * s)


@wrong("zero-accepted", "A dimension 0 must be refused.")
def zero(dims, kind):
    return _size(dims, kind, zeros=False)


@wrong("scalar-is-nothing", "Without dimensions there is one value.")
def scalar(dims, kind):
    return _size(dims, kind) if dims else 0


@wrong("any-number-of-dimensions", "More than 4 dimensions must be refused.")
def many(dims, kind):
    return _size(dims, kind, most=10**6)


@wrong("five-dimensions", "Four dimensions are the most.")
def five(dims, kind):
    return _size(dims, kind, most=5)


@wrong("unknown-type-is-zero", "An unknown type must be refused: its size is unknown.")
def unknown(dims, kind):
    return _size(dims, kind, types=False)


@wrong("key-error", "An unknown type must raise GGUFError for type; a lookup raises KeyError.")
def key_error(dims, kind):
    BLOCKS[kind]
    return _size(dims, kind)


@wrong("dims-for-all", "The error names the field: n_dims, type or dims.")
def dims_for_all(dims, kind):
    try:
        return _size(dims, kind)
    except GGUFError as error:
        raise GGUFError("dims", str(error)) from None


@wrong("old-types-by-range", "4, 5, 31 and others were removed: look the type up.")
def by_range(dims, kind):
    return _size(dims, kind, blocks={**dict.fromkeys(range(42), (1, 4)), **BLOCKS})
