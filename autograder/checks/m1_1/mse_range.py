"""mse-range: the amax on a grid whose round trip has the least mean squared error."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import symmetric

PARTS = {"values": 0.75, "edges": 0.25}
GAP = 1e-3  # relative distance of the runner-up: float32 means cannot swap the two
HINTS = (
    "The candidates are max|x| * k / steps for k = 1 to steps: the last one clips nothing.",
    "For each: scale = amax / qmax, round, clip to [-qmax, qmax], restore, mean squared error.",
    "Without the clip the smallest candidate always wins.",
)


def _curve(x, bits, steps):
    """The candidates and the MSE of each, float64."""
    top = np.abs(x.astype(np.float64)).max()
    grid = [top * k / steps for k in range(1, steps + 1)]
    return grid, [symmetric.mse(x, symmetric.scale_of(a, bits), bits) for a in grid]


def _clear(draw, bits, steps):
    """The first draw whose best candidate leads the runner-up by GAP."""
    for _ in range(200):
        x = draw().astype(np.float32)
        first, second = sorted(_curve(x, bits, steps)[1])[:2]
        if second > first * (1 + GAP):
            return x
    raise RuntimeError("mse-range: no draw with a clear winner")


def _with_outliers(rng, count, at, size=2000):
    """Normal values with `count` outliers of magnitude about `at`, all negative."""
    x = rng.standard_normal(size)
    x[:count] = -at * rng.uniform(0.97, 1, count)
    return rng.permutation(x)


def _case(label, part, draw, bits, steps, defaults=False):
    """defaults: call with x alone."""
    x = _clear(draw, bits, steps)
    options = {} if defaults else {"bits": bits, "steps": steps}
    return case(label, part=part, x=x, bits=bits, steps=steps, options=options)


def _for_defaults(rng):
    """Values whose best of 50 candidates is none of the best of 100, nor the largest."""
    while True:
        x = _clear(lambda: _with_outliers(rng, 1, 40, int(rng.integers(5000, 9000))), 8, 50)
        coarse, fine = (int(np.argmin(_curve(x, 8, steps)[1])) + 1 for steps in (50, 100))
        if coarse < 50 and fine != 2 * coarse:
            return x


def cases(rng):
    yield _case("normal, 4 bits", "values", lambda: rng.standard_normal(3000), 4, 20)
    yield _case("Laplace, defaults", "values", lambda: rng.laplace(size=(60, 50)), 8, 50, True)
    x = _for_defaults(rng)
    yield case("one far out, defaults", part="values", x=x, bits=8, steps=50, options={})
    yield _case("negative outliers", "values", lambda: _with_outliers(rng, 3, 12), 4, 40)
    # Where a step swallows the bulk, a second valley lies at the outliers. In turn either is deeper.
    yield _case("one value far out", "values", lambda: _with_outliers(rng, 1, 40, 2500), 3, 32)
    yield _case("three far out", "values", lambda: _with_outliers(rng, 3, 40, 2500), 3, 16)
    yield _case("3 bits, 4-D", "values", lambda: rng.standard_normal((4, 3, 10, 10)), 3, 16)
    yield case("one value", part="edges", x=np.float32([-3]), bits=8, steps=50, options={})
    yield case("zeros", part="edges", x=np.zeros((2, 3), np.float32), bits=8, steps=50, options={})
    yield _case("two candidates", "edges", lambda: np.append(rng.standard_normal(99), 5), 4, 2)


def probe(solution, x, bits, steps, options):
    return solution(x, **options)


def _cause(amax, grid, best, qmax):
    """Float32 search results equal no answer of the bank, so the common slips are named here."""
    if not isinstance(amax, (int, float)):
        return ""
    if np.isclose(amax * qmax, grid[best], rtol=1e-5):
        return "You returned the scale of the best range: amax is qmax times that."
    if best and np.isclose(amax, grid[0], rtol=1e-5):
        return "The smallest candidate won: clip the codes to [-qmax, qmax] before restoring."
    if best < len(grid) - 1 and np.isclose(amax, grid[-1], rtol=1e-5):
        return "The largest candidate won, which clips nothing: compare the errors of all of them."
    return ""


def judge(case, answer):
    amax, mse = expect.sequence(answer, ("amax", "mse"))
    grid, errors = _curve(case.x, case.bits, case.steps)
    best = int(np.argmin(errors)) if grid[-1] > 0 else 0
    qmax = symmetric.qmax(case.bits)
    hint = f"the best of {case.steps} candidates is k = {best + 1}" if grid[-1] > 0 else ""
    expect.number(amax, grid[best], "amax", cause=_cause(amax, grid, best, qmax), hint=hint)
    # A value that comes back exactly in float64 may be off by its float32 rounding.
    slack = (1e-6 * grid[-1]) ** 2
    expect.number(mse, errors[best], "mse", rtol=tolerances.MEAN, atol=slack)
