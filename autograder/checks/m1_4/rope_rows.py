"""rope-rows: q and k in GGUF's row order, against an index written out one by one."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import hf_gguf

PARTS = {"matrices": 0.6, "vectors": 0.2, "edges": 0.2}
HINTS = (
    "Cut the rows into (heads, 2, d/2, ...): the second axis says first or second half.",
    "Swap the axes 1 and 2, and give it the old shape: the halves then alternate.",
    "weight.shape[1:] is () for a bias: the same line serves both.",
)


def cases(rng):
    for heads, size, columns in (
        (1, 2, 3),
        (1, 8, 1),
        (2, 4, 5),
        (4, 16, 64),
        (2, 64, 256),
        (3, 6, 7),
    ):
        weight = rng.standard_normal((heads * size, columns)).astype(np.float32)
        yield case(f"{heads} heads of {size}", "matrices", weight=weight, heads=heads)
    for dtype in (np.float16, np.float64):
        weight = rng.standard_normal((24, 5)).astype(dtype)
        yield case(f"{np.dtype(dtype)}", "matrices", weight=weight, heads=2)
    turned = np.asfortranarray(rng.standard_normal((24, 5)).astype(np.float32))
    yield case("column order in memory", "matrices", weight=turned, heads=3)
    for heads, size in ((1, 4), (4, 8)):
        bias = rng.standard_normal(heads * size).astype(np.float32)
        yield case(f"a bias, {heads} heads of {size}", "vectors", weight=bias, heads=heads)
    weight = rng.standard_normal((12, 4)).astype(np.float32)
    for heads, why in (
        (5, "do not divide"),
        (4, "leave 3 rows a head"),
        (0, "are none"),
        (-2, "< 0"),
    ):
        yield case(f"heads that {why}", "edges", weight=weight, heads=heads, bad=True)


def probe(solution, weight, heads, bad=False):
    return refusal(lambda: solution(weight, heads)) if bad else solution(weight, heads)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.heads} heads, 12 rows: raise ValueError.")
        return
    want = hf_gguf.rope_rows(case.weight, case.heads)
    got = expect.array(answer, "rows", shape=want.shape, dtype=want.dtype)
    expect.codes(got, want, "rows", hint=HINTS[1])
