"""calibration-hessian: 2/n X^T X over batches that are ragged, narrow, three-dimensional or empty."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "Make each batch (rows, K) with reshape(-1, batch.shape[-1]), after astype(np.float64).",
    "Sum 2 X^T X and the number of rows over the batches; divide once, at the end.",
    "No rows at all: raise ValueError.",
)


def _batches(rng, lengths, columns, dtype=np.float64):
    x = gptq.inputs(rng, sum(lengths), columns) + 0.5  # a mean that is not 0: nothing is centred
    return [part.astype(dtype) for part in np.split(x, np.cumsum(lengths)[:-1])]


def cases(rng):
    small = [np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]])]
    yield case("one batch of 3 rows", part="values", batches=small)
    yield case("equal batches", part="values", batches=_batches(rng, [8, 8, 8], 5))
    yield case("ragged batches", part="values", batches=_batches(rng, [30, 7, 1], 12))
    yield case("float32, 64 columns", part="values", batches=_batches(rng, [100, 28], 64, "f4"))
    loud = [(b * 200).astype(np.float16) for b in _batches(rng, [40, 11], 6)]
    yield case("float16, loud", part="values", batches=loud)
    deep = [rng.standard_normal((4, 9, 7)), rng.standard_normal((2, 5, 7))]
    yield case("sequences: (4, 9, 7) and (2, 5, 7)", part="values", batches=deep)
    generated = _batches(rng, [5, 9, 6], 4)
    yield case("a generator", part="values", batches=generated, generator=True)
    yield case("fewer rows than columns", part="edges", batches=_batches(rng, [3, 2], 16))
    yield case("one row of one column", part="edges", batches=[np.array([[3.0]])])
    empty = _batches(rng, [6, 4], 5)
    empty.insert(1, np.zeros((0, 5)))
    yield case("an empty batch in the middle", part="edges", batches=empty)
    yield case("an empty batch first", part="edges", batches=[np.zeros((0, 5)), *empty])
    dead = _batches(rng, [6, 10], 5)
    for batch in dead:
        batch[:, 2] = 0
    yield case("a column of zeros", part="edges", batches=dead)
    nothing = "an empty calibration set"
    yield case(nothing, part="edges", batches=[], refuse=True)
    yield case(f"{nothing}, as a generator", part="edges", batches=[], refuse=True, generator=True)
    yield case("batches without rows", part="edges", batches=[np.zeros((0, 4))] * 2, refuse=True)
    odd = [rng.standard_normal((4, 6)), rng.standard_normal((4, 5))]
    yield case("6 columns, then 5", part="edges", batches=odd, refuse=True)
    wide = [rng.standard_normal((4, 6)), rng.standard_normal((4, 1))]
    yield case("6 columns, then 1", part="edges", batches=wide, refuse=True)


def probe(solution, batches, generator=False, refuse=False):
    given = (batch for batch in batches) if generator else batches
    if not refuse:
        return solution(given)
    try:
        solution(given)
    except NotImplementedError:
        raise
    except Exception as error:
        kind = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        return {"raised": kind}
    return {"raised": None}


def judge(case, answer):
    if case.inputs.get("refuse"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    rows = [row for b in case.batches for row in b.reshape(-1, b.shape[-1]).astype(np.longdouble)]
    want = 2 * np.mean([np.multiply.outer(row, row) for row in rows], axis=0)
    columns = len(want)
    expect.array(answer, "hessian", shape=(columns, columns), dtype=np.float64)
    # A sum of n products in float64 is off by n * 1.1e-16 of the sum of their sizes at most.
    size = np.sqrt(np.outer(np.diag(want), np.diag(want))).astype(np.float64)
    expect.close(answer, want, "hessian", rtol=0, atol=1e-11 * size + 1e-300)
