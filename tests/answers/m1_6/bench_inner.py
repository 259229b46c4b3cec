"""Answers to bench-inner."""

import itertools

from autograder.checks.bank import right, wrong


def _refuse(tick_ns, error, most, checks="tem"):
    if "t" in checks and tick_ns <= 0:
        raise ValueError("tick")
    if "e" in checks and not 0 < error < 1:
        raise ValueError("error")
    if "m" in checks and most < 1:
        raise ValueError("most")


def _elapsed(fn, clock_ns, n):
    start = clock_ns()
    for _ in range(n):
        fn()
    return clock_ns() - start


def _model(fn, clock_ns, tick_ns, error, most, *, checks="tem", warm=1, limit=None, grow=None,
           last=None):  # fmt: skip
    _refuse(tick_ns, error, most, checks)
    for _ in range(warm):
        fn()
    need = (limit or (lambda t, e: t / e))(tick_ns, error)
    n = 1
    while n <= most:
        if _elapsed(fn, clock_ns, n) >= need:
            return n
        n = grow(n) if grow else 2 * n
    if last:
        return last(n, most)
    raise ValueError("too short")


@right("powers of two from a counter")
def by_count(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    _refuse(tick_ns, error, most)
    fn()
    for power in itertools.count():
        n = 2**power
        if n > most:
            raise ValueError("the clock is too coarse")
        if _elapsed(fn, clock_ns, n) * error >= tick_ns:
            return n


@right("recursion")
def by_recursion(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    _refuse(tick_ns, error, most)
    fn()

    def attempt(n):
        if n > most:
            raise ValueError("too short")
        begin = clock_ns()
        [fn() for _ in range(n)]
        end = clock_ns()
        return n if error * (end - begin) >= tick_ns else attempt(n << 1)

    return attempt(1)


@wrong("no-warm-up", "The first call is timed; let one call go before the clock is read.")
def no_warm_up(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, warm=0)


@wrong("one-tick", "One tick is not enough: the clock must move by tick_ns / error.")
def one_tick(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, limit=lambda t, e: t)


@wrong("tick-times-error", "You multiply the tick by the error; divide.")
def times_error(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, limit=lambda t, e: t * e)


@wrong("two-ticks", "The limit is tick_ns / error, not twice that.")
def two_ticks(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, limit=lambda t, e: 2 * t / e)


@wrong("error-ignored", "You always take 1 %; use the error that is given.")
def fixed_error(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, limit=lambda t, e: t / 0.01)


@wrong("more-than", "A difference equal to tick_ns / error is enough.")
def more_than(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, limit=lambda t, e: t / e + 1e-6)


@wrong("steps-of-one", "Double n from attempt to attempt; you add 1.")
def steps_of_one(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, min(most, 3000), grow=lambda n: n + 1)


@wrong("tenfold", "Double n from attempt to attempt; you take ten times as many.")
def tenfold(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, grow=lambda n: 10 * n)


@wrong("attempts-added", "You add up the attempts; each has a difference of its own.")
def added(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    _refuse(tick_ns, error, most)
    fn()
    start, n = clock_ns(), 1
    while n <= most:
        for _ in range(n):
            fn()
        if clock_ns() - start >= tick_ns / error:
            return n
        n *= 2
    raise ValueError("too short")


@wrong("from-one-call", "You compute n from one call, whose time the clock cannot tell.")
def from_one_call(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    _refuse(tick_ns, error, most)
    fn()
    once = _elapsed(fn, clock_ns, 1)
    n = 1
    while n * once < tick_ns / error:
        n *= 2
        if n > most:
            raise ValueError("too short")
    return n


@wrong("previous-n", "You return the n of the attempt before.")
def previous(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    found = _model(fn, clock_ns, tick_ns, error, most)
    return max(found // 2, 1)


@wrong("most-returned", "When no attempt is long enough, raise ValueError; do not return most.")
def most_returned(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, last=lambda n, most: most)


@wrong("beyond-most", "No attempt may have more than `most` calls.")
def beyond(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    _refuse(tick_ns, error, most)
    return _model(fn, clock_ns, tick_ns, error, 2 * most)


@wrong("below-most-only", "An attempt with exactly `most` calls is allowed.")
def below_most(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most - 1 if most > 1 else most)


@wrong("tick-not-checked", "A tick that is not above 0 must raise ValueError.")
def any_tick(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, checks="em")


@wrong("error-not-checked", "An error outside (0, 1) must raise ValueError.")
def any_error(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, checks="tm")


@wrong("called-before-refusal", "Refuse bad arguments before fn is called.")
def called_first(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    fn()
    _refuse(tick_ns, error, most)
    return _model(fn, clock_ns, tick_ns, error, most, warm=0)


@wrong(
    "limit-as-a-whole-number", "The limit tick_ns / error is no whole number: do not round it down."
)
def whole_limit(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    return _model(fn, clock_ns, tick_ns, error, most, limit=lambda t, e: t // e)


@wrong(
    "one-reading-between-attempts", "Each attempt needs a reading of its own before its first call."
)
def shared_reading(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    _refuse(tick_ns, error, most)
    fn()
    n, start = 1, clock_ns()
    while n <= most:
        for _ in range(n):
            fn()
        start, before = clock_ns(), start
        if start - before >= tick_ns / error:
            return n
        n *= 2
    raise ValueError("too short")


@wrong("large-errors-accepted", "An error of 1 or more must raise ValueError, not 1 alone.")
def large_error(fn, clock_ns, tick_ns, error=0.01, most=2**20):
    if error == 1:
        raise ValueError("error")
    return _model(fn, clock_ns, tick_ns, error, most, checks="tm" if error > 1 else "tem")
