"""Answers to race-pairs."""

from itertools import combinations

from autograder.checks.bank import right, wrong

KINDS = ("read", "write", "atomic")


def _refuse(accesses):
    for row in accesses:
        if row[3] not in KINDS:
            raise ValueError(f"unknown kind {row[3]!r}")


def _pairs(accesses, races):
    found = set()
    for a, b in combinations(accesses, 2):
        if a[:2] != b[:2] and a[4] == b[4] and races(a, b):
            found.add(tuple(sorted((a[:2], b[:2]))))
    return sorted(found)


def _unsafe(a, b):
    return (a[3], b[3]) not in (("read", "read"), ("atomic", "atomic"))


def _unordered(a, b):
    return a[0] != b[0] or a[2] == b[2]


@right("all pairs")
def pairs(accesses):
    _refuse(accesses)
    return _pairs(accesses, lambda a, b: _unsafe(a, b) and _unordered(a, b))


@right("by address, lists of lists")
def by_address(accesses):
    places = {}
    for block, thread, phase, kind, address in accesses:
        if kind not in KINDS:
            raise ValueError("kind")
        places.setdefault(address, []).append((block, thread, phase, kind))
    found = []
    for rows in places.values():
        for i, (block, thread, phase, kind) in enumerate(rows):
            for other in rows[:i]:
                apart = block != other[0] or (thread != other[1] and phase == other[2])
                if apart and not (kind == other[3] != "write"):
                    pair = sorted([(block, thread), other[:2]])
                    if pair not in found:
                        found.append(pair)
    return sorted(found)


@wrong("only-two-writes", "A read beside a write races too: what it gets depends on the order.")
def writes_only(accesses):
    _refuse(accesses)
    return _pairs(accesses, lambda a, b: a[3] == b[3] == "write" and _unordered(a, b))


@wrong("reads-race", "Two reads do not race: nobody changes anything.")
def reads_too(accesses):
    _refuse(accesses)
    return _pairs(accesses, lambda a, b: not a[3] == b[3] == "atomic" and _unordered(a, b))


@wrong("atomics-race", "Two atomics on one address take turns: they do not race.")
def atomics_too(accesses):
    _refuse(accesses)
    return _pairs(accesses, lambda a, b: not a[3] == b[3] == "read" and _unordered(a, b))


@wrong(
    "an-atomic-orders-everything",
    "An atomic is safe among atomics only: a plain read or write of that address still races with it.",
)
def atomic_safe(accesses):
    _refuse(accesses)
    return _pairs(
        accesses, lambda a, b: _unsafe(a, b) and "atomic" not in (a[3], b[3]) and _unordered(a, b)
    )


@wrong("barriers-ignored", "A barrier orders the threads of a block: different phases do not race.")
def no_phases(accesses):
    _refuse(accesses)
    return _pairs(accesses, _unsafe)


@wrong(
    "barriers-across-blocks",
    "A barrier holds one block: phases of different blocks say nothing about their order.",
)
def global_phases(accesses):
    _refuse(accesses)
    return _pairs(accesses, lambda a, b: _unsafe(a, b) and a[2] == b[2])


@wrong("blocks-do-not-race", "Blocks run at the same time: they race in global memory.")
def same_block(accesses):
    _refuse(accesses)
    return _pairs(accesses, lambda a, b: _unsafe(a, b) and a[0] == b[0] and a[2] == b[2])


@wrong(
    "threads-of-other-blocks-taken-for-one",
    "You compare threadIdx alone: thread 4 of block 0 and of block 2 are two threads.",
)
def index_only(accesses):
    _refuse(accesses)
    return [p for p in pairs(accesses) if p[0][1] != p[1][1]]


@wrong(
    "a-warp-runs-in-step",
    "Lanes of one warp are not ordered either: since Volta each has its own program counter.",
)
def lockstep(accesses):
    _refuse(accesses)
    return _pairs(
        accesses,
        lambda a, b: (
            _unsafe(a, b) and _unordered(a, b) and (a[0] != b[0] or a[1] // 32 != b[1] // 32)
        ),
    )


@wrong(
    "a-thread-with-itself", "A thread's own accesses are in order: it does not race with itself."
)
def itself(accesses):
    _refuse(accesses)
    found = set()
    for a, b in combinations(accesses, 2):
        if a[4] == b[4] and _unsafe(a, b) and _unordered(a, b):
            found.add(tuple(sorted((a[:2], b[:2]))))
    return sorted(found)


@wrong("every-access-listed", "List each pair of threads once, however often it races.")
def repeated(accesses):
    _refuse(accesses)
    return sorted(
        tuple(sorted((a[:2], b[:2])))
        for a, b in combinations(accesses, 2)
        if a[:2] != b[:2] and a[4] == b[4] and _unsafe(a, b) and _unordered(a, b)
    )


@wrong("both-orders", "List each pair once, the smaller (block, thread) first.")
def both(accesses):
    found = pairs(accesses)
    return sorted(found + [(b, a) for a, b in found])


@wrong("neighbours-of-the-list-only", "You compare each access with the next one only.")
def next_only(accesses):
    _refuse(accesses)
    found = set()
    for a, b in zip(accesses, accesses[1:], strict=False):
        if a[:2] != b[:2] and a[4] == b[4] and _unsafe(a, b) and _unordered(a, b):
            found.add(tuple(sorted((a[:2], b[:2]))))
    return sorted(found)


@wrong("addresses-ignored", "Accesses of different addresses do not race.")
def any_address(accesses):
    _refuse(accesses)
    found = set()
    for a, b in combinations(accesses, 2):
        if a[:2] != b[:2] and _unsafe(a, b) and _unordered(a, b):
            found.add(tuple(sorted((a[:2], b[:2]))))
    return sorted(found)


@wrong("no-refusal", "A kind that is neither read, write nor atomic must raise ValueError.")
def unchecked(accesses):
    return _pairs(accesses, lambda a, b: _unsafe(a, b) and _unordered(a, b))


@wrong("unsorted", "Sort the pairs: by the first thread, then by the second.")
def backwards(accesses):
    return pairs(accesses)[::-1]
