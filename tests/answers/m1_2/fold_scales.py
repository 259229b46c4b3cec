"""Answers to fold-scales."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(writer, readers, s, positive=True, shapes=True):
    if shapes and (s.shape != (len(writer),) or any(r.shape[1:] != s.shape for r in readers)):
        raise ValueError("shapes")
    if positive and not (np.isfinite(s).all() and (s > 0).all()):
        raise ValueError("scales")


def _column(writer, s):
    return s.reshape(-1, *[1] * (writer.ndim - 1))


@right("broadcasting")
def by_broadcast(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    return (
        writer / _column(writer, s),
        None if bias is None else bias / s,
        [reader * s for reader in readers],
    )


@right("diagonal matrices")
def by_diagonals(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    inverse, forward = np.diag(1 / s), np.diag(s)
    divided = inverse @ writer
    return divided, None if bias is None else inverse @ bias, [r @ forward for r in readers]


@right("channel by channel")
def by_channels(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    writer, readers = writer.copy(), [r.copy() for r in readers]
    bias = None if bias is None else bias.copy()
    for j, factor in enumerate(s):
        writer[j] /= factor
        if bias is not None:
            bias[j] /= factor
        for reader in readers:
            reader[:, j] *= factor
    return writer, bias, readers


@right("torch")
def by_torch(writer, readers, s, bias=None):
    import torch

    _refuse(writer, readers, s)
    t = torch.from_numpy(s)
    w = torch.from_numpy(writer)
    w = (w.T / t).T if w.ndim == 2 else w / t
    made = [(torch.from_numpy(r) * t).numpy() for r in readers]
    return w.numpy().copy(), None if bias is None else bias / s, made


@wrong(
    "the-wrong-way",
    "You multiplied the writer and divided the readers; activations are divided by s.",
)
def wrong_way(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    return by_broadcast(writer, readers, 1 / s, bias)


@wrong("unchanged", "You returned the weights as they were.")
def unchanged(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    return writer, bias, readers


@wrong("bias-forgotten", "The bias is part of the output too: divide it by s.")
def bias_forgotten(writer, readers, s, bias=None):
    made, _, read = by_broadcast(writer, readers, s, bias)
    return made, bias, read


@wrong("bias-multiplied", "You multiplied the bias by s; it is divided like the weight.")
def bias_multiplied(writer, readers, s, bias=None):
    made, _, read = by_broadcast(writer, readers, s, bias)
    return made, None if bias is None else bias * s, read


@wrong("bias-for-none", "There was no bias and you made one; None stays None.")
def bias_for_none(writer, readers, s, bias=None):
    return by_broadcast(writer, readers, s, np.zeros(len(writer)) if bias is None else bias)


@wrong(
    "columns-of-the-writer",
    "You divided the writer's columns; channel j is its row j.",
)
def columns_of_writer(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    made = writer / (s if writer.shape[-1] == len(s) else np.resize(s, writer.shape[-1]))
    return made, None if bias is None else bias / s, [r * s for r in readers]


@wrong("rows-of-the-readers", "You scaled the readers' rows; channel j is their column j.")
def rows_of_readers(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    made = [r * np.resize(s, len(r))[:, None] for r in readers]
    return writer / _column(writer, s), None if bias is None else bias / s, made


@wrong("first-reader-only", "Only the first reader was scaled; all of them read the same channels.")
def first_only(writer, readers, s, bias=None):
    made, extra, read = by_broadcast(writer, readers, s, bias)
    return made, extra, read[:1] + [r.copy() for r in readers[1:]]


@wrong("both-multiplied", "You multiplied on both sides; one side takes the inverse.")
def both_multiplied(writer, readers, s, bias=None):
    made, extra, read = by_broadcast(writer, readers, s, bias)
    return writer * _column(writer, s), extra, read


@wrong("square-root", "You gave half of the scale to each side; each takes the whole s.")
def square_root(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    return by_broadcast(writer, readers, np.sqrt(s), bias)


@wrong("float32-weights", "Your weights are float32; the exercise asks for float64.")
def float32_weights(writer, readers, s, bias=None):
    made, extra, read = by_broadcast(writer, readers, s, bias)
    return made.astype(np.float32), extra, [r.astype(np.float32) for r in read]


@wrong("float16-inside", "You rounded the scales to float16; the function must stay to 1e-12.")
def float16_inside(writer, readers, s, bias=None):
    made, extra, _ = by_broadcast(writer, readers, s, bias)
    return made, extra, [r * s.astype(np.float16).astype(np.float64) for r in readers]


@wrong("in-place", "You changed the weights that were handed in; return new arrays.")
def in_place(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    writer /= _column(writer, s)
    for reader in readers:
        reader *= s
    return writer, None if bias is None else bias / s, readers


@wrong("readers-joined", "You joined the readers in one array; return a list, one for each.")
def joined(writer, readers, s, bias=None):
    made, extra, read = by_broadcast(writer, readers, s, bias)
    return made, extra, np.concatenate(read) if read else read


@wrong(
    "bad-scales-accepted", "A scale of 0, below 0, NaN or infinity was accepted; raise ValueError."
)
def bad_scales(writer, readers, s, bias=None):
    _refuse(writer, readers, s, positive=False)
    with np.errstate(all="ignore"):
        made = writer / _column(writer, s)
        return made, None if bias is None else bias / s, [r * s for r in readers]


@wrong("shapes-broadcast", "Shapes that do not match were broadcast; compare them first.")
def shapes_broadcast(writer, readers, s, bias=None):
    _refuse(writer, readers, s, shapes=False)
    s = np.resize(s, len(writer))
    read = [r * s if r.shape[1] in (1, len(s)) else r for r in readers]
    return writer / _column(writer, s), None if bias is None else bias / s, read


@wrong("given-arrays-returned", "Where s is 1 you returned the given arrays; make new ones.")
def nothing_to_do(writer, readers, s, bias=None):
    _refuse(writer, readers, s)
    if (s == 1).all():
        return writer, bias, list(readers)
    return by_broadcast(writer, readers, s, bias)
