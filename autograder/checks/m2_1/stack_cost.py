"""stack-cost: stretches of loads by the cheapest way, from costs in whole numbers."""

from math import lcm

from autograder.checks import case, expect

PARTS = {"two ways": 0.35, "several ways": 0.45, "refuse": 0.2}
HINTS = (
    "First the cost of one way at one load, as an inner function; None if it cannot serve.",
    "Round up in whole numbers: -(-load // capacity).",
    "At each load take the first of the cheapest; note it when it differs from the one before.",
)


def _way(fixed="0", replica="0", request="0", capacity=None, least=0, most=None):
    """Prices as texts such as "1/3": the probe makes Fractions of them."""
    return {"fixed": fixed, "replica_price": replica, "request_price": request,
            "capacity": capacity, "least": least, "most": most}  # fmt: skip


API = _way(request="1/10")
RENT = _way(replica="3", capacity=50, least=1)
OWN = _way(fixed="9", replica="1/4", capacity=50, least=4, most=4)


def cases(rng):
    part = "two ways"
    for label, ways, most in (
        ("an API against rented replicas", {"API": API, "rent": RENT}, 300),
        ("the same, the other way round", {"rent": RENT, "API": API}, 300),
        ("scaling to zero", {"API": API, "rent": RENT | {"least": 0}}, 120),
        ("a load of 0 alone", {"API": API, "rent": RENT}, 0),
        ("one way", {"API": API}, 50),
        ("equal everywhere: the first", {"b": RENT, "a": RENT}, 120),
        ("ties in tenths", {"line": _way(request="1/10"), "flat": _way(fixed="3/10")}, 9),
        ("ties in tenths, flat first", {"flat": _way(fixed="3/10"), "line": _way(request="1/10")}, 9),
        ("thirds", {"line": _way(request="1/3"), "steps": _way(replica="7/3", capacity=7)}, 60),
        ("a hair cheaper", {"a": _way(fixed="1"),
            "b": _way(fixed="999999999999999999/1000000000000000000")}, 3),
        ("fixed and per request", {"a": _way(fixed="5", request="1/50"), "b": API}, 120),
        ("capacity 1", {"a": _way(replica="1/9", capacity=1), "b": API}, 30),
        ("replicas without capacity", {"a": _way(replica="2", least=3), "b": API}, 90),
    ):  # fmt: skip
        yield case(label, part, ways=ways, most_load=most)
    part = "several ways"
    for label, ways, most in (
        ("three ways", {"API": API, "rent": RENT, "own": OWN}, 260),
        ("own machines alone end", {"own": OWN}, 260),
        ("none can, then one can not either", {"a": RENT | {"most": 1}, "b": OWN}, 300),
        ("a limit below the least", {"a": RENT | {"least": 3, "most": 2}, "b": API}, 40),
        ("a limit below the least, alone", {"a": _way(least=1, most=0)}, 5),
        ("no replica allowed", {"a": RENT | {"least": 0, "most": 0}, "b": API}, 20),
        ("a limit without a capacity", {"a": _way(replica="1", least=2, most=2), "b": API}, 60),
        ("reserved floor", {"API": API, "rent": RENT,
                            "reserved": _way(replica="3/2", capacity=50, least=3, most=3),
                            "more": _way(replica="2", capacity=50, least=2, most=6)}, 400),
        ("the order of names decides equals", {"z": RENT, "a": RENT, "m": OWN}, 260),
    ):  # fmt: skip
        yield case(label, part, ways=ways, most_load=most)
    for k in range(5):
        ways = {}
        for name in "dbac"[: 3 + k % 2]:
            prices = [f"{int(rng.integers(0, 12))}/{int(rng.integers(1, 4))}" for _ in range(2)]
            ways[name] = _way(prices[0], prices[1], f"{int(rng.integers(0, 4))}/{int(rng.integers(8, 40))}",
                              int(rng.integers(5, 60)), int(rng.integers(0, 3)),
                              int(rng.integers(3, 9)) if rng.integers(2) else None)  # fmt: skip
        yield case(f"drawn, {k + 1}", part, ways=ways, most_load=250)
    for label, ways, most in (
        ("no way", {}, 10),
        ("a load below 0", {"API": API}, -1),
        ("a capacity of 0", {"rent": RENT | {"capacity": 0}}, 10),
        ("a negative capacity", {"API": API, "rent": RENT | {"capacity": -5}}, 10),
    ):
        yield case(label, "refuse", ways=ways, most_load=most, refuse=True)


def probe(solution, ways, most_load, refuse=False):
    from fractions import Fraction

    made = {}
    for name, way in ways.items():
        made[name] = dict(way)
        for key in ("fixed", "replica_price", "request_price"):
            value = Fraction(way[key])
            made[name][key] = int(value) if value.denominator == 1 else value
    if refuse:
        return refusal(lambda: solution(made, most_load))  # noqa: F821
    before = {name: dict(way) for name, way in made.items()}
    answer = solution(made, most_load)
    return answer if made == before else "changed"


def stretches(ways, most_load):
    """Costs multiplied by the common denominator; replicas counted up as the load grows."""
    texts = [
        way[key] for way in ways.values() for key in ("fixed", "replica_price", "request_price")
    ]
    unit = lcm(*(int(text.partition("/")[2] or 1) for text in texts))

    def whole(text):
        top, _, bottom = text.partition("/")
        return int(top) * (unit // int(bottom or 1))

    costs = {}
    for name, way in ways.items():
        replicas, row = way["least"], []
        for load in range(most_load + 1):
            while way["capacity"] is not None and replicas * way["capacity"] < load:
                replicas += 1
            able = way["most"] is None or replicas <= way["most"]
            row.append(whole(way["fixed"]) + replicas * whole(way["replica_price"])
                       + load * whole(way["request_price"]) if able else None)  # fmt: skip
        costs[name] = row
    found = []
    for load in range(most_load + 1):
        best = None
        for name, row in costs.items():
            if row[load] is not None and (best is None or row[load] < costs[best][load]):
                best = name
        if not found or found[-1][1] != best:
            found.append((load, best))
    return found


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    changed = isinstance(answer, str) and answer == "changed"
    expect.that(not changed, "Do not change `ways`.", stage="mutation")
    expect.that(isinstance(answer, (list, tuple)), "Return a list of pairs.", stage="type",
                yours=expect.kind(answer))  # fmt: skip
    want = stretches(case.ways, case.most_load)
    for k, pair in enumerate(answer):
        load, name = expect.sequence(pair, ("first load", "name"))
        if k >= len(want):
            expect.wrong("values", "There are too many stretches.", yours=[load, name], right=want)
        expect.integer(load, want[k][0], f"first load of stretch {k + 1}")
        same = name is want[k][1] or (isinstance(name, str) and name == want[k][1])
        expect.that(same, f"Another way is cheapest from a load of {load}.", yours=name,
                    right=want[k][1])  # fmt: skip
    expect.that(len(answer) == len(want), "A stretch is missing.", yours=f"{len(answer)} stretches",
                right=f"{len(want)}, the next is {want[min(len(answer), len(want) - 1)]}")  # fmt: skip
    return None
