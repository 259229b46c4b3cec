"""Answers to omitted-waits."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(intended, service, checks="lns"):
    if "l" in checks and len(intended) != len(service):
        raise ValueError("lengths")
    if "n" in checks and any(s < 0 for s in service):
        raise ValueError("negative")
    if "s" in checks and any(b < a for a, b in zip(intended, intended[1:], strict=False)):
        raise ValueError("descending")


def _walk(intended, service, start=float("-inf")):
    """(intended, sent, done) of each request."""
    free, found = start, []
    for due, taken in zip(intended, service, strict=False):
        sent = max(due, free)
        free = sent + taken
        found.append((due, sent, free))
    return found


def _model(intended, service, *, checks="lns", reported=None, felt=None, start=float("-inf")):
    _refuse(intended, service, checks)
    walked = _walk(intended, service, start)
    return (
        [(reported or (lambda due, sent, done: done - sent))(*w) for w in walked],
        [(felt or (lambda due, sent, done: done - due))(*w) for w in walked],
    )


@right("sent, answered, subtracted")
def by_walking(intended_s, service_s):
    return _model(intended_s, service_s)


@right("Lindley's recursion of the waits")
def by_lindley(intended_s, service_s):
    _refuse(intended_s, service_s)
    waits = [0.0] if len(service_s) else []
    for k in range(1, len(service_s)):
        gap = intended_s[k] - intended_s[k - 1]
        waits.append(max(0.0, waits[-1] + service_s[k - 1] - gap))
    return list(service_s), [w + s for w, s in zip(waits, service_s, strict=True)]


@right("running maximum, arrays")
def by_arrays(intended_s, service_s):
    due, taken = np.array(intended_s, dtype=float), np.array(service_s, dtype=float)
    if due.shape != taken.shape or (taken < 0).any() or (np.diff(due) < 0).any():
        raise ValueError("bad input")
    if not due.size:
        return taken, taken
    upto = np.cumsum(taken)
    done = np.maximum.accumulate(due - (upto - taken)) + upto
    return taken, done - due


@wrong("coordinated-omission", "felt counts from the intended time, not from when it was sent.")
def omission(intended_s, service_s):
    return _model(intended_s, service_s, felt=lambda due, sent, done: done - sent)


@wrong("reported-from-intended", "reported counts from when the request was sent.")
def from_intended(intended_s, service_s):
    return _model(intended_s, service_s, reported=lambda due, sent, done: done - due)


@wrong("swapped", "Return reported first, then felt.")
def swapped(intended_s, service_s):
    return _model(intended_s, service_s)[::-1]


@wrong("wait-only", "felt includes the service: from the intended time to the answer.")
def wait_only(intended_s, service_s):
    return _model(intended_s, service_s, felt=lambda due, sent, done: sent - due)


@wrong("many-connections", "The client has one connection: it waits for the answer before.")
def many(intended_s, service_s):
    _refuse(intended_s, service_s)
    return list(service_s), list(service_s)


@wrong(
    "one-request-late",
    "A stall delays all that follow until the client has caught up, not only the next request.",
)
def next_only(intended_s, service_s):
    _refuse(intended_s, service_s)
    felt = []
    for k, taken in enumerate(service_s):
        late = intended_s[k - 1] + service_s[k - 1] - intended_s[k] if k else 0.0
        felt.append(max(0.0, late) + taken)
    return list(service_s), felt


@wrong("never-catches-up", "Waits shrink again when answers come faster than requests are due.")
def never(intended_s, service_s):
    _refuse(intended_s, service_s)
    wait, felt = 0.0, []
    for k, taken in enumerate(service_s):
        if k:
            wait += max(0.0, service_s[k - 1] - (intended_s[k] - intended_s[k - 1]))
        felt.append(wait + taken)
    return list(service_s), felt


@wrong("back-to-back", "A request is not sent before its intended time.")
def back_to_back(intended_s, service_s):
    _refuse(intended_s, service_s)
    done = (intended_s[0] if len(intended_s) else 0.0) + np.cumsum(service_s)
    return list(service_s), list(done - np.array(intended_s))


@wrong("starts-at-zero", "The client is free from the beginning; times may be negative.")
def from_zero(intended_s, service_s):
    return _model(intended_s, service_s, start=0.0)


@wrong("stall-left-out", "You drop the slow request; it was felt too.")
def dropped(intended_s, service_s):
    reported, felt = _model(intended_s, service_s)
    keep = [k for k, s in enumerate(reported) if s < 4 * (sorted(reported)[len(reported) // 2])]
    return [reported[k] for k in keep], [felt[k] for k in keep]


@wrong("milliseconds", "Latencies are in seconds, as the inputs.")
def milliseconds(intended_s, service_s):
    return tuple([1e3 * s for s in found] for found in _model(intended_s, service_s))


@wrong("lengths-not-checked", "Different lengths must raise ValueError.")
def any_lengths(intended_s, service_s):
    return _model(intended_s, service_s, checks="ns")


@wrong("negative-accepted", "A negative service time must raise ValueError.")
def negative(intended_s, service_s):
    return _model(intended_s, service_s, checks="ls")


@wrong("descending-accepted", "Intended times that descend must raise ValueError.")
def descending(intended_s, service_s):
    return _model(intended_s, service_s, checks="ln")
