"""block-influence: 1 minus the mean cosine of the tokens' states before and after a block."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"value": 0.75, "bad input": 0.25}
HINTS = (
    "The cosine of each token: dot product over the product of the two lengths, along the last axis.",
    "Mean over all tokens, then 1 minus it.",
    "Return a Python float.",
)


def cases(rng):
    def pair(shape, dtype=np.float32, near=1.0):
        before = rng.normal(0, 1, shape)
        after = before + near * rng.normal(0, 1, shape)
        return {"before": before.astype(dtype), "after": after.astype(dtype)}

    for shape, near in (
        ((3, 4), 1),
        ((1, 5), 0.3),
        ((7,), 2),
        ((2, 3, 8), 0.5),
        ((4, 16, 64), 0.1),
    ):
        yield case(f"{shape}", "value", **pair(shape, near=near))
    yield case("float64", "value", **pair((5, 6), np.float64))
    loud = pair((6, 5))
    loud["before"] *= np.float32([[1], [1000], [0.001], [1], [30], [1]])
    loud["after"] *= np.float32([[1], [1], [1], [500], [0.01], [1]])
    yield case("tokens of many lengths", "value", **loud)
    same = pair((4, 5))["before"]
    yield case("turned round", "value", before=same, after=-2 * same)
    yield case("only longer", "value", before=same, after=3 * same)
    yield case("small states", "value", before=same * np.float32(1e-4),
               after=np.float32(1e-4) * pair((4, 5))["after"])  # fmt: skip
    level = pair((4, 6))
    level["before"][1] = [1, -1, 2, -2, 0, 0]
    level["after"][2] = [0, 0, 3, -1, -2, 0]
    yield case("states that sum to 0", "value", **level)
    good = pair((3, 4))
    turned = good["after"].reshape(4, 3)
    yield case("another number of features", "bad input", before=good["before"], after=turned)
    yield case("one token more", "bad input", before=good["before"][:2], after=good["after"])
    yield case("one token for all", "bad input", before=good["before"][:1], after=good["after"])
    yield case("no tokens", "bad input", before=good["before"][:0], after=good["after"][:0])
    yield case("no features", "bad input", before=np.zeros((3, 0), np.float32),
               after=np.zeros((3, 0), np.float32))  # fmt: skip
    for name in ("before", "after"):
        spoilt = {k: v.copy() for k, v in good.items()}
        spoilt[name][1] = 0
        yield case(f"a token of zeros {name}", "bad input", **spoilt)


def probe(solution, before, after):
    import torch

    tensors = torch.from_numpy(before), torch.from_numpy(after)
    bad = before.shape != after.shape or not before.size
    if bad or not (before.any(-1).all() and after.any(-1).all()):
        return refusal(lambda: solution(*tensors))
    return solution(*tensors)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    before, after = (np.float64(a).reshape(-1, a.shape[-1]) for a in (case.before, case.after))
    unit_before = before / np.linalg.norm(before, axis=1, keepdims=True)
    unit_after = after / np.linalg.norm(after, axis=1, keepdims=True)
    # The squared distance of unit vectors is 2 - 2 cos.
    want = ((unit_before - unit_after) ** 2).sum(1).mean() / 2
    return expect.number(answer, float(want), "block influence", rtol=1e-5, atol=2e-6)
