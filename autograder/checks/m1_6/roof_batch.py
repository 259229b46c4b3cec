"""roof-batch: the smallest compute-bound batch of a linear layer, found by bisection over whole numbers."""

from autograder.checks import case, expect

PARTS = {"a batch": 0.5, "none or exact": 0.3, "refuse": 0.2}
HINTS = (
    "flops / bytes >= peak / bandwidth, without a division: flops * bandwidth >= peak * bytes.",
    "Both sides are straight lines in the batch: solve for it, or bisect.",
    "With ever more rows the intensity tends to 2 n k / (act_bytes (n + k)), no further.",
)
GIGA = 10**9


def _given(n, k, bits, act, peak, rate):
    return {"n": n, "k": k, "bits": bits, "act": act, "peak": peak, "rate": rate}


def compute_bound(batch, n, k, bits, act, peak, rate):
    """Whether this batch's intensity reaches the ridge, in whole numbers."""
    moved = (n * k * bits + 7) // 8 + batch * act * (n + k)
    return 2 * batch * n * k * rate >= peak * moved


def smallest(**given):
    """The first batch that is compute-bound, or None: doubling, then bisection."""
    n, k, act, peak, rate = (given[key] for key in ("n", "k", "act", "peak", "rate"))
    if 2 * n * k * rate <= peak * act * (n + k):
        return None
    high = 1
    while not compute_bound(high, **given):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if compute_bound(middle, **given) else (middle, high)
    return high


def _on_ridge(batch, n, k, bits, act, scale, more=0):
    """A machine whose ridge is this batch's intensity; `more` FLOP/s above it."""
    moved = (n * k * bits + 7) // 8 + batch * act * (n + k)
    return _given(n, k, bits, act, 2 * batch * n * k * scale + more, moved * scale)


def cases(rng):
    part, drawn = "a batch", 0
    while drawn < 10:
        n, k = (int(v) for v in rng.integers(300, 9000, 2))
        bits, act = int(rng.choice([32, 16, 8, 4])), int(rng.choice([1, 2, 4]))
        peak, rate = int(rng.integers(50, 900)) * GIGA, int(rng.integers(5, 60)) * GIGA
        given = _given(n, k, bits, act, peak, rate)
        found = smallest(**given)
        if found is not None and found < 5000:
            drawn += 1
            yield case(f"{n} x {k}, {bits} bits", part, **given)
    yield case("a GPU", part, **_given(8192, 8192, 16, 2, 989 * 10**12, 3350 * GIGA))
    yield case("compute-bound with one row", part, **_given(64, 64, 4, 1, GIGA, 8 * GIGA))
    part = "none or exact"
    yield case("a small layer on a fast machine", part,
               **_given(64, 64, 16, 2, 989 * 10**12, 3350 * GIGA))  # fmt: skip
    yield case("one row of outputs", part, **_given(1, 4096, 8, 2, 100 * GIGA, 20 * GIGA))
    # The limit of many rows is the ridge itself: 2 * 64 * 64 / (4 * 128) = 16.
    yield case("the limit is the ridge", part, **_given(64, 64, 32, 4, 160 * GIGA, 10 * GIGA))
    for batch in (1, 7, 64, 1000):
        n, k = (int(v) for v in rng.integers(500, 4000, 2))
        yield case(f"exactly at {batch}", part, **_on_ridge(batch, n, k, 8, 2, 1))
        yield case(f"a little above {batch}", part, **_on_ridge(batch, n, k, 8, 2, 10**12, 1))
        yield case(
            f"exactly at {batch}, large numbers", part, **_on_ridge(batch, n, k, 4, 2, 10**12 + 7)
        )
    yield case("an odd count of 4-bit weights", part, **_on_ridge(5, 77, 51, 4, 1, 1))
    yield case("nine 4-bit weights: 5 bytes", part, **_on_ridge(50, 3, 3, 4, 1, 1))
    # Ordinary numbers: here rounding down shows, which on the ridge looks like a float's rounding.
    yield case("between two batches", part, **_given(512, 512, 16, 2, 100 * GIGA, 7 * GIGA))
    # Almost no slope: 512 million rows, found without trying them one by one.
    yield case("a huge batch", part, **_given(64, 64, 32, 4, 160 * GIGA - 10**4, 10 * GIGA))
    good = _given(64, 32, 8, 2, 100 * GIGA, 20 * GIGA)
    shown = {"bits": "weight_bits", "act": "act_bytes", "rate": "bandwidth"}
    for name in good:
        for bad in (0, -8):
            yield case(
                f"{shown.get(name, name)} = {bad}", "refuse", **{**good, name: bad}, refuse=True
            )


def probe(solution, n, k, bits, act, peak, rate, refuse=False):
    if refuse:
        return refusal(lambda: solution(n, k, bits, act, peak, rate))  # noqa: F821
    return solution(n, k, bits, act, peak, rate)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = smallest(**case.inputs)
    if want is None:
        expect.that(answer is None, "No batch is compute-bound here: return None.", yours=answer,
                    right="None")  # fmt: skip
        return None
    expect.that(answer is not None, "A batch is compute-bound here.", yours="None", right=want)
    expect.integer(answer, want, "the batch")
    return None
