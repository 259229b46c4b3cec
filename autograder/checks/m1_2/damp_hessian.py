"""damp-hessian: dead columns become harmless, then a share of the mean diagonal is added."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.6, "edges": 0.4}
HINTS = (
    "dead = np.diag(hessian) == 0; h[dead, dead] = 1 sets diagonal elements only.",
    "w[:, dead] = 0 clears columns, not rows. Work on copies of both arrays.",
    "The mean of the diagonal is taken after the ones are in.",
)


def _layer(rng, rows, columns, dead=(), factor=1.0):
    x = gptq.inputs(rng, 4 * columns, columns)
    x[:, list(dead)] = 0
    return {
        "hessian": gptq.hessian(x, 0) * factor,
        "w": rng.standard_normal((rows, columns)) * 0.1,
    }


def cases(rng):
    plain = {"hessian": np.array([[4.0, 1.0], [1.0, 2.0]]), "w": np.array([[1.0, 2.0]])}
    yield case("2 x 2, half", part="values", options={"percdamp": 0.5}, **plain)
    yield case("5 x 12, default", part="values", options={}, **_layer(rng, 5, 12))
    yield case("9 x 6, 10 %", part="values", options={"percdamp": 0.1}, **_layer(rng, 9, 6))
    one = _layer(rng, 4, 8, [3])
    yield case("a dead column", part="values", options={}, **one)
    quiet = _layer(rng, 8, 8, [0, 5, 7], 1e-4)
    yield case("three dead ones, quiet inputs", part="values", options={"percdamp": 0.2}, **quiet)
    yield case("no damping", part="edges", options={"percdamp": 0}, **_layer(rng, 3, 7, [2]))
    yield case("nothing to do", part="edges", options={"percdamp": 0.0}, **_layer(rng, 3, 7))
    yield case("damping above 1", part="edges", options={"percdamp": 2.0}, **_layer(rng, 3, 5))
    faint = _layer(rng, 3, 6, [1])
    faint["hessian"][4] *= 1e-7
    faint["hessian"][:, 4] *= 1e-7
    yield case("a faint column is not dead", part="edges", options={}, **faint)
    yield case("every column dead", part="edges", options={}, **_layer(rng, 2, 3, [0, 1, 2]))
    zeros = _layer(rng, 3, 5)
    zeros["w"][:, 1] = 0
    yield case("weights of zero, inputs alive", part="edges", options={}, **zeros)
    single = {"hessian": np.array([[0.0]]), "w": np.array([[2.0]])}
    yield case("one column, dead", part="edges", options={"percdamp": 0.25}, **single)
    yield case("negative damping", part="edges", options={"percdamp": -0.01}, refuse=True, **plain)


def probe(solution, hessian, w, options, refuse=False):
    if not refuse:
        made = solution(hessian, w, **options)
        if isinstance(made, (tuple, list)) and len(made) == 3:
            arrays = zip(("hessian", "w"), made, (hessian, w), strict=False)
            shared = [
                n for n, a, b in arrays if isinstance(a, np.ndarray) and np.shares_memory(a, b)
            ]
            return {"made": made, "shared": shared}
        return {"made": made, "shared": []}
    try:
        solution(hessian, w, **options)
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
    got_h, got_w, got_dead = expect.sequence(answer["made"], ("hessian", "w", "dead"))
    columns = len(case.hessian)
    share = case.options.get("percdamp", 0.01)
    expect.array(got_h, "hessian", shape=(columns, columns), dtype=np.float64)
    expect.array(got_w, "w", shape=case.w.shape, dtype=np.float64)
    expect.array(got_dead, "dead", shape=(columns,), dtype=np.bool_)
    dead = [case.hessian[j, j] == 0 for j in range(columns)]
    expect.codes(got_dead, np.array(dead), "dead", hint="Exactly zero on the diagonal, no less.")
    alive = [j for j in range(columns) if not dead[j]]
    want_w = np.zeros(case.w.shape)
    want_w[:, alive] = case.w[:, alive]
    expect.close(got_w, want_w, "w", rtol=0, hint="Columns of dead inputs are 0, others stay.")
    diagonal = [1.0 if dead[j] else case.hessian[j, j] for j in range(columns)]
    want = case.hessian.copy()
    for j in range(columns):
        want[j, j] = diagonal[j] + share * sum(diagonal) / columns
    expect.close(got_h, want, "hessian", rtol=1e-12)
    expect.that(
        not answer["shared"],
        f"`{''.join(answer['shared'][:1])}` is the array that came in, not a new one.",
        stage="mutation",
        hint="Copy both, also where nothing is dead and nothing is added.",
    )
