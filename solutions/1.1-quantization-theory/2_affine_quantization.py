# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Quantize with a scale and a zero-point
#
# **You end with:** your own symmetric and asymmetric INT8 quantizers, a meter for the error they make,
# and a plot that predicts this error for a trained layer before you measure it.
#
# About 90 minutes. 26 points: 23 graded by machine, 3 by a person. Runs on a laptop, no GPU, no
# network. You need NumPy, integers of 8 bits and what a mean is.
#
# How to work: run the cells from the top. Where a cell says `raise NotImplementedError`, write your
# code. The cell below it checks it and says what is off.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import math

import numpy as np
import torch

from autograder import check
from lab.data import load_mnist
from lab.plots import COLOURS, INK, code_line, curves, explore, figure, histogram, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
rng = np.random.default_rng(0)
profile


# %% [markdown]
# ## Three numbers that come back as twos
#
# Many tutorials give this recipe for 8 bits: the step is `(max - min) / 255`, an offset moves the
# minimum to code 0, everything is stored in `uint8`. The next cell applies it to 10, 11 and 12, a range
# that 256 codes should cover with ease. Run it.
# %% role="given" id="naive"
def naive_round_trip(x):
    """The tutorial's recipe: 8-bit codes and an 8-bit offset, from min and max alone."""
    scale = (x.max() - x.min()) / 255
    offset = np.clip(np.rint(-x.min() / scale), 0, 255)
    codes = np.clip(np.rint(x / scale) + offset, 0, 255).astype(np.uint8)
    return codes, (codes.astype(np.float32) - offset) * scale


naive_input = np.array([10.0, 11.0, 12.0])
naive_codes, naive_restored = naive_round_trip(naive_input)
wide_offset = np.rint(-naive_input.min() * 255 / np.ptp(naive_input))
zero_code = np.clip(0 + wide_offset, 0, 255)
zero_restored = (zero_code - wide_offset) * np.ptp(naive_input) / 255
print("real numbers        ", naive_input)
print("codes               ", naive_codes)
print("restored            ", naive_restored)
print(f"the offset it wanted {wide_offset:.0f}, which is no 8-bit code")
print(f"if the offset may be any integer, the real number 0 comes back as {zero_restored:g}")
# %% [markdown] items="1.1.C4"
# **What happened.** The range [10, 12] does not contain 0, so the offset falls outside the 8-bit
# codes. Clamp it, and every value is cut off at the top. Keep it wide, and no code stands
# for 0: zeros come back as the minimum.
#
# Networks are full of exact zeros: padding, ReLU, masks. A zero that comes back as 10 is a bug without an
# error message. You will write the version that is right in both cases.
# %% [markdown] items="1.1.C3"
# ## The scale: how wide is one step
#
# A quantizer stores integers $q$ (codes) and one real number, the **scale** $s$, in units of $x$:
#
# $$q = \mathrm{round}(x / s), \qquad \hat x = s\,q.$$
#
# $s$ is the distance between neighbouring representable numbers. Rounding to the nearest one makes an
# error of at most $s/2$. The scale is chosen so that the largest value still has a code. A wider range
# means wider steps for everything in it.
# %% [markdown] items="1.1.C5 1.1.C3"
# ## Symmetric: zero in the middle
#
# Signed codes of $b$ bits; the **symmetric** scheme keeps the restricted range
# $[-q_{max}, q_{max}]$ with $q_{max} = 2^{b-1} - 1$: for 8 bits -127 to 127. The code -128 is left out,
# so that every number has its negative. With $amax = \max|x|$ over the whole tensor:
#
# $$s = amax / q_{max}.$$
#
# Real 0 has code 0. There is nothing else to store.
# %% [markdown] items="1.1.C3"
# **Predict.** A tensor holds 10,000 values from a standard normal distribution. One of them is
# replaced by 100. Quantized symmetrically to 8 bits, how many of the 255 codes will occur at all?
# Put your number in place of `...`.
# %% role="predict" id="predict-codes"
my_code_count = ...
# %% role="given" id="outlier-codes"
ordinary = rng.normal(0, 1, 10_000).astype(np.float32)
with_outlier = ordinary.copy()
with_outlier[0] = 100.0
used = {}
for name, values in (("no outlier", ordinary), ("one outlier", with_outlier)):
    used[name] = len(np.unique(np.rint(values / (np.abs(values).max() / 127))))
    print(f"{name:12s} {used[name]:3d} of 255 codes occur")
reveal(my_code_count, used["one outlier"], unit="codes")


