"""qlora-adapter: LoRA beside a frozen base; outputs, gradients and steps in float64 by the chain rule."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"forward": 0.4, "frozen": 0.35, "merge": 0.15, "refuse": 0.1}
HINTS = (
    "super().__init__() first; self.base = base.requires_grad_(False).",
    "self.A = nn.Parameter(...) (rank, in), self.B = nn.Parameter(torch.zeros(out, rank)).",
    "base(x) + alpha / rank * (x @ self.A.T @ self.B.T): works for any leading dimensions.",
    "merge: a new tensor, weight + alpha / rank * (B @ A), inside torch.no_grad().",
)
# A float32 product of up to 300 terms of size 1, added in any order.
RTOL, ATOL = 2e-5, 2e-5


def cases(rng):
    yield _case(rng, "a square layer", "forward", 8, 8, 2, 4, (5,))
    yield _case(rng, "more inputs than outputs", "forward", 24, 10, 4, 16, (6,))
    yield _case(rng, "a batch of sequences", "forward", 12, 20, 3, 6, (2, 5))
    yield _case(rng, "one vector", "forward", 7, 5, 2, 2, ())
    yield _case(rng, "with a bias", "forward", 9, 6, 2, 5, (4,), bias=True)
    yield _case(rng, "rank 1", "forward", 16, 11, 1, 8, (3,))
    yield _case(rng, "a rank above both widths", "forward", 4, 3, 8, 1, (5,))
    yield _case(rng, "alpha 0.5", "forward", 10, 10, 4, 0.5, (5,))
    yield _case(rng, "a base without a float weight", "forward", 16, 8, 2, 4, (6,), packed=True)
    yield _case(rng, "256 x 300", "forward", 256, 300, 16, 32, (8,), bias=True)
    yield _case(rng, "training steps", "frozen", 12, 9, 3, 6, (7,), steps=4)
    yield _case(rng, "with a bias, steps", "frozen", 9, 14, 2, 8, (2, 3), bias=True, steps=3)
    yield _case(rng, "a 4-bit base, steps", "frozen", 16, 8, 2, 4, (6,), packed=True, steps=3)
    yield _case(rng, "weight decay", "frozen", 10, 6, 2, 4, (5,), bias=True, steps=3, decay=0.1)
    yield _case(rng, "a square layer, merged", "merge", 8, 8, 2, 4, (5,))
    yield _case(rng, "merged, alpha 3", "merge", 20, 7, 4, 3, (5,), bias=True)
    yield _case(rng, "merged into another weight", "merge", 16, 8, 2, 4, (6,), packed=True)
    for rank in (0, -1):
        yield _case(rng, f"rank {rank}", "refuse", 6, 4, rank, 4, (2,), good=False)


def _case(rng, label, part, wide, tall, rank, alpha, lead, **more):
    def draw(*shape):
        return rng.normal(0, 1, shape).astype(np.float32)

    kept = {"bias": False, "packed": False, "steps": 0, "decay": 0.0, "good": True, **more}
    bias = draw(tall) if kept.pop("bias") else None
    r = max(rank, 1)
    return case(
        label,
        part,
        weight=draw(tall, wide),
        bias=bias,
        rank=rank,
        alpha=alpha,
        a=draw(r, wide),
        b=draw(tall, r),
        x=draw(*lead, wide),
        slope=draw(*lead, tall),
        **kept,
    )


def probe(solution, weight, bias, rank, alpha, a, b, x, slope, packed, steps, decay, good):
    import torch
    from torch import nn

    class Packed(nn.Module):
        """A base that holds no float weight under that name, like a 4-bit layer."""

        def __init__(self):
            super().__init__()
            self.out_features, self.in_features = weight.shape
            self.register_buffer("codes", torch.tensor(weight.copy()).view(torch.int32))

        def forward(self, x):
            return x @ self.codes.view(torch.float32).T

    def make():
        if packed:
            return Packed()
        base = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        with torch.no_grad():
            base.weight.copy_(torch.tensor(weight))
            if bias is not None:
                base.bias.copy_(torch.tensor(bias))
        return base

    def state(base):
        return {name: t.detach().clone().numpy() for name, t in base.state_dict().items()}

    torch.manual_seed(5)
    if not good:
        try:
            solution(make(), rank, alpha)
        except NotImplementedError:
            raise
        except Exception as error:
            return {"raised": type(error).__name__}
        return {"raised": None}
    base = make()
    layer = solution(base, rank, alpha)
    out = {
        "trained": sorted(n for n, p in layer.named_parameters() if p.requires_grad),
        "same_base": layer.base is base,
        "A": layer.A.detach().clone(),
        "B": layer.B.detach().clone(),
        "parameters": isinstance(layer.A, nn.Parameter) and isinstance(layer.B, nn.Parameter),
    }
    wide = solution(nn.Linear(400, 30), 64, 1)
    again = solution(nn.Linear(400, 30), 64, 1)
    out["wide"] = wide.A
    out["drawn_anew"] = bool((wide.A != again.A).any())
    inputs = torch.tensor(x)
    with torch.no_grad():
        out["start"] = layer(inputs)
        layer.A.copy_(torch.tensor(a))
        layer.B.copy_(torch.tensor(b))
        out["output"] = layer(inputs)
        layer.eval()
        out["repeated"] = layer(inputs)
        layer.train()
    tracked = inputs.clone().requires_grad_(True)
    (layer(tracked) * torch.tensor(slope)).sum().backward()
    out["grad_A"], out["grad_B"], out["grad_x"] = layer.A.grad, layer.B.grad, tracked.grad
    out["base_grads"] = sum(p.grad is not None for p in base.parameters())
    other = torch.tensor(weight) * 0.5 + 1
    kept = other.clone()
    try:
        out["merged"] = layer.merge(other)
        blank = torch.zeros(30, 400)  # for an adapter with B = 0
        fresh = wide.merge(blank)
    except NotImplementedError:  # forward is judged without it
        out["merged"], fresh = "missing", None
    out["merge_tracks"] = bool(getattr(out["merged"], "requires_grad", False))
    out["merge_returns_it"] = (
        isinstance(fresh, torch.Tensor) and fresh.data_ptr() == blank.data_ptr()
    )
    out["merge_changes"] = not torch.equal(other, kept)
    with torch.no_grad():
        out["after_merge"] = layer(inputs)
    layer.zero_grad()
    before = state(base)
    # Every parameter of the layer, as optimizers are often given: frozen ones have no gradient.
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01, weight_decay=decay)
    for _ in range(steps):
        optimizer.zero_grad()
        (layer(inputs) ** 2).mean().backward()
        optimizer.step()
    after = state(base)
    out["base_changed"] = sorted(n for n in before if before[n].tobytes() != after[n].tobytes())
    out["A_after"], out["B_after"] = layer.A, layer.B
    return out


def judge(case, answer):
    if not case.good:
        expect.raised(answer, "ValueError", f"rank={case.rank} is no rank: raise ValueError.")
        return
    _start(case, answer)
    a, b = case.a.astype(np.float64), case.b.astype(np.float64)
    want = _forward(case, a, b)
    cause = "base(x) + alpha / rank * (x @ A.T @ B.T)"
    _close(answer["output"], want, "layer(x)", cause)
    _close(answer["repeated"], want, "layer(x), after layer.eval()", cause)
    if case.part in ("forward", "frozen"):
        _gradients(case, answer, a, b)
    if case.part == "frozen":
        _frozen(case, answer, a, b)
    if case.part == "merge":
        _merge(case, answer, a, b, want)


def _close(value, want, name, hint):
    got = expect.tensor(value, name, shape=want.shape, dtype="torch.float32")
    size = max(1.0, float(np.abs(want).max()))
    expect.close(got, want, name, rtol=RTOL, atol=ATOL * size, hint=hint)


def _forward(case, a, b):
    x, weight = case.x.astype(np.float64), case.weight.astype(np.float64)
    bias = 0 if case.bias is None else case.bias.astype(np.float64)
    return x @ weight.T + bias + case.alpha / case.rank * (x @ a.T @ b.T)


def _start(case, answer):
    tall, wide = case.weight.shape
    expect.that(bool(answer["same_base"]), "`base` must be the module given, not a copy.")
    expect.that(
        bool(answer["parameters"]),
        "`A` and `B` must be nn.Parameter: else no optimizer finds them.",
        stage="type",
    )
    expect.that(
        answer["trained"] == ["A", "B"],
        "Only A and B may require a gradient.",
        yours=answer["trained"],
        right="['A', 'B']",
        hint="base.requires_grad_(False) freezes weight and bias.",
    )
    start = expect.tensor(answer["A"], "A", shape=(case.rank, wide), dtype="torch.float32")
    zero = expect.tensor(answer["B"], "B", shape=(tall, case.rank), dtype="torch.float32")
    expect.that(bool((zero == 0).all()), "`B` must start at zero.", yours=zero.flat[0], right="0")
    bound = 1 / np.sqrt(wide)
    inside = bool((np.abs(start) <= bound * (1 + 1e-6)).all()) and bool((start != 0).any())
    expect.that(
        inside,
        "`A` must start uniform in [-b, b], b = 1 / sqrt(in_features), and not at zero.",
        yours=f"largest |A| {np.abs(start).max():.4g}",
        right=f"b = {bound:.4g}",
    )
    sample = expect.tensor(answer["wide"], "A", shape=(64, 400)) * 20  # 25,600 draws, b = 1/20
    # Standard error of the mean 0.0036, of the standard deviation 0.0016: five of each.
    good = abs(sample.mean()) < 0.018 and abs(sample.std() - 1 / np.sqrt(3)) < 0.008
    expect.that(
        bool(good and np.abs(sample).max() <= 1 + 1e-6 and answer["drawn_anew"]),
        "`A` is not uniform in [-b, b], b = 1 / sqrt(in_features), drawn anew for each layer.",
        yours=f"mean {sample.mean():.3g} b, standard deviation {sample.std():.3g} b",
        right="mean 0, standard deviation 0.577 b",
    )
    base = _forward(case, np.zeros_like(case.a), case.b.astype(np.float64))
    _close(answer["start"], base, "the first output", "With B = 0 it is that of the base.")


def _gradients(case, answer, a, b):
    x, g = (v.astype(np.float64).reshape(-1, v.shape[-1]) for v in (case.x, case.slope))
    scale = case.alpha / case.rank
    expect.that(answer["base_grads"] == 0, "A frozen parameter of the base got a gradient.")
    _close(answer["grad_A"], scale * (g @ b).T @ x, "A.grad", "The product must be tracked.")
    _close(answer["grad_B"], scale * g.T @ (x @ a.T), "B.grad", "The product must be tracked.")
    whole = case.weight.astype(np.float64) + scale * b @ a
    hint = "Layers below are trained too: the base's product passes gradients on to x."
    _close(answer["grad_x"], (g @ whole).reshape(case.x.shape), "x.grad", hint)


def _frozen(case, answer, a, b):
    expect.that(
        not answer["base_changed"],
        f"Training changed the base: {', '.join(map(str, answer['base_changed']))}.",
        hint="Freeze weight and bias; write to neither in forward or merge.",
    )
    x = case.x.astype(np.float64).reshape(-1, case.x.shape[-1])
    scale = case.alpha / case.rank
    for _ in range(case.steps):
        y = _forward(case, a, b).reshape(-1, case.weight.shape[0])
        g = 2 * y / y.size
        step_a = scale * (g @ b).T @ x + case.decay * a
        step_b = scale * g.T @ (x @ a.T) + case.decay * b
        a, b = a - 0.01 * step_a, b - 0.01 * step_b
    _close(answer["A_after"], a, "A after the steps", "Gradients must reach A.")
    _close(answer["B_after"], b, "B after the steps", "Gradients must reach B.")


def _merge(case, answer, a, b, output):
    other = case.weight.astype(np.float64) * 0.5 + 1
    want = other + case.alpha / case.rank * b @ a
    if answer["merged"] == "missing":
        expect.wrong("error", "`merge` is not written yet.")
    _close(answer["merged"], want, "merge(weight)", "weight + alpha / rank * (B @ A)")
    expect.that(not answer["merge_tracks"], "`merge` must return a tensor without gradient.")
    expect.that(
        not answer["merge_returns_it"],
        "`merge` returns its argument while B is 0; return a new tensor.",
        stage="mutation",
    )
    expect.that(
        not answer["merge_changes"],
        "`merge` changes its argument; return a new tensor.",
        stage="mutation",
    )
    _close(
        answer["after_merge"], output, "layer(x) after merge", "merge must not change the layer."
    )
