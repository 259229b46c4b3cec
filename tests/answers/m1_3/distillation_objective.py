"""Answers to distillation-objective."""

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _guard(student, teacher, temperature, alpha):
    if student.config.vocab_size != teacher.config.vocab_size:
        raise ValueError("vocabularies")
    if student.config.num_labels != teacher.config.num_labels:
        raise ValueError("labels")
    if not temperature > 0 or not 0 <= alpha <= 1:
        raise ValueError("temperature or alpha")


def _objective(student, teacher, temperature=2.0, alpha=0.7, *, guard=True, square=True, turn=False,
               reduction="batchmean", hard_temperature=False, swap=False, kl_temperature=True,
               evaluate=True, detach=True, outer=False, pop=False, mse=False, late=False,
               hard_teacher=False):  # fmt: skip
    if guard:
        _guard(student, teacher, temperature, alpha)
    if evaluate:
        teacher.eval()

    def loss(model, batch):
        if late:
            _guard(student, teacher, temperature, alpha)
        inputs = {k: batch[k] for k in ("input_ids", "attention_mask")}
        with torch.set_grad_enabled(not detach):
            theirs = teacher(**inputs).logits
        ours = (student if outer else model)(**inputs).logits
        t = temperature if kl_temperature else 1.0
        a, b = (ours, theirs) if not turn else (theirs, ours)
        if mse:
            soft = F.mse_loss(ours / t, theirs / t)
        else:
            soft = F.kl_div(F.log_softmax(a / t, -1), F.softmax(b / t, -1), reduction=reduction)
        labels = batch.pop("labels") if pop else batch["labels"]
        if hard_teacher:
            labels = theirs.argmax(-1)
        hard = F.cross_entropy(ours / (temperature if hard_temperature else 1.0), labels)
        weight = 1 - alpha if swap else alpha
        return weight * (temperature**2 if square else 1.0) * soft + (1 - weight) * hard

    return loss


@right("F.kl_div")
def by_kl_div(student, teacher, temperature=2.0, alpha=0.7):
    return _objective(student, teacher, temperature, alpha)


