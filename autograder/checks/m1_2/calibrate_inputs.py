"""calibrate-inputs: one observer for each linear layer's input, and a model left as it was."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"inputs": 0.5, "the model afterwards": 0.3, "bad input": 0.2}
HINTS = (
    "register_forward_pre_hook calls hook(module, args) before the layer runs; args[0] is its input.",
    "In a loop, bind the observer: lambda module, args, seen=observers[name]: seen.observe(args[0]).",
    "try ... finally: remove every handle and restore model.train(was_training) there.",
)
WIDTHS = {"plain": (6, 8, 8, 3), "residual": (5, 7, 7, 4), "bare": (5, 3, 3, 2)}


def _weights(rng, widths):
    sizes = zip(widths[1:], widths[:-1], strict=True)
    return [
        (rng.normal(0, 0.6, s).astype(np.float32), rng.normal(0, 0.3, s[0]).astype(np.float32))
        for s in sizes
    ]


def _case(rng, label, part, kind, rows, **more):
    layers = _weights(rng, WIDTHS[kind])
    batches = [rng.normal(0, 1, (n, WIDTHS[kind][0])).astype(np.float32) for n in rows]
    statistics = rng.uniform(0.5, 2, (2, WIDTHS[kind][1])).astype(np.float32)
    inputs = {"kind": kind, "layers": layers, "statistics": statistics, "batches": batches}
    return case(label, part, **inputs, **more)


def cases(rng):
    yield _case(rng, "three layers, one batch", "inputs", "plain", [9])
    yield _case(rng, "three layers, ragged batches", "inputs", "plain", [4, 1, 7])
    yield _case(rng, "a residual block", "inputs", "residual", [5, 6])
    yield _case(rng, "a layer used twice", "inputs", "residual", [3], twice=True)
    yield _case(rng, "a layer that no batch reaches", "inputs", "residual", [4], spare=True)
    yield _case(rng, "the model is one linear layer", "inputs", "bare", [4, 2])
    yield _case(rng, "hooks of another's", "the model afterwards", "plain", [4], hooked=True)
    yield _case(rng, "in training mode", "the model afterwards", "plain", [8, 8], training=True)
    yield _case(rng, "in eval mode", "the model afterwards", "plain", [8, 8])
    yield _case(
        rng,
        "a batch that fails",
        "the model afterwards",
        "plain",
        [4, 4],
        training=True,
        broken=True,
    )
    yield _case(rng, "no batches", "bad input", "plain", [])
    yield _case(rng, "no linear layers", "bad input", "plain", [4], without=True)


def probe(
    solution,
    kind,
    layers,
    statistics,
    batches,
    training=False,
    twice=False,
    broken=False,
    without=False,
    spare=False,
    hooked=False,
):
    import torch
    from torch import nn

    linears = []
    for weight, bias in layers:
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        linears.append(linear)
    norm = nn.BatchNorm1d(statistics.shape[1])
    norm.running_mean.copy_(torch.from_numpy(statistics[0]))
    norm.running_var.copy_(torch.from_numpy(statistics[1]))

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.block, self.head = linears
            self.norm = norm
            if spare:
                self.spare = nn.Linear(3, 3)

        def forward(self, x):
            x = torch.relu(self.norm(self.first(x)))
            x = x + self.block(x)
            return self.head(x + self.block(torch.tanh(x)) if twice else x)

    class Seen:
        def __init__(self):
            self.inputs, self.graphs = [], 0

        def observe(self, x):
            self.graphs += bool(x.requires_grad)
            self.inputs.append(x.detach().numpy().copy())

    if without:
        model = nn.Sequential(nn.ReLU(), nn.Tanh())
    elif kind == "residual":
        model = Residual()
    elif kind == "bare":
        model = linears[0]
    else:
        tail = nn.Sequential(linears[1], nn.ReLU(), nn.Dropout(0.5))
        model = nn.Sequential(linears[0], norm, nn.ReLU(), tail, linears[2])
    model.train(training)
    others = []
    if hooked:
        linears[0].register_forward_pre_hook(lambda module, args: others.append(1))
        linears[1].register_forward_hook(lambda module, args, out: others.append(1))
    given = [torch.from_numpy(b.copy()) for b in batches]
    if broken:
        given.append(torch.zeros(2, 99))
    out, observers = {"raised": None}, None
    # Dropout is drawn from this seed, so that a model left in training mode is recognised.
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        try:
            observers = solution(model, given, Seen)
        except NotImplementedError:
            raise
        except Exception as error:
            if not without and batches and not broken:
                raise
            kind_of_value = isinstance(error, ValueError)
            out["raised"] = "ValueError" if kind_of_value else type(error).__name__
        out["grad"] = torch.is_grad_enabled()
    out["came"] = type(observers).__name__ if observers is not None else None
    if isinstance(observers, dict):
        seen = {name: o for name, o in observers.items() if isinstance(o, Seen)}
        out["strange"] = [type(o).__name__ for o in observers.values() if not isinstance(o, Seen)]
        out["inputs"] = {name: o.inputs for name, o in seen.items()}
        out["graphs"] = sum(o.graphs for o in seen.values())
    out["batches"] = all(np.array_equal(g.numpy(), b) for g, b in zip(given, batches, strict=False))
    out["trainable"] = all(p.requires_grad for p in model.parameters())
    modules = list(model.modules())
    out["hooks"] = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)
    out["training"] = [m.training for m in modules]
    out["mean"] = norm.running_mean.numpy().copy()
    out["weights"] = [
        p.detach().numpy().copy() for linear in linears for p in (linear.weight, linear.bias)
    ]
    return out


def _want(case):
    """Each linear's inputs, computed in float64 without torch."""
    if case.kind == "bare":
        return {"": [batch.astype(np.float64) for batch in case.batches]}
    (w1, b1), (w2, b2), _ = [(w.astype(np.float64), b.astype(np.float64)) for w, b in case.layers]
    mean, var = case.statistics.astype(np.float64)
    names = ("first", "block", "head") if case.kind == "residual" else ("0", "3.0", "4")
    want = {name: [] for name in names}
    for batch in case.batches:
        x = batch.astype(np.float64)
        hidden = np.maximum(((x @ w1.T + b1) - mean) / np.sqrt(var + 1e-5), 0)
        want[names[0]].append(x)
        want[names[1]].append(hidden)
        if case.kind != "residual":
            want[names[2]].append(np.maximum(hidden @ w2.T + b2, 0))
            continue
        after = hidden + hidden @ w2.T + b2
        if case.inputs.get("twice"):
            want[names[1]].append(np.tanh(after))
            after = after + np.tanh(after) @ w2.T + b2
        want[names[2]].append(after)
    return want | ({"spare": []} if case.inputs.get("spare") else {})


