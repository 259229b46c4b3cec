"""Answers to opt-self-times."""

from autograder.checks.bank import right, wrong


def _table(events, *, inclusive=False, all_levels=False, threads=True, share_of="self", order="self",
           totals="outermost", refuse=True, outer_first=True):  # fmt: skip
    """Self times with a stack; each keyword is one way to get it wrong."""
    rows, total_self = {}, 0
    for thread in sorted({e["thread"] for e in events}) if threads else [None]:
        mine = [(i, e) for i, e in enumerate(events) if thread in (None, e["thread"])]
        mine.sort(
            key=lambda p: (p[1]["start_us"], -p[1]["duration_us"], p[0] if outer_first else -p[0])
        )
        stack = []
        for _, e in mine:
            start, length = e["start_us"], e["duration_us"]
            if refuse and length <= 0:
                raise ValueError("durations must be above 0")
            while stack and stack[-1][1] <= start:
                stack.pop()
            if refuse and stack and start + length > stack[-1][1]:
                raise ValueError(f"{e['name']} overlaps the call around it")
            row = rows.setdefault(
                e["name"],
                {"name": e["name"], "calls": 0, "self_us": 0, "total_us": 0, "share": 0.0},
            )
            row["calls"] += 1
            row["self_us"] += length
            if totals == "all" or all(name != e["name"] for name, _ in stack):
                row["total_us"] += length
            if not inclusive:
                for name, _ in stack if all_levels else stack[-1:]:
                    rows[name]["self_us"] -= length
            stack.append((e["name"], start + length))
    total_self = sum(r["self_us"] for r in rows.values())
    whole = max((e["start_us"] + e["duration_us"] for e in events), default=0) - min(
        (e["start_us"] for e in events), default=0
    )
    for row in rows.values():
        row["share"] = row["self_us"] / ((total_self if share_of == "self" else whole) or 1)
    key = {
        "self": lambda r: (-r["self_us"], r["name"]),
        "total": lambda r: (-r["total_us"], r["name"]),
        "up": lambda r: (r["self_us"], r["name"]),
        "none": lambda r: 0,
    }[order]
    return sorted(rows.values(), key=key)


@right("a stack for each thread")
def stack(events):
    return _table(events)


@right("intervals cut at every boundary")
def sweep(events):
    """Each piece between two boundaries belongs to the innermost call that is open."""
    rows = {}
    for thread in {e["thread"] for e in events}:
        mine = [(e["start_us"], e["start_us"] + e["duration_us"], i, e["name"])
                for i, e in enumerate(events) if e["thread"] == thread]  # fmt: skip
        for a, b, _, _ in mine:
            if a >= b or any(a < c < b < d for c, d, _, _ in mine):
                raise ValueError("these events do not nest")
        for a, b, i, name in mine:
            row = rows.setdefault(name, {"name": name, "calls": 0, "self_us": 0.0, "total_us": 0.0})
            row["calls"] += 1
            outer = [m for m in mine if m[0] <= a and b <= m[1] and (m[:2] != (a, b) or m[2] < i)]
            row["total_us"] += 0.0 if any(m[3] == name for m in outer) else b - a
        cuts = sorted({x for a, b, _, _ in mine for x in (a, b)})
        for left, right_end in zip(cuts, cuts[1:], strict=False):
            open_now = [m for m in mine if m[0] <= left and right_end <= m[1]]
            if open_now:
                inner = min(open_now, key=lambda m: (m[1] - m[0], -m[2]))
                rows[inner[3]]["self_us"] += right_end - left
    total = sum(r["self_us"] for r in rows.values())
    listed = sorted(rows.values(), key=lambda r: (-r["self_us"], r["name"]))
    return tuple(r | {"share": r["self_us"] / total} for r in listed)


@wrong("total-for-self", "That is the time with all that was called inside: take the children off.")
def total_for_self(events):
    return _table(events, inclusive=True)


@wrong(
    "grandchildren-subtracted-twice",
    "Only direct children come off; theirs are inside them already.",
)
def all_levels(events):
    return _table(events, all_levels=True)


@wrong("threads-mixed", "Calls of another thread are no children: nest each thread by itself.")
def mixed(events):
    return _table(events, threads=False, refuse=False)


@wrong("share-of-the-span", "Shares are of the sum of all self times, so that they add up to 1.")
def of_span(events):
    return _table(events, share_of="span")


@wrong("sorted-by-total", "Sort by self time: the outermost call has the largest total always.")
def by_total(events):
    return _table(events, order="total")


@wrong("ascending", "Most self time comes first.")
def ascending(events):
    return _table(events, order="up")


@wrong("unsorted", "Sort the rows: most self time first, equal ones by name.")
def unsorted(events):
    return _table(events, order="none")


@wrong(
    "recursion-counted-twice", "A call inside one of the same name is in that one's total already."
)
def recursion(events):
    return _table(events, totals="all")


@wrong(
    "inner-taken-for-outer", "Of two events with one interval, the one listed first is the outer."
)
def inner_first(events):
    return _table(events, outer_first=False)


@wrong("no-refusal", "Events that overlap without nesting, or last no time, make no call tree.")
def no_refusal(events):
    return _table(events, refuse=False)


@wrong("overlap-accepted", "Two calls of one thread that overlap must nest: refuse all others.")
def overlap_accepted(events):
    if any(e["duration_us"] <= 0 for e in events):
        raise ValueError("durations must be above 0")
    return _table(events, refuse=False)


@wrong("zero-duration-accepted", "A call that lasts no time is refused, as is a negative duration.")
def zero_accepted(events):
    rows = _table([e for e in events if e["duration_us"] > 0])
    return rows


@wrong("overlap-at-the-top-only", "Calls inside another call must nest as well: refuse all others.")
def top_only(events):
    def end(e):
        return e["start_us"] + e["duration_us"]

    if any(e["duration_us"] <= 0 for e in events):
        raise ValueError("durations must be above 0")
    for thread in {e["thread"] for e in events}:
        mine = [e for e in events if e["thread"] == thread]
        top = [
            e
            for e in mine
            if not any(f["start_us"] < e["start_us"] and end(e) < end(f) for f in mine)
        ]
        if any(e["start_us"] < f["start_us"] < end(e) < end(f) for e in top for f in top):
            raise ValueError("overlap")
    return _table(events, refuse=False)


@wrong("listed-order-trusted", "Events come in any order: sort them first.")
def listed_order(events):
    rows, stack = {}, []
    for e in events:
        if e["duration_us"] <= 0:
            raise ValueError("durations must be above 0")
        start, end = e["start_us"], e["start_us"] + e["duration_us"]
        while stack and not (stack[-1][1] <= start and end <= stack[-1][2]):
            stack.pop()
        row = rows.setdefault(
            e["name"], {"name": e["name"], "calls": 0, "self_us": 0, "total_us": 0}
        )
        row["calls"] += 1
        row["self_us"] += e["duration_us"]
        row["total_us"] += e["duration_us"]
        if stack:
            rows[stack[-1][0]]["self_us"] -= e["duration_us"]
        stack.append((e["name"], start, end))
    total = sum(r["self_us"] for r in rows.values()) or 1
    listed = sorted(rows.values(), key=lambda r: (-r["self_us"], r["name"]))
    return [r | {"share": r["self_us"] / total} for r in listed]


@wrong("mean-for-sum", "Add the calls of a name up; you gave the mean of one call.")
def mean(events):
    return [r | {"self_us": r["self_us"] / r["calls"]} for r in _table(events)]
