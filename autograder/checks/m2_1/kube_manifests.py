"""kube-manifests: read strictly, validated by Kubernetes' schemas, then compared field by field."""

import re

from autograder.checks import case, expect
from lab.kube_schemas import read_manifests, schema_errors

PARTS = {"objects": 0.35, "strings": 0.25, "rolling update": 0.2, "refuse": 0.2}
HINTS = (
    "Build dicts and let yaml.safe_dump write them.",
    "A label's value and an environment variable's value are strings, whatever they look like.",
    "Two documents that share one list or dict become an alias: build it anew.",
)
KINDS = {"Deployment": "apps/v1", "Service": "v1", "HorizontalPodAutoscaler": "autoscaling/v2",
         "PodDisruptionBudget": "policy/v1"}  # fmt: skip
GOOD = {
    "name": "chat", "image": "example/llm:1", "version": "v1", "port": 8000, "gpus": 1, "spare_gpus": 1,
    "period_s": 10, "startup_failures": 30, "min_replicas": 2, "max_replicas": 6, "target": 8,
    "scale_down_s": 300, "env": {"LOG": "info"},
}  # fmt: skip
# YAML 1.1 takes each of them for something else, or does not read it at all, without quotes.
TRAPS = ("no", "ON", "1.10", "0123", "12:30", "1_000", "2026-11-22", "~", "null", "", "true", "0x1f",
         "a: b", "# no comment", "- x", '{"a": [1]}', "it's", 'say "hi"', "two\nlines",
         " edge ", "*", "é")  # fmt: skip


def cases(rng):
    yield case("a small service", "objects", spec=GOOD)
    yield case(
        "one replica at least", "objects", spec=GOOD | {"min_replicas": 1, "max_replicas": 1}
    )
    yield case("no environment", "objects", spec=GOOD | {"env": {}})
    yield case("another port", "objects", spec=GOOD | {"port": 9000, "gpus": 4, "spare_gpus": 8})
    for k in range(3):
        low = int(rng.integers(1, 5))
        drawn = {"name": f"llm-{int(rng.integers(10, 99))}", "port": int(rng.integers(1024, 9999)),
                 "period_s": int(rng.integers(2, 30)), "startup_failures": int(rng.integers(4, 90)),
                 "min_replicas": low, "max_replicas": low + int(rng.integers(0, 9)),
                 "target": int(rng.integers(2, 64)), "scale_down_s": int(rng.integers(0, 900)),
                 "gpus": 2, "spare_gpus": 2, "image": f"example/llm:{int(rng.integers(2, 99))}"}  # fmt: skip
        yield case(f"drawn, {k + 1}", "objects", spec=GOOD | drawn)
    for word in TRAPS:
        yield case(f"the value {word!r}", "strings", spec=GOOD | {"env": {"A": word, "B": "x"}})
    for word in ("1.10", "no", "0123", "12", "1.0"):
        yield case(f"version {word!r}", "strings", spec=GOOD | {"version": word})
    for gpus, spare in ((1, 0), (4, 3), (4, 4), (2, 7), (8, 0)):
        yield case(f"{gpus} GPUs a pod, {spare} spare", "rolling update",
                   spec=GOOD | {"gpus": gpus, "spare_gpus": spare})  # fmt: skip
    for label, change in (
        ("a name in capitals", {"name": "Chat"}),
        ("a name with _", {"name": "my_chat"}),
        ("a name that begins with a digit", {"name": "7b"}),
        ("a name that ends with -", {"name": "chat-"}),
        ("an empty name", {"name": ""}),
        ("a name with a line end", {"name": "chat\n"}),
        ("a name of 64 letters", {"name": "a" * 64}),
        ("no GPU", {"gpus": 0}),
        ("no replica", {"min_replicas": 0}),
        ("a maximum below the minimum", {"max_replicas": 1}),
    ):
        yield case(label, "refuse", spec=GOOD | change, refuse=True)
    yield case("a name of 63 letters", "refuse", spec=GOOD | {"name": "a" * 63})


def probe(solution, spec, refuse=False):
    if refuse:
        return refusal(lambda: solution(spec))  # noqa: F821
    return solution(spec)


def judge(case, answer):
    if case.inputs.get("refuse"):
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    found = _documents(answer)
    spec, name = case.spec, case.spec["name"]
    for kind, document in found.items():
        _same(f"{kind}: apiVersion", document.get("apiVersion"), KINDS[kind])
        _same(f"{kind}: metadata.name", _at(document, "metadata", "name"), name)
        _same(f"{kind}: namespace", _at(document, "metadata", "namespace"), None)
    for kind, document in found.items():
        errors = schema_errors(document)
        if errors:
            expect.wrong("values", f"{kind}: Kubernetes' schema refuses {errors[0]}")
    bodies = {kind: document.get("spec") or {} for kind, document in found.items()}
    _deployment(bodies["Deployment"], spec)
    _service(bodies["Service"], spec)
    _scaler(bodies["HorizontalPodAutoscaler"], spec)
    budget = bodies["PodDisruptionBudget"]
    _same("budget: maxUnavailable", budget.get("maxUnavailable"), 1)
    _same("budget: minAvailable", budget.get("minAvailable"), None)
    _selector("budget", budget.get("selector"), name)
    return None


def _documents(answer):
    """kind -> document, of a text that is read strictly."""
    if not isinstance(answer, str):
        expect.wrong("type", "Return one string.", yours=expect.kind(answer), right="a str")
    try:
        documents = read_manifests(answer)
    except ValueError as error:
        expect.wrong("values", str(error))
    kinds = sorted(str(document.get("kind")) for document in documents)
    expect.that(kinds == sorted(KINDS), "Give each of the four kinds once.", yours=kinds,
                right=sorted(KINDS))  # fmt: skip
    return {document["kind"]: document for document in documents}


