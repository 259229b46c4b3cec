"""est-parameters: against the tensors of transformers' models, built without memory."""

from autograder.checks import case, expect
from autograder.checks.oracles import estimates

PARTS = {"Llama": 0.4, "OPT and GPT-2": 0.4, "refuse": 0.2}
HINTS = (
    "Llama: q has hidden x (heads * head_dim), k and v hidden x (kv_heads * head_dim), o the way back.",
    "The gated MLP has three matrices. Two norms a layer, one at the end.",
    "OPT: max_position_embeddings + 2 rows of positions; each LayerNorm has a weight and a bias.",
    "lm_head is 0 where its matrix is the embedding's.",
)
KEYS = ("embedding", "layers", "final_norm", "lm_head", "total")


def llama(hidden, inner, layers, heads, vocabulary, **more):
    return {"model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
            "num_hidden_layers": layers, "num_attention_heads": heads, "vocab_size": vocabulary,
            **more}  # fmt: skip


def opt(hidden, inner, layers, heads, vocabulary, positions=2048, **more):
    return {"model_type": "opt", "hidden_size": hidden, "ffn_dim": inner,
            "num_hidden_layers": layers, "num_attention_heads": heads, "vocab_size": vocabulary,
            "word_embed_proj_dim": hidden, "max_position_embeddings": positions, **more}  # fmt: skip


def gpt2(hidden, layers, heads, vocabulary, positions=1024, **more):
    return {"model_type": "gpt2", "n_embd": hidden, "n_layer": layers, "n_head": heads,
            "vocab_size": vocabulary, "n_positions": positions, **more}  # fmt: skip


MISTRAL = llama(4096, 14336, 32, 32, 32000, num_key_value_heads=8) | {"model_type": "mistral"}


def cases(rng):
    part = "Llama"
    for label, config in (
        ("Llama-2-7B", llama(4096, 11008, 32, 32, 32000, num_key_value_heads=32)),
        ("Llama-2-70B", llama(8192, 28672, 80, 64, 32000, num_key_value_heads=8)),
        ("Mistral-7B", MISTRAL),
        ("no num_key_value_heads", llama(64, 172, 2, 4, 100)),
        ("num_key_value_heads null", llama(64, 172, 2, 4, 100, num_key_value_heads=None)),
        ("the shipped model", llama(256, 768, 4, 4, 2048, num_key_value_heads=2, head_dim=64,
                                    tie_word_embeddings=True)),
        ("multi-query, wide heads", llama(48, 100, 3, 4, 90, num_key_value_heads=1, head_dim=32)),
        ("head_dim null", llama(48, 100, 3, 4, 90, num_key_value_heads=2, head_dim=None)),
        ("biases in attention", llama(48, 100, 3, 6, 90, num_key_value_heads=2, attention_bias=True)),
        ("biases in the MLP", llama(48, 100, 2, 6, 90, num_key_value_heads=3, mlp_bias=True)),
        ("all biases, wide heads", llama(48, 100, 2, 6, 90, num_key_value_heads=3, head_dim=16,
                                         mlp_bias=True, attention_bias=True)),
        ("one layer, one head", llama(8, 8, 1, 1, 11)),
    ):  # fmt: skip
        yield case(label, part, config=config)
    for i in range(3):
        heads, size = int(rng.integers(1, 4)) * 4, int(rng.integers(2, 9)) * 4
        config = llama(heads * 12, int(rng.integers(20, 300)), int(rng.integers(1, 5)), heads,
                       int(rng.integers(20, 500)), num_key_value_heads=int(rng.choice([1, 2, 4])),
                       head_dim=size, tie_word_embeddings=bool(rng.integers(2)))  # fmt: skip
        yield case(f"drawn, {i}", part, config=config)
    part = "OPT and GPT-2"
    for label, config in (
        ("GPT-2", gpt2(768, 12, 12, 50257)),
        ("OPT-125M", opt(768, 3072, 12, 12, 50272)),
        ("OPT-13B", opt(5120, 20480, 40, 40, 50272)),
        ("OPT, another inner size, untied", opt(48, 100, 2, 4, 90, 64, tie_word_embeddings=False)),
        ("GPT-2, n_inner given", gpt2(48, 3, 4, 90, 64, n_inner=100)),
        ("GPT-2, n_inner null, untied", gpt2(48, 3, 4, 90, 64, n_inner=None,
                                             tie_word_embeddings=False)),
        ("OPT, tied in so many words", opt(24, 40, 1, 2, 30, 16, tie_word_embeddings=True)),
    ):  # fmt: skip
        yield case(label, part, config=config)
    for label, config in (
        ("an unknown model_type", llama(64, 172, 2, 4, 100) | {"model_type": "bert"}),
        ("no model_type", {"hidden_size": 64, "vocab_size": 100}),
    ):
        yield case(label, "refuse", config=config, refuse=True)


def probe(solution, config, refuse=False):
    if refuse:
        return refusal(lambda: solution(config))  # noqa: F821
    before = repr(config)
    answer = solution(config)
    return {"changed": repr(config) != before, "answer": answer}


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.that(not answer["changed"], "Your function changed config.", stage="mutation")
    want, got = estimates.parameters(case.config), expect.mapping(answer["answer"], KEYS)
    for key in KEYS:
        expect.integer(got[key], want[key], key)
    return None
