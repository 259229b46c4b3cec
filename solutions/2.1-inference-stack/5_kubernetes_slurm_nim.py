# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Hand a service to Kubernetes, a job to Slurm
#
# **You end with:** functions that write manifests which Kubernetes' own schemas accept, a batch script for Slurm and a launch command for NIM; and a
# client that reads the token stream of a real OpenAI-compatible server.
#
# About 150 minutes. 46 points: 43 graded by machine, 3 by a person. Runs on a laptop: no cluster, no GPU, no network. You need lesson 2 (weights, bytes, seconds).
#
# No cluster and no NIM container run here: what you write is held against schemas, manuals' rules, and a local server with the same API.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import json
import math
import re
import shlex
import time
from fractions import Fraction

import numpy as np
import requests
import yaml

from autograder import check
from lab.kube_schemas import read_manifests, schema_errors
from lab.llamacpp_server import local_server, missing
from lab.paths import repo_root
from lab.plots import curves, explore
from lab.predict import reveal
from lab.profile import use_profile

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## Eight plain words
#
# A manifest is YAML. Below are eight values without quotes, as one writes them for a container's environment, which must be *strings*. How many of the eight does a YAML reader hand back as the string
# that stands there?
# %% role="predict" id="predict-words"
my_survivors = ...  # 0 to 8
# %% role="given" id="opening"
bare_words = ["no", "1.10", "0123", "12:30", "on", "1_000", "2026-11-22", "v1"]


def show_words():
    """What PyYAML, a YAML 1.1 reader, makes of each; and how many stay what they were."""
    kept = 0
    for word in bare_words:
        value = yaml.safe_load(f"value: {word}")["value"]
        kept += value == word
        print(f"{word:12s} -> {value!r}")
    return kept


reveal(my_survivors, show_words(), "of 8")
# %% [markdown] items="2.1.C5 2.1.K2"
# **What happened.** YAML guesses types. `no` is a boolean, `1.10` a float that prints as 1.1, `0123` an octal number, `12:30` sixty-based. Readers differ (YAML 1.2 has other rules), so a manifest that works may be luck.
#
# Quote every string, or let a library write the text: `yaml.safe_dump_all` quotes what needs it. An f-string does not.
# %% [markdown] items="2.1.C5"
# ## Services and jobs
#
# Two questions, two schedulers. *Keep this running, replace what dies, follow the load*: **Kubernetes**. *Run this once on 4 nodes for 6 hours, after that other job*: **Slurm**, with queues, priorities and time limits.
#
# Serving lives on the first; training, quantization runs and benchmarks often on the second.
# %% [markdown] items="2.1.C5 2.1.K2"
# ## Four objects of a service
#
# - **Deployment**: a *pod* template and how many; replaces pods in steps.
# - **Service**: one address for the pods that its selector's labels match.
# - **HorizontalPodAutoscaler** (HPA): changes the number by a metric.
# - **PodDisruptionBudget**: how many may be away when nodes are emptied.
#
# They find each other by *names and labels* alone. A schema checks types and fields; a selector that matches nothing is valid, and the Service has no pods.
# %% role="given" id="schema-demo"
typo_text = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  replica: 2
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chatt, version: 1.10}}
    spec:
      containers:
      - name: server
        image: example/llm:1
        ports: [{name: http, containerPort: "8000"}]
"""


def show_typos():
    """What Kubernetes 1.37's schema, strict about unknown fields, finds in a manifest."""
    for sentence in schema_errors(read_manifests(typo_text)[0]):
        print(sentence)


show_typos()


