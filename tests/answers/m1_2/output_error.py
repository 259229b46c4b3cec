"""Answers to output-error."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(w, w_hat, hessian):
    if w.shape != w_hat.shape or hessian.shape != (w.shape[1], w.shape[1]):
        raise ValueError("shapes do not fit")
    if _form(w, hessian) == 0:
        raise ValueError("no output")


def _form(d, h):
    return float(np.trace(d @ h @ d.T))


@right("traces of the triple product")
def by_trace(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return _form(w - w_hat, hessian) / _form(w, hessian)


@right("row by row")
def by_rows(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    lost = whole = 0.0
    for row, new in zip(w, w_hat, strict=True):
        lost += (row - new) @ hessian @ (row - new)
        whole += row @ hessian @ row
    return lost / whole


@right("outputs of made-up inputs with this Hessian, torch")
def by_eigenvectors(w, w_hat, hessian):
    import torch

    _refuse(w, w_hat, hessian)
    values, vectors = torch.linalg.eigh(torch.tensor(hessian))
    root = vectors * values.clamp(min=0).sqrt()
    before, after = torch.tensor(w) @ root, torch.tensor(w - w_hat) @ root
    return float(after.square().sum() / before.square().sum())


@wrong("weights-only", "You measured the weights; the Hessian says how loud each error is.")
def weights_only(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return float(np.sum((w - w_hat) ** 2) / np.sum(w**2))


@wrong(
    "diagonal-only",
    "You used the Hessian's diagonal alone; its other elements let errors cancel.",
)
def diagonal_only(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    d = np.diag(hessian)
    return float(np.sum((w - w_hat) ** 2 * d) / np.sum(w**2 * d))


@wrong("root", "You took a square root; the error is the squared one, relative to the power.")
def root(w, w_hat, hessian):
    return float(np.sqrt(by_trace(w, w_hat, hessian)))


@wrong("not-relative", "You returned the error itself; divide it by tr(W H W^T).")
def not_relative(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return _form(w - w_hat, hessian)


@wrong("divided-by-w-hat", "You divided by the new weights' output; divide by that of w.")
def divided_by_w_hat(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return _form(w - w_hat, hessian) / max(_form(w_hat, hessian), 1e-300)


@wrong(
    "difference-of-powers", "You subtracted two powers; the error is the power of the difference."
)
def difference_of_powers(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return abs(_form(w, hessian) - _form(w_hat, hessian)) / _form(w, hessian)


@wrong("signal-to-noise", "You returned the ratio upside down: the error belongs on top.")
def signal_to_noise(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return _form(w, hessian) / max(_form(w - w_hat, hessian), 1e-300)


@wrong("hessian-twice", "You applied the Hessian twice; it already holds X^T X.")
def hessian_twice(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return _form(w - w_hat, hessian @ hessian) / _form(w, hessian @ hessian)


@wrong("percent", "You returned percent; 1.0 stands for the whole output.")
def percent(w, w_hat, hessian):
    return 100 * by_trace(w, w_hat, hessian)


@wrong("mean-over-rows", "You averaged one ratio per row; take the ratio of the sums.")
def mean_over_rows(w, w_hat, hessian):
    _refuse(w, w_hat, hessian)
    return float(np.mean([_form(a - b, hessian) / _form(a, hessian)
                          for a, b in zip(w[:, None], w_hat[:, None], strict=True)]))  # fmt: skip


@wrong(
    "broadcasts", "You let a w_hat of another shape through: NumPy broadcasts it without a word."
)
def broadcasts(w, w_hat, hessian):
    if _form(w, hessian) == 0:
        raise ValueError("no output")
    return _form(w - w_hat, hessian) / _form(w, hessian)


@wrong("zero-output", "You divided by an output of zero; raise ValueError instead.")
def zero_output(w, w_hat, hessian):
    if w.shape != w_hat.shape or hessian.shape != (w.shape[1], w.shape[1]):
        raise ValueError("shapes do not fit")
    return _form(w - w_hat, hessian) / (_form(w, hessian) or 1.0)


def _measured(w, w_hat, hessian):
    power = np.sum((w @ hessian) * w)
    if power == 0:
        raise ValueError("no output")
    return float(np.sum(((w - w_hat) @ hessian) * (w - w_hat)) / power)


@wrong(
    "rows-compared-only",
    "You compare the number of rows only; one column broadcasts: compare shapes.",
)
def rows_only(w, w_hat, hessian):
    if len(w) != len(w_hat) or hessian.shape != (w.shape[1], w.shape[1]):
        raise ValueError("shapes")
    return _measured(w, w_hat, hessian)


@wrong(
    "size-compared-only",
    "You compare the number of weights; another shape of that size broadcasts.",
)
def size_only(w, w_hat, hessian):
    if w.size != w_hat.size or hessian.shape != (w.shape[1], w.shape[1]):
        raise ValueError("shapes")
    return _measured(w, w_hat, hessian)


@wrong(
    "hessian-not-compared",
    "You did not look at the Hessian's shape: a vector or a single column broadcasts.",
)
def hessian_unseen(w, w_hat, hessian):
    if w.shape != w_hat.shape:
        raise ValueError("shapes")
    return _measured(w, w_hat, hessian)


@wrong("hessian-rows-only", "You compare the Hessian's rows only; it is (K, K).")
def hessian_rows(w, w_hat, hessian):
    if w.shape != w_hat.shape or hessian.shape[0] != w.shape[1]:
        raise ValueError("shapes")
    return _measured(w, w_hat, hessian)
