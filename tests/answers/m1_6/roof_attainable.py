"""Answers to roof-attainable."""

from fractions import Fraction

from autograder.checks.bank import right, wrong


def _refuse(flops, moved, peak, rates, checks):
    if "f" in checks and flops <= 0:
        raise ValueError("flops")
    if "p" in checks and peak <= 0:
        raise ValueError("peak")
    if "l" in checks and (set(moved) != set(rates)):
        raise ValueError("levels")
    if "n" in checks and not rates:
        raise ValueError("no level")
    if "b" in checks and any(v < 0 for v in moved.values()):
        raise ValueError("bytes")
    if "r" in checks and any(v <= 0 for v in rates.values()):
        raise ValueError("bandwidth")


def _limits(flops, moved, peak, rates):
    found = [(float(peak), "compute")]
    return found + [(flops * r / moved[k], k) for k, r in rates.items() if moved.get(k)]


def _model(flops, moved, peak, rates, *, checks="fplnbr", limits=_limits, pick=None, ridge=None):
    _refuse(flops, moved, peak, rates, checks)
    rate, bound = (pick or (lambda found: min(found, key=lambda x: x[0])))(
        limits(flops, moved, peak, rates)
    )
    ridges = {k: ridge(peak, r) if ridge else peak / (r or 1) for k, r in rates.items()}
    return rate, bound, ridges


@right("limits with names")
def named(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths)


@right("the longest time, a list back")
def by_time(flops, bytes_by_level, peak, bandwidths):
    if not flops > 0 or not peak > 0 or len(bandwidths) == 0:
        raise ValueError("numbers")
    if sorted(bytes_by_level) != sorted(bandwidths):
        raise ValueError("levels")
    seconds, bound = Fraction(flops) / Fraction(peak), "compute"
    for level in bandwidths:
        if bytes_by_level[level] < 0 or not bandwidths[level] > 0:
            raise ValueError(level)
        here = Fraction(bytes_by_level[level]) / Fraction(bandwidths[level])
        if here > seconds:
            seconds, bound = here, level
    return [float(flops / seconds), bound, {k: peak / b for k, b in reversed(bandwidths.items())}]


@wrong("peak-only", "Memory limits too: take the least of peak and intensity * bandwidth.")
def peak_only(flops, bytes_by_level, peak, bandwidths):
    return _model(
        flops, bytes_by_level, peak, bandwidths, limits=lambda f, m, p, r: [(float(p), "compute")]
    )


@wrong("highest-limit", "The lowest limit holds, not the highest.")
def highest(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, pick=max)


@wrong("slowest-level-only", "The level with the lowest bandwidth need not be the one that limits.")
def slowest(flops, bytes_by_level, peak, bandwidths):
    def limits(f, m, p, r):
        level = min(r, key=r.get)
        return _limits(f, m, p, {level: r[level]})

    return _model(flops, bytes_by_level, peak, bandwidths, limits=limits)


@wrong("last-level-only", "Every level may limit, not only the last.")
def last(flops, bytes_by_level, peak, bandwidths):
    def limits(f, m, p, r):
        return _limits(f, m, p, dict(list(r.items())[-1:]))

    return _model(flops, bytes_by_level, peak, bandwidths, limits=limits)


@wrong("one-intensity", "Each level has its own bytes, so its own intensity.")
def one_intensity(flops, bytes_by_level, peak, bandwidths):
    def limits(f, m, p, r):
        most = max(m.values())
        return _limits(f, dict.fromkeys(r, most), p, r)

    return _model(flops, bytes_by_level, peak, bandwidths, limits=limits)


@wrong("times-added", "Levels work at the same time: take the slowest, do not add times.")
def added(flops, bytes_by_level, peak, bandwidths):
    rate, bound, ridges = _model(flops, bytes_by_level, peak, bandwidths)
    seconds = flops / peak + sum(bytes_by_level[k] / b for k, b in bandwidths.items())
    return flops / seconds, bound, ridges


@wrong("divided-by-bandwidth", "FLOP/byte times bytes/s gives FLOP/s: multiply.")
def divided(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, limits=lambda f, m, p, r: [
        (float(p), "compute"), *((f / m[k] / b, k) for k, b in r.items() if m[k])])  # fmt: skip


@wrong("bytes-a-flop", "Intensity is operations by bytes.")
def inverse(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, limits=lambda f, m, p, r: [
        (float(p), "compute"), *((m[k] / f * b, k) for k, b in r.items() if m[k])])  # fmt: skip


@wrong("no-bytes-no-rate", "A level with 0 bytes sets no limit.")
def no_bytes(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, limits=lambda f, m, p, r: [
        (float(p), "compute"), *((f * b / m[k] if m[k] else 0.0, k) for k, b in r.items())])  # fmt: skip


@wrong("division-by-zero", "A level with 0 bytes sets no limit; do not divide by it.")
def zero_division(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, limits=lambda f, m, p, r: [
        (float(p), "compute"), *((f / m[k] * b, k) for k, b in r.items())])  # fmt: skip


