"""gpu-time-by-range: kernels by the place of the call that launched them, every pair compared."""

from autograder.checks import case, expect
from autograder.checks.oracles import nsys_timeline as timeline
from lab.nsys_export import MARK, START_END, Launch, Range, export

PARTS = {"by the call": 0.6, "threads and processes": 0.25, "missing": 0.15}
HINTS = (
    "KERNEL joins RUNTIME on correlationId, and globalPid = globalTid & 0xFFFFFFFFFF000000.",
    "The call lies in the range: n.start <= r.start AND r.end <= n.end AND n.globalTid = r.globalTid.",
    "GROUP BY name AND kernel once (DISTINCT k.rowid): a range may lie in its namesake.",
)
STEP = Range("step", 1000, 2000)


def _late(**other):
    return Launch("gemm_int8", (1500, 1504), (2600, 2900), 1, **other)


FIXED = {
    "a kernel that runs after its range": ([STEP], [_late()]),
    "a kernel that runs in the next range": (
        [STEP, Range("decode", 2500, 3000)], [_late()]),
    "nested ranges": (
        [STEP, Range("mlp", 1400, 1600), Range("matmul", 1450, 1590)], [_late()]),
    "a range in its namesake": ([STEP, Range("step", 1400, 1600)], [_late()]),
    "twice the same range": (
        [STEP, Range("step", 3000, 4000)],
        [_late(), Launch("add", (3100, 3104), (3200, 3207), 2)]),
    "a call outside all ranges": (
        [STEP], [_late(), Launch("add", (2100, 2104), (2950, 2960), 2)]),
    "calls across an end of their ranges": (
        [STEP, Range("decode", 2100, 3000)],
        [Launch("gemm_int8", (1998, 2002), (2600, 2900), 1),
         Launch("add", (2098, 2102), (2950, 2960), 2)]),
    "two streams that overlap": (
        [STEP], [_late(), Launch("add", (1600, 1604), (2700, 3100), 2, stream=8)]),
    "marks, open and start/end ranges": (
        [STEP, Range("half way", 1400, None, MARK), Range("late", 1100, None),
         Range("request", 900, 5000, START_END)], [_late()]),
    "text beside registered strings": (
        [Range("step", 1000, 2000, registered=False), Range("mlp", 1400, 1600)], [_late()]),
}  # fmt: skip
APART = {
    "a range of another thread": ([STEP, Range("load", 1400, 1600, thread=2)], [_late()]),
    "two threads launch": (
        [STEP, Range("decode", 900, 2200, thread=2)],
        [_late(), Launch("add", (1550, 1554), (3000, 3030), 2, thread=2)]),
    "two processes with the same correlation numbers": (
        [STEP, Range("decode", 1000, 2000, process=2)],
        [_late(), Launch("add", (1700, 1704), (3000, 3041), 1, process=2)]),
}  # fmt: skip


def cases(rng):
    drawn = {}
    for label, count, streams in (("one stream", 12, 1), ("three streams", 30, 3)):
        ranges = timeline.drawn_ranges(rng, 2, 2, ("step", "mlp", "matmul", "quantize"))
        drawn[f"drawn, {label}"] = (ranges, timeline.launches_in(rng, ranges, count, streams))
    for label, (ranges, launches) in (FIXED | drawn).items():
        yield _case(label, "by the call", ranges, launches)
    both, launches = [], []
    for process in (1, 2):
        own = timeline.nested(rng, 1000 + process, 2500, 3, ("step", "mlp"), 1, process)
        both, launches = both + own, launches + timeline.launches_in(rng, own, 9, 2, process)
    apart = APART | {"drawn, two processes": (both, launches)}
    for label, (ranges, launches) in apart.items():
        yield _case(label, "threads and processes", ranges, launches)
    yield _case("no kernels", "missing", [STEP], [])
    yield _case("no ranges", "missing", [], [_late()])
    two = [_late(), Launch("add", (1600, 1604), (2950, 2960), 2)]
    yield _case("a call that was not recorded", "missing", [STEP], two, lost=2)
    yield _case("no call was recorded", "missing", [STEP], two[:1], lost=1)


def _case(label, part, ranges, launches, lost=0):
    script = export(ranges, launches)
    if lost:
        removed = f"DELETE FROM CUPTI_ACTIVITY_KIND_RUNTIME WHERE correlationId = {lost};"
        empty = len(launches) == 1
        script += f"\n{'DROP TABLE CUPTI_ACTIVITY_KIND_RUNTIME;' if empty else removed}"
    made = case(label, part, script=script)
    made.want = timeline.gpu_times(ranges, launches, lambda one: one.correlation != lost)
    return made


def probe(solution, script):
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    connection.execute("PRAGMA query_only = ON")
    return solution(connection)


def judge(case, answer):
    if not isinstance(answer, dict):
        expect.wrong("type", "Return a dict.", yours=expect.kind(answer), right="a dict")
    expect.that(
        set(answer) == set(case.want),
        'The names are off ("" for calls outside all ranges).',
        yours=sorted(map(str, answer)),
        right=sorted(case.want),
    )
    for name, (kernels, gpu_ns) in case.want.items():
        got = expect.sequence(answer[name], ("kernels", "gpu_ns"))
        expect.integer(got[0], kernels, f"kernels of {name!r}")
        expect.integer(got[1], gpu_ns, f"gpu_ns of {name!r}")
