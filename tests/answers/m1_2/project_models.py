"""Answers to project-models. Both models are made once; a wrong answer changes one piece."""

from functools import cache

import numpy as np
import torch

from autograder.checks.bank import right, wrong
from lab.fake_quant import decoder_linears, with_weights
from lab.instructions import encode_examples, instruction_set, score_responses
from lab.layerwise import quantize_layerwise
from lab.lm import calibration_batch, load_lm, load_tokenizer
from lab.perplexity import perplexity

RANK, ALPHA, GROUP = 8, 16, 128


@cache
def _model():
    return load_lm()


def _codes(weight, h, update=True):
    """Codes, scales, zeros of GPTQ (or RTN without the update), torch float64."""
    w = torch.tensor(weight, dtype=torch.float64)
    h = h + 0.01 * h.diagonal().mean() * torch.eye(len(h), dtype=torch.float64)
    u = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    codes, scales, zeros = [], [], []
    for j in range(w.shape[1]):
        if j % GROUP == 0:
            low, high = torch.aminmax(w[:, j : j + GROUP], dim=1)
            scale = (high.clamp(min=0) - low.clamp(max=0)) / 15
            zero = (-low.clamp(max=0) / scale).round()
            scales.append(scale)
            zeros.append(zero)
        code = ((w[:, j] / scale).round() + zero).clamp(0, 15)
        codes.append(code)
        if update:
            w[:, j:] -= torch.outer((w[:, j] - scale * (code - zero)) / u[j, j], u[j, j:])
    stack = [torch.stack(v, 1).numpy() for v in (codes, scales, zeros)]
    return {"codes": stack[0].astype(np.uint8), "scales": stack[1].astype(np.float32),
            "zeros": stack[2].astype(np.uint8)}  # fmt: skip


def _restored(parts):
    scale, zero = (np.repeat(parts[k].astype(np.float32), GROUP, 1) for k in ("scales", "zeros"))
    return scale * (parts["codes"] - zero)


@cache
def _gptq(update=True):
    """The layers, and the perplexity with them."""
    kept = {}

    def change(name, weight, inputs):
        x = torch.from_numpy(np.concatenate(inputs)).double()
        kept[name] = _codes(weight, 2 * x.T @ x / len(x), update)
        return _restored(kept[name])

    return kept, perplexity(quantize_layerwise(_model(), calibration_batch(16, 128), change))


@cache
def _nf4():
    from bitsandbytes import functional as F

    def change(name, w):
        packed, state = F.quantize_4bit(
            w.contiguous(), blocksize=64, compress_statistics=True, quant_type="nf4"
        )
        return F.dequantize_4bit(packed, state)

    return with_weights(_model(), change)


