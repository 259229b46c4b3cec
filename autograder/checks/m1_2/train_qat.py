"""train-qat: Adam through the quantized forward pass, on parameters that stay floats.

Compared with a float64 network whose backward pass and optimizer are written by hand.
"""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.m1_2 import quantized_forward
from autograder.checks.oracles import qat

PARTS = {"one step": 0.4, "many steps": 0.3, "the arguments": 0.15, "bad input": 0.15}
HINTS = (
    "Start from copies: weight.detach().clone().requires_grad_().",
    "One torch.optim.Adam over the flat list of tensors, made once, before the loop.",
    "Return weight.detach(): the float weight, not its quantized image.",
)
RTOL = 1e-9


def _case(rng, label, part, bits, steps, learning_rate=0.01, rows=12, tight=1.0):
    widths = (9, 8, 6, 4)
    params = quantized_forward._network(rng, widths)
    teacher = rng.normal(0, 1, (widths[0], widths[-1]))
    batches = []
    for k in range(steps):
        x = rng.normal(0, 1, (rows + k % 3, widths[0]))
        batches.append((x, np.argmax(x @ teacher, axis=1).astype(np.int64)))
    first = np.concatenate([x for x, _ in batches]) if batches else np.ones((1, widths[0]))
    ranges = quantized_forward._ranges(rng, params, first, bits, tight)
    return case(
        label,
        part,
        params=params,
        batches=batches,
        bits=bits,
        ranges=ranges,
        learning_rate=learning_rate,
    )


def cases(rng):
    for bits in (4, 8, 3, 2):
        yield _case(rng, f"{bits} bits", "one step", bits, 1)
    yield _case(rng, "a small step", "one step", 4, 1, learning_rate=1e-4)
    yield _case(rng, "clipped inputs", "one step", 4, 1, tight=0.5)
    yield _case(rng, "two steps", "many steps", 4, 2)
    yield _case(rng, "30 steps", "many steps", 4, 30)
    yield _case(rng, "30 small steps", "many steps", 3, 30, learning_rate=1e-3)
    again = _case(rng, "called twice", "the arguments", 4, 3)
    yield case(again.label, again.part, **again.inputs, twice=True)
    yield _case(rng, "no batches", "bad input", 4, 0)
    spoilt = _case(rng, "", "bad input", 4, 3).inputs
    biases = [(w, np.where(np.arange(len(b)) == 0, np.nan, b)) for w, b in spoilt["params"][-1:]]
    # Only the second batch has the class whose bias is -inf: its loss is infinite, the others are not.
    few = [np.zeros(len(b[1]), np.int64) for b in spoilt["batches"]]
    few[1][2] = 3
    batches = [(b[0], labels) for b, labels in zip(spoilt["batches"], few, strict=True)]
    last = [(w, np.where(np.arange(len(b)) == 3, -np.inf, b)) for w, b in spoilt["params"][-1:]]
    yield case(
        "an infinite loss in the second batch",
        "bad input",
        **{**spoilt, "params": spoilt["params"][:-1] + last, "batches": batches},
    )
    yield case(
        "a loss that is NaN", "bad input", **{**spoilt, "params": spoilt["params"][:-1] + biases}
    )


def probe(solution, params, batches, bits, ranges, learning_rate, twice=False):
    import torch

    layers = [tuple(torch.from_numpy(a.copy()) for a in pair) for pair in params]
    given = [(torch.from_numpy(x.copy()), torch.from_numpy(y.copy())) for x, y in batches]
    bad = not batches or not all(np.isfinite(a).all() for pair in params for a in pair)
    try:
        first = solution(layers, given, bits, ranges, learning_rate)
    except NotImplementedError:
        raise
    except Exception as error:
        if not bad:
            raise
        return {"raised": type(error).__name__}
    if bad:
        return {"raised": None}
    pairs = list(first) if isinstance(first, (list, tuple)) else []
    found = [t for p in pairs if isinstance(p, (list, tuple)) for t in p]
    fits = [len(p) == 2 for p in pairs if isinstance(p, (list, tuple))] == [True] * len(params)
    if not fits or not all(isinstance(t, torch.Tensor) for t in found):
        return {"trained": first, "same": True, "asks": False}
    out = {"trained": [tuple(pair) for pair in first]}
    if twice:
        again = solution(layers, given, bits, ranges, learning_rate)
        flat = [
            (a, b) for p, q in zip(first, again, strict=True) for a, b in zip(p, q, strict=True)
        ]
        out["again"] = all(torch.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in flat)
    out["asks"] = any(t.requires_grad for pair in first for t in pair)
    out["same"] = all(
        np.array_equal(t.detach().numpy(), a) and not t.requires_grad
        for ts, pair in zip(layers, params, strict=True)
        for t, a in zip(ts, pair, strict=True)
    )
    shared = {t.data_ptr() for ts in layers for t in ts}
    out["shared"] = any(t.data_ptr() in shared for pair in first for t in pair)
    return out


def judge(case, answer):
    if case.part == "bad input":
        why = case.label.capitalize()
        expect.raised(answer, "ValueError", f"{why}: raise ValueError.")
        return
    expect.mapping(answer, ("trained", "same", "asks"))
    pairs = answer["trained"]
    expect.that(
        isinstance(pairs, (list, tuple)) and len(pairs) == len(case.params),
        "Return a list with one (weight, bias) for each layer.",
        stage="type",
        yours=expect.kind(pairs)
        if not isinstance(pairs, (list, tuple))
        else f"{len(pairs)} layers",
        right=f"a list of {len(case.params)}",
    )
    expect.that(
        answer.get("again", True),
        "A second call with the same arguments trains otherwise.",
        hint="Nothing may be kept from call to call: a new optimizer, new copies.",
    )
    want = qat.train(case.params, case.batches, case.bits, case.ranges, case.learning_rate)
    for k, (pair, target) in enumerate(zip(pairs, want, strict=True)):
        pair = expect.sequence(pair, ("weight", "bias"))
        for name, yours, right in zip(("weight", "bias"), pair, target, strict=True):
            shown = f"{name} {k}"
            values = expect.tensor(yours, shown, shape=right.shape, dtype="torch.float64")
            expect.close(
                values,
                right,
                shown,
                rtol=0,
                atol=RTOL * max(np.abs(right).max(), 1),
                hint=(
                    "The loss of the quantized network, its gradient, one Adam step on the float parameters "
                    "for each batch."
                ),
            )
    expect.that(
        answer["same"],
        "The parameters that came in were changed.",
        stage="mutation",
        hint="Clone them first: the caller compares before and after.",
    )
    expect.that(
        not answer["shared"],
        "The result shares memory with the parameters that came in.",
        stage="mutation",
        hint="Clone them first.",
    )
    expect.that(
        not answer["asks"],
        "The result still asks for gradients.",
        stage="edge",
        hint="Return tensors that are detached.",
    )
