"""Requests over time: when they arrive, how long their prompts and outputs are, what they share."""

from dataclasses import dataclass

import numpy as np

from lab.errors import CourseError


@dataclass(frozen=True)
class Load:
    """Requests in order of arrival, n of them.

    Attributes:
        arrival_s: float64 (n,), ascending.
        prompt_tokens: int64 (n,), shared prefix included.
        output_tokens: int64 (n,), at least 1.
        prefix: int64 (n,), which shared prefix the prompt begins with; -1: none.
        prefix_tokens: int64 (n,), how long that prefix is; 0: none.
    """

    arrival_s: np.ndarray
    prompt_tokens: np.ndarray
    output_tokens: np.ndarray
    prefix: np.ndarray
    prefix_tokens: np.ndarray

    def __post_init__(self):
        sizes = {len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(sizes) != 1:
            raise CourseError("The arrays of a load must have one entry for each request.")
        if np.any(np.diff(self.arrival_s) < 0):
            raise CourseError("Requests must be in order of their arrival.")
        if np.any(self.output_tokens < 1) or np.any(self.prompt_tokens < self.prefix_tokens):
            raise CourseError("Outputs take 1 token or more, and a prompt holds its prefix.")

    def __len__(self) -> int:
        return len(self.arrival_s)


def make_load(
    rng: np.random.Generator,
    rate_per_s: float,
    duration_s: float,
    prompt_tokens: float = 500.0,
    output_tokens: float = 200.0,
    spread: float = 0.6,
    burstiness: float = 1.0,
    prefixes: int = 0,
    prefix_tokens: int = 0,
    zipf: float = 1.0,
) -> Load:
    """A random load, the same for the same generator state.

    Args:
        rate_per_s: mean arrivals a second; burstiness 1 is a Poisson process.
        duration_s: no request arrives later.
        prompt_tokens, output_tokens: medians of lognormal lengths, without the shared prefix.
        spread: standard deviation of the lengths' logarithm; 0: all are equal.
        burstiness: squared coefficient of variation of the gaps (a gamma distribution); above 1
            requests come in bursts.
        prefixes: how many shared prefixes there are; 0: none. The k-th most wanted is asked for with
            weight 1 / k**zipf.
        prefix_tokens: tokens of each of them.

    Raises:
        CourseError: a rate, duration or length that is not above 0.
    """
    if min(rate_per_s, duration_s, prompt_tokens, output_tokens, burstiness) <= 0:
        raise CourseError("Rate, duration, lengths and burstiness must be above 0.")
    arrival_s = _arrivals(rng, rate_per_s, duration_s, burstiness)
    n = len(arrival_s)
    prompt, output = (
        np.maximum(1, np.rint(median * np.exp(spread * rng.standard_normal(n)))).astype(np.int64)
        for median in (prompt_tokens, output_tokens)
    )
    prefix = np.full(n, -1, np.int64)
    shared = np.zeros(n, np.int64)
    if prefixes:
        weights = 1.0 / np.arange(1, prefixes + 1) ** zipf
        prefix = rng.choice(prefixes, n, p=weights / weights.sum()).astype(np.int64)
        shared[:] = prefix_tokens
    return Load(arrival_s, prompt + shared, output, prefix, shared)


def _arrivals(rng, rate_per_s, duration_s, burstiness) -> np.ndarray:
    """Ascending times below duration_s, gaps of a gamma distribution of mean 1 / rate_per_s."""
    times, last = [], 0.0
    while last < duration_s:
        count = max(16, int(1.1 * rate_per_s * (duration_s - last)))
        gaps = rng.gamma(1 / burstiness, burstiness / rate_per_s, count)
        times.append(last + np.cumsum(gaps))
        last = times[-1][-1]
    joined = np.concatenate(times)
    return joined[joined < duration_s]
