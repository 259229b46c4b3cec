"""Answers to kube-place."""

from autograder.checks.bank import right, wrong


def _model(pods, nodes, *, check=True, score="share", tie=min, stop=False, taints=True, labels=True,
           take=True, order=None, with_pod=True, any_taint=False, any_label=False, strict=False):  # fmt: skip
    if check:
        for things in (pods, nodes):
            names = [x["name"] for x in things]
            if len(names) != len(set(names)) or any(x["gpus"] < 0 for x in things):
                raise ValueError("names or GPUs")
    used, out = {n["name"]: 0 for n in nodes}, {}
    for pod in sorted(pods, key=order) if order else pods:
        fit = []
        for n in nodes:
            free = n["gpus"] - used[n["name"]]
            good = free > pod["gpus"] if strict else free >= pod["gpus"]
            if taints and n["taints"]:
                how = any if any_taint else all
                good = good and how(t in pod["tolerations"] for t in n["taints"])
            if labels and pod["selector"]:
                how = any if any_label else all
                good = good and how(n["labels"].get(k) == v for k, v in pod["selector"].items())
            if good:
                busy = used[n["name"]] + (pod["gpus"] if with_pod else 0)
                share = busy / n["gpus"] if n["gpus"] else 0.0
                value = {
                    "share": share,
                    "count": busy,
                    "free": -free,
                    "spread": -share,
                    "first": 0,
                }[score]
                fit.append((value, n["name"]))
        best = max((v for v, _ in fit), default=None)
        chosen = tie(name for v, name in fit if v == best) if fit else None
        if chosen is None and stop:
            out |= {p["name"]: None for p in pods if p["name"] not in out}
            break
        out[pod["name"]] = chosen
        if chosen is not None and take:
            used[chosen] += pod["gpus"]
    return out


@right("filter, then the highest share")
def packed(pods, nodes):
    return _model(pods, nodes)


@right("sorted nodes, the first of the best")
def sorted_nodes(pods, nodes):
    if len({p["name"] for p in pods}) != len(pods) or len({n["name"] for n in nodes}) != len(nodes):
        raise ValueError("a name twice")
    if min([x["gpus"] for x in [*pods, *nodes]], default=0) < 0:
        raise ValueError("GPUs")
    free, result = {n["name"]: n["gpus"] for n in nodes}, {}
    for pod in pods:
        best, best_idle = None, None
        for n in sorted(nodes, key=lambda n: n["name"]):
            idle = free[n["name"]] - pod["gpus"]
            if idle < 0 or not set(n["taints"]).issubset(pod["tolerations"]):
                continue
            if not pod["selector"].items() <= n["labels"].items():
                continue
            share_idle = idle / n["gpus"] if n["gpus"] else 1.0
            if best is None or share_idle < best_idle - 1e-12:
                best, best_idle = n["name"], share_idle
        result[pod["name"]] = best
        if best:
            free[best] -= pod["gpus"]
    return result


def _wrong(name, sentence, **how):
    def answer(pods, nodes):
        return _model(pods, nodes, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong("spread", "Bin packing takes the fullest node, not the emptiest.", score="spread")
_wrong(
    "first-by-name",
    "Of the nodes that pass, the one with the highest share in use is taken.",
    score="first",
)
_wrong("count-for-share", "A share is GPUs in use over the node's GPUs.", score="count")
_wrong("free-for-share", "The share in use decides, not the number of free GPUs.", score="free")
_wrong("share-without-the-pod", "The pod's own GPUs count in the share.", with_pod=False)
_wrong("last-by-name", "Of equal nodes the first by name is taken.", tie=max)
_wrong(
    "order-of-the-list", "Of equal nodes the first by name, not the first of the list.", tie=next
)
_wrong(
    "taints-forgotten", "A node whose taint the pod does not tolerate does not pass.", taints=False
)
_wrong("one-taint-suffices", "Every taint of the node must be tolerated.", any_taint=True)
_wrong("selector-forgotten", "The selector's labels must be on the node.", labels=False)
_wrong("one-label-suffices", "Each label of the selector must be on the node.", any_label=True)
_wrong("queue-blocked", "A Pending pod does not stop the ones behind it.", stop=True)
_wrong("nothing-taken", "A placed pod takes its GPUs from the node.", take=False)
_wrong("largest-first", "Pods are placed in the order given.", order=lambda p: -p["gpus"])
_wrong("one-left-free", "A pod may take all that is free.", strict=True)
_wrong(
    "not-checked", "Negative GPUs and names that stand twice must raise ValueError.", check=False
)


@wrong("pending-left-out", "A Pending pod is in the result, with None.")
def left_out(pods, nodes):
    return {k: v for k, v in _model(pods, nodes).items() if v is not None}
