"""Block formats: the shipped tensors are llama.cpp's, and the oracles agree with what it wrote."""

import hashlib
import json
from pathlib import Path

import gguf
import numpy as np
import pytest

import lab.gguf_blocks as shipped
from autograder.checks.m1_4.q4_k_m_plan import plan
from autograder.checks.oracles import blocks
from data import gguf_fixtures as maker
from lab.errors import CourseError
from lab.hf_to_gguf import gguf_name
from lab.lm import load_lm


@pytest.fixture(scope="module")
def weights():
    """Tensors of the shipped model by llama.cpp's names, float32."""
    model = load_lm()
    layers = model.config.num_hidden_layers
    return {gguf_name(n, layers): p.numpy() for n, p in model.named_parameters()}


@pytest.fixture(scope="module")
def facts():
    return shipped.load_facts()


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_1", "Q5_0"])
def test_the_package_packs_llama_cpp_s_bytes(weights, facts, kind):
    """So the oracle of the exercises is the C program, not another reading of it."""
    entries = facts["files"][f"lm {kind}"]["tensors"]
    packed = {n: entry for n, entry in entries.items() if entry["type"] == kind}
    assert len(packed) >= 28
    for name, entry in packed.items():
        ours = blocks.quantize(kind, weights[name]).tobytes()
        assert hashlib.sha256(ours).hexdigest()[:16] == entry["sha256"], name


def test_kept_tensors_are_those_described(weights, facts):
    tensors = shipped.load_packed()
    sample = {f"{kind}/{shipped.SAMPLE}" for kind in maker.K_TYPES}
    assert set(tensors) == sample | {f"Q4_K/{maker.MIXED[0]}", f"Q6_K/{maker.MIXED[1]}"}
    described = {
        (entry["sha256"], entry["relative_rmse"], f"{entry['type']}/{name}")
        for file in facts["files"].values()
        for name, entry in file["tensors"].items()
    }
    for key, data in tensors.items():
        kind, name = key.split("/")
        error = blocks.dequantize(kind, data).astype(np.float64) - weights[name]
        rms = np.sqrt(np.mean(weights[name].astype(np.float64) ** 2))
        relative = round(float(np.sqrt(np.mean(error**2)) / rms), 6)
        assert 0.01 < relative < 0.4
        assert (hashlib.sha256(data.tobytes()).hexdigest()[:16], relative, key) in described


@pytest.mark.parametrize("name, layers", [("lm Q4_K_M", 4), ("draft Q4_K_M", 2)])
def test_the_plan_s_rule_is_what_llama_cpp_did(facts, name, layers):
    file = facts["files"][name]
    types = {n: entry["type"] for n, entry in file["tensors"].items()}
    assert plan({n: tuple(e["shape"]) for n, e in file["tensors"].items()}, layers) == types
    assert len(set(types.values())) >= 3


def test_bits_per_weight_follow_from_the_types(facts):
    for name, file in facts["files"].items():
        size = count = 0
        for entry in file["tensors"].values():
            per_block, length = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[entry["type"]]]
            count += np.prod(entry["shape"])
            size += np.prod(entry["shape"]) // per_block * length
        assert file["bits_per_weight"] == pytest.approx(8 * size / count, abs=1e-4), name


def test_llama_3_1_8b_has_the_published_bits():
    """llama.cpp's tools/quantize/README.md: Q4_K_M of Llama 3.1 8B has 4.8944 bits per weight."""
    from autograder.checks.m1_4 import q4_k_m_plan as check

    shapes = check._llama(128256, 4096, 14336, 32, 1024, tied=False)
    size = count = 0
    for name, kind in plan(shapes, 32).items():
        per_block, length = blocks.sizes(kind)
        count += np.prod(shapes[name])
        size += np.prod(shapes[name]) // per_block * length
    assert round(8 * size / count, 4) == 4.8944


def test_card_and_facts_are_written_by_the_script(facts):
    folder = shipped.folder()
    assert (folder / "README.md").read_text() == maker.card(facts, folder / "blocks.gguf")
    assert (folder / "made_by.json").read_text() == maker._json(facts)
    assert (folder / "blocks.gguf").stat().st_size < 400_000


@pytest.mark.parametrize(
    "damage", ["missing", "truncated", "other bytes", "no json", "other weights"]
)
def test_damaged_files_say_what_to_do(tmp_path, monkeypatch, damage):
    for name in ("blocks.gguf", "made_by.json"):
        (tmp_path / name).write_bytes((shipped.folder() / name).read_bytes())
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    packed, described = tmp_path / "blocks.gguf", tmp_path / "made_by.json"
    if damage == "missing":
        packed.unlink()
    elif damage == "truncated":
        packed.write_bytes(packed.read_bytes()[:-7])
    elif damage == "other bytes":
        packed.write_bytes(packed.read_bytes()[:-1] + b"\x01")
    elif damage == "no json":
        described.write_text("{")
    else:
        facts = json.loads(described.read_text())
        facts["source_sha256"]["lm"] = "0" * 64
        described.write_text(json.dumps(facts))
    with pytest.raises(CourseError, match="data.gguf_fixtures"):
        shipped.load_packed()


def test_llama_cpp_makes_the_same_bytes_again(tmp_path, facts):
    """Where llama-cpp-python is installed."""
    pytest.importorskip("llama_cpp")
    source, target = Path(tmp_path, "f16.gguf"), Path(tmp_path, "q.gguf")
    maker.write_f16(load_lm("draft"), source)
    maker.quantize(source, target, "Q4_K_M")
    entries = facts["files"]["draft Q4_K_M"]["tensors"]
    found = {t.name: t for t in gguf.GGUFReader(target).tensors}
    assert set(found) == set(entries)
    for name, tensor in found.items():
        assert tensor.tensor_type.name == entries[name]["type"]
        assert hashlib.sha256(tensor.data.tobytes()).hexdigest()[:16] == entries[name]["sha256"]


def test_a_missing_source_is_told(tmp_path):
    """What llama.cpp itself refuses: tests/test_llamacpp.py."""
    pytest.importorskip("llama_cpp")
    with pytest.raises(CourseError, match="nothing.gguf is missing: convert the model first"):
        maker.quantize(tmp_path / "nothing.gguf", tmp_path / "out.gguf", "Q4_0")
