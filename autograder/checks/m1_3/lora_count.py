"""lora-count: exact integers and one ratio."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"adapted layers": 0.5, "whole models": 0.25, "refuse": 0.25}
HINTS = (
    "trained = sum(rank * (d_in + d_out) for d_in, d_out in layers)",
    "full = model_parameters if it is given, else the sum of d_in * d_out",
    "any(rank > min(layer) for layer in layers) is an error",
)
SYLLABUS = (2048, 8192)


def cases(rng):
    yield case("2048 to 8192, rank 16", "adapted layers", layers=[SYLLABUS], rank=16)
    yield case("a square layer", "adapted layers", layers=[(512, 512)], rank=8)
    yield case("rank 1", "adapted layers", layers=[(300, 7)], rank=1)
    yield case("more trained than held", "adapted layers", layers=[(8, 8)], rank=8)
    yield case("1 by 1", "adapted layers", layers=[(1, 1)], rank=1)
    yield case("12 layers of one shape", "adapted layers", layers=[(96, 64)] * 12, rank=4)
    for count in (2, 5, 28):
        layers = [tuple(int(d) for d in rng.integers(16, 3000, 2)) for _ in range(count)]
        rank = int(rng.integers(1, 16))
        yield case(f"{count} layers, rank {rank}", "adapted layers", layers=layers, rank=rank)
        total = sum(a * b for a, b in layers) * 3 + 17
        yield case(
            f"{count} of a model's layers", "whole models", layers=layers, rank=rank, model=total
        )
    yield case(
        "GPT-3, r = 4, q and v",
        "whole models",
        layers=[(12288, 12288)] * 192,
        rank=4,
        model=175 * 10**9,
    )
    yield case(
        "a model of these layers alone", "whole models", layers=[(40, 60)], rank=2, model=2400
    )
    for label, layers, rank, model in (
        ("no layers", [], 4, None),
        ("rank 0", [SYLLABUS], 0, None),
        ("rank -2", [SYLLABUS], -2, None),
        ("rank above d_out", [(64, 8)], 9, None),
        ("rank above d_in", [(8, 64)], 9, None),
        ("rank above one of three layers", [(64, 64), (64, 5), (64, 64)], 6, None),
        ("a width of 0", [(0, 64)], 1, None),
        ("a model smaller than its layers", [SYLLABUS], 16, 1000),
        ("a model of 0 parameters", [SYLLABUS], 16, 0),
    ):
        yield case(label, "refuse", layers=layers, rank=rank, model=model, good=False)


def probe(solution, layers, rank, model=None, good=True):
    more = () if model is None else (model,)
    if not good:
        return refusal(lambda: solution(layers, rank, *more))  # noqa: F821
    return solution(layers, rank, *more)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("full", "trained", "reduction"))
    model = case.inputs.get("model")
    full = sum(a * b for a, b in case.layers) if model is None else model
    trained = sum(case.rank * a + b * case.rank for a, b in case.layers)
    expect.integer(answer["full"], full, "full")
    expect.integer(answer["trained"], trained, "trained", hint="A is (r, d_in), B is (d_out, r).")
    expect.number(answer["reduction"], float(Fraction(full, trained)), "reduction", rtol=1e-12)
