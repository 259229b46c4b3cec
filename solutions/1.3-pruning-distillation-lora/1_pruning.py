# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Remove single weights, and measure what that buys
#
# **You end with:** exact masks by magnitude and by movement, a pruning schedule, a loop that prunes in rounds, a
# search for winning lottery tickets, and an honest count of the bytes that zeros save.
#
# About 105 minutes. 31 points: 28 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network.
# You need PyTorch's autograd and the quantizers of 1.1, lesson 2.
#
# Everywhere here: a **mask** is a bool tensor, True where a weight stays; **sparsity** is the share of weights that
# are removed, 0 to 1; $n$ is the number of weights. Counts such as `round(sparsity * n)` are Python's own; values are
# compared in their own dtype. Tensors are contiguous unless a text says otherwise.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import io
import math
import warnings
import zlib

import numpy as np
import torch
import torch.nn.functional as F

from autograder import check
from lab.data import load_mnist
from lab.plots import COLOURS, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

# Layers this small are fastest on one thread; a second one mostly waits for the first.
torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile


# %% role="given" id="setup-bytes"
def saved_bytes(weights):
    """Size of the file that torch.save writes."""
    file = io.BytesIO()
    torch.save(weights, file)
    return file.tell()


# %% role="given" id="network"
WIDTHS = (784, 100, 50, 10)
STEPS, TUNE_STEPS, BATCH = 300, 200, 60
SEEDS = range(3)


def fresh_weights(seed):
    """Glorot-normal weights {name: (out, in)} of a network without biases."""
    dice = torch.Generator().manual_seed(seed)
    return {
        f"layer {k}": (torch.randn(o, i, generator=dice) * math.sqrt(2 / (i + o))).to(
            profile.device
        )
        for k, (i, o) in enumerate(zip(WIDTHS, WIDTHS[1:], strict=False))
    }


def forward(weights, x):
    """Logits (rows, 10) of images (rows, 784)."""
    for k, weight in enumerate(weights.values()):
        x = (torch.relu(x) if k else x) @ weight.T
    return x


def all_true(weights):
    """Masks that keep everything."""
    return {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}


def apply(weights, masks):
    """The weights with zeros where the masks are False."""
    return {name: w * masks[name] for name, w in weights.items()}


