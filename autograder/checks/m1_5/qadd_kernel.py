"""qadd-kernel: every pair of codes, five sets of parameters, watched launches."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import qadd
from autograder.checks.oracles.cuda_runs import Launch, run, written_once

KERNEL = "quantized_vector_add_kernel"
BEFORE = 99
# All pairs one code a thread take a while, watched; qadd-wide has all five on all pairs.
WHOLE = ("many ties",)
PARTS = {"every pair": 0.5, "zero-points": 0.25, "sizes": 0.25}
HINTS = (
    "int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);",
    "((total + (1 << (shift - 1))) >> shift) + z_out, then clip, then cast.",
)


def cases(rng):
    a, b = qadd.pairs()
    for label, numbers in qadd.EVERY_PAIR.items():
        if label in WHOLE:
            yield _case(f"all 65,536 pairs, {label}", "every pair", a, b, numbers, 256)
            continue
        # An eighth of the pairs, with all of those whose differences are equal.
        some = (a.astype(int) - b - numbers[3] + numbers[4]) % 8 == 0
        yield _case(f"8,192 pairs, {label}", "every pair", a[some], b[some], numbers, 256)
    ties = np.arange(-128, 128).astype(np.int8)
    half = (2**21, 2**21, 22, 0, 0, 0)
    yield _case("half-way values", "every pair", ties, np.zeros(256, np.int8), half, 64)
    order = rng.permutation(a.size)[:2000]
    yield _case(
        "random zero-points", "zero-points", a[order], b[order], qadd.drawn(rng, 0.4, 0.3, 0.6), 128
    )
    extreme = (2**21, 2**21, 21, -128, 127, 30)
    yield _case("extreme zero-points", "zero-points", a[::9], b[::9], extreme, 128)
    for n in (1, 31, 257, int(rng.integers(300, 600)) | 1):
        yield _case(
            f"n = {n}", "sizes", a[order][:n], b[order][:n], qadd.drawn(rng, 0.5, 0.2, 0.4), 64
        )


def _case(label, part, a, b, p, threads):
    return case(label, part=part, a=a, b=b, p=p, threads=threads)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.a.size
    arrays = (("in", "a", case.a), ("in", "b", case.b), ("out", "out", np.full(n, BEFORE, np.int8)))
    grid = (-(-n // case.threads),)
    return run(
        answer,
        Launch(KERNEL, grid, (case.threads,), (*arrays, *qadd.numbers(qadd.named(case.p), n))),
    )


def judge(case, answer):
    qadd.judge(answer["out"], case.a, case.b, qadd.named(case.p), "out", BEFORE)
    n = case.a.size
    written_once(answer["counters"], n, "Each element is to be written once, by its own thread.")
    for name in ("a", "b"):
        requests, sectors = answer["requests"][name], answer["sectors"][name]
        # Thread i at element i: 32 neighbouring codes a request, and they are one sector.
        expect.that(
            requests <= 2 * -(-n // 32) and sectors <= requests,
            "Thread i is to do element i, and no other: then a warp loads 32 neighbouring codes at once.",
            yours=f"{requests} requests, {sectors} sectors for loads from `{name}`",
            right=f"{-(-n // 32)} of each",
        )
