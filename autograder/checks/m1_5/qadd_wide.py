"""qadd-wide: every pair, every tail, every alignment; requests and sectors counted."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import qadd
from autograder.checks.oracles.cuda_runs import Launch, run

KERNEL = "quantized_vector_add_kernel"
BEFORE = 99
PARTS = {"every pair": 0.25, "any length": 0.25, "any alignment": 0.25, "wide": 0.25}
HINTS = (
    "aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0.",
    "Aligned: ((const int4*)a)[thread] for thread < n / 16; the tail code by code.",
    "Not aligned: for (int i = thread; i < n; i += threads), neighbouring lanes on neighbouring codes.",
)
LENGTHS = (1, 15, 16, 17, 31, 33, 511, 513)
# (8, 8, 0): neither the sum nor the exclusive or of the three addresses shows it.
STARTS = ((1, 1, 1), (4, 0, 0), (0, 8, 0), (0, 0, 2), (8, 8, 0), (16, 32, 48), (15, 3, 9))


def cases(rng):
    a, b = qadd.pairs()
    order = rng.permutation(a.size)
    for label, numbers in qadd.EVERY_PAIR.items():
        yield case(f"all 65,536 pairs, {label}", part="every pair", a=a, b=b,
                   p=numbers, starts=(0, 0, 0), threads=256)  # fmt: skip

    def one(label, part, n, starts=(0, 0, 0)):
        p = qadd.drawn(rng, 0.4, 0.3, 0.6)
        return case(
            label, part=part, a=a[order[:n]], b=b[order[:n]], p=p, starts=starts, threads=64
        )

    for n in (*LENGTHS, int(rng.integers(600, 900)) | 1):
        yield one(f"n = {n}", "any length", n)
    for starts in STARTS:
        yield one(f"pointers {starts} past 16", "any alignment", 700, starts)
    yield one("aligned, 4,096 codes", "wide", 4096)
    yield one("aligned, with a tail", "wide", 4096 + 16 * 5 + 7)
    yield one("unaligned, 1,024 codes", "wide", 1024, (1, 1, 1))
    yield one("only `out` unaligned, 1,024 codes", "wide", 1024, (0, 0, 2))


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.a.size
    arrays = [("in", "a", case.a), ("in", "b", case.b), ("out", "out", np.full(n, BEFORE, np.int8))]
    placed = tuple((*array, start) for array, start in zip(arrays, case.starts, strict=True))
    grid = (-(-n // (16 * case.threads)),)
    return run(
        answer,
        Launch(KERNEL, grid, (case.threads,), (*placed, *qadd.numbers(qadd.named(case.p), n))),
    )


def judge(case, answer):
    qadd.judge(answer["out"], case.a, case.b, qadd.named(case.p), "out", BEFORE)
    n, counters = case.a.size, answer["counters"]
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
        for name in ("a", "b"):
            _counted(
                case, n, f"loads from `{name}`", answer["requests"][name], answer["sectors"][name]
            )
        _counted(case, n, "stores", counters["store_requests"], counters["store_sectors"])


def _counted(case, n, what, requests, sectors):
    aligned = not any(start % 16 for start in case.starts)
    # Whole groups: 32 lanes of 16 bytes a request; the tail and the unaligned: 32 codes a request.
    tail = n % 16 if aligned else n
    most = -(-(n - tail) // 512) + -(-tail // 32) + (tail > 0)
    expect.that(
        requests <= most,
        "Move 16 codes with one access where all pointers are multiples of 16."
        if aligned
        else "Without alignment, 32 neighbouring codes are one request.",
        yours=f"{requests} requests for {what}",
        right=f"at most {most}",
    )
    # Each request may begin and end inside a sector.
    limit = n // 32 + 2 * most
    expect.that(
        sectors <= limit,
        "The lanes of a warp are to do neighbouring codes.",
        yours=f"{sectors} sectors for {what}",
        right=f"at most {limit}",
    )
