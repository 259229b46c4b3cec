"""kv-bytes: bytes of a cache, payload and scales, as exact integers."""

import math

from autograder.checks import case, expect, refusal

PARTS = {"count": 0.6, "defaults": 0.25, "refuse": 0.15}
HINTS = (
    "rows = 2 (keys and values) * layers * key-value heads * tokens * batch.",
    "A row takes ceil(head_dim * bits / 8) bytes: -(-n // 8) rounds up.",
    "config.get('num_key_value_heads', heads) covers the missing entry.",
)
SMALL = {"num_hidden_layers": 4, "num_attention_heads": 4, "hidden_size": 256}
FULL = {**SMALL, "num_key_value_heads": 2, "head_dim": 64}


def cases(rng):
    yield case("16 bits", part="count", config=FULL, options={"tokens": 100})
    options = {"tokens": 512, "batch": 8, "bits": 8, "scale_bits": 32}
    yield case("8 bits, scales", part="count", config=FULL, options=options)
    for bits in (2, 3, 4, 8, 16, 32):
        layers, kv_heads, group, dim = (int(n) for n in rng.integers([2, 2, 2, 33], [9, 6, 5, 129]))
        config = {
            "num_hidden_layers": layers,
            "num_attention_heads": kv_heads * group,
            "num_key_value_heads": kv_heads,
            "head_dim": dim | 1,
            "hidden_size": int(rng.integers(100, 5000)),
        }
        options = {
            "tokens": int(rng.integers(1, 5000)),
            "batch": int(rng.integers(2, 9)),
            "bits": bits,
            "scale_bits": int(rng.choice([8, 16, 32])),
        }
        yield case(f"ragged rows, {bits} bits", part="count", config=config, options=options)
    large = {**FULL, "num_hidden_layers": 80, "num_key_value_heads": 4, "head_dim": 128}
    options = {"tokens": 1_000_000, "batch": 64, "bits": 8, "scale_bits": 16}
    yield case("beyond 32 bits", part="count", config=large, options=options)
    yield case("no key-value heads", part="defaults", config=SMALL, options={"tokens": 7})
    grouped = {**SMALL, "num_key_value_heads": 1}
    yield case("no head_dim", part="defaults", config=grouped, options={"tokens": 7, "bits": 4})
    own = {**SMALL, "head_dim": 80}
    yield case("a head_dim of its own", part="defaults", config=own, options={"tokens": 3})
    yield case("no token", part="defaults", config=FULL, options={"tokens": 0, "scale_bits": 16})
    bad = {
        "tokens -1": (FULL, {"tokens": -1}),
        "batch 0": (FULL, {"tokens": 1, "batch": 0}),
        "5 bits": (FULL, {"tokens": 1, "bits": 5}),
        "0 bits": (FULL, {"tokens": 1, "bits": 0}),
        "scale_bits 4": (FULL, {"tokens": 1, "scale_bits": 4}),
        "3 key-value heads for 4": ({**FULL, "num_key_value_heads": 3}, {"tokens": 1}),
    }
    for label, (config, options) in bad.items():
        yield case(label, part="refuse", config=config, options=options, refused=True)


def probe(solution, config, options, refused=False):
    if refused:
        return refusal(lambda: solution(config, **options))
    return solution(config, **options)


def judge(case, answer):
    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", f"Refuse this with a ValueError: {case.label}.")
    config, options = case.config, {"batch": 1, "bits": 16, "scale_bits": 0, **case.options}
    heads = config.get("num_key_value_heads", config["num_attention_heads"])
    dim = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    rows = sum(
        heads * options["tokens"] * options["batch"]
        for _ in range(config["num_hidden_layers"])
        for _ in "KV"
    )
    payload, scales = expect.sequence(answer, ("payload_bytes", "scale_bytes"))
    expect.integer(payload, rows * math.ceil(dim * options["bits"] / 8), "payload_bytes")
    return expect.integer(scales, rows * options["scale_bits"] // 8, "scale_bytes")
