"""Answers to distil-student."""

import copy

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def kd_loss(student_logits, teacher_logits, labels, temperature=4.0, alpha=0.5):
    classes = student_logits.shape[-1]
    if student_logits.shape != teacher_logits.shape or student_logits.dim() != 2:
        raise ValueError("shapes")
    if labels.shape != student_logits.shape[:1] or not len(labels):
        raise ValueError("labels")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError("labels")
    if not (0 < temperature < float("inf") and 0 <= alpha <= 1):
        raise ValueError("temperature or alpha")
    soft_student = F.log_softmax(student_logits / temperature, dim=-1)
    soft_teacher = F.log_softmax(teacher_logits.detach() / temperature, dim=-1)
    soft = F.kl_div(soft_student, soft_teacher, reduction="batchmean", log_target=True)
    hard = F.cross_entropy(student_logits, labels)
    return alpha * temperature**2 * soft + (1 - alpha) * hard


def _distil(
    student,
    teacher,
    batches,
    temperature=4.0,
    alpha=1.0,
    learning_rate=2e-3,
    *,
    loss_of=kd_loss,
    make=torch.optim.Adam,
    leaves=lambda student, teacher: student.parameters(),
    student_mode=True,
    teacher_mode=False,
    restore=(True, True),
    restore_after_error=True,
    grad=False,
    fresh=False,
    zero=True,
    finite=True,
    empty=True,
    note="before",
    take=lambda batches: batches,
):
    if empty and not batches:
        raise ValueError("no batches")
    modes = student.training, teacher.training
    if student_mode is not None:
        student.train(student_mode)
    if teacher_mode is not None:
        teacher.train(teacher_mode)
    optimizer = make(leaves(student, teacher), lr=learning_rate)
    losses, whole = [], False
    try:
        for x, labels in take(batches):
            with torch.set_grad_enabled(grad):
                answers = teacher(x)
            loss = loss_of(student(x), answers, labels, temperature, alpha)
            if finite and not torch.isfinite(loss):
                raise ValueError("the loss is not finite")
            if fresh:
                optimizer = make(leaves(student, teacher), lr=learning_rate)
            if zero:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss if note == "tensor" else loss.item())
        whole = True
    finally:
        if whole or restore_after_error:
            if restore[0]:
                student.train(modes[0])
            if restore[1]:
                teacher.train(modes[1])
    return losses