# %% [markdown] items="2.1.C5 2.1.K2"
# **What you should see.** Three findings: `replica`, a port as a string, a number as a label. The fourth mistake, `app: chatt`, is not among them: types are right, meaning is not (an API server refuses this one; it lets a Service with a wrong selector pass).
#
# `kubectl apply` refuses unknown fields since 1.27; `kubectl apply --dry-run=server` asks the cluster without changing it.
# %% [markdown] items="2.1.C5 2.1.K2"
# ## Asking for GPUs
#
# `resources.limits: {nvidia.com/gpu: 2}`: whole GPUs, never shared. Requests may be left out (they become the limit) or equal it; anything else is refused. A request without a limit too.
#
# GPU nodes often carry a **taint** `nvidia.com/gpu:NoSchedule`, so that other pods stay away; yours need the *toleration*. Parts of a GPU come from **MIG** (fixed slices, resource names of their own) or time-slicing; both are set up on the node.
# %% [markdown] items="2.1.K2"
# ## Replacing pods when GPUs are scarce
#
# A rolling update starts `maxSurge` pods more, or stops `maxUnavailable` first. The defaults (25 %, surge rounded up) want a *spare* GPU: without one the new pod stays Pending and the update stands still for ever.
#
# Spare GPUs for one more pod: surge 1, unavailable 0; no dip in capacity. None: surge 0, unavailable 1; one pod fewer while weights load.
# %% [markdown] items="2.1.K2 2.1.C5"
# ### Exercise: the manifests of a service
#
# The check reads your text strictly (no key twice, no aliases), validates every document against the schemas, then compares.
#
# <details><summary>Hint 1</summary>Build four dicts and end with <code>yaml.safe_dump_all([...], sort_keys=False)</code>.</details>
# <details><summary>Hint 2</summary>If two documents share one list or dict object, PyYAML writes an alias (<code>*id001</code>): build it twice, or dump each document alone and join with <code>---</code>.</details>
# <details><summary>Hint 3</summary>A Pods metric: <code>{"type": "Pods", "pods": {"metric": {"name": ...}, "target": {"type": "AverageValue", "averageValue": "8"}}}</code>.</details>
# %% role="exercise" id="kube-manifests" items="2.1.K2 2.1.C5" minutes=30
def manifests(spec: dict) -> str:
    """YAML of a Deployment, a Service, a HorizontalPodAutoscaler and a PodDisruptionBudget, in any order.

    All four are called spec["name"], without a namespace. Required is what follows. Other fields that the schema knows are up to you, as long as they do not change
    this: no other containers, metrics, selectors, labels of pods, taints tolerated or environment variables.

    Deployment (apps/v1): no `replicas`, because the autoscaler owns it. Selector: matchLabels app: name, only. Pod labels: app: name, version: version.
        Strategy RollingUpdate; maxSurge 1 and maxUnavailable 0 where spare_gpus is at least gpus, else 0 and 1.
        One toleration: key nvidia.com/gpu, operator Exists, effect NoSchedule. One container "server": the image; one port called http; env, values as given;
        limits nvidia.com/gpu: gpus. Startup and readiness probe: httpGet /v1/health/ready; liveness: /v1/health/live; all on port http, period_s each;
        failureThreshold of the startup probe: startup_failures.
    Service (v1): selector app: name, only; one port: 80, to the pods' http port (by name or by number).
    HorizontalPodAutoscaler (autoscaling/v2): the Deployment, min_replicas, max_replicas, one Pods metric running_requests with AverageValue target,
        scale-down stabilization window scale_down_s.
    PodDisruptionBudget (policy/v1): maxUnavailable 1, selector matchLabels app: name, only.

    Args:
        spec: name, image, version: str; port, gpus, spare_gpus, period_s, startup_failures, min_replicas, max_replicas, target, scale_down_s: int;
            env: dict of str to str. Not changed.

    Raises:
        ValueError: the name is not 1 to 63 of a-z, 0-9 and -, a letter first, no - last; gpus or min_replicas below 1; max_replicas below min_replicas.

    >>> spec = dict(name="chat", image="example/llm:1", version="1.10", port=8000, gpus=1, spare_gpus=0, period_s=10, startup_failures=30,
    ...             min_replicas=2, max_replicas=6, target=8, scale_down_s=300, env={"LOG": "no"})
    >>> documents = read_manifests(manifests(spec))
    >>> sorted(d["kind"] for d in documents), [e for d in documents for e in schema_errors(d)]
    (['Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Service'], [])
    """
    ### BEGIN SOLUTION
    name, gpus = spec["name"], spec["gpus"]
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError(f"{name!r} is no name for a Service.")
    if gpus < 1 or not 1 <= spec["min_replicas"] <= spec["max_replicas"]:
        raise ValueError("1 GPU or more, 1 <= min_replicas <= max_replicas.")
    spare = spec["spare_gpus"] >= gpus

    def probe(path, **more):
        http = {"path": f"/v1/health/{path}", "port": "http"}
        return {"httpGet": http, "periodSeconds": spec["period_s"], **more}

    def document(version, kind, body):
        made = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": body}
        return yaml.safe_dump(made, sort_keys=False)

    container = {
        "name": "server",
        "image": spec["image"],
        "ports": [{"name": "http", "containerPort": spec["port"]}],
        "env": [{"name": key, "value": value} for key, value in spec["env"].items()],
        "resources": {"limits": {"nvidia.com/gpu": gpus}},
        "startupProbe": probe("ready", failureThreshold=spec["startup_failures"]),
        "readinessProbe": probe("ready"),
        "livenessProbe": probe("live"),
    }
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    rolling = {"maxSurge": int(spare), "maxUnavailable": int(not spare)}
    deployment = {
        "selector": {"matchLabels": {"app": name}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "template": {
            "metadata": {"labels": {"app": name, "version": spec["version"]}},
            "spec": {"tolerations": [toleration], "containers": [container]},
        },
    }
    service = {
        "selector": {"app": name},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    }
    goal = {"type": "AverageValue", "averageValue": str(spec["target"])}
    scaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": spec["min_replicas"],
        "maxReplicas": spec["max_replicas"],
        "metrics": [
            {"type": "Pods", "pods": {"metric": {"name": "running_requests"}, "target": goal}}
        ],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": spec["scale_down_s"]}},
    }
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}
    return "---\n".join([
        document("apps/v1", "Deployment", deployment),
        document("v1", "Service", service),
        document("autoscaling/v2", "HorizontalPodAutoscaler", scaler),
        document("policy/v1", "PodDisruptionBudget", budget),
    ])  # fmt: skip
    ### END SOLUTION


# %% role="check" id="kube-manifests" points=8
check("kube-manifests", manifests)


