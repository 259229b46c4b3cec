"""fake-quantize-ste: quantize and restore forward, a straight-through gradient backward.

The oracles: torch.fake_quantize_per_tensor_affine for one scale, and float64 arithmetic on inputs
that are exact multiples of a power of two, where ties and range ends can be met exactly.
"""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import affine, qat

PARTS = {"forward": 0.25, "gradient": 0.4, "boundary": 0.2, "bad input": 0.15}
HINTS = (
    "forward: codes = torch.round(x / scale) + zero_point; inside = (codes >= low) & (codes <= high).",
    "ctx.save_for_backward(inside) in forward; (inside,) = ctx.saved_tensors in backward.",
    "backward returns one value for each input of forward: the gradient of x, then four None.",
)
LADDER = ((0, 255, 100), (0, 15, 4), (-7, 7, 0), (-1, 1, 0), (0, 3, 1), (-128, 127, -5))


def _case(rng, label, part, low, high, zero, shape=(57,), reach=1.6, dtype=np.float32, **more):
    scale = float(rng.uniform(0.02, 0.2))
    codes = zero + (rng.uniform(low - 0.4, high + 0.4, shape) - zero) * reach
    x = affine.away_from_ties(((codes - zero) * scale).astype(dtype), scale)
    return _from(rng, label, part, x, scale, zero, low, high, **more)


def _from(rng, label, part, x, scale, zero, low, high, **more):
    upstream = rng.normal(0, 1, x.shape).astype(x.dtype)
    given = {"x": x, "scale": scale, "zero_point": zero, "low": low, "high": high}
    return case(label, part, **given, upstream=upstream, **more)


def cases(rng):
    for part, reach in (("forward", 0.9), ("gradient", 1.7)):
        for low, high, zero in LADDER:
            yield _case(
                rng, f"codes {low} to {high}, zero-point {zero}", part, low, high, zero, reach=reach
            )
        yield _case(rng, "float64, 3 axes", part, 0, 15, 6, (3, 4, 5), reach, np.float64)
        channel = rng.uniform(0.05, 0.4, (6, 1)).astype(np.float32)
        x = affine.away_from_ties(
            (rng.uniform(-9, 9, (6, 20)) * reach / 1.7 * channel * 0.75).astype(np.float32), channel
        )
        yield _from(rng, "a scale for each row", part, x, channel, 0, -7, 7)
        zeros = np.float32([[2], [9], [0], [15], [7], [1]])
        yield _from(rng, "a zero-point for each row", part, x, channel, zeros, 0, 15)
    far = np.float32([1e4, -1e4, 3e30, -3e30, np.inf, -np.inf, 0.1])
    yield _from(rng, "far outside", "gradient", far, 0.25, 3, 0, 15)
    yield _case(
        rng,
        "scale and zero-point are tensors that ask for a gradient",
        "gradient",
        0,
        15,
        4,
        tensors=True,
    )
    yield _case(rng, "a transposed view", "gradient", -7, 7, 0, (9, 14), view=True)
    yield _case(
        rng, "used twice before the backward pass", "gradient", 0, 15, 4, (4, 6), twice=True
    )
    yield _case(rng, "in the middle of a network", "gradient", -7, 7, 0, (4, 6), chain=True)

    for low, high, zero in ((-7, 7, 0), (0, 15, 4), (0, 15, 5), (-8, 7, 0), (0, 255, 0)):
        # Codes before clipping at, half a step beside and just beside each end: all exact in float32.
        ends = [
            e - zero + d
            for e in (low, high)
            for d in (-1, -0.5625, -0.5, -0.4375, 0, 0.4375, 0.5, 0.5625, 1)
        ]
        x = np.float32(ends) * np.float32(0.25)
        yield _from(
            rng,
            f"the ends of {low} to {high}, zero-point {zero}",
            "boundary",
            x,
            0.25,
            zero,
            low,
            high,
        )
    x = np.float32([0.5, -0.5, 1.5, 2.5, 3.5, -1.5, -2.5]) * np.float32(0.5)
    yield _from(rng, "ties", "boundary", x, 0.5, 4, 0, 15)
    yield _from(rng, "ties, odd zero-point", "boundary", x, 0.5, 5, 0, 15)

    x = np.float32([0.1, 0.2])
    for scale in (0.0, -0.5, np.nan, np.inf):
        yield _from(rng, f"scale {scale}", "bad input", x, scale, 0, -7, 7)
    yield _from(rng, "a zero among the scales", "bad input", x, np.float32([0.5, 0]), 0, -7, 7)
    for low, high in ((7, -7), (3, 3)):
        yield _from(rng, f"codes from {low} to {high}", "bad input", x, 0.5, 0, low, high)


