"""tokenizer.json as GGUF's `tokenizer.ggml.*`: tokens, their types, merges, special ids, pre-tokenizer.

Two kinds are known, those of Llama models: byte-level BPE (GPT-2's and Llama 3's, "gpt2" in GGUF) and
BPE with byte fallback (SentencePiece's, Llama 1 and 2, "llama"). llama.cpp does not read a regular
expression from the file: it knows pre-tokenizers by name, so an unknown one is refused.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.errors import CourseError

if TYPE_CHECKING:
    from gguf import GGUFWriter

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = {LLAMA3_PATTERN: "llama-bpe", LLAMA3_PATTERN.replace("{1,3}", ""): "qwen2"}


def add_tokenizer(
    writer: "GGUFWriter", folder: Path, config: dict[str, Any], pre: str | None = None
) -> None:
    """Add a folder's tokenizer to a GGUF file.

    Args:
        config: config.json; its vocab_size may be larger than the tokenizer's (the rest is unused).
        pre: the pre-tokenizer's name, where it is not recognized.

    Raises:
        CourseError: no tokenizer.json, or one that llama.cpp cannot follow.
    """
    import gguf

    tokenizer = read_tokenizer(folder)
    size = config["vocab_size"]
    model = tokenizer["model"]
    if model.get("byte_fallback"):
        _add_sentencepiece(writer, folder, size)
        merges = False
    else:
        tokens, types = tokens_and_types(tokenizer, size)
        name = pre or pre_tokenizer(tokenizer)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(name)
        writer.add_token_list(tokens)
        writer.add_token_types(types)
        merges = True
    special = gguf.SpecialVocab(folder, load_merges=merges, n_vocab=size)
    special.add_to_gguf(writer, quiet=True)


def read_tokenizer(folder: Path) -> dict[str, Any]:
    """tokenizer.json with a BPE model. Raises CourseError for anything else."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(
            f"{folder} has no tokenizer.json: a GGUF file carries its tokenizer. Save it there with "
            "AutoTokenizer.from_pretrained(...).save_pretrained(...)."
        ) from error
    except ValueError as error:
        raise CourseError(f"{path} is not JSON: download the tokenizer again.") from error
    model = tokenizer.get("model") if isinstance(tokenizer, dict) else None
    if not isinstance(model, dict) or model.get("type") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else "none"
        raise CourseError(f"{path.name} holds a tokenizer of type {kind}; Llama models use BPE.")
    return tokenizer


def tokens_and_types(tokenizer: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    """Text and type of each id below `size` of a byte-level BPE.

    Types: 1 normal, 3 control (special added tokens, and such as look like one), 4 user-defined
    (other added tokens), 5 unused (an id without a token).

    Raises:
        CourseError: an id at or above `size`.
    """
    from gguf import TokenType

    texts = {i: text for text, i in tokenizer["model"]["vocab"].items()}
    added = {t["id"]: t for t in tokenizer.get("added_tokens", [])}
    texts |= {i: t["content"] for i, t in added.items()}
    if max(texts, default=0) >= size:
        raise CourseError(
            f"The tokenizer has id {max(texts)}, the model {size} embeddings: they do not belong "
            "together."
        )
    tokens, types = [], []
    for i in range(size):
        kind = TokenType.UNUSED if i not in texts else TokenType.NORMAL
        if i in added:
            text = texts[i]
            control = added[i].get("special") or (text.startswith("<|") and text.endswith("|>"))
            kind = TokenType.CONTROL if control else TokenType.USER_DEFINED
        tokens.append(texts.get(i, f"[PAD{i}]"))
        types.append(int(kind))
    return tokens, types


def pre_tokenizer(tokenizer: dict[str, Any]) -> str:
    """llama.cpp's name for how a byte-level BPE cuts text into words.

    Raises:
        CourseError: none of those that are known here, or a normalizer, which llama.cpp has not.
    """
    if tokenizer.get("normalizer"):
        raise CourseError("llama.cpp normalizes no text for this kind of tokenizer; this one does.")
    outer = tokenizer.get("pre_tokenizer") or {}
    steps = outer.get("pretokenizers", []) if outer.get("type") == "Sequence" else [outer]
    kinds = [step.get("type") for step in steps]
    byte_level = steps[-1] if steps and kinds[-1] == "ByteLevel" else None
    if byte_level and not byte_level.get("add_prefix_space"):
        gpt2 = byte_level.get("use_regex", True)
        if gpt2 and kinds == ["ByteLevel"]:
            return "gpt-2"
        if gpt2 and kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
            return "smollm"
        if not gpt2 and kinds == ["Split", "ByteLevel"] and steps[0].get("behavior") == "Isolated":
            name = PATTERNS.get(steps[0].get("pattern", {}).get("Regex"))
            # Under llama-bpe a whole word that is a token is taken as it is, without merging.
            if name and (name == "llama-bpe") == bool(tokenizer["model"].get("ignore_merges")):
                return name
    raise CourseError(
        "llama.cpp's name for this pre-tokenizer is not known here: find it in convert_hf_to_gguf's "
        "get_vocab_base_pre and give it as pre=..."
    )


def _add_sentencepiece(writer: "GGUFWriter", folder: Path, size: int) -> None:
    """A BPE with byte fallback, by the gguf package's own reading of it."""
    import gguf

    try:
        vocabulary = gguf.LlamaHfVocab(folder)
    except (FileNotFoundError, TypeError, KeyError) as error:
        raise CourseError(f"This tokenizer with byte fallback is not Llama's ({error}).") from error
    entries = list(vocabulary.all_tokens())
    if len(entries) > size:
        raise CourseError(f"The tokenizer has {len(entries)} tokens, the model {size} embeddings.")
    unused = [(f"[PAD{i}]", 0.0, gguf.TokenType.UNUSED) for i in range(len(entries), size)]
    tokens, scores, types = zip(*entries, *unused, strict=True)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types([int(kind) for kind in types])
