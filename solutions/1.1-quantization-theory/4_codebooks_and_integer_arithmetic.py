# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown] items="1.1.C6 1.1.C12"
# # Learn a codebook, compute with integers only
#
# At the end you run a trained network from pixels to class without one floating-point operation,
# and you know when the codes should point into a learned table instead.
#
# About 90 minutes, 32 points, a CPU is enough. You need the scale and the zero-point of notebook 2.

# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine

# %% role="given" id="setup"
import math

import numpy as np

from autograder import check
from lab import plots
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile


# %% role="given" id="setup-sqnr"
def sqnr_db(x: np.ndarray, restored: np.ndarray) -> float:
    """Signal-to-quantization-noise ratio in dB: mean square of x over that of the error."""
    x = np.asarray(x, np.float64)
    noise = np.square(x - restored).mean()
    return float("inf") if noise == 0 else float(10 * np.log10(np.square(x).mean() / noise))


# %% [markdown] items="1.1.C12"
# ## Multiply some codes
#
# A layer's inputs and weights are int8 codes. The product below is one line of NumPy. The only thing
# that changes from row to row is the type in which the products are added up.

# %% id="four-accumulators"
rng = np.random.default_rng(0)
x_q = rng.integers(-128, 128, (64, 256)).astype(np.int8)
w_q = rng.integers(-127, 128, (128, 256)).astype(np.int8)
exact = x_q.astype(np.int64) @ w_q.astype(np.int64).T

print(f"{'type':>8} {'wrong sums':>12} {'SQNR':>10}")
for dtype in (np.int8, np.int16, np.int32):
    sums = x_q.astype(dtype) @ w_q.astype(dtype).T
    wrong = (sums != exact).mean()
    print(f"{np.dtype(dtype).name:>8} {wrong:>12.1%} {sqnr_db(exact, sums):>7.1f} dB")

# %% [markdown]
# No error, no warning, and with 8 or 16 bits most of the result is noise: NumPy, like the hardware,
# keeps the low bits and drops the rest. An SQNR near or below 0 dB means that the error is as large as
# the signal.
#
# Two questions follow. Which real number should a code stand for? (Part 1.) How does a network
# compute with the codes alone? (Part 2.)

# %% [markdown] items="1.1.C6"
# ## Part 1. Which numbers should the codes stand for?
#
# **Uniform.** Code $q$ stands for $s\,(q - z)$: levels evenly spaced by the scale $s$.
#
# **Non-uniform.** Code $q$ stands for $c_q$, an entry of a table, the *codebook*
# $c$ with $2^b$ real entries for $b$-bit codes. The entries may lie anywhere: close together where
# weights are many, far apart where they are few.
#
# A scale is one number for a tensor; a codebook is $2^b$.

# %% [markdown] items="1.1.C6"
# ### Where to put the entries
#
# We want the codebook with the least mean squared error $\frac1n\sum_i (x_i - c_{q_i})^2$. Two facts:
#
# - for given entries, each value does best with the *nearest* entry;
# - for given codes, each entry does best as the *mean* of its values.
#
# Lloyd's algorithm (k-means) takes turns: assign, move, assign, move. Neither step can raise the error,
# so it settles, though not always in the best place: the start matters.

# %% [markdown] items="1.1.C6"
# ### Exercise: learn the levels
#
# Popular exercises accept any numbering of the clusters. Here the codebook ascends, so that codes mean
# something: a larger code is a larger weight. Start where Deep Compression starts (Han et al. 2016,
# section 3.2): linearly spaced from the smallest value to the largest.
#
# <details><summary>Hint 1</summary>Linearly spaced centres ascend, and moving each to the mean of its
# members keeps them ascending: you never sort.</details>
# <details><summary>Hint 2</summary><code>np.abs(values[:, None] - centres).argmin(axis=1)</code> gives the
# nearest centre, the lower index on a tie.</details>
# <details><summary>Hint 3</summary>Move only centres that have members; assign once more at the end.</details>


