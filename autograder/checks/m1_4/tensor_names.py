"""tensor-names: a Hugging Face tensor's name in GGUF, by the gguf package's own table."""

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import hf_gguf

PARTS = {"layers": 0.6, "others": 0.2, "edges": 0.2}
HINTS = (
    'A dict from "self_attn.q_proj" to "attn_q" and so on; the layer\'s number goes in between.',
    're.fullmatch(r"model\\.layers\\.(\\d+)\\.(.+)\\.(weight|bias)", name) takes a name apart.',
    "What is in neither table is refused: the caller must know that a tensor is left over.",
)
PARTS_OF_LAYER = (
    *(f"self_attn.{p}_proj" for p in "qkvo"), *(f"mlp.{p}_proj" for p in ("gate", "up", "down")),
    "input_layernorm", "post_attention_layernorm",
)  # fmt: skip
UNKNOWN = (
    "model.layers.0.self_attn.rotary_emb.inv_freq", "transformer.h.0.attn.c_attn.weight",
    "model.layers.one.self_attn.q_proj.weight", "model.layers.0.self_attn.q_proj",
    "model.layers.0.self_attn.q_proj.weight.lora", "layers.0.self_attn.q_proj.weight",
    "model.layers..mlp.up_proj.weight", "model.layers.-1.mlp.up_proj.weight", "embed_tokens", "",
    "xmodel.norm.weight", "model.layers.3.mlp.weight", "model.norm", "model.embed_tokens.weight_scale",
    "lm_head.bias", "model.norm.bias", "model.layers.0.mlp.up_proj.weight\n",
    "model.layers.0.mlp.up_proj.scales", "model.layers.4.self_attn.q_proj.qweight", "MODEL.NORM.WEIGHT",
    "decoder.layers.0.mlp.up_proj.weight", "model.blocks.0.mlp.up_proj.weight",
    "model_layers.3.mlp.up_proj.weight", "model.layers.0.mlp.up_proj_weight",
    "model.layers.3x.mlp.up_proj.weight", "model.layers.+1.mlp.up_proj.weight",
    "model.layers.1_0.mlp.up_proj.weight",
    "base_model.model.norm.weight", "model.layers.0.MLP.up_proj.weight", "model.model.norm.weight",
)  # fmt: skip


def cases(rng):
    for part in PARTS_OF_LAYER:
        for layer in (0, int(rng.integers(1, 10)), int(rng.integers(10, 100)), 126, 1040):
            yield case(part, "layers", name=f"model.layers.{layer}.{part}.weight")
    for part in PARTS_OF_LAYER[:7]:
        yield case(
            f"{part}, bias", "layers", name=f"model.layers.{int(rng.integers(40))}.{part}.bias"
        )
    for name in ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"):
        yield case(name, "others", name=name)
    for name in UNKNOWN:
        yield case(f"unknown: {name or 'empty'}", "edges", name=name, bad=True)


def probe(solution, name, bad=False):
    return refusal(lambda: solution(name)) if bad else solution(name)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.name!r} is in no table: raise ValueError.")
        return
    expect.that(isinstance(answer, str), "Return the name as a string.", stage="type",
                yours=expect.kind(answer), right="a string")  # fmt: skip
    want = hf_gguf.gguf_name(case.name)
    expect.that(answer == want, f"{case.name} has another name.", yours=answer, right=want)
