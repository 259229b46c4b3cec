"""Answers to kd-loss."""

import math

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _refuse(s, t, labels, temperature, alpha, skip=""):
    if s.ndim != 2 or (skip != "shapes" and s.shape != t.shape) or not len(s):
        raise ValueError("the logits must be (rows, classes) of one shape")
    if labels.shape != (len(s),):
        raise ValueError("labels must be (rows,)")
    if skip != "labels" and (labels.min() < 0 or labels.max() >= s.shape[1]):
        raise ValueError("a label is outside the classes")
    if skip != "temperature" and not 0 < temperature < math.inf:
        raise ValueError("temperature")
    if skip != "alpha" and not 0 <= alpha <= 1:
        raise ValueError("alpha")


def _soft(s, t, temperature):
    log_q, log_p = (F.log_softmax(z / temperature, 1) for z in (s, t.detach()))
    return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def _loss(s, t, labels, temperature=4.0, alpha=0.5, *, soft=_soft, square=None, hard=None, skip=""):
    _refuse(s, t, labels, temperature, alpha, skip)
    factor = temperature**2 if square is None else square(temperature)
    ce = hard(s, labels, temperature) if hard else F.cross_entropy(s, labels)
    return alpha * factor * soft(s, t, temperature) + (1 - alpha) * ce


@right("kl_div with log_target")
def by_kl_div(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha)


