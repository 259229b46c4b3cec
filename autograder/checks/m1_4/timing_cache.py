"""timing-cache: the choices, the cache and the number of timings of one build after another."""

from autograder.checks import case, expect

PARTS = {"choices": 0.35, "timings": 0.35, "the cache": 0.3}
HINTS = (
    "key = (device, layer['op'], tuple(layer['shape']), layer['dtype'])",
    "cache = dict(cache) makes a copy that you may add to",
    "min(tactics, key=...) keeps the first of equals and calls the key once for each tactic",
)
OPS = {
    "Conv": ["implicit_gemm", "winograd", "direct"],
    "MatMul": ["split_k", "stream_k"],
    "Pool": ["simple"],
}


def cases(rng):
    choices, timings, stored = PARTS
    for count in (1, 4, 12):
        yield case(f"{count} layers, empty cache", choices, **_network(rng, count))
    yield case("equal times: the first tactic", choices, **_network(rng, 6, equal=True))
    yield case("no layers", choices, **_network(rng, 0))
    yield case("layers alike are timed once", timings, **_network(rng, 16, shapes=2))
    yield case("alike but for the dtype", timings, **_network(rng, 12, shapes=1))
    full = _network(rng, 8)
    hits = _entries(full, full["device"])
    yield case("all in the cache", timings, **full | {"cache": hits})
    yield case(
        "a cache of another device", timings, **full | {"cache": _entries(full, "sm_75, 10.16.1")}
    )
    yield case(
        "a cache of another release", timings, **full | {"cache": _entries(full, "sm_90, 11.4.0")}
    )
    half = _network(rng, 10)
    yield case("half in the cache", stored, **half | {"cache": _entries(half, half["device"])[::2]})
    kept = _entries(half, "sm_75, 10.16.1")
    yield case("entries of others are kept", stored, **half | {"cache": kept})
    other = _entries(_network(rng, 6), half["device"])
    yield case("entries of layers that are gone are kept", stored, **half | {"cache": other})
    yield case("the given cache stays as it was", stored, **_network(rng, 5))
    empty = {"Conv": [], "MatMul": [], "Pool": []}
    yield case("all in the cache, no tactics", stored, **full | {"cache": hits, "tactics": {}})
    yield case("an op without an entry", stored, **_network(rng, 3) | {"tactics": {}}, good=False)
    yield case(
        "an op with an empty list", stored, **_network(rng, 3) | {"tactics": empty}, good=False
    )


def _network(rng, count, shapes=5, equal=False):
    pool = [[int(v) for v in rng.integers(1, 512, 4)] for _ in range(shapes)]
    ops = list(OPS)
    layers = [{"name": f"layer{i}", "op": str(rng.choice(ops)), "shape": pool[int(rng.integers(shapes))],
               "dtype": str(rng.choice(["fp16", "int8"]))} for i in range(count)]  # fmt: skip
    speed = {
        t: 1.0 if equal else float(rng.uniform(0.5, 2)) for names in OPS.values() for t in names
    }
    bias = {t: 0.0 if equal else float(rng.uniform(0, 1)) for t in speed}
    return {
        "layers": layers,
        "tactics": OPS,
        "speed": speed,
        "bias": bias,
        "cache": [],
        "device": "sm_90, 10.16.1",
    }


def _entries(network, device):
    # The slowest tactic, so that a layer that is timed again would be told apart from a hit.
    found = {}
    for layer in network["layers"]:
        key = (device, layer["op"], tuple(layer["shape"]), layer["dtype"])
        found[key] = OPS[layer["op"]][-1]
    return [[*key[:2], list(key[2]), key[3], tactic] for key, tactic in found.items()]


def probe(solution, layers, tactics, speed, bias, cache, device, good=True):
    calls = []

    def measure(op, shape, dtype, tactic):
        calls.append([op, [int(v) for v in shape], dtype, tactic])
        work = float(sum(shape)) * (0.5 if dtype == "int8" else 1.0)
        return speed[tactic] * work * 1e-3 + bias[tactic] * (len(shape) + work % 7)

    given = {(d, op, tuple(shape), dtype): tactic for d, op, shape, dtype, tactic in cache}
    before = dict(given)
    if not good:
        return refusal(lambda: solution(layers, tactics, measure, given, device))  # noqa: F821
    result = solution(layers, tactics, measure, given, device)
    if not isinstance(result, (tuple, list)) or len(result) != 2 or not isinstance(result[1], dict):
        return {"shape": "wrong"}
    plan, new = result
    rows = [
        [*key[:2], list(key[2]), key[3], value]
        if isinstance(key, tuple) and len(key) == 4
        else [str(key)]
        for key, value in new.items()
    ]
    return {"plan": plan, "cache": rows, "calls": calls, "unchanged": before == given}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.that(
        "plan" in answer, "Return two values: the plan and the new cache, both dicts.", stage="type"
    )
    times = {}
    cache = {(d, op, tuple(s), t): tactic for d, op, s, t, tactic in case.cache}
    plan = {}
    for layer in case.layers:
        key = (case.device, layer["op"], tuple(layer["shape"]), layer["dtype"])
        if key not in cache:
            scores = {t: _time(case, key, t) for t in case.tactics[layer["op"]]}
            times |= {(*key[1:], t): 1 for t in scores}
            best = min(scores.values())
            cache[key] = next(t for t, score in scores.items() if score == best)
        plan[layer["name"]] = cache[key]
    yours = expect.mapping(answer["plan"], tuple(plan), only=True)
    for name, tactic in plan.items():
        expect.that(
            yours[name] == tactic,
            f"The tactic of {name!r} is off.",
            yours=str(yours[name]),
            right=tactic,
        )
    calls = sorted((op, tuple(shape), dtype, t) for op, shape, dtype, t in answer["calls"])
    expect.that(len(calls) == len(times), "The number of timings is off.", yours=len(calls), right=len(times),
                hint="A key that the cache holds is not timed; layers alike are timed once.")  # fmt: skip
    expect.that(calls == sorted(times), "Other tactics were timed than needed.")
    rows = {(r[0], r[1], tuple(r[2]), r[3]): r[4] for r in answer["cache"] if len(r) == 5}
    expect.that(len(rows) == len(answer["cache"]), "A key of the cache is no (device, op, shape, dtype).",
                yours=str(answer["cache"][:1]))  # fmt: skip
    expect.that(
        rows == cache,
        "The new cache is off.",
        yours=f"{len(rows)} entries",
        right=f"{len(cache)} entries",
    )
    expect.that(
        answer["unchanged"],
        "You changed the cache that was given; return a copy.",
        stage="mutation",
    )


def _time(case, key, tactic):
    _, _, shape, dtype = key
    work = float(sum(shape)) * (0.5 if dtype == "int8" else 1.0)
    return case.speed[tactic] * work * 1e-3 + case.bias[tactic] * (len(shape) + work % 7)
