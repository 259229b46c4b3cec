"""tokenizer-keys: tokenizer.json as GGUF's tokenizer.ggml.*."""

import copy

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import hf_gguf

PARTS = {"tokens": 0.5, "special": 0.3, "edges": 0.2}
HINTS = (
    "Turn the vocab round: {id: token}. Added tokens come on top, under their own ids.",
    "range(vocab_size): an id that neither table has becomes [PADid] with type 5.",
    'A merge is ["a", "b"] or "a b"; both become "a b".',
)
LISTS = ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges")


def cases(rng):
    plain = hf_gguf.small_config(rng, vocab_size=271)
    padded = hf_gguf.small_config(rng, vocab_size=300, bos_token_id=0, eos_token_id=269)
    for label, config in (("as many embeddings as tokens", plain), ("more embeddings", padded)):
        yield case(label, "tokens", tokenizer=hf_gguf.small_tokenizer(rng), config=config)
    yield case(
        "no merges", "tokens", tokenizer=hf_gguf.small_tokenizer(rng, extra=0), config=padded
    )
    yield case("merges as text", "tokens", config=padded,
               tokenizer=hf_gguf.small_tokenizer(rng, old_merges=True))  # fmt: skip
    yield case("a template with a BOS token", "special", config=padded,
               tokenizer=hf_gguf.with_bos(hf_gguf.small_tokenizer(rng)))  # fmt: skip
    without = hf_gguf.with_bos(hf_gguf.small_tokenizer(rng))
    without["post_processor"]["single"] = without["post_processor"]["single"][1:]
    yield case("a template without a BOS token", "special", tokenizer=without, config=plain)
    behind = hf_gguf.with_bos(hf_gguf.small_tokenizer(rng))
    behind["post_processor"]["single"] = behind["post_processor"]["single"][::-1]
    yield case(
        "a template that ends with a special token", "special", tokenizer=behind, config=plain
    )
    empty = hf_gguf.with_bos(hf_gguf.small_tokenizer(rng))
    empty["post_processor"]["single"] = []
    yield case("an empty template", "special", tokenizer=empty, config=padded)
    ids = {"bos_token_id": 1, "eos_token_id": 2}
    last = hf_gguf.with_bos(hf_gguf.small_tokenizer(rng))
    last["post_processor"]["single"].reverse()
    yield case(
        "a template with a special token at its end", "special", tokenizer=last, config=plain
    )
    yield case("other ids", "special", tokenizer=hf_gguf.small_tokenizer(rng),
               config=hf_gguf.small_config(rng, **ids))  # fmt: skip
    inside = hf_gguf.small_tokenizer(rng)
    inside["added_tokens"][0:0] = [
        {"id": 33, "content": _text(inside, 33), "special": False, "normalized": True},
        {"id": 50, "content": "<|pad|>", "special": True, "normalized": False},
        {"id": 60, "content": "[MASK]", "special": True, "normalized": False},
        {"id": 61, "content": "<|user|>", "special": False, "normalized": True},
    ]
    inside["post_processor"] = {"type": "ByteLevel", "trim_offsets": False}
    yield case("added tokens with ids of the vocab", "special", tokenizer=inside, config=padded)
    hole = hf_gguf.small_tokenizer(rng)
    del hole["model"]["vocab"][_text(hole, 40)]
    yield case("an id without a token in the middle", "special", tokenizer=hole, config=plain)
    for size in (269, 270):
        yield case(f"ids up to 270, {size} embeddings", "edges", bad=True,
                   config=plain | {"vocab_size": size}, tokenizer=hf_gguf.small_tokenizer(rng))  # fmt: skip
    sparse = hf_gguf.small_tokenizer(rng)
    del sparse["model"]["vocab"][_text(sparse, 40)]
    yield case("270 tokens with a gap, id 270, 270 embeddings", "edges", bad=True, tokenizer=sparse,
               config=plain | {"vocab_size": 270})  # fmt: skip
    few = hf_gguf.small_tokenizer(rng)
    few["added_tokens"] = few["added_tokens"][:1]
    yield case("an id of the vocab without an embedding", "edges", bad=True, tokenizer=few,
               config=plain | {"vocab_size": 268})  # fmt: skip
    split = {
        "type": "Split",
        "pattern": {"String": " "},
        "add_prefix_space": False,
        "use_regex": True,
    }
    inner = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    yield case("fewer embeddings than tokens", "edges", bad=True,
               tokenizer=hf_gguf.small_tokenizer(rng), config=plain | {"vocab_size": 269})  # fmt: skip
    yield case("an id that equals vocab_size", "edges", bad=True,
               tokenizer=hf_gguf.small_tokenizer(rng), config=plain | {"vocab_size": 270})  # fmt: skip
    far = hf_gguf.small_tokenizer(rng)
    far["added_tokens"][-1]["id"] = 400
    yield case("few tokens, one id far above", "edges", bad=True, tokenizer=far, config=padded)
    other = hf_gguf.small_tokenizer(rng)
    other["model"]["type"] = "Unigram"
    yield case("a tokenizer that is no BPE", "edges", bad=True, tokenizer=other, config=padded)
    for label, change in (
        ("no GPT-2 pattern", {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}),
        ("a space in front", {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}),
        ("another pre-tokenizer", {"type": "Metaspace"}),
        ("a Split with the same flags", split),
        ("a ByteLevel inside a Sequence", {"type": "Sequence", "pretokenizers": [split, inner]}),
        ("no pre-tokenizer", None),
        ("ByteLevel inside a Sequence", {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]}),
    ):  # fmt: skip
        bad = hf_gguf.small_tokenizer(rng) | {"pre_tokenizer": change}
        yield case(label, "edges", bad=True, tokenizer=bad, config=padded)


