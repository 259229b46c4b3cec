"""The stages: tokenizer, base (masked words), teacher, pruned teacher, student; each a saved folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from data.sentiment.training import Batch, Recipe
from lab.data import SentenceDataset, load_sst2
from lab.errors import CourseError
from lab.sentiment import LENGTH

VOCABULARY = 4000
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, MASK = SPECIAL.index("[PAD]"), SPECIAL.index("[MASK]")
MASKED_SHARE = 0.15  # Devlin et al. 2019, section 3.1
# Inputs replaced by [MASK] while a classifier trains: so that no single word decides.
HIDDEN_WORDS = 0.2
# Masked words are noise enough: less dropout than in fine-tuning.
BASE_DROPOUT = 0.1
TEMPERATURE, ALPHA = 2.0, 0.7
# The seed of the split of the training sentences that hyperparameters were chosen on.
TUNING_SEED, TUNING_COUNT = 1, 920

BERT = BertConfig(
    vocab_size=VOCABULARY,
    hidden_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=256,
    max_position_embeddings=LENGTH,
    hidden_dropout_prob=0.3,
    initializer_range=0.05,
    num_labels=2,
)
DISTILBERT = DistilBertConfig(
    vocab_size=VOCABULARY,
    dim=64,
    n_layers=2,
    n_heads=2,
    hidden_dim=128,
    max_position_embeddings=LENGTH,
    dropout=0.1,
    seq_classif_dropout=0.2,
    initializer_range=0.05,
    num_labels=2,
)
RECIPES = {
    "base": Recipe(epochs=12, peak_rate=2e-3),
    "teacher": Recipe(epochs=6, peak_rate=7e-4),
    "pruned": Recipe(epochs=1, peak_rate=5e-4, warmup=20),
    "student": Recipe(epochs=8, peak_rate=2e-3),
}


def real_sst2() -> SentenceDataset:
    """SST-2's own files.

    Raises:
        CourseError: there is no cache and no mirror.
    """
    data = load_sst2()
    if data.is_stand_in:
        raise CourseError(
            f"The classifiers are trained on SST-2's own files, and they are not here: {data.note} "
            "Set COURSE_MIRROR to a folder that has sst2/train.tsv."
        )
    return data


@dataclass(frozen=True)
class Split:
    """Sentences to train on, with labels (N,) int64, and those that measure."""

    sentences: list[str]
    labels: np.ndarray
    test_sentences: list[str]
    test_labels: np.ndarray


def tuning_split(data: SentenceDataset) -> Split:
    """The training sentences without 920 of them, and these: the dev files play no part."""
    order = np.random.default_rng(TUNING_SEED).permutation(len(data.train_sentences))
    kept, held = order[:-TUNING_COUNT], order[-TUNING_COUNT:]
    pick = data.train_sentences.__getitem__
    return Split(
        [pick(i) for i in kept],
        data.train_labels[kept],
        [pick(i) for i in held],
        data.train_labels[held],
    )


def full_split(data: SentenceDataset) -> Split:
    """All training sentences, and the dev file."""
    return Split(data.train_sentences, data.train_labels, data.valid_sentences, data.valid_labels)


def train_tokenizer(sentences: list[str], vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """WordPiece of lower-cased words (Devlin et al. 2019); [CLS] before a sentence, [SEP] after it.

    Raises:
        CourseError: the sentences do not fill the vocabulary.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, min_frequency=2, special_tokens=list(SPECIAL), show_progress=False
    )
    tokenizer.train_from_iterator(sentences, trainer)
    if tokenizer.get_vocab_size() != vocabulary:
        raise CourseError(
            f"The sentences give {tokenizer.get_vocab_size()} tokens, not {vocabulary}: use more text."
        )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=LENGTH,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


class MaskedWords(torch.nn.Module):
    """A classifier's encoder with an output layer over the vocabulary, for pre-training alone."""

    def __init__(self, classifier: BertForSequenceClassification):
        super().__init__()
        self.bert = classifier.bert
        self.head = BertForMaskedLM(classifier.config).cls
        # As in BERT, the output layer is the embedding.
        self.head.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight


def masked_word_loss(model: MaskedWords, batch: Batch) -> torch.Tensor:
    """Cross-entropy of 15 % of the words, nats; 80 % of them hidden, 10 % swapped, 10 % left."""
    ids = batch["input_ids"]
    chosen = (torch.rand(ids.shape) < MASKED_SHARE) & (ids >= len(SPECIAL))
    fate = torch.rand(ids.shape)
    seen = torch.where(chosen & (fate < 0.8), MASK, ids)
    others = torch.randint(len(SPECIAL), model.bert.config.vocab_size, ids.shape)
    seen = torch.where(chosen & (fate >= 0.9), others, seen)
    hidden = model.bert(seen, attention_mask=batch["attention_mask"])[0]
    return F.cross_entropy(model.head(hidden[chosen]), ids[chosen])


def classification_loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Cross-entropy of the labels, nats, with some words hidden."""
    return model(**hide_words(batch)).loss


def distillation_loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Hinton et al. 2015: soft targets (batch["soft"], the teacher's logits) and labels."""
    hidden = hide_words(batch)
    soft = hidden.pop("soft") / TEMPERATURE
    out = model(**hidden)
    kl = F.kl_div(
        F.log_softmax(out.logits / TEMPERATURE, -1), soft.softmax(-1), reduction="batchmean"
    )
    return ALPHA * TEMPERATURE**2 * kl + (1 - ALPHA) * out.loss


def hide_words(batch: Batch, share: float = HIDDEN_WORDS) -> Batch:
    """A copy of the batch with a share of its words replaced by [MASK]."""
    ids = batch["input_ids"]
    hit = (torch.rand(ids.shape) < share) & (ids >= len(SPECIAL))
    return {**batch, "input_ids": torch.where(hit, MASK, ids)}


def magnitude_masks(
    parameters: dict[str, torch.Tensor], sparsity: float
) -> dict[str, torch.Tensor]:
    """Masks of each matrix without its round(sparsity * size) smallest weights."""
    masks = {}
    for name, weight in parameters.items():
        order = weight.detach().abs().flatten().argsort(stable=True)
        mask = torch.ones(weight.numel(), dtype=torch.bool)
        mask[order[: round(sparsity * weight.numel())]] = False
        masks[name] = mask.view_as(weight)
    return masks


def new_base(seed: int) -> BertForSequenceClassification:
    """The BERT-architecture model, untrained, with the dropout of pre-training."""
    torch.manual_seed(seed)
    return BertForSequenceClassification(_with_dropout(BASE_DROPOUT))


def _with_dropout(share: float) -> BertConfig:
    return BertConfig(**{**BERT.to_diff_dict(), "hidden_dropout_prob": share})


def new_student(seed: int) -> DistilBertForSequenceClassification:
    """The DistilBERT-architecture model, untrained."""
    torch.manual_seed(seed)
    return DistilBertForSequenceClassification(DISTILBERT)


def folder_bytes(folder: Path) -> int:
    """Bytes of the files of a folder."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
