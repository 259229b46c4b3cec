"""range-observer: running or averaged range of a stream, and the affine parameters it gives.

The oracle for the range is torch.ao's MinMaxObserver and MovingAverageMinMaxObserver, for the
parameters exact rational arithmetic.
"""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import affine

PARTS = {"min and max": 0.35, "moving average": 0.35, "parameters": 0.15, "bad input": 0.15}
HINTS = (
    "Two attributes, low and high, None at first. The first batch sets both.",
    "Moving average: low += averaging * (batch_low - low), and the same for high.",
    "qparams: widen [low, high] to contain 0, then lesson 1.1.2's two formulas.",
    "Test a batch (empty, not finite) before you change any state.",
)
BITS = (8, 4, 3, 2)
# The range may be kept in float32: one rounding for each of up to 60 updates.
STATE_RTOL = 60 * 2.0**-24


def _stream(rng, centres, spread=1.0, dtype=np.float32):
    shapes = ((5, 7), (2, 3, 4), (11,), (1, 6))
    return [
        (c + spread * rng.normal(0, 1, shapes[k % 4])).astype(dtype) for k, c in enumerate(centres)
    ]


def cases(rng):
    swing = [0.0, 3.0, -2.0, 0.5, -6.0, 1.0]
    yield case("one batch", "min and max", batches=_stream(rng, [0.3]))
    yield case("up and down", "min and max", batches=_stream(rng, swing))
    yield case("all positive", "min and max", batches=_stream(rng, [9.0, 8.0, 12.0], 0.3))
    yield case("all negative", "min and max", batches=_stream(rng, [-9.0, -8.0], 0.3))
    yield case("one value", "min and max", batches=[np.float32([2.5])])
    bare = [np.array(v, np.float32) for v in (1.5, -0.5)]
    yield case("numbers with no axis", "min and max", batches=bare)
    yield case("a second observer beside it", "min and max", batches=_stream(rng, swing), twin=True)
    for averaging in (0.5, 0.01, 1.0):
        yield case(
            f"averaging {averaging}",
            "moving average",
            averaging=averaging,
            batches=_stream(rng, swing),
        )
    zeros_first = [np.zeros((2, 3), np.float32), *_stream(rng, swing)]
    yield case("zeros first", "moving average", averaging=0.1, batches=zeros_first)
    drift = list(np.linspace(0, 40, 50))
    yield case("a long drift", "moving average", averaging=0.1, batches=_stream(rng, drift))
    half = _stream(rng, drift, dtype=np.float16)
    yield case("float16 batches", "moving average", averaging=0.01, batches=half)

    for label, centres, spread in (
        ("both signs", [0.2, -1.0], 1.0),
        ("positive", [20.0], 0.5),
        ("negative", [-7.0, -8.0], 0.2),
    ):
        yield case(label, "parameters", batches=_stream(rng, centres, spread))
    yield case("all zeros", "parameters", batches=[np.zeros(4, np.float32)])
    yield case("the constant 3", "parameters", batches=[np.full(4, 3, np.float32)])
    yield case("zero-point at a tie", "parameters", batches=[np.float32([-0.5, 14.5])])

    good = _stream(rng, [0.0, 2.0])
    for label, batch in (
        ("an empty batch", np.zeros((0, 3), np.float32)),
        ("a NaN", np.float32([1, np.nan, 9])),
        ("minus infinity", np.float32([-np.inf, 1])),
        ("infinity", np.float32([np.inf, 1])),
    ):
        yield case(label, "bad input", batches=good, bad=batch)
        yield case(f"{label}, averaged", "bad input", batches=good, bad=batch, averaging=0.5)
    yield case("no data yet", "bad input", batches=[])
    first = np.float32([np.nan, 2])
    yield case("a NaN in the first batch", "bad input", batches=[], bad=first)
    for bits in (1, 9, 0):
        yield case(f"bits={bits}", "bad input", batches=good, bad_bits=bits)
    for averaging in (0.0, -0.1, 1.5):
        yield case(f"averaging={averaging}", "bad input", batches=[], bad_averaging=averaging)


