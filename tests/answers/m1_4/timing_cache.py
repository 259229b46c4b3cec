"""Answers to timing-cache."""

from autograder.checks.bank import right, wrong


def _tune(
    layers,
    tactics,
    measure,
    cache,
    device,
    *,
    key=None,
    copy=True,
    learn=True,
    use=True,
    best=min,
    last=False,
    keep_others=True,
    refuse=True,
    twice=False,
    only_first=False,
    all_first=False,
    store="tactic",
):
    found = dict(cache) if copy else cache
    plan = {}
    make = key or (lambda layer: (device, layer["op"], tuple(layer["shape"]), layer["dtype"]))
    for layer in layers:
        k = make(layer)
        if use and k in found:
            plan[layer["name"]] = found[k]
            continue
        names = tactics.get(layer["op"]) or []
        if not names:
            if refuse:
                raise ValueError("no tactic")
            plan[layer["name"]] = None
            continue
        times = [
            measure(layer["op"], layer["shape"], layer["dtype"], name)
            for name in names[: 1 if only_first else None]
        ]
        if twice:
            times = [measure(layer["op"], layer["shape"], layer["dtype"], name) for name in names]
        low = best(times)
        at = len(times) - 1 - times[::-1].index(low) if last else times.index(low)
        plan[layer["name"]] = names[at]
        if learn:
            found[k] = names[at] if store == "tactic" else low
    if not keep_others:
        found = {k: v for k, v in found.items() if k[0] == device}
    return plan, found


@right("a copy that grows")
def grows(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device)


@right("distinct keys first")
def distinct(layers, tactics, measure, cache, device):
    def key(layer):
        return device, layer["op"], tuple(layer["shape"]), layer["dtype"]

    new = {}
    for layer in {key(x): x for x in layers if key(x) not in cache}.values():
        options = tactics.get(layer["op"], [])
        if not options:
            raise ValueError(f"no tactic for {layer['op']}")
        scored = {}
        for tactic in options:
            scored[tactic] = measure(layer["op"], layer["shape"], layer["dtype"], tactic)
        new[key(layer)] = min(options, key=scored.__getitem__)
    both = {**cache, **new}
    return {layer["name"]: both[key(layer)] for layer in layers}, both


@wrong("slowest", "You take the slowest tactic.")
def slowest(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, best=max)


@wrong("first-tactic", "You take the first tactic without timing the others.")
def first(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, only_first=True)


@wrong("last-of-equals", "Of equally fast tactics the first counts.")
def last(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, last=True)


@wrong("cache-not-read", "You time what the cache holds.")
def not_read(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, use=False)


@wrong("cache-not-written", "What is found goes into the new cache; layers alike are timed once.")
def not_written(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, learn=False)


@wrong("old-cache-returned", "You return the cache as it was given.")
def old(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device)[0], dict(cache)


@wrong("new-entries-only", "The new cache holds the old entries too.")
def only_new(layers, tactics, measure, cache, device):
    plan, found = _tune(layers, tactics, measure, cache, device)
    return plan, {k: v for k, v in found.items() if k not in cache}


@wrong("others-dropped", "Entries of other devices stay in the cache.")
def dropped(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, keep_others=False)


@wrong("given-cache-changed", "You changed the cache that was given; work on a copy.")
def changed(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, copy=False)


@wrong(
    "device-ignored",
    "A timing of another GPU or release does not hold here: the device is part of the key.",
)
def any_device(layers, tactics, measure, cache, device):
    here = {(device, *k[1:]): v for k, v in cache.items()}
    return _tune(layers, tactics, measure, here, device)


@wrong("gpu-alone", "The release is part of the device: a cache of another release does not hold.")
def gpu_alone(layers, tactics, measure, cache, device):
    gpu = device.split(",")[0]
    here = {(device, *k[1:]): v for k, v in cache.items() if k[0].split(",")[0] == gpu}
    plan, found = _tune(layers, tactics, measure, here, device)
    return plan, {**cache, **found}


@wrong("release-alone", "The GPU is part of the device: a cache of another GPU does not hold.")
def release_alone(layers, tactics, measure, cache, device):
    release = device.split(",")[1]
    here = {(device, *k[1:]): v for k, v in cache.items() if k[0].split(",")[1] == release}
    plan, found = _tune(layers, tactics, measure, here, device)
    return plan, {**cache, **found}


