"""Answers to est-compute-bound."""

import math

from autograder.checks.bank import right, wrong


def _model(m, gpu, past, *, check=True, two=2, context=None, cache=True, pairs=True, up=None,
           least=1, none=None, strict=False):  # fmt: skip
    if check and past < 0:
        raise ValueError("past")
    context = past + 1 if context is None else context
    flops = two * m["matrix_parameters"] + (m["pair_flops"] * context if pairs else 0)
    compute = flops / gpu["flops_per_s"]
    each = m["kv_token_bytes"] * context / gpu["bytes_per_s"] if cache else 0.0
    if compute <= each:
        return none
    exact = m["weight_bytes"] / gpu["bytes_per_s"] / (compute - each)
    if strict:
        return max(least, math.floor(exact) + 1)
    return max(least, (up or math.ceil)(exact))


@right("where both lines meet")
def lines(model, gpu, past_tokens):
    return _model(model, gpu, past_tokens)


@right("by trying")
def trying(model, gpu, past_tokens):
    if past_tokens < 0:
        raise ValueError("past_tokens")
    keys = past_tokens + 1

    def gap(batch):
        flops = batch * (2 * model["matrix_parameters"] + keys * model["pair_flops"])
        moved = model["weight_bytes"] + batch * keys * model["kv_token_bytes"]
        return flops * gpu["bytes_per_s"] - moved * gpu["flops_per_s"]

    if gap(2) <= gap(1):
        return None
    batch = 1
    while gap(batch) < 0:
        batch *= 2
    low = batch // 2
    while batch - low > 1:
        middle = (batch + low) // 2
        batch, low = (middle, low) if gap(middle) >= 0 else (batch, middle)
    return batch


def _wrong(name, sentence, **how):
    def answer(model, gpu, past_tokens):
        return _model(model, gpu, past_tokens, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong("cache-forgotten", "Each sequence reads its cache: with a long context no batch is enough.",
       cache=False)  # fmt: skip
_wrong("pairs-forgotten", "Attention's FLOPs count too.", pairs=False)
_wrong("one-flop", "A multiplication and an addition are two FLOPs.", two=1)
_wrong("floored", "The batch below is still memory-bound: round up.", up=math.floor)
_wrong("rounded", "Round up: the nearest batch may be memory-bound.", up=round)
_wrong("float", "A batch is a whole number.", up=float)
_wrong("zero-for-never", "Where no batch is large enough, return None.", none=0)
_wrong("infinity-for-never", "Where no batch is large enough, return None.", none=math.inf)
_wrong("one-past-equal", "Equal times count as compute-bound.", strict=True)
_wrong("past-not-checked", "past_tokens below 0 must raise ValueError.", check=False)
_wrong("prompt-tokens-alone", "An empty cache is not the context: use past_tokens.", context=1)


@wrong("new-token-forgotten", "The new token meets itself, and its key and value move too.")
def without_new(model, gpu, past_tokens):
    return _model(model, gpu, past_tokens, context=past_tokens)


@wrong(
    "ridge-point", "FLOPs for each byte of the machine is the batch for weights of 2 bytes alone."
)
def ridge(model, gpu, past_tokens):
    _model(model, gpu, past_tokens)
    return math.ceil(gpu["flops_per_s"] / gpu["bytes_per_s"])


@wrong("batch-from-4096", "Do not stop at a largest batch.")
def capped(model, gpu, past_tokens):
    found = _model(model, gpu, past_tokens)
    return found if found and found <= 64 else None
