"""Answers to llama-keys."""

from autograder.checks.bank import right, wrong

PLAIN = {
    "llama.block_count": "num_hidden_layers",
    "llama.context_length": "max_position_embeddings",
    "llama.embedding_length": "hidden_size",
    "llama.feed_forward_length": "intermediate_size",
    "llama.vocab_size": "vocab_size",
    "llama.attention.head_count": "num_attention_heads",
}


def _keys(config, *, plain=PLAIN, guard=True, scaling=("rope_type", "type"), required=True, size=None,
          theta=None, kv=None, number=float, extra=None, eps=None):  # fmt: skip
    if guard and "LlamaForCausalLM" not in (config.get("architectures") or ()):
        raise ValueError("not a Llama")
    if required:
        for field in (*PLAIN.values(), "rms_norm_eps"):
            if field not in config:
                raise ValueError(field)
    for rope in (config.get("rope_parameters"), config.get("rope_scaling")):
        kinds = [rope[k] for k in scaling if k in rope] if rope else []
        if kinds and kinds[0] != "default":
            raise ValueError("scaled")
    heads = config["num_attention_heads"]
    size = size(config) if size else config.get("head_dim") or config["hidden_size"] // heads
    kv = kv(config) if kv else config.get("num_key_value_heads") or heads
    inside = (config.get("rope_parameters") or {}).get("rope_theta")
    base = theta(config) if theta else inside or config.get("rope_theta") or 10000.0
    return {
        "general.architecture": "llama",
        **{key: config[field] for key, field in plain.items() if required or field in config},
        "llama.attention.head_count_kv": kv,
        "llama.attention.key_length": size,
        "llama.attention.value_length": size,
        "llama.rope.dimension_count": size,
        "llama.attention.layer_norm_rms_epsilon": number(eps if eps else config["rms_norm_eps"]),
        "llama.rope.freq_base": number(base),
        **(extra or {}),
    }


@right("one table")
def by_table(config):
    return _keys(config)


@right("field by field")
def by_hand(config):
    if "LlamaForCausalLM" not in (config.get("architectures") or []):
        raise ValueError("give a Llama")
    out = {"general.architecture": "llama"}
    try:
        for key, field in PLAIN.items():
            out[key] = int(config[field])
        out["llama.attention.layer_norm_rms_epsilon"] = float(config["rms_norm_eps"])
    except KeyError as error:
        raise ValueError(f"missing {error}") from error
    theta = config.get("rope_theta")
    for field in ("rope_parameters", "rope_scaling"):
        rope = config.get(field)
        if rope is None:
            continue
        if rope.get("rope_type", rope.get("type", "default")) != "default":
            raise ValueError("this rope is scaled")
        if field == "rope_parameters" and rope.get("rope_theta") is not None:
            theta = rope["rope_theta"]
    out["llama.rope.freq_base"] = 1e4 if theta is None else float(theta)
    kv = config.get("num_key_value_heads")
    out["llama.attention.head_count_kv"] = config["num_attention_heads"] if kv is None else kv
    size = config.get("head_dim")
    if size is None:
        size = config["hidden_size"] // config["num_attention_heads"]
    for key in ("attention.key_length", "attention.value_length", "rope.dimension_count"):
        out[f"llama.{key}"] = size
    return out


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(config):
        return _keys(config, **changes)

    return answer


any_architecture = _wrong("any-architecture", "Ask for LlamaForCausalLM: other models have other tensors.",
                          guard=False)  # fmt: skip
scaled = _wrong("scaling-passed", "A scaled rope must be refused: the file would have another meaning.",
                scaling=())  # fmt: skip
new_name = _wrong("old-name-forgotten", "Older files call the scaling's name `type`.",
                  scaling=("rope_type",))  # fmt: skip
