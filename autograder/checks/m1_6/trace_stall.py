"""trace-stall: the operator whose waits leave the device idle longest."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import in_order, shown, simulated, span

PARTS = {"one wait": 0.4, "several, and edges": 0.4, "simulated traces": 0.2}
HINTS = (
    "For each waiting call: the operator around it, its duration, the idle time after it; then add up.",
    "Idle time: max of the ends up to t, min of the starts from t on; 0 if an operation runs at t.",
    "The longest wait is not the worst: compare idle_us.",
)
FIELDS = ("op", "calls", "wait_us", "idle_us")


def _wait(start, end, name="cudaStreamSynchronize", tid=9, cat="cuda_runtime"):
    return span(name, cat, 9, tid, start, end, correlation=1)


def _op(start, end, cat="kernel", stream=7):
    return span("gemm", cat, 0, stream, start, end, correlation=2)


def _cpu(name, start, end, tid=9, cat="cpu_op", pid=9):
    return span(name, cat, pid, tid, start, end)


def cases(rng):
    first, several, real = PARTS

    def one(label, part, *spans):
        return case(label, part, spans=in_order(list(spans)))

    item = _cpu("aten::item", 0, 60)
    yield one("one wait", first, item, _wait(5, 52), _op(10, 50), _op(75, 90))
    yield one(
        "the outermost operator",
        first,
        item,
        _cpu("aten::_local_scalar_dense", 1, 58),
        _wait(5, 52),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "an annotation is no operator",
        first,
        _cpu("step", 0, 100, cat="user_annotation"),
        item,
        _wait(5, 52),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "no operator around it",
        first,
        _cpu("aten::mm", 0, 4),
        _wait(5, 52),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "cudaDeviceSynchronize",
        first,
        item,
        _wait(5, 52, "cudaDeviceSynchronize"),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "the driver's call",
        first,
        item,
        _wait(5, 52, "cuStreamSynchronize", cat="cuda_driver"),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "a copy ends the idle time",
        first,
        item,
        _wait(5, 52),
        _op(10, 50),
        _op(56, 60, "gpu_memcpy", 20),
        _op(75, 90),
    )
    yield one(
        "another stream runs on",
        first,
        item,
        _wait(5, 52),
        _op(10, 50),
        _op(30, 70, stream=20),
        _op(75, 90),
    )
    yield one("nothing waits", first, item, _op(2, 50))
    yield one("nothing follows", first, item, _wait(5, 52), _op(10, 50))
    yield one("nothing came before", first, item, _wait(5, 52), _op(75, 90))
    yield one("the call ends with the kernel", first, item, _wait(5, 50), _op(10, 50), _op(75, 90))
    yield one(
        "an annotation on the device",
        first,
        item,
        _wait(5, 52),
        _op(10, 50),
        _op(0, 200, "gpu_user_annotation"),
        _op(75, 90),
    )
    yield one(
        "an operator of another thread",
        first,
        _cpu("aten::stack", 0, 99, tid=8),
        _cpu("aten::item", 4, 60),
        _wait(5, 52),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "an operator of another process",
        several,
        _cpu("aten::stack", 0, 99, pid=8),
        _cpu("aten::item", 4, 60),
        _wait(5, 52),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "an operator ends during the call",
        several,
        _cpu("aten::add", 0, 20),
        _wait(5, 52),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "the operator that began first ends last",
        several,
        item,
        _wait(5, 52),
        _op(8, 51, stream=20),
        _op(30, 45),
        _op(75, 90),
    )
    yield one(
        "an operation starts as the call ends",
        several,
        item,
        _wait(5, 52),
        _op(10, 50),
        _op(52, 60),
        _op(75, 90),
    )
    yield one(
        "cudaEventSynchronize",
        several,
        item,
        _wait(5, 52, "cudaEventSynchronize"),
        _op(10, 50),
        _op(75, 90),
    )
    yield one(
        "a wait on the device's rows, and one called like it",
        several,
        item,
        _wait(5, 52),
        _op(10, 50),
        span("Stream Synchronize", "cuda_sync", 0, 7, 5, 51, correlation=1),
        _cpu("cudaStreamSynchronize", 54, 57),
        _op(75, 90),
    )
    yield one(
        "a memset ends the idle time",
        several,
        item,
        _wait(5, 52),
        _op(10, 50),
        _op(56, 60, "gpu_memset"),
        _op(75, 90),
    )
    short = [
        x
        for k in range(5)
        for x in (
            _cpu("aten::item", 300 + 100 * k, 360 + 100 * k),
            _wait(305 + 100 * k, 352 + 100 * k),
            _op(310 + 100 * k, 350 + 100 * k),
            _op(372 + 100 * k, 390 + 100 * k),
        )
    ]
    long = [_cpu("aten::to", 0, 270), _wait(5, 262), _op(10, 260), _op(290, 299)]
    yield one("a long wait and five short ones", several, *long, *short)
    yield one("the long one is worse", several, *long[:3], *short[4:8])
    yield one("five of one operator", several, *short)
    free = [_cpu("aten::item", 300, 390), _wait(305, 380), _op(310, 500), _op(501, 520)]
    yield one("one of its calls costs nothing", several, *free, *short[12:])
    nothing = [
        _cpu("aten::cat", 0, 90),
        _wait(5, 80),
        _op(10, 200),
        _op(210, 220),
        _cpu("aten::item", 230, 260),
        _wait(231, 255),
        _op(240, 250),
        _op(258, 270),
    ]
    yield one("a wait that costs nothing, and one that does", several, *nothing)
    yield one(
        "more calls cost less",
        several,
        *short[:12],
        _cpu("aten::nonzero", 2000, 2040),
        _wait(2002, 2030),
        _op(2005, 2029),
        _op(2200, 2210),
    )
    host = [
        _cpu("aten::mm", 600, 640),
        span("cudaMalloc", "cuda_runtime", 9, 9, 605, 630),
        span("cudaMemcpyAsync", "cuda_runtime", 9, 9, 631, 639),
    ]
    yield one("other calls do not wait", several, *short[:8], *host)
    for fault in ("sync", "data_loader", "copies"):
        yield case(f"simulated, {fault}", real, spans=simulated(fault, int(rng.integers(2**31))))


def probe(solution, spans):
    return solution(spans)


def judge(case, answer):
    with shown(case.spans):
        _compare(case, answer)


def _compare(case, answer):
    want = traces.stalls(case.spans)
    if not want:
        expect.that(
            answer is None,
            "No call waits: return None.",
            stage="edge",
            yours=expect.show(answer),
            right="None",
        )
        return
    answer = expect.mapping(answer, FIELDS, only=True)
    worst = max(row["idle_us"] for row in want.values())
    good = [name for name, row in want.items() if row["idle_us"] >= worst - 0.01]
    expect.that(
        answer["op"] in good,
        "`op` is off.",
        yours=answer["op"],
        right=good[0],
        hint="Largest idle time after its waits, all its calls together.",
    )
    row = want[answer["op"]]
    expect.integer(answer["calls"], row["calls"], "calls")
    for key in ("wait_us", "idle_us"):
        expect.number(answer[key], row[key], key, atol=0.01)
