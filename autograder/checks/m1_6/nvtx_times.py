"""nvtx-times: counts, totals and own times of ranges, against every pair of events compared."""

from autograder.checks import case, expect
from autograder.checks.oracles import nsys_timeline as timeline
from lab.nsys_export import MARK, START_END, Range, export

PARTS = {"count and total": 0.5, "own time": 0.4, "no ranges": 0.1}
HINTS = (
    "LEFT JOIN StringIds ON id = textId, and coalesce(text, value) is the name.",
    "ORDER BY globalTid, start; keep a stack of the open push/pop ranges of the thread.",
    "A range's time counts against the one on top of the stack; start/end ranges stay off the stack.",
)
FIXED = {
    "one range": [Range("step", 100, 350)],
    "names in small letters and capitals": [Range("step", 100, 350), Range("Step", 400, 450)],
    "two of a name": [Range("step", 100, 350), Range("step", 400, 450)],
    "text beside registered strings": [
        Range("step", 100, 350, registered=False), Range("step", 400, 450), Range("mlp", 500, 507)],
    "a mark and an open range": [
        Range("step", 100, 350), Range("step", 200, None, MARK), Range("step", 390, None),
        Range("late", 395, None)],
    "events of other kinds": [
        Range("step", 100, 350), Range("course", 90, None, 75), Range("imported", 380, 390, 70)],
    "one in another": [Range("quantize", 110, 200), Range("step", 100, 350)],
    "grandchildren": [Range("step", 100, 350), Range("mlp", 110, 300), Range("matmul", 120, 250)],
    "neighbours that touch": [
        Range("step", 100, 400), Range("quantize", 101, 200), Range("matmul", 200, 399)],
    "two threads at once": [
        Range("step", 100, 350), Range("load", 150, 300, thread=2), Range("matmul", 160, 180)],
    "two processes at once": [
        Range("step", 100, 350), Range("step", 120, 300, process=2), Range("mlp", 150, 160)],
    "a range in its namesake": [Range("block", 100, 350), Range("block", 120, 300)],
    "a start/end range around": [
        Range("request", 50, 900, START_END), Range("step", 100, 350), Range("mlp", 120, 200)],
    "a start/end range inside": [
        Range("step", 100, 350), Range("request", 120, 300, START_END), Range("mlp", 130, 200)],
}  # fmt: skip


def cases(rng):
    drawn = {f"drawn, {n} steps": timeline.drawn_ranges(rng, n, 2) for n in (1, 3)}
    drawn["drawn, three threads"] = timeline.drawn_ranges(rng, 2, 3, ("block", "mlp"))
    for part in ("count and total", "own time"):
        for label, ranges in (FIXED | drawn).items():
            yield _case(label, part, ranges)
    yield _case("no table of ranges", "no ranges", [])
    yield _case("marks alone", "no ranges", [Range("epoch", 5, None, MARK)])


def _case(label, part, ranges):
    made = case(label, part, script=export(ranges))
    made.ranges = ranges  # the judge's: the probe gets the script alone
    return made


def probe(solution, script):
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    connection.execute("PRAGMA query_only = ON")
    return solution(connection)


def judge(case, answer):
    want = timeline.range_times(case.ranges)
    if not isinstance(answer, dict):
        expect.wrong("type", "Return a dict.", yours=expect.kind(answer), right="a dict")
    expect.that(
        set(answer) == set(want),
        "The names are off.",
        yours=sorted(map(str, answer)),
        right=sorted(want),
    )
    for name, row in want.items():
        got = expect.sequence(answer[name], ("count", "total_ns", "self_ns"))
        for value, right, what in zip(got, row, ("count", "total_ns", "self_ns"), strict=True):
            if what == "self_ns" and case.part == "count and total":
                continue
            expect.integer(value, right, f"{what} of {name}")
