"""Answers to quantize-weights-per-tensor."""

import numpy as np

from autograder.checks.bank import right, wrong

LAYERS = ("conv1", "conv2", "fc1", "fc2")


def _all(params, rule):
    return {layer: rule(params[f"{layer}.weight"]) for layer in LAYERS}


def _quantize(w, scale, low, high, rounding=np.rint):
    codes = np.clip(rounding(w.astype(np.float64) / scale), low, high).astype(np.int8)
    return codes, np.array([scale], np.float32)


def _scale(w, qmax):
    amax = float(np.abs(w).max())
    return amax / qmax if amax > 0 else 1.0


@right("NumPy in float64")
def by_numpy(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(params, lambda w: _quantize(w, _scale(w, q), -q, q))


@right("torch.round in float32")
def by_torch(params, bits=8):
    import torch

    q = (1 << (bits - 1)) - 1

    def rule(w):
        t = torch.tensor(w)
        scale = t.abs().max() / q
        scale = scale if scale > 0 else torch.tensor(1.0)
        return (t / scale).round().to(torch.int8).numpy(), scale.reshape(1).numpy()

    return _all(params, rule)


@right("value by value, Python's round")
def by_loop(params, bits=8):
    q = 2 ** (bits - 1) - 1

    def rule(w):
        scale = _scale(w, q)
        return np.array([round(v / scale) for v in w.ravel().tolist()], np.int8).reshape(
            w.shape
        ), np.float32([scale])

    return _all(params, rule)


@wrong(
    "one-scale-for-all", "You used one scale for the whole network; each weight tensor has its own."
)
def one_for_all(params, bits=8):
    q = 2 ** (bits - 1) - 1
    scale = max(_scale(params[f"{n}.weight"], q) for n in LAYERS if params[f"{n}.weight"].any())
    return _all(params, lambda w: _quantize(w, scale, -q, q))


@wrong("floor-for-round", "You rounded down with floor; round to nearest.")
def floored(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(params, lambda w: _quantize(w, _scale(w, q), -q, q, np.floor))


@wrong("cut-for-round", "astype(np.int8) cuts towards zero; round before you convert.")
def cut(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(params, lambda w: _quantize(w, _scale(w, q), -q, q, np.trunc))


@wrong("half-away", "You round halves away from zero; ties go to the even code.")
def half_away(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(
        params,
        lambda w: _quantize(
            w, _scale(w, q), -q, q, lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5)
        ),
    )


@wrong("bits-ignored", "You ignored `bits` and made 8-bit codes.")
def bits_ignored(params, bits=8):
    return by_numpy(params, 8)


@wrong("qmax-128", "You divided by 2**(bits - 1); the largest code is one less.")
def qmax_128(params, bits=8):
    q = 2 ** (bits - 1)
    return _all(params, lambda w: _quantize(w, _scale(w, q), -q + 1, q - 1))


@wrong("qmax-127-5", "You spread the range over 2**bits - 1 steps; restricted codes span 2 * qmax.")
def qmax_half(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(params, lambda w: _quantize(w, _scale(w, q + 0.5), -q, q))


@wrong("max-not-abs", "You took max(W) in place of max|W|: a large negative weight is clipped.")
def max_not_abs(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(params, lambda w: _quantize(w, float(w.max()) / q if w.max() > 0 else 1.0, -q, q))


@wrong("per-channel", "You made one scale for each channel; that is the next exercise.")
def per_channel(params, bits=8):
    q = 2 ** (bits - 1) - 1

    def rule(w):
        rows = w.reshape(len(w), -1)
        amax = np.abs(rows).max(1)
        scales = np.where(amax > 0, amax / q, 1).astype(np.float32)
        return np.rint(rows / scales[:, None]).astype(np.int8).reshape(w.shape), scales

    return _all(params, rule)


@wrong("affine", "You moved the range by a zero-point; weights are symmetric here.")
def affine(params, bits=8):
    def rule(w):
        scale = float(w.max() - w.min()) / (2**bits - 1) or 1.0
        codes = np.rint((w - w.min()) / scale) - 2 ** (bits - 1)
        return codes.astype(np.int8), np.array([scale], np.float32)

    return _all(params, rule)


@wrong("zeros-divide", "A tensor of zeros makes you divide by 0; its scale is 1.")
def zeros_divide(params, bits=8):
    q = 2 ** (bits - 1) - 1
    with np.errstate(all="ignore"):
        return _all(params, lambda w: _quantize(w, np.abs(w).max() / np.float64(q), -q, q))


@wrong("epsilon", "A tensor of zeros has scale 1 here, not a tiny epsilon.")
def epsilon(params, bits=8):
    q = 2 ** (bits - 1) - 1
    return _all(params, lambda w: _quantize(w, max(float(np.abs(w).max()) / q, 1e-8), -q, q))


@wrong("scalar-scale", "Return scales as a float32 array of shape (1,), not as a number.")
def scalar(params, bits=8):
    return {k: (c, float(s[0])) for k, (c, s) in by_numpy(params, bits).items()}


@wrong("float-codes", "Your codes are still floats: convert them to np.int8.")
def floats(params, bits=8):
    return {k: (c.astype(np.float32), s) for k, (c, s) in by_numpy(params, bits).items()}
