"""Answers to roof-amdahl."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(times, factors, target, checks):
    if "n" in checks and not times:
        raise ValueError("parts")
    if "t" in checks and any(t < 0 for t in times.values()):
        raise ValueError("time")
    if "z" in checks and sum(times.values()) == 0 and times:
        raise ValueError("total")
    if "f" in checks and any(f <= 0 for f in factors.values()):
        raise ValueError("factor")
    if "u" in checks and any(name not in times for name in factors):
        raise ValueError("unknown")
    if "g" in checks and target == 1:
        raise ValueError("target")
    if "b" in checks and target < 1:
        raise ValueError("target")


def _by(a, b):
    return a / b if b else math.inf


def _model(times, factors, target, *, checks="ntzfugb", new=None, left=None, need=None):
    _refuse(times, factors, target, checks)
    total = sum(times.values())
    after = (
        new(times, factors) if new else sum(t / (factors.get(k, 1) or 1) for k, t in times.items())
    )
    rest = left(times, factors) if left else sum(t for k, t in times.items() if k not in factors)

    def needed(t):
        budget = total / target - (total - t)
        return t / budget if budget > 0 else None

    return _by(total, after), _by(total, rest), {
        k: need(t, total, target) if need else needed(t) for k, t in times.items()
    }  # fmt: skip


@right("times")
def by_times(times_ms, factors, target):
    return _model(times_ms, factors, target)


@right("shares, numpy, a list back")
def by_shares(times_ms, factors, target):
    names = list(times_ms)
    t = np.array([times_ms[k] for k in names], dtype=float)
    if not names or (t < 0).any() or t.sum() == 0 or not target > 1:
        raise ValueError("input")
    if any(not f > 0 for f in factors.values()) or set(factors) - set(names):
        raise ValueError("factors")
    p = t / t.sum()
    f = np.array([factors.get(k, 1.0) for k in names])
    after, rest = (p / f).sum(), sum(x for k, x in zip(names, p, strict=True) if k not in factors)
    needed = {}
    for name, own in times_ms.items():
        others = math.fsum(v for k, v in times_ms.items() if k != name)
        budget = math.fsum(times_ms.values()) / target - others
        needed[name] = own / budget if budget > 0 else None
    return [1 / after if after > 0 else math.inf, 1 / rest if rest > 0 else math.inf, needed]


@wrong("factors-averaged", "Add up new times; factors cannot be averaged by share.")
def averaged(times_ms, factors, target):
    found = _model(times_ms, factors, target)
    total = sum(times_ms.values())
    return (sum(t / total * factors.get(k, 1) for k, t in times_ms.items()), *found[1:])


@wrong("factors-multiplied", "Gains of parts do not multiply: add the new times.")
def multiplied(times_ms, factors, target):
    found, total = _model(times_ms, factors, target), sum(times_ms.values())
    product = 1.0
    for name, factor in factors.items():
        product *= _by(total, total - times_ms[name] + times_ms[name] / factor)
    return product, *found[1:]


@wrong("gains-added", "Gains of parts do not add: add the new times.")
def gains(times_ms, factors, target):
    found, total = _model(times_ms, factors, target), sum(times_ms.values())
    gain = sum(_by(total, total - times_ms[k] + times_ms[k] / f) - 1 for k, f in factors.items())
    return 1 + gain, *found[1:]


@wrong("unnamed-parts-gone", "Parts without a factor keep their time.")
def gone(times_ms, factors, target):
    return _model(times_ms, factors, target, new=lambda t, f: sum(t[k] / f[k] for k in f))


@wrong("time-multiplied", "A factor of 2 halves the time: divide by it.")
def longer(times_ms, factors, target):
    return _model(times_ms, factors, target,
                  new=lambda t, f: sum(v * f.get(k, 1) for k, v in t.items()))  # fmt: skip


@wrong("saving-for-speedup", "Speed-up is old time by new time, not new by old.")
def inverse(times_ms, factors, target):
    speedup, limit, needed = _model(times_ms, factors, target)
    return 1 / speedup, limit, needed


@wrong("first-factor-only", "Every part in factors becomes faster.")
def first(times_ms, factors, target):
    return _model(times_ms, factors, target, new=lambda t, f: sum(
        v / (f[k] if k == next(iter(f), None) else 1) for k, v in t.items()))  # fmt: skip


@wrong("slowdown-ignored", "A factor below 1 makes a part slower: that counts.")
def no_slowdown(times_ms, factors, target):
    return _model(times_ms, factors, target,
                  new=lambda t, f: sum(v / max(f.get(k, 1), 1) for k, v in t.items()))  # fmt: skip


@wrong("limit-of-named", "The limit divides by what is left, not by what became faster.")
def limit_named(times_ms, factors, target):
    return _model(times_ms, factors, target, left=lambda t, f: sum(t[k] for k in f))


@wrong("limit-of-longest", "The limit takes all parts in factors away, not only the longest.")
def limit_longest(times_ms, factors, target):
    return _model(times_ms, factors, target,
                  left=lambda t, f: sum(t.values()) - max((t[k] for k in f), default=0.0))  # fmt: skip


@wrong(
    "limit-after-others", "The limit: all parts in factors take no time, whatever their factor is."
)
def limit_is_speedup(times_ms, factors, target):
    speedup, _, needed = _model(times_ms, factors, target)
    return speedup, speedup, needed


@wrong("zero-division", "Where nothing is left, the speed-up is math.inf.")
def no_inf(times_ms, factors, target):
    _refuse(times_ms, factors, target, "ntzfugb")
    return _model(times_ms, factors, target, left=lambda t, f: (
        1 / (1 / sum(v for k, v in t.items() if k not in f))))  # fmt: skip


@wrong("target-of-the-part", "The target is for the whole; a part needs more than that.")
def part_target(times_ms, factors, target):
    return _model(times_ms, factors, target, need=lambda t, total, goal: goal)


@wrong("share-times-target", "Needed: t / (total / target - others), not a share of the target.")
def share_target(times_ms, factors, target):
    return _model(times_ms, factors, target, need=lambda t, total, goal: goal * t / total)


@wrong("impossible-negative", "A negative factor says that the target is impossible: None.")
def negative(times_ms, factors, target):
    return _model(times_ms, factors, target,
                  need=lambda t, total, goal: t / ((total / goal - total + t) or 1e-300))  # fmt: skip


@wrong("impossible-infinite", "Where no finite factor is enough, return None.")
def infinite(times_ms, factors, target):
    return _model(times_ms, factors, target, need=lambda t, total, goal: (
        t / (total / goal - total + t) if total / goal - total + t > 0 else math.inf))  # fmt: skip


@wrong("infinite-counts", "If only an infinite factor is enough, that is None.")
def boundary(times_ms, factors, target):
    def need(t, total, goal):
        budget = total / goal - (total - t)
        return _by(t, budget) if budget >= 0 else None

    return _model(times_ms, factors, target, need=need)


@wrong(
    "needed-after-factors",
    "Needed is for the part alone: all others as in times_ms, without factors.",
)
def after_factors(times_ms, factors, target):
    speedup, limit, _ = _model(times_ms, factors, target)
    total, new = sum(times_ms.values()), {k: t / factors.get(k, 1) for k, t in times_ms.items()}
    needed = {}
    for name, t in times_ms.items():
        budget = total / target - (sum(new.values()) - new[name])
        needed[name] = t / budget if budget > 0 else None
    return speedup, limit, needed


@wrong("needed-of-named-only", "Every part has an entry, not only those in factors.")
def named_only(times_ms, factors, target):
    speedup, limit, needed = _model(times_ms, factors, target)
    return speedup, limit, {k: v for k, v in needed.items() if k in factors}


@wrong("impossible-left-out", "An impossible part has the entry None.")
def left_out(times_ms, factors, target):
    speedup, limit, needed = _model(times_ms, factors, target)
    return speedup, limit, {k: v for k, v in needed.items() if v is not None}


@wrong("needed-whole-number", "Do not round the factor.")
def whole(times_ms, factors, target):
    speedup, limit, needed = _model(times_ms, factors, target)
    return speedup, limit, {k: v if v is None else math.ceil(v) for k, v in needed.items()}


def _without(letter):
    def answer(times_ms, factors, target):
        return _model(times_ms, factors, target, checks="ntzfugb".replace(letter, ""))

    return answer


@wrong("no-parts-accepted", "No parts must raise ValueError.", call=True)
def no_parts():
    return _without("n")


@wrong("times-not-checked", "A negative time must raise ValueError.", call=True)
def any_time():
    return _without("t")


@wrong("total-not-checked", "A total of 0 must raise ValueError.", call=True)
def any_total():
    return _without("z")


@wrong("factors-not-checked", "A factor that is not above 0 must raise ValueError.", call=True)
def any_factor():
    return _without("f")


@wrong("unknown-part-accepted", "A factor for an unknown part must raise ValueError.", call=True)
def any_part():
    return _without("u")


@wrong("target-1-accepted", "A target of 1 is reached already: raise ValueError.", call=True)
def target_one():
    return _without("g")


@wrong("target-below-1-accepted", "A target below 1 must raise ValueError.", call=True)
def target_below():
    return _without("b")


@wrong(
    "factor-1-not-named",
    "The limit: a part named in factors takes no time, also where its factor is 1.",
)
def one_is_unnamed(times_ms, factors, target):
    return _model(times_ms, factors, target,
                  left=lambda t, f: sum(v for k, v in t.items() if f.get(k, 1) == 1))  # fmt: skip


@wrong("no-factors-infinite", "An infinite factor is allowed: the part takes no time.")
def finite_only(times_ms, factors, target):
    if math.inf in factors.values():
        raise ValueError("infinite")
    return _model(times_ms, factors, target)