# %% [markdown]
# **What you should see.** Without the outlier most of the codes occur; the missing ones belong to the
# thin tails. With it, about a dozen: nearly all values share the codes around 0. One value in ten thousand
# has turned 8 bits into three or four. Lesson 3 deals with outliers; here you learn to measure them.
# %% [markdown] items="1.1.K1 1.1.C3 1.1.C5"
# ### Exercise: quantize symmetrically
#
# Write the quantizer of the two cells above. The rounding rule matters: **ties go to the even
# neighbour** (0.5 to 0, 1.5 to 2, 2.5 to 2), as IEEE 754, PyTorch and ONNX do it.
#
# <details><summary>Hint 1</summary>NumPy's <code>np.rint</code> rounds to nearest with ties to
# even.</details>
# <details><summary>Hint 2</summary>An all-zero tensor has amax 0: treat it before you divide.</details>
# %% role="exercise" id="symmetric-quantize" items="1.1.K1 1.1.C3 1.1.C5" minutes=10
def symmetric_quantize(x: np.ndarray, bits: int = 8) -> tuple[np.ndarray, float]:
    """Quantize a tensor to signed integers with one scale and no zero-point.

    With qmax = 2**(bits - 1) - 1 and amax = max|x| over the whole tensor, scale = amax / qmax and
    codes = round(x / scale), to nearest with ties to even, in the restricted range [-qmax, qmax].

    Args:
        x: float32 or float64 of any shape, at least one element, all finite. It is not changed.
        bits: 2 to 8.

    Returns:
        codes: int8, shape of x.
        scale: one positive real number, in units of x. A tensor of zeros gives codes 0 and scale 1.0.

    >>> codes, scale = symmetric_quantize(np.array([-1.0, 0.5, 1.27]))
    >>> codes
    array([-100,   50,  127], dtype=int8)
    >>> round(scale, 6)
    0.01
    """
    ### BEGIN SOLUTION
    qmax = 2 ** (bits - 1) - 1
    amax = float(np.abs(x).max())
    if amax == 0:
        return np.zeros(x.shape, np.int8), 1.0
    scale = amax / qmax
    codes = np.clip(np.rint(x / scale), -qmax, qmax)
    return codes.astype(np.int8), scale
    ### END SOLUTION


# %% role="check" id="symmetric-quantize" points=4
check("symmetric-quantize", symmetric_quantize)
# %% [markdown] items="1.1.C4"
# ## Asymmetric: zero where the data want it
#
# The **asymmetric** (affine) scheme uses unsigned codes $0 \dots 2^b - 1$ and a second parameter, the
# **zero-point** $z$: the code of the real number 0.
#
# $$q = \mathrm{round}(x / s) + z, \qquad \hat x = s\,(q - z).$$
#
# $z$ is an **integer**. Only then does $q = z$ give exactly $\hat x = 0$. A fractional offset
# misses zero at each padded pixel and each closed ReLU.
# %% [markdown] items="1.1.C4 1.1.C3"
# ## The range must contain zero
#
# $z$ has to be one of the codes. So widen the range until it contains 0:
#
# $$low = \min(x_{min}, 0), \quad high = \max(x_{max}, 0),$$
# $$s = (high - low) / (2^b - 1), \quad z = \mathrm{round}(-low / s).$$
#
# $2^b$ codes have $2^b - 1$ steps between them. For [10, 12] the range becomes [0, 12]: the steps are
# six times wider, and that is the price of an exact zero.
# %%
grids = {
    "[10, 12] as it is": np.linspace(10, 12, 16),
    "widened to [0, 12]": np.linspace(0, 12, 16),
}
show(
    code_line(grids, points=[0, 10, 11, 12], title="4-bit codes for the values 10, 11 and 12"),
    alt="Two number lines with 16 codes each. The codes of the range 10 to 12 lie close together but the "
    "real number 0 is sent to 10. The codes of the widened range 0 to 12 are six times further apart, "
    "and 0 has a code of its own.",
)


