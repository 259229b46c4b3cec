"""Answers to trace-self-time."""

import numpy as np

from autograder.checks.bank import right, wrong


def _times(spans, *, thread=("pid", "tid"), ancestors=1, recursion=True, calls="all", text=False, self_of="children",
           nest=True, key=None):  # fmt: skip
    times, threads = {}, {}
    for span in spans:
        place = tuple(str(span[k]) if text else span[k] for k in thread)
        around = threads.setdefault(place, [])
        middle = (span["start_us"] + span["end_us"]) / 2
        while around and around[-1]["end_us"] < middle:
            around.pop()
        duration = span["end_us"] - span["start_us"]
        name = key(span) if key else span["name"]
        row = times.setdefault(name, {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        within = [other for other in around if other["name"] == span["name"]]
        row["calls"] += 1 if calls == "all" or not within else 0
        row["self_us"] += duration
        if nest:
            for other in around[-ancestors:] if ancestors else around:
                times[key(other) if key else other["name"]]["self_us"] -= duration
        if not within or not recursion:
            row["total_us"] += duration
        around.append(span)
    return times


@right("a stack for each thread")
def stacks(spans):
    return _times(spans)


@right("parents by search, children summed")
def parents(spans):
    out = {}
    for index, span in enumerate(spans):
        length = span["end_us"] - span["start_us"]
        same = [
            other
            for other in spans[:index]
            if other["pid"] == span["pid"] and other["tid"] == span["tid"]
            and other["end_us"] >= (span["start_us"] + span["end_us"]) / 2
        ]  # fmt: skip
        row = out.setdefault(span["name"], dict(calls=0, self_us=0.0, total_us=0.0))
        row["calls"] = row["calls"] + 1
        row["self_us"] += length
        if span["name"] not in {other["name"] for other in same}:
            row["total_us"] += length
        if same:
            out[same[-1]["name"]]["self_us"] -= length
    return out


@right("painted, each span over its parents")
def painted(spans):
    edges = sorted({t for s in spans for t in (s["start_us"], s["end_us"])})
    at = {t: i for i, t in enumerate(edges)}
    width = np.diff(edges)
    out = {s["name"]: {"calls": 0, "self_us": 0.0, "total_us": 0.0} for s in spans}
    for s in spans:
        out[s["name"]]["calls"] += 1
    for place in {(s["pid"], s["tid"]) for s in spans}:
        own = [s for s in spans if (s["pid"], s["tid"]) == place]
        top = np.full(len(width), -1)
        for index, s in enumerate(own):
            top[at[s["start_us"]] : at[s["end_us"]]] = index
        for index in np.unique(top[top >= 0]):
            out[own[index]["name"]]["self_us"] += float(width[top == index].sum())
        for name in {s["name"] for s in own}:
            there = np.zeros(len(width), bool)
            for s in own:
                if s["name"] == name:
                    there[at[s["start_us"]] : at[s["end_us"]]] = True
            out[name]["total_us"] += float(width[there].sum())
    return out


@wrong("threads-nest", "Spans of different threads do not nest: keep a list for each (pid, tid).")
def one_thread(spans):
    return _times(spans, thread=())


@wrong("tid-alone", "Two processes may have the same tid.")
def tid_only(spans):
    return _times(spans, thread=("tid",))


@wrong("pid-alone", "Threads of a process do not nest.")
def pid_only(spans):
    return _times(spans, thread=("pid",))


@wrong("tid-as-text", 'A tid "1" and a tid 1 are two threads: do not turn them into text.')
def as_text(spans):
    return _times(spans, text=True)


@wrong(
    "subtracted-from-all-ancestors",
    "A span's time is missing in its parent only: the grandparent loses the parent's time already.",
)
def all_ancestors(spans):
    return _times(spans, ancestors=0)


@wrong("self-is-total", "Subtract the time of the spans that lie within.")
def no_children(spans):
    return _times(spans, nest=False)


@wrong(
    "recursion-counted-twice", "A span within another of the same name adds nothing to the total."
)
def twice(spans):
    return _times(spans, recursion=False)


@wrong("outer-calls-only", "Each span is a call, also one within another of the same name.")
def outer_calls(spans):
    return _times(spans, calls="outer")


@wrong("total-of-the-largest", "The total adds up all calls that lie in no other of that name.")
def largest(spans):
    times = _times(spans)
    for name, row in times.items():
        row["total_us"] = max(s["end_us"] - s["start_us"] for s in spans if s["name"] == name)
    return times


@wrong(
    "total-from-first-to-last",
    "The total is time inside the spans, not from the first start to the last end.",
)
def extent(spans):
    times = _times(spans)
    for name, row in times.items():
        own = [s for s in spans if s["name"] == name]
        row["total_us"] = max(s["end_us"] for s in own) - min(s["start_us"] for s in own)
    return times


@wrong("last-call-only", "You keep the last span of each name instead of adding up.")
def last(spans):
    times = _times(spans)
    for s in spans:
        times[s["name"]]["total_us"] = s["end_us"] - s["start_us"]
    return times


@wrong("mean-for-sum", "Times are sums over all calls, not means.")
def means(spans):
    times = _times(spans)
    return {
        n: {**t, "self_us": t["self_us"] / t["calls"], "total_us": t["total_us"] / t["calls"]}
        for n, t in times.items()
    }


@wrong("self-and-total-swapped", "You exchange self and total time.")
def swapped(spans):
    return {
        n: {**t, "self_us": t["total_us"], "total_us": t["self_us"]}
        for n, t in _times(spans).items()
    }


@wrong("milliseconds", "Times are microseconds, as in the spans.")
def milliseconds(spans):
    return {
        n: {**t, "self_us": t["self_us"] / 1e3, "total_us": t["total_us"] / 1e3}
        for n, t in _times(spans).items()
    }


@wrong(
    "never-popped",
    "Spans that have ended are around nothing: drop them before you look for the parent.",
)
def never_popped(spans):
    times, around = {}, {}
    for span in spans:
        row = times.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        length = span["end_us"] - span["start_us"]
        before = around.setdefault((span["pid"], span["tid"]), [])
        row["calls"] += 1
        row["self_us"] += length
        if before:
            times[before[-1]["name"]]["self_us"] -= length
        if span["name"] not in [b["name"] for b in before]:
            row["total_us"] += length
        before.append(span)
    return times


@wrong("one-popped", "Several spans may have ended: drop all of them, not one.")
def one_popped(spans):
    times, threads = {}, {}
    for span in spans:
        around = threads.setdefault((span["pid"], span["tid"]), [])
        if around and around[-1]["end_us"] <= span["start_us"]:
            around.pop()
        length = span["end_us"] - span["start_us"]
        row = times.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        row["calls"] += 1
        row["self_us"] += length
        if around:
            times[around[-1]["name"]]["self_us"] -= length
        if span["name"] not in [b["name"] for b in around]:
            row["total_us"] += length
        around.append(span)
    return times


@wrong("neighbours-nest", "A span that starts where another ends does not lie within it.")
def neighbours(spans):
    times, threads = {}, {}
    for span in spans:
        around = threads.setdefault((span["pid"], span["tid"]), [])
        while around and around[-1]["end_us"] < span["start_us"]:
            around.pop()
        length = span["end_us"] - span["start_us"]
        row = times.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        row["calls"] += 1
        row["self_us"] += length
        if around:
            times[around[-1]["name"]]["self_us"] -= length
        if span["name"] not in [b["name"] for b in around]:
            row["total_us"] += length
        around.append(span)
    return times


@wrong("only-the-leaves", "A span with others inside has self time as well: what is left of it.")
def leaves(spans):
    times = _times(spans)
    parents = set()
    for index, span in enumerate(spans):
        for other in spans[:index]:
            if (other["pid"], other["tid"]) == (span["pid"], span["tid"]) and other[
                "end_us"
            ] >= span["end_us"] > other["start_us"]:
                parents.add(other["name"])
    return {n: {**t, "self_us": 0.0 if n in parents else t["self_us"]} for n, t in times.items()}


@wrong(
    "recursion-of-the-parent-only",
    "A name may come again through another: look at all open spans, not at the innermost.",
)
def parent_only(spans):
    times, threads = {}, {}
    for span in spans:
        around = threads.setdefault((span["pid"], span["tid"]), [])
        while around and around[-1]["end_us"] <= span["start_us"]:
            around.pop()
        length = span["end_us"] - span["start_us"]
        row = times.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        row["calls"] += 1
        row["self_us"] += length
        if around:
            times[around[-1]["name"]]["self_us"] -= length
        if not around or around[-1]["name"] != span["name"]:
            row["total_us"] += length
        around.append(span)
    return times


@wrong("equal-spans-side-by-side", "Of two spans with equal times the later lies within the other.")
def equal_apart(spans):
    times, threads = {}, {}
    for span in spans:
        around = threads.setdefault((span["pid"], span["tid"]), [])
        ends = (span["start_us"], span["end_us"])
        while around and (
            around[-1]["end_us"] <= ends[0]
            or (around[-1]["start_us"], around[-1]["end_us"]) == ends
        ):
            around.pop()
        length = ends[1] - ends[0]
        row = times.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        row["calls"] += 1
        row["self_us"] += length
        if around:
            times[around[-1]["name"]]["self_us"] -= length
        if span["name"] not in [b["name"] for b in around]:
            row["total_us"] += length
        around.append(span)
    return times
