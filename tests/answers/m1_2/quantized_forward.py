"""Answers to quantized-forward."""

import torch

from autograder.checks.bank import right, wrong


class _STE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        codes = torch.round(x / scale) + zero_point
        ctx.save_for_backward((codes >= low) & (codes <= high))
        return (codes.clamp(low, high) - zero_point) * scale

    @staticmethod
    def backward(ctx, grad_output):
        (inside,) = ctx.saved_tensors
        return grad_output * inside, None, None, None, None


def _row_range(x, bits):
    low = x.amin(1, keepdim=True).clamp(max=0)
    scale = (x.amax(1, keepdim=True).clamp(min=0) - low) / (2**bits - 1)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return scale, torch.round(-low / scale)


def _weight_scale(weight, bits):
    scale = weight.abs().max() / (2 ** (bits - 1) - 1)
    return torch.where(scale > 0, scale, torch.ones_like(scale))


def _refuse(params, x, bits, ranges):
    if not 2 <= bits <= 8:
        raise ValueError("bits")
    if ranges is not None and len(ranges) != len(params):
        raise ValueError("ranges")
    if not torch.isfinite(x).all():
        raise ValueError("x")


def _forward(
    params,
    x,
    bits,
    ranges=None,
    *,
    apply=_STE.apply,
    detach=True,
    row_range=_row_range,
    weight_scale=_weight_scale,
    quantize_x=lambda k: True,
    quantize_w=lambda k: True,
    relu=lambda k: k > 0,
    bias_too=False,
    check=_refuse,
    weight_bits=lambda bits: bits,
    weight_low=lambda q: -q,
):
    check(params, x, bits, ranges)
    for k, (weight, bias) in enumerate(params):
        x = torch.relu(x) if relu(k) else x
        fixed = x.detach() if detach else x
        scale, zero = row_range(fixed, bits) if ranges is None else ranges[k]
        wb = weight_bits(bits)
        s_w = weight_scale(weight.detach() if detach else weight, wb)
        q = 2 ** (wb - 1) - 1
        x_hat = apply(x, scale, zero, 0, 2**bits - 1) if quantize_x(k) else x
        w_hat = apply(weight, s_w, 0, weight_low(q), q) if quantize_w(k) else weight
        b_hat = apply(bias, _weight_scale(bias.detach(), bits), 0, -q, q) if bias_too else bias
        x = x_hat @ w_hat.T + b_hat
    return x


@right("an autograd.Function")
def by_function(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges)


@right("the detach trick")
def by_detach(params, x, bits, ranges=None):
    def apply(t, scale, zero, low, high):
        with torch.no_grad():
            codes = torch.round(t / scale) + zero
            inside = (codes >= low) & (codes <= high)
            restored = (codes.clamp(low, high) - zero) * scale
        open_ = torch.where(inside, t, t.detach())
        return open_ + (restored - open_).detach()

    return _forward(params, x, bits, ranges, apply=apply)


@right("functional linear, a loop over reversed copies")
def by_linear(params, x, bits, ranges=None):
    _refuse(params, x, bits, ranges)
    top = 2 ** (bits - 1) - 1
    todo = list(zip(params, ranges or [None] * len(params), strict=True))
    h = x
    while todo:
        (weight, bias), fixed = todo.pop(0)
        scale, zero = fixed or _row_range(h.detach(), bits)
        s_w = float(weight.detach().abs().max()) / top or 1.0
        h = torch.nn.functional.linear(
            _STE.apply(h, scale, zero, 0, 2**bits - 1), _STE.apply(weight, s_w, 0, -top, top), bias
        )
        h = h.relu() if todo else h
    return h


@wrong("weights-not-quantized", "You left the weights in floats.")
def float_weights(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, quantize_w=lambda k: False)


@wrong("inputs-not-quantized", "You quantized the weights only; each layer's input too.")
def float_inputs(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, quantize_x=lambda k: False)


