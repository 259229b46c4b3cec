"""accumulator-overflow: the smallest number of products that can leave a signed accumulator."""

from autograder.checks import case, expect, refusal

PARTS = {"int8 operands": 0.6, "other ranges": 0.4}
HINTS = (
    "The extreme products are among the four corners: min*min, min*max, max*min, max*max.",
    "A signed accumulator of b bits holds -2**(b-1) to 2**(b-1) - 1: the two ends differ.",
    "For the largest product p > 0: the smallest k with k * p > 2**(b-1) - 1.",
    "For the smallest product p < 0: the smallest k with k * p < -2**(b-1). Take the smaller k.",
)
INT8, RESTRICTED, SHIFTED, UINT8 = (-128, 127), (-127, 127), (-255, 255), (0, 255)


def cases(rng):
    def one(label, acc_bits, x_range, w_range, part="int8 operands"):
        return case(label, part, acc_bits=acc_bits, x_range=x_range, w_range=w_range)

    yield one("int16, both -128..127", 16, INT8, INT8)
    yield one("int32, both -128..127", 32, INT8, INT8)
    yield one("int16, weights -127..127", 16, INT8, RESTRICTED)
    yield one("int32, both -127..127", 32, RESTRICTED, RESTRICTED)
    yield one("int16, both -127..127", 16, RESTRICTED, RESTRICTED)
    yield one("int24, both -128..127", 24, INT8, INT8)
    other = "other ranges"
    yield one("int32, zero-point subtracted: -255..255", 32, SHIFTED, RESTRICTED, other)
    yield one("the negative end decides: uint8 by int8", 32, UINT8, INT8, other)
    yield one("only negative products, the end itself fits", 16, (0, 1), (-128, 0), other)
    yield one("only negative operands", 16, (-8, -3), (-128, -1), other)
    yield one("4-bit weights, int16", 16, INT8, (-8, 7), other)
    yield one("one product is enough", 8, INT8, (-7, 7), other)
    # The products of both signs are equally large and divide 2**15: the positive ones leave first.
    yield one("products 32 and -32, int16", 16, (-4, 4), (-3, 8), other)
    yield one("products 32 and -32, mirrored", 16, (-4, 4), (-8, 3), other)
    yield one("a sum that equals the upper end, int16", 16, (0, 31), (0, 7), other)
    yield one("int64: beyond what float64 can count", 64, (-3, 3), (-7, 7), other)
    low, high = int(rng.integers(-120, -40)), int(rng.integers(40, 120))
    yield one("a random range, int32", 32, (low, high), (-high, -low + 1), other)
    yield one("x is always 0", 32, (0, 0), INT8, other)
    yield one("w is always 0", 16, INT8, (0, 0), other)


def probe(solution, acc_bits, x_range, w_range):
    x_range, w_range = tuple(x_range), tuple(w_range)
    if (0, 0) in (x_range, w_range):
        return refusal(lambda: solution(acc_bits, x_range, w_range))
    return solution(acc_bits, x_range, w_range)


def _smallest(acc_bits, x_range, w_range):
    """By bisection on what the worst products reach, in exact integers."""
    products = [a * b for a in x_range for b in w_range]
    top, bottom = 2 ** (acc_bits - 1) - 1, -(2 ** (acc_bits - 1))
    low, high = 0, 2**acc_bits
    while high - low > 1:
        k = (low + high) // 2
        leaves = k * max(products) > top or k * min(products) < bottom
        low, high = (low, k) if leaves else (k, high)
    return high


def judge(case, answer):
    if (0, 0) in (tuple(case.x_range), tuple(case.w_range)):
        expect.raised(answer, "ValueError", "Products that are always 0 never overflow.")
        return
    k, x, w = expect.sequence(answer, ("k", "x", "w"))
    want = _smallest(case.acc_bits, case.x_range, case.w_range)
    expect.integer(k, want, "k", hint="Try k * worst product against both ends of the range.")
    for name, value, (low, high) in (("x", x, case.x_range), ("w", w, case.w_range)):
        value = expect.integer(value, value, name)
        expect.that(
            low <= value <= high,
            f"`{name}` is not a value that the operand can take.",
            yours=value,
            right=f"{low} to {high}",
        )
    top, total = 2 ** (case.acc_bits - 1) - 1, k * x * w
    expect.that(
        not -top - 1 <= total <= top,
        "k products of your x and w still fit: they show no overflow.",
        yours=total,
        right=f"below {-top - 1} or above {top}",
    )
