"""route-prefix: scripted replicas against the rule read literally, then inside the simulator."""

from autograder.checks import case, expect
from autograder.checks.oracles import fleet

PARTS = {"scripted": 0.6, "in the simulator": 0.2, "refuse": 0.2}
HINTS = (
    "least: smallest load of all. warm: smallest load of those with has_prefix(request.prefix).",
    "warm if its load <= load of least + most_ahead, else least.",
    "prefix -1 is no prefix, whatever has_prefix(-1) says.",
)


def cases(rng):
    part = "scripted"
    for n in (1, 2, 4, 8, 12):
        rows = fleet.rows(rng, n, high=9)
        asked = rng.integers(-1, 6, 20).tolist()
        for ahead in (0, int(rng.integers(1, 5))):
            yield case(
                f"{n} replicas, {ahead} ahead",
                part,
                replicas=rows,
                prefixes=asked,
                most_ahead=ahead,
            )
    rows = [[0, 1, 4, 0, [2]], [1, 0, 3, 0, []], [2, 3, 2, 0, [2]], [3, 0, 9, 0, [2, 4]]]
    for ahead in (1, 2, 5, 6, 10**9):
        yield case(
            f"at the limit, {ahead} ahead",
            part,
            replicas=rows,
            prefixes=[2, 4, 5, -1],
            most_ahead=ahead,
        )
    odd = [[0, 0, 4, 0, [-1]], [1, 0, 3, 0, []]]
    yield case("a cache that holds -1", part, replicas=odd, prefixes=[-1, 0], most_ahead=3)
    tokens = [[0, 0, 2, 9000, [1]], [1, 2, 2, 100, [1]], [2, 4, 0, 0, []]]
    yield case(
        "work ahead does not count here", part, replicas=tokens, prefixes=[1, 0], most_ahead=1
    )
    equal = [[5, 1, 1, 7, []], [6, 1, 1, 3, [1]], [7, 2, 0, 1, [1]], [8, 0, 2, 0, []]]
    yield case("equal loads", part, replicas=equal, prefixes=[1, 2, -1], most_ahead=0)
    for ahead in (0, 3):
        yield case(
            f"a simulated trace, {ahead} ahead",
            "in the simulator",
            replicas=[],
            prefixes=[],
            most_ahead=ahead,
            seed=int(rng.integers(10**6)),
        )
    yield case("no replica", "refuse", replicas=[], prefixes=[1], most_ahead=1, refuse=True)
    yield case("most_ahead -1", "refuse", replicas=rows, prefixes=[1], most_ahead=-1, refuse=True)
    yield case(
        "most_ahead -1, and no prefix",
        "refuse",
        replicas=rows,
        prefixes=[-1],
        most_ahead=-1,
        refuse=True,
    )


def probe(solution, replicas, prefixes, most_ahead, seed=None, refuse=False):
    from lab.serving import Engine, ScriptedReplica, make_load, scripted_request, simulate

    if seed is not None:
        rng = np.random.default_rng(seed)  # noqa: F821
        load = make_load(rng, 40.0, 8.0, 300, 10, 0.8, prefixes=20, prefix_tokens=1000)
        engine = Engine(10_000, 0.02, 0.0005, slots=16, prefix_slots=3)
        return simulate(load, engine, 5, lambda r, up: solution(r, up, most_ahead)).replica
    up = [ScriptedReplica(i, q, r, a, tuple(p)) for i, q, r, a, p in replicas]
    requests = [scripted_request(k, prefix=p) for k, p in enumerate(prefixes)]
    if refuse:
        return refusal(lambda: solution(requests[0], up, most_ahead))  # noqa: F821
    return [solution(request, up, most_ahead) for request in requests]


def _right(request, replicas, most_ahead):
    ranked = sorted((r.load, i) for i, r in enumerate(replicas))
    if request.prefix < 0:
        return ranked[0][1]
    warm = [(load, i) for load, i in ranked if replicas[i].has_prefix(request.prefix)]
    if warm and warm[0][0] - ranked[0][0] <= most_ahead:
        return warm[0][1]
    return ranked[0][1]


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    right = fleet.run(probe, _right, case.inputs)
    if case.part == "in the simulator":
        return fleet.same_replicas(answer, right)
    for k, (one, want) in enumerate(zip(answer, right, strict=True)):
        expect.integer(one, want, f"position for prefix {case.prefixes[k]}")
    return None
