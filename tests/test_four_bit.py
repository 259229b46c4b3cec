"""A 4-bit layer on any CPU: measured, trained and restored, it is the same layer."""

import bitsandbytes
import pytest
import torch
from bitsandbytes import functional
from bitsandbytes.nn import modules

from lab.four_bit import same_arithmetic_on_every_cpu


@pytest.fixture
def layer(monkeypatch):
    """NF4 (64, 128); made as on a processor that would repack it."""
    monkeypatch.setattr(modules, "has_avx512bf16", lambda: True)
    same_arithmetic_on_every_cpu()
    torch.manual_seed(0)
    made = bitsandbytes.nn.Linear4bit(
        128, 64, bias=False, quant_type="nf4", compute_dtype=torch.float32
    )
    return made.to("cpu").eval()


def test_it_is_not_repacked_and_computes_in_float32(layer):
    weight = functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    x = torch.randn(5, 128)
    with torch.inference_mode():
        torch.testing.assert_close(layer(x), x @ weight.T, rtol=1e-5, atol=1e-5)
    after = functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    assert torch.equal(after, weight) and layer.weight.quant_state.nested


def test_gradients_pass_after_it_was_measured(layer):
    with torch.inference_mode():
        layer(torch.randn(5, 128))
    x = torch.randn(5, 128, requires_grad=True)
    layer.train()(x).sum().backward()
    weight = functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    torch.testing.assert_close(x.grad, weight.sum(0).expand(5, -1), rtol=1e-5, atol=1e-5)
