"""Kubernetes manifests: read YAML as an API server's client does, and hold it against the real schemas.

The schemas are Kubernetes 1.37's own, strict about unknown fields: data/kubernetes_schemas.
"""

import json
from functools import cache
from typing import Any

import jsonschema
import yaml

from lab.paths import repo_root

SCHEMAS = "data/kubernetes_schemas/strict-1.37.0.json"
MOST_CHARS = 200_000


class _StrictLoader(yaml.SafeLoader):
    """YAML 1.1 without aliases; a key that stands twice in a mapping is an error."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases are not read here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is no string", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_manifests(text: str) -> list[dict]:
    """The documents of a YAML text, empty ones left out.

    Raises:
        ValueError: no YAML, a key twice, a key that is no string, an alias, a document that is no mapping,
            or more than 200,000 characters.
    """
    if len(text) > MOST_CHARS:
        raise ValueError(f"{len(text):,} characters are no manifest.")
    try:
        documents = [d for d in yaml.load_all(text, Loader=_StrictLoader) if d is not None]  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ValueError(f"YAML: {getattr(error, 'problem', error)}{where}.") from None
    for document in documents:
        if not isinstance(document, dict):
            raise ValueError(f"A manifest is a mapping, not a {type(document).__name__}.")
    return documents


def schema_errors(manifest: dict) -> list[str]:
    """What the schema of the manifest's kind finds, a sentence each, the deepest place first."""
    schemas = _schemas()
    name = f"{manifest.get('apiVersion')} {manifest.get('kind')}"
    if name not in schemas["kinds"]:
        return [f"No such apiVersion and kind: {name}. Known: {', '.join(schemas['kinds'])}."]
    found = sorted(
        (e for top in _validator(name).iter_errors(manifest) for e in [_deepest(top)]),
        key=lambda e: (-len(e.absolute_path), list(map(str, e.absolute_path))),
    )
    return [f"{_path(e.absolute_path)}: {e.message[:200]}" for e in found]


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    return jsonschema.exceptions.best_match([error]) or error


def _path(parts: Any) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)
    return text.lstrip(".") or "the manifest"


@cache
def _schemas() -> dict:
    return json.loads((repo_root() / SCHEMAS).read_text(encoding="utf-8"))


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schemas = _schemas()
    return jsonschema.Draft202012Validator({"$defs": schemas["$defs"], **schemas["kinds"][name]})
