"""Answers to sorted-logit-loss."""

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _refuse(s, t, skip=""):
    if s.ndim != 2 or t.ndim != 2:
        raise ValueError("logits must be (rows, classes)")
    if (skip != "rows" and len(s) != len(t)) or not len(s):
        raise ValueError("rows")


def _sorted(z):
    return z.softmax(1).sort(dim=1, descending=True).values


def _pair(q, p):
    width = max(q.shape[1], p.shape[1])
    return tuple(F.pad(z, (0, width - z.shape[1])) for z in (q, p))


@right("sort and pad")
def by_pad(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).abs().sum(1).mean()


@right("logits sorted, then softmax")
def by_logits(s, t):
    _refuse(s, t)
    q = torch.softmax(s.sort(dim=-1, descending=True)[0], -1)
    with torch.no_grad():
        p = torch.softmax(t.sort(dim=-1, descending=True)[0], -1)
    q, p = _pair(q, p)
    return F.l1_loss(q, p, reduction="sum") / s.size(0)


@right("common part and remainder")
def by_remainder(s, t):
    if s.dim() != 2 or t.dim() != 2 or s.size(0) != t.size(0) or s.size(0) == 0:
        raise ValueError("shapes")
    q, p = (-torch.sort(-z.softmax(1), 1)[0] for z in (s, t.clone().detach()))
    n = min(q.shape[1], p.shape[1])
    rest = q[:, n:].sum() + p[:, n:].sum()
    return ((q[:, :n] - p[:, :n]).abs().sum() + rest) / len(q)


@wrong("not-sorted", "You compare column by column; sort each row first.")
def unsorted(s, t):
    _refuse(s, t)
    q, p = _pair(s.softmax(1), t.detach().softmax(1))
    return (q - p).abs().sum(1).mean()


@wrong("ascending", "You sort upwards: the zeros then stand against the largest probabilities.")
def ascending(s, t):
    _refuse(s, t)
    q, p = _pair(s.softmax(1).sort(1).values, t.detach().softmax(1).sort(1).values)
    return (q - p).abs().sum(1).mean()


@wrong("zeros-in-front", "You put the zeros in front; they belong at the end of the sorted row.")
def in_front(s, t):
    _refuse(s, t)
    q, p = _sorted(s), _sorted(t.detach())
    width = max(q.shape[1], p.shape[1])
    q, p = (F.pad(z, (width - z.shape[1], 0)) for z in (q, p))
    return (q - p).abs().sum(1).mean()


@wrong(
    "logits-padded", "You pad the logits with 0, which is a token with probability; pad q and p."
)
def logits_padded(s, t):
    _refuse(s, t)
    s, t = _pair(s, t.detach())
    return (_sorted(s) - _sorted(t)).abs().sum(1).mean()


@wrong("cut-to-the-shorter", "You cut the longer row off; its remainder counts against zeros.")
def cut(s, t):
    _refuse(s, t)
    n = min(s.shape[1], t.shape[1])
    return (_sorted(s)[:, :n] - _sorted(t.detach())[:, :n]).abs().sum(1).mean()


@wrong("classes-cut-first", "You cut classes off before the softmax; all of them have probability.")
def cut_first(s, t):
    _refuse(s, t)
    n = min(s.shape[1], t.shape[1])
    return (_sorted(s[:, :n]) - _sorted(t[:, :n].detach())).abs().sum(1).mean()


@wrong("mean-over-classes", "You average over the classes; their differences are summed.")
def class_mean(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).abs().mean()


@wrong("sum-over-rows", "You sum over the rows; the mean over rows is asked.")
def row_sum(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).abs().sum()


@wrong("squared", "You square the differences; absolute ones are asked.")
def squared(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).square().sum(1).mean()


@wrong("halved", "You halve the sum, as the total variation does; the loss is the plain sum.")
def halved(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).abs().sum(1).mean() / 2


@wrong("logits-compared", "You sort and compare logits; compare probabilities.")
def logits(s, t):
    _refuse(s, t)
    q, p = _pair(*(z.sort(1, descending=True).values for z in (s, t.detach())))
    return (q - p).abs().sum(1).mean()


@wrong("one-order-for-both", "You sort both by the student's order; each row is sorted by itself.")
def one_order(s, t):
    _refuse(s, t)
    q, p = _pair(s.softmax(1), t.detach().softmax(1))
    order = q.argsort(dim=1, descending=True)
    return (q.gather(1, order) - p.gather(1, order)).abs().sum(1).mean()


@wrong("sorted-over-rows", "You sort over the rows; sort the classes of each row.")
def over_rows(s, t):
    _refuse(s, t)
    q, p = _pair(*(z.softmax(1).sort(dim=0, descending=True).values for z in (s, t.detach())))
    return (q - p).abs().sum(1).mean()


@wrong("kl-of-sorted", "You take a divergence of the sorted rows; absolute differences are asked.")
def divergence(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (p * ((p + 1e-12).log() - (q + 1e-12).log())).sum(1).mean()


@wrong("teacher-learns", "A gradient goes to the teacher's logits; detach them.")
def teacher_learns(s, t):
    _refuse(s, t)
    q, p = _pair(_sorted(s), _sorted(t))
    return (q - p).abs().sum(1).mean()


@wrong("student-detached", "Your loss is detached from the student.")
def detached(s, t):
    return by_pad(s, t).detach()


@wrong("rows-broadcast", "One teacher row broadcasts over all; raise ValueError.")
def broadcast(s, t):
    _refuse(s, t, "rows")
    if len(t) not in (1, len(s)):
        raise ValueError("rows")
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).abs().sum(1).mean()


@wrong("no-rows-accepted", "Without rows the mean is NaN; raise ValueError.")
def no_rows(s, t):
    if s.ndim != 2 or t.ndim != 2 or len(s) != len(t):
        raise ValueError("shapes")
    q, p = _pair(_sorted(s), _sorted(t.detach()))
    return (q - p).abs().sum(1).mean()


@wrong("equal-widths-demanded", "You refuse different vocabularies; this loss is made for them.")
def demanding(s, t):
    _refuse(s, t)
    if s.shape != t.shape:
        raise ValueError("vocabularies differ")
    return (_sorted(s) - _sorted(t.detach())).abs().sum(1).mean()


@wrong(
    "one-shape-tested", "You look at the student's dimensions alone; the teacher's count as well."
)
def student_alone(s, t):
    if s.ndim != 2 or len(s) != len(t) or not len(s):
        raise ValueError("the student's logits")
    t = t.detach()
    q, p = _pair(_sorted(s), _sorted(t if t.ndim == 2 else t.reshape(len(s), -1)))
    return (q - p).abs().sum(1).mean()