# %% role="exercise" id="kmeans-codebook" items="1.1.C6" minutes=15
def kmeans_codebook(x: np.ndarray, bits: int, max_iter: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Cluster values in one dimension (Lloyd) into 2**bits levels.

    1. centres: 2**bits values linearly spaced from x.min() to x.max(), both included.
    2. At most max_iter rounds of: assign each value to the nearest centre (equally near: the lower
       index); move each centre to the mean of its members (no members: it stays). Stop when no
       assignment changes from one round to the next. max_iter=0 keeps the start.
    3. Assign once more, to the final centres, still float64; the codebook is rounded last.

    Args:
        x: finite floats, any shape, at least one. Compute in float64.
        bits: 1 to 8.

    Returns:
        codebook: float32 (2**bits,), ascending. codes: uint8, the shape of x.

    >>> kmeans_codebook(np.array([0.0, 1.0, 2.0, 9.0]), bits=1)
    (array([1., 9.], dtype=float32), array([0, 0, 0, 1], dtype=uint8))
    """
    ### BEGIN SOLUTION
    values = x.astype(np.float64).ravel()
    centres = np.linspace(values.min(), values.max(), 2**bits)

    def assign() -> np.ndarray:
        # A value exactly half-way belongs to the lower side.
        return np.searchsorted((centres[1:] + centres[:-1]) / 2, values, side="left")

    last = None
    for _ in range(max_iter):
        codes = assign()
        if last is not None and np.array_equal(codes, last):
            break
        members = np.bincount(codes, minlength=2**bits)
        sums = np.bincount(codes, weights=values, minlength=2**bits)
        centres = np.where(members > 0, sums / np.maximum(members, 1), centres)
        last = codes
    return centres.astype(np.float32), assign().astype(np.uint8).reshape(x.shape)
    ### END SOLUTION


# %% role="check" id="kmeans-codebook" points=5
check("kmeans-codebook", kmeans_codebook)

# %% [markdown] items="1.1.C6"
# ### A trained network to try it on
#
# Random numbers flatter nobody. The next cell trains a small network on handwritten digits (784 pixels,
# 256, 128, 10 classes). We need its weights here, and its arithmetic in Part 2.

# %% role="given" id="train-network"
import torch

from lab.data import load_mnist
from lab.profile import seed_everything

torch.set_num_threads(1)  # for a network this small, more threads wait more than they work
seed_everything(0)
digits = load_mnist()
train_x, test_x = (
    torch.from_numpy(i.reshape(len(i), -1).astype(np.float32) / 255)
    for i in (digits.train_images, digits.test_images)
)
train_y = torch.from_numpy(digits.train_labels.astype(np.int64))
test_y = digits.test_labels.astype(np.int64)
net = torch.nn.Sequential(
    torch.nn.Linear(784, 256),
    torch.nn.ReLU(),
    torch.nn.Linear(256, 128),
    torch.nn.ReLU(),
    torch.nn.Linear(128, 10),
)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for _ in range(10):
    for batch in torch.randperm(len(train_x)).split(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(train_x[batch]), train_y[batch]).backward()
        optimizer.step()
layers = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
weights = [layer.weight.detach().numpy().copy() for layer in layers]


def accuracy(model: torch.nn.Module) -> float:
    """Share of test images that the model gets right."""
    with torch.no_grad():
        return float((model(test_x).argmax(1).numpy() == test_y).mean())


print(digits)
print(f"test accuracy in float32: {accuracy(net):.2%} of {len(test_y):,} images")

# %% [markdown] items="1.1.C6"
# ### Turn the knobs
#
# 0 rounds is a uniform grid from min to max: the codebook has not moved yet. Add rounds and watch the
# centres leave the empty tails. Compare with the dashed line: evenly spaced levels from $-t$ to $t$
# with the best clipping threshold $t$, found by trying 49 of them.


# %% role="given" id="even-levels"
def even_levels(x: np.ndarray, bits: int, threshold: float) -> np.ndarray:
    """The 2**bits evenly spaced levels from -threshold to threshold."""
    return np.linspace(-threshold, threshold, 2**bits)


def nearest(x: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Each value replaced by the nearest of the ascending levels."""
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, x)]


def best_even(x: np.ndarray, bits: int) -> np.ndarray:
    """The evenly spaced levels whose threshold gives x the least squared error."""
    tries = (even_levels(x, bits, share * np.abs(x).max()) for share in np.linspace(0.04, 1, 49))
    return max(tries, key=lambda levels: sqnr_db(x, nearest(x, levels)))


# %% id="codebook-slider"
sample = np.random.default_rng(1).choice(weights[0].ravel(), 20_000, replace=False)
even_of = {bits: best_even(sample, bits) for bits in (2, 3, 4)}


def draw_codebook(bits=3, rounds=10):
    codebook, codes = kmeans_codebook(sample, bits, rounds)
    even = even_of[bits]
    mse, mse_even = (np.square(sample - r).mean() for r in (codebook[codes], nearest(sample, even)))
    fig, axes = plots.figure(height_inch=3.8)
    ax = axes[0, 0]
    counts, _, _ = ax.hist(sample, 120, color=plots.COLOURS[0], alpha=0.35)
    top = counts.max()
    ax.vlines(
        codebook, 0, top, color=plots.COLOURS[1], lw=1.8, ls="-", label=f"codebook, {rounds} rounds"
    )
    ax.vlines(
        even, 0, top * 0.45, color=plots.COLOURS[2], lw=1.8, ls="--", label="even, best threshold"
    )
    ax.set(xlabel="weight", ylabel="count", ylim=(0, 1.4 * top))
    ax.set_title(f"{bits} bits: MSE codebook {mse:.3g}, even {mse_even:.3g}", loc="left")
    ax.legend(loc="upper right")
    alt = (
        f"Histogram of 20,000 weights with {2**bits} codebook centres after {rounds} rounds and as many "
        f"evenly spaced levels. Mean squared error {mse:.3g} for the codebook and {mse_even:.3g} for the "
        "evenly spaced levels; the centres crowd where the weights are many."
    )
    return fig, alt


plots.explore(draw_codebook, bits=(2, 4, 1), rounds=(0, 60, 1))

# %% [markdown] items="1.1.C6"
# **What you should see.** At 0 rounds most centres sit in the tails, where hardly any weight is, and the
# error is several times that of the even levels. A few rounds repair 2 bits; 4 bits need dozens, because a centre moves only as far as its few members pull it. *An unconverged codebook can be worse
# than a good scale.*

# %% [markdown] items="1.1.C6"
# ### Predict: what does the freedom buy?
#
# Take 16 levels for a normal distribution. Evenly spaced levels with the best threshold against the best
# levels of all, found by k-means: how many dB does the codebook gain? (A bit is worth about 6 dB.)

# %% role="predict" id="guess-gain"
my_guess_db = ...

# %% id="gain-on-normal"
normal = np.random.default_rng(2).standard_normal(50_000)
gains_db = {}
print(
    f"{'bits':>4} {'min to max':>12} {'even, best':>12} {'codebook':>12} {'gain':>9}   (SQNR in dB)"
)
for bits in (2, 3, 4):
    grid = even_levels(normal, bits, np.abs(normal).max())
    codebook, codes = kmeans_codebook(normal, bits, 1000)
    figures = [
        sqnr_db(normal, nearest(normal, grid)),
        sqnr_db(normal, nearest(normal, best_even(normal, bits))),
        sqnr_db(normal, codebook[codes]),
    ]
    gains_db[bits] = figures[2] - figures[1]
    print(f"{bits:>4} " + " ".join(f"{f:>12.2f}" for f in figures) + f" {gains_db[bits]:>9.2f}")
