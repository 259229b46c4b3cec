"""The corpus as token ids: a byte-level BPE of its own, trained on the training split."""

from collections.abc import Iterable

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from data.language_model.corpus import Document
from lab.errors import CourseError

VOCABULARY = 2048
END_OF_TEXT = "<|endoftext|>"


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """Byte-level BPE with GPT-2's pre-tokenizer, which llama.cpp knows; id 0 ends a text.

    Sennrich et al. 2016 (BPE), Radford et al. 2019 (bytes as the alphabet, so no text is unknown).

    Raises:
        CourseError: a vocabulary that cannot hold the 256 bytes and `<|endoftext|>`, or texts too
            short to fill it.
    """
    if vocabulary < 257:
        raise CourseError(f"A byte-level vocabulary has 257 entries or more, not {vocabulary}.")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() != vocabulary:
        raise CourseError(
            f"The text gives {tokenizer.get_vocab_size()} tokens, not {vocabulary}: "
            "use more text or ask for a smaller vocabulary."
        )
    return tokenizer


def encode_documents(tokenizer: Tokenizer, documents: Iterable[Document]) -> np.ndarray:
    """Token ids of the documents one after another, `<|endoftext|>` before each, (N,) uint16."""
    pieces = [np.zeros(0, np.uint16)]
    for document in documents:
        pieces.append(np.array([0, *tokenizer.encode(document.text).ids], dtype=np.uint16))
    return np.concatenate(pieces)
