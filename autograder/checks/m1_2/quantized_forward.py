"""quantized-forward: a ReLU network in few bits, dynamic or static, with straight-through gradients.

Compared with a float64 network whose backward pass is written by hand. Inputs are float64: no code
hangs on the last bit of a float32 sum.
"""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import qat

PARTS = {"static": 0.35, "dynamic": 0.3, "gradient": 0.2, "bad input": 0.15}
HINTS = (
    "For each layer: ReLU (not before the first), quantize the input, quantize the weight, multiply.",
    "weight.detach().abs().max() / (2**(bits - 1) - 1) is the weight's scale: a constant, no gradient.",
    "Dynamic: amin(1, keepdim=True).clamp(max=0) and its mirror amax give each row's range.",
)
# Sums of 60 products in float64, in any order.
RTOL = 1e-10


def _network(rng, widths):
    return [
        (rng.normal(0, 1.2 / np.sqrt(i), (o, i)), rng.normal(0, 0.3, o))
        for i, o in zip(widths[:-1], widths[1:], strict=True)
    ]


def _ranges(rng, params, x, bits, tight=1.0):
    """Static ranges that clip about what `tight` < 1 leaves over; the first has a zero-point."""
    made = []
    for k, (weight, bias) in enumerate(params):
        x = np.maximum(x, 0) if k else x
        low, high = min(x.min(), 0) * tight, max(x.max(), 0) * tight
        scale = (high - low) / (2**bits - 1)
        made.append((float(scale), int(np.rint(-low / scale))))
        x = x @ weight.T + bias
    return made


def _case(rng, label, part, widths, rows, bits, static=True, tight=1.0):
    params = _network(rng, widths)
    x = rng.normal(0, 1, (rows, widths[0])) * rng.uniform(0.5, 2, (rows, 1))
    ranges = _ranges(rng, params, x, bits, tight) if static else None
    return case(label, part, params=params, x=x, bits=bits, ranges=ranges)


def _ties(label, part, static, dtype):
    """4 bits, every number a multiple of 1/8: exact in float32, with codes and zero-points at ties."""
    weight = np.array([[1.75, 0.125, -0.375], [0.625, -0.875, -1.125]])  # scale 1.75 / 7
    layers = [(weight, np.array([0.5, -0.25]))]
    # Rows whose dynamic range is 15 steps of 1, with -low at 0.5, 1.5 and 2.5.
    x = np.array([[-0.5, 14.5, 3.5], [-1.5, 13.5, 2.5], [12.5, -2.5, 0.5]])
    ranges = None
    if static:
        layers.append((np.array([[0.875, -0.4375], [0.0625, 0.3125]]), np.array([0.0, 1.0])))
        ranges = [(1.0, 2), (0.5, 0)]
        x[0, 2], x[2, 2] = -2.5, 13.5  # the ends of the codes, half a step out
    params = [tuple(a.astype(dtype) for a in pair) for pair in layers]
    return case(label, part, params=params, x=x.astype(dtype), bits=4, ranges=ranges)


def cases(rng):
    yield _case(rng, "one layer, 4 bits", "static", (5, 3), 4, 4)
    for bits in (8, 4, 3, 2):
        yield _case(rng, f"three layers, {bits} bits", "static", (12, 9, 7, 4), 11, bits)
    for dtype in (np.float64, np.float32):
        for static in (True, False):
            ways = ("static", "exact ties, ") if static else ("dynamic", "exact ties, dynamic, ")
            yield _ties(ways[1] + np.dtype(dtype).name, ways[0], static, dtype)
    yield _case(rng, "inputs beyond the ranges", "static", (10, 8, 5), 9, 4, tight=0.5)
    yield _case(rng, "one layer, 4 bits, dynamic", "dynamic", (5, 3), 4, 4, static=False)
    for bits in (8, 4, 3, 2):
        yield _case(
            rng,
            f"three layers, {bits} bits, dynamic",
            "dynamic",
            (12, 9, 7, 4),
            11,
            bits,
            static=False,
        )
    positive = _case(rng, "", "dynamic", (6, 5, 3), 4, 4, static=False).inputs
    x = np.abs(positive["x"]) + 3
    x[1] = 0
    x[2] = -x[2]
    yield case("rows all positive, all zero, all negative", "dynamic", **{**positive, "x": x})
    zero = [(w.copy(), b) for w, b in positive["params"]]
    zero[0][0][:] = 0
    yield case("a weight of zeros", "dynamic", **{**positive, "params": zero})

    yield _ties("exact ties at the ends", "gradient", True, np.float64)
    yield _case(rng, "static, 4 bits", "gradient", (10, 8, 6, 4), 13, 4)
    yield _case(
        rng, "static with clipped inputs, 3 bits", "gradient", (10, 8, 6, 4), 13, 3, tight=0.5
    )
    yield _case(rng, "dynamic, 4 bits", "gradient", (10, 8, 6, 4), 13, 4, static=False)

    good = _case(rng, "", "bad input", (4, 3, 2), 3, 4).inputs
    for bits in (1, 9):
        yield case(f"bits={bits}", "bad input", **{**good, "bits": bits})
    yield case("a range too few", "bad input", **{**good, "ranges": good["ranges"][:1]})
    yield case("a range too many", "bad input", **{**good, "ranges": good["ranges"] * 2})
    yield case("an empty list of ranges", "bad input", **{**good, "ranges": []})
    for value in (np.inf, -np.inf):
        x = good["x"].copy()
        x[1, 2] = value
        yield case(f"{value} in x", "bad input", **{**good, "x": x})
    yield case("a NaN in x", "bad input", **{**good, "x": np.where(good["x"] > 0, np.nan, 1.0)})