@cache
def _qlora(steps=40, size=8, rate=5e-3):
    """Adapters by layer, perplexity, loss: LoRA on the restored NF4 base."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    base = with_weights(_nf4(), lambda n, w: w)
    tuned = get_peft_model(base, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=targets))
    train, heldout = instruction_set()
    tokenizer = load_tokenizer()
    parameters = [p for p in tuned.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.0)
    rng = np.random.default_rng(0)
    tuned.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / steps)
        chosen = rng.choice(len(train), size, replace=False)
        loss = tuned(**encode_examples(tokenizer, [train[i] for i in chosen])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    tuned.eval()
    adapters = {}
    for name in decoder_linears(_model()):
        layer = tuned.get_submodule("base_model.model." + name)
        adapters[name] = {"A": layer.lora_A["default"].weight.detach().numpy(),
                          "B": layer.lora_B["default"].weight.detach().numpy()}  # fmt: skip
    return adapters, perplexity(tuned), score_responses(tuned, tokenizer, heldout)[0]


def _answer(**changes):
    shapes = {n: tuple(m.weight.shape) for n, m in decoder_linears(_model()).items()}
    weights = sum(r * c for r, c in shapes.values())
    blocks = [r * c // 64 for r, c in shapes.values()]
    groups = weights // GROUP
    adapters, text, loss = _qlora()
    layers, value = _gptq()
    out = {
        "gptq": layers, "adapters": adapters, "scaling": ALPHA / RANK,
        "nf4_bytes": weights // 2 + sum(b + 4 * -(-b // 256) + 4 for b in blocks),
        "gptq_bytes": weights // 2 + groups * 5 // 2, "gptq_perplexity": value,
        "qlora_perplexity": text, "qlora_response_loss": loss,
    }  # fmt: skip
    return {**out, **changes}


@right("a restored base, torch throughout", call=True)
def torch_throughout():
    return lambda: _answer()


@right("the same adapters factored anew", call=True)
def factored_anew():
    def solution():
        adapters = {}
        for name, pair in _qlora()[0].items():
            u, s, v = np.linalg.svd(
                ALPHA / RANK * pair["B"].astype(np.float64) @ pair["A"], full_matrices=False
            )
            adapters[name] = {
                "A": v[:RANK].astype(np.float32),
                "B": (u * s)[:, :RANK].astype(np.float32),
            }
        return _answer(adapters=adapters, scaling=1.0)

    return solution


@wrong("numbers-only", "You handed in numbers; the check measures from the arrays.",
       call=True, diagnose=False)  # fmt: skip
def numbers_only():
    return lambda: {k: v for k, v in _answer().items() if k not in ("gptq", "adapters")}


@wrong(
    "rounded-not-solved",
    "The GPTQ codes are those of rounding to nearest.",
    call=True,
    diagnose=False,
)
def rounded():
    return lambda: _answer(gptq=_gptq(False)[0], gptq_perplexity=_gptq(False)[1])


@wrong(
    "untrained-adapters",
    "The adapters are as they were before training.",
    call=True,
    diagnose=False,
)
def untrained():
    still = {n: {"A": p["A"], "B": np.zeros_like(p["B"])} for n, p in _qlora()[0].items()}
    return lambda: _answer(adapters=still)


@wrong("scaling-forgotten", "scaling is alpha / rank; the adapters were measured with it.",
       call=True, diagnose=False)  # fmt: skip
def no_scaling():
    return lambda: _answer(scaling=0.125)


@wrong("one-layer-missing", "The adapters of one layer are missing.", call=True, diagnose=False)
def missing():
    return lambda: _answer(adapters=dict(list(_qlora()[0].items())[1:]))


@wrong(
    "swapped", "A is (rank, in) and B (out, rank); you exchanged them.", call=True, diagnose=False
)
def swapped():
    return lambda: _answer(adapters={n: {"A": p["B"], "B": p["A"]} for n, p in _qlora()[0].items()})


@wrong(
    "zeros-off-by-one",
    "The zero-points are those of the file, one too small.",
    call=True,
    diagnose=False,
)
def zeros_off():
    layers = {
        n: {**p, "zeros": (np.maximum(p["zeros"], 1) - 1).astype(np.uint8)}
        for n, p in _gptq()[0].items()
    }
    return lambda: _answer(gptq=layers)


@wrong("five-bits", "Codes above 15 do not fit 4 bits.", call=True, diagnose=False)
def five_bits():
    layers = {n: {**p, "codes": p["codes"] * np.uint8(2)} for n, p in _gptq()[0].items()}
    return lambda: _answer(gptq=layers)


@wrong(
    "bytes-without-scales", "The scales and zero-points are bytes too.", call=True, diagnose=False
)
def plain_bytes():
    weights = sum(m.weight.numel() for m in decoder_linears(_model()).values())
    return lambda: _answer(gptq_bytes=weights // 2)


@wrong("footprint", "NF4's scales are missing from nf4_bytes.", call=True, diagnose=False)
def footprint():
    weights = sum(m.weight.numel() for m in decoder_linears(_model()).values())
    return lambda: _answer(nf4_bytes=weights // 2)


@wrong("perplexity-before-tuning", "qlora_perplexity is that of the model before it was tuned.",
       call=True, diagnose=False)  # fmt: skip
def before():
    return lambda: _answer(qlora_perplexity=perplexity(_nf4()))


@wrong("typed-in", "gptq_perplexity does not belong to the codes.", call=True, diagnose=False)
def typed_in():
    return lambda: _answer(gptq_perplexity=_gptq()[1] * 0.98)


@wrong("float-perplexity", "gptq_perplexity is that of the float model.", call=True, diagnose=False)
def of_the_float_model():
    return lambda: _answer(gptq_perplexity=perplexity(_model()))


@wrong("rtn-perplexity", "gptq_perplexity is that of rounding.", call=True, diagnose=False)
def of_rounding():
    return lambda: _answer(gptq_perplexity=_gptq(False)[1])


@wrong("float-base", "The tuned model was measured on the float weights; its base is NF4.",
       call=True, diagnose=False)  # fmt: skip
def on_the_float_base():
    pairs = _qlora()[0]
    merged = with_weights(_model(), lambda n, w: w + ALPHA / RANK * torch.from_numpy(
        pairs[n]["B"] @ pairs[n]["A"]))  # fmt: skip
    loss = score_responses(merged, load_tokenizer(), instruction_set()[1])[0]
    return lambda: _answer(qlora_perplexity=perplexity(merged), qlora_response_loss=loss)


@wrong("transposed-codes", "Codes are (out, in).", call=True, diagnose=False)
def transposed():
    layers = {n: {**p, "codes": p["codes"].T.copy()} for n, p in _gptq()[0].items()}
    return lambda: _answer(gptq=layers)
