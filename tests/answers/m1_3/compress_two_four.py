"""Answers to compress-two-four."""

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _checked(weight, checks="aeft"):
    if "a" in checks and weight.ndim != 2:
        raise ValueError("axes")
    if "e" in checks and not weight.numel():
        raise ValueError("empty")
    if "f" in checks and weight.shape[-1] % 4:
        raise ValueError("four")
    if "t" in checks and (weight.reshape(-1, 4) != 0).sum(-1).gt(2).any():
        raise ValueError("not 2:4")


def _places(groups):
    order = torch.argsort((groups == 0).to(torch.int8), dim=-1, stable=True)
    return order[..., :2].sort(-1).values


def _pack(codes, low_first=True, width=8):
    if codes.shape[1] % 2:
        codes = torch.cat([codes, torch.zeros_like(codes[:, :1])], 1)
    a, b = codes[:, ::2], codes[:, 1::2]
    return (a | b << 4 if low_first else b | a << 4).to(torch.uint8)


def _compress(
    weight, *, places=_places, code=lambda i, j: i | j << 2, low_first=True, checks="aeft",
    order=None, pack=None,
):  # fmt: skip
    _checked(weight, checks)
    groups = weight.reshape(len(weight), -1, 4)
    positions = places(groups)
    taken = order(positions) if order else positions
    values = torch.gather(groups, -1, taken).reshape(len(weight), -1)
    codes = code(positions[..., 0], positions[..., 1])
    return values, pack(codes) if pack else _pack(codes, low_first)


@right("gather and shifts")
def by_gather(weight):
    return _compress(weight)


