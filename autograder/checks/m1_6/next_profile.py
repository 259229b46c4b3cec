"""next-profile: busy time, gaps and the next tool, from a timeline painted nanosecond by nanosecond."""

from autograder.checks import case, expect
from autograder.checks.oracles import nsys_timeline as timeline
from lab.nsys_export import Copy, Launch, Range, export

PARTS = {"busy and gaps": 0.55, "tool and kernel": 0.3, "refuse": 0.15}
HINTS = (
    "Clip each kernel to the window: max(start, low), min(end, high); drop what is empty.",
    "Sort by start, keep the end of what is busy so far: a kernel adds what reaches beyond it.",
    "The gaps at both ends of the window count as well.",
)


def _one(kernel, start, end, stream=7):
    return (kernel, start, end, stream)


FIXED = {
    "one kernel in the middle": (1000, 2000, [_one("gemm", 1400, 1600)]),
    "half busy": (1000, 2000, [_one("gemm", 1000, 1500)]),
    "just under half": (1000, 2000, [_one("gemm", 1001, 1500)]),
    "nearly all busy": (1000, 2000, [_one("gemm", 1010, 1500), _one("add", 1500, 1990)]),
    "two streams at once": (
        1000, 2000, [_one("gemm", 1100, 1500), _one("add", 1100, 1500, 8)]),
    "one inside another": (
        1000, 2000, [_one("gemm", 1100, 1900), _one("add", 1200, 1300, 8), _one("add", 1850, 1950, 9)]),
    "partial overlap": (
        1000, 2000, [_one("gemm", 1100, 1400), _one("add", 1300, 1700, 8)]),
    "kernels over both edges": (
        1000, 2000, [_one("gemm", 500, 1300), _one("add", 1600, 2700)]),
    "a long kernel mostly outside": (
        1000, 2000, [_one("gemm", 0, 1100), _one("add", 1200, 1900)]),
    "kernels outside": (
        1000, 2000, [_one("gemm", 100, 1000), _one("add", 1100, 1800), _one("gemm", 2000, 2900)]),
    "many short against one long": (
        0, 1000, [_one("add", 100 * i, 100 * i + 30) for i in range(8)] + [_one("gemm", 850, 1000)]
        + [_one("gemm", 40, 160, 8)]),
    "longest gap at the end": (0, 1000, [_one("gemm", 10, 300), _one("add", 350, 720)]),
    "longest gap at the start": (0, 1000, [_one("gemm", 290, 600), _one("add", 650, 980)]),
    "fully busy": (0, 1000, [_one("gemm", 0, 1000)]),
    "a tie": (0, 1000, [_one("gemm", 0, 400), _one("add", 500, 900)]),
    "nothing ran": (1000, 2000, [_one("gemm", 100, 300)]),
}  # fmt: skip


def _drawn(rng, streams, dense):
    low = int(rng.integers(1000, 3000))
    high = low + int(rng.integers(3000, 6000))
    runs, free = [], dict.fromkeys(range(streams), low - 300)
    while min(free.values()) < high + 200:
        stream = min(free, key=free.get)
        start = free[stream] + int(rng.integers(1, 60 if dense else 900))
        end = start + int(rng.integers(30, 400))
        runs.append(_one(timeline.KERNELS[int(rng.integers(5))], start, end, 7 + stream))
        free[stream] = end
    rng.shuffle(runs)
    return low, high, [(str(k), int(a), int(b), int(s)) for k, a, b, s in runs]


def cases(rng):
    drawn = {f"drawn, {n} streams, dense: {dense}": _drawn(rng, n, dense)
             for n in (1, 3) for dense in (True, False)}  # fmt: skip
    for part in ("busy and gaps", "tool and kernel"):
        for label, (low, high, runs) in (FIXED | drawn).items():
            yield _case(label, part, low, high, runs)
    yield _case("no table of kernels", "busy and gaps", 5, 105, [])
    low, high, runs = FIXED["half busy"]
    for label, window in (("an empty window", (high, high)), ("a window backwards", (high, low))):
        yield case(label, "refuse", script=_script(runs), window=list(window), good=False)


def _script(runs):
    launches = [
        Launch(k, (a - 9, a - 5), (a, b), i, stream=s, parameters=f"<int, {i % 2}>(int *)")
        for i, (k, a, b, s) in enumerate(runs, 1)
    ]
    copies = [Copy((a + 3, b + 40), 4096) for _, a, b, _ in runs]
    return export([Range("step", 1, 9)], launches, copies if runs else ())


def _case(label, part, low, high, runs):
    made = case(label, part, script=_script(runs), window=[low, high])
    made.launches = [Launch(k, (0, 1), (a, b), 1, stream=s) for k, a, b, s in runs]
    return made


def probe(solution, script, window, good=True):
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    connection.execute("PRAGMA query_only = ON")
    if not good:
        return refusal(lambda: solution(connection, *window))  # noqa: F821
    return solution(connection, *window)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    low, high = case.window
    busy_ns, gap_ns, total = timeline.busy(case.launches, low, high)
    names = ("busy_share", "longest_gap_ns", "tool", "kernel")
    got = expect.mapping(answer, names, only=True)
    expect.number(got["busy_share"], busy_ns / (high - low), "busy_share")
    expect.integer(got["longest_gap_ns"], gap_ns, "longest_gap_ns")
    if case.part == "busy and gaps":
        return
    tool, kernel = "nsys", None
    if 2 * busy_ns >= high - low:
        tool, kernel = "ncu", min(total, key=lambda name: (-total[name], name))
    for name, right in (("tool", tool), ("kernel", kernel)):
        expect.that(got[name] == right, f"`{name}` is off.", yours=got[name], right=right)