@wrong(
    "first-input-not-quantized",
    "You left the first layer's input in floats; it is quantized like the others.",
)
def first_input(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, quantize_x=lambda k: k > 0)


@wrong("last-layer-in-floats", "You left the last layer in floats; all layers are quantized here.")
def last_layer(params, x, bits, ranges=None):
    last = len(params) - 1
    keep = {"quantize_x": lambda k: k < last, "quantize_w": lambda k: k < last}
    return _forward(params, x, bits, ranges, **keep)


@wrong(
    "relu-before-the-first-layer",
    "You applied ReLU to the network's input; it comes between the layers only.",
)
def relu_first(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, relu=lambda k: True)


@wrong("no-relu", "You forgot the ReLU between the layers.")
def no_relu(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, relu=lambda k: False)


@wrong("ranges-ignored", "You compute the range from the data although static ranges are given.")
def ignored(params, x, bits, ranges=None):
    _refuse(params, x, bits, ranges)
    return _forward(params, x, bits, None)


@wrong("one-range-for-the-batch", "Your dynamic range is the whole batch's; each row has its own.")
def batch_range(params, x, bits, ranges=None):
    def row_range(t, b):
        scale, zero = _row_range(t.reshape(1, -1), b)
        return scale.expand(len(t), 1), zero.expand(len(t), 1)

    return _forward(params, x, bits, ranges, row_range=row_range)


@wrong(
    "zero-not-in-range",
    "Your dynamic range does not contain 0: widen it with clamp(max=0) and clamp(min=0).",
)
def no_zero(params, x, bits, ranges=None):
    def row_range(t, b):
        low = t.amin(1, keepdim=True)
        scale = (t.amax(1, keepdim=True) - low) / (2**b - 1)
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        return scale, torch.round(-low / scale)

    return _forward(params, x, bits, ranges, row_range=row_range)


@wrong("fractional-zero-point", "You did not round the zero-point; it is an integer code.")
def fractional(params, x, bits, ranges=None):
    def row_range(t, b):
        low = t.amin(1, keepdim=True).clamp(max=0)
        scale, _ = _row_range(t, b)
        return scale, -low / scale

    return _forward(params, x, bits, ranges, row_range=row_range)


@wrong("zero-rows-nan", "A row of zeros divides by a scale of 0; its scale is 1.0.")
def zero_rows(params, x, bits, ranges=None):
    def row_range(t, b):
        low = t.amin(1, keepdim=True).clamp(max=0)
        scale = (t.amax(1, keepdim=True).clamp(min=0) - low) / (2**b - 1)
        return scale, torch.round(-low / scale)

    return _forward(params, x, bits, ranges, row_range=row_range)


@wrong("zero-weight-nan", "A weight of zeros divides by a scale of 0; its scale is 1.0.")
def zero_weight(params, x, bits, ranges=None):
    def scale(w, b):
        return w.abs().max() / (2 ** (b - 1) - 1)

    return _forward(params, x, bits, ranges, weight_scale=scale)


@wrong("weights-in-8-bits", "Your weights have 8 bits whatever `bits` says.")
def eight_bits(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, weight_bits=lambda b: 8)


@wrong(
    "scale-over-two-to-the-bits",
    "The weight's scale is max|W| / (2**(bits - 1) - 1), not over 2**(bits - 1).",
)
def wide_scale(params, x, bits, ranges=None):
    def scale(w, b):
        return (w.abs().max() / 2 ** (b - 1)).clamp(min=1e-300)

    return _forward(params, x, bits, ranges, weight_scale=scale, weight_low=lambda q: -q - 1)


@wrong(
    "per-channel-weights",
    "You gave each row of the weight a scale; here there is one for each matrix.",
)
def per_channel(params, x, bits, ranges=None):
    def scale(w, b):
        s = w.abs().amax(1, keepdim=True) / (2 ** (b - 1) - 1)
        return torch.where(s > 0, s, torch.ones_like(s))

    return _forward(params, x, bits, ranges, weight_scale=scale)


