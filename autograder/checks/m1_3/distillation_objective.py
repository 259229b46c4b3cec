"""distillation-objective: value and gradient of the loss, the teacher left alone, misfits refused."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import tiny_bert

PARTS = {"value": 0.4, "gradient": 0.2, "models": 0.2, "refusals": 0.2}
BANK_SEEDS = 1
HINTS = (
    "F.kl_div(log_softmax(student / T), softmax(teacher / T), reduction='batchmean').",
    "alpha * T**2 * kl + (1 - alpha) * cross_entropy(logits, labels): labels without T.",
    "with torch.no_grad(): logits of the teacher; teacher.eval() once.",
    "Compare student.config.vocab_size with teacher.config.vocab_size before anything else.",
)
MISFITS = {
    "larger vocabulary": {"vocab_size": 44}, "smaller vocabulary": {"vocab_size": 36},
    "number of labels": {"num_labels": 3},
}  # fmt: skip


def cases(rng):
    def one(label, part, temperature=2.0, alpha=0.7, misfit="", size=0.8):
        config = tiny_bert.CONFIG | MISFITS.get(misfit, {})
        return case(label, part, student=tiny_bert.weights(rng, size), misfit=misfit,
                    teacher=tiny_bert.weights(rng, size, config), config=tiny_bert.CONFIG,
                    teacher_config=config, batch=tiny_bert.batch(rng, int(rng.integers(3, 7))),
                    second=tiny_bert.batch(rng, 5), temperature=temperature, alpha=alpha)  # fmt: skip

    yield one("temperature 2, alpha 0.7", "value")
    yield one("temperature 4, alpha 0.9", "value", 4.0, 0.9)
    yield one("temperature 1, alpha 0.5", "value", 1.0, 0.5)
    yield one("soft targets alone", "value", 3.0, 1.0)
    yield one("labels alone", "value", 3.0, 0.0)
    yield one("large logits", "value", 1.5, 0.6, size=3.0)
    yield one("temperature 2, alpha 0.7", "gradient")
    yield one("temperature 5, alpha 0.8", "gradient", 5.0, 0.8)
    yield one("temperature 2, alpha 0.7", "models")
    yield one("teacher of a larger vocabulary", "refusals", misfit="larger vocabulary")
    yield one("teacher of a smaller vocabulary", "refusals", misfit="smaller vocabulary")
    yield one("teacher with three labels", "refusals", misfit="number of labels")
    for temperature, alpha in (
        (0.0, 0.7),
        (-1.0, 0.7),
        (2.0, 1.2),
        (2.0, -0.1),
        (float("nan"), 0.7),
        (2.0, float("nan")),
    ):
        yield one(f"temperature {temperature}, alpha {alpha}", "refusals", temperature, alpha,
                  misfit="number")  # fmt: skip


def probe(
    solution, student, misfit, teacher, config, teacher_config, batch, second, temperature, alpha
):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    def build(state, settings):
        model = BertForSequenceClassification(BertConfig(**settings))
        tensors = {k: torch.from_numpy(v.copy()) for k, v in state.items()}
        model.load_state_dict(tensors, strict=False)
        return model.eval()

    pupil, master = build(student, config), build(teacher, teacher_config)
    if misfit:
        return refusal(lambda: solution(pupil, master, temperature, alpha))  # noqa: F821
    tensors = {k: torch.from_numpy(v) for k, v in batch.items()}
    before = {k: v.clone() for k, v in tensors.items()}
    # Both come in training mode; the loss is asked of another student than the named one.
    master.train()
    pupil.train()
    modes = []
    master.register_forward_pre_hook(lambda m, *rest: modes.append(m.training))
    loss_of = solution(pupil, master, temperature, alpha)
    twin = build(student, config).train()
    loss = loss_of(twin, tensors)
    found = {"type": type(loss).__name__, "shape": list(getattr(loss, "shape", [-1]))}
    if found["type"] != "Tensor" or found["shape"]:
        return found
    found["value"] = loss.item()
    if loss.requires_grad:
        loss.backward()
    found["gradient"] = {
        k: p.grad.numpy().copy() for k, p in twin.named_parameters() if p.grad is not None
    }
    found["teacher_gradients"] = sum(p.grad is not None for p in master.parameters())
    found["named_gradients"] = sum(p.grad is not None for p in pupil.parameters())
    found["teacher_modes"] = modes
    found["twin_training"] = twin.training
    found["mode_kept"] = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    twin.eval()
    with torch.no_grad():
        other = {k: torch.from_numpy(v) for k, v in second.items()}
        found["again"] = float(loss_of(twin, other))
        found["mode_kept"] &= not torch.is_grad_enabled()
    found["twin_training_again"] = twin.training
    found["others_training"] = [pupil.training, master.training]
    found["batch_kept"] = set(tensors) == set(before) and all(
        torch.equal(tensors[k], before[k]) for k in before
    )
    found["teacher"] = {k: p.detach().numpy() for k, p in master.named_parameters()}
    return found


def judge(case, answer):
    if case.misfit:
        return expect.raised(
            answer, "ValueError", f"{case.label.capitalize()}: raise ValueError at once."
        )
    found = expect.mapping(answer, ("type", "shape"))
    expect.that(found["type"] == "Tensor", "The loss must be a torch tensor.", stage="type",
                yours=found["type"], right="Tensor")  # fmt: skip
    expect.that(found["shape"] == [], "The loss must be a scalar.", stage="shape",
                yours=found["shape"], right="[]")  # fmt: skip
    loss, gradient = tiny_bert.distillation(
        case.student, case.teacher, case.batch, case.temperature, case.alpha
    )
    expect.number(found["value"], loss, "loss", rtol=1e-4, atol=1e-6,
                  cause=_cause(case, found["value"], loss), hint=HINTS[1])  # fmt: skip
    if case.part == "gradient":
        scale = max(float(np.abs(g).max()) for g in gradient.values())
        for name, want in gradient.items():
            got = found["gradient"].get(name)
            expect.that(got is not None, f"No gradient reaches the student's {name}.",
                        hint="Only the teacher's logits are taken without gradient.")  # fmt: skip
            expect.close(got, want, f"gradient of {name}", rtol=1e-3, atol=1e-4 * scale)
    elif case.part == "models":
        _models(case, found)
    return None


def _models(case, found):
    expect.that(not any(found["teacher_modes"]), "The teacher answers in training mode.",
                cause="Its dropout would make the soft targets noise.", hint=HINTS[2])  # fmt: skip
    expect.that(found["teacher_gradients"] == 0, "The teacher's weights get a gradient.",
                hint=HINTS[2])  # fmt: skip
    expect.that(found["named_gradients"] == 0 and found["gradient"],
                "The loss is not that of the model which it is given.",
                cause="It uses the student of the outer function.")  # fmt: skip
    expect.that(found["twin_training"] is True and found["twin_training_again"] is False,
                "The student's mode was changed.", hint="fine_tune sets the mode.")  # fmt: skip
    expect.that(found["others_training"] == [True, False],
                "The named student's mode was changed, or the teacher is back in training mode.",
                yours=f"training: {found['others_training']}", right="[True, False]",
                hint="teacher.eval() once; the student is only looked at.")  # fmt: skip
    expect.that(found["mode_kept"], "torch's gradient mode is another after the loss.",
                stage="mutation", hint="with torch.no_grad(): puts back what it found.")  # fmt: skip
    expect.that(found["batch_kept"], "The batch was changed.", stage="mutation",
                hint="batch.pop takes the labels away for the next epoch.")  # fmt: skip
    again, _ = tiny_bert.distillation(
        case.student, case.teacher, case.second, case.temperature, case.alpha
    )
    expect.number(found["again"], again, "loss of another batch", rtol=1e-4, atol=1e-6,
                  hint="The teacher answers anew for each batch.")  # fmt: skip
    for name, value in found["teacher"].items():
        expect.that(np.array_equal(value, case.teacher[name]), f"The teacher's {name} changed.")


def _cause(case, value, loss):
    one = {"student": case.student, "teacher": case.teacher, "one": case.batch}
    plain, _ = tiny_bert.distillation(**one, temperature=case.temperature, alpha=1.0)
    hard, _ = tiny_bert.distillation(**one, temperature=1.0, alpha=0.0)
    soft = plain / case.temperature**2
    for other, cause in (
        (case.alpha * soft + (1 - case.alpha) * hard, "T squared is missing."),
        (case.alpha * hard + (1 - case.alpha) * plain, "alpha weighs the soft targets."),
    ):
        if abs(other - value) <= 1e-4 * abs(other) and abs(other - loss) > 1e-3 * abs(loss):
            return cause
    return ""
