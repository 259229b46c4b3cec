"""gptq-columns: the column loop on a fixed grid, against Optimal Brain Quantization with inverses."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.75, "edges": 0.25}
HINTS = (
    "Quantize column j of the weights as they are now, not of the original ones.",
    "e = (w[:, j] - restored) / u[j, j]; then w[:, j + 1:] -= np.outer(e, u[j, j + 1:]).",
    "decode(codes, scale, zero) gives the restored column; start from w.copy().",
)


def _layer(rng, rows, columns, bits, narrow=1.0, tokens=4):
    """Weights, factor and grid with every rounding away from a tie; narrow < 1 makes codes clip."""
    h = gptq.hessian(gptq.inputs(rng, int(tokens * columns), columns))
    scale = rng.uniform(0.8, 1.2, rows) * 0.6 * narrow / max(2**bits - 1, 1)
    zero = np.rint(rng.uniform(0.4, 0.6, rows) * (2**bits - 1))

    kept = np.zeros((rows, columns))
    todo = np.arange(rows)
    while len(todo):
        kept[todo] = rng.standard_normal((len(todo), columns)) * 0.1
        margin = gptq.solve(kept, h, bits, fixed=(scale, zero)).margin
        todo = np.flatnonzero(margin <= gptq.MARGIN)
    u = gptq.cholesky_of_inverse(h)
    return {"w": kept, "u": u, "scale": scale, "zero": zero, "bits": bits}


def cases(rng):
    near = gptq.cholesky_of_inverse(np.array([[1.0, 0.9], [0.9, 1.0]]))
    grid = {"scale": np.ones(1), "zero": np.zeros(1), "bits": 2}
    yield case("two weights", part="values", w=np.array([[0.4, 0.45]]), u=near, **grid)
    yield case("one row, 6 columns, 3 bits", part="values", **_layer(rng, 1, 6, 3))
    yield case("8 x 24, 4 bits", part="values", **_layer(rng, 8, 24, 4))
    yield case("24 x 16, 3 bits", part="values", **_layer(rng, 24, 16, 3))
    yield case("12 x 64, 2 bits", part="values", **_layer(rng, 12, 64, 2))
    yield case("a narrow grid: codes clip", part="values", **_layer(rng, 8, 16, 3, narrow=0.4))
    yield case("8 bits: codes to 255", part="edges", **_layer(rng, 6, 12, 8, narrow=0.5))
    yield case("1 bit", part="edges", **_layer(rng, 5, 8, 1))
    few = _layer(rng, 4, 20, 4, tokens=0.4)
    yield case("8 tokens, 20 columns, damped", part="edges", **few)
    yield case("one column", part="edges", **_layer(rng, 5, 1, 4))
    # An even and an odd zero-point: with the odd one, adding it before rounding sends ties elsewhere.
    ties = np.array([[0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 7.0, -9.0]] * 2) * 0.25
    grids = {"scale": np.array([0.25, 0.25]), "zero": np.array([8.0, 7.0])}
    alone = {"u": np.eye(8) * 2.0, "bits": 4, **grids}
    yield case("uncorrelated, exact ties", part="edges", w=ties, **alone)
    zeros = _layer(rng, 3, 6, 4)
    zeros["w"][:] = 0
    yield case("weights of zero", part="edges", **zeros)


def probe(solution, w, u, scale, zero, bits):
    return solution(w, u, scale, zero, bits)


def judge(case, answer):
    codes, errors = expect.sequence(answer, ("codes", "errors"))
    shape = case.w.shape
    expect.array(codes, "codes", shape=shape, dtype=np.uint8)
    expect.array(errors, "errors", shape=shape, dtype=np.float64)
    h = np.linalg.inv(case.u.T @ case.u)
    want = gptq.solve(case.w, (h + h.T) / 2, case.bits, fixed=(case.scale, case.zero))
    expect.codes(codes, want.codes, "codes", hint=_errors(case, codes, want, h))
    step = case.scale[:, None] / np.diag(case.u)
    expect.close(
        errors,
        want.errors,
        "errors",
        rtol=1e-6,
        atol=1e-6 * step,
        step=step,
        hint="(w_j - restored_j) / u[j, j], with w_j as it was when its turn came.",
    )


def _errors(case, codes, want, h) -> str:
    """The relative output errors of both, since that is what the codes are for."""
    if not case.w.any():
        return ""
    restored = (codes.astype(np.float64) - case.zero[:, None]) * case.scale[:, None]
    yours = gptq.relative_error(case.w, restored, h)
    ours = gptq.relative_error(case.w, want.restored, h)
    return f"Relative output error: yours {yours:.3g}, right {ours:.3g}."
