"""Answers to balanced-order."""

import numpy as np

from autograder.checks.bank import right, wrong


def _steps(lengths):
    lengths = [int(v) for v in lengths]
    return sum(max(lengths[i : i + 32]) for i in range(0, len(lengths), 32))


def _answer(lengths, order):
    order = np.asarray(order, np.int64).reshape(-1)
    return order, _steps(lengths), _steps(lengths[order])


@right("longest first")
def longest_first(lengths):
    return _answer(lengths, np.argsort(-lengths, kind="stable"))


@right("ascending, turned round")
def turned(lengths):
    return _answer(lengths, np.argsort(lengths)[::-1].copy())


@right("a Python sort, tails padded")
def python_sort(lengths):
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], -i))
    padded = np.zeros(-(-len(lengths) // 32) * 32, np.int64)
    padded[: len(lengths)] = lengths
    before = int(padded.reshape(-1, 32).max(1).sum()) if len(lengths) else 0
    return np.array(order, np.int64), before, int(sum(lengths[i] for i in order[::32]))


@wrong(
    "shortest-first",
    "Sorted the other way, the warp that is not full gets the longest rows: one warp more is long.",
)
def ascending(lengths):
    return _answer(lengths, np.argsort(lengths, kind="stable"))


@wrong("unsorted", "The order is as it was.")
def same(lengths):
    return _answer(lengths, np.arange(len(lengths)))


@wrong(
    "sorted-within-warps", "Sorting inside each warp changes no maximum: rows must change warps."
)
def inside(lengths):
    order = np.arange(len(lengths))
    for i in range(0, len(lengths), 32):
        order[i : i + 32] = i + np.argsort(-lengths[i : i + 32])
    return _answer(lengths, order)


@wrong("dealt-out", "Long rows dealt out evenly: every warp gets one, and all of them wait for it.")
def dealt(lengths):
    warps = max(1, -(-len(lengths) // 32))
    order = np.argsort(-lengths, kind="stable")
    return _answer(lengths, np.concatenate([order[w::warps] for w in range(warps)]))


@wrong("ranks-for-order", "That is each row's rank; order[k] is the row that comes at place k.")
def ranks(lengths):
    order = np.argsort(np.argsort(-lengths, kind="stable"), kind="stable")
    return _answer(lengths, order)


@wrong(
    "sum-of-the-warp",
    "Lanes run side by side: a warp takes as many steps as its longest row, not their sum.",
)
def summed(lengths):
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    total = int(lengths.sum())
    return order, total, total


@wrong("mean-of-the-warp", "A warp waits for its longest row, not for the average one.")
def mean(lengths):
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    means = [int(np.ceil(lengths[i : i + 32].mean())) for i in range(0, len(lengths), 32)]
    return order, sum(means), sum(means)


@wrong("longest-of-all", "Warps are independent: each waits for its own longest row only.")
def longest(lengths):
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    most = int(lengths.max()) * -(-len(lengths) // 32) if len(lengths) else 0
    return order, most, most


@wrong("partial-warp-left-out", "The last warp counts, also when it is not full.")
def full_only(lengths):
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    whole = len(lengths) // 32 * 32
    return order, _steps(lengths[:whole]), _steps(lengths[order][:whole])


@wrong("before-and-after-swapped", "The steps of the given order come first.")
def swapped(lengths):
    order, before, after = longest_first(lengths)
    return order, after, before


@wrong("warps-of-64", "A warp has 32 lanes.")
def wide(lengths):
    order = np.argsort(-lengths, kind="stable").astype(np.int64)

    def steps(rows):
        return sum(int(rows[i : i + 64].max()) for i in range(0, len(rows), 64))

    return order, steps(lengths), steps(lengths[order])


@wrong("sorted-lengths-for-order", "The order holds rows' numbers, not lengths.")
def values(lengths):
    _, before, after = longest_first(lengths)
    return np.sort(lengths)[::-1].astype(np.int64), before, after


@wrong("only-distinct-lengths", "Rows of equal length are all to be placed.")
def unique(lengths):
    _, before, after = longest_first(lengths)
    _, first = np.unique(-lengths, return_index=True)
    return first.astype(np.int64), before, after


@wrong("empty-fails", "No rows need no steps: max of nothing raises.")
def empty(lengths):
    if lengths.max() < 0:
        return None
    return longest_first(lengths)
