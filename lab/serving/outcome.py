"""What a simulated load saw: latencies, goodput, cost."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """Times of n requests in seconds since the start, in order of arrival.

    Attributes:
        arrival_s, start_s, first_token_s, finish_s: float64 (n,). start_s: prefill begins.
        output_tokens: int64 (n,). replica: int64 (n,), which one finished it.
        retries: int64 (n,), how often it began again. prefix_hit: bool (n,).
        replica_s: seconds paid for, over all replicas. end_s: when the last request was done.
    """

    arrival_s: np.ndarray
    start_s: np.ndarray
    first_token_s: np.ndarray
    finish_s: np.ndarray
    output_tokens: np.ndarray
    replica: np.ndarray
    retries: np.ndarray
    prefix_hit: np.ndarray
    replica_s: float
    end_s: float

    @classmethod
    def of(cls, requests: list[Any], replica_s: float, end_s: float) -> "Outcome":
        """From the simulated requests."""
        kinds = {
            "output_tokens": np.int64,
            "replica": np.int64,
            "retries": np.int64,
            "prefix_hit": bool,
        }
        names = [n for n in cls.__dataclass_fields__ if n not in ("replica_s", "end_s")]
        columns = {
            n: np.array([getattr(r, n) for r in requests], kinds.get(n, np.float64)) for n in names
        }
        return cls(**columns, replica_s=replica_s, end_s=end_s)

    @property
    def latency_s(self) -> np.ndarray:
        """From arrival to the last token."""
        return self.finish_s - self.arrival_s

    @property
    def ttft_s(self) -> np.ndarray:
        """Time to first token."""
        return self.first_token_s - self.arrival_s

    @property
    def tpot_s(self) -> np.ndarray:
        """Time per output token after the first; 0 where there is one alone."""
        return (self.finish_s - self.first_token_s) / np.maximum(1, self.output_tokens - 1)

    def percentile(self, share: float, what: str = "latency_s") -> float:
        """The nearest-rank percentile: the smallest value that `share` of the requests do not exceed."""
        values = np.sort(getattr(self, what))
        return float(values[max(0, int(np.ceil(share * len(values))) - 1)])

    def goodput_per_s(self, most_ttft_s: float = np.inf, most_tpot_s: float = np.inf) -> float:
        """Requests a second, over the whole run, that keep both bounds."""
        good = (self.ttft_s <= most_ttft_s) & (self.tpot_s <= most_tpot_s)
        return float(good.sum() / self.end_s) if self.end_s else 0.0

    def cost(self, price_per_hour: float) -> float:
        """What the replicas cost, in the price's currency."""
        return self.replica_s / 3600 * price_per_hour
