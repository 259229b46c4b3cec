"""Answers to join-adapters."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(adapters, weights, skip=""):
    if skip != "count" and len(adapters) != len(weights):
        raise ValueError("as many weights as adapters")
    if not adapters:
        raise ValueError("no adapters")
    wide, tall = adapters[0][0].shape[1], adapters[0][1].shape[0]
    for a, b, _ in adapters:
        if skip != "layer" and (a.shape[1], b.shape[0]) != (wide, tall):
            raise ValueError("another layer")
        if skip != "rank" and a.shape[0] != b.shape[1]:
            raise ValueError("ranks")


def _join(adapters, weights, *, factor=lambda w, alpha, r: w * alpha / r, skip="", strict=True):
    _refuse(adapters, weights, skip)
    pairs = list(zip(adapters, weights, strict=strict))
    a = np.concatenate([a for (a, _, _), _ in pairs]).astype(np.float64)
    b = [factor(w, alpha, a.shape[0]) * b.astype(np.float64) for (a, b, alpha), w in pairs]
    return a, np.concatenate(b, axis=1)


@right("the factor in b")
def in_b(adapters, weights):
    return _join(adapters, weights)


@right("the factor in a")
def in_a(adapters, weights):
    _refuse(adapters, weights)
    rows = [
        w * alpha / len(a) * a.astype(np.float64)
        for (a, _, alpha), w in zip(adapters, weights, strict=True)
    ]
    return np.vstack(rows), np.hstack([b for _, b, _ in adapters]).astype(np.float64)


@right("roots in both, the sign in b")
def roots(adapters, weights):
    _refuse(adapters, weights)
    a_rows, b_columns = [], []
    for (a, b, alpha), w in zip(adapters, weights, strict=True):
        factor = w * alpha / a.shape[0]
        a_rows.append(np.sqrt(abs(factor)) * a.astype(float))
        b_columns.append(np.sign(factor) * np.sqrt(abs(factor)) * b.astype(float))
    return np.concatenate(a_rows, 0), np.concatenate(b_columns, 1)


@wrong("factors-averaged", "You add the factors; (B1 + B2)(A1 + A2) holds cross terms. Stack them.")
def averaged(adapters, weights):
    a, b = _join(adapters, weights)
    ranks = [x[0].shape[0] for x in adapters]
    if len(set(ranks)) > 1 or len(ranks) == 1:
        return a, b
    n = len(ranks)
    mean_a, mean_b = sum(np.split(a, n)), sum(np.split(b, n, axis=1))
    return np.tile(mean_a, (n, 1)), np.concatenate([mean_b, *[0 * mean_b] * (n - 1)], axis=1)


@wrong("weights-in-both", "The weight is in a and in b; the product holds its square.")
def both(adapters, weights):
    a, b = _join(adapters, weights)
    column = np.concatenate([np.full(len(x[0]), w) for x, w in zip(adapters, weights, strict=True)])
    return a * column[:, None], b


@wrong(
    "root-of-a-negative-weight",
    "A negative weight has no root; put the whole weight into one factor.",
)
def root(adapters, weights):
    a, b = _join(adapters, [1.0] * len(weights) if len(weights) == len(adapters) else weights)
    column = np.concatenate([np.full(len(x[0]), w) for x, w in zip(adapters, weights, strict=True)])
    with np.errstate(invalid="ignore"):
        column = np.sqrt(column)
    return a * column[:, None], b * column


@wrong("absolute-weights", "You lose the sign of negative weights.")
def absolute(adapters, weights):
    return _join(adapters, weights, factor=lambda w, alpha, r: abs(w) * alpha / r)


@wrong("weights-ignored", "You ignore the weights.")
def ignored(adapters, weights):
    return _join(adapters, weights, factor=lambda w, alpha, r: alpha / r)


@wrong("weights-normalised", "You divide the weights by their sum; they are used as given.")
def normalised(adapters, weights):
    total = sum(weights) or 1.0
    return _join(adapters, weights, factor=lambda w, alpha, r: w / total * alpha / r)


@wrong("scaling-forgotten", "Each adapter's own alpha / r is missing.")
def unscaled(adapters, weights):
    return _join(adapters, weights, factor=lambda w, alpha, r: w)


@wrong("joined-rank", "You divide by the joined rank; each adapter's scaling has its own r.")
def joined_rank(adapters, weights):
    _refuse(adapters, weights)
    total = sum(x[0].shape[0] for x in adapters)
    return _join(adapters, weights, factor=lambda w, alpha, r: w * alpha / total)


@wrong("first-scaling", "You use the first adapter's alpha / r for all.")
def first_scaling(adapters, weights):
    _refuse(adapters, weights)
    scaling = adapters[0][2] / adapters[0][0].shape[0]
    return _join(adapters, weights, factor=lambda w, alpha, r: w * scaling)


@wrong("alpha-alone", "You scale by alpha; an adapter's scaling is alpha / r.")
def alpha_alone(adapters, weights):
    return _join(adapters, weights, factor=lambda w, alpha, r: w * alpha)


@wrong("scaling-inverted", "You multiply by r / alpha; an adapter's scaling is alpha / r.")
def inverted(adapters, weights):
    return _join(adapters, weights, factor=lambda w, alpha, r: w * r / alpha)


@wrong("order-differs", "The blocks of a and b must be in one order.")
def disordered(adapters, weights):
    a, _ = _join(adapters, weights)
    _, b = _join(adapters[::-1], weights[::-1])
    return a, b


@wrong("swapped", "You return (b, a); a comes first.")
def swapped(adapters, weights):
    return _join(adapters, weights)[::-1]


@wrong("first-adapter-only", "You return the first adapter alone.")
def only_first(adapters, weights):
    _refuse(adapters, weights)
    return _join(adapters[:1], weights[:1])


@wrong(
    "whole-update",
    "You return the sum as one matrix and the identity; the rank is the sum of the ranks.",
)
def whole(adapters, weights):
    a, b = _join(adapters, weights)
    return b @ a, np.eye(len(b))


@wrong("own-dtype", "You return the adapters' dtype; float64 is asked.")
def own_dtype(adapters, weights):
    a, b = _join(adapters, weights)
    return a.astype(adapters[0][0].dtype), b.astype(adapters[0][1].dtype)


@wrong(
    "weights-cut",
    "Another number of weights passes: zip stops at the shorter list. Raise ValueError.",
)
def cut(adapters, weights):
    return _join(adapters, weights, skip="count", strict=False)


@wrong("other-ranks-accepted", "An adapter whose a and b differ in rank passes; raise ValueError.")
def any_rank(adapters, weights):
    return _join(adapters, weights, skip="rank")


@wrong("no-adapters-accepted", "Without adapters you return empty factors; raise ValueError.")
def none(adapters, weights):
    if not adapters:
        return np.zeros((0, 0)), np.zeros((0, 0))
    return _join(adapters, weights)
