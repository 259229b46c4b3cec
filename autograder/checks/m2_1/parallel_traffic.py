"""parallel-traffic: bytes by kind of parallelism, message after message of every device."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"serving": 0.45, "training": 0.35, "refuse": 0.2}
HINTS = (
    "All ranks of one ring all-reduce together send 2 (n - 1) S bytes.",
    "Sequence parallelism: as many bytes within a layer, 1 / tp of them between stages.",
    "Every replica sends its own activations: times dp.",
)
KEYS = ("tensor", "pipeline", "data")
DEFAULTS = {
    "tp": 1,
    "pp": 1,
    "dp": 1,
    "value_bytes": 2,
    "sequence_parallel": False,
    "training": False,
}


def _model(rng, pp, tp):
    return {
        "tokens": tp * int(rng.integers(1, 9)),
        "hidden": 8 * int(rng.integers(1, 20)),
        "layers": pp * int(rng.integers(1, 5)),
        "parameters": int(rng.integers(10**3, 10**7)),
    }


LAYOUTS = ((1, 1, 1), (2, 1, 1), (4, 1, 1), (1, 3, 1), (1, 1, 4), (4, 2, 1), (2, 3, 2), (8, 4, 2))


def cases(rng):
    for training in (False, True):
        part = "training" if training else "serving"
        for tp, pp, dp in LAYOUTS:
            for sequence in (False, True):
                value = int(rng.choice([1, 2, 4]))
                label = f"tp {tp} pp {pp} dp {dp}{', SP' if sequence else ''}, {value} B"
                yield case(
                    label,
                    part,
                    given={
                        **_model(rng, pp, tp),
                        "tp": tp,
                        "pp": pp,
                        "dp": dp,
                        "value_bytes": value,
                        "sequence_parallel": sequence,
                        "training": training,
                    },
                )
    yield case("tokens that do not divide, without SP", "serving",
               given={**_model(rng, 2, 1), "tokens": 5, "tp": 4, "pp": 2})  # fmt: skip
    yield case("defaults", "serving", given=_model(rng, 1, 1))
    yield case("a large model", "training", given={"tokens": 4096, "hidden": 8192, "layers": 80,
               "parameters": 69 * 10**9, "tp": 8, "pp": 4, "dp": 2, "training": True})  # fmt: skip
    good = {"tokens": 8, "hidden": 4, "layers": 4, "parameters": 100}
    for name in (*good, "tp", "pp", "dp", "value_bytes"):
        yield case(f"{name} 0", "refuse", given={**good, name: 0}, refuse=True)
    for label, bad in (
        ("a negative tp", {"tp": -2}),
        ("5 layers in 2 stages", {"layers": 5, "pp": 2}),
        ("more stages than layers", {"pp": 8}),
        ("8 tokens, sequence parallel over 3", {"tp": 3, "sequence_parallel": True}),
    ):
        yield case(label, "refuse", given={**good, **bad}, refuse=True)


def probe(solution, given, refuse=False):
    if refuse:
        return refusal(lambda: solution(**given))  # noqa: F821
    return solution(**given)


def _ring(size, ranks, halves):
    """Bytes that all ranks send: each of them, in each step, one chunk."""
    total = Fraction(0)
    for _ in range(halves):  # 2: all-reduce; 1: all-gather or reduce-scatter
        for _ in range(ranks - 1):
            total += ranks * Fraction(size, ranks)
    return total


def counted(given):
    """The three sums, device by device."""
    g = {**DEFAULTS, **given}
    size, tp, pp, dp = g["tokens"] * g["hidden"] * g["value_bytes"], g["tp"], g["pp"], g["dp"]
    directions = 2 if g["training"] else 1
    found = dict.fromkeys(KEYS, Fraction(0))
    for _replica in range(dp):
        for _direction in range(directions):
            for _layer in range(g["layers"]):
                halves = [1, 1, 1, 1] if g["sequence_parallel"] else [2, 2]
                found["tensor"] += sum(_ring(size, tp, h) for h in halves)
            for _boundary in range(1, pp):
                held = Fraction(size, tp) if g["sequence_parallel"] else Fraction(size)
                found["pipeline"] += tp * held
    if g["training"]:
        shard = Fraction(g["parameters"] * g["value_bytes"], tp * pp)
        found["data"] = sum(_ring(shard, dp, 2) for _ in range(tp * pp))
    return found


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = counted(case.given)
    answer = expect.mapping(answer, KEYS, only=True)
    for key in KEYS:
        expect.number(answer[key], float(want[key]), key, rtol=1e-9)
    return None
