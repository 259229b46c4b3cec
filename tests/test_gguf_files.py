"""The GGUF oracles against the `gguf` package: bytes written, and what a reader finds in them."""

import numpy as np
import pytest

from autograder.checks.oracles import gguf_build, gguf_reader, gguf_valid
from lab.errors import CourseError
from lab.gguf_files import write_lm_gguf


@pytest.fixture(scope="module")
def lm_file(tmp_path_factory):
    return write_lm_gguf(tmp_path_factory.mktemp("gguf") / "draft.gguf", name="draft")


@pytest.mark.parametrize("alignment", [8, 32, 64, 4096])
def test_build_equals_the_package(alignment):
    rng = np.random.default_rng(alignment)
    metadata = gguf_valid.package_pairs(rng)
    if alignment != 32:
        metadata = (*metadata, ("general.alignment", gguf_build.UINT32, alignment))
    arrays = gguf_valid.arrays(rng, 6)
    entries = tuple(gguf_build.tensor(name, array) for name, array in arrays.items())
    ours = gguf_build.Draft(metadata, entries, alignment=alignment).bytes()
    assert ours == gguf_valid.package_bytes(metadata, arrays)


def test_reader_finds_what_was_written():
    rng = np.random.default_rng(0)
    for seed in range(60):
        types = [int(t) for t in rng.integers(0, 13, seed % 9)]
        alignment = (8, 32, 64, 1024)[seed % 4]
        draft, _ = gguf_valid.draft(rng, types, seed % 5, alignment)
        draft = draft.but(version=2 + seed % 2)
        got = gguf_reader.read_gguf(draft.bytes())
        assert gguf_valid.difference(got, gguf_valid.expected(draft)) is None


def test_difference_sees_types_and_places():
    assert gguf_valid.difference({"a": [1, True]}, {"a": [1, 1]}) == ("['a'][1]", True, 1)
    assert gguf_valid.difference({"a": 1.0}, {"a": 1})
    assert gguf_valid.difference({}, {"a": 1}) and gguf_valid.difference({"a": 1}, {})
    assert gguf_valid.difference(float("nan"), float("nan")) is None


def test_reader_agrees_with_the_package_on_the_shipped_model(lm_file):
    from gguf import GGUFReader

    theirs = GGUFReader(lm_file)
    data = lm_file.read_bytes()
    ours = gguf_reader.read_gguf(data)
    assert ours["data_offset"] == theirs.data_offset
    assert len(ours["tensors"]) == len(theirs.tensors) > 10
    for tensor in theirs.tensors:
        info = ours["tensors"][tensor.name]
        assert info["type"] == tensor.tensor_type
        assert info["shape"] == tuple(reversed(tensor.shape.tolist()))
        assert ours["data_offset"] + info["offset"] == tensor.data_offset
    for key, field in theirs.fields.items():
        if not key.startswith("GGUF."):
            assert ours["metadata"][key] == field.contents(), key


def test_shipped_model_holds_the_weights_and_the_tokenizer(lm_file):
    from lab.lm import load_lm, load_tokenizer

    data, model = lm_file.read_bytes(), load_lm("draft")
    found = gguf_reader.read_gguf(data)
    info = found["tensors"]["blk.0.ffn_up.weight"]
    start = found["data_offset"] + info["offset"]
    stored = np.frombuffer(data, np.float16, int(np.prod(info["shape"])), start)
    want = model.model.layers[0].mlp.up_proj.weight.numpy().astype(np.float16)
    assert (stored.reshape(info["shape"]) == want).all()
    tokens = found["metadata"]["tokenizer.ggml.tokens"]
    vocabulary = load_tokenizer("draft").get_vocab()
    assert [vocabulary[token] for token in tokens] == list(range(len(vocabulary)))


def test_shipped_model_refuses_what_it_cannot_write(tmp_path):
    for bad in ({"dtype": "q4"}, {"repeat": 0}, {"name": "gpt"}):
        with pytest.raises(CourseError):
            write_lm_gguf(tmp_path / "x.gguf", **bad)
