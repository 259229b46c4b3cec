"""trace-diagnose: fresh simulated traces, one planted fault each, with decoys; and small traces by hand."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import in_order, simulated, span
from lab.trace_simulator import FAULTS, LOADER

PARTS = {"faults": 0.5, "shares": 0.3, "by hand": 0.2}
HINTS = (
    "gaps = idle_gaps(all operations of the device, begin, end, 5.0)",
    "A gap that begins within a waiting call is sync, but for what the loader or the allocator takes of it.",
    "copies: the time of any copy minus its overlap with the kernels.",
)
CAUSES = FAULTS[1:]
BANK_SEEDS = 1


def _call(ident, start, end, name="cudaLaunchKernel", cat="cuda_runtime", tid=9):
    return span(name, cat, 9, tid, start, end, correlation=ident)


def _op(ident, start, end, cat="kernel", stream=7):
    return span("gemm", cat, 0, stream, start, end, correlation=ident)


def _note(name, start, end, tid=9, cat="user_annotation"):
    return span(name, cat, 9, tid, start, end)


def cases(rng):
    faults, shares, hand = PARTS
    for fault in FAULTS:
        yield case(
            "a simulated trace",
            faults,
            spans=simulated(fault, int(rng.integers(2**31))),
            shares=False,
        )
    for fault in rng.permutation(FAULTS)[:4]:
        steps = int(rng.integers(1, 3))
        yield case(
            "a simulated trace",
            faults,
            spans=simulated(str(fault), int(rng.integers(2**31)), steps),
            shares=False,
        )
    for fault in FAULTS:
        yield case(
            "shares of a simulated trace",
            shares,
            spans=simulated(fault, int(rng.integers(2**31)), 1),
        )

    def one(label, *spans):
        return case(label, hand, spans=in_order(list(spans)))

    step = _note("ProfilerStep#3", 0, 100)
    yield one("nothing on the device", step)
    yield one(
        "before and behind the steps",
        _op(1, 0, 30),
        _note("ProfilerStep#3", 20, 100),
        _op(2, 40, 160),
    )
    yield one(
        "two steps",
        _note("ProfilerStep#3", 10, 50),
        _note("ProfilerStep#4", 50, 100),
        _op(1, 12, 48),
        _op(2, 61, 90),
    )
    yield one("gaps of 4 and of 5 us", step, _op(1, 0, 40), _op(2, 44, 60), _op(3, 65, 100))
    yield one(
        "a gap begins in a wait, the loader takes half",
        step,
        _op(1, 0, 20),
        _call(9, 5, 22, "cudaStreamSynchronize"),
        _note(f"{LOADER}", 30, 60),
        _op(2, 70, 100),
    )
    yield one(
        "a gap begins where the wait ends",
        step,
        _op(1, 0, 20),
        _call(9, 5, 20, "cudaDeviceSynchronize"),
        _op(2, 70, 100),
    )
    yield one(
        "a wait within a gap",
        step,
        _op(1, 0, 20),
        _call(9, 25, 40, "cudaStreamSynchronize"),
        _op(2, 70, 100),
    )
    yield one(
        "cudaFree in part of a gap",
        step,
        _op(1, 0, 20),
        _call(9, 10, 50, "cudaFree"),
        _call(8, 50, 60, "cudaMalloc"),
        _op(2, 70, 100),
    )
    yield one(
        "the loader behind a full queue",
        step,
        _op(1, 0, 80),
        _note(LOADER, 10, 70),
        _op(2, 81, 100),
    )
    yield one(
        "a loader on another thread",
        step,
        _op(1, 0, 20),
        span("aten::stack", "cpu_op", 9, 8, 0, 99),
        _op(2, 70, 100),
    )
    yield one(
        "an operator called like the loader",
        step,
        _op(1, 0, 20),
        span(LOADER, "cpu_op", 9, 9, 21, 60),
        _op(2, 70, 100),
    )
    yield one(
        "a copy beside kernels of two streams",
        step,
        _op(1, 0, 40),
        _op(2, 30, 70, stream=8),
        _op(3, 20, 95, "gpu_memcpy", 20),
    )
    yield one(
        "two copies at once",
        step,
        _op(1, 0, 40),
        _op(2, 41, 80, "gpu_memcpy", 20),
        _op(3, 50, 95, "gpu_memcpy", 21),
    )
    yield one("a memset is no copy and no gap", step, _op(1, 0, 40), _op(2, 40, 95, "gpu_memset"))
    yield one(
        "quantize and dequantize",
        step,
        _note("quantize", 1, 9),
        _call(1, 2, 5),
        _note("dequantize", 10, 19),
        _call(2, 12, 15),
        _note("requantize", 20, 29),
        _call(3, 22, 25),
        _op(1, 30, 50),
        _op(2, 50, 60),
        _op(3, 60, 100),
    )
    yield one("a quarter", _note("ProfilerStep#1", 0, 100), _op(1, 0, 75))
    yield one("less than a quarter", _note("ProfilerStep#1", 0, 100), _op(1, 0, 76))
    yield case("no annotation of a step", hand, spans=[_op(1, 0, 30)], bad=True)


def probe(solution, spans, shares=True, bad=False):
    if bad:
        return refusal(lambda: solution(spans))  # noqa: F821
    return solution(spans)


def judge(case, answer):
    if case.inputs.get("bad"):
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = traces.lost_shares(case.spans)
    worst = max(want, key=want.get)
    fault = worst if want[worst] >= 0.25 else "healthy"
    answer = expect.mapping(answer, ("fault", "shares"), only=True)
    yours = expect.mapping(answer["shares"], CAUSES, only=True)
    if case.inputs.get("shares", True):
        for cause in CAUSES:
            expect.number(yours[cause], want[cause], f"shares[{cause!r}]", atol=2e-5)
    expect.that(
        answer["fault"] == fault,
        "`fault` is off.",
        yours=str(answer["fault"]),
        right=fault,
        hint=f"The largest share is {worst}, {want[worst]:.1%}.",
    )
    return None
