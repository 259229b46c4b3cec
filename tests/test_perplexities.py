"""The table of perplexities: the page says what the figures say, and the methods are the named ones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from bitsandbytes import functional

from data.perplexities import measure, methods, page
from data.perplexities.__main__ import FIGURES, PAGE
from lab.fake_quant import round_to_nearest
from lab.lm import model_folder
from lab.manifest import sha256_of

ROOT = Path(__file__).resolve().parent.parent
KEPT = json.loads(Path(ROOT, FIGURES).read_text(encoding="utf-8"))


def test_the_page_is_written_from_the_figures():
    assert Path(ROOT, PAGE).read_text(encoding="utf-8") == page.render(KEPT), "make perplexities"


def test_the_figures_are_those_of_the_shipped_weights():
    assert KEPT["weights_sha256"] == sha256_of(model_folder("lm") / "model.safetensors")


def test_every_claim_is_measured_and_every_contradiction_explained():
    for claim in page.claims():
        page.verdict(claim, KEPT["rows"])
    assert page.UNEXPLAINED not in page.render(KEPT)


def test_float_row_is_the_model_card_s():
    card = json.loads(Path(ROOT, "data/models/figures.json").read_text(encoding="utf-8"))
    rows = KEPT["rows"]
    assert rows["float"]["perplexity"] == pytest.approx(card["perplexity"]["lm"], abs=0.005)
    for bits, value in card["rtn_groups"].items():
        assert rows[f"RTN {bits}"]["perplexity"] == pytest.approx(value, abs=0.006)
    for bits, value in card["rtn_groups_outliers"].items():
        assert rows[f"twin RTN {bits}"]["perplexity"] == pytest.approx(value, abs=0.006)


def row(nats, error=0.01, kl=0.1):
    return {"added_nats": nats, "standard_error": error, "kl_nats": kl}


@pytest.mark.parametrize(
    ("better", "worse", "word", "said"),
    [
        (row(0.0), row(0.1, kl=0.2), "holds", "the same order"),
        (row(0.1, kl=0.2), row(0.0), "does not hold", "the other order. Why: because"),
        (row(0.0), row(0.02), "cannot be told", "within the noise"),
        (row(0.02), row(0.0), "cannot be told", "within the noise"),
    ],
)
def test_verdicts(better, worse, word, said):
    found, why = page.verdict(
        page.Claim("a paper", "a", "b", "because."), {"a": better, "b": worse}
    )
    assert found == word and said in why


def test_measured_models_are_not_measured_again(tmp_path):
    copy = Path(shutil.copy(ROOT / FIGURES, tmp_path))
    said = []
    assert measure.measure_all(copy, said.append) == KEPT and said == []


def test_figures_of_other_weights_are_thrown_away(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "METHODS", ())
    monkeypatch.setattr(measure, "TWIN_METHODS", ())
    monkeypatch.setattr(measure, "ADAPTED", {})
    old = tmp_path / "figures.json"
    old.write_text(json.dumps({"weights_sha256": "0", "rows": {"float": {}, "RTN 4": {}}}))
    new = measure.measure_all(old, lambda line: None)
    assert list(new["rows"]) == ["float"] and json.loads(old.read_text()) == new
    assert new["rows"]["float"]["perplexity"] == pytest.approx(KEPT["rows"]["float"]["perplexity"])


def test_nf_at_four_bits_is_bitsandbytes():
    w = np.random.default_rng(0).standard_normal((32, 128)).astype(np.float32)
    w[0, :64] = 0
    packed, state = functional.quantize_4bit(torch.from_numpy(w), blocksize=64, quant_type="nf4")
    theirs = functional.dequantize_4bit(packed, state).numpy()
    np.testing.assert_allclose(methods._nf(None, 4)("", w), theirs, atol=2e-6)


@pytest.mark.parametrize("bits", measure.BITS)
def test_rtn_is_that_of_the_lessons(bits):
    w = np.random.default_rng(bits).standard_normal((16, 256)).astype(np.float32)
    theirs = round_to_nearest(torch.from_numpy(w), bits, methods.GROUP, symmetric=False).numpy()
    np.testing.assert_allclose(methods._rtn(None, bits)("", w), theirs, atol=1e-5)


def test_stored_bits():
    assert methods.bits_per_weight("GPTQ", 4) == 4 + (16 + 4) / 128
    # Dettmers et al. 2023, section 3: 0.127 bits a parameter for the scales.
    assert methods.bits_per_weight("NF", 4) == pytest.approx(4.127, abs=5e-4)