def _text(tokenizer, number):
    """The vocab's text of an id."""
    return next(t for t, i in tokenizer["model"]["vocab"].items() if i == number)


def probe(solution, tokenizer, config, bad=False):
    if bad:
        return refusal(lambda: solution(tokenizer, config))
    return solution(tokenizer, config)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    want = hf_gguf.tokenizer_keys(copy.deepcopy(case.tokenizer), case.config)
    found = expect.mapping(answer, tuple(want))
    extra = sorted(str(key) for key in found if key not in want)
    expect.that(not extra, f"The dict has a key too many: {extra[:1]}.", stage="type",
                yours=f"{len(found)} keys", right=f"{len(want)} keys")  # fmt: skip
    for key in LISTS:
        same_lists(found[key], want[key], key)
    for key in (k for k in want if k not in LISTS):
        if isinstance(want[key], bool):
            expect.that(isinstance(found[key], bool), f"`{key}` must be a bool.", stage="type",
                        yours=expect.kind(found[key]), right="a bool")  # fmt: skip
            expect.that(
                found[key] == want[key], f"`{key}` is off.", yours=found[key], right=want[key]
            )
        elif isinstance(want[key], int):
            expect.integer(found[key], want[key], key)
        else:
            expect.that(
                found[key] == want[key], f"`{key}` is off.", yours=found[key], right=want[key]
            )


def same_lists(got, want, key):
    """Lists entry by entry; the first that differs is shown."""
    expect.that(isinstance(got, (list, tuple)), f"`{key}` must be a list.", stage="type",
                yours=expect.kind(got), right="a list")  # fmt: skip
    expect.that(len(got) == len(want), f"`{key}` has the wrong length.", stage="shape",
                yours=len(got), right=len(want))  # fmt: skip
    for i, (mine, right) in enumerate(zip(got, want, strict=True)):
        same = type(mine) is type(right) and mine == right
        expect.that(same, f"`{key}` differs.", yours=mine, right=right, where=f"entry {i}")
