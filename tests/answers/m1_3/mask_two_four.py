"""Answers to mask-two-four."""

import torch

from autograder.checks.bank import right, wrong


def _checked(weight, checks="aef"):
    if "a" in checks and weight.ndim != 2:
        raise ValueError("axes")
    if "e" in checks and not weight.numel():
        raise ValueError("empty")
    if "f" in checks and weight.shape[-1] % 4:
        raise ValueError("four")


def _best(scores, count=2, descending=True):
    order = torch.argsort(scores, dim=-1, descending=descending, stable=True)[..., :count]
    return torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, order, True)


def _groups(weight):
    _checked(weight)
    return weight.abs().reshape(len(weight), -1, 4)


@right("a stable argsort")
def by_argsort(weight):
    return _best(_groups(weight)).reshape(weight.shape)


@right("ranks by comparison")
def by_ranks(weight):
    if weight.dim() != 2 or 0 in weight.shape or weight.shape[1] % 4 != 0:
        raise ValueError("bad")
    g = weight.abs().unflatten(1, (-1, 4))
    larger = (g[..., None, :] > g[..., :, None]).sum(-1)
    earlier = torch.ones(4, 4).tril(-1).bool()
    ties = ((g[..., None, :] == g[..., :, None]) & earlier).sum(-1)
    return (larger + ties < 2).flatten(1)


@right("loops")
def by_loops(weight):
    _checked(weight)
    mask = torch.zeros(weight.shape, dtype=torch.bool)
    for r, row in enumerate(weight.abs().tolist()):
        for start in range(0, len(row), 4):
            for c in sorted(range(start, start + 4), key=lambda c: -row[c])[:2]:
                mask[r, c] = True
    return mask


@wrong("half-of-the-layer", "You keep the largest half of the matrix; each four keeps two.")
def whole(weight):
    _checked(weight)
    flat = _best(weight.abs().flatten()[None], weight.numel() // 2)
    return flat.reshape(weight.shape)


@wrong("half-of-the-row", "You keep the largest half of each row; each four keeps two.")
def rows(weight):
    _checked(weight)
    return _best(weight.abs(), weight.shape[1] // 2)


@wrong(
    "down-the-columns",
    "Groups of four lie along a row, the axis that is summed, not down a column.",
)
def down(weight):
    _checked(weight)
    if len(weight) % 4:
        return by_argsort(weight).flip(0)
    return _best(weight.T.abs().reshape(weight.shape[1], -1, 4)).reshape(weight.T.shape).T


@wrong("signed", "You rank with signs; magnitudes are asked.")
def signed(weight):
    _checked(weight)
    return _best(weight.reshape(len(weight), -1, 4)).reshape(weight.shape)


@wrong("smallest-kept", "You keep the two smallest.")
def smallest(weight):
    return _best(_groups(weight), descending=False).reshape(weight.shape)


@wrong("mask-turned-round", "Your mask is True for what goes; True is what stays.")
def turned(weight):
    return ~by_argsort(weight)


@wrong(
    "one-of-two", "You keep one of every two neighbours: both large ones may stand side by side."
)
def pairs(weight):
    _checked(weight)
    return _best(weight.abs().reshape(len(weight), -1, 2), 1).reshape(weight.shape)


@wrong("four-of-eight", "You keep four of every eight; each four keeps two.")
def eight(weight):
    _checked(weight)
    if weight.shape[1] % 8:
        return by_argsort(weight)
    return _best(weight.abs().reshape(len(weight), -1, 8), 4).reshape(weight.shape)


@wrong("one-of-four", "You keep one of each four; two stay.")
def one(weight):
    return _best(_groups(weight), 1).reshape(weight.shape)


@wrong("every-second", "You keep fixed places; the two largest magnitudes stay.")
def fixed(weight):
    _checked(weight)
    mask = torch.zeros(weight.shape, dtype=torch.bool)
    mask[:, ::2] = True
    return mask


@wrong("strided-groups", "Four NEIGHBOURS make a group; yours are columns/4 apart.")
def strided(weight):
    _checked(weight)
    g = weight.abs().reshape(len(weight), 4, -1).transpose(1, 2)
    return _best(g).transpose(1, 2).reshape(weight.shape)


@wrong("threshold-with-ties", "A threshold keeps all tied weights of a group; exactly two stay.")
def threshold(weight):
    g = _groups(weight)
    second = g.sort(dim=-1).values[..., 2:3]
    return (g >= second).reshape(weight.shape)


@wrong(
    "zeros-dropped", "Your mask leaves out weights that are 0; exactly two of each four are True."
)
def no_zeros(weight):
    return by_argsort(weight) & (weight != 0)


@wrong("last-of-the-ties", "Of equal magnitudes the lower column stays; you keep the higher one.")
def last(weight):
    return _best(_groups(weight).flip(-1)).flip(-1).reshape(weight.shape)


@wrong("masked-weight", "You return the pruned weight; the mask is asked.")
def product(weight):
    return weight * by_argsort(weight)


@wrong("float-mask", "Your mask holds floats; a bool tensor is asked.")
def floats(weight):
    return by_argsort(weight).float()


@wrong("grouped-shape", "Give the mask the weight's shape, not (rows, groups, 4).")
def grouped(weight):
    return _best(_groups(weight))


@wrong(
    "rest-left-dense",
    "Columns that fill no group of four must raise ValueError, not stay dense in silence.",
)
def rest(weight):
    _checked(weight, "ae")
    cut = weight.shape[1] // 4 * 4
    mask = torch.ones(weight.shape, dtype=torch.bool)
    if cut:
        mask[:, :cut] = by_argsort(weight[:, :cut])
    return mask


@wrong(
    "groups-across-rows",
    "You cut the whole matrix into fours; a group that runs over a row's end must be refused.",
)
def across(weight):
    _checked(weight, "ae")
    if weight.numel() % 4:
        raise ValueError("four")
    return _best(weight.abs().reshape(-1, 4)).reshape(weight.shape)


@wrong("axes-not-checked", "A weight without two axes must raise ValueError.")
def any_axes(weight):
    _checked(weight, "ef")
    return _best(weight.abs().reshape(-1, 4)).reshape(weight.shape)


@wrong("empty-accepted", "A matrix without entries must raise ValueError.")
def empty(weight):
    _checked(weight, "af")
    if not weight.numel():
        return torch.zeros(weight.shape, dtype=torch.bool)
    return by_argsort(weight)


@right("ranks below two")
def by_rank_of_rank(weight):
    groups = _groups(weight)
    ranks = groups.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1, stable=True)
    return (ranks < 2).flatten(1)


@wrong("ranked-in-float32", "Two float64 weights may be one in float32: rank them as they are.")
def float32_rank(weight):
    return by_argsort(weight.float())


@wrong("squares", "The square of a tiny weight is 0 in float32; compare |w|.")
def squares(weight):
    _checked(weight)
    return _best(weight.square().reshape(len(weight), -1, 4)).reshape(weight.shape)
