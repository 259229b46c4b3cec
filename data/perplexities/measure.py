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
    for method in ("RTN", "AWQ"):
        for bits in BITS:
            once(f"twin {method} {bits}", lambda m=method, b=bits: _measured(twin, m, b, base, say))
    once("QLoRA 4", lambda: _qlora(model, base, say))
    return figures


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


def _qlora(model, base: np.ndarray, say: Callable[[str], None]) -> dict:
    """NF4 and adapters tuned on the instruction set, as data/language_model does in float."""
    from data.language_model.fine_tuning import measure_lora

    frozen = quantized("NF", model, 4, say)
    tuned = measure_lora(base=frozen)
    return {
        "bits_per_weight": round(bits_per_weight("NF", 4), 4),
        "perplexity": tuned["perplexity_after"],
        "response_loss_before": tuned["loss_before_nats"],
        "response_loss_after": tuned["loss_after_nats"],
        "exact_after": tuned["exact_after"],
        "steps": tuned["steps"],
    }
