"""Answers to q4-k-m-plan."""

import math
import re

from autograder.checks.bank import right, wrong

SIZES = {
    "F32": (1, 4),
    "F16": (1, 2),
    "Q8_0": (32, 34),
    "Q6_K": (256, 210),
    "Q5_0": (32, 22),
    "Q4_K": (256, 144),
}


def _more(i, n):
    return i < n // 8 or i >= 7 * n // 8 or (i - n // 8) % 3 == 2


def _wanted(name, shapes, layers, more=_more, parts=("attn_v", "ffn_down"), tied=True):
    if name == "output.weight":
        return "Q6_K"
    if name == "token_embd.weight":
        return "Q6_K" if tied and "output.weight" not in shapes else "Q4_K"
    found = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    if found and found[2] in parts and more(int(found[1]), layers):
        return "Q6_K"
    return "Q4_K"


def _fitted(kind, shape):
    if len(shape) == 1:
        return "F32"
    if shape[-1] % 256 == 0:
        return kind
    return {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}[kind] if shape[-1] % 32 == 0 else "F16"


def _bits(types, shapes, count=None):
    size = sum(math.prod(shapes[n]) / SIZES[k][0] * SIZES[k][1] for n, k in types.items())
    return 8 * size / (count or sum(math.prod(s) for s in shapes.values()))


def _plan(shapes, layers, wanted=_wanted, fitted=_fitted, **options):
    types = {n: fitted(wanted(n, shapes, layers, **options), s) for n, s in shapes.items()}
    return types, _bits(types, shapes)


@right("a pattern for the names")
def by_pattern(shapes, layers):
    return _plan(shapes, layers)


