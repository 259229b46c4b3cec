"""outlier-experiment: the MSE of one scale and of one per channel, for two layouts of outliers."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import symmetric

PARTS = {"values": 0.8, "edges": 0.2}
LAYOUTS = ("scattered", "concentrated")
HINTS = (
    "Copy `normal`, take the copy's .reshape(-1) view and write the outliers at the positions.",
    "Channel = row: its amax is np.abs(x).max(axis=1, keepdims=True).",
    "The MSE is the mean over all values of (x - restored) ** 2, outliers included.",
)


def _outliers(rng, count):
    """Values 20 to 60 standard deviations out, with either sign."""
    return (rng.uniform(20, 60, count) * rng.choice([-1, 1], count)).astype(np.float32)


def _case(rng, label, part, shape, count, **options):
    normal = rng.standard_normal(shape).astype(np.float32)
    return case(label, part=part, normal=normal, outliers=_outliers(rng, count), options=options)


def cases(rng):
    yield _case(rng, "100 x 256, 1 % outliers", "values", (100, 256), 256)
    yield _case(rng, "50 x 40, 4 bits", "values", (50, 40), 20, bits=4)
    yield _case(rng, "outliers end inside a row", "values", (32, 100), 32 * 3, bits=8)
    yield _case(rng, "7 x 30, two outliers", "values", (7, 30), 2, bits=6)
    yield _case(rng, "more outliers than a row holds", "values", (20, 30), 75)
    yield _case(rng, "no outliers", "edges", (12, 20), 0)
    yield _case(rng, "one outlier", "edges", (5, 20), 1)
    zero = np.zeros((4, 25), np.float32)
    yield case(
        "zeros and one outlier", part="edges", normal=zero, outliers=np.float32([-8.0]), options={}
    )


def probe(solution, normal, outliers, options):
    return solution(normal, outliers, **options)


def _layouts(normal, outliers):
    """Both tensors, written row by row with divmod (the exercise speaks of flat positions)."""
    count, columns = len(outliers), normal.shape[1]
    step = normal.size // count if count else 0
    made = {}
    for name, stride in (("scattered", step), ("concentrated", 1)):
        x = normal.astype(np.float64)
        for k in range(count):
            x[divmod(k * stride, columns)] = outliers[k]
        made[name] = x
    return made


def judge(case, answer):
    bits = case.options.get("bits", 8)
    result = expect.mapping(answer, LAYOUTS)
    for layout, x in _layouts(case.normal, case.outliers).items():
        errors = expect.mapping(result[layout], ("per_tensor", "per_channel"))
        magnitude = np.abs(x)
        amax = {"per_tensor": magnitude.max(), "per_channel": magnitude.max(axis=1, keepdims=True)}
        for name, value in amax.items():
            want = symmetric.mse(x, symmetric.scale_of(value, bits), bits)
            expect.number(
                errors[name],
                want,
                f"{layout}, {name}",
                rtol=tolerances.MEAN,
                atol=1e-12,
                hint=_hint(errors[name], want, layout, bits),
            )


def _hint(value, want, layout, bits):
    """Nearly right means the formula is, and the outliers sit elsewhere."""
    close = isinstance(value, (int, float)) and abs(value - want) < 0.1 * want
    if close:
        where = "k * (normal.size // n)" if layout == "scattered" else "k"
        return (
            f"Near: check the positions (outliers[k] replaces the value at {where}) and "
            f"qmax = {symmetric.qmax(bits)}."
        )
    return f"bits={bits}, qmax={symmetric.qmax(bits)}; compare x with restored x."
