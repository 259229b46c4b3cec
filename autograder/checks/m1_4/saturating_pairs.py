"""saturating-pairs: every pair of products clamped by hand in Python ints."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"sums": 0.5, "odd lengths and both ends": 0.3, "bad input": 0.2}
HINTS = (
    "products = x[:, :, None].astype(np.int32) * w[None]: (m, k, n).",
    "Products 0 and 1 are a pair, 2 and 3 the next: products[:, 0::2] + products[:, 1::2].",
    "np.clip(pairs, -32768, 32767).sum(axis=1)",
)


def cases(rng):
    def make(label, part, m, k, n, x=None, w=None, sparse=0.0):
        if x is None:
            x = rng.integers(0, 256, (m, k)) * (rng.random((m, k)) >= sparse)
        w = rng.integers(-128, 128, (k, n)) if w is None else w
        return case(label, part, x=np.asarray(x, np.uint8), w=np.asarray(w, np.int8), bad=False)

    part = "sums"
    for m, k, n in ((1, 2, 1), (3, 8, 4), (4, 32, 6), (2, 128, 5)):
        yield make(f"({m}, {k}) by ({k}, {n})", part, m, k, n)
    yield make("small codes: nothing to clamp", part, 3, 16, 4, w=rng.integers(-64, 64, (16, 4)))
    part = "odd lengths and both ends"
    yield make("an odd k", part, 3, 7, 4)
    yield make("k = 1", part, 2, 1, 3)
    top = np.full((1, 6), 255)
    yield make("all at the top", part, 1, 6, 2, x=top, w=np.full((6, 2), 127))
    yield make("all at the bottom", part, 1, 6, 2, x=top, w=np.full((6, 2), -128))
    yield make("one below the limit, one above", part, 1, 4, 1, x=[[255, 3, 255, 4]],
               w=[[127], [127], [127], [127]])  # fmt: skip
    yield make("just at the lower limit", part, 1, 4, 1, x=[[255, 1, 255, 2]], w=[[-128]] * 4)
    good = {"x": np.ones((2, 4), np.uint8), "w": np.ones((4, 3), np.int8)}
    for label, change in (
        ("inner sizes that differ", {"w": np.ones((5, 3), np.int8)}),
        ("x of int8", {"x": np.ones((2, 4), np.int8)}), ("w of uint8", {"w": np.ones((4, 3), np.uint8)}),
        ("x with one axis", {"x": np.ones(4, np.uint8)}), ("w with one axis", {"w": np.ones(4, np.int8)}),
        ("x with three axes", {"x": np.ones((1, 2, 4), np.uint8)}),
        ("w of float32", {"w": np.ones((4, 3), np.float32)}),
    ):  # fmt: skip
        yield case(label, "bad input", **{**good, **change}, bad=True)


def probe(solution, x, w, bad):
    return refusal(lambda: solution(x, w)) if bad else solution(x, w)


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    rows, columns, k = case.x.tolist(), case.w.T.tolist(), case.x.shape[1]
    want = [[sum(max(-32768, min(32767, sum(r[i] * c[i] for i in range(at, min(at + 2, k)))))
                 for at in range(0, k, 2)) for c in columns] for r in rows]  # fmt: skip
    want = np.array(want, np.int32).reshape(len(rows), len(columns))
    got = expect.array(answer, "the sums", shape=want.shape, dtype=np.int32)
    return expect.codes(got, want, "the sums")