# %% [markdown] items="1.1.C3 1.1.C4 1.1.K1"
# ### Exercise: scale and zero-point
#
# From the range of a tensor to the two parameters. Round the zero-point with ties to even.
#
# <details><summary>Hint 1</summary>Widen the range first, whatever its signs are; after that there is
# one formula for all cases.</details>
# <details><summary>Hint 2</summary>Python's <code>round</code> on a float gives an int and sends ties to
# even.</details>
# <details><summary>Hint 3</summary>A constant 3.0 is no special case: its range becomes [0, 3]. Only
# [0, 0] has no width.</details>
# %% role="exercise" id="affine-params" items="1.1.C3 1.1.C4 1.1.K1" minutes=10
def affine_params(x_min: float, x_max: float, bits: int = 8) -> tuple[float, int]:
    """Scale and zero-point of asymmetric quantization to the codes 0 .. 2**bits - 1.

    The range is first extended to contain zero: low = min(x_min, 0), high = max(x_max, 0).
    Then scale = (high - low) / (2**bits - 1) and zero_point = round(-low / scale), ties to even.

    Args:
        x_min, x_max: smallest and largest value of the tensor, finite, x_min <= x_max.
        bits: 2 to 8.

    Returns:
        scale: a positive real number, in units of x.
        zero_point: an integer code (Python int or NumPy integer) in 0 .. 2**bits - 1.
        If low == high == 0, the answer is (1.0, 0).

    >>> affine_params(-64.0, 191.0)
    (1.0, 64)
    >>> affine_params(10.0, 12.75)
    (0.05, 0)
    """
    ### BEGIN SOLUTION
    low, high = min(x_min, 0.0), max(x_max, 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (2**bits - 1)
    return scale, round(-low / scale)
    ### END SOLUTION


# %% role="check" id="affine-params" points=4
check("affine-params", affine_params)


# %% [markdown] items="1.1.K1"
# ### Exercise: from reals to codes
#
# Use a scale and a zero-point that are **given**, as at inference time: new data may lie outside the
# range they were made for. The order is that of ONNX `QuantizeLinear`: divide, round (ties to even),
# add the zero-point, clip, cast.
#
# <details><summary>Hint</summary>A cast to <code>uint8</code> does not saturate. Clip while the numbers
# are still floats: that also handles values too large for any integer type.</details>
# %% role="exercise" id="affine-quantize" items="1.1.K1" minutes=7
def affine_quantize(x: np.ndarray, scale: float, zero_point: int, bits: int = 8) -> np.ndarray:
    """Codes clip(round(x / scale) + zero_point, 0, 2**bits - 1).

    x / scale is rounded to nearest with ties to even, before the zero-point is added.

    Args:
        x: float32 or float64 of any shape. It may hold values far outside the range, infinities too:
            they get the code at that end. No NaN. It is not changed.
        scale: size of one step, positive, in units of x.
        zero_point: the code of the real number 0, in 0 .. 2**bits - 1.
        bits: 2 to 8.

    Returns:
        codes: uint8, shape of x.

    >>> affine_quantize(np.array([-70.0, 0.0, 1.5, 500.0]), scale=1.0, zero_point=64)
    array([  0,  64,  66, 255], dtype=uint8)
    """
    ### BEGIN SOLUTION
    codes = np.rint(x / scale) + zero_point
    return np.clip(codes, 0, 2**bits - 1).astype(np.uint8)
    ### END SOLUTION


# %% role="check" id="affine-quantize" points=3
check("affine-quantize", affine_quantize)


# %% [markdown] items="1.1.K1 1.1.C4"
# ### Exercise: from codes back to reals
#
# One line, with a trap: in `uint8`, 3 - 5 is 254. NumPy wraps around in silence.
#
# <details><summary>Hint</summary>Widen the codes to a signed type first. Subtract the integers before
# you multiply: two products, rounded apart, need not cancel, and then zero is not exactly 0.</details>
# %% role="exercise" id="affine-dequantize" items="1.1.K1 1.1.C4" minutes=6
def affine_dequantize(codes: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Restored values (codes - zero_point) * scale. The code zero_point gives exactly 0.0.

    Args:
        codes: uint8 of any shape.
        scale: size of one step, positive.
        zero_point: the code of the real number 0, an int in 0 .. 255.

    Returns:
        x_hat: float32, shape of codes.

    >>> affine_dequantize(np.array([0, 64, 255], dtype=np.uint8), scale=0.5, zero_point=64)
    array([-32. ,   0. ,  95.5], dtype=float32)
    """
    ### BEGIN SOLUTION
    steps = codes.astype(np.int32) - zero_point
    return steps.astype(np.float32) * np.float32(scale)
    ### END SOLUTION


# %% role="check" id="affine-dequantize" points=3
check("affine-dequantize", affine_dequantize)
# %% [markdown]
# Now 10, 11 and 12 again, with your functions, and 0 beside them.
# %%
repaired_input = np.array([0.0, 10.0, 11.0, 12.0])
repaired_scale, repaired_zero = affine_params(10.0, 12.0)
repaired_codes = affine_quantize(repaired_input, repaired_scale, repaired_zero)
repaired = affine_dequantize(repaired_codes, repaired_scale, repaired_zero)
print("codes   ", repaired_codes)
print("restored", repaired)
print(
    f"largest error {np.abs(repaired - repaired_input).max():.4f}, half a step {repaired_scale / 2:.4f}"
)


# %% [markdown] items="1.1.C7"
# ## Measure the error
#
# With $n$ elements, $MSE = \frac1n \sum (x - \hat x)^2$, in units of $x^2$. Whether 0.01 is much depends
# on the size of $x$. The **signal-to-quantization-noise ratio** divides it out:
#
# $$SQNR = 10 \log_{10} \frac{\frac1n\sum x^2}{MSE} \ \text{dB}.$$
#
# Larger is better; 10 dB is a factor of 10 in power, 6.02 dB a factor of 4, that is, half the error.
# %% [markdown] items="1.1.C7 1.1.K1"
# ### Exercise: MSE and SQNR
#
# Two special cases have a rule of their own: no error is $+\infty$ dB (also when $x$ is all zeros), an
# error on an all-zero $x$ is $-\infty$ dB. The result is never NaN.
#
# <details><summary>Hint</summary>Convert both inputs to float64 first. In float16, 300 squared is
# already infinite.</details>
# %% role="exercise" id="sqnr" items="1.1.C7 1.1.K1" minutes=6
def sqnr(x: np.ndarray, x_hat: np.ndarray) -> tuple[float, float]:
    """Mean squared error and signal-to-quantization-noise ratio.

    mse = mean((x - x_hat)**2), sqnr_db = 10 log10(mean(x**2) / mse), means over all elements, in float64.

    Args:
        x: the original, float16, float32 or float64, any shape, at least one element.
        x_hat: the restored values, same shape and dtype.

    Returns:
        mse: in units of x squared.
        sqnr_db: in dB; +inf where mse is 0 (also for an all-zero x), else -inf where x is all zeros.

    >>> mse, sqnr_db = sqnr(np.array([3.0, -4.0]), np.array([3.5, -4.5]))
    >>> mse, round(sqnr_db, 4)
    (0.25, 16.9897)
    """
    ### BEGIN SOLUTION
    x, x_hat = x.astype(np.float64), x_hat.astype(np.float64)
    mse = float(np.mean((x - x_hat) ** 2))
    signal = float(np.mean(x**2))
    if mse == 0:
        return 0.0, math.inf
    if signal == 0:
        return mse, -math.inf
    return mse, 10 * math.log10(signal / mse)
    ### END SOLUTION


# %% role="check" id="sqnr" points=3
check("sqnr", sqnr)
# %% [markdown]
# ## Real weights, real activations
#
# A small classifier of handwritten digits, trained here in a few seconds: 784 inputs, 128 hidden units
# with ReLU, 10 outputs. We take the weights of its first layer, and the hidden activations for 200
# images, after the ReLU.
# %% role="given" id="digits-model"
from sklearn.neural_network import MLPClassifier

digits = load_mnist()
train_x = digits.train_images.reshape(-1, 784).astype(np.float32) / 255
test_x = digits.test_images.reshape(-1, 784).astype(np.float32) / 255
network = MLPClassifier((128,), batch_size=100, random_state=0)
for _ in range(8):
    network.partial_fit(train_x, digits.train_labels, classes=np.arange(10))

weights = network.coefs_[0].astype(np.float32)
hidden = np.maximum(test_x[:200] @ weights + network.intercepts_[0].astype(np.float32), 0)
print(digits)
print(f"test accuracy {network.score(test_x, digits.test_labels):.1%}")
print(f"weights {weights.shape}: {weights.min():.3f} to {weights.max():.3f}")
print(
    f"hidden  {hidden.shape}: {hidden.min():.3f} to {hidden.max():.3f}, {np.mean(hidden == 0):.0%} zeros"
)
show(
    histogram(
        {"weights": weights / np.abs(weights).max(), "hidden": hidden / hidden.max()},
        xlabel="value / amax",
        log=True,
        title="Weights use both signs, activations after ReLU one",
    ),
    alt="Histogram with logarithmic counts. The weights form a bell around zero on both sides. The "
    "activations after ReLU start at zero, have a tall bar there, and fall off on the positive side only.",
)
# %% [markdown] items="1.1.C5"
# **Predict.** The activations after ReLU are never negative. The symmetric scheme spends half of its
# codes on negative numbers all the same; the asymmetric one does not. Both have 8 bits. How many dB of
# SQNR does the asymmetric scheme gain on these activations?
# %% role="predict" id="predict-gain"
my_gain_db = ...


# %%
def symmetric_round_trip(x, bits=8):
    codes, scale = symmetric_quantize(x, bits)
    return codes.astype(np.float32) * np.float32(scale)


def affine_round_trip(x, bits=8):
    scale, zero_point = affine_params(float(x.min()), float(x.max()), bits)
    return affine_dequantize(affine_quantize(x, scale, zero_point, bits), scale, zero_point)


scheme_db = {}
print(f"{'':8s} {'scheme':10s} {'MSE':>10s} {'SQNR':>9s}")
for tensor_name, tensor in (("weights", weights), ("hidden", hidden)):
    for scheme, round_trip in (
        ("symmetric", symmetric_round_trip),
        ("asymmetric", affine_round_trip),
    ):
        mse, scheme_db[tensor_name, scheme] = sqnr(tensor, round_trip(tensor))
        print(f"{tensor_name:8s} {scheme:10s} {mse:10.3g} {scheme_db[tensor_name, scheme]:6.2f} dB")
gain_db = scheme_db["hidden", "asymmetric"] - scheme_db["hidden", "symmetric"]
reveal(my_gain_db, gain_db, unit="dB")
# %% [markdown] items="1.1.C5 1.1.C7"
# **What you should see.** About 6 dB for the activations: twice as many codes over the same range halve
# the step, and half the error is a quarter of its power, $10\log_{10} 4 = 6.02$ dB. The symmetric scheme
# throws one bit away.
#
# For the weights, within 1.5 dB of each other: their range is nearly symmetric, so an offset has little to win.
# %%
# A library as a witness: PyTorch quantizes and restores with your scale and zero-point.
hidden_scale, hidden_zero = affine_params(float(hidden.min()), float(hidden.max()))
theirs = torch.fake_quantize_per_tensor_affine(
    torch.from_numpy(hidden), hidden_scale, hidden_zero, 0, 255
).numpy()
yours = affine_dequantize(
    affine_quantize(hidden, hidden_scale, hidden_zero), hidden_scale, hidden_zero
)
differing = int(np.sum(np.abs(yours - theirs) > hidden_scale / 2))
print(f"{differing} of {yours.size:,} codes differ from PyTorch's")
# %% [markdown]
# **What you should see.** None, or a handful: PyTorch multiplies by a rounded $1/s$ where you divide by $s$, so
# a value within a float's breadth of a tie may fall to the other side.


# %% [markdown] items="1.1.C7"
# ## Two kinds of error
#
# So far the range reached to amax and nothing was cut off. Choose a smaller threshold $c$ instead,
# with $s = c / q_{max}$:
#
# - values with $|x| \le c$ make a **rounding error**, at most $s/2$; it shrinks with $c$;
# - values with $|x| > c$ come back as $\pm c$: a **clipping error** $|x| - c$; it grows as $c$ falls.
#
# The total is their sum. Somewhere between them lies the best threshold.
# %% [markdown] items="1.1.C7"
# ### Exercise: split the error
#
# Divide both sums by the number of **all** elements, so that the two parts add up to the MSE.
#
# <details><summary>Hint 1</summary>Quantize and restore everything first: codes clipped to
# [-qmax, qmax], times the scale.</details>
# <details><summary>Hint 2</summary>One mask, <code>np.abs(x) > clip</code>, sorts the squared errors into
# the two sums.</details>
# %% role="exercise" id="rounding-clipping" items="1.1.C7" minutes=8
def rounding_clipping(x: np.ndarray, clip: float, bits: int = 8) -> tuple[float, float]:
    """The MSE of symmetric quantization with threshold `clip`, split in two parts.

    scale = clip / qmax with qmax = 2**(bits - 1) - 1; codes are rounded and kept in [-qmax, qmax].
    An element belongs to the clipping part if |x| > clip, else to the rounding part.

    Args:
        x: float32 or float64 of any shape, at least one element.
        clip: threshold, positive, in units of x; some |x| may exceed it.
        bits: 2 to 8.

    Returns:
        rounding, clipping: sums of the squared errors of the two groups, each divided by x.size, so
        that rounding + clipping is the MSE. An empty group gives 0.0. Compute in float64.

    >>> rounding_clipping(np.array([0.75, 1.0, 2.0, -4.0]), clip=3.0, bits=3)
    (0.015625, 0.25)
    """
    ### BEGIN SOLUTION
    qmax = 2 ** (bits - 1) - 1
    scale = clip / qmax
    x = x.astype(np.float64)
    x_hat = np.clip(np.rint(x / scale), -qmax, qmax) * scale
    squared = (x - x_hat) ** 2
    clipped = np.abs(x) > clip
    return float(squared[~clipped].sum() / x.size), float(squared[clipped].sum() / x.size)
    ### END SOLUTION


# %% role="check" id="rounding-clipping" points=4
check("rounding-clipping", rounding_clipping)
# %% [markdown] items="1.1.C7"
# ## Turn the knob
#
# Move `clip`, in standard deviations of the layer's weights, and `bits`. Find the threshold with the
# best SQNR for 8 bits, then for 3. **Ask yourself first:** with fewer bits, does the best threshold
# move in or out?
# %%
sample = weights.ravel()[::5]
spread = float(sample.std())
power = float(np.mean(sample.astype(np.float64) ** 2))
multiples = np.linspace(0.5, 6, 45)


def draw_clip(clip=4.0, bits=4):
    parts = np.array([rounding_clipping(sample, m * spread, bits) for m in multiples])
    total = parts.sum(axis=1)
    best = multiples[np.argmin(total)]
    here_db = 10 * math.log10(power / sum(rounding_clipping(sample, clip * spread, bits)))
    best_db = 10 * math.log10(power / total.min())
    fig, axes = figure(height_inch=3.8)
    ax = axes[0, 0]
    for values, name, colour, line in (
        (parts[:, 0], "rounding", COLOURS[0], "--"),
        (parts[:, 1], "clipping", COLOURS[1], "-."),
        (total, "total", COLOURS[2], "-"),
    ):
        ax.plot(multiples, values / power, line, color=colour, label=name)
    ax.axvline(clip, color=INK, linewidth=1, label=f"clip {clip:g}: {here_db:.1f} dB")
    ax.axvline(
        best, color=INK, linewidth=1, linestyle=":", label=f"best {best:.2f}: {best_db:.1f} dB"
    )
    ax.set_yscale("log")
    ax.set_ylim(max(total.min() / power / 30, 1e-7), 1)
    ax.set(xlabel="clip / standard deviation", ylabel="squared error / signal power")
    ax.set_title(f"The layer's weights in {bits} bits", loc="left")
    ax.legend(loc="upper right", fontsize=9)
    return fig, (
        f"Error against the clipping threshold, {bits} bits. The rounding part rises with the threshold, "
        f"the clipping part falls, their total is least at {best:.2f} standard deviations with "
        f"{best_db:.1f} dB; at the chosen {clip:g} it is {here_db:.1f} dB."
    )


explore(draw_clip, clip=(0.5, 6.0, 0.25), bits=(2, 8, 1))


# %% [markdown] items="1.1.C7"
# **What you should see.** The best threshold moves **in** as bits get fewer: wide steps hurt all values,
# clipping only the few in the tails. amax lies between 4 and 5 standard deviations here. At 8 bits the best
# threshold beats it by less than 1 dB; at 3 bits it is about 2 standard deviations and wins several dB.
#
# Lesson 3 chooses thresholds from data, where outliers make the difference larger.
# %% [markdown] items="1.1.C7"
# ## 6.02 dB a bit
#
# If the steps are small against the signal, the rounding error is spread evenly over one step, from
# $-s/2$ to $s/2$. Its mean square is $s^2/12$. With $s = amax/q_{max}$ and the root mean square
# $rms = \sqrt{\frac1n\sum x^2}$:
#
# $$SQNR = 10\log_{10}\left(12\,\frac{q_{max}^2}{(amax/rms)^2}\right) \text{ dB}.$$
#
# One more bit doubles $q_{max}$: $20\log_{10}2 = 6.02$ dB. The **crest factor** $amax/rms$ shifts the line.
# %% [markdown] items="1.1.C7"
# ### Exercise: how many bits?
#
# Turn the formula round: the fewest bits whose **predicted** SQNR reaches a target.
#
# <details><summary>Hint</summary>Start at 2 bits and go up until the formula reaches the target. Take
# $q_{max} = 2^{b-1} - 1$ exactly: at few bits the -1 counts.</details>
# %% role="exercise" id="bits-for-sqnr" items="1.1.C7" minutes=6
def bits_for_sqnr(target_db: float, amax_over_rms: float) -> int:
    """The smallest bits >= 2 with 10 log10(12 (qmax / amax_over_rms)**2) >= target_db.

    qmax = 2**(bits - 1) - 1, as in symmetric quantization without clipping. There is no upper limit.

    Args:
        target_db: the SQNR wanted, in dB; may be negative.
        amax_over_rms: crest factor of the tensor, at least 1.

    Returns:
        bits: an int.

    >>> bits_for_sqnr(40.0, amax_over_rms=4.0)
    8
    """
    ### BEGIN SOLUTION
    bits = 2
    while 10 * math.log10(12 * ((2 ** (bits - 1) - 1) / amax_over_rms) ** 2) < target_db:
        bits += 1
    return bits
    ### END SOLUTION


# %% role="check" id="bits-for-sqnr" points=2
check("bits-for-sqnr", bits_for_sqnr)
# %% [markdown]
# ## Theory against a trained layer
#
# The first layer again, with your own `symmetric_quantize` and `sqnr`, in 2 to 8 bits. The straight line
# is the formula, computed from one number of the layer, its crest factor. Beside it, what the error does
# to the test accuracy when only these weights are replaced.
# %%
widths = list(range(2, 9))
rms = math.sqrt(np.mean(weights.astype(np.float64) ** 2))
crest = float(np.abs(weights).max()) / rms
measured_db, theory_db, accuracy = [], [], []
for bits in widths:
    restored = symmetric_round_trip(weights, bits)
    measured_db.append(sqnr(weights, restored)[1])
    theory_db.append(10 * math.log10(12 * ((2 ** (bits - 1) - 1) / crest) ** 2))
    scores = np.maximum(test_x @ restored + network.intercepts_[0], 0) @ network.coefs_[1]
    accuracy.append(
        np.mean(np.argmax(scores + network.intercepts_[1], axis=1) == digits.test_labels)
    )

show(
    curves(
        widths,
        {"measured": measured_db, "theory": theory_db},
        xlabel="bits",
        ylabel="SQNR, dB",
        title="A trained layer runs along the line; at 2 bits they part",
    ),
    alt=f"SQNR against bits from 2 to 8. The measured line runs close above the theoretical one, both rise "
    f"by about 6 dB a bit to near {measured_db[-1]:.0f} dB; at 2 bits the gap is wider.",
)
for bits, got, line, right_share in zip(widths, measured_db, theory_db, accuracy, strict=True):
    print(
        f"{bits} bits  measured {got:6.2f} dB  theory {line:6.2f} dB  test accuracy {right_share:.1%}"
    )
per_bit_db = float(np.polyfit(widths[3:], measured_db[3:], 1)[0])
print(f"crest factor {crest:.2f}; slope from 5 to 8 bits {per_bit_db:.2f} dB a bit")
near_zero = float(np.mean(np.abs(weights) < 0.1 * np.abs(weights).max() / 127))
lift_db = -10 * math.log10(1 - near_zero)
print(
    f"{near_zero:.1%} of the weights are 0 to within a tenth of an 8-bit step; without error, they lift"
)
print(
    f"the SQNR by {lift_db:.2f} dB; at 8 bits it lies {measured_db[-1] - theory_db[-1]:.2f} dB above the line"
)
# %% [markdown] items="1.1.C7"
# **What you should see.** From 5 bits on, parallel to the line and within about 2 dB above it. Why above?
# Pixels that are blank in every image leave their weights at almost exactly 0, and a weight at 0 is restored
# without error. The last two lines count them. At 2 bits nearly every weight becomes 0, and the formula
# does not hold.
# %% [markdown] items="1.1.C7"
# The accuracy notices late: SQNR says how much a tensor changed, not how much the network minds.
# %% [markdown]
# ## At the size of a large model's layer
#
# A 4096 x 4096 matrix, the shape of an attention projection in a 7B model. Its values are random (only
# time and size are measured), the arithmetic is that of `symmetric_quantize`, in torch on the device of
# this profile.
# %%
big = torch.randn(4096, 4096, generator=torch.Generator().manual_seed(0)).to(profile.device)


def quantize_big():
    scale = big.abs().max() / 127
    return torch.round(big / scale).clamp_(-127, 127).to(torch.int8), scale


big_codes, big_scale = quantize_big()
size_before, size_after = big.nbytes, big_codes.nbytes + 4  # one float32 scale
quantize_time = measure(quantize_big, warmup=1, repeats=5)
restore_time = measure(lambda: big_codes.to(torch.float32) * big_scale, warmup=1, repeats=5)
print(f"size      {size_before:,} bytes to {size_after:,} bytes")
print(f"quantize  {quantize_time}")
print(f"restore   {restore_time}")
# %% [markdown]
# **What you should see.** A quarter of the bytes, less four for the scale. Quantizing a matrix once
# takes milliseconds to a fraction of a second, depending on your machine; it is never the reason not to do it.
# %% [markdown]
# ## A figure from the literature, in miniature
#
# Banner, Nahshan and Soudry derive the best threshold for data from a bell-shaped or a Laplace
# distribution. Their plot of the expected error against the clipping value is redrawn here from samples, with your
# `rounding_clipping`. (They restore to the middle of each interval, we to codes: their optima differ a little.)
# %%
draws = {"normal": rng.normal(0, 1, 40_000), "Laplace": rng.laplace(0, 1, 40_000)}
thresholds = np.linspace(0.6, 8, 50)
best_threshold = {}
fig, axes = figure(cols=2, height_inch=3.2)
for ax, (family, values) in zip(axes[0], draws.items(), strict=True):
    for bits, colour, line in zip((2, 3, 4), COLOURS, ("-", "--", "-."), strict=False):
        total = [sum(rounding_clipping(values, t, bits)) for t in thresholds]
        best_threshold[family, bits] = thresholds[int(np.argmin(total))]
        ax.semilogy(thresholds, total, line, color=colour, label=f"{bits} bits")
        ax.plot(best_threshold[family, bits], min(total), "o", color=colour)
    ax.set(xlabel="threshold", ylabel="MSE")
    ax.set_title(family, loc="left")
    ax.legend(fontsize=9, loc="lower right")
show(
    fig,
    alt="Two panels, normal and Laplace data: MSE against the clipping threshold for 2, 3 and 4 bits. Each "
    "curve falls to a marked minimum and rises again; the minimum moves to the right with more bits, and "
    "lies further out for Laplace, whose tails are heavier.",
)
for (family, bits), threshold in best_threshold.items():
    print(f"{family:8s} {bits} bits  best threshold {threshold:.2f}")
# %% [markdown] items="1.1.C5"
# ## In your own words
#
# A colleague wants asymmetric INT8 for everything, "since it can only gain". The layer computes sums
# $\sum_i w_i x_i$; with zero-points this becomes $s_w s_x \sum_i (q_{w,i} - z_w)(q_{x,i} - z_x)$.
#
# In 120 to 200 words: which scheme for the weights, for activations after ReLU, for an output with both
# signs? Multiply out: which extra terms can be computed before inference, which not? Use two figures
# from this notebook.
# %% [markdown] role="written" id="symmetric-or-asymmetric" items="1.1.C5" points=3
# **Model answer.** Multiplied out, the sum is $\sum q_w q_x - z_x \sum q_w - z_w \sum q_x + n z_w z_x$.
# The first term is the integer product that we want. $\sum q_w$ belongs to the weights and is known before
# inference: $z_x\sum q_w$ and the constant go into the bias, so a zero-point on the **activations** costs
# nothing per input. $\sum q_x$ depends on the input: a zero-point on the **weights** costs an extra
# reduction for every input vector, in every layer.
#
# Weights: symmetric. Their range is nearly symmetric, so the offset gains little (here the two schemes were
# within about 1 dB) and would cost $z_w\sum q_x$. Activations after ReLU: asymmetric. It gains one bit, about
# 6 dB measured here, because no code is spent on negative numbers, and its extra term is folded away.
# (Unsigned codes with zero-point 0 do the same for a pure ReLU.) An output with both signs: look at its
# range; if it is lopsided (GELU, a shifted distribution), asymmetric; if it is nearly balanced, symmetric is as
# good and simpler. In every case zero keeps an exact code.
#
# **Rubric.** 1 point: the right choice for weights and for ReLU activations with the reason (shape of the
# range, one bit). 1 point: the expansion, with $z_w \sum q_x$ named as the term that depends on the input and
# $z_x \sum q_w$ as foldable. 1 point: two figures from the notebook used rightly, and the third case answered by
# its range. Half a point off for "asymmetric is always better" or the reverse.
# %% [markdown]
# ## Recap
#
# - The scale is the size of one step: amax / qmax (symmetric), (high - low) / (2^b - 1) (asymmetric).
# - The zero-point is an integer code, and the range contains zero: so 0 comes back as exactly 0.
# - Round ties to even, add the zero-point, clip, then cast. Subtract in a wider type than uint8.
# - Error = rounding + clipping. With fewer bits the best threshold moves in.
# - SQNR = 6.02 dB a bit, minus what the crest factor takes. An outlier is a large crest factor.
#
# **Three questions**
#
# <details><summary>1. A tensor lies in [0.2, 0.9]. What are low, high and the zero-point?</summary>
# low = 0, high = 0.9, zero-point 0. The codes below 0.2 / s go unused: that is the price of an exact
# zero.</details>
# <details><summary>2. All values of a tensor are multiplied by 1000. What happens to the scale, the MSE and
# the SQNR of 8-bit symmetric quantization?</summary>Scale times 1000, MSE times a million, SQNR
# unchanged.</details>
# <details><summary>3. Removing one outlier makes amax ten times smaller; the rms stays. How many bits is
# that worth?</summary>20 dB of crest factor, divided by 6.02: a little more than 3 bits.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
#   Inference*, CVPR 2018, section 2.1: the affine scheme, and why zero must be exact. Section 2.3: the
#   expanded product of the written question.
# - Krishnamoorthi, *Quantizing deep convolutional networks for efficient inference: A whitepaper*, 2018,
#   section 2: both schemes, and one-sided ranges that are relaxed to contain zero.
# - Nagel et al., *A White Paper on Neural Network Quantization*, 2021, section 2: symmetric and asymmetric
#   grids, the cost of the zero-points, and the clipping against rounding trade.
# - Banner, Nahshan and Soudry, *Post training 4-bit quantization of convolutional networks for rapid-deployment*,
#   NeurIPS 2019: the plot of the error against the clipping value, redrawn above.
# - ONNX operators `QuantizeLinear` and `DynamicQuantizeLinear`: the rules of this notebook as a
#   specification; `affine_params` is the second one's first half.
#
# **Next:** `3_granularity_and_calibration`: one scale for a tensor, a channel or a group, and from which data.
# %%
# Your result.
print(f"[0, 10, 11, 12] comes back as     {repaired}")
print(f"codes used with one outlier       {used['one outlier']} of 255")
print(f"weights, 8 bits, symmetric        {scheme_db['weights', 'symmetric']:.1f} dB")
print(f"ReLU, asymmetric over symmetric   {gain_db:+.2f} dB")
print(f"SQNR gained per bit               {per_bit_db:.2f} dB")
print(
    f"4096 x 4096 matrix                {size_before / 2**20:.0f} MiB to {size_after / 2**20:.0f} MiB"
)
