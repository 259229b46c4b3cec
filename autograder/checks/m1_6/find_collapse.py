"""find-collapse: layer, step and kind in drawn runs with planted faults and harmless drift."""

import copy

from autograder.checks import case, expect
from autograder.checks.oracles import qat_collapse as qat

BANK_SEEDS = 1  # each run holds hundreds of values
PARTS = {"kind and layer": 0.35, "onset": 0.25, "no false alarm": 0.2, "restarts and names": 0.2}
HINTS = (
    "dict(pairs) keeps the last value of each step; sort the steps, then make arrays.",
    "First five steps never bad; the onset is one behind the last good step, and lasts three or more.",
    "Collect (onset, layer, place of the kind in KINDS) and take the smallest.",
)
LAYERS = ("layer1", "layer2", "layer3", "layer4")
STEPS = tuple(range(0, 200, 10))


def _run(rng, faults=(), layers=LAYERS, steps=STEPS):
    run = qat.drawn_run(rng, layers, steps)
    for layer, kind, begin, end in faults:
        qat.plant(run[layer], kind, begin, end)
    return qat.as_scalars(run, steps)


def cases(rng):
    for kind in qat.KINDS:
        layer = LAYERS[int(rng.integers(4))]
        begin = int(rng.integers(6, 16))
        yield case(
            f"one fault: {kind}", "kind and layer", run=_run(rng, [(layer, kind, begin, None)])
        )
    yield case("from sixth step on", "kind and layer", run=_run(rng, [("layer2", "wide", 5, None)]))
    yield case(
        "bad from the start", "kind and layer", run=_run(rng, [("layer3", "narrow", 0, None)])
    )
    yield case("a fault with followers", "kind and layer", run=_run(rng, [
        ("layer3", "scale", 12, None), ("layer1", "gradient", 15, None),
        ("layer4", "wide", 14, None)]))  # fmt: skip
    yield case("a later layer first", "kind and layer", run=_run(rng, [
        ("layer1", "narrow", 15, None), ("layer4", "gradient", 11, None)]))  # fmt: skip
    yield case("two layers at once", "kind and layer", run=_run(rng, [
        ("layer4", "scale", 10, None), ("layer2", "gradient", 10, None)]))  # fmt: skip
    yield case("two kinds at once", "kind and layer", run=_run(rng, [
        ("layer2", "gradient", 10, None), ("layer2", "wide", 10, None)]))  # fmt: skip
    yield from _onsets(rng)
    yield from _harmless(rng)
    yield from _restarts(rng)


def _onsets(rng):
    part = "onset"
    yield case("a spike before it lasts", part, run=_run(rng, [
        ("layer2", "narrow", 7, 9), ("layer2", "narrow", 15, None)]))  # fmt: skip
    yield case("another's spike before", part, run=_run(rng, [
        ("layer1", "wide", 6, 12), ("layer3", "gradient", 14, None)]))  # fmt: skip
    last = len(STEPS) - 3
    yield case("the last three steps", part, run=_run(rng, [("layer4", "scale", last, None)]))
    yield case("two steps are too few", part, run=_run(rng, [("layer4", "scale", last + 1, None)]))
    steps = tuple(int(s) for s in (rng.integers(1, 40, 24)).cumsum())
    begin = int(rng.integers(8, 18))
    faults = [("layer3", "wide", begin, None)]
    yield case("uneven steps", part, run=_run(rng, faults, steps=steps))
    for count, begin in ((8, 5), (7, 4)):
        faults = [("layer1", "narrow", begin, None)]
        yield case(f"{count} steps", part, run=_run(rng, faults, steps=STEPS[:count]))
    yield case("bad at first, well after", part, run=_run(rng, [
        ("layer1", "wide", 0, 5), ("layer2", "wide", 9, None)]))  # fmt: skip


