"""Answers to fake-quantize-ste."""

import torch

from autograder.checks.bank import right, wrong


def _refuse(scale, low, high):
    scale = torch.as_tensor(scale)
    if low >= high or not (torch.isfinite(scale) & (scale > 0)).all():
        raise ValueError("scale or codes")


def _codes(x, scale, zero_point):
    return torch.round(x / scale) + zero_point


def _inside(x, scale, zero_point, low, high):
    codes = _codes(x, scale, zero_point)
    return (codes >= low) & (codes <= high)


def _restored(x, scale, zero_point, low, high):
    return (_codes(x, scale, zero_point).clamp(low, high) - zero_point) * scale


def _function(restored=_restored, inside=_inside, passed=None, check=_refuse, returned=None):
    """A Function from its parts; the wrong answers replace one of them."""

    class FakeQuantize(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale, zero_point, low, high):
            check(scale, low, high)
            with torch.no_grad():
                ctx.save_for_backward(inside(x, scale, zero_point, low, high), x)
                ctx.scale = scale
                return restored(x, scale, zero_point, low, high)

        @staticmethod
        def backward(ctx, grad_output):
            mask, x = ctx.saved_tensors
            gradient = passed(grad_output, mask, ctx.scale, x) if passed else grad_output * mask
            return returned(gradient, ctx.scale) if returned else (gradient, None, None, None, None)

    return FakeQuantize


@right("mask of the codes", call=True)
def by_mask():
    return _function()


@right("ends in steps, masked_fill", call=True)
def by_ends():
    class FakeQuantize(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale, zero_point, low, high):
            s = torch.as_tensor(scale, dtype=x.dtype)
            if not low < high or not bool(torch.isfinite(s).all()) or bool((s <= 0).any()):
                raise ValueError("no such grid")
            steps = torch.round(x.detach().clone() / s)
            z = torch.as_tensor(zero_point, dtype=x.dtype)
            ctx.outside = torch.logical_or(steps < low - z, steps > high - z)
            return torch.minimum(torch.maximum(steps, low - z), high - z) * s

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output.masked_fill(ctx.outside, 0.0), None, None, None, None

    return FakeQuantize


@right("saves x, decides in backward", call=True)
def late():
    class FakeQuantize(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale, zero_point, low, high):
            _refuse(scale, low, high)
            ctx.save_for_backward(x)
            ctx.rest = scale, zero_point, low, high
            return _restored(x, scale, zero_point, low, high)

        @staticmethod
        def backward(ctx, grad_output):
            (x,) = ctx.saved_tensors
            keep = _inside(x, *ctx.rest).to(grad_output.dtype)
            return keep * grad_output, None, None, None, None

    return FakeQuantize


@wrong(
    "identity-gradient",
    "You pass the gradient everywhere; beyond the ends it must be exactly 0.",
    call=True,
)
def identity():
    return _function(passed=lambda g, mask, s, x: g)


@wrong(
    "zero-gradient",
    "Your gradient is 0 everywhere, the true derivative of round: nothing can learn.",
    call=True,
)
def zero():
    return _function(passed=lambda g, mask, s, x: torch.zeros_like(g))


@wrong(
    "gradient-inverted",
    "You pass the gradient outside the range and stop it inside: the other way round.",
    call=True,
)
def inverted():
    return _function(passed=lambda g, mask, s, x: g * ~mask)


@wrong(
    "ones-for-the-gradient",
    "You return 1 inside; the gradient that arrives must be multiplied.",
    call=True,
)
def ones():
    return _function(passed=lambda g, mask, s, x: mask.to(g.dtype))


@wrong(
    "gradient-divided-by-scale",
    "You divided the gradient by the scale; scale and 1/scale cancel: it passes as it is.",
    call=True,
)
def divided():
    return _function(passed=lambda g, mask, s, x: g * mask / s)


@wrong(
    "gradient-times-scale",
    "You multiplied the gradient by the scale; scale and 1/scale cancel: it passes as it is.",
    call=True,
)
def multiplied():
    return _function(passed=lambda g, mask, s, x: g * mask * s)


@wrong(
    "mask-of-clipped-codes",
    "You took the mask after clipping; then every code is inside.",
    call=True,
)
def clipped_mask():
    def inside(x, scale, zero_point, low, high):
        codes = _codes(x, scale, zero_point).clamp(low, high)
        return (codes >= low) & (codes <= high)

    return _function(inside=inside)


@wrong(
    "ends-excluded",
    "You stop the gradient at the end codes; low and high themselves are inside.",
    call=True,
)
def excluded():
    def inside(x, scale, zero_point, low, high):
        codes = _codes(x, scale, zero_point)
        return (codes > low) & (codes < high)

    return _function(inside=inside)


@wrong(
    "mask-before-rounding",
    "You compare x / scale before rounding; here the rounded code decides.",
    call=True,
)
def unrounded():
    def inside(x, scale, zero_point, low, high):
        codes = x / scale + zero_point
        return (codes >= low) & (codes <= high)

    return _function(inside=inside)


@wrong(
    "half-a-step-further",
    "You pass the gradient up to half a step beyond the ends, ties included; a tie rounds to the even code.",
    call=True,
)
def half_step():
    def inside(x, scale, zero_point, low, high):
        codes = x / scale + zero_point
        return (codes >= low - 0.5) & (codes <= high + 0.5)

    return _function(inside=inside)


