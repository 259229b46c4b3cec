"""Answers to tokenizer-keys."""

from autograder.checks.bank import right, wrong


def _is_gpt2(pre):
    return bool(pre) and (pre.get("type"), pre.get("use_regex"), pre.get("add_prefix_space")) == (
        "ByteLevel", True, False,
    )  # fmt: skip


def _keys(tokenizer, config, *, kind=True, pre=_is_gpt2, fits=True, added=True, types=None, unused=5,
          pad="[PAD{}]", pair=" ".join, bos=None, order=sorted, names=("gpt2", "gpt-2"), swap=False,
          size=None):  # fmt: skip
    if kind and tokenizer["model"]["type"] != "BPE":
        raise ValueError("no BPE")
    if not pre(tokenizer["pre_tokenizer"]):
        raise ValueError("unknown pre-tokenizer")
    texts = {i: t for t, i in tokenizer["model"]["vocab"].items()}
    extra = {t["id"]: t for t in tokenizer["added_tokens"]} if added else {}
    texts.update({i: t["content"] for i, t in extra.items()})
    count = size(tokenizer, config) if size else config["vocab_size"]
    if fits and max(texts) >= count:
        raise ValueError("too few embeddings")
    types = types or (lambda t: 3 if t["special"] else 4)
    kinds = [types(extra[i]) if i in extra else 1 if i in texts else unused for i in range(count)]
    first = ((tokenizer["post_processor"] or {}).get("single") or [{}])[0]
    merges = [m if isinstance(m, str) else pair(m) for m in tokenizer["model"]["merges"]]
    ids = [config["bos_token_id"], config["eos_token_id"]][:: -1 if swap else 1]
    return {
        "tokenizer.ggml.model": names[0],
        "tokenizer.ggml.pre": names[1],
        "tokenizer.ggml.tokens": [texts.get(i, pad.format(i)) for i in range(count)],
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": order(merges) if order is not sorted else merges,
        "tokenizer.ggml.bos_token_id": ids[0],
        "tokenizer.ggml.eos_token_id": ids[1],
        "tokenizer.ggml.add_bos_token": bos(first) if bos else "SpecialToken" in first,
    }


@right("dicts by id")
def by_dicts(tokenizer, config):
    return _keys(tokenizer, config)


@right("lists filled in place")
def in_place(tokenizer, config):
    pre = tokenizer["pre_tokenizer"]
    if tokenizer["model"]["type"] != "BPE" or not _is_gpt2(pre):
        raise ValueError("not a byte-level BPE of GPT-2's kind")
    size = config["vocab_size"]
    tokens, types = [f"[PAD{i}]" for i in range(size)], [5] * size
    try:
        for text, i in tokenizer["model"]["vocab"].items():
            tokens[i], types[i] = text, 1
        for token in tokenizer["added_tokens"]:
            tokens[token["id"]] = token["content"]
            types[token["id"]] = (4, 3)[bool(token["special"])]
    except IndexError as error:
        raise ValueError("more tokens than embeddings") from error
    out = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2"}
    out |= {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types}
    merges = tokenizer["model"]["merges"]
    out["tokenizer.ggml.merges"] = [
        "{} {}".format(*m) if len(m) == 2 and type(m) is list else m for m in merges
    ]
    for name in ("bos_token_id", "eos_token_id"):
        out[f"tokenizer.ggml.{name}"] = config[name]
    processor = tokenizer["post_processor"]
    template = processor.get("single", []) if processor else []
    out["tokenizer.ggml.add_bos_token"] = bool(template) and "SpecialToken" in template[0]
    return out


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(tokenizer, config):
        return _keys(tokenizer, config, **changes)

    return answer


no_added = _wrong(
    "added-forgotten", "Added tokens have ids, texts and types of their own.", added=False
)
all_normal = _wrong("special-normal", "A special token is control, type 3: text must not turn into it.",
                    types=lambda t: 1)  # fmt: skip
all_control = _wrong("added-all-control", "An added token that is not special is user-defined, type 4.",
                     types=lambda t: 3)  # fmt: skip
exchanged = _wrong("types-exchanged", "3 is control (special), 4 is user-defined.",
                   types=lambda t: 4 if t["special"] else 3)  # fmt: skip
unused_normal = _wrong("unused-normal", "An id without a token is unused, type 5.", unused=1)
padding = _wrong("pad-without-number", "Unused ids have texts of their own, [PAD17]: texts must differ.",
                 pad="[PAD]")  # fmt: skip
joined = _wrong("merge-joined", "A merge keeps its two halves apart, by one space.", pair="".join)
backwards = _wrong("merges-backwards", "Merges stand in the order of training, the first before all.",
                   order=lambda m: m[::-1])  # fmt: skip
