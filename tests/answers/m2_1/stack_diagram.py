"""Answers to stack-diagram."""

from autograder.checks.bank import right, wrong


def _model(components, *, names=True, bounds=True, circles=True, may=None, x=None, y=None, row=sorted,
           drop="all", edge=lambda a, b: (a, b), order=sorted):  # fmt: skip
    if names and len({c.name for c in components}) < len(components):
        raise ValueError("names")
    if bounds and any(not 1 <= c.layer <= 5 for c in components):
        raise ValueError("layers")
    may = may or (lambda c, d: c.name != d.name and d.layer <= c.layer)
    depends = {c.name: [d.name for d in components if may(c, d) and any(n in d.offers for n in c.needs)]
               for c in components}  # fmt: skip
    reach = {}
    for name in depends:
        seen, ahead = set(), list(depends[name])
        while ahead:
            now = ahead.pop()
            if now not in seen:
                seen.add(now)
                ahead += depends[now]
        reach[name] = seen
    if circles and any(name in reach[name] for name in reach):
        raise ValueError("circle")
    edges = []
    for a, ends in depends.items():
        for b in ends:
            others = [c for c in ends if c != b]
            longer = {"all": any(b in reach[c] for c in others),
                      "two": any(b in depends[c] for c in others), "none": False}[drop]  # fmt: skip
            if not longer:
                edges.append(edge(a, b))
    places = {}
    x = x or (lambda i, n: i - (n - 1) / 2)
    for layer in {c.layer for c in components}:
        held = row([c.name for c in components if c.layer == layer])
        for i, name in enumerate(held):
            places[name] = (x(i, len(held)), layer if y is None else y(layer))
    return {"places": places, "edges": order(edges)}


@right("reach of each name")
def by_reach(components):
    return _model(components)


@right("longest ways")
def by_longest(components):
    if len({c.name for c in components}) != len(components):
        raise ValueError("names")
    if any(c.layer not in (1, 2, 3, 4, 5) for c in components):
        raise ValueError("layer")
    by_name = {c.name: c for c in components}
    below = {}
    for a in components:
        below[a.name] = [b.name for b in components if a is not b and b.layer <= a.layer
                         and set(a.needs) & set(b.offers)]  # fmt: skip
    order, state = [], {}

    def visit(name):
        if state.get(name) == "open":
            raise ValueError("a circle")
        if name not in state:
            state[name] = "open"
            for other in below[name]:
                visit(other)
            state[name] = "done"
            order.append(name)

    for name in by_name:
        visit(name)
    edges = []
    for a in by_name:
        far = {a: 0}
        for name in reversed(order):
            for other in below[name] if name in far else []:
                far[other] = max(far.get(other, 0), far[name] + 1)
        edges += [[a, b] for b in below[a] if far[b] == 1]
    places = {}
    for name, c in by_name.items():
        row = sorted(d.name for d in components if d.layer == c.layer)
        places[name] = [row.index(name) + 0.5 - len(row) / 2, c.layer]
    return {"edges": sorted(edges), "places": places}


@wrong("all-dependencies-drawn", "Leave out an edge that follows from a longer way.")
def thicket(components):
    return _model(components, drop="none")


@wrong("ways-of-two-only", "Longer ways than two dependencies make an edge superfluous as well.")
def of_two(components):
    return _model(components, drop="two")


@wrong("edges-turned", "An edge leads from a component to what it depends on.")
def turned(components):
    return _model(components, edge=lambda a, b: (b, a))


@wrong("edges-not-sorted", "Sort the edges.")
def unsorted(components):
    return _model(components, order=lambda edges: sorted(edges, reverse=True))


@wrong("next-layer-only", "Dependencies lead to any lower layer, or stay in their own.")
def next_layer(components):
    return _model(components, may=lambda c, d: c.name != d.name and 0 <= c.layer - d.layer <= 1)


@wrong("edges-down-only", "A component may depend on another of its own layer.")
def down_only(components):
    return _model(components, may=lambda c, d: d.layer < c.layer)


@wrong("edges-up", "What a higher layer offers does not meet a need.")
def upwards(components):
    return _model(components, may=lambda c, d: c.name != d.name, circles=False)


@wrong("order-of-input", "In a layer, nodes stand in the order of their names.")
def as_given(components):
    return _model(components, row=list)


@wrong("order-without-capitals", "The order of names is Python's order of strings, capitals first.")
def folded(components):
    return _model(components, row=lambda names: sorted(names, key=str.lower))


@wrong("not-centred", "A layer is centred on 0.")
def from_left(components):
    return _model(components, x=lambda i, n: float(i))


@wrong("centred-on-n-half", "The first of n stands at -(n - 1) / 2, not at -n / 2.")
def off_by_half(components):
    return _model(components, x=lambda i, n: i - n / 2)


@wrong("centred-whole", "Half units are needed where a layer has an even number of nodes.")
def whole(components):
    return _model(components, x=lambda i, n: float(i - (n - 1) // 2))


@wrong("spread-over-width", "Nodes stand one unit apart, however many a layer has.")
def spread(components):
    return _model(components, x=lambda i, n: 2 * i / (n - 1) - 1 if n > 1 else 0.0)


@wrong("layers-from-top", "y is the layer's number: hardware is 1.")
def from_top(components):
    return _model(components, y=lambda layer: 6 - layer)


@wrong("layers-from-zero", "y is the layer's number, from 1.")
def from_zero(components):
    return _model(components, y=lambda layer: layer - 1)


@wrong("circles-drawn", "A circle must raise ValueError.")
def circles(components):
    return _model(components, circles=False)


@wrong("same-names-accepted", "Two components of one name must raise ValueError.")
def same(components):
    return _model(components, names=False)


@wrong("any-layer-number", "A layer outside 1 to 5 must raise ValueError.")
def any_layer(components):
    return _model(components, bounds=False)
