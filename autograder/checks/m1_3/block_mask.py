"""block-mask: whole tiles of a matrix, the least sums of squares first, exact under ties."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import pruning

PARTS = {"blocks": 0.5, "ties and counts": 0.3, "bad input": 0.2}
HINTS = (
    "weight.reshape(R // r, r, K // c, c): the axes 1 and 3 are inside a block.",
    "Rank the sums of squares of all blocks together, stable; round(sparsity * blocks) go.",
    "repeat_interleave along both axes gives every weight its block's bit.",
)


def cases(rng):
    def matrix(rows, columns, top=60, dtype=np.float32):
        """Whole numbers: their sums of squares are exact in float32."""
        return rng.integers(-top, top + 1, (rows, columns)).astype(dtype)

    for rows, columns, block, sparsity in (
        (4, 6, (2, 3), 0.5), (6, 4, (3, 2), 0.25), (8, 8, (4, 4), 0.75), (6, 6, (1, 1), 0.4),
        (6, 8, (6, 2), 0.5), (6, 8, (1, 8), 0.5), (5, 7, (5, 7), 0.0), (12, 20, (4, 2), 0.6),
        (64, 48, (16, 8), 0.33),
    ):  # fmt: skip
        yield case(f"({rows}, {columns}), blocks {block}", "blocks",
                   weight=matrix(rows, columns), block=block, sparsity=sparsity)  # fmt: skip
    peak = np.ones((4, 8), np.float32) * 3
    peak[0, 0] = 5
    peak[:2, 2:4] = 4
    yield case("one peak against many", "blocks", weight=peak, block=(2, 2), sparsity=0.875)
    yield case("float64", "blocks", weight=matrix(6, 9, 9, np.float64), block=(2, 3), sparsity=0.5)
    part = "ties and counts"
    for sparsity in (0.0, 0.3, 0.5, 1.0):
        yield case(f"many ties, {sparsity}", part, weight=matrix(12, 12, 1), block=(2, 2),
                   sparsity=sparsity)  # fmt: skip
    yield case("all zero", part, weight=np.zeros((4, 6), np.float32), block=(2, 2), sparsity=0.5)
    near = 1 + np.arange(24)[::-1].reshape(4, 6) * 2.0**-40  # in float32 the first go, the largest
    yield case("differences below float32", "blocks", weight=near, block=(1, 2), sparsity=0.5)
    # 0.575 * 100 is just below 57.5 in float64, and 57.5 in float32.
    for blocks, sparsity in ((5, 0.5), (7, 0.5), (3, 0.5), (10, 0.25), (100, 0.575)):
        yield case(f"{sparsity} of {blocks} blocks", part, weight=matrix(2, 3 * blocks),
                   block=(2, 3), sparsity=sparsity)  # fmt: skip
    good = matrix(6, 8)
    for label, weight, block, sparsity in (
        ("sparsity -0.1", good, (2, 2), -0.1), ("sparsity 1.5", good, (2, 2), 1.5),
        ("sparsity NaN", good, (2, 2), float("nan")), ("rows not divided", good, (4, 2), 0.5),
        ("columns not divided", good, (2, 3), 0.5), ("a block of 0 rows", good, (0, 2), 0.5),
        ("a block of -2 columns", good, (2, -2), 0.5),
        ("a block of 0 columns", good, (2, 0), 0.5), ("a block of -2 x -2", good, (-2, -2), 0.5),
        ("three axes", good[None], (2, 2), 0.5), ("a block too large", good, (12, 8), 0.5),
        ("one axis", good[0], (1, 2), 0.5), ("no rows", good[:0], (2, 2), 0.5),
        ("no columns", good[:, :0], (2, 2), 0.5),
    ):  # fmt: skip
        yield case(label, "bad input", weight=weight.copy(), block=block, sparsity=sparsity)


def probe(solution, weight, block, sparsity):
    import torch

    tensor = torch.from_numpy(weight)
    good = 0 <= sparsity <= 1 and weight.ndim == 2 and weight.size and min(block) >= 1
    if not good or weight.shape[0] % block[0] or weight.shape[1] % block[1]:
        return refusal(lambda: solution(tensor, block, sparsity))
    return solution(tensor, block, sparsity)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    mask = expect.tensor(answer, "mask", shape=case.weight.shape, dtype="torch.bool")
    (rows, columns), (r, c) = case.weight.shape, case.block
    sums = np.zeros((rows // r, columns // c))
    for i, j in np.ndindex(*sums.shape):
        tile = np.float64(case.weight[i * r : (i + 1) * r, j * c : (j + 1) * c])
        sums[i, j] = (tile**2).sum()
    tiles = pruning.lowest({"": sums}, pruning.count(case.sparsity, sums.size))[""]
    want = np.kron(tiles, np.ones((r, c), bool)).astype(bool)
    gone = f"{int((~tiles).sum())} of {tiles.size} blocks go."
    return expect.codes(mask, want, "mask", hint=gone)
