"""The catalogue of components is a stack in which nothing is missing."""

import pytest

from autograder.checks.oracles import stacks
from lab.stack import CATALOGUE, LAYERS, Component

PLAIN = [(c.name, c.layer, c.offers, c.needs) for c in CATALOGUE.values()]


def test_every_need_is_met_and_every_layer_has_components():
    assert stacks.findings(PLAIN) == {"empty": [], "unmet": [], "circular": []}
    assert {c.layer for c in CATALOGUE.values()} == set(LAYERS)


@pytest.mark.parametrize(
    "gone", ["GPU", "CUDA driver", "container runtime", "Kubernetes", "NVLink"]
)
def test_without_a_part_something_is_unmet(gone):
    assert stacks.findings([c for c in PLAIN if c[0] != gone])["unmet"]


def test_a_component_cannot_be_changed():
    with pytest.raises(AttributeError):
        Component("GPU", 1).layer = 2


def test_reduction_keeps_what_can_be_reached():
    edges = stacks.reduced(PLAIN)
    kept = {name: {b for a, b in edges if a == name} for name in CATALOGUE}
    assert stacks.closed(kept) == stacks.closed(stacks.direct(PLAIN))
    for edge in edges:
        less = {name: {b for a, b in edges if a == name and (a, b) != edge} for name in CATALOGUE}
        assert stacks.closed(less) != stacks.closed(kept), edge
