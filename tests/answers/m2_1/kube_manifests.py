"""Answers to kube-manifests."""

import json
import re

import yaml

from autograder.checks.bank import right, wrong


def _refuse(spec):
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", spec["name"]):
        raise ValueError("name")
    if spec["gpus"] < 1 or spec["min_replicas"] < 1 or spec["max_replicas"] < spec["min_replicas"]:
        raise ValueError("numbers")


def _documents(spec, check=True):
    """The four documents, no object in two places."""
    if check:
        _refuse(spec)
    name, spare = spec["name"], spec["spare_gpus"] >= spec["gpus"]

    def http(path, **more):
        return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": spec["period_s"]} | more

    container = {
        "name": "server", "image": spec["image"],
        "ports": [{"containerPort": spec["port"], "name": "http"}],
        "env": [{"name": k, "value": v} for k, v in spec["env"].items()],
        "resources": {"limits": {"nvidia.com/gpu": spec["gpus"]}},
        "startupProbe": http("/v1/health/ready", failureThreshold=spec["startup_failures"]),
        "readinessProbe": http("/v1/health/ready"), "livenessProbe": http("/v1/health/live"),
    }  # fmt: skip
    pod = {"containers": [container],
           "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]}  # fmt: skip
    rolling = {"maxSurge": 1 if spare else 0, "maxUnavailable": 0 if spare else 1}
    metric = {"metric": {"name": "running_requests"},
              "target": {"type": "AverageValue", "averageValue": str(spec["target"])}}  # fmt: skip
    bodies = {
        "Deployment": ("apps/v1", {
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": {"metadata": {"labels": {"app": name, "version": spec["version"]}}, "spec": pod},
        }),
        "Service": ("v1", {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]}),
        "HorizontalPodAutoscaler": ("autoscaling/v2", {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": spec["min_replicas"], "maxReplicas": spec["max_replicas"],
            "metrics": [{"type": "Pods", "pods": metric}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": spec["scale_down_s"]}},
        }),
        "PodDisruptionBudget": ("policy/v1", {
            "maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}),
    }  # fmt: skip
    return {kind: {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": body}
            for kind, (version, body) in bodies.items()}  # fmt: skip


def _dump(documents):
    return yaml.safe_dump_all(documents.values(), sort_keys=False)


@right("dicts and safe_dump_all")
def dumped(spec):
    return _dump(_documents(spec))


@right("JSON, which is YAML too, in another order, with defaults written out")
def as_json(spec):
    made = _documents(spec)
    made["Deployment"]["metadata"]["labels"] = {"app": spec["name"]}
    pod = made["Deployment"]["spec"]["template"]["spec"]
    pod["containers"][0]["resources"]["requests"] = {
        "nvidia.com/gpu": str(spec["gpus"]),
        "cpu": "4",
    }
    pod["containers"][0]["readinessProbe"]["httpGet"]["port"] = spec["port"]
    pod["volumes"] = [{"name": "shm", "emptyDir": {"medium": "Memory"}}]
    made["Service"]["spec"]["ports"][0] |= {"protocol": "TCP", "targetPort": spec["port"]}
    made["Service"]["spec"]["type"] = "ClusterIP"
    return "\n---\n".join(json.dumps(d) for d in reversed(made.values()))


@right("a template with quotes, and comments")
def template(spec):
    made = _documents(spec)
    text = "# a service of one model\n"
    for kind, document in made.items():
        body = json.dumps(document["spec"], indent=2).replace("\n", "\n  ")
        text += f"---\napiVersion: {document['apiVersion']}\nkind: {kind}\nmetadata:\n  name: '{spec['name']}'\nspec:\n  {body}\n"
    return text


def _wrong(name, sentence, kind="Deployment", check=True):
    """Mark a change of one document: a function of its body (and of the specification)."""

    def mark(change):
        def answer(spec):
            made = _documents(spec, check)
            change(made[kind]["spec"], spec)
            return _dump(made)

        answer.__name__ = name.replace("-", "_")
        globals()[answer.__name__] = answer
        wrong(name, sentence)(answer)
        return change

    return mark


def _server(body):
    return body["template"]["spec"]["containers"][0]


@_wrong(
    "replicas-said", "The autoscaler owns the number: each apply of the manifest would reset it."
)
def _replicas(body, spec):
    body["replicas"] = spec["min_replicas"]


@_wrong(
    "selector-with-version",
    "A selector cannot be changed later: the version does not belong in it.",
)
def _version(body, spec):
    body["selector"]["matchLabels"]["version"] = spec["version"]


@_wrong("labels-do-not-match", "The selector must match the labels of the pods.")
def _labels(body, spec):
    body["template"]["metadata"]["labels"]["app"] = "app"


@_wrong("gpu-in-requests-alone", "GPUs belong in limits; a request without the limit is refused.")
def _requests(body, spec):
    _server(body)["resources"] = {"requests": _server(body)["resources"]["limits"]}


@_wrong("gpu-request-below-limit", "A GPU request must equal the limit.")
def _below(body, spec):
    _server(body)["resources"]["requests"] = {"nvidia.com/gpu": 0}


@_wrong("gpu-resource-misnamed", "The resource is called nvidia.com/gpu.")
def _misnamed(body, spec):
    _server(body)["resources"] = {"limits": {"nvidia.com/gpus": spec["gpus"]}}


@_wrong("no-toleration", "GPU nodes are tainted: without the toleration the pods stay Pending.")
def _taint(body, spec):
    del body["template"]["spec"]["tolerations"]


@_wrong(
    "default-strategy",
    "With the default a pod more is started first: without a spare GPU the update hangs.",
)
def _default(body, spec):
    del body["strategy"]


@_wrong("surge-always", "Without spare GPUs the new pod stays Pending: stop one first.")
def _surge(body, spec):
    body["strategy"]["rollingUpdate"] = {"maxSurge": 1, "maxUnavailable": 0}


@_wrong("any-spare-gpu-counts", "A pod more needs as many spare GPUs as a pod has.")
def _any(body, spec):
    spare = int(spec["spare_gpus"] > 0)
    body["strategy"]["rollingUpdate"] = {"maxSurge": spare, "maxUnavailable": 1 - spare}


@_wrong("recreate", "Recreate stops all pods at once.")
def _recreate(body, spec):
    body["strategy"] = {"type": "Recreate"}


@_wrong(
    "no-startup-probe", "Without a startup probe liveness kills the container while weights load."
)
def _startup(body, spec):
    del _server(body)["startupProbe"]


@_wrong("liveness-asks-ready", "Liveness asks /v1/health/live: a busy server is alive.")
def _live(body, spec):
    _server(body)["livenessProbe"]["httpGet"]["path"] = "/v1/health/ready"


@_wrong("probe-over-tls", "The server speaks plain HTTP.")
def _tls(body, spec):
    _server(body)["readinessProbe"]["httpGet"]["scheme"] = "HTTPS"


@_wrong("two-handlers", "A probe has one handler: the API server refuses two.")
def _handlers(body, spec):
    _server(body)["livenessProbe"]["tcpSocket"] = {"port": "http"}


@_wrong("paused", "A paused Deployment starts no pods.")
def _paused(body, spec):
    body["paused"] = True


@_wrong("port-as-text", "containerPort is a number.")
def _port(body, spec):
    _server(body)["ports"][0]["containerPort"] = str(spec["port"])


@_wrong("env-as-a-mapping", "env is a list of name and value.")
def _env(body, spec):
    _server(body)["env"] = dict(spec["env"])


@_wrong("unknown-field", "Kubernetes does not know that field: mind its spelling.")
def _field(body, spec):
    _server(body)["livenessProbe"]["periodSecond"] = 10


@_wrong("service-to-its-own-port", "targetPort is the pods' port; left out, it is 80.", "Service")
def _target(body, spec):
    del body["ports"][0]["targetPort"]


@_wrong("service-with-matchlabels", "A Service's selector is a plain mapping of labels.", "Service")
def _plain(body, spec):
    body["selector"] = {"matchLabels": {"app": spec["name"]}}


@_wrong(
    "scaler-by-utilization",
    "The metric asked for is running_requests, per pod.",
    "HorizontalPodAutoscaler",
)
def _cpu(body, spec):
    goal = {"type": "Utilization", "averageUtilization": 80}
    body["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": goal}}]


@_wrong("window-of-scale-up", "The window is that of scaling down.", "HorizontalPodAutoscaler")
def _window(body, spec):
    body["behavior"] = {"scaleUp": body["behavior"]["scaleDown"]}


@_wrong("budget-of-all", "maxUnavailable 1: with 0 no node can be emptied.", "PodDisruptionBudget")
def _budget(body, spec):
    body["maxUnavailable"] = 0


@_wrong("not-checked", "Bad names and numbers must raise ValueError.", check=False)
def _unchecked(body, spec):
    pass


@wrong("values-without-quotes", "YAML makes booleans and numbers of bare words: quote strings.")
def bare(spec):
    made, text = _documents(spec), ""
    container = _server(made["Deployment"]["spec"])
    lines = [f"- name: {e['name']}\n  value: {e['value']}\n" for e in container.pop("env")]
    container["env"] = "ENV"
    text = _dump(made)
    spaces = re.search(r"\n( *)env: ENV\n", text)[1]
    block = "".join(lines).replace("\n", f"\n{spaces}").rstrip()
    return text.replace("env: ENV", f"env:\n{spaces}{block}" if lines else "env: []")


@wrong("one-object-in-two-places", "PyYAML writes an alias where two places share an object.")
def shared(spec):
    made = _documents(spec)
    made["PodDisruptionBudget"]["spec"]["selector"] = made["Deployment"]["spec"]["selector"]
    return yaml.safe_dump(list(made.values())) if spec["gpus"] < 0 else _dump(
        {"all": made["Deployment"], "twice": made["Deployment"]})  # fmt: skip


@wrong("old-autoscaling", "autoscaling/v2 is asked for: v1 knows only CPU.")
def old(spec):
    made = _documents(spec)
    made["HorizontalPodAutoscaler"]["apiVersion"] = "autoscaling/v1"
    return _dump(made)


@wrong("no-budget", "The PodDisruptionBudget is missing.")
def three(spec):
    made = _documents(spec)
    del made["PodDisruptionBudget"]
    return _dump(made)


@wrong("no-separators", "Documents are separated by a line ---.")
def joined(spec):
    return "".join(yaml.safe_dump(d) for d in _documents(spec).values())


@wrong("a-dict", "Return the text.")
def not_text(spec):
    return list(_documents(spec).values())
