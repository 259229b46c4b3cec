"""The shipped language models: what is loaded, what it scores, what quantization does to it."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from data.language_model.card import render_card
from lab.bigram import Bigram
from lab.errors import CourseError
from lab.fake_quant import decoder_linears, int8_activations, round_to_nearest, with_weights
from lab.lm import (
    MODELS,
    calibration_batch,
    complete,
    load_lm,
    load_tokenizer,
    load_tokens,
    model_folder,
    models_dir,
)
from lab.manifest import sha256_of
from lab.outliers import SITES, with_outliers
from lab.perplexity import perplexity, token_losses
from lab.profile import Profile

ROOT = Path(__file__).resolve().parent.parent
FEW = {"windows": 12}


def facts(*parts: str) -> dict:
    return json.loads(models_dir().joinpath(*parts).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model():
    return load_lm()


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


@pytest.fixture(scope="module")
def ids():
    return torch.from_numpy(load_tokens("heldout")[None, :128].astype(np.int64))


def test_the_shipped_files_are_the_measured_ones():
    corpus = facts("corpus", "corpus.json")
    for split in ("train", "heldout"):
        assert sha256_of(models_dir() / "corpus" / f"{split}.npy") == corpus[f"{split}_sha256"]
        assert len(load_tokens(split)) == corpus[f"{split}_tokens"]
    for name in MODELS:
        training = facts(name, "training.json")
        assert sha256_of(model_folder(name) / "model.safetensors") == training["weights_sha256"]
        assert training["train_tokens_sha256"] == corpus["train_sha256"]
    assert (models_dir() / "README.md").read_text(encoding="utf-8") == render_card(models_dir()), (
        "run `python -m data.language_model card`"
    )
    assert sum(p.stat().st_size for p in models_dir().rglob("*") if p.is_file()) < 24e6


def test_importing_the_bench_does_not_import_torch():
    modules = "lab.lm, lab.perplexity, lab.bigram, lab.fake_quant, lab.outliers, lab.instructions"
    code = f"import sys, {modules}; print('torch' in sys.modules or 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "False", done.stderr


def test_a_model_is_frozen_and_silent(capfd):
    draft = load_lm("draft")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert not draft.training and not any(p.requires_grad for p in draft.parameters())
    assert {p.dtype for p in draft.parameters()} == {torch.float32}


def test_a_profile_chooses_the_dtype():
    class Half(Profile):
        dtype = torch.bfloat16

    assert load_lm("draft", Half("gpu", "cpu", "none")).dtype == torch.bfloat16
    assert load_lm("draft", Profile("cpu", "cpu", "none")).dtype == torch.float32


def test_shapes_suit_the_formats(model):
    config = model.config
    # k-quants take rows in blocks of 256; grouped-query attention has its own lessons.
    assert config.hidden_size % 256 == 0 and config.intermediate_size % 256 == 0
    assert config.num_attention_heads > config.num_key_value_heads
    assert 3e6 < facts("lm", "training.json")["parameters"] < 6e6
    assert {tuple(w.weight.shape)[1] % 256 for w in decoder_linears(model).values()} == {0}
    assert len(decoder_linears(model)) == 7 * config.num_hidden_layers


def test_the_tokenizer_is_the_same_for_both_and_loses_nothing(tokenizer):
    other = load_tokenizer("draft")
    assert tokenizer.get_vocab() == other.get_vocab()
    assert len(tokenizer) == 2048 and tokenizer.eos_token_id == tokenizer.bos_token_id == 0
    text = "def f(x):\n\treturn  {x!r}  # \u00fcber \u4e2d\u6587 \U0001f600\n\n  end"
    assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_the_splits_share_no_paragraph(tokenizer):
    def paragraphs(split):
        text = tokenizer.decode(load_tokens(split).tolist())
        kept = set()
        for document in text.split("<|endoftext|>"):
            kept |= {" ".join(p.split()) for p in document.split("\n\n")}
        return kept - {""}

    train, heldout = paragraphs("train"), paragraphs("heldout")
    assert len(train) > 10_000 and len(heldout) > 1000
    assert not train & heldout


def test_calibration_batches_come_from_training():
    batch = calibration_batch(5, 16)
    assert batch.shape == (5, 16) and batch.dtype == torch.int64
    assert torch.equal(batch, calibration_batch(5, 16))
    assert not torch.equal(batch, calibration_batch(5, 16, seed=1))
    train = load_tokens("train")
    starts = np.random.default_rng(0).integers(len(train) - 15, size=5)
    for row, start in zip(batch.numpy(), starts, strict=True):
        assert (row == train[start : start + 16]).all()
    assert calibration_batch().shape == (128, 128)


def test_perplexity_is_the_card_s_and_repeats(model):
    measured = perplexity(model)
    assert measured == perplexity(model)
    assert measured == pytest.approx(facts("figures.json")["perplexity"]["lm"], rel=2e-3)


def test_perplexity_equals_the_model_s_own_loss(model):
    """transformers scores the labels that are not -100, one window at a time."""
    tokens, stride, window = load_tokens("heldout")[:1000].astype(np.int64), 40, 100
    losses = token_losses(model, tokens, windows=None, window=window, stride=stride)
    starts = range(0, len(tokens) - window + 1, stride)
    assert len(losses) == len(starts) * stride
    naive = []
    for start in starts:
        row = torch.from_numpy(tokens[None, start : start + window])
        labels = row.clone()
        labels[:, :-stride] = -100
        with torch.no_grad():
            naive.append(float(model(row, labels=labels).loss))
    assert losses.reshape(-1, stride).mean(1) == pytest.approx(naive, abs=1e-5)
    whole = perplexity(model, tokens, windows=None, window=window, stride=stride)
    assert whole == pytest.approx(math.exp(np.mean(naive)), rel=1e-5)


def test_the_seed_draws_windows_and_no_token_is_scored_twice():
    tokens = np.arange(1000)
    scored = []

    def uniform(ids):
        scored.extend(ids[:, -30:].flatten().tolist())
        return torch.zeros(*ids.shape, 1000)

    kept = {"window": 50, "stride": 30}
    losses = token_losses(uniform, tokens, windows=10, **kept)
    first = list(scored)
    assert losses == pytest.approx(np.full(300, math.log(1000)))
    assert len(first) == len(set(first)) == 300
    scored.clear()
    token_losses(uniform, tokens, windows=10, seed=1, **kept)
    assert scored != first
    scored.clear()
    token_losses(uniform, tokens, windows=None, **kept)
    assert scored == list(range(20, 980))


def test_a_model_in_training_is_scored_in_evaluation_and_put_back():
    class Noisy(torch.nn.Module):
        def forward(self, ids):
            return torch.nn.functional.dropout(torch.ones(*ids.shape, 9), 0.5, self.training)

    noisy = Noisy().train()
    assert perplexity(noisy, np.arange(90) % 9, window=10, stride=5, windows=4) == pytest.approx(9)
    assert noisy.training


def test_the_models_beat_the_bigram_by_far(model):
    bigram = Bigram(load_tokens("train"), 2048)
    worst, draft, best = (perplexity(m) for m in (bigram, load_lm("draft"), model))
    assert best < 0.5 * worst
    assert best < 0.95 * draft and draft < 0.5 * worst


def test_the_bigram_is_witten_bell():
    bigram = Bigram(np.array([0, 1, 0, 1, 0, 2]), 4)
    single = (np.array([3, 2, 1, 0]) + 3 / 4) / 9
    after_zero = (np.array([0, 2, 1, 0]) + 2 * single) / 5
    table = np.exp(bigram.log_probabilities)
    assert table.sum(1) == pytest.approx(np.ones(4))
    assert table[0] == pytest.approx(after_zero)
    assert table[2] == pytest.approx(single)  # never followed by anything
    assert bigram(torch.tensor([[0, 2]])).shape == (1, 2, 4)


def test_rounding_hurts_more_with_fewer_bits(model):
    scores = [perplexity(model, **FEW)]
    for bits in (8, 3, 2):
        rounded = with_weights(model, lambda name, weight, b=bits: round_to_nearest(weight, b))
        scores.append(perplexity(rounded, **FEW))
    whole, eight, three, two = scores
    assert eight == pytest.approx(whole, rel=0.01)
    assert three > 1.04 * whole
    assert two > 2 * three


@pytest.mark.parametrize(("group_size", "symmetric"), [(None, True), (8, True), (8, False)])
def test_rtn_equals_numpy_s(group_size, symmetric):
    torch.manual_seed(0)
    weight = torch.randn(6, 32) + 0.5
    out = round_to_nearest(weight, 3, group_size, symmetric)
    size = group_size or 32
    for row in range(6):
        for start in range(0, 32, size):
            group = weight[row, start : start + size].double().numpy()
            low, high = (
                (-max(abs(group)), max(abs(group))) if symmetric else (min(group), max(group))
            )
            low, high = min(low, 0), max(high, 0)
            scale = (high - low) / (6 if symmetric else 7)
            zero = 3 if symmetric else np.rint(-low / scale)
            codes = np.clip(np.rint(group / scale) + zero, 0, 6 if symmetric else 7)
            expected = (codes - zero) * scale
            assert out[row, start : start + size].numpy() == pytest.approx(expected, abs=1e-6)
    zeros = torch.zeros(2, 8)
    assert torch.equal(round_to_nearest(zeros, 4, symmetric=symmetric), zeros)


def test_with_weights_leaves_the_model_alone(model):
    before = {name: layer.weight.clone() for name, layer in decoder_linears(model).items()}
    zeroed = with_weights(model, lambda name, weight: torch.zeros_like(weight))
    for name, layer in decoder_linears(model).items():
        assert torch.equal(layer.weight, before[name])
        assert not decoder_linears(zeroed)[name].weight.any()
    assert torch.equal(zeroed.lm_head.weight, model.lm_head.weight)


@pytest.mark.parametrize("sites", [("norm",), ("value",), ("up",), SITES])
def test_outliers_compute_the_same_function(model, ids, sites):
    changed = with_outliers(model, sites=sites)
    pairs = zip(model.parameters(), changed.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)
    with torch.inference_mode():
        assert torch.equal(model(ids).logits, changed(ids).logits)  # powers of two: bit for bit
        assert torch.equal(load_lm()(ids).logits, model(ids).logits)  # the model was copied
        exact, same = (m.double()(ids).logits for m in (load_lm(), changed))
    assert torch.allclose(exact, same, rtol=1e-10, atol=1e-10)


def test_outliers_stand_out_where_they_were_put(model, ids):
    seen = {}

    def largest(subject, layer):
        def hook(module, args):
            seen[layer] = args[0].abs().amax((0, 1))

        handle = decoder_linears(subject)[layer].register_forward_pre_hook(hook)
        with torch.inference_mode():
            subject(ids)
        handle.remove()
        return seen[layer]

    changed = with_outliers(model, channels=4, factors=(64.0,))
    chosen = []
    for block in range(4):
        name = f"model.layers.{block}.self_attn.q_proj"
        ratio = largest(changed, name) / largest(model, name)
        chosen.append(torch.nonzero(ratio > 1).flatten().tolist())
        assert set(ratio.tolist()) == {1.0, 64.0}
    assert len(chosen[0]) == 4 and all(c == chosen[0] for c in chosen)
    again = with_outliers(model, channels=4, factors=(64.0,), seed=1)
    name = "model.layers.0.self_attn.q_proj"
    assert not torch.equal(largest(again, name), largest(changed, name))


def test_int8_activations_hurt_the_outlier_variant_alone(model):
    plain = perplexity(model, **FEW)
    changed = with_outliers(model)
    with int8_activations(model):
        assert perplexity(model, **FEW) == pytest.approx(plain, rel=0.02)
    with int8_activations(changed):
        assert perplexity(changed, **FEW) > 1.3 * plain
    assert perplexity(changed, **FEW) == plain  # the hooks are gone


def test_completions_are_words_of_the_library(model, tokenizer):
    text = complete(model, tokenizer, "str.split(", 40)
    assert text == complete(model, tokenizer, "str.split(", 40)
    assert len(text.split()) > 5
    full = "x " * 2000
    ids = tokenizer(full).input_ids[:510]
    assert complete(model, tokenizer, tokenizer.decode(ids), 50) is not None


BAD_PERPLEXITY = [
    ({"tokens": np.zeros(0, np.int64)}, "0 tokens are fewer than one window of 256"),
    ({"tokens": np.zeros(255, np.int64)}, "give a longer text"),
    ({"tokens": np.zeros((2, 300), np.int64)}, "flat array of integers"),
    ({"tokens": np.zeros(300)}, "not float64.*encode the text first"),
    ({"window": 513}, "longer than the model's context of 512"),
    ({"stride": 256}, "stride=256 must be from 1 to window - 1 = 255"),
    ({"stride": 0}, "stride=0"),
    ({"windows": 10_000}, "ask for as many, or None"),
    ({"windows": 0}, "windows=0"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_PERPLEXITY)
def test_bad_input_to_perplexity_is_one_sentence(model, arguments, message):
    with pytest.raises(CourseError, match=message):
        perplexity(model, **arguments)


def test_logits_of_a_wrong_shape_are_refused():
    with pytest.raises(CourseError, match=r"one row of logits for each token, \(B, T, V\)"):
        perplexity(lambda ids: torch.zeros(len(ids), 2048))


def test_bad_input_to_the_rest_is_one_sentence(model, tokenizer):
    weight = torch.zeros(2, 10)
    for call, message in (
        (lambda: load_lm("big"), "choose from lm, draft"),
        (lambda: load_tokenizer("big"), "choose from lm, draft"),
        (lambda: load_tokens("test"), "choose from train, heldout"),
        (lambda: calibration_batch(0), "count >= 1"),
        (lambda: calibration_batch(1, 10**7), "length 1 to"),
        (lambda: complete(model, tokenizer, ""), "The prompt has 0 tokens"),
        (lambda: complete(model, tokenizer, "word " * 600), "give 1 to 511"),
        (lambda: round_to_nearest(weight, 9), "choose 2 to 8"),
        (lambda: round_to_nearest(weight, 4, 3), "does not divide 10 inputs"),
        (lambda: with_weights(torch.nn.Linear(2, 2), None), "pass a decoder model"),
        (lambda: with_weights(model, lambda n, w: w[:1]), "has shape"),
        (lambda: with_outliers(model, sites=("mlp",)), "choose some of"),
        (lambda: with_outliers(model, sites="norm"), "as a tuple"),
        (lambda: with_outliers(model, channels=0), "room for 1 to 128"),
        (lambda: with_outliers(model, factors=(3.0,)), "powers of two"),
        (lambda: Bigram(np.array([1]), 4), "two tokens or more"),
        (lambda: Bigram(np.array([1, 4]), 4), "outside a vocabulary of 4"),
    ):
        with pytest.raises(CourseError, match=message):
            call()


def test_missing_and_damaged_files_are_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path))
    for load in (load_lm, load_tokenizer):
        with pytest.raises(CourseError, match="no model.safetensors: restore it"):
            load()
    with pytest.raises(CourseError, match="train.npy cannot be read.*restore it"):
        load_tokens("train")
    shutil.copytree(ROOT / "data" / "models" / "draft", tmp_path / "data" / "models" / "draft")
    weights = tmp_path / "data" / "models" / "draft" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(CourseError, match="cannot be read.*restore it from the repository"):
        load_lm("draft")
    (weights.parent / "tokenizer.json").write_text("{")
    with pytest.raises(CourseError, match="cannot be read.*restore it from the repository"):
        load_tokenizer("draft")