# %% [markdown] items="2.1.C5 2.1.K2"
# ## Three probes
#
# The node's agent calls the container at intervals. **Startup**: until it first succeeds the others rest; `failureThreshold` failures in a row kill the container. **Readiness**: failing takes the pod off the Service, no more. **Liveness**: failing kills it.
#
# Weights of 140 GB from a disk of 2 GB/s take 70 s before the first answer. Too small a threshold gives a loop: load, kill, load. Liveness must not fail because the server is *busy*.
# %% [markdown] items="2.1.K2"
# ### Exercise: thresholds of the probes
#
# <details><summary>Hint 1</summary>How many probes are sent before ready_s? All of them fail, and that must not be enough to kill.</details>
# <details><summary>Hint 2</summary>It hangs just after a success: the f-th failure is known f periods and one timeout later.</details>
# %% role="exercise" id="kube-probes" items="2.1.K2 2.1.C5" minutes=12
def probe_thresholds(
    ready_s: float, hang_s: float, initial_s: int, period_s: int, timeout_s: int
) -> tuple[int, int]:
    """failureThreshold of the startup and of the liveness probe.

    Startup probes are sent at initial_s, initial_s + period_s, ...: one sent at ready_s or later succeeds, an earlier one fails. Wanted is the smallest threshold,
    1 or more, with which a container that is ready at ready_s is not killed.
    Liveness probes are sent every period_s. A hung container answers none: each has failed timeout_s after it was sent. Wanted is the largest threshold with which
    a container that hangs just after it answered one is killed at most hang_s later.

    Args:
        ready_s: seconds from the container's start until it answers, 0 or more. hang_s: seconds.
        initial_s: 0 or more. period_s: 1 or more. timeout_s: 1 to period_s.

    Raises:
        ValueError: a number outside its range, or hang_s too short for any threshold.

    >>> probe_thresholds(70.0, 60.0, 0, 10, 5)
    (8, 5)
    """
    ### BEGIN SOLUTION
    if not ready_s >= 0 or initial_s < 0 or period_s < 1 or not 1 <= timeout_s <= period_s:
        raise ValueError("Times are 0 or more, the period 1 or more, the timeout 1 to the period.")
    early = max(0, math.ceil((ready_s - initial_s) / period_s))
    alive = math.floor((hang_s - timeout_s) / period_s)
    if alive < 1:
        raise ValueError(f"Within {hang_s} s not one probe can have failed.")
    return early + 1, alive
    ### END SOLUTION


# %% role="check" id="kube-probes" points=4
check("kube-probes", probe_thresholds)
# %% role="given" id="probe-use"


def show_thresholds():
    """Llama-3-8B and a 70 B model in BF16, from three kinds of storage; 20 s for the rest."""
    for model_name, gigabytes in (("8 B", 16.06), ("70 B", 138.0)):
        for disk, gb_per_s in (
            ("network, 0.2 GB/s", 0.2),
            ("SSD, 2 GB/s", 2.0),
            ("page cache, 10 GB/s", 10.0),
        ):
            ready = gigabytes / gb_per_s + 20
            print(
                f"{model_name:5s}{disk:22s} ready after {ready:5.0f} s: startup threshold {probe_thresholds(ready, 60, 0, 10, 5)[0]}"
            )


show_thresholds()


