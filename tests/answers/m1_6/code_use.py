"""Answers to code-use."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _rows(events, bits, keep=None, order=sorted):
    last = {}
    for event in events:
        if keep == "first" and event["step"] in last:
            continue
        last[event["step"]] = event["counts"]
    for counts in last.values():
        if len(counts) != 2**bits - 1 or not counts.sum() > 0:
            raise ValueError("one count for each code")
    steps = order(last)
    return steps, [last[step] for step in steps]


def _dict(steps, levels, bits, ends):
    return {
        "steps": np.array(steps, np.int64),
        "levels": np.array(levels, np.int64),
        "entropy_bits": np.array(bits, np.float64),
        "end_share": np.array(ends, np.float64),
    }


def _entropy(counts, log=np.log2):
    p = counts[counts > 0] / counts.sum()
    return float(-(p * log(p)).sum())


def _answer(events, bits, entropy=_entropy, levels=lambda c: int((c > 0).sum()), ends=None, **kept):
    ends = ends or (lambda c: (c[0] + c[-1]) / c.sum())
    steps, rows = _rows(events, bits, **kept)
    return _dict(
        steps, [levels(r) for r in rows], [entropy(r) for r in rows], [ends(r) for r in rows]
    )


@right("a dictionary of last events")
def last_events(events, bits):
    return _answer(events, bits)


@right("plain Python sums")
def plain(events, bits):
    steps, rows = _rows(events, bits)
    out = []
    for row in rows:
        total = sum(row.tolist())
        shares = [n / total for n in row.tolist() if n]
        out.append(
            (len(shares), -sum(p * math.log2(p) for p in shares) + 0.0, (row[0] + row[-1]) / total)
        )
    return _dict(steps, [o[0] for o in out], [o[1] for o in out], [o[2] for o in out])


@right("from the back, as one matrix, log of the total")
def matrix(events, bits):
    seen, kept = set(), []
    for event in reversed(events):
        if event["step"] not in seen:
            seen.add(event["step"])
            kept.append(event)
    kept.sort(key=lambda e: e["step"])
    if any(len(e["counts"]) != 2**bits - 1 or e["counts"].sum() == 0 for e in kept):
        raise ValueError("counts")
    counts = np.array([e["counts"] for e in kept]).reshape(len(kept), 2**bits - 1)
    total = counts.sum(1)
    safe = np.where(counts > 0, counts, 1)
    bits_used = np.log2(total) - (counts * np.log2(safe)).sum(1) / total
    return _dict([e["step"] for e in kept], (counts > 0).sum(1), np.maximum(bits_used, 0),
                 (counts[:, 0] + counts[:, -1]) / total)  # fmt: skip


@wrong("nats", "Bits: the logarithm is to base 2.")
def nats(events, bits):
    return _answer(events, bits, entropy=lambda c: _entropy(c, np.log))


@wrong(
    "bits-of-the-levels",
    "log2 of the number of levels takes each code as equally used: use the shares.",
)
def of_levels(events, bits):
    return _answer(events, bits, entropy=lambda c: float(np.log2((c > 0).sum())))


@wrong("share-of-the-entropy", "The entropy in bits, not as a share of its largest value.")
def share(events, bits):
    return _answer(events, bits, entropy=lambda c: _entropy(c) / bits)


@wrong("zero-times-log-zero", "0 * log2(0) is NaN: leave out the codes without a value.")
def nan(events, bits):
    def entropy(counts):
        p = counts / counts.sum()
        with np.errstate(all="ignore"):
            return float(-(p * np.log2(p)).sum())

    return _answer(events, bits, entropy=entropy)


@wrong("epsilon", "An epsilon in the logarithm shifts the entropy: drop the zeros.")
def epsilon(events, bits):
    def entropy(counts):
        p = counts / counts.sum()
        return float(-(p * np.log2(p + 1e-3)).sum())

    return _answer(events, bits, entropy=entropy)


@wrong("sign", "The entropy is -sum(p log p): not negative.")
def sign(events, bits):
    return _answer(events, bits, entropy=lambda c: -_entropy(c))


@wrong("all-codes", "Levels are the codes that have a value, not all codes of the grid.")
def all_codes(events, bits):
    return _answer(events, bits, levels=len)


@wrong("span", "Levels are counted, not the span from the lowest to the highest one.")
def span(events, bits):
    return _answer(events, bits, levels=lambda c: int(np.ptp(np.flatnonzero(c))) + 1)


@wrong("one-end", "Both ends count: codes -qmax and qmax.")
def one_end(events, bits):
    return _answer(events, bits, ends=lambda c: c[-1] / c.sum())


@wrong("mean-of-the-ends", "The share of both ends together, not their mean.")
def mean_ends(events, bits):
    return _answer(events, bits, ends=lambda c: (c[0] + c[-1]) / 2 / c.sum())


@wrong("end-counts", "A share, not a count.")
def end_counts(events, bits):
    return _answer(events, bits, ends=lambda c: c[0] + c[-1])


@wrong("used-ends", "The ends of the grid, not of the codes that are used.")
def used_ends(events, bits):
    def ends(counts):
        used = np.flatnonzero(counts)
        return (counts[used[0]] + counts[used[-1]]) / counts.sum()

    return _answer(events, bits, ends=ends)


@wrong("first-kept", "A restart repeats steps: the last event of a step counts.")
def first(events, bits):
    return _answer(events, bits, keep="first")


@wrong("repeats-kept", "Each step once: a restart repeats them.")
def repeats(events, bits):
    rows = []
    for event in events:
        _rows([event], bits)
        rows.append(event)
    rows.sort(key=lambda e: e["step"])
    counts = [e["counts"] for e in rows]
    return _dict([e["step"] for e in rows], [int((c > 0).sum()) for c in counts], [_entropy(c) for c in counts],
                 [(c[0] + c[-1]) / c.sum() for c in counts])  # fmt: skip


@wrong("file-order", "Ascending by step, not in the order of the file.")
def unsorted(events, bits):
    return _answer(events, bits, order=list)


@wrong("repeats-averaged", "A repeated step is not averaged: the last event counts.")
def averaged(events, bits):
    total = {}
    for event in events:
        total[event["step"]] = total.get(event["step"], 0) + event["counts"]
    return _answer([{"step": s, "counts": c} for s, c in total.items()], bits)


@wrong(
    "replaced-refused",
    "Only events that count are judged: a bad one that is replaced does no harm.",
)
def strict(events, bits):
    for event in events:
        _rows([event], bits)
    return _answer(events, bits)


@wrong("any-buckets", "Default buckets are no codes: refuse a wrong number of counts.")
def any_buckets(events, bits):
    last = {e["step"]: e["counts"] for e in events}
    steps = sorted(last)
    rows = [last[s] for s in steps]
    if any(not r.sum() > 0 for r in rows):
        raise ValueError("empty")
    return _dict(steps, [int((r > 0).sum()) for r in rows], [_entropy(r) for r in rows],
                 [(r[0] + r[-1]) / r.sum() for r in rows])  # fmt: skip


@wrong("empty-refused", "No events: arrays of length 0.")
def empty(events, bits):
    if not events:
        raise ValueError("no events")
    return _answer(events, bits)


@wrong("lists", "Arrays are asked for, not lists.")
def lists(events, bits):
    return {name: value.tolist() for name, value in _answer(events, bits).items()}
