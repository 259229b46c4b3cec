"""stack-diagram: places of nodes, and the transitive reduction of the dependencies."""

from autograder.checks import case, expect
from autograder.checks.oracles import stacks

PARTS = {"places": 0.35, "edges": 0.45, "refuse": 0.2}
HINTS = (
    "Places: sort the names of each layer; the first stands at -(n - 1) / 2.",
    "Edges: all dependencies first, one pair each.",
    "Drop (a, b) if another thing that a depends on reaches b, directly or through others.",
)


def cases(rng):
    for label, _, parts in stacks.fixed():
        if not stacks.findings(parts)["circular"]:
            yield case(label, "places" if len(parts) < 4 else "edges", parts=parts)
    yield case("an odd layer", "places", parts=[(n, 3, (), ()) for n in "cabed"])
    yield case("numbers in names", "places", parts=[(f"node{i}", 2, (), ()) for i in (10, 9, 1, 2)])
    chain = [(f"c{i}", 3, (f"k{i}",), tuple(f"k{j}" for j in range(i))) for i in range(6)]
    yield case("each needs all before it", "edges", parts=chain)
    yield case("two offers of one component", "edges", parts=[
        ("gpu", 1, ("a", "b"), ()), ("engine", 3, (), ("a", "b", "c"))])  # fmt: skip
    yield case("a long way around", "edges", parts=[
        ("z", 1, ("z",), ()), ("y", 2, ("y",), ("z",)), ("x", 3, ("x",), ("y",)),
        ("w", 4, ("w",), ("x",)), ("a", 5, (), ("w", "z")), ("b", 5, (), ("x", "z"))])  # fmt: skip
    found = 0
    while found < 5:
        parts = stacks.drawn(rng, 9 + 2 * found, 6)
        if not stacks.findings(parts)["circular"]:
            found += 1
            yield case(f"drawn, {found}", "edges", parts=parts)
    for label, parts in stacks.refused():
        yield case(label, "refuse", parts=parts, refuse=True)
    for label, _, parts in stacks.fixed():
        if stacks.findings(parts)["circular"]:
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
        return expect.raised(answer, "ValueError", f"Raise ValueError: {case.label}.")
    expect.that(
        not (isinstance(answer, dict) and "changed" in answer),
        "Do not change the list you are given.",
        stage="mutation",
    )
    answer = expect.mapping(answer, ("places", "edges"))
    places = expect.mapping(answer["places"], tuple(name for name, *_ in case.parts), only=True)
    for name, layer, *_ in case.parts:
        row = sorted(other for other, level, *_ in case.parts if level == layer)
        left = 2 * row.index(name) - (len(row) - 1)
        x, y = expect.sequence(places[name], ("x", "y"))
        expect.integer(y, layer, f"y of {name}")
        expect.number(x, left / 2, f"x of {name}", atol=1e-12)
    stacks.compare(answer["edges"], stacks.reduced(case.parts), "edges")
    return None
