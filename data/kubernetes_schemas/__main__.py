"""Extract the schemas that the course ships: `python -m data.kubernetes_schemas WHEEL`.

WHEEL is kubernetes_validate-1.37.0-py3-none-any.whl (`pip download --no-deps kubernetes-validate==1.37.0`),
which holds JSON schemas generated from Kubernetes' OpenAPI document, for thirteen versions: 22 MB. Kept are
the strict ones (unknown fields refused) of one version and five kinds, with all that they refer to.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "1.37.0"
SHIPPED = HERE / f"strict-{VERSION}.json"
FOLDER = f"kubernetes_validate/kubernetes-json-schema/v{VERSION}-local-strict"
KINDS = {
    "v1 Service": "service-v1",
    "apps/v1 Deployment": "deployment-apps-v1",
    "autoscaling/v2 HorizontalPodAutoscaler": "horizontalpodautoscaler-autoscaling-v2",
    "policy/v1 PodDisruptionBudget": "poddisruptionbudget-policy-v1",
    "batch/v1 Job": "job-batch-v1",
}
SAID = ("description", "$schema")
POINTER = re.compile(r"^.*#/(\$defs|definitions)/")


def extract(wheel: Path) -> dict:
    """{"kinds": {"apiVersion kind": schema}, "$defs": {name: schema}}, descriptions left out."""
    with zipfile.ZipFile(wheel) as archive:
        read = lambda name: json.loads(archive.read(f"{FOLDER}/{name}.json"))  # noqa: E731
        shared = read("_definitions")
        every = shared.get("$defs") or shared["definitions"]
        kinds = {key: bare(read(name)) for key, name in KINDS.items()}
    kept: dict = {}
    todo = list(kinds.values())
    while todo:
        for name in references(todo.pop()) - set(kept):
            kept[name] = bare(every[name])
            todo.append(kept[name])
    return {"kinds": kinds, "$defs": dict(sorted(kept.items()))}


def bare(node, inside_properties=False):
    """A schema without descriptions, its references pointing into one file."""
    if isinstance(node, list):
        return [bare(x) for x in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and not inside_properties:
        return {"$ref": POINTER.sub("#/$defs/", node["$ref"])}
    return {key: bare(value, key == "properties" and not inside_properties)
            for key, value in node.items()
            if inside_properties or not (key in SAID or key.startswith("x-"))}  # fmt: skip


def references(node) -> set[str]:
    """Names of the definitions that a schema refers to."""
    if isinstance(node, list):
        return set().union(*map(references, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(references, node.values())) if node else set()
    if isinstance(ref := node.get("$ref"), str):
        found.add(ref.rsplit("/", 1)[-1])
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Give the wheel's path: python -m data.kubernetes_schemas WHEEL")
    text = json.dumps(extract(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True)
    SHIPPED.write_text(text + "\n", encoding="utf-8")
    print(f"{SHIPPED.name}: {SHIPPED.stat().st_size:,} bytes")
