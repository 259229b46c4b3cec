"""Measure every method; each model's figures are kept at once, so that the command resumes."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.perplexities.methods import METHODS, bits_per_weight, quantized
from lab.divergence import mean_divergence
from lab.lm import load_lm, model_folder
from lab.outliers import with_outliers
from lab.perplexity import token_losses

BITS = (8, 4, 3, 2)
ADAPTED = {16: 3, 4: 3, 3: 1, 2: 1}  # bits of the base that adapters are trained beside: seeds
TWIN_METHODS = ("RTN", "AWQ")


def measure_all(path: Path, say: Callable[[str], None]) -> dict:
    """All figures as plain data; what `path` holds for these weights is not measured again.

    Args:
        path: a JSON file, written after each model.
        say: told what comes next.
    """
    weights = (model_folder("lm") / "model.safetensors").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    figures = json.loads(path.read_text()) if path.exists() else {}
    if figures.get("weights_sha256") != digest:
        figures = {"weights_sha256": digest, "rows": {}}
    model = load_lm()
    twin = with_outliers(model)
    base = token_losses(model)

    def once(key: str, make: Callable[[], dict]) -> None:
        if key not in figures["rows"]:
            say(key)
            figures["rows"][key] = make()
            path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")

    once("float", lambda: _row(base, base, 0.0, 16.0))
    for method in METHODS:
        for bits in BITS:
            if method == "NF" and bits == 8:
                continue  # 256 quantiles: nobody stores that
            once(f"{method} {bits}", lambda m=method, b=bits: _measured(model, m, b, base, say))
    for method in TWIN_METHODS:
        for bits in BITS:
            once(f"twin {method} {bits}", lambda m=method, b=bits: _measured(twin, m, b, base, say))
    for bits, seeds in ADAPTED.items():
        for seed in range(seeds):
            once(adapted(bits, seed), lambda b=bits, s=seed: _tuned(model, b, s, say))
    return figures


def adapted(bits: int, seed: int = 0) -> str:
    """The row of a model tuned beside a base of so many bits."""
    return ("LoRA 16" if bits == 16 else f"QLoRA {bits}") + (f", seed {seed}" if seed else "")


def _measured(model, method: str, bits: int, base: np.ndarray, say: Callable[[str], None]) -> dict:
    changed = quantized(method, model, bits, lambda line: say(f"  {line}"))
    return _row(
        token_losses(changed), base, mean_divergence(changed, model), bits_per_weight(method, bits)
    )


def _row(losses: np.ndarray, base: np.ndarray, divergence: float, bits: float) -> dict:
    """Perplexity; nats added to the float model's, with the standard error of the paired mean; KL."""
    added = losses - base
    return {
        "bits_per_weight": round(bits, 4),
        "perplexity": float(np.exp(losses.mean())),
        "added_nats": float(added.mean()),
        "standard_error": float(added.std() / len(added) ** 0.5),
        "kl_nats": divergence,
    }


def _tuned(model, bits: int, seed: int, say: Callable[[str], None]) -> dict:
    """Adapters tuned on instructions beside a frozen base: NF at these bits, 16 for the model itself."""
    from data.language_model.fine_tuning import measure_lora

    tuned = measure_lora(seed, None if bits == 16 else quantized("NF", model, bits, say))
    return {
        "bits_per_weight": 16.0 if bits == 16 else round(bits_per_weight("NF", bits), 4),
        "perplexity": tuned["perplexity_after"],
        "response_loss_before": tuned["loss_before_nats"],
        "response_loss_after": tuned["loss_after_nats"],
        "exact_after": tuned["exact_after"],
        "steps": tuned["steps"],
    }
