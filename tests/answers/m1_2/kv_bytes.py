"""Answers to kv-bytes."""

import math

from autograder.checks.bank import right, wrong


def _bytes(
    config,
    tokens,
    batch=1,
    bits=16,
    scale_bits=0,
    *,
    both=2,
    heads=None,
    row=None,
    scale=None,
    dim=None,
):
    """The right answer with one thing replaced."""
    attention = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads", attention)
    if tokens < 0 or batch < 1 or attention % kv_heads:
        raise ValueError("not possible")
    if bits not in (2, 3, 4, 8, 16, 32) or scale_bits not in (0, 8, 16, 32):
        raise ValueError("not possible")
    size = dim(config) if dim else config.get("head_dim", config["hidden_size"] // attention)
    rows = both * config["num_hidden_layers"] * (heads or kv_heads) * tokens * batch
    one = row(size, bits) if row else (size * bits + 7) // 8
    return rows * one, (scale(rows, size) if scale else rows) * scale_bits // 8


@right("rows times bytes")
def by_rows(config, tokens, batch=1, bits=16, scale_bits=0):
    return _bytes(config, tokens, batch, bits, scale_bits)


@right("layer by layer")
def by_layers(config, tokens, batch=1, bits=16, scale_bits=0):
    _bytes(config, tokens, batch, bits, scale_bits)
    payload = scales = 0
    for _ in range(config["num_hidden_layers"]):
        heads = config.get("num_key_value_heads") or config["num_attention_heads"]
        dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        payload += 2 * batch * heads * tokens * math.ceil(dim * bits / 8)
        scales += 2 * batch * heads * tokens * (scale_bits // 8)
    return [payload, scales]


@wrong("keys-only", "You counted keys or values; the cache holds both.")
def keys_only(config, tokens, batch=1, bits=16, scale_bits=0):
    return _bytes(config, tokens, batch, bits, scale_bits, both=1)


@wrong("query-heads", "You counted the attention heads; only key-value heads are stored.")
def query_heads(config, tokens, batch=1, bits=16, scale_bits=0):
    return _bytes(config, tokens, batch, bits, scale_bits, heads=config["num_attention_heads"])


@wrong("one-layer", "You counted one layer; every layer has its own cache.")
def one_layer(config, tokens, batch=1, bits=16, scale_bits=0):
    return _bytes({**config, "num_hidden_layers": 1}, tokens, batch, bits, scale_bits)


@wrong("batch-forgotten", "Every conversation of the batch has its own keys and values.")
def no_batch(config, tokens, batch=1, bits=16, scale_bits=0):
    if batch < 1:
        raise ValueError("not possible")
    return _bytes(config, tokens, 1, bits, scale_bits)


@wrong(
    "rows-not-filled-up",
    "Each row is filled up to whole bytes by itself; you rounded the total, or cut it.",
)
def total_rounded(config, tokens, batch=1, bits=16, scale_bits=0):
    payload, scales = _bytes(config, tokens, batch, bits, scale_bits, row=lambda n, b: n * b)
    return -(-payload // 8), scales


@wrong("rows-cut", "You divided down; a row of 33 numbers in 4 bits takes 17 bytes.")
def cut(config, tokens, batch=1, bits=16, scale_bits=0):
    return _bytes(config, tokens, batch, bits, scale_bits, row=lambda n, b: n * b // 8)


@wrong(
    "three-bits-as-four",
    "You gave each number a whole share of a byte; 3 bits are packed across byte borders.",
)
def per_byte(config, tokens, batch=1, bits=16, scale_bits=0):
    def row(n, b):
        return -(-n // (8 // b)) if b < 8 else n * b // 8

    return _bytes(config, tokens, batch, bits, scale_bits, row=row)


@wrong(
    "one-scale-a-token",
    "Your heads share a scale; each token of each head has one, in keys and in values.",
)
def scale_a_token(config, tokens, batch=1, bits=16, scale_bits=0):
    heads = config.get("num_key_value_heads", config["num_attention_heads"])
    return _bytes(config, tokens, batch, bits, scale_bits, scale=lambda rows, n: rows // heads)


@wrong(
    "a-scale-for-each-number",
    "You counted a scale for each number; a row of head_dim numbers shares one.",
)
def scale_a_number(config, tokens, batch=1, bits=16, scale_bits=0):
    return _bytes(config, tokens, batch, bits, scale_bits, scale=lambda rows, n: rows * n)


@wrong("scales-in-bits", "You returned the scales in bits; divide by 8.")
def scale_in_bits(config, tokens, batch=1, bits=16, scale_bits=0):
    payload, scales = _bytes(config, tokens, batch, bits, scale_bits)
    return payload, scales * 8


@wrong("scales-in-the-payload", "You added the scales to the payload; the two are returned apart.")
def together(config, tokens, batch=1, bits=16, scale_bits=0):
    payload, scales = _bytes(config, tokens, batch, bits, scale_bits)
    return payload + scales, scales


@wrong(
    "head-dim-always-divided",
    "You divided hidden_size by the heads always; config's own head_dim comes first.",
)
def own_dim(config, tokens, batch=1, bits=16, scale_bits=0):
    def dim(c):
        return c["hidden_size"] // c["num_attention_heads"]

    return _bytes(config, tokens, batch, bits, scale_bits, dim=dim)


@wrong(
    "divided-by-kv-heads",
    "head_dim is hidden_size over the attention heads, not over the key-value heads.",
)
def kv_dim(config, tokens, batch=1, bits=16, scale_bits=0):
    def dim(c):
        heads = c.get("num_key_value_heads", c["num_attention_heads"])
        return c.get("head_dim", c["hidden_size"] // heads)

    return _bytes(config, tokens, batch, bits, scale_bits, dim=dim)


@wrong("float-bytes", "Bytes are whole numbers: return ints, not the floats of a division.")
def floats(config, tokens, batch=1, bits=16, scale_bits=0):
    payload, scales = _bytes(config, tokens, batch, bits, scale_bits)
    return float(payload), scales / 1


@wrong(
    "nothing-refused",
    "A negative number of tokens, or a width that is not listed, must raise ValueError.",
)
def nothing_refused(config, tokens, batch=1, bits=16, scale_bits=0):
    heads = config.get("num_key_value_heads", config["num_attention_heads"])
    dim = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    rows = 2 * config["num_hidden_layers"] * heads * tokens * batch
    return rows * -(-dim * bits // 8), rows * scale_bits // 8
