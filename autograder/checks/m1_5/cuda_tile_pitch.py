"""cuda-tile-pitch: pitches tried one after another, the banks of every column played pass by pass."""

from autograder.checks import case, expect
from autograder.checks.m1_5.cuda_wavefronts import passes

PARTS = {"floats": 0.35, "narrow": 0.45, "refuse": 0.2}
HINTS = (
    "Try pitch = width, width + 1, ... until every column costs one wavefront.",
    "Column c: lane r reads byte (r * pitch + c) * size_bytes. Columns differ when elements are "
    "narrower than a word.",
)


def cases(rng):
    for width in (32, 31, 1, 16, 64, 33, int(rng.integers(34, 60)) * 2):
        yield case(f"{width} floats", part="floats", width=width, size_bytes=4)
    for width in (32, 1, 2, 3, 4, 16, 33, 37, 64, int(rng.integers(5, 30))):
        yield case(f"{width} codes of 1 byte", part="narrow", width=width, size_bytes=1)
    for width in (32, 1, 2, 33, int(rng.integers(34, 64))):
        yield case(f"{width} elements of 2 bytes", part="narrow", width=width, size_bytes=2)
    for width, size in ((0, 4), (-3, 4), (32, 8), (32, 3), (32, 0)):
        label = f"width {width}, {size} bytes"
        yield case(label, part="refuse", width=width, size_bytes=size)


def probe(solution, width, size_bytes):
    if width < 1 or size_bytes not in (1, 2, 4):
        return refusal(lambda: solution(width, size_bytes))  # noqa: F821
    return solution(width, size_bytes)


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    pitch = case.width
    while worst(pitch, case.width, case.size_bytes) > 1:
        pitch += 1
    expect.integer(answer, pitch, "pitch")


def worst(pitch, width, size):
    """Wavefronts of the worst column."""
    columns = range(
        min(width, 4)
    )  # from the fifth on, words and banks are the first four's, shifted
    return max(passes([(r * pitch + c) * size for r in range(32)]) for c in columns)
