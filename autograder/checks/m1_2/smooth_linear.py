"""smooth-linear: smoothed inputs and weights in integers, exact int32 sums, scales per row."""

import numpy as np

from autograder.checks import case, expect, refusal, tolerances
from autograder.checks.oracles import channel_scales, symmetric

PARTS = {"values": 0.45, "exact sums": 0.2, "4-bit weights": 0.2, "bad input": 0.15}
HINTS = (
    "x / s and w * s first; then max over axis 1 of each gives one scale for each row.",
    "Widen the codes to int32 before the product: int8 wraps, float32 rounds beyond 2**24.",
    "The weights' largest code is 2**(weight_bits - 1) - 1, the activations' always 127.",
)


def _smoothed(rng, shape, bits, spread):
    """Values (rows, K) in float64 that keep their distance from ties, each row of its own width."""
    values = rng.standard_normal(shape) * np.exp(rng.normal(0, spread, (shape[0], 1)))
    for _ in range(2 if values.size else 0):  # a value moved may be the row's largest
        amax = np.abs(values).max(axis=1, keepdims=True)
        moved = symmetric.off_ties(values, symmetric.scale_of(amax, bits)).astype(np.float64)
        values = np.where(np.abs(values) < 0.999 * amax, moved, values)
    return values


def _case(rng, label, part, n, rows, columns, bits=None, dtype=np.float64, zero=()):
    s = np.exp(rng.normal(0, 1.2, columns))
    x, w = _smoothed(rng, (n, columns), 8, 0.8), _smoothed(rng, (rows, columns), bits or 8, 0.8)
    for axis in zero:
        (x, w)[axis][1] = 0
    options = {} if bits is None else {"weight_bits": bits}
    given = {"x": (x * s).astype(dtype), "w": (w / s).astype(dtype), "s": s}
    return case(label, part, **given, options=options)


def _ties(label, bits, part):
    """Rows whose scale is a power of two, halves between the codes; s of powers of two."""
    top = 2 ** (bits - 1) - 1
    w = np.array([[top, 0.5, 1.5, 2.5, -0.5], [-top, -1.5, -2.5, 0.5, 1]]) * [[0.25], [2.0]]
    x = np.array([[127, 0.5, 1.5, 2.5, 100.5], [-127, -0.5, -1.5, 3.5, 64.5]]) * [[0.5], [4.0]]
    s = np.array([1.0, 4.0, 0.5, 2.0, 0.25])
    return case(label, part, x=x * s, w=w / s, s=s, options={"weight_bits": bits})


def _near_ties(label, part):
    """Values 1e-9 of themselves off the halves between the codes: float32 takes them for ties."""
    halves = (np.arange(5) + [0.5, 20.5, 40.5, 60.5, 90.5]) * (
        1 + 1e-9 * np.array([1, -1, 1, -1, 1])
    )
    x = np.array([[127, *halves], [12.7, *(halves * 0.1)], [30, *(halves[::-1] * 30 / 127)]])
    return case(label, part, x=x, w=x[::-1].copy(), s=np.ones(6), options={})


def cases(rng):
    one = {"x": np.array([[2.0, -8.0]]), "w": np.array([[0.3, 0.25]]), "s": np.array([1.0, 4.0])}
    yield case("one token", "values", **one, options={})
    yield _case(rng, "5 tokens", "values", 5, 7, 12)
    yield _case(rng, "as many tokens as outputs", "values", 6, 6, 6)
    yield _case(rng, "float32", "values", 9, 4, 33, dtype=np.float32)
    yield _case(rng, "a row of zeros on each side", "values", 4, 5, 16, zero=(0, 1))
    yield _case(rng, "no tokens", "values", 0, 3, 8)
    yield _case(rng, "a layer", "values", 48, 65, 256)
    yield _ties("exact ties", 8, "values")
    yield _near_ties("close to ties", "values")
    yield from _long(rng)
    yield _case(rng, "4-bit weights", "4-bit weights", 5, 9, 24, bits=4)
    yield _case(rng, "3-bit weights", "4-bit weights", 8, 8, 32, bits=3)
    yield _case(rng, "W4A8 layer", "4-bit weights", 24, 32, 256, bits=4, dtype=np.float32)
    yield _ties("exact ties, 4 bits", 4, "4-bit weights")
    good = {"x": rng.standard_normal((3, 6)), "w": rng.standard_normal((4, 6)), "s": np.ones(6)}
    bad = {
        "x of another width": {"x": good["x"][:, :5]},
        "w of another width": {"w": good["w"][:, :5]},
        "one factor for all": {"s": np.ones(1)},
        "x with one column": {"x": good["x"][:, :1]},
        "w with one column": {"w": good["w"][:, :1]},
        "a factor of 0": {"s": np.array([1, 1, 0.0, 1, 1, 1])},
        "a negative factor": {"s": np.array([1, 1, -2.0, 1, 1, 1])},
    }
    for label, change in bad.items():
        yield case(label, "bad input", **{**good, **change}, options={})


def _long(rng):
    """Sums beyond 2**24, whose last bits float32 loses; and the largest there are."""
    k = 6000
    x = np.where(rng.random((3, k)) < 0.97, 1.0, -1.0) * rng.integers(101, 128, (3, k))
    w = rng.integers(101, 128, (4, k)).astype(np.float64)
    x[:, 0], w[:, 0] = 127, 127
    s = 2.0 ** rng.integers(-2, 3, k)
    yield case("sums beyond 2**24", "exact sums", x=x * s, w=w / s, s=s, options={})
    full = {
        "x": np.full((2, 100_000), -3.0),
        "w": np.full((2, 100_000), 0.7),
        "s": np.ones(100_000),
    }
    yield case("100,000 channels", "exact sums", **full, options={})


def probe(solution, x, w, s, options):
    good = x.shape[1] == w.shape[1] == len(s) and (s > 0).all()
    if good:
        return solution(x, w, s, **options)
    return refusal(lambda: solution(x, w, s, **options))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    acc, y = expect.sequence(answer, ("acc", "y"))
    bits = case.options.get("weight_bits", 8)
    sums, want = channel_scales.integer_linear(case.x, case.w, case.s, bits)
    expect.array(acc, "acc", shape=sums.shape, dtype=np.int32)
    expect.array(y, "y", shape=sums.shape, dtype=np.float32)
    hint = {"exact sums": HINTS[1], "4-bit weights": HINTS[2]}.get(case.part, HINTS[0])
    expect.codes(acc, sums, "acc", hint=hint)
    expect.close(y, want, "y", rtol=tolerances.SCALAR, hint="acc * token scale * output scale.")
