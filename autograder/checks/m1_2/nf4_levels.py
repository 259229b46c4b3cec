"""nf4-levels: NormalFloat's levels against the standard library's normal quantiles."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import nf4

PARTS = {"nf4": 0.6, "other widths": 0.25, "refuse": 0.15}
HINTS = (
    "half = 2**(bits - 1). Positive: norm.ppf(np.linspace(offset, 0.5, half + 1)[:-1]).",
    "Negative: -norm.ppf(np.linspace(offset, 0.5, half)[:-1]), one level fewer.",
    "Join them with one 0.0, sort, divide by norm.ppf(offset), cast to float32 last.",
)
# A float32 linspace moves p by 6e-8, and the quantile's slope at the offset is 14.
ATOL = 2e-6


def cases(rng):
    yield case("NF4, the defaults", part="nf4", kwargs={})
    yield case("offset 0.99", part="nf4", kwargs={"offset": 0.99})
    drawn = float(rng.uniform(0.9, 0.999))
    yield case("a drawn offset", part="nf4", kwargs={"offset": drawn})
    yield case("offset 0.6", part="nf4", kwargs={"offset": 0.6, "bits": 4})
    for bits in (2, 3, 5, 8):
        offset = float(rng.uniform(0.93, 0.998))
        label = f"{bits} bits"
        yield case(label, part="other widths", kwargs={"offset": offset, "bits": bits})
    for label, bad in (
        ("offset 1", {"offset": 1.0}),
        ("offset 0.5", {"offset": 0.5}),
        ("offset below 0.5", {"offset": 0.03}),
        ("offset above 1", {"offset": 1.2}),
        ("1 bit", {"bits": 1}),
        ("9 bits", {"bits": 9}),
    ):
        yield case(label, part="refuse", kwargs=bad, good=False)


def probe(solution, kwargs, good=True):
    if good:
        return solution(**kwargs)
    try:
        solution(**kwargs)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def judge(case, answer):
    if not case.inputs.get("good", True):
        what = ", ".join(f"{key}={value}" for key, value in case.kwargs.items())
        expect.raised(answer, "ValueError", f"{what} is outside the range: raise ValueError.")
        return
    want = nf4.levels(**case.kwargs)
    got = expect.array(answer, "levels", shape=want.shape, dtype=np.float32)
    expect.that(
        bool((np.diff(got) > 0).all()),
        "`levels` is not ascending.",
        hint="Sort, and let no level occur twice.",
    )
    expect.that(
        int(np.sum(got == 0)) == 1,
        "Exactly one level must be 0.",
        yours=f"{int(np.sum(got == 0))} levels are 0",
        right="one",
    )
    expect.close(got, want, "levels", rtol=0, atol=ATOL)
