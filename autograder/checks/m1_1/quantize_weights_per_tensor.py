"""quantize-weights-per-tensor: symmetric codes of four weights, one scale for each tensor."""

from autograder.checks import case
from autograder.checks.oracles import lenet_weights as weights

PARTS = {"8 bits": 0.5, "fewer bits": 0.25, "ties and zeros": 0.25}
HINTS = (
    "Each of the four weights has its own scale: np.abs(weight).max() / qmax.",
    "qmax = 2**(bits - 1) - 1: 127 for 8 bits, 7 for 4.",
    "np.rint(weight / scale).astype(np.int8); astype alone cuts towards zero.",
    "A tensor of zeros has scale 1.0: test for it before you divide.",
)


def cases(rng):
    for label, part, params, bits in weights.ladder(rng):
        yield case(label, part, params=params, bits=bits)


def probe(solution, params, bits):
    return solution(params, bits=bits) if bits != 8 else solution(params)


def judge(case, answer):
    weights.judge(answer, case.params, case.bits, per_channel=False)
