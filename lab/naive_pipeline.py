"""A 4-bit language model served the slow way: the pipeline that module 1.6's project makes faster.

Every line is right, and each slow habit in it is one that real code has. It needs torch alone, so that
it can be sent to a process that has nothing else of the course.

Weights are a flat dict of tensors. V = 2,048 tokens, H = 256 hidden, 4 layers, 4 heads of 64 that share
2 key and value heads (Llama's architecture).

    embed                       (V, H) float32, also the output layer
    norm                        (H,) float32, and so layers.0.attention_norm, layers.0.mlp_norm ...
    layers.0.q.codes            (out, in / 2) uint8: two codes a byte, the first in the low four bits
    layers.0.q.scales           (out, in / 64) float32: one for each group of 64 inputs

A weight is (code - 8) * scale. The linear layers are q, k, v, o, gate, up and down.
"""

import torch

LAYERS, HEADS, KV_HEADS, HEAD_DIM = 4, 4, 2, 64
GROUP, CONTEXT = 64, 512
LINEARS = ("q", "k", "v", "o", "gate", "up", "down")

Weights = dict[str, torch.Tensor]
Result = tuple[list[int], torch.Tensor]


def generate(weights: Weights, prompts: list[list[int]], new_tokens: int) -> list[Result]:
    """What the model writes after each prompt, always taking the likeliest token.

    Args:
        prompts: one or more lists of one or more token ids, of any lengths.
        new_tokens: for each prompt, 1 or more; prompt and new tokens fit the context of 512.

    Returns:
        for each prompt: the new tokens, and the logits each was chosen from, (new_tokens, V) float32,
        on the weights' device.
    """
    return [generate_one(weights, prompt, new_tokens) for prompt in prompts]


def generate_one(weights: Weights, prompt: list[int], new_tokens: int) -> Result:
    """One prompt of `generate`."""
    ids, rows = list(prompt), []
    for _ in range(new_tokens):
        logits = forward(weights, ids)
        rows.append(logits[-1])
        ids.append(logits[-1].argmax().item())
    return ids[len(prompt) :], torch.stack(rows)


def forward(weights: Weights, ids: list[int]) -> torch.Tensor:
    """Logits at every position, (len(ids), V) float32."""
    x = weights["embed"][torch.tensor(ids, device=weights["embed"].device)]
    for layer in range(LAYERS):
        name = f"layers.{layer}"
        x = x + attention(weights, name, rms_norm(x, weights[f"{name}.attention_norm"]))
        x = x + mlp(weights, name, rms_norm(x, weights[f"{name}.mlp_norm"]))
    return rms_norm(x, weights["norm"]) @ weights["embed"].T


def attention(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """Causal self-attention over all positions, (T, H) to (T, H)."""
    length = len(x)
    q = linear(weights, f"{name}.q", x).view(length, HEADS, HEAD_DIM).transpose(0, 1)
    k = linear(weights, f"{name}.k", x).view(length, KV_HEADS, HEAD_DIM).transpose(0, 1)
    v = linear(weights, f"{name}.v", x).view(length, KV_HEADS, HEAD_DIM).transpose(0, 1)
    positions = torch.arange(length, device=x.device)
    q, k = rotate(q, positions), rotate(k, positions)
    k, v = (t.repeat_interleave(HEADS // KV_HEADS, 0) for t in (k, v))
    scores = q @ k.transpose(1, 2) / HEAD_DIM**0.5
    future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
    shares = scores.masked_fill(future, float("-inf")).softmax(-1)
    return linear(weights, f"{name}.o", (shares @ v).transpose(0, 1).reshape(length, -1))


def mlp(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """The gated feed-forward block, (T, H) to (T, H)."""
    gate = torch.nn.functional.silu(linear(weights, f"{name}.gate", x))
    return linear(weights, f"{name}.down", gate * linear(weights, f"{name}.up", x))


def linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """x (T, in) times the transposed 4-bit weight (out, in)."""
    return x @ dequantize(weights[f"{name}.codes"], weights[f"{name}.scales"]).T


def dequantize(codes: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The weight (out, in) float32 of codes (out, in / 2) and scales (out, in / 64)."""
    values = torch.stack((codes & 15, codes >> 4), -1).flatten(-2)
    groups = []
    for group in range(scales.shape[1]):
        part = values[:, group * GROUP : (group + 1) * GROUP].double()
        groups.append((part - 8) * scales[:, group : group + 1].double())
    return torch.cat(groups, 1).float()


def rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x over its root mean square along the last axis, times weight; epsilon 1e-6."""
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight


def rotate(x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding, base 10,000.

    Args:
        x: (..., T, 64) float32, queries or keys.
        positions: (T,), or any shape that broadcasts to (..., T); the first token has position 0.
    """
    half = HEAD_DIM // 2
    rates = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=x.device) / half)
    angles = (positions.double()[..., None] * rates).float()
    cos, sin = angles.cos(), angles.sin()
    first, second = x[..., :half], x[..., half:]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)
