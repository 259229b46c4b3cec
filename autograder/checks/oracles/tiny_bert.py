"""A very small BERT for probes, and fine-tuning and distillation written out in float64."""

import numpy as np

HIDDEN, INNER, VOCABULARY, LENGTH = 16, 32, 40, 12
CONFIG = {
    "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INNER,
    "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": LENGTH,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "num_labels": 2,
}  # fmt: skip
DECAY = 0.01


def build(state: dict[str, np.ndarray], config: dict = CONFIG):
    """The classifier in float32, in evaluation mode."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    model = BertForSequenceClassification(BertConfig(**config))
    model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
    return model.eval()


def weights(rng: np.random.Generator, size: float = 0.3, config: dict = CONFIG) -> dict:
    """Parameters by name, float32."""
    out = {}
    for name, parameter in build({}, config).named_parameters():
        shape = tuple(parameter.shape)
        value = size * rng.standard_normal(shape)
        if "LayerNorm.weight" in name:
            value = rng.uniform(0.5, 1.5, shape)
        out[name] = value.astype(np.float32)
    return out


def batch(rng: np.random.Generator, rows: int = 4) -> dict[str, np.ndarray]:
    """Token ids with padding in one row, mask and labels of both kinds."""
    ids = rng.integers(5, VOCABULARY, (rows, 9))
    mask = np.ones_like(ids)
    mask[0, -3:] = ids[0, -3:] = 0
    labels = np.arange(rows) % 2
    return {"input_ids": ids, "attention_mask": mask, "labels": labels.astype(np.int64)}


def fine_tuning(state, batches, rate, masks, square: float = 0.0):
    """Losses and parameters after AdamW with masks, written out, in float64.

    masks: {name: bool array}. square: weight of the mean squared logit in the loss.
    No optimizer of torch is involved.
    """
    import torch

    model = build(state).double()
    model.train()  # the configuration has no dropout
    leaves = {k: torch.tensor(v, dtype=torch.float64) for k, v in state.items()}
    for name, mask in masks.items():
        leaves[name] = leaves[name] * torch.from_numpy(mask)
    first, second = ({k: torch.zeros_like(v) for k, v in leaves.items()} for _ in range(2))
    losses = []
    for step, one in enumerate(batches):
        leaves = {k: v.detach().requires_grad_() for k, v in leaves.items()}
        tensors = {k: torch.from_numpy(v) for k, v in one.items()}
        out = torch.func.functional_call(model, leaves, (), tensors)
        loss = out.loss + square * (out.logits**2).mean()
        losses.append(loss.item())
        grads = dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))
        norm = float(torch.sqrt(sum((g**2).sum() for g in grads.values())))
        size = rate * (1 - step / len(batches))
        with torch.no_grad():
            for k, g in grads.items():
                g = g * min(1.0, 1.0 / (norm + 1e-6))
                first[k] = 0.9 * first[k] + 0.1 * g
                second[k] = 0.999 * second[k] + 0.001 * g * g
                mean = first[k] / (1 - 0.9 ** (step + 1))
                spread = (second[k] / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8
                leaves[k] = leaves[k] * (1 - size * DECAY) - size * mean / spread
                if k in masks:
                    leaves[k] = leaves[k] * torch.from_numpy(masks[k])
    return losses, {k: v.detach().numpy() for k, v in leaves.items()}


def distillation(student, teacher, one, temperature, alpha, config=CONFIG):
    """The loss of a batch and its gradient by parameter name, from probabilities, in float64."""
    import torch

    model = build(student, config).double()
    tensors = {k: torch.from_numpy(v) for k, v in one.items() if k != "labels"}
    with torch.no_grad():
        theirs = build(teacher, config).double()(**tensors).logits
    ours = model(**tensors).logits
    p, q = ((z / temperature).exp() for z in (theirs, ours))
    p, q = p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)
    soft = (p * (p.log() - q.log())).sum(1).mean()
    chosen = ours[torch.arange(len(ours)), torch.from_numpy(one["labels"])]
    hard = (ours.exp().sum(1).log() - chosen).mean()
    loss = alpha * temperature**2 * soft + (1 - alpha) * hard
    loss.backward()
    return loss.item(), {
        k: v.grad.numpy() for k, v in model.named_parameters() if v.grad is not None
    }
