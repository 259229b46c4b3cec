"""Answers to bucket-percentile."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(event, points):
    if not 0 <= points <= 10_000 or not np.sum(event["counts"]) > 0:
        raise ValueError("values, and 0 to 10,000 basis points")


def _rank(points, total):
    return max(1, -(-points * total // 10_000))


def _answer(event, points, rank=_rank, total=None, moved=True, part=None, side="left"):
    _refuse(event, points)
    counts, limits = event["counts"], event["limits"]
    running = np.cumsum(counts)
    wanted = rank(points, int(total(event) if total else running[-1]))
    i = min(int(np.searchsorted(running, wanted, side=side)), len(counts) - 1)
    left = event["min"] if i == 0 else limits[i - 1]
    right = limits[i]
    if moved:
        left, right = max(left, event["min"]), min(right, event["max"])
    before = running[i] - counts[i]
    inside = (part or (lambda r, b, c: (r - b) / c))(wanted, before, counts[i] or 1)
    return float(left), float(left + (right - left) * inside), float(right)


@right("searchsorted in the running counts")
def search(event, basis_points):
    return _answer(event, basis_points)


@right("a loop over buckets")
def loop(event, basis_points):
    _refuse(event, basis_points)
    counts = [int(c) for c in event["counts"]]
    rank, left, before = _rank(basis_points, sum(counts)), event["min"], 0
    for count, limit in zip(counts, event["limits"].tolist(), strict=True):
        if before + count >= rank and count:
            low, high = max(left, event["min"]), min(limit, event["max"])
            return low, low + (high - low) * (rank - before) / count, high
        before, left = before + count, limit
    raise AssertionError


@right("clipped edges, ceil of a fraction")
def edges(event, basis_points):
    from fractions import Fraction

    _refuse(event, basis_points)
    all_edges = np.clip(np.r_[event["min"], event["limits"]], event["min"], event["max"])
    running = np.cumsum(event["counts"])
    rank = max(1, math.ceil(Fraction(basis_points, 10_000) * int(running[-1])))
    i = int(np.argmax(running >= rank))
    a, b = all_edges[i], all_edges[i + 1]
    before = running[i - 1] if i else 0
    return [a, a + (b - a) * (rank - before) / event["counts"][i], b]


@wrong("limits-are-left-edges", "bucket_limit is the right edge of a bucket.")
def left_edges(event, basis_points):
    left, estimate, right = _answer(event, basis_points, moved=False)
    limits = list(event["limits"])
    i = limits.index(right)
    nxt = limits[min(i + 1, len(limits) - 1)]
    return right, right + (nxt - right) * 0.5, nxt


@wrong("not-moved-to-min-and-max", "No bucket goes beyond min or max: move the edges there.")
def not_moved(event, basis_points):
    return _answer(event, basis_points, moved=False)


@wrong("float-rank", "The rank in whole numbers: as a float, 0.07 * 100 is more than 7.")
def float_rank(event, basis_points):
    return _answer(event, basis_points, rank=lambda p, n: max(1, math.ceil(p / 10_000 * n)))


@wrong("floor-rank", "The rank is rounded up.")
def floor_rank(event, basis_points):
    return _answer(event, basis_points, rank=lambda p, n: max(1, p * n // 10_000))


@wrong("nearest-rank", "The rank is rounded up, not to nearest.")
def round_rank(event, basis_points):
    return _answer(event, basis_points, rank=lambda p, n: max(1, round(p * n / 10_000)))


@wrong("rank-from-zero", "Rank 1 is the smallest value, not the second.")
def from_zero(event, basis_points):
    return _answer(event, basis_points, rank=lambda p, n: min(n, _rank(p, n) + 1))


@wrong("next-bucket", "A rank that ends a bucket is in that bucket, not in the next.")
def next_bucket(event, basis_points):
    return _answer(event, basis_points, side="right")


@wrong("num-for-the-counts", "num counts NaNs too, which are in no bucket: n is the sum of counts.")
def num(event, basis_points):
    return _answer(event, basis_points, total=lambda e: e["num"])


@wrong("percent", "Basis points: 10,000 are all values, not 100.")
def percent(event, basis_points):
    return _answer(event, basis_points, rank=lambda p, n: min(n, max(1, -(-p * n // 100))))


@wrong("middle", "The estimate goes by the rank inside the bucket, not to its middle.")
def middle(event, basis_points):
    return _answer(event, basis_points, part=lambda r, b, c: 0.5)


@wrong("right-edge", "The estimate lies inside the bucket, by rank.")
def right_edge(event, basis_points):
    return _answer(event, basis_points, part=lambda r, b, c: 1.0)


@wrong("one-rank-less", "(rank - before) / count: the last value of a bucket is at its right edge.")
def one_less(event, basis_points):
    return _answer(event, basis_points, part=lambda r, b, c: (r - b - 1) / c)


@wrong("over-all-values", "The place inside the bucket: subtract the values before it.")
def over_all(event, basis_points):
    total = event["counts"].sum()
    return _answer(event, basis_points, part=lambda r, b, c: r / total)


@wrong("from-the-top", "The percentile counts from the smallest value up.")
def top(event, basis_points):
    if not 0 <= basis_points <= 10_000:
        raise ValueError("0 to 10,000")
    return _answer(event, 10_000 - basis_points)


@wrong(
    "straight-line",
    "Take the bucket that holds the rank, not a share of the range from min to max.",
)
def straight(event, basis_points):
    _refuse(event, basis_points)
    x = event["min"] + (event["max"] - event["min"]) * basis_points / 10_000
    i = min(int(np.searchsorted(event["limits"], x)), len(event["limits"]) - 1)
    left = event["limits"][i - 1] if i else event["min"]
    return max(left, event["min"]), x, min(event["limits"][i], event["max"])


@wrong("whole-range", "The bounds are those of one bucket, not min and max.")
def whole(event, basis_points):
    return event["min"], _answer(event, basis_points)[1], event["max"]


@wrong("no-refusal", "No value, or basis points outside 0 to 10,000: raise ValueError.")
def accepts(event, basis_points):
    try:
        return _answer(event, basis_points)
    except ValueError:
        return 0.0, 0.0, 0.0


@wrong("points-not-checked", "Basis points outside 0 to 10,000: raise ValueError.")
def unchecked(event, basis_points):
    return _answer(event, min(max(basis_points, 0), 10_000))


@wrong("order-of-three", "Return left, estimate, right, in this order.")
def order(event, basis_points):
    left, estimate, right = _answer(event, basis_points)
    return left, right, estimate
