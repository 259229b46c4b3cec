"""launch-queue: a host that launches into a bounded queue, against an event simulation."""

from autograder.checks import case, expect
from autograder.checks.oracles.transfers import simulate

PARTS = {"total": 0.4, "waiting": 0.4, "refuse": 0.2}
HINTS = (
    "Keep three things: when the host is free, and the ends of all kernels so far.",
    "Launch i begins at max(host free, end[i - depth]) and kernel i at max(launch end, end[i - 1]).",
    "The device is idle for everything up to the last end that is not a kernel.",
)
KEYS = ("total_us", "host_wait_us", "device_idle_us")


def _drawn(rng, count, launch, kernel):
    return (
        [int(x) / 4 for x in rng.integers(1, 4 * launch, count)],
        [int(x) / 4 for x in rng.integers(0, 4 * kernel, count)],
    )


def cases(rng):
    fixed = (
        ("nothing", [], [], 1024),
        ("one kernel", [5.0], [3.0], 1024),
        ("launch-bound", [5.0] * 6, [2.0] * 6, 1024),
        ("device-bound", [2.0] * 6, [9.0] * 6, 1024),
        ("device-bound, a queue of 2", [2.0] * 6, [9.0] * 6, 2),
        ("a queue of 1", [2.0] * 5, [9.0] * 5, 1),
        ("a long kernel hides slow launches", [1.0, 6.0, 6.0, 6.0], [30.0, 1.0, 1.0, 1.0], 1024),
        ("one slow launch after a full queue", [1.0] * 4 + [40.0, 1.0], [5.0] * 6, 3),
        ("kernels without work", [3.0] * 4, [0.0] * 4, 2),
        ("launches for free: a graph", [0.0] * 8, [4.0] * 8, 1024),
        ("one launch, then free", [10.0] + [0.0] * 7, [4.0] * 8, 4),
    )
    drawn = [
        (f"{count} drawn, a queue of {depth}", *_drawn(rng, count, launch, kernel), depth)
        for count, launch, kernel, depth in (
            (9, 8, 8, 3),
            (25, 6, 9, 4),
            (40, 12, 6, 1024),
            (30, 3, 20, 7),
        )
    ]
    for part in ("total", "waiting"):
        for label, launch, kernel, depth in (*fixed, *drawn):
            yield case(label, part, launch=launch, kernel=kernel, depth=depth)
    yield case(
        "the default queue holds 1,024",
        "waiting",
        launch=[1.0] * 1030,
        kernel=[2.0] * 1030,
        depth=None,
    )
    for label, launch, kernel, depth in (
        ("lists of two lengths", [1.0, 1.0], [1.0], 4),
        ("a negative launch", [1.0, -1.0], [1.0, 1.0], 4),
        ("a negative kernel", [1.0], [-0.5], 4),
        ("no place in the queue", [1.0], [1.0], 0),
        ("no place and no kernel", [], [], 0),
    ):
        yield case(label, "refuse", launch=launch, kernel=kernel, depth=depth, refuse=True)


def probe(solution, launch, kernel, depth, refuse=False):
    more = () if depth is None else (depth,)
    if refuse:
        return refusal(lambda: solution(launch, kernel, *more))  # noqa: F821
    return solution(launch, kernel, *more)


def _right(launch, kernel, depth):
    operations = []
    for index, (host, device) in enumerate(zip(launch, kernel, strict=True)):
        free = (2 * (index - depth) + 1,) if index >= depth else ()
        operations += [(("host",), host, free), (("device",), device, (2 * index,))]
    spans = simulate(operations)
    total = max((end for _, end in spans), default=0.0)
    launched = spans[::2]
    host_end = max((end for _, end in launched), default=0.0)
    return {
        "total_us": total,
        "host_wait_us": host_end - sum(launch),
        "device_idle_us": total - sum(kernel),
    }


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    got = expect.mapping(answer, KEYS, only=True)
    depth = 1024 if case.depth is None else case.depth
    want = _right(case.launch, case.kernel, depth)
    for key in KEYS[:1] if case.part == "total" else KEYS[1:]:
        expect.number(got[key], want[key], key, atol=1e-6)
    return None
