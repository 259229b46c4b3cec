"""Answers to profile-buckets."""

import functools
import math
from collections import Counter
from itertools import combinations

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(lengths, count):
    if not len(lengths) or min(lengths) < 1 or count < 1:
        raise ValueError("lengths and count")


def _cost(lengths, buckets):
    return sum(min(b for b in buckets if b >= x) for x in lengths)


def _best(lengths, count, weight=None, price=None):
    """Least cost by a memoised recursion over the distinct lengths."""
    values = sorted(Counter(lengths).items())
    weight = weight or (lambda n: n)
    total = [0]
    for _, n in values:
        total.append(total[-1] + weight(n))

    @functools.cache
    def solve(j, k):
        if j == 0:
            return 0, ()
        if k == 0:
            return math.inf, ()
        options = []
        for i in range(j):
            cost, chosen = solve(i, k - 1)
            step = price(values, total, i, j) if price else (total[j] - total[i]) * values[j - 1][0]
            options.append((cost + step, (*chosen, values[j - 1][0])))
        return min(options)

    return list(solve(len(values), min(count, len(values)))[1])


@right("memoised recursion")
def recursion(lengths, count):
    _refuse(lengths, count)
    return _best(list(lengths), count)


@right("table with arrays, a tuple returned")
def table(lengths, count):
    _refuse(lengths, count)
    values, numbers = np.unique(np.array(lengths), return_counts=True)
    before = np.concatenate([[0], np.cumsum(numbers)])
    n = len(values)
    best = np.full((count + 1, n + 1), np.inf)
    best[:, 0] = 0
    back = np.zeros((count + 1, n + 1), int)
    for k in range(1, count + 1):
        for j in range(1, n + 1):
            costs = best[k - 1, :j] + (before[j] - before[:j]) * values[j - 1]
            back[k, j] = int(np.argmin(costs))
            best[k, j] = costs[back[k, j]]
    k, j, chosen = count, n, []
    while j > 0:
        chosen.append(int(values[j - 1]))
        j, k = back[k, j], k - 1
    return tuple(sorted(set(chosen)))


def _legal(buckets, lengths):
    return sorted({int(b) for b in [*buckets, max(lengths)]})


@wrong(
    "quantiles", "Buckets at quantiles hold equally many requests; that is not the least padding."
)
def quantiles(lengths, count):
    _refuse(lengths, count)
    return _legal(np.quantile(lengths, np.arange(1, count + 1) / count, method="higher"), lengths)[
        -count:
    ]


@wrong("equal-steps", "Equal steps up to the longest request ignore where the requests are.")
def steps(lengths, count):
    _refuse(lengths, count)
    return _legal([math.ceil(max(lengths) * i / count) for i in range(1, count + 1)], lengths)


@wrong("powers-of-two", "Powers of two ignore where the requests are.")
def powers(lengths, count):
    _refuse(lengths, count)
    top = 2 ** math.ceil(math.log2(max(lengths)))
    return sorted({max(top >> i, 1) for i in range(count)})


@wrong("most-frequent", "The most frequent lengths need not be the best buckets.")
def frequent(lengths, count):
    _refuse(lengths, count)
    common = [x for x, _ in Counter(x for x in lengths if x != max(lengths)).most_common(count - 1)]
    return _legal(common, lengths)


@wrong("largest-gaps", "Cutting at the largest gaps forgets how many requests lie on each side.")
def gaps(lengths, count):
    _refuse(lengths, count)
    values = sorted(set(lengths))
    cuts = sorted(range(len(values) - 1), key=lambda i: values[i] - values[i + 1])[: count - 1]
    return _legal([values[i] for i in cuts], lengths)


@wrong("greedy", "Adding the best single bucket again and again misses the best set.")
def greedy(lengths, count):
    _refuse(lengths, count)
    chosen = [max(lengths)]
    for _ in range(count - 1):
        rest = sorted(set(lengths) - set(chosen))
        if rest:
            chosen.append(min(rest, key=lambda b: _cost(lengths, [*chosen, b])))
    return sorted(chosen)


@wrong(
    "distinct-lengths-once", "You count each length once; a length that occurs often weighs more."
)
def unweighted(lengths, count):
    _refuse(lengths, count)
    return _best(list(lengths), count, weight=lambda n: 1)


@wrong("squared-padding", "The padded tokens are summed, not their squares.")
def squared(lengths, count):
    _refuse(lengths, count)
    numbers = Counter(lengths)

    def price(values, total, i, j):
        top = values[j - 1][0]
        return sum(numbers[x] * (top - x) ** 2 for x, _ in values[i:j])

    return _best(list(lengths), count, price=price)


