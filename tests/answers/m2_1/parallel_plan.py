"""Answers to parallel-plan."""

import functools
import itertools

from autograder.checks.bank import right, wrong


def _send(link, size):
    return link[0] + size / (1000 * link[1])


def _crossings(tp, pp, dp, gpus):
    """For each replica: whether each boundary lies between two nodes."""
    return [
        [(d * pp + s) * tp // gpus != (d * pp + s + 1) * tp // gpus for s in range(pp - 1)]
        for d in range(dp)
    ]


def _evaluate(model, machine, batch, context, tp, pp, dp, change):
    value, gpus = model["value_bytes"], machine["gpus_per_node"]
    weights = model["parameters"] * value / (tp * pp)
    heads = max(1, model["kv_heads"] // tp)
    if change == "kv-divided":
        heads = model["kv_heads"] / tp
    if change == "kv-not-divided":
        heads = model["kv_heads"]
    if change == "query-heads-cached":
        heads = model["heads"] / tp
    one = batch * context * 2 * (model["layers"] / pp) * heads * model["head_dim"] * value
    if change == "keys-only":
        one /= 2
    cache = one if change == "one-batch-in-flight" else pp * one
    room = machine["memory_gb"] * (2**30 if change == "binary-gigabytes" else 1e9)
    room *= 1.0 if change == "all-memory" else 0.9
    used = weights if change == "weights-only" else weights + cache
    if used > room and change != "memory-ignored":
        return None
    size = batch * model["hidden"] * value
    if change == "one-sequence-sent":
        size = model["hidden"] * value
    read = weights + one
    if change == "reads-weights-only":
        read = weights
    if change == "reads-all-caches":
        read = weights + cache
    stages = 1 if change == "reading-of-one-stage" else pp
    took = stages * read / (1000 * machine["memory_gb_per_s"])
    sums = 2 * model["layers"]
    if change == "one-all-reduce":
        sums /= 2
    if change == "all-reduces-of-one-stage":
        sums /= pp
    if tp > 1 and change != "no-all-reduces":
        inside = machine["inside"]
        if change == "latency-once":
            took += sums * (inside[0] + 2 * (tp - 1) / tp * size / (1000 * inside[1]))
        elif change == "whole-message":
            took += sums * 2 * (tp - 1) * _send(inside, size)
        else:
            took += sums * 2 * (tp - 1) * _send(inside, size / tp)
    sends = []
    for row in _crossings(tp, pp, dp, gpus):
        if change == "between-always":
            row = [True] * len(row)
        if change == "inside-always":
            row = [False] * len(row)
        sends.append(sum(_send(machine["between" if x else "inside"], size) for x in row))
    slow = {"first-replica": sends[0], "fastest-replica": min(sends), "no-sends": 0.0}
    if change == "most-crossings":
        counts = [sum(row) for row in _crossings(tp, pp, dp, gpus)]
        took += sends[counts.index(max(counts))]
    elif change == "p-sends" and pp > 1:
        took += max(sends) + _send(machine["inside"], size)
    else:
        took += slow.get(change, max(sends))
    flight = 1 if change == "throughput-of-one-batch" else pp
    rate = dp * flight * batch / took * 1e6
    if change == "one-replica":
        rate /= dp
    if change == "tokens-a-microsecond":
        rate /= 1e6
    return {
        "tp": tp,
        "pp": pp,
        "dp": dp,
        "memory_gb": used / 1e9,
        "latency_us": took,
        "tokens_per_s": rate,
    }


@functools.cache
def _triples(devices):
    every = itertools.product(range(1, devices + 1), repeat=3)
    return [(t, p, d) for t, p, d in every if t * p * d <= devices]


def _model(
    model, machine, batch, context, limit=None, change="", skip="", key=None, goal="tokens_per_s"
):
    if "b" not in skip and batch < 1:
        raise ValueError("batch")
    if "c" not in skip and context < 1:
        raise ValueError("context")
    if "l" not in skip and limit is not None and limit <= 0:
        raise ValueError("limit")
    gpus, devices, rows = machine["gpus_per_node"], machine["nodes"] * machine["gpus_per_node"], []
    for tp, pp, dp in _triples(devices):
        if change == "all-devices" and tp * pp * dp < devices:
            continue
        if change != "tp-across-nodes" and gpus % tp:
            continue
        if change != "heads-not-divided" and model["heads"] % tp:
            continue
        kv = model["kv_heads"]
        if change == "no-kv-copies" and kv % tp:
            continue
        if change != "uneven-kv" and kv % tp and tp % kv:
            continue
        if change != "unequal-stages" and model["layers"] % pp:
            continue
        if change == "pp-within-a-node" and tp * pp > gpus:
            continue
        row = _evaluate(model, machine, batch, context, tp, pp, dp, change)
        if row and (limit is None or row["latency_us"] <= limit or change == "limit-ignored"):
            rows.append(row)
    if not rows:
        return None
    if key:
        return min(rows, key=key)
    tie = [-1, -1] if change == "most-devices" else [1, 1]

    def order(row):
        first = row["latency_us"] if limit is None else -row[goal]
        return first, tie[0] * row["tp"] * row["pp"] * row["dp"], tie[1] * row["tp"]

    return min(rows, key=order)


@right("all layouts, one key")
def by_key(model, machine, batch, context, limit_us=None):
    return _model(model, machine, batch, context, limit_us)


@right("nodes by number, the best so far kept")
def by_loop(model, machine, batch, context, limit_us=None):
    if batch < 1 or context < 1 or (limit_us is not None and not limit_us > 0):
        raise ValueError("range")
    per_node = machine["gpus_per_node"]
    most, best, best_key = machine["nodes"] * per_node, None, None
    sequence = model["value_bytes"] * model["head_dim"] * model["layers"] * 2 * context
    for devices in range(1, most + 1):
        for tp in range(1, min(devices, per_node) + 1):
            if devices % tp or per_node % tp or model["heads"] % tp:
                continue
            big, small = max(tp, model["kv_heads"]), min(tp, model["kv_heads"])
            if big % small:
                continue
            for pp in range(1, devices // tp + 1):
                if devices % (tp * pp) or model["layers"] % pp:
                    continue
                dp = devices // (tp * pp)
                weights = model["parameters"] * model["value_bytes"] / tp / pp
                cache = (
                    sequence * batch * (1 if tp >= model["kv_heads"] else model["kv_heads"] // tp)
                )
                if weights + cache > 9e8 * machine["memory_gb"]:
                    continue
                m = batch * model["hidden"] * model["value_bytes"]
                us = (pp * weights + cache) / machine["memory_gb_per_s"] / 1e3
                a, b = machine["inside"]
                us += 4 * model["layers"] * (tp - 1) * (a + m / tp / b / 1e3)
                slowest = 0.0
                for d in range(dp):
                    nodes = [(d * pp + s) * tp // per_node for s in range(pp)]
                    links = [machine["inside"] if x == y else machine["between"]
                             for x, y in zip(nodes, nodes[1:], strict=False)]  # fmt: skip
                    slowest = max(slowest, sum(x + m / y / 1e3 for x, y in links))
                us += slowest
                if limit_us is not None and us > limit_us:
                    continue
                rate = 1e6 * dp * pp * batch / us
                key = (us if limit_us is None else -rate, devices, tp)
                if best is None or key < best_key:
                    best_key = key
                    best = {"tp": tp, "pp": pp, "dp": dp, "memory_gb": (weights + cache) / 1e9,
                            "latency_us": us, "tokens_per_s": rate}  # fmt: skip
    return best


def _changed(change):
    def answer(model, machine, batch, context, limit_us=None):
        return _model(model, machine, batch, context, limit_us, change)

    return answer


CHANGES = {
    "kv-divided": "A device keeps at least one KV head: where tp exceeds kv_heads they are copied.",
    "kv-not-divided": "Tensor parallelism shares out the KV heads.",
    "query-heads-cached": "The cache holds KV heads, not query heads.",
    "keys-only": "The cache holds keys and values: times 2.",
    "one-batch-in-flight": "A pipeline has pp batches in flight: a device keeps a cache for each.",
    "binary-gigabytes": "1 GB is 10**9 bytes.",
    "all-memory": "A tenth of the memory stays free.",
    "weights-only": "The cache needs memory too.",
    "memory-ignored": "A layout must fit into memory.",
    "one-sequence-sent": "A message holds the activations of all sequences of a batch.",
    "reads-weights-only": "A step reads the cache as well as the weights.",
    "reads-all-caches": "A step reads the cache of one batch, not of all pp batches in flight.",
    "reading-of-one-stage": "A token passes all pp stages, one after the other.",
    "one-all-reduce": "A layer has two all-reduces.",
    "all-reduces-of-one-stage": "All layers' all-reduces count, not those of one stage.",
    "no-all-reduces": "Tensor parallelism pays two all-reduces a layer.",
    "latency-once": "Each of the 2 (tp - 1) steps of a ring pays the latency.",
    "whole-message": "A step of the ring sends m / tp bytes.",
    "between-always": "Two stages in one node talk over the link inside.",
    "inside-always": "A boundary between nodes crosses the network.",
    "first-replica": "The slowest replica counts, which need not be the first.",
    "fastest-replica": "The slowest replica counts.",
    "no-sends": "Stages send activations to one another.",
    "most-crossings": "The slowest replica is the one with the longest sends, not the most crossings.",
    "p-sends": "pp stages have pp - 1 boundaries.",
    "throughput-of-one-batch": "pp batches are in flight: times pp.",
    "one-replica": "All replicas make tokens: times dp.",
    "tokens-a-microsecond": "tokens_per_s is in tokens a second.",
    "all-devices": "A layout may leave devices unused.",
    "tp-across-nodes": "tp must divide gpus_per_node.",
    "heads-not-divided": "tp must divide heads.",
    "no-kv-copies": "tp may be a multiple of kv_heads.",
    "uneven-kv": "One of kv_heads and tp must be a multiple of the other.",
    "unequal-stages": "pp must divide layers.",
    "pp-within-a-node": "A pipeline may cross nodes.",
    "limit-ignored": "The latency must not exceed the limit.",
    "most-devices": "Of equally good layouts take the one with the fewest devices.",
}
for _name, _sentence in CHANGES.items():
    _answer = _changed(_name)
    _answer.__name__ = _name.replace("-", "_")
    globals()[_answer.__name__] = wrong(_name, _sentence)(_answer)


@wrong("always-latency", "With a limit the highest tokens_per_s is wanted, not the lowest latency.")
def always_latency(model, machine, batch, context, limit_us=None):
    found = _model(model, machine, batch, context, limit_us)
    if found is None:
        return None
    return _model(model, machine, batch, context)


@wrong("always-throughput", "Without a limit the lowest latency is wanted.")
def always_throughput(model, machine, batch, context, limit_us=None):
    return _model(model, machine, batch, context, 1e18 if limit_us is None else limit_us)


@wrong("best-then-limit", "Look for the best among the layouts within the limit, not before.")
def best_first(model, machine, batch, context, limit_us=None):
    found = _model(model, machine, batch, context, None if limit_us is None else max(limit_us, 1e18) if limit_us > 0 else limit_us)  # fmt: skip
    return found if found and (limit_us is None or found["latency_us"] <= limit_us) else None


@wrong("largest-tp", "The largest tensor group is not always the fastest.")
def largest_tp(model, machine, batch, context, limit_us=None):
    return _model(
        model, machine, batch, context, limit_us, key=lambda r: (-r["tp"], r["latency_us"])
    )


@wrong("fewest-devices-first", "Fewest devices decides between equals only.")
def fewest(model, machine, batch, context, limit_us=None):
    return _model(model, machine, batch, context, limit_us,
                  key=lambda r: (r["tp"] * r["pp"] * r["dp"], r["latency_us"]))  # fmt: skip


@wrong("error-for-none", "Where no layout is allowed, return None.")
def error(model, machine, batch, context, limit_us=None):
    found = _model(model, machine, batch, context, limit_us)
    if found is None:
        raise ValueError("no layout")
    return found


@wrong("batch-not-checked", "batch below 1 must raise ValueError.")
def any_batch(model, machine, batch, context, limit_us=None):
    return _model(model, machine, batch, context, limit_us, skip="b")


@wrong("context-not-checked", "context below 1 must raise ValueError.")
def any_context(model, machine, batch, context, limit_us=None):
    return _model(model, machine, batch, context, limit_us, skip="c")


@wrong("limit-not-checked", "A limit that is not above 0 must raise ValueError.")
def any_limit(model, machine, batch, context, limit_us=None):
    return _model(model, machine, batch, context, limit_us, skip="l")
