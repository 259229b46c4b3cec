"""The oracle of compile-cost has the rules of the real torch.compile, with a back end that counts."""

import logging

import pytest
import torch

from autograder.checks.oracles.compile_cache import served

TRACES = {
    "new sizes": [4, 4, 6, 4, 6, 9],
    "a batch of 1": [1, 4, 6, 1, 8, 0, 0],
    "1 between": [4, 1, 4, 5, 4],
    "beyond the limit": [*range(2, 13), 2, 12, 3],
}


@pytest.fixture
def quiet():
    logger = logging.getLogger("torch._dynamo")
    level = logger.level
    logger.setLevel(logging.ERROR)
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()
    logger.setLevel(level)


def _real(sizes, **options):
    """(compiled now?, artifact) of each call, as `served` gives it."""
    made, ran = [], []

    def backend(graph, inputs):
        dynamic = any(isinstance(value, torch.SymInt) for value in inputs)
        made.append("dynamic" if dynamic else "static")
        kind = made[-1]

        def run(*arguments):
            ran.append(kind)
            return graph.forward(*arguments)

        return run

    compiled = torch.compile(lambda x: (x * 2).sum(0), backend=backend, **options)
    calls = []
    for size in sizes:
        before = len(made)
        ran.clear()
        compiled(torch.ones(size, 1000))
        calls.append((len(made) > before, ran[0] if ran else "eager"))
    return calls


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("mode", ["static", "automatic"])
def test_rules_are_those_of_torch(mode, name):
    options = {"dynamic": False} if mode == "static" else {}
    limit = torch._dynamo.config.recompile_limit
    assert _real(TRACES[name], **options) == served(mode, TRACES[name], limit)
