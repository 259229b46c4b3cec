"""fp8-delayed-scale: a scale from the amax of past steps, casts that saturate, overflow counted."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import fp8, kv

PARTS = {"scale": 0.4, "codes": 0.4, "edges": 0.2}
HINTS = (
    "The order: cast with the scale that is there, count, record amax, compute the next scale.",
    "new scale = fp8_max / max(history) / 2**margin; it multiplies x.",
    "Keep the last `history` amaxes: a list cut with [-history:], or a deque.",
)


class _Oracle:
    """float64, ml_dtypes for the rounding."""

    def __init__(self, fmt="e4m3", history=16, margin=0):
        self.fmt, self.keep, self.margin, self.past, self.scale = fmt, history, margin, [], 1.0

    def step(self, x):
        scaled = np.asarray(x, np.float64) * self.scale
        over = int((np.abs(scaled) > kv.TOP[self.fmt]).sum())
        codes = kv.rounded(scaled, self.fmt)
        self.past.append(float(np.abs(np.asarray(x, np.float64)).max()))
        largest = max(self.past[-self.keep :])
        if largest > 0:
            self.scale = kv.TOP[self.fmt] / largest / 2**self.margin
        return codes, over


def _steps(rng, sizes, config, shape=(6, 8), dtype=np.float32):
    """Tensors of these sizes with nothing near a tie, or near the largest value, of their step."""
    oracle, made = _Oracle(**config), []
    for size in sizes:
        x = (rng.standard_normal(shape) * size).astype(dtype)
        ratio = np.abs(x.astype(np.float64) * oracle.scale)
        top = kv.TOP[oracle.fmt]
        x[kv.near_tie(ratio, oracle.fmt) & (ratio < 1.02 * top)] = 0
        x[np.abs(ratio / top - 1) < 1e-3] = 0
        oracle.step(x)
        made.append(x)
    return made


def cases(rng):
    def run(label, part, sizes, config, **more):
        steps = _steps(rng, sizes, config, **more)
        return case(label, part=part, config=config, steps=steps)

    yield run("the defaults", "scale", [1, 3, 0.5], {})
    falling = [1, 300, 0.01, 5, 0.2, 0.1, 0.03, 0.5, 0.004, 2]
    for fmt in ("e4m3", "e5m2"):
        yield run(f"history 3, {fmt}", "scale", falling, {"fmt": fmt, "history": 3})
    yield run("history 1", "scale", falling, {"fmt": "e4m3", "history": 1})
    yield run("margin 3", "scale", falling, {"fmt": "e5m2", "history": 4, "margin": 3})
    yield run("18 steps, the first largest", "scale", [50, *[1] * 17], {})
    two = [np.array([1.5, -2.0], np.float32), np.array([1.0, 4.0], np.float32)]
    yield case("the example", part="codes", config={"history": 2}, steps=two)
    full = [np.array([4, 2], np.float32), np.array([4, -4, 1], np.float32)]
    yield case("exactly full is no overflow", part="codes", config={"history": 2}, steps=full)
    for fmt in ("e4m3", "e5m2"):
        config = {"fmt": fmt, "history": 4}
        middles = fp8.midpoints(fmt)
        middles = middles[(middles > 1e-3) & (middles < 400)]
        aside = np.stack([middles * (1 + 1e-4), middles * (1 - 1e-4)])
        yield case(
            f"close to ties, {fmt}", part="codes", config=config, steps=[aside.astype(np.float32)]
        )
        yield run(f"a jump, {fmt}", "codes", [1, 1.2, 40, 30, 1], config)
        loud = [rng.permutation([1e5, -1e5, 3e4, 500, -480, 70, 2]).astype(np.float32)]
        yield case(f"overflow at once, {fmt}", part="codes", config=config, steps=loud)
    config = {"fmt": "e4m3", "history": 4, "margin": 5}
    yield run("a jump within the margin", "codes", [1, 1.1, 20, 1], config)
    yield run("three axes", "codes", [1, 2], {"fmt": "e5m2"}, shape=(2, 3, 4))
    yield run("float16", "codes", [1e-4, 2e-4, 1e-4], {"history": 2}, dtype=np.float16)
    config = {"fmt": "e4m3", "history": 2}
    zeros = np.zeros((2, 2), np.float32)
    some = _steps(rng, [1], config)[0]
    yield case("zeros first", part="edges", config=config, steps=[zeros, zeros])
    later = [some, zeros, zeros, zeros]
    yield case("zeros after a while", part="edges", config=config, steps=later)
    yield run("zeros push an old amax out", "edges", [1, 0, 0.01, 0.02], config)
    small = [some * np.float32(2**-20), zeros[:0], np.full(3, np.nan, np.float32), some]
    yield case("refused steps", part="edges", config=config, steps=small)
    one = [some, np.array([1, np.inf], np.float32), np.array([-np.inf], np.float32), zeros]
    yield case("an infinity", part="edges", config=config, steps=one)
    for label, bad in (
        ("fmt int8", {"fmt": "int8"}),
        ("history 0", {"history": 0}),
        ("margin -1", {"margin": -1}),
    ):
        yield case(label, part="edges", config=bad, steps=[], refused=True)
    twin = {"fmt": "e4m3", "history": 3}
    yield case(
        "two at once", part="scale", config=twin, steps=_steps(rng, [1, 4, 2], twin), twin=True
    )


def probe(solution, config, steps, refused=False, twin=False):
    import torch

    if refused:
        return refusal(lambda: solution(**config))
    scaling = solution(**config)
    other = solution(**config) if twin else None
    out = [float(scaling.scale)]
    for x in steps:
        if other is not None:
            other.quantize(torch.from_numpy(x) * 1000)
        t = torch.from_numpy(x)
        if not t.numel() or not torch.isfinite(t).all():
            result = refusal(lambda t=t: scaling.quantize(t))
        else:
            result = scaling.quantize(t)
        out.append([result, float(scaling.scale)])
    return out


def judge(case, answer):
    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", f"Refuse this with a ValueError: {case.label}.")
    oracle = _Oracle(**case.config)
    expect.number(answer[0], 1.0, "scale at the start")
    name = "torch.float8_e4m3fn" if oracle.fmt == "e4m3" else "torch.float8_e5m2"
    for at, (x, (result, scale)) in enumerate(zip(case.steps, answer[1:], strict=True)):
        if not x.size or not np.isfinite(x).all():
            why = "Refuse a tensor that is empty or not finite with a ValueError."
            expect.raised(result, "ValueError", why)
        else:
            used = oracle.scale
            want, over = oracle.step(x)
            codes, overflowed = expect.sequence(result, ("codes", "overflowed"))
            codes = expect.tensor(codes, f"codes of step {at}", shape=x.shape, dtype=name)
            hint = f"At this step the scale is {used:.6g}."
            expect.codes(codes.astype(np.float64), want, f"codes of step {at}", hint=hint)
            expect.integer(overflowed, over, f"overflowed of step {at}", hint=hint)
        recent = ", ".join(f"{a:.4g}" for a in oracle.past[-4:])
        hint = f"The last amaxes were {recent}; history={oracle.keep}, margin={oracle.margin}."
        expect.number(scale, oracle.scale, f"scale after step {at}", hint=hint)
    return None
