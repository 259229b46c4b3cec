"""Answers to feature-loss."""

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _refuse(student, teacher, projection, keep, skip=""):
    if skip != "lead" and (student.ndim < 2 or student.shape[:-1] != teacher.shape[:-1]):
        raise ValueError("positions differ")
    if skip != "projection" and projection.shape != (teacher.shape[-1], student.shape[-1]):
        raise ValueError("projection")
    if keep is not None and skip != "keep" and keep.shape != student.shape[:-1]:
        raise ValueError("keep")
    if keep is not None and skip != "none kept" and not keep.any():
        raise ValueError("nothing kept")


def _chosen(student, teacher, projection, keep, skip=""):
    _refuse(student, teacher, projection, keep, skip)
    if keep is None:
        keep = torch.ones(student.shape[:-1], dtype=torch.bool)
    return student[keep], teacher[keep].detach()


@right("kept rows taken out")
def by_index(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().mean()


@right("mse_loss and linear")
def by_mse(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    s, t = student.flatten(0, -2), teacher.detach().flatten(0, -2)
    if keep is not None:
        rows = keep.flatten().nonzero()[:, 0]
        s, t = s.index_select(0, rows), t.index_select(0, rows)
    return F.mse_loss(F.linear(s, projection), t)


@right("padding replaced by zeros first")
def by_where(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    if keep is None:
        keep = torch.ones(student.shape[:-1], dtype=torch.bool)
    s, t = (x.masked_fill(~keep[..., None], 0.0) for x in (student, teacher.detach()))
    gap = torch.einsum("...i,oi->...o", s, projection) - t
    return gap.pow(2).sum() / (keep.sum() * teacher.shape[-1])


@wrong("padding-counted", "You average over all positions; those not kept must not count.")
def padding(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    return (student @ projection.T - teacher.detach()).square().mean()


@wrong("mean-over-all-positions", "You divide by all positions; divide by those kept.")
def divided(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().sum() / teacher.numel()


@wrong("mask-multiplied", "NaN times 0 is NaN: take the kept positions out instead of multiplying.")
def multiplied(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    if keep is None:
        return (student @ projection.T - teacher.detach()).square().mean()
    gap = (student @ projection.T - teacher.detach()) * keep[..., None]
    return gap.square().sum() / (keep.sum() * teacher.shape[-1])


@wrong("mask-after-the-square", "torch.where after the square still sends NaN back to the student.")
def late_where(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    if keep is None:
        return (student @ projection.T - teacher.detach()).square().mean()
    gap = (student @ projection.T - teacher.detach()).square()
    gap = torch.where(keep[..., None], gap, torch.zeros_like(gap))
    return gap.sum() / (keep.sum() * teacher.shape[-1])


@wrong("keep-inverted", "keep marks the positions that count; you drop them.")
def inverted(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    if keep is None or keep.all():
        return (student @ projection.T - teacher.detach()).square().mean()
    s, t = _chosen(student, teacher, projection, ~keep)
    return (s @ projection.T - t).square().mean()


@wrong("mean-of-row-means", "You average each row first; every kept position counts the same.")
def row_means(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    if keep is None or keep.ndim < 2:
        s, t = _chosen(student, teacher, projection, keep)
        return (s @ projection.T - t).square().mean()
    rows = [
        (s[k] @ projection.T - t[k]).square().mean()
        for s, t, k in zip(student, teacher.detach(), keep, strict=True)
        if k.any()
    ]
    return torch.stack(rows).mean()


@wrong("sum-of-squares", "You sum over the features; the mean runs over them too.")
def summed(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().sum(-1).mean()


@wrong("total-sum", "You return the sum over everything; the mean is asked.")
def total(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().sum()


@wrong("absolute-difference", "You average absolute differences; squared ones are asked.")
def absolute(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).abs().mean()


@wrong("root", "You take the square root; the mean of squares is asked.")
def root(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().mean().sqrt()


@wrong(
    "teacher-projected", "You project the teacher to the student's width; the student is projected."
)
def teacher_projected(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s - t @ projection).square().mean()


@wrong("teacher-learns", "A gradient goes to the teacher; detach its features.")
def teacher_learns(student, teacher, projection, keep=None):
    _refuse(student, teacher, projection, keep)
    if keep is None:
        keep = torch.ones(student.shape[:-1], dtype=torch.bool)
    return (student[keep] @ projection.T - teacher[keep]).square().mean()


@wrong("student-detached", "The student's features are detached: only the projection learns.")
def student_detached(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s.detach() @ projection.T - t).square().mean()


@wrong("projection-detached", "The projection is detached: it must be trained along.")
def projection_detached(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.detach().T - t).square().mean()


@wrong("normalised-features", "You normalise the features; the plain difference is asked.")
def normalised(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep)
    return (F.normalize(s @ projection.T, dim=-1) - F.normalize(t, dim=-1)).square().mean()


@wrong("broadcast-accepted", "A teacher of one row broadcasts over all rows; raise ValueError.")
def broadcast(student, teacher, projection, keep=None):
    if student.ndim < 2 or student.ndim != teacher.ndim:
        raise ValueError("positions")
    teacher = teacher.expand(*student.shape[:-1], teacher.shape[-1])
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().mean()


@wrong("projection-not-tested", "A projection of one row broadcasts; raise ValueError.")
def any_projection(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep, "projection")
    if projection.shape[0] > t.shape[-1]:
        raise ValueError("projection")
    return (s @ projection.T - t).square().mean()


@wrong(
    "keep-not-tested", "A keep of another shape selects other rows in silence; raise ValueError."
)
def any_keep(student, teacher, projection, keep=None):
    if keep is not None and keep.shape != student.shape[:-1] and student.ndim > 1:
        keep = keep.expand(student.shape[:-1]) if keep.ndim == student.ndim - 1 else None
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().mean()


@wrong("nothing-kept-accepted", "With no position kept the mean is NaN; raise ValueError.")
def none_kept(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher, projection, keep, "none kept")
    return (s @ projection.T - t).square().mean()


@wrong(
    "flattened-together",
    "You compare (12, ...) with (4, 3, ...): the leading shapes must be equal.",
)
def flattened(student, teacher, projection, keep=None):
    if student.ndim > 1 and student.shape[:-1].numel() == teacher.shape[:-1].numel():
        teacher = teacher.reshape(*student.shape[:-1], teacher.shape[-1])
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().mean()


@wrong(
    "transposed-accepted", "A projection of shape (d_s, d_t) is no (d_t, d_s); raise ValueError."
)
def transposed(student, teacher, projection, keep=None):
    if projection.shape == (student.shape[-1], teacher.shape[-1]) != projection.shape[::-1]:
        projection = projection.T
    s, t = _chosen(student, teacher, projection, keep)
    return (s @ projection.T - t).square().mean()


@wrong("teacher-flag-changed", "You change the teacher's tensor; `detach()` makes another one.")
def teacher_flag(student, teacher, projection, keep=None):
    s, t = _chosen(student, teacher.requires_grad_(False), projection, keep)
    return (s @ projection.T - t).square().mean()
