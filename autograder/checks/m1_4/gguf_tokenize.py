"""gguf-tokenize: byte-pair merges in the order of the file's list."""

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_tokens

PARTS = {"merges": 0.5, "the shipped vocabulary": 0.35, "bad input": 0.15}
HINTS = (
    "Begin with single characters. The rank of a pair is its place in the list of merges.",
    "In each round merge the neighbours of lowest rank, the leftmost first.",
    "The ids come from the list of tokens, not from the list of merges.",
)


def cases(rng):
    small = gguf_tokens.metadata(
        ["<|end|>", "ab", "b", "abc", "a", "c", "bc"], ["b c", "a b", "ab c"]
    )
    for piece in ("a", "abc", "aabcb", "abab", "cab", "bcbc"):
        yield case(f"{piece!r}", "merges", metadata=small, piece=piece)
    yield case("a run of one letter", "merges", piece="a" * 7,
               metadata=gguf_tokens.metadata(["<|end|>", "aa", "a", "aaaa"], ["a a", "aa aa"]))  # fmt: skip
    yield case("an empty piece", "merges", metadata=small, piece="")
    for i in range(6):
        letters = rng.choice(list("abcd"), int(rng.integers(2, 25)))
        yield case(f"random merges {i}", "merges", metadata=gguf_tokens.random_vocabulary(rng),
                   piece="".join(letters))  # fmt: skip
    shipped = gguf_tokens.shipped()
    words = (
        "Ġthe",
        "Ġparameters",
        "return",
        "ĊĊĠĠĠĠĠĠĠĠ",
        "Ġgr\u00c3\u00b6\u00c3\u0141e",
        "====",
        "Ġ__init__",
    )
    for word in words:
        yield case(word, "the shipped vocabulary", metadata=shipped, piece=word)
    for piece in ("abz", "a b", "Z"):
        yield case(f"{piece!r}, with a character that no token has", "bad input", metadata=small,
                   piece=piece)  # fmt: skip


def probe(solution, metadata, piece):
    found = outcome(lambda: solution(metadata, piece))
    if isinstance(found.get("value"), (list, tuple)):
        found["value"] = [int(i) for i in found["value"]]
    return found


def judge(case, answer):
    if case.part == "bad input":
        return gguf_judge.refused(answer, f"{case.label}: raise ValueError.")
    answer = gguf_judge.returned(answer, "This is good input.")
    want = gguf_tokens.encode(case.metadata, case.piece)
    if not isinstance(answer, list):
        expect.wrong("type", "Return a list of ids.", yours=expect.kind(answer), right="a list")
    tokens = case.metadata["tokenizer.ggml.tokens"]
    spelled = [[tokens[i] for i in ids if 0 <= i < len(tokens)] for ids in (answer, want)]
    return expect.that(answer == want, "The tokens are off.", yours=f"{spelled[0]} {answer[:8]}",
                       right=f"{spelled[1]} {want[:8]}")  # fmt: skip
