"""gguf-layout: where tensors may lie in the data section."""

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge

PARTS = {"good layouts": 0.4, "alignment and order": 0.35, "the end": 0.25}
HINTS = (
    "Keep the end of the tensor before: the next one may not begin below it.",
    "The alignment holds for the first tensor too.",
    "offset + size, not offset, must stay within available.",
)


def cases(rng):
    def one(label, part, places, alignment, available, fields=()):
        made = case(label, part, places=[tuple(p) for p in places], alignment=alignment,
                    available=available)  # fmt: skip
        made.fields = fields
        return made

    def packed(sizes, alignment, gap=0):
        places, at = [], 0
        for size in sizes:
            places.append((at, size))
            at += size + -size % alignment + gap * alignment
        return places, at

    part = "good layouts"
    for count, alignment in ((1, 32), (2, 8), (5, 32), (9, 64), (40, 32)):
        sizes = [int(n) for n in rng.integers(1, 300, count)]
        places, end = packed(sizes, alignment)
        yield one(f"{count} tensors, alignment {alignment}", part, places, alignment, end)
        tight = sum(places[-1])
        yield one(f"{count} tensors, no padding at the end", part, places, alignment, tight)
    places, end = packed([10, 20, 30], 32, gap=2)
    yield one("gaps between the tensors", part, places, 32, end)
    yield one("a gap before the first", part, [(64, 5)], 32, 69)
    yield one("bytes behind the last", part, [(0, 5)], 32, 1000)
    yield one("sizes that are multiples", part, [(0, 64), (64, 32), (96, 1)], 32, 97)
    yield one("no tensor", part, [], 32, 100)
    yield one("no tensor and no byte", part, [], 32, 0)
    yield one("no tensor, and the data would begin past the end", part, [], 64, -17)
    yield one("sizes beyond 2^32", part, [(0, 2**33), (2**33, 7)], 32, 2**34)

    good, end = packed([40, 50, 60, 70], 32)
    part = "alignment and order"
    for i, shift in ((0, 8), (1, 1), (2, 16), (3, 31)):
        moved = [(o + shift if k == i else o, s) for k, (o, s) in enumerate(good)]
        yield one(f"tensor {i} off by {shift}", part, moved, 32, end + 64, ("offset",))
    yield one(
        "alignment 64 in a layout for 32", part, packed([40, 20, 8], 32)[0], 64, 500, ("offset",)
    )
    swapped = [good[0], good[2], good[1], good[3]]
    yield one("two in the wrong order", part, swapped, 32, end, ("offset",))
    yield one("back to front", part, good[::-1], 32, end, ("offset",))
    yield one("one place for two", part, [(0, 32), (0, 32)], 32, 200, ("offset",))
    yield one(
        "the same place, not neighbours", part, [(0, 32), (32, 32), (0, 32)], 32, 200, ("offset",)
    )
    yield one("one byte of overlap", part, [(0, 33), (32, 8)], 32, 200, ("offset",))
    yield one("a small tensor inside a large one", part, [(0, 500), (64, 4)], 32, 600, ("offset",))
    yield one(
        "inside the one before the last", part, [(0, 500), (512, 8), (256, 8)], 32, 600, ("offset",)
    )
    part = "the end"
    yield one("a byte too long", part, good, 32, sum(good[-1]) - 1, ("offset", "dims"))
    both = [(0, 60), (64, 60)]
    yield one("two that do not fit together, each alone would", part, both, 32, 100, ("offset",))
    yield one("begins at the end", part, [(0, 8), (32, 8)], 32, 32, ("offset",))
    yield one("begins behind the end", part, [(0, 8), (960, 8)], 32, 100, ("offset",))
    yield one("a first tensor that is too long", part, [(0, 101)], 32, 100, ("offset", "dims"))
    for offset in (2**63, 2**64 - 32, 2**64 - 64):
        yield one(f"offset {offset}", part, [(0, 8), (offset, 64)], 32, 1000, ("offset",))
        yield one(f"a first offset {offset}", part, [(offset, 64)], 32, 1000, ("offset",))
    yield one("a size of 2^63 - 1", part, [(0, 2**63 - 1)], 32, 1000, ("offset", "dims"))
    yield one("no data at all", part, [(0, 4)], 32, 0, ("offset", "dims"))
    yield one("the file ends before the data", part, [(0, 4)], 32, -9, ("offset", "dims"))


def probe(solution, places, alignment, available):
    return outcome(lambda: solution(places, alignment, available))


def judge(case, answer):
    if case.fields:
        return gguf_judge.named(answer, case.fields, case.label.capitalize())
    got = gguf_judge.returned(answer, "This is a good layout.")
    want = max(case.available, 0) - sum(size for _, size in case.places)
    return expect.integer(got, want, "unused", hint="Bytes of the data section in no tensor.")