def probe(solution, params, x, bits, ranges):
    import torch

    layers = [
        (torch.from_numpy(w.copy()).requires_grad_(), torch.from_numpy(b.copy()).requires_grad_())
        for w, b in params
    ]
    given = torch.from_numpy(x.copy())
    bad = (
        not 2 <= bits <= 8
        or (ranges is not None and len(ranges) != len(params))
        or not np.isfinite(x).all()
    )
    try:
        logits = (
            solution(layers, given, bits)
            if ranges is None
            else solution(layers, given, bits, ranges)
        )
    except NotImplementedError:
        raise
    except Exception as error:
        if not bad:
            raise
        return {"raised": type(error).__name__}
    if bad:
        return {"raised": None}
    if not isinstance(logits, torch.Tensor):
        return {"logits": logits, "linked": False}
    out = {"logits": logits.detach(), "linked": bool(logits.requires_grad)}
    if out["linked"]:
        upstream = torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).reshape(logits.shape)
        (logits * upstream).sum().backward()
        out["gradients"] = [[w.grad, b.grad] for w, b in layers]
    out["same"] = all(
        np.array_equal(w.detach().numpy(), p) for (w, _), (p, _) in zip(layers, params, strict=True)
    )
    out["same"] = out["same"] and np.array_equal(given.numpy(), x)
    return out


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("logits", "linked"))
    params = [tuple(a.astype(np.float64) for a in pair) for pair in case.params]
    want, kept = qat.forward(params, case.x.astype(np.float64), case.bits, case.ranges)
    name = f"torch.{case.x.dtype}"
    yours = expect.tensor(answer["logits"], "logits", shape=want.shape, dtype=name)
    slack = (RTOL if case.x.dtype == np.float64 else tolerances.SCALAR) * np.abs(want).max()
    hint = "Quantize and restore both the input and the weight of every layer; the bias stays."
    expect.close(yours, want, "logits", rtol=0, atol=slack, hint=hint)
    if case.part == "gradient":
        _gradients(answer, want, kept)
    expect.that(answer["same"], "Your function changes its arguments.", stage="mutation")


def _gradients(answer, want, kept):
    expect.that(
        answer["linked"],
        "The logits carry no gradient.",
        hint="Quantize through FakeQuantize.apply, not under no_grad.",
    )
    upstream = np.linspace(-1, 1, want.size).reshape(want.shape)
    right = qat.backward(kept, upstream)
    for k, (pair, target) in enumerate(zip(answer["gradients"], right, strict=True)):
        for name, yours, grad in zip(("weight", "bias"), pair, target, strict=True):
            shown = f"gradient of {name} {k}"
            expect.that(
                yours is not None,
                f"No {shown} arrives.",
                hint="The weight goes through FakeQuantize.apply; only its scale is detached.",
            )
            values = expect.tensor(yours, shown, shape=grad.shape, dtype="torch.float64")
            expect.close(
                values,
                grad,
                shown,
                rtol=0,
                atol=RTOL * max(np.abs(grad).max(), 1e-3),
                hint="Straight-through; scales are constants (detach what they come from).",
            )
