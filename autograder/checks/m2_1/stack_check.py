"""stack-check: findings about a stack, against dependencies closed by Warshall's algorithm."""

from autograder.checks import case, expect
from autograder.checks.oracles import stacks

PARTS = {"needs": 0.4, "layers": 0.15, "circles": 0.3, "refuse": 0.15}
# Who has not written one finding yet keeps the points of another; the circles' cases ask for all.
JUDGED = {"needs": ("unmet",), "layers": ("empty",), "circles": ("empty", "unmet", "circular")}
HINTS = (
    "Write an inner function: which other components, of the same or a lower layer, meet this need?",
    "unmet: pairs of a set comprehension, sorted.",
    "circular: follow dependencies from a component; does it reach itself?",
)


def cases(rng):
    for label, part, parts in stacks.fixed():
        yield case(label, part, parts=parts)
    for k in range(5):
        yield case(f"drawn, {k + 1}", "needs", parts=stacks.drawn(rng, 4 + 3 * k, 2 + k))
    for k in range(3):
        yield case(f"drawn with circles, {k + 1}", "circles", parts=stacks.drawn(rng, 9, 3, 2))
    yield case("60 components", "circles", parts=stacks.drawn(rng, 60, 12))
    for label, parts in stacks.refused():
        yield case(label, "refuse", parts=parts, refuse=True)


def probe(solution, parts, refuse=False):
    from lab.stack import Component

    components = [Component(name, layer, offers, needs) for name, layer, offers, needs in parts]
    if refuse:
        return refusal(lambda: solution(components))  # noqa: F821
    before = list(components)
    answer = solution(components)
    return answer if components == before else {"changed": True}


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.that(
        not (isinstance(answer, dict) and "changed" in answer),
        "Do not change the list you are given.",
        stage="mutation",
    )
    answer = expect.mapping(answer, ("empty", "unmet", "circular"))
    want = stacks.findings(case.parts)
    for key in JUDGED[case.part]:
        stacks.compare(answer[key], want[key], key)
    return None
