"""Answers to roof-decode."""

import math

import numpy as np

from autograder.checks.bank import right, wrong

NAMES = ("hidden", "heads", "kv_heads", "head_dim", "intermediate")


def _refuse(layer, batch, context, weight_bits, group, kv_bits, checks):
    if "l" in checks and any(layer[name] < 1 for name in NAMES):
        raise ValueError("layer")
    if "h" in checks and layer["kv_heads"] > 0 and layer["heads"] % layer["kv_heads"]:
        raise ValueError("heads")
    if "b" in checks and batch < 1:
        raise ValueError("batch")
    if "c" in checks and context < 0:
        raise ValueError("context")
    if "w" in checks and weight_bits not in (4, 8, 16, 32):
        raise ValueError("weight bits")
    if "k" in checks and kv_bits not in (4, 8, 16, 32):
        raise ValueError("kv bits")
    if "g" in checks and group < 0:
        raise ValueError("group")


def _shapes(layer):
    h, f = layer["hidden"], layer["intermediate"]
    q, kv = layer["heads"] * layer["head_dim"], layer["kv_heads"] * layer["head_dim"]
    return [(q, h), (kv, h), (kv, h), (h, q), (f, h), (f, h), (h, f)]


def _along_row(rows, columns, group):
    return rows * -(-columns // group)


def _model(layer, batch, context, weight_bits, group=0, kv_bits=16, *, checks="lhbcwkg", shapes=_shapes,
           packed=lambda e, b: -(-e * b // 8), scales=_along_row, scale_bytes=2, tokens=1, kv=None,
           attention=4, mac=2, reads=1, weigh=None):  # fmt: skip
    _refuse(layer, batch, context, weight_bits, group, kv_bits, checks)
    found_shapes, total = shapes(layer), context + tokens
    query = layer["heads"] * layer["head_dim"]
    weights = sum(r * c for r, c in found_shapes)
    width = kv(layer) if kv else 2 * layer["kv_heads"] * layer["head_dim"]
    flops = batch * (mac * weights + attention * query * total)
    weight_bytes = reads * sum(packed(r * c, weight_bits) for r, c in found_shapes)
    scale = scale_bytes * sum(scales(r, c, group) for r, c in found_shapes) if group > 0 else 0
    kv_bytes = batch * total * width * kv_bits // 8
    moved = (weigh or sum)((weight_bytes, scale, kv_bytes))
    return {"flops": flops, "weight_bytes": weight_bytes, "scale_bytes": scale, "kv_bytes": kv_bytes,
            "intensity": flops / max(moved, 1)}  # fmt: skip


@right("seven shapes")
def seven(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits)


@right("written out")
def written_out(layer, batch, context, weight_bits, group=0, kv_bits=16):
    h, heads, kvh, d, f = (layer[name] for name in NAMES)
    if min(h, heads, kvh, d, f, batch) <= 0 or context < 0 or group < 0 or heads % kvh:
        raise ValueError("out of range")
    if weight_bits not in {4, 8, 16, 32} or kv_bits not in {4, 8, 16, 32}:
        raise ValueError("bits")
    macs = 2 * heads * d * h + 2 * kvh * d * h + 3 * h * f
    nbytes = lambda n: math.ceil(n * weight_bits / 8)  # noqa: E731
    w = 2 * nbytes(heads * d * h) + 2 * nbytes(kvh * d * h) + 3 * nbytes(h * f)
    s = 0
    if group:
        up = lambda n: math.ceil(n / group)  # noqa: E731
        s = 2 * (up(h) * (heads * d + 2 * kvh * d + 2 * f) + h * (up(heads * d) + up(f)))
    kv = sum(kvh * d * kv_bits for _ in ("keys", "values")) * (context + 1) * batch // 8
    flops = 2 * batch * macs + 2 * batch * heads * d * (context + 1) * 2
    return {"flops": np.int64(flops), "weight_bytes": w, "scale_bytes": s, "kv_bytes": kv,
            "intensity": float(flops) / (w + s + kv)}  # fmt: skip


@wrong("weights-for-each-text", "The weights are read once for the whole batch.")
def each_text(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, reads=batch)


@wrong("flops-of-one-text", "Each text of the batch takes its own operations.")
def one_text(layer, batch, context, weight_bits, group=0, kv_bits=16):
    found = _model(layer, batch, context, weight_bits, group, kv_bits)
    return {
        **found,
        "flops": found["flops"] // batch,
        "intensity": found["intensity"] / batch,
    }


@wrong("cache-of-one-text", "Each text has a cache of its own: times batch.")
def one_cache(layer, batch, context, weight_bits, group=0, kv_bits=16):
    _model(layer, batch, context, weight_bits, group, kv_bits)
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  kv=lambda y: 2 * y["kv_heads"] * y["head_dim"] / batch)  # fmt: skip


@wrong("cache-of-all-heads", "The cache holds kv_heads heads, not one for every query head.")
def all_heads(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  kv=lambda y: 2 * y["heads"] * y["head_dim"])  # fmt: skip


@wrong("keys-only", "Keys and values: two vectors for each token.")
def keys(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  kv=lambda y: y["kv_heads"] * y["head_dim"])  # fmt: skip


@wrong("new-token-forgotten", "The new token counts: context + 1 tokens.")
def no_new(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, tokens=0)


@wrong("kv-as-wide-as-q", "k and v have kv_heads * head_dim rows, fewer than q.")
def wide_kv(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  shapes=lambda y: _shapes({**y, "kv_heads": y["heads"]}))  # fmt: skip


@wrong("hidden-for-query", "q is heads * head_dim wide, which need not be `hidden`.")
def square(layer, batch, context, weight_bits, group=0, kv_bits=16):
    def shapes(y):
        h = y["hidden"]
        return [(h, h), *_shapes(y)[1:3], (h, h), *_shapes(y)[4:]]

    return _model(layer, batch, context, weight_bits, group, kv_bits, shapes=shapes)


@wrong("two-mlp-matrices", "A gated MLP has three matrices: gate, up and down.")
def two_mlp(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(
        layer, batch, context, weight_bits, group, kv_bits, shapes=lambda y: _shapes(y)[1:]
    )


@wrong("gate-forgotten", "A gated MLP has a gate beside up and down.")
def no_gate(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  shapes=lambda y: _shapes(y)[:4] + _shapes(y)[5:])  # fmt: skip


@wrong("output-projection-forgotten", "o is a projection too.")
def no_output(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  shapes=lambda y: _shapes(y)[:3] + _shapes(y)[4:])  # fmt: skip


@wrong("one-flop-a-weight", "A weight costs a multiplication and an addition: 2.")
def one_flop(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, mac=1)


@wrong("scores-without-mix", "Attention multiplies twice: queries by keys, then by values.")
def half_attention(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, attention=2)


@wrong("attention-flops-forgotten", "Attention over the cache has operations too.")
def no_attention(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, attention=0)


@wrong("bytes-for-4-bits", "Two 4-bit weights share a byte.")
def no_packing(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(
        layer, batch, context, weight_bits, group, kv_bits, packed=lambda e, b: e * -(-b // 8)
    )


@wrong("rounded-down", "Each matrix is rounded up to whole bytes.")
def down(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(
        layer, batch, context, weight_bits, group, kv_bits, packed=lambda e, b: e * b // 8
    )


@wrong("rounded-once", "Round each matrix up on its own, not the sum of all.")
def once(layer, batch, context, weight_bits, group=0, kv_bits=16):
    found = _model(layer, batch, context, weight_bits, group, kv_bits)
    weights = -(-sum(r * c for r, c in _shapes(layer)) * weight_bits // 8)
    moved = weights + found["scale_bytes"] + found["kv_bytes"]
    return {**found, "weight_bytes": weights, "intensity": found["flops"] / moved}


@wrong("no-scales-for-16-bits", "A group above 0 has scales, whatever the bits.")
def few_bits(layer, batch, context, weight_bits, group=0, kv_bits=16):
    _model(layer, batch, context, weight_bits, group, kv_bits)
    used = group if weight_bits < 16 else 0
    return _model(layer, batch, context, weight_bits, used, kv_bits)


@wrong("scales-over-the-matrix", "Groups end with their row: ceil(columns / group) for each row.")
def over_matrix(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits,
                  scales=lambda r, c, g: -(-r * c // g))  # fmt: skip


@wrong("short-group-without-scale", "The last, shorter group has a scale too.")
def floor_groups(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(
        layer, batch, context, weight_bits, group, kv_bits, scales=lambda r, c, g: r * (c // g)
    )


@wrong("groups-down-the-columns", "Groups run along a row, not down a column.")
def columns(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(
        layer, batch, context, weight_bits, group, kv_bits, scales=lambda r, c, g: c * -(-r // g)
    )


@wrong("scales-of-4-bytes", "A scale takes 2 bytes.")
def big_scales(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, scale_bytes=4)


@wrong("scales-not-in-intensity", "Scales move too: the intensity divides by all bytes.")
def light(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, weigh=lambda p: p[0] + p[2])


@wrong("cache-not-in-intensity", "The cache moves too: the intensity divides by all bytes.")
def no_cache(layer, batch, context, weight_bits, group=0, kv_bits=16):
    return _model(layer, batch, context, weight_bits, group, kv_bits, weigh=lambda p: p[0] + p[1])


@wrong("cache-of-weight-bits", "The cache has bits of its own, kv_bits.")
def weight_cache(layer, batch, context, weight_bits, group=0, kv_bits=16):
    _model(layer, batch, context, weight_bits, group, kv_bits)
    return _model(layer, batch, context, weight_bits, group, weight_bits)


def _without(letter):
    def answer(layer, batch, context, weight_bits, group=0, kv_bits=16):
        left = "lhbcwkg".replace(letter, "")
        return _model(layer, batch, context, weight_bits, group, kv_bits, checks=left)

    return answer


@wrong("layer-not-checked", "A size below 1 in the layer must raise ValueError.", call=True)
def any_layer():
    return _without("l")


@wrong(
    "heads-not-checked", "heads that are no multiple of kv_heads must raise ValueError.", call=True
)
def any_heads():
    return _without("h")


@wrong("batch-not-checked", "A batch below 1 must raise ValueError.", call=True)
def any_batch():
    return _without("b")


@wrong("context-not-checked", "A negative context must raise ValueError.", call=True)
def any_context():
    return _without("c")


@wrong(
    "weight-bits-not-checked",
    "Weights of other than 4, 8, 16 or 32 bits: raise ValueError.",
    call=True,
)
def any_bits():
    return _without("w")


@wrong(
    "kv-bits-not-checked", "A cache of other than 4, 8, 16 or 32 bits: raise ValueError.", call=True
)
def any_kv():
    return _without("k")


@wrong("group-not-checked", "A negative group must raise ValueError.", call=True)
def any_group():
    return _without("g")


@right("bits as powers of two from 4 to 32, a cache of whole vectors")
def by_vectors(layer, batch, context, weight_bits, group=0, kv_bits=16):
    if any(b not in (2**2, 2**3, 2**4, 2**5) for b in (weight_bits, kv_bits)):
        raise ValueError("bits")
    if batch < 1 or context < 0 or group < 0:
        raise ValueError("step")
    found = _model(layer, batch, context, weight_bits, group, kv_bits)
    vector = -(-layer["kv_heads"] * layer["head_dim"] * kv_bits // 8)
    return {**found, "kv_bytes": batch * (context * 2 * vector + 2 * vector), "note": "extra"}


@wrong("new-token-not-attended", "A token attends to itself too: context + 1 tokens.")
def not_attended(layer, batch, context, weight_bits, group=0, kv_bits=16):
    found = _model(layer, batch, context, weight_bits, group, kv_bits)
    moved = found["flops"] / found["intensity"]
    flops = found["flops"] - batch * 4 * layer["heads"] * layer["head_dim"]
    return {**found, "flops": flops, "intensity": flops / moved}


@wrong("any-power-of-two", "Only 4, 8, 16 and 32 bits: 2 and 64 must raise ValueError.")
def any_power(layer, batch, context, weight_bits, group=0, kv_bits=16):
    for bits in (weight_bits, kv_bits):
        if bits < 1 or bits & (bits - 1):
            raise ValueError("bits")
    return _model(layer, batch, context, weight_bits, group, kv_bits, checks="lhbcg")


@wrong("only-zero-refused", "Sizes below 0 must raise ValueError too.")
def only_zero(layer, batch, context, weight_bits, group=0, kv_bits=16):
    if 0 in (batch, *layer.values()):
        raise ValueError("zero")
    return _model(layer, batch, context, weight_bits, group, kv_bits, checks="hcwkg")
