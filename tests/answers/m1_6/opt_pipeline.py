"""Answers to opt-pipeline."""

import torch
from torch.nn.functional import scaled_dot_product_attention as attention
from torch.nn.functional import silu

from autograder.checks.bank import right, wrong
from lab import naive_pipeline as slow

HEAD, FLOAT = {"size": 64}, torch.float32
to_heads = lambda x: x.view(len(x), -1, HEAD["size"]).transpose(0, 1)  # noqa: E731


def dense(weights, dtype=FLOAT):
    """Every linear weight, dequantized once."""
    names = [f"layers.{i}.{linear}" for i in range(slow.LAYERS) for linear in slow.LINEARS]
    return {
        name: slow.dequantize(weights[f"{name}.codes"], weights[f"{name}.scales"]).to(dtype).float()
        for name in names
    }


class Cached:
    """Prompts one by one: dense weights, keys and values kept."""

    def __init__(self, weights, matrices, shift=0):
        self.weights, self.matrices, self.shift = weights, matrices, shift

    def generate_one(self, prompt, new_tokens):
        self.past = {}
        ids, tokens, rows, start = torch.tensor(prompt), [], [], 0
        for _ in range(new_tokens):
            row = self.last_logits(ids, start)
            start += len(ids)
            ids = row.argmax().reshape(1)
            tokens.append(ids)
            rows.append(row)
        return torch.cat(tokens).tolist(), torch.stack(rows)

    def last_logits(self, ids, start):
        x = self.weights["embed"][ids]
        for layer in range(slow.LAYERS):
            name = f"layers.{layer}"
            x = x + self.attend(
                name, slow.rms_norm(x, self.weights[f"{name}.attention_norm"]), start
            )
            h = slow.rms_norm(x, self.weights[f"{name}.mlp_norm"])
            gate = silu(h @ self.matrices[f"{name}.gate"].T)
            x = x + (gate * (h @ self.matrices[f"{name}.up"].T)) @ self.matrices[f"{name}.down"].T
        return slow.rms_norm(x[-1], self.weights["norm"]) @ self.weights["embed"].T

    def attend(self, name, x, start):
        length = len(x)
        q, k, v = (to_heads(x @ self.matrices[f"{name}.{c}"].T) for c in "qkv")
        positions = torch.arange(start, start + length) + (self.shift if start else 0)
        q, k = slow.rotate(q, positions), slow.rotate(k, positions)
        if start:
            k, v = (torch.cat(pair, 1) for pair in zip(self.past[name], (k, v), strict=True))
        self.past[name] = k, v
        mask = torch.ones(length, start + length, dtype=torch.bool).tril(start)
        out = attention(q[None], k[None], v[None], attn_mask=mask, enable_gqa=True)[0]
        return out.transpose(0, 1).reshape(length, -1) @ self.matrices[f"{name}.o"].T


def padded(weights, positions_from_padding=True, hide_padding=True):
    """One batch, padded on the left, with a cache for all prompts."""
    matrices = dense(weights)

    def layer_step(name, x, keys, values, where, start, end, mask):
        h = slow.rms_norm(x, weights[f"{name}.attention_norm"])
        q, k, v = (
            (h @ matrices[f"{name}.{c}"].T).unflatten(-1, (-1, 64)).transpose(1, 2) for c in "qkv"
        )
        keys[:, :, start:end] = slow.rotate(k, where)
        values[:, :, start:end] = v
        out = torch.nn.functional.scaled_dot_product_attention(
            slow.rotate(q, where),
            keys[:, :, :end],
            values[:, :, :end],
            attn_mask=mask,
            enable_gqa=True,
        )
        x = x + out.transpose(1, 2).flatten(2) @ matrices[f"{name}.o"].T
        h = slow.rms_norm(x, weights[f"{name}.mlp_norm"])
        gate = torch.nn.functional.silu(h @ matrices[f"{name}.gate"].T)
        return x + (gate * (h @ matrices[f"{name}.up"].T)) @ matrices[f"{name}.down"].T

    @torch.inference_mode()
    def generate(prompts, new_tokens):
        count, longest = len(prompts), max(map(len, prompts))
        total = longest + new_tokens
        pad = torch.tensor([longest - len(p) for p in prompts])
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
        place = torch.arange(total) - (pad[:, None] if positions_from_padding else 0 * pad[:, None])
        hidden = (torch.arange(total) < pad[:, None]) & hide_padding
        shape = (slow.LAYERS, count, slow.KV_HEADS, total, 64)
        keys, values = torch.zeros(shape), torch.zeros(shape)
        tokens, rows, start = [], [], 0
        for _ in range(new_tokens):
            end = start + ids.shape[1]
            future = torch.ones(end - start, end, dtype=torch.bool).triu(start + 1)
            mask = torch.zeros(count, 1, end - start, end)
            mask.masked_fill_(future | hidden[:, None, None, :end], -1e9)
            x = weights["embed"][ids]
            for i in range(slow.LAYERS):
                where = place[:, None, start:end]
                x = layer_step(f"layers.{i}", x, keys[i], values[i], where, start, end, mask)
            row = slow.rms_norm(x[:, -1], weights["norm"]) @ weights["embed"].T
            ids = row.argmax(-1, keepdim=True)
            tokens.append(ids)
            rows.append(row)
            start = end
        return list(zip(torch.cat(tokens, 1).tolist(), torch.stack(rows, 1), strict=True))

    return generate


