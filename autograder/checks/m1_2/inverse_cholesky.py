"""inverse-cholesky: the upper factor of the inverse, held against explicit inverses row by row."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "np.linalg.cholesky(np.linalg.inv(h)) is a lower L with inv(h) = L @ L.T.",
    "U.T @ U = L @ L.T holds for U = L.T.",
    "Catch np.linalg.LinAlgError and raise a ValueError that speaks of damping.",
)


def cases(rng):
    yield case("2 x 2", part="values", hessian=np.array([[1.0, 0.9], [0.9, 1.0]]))
    yield case("a diagonal", part="values", hessian=np.diag([4.0, 0.25, 9.0, 1.0]))
    for columns in (3, 8, 48):
        h = gptq.hessian(gptq.inputs(rng, 4 * columns, columns))
        yield case(f"{columns} columns", part="values", hessian=h)
    few = gptq.hessian(gptq.inputs(rng, 6, 20))
    yield case("6 tokens, 20 columns, damped", part="values", hessian=few)
    yield case("quiet inputs", part="edges", hessian=gptq.hessian(gptq.inputs(rng, 40, 8)) * 1e-8)
    yield case("loud inputs", part="edges", hessian=gptq.hessian(gptq.inputs(rng, 40, 8)) * 1e8)
    yield case("one column", part="edges", hessian=np.array([[4.0]]))
    # Squares, so that no rounding makes a singular matrix look regular.
    same = np.array([[4.0, 4.0, 2.0], [4.0, 4.0, 2.0], [2.0, 2.0, 5.0]])
    for label, h in (
        ("two equal columns", same),
        ("a dead column", np.diag([1.0, 0.0, 2.0])),
        ("a Hessian of zeros", np.zeros((3, 3))),
        ("one token, two columns", np.ones((2, 2))),
        ("an indefinite matrix", np.array([[1.0, 2.0], [2.0, 1.0]])),
        ("a negative diagonal", -np.eye(3)),
    ):
        yield case(label, part="edges", hessian=h, refuse=True)


def probe(solution, hessian, refuse=False):
    if not refuse:
        return solution(hessian)
    try:
        solution(hessian)
    except NotImplementedError:
        raise
    except Exception as error:
        kind = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        return {"raised": kind, "text": str(error)[:300]}
    return {"raised": None}


def judge(case, answer):
    if case.inputs.get("refuse"):
        why = f"{case.label.capitalize()} is not positive definite: raise ValueError."
        expect.raised(answer, "ValueError", why)
        expect.that(
            "damp" in str(answer.get("text", "")).lower(),
            "The error's text must say what to do: it holds the word damp.",
            stage="edge",
            yours=str(answer.get("text", ""))[:100],
            right='a text with "damp"',
        )
        return
    columns = len(case.hessian)
    expect.array(answer, "u", shape=(columns, columns), dtype=np.float64)
    want = gptq.cholesky_of_inverse(case.hessian)
    # The condition numbers here stay below 1e6, so both ways agree to 1e-9 of the largest element.
    slack = 1e-9 * np.abs(want).max()
    expect.close(answer, want, "u", rtol=1e-8, atol=slack)
