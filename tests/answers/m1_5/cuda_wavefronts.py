"""Answers to cuda-wavefronts."""

from collections import Counter

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(addresses, size_bytes):
    if size_bytes not in (1, 2, 4) or not 1 <= len(addresses) <= 32:
        raise ValueError("cannot be")
    if any(a is not None and (a < 0 or a % size_bytes) for a in addresses):
        raise ValueError("unaligned")


def _words(addresses):
    return {a // 4 for a in addresses if a is not None}


@right("different words, counted by bank")
def by_counter(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return max(Counter(w % 32 for w in _words(addresses)).values(), default=0)


@right("numpy")
def by_numpy(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    words = np.unique([a // 4 for a in addresses if a is not None])
    if not words.size:
        return 0
    return int(np.bincount(words.astype(int) % 32).max())


@right("a list for each bank")
def by_lists(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    banks = [[] for _ in range(32)]
    for a in addresses:
        if a is not None and a // 4 not in banks[a // 4 % 32]:
            banks[a // 4 % 32].append(a // 4)
    return max(len(bank) for bank in banks)


@wrong("broadcast-forgotten", "Lanes that want the same word are served together.")
def no_broadcast(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return max(Counter(a // 4 % 32 for a in addresses if a is not None).values(), default=0)


@wrong("banks-of-bytes", "You took address % 32 for the bank: banks go by words of 4 bytes.")
def byte_banks(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    active = {a for a in addresses if a is not None}
    return max(Counter(a % 32 for a in active).values(), default=0)


@wrong(
    "different-addresses",
    "You count different addresses: bytes of one word come together.",
)
def addresses_apart(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    active = {a for a in addresses if a is not None}
    return max(Counter(a // 4 % 32 for a in active).values(), default=0)


@wrong("conflicts-only", "You count the extra wavefronts; the first one counts too.")
def extra(addresses, size_bytes):
    return max(0, by_counter(addresses, size_bytes) - 1)


@wrong("16-banks", "There are 32 banks.")
def sixteen(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return max(Counter(w % 16 for w in _words(addresses)).values(), default=0)


@wrong("banks-used", "You count the banks that are used; the busiest one decides.")
def used(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len({w % 32 for w in _words(addresses)})


@wrong("words-over-32", "You divided the words by 32, as if they spread evenly over the banks.")
def even(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return -(-len(_words(addresses)) // 32)


@wrong("banks-in-conflict", "You count banks that have a conflict; their passes run side by side.")
def in_conflict(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    counts = Counter(w % 32 for w in _words(addresses)).values()
    return sum(c > 1 for c in counts) + int(bool(counts))


@wrong("all-conflicts-added", "You added up the extra words of all banks; banks work side by side.")
def added(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    counts = Counter(w % 32 for w in _words(addresses)).values()
    return sum(c - 1 for c in counts) + int(bool(counts))


@wrong("never-zero", "With no lane active nothing is asked for: 0.")
def never_zero(addresses, size_bytes):
    return max(1, by_counter(addresses, size_bytes))


@wrong("inactive-lanes-at-0", "You read None as address 0: an inactive lane asks for nothing.")
def none_is_zero(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return by_counter([a or 0 for a in addresses], size_bytes)


@wrong("sectors", "You counted 32-byte sectors: shared memory has banks instead.")
def sectors(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    return len({a // 32 for a in addresses if a is not None})


@wrong("banks-by-size", "A bank's word has 4 bytes, whatever the access is.")
def by_size(addresses, size_bytes):
    _refuse(addresses, size_bytes)
    words = {a // size_bytes for a in addresses if a is not None}
    return max(Counter(w % 32 for w in words).values(), default=0)


@wrong("nothing-refused", "You refuse nothing: sizes other than 1, 2 and 4 follow other rules.")
def no_refusal(addresses, size_bytes):
    return max(Counter(w % 32 for w in _words(addresses)).values(), default=0)


@wrong(
    "no-lane-active-first",
    "You return 0 for lanes that are all inactive before you look at the size: refuse first.",
)
def idle_first(addresses, size_bytes):
    if addresses and len(addresses) <= 32 and not _words(addresses):
        return 0
    return by_counter(addresses, size_bytes)
