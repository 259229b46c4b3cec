"""race-pairs: all pairs of accesses compared one by one."""

from autograder.checks import case, expect

PARTS = {"one block": 0.5, "blocks": 0.3, "refuse": 0.2}
HINTS = (
    "Two accesses race: same address, different threads, one of them at least no read, not both atomic.",
    "In one block a barrier orders them: they race in the same phase only. Between blocks, in any phase.",
)
NAMES = {"r": "read", "w": "write", "a": "atomic"}


def cases(rng):
    listed = {
        "no access": (),
        "two reads": ("0 0 0 r 5", "0 1 0 r 5"),
        "a write and a read": ("0 3 0 w 5", "0 1 0 r 5"),
        "the same two, a barrier between": ("0 3 0 w 5", "0 1 1 r 5"),
        "read, barrier, write": ("0 1 0 r 5", "0 3 1 w 5"),
        "two barriers between": ("0 3 0 w 5", "0 1 2 r 5"),
        "two writes": ("0 0 0 w 5", "0 7 0 w 5"),
        "different addresses": ("0 0 0 w 5", "0 7 0 w 6"),
        "a thread with itself": ("0 4 0 w 5", "0 4 0 r 5", "0 4 0 a 5"),
        "two atomics": ("0 0 2 a 5", "0 7 2 a 5"),
        "an atomic and a read": ("0 0 2 a 5", "0 7 2 r 5"),
        "an atomic and a write": ("0 9 2 w 5", "0 7 2 a 5"),
        "the same pair twice": ("0 2 0 w 5", "0 1 0 r 5", "0 2 0 w 6", "0 1 0 w 6", "0 1 1 w 6"),
        "two warps": ("0 2 0 w 5", "0 33 0 r 5", "0 34 1 w 5"),
        "lanes of one warp": ("0 2 0 w 5", "0 3 0 r 5"),
    }
    for label, rows in listed.items():
        yield case(label, part="one block", accesses=[_row(r) for r in rows])
    yield case("25 accesses", part="one block", accesses=_drawn(rng, 25, 1))
    between = {
        "two blocks, the same phase": ("0 0 0 w 5", "1 0 0 r 5"),
        "two blocks, later phases": ("0 0 0 w 5", "1 0 3 r 5"),
        "two blocks, atomics": ("0 0 0 a 5", "1 0 3 a 5"),
        "the same thread index": ("2 4 1 w 5", "0 4 1 w 5"),
        "blocks 2 and 10": ("10 0 1 w 5", "2 31 0 w 5", "2 4 0 r 5"),
    }
    for label, rows in between.items():
        yield case(label, part="blocks", accesses=[_row(r) for r in rows])
    yield case("40 accesses, 3 blocks", part="blocks", accesses=_drawn(rng, 40, 3))
    for kind in ("load", "Write", ""):
        rows = [(0, 0, 0, "read", 1), (0, 1, 0, kind, 1)]
        yield case(f"kind {kind!r}", part="refuse", accesses=rows, good=False)
    yield case("one unknown", part="refuse", accesses=[(0, 0, 0, "reads", 1)], good=False)


def _row(text):
    block, thread, phase, kind, address = text.split()
    return int(block), int(thread), int(phase), NAMES[kind], int(address)


def _drawn(rng, count, blocks):
    kinds = rng.choice(list(NAMES.values()), count, p=[0.5, 0.25, 0.25])
    columns = [rng.integers(0, top, count) for top in (blocks, 6, 3, 5)]
    return [
        (int(b), int(t), int(p), str(k), int(a))
        for b, t, p, a, k in zip(*columns, kinds, strict=True)
    ]


def probe(solution, accesses, good=True):
    rows = [tuple(row) for row in accesses]
    return solution(rows) if good else refusal(lambda: solution(rows))  # noqa: F821


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    if not isinstance(answer, (list, tuple)):
        expect.wrong("type", "Return a list of pairs.", yours=expect.kind(answer), right="a list")
    want = _races(case.accesses)
    try:
        got = [tuple((int(b), int(t)) for b, t in (first, second)) for first, second in answer]
    except (TypeError, ValueError):
        expect.wrong(
            "type",
            "A pair is ((block, thread), (block, thread)).",
            yours=expect.show(answer[0]) if len(answer) else "none",
            right=str(want[0] if want else "none"),
        )
    extra = [pair for pair in got if pair not in want]
    missing = [pair for pair in want if pair not in got]
    if extra:
        expect.wrong("values", "This pair does not race.", yours=str(extra[0]), right="not listed")
    if missing:
        expect.wrong("values", "A race is not found.", yours="not listed", right=str(missing[0]))
    expect.that(
        got == want,
        "List every pair once, smaller first, in ascending order.",
        yours=str(got)[:100],
        right=str(want)[:100],
    )


def _races(accesses):
    found = set()
    for a in accesses:
        for b in accesses:
            same_place = a[4] == b[4] and a[:2] < b[:2]
            harmless = a[3] == b[3] and a[3] in ("read", "atomic")
            ordered = a[0] == b[0] and a[2] != b[2]
            if same_place and not harmless and not ordered:
                found.add((a[:2], b[:2]))
    return sorted(found)
