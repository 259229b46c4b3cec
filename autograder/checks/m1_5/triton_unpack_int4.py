"""triton-unpack-int4: nibbles opened one by one, in Python integers."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import triton_runs

PARTS = {"codes": 0.4, "scales": 0.3, "odd sizes": 0.3}
HINTS = (
    "Two lanes of results for each byte: 2 * lane and 2 * lane + 1, low nibble first.",
    "(nibble ^ 8) - 8 is the signed code.",
    "The scale of weight i is element i // GROUP, also where a group ends inside a byte.",
)


def cases(rng):
    every = np.arange(256, dtype=np.uint8)
    yield case(
        "every byte",
        part="codes",
        packed=every,
        scale=np.ones(1, np.float32),
        n=512,
        group=512,
        block=64,
    )
    yield _case(rng, "one program", "codes", 64, 64, 32, np.float32(0.5))
    yield _case(rng, "groups of 32", "scales", 256, 32, 32)
    yield _case(rng, "groups of 128", "scales", 512, 128, 64)
    yield _case(rng, "a group of 2", "scales", 64, 2, 16)
    yield _case(rng, "groups of 5", "odd sizes", 60, 5, 16)
    yield _case(rng, "a group for each weight", "odd sizes", 33, 1, 16)
    for n in (1, 31, 101, int(rng.integers(150, 250)) * 2 + 1):
        yield _case(rng, f"{n} weights", "odd sizes", n, 32, 16)
    yield _case(rng, "100 weights, half a block", "odd sizes", 100, 32, 64)


def _case(rng, label, part, n, group, block, scale=None):
    count = -(-n // group)
    scales = (
        rng.uniform(0.01, 3, count).astype(np.float32) if scale is None else np.full(count, scale)
    )
    packed = rng.integers(0, 256, -(-n // 2)).astype(np.uint8)
    return case(label, part=part, packed=packed, scale=scales, n=n, group=group, block=block)


def probe(solution, packed, scale, n, group, block):
    from lab.triton_probe import run_kernel

    return run_kernel(
        solution,
        (-(-packed.size // block),),
        {"packed": packed, "scale": scale},
        {"out": np.full(n, np.nan, np.float32)},
        (n,),
        {"GROUP": group, "BLOCK": block},
    )


def judge(case, answer):
    run = triton_runs.started(answer)
    out = expect.array(run.get("out"), "out", shape=(case.n,), dtype=np.float32)
    want = np.empty(case.n)
    for i in range(case.n):
        nibble = int(case.packed[i // 2]) >> (4 * (i % 2)) & 15
        want[i] = (nibble - 16 * (nibble >= 8)) * float(case.scale[i // case.group])
    expect.close(out, want, "out", rtol=tolerances.SCALAR)
    triton_runs.clean(run, {"packed": case.packed.size, "scale": case.scale.size, "out": case.n})
    triton_runs.stored_once(run, "out", case.n, -(-case.packed.size // case.block))
