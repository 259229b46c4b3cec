"""Manifests: read strictly, and held against Kubernetes' own schemas."""

import json

import pytest

from data.kubernetes_schemas.__main__ import KINDS, SHIPPED, references
from lab.kube_schemas import read_manifests, schema_errors

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "x"},
    "spec": {"ports": [{"port": 80}]},
}


def test_shipped_schemas_refer_to_nothing_outside():
    shipped = json.loads(SHIPPED.read_text())
    assert set(shipped["kinds"]) == set(KINDS)
    assert references(shipped) == set(shipped["$defs"])


def test_a_valid_manifest_has_no_errors():
    assert schema_errors(SERVICE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spec": {"ports": [{"port": "80"}]}}, "spec.ports[0].port"),
        ({"spec": {"port": 80}}, "'port' was unexpected"),
        ({"metadata": {"labels": {"a": 1}}}, "metadata.labels.a"),
        ({"kind": "Pod"}, "No such apiVersion and kind"),
        ({"apiVersion": "apps/v1"}, "No such apiVersion and kind"),
    ],
)
def test_errors_name_the_place(change, words):
    found = schema_errors(SERVICE | change)
    assert found and words in found[0]


def test_documents_are_separated_and_empty_ones_left_out():
    assert read_manifests("---\na: 1\n---\n---\nb: 'no'\n") == [{"a": 1}, {"b": "no"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "stands twice, line 2"),
        ("a: {b: 1, b: 2}\n", "stands twice"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("on: 1\n", "no string"),
        ("- a\n", "not a list"),
        ("a: [1\n", "YAML"),
        ("a: !!python/object:x.Y {}\n", "YAML"),
        ("[" * 5000, "YAML"),
        ("a" * 200_001, "no manifest"),
    ],
)
def test_bad_text_is_one_sentence(text, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read_manifests(text)
    assert words in str(error.value)
