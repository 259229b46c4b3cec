"""Answers to find-collapse."""

import statistics

import numpy as np

from autograder.checks.bank import right, wrong

KINDS = ("scale", "narrow", "wide", "gradient")


def _tables(run, last=dict):
    scalars = run["scalars"]
    layers = sorted(tag.removesuffix("/scale") for tag in scalars if tag.endswith("/scale"))
    steps = sorted({step for step, _ in scalars[f"{layers[0]}/scale"]})

    def series(layer, name):
        kept = last(scalars[f"{layer}/{name}"])
        return np.array([kept[step] for step in steps], float)

    return layers, steps, series


def _bad(layers, series, layer, start=np.median, scale=4, narrow=2, wide=4, gradient=100, middle=None,
         scale_base=None, gradient_base=None, low_too=True, own=None):  # fmt: skip
    s, low, high = series(layer, "scale"), series(layer, "input_low"), series(layer, "input_high")
    blow, bhigh = series(layer, "batch_low"), series(layer, "batch_high")
    width, batch = (high - low, bhigh - blow) if low_too else (high, bhigh)
    common = (middle or np.median)([series(other, "gradient_rms") for other in layers], axis=0)
    common = own(layers, series, layer) if own else common
    g = series(layer, "gradient_rms")
    base = scale_base(layers, series, s) if scale_base else start(s[:5])
    return {
        "scale": s < base / scale,
        "narrow": narrow * width < batch,
        "wide": width > wide * batch,
        "gradient": g < (gradient_base(g) if gradient_base else common) / gradient,
    }


def _answer(
    run,
    first=5,
    least=3,
    last=dict,
    pick=min,
    onset_of=None,
    too_few=8,
    kinds=KINDS,
    order=None,
    **rules,
):
    layers, steps, series = _tables(run, last)
    if len(steps) < too_few:
        return None
    found = []
    for rank, layer in enumerate(order(layers, run) if order else layers):
        bad = _bad(layers, series, layer, **rules)
        for place, kind in enumerate(kinds):
            flags = bad[kind].copy()
            flags[:first] = False
            i = (onset_of or _lasting)(flags)
            if i is not None and i <= len(steps) - least:
                found.append((steps[i], rank, place, layer, kind))
    if not found:
        return None
    step, _, _, layer, kind = pick(found)
    return {"layer": layer, "step": int(step), "kind": kind}


def _lasting(flags):
    good = np.flatnonzero(~flags)
    at = int(good[-1]) + 1 if len(good) else 0
    return at if at < len(flags) else None


@right("flags and the last good step")
def flags(run):
    return _answer(run)


@right("step by step, from the back, without NumPy")
def backwards(run):
    scalars = run["scalars"]
    names = ("scale", "gradient_rms", "input_low", "input_high", "batch_low", "batch_high")
    layers = sorted(t.rsplit("/", 1)[0] for t in scalars if t.rsplit("/", 1)[-1] == "scale")
    rows = {}
    for layer in layers:
        for name in names:
            for step, value in scalars[f"{layer}/{name}"]:
                rows.setdefault(step, {}).setdefault(layer, {})[name] = value
    steps = sorted(rows)
    if len(steps) < 8:
        return None

    def bad(layer, step, kind):
        row = rows[step][layer]
        width, batch = row["input_high"] - row["input_low"], row["batch_high"] - row["batch_low"]
        if kind == "scale":
            return row["scale"] < statistics.median(rows[s][layer]["scale"] for s in steps[:5]) / 4
        if kind == "gradient":
            return (
                row["gradient_rms"]
                < statistics.median(r["gradient_rms"] for r in rows[step].values()) / 100
            )
        return 2 * width < batch if kind == "narrow" else width > 4 * batch

    best = None
    for layer in layers:
        for kind in KINDS:
            i = len(steps)
            while i > 5 and bad(layer, steps[i - 1], kind):
                i -= 1
            if i <= len(steps) - 3 and (best is None or steps[i] < best["step"]):
                best = {"layer": layer, "step": steps[i], "kind": kind}
    return best