def probe(
    solution, x, scale, zero_point, low, high, upstream, tensors=False, view=False, chain=False,
    twice=False,
):  # fmt: skip
    import torch

    def tensor(value):
        if isinstance(value, np.ndarray):
            return torch.from_numpy(value.copy())
        return torch.tensor(float(value), requires_grad=True) if tensors else value

    bad = not (np.isfinite(scale).all() and np.min(scale) > 0) or low >= high
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    given = leaf
    if view:
        leaf = torch.from_numpy(x.T.copy()).requires_grad_()
        given = leaf.T
    if chain:
        given = leaf * 1.0
    s, z = tensor(scale), tensor(zero_point)
    try:
        y = solution.apply(given, s, z, low, high)
    except NotImplementedError:
        raise
    except Exception as error:
        if not bad:
            raise
        return {"raised": type(error).__name__}
    if bad:
        return {"raised": None}
    if not isinstance(y, torch.Tensor):
        return {"y": y, "linked": False}
    if twice:  # a mask kept anywhere but in ctx is this call's
        solution.apply(torch.full((3, 5), 1e6).requires_grad_(), 1.0, 0, -1, 1)
    out = {"y": y.detach(), "linked": bool(y.requires_grad)}
    if out["linked"]:
        arrives = torch.from_numpy(upstream.copy())
        if chain:
            (y * arrives * 2.0).sum().backward()
        else:
            y.backward(arrives)
            out["arrived"] = bool(torch.equal(arrives, torch.from_numpy(upstream)))
        gradient = leaf.grad.T if view else leaf.grad
        out["gradient"] = None if gradient is None else gradient.contiguous()
    after = leaf.detach().T if view else leaf.detach()
    out["same"] = bool(torch.equal(after, torch.from_numpy(x)))
    out["others"] = [getattr(v, "grad", None) is None for v in (s, z)]
    return out


def _want(case):
    """Restored values and mask; one scale goes through torch's own fake-quantize kernels."""
    x, scale, zero = (np.asarray(v, np.float64) for v in (case.x, case.scale, case.zero_point))
    restored, inside = qat.fake_quantize(x, scale, zero, case.low, case.high)
    finite_floats = case.x.dtype == np.float32 and np.abs(case.x).max() < 1e3
    if scale.ndim == 0 and finite_floats:
        import torch

        leaf = torch.from_numpy(case.x.copy()).requires_grad_()
        y = torch.fake_quantize_per_tensor_affine(
            leaf, float(scale), int(zero), case.low, case.high
        )
        y.sum().backward()
        restored, inside = y.detach().numpy().astype(np.float64), leaf.grad.numpy() != 0
    return restored, inside


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.mapping(answer, ("y", "linked"))
    want, inside = _want(case)
    name = f"torch.{case.x.dtype}"
    y = expect.tensor(answer["y"], "the result", shape=case.x.shape, dtype=name)
    reach = np.abs(np.asarray(case.scale) * max(abs(case.low), abs(case.high)))
    expect.close(
        y,
        want,
        "the result",
        rtol=tolerances.SCALAR,
        atol=1e-7 * reach,
        step=case.scale,
        hint="(clip(round(x / scale) + zero_point, low, high) - zero_point) * scale.",
    )
    expect.that(
        answer["linked"],
        "The result carries no gradient.",
        hint="Work inside the autograd.Function: forward computes, backward says what passes.",
    )
    expect.that(
        answer["same"],
        "forward changes x.",
        stage="mutation",
        hint="No in-place operations (clamp_, round_, *=) on x.",
    )
    if case.part == "forward":
        return
    expect.that(
        answer.get("gradient") is not None,
        "No gradient arrives at x.",
        hint="backward must return the gradient of x first.",
    )
    gradient = expect.tensor(
        answer["gradient"], "the gradient of x", shape=case.x.shape, dtype=name
    )
    factor = 2.0 if case.inputs.get("chain") else 1.0
    right = np.where(inside, case.upstream.astype(np.float64) * factor, 0.0)
    expect.close(
        gradient,
        right,
        "the gradient of x",
        rtol=1e-6,
        hint=(
            "Exactly what arrives where low <= round(x / scale) + zero_point <= high, exactly 0 elsewhere."
        ),
    )
    expect.that(
        all(answer["others"]),
        "A gradient arrives at scale or zero_point.",
        hint="backward returns None for them: they are constants here.",
    )
    expect.that(
        answer.get("arrived", True),
        "backward changes grad_output.",
        stage="mutation",
        hint="Other branches of the graph may use the same tensor: make a new one.",
    )
