"""Answers to est-parameters."""

from autograder.checks.bank import right, wrong

ALL = frozenset({"kv", "head_dim", "attention_bias", "mlp_bias", "gate", "norms", "weightbias",
                 "tied", "two", "positions", "inner", "final", "biases", "opt-tied", "null"})  # fmt: skip


def _result(embedding, layers, final, head, total=None):
    return {"embedding": embedding, "layers": layers, "final_norm": final, "lm_head": head,
            "total": embedding + layers + final + head if total is None else total}  # fmt: skip


def _llama(c, on):
    h, inner, heads = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"]
    size = (c.get("head_dim") if "head_dim" in on else None) or h // heads
    kv = (c.get("num_key_value_heads") if "kv" in on else None) or heads
    layer = 2 * h * heads * size + 2 * h * kv * size + (3 if "gate" in on else 2) * h * inner
    layer += (2 if "norms" in on else 1) * h
    if c.get("attention_bias") and "attention_bias" in on:
        layer += heads * size + 2 * kv * size + (h if "o-bias-off" not in on else 0)
    if c.get("mlp_bias") and "mlp_bias" in on:
        layer += 2 * inner + h
    embedding = c["vocab_size"] * h
    tied = c.get("tie_word_embeddings", False) and "tied" in on
    layers = layer * c["num_hidden_layers"]
    head = 0 if tied or "no-head" in on else embedding
    return _result(embedding, layers, h if "final" in on else 0, head)


def _old(c, on):
    is_opt = c["model_type"] == "opt"
    if is_opt:
        h, inner, n = c["hidden_size"], c["ffn_dim"], c["num_hidden_layers"]
        positions = c["max_position_embeddings"] + (2 if "two" in on else 0)
    else:
        h, n, positions = c["n_embd"], c["n_layer"], c["n_positions"]
        inner = (c.get("n_inner") if "inner" in on else None) or 4 * h
    norm = 2 * h if "weightbias" in on else h
    layer = 4 * h * h + 2 * h * inner + 2 * norm
    if "biases" in on:
        layer += 4 * h + inner + h
    embedding = (c["vocab_size"] + (positions if "positions" in on else 0)) * h
    tied = c.get("tie_word_embeddings", "opt-tied" in on)
    return _result(embedding, n * layer, norm if "final" in on else 0,
                   0 if tied else c["vocab_size"] * h)  # fmt: skip


def _model(c, without=(), plus=()):
    on = (ALL - set(without)) | set(plus)
    if c.get("model_type") in ("llama", "mistral"):
        return _llama(c, on)
    if c.get("model_type") in ("opt", "gpt2"):
        return _old(c, on)
    raise ValueError("unknown")


@right("closed formulas")
def formulas(config):
    return _model(config)


