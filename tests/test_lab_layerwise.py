"""A decoder quantized block by block: which inputs each layer is calibrated on, and what is refused."""

import sys

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from autograder.checks.oracles import gptq
from lab.errors import CourseError
from lab.fake_quant import decoder_linears
from lab.gptq_library import library_gptq
from lab.layerwise import all_calibration_inputs, calibration_inputs, quantize_layerwise

DOWN = "model.layers.1.mlp.down_proj"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    return LlamaForCausalLM(config).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(0, 64, (5, 12), generator=torch.Generator().manual_seed(1))


def logits(model, tokens):
    with torch.inference_mode():
        return model(tokens, use_cache=False).logits


def halved(name, weight, inputs):
    return weight / 2


def test_inputs_are_what_the_layer_multiplies(model, tokens):
    batches = calibration_inputs(model, tokens, DOWN, batch=2)
    assert [b.shape for b in batches] == [(24, 48), (24, 48), (12, 48)]
    assert {b.dtype for b in batches} == {np.dtype(np.float32)}
    kept = []
    handle = model.get_submodule(DOWN).register_forward_hook(lambda m, a, out: kept.append(out))
    logits(model, tokens)
    handle.remove()
    weight = model.get_submodule(DOWN).weight.numpy()
    made = np.concatenate(batches) @ weight.T
    np.testing.assert_allclose(made, kept[0].reshape(-1, 32).numpy(), atol=1e-5)


def test_all_inputs_at_once_are_those_of_each_layer(model, tokens):
    seen = all_calibration_inputs(model, tokens, batch=2)
    assert list(seen) == list(decoder_linears(model)) and len(seen) == 21
    for name, batches in seen.items():
        alone = calibration_inputs(model, tokens, name, batch=2)
        assert len(batches) == len(alone) == 3
        for all_of_them, one in zip(batches, alone, strict=True):
            np.testing.assert_array_equal(all_of_them, one)
    with pytest.raises(CourseError, match="calibration set is empty"):
        all_calibration_inputs(model, tokens[:0])


def test_every_layer_once_in_order_and_unchanged_weights_change_nothing(model, tokens):
    names, lines = [], []

    def same(name, weight, inputs):
        names.append(name)
        assert sum(map(len, inputs)) == tokens.numel()
        return weight

    copy = quantize_layerwise(model, tokens, same, batch=2, progress=lines.append)
    assert names == list(decoder_linears(model))
    assert lines == ["block 1 of 3", "block 2 of 3", "block 3 of 3"]
    assert torch.equal(logits(copy, tokens), logits(model, tokens))


def test_a_block_is_calibrated_on_what_the_changed_blocks_before_it_make(model, tokens):
    before, seen = logits(model, tokens), {}

    def change(name, weight, inputs):
        seen[name] = np.concatenate(inputs)
        return halved(name, weight, inputs)

    changed = quantize_layerwise(model, tokens, change, batch=2)
    first_of_last = "model.layers.2.self_attn.q_proj"
    after = np.concatenate(calibration_inputs(changed, tokens, first_of_last, batch=2))
    np.testing.assert_allclose(seen[first_of_last], after, atol=1e-5)
    untouched = np.concatenate(calibration_inputs(model, tokens, first_of_last, batch=2))
    assert np.abs(untouched - after).max() > 1e-3
    for name, linear in decoder_linears(changed).items():
        assert torch.equal(linear.weight, model.get_submodule(name).weight / 2)
    assert torch.equal(logits(model, tokens), before), "the given model stays as it is"
    hooks = [m for m in changed.modules() if m._forward_pre_hooks]
    assert not hooks and not [m for m in model.modules() if m._forward_pre_hooks]


@pytest.mark.parametrize("shape", [(0, 8), (3, 0), (8,)])
def test_an_empty_calibration_set_is_refused(model, shape):
    empty = torch.zeros(shape, dtype=torch.int64)
    with pytest.raises(CourseError, match="calibration set is empty"):
        quantize_layerwise(model, empty, halved)
    with pytest.raises(CourseError, match="calibration set is empty"):
        calibration_inputs(model, empty, DOWN)


def test_a_wrong_weight_layer_or_model_is_refused(model, tokens):
    with pytest.raises(CourseError, match="no layer called"):
        calibration_inputs(model, tokens, "model.layers.9.mlp.down_proj")
    with pytest.raises(CourseError, match=r"q_proj has shape \(32, 31\)"):
        quantize_layerwise(model, tokens, lambda n, w, x: w[:, 1:])
    with pytest.raises(CourseError, match="not finite"):
        quantize_layerwise(model, tokens, lambda n, w, x: w * np.nan)
    with pytest.raises(CourseError, match="no blocks"):
        quantize_layerwise(torch.nn.Linear(2, 2), tokens, halved)


def test_a_missing_library_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "gptqmodel", None)
    monkeypatch.setitem(sys.modules, "gptqmodel.quantization.config", None)
    with pytest.raises(CourseError, match="pip install gptqmodel"):
        library_gptq(np.ones((2, 4)), [np.ones((3, 4), np.float32)])


@pytest.mark.parametrize("desc_act", [False, True])
def test_the_library_agrees_with_the_oracle(desc_act):
    """GPTQModel computes in float32, the oracle in float64 with an explicit inverse per column."""
    pytest.importorskip("gptqmodel")
    rng = np.random.default_rng(0)
    columns, size, bits = 64, 16, 4
    x = gptq.inputs(rng, 512, columns).astype(np.float32)
    w = (rng.standard_normal((24, columns)) * 0.1).astype(np.float32).astype(np.float64)
    h = gptq.hessian(x.astype(np.float64))
    order = np.argsort(-np.diag(h), kind="stable") if desc_act else np.arange(columns)
    solved = gptq.solve(w[:, order], h[np.ix_(order, order)], bits, size)
    got = library_gptq(w, [x[:200], x[200:]], bits, size, desc_act=desc_act)[:, order]
    steady = solved.margin > 1e-3
    assert steady.sum() > 12
    np.testing.assert_allclose(got[steady], solved.restored[steady], atol=1e-5)
