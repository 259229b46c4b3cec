"""find-ticket: iterative magnitude pruning, layer by layer, with rewinding to the initial values."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import pruning

PARTS = {"rounds": 0.5, "ties and ends": 0.3, "bad input": 0.2}
HINTS = (
    "Every round trains from initial * mask, never from the last round's result.",
    "round(rate * kept) of each layer's kept weights go, the smallest |trained|.",
    "Removed weights rank lowest: torch.where(mask, trained.abs(), -1.0).",
)
SHAPES = ((4, 6), (7,), (3, 5))


def _layers(rng, shapes, levels):
    return {f"layer {k}": rng.integers(-levels, levels + 1, s) / 64.0 for k, s in enumerate(shapes)}


def _case(
    rng, label, part, rate, rounds, *, levels=4000, shapes=SHAPES, scales=(1, 1, 1), carry=0.25,
    dtype=np.float64, names=("layer 0", "layer 1", "layer 2"),
):  # fmt: skip
    initial = _layers(rng, shapes, levels)
    trained = [_layers(rng, shapes, levels) for _ in range(max(rounds, 0))]
    for one in (initial, *trained):
        for name, scale in zip(one, scales, strict=False):
            one[name] = (one[name] * scale).astype(dtype)
    initial, *trained = (
        dict(zip(names, one.values(), strict=False)) for one in (initial, *trained)
    )
    return case(label, part, initial=initial, trained=trained, rate=rate, rounds=rounds,
                carry=carry)  # fmt: skip


def cases(rng):
    yield _case(rng, "one round", "rounds", 0.5, 1)
    yield _case(rng, "other names", "rounds", 0.35, 1, names="zbm")
    yield _case(rng, "two rounds", "rounds", 0.5, 2)
    yield _case(rng, "five rounds of 20 %", "rounds", 0.2, 5)
    yield _case(rng, "a layer of small weights", "rounds", 0.3, 3, scales=(1, 1 / 256, 1))
    yield _case(rng, "a larger layer", "rounds", 0.4, 3, shapes=((30, 20), (5, 2)))
    near = _case(rng, "differences below float32", "rounds", 0.5, 1, shapes=((40,), (3, 5)))
    near.trained[0]["layer 0"][:] = 1 + rng.permutation(40) * 2.0**-45
    near.initial["layer 0"][:] = 2
    yield near
    yield _case(rng, "float32", "rounds", 0.4, 2, dtype=np.float32)
    # 0.575 * 100 is just below 57.5 in float64, and 57.5 in float32.
    yield _case(rng, "0.575 of 100", "ties and ends", 0.575, 1, shapes=((4, 25), (7,)))
    yield _case(rng, "ties", "ties and ends", 0.3, 3, levels=1)
    yield _case(rng, "trained to many zeros", "ties and ends", 0.1, 4, levels=1, carry=0.0)
    zeros = _case(rng, "kept weights of 0", "ties and ends", 0.25, 2, shapes=((8,),), carry=0.0)
    zeros.trained[0]["layer 0"][:] = [5, 5, 5, 5, 5, 5, 1, 1]
    zeros.trained[1]["layer 0"][:] = [0, 0, 0, 4, 5, 6, 7, 8]  # 6 of 8 are left, 2 go
    yield zeros
    yield _case(rng, "a half of a weight", "ties and ends", 0.5, 4, shapes=((5,), (3,), (7,)))
    yield _case(rng, "rate 0", "ties and ends", 0.0, 2)
    yield _case(rng, "rate 1", "ties and ends", 1.0, 2)
    yield _case(rng, "one weight", "ties and ends", 0.6, 2, shapes=((1,),))
    good = _case(rng, "", "bad input", 0.5, 1).inputs
    for rate in (-0.1, 1.5, 20.0, float("nan")):
        yield case(f"rate {rate}", "bad input", **{**good, "rate": rate}, bad=True)
    for rounds in (0, -1):
        yield case(f"{rounds} rounds", "bad input", **{**good, "rounds": rounds}, bad=True)
    yield case("no layers", "bad input", **{**good, "initial": {}}, bad=True)
    for shape in ((0, 2), (2, 0)):
        empty = {**good["initial"], "layer 1": np.zeros(shape)}
        yield case(f"a layer of shape {shape}", "bad input", **{**good, "initial": empty}, bad=True)


def probe(solution, initial, trained, rate, rounds, carry, bad=False):
    import torch

    calls = []

    def train_masked(weights, masks):
        if bad:
            return weights
        calls.append(
            (
                {n: w.detach().clone() for n, w in weights.items()},
                {n: m.clone() for n, m in masks.items()},
            )
        )
        # Removed places come back other than 0, and the result hangs on where training began.
        out = {}
        for name, w in weights.items():
            out[name] = w.detach() * carry + torch.from_numpy(trained[len(calls) - 1][name])
            w.detach().fill_(99.0)
        for mask in masks.values():
            mask.logical_not_()
        return out

    tensors = {n: torch.from_numpy(w) for n, w in initial.items()}
    if bad:
        return refusal(lambda: solution(tensors, train_masked, rate, rounds))
    given = dict(tensors)
    result = solution(tensors, train_masked, rate, rounds)
    kept = list(tensors) == list(given) and all(tensors[n] is v for n, v in given.items())
    return {"masks": result, "calls": calls, "kept": kept}


def _same(got, want, name, dtype):
    expect.mapping(got, tuple(want), only=True)
    for layer, right in want.items():
        shown = f"{name}[{layer!r}]"
        values = expect.tensor(got[layer], shown, shape=right.shape, dtype=dtype)
        expect.codes(values, right, shown)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")

    def train(start, k):
        return {n: w * case.carry + case.trained[k][n] for n, w in start.items()}

    dtype = f"torch.{next(iter(case.initial.values())).dtype}"
    masks, calls = pruning.ticket(case.initial, case.rate, case.rounds, train)
    expect.integer(len(answer["calls"]), len(calls), "calls of train_masked")
    for k, (yours, right) in enumerate(zip(answer["calls"], calls, strict=True)):
        _same(yours[1], right[1], f"the masks trained in round {k}", "torch.bool")
        _same(yours[0], right[0], f"the weights that round {k} starts from", dtype)
    _same(answer["masks"], masks, "masks", "torch.bool")
    return expect.that(
        answer["kept"], "Your function changes the dict that it gets.", stage="mutation"
    )
