"""compact-gptq: a layer through GPTQ in a few lines, against explicit inverses in float64."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import channel_scales, gptq

PARTS = {"values": 0.7, "dead inputs": 0.15, "refusals": 0.15}
HINTS = (
    "Copies first: w and h are changed below, the caller's arrays are not.",
    "Dead inputs, then damping: damp = percdamp * h.diagonal().mean(), added on the diagonal.",
    "u = np.linalg.cholesky(np.linalg.inv(h)).T is upper triangular.",
    "At column j: round, err = (w[:, j] - q) / u[j, j], then w[:, j+1:] -= np.outer(err, u[j, j+1:]).",
    "At j % group_size == 0 make the grid from w[:, j:j + group_size] as it is by then.",
)
# One step of the grid is some 1e-2 of the weights; float32 throughout ends below 1e-4 of that.
SLACK_STEPS = 2e-3


def cases(rng):
    for label, rows, columns, bits, size in (
        ("one input", 2, 1, 4, 1),
        ("one group", 4, 16, 3, 16),
        ("four groups, 3 bits", 6, 64, 3, 16),
        ("2 bits", 5, 48, 2, 24),
        ("4 bits, groups of 32", 8, 96, 4, 32),
    ):
        yield _case(rng, label, rows, columns, bits, size)
    yield _case(rng, "other damping", 5, 32, 3, 8, percdamp=0.1)
    yield _case(rng, "a row of zeros, a positive row", 4, 32, 3, 16, odd_rows=True)
    yield _case(rng, "two inputs that never fire", 4, 32, 3, 16, part="dead inputs", dead=(5, 16))
    fine = _case(rng, "", 3, 8, 4, 4).inputs
    for label, change in (
        ("a Hessian of another size", {"hessian": np.eye(7)}),
        ("groups that do not divide the inputs", {"group_size": 3}),
        ("no bits", {"bits": 0}),
        ("a Hessian that holds NaN", {"hessian": np.full((8, 8), np.nan)}),
        ("a Hessian that is not positive definite", {"hessian": np.diag([1.0] * 7 + [-9.0])}),
    ):
        yield case(label, "refusals", refused=True, **{**fine, **change})


def _case(
    rng, label, rows, columns, bits, size, part="values", percdamp=0.01, dead=(), odd_rows=False
):
    x = gptq.inputs(rng, 4 * columns + 8, columns)
    x[:, list(dead)] = 0
    hessian = 2 * x.T @ x / len(x)
    h = _damped(hessian, percdamp)

    def draw(rng, r, c):
        w = rng.standard_normal((r, c)) * 0.1
        w[:, list(dead)] *= 5
        if odd_rows:
            w[0::3] = np.abs(w[0::3])
        return w.astype(np.float32).astype(np.float64)

    def margin(w):
        return gptq.solve(_without(w, dead), h, bits, size).margin

    w = gptq.steady_rows(rng, rows, columns, margin, draw)
    if odd_rows:
        w[-1] = 0
    return case(label, part, weight=w.astype(np.float32), hessian=hessian, bits=bits,
                group_size=size, percdamp=percdamp)  # fmt: skip


def _damped(hessian, percdamp):
    h = np.array(hessian, np.float64)
    dead = np.diagonal(h) == 0
    h[dead, dead] = 1
    return h + percdamp * np.diagonal(h).mean() * np.eye(len(h))


def _without(w, dead):
    w = np.array(w, np.float64)
    w[:, list(dead)] = 0
    return w


def probe(solution, weight, hessian, bits, group_size, percdamp, refused=False):
    if refused:
        return refusal(lambda: solution(weight, hessian, bits, group_size))  # noqa: F821
    if percdamp == 0.01:
        return solution(weight, hessian, bits, group_size)
    return solution(weight, hessian, bits, group_size, percdamp=percdamp)


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    got = expect.array(
        answer, "restored weight", shape=case.weight.shape, dtype=(np.float32, np.float64)
    )
    w = case.weight.astype(np.float64)
    dead = np.flatnonzero(np.diagonal(case.hessian) == 0)
    want = gptq.solve(
        _without(w, dead), _damped(case.hessian, case.percdamp), case.bits, case.group_size
    )
    step = np.repeat(want.scales, case.group_size, axis=1)
    expect.close(
        got, want.restored, "restored weight", rtol=0, atol=SLACK_STEPS * step + 1e-7, step=step,
        cause=_cause(case, got), hint=HINTS[2],
    )  # fmt: skip
    return None


def _cause(case, got):
    plain = channel_scales.group_round_trip(case.weight, case.bits, case.group_size)
    if np.allclose(got, plain, atol=1e-5):
        return "That is rounding to nearest: no error was moved to later columns."
    return ""
