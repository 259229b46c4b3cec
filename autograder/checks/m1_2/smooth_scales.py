"""smooth-scales: activation maximum to the alpha over weight maximum to the 1 - alpha."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import channel_scales

PARTS = {"values": 0.5, "several readers": 0.15, "dead channels": 0.2, "bad input": 0.15}
HINTS = (
    "s = x_amax**alpha / w_amax**(1 - alpha); activations are divided by s.",
    "w_amax: the largest |w| of each column, over the rows of all weights.",
    "Fill in s only where x_amax > 0 and w_amax > 0; the rest is 1.",
)


def _case(rng, label, part, outputs, channels, alpha=None, dead_x=(), dead_w=()):
    x_amax = np.exp(rng.normal(1, 1.2, channels))
    # Columns of their own widths, so that no one of the weights holds every maximum.
    widths = np.exp(rng.normal(-2, 1, (len(outputs), channels)))
    weights = [rng.standard_normal((r, channels)) * v for r, v in zip(outputs, widths, strict=True)]
    x_amax[list(dead_x)] = 0
    for w in weights:
        w[:, list(dead_w)] = 0
    options = {} if alpha is None else {"alpha": alpha}
    return case(label, part, x_amax=x_amax, weights=weights, options=options)


def cases(rng):
    yield _case(rng, "default alpha", "values", [6], 5)
    yield _case(rng, "square", "values", [7], 7, 0.75)
    for alpha in (0.0, 0.25, 0.5, 0.85, 1.0):
        yield _case(rng, f"alpha {alpha}", "values", [12], 9, alpha)
    negative = -np.abs(rng.standard_normal((4, 6))) - 0.1
    yield case("negative weights", "values", x_amax=np.exp(rng.normal(0, 1, 6)), weights=[negative],
               options={"alpha": 0.3})  # fmt: skip
    yield _case(rng, "one output", "values", [1], 8, 0.6)
    yield case("tiny values", "values", x_amax=np.array([1e-9, 1e-8, 3.0, 1e-7]),
               weights=[np.array([[2e-9, 1.0, 1e-8, 500.0]])], options={"alpha": 0.8})  # fmt: skip
    yield _case(rng, "a layer", "values", [128], 256, 0.5)
    yield _case(rng, "q, k and v", "several readers", [8, 4, 4], 8, 0.5)
    yield _case(rng, "gate and up", "several readers", [20, 20], 12, 0.7)
    for alpha in (0.0, 0.5, 1.0):
        label = f"zero inputs, zero weights, alpha {alpha}"
        yield _case(rng, label, "dead channels", [6], 10, alpha, [1, 4], [2, 4])
    yield _case(rng, "all channels dead", "dead channels", [3], 4, 0.5, range(4))
    part = "bad input"
    for alpha in (-0.01, 1.01):
        yield _case(rng, f"alpha {alpha}", part, [4], 5, alpha)
    good = np.exp(rng.normal(0, 1, 6))
    w = rng.standard_normal((5, 6))
    for value in (-1.0, np.nan, np.inf):
        bad = good.copy()
        bad[2] = value
        yield case(f"an x_amax of {value}", part, x_amax=bad, weights=[w], options={})
    yield case("no weights", part, x_amax=good, weights=[], options={})
    yield case("weights of one column", part, x_amax=good, weights=[w[:, :1]], options={})
    yield case("a weight turned round", part, x_amax=good, weights=[w.T.copy()], options={})


def probe(solution, x_amax, weights, options):
    good = weights and all(w.shape[1] == len(x_amax) for w in weights)
    good = good and np.isfinite(x_amax).all() and (x_amax >= 0).all()
    if good and 0 <= options.get("alpha", 0.5) <= 1:
        return solution(x_amax, weights, **options)
    return refusal(lambda: solution(x_amax, weights, **options))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.array(answer, "s", shape=case.x_amax.shape, dtype=np.float64)
    want = channel_scales.smooth(case.x_amax, case.weights, case.options.get("alpha", 0.5))
    hint = {"several readers": HINTS[1], "dead channels": HINTS[2]}.get(case.part, HINTS[0])
    expect.close(answer, want, "s", rtol=1e-9, hint=hint)
