"""Answers to cuda-sectors."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(addresses, size_bytes):
    if size_bytes not in (1, 2, 4, 8, 16) or not 1 <= len(addresses) <= 32:
        raise ValueError("cannot be")
    if any(a is not None and (a < 0 or a % size_bytes) for a in addresses):
        raise ValueError("unaligned")


@right("a set of sector numbers")
def by_set(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len({a // 32 for a in addresses if a is not None})


@right("numpy, every byte")
def by_bytes(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    lanes = np.array([a for a in addresses if a is not None], np.int64)
    every = (lanes[:, None] + np.arange(size_bytes)) // 32
    return int(np.unique(every).size)


@right("sorted, changes counted")
def by_sort(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    lanes = sorted(a for a in addresses if a is not None)
    count, last = 0, -1
    for a in lanes:
        if a // 32 != last:
            count, last = count + 1, a // 32
    return count


def _active(addresses):
    return [a for a in addresses if a is not None]


@wrong(
    "bytes-over-32",
    "You divided the bytes by 32: that is right only where they are contiguous and aligned.",
)
def contiguous(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return -(-len(_active(addresses)) * size_bytes // 32)


@wrong("from-first-to-last", "You count the sectors between the lowest and the highest address.")
def span(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    lanes = _active(addresses)
    return max(lanes) // 32 - min(lanes) // 32 + 1 if lanes else 0


@wrong("one-a-lane", "You count a sector for each lane; lanes may share one.")
def each_lane(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len(_active(addresses))


@wrong("whole-lines", "You count cache lines of 128 bytes; a sector is a quarter of one.")
def lines(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len({a // 128 for a in _active(addresses)})


@wrong(
    "four-sectors-a-line",
    "You take all four sectors of each line; only those that are touched count.",
)
def full_lines(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return 4 * len({a // 128 for a in _active(addresses)})


@wrong("inactive-lanes-at-0", "You read None as address 0: an inactive lane asks for nothing.")
def none_is_zero(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len({(a or 0) // 32 for a in addresses})


@wrong(
    "from-the-first-lane",
    "You count sectors from the first address on: they begin at multiples of 32.",
)
def relative(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    lanes = _active(addresses)
    return len({(a - min(lanes)) // 32 for a in lanes})


@wrong(
    "changes-from-lane-to-lane",
    "You count changes between neighbouring lanes: a sector that comes back counts twice.",
)
def changes(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    count, last = 0, -1
    for a in _active(addresses):
        if a // 32 != last:
            count, last = count + 1, a // 32
    return count


@wrong("elements-for-bytes", "The addresses are in bytes already; you multiplied by the size.")
def scaled(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len({a * size_bytes // 32 for a in _active(addresses)})


@wrong("different-addresses", "You count different addresses, not different sectors.")
def distinct(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len(set(_active(addresses)))


@wrong("nothing-refused", "You refuse nothing: an unaligned access does not exist on a GPU.")
def no_refusal(addresses, size_bytes):
    return len({a // 32 for a in _active(addresses)})


@wrong("size-not-refused", "You refuse addresses, but take any size for an access.")
def any_size(addresses, size_bytes):
    if any(a % max(1, size_bytes) or a < 0 for a in _active(addresses)):
        raise ValueError("unaligned")
    return len({a // 32 for a in _active(addresses)})


@wrong(
    "no-lane-active-first",
    "You return 0 for lanes that are all inactive before you look at the size: refuse first.",
)
def idle_first(addresses, size_bytes):
    if addresses and len(addresses) <= 32 and not _active(addresses):
        return 0
    return by_set(addresses, size_bytes)


@wrong("active-lanes-counted", "A request has at most 32 lanes, whether they are active or not.")
def active_counted(addresses, size_bytes):
    if addresses and not _active(addresses):
        return by_set([None], size_bytes)
    return by_set(_active(addresses), size_bytes)
