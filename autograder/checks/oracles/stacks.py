"""Stacks of components (name, layer, offers, needs) as plain tuples: cases, and what holds for them."""

import itertools

from autograder.checks import expect

BASE = [
    ("GPU", 1, ("GPU",), ()),
    ("driver", 2, ("driver API",), ("GPU",)),
    ("runtime", 3, ("CUDA",), ("driver API",)),
    ("engine", 3, ("API", "blocks"), ("CUDA", "GPU")),
    ("cache", 4, ("events",), ("blocks",)),
    ("router", 5, ("routes",), ("API", "events")),
]


def fixed():
    """(label, part, components)."""
    yield "a whole stack", "needs", BASE
    yield "a whole stack, from the top", "needs", BASE[::-1]
    yield "the driver is missing", "needs", [c for c in BASE if c[0] != "driver"]
    yield "offered in a higher layer only", "needs", [*BASE, ("agent", 2, (), ("API", "routes"))]
    yield "offered by itself only", "needs", [*BASE, ("shell", 3, ("tools",), ("tools",))]
    yield "offered by itself and another", "needs", [
        ("a", 2, ("x",), ("x",)), ("b", 1, ("x",), ()), ("c", 3, ("X",), ("x ",))]  # fmt: skip
    yield "a need named twice", "needs", [("a", 1, (), ("z", "y", "z")), ("b", 1, (), ("z",))]
    yield "a need that is part of another's name", "needs", [
        ("a", 1, ("GPU memory", "CUDA"), ()), ("b", 2, (), ("GPU", "CUDA"))]  # fmt: skip
    yield (
        "names in capitals",
        "needs",
        [("b", 1, (), ("q",)), ("Z", 1, (), ("q",)), ("a", 2, (), ("Q", "q"))],
    )
    yield (
        "offered in other letters only",
        "needs",
        [("b", 1, ("cuda",), ()), ("a", 3, (), ("CUDA",))],
    )
    yield "two that offer the same", "needs", [*BASE, ("second GPU", 1, ("GPU",), ())]
    yield "nothing at all", "layers", []
    yield "one layer", "layers", [("GPU", 1, ("GPU",), ())]
    yield "top and bottom", "layers", [("router", 5, (), ()), ("GPU", 1, (), ())]
    yield "no hardware", "layers", [c for c in BASE if c[1] != 1]
    yield "two that need each other", "circles", [
        *BASE, ("x", 3, ("p",), ("q",)), ("y", 3, ("q",), ("p",))]  # fmt: skip
    yield "three in a circle, and one that leads there", "circles", [
        ("a", 2, ("1",), ("2",)), ("b", 2, ("2",), ("3",)), ("c", 2, ("3",), ("1",)),
        ("outside", 4, (), ("1",)), ("below", 1, ("4",), ()), ("d", 2, (), ("4", "3"))]  # fmt: skip
    yield "a circle from layer to layer is none: the upper does not count", "circles", [
        ("low", 2, ("1",), ("2",)), ("high", 3, ("2",), ("1",))]  # fmt: skip
    yield "needs what it offers", "circles", [("own", 3, ("1",), ("1",)), ("low", 1, (), ())]
    yield "two circles", "circles", [
        ("d", 1, ("4",), ("3",)), ("c", 1, ("3",), ("4",)), ("b", 5, ("2",), ("1",)),
        ("a", 5, ("1",), ("2", "4"))]  # fmt: skip
    yield "a diamond is no circle", "circles", [
        ("top", 3, (), ("1", "2")), ("left", 3, ("1",), ("3",)), ("right", 3, ("2",), ("3",)),
        ("end", 3, ("3",), ())]  # fmt: skip


def refused():
    """(label, components)."""
    yield "two components of one name", [*BASE, ("engine", 4, (), ())]
    yield "layer 0", [("GPU", 0, (), ())]
    yield "layer 6", [*BASE, ("user", 6, (), ())]


def drawn(rng, count, kinds, most_layer=5):
    """Random components; few layers make circles likely."""
    names = [f"{chr(97 + int(rng.integers(26)))}{i}" for i in range(count)]
    made = []
    for name in names:
        offers = {f"k{int(rng.integers(kinds))}" for _ in range(int(rng.integers(0, 3)))}
        needs = {f"k{int(rng.integers(kinds + 1))}" for _ in range(int(rng.integers(0, 3)))}
        made.append((name, int(rng.integers(1, most_layer + 1)), tuple(sorted(offers)),
                     tuple(sorted(needs))))  # fmt: skip
    return made


def direct(parts):
    """{name: set of names it depends on}."""
    edges = {name: set() for name, *_ in parts}
    for a, b in itertools.permutations(parts, 2):
        if b[1] <= a[1] and set(a[3]).intersection(b[2]):
            edges[a[0]].add(b[0])
    return edges


def closed(edges):
    """Warshall: everything that can be reached by one dependency or more."""
    reach = {name: set(ends) for name, ends in edges.items()}
    for middle in reach:
        for name in reach:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    return reach


def findings(parts):
    """What check_stack reports."""
    unmet = set()
    for a in parts:
        for need in a[3]:
            if not [b for b in parts if b[0] != a[0] and b[1] <= a[1] and need in b[2]]:
                unmet.add((a[0], need))
    reach = closed(direct(parts))
    return {
        "empty": sorted(set(range(1, 6)) - {layer for _, layer, *_ in parts}),
        "unmet": sorted(unmet),
        "circular": sorted(name for name in reach if name in reach[name]),
    }


def reduced(parts):
    """Sorted edges without those that a longer way implies; the stack has no circle."""
    edges = direct(parts)
    reach = closed(edges)
    implied = {(a, c) for a in edges for b in edges[a] for c in reach[b]}
    return sorted({(a, b) for a in edges for b in edges[a]} - implied)


def compare(answer, want, name):
    """A list equal to `want`; pairs may be lists, and the first difference is told."""
    expect.that(isinstance(answer, (list, tuple)), f"`{name}` is a list.", stage="type",
                yours=expect.kind(answer))  # fmt: skip
    got = [tuple(x) if isinstance(x, (list, tuple)) else x for x in answer]
    for x in got:
        for part in x if isinstance(x, tuple) else (x,):
            kind = int if name == "empty" else str
            expect.that(type(part) is kind, f"`{name}` holds {kind.__name__}s.", stage="type",
                        yours=expect.kind(part))  # fmt: skip
    missing, more = [x for x in want if x not in got], [x for x in got if x not in want]
    expect.that(not missing, f"`{name}` lacks an entry.", yours=got, right=str(missing[:1]))
    expect.that(not more, f"`{name}` has an entry too many.", yours=str(more[:1]), right=want)
    expect.that(got == want, f"`{name}` is out of order, or has an entry twice.", yours=got,
                right=want)  # fmt: skip