@right("group by group")
def by_loops(weight):
    if weight.dim() != 2 or 0 in weight.shape or weight.shape[1] % 4:
        raise ValueError("shape")
    values, metadata = [], []
    for row in weight.tolist():
        kept, packed = [], [0] * ((len(row) + 7) // 8)
        for g in range(len(row) // 4):
            group = row[4 * g : 4 * g + 4]
            zeros = [c for c in range(4) if group[c] == 0]
            if len(zeros) < 2:
                raise ValueError("not 2:4")
            i, j = (c for c in range(4) if c not in zeros[len(zeros) - 2 :])
            kept += [group[i], group[j]]
            packed[g // 2] += (i + 4 * j) * (16 if g % 2 else 1)
        values.append(kept)
        metadata.append(packed)
    return [torch.tensor(values, dtype=weight.dtype), torch.tensor(metadata, dtype=torch.uint8)]


@right("top two of a score")
def by_score(weight):
    _checked(weight)
    groups = weight.reshape(len(weight), -1, 4)
    # Non-zeros score 8 to 5, zeros 4 to 1: earlier places first within both.
    score = 4 * (groups != 0).int() + torch.tensor([4, 3, 2, 1])
    first, second = score.topk(2, -1).indices.sort(-1).values.unbind(-1)
    mask = torch.zeros_like(groups, dtype=torch.bool)
    mask.scatter_(-1, torch.stack([first, second], -1), True)
    codes = first + second * 4
    padded = torch.zeros(len(weight), -(-codes.shape[1] // 2) * 2, dtype=torch.int64)
    padded[:, : codes.shape[1]] = codes
    metadata = (padded.unflatten(1, (-1, 2)) * torch.tensor([1, 16])).sum(-1)
    return groups[mask].reshape(len(weight), -1), metadata.byte()


@wrong("high-nibble-first", "The first of two groups belongs in the LOW four bits of its byte.")
def high_first(weight):
    return _compress(weight, low_first=False)


@wrong(
    "positions-swapped-in-the-code",
    "The lower position i is in the two low bits, j in the high ones.",
)
def code_swapped(weight):
    return _compress(weight, code=lambda i, j: j | i << 2)


@wrong("descending-positions", "You store the higher position first; i < j.")
def descending(weight):
    return _compress(weight, places=lambda g: _places(g).flip(-1))


@wrong("values-swapped", "Your values come in the order j, i; the codes say i, j.")
def values_swapped(weight):
    return _compress(weight, order=lambda p: p.flip(-1))


@wrong("sorted-by-size", "You store the larger value first; the order is that of the positions.")
def by_size(weight):
    _checked(weight)
    groups = weight.reshape(len(weight), -1, 4)

    def places(g):
        order = torch.argsort(g.float().abs(), dim=-1, descending=True, stable=True)
        return order[..., :2]

    assert groups.ndim == 3
    return _compress(weight, places=places)


@wrong("zeros-from-the-end", "Zeros fill up from the lowest position; you took the highest.")
def last_zeros(weight):
    def places(g):
        order = torch.argsort((g == 0).int().flip(-1), dim=-1, stable=True)
        return (3 - order[..., :2]).sort(-1).values

    return _compress(weight, places=places)


@wrong(
    "same-position-twice",
    "A group with one non-zero gives you the same position twice; two places are asked.",
)
def same_twice(weight):
    def places(g):
        two = _places(g)
        single = (g != 0).sum(-1) == 1
        only = (g != 0).int().argmax(-1)
        return torch.where(single[..., None], only[..., None].expand_as(two), two)

    return _compress(weight, places=places)


@wrong("zeros-left-out", "A group without non-zeros still has two entries; you gave it code 0.")
def no_code(weight):
    def pack(codes):
        groups = weight.reshape(len(weight), -1, 4)
        return _pack(codes * (groups != 0).any(-1))

    return _compress(weight, pack=pack)


@wrong(
    "bitmask", "You store a bit for each of the four places; two positions of two bits are asked."
)
def bitmask(weight):
    return _compress(weight, code=lambda i, j: (1 << i) | (1 << j))


@wrong("three-bits-apart", "A position takes two bits: the code is i + 4 * j.")
def wide(weight):
    return _compress(weight, code=lambda i, j: (i | j << 3) & 15)


@wrong("not-packed", "One byte a group is twice too much: two groups share a byte.")
def unpacked(weight):
    return _compress(weight, pack=lambda codes: codes.to(torch.uint8))


@wrong("halves-of-the-row", "Neighbouring groups share a byte; you paired the row's two halves.")
def halves(weight):
    def pack(codes):
        if codes.shape[1] % 2:
            codes = torch.cat([codes, torch.zeros_like(codes[:, :1])], 1)
        n = codes.shape[1] // 2
        return (codes[:, :n] | codes[:, n:] << 4).to(torch.uint8)

    return _compress(weight, pack=pack)


@wrong(
    "last-group-dropped",
    "With an odd number of groups the last one is lost; it has a byte of its own.",
)
def dropped(weight):
    def pack(codes):
        n = codes.shape[1] // 2 * 2
        packed = _pack(codes[:, :n]) if n else torch.zeros(len(codes), 0, dtype=torch.uint8)
        return packed

    return _compress(weight, pack=pack)


@wrong(
    "last-group-high", "With an odd number of groups the last one is in the LOW half of its byte."
)
def last_high(weight):
    def pack(codes):
        packed = _pack(codes)
        if codes.shape[1] % 2:
            packed[:, -1] = packed[:, -1] << 4
        return packed

    return _compress(weight, pack=pack)


@wrong("unused-bits-not-zero", "The unused high half of the last byte is 0; yours repeats a code.")
def noisy(weight):
    def pack(codes):
        packed = _pack(codes)
        if codes.shape[1] % 2:
            packed[:, -1] |= packed[:, -1] << 4
        return packed

    return _compress(weight, pack=pack)


@wrong("signed-metadata", "Metadata are uint8; codes above 127 do not fit into int8.")
def signed(weight):
    values, metadata = _compress(weight)
    return values, metadata.to(torch.int16)


@wrong("float-values", "The values keep the weight's dtype.")
def floats(weight):
    values, metadata = _compress(weight)
    return values.double(), metadata


@wrong("three-cut-to-two", "A group with three non-zeros loses one in silence: raise ValueError.")
def cut(weight):
    return _compress(weight, checks="aef")


@wrong(
    "pruned-instead",
    "You prune an illegal group to its two largest; refuse it, the caller decides.",
)
def pruned(weight):
    _checked(weight, "aef")
    groups = weight.reshape(len(weight), -1, 4)
    order = torch.argsort(groups.float().abs(), dim=-1, descending=True, stable=True)[..., :2]
    mask = torch.zeros_like(groups, dtype=torch.bool).scatter_(-1, order, True)
    return _compress((groups * mask).reshape(weight.shape))


@wrong("small-values-are-zeros", "You test |w| > 1e-8; a tiny value is a value.")
def tolerant(weight):
    clean = torch.where(weight.float().abs() > 1e-8, weight, torch.zeros_like(weight))
    return _compress(clean)


@wrong("rest-cut-off", "Columns that fill no group must raise ValueError; you cut them off.")
def rest(weight):
    _checked(weight, "ae")
    n = weight.shape[1] // 4 * 4
    if not n:
        return weight[:, :0], torch.zeros(len(weight), 0, dtype=torch.uint8)
    return _compress(weight[:, :n])


@wrong("axes-not-checked", "A weight without two axes must raise ValueError.")
def any_axes(weight):
    return _compress(weight[None] if weight.ndim == 1 else weight)


@wrong("empty-accepted", "A matrix without entries must raise ValueError.")
def empty(weight):
    if weight.ndim == 2 and not weight.numel():
        return weight[:, : weight.shape[1] // 2], torch.zeros(len(weight), 0, dtype=torch.uint8)
    return _compress(weight)


@right("a table of patterns")
def by_patterns(weight):
    _checked(weight)
    table = {0: (0, 1), 1: (0, 1), 2: (0, 1), 4: (0, 2), 8: (0, 3), 3: (0, 1), 5: (0, 2),
             9: (0, 3), 6: (1, 2), 10: (1, 3), 12: (2, 3)}  # fmt: skip
    groups = weight.reshape(len(weight), -1, 4)
    keys = ((groups != 0).long() * torch.tensor([1, 2, 4, 8])).sum(-1)
    places = torch.tensor([table[k] for k in keys.flatten().tolist()]).reshape(*keys.shape, 2)
    return groups.gather(2, places).flatten(1), _pack(places[..., 0] | places[..., 1] << 2)


def _legal_if(illegal):
    def answer(weight):
        _checked(weight, "aef")
        if illegal(weight):
            raise ValueError("not 2:4")
        return _compress(weight, checks="aef")

    return answer


@wrong("counted-in-the-matrix", "Half of the matrix may be zero and a group still have three.",
       call=True)  # fmt: skip
def in_all():
    return _legal_if(lambda w: int((w != 0).sum()) > w.numel() // 2)


@wrong("counted-in-the-row", "Half of a row may be zero and a group still have three.", call=True)
def in_row():
    return _legal_if(lambda w: bool(((w != 0).sum(1) > w.shape[1] // 2).any()))


@wrong("counted-in-eights", "Four of eight is not two of four: count in each group.", call=True)
def in_eights():
    def illegal(w):
        counts = (w.reshape(len(w), -1, 4) != 0).sum(-1)
        pairs = [p.sum(-1) > 2 * p.shape[-1] for p in counts.split(2, -1)]
        return bool(torch.stack(pairs).any())

    return _legal_if(illegal)


@wrong("positive-counted", "Negative values are non-zeros too.", call=True)
def positive():
    return _legal_if(lambda w: bool(((w.reshape(-1, 4) > 0).sum(-1) > 2).any()))


@wrong("minus-zero-counted", "-0.0 is a zero: w * mask gives it for each removed negative weight.")
def minus_zero(weight):
    _checked(weight, "aef")
    something = (weight != 0) | torch.signbit(weight)
    if (something.reshape(-1, 4).sum(-1) > 2).any():
        raise ValueError("not 2:4")
    return _compress(weight)


@wrong("minus-zero-first", "-0.0 is a zero and takes the place of one: the lowest positions.")
def minus_zero_first(weight):
    def places(groups):
        zero = (groups == 0) & ~torch.signbit(groups)
        return torch.argsort(zero.int(), dim=-1, stable=True)[..., :2].sort(-1).values

    return _compress(weight, places=places)


@wrong("three-axes-accepted", "A weight with three axes must raise ValueError.")
def three_axes(weight):
    return _compress(weight.flatten(0, -2) if weight.ndim > 2 else weight)


@wrong("rows-share-a-byte", "Each row ends with a byte of its own; two rows never share one.")
def rows_share(weight):
    def pack(codes):
        if codes.shape[1] % 2 == 0 or len(codes) % 2:
            return _pack(codes)
        flat = _pack(codes.reshape(1, -1))[0]
        return F.pad(flat, (0, len(codes) * (codes.shape[1] + 1) // 2 - len(flat))).reshape(
            len(codes), -1
        )

    return _compress(weight, pack=pack)
