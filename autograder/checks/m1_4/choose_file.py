"""choose-file: the best file that fits into memory together with its key-value cache."""

from autograder.checks import case, expect, refusal

PARTS = {"choice": 0.6, "edges": 0.4}
HINTS = (
    "Cache: 2 (keys and values) x layers x key-value heads x head size x context x 2 bytes.",
    "Keep the files with size + cache <= budget; of those min(..., key=(kl, size)).",
    "No file fits, or a context beyond the model's: ValueError.",
)


def _keys(rng, **changes):
    keys = {
        "llama.block_count": int(rng.integers(2, 40)),
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": int(rng.choice([1, 2, 4])),
        "llama.attention.key_length": int(rng.choice([32, 64, 128])),
        "llama.context_length": 4096,
        "llama.embedding_length": 4096,
        "llama.feed_forward_length": 11_008,
        "llama.vocab_size": 32_000,
        "general.architecture": "llama",
    } | changes
    return keys | {"llama.attention.value_length": keys["llama.attention.key_length"]}


def _files(rng):
    sizes = {"F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q4_K_M": 4.9, "Q2_K": 3.2}
    parameters = int(rng.integers(10**6, 10**9))
    order = rng.permutation(list(sizes)).tolist()
    divergence = {"F16": 1e-7, "Q8_0": 2e-4, "Q6_K": 1e-3, "Q4_K_M": 6e-3, "Q2_K": 0.1}
    return [
        {"name": n, "size_bytes": int(parameters * sizes[n] / 8),
         "kl_nats": divergence[n] * float(rng.uniform(0.8, 1.2))} for n in order
    ]  # fmt: skip


def _cache(keys, context):
    count = keys["llama.block_count"] * keys["llama.attention.head_count_kv"]
    return 4 * count * keys["llama.attention.key_length"] * context


def cases(rng):
    for context in (1, 512, 4096):
        keys, files = _keys(rng), _files(rng)
        by_size = sorted(f["size_bytes"] for f in files)
        for place in (0, 2, 4):
            exact = by_size[place] + _cache(keys, context)
            yield case(f"context {context}, exactly the {place + 1}. size", "choice", files=files,
                       keys=keys, context=context, budget_bytes=exact)  # fmt: skip
            if place:
                yield case(f"context {context}, one byte less", "choice", files=files, keys=keys,
                           context=context, budget_bytes=exact - 1)  # fmt: skip
    keys = _keys(rng)
    odd = [
        {"name": "large", "size_bytes": 900, "kl_nats": 0.5},
        {"name": "small", "size_bytes": 500, "kl_nats": 0.01},
        {"name": "tie", "size_bytes": 700, "kl_nats": 0.01},
    ]
    cache = _cache(keys, 64)
    given = {"keys": keys, "context": 64}
    yield case(
        "the larger file is the worse one", "edges", files=odd, budget_bytes=cache + 999, **given
    )
    yield case("equal KL", "edges", files=odd[::-1], budget_bytes=cache + 800, **given)
    near = [{"kl_nats": 0.0040003, "size_bytes": 300, "name": "near", "tool": "x"},
            {"tool": "y", "size_bytes": 700, "kl_nats": 0.0040001, "rows": 3, "name": "best"}]  # fmt: skip
    yield case("nearly equal KL, and files with further keys", "edges", files=near,
               budget_bytes=cache + 800, **given)  # fmt: skip
    names = [
        {"name": "a", "size_bytes": 700, "kl_nats": 0.01},
        {"name": "b", "size_bytes": 600, "kl_nats": 0.01},
    ]
    yield case(
        "equal KL, names in the other order",
        "edges",
        files=names,
        budget_bytes=cache + 800,
        **given,
    )
    short = _keys(rng, **{"llama.context_length": 200})
    long = _keys(rng, **{"llama.context_length": 131_072})
    yield case("a context beyond a short model's", "edges", bad=True, files=odd, keys=short,
               context=201, budget_bytes=10**12)  # fmt: skip
    yield case("a context of 131,072", "edges", files=odd, keys=long, context=131_072,
               budget_bytes=10**13)  # fmt: skip
    yield case("none fits", "edges", bad=True, files=odd, budget_bytes=cache + 499, **given)
    yield case("no files", "edges", bad=True, files=[], budget_bytes=10**12, **given)
    for context in (0, -1, 4097):
        yield case(f"a context of {context}", "edges", bad=True, files=odd, keys=keys,
                   context=context, budget_bytes=10**12)  # fmt: skip


def probe(solution, files, keys, context, budget_bytes, bad=False):
    if bad:
        return refusal(lambda: solution(files, keys, context, budget_bytes))
    return solution(files, keys, context, budget_bytes)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    name, memory = expect.sequence(answer, ("name", "memory_bytes"))
    cache = _cache(case.keys, case.context)
    fitting = [f for f in case.files if f["size_bytes"] + cache <= case.budget_bytes]
    best = sorted(fitting, key=lambda f: (f["kl_nats"], f["size_bytes"]))[0]
    expect.that(isinstance(name, str), "`name` must be a string.", stage="type",
                yours=expect.kind(name), right="a string")  # fmt: skip
    expect.that(name == best["name"], "`name` is another file.", yours=name, right=best["name"],
                hint=HINTS[1])  # fmt: skip
    expect.integer(memory, best["size_bytes"] + cache, "memory_bytes", hint=HINTS[0])
