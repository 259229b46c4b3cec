"""quantize-weights-per-channel: symmetric codes of four weights, one scale per output channel."""

from autograder.checks import case
from autograder.checks.oracles import lenet_weights as weights

PARTS = {"8 bits": 0.5, "fewer bits": 0.25, "ties and zeros": 0.25}
HINTS = (
    "rows = weight.reshape(len(weight), -1): one row for each output channel.",
    "scales = np.abs(rows).max(axis=1) / qmax, shape (out,), float32.",
    "Divide rows by scales[:, None], round, and bring the codes back to weight.shape.",
    "Channels of zeros: np.where(amax > 0, amax / qmax, 1).",
)


def cases(rng):
    for label, part, params, bits in weights.ladder(rng):
        yield case(label, part, params=params, bits=bits)


def probe(solution, params, bits):
    return solution(params, bits=bits) if bits != 8 else solution(params)


def judge(case, answer):
    weights.judge(answer, case.params, case.bits, per_channel=True)
