"""Answers to parallel-stages."""

import itertools

from autograder.checks.bank import right, wrong


def _refuse(layers, stages, micro, skip=""):
    if "s" not in skip and stages < 1:
        raise ValueError("stages")
    if "l" not in skip and stages > len(layers):
        raise ValueError("layers")
    if "m" not in skip and micro < 1:
        raise ValueError("micro-batches")
    if "t" not in skip and any(not t > 0 for t in layers):
        raise ValueError("times")


def _dynamic(layers, stages):
    before = [0.0, *itertools.accumulate(layers)]
    count = len(layers)
    best = [[float("inf")] * (count + 1) for _ in range(stages + 1)]
    cut = [[0] * (count + 1) for _ in range(stages + 1)]
    best[0][0] = 0.0
    for s in range(1, stages + 1):
        for i in range(s, count + 1):
            for j in range(s - 1, i):
                value = max(best[s - 1][j], before[i] - before[j])
                if value < best[s][i]:
                    best[s][i], cut[s][i] = value, j
    sizes, i = [], count
    for s in range(stages, 0, -1):
        sizes.append(i - cut[s][i])
        i = cut[s][i]
    return sizes[::-1]


def _times(layers, sizes):
    ends = [0, *itertools.accumulate(sizes)]
    return [sum(layers[a:b]) for a, b in itertools.pairwise(ends)]


def _result(layers, sizes, micro, total=None, bubble=None):
    times = _times(layers, sizes)
    took = (total or (lambda t, m: sum(t) + (m - 1) * max(t)))(times, micro)
    idle = (bubble or (lambda t, m, took: 1 - m * sum(t) / (len(t) * took)))(times, micro, took)
    return sizes, took, idle


def _model(layers, stages, micro, *, skip="", cut=_dynamic, **more):
    _refuse(layers, stages, micro, skip)
    return _result(layers, cut(layers, stages), micro, **more)


@right("dynamic programming")
def by_table(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches)


@right("a search for the limit, stages filled from the end")
def by_search(layer_ms, stages, micro_batches):
    if stages < 1 or stages > len(layer_ms) or micro_batches < 1 or min(layer_ms) <= 0:
        raise ValueError("range")
    layers = list(layer_ms)

    def fill(limit):
        """Sizes from the last layer on; each stage leaves enough layers for the others."""
        sizes, i = [], len(layers)
        for left in range(stages - 1, -1, -1):
            load, size = 0.0, 0
            while i > left and (size == 0 or load + layers[i - 1] <= limit * (1 + 1e-12)):
                load, size, i = load + layers[i - 1], size + 1, i - 1
            sizes.append(size)
            if load > limit * (1 + 1e-12):
                return None
        return None if i else sizes[::-1]

    low, high = max(layers), sum(layers)
    found = fill(high)
    for _ in range(100):
        middle = (low + high) / 2
        sizes = fill(middle)
        if sizes is None:
            low = middle
        else:
            high, found = middle, sizes
    times = _times(layers, found)
    total = sum(times) + (micro_batches - 1) * max(times)
    idle = sum(total - micro_batches * t for t in times) / (stages * total)
    return tuple(found), total, idle


@wrong("equal-counts", "Equal numbers of layers are not equal times.")
def equal_counts(layer_ms, stages, micro_batches):
    def cut(layers, p):
        base, more = divmod(len(layers), p)
        return [base + (s < more) for s in range(p)]

    return _model(layer_ms, stages, micro_batches, cut=cut)


def _greedy(layers, stages):
    mean, sizes, i = sum(layers) / stages, [], 0
    for left in range(stages - 1, 0, -1):
        load, size = 0.0, 0
        while i < len(layers) - left and (size == 0 or load + layers[i] <= mean):
            load, size, i = load + layers[i], size + 1, i + 1
        sizes.append(size)
    return [*sizes, len(layers) - i]


@wrong("filled-to-the-mean", "Filling each stage up to the mean leaves the rest to the last one.")
def greedy(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, cut=_greedy)


@wrong(
    "nearest-to-even-shares", "Cutting nearest to equal shares is near the best cut, but not it."
)
def nearest(layer_ms, stages, micro_batches):
    def cut(layers, p):
        before, sizes, last = [0, *itertools.accumulate(layers)], [], 0
        for s in range(1, p):
            aim = s * before[-1] / p
            choices = range(last + 1, len(layers) - (p - s) + 1)
            i = min(choices, key=lambda k: abs(before[k] - aim))
            sizes.append(i - last)
            last = i
        return [*sizes, len(layers) - last]

    return _model(layer_ms, stages, micro_batches, cut=cut)


