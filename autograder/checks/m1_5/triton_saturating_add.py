"""triton-saturating-add: int64 sums, clipped, with every access watched."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import triton_runs

PARTS = {"whole blocks": 0.3, "saturation": 0.35, "tail": 0.35}
HINTS = (
    "Widen both with .to(tl.int32) before the sum.",
    "tl.minimum(tl.maximum(total, -128), 127), then .to(tl.int8).",
    "One mask, lanes < n, for both loads and for the store.",
)


def cases(rng):
    yield _case(rng, "one program", "whole blocks", 64, 64, 60)
    yield _case(rng, "four programs", "whole blocks", 256, 64, 60)
    yield _case(rng, "smaller blocks", "whole blocks", 256, 32, 60)
    ends = np.int8([127, 127, -128, -128, 127, -128, 1, -1, 100, -100, 64, 63, -64, -65, 0, 0])
    others = np.int8([127, 1, -128, -1, -128, 127, 127, -128, 28, -28, 64, 64, -64, -64, 0, -1])
    yield case("the ends of the range", part="saturation", x=ends, y=others, block=16)
    yield _case(rng, "all of INT8", "saturation", 512, 128, 128)
    for n, block in ((1, 16), (100, 64), (129, 64), (int(rng.integers(300, 400)) | 1, 128)):
        yield _case(rng, f"n = {n}, BLOCK = {block}", "tail", n, block, 128)


def _case(rng, label, part, n, block, reach):
    x, y = rng.integers(-reach, reach, (2, n)).astype(np.int8)
    return case(label, part=part, x=x, y=y, block=block)


def probe(solution, x, y, block):
    from lab.triton_probe import run_kernel

    programs = -(-x.size // block)
    out = np.full(x.size, 99, np.int8)
    return run_kernel(
        solution, (programs,), {"x": x, "y": y}, {"out": out}, (x.size,), {"BLOCK": block}
    )


def judge(case, answer):
    run = triton_runs.started(answer)
    want = np.clip(case.x.astype(np.int64) + case.y, -128, 127).astype(np.int8)
    out = expect.array(run.get("out"), "out", shape=want.shape, dtype=np.int8)
    expect.codes(out, want, "out")
    triton_runs.clean(run, {"x": want.size, "y": want.size, "out": want.size})
    # A program begins where the one before ends: perhaps in the same sector.
    programs = -(-want.size // case.block)
    triton_runs.stored_once(run, "out", want.size, programs, -(-want.size // 32) + programs)
