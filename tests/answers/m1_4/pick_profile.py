"""Answers to pick-profile."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _pick(
    profiles,
    shapes,
    *,
    low=True,
    high=True,
    distance=None,
    best=min,
    last=False,
    names=True,
    ranks=True,
    first=False,
    missing="raise",
    dims=None,
    strict=False,
    add=sum,
):
    found = []
    distance = distance or (lambda d, o: abs(math.log2(d / o)))
    for index, profile in enumerate(profiles):
        if names and set(profile) != set(shapes):
            continue
        fits, total = True, []
        for name in shapes:
            if name not in profile:
                continue
            asked, three = shapes[name], profile[name]
            if ranks and len(asked) != len(three["opt"]):
                fits = False
                continue
            for d, a, o, b in (
                list(zip(asked, three["min"], three["opt"], three["max"], strict=False))[dims]
                if dims
                else zip(asked, three["min"], three["opt"], three["max"], strict=False)
            ):
                ok_low = d > a if strict else d >= a
                ok_high = d < b if strict else d <= b
                fits &= (ok_low or not low) and (ok_high or not high)
                total.append(distance(max(d, 1), o))
        if fits:
            found.append((add(total) if total else 0.0, index))
    if not found:
        if missing == "raise":
            raise ValueError("none")
        return missing
    if first:
        return found[0][1]
    target = best(t for t, _ in found)
    near = [i for t, i in found if abs(t - target) <= 1e-9]
    return near[-1] if last else near[0]


@right("loops")
def loops(profiles, shapes):
    return _pick(profiles, shapes)


@right("numpy over all dimensions")
def arrays(profiles, shapes):
    best, chosen = np.inf, -1
    for index, profile in enumerate(profiles):
        if sorted(profile) != sorted(shapes) or any(
            len(profile[n]["opt"]) != len(shapes[n]) for n in shapes
        ):
            continue
        asked = np.concatenate([shapes[n] for n in shapes])
        low, opt, high = (
            np.concatenate([profile[n][k] for n in shapes]) for k in ("min", "opt", "max")
        )
        if np.all((low <= asked) & (asked <= high)):
            score = np.abs(np.log(asked) - np.log(opt)).sum() / np.log(2)
            if score < best - 1e-9:
                best, chosen = score, index
    if chosen < 0:
        raise ValueError("no profile")
    return chosen


@wrong("first-that-fits", "You take the first profile that fits; the nearest is wanted.")
def first(profiles, shapes):
    return _pick(profiles, shapes, first=True)


@wrong("difference-for-ratio", "You compare differences to opt; ratios are asked.")
def difference(profiles, shapes):
    return _pick(profiles, shapes, distance=lambda d, o: abs(d - o))


@wrong("farthest", "You take the farthest profile.")
def farthest(profiles, shapes):
    return _pick(profiles, shapes, best=max)


@wrong(
    "sign-kept", "Distances need an absolute value: a shape below opt is not nearer than one at it."
)
def signed(profiles, shapes):
    return _pick(profiles, shapes, distance=lambda d, o: math.log2(d / o))


@wrong("one-sided-ratio", "d / opt alone makes small shapes look near: use |log2|.")
def ratio(profiles, shapes):
    return _pick(profiles, shapes, distance=lambda d, o: abs(d / o - 1))


@wrong("squares", "The sum of |log2| is asked, not of its squares.")
def squares(profiles, shapes):
    return _pick(profiles, shapes, distance=lambda d, o: math.log2(d / o) ** 2)


@wrong("largest-dimension-only", "All dimensions are summed, not the farthest one taken.")
def largest(profiles, shapes):
    return _pick(profiles, shapes, add=max)


@wrong("last-of-ties", "On a tie take the first.")
def last(profiles, shapes):
    return _pick(profiles, shapes, last=True)


@wrong("min-ignored", "A shape below min is not accepted.")
def no_min(profiles, shapes):
    return _pick(profiles, shapes, low=False)


@wrong("max-ignored", "A shape above max is not accepted.")
def no_max(profiles, shapes):
    return _pick(profiles, shapes, high=False)


@wrong("bounds-excluded", "min and max themselves are accepted.")
def strict(profiles, shapes):
    return _pick(profiles, shapes, strict=True)


@wrong("batch-only", "Every dimension must fit, not the first alone.")
def batch(profiles, shapes):
    return _pick(profiles, shapes, dims=slice(0, 1))


@wrong("last-dimension-only", "Every dimension must fit, not the last alone.")
def tail(profiles, shapes):
    return _pick(profiles, shapes, dims=slice(-1, None))


@wrong("one-input-only", "Every input must fit, not the first alone.")
def one_input(profiles, shapes):
    if set(shapes) != set(profiles[0] if profiles else ()):
        raise ValueError("names")
    name = next(iter(shapes))
    return _pick([{name: p[name]} for p in profiles], {name: shapes[name]})


@wrong("minus-one-for-none", "If no profile fits, raise ValueError; -1 would index the last one.")
def minus_one(profiles, shapes):
    return _pick(profiles, shapes, missing=-1)


@wrong("none-for-none", "If no profile fits, raise ValueError.")
def nothing(profiles, shapes):
    return _pick(profiles, shapes, missing=None)


@wrong(
    "nearest-even-if-it-does-not-fit",
    "A profile that does not accept the shape cannot serve it, however near.",
)
def nearest(profiles, shapes):
    return _pick(profiles, shapes, low=False, high=False)


@wrong("names-ignored", "Other input names than the profile's are refused.")
def any_names(profiles, shapes):
    return _pick(profiles, shapes, names=False)


@wrong("ranks-ignored", "Another number of dimensions is refused.")
def any_rank(profiles, shapes):
    return _pick(profiles, shapes, ranks=False)


@wrong("to-max-not-opt", "The distance is to opt, which the kernels are tuned for, not to max.")
def to_max(profiles, shapes):
    swapped = [{n: {**t, "opt": t["max"]} for n, t in p.items()} for p in profiles]
    return _pick(swapped, shapes)


@wrong("profile-for-index", "Return the index, not the profile.")
def whole(profiles, shapes):
    return profiles[_pick(profiles, shapes)]


@wrong(
    "missing-input-accepted", "A request must name every input of the profiles: raise ValueError."
)
def missing_input(profiles, shapes):
    if not shapes or any(set(shapes) - set(profile) for profile in profiles):
        raise ValueError
    return _pick(profiles, shapes, names=False)


@wrong(
    "volumes-compared",
    "You compare numbers of elements; 4 x 64 has as many as 16 x 16. Sum over the dimensions.",
)
def volumes(profiles, shapes):
    return _pick(
        profiles, shapes, distance=lambda d, o: math.log2(d / o), add=lambda terms: abs(sum(terms))
    )


@right("a key for min")
def by_min(profiles, shapes):
    def distance(profile):
        return sum(
            math.log(max(d / o, o / d))
            for name, dims in shapes.items()
            for d, o in zip(dims, profile[name]["opt"], strict=True)
        )

    def fits(profile):
        return profile.keys() == shapes.keys() and all(
            len(dims) == len(profile[name]["min"])
            and all(
                map(lambda a, d, b: a <= d <= b, profile[name]["min"], dims, profile[name]["max"])
            )
            for name, dims in shapes.items()
        )

    indices = [i for i, profile in enumerate(profiles) if fits(profile)]
    if not indices:
        raise ValueError("no profile fits")
    return min(indices, key=lambda i: (round(distance(profiles[i]), 9), i))


@wrong(
    "min-of-the-first-input", "Every input must be within its own min and max, not the first alone."
)
def first_min(profiles, shapes):
    first = next(iter(shapes), None)
    free = [
        {n: {**three, "min": three["min"] if n == first else [1] * 9} for n, three in p.items()}
        for p in profiles
    ]
    return _pick(free, shapes)


@wrong("min-of-the-first-dimension", "Every dimension has its min, not the first alone.")
def batch_min(profiles, shapes):
    free = [
        {n: {**three, "min": [*three["min"][:1], *[1] * 9]} for n, three in p.items()}
        for p in profiles
    ]
    return _pick(free, shapes)


@wrong("distances-rounded", "You round the distances, so that near ones count as equal.")
def rounded(profiles, shapes):
    return _pick(profiles, shapes, add=lambda terms: round(sum(terms), 1))
