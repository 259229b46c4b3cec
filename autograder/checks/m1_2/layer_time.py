"""layer-time: the roofline's time of a linear layer in a format, and what limits it."""

from fractions import Fraction

from autograder.checks import case, expect, refusal

PARTS = {"time": 0.6, "limit": 0.25, "bad input": 0.15}
HINTS = (
    "Three terms of bytes: weights, activations, outputs of 2 bytes each.",
    "2 * tokens * rows * columns operations: a multiplication and an addition each.",
    "bytes / (bandwidth_gb_s * 1e9) seconds, times 1e6 for microseconds.",
)
CHIP = {"bandwidth_gb_s": 2039.0, "rates_tops": {16: 312.0, 8: 624.0}}


def _case(label, part, tokens, rows, columns, widths, chip=CHIP):
    weight_bits, activation_bits = widths
    return case(
        label,
        part,
        layer=[tokens, rows, columns, weight_bits, activation_bits],
        bandwidth_gb_s=chip["bandwidth_gb_s"],
        rates=sorted(chip["rates_tops"].items()),
    )


def cases(rng):
    yield _case("W4A16, one token", "time", 1, 4096, 4096, (4, 16))
    yield _case("W8A8, one token", "time", 1, 4096, 4096, (8, 8))
    yield _case("more rows than columns", "time", 3, 11008, 4096, (4, 8))
    yield _case("W8A16, 2,048 tokens", "time", 2048, 4096, 4096, (8, 16))
    yield _case("five weights of 3 bits", "time", 1, 1, 5, (3, 8))
    for _ in range(4):
        tokens, rows, columns = (int(n) for n in rng.integers(1, 3000, 3))
        weight_bits = int(rng.choice([3, 4, 8, 16]))
        activation_bits = int(rng.choice([8, 16]))
        chip = {
            "bandwidth_gb_s": float(rng.uniform(200, 4000)),
            "rates_tops": {16: float(rng.uniform(50, 900)), 8: float(rng.uniform(100, 1800))},
        }
        label = f"{tokens} tokens, W{weight_bits}A{activation_bits}"
        widths = weight_bits, activation_bits
        yield _case(label, "time", tokens, rows, columns, widths, chip)
    for tokens in (1, 4096):
        for widths in ((16, 16), (4, 16), (8, 8), (4, 8)):
            label = f"W{widths[0]}A{widths[1]}, {tokens} tokens"
            yield _case(label, "limit", tokens, 4096, 4096, widths)
    yield _case("only just", "limit", 220, 4096, 4096, (16, 16))
    old = {"bandwidth_gb_s": 900.0, "rates_tops": {16: 112.0}}
    yield _case("a chip without INT8", "bad input", 8, 64, 64, (8, 8), old)
    yield _case("activations of 4 bits", "bad input", 8, 64, 64, (4, 4))


def probe(solution, layer, bandwidth_gb_s, rates):
    rates = {int(bits): tops for bits, tops in rates}
    if layer[4] in rates:
        return solution(*layer, bandwidth_gb_s, rates)
    return refusal(lambda: solution(*layer, bandwidth_gb_s, rates))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    time_us, limit = expect.sequence(answer, ("time_us", "limit"))
    tokens, rows, columns, weight_bits, activation_bits = case.layer
    moved = Fraction(rows * columns * weight_bits + tokens * columns * activation_bits, 8)
    memory = (moved + 2 * tokens * rows) * 10**6 / (Fraction(case.bandwidth_gb_s) * 10**9)
    rate = Fraction(dict(case.rates)[activation_bits])
    compute = Fraction(2 * tokens * rows * columns * 10**6) / (rate * 10**12)
    expect.number(time_us, float(max(memory, compute)), "time_us", hint=HINTS[0])
    want = "memory" if memory > compute else "compute"
    expect.that(isinstance(limit, str), "`limit` must be a string.", stage="type",
                yours=expect.kind(limit), right=want)  # fmt: skip
    expect.that(limit == want, "`limit` names the wrong side.", yours=limit, right=want,
                hint="It is the larger of the two times that limits.")  # fmt: skip
