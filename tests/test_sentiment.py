"""The shipped sentiment classifiers: what is loaded, how it is fed, how it was trained."""

import json

import numpy as np
import pytest
import torch

from autograder.checks import engine, registry
from autograder.checks.api import evaluate
from data.sentiment import stages
from data.sentiment.card import render_card
from data.sentiment.figures import answers, interval, paired
from data.sentiment.shipping import iterative_pruning, read_facts, sentiment_dir
from data.sentiment.stages import Split, full_split, magnitude_masks, tuning_split
from data.sentiment.training import Recipe, train
from lab.data import load_sst2
from lab.errors import CourseError
from lab.manifest import sha256_of
from lab.profile import Profile
from lab.sentiment import (
    LENGTH,
    MODELS,
    batches_of,
    classifier_folder,
    encode,
    load_classifier,
    load_hub_models,
    load_sentiment_tokenizer,
    new_student,
    predict_logits,
    prunable,
)

SENTENCES = ["a fine film", "dull", "the plot is never dull and the cast is superb", "tired"] * 5
LABELS = np.array([1, 0, 1, 0] * 5)


@pytest.fixture(scope="module")
def tokenizer():
    return load_sentiment_tokenizer()


@pytest.fixture(scope="module")
def figures():
    return json.loads((sentiment_dir() / "figures.json").read_text(encoding="utf-8"))


def test_the_shipped_files_are_the_measured_ones():
    for name in MODELS:
        weights = classifier_folder(name) / "model.safetensors"
        assert sha256_of(weights) == read_facts(name)["weights_sha256"]
    card = (sentiment_dir() / "README.md").read_text(encoding="utf-8")
    assert card == render_card(sentiment_dir()), "run `python -m data.sentiment card`"


def test_the_card_s_figures_meet_the_course_s_demands(figures):
    models, pruning = figures["models"], figures["pruning"]
    assert models["teacher"]["accuracy"] >= 0.78
    assert models["student"]["share_of_teacher"] >= 0.95
    assert figures["parameters"]["student"] <= figures["parameters"]["teacher"] / 2
    assert models["pruned"]["drop_points"] <= 2 and pruning["iterative"]["0.5"]["drop_points"] <= 2


@pytest.mark.skipif(load_sst2().is_stand_in, reason="SST-2's own files are not here")
def test_the_teacher_scores_what_the_card_says(figures):
    split = full_split(load_sst2())
    right = answers(load_classifier("teacher"), sentiment_dir(), split)
    assert interval(right)["accuracy"] == pytest.approx(
        figures["models"]["teacher"]["accuracy"], abs=0.004
    )


@pytest.mark.skipif(load_sst2().is_stand_in, reason="SST-2's own files are not here")
def test_a_teacher_trained_on_the_dev_sentences_is_refused():
    answer = registry.load_bank("compressed-models").trained_on_dev()
    report = evaluate("compressed-models", answer, engine.PUBLIC_SEED)
    assert report.points < report.max_points
    assert "dev sentences than on unseen" in report.findings[0].message


def test_loading_is_silent_and_names_what_is_missing(capfd):
    model = load_classifier("student")
    assert capfd.readouterr() == ("", "")
    assert not model.training and model.dtype == torch.float32
    with pytest.raises(CourseError, match="No classifier is called 'bert': choose from base"):
        load_classifier("bert")


def test_the_pruned_teacher_has_exactly_half_of_each_matrix():
    for name, weight in prunable(load_classifier("pruned")).items():
        assert int((weight == 0).sum()) == weight.numel() // 2, name


def test_a_new_student_is_the_shipped_shape_and_seeded():
    first, again, other = (dict(new_student(s).named_parameters()) for s in (0, 0, 1))
    shipped = dict(load_classifier("student").named_parameters())
    assert {k: v.shape for k, v in first.items()} == {k: v.shape for k, v in shipped.items()}
    name = next(iter(prunable(new_student())))
    assert torch.equal(first[name], again[name]) and not torch.equal(first[name], other[name])


def test_sentences_are_encoded_and_cut(tokenizer):
    encoded = encode(tokenizer, ["A fine film", "dull " * 200])
    assert encoded["input_ids"].shape == (2, LENGTH)
    row = encoded["input_ids"][0][encoded["attention_mask"][0] == 1].tolist()
    tokens = tokenizer.convert_ids_to_tokens(row)
    assert tokens[0] == "[CLS]" and tokens[-1] == "[SEP]" and tokens[1] == "a"
    with pytest.raises(CourseError, match="no sentence to encode"):
        encode(tokenizer, [])


