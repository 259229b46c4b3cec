"""cuda-repack-blocks: NumPy's record array taken apart; sectors against those that the data fill."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, at_most, run

PARTS = {"values": 0.4, "edges": 0.2, "memory": 0.4}
HINTS = (
    "Thread t does word t: record t / 9, word t % 9 of it; 9 * n words in all.",
    "Word 0 is the scale: __uint_as_float(word). Word w > 0 goes to q[8 * record + w - 1].",
)
WORDS = 9


def cases(rng):
    yield _case(rng, "32 blocks", "values", 32, (9,), (32,))
    yield _case(rng, "64 blocks", "values", 64, (3,), (192,))
    n = int(rng.integers(33, 60))
    for label, count, threads in (
        ("one block", 1, 32),
        (f"{n} blocks", n, 64),
        ("threads too many", 10, 256),
    ):
        yield _case(rng, label, "edges", count, (-(-WORDS * count // threads),), (threads,))
    n = 32 * int(rng.integers(8, 12))
    yield _case(rng, f"{n} blocks", "memory", n, (-(-WORDS * n // 128),), (128,))


def _case(rng, label, part, n, grid, block):
    blocks = rng.integers(0, 2**32, (n, WORDS), dtype=np.uint64).astype(np.uint32)
    blocks[:, 0] = rng.uniform(0.001, 2, n).astype(np.float32).view(np.uint32)
    return case(label, part=part, blocks=blocks, grid=grid, block=block)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = len(case.blocks)
    args = (
        ("in", "blocks", case.blocks.ravel()),
        ("out", "scale", np.full(n, np.nan, np.float32)),
        ("out", "q", np.full(8 * n, 0xABABABAB, np.uint32)),
        np.int32(n),
    )
    return run(answer, Launch("repack", case.grid, case.block, args))


def judge(case, answer):
    n = len(case.blocks)
    record = np.dtype([("scale", np.float32), ("q", np.uint32, 8)])
    parts = np.ascontiguousarray(case.blocks).view(record).reshape(n)
    with np.errstate(invalid="ignore"):  # a wrong word may be a signalling NaN
        expect.close(answer["scale"], parts["scale"], "scale", rtol=0)
    expect.codes(answer["q"], parts["q"].ravel(), "q (words)")
    counters = answer["counters"]
    stored = counters["store_bytes"]
    expect.that(
        stored == 36 * n,
        "Each byte is to be written once.",
        yours=f"{stored:,} bytes written",
        right=f"{36 * n:,} bytes",
    )
    if case.part == "memory":
        # One word a thread loads each sector once, or twice where scale and codes are loads of their own.
        filled = 36 * n // 32
        message = "Sectors of the blocks are loaded again: let neighbouring threads read neighbouring words."
        at_most(counters, "load_sectors", 2 * filled, message)
        message = "The stores are scattered: let neighbouring threads write neighbouring words."
        at_most(counters, "store_sectors", 2 * filled, message)
