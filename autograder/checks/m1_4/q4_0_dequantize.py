"""q4-0-dequantize: every byte value, exactly as the gguf package; nothing is rounded twice."""

from autograder.checks import expect, refusal
from autograder.checks.oracles import blocks

KIND = "Q4_0"
PARTS = {"values": 0.6, "edge": 0.25, "refuse": 0.15}
HINTS = (
    "Reshape to (..., m // 18, 18): bytes 0 and 1 are d, the others the nibbles.",
    "np.concatenate([b & 15, b >> 4], -1) are the 32 nibbles in order.",
    "Subtract 8 in a signed type: uint8 wraps around.",
)
CAUSE = "Byte j holds weight j in its low nibble, weight j + 16 in its high one; the code is nibble - 8."


def cases(rng):
    yield from blocks.cases_to_restore(rng, KIND)


def probe(solution, data, good):
    if good:
        return solution(data)
    return refusal(lambda: solution(data))


def judge(case, answer):
    if case.good:
        blocks.check_restored(KIND, answer, case.data, hint=CAUSE)
        return
    why = f"{case.data.shape[-1]} bytes are no whole number of blocks: raise ValueError."
    expect.raised(answer, "ValueError", why)
