"""bits-for-sqnr: the fewest bits whose predicted SQNR reaches a target."""

import math

from autograder.checks import case, expect

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "Uniform rounding noise has the power scale**2 / 12, and scale = amax / qmax.",
    "So sqnr_db = 10 * log10(12 * (qmax / amax_over_rms)**2), with qmax = 2**(bits - 1) - 1.",
    "Try bits = 2, 3, 4, ... and return the first that reaches the target.",
)
CLEARANCE_DB = 0.05  # random targets keep this distance from every prediction


def cases(rng):
    yield case("40 dB, crest 4", part="values", target_db=40.0, amax_over_rms=4.0)
    for low, high in ((15, 30), (30, 45), (45, 60), (60, 85)):
        target, crest = _target(rng, low, high)
        yield case(f"{low} to {high} dB", part="values", target_db=target, amax_over_rms=crest)
    for bits in (
        4,
        7,
        8,
        11,
    ):  # just reached, just missed: where an approximation gives itself away
        for side in (-0.004, 0.004):
            crest = float(rng.uniform(2, 8))
            label = f"{'just below' if side < 0 else 'just above'} what {bits} bits give"
            target = _predict(bits, crest) + side
            yield case(label, part="values", target_db=target, amax_over_rms=crest)
    crest = float(rng.uniform(3, 5))  # the approximations 2**(b-1) and 2**(b-1) - 0.5 part here
    target = _predict(4, crest) + 0.8
    yield case("0.8 dB more than 4 bits give", part="values", target_db=target, amax_over_rms=crest)
    yield case("a full-scale sine", part="values", target_db=50.0, amax_over_rms=math.sqrt(2))
    yield case("one outlier", part="values", target_db=30.0, amax_over_rms=60.0)
    yield case("even 2 bits are enough", part="edges", target_db=-30.0, amax_over_rms=4.0)
    yield case(
        "just out of reach of 2 bits",
        part="edges",
        target_db=_predict(2, 3.0) + 0.01,
        amax_over_rms=3.0,
    )
    yield case(
        "within reach of 2 bits", part="edges", target_db=_predict(2, 3.0) - 0.01, amax_over_rms=3.0
    )
    yield case("more than 16 bits", part="edges", target_db=131.0, amax_over_rms=5.0)
    far = float(rng.uniform(230, 270))  # no machine needs it; the loop must not care
    yield case("more than 32 bits", part="edges", target_db=far, amax_over_rms=3.0)


def probe(solution, target_db, amax_over_rms):
    return solution(target_db, amax_over_rms)


def judge(case, answer):
    # The inverse of the formula: qmax must reach amax_over_rms * 10**(dB / 20) / sqrt(12).
    need = case.amax_over_rms * 10 ** (case.target_db / 20) / math.sqrt(12)
    want = max(2, math.ceil(1 + math.log2(need + 1)))
    hint = (
        f"{want} bits are predicted to give {_predict(want, case.amax_over_rms):.2f} dB; "
        f"the target is {case.target_db:.2f} dB."
    )
    expect.integer(answer, want, "bits", hint=hint)


def _predict(bits, crest):
    return 10 * math.log10(12) + 20 * (math.log10(2 ** (bits - 1) - 1) - math.log10(crest))


def _target(rng, low, high):
    """A target and a crest factor with clearance from the prediction of every width."""
    while True:
        target, crest = float(rng.uniform(low, high)), float(rng.uniform(2.5, 6))
        gaps = [abs(target - _predict(bits, crest)) for bits in range(2, 24)]
        if min(gaps) > CLEARANCE_DB:
            return target, crest
