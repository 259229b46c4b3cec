"""Answers to choose-file."""

from autograder.checks.bank import right, wrong


def _choose(files, keys, context, budget_bytes, *, factor=4, heads="llama.attention.head_count_kv",
            layers=True, room=lambda need, budget: need <= budget, key=None, memory=True, guard=True,
            top=True, cached=True, sort=min, width=None):  # fmt: skip
    if guard and (context < 1 or (top and context > keys["llama.context_length"])):
        raise ValueError("context")
    wide = width(keys) if width else keys[heads] * keys["llama.attention.key_length"]
    cache = factor * (keys["llama.block_count"] if layers else 1) * wide * context
    fits = [f for f in files if room(f["size_bytes"] + (cache if cached else 0), budget_bytes)]
    if not fits:
        raise ValueError("none fits")
    best = sort(fits, key=key or (lambda f: (f["kl_nats"], f["size_bytes"])))
    return best["name"], best["size_bytes"] + (cache if memory else 0)


@right("filter and minimum")
def by_minimum(files, keys, context, budget_bytes):
    return _choose(files, keys, context, budget_bytes)


@right("one pass")
def one_pass(files, keys, context, budget_bytes):
    if context not in range(1, keys["llama.context_length"] + 1):
        raise ValueError("context out of range")
    per_token = 1
    for name in (
        "llama.block_count",
        "llama.attention.head_count_kv",
        "llama.attention.key_length",
    ):
        per_token *= keys[name]
    best = None
    for file in files:
        memory = file["size_bytes"] + context * per_token * 2 * 2
        if memory > budget_bytes:
            continue
        rank = (file["kl_nats"], memory, file["name"])
        best = rank if best is None else min(best, rank)
    if best is None:
        raise ValueError("no file fits")
    return [best[2], best[1]]


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(files, keys, context, budget_bytes):
        return _choose(files, keys, context, budget_bytes, **changes)

    return answer


no_cache = _wrong("cache-forgotten", "The cache lies in the same memory.", cached=False)
keys_only = _wrong("keys-only", "Keys and values: two arrays.", factor=2)
float32 = _wrong("float32-cache", "The cache is F16, 2 bytes a value.", factor=8)
query = _wrong("query-heads", "Only key-value heads are cached: that is what grouping saves.",
               heads="llama.attention.head_count")  # fmt: skip
one_layer = _wrong("one-layer", "Every layer has a cache of its own.", layers=False)
hidden = _wrong("hidden-size", "The cache is as wide as the key-value heads, not as the hidden size.",
                width=lambda k: k["llama.embedding_length"])  # fmt: skip
strict = _wrong("strictly-below", "A file that fills the budget exactly fits.",
                room=lambda need, budget: need < budget)  # fmt: skip
smallest = _wrong(
    "smallest", "The best file that fits, not the smallest.", key=lambda f: f["size_bytes"]
)
largest = _wrong("largest", "The least divergence decides; a larger file may be worse.",
                 key=lambda f: f["size_bytes"], sort=max)  # fmt: skip
worst = _wrong("most-divergence", "The least KL is the best.", key=lambda f: f["kl_nats"], sort=max)
first = _wrong("ties-by-order", "Of equal divergences the smaller file is chosen.",
               key=lambda f: f["kl_nats"])  # fmt: skip
file_only = _wrong("file-without-cache", "memory_bytes is file and cache together.", memory=False)
unguarded = _wrong("context-unguarded", "A context below 1 or above the model's must raise ValueError.",
                   guard=False)  # fmt: skip
beyond = _wrong(
    "context-beyond", "A context above llama.context_length must raise ValueError.", top=False
)


@wrong("none-returned", "If no file fits, raise ValueError.")
def none(files, keys, context, budget_bytes):
    try:
        return _choose(files, keys, context, budget_bytes)
    except ValueError:
        return None


rounded = _wrong("divergence-rounded", "Compare the divergences as they are, not rounded.",
                 key=lambda f: (round(f["kl_nats"], 5), f["size_bytes"]))  # fmt: skip
alphabet = _wrong("ties-by-name", "Of equal divergences the smaller file is chosen, whatever its name.",
                  key=lambda f: (f["kl_nats"], f["name"]))  # fmt: skip


@right("by value length, sorted")
def by_value_length(files, keys, context, budget_bytes):
    if context < 1 or context > keys["llama.context_length"]:
        raise ValueError("context")
    wide = keys["llama.attention.key_length"] + keys["llama.attention.value_length"]
    heads = keys["llama.block_count"] * keys["llama.attention.head_count_kv"]
    need = heads * wide * context * 2
    for file in sorted(files, key=lambda f: (f["kl_nats"], f["size_bytes"])):
        if need + file["size_bytes"] <= budget_bytes:
            return file["name"], need + file["size_bytes"]
    raise ValueError("none fits")


@wrong("context-4096", "The longest context is llama.context_length.")
def fixed_context(files, keys, context, budget_bytes):
    return _choose(files, keys | {"llama.context_length": 4096}, context, budget_bytes)


@wrong("files-by-position", "A file is a dict: read it by its keys, not by their order.")
def by_position(files, keys, context, budget_bytes):
    names = ("name", "size_bytes", "kl_nats")
    listed = [dict(zip(names, f.values(), strict=False)) for f in files]
    return _choose(listed, keys, context, budget_bytes)