@right("shapes, one after another")
def shapes(config):
    kind = config.get("model_type")
    get = lambda key, default: default if config.get(key) is None else config[key]  # noqa: E731
    if kind in ("llama", "mistral"):
        h, heads = config["hidden_size"], config["num_attention_heads"]
        d, kv = get("head_dim", h // heads), get("num_key_value_heads", heads)
        bias, mlp = get("attention_bias", False), get("mlp_bias", False)
        inner, n = config["intermediate_size"], config["num_hidden_layers"]
        linear = [(h, heads * d, bias), (h, kv * d, bias), (h, kv * d, bias), (heads * d, h, bias),
                  (h, inner, mlp), (h, inner, mlp), (inner, h, mlp)]  # fmt: skip
        norm, positions, tied = h, 0, get("tie_word_embeddings", False)
    elif kind == "opt":
        h, inner, n = config["hidden_size"], config["ffn_dim"], config["num_hidden_layers"]
        linear = [(h, h, True)] * 4 + [(h, inner, True), (inner, h, True)]
        norm, positions = 2 * h, config["max_position_embeddings"] + 2
        tied = get("tie_word_embeddings", True)
    elif kind == "gpt2":
        h, n, inner = config["n_embd"], config["n_layer"], get("n_inner", 4 * config["n_embd"])
        linear = [(h, 3 * h, True), (h, h, True), (h, inner, True), (inner, h, True)]
        norm, positions, tied = 2 * h, config["n_positions"], get("tie_word_embeddings", True)
    else:
        raise ValueError(kind)
    layer = sum(i * o + (o if b else 0) for i, o, b in linear) + 2 * norm
    parts = {"embedding": (config["vocab_size"] + positions) * h, "layers": n * layer,
             "final_norm": norm, "lm_head": 0 if tied else config["vocab_size"] * h}  # fmt: skip
    return {**parts, "total": sum(parts.values())}


@wrong("kv-heads-ignored", "k and v have num_key_value_heads heads, fewer than q in GQA.")
def no_gqa(config):
    return _model(config, {"kv"})


@wrong("head-dim-ignored", "head_dim is given where it is not hidden_size // heads: use it.")
def no_head_dim(config):
    return _model(config, {"head_dim"})


@wrong("no-gate", "A gated MLP has three matrices: gate, up and down.")
def two_matrices(config):
    return _model(config, {"gate"})


@wrong("one-norm", "A layer has two norms.")
def one_norm(config):
    return _model(config, {"norms"})


@wrong("no-final-norm", "One more norm stands after the last layer.")
def no_final(config):
    return _model(config, {"final"})


@wrong("never-tied", "With tie_word_embeddings the head is the embedding: count it once.")
def never_tied(config):
    return _model(config, {"tied"})


@wrong("always-tied", "Without tie_word_embeddings a Llama has a head of its own.")
def always_tied(config):
    return _model(config, plus={"no-head"})


@wrong("opt-untied", "OPT and GPT-2 are tied where the config does not say otherwise.")
def opt_untied(config):
    return _model(config, {"opt-tied"})


@wrong("no-positions", "OPT and GPT-2 learn an embedding for each position.")
def no_positions(config):
    return _model(config, {"positions"})


@wrong("opt-without-offset", "OPT's table of positions has two rows more than positions.")
def no_offset(config):
    return _model(config, {"two"})


@wrong("norm-without-bias", "A LayerNorm has a weight and a bias.")
def norm_bias(config):
    return _model(config, {"weightbias"})


@wrong("no-biases", "Linear layers of OPT and GPT-2 have biases.")
def no_biases(config):
    return _model(config, {"biases"})


@wrong("attention-bias-ignored", "attention_bias adds a bias to q, k, v and o.")
def no_attention_bias(config):
    return _model(config, {"attention_bias"})


@wrong("o-without-bias", "attention_bias gives o a bias too.")
def no_o_bias(config):
    return _model(config, plus={"o-bias-off"})


@wrong("mlp-bias-ignored", "mlp_bias adds a bias to gate, up and down.")
def no_mlp_bias(config):
    return _model(config, {"mlp_bias"})


@wrong("inner-ignored", "n_inner, where it is given, takes the place of 4 * n_embd.")
def no_inner(config):
    return _model(config, {"inner"})


@wrong("head-counted-in-total", "A tied head is no second matrix: the total counts it once.")
def total_twice(config):
    found = _model(config)
    if not found["lm_head"]:
        rows = config.get("hidden_size") or config.get("n_embd")
        found["total"] += config["vocab_size"] * rows
    return found


@wrong("floats", "Parameters are whole numbers: do not divide to a float.")
def floats(config):
    return {key: float(value) for key, value in _model(config).items()}


@wrong("any-type", "An unknown model_type must raise ValueError: its layers may be different.")
def any_type(config):
    if config.get("model_type") not in ("llama", "mistral", "opt", "gpt2"):
        return dict.fromkeys(("embedding", "layers", "final_norm", "lm_head", "total"), 0)
    return _model(config)


@wrong("config-filled-in", "Do not write into config: copy it first.")
def changed(config):
    if config.get("model_type") in ("llama", "mistral"):
        config["head_dim"] = (
            config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        )
    found = _model(config)
    config["counted"] = True
    return found
