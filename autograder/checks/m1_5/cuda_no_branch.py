"""cuda-no-branch: codes by NumPy; one store a warp, and no way that lanes of a warp do not share."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"codes": 0.4, "no divergence": 0.4, "tail": 0.2}
HINTS = (
    "Only the scale differs: float s = v < 0.0f ? low : high; then one division for all lanes.",
    "fmaxf and fminf clip without a branch; then the cast.",
)


def cases(rng):
    yield _case(rng, "64 values", "codes", 64, 1, 64)
    edges = np.float32([0, -0.0, 127, -128, 200, -300, 0.5, -0.5, 1.5, -2.5, 1e20, -1e20])
    yield _made("ends and halves", "codes", edges, 1, 32, 1.0, 1.0)
    yield _made("halves with two scales", "codes", edges, 1, 32, 2.0, 0.5)
    # Quotients that are halves exactly, where the product with a rounded 1 / s is not.
    halves = np.arange(-100, 100) + 0.5
    exact = np.where(halves < 0, 49.0, 41.0) * halves
    yield _made("halves of scales 49 and 41", "codes", exact.astype(np.float32), 2, 128, 49.0, 41.0)
    mixed = np.tile(np.float32([3, -3]), 64)
    yield _made("every second value negative", "no divergence", mixed, 2, 64, 0.5, 0.25)
    near = np.clip(rng.normal(0, 5, 256), -20, 20).astype(np.float32)
    yield _made("256 values", "no divergence", near, 1, 256, 0.25, 0.5)
    beyond = np.tile(np.float32([999, -999, 5, -5]), 32)
    yield _made("some are clipped", "no divergence", beyond, 2, 64, 1.0, 2.0)
    n = int(rng.integers(65, 127))
    yield _case(rng, f"n = {n}", "tail", n, 2, 64)
    yield _case(rng, "one value", "tail", 1, 1, 32)


def _case(rng, label, part, n, blocks, threads):
    x = rng.normal(0, 50, n).astype(np.float32)
    low, high = (float(2.0**k) for k in rng.permutation([-2, -1, 0, 1])[:2])
    return _made(label, part, x, blocks, threads, low, high)


def _made(label, part, x, blocks, threads, low, high):
    return case(label, part=part, x=x, blocks=blocks, threads=threads, low=low, high=high)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.x.size
    args = (
        ("in", "x", case.x),
        ("out", "q", np.full(n, 99, np.int8)),
        np.float32(case.low),
        np.float32(case.high),
        np.int32(n),
    )
    return run(answer, Launch("quantize_two", (case.blocks,), (case.threads,), args))


def judge(case, answer):
    ratio = case.x.astype(np.float64) / np.where(case.x < 0, case.low, case.high)
    expect.codes(answer["q"], np.clip(np.rint(ratio), -128, 127).astype(np.int8), "q")
    counters = answer["counters"]
    expect.that(
        counters["load_bytes"] == 4 * case.x.size and counters["store_bytes"] == case.x.size,
        "Each element is to be read once and written once.",
        yours=f"{counters['load_bytes'] // 4} reads, {counters['store_bytes']} writes",
        right=f"{case.x.size} of each",
    )
    if case.part == "no divergence":
        warps = case.x.size // 32
        expect.that(
            counters["store_requests"] == warps,
            "All lanes of a warp are to store together.",
            yours=f"{counters['store_requests']} requests to store",
            right=f"{warps}, one a warp",
        )
        # A choice within a choice (?: in an arm of ?:) is a branch to the compiler: no matter in clipping.
        clipped = (np.rint(ratio) > 127) | (np.rint(ratio) < -128)
        expect.that(
            clipped.any() or counters["divergent_branches"] == 0,
            "Lanes of a warp still go different ways.",
            yours=f"{counters['divergent_branches']} divergent branches",
            right="0",
        )