def test_an_epoch_has_each_sentence_once(tokenizer):
    marks = np.arange(20)
    batches = batches_of(tokenizer, SENTENCES, LABELS, 6, epochs=2, seed=3, mark=marks)
    assert [len(b["labels"]) for b in batches].count(6) == 6 and len(batches) == 8
    first = torch.cat([b["mark"] for b in batches[:4]]).tolist()
    assert sorted(first) == list(range(20))
    assert first != torch.cat([b["mark"] for b in batches[4:]]).tolist()
    for batch in batches:
        assert torch.equal(batch["labels"], torch.from_numpy(LABELS)[batch["mark"]])
        ids = encode(tokenizer, [SENTENCES[i] for i in batch["mark"]])["input_ids"]
        assert torch.equal(ids, batch["input_ids"])
    again = batches_of(tokenizer, SENTENCES, LABELS, 6, seed=3, mark=marks)
    assert all(torch.equal(a["mark"], b["mark"]) for a, b in zip(again, batches[:4], strict=True))
    assert len(batches_of(tokenizer, SENTENCES, LABELS, 6, epochs=0.5)) == 2
    with pytest.raises(CourseError, match="20 sentences, 3 labels"):
        batches_of(tokenizer, SENTENCES, LABELS[:3])


def test_logits_do_not_depend_on_the_batch(tokenizer):
    model = new_student()
    whole = predict_logits(model, tokenizer, SENTENCES, size=7)
    with torch.inference_mode():
        for i in (0, 2, 3):
            alone = model(**encode(tokenizer, [SENTENCES[i]])).logits[0].numpy()
            assert np.allclose(whole[i], alone, atol=1e-5)


def test_models_of_the_hub_come_from_folders_too():
    profile = Profile("cpu", "cpu", "none")
    base, student = str(classifier_folder("base")), str(classifier_folder("student"))
    found = load_hub_models(profile, base, student)
    assert found is not None and found[1].config.model_type == "distilbert"
    assert load_hub_models(profile, str(classifier_folder("base") / "nothing"), student) is None


def test_training_goes_on_where_it_stopped(tokenizer, tmp_path, monkeypatch):
    batches = batches_of(tokenizer, SENTENCES, LABELS, 8, epochs=2)
    recipe = Recipe(epochs=2, peak_rate=1e-3, warmup=2)

    def run(path, stop=None):
        model = stages.new_student(0)
        masks = magnitude_masks(prunable(model), 0.4)
        args = (stages.classification_loss, recipe, path, {"stage": "test"}, masks)
        try:
            return train(model, batches, *args, stop_after=stop)
        except CourseError as error:
            assert "run the same command again" in str(error)
            return None

    whole = run(tmp_path / "a.pt")
    assert run(tmp_path / "b.pt", stop=3) is None
    parts = run(tmp_path / "b.pt")
    assert parts.losses == whole.losses and len(whole.losses) == 6
    for (name, a), b in zip(whole.model.named_parameters(), parts.model.parameters(), strict=True):
        assert torch.equal(a, b), name
    for name, weight in prunable(whole.model).items():
        assert int((weight == 0).sum()) >= round(0.4 * weight.numel()), name


def test_pruning_in_rounds_is_nested_and_exact(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    model = load_classifier("student")
    split = Split(SENTENCES, LABELS, SENTENCES, LABELS)
    recipe = Recipe(epochs=1, peak_rate=1e-3, warmup=1)
    zeros = []
    for sparsity in (0.3, 0.6):
        iterative_pruning(model, tokenizer, tmp_path, split, recipe, (sparsity,))
        zeros.append({k: w.detach() == 0 for k, w in prunable(model).items()})
    for name, small in zeros[0].items():
        assert not (small & ~zeros[1][name]).any()
        assert int(zeros[1][name].sum()) == round(0.6 * small.numel())


def test_masked_words_are_fifteen_per_cent_and_padding_is_none(tokenizer, monkeypatch):
    batch = batches_of(tokenizer, SENTENCES, LABELS, 20)[0]
    seen = []
    model = stages.MaskedWords(load_classifier("base"))
    monkeypatch.setattr(
        stages.F, "cross_entropy", lambda out, ids: seen.append(ids) or out.sum() * 0
    )
    for seed in range(40):
        torch.manual_seed(seed)
        stages.masked_word_loss(model, batch)
    ids = torch.cat(seen)
    words = int((batch["input_ids"] >= len(stages.SPECIAL)).sum())
    assert (ids >= len(stages.SPECIAL)).all()
    assert len(ids) / (40 * words) == pytest.approx(0.15, abs=0.02)


def test_hyperparameters_were_chosen_without_the_dev_file():
    data = load_sst2()
    split = tuning_split(data)
    both = split.sentences + split.test_sentences
    assert sorted(both) == sorted(data.train_sentences)
    assert len(split.test_sentences) == stages.TUNING_COUNT == len(split.test_labels)


def test_intervals_are_wilson_s_and_paired():
    right = np.arange(100) < 80
    found = interval(right)
    assert (found["low"], found["high"]) == (0.7112, 0.8666)
    after = right.copy()
    after[:5], after[90] = False, True
    drop = paired(right, after)
    assert drop["drop_points"] == 4.0 and drop["drop_low"] == -0.74 and drop["drop_high"] == 8.74