def train(weights, masks, steps=STEPS, seed=0, path=None):
    """Adam, batches of 60, from `weights`; masked weights stay 0. path: a list that gets (weights,
    gradients) of every step."""
    dice = torch.Generator().manual_seed(seed)
    epochs = steps * BATCH // len(train_x) + 1
    order = torch.cat([torch.randperm(len(train_x), generator=dice) for _ in range(epochs)])
    weights = {n: w.requires_grad_() for n, w in apply(weights, masks).items()}
    optimizer = torch.optim.Adam(weights.values(), lr=1.2e-3)
    for rows in order[: steps * BATCH].split(BATCH):
        loss = F.cross_entropy(forward(weights, train_x[rows]), train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        if path is not None:
            path.append({n: (w.detach().clone(), w.grad.clone()) for n, w in weights.items()})
        for name, weight in weights.items():
            weight.grad *= masks[name]  # Adam's moments stay 0 there, and so does the weight
        optimizer.step()
    return {name: w.detach() for name, w in weights.items()}


@torch.no_grad()
def accuracy_percent(weights):
    """Share of the test images that are read rightly, in percent."""
    return float((forward(weights, test_x).argmax(1) == test_y).double().mean() * 100)


def spread(values):
    """Mean and range over the seeds."""
    return f"{np.mean(values):5.1f} ({min(values):.1f} to {max(values):.1f})"


# %% role="given" id="data"
digits = load_mnist()
train_x, test_x = (
    torch.from_numpy(images.reshape(-1, 784)).to(profile.device, torch.float32) / 255
    for images in (digits.train_images, digits.test_images)
)
train_y, test_y = (
    torch.from_numpy(labels.astype(np.int64)).to(profile.device)
    for labels in (digits.train_labels, digits.test_labels)
)
digits
# %% [markdown]
# ## Most weights do nothing
#
# A network of 83,900 weights reads digits. The next cell sets the smallest ones to zero, all at once, and trains
# nothing afterwards. How far can it go before the network loses more than one percentage point? And what
# becomes of the file, and of the time of a forward pass?
# %% role="predict" id="predict-sparsity"
# The largest sparsity (10, 20, ... 90 %) that costs at most one percentage point?
my_percent = ...


# %% role="given" id="surprise"
networks = {
    seed: train(fresh_weights(seed), all_true(fresh_weights(seed)), seed=seed) for seed in SEEDS
}
trained = networks[0]
float_percent = accuracy_percent(trained)
magnitudes = torch.cat([w.abs().flatten() for w in trained.values()]).sort().values
dice = torch.Generator().manual_seed(0)
largest = 0
print("sparsity  smallest removed  as many at random")
for percent in range(0, 100, 10):
    limit = magnitudes[len(magnitudes) * percent // 100]
    smallest = accuracy_percent({n: w * (w.abs() >= limit) for n, w in trained.items()})
    chance = {
        n: w * (torch.rand(w.shape, generator=dice).to(w.device) >= percent / 100)
        for n, w in trained.items()
    }
    largest = percent if smallest >= float_percent - 1 else largest
    print(f"{percent:6d} %  {smallest:14.2f} %  {accuracy_percent(chance):15.2f} %")
limit = magnitudes[len(magnitudes) * largest // 100]
zeroed = {n: w * (w.abs() >= limit) for n, w in trained.items()}
bytes_before, bytes_after = saved_bytes(trained), saved_bytes(zeroed)
pass_before = measure(lambda: forward(trained, test_x[:64]))
pass_after = measure(lambda: forward(zeroed, test_x[:64]))
print(f"file: {bytes_before:,} bytes dense, {bytes_after:,} bytes with {largest} % zeros")
print(f"64 images: {pass_before} dense\n           {pass_after} with zeros")
reveal(my_percent, largest, unit="%")
# %% [markdown] items="1.3.C1"
# **What happened.** More than half of the weights can go, and the network hardly notices; take as many at
# random, and it breaks far earlier. So magnitude says something. But the file has the **same number of bytes**, and
# the pass takes about the same time: a zero is stored and multiplied like any number. Removing weights is one
# problem; getting something for it is another. This lesson does the first and counts the second.
# %% [markdown] items="1.3.C1"
# ## A mask with an exact count
#
# **Unstructured** pruning removes single weights, wherever they are. The mask $m$ keeps $n - k$ of them, with
# $k = \mathrm{round}(s\,n)$ for sparsity $s$; the layer computes with $w \odot m$.
#
# A threshold, $|w| > t$, looks simpler, and fails on **ties**: the weights of a layer in 4 bits have at most eight
# magnitudes, so a threshold takes a whole level or none of it. The next cell asks for 50 %.
# %%
scale = trained["layer 1"].abs().max() / 7
in_four_bits = torch.round(trained["layer 1"] / scale) * scale
threshold = in_four_bits.abs().flatten().median()
above = float((in_four_bits.abs() <= threshold).double().mean())
below = float((in_four_bits.abs() < threshold).double().mean())
print(f"asked 50 %; removing |w| <= t gives {above:.0%}, removing |w| < t gives {below:.0%}")
# %% [markdown] items="1.3.C1 1.3.C3"
# ### Exercise: the magnitude mask
#
# So do not compare: **rank**. Ties fall to the weight that comes first in row-major order.
#
# <details><summary>Hint 1</summary><code>torch.argsort(values, stable=True)</code> keeps the order of equal
# values.</details>
# <details><summary>Hint 2</summary>Fill a flat mask of ones, set the first k of the ranking to False, and give it the
# weight's shape at the end.</details>
# <details><summary>Hint 3</summary><code>not 0 &lt;= sparsity &lt;= 1</code> is also true for NaN.</details>


# %% role="exercise" id="magnitude-mask" items="1.3.C1 1.3.C3" minutes=10
def magnitude_mask(weight: torch.Tensor, sparsity: float) -> torch.Tensor:
    """False for the smallest magnitudes of a layer, True for the weights that stay.

    Exactly k = round(sparsity * n) of the n weights are False (Python's round: a half goes to the even
    number): those with the least |w|. Of equal magnitudes those first in row-major order are False.

    Args:
        weight: float tensor (float16, float32 or float64) of any shape, also without axes or a transposed
            view; not changed.
        sparsity: 0 (all stay) to 1 (none stays).

    Returns:
        bool tensor of the weight's shape.

    Raises:
        ValueError: sparsity outside [0, 1] or NaN, no weights, or a weight that is NaN or infinite.

    >>> magnitude_mask(torch.tensor([[-3.0, 1.0, 2.0], [1.0, -1.0, 0.5]]), 0.5).int().tolist()
    [[1, 0, 1], [0, 1, 0]]
    """
    ### BEGIN SOLUTION
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a share from 0 to 1, not {sparsity}.")
    if not weight.numel() or not torch.isfinite(weight).all():
        raise ValueError("A layer needs one weight or more, all of them finite.")
    order = torch.argsort(weight.abs().flatten(), stable=True)
    mask = torch.ones(weight.numel(), dtype=torch.bool, device=weight.device)
    mask[order[: round(sparsity * weight.numel())]] = False
    return mask.reshape(weight.shape)
    ### END SOLUTION


# %% role="check" id="magnitude-mask" points=4
check("magnitude-mask", magnitude_mask)
# %% [markdown] items="1.3.C1 1.3.C3"
# ## One budget, or one for each layer
#
# **Layer-wise** pruning removes the same share of every layer. **Global** pruning ranks all weights together, and
# lets the layers share the budget. Both remove the same number.
#
# The first layer here has 78,400 of the 83,900 weights, many of them at pixels that are always black. The last
# has 500.
# %% [markdown] items="1.3.C1 1.3.C3"
# ### Exercise: global masks
#
# Rank **scores**: magnitudes today, other criteria soon. So take them as they are, sign included.
#
# <details><summary>Hint 1</summary><code>torch.cat([s.flatten() for s in scores.values()])</code> is one long vector; rank
# that.</details>
# <details><summary>Hint 2</summary><code>flat.split([s.numel() for s in scores.values()])</code> cuts it up again.</details>
# <details><summary>Hint 3</summary>An infinite score is a way to say "never" or "always": only NaN has no rank.</details>


# %% role="exercise" id="global-masks" items="1.3.C1 1.3.C3" minutes=12
def global_masks(scores: dict[str, torch.Tensor], sparsity: float) -> dict[str, torch.Tensor]:
    """Masks of several layers that share one budget: the lowest scores of all layers are removed.

    Exactly round(sparsity * n) entries are False, n being the number of scores in all layers (round: a
    half goes to the even number). The lowest scores go, signs included: -2 goes before 1. Of equal
    scores those of the layer that comes first in the dict go first, within a layer in row-major order.

    Args:
        scores: float32 or float64 tensors by layer name, of any shapes (also without axes), all of one
            dtype; infinities allowed. Neither dict nor tensors are changed.
        sparsity: 0 to 1.

    Returns:
        dict of bool tensors: the same names and no others, the same shapes; True stays.

    Raises:
        ValueError: sparsity outside [0, 1] or NaN, no layers, a layer without entries, a NaN.

    >>> masks = global_masks({"a": torch.tensor([4.0, 1.0]), "b": torch.tensor([[1.0, 9.0]])}, 0.25)
    >>> masks["a"].tolist(), masks["b"].tolist()
    ([True, False], [[True, True]])
    """
    ### BEGIN SOLUTION
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a share from 0 to 1, not {sparsity}.")
    if not scores or any(not s.numel() or s.isnan().any() for s in scores.values()):
        raise ValueError("Give one layer or more, each with scores and without NaN.")
    flat = torch.cat([s.flatten() for s in scores.values()])
    mask = torch.ones(len(flat), dtype=torch.bool, device=flat.device)
    mask[torch.argsort(flat, stable=True)[: round(sparsity * len(flat))]] = False
    parts = mask.split([s.numel() for s in scores.values()])
    return {n: part.reshape(s.shape) for (n, s), part in zip(scores.items(), parts, strict=True)}
    ### END SOLUTION


# %% role="check" id="global-masks" points=4
check("global-masks", global_masks)


# %% role="given" id="two-scopes"
def magnitudes_of(weights):
    return {name: w.abs() for name, w in weights.items()}


def layer_masks(weights, sparsity):
    """magnitude_mask of every layer."""
    return {name: magnitude_mask(w, sparsity) for name, w in weights.items()}


def sparsity_of(masks):
    """The share that is removed, over all layers."""
    return 1 - sum(int(m.sum()) for m in masks.values()) / sum(m.numel() for m in masks.values())


# %%
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95)
scopes = {}
for sparsity in LEVELS:
    for scope, masks_of in (
        ("global", lambda w, s: global_masks(magnitudes_of(w), s)),
        ("layer-wise", layer_masks),
    ):
        scopes[scope, sparsity] = [
            accuracy_percent(apply(w, masks_of(w, sparsity))) for w in networks.values()
        ]
print("test accuracy in %, nothing trained afterwards, mean (least to most) of 3 seeds")
for sparsity in LEVELS:
    shown = "  ".join(
        f"{scope} {spread(scopes[scope, sparsity])}" for scope in ("global", "layer-wise")
    )
    print(f"{sparsity:.0%}  {shown}")


# %%
def draw_scope(sparsity=0.8, scope="global"):
    masks = (
        global_masks(magnitudes_of(trained), sparsity)
        if scope == "global"
        else layer_masks(trained, sparsity)
    )
    percent = accuracy_percent(apply(trained, masks))
    fig, axes = figure(cols=3, height_inch=2.6)
    parts = []
    for ax, (name, weight) in zip(axes[0], trained.items(), strict=True):
        values, mask = weight.abs().flatten().cpu().numpy(), masks[name].flatten().cpu().numpy()
        edges = np.linspace(0, np.quantile(values, 0.995), 30)
        ax.hist(
            [values[mask], values[~mask]], edges, stacked=True, color=[COLOURS[0], "#bbbbbb"],
            label=["stays", "goes"],
        )  # fmt: skip
        ax.set_title(f"{name}: {1 - mask.mean():.0%} removed", fontsize=10)
        ax.set_xlabel("|w|")
        ax.set_yticks([])
        parts.append(f"{name} {1 - mask.mean():.0%}")
    axes[0, 0].legend()
    fig.suptitle(f"{scope}, {sparsity:.0%} removed: accuracy {percent:.1f} %", fontsize=11)
    return fig, (
        f"Histograms of the weights' magnitudes in three layers, the removed ones in grey. {scope} at "
        f"{sparsity:.0%}: removed are {', '.join(parts)}; accuracy {percent:.1f} %."
    )


explore(draw_scope, sparsity=(0.0, 0.98, 0.02), scope=["global", "layer-wise"])
# %% [markdown] items="1.3.C1 1.3.C3"
# **What you should see.** At 90 %, global pruning keeps most of its accuracy, and layer-wise has lost about half or more. With
# one budget the wide first layer gives more than its share and the last layer far less: move the slider. Layer-wise
# ruins the last layer, where each weight counts. The opposite can happen: layers whose weights
# are small by their *scale* (a norm follows) are emptied by a global ranking. Look at the shares.
# %% [markdown] items="1.3.C3"
# ## Movement: where is the weight going?
#
# Magnitude looks at where a weight **is**. When a trained network learns a *new* task, that is
# history. **Movement pruning** (Sanh et al. 2020) asks where it **goes**. Summed over the steps of fine-tuning:
#
# $$S = -\sum_t w_t \, \frac{\partial L}{\partial w_t}.$$
#
# Gradient descent moves $w$ against the gradient, so a term is positive when the step takes $w$ **away from zero**.
# The lowest scores go: weights on their way to zero.
# %% [markdown] items="1.3.C3"
# ### Exercise: movement scores and their mask
#
# <details><summary>Hint 1</summary>The score is signed. Its absolute value would keep the weights that hurry towards
# zero.</details>
# <details><summary>Hint 2</summary>Sum first, over all steps; then one call of your <code>global_masks</code> with one
# layer.</details>


# %% role="exercise" id="movement-mask" items="1.3.C3" minutes=10
def movement_mask(
    path: list[tuple[torch.Tensor, torch.Tensor]], sparsity: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Movement scores of a layer along its path of training, and the mask that they give.

    scores = -(sum over the steps of weight * gradient). The round(sparsity * n) lowest scores are
    removed, signs included; of equal ones the first in row-major order.

    Args:
        path: (weight, gradient) of each step, float32 or float64 tensors of one shape and dtype. Neither
            list nor tensors are changed.
        sparsity: 0 to 1.

    Returns:
        scores: tensor of the weight's shape and dtype.
        mask: bool tensor of that shape; True stays.

    Raises:
        ValueError: no steps, an empty weight, shapes that differ, sparsity outside [0, 1] or NaN.

    >>> w, grad = torch.tensor([4.0, -4.0, 0.5]), torch.tensor([1.0, 1.0, -1.0])
    >>> scores, mask = movement_mask([(w, grad), (w - grad, grad)], 0.34)
    >>> scores.tolist(), mask.tolist()
    ([-7.0, 9.0, 2.0], [False, True, True])
    """
    ### BEGIN SOLUTION
    shapes = {t.shape for pair in path for t in pair}
    if len(shapes) != 1:
        raise ValueError("The path needs one step or more, and tensors of one shape.")
    scores = torch.zeros_like(path[0][0])
    for weight, gradient in path:
        scores = scores - weight * gradient
    return scores, global_masks({"layer": scores}, sparsity)["layer"]
    ### END SOLUTION


# %% role="check" id="movement-mask" points=4
check("movement-mask", movement_mask)
# %% [markdown] items="1.3.C3"
# **Try it.** The trained network gets a new task: the same digits, standing on their heads. It is fine-tuned for 100 steps while
# the path is recorded, then pruned globally, then tuned for 100 more steps with the mask held. Three criteria: the magnitudes it
# *came with*, the movement, and the magnitudes *after* the first 100 steps.
# %%
upright = train_x, test_x
train_x, test_x = train_x.flip(1), test_x.flip(1)
by_criterion = {}
for seed, weights in networks.items():
    path = []
    moved = train(weights, all_true(weights), 100, seed=50 + seed, path=path)
    by_criterion.setdefault(("dense", 0.0), []).append(accuracy_percent(moved))
    criteria = {
        "magnitude before": magnitudes_of(weights),
        "movement": {n: movement_mask([step[n] for step in path], 0.5)[0] for n in moved},
        "magnitude after": magnitudes_of(moved),
    }
    for sparsity in (0.9, 0.95):
        for criterion, scores in criteria.items():
            tuned = train(moved, global_masks(scores, sparsity), 100, seed=150 + seed)
            by_criterion.setdefault((criterion, sparsity), []).append(accuracy_percent(tuned))
train_x, test_x = upright
print("digits upside down, test accuracy in %, mean (least to most) of 3 seeds")
for (criterion, sparsity), values in by_criterion.items():
    print(f"{sparsity:4.0%} removed  {criterion:16s}  {spread(values)}")
# %% [markdown] items="1.3.C3"
# **What you should see.** Movement never looks at where a weight stands. On MNIST it beats the old magnitudes, made for the old task, on
# average, with a wide spread; on the stand-in digits it does not. Best here are the magnitudes *after* tuning: this small network moves so
# far in 100 steps that they know the new task. Large pretrained ones hardly move; there the paper finds movement ahead, at
# high sparsity, with masks updated through long fine-tuning.
# %% [markdown] items="1.3.C9 1.3.K4"
# ## When to prune: the cubic schedule
#
# **One-shot** removes everything at once. **Gradual** pruning raises the sparsity while training goes on. Zhu and Gupta
# (2017), from $s_i$ to $s_f$ in $n$ updates, one every $\Delta t$ steps from step $t_0$:
#
# $$s_t = s_f + (s_i - s_f)\left(1 - \frac{t - t_0}{n\,\Delta t}\right)^3.$$
#
# Quick at first, when many weights are idle; slow at the end, when each one hurts.
# %% [markdown] items="1.3.C9"
# ### Exercise: the schedule
#
# Between two updates the sparsity stands still.
#
# <details><summary>Hint 1</summary>Count the updates so far: <code>(step - start) // every</code>, at least 0 and at most
# <code>updates</code>.</details>
# <details><summary>Hint 2</summary>With 0 updates done the bracket is 1 and the formula gives <code>initial</code>; with all done it is
# 0. No special cases are left.</details>


# %% role="exercise" id="cubic-schedule" items="1.3.C9" minutes=8
def cubic_sparsity(
    step: int, start: int, every: int, updates: int, initial: float = 0.0, final: float = 0.9
) -> float:
    """The sparsity that Zhu and Gupta's schedule asks for at a training step.

    Up to step `start`: initial. The sparsity changes at the steps start + k * every, k = 1 .. updates, and
    stays the same between them and after the last:
    final + (initial - final) * (1 - k / updates)**3.

    Args:
        step, start: training steps, ints from 0. every: steps from one update to the next, 1 or more.
        updates: how many, 1 or more. initial, final: sparsities, 0 <= initial <= final <= 1.

    Returns:
        a float.

    Raises:
        ValueError: every or updates below 1, a sparsity outside [0, 1] or NaN, or final < initial.

    >>> [cubic_sparsity(step, 100, 10, 2, 0.0, 0.5) for step in (0, 109, 110, 119, 120, 500)]
    [0.0, 0.0, 0.4375, 0.4375, 0.5, 0.5]
    """
    ### BEGIN SOLUTION
    if every < 1 or updates < 1:
        raise ValueError(f"every and updates are 1 or more, not {every} and {updates}.")
    if not 0 <= initial <= final <= 1:
        raise ValueError(f"0 <= initial <= final <= 1 is asked, not {initial} and {final}.")
    done = min(max((step - start) // every, 0), updates)
    return final + (initial - final) * (1 - done / updates) ** 3
    ### END SOLUTION


# %% role="check" id="cubic-schedule" points=3
check("cubic-schedule", cubic_sparsity)
# %% [markdown] items="1.3.C9 1.3.K4"
# ## The loop
#
# Prune a little, fine-tune, measure, prune again. One rule holds it together: **a pruned weight stays pruned**. It
# is 0, but so may a weight be that was *kept*, and an optimizer with momentum or weight decay may move what you
# removed. So carry the mask along, and do not guess it from the zeros.
# %% [markdown] items="1.3.C9 1.3.K4"
# ### Exercise: prune in rounds
#
# <details><summary>Hint 1</summary>Rank with your <code>global_masks</code>. What is the score of a weight that is already
# gone? Lower than any magnitude.</details>
# <details><summary>Hint 2</summary><code>torch.where(masks[n], w.abs(), -1.0)</code>, since magnitudes are never
# negative.</details>
# <details><summary>Hint 3</summary>After <code>tune</code>, multiply with your masks once more: it may have moved what was
# removed. Give it copies of them.</details>


# %% role="exercise" id="prune-in-rounds" items="1.3.C9 1.3.K4" minutes=15
def prune_in_rounds(weights: dict, targets: list[float], tune) -> tuple[dict, dict]:
    """Prune globally by magnitude to each target in turn, and fine-tune after each.

    A round with target s: of all n weights of all layers, exactly round(s * n) are pruned now. Those
    pruned before stay so; the others are the smallest |w| of the kept weights (ties: the dict's order
    of layers, then row-major). The pruned weights are set to 0, then tune(weights, masks) is called
    once and gives the new weights, which may be other than 0 at pruned places: set them to 0 again.

    Args:
        weights: float tensors by layer name, all finite; neither dict nor tensors are changed.
        targets: sparsities in [0, 1], one for each round, none below the one before it.
        tune: takes the pruned weights and the masks (dicts by layer name, True stays), returns a dict of
            weights. It may change all that it gets in place, the masks too.

    Returns:
        weights, masks: dicts by layer name, with these layers and no others; the weights keep their dtype
            and are 0 where the masks are False.

    Raises:
        ValueError: before anything is tuned: no targets, a target outside [0, 1] or NaN, or one below
            the one before; no layers, or a layer without weights.

    >>> layer = {"a": torch.tensor([3.0, -1.0, 2.0, 4.0])}
    >>> weights, masks = prune_in_rounds(layer, [0.25, 0.5], lambda w, m: {"a": 5.0 - w["a"]})
    >>> weights["a"].tolist(), masks["a"].tolist()
    ([3.0, 0.0, 2.0, 0.0], [True, False, True, False])
    """
    ### BEGIN SOLUTION
    steps = [0.0, *targets, 1.0]
    if not len(targets) or not all(a <= b for a, b in zip(steps, steps[1:], strict=False)):
        raise ValueError("targets are one or more sparsities from 0 to 1, none below the last.")
    if not weights or any(not w.numel() for w in weights.values()):
        raise ValueError("Give one layer or more, each with weights.")
    masks = {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}
    for target in targets:
        # -1 ranks below every magnitude, so what is gone stays gone.
        scores = {name: torch.where(masks[name], w.abs(), -1.0) for name, w in weights.items()}
        masks = global_masks(scores, target)
        tuned = tune(
            {name: w * masks[name] for name, w in weights.items()},
            {name: mask.clone() for name, mask in masks.items()},
        )
        weights = {name: w * masks[name] for name, w in tuned.items()}
    return weights, masks
    ### END SOLUTION


# %% role="check" id="prune-in-rounds" points=5
check("prune-in-rounds", prune_in_rounds)
# %% [markdown] items="1.3.C3 1.3.K4"
# **One-shot against rounds.** The same network, the same final sparsity, the **same number of training steps** after the
# first cut: 200. One-shot spends them all at the end. In rounds, five times 40, with targets that rise in a straight line or along
# your cubic.
# %% role="predict" id="predict-rounds"
# At 99 %, mean accuracy of one-shot with fine-tuning minus that of cubic rounds, in points?
my_difference = ...
# %%
ROUNDS = 5
plans = {
    "one-shot": lambda s: [s],
    "rounds, linear": lambda s: [s * k / ROUNDS for k in range(1, ROUNDS + 1)],
    "rounds, cubic": lambda s: [cubic_sparsity(k, 0, 1, ROUNDS, 0.0, s) for k in range(1, ROUNDS + 1)],
}  # fmt: skip
schedules = {}
for sparsity in (0.9, 0.97, 0.99):
    for seed, weights in networks.items():
        bare = apply(weights, global_masks(magnitudes_of(weights), sparsity))
        schedules.setdefault(("not tuned", sparsity), []).append(accuracy_percent(bare))
        for plan, targets_of in plans.items():
            targets = targets_of(sparsity)
            share = TUNE_STEPS // len(targets)
            round_seeds = iter(range(100 * (seed + 1), 100 * (seed + 2)))  # new batches each round

            def tune(w, m, share=share, round_seeds=round_seeds):
                return train(w, m, share, seed=next(round_seeds))

            pruned, masks = prune_in_rounds(weights, targets, tune)
            assert abs(sparsity_of(masks) - sparsity) < 1e-4
            schedules.setdefault((plan, sparsity), []).append(accuracy_percent(pruned))
print(f"dense {spread([accuracy_percent(w) for w in networks.values()])}")
for (plan, sparsity), values in schedules.items():
    print(f"{sparsity:.0%}  {plan:15s} {spread(values)}")
difference = np.mean(schedules["one-shot", 0.99]) - np.mean(schedules["rounds, cubic", 0.99])
reveal(my_difference, difference, unit="points")
# %% [markdown] items="1.3.C3 1.3.K4"
# **What you should see.** Fine-tuning matters most: at 97 % it wins back tens of points, whatever the plan. At 90 % all plans are level. At 99 % the
# cubic beats one-shot by far, and the straight line loses to *both*: its last cut is as deep as its first, with 40 steps left to heal. At 97 % the
# winner depends on the data set. So "iterative beats one-shot" needs its sparsity, its schedule and its budget.
# %% [markdown] items="1.3.C4"
# ## The lottery ticket
#
# Could the small network have been trained **from the start**? Frankle and Carbin (2019): a large one at its random start
# holds a *winning ticket*, a sub-network that, trained alone, does as well. To find it: train, remove a share of each
# layer's smallest weights, **rewind** the rest to their *initial* values, repeat.
#
# What wins: mask or values? Two controls: the same mask with **new** initial values, the same values with a
# **random** mask as sparse.
# %% [markdown] items="1.3.C4"
# ### Exercise: find the ticket
#
# <details><summary>Hint 1</summary>The rate is a share of what is left: after two rounds at 0.5, a quarter stays.</details>
# <details><summary>Hint 2</summary>Rewinding is one expression: each round starts from
# <code>initial[name] * masks[name]</code>. The masks go along as copies.</details>
# <details><summary>Hint 3</summary>Per layer: rank <code>torch.where(mask, trained.abs(), -1.0)</code>; the already removed come
# first, so cut after <code>removed + round(rate * kept)</code>.</details>


# %% role="exercise" id="find-ticket" items="1.3.C4" minutes=15
def find_ticket(initial: dict, train_masked, rate: float, rounds: int) -> dict[str, torch.Tensor]:
    """The masks of a lottery ticket: iterative magnitude pruning with rewinding.

    All masks begin True. Each round: train_masked(weights, masks) is called with the INITIAL weights,
    0 where the masks are False; then in each layer, of its kept weights, the round(rate * kept) with
    the smallest |trained weight| are removed for good (round: a half to the even number; ties: row-major).

    Args:
        initial: float tensors by layer name, the values before any training; neither dict nor tensors are
            changed.
        train_masked: takes weights and masks (dicts by layer name), returns trained weights, which may
            be other than 0 at removed places. It may change all that it gets in place, the masks too.
        rate: share of each layer's kept weights that a round removes, 0 to 1. rounds: 1 or more.

    Returns:
        bool masks by layer name, of these layers and no others; True stays.

    Raises:
        ValueError: rate outside [0, 1] or NaN, rounds below 1, no layers, or a layer without weights.

    >>> start = {"a": torch.tensor([1.0, 2.0, 3.0, 4.0])}
    >>> find_ticket(start, lambda w, m: {"a": w["a"].flip(0)}, 0.5, 2)["a"].tolist()
    [False, True, False, False]
    """
    ### BEGIN SOLUTION
    if not 0 <= rate <= 1 or rounds < 1:
        raise ValueError(f"rate is 0 to 1 and rounds 1 or more, not {rate} and {rounds}.")
    if not initial or any(not w.numel() for w in initial.values()):
        raise ValueError("Give one layer or more, each with weights.")
    masks = {name: torch.ones_like(w, dtype=torch.bool) for name, w in initial.items()}
    for _ in range(rounds):
        trained = train_masked(
            {name: w * masks[name] for name, w in initial.items()},
            {name: mask.clone() for name, mask in masks.items()},
        )
        for name, mask in masks.items():
            kept = int(mask.sum())
            gone = mask.numel() - kept + round(rate * kept)
            scores = torch.where(mask, trained[name].abs(), -1.0).flatten()
            flat = torch.ones_like(mask).flatten()
            flat[torch.argsort(scores, stable=True)[:gone]] = False
            masks[name] = flat.reshape(mask.shape)
    return masks
    ### END SOLUTION


# %% role="check" id="find-ticket" points=5
check("find-ticket", find_ticket)


# %% role="given" id="controls"
def shuffled(masks, seed):
    """Random masks that keep as many weights in each layer."""
    dice = torch.Generator().manual_seed(seed)
    return {
        name: m.flatten()[torch.randperm(m.numel(), generator=dice).to(m.device)].reshape(m.shape)
        for name, m in masks.items()
    }


# %%
tickets = {}
for seed in SEEDS:
    start = fresh_weights(seed)
    rounds_seen = []

    def train_and_keep(weights, masks, seed=seed, rounds_seen=rounds_seen):
        """Train; keep masks and accuracy of every round."""
        result = train(weights, masks, seed=seed)
        rounds_seen.append((masks, accuracy_percent(result)))
        return result

    last = find_ticket(start, train_and_keep, 0.5, 4)
    rounds_seen.append((last, accuracy_percent(train(start, last, seed=seed))))
    for k, (masks, percent) in enumerate(rounds_seen):
        tickets.setdefault(("winning ticket", k), []).append(percent)
        if k < 2:
            continue
        other = train(fresh_weights(1000 + seed), masks, seed=seed)
        tickets.setdefault(("new initial values", k), []).append(accuracy_percent(other))
        other = train(start, shuffled(masks, seed), seed=seed)
        tickets.setdefault(("random mask", k), []).append(accuracy_percent(other))
        untrained = accuracy_percent(apply(start, masks))
        tickets.setdefault(("ticket, not trained at all", k), []).append(untrained)
print("test accuracy in %, mean (least to most) of 3 seeds; every network trained for 300 steps")
for (name, k), values in sorted(tickets.items(), key=lambda item: item[0][1]):
    print(f"{100 * 0.5**k:6.2f} % kept  {name:27s} {spread(values)}")
# %%
fig, axes = figure(height_inch=3.2)
ax = axes[0, 0]
for at, (name, marker) in enumerate(
    (("winning ticket", "o"), ("new initial values", "s"), ("random mask", "D"))
):
    ks = [k for n, k in tickets if n == name]
    means = np.array([np.mean(tickets[name, k]) for k in ks])
    low = means - [min(tickets[name, k]) for k in ks]
    high = [max(tickets[name, k]) for k in ks] - means
    kept = [100 * 0.5**k * (1 + 0.03 * (at - 1)) for k in ks]
    ax.errorbar(kept, means, (low, high), marker=marker, capsize=3, label=name,
                color=COLOURS[at], linestyle=("-", "--", "-.")[at])  # fmt: skip
ax.set_xscale("log", base=2)
ax.invert_xaxis()
ax.set_xticks([100, 50, 25, 12.5, 6.25], ["100", "50", "25", "12.5", "6.25"])
ax.set(xlabel="weights kept, %", ylabel="test accuracy, %")
ax.legend(loc="lower left")
show(
    fig,
    alt="Test accuracy against the share of weights kept, with the range over three seeds. The winning ticket "
    "stays almost level down to 12.5 % kept; the same mask with new initial values lies below it, a random mask "
    "falls fastest.",
)
# %% [markdown] items="1.3.C4"
# **What you should see.** Down to an eighth of the weights the ticket is within a few points of the whole network. New initial values
# cost some points, a random mask more, most at 6 % kept: **most of the luck is in the mask**, some in the values. And the ticket *before any training*
# reads far more digits than the 10 % of chance: choosing which weights to zero is already a kind of learning.
# %% [markdown] items="1.3.C4"
# ## What the ticket does not say
#
# Finding it cost five trainings for one, on a small network trained briefly. On larger ones, rewinding to the very start
# stops working; rewinding to an *early step* works (Frankle et al. 2020). And Liu et al. (2019) found that with a longer
# schedule random initial values do as well, for structured pruning in particular. The spread over seeds is part of the
# answer: at 6 % kept it is many points wide.
# %% [markdown] items="1.3.C1 1.3.K1"
# ## What zeros save in bytes
#
# Zeros must not be stored; then their **places** must be. Three formats for a matrix (rows, columns) with $z$
# non-zeros of $b$ bits:
#
# - **dense**: all $n$ values;
# - **bitmask**: the $z$ values, and one bit for each of the $n$ places;
# - **CSR**: the $z$ values, the column of each, and for each row where it begins.
# %% [markdown] items="1.3.C1 1.3.K1"
# ### Exercise: count the bytes
#
# <details><summary>Hint 1</summary>Whole bytes: <code>-(-bits // 8)</code> rounds up.</details>
# <details><summary>Hint 2</summary>CSR has rows + 1 pointers: the last says where the last row ends.</details>


# %% role="exercise" id="sparse-bytes" items="1.3.C1 1.3.K1" minutes=8
def sparse_bytes(mask: torch.Tensor, value_bits: int) -> dict[str, int]:
    """Bytes of one matrix in three formats.

    Values are packed without gaps and filled up to whole bytes. "dense": all values. "bitmask": the
    kept values, and one bit a place, filled up to whole bytes apart from the values. "csr": the kept
    values; for each the index of its column, 2 bytes where the matrix has at most 65,536 columns, else
    4; and rows + 1 pointers of 4 bytes.

    Args:
        mask: bool (rows, columns), True where a value is kept; not changed.
        value_bits: 4, 8, 16 or 32.

    Returns:
        dict of ints under "dense", "bitmask" and "csr".

    Raises:
        ValueError: a mask without two axes or without entries, or other value_bits.

    >>> sparse_bytes(torch.tensor([[True, False, False], [False, False, True]]), 16)
    {'dense': 12, 'bitmask': 5, 'csr': 20}
    """
    ### BEGIN SOLUTION
    if mask.ndim != 2 or not mask.numel():
        raise ValueError(f"The mask is a matrix with entries, not of shape {tuple(mask.shape)}.")
    if value_bits not in (4, 8, 16, 32):
        raise ValueError(f"value_bits is 4, 8, 16 or 32, not {value_bits}.")
    rows, columns = mask.shape
    kept = int(mask.sum())
    values = -(-kept * value_bits // 8)
    return {
        "dense": -(-mask.numel() * value_bits // 8),
        "bitmask": values + -(-mask.numel() // 8),
        "csr": values + kept * (2 if columns <= 65536 else 4) + 4 * (rows + 1),
    }
    ### END SOLUTION


# %% role="check" id="sparse-bytes" points=3
check("sparse-bytes", sparse_bytes)
# %%
SIZE = 1024
dice = torch.Generator().manual_seed(0)
matrix = torch.randn(SIZE, SIZE, generator=dice)
x = torch.randn(SIZE, 16, generator=dice)
shares = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
counted = {f"{name}, {bits} bits": [] for bits in (32, 8) for name in ("bitmask", "csr")}
dense_ms, csr_ms, zipped = [], [], []
for sparsity in shares:
    mask = magnitude_mask(matrix, sparsity)
    for bits in (32, 8):
        sizes = sparse_bytes(mask, bits)
        for name in ("bitmask", "csr"):
            counted[f"{name}, {bits} bits"].append(sizes[name] / sizes["dense"])
    zeros = matrix * mask
    zipped.append(len(zlib.compress(zeros.numpy().tobytes(), 1)) / zeros.nbytes)
    dense_ms.append(measure(lambda z=zeros: z @ x, repeats=7).median_ms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its CSR layout "beta"
        compressed = zeros.to_sparse_csr()
    csr_ms.append(measure(lambda c=compressed: c @ x, repeats=7).median_ms)
show(
    curves(
        [100 * s for s in shares], {**counted, "zlib of float32": zipped},
        xlabel="removed, %", ylabel="bytes / dense bytes",
    ),
    alt="Stored bytes relative to the dense matrix against the share removed, for bitmask and CSR with 32-bit and "
    "8-bit values and for zlib. The 32-bit bitmask falls nearly in proportion; CSR with 8-bit values needs "
    "more than the dense matrix until two thirds are removed.",
)  # fmt: skip
print("removed  dense product  CSR product (CPU)")
for sparsity, dense, sparse in zip(shares, dense_ms, csr_ms, strict=True):
    print(f"{sparsity:7.0%}  {dense:10.3f} ms  {sparse:10.3f} ms")
# %% [markdown] items="1.3.C1 1.3.K1"
# **What you should see.** With 32-bit values every format pays from about one third on. With **8-bit** values an index costs twice the
# value it points at: CSR is larger than dense until two thirds are gone; the bitmask pays from 12.5 % on. zlib finds
# some of it by itself. The dense product takes the same time for any number of zeros; CSR's is slower at half, and pays
# here from about three quarters, on a GPU later.
# %% [markdown] items="1.3.C1 1.3.C3 1.3.K4"
# ## At the scale of a language model
#
# The course's language model: 3.1 million weights in its decoder's linear layers. Pruned one-shot, global or layer-wise;
# then at 70 % fine-tuned for 12 steps on its training text, masks held.
# %% role="given" id="language-model"
from lab.fake_quant import decoder_linears, with_weights
from lab.lm import calibration_batch, load_lm
from lab.perplexity import perplexity

WINDOWS = 8  # 1,024 scored tokens: enough to compare versions of one model on the same text


def pruned_lm(model, masks):
    """A copy of the model with masked decoder weights."""
    return with_weights(model, lambda name, w: w * masks[name])


def tune_lm(model, masks, steps=12, learning_rate=3e-4):
    """A copy trained on the training text; masked weights stay 0, the rest of the model stands still."""
    model = pruned_lm(model, masks)
    linears = decoder_linears(model)
    leaves = [linear.weight.requires_grad_() for linear in linears.values()]
    optimizer = torch.optim.Adam(leaves, lr=learning_rate)
    for step in range(steps):
        tokens = calibration_batch(4, 128, seed=step).to(model.device)
        loss = model(tokens, labels=tokens, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        for name, linear in linears.items():
            linear.weight.grad *= masks[name]
        optimizer.step()
    return model


# %%
language_model = load_lm(profile=profile).float()
lm_weights = {name: m.weight.detach() for name, m in decoder_linears(language_model).items()}
lm_results = {"dense": perplexity(language_model, windows=WINDOWS)}
for sparsity in (0.3, 0.5, 0.7):
    for scope, masks in (
        ("global", global_masks(magnitudes_of(lm_weights), sparsity)),
        ("layer-wise", layer_masks(lm_weights, sparsity)),
    ):
        pruned = pruned_lm(language_model, masks)
        lm_results[f"{scope}, {sparsity:.0%}"] = perplexity(pruned, windows=WINDOWS)
        if sparsity == 0.7:
            tuned = tune_lm(language_model, masks)
            lm_results[f"{scope}, {sparsity:.0%}, tuned"] = perplexity(tuned, windows=WINDOWS)
print("held-out perplexity; lower is better")
for name, value in lm_results.items():
    print(f"{name:24s} {value:8.2f}")
print(f"{profile.hardware}, {sum(w.numel() for w in lm_weights.values()):,} weights")
# %% [markdown] items="1.3.C1 1.3.C3 1.3.K4"
# **What you should see.** At 30 % almost nothing is lost, at 70 % a great deal. And here **layer-wise beats global**, the other way round than
# with the digits: norms stand before these layers, their weights have different scales, and one ranking empties some. Twelve steps of tuning
# win back a large part, in seconds. The rule that travels is not "global" or "layer-wise"; it is: measure both, look at the
# shares. (One model, one text: no spread here.)
# %% [markdown] items="1.3.C9 1.3.K4"
# ## In your own words
#
# A colleague reports: "We pruned our 8-bit language model to 50 % in one shot, kept everything above a threshold. The
# checkpoint is half the size and the server twice as fast."
#
# In 120 to 200 words: which parts can be true, which not, what would you ask to see? How would you prune
# instead to reach 90 %: criterion, scope, schedule, fine-tuning, and how would you report the result? Use three figures from here.
# %% [markdown] role="written" id="pruning-plan" items="1.3.C9 1.3.K4" points=3
# **Model answer.** A threshold on 8-bit weights does not give 50 %: whole levels tie, so ask for the count of zeros. The checkpoint
# halves only with a format that leaves the zeros out: at 8 bits and 50 %, a bitmask needs 62.5 % of the dense bytes, CSR more than the
# dense matrix. A dense kernel takes the same time for zeros; here CSR was slower at 50 % than the dense product, and paid
# only for very sparse matrices. Ask for the file's bytes, the measured latency with its hardware, and the quality on held-out data.
#
# For 90 %: rank weights globally by magnitude (movement only when fine-tuning to a new task), look at every layer's share,
# raise the sparsity along a cubic in rounds, fine-tune after each with the mask held, compare with one-shot and the
# same number of steps. Without tuning the network here lost a few points at 90 % and over a third of its accuracy at 97 %; tuned,
# a point or less and two to eight points. Report mean and range over
# several seeds, the dense baseline trained as long, and bytes and time in the format that is deployed.
#
# **Rubric.** 1 point: ties or exact counts, bytes with the places counted, time not following from zeros. 1 point: a plan
# with scope, rounds, mask held, fine-tuning, and a fair baseline. 1 point: three figures used rightly, with spread over seeds. Half a point
# off for "half the weights, half the bytes".
# %% [markdown]
# ## Recap
#
# - Rank, do not compare: masks have an exact count, also under ties.
# - One global budget spares the layers where weights count; look at each layer's share.
# - Movement looks at where weights go; its place is fine-tuning to another task.
# - Rounds with a mask that only grows; fine-tuning wins back most of what pruning costs.
# - A winning ticket's mask matters most, its initial values some.
# - Zeros cost bytes for their places, and dense kernels multiply them all the same.
#
# **Three questions**
#
# <details><summary>1. A layer is pruned by 20 % of what is left, ten times. How much stays?</summary>0.8^10 = 10.7 %.</details>
# <details><summary>2. From which sparsity on does a bitmask save bytes with 4-bit values?</summary>It costs one bit a place:
# 4(1 - s) + 1 &lt; 4, so above 25 %.</details>
# <details><summary>3. You mask the gradients, but Adam was running before you pruned. What happens to the pruned
# weights?</summary>Its first moment is not 0, so they move away from 0. Mask the weights after each step, or start a new
# optimizer.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Han et al., *Learning both Weights and Connections for Efficient Neural Networks*, NeurIPS 2015: prune, retrain, repeat.
# - Zhu and Gupta, *To prune, or not to prune*, 2017: the cubic schedule; large and sparse against small and dense.
# - Frankle and Carbin, *The Lottery Ticket Hypothesis*, ICLR 2019: the experiment that you repeated, with its controls.
# - Frankle et al., *Linear Mode Connectivity and the Lottery Ticket Hypothesis*, ICML 2020: why to rewind to an early step.
# - Liu et al., *Rethinking the Value of Network Pruning*, ICLR 2019: when training from scratch does as well.
# - Zhou et al., *Deconstructing Lottery Tickets*, NeurIPS 2019: masks that read digits before any training.
# - Sanh, Wolf and Rush, *Movement Pruning*, NeurIPS 2020: the score, and the magnitudes of weights that it keeps.
# - Blalock et al., *What is the State of Neural Network Pruning?*, MLSys 2020: why papers can hardly be compared.
# - PyTorch, `torch.nn.utils.prune`: masks as forward hooks; its global ranking checks yours here.
#
# **Next:** structure. Remove what hardware can skip: channels, heads, layers, and two of every four.
# %%
# Your result.
print(f"removed at a cost of one point    {largest} %")
print(f"file with {largest} % zeros             {bytes_after:,} of {bytes_before:,} bytes")
for (plan, sparsity), values in schedules.items():
    print(f"{sparsity:.0%}  {plan:15s}          {spread(values)} %")
for (name, k), values in tickets.items():
    if k == 3:
        print(f"12.5 % kept, {name:27s} {spread(values)} %")
for name, value in lm_results.items():
    print(f"language model, {name:24s} {value:.2f}")