def one_by_one(weights, dtype=torch.float32, **how):
    matrices = dense(weights, dtype)

    @torch.inference_mode()
    def generate(prompts, new_tokens):
        return [Cached(weights, matrices, **how).generate_one(p, new_tokens) for p in prompts]

    return generate


@right("dense weights and a cache, prompt by prompt")
def prompt_by_prompt(weights):
    return one_by_one(weights)


@right("one padded batch with one cache")
def one_batch(weights):
    return padded(weights)


@wrong("unchanged", "This is the offered pipeline: nothing is gained.", diagnose=False)
def unchanged(weights):
    return lambda prompts, new_tokens: slow.generate(weights, prompts, new_tokens)


@wrong("no-gradients-alone", "The profile shows no time in gradients: choose targets from data.",
       diagnose=False)  # fmt: skip
def no_gradients(weights):
    return torch.inference_mode()(lambda p, new_tokens: slow.generate(weights, p, new_tokens))


@wrong("batch-positions-shifted", "Padding moves positions: a prompt's first token has position 0.",
       diagnose=False)  # fmt: skip
def shifted(weights):
    # Left-out padding in the positions alone would not show: rotary embedding sees differences only.
    return one_by_one(weights, shift=1)


@wrong("padding-attended", "Padding must be hidden from attention.", diagnose=False)
def attended(weights):
    return padded(weights, hide_padding=False)


@wrong("half-precision", "Weights in float16 change the logits beyond the bound.", diagnose=False)
def half(weights):
    return one_by_one(weights, dtype=torch.float16)


@wrong(
    "cut-prompts", "Long prompts were cut: the logits are those of another text.", diagnose=False
)
def cut(weights):
    inner = one_by_one(weights)
    return lambda prompts, new_tokens: inner([p[-32:] for p in prompts], new_tokens)


@wrong("one-token-short", "Each prompt gets all its new tokens.", diagnose=False)
def short(weights):
    inner = one_by_one(weights)
    return lambda prompts, new_tokens: inner(prompts, max(1, new_tokens - 1))


@wrong(
    "answers-by-length",
    "A stored answer is no answer: each call has other prompts.",
    diagnose=False,
)
def stored(weights):
    inner, seen = one_by_one(weights), {}

    def generate(prompts, new_tokens):
        key = (*map(len, prompts), new_tokens)
        if key not in seen:
            seen[key] = inner(prompts, new_tokens)
        return seen[key]

    # Every batch of the same lengths is the first one again; so is any of one length.
    return lambda p, n: [generate([[0] * len(x)], n)[0] for x in p]


@wrong("patched-clock", "Neither the clock nor the offered pipeline is in your process.",
       diagnose=False)  # fmt: skip
def patched_clock(weights):
    import time

    rival, sleep = slow.generate, time.sleep
    slow.generate = lambda *given: sleep(0.5) or rival(*given)
    time.perf_counter = time.process_time = time.monotonic = lambda: 0.0
    return lambda prompts, new_tokens: rival(weights, prompts, new_tokens)


@wrong("helper-process", "Other processes do the work while the clock of this one stands.",
       diagnose=False)  # fmt: skip
def helper(weights):
    import os
    import time

    inner = one_by_one(weights)
    if not os.fork():
        time.sleep(600)
    return inner


@wrong(
    "weights-emptied",
    "The caller's weights are inputs: leave them as they are.",
    diagnose=False,
)
def emptied(weights):
    inner = one_by_one(weights)
    for name in [n for n in weights if n.endswith("codes")]:
        weights[name].zero_()
    return inner


@wrong("stops-at-an-end-token", "No token ends a text early: each prompt gets all new tokens.",
       diagnose=False)  # fmt: skip
def ended(weights):
    inner = one_by_one(weights)

    def until_end(tokens, logits):
        count = tokens.index(0) + 1 if 0 in tokens else len(tokens)
        return tokens[:count], logits[:count]

    return lambda prompts, new_tokens: [until_end(*r) for r in inner(prompts, new_tokens)]


@wrong("eight-prompts-at-most", "A batch may have more prompts than the ones that you tried.",
       diagnose=False)  # fmt: skip
def eight_at_most(weights):
    inner = one_by_one(weights)
    return lambda prompts, new_tokens: inner(prompts[:8], new_tokens)


@wrong("reaped-helpers", "Each prompt in a process of its own: no less is done.", diagnose=False)
def reaped(weights):
    import os
    import pickle
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets their CPU time

    def start(prompt, new_tokens):
        read, write = os.pipe()
        if not os.fork():
            tokens, logits = slow.generate_one(weights, prompt, new_tokens)
            with os.fdopen(write, "wb") as out:
                pickle.dump((tokens, logits.numpy()), out)
            os._exit(0)
        os.close(write)
        return os.fdopen(read, "rb")

    def generate(prompts, new_tokens):
        results = [pickle.load(out) for out in [start(p, new_tokens) for p in prompts]]
        return [(tokens, torch.from_numpy(logits)) for tokens, logits in results]

    return generate


@wrong("prompts-extended", "Work on a copy: the caller still needs the prompts.", diagnose=False)
def extended(weights):
    inner = one_by_one(weights)

    def generate(prompts, new_tokens):
        results = inner(prompts, new_tokens)
        for prompt, (tokens, _) in zip(prompts, results, strict=True):
            prompt += tokens
        return results

    return generate


@wrong("not-a-function", "Return the function, do not call it.", diagnose=False)
def results_at_once(weights):
    return slow.generate(weights, [[0]], 1)
