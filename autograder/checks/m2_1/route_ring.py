"""route-ring: every node's distance is counted, not the ring sorted; then keys before and after a loss."""

import hashlib
from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"ring": 0.45, "bounded": 0.35, "refuse": 0.2}
HINTS = (
    "points = sorted((hash_of(f'{node}#{copy}'), node) ...): first by place, then by node.",
    "Start at the first point whose place is not below hash_of(key); behind the last comes the first.",
    "full: load >= factor * (sum + 1) / len(nodes), with loads.get(node, 0), over `nodes` alone.",
)
INF = float("inf")


def _keys(rng, count):
    return [f"prefix {int(x)}" for x in rng.integers(10**6, size=count)]


def cases(rng):
    part = "ring"
    for n, copies in ((1, 1), (2, 1), (3, 4), (5, 16), (8, 12)):
        nodes = rng.permutation(40)[:n].tolist()
        yield case(
            f"{n} nodes, {copies} points each",
            part,
            keys=_keys(rng, 40),
            nodes=nodes,
            copies=copies,
            loads={},
            factor=INF,
            modulo=2**64,
        )
    nodes, keys = [0, 1, 2, 3, 4, 5], _keys(rng, 60)
    for lost in (None, 2, 5):
        left = [i for i in nodes if i != lost]
        yield case(
            "six nodes" if lost is None else f"node {lost} is lost",
            part,
            keys=keys,
            nodes=left,
            copies=8,
            loads={},
            factor=INF,
            modulo=2**64,
        )
    # Places that coincide, and keys that fall on a point.
    for n, copies, modulo in ((4, 3, 7), (6, 5, 23), (12, 2, 10)):
        yield case(
            f"only {modulo} places",
            part,
            keys=_keys(rng, 40),
            nodes=rng.permutation(n).tolist(),
            copies=copies,
            loads={},
            factor=INF,
            modulo=modulo,
        )
    yield case(
        "loads without a bound",
        part,
        keys=_keys(rng, 30),
        nodes=[3, 1, 2],
        copies=4,
        loads={1: 50, 2: 3},
        factor=INF,
        modulo=2**64,
    )
    part = "bounded"
    for n, factor in ((2, 1.0), (3, 1.25), (4, 1.25), (8, 1.5), (5, 2.0), (8, 1.0), (16, 1.25)):
        while True:
            nodes = rng.permutation(n + 4)[:n].tolist()
            loads = {int(i): int(rng.integers(12)) for i in nodes}
            if not _at_the_edge(nodes, loads, factor) or n & (n - 1) == 0:
                break
        yield case(
            f"{n} nodes, factor {factor:g}",
            part,
            keys=_keys(rng, 40),
            nodes=nodes,
            copies=6,
            loads=loads,
            factor=factor,
            modulo=2**64,
        )
    for label, loads in (
        ("a load at the limit", {0: 2, 1: 2, 2: 1, 3: 2}),  # 1.0 * 8 / 4 = 2: full
        ("a load just below it", {0: 3, 1: 0, 2: 2, 3: 3}),  # 1.0 * 9 / 4 = 2.25
        ("others' loads do not count", {0: 3, 1: 0, 2: 1, 3: 3, 9: 1000, 17: 5}),
        ("absent is 0", {2: 4}),
        ("all are empty", {}),
    ):
        yield case(
            label,
            part,
            keys=_keys(rng, 30),
            nodes=[0, 1, 2, 3],
            copies=5,
            loads=loads,
            factor=1.0,
            modulo=2**64,
        )
    yield case(
        "only 9 places, bounded",
        part,
        keys=_keys(rng, 30),
        nodes=[3, 0, 2, 1],
        copies=3,
        loads={0: 5, 1: 1, 2: 4},
        factor=1.25,
        modulo=9,
    )
    good = {"keys": ["a"], "nodes": [0, 1], "copies": 2, "loads": {}, "factor": 1.25}
    for label, bad in (
        ("no node", {"nodes": []}),
        ("0 copies", {"copies": 0}),
        ("-1 copies", {"copies": -1}),
        ("a factor of 0.9", {"factor": 0.9}),
        ("a factor of 0", {"factor": 0.0}),
    ):
        yield case(label, "refuse", **{**good, **bad}, modulo=2**64, refuse=True)


def _at_the_edge(nodes, loads, factor):
    limit = Fraction(factor) * (sum(loads.values()) + 1) / len(nodes)
    return any(load == limit for load in loads.values())


def probe(solution, keys, nodes, copies, loads, factor, modulo, refuse=False):
    import hashlib

    def hash_of(text):
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % modulo

    if refuse:
        return refusal(lambda: solution(keys[0], nodes, copies, hash_of, loads, factor))  # noqa: F821
    return [solution(key, nodes, copies, hash_of, loads, factor) for key in keys]


def owner(key, nodes, copies, loads, factor, modulo):
    """The open node with the shortest way ahead, from the key on clockwise."""

    def place(text):
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % modulo

    at, load = place(key), {i: loads.get(i, 0) for i in nodes}
    total = sum(load.values()) + 1
    is_open = [i for i in nodes if factor == INF or load[i] * len(nodes) < Fraction(factor) * total]
    ways = [((place(f"{i}#{c}") - at) % modulo, i) for i in is_open for c in range(copies)]
    return min(ways)[1]


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    given = (case.nodes, case.copies, case.loads, case.factor, case.modulo)
    for key, one in zip(case.keys, answer, strict=True):
        expect.integer(one, owner(key, *given), f"owner of {key!r}")
    return None
