"""The exact statistics behind the checks of module 1.6, against SciPy, NumPy and simulation."""

import statistics
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from autograder.checks.oracles import samples

HALF = Fraction(25, 1000)


@pytest.mark.parametrize("n", [1, 5, 6, 40, 367, 368, 900])
@pytest.mark.parametrize("percent", [1, 50, 90, 99])
def test_ranks_are_those_of_scipys_binomial(n, percent):
    low, high = samples.interval_ranks(n, percent, HALF)
    p = percent / 100
    assert (low or 0) == int(binom.ppf(0.025, n, p))
    wanted = int(binom.ppf(0.975, n, p)) + 1
    assert high == (wanted if wanted <= n else None)


def test_a_p99_has_an_upper_end_from_368_samples_on():
    assert samples.interval_ranks(367, 99, HALF)[1] is None
    assert samples.interval_ranks(368, 99, HALF)[1] == 368


@pytest.mark.parametrize(("n", "percent"), [(30, 50), (60, 90), (400, 99)])
def test_the_interval_covers_as_often_as_it_says(n, percent):
    """Of a skewed distribution; a rank more inside at both ends would cover less than 95 %."""
    low, high = samples.interval_ranks(n, percent, HALF)
    drawn = np.sort(np.random.default_rng(5).exponential(1.0, (20_000, n)), axis=1)
    truth = -np.log(1 - percent / 100)
    covered = np.mean((drawn[:, low - 1] <= truth) & (truth <= drawn[:, high - 1]))
    exact = binom.cdf(high - 1, n, percent / 100) - binom.cdf(low - 1, n, percent / 100)
    assert exact >= 0.95
    assert abs(covered - exact) < 0.006
    assert binom.cdf(high - 2, n, percent / 100) - binom.cdf(low, n, percent / 100) < 0.95


def test_median_and_nearest_rank():
    for n in (1, 2, 7, 100):
        values = [float(v) for v in np.random.default_rng(n).permutation(n)]
        assert samples.median(values) == statistics.median(values)
        for percent in range(1, 101):
            assert (
                samples.nearest_rank(values, percent) == sorted(values)[-(-percent * n // 100) - 1]
            )
