"""gptq-codes: GPTQ down to what a checkpoint stores: codes, scales, zero-points of each group."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"codes": 0.5, "grids": 0.35, "refusals": 0.15}
HINTS = (
    "Your gptq_weight of lesson 6 has all of it: keep code, scale and zero instead of restoring.",
    "codes[:, j] for each column; scales[:, j // group_size] when a group begins.",
    "Refuse an empty calibration set, which shows as a Hessian of zeros, before you damp.",
)


def cases(rng):
    for part in ("codes", "grids"):
        for label, rows, columns, bits, size in (
            ("one group", 4, 16, 4, 16),
            ("four groups", 6, 64, 4, 16),
            ("3 bits", 5, 48, 3, 24),
            ("8 bits", 4, 32, 8, 16),
        ):
            yield _case(rng, label, part, rows, columns, bits, size)
        yield _case(rng, "an input that never fires", part, 4, 32, 4, 16, dead=(7,))
    fine = _case(rng, "", "refusals", 3, 8, 4, 4).inputs
    for label, change in (
        ("no calibration inputs: a Hessian of zeros", {"hessian": np.zeros((8, 8))}),
        ("a Hessian of another size", {"hessian": np.eye(9)}),
        ("groups that do not divide the inputs", {"group_size": 5}),
        ("a Hessian that holds infinity", {"hessian": np.full((8, 8), np.inf)}),
        ("9 bits, which no uint8 holds", {"bits": 9}),
    ):
        yield case(label, "refusals", refused=True, **{**fine, **change})


def _case(rng, label, part, rows, columns, bits, size, dead=()):
    x = gptq.inputs(rng, 4 * columns + 8, columns)
    x[:, list(dead)] = 0
    hessian = 2 * x.T @ x / len(x)

    def draw(rng, r, c):
        return (rng.standard_normal((r, c)) * 0.1).astype(np.float32).astype(np.float64)

    def margin(w):
        return _solve(w, hessian, bits, size).margin

    w = gptq.steady_rows(rng, rows, columns, margin, draw)
    return case(
        label, part, weight=w.astype(np.float32), hessian=hessian, bits=bits, group_size=size
    )


def _solve(weight, hessian, bits, size):
    w, h = np.array(weight, np.float64), np.array(hessian, np.float64)
    dead = np.diagonal(h) == 0
    h[dead, dead] = 1
    w[:, dead] = 0
    return gptq.solve(w, h + 0.01 * np.diagonal(h).mean() * np.eye(len(h)), bits, size)


def probe(solution, weight, hessian, bits, group_size, refused=False):
    if refused:
        return refusal(lambda: solution(weight, hessian, bits, group_size))  # noqa: F821
    return solution(weight, hessian, bits, group_size)


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    codes, scales, zeros = expect.sequence(answer, ("codes", "scales", "zeros"))
    rows, columns = case.weight.shape
    groups = columns // case.group_size
    codes = expect.array(codes, "codes", shape=(rows, columns), dtype=np.uint8)
    scales = expect.array(scales, "scales", shape=(rows, groups), dtype=np.float32)
    zeros = expect.array(zeros, "zeros", shape=(rows, groups), dtype=np.uint8)
    want = _solve(case.weight, case.hessian, case.bits, case.group_size)
    if case.part == "codes":
        return expect.codes(codes, want.codes, "codes", hint=HINTS[0])
    expect.codes(zeros, want.zeros.astype(np.int64), "zeros", hint=HINTS[1])
    return expect.close(scales, want.scales, "scales", rtol=1e-4, hint=HINTS[1])