reveal(my_guess_db, gains_db[4], unit="dB")

# %% [markdown] items="1.1.C6"
# These are the optimal quantizers of Max (*Quantizing for Minimum Distortion*, 1960, tables I and II): a mean
# squared error of 0.009497 (20.22 dB) for 16 free levels and 0.01154 (19.38 dB) for 16 even ones. Yours
# differ by the sample.
#
# So on normal weights, **most of the gain over "min to max" is clipping, not freedom**. Real weights have
# longer tails than the normal distribution, and there freedom is worth more.

# %% id="codebooks-on-a-network"
import copy


def with_weights(change) -> float:
    """Test accuracy after every weight matrix w is replaced by change(w)."""
    model = copy.deepcopy(net)
    for layer in model:
        if isinstance(layer, torch.nn.Linear):
            layer.weight.data = torch.from_numpy(
                change(layer.weight.detach().numpy()).astype(np.float32)
            )
    return accuracy(model)


def by_codebook(w, bits, rounds=100):
    codebook, codes = kmeans_codebook(w, bits, rounds)
    return codebook[codes]


schemes = {
    "min to max": lambda w, bits: by_codebook(w, bits, 0),
    "even, best": lambda w, bits: nearest(w, best_even(w, bits)),
    "codebook": by_codebook,
}
layer_db = {}
print(
    f"first layer {weights[0].shape}: SQNR; all layers: test accuracy (float32 {accuracy(net):.1%})"
)
for bits in (2, 3, 4):
    for name, scheme in schemes.items():
        layer_db[name, bits] = sqnr_db(weights[0], scheme(weights[0], bits))
        print(
            f"{bits} bits  {name:<11} {layer_db[name, bits]:>6.2f} dB   "
            f"{with_weights(lambda w, s=scheme, b=bits: s(w, b)):.1%}"
        )

# %% [markdown] items="1.1.C6"
# **What you should see.** On this layer the codebook gains 0.5 to 1.5 dB over the best even levels at 3 and
# 4 bits, more than on normal data and still a fraction of a bit. The accuracies hardly tell the two apart;
# with MNIST they show that "min to max" fails at 2 bits, with the smaller stand-in not even that. A small
# network on digits forgives a lot: judge a format by its error too.

# %% [markdown] items="1.1.C6"
# ### Miniature of a figure: three ways to start
#
# Deep Compression, figure 4 (left), draws three starts on the distribution of AlexNet's weights: random
# (*Forgy*: some of the weights), by density (evenly spaced in the cumulative distribution) and linear. Its
# authors choose linear: large weights are few but matter, and the other two starts leave them without a
# centre. Here are the same three on our first layer, 13 centres as in the paper.

# %% id="three-starts"
from scipy.cluster.vq import kmeans2

k = 13
ordered = np.sort(sample.astype(np.float64))
starts = {
    "random": np.sort(np.random.default_rng(3).choice(ordered, k, replace=False)),
    "density": np.quantile(ordered, (np.arange(k) + 0.5) / k),
    "linear": np.linspace(ordered[0], ordered[-1], k),
}
fig, axes = plots.figure(height_inch=3.6)
ax = axes[0, 0]
ax.plot(
    ordered,
    np.linspace(0, 1, len(ordered)),
    color=plots.INK,
    ls="-",
    label="share of weights below",
)
for row, (name, start) in enumerate(starts.items()):
    ax.plot(
        start,
        np.full(k, -0.1 * (row + 1)),
        "osD"[row],
        color=plots.COLOURS[row],
        ls="none",
        label=name,
    )
    settled, _ = kmeans2(ordered, start, iter=100, minit="matrix", missing="warn")
    settled = np.sort(settled)
    for when, levels in (("at the start", start), ("after 100 rounds", settled)):
        error = np.abs(ordered - nearest(ordered, levels)).max()
        print(
            f"{name:>8} {when:<16} SQNR {sqnr_db(ordered, nearest(ordered, levels)):6.2f} dB, "
            f"largest error {error:.4f}"
        )
ax.set(xlabel="weight", ylabel="cumulative share", yticks=np.linspace(0, 1, 6))
ax.legend(loc="center left")
plots.show(
    fig,
    alt="Cumulative distribution of the first layer's weights, an S-shaped curve. Below it 13 starting "
    "centres in three rows: random and density starts lie in the steep middle, the linear start "
    "reaches evenly into both tails.",
)

# %% [markdown] items="1.1.C6"
# **What you should see.** At the start the linear centres have by far the smallest largest error: they alone
# reach the tails. k-means gives that up for the mean, and after 100 rounds the three are within a few
# tenths of a dB: on this layer it forgets where it began. Which error a network feels is a question for a
# measurement; Deep Compression's figure 8 answers it with accuracy.

# %% [markdown] items="1.1.C6"
# ### What a codebook costs
#
# $n$ codes of $b$ bits take $n b$ bits, whichever scheme. The codebook adds $2^b$ entries *for each
# group of weights that shares one*; a uniform scheme adds one scale for the same group. Deep Compression
# (section 3) gives the ratio $r = 32n / (nb + 32 \cdot 2^b)$ for one codebook of float32 entries. For a
# tensor the table is nothing; for a small group it can weigh as much as the codes.
#
# <details><summary>Hint 1</summary>Pack first, round last: <code>math.ceil(n * bits / 8)</code>.</details>
# <details><summary>Hint 2</summary>The table: <code>n_codebooks * 2**bits * entry_bytes</code>.</details>


