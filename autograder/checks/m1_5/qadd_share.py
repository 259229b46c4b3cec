"""qadd-share: bytes and seconds in fractions."""

from fractions import Fraction

from autograder.checks import case, expect, tolerances

PARTS = {"bandwidth": 0.5, "share": 0.3, "refuse": 0.2}
HINTS = (
    "The sum moves 3 bytes for each code, the copy 2 for each byte of its buffer.",
    "1 ms is 1e-3 s, 1 GB 1e9 bytes: bytes / (ms * 1e6) is GB/s.",
)


def cases(rng):
    sizes = [(10**9, 1.0, 10**9, 1.0), (2**28, 0.25, 2**28, 0.18), (2**20, 0.02, 2**28, 0.2)]
    for _ in range(3):
        n, copied = (int(v) for v in rng.integers(10**6, 10**9, 2))
        sizes.append((n, float(rng.uniform(0.05, 5)), copied, float(rng.uniform(0.05, 5))))
    for part in ("bandwidth", "share"):
        for arguments in sizes:
            yield case(f"{arguments[0]} codes", part=part, arguments=arguments)
    for bad in (
        (0, 1.0, 1, 1.0),
        (1, 0.0, 1, 1.0),
        (1, 1.0, 0, 1.0),
        (1, 1.0, 1, -1.0),
        (1, float("nan"), 1, 1.0),
    ):
        yield case(f"{bad}", part="refuse", arguments=bad)


def probe(solution, arguments):
    n, add_ms, copied, copy_ms = arguments
    if n < 1 or copied < 1 or not add_ms > 0 or not copy_ms > 0:
        return refusal(lambda: solution(*arguments))  # noqa: F821
    return solution(*arguments)


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for copy_share{case.label}.")
        return
    gb_s, share = expect.sequence(answer, ("gb_s", "share"))
    n, add_ms, copied, copy_ms = (Fraction(v) for v in case.arguments)
    add, copy = 3 * n / (add_ms * 10**6), 2 * copied / (copy_ms * 10**6)
    if case.part == "bandwidth":
        expect.number(gb_s, float(add), "gb_s", rtol=tolerances.SCALAR)
    else:
        expect.number(share, float(add / copy), "share", rtol=tolerances.SCALAR)