def probe(
    solution, batches, averaging=None, bad=None, bad_bits=None, bad_averaging=None, twin=False
):
    import torch

    if bad_averaging is not None:
        return refusal(lambda: solution(averaging=bad_averaging))
    observer = solution() if averaging is None else solution(averaging=averaging)
    other = solution() if twin else None
    initial = [getattr(observer, name, "missing") for name in ("low", "high")]
    if bad is not None and not batches:
        first = refusal(lambda: observer.observe(torch.from_numpy(bad.copy())))
        return refusal(lambda: observer.qparams(8)) if first["raised"] else first
    if not batches:
        return {"initial": initial, **refusal(lambda: observer.qparams(8))}
    states, same = [], True
    for batch in batches:
        given = torch.from_numpy(batch.copy())
        observer.observe(given)
        same = same and np.array_equal(given.numpy(), batch)
        if other is not None:
            other.observe(torch.from_numpy(batch * 100))
        states.append([getattr(observer, name, "missing") for name in ("low", "high")])
    out = {"states": states, "same": same}
    if bad is not None:
        out["refusal"] = refusal(lambda: observer.observe(torch.from_numpy(bad.copy())))
        out["after"] = [observer.low, observer.high]
    elif bad_bits is not None:
        out["refusal"] = refusal(lambda: observer.qparams(bad_bits))
    else:
        out["default"] = observer.qparams()
        out["qparams"] = [observer.qparams(bits) for bits in (8, 4, 3, 2)]
        out["kept"] = [observer.low, observer.high] == states[-1]
    return out


def _reference(batches, averaging):
    """The range after each batch, by torch.ao's observers in float64."""
    import torch
    from torch.ao.quantization import MinMaxObserver, MovingAverageMinMaxObserver

    if averaging is None:
        observer = MinMaxObserver()
    else:
        observer = MovingAverageMinMaxObserver(averaging_constant=averaging)
    observer = observer.double()
    states = []
    for batch in batches:
        observer(torch.from_numpy(batch.astype(np.float64)))
        states.append((float(observer.min_val), float(observer.max_val)))
    return states


def judge(case, answer):
    inputs = case.inputs
    if "bad_averaging" in inputs:
        why = f"averaging={case.bad_averaging} is not in (0, 1]: raise ValueError."
        expect.raised(answer, "ValueError", why)
        return
    if not case.batches:
        why = "qparams before any batch: raise ValueError."
        if "bad" in inputs:
            why = "A refused first batch leaves no range: observe and qparams raise ValueError."
        expect.raised(answer, "ValueError", why)
        for name, value in zip(("low", "high"), answer.get("initial", ()), strict=False):
            expect.that(
                value is None,
                f"`{name}` is None before the first batch.",
                stage="edge",
                yours=expect.show(value),
                right="None",
            )
        return
    expect.mapping(answer, ("states", "same"))
    want = _reference(case.batches, inputs.get("averaging"))
    for step, (yours, right) in enumerate(zip(answer["states"], want, strict=True)):
        atol = STATE_RTOL * max(abs(r) for r in right)
        for name, value, target in zip(("low", "high"), yours, right, strict=True):
            expect.number(value, target, f"{name} after batch {step}", rtol=0, atol=atol)
    expect.that(
        answer["same"],
        "observe changes its batch.",
        stage="mutation",
        hint="The model still computes with it: no in-place operations on x.",
    )
    if "bad" in inputs:
        why = f"{case.label.capitalize()} has no range: raise ValueError."
        expect.raised(answer["refusal"], "ValueError", why)
        expect.that(
            answer["after"] == answer["states"][-1],
            "A refused batch changed the range.",
            stage="edge",
            yours=str(answer["after"]),
            right=str(answer["states"][-1]),
            hint="Test the batch before you change the state.",
        )
    elif "bad_bits" in inputs:
        why = f"bits={case.bad_bits} is outside 2 to 8: raise ValueError."
        expect.raised(answer["refusal"], "ValueError", why)
    else:
        _parameters(answer, BITS, *want[-1])
        expect.that(
            answer["kept"],
            "qparams changes low or high.",
            stage="mutation",
            hint="Widen the range to 0 in variables of qparams' own.",
        )


def _parameters(answer, ladder, low, high):
    pairs = [(8, "", answer["default"])]
    pairs += [(b, str(b), pair) for b, pair in zip(ladder, answer["qparams"], strict=True)]
    for bits, shown, pair in pairs:
        scale, zero_point = expect.sequence(pair, ("scale", "zero_point"))
        right_scale, right_zero = affine.params(low, high, bits)
        # Both ends of the range may be off by STATE_RTOL; high - low is no less than either.
        rtol = 2 * STATE_RTOL
        expect.number(scale, right_scale, f"scale of qparams({shown})", rtol=rtol)
        ratio = -min(low, 0.0) / right_scale
        # A true tie is exact in every order; next to one, the range's last bits decide.
        near = 0 < abs(abs(ratio - np.floor(ratio)) - 0.5) < 2**bits * rtol
        free = near and zero_point in (int(np.floor(ratio)), int(np.ceil(ratio)))
        expect.integer(
            zero_point,
            zero_point if free else right_zero,
            f"zero_point of qparams({shown})",
            hint="zero_point = round(-low / scale), ties to even.",
        )
