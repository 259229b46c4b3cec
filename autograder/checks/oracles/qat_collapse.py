"""Runs of quantization-aware training with planted faults, and the lesson's rule applied to them.

The runs are series as a training logs them: drifting scales, ranges that follow the batches,
gradients that fade together, spikes. `verdict` reads the rule backwards from the last step.
"""

import statistics

QUANTITIES = ("scale", "gradient_rms", "input_low", "input_high", "batch_low", "batch_high")
KINDS = ("scale", "narrow", "wide", "gradient")


def drawn_run(rng, layers, steps, low=-0.5):
    """{layer: {quantity: list}} of a healthy run; nothing comes near a threshold."""
    count, run = len(steps), {}
    for layer in layers:
        start, top = float(rng.uniform(0.02, 0.3)), float(rng.uniform(1, 12))
        drift = float(rng.uniform(0.5, 1.6))
        gradient, fade = float(10 ** rng.uniform(-2.3, -1.7)), float(rng.uniform(20, 200))
        rows = {name: [] for name in QUANTITIES}
        for i in range(count):
            at = i / max(1, count - 1)
            wobble = [float(rng.uniform(0.9, 1.1)) for _ in range(4)]
            rows["scale"].append(start * drift**at * wobble[0])
            rows["gradient_rms"].append(gradient * fade**-at * wobble[1])
            reach = top * (1 + 2 * at)
            rows["input_low"].append(low)
            rows["input_high"].append(reach * wobble[2])
            rows["batch_low"].append(low)
            rows["batch_high"].append(reach * wobble[3])
        run[layer] = rows
    return run


def plant(rows, kind, begin, end=None):
    """Make one layer bad from index `begin` up to `end` (excluded; None: to the last step)."""
    end = len(rows["scale"]) if end is None else end
    for i in range(begin, end):
        if kind == "scale":
            rows["scale"][i] = 0.1 * statistics.median(rows["scale"][:5])
        elif kind == "narrow":
            rows["batch_high"][i] = 6 * rows["input_high"][i] + 3
        elif kind == "wide":
            rows["input_high"][i] = 9 * rows["batch_high"][i] + 6
        else:
            rows["gradient_rms"][i] = rows["gradient_rms"][i] * 1e-5
    return rows


def as_scalars(run, steps, loss=2.0):
    """As lab.event_runs.read_run gives it, with tags beside the six."""
    scalars = {"loss/train": [(s, loss) for s in steps]}
    for layer, rows in run.items():
        for name, values in rows.items():
            scalars[f"{layer}/{name}"] = list(zip(steps, values, strict=True))
        scalars[f"{layer}/clipped"] = [(s, 0.01) for s in steps]
    return {"scalars": scalars, "histograms": {}}


def verdict(run):
    """The rule of exercise find-collapse: None, or (layer, step, kind)."""
    tables = {}
    for tag, pairs in run["scalars"].items():
        layer, _, name = tag.rpartition("/")
        if name in QUANTITIES and f"{layer}/scale" in run["scalars"]:
            for step, value in pairs:
                tables.setdefault(layer, {}).setdefault(step, {})[name] = value
    steps = sorted({step for rows in tables.values() for step in rows})
    if len(steps) < 8:
        return None
    best = None
    for layer in sorted(tables, reverse=True):
        for kind in reversed(KINDS):
            onset = None
            for step in reversed(steps[5:]):
                if not _bad(tables, layer, steps, step, kind):
                    break
                onset = step
            lasting = onset is not None and steps.index(onset) <= len(steps) - 3
            if lasting and (best is None or onset <= best[1]):
                best = (layer, onset, kind)
    return best


def _bad(tables, layer, steps, step, kind):
    row = tables[layer][step]
    width, batch = row["input_high"] - row["input_low"], row["batch_high"] - row["batch_low"]
    if kind == "scale":
        return row["scale"] < statistics.median(tables[layer][s]["scale"] for s in steps[:5]) / 4
    if kind == "narrow":
        return 2 * width < batch
    if kind == "wide":
        return width > 4 * batch
    middle = statistics.median(rows[step]["gradient_rms"] for rows in tables.values())
    return row["gradient_rms"] < middle / 100
