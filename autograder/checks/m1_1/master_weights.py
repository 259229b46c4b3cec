"""master-weights: one SGD step on float32 master weights, with a float16 copy for the model."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import half

PARTS = {"step": 0.5, "small": 0.3, "overflow": 0.2}
HINTS = (
    "First line: gradient.astype(np.float32) / loss_scale. Everything after it is float32.",
    "If np.isfinite fails anywhere, the whole step is skipped.",
    "Return the float32 master as it is; only the second array is cast to float16.",
)


def _step(master, gradient, lr, loss_scale):
    """The new master in float64."""
    if not np.isfinite(gradient).all():
        return master.astype(np.float64)
    return master.astype(np.float64) - lr * (gradient.astype(np.float64) / loss_scale)


def _slack(master, new_master):
    """Four roundings of float32, at the larger of weight and step: they may cancel."""
    reach = np.abs(master).astype(np.float64) + np.abs(new_master - master)
    return 4 * float(np.finfo(np.float32).eps) * reach


def cases(rng):
    def one(label, part, shape, lr, loss_scale, spread=1.0):
        master = rng.normal(0, 1, shape).astype(np.float32)
        gradient = (spread * rng.normal(0, 1, shape)).astype(np.float16)
        # Where float32 rounding could tip a float16 tie, the weight stays where it is.
        new = _step(master, gradient, lr, loss_scale)
        near = half.near_tie(new, _slack(master, new))
        master = np.where(near, master.astype(np.float16).astype(np.float32), master)
        gradient = np.where(near, np.float16(0), gradient)
        inputs = {"master": master, "gradient": gradient, "lr": lr, "loss_scale": loss_scale}
        return case(label, part=part, **inputs)

    yield case(
        "one weight",
        part="step",
        master=np.float32([1.0]),
        gradient=np.float16([8.0]),
        lr=0.5,
        loss_scale=16.0,
    )
    yield one("no scaling", "step", 9, 0.1, 1.0)
    yield one("scale 1024", "step", (3, 7), 0.5, 1024.0, spread=100)
    yield one("scale 1000", "step", (2, 3, 4), 2.0, 1000.0, spread=300)
    yield one("a layer", "step", (96, 64), 0.25, 2.0**16, spread=2000)

    # lr * gradient is 2^-13 at weight 1.0, an eighth of float16's spacing there: exact in float32.
    small = {"master": np.float32([1.0, -1.0, 0.5]), "gradient": np.float16([2.0, -2.0, 2.0])}
    for label, lr, scale in (("", 2.0**-13, 2.0), (", scaled", 2.0**-2, 2.0**12)):
        label = f"200 updates of 2^-13{label}"
        yield case(label, part="small", **small, lr=lr, loss_scale=scale, steps=200)
    yield one("tiny after unscaling", "small", 33, 64.0, 2.0**20, spread=0.01)
    yield one("tiny learning rate", "small", 33, 1e-6, 1.0, spread=0.01)

    for name in ("inf", "-inf", "nan"):
        gradient = rng.normal(0, 1, 6).astype(np.float16)
        gradient[2] = float(name)
        master = rng.normal(0, 1, 6).astype(np.float32)
        inputs = {"master": master, "gradient": gradient, "lr": 0.1, "loss_scale": 8.0}
        yield case(f"{name} in the gradient", part="overflow", **inputs)
    full = np.full(300, 65504, np.float16)
    large = {"master": np.ones(300, np.float32), "gradient": full, "lr": 2.0**-15}
    yield case("large but finite", part="overflow", **large, loss_scale=2.0)
    largest = {"master": np.float32([1.0, 2.0]), "gradient": np.float16([-65504, 0.5])}
    yield case("the largest float16", part="overflow", **largest, lr=2.0**-15, loss_scale=2.0)


def probe(solution, master, gradient, lr, loss_scale, steps=1):
    for _ in range(steps - 1):
        master, _weights = solution(master, gradient, lr, loss_scale)
    result = solution(master, gradient, lr, loss_scale)
    first = result[0] if isinstance(result, (tuple, list)) and result else None
    shared = isinstance(first, np.ndarray) and np.shares_memory(first, master)
    return {"result": result, "shared": shared}


def judge(case, answer):
    master, weights = expect.sequence(answer["result"], ("new_master", "weights"))
    shape = case.master.shape
    expect.array(master, "new_master", shape=shape, dtype=np.float32)
    expect.array(weights, "weights", shape=shape, dtype=np.float16)
    want = case.master.astype(np.float64)
    for _ in range(case.inputs.get("steps", 1)):
        want = _step(want, case.gradient, case.lr, case.loss_scale)
    skipped = not np.isfinite(case.gradient).all()
    hint = "One value that is not finite: skip the whole step." if skipped else ""
    slack = _slack(case.master, want)
    expect.close(master, want, "new_master", atol=slack, rtol=0, hint=hint)
    expect.that(
        not answer["shared"],
        "`new_master` is the master that came in, not a copy of it.",
        yours="the same memory",
        right="master.copy()",
        hint="The next step in place would change both.",
    )
    with np.errstate(over="ignore"):
        rounded = want.astype(np.float16)
    hint = "weights is new_master rounded to float16, nothing else."
    expect.close(weights, rounded, "weights", rtol=0, hint=hint)
