"""The instruction set put to the test: LoRA on the shipped model, before and after."""

import time

import numpy as np
import torch
from peft import LoraConfig, get_peft_model

from lab.instructions import Example, encode_examples, instruction_set, score_responses
from lab.lm import load_lm, load_tokenizer
from lab.perplexity import perplexity
from lab.profile import seed_everything

RANK = 16
STEPS = 150
BATCH = 16
PEAK_RATE = 5e-3
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def measure_lora(seed: int = 0, base: torch.nn.Module | None = None) -> dict:
    """Fine-tune with LoRA (Hu et al. 2022) on a CPU; figures on held-out instructions.

    Args:
        seed: of the examples, their order and the adapters.
        base: what the adapters are put beside, and stays in it; None for the shipped model.
    """
    seed_everything(seed)
    tokenizer = load_tokenizer()
    train, heldout = instruction_set(seed=seed)
    model = load_lm() if base is None else base
    before = score_responses(model, tokenizer, heldout)
    tuned = get_peft_model(
        model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=TARGETS, lora_dropout=0.0)
    )
    began = time.monotonic()
    _train(tuned, tokenizer, train, np.random.default_rng(seed))
    seconds = time.monotonic() - began
    after = score_responses(tuned, tokenizer, heldout)
    trainable = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
    return {
        "rank": RANK,
        "steps": STEPS,
        "batch": BATCH,
        "trainable_parameters": trainable,
        "seconds": round(seconds),
        "loss_before_nats": round(before[0], 3),
        "loss_after_nats": round(after[0], 3),
        "exact_before": round(before[1], 3),
        "exact_after": round(after[1], 3),
        "exact_by_task": {
            task: round(score_responses(tuned, tokenizer, examples)[1], 2)
            for task, examples in _by_task(heldout).items()
        },
        "perplexity_after": round(perplexity(tuned), 2),
    }


def _train(
    model: torch.nn.Module, tokenizer: object, examples: list[Example], rng: np.random.Generator
) -> None:
    """AdamW with a rate that falls linearly to zero."""
    adapters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(adapters, lr=PEAK_RATE, weight_decay=0.0)
    model.train()
    for step in range(STEPS):
        chosen = rng.choice(len(examples), BATCH, replace=False)
        loss = model(**encode_examples(tokenizer, [examples[i] for i in chosen])).loss
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * (1 - step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapters, 1.0)
        optimizer.step()
    model.eval()


def _by_task(examples: list[Example]) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.task, []).append(example)
    return groups
