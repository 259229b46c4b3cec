"""q8-0-dequantize: every byte value, exactly as the gguf package; nothing is rounded twice."""

from autograder.checks import expect, refusal
from autograder.checks.oracles import blocks

KIND = "Q8_0"
PARTS = {"values": 0.6, "edge": 0.25, "refuse": 0.15}
HINTS = (
    "Reshape to (..., m // 34, 34): bytes 0 and 1 are d, the others the codes.",
    "`.copy().view('<f2')` reads d, `.copy().view(np.int8)` the codes.",
    "Multiply as float32, then reshape to (..., m // 34 * 32).",
)
CAUSE = "Codes are signed; weight i is d times code i of its own block."


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
