"""tensor-use: which kinds of matrix instructions ran, from counters with gaps."""

from autograder.checks import case, expect

PARTS = {"counted": 0.5, "not counted": 0.35, "refuse": 0.15}
HINTS = (
    "Read each count with metrics.get(name): a missing key and None are told apart for two of them.",
    "FP is hmma - hfma2. The total without hfma2 being 0 settles all three kinds.",
    "Order: wanted > 0; then any unknown; then any other > 0; then none.",
)
PREFIX = "sm__inst_executed_pipe_tensor"
INT, FP, FP64 = (f"{PREFIX}_op_{op}.sum" for op in ("imma", "hmma", "dmma"))
HALF, TOTAL = f"{PREFIX}_op_hmma_type_hfma2.sum", f"{PREFIX}.sum"
PERCENT = "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active"
KINDS = ("INT", "FP", "FP64")


def right(metrics, wanted):
    """Counts by a table of states, as the text has it: each kind is a number or unknown."""
    half = metrics.get(HALF, 0)
    total = metrics.get(TOTAL)
    if total is not None and half is not None and total == half:
        counts = dict.fromkeys(KINDS, 0)
    else:
        hmma = metrics.get(FP)
        counts = {
            "INT": metrics.get(INT),
            "FP": None if None in (hmma, half) else hmma - half,
            "FP64": metrics.get(FP64, 0),
        }
    known = {kind: n for kind, n in counts.items() if n is not None}
    verdicts = [
        ("wanted", known.get(wanted, 0) > 0),
        ("unknown", len(known) < len(KINDS)),
        ("other", any(n > 0 for n in known.values())),
        ("none", True),
    ]
    return counts, next(word for word, holds in verdicts if holds), metrics.get(PERCENT)


def cases(rng):
    def drawn():
        return float(int(rng.integers(1, 10**6)))

    a, b, c = sorted((drawn(), drawn(), drawn()))
    part = "counted"
    full = (
        ("INT8 on the integer path", {INT: a, FP: 0.0}),
        ("FP16 on the floating path", {INT: 0.0, FP: a}),
        ("no tensor instruction", {INT: 0.0, FP: 0.0}),
        ("both", {INT: a, FP: b}),
        ("packed half arithmetic alone", {INT: 0.0, FP: b, HALF: b}),
        ("packed half arithmetic in part", {INT: 0.0, FP: c + 5, HALF: b}),
        ("double precision", {INT: 0.0, FP: 0.0, FP64: a}),
        ("all counters", {INT: a, FP: c + 9, HALF: b, FP64: 0.0, TOTAL: a + c + 9, PERCENT: 41.5}),
        ("all counters, zero", {INT: 0.0, FP: 0.0, HALF: 0.0, FP64: 0.0, TOTAL: 0.0, PERCENT: 0.0}),
    )
    for label, metrics in full:
        for wanted in KINDS:
            yield case(f"{label}, {wanted} wanted", part, metrics=metrics, wanted=wanted)
    part = "not counted"
    gaps = (
        ("nothing collected", {}),
        ("other metrics alone", {"gpu__time_duration.sum": a}),
        ("integer path n/a", {INT: None, FP: a}),
        ("floating path n/a", {INT: a, FP: None}),
        ("floating path missing, no integer", {INT: 0.0}),
        ("half count n/a", {INT: 0.0, FP: a, HALF: None}),
        ("double precision n/a", {INT: 0.0, FP: 0.0, FP64: None}),
        ("the total alone", {TOTAL: a}),
        ("the total alone, zero", {TOTAL: 0.0}),
        ("the total and the floating path alone", {TOTAL: a + b, FP: b}),
        ("the total, all on the integer path", {TOTAL: a, INT: a}),
        ("the total n/a", {TOTAL: None, INT: 0.0}),
        ("the total is all packed half arithmetic", {TOTAL: b, HALF: b}),
        ("the total, half n/a", {TOTAL: b, HALF: None}),
        ("the total zero, kinds n/a", {TOTAL: 0.0, INT: None, FP: None, PERCENT: None}),
        ("per cent alone", {PERCENT: 12.25}),
    )
    for label, metrics in gaps:
        for wanted in KINDS:
            yield case(f"{label}, {wanted} wanted", part, metrics=metrics, wanted=wanted)
    for wanted in ("int8", "INT8", "", "fp"):
        yield case(
            f"kind {wanted!r}", "refuse", metrics={INT: a, FP: 0.0}, wanted=wanted, good=False
        )


def probe(solution, metrics, wanted, good=True):
    if not good:
        return refusal(lambda: solution(metrics, wanted))  # noqa: F821
    return solution(metrics, wanted)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    counts, verdict, percent = right(case.metrics, case.wanted)
    got = expect.mapping(answer, ("counts", "verdict", "active_pct"), only=True)
    mine = expect.mapping(got["counts"], KINDS, only=True)
    for kind, count in counts.items():
        _maybe(mine[kind], count, f"count of {kind}")
    expect.that(got["verdict"] == verdict, "`verdict` is off.", yours=got["verdict"], right=verdict)
    _maybe(got["active_pct"], percent, "active_pct")


def _maybe(value, want, name):
    if want is None:
        expect.that(value is None, f"`{name}` is not known.", yours=value, right="None")
    else:
        expect.that(value is not None, f"`{name}` is known here.", yours="None", right=want)
        expect.number(value, want, name)
