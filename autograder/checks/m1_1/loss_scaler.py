"""loss-scaler: a loss scale that backs off at an overflow and grows after good steps.

The oracle is torch.amp's own arithmetic: torch._amp_update_scale_ and
torch._amp_foreach_non_finite_check_and_unscale_, which GradScaler calls.
"""

import numpy as np

from autograder.checks import case, expect

PARTS = {"update": 0.4, "unscale": 0.4, "limits": 0.2}
HINTS = (
    "Keep two numbers: the scale, and how many good steps in a row there were.",
    "update(True): back off and set the count to 0. update(False): count, and grow at the interval.",
    "unscale: cast to float32 first. np.isfinite knows infinities and NaN; look at every array.",
)


def _config(scale, interval, grow=2.0, back=0.5):
    return {
        "init_scale": scale,
        "growth_factor": grow,
        "backoff_factor": back,
        "growth_interval": interval,
    }


def _half(rng, *shape):
    return rng.normal(0, 1, shape).astype(np.float16)


def cases(rng):
    yield from _update_cases(rng)
    yield from _unscale_cases(rng)
    yield case("below 1", part="limits", config=_config(2.0, 5), events=[True] * 6)
    calm = [False] * 4
    yield case("no growth past float32", part="limits", config=_config(2.0**126, 1), events=calm)
    jump = _config(2.0**120, 2, grow=2.0**10)
    yield case("a jump past float32", part="limits", config=jump, events=calm + [True] + calm)


def _update_cases(rng):
    few = [False] * 7
    yield case("no overflow", part="update", config=_config(8.0, 3), events=few)
    yield case("one overflow", part="update", config=_config(8.0, 3), events=[True])
    mixed = [False, False, True, False, False, True, False, False, False, False]
    yield case("an overflow resets the count", part="update", config=_config(64.0, 3), events=mixed)
    late = [False, False, True, True, False, False, False, False, False, False, True]
    yield case("two in a row", part="update", config=_config(1024.0, 3), events=late)
    yield case("interval 1", part="update", config=_config(4.0, 1), events=[False, True, False])
    other = _config(16.0, 2, grow=4.0, back=0.25)
    yield case("other factors", part="update", config=other, events=mixed)
    odd = _config(5.0, 2, grow=3.0, back=0.5)
    yield case("growth by 3", part="update", config=odd, events=[False] * 4 + [True] + [False] * 2)
    events = [False] * 2000 + [True, False]
    yield case("the defaults", part="update", config={}, events=events)
    for share, interval in ((0.1, 5), (0.3, 2), (0.03, 9)):
        events = [bool(x) for x in rng.random(120) < share]
        label = f"random, {share:.0%} overflow"
        yield case(label, part="update", config=_config(2.0**16, interval), events=events)
    config = _config(32.0, 2)
    yield case("beside a second scaler", part="update", config=config, events=mixed, twin=True)
    config = _config(256.0, 1)
    losses = [1.5, 0.0, np.float32(0.25)]
    yield case("scale_loss", part="update", config=config, events=[False, False], losses=losses)
    yield case("scale_loss of a tensor", part="update", config=config, events=[], tensor=True)


def _unscale_cases(rng):
    def one(label, scale, *arrays):
        return case(label, part="unscale", config=_config(scale, 3), grads=list(arrays))

    yield one("one array", 4.0, np.float16([0.5, -2.0, 0.0]))
    yield one("tiny after unscaling", 2.0**16, np.float16([1e-3, 6e-8, -2.0, 1e-6]))
    yield one("a large scale", 2.0**24, _half(rng, 3, 4), _half(rng, 5))
    yield one("scale 1000", 1000.0, _half(rng, 17), _half(rng, 2, 2, 3))
    yield one("float32 gradients", 2.0**10, rng.normal(0, 1e-6, 9).astype(np.float32))
    for name in ("inf", "-inf", "nan"):
        yield one(f"{name} in the last array", 8.0, _half(rng, 4), np.float16([1, float(name)]))
        yield one(
            f"{name} in the first array", 8.0, np.float16([[float(name)], [1]]), _half(rng, 3)
        )
    yield one("large but finite", 2.0, np.full(300, 65504, np.float16), _half(rng, 2))
    yield one("the largest float16", 2.0, np.float16([-65504, 0.5]))
    yield one("large float32, finite", 2.0, np.float32([3e38, 3e38]), np.float32([-3e38, -3e38]))
    loop = []
    for _ in range(40):
        arrays = [_half(rng, 6), _half(rng, 2, 3)]
        if rng.random() < 0.25:
            arrays[rng.integers(2)].flat[rng.integers(6)] = rng.choice([np.inf, -np.inf, np.nan])
        loop.append(arrays)
    yield case("a training loop", part="unscale", config=_config(2.0**12, 3), loop=loop)


