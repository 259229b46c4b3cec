"""prune-in-rounds: prune to each target, tune, and keep what is gone at zero."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import pruning

PARTS = {"one round": 0.25, "several rounds": 0.4, "careless tuning": 0.2, "bad input": 0.15}
HINTS = (
    "Rank with global_masks; a weight that is gone gets a score below every magnitude.",
    "tune gets weights that are 0 where the mask is False, and the masks.",
    "Multiply with the masks after tune as well.",
)


def _layers(rng, shapes=((4, 6), (7,), (3, 5)), levels=None):
    """Multiples of 1/64: halving them a few times stays exact."""
    top = levels or 4000
    return {f"layer {k}": rng.integers(-top, top + 1, s) / 64.0 for k, s in enumerate(shapes)}


def _case(
    rng,
    label,
    part,
    targets,
    *,
    dense_noise=False,
    levels=None,
    shapes=None,
    small=False,
    carry=0.5,
    dtype=np.float64,
    names=("layer 0", "layer 1", "layer 2"),
):
    weights = _layers(rng, shapes or ((4, 6), (7,), (3, 5)), levels)
    if small:
        weights["layer 1"] = weights["layer 1"] / 256
    noise = []
    for _ in targets:
        one = _layers(rng, [w.shape for w in weights.values()], levels)
        noise.append(one)
    weights, *noise = (
        {n: w.astype(dtype) for n, w in zip(names, one.values(), strict=False)}
        for one in (weights, *noise)
    )
    return case(label, part, weights=weights, targets=targets, noise=noise, careless=dense_noise,
                carry=carry)  # fmt: skip


def cases(rng):
    for sparsity in (0.5, 0.0, 1.0, 0.83):
        yield _case(rng, f"one target of {sparsity}", "one round", [sparsity])
    yield _case(rng, "ties", "one round", [0.4], levels=2)
    yield _case(rng, "ties, names not in order", "one round", [0.5], levels=1, names="zbm")
    yield _case(rng, "a half of an entry", "one round", [0.5], shapes=((3,), (2,)))
    yield _case(rng, "a layer of small weights", "one round", [0.3], small=True)
    near = _case(rng, "differences below float32", "one round", [0.5], shapes=((40,), (3, 5)))
    near.weights["layer 0"][:] = 1 + rng.permutation(40) * 2.0**-45
    near.weights["layer 1"][:] = 2
    yield near
    # 0.575 * 100 is just below 57.5 in float64, and 57.5 in float32.
    yield _case(rng, "0.575 of 100", "one round", [0.575], shapes=((60,), (5, 8)))
    yield _case(rng, "float32", "one round", [0.6], dtype=np.float32)
    yield _case(rng, "two targets", "several rounds", [0.3, 0.6])
    yield _case(rng, "five targets", "several rounds", [0.2, 0.4, 0.5, 0.7, 0.9])
    yield _case(rng, "a target twice", "several rounds", [0.5, 0.5, 0.8])
    yield _case(rng, "ties and zeros", "several rounds", [0.3, 0.5, 0.7, 0.8], levels=1)
    yield _case(rng, "tuned to many zeros", "several rounds", [0.4, 0.4, 0.5], levels=1, carry=0.0)
    yield _case(rng, "to everything", "several rounds", [0.5, 1.0])
    yield _case(rng, "moved pruned weights", "careless tuning", [0.5, 0.7], dense_noise=True)
    yield _case(rng, "moved at the end", "careless tuning", [0.6], dense_noise=True)
    yield _case(rng, "moved, with ties", "careless tuning", [0.3, 0.4, 0.6], dense_noise=True,
                levels=2)  # fmt: skip
    good = _case(rng, "", "bad input", [0.5]).inputs
    nan = float("nan")
    wrong = ([], [-0.1], [1.1], [0.5, 0.3], [0.2, nan], [0.2, 0.5, 0.4], [30, 50])
    for targets in (*wrong, [0.5, 1.2], [nan, 0.5], [-0.2, 0.5], [0.2, nan, 0.5]):
        yield case(f"targets {targets}", "bad input", **{**good, "targets": targets}, bad=True)
    yield case("no layers", "bad input", **{**good, "weights": {}}, bad=True)
    for shape in ((0, 2), (2, 0)):
        empty = {**good["weights"], "layer 1": np.zeros(shape)}
        yield case(f"a layer of shape {shape}", "bad input", **{**good, "weights": empty}, bad=True)


def probe(solution, weights, targets, noise, careless, carry, bad=False):
    import torch

    calls = []

    def tune(given, masks):
        if bad:
            calls.append(None)
            return given
        calls.append(
            (
                {n: w.detach().clone() for n, w in given.items()},
                {n: m.clone() for n, m in masks.items()},
            )
        )
        out = {}
        for name, w in given.items():
            moved = w.detach() * carry + torch.from_numpy(noise[len(calls) - 1][name])
            out[name] = moved if careless else moved * masks[name]
            w.detach().fill_(99.0)  # as training in place would
        for mask in masks.values():
            mask.logical_not_()
        return out

    tensors = {n: torch.from_numpy(w) for n, w in weights.items()}
    if bad:
        return [refusal(lambda: solution(tensors, targets, tune)), len(calls)]
    given = dict(tensors)
    result = solution(tensors, targets, tune)
    kept = list(tensors) == list(given) and all(tensors[n] is v for n, v in given.items())
    return {"result": result, "calls": calls, "kept": kept}


def _same(got, want, name, dtype):
    expect.mapping(got, tuple(want), only=True)
    for layer, right in want.items():
        shown = f"{name}[{layer!r}]"
        values = expect.tensor(got[layer], shown, shape=right.shape, dtype=dtype)
        expect.codes(values, right, shown)


def judge(case, answer):
    if case.part == "bad input":
        raised, calls = answer
        expect.raised(raised, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return expect.integer(calls, 0, "calls of tune before the error")

    def tune(given, k):
        return {n: w * case.carry + case.noise[k][n] for n, w in given.items()}

    dtype = f"torch.{next(iter(case.weights.values())).dtype}"
    weights, masks, calls = pruning.rounds(case.weights, case.targets, tune)
    expect.integer(len(answer["calls"]), len(calls), "calls of tune")
    for k, (yours, right) in enumerate(zip(answer["calls"], calls, strict=True)):
        _same(yours[1], right[1], f"the masks given to tune in round {k}", "torch.bool")
        _same(yours[0], right[0], f"the weights given to tune in round {k}", dtype)
    got = expect.sequence(answer["result"], ("weights", "masks"))
    _same(got[1], masks, "masks", "torch.bool")
    _same(got[0], weights, "weights", dtype)
    return expect.that(
        answer["kept"], "Your function changes the dict that it gets.", stage="mutation"
    )
