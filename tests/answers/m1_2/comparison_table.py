"""Answers to comparison-table. The weights are made once, by the parts that the judge does not use."""

import copy
from functools import cache

import numpy as np
import torch

from autograder.checks.bank import right, wrong
from lab.fake_quant import decoder_linears, int8_activations, round_to_nearest, with_weights
from lab.layerwise import calibration_inputs, quantize_layerwise
from lab.lm import calibration_batch, load_lm
from lab.outliers import with_outliers
from lab.perplexity import perplexity

GROUP = 128


@cache
def _model():
    return load_lm()


@cache
def _tokens(seed=0, count=16):
    return calibration_batch(count=count, length=128, seed=seed)


def _hessian(parts):
    x = torch.from_numpy(np.concatenate(parts)).double()
    return 2 * x.T @ x / len(x), x.abs().mean(0)


def _gptq(weight, h, bits, percdamp=0.01):
    """torch, float64, the factor of the inverse by two Cholesky decompositions."""
    w = torch.tensor(weight, dtype=torch.float64)
    h = h + percdamp * h.diagonal().mean() * torch.eye(len(h), dtype=torch.float64)
    u = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    out = torch.zeros_like(w)
    for j in range(w.shape[1]):
        if j % GROUP == 0:
            group = w[:, j : j + GROUP]
            low, high = group.amin(1).clamp(max=0), group.amax(1).clamp(min=0)
            scale = (high - low) / (2**bits - 1)
            zero = torch.round(-low / scale)
        out[:, j] = ((torch.round(w[:, j] / scale) + zero).clamp(0, 2**bits - 1) - zero) * scale
        w[:, j:] -= torch.outer((w[:, j] - out[:, j]) / u[j, j], u[j, j:])
    return out.numpy()


def _awq(weight, h, mean_abs, bits):
    w, best = weight.double(), None
    for k in range(11):
        s = mean_abs ** (k / 10)
        s = s / (s.max() * s.min()).sqrt()
        restored = round_to_nearest((w * s).float(), bits, GROUP, False).double() / s
        e = w - restored
        loss = float(((e @ h) * e).sum())
        if best is None or loss < best[0]:
            best = (loss, restored)
    return best[1].float()


def _nf4(weight, **kind):
    from bitsandbytes import functional as F

    packed, state = F.quantize_4bit(weight.contiguous(), blocksize=kind.pop("blocksize", 64),
                                    quant_type=kind.pop("quant_type", "nf4"), **kind)  # fmt: skip
    return F.dequantize_4bit(packed, state)


@cache
def _made(name):
    """A quantized model by the row's name."""
    if name.startswith("rtn"):
        return with_weights(_model(), lambda n, w: round_to_nearest(w, int(name[-1]), GROUP, False))
    if name.startswith("gptq"):
        bits = int(name[-1])
        return quantize_layerwise(
            _model(), _tokens(), lambda n, w, x: _gptq(w, _hessian(x)[0], bits).astype(np.float32)
        )
    if name.startswith("awq"):
        bits = int(name[-1])
        return with_weights(
            _model(),
            lambda n, w: _awq(w, *_hessian(calibration_inputs(_model(), _tokens(), n)), bits),
        )
    if name == "nf4":
        return with_weights(_model(), lambda n, w: _nf4(w, compress_statistics=True))
    return with_weights(_model(), lambda n, w: _nf4(w, quant_type="fp4", compress_statistics=True))


@cache
def _weights(name):
    return {n: m.weight.half().numpy() for n, m in decoder_linears(_made(name)).items()}


@cache
def _perplexity(name):
    return perplexity(_made(name))


@cache
def _w8a8(alpha):
    model = with_outliers(_model())
    readers = {"input_layernorm": "q k v", "post_attention_layernorm": "gate up"}
    if alpha is not None:
        seen = {}
        for at, block in enumerate(model.model.layers):
            for norm, names in readers.items():
                parts = [m for n, m in block.named_modules()
                         if n.endswith("_proj") and n.split(".")[-1][:-5] in names.split()]  # fmt: skip
                first = next(n for n, m in model.named_modules() if m is parts[0])
                x = torch.from_numpy(np.concatenate(calibration_inputs(model, _tokens(), first)))
                seen[at, norm] = (parts, x.abs().amax(0))
        for (at, norm), (parts, top) in seen.items():
            biggest = torch.stack([p.weight.abs().amax(0) for p in parts]).amax(0)
            s = top**alpha / biggest ** (1 - alpha)
            getattr(model.model.layers[at], norm).weight.div_(s)
            for part in parts:
                part.weight.mul_(s)

    def int8(name, w):
        scale = w.abs().amax(1, keepdim=True) / 127
        return (w / scale).round() * scale

    rounded = with_weights(model, int8)
    with int8_activations(rounded):
        return perplexity(rounded)


def _row(bits, value, tokens=0, weights=None):
    row = {
        "bits_per_weight": bits,
        "perplexity": value,
        "calibration_tokens": tokens,
        "seconds": 1.5,
    }
    return row if weights is None else {**row, "weights": weights}


