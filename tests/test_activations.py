"""What autograd keeps of a layer equals the formula of Korthikanti et al. (2022), equation 1."""

import pytest
import torch

from lab.activations import kept_bytes, layers_kept_bytes


@pytest.mark.parametrize("s, b, h, a", [(16, 2, 64, 4), (64, 1, 32, 2), (8, 3, 32, 1)])
def test_a_layer_keeps_what_the_paper_counts(s, b, h, a):
    assert layers_kept_bytes(s, b, h, a, 1) == 34 * s * b * h + 5 * a * s * s * b
    assert layers_kept_bytes(s, b, h, a, 3) == 3 * (34 * s * b * h + 5 * a * s * s * b)


def test_shared_storage_and_parameters():
    weight = torch.ones(4, 4, requires_grad=True)
    x = torch.ones(4, 4, requires_grad=True)
    assert kept_bytes(lambda: x * x, [], least=1) == 64  # one storage, kept twice
    assert kept_bytes(lambda: x @ weight, [weight], least=1) == 64
    assert kept_bytes(lambda: x @ weight, [weight], least=17) == 0
