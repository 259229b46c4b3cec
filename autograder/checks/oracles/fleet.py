"""Scripted replicas for checks of routers, and comparison of simulated choices."""

import copy

import numpy as np

from autograder.checks import expect


def rows(rng, n, high=6):
    """n replicas [index, queued, running, prompt_tokens_ahead, prefixes]; indexes ascend with gaps."""
    indexes = np.cumsum(rng.integers(1, 3, n)) - 1
    return [
        [int(i), int(rng.integers(high)), int(rng.integers(high)), 100 * int(rng.integers(high)),
         rng.choice(6, int(rng.integers(4)), replace=False).tolist()]
        for i in indexes
    ]  # fmt: skip


def run(probe, solution, inputs):
    """What the probe gives for an oracle."""
    probe.__globals__.setdefault("np", np)
    return probe(solution, **copy.deepcopy(inputs))


def same_replicas(answer, right):
    """The replica that served each request of a simulated trace."""
    answer = expect.array(np.asarray(answer), "replica of each request", shape=right.shape)
    bad = np.flatnonzero(answer != right)
    if len(bad):
        at = int(bad[0])
        expect.wrong("values", "In the simulator the request went to another replica.", yours=int(answer[at]),
                     right=int(right[at]), where=f"request {at} of {len(right)}")  # fmt: skip
