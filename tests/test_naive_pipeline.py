"""The pipeline that project 1.6 offers: the shipped model's own logits, by slow habits."""

import numpy as np
import pytest
import torch

from lab import naive_pipeline as pipeline
from lab.fake_quant import round_to_nearest, with_weights
from lab.four_bit_lm import four_bit_weights, pack, sample_prompts
from lab.lm import load_lm


@pytest.fixture(scope="module")
def model():
    return load_lm()


@pytest.fixture(scope="module")
def weights(model):
    return four_bit_weights(model)


def test_packing_is_rounding_to_nearest_in_groups_of_64(model):
    weight = model.model.layers[1].mlp.down_proj.weight
    codes, scales = pack(weight)
    assert codes.shape == (256, 384) and codes.dtype == torch.uint8 and scales.shape == (256, 12)
    restored = pipeline.dequantize(codes, scales)
    torch.testing.assert_close(restored, round_to_nearest(weight, 4, 64), rtol=1e-6, atol=0)
    zeros = pack(torch.zeros(2, 64))
    assert not pipeline.dequantize(*zeros).any() and (zeros[1] == 1).all()


@pytest.mark.parametrize("length", [1, 2, 33])
def test_logits_are_those_of_transformers(model, weights, length):
    rival = with_weights(model, lambda name, w: round_to_nearest(w, 4, 64))
    (prompt,) = sample_prompts([length], seed=length)
    with torch.inference_mode():
        want = rival(torch.tensor([prompt])).logits[0]
    torch.testing.assert_close(pipeline.forward(weights, prompt), want, rtol=0, atol=1e-4)


def test_greedy_tokens_are_those_of_transformers(model, weights):
    rival = with_weights(model, lambda name, w: round_to_nearest(w, 4, 64))
    (prompt,) = sample_prompts([12], seed=5)
    ids = torch.tensor([prompt])
    out = rival.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=4,
        min_new_tokens=4,
        do_sample=False,
        pad_token_id=0,
    )
    ((tokens, logits),) = pipeline.generate(weights, [prompt], 4)
    assert tokens == out[0, 12:].tolist() == logits.argmax(-1).tolist()
    assert logits.shape == (4, 2048) and logits.dtype == torch.float32


def test_sampled_prompts_repeat_with_their_seed():
    assert sample_prompts([3, 9], seed=1) == sample_prompts([3, 9], seed=1)
    assert sample_prompts([3, 9], seed=1) != sample_prompts([3, 9], seed=2)
    assert [len(p) for p in sample_prompts([3, 9])] == [3, 9]
    assert np.max(sample_prompts([50])) < 2048
