"""Answers to remove-channels."""

import torch

from autograder.checks.bank import right, wrong


def _checked(weight, bias, next_weight, keep, checks="kdrbn"):
    channels = len(weight)
    if "k" in checks and len(keep) == 0:
        raise ValueError("nothing kept")
    if "d" in checks and len(set(keep)) != len(keep):
        raise ValueError("twice")
    if "r" in checks and any(k < 0 or k >= channels for k in keep):
        raise ValueError("range")
    if "b" in checks and bias is not None and len(bias) != channels:
        raise ValueError("bias")
    if "n" in checks:
        inputs = next_weight.shape[1]
        if inputs % channels or (next_weight.ndim == 4 and inputs != channels):
            raise ValueError("next")


def _columns(channels, inputs, keep, pixels_first=False):
    pixels = inputs // channels
    if pixels_first:
        return [p * channels + c for p in range(pixels) for c in keep]
    return [c * pixels + p for c in keep for p in range(pixels)]


def _remove(weight, bias, next_weight, keep, *, checks="kdrbn", pixels_first=False, reader=None):
    _checked(weight, bias, next_weight, keep, checks)
    keep = list(keep)
    columns = _columns(len(weight), next_weight.shape[1], keep, pixels_first)
    after = reader(next_weight, keep) if reader else next_weight[:, columns]
    return weight[keep], None if bias is None else bias[keep], after


@right("index lists")
def by_lists(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep)


@right("index_select and a reshape")
def by_select(weight, bias, next_weight, keep):
    index = torch.tensor(keep, dtype=torch.int64)
    count = weight.shape[0]
    if index.numel() == 0 or index.unique().numel() < len(keep):
        raise ValueError("keep")
    if index.min() < 0 or index.max() >= count:
        raise ValueError("keep")
    if bias is not None and bias.shape[0] != count:
        raise ValueError("bias")
    if next_weight.ndim == 4:
        if next_weight.shape[1] != count:
            raise ValueError("next")
        after = next_weight.index_select(1, index)
    else:
        if next_weight.shape[1] % count:
            raise ValueError("next")
        after = next_weight.unflatten(1, (count, -1)).index_select(1, index).flatten(1)
    return [
        weight.index_select(0, index),
        bias.index_select(0, index) if bias is not None else None,
        after.contiguous(),
    ]