@wrong("memory-on-the-ridge", "Of equal limits compute comes first.")
def memory_first(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, pick=lambda found: min(
        found[1:] + found[:1], key=lambda x: x[0]))  # fmt: skip


@wrong("order-of-bytes", "Of equal levels the first in the order of bandwidths comes first.")
def bytes_order(flops, bytes_by_level, peak, bandwidths):
    def limits(f, m, p, r):
        return _limits(f, m, p, {k: r[k] for k in m})

    return _model(flops, bytes_by_level, peak, bandwidths, limits=limits)


@wrong("last-of-equals", "Of equal levels the first comes first, not the last.")
def last_equal(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, pick=lambda found: min(
        found[:1] + found[:0:-1], key=lambda x: x[0]))  # fmt: skip


@wrong("memory-for-a-name", "Name the level that limits, not just memory.")
def memory(flops, bytes_by_level, peak, bandwidths):
    rate, bound, ridges = _model(flops, bytes_by_level, peak, bandwidths)
    return rate, bound if bound == "compute" else "memory", ridges


@wrong("ridge-upside-down", "The ridge is peak / bandwidth.")
def ridge_inverse(flops, bytes_by_level, peak, bandwidths):
    return _model(flops, bytes_by_level, peak, bandwidths, ridge=lambda p, b: b / p)


@wrong(
    "ridge-of-the-operator",
    "The ridge belongs to the machine: it does not depend on the operator's rate.",
)
def ridge_operator(flops, bytes_by_level, peak, bandwidths):
    rate, bound, _ = _model(flops, bytes_by_level, peak, bandwidths)
    return rate, bound, {k: rate / b for k, b in bandwidths.items()}


@wrong("one-ridge", "Every level has a ridge.")
def one_ridge(flops, bytes_by_level, peak, bandwidths):
    rate, bound, ridges = _model(flops, bytes_by_level, peak, bandwidths)
    return rate, bound, dict(list(ridges.items())[-1:]) if len(ridges) > 1 else {}


@wrong("seconds-returned", "Return FLOP/s, not the time.")
def seconds(flops, bytes_by_level, peak, bandwidths):
    rate, bound, ridges = _model(flops, bytes_by_level, peak, bandwidths)
    return flops / rate, bound, ridges


def _without(letter):
    def answer(flops, bytes_by_level, peak, bandwidths):
        return _model(flops, bytes_by_level, peak, bandwidths, checks="fplnbr".replace(letter, ""))

    return answer


@wrong("flops-not-checked", "Operations of 0 or below must raise ValueError.", call=True)
def any_flops():
    return _without("f")


@wrong("peak-not-checked", "A peak of 0 or below must raise ValueError.", call=True)
def any_peak():
    return _without("p")


@wrong("levels-not-compared", "Dicts with different levels must raise ValueError.", call=True)
def any_levels():
    return _without("l")


@wrong("no-level-accepted", "No level must raise ValueError.", call=True)
def no_level():
    return _without("n")


@wrong("bytes-not-checked", "Negative bytes must raise ValueError.", call=True)
def any_bytes():
    return _without("b")


@wrong("bandwidth-not-checked", "A bandwidth of 0 or below must raise ValueError.", call=True)
def any_bandwidth():
    return _without("r")


def _ties(order):
    """Equal levels in this order of names, given the bytes and the bandwidths."""

    def answer(flops, bytes_by_level, peak, bandwidths):
        def limits(f, m, p, r):
            return _limits(f, m, p, {k: r[k] for k in order(m, r)})

        return _model(flops, bytes_by_level, peak, bandwidths, limits=limits)

    return answer


@wrong(
    "equals-by-name", "Of equal levels the order of bandwidths decides, not the names.", call=True
)
def by_name():
    return _ties(lambda m, r: sorted(r, reverse=True))


@wrong("equals-by-bandwidth", "Of equal levels the order in the dict decides, not the bandwidth.",
       call=True)  # fmt: skip
def by_bandwidth():
    return _ties(lambda m, r: sorted(r, key=r.get, reverse=True))


@wrong(
    "last-of-bytes", "Of equal levels the first in the order of bandwidths comes first.", call=True
)
def last_of_bytes():
    return _ties(lambda m, r: list(m)[::-1])


@wrong("levels-counted-only", "The levels of both dicts must be the same, not only as many.")
def counted(flops, bytes_by_level, peak, bandwidths):
    if len(bytes_by_level) != len(bandwidths):
        raise ValueError("levels")
    return _model(flops, bytes_by_level, peak, bandwidths, checks="fpnbr")


@wrong("only-zero-refused", "Operations and a peak below 0 must raise ValueError too.")
def only_zero(flops, bytes_by_level, peak, bandwidths):
    if flops == 0 or peak == 0:
        raise ValueError("zero")
    return _model(flops, bytes_by_level, peak, bandwidths, checks="lnbr")