@right("one array of all layers")
def arrays(run):
    layers, steps, series = _tables(run)
    if len(steps) < 8:
        return None
    names = ("scale", "gradient_rms", "input_low", "input_high", "batch_low", "batch_high")
    s, g, a, b, c, d = (np.array([series(layer, name) for layer in layers]) for name in names)
    start = np.median(s[:, :5], axis=1, keepdims=True)
    width, batch = b - a, d - c
    bad = np.array(
        [s < start / 4, 2 * width < batch, width > 4 * batch, g < np.median(g, axis=0) / 100]
    )
    bad[:, :, :5] = False
    lasting = np.logical_and.accumulate(bad[:, :, ::-1], axis=2)[:, :, ::-1]
    length = lasting.sum(axis=2)
    if length.max() < 3:
        return None
    layer, kind = np.unravel_index(np.argmax(length.T), length.T.shape)
    return {"layer": layers[layer], "step": steps[-length[kind, layer]], "kind": KINDS[kind]}


@wrong("first-bad-step", "A spike is no collapse: it must last to the end of the run.")
def spike(run):
    return _answer(run, onset_of=lambda f: int(np.argmax(f)) if f.any() else None)


@wrong(
    "first-bad-step-if-bad-at-the-end", "The onset is the first step of the last unbroken stretch."
)
def first_ever(run):
    return _answer(run, onset_of=lambda f: int(np.argmax(f)) if f[-3:].all() else None)


@wrong("three-anywhere", "Three bad steps in a row are not enough: it must last to the end.")
def three(run):
    def onset(f):
        hits = [i for i in range(len(f) - 2) if f[i : i + 3].all()]
        return hits[0] if hits else None

    return _answer(run, onset_of=onset)


@wrong("last-step-alone", "A collapse lasts three steps or more.")
def one_is_enough(run):
    return _answer(run, least=1)


@wrong("four-steps", "Three steps are enough.", diagnose=False)
def four(run):
    return _answer(run, least=4)


@wrong("latest-onset", "The earliest onset is nearest to the cause.")
def latest(run):
    return _answer(run, pick=lambda found: max(found, key=lambda row: row[0]))


@wrong("first-layer", "The earliest onset counts, not the first layer.")
def by_layer(run):
    return _answer(run, pick=lambda found: min(found, key=lambda row: row[1:]))


@wrong("first-kind", "The earliest onset counts, not the first kind.")
def by_kind(run):
    return _answer(run, pick=lambda found: min(found, key=lambda row: (row[2], row[0], row[1])))


@wrong("ties-by-kind", "Among equal onsets the layer decides first, then the kind.")
def ties(run):
    return _answer(run, pick=lambda found: min(found, key=lambda row: (row[0], row[2], row[1])))


@wrong("ties-in-file-order", "Among equal onsets the layers come in alphabetical order.")
def file_order(run):
    def order(layers, run):
        return [t.removesuffix("/scale") for t in run["scalars"] if t.endswith("/scale")]

    return _answer(run, order=order)


@wrong(
    "ties-by-number",
    "Alphabetical order, as sorted() has it: layer10 comes before layer2.",
    diagnose=False,
)
def natural(run):
    return _answer(run, order=lambda layers, run: sorted(layers, key=lambda x: (len(x), x)))


@wrong(
    "kinds-alphabetical",
    "Among equal onsets of a layer the order of KINDS decides.",
    diagnose=False,
)
def alphabet(run):
    return _answer(run, kinds=tuple(sorted(KINDS)))


@wrong("first-steps-judged", "The first five steps are never bad.")
def from_start(run):
    return _answer(run, first=0)


@wrong("first-six-spared", "The sixth step is judged.", diagnose=False)
def six(run):
    return _answer(run, first=6)


@wrong(
    "first-value-for-start", "The start is the median of the first five scales, not the first one."
)
def first_value(run):
    return _answer(run, start=lambda s: s[0])


@wrong(
    "mean-for-start",
    "The start is the median of the first five scales, not their mean.",
    diagnose=False,
)
def mean_start(run):
    return _answer(run, start=np.mean)


