"""Answers to cuda-table-reads."""

import numpy as np

from autograder.checks.bank import right, wrong


def _active(indices):
    return [i for i in indices if i is not None]


@right("two sets")
def sets(indices):
    lanes = _active(indices)
    return len(set(lanes)), len({i // 8 for i in lanes})


@right("numpy, byte addresses")
def by_numpy(indices):
    lanes = 4 * np.array(_active(indices), np.int64)
    return int(np.unique(lanes).size), int(np.unique(lanes // 32).size)


@wrong("always-one-pass", "Constant memory answers one entry at a time, not all of them.")
def one_pass(indices):
    return int(bool(_active(indices))), sets(indices)[1]


@wrong("a-pass-for-each-lane", "Lanes that ask for the same entry share a pass: it is broadcast.")
def lanes(indices):
    return len(_active(indices)), sets(indices)[1]


@wrong(
    "most-lanes-at-one-entry",
    "You count how many lanes share an entry: those are served together, by one pass.",
)
def crowd(indices):
    active = _active(indices)
    return max((active.count(i) for i in active), default=0), sets(indices)[1]


@wrong(
    "sectors-in-constant-memory", "You count sectors in constant memory; it serves single entries."
)
def sectors_twice(indices):
    s = sets(indices)[1]
    return s, s


@wrong("entries-in-global-memory", "Eight floats share a sector of 32 bytes.")
def entries_twice(indices):
    e = sets(indices)[0]
    return e, e


@wrong(
    "32-entries-a-sector", "You divided the index by 32: a sector has 32 bytes, which are 8 floats."
)
def bytes_for_floats(indices):
    return sets(indices)[0], len({i // 32 for i in _active(indices)})


@wrong("four-entries-a-sector", "A float takes 4 bytes, so a sector holds 8, not 4.")
def four(indices):
    return sets(indices)[0], len({i // 4 for i in _active(indices)})


@wrong("inactive-lanes-at-0", "You read None as entry 0: an inactive lane asks for nothing.")
def none_is_zero(indices):
    return sets([i or 0 for i in indices])


@wrong(
    "entries-over-8",
    "You divided the entries by 8: they share sectors only where they lie together.",
)
def packed(indices):
    entries = sets(indices)[0]
    return entries, -(-entries // 8)


@wrong("from-first-to-last", "You count all sectors between the lowest and the highest entry.")
def span(indices):
    lanes = _active(indices)
    return sets(indices)[0], max(lanes) // 8 - min(lanes) // 8 + 1 if lanes else 0


@wrong("swapped", "You returned the sectors first; the order is constant, sectors.")
def swapped(indices):
    return sets(indices)[::-1]


@wrong("the-first-pass-left-out", "You count the extra passes; the first one counts too.")
def extra(indices):
    entries, s = sets(indices)
    return max(0, entries - 1), s
