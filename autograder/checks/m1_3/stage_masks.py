"""stage-masks: exactly round(sparsity * size) weights of each matrix, nested, ties by index."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"count": 0.35, "which": 0.25, "rounds": 0.25, "refusals": 0.15}
HINTS = (
    "count = round(sparsity * weight.size), in each matrix by itself.",
    "np.argsort(magnitude, kind='stable')[:count] removes exactly that many, lower index first.",
    "magnitude = np.where(kept, np.abs(weight), -1): what is gone stays gone.",
    "if not 0 <= sparsity <= 1: raise ValueError; that catches NaN too.",
)


def _weights(rng, *shapes, scale=1.0):
    return {
        f"layer.{i}": (scale**i * rng.standard_normal(s)).astype(np.float32)
        for i, s in enumerate(shapes)
    }


def cases(rng):
    shapes = ((1, 1), (3, 5), (16, 8), (7, 9))
    for sparsity in (0.0, 0.3, 0.5, 0.7, 1.0, 0.123):
        yield case(f"sparsity {sparsity}", "count", weights=_weights(rng, *shapes), masks={},
                   sparsity=sparsity)  # fmt: skip
    yield case("halves: round(2.5) and round(3.5)", "count",
               weights=_weights(rng, (1, 5), (1, 7)), masks={}, sparsity=0.5)  # fmt: skip
    yield case("matrices of different scale", "which", masks={}, sparsity=0.5,
               weights=_weights(rng, (20, 10), (20, 10), (20, 10), scale=10.0))  # fmt: skip
    signs = rng.choice([-1.0, 1.0], (6, 10)).astype(np.float32)
    yield case("all magnitudes equal", "which", weights={"w": signs}, masks={}, sparsity=0.4)
    coarse = np.round(2 * rng.standard_normal((12, 12))).astype(np.float32)
    yield case("many equal magnitudes", "which", weights={"w": coarse}, masks={}, sparsity=0.6)
    yield case("zeros", "which", weights={"w": np.zeros((5, 4), np.float32)}, masks={},
               sparsity=0.3)  # fmt: skip
    # Squares of the first are 0 in float32, those of the second equal in float16.
    steps = rng.permutation(63).reshape(9, 7).astype(np.float32)
    tiny = {
        "tiny": 1e-30 * _weights(rng, (9, 7))["layer.0"],
        "close": 1 + np.float32(2**-20) * steps,
    }
    yield case("tiny weights, and weights that hardly differ", "which", weights=tiny, masks={},
               sparsity=0.5)  # fmt: skip
    skew = np.abs(_weights(rng, (10, 10))["layer.0"]) * np.where(np.arange(10) < 5, -1, 1)
    yield case("negative columns", "which", weights={"w": skew.astype(np.float32)}, masks={},
               sparsity=0.5)  # fmt: skip
    for label, before, sparsity in (("30 to 50 %", 0.3, 0.5), ("50 to 50 %", 0.5, 0.5),
                                    ("50 to 70 %", 0.5, 0.7), ("70 to 100 %", 0.7, 1.0)):  # fmt: skip
        weights = _weights(rng, (8, 8), (5, 12))
        # Removed at random: among them are large weights, which must stay removed.
        masks = {k: _drop(rng, w.shape, before) for k, w in weights.items()}
        yield case(f"{label}, removed weights are not zero", "rounds", weights=weights, masks=masks,
                   sparsity=sparsity)  # fmt: skip
        held = {k: w * masks[k] for k, w in weights.items()}
        yield case(f"{label}, removed weights are zero", "rounds", weights=held, masks=masks,
                   sparsity=sparsity)  # fmt: skip
    small = _weights(rng, (4, 4))
    live_zero = {"layer.0": np.zeros((4, 4), np.float32)}
    masks = {"layer.0": _drop(rng, (4, 4), 0.5)}
    yield case("live weights of value 0", "rounds", weights=live_zero, masks=masks, sparsity=0.5)
    for bad in (-0.1, 1.01, 50.0, float("nan"), float("-inf")):
        yield case(f"sparsity {bad}", "refusals", weights=small, masks={}, sparsity=bad)
    yield case("no layers", "refusals", weights={}, masks={}, sparsity=0.5)
    yield case("an empty layer", "refusals", masks={}, sparsity=0.5,
               weights=small | {"empty": np.zeros((0, 4), np.float32)})  # fmt: skip
    yield case("less than is gone already", "refusals", weights=small, masks=masks, sparsity=0.25)
    yield case("a mask of another shape", "refusals", weights=small, sparsity=0.5,
               masks={"layer.0": np.ones((4, 1), bool)})  # fmt: skip


def _drop(rng, shape, share):
    mask = np.ones(int(np.prod(shape)), bool)
    mask[rng.permutation(mask.size)[: round(share * mask.size)]] = False
    return mask.reshape(shape)


def probe(solution, weights, masks, sparsity):
    odd = not weights or any(w.size == 0 for w in weights.values()) or not 0 <= sparsity <= 1
    for name, mask in masks.items():
        gone = (~mask).sum() > round(max(0, min(1, sparsity)) * mask.size)
        odd = odd or gone or mask.shape != weights[name].shape
    if odd:
        return refusal(lambda: solution(weights, masks, sparsity))
    return solution(weights, masks, sparsity)


def judge(case, answer):
    if case.part == "refusals":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    found = expect.mapping(answer, tuple(case.weights))
    for name, weight in case.weights.items():
        got = expect.array(found[name], name, shape=weight.shape, dtype=np.bool_)
        count = round(case.sparsity * weight.size)
        expect.that(
            int((~got).sum()) == count, f"{name} has the wrong number of removed weights.",
            yours=int((~got).sum()), right=f"{count} of {weight.size}", hint=HINTS[0],
        )  # fmt: skip
        gone = ~case.masks.get(name, np.ones(weight.shape, bool))
        back = int((got & gone).sum())
        expect.that(
            back == 0, f"{name}: weights that were removed before are back.", yours=f"{back} of them",
            right="none", hint=HINTS[2],
        )  # fmt: skip
        expect.codes(got, _mask(weight, gone, count), name, hint=HINTS[1])


def _mask(weight, gone, count):
    """By sorting the triples (gone first, magnitude, index) in Python."""
    order = sorted(
        (not g, abs(float(w)), i)
        for i, (g, w) in enumerate(zip(gone.ravel(), weight.ravel(), strict=True))
    )
    mask = [True] * weight.size
    for _, _, index in order[:count]:
        mask[index] = False
    return np.array(mask).reshape(weight.shape)
