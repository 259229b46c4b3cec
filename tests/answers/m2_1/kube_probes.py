"""Answers to kube-probes."""

import math

from autograder.checks.bank import right, wrong


def _model(ready, hang, initial, period, timeout, *, check=True, more=1, least=0, up=math.ceil,
           delay=True, known=True, down=math.floor, strict=False):  # fmt: skip
    if check and (ready < 0 or initial < 0 or period < 1 or not 1 <= timeout <= period):
        raise ValueError("range")
    early = max(least, up((ready - (initial if delay else 0)) / period))
    alive = down((hang - (timeout if known else 0)) / period)
    if check and alive < 1:
        raise ValueError("hang_s")
    return early + more, alive


@right("two quotients")
def quotients(ready_s, hang_s, initial_s, period_s, timeout_s):
    return _model(ready_s, hang_s, initial_s, period_s, timeout_s)


@right("probe after probe")
def one_by_one(ready_s, hang_s, initial_s, period_s, timeout_s):
    if min(ready_s, initial_s) < 0 or period_s < 1 or timeout_s < 1 or timeout_s > period_s:
        raise ValueError("range")
    at, threshold = initial_s, 1
    while at < ready_s:
        at, threshold = at + period_s, threshold + 1
    alive = 0
    while (alive + 1) * period_s + timeout_s <= hang_s:
        alive += 1
    if not alive:
        raise ValueError("hang_s")
    return [threshold, alive]


def _wrong(name, sentence, **how):
    def answer(ready_s, hang_s, initial_s, period_s, timeout_s):
        return _model(ready_s, hang_s, initial_s, period_s, timeout_s, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong(
    "killed-at-the-last-failure",
    "As many failures as the threshold kill: one more is needed than probes fail.",
    more=0,
)
_wrong("one-too-many", "That threshold is not the smallest.", more=2)
_wrong("floored", "A probe just before ready_s fails too: round up.", up=math.floor)
_wrong("rounded", "Round up: the nearest number may be one probe too few.", up=round)
_wrong("probe-at-ready-fails", "A probe sent at ready_s succeeds.", up=lambda x: math.floor(x) + 1)
_wrong("initial-delay-forgotten", "The first probe is sent at initial_s.", delay=False)
_wrong("negative-early", "Ready before the first probe: the threshold is 1, not less.", least=-99)
_wrong(
    "timeout-forgotten",
    "The last failure is known one timeout after its probe was sent.",
    known=False,
)
_wrong("liveness-rounded-up", "With one failure more it is killed too late.", down=math.ceil)
_wrong("not-checked", "Numbers outside their range must raise ValueError.", check=False)
_wrong("floats", "A threshold is a whole number.", up=lambda x: float(math.ceil(x)))


@wrong("swapped", "First the startup probe's threshold, then the liveness probe's.")
def swapped(ready_s, hang_s, initial_s, period_s, timeout_s):
    return _model(ready_s, hang_s, initial_s, period_s, timeout_s)[::-1]
