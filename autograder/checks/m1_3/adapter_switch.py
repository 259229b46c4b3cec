"""adapter-switch: a script of calls on one layer; outputs and weights in float64, FLOPs counted."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lora

PARTS = {"forward": 0.35, "merge": 0.3, "unmerge": 0.15, "refuse": 0.2}
HINTS = (
    "add: self.adapters[name] = (A.detach().clone(), B.detach().clone(), alpha / A.shape[0]).",
    "forward: y = self.base(x); return y when self.active is None or self.merged.",
    "merge: keep a clone of base.weight, then add scaling * (B @ A) inside torch.no_grad().",
    "unmerge: self.base.weight.copy_(self.kept) inside torch.no_grad(); subtraction leaves other bits.",
)
# A float32 product of up to 100 terms of size 1, added in any order.
RTOL = 2e-5


def _case(
    rng, label, part, script, wide=12, tall=9, bias=True, lead=(5,), ranks=(2, 3), alphas=(4.0, 1.5)
):
    def draw(*shape):
        return rng.normal(0, 1, shape).astype(np.float32)

    adapters = {
        name: (draw(r, wide), draw(tall, r), alpha)
        for name, r, alpha in zip(("one", "two"), ranks, alphas, strict=True)
    }
    return case(
        label, part, weight=draw(tall, wide), bias=draw(tall) if bias else None, x=draw(*lead, wide),
        adapters=adapters, script=script,
    )  # fmt: skip


def cases(rng):
    yield _case(rng, "nothing active", "forward", ["run"])
    yield _case(rng, "one active", "forward", ["on one", "run"])
    yield _case(rng, "the other active", "forward", ["on two", "run"], bias=False)
    yield _case(
        rng,
        "switched to and fro",
        "forward",
        ["on one", "run", "on two", "run", "on one", "run", "off", "run"],
    )
    yield _case(rng, "a batch of sequences", "forward", ["on two", "run"], lead=(2, 4))
    yield _case(rng, "one vector", "forward", ["on one", "run"], lead=())
    yield _case(
        rng, "a square layer", "forward", ["on one", "run", "on two", "run"], 8, 8, ranks=(8, 1)
    )
    for first in ("on one", "off"):
        yield _case(rng, f"gradients by x, {first}", "forward", [first, "slope"])
    yield _case(rng, "the caller changes its tensors", "forward", ["spoil", "on one", "run"])
    yield _case(rng, "merged", "merge", ["on one", "merge", "run"])
    yield _case(
        rng,
        "merged, a batch of sequences",
        "merge",
        ["on two", "merge", "run"],
        64,
        48,
        True,
        (2, 3),
    )
    yield _case(
        rng,
        "merged, evaluated, trained",
        "merge",
        ["on one", "merge", "eval", "run", "train", "run"],
    )
    yield _case(rng, "an add while merged", "merge", ["on one", "merge", "add three", "run"])
    yield _case(rng, "merged and unmerged", "unmerge", ["on one", "merge", "unmerge", "run"])
    often = ["on one", "merge", "unmerge", "on two", "merge", "unmerge"] * 4
    yield _case(rng, "8 merges", "unmerge", [*often, "run", "off", "run"], 40, 32)
    twice = ["on one", "merge", "unmerge", "on two", "merge", "run", "unmerge", "off", "run"]
    other = ["on one", "merge", "twin", "run", "unmerge", "run", "untwin"]
    yield _case(rng, "two layers, merged at once", "unmerge", other)
    yield _case(rng, "merge, unmerge, switch, merge", "unmerge", twice)
    for label, script in (
        ("an unknown name", ["on one", "! on nobody", "run"]),
        ("a switch while merged", ["on one", "merge", "! on two", "run"]),
        ("activate again while merged", ["on one", "merge", "! on one", "run"]),
        ("off while merged", ["on one", "merge", "! off", "run"]),
        ("merge with none active", ["! merge", "run"]),
        ("merge twice", ["on one", "merge", "! merge", "run", "unmerge", "run"]),
        ("unmerge, nothing merged", ["on one", "! unmerge", "run"]),
        ("unmerge twice", ["on one", "merge", "unmerge", "! unmerge", "run"]),
        ("a name that is taken", ["! add one", "on one", "run"]),
        ("A too narrow", ["! narrow", "! on new", "run"]),
        ("B too short", ["! short", "! on new", "run"]),
        ("ranks that differ", ["! ranks", "! on new", "run"]),
    ):
        yield _case(rng, label, "refuse", script)


def probe(solution, weight, bias, x, adapters, script):
    import torch
    from torch import nn
    from torch.utils.flop_counter import FlopCounterMode

    base = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    with torch.no_grad():
        base.weight.copy_(torch.tensor(weight))
        if bias is not None:
            base.bias.copy_(torch.tensor(bias))
    layer = solution(base)
    out = {
        "steps": [],
        "base_same": layer.base is base,
        "start": [layer.active, bool(layer.merged)],
    }
    given = {n: (torch.tensor(a), torch.tensor(b), alpha) for n, (a, b, alpha) in adapters.items()}
    for name, (a, b, alpha) in given.items():
        layer.add(name, a, b, alpha)
    one = given["one"]
    twins = []

    def twin():
        """A second layer with adapters of the same names, merged."""
        second = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        second.weight.data.copy_(torch.tensor(weight / 2))
        twins.append((solution(second), second, second.weight.detach().clone()))
        for name, (a, b, alpha) in given.items():
            twins[0][0].add(name, 2 * a, b, alpha)
        twins[0][0].activate("one")
        twins[0][0].merge()

    def do(word):
        if word.startswith("on "):
            layer.activate(word[3:])
        elif word == "off":
            layer.activate(None)
        elif word.startswith("add "):
            layer.add(word[4:], one[0] * 3, one[1], 1.0)
        elif word == "narrow":
            layer.add("new", one[0][:, :-1], one[1], 1.0)
        elif word == "short":
            layer.add("new", one[0], one[1][:-1], 1.0)
        elif word == "ranks":
            layer.add("new", one[0], one[1][:, :-1], 1.0)
        elif word == "spoil":
            for a, b, _ in given.values():
                a.zero_()
                b.add_(1.0)
        elif word == "twin":
            twin()
        elif word in ("eval", "train"):
            layer.train(word == "train")
        else:
            getattr(layer, word)()

    for word in script:
        record = {"word": word, "raised": None}
        if word == "run":
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                record["y"] = layer(torch.tensor(x))
            record["flops"] = int(counter.get_total_flops())
        elif word == "slope":
            leaf = torch.tensor(x).requires_grad_()
            y = layer(leaf)
            if y.requires_grad:
                y.sum().backward()
            record["by_x"] = leaf.grad
        elif word == "untwin":
            twins[0][0].unmerge()
            record["twin_same"] = bool(torch.equal(twins[0][1].weight, twins[0][2]))
        elif word.startswith("! "):
            record.update(refusal(lambda word=word: do(word[2:])))  # noqa: F821
        else:
            do(word)
        record["weight"] = base.weight.detach().numpy().copy()
        record["active"], record["merged"] = layer.active, bool(layer.merged)
        out["steps"].append(record)
    out["frozen"] = not any(p.requires_grad for p in base.parameters())
    return out


def judge(case, answer):
    expect.mapping(answer, ("steps", "base_same"))
    expect.that(bool(answer["base_same"]), "`base` must be the module given, not a copy.")
    expect.that(
        list(answer["start"]) == [None, False], "At first active is None and merged False.",
        yours=answer["start"], right="[None, False]",
    )  # fmt: skip
    expect.that(bool(answer["frozen"]), "The base asks for gradients: freeze it.")
    active, merged = None, False
    for place, step in enumerate(answer["steps"]):
        word = step["word"]
        done = ", ".join(case.script[: place + 1][-4:])
        if word.startswith("! "):
            expect.raised(step, "ValueError", f"{case.label}: raise ValueError.")
        elif word.startswith("on "):
            active = word[3:]
        elif word == "off":
            active = None
        elif word in ("merge", "unmerge"):
            merged = word == "merge"
        _state(case, step, active, merged, done)
        if word == "slope":
            _slope(case, step, active)
        expect.that(step.get("twin_same", True), "A second layer does not get its own weight back.",
                    cause="What belongs to one layer is kept for all.",
                    hint="self.kept, not a name outside of the object.")  # fmt: skip
        if word == "run":
            _output(case, step, active, merged, done)


def _state(case, step, active, merged, done):
    expect.that(
        step["active"] == active and step["merged"] == merged,
        f"After {done}: `active` or `merged` is wrong.",
        stage="edge",
        yours=f"{step['active']}, {step['merged']}",
        right=f"{active}, {merged}",
    )
    if not merged:
        same = step["weight"].tobytes() == case.weight.tobytes()
        expect.that(
            same,
            f"After {done}: base.weight has other bits than at the start.",
            yours=f"{int((step['weight'] != case.weight).sum())} weights differ",
            right="none",
            hint="Keep a clone of the weight when you merge, and copy it back.",
        )
        return
    want = case.weight + lora.update(*case.adapters[active])
    size = max(1.0, float(np.abs(want).max()))
    expect.close(
        step["weight"], want, "base.weight when merged", rtol=RTOL, atol=2e-6 * size,
        hint="W0 + alpha / rank * B @ A.",
    )  # fmt: skip


def _slope(case, step, active):
    """Gradient of the sum of all outputs by x."""
    delta = 0.0 if active is None else lora.update(*case.adapters[active])
    want = np.broadcast_to((case.weight + delta).sum(0), case.x.shape)
    expect.that(step["by_x"] is not None, "No gradient reaches x: layers below could not learn.",
                hint="no_grad belongs into merge and unmerge, not into forward.")  # fmt: skip
    got = expect.tensor(step["by_x"], "the gradient by x", shape=want.shape)
    size = max(1.0, float(np.abs(want).max()))
    expect.close(got, want, "the gradient by x", rtol=RTOL, atol=RTOL * size)


def _output(case, step, active, merged, done):
    delta = 0.0 if active is None else lora.update(*case.adapters[active])
    want = lora.output(case.x, case.weight, case.bias, delta)
    y = expect.tensor(step["y"], "layer(x)", shape=want.shape, dtype="torch.float32")
    size = max(1.0, float(np.abs(want).max()))
    expect.close(y, want, f"layer(x) after {done}", rtol=RTOL, atol=RTOL * size)
    tall, wide = case.weight.shape
    base_flops = 2 * tall * wide * int(np.prod(case.x.shape[:-1]))
    if active is None or merged:
        expect.that(
            step["flops"] <= base_flops,
            "More is computed than the base's product: merged must cost nothing extra.",
            yours=f"{step['flops']} FLOPs",
            right=f"{base_flops}",
            hint="Return base(x) before the adapter's products.",
        )