split = _wrong("head-dim-ignored", "head_dim counts where it is given; the quotient is only the default.",
               size=lambda c: c["hidden_size"] // c["num_attention_heads"])  # fmt: skip
all_heads = _wrong("kv-heads-ignored", "Grouped queries: head_count_kv is num_key_value_heads.",
                   kv=lambda c: c["num_attention_heads"])  # fmt: skip
one_head = _wrong("kv-default-one", "Without num_key_value_heads there are as many as query heads.",
                  kv=lambda c: c.get("num_key_value_heads") or 1)  # fmt: skip
kv_none = _wrong("kv-none", "num_key_value_heads may be there and None.",
                 kv=lambda c: c.get("num_key_value_heads", c["num_attention_heads"]))  # fmt: skip
outside = _wrong("theta-top-level-only", "transformers 5 writes rope_theta inside rope_parameters.",
                 theta=lambda c: c.get("rope_theta", 10000.0))  # fmt: skip
inside = _wrong("theta-inside-only", "Older files have rope_theta at the top level.",
                theta=lambda c: (c.get("rope_parameters") or {}).get("rope_theta", 10000.0))  # fmt: skip
constant = _wrong("theta-constant", "theta is read from config.json; 10,000 is only the default.",
                  theta=lambda c: 10000.0)  # fmt: skip
eps = _wrong(
    "eps-constant", "rms_norm_eps is read from config.json, it is not always 1e-6.", eps=1e-6
)
whole = _wrong("theta-as-int", "freq_base is a float, also where config.json has a whole number.",
               number=lambda v: v)  # fmt: skip
unguarded = _wrong("fields-unguarded", "A missing field must raise ValueError, not KeyError.",
                   required=False)  # fmt: skip
swapped = _wrong("lengths-swapped", "embedding_length is hidden_size, feed_forward_length intermediate_size.",
                 plain=PLAIN | {"llama.embedding_length": "intermediate_size",
                                "llama.feed_forward_length": "hidden_size"})  # fmt: skip
more = _wrong("key-too-many", "Exactly the keys of the table: llama.cpp ignores a key that it does not know.",
              extra={"llama.tie_word_embeddings": 1})  # fmt: skip


def _outside_first(config):
    inside = config.get("rope_parameters") or {}
    return config.get("rope_theta") or inside.get("rope_theta", 1e4)


outer = _wrong("top-level-wins", "Where both name a theta, the one inside rope_parameters wins.",
               theta=_outside_first)  # fmt: skip


@wrong(
    "scaling-hidden-by-parameters", "Look into rope_scaling as well, also beside rope_parameters."
)
def scaling_hidden(config):
    plain = dict(config)
    if plain.get("rope_parameters"):
        plain.pop("rope_scaling", None)
    return _keys(plain)


@wrong("older-type-in-scaling-only", "rope_parameters may have the older `type`, too.")
def older_type(config):
    rope = config.get("rope_parameters") or {}
    return _keys({**config, "rope_parameters": {k: v for k, v in rope.items() if k != "type"}})


@wrong("theta-none-inside", "A theta of None inside is absent: look at the top level next.")
def none_inside(config):
    inside = config.get("rope_parameters") or {}
    top = config.get("rope_theta")
    return _keys(config, theta=lambda _: inside.get("rope_theta", top) or 10_000.0)


@wrong("theta-none-is-a-number", "A theta of None is absent: 10000.0.")
def none_at_top(config):
    inside = config.get("rope_parameters") or {}
    return _keys(config, theta=lambda _: inside.get("rope_theta") or config.get("rope_theta", 1e4))


@wrong("architecture-by-substring", "The list must hold this very name, not one that contains it.")
def by_substring(config):
    if "LlamaForCausalLM" not in str(config.get("architectures")):
        raise ValueError("no Llama")
    return _keys(config, guard=False)


@wrong("architectures-none", "architectures may be None: raise ValueError, not TypeError.")
def none_architectures(config):
    if "LlamaForCausalLM" not in config.get("architectures", ()):
        raise ValueError("no Llama")
    return _keys(config, guard=False)


@wrong("any-rope-scaling-refused", "A rope_scaling of the type default scales nothing.")
def any_scaling(config):
    if config.get("rope_scaling"):
        raise ValueError("scaled")
    return _keys(config)


@wrong("rope-parameters-none", "rope_parameters may be None: `or {}`.")
def none_parameters(config):
    config.get("rope_parameters", {}).get("rope_theta")
    return _keys(config)


@wrong(
    "any-llama", "LlamaForSequenceClassification is another architecture: compare the whole name."
)
def any_llama(config):
    if not any("Llama" in name for name in config.get("architectures", [])):
        raise ValueError("no Llama")
    return _keys(config, guard=False)


def _ropes(config):
    return config.get("rope_parameters") or {}, config.get("rope_scaling") or {}


@wrong("known-scalings", "Every rope_type but default is a scaling, not only those that you know.")
def known_scalings(config):
    if any(
        rope.get("rope_type", rope.get("type")) in ("llama3", "yarn") for rope in _ropes(config)
    ):
        raise ValueError("scaled")
    return _keys(config, scaling=())


@wrong(
    "scaling-by-factor",
    "The rope's type says whether it is scaled; not every scaling has a factor.",
)
def by_factor(config):
    if any("factor" in rope for rope in _ropes(config)):
        raise ValueError("scaled")
    return _keys(config, scaling=())


@wrong(
    "model-type-as-architecture",
    "general.architecture is the text llama, whatever model_type says.",
)
def model_type(config):
    return _keys(config) | {"general.architecture": config["model_type"]}


@wrong("model-type-demanded", "architectures says what the model is; model_type is not asked.")
def demanded(config):
    if config.get("model_type") != "llama":
        raise ValueError("no Llama")
    return _keys(config)
