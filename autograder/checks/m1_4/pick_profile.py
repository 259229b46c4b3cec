"""pick-profile: every profile is tried for every dimension; distances in float64."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"one profile fits": 0.4, "several fit": 0.35, "refuse": 0.25}
HINTS = (
    "fits = all(low <= dim <= high ...) over all inputs and dimensions",
    "distance = sum(abs(math.log2(dim / opt)) ...); keep the smallest, the first of equals",
    "raise ValueError when no profile fits, or when the names are not those of the profile",
)


def _p(low, best, high):
    return {"ids": {"min": list(low), "opt": list(best), "max": list(high)}}


def cases(rng):
    one, several, refuse = PARTS
    lanes = [
        _p((1, 1), (8, 1), (64, 1)),
        _p((1, 2), (4, 128), (8, 256)),
        _p((1, 257), (1, 512), (1, 1024)),
    ]
    for shape in ((1, 1), (64, 1), (3, 2), (8, 256), (1, 257), (1, 1024), (5, 77)):
        yield case(f"shape {shape}", one, profiles=lanes, shapes={"ids": list(shape)})
    yield case("fits in one input only", one,
               profiles=[{**_p((1, 1), (2, 2), (4, 4)), "mask": _p((1, 1), (2, 2), (2, 2))["ids"]},
                         {**_p((1, 1), (8, 8), (9, 9)), "mask": _p((1, 1), (8, 8), (9, 9))["ids"]}],
               shapes={"ids": [3, 3], "mask": [3, 3]})  # fmt: skip
    wide = [
        _p((1, 1), (32, 32), (64, 64)),
        _p((1, 1), (4, 4), (64, 64)),
        _p((1, 1), (2, 64), (64, 64)),
    ]
    for shape in ((4, 5), (30, 30), (2, 60), (64, 64), (1, 1)):
        yield case(f"three fit, shape {shape}", several, profiles=wide, shapes={"ids": list(shape)})
    yield case(
        "nearer in ratio, not in difference",
        several,
        profiles=[_p((1,), (100,), (512,)), _p((1,), (12,), (512,))],
        shapes={"ids": [40]},
    )
    yield case(
        "below in ratio",
        several,
        profiles=[_p((1,), (300,), (512,)), _p((1,), (30,), (512,))],
        shapes={"ids": [80]},
    )
    yield case(
        "a tie: the first",
        several,
        profiles=[_p((1,), (4,), (64,)), _p((1,), (16,), (64,))],
        shapes={"ids": [8]},
    )
    yield case(
        "a tie, the other way round",
        several,
        profiles=[_p((1,), (16,), (64,)), _p((1,), (4,), (64,))],
        shapes={"ids": [8]},
    )
    two = [{"ids": _p((1, 1), (8, 8), (64, 64))["ids"], "mask": _p((1,), (60,), (64,))["ids"]},
           {"ids": _p((1, 1), (12, 12), (64, 64))["ids"], "mask": _p((1,), (9,), (64,))["ids"]}]  # fmt: skip
    yield case("two inputs, summed", several, profiles=two, shapes={"ids": [8, 8], "mask": [9]})
    steep = [_p((1, 128), (4, 200), (8, 256)), _p((1, 1), (1, 500), (8, 512))]
    yield case("below min in the second dimension", one, profiles=steep, shapes={"ids": [4, 100]})
    pair = [steep[0] | {"mask": _p(low, (9,), (9,))["ids"]} for low in ((9,), (1,))]
    yield case(
        "below min in the second input", one, profiles=pair, shapes={"ids": [4, 200], "mask": [5]}
    )
    near = [_p((1,), (97,), (512,)), _p((1,), (103,), (512,))]
    yield case("nearly a tie", several, profiles=near, shapes={"ids": [100]})
    volumes = [_p((1, 1), (4, 64), (64, 64)), _p((1, 1), (16, 20), (64, 64))]
    yield case(
        "as many elements, another shape", several, profiles=volumes, shapes={"ids": [16, 16]}
    )
    uneven = [_p((1, 1), (16, 16), (64, 64)), _p((1, 1), (28, 8), (64, 64))]
    yield case(
        "far in one dimension, near in sum", several, profiles=uneven, shapes={"ids": [8, 8]}
    )
    yield case(
        "the same, the other way round", several, profiles=uneven[::-1], shapes={"ids": [8, 8]}
    )
    for i in range(4):
        profiles = []
        for _ in range(5):
            low, best, high = np.sort(rng.integers(1, 200, (3, 2)), axis=0).tolist()
            profiles.append(_p(low, best, high))
        best = profiles[int(rng.integers(5))]["ids"]["opt"]
        yield case(f"random profiles, {i}", several, profiles=profiles, shapes={"ids": best})
    for label, shapes in (
        ("above every max", {"ids": [65, 1]}),
        ("in a gap", {"ids": [9, 2]}),
        ("0", {"ids": [0, 1]}),
        ("a dimension too many", {"ids": [1, 1, 1]}),
        ("a dimension too few", {"ids": [1]}),
        ("another name", {"tokens": [1, 1]}),
        ("a name too many", {"ids": [1, 1], "mask": [1, 1]}),
        ("no input", {}),
    ):
        yield case(label, refuse, profiles=lanes, shapes=shapes, good=False)
    yield case("an input is missing", refuse, profiles=two, shapes={"ids": [8, 8]}, good=False)
    yield case("no profiles", refuse, profiles=[], shapes={"ids": [1, 1]}, good=False)


def probe(solution, profiles, shapes, good=True):
    if not good:
        return refusal(lambda: solution(profiles, shapes))  # noqa: F821
    return solution(profiles, shapes)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    scores = []
    for profile in case.profiles:
        score, fits = 0.0, True
        for name, dims in case.shapes.items():
            low, best, high = (np.array(profile[name][key], float) for key in ("min", "opt", "max"))
            dims = np.array(dims, float)
            fits &= bool(np.all(low <= dims) and np.all(dims <= high))
            score += float(np.abs(np.log2(dims) - np.log2(best)).sum())
        scores.append(score if fits else np.inf)
    # A tie is one to rounding: the first of those as near as the nearest.
    right = int(np.flatnonzero(np.array(scores) <= min(scores) + 1e-9)[0])
    expect.integer(
        answer,
        right,
        "the profile's index",
        hint="Compare ratios to opt, over all inputs and dimensions.",
    )
