"""kv-cache: a cache that keeps codes, grows token by token, and attends."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import kv

PARTS = {"append": 0.4, "attend": 0.35, "edges": 0.25}
HINTS = (
    "Keep four tensors: codes and scales of keys and of values; torch.cat along dim 1 adds the new ones.",
    "Quantize the new tokens only, and check everything before you store anything.",
    "attend: scores = (q @ codes) * scales / sqrt(head_dim); softmax; times the values' scales; @ codes.",
    "Query head i reads key-value head i * heads // query_heads: repeat_interleave, not repeat.",
)
# float32 attention: scores lose 1e-7 of their size, 64 terms in a dot product; this is for scores up to 30,
# and grows with them.
ATTENTION, SCORES = 2e-5, 30.0


def _story(rng, steps, heads, dim, queries, fmt, loud=1.0):
    """Tokens in the given portions, and a query after each portion."""
    made = []
    for count in steps:
        size = rng.uniform(0.3, 3, (2, heads, count, 1))
        key, value = kv.clean(
            (rng.standard_normal((2, heads, count, dim)) * size).astype("f4"), fmt
        )
        query = (loud * rng.standard_normal((queries, dim))).astype(np.float32)
        made.append([key, value, query])
    return made


def cases(rng):
    for label, part, steps, heads, dim, queries, fmt in (
        ("one token", "append", [1], 1, 64, 1, "int8"),
        ("token by token", "append", [1] * 6, 2, 64, 2, "int8"),
        ("ragged portions", "append", [5, 1, 3, 1], 2, 48, 2, "int8"),
        ("token by token, e4m3", "append", [3, 1, 1, 1], 2, 64, 2, "e4m3"),
        ("two query heads share keys", "attend", [9, 1], 2, 64, 4, "int8"),
        ("eight query heads, e4m3", "attend", [7, 1], 2, 32, 8, "e4m3"),
        ("a head_dim of 20", "attend", [6], 3, 20, 6, "int8"),
    ):
        story = _story(rng, steps, heads, dim, queries, fmt)
        yield case(label, part=part, config=[heads, dim, fmt], story=story)
    story = _story(rng, [8, 1], 2, 64, 4, "int8", loud=4.0)
    yield case("large scores", part="attend", config=[2, 64, "int8"], story=story)
    story = _story(rng, [12], 2, 64, 2, "int8", loud=60.0)
    yield case("scores beyond 88", part="attend", config=[2, 64, "int8"], story=story)
    story = _story(rng, [300, 1], 1, 16, 1, "int8")
    yield case("301 tokens", part="attend", config=[1, 16, "int8"], story=story)
    story = _story(rng, [4, 1], 2, 64, 4, "int8")
    yield case("half precision", part="attend", config=[2, 64, "int8"], story=story, narrow=True)
    story = _story(rng, [2, 1], 2, 64, 2, "int8")
    other = _story(rng, [3, 2], 2, 64, 2, "int8")
    yield case("two caches", part="append", config=[2, 64, "int8"], story=story, other=other)
    story = _story(rng, [3], 2, 64, 4, "int8")
    yield case("refusals", part="edges", config=[2, 64, "int8"], story=story, refuse=True)


def probe(solution, config, story, other=(), refuse=False, narrow=False):
    import torch

    def held(thing, seen):
        if id(thing) in seen or isinstance(thing, type):
            return 0
        seen.add(id(thing))
        if isinstance(thing, (torch.Tensor, np.ndarray)):
            return int(thing.nbytes)
        if isinstance(thing, dict):
            return sum(held(v, seen) for v in thing.values())
        if isinstance(thing, (list, tuple)):
            return sum(held(v, seen) for v in thing)
        slots = [getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())]
        return held([*slots, getattr(thing, "__dict__", {})], seen)

    heads, dim, fmt = config
    cache = solution(heads, dim, fmt) if fmt != "int8" else solution(heads=heads, head_dim=dim)
    twin = solution(heads, dim, fmt) if len(other) else None
    out = {"empty": [len(cache), cache.size_bytes()], "steps": [], "refused": {}}
    for at, arrays in enumerate(story):
        key, value, query = (torch.from_numpy(a) for a in arrays)
        if narrow:
            query = query.to(torch.bfloat16)
        cache.append(key, value)
        if twin is not None:
            twin.append(*(torch.from_numpy(a) for a in other[at][:2]))
        # What attend leaves in the cache counts too.
        result = cache.attend(query)
        size = [len(cache), cache.size_bytes(), held(cache, set())]
        out["steps"].append([*size, result])
    if not refuse:
        return out
    key, value, query = (torch.from_numpy(a) for a in story[0])
    nan_value, nan_key = value.clone(), key.clone()
    nan_value[1, 2, 3], nan_key[0, 0, 0] = float("nan"), float("inf")
    fresh = solution(heads, dim, fmt)
    calls = {
        "attend on an empty cache": lambda: fresh.attend(query),
        "a key with another head_dim": lambda: cache.append(key[:, :, :-1], value[:, :, :-1]),
        "more heads than the cache has": lambda: cache.append(
            torch.cat([key, key]), torch.cat([value, value])
        ),
        "one head for two": lambda: cache.append(key[:1], value[:1]),
        "values for fewer tokens than keys": lambda: cache.append(key, value[:, :-1]),
        "a value with another head_dim": lambda: cache.append(key, value[:, :, :-1]),
        "a NaN among the values": lambda: cache.append(key, nan_value),
        "an infinity among the keys": lambda: cache.append(nan_key, value),
        "a key without a token axis": lambda: cache.append(key[:, 0], value[:, 0]),
        "a query with another head_dim": lambda: cache.attend(query[:, :-1]),
        "three query heads for two heads": lambda: cache.attend(query[:3]),
        "a NaN in the query": lambda: cache.attend(query * float("nan")),
        "a query of one dimension": lambda: cache.attend(query[0]),
    }
    for name, call in calls.items():
        out["refused"][name] = refusal(call)
    out["after"] = [len(cache), cache.size_bytes(), held(cache, set()), cache.attend(query)]
    return out


def judge(case, answer):
    heads, dim, fmt = case.config
    expect.integer(answer["empty"][0], 0, "len of an empty cache")
    expect.integer(answer["empty"][1], 0, "size_bytes() of an empty cache")
    parts = []
    for at, (step, got) in enumerate(zip(case.story, answer["steps"], strict=True)):
        parts.append([codes * scales for codes, scales in (kv.quantize(x, fmt) for x in step[:2])])
        query = kv.bfloat16(step[2]) if case.inputs.get("narrow") else step[2]
        _state(got, parts, query, heads, dim, f"after portion {at}")
    for name, record in answer["refused"].items():
        expect.raised(record, "ValueError", f"Refuse this with a ValueError: {name}.")
    if "after" in answer:
        _state(answer["after"], parts, case.story[-1][2], heads, dim, "after refused calls")


def _state(got, parts, query, heads, dim, when):
    keys, values = (np.concatenate([p[i] for p in parts], axis=1) for i in (0, 1))
    tokens = keys.shape[1]
    length, size, held, result = got
    expect.integer(length, tokens, f"len {when}")
    want = 2 * heads * tokens * (dim + 4)
    expect.integer(size, want, f"size_bytes() {when}", hint="Codes one byte each, scales four.")
    expect.that(
        want <= held <= want + 64,
        f"The tensors in the cache's attributes do not add up to size_bytes() {when}.",
        yours=f"{held} bytes",
        right=f"{want} bytes",
        hint="Keep codes (one byte each) and float32 scales as tensors, and nothing else of a token.",
    )
    result = expect.tensor(result, f"attend {when}", shape=query.shape, dtype="torch.float32")
    exact = kv.attention(query, keys, values)
    loudest = np.linalg.norm(query, axis=1).max() * np.linalg.norm(keys, axis=2).max() / dim**0.5
    atol = ATTENTION * float(np.abs(values).max()) * max(1.0, float(loudest) / SCORES)
    expect.close(result, exact, f"attend {when}", rtol=0, atol=atol)
