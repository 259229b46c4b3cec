"""est-kv-token: values counted in transformers' own cache, bits value by value."""

from autograder.checks import case, expect
from autograder.checks.m2_1.est_parameters import llama
from autograder.checks.oracles import estimates

PARTS = {"16 bits": 0.4, "quantized": 0.4, "refuse": 0.2}
HINTS = (
    "A token leaves 2 (key and value) * layers * num_key_value_heads * head_dim values.",
    "Groups of one vector: head_dim / group, rounded up.",
    "Add up all bits of the token, then round up to whole bytes, once.",
)
OPT_13B = llama(5120, 20480, 40, 40, 50272, num_key_value_heads=40, head_dim=128)
LLAMA_3_8B = llama(4096, 14336, 32, 32, 128256, num_key_value_heads=8, head_dim=128)
PLAIN = {"bits": 16, "group": None, "scale_bits": 16, "zero_bits": 0}


def _small(rng):
    heads = int(rng.integers(1, 4)) * 2
    return llama(heads * 12, 40, int(rng.integers(1, 5)), heads, 50, head_dim=int(rng.integers(2, 12)) * 2,
                 num_key_value_heads=int(rng.choice([1, 2, heads])))  # fmt: skip


def cases(rng):
    part = "16 bits"
    yield case("the sizes of OPT-13B", part, config=OPT_13B, how={})
    yield case("Llama-3-8B", part, config=LLAMA_3_8B, how={})
    for i in range(4):
        yield case(f"drawn, {i}", part, config=_small(rng), how={})
    yield case("32 bits", part, config=_small(rng), how={"bits": 32})
    part = "quantized"
    for label, how in (
        ("8 bits, a scale a vector", {"bits": 8, "group": 128}),
        ("4 bits, groups of 32", {"bits": 4, "group": 32}),
        ("2 bits, groups of 32, zeros", {"bits": 2, "group": 32, "zero_bits": 8}),
        ("4 bits, scales of 32 bits, zeros of 4", {"bits": 4, "group": 64, "scale_bits": 32,
                                                   "zero_bits": 4}),
        ("8 bits without scales (FP8)", {"bits": 8}),
        ("a short last group", {"bits": 4, "group": 48}),
        ("a group wider than a head", {"bits": 4, "group": 256}),
    ):  # fmt: skip
        yield case(label, part, config=LLAMA_3_8B, how=how)
    odd = llama(24, 40, 1, 1, 50, num_key_value_heads=1, head_dim=6)
    yield case("3 bits: not whole bytes", part, config=odd, how={"bits": 3})
    yield case("3 bits, groups of 4", part, config=odd,
               how={"bits": 3, "group": 4, "scale_bits": 5})  # fmt: skip
    for i in range(4):
        how = {"bits": int(rng.integers(2, 9)), "group": int(rng.integers(3, 12)),
               "scale_bits": int(rng.choice([8, 16, 32])), "zero_bits": int(rng.integers(0, 9))}  # fmt: skip
        yield case(f"drawn groups, {i}", part, config=_small(rng), how=how)
    for label, how in (
        ("0 bits", {"bits": 0}),
        ("a group of 0", {"bits": 4, "group": 0}),
        ("a negative group", {"bits": 4, "group": -32}),
        ("negative scale bits", {"bits": 4, "group": 32, "scale_bits": -1}),
        ("negative zero bits", {"bits": 4, "group": 32, "zero_bits": -4}),
    ):
        yield case(label, "refuse", config=LLAMA_3_8B, how=how, refuse=True)


def probe(solution, config, how, refuse=False):
    if refuse:
        return refusal(lambda: solution(config, **how))  # noqa: F821
    return solution(config, **how)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    row = case.config["head_dim"]
    vectors, rest = divmod(estimates.cache_values(case.config), row)
    assert not rest
    bits = vectors * estimates.grouped_bits(row, **(PLAIN | case.how))
    expect.integer(answer, (bits + 7) // 8, "bytes")
    return None
