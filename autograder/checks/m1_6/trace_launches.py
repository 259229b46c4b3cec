"""trace-launches: delays by correlation id and idle time by stream."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import call, in_order, shown, simulated, span

PARTS = {"delays": 0.5, "calls and graphs": 0.25, "idle time": 0.25}
HINTS = (
    "Map correlation id to call, then go through the device's operations: a graph's kernels share an id.",
    "Keep the end of the last operation for each (pid, tid).",
    "An operation without a recorded call still occupies its stream.",
)
FIELDS = ("name", "delay_us", "idle_us")


def _op(ident, start, end, name="gemm", cat="kernel", stream=7, pid=0):
    return span(name, cat, pid, stream, start, end, correlation=ident, stream=stream)


def cases(rng):
    first, calls, idle = PARTS

    def one(label, part, *spans):
        return case(label, part, spans=in_order(list(spans)))

    yield one("nothing", first)
    yield one("one kernel", first, call(5, 0, 4), _op(5, 6.5, 60))
    yield one(
        "a kernel that queues", first, call(5, 0, 4), call(6, 5, 9), _op(5, 6, 60), _op(6, 61, 80)
    )
    yield one(
        "a copy and a memset",
        first,
        call(3, 0, 4, "cudaMemcpyAsync"),
        call(4, 5, 9, "cudaMemsetAsync"),
        _op(3, 6, 20, "Memcpy HtoD (Pinned -> Device)", "gpu_memcpy"),
        _op(4, 21, 22, "Memset (Device)", "gpu_memset"),
    )
    yield one(
        "ids not in order of time",
        first,
        call(90, 0, 4),
        call(12, 5, 9),
        _op(90, 6, 10),
        _op(12, 15, 20),
    )
    yield one("the call has a long duration", first, call(5, 0, 50), _op(5, 8, 60))
    yield one(
        "two threads launch at once",
        first,
        call(5, 0, 8),
        call(6, 2, 4, tid=8),
        _op(6, 9, 20, "first"),
        _op(5, 21, 30, "second"),
    )
    yield one(
        "a sync call has an id of its own",
        first,
        call(5, 0, 4),
        call(6, 5, 70, "cudaStreamSynchronize"),
        _op(5, 6, 60),
    )
    yield case("a simulated trace", first, spans=simulated("launch", int(rng.integers(2**31)), 1))
    yield one(
        "one graph, three kernels",
        calls,
        call(5, 0, 4, "cudaGraphLaunch"),
        _op(5, 8, 20, "a"),
        _op(5, 21, 30, "b"),
        _op(5, 31, 33, "c"),
    )
    yield one(
        "Triton, through the driver",
        calls,
        call(5, 0, 4, "cuLaunchKernel", "cuda_driver"),
        _op(5, 8, 20, "triton_poi"),
    )
    yield one(
        "an annotation on the device",
        calls,
        call(5, 0, 4),
        _op(5, 8, 20),
        span("step", "gpu_user_annotation", 0, 7, 7, 30, correlation=5),
    )
    yield one(
        "an operator with the same number",
        calls,
        call(5, 3, 6),
        _op(5, 8, 20),
        span("aten::mm", "cpu_op", 9, 9, 1, 7, **{"External id": 5, "correlation": 5}),
    )
    inside = span("aten::mm", "cpu_op", 9, 9, 3.5, 5, correlation=5)
    yield one(
        "an operator with the same number, later", calls, call(5, 3, 6), inside, _op(5, 8, 20)
    )
    no_id = span("gemm", "kernel", 0, 7, 8, 20, stream=7)
    sync = span("cudaDeviceSynchronize", "cuda_runtime", 9, 9, 5, 60)
    yield one("neither has an id", calls, no_id, sync, call(6, 61, 64), _op(6, 66, 70))
    yield one(
        "the call was not recorded", idle, _op(4, 2, 30, "early"), call(5, 10, 14), _op(5, 33, 40)
    )
    yield one(
        "idle before a kernel",
        idle,
        call(5, 0, 4),
        _op(5, 6, 20),
        call(6, 40, 44),
        _op(6, 46, 50),
    )
    yield one(
        "streams are apart",
        idle,
        call(5, 0, 4),
        _op(5, 6, 20),
        call(6, 5, 9),
        _op(6, 30, 50, stream=20),
        call(7, 10, 14),
        _op(7, 26, 28),
    )
    yield one(
        "two devices, the same stream number",
        idle,
        call(5, 0, 4),
        _op(5, 6, 20),
        call(6, 5, 9),
        _op(6, 30, 50, pid=1),
    )
    yield one("no gap", idle, call(5, 0, 4), _op(5, 6, 20), call(6, 5, 9), _op(6, 20, 30))
    for fault in ("copies", "sync"):
        yield case("a simulated trace", idle, spans=simulated(fault, int(rng.integers(2**31)), 1))


def probe(solution, spans):
    return solution(spans)


def judge(case, answer):
    with shown(case.spans):
        _compare(case, answer)


def _compare(case, answer):
    want = traces.launches(case.spans)
    expect.that(
        isinstance(answer, (list, tuple)),
        "Return a list of dicts.",
        stage="type",
        yours=expect.kind(answer),
    )
    expect.that(
        len(answer) == len(want),
        "The number of operations is off.",
        stage="shape",
        yours=len(answer),
        right=len(want),
    )
    for index, (mine, right) in enumerate(zip(answer, want, strict=True)):
        mine = expect.mapping(mine, FIELDS, only=True)
        expect.that(
            mine["name"] == right["name"],
            f"`name` of operation {index} is off.",
            yours=mine["name"],
            right=right["name"],
        )
        for key in FIELDS[1:]:
            expect.number(mine[key], right[key], f"{key} of operation {index}", atol=0.005)