@wrong("bias-quantized", "You quantized the biases too; they stay in floats.")
def bias_too(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, bias_too=True)


@wrong(
    "scale-with-a-gradient",
    "Your weight's scale carries a gradient: detach what it is computed from.",
)
def live_scale(params, x, bits, ranges=None):
    def apply(t, scale, zero, low, high):
        codes = t / scale + zero
        codes = codes + (torch.round(t / scale) + zero - codes).detach()
        return (codes.clamp(low, high) - zero) * scale

    return _forward(params, x, bits, ranges, apply=apply, detach=False)


@wrong("no-gradient-through-round", "You rounded with torch.round alone: no gradient passes.")
def plain_round(params, x, bits, ranges=None):
    def apply(t, scale, zero, low, high):
        return ((torch.round(t / scale) + zero).clamp(low, high) - zero) * scale

    return _forward(params, x, bits, ranges, apply=apply)


@wrong(
    "gradient-beyond-the-range",
    "Clipped inputs pass a gradient; it must be 0 where the code leaves the range.",
)
def pass_all(params, x, bits, ranges=None):
    def apply(t, scale, zero, low, high):
        restored = ((torch.round(t / scale) + zero).clamp(low, high) - zero) * scale
        return t + (restored - t).detach()

    return _forward(params, x, bits, ranges, apply=apply)


@wrong("under-no-grad", "You computed under no_grad; then nothing can be trained.")
def no_grad(params, x, bits, ranges=None):
    with torch.no_grad():
        return _forward(params, x, bits, ranges)


@wrong("float32-inside", "You compute in float32 whatever comes in; the dtype of x decides.")
def float32(params, x, bits, ranges=None):
    return _forward([(w.float(), b.float()) for w, b in params], x.float(), bits, ranges).double()


@wrong("bits-not-checked", "bits outside 2 to 8 must raise ValueError.")
def any_bits(params, x, bits, ranges=None):
    return _forward(params, x, min(max(bits, 2), 8), ranges)


@wrong("too-few-ranges-accepted", "Fewer ranges than layers must raise ValueError.")
def few_ranges(params, x, bits, ranges=None):
    if ranges is not None and len(ranges) < len(params):
        ranges = list(ranges) + [ranges[-1]] * (len(params) - len(ranges))
    return _forward(params, x, bits, ranges)


@wrong("nan-accepted", "A NaN in x must raise ValueError.")
def nan_accepted(params, x, bits, ranges=None):
    return _forward(params, torch.nan_to_num(x), bits, ranges)


class _TiesUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        codes = torch.floor(x / scale + 0.5) + zero_point
        ctx.save_for_backward((codes >= low) & (codes <= high))
        return (codes.clamp(low, high) - zero_point) * scale

    backward = _STE.backward


@wrong("ties-up", "You round ties up with floor(v + 0.5); they go to the even code.")
def ties_up(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges, apply=_TiesUp.apply)


@wrong("float64-result", "You compute in float64 whatever comes in; the dtype of x decides.")
def double_result(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges).double()


@wrong(
    "no-ranges-is-dynamic",
    "An empty list is not None: `if ranges` takes it for dynamic; it is a wrong number of ranges.",
)
def empty_is_dynamic(params, x, bits, ranges=None):
    return _forward(params, x, bits, ranges or None)


@wrong("extra-ranges-accepted", "More ranges than layers must raise ValueError.")
def extra_ranges(params, x, bits, ranges=None):
    if ranges is not None and len(ranges) > len(params):
        ranges = ranges[: len(params)]
    return _forward(params, x, bits, ranges)


@wrong("infinity-accepted", "You test for NaN only; an infinity in x must raise ValueError too.")
def infinity_accepted(params, x, bits, ranges=None):
    return _forward(params, x.nan_to_num(nan=torch.nan, posinf=9.0, neginf=-9.0), bits, ranges)
