"""Converted files in real llama.cpp: transformers' token ids and greedy tokens; its own converter agrees."""

import os
import subprocess
import sys
import time
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from llamacpp_here import need_converter, need_llamacpp
from small_llamas import TEXT, VARIANTS, byte_fallback, byte_level, small_llama
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from lab import llamacpp_build
from lab.divergence import mean_divergence
from lab.errors import CourseError
from lab.gguf_weights import shipped_gguf, to_q8_0
from lab.hf_to_gguf import convert
from lab.llamacpp import GGUFModel, quantize
from lab.lm import load_lm, load_tokenizer, model_folder
from lab.official_converter import convert_officially

HARD = [
    *TEXT[:3], "Zürich, 3.14 € \U0001f600 ", "  two  spaces\n\n\tand a tab", "x" * 40,
    "don't I'LL we'Ve 1234567890 a1b2", "1000000 = 10**6", " ", "\n", "नमस्ते 你好",
]  # fmt: skip
PROMPTS = ["The function returns", "If the file is missing,", "class Reader:\n    def", "A list of"]


@pytest.fixture(scope="module")
def lm_f16(tmp_path_factory):
    need_llamacpp()
    return convert(model_folder("lm"), tmp_path_factory.mktemp("gguf") / "lm.gguf").path


def greedy(model, ids, count):
    """transformers' likeliest next tokens."""
    row = torch.tensor([ids])
    with torch.inference_mode():
        for _ in range(count):
            row = torch.cat([row, model(row).logits[:, -1].argmax(-1, keepdim=True)], 1)
    return row[0, len(ids) :].tolist()


def test_shipped_model_is_the_same_model_in_llamacpp(lm_f16):
    model, tokenizer = load_lm(), load_tokenizer()
    with GGUFModel(lm_f16) as run:
        for text in HARD:
            assert run.tokenize(text) == tokenizer(text).input_ids, text
        for prompt in PROMPTS:
            ids = tokenizer(prompt).input_ids
            assert run.greedy(ids, 24) == greedy(model, ids, 24), prompt
        assert mean_divergence(run, model, windows=4) < 1e-5


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_each_peculiarity_keeps_the_greedy_tokens(tmp_path, name):
    need_llamacpp()
    folder = small_llama(tmp_path / "hf", **VARIANTS[name])
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    out = convert(folder, tmp_path / "model.gguf", "float32").path
    ids = np.random.default_rng(0).integers(1, 300, 150)
    with torch.inference_mode():
        wanted = model(torch.from_numpy(ids)[None]).logits[0].numpy()
    with GGUFModel(out, context=256) as run:
        got = run.logits(ids)
        assert run.greedy(ids.tolist(), 16) == greedy(model, ids.tolist(), 16)
    # llama.cpp's cache is float16: eleven bits of each key and value.
    assert np.abs(got - wanted).max() < 2e-2 * np.abs(wanted).max()


@pytest.mark.parametrize("kind", ["gpt-2", "llama-bpe", "qwen2", "smollm"])
def test_byte_level_tokenizers_give_the_same_ids(tmp_path, kind):
    need_llamacpp()
    tokenizer = byte_level(kind)
    out = convert(small_llama(tmp_path / "hf", tokenizer), tmp_path / "model.gguf").path
    with GGUFModel(out) as run:
        for text in HARD:
            assert run.tokenize(text) == tokenizer.encode(text).ids, (kind, text)


def test_sentencepiece_like_tokenizer_gives_the_same_ids(tmp_path):
    need_llamacpp()
    folder = small_llama(tmp_path / "hf", byte_fallback())
    out = convert(folder, tmp_path / "model.gguf").path
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    with GGUFModel(out) as run:
        for text in HARD[:7]:
            assert run.tokenize(text) == tokenizer(text).input_ids, text


def contents(path):
    """Tensors (type, bytes) and keys (value, types) of a file."""
    reader = gguf.GGUFReader(path)
    tensors = {t.name: (t.tensor_type, t.data.tobytes()) for t in reader.tensors}
    fields = {k: (f.contents(), f.types) for k, f in reader.fields.items() if "GGUF" not in k}
    return tensors, fields


@pytest.mark.parametrize("name", ["biases", "llama3 scaling"])
def test_llamacpp_own_converter_writes_the_same(tmp_path, name):
    need_converter()
    folder = small_llama(tmp_path / "hf", byte_level(bos=True), **VARIANTS[name])
    tensors, fields = contents(convert(folder, tmp_path / "ours.gguf").path)
    theirs = contents(convert_officially(folder, tmp_path / "theirs.gguf", pre="gpt-2"))
    # Computed anew by both, so equal but for the last place.
    factors = [
        np.frombuffer(part.pop("rope_freqs.weight", (0, b""))[1], "<f4")
        for part in (tensors, theirs[0])
    ]
    np.testing.assert_allclose(*factors, rtol=3e-7)
    assert tensors == theirs[0]
    names = {"general.name", "general.size_label"}
    differ = {k for k in fields | theirs[1] if fields.get(k) != theirs[1].get(k)}
    assert differ <= names, {k: (fields.get(k), theirs[1].get(k)) for k in differ - names}


