"""Answers to compare-runs."""

import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _common(one, other, last=dict):
    one, other = last(one), last(other)
    return sorted(one.keys() & other.keys()), one, other


def _first(events):
    return dict(reversed(events))


def _smooth(gaps, window, middle=np.median):
    return np.array([middle(gaps[max(0, i - window + 1) : i + 1]) for i in range(len(gaps))], float)


def _since(steps, smoothed, limit):
    fine = [i for i, gap in enumerate(smoothed) if not gap > limit]
    at = fine[-1] + 1 if fine else 0
    return int(steps[at]) if at < len(steps) else None


def _answer(
    one, other, limit, window, last=dict, smooth=_smooth, since=_since, gap=lambda q, f: q - f
):
    steps, f, q = _common(one, other, last)
    if not steps or window < 1:
        raise ValueError("a common step, and a window")
    gaps = np.array([gap(q[s], f[s]) for s in steps], float)
    smoothed = smooth(gaps, window)
    return {
        "steps": np.array(steps),
        "gaps": gaps,
        "smoothed": smoothed,
        "since": since(steps, smoothed, limit),
    }


@right("dictionaries and np.median")
def plain(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, window)


@right("statistics, and from the back")
def back(float_events, qat_events, limit, window=5):
    if window < 1:
        raise ValueError("window")
    f, q = {}, {}
    for events, into in ((float_events, f), (qat_events, q)):
        for step, value in events:
            into[step] = value
    steps = [s for s in sorted(f) if s in q]
    if not steps:
        raise ValueError("no common step")
    gaps = [q[s] - f[s] for s in steps]
    smoothed = [statistics.median(gaps[: i + 1][-window:]) for i in range(len(gaps))]
    since = None
    for step, gap in zip(steps[::-1], smoothed[::-1], strict=True):
        if gap <= limit:
            break
        since = step
    return {
        "steps": np.array(steps),
        "gaps": np.array(gaps),
        "smoothed": np.array(smoothed),
        "since": since,
    }


@right("np.intersect1d and a padded window")
def windows(float_events, qat_events, limit, window=5):
    if window < 1:
        raise ValueError("window")
    f, q = dict(float_events), dict(qat_events)
    steps = np.intersect1d(np.array(list(f), int), np.array(list(q), int))
    if not steps.size:
        raise ValueError("no common step")
    gaps = np.array([q[s] for s in steps.tolist()]) - np.array([f[s] for s in steps.tolist()])
    padded = np.r_[np.full(window - 1, np.nan), gaps]
    smoothed = np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1)
    above = smoothed > limit
    run = int(np.argmin(above[::-1])) if not above.all() else len(above)
    return {
        "steps": steps,
        "gaps": gaps,
        "smoothed": smoothed,
        "since": int(steps[-run]) if run else None,
    }


@wrong("sign", "The gap is the QAT loss minus the float loss.")
def sign(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, window, gap=lambda q, f: f - q)


@wrong("absolute", "A gap has a sign: a QAT run may be ahead.")
def absolute(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, window, gap=lambda q, f: abs(q - f))


@wrong("relative", "The difference of the losses, not their ratio.")
def relative(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, window, gap=lambda q, f: (q - f) / f)


@wrong("by-position", "Compare by step: the runs need not have the same steps, nor in order.")
def position(float_events, qat_events, limit, window=5):
    steps, *_ = _common(float_events, qat_events)
    if not steps or window < 1:
        raise ValueError("x")
    pairs = list(zip(float_events, qat_events, strict=False))
    gaps = np.array([q[1] - f[1] for f, q in pairs])
    smoothed, at = _smooth(gaps, window), [f[0] for f, _ in pairs]
    return {
        "steps": np.array(at),
        "gaps": gaps,
        "smoothed": smoothed,
        "since": _since(at, smoothed, limit),
    }


@wrong("first-kept", "A restart repeats steps: the last value counts.")
def first(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, window, last=_first)


@wrong("float-steps", "Only the steps that both runs have: do not fill the gaps with 0.")
def union(float_events, qat_events, limit, window=5):
    steps, f, q = _common(float_events, qat_events)
    if not steps or window < 1:
        raise ValueError("x")
    every = sorted(f.keys() | q.keys())
    return _answer(
        [(s, f.get(s, 0.0)) for s in every], [(s, q.get(s, 0.0)) for s in every], limit, window
    )


