"""kube-place: against a table of every pod and node, scored with whole-number cross products."""

import functools

from autograder.checks import case, expect

PARTS = {"packing": 0.45, "filters": 0.35, "refuse": 0.2}
HINTS = (
    "Filter first: free GPUs, taints, labels. Then the highest share in use, your pod included.",
    "A Pending pod takes nothing, and the next one is tried.",
)
GPU = "nvidia.com/gpu"


def node(name, gpus, taints=(), **labels):
    return {"name": name, "gpus": gpus, "taints": list(taints), "labels": labels}


def pod(name, gpus, tolerations=(), **selector):
    return {"name": name, "gpus": gpus, "tolerations": list(tolerations), "selector": selector}


def cases(rng):
    part = "packing"
    four = [node("c", 4), node("a", 4), node("b", 4)]
    yield case("equal nodes: by name", part, pods=[pod("x", 1), pod("y", 1)], nodes=four)
    yield case("fill before opening", part, pods=[pod(f"p{i}", 1) for i in range(9)], nodes=four)
    yield case(
        "fragments", part, pods=[pod(f"p{i}", 3) for i in range(4)] + [pod("q", 1)], nodes=four
    )
    yield case("a share, not a count", part, pods=[pod("x", 2)], nodes=[node("a", 8), node("b", 4)])
    yield case("a share with the pod itself", part,
               pods=[pod("x", 4), pod("y", 2)], nodes=[node("a", 8), node("b", 3)])  # fmt: skip
    yield case("too large, then small ones", part, pods=[pod("x", 9), pod("y", 4), pod("z", 4)],
               nodes=[node("n", 8)])  # fmt: skip
    yield case("thirds", part, pods=[pod("x", 1), pod("y", 1), pod("z", 1)],
               nodes=[node("b", 3), node("a", 6), node("c", 9)])  # fmt: skip
    yield case("no pods", part, pods=[], nodes=four)
    yield case("no nodes", part, pods=[pod("x", 1)], nodes=[])
    yield case("not by age", part, pods=[pod("x", 1), pod("big", 4)], nodes=four[:2])
    for k in range(4):
        yield case(f"drawn, {k + 1}", part, **_drawn(rng))
    part = "filters"
    tainted = [node("a", 8, [GPU]), node("b", 8)]
    yield case("a taint", part, pods=[pod("x", 1), pod("y", 1, [GPU])], nodes=tainted)
    yield case("two taints, one tolerated", part, pods=[pod("x", 1, [GPU])],
               nodes=[node("a", 8, [GPU, "team"]), node("b", 8)])  # fmt: skip
    yield case(
        "tolerations without taints", part, pods=[pod("x", 1, [GPU, "spot"])], nodes=[node("a", 8)]
    )
    labelled = [node("a", 8, gpu="L4"), node("b", 8, gpu="H100", zone="1"), node("c", 8)]
    yield case("a selector", part, pods=[pod("x", 2, gpu="H100"), pod("y", 1)], nodes=labelled)
    yield case("two labels", part, pods=[pod("x", 2, gpu="H100", zone="2")], nodes=labelled)
    yield case("a label that no node has", part, pods=[pod("x", 0, disk="ssd")], nodes=labelled)
    yield case("a pod without GPUs", part, pods=[pod("x", 0), pod("y", 0), pod("z", 1)],
               nodes=[node("cpu", 0), node("gpu", 4)])  # fmt: skip
    yield case("no GPUs, on the fuller node", part, pods=[pod("z", 1), pod("x", 0)],
               nodes=[node("cpu", 0), node("gpu", 4)])  # fmt: skip
    for k in range(4):
        yield case(f"drawn, {k + 1}", part, **_drawn(rng, mixed=True))
    for label, pods, nodes in (
        ("a pod of -1 GPUs", [pod("x", -1)], four),
        ("a node of -1 GPUs", [pod("x", 1)], [node("a", -1)]),
        ("a pod's name twice", [pod("x", 1), pod("x", 2)], four),
        ("a node's name twice", [pod("x", 1)], [node("a", 1), node("a", 2)]),
    ):
        yield case(label, "refuse", pods=pods, nodes=nodes, refuse=True)


def _drawn(rng, mixed=False):
    nodes, pods = [], []
    for i in rng.permutation(6):
        taints = [GPU] if mixed and rng.integers(2) else []
        nodes.append(
            node(f"n{i}", int(rng.choice([2, 4, 6, 8])), taints, zone=str(rng.integers(2)))
        )
    for i in range(18):
        tolerated = [GPU] if mixed and rng.integers(3) else []
        wanted = {"zone": str(rng.integers(2))} if mixed and rng.integers(2) else {}
        pods.append(pod(f"p{i}", int(rng.choice([0, 1, 1, 2, 3, 4])), tolerated, **wanted))
    return {"pods": pods, "nodes": nodes}


def probe(solution, pods, nodes, refuse=False):
    if refuse:
        return refusal(lambda: solution(pods, nodes))  # noqa: F821
    return solution(pods, nodes)


def schedule(pods, nodes):
    """Pod name -> node name or None."""
    left = {n["name"]: n["gpus"] for n in nodes}
    chosen = {}

    def before(a, b, size):
        """Negative where node a is to be taken: its share in use is higher, or its name comes first."""
        used = [n["gpus"] - left[n["name"]] + size for n in (a, b)]
        totals = [max(1, n["gpus"]) for n in (a, b)]
        return (used[1] * totals[0] - used[0] * totals[1]) or (1 if a["name"] > b["name"] else -1)

    for p in pods:
        open_nodes = []
        for n in nodes:
            refused = [t for t in n["taints"] if t not in p["tolerations"]]
            other = [k for k in p["selector"] if n["labels"].get(k) != p["selector"][k]]
            if left[n["name"]] >= p["gpus"] and not refused and not other:
                open_nodes.append(n)
        order = functools.cmp_to_key(functools.partial(before, size=p["gpus"]))
        open_nodes.sort(key=order)
        chosen[p["name"]] = open_nodes[0]["name"] if open_nodes else None
        if open_nodes:
            left[open_nodes[0]["name"]] -= p["gpus"]
    return chosen


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    right = schedule(case.pods, case.nodes)
    expect.mapping(answer, tuple(right), only=True)
    for name, wanted in right.items():
        expect.that(answer[name] == wanted, f"Pod {name} is on another node.", yours=answer[name],
                    right="None (Pending)" if wanted is None else wanted)  # fmt: skip
    return None
