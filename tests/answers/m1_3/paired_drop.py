"""Answers to paired-drop."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _drop(before, after, *, guard=True, scale=100, z=1.96, minus=True, root=math.sqrt, n_shift=0,
          pick=lambda b, a: (np.sum(b & ~a), np.sum(~b & a)), divide=1.0):  # fmt: skip
    n = len(before)
    if guard and (n == 0 or n != len(after)):
        raise ValueError("other sentences")
    lost, won = (int(v) for v in pick(before, after))
    d = (lost - won) / n
    inside = lost + won - (minus * (lost - won) ** 2 / n)
    half = z * root(max(inside, 0.0)) / (n - n_shift) ** divide
    return scale * d, scale * (d - half), scale * (d + half)


@right("counts")
def counts(before, after):
    return _drop(before, after)


@right("mean and standard deviation of the differences")
def deviations(before, after):
    before, after = np.asarray(before), np.asarray(after)
    if before.shape != after.shape or before.size == 0:
        raise ValueError("the same sentences, please")
    d = before.astype(float) - after.astype(float)
    half = 1.96 * d.std() / np.sqrt(d.size)
    return 100 * d.mean(), 100 * (d.mean() - half), 100 * (d.mean() + half)


@right("a list of NumPy floats")
def listed(before, after):
    return [np.float64(v) for v in _drop(before, after)]


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(before, after):
        return _drop(before, after, **changes)

    return answer


shares = _wrong("shares", "The drop is in percentage points: times 100.", scale=1)
gain = _wrong(
    "gain-for-drop", "A drop is positive where `after` is worse; yours has the other sign.",
    pick=lambda b, a: (np.sum(~b & a), np.sum(b & ~a)),
)  # fmt: skip
no_square = _wrong("no-square", "(b - c)**2 / n is missing in the bracket.", minus=False)
ninety = _wrong("ninety-per-cent", "1.645 gives a 90 % interval; 95 % needs 1.96.", z=1.645)
no_z = _wrong("one-standard-error", "The half width is 1.96 standard errors, not one.", z=1.0)
no_root = _wrong("variance", "The square root is missing.", root=lambda v: v)
root_n = _wrong(
    "root-n", "The root spans the bracket alone; divide by n, not by its root.", divide=0.5
)
unguarded = _wrong("no-refusal", "No sentences, or other ones, must raise ValueError.", guard=False)
of_the_right = _wrong(
    "errors-alone", "The drop is lost minus won; yours leaves out what was won.",
    pick=lambda b, a: (np.sum(b & ~a), 0),
)  # fmt: skip


@wrong("unpaired", "You added the variances of two accuracies: the models saw the same sentences.")
def unpaired(before, after):
    n = len(before)
    if n == 0 or n != len(after):
        raise ValueError("other sentences")
    p, q = before.mean(), after.mean()
    half = 1.96 * math.sqrt(p * (1 - p) / n + q * (1 - q) / n)
    return 100 * (p - q), 100 * (p - q - half), 100 * (p - q + half)


@wrong("relative-drop", "Points are the difference of two shares, not the share that was lost.")
def relative(before, after):
    drop, low, high = _drop(before, after)
    base = max(before.mean(), 1e-9)
    return drop / base, low / base, high / base


@wrong("sample-deviation", "The formula divides by n, not by n - 1.")
def sample(before, after):
    if len(before) == 0 or len(before) != len(after):
        raise ValueError("other sentences")
    n = len(before)
    d = before.astype(float) - after.astype(float)
    half = 196 * math.sqrt(((d - d.mean()) ** 2).sum() / max(n - 1, 1) / n)
    return 100 * d.mean(), 100 * d.mean() - half, 100 * d.mean() + half


@wrong("clipped-at-zero", "The lower end may be negative: the second model may be better.")
def clipped(before, after):
    drop, low, high = _drop(before, after)
    return drop, max(low, 0.0), high
