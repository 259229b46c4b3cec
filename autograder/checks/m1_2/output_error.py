"""output-error: tr(D H D^T) / tr(W H W^T), and refusals where shapes do not fit or nothing comes out."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.75, "edges": 0.25}
HINTS = (
    "D = w - w_hat; the trace of D H D^T is np.sum((D @ hessian) * D).",
    "Divide by the same expression with w in place of D.",
    "Compare w.shape with w_hat.shape, and hessian.shape with (K, K), before any arithmetic.",
)


def _pair(rng, rows, columns, bits):
    w = rng.standard_normal((rows, columns)) * 0.1
    scale, zero, _ = gptq.grid(w, bits)
    codes = np.clip(np.rint(w / scale[:, None]) + zero[:, None], 0, 2**bits - 1)
    return {"w": w, "w_hat": (codes - zero[:, None]) * scale[:, None]}


def cases(rng):
    yield case(
        "two weights, errors that add up",
        part="values",
        w=np.array([[1.0, 2.0]]),
        w_hat=np.array([[1.5, 2.5]]),
        hessian=np.array([[2.0, 1.0], [1.0, 3.0]]),
    )
    h = gptq.hessian(gptq.inputs(rng, 40, 6))
    yield case("4 rows, 6 columns, 3 bits", part="values", hessian=h, **_pair(rng, 4, 6, 3))
    h = gptq.hessian(gptq.inputs(rng, 200, 48), 0)
    yield case("32 x 48, 4 bits", part="values", hessian=h, **_pair(rng, 32, 48, 4))
    yield case("a square layer", part="values", hessian=h[:24, :24], **_pair(rng, 24, 24, 2))
    yield case("a small Hessian", part="values", hessian=h[:8, :8] * 1e-9, **_pair(rng, 3, 8, 3))
    yield case("a large Hessian", part="values", hessian=h[:8, :8] * 1e9, **_pair(rng, 3, 8, 3))
    yield case("one weight", part="values", hessian=np.array([[5.0]]), **_pair(rng, 1, 1, 1))
    equal = _pair(rng, 3, 6, 4)
    equal["w_hat"] = equal["w"].copy()
    yield case("nothing changed", part="edges", hessian=h[:6, :6], **equal)
    none = _pair(rng, 3, 6, 4)
    none["w_hat"] = np.zeros((3, 6))
    yield case("all weights lost", part="edges", hessian=h[:6, :6], **none)
    one = np.outer(np.arange(1.0, 7), np.arange(1.0, 7))
    yield case("one token only", part="edges", hessian=one, **_pair(rng, 5, 6, 2))
    few = _pair(rng, 4, 6, 3)
    for label, changed in (
        ("w_hat with one row", {"w_hat": few["w_hat"][:1]}),
        ("w_hat without rows", {"w_hat": few["w_hat"][0]}),
        ("a Hessian of another layer", {"hessian": h[:4, :4]}),
        ("a vector for the Hessian", {"hessian": np.diag(h)[:6].copy()}),
        ("one column for the Hessian", {"hessian": h[:6, :1].copy()}),
        ("w_hat with one column", {"w_hat": few["w_hat"][:, :1]}),
        ("w_hat with three axes", {"w_hat": few["w_hat"][None]}),
        ("a Hessian of zeros", {"hessian": np.zeros((6, 6))}),
        ("weights of zeros", {"w": np.zeros((4, 6))}),
    ):
        yield case(label, part="edges", refuse=True, **({"hessian": h[:6, :6]} | few | changed))
    square = _pair(rng, 6, 6, 3)  # here NumPy would broadcast the vector without a word
    vector = np.diag(h)[:6].copy()
    label = "a vector for a square layer's Hessian"
    yield case(label, part="edges", refuse=True, hessian=vector, **square)


def probe(solution, w, w_hat, hessian, refuse=False):
    if not refuse:
        return solution(w, w_hat, hessian)
    try:
        solution(w, w_hat, hessian)
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
    change = case.w - case.w_hat
    lost = np.einsum("ri,ij,rj->", change, case.hessian, change)
    whole = np.einsum("ri,ij,rj->", case.w, case.hessian, case.w)
    # Against a float64 sum of at most 1,500 products; weights that are equal give exactly 0.
    expect.number(answer, lost / whole, "relative output error", rtol=1e-8, atol=1e-15)
