"""fp32-accumulate: a matrix product of float16 with a float16 or float32 accumulator, in blocks."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"values": 0.4, "order": 0.3, "blocks": 0.3}
HINTS = (
    "Loop over k; a[:, k, None] * b[None, k, :] is the (m, n) array of products of one k.",
    "Cast a and b to `accumulate` first: then products and sums are rounded to it by NumPy.",
    "At the end of each block add the partial sums, as float32, to the total and start from zero.",
)
HALF, SINGLE = np.float16, np.float32


def _half(rng, *shape):
    return rng.normal(0, 1, shape).astype(np.float16)


def cases(rng):
    def one(label, part, a, b, accumulate, block=None):
        a, b = np.asarray(a, np.float16), np.asarray(b, np.float16)
        return case(label, part=part, a=a, b=b, accumulate=np.dtype(accumulate).name, block=block)

    yield one("one product", "values", [[1.5]], [[-2.0]], SINGLE)
    a, b = rng.integers(-9, 10, (2, 3)), rng.integers(-9, 10, (3, 4))
    for kind in (SINGLE, HALF):
        yield one(f"small integers, {kind.__name__}", "values", a, b, kind)
        ones = np.ones((1, 2500)), np.ones((2500, 2))
        yield one(f"2,500 ones, {kind.__name__}", "values", *ones, kind)
    yield one("products beyond 65504", "values", [[300.0, 400.0]], [[300.0], [-200.0]], SINGLE)
    yield one(
        "products too small", "values", np.full((1, 8), 2.0**-14), np.full((8, 1), 2.0**-12), SINGLE
    )
    yield one("products beyond 65504, float16", "values", [[300.0, 2.0]], [[300.0], [5.0]], HALF)

    # Sums of exact and of rounded products differ here before any order matters.
    row = np.full((1, 470), 1 + 22 / 1024)
    yield one("470 equal products that round, float16", "values", row, row.T, HALF)

    for kind in (SINGLE, HALF):
        for m, k, n in ((1, 33, 1), (3, 100, 5), (4, 515, 2), (4, 40, 4)):
            label = f"random ({m}, {k}) @ ({k}, {n}), {kind.__name__}"
            yield one(label, "order", _half(rng, m, k), _half(rng, k, n), kind)
    a, b = _half(rng, 8, 60)[::2, ::2], _half(rng, 3, 30).T
    yield one("views", "order", a, b, HALF)

    for kind in (SINGLE, HALF):
        a, b = _half(rng, 2, 100), _half(rng, 100, 3)
        for block in (1, 7, 50, 100, 128):
            yield one(f"blocks of {block}, {kind.__name__}", "blocks", a, b, kind, block)
    a = np.abs(_half(rng, 1, 1500))
    yield one("1,500 positive, blocks of 64", "blocks", a, np.ones((1500, 1)), HALF, 64)
    large = np.full((1, 6), 200.0), np.full((6, 1), 200.0)
    yield one("a total beyond 65504", "blocks", *large, HALF, 1)


def probe(solution, a, b, accumulate, block):
    return solution(a, b, np.dtype(accumulate).type, block)


def _reference(a, b, accumulate, block):
    """Float64 arithmetic, rounded to the accumulator after each operation (exactly once: 53 bits
    are more than 2 * 24 + 2, so the first rounding does no harm)."""
    dtype = np.dtype(accumulate)
    a, b = a.astype(np.float64), b.astype(np.float64)
    count = a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]))
    for start in range(0, count, block or count):
        partial = np.zeros_like(total)
        for k in range(start, min(start + (block or count), count)):
            product = np.outer(a[:, k], b[k]).astype(dtype).astype(np.float64)
            partial = (partial + product).astype(dtype).astype(np.float64)
        total = (total + partial).astype(np.float32).astype(np.float64)
    return total


def judge(case, answer):
    shape = (case.a.shape[0], case.b.shape[1])
    hint = "The total is float32 whatever the accumulator is."
    expect.array(answer, "out", shape=shape, dtype=np.float32, hint=hint)
    with np.errstate(over="ignore"):
        want = _reference(case.a, case.b, case.accumulate, case.block)
    hint = f"The accumulator of this case is {case.accumulate}; k runs upwards from 0."
    if case.block:
        hint = (
            f"Partial sums of {case.block} products in {case.accumulate}, their total in float32."
        )
    bad = answer.astype(np.float64) != want
    if not bad.any():
        return
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    yours, right = float(answer[index]), float(want[index])
    expect.wrong(
        "values",
        "`out` is not the same bit for bit." if case.part != "values" else "`out` is off.",
        yours=f"{yours:.9g}",
        right=f"{right:.9g}",
        where=f"{int(bad.sum())} of {bad.size} wrong, first at index {index}",
        hint=hint,
    )