@wrong("zero-point-missing-in-mask", "Your mask forgets the zero-point.", call=True)
def no_zero_in_mask():
    return _function(inside=lambda x, s, z, low, high: _inside(x, s, 0, low, high))


@wrong(
    "upper-end-only",
    "You stop the gradient above the range only; below it must be 0 too.",
    call=True,
)
def upper_only():
    return _function(inside=lambda x, s, z, low, high: _codes(x, s, z) <= high)


@wrong(
    "hard-tanh-mask",
    "You pass the gradient where |x| <= 1, as for binary nets; the range of the codes decides.",
    call=True,
)
def tanh_mask():
    return _function(inside=lambda x, s, z, low, high: x.abs() <= 1)


@wrong(
    "gradient-clipped",
    "You clipped the gradient's values; the mask depends on x, not on the gradient.",
    call=True,
)
def clipped():
    return _function(passed=lambda g, mask, s, x: g.clamp(-1, 1) * mask)


@wrong(
    "small-slope-outside",
    "You let a little gradient through outside; it must be exactly 0.",
    call=True,
)
def leaky():
    return _function(passed=lambda g, mask, s, x: torch.where(mask, g, 0.01 * g))


@wrong("x-returned", "You return x as it is: nothing is quantized.", call=True)
def unchanged():
    return _function(restored=lambda x, s, z, low, high: x.clone())


@wrong(
    "codes-returned",
    "You return the codes; restore them: subtract the zero-point, multiply by the scale.",
    call=True,
)
def codes():
    return _function(restored=lambda x, s, z, low, high: _codes(x, s, z).clamp(low, high))


@wrong("zero-point-kept", "You forgot to subtract the zero-point when restoring.", call=True)
def kept():
    return _function(restored=lambda x, s, z, low, high: _codes(x, s, z).clamp(low, high) * s)


@wrong("floor-for-round", "You rounded down; round to nearest, ties to even.", call=True)
def floor():
    def restored(x, s, z, low, high):
        return ((torch.floor(x / s) + z).clamp(low, high) - z) * s

    return _function(restored=restored)


@wrong(
    "ties-away-from-zero",
    "Your ties go away from zero; torch.round sends them to the even neighbour.",
    call=True,
)
def ties_away():
    def restored(x, s, z, low, high):
        v = x / s
        steps = torch.sign(v) * torch.floor(v.abs() + 0.5)
        return ((steps + z).clamp(low, high) - z) * s

    return _function(restored=restored)


@wrong(
    "zero-point-inside-round",
    "You added the zero-point before rounding; with an odd one the ties fall differently.",
    call=True,
)
def zero_inside():
    def restored(x, s, z, low, high):
        return (torch.round(x / s + z).clamp(low, high) - z) * s

    return _function(restored=restored)


@wrong("not-clipped", "You forgot to clip the codes.", call=True)
def not_clipped():
    return _function(restored=lambda x, s, z, low, high: torch.round(x / s) * s)


@wrong(
    "float32-inside",
    "You compute in float32 whatever comes in; the result has x's dtype.",
    call=True,
)
def float32():
    return _function(
        restored=lambda x, s, z, low, high: _restored(x.float(), s, z, low, high).float()
    )


@wrong(
    "works-in-place", "You change x in place (clamp_, copy_); the caller still needs it.", call=True
)
def in_place():
    def restored(x, s, z, low, high):
        x.copy_(_restored(x, s, z, low, high))
        return x.clone()

    return _function(restored=restored)


@wrong(
    "scale-gets-a-gradient",
    "You return a gradient for the scale; it is a constant here: None.",
    call=True,
)
def scale_gradient():
    def returned(gradient, scale):
        to_scale = (
            gradient.sum().reshape(()) if torch.is_tensor(scale) and scale.ndim == 0 else None
        )
        return gradient, to_scale, None, None, None

    return _function(returned=returned)


@wrong(
    "scale-not-checked", "A scale of 0, a negative or a NaN one must raise ValueError.", call=True
)
def unchecked_scale():
    def check(scale, low, high):
        if low >= high:
            raise ValueError("codes")

    return _function(check=check)


@wrong("nan-scale-accepted", "scale <= 0 is False for NaN: test isfinite as well.", call=True)
def nan_scale():
    def check(scale, low, high):
        if low >= high or (torch.as_tensor(scale) <= 0).any():
            raise ValueError("scale")

    return _function(check=check)


@wrong("empty-grid-accepted", "low >= high leaves no two codes: raise ValueError.", call=True)
def empty_grid():
    return _function(check=lambda scale, low, high: _refuse(scale, 0, 1))


@wrong(
    "grad-output-in-place",
    "You write zeros into grad_output; other branches of the graph may hold the same tensor.",
    call=True,
)
def grad_in_place():
    def passed(gradient, mask, scale, x):
        gradient[~mask] = 0
        return gradient

    return _function(passed=passed)


@wrong(
    "mask-kept-on-the-class",
    "Your mask lies on the class, where the next call overwrites it; keep it in ctx.",
    call=True,
)
def on_the_class():
    class FakeQuantize(torch.autograd.Function):
        mask = None

        @staticmethod
        def forward(ctx, x, scale, zero_point, low, high):
            _refuse(scale, low, high)
            FakeQuantize.mask = _inside(x, scale, zero_point, low, high)
            return _restored(x, scale, zero_point, low, high)

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output * FakeQuantize.mask, None, None, None, None

    return FakeQuantize
