"""The libraries' checkpoints: complete, of the shipped weights, better than rounding; and what is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lab.gptq_checkpoint as checkpoint
from data.gptq_libraries import __main__ as command
from lab.divergence import mean_divergence
from lab.errors import CourseError
from lab.fake_quant import decoder_linears, round_to_nearest, with_weights
from lab.gptq_checkpoint import LIBRARIES, checkpoint_folder, load_checkpoint
from lab.lm import load_lm, model_folder, models_dir

HERE = Path(command.__file__).parent
GROUP = 128


@pytest.fixture(scope="module")
def model():
    return load_lm()


def nibbles(words):
    """(n,) int32 to (8 n,) codes, the lowest bits first, by bytes."""
    low_first = np.ascontiguousarray(words).view(np.uint8)
    return np.stack([low_first & 15, low_first >> 4], -1).reshape(-1)


def unpacked(qweight, qzeros, scales, g_idx):
    codes = np.stack([nibbles(column) for column in qweight.T]).astype(np.float32)
    zeros = np.stack([nibbles(row) for row in qzeros]).astype(np.float32) + 1
    return (codes - zeros.T[:, g_idx]) * scales.astype(np.float32).T[:, g_idx]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_checkpoint_is_the_shipped_model_and_beats_rounding(model, library):
    import torch

    layers, facts = load_checkpoint(library)
    assert sorted(layers) == sorted(decoder_linears(model)) and facts["library"] == library
    assert f"=={facts['version']}" in (HERE / f"{library}.txt").read_text()
    changed = with_weights(model, lambda n, w: torch.from_numpy(unpacked(**layers[n])).to(w))
    rounded = with_weights(model, lambda n, w: round_to_nearest(w, 4, GROUP, symmetric=False))
    theirs, plain = (mean_divergence(m, model, windows=8) for m in (changed, rounded))
    assert theirs < 0.7 * plain


def test_the_calibration_is_the_stated_one():
    for library in LIBRARIES:
        facts = load_checkpoint(library)[1]
        counted = facts["calibration_sequences"], facts["calibration_length"]
        assert counted == (checkpoint.COUNT, checkpoint.LENGTH)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An own copy of the checkpoints to spoil."""
    shutil.copytree(models_dir() / "gptq", tmp_path / "gptq")
    monkeypatch.setattr(checkpoint, "models_dir", lambda: tmp_path)
    return tmp_path / "gptq" / "gptqmodel"


def test_a_missing_checkpoint_names_the_command(elsewhere):
    (elsewhere / "layers.safetensors").unlink()
    with pytest.raises(CourseError, match="no checkpoint of gptqmodel.*make gptqmodel"):
        load_checkpoint("gptqmodel")


def test_a_broken_checkpoint_names_the_command(elsewhere):
    (elsewhere / "layers.safetensors").write_bytes(b"not tensors")
    with pytest.raises(CourseError, match="cannot be read.*make gptqmodel"):
        load_checkpoint("gptqmodel")


def test_a_checkpoint_of_other_weights_is_refused(elsewhere):
    facts = json.loads((elsewhere / "made_by.json").read_text())
    (elsewhere / "made_by.json").write_text(json.dumps({**facts, "source_sha256": "0"}))
    with pytest.raises(CourseError, match="other weights"):
        load_checkpoint("gptqmodel")


def test_an_unknown_library():
    with pytest.raises(CourseError, match="Choose from|choose from gptqmodel, autogptq"):
        checkpoint_folder("llm-gptq")


def test_autogptq_wants_its_python(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "repo_root", lambda: tmp_path)
    monkeypatch.setattr(command.sys, "version_info", (3, 12, 0))
    with pytest.raises(CourseError, match=r"CPython 3\.11"):
        command.environment("autogptq")
    assert not list(tmp_path.iterdir())


def test_an_installed_environment_is_used_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "repo_root", lambda: tmp_path)
    (tmp_path / ".venv-gptqmodel").mkdir()
    (tmp_path / ".venv-gptqmodel" / ".installed").touch()
    monkeypatch.setattr(
        command.subprocess, "run", lambda *a, **k: pytest.fail("nothing to install")
    )
    assert command.environment("gptqmodel") == tmp_path / ".venv-gptqmodel/bin/python"


def test_a_failing_library_shows_the_end_of_its_log(tmp_path):
    """With a Python that lacks the library: the reason, no half-written checkpoint."""
    words = [sys.executable, "-m", "data.gptq_libraries", "gptqmodel", "--python", sys.executable]
    done = subprocess.run(
        [*words, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        cwd=HERE.parent.parent,
    )
    assert done.returncode == 1 and "gptqmodel failed" in done.stderr
    assert "No module named 'gptqmodel'" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_without_a_model(tmp_path):
    words = [
        sys.executable,
        HERE / "quantize.py",
        "autogptq",
        tmp_path,
        "none.npy",
        tmp_path / "out",
    ]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    assert done.returncode == 1 and "holds no model" in done.stderr


@pytest.mark.parametrize("tokenizer", [False, True])
def test_the_copy_that_a_library_gets(tmp_path, tokenizer):
    made = command.model_copy(tmp_path / "model", tokenizer)
    assert (made / "tokenizer.json").exists() is tokenizer
    name = "model.safetensors"
    assert (made / name).read_bytes() == (model_folder("lm") / name).read_bytes()
