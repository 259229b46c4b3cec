"""q6-k-dequantize: every byte value, exactly as the gguf package; nothing is rounded twice."""

from autograder.checks import expect, refusal
from autograder.checks.oracles import blocks

KIND = "Q6_K"
PARTS = {"values": 0.6, "edge": 0.25, "refuse": 0.15}
HINTS = (
    "ql = data[0:128], qh = data[128:192], int8 scales = data[192:208], d = data[208:210].",
    "In each half, runs 0 and 1 are low nibbles of 64 bytes of ql, runs 2 and 3 high nibbles.",
    "The code is (low | high << 4) - 32 in a signed type; its scale is number i // 16.",
)
CAUSE = "Look which run of 32 is off: runs differ in the nibble of ql and in the shift of qh."


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
