"""omitted-waits: a client that waits for answers, walked through in exact fractions."""

from fractions import Fraction
from itertools import accumulate

import numpy as np

from autograder.checks import case, expect

PARTS = {"no wait": 0.25, "stalls": 0.55, "refuse": 0.2}
HINTS = (
    "sent = the later of the intended time and the last answer.",
    "felt = answer - intended; reported = answer - sent.",
    "A client that fell behind catches up only as fast as answers come.",
)


def _regular(rng, n, step, load):
    return [k * step for k in range(n)], [float(s) for s in rng.uniform(0.5, 1.5, n) * load * step]


def cases(rng):
    part = "no wait"
    yield case("one request", part, intended=[3.0], service=[0.5])
    yield case("no requests", part, intended=[], service=[])
    yield case("each answered in time", part, **_given(_regular(rng, 20, 1.0, 0.6)))
    yield case("the answer comes when the next is due", part, intended=[0.0, 1.0, 2.0],
               service=[1.0, 1.0, 0.25])  # fmt: skip
    part = "stalls"
    for n, stall in ((30, 5.0), (200, 50.0)):
        intended, service = _regular(rng, n, 1.0, 0.5)
        service[n // 4] = stall
        yield case(f"a stall of {stall:g} s", part, intended=intended, service=service)
    intended, service = _regular(rng, 120, 0.5, 0.7)
    service[10] = service[14] = 6.0
    yield case("two stalls that overlap", part, intended=intended, service=service)
    yield case("overload", part, **_given(_regular(rng, 80, 0.25, 1.4)))
    yield case(
        "a burst at one time", part, intended=[2.0] * 6, service=[0.5, 0.25, 1.0, 0.0, 2.0, 0.5]
    )
    arrivals = [float(t) for t in rng.exponential(1.0, 150).cumsum()]
    yield case("random times", part, intended=arrivals,
               service=[float(s) for s in rng.exponential(0.8, 150)])  # fmt: skip
    yield case("times before 0", part, intended=[-5.0, -4.5, -1.0], service=[1.0, 1.0, 1.0])
    for label, intended, service in (
        ("fewer service times", [0.0, 1.0], [0.5]),
        ("more service times", [0.0], [0.5, 0.5]),
        ("a negative service time", [0.0, 1.0], [0.5, -0.5]),
        ("intended times that descend", [0.0, 2.0, 1.0], [0.5, 0.5, 0.5]),
    ):
        yield case(label, "refuse", intended=intended, service=service, refuse=True)


def _given(pair):
    return {"intended": pair[0], "service": pair[1]}


def probe(solution, intended, service, refuse=False):
    if refuse:
        return refusal(lambda: solution(intended, service))  # noqa: F821
    return solution(intended, service)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    answer = answer.tolist() if isinstance(answer, np.ndarray) else answer
    found = expect.sequence(answer, ("reported", "felt"))
    intended, service = ([Fraction(x) for x in xs] for xs in (case.intended, case.service))
    # done[k] = max over j <= k of intended[j] + service[j] + ... + service[k], by sums from the start.
    before = [Fraction(0), *accumulate(service)]
    slack = accumulate((i - b for i, b in zip(intended, before, strict=False)), max)
    done = [most + upto for most, upto in zip(slack, before[1:], strict=True)]
    wanted = service, [d - i for d, i in zip(done, intended, strict=True)]
    for name, values, want in zip(("reported", "felt"), found, wanted, strict=True):
        values = values.tolist() if isinstance(values, np.ndarray) else values
        expect.that(isinstance(values, (list, tuple)), f"`{name}` must be a list.", stage="type",
                    yours=expect.kind(values), right="a list")  # fmt: skip
        expect.that(len(values) == len(want), f"`{name}` must have one latency for each request.",
                    stage="shape", yours=len(values), right=len(want))  # fmt: skip
        for k, (value, right) in enumerate(zip(values, want, strict=True)):
            expect.number(value, float(right), f"{name}[{k}]", atol=1e-9)
    return None
