"""Answers to kv-key-groups."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, bits, group):
    if not 2 <= bits <= 8 or group < 1 or x.ndim != 3 or not bool(torch.isfinite(x).all()):
        raise ValueError("not possible")


def _groups(x, bits=2, group=32, *, top=None, amax=None, rounding=torch.round, low=None):
    """The right answer with one thing replaced."""
    _refuse(x, bits, group)
    q = 2 ** (bits - 1) - 1
    h, tokens, d = x.shape
    n = tokens // group
    parts = x[:, : n * group].float().reshape(h, n, group, d)
    a = amax(parts) if amax else parts.abs().amax(2, keepdim=True)
    scales = torch.where(a > 0, a / (top(bits) if top else q), torch.ones_like(a)).expand(
        h, n, 1, d
    )
    codes = rounding(parts / scales).clamp(-q if low is None else low(bits), q).to(torch.int8)
    return (
        codes.reshape(h, n * group, d),
        scales.reshape(h, n, d).clone(),
        x[:, n * group :].float(),
    )


@right("reshape and reduce")
def by_reshape(x, bits=2, group=32):
    return _groups(x, bits, group)


@right("a loop over groups in NumPy")
def by_loop(x, bits=2, group=32):
    _refuse(x, bits, group)
    a, q = x.double().numpy(), 2 ** (bits - 1) - 1
    h, tokens, d = a.shape
    codes, scales = [np.zeros((h, 0, d))], [np.zeros((h, 0, d))]
    at = 0
    while at + group <= tokens:
        part = a[:, at : at + group]
        m = np.maximum(part.max(axis=1), -part.min(axis=1))
        s = np.where(m == 0, 1.0, m / q)
        codes.append(np.round(part / s[:, None, :]))
        scales.append(s[:, None, :])
        at += group
    return (
        torch.tensor(np.concatenate(codes, 1)).to(torch.int8),
        torch.tensor(np.concatenate(scales, 1), dtype=torch.float32),
        torch.tensor(a[:, at:], dtype=torch.float32),
    )


@wrong("by-token", "Your scales belong to tokens; here each channel of a group has one.")
def by_token(x, bits=2, group=32):
    return _groups(x, bits, group, amax=lambda p: p.abs().amax((2, 3), keepdim=True))


@wrong(
    "one-scale-for-all-groups", "Your channel has one scale for all tokens; each group has its own."
)
def all_groups(x, bits=2, group=32):
    def amax(p):
        return p.abs().amax((1, 2), keepdim=True) if p.numel() else p[:, :, :1]

    return _groups(x, bits, group, amax=amax)


@wrong("heads-share-a-scale", "Your heads share a scale; each has its own.")
def heads_share(x, bits=2, group=32):
    return _groups(
        x, bits, group, amax=lambda p: p.abs().amax((0, 2), keepdim=True).expand(len(p), -1, -1, -1)
    )


@wrong(
    "groups-of-every-nth-token",
    "Your groups take every n-th token; a group is `group` consecutive tokens.",
)
def strided(x, bits=2, group=32):
    _refuse(x, bits, group)
    h, tokens, d = x.shape
    n = tokens // group
    order = torch.arange(n * group).reshape(group, n).T.reshape(-1)
    codes, scales, _ = _groups(x[:, order], bits, group)
    back = torch.empty_like(codes)
    back[:, order] = codes
    return back, scales, x[:, n * group :].float()


@wrong(
    "residual-quantized", "You quantized the last, incomplete group; its tokens stay as they are."
)
def padded(x, bits=2, group=32):
    _refuse(x, bits, group)
    missing = -x.shape[1] % group
    wide = torch.cat([x.float(), torch.zeros(x.shape[0], missing, x.shape[2])], 1)
    codes, scales, rest = _groups(wide, bits, group)
    return codes[:, : x.shape[1]], scales, rest


@wrong("residual-in-front", "Your residual is the first tokens; it is the newest, the last ones.")
def residual_first(x, bits=2, group=32):
    _refuse(x, bits, group)
    rest = x.shape[1] % group
    codes, scales, _ = _groups(x[:, rest:], bits, group)
    return codes, scales, x[:, :rest].float()


@wrong(
    "residual-dropped",
    "The tokens behind the last whole group are lost; return them as the residual.",
)
def dropped(x, bits=2, group=32):
    codes, scales, rest = _groups(x, bits, group)
    return codes, scales, rest[:, :0]


@wrong("always-a-residual", "When the tokens fill whole groups, the residual is empty.")
def always(x, bits=2, group=32):
    _refuse(x, bits, group)
    n = max((x.shape[1] - 1) // group, 0) * group
    codes, scales, _ = _groups(x[:, :n], bits, group)
    return codes, scales, x[:, n:].float()


@wrong("qmax-a-power-of-two", "You divided by 2**(bits - 1); the largest code is one less.")
def power(x, bits=2, group=32):
    return _groups(x, bits, group, top=lambda b: 2 ** (b - 1))


@wrong("eight-bits-always", "Your largest code is 127 for any bits.")
def eight(x, bits=2, group=32):
    _refuse(x, bits, group)
    return _groups(x, 8, group)


@wrong("unsigned-range", "You divided by 2**bits - 1, the range of unsigned codes.")
def unsigned(x, bits=2, group=32):
    return _groups(x, bits, group, top=lambda b: 2**b - 1)


@wrong("floor-for-round", "You rounded down; round to nearest, ties to even.")
def floor(x, bits=2, group=32):
    return _groups(x, bits, group, rounding=torch.floor)


@wrong("truncation", "A cast cuts the fraction off; round first.")
def truncation(x, bits=2, group=32):
    return _groups(x, bits, group, rounding=torch.trunc)


@wrong("ties-away-from-zero", "Your ties go away from zero; torch.round sends 2.5 to 2.")
def ties_away(x, bits=2, group=32):
    return _groups(x, bits, group, rounding=lambda r: r.sign() * (r.abs() + 0.5).floor())


@wrong("max-without-abs", "You took the maximum; the largest magnitude may be negative.")
def no_abs(x, bits=2, group=32):
    return _groups(x, bits, group, amax=lambda p: p.amax(2, keepdim=True).clamp(min=0))


@wrong(
    "scales-keep-the-group-axis",
    "Your scales have an axis of length 1 too many: (heads, groups, head_dim).",
)
def four_axes(x, bits=2, group=32):
    codes, scales, rest = _groups(x, bits, group)
    return codes, scales.unsqueeze(2), rest


@wrong(
    "scales-repeated",
    "You repeated the scales for each token; store one a group, or nothing is saved.",
)
def repeated(x, bits=2, group=32):
    codes, scales, rest = _groups(x, bits, group)
    return codes, scales.repeat_interleave(group, 1), rest


@wrong("zero-channel", "A channel of zeros has scale 1.0 here.")
def zero(x, bits=2, group=32):
    return _groups(x, bits, group, amax=lambda p: p.abs().amax(2, keepdim=True).clamp(min=1e-8))


@wrong("residual-not-widened", "The residual is float32, whatever x is.")
def narrow(x, bits=2, group=32):
    codes, scales, rest = _groups(x, bits, group)
    return codes, scales, rest.to(x.dtype)


@wrong("residual-not-checked", "A NaN in the residual must be refused too.")
def unchecked(x, bits=2, group=32):
    if x.ndim == 3 and group >= 1:
        n = x.shape[1] // group * group
        codes, scales, _ = _groups(x[:, :n], bits, group)
        return codes, scales, x[:, n:].float()
    return _groups(x, bits, group)
