"""bench-inner: how many calls outlast the clock's tick, on a clock of the probe's."""

from autograder.checks import case, expect

PARTS = {"fine clock": 0.4, "coarse clock": 0.4, "refuse": 0.2}
HINTS = (
    "The clock must have moved by at least tick_ns / error.",
    "Read the clock anew before each attempt.",
    "One call comes first, before the clock is read at all.",
)


def _drawn(rng, tick, error):
    """ns of a call so that no attempt ends near the limit, wherever in a tick it starts."""
    limit = tick / error
    margin = (
        0.03 if tick == 1 else max(0.03, 1.1 * error)
    )  # a difference is off by less than a tick
    while True:
        cost = int(limit * 2 ** float(rng.uniform(-9, 1))) + 1
        if all(abs(cost * 2**k / limit - 1) > margin for k in range(20)):
            return cost


def cases(rng):
    yield case("limit just reached", "fine clock", first_ns=1, cost_ns=1, tick=1, error=0.125)
    yield case("one call is enough", "fine clock", first_ns=900, cost_ns=900, tick=1, error=0.01)
    yield case("the first call is slow", "fine clock", first_ns=10**6, cost_ns=30, tick=1,
               error=0.01)  # fmt: skip
    yield case("1 ns below the limit", "fine clock", first_ns=99, cost_ns=99, tick=1, error=0.01)
    yield case("a limit between two readings", "fine clock", first_ns=3, cost_ns=3, tick=1,
               error=0.3)  # fmt: skip
    for error in (0.5, 0.01, 0.001):
        cost = _drawn(rng, 1, error)
        yield case(f"error {error}", "fine clock", first_ns=3 * cost, cost_ns=cost, tick=1,
                   error=error)  # fmt: skip
    yield case("1 % by default", "fine clock", first_ns=30, cost_ns=30, tick=1, error=None)
    for tick, error in ((100, 0.01), (1000, 0.02), (1_000_000, 0.01), (15_625_000, 0.1)):
        cost = _drawn(rng, tick, error)
        yield case(f"ticks of {tick:,} ns", "coarse clock", first_ns=cost, cost_ns=cost, tick=tick,
                   error=error)  # fmt: skip
    yield case("the last attempt allowed", "coarse clock", first_ns=30, cost_ns=30, tick=10,
               error=0.01, most=64)  # fmt: skip
    yield case("most is no power of two", "coarse clock", first_ns=30, cost_ns=30, tick=10,
               error=0.01, most=100)  # fmt: skip
    good = {"first_ns": 30, "cost_ns": 30, "tick": 10, "error": 0.01}
    for label, bad, quiet in (
        ("64 calls needed, 63 allowed", {"most": 63}, False),
        ("a function that takes no time", {"first_ns": 0, "cost_ns": 0, "most": 256}, False),
        ("a tick of 0", {"tick": 0}, True),
        ("a negative tick", {"tick": -10}, True),
        ("an error of 0", {"error": 0.0}, True),
        ("an error of 1", {"error": 1.0}, True),
        ("an error of 200 %", {"error": 2.0}, True),
        ("a negative error", {"error": -0.01}, True),
        ("most 0", {"most": 0}, True),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True, quiet=quiet)


def probe(solution, first_ns, cost_ns, tick, error, most=None, refuse=False, quiet=False):
    now, calls, readings = [12_345_678], [0], [0]
    step = tick if tick > 0 else 1

    def fn():
        calls[0] += 1
        if calls[0] > 5_000_000:
            raise RuntimeError("fn was called more than 5,000,000 times")
        now[0] += first_ns if calls[0] == 1 else cost_ns

    def clock_ns():
        readings[0] += 1
        return now[0] // step * step

    given = {} if error is None else {"error": error}
    if most is not None:
        given["most"] = most

    def call():
        return solution(fn, clock_ns, tick, **given)

    if refuse:
        return {**refusal(call), "calls": calls[0]}  # noqa: F821
    found = call()
    return {"n": found, "calls": calls[0], "readings": readings[0]}


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        if case.quiet:
            expect.integer(answer["calls"], 0, "calls of fn before the refusal")
        return
    limit = case.tick / (case.error or 0.01)
    want = next(2**k for k in range(40) if case.cost_ns * 2**k >= limit)
    expect.integer(answer["n"], want, "n")
    hint = "One untimed call, then 1 + 2 + 4 + ... + n."
    expect.integer(answer["calls"], 2 * want, "calls of fn in all", hint=hint)
    least = 2 * want.bit_length()  # an attempt for each power of two up to n
    expect.that(answer["readings"] >= least, "Each attempt needs two readings of the clock of its own.",
                yours=f"{answer['readings']} readings", right=f"{least} readings")  # fmt: skip
