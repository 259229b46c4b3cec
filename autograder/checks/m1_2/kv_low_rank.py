"""kv-low-rank: the best factors of a given rank for each head, held against NumPy's float64 SVD."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"factors": 0.5, "energy": 0.3, "refuse": 0.2}
HINTS = (
    "u, s, vh = torch.linalg.svd(x, full_matrices=False): vh is transposed already.",
    "left = u[:, :, :rank] * s[:, None, :rank]; basis = vh[:, :rank].",
    "Energy is a ratio of sums of squares of singular values.",
)
# float32 SVD: 1e-6 of the largest singular value, for up to 64 directions.
SVD = 2e-5


def _heads(rng, heads, tokens, dim, decay=0.7, offset=0.0):
    """Matrices whose singular values fall by `decay` each: the best rank is no matter of rounding."""
    made = []
    for head in range(heads):
        n = min(tokens, dim)
        left, _ = np.linalg.qr(rng.standard_normal((tokens, n)))
        right, _ = np.linalg.qr(rng.standard_normal((dim, n)))
        made.append((left * (decay ** np.arange(n) * 10 * 3.0**head)) @ right.T + offset)
    return np.array(made, np.float32)


def cases(rng):
    diagonal = np.array([[[3, 0], [0, 4]]], np.float32)
    yield case("a diagonal", part="factors", x=diagonal, rank=1)
    for heads, tokens, dim, rank in ((2, 20, 8, 3), (3, 5, 12, 2), (2, 40, 16, 8), (1, 7, 7, 6)):
        x = _heads(rng, heads, tokens, dim)
        yield case(f"{tokens} x {dim}, rank {rank}", part="factors", x=x, rank=rank)
    x = _heads(rng, 2, 12, 6, offset=5.0)
    yield case("far from zero", part="factors", x=x, rank=2)
    yield case("full rank", part="factors", x=_heads(rng, 2, 9, 5), rank=5)
    yield case("float16", part="factors", x=_heads(rng, 2, 9, 5, 0.5).astype(np.float16), rank=2)
    for rank in (1, 3, 6):
        yield case(f"energy of rank {rank}", part="energy", x=_heads(rng, 3, 16, 6), rank=rank)
    zero = _heads(rng, 3, 6, 4)
    zero[1] = 0
    yield case("a head of zeros", part="energy", x=zero, rank=2)
    x = _heads(rng, 2, 6, 4)
    bad = {"rank 0": (x, 0), "rank -1": (x, -1), "rank above head_dim": (x, 5)}
    bad |= {"rank above tokens": (x[:, :3], 4), "a matrix": (x[0], 1), "no token": (x[:, :0], 1)}
    broken = x.copy()
    broken[1, 2, 3] = np.nan
    endless = x.copy()
    endless[0, 1, 2] = -np.inf
    bad |= {"a NaN": (broken, 2), "an infinity": (endless, 2)}
    for label, (given, rank) in bad.items():
        yield case(label, part="refuse", x=given, rank=rank, refused=True)


def probe(solution, x, rank, refused=False):
    import torch

    t = torch.from_numpy(x)
    return refusal(lambda: solution(t, rank)) if refused else solution(t, rank)


def judge(case, answer):
    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", f"Refuse this with a ValueError: {case.label}.")
    x, rank = case.x.astype(np.float64), case.rank
    heads, tokens, dim = x.shape
    left, basis, energy = expect.sequence(answer, ("left", "basis", "energy"))
    float32 = "torch.float32"
    left = expect.tensor(left, "left", shape=(heads, tokens, rank), dtype=float32)
    basis = expect.tensor(basis, "basis", shape=(heads, rank, dim), dtype=float32)
    energy = expect.tensor(energy, "energy", shape=(heads,), dtype=float32)
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    best = (u[:, :, :rank] * s[:, None, :rank]) @ vh[:, :rank]
    product = left.astype(np.float64) @ basis.astype(np.float64)
    atol = SVD * np.maximum(s[:, :1, None], 1e-30)
    hint = "Keep the largest singular values, head by head, without centring."
    expect.close(product, best, "left @ basis", rtol=0, atol=atol, hint=hint)
    wide = basis.astype(np.float64)
    unit = np.broadcast_to(np.eye(rank), (heads, rank, rank))
    hint = "The rows of vh are orthonormal; the singular values go into `left`."
    expect.close(
        wide @ wide.transpose(0, 2, 1), unit, "basis @ basis.T", rtol=0, atol=SVD, hint=hint
    )
    total, kept = (s**2).sum(-1), (s[:, :rank] ** 2).sum(-1)
    want = np.where(total > 0, kept / np.where(total > 0, total, 1), 1.0)
    return expect.close(energy, want, "energy", rtol=SVD, hint=HINTS[2])
