"""Answers to tensor-names."""

import re

from autograder.checks.bank import right, wrong

OUTSIDE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
INSIDE = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}  # fmt: skip

NORMS = {"input_layernorm": "ffn_norm", "post_attention_layernorm": "attn_norm"}


def _name(name, *, inside=INSIDE, outside=OUTSIDE, pattern=r"model\.layers\.(\d+)\.(.+)\.(weight|bias)",
          find=re.fullmatch, suffix=None, first=0):  # fmt: skip
    if name in outside:
        return outside[name]
    match = find(pattern, name)
    if match is None or match[2] not in inside:
        raise ValueError(name)
    return f"blk.{int(match[1]) + first}.{inside[match[2]]}.{suffix or match[3]}"


@right("a pattern and two tables")
def by_pattern(name):
    return _name(name)


@right("split at the dots")
def by_split(name):
    parts = name.split(".")
    if name in OUTSIDE:
        return OUTSIDE[name]
    layer = parts[2] if len(parts) > 4 else ""
    good = parts[:2] == ["model", "layers"] and layer.isdigit() and parts[-1] in ("weight", "bias")
    part = ".".join(parts[3:-1])
    if not good or part not in INSIDE:
        raise ValueError(f"unknown: {name}")
    return ".".join(["blk", layer, INSIDE[part], parts[-1]])


def _wrong(sort, sentence, **changes):
    @wrong(sort, sentence)
    def answer(name):
        return _name(name, **changes)

    return answer


digit = _wrong("one-digit", "Layers have numbers of more than one digit.",
               pattern=r"model\.layers\.(\d)\.(.+)\.(weight|bias)")  # fmt: skip
short = _wrong(
    "attn-o", "o_proj is attn_output in GGUF.", inside=INSIDE | {"self_attn.o_proj": "attn_o"}
)
norms = _wrong("norms-swapped", "The norm before attention is input_layernorm; the other one is ffn_norm.",
               inside=INSIDE | NORMS)  # fmt: skip
gates = _wrong("gate-up-swapped", "gate_proj is ffn_gate, the one that goes through silu.",
               inside=INSIDE | {"mlp.gate_proj": "ffn_up", "mlp.up_proj": "ffn_gate"})  # fmt: skip
post = _wrong("post-attention-norm", "post_attention_layernorm stands before the feed-forward: ffn_norm.",
              inside=INSIDE | {"post_attention_layernorm": "attn_post_norm"})  # fmt: skip
biases = _wrong("bias-lost", "A bias keeps its suffix.", suffix="weight")
weights = _wrong("bias-refused", "A projection may have a bias.",
                 pattern=r"model\.layers\.(\d+)\.(.+)\.(weight)")  # fmt: skip
loose = _wrong("search-not-whole", "Match the whole name: what stands before or behind is another tensor.",
               find=re.search)  # fmt: skip
one = _wrong("from-one", "GGUF counts layers from 0, too.", first=1)
norm = _wrong("last-norm", "The last norm is output_norm.weight.",
              outside=OUTSIDE | {"model.norm.weight": "norm.weight"})  # fmt: skip
head = _wrong("lm-head-kept", "lm_head.weight is output.weight.",
              outside=OUTSIDE | {"lm_head.weight": "lm_head.weight"})  # fmt: skip


@wrong("unknown-kept", "A name that is in no table must raise ValueError, not pass through.")
def kept(name):
    try:
        return _name(name)
    except ValueError:
        return name


@wrong("replaced-parts", "Replacing parts of the text lets unknown names through.")
def replaced(name):
    if name in OUTSIDE:
        return OUTSIDE[name]
    name = name.replace("model.layers.", "blk.")
    for old, new in INSIDE.items():
        name = name.replace(old, new)
    return name


three = _wrong("three-digits", "A layer has any number: \\d+.",
               pattern=r"model\.layers\.(\d{1,3})\.(.+)\.(weight|bias)")  # fmt: skip
suffix = _wrong("any-suffix", "Only .weight and .bias have names in GGUF.",
                pattern=r"model\.layers\.(\d+)\.(.+)\.([a-z_]+)")  # fmt: skip
dots = _wrong("dots-unescaped", "A dot in a pattern stands for any character: write \\. for a dot.",
              pattern=r"model.layers.(\d+).(.+).(weight|bias)")  # fmt: skip
lower = _wrong("case-folded", "Names are compared letter by letter: MODEL.NORM.WEIGHT is another one.",
               find=lambda pattern, name: re.fullmatch(pattern, name.lower()),
               outside=OUTSIDE | {name.upper(): to for name, to in OUTSIDE.items()})  # fmt: skip


@wrong("prefix-untested", "The first two parts are model and layers: test them.")
def any_prefix(name):
    parts = name.split(".")
    if name in OUTSIDE:
        return OUTSIDE[name]
    part = ".".join(parts[3:-1])
    if len(parts) < 5 or not parts[2].isdigit() or part not in INSIDE:
        raise ValueError(name)
    return by_split(".".join(["model", "layers", *parts[2:]]))


@wrong("number-by-int", "int() reads +1 and 1_0 too: a layer's number has digits only.")
def by_int(name):
    parts = name.split(".")
    if len(parts) > 4:
        if int(parts[2]) < 0:
            raise ValueError(name)
        parts[2] = str(int(parts[2]))
    return by_split(".".join(parts))


@wrong("wrapper-removed", "Match the whole name: what stands before it belongs to another tensor.")
def unwrapped(name):
    return by_split(name.removeprefix("base_model."))
