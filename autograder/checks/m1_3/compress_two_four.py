"""compress-two-four: values and packed two-bit positions of a 2:4 matrix."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import two_four

PARTS = {
    "full groups": 0.35,
    "zeros in groups": 0.25,
    "odd groups and dtypes": 0.2,
    "bad input": 0.2,
}
HINTS = (
    "Positions: non-zeros first, then zeros, stable; take two and sort them.",
    "torch.gather picks the values at the positions.",
    "A group's code is i + 4 * j; the first of two groups is in the low four bits.",
)


def _full(rng, rows, columns):
    """Exactly two non-zeros in each group."""
    out = np.zeros((rows, columns), np.float32)
    for r, g in np.ndindex(rows, columns // 4):
        for c in rng.permutation(4)[:2]:
            out[r, 4 * g + c] = rng.normal() + 0.1
    return out


def cases(rng):
    for rows, columns in ((1, 8), (3, 8), (4, 16), (32, 64)):
        yield case(f"({rows}, {columns})", "full groups", weight=_full(rng, rows, columns))
    for rows, columns in ((4, 16), (16, 32)):
        weight = two_four.sparse(rng, rows, columns)
        yield case(f"fewer non-zeros, ({rows}, {columns})", "zeros in groups", weight=weight)
    yield case("all zero", "zeros in groups", weight=np.zeros((2, 16), np.float32))
    single = np.zeros((4, 8), np.float32)
    for c in range(4):
        single[c, c], single[c, 4 + c] = c + 1, -c - 1
    yield case("one non-zero in each place", "zeros in groups", weight=single)
    product = np.where(_full(rng, 4, 16) != 0, 1, np.float32(-0.0)).astype(np.float32)
    product[1, :8] = -0.0
    yield case("zeros with a sign, as of a product with a mask", "zeros in groups", weight=product)
    part = "odd groups and dtypes"
    for rows, columns in ((3, 4), (3, 12), (4, 12), (3, 20)):
        weight = two_four.sparse(rng, rows, columns)
        yield case(f"({rows}, {columns})", part, weight=weight)
    for dtype in (np.float16, np.int8):
        yield case(np.dtype(dtype).name, part, weight=two_four.sparse(rng, 4, 24, dtype))
    low = two_four.sparse(rng, 2, 8, np.int8)
    low[low != 0] = -128
    yield case("int8 at its end", part, weight=low)
    good = _full(rng, 3, 12)
    for columns in (2, 6, 10):
        yield case(f"{columns} columns, refused", "bad input", weight=good[:, :columns].copy())
    for label, place in (("three in a group", 0), ("three in the last group", 8)):
        spoilt = good.copy()
        spoilt[-1, place : place + 4] = [1, 2, 0, 3]
        yield case(label, "bad input", weight=spoilt)
    for columns in (8, 12):  # few non-zeros in all, in each row and in each eight
        lonely = np.zeros((4, columns), np.float32)
        lonely[2, -4:] = [1, -2, 0, -3]
        yield case(f"three in a group, no others in {columns}", "bad input", weight=lonely)
    yield case("three axes", "bad input", weight=good[None].copy())
    yield case("dense", "bad input", weight=np.ones((2, 8), np.float32))
    tiny = good.copy()
    tiny[1, 4:8] = [1, 1e-30, 2, 0]
    yield case("a tiny third value", "bad input", weight=tiny)
    yield case("one axis", "bad input", weight=good[0].copy())
    yield case("no rows", "bad input", weight=good[:0].copy())
    yield case("no columns", "bad input", weight=good[:, :0].copy())


def probe(solution, weight):
    import torch

    tensor = torch.from_numpy(weight)
    good = weight.ndim == 2 and weight.size and weight.shape[1] % 4 == 0
    if not good or ((weight.reshape(-1, 4) != 0).sum(1) > 2).any():
        return refusal(lambda: solution(tensor))
    return solution(tensor)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    values, metadata = expect.sequence(answer, ("values", "metadata"))
    want_values, want_metadata = two_four.compress(case.weight)
    dtype = f"torch.{case.weight.dtype}"
    values = expect.tensor(values, "values", shape=want_values.shape, dtype=dtype)
    metadata = expect.tensor(metadata, "metadata", shape=want_metadata.shape, dtype="torch.uint8")
    expect.codes(values, want_values, "values", hint="Group by group, the lower position first.")
    return expect.codes(metadata, want_metadata, "metadata", hint=HINTS[2])