@right("probabilities written out, labels through the model")
def written_out(student, teacher, temperature=2.0, alpha=0.7):
    for what in ("vocab_size", "num_labels"):
        if getattr(student.config, what) != getattr(teacher.config, what):
            raise ValueError(f"{what} differs")
    if not (temperature > 0 and alpha >= 0 and alpha <= 1):
        raise ValueError("out of range")
    teacher.eval()

    def loss(model, batch):
        with torch.inference_mode():
            z = teacher(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        out = model(**batch)
        p = torch.softmax(z.clone() / temperature, dim=1)
        logs = torch.log_softmax(z.clone() / temperature, dim=1)
        q = torch.log_softmax(out.logits / temperature, dim=1)
        soft = (p * (logs - q)).sum(1).mean()
        return alpha * soft * temperature * temperature + (1 - alpha) * out.loss

    return loss


@right("log targets")
def log_targets(student, teacher, temperature=2.0, alpha=0.7):
    _guard(student, teacher, temperature, alpha)

    def loss(model, batch):
        teacher.eval()
        inputs = {k: v for k, v in batch.items() if k != "labels"}
        with torch.no_grad():
            target = F.log_softmax(teacher(**inputs).logits / temperature, dim=-1)
        logits = model(**inputs).logits
        guess = F.log_softmax(logits / temperature, dim=-1)
        soft = F.kl_div(guess, target, reduction="sum", log_target=True) / len(logits)
        return alpha * temperature**2 * soft + (1 - alpha) * F.cross_entropy(
            logits, batch["labels"]
        )

    return loss


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(student, teacher, temperature=2.0, alpha=0.7):
        return _objective(student, teacher, temperature, alpha, **changes)

    return answer


no_square = _wrong("no-t-squared", "T squared is missing from the soft term.", square=False)
turned = _wrong("kl-turned", "KL is the wrong way round: teacher first.", turn=True)
mean = _wrong("kl-mean", 'reduction="mean" divides by the classes, too; use "batchmean".',
              reduction="mean")  # fmt: skip
summed = _wrong("kl-sum", "The soft term is summed over the batch; take the mean.", reduction="sum")
hard_t = _wrong("labels-with-temperature", "The labels' term uses the logits without temperature.",
                hard_temperature=True)  # fmt: skip
swapped = _wrong("alpha-swapped", "alpha weighs the soft targets, 1 - alpha the labels.", swap=True)
no_t = _wrong("no-temperature", "The softmax of the soft term is at temperature T.",
              kl_temperature=False)  # fmt: skip
training = _wrong("teacher-in-training", "The teacher must be in evaluation mode.", evaluate=False)
attached = _wrong("teacher-learns", "The teacher's weights got a gradient.", detach=False)
outer = _wrong("outer-student", "The loss is of the model that it is given, not of the outer student.",
               outer=True)  # fmt: skip
popped = _wrong("batch-changed", "The labels were taken out of the batch for good.", pop=True)
mse = _wrong(
    "mse-of-logits", "The soft term is KL of probabilities, not a squared difference.", mse=True
)
late = _wrong("refused-late", "Misfits must be refused at once, not when the loss is called.",
              guard=False, late=True)  # fmt: skip
unguarded = _wrong("no-refusal", "Other vocabularies or labels must raise ValueError.", guard=False)
teacher_labels = _wrong("teacher-labels", "The hard term uses the labels of the data, not the teacher's.",
                        hard_teacher=True)  # fmt: skip


def _around(name, sentence, before=None, after=None):
    @wrong(name, sentence)
    def answer(student, teacher, temperature=2.0, alpha=0.7):
        inner = _objective(student, teacher, temperature, alpha)

        def loss(model, batch):
            if before:
                before(student, teacher, model)
            value = inner(model, batch)
            if after:
                after(student, teacher, model)
            return value

        return loss

    return answer


back = _around("teacher-back-in-training", "The teacher stays in evaluation mode.",
               before=lambda s, t, m: t.eval(), after=lambda s, t, m: t.train())  # fmt: skip
named = _around("named-student-changed", "The named student is only looked at: leave its mode.",
                before=lambda s, t, m: s.eval())  # fmt: skip
model_mode = _around("mode-set-in-the-loss", "The mode of the model is the caller's business.",
                     before=lambda s, t, m: m.train())  # fmt: skip
grad_mode = _around("gradient-mode-left", "torch's gradient mode is another after the loss; use no_grad.",
                    after=lambda s, t, m: torch.set_grad_enabled(True))  # fmt: skip


@wrong("first-answer-kept", "The teacher answers anew for each batch; you kept its first answer.")
def first_kept(student, teacher, temperature=2.0, alpha=0.7):
    _guard(student, teacher, temperature, alpha)
    teacher.eval()
    kept = []

    def loss(model, batch):
        inputs = {k: batch[k] for k in ("input_ids", "attention_mask")}
        with torch.no_grad():
            kept.append(F.softmax(teacher(**inputs).logits / temperature, -1))
        logits = model(**inputs).logits
        rows = torch.arange(len(logits)) % len(kept[0])
        soft = F.kl_div(
            F.log_softmax(logits / temperature, -1), kept[0][rows], reduction="batchmean"
        )
        hard = F.cross_entropy(logits, batch["labels"])
        return alpha * temperature**2 * soft + (1 - alpha) * hard

    return loss


@wrong("smaller-vocabulary-accepted", "A teacher with a smaller vocabulary is another one, too.")
def larger_alone(student, teacher, temperature=2.0, alpha=0.7):
    if student.config.vocab_size < teacher.config.vocab_size:
        raise ValueError("vocabularies")
    if student.config.num_labels != teacher.config.num_labels:
        raise ValueError("labels")
    if not temperature > 0 or not 0 <= alpha <= 1:
        raise ValueError("temperature or alpha")
    return _objective(student, teacher, temperature, alpha, guard=False)


@wrong("alpha-nan-accepted", "NaN is neither below 0 nor above 1: test `not 0 <= alpha <= 1`.")
def alpha_nan(student, teacher, temperature=2.0, alpha=0.7):
    return _objective(student, teacher, temperature, alpha if alpha == alpha else 0.5)
