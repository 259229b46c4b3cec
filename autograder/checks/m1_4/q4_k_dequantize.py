"""q4-k-dequantize: every byte value, exactly as the gguf package; nothing is rounded twice."""

from autograder.checks import expect, refusal
from autograder.checks.oracles import blocks

KIND = "Q4_K"
PARTS = {"values": 0.6, "edge": 0.25, "refuse": 0.15}
HINTS = (
    "d = data[0:2], dmin = data[2:4], scales and minima in data[4:16], codes in data[16:144].",
    "Run k of 32 code bytes: low nibbles are sub-block 2k, high nibbles sub-block 2k + 1.",
    "weight = (d * scale) * code - (dmin * minimum), for sub-blocks of 32.",
)
CAUSE = "Weight i belongs to sub-block i // 32; the minimum is subtracted."


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
