"""best-loss-scale: the largest power of two that overflows no float16 gradient."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"values": 0.4, "boundary": 0.3, "edges": 0.3}
HINTS = (
    "Only the largest magnitude matters.",
    "Scaled by 2^k it must stay below 65520, the first value that rounds to infinity.",
    "Try the exponents from max_exponent downwards, or use np.frexp, which is exact.",
)


def cases(rng):
    def one(label, part, gradients, **options):
        gradients = np.asarray(gradients, np.float32)
        return case(label, part=part, gradients=gradients, options=options)

    yield one("a single 1.0", "values", [1.0])
    yield one("the largest is negative", "values", [0.5, -3.0, 1.0])
    for size in (7, 256, (12, 5, 3)):
        sigma = 10.0 ** rng.uniform(-4, 0)
        yield one(f"normal, {sigma:.0e}", "values", rng.normal(0, sigma, size))
    spread = 10 ** rng.uniform(-11, -3, 300) * rng.choice([-1, 1], 300)
    yield one("many decades", "values", spread)
    yield one("larger than float16 holds", "values", [1e6, -2.0])
    yield one("far larger", "values", [3e30, 1.0])
    yield one("tiny: the cap holds", "values", [1e-20, -3e-22])
    yield one("another cap", "values", [0.01, 0.02], max_exponent=10)
    yield one("a cap out of reach", "values", rng.normal(0, 1e-9, 50), max_exponent=60)

    top = np.float32(65520)
    below = np.nextafter(top, np.float32(0))
    for power in (3, 8, 16):
        down = np.float32(2.0**-power)
        yield one(f"65504 / 2^{power}", "boundary", [65504 * down, 0.0])
        yield one(f"just below 65520 / 2^{power}", "boundary", [-below * down, 1e-6])
        yield one(f"exactly 65520 / 2^{power}", "boundary", [top * down, 1e-6])
        yield one(f"65536 / 2^{power}", "boundary", [np.float32(65536) * down])
        yield one(f"just below 65536 / 2^{power}", "boundary", [np.float32(65530) * down])
        yield one(f"32768 / 2^{power}", "boundary", [-np.float32(32768) * down])

    yield one("all zero", "edges", np.zeros(5))
    yield one("all zero, another cap", "edges", np.zeros((2, 2)), max_exponent=12)
    yield one("empty", "edges", np.zeros(0))
    for name in ("inf", "-inf", "nan"):
        yield one(f"contains {name}", "edges", [1.0, float(name), 0.5])


def probe(solution, gradients, options):
    try:
        return {"scale": solution(gradients, **options), "raised": None}
    except ValueError as error:
        return {"scale": None, "raised": "ValueError", "text": str(error)}


def judge(case, answer):
    if not np.isfinite(case.gradients).all():
        expect.raised(answer, "ValueError", "No scale helps a gradient that is not finite: say so.")
        return
    expect.that(
        answer["raised"] is None,
        "These gradients are finite; your code raised ValueError.",
        stage="error",
        yours=answer.get("text", ""),
        right="a scale",
    )
    cap = case.options.get("max_exponent", 24)
    amax = float(np.abs(case.gradients).max()) if case.gradients.size else 0.0
    # Brute force in float64, where a power of two times a float32 is exact.
    want = next(2.0**k for k in range(cap, -300, -1) if amax * 2.0**k < 65520)
    scale = answer["scale"]
    hint = "At your scale the largest gradient becomes {:.6g}; 65520 and more round to infinity."
    reached = amax * float(scale) if isinstance(scale, (int, float)) else float("nan")
    expect.number(scale, want, "scale", hint=hint.format(reached) if amax else "")
