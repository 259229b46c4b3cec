"""The converter: tensors and keys against transformers and the gguf package; refusals in a sentence."""

import json
import shutil

import gguf
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from small_llamas import VARIANTS, byte_fallback, byte_level, edit_config, small_llama
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from lab.errors import CourseError
from lab.gguf_weights import load_dequantized, shipped_gguf, to_q8_0
from lab.hf_llama import hyper_parameters, permute_rows, restore_rows, rope_factors
from lab.hf_to_gguf import convert, gguf_name, main
from lab.lm import load_lm, model_folder

IDS = torch.arange(1, 60)[None]


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def variant(request, tmp_path_factory):
    """A folder with one peculiarity, and its F32 file."""
    folder = small_llama(tmp_path_factory.mktemp("hf"), **VARIANTS[request.param])
    out = folder / "model.gguf"
    convert(folder, out, "float32")
    return request.param, folder, out


def values(path):
    """Dequantized tensors of a GGUF file by name."""
    return {t.name: gguf.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors}


def test_every_weight_is_in_the_file_once_and_unchanged(variant):
    _, folder, out = variant
    model = LlamaForCausalLM.from_pretrained(folder)
    config, stored = model.config, values(out)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        got = stored.pop(gguf_name(name, config.num_hidden_layers))
        for part, count in heads.items():
            if f".{part}." in name:
                got = restore_rows(got, count)
        np.testing.assert_array_equal(got, weight.numpy(), err_msg=name)
    assert set(stored) <= {"rope_freqs.weight"}


def test_transformers_reads_the_file_and_gives_the_same_logits(variant):
    name, folder, out = variant
    if name in ("biases", "llama3 scaling", "linear scaling"):
        pytest.skip("transformers' reader of GGUF leaves these out")
    wanted = LlamaForCausalLM.from_pretrained(folder).eval()(IDS).logits
    torch.testing.assert_close(load_dequantized(out)(IDS).logits, wanted)


