"""cuda-unpack-int4: nibbles opened in Python integers, bytes loaded once by the counters."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, own_elements, run, written_once

PARTS = {"codes": 0.35, "scales": 0.3, "odd sizes": 0.2, "each byte once": 0.15}
HINTS = (
    "(nibble ^ 8) - 8 restores the sign.",
    "scale[w / group] for each of the two weights: a group may end inside a byte.",
    "Guard the second weight of the last byte: 2 * i + 1 < n.",
)


def cases(rng):
    every = np.arange(256, dtype=np.uint8)
    ones = np.ones(1, np.float32)
    yield case(
        "every byte",
        part="codes",
        packed=every,
        scale=ones,
        n=512,
        group=512,
        grid=(4,),
        block=(64,),
    )
    yield _case(rng, "one scale", "codes", 128, 128, (2,), (32,))
    yield _case(rng, "groups of 32", "scales", 256, 32, (4,), (32,))
    yield _case(rng, "groups of 5", "scales", 60, 5, (1,), (32,))
    yield _case(rng, "a scale for each weight", "scales", 40, 1, (1,), (32,))
    # n a multiple of group: the padding's own scale would lie beyond the end.
    for n, group in ((1, 1), (63, 7), (int(rng.integers(60, 120)) * 2 + 1, 16)):
        yield _case(rng, f"{n} weights", "odd sizes", n, group, (-(-n // 64),), (32,))
    yield _case(rng, "loads counted", "each byte once", 512, 64, (4,), (64,))


def _case(rng, label, part, n, group, grid, block):
    packed = rng.integers(0, 256, (n + 1) // 2).astype(np.uint8)
    scale = rng.uniform(0.01, 3, -(-n // group)).astype(np.float32)
    return case(
        label, part=part, packed=packed, scale=scale, n=n, group=group, grid=grid, block=block
    )


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    args = (
        ("in", "packed", case.packed),
        ("in", "scale", case.scale),
        ("out", "x", np.full(case.n, np.nan, np.float32)),
        np.int32(case.n),
        np.int32(case.group),
    )
    return run(answer, Launch("unpack", case.grid, case.block, args))


def judge(case, answer):
    want = np.empty(case.n)
    for i in range(case.n):
        nibble = int(case.packed[i // 2]) >> (4 * (i % 2)) & 15
        want[i] = (nibble - 16 * (nibble >= 8)) * float(case.scale[i // case.group])
    expect.close(answer["x"], want, "x", rtol=1e-6)
    written_once(answer["counters"], case.n, "Each weight is to be written once.", 4)
    if case.part == "each byte once":
        # A scale for each weight may be loaded besides: 4 bytes for every half byte.
        loaded = answer["loads"]["packed"]
        expect.that(
            loaded == case.packed.size,
            "Each packed byte is to be loaded once.",
            yours=f"{loaded} bytes loaded",
            right=f"{case.packed.size} bytes loaded",
        )
        own_elements(
            answer,
            "x",
            lambda lane: [2 * lane, 2 * lane + 1],
            "Thread i of the launch is to do byte i.",
        )
