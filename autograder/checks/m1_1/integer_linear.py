"""integer-linear: int8 inputs and weights, int32 sums and bias, int8 outputs, one multiplier a channel."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import integers

PARTS = {"layer": 0.6, "bit for bit": 0.4}
HINTS = (
    "Widen before you subtract: x_q.astype(np.int32) - x_zero_point.",
    "acc = x @ w.T + bias, in int32 or wider; acc has shape (N, O).",
    "m0 and shift have one entry for each output channel, which is acc's last axis.",
    "n = 31 + shift as int64; (acc64 * m0 + (np.int64(1) << (n - 1))) >> n.",
)


def cases(rng):
    yield _layer(rng, "one weight", 1, 1, 1, 0, 0)
    yield _layer(rng, "3 rows, 7 inputs, 5 outputs", 3, 7, 5, 0, 0)
    yield _layer(rng, "square", 8, 8, 8, -5, 12)
    yield _layer(rng, "x_zero_point -128, as after a ReLU", 6, 32, 10, -128, -128)
    yield _layer(rng, "x_zero_point 127", 5, 33, 9, 127, -7)
    yield _layer(rng, "a layer of 1,024 inputs", 4, 1024, 48, -11, 4)
    yield _small_codes(rng)
    yield from _bit_for_bit(rng)


def _layer(rng, label, n, k, o, x_zero_point, y_zero_point, part="layer", reach=70.0):
    """Random codes, and multipliers that spread the outputs over int8, some of them clipped."""
    x_q = rng.integers(-128, 128, (n, k)).astype(np.int8)
    w_q = rng.integers(-127, 128, (o, k)).astype(np.int8)
    size = np.sqrt(k) * 74 * np.hypot(74, x_zero_point)
    bias = rng.integers(-size, size, o).astype(np.int32)
    m0, shift = integers.multipliers(np.minimum(reach / size * rng.uniform(0.4, 1.6, o), 0.9))
    return _case(label, part, x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point)


def _small_codes(rng):
    """Sums of a few steps with shifts 0 and 1, where half a step still fits in 32 bits."""
    x_q, w_q = rng.integers(-3, 4, (12, 9)), rng.integers(-3, 4, (6, 9))
    m0, shift = integers.multipliers(rng.uniform(0.26, 0.95, 6))
    label = "small codes, multipliers above 1/4"
    return _case(label, "layer", x_q, w_q, rng.integers(-9, 10, 6), 2, m0, shift, -3)


def _case(label, part, x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return case(
        label,
        part,
        x_q=np.asarray(x_q, np.int8),
        w_q=np.asarray(w_q, np.int8),
        bias=np.asarray(bias, np.int32),
        x_zero_point=x_zero_point,
        m0=np.asarray(m0, np.int32),
        shift=np.asarray(shift, np.int32),
        y_zero_point=y_zero_point,
    )


def _bit_for_bit(rng):
    part = "bit for bit"
    halves = np.arange(-60, 60)[:, None]
    shift = np.array([0, 1, 2])
    yield _case("half-way sums", part, halves, [[1]] * 3, [0, 0, 0], 0, [2**30] * 3, shift, 3)
    yield _layer(rng, "wide spread: clipped", 20, 64, 12, 3, 90, part, 300.0)
    yield _layer(rng, "many outputs", 64, 48, 40, 17, -2, part)
    yield _large_sums(rng)
    yield _float64_is_short(rng)


def _large_sums(rng):
    """The bias cancels a product sum beyond 2**24: float32 would have lost the last bits."""
    k, o = 4096, 6
    x_q = rng.integers(90, 128, (3, k))
    w_q = rng.integers(90, 128, (o, k))
    sums = integers.linear_sums(x_q[:1], w_q, np.zeros(o), -128)[0]
    x_q[1:] = x_q[0]
    x_q[1, 0] -= 1
    x_q[2, 5] -= 1
    bias = rng.integers(-30, 30, o) - sums
    m0, shift = integers.multipliers(rng.uniform(0.6, 0.95, o))
    label = "large sums, cancelled by the bias"
    return _case(label, "bit for bit", x_q, w_q, bias, -128, m0, shift, 0)


def _float64_is_short(rng):
    """Bias as in the check of requantize: the product of sum and m0 needs more than 53 bits."""
    s = np.array([9, 11, 13, 15])
    b = rng.integers(3, 16, 4)
    shift = np.full(4, 24)
    label = "closer to half-way than float64 can tell"
    x_q, w_q = [[-4], [-3]], np.ones((4, 1))
    return _case(label, "bit for bit", x_q, w_q, s * 2**27 - b, -4, s * 2**27 + b, shift, -1)


def probe(solution, x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point):
    return solution(x_q, w_q, bias, x_zero_point, m0, shift, y_zero_point)


def judge(case, answer):
    n, o = len(case.x_q), len(case.w_q)
    expect.array(answer, "the result", shape=(n, o), dtype=np.int8)
    acc = integers.linear_sums(case.x_q, case.w_q, case.bias, case.x_zero_point)
    want = integers.requantize(acc, case.m0, case.shift, case.y_zero_point)
    bad = np.argwhere(answer != want)
    hint = ""
    if len(bad):
        row, channel = bad[0]
        m = case.m0[channel] / 2.0 ** (31 + case.shift[channel])
        hint = (
            f"There the int32 sum with bias is {acc[row, channel]}, the multiplier {m:.6g} (m0 "
            f"{case.m0[channel]}, shift {case.shift[channel]}), y_zero_point {case.y_zero_point}; "
            "sum times m0 needs int64."
        )
    expect.codes(answer, want, "the result", hint=hint)