# %% role="exercise" id="codebook-bytes" items="1.1.C6" minutes=5
def codebook_bytes(n: int, bits: int, n_codebooks: int = 1, entry_bytes: int = 4) -> dict:
    """Bytes to store n weights as codes into codebooks, and as uniform codes.

    Args:
        n: weights, float32 before. bits: of a code.
        n_codebooks: how many groups of weights have a codebook of their own.
        entry_bytes: of one codebook entry (4 for float32, 2 for float16).

    Returns: a dict with
        codes_bytes (int): all n codes as one stream without gaps, rounded up to whole bytes once;
        codebook_bytes (int): all codebooks, 2**bits entries each;
        total_bytes (int): both;
        uniform_bytes (int): the same codes, and one float32 scale (no zero-point) in the place of each codebook;
        ratio (float): bytes of the float32 weights over total_bytes.

    >>> codebook_bytes(1000, bits=4)["codebook_bytes"]
    64
    """
    ### BEGIN SOLUTION
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return {
        "codes_bytes": codes,
        "codebook_bytes": table,
        "total_bytes": codes + table,
        "uniform_bytes": codes + 4 * n_codebooks,
        "ratio": 4 * n / (codes + table),
    }
    ### END SOLUTION


# %% role="check" id="codebook-bytes" points=2
check("codebook-bytes", codebook_bytes)

# %% [markdown] items="1.1.C6"
# ### At the size of a real layer: bytes and time
#
# The up-projection of a BERT-base block has 3072 x 768 weights. First the bytes, for codebooks shared by
# less and less. Then the time to turn codes back into weights: a table look-up against a multiplication.