@wrong("order-ignored", "Layers stay in order: a stage is a run of neighbours.")
def sorted_layers(layer_ms, stages, micro_batches):
    return _model(sorted(layer_ms), stages, micro_batches)


@wrong("stages-left-empty", "Each stage has one layer or more.")
def empty_stages(layer_ms, stages, micro_batches):
    _refuse(layer_ms, stages, micro_batches)
    longest = max(_times(layer_ms, _dynamic(layer_ms, stages)))
    sizes, load = [0], 0.0
    for t in layer_ms:
        if load + t > longest * (1 + 1e-12):
            sizes.append(0)
            load = 0.0
        sizes[-1] += 1
        load += t
    sizes += [0] * (stages - len(sizes))
    return _result(layer_ms, sizes, micro_batches)


@wrong("one-after-another", "Stages work at the same time: not m times the sum.")
def serial(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, total=lambda t, m: m * sum(t))


@wrong(
    "no-filling",
    "The first micro-batch passes all stages: the sum once, then m - 1 times the largest.",
)
def no_filling(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, total=lambda t, m: m * max(t))


@wrong(
    "m-plus-p-minus-one-of-the-largest",
    "(m + p - 1) times the largest stage holds for equal stages only.",
)
def equal_formula(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, total=lambda t, m: (m + len(t) - 1) * max(t))


@wrong("one-micro-batch-too-many", "The sum holds the first micro-batch: m - 1 more follow.")
def m_more(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, total=lambda t, m: sum(t) + m * max(t))


@wrong(
    "bubble-of-equal-stages",
    "(p - 1) / (m + p - 1) holds for equal stages; here stages wait for the slowest too.",
)
def formula_bubble(layer_ms, stages, micro_batches):
    return _model(
        layer_ms, stages, micro_batches, bubble=lambda t, m, took: (len(t) - 1) / (m + len(t) - 1)
    )


@wrong("bubble-over-useful-time", "The bubble is a share of all the time, not of the useful time.")
def over_useful(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches,
                  bubble=lambda t, m, took: (len(t) * took - m * sum(t)) / (m * sum(t)))  # fmt: skip


@wrong("useful-share", "The bubble is the idle share, not the busy one.")
def busy(layer_ms, stages, micro_batches):
    return _model(
        layer_ms, stages, micro_batches, bubble=lambda t, m, took: m * sum(t) / (len(t) * took)
    )


@wrong("bubble-in-percent", "The bubble is a number from 0 to 1.")
def percent(layer_ms, stages, micro_batches):
    sizes, took, idle = _model(layer_ms, stages, micro_batches)
    return sizes, took, 100 * idle


@wrong("bubble-in-ms", "The bubble is a share, not milliseconds.")
def milliseconds(layer_ms, stages, micro_batches):
    sizes, took, idle = _model(layer_ms, stages, micro_batches)
    return sizes, took, idle * took


@wrong("boundaries-for-sizes", "sizes are numbers of layers, not where stages end.")
def boundaries(layer_ms, stages, micro_batches):
    sizes, took, idle = _model(layer_ms, stages, micro_batches)
    return list(itertools.accumulate(sizes)), took, idle


@wrong("stage-times-for-sizes", "sizes are numbers of layers, not milliseconds.")
def stage_times(layer_ms, stages, micro_batches):
    sizes, took, idle = _model(layer_ms, stages, micro_batches)
    return _times(layer_ms, sizes), took, idle


@wrong("fewer-stages", "All stages are used, even where fewer would do.")
def fewer(layer_ms, stages, micro_batches):
    _refuse(layer_ms, stages, micro_batches)
    if stages > 2:
        stages -= 1
    return _result(layer_ms, _dynamic(layer_ms, stages), micro_batches)


@wrong("more-stages-than-layers", "More stages than layers must raise ValueError.")
def too_many(layer_ms, stages, micro_batches):
    if stages > len(layer_ms) and len(layer_ms):
        return [1] * len(layer_ms), sum(layer_ms), 0.0
    return _model(layer_ms, stages, micro_batches)


@wrong("no-micro-batch-accepted", "micro_batches below 1 must raise ValueError.")
def no_micro(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, skip="m")


@wrong("times-not-checked", "A layer's time that is not above 0 must raise ValueError.")
def any_times(layer_ms, stages, micro_batches):
    return _model(layer_ms, stages, micro_batches, skip="t")


@wrong("no-stage-accepted", "stages below 1 must raise ValueError.")
def no_stage(layer_ms, stages, micro_batches):
    if stages < 1:
        return [], 0.0, 0.0
    return _model(layer_ms, stages, micro_batches)
