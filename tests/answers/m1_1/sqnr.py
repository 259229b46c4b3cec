"""Answers to sqnr."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


@right("NumPy in float64")
def by_numpy(x, x_hat):
    x, x_hat = x.astype(np.float64), x_hat.astype(np.float64)
    signal, mse = np.mean(x**2), np.mean((x - x_hat) ** 2)
    if mse == 0:
        return 0.0, math.inf
    if signal == 0:
        return mse, -math.inf
    return mse, 10 * np.log10(signal / mse)


@right("dot products and a difference of logarithms")
def by_dot(x, x_hat):
    a = np.asarray(x, np.float64).ravel()
    e = a - np.asarray(x_hat, np.float64).ravel()
    noise = float(e @ e)
    power = float(a @ a)
    if not noise:
        return noise, float("inf")
    decibel = -math.inf if power == 0 else 10 * math.log10(power) - 10 * math.log10(noise)
    return noise / a.size, decibel


@right("norms in torch")
def by_torch(x, x_hat):
    import torch

    a, b = (torch.from_numpy(np.array(v, dtype=np.float64)) for v in (x, x_hat))
    mse = torch.nn.functional.mse_loss(b, a)
    if mse == 0:
        return 0.0, math.inf
    ratio = torch.linalg.vector_norm(a) / torch.linalg.vector_norm(a - b)
    return mse.item(), (20 * torch.log10(ratio)).item()


def _answer(x, x_hat, db, mse=None):
    a, b = x.astype(np.float64), x_hat.astype(np.float64)
    error = np.mean((a - b) ** 2)
    shown = float(error if mse is None else mse(a, b))
    signal = np.mean(a**2)
    if error == 0:
        return shown, math.inf
    if signal == 0:
        return shown, -math.inf
    return shown, float(db(a, b))


def _true_db(a, b):
    return 10 * np.log10(np.mean(a**2) / np.mean((a - b) ** 2))


@wrong(
    "20-for-powers",
    "You used 20 log10 on a ratio of powers; 20 belongs to a ratio of amplitudes. Powers take 10.",
)
def twenty(x, x_hat):
    return _answer(x, x_hat, lambda a, b: 2 * _true_db(a, b))


@wrong(
    "amplitudes-with-10",
    "You took the square root of the powers but kept the factor 10; a ratio of amplitudes "
    "takes 20 log10.",
)
def roots_with_ten(x, x_hat):
    return _answer(x, x_hat, lambda a, b: _true_db(a, b) / 2)


@wrong(
    "natural-logarithm",
    "You used the natural logarithm; decibel are 10 times the logarithm to base 10.",
)
def natural(x, x_hat):
    return _answer(x, x_hat, lambda a, b: _true_db(a, b) * math.log(10))


@wrong(
    "base-2-logarithm",
    "You used the logarithm to base 2; decibel are 10 times the logarithm to base 10.",
)
def base_two(x, x_hat):
    return _answer(x, x_hat, lambda a, b: _true_db(a, b) * math.log2(10))


@wrong(
    "noise-over-signal",
    "You divided the noise by the signal, so the sign is turned round; SQNR is signal over "
    "noise, larger is better.",
)
def inverted(x, x_hat):
    return _answer(x, x_hat, lambda a, b: -_true_db(a, b))


@wrong(
    "bare-ratio", "You returned the ratio itself; the exercise wants it in decibel, 10 log10 of it."
)
def bare_ratio(x, x_hat):
    return _answer(x, x_hat, lambda a, b: np.mean(a**2) / np.mean((a - b) ** 2))


@wrong(
    "variance-for-power",
    "You used the variance of x as the signal; the power is the mean of x**2, without taking "
    "off the mean.",
)
def variance(x, x_hat):
    def db(a, b):
        return 10 * np.log10(max(a.var(), 1e-300) / np.mean((a - b) ** 2))

    return _answer(x, x_hat, db)


@wrong(
    "variance-of-the-error",
    "You used the variance of the error as its power; a constant error would count as none. "
    "Take the mean of its square.",
)
def error_variance(x, x_hat):
    def db(a, b):
        return 10 * np.log10(np.mean(a**2) / max((a - b).var(), 1e-300))

    return _answer(x, x_hat, db, mse=lambda a, b: (a - b).var())


@wrong(
    "peak-signal",
    "You put the peak of x over the noise: that is PSNR. SQNR compares the mean powers.",
)
def peak(x, x_hat):
    return _answer(
        x, x_hat, lambda a, b: 10 * np.log10(np.max(np.abs(a)) ** 2 / np.mean((a - b) ** 2))
    )


@wrong(
    "power-of-the-restored",
    "You took the power of x_hat as the signal; the signal is the original x.",
)
def restored_power(x, x_hat):
    def db(a, b):
        return 10 * np.log10(max(np.mean(b**2), 1e-300) / np.mean((a - b) ** 2))

    return _answer(x, x_hat, db)


@wrong("sum-for-mean", "You summed the squared errors; the MSE is their mean.")
def summed(x, x_hat):
    return _answer(x, x_hat, _true_db, mse=lambda a, b: np.sum((a - b) ** 2))


@wrong(
    "root-for-mse",
    "You returned the root of the mean squared error; the exercise wants the MSE itself.",
)
def rmse(x, x_hat):
    return _answer(x, x_hat, _true_db, mse=lambda a, b: np.sqrt(np.mean((a - b) ** 2)))


@wrong("absolute-error", "You averaged |x - x_hat|; the MSE averages the squares.")
def absolute(x, x_hat):
    def db(a, b):
        return 10 * np.log10(np.mean(a**2) / np.mean(np.abs(a - b)))

    return _answer(x, x_hat, db, mse=lambda a, b: np.mean(np.abs(a - b)))


@wrong(
    "mean-then-square",
    "You squared the mean error, where errors of both signs cancel; square each error, then "
    "take the mean.",
)
def mean_then_square(x, x_hat):
    def db(a, b):
        return 10 * np.log10(np.mean(a**2) / max(np.mean(a - b) ** 2, 1e-300))

    return _answer(x, x_hat, db, mse=lambda a, b: np.mean(a - b) ** 2)


@wrong(
    "relative-error-per-element",
    "You averaged the relative error of each element; SQNR compares the total powers.",
)
def relative(x, x_hat):
    def db(a, b):
        return -10 * np.log10(np.mean(((a - b) / np.where(a == 0, 1, a)) ** 2))

    return _answer(x, x_hat, db)


@wrong(
    "computed-in-the-input-dtype",
    "You squared in the dtype of x: in float16 everything above 255 squared is infinite. "
    "Convert to float64 first.",
)
def narrow(x, x_hat):
    mse = float(np.mean((x - x_hat) ** 2))
    signal = float(np.mean(x**2))
    if mse == 0:
        return 0.0, math.inf
    if signal == 0:
        return mse, -math.inf
    return mse, 10 * math.log10(signal / mse)


@wrong(
    "epsilon-in-the-ratio",
    "You added a small epsilon to the error; it drowns the error of tiny values, and no error "
    "is no longer infinite dB.",
)
def epsilon(x, x_hat):
    a, b = x.astype(np.float64), x_hat.astype(np.float64)
    mse = float(np.mean((a - b) ** 2))
    return mse, float(10 * np.log10((np.mean(a**2) + 1e-12) / (mse + 1e-12)))


@wrong(
    "zero-by-zero",
    "Zeros restored exactly gave 0 / 0, which is nan; no error is +inf dB by the rule of the "
    "exercise.",
)
def zero_by_zero(x, x_hat):
    a, b = x.astype(np.float64), x_hat.astype(np.float64)
    mse = np.mean((a - b) ** 2)
    with np.errstate(all="ignore"):
        return float(mse), float(10 * np.log10(np.mean(a**2) / mse))


@wrong(
    "infinity-made-finite",
    "You returned 0 dB where there is no error; the ratio is infinite there: return float('inf').",
)
def zero_for_infinity(x, x_hat):
    mse, db = _answer(x, x_hat, _true_db)
    return mse, db if math.isfinite(db) else 0.0


@wrong("order-swapped", "You returned (sqnr_db, mse); the order is (mse, sqnr_db).")
def swapped(x, x_hat):
    return _answer(x, x_hat, _true_db)[::-1]


@wrong(
    "difference-in-the-input-dtype",
    "You subtracted before you widened: in float16 the difference of two numbers may overflow. "
    "Convert both to float64 first.",
)
def difference_narrow(x, x_hat):
    gap, a = (x - x_hat).astype(np.float64), x.astype(np.float64)
    mse, signal = float(np.mean(gap**2)), float(np.mean(a**2))
    if mse == 0 or signal == 0:
        return mse, math.inf if mse == 0 else -math.inf
    with np.errstate(divide="ignore"):
        return mse, float(10 * np.log10(signal / np.float64(mse)))