# %% id="real-layer-costs"
rows, columns = 3072, 768
for label, groups in (
    ("whole tensor", 1),
    ("each row", rows),
    ("group of 64", rows * columns // 64),
):
    size = codebook_bytes(rows * columns, 4, groups, entry_bytes=2)
    print(
        f"one codebook for {label:<13} {size['total_bytes']:>9,} bytes ({size['ratio']:.2f} x smaller), "
        f"uniform {size['uniform_bytes']:>9,} bytes"
    )

rng = np.random.default_rng(4)
codes = rng.integers(0, 16, (rows, columns), dtype=np.uint8)
codebook = np.sort(rng.standard_normal(16)).astype(np.float32)
scale, zero_point = np.float32(0.1), np.float32(8)
lookup = measure(lambda: np.take(codebook, codes), repeats=20)
multiply = measure(lambda: (codes.astype(np.float32) - zero_point) * scale, repeats=20)
print(f"\nlook up  {lookup}\nmultiply {multiply}")
print(f"the look-up takes {lookup.median_ms / multiply.median_ms:.1f} times as long")

# %% [markdown] items="1.1.C6"
# **What you should see.** A table for the whole tensor is free; one for each group of 64 doubles the bytes. The look-up is slower in NumPy, by a factor of several: each code is an address,
# while the multiplication runs on whole vectors.

# %% [markdown] items="1.1.C6 1.1.C12"
# The larger cost is hidden: a sum of table entries cannot be formed from the codes.
# $\sum c_{q_i} x_i$ must be computed in floating point. With evenly spaced levels the codes *are* the
# numbers, up to one factor. That is Part 2.

# %% [markdown] items="1.1.C12"
# ## Part 2. Compute with the codes alone
#
# With $x = s_x (q_x - z_x)$ and symmetric weights $w = s_w q_w$, a dot product of $K$ terms is
#
# $$\sum_k w_k x_k = s_w s_x \underbrace{\sum_k q_{w,k}\,(q_{x,k} - z_x)}_{\text{integers only}}$$
#
# (Jacob et al. 2018, section 2.2.) The sum is called the *accumulator*. Each product of two int8 codes
# needs up to 16 bits, and $K$ of them need more.

# %% [markdown] items="1.1.C12"
# ### Predict: how long does an int16 accumulator last?
#
# Draw random int8 codes, multiply pairs and add up. After how many products does the sum *first* leave
# the range of int16 (-32768 to 32767)? Guess the median over many trials.

# %% role="predict" id="guess-products"
my_guess_products = ...

# %% id="random-overflow"
rng = np.random.default_rng(5)
pairs = rng.integers(-128, 128, (2, 2000, 4000))
running = np.cumsum(pairs[0] * pairs[1], axis=1)
outside = (running < -(2**15)) | (running > 2**15 - 1)
first = np.where(outside.any(axis=1), outside.argmax(axis=1) + 1, 4001)
del pairs, running, outside
reveal(my_guess_products, float(np.median(first)), unit="products")
print(
    f"fastest trial: {first.min()} products; 90 % of the trials are over by {np.quantile(first, 0.9):.0f}"
)

# %% [markdown] items="1.1.C12"
# ### The worst case
#
# A random sum grows like $\sqrt K$, the worst case like $K$. An engine must survive the worst case: the
# sums that overflow are the large ones, which decide the result.
#
# A signed accumulator of $B$ bits holds $-2^{B-1}$ to $2^{B-1}-1$: the two ends differ by one. The
# extreme products come from the ends of the operands' ranges, and int8's ends differ too: that is why
# many engines keep weights in $-127..127$.
#
# <details><summary>Hint 1</summary>Only the four corner products can be extreme.</details>
# <details><summary>Hint 2</summary>For a product p &gt; 0 the limit is 2**(B-1) - 1, for p &lt; 0 it is 2**(B-1):
# k = limit // abs(p) + 1.</details>


# %% role="exercise" id="accumulator-overflow" items="1.1.C12" minutes=8
def smallest_overflow(
    acc_bits: int, x_range: tuple[int, int] = (-128, 127), w_range: tuple[int, int] = (-128, 127)
) -> tuple[int, int, int]:
    """The smallest number k of products x * w whose sum can leave a signed accumulator.

    Args:
        acc_bits: 2 to 64, bits of the accumulator, two's complement: -2**(acc_bits-1) to
            2**(acc_bits-1) - 1. Exact for all of them.
        x_range, w_range: smallest and largest integer of each operand, both included.

    Returns:
        k, and x and w within their ranges such that k * x * w does not fit (any such pair).

    Raises:
        ValueError: every product is 0, so that nothing ever overflows.

    >>> smallest_overflow(16)
    (2, -128, -128)
    """
    ### BEGIN SOLUTION
    top = 2 ** (acc_bits - 1) - 1
    found = []
    for x in x_range:
        for w in w_range:
            if x * w:
                room = top if x * w > 0 else top + 1
                found.append((room // abs(x * w) + 1, x, w))
    if not found:
        raise ValueError("every product is 0: no sum of them overflows")
    return min(found)
    ### END SOLUTION


# %% role="check" id="accumulator-overflow" points=3
check("accumulator-overflow", smallest_overflow)

# %% id="how-long-it-lasts"
for bits in (16, 24, 32):
    for label, x_range, w_range in (
        ("both -128..127", (-128, 127), (-128, 127)),
        ("both -127..127", (-127, 127), (-127, 127)),
        ("x - z in -255..255, w in -127..127", (-255, 255), (-127, 127)),
    ):
        k, x, w = smallest_overflow(bits, x_range, w_range)
        print(f"int{bits}: {k:>7,} products of {x} * {w} overflow   ({label})")

# %% [markdown] items="1.1.C12"
# **What you should see.** Two products can break int16, whereas int32 lasts for more than 60,000 in every row:
# longer than any layer's input in common use, with room for a bias. That is why "int8" hardware adds in
# int32 (NVIDIA's `dp4a`, x86's VNNI, Arm's `sdot`).

# %% [markdown] items="1.1.C12"
# ### Back to eight bits: a multiplier without floats
#
# The next layer wants int8 codes with its own scale $s_y$ and zero-point $z_y$:
#
# $$q_y = z_y + M \cdot \text{acc}, \qquad M = \frac{s_w s_x}{s_y}$$
#
# $M$ is real, usually in $(0, 1)$, and known before the network runs:
# $M \approx M_0 \cdot 2^{-31} \cdot 2^{-\text{shift}}$ with an integer
# $2^{30} \le M_0 < 2^{31}$: all 31 bits of an int32 in use (Jacob et al. 2018, section 2.2, equation 6).

# %% [markdown] items="1.1.C12"
# ### Exercise: a real number as an integer and a shift
#
# <details><summary>Hint 1</summary><code>q, e = math.frexp(m)</code> gives m = q * 2**e with q in [0.5, 1).</details>
# <details><summary>Hint 2</summary>q * 2**31 is exact in float64; <code>math.floor(... + 0.5)</code> rounds it half
# up. Python's <code>round</code> rounds half to even.</details>
# <details><summary>Hint 3</summary>A q close to 1 rounds to 2**31, one too many for int32. The same number is
# 2**30 with one shift less.</details>


# %% role="exercise" id="requant-multiplier" items="1.1.C12" minutes=8
def quantize_multiplier(m: float) -> tuple[int, int]:
    """m as a fixed-point mantissa and a right shift: m is about m0 * 2**-31 * 2**-shift.

    Args:
        m: a real multiplier (float64), 2**-31 <= m < 1.

    Returns:
        m0: int with 2**30 <= m0 < 2**31, the mantissa times 2**31 rounded to nearest, half up.
        shift: int. It is -1 where m rounds up to 1: then m0 is 2**30.

    Raises:
        ValueError: m is outside [2**-31, 1), or not a number.

    >>> quantize_multiplier(0.375)
    (1610612736, 1)
    """
    ### BEGIN SOLUTION
    if not 2.0**-31 <= m < 1:
        raise ValueError(f"the multiplier must be in [2**-31, 1), not {m}")
    q, exponent = math.frexp(m)
    m0 = math.floor(q * 2**31 + 0.5)
    if m0 == 2**31:
        m0, exponent = 2**30, exponent + 1
    return m0, -exponent
    ### END SOLUTION


# %% role="check" id="requant-multiplier" points=4
check("requant-multiplier", quantize_multiplier)

# %% [markdown] items="1.1.C12"
# ### The rounding shift
#
# Now $M \cdot \text{acc}$ is an integer product and a shift: with $n = 31 + \text{shift}$,
#
# $$\text{round}(M \cdot \text{acc}) = (\text{acc} \cdot M_0 + 2^{\,n-1}) \gg n$$
#
# The product needs up to 62 bits and a sign: int64. Half a step added before the shift makes it round to nearest. The
# shift keeps the sign and goes *down*, so a half always goes up: 2.5 to 3, -2.5 to -2. Then add
# $z_y$ and clip.

# %% [markdown] items="1.1.C12"
# ### Exercise: requantize
#
# "Almost the same" is not enough here: an engine, its simulator and its tests must agree in every bit.
# The check has sums on which float32, and even float64, come out one step off.
#
# <details><summary>Hint 1</summary><code>acc.astype(np.int64) * m0</code>: widen before you multiply.</details>
# <details><summary>Hint 2</summary><code>&gt;&gt;</code> on int64 is the arithmetic shift: it rounds down for both signs.</details>
# <details><summary>Hint 3</summary>Order: product, half a step, shift, zero-point, clip, int8.</details>


# %% role="exercise" id="requantize" items="1.1.C12" minutes=10
def requantize(acc: np.ndarray, m0: int, shift: int, zero_point: int) -> np.ndarray:
    """int32 sums to int8 codes, with integers only.

    Let n = 31 + shift. Each result is ((acc * m0 + 2**(n - 1)) >> n) + zero_point, computed in int64
    (>> arithmetic: half-way goes up), clipped to -128..127. It must hold bit for bit.

    Args:
        acc: int32, any shape.
        m0, shift: as from quantize_multiplier; shift is -1 to 30.
        zero_point: of the output, -128 to 127.

    Returns:
        int8, the shape of acc.

    >>> requantize(np.array([10, -10, 6], np.int32), m0=2**30, shift=1, zero_point=0)
    array([ 3, -2,  2], dtype=int8)
    """
    ### BEGIN SOLUTION
    n = 31 + shift
    product = acc.astype(np.int64) * m0
    rounded = (product + (1 << (n - 1))) >> n
    return np.clip(rounded + zero_point, -128, 127).astype(np.int8)
    ### END SOLUTION


# %% role="check" id="requantize" points=5
check("requantize", requantize)

# %% [markdown] items="1.1.C12"
# ### Does one rounding or two matter?
#
# gemmlowp, the library of the 2018 paper, rounds twice: after the 31 places, and again after the shift,
# the second time with halves away from zero. TensorFlow Lite has both rules, chosen when it is built
# (`TFLITE_SINGLE_ROUNDING`). Count how often they differ.


# %% id="one-rounding-or-two"
def rounds_twice(acc, m0, shift, zero_point):
    high = (acc.astype(np.int64) * m0 + (1 << 30)) >> 31
    remainder, half = high & ((1 << shift) - 1), ((1 << shift) - 1) >> 1
    value = (high >> shift) + (remainder > half + (high < 0))
    return np.clip(value + zero_point, -128, 127).astype(np.int8)


rng = np.random.default_rng(6)
for m in (0.3, 0.03, 0.003):
    m0, shift = quantize_multiplier(m)
    acc = rng.integers(-100 / m, 100 / m, 200_000).astype(np.int32)
    once, twice = requantize(acc, m0, shift, 0), rounds_twice(acc, m0, shift, 0)
    step = np.abs(once.astype(int) - twice).max()
    print(f"M = {m}: {np.mean(once != twice):.2%} of the codes differ, by {step} at most")

# %% [markdown] items="1.1.C12"
# **What you should see.** The smaller the shift, the more codes differ, always by one step. Harmless for
# accuracy, fatal for a test that compares two engines bit by bit. So a format's rounding rule belongs in
# its specification.

# %% [markdown] items="1.1.C12"
# ### Exercise: a linear layer without one float
#
# Put it together. Weights have one scale *for each output channel* (notebook 3), so $M$, and with it
# $M_0$ and the shift, is a vector. The bias is int32 with scale $s_x s_w$ and zero-point 0, so it adds to the
# accumulator as it is (Jacob et al. 2018, section 2.4).
#
# <details><summary>Hint 1</summary>q_x - z_x needs 9 bits: <code>x_q.astype(np.int32) - x_zero_point</code>.</details>
# <details><summary>Hint 2</summary>acc has shape (N, O); vectors (O,) broadcast over its last axis.</details>
# <details><summary>Hint 3</summary>In NumPy int32 * int32 stays int32, and so does 1 &lt;&lt; an int32 array. Convert acc and
# shift to int64, and shift <code>np.int64(1)</code>.</details>


# %% role="exercise" id="integer-linear" items="1.1.C12" minutes=12
def integer_linear(
    x_q: np.ndarray,
    w_q: np.ndarray,
    bias: np.ndarray,
    x_zero_point: int,
    m0: np.ndarray,
    shift: np.ndarray,
    y_zero_point: int,
) -> np.ndarray:
    """A linear layer on codes, bit for bit.

    acc[i, o] = sum over k of (x_q[i, k] - x_zero_point) * w_q[o, k], plus bias[o]; it fits in int32.
    Then, as in `requantize`, with n[o] = 31 + shift[o]:
    y = ((acc * m0[o] + 2**(n[o] - 1)) >> n[o]) + y_zero_point in int64, clipped to -128..127.

    Args:
        x_q: int8 (N, K). w_q: int8 (O, K), symmetric. bias: int32 (O,).
        m0, shift: int32 (O,), one multiplier for each output channel.

    Returns:
        int8 (N, O).

    >>> one = np.array([2**30], np.int32)
    >>> x, w = np.array([[1, 2]], np.int8), np.array([[3, 4]], np.int8)
    >>> integer_linear(x, w, np.array([5], np.int32), 0, one, np.array([0], np.int32), 0)
    array([[8]], dtype=int8)
    """
    ### BEGIN SOLUTION
    x = x_q.astype(np.int32) - x_zero_point
    acc = x @ w_q.astype(np.int32).T + bias
    n = 31 + shift.astype(np.int64)
    product = acc.astype(np.int64) * m0
    rounded = (product + (np.int64(1) << (n - 1))) >> n
    return np.clip(rounded + y_zero_point, -128, 127).astype(np.int8)
    ### END SOLUTION


# %% role="check" id="integer-linear" points=5
check("integer-linear", integer_linear)

# %% [markdown] items="1.1.C12"
# ### Padding means "real zero", not "code zero"
#
# A convolution pads its border with the real value 0. The code of 0 is the zero-point $z_x$. Pad codes with
# $z_x$, or subtract $z_x$ first and pad with the integer 0: the same thing. Pad codes with 0 and the
# border of every feature map shows $-s_x z_x$: after a ReLU ($z_x = -128$) half of the whole range.
#
# <details><summary>Hint 1</summary><code>np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))</code> pads height and width.</details>
# <details><summary>Hint 2</summary><code>np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(2, 3))</code> has
# shape (N, C, OH, OW, KH, KW) at stride 1; slice it for larger strides.</details>
# <details><summary>Hint 3</summary><code>np.einsum("nchwij,ocij->nohw", windows, w)</code> in int32.</details>


# %% role="exercise" id="integer-conv" items="1.1.C12" minutes=12
def integer_conv2d(
    x_q: np.ndarray,
    w_q: np.ndarray,
    bias: np.ndarray,
    x_zero_point: int,
    stride: int = 1,
    padding: int = 0,
) -> np.ndarray:
    """The int32 accumulators of a convolution (cross-correlation, as in torch), without requantizing.

    acc[i, o, h, w] = bias[o] + sum over c, a, b of
    (x_q[i, c, h * stride + a, w * stride + b] - x_zero_point) * w_q[o, c, a, b],
    where x_q has been padded on all four sides by `padding` codes that stand for the real value 0.

    Args:
        x_q: int8 (N, C, H, W). w_q: int8 (O, C, KH, KW), symmetric. bias: int32 (O,).

    Returns:
        int32 (N, O, OH, OW) with OH = (H + 2 * padding - KH) // stride + 1, OW likewise. It fits.

    >>> x, w = np.full((1, 1, 2, 2), 5, np.int8), np.ones((1, 1, 2, 2), np.int8)
    >>> integer_conv2d(x, w, np.zeros(1, np.int32), x_zero_point=4)
    array([[[[4]]]], dtype=int32)
    """
    ### BEGIN SOLUTION
    x = x_q.astype(np.int32) - x_zero_point  # now the integer 0 is the real 0
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w_q.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    acc = np.einsum("nchwij,ocij->nohw", windows, w_q.astype(np.int32))
    return acc + bias[:, None, None]
    ### END SOLUTION


# %% role="check" id="integer-conv" points=5
check("integer-conv", integer_conv2d)

# %% [markdown] items="1.1.C12"
# ## The whole network in integers
#
# Pixels are already 8 bits: code = pixel - 128, scale 1/255, zero-point -128, without any error. Weights
# get one symmetric scale for each channel; output ranges come from 200 training images. Behind a ReLU the range
# starts at 0, so $z_y = -128$, and **the clip at -128 is the ReLU**: it costs nothing.
#
# Floats appear once, before the network runs, to find $M_0$ and the shift.


# %% id="integer-network"
def quantize_layer(layer, x_scale, low, high):
    """A float layer as integers, for inputs of scale x_scale and outputs in low..high."""
    w, b = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    w_scale = np.abs(w).max(axis=1) / 127
    y_scale = (high - low) / 255
    y_zero_point = int(np.clip(round(-128 - low / y_scale), -128, 127))
    multipliers = [quantize_multiplier(float(m)) for m in x_scale * w_scale / y_scale]
    m0, shift = np.array(multipliers).T.astype(np.int32)
    w_q = np.rint(w / w_scale[:, None]).astype(np.int8)
    bias = np.rint(b / (x_scale * w_scale)).astype(np.int32)
    return {
        "w_q": w_q,
        "bias": bias,
        "m0": m0,
        "shift": shift,
        "y_zero_point": y_zero_point,
    }, y_scale


calibration, x_scale, network = train_x[:200], 1 / 255, []
with torch.no_grad():
    for index, layer in enumerate(layers):
        out = layer(calibration)
        calibration = out.relu() if index < len(layers) - 1 else out
        low, high = min(0.0, float(calibration.min())), float(calibration.max())
        quantized, x_scale = quantize_layer(layer, x_scale, low, high)
        network.append(quantized)


def run_in_integers(pixels: np.ndarray) -> np.ndarray:
    """uint8 images (N, 28, 28) to int8 class codes (N, 10); every array on the way is integer."""
    q = (pixels.reshape(len(pixels), -1).astype(np.int16) - 128).astype(np.int8)
    zero_point = -128
    for layer in network:
        q = integer_linear(q, x_zero_point=zero_point, **layer)
        zero_point = layer["y_zero_point"]
    return q


codes = run_in_integers(digits.test_images)
guess_int = codes.argmax(axis=1)
with torch.no_grad():
    guess_float = net(test_x).argmax(1).numpy()
size_int = sum(
    p["w_q"].nbytes + p["bias"].nbytes + p["m0"].nbytes + p["shift"].nbytes for p in network
)
size_float = 4 * sum(p.numel() for p in net.parameters())
result = {
    "test accuracy, float32": f"{(guess_float == test_y).mean():.2%}",
    "test accuracy, integers only": f"{(guess_int == test_y).mean():.2%}",
    "same class from both": f"{(guess_int == guess_float).mean():.2%}",
    "parameters, float32": f"{size_float:,} bytes",
    "parameters, integers": f"{size_int:,} bytes ({size_float / size_int:.2f} x smaller)",
}
for name, value in result.items():
    print(f"{name:<30} {value}")

# %% [markdown] items="1.1.C12"
# **What you should see.** The integer network agrees with the float one on 99 % or more of the images, and the
# accuracies differ by a few tenths of a percent at most, in either direction. The size falls by nearly 4; the
# rest is int32 biases and multipliers.

# %% [markdown] items="1.1.C12"
# ### Is it faster?
#
# Integers need less energy and less memory, but speed depends on instructions that multiply many int8 pairs
# and add in int32. Measure the matrix product of a BERT-base layer on *this* machine: NumPy's int32 (no
# fast library behind it), torch's int8 product and its float product, on one CPU thread or on the GPU.

# %% id="integer-speed"
rng = np.random.default_rng(7)
x_q = rng.integers(-128, 128, (64, 768)).astype(np.int8)
w_q = rng.integers(-127, 128, (3072, 768)).astype(np.int8)
x_i, w_i = (torch.from_numpy(a).to(profile.device) for a in (x_q, w_q))
x_f, w_f = (a.to(profile.dtype) for a in (x_i, w_i))
x_32, w_32 = x_q.astype(np.int32), w_q.astype(np.int32)

same = torch.equal(torch._int_mm(x_i, w_i.T).cpu(), torch.from_numpy(x_32 @ w_32.T))
times = {
    "NumPy int32": measure(lambda: x_32 @ w_32.T, warmup=1, repeats=5),
    "torch int8 to int32": measure(lambda: torch._int_mm(x_i, w_i.T), repeats=20),
    f"torch {str(profile.dtype).removeprefix('torch.')}": measure(lambda: x_f @ w_f.T, repeats=20),
}
print(f"the two integer products agree in every element: {same}")
for name, timing in times.items():
    print(f"{name:<20} {timing}")
plots.show(
    plots.bars(
        {name: t.median_ms for name, t in times.items() if name.startswith("torch")},
        unit="ms",
        title="64 x 768 times 768 x 3072",
    ),
    alt="Median time of one matrix product of 64 x 768 by 768 x 3072, in milliseconds: "
    + ", ".join(f"{name} {t.median_ms:.3g}" for name, t in times.items())
    + ".",
)

# %% [markdown] items="1.1.C12"
# **What you should see.** NumPy's integer product is the slowest by far: the right type without the right
# instructions. On an x86 CPU with VNNI (on Arm: `sdot`) torch's int8 product is several times as fast as
# float32. Start the kernel with `ONEDNN_MAX_CPU_ISA=AVX2` in its environment, so that the library does
# without VNNI, and much of the lead is gone. Integer codes are a promise; the hardware has to keep it.

# %% [markdown] items="1.1.C6 1.1.C12"
# ### Written question: codebook or even levels?
#
# Two products use the same language model with 4-bit weights.
#
# - **A** is a download of limited size for a laptop. Weights are unpacked to float16 and multiplied in float16.
# - **B** is a microcontroller with an int8 multiply-accumulate unit and no floating-point unit.
# %% [markdown] items="1.1.C6 1.1.C12"
# Choose a codebook or evenly spaced levels for each, for one table (or scale) per tensor and for one per group of 64.
# Use figures from this notebook, and say what would change your mind. 100 to 200 words.

# %% [markdown] role="written" id="codebook-or-uniform" items="1.1.C6 1.1.C12" points=3
# **Model answer.** A: the arithmetic is float anyway, so a codebook is possible. Its gain is accuracy at equal
# size: on this notebook's first layer about a dB over the best even levels at 3 and 4 bits, less on normal data.
# One table per tensor is free in bytes. Per group of 64 at 4 bits, a float16 table takes 32 bytes, as much as
# the 32 bytes of codes: a scale of 4 bytes is better spent, since smaller groups gain more than free levels. The
# price is the look-up, here several times as long as a multiplication by the scale; it matters if unpacking, not reading
# memory, is the bottleneck.
#
# B: even levels. The unit adds products of codes; with a codebook the codes are addresses, not numbers, so each
# weight must be looked up first, in memory that the unit does not have, and its value is real: no int32
# accumulator, no M0 and shift. A codebook whose entries are int8 numbers would bring the integers back, at the cost of the
# look-up.
#
# Change of mind: a measured loss in accuracy at equal bytes (A), hardware with table look-up (B).
#
# **Rubric.** 1 point: B is even levels *because codes of a codebook cannot be multiplied and added as integers*.
# 1 point: cost of the table per tensor against per group of 64, with bytes. 1 point: gain and look-up cost with
# figures from the learner's own run, and a condition that would change the choice. Half points are possible.

# %% [markdown] items="1.1.C6 1.1.C12"
# ## Recap
#
# - A codebook puts levels where values are; k-means finds them from a linear start, and must converge.
# - Most of the gain over "min to max" is clipping. Freedom adds a part of a bit, a table, and a look-up.
# - int8 products add up in int32; two of them can break int16.
# - $M = s_x s_w / s_y$ becomes $M_0$ and a shift; product in int64, half a step, shift, zero-point, clip.
# - Padding is the zero-point. A ReLU is the clip. The rounding rule is part of the format.

# %% [markdown]
# ## Three questions without code
#
# 1. A colleague's k-means returns 16 clusters in random order, and the restored weights are identical to yours.
#    What can you do with your codes that does not work with hers?
#    <details><summary>Answer</summary>Compare and clip them: an ascending codebook keeps the order, so a larger
#    code is a larger weight, and two runs can be compared code by code.</details>
# 2. Why is the bias stored in int32 and not in int8?
#    <details><summary>Answer</summary>It is added to the accumulator, whose scale s_x * s_w is far finer than an
#    output step; in int8 its error would shift every output of the channel the same way.</details>
# 3. M comes out as 1.3 for one channel. What happened, and what now?
#    <details><summary>Answer</summary>The output step is finer than a step of the accumulator. Allow a left shift
#    (a negative one to the right), or choose a wider output range; the sums hold no finer detail.</details>

# %% [markdown] items="1.1.C6 1.1.C12"
# ## Annotated reading
#
# - **Han, Mao, Dally, *Deep Compression* (ICLR 2016)**, section 3: weight sharing, the ratio, the three starts. Look
#   for why linear wins. Figure 4 (left) in miniature: the cell `three-starts`.
# - **Max, *Quantizing for Minimum Distortion* (IRE Transactions, 1960)**: the two conditions (nearest level,
#   mean of the cell). Tables I and II in miniature: the cell `gain-on-normal`.
# - **Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*
#   (CVPR 2018)**, sections 2.2 to 2.4: multiplier, zero-point, fused layer. Figure 1.1a in miniature: the cell
#   `integer-network`.
#
# Next: `5_mixed_precision`, where 16 bits are enough to train.

# %% id="your-result"
# Your result
for name, value in (
    result
    | {
        "codebook over even levels": f"{layer_db['codebook', 4] - layer_db['even, best', 4]:+.2f} dB at 4 bits, first layer",
        "look-up over multiplication": f"{lookup.median_ms / multiply.median_ms:.1f} x the time",
        "int16 lasts (random, median)": f"{np.median(first):.0f} products",
    }
).items():
    print(f"{name:<30} {value}")
