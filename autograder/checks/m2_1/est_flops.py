"""est-flops: against torch's flop counter on transformers' model, and by pairs of tokens."""

from autograder.checks import case, expect
from autograder.checks.m2_1.est_parameters import llama
from autograder.checks.oracles import estimates

PARTS = {"every pair": 0.4, "causal": 0.4, "refuse": 0.2}
HINTS = (
    "A product of (m, k) and (k, n) takes 2 m k n FLOPs.",
    "A pair of a query and a key costs 2 head_dim for the score and 2 head_dim for the value, a query head.",
    "Causal: the first new token meets past_tokens + 1 keys, the next one more.",
)


def small(rng, **more):
    heads, kv = (8, 2) if rng.integers(2) else (6, 3)
    return llama(int(rng.integers(1, 6)) * 24, int(rng.integers(20, 200)), int(rng.integers(1, 5)),
                 heads, int(rng.integers(20, 300)), num_key_value_heads=kv,
                 head_dim=int(rng.integers(2, 9)) * 4, **more)  # fmt: skip


BIG = llama(4096, 14336, 32, 32, 128256, num_key_value_heads=8, head_dim=128)


def cases(rng):
    part = "every pair"
    ladder = ((1, 0, 1), (1, 9, 1), (5, 0, 5), (7, 0, 1), (4, 6, 2), (33, 20, 0), (2, 31, 0))
    for new, past, logits in ladder:
        yield case(f"{new} new, {past} past, {logits} logits", part, config=small(rng), new=new,
                   past=past, logits=logits, causal=False)  # fmt: skip
    yield case("Llama-3-8B, 2,048 tokens", part, config=BIG, new=2048, past=0, logits=1,
               causal=False)  # fmt: skip
    yield case("tied head", part, config=small(rng, tie_word_embeddings=True), new=3, past=0,
               logits=3, causal=False)  # fmt: skip
    part = "causal"
    for new, past, logits in (*ladder, (64, 1, 64)):
        yield case(f"{new} new, {past} past, {logits} logits", part, config=small(rng), new=new,
                   past=past, logits=logits, causal=True)  # fmt: skip
    yield case("Llama-3-8B, one more", part, config=BIG, new=1, past=8191, logits=1, causal=True)
    yield case("causal is the default", part, config=small(rng), new=6, past=2, logits=1,
               causal=None)  # fmt: skip
    yield case("all defaults", part, config=small(rng), new=4, past=0, logits=1, causal=None)
    for label, new, past, logits in (
        ("no new tokens", 0, 5, 0),
        ("a negative past", 2, -1, 1),
        ("more logits than new tokens", 2, 5, 3),
        ("negative logits", 2, 5, -1),
    ):
        yield case(label, "refuse", config=BIG, new=new, past=past, logits=logits, causal=True,
                   refuse=True)  # fmt: skip


def probe(solution, config, new, past, logits, causal, refuse=False):
    if refuse:
        return refusal(lambda: solution(config, new, past, logits, causal))  # noqa: F821
    if causal is None:
        return solution(config, new, past, logits) if past else solution(config, new)
    return solution(config, new, past, logits, causal)


def right_flops(case):
    """The counter sees every pair; of those a causal pass leaves out the keys after each query."""
    flops = estimates.pass_flops(case.config, case.new, case.past, case.logits)
    if case.causal is False:
        return flops
    c = case.config
    masked = sum(case.new - 1 - query for query in range(case.new))
    return flops - masked * c["num_hidden_layers"] * c["num_attention_heads"] * 4 * c["head_dim"]


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.integer(answer, right_flops(case), "FLOPs")
    return None