@wrong("file-order", "The steps come in ascending order.")
def unsorted(float_events, qat_events, limit, window=5):
    steps, f, q = _common(float_events, qat_events)
    if not steps or window < 1:
        raise ValueError("x")
    steps = [s for s in q if s in f]
    gaps = np.array([q[s] - f[s] for s in steps])
    smoothed = _smooth(gaps, window)
    return {
        "steps": np.array(steps),
        "gaps": gaps,
        "smoothed": smoothed,
        "since": _since(steps, smoothed, limit),
    }


@wrong("mean-for-median", "The running median, not the mean: one spike must not move it.")
def mean(float_events, qat_events, limit, window=5):
    return _answer(
        float_events, qat_events, limit, window, smooth=lambda g, w: _smooth(g, w, np.mean)
    )


@wrong("centred-window", "The window looks back: only what was known at that step.")
def centred(float_events, qat_events, limit, window=5):
    def smooth(gaps, window):
        half = window // 2
        return np.array(
            [np.median(gaps[max(0, i - half) : i + half + 1]) for i in range(len(gaps))]
        )

    return _answer(float_events, qat_events, limit, window, smooth=smooth)


@wrong("window-one-too-long", "The window has `window` gaps with this one.")
def long(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, window, smooth=lambda g, w: _smooth(g, w + 1))


@wrong("window-one-too-short", "This step's gap is one of the window's gaps.")
def short(float_events, qat_events, limit, window=5):
    return _answer(
        float_events, qat_events, limit, window, smooth=lambda g, w: _smooth(g, max(1, w - 1))
    )


@wrong(
    "padded-with-zeros", "At the beginning the window has fewer gaps; it is not filled with zeros."
)
def padded(float_events, qat_events, limit, window=5):
    def smooth(gaps, window):
        return _smooth(np.r_[np.zeros(window - 1), gaps], window)[window - 1 :]

    return _answer(float_events, qat_events, limit, window, smooth=smooth)


@wrong("lower-median", "The median of an even number of gaps is the mean of the middle two.")
def lower(float_events, qat_events, limit, window=5):
    middle = statistics.median_low
    return _answer(
        float_events,
        qat_events,
        limit,
        window,
        smooth=lambda g, w: _smooth(g, w, lambda x: middle(x.tolist())),
    )


@wrong("first-time-above", "Not the first time above the limit: from there on, to the end.")
def ever(float_events, qat_events, limit, window=5):
    def since(steps, smoothed, limit):
        return next((int(s) for s, g in zip(steps, smoothed, strict=True) if g > limit), None)

    return _answer(float_events, qat_events, limit, window, since=since)


@wrong("at-the-limit", "A gap equal to the limit is still accepted.")
def at_limit(float_events, qat_events, limit, window=5):
    def since(steps, smoothed, limit):
        return _since(steps, smoothed, np.nextafter(limit, -np.inf))

    return _answer(float_events, qat_events, limit, window, since=since)


@wrong("from-the-raw-gaps", "The onset is read from the smoothed gaps.")
def raw(float_events, qat_events, limit, window=5):
    found = _answer(float_events, qat_events, limit, window)
    return {**found, "since": _since(found["steps"], found["gaps"], limit)}


@wrong("last-good-step", "The onset is the first bad step, not the last good one.")
def good(float_events, qat_events, limit, window=5):
    def since(steps, smoothed, limit):
        found = _since(steps, smoothed, limit)
        return found if found is None else int(steps[max(0, list(steps).index(found) - 1)])

    return _answer(float_events, qat_events, limit, window, since=since)


@wrong("index-for-step", "The onset is a step, not a place in the array.")
def index(float_events, qat_events, limit, window=5):
    def since(steps, smoothed, limit):
        found = _since(steps, smoothed, limit)
        return found if found is None else list(steps).index(found)

    return _answer(float_events, qat_events, limit, window, since=since)


@wrong("step-zero-is-none", "Step 0 is a step: test with `is None`.")
def falsy(float_events, qat_events, limit, window=5):
    found = _answer(float_events, qat_events, limit, window)
    return {**found, "since": found["since"] or None}


@wrong("no-refusal", "No common step, or a window below 1: raise ValueError.")
def accepts(float_events, qat_events, limit, window=5):
    try:
        return _answer(float_events, qat_events, limit, window)
    except ValueError:
        empty = np.zeros(0)
        return {"steps": empty.astype(int), "gaps": empty, "smoothed": empty, "since": None}


@wrong("window-not-checked", "A window below 1 is refused.")
def window_kept(float_events, qat_events, limit, window=5):
    return _answer(float_events, qat_events, limit, max(1, window))
