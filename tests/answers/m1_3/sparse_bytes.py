"""Answers to sparse-bytes."""

import math

import torch

from autograder.checks.bank import right, wrong


def _bytes(mask, value_bits, *, up=lambda bits: -(-bits // 8), checks="abv", **changed):
    if "a" in checks and mask.ndim != 2:
        raise ValueError("axes")
    if "b" in checks and not mask.numel():
        raise ValueError("empty")
    if "v" in checks and value_bits not in (4, 8, 16, 32):
        raise ValueError("value_bits")
    rows, columns = mask.shape[-2:] if mask.ndim > 1 else (1, len(mask))
    z = changed.get("count", lambda m: int(m.sum()))(mask)
    index = changed.get("index", lambda c: 2 if c <= 65536 else 4)(columns)
    pointers = changed.get("pointers", lambda r, c: 4 * (r + 1))(rows, columns)
    places = changed.get("places", lambda n, z: up(n))(mask.numel(), z)
    values = up(z * value_bits)
    return {
        "dense": up(mask.numel() * value_bits),
        "bitmask": values + places,
        "csr": values + z * index + pointers,
    }


@right("integer division")
def by_division(mask, value_bits):
    return _bytes(mask, value_bits)


@right("torch's CSR")
def by_csr(mask, value_bits):
    if mask.dim() != 2 or mask.numel() == 0 or value_bits not in {4, 8, 16, 32}:
        raise ValueError("bad input")
    sparse = mask.float().to_sparse_csr()
    values = math.ceil(len(sparse.values()) * value_bits / 8)
    wide = 2 if mask.shape[1] <= 2**16 else 4
    return {
        "csr": values + wide * len(sparse.col_indices()) + 4 * len(sparse.crow_indices()),
        "bitmask": values + math.ceil(mask.numel() / 8),
        "dense": math.ceil(mask.numel() * value_bits / 8),
    }


@wrong("places-are-free", "You count the values alone; their places must be stored too.")
def free(mask, value_bits):
    return _bytes(
        mask, value_bits, places=lambda n, z: 0, index=lambda c: 0, pointers=lambda r, c: 0
    )


@wrong("bitmask-a-byte-a-place", "Your bitmask takes a byte for each place; a bit is enough.")
def byte_mask(mask, value_bits):
    return _bytes(mask, value_bits, places=lambda n, z: n)


@wrong("bitmask-of-the-kept", "The bitmask has a bit for every place, not only for the kept.")
def kept_bits(mask, value_bits):
    return _bytes(mask, value_bits, places=lambda n, z: -(-z // 8))


@wrong("no-last-pointer", "CSR has rows + 1 pointers: the last says where the last row ends.")
def rows_only(mask, value_bits):
    return _bytes(mask, value_bits, pointers=lambda r, c: 4 * r)


@wrong("pointers-by-column", "CSR has a pointer for each row, not for each column.")
def columns(mask, value_bits):
    return _bytes(mask, value_bits, pointers=lambda r, c: 4 * (c + 1))


@wrong("no-pointers", "CSR also stores where each row begins.")
def no_pointers(mask, value_bits):
    return _bytes(mask, value_bits, pointers=lambda r, c: 0)


@wrong("coordinates", "You store row and column of each value; that is COO, not CSR.")
def coo(mask, value_bits):
    rows, wide = mask.shape[0], mask.shape[-1]
    return _bytes(
        mask, value_bits, index=lambda c: 4 if wide <= 65536 else 8, pointers=lambda r, c: 0
    ) if rows else _bytes(mask, value_bits)  # fmt: skip


@wrong("wide-indices", "With at most 65,536 columns an index takes 2 bytes.")
def wide_index(mask, value_bits):
    return _bytes(mask, value_bits, index=lambda c: 4)


@wrong("narrow-indices", "More than 65,536 columns do not fit into 2 bytes.")
def narrow_index(mask, value_bits):
    return _bytes(mask, value_bits, index=lambda c: 2)


@wrong("65536-columns", "Column indices run from 0: 65,536 columns still fit into 2 bytes.")
def off_by_one(mask, value_bits):
    return _bytes(mask, value_bits, index=lambda c: 2 if c < 65536 else 4)


@wrong(
    "index-width-by-rows", "The width of a column's index depends on the columns, not on the rows."
)
def by_rows(mask, value_bits):
    rows = len(mask) if mask.ndim else 1
    return _bytes(mask, value_bits, index=lambda c: 2 if rows <= 65536 else 4)


@wrong("rounded-down", "Bits are filled up to whole bytes; you cut them off.")
def down(mask, value_bits):
    return _bytes(mask, value_bits, up=lambda bits: bits // 8)


@wrong("float-bytes", "Bytes are whole numbers: return ints.")
def floats(mask, value_bits):
    return {k: float(v) for k, v in _bytes(mask, value_bits).items()}


@wrong(
    "rounded-together", "Values and bitmask are filled up each by itself; you added the bits first."
)
def together(mask, value_bits):
    out = _bytes(mask, value_bits)
    return {**out, "bitmask": -(-(int(mask.sum()) * value_bits + mask.numel()) // 8)}


@wrong("zeros-counted", "True is what stays; you stored the removed values.")
def turned(mask, value_bits):
    return _bytes(~mask, value_bits)


@wrong("bits", "You return bits; divide by 8.")
def bits(mask, value_bits):
    return {k: 8 * v for k, v in _bytes(mask, value_bits).items()}


@wrong("always-32-bits", "You count 4 bytes a value whatever value_bits says.")
def always_32(mask, value_bits):
    _bytes(mask, value_bits)
    return _bytes(mask, 32 if value_bits != 32 else 16)


@wrong("value-bits-not-checked", "value_bits other than 4, 8, 16 and 32 must raise ValueError.")
def any_bits(mask, value_bits):
    return _bytes(mask, value_bits, checks="ab")


@wrong("axes-not-checked", "A mask without two axes must raise ValueError.")
def any_axes(mask, value_bits):
    return _bytes(mask, value_bits, checks="bv")


@wrong("empty-accepted", "A matrix without entries must raise ValueError.")
def empty(mask, value_bits):
    if mask.ndim == 2 and not mask.numel():
        return {"dense": 0, "bitmask": 0, "csr": 4 * (len(mask) + 1)}
    return _bytes(mask, value_bits)


@wrong("tensor-bytes", "Return Python ints, not tensors.")
def tensors(mask, value_bits):
    return {k: torch.tensor(v) for k, v in _bytes(mask, value_bits).items()}


@right("rows and divmod")
def by_rows_and_divmod(mask, value_bits):
    _bytes(mask, value_bits)

    def full(count):
        whole, rest = divmod(count, 8)
        return whole + (rest > 0)

    kept = sum(int(row.count_nonzero()) for row in mask)
    wide = 2 if mask.shape[1] - 1 < 2**16 else 4
    return {
        "dense": full(mask.numel() * value_bits),
        "bitmask": full(kept * value_bits) + full(mask.numel()),
        "csr": full(kept * value_bits) + wide * kept + 4 * mask.shape[0] + 4,
    }


@wrong("count-in-int16", "You count in int16, which ends at 32,767.")
def int16_count(mask, value_bits):
    return _bytes(mask, value_bits, count=lambda m: int(m.sum(dtype=torch.int16)))
