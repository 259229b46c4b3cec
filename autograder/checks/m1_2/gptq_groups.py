"""gptq-groups: a grid for each row and group, from the weights as they are when its turn comes."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "If it calls gptq_columns and gptq_blocks, get their checks right first.",
    "min_max_grid(w_block, bits) inside the block solver sees weights that are up to date.",
    "gptq_blocks(w, u, solve, group_size) makes every block a group.",
    "np.stack(scales, axis=1) turns a list of (R,) into (R, groups).",
)


def _layer(rng, rows, columns, bits, size, tokens=4.0, shift=0.0):
    h = gptq.hessian(gptq.inputs(rng, int(tokens * columns), columns))
    widths = np.repeat(rng.permuted(np.geomspace(0.03, 0.3, columns // size)), size)

    def draw(r, n, k):
        return (r.standard_normal((n, k)) + shift) * widths

    w = gptq.steady_rows(rng, rows, columns, lambda w: gptq.solve(w, h, bits, size).margin, draw)
    return {"w": w, "u": gptq.cholesky_of_inverse(h), "bits": bits, "group_size": size}


def cases(rng):
    yield case("2 x 6, groups of 3", part="values", **_layer(rng, 2, 6, 3, 3))
    yield case("8 x 24, groups of 8, 4 bits", part="values", **_layer(rng, 8, 24, 4, 8))
    yield case("24 x 16, groups of 4, 3 bits", part="values", **_layer(rng, 24, 16, 3, 4))
    yield case("16 x 16, groups of 4, 2 bits", part="values", **_layer(rng, 16, 16, 2, 4))
    yield case("6 x 60, groups of 20, 3 bits", part="values", **_layer(rng, 6, 60, 3, 20))
    yield case("weights mostly positive", part="values", **_layer(rng, 6, 12, 4, 4, shift=2.0))
    yield case("one group a row", part="edges", **_layer(rng, 5, 10, 3, 10))
    yield case("groups of one", part="edges", **_layer(rng, 4, 5, 4, 1))
    yield case("8 bits", part="edges", **_layer(rng, 4, 12, 8, 6))
    yield case("6 tokens, 12 columns, damped", part="edges", **_layer(rng, 4, 12, 4, 4, tokens=0.5))
    alone = _layer(rng, 4, 8, 3, 4)
    alone["u"] = np.eye(8)
    alone["w"] = np.array([[0.0] * 4 + [1, 2, 3, 7.1], [-3, -1, -2, -7.2] + [0.0] * 4])
    yield case("uncorrelated, a group of zeros", part="edges", **alone)
    ragged = _layer(rng, 3, 12, 4, 4)
    for size in (5, 24, 0, -3):
        label = f"12 columns in groups of {size}"
        yield case(label, part="edges", refuse=True, **(ragged | {"group_size": size}))


def probe(solution, w, u, bits, group_size, refuse=False):
    if not refuse:
        return solution(w, u, bits, group_size)
    try:
        solution(w, u, bits, group_size)
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
    codes, scales, zeros = expect.sequence(answer, ("codes", "scales", "zeros"))
    h = np.linalg.inv(case.u.T @ case.u)
    want = gptq.solve(case.w, (h + h.T) / 2, case.bits, case.group_size)
    expect.array(codes, "codes", shape=case.w.shape, dtype=np.uint8)
    groups = f"{case.w.shape[1]} columns / {case.group_size} = {want.scales.shape[1]} grids a row."
    expect.array(scales, "scales", shape=want.scales.shape, dtype=np.float64, hint=groups)
    expect.array(zeros, "zeros", shape=want.zeros.shape, dtype=np.float64, hint=groups)
    hint = "min_max_grid of the group's weights, once all earlier groups are done."
    expect.close(scales, want.scales, "scales", rtol=1e-7, hint=hint)
    expect.close(zeros, want.zeros, "zeros", rtol=0, hint=hint)
    expect.codes(codes, want.codes, "codes")
