"""kube-probes: against probes that are sent one after another, for every threshold."""

from autograder.checks import case, expect

PARTS = {"thresholds": 0.7, "refuse": 0.3}
HINTS = (
    "Count the startup probes sent before ready_s: they all fail, and must not suffice to kill.",
    "f liveness failures are known f periods and one timeout after the last success.",
)


def _case(label, part, ready, hang, initial, period, timeout, **more):
    return case(label, part, ready_s=ready, hang_s=hang, initial_s=initial, period_s=period,
                timeout_s=timeout, **more)  # fmt: skip


def cases(rng):
    part = "thresholds"
    for label, numbers in (
        ("70 s to load", (70.0, 60.0, 0, 10, 5)),
        ("ready between two probes", (71.0, 60.0, 0, 10, 5)),
        ("ready at once", (0.0, 60.0, 0, 10, 5)),
        ("ready before the first probe", (12.0, 60.0, 30, 10, 5)),
        ("ready at the first probe", (30.0, 60.0, 30, 10, 5)),
        ("ready just behind the first probe", (30.5, 60.0, 30, 10, 5)),
        ("an initial delay", (95.0, 44.0, 20, 15, 10)),
        ("one liveness failure is all", (8.0, 15.0, 0, 10, 5)),
        ("the limit just missed", (8.0, 24.75, 0, 10, 5)),
        ("a timeout of a whole period", (8.0, 30.0, 0, 10, 10)),
        ("ten minutes from a slow disk", (600.0, 120.0, 60, 7, 3)),
    ):
        yield _case(label, part, *numbers)
    for k in range(8):
        period = int(rng.integers(2, 31))
        timeout = int(rng.integers(1, period + 1))
        hang = period + timeout + int(rng.integers(0, 800)) / 4
        yield _case(f"drawn, {k + 1}", part, int(rng.integers(0, 3000)) / 4, hang,
                    int(rng.integers(0, 60)), period, timeout)  # fmt: skip
    for label, numbers in (
        ("a negative ready_s", (-1.0, 60.0, 0, 10, 5)),
        ("a negative initial delay", (70.0, 60.0, -1, 10, 5)),
        ("a period of 0", (70.0, 60.0, 0, 0, 0)),
        ("a timeout of 0", (70.0, 60.0, 0, 10, 0)),
        ("a timeout above the period", (70.0, 60.0, 0, 10, 11)),
        ("a hang limit below one failure", (70.0, 14.5, 0, 10, 5)),
        ("a hang limit below the timeout", (70.0, 1.0, 0, 10, 5)),
    ):
        yield _case(label, "refuse", *numbers, refuse=True)


def probe(solution, ready_s, hang_s, initial_s, period_s, timeout_s, refuse=False):
    if refuse:
        return refusal(lambda: solution(ready_s, hang_s, initial_s, period_s, timeout_s))  # noqa: F821
    return solution(ready_s, hang_s, initial_s, period_s, timeout_s)


def survives(threshold, ready_s, initial_s, period_s):
    """Whether the container lives until a startup probe succeeds; probe after probe."""
    failures, at = 0, initial_s
    while at < ready_s:
        failures += 1
        if failures == threshold:
            return False
        at += period_s
    return True


def killed_after(threshold, period_s, timeout_s):
    """Seconds from the last success to the failure that kills."""
    sent = 0
    for _ in range(threshold):
        sent += period_s
    return sent + timeout_s


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    startup, liveness = expect.sequence(answer, ("startup", "liveness"))
    first = 1
    while not survives(first, case.ready_s, case.initial_s, case.period_s):
        first += 1
    last = 1
    while killed_after(last + 1, case.period_s, case.timeout_s) <= case.hang_s:
        last += 1
    expect.integer(startup, first, "startup")
    expect.integer(liveness, last, "liveness")
    return None
