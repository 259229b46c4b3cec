"""parallel-plan: the planner against all layouts, each placed device by device on its nodes."""

import ast
import functools
from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"lowest latency": 0.35, "most tokens": 0.35, "none or equal": 0.15, "refuse": 0.15}
HINTS = (
    "Look at every layout first; drop what the rules forbid; then compare.",
    "With pp batches in flight a longer pipeline does not shrink a device's cache.",
    "tokens_per_s = dp * pp * batch / latency: pp batches are under way in each replica.",
)
KEYS = ("tp", "pp", "dp", "memory_gb", "latency_us", "tokens_per_s")
MODELS = (
    {"parameters": 69 * 10**9, "layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8, "head_dim": 128},
    {"parameters": 7 * 10**9, "layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 32, "head_dim": 128},
    {"parameters": 8 * 10**9, "layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "head_dim": 128},
    {"parameters": 14 * 10**9, "layers": 40, "hidden": 5120, "heads": 40, "kv_heads": 10, "head_dim": 128},
    {"parameters": 3 * 10**9, "layers": 36, "hidden": 2048, "heads": 16, "kv_heads": 2, "head_dim": 128},
    {"parameters": 10**9, "layers": 18, "hidden": 2048, "heads": 8, "kv_heads": 1, "head_dim": 256},
)  # fmt: skip
MACHINES = (
    {"nodes": 2, "gpus_per_node": 8, "memory_gb": 80.0, "memory_gb_per_s": 3350.0},
    {"nodes": 1, "gpus_per_node": 8, "memory_gb": 40.0, "memory_gb_per_s": 1555.0},
    {"nodes": 4, "gpus_per_node": 4, "memory_gb": 24.0, "memory_gb_per_s": 1000.0},
    {"nodes": 3, "gpus_per_node": 2, "memory_gb": 48.0, "memory_gb_per_s": 900.0},
    {"nodes": 2, "gpus_per_node": 6, "memory_gb": 32.0, "memory_gb_per_s": 1200.0},
    {"nodes": 5, "gpus_per_node": 1, "memory_gb": 80.0, "memory_gb_per_s": 2000.0},
)
PICKY = "fewest devices, then the smallest tp"


def _drawn(rng):
    model = {**MODELS[int(rng.integers(len(MODELS)))], "value_bytes": int(rng.choice([1, 2]))}
    machine = dict(MACHINES[int(rng.integers(len(MACHINES)))])
    machine["inside"] = (
        round(float(2 ** rng.uniform(0, 7)), 2),
        round(float(2 ** rng.uniform(4, 9)), 1),
    )
    machine["between"] = (
        round(float(2 ** rng.uniform(2, 8)), 2),
        round(float(2 ** rng.uniform(0, 6)), 1),
    )
    batch, context = int(2 ** rng.integers(0, 8)), int(2 ** rng.integers(7, 13))
    return {"model": model, "machine": machine, "batch": batch, "context": context, "limit": None}


def cases(rng):
    yield from _found(rng, "lowest latency", 6)
    yield from _found(rng, "most tokens", 6)
    yield from _fixed()
    part = "none or equal"
    ether = {**MACHINES[0], "inside": (2.0, 450.0), "between": (8.0, 50.0)}
    seventy = {**MODELS[0], "value_bytes": 2}
    yield case("nothing fits", part, model=seventy, machine={**ether, "memory_gb": 8.0}, batch=8,
               context=1024, limit=None)  # fmt: skip
    yield case("no layout within the limit", part, model=seventy, machine=ether, batch=8, context=1024,
               limit=500.0)  # fmt: skip
    yield case("replicas do not help latency", part, model={**MODELS[1], "value_bytes": 2}, batch=1,
               context=128, limit=None, machine={**ether, "inside": (1000.0, 1.0)})  # fmt: skip
    yield case("a cache that fills the memory", part, model={**MODELS[1], "value_bytes": 2}, batch=64,
               context=4096, limit=None, machine=ether)  # fmt: skip
    good = {"model": seventy, "machine": ether, "batch": 8, "context": 1024, "limit": None}
    for label, bad in (
        ("batch 0", {"batch": 0}),
        ("a negative batch", {"batch": -4}),
        ("context 0", {"context": 0}),
        ("a limit of 0", {"limit": 0.0}),
        ("a negative limit", {"limit": -5.0}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def _shape(parameters, layers, heads, kv_heads):
    return {"parameters": parameters, "layers": layers, "hidden": 128 * heads, "heads": heads,
            "kv_heads": kv_heads, "head_dim": 128, "value_bytes": 2}  # fmt: skip


def _machine(nodes, gpus, memory_gb, inside, between):
    return {"nodes": nodes, "gpus_per_node": gpus, "memory_gb": memory_gb, "memory_gb_per_s": 3350.0,
            "inside": inside, "between": between}  # fmt: skip


def _fixed():
    """Each turns on one rule."""
    quick, dgx = (0.5, 450.0), _machine(2, 8, 80.0, (0.5, 450.0), (8.0, 50.0))
    part = "lowest latency"
    for label, model, machine in (
        ("three stages would do, 32 layers", _shape(26 * 10**9, 32, 32, 8),
         _machine(5, 1, 24.0, quick, (8.0, 50.0))),
        ("weights between 0.9 and all of the memory", _shape(37 * 10**9, 32, 32, 8),
         _machine(2, 1, 80.0, quick, (8.0, 50.0))),
        ("12 heads on 8 devices", _shape(10 * 10**9, 24, 12, 1), dgx),
        ("2 KV heads on 8 devices", _shape(30 * 10**9, 36, 16, 2), dgx),
        ("6 KV heads on 8 devices", _shape(30 * 10**9, 40, 24, 6), dgx),
        ("more than a node holds", _shape(69 * 10**9, 80, 64, 8), _machine(3, 2, 48.0, quick, (20.0, 12.5))),
    ):  # fmt: skip
        yield case(label, part, model=model, machine=machine, batch=2, context=256, limit=None)
    part, pair = "most tokens", _shape(20 * 10**9, 36, 16, 2)
    for label, inside, between in (
        ("a replica across two nodes", (5.0, 64.0), (200.0, 1.0)),
        ("a network quicker than the links inside", (500.0, 5.0), (10.0, 50.0)),
    ):
        yield case(label, part, model=pair, machine=_machine(2, 3, 30.0, inside, between), batch=4,
                   context=512, limit=1e6)  # fmt: skip
    for limit in (12_000.0, 20_000.0, 60_000.0):
        yield case(f"70 B parameters within {limit / 1000:g} ms", part, model=_shape(69 * 10**9, 80, 64, 8),
                   machine={**dgx, "inside": (2.0, 450.0)}, batch=32, context=2048, limit=limit)  # fmt: skip


def _found(rng, part, wanted):
    """Drawn cases with an answer that no rounding and no equal layout can change."""
    while wanted:
        drawn = _drawn(rng)
        rows = layouts(drawn)
        if not rows:
            continue
        if part == "most tokens":
            pace = sorted(float(row["latency_us"]) for row in rows)
            drawn["limit"] = round(
                pace[int(rng.integers(len(pace)))] * float(rng.uniform(1.01, 1.5)), 1
            )
        if _clear(drawn, rows):
            wanted -= 1
            best = choice(drawn, rows)
            yield case(f"tp {best['tp']} pp {best['pp']} dp {best['dp']}, batch {drawn['batch']}", part,
                       **drawn)  # fmt: skip


def _clear(drawn, rows):
    """Whether memory, limit and the best value are away from what rounding could turn around."""
    limit, best = drawn["limit"], choice(drawn, rows)
    if best is None or any(row["edge"] for row in rows):
        return False
    if limit is not None and any(
        abs(row["latency_us"] / Fraction(limit) - 1) < 1e-6 for row in rows
    ):
        return False
    key = "latency_us" if limit is None else "tokens_per_s"
    allowed = [r for r in rows if limit is None or r["latency_us"] <= limit]
    near = [r for r in allowed if r[key] != best[key] and abs(r[key] / best[key] - 1) < 1e-6]
    # Equal in fractions but computed along other ways: only replicas of one shape are the same in floats too.
    other = [
        r for r in allowed if r[key] == best[key] and (r["tp"], r["pp"]) != (best["tp"], best["pp"])
    ]
    return not near and not other


def probe(solution, model, machine, batch, context, limit, refuse=False):
    given = {} if limit is None else {"limit_us": limit}
    if refuse:
        return refusal(lambda: solution(model, machine, batch, context, **given))  # noqa: F821
    return solution(model, machine, batch, context, **given)


def _send(link, size):
    return Fraction(link[0]) + Fraction(size) / (1000 * Fraction(link[1]))


def _pipeline(machine, tp, pp, dp, size):
    """Microseconds of the slowest replica's sends, with the devices placed one by one."""
    node = {}
    for d in range(dp):
        for s in range(pp):
            for t in range(tp):
                node[d, s, t] = len(node) // machine["gpus_per_node"]
    slowest = Fraction(0)
    for d in range(dp):
        took = Fraction(0)
        for s in range(pp - 1):
            same = all(node[d, s, t] == node[d, s + 1, t] for t in range(tp))
            took += _send(machine["inside" if same else "between"], size)
        slowest = max(slowest, took)
    return slowest


def layouts(given):
    """Every allowed layout with its figures, exact. "edge": its memory is within a millionth of the limit."""
    model, machine, batch = given["model"], given["machine"], given["batch"]
    devices, value = machine["nodes"] * machine["gpus_per_node"], model["value_bytes"]
    rows, size = [], batch * model["hidden"] * value
    for tp in range(1, devices + 1):
        kv = model["kv_heads"]
        if (
            machine["gpus_per_node"] % tp
            or model["heads"] % tp
            or not (kv % tp == 0 or tp % kv == 0)
        ):
            continue
        for pp in range(1, devices // tp + 1):
            if model["layers"] % pp:
                continue
            weights = Fraction(model["parameters"] * value, tp * pp)
            heads = max(1, kv // tp)
            one = (
                batch
                * given["context"]
                * 2
                * (model["layers"] // pp)
                * heads
                * model["head_dim"]
                * value
            )
            room = Fraction(9, 10) * Fraction(machine["memory_gb"]) * 10**9
            used = weights + pp * one
            if used > room * Fraction(1_000_001, 1_000_000):
                continue
            read = (weights + one) * pp / (1000 * Fraction(machine["memory_gb_per_s"]))
            sums = sum(
                2 * (tp - 1) * _send(machine["inside"], Fraction(size, tp)) for _ in range(2)
            )
            for dp in range(1, devices // (tp * pp) + 1):
                took = read + model["layers"] * sums + _pipeline(machine, tp, pp, dp, size)
                rows.append({"tp": tp, "pp": pp, "dp": dp, "memory_gb": used / 10**9, "latency_us": took,
                             "tokens_per_s": dp * pp * batch / took * 10**6,
                             "edge": abs(used / room - 1) < Fraction(1, 10**6)})  # fmt: skip
    return rows


def choice(given, rows):
    """The best row by the text's rules, or None."""
    limit = given["limit"]
    rows = [row for row in rows if limit is None or row["latency_us"] <= limit]
    rows.sort(key=lambda r: (r["tp"] * r["pp"] * r["dp"], r["tp"]))
    if limit is None:
        return min(rows, key=lambda r: r["latency_us"], default=None)
    return max(rows, key=lambda r: r["tokens_per_s"], default=None)


@functools.lru_cache(maxsize=256)
def _known(written):
    """The best layout of a case; banks ask for the same one again and again."""
    given = ast.literal_eval(written)
    return choice(given, layouts(given))


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = _known(repr(case.inputs))
    if want is None:
        expect.that(
            answer is None, "No layout is allowed here: return None.", yours=answer, right="None"
        )
        return None
    shown = f"tp {want['tp']} pp {want['pp']} dp {want['dp']}"
    expect.that(answer is not None, "A layout is allowed here.", yours="None", right=shown)
    answer = expect.mapping(answer, KEYS)
    for key in ("tp", "pp", "dp"):
        expect.integer(answer[key], want[key], key, hint=f"Right is {shown}; of equals {PICKY}.")
    for key in KEYS[3:]:
        expect.number(answer[key], float(want[key]), key)
    return None