def test_hyper_parameters_are_what_transformers_makes_of_the_config(variant):
    _, folder, out = variant
    config = LlamaConfig.from_pretrained(folder)
    fields = {k: f.contents() for k, f in gguf.GGUFReader(out).fields.items()}
    expected = {
        "block_count": config.num_hidden_layers,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": config.head_dim,
        "rope.dimension_count": config.head_dim,
        "rope.freq_base": config.rope_parameters["rope_theta"],
        "vocab_size": config.vocab_size,
    }
    assert {k: fields[f"llama.{k}"] for k in expected} == expected
    assert fields["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(config.rms_norm_eps)


def test_llama3_factors_are_transformers():
    config = LlamaConfig(**({"head_dim": 64} | VARIANTS["llama3 scaling"]))
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    plain = 1 / 500.0 ** (torch.arange(0, 64, 2) / 64)
    found = rope_factors(config.to_dict() | {"architectures": ["LlamaForCausalLM"]})
    np.testing.assert_allclose(found, (plain / scaled).numpy(), rtol=1e-5)
    assert found.min() == 1 and found.max() == pytest.approx(8)


def test_permutation_makes_pairs_of_neighbours_and_back():
    rows = np.arange(16.0)
    turned = permute_rows(rows, 2)
    assert turned.tolist() == [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]
    np.testing.assert_array_equal(restore_rows(turned, 2), rows)


def test_shipped_model_f16_is_lossless(tmp_path):
    done = convert(model_folder("lm"), tmp_path / "lm.gguf")
    assert (done.tensors, done.parameters, done.warnings) == (38, 3_672_320, [])
    assert not list(tmp_path.glob("*.part"))
    reader = gguf.GGUFReader(done.path)
    assert {t.tensor_type.name for t in reader.tensors} == {"F16", "F32"}
    wanted = load_lm().state_dict()
    for name, weight in load_dequantized(done.path).state_dict().items():
        assert torch.equal(weight, wanted[name]), name


def test_old_config_fields_shards_and_bfloat16(tmp_path):
    theta = {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}
    folder = small_llama(tmp_path / "a", shard="40KB", **theta)
    assert len(list(folder.glob("*.safetensors"))) > 1
    convert(folder, tmp_path / "a.gguf")
    edit_config(folder, rope_parameters=..., rope_theta=500_000, rope_scaling=None, head_dim=...)
    convert(folder, tmp_path / "b.gguf")
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()
    model = LlamaForCausalLM.from_pretrained(folder).to(torch.bfloat16)
    model.save_pretrained(folder)
    for extra in folder.glob("model-0*"):
        extra.unlink()
    convert(folder, tmp_path / "c.gguf", "float32")
    got = values(tmp_path / "c.gguf")["token_embd.weight"]
    np.testing.assert_array_equal(got, model.model.embed_tokens.weight.float().detach().numpy())


def test_tokenizer_fields(tmp_path):
    tokenizer = byte_level(bos=True)
    tokenizer.add_tokens(["   "])
    folder = small_llama(tmp_path / "a", tokenizer)
    convert(folder, tmp_path / "a.gguf")
    fields = {k: f.contents() for k, f in gguf.GGUFReader(tmp_path / "a.gguf").fields.items()}
    tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    assert [tokens.index(t) for t in ("<|endoftext|>", "!", "   ")] == [
        tokenizer.token_to_id(t) for t in ("<|endoftext|>", "!", "   ")
    ]
    known = tokenizer.get_vocab_size()
    assert types == [3] + [1] * (known - 2) + [4] + [5] * (320 - known)
    assert tokens[known:] == [f"[PAD{i}]" for i in range(known, 320)]
    assert fields["tokenizer.ggml.add_bos_token"] is True
    saved = json.loads((folder / "tokenizer.json").read_text())["model"]["merges"]
    assert fields["tokenizer.ggml.merges"] == [" ".join(pair) for pair in saved]


@pytest.mark.parametrize("kind", ["gpt-2", "llama-bpe", "qwen2", "smollm"])
def test_known_pre_tokenizers(tmp_path, kind):
    folder = small_llama(tmp_path / "a", byte_level(kind))
    convert(folder, tmp_path / "a.gguf")
    assert gguf.GGUFReader(tmp_path / "a.gguf").fields["tokenizer.ggml.pre"].contents() == kind


def test_a_pattern_whose_name_implies_another_way_of_merging_is_refused(tmp_path):
    tokenizer = byte_level("llama-bpe")
    tokenizer.model.ignore_merges = False
    folder = small_llama(tmp_path / "a", tokenizer)
    with pytest.raises(CourseError, match="pre-tokenizer"):
        convert(folder, tmp_path / "a.gguf")
    convert(folder, tmp_path / "a.gguf", pre="llama-bpe")


def test_byte_fallback_tokenizer_is_sentencepiece(tmp_path):
    folder = small_llama(tmp_path / "a", byte_fallback())
    convert(folder, tmp_path / "a.gguf")
    fields = {k: f.contents() for k, f in gguf.GGUFReader(tmp_path / "a.gguf").fields.items()}
    assert fields["tokenizer.ggml.model"] == "llama"
    assert fields["tokenizer.ggml.tokens"][3:5] == ["<0x00>", "<0x01>"]
    assert len(fields["tokenizer.ggml.scores"]) == len(fields["tokenizer.ggml.tokens"]) == 320


def test_q8_0_is_the_package_rounding_and_loads(tmp_path):
    source = convert(model_folder("draft"), tmp_path / "draft.gguf").path
    out = to_q8_0(source, tmp_path / "q.gguf")
    before, after = values(source), values(out)
    assert set(before) == set(after)
    for name, weight in before.items():
        steps = np.abs(weight.reshape(-1, 32)).max(1, keepdims=True) / 127
        gap = np.abs(after[name] - weight).reshape(-1, 32)
        # Half a step, and 127 codes of a scale that float16 rounds by 2**-11 of itself.
        assert (gap <= (0.5 + 127 * 2**-11) * steps + 1e-7).all() and (
            gap.any() or weight.ndim == 1
        ), name
    assert gguf.GGUFReader(out).fields["general.file_type"].contents() == 7


def test_rows_that_fit_no_k_quant_are_warned_of(tmp_path):
    done = convert(model_folder("draft"), tmp_path / "draft.gguf")
    assert len(done.warnings) == 1 and "256" in done.warnings[0] and "128" in str(done)


def break_architecture(folder):
    edit_config(folder, architectures=["GPT2LMHeadModel"])


def break_config(folder):
    (folder / "config.json").write_text("{")


def break_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def break_overflow(folder):
    model = LlamaForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[3, 3] = 7e4
    model.save_pretrained(folder)


def break_tensor(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors")


def break_pre_tokenizer(folder):
    path = folder / "tokenizer.json"
    found = json.loads(path.read_text())
    found["pre_tokenizer"] = {"type": "Whitespace"}
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (break_architecture, "GPT2LMHeadModel"),
        (break_config, "not JSON"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda f: (f / "model.safetensors").unlink(), "no safetensors"),
        (break_weights, "damaged"),
        (break_tensor, "model.layers.1.mlp.up_proj.weight"),
        (break_overflow, "beyond float16"),
        (break_pre_tokenizer, "pre-tokenizer"),
        (lambda f: edit_config(f, vocab_size=200), "shape"),
        (lambda f: edit_config(f, num_hidden_layers=...), "num_hidden_layers"),
        (lambda f: edit_config(f, num_attention_heads=0), "num_attention_heads"),
        (lambda f: edit_config(f, hidden_act="gelu"), "silu"),
        (lambda f: edit_config(f, quantization_config={"bits": 4}), "quantized already"),
        (
            lambda f: edit_config(f, rope_parameters={"rope_type": "yarn", "factor": 2.0}),
            "'yarn' is not supported",
        ),
        (
            lambda f: edit_config(f, rope_parameters=..., rope_scaling={"type": "linear"}),
            "factor",
        ),
        (lambda f: edit_config(f, num_hidden_layers=1), "no plain Llama"),
        (lambda f: edit_config(f, tie_word_embeddings=False), "lm_head.weight"),
    ],
)
def test_refusals_say_why_and_leave_nothing(tmp_path, spoil, words):
    folder = small_llama(tmp_path / "model")
    spoil(folder)
    out = tmp_path / "out.gguf"
    out.write_bytes(b"old")
    with pytest.raises(CourseError, match=words) as caught:
        convert(folder, out)
    assert "\n" not in str(caught.value)
    assert out.read_bytes() == b"old" and not list(tmp_path.glob("*.part"))