@right("sets of layers, and a loop that sums bytes")
def by_sets(shapes, layers):
    eighth = layers // 8
    more = {i for i in range(layers) if i < eighth or i >= layers * 7 // 8}
    more |= set(range(eighth + 2, layers, 3))
    types, total, count = {}, 0, 0
    for name in sorted(shapes):
        shape = shapes[name]
        words = name.split(".")
        kind = "Q4_K"
        if words[0] == "output" or (words[0] == "token_embd" and "output.weight" not in shapes):
            kind = "Q6_K"
        if words[0] == "blk" and words[2] in ("attn_v", "ffn_down") and int(words[1]) in more:
            kind = "Q6_K"
        row = shape[-1]
        if len(shape) < 2:
            kind = "F32"
        elif row % 32:
            kind = "F16"
        elif row % 256:
            kind = "Q5_0" if kind == "Q4_K" else "Q8_0"
        n = 1
        for length in shape:
            n *= length
        types[name] = kind
        per_block, length = SIZES[kind]
        total += n // per_block * length
        count += n
    return types, total * 8 / count


@right("a list of both")
def as_list(shapes, layers):
    return list(_plan(shapes, layers))


@wrong(
    "no-mix",
    "You gave every matrix Q4_K; the output and some layers' attn_v and ffn_down want Q6_K.",
)
def no_mix(shapes, layers):
    return _plan(shapes, layers, wanted=lambda *_: "Q4_K")


@wrong(
    "every-layer-more",
    "You gave attn_v and ffn_down Q6_K in every layer; about half of them get it.",
)
def every_layer(shapes, layers):
    return _plan(shapes, layers, more=lambda i, n: True)


@wrong(
    "ends-only",
    "You gave Q6_K to the first and last eighth alone; between them every third layer has it too.",
)
def ends_only(shapes, layers):
    return _plan(shapes, layers, more=lambda i, n: i < n // 8 or i >= 7 * n // 8)


@wrong("thirds-only", "You left out the first and the last eighth of the layers.")
def thirds_only(shapes, layers):
    return _plan(shapes, layers, more=lambda i, n: (i - n // 8) % 3 == 2)


@wrong(
    "thirds-from-0", "You counted every third layer from layer 0; the count starts at layers // 8."
)
def from_zero(shapes, layers):
    return _plan(shapes, layers, more=lambda i, n: i < n // 8 or i >= 7 * n // 8 or i % 3 == 2)


@wrong("wrong-third", "You took the layers with remainder 0; the remainder is 2.")
def wrong_third(shapes, layers):
    return _plan(
        shapes, layers, more=lambda i, n: i < n // 8 or i >= 7 * n // 8 or (i - n // 8) % 3 == 0
    )


@wrong(
    "real-division", "You divided without rounding down: layers / 8 is floor division in the rule."
)
def real_division(shapes, layers):
    return _plan(
        shapes, layers, more=lambda i, n: i < n / 8 or i >= 7 * n / 8 or (i - n // 8) % 3 == 2
    )


@wrong("seven-eighths", "You used 7 * (layers // 8); multiply first: 7 * layers // 8.")
def early_floor(shapes, layers):
    return _plan(
        shapes, layers, more=lambda i, n: i < n // 8 or i >= 7 * (n // 8) or (i - n // 8) % 3 == 2
    )


@wrong("layers-from-1", "You numbered the layers from 1; blk.0 is the first.")
def from_one(shapes, layers):
    return _plan(shapes, layers, more=lambda i, n: _more(i + 1, n))


@wrong("ffn-down-forgotten", "You gave Q6_K to attn_v alone; ffn_down gets it in the same layers.")
def only_attention(shapes, layers):
    return _plan(shapes, layers, parts=("attn_v",))


@wrong("attn-v-forgotten", "You gave Q6_K to ffn_down alone; attn_v gets it in the same layers.")
def only_ffn(shapes, layers):
    return _plan(shapes, layers, parts=("ffn_down",))


@wrong(
    "tied-embedding-q4",
    "You left a tied embedding at Q4_K; without an output.weight it is the output too.",
)
def untied(shapes, layers):
    return _plan(shapes, layers, tied=False)


@wrong(
    "embedding-always-q6", "You gave the embedding Q6_K beside an output.weight; then it is Q4_K."
)
def always_six(shapes, layers):
    return _plan({n: s for n, s in shapes.items()}, layers, wanted=_embedding_six)


def _embedding_six(name, shapes, layers):
    return "Q6_K" if name == "token_embd.weight" else _wanted(name, shapes, layers)


@wrong("vectors-quantized", "You quantized tensors with one axis; they stay F32.")
def vectors(shapes, layers):
    return _plan(
        shapes, layers, fitted=lambda k, s: _fitted(k, (1, *s)) if len(s) == 1 else _fitted(k, s)
    )


@wrong("vectors-f16", "You made vectors F16; they are F32.")
def vectors_half(shapes, layers):
    return _plan(shapes, layers, fitted=lambda k, s: "F16" if len(s) == 1 else _fitted(k, s))


@wrong(
    "no-fallback",
    "You kept k-quants where 256 does not divide the row; Q5_0 and Q8_0 replace them.",
)
def no_fallback(shapes, layers):
    return _plan(shapes, layers, fitted=lambda k, s: "F32" if len(s) == 1 else k)


@wrong(
    "fallback-by-size",
    "You tested the number of weights; the row, the last axis, must be a multiple of 256.",
)
def by_size(shapes, layers):
    def fitted(kind, shape):
        return _fitted(kind, (math.prod(shape),) * 2) if len(shape) == 2 else "F32"

    return _plan(shapes, layers, fitted=fitted)


@wrong(
    "fallback-by-rows",
    "You tested the number of rows; the row, the last axis, must be a multiple of 256.",
)
def by_rows(shapes, layers):
    return _plan(shapes, layers, fitted=lambda k, s: _fitted(k, s[::-1]))


@wrong("fallback-to-q4-0", "You replaced Q4_K by Q4_0; llama.cpp goes up to Q5_0.")
def to_q4_0(shapes, layers):
    types, _ = _plan(shapes, layers)
    return {n: "Q4_0" if k == "Q5_0" else k for n, k in types.items()}, _bits(types, shapes)


@wrong("one-fallback-for-both", "You replaced Q6_K by Q5_0; it becomes Q8_0.")
def one_fallback(shapes, layers):
    def fitted(kind, shape):
        fit = _fitted(kind, shape)
        return "Q5_0" if fit == "Q8_0" else fit

    return _plan(shapes, layers, fitted=fitted)


@wrong("no-f16", "You used blocks of 32 for rows that 32 does not divide; they become F16.")
def no_half(shapes, layers):
    def fitted(kind, shape):
        return "F32" if len(shape) == 1 else _fitted(kind, (1, shape[-1] // 32 * 32 or 32))

    return _plan(shapes, layers, fitted=fitted)


@wrong("matrices-only", "You left the vectors out of the bits per weight; all tensors count.")
def matrices_only(shapes, layers):
    types, bits = _plan(shapes, layers)
    kept = {n: s for n, s in shapes.items() if len(s) == 2} or shapes
    return types, _bits({n: types[n] for n in kept}, kept)


@wrong(
    "mean-of-types", "You averaged the bits over tensors; weigh each with its number of weights."
)
def plain_mean(shapes, layers):
    types, _ = _plan(shapes, layers)
    bits = [8 * SIZES[k][1] / SIZES[k][0] for k in types.values()]
    return types, sum(bits) / len(bits)


@wrong("bytes-per-weight", "You returned bytes per weight; a byte has 8 bits.")
def in_bytes(shapes, layers):
    types, bits = _plan(shapes, layers)
    return types, bits / 8


@wrong("bits-of-the-codes", "You counted 4, 5, 6 and 8 bits; a block's scales count as well.")
def codes_only(shapes, layers):
    types, _ = _plan(shapes, layers)
    plain = {"F32": 32, "F16": 16, "Q8_0": 8, "Q6_K": 6, "Q5_0": 5, "Q4_K": 4}
    total = sum(plain[types[n]] * math.prod(s) for n, s in shapes.items())
    return types, total / sum(math.prod(s) for s in shapes.values())


@wrong(
    "layers-counted-in-the-names",
    "You counted the layers in the names; `layers` says how many there are, and `shapes` may hold fewer.",
)
def counted(shapes, layers):
    numbers = [int(name.split(".")[1]) for name in shapes if name.startswith("blk.")]
    return _plan(shapes, max(numbers, default=0) + 1)


@wrong(
    "sixteen-for-thirty-two",
    "You tested for rows of a multiple of 16; Q5_0 and Q8_0 have blocks of 32.",
)
def sixteen(shapes, layers):
    def fitted(kind, shape):
        if len(shape) == 2 and shape[-1] % 256 and shape[-1] % 16 == 0:
            return {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}[kind]
        return _fitted(kind, shape)

    return _plan(shapes, layers, fitted=fitted)