@wrong(
    "scale-against-others", "A scale is compared with its own start: layers have different scales."
)
def others(run):
    return _answer(
        run,
        scale_base=lambda layers, series, s: np.median(
            [series(x, "scale") for x in layers], axis=0
        ),
    )


@wrong(
    "scale-against-last",
    "A scale is compared with its start, not with the step before.",
    diagnose=False,
)
def last_step(run):
    return _answer(run, scale_base=lambda layers, series, s: np.r_[s[0], s[:-1]])


@wrong(
    "gradient-against-start",
    "All gradients fade together: compare with the other layers at that step.",
)
def gradient_start(run):
    return _answer(run, gradient_base=lambda g: np.median(g[:5]))


@wrong("gradient-mean", "The median over the layers, not the mean.", diagnose=False)
def gradient_mean(run):
    return _answer(run, middle=np.mean)


@wrong("narrow-and-wide-swapped", "Narrow: the input range is below the batch's. Wide: far above.")
def swapped(run):
    found = _answer(run)
    other = {"narrow": "wide", "wide": "narrow"}
    return found and {**found, "kind": other.get(found["kind"], found["kind"])}


@wrong("high-ends-alone", "A range has two ends: high - low.")
def high_alone(run):
    return _answer(run, low_too=False)


@wrong(
    "half-of-the-start",
    "A scale below half of its start may be drift: the bound is a quarter.",
    diagnose=False,
)
def half(run):
    return _answer(run, scale=2.5)


@wrong(
    "narrow-at-once",
    "Ranges differ from the batch's by nature: narrow begins below half.",
    diagnose=False,
)
def narrow(run):
    return _answer(run, narrow=1.5)


@wrong(
    "wide-at-once",
    "Ranges differ from the batch's by nature: wide begins above four times.",
    diagnose=False,
)
def wide(run):
    return _answer(run, wide=2.5)


@wrong(
    "gradient-at-once",
    "Layers have different gradients: the bound is a hundredth of the median.",
    diagnose=False,
)
def gradient(run):
    return _answer(run, gradient=5)


@wrong(
    "bounds-included",
    "Below and above are strict: a value at the bound is not bad.",
    diagnose=False,
)
def included(run):
    return _answer(run, narrow=2 - 1e-9, wide=4 - 1e-9)


@wrong("first-value-of-a-step", "A restart repeats steps: the last value of a step counts.")
def first_kept(run):
    return _answer(run, last=lambda pairs: dict(reversed(pairs)))


@wrong(
    "names-cut-at-the-first-slash", "A layer's name may have slashes: cut the tag at the last one."
)
def first_slash(run):
    layers = sorted({t.split("/")[0] for t in run["scalars"] if t.endswith("/scale")})
    if any(f"{layer}/scale" not in run["scalars"] for layer in layers):
        return None
    return _answer(run)


@wrong("names-stripped", "Cut the tag's end, and nothing inside the layer's name.", diagnose=False)
def replaced(run):
    layers = [t.replace("scale", "").strip("/") for t in run["scalars"] if t.endswith("/scale")]
    if "" in layers:
        return None
    return _answer(run)


@wrong("index-for-step", "The step of the onset, not its place.")
def index(run):
    found, (_, steps, _) = _answer(run), _tables(run)
    return found and {**found, "step": steps.index(found["step"])}


@wrong("last-good-step", "The onset is the first bad step, not the last good one.")
def good(run):
    found, (_, steps, _) = _answer(run), _tables(run)
    return found and {**found, "step": steps[steps.index(found["step"]) - 1]}


@wrong("short-runs-judged", "Fewer than eight steps: None.", diagnose=False)
def short(run):
    return _answer(run, too_few=1, first=4)


@wrong("never-none", "Healthy runs must give None.")
def never(run):
    return _answer(run) or {"layer": "layer1", "step": 0, "kind": "scale"}


@wrong("always-none", "A collapse must be found.")
def always(run):
    return None


@wrong("one-layer-for-the-median", "The median takes all layers, this one too.")
def without_own(run):
    def others(layers, series, layer):
        return np.median([series(x, "gradient_rms") for x in layers if x != layer], axis=0)

    return _answer(run, own=others)
