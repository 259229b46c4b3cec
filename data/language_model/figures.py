"""Measure the shipped models: every figure of the card comes from here."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from data.language_model.fine_tuning import measure_lora
from lab.bigram import Bigram
from lab.fake_quant import int8_activations, round_to_nearest, with_weights
from lab.lm import MODELS, complete, load_lm, load_tokenizer, load_tokens, model_folder, models_dir
from lab.outliers import CHANNELS, FACTORS, SITES, with_outliers
from lab.perplexity import SEED, STRIDE, WINDOW, WINDOWS, perplexity

BITS = (8, 4, 3, 2)
GROUP_SIZE = 128
PROMPTS = (
    "heapq.heappush(",
    "str.split(",
    "The for statement",
    "Return True if",
    "class threading.",
    "Raises ValueError if",
)
# Held-out runs of this many tokens that training has word for word tell of leaks.
RUN_TOKENS = (8, 13)


def measure_models(say: Callable[[str], None]) -> dict:
    """All figures, as plain data. Takes some minutes on two cores.

    Args:
        say: told what comes next.
    """
    began = time.monotonic()
    model, tokenizer = load_lm(), load_tokenizer()
    say("bigram baseline, leaks")
    train = load_tokens("train")
    bigram = Bigram(train, model.config.vocab_size)
    figures: dict = {
        "protocol": {
            "windows": WINDOWS,
            "window": WINDOW,
            "stride": STRIDE,
            "seed": SEED,
            "tokens_scored": WINDOWS * STRIDE,
        },
        "repeated_share": {str(n): _repeated_share(train, n) for n in RUN_TOKENS},
        "perplexity": {"bigram": _round(perplexity(bigram))},
        "perplexity_all_windows": {"bigram": _round(perplexity(bigram, windows=None))},
    }
    for name in MODELS:
        say(f"{name}: float")
        loaded = load_lm(name)
        figures["perplexity"][name] = _round(perplexity(loaded))
        figures["perplexity_all_windows"][name] = _round(perplexity(loaded, windows=None))
    outlying = with_outliers(model)
    plans = {
        "rtn": (model, None, True),
        "rtn_groups": (model, GROUP_SIZE, False),
        "rtn_outliers": (outlying, None, True),
        "rtn_groups_outliers": (outlying, GROUP_SIZE, False),
    }
    for title, (base, group_size, symmetric) in plans.items():
        figures[title] = {}
        for bits in BITS:
            say(f"{title}, {bits} bits")
            rounded = with_weights(base, _rounding(bits, group_size, symmetric))
            figures[title][str(bits)] = _round(perplexity(rounded))
    say("outliers")
    figures["outliers"] = _outliers(model, outlying)
    say("draft against the large model")
    figures["draft"] = _agreement(model, load_lm("draft"))
    figures["completions"] = {prompt: complete(model, tokenizer, prompt) for prompt in PROMPTS}
    say("LoRA on the instruction set")
    figures["lora"] = measure_lora()
    figures["sizes_bytes"] = {name: _size_bytes(model_folder(name)) for name in MODELS}
    figures["sizes_bytes"]["corpus"] = _size_bytes(models_dir() / "corpus")
    say(f"done in {time.monotonic() - began:.0f} s")
    return figures


def _rounding(bits: int, group_size: int | None, symmetric: bool) -> Callable:
    return lambda name, weight: round_to_nearest(weight, bits, group_size, symmetric)


def _outliers(model: torch.nn.Module, outlying: torch.nn.Module) -> dict:
    """What the variant changes, and what it does not."""
    ids = torch.from_numpy(load_tokens("heldout")[None, :WINDOW].astype(np.int64))
    everywhere = with_outliers(model, sites=SITES)
    with torch.inference_mode():
        logits = [m(ids, use_cache=False).logits for m in (model, outlying, everywhere)]
    found = {
        "channels": CHANNELS,
        "factors": list(FACTORS),
        "largest_logit": _round(float(logits[0].abs().max())),
        "largest_change_float32": float((logits[1] - logits[0]).abs().max()),
        "largest_change_float32_all_sites": float((logits[2] - logits[0]).abs().max()),
    }
    for title, subject in (("plain", model), ("outliers", outlying)):
        with int8_activations(subject):
            found[f"int8_activations_{title}"] = _round(perplexity(subject))
    return found


@torch.inference_mode()
def _agreement(model: torch.nn.Module, draft: torch.nn.Module) -> dict:
    """How often the draft's likeliest token is the model's, and how often a token it draws would
    be accepted: sum of min(p, q) (Leviathan et al. 2023), on the default windows' first tokens."""
    tokens = load_tokens("heldout")
    rows = tokens[: WINDOWS * WINDOW].reshape(WINDOWS, WINDOW).astype(np.int64)
    same, accepted = [], []
    for row in rows:
        ids = torch.from_numpy(row[None])
        p, q = (m(ids, use_cache=False).logits.softmax(-1) for m in (model, draft))
        same.append((p.argmax(-1) == q.argmax(-1)).float().mean())
        accepted.append(torch.minimum(p, q).sum(-1).mean())
    return {
        "tokens": int(rows.size),
        "top1_agreement": round(float(torch.stack(same).mean()), 3),
        "acceptance": round(float(torch.stack(accepted).mean()), 3),
    }


def _repeated_share(train: np.ndarray, length: int) -> float:
    """Share of held-out runs of `length` tokens that occur in training."""
    heldout = load_tokens("heldout")
    seen = {train[at : at + length].tobytes() for at in range(len(train) - length + 1)}
    runs = range(len(heldout) - length + 1)
    return round(sum(heldout[at : at + length].tobytes() in seen for at in runs) / len(runs), 4)


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _round(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")
