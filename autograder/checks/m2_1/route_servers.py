"""route-servers: Erlang C from the Poisson distribution of scipy, and every number of servers tried."""

import math

import numpy as np
from scipy.stats import poisson

from autograder.checks import case, expect

PARTS = {"small": 0.4, "large": 0.25, "extremes": 0.15, "refuse": 0.2}
HINTS = (
    "B from B: B = a B / (k + a B), k = 1, 2, ...; C = B / (1 - rho (1 - B)).",
    "Only c > a is stable; the share within t is 1 - C exp(-(c - a) t / service).",
    "The mean wait is C * service / (c - a): over all requests, those that do not wait counted in.",
)


def chance_of_waiting(servers, offered):
    """Erlang C with the weights a^k / k! e^-a, which never overflow."""
    last = poisson.pmf(servers, offered) * servers / (servers - offered)
    return float(last / (poisson.cdf(servers - 1, offered) + last))


def right_of(rate, service, wait, share):
    """The answer, and how near the shares of the last two numbers of servers come to the wanted one."""
    offered, near = rate * service, 1.0
    servers = math.floor(offered) + 1
    while True:
        chance, free = chance_of_waiting(servers, offered), servers - offered
        reached = 1 - chance * math.exp(-free * wait / service)
        near = min(near, abs(reached - share))
        if reached >= share:
            return (servers, offered / servers, chance, chance * service / free), near
        servers += 1


def _clear(rng, low, high):
    """A drawn case that rounding cannot turn around."""
    while True:
        service = round(float(rng.lognormal(0, 1)), 4) + 0.01
        rate = round(float(np.exp(rng.uniform(np.log(low), np.log(high)))) / service, 4)
        wait = round(float(rng.choice([0.0, 0.1, 0.5, 2.0]) * service), 4)
        share = float(rng.choice([0.1, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999]))
        offered = rate * service
        away = abs(offered - round(offered)) > 1e-6
        if rate > 0 and away and right_of(rate, service, wait, share)[1] > 1e-9:
            return {"rate": rate, "service": service, "wait": wait, "share": share}


def cases(rng):
    for part, low, high, count in (("small", 0.05, 30, 10), ("large", 60, 800, 5)):
        for _ in range(count):
            drawn = _clear(rng, low, high)
            yield case(
                f"offered load {drawn['rate'] * drawn['service']:.2f}, {drawn['share']:.1%}",
                part,
                **drawn,
            )
    part = "extremes"
    yield case(
        "an offered load that is whole", part, rate=4.0, service=1.0, wait=5.0, share=0.5
    )  # 5, not 4
    yield case(
        "a share that any stable fleet reaches", part, rate=2.5, service=1.0, wait=1000.0, share=0.5
    )
    yield case("nobody may wait", part, rate=5.3, service=2.0, wait=0.0, share=0.9999)
    yield case("hardly any load", part, rate=0.001, service=0.5, wait=0.0, share=0.9)
    yield case("some thousands", part, rate=2000.5, service=1.0, wait=0.02, share=0.95)
    good = {"rate": 3.0, "service": 0.5, "wait": 0.1, "share": 0.9}
    for label, bad in (
        ("rate 0", {"rate": 0.0}),
        ("a negative rate", {"rate": -2.0}),
        ("service 0", {"service": 0.0}),
        ("a negative service time", {"service": -0.5}),
        ("a negative wait", {"wait": -0.1}),
        ("share 0", {"share": 0.0}),
        ("share 1", {"share": 1.0}),
        ("a share of 95", {"share": 95.0}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, rate, service, wait, share, refuse=False):
    if refuse:
        return refusal(lambda: solution(rate, service, wait, share))  # noqa: F821
    return solution(rate, service, wait, share)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    names = ("servers", "utilisation", "chance", "mean_wait_s")
    servers, busy, chance, wait_s = expect.sequence(answer, names)
    right, _ = right_of(case.rate, case.service, case.wait, case.share)
    expect.integer(servers, right[0], "servers")
    expect.number(busy, right[1], "utilisation")
    expect.number(chance, right[2], "chance", rtol=1e-5, atol=1e-12)
    expect.number(wait_s, right[3], "mean_wait_s", rtol=1e-5, atol=1e-12)
    return None
