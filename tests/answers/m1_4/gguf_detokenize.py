"""Answers to gguf-detokenize."""

from autograder.checks.bank import right, wrong
from autograder.checks.oracles.gguf_tokens import alphabet

BYTE_OF = {char: byte for byte, char in enumerate(alphabet())}


def _checked(metadata, ids, low=True, high=True):
    count = len(metadata["tokenizer.ggml.tokens"])
    for i in ids:
        if (low and i < 0) or (high and i >= count):
            raise ValueError(f"no token {i}")


def _text(metadata, ids, *, control=(3,), errors="replace", keep=False):
    tokens, types = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    out = bytearray()
    for i in ids:
        if types[i] in control:
            continue
        out += b"".join(bytes([BYTE_OF[c]]) if c in BYTE_OF else c.encode() for c in tokens[i])
    return out.decode("utf-8", errors)


@right("join, bytes, decode")
def joined(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids)


@right("an incremental decoder")
def incremental(metadata, ids):
    import codecs

    tokens, types = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    out = []
    for i in ids:
        if i not in range(len(tokens)):
            raise ValueError(i)
        if types[i] != 3:
            out.append(decoder.decode(bytes(BYTE_OF[c] for c in tokens[i])))
    return "".join(out) + decoder.decode(b"", True)


@wrong("tokens-joined", "The characters stand for bytes: a Ġ is a space.")
def plain(metadata, ids):
    _checked(metadata, ids)
    tokens, types = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    return "".join(tokens[i] for i in ids if types[i] != 3)


@wrong("spaces-only", "All 256 bytes have a character, not only the space and the line end.")
def spaces(metadata, ids):
    return plain(metadata, ids).replace("Ġ", " ").replace("Ċ", "\n")


@wrong("token-by-token", "Decode all bytes together: a character may be split over two tokens.")
def each(metadata, ids):
    _checked(metadata, ids)
    return "".join(_text(metadata, [i]) for i in ids)


@wrong("errors-ignored", "Bytes that are no UTF-8 become U+FFFD, they do not vanish.")
def ignored(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids, errors="ignore")


@wrong("errors-strict", "Half a character at the end is normal: decode with errors='replace'.")
def strict(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids, errors="strict")


@wrong("latin-1", "The bytes are UTF-8.")
def latin(metadata, ids):
    _checked(metadata, ids)
    return (
        _text(metadata, ids, errors="surrogateescape")
        .encode("utf-8", "surrogateescape")
        .decode("latin-1")
    )


@wrong("control-tokens-kept", "Control tokens (type 3) are no text.")
def kept(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids, control=())


@wrong("id-zero-only", "Every token of type 3 is a control token, not only id 0.")
def zero_only(metadata, ids):
    _checked(metadata, ids)
    types = [3] + [1] * (len(metadata["tokenizer.ggml.tokens"]) - 1)
    return _text({**metadata, "tokenizer.ggml.token_type": types}, ids)


@wrong("control-by-spelling", "A text may spell <|end|>: the type tells, not the letters.")
def spelling(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids).replace("<|end|>", "")


@wrong("stops-at-control", "A control token is left out; the text goes on behind it.")
def stops(metadata, ids):
    _checked(metadata, ids)
    types = metadata["tokenizer.ggml.token_type"]
    return _text(metadata, ids[: next((k for k, i in enumerate(ids) if types[i] == 3), len(ids))])


@wrong("stripped", "Spaces at the ends belong to the text.")
def stripped(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids).strip()


@wrong("spaces-between", "The spaces are in the tokens: put none between them.")
def between(metadata, ids):
    _checked(metadata, ids)
    return " ".join(_text(metadata, [i]) for i in ids)


@wrong("negative-ids", "A negative id indexes from the end in Python: refuse it.")
def negative(metadata, ids):
    _checked(metadata, ids, low=False)
    return _text(metadata, ids)


@wrong("index-error", "An id that the list does not have must raise ValueError.")
def index_error(metadata, ids):
    _checked(metadata, ids, high=False)
    return _text(metadata, ids)


@wrong("bad-ids-skipped", "An id that the list does not have must raise ValueError.")
def skipped(metadata, ids):
    count = len(metadata["tokenizer.ggml.tokens"])
    return _text(metadata, [i for i in ids if 0 <= i < count])


@wrong("bytes-returned", "Return a str.")
def raw(metadata, ids):
    return joined(metadata, ids).encode()


@wrong("only-normal-tokens", "Only type 3 is left out: a user-defined token (4) is text.")
def only_normal(metadata, ids):
    _checked(metadata, ids)
    return _text(metadata, ids, control=(2, 3, 4, 5, 6))


@wrong(
    "control-by-angle-brackets", "The list of types says what is control, not the look of a token."
)
def by_brackets(metadata, ids):
    _checked(metadata, ids)
    tokens = metadata["tokenizer.ggml.tokens"]
    kept = [i for i in ids if not (tokens[i][0] == "<" and tokens[i][-1] == ">" and tokens[i][1:])]
    return _text(metadata, kept)


@wrong("last-id-tested", "Test every id, not only the last.")
def last_tested(metadata, ids):
    _checked(metadata, ids[-1:])
    count = len(metadata["tokenizer.ggml.tokens"])
    return _text(metadata, [i for i in ids if 0 <= i < count])
