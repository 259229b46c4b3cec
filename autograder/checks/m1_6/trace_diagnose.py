"""trace-diagnose: fresh simulated traces, one planted fault each, with decoys; and small traces by hand."""

import json

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import (
    annotation,
    call,
    disguised,
    in_order,
    shown,
    simulated,
    span,
)
from lab.trace_simulator import FAULTS, LOADER

PARTS = {"faults": 0.25, "faults among decoys": 0.25, "shares": 0.25, "by hand": 0.25}
HINTS = (
    "gaps = idle_gaps(all operations of the device, begin, end, 5.0)",
    "A gap that begins within a waiting call is sync, but for what the loader or the allocator takes of it.",
    "copies: the time of any copy minus its overlap with the kernels.",
)
CAUSES = FAULTS[1:]
BANK_SEEDS = 1


def _op(ident, start, end, cat="kernel", stream=7):
    return span("gemm", cat, 0, stream, start, end, correlation=ident)


def cases(rng):
    faults, decoys, shares, hand = PARTS

    def trace(fault):
        return simulated(str(fault), int(rng.integers(2**31)), 1)

    def large(label, part, spans, shares):
        # As text: hundreds of dicts take much longer to copy and to compare than to read.
        return case(label, part, text=json.dumps(spans), shares=shares)

    for fault in FAULTS:
        yield large("a simulated trace", faults, trace(fault), False)
    # With other names and durations: only what the device waits for is the same.
    for fault in rng.permutation(FAULTS):
        hidden = disguised(rng, trace(fault))
        yield large("a simulated trace with decoys", decoys, hidden, False)
    for fault in rng.permutation(FAULTS)[:4]:
        yield large("shares of a simulated trace", shares, trace(fault), True)

    def one(label, *spans):
        return case(label, hand, spans=in_order(list(spans)))

    step = annotation("ProfilerStep#3", 0, 100)
    yield one("nothing on the device", step)
    yield one(
        "before and behind the steps",
        _op(1, 0, 30),
        annotation("ProfilerStep#3", 20, 100),
        _op(2, 40, 160),
    )
    yield one(
        "two steps",
        annotation("ProfilerStep#3", 10, 50),
        annotation("ProfilerStep#4", 50, 100),
        _op(1, 12, 48),
        _op(2, 61, 90),
    )
    yield one("gaps of 4 and of 5 us", step, _op(1, 0, 40), _op(2, 44, 60), _op(3, 65, 100))
    yield one(
        "a gap begins in a wait, the loader takes half",
        step,
        _op(1, 0, 20),
        call(9, 5, 22, "cudaStreamSynchronize"),
        annotation(f"{LOADER}", 30, 60),
        _op(2, 70, 100),
    )
    yield one(
        "a gap begins where the wait ends",
        step,
        _op(1, 0, 20),
        call(9, 5, 20, "cudaDeviceSynchronize"),
        _op(2, 70, 100),
    )
    yield one(
        "a wait within a gap",
        step,
        _op(1, 0, 20),
        call(9, 25, 40, "cudaStreamSynchronize"),
        _op(2, 70, 100),
    )
    yield one(
        "cudaFree in part of a gap",
        step,
        _op(1, 0, 20),
        call(9, 10, 50, "cudaFree"),
        call(8, 50, 60, "cudaMalloc"),
        _op(2, 70, 100),
    )
    yield one(
        "the loader behind a full queue",
        step,
        _op(1, 0, 80),
        annotation(LOADER, 10, 70),
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
        annotation("quantize", 1, 9),
        call(1, 2, 5),
        annotation("dequantize", 10, 19),
        call(2, 12, 15),
        annotation("requantize", 20, 29),
        call(3, 22, 25),
        _op(1, 30, 50),
        _op(2, 50, 60),
        _op(3, 60, 100),
    )
    yield one(
        "ranges within quantize, and called like it",
        step,
        annotation("quantize", 1, 9),
        annotation("amax", 2, 6),
        call(1, 3, 5),
        call(2, 7, 8),
        annotation("quantize_weights", 10, 19),
        call(3, 12, 15),
        _op(1, 20, 50),
        _op(2, 50, 60),
        _op(3, 60, 100),
    )
    yield one(
        "the loader on another thread",
        step,
        _op(1, 0, 20),
        annotation("enumerate(DataLoader)", 30, 60, tid=8),
        annotation("before enumerate(DataLoader)", 62, 68),
        _op(2, 70, 100),
    )
    yield one(
        "two loaders at once",
        step,
        _op(1, 0, 20),
        annotation(LOADER, 30, 50, tid=8),
        annotation(LOADER, 40, 60, tid=7),
        _op(2, 70, 100),
    )
    yield one(
        "names that are no calls of the allocator",
        step,
        _op(1, 0, 20),
        call(8, 22, 30, "cudaMallocAsync"),
        call(9, 31, 40, "cudaFreeHost"),
        annotation("cudaFree", 41, 60),
        _op(2, 70, 100),
    )
    yield one(
        "a copy beside a memset",
        step,
        _op(1, 0, 40),
        _op(2, 40, 80, "gpu_memset"),
        _op(3, 45, 100, "gpu_memcpy", 20),
    )
    yield one(
        "the operation that begins first ends last",
        annotation("ProfilerStep#3", 0, 60),
        _op(1, 10, 160),
        _op(2, 20, 90, stream=8),
    )
    yield one(
        "a wait on the device's row is no call",
        step,
        _op(1, 0, 20),
        span("Stream Synchronize", "cuda_sync", 0, 7, 5, 22),
        _op(2, 70, 100),
    )
    yield one(
        "a wait through the driver",
        step,
        _op(1, 0, 20),
        call(9, 5, 22, "cuStreamSynchronize", "cuda_driver"),
        _op(2, 70, 100),
    )
    yield one(
        "the window begins in a gap and in a wait",
        _op(1, 0, 10),
        call(9, 5, 30, "cudaStreamSynchronize"),
        annotation("ProfilerStep#3", 20, 100),
        _op(2, 50, 100),
    )
    yield one(
        "a step's bracket on the device",
        span("ProfilerStep#3", "gpu_user_annotation", 0, 7, 5, 160),
        annotation("ProfilerStep#3", 20, 100),
        _op(2, 40, 90),
    )
    for gap, copy in ((30, 40), (40, 30)):
        yield one(
            f"launch {gap} %, copies {copy} %",
            step,
            _op(1, 0, 30),
            _op(2, 30 + gap, 30 + gap + copy, "gpu_memcpy", 20),
        )
    for loading, kernels in ((28, 40), (40, 28)):
        yield one(
            f"data_loader {loading} %, qdq {kernels} %",
            step,
            annotation(LOADER, 0, loading),
            annotation("quantize", 1 + loading, 5 + loading),
            call(1, 2 + loading, 4 + loading),
            _op(1, loading, loading + kernels),
            _op(2, loading + kernels, 100),
        )
    yield one("a quarter", annotation("ProfilerStep#1", 0, 100), _op(1, 0, 75))
    yield one("less than a quarter", annotation("ProfilerStep#1", 0, 100), _op(1, 0, 76))
    yield case("no annotation of a step", hand, spans=[_op(1, 0, 30)], bad=True)
    bracket = span("ProfilerStep#3", "gpu_user_annotation", 0, 7, 0, 40)
    yield case("a bracket on the device alone", hand, spans=[bracket, _op(1, 0, 30)], bad=True)


def probe(solution, spans=None, text="", shares=True, bad=False):
    if text:
        import json

        spans = json.loads(text)
    if bad:
        return refusal(lambda: solution(spans))  # noqa: F821
    return solution(spans)


def judge(case, answer):
    with shown(case.inputs.get("spans", [])):
        _compare(case, answer)


def _compare(case, answer):
    if case.inputs.get("bad"):
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    text = case.inputs.get("text")
    want = traces.lost_shares(json.loads(text) if text else case.spans)
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
