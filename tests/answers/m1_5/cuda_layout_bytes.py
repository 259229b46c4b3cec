"""Answers to cuda-layout-bytes."""

import struct

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(field_sizes, used, n):
    if n < 1 or not field_sizes or any(s not in (1, 2, 4, 8) for s in field_sizes):
        raise ValueError("cannot be")
    if any(not 0 <= f < len(field_sizes) for f in used):
        raise ValueError("no such field")


def _layout(field_sizes):
    starts, at = [], 0
    for size in field_sizes:
        at = -(-at // size) * size
        starts.append(at)
        at += size
    return starts, -(-at // max(field_sizes)) * max(field_sizes)


def _moved(first, stride, n):
    sectors = 0
    for start in range(0, n, 32):
        sectors += len({(first + stride * i) // 32 for i in range(start, min(n, start + 32))})
    return 32 * sectors


def _answer(field_sizes, used, n, starts, stride):
    aos = sum(_moved(starts[f], stride, n) for f in used)
    return aos, sum(_moved(0, field_sizes[f], n) for f in used)


@right("starts by hand, sets of sectors")
def by_sets(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    return _answer(field_sizes, used, n, *_layout(field_sizes))


@right("struct's native alignment, numpy")
def by_struct(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    letters = ["xbhxixxxq"[s] for s in field_sizes]
    starts = [
        struct.calcsize("@" + "".join(letters[: i + 1])) - s for i, s in enumerate(field_sizes)
    ]
    biggest = "xbhxixxxq"[max(field_sizes)]
    size = struct.calcsize("@" + "".join(letters) + "0" + biggest)
    aos = soa = 0
    for warp in range(0, n, 32):
        lanes = np.arange(warp, min(n, warp + 32))
        for f in used:
            aos += 32 * np.unique((starts[f] + size * lanes) // 32).size
            soa += 32 * np.unique(field_sizes[f] * lanes // 32).size
    return int(aos), int(soa)


@wrong("packed-records", "You left no holes: C begins a field at a multiple of its size.")
def packed(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    starts = [sum(field_sizes[:i]) for i in range(len(field_sizes))]
    return _answer(field_sizes, used, n, starts, sum(field_sizes))


@wrong("no-hole-at-the-end", "The record's size is a multiple of its largest field.")
def no_tail(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    starts, _ = _layout(field_sizes)
    return _answer(field_sizes, used, n, starts, starts[-1] + field_sizes[-1])


@wrong("fields-of-one-width", "You gave every field the width of the largest.")
def widest(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    wide = max(field_sizes)
    starts = [wide * i for i in range(len(field_sizes))]
    return _answer(field_sizes, used, n, starts, wide * len(field_sizes))


@wrong(
    "aligned-to-4",
    "You began every field at a multiple of 4; a field of 1 byte may begin anywhere.",
)
def words(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    starts, at = [], 0
    for size in field_sizes:
        step = max(4, size)
        at = -(-at // step) * step
        starts.append(at)
        at += size
    step = max(4, *field_sizes)
    return _answer(field_sizes, used, n, starts, -(-at // step) * step)


@wrong(
    "sectors-shared-by-fields",
    "You count a sector once for all fields of a record; every field is a request of its own.",
)
def fields_together(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    starts, size = _layout(field_sizes)
    aos = 0
    for warp in range(0, n, 32):
        lanes = range(warp, min(n, warp + 32))
        aos += 32 * len({(starts[f] + size * i) // 32 for f in used for i in lanes})
    return aos, _answer(field_sizes, used, n, starts, size)[1]


@wrong(
    "all-records-whole", "You moved whole records; only sectors that a request touches are moved."
)
def whole(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    starts, size = _layout(field_sizes)
    aos = 32 * -(-size * n // 32) if used else 0
    return aos, _answer(field_sizes, used, n, starts, size)[1]


@wrong("bytes-asked-for", "You count the bytes asked for; memory moves whole sectors.")
def asked(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    starts, size = _layout(field_sizes)
    return _answer(field_sizes, used, n, starts, size)[0], sum(n * field_sizes[f] for f in used)


@wrong(
    "the-last-warp-full", "You let the last warp run all 32 lanes; beyond n there are no records."
)
def full_warps(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    return _answer(field_sizes, used, -(-n // 32) * 32, *_layout(field_sizes))


@wrong("soa-and-aos-swapped", "You returned SoA first; the order is AoS, SoA.")
def swapped(field_sizes, used, n):
    aos, soa = by_sets(field_sizes, used, n)
    return soa, aos


@wrong("sectors-for-bytes", "You return sectors; a sector is 32 bytes.")
def in_sectors(field_sizes, used, n):
    aos, soa = by_sets(field_sizes, used, n)
    return aos // 32, soa // 32


@wrong("all-fields-read", "You count all fields; the kernel reads the used ones only.")
def every(field_sizes, used, n):
    _refuse(field_sizes, used, n)
    return _answer(field_sizes, range(len(field_sizes)), n, *_layout(field_sizes))


@wrong("nothing-refused", "You refuse nothing: no records, no such field or a size of 3 cannot be.")
def no_refusal(field_sizes, used, n):
    try:
        return by_sets(field_sizes, used, n)
    except ValueError:
        return 0, 0


@wrong("sizes-of-used-fields-only", "You refuse sizes among the used fields only: look at all.")
def used_only(field_sizes, used, n):
    if not field_sizes or n < 1 or any(not 0 <= f < len(field_sizes) for f in used):
        raise ValueError("cannot be")
    _refuse([field_sizes[f] for f in used] or [1], (), n)
    return _answer(field_sizes, used, n, *_layout(field_sizes))


@wrong("n-of-0-only", "You refuse n = 0 and let n < 0 through.")
def zero_only(field_sizes, used, n):
    _refuse(field_sizes, used, abs(n))
    return _answer(field_sizes, used, n, *_layout(field_sizes))
