"""awq-search: the exponent with the least output error, against a brute-force grid."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import channel_scales

PARTS = {"errors": 0.5, "choice": 0.3, "bad input": 0.2}
HINTS = (
    "mean |x| over the rows of x is the importance; awq_scales makes s of it.",
    "(x / s) @ quantize_weights(w * s, bits, group_size).T against x @ w.T.",
    "np.argmin gives the first of equal errors; divide its index by grid.",
)


def _layer(rng, n, rows, columns, loud=3, dtype=np.float64, factor=40.0):
    """Normal weights; `loud` channels of the inputs are larger, so that scaling matters."""
    x = rng.standard_normal((n, columns)) * np.exp(rng.normal(0, 0.4, columns))
    x[:, rng.permutation(columns)[:loud]] *= factor
    w = rng.standard_normal((rows, columns)) * rng.uniform(0.02, 0.2, (rows, 1))
    return {"w": w.astype(dtype), "x": x.astype(dtype)}


def cases(rng):
    small = {"bits": 3, "group_size": 8, "grid": 4}
    yield case("6 x 16", **_layer(rng, 9, 6, 16, 1), options=small, part="errors")
    yield case("square", **_layer(rng, 16, 16, 16, 1), options={**small, "grid": 5}, part="errors")
    mean = {"bits": 4, "group_size": 10, "grid": 8}
    yield case("one token", **_layer(rng, 1, 5, 20, 2), options=mean, part="errors")
    yield case("default arguments", **_layer(rng, 24, 12, 256, 6), options={}, part="errors")
    fine = {"bits": 4, "group_size": 32, "grid": 3}
    yield case("groups of 32", **_layer(rng, 9, 6, 256, 6), options=fine, part="errors")
    wide = _layer(rng, 12, 8, 32, 2, np.float32)
    yield case("float32 inputs", **wide, options={**small, "bits": 4}, part="errors")
    yield case(
        "two exponents", **wide, options={"bits": 2, "group_size": 32, "grid": 1}, part="errors"
    )
    dead = _layer(rng, 10, 6, 24, 1)
    dead["x"][:, [2, 17]] = 0
    yield case(
        "dead channels", **dead, options={"bits": 3, "group_size": 12, "grid": 6}, part="choice"
    )
    blank = _layer(rng, 10, 6, 24, 1)
    blank["w"][:, 3] = 0
    blank["w"][2] = 0
    yield case("a column and a row of zeros", **blank, options=small, part="choice")
    for k in range(3):
        layer = _layer(rng, 40, 16, 64, 2 + k, factor=6.0 * 3**k)
        options = {"bits": 3, "group_size": 32, "grid": 20}
        yield case(f"a layer, {2 + k} loud channels", **layer, options=options, part="choice")
    silent = {"w": rng.standard_normal((3, 8)), "x": np.zeros((5, 8))}
    yield case("inputs of zeros", **silent, options=small, part="choice")
    good = _layer(rng, 5, 4, 16)
    yield case("no tokens", w=good["w"], x=good["x"][:0], options=small, part="bad input")
    yield case(
        "x of another width", w=good["w"], x=good["x"][:, :8], options=small, part="bad input"
    )
    yield case(
        "x with one column", w=good["w"], x=good["x"][:, :1], options=small, part="bad input"
    )
    yield case("grid 0", **good, options={**small, "grid": 0}, part="bad input")
    yield case("groups of 5", **good, options={**small, "group_size": 5}, part="bad input")


def probe(solution, w, x, options):
    fits = w.shape[1] % options.get("group_size", 128) == 0 and options.get("grid", 20) >= 1
    if fits and len(x) and x.shape[1] == w.shape[1]:
        return solution(w, x, **options)
    return refusal(lambda: solution(w, x, **options))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    options = {"bits": 4, "group_size": 128, "grid": 20, **case.options}
    alpha, errors = expect.sequence(answer, ("alpha", "errors"))
    grid = options["grid"]
    expect.array(errors, "errors", shape=(grid + 1,), dtype=np.float64)
    want = channel_scales.awq_errors(case.w, case.x, **options)
    # Squares of differences between nearly equal products: a cancellation of 1e-16 of the outputs.
    floor = 1e-24 * float(np.mean((case.x.astype(np.float64) @ case.w.T.astype(np.float64)) ** 2))
    expect.close(errors, want, "errors", rtol=1e-6, atol=floor, hint=HINTS[1])
    # Exponents whose errors tie but for rounding are all the least; where all are 0, it is the first.
    least = (
        np.flatnonzero(want <= want.min() * (1 + 1e-6) + floor) / grid
        if want.any()
        else np.zeros(1)
    )
    chosen = alpha if isinstance(alpha, (int, float)) else 0.0
    nearest = float(least[np.argmin(np.abs(least - chosen))])
    expect.number(alpha, nearest, "alpha", rtol=1e-12, atol=1e-12, hint=HINTS[2])
