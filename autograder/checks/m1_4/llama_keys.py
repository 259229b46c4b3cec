"""llama-keys: the hyper-parameters of config.json as GGUF key-values."""

import copy

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import hf_gguf

PARTS = {"present": 0.5, "defaults": 0.3, "edges": 0.2}
HINTS = (
    'config.get("num_key_value_heads") or config["num_attention_heads"] covers absent and None.',
    'Theta: config.get("rope_parameters") or {} first, then config, then 10,000.0; as a float.',
    "Check first: the architecture, each field that has no default, the scaling.",
)
REQUIRED = (*hf_gguf.FIELDS.values(), "rms_norm_eps")


def cases(rng):
    yield case("grouped heads", "present", config=hf_gguf.small_config(rng))
    yield case("head_dim of its own", "present",
               config=hf_gguf.small_config(rng, head_dim=24, num_key_value_heads=1))  # fmt: skip
    yield case("other sizes", "present", config=hf_gguf.small_config(
        rng, hidden_size=96, num_attention_heads=8, head_dim=12, num_key_value_heads=4,
        num_hidden_layers=7, vocab_size=999,
    ))  # fmt: skip
    yield case("two architectures named", "present", config=hf_gguf.small_config(
        rng, architectures=["Other", "LlamaForCausalLM"]))  # fmt: skip
    yield case("no model_type", "present", config=hf_gguf.small_config(rng, model_type=...))
    yield case(
        "another model_type", "present", config=hf_gguf.small_config(rng, model_type="smollm")
    )
    missing = {"num_key_value_heads": ..., "head_dim": ...}
    yield case("no num_key_value_heads, no head_dim", "defaults",
               config=hf_gguf.small_config(rng, **missing))  # fmt: skip
    yield case("both None", "defaults",
               config=hf_gguf.small_config(rng, num_key_value_heads=None, head_dim=None))  # fmt: skip
    old = {"rope_parameters": ..., "rope_scaling": None}
    yield case("theta at the top level, a whole number", "defaults",
               config=hf_gguf.small_config(rng, rope_theta=500_000, **old))  # fmt: skip
    yield case("no theta", "defaults", config=hf_gguf.small_config(rng, **old))
    yield case("rope_parameters without theta", "defaults",
               config=hf_gguf.small_config(rng, rope_parameters={"rope_type": "default"}))  # fmt: skip
    yield case("a theta that is None", "defaults",
               config=hf_gguf.small_config(rng, rope_theta=None, **old))  # fmt: skip
    yield case("None inside, a theta at the top level", "defaults", config=hf_gguf.small_config(
        rng, rope_parameters={"rope_type": "default", "rope_theta": None}, rope_theta=3000.0))  # fmt: skip
    for key in ("rope_type", "type"):
        yield case(f"rope_scaling with the {key} default", "defaults", config=hf_gguf.small_config(
            rng, rope_parameters=..., rope_theta=2000.0, rope_scaling={key: "default"}))  # fmt: skip
    both = {"rope_parameters": {"rope_theta": 7000.0}, "rope_theta": 500_000.0}
    yield case("theta inside and at the top level", "defaults",
               config=hf_gguf.small_config(rng, **both))  # fmt: skip
    for name in ("GPT2LMHeadModel", "LlamaForSequenceClassification", "XLlamaForCausalLM"):
        yield case(f"the architecture {name}", "edges", bad=True,
                   config=hf_gguf.small_config(rng, architectures=[name]))  # fmt: skip
    for label, changes in (
        ("rope_parameters with a theta of None", {
            "rope_parameters": {"rope_theta": None}, "rope_theta": 3e5}),
        ("a theta of None at the top level", {"rope_parameters": ..., "rope_theta": None}),
        ("rope_parameters None", {"rope_parameters": None, "rope_theta": 4e4}),
        ("rope_scaling of the type default", {
            "rope_parameters": ..., "rope_theta": 2e4, "rope_scaling": {"type": "default"}}),
    ):  # fmt: skip
        yield case(label, "defaults", config=hf_gguf.small_config(rng, **changes))
    for label, names in (
        ("architectures None", None),
        ("a longer name", ["XLlamaForCausalLMHead"]),
    ):
        yield case(label, "edges", bad=True, config=hf_gguf.small_config(rng, architectures=names))
    yield case("another architecture", "edges", bad=True,
               config=hf_gguf.small_config(rng, architectures=["GPT2LMHeadModel"]))  # fmt: skip
    yield case(
        "no architectures", "edges", bad=True, config=hf_gguf.small_config(rng, architectures=...)
    )
    for name in REQUIRED:
        yield case(f"no {name}", "edges", bad=True, config=hf_gguf.small_config(rng, **{name: ...}))
    scaled = {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0}
    yield case("llama3 scaling", "edges", bad=True,
               config=hf_gguf.small_config(rng, rope_parameters=scaled))  # fmt: skip
    for kind in ("linear", "dynamic", "longrope"):
        scaled = {"rope_type": kind, "rope_theta": 1e4}
        yield case(f"{kind} scaling", "edges", bad=True,
                   config=hf_gguf.small_config(rng, rope_parameters=scaled))  # fmt: skip
    older = {"rope_type": "linear", "factor": 2.0}
    yield case("a plain rope_parameters and a scaled rope_scaling", "edges", bad=True,
               config=hf_gguf.small_config(rng, rope_scaling=older))  # fmt: skip
    yield case("scaling beside plain rope_parameters", "edges", bad=True, config=hf_gguf.small_config(
        rng, rope_scaling={"rope_type": "yarn", "factor": 4.0}))  # fmt: skip
    yield case("rope_parameters with the older type", "edges", bad=True, config=hf_gguf.small_config(
        rng, rope_parameters={"type": "linear", "rope_theta": 1e4, "factor": 2.0}))  # fmt: skip
    for key in ("rope_type", "type"):
        yield case(f"older scaling under {key}", "edges", bad=True, config=hf_gguf.small_config(
            rng, rope_parameters=..., rope_theta=1e4, rope_scaling={key: "yarn", "factor": 4.0}))  # fmt: skip


def probe(solution, config, bad=False):
    if bad:
        return refusal(lambda: solution(config))
    return solution(config)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    want = hf_gguf.hyper_parameters(copy.deepcopy(case.config))
    compare(answer, want)


def compare(answer, want):
    """Exactly these keys, each with the right type and value."""
    found = expect.mapping(answer, tuple(want))
    extra = sorted(str(key) for key in found if key not in want)
    expect.that(not extra, f"The dict has a key too many: {extra[:1]}.", stage="type",
                yours=f"{len(found)} keys", right=f"{len(want)} keys")  # fmt: skip
    for key, value in want.items():
        if isinstance(value, float):
            got = found[key]
            expect.that(type(got) is float, f"`{key}` must be a float.", stage="type",
                        yours=expect.kind(got), right="a float")  # fmt: skip
            expect.number(got, value, key, rtol=1e-12)
        elif isinstance(value, int):
            expect.integer(found[key], value, key)
        else:
            expect.that(found[key] == value, f"`{key}` is off.", yours=found[key], right=value)
