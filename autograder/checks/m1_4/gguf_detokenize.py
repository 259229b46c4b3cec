"""gguf-detokenize: the text of token ids, with nothing but the file's metadata."""

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_tokens

PARTS = {"text": 0.4, "bytes and control tokens": 0.4, "bad ids": 0.2}
HINTS = (
    "Join the tokens first, turn characters into bytes next, and decode last.",
    "A character of several bytes may be split over tokens.",
    "A negative id indexes from the end in Python: refuse it yourself.",
)


def cases(rng):
    shipped = gguf_tokens.shipped()
    count = len(shipped["tokenizer.ggml.tokens"])
    for size in (1, 5, 40):
        ids = [int(i) for i in rng.integers(300, count, size)]
        yield case(f"{size} random tokens", "text", metadata=shipped, ids=ids)
    yield case("no token", "text", metadata=shipped, ids=[])
    letters = gguf_tokens.alphabet()
    tokens = ["<|end|>", "<pad>", *letters, "Ġthe", "ĠGr", "Ã¶Ã", "<b>", "####"]
    small = gguf_tokens.metadata(tokens, [], control=2)
    small["tokenizer.ggml.token_type"][-1] = 4  # user-defined: text like any other
    place = {token: i for i, token in enumerate(tokens)}
    part = "bytes and control tokens"
    for text in ("größe 日本", "\U0001f999!", "a\nb\tc\x00\x7f", " <|end|> "):
        ids = [place[letters[byte]] for byte in text.encode()]
        yield case(f"{text!r} byte by byte", part, metadata=small, ids=ids)
    yield case("a character split over tokens", part, metadata=small,
               ids=[place["ĠGr"], place["Ã¶Ã"], place[letters[0x9F]], place["Ġthe"]])  # fmt: skip
    yield case("half a character", part, metadata=small, ids=[place["a"], place[letters[0xC3]]])
    yield case(
        "control tokens between", part, metadata=small, ids=[0, place["a"], 1, 0, place["b"]]
    )
    yield case("a token in angle brackets that is text", part, metadata=small,
               ids=[place["<b>"], place["a"]])  # fmt: skip
    yield case("a user-defined token", part, metadata=small, ids=[place["a"], place["####"]])
    for bad in (len(tokens), -1, 10**6, -len(tokens)):
        yield case(f"id {bad}", "bad ids", metadata=small, ids=[5, bad])
        yield case(f"id {bad}", "bad ids", metadata=small, ids=[bad, 5, 6])


def probe(solution, metadata, ids):
    return outcome(lambda: solution(metadata, ids))


def judge(case, answer):
    if case.part == "bad ids":
        return gguf_judge.refused(answer, f"There is no {case.label}: raise ValueError.")
    answer = gguf_judge.returned(answer, "This is good input.")
    want = gguf_tokens.decode(case.metadata, case.ids)
    if not isinstance(answer, str):
        expect.wrong("type", "Return a str.", yours=expect.kind(answer), right="a str")
    return expect.that(answer == want, "The text is off.", yours=answer, right=want)