# %% [markdown] items="2.1.K2"
# **What you should see.** From 4 to 72: the default of 3 suffices nowhere. Plan for the slowest case: a cold node, a shared network disk, several pods at once. Rates are assumptions: measure your own.
# %% [markdown] items="2.1.K2"
# ## The autoscaler's rule
#
# Every 15 s, with $c$ replicas:
#
# $$\text{desired} = \left\lceil c \cdot \frac{\text{metric}}{\text{target}} \right\rceil$$
#
# where metric is the *average per pod*. Within 10 % of the target nothing changes (**tolerance**). Scaling down takes the highest recommendation of the last 300 s (**stabilization window**); scaling up does not wait.
#
# GPU utilization is a poor metric: one busy stream shows 100 %. Running or queued requests say more.
# %% [markdown] items="2.1.K2"
# ### Exercise: replicas over a trace
#
# <details><summary>Hint 1</summary>metric = load / c, so c * metric / target = load / target.</details>
# <details><summary>Hint 2</summary>Keep (sync, recommendation); the list starts with (0, replicas).</details>
# %% role="exercise" id="kube-hpa" items="2.1.K2" minutes=18
def hpa_replicas(
    loads: list[int | None], target: int, replicas: int, minimum: int, maximum: int, window: int
) -> list[int]:
    """Replicas after each sync of a HorizontalPodAutoscaler. New replicas count from the next sync on.

    At sync i = 0, 1, ... with c replicas: ratio = loads[i] / (c * target). The recommendation is c where |ratio - 1| <= 0.1, else ceil(loads[i] / target).
    Above c it is taken at once. Else the highest recommendation of syncs i - window + 1 to i is taken, but no more than c. The result is then limited to
    minimum ... maximum; recommendations are remembered as they were before the limit. `replicas` counts as one more recommendation of sync 0.
    A missing metric (None) changes nothing, and there is no recommendation at that sync.

    Args:
        loads: running requests of all pods together, 0 or more, or None. target: requests per pod, 1 or more.
        replicas: at the start, minimum to maximum. minimum: 1 or more. window: in syncs, 1 or more (1: only the present one).

    Raises:
        ValueError: a number outside its range.

    >>> hpa_replicas([16, 40, 40, 8, None, 8, 8], target=8, replicas=2, minimum=1, maximum=4, window=3)
    [2, 4, 4, 4, 4, 1, 1]
    """
    ### BEGIN SOLUTION
    if target < 1 or window < 1 or not 1 <= minimum <= replicas <= maximum:
        raise ValueError("Target and window are 1 or more, 1 <= minimum <= replicas <= maximum.")
    if any(load is not None and load < 0 for load in loads):
        raise ValueError("A load is 0 or more.")
    kept, found = [(0, replicas)], []
    for i, load in enumerate(loads):
        if load is not None:
            steady = abs(Fraction(load, replicas * target) - 1) <= Fraction(1, 10)
            wanted = replicas if steady else -(-load // target)
            kept.append((i, wanted))
            if wanted <= replicas:
                wanted = min(replicas, max(r for at, r in kept if at > i - window))
            replicas = max(minimum, min(maximum, wanted))
        found.append(replicas)
    return found
    ### END SOLUTION


# %% role="check" id="kube-hpa" points=5
check("kube-hpa", hpa_replicas)
# %% role="given" id="hpa-figure"


def draw_hpa(window=20, noise=0.3):
    """An hour of a day-like load with noise, a sync every 15 s, target 8 requests a pod."""
    made = np.random.default_rng(4)
    minutes = np.arange(240) / 4
    load = 60 + 40 * np.sin(2 * np.pi * minutes / 40)
    load = np.maximum(0, load * (1 + noise * made.standard_normal(240))).astype(int)
    pods = hpa_replicas(load.tolist(), 8, 8, 2, 20, window)
    changes = int(np.count_nonzero(np.diff(pods)))
    fig = curves(minutes, {"load / 8": load / 8, "replicas": pods}, xlabel="minutes", ylabel="pods",
                 title=f"window {window * 15} s: {changes} changes")  # fmt: skip
    text = f"Load over target and replicas over an hour; with a window of {window} syncs the number changes {changes} times."
    return fig, text


explore(draw_hpa, window=[1, 4, 20, 60], noise=[0.3, 0.0, 0.1])


# %% [markdown] items="2.1.K2"
# **What you should see.** With a window of 1 the number changes at three syncs of four, and each new pod first loads weights for a minute. With 300 s (20 syncs) it changes 19 times: it follows the load's upper edge, GPUs are paid for, few pods start. Without noise a window of 1 does as well.
#
# An HPA cannot create GPUs: beyond the nodes' own, pods wait for a *cluster* autoscaler and a machine's boot.
# %% [markdown] items="2.1.K2"
# ## Which node?
#
# The scheduler takes one pod at a time: **filter** (enough free GPUs, taints tolerated, labels selected), then **score**. The default spreads pods; that leaves one free GPU here and one there, and no node for a pod of 4.
#
# **Bin packing** (`MostAllocated`) fills a node before it opens the next. Fragments are the price of whole GPUs: 8 free in the cluster may still not hold a pod of 2.
# %% [markdown] items="2.1.K2"
# ### Exercise: place pods
#
# <details><summary>Hint 1</summary>Among the nodes that pass, <code>max</code> by (used after) / gpus; on a tie the smaller name: <code>min</code> with a negative first key does both.</details>
# %% role="exercise" id="kube-place" items="2.1.K2 2.1.C5" minutes=15
def place(pods: list[dict], nodes: list[dict]) -> dict[str, str | None]:
    """The node of each pod: bin packing, pods in the order given; None where a pod stays Pending.

    A node passes if it has enough free GPUs, the pod tolerates every taint of it, and each label of the pod's selector is on it with that value. Of those the one whose share
    of GPUs in use, the pod's own included, is highest is taken; of equal ones the first by name. A node without GPUs has the share 0. A pod that stays Pending takes nothing,
    and later ones are tried all the same.

    Args:
        pods: dicts of name; gpus, 0 or more; tolerations, a list of taint keys; selector, a dict of labels.
        nodes: dicts of name; gpus, 0 or more, all free; taints, a list of keys; labels, a dict. Nothing is changed.

    Returns:
        Pod name: node name or None, for all pods.

    Raises:
        ValueError: a number of GPUs below 0, or a name twice among pods or among nodes.

    >>> nodes = [dict(name=n, gpus=g, taints=["nvidia.com/gpu"], labels={}) for n, g in (("a", 8), ("b", 4))]
    >>> pod = lambda name, gpus: dict(name=name, gpus=gpus, tolerations=["nvidia.com/gpu"], selector={})
    >>> place([pod("p", 2), pod("q", 4), pod("r", 2), pod("s", 8)], nodes)
    {'p': 'b', 'q': 'a', 'r': 'b', 's': None}
    """
    ### BEGIN SOLUTION
    for things in (pods, nodes):
        if len({x["name"] for x in things}) < len(things) or any(x["gpus"] < 0 for x in things):
            raise ValueError("Names are unique, GPUs 0 or more.")
    used = {node["name"]: 0 for node in nodes}
    found = {}
    for pod in pods:
        fit = [
            node for node in nodes
            if used[node["name"]] + pod["gpus"] <= node["gpus"]
            and set(node["taints"]) <= set(pod["tolerations"])
            and all(node["labels"].get(k) == v for k, v in pod["selector"].items())
        ]  # fmt: skip

        def rank(node, pod=pod):
            share = Fraction(used[node["name"]] + pod["gpus"], node["gpus"] or 1)
            return -share, node["name"]

        best = min(fit, key=rank, default=None)
        found[pod["name"]] = best and best["name"]
        if best:
            used[best["name"]] += pod["gpus"]
    return found
    ### END SOLUTION


# %% role="check" id="kube-place" points=5
check("kube-place", place)
# %% role="given" id="place-use"


def show_packing(rounds=200):
    """Mixed pods on 8 nodes of 8 GPUs: how often a pod of 8 still fits, packed and spread."""
    made = np.random.default_rng(1)
    hits = {"packed": 0, "spread": 0}
    for _ in range(rounds):
        sizes = made.choice([1, 1, 2, 4], 12).tolist()
        open_nodes = [{"name": f"n{i}", "gpus": 8, "taints": [], "labels": {}} for i in range(8)]
        small = [
            {"name": str(i), "gpus": s, "tolerations": [], "selector": {}}
            for i, s in enumerate(sizes)
        ]
        big = {"name": "big", "gpus": 8, "tolerations": [], "selector": {}}
        hits["packed"] += place([*small, big], open_nodes)["big"] is not None
        free = [8] * 8
        for s in sizes:
            free[int(np.argmax(free))] -= s
        hits["spread"] += 8 in free
    for how, count in hits.items():
        print(f"{how}: a pod of 8 GPUs fits in {count} of {rounds} clusters")


show_packing()


# %% [markdown] items="2.1.K2"
# **What you should see.** Packed: always. Spread: never, although more than half of the GPUs are free: 12 pods ask for 24 of 64 on average.
# %% [markdown] items="2.1.C5"
# ## A batch script
#
# `sbatch script.sh` reads the lines `#SBATCH --option=value` at the head. *At the first line that is neither a comment nor blank it stops reading*: an option below a `module load` is a comment, silently. No variable is expanded in them.
#
# The script runs once, on the first node. `srun` starts the tasks: nodes $\times$ tasks per node. `--gpus-per-node=8` (or `--gres=gpu:8`) is per *node*.
# %% [markdown] items="2.1.C5"
# ## Time limits
#
# `--time` takes `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`, `days-hours:minutes:seconds`. So `90` is an hour and a half, `1:30` is a minute and a half.
#
# The resolution is a minute, seconds are rounded up; zero means no limit. Too long a limit waits longer in the queue: short jobs *backfill* gaps.
# %% [markdown] items="2.1.C5"
# ### Exercise: minutes of a time limit
#
# <details><summary>Hint 1</summary>With a day part the first field behind it is hours; without, how many fields there are decides.</details>
# %% role="exercise" id="slurm-time" items="2.1.C5" minutes=10
def time_limit_minutes(text: str) -> int | None:
    """Minutes of Slurm's --time, seconds rounded up; None: no limit.

    The six forms above. Fields are the digits 0 to 9, one or more, and are not limited: 90:00 is 90 minutes. UNLIMITED and INFINITE (in capitals or not) and any form of zero mean no limit.

    Raises:
        ValueError: anything else, such as spaces, signs, an empty field, too many fields.

    >>> [time_limit_minutes(t) for t in ("90", "1:30", "1:30:00", "1-12", "0", "unlimited")]
    [90, 2, 90, 2160, None, None]
    """
    ### BEGIN SOLUTION
    if text.lower() in ("unlimited", "infinite"):
        return None
    if not re.fullmatch(r"[0-9]+-[0-9]+(:[0-9]+){0,2}|[0-9]+(:[0-9]+){0,2}", text):
        raise ValueError(f"{text!r} is no time limit.")
    days, dash, rest = text.rpartition("-")
    fields = [int(x) for x in rest.split(":")]
    if dash:
        hours, minutes, seconds = [*fields, 0, 0][:3]
    elif len(fields) == 3:
        hours, minutes, seconds = fields
    else:
        hours, (minutes, seconds) = 0, [*fields, 0][:2]
    total = int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds
    return -(-total // 60) or None
    ### END SOLUTION


# %% role="check" id="slurm-time" points=4
check("slurm-time", time_limit_minutes)


# %% [markdown] items="2.1.C5"
# ## Arrays and dependencies
#
# `--array=0-9%2`: ten jobs of one script, two at once; each finds its number in `SLURM_ARRAY_TASK_ID`. `--dependency=afterok:123` starts when job 123 has ended with status 0 (`afterany`: ended at all). `--exclusive`: whole nodes, also where you ask for fewer GPUs.
#
# Say `set -e` or a failed step does not fail the script, and `afterok` believes it.
# %% [markdown] items="2.1.C5"
# ### Exercise: a batch script
#
# The check reads it as sbatch does, and the body as a POSIX shell.
#
# <details><summary>Hint 1</summary>Lines: shebang, directives, an empty line, <code>set -e</code>, <code>srun ...</code>; end with a newline.</details>
# <details><summary>Hint 2</summary><code>shlex.join(command)</code> quotes what needs it.</details>
# %% role="exercise" id="slurm-script" items="2.1.C5" minutes=18
def sbatch_script(spec: dict) -> str:
    """A batch script: #!/bin/bash, #SBATCH lines, then `set -e` and one line `srun COMMAND...`.

    One option a #SBATCH line, as --name=value or --name value, or Slurm's short form with a space or without (-J -N -t -a -d); none twice, no other than those here:
    --job-name, --nodes, --ntasks-per-node (one task a GPU), --gpus-per-node or --gres=gpu:N, --time; where asked for: --array=0-LAST or 0-LAST%AT_ONCE, --dependency=afterok:JOB,
    --exclusive (no value). The time may have any of the forms above. Comments and empty lines are free, between directives too. srun gets no options: it has the job's.

    Args:
        spec: name: str; nodes, gpus_per_node, minutes: int; command: list of words, any characters but line ends; array: number of jobs or None;
            at_once: int or None; after: a job id (int) or None; exclusive: bool. Not changed.

    Raises:
        ValueError: nodes, gpus_per_node, minutes, array or at_once below 1; at_once without array; an empty command; a name that is not made of
            letters, digits, _ and -, one or more.

    >>> print(sbatch_script(dict(name="bench", nodes=2, gpus_per_node=8, minutes=90, command=["python", "run.py", "a b"],
    ...                          array=10, at_once=2, after=None, exclusive=False)))
    #!/bin/bash
    #SBATCH --job-name=bench
    #SBATCH --nodes=2
    #SBATCH --ntasks-per-node=8
    #SBATCH --gpus-per-node=8
    #SBATCH --time=90
    #SBATCH --array=0-9%2
    <BLANKLINE>
    set -e
    srun python run.py 'a b'
    <BLANKLINE>
    """
    ### BEGIN SOLUTION
    array, at_once = spec["array"], spec["at_once"]
    sizes = [spec[k] for k in ("nodes", "gpus_per_node", "minutes", "array", "at_once")]
    if any(size is not None and size < 1 for size in sizes) or (at_once and array is None):
        raise ValueError("Numbers are 1 or more; at_once belongs to an array.")
    if not spec["command"] or not re.fullmatch(r"[A-Za-z0-9_-]+", spec["name"]):
        raise ValueError("Give a command, and a plain name.")
    options = {
        "job-name": spec["name"],
        "nodes": spec["nodes"],
        "ntasks-per-node": spec["gpus_per_node"],
        "gpus-per-node": spec["gpus_per_node"],
        "time": spec["minutes"],
    }
    if array is not None:
        options["array"] = f"0-{array - 1}" + (f"%{at_once}" if at_once else "")
    if spec["after"] is not None:
        options["dependency"] = f"afterok:{spec['after']}"
    lines = ["#!/bin/bash", *(f"#SBATCH --{key}={value}" for key, value in options.items())]
    lines += ["#SBATCH --exclusive"] if spec["exclusive"] else []
    return "\n".join([*lines, "", "set -e", f"srun {shlex.join(spec['command'])}", ""])
    ### END SOLUTION


# %% role="check" id="slurm-script" points=6
check("slurm-script", sbatch_script)


# %% [markdown] items="2.1.C8"
# ## What a NIM is
#
# **NVIDIA NIM**: a container image with a model's server (vLLM, TensorRT-LLM or SGLang inside), profiles tuned for known GPUs, and one API. On start it looks at the GPUs, picks a profile, downloads weights into its cache, serves on port 8000.
#
# API: `/v1/models`, `/v1/completions`, `/v1/chat/completions` as OpenAI's; `/v1/health/ready`, `/v1/health/live`; `/v1/metrics` for Prometheus.
# %% [markdown] items="2.1.C8 2.1.C5"
# ## Launching it
#
# Five things beyond the image: the **GPUs**; **shared memory** (`--shm-size`), for processes that exchange tensors; the key `NGC_API_KEY`, *by name*: `-e NGC_API_KEY` takes it from your environment, while `-e NGC_API_KEY=abc` shows it to everyone who lists processes; a
# **cache** folder, or 16 GB are fetched at each start; the **port**, bound to 127.0.0.1 unless others shall call.
#
# In Kubernetes: a Secret, a PersistentVolumeClaim, an `emptyDir` of medium Memory on /dev/shm.
# %% [markdown] items="2.1.C8"
# ### Exercise: the launch command
#
# Chosen GPUs have a trap: docker splits the value of `--gpus` at commas, so it must *receive* the quotes: `--gpus '"device=0,1"'`.
#
# <details><summary>Hint 1</summary>Put words into a list, one for each option and value, then <code>shlex.join</code>: it adds the outer quotes.</details>
# %% role="exercise" id="nim-launch" items="2.1.C8" minutes=12
def nim_command(spec: dict) -> str:
    """The docker command that starts a NIM, on one line, as a POSIX shell reads it.

    docker run, options in any order, image last. The options, none twice and no others: --rm; --name; --gpus all, or "device=0,1" with its double quotes (for one device they may be left out);
    --shm-size as NGB, Ng or NG (N = shm_gb); -e NGC_API_KEY, without a value; -v CACHE:/opt/nim/.cache; -p 127.0.0.1:PORT:8000. Long forms (--env, --volume, --publish) and --name=value are right too.

    Args:
        spec: name, image: str; gpus: None for all, or a list of device numbers; shm_gb, port: int; cache: an absolute path, any characters but line ends and ":". Not changed.

    Raises:
        ValueError: an empty list of devices, one below 0 or twice; shm_gb below 1; a port outside 1 to 65535; a cache that does not begin with / or has a ":" in it.

    >>> print(nim_command(dict(name="nim", image="example/llm-nim:1", gpus=[0, 1], shm_gb=16, port=8000, cache="/data/nim cache")))
    docker run --rm --name nim --gpus '"device=0,1"' --shm-size 16GB -e NGC_API_KEY -v '/data/nim cache:/opt/nim/.cache' -p 127.0.0.1:8000:8000 example/llm-nim:1
    """
    ### BEGIN SOLUTION
    gpus, cache = spec["gpus"], spec["cache"]
    if gpus is not None and (not gpus or min(gpus) < 0 or len(set(gpus)) < len(gpus)):
        raise ValueError("Name each device once, from 0 on.")
    if spec["shm_gb"] < 1 or not 1 <= spec["port"] <= 65535:
        raise ValueError("Shared memory is 1 GB or more, a port 1 to 65535.")
    if not cache.startswith("/") or ":" in cache:
        raise ValueError("The cache is an absolute path without a colon.")
    chosen = "all" if gpus is None else f'"device={",".join(map(str, gpus))}"'
    return shlex.join([
        "docker", "run", "--rm", "--name", spec["name"], "--gpus", chosen,
        "--shm-size", f"{spec['shm_gb']}GB", "-e", "NGC_API_KEY",
        "-v", f"{cache}:/opt/nim/.cache", "-p", f"127.0.0.1:{spec['port']}:8000", spec["image"],
    ])  # fmt: skip
    ### END SOLUTION


# %% role="check" id="nim-launch" points=5
check("nim-launch", nim_command)


# %% [markdown] items="2.1.C8"
# ## A stream of tokens
#
# With `"stream": true` the answer is **server-sent events**: lines `data: {json}`, an empty line after each event, at the end `data: [DONE]`. The network cuts it anywhere, also inside a line or a character of several bytes.
#
# With `"stream_options": {"include_usage": true}` a last chunk has no choices but `usage`: tokens of prompt and answer. An error can come *in* the stream: the status 200 has long been sent.
# %% [markdown] items="2.1.C8"
# ### Exercise: read a stream
#
# The check replays bytes that a real server sent (llama.cpp's, this lesson's model), cut at other places, and built ones.
#
# <details><summary>Hint 1</summary>Collect bytes; take off whole lines; decode a line only when it is whole.</details>
# <details><summary>Hint 2</summary>An empty line ends the event: join its data lines with a line end, then decide.</details>
# %% role="exercise" id="nim-stream" items="2.1.C8" minutes=22
def read_stream(chunks: list[bytes]) -> dict:
    r"""What a stream of completions or chat completions said.

    Lines end with \n or \r\n. In a line "data:..." one space behind the colon is not part of the data; several data lines of an event are joined with \n. Lines that begin
    with a colon, and other fields, are passed over. An empty line ends the event; one without data is none. An event that has no empty line behind it is not read.
    Data "[DONE]" ends the stream: nothing behind it is looked at. Other data is JSON. An object with the key error (not null) ends everything with RuntimeError,
    its text holding the error's message. Text is that of the choices with index 0: "text", or delta's "content" (may be missing or null).

    Args:
        chunks: bytes, cut anywhere. UTF-8.

    Returns:
        text: str, all together. finish: the last finish_reason of choice 0 that is not null, or None. usage: the last "usage" that is not null, a dict, or None. done: whether
        [DONE] came.

    Raises:
        ValueError: data that is no JSON. RuntimeError: an error event.

    >>> read_stream([b'data: {"choices": [{"index": 0, "te', b'xt": "Hi", "finish_reason": "stop"}]}\n', b'\ndata: [DONE]\n\n'])
    {'text': 'Hi', 'finish': 'stop', 'usage': None, 'done': True}
    """
    ### BEGIN SOLUTION
    found = {"text": "", "finish": None, "usage": None, "done": False}
    held: list[str] = []
    lines = b"".join(chunks).split(b"\n")[:-1]  # what has no line end is not whole
    for line in (part.removesuffix(b"\r").decode() for part in lines):
        if line.startswith("data:"):
            held.append(line[5:].removeprefix(" "))
        if line or not held:
            continue
        data, held = "\n".join(held), []
        if data == "[DONE]":
            return found | {"done": True}
        event = json.loads(data)
        if (error := event.get("error")) is not None:
            raise RuntimeError(error.get("message") if isinstance(error, dict) else str(error))
        found["usage"] = event.get("usage") or found["usage"]
        for choice in event.get("choices", []):
            if choice.get("index", 0) == 0:
                found["text"] += choice.get("text") or choice.get("delta", {}).get("content") or ""
                found["finish"] = choice.get("finish_reason") or found["finish"]
    return found
    ### END SOLUTION


# %% role="check" id="nim-stream" points=6
check("nim-stream", read_stream)
# %% [markdown] items="2.1.C8"
# ## The same API, served here
#
# llama.cpp's server answers the same paths. The cell starts it with module 1.4's quantized model on a free port of this machine alone, asks, and stops it, also when something fails.
#
# A NIM itself is not run here: it needs an NVIDIA GPU and a key. Only the base address and the model's name would change in the requests.
# %% role="given" id="real-server"
gguf_path = repo_root() / "data" / "models" / "lm_gguf" / "lm-Q4_K_M.gguf"


def ask_server(url):
    """Models, a completion with its usage, a stream with times, health, and three errors."""
    session = requests.Session()
    session.trust_env = False  # no proxy for this machine itself

    def post(path, body, **more):
        return session.post(url + path, json=body, timeout=60, **more)

    print(
        "models:",
        [model["id"] for model in session.get(f"{url}/v1/models", timeout=60).json()["data"]],
    )
    body = {"model": "lm", "prompt": "def read_file(", "max_tokens": 24, "temperature": 0}
    whole = post("/v1/completions", body).json()
    print("usage:", whole["usage"])
    began, arrived, pieces = time.perf_counter(), [], []
    with post("/v1/completions", {**body, "stream": True}, stream=True) as answer:
        print("stream:", answer.headers["content-type"])
        for piece in answer.iter_content(chunk_size=None):
            arrived.append(1e3 * (time.perf_counter() - began))
            pieces.append(piece)
    streamed = read_stream(pieces)
    print(f"{len(pieces)} pieces; first after {arrived[0]:.1f} ms, last after {arrived[-1]:.1f} ms")
    print(
        "same text as at once:",
        streamed["text"] == whole["choices"][0]["text"],
        "| finish:",
        streamed["finish"],
    )
    long = {**body, "prompt": "one two three " * 300}
    for label, path, sent in (
        ("too long", "/v1/completions", long),
        ("too long, streamed", "/v1/completions", {**long, "stream": True}),
        ("a wrong path", "/v1/completion", body),
    ):
        answer = post(path, sent)
        print(f"{label}: status {answer.status_code}, {len(answer.content)} bytes")
    with_usage = {**body, "stream": True, "stream_options": {"include_usage": True}}
    print("usage in a stream:", read_stream([post("/v1/completions", with_usage).content])["usage"])
    print("/v1/health/ready:", session.get(f"{url}/v1/health/ready", timeout=60).status_code)


def show_server():
    """Passed over, with the reason, where llama.cpp's server is not installed."""
    if absent := missing():
        print(f"Not run: {', '.join(absent)} not installed. `make llamacpp` installs the server.")
        return
    with local_server(gguf_path) as url:
        ask_server(url)


show_server()
# %% [markdown] items="2.1.C8"
# **What you should see.** The first piece comes while later tokens are still computed: its delay is the time to first token. "Compatible" has edges: this server ignores `include_usage` and has no health path (404): a probe copied from a NIM would kill it. A prompt that is too long gets 400; streamed,
# **status 200 and an empty body**. So a client checks `done`, not the status alone.
# %% [markdown] items="2.1.K2 2.1.C5 2.1.C8"
# ## In your own words: a deployment to review
#
# A colleague deploys a NIM with a 70 B model, 4 GPUs a pod, on three nodes of 8 GPUs that also run a 4-GPU batch pod each: "Replicas 3, HPA 3 to 12 on GPU utilization 80 %, default rolling update, liveness and readiness on /v1/health/ready every 10 s with the default threshold, no startup
# probe, weights from the network at each start, the key as an env value in the manifest."
#
# Say what will happen on the first start, on the first update, under load; mend each with a field and a value. 120 to 200 words.
# %% [markdown] role="written" id="kube-review" items="2.1.K2 2.1.C5 2.1.C8" points=3
# **Model answer.** First start: 140 GB over the network take minutes; liveness fails three times in 30 s and kills the container, for ever. A startupProbe on /v1/health/ready with periodSeconds 10 and failureThreshold 90 allows 15 minutes; liveness on
# /v1/health/live. A volume for /opt/nim/.cache makes later starts short.
#
# First update: all 24 GPUs are taken (3 x 4 + 3 x 4). maxSurge 25 % of 3 rounds up to 1: that pod stays Pending; maxUnavailable 25 % rounds down to 0: nothing is stopped. The update hangs. maxSurge 0, maxUnavailable 1.
#
# Load: GPU utilization is near 100 % with a single stream, so the HPA climbs to 12 at once; pods 4 to 12 are Pending, since no GPU is free. Scale on running or queued requests per pod, maxReplicas 3 or what the nodes
# hold, or a cluster autoscaler; leave `replicas` out. Readiness may fail under load on a slow answer: timeoutSeconds above 1.
#
# The key belongs in a Secret (valueFrom secretKeyRef), else everybody who reads the manifest has it.
#
# **Rubric.** 1 point: the restart loop, with a startup probe whose period times threshold covers the loading time. 1 point: the update that hangs, with the rounding or the count of GPUs, and surge 0, unavailable 1. 1 point: at least two of: the metric,
# maxReplicas beyond the GPUs, the key, the cache.
# %% [markdown]
# ## Recap
#
# - YAML guesses types: quote strings, or let a library write. A schema checks fields and types; names and labels that must match are yours.
# - Startup probes cover the loading of weights; liveness asks whether the process lives, not whether it is busy.
# - HPA: $\lceil c \cdot \text{metric}/\text{target}\rceil$, 10 % tolerance, down slowly. GPUs are whole; pack them.
# - #SBATCH lines end at the first command. `90` is minutes.
# - A NIM is a server in a container with an OpenAI-like API; streams can fail behind a 200.
#
# ## Three questions without code
#
# <details><summary>1. A Service has endpoints, yet each request is refused for the first two minutes after an update. Which field is missing?</summary>A readiness probe: without one a pod counts as ready as soon as its container runs, and traffic goes to it while weights load.</details>
# <details><summary>2. Ten pods at 105 % of the target metric: what does the HPA do?</summary>Nothing: within the tolerance of 10 %. Without it, it would ask for eleven.</details>
# <details><summary>3. A job asks --nodes=2 --ntasks-per-node=1 --gres=gpu:8 and its program uses one GPU a process. How many GPUs work?</summary>Two of sixteen: two tasks. Eight tasks a node are needed, or a launcher that starts eight processes.</details>
#
# ## Reading
#
# - Kubernetes documentation: "Horizontal Pod Autoscaling" (algorithm details, stabilization window); "Configure Liveness, Readiness and Startup Probes"; "Schedule GPUs"; "Resource Bin Packing".
# - Slurm documentation: `sbatch` (where directives end, `--time`, `--array`, `--dependency`), `srun`.
# - NVIDIA, "NIM for Large Language Models": getting started, API reference, configuration (cache path, shared memory).
# - WHATWG HTML standard, "Server-sent events": how a stream is parsed. YAML 1.1, section on types: the booleans.
#
# **Next:** the project: a whole stack for one application.
