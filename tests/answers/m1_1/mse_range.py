"""Answers to mse-range."""

import numpy as np

from autograder.checks.bank import right, wrong


def _search(
    x, bits=8, steps=50, *, grid=None, error=None, low=None, top=None, clip=True, rint=np.rint
):
    """The right answer with one thing replaced."""
    x = x.astype(np.float64)
    q = 2 ** (bits - 1) - 1
    amax = np.abs(x).max()
    if amax == 0:
        return 0.0, 0.0
    best = (0.0, np.inf)
    for a in grid(amax, steps) if grid else amax * np.arange(1, steps + 1) / steps:
        scale = a / (top(bits) if top else q)
        codes = rint(x / scale)
        if clip:
            codes = np.clip(codes, low(q) if low else -q, q)
        gap = x - codes * scale
        now = error(gap, x, a) if error else np.mean(gap**2)
        if now < best[1]:
            best = (float(a), float(now))
    return best


@right("a loop over the grid")
def by_loop(x, bits=8, steps=50):
    return _search(x, bits, steps)


@right("all candidates at once")
def by_broadcast(x, bits=8, steps=50):
    flat = x.astype(np.float64).reshape(1, -1)
    amax = np.abs(flat).max()
    if not amax:
        return 0.0, 0.0
    top = 2 ** (bits - 1) - 1
    grid = np.linspace(amax / steps, amax, steps)[:, None]
    clipped = np.clip(flat, -grid, grid)
    restored = np.round(clipped * (top / grid)) * (grid / top)
    errors = ((flat - restored) ** 2).mean(axis=1)
    return grid[errors.argmin(), 0], errors.min()


@right("torch, float32")
def by_torch(x, bits=8, steps=50):
    import torch

    t, top = torch.tensor(x), 2 ** (bits - 1) - 1
    amax = t.abs().max()
    if amax == 0:
        return 0, 0
    errors = {}
    for k in range(steps, 0, -1):
        scale = (amax * (k / steps) / top).item()
        restored = torch.fake_quantize_per_tensor_affine(t, scale, 0, -top, top)
        errors[k] = (restored - t).square().mean().item()
    k = min(errors, key=errors.get)
    return amax.item() * k / steps, errors[k]


@wrong("max", "You returned the maximum; a smaller range costs some clipping and saves rounding.")
def maximum(x, bits=8, steps=50):
    return _search(x, bits, steps, grid=lambda a, n: [a])


@wrong("no-clip", "You did not clip the codes to qmax; without clipping the smallest range wins.")
def no_clip(x, bits=8, steps=50):
    return _search(x, bits, steps, clip=False)


@wrong("absolute-error", "You minimised the mean of |error|; square it.")
def absolute_error(x, bits=8, steps=50):
    return _search(x, bits, steps, error=lambda gap, x, a: np.abs(gap).mean())


@wrong("largest-error", "You minimised the largest error; minimise the mean of the squares.")
def largest_error(x, bits=8, steps=50):
    return _search(x, bits, steps, error=lambda gap, x, a: np.abs(gap).max())


@wrong(
    "inside-only",
    "You averaged over the values inside the range only; clipped values have the largest errors.",
)
def inside_only(x, bits=8, steps=50):
    return _search(
        x, bits, steps, error=lambda gap, x, a: np.mean(gap[np.abs(x) <= a * (1 + 1e-12)] ** 2)
        if (np.abs(x) <= a).any() else 0.0,
    )  # fmt: skip


@wrong(
    "divided-by-the-range",
    "You divided the error by the range; compare the errors of all candidates in one unit.",
)
def divided_by_the_range(x, bits=8, steps=50):
    return _search(x, bits, steps, error=lambda gap, x, a: np.mean((gap / a) ** 2))


@wrong("rms-for-mse", "Your range is right; the second value is the mean square, without the root.")
def rms_for_mse(x, bits=8, steps=50):
    amax, mse = _search(x, bits, steps)
    return amax, mse**0.5


@wrong("sum-for-mean", "Your range is right; the second value is a mean, you returned the sum.")
def sum_for_mean(x, bits=8, steps=50):
    amax, mse = _search(x, bits, steps)
    return amax, mse * x.size


@wrong(
    "stops-at-first-minimum", "You stopped when the error rose; a later candidate may be better."
)
def stops_at_first_minimum(x, bits=8, steps=50):
    return _valley(x, bits, steps, range(1, steps + 1))


@wrong(
    "stops-from-the-top",
    "You walked down from the maximum and stopped when the error rose; try every candidate.",
)
def stops_from_the_top(x, bits=8, steps=50):
    return _valley(x, bits, steps, range(steps, 0, -1))


def _valley(x, bits, steps, order):
    amax, before = float(np.abs(x).max()), (0.0, np.inf)
    if amax == 0:
        return 0.0, 0.0
    for k in order:
        now = _search(x, bits, steps, grid=lambda a, n, k=k: [amax * k / steps])
        if now[1] > before[1]:
            break
        before = now
    return before


@wrong("signed-max", "Your grid ends at max(x); it ends at max|x|, and x may be negative.")
def signed_max(x, bits=8, steps=50):
    top = float(x.max())
    return _search(x, bits, steps, grid=lambda a, n: top * np.arange(1, n + 1) / n)


@wrong(
    "grid-without-the-max", "Your grid ends before max|x|; k runs from 1 to steps, both included."
)
def grid_without_the_max(x, bits=8, steps=50):
    return _search(x, bits, steps, grid=lambda a, n: a * np.arange(1, n) / n)


@wrong(
    "linspace-from-zero",
    "np.linspace(0, amax, steps) has another spacing; the candidates are amax * k / steps.",
)
def linspace_from_zero(x, bits=8, steps=50):
    return _search(x, bits, steps, grid=lambda a, n: np.linspace(0, a, n)[1:])


@wrong("bits-ignored", "You searched at 8 bits in every case; use the argument `bits`.")
def bits_ignored(x, bits=8, steps=50):
    return _search(x, 8, steps)


@wrong("steps-ignored", "You tried 50 candidates in every case; use the argument `steps`.")
def steps_ignored(x, bits=8, steps=50):
    return _search(x, bits, 50)


@wrong("floor-for-round", "You rounded down with floor; round to nearest, ties to even.")
def floor_for_round(x, bits=8, steps=50):
    return _search(x, bits, steps, rint=np.floor)


@wrong("full-range", "You kept the code -2**(bits - 1); the range is [-qmax, qmax].")
def full_range(x, bits=8, steps=50):
    return _search(x, bits, steps, low=lambda q: -q - 1)


@wrong("scale-over-128", "You divided amax by 2**(bits - 1); the largest code is one less.")
def scale_over_128(x, bits=8, steps=50):
    return _search(x, bits, steps, top=lambda bits: 2 ** (bits - 1))


@wrong("zeros-fail", "For zeros return (0.0, 0.0): there is no range to search.")
def zeros_fail(x, bits=8, steps=50):
    if not x.any():
        return 0.0, float("nan")
    return _search(x, bits, steps)


@wrong(
    "a-hundred-steps",
    "You tried 100 candidates by default: keep the signature, steps is 50 unless told.",
)
def hundred_steps(x, bits=8, steps=100):
    return _search(x, bits, steps)


@wrong("scale-returned", "You returned the scale of the best range: amax is qmax times that.")
def scale_returned(x, bits=8, steps=50):
    amax, mse = _search(x, bits, steps)
    return amax / (2 ** (bits - 1) - 1), mse
