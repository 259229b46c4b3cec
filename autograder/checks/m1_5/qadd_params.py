"""qadd-params: shifts tried from below by the oracle."""

from autograder.checks import case, expect
from autograder.checks.oracles import qadd

PARTS = {"multipliers": 0.6, "extremes": 0.2, "refuse": 0.2}
HINTS = (
    "for shift in range(30, 0, -1): the first with both multipliers <= 2**21.",
    "round(s_a / s_out * 2**shift), then Params(m_a, m_b, shift, z_a, z_b, z_out).",
)
NAMES = ("m_a", "m_b", "shift", "z_a", "z_b", "z_out")


def cases(rng):
    yield case("equal scales", part="multipliers", arguments=(0.5, 0.5, 0.5, 0, 0, 0))
    yield case("one larger", part="multipliers", arguments=(0.5, 0.25, 0.5, 3, -4, 5))
    yield case("b is larger", part="multipliers", arguments=(0.01, 0.7, 0.3, 0, 0, 0))
    # In float32 the first multiplier is off by one.
    yield case("24 bits are too few", part="multipliers", arguments=(0.159, 0.011, 0.3, 0, 0, 0))
    for _ in range(6):
        scales = tuple(float(s) for s in 10 ** rng.uniform(-3, 0, 3))
        zeros = tuple(int(z) for z in rng.integers(-128, 128, 3))
        yield case("random scales", part="multipliers", arguments=(*scales, *zeros))
    yield case("small against the output", part="extremes", arguments=(1e-4, 2e-4, 1.0, 0, 0, 0))
    yield case("one next to nothing", part="extremes", arguments=(1e-12, 0.5, 0.5, 0, 0, 0))
    yield case("nearly too large", part="extremes", arguments=(2.0**20, 1.0, 1.0, -128, 127, 0))
    # 2**21 exactly is allowed, and a rounded multiplier just above it is not.
    yield case("exactly 2**21", part="extremes", arguments=(1.0, 0.3, 1.0, 0, 0, 0))
    yield case("just above 2**21", part="extremes", arguments=(1.0 + 2**-21, 0.3, 1.0, 0, 0, 0))
    # 2**21 and a quarter rounds to 2**21: the limit is the multiplier's, not the ratio's.
    yield case("rounded to 2**21", part="extremes", arguments=(1.0 + 2**-23, 0.3, 1.0, 0, 0, 0))
    inf, nan = float("inf"), float("nan")
    for scales in (
        (0.0, 1.0, 1.0),
        (1.0, -0.5, 1.0),
        (1.0, 1.0, 0.0),
        (inf, 1.0, 1.0),
        (1.0, nan, 1.0),
    ):
        yield case(f"scales {scales}", part="refuse", arguments=(*scales, 0, 0, 0))
    for zeros in ((128, 0, 0), (0, -129, 0), (0, 0, 200)):
        yield case(f"zero-points {zeros}", part="refuse", arguments=(1.0, 1.0, 1.0, *zeros))
    yield case("no shift fits", part="refuse", arguments=(2.0**21, 1.0, 1.0, 0, 0, 0))


def probe(solution, arguments):
    made = {}

    def call():
        p = solution(*arguments)
        for name in ("m_a", "m_b", "shift", "z_a", "z_b", "z_out"):
            made[name] = getattr(p, name)

    seen = refusal(call)  # noqa: F821
    if seen["raised"] and seen["raised"] != "ValueError":
        call()
    return seen if seen["raised"] else made


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError here: {case.label}.")
        return
    expect.that(
        answer.get("raised") is None,
        "These scales are fine.",
        stage="edge",
        yours="raised ValueError",
    )
    want = qadd.params(*case.arguments)
    for name in ("shift", "m_a", "m_b", "z_a", "z_b", "z_out"):
        expect.integer(answer[name], getattr(want, name), name)
