"""chunked-sum: the order of a split reduction, bit for bit.

The oracle adds in float64 and rounds each addition to float32: exact for one addition of two float32
numbers, because 53 >= 2 * 24 + 2 bits make the double rounding harmless.
"""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"order": 0.8, "edges": 0.2}
HINTS = (
    "np.sum adds pairwise; a loop over np.float32 numbers adds from left to right.",
    "range(0, len(x), chunk) starts each worker's run; the last slice may be shorter.",
    "Keep the partial sums in float32 too.",
)


def _left_to_right(values) -> np.float32:
    total = np.float32(0)
    for value in values:
        total = np.float32(np.float64(total) + np.float64(value))
    return total


def _oracle(x, chunk):
    return _left_to_right([_left_to_right(x[i : i + chunk]) for i in range(0, len(x), chunk)])


def cases(rng):
    steps = np.array([1.0, 2.0**-24, 2.0**-24, 2.0**-24], np.float32)
    for chunk in (4, 2, 1, 3):
        yield case(f"the example, chunk {chunk}", part="order", x=steps, chunk=chunk)
    for count, chunk in ((1000, 64), (1000, 10), (777, 50), (2048, 256), (500, 500), (500, 7)):
        for kind in ("normal", "positive", "wide"):
            x = rng.standard_normal(count)
            if kind == "positive":
                x = np.abs(x)
            if kind == "wide":
                x = x * np.exp(4 * rng.standard_normal(count))
            x = x.astype(np.float32)
            yield case(f"{count} {kind}, chunks of {chunk}", part="order", x=x, chunk=chunk)
    x = rng.standard_normal(40).astype(np.float32)
    yield case("nothing", part="edges", x=x[:0], chunk=4)
    yield case("one number", part="edges", x=x[:1], chunk=4)
    yield case("a chunk beyond the end", part="edges", x=x, chunk=1000)
    yield case("every second value", part="edges", x=x[::2].copy(), chunk=3)
    for chunk in (0, -3):
        yield case(f"chunk {chunk}", part="edges", x=x, chunk=chunk, refused=True)


def probe(solution, x, chunk, refused=False):
    return refusal(lambda: solution(x, chunk)) if refused else solution(x, chunk)


def judge(case, answer):
    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", "Refuse a chunk below 1 with a ValueError.")
    want = float(_oracle(case.x, case.chunk))
    value = expect.number(answer, want, "the sum", rtol=1.0, atol=1e30)  # its type; bits come next
    return expect.that(
        value == want,
        "The sum differs: another order, or another width.",
        yours=f"{value:.17g}",
        right=f"{want:.17g}",
        hint=f"Bit for bit: yours minus ours is {value - want:.3g}.",
    )
