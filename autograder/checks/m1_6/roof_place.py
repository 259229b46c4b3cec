"""roof-place: rate, roof, share and verdict of measured operators, in exact fractions."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"numbers": 0.4, "verdicts": 0.4, "refuse": 0.2}
HINTS = (
    "rate = flops / seconds; roof = min(peak, intensity * bandwidth); share = rate / roof.",
    "Ask in this order: above the roof, below both, memory, compute, ridge.",
    "The slack is a factor 1 + slack on both sides of the ridge.",
)
KEYS = ("intensity", "rate", "roof", "share")
PEAK, RATE = 2**37, 2**34  # a ridge of 8 FLOP/byte


def verdict(point, peak, rate, near, slack):
    """(intensity, rate, roof, share, verdict) of one point."""
    _, flops, moved, seconds = point
    intensity = Fraction(flops) / Fraction(moved)
    reached = Fraction(flops) / Fraction(seconds)
    roof = min(Fraction(peak), intensity * rate)
    share, wide, ridge = reached / roof, 1 + Fraction(slack), Fraction(peak) / Fraction(rate)
    if share > wide:
        word = "above the roof"
    elif share < Fraction(near):
        word = "below both"
    elif intensity * wide < ridge:
        word = "memory"
    else:
        word = "compute" if intensity > ridge * wide else "ridge"
    return intensity, reached, roof, share, word


def _clear(point, peak, rate, near, slack):
    """Whether no comparison is so near that a rounding decides."""
    intensity, _, _, share, _ = verdict(point, peak, rate, near, slack)
    ratio, wide = intensity * rate / peak, 1 + Fraction(slack)
    pairs = [(share, wide), (share, Fraction(near)), (ratio * wide, 1), (ratio, wide), (ratio, 1)]
    return all(abs(float(a / b) - 1) > 1e-3 for a, b in pairs)


def _drawn(rng, index, peak, rate, near, slack):
    while True:
        intensity, share = 2.0 ** rng.uniform(-4, 9), 2.0 ** rng.uniform(-4, 1)
        moved = int(rng.integers(10**4, 10**9))
        flops = int(intensity * moved) + 1
        roof = min(peak, flops / moved * rate)
        point = (f"op{index}", flops, moved, flops / (share * roof))
        if _clear(point, peak, rate, near, slack):
            return point


def _at(name, intensity, share):
    """A point on the machine PEAK, RATE whose numbers, the seconds too, are exact in binary."""
    share = Fraction(share)
    moved = 2**20 * share.numerator
    flops = int(intensity * moved)
    seconds = flops / (share * min(PEAK, Fraction(flops, moved) * RATE))
    assert Fraction(float(seconds)) == seconds
    return (name, flops, moved, float(seconds))


def cases(rng):
    part = "numbers"
    yield case("one operator", part, points=[("add", 1000, 12000, 1e-6)], peak=1e11, rate=2e10)
    yield case("no operator", part, points=[], peak=1e11, rate=2e10)
    for count in (3, 8):
        peak, rate = float(rng.integers(50, 900)) * 1e9, float(rng.integers(5, 60)) * 1e9
        points = [_drawn(rng, i, peak, rate, 0.5, 0.1) for i in range(count)]
        yield case(f"{count} operators", part, points=points, peak=peak, rate=rate)
    part = "verdicts"
    for near, slack in ((None, None), (0.8, 0.05), (0.25, 0.5), (0.5, 0.0)):
        limits = {"near": 0.5 if near is None else near, "slack": 0.1 if slack is None else slack}
        peak, rate = float(rng.integers(50, 900)) * 1e9, float(rng.integers(5, 60)) * 1e9
        points = [_drawn(rng, i, peak, rate, **limits) for i in range(16)]
        given = {} if near is None else limits
        yield case(f"near {limits['near']}, slack {limits['slack']}", part, points=points, peak=peak,
                   rate=rate, **given)  # fmt: skip
    shares = [
        (1, 0.5),
        (64, 0.5),
        (1, 1.25),
        (64, 1.25),
        (1, 1.5),
        (64, 1.5),
        (1, 0.25),
        (64, 0.25),
    ]
    inside = [(6.4375, 1), (10, 1), (8, 1), (6.375, 1), (10.5, 1), (7, 0.75), (9, 0.75)]
    for label, pairs, near, slack in (
        ("shares at the limits", shares, 0.5, 0.25),
        ("intensities at the limits", inside, 0.5, 0.25),
        ("slack 0", [(8, 1), (7.5, 1), (8.5, 1), (2, 1.125)], 0.5, 0.0),
        ("slack 1", [(4, 1), (3.75, 1), (16, 1), (16.5, 1), (1, 2), (1, 2.25)], 0.5, 1.0),
        ("near 1", [(2, 1), (2, 0.875), (32, 1), (32, 0.875)], 1.0, 0.25),
    ):
        points = [_at("abcdefgh"[i], *pair) for i, pair in enumerate(pairs)]
        yield case(label, part, points=points, peak=PEAK, rate=RATE, near=near, slack=slack)
    yield case(
        "two operators of one name",
        part,
        peak=1e11,
        rate=2e10,
        points=[("add", 1000, 12000, 1e-6), ("mul", 5, 60, 1e-8), ("add", 4000, 9000, 1e-6)],
    )
    # On both sides of every default limit: near 0.5, slack 0.1, a ridge of 8.
    pairs = [(1, 17 / 32), (1, 31 / 64), (1, 35 / 32), (64, 71 / 64)]
    pairs += [(7.375, 1), (7.25, 1), (8.75, 1), (8.875, 1)]
    points = [_at("abcdefgh"[i], *pair) for i, pair in enumerate(pairs)]
    yield case("near and slack as by default", part, points=points, peak=PEAK, rate=RATE)
    good = ("add", 1000, 12000, 1e-6)
    for label, bad in (
        ("no operations", {"points": [good, ("x", 0, 12000, 1e-6)]}),
        ("a negative count of operations", {"points": [good, ("x", -1000, 12000, 1e-6)]}),
        ("a negative count of bytes", {"points": [good, ("x", 1000, -12000, 1e-6)]}),
        ("no bytes", {"points": [good, ("x", 1000, 0, 1e-6)]}),
        ("no time", {"points": [good, ("x", 1000, 12000, 0.0)]}),
        ("a negative time", {"points": [("x", 1000, 12000, -1.0), good]}),
        ("a peak of 0", {"peak": 0.0}),
        ("a negative peak", {"peak": -1e11}),
        ("a bandwidth of 0", {"rate": 0.0}),
        ("a peak of 0 and no operator", {"peak": 0.0, "points": []}),
        ("a negative bandwidth", {"rate": -1.0}),
        ("near 0", {"near": 0.0}),
        ("a negative near", {"near": -0.5}),
        ("near above 1", {"near": 1.5}),
        ("a negative slack", {"slack": -0.1}),
    ):
        given = {"points": [good], "peak": 1e11, "rate": 2e10, **bad}
        yield case(label, "refuse", **given, refuse=True)


def probe(solution, points, peak, rate, near=None, slack=None, refuse=False):
    points = [tuple(point) for point in points]
    more = {key: value for key, value in (("near", near), ("slack", slack)) if value is not None}
    if refuse:
        return refusal(lambda: solution(points, peak, rate, **more))  # noqa: F821
    return solution(points, peak, rate, **more)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.that(isinstance(answer, (list, tuple)), "Return a list.", stage="type",
                yours=expect.kind(answer), right="a list of dicts")  # fmt: skip
    expect.that(len(answer) == len(case.points), "Return one dict for each operator.", stage="shape",
                yours=len(answer), right=len(case.points))  # fmt: skip
    near, slack = case.inputs.get("near", 0.5), case.inputs.get("slack", 0.1)
    for point, found in zip(case.points, answer, strict=True):
        found = expect.mapping(found, ("name", *KEYS, "verdict"))
        expect.that(isinstance(found["name"], str) and found["name"] == point[0], "`name` is off.",
                    yours=found["name"], right=point[0])  # fmt: skip
        *numbers, word = verdict(point, case.peak, case.rate, near, slack)
        for key, value in zip(KEYS, numbers, strict=True):
            expect.number(found[key], float(value), f"{key} of {point[0]}")
        if case.part == "verdicts":
            same = isinstance(found["verdict"], str) and found["verdict"] == word
            ridge = Fraction(case.peak) / Fraction(case.rate)
            told = f"near {near:g}, slack {slack:g}, share {float(numbers[3]):.6g}, " + (
                f"intensity {float(numbers[0]):.6g}, ridge {float(ridge):.6g}"
            )
            expect.that(same, f"The verdict on {point[0]} is off.", yours=found["verdict"],
                        right=word, where=told)  # fmt: skip
    return None