def _without(part):
    """Tune with a key that lacks one of op, shape, dtype, then give the cache its right form."""

    def solution(layers, tactics, measure, cache, device):
        def key(layer):
            return tuple(str(layer[name]) for name in ("op", "shape", "dtype") if name != part)

        known, plan = {}, {}
        found = dict(cache)
        for layer in layers:
            full = (device, layer["op"], tuple(layer["shape"]), layer["dtype"])
            if full in cache:
                known.setdefault(key(layer), cache[full])
            if key(layer) not in known:
                names = tactics.get(layer["op"]) or []
                if not names:
                    raise ValueError("no tactic")
                times = [
                    measure(layer["op"], layer["shape"], layer["dtype"], name) for name in names
                ]
                known[key(layer)] = names[times.index(min(times))]
            plan[layer["name"]] = found[full] = known[key(layer)]
        return plan, found

    return solution


@wrong(
    "dtype-ignored",
    "FP16 and INT8 have different kernels: the dtype is part of the key.",
    call=True,
)
def no_dtype():
    return _without("dtype")


@wrong("shape-ignored", "The best kernel depends on the shape: it is part of the key.", call=True)
def no_shape():
    return _without("shape")


@wrong("shape-as-list", "The key holds the shape as a tuple; yours holds text.")
def text_shape(layers, tactics, measure, cache, device):
    plan, found = _tune(layers, tactics, measure, cache, device)
    return plan, {(k[0], k[1], str(list(k[2])), k[3]): v for k, v in found.items()}


@wrong("key-in-another-order", "The key is (device, op, shape, dtype), in this order.")
def other_order(layers, tactics, measure, cache, device):
    plan, found = _tune(layers, tactics, measure, cache, device)
    return plan, {(k[1], k[2], k[3], k[0]): v for k, v in found.items()}


@wrong("times-in-the-cache", "The cache holds the tactic's name, not its time.")
def times(layers, tactics, measure, cache, device):
    plan, _ = _tune(layers, tactics, measure, cache, device)
    _, found = _tune(layers, tactics, measure, cache, device, store="time")
    return plan, found


@wrong("timed-twice", "Each tactic is timed once.")
def timed_twice(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, twice=True)


@wrong("plan-by-key", "The plan goes by layer names.")
def by_key(layers, tactics, measure, cache, device):
    _, found = _tune(layers, tactics, measure, cache, device)
    return {
        layer["op"]: found[(device, layer["op"], tuple(layer["shape"]), layer["dtype"])]
        for layer in layers
    }, found


@wrong("no-tactic-accepted", "A layer without any tactic cannot be built: raise ValueError.")
def accepted(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device, refuse=False)


@wrong("plan-alone", "Return two values: the plan and the new cache.")
def alone(layers, tactics, measure, cache, device):
    return _tune(layers, tactics, measure, cache, device)[0]


@wrong("timed-layers-only", "Layers whose choice comes from the cache belong to the plan too.")
def timed_only(layers, tactics, measure, cache, device):
    plan, found = _tune(layers, tactics, measure, cache, device)
    hit = {x["name"] for x in layers if (device, x["op"], tuple(x["shape"]), x["dtype"]) in cache}
    return {k: v for k, v in plan.items() if k not in hit}, found


@wrong(
    "unused-entries-dropped",
    "Entries that no layer uses now stay in the cache: the next build may use them.",
)
def unused_dropped(layers, tactics, measure, cache, device):
    plan, found = _tune(layers, tactics, measure, cache, device)
    used = {(device, x["op"], tuple(x["shape"]), x["dtype"]) for x in layers}
    return plan, {k: v for k, v in found.items() if k[0] != device or k in used}


@wrong("plan-with-cache-entries", "The plan holds the layers by name, and nothing else.")
def plan_with_entries(layers, tactics, measure, cache, device):
    plan, found = _tune(layers, tactics, measure, cache, device)
    return {**plan, **{str(k): v for k, v in found.items()}}, found


@right("min with a key, a list returned")
def by_min(layers, tactics, measure, cache, device):
    cache = {**cache}
    keys = {x["name"]: (device, x["op"], tuple(x["shape"]), x["dtype"]) for x in layers}
    for layer in layers:
        op, shape, dtype = keys[layer["name"]][1:]
        if (device, op, shape, dtype) in cache:
            continue
        if len(tactics.get(op, ())) == 0:
            raise ValueError(op)
        times = {tactic: measure(op, shape, dtype, tactic) for tactic in tactics[op]}
        cache[device, op, shape, dtype] = min(times, key=times.get)
    return [{name: cache[key] for name, key in keys.items()}, cache]