def probe(solution, config, events=(), losses=(), grads=None, loop=(), tensor=False, twin=False):
    scaler = solution(**config)
    other = solution(init_scale=3.0, growth_interval=1) if twin else None
    out = {"start": scaler.scale, "scales": [], "scaled": [], "loop": []}
    for event in events:
        scaler.update(event)
        if other is not None:
            other.update(not event)
        out["scales"].append(scaler.scale)
    out["scaled"] = [scaler.scale_loss(loss) for loss in losses]
    if tensor:
        import torch

        weight = torch.tensor(3.0, requires_grad=True)
        loss = scaler.scale_loss(weight * 2)
        out["is_tensor"] = isinstance(loss, torch.Tensor)
        if out["is_tensor"]:
            loss.backward()
            out["slope"] = float(weight.grad)
    if grads is not None:
        out["unscaled"] = scaler.unscale(grads)
    for arrays in loop:
        found = scaler.unscale(arrays)[1]
        scaler.update(found)
        out["loop"].append([found, scaler.scale])
    out["end"] = scaler.scale
    return out


class _Torch:
    """The scale as torch.amp keeps it: float32, with its own update."""

    def __init__(
        self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
    ):
        import torch

        self.torch = torch
        self.state = torch.tensor(float(init_scale)), torch.zeros((), dtype=torch.int32)
        self.rule = growth_factor, backoff_factor, growth_interval

    @property
    def scale(self) -> float:
        return float(self.state[0])

    def update(self, found: bool) -> float:
        self.torch._amp_update_scale_(*self.state, self.torch.tensor(float(found)), *self.rule)
        return self.scale

    def found(self, arrays: list[np.ndarray]) -> bool:
        tensors = [self.torch.tensor(a.astype(np.float32)) for a in arrays]
        flag = self.torch.zeros(())
        self.torch._amp_foreach_non_finite_check_and_unscale_(tensors, flag, self.torch.ones(()))
        return bool(flag)


def judge(case, answer):
    reference = _Torch(**case.config)
    inputs = case.inputs
    expect.number(answer["start"], reference.scale, "scale at the start")
    events = inputs.get("events", ())
    for step, (event, yours) in enumerate(zip(events, answer["scales"], strict=True)):
        hint = (
            "Another scaler is alive here: keep the state in self."
            if case.inputs.get("twin")
            else ""
        )
        _scale(yours, reference.update(event), step, events[: step + 1], hint)
    for loss, yours in zip(inputs.get("losses", ()), answer["scaled"], strict=True):
        expect.number(yours, float(loss) * reference.scale, f"scale_loss({float(loss)})")
    if inputs.get("tensor"):
        expect.that(
            answer["is_tensor"],
            "scale_loss of a torch tensor must give a tensor, or backward cannot start from it.",
            stage="type",
            yours="something else",
            right="a torch tensor",
        )
        expect.number(answer["slope"], 2 * reference.scale, "gradient of the scaled loss")
    if "grads" in inputs:
        _unscaled(case, answer, reference)
    found = []
    for step, (arrays, pair) in enumerate(zip(inputs.get("loop", ()), answer["loop"], strict=True)):
        found.append(reference.found(arrays))
        _flag(pair[0], found[-1], f"found_inf of step {step}")
        _scale(pair[1], reference.update(found[-1]), step, found)


def _scale(yours, want, step, events, more="") -> None:
    recent = ", ".join("overflow" if e else "good" for e in events[-4:])
    hint = f"The last steps were: {recent}." if len(events) <= 4 else f"The last four: {recent}."
    expect.number(yours, want, f"scale after update {step}", hint=f"{hint} {more}".strip())


def _flag(yours, want: bool, name: str) -> None:
    if not isinstance(yours, (bool, int, float)) or yours not in (0, 1):
        expect.wrong("type", f"`{name}` must be a bool.", yours=expect.kind(yours), right="a bool")
    expect.that(
        bool(yours) == want,
        f"`{name}` is off.",
        yours=bool(yours),
        right=want,
        hint="True as soon as one value of one array is infinite or NaN, and only then.",
    )


def _unscaled(case, answer, reference) -> None:
    grads, found = expect.sequence(answer["unscaled"], ("grads", "found_inf"))
    want_found = reference.found(case.grads)
    if not isinstance(grads, (list, tuple)) or len(grads) != len(case.grads):
        expect.wrong(
            "type",
            "`grads` must be a list with one array for each that came in.",
            yours=f"{len(grads)} arrays"
            if isinstance(grads, (list, tuple))
            else expect.kind(grads),
            right=f"{len(case.grads)} arrays",
        )
    for index, (yours, given) in enumerate(zip(grads, case.grads, strict=True)):
        name = f"grads[{index}]"
        expect.array(yours, name, shape=given.shape, dtype=np.float32)
        if not want_found:
            want = given.astype(np.float64) / reference.scale
            expect.close(yours, want, name, hint="Cast to float32 before you divide by the scale.")
    _flag(found, want_found, "found_inf")
    hint = "unscale only reads the scale; update changes it."
    expect.number(answer["end"], reference.scale, "scale after unscale", hint=hint)
