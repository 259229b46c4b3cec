"""Answers to attach-adapters."""

import torch
from peft import LoraConfig, TaskType, get_peft_model

from autograder.checks.bank import right, wrong

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def _attach(model, rank, alpha, seed, targets=ALL, after=None, draw=True, **more):
    if draw:
        torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, **more)
    tuned = get_peft_model(model, config)
    if after:
        after(tuned)
    return tuned


@right("names of the layers")
def names(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, lora_dropout=0.0)


@right("all-linear, task type given")
def all_linear(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, "all-linear", task_type=TaskType.CAUSAL_LM)


@wrong("attention-only", "Only the attention has adapters; QLoRA puts them on every linear layer.")
def attention(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, ALL[:4])


@wrong("q-and-v", "That is LoRA's first setting, q and v; here all seven kinds get adapters.")
def q_and_v(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, ["q_proj", "v_proj"])


@wrong("alpha-is-rank", "lora_alpha is the argument alpha, not the rank.")
def alpha_is_rank(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, rank, seed)


@wrong("alpha-doubled", "lora_alpha is alpha itself.")
def doubled(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, 2 * alpha, seed)


@wrong("rank-8-always", "The argument rank is ignored.")
def fixed_rank(model, rank=8, alpha=16, seed=0):
    return _attach(model, 8, alpha * 8 / rank, seed)


@wrong("root-scaling", "use_rslora divides by the root of the rank.")
def rslora(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, use_rslora=True)


@wrong("dropout", "lora_dropout is to be 0 here.")
def dropout(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, lora_dropout=0.05)


@wrong("base-trainable", "The base is to stay frozen; requires_grad was switched on for all.")
def thawed(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, after=lambda m: m.requires_grad_(True))


@wrong("norms-trainable", "The norms are trainable as well.")
def norms(model, rank=8, alpha=16, seed=0):
    return _attach(
        model,
        rank,
        alpha,
        seed,
        after=lambda m: [p.requires_grad_(True) for n, p in m.named_parameters() if "norm" in n],
    )


@wrong("random-b", "B must start at zero, or the model changes before it has learned anything.")
def random_b(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, init_lora_weights=False)


@wrong("seed-ignored", "The argument seed is ignored.", diagnose=False)
def unseeded(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, seed, draw=False)


@wrong("seed-0", "The generator is always seeded with 0.")
def seed_0(model, rank=8, alpha=16, seed=0):
    return _attach(model, rank, alpha, 0)


@wrong("not-attached", "The model came back without adapters.")
def not_attached(model, rank=8, alpha=16, seed=0):
    return model
