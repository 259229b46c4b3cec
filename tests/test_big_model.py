"""The GPU profile's LLaMA-7B: from the hub where it can be had, else a slice that says what it is."""

import huggingface_hub
import pytest
import transformers

import lab.big_model as big_model
from lab.big_model import llama_7b

SMALL = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "num_hidden_layers": 4,
}


def test_without_the_hub_it_is_a_slice_with_random_weights(tmp_path, monkeypatch):
    def unreachable(*words, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    monkeypatch.setattr(big_model, "SHAPE", SMALL)
    folder, tokenizer, note = llama_7b(tmp_path)
    assert folder == tmp_path and tokenizer is None
    assert "cannot be had (OSError)" in note and "4 of its 32 layers" in note and "random" in note
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert model.config.num_hidden_layers == 4 and model.config.hidden_size == 32


def test_the_slice_has_the_shape_of_llama_7b():
    config = transformers.LlamaConfig(**{**big_model.SHAPE, "num_hidden_layers": 32})
    h, inner = config.hidden_size, config.intermediate_size
    layer = 4 * h * h + 3 * h * inner + 2 * h
    # Touvron et al. 2023, table 2: 6.7 B.
    assert 32 * layer + 2 * config.vocab_size * h + h == pytest.approx(6.7e9, rel=0.01)


def test_from_the_hub_with_its_tokenizer(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda name, **k: asked.append(name) or str(tmp_path)
    )
    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda f: ("tokenizer", f))
    folder, tokenizer, note = llama_7b(tmp_path / "unused")
    assert (folder, tokenizer) == (tmp_path, ("tokenizer", str(tmp_path)))
    assert asked == [big_model.NAME] and note == f"{big_model.NAME} from the hub."
    assert not (tmp_path / "unused").exists()
