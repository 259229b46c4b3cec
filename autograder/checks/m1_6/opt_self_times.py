"""opt-self-times: durations less those of direct children, held against a search for each parent."""

from autograder.checks import case, expect

PARTS = {"self time": 0.5, "calls and totals": 0.2, "order": 0.15, "refuse": 0.15}
HINTS = (
    "Sort each thread's events by start, longer ones first: then a stack holds the calls that are open.",
    "Subtract a call's duration from the call around it, and from no other.",
    "An event inside one of the same name adds to calls and self time, not to the total.",
)
KEYS = ("name", "calls", "self_us", "total_us", "share")
NAMES = ("generate", "forward", "linear", "dequantize", "aten::mm", "aten::copy_", "aten::to")


def _tree(rng, start, length, depth, thread, out):
    """A random call tree with whole microseconds; children may touch each other and their parent."""
    name = str(rng.choice(NAMES))
    out.append({"name": name, "start_us": start, "duration_us": length, "thread": thread})
    if depth == 0 or length < 4:
        return
    cuts = sorted(int(c) for c in rng.choice(length + 1, size=min(6, length + 1), replace=False))
    for left, right in zip(cuts[::2], cuts[1::2], strict=False):
        if (left, right) != (0, length):
            _tree(rng, start + left, right - left, depth - 1, thread, out)


def _event(name, start, duration, thread=1):
    return {"name": name, "start_us": start, "duration_us": duration, "thread": thread}


def _random(rng, depth, threads, roots=2):
    events = []
    for thread in range(1, threads + 1):
        start = int(rng.integers(0, 50))
        for _ in range(roots):
            length = int(rng.integers(200, 900))
            _tree(rng, start, length, depth, thread, events)
            start += length + int(rng.integers(0, 30))
    return [events[i] for i in rng.permutation(len(events))]


def cases(rng):
    nested = [_event("a", 0, 100), _event("b", 10, 60), _event("c", 20, 30)]
    touching = [_event("a", 5, 10), _event("b", 5, 4), _event("b", 9, 6), _event("c", 15, 5)]
    recursive = [_event("f", 0, 90), _event("f", 10, 50), _event("g", 20, 10), _event("f", 22, 5)]
    same = [_event("outer", 3, 8), _event("inner", 3, 8), _event("leaf", 3, 2)]
    threads = [_event("a", 0, 100), _event("b", 10, 50, 2), _event("b", 10, 20)]
    fixed = (
        ("grandchildren", nested),
        ("calls that touch", touching),
        ("a call in a call of its name", recursive),
        ("one interval twice", same),
        ("two threads", threads),
        ("listed backwards", nested[::-1]),
    )
    drawn = [(f"{threads} threads, drawn", _random(rng, 4, threads)) for threads in (1, 2, 3)]
    for part in ("self time", "calls and totals"):
        for label, events in (*fixed, *drawn):
            yield case(label, part=part, events=events)
    ties = [_event(n, 10 * i, 10) for i, n in enumerate(("z", "b", "m", "a"))]
    yield case("equal self times", part="order", events=ties)
    thin = [_event("wrapper", 0, 100), _event("a", 5, 90)]
    yield case("a call that does little itself", part="order", events=thin)
    yield case("nothing recorded", part="order", events=[])
    yield case("drawn", part="order", events=drawn[1][1])
    yield case(
        "overlap without nesting", part="refuse", events=[_event("a", 0, 10), _event("b", 5, 10)]
    )
    inside = [_event("a", 0, 100), _event("b", 10, 30), _event("c", 20, 40)]
    yield case("an overlap inside a call", part="refuse", events=inside)
    after = [_event("a", 0, 20), _event("b", 5, 5), _event("c", 15, 10), _event("d", 30, 5)]
    yield case("an overlap after a nested call", part="refuse", events=after[::-1])
    second = [_event("a", 0, 100), _event("b", 10, 10, 2), _event("c", 15, 10, 2)]
    yield case("an overlap in a second thread", part="refuse", events=second)
    yield case("a duration of 0", part="refuse", events=[_event("a", 0, 10), _event("b", 5, 0)])
    yield case("a negative duration", part="refuse", events=[_event("a", 0, -1)])
    fine = [_event("a", 0, 10), _event("b", 5, 10, 2)]
    yield case("an overlap of two threads", part="order", events=fine)


def probe(solution, events):
    bad = any(e["duration_us"] <= 0 for e in events)
    crossed = any(
        e["thread"] == f["thread"]
        and e["start_us"] < f["start_us"] < e["start_us"] + e["duration_us"]
        and f["start_us"] + f["duration_us"] > e["start_us"] + e["duration_us"]
        for e in events
        for f in events
    )
    if bad or crossed:
        return refusal(lambda: solution(events))  # noqa: F821
    return solution(events)


def _around(events, index):
    """The indexes of all events around event `index`, the nearest first."""
    e = events[index]
    start, end = e["start_us"], e["start_us"] + e["duration_us"]
    found = []
    for i, f in enumerate(events):
        begin, finish = f["start_us"], f["start_us"] + f["duration_us"]
        equal = (begin, finish) == (start, end)
        covers = begin <= start and end <= finish and (not equal or i < index)
        if i != index and f["thread"] == e["thread"] and covers:
            found.append(i)
    return sorted(found, key=lambda i: (events[i]["duration_us"], -i))


def oracle(events):
    """Rows by name, from a search for each event's surroundings; quadratic, whole numbers."""
    own = [e["duration_us"] for e in events]
    rows = {}
    for index, event in enumerate(events):
        around = _around(events, index)
        if around:
            own[around[0]] -= event["duration_us"]
        row = rows.setdefault(event["name"], {"name": event["name"], "calls": 0, "total_us": 0})
        row["calls"] += 1
        if not any(events[i]["name"] == event["name"] for i in around):
            row["total_us"] += event["duration_us"]
    for event, self_us in zip(events, own, strict=True):
        rows[event["name"]]["self_us"] = rows[event["name"]].get("self_us", 0) + self_us
    for row in rows.values():
        row["share"] = row["self_us"] / sum(own)
    return sorted(rows.values(), key=lambda row: (-row["self_us"], row["name"]))


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    want = oracle(case.events)
    expect.that(isinstance(answer, (list, tuple)), "Return a list of rows.", stage="type",
                yours=expect.kind(answer), right="a list of dicts")  # fmt: skip
    expect.that(len(answer) == len(want), "One row for each name.", stage="shape",
                yours=f"{len(answer)} rows", right=f"{len(want)} rows")  # fmt: skip
    rows = [expect.mapping(row, KEYS) for row in answer]
    names = [row["name"] for row in rows]
    if case.part == "order":
        expect.that(names == [r["name"] for r in want], "The rows are in another order.", yours=names,
                    right=[r["name"] for r in want],
                    hint="Most self time first; equal ones by name.")  # fmt: skip
        return
    expect.that(len(set(map(str, names))) == len(names), "A name has two rows.", yours=names)
    found = {row["name"]: row for row in rows}
    for row in want:
        expect.that(row["name"] in found, f"There is no row for {row['name']!r}.", stage="shape")
        mine, shown = found[row["name"]], row["name"]
        if case.part == "self time":
            expect.number(mine["self_us"], row["self_us"], f"self_us of {shown}", rtol=1e-9)
            expect.number(mine["share"], row["share"], f"share of {shown}", rtol=1e-9)
        else:
            expect.integer(mine["calls"], row["calls"], f"calls of {shown}")
            expect.number(mine["total_us"], row["total_us"], f"total_us of {shown}", rtol=1e-9)
