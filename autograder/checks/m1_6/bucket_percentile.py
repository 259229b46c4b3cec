"""bucket-percentile: the bucket that holds a rank, against every value spread out and sorted."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"bounds": 0.5, "estimate": 0.3, "edges": 0.2}
HINTS = (
    "rank = max(1, ceil(basis_points * n / 10,000)) in whole numbers, n the sum of counts.",
    "np.argmax(np.cumsum(counts) >= rank) is the bucket; empty ones are passed over by themselves.",
    "left is max(min, limits[i - 1]), right is min(max, limits[i]); bucket 0 begins at min.",
)


def _event(limits, counts, low, high, extra=0):
    counts = np.asarray(counts, float)
    numbers = {
        "min": float(low),
        "max": float(high),
        "num": float(counts.sum() + extra),
        "sum": 0.0,
    }
    return {"step": 0, **numbers, "limits": np.asarray(limits, float), "counts": counts}


def _drawn(rng, size):
    """A histogram in TensorBoard's buckets, of drawn values."""
    from torch.utils.tensorboard.summary import make_histogram

    values = rng.normal(rng.uniform(-0.1, 0.1), 0.05, size)
    grown = 1e-12 * 1.1 ** np.arange(772)
    made = make_histogram(values, np.r_[-grown[::-1], 0, grown])
    return _event(made.bucket_limit, made.bucket, made.min, made.max)


def cases(rng):
    plain = _event([1, 2, 4], [0, 6, 4], 1.25, 3.5)
    for part in ("bounds", "estimate"):
        for points in (8000, 6000, 6001, 100, 5000):
            yield case(f"two buckets, {points}", part, event=plain, basis_points=points)
        for size in (7, 100, 1000):
            points = int(rng.integers(1, 10_000))
            yield case(
                f"{size} values, {points}", part, event=_drawn(rng, size), basis_points=points
            )
        # 0.07 * 100 is above 7 as a float; the rank is 7.
        hundred = _event(np.arange(1, 101), np.ones(100), 0.5, 99.5)
        for points in (700, 2900, 5700):
            yield case(f"a hundred buckets, {points}", part, event=hundred, basis_points=points)
        gaps = _event([-3, -2, -1, 0, 1, 2], [0, 2, 0, 0, 5, 0], -2.5, 0.75)
        for points in (2000, 2857, 2858, 9999):
            yield case(f"empty buckets between, {points}", part, event=gaps, basis_points=points)
        nans = _event([0, 1, 2, 3], [0, 10, 10, 20], 0.125, 2.5, extra=60)
        for points in (2500, 5000, 9000):
            yield case(f"NaNs in num, {points}", part, event=nans, basis_points=points)
    for label, event, points in (
        ("0 basis points", plain, 0),
        ("10,000 basis points", plain, 10_000),
        ("1 basis point", plain, 1),
        ("one bucket alone", _event([0.5], [9], -0.25, 0.25), 5000),
        ("min beyond the edge before", _event([0, 1, 2], [0, 0, 8], 1.5, 1.75), 2500),
        ("one value", _event([-1, 1], [0, 1], 0.25, 0.25), 5000),
        ("a first bucket that is not empty", _event([0, 1], [3, 1], -0.5, 0.5), 5000),
        ("max at the last edge", _event([0, 1, 2], [0, 2, 2], 0.0, 2.0), 10_000),
    ):
        yield case(label, "edges", event=event, basis_points=points)
    for label, event, points in (
        ("no value", _event([0, 1], [0, 0], 0, 0), 5000),
        ("no bucket", _event([], [], 0, 0), 5000),
        ("basis points below 0", plain, -1),
        ("basis points above 10,000", plain, 10_001),
    ):
        yield case(label, "edges", event=event, basis_points=points)


def probe(solution, event, basis_points):
    if not 0 <= basis_points <= 10_000 or not event["counts"].sum() > 0:
        return refusal(lambda: solution(event, basis_points))  # noqa: F821
    return solution(event, basis_points)


def judge(case, answer):
    event = case.event
    if not 0 <= case.basis_points <= 10_000 or not event["counts"].sum() > 0:
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    got = expect.sequence(answer, ("left", "estimate", "right"))
    want = _reference(event, case.basis_points)
    for value, right, name in zip(got, want, ("left", "estimate", "right"), strict=True):
        if name != "estimate":
            expect.number(value, right, name, rtol=1e-12, atol=1e-15)
    if case.part != "bounds":
        width = max(abs(want[0]), abs(want[2]))
        expect.number(got[1], want[1], "estimate", rtol=0.0, atol=1e-12 * width)


def _reference(event, points):
    """Each counted value by itself: its bucket's edges, and its place among the bucket's values."""
    low, high = event["min"], event["max"]
    lefts = np.r_[low, event["limits"][:-1]]
    spread = [
        (max(left, low), min(right, high), k + 1, int(count))
        for left, right, count in zip(lefts, event["limits"], event["counts"], strict=True)
        for k in range(int(count))
    ]
    rank = max(1, (points * len(spread) + 9_999) // 10_000)
    left, right, place, count = spread[rank - 1]
    return float(left), float(left + (right - left) * place / count), float(right)
