"""Byte-level BPE as GGUF metadata, and the `tokenizers` library as its oracle."""

import json

import numpy as np

from lab.lm import model_folder

NORMAL, CONTROL = 1, 3


def alphabet() -> list[str]:
    """The 256 characters that stand for the bytes 0 to 255 (GPT-2's table), in the order of bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def metadata(tokens: list[str], merges: list[str], control: int = 1) -> dict:
    """The tokenizer's keys of a GGUF file; the first `control` tokens are control tokens."""
    types = [CONTROL] * control + [NORMAL] * (len(tokens) - control)
    return {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 0,
    }


def shipped() -> dict:
    """The shipped model's tokenizer as GGUF metadata."""
    model = json.loads((model_folder("lm") / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return metadata(tokens, [m if isinstance(m, str) else " ".join(m) for m in model["merges"]])


def random_vocabulary(rng: np.random.Generator, letters: str = "abcd", merges: int = 14) -> dict:
    """Tokens that random merges make, in an order that tells nothing about the merges'."""
    tokens, pairs = list(letters), []
    while len(pairs) < merges:
        left, right = (tokens[i] for i in rng.integers(len(tokens), size=2))
        if left + right not in tokens and len(left + right) < 7:
            pairs.append(f"{left} {right}")
            tokens.append(left + right)
    order = rng.permutation(len(tokens))
    return metadata(["<|end|>", *(tokens[i] for i in order)], pairs)


def encode(found: dict, piece: str) -> list[int]:
    """Token ids of one piece by the `tokenizers` library."""
    from tokenizers.models import BPE

    vocabulary = {token: i for i, token in enumerate(found["tokenizer.ggml.tokens"])}
    merges = [tuple(pair.split(" ")) for pair in found["tokenizer.ggml.merges"]]
    return [token.id for token in BPE(vocabulary, merges).tokenize(piece)]


def decode(found: dict, ids: list[int]) -> str:
    """The text of token ids without control tokens."""
    table = {char: byte for byte, char in enumerate(alphabet())}
    tokens, types = found["tokenizer.ggml.tokens"], found["tokenizer.ggml.token_type"]
    text = "".join(tokens[i] for i in ids if types[i] != CONTROL)
    return bytes(table[char] for char in text).decode("utf-8", "replace")
