"""entropy-range: the clip threshold with the least KL divergence, as TensorRT's calibrator."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import clipping

PARTS = {"values": 0.85, "edges": 0.15}
GAP = 1e-5  # relative distance of the runner-up's divergence; float64 sums agree to 1e-12
HINTS = (
    "np.histogram(np.abs(x), bins=bins, range=(0, amax)): without range it starts at min|x|.",
    "Copy before you add: P = counts[:i].astype(float) leaves counts alone.",
    "np.bincount(level, weights=counts[:i]) sums the levels; count the filled bins alike.",
    "Only the P > 0 terms count; one of them with Q == 0 makes the divergence infinite.",
)


def _on_bins(rng, magnitudes, bins):
    """float32 values with these magnitudes (the largest exact), none near a bin's edge."""
    top = np.float32(magnitudes.max())
    width = float(top) / bins
    index = np.minimum(np.floor(magnitudes / width), bins - 1)
    x = (index + rng.uniform(0.1, 0.9, index.shape)) * width
    x[np.argmax(magnitudes)] = top
    x[magnitudes == 0] = 0
    return (x * rng.choice([-1, 1], x.shape)).astype(np.float32), index.astype(int)


def _clear(rng, draw, bits, bins):
    """The first draw whose best threshold leads the runner-up by GAP."""
    for _ in range(200):
        x, index = _on_bins(rng, np.abs(draw()), bins)
        found = clipping.divergences(np.bincount(index, minlength=bins), 2 ** (bits - 1))
        first, second = np.sort(np.append(found, np.inf))[:2]
        if second > first * (1 + GAP) + 1e-9:
            return x
    raise RuntimeError("entropy-range: no draw with a clear winner")


def _case(rng, label, part, draw, bits, bins, options=None):
    """options None: both are given."""
    options = {"bits": bits, "bins": bins} if options is None else options
    x = _clear(rng, draw, bits, bins)
    return case(label, part=part, x=x, bits=bits, bins=bins, options=options)


def cases(rng):
    hand = np.float32([0.5, 1.5, -1.4, 2.5, 4.5, -8])
    yield case("six values, 8 bins, 3 bits", part="values", x=hand, bits=3, bins=8,
               options={"bits": 3, "bins": 8})  # fmt: skip
    yield _case(rng, "sparse, 4 bits", "values", lambda: rng.standard_t(4, 300), 4, 64)
    yield _case(rng, "normal, 4 bits", "values", lambda: rng.standard_normal(5000), 4, 100)
    yield _case(rng, "outliers, 5 bits", "values",
                lambda: np.append(rng.standard_normal(4000), rng.uniform(8, 16, 20)), 5, 200)  # fmt: skip
    yield _case(rng, "after ReLU, half of them 0", "values",
                lambda: np.maximum(rng.standard_t(4, 3000), 0), 4, 100)  # fmt: skip
    yield _case(rng, "8 bits, 512 bins", "values", lambda: rng.laplace(size=20_000), 8, 512)
    yield _case(
        rng, "defaults, 2048 bins", "values", lambda: rng.standard_t(5, 50_000), 8, 2048, {}
    )
    same = np.float32([[2, -2, 2]])
    yield case("all of one magnitude", part="edges", x=same, bits=4, bins=32,
               options={"bits": 4, "bins": 32})  # fmt: skip
    spikes = np.float32([4.5, -4.5, 4.5, 8])  # keeping 5 bins, or all 8, leaves P and Q equal
    yield case(
        "two thresholds equally good",
        part="edges",
        x=spikes,
        bits=3,
        bins=8,
        options={"bits": 3, "bins": 8},
    )
    yield _case(rng, "as many bins as levels", "edges", lambda: rng.standard_normal(500), 5, 16)
    yield case("zeros", part="edges", x=np.zeros(9, np.float32), bits=4, bins=32,
               options={"bits": 4, "bins": 32})  # fmt: skip


def probe(solution, x, bits, bins, options):
    if x.any():
        return solution(x, **options)
    return refusal(lambda: solution(x, **options))


def judge(case, answer):
    magnitudes = np.abs(case.x.astype(np.float64)).reshape(-1)
    top = magnitudes.max()
    if top == 0:
        expect.raised(answer, "ValueError", "Zeros have no range to choose: raise ValueError.")
        return
    levels = 2 ** (case.bits - 1)
    index = np.minimum(np.floor(magnitudes / top * case.bins), case.bins - 1).astype(int)
    want = clipping.divergences(np.bincount(index, minlength=case.bins), levels)
    amax, found = expect.sequence(answer, ("amax", "divergences"))
    expect.array(
        found,
        "divergences",
        shape=want.shape,
        dtype=np.float64,
        hint=f"One for each i from {levels} to {case.bins}, both included.",
    )
    expect.codes(
        np.isinf(found),
        np.isinf(want),
        "where divergences is infinite",
        hint="Infinite exactly where P has mass in a bin in which Q has none.",
    )
    expect.close(
        found,
        want,
        "divergences",
        rtol=1e-6,
        atol=1e-9,
        hint=f"Entry 0 keeps i = {levels} bins in {levels} levels; the last clips nothing.",
    )
    kept = levels + int(np.argmin(want))
    expect.number(amax, kept * top / case.bins, "amax", hint=f"the best i is {kept}")
