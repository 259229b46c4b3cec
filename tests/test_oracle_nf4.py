"""NF4's oracle, the tables of levels and the LoRA judge, held to bitsandbytes and PEFT."""

import copy
import logging

import numpy as np
import pytest
import torch

from autograder.checks.m1_2 import qlora_adapter
from autograder.checks.oracles import nf4
from lab import codebooks


@pytest.fixture(scope="module")
def bnb():
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from bitsandbytes import functional

    return functional


def test_levels_equal_the_library_s_table(bnb):
    table = bnb.get_4bit_type("nf4", device="cpu").numpy()
    assert np.abs(nf4.levels() - table).max() < 1e-6
    built = np.unique(bnb.create_normal_map().numpy())
    assert np.abs(nf4.levels() - built).max() < 1e-6


def test_fp4_and_dynamic_levels_equal_the_library_s(bnb):
    fp4 = np.unique(bnb.get_4bit_type("fp4", device="cpu").numpy())
    np.testing.assert_allclose(codebooks.fp4_levels(), fp4, rtol=2e-7)
    np.testing.assert_allclose(
        codebooks.dynamic_levels(), bnb.create_dynamic_map().numpy(), rtol=5e-7
    )


@pytest.mark.parametrize("shape", [(48, 64), (7, 14), (3, 50), (1, 65)])
def test_codes_and_bytes_equal_the_library_s(bnb, shape):
    x = np.random.default_rng(3).normal(0, 0.02, shape).astype(np.float32)
    theirs, state = bnb.quantize_4bit(torch.tensor(x), blocksize=64, quant_type="nf4")
    codes, scales = nf4.quantize(x, nf4.nf4(), 64)
    np.testing.assert_array_equal(nf4.pack(codes), theirs.numpy().ravel())
    np.testing.assert_array_equal(scales, state.absmax.numpy())


def test_restored_weights_equal_the_library_s(bnb):
    x = np.random.default_rng(4).normal(0, 0.02, (48, 64)).astype(np.float32)
    packed, state = bnb.quantize_4bit(torch.tensor(x), blocksize=64, quant_type="nf4")
    codes, scales = nf4.quantize(x, nf4.nf4(), 64)
    want = bnb.dequantize_4bit(packed, state).numpy()
    ours = nf4.restore(codes, scales, nf4.nf4(), 64).reshape(x.shape)
    np.testing.assert_allclose(ours, want, rtol=1e-6)


def test_double_quantization_equals_the_library_s(bnb):
    x = np.random.default_rng(5).normal(0, 0.02, (600, 64)).astype(np.float32)
    _, state = bnb.quantize_4bit(
        torch.tensor(x), blocksize=64, compress_statistics=True, quant_type="nf4"
    )
    scales = np.abs(x.astype(np.float64)).max(axis=1)
    ratio, outer = nf4.ratios(scales - scales.mean(), 256)
    assert float(state.offset) == pytest.approx(scales.mean(), rel=1e-6)
    np.testing.assert_allclose(state.state2.absmax.numpy(), outer, rtol=1e-5)
    assert nf4.as_near(state.absmax.numpy(), ratio, codebooks.dynamic_levels(), 1e-5).all()


def test_lora_oracle_equals_peft():
    from peft import LoraConfig, inject_adapter_in_model

    case = qlora_adapter._case(
        np.random.default_rng(6), "with a bias", "merge", 12, 7, 4, 6, (5,), bias=True
    )
    net = torch.nn.Sequential(torch.nn.Linear(12, 7))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor(case.weight))
        net[0].bias.copy_(torch.tensor(case.bias))
    net = inject_adapter_in_model(LoraConfig(r=4, lora_alpha=6, target_modules=["0"]), net)
    start = net[0].lora_A["default"].weight.detach()
    assert (start.abs() <= 12**-0.5).all() and (net[0].lora_B["default"].weight == 0).all()
    net[0].lora_A["default"].weight.data = torch.tensor(case.a)
    net[0].lora_B["default"].weight.data = torch.tensor(case.b)
    want = net(torch.tensor(case.x)).detach().numpy()
    ours = qlora_adapter._forward(case, case.a.astype(float), case.b.astype(float))
    np.testing.assert_allclose(ours, want, rtol=1e-4, atol=1e-4)
    merged = copy.deepcopy(net[0])
    merged.merge()
    update = case.alpha / case.rank * case.b @ case.a
    np.testing.assert_allclose(
        merged.base_layer.weight.detach().numpy(), case.weight + update, rtol=1e-4, atol=1e-4
    )