@wrong("nearest-bucket", "A request is padded up: it cannot run in a shorter bucket, however near.")
def nearest(lengths, count):
    _refuse(lengths, count)
    numbers = Counter(lengths)

    def price(values, total, i, j):
        middle = values[(i + j - 1) // 2][0]
        return sum(numbers[x] * abs(middle - x) for x, _ in values[i:j])

    return _best(list(lengths), count, price=price)


@wrong(
    "smallest-largest-padding",
    "The sum of the padding is minimised, not the largest padding of one request.",
)
def minimax(lengths, count):
    _refuse(lengths, count)
    values = sorted(set(lengths))
    best = {(0, 0): (0, [])}
    for k in range(1, count + 1):
        for j in range(1, len(values) + 1):
            options = [
                (max(best[k - 1, i][0], values[j - 1] - values[i]), [*best[k - 1, i][1], values[j - 1]])
                for i in range(j) if (k - 1, i) in best
            ]  # fmt: skip
            if options:
                best[k, j] = min(options)
    return min((best[k, len(values)] for k in range(1, count + 1) if (k, len(values)) in best))[1]


@wrong("longest-forgotten", "The longest request needs a bucket too.")
def no_longest(lengths, count):
    _refuse(lengths, count)
    return recursion(lengths, count)[:-1] or [min(lengths)]


@wrong("mean-and-max", "The mean of the lengths is no best bucket.")
def mean(lengths, count):
    _refuse(lengths, count)
    return _legal([math.ceil(np.mean(lengths))] if count > 1 else [], lengths)


@wrong("one-bucket-too-many", "You use more buckets than allowed.")
def too_many(lengths, count):
    _refuse(lengths, count)
    return recursion(lengths, count + 1)


@wrong("one-bucket-too-few", "You use one bucket less than allowed.")
def too_few(lengths, count):
    _refuse(lengths, count)
    return recursion(lengths, max(count - 1, 1))


@wrong("every-length", "Every distinct length as a bucket pads nothing, and uses too many.")
def every(lengths, count):
    _refuse(lengths, count)
    return sorted(set(lengths))


@wrong("single-bucket", "One bucket pads every request to the longest.")
def single(lengths, count):
    _refuse(lengths, count)
    return [max(lengths)]


@wrong("descending", "Buckets ascend.")
def descending(lengths, count):
    return recursion(lengths, count)[::-1]


@wrong(
    "rounded-up-to-8", "You round buckets up to multiples of 8; that was not asked, and pads more."
)
def rounded(lengths, count):
    return sorted({-(-b // 8) * 8 for b in recursion(lengths, count)})


@wrong("floats", "Buckets are whole numbers.")
def floats(lengths, count):
    return [float(b) for b in recursion(lengths, count)]


@wrong("cost-returned", "Return the buckets, not their cost.")
def cost(lengths, count):
    return _cost(lengths, recursion(lengths, count))


@wrong("few-tried", "You try only the first few lengths as buckets.")
def few(lengths, count):
    _refuse(lengths, count)
    values = sorted(set(lengths))[:10]
    sets = (s for k in range(min(count, 3)) for s in combinations(values, k))
    return min((_legal(s, lengths) for s in sets), key=lambda b: _cost(lengths, b))


@wrong("nothing-refused", "No lengths, a length below 1 or a count below 1 are refused.")
def accepted(lengths, count):
    good = [x for x in lengths if x > 0]
    return recursion(good, max(count, 1)) if good else []


@wrong("count-not-checked", "A count below 1 is refused.")
def any_count(lengths, count):
    return recursion(lengths, max(count, 1))


@wrong("lengths-not-checked", "Lengths below 1 are refused.")
def any_length(lengths, count):
    if not lengths or count < 1:
        raise ValueError("input")
    return _best(list(lengths), count)


def _descend(lengths, buckets):
    """Move one bucket at a time to its best place until nothing changes."""
    values = sorted(set(lengths))
    for _ in range(50):
        before = buckets
        for k in range(len(buckets) - 1):
            others = [*buckets[:k], *buckets[k + 1 :]]
            buckets = min((sorted({*others, v}) for v in values), key=lambda b: _cost(lengths, b))
            if len(buckets) < len(before):
                return buckets
        if buckets == before:
            break
    return buckets


@wrong(
    "one-moved-at-a-time",
    "Moving one bucket at a time gets stuck where two would have to move together.",
)
def moved(lengths, count):
    _refuse(lengths, count)
    return _descend(lengths, quantiles(lengths, count))


@wrong(
    "greedy-then-moved",
    "A greedy choice, then moving one bucket at a time, gets stuck where two would have to move together.",
)
def greedy_moved(lengths, count):
    _refuse(lengths, count)
    values = sorted(set(lengths))
    buckets = values[-1:]
    while len(buckets) < min(count, len(values)):
        rest = [v for v in values if v not in buckets]
        buckets = min((sorted([*buckets, v]) for v in rest), key=lambda b: _cost(lengths, b))
    return _descend(lengths, buckets)


@right("a loop over numbers of buckets, NumPy integers returned")
def by_rows(lengths, count):
    _refuse(lengths, count)
    values, numbers = np.unique(lengths, return_counts=True)
    before = np.concatenate([[0], np.cumsum(numbers)])
    price = np.full((len(values) + 1, len(values) + 1), np.inf)
    for j in range(1, len(values) + 1):
        price[:j, j] = (before[j] - before[:j]) * values[j - 1]
    best, chosen = price[0], [[v] for v in [0, *values]]
    for _ in range(min(count, len(values)) - 1):
        table = np.concatenate([best[None], best[:, None] + price])
        source = table.argmin(0)
        best = table.min(0)
        chosen = [
            chosen[j] if i == 0 else [*chosen[i - 1], values[j - 1]] for j, i in enumerate(source)
        ]
    return list(chosen[-1])
