"""distil-student: the loop, replayed in float64 on the same models with torch's own parts."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"training": 0.45, "the teacher": 0.25, "modes": 0.15, "bad input": 0.15}
HINTS = (
    "modes = student.training, teacher.training; student.train(); teacher.eval(); then try ... finally.",
    "with torch.no_grad(): answers = teacher(x)",
    "One torch.optim.Adam(student.parameters(), lr=learning_rate), made once, before the loop.",
    "losses.append(loss.item()), in the order of the batches.",
)
RTOL = 1e-8
WIDTHS = {"student": (7, 5), "teacher": (7, 9)}


def _case(rng, label, part, steps, temperature=3.0, alpha=1.0, learning_rate=0.01, **more):
    classes = 4
    # No bias before the batch norm: its gradient is 0 but for rounding, which Adam blows up to steps.
    state = {}
    for name, (wide, inner) in WIDTHS.items():
        state[name] = {
            "0.weight": rng.normal(0, 0.5, (inner, wide)),
            "1.weight": rng.uniform(0.5, 1.5, inner),
            "1.bias": rng.normal(0, 0.1, inner),
            "1.running_mean": rng.normal(0, 0.3, inner),
            "1.running_var": rng.uniform(0.5, 2, inner),
            "4.weight": rng.normal(0, 1.0, (classes, inner)),
            "4.bias": rng.normal(0, 0.1, classes),
        }
    batches = [
        (rng.normal(0.5, 1, (6 + k % 3, 7)), rng.integers(classes, size=6 + k % 3))
        for k in range(steps)
    ]
    kept = {
        "modes": (False, False),
        "teacher_dropout": 0.0,
        "student_dropout": 0.0,
        "spoilt": "",
        **more,
    }
    return case(
        label, part, state=state, batches=batches, temperature=temperature, alpha=alpha,
        learning_rate=learning_rate, **kept,
    )  # fmt: skip


def cases(rng):
    yield _case(rng, "one step", "training", 1)
    yield _case(rng, "three steps, a student in training mode", "training", 3, modes=(True, False))
    yield _case(rng, "alpha 0.4, T 2", "training", 4, 2.0, 0.4)
    yield _case(rng, "labels alone", "training", 3, 2.0, 0.0)
    yield _case(rng, "12 small steps", "training", 12, learning_rate=1e-3)
    yield _case(rng, "T 8, 6 steps", "training", 6, 8.0, 0.9)
    yield _case(rng, "a teacher in training mode", "the teacher", 3, modes=(False, True))
    yield _case(
        rng, "a teacher with dropout", "the teacher", 4, modes=(True, True), teacher_dropout=0.5
    )
    yield _case(rng, "a teacher with gradients of its own", "the teacher", 2, modes=(True, True))
    for modes in ((False, True), (True, False)):
        yield _case(rng, f"training flags {modes}", "modes", 2, modes=modes)
    yield _case(rng, "a student with dropout 1", "modes", 2, student_dropout=1.0)
    yield _case(rng, "no batches", "bad input", 0)
    for modes in ((False, True), (True, False)):
        yield _case(
            rng,
            f"an input of NaN, training flags {modes}",
            "bad input",
            4,
            modes=modes,
            spoilt="nan",
        )
    endless = _case(rng, "an infinite loss", "bad input", 2, 1.0, modes=(True, False), spoilt="inf")
    endless.inputs["state"]["student"]["4.bias"] = np.array([1.5e308, -1.5e308, 0.0, 0.0])
    for _, labels in endless.inputs["batches"]:
        labels[:] = 0
    yield endless
    yield _case(rng, "a label out of range", "bad input", 3, modes=(False, True), spoilt="label")


def probe(
    solution, state, batches, temperature, alpha, learning_rate, modes, teacher_dropout,
    student_dropout, spoilt,
):  # fmt: skip
    import torch
    from torch import nn

    def make(name, dropout):
        weights = {k: torch.tensor(v) for k, v in state[name].items()}
        inner, wide = weights["0.weight"].shape
        net = nn.Sequential(
            nn.Linear(wide, inner, bias=False), nn.BatchNorm1d(inner), nn.Tanh(), nn.Dropout(dropout),
            nn.Linear(inner, len(weights["4.bias"])),
        )  # fmt: skip
        net = net.double()
        net.load_state_dict(weights, strict=False)
        return net

    def values(net):
        return {k: v.detach().clone() for k, v in net.state_dict().items()}

    student, teacher = make("student", student_dropout), make("teacher", teacher_dropout)
    student.train(modes[0])
    teacher.train(modes[1])
    for parameter in teacher.parameters():
        parameter.grad = torch.full_like(parameter, 0.25)
    before = values(teacher)
    given = [(torch.tensor(x), torch.tensor(y)) for x, y in batches]
    if spoilt == "nan":
        given[2][0][0, 0] = float("nan")
    if spoilt == "label":
        given[1][1][0] = 9
    pairs = [(x.clone(), y.clone()) for x, y in given]
    calls = []
    teacher.register_forward_hook(lambda _net, _args, output: calls.append(output.requires_grad))
    out = {"raised": None, "losses": None}
    try:
        out["losses"] = solution(student, teacher, given, temperature, alpha, learning_rate)
    except NotImplementedError:
        raise
    except ValueError:
        if not spoilt and batches:
            raise
        out["raised"] = "ValueError"
    except Exception as error:
        if not spoilt and batches:
            raise
        out["raised"] = type(error).__name__
    out["mode_kept"] = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    out["batches_same"] = len(given) == len(pairs) and all(
        torch.equal(x.nan_to_num(), was.nan_to_num()) and torch.equal(y, labels)
        for (x, y), (was, labels) in zip(given, pairs, strict=True)
    )
    after = values(teacher)
    out["student"] = {k: v.numpy() for k, v in values(student).items()}
    out["teacher_same"] = all(torch.equal(before[k], after[k]) for k in before)
    out["grads_same"] = all(
        p.grad is not None and bool((p.grad == 0.25).all()) for p in teacher.parameters()
    )
    out["flags_same"] = all(p.requires_grad for p in teacher.parameters())
    out["modes"] = [
        all(m.training == modes[k] for m in net.modules())
        for k, net in enumerate((student, teacher))
    ]
    out["graph_kept"] = any(calls)
    return out


def _replay(case, steps=None):
    """Losses and the student's state: the same modules in float64, torch's kl_div and Adam."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    nets = {}
    for name, (wide, inner) in WIDTHS.items():
        dropout = case.student_dropout if name == "student" else 0.0
        layers = (
            nn.Linear(wide, inner, bias=False),
            nn.BatchNorm1d(inner),
            nn.Tanh(),
            nn.Dropout(dropout),
        )
        nets[name] = nn.Sequential(*layers, nn.Linear(inner, 4)).double()
        weights = {k: torch.tensor(v) for k, v in case.state[name].items()}
        nets[name].load_state_dict(weights, strict=False)
    student, teacher = nets["student"].train(), nets["teacher"].eval()
    optimizer = torch.optim.Adam(student.parameters(), lr=case.learning_rate)
    losses = []
    for x, y in case.batches[:steps]:
        x, y, T = torch.tensor(x), torch.tensor(y), case.temperature
        with torch.no_grad():
            p = (teacher(x) / T).softmax(1)
        logits = student(x)
        soft = F.kl_div((logits / T).log_softmax(1), p, reduction="batchmean")
        loss = case.alpha * T * T * soft + (1 - case.alpha) * F.nll_loss(logits.log_softmax(1), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, {k: v.numpy() for k, v in student.state_dict().items()}


def judge(case, answer):
    expect.mapping(answer, ("losses", "student"))
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        _modes(answer)
        if case.spoilt:
            taken = {"nan": 2, "label": 1, "inf": 0}[case.spoilt]
            _weights(
                answer, _replay(case, taken)[1], "after the refused batch", ("running", "tracked")
            )
        return
    losses, state = _replay(case)
    got = expect.sequence(answer["losses"], tuple(f"loss {k}" for k in range(len(losses))))
    for k, (yours, right) in enumerate(zip(got, losses, strict=True)):
        expect.number(
            yours, right, f"loss {k}", rtol=RTOL, hint="kd_loss of the batch, before its step."
        )
    _weights(answer, state, "after the last step")
    expect.that(
        answer["teacher_same"],
        "The teacher changed: a parameter or a batch-norm statistic.",
        stage="mutation",
        hint="teacher.eval(), and an optimizer over the student's parameters alone.",
    )
    expect.that(
        answer["grads_same"] and answer["flags_same"],
        "The teacher's gradients or requires_grad flags were touched.",
        stage="mutation",
        hint="torch.no_grad() around its call is enough.",
    )
    expect.that(
        not answer["graph_kept"],
        "The teacher's answers carry a gradient: its activations are stored for nothing.",
        hint="with torch.no_grad(): answers = teacher(x)",
    )
    _modes(answer)


def _modes(answer):
    expect.that(
        answer["mode_kept"],
        "torch's gradient mode is another after your function: later code runs with it.",
        stage="mutation",
        hint="with torch.no_grad(): puts back what it found; set_grad_enabled does not.",
    )
    expect.that(answer["batches_same"], "`batches` was changed.", stage="mutation")
    for name, good in zip(("student", "teacher"), answer["modes"], strict=True):
        expect.that(
            bool(good),
            f"The {name} is not in the mode (training or evaluation) it was in before.",
            stage="edge",
            hint="try: ... finally: net.train(was_training)",
        )


def _weights(answer, state, when, passed_over=()):
    for name, right in state.items():
        if any(word in name for word in passed_over):
            continue
        yours = expect.array(answer["student"].get(name), f"student {name}", shape=right.shape)
        expect.close(
            yours, right, f"the student's {name} {when}", rtol=RTOL, atol=1e-9,
            hint="training mode, one Adam for all batches, one step each, in order.",
        )  # fmt: skip
