"""Answers to dynamic-or-static."""

import numpy as np

from autograder.checks.bank import right, wrong


def _track(
    batches, mode, momentum=0.9, *, amax=lambda b: float(np.abs(b).max()),
    average=lambda old, new, m: m * old + (1 - m) * new, start=None,
):  # fmt: skip
    """The right answer with one thing replaced."""
    if mode not in ("dynamic", "max", "moving_average"):
        raise ValueError(mode)
    out, now = [], start
    for batch in batches:
        new = amax(batch)
        if mode == "dynamic" or now is None:
            now = new
        elif mode == "max":
            now = max(now, new)
        else:
            now = average(now, new, momentum)
        out.append(now)
    return np.array(out, np.float64)


@right("one loop")
def by_loop(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum)


@right("numpy accumulate")
def by_accumulate(batches, mode, momentum=0.9):
    amax = np.array([max(b.max(), -b.min()) for b in batches], dtype=np.float64)
    if mode == "dynamic":
        return amax
    if mode == "max":
        return np.maximum.accumulate(amax) if amax.size else amax
    if mode != "moving_average":
        raise ValueError(f"mode must be dynamic, max or moving_average, not {mode!r}")
    for k in range(1, len(amax)):
        amax[k] += momentum * (amax[k - 1] - amax[k])
    return amax


@right("an observer class")
def by_class(batches, mode, momentum=0.9):
    class Observer:
        amax = None

        def see(self, value):
            if self.amax is None:
                self.amax = value
            elif mode == "max":
                self.amax = np.fmax(self.amax, value)
            else:
                self.amax = self.amax - (1 - momentum) * (self.amax - value)
            return self.amax

    values = [np.linalg.norm(b.ravel(), np.inf) for b in batches]
    match mode:
        case "dynamic":
            return np.asarray(values, dtype=float)
        case "max" | "moving_average":
            observer = Observer()
            return np.asarray([observer.see(float(v)) for v in values], dtype=float)
    raise ValueError("unknown mode")


@wrong(
    "starts-at-zero",
    "Your average starts at 0, so early ranges are far too small; start it with the first batch.",
)
def starts_at_zero(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum, start=0.0)


@wrong("weights-swapped", "You gave the new batch the weight `momentum`; the old average has it.")
def weights_swapped(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum, average=lambda old, new, m: (1 - m) * old + m * new)


@wrong(
    "cumulative-mean", "You averaged all batches alike; a moving average forgets with `momentum`."
)
def cumulative_mean(batches, mode, momentum=0.9):
    result = _track(batches, mode, momentum)
    if mode == "moving_average":
        amax = _track(batches, "dynamic")
        result = np.cumsum(amax) / np.arange(1, len(amax) + 1)
    return result


@wrong("momentum-ignored", "Your momentum is always 0.9; use the argument.")
def momentum_ignored(batches, mode, momentum=0.9):
    return _track(batches, mode, 0.9)


@wrong("max-without-abs", "You took the max of a batch; the largest magnitude may be negative.")
def max_without_abs(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum, amax=lambda b: float(b.max()))


@wrong("mean-magnitude", "You took the mean magnitude of a batch; amax is the largest.")
def mean_magnitude(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum, amax=lambda b: float(np.abs(b).mean()))


@wrong(
    "dynamic-remembers",
    "In dynamic mode each batch has its own range; yours keeps the earlier max.",
)
def dynamic_remembers(batches, mode, momentum=0.9):
    return _track(batches, "max" if mode == "dynamic" else mode, momentum)


@wrong("max-forgets", "Your running max is the last batch's; keep the largest so far.")
def max_forgets(batches, mode, momentum=0.9):
    return _track(batches, "dynamic" if mode == "max" else mode, momentum)


@wrong(
    "final-value-everywhere",
    "You returned the final range for every batch; return the range after each batch.",
)
def final_value_everywhere(batches, mode, momentum=0.9):
    result = _track(batches, mode, momentum)
    return result if mode == "dynamic" else np.full_like(result, result[-1] if len(result) else 0)


@wrong(
    "final-value-only", "You returned one number; return the range after each batch, one per batch."
)
def final_value_only(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum)[-1:]


@wrong(
    "range-before-the-batch",
    "Your range is the one before the batch was seen; return the one after it.",
)
def range_before(batches, mode, momentum=0.9):
    result = _track(batches, mode, momentum)
    return result if mode == "dynamic" else np.append(result[:1], result[:-1])


@wrong(
    "zero-means-unset",
    "You restart the average when it is 0; a first batch of zeros is a batch too.",
)
def zero_means_unset(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum, average=lambda o, n, m: m * o + (1 - m) * n if o else n)


@wrong(
    "bias-corrected",
    "You divided by 1 - momentum**n as Adam does; here the first batch starts the average.",
)
def bias_corrected(batches, mode, momentum=0.9):
    if mode != "moving_average":
        return _track(batches, mode, momentum)
    raw = _track(batches, mode, momentum, start=0.0)
    return raw / (1 - momentum ** np.arange(1, len(raw) + 1))


@wrong("moving-max", "You averaged the running max; average the max of each batch.")
def moving_max(batches, mode, momentum=0.9):
    if mode != "moving_average":
        return _track(batches, mode, momentum)
    return _track([np.array([v]) for v in _track(batches, "max")], mode, momentum)


@wrong("unknown-mode-accepted", "An unknown mode fell into your `else`; raise ValueError for it.")
def unknown_mode_accepted(batches, mode, momentum=0.9):
    return _track(batches, mode if mode in ("dynamic", "max") else "moving_average", momentum)


@wrong("first-batch-axis", "You took the max along one axis; amax is one number a batch.")
def first_batch_axis(batches, mode, momentum=0.9):
    return _track(batches, mode, momentum, amax=lambda b: float(np.abs(b).max(axis=0)[0]))


@wrong(
    "first-row-only",
    "You looked at the first row of each batch: the amax is over all its elements.",
)
def first_row_only(batches, mode, momentum=0.9):
    return _track(
        batches, mode, momentum, amax=lambda b: float(np.abs(b[0] if b.ndim > 1 else b).max())
    )


@wrong(
    "amax-per-image-averaged",
    "You averaged the amax of the rows of a batch: its amax is the largest of them.",
)
def rows_averaged(batches, mode, momentum=0.9):
    def amax(b):
        return (
            float(np.abs(b.reshape(len(b), -1)).max(axis=1).mean())
            if b.ndim > 1
            else float(np.abs(b).max())
        )

    return _track(batches, mode, momentum, amax=amax)