def test_llamacpp_own_converter_refuses_an_unlisted_tokenizer(tmp_path):
    need_converter()
    with pytest.raises(CourseError, match="pre-tokenizer was not recognized"):
        convert_officially(model_folder("draft"), tmp_path / "x.gguf")


def test_quantized_files(lm_f16, tmp_path):
    q8 = quantize(lm_f16, tmp_path / "q8.gguf", "Q8_0")
    q4 = quantize(lm_f16, tmp_path / "q4.gguf", "Q4_K_M")
    assert contents(q8)[0] == contents(to_q8_0(lm_f16, tmp_path / "ours.gguf"))[0]
    assert contents(q4)[0] == contents(shipped_gguf("Q4_K_M"))[0]
    model = load_lm()
    found = {}
    for path in (q8, q4):
        with GGUFModel(path) as run:
            found[path.stem] = mean_divergence(run, model, windows=4)
    assert 1e-5 < found["q8"] < 1e-3 < found["q4"] < 2e-2, found


def test_refusals(lm_f16, tmp_path):
    with pytest.raises(CourseError, match="choose from"):
        quantize(lm_f16, tmp_path / "x.gguf", "Q4_K_XXL")
    with pytest.raises(CourseError, match="missing"):
        quantize(tmp_path / "none.gguf", tmp_path / "x.gguf", "Q8_0")
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(lm_f16.read_bytes()[:5000])
    with pytest.raises(CourseError, match="does not quantize"):
        quantize(bad, tmp_path / "x.gguf", "Q8_0")
    assert not list(tmp_path.glob("x.gguf*"))
    for path, words in ((bad, "refuses"), (tmp_path / "none.gguf", "missing")):
        with pytest.raises(CourseError, match=words):
            GGUFModel(path)


def test_running_writes_nothing_to_stderr(lm_f16):
    # Quantize first: before a model is loaded, the binding's own logger prints everything.
    code = (
        "import sys; from lab.llamacpp import GGUFModel, quantize\n"
        "quantize(sys.argv[1], sys.argv[1] + '.q', 'Q8_0')\n"
        "with GGUFModel(sys.argv[1]) as run: print(run.greedy([1, 2], 2))\n"
        "open(sys.argv[1] + '.bad', 'wb').write(b'GGUF' * 99)\n"
        "for act in (GGUFModel, lambda p: quantize(p, p + '.q', 'Q8_0')):\n"
        "    try: act(sys.argv[1] + '.bad')\n"
        "    except Exception as error: print(type(error).__name__)"
    )
    words = [sys.executable, "-c", code, str(lm_f16)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout.split()[-2:] == ["CourseError"] * 2


def test_without_llamacpp_one_sentence_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(CourseError, match="make llamacpp"):
        GGUFModel(Path("x.gguf"))


def test_build_goes_on_where_it_stopped_and_the_wheel_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    folder = llamacpp_build.build_dir()
    assert (
        folder.is_relative_to(tmp_path) and llamacpp_build.pins()["llama-cpp-python"] in folder.name
    )
    assert llamacpp_build.wheel() is None and llamacpp_build.source_dir() is None
    folder.mkdir(parents=True)
    version = llamacpp_build.pins()["llama-cpp-python"]
    damaged = folder / f"llama_cpp_python-{version}.tar.gz"
    damaged.write_bytes(b"half of it")
    monkeypatch.setattr(llamacpp_build.shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(CourseError, match="call this again"):
        llamacpp_build.build()
    assert not damaged.exists()
    monkeypatch.setattr(llamacpp_build.shutil, "which", lambda name: None)
    with pytest.raises(CourseError, match="C\\+\\+ compiler"):
        llamacpp_build.build()
    made = folder / "llama_cpp_python-0-py3-none-any.whl"
    made.write_bytes(b"")
    assert llamacpp_build.build() == made


def test_a_failing_step_shows_the_end_of_its_log(tmp_path):
    words = [
        sys.executable,
        "-c",
        "print('[1/2] first'); print('no such header'); raise SystemExit(3)",
    ]
    with pytest.raises(CourseError, match="no such header"):
        llamacpp_build.run(words, "building", {}, tmp_path / "log")
    told = {"WORD": "heard"}
    words = [sys.executable, "-c", "import os; print(os.environ['WORD'])"]
    llamacpp_build.run(words, "building", told, tmp_path / "log")
    assert (tmp_path / "log").read_text() == "heard\n"
    assert "WORD" not in os.environ


def test_a_stopped_build_leaves_no_compiler_behind(tmp_path, monkeypatch):
    class Stop:
        @staticmethod
        def search(line):
            raise KeyboardInterrupt

    monkeypatch.setattr(llamacpp_build, "STEP", Stop)
    words = ["sh", "-c", "sleep 60 & echo $!; wait"]
    with pytest.raises(KeyboardInterrupt):
        llamacpp_build.run(words, "building", {}, tmp_path / "log")
    child = int((tmp_path / "log").read_text())
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{child} still runs")
