"""qadd-wide: every pair, every tail, every alignment; requests and sectors counted."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import qadd
from autograder.checks.oracles.cuda_runs import Launch, run

KERNEL = "quantized_vector_add_kernel"
PARTS = {"every pair": 0.25, "any length": 0.25, "any alignment": 0.25, "wide": 0.25}
HINTS = (
    "aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0.",
    "Aligned: ((const int4*)a)[thread] for thread < n / 16; the tail code by code.",
    "Not aligned: for (int i = thread; i < n; i += threads), neighbouring lanes on neighbouring codes.",
)
SCALES = (0.5, 0.2, 0.4, 3, -7, 2)


def cases(rng):
    a, b = qadd.pairs()
    order = rng.permutation(a.size)
    yield case("all 65,536 pairs", part="every pair", a=a, b=b, starts=(0, 0, 0), threads=256)
    for n in (1, 15, 16, 17, 31, 33, 511, 513, int(rng.integers(600, 900)) | 1):
        yield _case(f"n = {n}", "any length", a, b, order, n, (0, 0, 0))
    for starts in ((1, 1, 1), (4, 0, 0), (0, 8, 0), (0, 0, 2), (16, 32, 48), (15, 3, 9)):
        yield _case(f"pointers {starts} past 16", "any alignment", a, b, order, 700, starts)
    yield _case("aligned, 4,096 codes", "wide", a, b, order, 4096, (0, 0, 0))
    yield _case("aligned, with a tail", "wide", a, b, order, 4096 + 16 * 5 + 7, (0, 0, 0))
    yield _case("unaligned, 1,024 codes", "wide", a, b, order, 1024, (1, 1, 1))


def _case(label, part, a, b, order, n, starts):
    return case(label, part=part, a=a[order[:n]], b=b[order[:n]], starts=starts, threads=64)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.a.size
    arrays = [("in", "a", case.a), ("in", "b", case.b), ("out", "out", np.full(n, 99, np.int8))]
    placed = tuple((*array, start) for array, start in zip(arrays, case.starts, strict=True))
    grid = (-(-n // (16 * case.threads)),)
    p = qadd.params(*SCALES)
    return run(answer, Launch(KERNEL, grid, (case.threads,), (*placed, *qadd.numbers(p, n))))


def judge(case, answer):
    want = qadd.add(case.a, case.b, qadd.params(*SCALES))
    expect.codes(answer["out"], want, "out")
    n, counters = want.size, answer["counters"]
    for what, bytes_seen, bytes_wanted in (
        ("load", counters["load_bytes"], 2 * n),
        ("store", counters["store_bytes"], n),
    ):
        expect.that(
            bytes_seen == bytes_wanted,
            f"Each byte is to be moved once by a {what}.",
            yours=f"{bytes_seen} bytes",
            right=f"{bytes_wanted} bytes",
        )
    if case.part == "wide":
        _counted(case, n, counters)


def _counted(case, n, counters):
    aligned = not any(start % 16 for start in case.starts)
    # Whole groups: 32 lanes of 16 bytes a request; the tail and the unaligned: 32 codes a request.
    tail = n % 16 if aligned else n
    most = -(-(n - tail) // 512) + -(-tail // 32) + (tail > 0)
    requests = counters["store_requests"]
    expect.that(
        requests <= most,
        "Move 16 codes with one access where all pointers are multiples of 16."
        if aligned
        else "Without alignment, 32 neighbouring codes are one request.",
        yours=f"{requests} requests for stores",
        right=f"at most {most}",
    )
    # Each request may begin and end inside a sector.
    limit = n // 32 + 2 * most
    expect.that(
        counters["store_sectors"] <= limit,
        "The lanes of a warp are to do neighbouring codes.",
        yours=f"{counters['store_sectors']} sectors for stores",
        right=f"at most {limit}",
    )
