"""route-two-choices: all pairs of positions are enumerated; then the router inside the simulator."""

from fractions import Fraction

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import fleet

PARTS = {"scripted": 0.6, "in the simulator": 0.2, "refuse": 0.2}
HINTS = (
    "first = int(u * n).",
    "second = int(v * (n - 1)), and 1 more if it is not below first: then the two differ.",
    "The second wins only with a smaller load.",
)


def cases(rng):
    part = "scripted"
    for n in (2, 3, 5, 8, 13):
        rows = fleet.rows(rng, n, high=6)
        draws = rng.random((30, 2)).tolist()
        yield case(f"{n} replicas", part, replicas=rows, draws=draws)
    yield case("one replica", part, replicas=fleet.rows(rng, 1), draws=[[0.3, 0.9], [0.0, 0.0]])
    equal = [[i, 2, 3, 100, []] for i in range(6)]
    yield case("all are equal", part, replicas=equal, draws=rng.random((20, 2)).tolist())
    queue = [[i, 9 - i, i * 3, 0, []] for i in range(6)]  # queued falls, load rises
    yield case("queues against loads", part, replicas=queue, draws=rng.random((30, 2)).tolist())
    edge = [[0.0, 0.0], [0.999999, 0.999999], [0.0, 0.999999], [0.999999, 0.0], [0.5, 0.5]]
    yield case("draws at the ends", part, replicas=fleet.rows(rng, 4), draws=edge)
    seed = int(rng.integers(10**6))
    yield case("a simulated trace", "in the simulator", replicas=[], draws=[], seed=seed)
    rows = fleet.rows(rng, 3)
    for label, replicas, draw in (
        ("no replica", [], [0.5, 0.5]),
        ("u of 1", rows, [1.0, 0.5]),
        ("v of 1", rows, [0.5, 1.0]),
        ("a negative u", rows, [-0.1, 0.5]),
        ("a negative v", rows, [0.1, -0.5]),
    ):
        yield case(label, "refuse", replicas=replicas, draws=[draw], refuse=True)


def probe(solution, replicas, draws, seed=None, refuse=False):
    from lab.serving import Engine, ScriptedReplica, make_load, scripted_request, simulate

    if seed is not None:
        rng = np.random.default_rng(seed)
        load = make_load(rng, 60.0, 8.0, 500, 10, spread=1.0)
        engine = Engine(10_000, 0.02, 0.0005, slots=16)
        draws = np.random.default_rng(seed + 1)
        served = simulate(load, engine, 5, lambda r, up: solution(r, up, *draws.random(2).tolist()))
        return served.replica
    up = [ScriptedReplica(i, q, r, a, tuple(p)) for i, q, r, a, p in replicas]
    if refuse:
        return refusal(lambda: solution(scripted_request(), up, *draws[0]))  # noqa: F821
    return [solution(scripted_request(), up, u, v) for u, v in draws]


def _right(loads, u, v):
    n = len(loads)
    if n == 1:
        return 0
    first = Fraction(u) * n // 1
    others = [i for i in range(n) if i != first]
    second = others[Fraction(v) * (n - 1) // 1]
    return second if loads[second] < loads[first] else first


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    if case.part == "in the simulator":
        right = probe(lambda request, up, u, v: _right([r.load for r in up], u, v), **case.inputs)
        return fleet.same_replicas(answer, right)
    loads = [q + r for _, q, r, _, _ in case.replicas]
    right = [_right(loads, u, v) for u, v in case.draws]
    for k, (one, want) in enumerate(zip(answer, right, strict=True)):
        name = f"position for u {case.draws[k][0]:.3f}, v {case.draws[k][1]:.3f}"
        expect.integer(one, int(want), name, cause=f"loads {expect.show(loads)}")
    return None
