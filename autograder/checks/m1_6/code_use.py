"""code-use: levels, entropy and end shares of logged codes, against scipy's entropy of the codes."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"levels and ends": 0.4, "entropy": 0.3, "restarts": 0.15, "edges": 0.15}
HINTS = (
    '{event["step"]: event for event in events} keeps the last event of each step.',
    "p = counts / counts.sum(); the entropy is taken over p > 0 alone.",
    "The ends are the first and the last count: codes -qmax and qmax.",
)


def _event(step, counts):
    counts = np.asarray(counts, float)
    size = len(counts)
    limits = (np.arange(size) - size // 2 + 0.5) * 0.125
    numbers = {"min": -0.125, "max": 0.125, "num": float(counts.sum()), "sum": 0.0}
    return {"step": int(step), **numbers, "limits": limits, "counts": counts}


def _drawn(rng, step, bits, reach):
    top = 2 ** (bits - 1) - 1
    codes = np.clip(np.round(rng.normal(0, reach * top, 200)), -top, top).astype(int)
    return _event(step, np.bincount(codes + top, minlength=2 * top + 1))


def _run(rng, steps, bits, reach=0.5):
    return [_drawn(rng, step, bits, reach * float(rng.uniform(0.3, 2))) for step in steps]


def cases(rng):
    for part in ("levels and ends", "entropy"):
        yield case("one step", part, events=[_event(0, [2, 4, 2])], bits=2)
        for bits in (2, 3, 4, 8):
            yield case(f"{bits} bits", part, events=_run(rng, range(0, 60, 10), bits), bits=bits)
        yield case("one code", part, events=[_event(10, [0, 0, 0, 50, 0, 0, 0])], bits=3)
        yield case("both ends", part, events=[_event(10, [25, 0, 0, 0, 0, 0, 75])], bits=3)
        yield case("all alike", part, events=[_event(7, [3] * 15)], bits=4)
    first = _run(rng, (0, 10, 20, 30, 40), 3, 0.3)
    again = _run(rng, (20, 30, 40, 50), 3, 0.9)
    yield case("a restart", "restarts", events=first + again, bits=3)
    yield case(
        "two restarts", "restarts", events=first + again + _run(rng, (40, 50, 60), 3), bits=3
    )
    yield case("another order", "restarts", events=[first[3], first[0], first[2]], bits=3)
    empty = _event(20, [0] * 7)
    yield case(
        "a bad event that is replaced", "restarts", events=[first[1], empty, first[2]], bits=3
    )
    yield case("no events", "edges", events=[], bits=3)
    yield case("counts of 4 bits for 3", "edges", events=[_event(0, [1] * 15)], bits=3)
    yield case("default buckets", "edges", events=[first[0], _event(9, [1] * 40)], bits=3)
    yield case("an empty histogram", "edges", events=[first[0], empty], bits=3)


def _good(events, bits):
    last = {event["step"]: event["counts"] for event in events}
    return all(len(c) == 2**bits - 1 and c.sum() > 0 for c in last.values())


def probe(solution, events, bits):
    last = {event["step"]: event["counts"] for event in events}
    if not all(len(c) == 2**bits - 1 and c.sum() > 0 for c in last.values()):
        return refusal(lambda: solution(events, bits))  # noqa: F821
    return solution(events, bits)


def judge(case, answer):
    from scipy.stats import entropy

    if not _good(case.events, case.bits):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    names = ("steps", "levels", "entropy_bits", "end_share")
    found = expect.mapping(answer, names, only=True)
    last = {}
    for event in case.events:
        last[event["step"]] = event["counts"]
    steps = sorted(last)
    for name in names:
        value = expect.array(found[name], name, shape=(len(steps),))
        kinds = "iu" if name in names[:2] else "f"
        expect.that(value.dtype.kind in kinds, f"`{name}` has the wrong dtype.", stage="dtype",
                    yours=str(value.dtype), right="integers" if kinds == "iu" else "floats")  # fmt: skip
    expect.codes(found["steps"], np.array(steps, np.int64), "steps")
    rows = [last[step] for step in steps]
    levels = np.array([np.count_nonzero(row) for row in rows], np.int64)
    expect.codes(found["levels"], levels, "levels")
    ends = np.array([(row[0] + row[-1]) / row.sum() for row in rows])
    expect.close(found["end_share"], ends, "end_share", rtol=1e-5, atol=1e-7)
    if case.part != "levels and ends":
        bits = np.array([entropy(row, base=2) for row in rows])
        expect.close(found["entropy_bits"], bits, "entropy_bits", rtol=1e-5, atol=1e-6)
