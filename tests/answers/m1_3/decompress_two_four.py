"""Answers to decompress-two-four."""

import torch

from autograder.checks.bank import right, wrong


def _checked(values, metadata, checks="vomt"):
    if "v" in checks and (values.ndim != 2 or not values.numel()):
        raise ValueError("values")
    if "o" in checks and values.shape[-1] % 2:
        raise ValueError("odd")
    groups = values.shape[-1] // 2
    if "m" in checks and tuple(metadata.shape) != (len(values), (groups + 1) // 2):
        raise ValueError("metadata shape")
    if "t" in checks and metadata.dtype != torch.uint8:
        raise ValueError("metadata dtype")


def _restore(
    values, metadata, *, low_first=True, split=lambda c: (c & 3, c >> 2), checks="vomt",
    legal=lambda i, j, codes: i < j, cut=True, order=lambda v: v, dtype=None,
):  # fmt: skip
    _checked(values, metadata, checks)
    rows, groups = len(values), values.shape[1] // 2
    nibbles = [metadata.long() & 15, metadata.long() >> 4 & 15]
    codes = torch.stack(nibbles if low_first else nibbles[::-1], -1).flatten(1)
    if not cut and not legal(*split(codes), codes).all():
        raise ValueError("damaged")
    codes = codes[:, :groups]
    i, j = split(codes)
    if not legal(i, j, codes).all():
        raise ValueError("damaged")
    dense = torch.zeros(rows, groups, 4, dtype=dtype or values.dtype)
    pairs = order(values.reshape(rows, groups, 2)).to(dense.dtype)
    dense.scatter_(-1, torch.stack([i, j], -1).clamp(0, 3), pairs)
    return dense.reshape(rows, -1)


@right("scatter")
def by_scatter(values, metadata):
    return _restore(values, metadata)


@right("group by group")
def by_loops(values, metadata):
    if values.dim() != 2 or 0 in values.shape or values.shape[1] % 2:
        raise ValueError("values")
    rows, groups = values.shape[0], values.shape[1] // 2
    if metadata.dtype is not torch.uint8 or metadata.shape != (rows, -(-groups // 2)):
        raise ValueError("metadata")
    dense = torch.zeros(rows, 4 * groups, dtype=values.dtype)
    for r, row in enumerate(metadata.tolist()):
        for g in range(groups):
            code = row[g // 2] >> 4 * (g % 2) & 15
            i, j = code % 4, code // 4
            if i >= j:
                raise ValueError("damaged")
            dense[r, 4 * g + i] = values[r, 2 * g]
            dense[r, 4 * g + j] = values[r, 2 * g + 1]
    return dense


@right("a table of masks")
def by_table(values, metadata):
    _checked(values, metadata)
    table = torch.zeros(16, 4, dtype=torch.bool)
    for i in range(4):
        for j in range(i + 1, 4):
            table[i + 4 * j, [i, j]] = True
    halves = torch.stack([metadata % 16, metadata // 16], 2).reshape(len(values), -1)
    mask = table[halves[:, : values.shape[1] // 2].long()]
    if not (mask.sum(-1) == 2).all():
        raise ValueError("damaged")
    dense = torch.zeros(mask.shape, dtype=values.dtype)
    dense[mask] = values.flatten()
    return dense.flatten(1)


@wrong("high-nibble-first", "The first of two groups is in the LOW four bits of its byte.")
def high_first(values, metadata):
    return _restore(values, metadata, low_first=False, legal=lambda i, j, c: (i < j) | True)


@wrong("positions-swapped", "The two low bits are i, the place of the first value.")
def swapped(values, metadata):
    return _restore(values, metadata, split=lambda c: (c >> 2, c & 3), legal=lambda i, j, c: j < i)


@wrong("values-swapped", "The first value of a group belongs to the lower position.")
def values_swapped(values, metadata):
    return _restore(values, metadata, order=lambda v: v.flip(-1))


@wrong("places-ignored", "You put the two values at the first two places; the metadata say where.")
def ignored(values, metadata):
    _restore(values, metadata)
    pairs = values.reshape(len(values), -1, 2)
    return torch.cat([pairs, torch.zeros_like(pairs)], -1).flatten(1)


@wrong("every-second-place", "You put the values at places 0 and 2; the metadata say where.")
def second(values, metadata):
    dense = torch.zeros_like(_restore(values, metadata))
    dense[:, ::2] = values
    return dense


@wrong("bitmask", "You read the code as a mask of four places; it is two positions of two bits.")
def bitmask(values, metadata):
    _restore(values, metadata)
    rows, groups = len(values), values.shape[1] // 2
    codes = torch.stack([metadata.long() & 15, metadata.long() >> 4], -1).flatten(1)[:, :groups]
    dense = torch.zeros(rows, groups, 4, dtype=values.dtype)
    for r in range(rows):
        for g in range(groups):
            places = [c for c in range(4) if int(codes[r, g]) >> c & 1]
            for c, v in zip(places, values[r, 2 * g : 2 * g + 2].tolist(), strict=False):
                dense[r, g, c] = v
    return dense.flatten(1)


@wrong("one-group-a-byte", "Two groups share a byte; you read one from each.")
def one_each(values, metadata):
    _restore(values, metadata)
    groups = values.shape[1] // 2
    codes = metadata.long().repeat_interleave(2, 1)[:, :groups] & 15
    dense = torch.zeros(len(values), groups, 4, dtype=values.dtype)
    places = torch.stack([codes & 3, codes >> 2], -1)
    return dense.scatter_(-1, places, values.reshape(len(values), groups, 2)).flatten(1)


@wrong("three-bits", "A position takes two bits.")
def three_bits(values, metadata):
    return _restore(
        values, metadata, split=lambda c: (c & 3, c >> 3), legal=lambda i, j, c: (c & 3) < (c >> 2)
    )


@wrong("unused-bits-written", "With an odd number of groups you write a group too many.")
def too_many(values, metadata):
    dense = _restore(values, metadata)
    if values.shape[1] // 2 % 2:
        return torch.cat([dense, torch.zeros(len(dense), 4, dtype=dense.dtype)], 1)
    return dense


@wrong(
    "unused-bits-read",
    "The unused high bits of the last byte are not read; yours refuses what is there.",
)
def unused(values, metadata):
    return _restore(values, metadata, cut=False, legal=lambda i, j, c: (i < j) | (c == 0))


@wrong("float-result", "The matrix has the dtype of the values.")
def floats(values, metadata):
    return _restore(values, metadata, dtype=torch.float64)


@wrong("grouped-shape", "Return (rows, columns), not (rows, groups, 4).")
def grouped(values, metadata):
    return _restore(values, metadata).reshape(len(values), -1, 4)


@wrong("flat", "Return (rows, columns).")
def flat(values, metadata):
    return _restore(values, metadata).flatten()


@wrong("transposed", "You return the transposed matrix.")
def transposed(values, metadata):
    return _restore(values, metadata).T.contiguous()


@wrong("values-returned", "You return the values as they are stored.")
def stored(values, metadata):
    _restore(values, metadata)
    return values.clone()


@wrong("damage-accepted", "A code with i >= j names no two places: raise ValueError.")
def damage(values, metadata):
    return _restore(values, metadata, legal=lambda i, j, c: (i < j) | True)


@wrong("equal-positions-accepted", "i = j names one place for two values: refuse it.")
def equal(values, metadata):
    return _restore(values, metadata, legal=lambda i, j, c: i <= j)


@wrong("order-not-checked", "You refuse i = j only; i > j is damaged as well.")
def different(values, metadata):
    return _restore(values, metadata, legal=lambda i, j, c: i != j)


@wrong("low-nibbles-checked", "You test the low half of each byte only.")
def low_only(values, metadata):
    def legal(i, j, codes):
        good = i < j
        good[:, 1::2] = True
        return good

    return _restore(values, metadata, legal=legal)


@wrong("shape-not-checked", "Metadata of another shape must raise ValueError.")
def any_shape(values, metadata):
    _checked(values, metadata, "vot")
    need = (values.shape[1] // 2 + 1) // 2
    full = torch.full((len(values), need), 0x44, dtype=torch.uint8)
    r, c = min(len(metadata), len(values)), min(metadata.shape[1], need)
    full[:r, :c] = metadata[:r, :c]
    return _restore(values, full)


@wrong(
    "rows-broadcast", "One row of metadata broadcasts over all rows in silence: raise ValueError."
)
def rows(values, metadata):
    if metadata.ndim == 2 and len(metadata) == 1 and values.ndim == 2:
        metadata = metadata.expand(len(values), -1)
    return _restore(values, metadata)


@wrong("dtype-not-checked", "Metadata of another dtype than uint8 must raise ValueError.")
def any_dtype(values, metadata):
    return _restore(values, metadata, checks="vom")


@wrong("odd-values-cut", "An odd number of values in a row must raise ValueError; you cut one off.")
def odd(values, metadata):
    if values.ndim == 2 and values.shape[1] % 2:
        values = torch.cat([values, torch.zeros_like(values[:, :1])], 1)
    return _restore(values, metadata)


@wrong("empty-accepted", "Values without entries must raise ValueError.")
def empty(values, metadata):
    if values.ndim == 2 and not values.numel():
        return torch.zeros(len(values), 2 * values.shape[1], dtype=values.dtype)
    return _restore(values, metadata)


@right("places in the row")
def by_places(values, metadata):
    _checked(values, metadata)
    groups = values.shape[1] // 2
    codes = torch.empty(len(values), 2 * metadata.shape[1], dtype=torch.int64)
    codes[:, ::2], codes[:, 1::2] = metadata & 15, metadata >> 4
    codes = codes[:, :groups]
    if not ((codes & 3) < (codes >> 2)).all():
        raise ValueError("damaged")
    start = 4 * torch.arange(groups)
    places = torch.stack([start + (codes & 3), start + (codes >> 2)], -1).flatten(1)
    return values.new_zeros(len(values), 4 * groups).scatter(1, places, values)


@wrong("zeros-not-checked", "A damaged code is damaged whatever its values are: refuse it.")
def zeros_unchecked(values, metadata):
    _checked(values, metadata)
    pairs = values.reshape(len(values), -1, 2)

    def legal(i, j, codes):
        return (i < j) | (pairs == 0).all(-1)

    return _restore(values, metadata, legal=legal)


def _other_dtypes(*allowed):
    def answer(values, metadata):
        if metadata.dtype in allowed:
            metadata = (metadata.long() & 255).to(torch.uint8)
        return _restore(values, metadata)

    return answer


@wrong("int8-accepted", "int8 metadata are negative from 128 on: uint8 alone is asked.", call=True)
def int8():
    return _other_dtypes(torch.int8)


@wrong("int64-alone-refused", "Every dtype but uint8 is refused, not int64 alone.", call=True)
def small_integers():
    return _other_dtypes(torch.int8, torch.int16, torch.int32, torch.float32)


@wrong("floats-accepted", "Metadata of floats must raise ValueError.", call=True)
def float_metadata():
    return _other_dtypes(torch.float32)


@wrong("bytes-counted", "As many bytes are not the same shape: (2, 3) is not (3, 2).")
def counted(values, metadata):
    _checked(values, metadata, "vot")
    need = (len(values), (values.shape[1] // 2 + 1) // 2)
    if metadata.numel() != need[0] * need[1]:
        raise ValueError("metadata")
    return _restore(values, metadata.reshape(need))


@wrong("three-axes-accepted", "Values with three axes must raise ValueError.")
def three_axes(values, metadata):
    return _restore(values.flatten(0, -2) if values.ndim > 2 else values, metadata)


@wrong("empty-by-length", "Values of shape (3, 0) have a length and no entries: ask numel().")
def by_length(values, metadata):
    if values.ndim == 2 and len(values) and not values.shape[1]:
        return values.clone()
    return _restore(values, metadata)


@wrong("through-float16", "Values pass through float16 and lose digits; keep their dtype.")
def through_half(values, metadata):
    dense = _restore(values, metadata)
    return dense if dense.dtype == torch.int8 else dense.half().to(dense.dtype)
