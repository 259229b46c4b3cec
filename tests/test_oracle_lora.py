"""The LoRA oracle against PEFT: outputs, merged weights and joined adapters."""

import numpy as np
import pytest

from autograder.checks.oracles import lora

WIDE, TALL = 12, 9
RANKS = {"one": (2, 4.0), "two": (5, 1.5)}


@pytest.fixture(scope="module")
def adapted():
    """PEFT's model of one linear layer with two adapters, and its factors as arrays."""
    peft = pytest.importorskip("peft")
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(WIDE, TALL)).double()
    model, factors = None, {}
    for name, (rank, alpha) in RANKS.items():
        config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0"])
        if model is None:
            model = peft.get_peft_model(net, config, adapter_name=name)
        else:
            model.add_adapter(name, config)
    layer = model.base_model.model[0]
    for name, (_, alpha) in RANKS.items():
        for part in (layer.lora_A[name], layer.lora_B[name]):
            part.weight.data = torch.randn(part.weight.shape, dtype=torch.float64)
        a, b = (m[name].weight.detach().numpy() for m in (layer.lora_A, layer.lora_B))
        factors[name] = a, b, alpha
    return model.double(), layer, factors


def test_outputs_and_merged_weights_equal_pefts(adapted):
    import torch

    model, layer, factors = adapted
    x = np.random.default_rng(1).normal(size=(6, WIDE))
    weight, bias = (p.detach().numpy().copy() for p in layer.base_layer.parameters())
    for name, factor in factors.items():
        model.set_adapter(name)
        delta = lora.update(*factor)
        with torch.no_grad():
            got = model(torch.from_numpy(x)).numpy()
        assert np.allclose(got, lora.output(x, weight, bias, delta), rtol=1e-12, atol=1e-12)
        assert not np.allclose(got, lora.output(x, weight, bias, 0.0))
        layer.merge(adapter_names=[name])
        assert np.allclose(layer.base_layer.weight.detach().numpy(), weight + delta)
        layer.unmerge()


def test_a_joined_adapter_equals_pefts_cat(adapted):
    model, layer, factors = adapted
    weights = [0.7, 1.6]
    model.add_weighted_adapter(list(factors), weights, "joined", combination_type="cat")
    want = sum(w * lora.update(*f) for w, f in zip(weights, factors.values(), strict=True))
    assert np.allclose(layer.get_delta_weight("joined").detach().numpy(), want, atol=1e-6)


def test_tail_is_what_no_matrix_of_the_rank_can_beat():
    delta = np.random.default_rng(2).normal(size=(8, 6))
    u, s, vt = np.linalg.svd(delta, full_matrices=False)
    assert np.isclose(lora.tail(delta, 2), np.linalg.norm(delta - (u[:, :2] * s[:2]) @ vt[:2]))
    assert lora.tail(delta, 6) == 0
