"""trace-self-time: calls, self and total time by name, against slices of the timeline."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import in_order, nested, shown, simulated, span
from lab.traces import read_trace, shipped_traces

PARTS = {"self and total": 0.5, "threads": 0.2, "recursion": 0.15, "real traces": 0.15}
HINTS = (
    "Go through the spans in order with a list of those still open.",
    "Subtract a span's duration from the self time of the innermost span around it, of that one only.",
    "Add to total_us only where no open span has the same name.",
)
FIELDS = ("calls", "self_us", "total_us")


def _numbered(spans):
    """The same spans with a name each: recursion has a part of its own."""
    return [{**s, "name": f"op{index}"} for index, s in enumerate(spans)]


def cases(rng):
    first, threads, recursion, real = PARTS

    def op(name, start, end, tid=1, pid=1):
        return span(name, "cpu_op", pid, tid, start, end)

    yield case("nothing", first, spans=[])
    yield case("one span", first, spans=[op("a", 0, 7)])
    yield case("one in another", first, spans=[op("a", 0, 10), op("b", 2, 5)])
    yield case("three deep", first, spans=[op("a", 0, 20), op("b", 2, 18), op("c", 4, 9)])
    yield case("two children", first, spans=[op("a", 0, 20), op("b", 2, 8), op("c", 8, 15)])
    yield case("neighbours touch", first, spans=[op("a", 0, 5), op("b", 5, 9), op("a", 9, 12)])
    yield case(
        "a child fills its parent", first, spans=[op("a", 0, 5), op("b", 0, 5), op("c", 6, 7)]
    )
    yield case("no length", first, spans=[op("a", 0, 5), op("b", 3, 3), op("c", 5, 5)])
    yield case(
        "back to the parent, then a cousin",
        first,
        spans=[
            op("a", 0, 30),
            op("b", 1, 10),
            op("c", 2, 9),
            op("d", 12, 20),
            op("c", 13, 14),
            op("e", 31, 33),
        ],
    )
    for until in (30, 120, 400):
        yield case("drawn", first, spans=_numbered(in_order(nested(rng, 1, 1, 0, until, 4))))
    yield case(
        "another thread at the same time", threads, spans=[op("a", 0, 20), op("b", 5, 10, tid=2)]
    )
    yield case(
        "another process, the same tid", threads, spans=[op("a", 0, 20), op("b", 5, 10, pid=2)]
    )
    yield case(
        "tids as text", threads, spans=[op("a", 0, 20, "1"), op("b", 5, 10, 1), op("c", 6, 8, "1")]
    )
    for _ in range(2):
        many = [s for pid in (1, 2) for tid in (1, "x") for s in nested(rng, pid, tid, 0, 90, 3)]
        yield case("drawn, four threads", threads, spans=_numbered(in_order(many)))
    yield case(
        "an operator calls itself", recursion, spans=[op("a", 0, 20), op("a", 2, 8), op("b", 3, 4)]
    )
    yield case(
        "itself through another",
        recursion,
        spans=[op("a", 0, 20), op("b", 2, 18), op("a", 3, 9), op("a", 10, 12)],
    )
    yield case(
        "itself at equal times", recursion, spans=[op("a", 0, 9), op("a", 0, 9), op("b", 0, 9)]
    )
    yield case(
        "the same name side by side",
        recursion,
        spans=[op("a", 0, 4), op("a", 4, 8), op("b", 9, 10)],
    )
    yield case(
        "the same name in two threads", recursion, spans=[op("a", 0, 10), op("a", 2, 6, tid=2)]
    )
    yield case(
        "drawn, two names", recursion, spans=in_order(nested(rng, 1, 1, 0, 150, 5, ("a", "b")))
    )
    yield case("a simulated trace", real, spans=simulated("qdq", int(rng.integers(2**31)), 1))
    paths = shipped_traces()
    recorded = traces.read(read_trace(paths["f"]))
    yield case("a recorded trace", real, spans=recorded)


def probe(solution, spans):
    return solution(spans)


def judge(case, answer):
    with shown(case.spans):
        _compare(case, answer)


def _compare(case, answer):
    want = traces.by_name(case.spans)
    answer = expect.mapping(answer, tuple(want), only=True)
    for name, row in want.items():
        yours = expect.mapping(answer[name], FIELDS, only=True)
        expect.integer(yours["calls"], row["calls"], f"calls of {name!r}")
        for key in FIELDS[1:]:
            slack = 1e-6 + 0.002 * row["calls"]  # files round to 0.001 us
            expect.number(yours[key], row[key], f"{key} of {name!r}", atol=slack)
