"""KL from a reference model: against scipy's, in the right direction, on windows spread over the text."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from lab.divergence import WINDOW, mean_divergence
from lab.errors import CourseError

V = 7
TOKENS = np.random.default_rng(0).integers(0, V, 3 * WINDOW)


def bigram_model(seed):
    """Logits that depend on the token alone, and the table of their probabilities."""
    table = torch.from_numpy(np.random.default_rng(seed).standard_normal((V, V)))
    return (lambda ids: table[ids]), table.softmax(-1).numpy()


def test_it_is_the_mean_kl_of_the_reference_from_the_model():
    (a, p), (b, q) = bigram_model(1), bigram_model(2)
    each = np.array([entropy(q[t], p[t]) for t in range(V)])  # KL(reference b || model a)
    assert mean_divergence(a, b, TOKENS, windows=3) == pytest.approx(each[TOKENS].mean(), rel=1e-12)
    other_way = np.array([entropy(p[t], q[t]) for t in range(V)])[TOKENS].mean()
    assert abs(other_way - each[TOKENS].mean()) > 1e-3
    assert mean_divergence(a, a, TOKENS) == 0


def test_the_first_and_the_last_window_are_seen():
    seen = []

    def model(ids):
        seen.append(ids.numpy())
        return torch.zeros(*ids.shape, V)

    mean_divergence(model, model, TOKENS, windows=2)
    np.testing.assert_array_equal(seen[0], [TOKENS[:WINDOW], TOKENS[-WINDOW:]])


@pytest.mark.parametrize(("tokens", "windows"), [(TOKENS[: WINDOW - 1], 1), (TOKENS, 0)])
def test_too_little_to_compare(tokens, windows):
    a, _ = bigram_model(1)
    with pytest.raises(CourseError, match="256 tokens"):
        mean_divergence(a, a, tokens, windows=windows)
