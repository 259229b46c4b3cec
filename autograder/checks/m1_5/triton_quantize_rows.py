"""triton-quantize-rows: float64 ratios; near a tie either code is right, on an exact one the even."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import triton_runs

PARTS = {"rows": 0.4, "rounding": 0.2, "layout": 0.25, "zeros": 0.15}
HINTS = (
    "One program, one row: x_ptr + row * stride + lanes, masked by lanes < cols.",
    "scale = tl.max(tl.abs(x), axis=0) / 127.0; divide, round_even, narrow.",
    "A row of zeros: divide by 1 instead of its scale.",
)
# float32 division and one rounding of the scale: 2 half-ulps of a ratio of at most 127.
SLACK = 127 * 2 * float(np.finfo(np.float32).eps)


def cases(rng):
    yield _case("4 rows of 64", "rows", _normal(rng, 4, 64), 64, 64)
    spread = _normal(rng, 5, 32) * np.float32([[1e-4], [1], [50], [1e4], [0.03]])
    yield _case("rows of unequal size", "rows", spread, 32, 32)
    yield _case("only negative values", "rows", -np.abs(_normal(rng, 2, 16)) - 1, 16, 16)
    outlier = _normal(rng, 3, 32)
    outlier[1, 7] = -300
    yield _case("one outlier", "rows", outlier, 32, 32)
    ties = np.float32(
        [[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.5], [-254, 1, 3, 5, -1, -3, 7, 126.6]]
    )
    yield _case("half-way values", "rounding", ties, 8, 8, exact=True)
    near = np.float32([[127, 0.49999997, -0.49999997, 2.4999998, 126.49999, 0.3, -0.7, 1]])
    yield _case("just below half", "rounding", near, 8, 8, exact=True)
    yield _case("33 columns of 64 lanes", "layout", _normal(rng, 4, 33) + 3, 33, 64)
    yield _case("one column", "layout", _normal(rng, 3, 1), 1, 1)
    wide = np.concatenate([_normal(rng, 4, 20), np.full((4, 12), 1e6, np.float32)], axis=1)
    yield _case("values between the rows", "layout", wide, 20, 32)
    cols = int(rng.integers(40, 63))
    both = np.concatenate([_normal(rng, 6, cols), np.full((6, 3), 1e6, np.float32)], axis=1)
    yield _case(f"{cols} columns, stride {cols + 3}", "layout", both, cols, 64)
    zeros = _normal(rng, 4, 16)
    zeros[[0, 2]] = 0
    yield _case("rows of zeros", "zeros", zeros, 16, 16)
    yield _case("zeros, masked lanes", "zeros", np.zeros((2, 5), np.float32), 5, 8)


def _normal(rng, *shape):
    return rng.normal(0, 1, shape).astype(np.float32)


def _case(label, part, x, cols, block, exact=False):
    x = np.ascontiguousarray(x, np.float32)
    flat = x.reshape(-1)[: x.size - (x.shape[1] - cols)]
    return case(
        label,
        part=part,
        x=flat,
        rows=len(x),
        cols=cols,
        stride=x.shape[1],
        block=block,
        exact=exact,
    )


def probe(solution, x, rows, cols, stride, block, exact=False):
    from lab.triton_probe import run_kernel

    return run_kernel(
        solution,
        (rows,),
        {"x": x},
        {"q": np.full((rows, cols), 99, np.int8), "scale": np.full(rows, np.nan, np.float32)},
        (cols, stride),
        {"BLOCK": block},
    )


def judge(case, answer):
    run = triton_runs.started(answer)
    q = expect.array(run.get("q"), "q", shape=(case.rows, case.cols), dtype=np.int8)
    scale = expect.array(run.get("scale"), "scale", shape=(case.rows,), dtype=np.float32)
    starts = np.arange(case.rows)[:, None] * case.stride
    x = case.x[starts + np.arange(case.cols)].astype(np.float64)
    want = np.abs(x).max(axis=1) / 127
    expect.close(scale, want, "scale", rtol=tolerances.SCALAR)
    ratio = x / np.where(want > 0, want, 1)[:, None]
    slack = 0 if case.exact else SLACK
    near = np.abs(q - ratio) <= 0.5 + slack if slack else q == np.rint(ratio)
    codes = np.where(near, q, np.rint(ratio).astype(np.int8))
    at = int(np.argmax(~near))
    expect.codes(q, codes, "q", hint=f"x / scale is {ratio.reshape(-1)[at]:.9g} there.")
    triton_runs.clean(run, {"x": case.x.size, "q": q.size, "scale": case.rows})
    triton_runs.stored_once(run, "q", q.size, case.rows)