@right("kl_div with probabilities as target")
def by_probabilities(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        with torch.no_grad():
            p = F.softmax(t / temperature, dim=-1)
        return F.kl_div(F.log_softmax(s / temperature, -1), p, reduction="sum") / s.shape[0]

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@right("the sum written out")
def by_sum(s, t, labels, temperature=4.0, alpha=0.5):
    if s.dim() != 2 or t.shape != s.shape or s.size(0) == 0 or labels.shape != s.shape[:1]:
        raise ValueError("shapes")
    if ((labels < 0) | (labels >= s.size(1))).any():
        raise ValueError("labels")
    if not (temperature > 0 and math.isfinite(temperature) and alpha >= 0 and alpha <= 1):
        raise ValueError("temperature or alpha")
    t = t.clone().detach()
    log_q = s / temperature - torch.logsumexp(s / temperature, 1, keepdim=True)
    log_p = t / temperature - torch.logsumexp(t / temperature, 1, keepdim=True)
    soft = (log_p.exp() * (log_p - log_q)).sum(1)
    hard = -s.log_softmax(1).gather(1, labels[:, None])[:, 0]
    return (alpha * temperature**2 * soft + (1 - alpha) * hard).mean()


@right("cross-entropy with soft targets, less the entropy")
def by_cross_entropy(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        p = (t.detach() / temperature).softmax(1)
        entropy = torch.special.entr(p).sum(1).mean()
        return F.cross_entropy(s / temperature, p) - entropy

    return _loss(s.double(), t.double(), labels, temperature, alpha, soft=soft).to(s.dtype)


@wrong(
    "t-squared-forgotten", "T squared is missing: at large T the teacher's term all but vanishes."
)
def no_square(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha, square=lambda T: 1.0)


@wrong("t-once", "You multiply by T; the repair is T squared.")
def t_once(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha, square=lambda T: T)


@wrong("t-squared-divided", "You divide by T squared; multiply by it.")
def divided(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha, square=lambda T: 1 / T**2)


@wrong("t-squared-on-both", "You multiply the labels' term by T squared too; it is taken at T = 1.")
def both_squared(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 hard=lambda s, y, T: T**2 * F.cross_entropy(s, y))  # fmt: skip


@wrong("kl-reversed", "Your KL is the wrong way round: the teacher's probabilities weigh the sum.")
def reversed_kl(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        log_q, log_p = (F.log_softmax(z / temperature, 1) for z in (s, t.detach()))
        return F.kl_div(log_p, log_q, reduction="batchmean", log_target=True)

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@wrong("mean-over-classes", 'reduction="mean" divides by the classes too; "batchmean" is the mean.')
def element_mean(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 soft=lambda s, t, T: _soft(s, t, T) / s.shape[1])  # fmt: skip


@wrong("sum-over-rows", "You sum over the rows; both terms are means.")
def row_sum(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 soft=lambda s, t, T: _soft(s, t, T) * len(s))  # fmt: skip


@wrong(
    "alpha-swapped", "alpha weighs the teacher's term, 1 - alpha the labels'; yours are swapped."
)
def alpha_swapped(s, t, labels, temperature=4.0, alpha=0.5):
    _refuse(s, t, labels, temperature, alpha)
    return _loss(s, t, labels, temperature, 1 - alpha)


@wrong("labels-at-temperature", "The labels' cross-entropy is taken at T = 1, not at T.")
def hot_labels(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 hard=lambda s, y, T: F.cross_entropy(s / T, y))  # fmt: skip


@wrong(
    "teacher-not-softened", "Only the student is softened; the teacher needs the temperature too."
)
def teacher_hard(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 soft=lambda s, t, T: _soft(s, t * T, T))  # fmt: skip


@wrong("student-not-softened", "Only the teacher is softened; the student needs it too.")
def student_hard(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 soft=lambda s, t, T: _soft(s * T, t, T))  # fmt: skip


@wrong("temperature-multiplied", "You multiply the logits by T; they are divided by it.")
def multiplied(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 soft=lambda s, t, T: _soft(s, t, 1 / T))  # fmt: skip


@wrong("probabilities-not-logarithms", "kl_div takes log-probabilities as input; you gave it q.")
def not_logs(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        q, p = (F.softmax(z / temperature, 1) for z in (s, t.detach()))
        return F.kl_div(q, p, reduction="batchmean")

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@wrong(
    "cross-entropy-for-kl", "Your soft term is a cross-entropy; KL subtracts the teacher's entropy."
)
def soft_cross_entropy(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        return F.cross_entropy(s / temperature, (t.detach() / temperature).softmax(1))

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@wrong("softmax-over-rows", "Your softmax runs over the rows; the classes are dimension 1.")
def over_rows(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        log_q, log_p = (F.log_softmax(z / temperature, 0) for z in (s, t.detach()))
        return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@wrong("log-of-softmax", "log(softmax) is minus infinity where it underflows; use log_softmax.")
def underflow(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        q, p = (F.softmax(z / temperature, 1) for z in (s, t.detach()))
        return (p * (p.log() - q.log())).sum(1).mean()

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@wrong("squared-differences", "You compare logits by their squared difference; the loss is a KL.")
def mse(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha,
                 soft=lambda s, t, T: ((s - t.detach()) / T).square().mean())  # fmt: skip


@wrong("teacher-learns", "A gradient goes to the teacher's logits; detach them.")
def teacher_learns(s, t, labels, temperature=4.0, alpha=0.5):
    def soft(s, t, temperature):
        log_q, log_p = (F.log_softmax(z / temperature, 1) for z in (s, t))
        return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)

    return _loss(s, t, labels, temperature, alpha, soft=soft)


@wrong("a-plain-number", "You return a Python number; the student needs a tensor with a gradient.")
def number(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha).item()


@wrong("student-detached", "Your loss is detached from the student; nothing can learn from it.")
def detached(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha).detach()


@wrong("double-returned", "Your loss is float64 for float32 logits; keep the student's dtype.")
def doubled(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s.double(), t.double(), labels, temperature, alpha)


@wrong("broadcast-accepted", "A teacher of one row broadcasts over all; raise ValueError.")
def broadcast(s, t, labels, temperature=4.0, alpha=0.5):
    if s.ndim == 2 and t.ndim == 2 and len(t) not in (1, len(s)) or s.shape[-1] != t.shape[-1]:
        raise ValueError("shapes")
    return _loss(s, t.expand_as(s), labels, temperature, alpha)


@wrong("labels-not-tested", "Label -100 is skipped in silence by cross_entropy; raise ValueError.")
def any_labels(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha, skip="labels")


@wrong(
    "any-temperature", "You accept a temperature of 0 or below, NaN or infinity; raise ValueError."
)
def any_temperature(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature or 1.0, alpha, skip="temperature")


@wrong("any-alpha", "You accept an alpha outside 0 to 1; raise ValueError.")
def any_alpha(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t, labels, temperature, alpha, skip="alpha")


@wrong(
    "classes-cut",
    "You cut the teacher's extra classes off; other classes mean other columns: refuse.",
)
def cut(s, t, labels, temperature=4.0, alpha=0.5):
    if s.ndim == 2 and t.ndim == 2:
        t = t[:, : s.shape[1]]
    return _loss(s, t, labels, temperature, alpha)


@wrong("labels-overwritten", "You write into the labels; the caller still needs them.")
def labels_overwritten(s, t, labels, temperature=4.0, alpha=0.5):
    loss = _loss(s, t, labels.clone(), temperature, alpha)
    labels.zero_()
    return loss


@wrong("teacher-flag-changed", "You change the teacher's tensor; `detach()` makes another one.")
def teacher_flag(s, t, labels, temperature=4.0, alpha=0.5):
    return _loss(s, t.requires_grad_(False), labels, temperature, alpha)


@wrong(
    "gradient-mode-left",
    "torch's gradient mode is another after your function; use `with torch.no_grad():`.",
)
def mode_left(s, t, labels, temperature=4.0, alpha=0.5):
    torch.set_grad_enabled(False)
    t = t.detach().clone()
    torch.set_grad_enabled(True)
    return _loss(s, t, labels, temperature, alpha)
