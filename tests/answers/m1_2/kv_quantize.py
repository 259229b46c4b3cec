"""Answers to kv-quantize."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong

FORMATS = {"int8": (127.0, torch.int8), "e4m3": (448.0, torch.float8_e4m3fn)}


def _refuse(x, fmt):
    if fmt not in FORMATS or x.ndim != 3 or not bool(torch.isfinite(x).all()):
        raise ValueError("not possible")


def _quantize(x, fmt="int8", *, dims=-1, top=None, amax=None, rounding=torch.round, wide=True):
    """The right answer with one thing replaced."""
    _refuse(x, fmt)
    largest, dtype = FORMATS[fmt]
    x = x.float() if wide else x
    a = amax(x) if amax else (x.abs().amax(dims, keepdim=True) if x.numel() else x[..., :1].abs())
    scales = torch.where(a > 0, a / (top or {}).get(fmt, largest), torch.ones_like(a))
    scales = scales.expand(*x.shape[:2], 1).contiguous()
    ratio = (x / scales).clamp(-largest, largest)
    return (rounding(ratio) if fmt == "int8" else ratio).to(dtype), scales


@right("one formula for both")
def by_torch(x, fmt="int8"):
    return _quantize(x, fmt)


@right("a loop in NumPy and ml_dtypes")
def by_numpy(x, fmt="int8"):
    _refuse(x, fmt)
    import ml_dtypes

    top = FORMATS[fmt][0]
    a = x.to(torch.float64).numpy()
    codes, scales = np.zeros(a.shape), np.ones((*a.shape[:2], 1))
    for h in range(a.shape[0]):
        for t in range(a.shape[1]):
            largest = max(abs(float(v)) for v in a[h, t])
            scales[h, t] = largest / top if largest else 1.0
            ratio = np.clip(a[h, t] / scales[h, t], -top, top)
            codes[h, t] = np.rint(ratio) if fmt == "int8" else ratio.astype(ml_dtypes.float8_e4m3fn)
    return torch.from_numpy(codes).to(FORMATS[fmt][1]), torch.from_numpy(scales).float()


@right("multiply by the inverse")
def by_inverse(x, fmt="int8"):
    _refuse(x, fmt)
    top, dtype = FORMATS[fmt]
    wide = x.double()
    amax = wide.abs().max(dim=2, keepdim=True).values
    inverse = top / amax.clamp(min=1e-300) * (amax > 0)
    ratio = torch.clamp(wide * inverse, -top, top).float()
    codes = torch.round(ratio).char() if fmt == "int8" else ratio.to(dtype)
    return codes, torch.where(amax == 0, 1.0, amax / top).float()


@wrong("one-scale", "You used one scale for the whole tensor; each token of each head has its own.")
def one_scale(x, fmt="int8"):
    return _quantize(x, fmt, dims=(0, 1, 2))


@wrong(
    "one-scale-a-head",
    "You reduced over the tokens too; a stored token's scale cannot wait for later ones.",
)
def one_scale_a_head(x, fmt="int8"):
    return _quantize(x, fmt, dims=(1, 2))


@wrong("one-scale-a-token", "Your heads share a scale; each head of a token has its own.")
def one_scale_a_token(x, fmt="int8"):
    return _quantize(x, fmt, dims=(0, 2))


@wrong("127-for-both", "You divided amax by 127 for E4M3 as well; its largest value is 448.")
def same_top(x, fmt="int8"):
    return _quantize(x, fmt, top={"e4m3": 127.0})


@wrong("scale-over-128", "You divided amax by 128; the largest INT8 code used is 127.")
def over_128(x, fmt="int8"):
    return _quantize(x, fmt, top={"int8": 128.0})


@wrong(
    "e4m3-top-of-240",
    "You took 240, the largest value of another E4M3; that of OCP's e4m3fn is 448.",
)
def top_240(x, fmt="int8"):
    return _quantize(x, fmt, top={"e4m3": 240.0})


@wrong("truncation", "A cast to int8 cuts the fraction off; round first.")
def truncation(x, fmt="int8"):
    return _quantize(x, fmt, rounding=torch.trunc)


@wrong("floor-for-round", "You rounded down; round to nearest, ties to even.")
def floor(x, fmt="int8"):
    return _quantize(x, fmt, rounding=torch.floor)


@wrong("ties-away-from-zero", "Your ties go away from zero; torch.round sends 2.5 to 2.")
def ties_away(x, fmt="int8"):
    return _quantize(x, fmt, rounding=lambda r: r.sign() * (r.abs() + 0.5).floor())


@wrong(
    "whole-numbers-in-fp8",
    "You rounded to whole numbers before the cast to E4M3: it has fractions, and rounds by itself.",
)
def rounded_first(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    if fmt == "e4m3":
        codes = torch.round((x.float() / scales).clamp(-448, 448)).to(torch.float8_e4m3fn)
    return codes, scales


@wrong("max-without-abs", "You took the maximum of x; the largest magnitude may be negative.")
def no_abs(x, fmt="int8"):
    return _quantize(x, fmt, amax=lambda t: t.amax(-1, keepdim=True).clamp(min=0))


@wrong(
    "epsilon-floor",
    "You lifted every scale to a small constant; a tiny row then loses its codes, and zeros get no 1.0.",
)
def epsilon(x, fmt="int8"):
    return _quantize(x, fmt, amax=lambda t: t.abs().amax(-1, keepdim=True).clamp(min=1e-2))


@wrong(
    "not-widened",
    "You computed in x's own dtype: float16 scales underflow, and the scales must be float32.",
)
def narrow(x, fmt="int8"):
    return _quantize(x, fmt, wide=False)


@wrong(
    "narrow-then-float32",
    "You took the scale in x's own dtype and widened it afterwards; x.float() comes first.",
)
def narrow_scale(x, fmt="int8"):
    _refuse(x, fmt)
    top, dtype = FORMATS[fmt]
    a = x.abs().amax(-1, keepdim=True)
    scales = torch.where(a > 0, a / top, torch.ones_like(a)).float()
    ratio = torch.nan_to_num(x.float() / scales).clamp(-top, top)
    return (ratio.round() if fmt == "int8" else ratio).to(dtype), scales


@wrong(
    "scales-lost-an-axis",
    "Your scales lost their last axis; keep it with length 1, so that codes * scales broadcasts.",
)
def lost_axis(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    return codes, scales.squeeze(-1)


@wrong("restored", "You returned the restored numbers; the cache holds codes of one byte.")
def restored(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    return codes.float() * scales, scales


@wrong(
    "inverse-scale",
    "Your scale is 448 / amax; here codes * scales restores x, so it is amax / 448.",
)
def inverse(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    return codes, 1 / scales


@wrong("e5m2", "You cast to E5M2; the exercise asks for E4M3, with one mantissa bit more.")
def e5m2(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    return (codes.float().to(torch.float8_e5m2) if fmt == "e4m3" else codes), scales


@wrong(
    "nan-let-in",
    "A NaN or an infinity must be refused with a ValueError: in the cache it spoils every later token.",
)
def nan_let_in(x, fmt="int8"):
    if fmt not in FORMATS or x.ndim != 3:
        raise ValueError("not possible")
    return _quantize(torch.nan_to_num(x), fmt)


@wrong(
    "unknown-format-taken-as-int8",
    "Any other fmt is refused with a ValueError, not taken for one of the two.",
)
def other_format(x, fmt="int8"):
    return _quantize(x, fmt if fmt in FORMATS else "int8")


@wrong("changes-x", "You divided x in place; the caller still needs it.")
def changes(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    x /= scales.to(x.dtype)
    return codes, scales


@wrong(
    "float16-before-e4m3",
    "You rounded to float16 on the way to E4M3: a value rounded twice can miss.",
)
def by_way_of_float16(x, fmt="int8"):
    codes, scales = _quantize(x, fmt)
    if fmt == "e4m3":
        codes = (x.float() / scales).half().clamp(-448, 448).to(torch.float8_e4m3fn)
    return codes, scales