def test_command(tmp_path):
    folder = small_llama(tmp_path / "model")
    done = CliRunner().invoke(main, [str(folder), str(tmp_path / "out.gguf")])
    assert done.exit_code == 0 and "tensors" in done.output, done.output
    shutil.rmtree(folder)
    done = CliRunner().invoke(main, [str(folder), str(tmp_path / "out.gguf")])
    assert done.exit_code == 1 and "config.json" in done.output


def test_shipped_file_is_of_the_shipped_model(tmp_path):
    path = shipped_gguf("Q4_K_M")
    made_by = json.loads((path.parent / "made_by.json").read_text())
    assert path.stat().st_size == made_by["bytes"]
    convert(model_folder("lm"), tmp_path / "lm.gguf")
    wanted, got = values(tmp_path / "lm.gguf"), values(path)
    for name, weight in wanted.items():
        error = np.linalg.norm(got[name] - weight) / np.linalg.norm(weight)
        assert error < 0.1, (name, error)
    with pytest.raises(CourseError, match="lm-gguf"):
        shipped_gguf("Q3_K")


def test_hyper_parameters_refuse_uneven_heads():
    with pytest.raises(CourseError, match="cannot share"):
        hyper_parameters(LlamaConfig().to_dict() | {"num_key_value_heads": 5})