@right("stacked copies")
def by_stack(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    pixels = next_weight.shape[1] // len(weight)
    parts = [next_weight[:, c * pixels : (c + 1) * pixels] for c in keep]
    biases = None if bias is None else torch.stack([bias[c] for c in keep])
    return torch.stack([weight[c] for c in keep]), biases, torch.cat(parts, 1)


@wrong("zeroed-not-removed", "You set the channels to zero; their memory and their MACs remain.")
def zeroed(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    mask = torch.zeros(len(weight), dtype=torch.bool)
    mask[list(keep)] = True
    new = weight.clone()
    new[~mask] = 0
    return new, None if bias is None else bias * mask, next_weight.clone()


@wrong("reader-forgotten", "The next layer still reads the old channels; its inputs shrink too.")
def no_reader(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, reader=lambda w, k: w.clone())


@wrong("reader-outputs", "You removed OUTPUTS of the next layer; its inputs read the channels.")
def reader_outputs(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, reader=lambda w, k: w[[c % len(w) for c in k]])


@wrong("bias-forgotten", "The bias has an entry for each channel; it shrinks too.")
def no_bias(weight, bias, next_weight, keep):
    new, _, after = _remove(weight, bias, next_weight, keep)
    return new, None if bias is None else bias.clone(), after


@wrong("bias-dropped", "You dropped the bias; keep the entries of the channels that stay.")
def dropped(weight, bias, next_weight, keep):
    new, _, after = _remove(weight, bias, next_weight, keep)
    return new, None, after


@wrong(
    "pixels-first",
    "Behind a Flatten the pixels of a channel lie side by side; you took every C-th column.",
)
def pixels_first(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, pixels_first=True)


@wrong("one-column-a-channel", "Behind a Flatten a channel has P columns, not one.")
def one_column(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, reader=lambda w, k: w[:, list(k)])


@wrong("order-sorted", "New channel k is keep[k], in the order given; you sorted.")
def in_order(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    return _remove(weight, bias, next_weight, sorted(keep))


@wrong(
    "reader-sorted", "You kept the order in the layer and sorted in its reader: they must agree."
)
def reader_sorted(weight, bias, next_weight, keep):
    new, b, _ = _remove(weight, bias, next_weight, keep)
    return new, b, _remove(weight, bias, next_weight, sorted(keep))[2]


@wrong("others-kept", "You removed the channels in `keep`; they stay.")
def others(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    rest = [c for c in range(len(weight)) if c not in keep] or [0]
    return _remove(weight, bias, next_weight, rest)


@wrong("inputs-removed", "You removed inputs of the first layer; its outputs are the channels.")
def inputs(weight, bias, next_weight, keep):
    new, b, after = _remove(weight, bias, next_weight, keep)
    return weight[:, [k % weight.shape[1] for k in keep]], b, after


@wrong(
    "first-channels", "You keep the first channels, as many as `keep` names; take those it names."
)
def first(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    return _remove(weight, bias, next_weight, list(range(len(keep))))


@wrong("view", "A slice is a view: the old memory stays alive. Copy it with clone().")
def view(weight, bias, next_weight, keep):
    result = _remove(weight, bias, next_weight, keep)
    if list(keep) == list(range(keep[0], keep[-1] + 1)):
        cut = slice(keep[0], keep[-1] + 1)
        return weight[cut], None if bias is None else bias[cut], result[2]
    return result


@wrong(
    "view-of-a-copy",
    "You copied everything and took a slice of the copy: it holds the whole memory.",
)
def view_of_copy(weight, bias, next_weight, keep):
    new, b, _ = _remove(weight, bias, next_weight, keep)
    pixels = next_weight.shape[1] // len(weight)
    others = [c for c in range(len(weight)) if c not in keep]
    whole = next_weight[:, _columns(len(weight), next_weight.shape[1], [*keep, *others])]
    return new, b, whole[:, : len(keep) * pixels]


@wrong(
    "same-tensors-when-all-stay", "Where all stay you return the old tensors; new ones are asked."
)
def same(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    if list(keep) == list(range(len(weight))):
        return weight, bias, next_weight
    return _remove(weight, bias, next_weight, keep)


@wrong(
    "empty-accepted",
    "A layer without channels computes nothing: an empty keep must raise ValueError.",
)
def empty(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, checks="drbn")


@wrong("twice-accepted", "A channel that is kept twice must raise ValueError.")
def twice(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, checks="krbn")


@wrong("negative-accepted", "Python counts -1 from the end in silence; refuse it.")
def negative(weight, bias, next_weight, keep):
    if any(k >= len(weight) for k in keep):
        raise ValueError("range")
    return _remove(weight, bias, next_weight, keep, checks="kdbn")


@wrong("index-error", "An index out of range must raise ValueError, not IndexError.")
def index_error(weight, bias, next_weight, keep):
    if any(k < 0 for k in keep):
        raise ValueError("range")
    return _remove(weight, bias, next_weight, keep, checks="kdbn")


@wrong("bias-not-checked", "A bias that has not C entries must raise ValueError.")
def any_bias(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, checks="kdrn")


@wrong("reader-not-checked", "A next layer that does not read C channels must raise ValueError.")
def any_reader(weight, bias, next_weight, keep):
    return _remove(weight, bias, next_weight, keep, checks="kdrb")


@wrong(
    "convolution-read-as-flat",
    "A convolution has one input for each channel; 12 inputs do not read 6 channels.",
)
def conv_as_flat(weight, bias, next_weight, keep):
    if next_weight.shape[1] % len(weight):
        raise ValueError("next")
    return _remove(weight, bias, next_weight, keep, checks="kdrb")


@right("empty tensors, filled")
def by_filling(weight, bias, next_weight, keep):
    _checked(weight, bias, next_weight, keep)
    pixels = next_weight.shape[1] // len(weight)
    new = weight.new_empty(len(keep), *weight.shape[1:])
    after = next_weight.new_empty(len(next_weight), len(keep) * pixels, *next_weight.shape[2:])
    entries = None if bias is None else bias.new_empty(len(keep))
    for k, c in enumerate(keep):
        new[k] = weight[c]
        after[:, k * pixels : (k + 1) * pixels] = next_weight[:, c * pixels : (c + 1) * pixels]
        if entries is not None:
            entries[k] = bias[c]
    return new, entries, after


@wrong("float32-results", "The new tensors keep the dtypes of the old ones.")
def float32(weight, bias, next_weight, keep):
    parts = _remove(weight, bias, next_weight, keep)
    return tuple(None if p is None else p.float() for p in parts)


@wrong("bias-in-float32", "The bias keeps its own dtype.")
def float32_bias(weight, bias, next_weight, keep):
    new, b, after = _remove(weight, bias, next_weight, keep)
    return new, None if b is None else b.float(), after


@wrong("one-dtype-for-all", "Each tensor keeps its own dtype; you cast the reader to the layer's.")
def one_dtype(weight, bias, next_weight, keep):
    new, b, after = _remove(weight, bias, next_weight, keep)
    return new, b, after.to(weight.dtype)


@wrong("longer-bias-accepted", "A bias with more entries than channels must raise ValueError.")
def longer_bias(weight, bias, next_weight, keep):
    if bias is not None and len(bias) < len(weight):
        raise ValueError("bias")
    return _remove(weight, bias, next_weight, keep, checks="kdrn")
