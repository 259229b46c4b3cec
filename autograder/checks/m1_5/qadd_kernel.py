"""qadd-kernel: every pair of codes against fractions, on watched launches."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import qadd
from autograder.checks.oracles.cuda_runs import Launch, run, written_once

KERNEL = "quantized_vector_add_kernel"
PARTS = {"every pair": 0.5, "zero-points": 0.25, "sizes": 0.25}
HINTS = (
    "int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);",
    "((total + (1 << (shift - 1))) >> shift) + z_out, then clip, then cast.",
)


def cases(rng):
    a, b = qadd.pairs()
    yield _case("all 65,536 pairs", "every pair", a, b, (0.5, 0.2, 0.4, 0, 0, 0), 256)
    order = rng.permutation(a.size)[:2000]
    yield _case(
        "scales of unequal size", "every pair", a[order], b[order], (0.9, 0.003, 0.5, 0, 0, 0), 128
    )
    ties = np.arange(-128, 128).astype(np.int8)
    yield _case(
        "half-way values", "every pair", ties, np.zeros(256, np.int8), (0.5, 0.5, 1.0, 0, 0, 0), 64
    )
    zeros = tuple(int(z) for z in rng.integers(-50, 50, 3))
    yield _case(
        "random zero-points", "zero-points", a[order], b[order], (0.4, 0.3, 0.6, *zeros), 128
    )
    yield _case(
        "extreme zero-points", "zero-points", a[::9], b[::9], (1.0, 1.0, 1.0, -128, 127, 30), 128
    )
    for n in (1, 31, 257, int(rng.integers(300, 600)) | 1):
        yield _case(f"n = {n}", "sizes", a[order][:n], b[order][:n], (0.5, 0.2, 0.4, 1, 2, 3), 64)


def _case(label, part, a, b, arguments, threads):
    return case(label, part=part, a=a, b=b, arguments=arguments, threads=threads)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.a.size
    p = qadd.params(*case.arguments)
    arrays = (("in", "a", case.a), ("in", "b", case.b), ("out", "out", np.full(n, 99, np.int8)))
    grid = (-(-n // case.threads),)
    return run(answer, Launch(KERNEL, grid, (case.threads,), (*arrays, *qadd.numbers(p, n))))


def judge(case, answer):
    want = qadd.add(case.a, case.b, qadd.params(*case.arguments))
    expect.codes(answer["out"], want, "out")
    written_once(
        answer["counters"], want.size, "Each element is to be written once, by its own thread."
    )