no_kind = _wrong("any-model", "A tokenizer that is no BPE must raise ValueError.", kind=False)
any_pre = _wrong("any-pre-tokenizer", "A pre-tokenizer whose name you do not know must raise ValueError.",
                 pre=lambda p: True)  # fmt: skip
byte_level = _wrong("byte-level-is-enough", "ByteLevel without use_regex cuts words in another way.",
                    pre=lambda p: bool(p) and p["type"] == "ByteLevel")  # fmt: skip
overfull = _wrong(
    "ids-unguarded", "An id at or above vocab_size has no embedding: ValueError.", fits=False
)
never_bos = _wrong("bos-never", "add_bos_token follows from the post-processor's template.",
                   bos=lambda first: False)  # fmt: skip
always_bos = _wrong(
    "bos-always", "Without a template no BOS token is added.", bos=lambda first: True
)
any_template = _wrong("bos-by-template", "A template may begin with the text: look at its first entry.",
                      bos=lambda first: bool(first))  # fmt: skip
ids_swapped = _wrong("ids-swapped", "bos and eos are two ids, read each from its field.", swap=True)
llama = _wrong("model-llama", "The model `llama` is SentencePiece; a byte-level BPE is `gpt2`.",
               names=("llama", "default"))  # fmt: skip
short = _wrong("tokens-only", "As many texts as embeddings, vocab_size of them.",
               size=lambda t, c: 1 + max(a["id"] for a in t["added_tokens"]))  # fmt: skip


@wrong("vocab-order", "Texts stand in the order of their ids, not of tokenizer.json.")
def file_order(tokenizer, config):
    out = _keys(tokenizer, config)
    texts = list(tokenizer["model"]["vocab"])
    out["tokenizer.ggml.tokens"] = texts + out["tokenizer.ggml.tokens"][len(texts) :]
    return out


@wrong("vocab-wins", "An added token's text and type count, also where the vocab has its id.")
def vocab_wins(tokenizer, config):
    vocab = set(tokenizer["model"]["vocab"].values()) - {0}
    added = [t for t in tokenizer["added_tokens"] if t["id"] not in vocab]
    return _keys(tokenizer | {"added_tokens": added}, config)


def _single(tokenizer):
    return (tokenizer["post_processor"] or {}).get("single") or []


@wrong("special-token-anywhere", "Only a template that begins with a special token adds a BOS.")
def anywhere(tokenizer, config):
    found = any("SpecialToken" in part for part in _single(tokenizer))
    return _keys(tokenizer, config) | {"tokenizer.ggml.add_bos_token": found}


@wrong("empty-template", "The template may be an empty list: nothing begins it.")
def empty_template(tokenizer, config):
    if "single" in (tokenizer["post_processor"] or {}):
        tokenizer["post_processor"]["single"][0]
    return _keys(tokenizer, config)


@wrong("id-equal-to-size-passes", "Ids begin at 0: one that equals vocab_size has no embedding.")
def equal_passes(tokenizer, config):
    ids = [*tokenizer["model"]["vocab"].values(), *(t["id"] for t in tokenizer["added_tokens"])]
    if max(ids) > config["vocab_size"]:
        raise ValueError("too few embeddings")
    return _keys(tokenizer, config, fits=False)


@wrong("tokens-counted", "Compare the largest id, not the number of tokens.")
def counted(tokenizer, config):
    ids = {*tokenizer["model"]["vocab"].values(), *(t["id"] for t in tokenizer["added_tokens"])}
    if len(ids) > config["vocab_size"]:
        raise ValueError("too few embeddings")
    return _keys(tokenizer, config, fits=False)


@wrong("sequence-searched", "A Sequence cuts elsewhere as well: only a plain ByteLevel is gpt-2.")
def in_sequence(tokenizer, config):
    def known(pre):
        return _is_gpt2(pre) or any(known(p) for p in (pre or {}).get("pretokenizers", ()))

    return _keys(tokenizer, config, pre=known)


any_place = _wrong("special-by-look", "`special` says what a token is, not its brackets.",
                   types=lambda t: 3 if t["content"].startswith("<|") else 4)  # fmt: skip
flags_only = _wrong("flags-only", "The pre-tokenizer's type must be ByteLevel, too.",
                    pre=lambda p: bool(p) and _is_gpt2(p | {"type": "ByteLevel"}))  # fmt: skip


def _ids(tokenizer):
    added = [t["id"] for t in tokenizer["added_tokens"]]
    return set(tokenizer["model"]["vocab"].values()), set(added)


def _room(name, sentence, full):
    @wrong(name, sentence)
    def answer(tokenizer, config):
        if full(*_ids(tokenizer), config["vocab_size"]):
            raise ValueError("too few embeddings")
        return _keys(tokenizer, config, fits=False)

    return answer


added_only = _room("added-ids-only", "The ids of the vocab need embeddings, too.",
                   lambda vocab, added, size: max(added) >= size)  # fmt: skip
