"""compile-cost: compilations and times of a trace of batch sizes, by a cache of artifacts.

That the rules are those of torch.compile is tested in tests/test_compile_rules.py against the real one.
"""

from autograder.checks import case, expect
from autograder.checks.oracles.compile_cache import served

PARTS = {"compilations": 0.35, "total": 0.35, "when it pays": 0.3}
HINTS = (
    "Walk through the trace once for each mode; keep the set of sizes with a static artifact, and a flag.",
    "A size of 0 or 1 never uses the dynamic artifact, and never makes it.",
    "pays_after: collect the running difference to eager, and look for the last place where it is above 0.",
)
COSTS = {"eager_us": 50, "static_us": 20, "dynamic_us": 30, "compile_us": 100}
MODES, KEYS = ("static", "automatic"), ("compiles", "total_us", "pays_after")


def _traces(rng):
    yield "nothing", [], {}
    yield "one call", [4], {}
    yield "one size", [4] * 8, {}
    yield "two sizes", [4, 4, 6, 4, 6, 6, 4], {}
    yield "the static artifact is behind the dynamic one", [4, 6, 4, 4, 4, 4], {}
    yield "a batch of 1 first", [1, 4, 6, 1, 8], {}
    yield "a batch of 1 later", [4, 6, 1, 1, 6, 4], {}
    yield "1 between two calls of 4", [4, 1, 4, 4, 5], {}
    yield "empty batches", [0, 4, 6, 0, 1, 1, 0], {}
    yield "many sizes", list(range(2, 14)) * 2, {}
    yield "a limit of 2", [4, 1, 5, 5, 4, 1], {"limit": 2}
    yield "a limit of 1", [4, 4, 5, 4, 5], {"limit": 1}
    yield "pays, and then no more", [4] * 4 + [5] + [6] + [4], {}
    yield "pays twice", [4] * 8 + [1] + [4] * 9, {"limit": 3}
    yield "exactly even", [7] * 5, {"eager_us": 40, "static_us": 20, "compile_us": 100}
    yield "compiled code is slower", [4, 6] * 5, {"static_us": 60, "dynamic_us": 70}
    yield "free compilation", [4, 6, 4], {"compile_us": 0}
    for count, top in ((12, 4), (40, 6), (60, 14)):
        drawn = {
            "eager_us": int(rng.integers(20, 60)),
            "static_us": int(rng.integers(5, 20)),
            "dynamic_us": int(rng.integers(10, 30)),
            "compile_us": int(rng.integers(30, 200)),
            "limit": int(rng.integers(2, 9)),
        }
        yield f"{count} drawn calls", [int(s) for s in rng.integers(0, top, count)], drawn


def cases(rng):
    traces = list(_traces(rng))
    for part in PARTS:
        for label, sizes, costs in traces:
            yield case(label, part, sizes=sizes, costs=COSTS | costs)


def probe(solution, sizes, costs):
    return solution(sizes, **costs)


def _right(mode, sizes, costs):
    calls = served(mode, sizes, costs.get("limit", 8))
    took = [costs["compile_us"] * made + costs[f"{artifact}_us"] for made, artifact in calls]
    ahead = [sum(took[: n + 1]) <= costs["eager_us"] * (n + 1) for n in range(len(took))]
    pays = next((n + 1 for n in range(len(took)) if all(ahead[n:])), None)
    return {"compiles": sum(made for made, _ in calls), "total_us": sum(took), "pays_after": pays}


def judge(case, answer):
    got = expect.mapping(answer, MODES, only=True)
    key = dict(zip(PARTS, KEYS, strict=True))[case.part]
    for mode in MODES:
        mine = expect.mapping(got[mode], KEYS, only=True)[key]
        want = _right(mode, case.sizes, case.costs)[key]
        name, hint = f"{mode}: {key}", f"sizes {case.sizes}"
        if want is None:
            expect.that(
                mine is None,
                f"`{name}`: it never pays in this trace.",
                yours=mine,
                right="None",
                hint=hint,
            )
        elif key == "total_us":
            expect.number(mine, want, name, hint=hint)
        else:
            expect.integer(mine, want, name, hint=hint)
