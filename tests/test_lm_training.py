"""How the shipped models are made: corpus, tokens, training that stops and goes on."""

import json
import signal

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from data.language_model import __main__ as commands
from data.language_model import shipping, training
from data.language_model.card import table
from data.language_model.corpus import build_corpus, describe
from data.language_model.tokens import encode_documents, train_tokenizer
from data.language_model.training import Recipe, sequences, train
from lab.errors import CourseError

TINY = Recipe(
    hidden=64, intermediate=64, layers=1, heads=1, kv_heads=1,
    vocabulary=300, context=16, steps=6, batch=2, warmup=2,
)  # fmt: skip
TOKENS = np.random.default_rng(0).integers(300, size=400).astype(np.uint16)


@pytest.fixture(scope="module")
def corpus():
    return build_corpus()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A corpus and a tiny model, made by the real commands."""
    patch = pytest.MonkeyPatch()
    patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
    out = tmp_path_factory.mktemp("models")
    shipping.ship_corpus(out)
    recipe = Recipe(**{**TINY.__dict__, "vocabulary": 2048, "steps": 3})
    shipping.ship_model("draft", out, recipe=recipe)
    yield out
    patch.undo()


def weights(trained):
    return [p.detach().clone() for p in trained.model.parameters()]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_corpus_is_the_same_each_time_and_shares_nothing(corpus):
    assert describe(corpus) == describe(build_corpus())
    paragraphs = [" ".join(p.split()) for d in corpus for p in d.text.split("\n\n")]
    bodies = [" ".join(p.split("\n", 1)[-1].split()) for d in corpus for p in d.text.split("\n\n")]
    assert len(set(paragraphs)) == len(paragraphs) > 10_000
    held = {b for d, b in _owners(corpus, bodies) if d.heldout and len(b) > 40}
    kept = {b for d, b in _owners(corpus, bodies) if not d.heldout}
    assert len(held) > 500 and not held & kept
    names = [d.name for d in corpus]
    assert len(set(names)) == len(names)
    assert any(d.heldout for d in corpus) and {"heapq", "itertools", "builtins"} <= set(names)


def _owners(corpus, bodies):
    owners = [d for d in corpus for _ in d.text.split("\n\n")]
    return zip(owners, bodies, strict=True)


def test_entries_have_signature_and_docstring(corpus):
    text = {d.name: d.text for d in corpus}
    merge = "heapq.merge(*iterables, key=None, reverse=False)\nMerge multiple sorted inputs into"
    assert merge in text["heapq"]
    assert "class collections.OrderedDict(dict)\nDictionary that" in text["collections"]
    assert "builtins.str.splitlines(self, /, keepends=False)\nReturn a list" in text["builtins"]
    assert "builtins.int.__add__" not in text["builtins"]


def test_a_python_without_sources_is_one_sentence(monkeypatch, tmp_path):
    from data.language_model import corpus as module

    monkeypatch.setattr(module.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(module.sys, "stdlib_module_names", frozenset({"math"}))
    with pytest.raises(CourseError, match="Only 1 documented modules.*use a Python that has"):
        build_corpus()


def test_the_tokenizer_is_bytes_first_and_refuses_too_little(corpus):
    tokenizer = train_tokenizer((d.text for d in corpus[:40]), 400)
    assert tokenizer.get_vocab_size() == 400 and tokenizer.token_to_id("<|endoftext|>") == 0
    ids = encode_documents(tokenizer, corpus[:2])
    assert ids.dtype == np.uint16 and (ids == 0).sum() == 2 and ids[0] == 0
    assert tokenizer.decode(ids.tolist()) == corpus[0].text + corpus[1].text
    with pytest.raises(CourseError, match="257 entries or more"):
        train_tokenizer(["text"], 100)
    with pytest.raises(CourseError, match="use more text or ask for a smaller vocabulary"):
        train_tokenizer(["text"], 2048)


def test_an_epoch_visits_every_cut_once_and_depends_on_the_step_alone():
    places = np.arange(400)
    per_epoch = (len(places) - 1) // TINY.context - 1
    rows = np.concatenate([sequences(TINY, places, step) for step in range(per_epoch)])
    assert rows.shape == (2 * per_epoch, 17) and rows.dtype == np.int64
    assert (np.diff(rows, axis=1) == 1).all()
    first, second = rows[:per_epoch, 0], rows[per_epoch:, 0]
    for starts in (first, second):
        assert len(set(starts)) == per_epoch and len({s % TINY.context for s in starts}) == 1
    assert set(first) != set(second)
    assert (sequences(TINY, places, 3) == rows[6:8]).all()


def test_the_rate_warms_up_and_falls_to_a_tenth():
    recipe = Recipe(**{**TINY.__dict__, "steps": 1000, "warmup": 100, "peak_rate": 1.0})
    rates = [recipe.rate(step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01) and max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) in (99, 100)
    assert rates[1000] == pytest.approx(0.1) and rates[550] == pytest.approx(0.55)


def test_training_learns(tmp_path):
    text = np.tile(np.arange(1, 33), 60).astype(np.uint16)
    recipe = Recipe(**{**TINY.__dict__, "steps": 30, "warmup": 5, "peak_rate": 2e-2})
    losses = train(recipe, text, tmp_path / "c.pt").losses
    assert losses[0] > 5 and losses[-1] < 1


def test_an_interrupted_run_ends_with_the_same_bits(tmp_path):
    whole = train(TINY, TOKENS, tmp_path / "whole.pt")
    assert len(whole.losses) == 6 and whole.seconds > 0
    with pytest.raises(CourseError, match="stopped after step 3 of 6: run the same command again"):
        train(TINY, TOKENS, tmp_path / "parts.pt", stop_after=3)
    rest = train(TINY, TOKENS, tmp_path / "parts.pt")
    assert rest.losses == whole.losses
    assert same(weights(rest), weights(whole))
    assert not (tmp_path / "parts.pt.part").exists()
    # A finished run is not trained further.
    again = train(TINY, TOKENS, tmp_path / "parts.pt")
    assert same(weights(again), weights(whole)) and again.losses == whole.losses


def test_control_c_keeps_a_checkpoint(tmp_path, monkeypatch):
    """A real SIGINT in the middle of a step: the step is finished and saved."""
    real = training._step
    seen = []

    def interrupted(*args):
        seen.append(None)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        return real(*args)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(training, "_step", interrupted)
    with pytest.raises(CourseError, match="stopped after step 2 of 6"):
        train(TINY, TOKENS, tmp_path / "c.pt")
    assert signal.getsignal(signal.SIGINT) is before
    assert len(torch.load(tmp_path / "c.pt", weights_only=True)["losses"]) == 2
    monkeypatch.undo()
    rest = train(TINY, TOKENS, tmp_path / "c.pt")
    assert same(weights(rest), weights(train(TINY, TOKENS, tmp_path / "whole.pt")))


def test_a_second_control_c_stops_at_once(tmp_path, monkeypatch):
    def twice(*args):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(training, "_step", twice)
    with pytest.raises(KeyboardInterrupt):
        train(TINY, TOKENS, tmp_path / "c.pt")


def test_what_does_not_belong_is_refused(tmp_path):
    path = tmp_path / "c.pt"
    train(TINY, TOKENS, path)
    other = Recipe(**{**TINY.__dict__, "seed": 1})
    for recipe, tokens in ((other, TOKENS), (TINY, TOKENS[::-1])):
        with pytest.raises(CourseError, match="another recipe or to other tokens: delete it"):
            train(recipe, tokens, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CourseError, match="no checkpoint that can be read.*delete it"):
        train(TINY, TOKENS, path)
    with pytest.raises(CourseError, match="20 tokens are too few"):
        train(TINY, TOKENS[:20], tmp_path / "d.pt")
    with pytest.raises(CourseError, match="Token id 300 is outside the vocabulary of 300"):
        train(TINY, np.append(TOKENS, 300), tmp_path / "d.pt")


def test_a_checkpoint_that_cannot_be_written_is_one_sentence(tmp_path):
    path = tmp_path / "c.pt"
    path.with_name("c.pt.part").mkdir()
    with pytest.raises(CourseError, match="cannot be written.*set COURSE_CACHE"):
        train(TINY, TOKENS, path)


def test_the_commands_ship_what_transformers_loads(shipped):
    facts = json.loads((shipped / "corpus" / "corpus.json").read_text())
    train_ids = np.load(shipped / "corpus" / "train.npy")
    assert train_ids.dtype == np.uint16 and len(train_ids) == facts["train_tokens"]
    tokenizer = AutoTokenizer.from_pretrained(shipped / "draft")
    direct = Tokenizer.from_file(str(shipped / "corpus" / "tokenizer.json"))
    text = "heapq.heappop(heap)\n  é"
    assert tokenizer(text).input_ids == direct.encode(text).ids
    model = AutoModelForCausalLM.from_pretrained(shipped / "draft", dtype=torch.float32)
    assert model.config.vocab_size == 2048 and model.config.dtype == torch.float32
    made = json.loads((shipped / "draft" / "training.json").read_text())
    assert made["steps"] == 3 and made["tokens_seen"] == 3 * 2 * 16
    assert made["train_tokens_sha256"] == facts["train_sha256"]
    assert not shipping.checkpoint_path("draft", shipped).exists()
    assert [p for p in shipped.iterdir() if p.name.startswith(".")] == []


def test_commands_refuse_nonsense(tmp_path):
    with pytest.raises(CourseError, match="run `python -m data.language_model corpus`"):
        shipping.ship_model("lm", tmp_path)
    with pytest.raises(CourseError, match="choose from lm, draft"):
        shipping.ship_model("big", tmp_path)
    result = CliRunner().invoke(commands.main, ["train", "big"])
    assert result.exit_code == 2 and "'big' is not one of 'lm', 'draft'" in result.output
    if not torch.cuda.is_available():
        result = CliRunner().invoke(commands.main, ["train", "--device", "cuda"])
        assert isinstance(result.exception, CourseError)


def test_the_table_has_every_figure():
    figures = {
        "perplexity": {"bigram": 70.5, "draft": 1234.5, "lm": 20.1},
        "rtn": {"8": 20.2, "2": 99.0},
        "rtn_outliers": {"8": 21.0, "2": 98765.4},
        "rtn_groups": {"3": 30.5},
        "rtn_groups_outliers": {"3": 32.5},
        "outliers": {"int8_activations_plain": 20.3, "int8_activations_outliers": 55.0},
    }
    lines = table(figures).splitlines()
    assert len(lines) == 9
    assert "| lm, RTN 2 bits, a scale for each row, symmetric | 99 | 98,765 |" in lines
    assert "| lm, RTN 3 bits, a scale for each group of 128, asymmetric | 30.5 | 32.5 |" in lines
    assert "| draft, float32 | 1,234 |  |" in lines
    assert "| lm, INT8 activations per tensor | 20.3 | 55 |" in lines