def judge(case, answer):
    expect.mapping(answer, ("raised", "hooks", "training"))
    if not case.batches or case.inputs.get("without"):
        what = "No batches" if not case.batches else "A model without nn.Linear"
        expect.raised(
            answer, "ValueError", f"{what}: there is nothing to calibrate, raise ValueError."
        )
        return
    if not case.inputs.get("broken"):
        _inputs(answer, _want(case))
    else:
        expect.that(
            answer["raised"] == "RuntimeError",
            "The error of a batch of the wrong width is not passed on.",
            stage="edge",
            yours=f"raised {answer['raised']}" if answer["raised"] else "no error",
            right="the model's own RuntimeError",
            hint="Let the model's own error pass; only clean up behind it.",
        )
    if case.part == "the model afterwards":
        _untouched(case, answer)


def _inputs(answer, want):
    expect.that(
        "inputs" in answer,
        "Return a dict from each layer's name to its observer.",
        stage="type",
        yours=str(answer["came"] or expect.kind(None)),
        right="a dict",
    )
    expect.that(
        not answer["strange"],
        "The dict's values are the observers that make_observer gave.",
        stage="type",
        yours=", ".join(answer["strange"][:2]),
        right="observers",
    )
    yours = expect.mapping(answer["inputs"], tuple(want))
    extra = sorted(set(yours) - set(want))
    hint = "The names are those of model.named_modules(), nn.Linear only."
    expect.that(not extra, f"There is an observer too many: {extra[:1]}.", stage="type", hint=hint)
    for name, batches in want.items():
        expect.that(
            len(yours[name]) == len(batches),
            f"The observer of layer {name!r} saw the wrong number of inputs.",
            yours=str(len(yours[name])),
            right=str(len(batches)),
            hint="One observer for each layer, fed at every call of the layer.",
        )
        for k, (got, right) in enumerate(zip(yours[name], batches, strict=True)):
            # float32 sums of up to 8 products, through two layers and a norm.
            expect.close(got, right, f"input {k} of layer {name!r}", rtol=1e-4, atol=1e-4)
    expect.that(
        answer["graphs"] == 0,
        "The observers were fed tensors that carry a graph.",
        stage="edge",
        hint="Run the model under torch.no_grad().",
    )
    expect.that(answer["batches"], "Calibration changed a batch.", stage="mutation")


def _untouched(case, answer):
    others = 2 if case.inputs.get("hooked") else 0
    expect.that(
        answer["hooks"] >= others,
        "Hooks that were on the model before are gone.",
        stage="edge",
        yours=f"{answer['hooks']} hooks",
        right=f"{others} hooks",
        hint="Remove your own handles only.",
    )
    expect.that(
        answer["hooks"] == others,
        "Hooks are still attached to the model.",
        stage="edge",
        yours=f"{answer['hooks']} hooks",
        right=f"{others} hooks",
        hint="Remove every handle in a `finally` block.",
    )
    expect.that(
        answer["grad"],
        "Gradients are switched off for all that follows.",
        stage="edge",
        hint="`with torch.no_grad():` puts the switch back; set_grad_enabled(False) alone does not.",
    )
    expect.that(
        answer["trainable"],
        "The model's parameters no longer ask for gradients.",
        stage="edge",
        hint="Run under torch.no_grad(); requires_grad belongs to whoever trains the model.",
    )
    training = bool(case.inputs.get("training"))
    expect.that(
        all(flag == training for flag in answer["training"]),
        "The model's training flag is not what it was.",
        stage="edge",
        yours=str(answer["training"][0]),
        right=str(training),
    )
    expect.close(
        answer["mean"],
        case.statistics[0],
        "running_mean of the BatchNorm",
        rtol=0,
        hint="In training mode a BatchNorm learns from the batches: call model.eval() first.",
    )
    flat = [a for pair in case.layers for a in pair]
    same = all(np.array_equal(a, b) for a, b in zip(answer["weights"], flat, strict=True))
    expect.that(same, "Calibration changed the model's weights.", stage="mutation")
