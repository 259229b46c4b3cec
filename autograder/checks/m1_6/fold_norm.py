"""fold-norm: gain and shift of a norm folded into the linears behind it, against float64 matrices."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"RMSNorm": 0.4, "LayerNorm": 0.35, "copies and refusals": 0.25}
HINTS = (
    "linear(gain * n + shift) = weight @ (gain * n) + weight @ shift + bias: which matrix multiplies n?",
    "gain scales the columns of weight, which belong to the inputs.",
    "shift passes through the weight as it was before you folded the gain.",
)


def _case(label, part, rng, width, outputs, biases, shift, dtype="float64", **more):
    linears = [
        [rng.normal(size=(n, width)).astype(dtype), rng.normal(size=n).astype(dtype) if b else None]
        for n, b in zip(outputs, biases, strict=True)
    ]
    gain = rng.uniform(0.2, 3.0, width) * rng.choice([1, 1, -1], width)
    moved = rng.normal(size=width).astype(dtype) if shift else None
    return case(label, part, gain=gain.astype(dtype), shift=moved, linears=linears, **more)


def cases(rng):
    yield _case("one linear", "RMSNorm", rng, 6, [4], [False], False)
    yield _case("square", "RMSNorm", rng, 5, [5], [False], False)
    yield _case("with a bias", "RMSNorm", rng, 6, [4], [True], False)
    yield _case("Q, K, V", "RMSNorm", rng, 8, [8, 4, 4], [True, False, True], False)
    yield _case("float32", "RMSNorm", rng, 16, [16, 32], [False, True], False, "float32")
    yield _case("no linear", "RMSNorm", rng, 6, [], [], False)
    yield _case("one linear", "LayerNorm", rng, 6, [4], [True], True)
    yield _case("a linear without a bias", "LayerNorm", rng, 6, [4], [False], True)
    yield _case("square, both", "LayerNorm", rng, 7, [7, 7], [True, False], True)
    yield _case("float32", "LayerNorm", rng, 16, [16, 8], [True, False], True, "float32")
    part = "copies and refusals"
    yield _case("nothing is shared with what was given", part, rng, 6, [6, 3], [True, True], False)
    yield _case("a gain of ones is copied too", part, rng, 6, [6], [True], False)
    tied = _case("two linears with one weight", part, rng, 6, [5], [False], False)
    tied.inputs["linears"] = tied.inputs["linears"] * 2
    yield tied
    for label, gain, shift, shape, bias in (
        ("a gain of another width", (5,), None, (4, 6), None),
        ("a gain of one number", (1,), None, (4, 6), None),
        ("a gain as wide as the outputs", (4,), None, (4, 6), None),
        ("a shift of another width", (6,), (4,), (4, 6), None),
        ("a shift of one number", (6,), (1,), (4, 6), None),
        ("a bias of another length", (6,), None, (4, 6), (6,)),
        ("a bias of one number", (6,), (6,), (4, 6), (1,)),
    ):
        made = [
            None if size is None else rng.normal(size=size) for size in (gain, shift, shape, bias)
        ]
        yield case(
            label, part, gain=made[0], shift=made[1], linears=[[made[2], made[3]]], refuse=True
        )


def probe(solution, gain, shift, linears, refuse=False):
    given = [(weight, bias) for weight, bias in linears]
    if refuse:
        return refusal(lambda: solution(gain, shift, given))  # noqa: F821
    result = solution(gain, shift, given)
    olds = [gain, shift, *(part for pair in given for part in pair)]
    news = [part for pair in result for part in pair] if isinstance(result, (list, tuple)) else []
    arrays = [part for part in news if isinstance(part, np.ndarray)]
    shared = any(np.shares_memory(new, old) for new in arrays for old in olds if old is not None)
    shared |= any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    return {"result": result, "shared": shared}


def judge(case, answer):
    if case.inputs.get("refuse"):
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    result = answer["result"]
    expect.that(isinstance(result, (list, tuple)), "Return a list of (weight, bias).", stage="type",
                yours=expect.kind(result))  # fmt: skip
    expect.that(len(result) == len(case.linears), "Give a pair for each linear.", stage="shape",
                yours=len(result), right=len(case.linears))  # fmt: skip
    for index, (pair, (old, before)) in enumerate(zip(result, case.linears, strict=True)):
        weight, bias = expect.sequence(pair, ("weight", "bias"))
        name = f"weight of linear {index}"
        expect.array(weight, name, shape=old.shape, dtype=old.dtype)
        diagonal = np.diag(case.gain.astype(np.float64))
        reach = np.abs(old.astype(np.float64)) @ np.abs(diagonal)
        eps = 8 * np.finfo(old.dtype).eps
        expect.close(
            weight, old.astype(np.float64) @ diagonal, name, rtol=0, atol=eps * reach + 1e-300
        )
        name = f"bias of linear {index}"
        if before is None and case.shift is None:
            expect.that(
                bias is None,
                f"`{name}`: there is nothing to add: None.",
                yours=expect.kind(bias),
                right="None",
            )
            continue
        expect.array(bias, name, shape=old.shape[:1], dtype=old.dtype)
        want, reach = np.zeros(len(old)), np.zeros(len(old))
        if before is not None:
            want, reach = want + before, reach + np.abs(before)
        if case.shift is not None:
            want = want + old.astype(np.float64) @ case.shift
            reach = reach + np.abs(old.astype(np.float64)) @ np.abs(case.shift)
        expect.close(bias, want, name, rtol=0, atol=len(case.gain) * eps * reach)
    if case.part == "copies and refusals":
        expect.that(
            not answer["shared"],
            "A result shares its memory with an argument or another result.",
            stage="mutation",
            hint="A later change of one would change the other: return new arrays.",
        )
    return None
