# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown] items="1.1.C11"
# # Train with 16 bits and keep the small gradients
#
# At the end you have a dynamic loss scaler of your own that trains a real network in FP16, survives a corrupted
# batch, and keeps the same scale as PyTorch's `GradScaler`, step by step.
#
# | minutes | points | device |
# |---|---|---|
# | about 75 | 26 | CPU; with `PROFILE = "gpu"` the same cells train on CUDA |

# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine

# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab.plots import COLOURS, explore, figure, curves, show
from lab.predict import reveal
from lab.profile import use_profile

np.seterr(over="ignore", invalid="ignore")  # overflow is today's subject: no warning for each
profile = use_profile(PROFILE)
profile

# %% [markdown]
# ## A measurement first
#
# Add 1.0 to a float16 number, ten thousand times. float16 reaches 65,504, so there is room. What comes out?

# %%
total = np.float16(0)
for _ in range(10_000):
    total = total + np.float16(1)
print(f"10,000 additions of 1.0 in float16 give {total:,.0f}")

# %% [markdown] items="1.1.C11"
# ## What 16 bits leave out
#
# From 2048 on, float16 counts in steps of 2: 2048 + 1 lies exactly between two neighbours and rounds back to the even one.
# The sum is stuck, without any error or overflow.

# %% [markdown] items="1.1.C11"
# So float16 loses numbers in three ways: **too small beside a partner** (above), **too small on their own** (at $2^{-25}$ and below they
# become 0) and **too large** (65520 and more become infinite). Training in 16 bits meets all three. Each has its own remedy.

# %%
import torch

print(f"{'format':<10}{'largest':>12}{'smallest normal':>18}{'smallest':>12}{'spacing at 1':>14}")
for dtype in (torch.float32, torch.float16, torch.bfloat16):
    info = torch.finfo(dtype)
    name = str(dtype).removeprefix("torch.")
    smallest = info.smallest_normal * info.eps
    print(
        f"{name:<10}{info.max:>12.4g}{info.smallest_normal:>18.4g}{smallest:>12.4g}{info.eps:>14.4g}"
    )

# %% [markdown] items="1.1.C11"
# **FP16** spends its bits on precision: 11 significant bits, but only 5 for the exponent. **BF16** has FP32's 8 exponent bits and so
# FP32's range, with 8 significant bits. Its neighbours of 1.0 are eight times further apart.
#
# In short: FP16 is short of *range*, BF16 of *precision*. Loss scaling repairs the first. Nothing repairs the second, but
# FP32 master weights and FP32 accumulators keep it from adding up.

# %% [markdown]
# ## A real network, and its gradients
#
# The cell below defines a small classifier and one training loop that serves for the whole notebook.

# %% [markdown]
# The loss is averaged over a **global batch** of $2^{23}$ (about 8 million) examples, as in the pre-training of large language models
# (Dubey et al. 2024, "The Llama 3 Herd of Models", section 3.4.1, trains with 4 to 16 million tokens in a batch). We run one micro-batch of 128 of
# them; so each gradient is divided by $2^{16}$ more, and the learning rate is larger by the same power of two. In FP32 this
# changes nothing at all. Watch what it does in FP16.

# %% role="given" id="network"
import time

from lab.data import load_mnist
from torch import nn

torch.set_num_threads(1)  # matrices this small are faster on one thread than on several
STEPS, BATCH, SHARE = 120, 128, 2**16  # the global batch is SHARE micro-batches of BATCH
data = load_mnist()


def _tensors(images, labels):
    x = torch.tensor(images.reshape(len(images), -1) / 255, dtype=torch.float32)
    return x.to(profile.device), torch.tensor(labels.astype(np.int64)).to(profile.device)


train_x, train_y = _tensors(data.train_images, data.train_labels)
test_x, test_y = _tensors(data.test_images, data.test_labels)


def make_net():
    torch.manual_seed(0)
    layers = nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    return nn.Sequential(*layers).to(profile.device)


def step_with(scaler, loss, net, optimizer):
    """One update. scaler: torch.amp.GradScaler, or anything with scale_loss, unscale and update."""
    optimizer.zero_grad()
    if isinstance(scaler, torch.amp.GradScaler):
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return scaler.get_scale()
    scaler.scale_loss(loss).backward()
    parameters = list(net.parameters())
    grads, found_inf = scaler.unscale([p.grad.cpu().numpy() for p in parameters])
    if not found_inf:
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad.copy_(torch.from_numpy(grad))
        optimizer.step()
    scaler.update(found_inf)
    return float(scaler.scale)


