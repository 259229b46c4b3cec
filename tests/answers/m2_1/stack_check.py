"""Answers to stack-check."""

from autograder.checks.bank import right, wrong


def _model(components, *, layers=range(1, 6), names=True, bounds=True, may=None, has=None, once=True,
           circular=None, order=sorted, empty=None):  # fmt: skip
    if names and len({c.name for c in components}) < len(components):
        raise ValueError("names")
    if bounds and any(not 1 <= c.layer <= 5 for c in components):
        raise ValueError("layers")
    may = may or (lambda c, d: c.name != d.name and d.layer <= c.layer)
    has = has or (lambda d, need: need in d.offers)
    unmet, edges = [], {c.name: set() for c in components}
    for c in components:
        for need in c.needs:
            met = [d.name for d in components if may(c, d) and has(d, need)]
            edges[c.name].update(met)
            if not met and not (once and (c.name, need) in unmet):
                unmet.append((c.name, need))
    circles = (circular or _on_circle)(edges)
    gone = [n for n in layers if n not in [c.layer for c in components]]
    return {
        "empty": gone if empty is None else empty(gone),
        "unmet": order(unmet),
        "circular": order(circles),
    }


def _on_circle(edges):
    found = []
    for start in edges:
        seen, ahead = set(), list(edges[start])
        while ahead:
            now = ahead.pop()
            if now not in seen:
                seen.add(now)
                ahead += edges.get(now, ())
        if start in seen:
            found.append(start)
    return found


@right("walk from each component")
def by_walk(components):
    return _model(components)


@right("powers of a matrix")
def by_matrix(components):
    import numpy as np

    names = [c.name for c in components]
    if len(names) != len(set(names)):
        raise ValueError("two of one name")
    if not all(c.layer in (1, 2, 3, 4, 5) for c in components):
        raise ValueError("layer")
    n = len(names)
    step = np.zeros((n, n), bool)
    unmet = set()
    for i, c in enumerate(components):
        for need in c.needs:
            who = [j for j, d in enumerate(components)
                   if j != i and d.layer <= c.layer and need in d.offers]  # fmt: skip
            step[i, who] = True
            if not who:
                unmet.add((c.name, need))
    reach = step.copy()
    for _ in range(n):
        reach = reach | (reach.astype(int) @ step.astype(int) > 0)
    used = {c.layer for c in components}
    return {"circular": sorted(x for i, x in enumerate(names) if reach[i, i]), "unmet": sorted(unmet),
            "empty": sorted({1, 2, 3, 4, 5} - used)}  # fmt: skip


@wrong("higher-layers-count", "A need is met in its own layer or below, not from above.")
def any_layer(components):
    return _model(components, may=lambda c, d: c.name != d.name)


@wrong("only-lower-layers", "A component of the same layer may meet a need as well.")
def strictly_below(components):
    return _model(components, may=lambda c, d: d.layer < c.layer)


@wrong("layers-upside-down", "Layer 1 is at the bottom: look at the same or a smaller number.")
def upside_down(components):
    return _model(components, may=lambda c, d: c.name != d.name and d.layer >= c.layer)


@wrong("meets-itself", "Another component must meet a need: what it offers itself does not count.")
def itself(components):
    return _model(components, may=lambda c, d: d.layer <= c.layer)


@wrong("next-layer-only", "A need may be met any number of layers below.")
def next_layer(components):
    return _model(components, may=lambda c, d: c.name != d.name and 0 <= c.layer - d.layer <= 1)


@wrong("needs-match-in-part", "A need is met by an offer of exactly its name.")
def in_part(components):
    return _model(components, has=lambda d, need: any(need in offer for offer in d.offers))


@wrong("case-ignored", "Names of offers are compared as they are written.")
def case_ignored(components):
    return _model(components, has=lambda d, need: need.lower() in [o.lower() for o in d.offers])


@wrong("pairs-twice", "Report each unmet pair once.")
def twice(components):
    return _model(components, once=False)


@wrong("not-sorted", "Sort the findings.")
def unsorted(components):
    return _model(components, order=list)


@wrong("names-only", "An unmet need is reported with the component's name: a pair.")
def names_only(components):
    found = _model(components)
    return found | {"unmet": [need for _, need in found["unmet"]]}


@wrong("pairs-turned", "A pair is (component's name, need).")
def turned(components):
    found = _model(components)
    return found | {"unmet": sorted((need, name) for name, need in found["unmet"])}


@wrong(
    "all-that-lead-to-a-circle", "Only components on a circle count, not those that lead to one."
)
def lead_there(components):
    def circular(edges):
        left = dict(edges)
        while True:
            free = [n for n, ends in left.items() if not ends & set(left)]
            if not free:
                return list(left)
            for n in free:
                del left[n]

    return _model(components, circular=circular)


@wrong("circles-of-two-only", "Circles of three and more count too.")
def of_two(components):
    return _model(components, circular=lambda e: [a for a in e if any(a in e[b] for b in e[a])])


@wrong("no-circles", "Components that depend on themselves through others must be named.")
def no_circles(components):
    return _model(components, circular=lambda e: [])


@wrong("names-of-layers", "`empty` holds the layers' numbers.")
def layer_names(components):
    titles = ["hardware", "infrastructure management", "inference engine", "KV cache",
              "orchestration and routing"]  # fmt: skip
    return _model(components, empty=lambda gone: [titles[n - 1] for n in gone])


@wrong("layers-from-zero", "Layers count from 1 to 5.")
def from_zero(components):
    return _model(components, layers=range(5))


@wrong("gaps-between-only", "Layers below the lowest and above the highest count as empty too.")
def gaps(components):
    used = [c.layer for c in components] or [0]
    return _model(components, empty=lambda gone: [n for n in gone if min(used) < n < max(used)])


@wrong("same-names-accepted", "Two components of one name must raise ValueError.")
def same_names(components):
    return _model(components, names=False)


@wrong("any-layer-number", "A layer outside 1 to 5 must raise ValueError.")
def any_number(components):
    return _model(components, bounds=False)
