"""kube-hpa: against the controller's own order of steps, in fractions, with the whole history kept."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"scaling": 0.4, "window": 0.4, "refuse": 0.2}
HINTS = (
    "The recommendation: c within the tolerance, else ceil(load / target).",
    "Only a recommendation of c or less looks at the window, and the result is never above c.",
    "The limits come last, and what is remembered is the recommendation before them.",
)


def _case(label, part, loads, target=10, replicas=2, minimum=1, maximum=20, window=1, **more):
    return case(label, part, loads=loads, target=target, replicas=replicas, minimum=minimum,
                maximum=maximum, window=window, **more)  # fmt: skip


def cases(rng):
    part = "scaling"
    yield _case("up", part, [20, 35, 80])
    yield _case("within the tolerance", part, [105, 95, 108, 92], replicas=10)
    yield _case("outside the tolerance", part, [112, 85], replicas=10)
    yield _case("small steps add up", part, [21, 19, 21, 23, 24, 40], replicas=2)
    yield _case("no load", part, [0, 0], replicas=6, minimum=2)
    yield _case("the limits", part, [900, 1, 900], maximum=7, minimum=3, replicas=3)
    yield _case("no metric", part, [None, 90, None, 10], replicas=3)
    yield _case("no syncs", part, [])
    for k in range(4):
        yield _drawn(rng, f"drawn, {k + 1}", part, 1)
    part = "window"
    yield _case("down after the window", part, [80, 20, 20, 20, 20], window=3)
    yield _case(
        "the start counts as a recommendation", part, [10, 10, 10, 10], replicas=8, window=3
    )
    yield _case(
        "a peak within the window", part, [100, 20, 60, 20, 20, 20, 20], window=4, replicas=5
    )
    yield _case(
        "a remembered peak above the maximum", part, [200, 30, 30, 30, 30], window=3, maximum=8
    )
    yield _case("a gap in the metric", part, [80, None, None, 20, 20], window=3, replicas=4)
    yield _case("up does not wait", part, [10, 90, 10, 150], window=5)
    yield _case(
        "steady, after a peak that passed", part, [90, 30, 30, 58, 30, 30], window=2, replicas=4
    )
    yield _case("never above what runs", part, [200, 41, 41, 41], window=9, maximum=5, replicas=5)
    for k in range(6):
        yield _drawn(rng, f"drawn, {k + 1}", part, int(rng.integers(2, 7)))
    for label, change in (
        ("a target of 0", {"target": 0}),
        ("a window of 0", {"window": 0}),
        ("a minimum of 0", {"minimum": 0}),
        ("fewer than the minimum", {"minimum": 3}),
        ("more than the maximum", {"maximum": 1}),
        ("a negative load", {"loads": [10, -1]}),
    ):
        yield _case(label, "refuse", **({"loads": [10]} | change), refuse=True)


def _drawn(rng, label, part, window):
    """Loads of which none lies on the tolerance's edge, where a float may decide either way."""
    while True:
        loads = [int(x) if rng.uniform() > 0.08 else None for x in rng.integers(0, 200, 25)]
        given = {"target": int(rng.integers(3, 14)), "replicas": 5, "minimum": 2, "maximum": 15}
        if not controller(loads, **given, window=window)[1]:
            return _case(label, part, loads, **given, window=window)


def probe(solution, loads, target, replicas, minimum, maximum, window, refuse=False):
    if refuse:
        return refusal(lambda: solution(loads, target, replicas, minimum, maximum, window))  # noqa: F821
    return solution(loads, target, replicas, minimum, maximum, window)


def controller(loads, target, replicas, minimum, maximum, window):
    """Replicas after each sync, and whether a ratio lay on an edge of the tolerance.

    As kube-controller-manager's stabilizeRecommendationWithBehaviors: start from what runs, raise it to the
    lowest recommendation of the upward window (here the present one alone), lower it to the highest of the
    downward window; then the limits.
    """
    history, counts, edge = [(0, replicas)], [], False
    for now, load in enumerate(loads):
        if load is not None:
            metric = Fraction(load, replicas)
            ratio = metric / target
            edge |= abs(ratio - 1) == Fraction(1, 10)
            exact = replicas * ratio
            present = exact.numerator // exact.denominator + (exact.denominator > 1)
            if Fraction(9, 10) <= ratio <= Fraction(11, 10):
                present = replicas
            history.append((now, present))
            highest = max(count for at, count in history if now - at < window)
            replicas = min(max(replicas, present), max(highest, present))
            replicas = min(max(replicas, minimum), maximum)
        counts.append(replicas)
    return counts, edge


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    right, _ = controller(
        case.loads, case.target, case.replicas, case.minimum, case.maximum, case.window
    )
    if not isinstance(answer, list):
        expect.wrong("type", "Return a list.", yours=expect.kind(answer), right="a list")
    expect.that(len(answer) == len(right), "One number a sync.", stage="shape", yours=len(answer),
                right=len(right))  # fmt: skip
    for i, (yours, wanted) in enumerate(zip(answer, right, strict=True)):
        expect.integer(yours, wanted, f"replicas after sync {i}")
    return None
