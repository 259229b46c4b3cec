"""trace-ranges: kernel time by the innermost annotation around the launch."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import annotation, call, in_order, shown, simulated, span

PARTS = {"one range": 0.4, "nested ranges": 0.35, "what counts": 0.25}
HINTS = (
    "kernel -> correlation id -> call -> the ranges of the call's thread that hold the call.",
    "The innermost is the shortest of them.",
    "A range that ended on the host long before the kernel starts still owns it.",
)


def _op(ident, start, end, cat="kernel", name="elementwise", stream=7):
    return span(name, cat, 0, stream, start, end, correlation=ident)


def cases(rng):
    first, inner, counts = PARTS

    def one(label, part, *spans):
        return case(label, part, spans=in_order(list(spans)))

    q = annotation("quantize", 0, 10)
    yield one("nothing", first)
    yield one("a kernel runs after its range", first, q, call(5, 2, 6), _op(5, 40, 43.5))
    yield one(
        "two ranges, one queue",
        first,
        q,
        annotation("matmul", 12, 30),
        call(5, 2, 6),
        call(6, 13, 17),
        _op(5, 20, 28),
        _op(6, 29, 90),
    )
    yield one(
        "two kernels of a range",
        first,
        q,
        call(5, 1, 3),
        call(6, 4, 7),
        _op(5, 20, 28),
        _op(6, 29, 33),
    )
    yield one(
        "a range twice",
        first,
        q,
        annotation("quantize", 20, 30),
        call(5, 1, 3),
        call(6, 24, 27),
        _op(5, 12, 15),
        _op(6, 29, 33),
    )
    yield one(
        "kernels of a range beside each other",
        first,
        q,
        call(5, 1, 3),
        call(6, 4, 7),
        _op(5, 20, 28),
        _op(6, 22, 33, stream=8),
    )
    yield one("no range", first, q, call(5, 12, 16), _op(5, 20, 28))
    yield one("the call was not recorded", first, q, _op(4, 2, 8), call(5, 1, 3), _op(5, 9, 12))
    yield one(
        "a kernel runs while another range is open",
        first,
        q,
        annotation("other", 15, 60),
        call(5, 2, 6),
        _op(5, 20, 28),
    )
    yield one(
        "two deep",
        inner,
        annotation("layer.0", 0, 50),
        q,
        call(5, 2, 6),
        call(6, 20, 24),
        _op(5, 9, 12),
        _op(6, 26, 40),
    )
    yield one(
        "three deep",
        inner,
        annotation("step", 0, 90),
        annotation("layer.0", 1, 50),
        annotation("quantize", 2, 10),
        call(5, 3, 6),
        _op(5, 60, 62),
    )
    yield one(
        "a sibling that is shorter",
        inner,
        annotation("layer.0", 0, 50),
        annotation("short", 30, 33),
        call(5, 2, 6),
        _op(5, 31, 32),
    )
    yield one(
        "a call at the range's ends",
        inner,
        annotation("layer.0", 0, 50),
        annotation("exact", 4, 8),
        call(5, 4, 8),
        _op(5, 20, 22),
    )
    yield one(
        "another thread's range",
        inner,
        annotation("layer.0", 0, 50, tid=8),
        q,
        call(5, 2, 6),
        call(6, 20, 24),
        _op(5, 9, 12),
        _op(6, 26, 40),
    )
    yield one(
        "another process's range",
        inner,
        annotation("step", 0, 50),
        annotation("quantize", 1, 10, pid=8),
        call(5, 2, 6),
        _op(5, 9, 12),
    )
    yield one(
        "the innermost began first in time of all kernels",
        inner,
        annotation("a", 0, 100),
        annotation("b", 0, 40),
        call(5, 2, 6),
        _op(5, 9, 12),
    )
    yield one(
        "copies are no kernels",
        counts,
        q,
        call(5, 1, 3, name="cudaMemcpyAsync"),
        call(6, 4, 7),
        _op(5, 10, 30, "gpu_memcpy"),
        _op(6, 31, 33),
    )
    yield one(
        "a range ends during the call",
        counts,
        annotation("quantize", 0, 4),
        call(5, 2, 6),
        _op(5, 9, 12),
    )
    yield one(
        "a range begins during the call",
        counts,
        call(5, 2, 6),
        annotation("late", 4, 20),
        _op(5, 9, 12),
    )
    yield one(
        "a step is a range too",
        counts,
        annotation("ProfilerStep#3", 0, 90),
        call(5, 2, 6),
        _op(5, 9, 12),
    )
    yield one(
        "neither has an id",
        counts,
        q,
        span("cudaDeviceSynchronize", "cuda_runtime", 9, 9, 2, 4),
        call(6, 5, 7),
        span("gemm", "kernel", 0, 7, 8, 20, stream=7),
        _op(6, 21, 25),
    )
    yield one(
        "an operator with the same number",
        counts,
        q,
        call(5, 2, 6),
        span("aten::div", "cpu_op", 9, 8, 12, 16, correlation=5),
        _op(5, 20, 24),
    )
    yield one(
        "an operator is no range",
        counts,
        q,
        span("aten::div", "cpu_op", 9, 9, 1, 7),
        call(5, 2, 6),
        _op(5, 9, 12),
    )
    yield one(
        "a graph",
        counts,
        q,
        call(5, 2, 6, name="cudaGraphLaunch"),
        _op(5, 9, 12),
        _op(5, 13, 17),
        _op(5, 18, 20),
    )
    yield one(
        "through the driver",
        counts,
        q,
        call(5, 2, 6, cat="cuda_driver", name="cuLaunchKernel"),
        _op(5, 9, 12),
    )
    yield one(
        "an annotation on the device",
        counts,
        q,
        annotation("decoder", 8, 30, 7, "gpu_user_annotation", 0),
        call(5, 2, 6),
        _op(5, 9, 12),
    )
    gemm = _op(5, 9, 60, name="cutlass_gemm_dequant_epilogue")
    yield one(
        "names of kernels do not matter", counts, annotation("matmul", 0, 10), call(5, 2, 6), gemm
    )
    for fault in ("qdq", "healthy"):
        yield case("a simulated trace", counts, spans=simulated(fault, int(rng.integers(2**31))))


def probe(solution, spans):
    return solution(spans)


def judge(case, answer):
    with shown(case.spans):
        _compare(case, answer)


def _compare(case, answer):
    want = traces.kernel_time_by_range(case.spans)
    if isinstance(answer, dict):
        expect.that(
            set(answer) == set(want),
            "The names are off.",
            yours=", ".join(sorted(map(repr, answer))),
            right=", ".join(sorted(map(repr, want))),
            hint="Names of ranges with a kernel; '' for kernels whose call is in no range or not recorded.",
        )
    answer = expect.mapping(answer, tuple(want), only=True)
    for name, value in want.items():
        expect.number(answer[name], value, f"time of {name!r}", atol=0.005 + 1e-9 * value)
