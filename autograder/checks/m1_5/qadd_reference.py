"""qadd-reference: every pair of codes, ties, extremes, against floor division."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import qadd

PARTS = {"values": 0.5, "shapes": 0.2, "extremes": 0.15, "refuse": 0.15}
HINTS = (
    "Widen: a.astype(np.int64) - z_a, times m_a; the same for b; add.",
    "(total + (1 << (shift - 1))) >> shift, plus z_out, then clip to -128..127.",
)


def cases(rng):
    a, b = qadd.pairs()
    yield case("every pair", part="values", a=a, b=b, p=(1_310_720, 524_288, 21, 0, 0, 0))
    zeros = tuple(int(z) for z in rng.integers(-60, 60, 3))
    yield case(
        "zero-points", part="values", a=a[::7], b=b[::7], p=(2_000_001, 1_234_567, 21, *zeros)
    )
    halves = np.arange(-9, 9, dtype=np.int8)
    yield case("ties", part="values", a=halves, b=np.zeros(18, np.int8), p=(1, 1, 1, 0, 0, 0))
    odd = np.arange(-127, 128, 2, dtype=np.int8)
    beside = np.resize(np.int8([-1, 0, 1]), odd.size)
    yield case("just beside half", part="values", a=odd, b=beside, p=(2**20, 1, 21, 0, 0, 0))
    few = rng.integers(-128, 128, (2, 60)).astype(np.int8)
    yield case(
        "a matrix",
        part="shapes",
        a=few[0].reshape(4, 15),
        b=few[1].reshape(4, 15),
        p=(2**20, 2**19, 20, 1, 2, 3),
    )
    yield case("empty", part="shapes", a=few[0][:0], b=few[1][:0], p=(2**20, 2**19, 20, 1, 2, 3))
    ends = np.int8([-128, 127, -128, 127])
    others = np.int8([127, -128, -128, 127])
    for p in (
        (2**21, 2**21, 30, 127, 127, 0),
        (2**21, 2**21, 1, -128, -128, 0),
        (2**21, 2**21, 22, -128, 127, -128),
    ):
        yield case("largest products", part="extremes", a=ends, b=others, p=p)
    yield case(
        "shapes that differ",
        part="refuse",
        a=few[0],
        b=few[1][:59],
        p=(1, 1, 1, 0, 0, 0),
        good=False,
    )
    yield case(
        "one against many", part="refuse", a=few[0], b=few[1][:1], p=(1, 1, 1, 0, 0, 0), good=False
    )
    yield case(
        "int16",
        part="refuse",
        a=few[0].astype(np.int16),
        b=few[1],
        p=(1, 1, 1, 0, 0, 0),
        good=False,
    )
    yield case(
        "float32",
        part="refuse",
        a=few[0],
        b=few[1].astype(np.float32),
        p=(1, 1, 1, 0, 0, 0),
        good=False,
    )


def probe(solution, a, b, p, good=True):
    import types

    names = ("m_a", "m_b", "shift", "z_a", "z_b", "z_out")
    params = types.SimpleNamespace(**dict(zip(names, p, strict=True)))
    return solution(a, b, params) if good else refusal(lambda: solution(a, b, params))  # noqa: F821


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError here: {case.label}.")
        return
    want = qadd.add(case.a, case.b, qadd.named(case.p))
    out = expect.array(answer, "codes", shape=want.shape, dtype=np.int8)
    qadd.judge(out, case.a, case.b, qadd.named(case.p), "codes")
