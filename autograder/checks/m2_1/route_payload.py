"""route-payload: scripted replicas against a sort, then the router inside the simulator."""

from autograder.checks import case, expect
from autograder.checks.oracles import fleet

PARTS = {"scripted": 0.6, "in the simulator": 0.25, "refuse": 0.15}
HINTS = (
    "allowed = positions whose replica's index is in the pool; if that is empty, all positions.",
    "min(allowed, key=lambda i: (prompt_tokens_ahead, load)) keeps the first of equals.",
    "pools.get(kind(request)) may be None: then every replica is allowed.",
)
KINDS = ("long", "short", "other")


def cases(rng):
    part = "scripted"
    for n in (1, 2, 4, 7, 12):
        rows = fleet.rows(rng, n, high=8)
        pools = {
            k: sorted({int(r[0]) for r in rows if rng.random() < 0.5}) for k in ("long", "short")
        }
        lengths = rng.integers(1, 6000, 12).tolist()
        yield case(f"{n} replicas, pools drawn", part, replicas=rows, pools=pools, lengths=lengths)
    rows = fleet.rows(rng, 6, high=8)
    lengths = [100, 1000, 1001, 4000, 4001, 9000]
    yield case("no pools", part, replicas=rows, pools={}, lengths=lengths)
    away = {"long": [900, 901], "short": [902], "other": []}
    yield case("pools that are down or empty", part, replicas=rows, pools=away, lengths=lengths)
    shifted = [[10 - i, 1, 1, 500 - 50 * i, []] for i in range(5)]
    pools = {"short": [0, 1, 2, 10, 9], "long": [8, 7]}
    yield case("index is not position", part, replicas=shifted, pools=pools, lengths=lengths)
    equal = [[3, 2, 1, 50, []], [4, 0, 2, 50, []], [5, 1, 1, 50, []], [6, 9, 9, 51, []]]
    yield case("equal work", part, replicas=equal, pools={}, lengths=lengths)
    against = [[0, 0, 1, 8000, []], [1, 3, 20, 300, []], [2, 0, 9, 900, []]]
    yield case(
        "one long prompt against many short ones", part, replicas=against, pools={}, lengths=lengths
    )
    for label, pools in (
        ("no pools", {}),
        ("long prompts apart", {"long": [3, 4], "short": [0, 1, 2]}),
    ):
        yield case(
            f"a simulated trace, {label}",
            "in the simulator",
            replicas=[],
            pools=pools,
            lengths=[],
            seed=int(rng.integers(10**6)),
        )
    yield case("no replica", "refuse", replicas=[], pools={}, lengths=[100], refuse=True)
    pools = {"short": [0]}
    yield case(
        "no replica, but a pool", "refuse", replicas=[], pools=pools, lengths=[100], refuse=True
    )


def probe(solution, replicas, pools, lengths, seed=None, refuse=False):
    from lab.serving import Engine, Failure, ScriptedReplica, make_load, scripted_request, simulate

    asked = []

    def kind(request):
        asked.append(request.index)
        tokens = request.prompt_tokens
        return "short" if tokens <= 1000 else "long" if tokens <= 4000 else "other"

    sets = {key: set(value) for key, value in pools.items()}
    router = solution(kind, sets)
    if seed is not None:
        load = make_load(np.random.default_rng(seed), 60.0, 8.0, 500, 10, spread=1.0)  # noqa: F821
        engine = Engine(10_000, 0.02, 0.0005, slots=16)
        return {"at": simulate(load, engine, 5, router, [Failure(1, 3.0, 6.0)]).replica}
    up = [ScriptedReplica(i, q, r, a, tuple(p)) for i, q, r, a, p in replicas]
    requests = [scripted_request(k, prompt_tokens=n) for k, n in enumerate(lengths)]
    if refuse:
        return refusal(lambda: router(requests[0], up))  # noqa: F821
    at = [router(request, up) for request in requests]
    kept = sets == {key: set(value) for key, value in pools.items()}
    return {"at": at, "asked": asked, "kept": kept}


def _right(kind, pools):
    def router(request, replicas):
        key = kind(request)
        inside = [i for i, r in enumerate(replicas) if key in pools and r.index in pools[key]]
        ranked = [
            (r.prompt_tokens_ahead, r.load, i)
            for i, r in enumerate(replicas)
            if i in inside or not inside
        ]
        return sorted(ranked)[0][2]

    return router


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    right = fleet.run(probe, _right, case.inputs)
    if case.part == "in the simulator":
        return fleet.same_replicas(answer["at"], right["at"])
    for k, (one, want) in enumerate(zip(answer["at"], right["at"], strict=True)):
        expect.integer(one, want, f"position for a prompt of {case.lengths[k]} tokens")
    expect.that(
        answer["asked"] == right["asked"],
        "Call kind(request) once for each request.",
        yours=f"{len(answer['asked'])} calls",
        right=f"{len(right['asked'])} calls",
    )
    return expect.that(answer["kept"], "Do not change pools.", stage="mutation")
