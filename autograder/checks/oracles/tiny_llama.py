"""Weights of a very small Llama for probes, and what bitsandbytes and LoRA make of them."""

import numpy as np

HIDDEN, INNER, HEADS, VOCABULARY = 64, 128, 2, 96
PREFIX = "model.layers.0."
SHAPES = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (HIDDEN, HIDDEN),
    "self_attn.v_proj": (HIDDEN, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (INNER, HIDDEN),
    "mlp.up_proj": (INNER, HIDDEN),
    "mlp.down_proj": (HIDDEN, INNER),
}
LAYERS = tuple(PREFIX + name for name in SHAPES)
CONFIG = {
    "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INNER,
    "num_hidden_layers": 1, "num_attention_heads": HEADS, "num_key_value_heads": HEADS,
    "max_position_embeddings": 64, "tie_word_embeddings": True,
}  # fmt: skip


def weights(rng: np.random.Generator, size: float = 0.15) -> dict[str, np.ndarray]:
    """A state dict, float32 values that float16 holds too."""
    state = {
        f"{PREFIX}{name}.weight": size * rng.standard_normal(shape)
        for name, shape in SHAPES.items()
    }
    state["model.embed_tokens.weight"] = rng.standard_normal((VOCABULARY, HIDDEN))
    for norm in ("model.norm", PREFIX + "input_layernorm", PREFIX + "post_attention_layernorm"):
        state[f"{norm}.weight"] = rng.uniform(0.5, 1.5, HIDDEN)
    return {name: value.astype(np.float16).astype(np.float32) for name, value in state.items()}


def build(state: dict[str, np.ndarray]):
    """The model in float32, in evaluation mode."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
    return model.eval()


def nf4(weight: np.ndarray, nested: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Packed codes (n / 2,) uint8 and the restored weight of bitsandbytes itself."""
    import torch
    from bitsandbytes import functional

    packed, state = functional.quantize_4bit(
        torch.from_numpy(np.ascontiguousarray(weight, np.float32)), blocksize=64,
        compress_statistics=nested, quant_type="nf4",
    )  # fmt: skip
    return packed.numpy().ravel(), functional.dequantize_4bit(packed, state).numpy()


def lora_training(state, factors, batches, rate, scaling, rank_names=LAYERS):
    """Losses and factors after AdamW on A and B alone, written out, in float64.

    factors: {layer: (A, B)}. The model is called with the weights W + scaling * B A, so neither PEFT
    nor an optimizer of torch is involved.
    """
    import torch

    model = build(state).double()
    # The output layer shares the embedding; named once it is enough.
    base = {k: v.detach() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    leaves = {n: [torch.tensor(f, dtype=torch.float64, requires_grad=True) for f in factors[n]]
              for n in rank_names}  # fmt: skip
    flat = [leaf for pair in leaves.values() for leaf in pair]
    first, second = ([torch.zeros_like(p) for p in flat] for _ in range(2))
    losses = []
    for step, batch in enumerate(batches):
        merged = {
            f"{n}.weight": base[f"{n}.weight"] + scaling * b @ a for n, (a, b) in leaves.items()
        }
        tensors = {k: torch.from_numpy(v) for k, v in batch.items()}
        loss = torch.func.functional_call(model, {**base, **merged}, (), tensors).loss
        losses.append(loss.item())
        grads = torch.autograd.grad(loss, flat)
        norm = float(torch.sqrt(sum((g**2).sum() for g in grads)))
        size = rate * (1 - step / len(batches))
        with torch.no_grad():
            for p, g, m, v in zip(flat, grads, first, second, strict=True):
                g = g * min(1.0, 1.0 / (norm + 1e-6))
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.999).add_(g * g, alpha=0.001)
                unbiased = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
                p -= size * unbiased[0] / (unbiased[1].sqrt() + 1e-8)
    return losses, {n: tuple(f.detach().numpy() for f in pair) for n, pair in leaves.items()}