def _bits(bits, per_group, group=GROUP, once=0.0):
    """Per weight: every width here is a multiple of the group; `once` bits a matrix on top."""
    n = sum(m.weight.numel() for m in decoder_linears(_model()).values())
    return bits + per_group / group + once * len(decoder_linears(_model())) / n


def _table(**changes):
    linears = decoder_linears(_model())
    n = sum(m.weight.numel() for m in linears.values())
    rows = {
        "float": _row(16.0, _float()),
        "w8a8": _row(8 + 16 * sum(m.out_features for m in linears.values()) / n, _w8a8(None)),
        "nf4": _row(_bits(4, 8 + 32 / 256, 64, 32), _perplexity("nf4"), 0, _weights("nf4")),
    }
    rows["smoothquant"] = {**rows["w8a8"], "perplexity": _w8a8(0.5), "calibration_tokens": 2048}
    for name in ("rtn-4", "rtn-3", "gptq-3", "awq-3"):
        bits, tokens = int(name[-1]), 0 if name.startswith("rtn") else 2048
        rows[name] = _row(_bits(bits, 16 + bits), _perplexity(name), tokens, _weights(name))
    rows = copy.copy(rows)
    for name, change in changes.items():
        name = name.replace("_", "-")
        rows[name] = {**rows[name], **change}
    return rows


@cache
def _float():
    return perplexity(_model())


def _as(name):
    """Cells of another model's weights, its own perplexity with them."""
    return {"weights": _weights(name), "perplexity": _perplexity(name)}


@right("torch throughout", call=True)
def torch_rows():
    return lambda: _table()


@right("weights through float16 before they are measured", call=True)
def half_first():
    def solution():
        rows = _table()
        weights = rows["gptq-3"]["weights"]
        halved = with_weights(_model(), lambda n, w: torch.from_numpy(weights[n]).float())
        rows["gptq-3"]["perplexity"] = perplexity(halved)
        return {**rows, "note": {"an extra row": 1}}

    return solution


@wrong("empty", "The table is empty: run the cells that fill it.", call=True, diagnose=False)
def empty():
    return lambda: {}


@wrong("plain-bits", "The bits leave out the scales.", call=True, diagnose=False)
def plain_bits():
    return lambda: _table(rtn_4={"bits_per_weight": 4.0})


@wrong("nf4-half-a-bit", "NF4's scales are counted as float32; they are stored in 8 bits.",
       call=True, diagnose=False)  # fmt: skip
def single_quantized():
    return lambda: _table(nf4={"bits_per_weight": 4.5})


@wrong("no-calibration", "GPTQ looked at 2,048 tokens, the row says 0.", call=True, diagnose=False)
def uncalibrated():
    return lambda: _table(gptq_3={"calibration_tokens": 0})


@wrong("sequences-for-tokens", "You counted sequences; the column is in tokens.",
       call=True, diagnose=False)  # fmt: skip
def sequences():
    return lambda: _table(awq_3={"calibration_tokens": 16})


@wrong("rtn-as-gptq", "The GPTQ row holds weights rounded to nearest.", call=True, diagnose=False)
def rtn_as_gptq():
    return lambda: _table(gptq_3=_as("rtn-3"))


@wrong("rtn-as-awq", "The AWQ row holds weights rounded to nearest.", call=True, diagnose=False)
def rtn_as_awq():
    return lambda: _table(awq_3=_as("rtn-3"))


@wrong("gptq-as-awq", "The AWQ row holds GPTQ's weights.", call=True, diagnose=False)
def gptq_as_awq():
    return lambda: _table(awq_3=_as("gptq-3"))


@wrong(
    "four-bits-for-three", "The 3-bit GPTQ row holds weights of 4 bits.", call=True, diagnose=False
)
def four_for_three():
    return lambda: _table(gptq_3=_as("rtn-4"))


@wrong("fp4-for-nf4", "The NF4 row was made with FP4.", call=True, diagnose=False)
def fp4():
    return lambda: _table(nf4={"weights": _weights("fp4")})


@wrong("float-weights", "The AWQ row holds the float weights.", call=True, diagnose=False)
def float_weights():
    weights = {n: m.weight.half().numpy() for n, m in decoder_linears(_model()).items()}
    return lambda: _table(awq_3={"weights": weights, "perplexity": _float()})


@wrong("typed-in", "A perplexity does not belong to its weights.", call=True, diagnose=False)
def typed_in():
    return lambda: _table(rtn_3={"perplexity": _perplexity("rtn-3") - 0.05})


@wrong("smooth-without-smoothing", "SmoothQuant's row was measured without smoothing.",
       call=True, diagnose=False)  # fmt: skip
def not_smoothed():
    return lambda: _table(smoothquant={"perplexity": _w8a8(None)})


@wrong("float32-weights", "The weights are to be float16.", call=True, diagnose=False)
def float32():
    weights = {n: w.astype(np.float32) for n, w in _weights("rtn-4").items()}
    return lambda: _table(rtn_4={"weights": weights})
