"""Answers to opt-predict."""

import math

from autograder.checks.bank import right, wrong


def _refuse(shares, cures):
    if not all(s >= 0 for s in shares.values()) or sum(shares.values()) > 1 + 1e-9:
        raise ValueError("shares")
    for cure in cures:
        for name, factor in cure.items():
            if name not in shares or not factor > 0:
                raise ValueError(f"{name}: {factor}")


def _left(shares, cures):
    left = max(0.0, 1 - sum(shares.values()))
    for name, share in shares.items():
        left += share / math.prod(c.get(name, 1.0) for c in cures)
    return left


@right("what is left of the time")
def by_time_left(shares, cures):
    _refuse(shares, cures)
    left = _left(shares, cures)
    return 1 / left if left > 1e-12 else math.inf


@right("cure after cure on a table of times")
def cure_by_cure(shares, cures):
    _refuse(shares, cures)
    times = {**shares, None: max(0.0, 1 - math.fsum(shares.values()))}
    for cure in cures:
        for name in cure:
            times[name] /= cure[name]
    left = math.fsum(times.values())
    return math.inf if left < 1e-12 else 1 / left


@wrong(
    "gains-multiplied", "Gains of different targets do not multiply: add up the time that is left."
)
def multiplied(shares, cures):
    _refuse(shares, cures)
    gain = 1.0
    for cure in cures:
        for name, factor in cure.items():
            gain /= (
                1 - shares[name] + shares[name] / factor
                if factor < math.inf
                else 1 - shares[name] or 1e-300
            )
    return gain


@wrong("factors-added", "Two cures for one target: the factors multiply.")
def added(shares, cures):
    _refuse(shares, cures)
    both = {n: sum(c[n] for c in cures if n in c) or 1.0 for n in shares}
    left = max(0.0, 1 - sum(shares.values())) + sum(s / both[n] for n, s in shares.items())
    return 1 / left if left > 1e-12 else math.inf


@wrong("only-the-last-cure", "A second cure for a target comes on top of the first.")
def last(shares, cures):
    _refuse(shares, cures)
    merged = {}
    for cure in cures:
        merged |= cure
    left = _left(shares, [merged])
    return 1 / left if left > 1e-12 else math.inf


@wrong("rest-forgotten", "What no share names stays: 1 minus the sum of the shares.")
def no_rest(shares, cures):
    _refuse(shares, cures)
    left = _left(shares, cures) - max(0.0, 1 - sum(shares.values()))
    return 1 / left if left > 1e-12 else math.inf


@wrong("time-for-gain", "That is the new time over the old: the gain is old over new.")
def time_left(shares, cures):
    _refuse(shares, cures)
    return _left(shares, cures)


@wrong("saved-share", "That is the share of time saved; the gain is old time over new.")
def saved(shares, cures):
    _refuse(shares, cures)
    return 1 - _left(shares, cures)


@wrong("percent-faster", "1.0 is as fast as before: give the ratio, not what is above 1.")
def above_one(shares, cures):
    left = by_time_left(shares, cures)
    return left - 1


@wrong("untouched-targets-dropped", "A share that no cure touches still takes its time.")
def dropped(shares, cures):
    _refuse(shares, cures)
    touched = {n for c in cures for n in c}
    kept = {n: s for n, s in shares.items() if n in touched}
    left = _left(kept, cures) - sum(s for n, s in shares.items() if n not in touched)
    return 1 / left if left > 1e-12 else math.inf


@wrong("slowdowns-ignored", "A factor below 1 is a cost: count it.")
def no_costs(shares, cures):
    return by_time_left(shares, [{n: max(1.0, f) for n, f in c.items()} for c in cures])


@wrong("infinite-factor-refused", "math.inf is allowed: the target is gone.")
def no_infinity(shares, cures):
    if any(math.isinf(f) for c in cures for f in c.values()):
        raise ValueError("not finite")
    return by_time_left(shares, cures)


@wrong("sum-without-rounding", "Shares may add up to 1 + 1e-9: measured decimals do.")
def strict_sum(shares, cures):
    if sum(shares.values()) > 1:
        raise ValueError("above 1")
    return by_time_left(shares, cures)


@wrong("sum-too-generous", "Shares that add up to more than 1 + 1e-9 count time twice.")
def loose_sum(shares, cures):
    total = sum(shares.values())
    if 1 < total < 1.001:
        shares = {n: s / total for n, s in shares.items()}
    return by_time_left(shares, cures)


@wrong("shares-changed", "Work on a copy: the caller still needs the shares.")
def changed(shares, cures):
    gain = by_time_left(shares, cures)
    for cure in cures:
        for name, factor in cure.items():
            shares[name] /= factor
    return gain


@wrong("no-refusal", "Shares above 1, factors not above 0 and unknown targets must be refused.")
def no_refusal(shares, cures):
    left = 1 - sum(shares.values())
    for name, share in shares.items():
        left += share / (math.prod(c.get(name, 1.0) for c in cures) or 1.0)
    return 1 / left if left > 1e-12 else math.inf