def _harmless(rng):
    part = "no false alarm"
    yield case("drift alone", part, run=_run(rng))
    yield case("a fault that heals", part, run=_run(rng, [("layer2", "wide", 7, 18)]))
    begins = dict(zip(qat.KINDS, (7, 10, 13, 16), strict=True))
    spikes = [(layer, kind, i, i + 2) for layer in LAYERS for kind, i in begins.items()]
    yield case("spikes everywhere", part, run=_run(rng, spikes))
    fading = qat.drawn_run(rng, LAYERS, STEPS)
    for rows in fading.values():
        rows["gradient_rms"] = [g * 10 ** (-8 * i / 19) for i, g in enumerate(rows["gradient_rms"])]
    yield case("all gradients fade", part, run=qat.as_scalars(fading, STEPS))
    low = qat.drawn_run(rng, LAYERS, STEPS)
    low["layer2"]["scale"][10:] = [0.3 * sorted(low["layer2"]["scale"][:5])[2]] * 10
    low["layer4"]["gradient_rms"] = [
        0.04 * min(low[layer]["gradient_rms"][i] for layer in LAYERS) for i in range(20)
    ]
    yield case("low, not too low", part, run=qat.as_scalars(low, STEPS))
    run = qat.drawn_run(rng, LAYERS, STEPS)
    for layer, factor in (("layer1", 0.55), ("layer3", 3.8)):
        rows = run[layer]
        for i in range(10, 20):
            batch = rows["batch_high"][i] - rows["batch_low"][i]
            rows["input_high"][i] = rows["input_low"][i] + factor * batch
    yield case("ranges apart, not too far", part, run=qat.as_scalars(run, STEPS))
    equal = qat.drawn_run(rng, LAYERS, STEPS)
    for i in range(10, 20):
        equal["layer2"]["batch_high"][i], equal["layer2"]["input_high"][i] = 7.5, 3.5
        equal["layer4"]["batch_high"][i], equal["layer4"]["input_high"][i] = 1.5, 7.5
        for rows in equal.values():
            rows["gradient_rms"][i] = 0.0
    yield case("exactly at the bounds, gradients 0", part, run=qat.as_scalars(equal, STEPS))
    loud = qat.drawn_run(rng, LAYERS, STEPS)
    loud["layer3"]["gradient_rms"] = [5e4 * g for g in loud["layer3"]["gradient_rms"]]
    yield case("one loud layer", part, run=qat.as_scalars(loud, STEPS))
    pair = qat.drawn_run(rng, ("a", "b"), STEPS)
    pair["b"]["gradient_rms"] = [g / 150 for g in pair["a"]["gradient_rms"]]
    yield case("two layers", part, run=qat.as_scalars(pair, STEPS))
    early = qat.drawn_run(rng, LAYERS, STEPS)
    early["layer3"]["scale"][0] *= 50
    early["layer1"]["scale"][1] *= 50
    yield case("a first scale that is large", part, run=qat.as_scalars(early, STEPS))


def _restarts(rng):
    part = "restarts and names"
    good, sick = _run(rng), _run(rng, [("layer2", "wide", 9, None)])
    yield case("a restart that heals", part, run=_joined(sick, good, 60))
    yield case("a restart that breaks", part, run=_joined(good, sick, 110))
    names = ("blocks.0/mlp", "blocks.0/attn/qkv", "head", "scale")
    fault = [("blocks.0/attn/qkv", "gradient", 13, None)]
    yield case("names with slashes", part, run=_run(rng, fault, layers=names))
    yield case(
        "a layer called scale", part, run=_run(rng, [("scale", "narrow", 11, None)], layers=names)
    )
    ten = tuple(f"layer{i}" for i in (2, 10, 1))
    both = [("layer2", "wide", 9, None), ("layer10", "wide", 9, None)]
    yield case("layer10 before layer2", part, run=_run(rng, both, layers=ten))
    two = _run(rng, [("b", "gradient", 9, None)], layers=("b", "a", "c"))
    yield case("tags in another order", part, run=_shuffled(rng, two))
    wide = _run(rng, [("layer1", "wide", 15, None)])
    shift = [(k, -v) for k, v in wide["scalars"]["layer1/input_high"]]
    moved = copy.deepcopy(wide)
    moved["scalars"]["layer1/input_low"], moved["scalars"]["layer1/input_high"] = (
        shift, [(k, 0.25) for k, _ in shift])  # fmt: skip
    yield case("wide on the low side", part, run=moved)


def _joined(first, second, start):
    """The file of a run that was restarted at step `start`."""
    joined = copy.deepcopy(first)
    for tag, pairs in second["scalars"].items():
        joined["scalars"][tag] = joined["scalars"][tag] + [p for p in pairs if p[0] >= start]
    return joined


def _shuffled(rng, run):
    tags = list(run["scalars"])
    order = rng.permutation(len(tags))
    return {"scalars": {tags[i]: run["scalars"][tags[i]] for i in order}, "histograms": {}}


def probe(solution, run):
    return solution(run)


def judge(case, answer):
    found = answer
    want = qat.verdict(case.run)
    if want is None:
        expect.that(found is None, "Nothing has collapsed in this run.", yours=found, right=None)
    else:
        right = dict(zip(("layer", "step", "kind"), want, strict=True))
        expect.that(found is not None, "A collapse was not found.", yours=None, right=right)
        expect.mapping(found, ("layer", "step", "kind"), only=True)
        for name in ("kind", "layer"):
            expect.that(found[name] == right[name], f"The {name} is off.", yours=found, right=right)
        expect.integer(found["step"], right["step"], "step")