class FixedScale:
    """A static loss scale that looks at nothing."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def scale_loss(self, loss):
        return loss * self.scale

    def unscale(self, grads):
        return [grad / np.float32(self.scale) for grad in grads], False

    def update(self, found_inf):
        pass


def train(dtype=torch.float32, scaler=None, corrupt_at=None, steps=STEPS):
    """Train from the same start on the same batches.

    dtype: of the matrix products (torch.autocast); the weights are float32. corrupt_at: the step
    whose batch holds one broken pixel of 1e5. Returns losses and scales by step, the accuracy on
    the test images in percent, and the network.
    """
    net, scaler = make_net(), scaler or FixedScale()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1 * SHARE, momentum=0.9)
    order = torch.Generator().manual_seed(1)
    losses, scales = [], []
    for step in range(steps):
        pick = torch.randint(len(train_x), (BATCH,), generator=order).to(profile.device)
        x = train_x[pick]
        if step == corrupt_at:
            x[0, 300] = 1e5
        narrow = dtype != torch.float32
        with torch.autocast(profile.device, dtype=dtype if narrow else None, enabled=narrow):
            logits = net(x)
        loss = nn.functional.cross_entropy(logits.float(), train_y[pick])
        scales.append(step_with(scaler, loss / SHARE, net, optimizer))
        losses.append(loss.item())
    with torch.no_grad():
        hits = (net(test_x).argmax(1) == test_y).float().mean().item()
    return {"losses": losses, "scales": scales, "accuracy_percent": 100 * hits, "net": net}


data

# %% role="given" id="gradients"
fp32 = train(steps=30)
net, captured = fp32["net"], []
hidden = train_x[:BATCH]
for layer in net:
    hidden = layer(hidden)
    hidden.retain_grad()
    captured.append(hidden)
net.zero_grad()
(nn.functional.cross_entropy(hidden, train_y[:BATCH]) / SHARE).backward()
# Of activations and of weights, in float32: what an FP16 run would have to carry.
gradients = np.concatenate(
    [t.grad.cpu().numpy().ravel() for t in captured]
    + [p.grad.cpu().numpy().ravel() for p in net.parameters()]
)
magnitudes = np.abs(gradients[gradients != 0])
low, high = np.log2(np.percentile(magnitudes, [1, 99]))
print(f"{gradients.size:,} gradients after 30 steps, {magnitudes.size:,} of them nonzero")
print(f"98 % of the nonzero ones lie between 2^{low:.0f} and 2^{high:.0f}")

# %% [markdown] items="1.1.C11"
# ## Loss scaling: move the gradients into range
#
# Multiply the loss by $S$ before the backward pass. By the chain rule every gradient, of every activation and weight, is $S$ times larger.
# Divide by $S$ in FP32 before the update, and the update is the same (Micikevicius et al. 2018, "Mixed Precision Training", section 3.2).
#
# $S$ is a power of two: it changes exponents only, so that scaling itself rounds nothing.

# %% [markdown]
# **Predict.** Which is the smallest exponent $k$ for which the scale $2^k$ leaves less than 1 % of these nonzero gradients
# vanish in float16? The range printed above and the table of formats tell you enough.

# %% role="predict" id="guess-exponent"
my_guess_exponent = ...

# %%
lost = [np.mean((magnitudes * np.float32(2**k)).astype(np.float16) == 0) for k in range(40)]
measured_exponent = int(np.argmax(np.array(lost) < 0.01))
reveal(my_guess_exponent, measured_exponent)
print(
    f"without scaling {lost[0]:.0%} vanish, at 2^{measured_exponent} {lost[measured_exponent]:.2%}"
)

# %% [markdown]
# **What you should see.** Without scaling more than half vanish. Each step of the exponent shifts the whole histogram by one
# to the right. Turn the knob: there is a wide valley between vanishing and overflowing. This is Figure 3 of
# Micikevicius et al. 2018 in miniature.


# %%
def draw(log2_scale=0):
    exponents = np.log2(magnitudes) + log2_scale
    edges = np.arange(-56, 40)
    bands = (
        ("zero", -56, -25, COLOURS[1], "//"),
        ("subnormal", -25, -14, COLOURS[4], ".."),
        ("normal", -14, np.log2(65520), COLOURS[0], ""),
        ("infinite", np.log2(65520), 39, COLOURS[3], "xx"),
    )
    fig, axes = figure()
    ax = axes[0, 0]
    shares = {}
    for name, start, stop, colour, hatch in bands:
        ax.axvspan(start, stop, facecolor=(colour, 0.18), hatch=hatch, edgecolor=(colour, 0.25))
        # The outer bands go on beyond the picture.
        above = exponents > start if name != "zero" else True
        below = exponents <= stop if name != "infinite" else True
        shares[name] = np.mean(above & below)
        ax.text(
            (start + stop) / 2,
            0.97,
            f"{name}\n{shares[name]:.1%}",
            ha="center",
            va="top",
            fontsize=9,
            transform=ax.get_xaxis_transform(),
        )
    ax.hist(
        np.clip(exponents, -55.5, 38.5), edges, color=COLOURS[0], edgecolor="white", linewidth=0.3
    )
    ax.set(xlim=(-56, 39), xlabel="log2 of the scaled magnitude", ylabel="gradients")
    ax.set_ylim(0, ax.get_ylim()[1] * 1.35)
    ax.set_title(f"loss scale 2^{log2_scale}", loc="left")
    alt = ", ".join(f"{share:.1%} {name}" for name, share in shares.items())
    return (
        fig,
        f"Histogram of gradient magnitudes at loss scale 2^{log2_scale} over float16's bands: {alt}.",
    )


explore(draw, log2_scale=(0, 48, 1))

# %% [markdown] items="1.1.C11"
# ## Exercise 1: what is lost
#
# The cast rounds to nearest, ties to even. So the borders are not the smallest and the largest float16, but the points halfway to
# the next step: $2^{-25}$ and 65520.


# %% role="exercise" id="underflow-fraction" items="1.1.C11" minutes=8
def lost_in_fp16(gradients: np.ndarray, loss_scale: float) -> tuple[float, float]:
    """The shares of gradients that vanish and that overflow in float16 after loss scaling.

    Args:
        gradients: float32, any shape, finite. Zeros may be among them.
        loss_scale: a positive number; each gradient is multiplied by it, then cast to float16.

    Returns:
        underflow: of the nonzero gradients, the share (0 to 1) that is zero in float16.
            A float16 subnormal is not zero.
        overflow: of the nonzero gradients, the share that is infinite in float16.
        Both are 0.0 where there is no nonzero gradient.

    >>> lost_in_fp16(np.array([0.0, 1e-9, 1e-3, -100.0], np.float32), 1024.0)
    (0.0, 0.3333333333333333)
    """
    ### BEGIN SOLUTION
    nonzero = gradients[gradients != 0]
    if nonzero.size == 0:
        return 0.0, 0.0
    half = (nonzero * np.float32(loss_scale)).astype(np.float16)
    return float(np.mean(half == 0)), float(np.mean(np.isinf(half)))
    ### END SOLUTION


# %% role="check" id="underflow-fraction" points=3
check("underflow-fraction", lost_in_fp16)

# %% [markdown]
# <details><summary>Hint 1</summary>Let the cast do the work: multiply in float32, then <code>.astype(np.float16)</code>.</details>
# <details><summary>Hint 2</summary>Keep only the nonzero gradients first. Then both shares are a mean of a boolean array.</details>

# %% [markdown] items="1.1.C11"
# ## Exercise 2: the best static scale
#
# The larger the scale, the fewer gradients vanish, until the largest one overflows. One infinity spoils the whole step, because the next
# matrix product spreads it (and inf - inf is NaN). So the best scale is the largest that overflows nothing.
#
# Apex caps the scale at $2^{24}$ by default (`max_loss_scale`); so do we.


# %% role="exercise" id="best-loss-scale" items="1.1.C11" minutes=8
def best_loss_scale(gradients: np.ndarray, max_exponent: int = 24) -> float:
    """The largest power of two by which no gradient overflows float16.

    A product overflows when its exact magnitude is 65520 or more: it rounds to infinity.

    Args:
        gradients: float32, any shape.
        max_exponent: the result is at most 2.0 ** max_exponent.

    Returns:
        2.0 ** k with k an integer, negative where even the plain gradients overflow.
        2.0 ** max_exponent where all gradients are zero, or there are none.

    Raises:
        ValueError: a gradient is infinite or NaN.

    >>> best_loss_scale(np.array([0.5, -3.0], np.float32))
    16384.0
    """
    ### BEGIN SOLUTION
    if not np.isfinite(gradients).all():
        raise ValueError("a gradient is not finite: no scale helps")
    amax = float(np.max(np.abs(gradients), initial=0.0))
    k = max_exponent
    while amax * 2.0**k >= 65520:
        k -= 1
    return 2.0**k
    ### END SOLUTION


# %% role="check" id="best-loss-scale" points=3
check("best-loss-scale", best_loss_scale)

# %% [markdown]
# <details><summary>Hint 1</summary>Only the largest magnitude matters.</details>
# <details><summary>Hint 2</summary>A logarithm may be off by one right at the border. Trying the exponents from the top down is exact, because
# a power of two times a number rounds nothing in float64.</details>

# %%
scale = best_loss_scale(gradients)
under, over = lost_in_fp16(gradients, scale)
print(f"best scale within the cap: 2^{np.log2(scale):.0f}; {under:.3%} vanish, {over:.3%} overflow")

# %% [markdown] items="1.1.C11 1.1.K6"
# ## Dynamic loss scaling: let overflows find the scale
#
# Gradients change size during training, so a scale chosen once grows old. The dynamic rule needs no histogram:
#
# - an overflow was found: **skip** this update, multiply the scale by `backoff_factor` (0.5);
# - `growth_interval` good steps in a row (2000): multiply it by `growth_factor` (2).
#
# Skipping on overflow is in Micikevicius et al. 2018, section 3.2; the numbers are the defaults of `torch.amp.GradScaler`.


# %% role="exercise" id="loss-scaler" items="1.1.K6" minutes=20
class DynamicLossScaler:
    """A loss scale that adapts, with the rules of torch.amp.GradScaler.

    Attributes:
        scale: the present loss scale, a float.

    >>> scaler = DynamicLossScaler(init_scale=8.0, growth_interval=2)
    >>> grads, found_inf = scaler.unscale([np.array([4.0, np.inf], np.float16)])
    >>> found_inf
    True
    >>> scaler.update(found_inf); scaler.scale
    4.0
    """

    def __init__(
        self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
    ):
        ### BEGIN SOLUTION
        self.scale = float(init_scale)
        self.growth_factor = growth_factor
        self.backoff_factor = backoff_factor
        self.growth_interval = growth_interval
        self.good_steps = 0
        ### END SOLUTION

    def scale_loss(self, loss):
        """loss times the present scale. loss: a float, or a torch tensor (which stays one)."""
        ### BEGIN SOLUTION
        return loss * self.scale
        ### END SOLUTION

    def unscale(self, grads: list[np.ndarray]) -> tuple[list[np.ndarray], bool]:
        """Divide by the scale, in float32, and look for overflow. Changes neither scale nor grads.

        grads: arrays of any shape, float16 or float32, scaled.
        Returns: a list of new float32 arrays of the same shapes (their values do not matter where
        found_inf is True), and found_inf: True if any value of any array is infinite or NaN.
        """
        ### BEGIN SOLUTION
        found_inf = not all(np.isfinite(grad).all() for grad in grads)
        return [grad.astype(np.float32) / np.float32(self.scale) for grad in grads], found_inf
        ### END SOLUTION

    def update(self, found_inf: bool) -> None:
        """Adapt the scale after a step. Call it once a step, with what unscale found.

        found_inf: back off, and the count of good steps starts again at 0. Otherwise one more good
        step; at growth_interval of them grow, and the count starts again at 0. There is no lower
        limit. A growth beyond float32's largest value leaves the scale as it is.
        """
        ### BEGIN SOLUTION
        if found_inf:
            self.scale *= self.backoff_factor
            self.good_steps = 0
            return
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.good_steps = 0
            grown = self.scale * self.growth_factor
            if grown <= np.finfo(np.float32).max:
                self.scale = grown
        ### END SOLUTION


# %% role="check" id="loss-scaler" points=6
check("loss-scaler", DynamicLossScaler)

# %% [markdown]
# <details><summary>Hint 1</summary>Two numbers change over time: the scale, and how many good steps in a row there were.</details>
# <details><summary>Hint 2</summary>In NumPy a float16 array divided by a Python float stays float16. Cast before you divide.</details>
# <details><summary>Hint 3</summary><code>np.isfinite</code> is False for infinities and for NaN. Ask for every value, not for the sum:
# finite values can add up to infinity.</details>

# %% [markdown] items="1.1.C11 1.1.K6"
# ## Master weights: keep the updates that are too small
#
# A step `lr * gradient` is often thousands of times smaller than its weight. Where it is under half the spacing of float16 at the weight, `w - step`
# gives `w`: the opening measurement again.
#
# So the optimizer keeps an FP32 **master** of each weight, adds the steps there, and hands the model a copy rounded to float16
# (Micikevicius et al. 2018, section 3.1).


# %% role="exercise" id="master-weights" items="1.1.C11 1.1.K6" minutes=10
def master_step(
    master: np.ndarray, gradient: np.ndarray, lr: float, loss_scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """One step of gradient descent on float32 master weights.

    new_master = master - lr * gradient / loss_scale, every operation in float32 (or wider).

    Args:
        master: float32, any shape; not changed.
        gradient: float16, the same shape: the gradient of the loss times loss_scale.
        lr, loss_scale: positive numbers.

    Returns:
        new_master: float32. Where any value of `gradient` is infinite or NaN the whole step is
            skipped: a copy of `master`.
        weights: float16, new_master rounded to nearest even, for the next forward pass.

    >>> master, weights = master_step(np.float32([1.0]), np.float16([2.0]), 0.0001, 2.0)
    >>> float(master[0]), float(weights[0])
    (0.9998999834060669, 1.0)
    """
    ### BEGIN SOLUTION
    new_master = master.copy()
    if np.isfinite(gradient).all():
        new_master -= np.float32(lr) * (gradient.astype(np.float32) / np.float32(loss_scale))
    return new_master, new_master.astype(np.float16)
    ### END SOLUTION


# %% role="check" id="master-weights" points=4
check("master-weights", master_step)

# %% [markdown]
# <details><summary>Hint 1</summary>Turn the gradient into float32 in the first line, before anything is divided or multiplied.</details>
# <details><summary>Hint 2</summary>Look at the whole gradient before the step: one infinity and nothing moves.</details>
#
# Now both ways on a linear regression whose true weights are known. Both compute the gradient from float16 weights; only the place
# of the update differs.

# %%
rng = np.random.default_rng(0)
inputs = rng.normal(size=(256, 16)).astype(np.float32)
true_weights = rng.normal(size=16).astype(np.float32)
targets = inputs @ true_weights


def regression(keep_master, steps=1500, lr=2e-3):
    master, weights, losses = np.zeros(16, np.float32), np.zeros(16, np.float16), []
    for _ in range(steps):
        error = inputs @ weights.astype(np.float32) - targets
        losses.append(float(np.mean(error**2)))
        gradient = (2 * inputs.T @ error / len(inputs)).astype(np.float16)
        if keep_master:
            master, weights = master_step(master, gradient, lr, 1.0)
        else:
            weights = weights - np.float16(lr) * gradient
    return losses


with_master, without = regression(True), regression(False)
every = np.arange(0, 1500, 50)
show(
    curves(
        every,
        {
            "FP32 master weights": np.array(with_master)[every],
            "updated in FP16": np.array(without)[every],
        },
        xlabel="step",
        ylabel="mean squared error",
        logy=True,
    ),
    alt="Error of a linear regression by step on a logarithmic axis. Updated in FP16 it flattens out early, with FP32 "
    f"master weights it goes on falling: {without[-1]:.2g} against {with_master[-1]:.2g} at the end.",
)
print(f"last error: master weights {with_master[-1]:.3g}, FP16 updates {without[-1]:.3g}")

# %% [markdown]
# **What you should see.** Both fall together at first. Then the FP16 run stops dead, at an error a hundred times larger or more: its steps have become
# smaller than half a spacing. The other run goes on, until one day its float16 *copy* of the weights is the limit.

# %% [markdown] items="1.1.C11"
# ## Accumulate in FP32
#
# A matrix product adds $K$ products. Each product of two float16 is **exact** in float32: 11 + 11 significant bits fit in 24. So tensor
# cores multiply FP16 and add in FP32 (Micikevicius et al. 2018, section 3.3).

# %% [markdown] items="1.1.C11"
# A narrow accumulator loses bits as its sum grows. Where hardware has only a narrow one, software adds in **blocks**: a few products in the narrow
# type, the block sums in FP32 (DeepSeek-AI 2024, "DeepSeek-V3", section 3.3.2, does so for FP8, every 128 products).


# %% role="exercise" id="fp32-accumulate" items="1.1.C11" minutes=15
def matmul(
    a: np.ndarray, b: np.ndarray, accumulate: type = np.float32, block: int | None = None
) -> np.ndarray:
    """A matrix product of float16 with a chosen accumulator, defined bit for bit.

    For each output element, with k = 0, 1, 2, ... one after another:
      - product: a[i, k] * b[k, j] with both factors cast to `accumulate`, rounded to `accumulate`
        (no rounding happens in float32: the product is exact there);
      - partial = partial + product, rounded to `accumulate`; partial starts at 0;
      - after every `block` products, and after the last one: total = total + partial in float32,
        and partial starts again at 0. total is float32 and starts at 0.

    Args:
        a: (m, K) float16. b: (K, n) float16. Neither is empty.
        accumulate: np.float16 or np.float32.
        block: products in a block, 1 or more; the last block may be shorter. None: one block.

    Returns:
        total: (m, n) float32.

    >>> ones = np.ones((1, 3000), np.float16)
    >>> [matmul(ones, ones.T, np.float16, block).item() for block in (None, 128)]
    [2048.0, 3000.0]
    """
    ### BEGIN SOLUTION
    a, b = a.astype(accumulate), b.astype(accumulate)
    depth = a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for start in range(0, depth, block or depth):
        partial = np.zeros(total.shape, accumulate)
        for k in range(start, min(start + (block or depth), depth)):
            partial = partial + a[:, k, None] * b[None, k, :]
        total = total + partial.astype(np.float32)
    return total
    ### END SOLUTION


# %% role="check" id="fp32-accumulate" points=4
check("fp32-accumulate", matmul)

# %% [markdown]
# <details><summary>Hint 1</summary>Loop over k, not over i and j: <code>a[:, k, None] * b[None, k, :]</code> is the (m, n) array of all products of one k.</details>
# <details><summary>Hint 2</summary>Arrays of float16 stay float16 under + and *, and NumPy rounds each result once. That is all the rounding you need.</details>
# <details><summary>Hint 3</summary><code>range(0, K, block)</code> gives the starts of the blocks; the last block ends at K.</details>
#
# Now with the depth of a real layer: 4,096 products for each output, the inputs positive as they are after a ReLU.

# %%
a = np.abs(rng.normal(size=(8, 4096))).astype(np.float16)
b = (rng.normal(size=(4096, 8)) * 0.02 + 0.01).astype(np.float16)
exact = a.astype(np.float64) @ b.astype(np.float64)
print("accumulator             mean relative error")
for name, options in {
    "float16": {"accumulate": np.float16},
    "float16, blocks of 128": {"accumulate": np.float16, "block": 128},
    "float16, blocks of 16": {"accumulate": np.float16, "block": 16},
    "float32": {"accumulate": np.float32},
}.items():
    error = np.mean(np.abs(matmul(a, b, **options) - exact) / np.abs(exact))
    print(f"{name:<24}{error:.1e}")

# %% [markdown]
# **What you should see.** The float16 accumulator is off by a percent or so. Blocks of 128 win back almost two digits, smaller blocks more. The
# float32 accumulator is still more than ten times better than the best of them, although the inputs are the same float16 numbers.

# %% [markdown] items="1.1.C11"
# ## Levels of automatic mixed precision
#
# NVIDIA's Apex named four ways to combine these parts (its documentation, `apex.amp`, "opt_levels"):
#
# - **O0**: FP32 throughout.
# - **O1**: weights stay FP32. Matrix products and convolutions cast their inputs to FP16; softmax, norms and losses to FP32.
# - **O2**: the model is cast to FP16 except batch-norm; the optimizer keeps FP32 masters. No function is patched.
# - **O3**: FP16 throughout, no masters, no loss scaling: a limit of speed to compare with.


# %% role="exercise" id="amp-levels" items="1.1.C11" minutes=7
def amp_level(level: str) -> dict:
    """What an Apex level keeps in which precision, by its defaults.

    Args:
        level: "O0", "O1" or "O2".

    Returns:
        a dict with these keys:
        weights: "float16" or "float32", of the linear layers as the model stores them.
        master_weights: True if the optimizer keeps a second, float32 copy of them, else False.
        linear: "float16" or "float32", the type in which a linear layer multiplies.
        softmax: the type in which F.softmax works on the output of a linear layer.
        batchnorm: the type of batch-norm's weights and statistics.
        loss_scale: None (the scale is 1), "static" or "dynamic".
        weight_bytes: bytes stored for one weight of a linear layer, master copy included. Casts
            that live for one step do not count.

    Raises:
        ValueError: any other level. (O3 may be refused or answered; it is not tried.)

    >>> amp_level("O0")["weights"], amp_level("O0")["weight_bytes"]
    ('float32', 4)
    """
    ### BEGIN SOLUTION
    keys = (
        "weights",
        "master_weights",
        "linear",
        "softmax",
        "batchnorm",
        "loss_scale",
        "weight_bytes",
    )
    half, single = "float16", "float32"
    rows = {
        "O0": (single, False, single, single, single, None, 4),
        "O1": (single, False, half, single, single, "dynamic", 4),
        "O2": (half, True, half, half, single, "dynamic", 6),
    }
    if level not in rows:
        raise ValueError(f"{level!r} is no level: choose O0, O1 or O2")
    return dict(zip(keys, rows[level], strict=True))
    ### END SOLUTION


# %% role="check" id="amp-levels" points=3
check("amp-levels", amp_level)

# %% [markdown]
# <details><summary>Hint 1</summary>Ask of each level: is the model cast? Are functions patched? Everything else follows.</details>
# <details><summary>Hint 2</summary>Where no function is patched, a function works in the type of the tensor that it gets.</details>
#
# Apex's amp is deprecated. `torch.autocast` carries on what O1 did: it decides function by function. Its lists differ between CPU and CUDA,
# so let us ask it.

# %%
layer, x = nn.Linear(8, 8).to(profile.device), torch.randn(4, 8, device=profile.device)
with torch.autocast(profile.device, dtype=torch.float16):
    out = layer(x)
    table = {
        "weight": layer.weight,
        "linear": out,
        "softmax of it": torch.softmax(out, -1),
        "layer_norm of it": nn.functional.layer_norm(out, (8,)),
        "sum of it": out.sum(),
        "mse_loss of it": nn.functional.mse_loss(out, torch.zeros_like(out)),
    }
print(f"torch.autocast on {profile.device}, float16")
for name, tensor in table.items():
    print(f"  {name:<18}{str(tensor.dtype).removeprefix('torch.')}")

# %% [markdown] items="1.1.C11 1.1.K6"
# ## The whole thing, trained
#
# Seven runs of the network above, from the same start on the same batches. In FP16 the matrix products and the gradients between layers are really rounded
# to float16 by `torch.autocast`. Three runs meet a batch with one broken pixel of 100,000, which is infinite in float16.
#
# Both dynamic scalers start far too high, at $2^{40}$, so that their first steps overflow as well. One is yours.

# %%
BAD_STEP, RULE = 70, {"init_scale": 2.0**40, "growth_interval": 20}
plans = {
    "FP32": {},
    "BF16, no scaling": {"dtype": torch.bfloat16},
    "FP16, no scaling": {"dtype": torch.float16},
    "FP16, static 2^16": {"dtype": torch.float16, "scaler": FixedScale(2.0**16)},
    "FP16, static, broken pixel": {
        "dtype": torch.float16,
        "scaler": FixedScale(2.0**16),
        "corrupt_at": BAD_STEP,
    },
    "FP16, yours, broken pixel": {
        "dtype": torch.float16,
        "scaler": DynamicLossScaler(**RULE),
        "corrupt_at": BAD_STEP,
    },
    "FP16, GradScaler, broken pixel": {
        "dtype": torch.float16,
        "scaler": torch.amp.GradScaler(profile.device, **RULE),
        "corrupt_at": BAD_STEP,
    },
}
runs = {}
print(f"{'run':<32}{'last loss':>10}{'accuracy':>10}{'seconds':>9}")
for name, plan in plans.items():
    start = time.perf_counter()
    run = runs[name] = train(**plan)
    run["last_loss"] = float(np.mean(run["losses"][-10:]))
    seconds = time.perf_counter() - start
    print(f"{name:<32}{run['last_loss']:>10.3f}{run['accuracy_percent']:>9.1f}%{seconds:>9.1f}")

# %%
yours, torchs = (
    np.log2(runs[f"FP16, {who}, broken pixel"]["scales"]) for who in ("yours", "GradScaler")
)
fig, axes = figure(rows=2, height_inch=2.7)
names = ("FP32", "FP16, no scaling", "FP16, static 2^16", "FP16, yours, broken pixel")
for name, style, colour in zip(names, ("-", "--", "-.", ":"), COLOURS[:4], strict=True):
    smooth = np.convolve(runs[name]["losses"], np.ones(5) / 5, "valid")
    axes[0, 0].plot(smooth, linestyle=style, color=colour, linewidth=1.8, label=name)
axes[0, 0].set(ylabel="loss (mean of 5 steps)", yscale="log")
axes[0, 0].legend(loc="lower left", fontsize=9)
axes[1, 0].step(
    range(STEPS), yours, where="post", color=COLOURS[3], linewidth=3, alpha=0.5, label="yours"
)
axes[1, 0].step(
    range(STEPS), torchs, where="post", color=COLOURS[0], linestyle="--", label="GradScaler"
)
axes[1, 0].axvline(BAD_STEP, color="#222222", linestyle=":", label="broken pixel")
axes[1, 0].set(xlabel="step", ylabel="log2 of the scale")
axes[1, 0].legend(fontsize=9)
same = int(np.sum(yours == torchs))
show(
    fig,
    alt="Above, the loss by step: FP32, static and dynamic FP16 fall together, FP16 without scaling does not learn. Below, both "
    f"dynamic scales, equal in {same} of {STEPS} steps: halved at each overflow and at the broken pixel, doubled after 20 good steps.",
)
print(f"your scale equals GradScaler's after {same} of {STEPS} steps")

# %% [markdown]
# **What you should see.** FP16 without scaling stays at the accuracy of guessing (about 10 %): nearly all its gradients are zero. With a static scale it matches
# FP32. The broken pixel turns the static run into NaN for good; the dynamic ones lose one update, halve the scale and go on. BF16 needs no
# scale at all, and ends a little off FP32.
#
# Your scale and `GradScaler`'s agree in all 120 steps, if rounding in the two backward passes is the same on your machine.

# %% [markdown] items="1.1.C11"
# ## Is it faster?
#
# Only where the hardware has units for the format. Measure one product of square matrices on this machine. Tensor cores are many times
# faster in 16 bits than in FP32; a CPU without such units has to convert back and forth.

# %%
from lab.timing import measure

side = 512 if profile.device == "cpu" else 8192
print(f"{side} x {side} matrices, threads on the CPU: {torch.get_num_threads()}")
for dtype in (torch.float32, torch.bfloat16, torch.float16):
    left = torch.randn(side, side, device=profile.device).to(dtype)
    right = torch.randn(side, side, device=profile.device).to(dtype)
    timing = measure(lambda left=left, right=right: left @ right, warmup=1, repeats=5)
    print(f"{str(dtype).removeprefix('torch.'):<9} {timing}")

# %% [markdown]
# ## Question (written, 3 points)
#
# A team trained a language model on A100 GPUs in BF16, without loss scaling. You want to fine-tune that checkpoint on V100 GPUs, whose tensor cores
# take FP16 and not BF16. What can go wrong in the forward pass, what in the backward pass, and what do you set up against each? Would BF16 have
# spared you the FP32 master weights? Give numbers of the formats. About 150 words.

# %% [markdown] role="written" id="fp16-or-bf16" points=3 items="1.1.C11"
# **Model answer.** Forward: BF16 has FP32's exponent, up to about 3.4e38; FP16 ends at 65,504. Activations that were harmless in BF16 may be
# infinite in FP16, and loss scaling does not help, because it touches gradients only. So I would look at the largest activations first, and keep the layers
# concerned in FP32 (or rescale them); softmax, norms and the loss in FP32, as autocast does.
#
# Backward: gradients below $2^{-25}$ become zero in FP16, while BF16 goes down to about 1e-38 (normal). So dynamic loss scaling: scale the loss,
# unscale in FP32, skip the step and halve the scale on inf or NaN, grow after many good steps.
#
# Master weights: no. BF16 has 8 significant bits, spacing $2^{-7}$ at 1.0 against FP16's $2^{-10}$: an update under $2^{-9}$ to $2^{-8}$ of the weight is lost, so BF16
# needs FP32 masters more, not less. FP32 accumulation is needed with both.
#
# **Rubric.** 1 point: overflow of activations, 65,504 against 3e38, and a remedy that is not loss scaling. 1 point: underflow of gradients and dynamic loss scaling with the
# skipped step. 1 point: master weights are needed with BF16 too, from its 8 significant bits (spacing $2^{-7}$ at 1).

# %% [markdown]
# ## Recap
#
# - FP16 is short of range, BF16 of precision.
# - Loss scaling moves gradients into FP16's range; the update is unchanged.
# - Dynamic: overflow means skip and halve; many good steps mean double.
# - FP32 masters keep small updates, FP32 accumulators keep small summands.
# - O1 casts at functions, O2 casts the model.
#
# ## Three questions without code
#
# <details><summary>1. Why does a scaled loss leave the learning rate as it is?</summary>The gradients are divided by the same scale in FP32
# before the update. The scale exists only between the loss and the optimizer.</details>
# <details><summary>2. Gradient clipping to a norm of 1: before or after unscaling?</summary>After. The norm of scaled gradients is larger by the scale, and
# everything would be clipped.</details>
# <details><summary>3. Your scale falls by half at every step and goes below 1. What is wrong?</summary>Not the scale. A NaN or an infinity comes from the forward pass or
# the data, and no scale removes it. Look for the first layer that gives one.</details>
#
# ## Reading
#
# - Micikevicius et al. 2018, "Mixed Precision Training" (ICLR). Sections 3.1 to 3.3 are the three remedies; Figure 3 is the histogram that your slider redraws. Look for how
#   little of FP16's upper range unscaled gradients use.
# - Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training". Look for what they did *not* have to tune.
# - PyTorch documentation, "Automatic Mixed Precision package": the lists of functions that autocast treats, by device; the table above asks for a few.
# - Fasi et al. 2021, "Numerical behavior of NVIDIA tensor cores" (PeerJ Computer Science). What the accumulators of real tensor cores do; compare with exercise 5.
#
# ## Next
#
# `6_project_basic_quantizer`: everything of this module on one network.

# %%
print("your result")
print(f"  gradients that vanish without scaling   {lost[0]:.0%}")
print(f"  smallest exponent that saves 99 %       {measured_exponent}")
print(
    f"  FP32 loss / FP16 with your scaler       {runs['FP32']['last_loss']:.3f} / {runs['FP16, yours, broken pixel']['last_loss']:.3f}"
)
print(f"  steps with GradScaler's own scale       {same} of {STEPS}")