@right("Adam over the student, modes restored in finally")
def by_finally(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    return _distil(student, teacher, batches, temperature, alpha, learning_rate)


@right("a frozen copy of the teacher")
def by_copy(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    if len(batches) < 1:
        raise ValueError("nothing to learn from")
    frozen = copy.deepcopy(teacher).eval().requires_grad_(False)
    was = student.training
    student.train()
    adam = torch.optim.Adam(list(student.parameters()), lr=learning_rate, foreach=False)
    losses = ()
    try:
        for x, labels in batches:
            with torch.inference_mode():
                answers = frozen(x)
            adam.zero_grad(set_to_none=False)
            loss = kd_loss(student(x), answers.clone(), labels, temperature, alpha)
            if loss.isnan() or loss.isinf():
                raise ValueError("loss")
            losses += (float(loss),)
            loss.backward()
            adam.step()
    finally:
        student.train(was)
    return losses


@right("Adam written out, answers computed beforehand")
def by_hand(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    if not batches:
        raise ValueError("no batches")
    modes = teacher.training, student.training
    teacher.eval()
    try:
        with torch.no_grad():
            answers = [teacher(x) for x, _ in batches]
        student.train()
        leaves = list(student.parameters())
        m, v = ([torch.zeros_like(p) for p in leaves] for _ in range(2))
        losses = []
        for k, ((x, y), z) in enumerate(zip(batches, answers, strict=True), 1):
            loss = kd_loss(student(x), z, y, temperature, alpha)
            if not bool(torch.isfinite(loss)):
                raise ValueError("not finite")
            losses.append(loss.item())
            grads = torch.autograd.grad(loss, leaves)
            with torch.no_grad():
                for i, (p, g) in enumerate(zip(leaves, grads, strict=True)):
                    m[i] = 0.9 * m[i] + 0.1 * g
                    v[i] = 0.999 * v[i] + 0.001 * g**2
                    down = (v[i] / (1 - 0.999**k)).sqrt() + 1e-8
                    p -= learning_rate * m[i] / (1 - 0.9**k) / down
    finally:
        teacher.train(modes[0])
        student.train(modes[1])
    return losses


def _wrong(name, sentence, diagnose=True, **bends):
    def answer(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
        return _distil(student, teacher, batches, temperature, alpha, learning_rate, **bends)

    answer.__name__ = name.replace("-", "_")
    return wrong(name, sentence, diagnose=diagnose)(answer)


teacher_in_training_mode = _wrong(
    "teacher-in-training-mode",
    "Your teacher answers in training mode: its dropout is on and its batch norm moves.",
    diagnose=False,
    teacher_mode=True,
)
teacher_mode_left = _wrong(
    "teacher-mode-left",
    "You leave the teacher in the mode it came in; it must answer in evaluation mode.",
    diagnose=False,
    teacher_mode=None,
)
student_in_evaluation_mode = _wrong(
    "student-in-evaluation-mode",
    "Your student learns in evaluation mode: no dropout, and batch norm never learns.",
    student_mode=False,
)
student_mode_left = _wrong(
    "student-mode-left",
    "You leave the student in the mode it came in; it learns in training mode.",
    student_mode=None,
)
teacher_left_in_evaluation = _wrong(
    "teacher-left-in-evaluation",
    "Your teacher stays in evaluation mode; put it back as it was.",
    restore=(True, False),
)
student_left_in_training = _wrong(
    "student-left-in-training",
    "Your student stays in training mode; put it back as it was.",
    restore=(False, True),
)
modes_lost_on_errors = _wrong(
    "modes-lost-on-errors",
    "After an error the modes are not restored; use try ... finally.",
    restore_after_error=False,
)
gradients_for_the_teacher = _wrong(
    "gradients-for-the-teacher",
    "You run the teacher with gradients: memory for nothing. Use torch.no_grad().",
    grad=True,
)
teacher_trained = _wrong(
    "teacher-trained",
    "Your optimizer holds the teacher's parameters too, and moves or clears them.",
    leaves=lambda s, t: [*s.parameters(), *t.parameters()],
)
gradients_added_up = _wrong(
    "gradients-added-up",
    "You never call zero_grad: gradients of old batches are added to the new ones.",
    zero=False,
)
optimizer_made_anew = _wrong(
    "optimizer-made-anew",
    "You make a new optimizer for each batch, and Adam's moments are lost.",
    fresh=True,
)
sgd = _wrong("sgd", "You use plain SGD; asked is Adam.", make=torch.optim.SGD)
adamw = _wrong(
    "adamw", "You use AdamW, whose weight decay pulls weights to 0; asked is Adam.",
    make=torch.optim.AdamW,
)  # fmt: skip
head_only = _wrong(
    "last-layer-only",
    "You train the last layer alone; all of the student learns.",
    leaves=lambda s, t: list(s.parameters())[-2:],
)
losses_with_graph = _wrong(
    "losses-as-tensors",
    "You return tensors with their graphs; return numbers: loss.item().",
    note="tensor",
)
nan_accepted = _wrong(
    "nan-loss-accepted",
    "You go on with a loss that is NaN: all weights become NaN. Raise ValueError.",
    finite=False,
)
no_batches = _wrong(
    "no-batches-accepted", "Without batches you return in silence; raise ValueError.", empty=False
)
first_only = _wrong("first-batch-only", "You train on the first batch only.", take=lambda b: b[:1])
reversed_order = _wrong(
    "reversed-order", "You take the batches in another order.", take=lambda b: b[::-1]
)
twice = _wrong("two-epochs", "You pass over the batches twice.", take=lambda b: list(b) * 2)
labels_only = _wrong(
    "labels-only", "You train on the labels; the loss is your kd_loss with the teacher's answers.",
    loss_of=lambda s, t, y, T, a: F.cross_entropy(s, y),
)  # fmt: skip


def _swapped(s, t, y, temperature, alpha):
    log_q, log_p = ((z / temperature).log_softmax(1) for z in (s, t))
    soft = F.kl_div(log_p, log_q, reduction="batchmean", log_target=True)
    return alpha * temperature**2 * soft + (1 - alpha) * F.cross_entropy(s, y)


arguments_swapped = _wrong(
    "arguments-swapped",
    "You call kd_loss with teacher and student swapped: the divergence is the wrong way round.",
    loss_of=_swapped,
)
defaults_used = _wrong(
    "settings-ignored",
    "You call kd_loss without the temperature and alpha given.",
    loss_of=lambda s, t, y, T, a: kd_loss(s, t, y),
)


@wrong("losses-after-the-step", "You note each loss after its step; asked is before.")
def late(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    if not batches:
        raise ValueError("no batches")
    after = []
    settings = (temperature, alpha)
    probe = copy.deepcopy(teacher).eval()
    optimizer = torch.optim.Adam(student.parameters(), lr=learning_rate)
    modes = student.training
    student.train()
    try:
        for x, y in batches:
            with torch.no_grad():
                answers = probe(x)
            loss = kd_loss(student(x), answers, y, *settings)
            if not torch.isfinite(loss):
                raise ValueError("loss")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            after.append(kd_loss(student.eval()(x), answers, y, *settings).item())
            student.train()
    finally:
        student.train(modes)
    return after


@wrong("teacher-frozen-for-good", "You set the teacher's requires_grad to False and leave it so.")
def frozen(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    teacher.requires_grad_(False)
    return _distil(student, teacher, batches, temperature, alpha, learning_rate)


@wrong("step-before-the-test", "You test the loss after the step, when the weights are spoilt.")
def tested_late(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    losses = _distil(student, teacher, batches, temperature, alpha, learning_rate, finite=False)
    if not all(abs(value) < float("inf") for value in losses):
        raise ValueError("the loss is not finite")
    return losses


@wrong("nothing-returned", "You return nothing; the loss of each batch is asked.")
def nothing(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    _distil(student, teacher, batches, temperature, alpha, learning_rate)


@wrong("infinity-accepted", "You test for NaN alone; an infinite loss spoils the weights as well.")
def infinity(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    def loss_of(*given):
        loss = kd_loss(*given)
        if torch.isnan(loss):
            raise ValueError("not a number")
        return loss

    return _distil(
        student, teacher, batches, temperature, alpha, learning_rate, finite=False, loss_of=loss_of
    )


@wrong("batches-used-up", "You empty the caller's list of batches; a second epoch finds none.")
def used_up(student, teacher, batches, temperature=4.0, alpha=1.0, learning_rate=2e-3):
    losses = _distil(student, teacher, batches, temperature, alpha, learning_rate)
    batches.clear()
    return losses
