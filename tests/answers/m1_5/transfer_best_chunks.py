"""Answers to transfer-best-chunks."""

import math

from autograder.checks.bank import right, wrong


def _refuse(times, most, checks="tm"):
    if "t" in checks and min(times) < 0:
        raise ValueError("time")
    if "m" in checks and most < 1:
        raise ValueError("chunks")


def _time(n, stages, overhead):
    each = [overhead + work / n for work in stages]
    return sum(each) + (n - 1) * max(each)


def _best(stages, overhead, most, time=_time, checks="tm"):
    _refuse((*stages, overhead), most, checks)
    times = [time(n, stages, overhead) for n in range(1, max(1, most) + 1)]
    return times.index(min(times)) + 1, min(times)


@right("try them all")
def tried(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most)


@right("both whole numbers beside the real optimum")
def closed_form(a, b, c, overhead, most):
    _refuse((a, b, c, overhead), most)
    rest = a + b + c - max(a, b, c)
    near = math.sqrt(rest / overhead) if overhead else most
    options = {
        min(most, max(1, n)) for n in (math.floor(min(near, most)), math.ceil(min(near, most)))
    }
    best = min(options, key=lambda n: _time(n, (a, b, c), overhead))
    return [best, _time(best, (a, b, c), overhead)]


@right("three engines, chunk by chunk")
def recurrence(a, b, c, overhead, most):
    _refuse((a, b, c, overhead), most)
    found = (math.inf, 0)
    for n in range(1, most + 1):
        ends = [0.0, 0.0, 0.0]
        for _ in range(n):
            before = 0.0
            for s, work in enumerate((a, b, c)):
                before = ends[s] = max(before, ends[s]) + overhead + work / n
        found = min(found, (ends[-1], n))
    return found[1], found[0]


@wrong("sum-instead-of-maximum", "You add the stages of all chunks: nothing overlaps.")
def nothing_overlaps(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most, lambda n, s, o: sum(s) + 3 * n * o)


@wrong("fill-and-drain-forgotten", "The first chunk must fill the pipeline and the last must drain it.")  # fmt: skip
def no_fill(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most, lambda n, s, o: n * max(o + w / n for w in s))


@wrong("drain-forgotten", "You leave out the last chunk's way through the later stages.")
def no_drain(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most,
                 lambda n, s, o: o + s[0] / n + n * max(o + w / n for w in s))  # fmt: skip


@wrong("one-chunk-too-many", "After the first chunk there are n - 1 more, not n.")
def n_more(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most,
                 lambda n, s, o: _time(n, s, o) + max(o + w / n for w in s))  # fmt: skip


@wrong("overhead-once", "The overhead is paid by each stage of each chunk.")
def overhead_once(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most, lambda n, s, o: o + _time(n, s, 0.0))


@wrong("overhead-per-chunk-only", "Each of the three stages of a chunk pays the overhead.")
def overhead_on_copies_in(a, b, c, overhead, most):
    def time(n, stages, o):
        each = [work / n for work in stages]
        each[0] += o
        return sum(each) + (n - 1) * max(each)

    return _best((a, b, c), overhead, most, time)


@wrong("no-overhead", "Without the overhead, as many chunks as allowed would always be best.")
def no_overhead(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most, lambda n, s, o: _time(n, s, 0.0))


@wrong("as-many-as-allowed", "More chunks are not always better: each stage of each pays the overhead.")  # fmt: skip
def most_chunks(a, b, c, overhead, most):
    _refuse((a, b, c, overhead), most)
    return most, _time(most, (a, b, c), overhead)


@wrong("shared-copy-engine", "Copies in and out have an engine each; you let them share one.")
def shared(a, b, c, overhead, most):
    def time(n, s, o):
        x, y, z = (o + w / n for w in s)
        return x + y + z + (n - 1) * max(x + z, y)

    return _best((a, b, c), overhead, most, time)


@wrong("two-kernels-at-once", "There is one engine for kernels; you run the kernels of two chunks at once.")  # fmt: skip
def two_kernels(a, b, c, overhead, most):
    def time(n, s, o):
        x, y, z = (o + w / n for w in s)
        return x + y + z + (n - 1) * max(x, y / 2, z)

    return _best((a, b, c), overhead, most, time)


@wrong("optimum-rounded", "The rounded real optimum is not always the best whole number; compare both neighbours.")  # fmt: skip
def rounded(a, b, c, overhead, most):
    _refuse((a, b, c, overhead), most)
    rest = a + b + c - max(a, b, c)
    near = round(math.sqrt(rest / overhead)) if overhead else most
    n = min(most, max(1, near))
    return n, _time(n, (a, b, c), overhead)


@wrong("max-chunks-exclusive", "max_chunks itself is allowed.")
def exclusive(a, b, c, overhead, most):
    _refuse((a, b, c, overhead), most)
    return _best((a, b, c), overhead, max(1, most - 1))


@wrong("optimum-of-the-sum", "Under the root stands the sum of the stages without the longest.")
def with_longest(a, b, c, overhead, most):
    _refuse((a, b, c, overhead), most)
    near = round(math.sqrt((a + b + c) / overhead)) if overhead else most
    n = min(most, max(1, near))
    return n, _time(n, (a, b, c), overhead)


@wrong("a-stage-of-0-is-free", "A stage of 0 us still costs the overhead for each chunk.")
def free_stage(a, b, c, overhead, most):
    def time(n, s, o):
        each = [o + w / n if w else 0.0 for w in s]
        return sum(each) + (n - 1) * max(each)

    return _best((a, b, c), overhead, most, time)


@wrong("float-chunks", "The number of chunks is an int.")
def floats(a, b, c, overhead, most):
    n, time = _best((a, b, c), overhead, most)
    return float(n), time


@wrong("times-not-checked", "A negative time or overhead must raise ValueError.")
def any_time(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most, checks="m")


@wrong("max-chunks-not-checked", "max_chunks below 1 must raise ValueError.")
def any_most(a, b, c, overhead, most):
    return _best((a, b, c), overhead, most, checks="t")