def _at(node, *path):
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _same(name, yours, right):
    same = yours == right and type(yours) is type(right)
    expect.that(same, f"Not as asked for: {name}.", yours=yours, right=right)


def _selector(name, selector, app):
    _same(f"{name}: selector", _at(selector, "matchLabels"), {"app": app})
    expect.that(
        not _at(selector, "matchExpressions"), f"{name}: the selector has only matchLabels."
    )


def _deployment(body, spec):
    _same("Deployment: replicas, which the autoscaler owns", body.get("replicas"), None)
    _same("Deployment: paused", bool(body.get("paused")), False)
    _selector("Deployment", body.get("selector"), spec["name"])
    labels = _at(body, "template", "metadata", "labels")
    _same(
        "Deployment: labels of the pods", labels, {"app": spec["name"], "version": spec["version"]}
    )
    pod = _at(body, "template", "spec")
    wanted = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    _same("Deployment: tolerations", pod.get("tolerations"), [wanted])
    containers = (pod.get("containers") or []) + (pod.get("initContainers") or [])
    _same("names of the containers", [c.get("name") for c in containers], ["server"])
    _container(containers[0], spec)
    _same("strategy", _at(body, "strategy", "type") or "RollingUpdate", "RollingUpdate")
    spare = spec["spare_gpus"] >= spec["gpus"]
    for key, right in (("maxSurge", int(spare)), ("maxUnavailable", int(not spare))):
        _same(key, _at(body, "strategy", "rollingUpdate", key), right)


def _container(container, spec):
    _same("image", container.get("image"), spec["image"])
    ports = container.get("ports") or []
    _same("number of container ports", len(ports), 1)
    _same("the port's name", ports[0].get("name"), "http")
    _same("containerPort", ports[0].get("containerPort"), spec["port"])
    _same("the port's protocol", ports[0].get("protocol") or "TCP", "TCP")
    env = container.get("env") or []
    names = [e.get("name") for e in env]
    expect.that(len(names) == len(set(names)), "An environment variable stands twice.", yours=names)
    _same("env", {e.get("name"): e.get("value") for e in env}, spec["env"])
    _same("envFrom", container.get("envFrom") or None, None)
    limits, requests = (
        _at(container, "resources", "limits"),
        _at(container, "resources", "requests"),
    )
    gpus = str(spec["gpus"])
    _same("limits nvidia.com/gpu", str(_at(limits, "nvidia.com/gpu")), gpus)
    asked = _at(requests, "nvidia.com/gpu")
    _same("requests nvidia.com/gpu", gpus if asked is None else str(asked), gpus)
    for kind, path in (("startup", "ready"), ("readiness", "ready"), ("liveness", "live")):
        probe = container.get(f"{kind}Probe")
        _same(f"{kind} probe: path", _at(probe, "httpGet", "path"), f"/v1/health/{path}")
        scheme = _at(probe, "httpGet", "scheme") or "HTTP"
        _same(f"{kind} probe: scheme", scheme, "HTTP")
        others = {"exec", "grpc", "tcpSocket"} & set(probe)
        _same(f"{kind} probe: handlers beside httpGet", sorted(others), [])
        port = _at(probe, "httpGet", "port")
        _same(f"{kind} probe: port", "http" if port == spec["port"] else port, "http")
        _same(f"{kind} probe: periodSeconds", _at(probe, "periodSeconds"), spec["period_s"])
    _same("startup probe: failureThreshold", container["startupProbe"].get("failureThreshold"),
          spec["startup_failures"])  # fmt: skip


def _service(body, spec):
    _same("Service: selector", body.get("selector"), {"app": spec["name"]})
    ports = body.get("ports") or []
    _same("number of the Service's ports", len(ports), 1)
    _same("Service: port", ports[0].get("port"), 80)
    _same("Service: protocol", ports[0].get("protocol") or "TCP", "TCP")
    target = ports[0].get("targetPort", 80)  # the default is the same number as port
    _same("Service: targetPort", "http" if target == spec["port"] else target, "http")
    _same("Service: type ExternalName", body.get("type") == "ExternalName", False)


def _scaler(body, spec):
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "name": spec["name"]}
    _same("scaleTargetRef", body.get("scaleTargetRef"), wanted)
    least = body.get("minReplicas", 1)  # its default
    _same("minReplicas", least, spec["min_replicas"])
    _same("maxReplicas", body.get("maxReplicas"), spec["max_replicas"])
    metrics = body.get("metrics") or []
    _same("types of the metrics", [m.get("type") for m in metrics], ["Pods"])
    pods = metrics[0].get("pods")
    _same("the metric's name", _at(pods, "metric", "name"), "running_requests")
    _same("the metric's selector", _at(pods, "metric", "selector"), None)
    _same("target: type", _at(pods, "target", "type"), "AverageValue")
    value = str(_at(pods, "target", "averageValue"))
    _same("target: averageValue", re.sub(r"\.0*$", "", value), str(spec["target"]))
    seconds = _at(body, "behavior", "scaleDown", "stabilizationWindowSeconds")
    _same("stabilizationWindowSeconds of scaleDown", seconds, spec["scale_down_s"])
    for way in ("scaleDown", "scaleUp"):
        policy = _at(body, "behavior", way, "selectPolicy")
        _same(f"{way}: selectPolicy Disabled", policy == "Disabled", False)
