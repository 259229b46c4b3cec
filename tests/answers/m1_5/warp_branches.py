"""Answers to warp-branches."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(taken, then_steps, else_steps):
    if len(taken) == 0 or then_steps < 1 or else_steps < 0:
        raise ValueError("nothing to count")


def _warps(taken, size=32):
    taken = [bool(v) for v in taken]
    return [taken[i : i + size] for i in range(0, len(taken), size)]


def _share(taken, then_steps, else_steps, steps):
    ways = sum(bool(v) for v in taken)
    busy = ways * then_steps + (len(taken) - ways) * else_steps
    return busy / (32 * steps) if steps else 0.0


@right("warp by warp")
def by_warp(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    divergent = sum(any(w) and not all(w) for w in _warps(taken))
    steps = sum(any(w) * then_steps + (not all(w)) * else_steps for w in _warps(taken))
    return divergent, steps, _share(taken, then_steps, else_steps, steps)


@right("a matrix of lanes")
def by_matrix(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    taken = np.asarray(taken, bool)
    pad = -len(taken) % 32
    yes = np.pad(taken, (0, pad)).reshape(-1, 32)
    no = np.pad(~taken, (0, pad)).reshape(-1, 32)
    steps = then_steps * yes.any(1).sum() + else_steps * no.any(1).sum()
    busy = then_steps * yes.sum() + else_steps * no.sum()
    share = busy / (32 * steps) if steps else 0.0
    return int((yes.any(1) & no.any(1)).sum()), int(steps), float(share)


@wrong(
    "idle-lanes-take-the-else",
    "Lanes that do not exist take neither way: pad with nothing, not with False.",
)
def padded(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    taken = [bool(v) for v in taken] + [False] * (-len(taken) % 32)
    return by_warp(taken, then_steps, else_steps)


@wrong(
    "the-longer-way-only", "A divergent warp goes both ways, one after the other: add the steps."
)
def longer(taken, then_steps, else_steps):
    divergent, _, _ = by_warp(taken, then_steps, else_steps)
    steps = sum(max(any(w) * then_steps, (not all(w)) * else_steps) for w in _warps(taken))
    return divergent, steps, _share(taken, then_steps, else_steps, steps)


@wrong("every-warp-both-ways", "A warp whose lanes agree goes one way only.")
def always_both(taken, then_steps, else_steps):
    divergent, _, _ = by_warp(taken, then_steps, else_steps)
    steps = len(_warps(taken)) * (then_steps + else_steps)
    return divergent, steps, _share(taken, then_steps, else_steps, steps)


@wrong("warps-of-64", "A warp has 32 threads.")
def wide(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    warps = _warps(taken, 64)
    steps = sum(any(w) * then_steps + (not all(w)) * else_steps for w in warps)
    divergent = sum(any(w) and not all(w) for w in warps)
    return divergent, steps, _share(taken, then_steps, else_steps, steps)


@wrong("partial-warp-left-out", "The last warp counts too, also when it is not full.")
def full_only(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    warps = [w for w in _warps(taken) if len(w) == 32]
    steps = sum(any(w) * then_steps + (not all(w)) * else_steps for w in warps)
    divergent = sum(any(w) and not all(w) for w in warps)
    return divergent, steps, _share(taken, then_steps, else_steps, steps)


@wrong(
    "no-step-divides-by-zero", "Where no lane takes an if without an else, there is no step: 0.0."
)
def no_step(taken, then_steps, else_steps):
    divergent, steps, _ = by_warp(taken, then_steps, else_steps)
    busy = sum(then_steps if v else else_steps for v in taken)
    return divergent, steps, busy / (32 * steps)


@wrong("lanes-counted", "Count the warps that diverge, not their lanes.")
def lanes(taken, then_steps, else_steps):
    _, steps, share = by_warp(taken, then_steps, else_steps)
    return sum(len(w) for w in _warps(taken) if any(w) and not all(w)), steps, share


@wrong(
    "changes-counted",
    "You count where neighbours differ: what matters is whether a warp holds both.",
)
def changes(taken, then_steps, else_steps):
    _, steps, share = by_warp(taken, then_steps, else_steps)
    return sum(bool(a) != bool(b) for a, b in zip(taken, taken[1:], strict=False)), steps, share


@wrong("share-of-existing-lanes", "A step of a warp costs 32 lanes, whether they exist or not.")
def existing(taken, then_steps, else_steps):
    divergent, steps, _ = by_warp(taken, then_steps, else_steps)
    cost = sum(len(w) * (any(w) * then_steps + (not all(w)) * else_steps) for w in _warps(taken))
    ways = sum(bool(v) for v in taken)
    return divergent, steps, (ways * then_steps + (len(taken) - ways) * else_steps) / max(1, cost)


@wrong("share-of-idle-lanes", "That is the idle share; the busy one is 1 minus it.")
def idle(taken, then_steps, else_steps):
    divergent, steps, share = by_warp(taken, then_steps, else_steps)
    return divergent, steps, 1 - share


@wrong("share-of-uniform-warps", "The share is of lane-steps, not of warps.")
def of_warps(taken, then_steps, else_steps):
    divergent, steps, _ = by_warp(taken, then_steps, else_steps)
    return divergent, steps, 1 - divergent / len(_warps(taken))


@wrong("percent", "A share runs from 0 to 1.")
def percent(taken, then_steps, else_steps):
    divergent, steps, share = by_warp(taken, then_steps, else_steps)
    return divergent, steps, 100 * share


@wrong(
    "steps-of-threads",
    "A step is one of a warp, not of a thread: lanes that go together cost once.",
)
def thread_steps(taken, then_steps, else_steps):
    divergent, _, share = by_warp(taken, then_steps, else_steps)
    ways = sum(bool(v) for v in taken)
    return divergent, ways * then_steps + (len(taken) - ways) * else_steps, share


@wrong("ways-swapped", "then_steps belongs to True.")
def swapped(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    divergent = sum(any(w) and not all(w) for w in _warps(taken))
    steps = sum(any(w) * else_steps + (not all(w)) * then_steps for w in _warps(taken))
    return divergent, steps, _share(taken, else_steps, then_steps, steps)


@wrong("first-lane-decides", "You look at the first lane of each warp only.")
def first_lane(taken, then_steps, else_steps):
    _refuse(taken, then_steps, else_steps)
    steps = sum(then_steps if w[0] else else_steps for w in _warps(taken))
    return 0, steps, _share(taken, then_steps, else_steps, steps)


@wrong(
    "no-refusal",
    "No thread, a then-branch of no step, or a negative number of steps must raise ValueError.",
)
def unchecked(taken, then_steps, else_steps):
    steps = sum(any(w) * then_steps + (not all(w)) * else_steps for w in _warps(taken))
    divergent = sum(any(w) and not all(w) for w in _warps(taken))
    return divergent, steps, _share(taken, then_steps, else_steps, steps)


@wrong("if-without-else-refused", "else_steps = 0 is an if without an else: it is allowed.")
def strict(taken, then_steps, else_steps):
    if else_steps == 0:
        raise ValueError("no else")
    return by_warp(taken, then_steps, else_steps)
