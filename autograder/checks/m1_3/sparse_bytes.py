"""sparse-bytes: bytes of a matrix in three formats, as exact integers."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"count": 0.6, "rounding up": 0.25, "bad input": 0.15}
HINTS = (
    "Whole bytes: -(-bits // 8) rounds up.",
    "The bitmask: values and bits are filled up to whole bytes each by itself.",
    "CSR: values, a column index each, rows + 1 pointers.",
)


def cases(rng):
    for bits in (4, 8, 16, 32):
        rows, columns = (int(n) for n in rng.integers(8, 60, 2))
        mask = rng.random((rows, columns)) < rng.uniform(0.1, 0.9)
        yield case(f"({rows}, {columns}), {bits} bits", "count", mask=mask, value_bits=bits)
    yield case("none kept", "count", mask=np.zeros((6, 8), bool), value_bits=16)
    yield case("all kept", "count", mask=np.ones((6, 8), bool), value_bits=8)
    for columns in (65536, 65537):
        mask = np.zeros((1, columns), bool)
        mask[0, rng.choice(columns, 37, replace=False)] = True
        yield case(f"{columns} columns", "count", mask=mask, value_bits=16)
    many = rng.random((250, 280)) < 0.9
    yield case("over 60,000 kept", "count", mask=many, value_bits=4)
    tall = np.zeros((70000, 1), bool)
    tall[::7] = True
    yield case("70,000 rows", "count", mask=tall, value_bits=8)
    for shape, kept in (((1, 1), 1), ((3, 3), 5), ((1, 9), 3), ((5, 7), 17)):
        mask = np.zeros(shape[0] * shape[1], bool)
        mask[rng.choice(mask.size, kept, replace=False)] = True
        for bits in (4, 8):
            yield case(f"{kept} of {shape}, {bits} bits", "rounding up",
                       mask=mask.reshape(shape), value_bits=bits)  # fmt: skip
    good = np.ones((3, 4), bool)
    for bits in (0, -8, 2, 12, 64):
        yield case(f"value_bits {bits}", "bad input", mask=good, value_bits=bits)
    yield case("one axis", "bad input", mask=good[0], value_bits=8)
    yield case("three axes", "bad input", mask=good[None], value_bits=8)
    for shape in ((0, 4), (3, 0)):
        yield case(f"shape {shape}", "bad input", mask=np.ones(shape, bool), value_bits=8)


def probe(solution, mask, value_bits):
    import torch

    tensor = torch.from_numpy(mask)
    if mask.ndim != 2 or not mask.size or value_bits not in (4, 8, 16, 32):
        return refusal(lambda: solution(tensor, value_bits))
    return solution(tensor, value_bits)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    import scipy.sparse

    matrix = scipy.sparse.csr_array(case.mask)
    bits = case.value_bits

    def packed(count):
        """Bytes of `count` values: as many bits, packed by numpy."""
        return np.packbits(np.zeros(count * bits, np.uint8)).nbytes

    index = np.dtype(np.uint16 if case.mask.shape[1] - 1 <= np.iinfo(np.uint16).max else np.uint32)
    places = matrix.indices.astype(index).nbytes + matrix.indptr.astype(np.uint32).nbytes
    want = {
        "dense": packed(case.mask.size),
        "bitmask": packed(matrix.nnz) + np.packbits(case.mask).nbytes,
        "csr": packed(matrix.nnz) + places,
    }
    expect.mapping(answer, tuple(want))
    for name, value in want.items():
        expect.integer(answer[name], value, name)
    return None
