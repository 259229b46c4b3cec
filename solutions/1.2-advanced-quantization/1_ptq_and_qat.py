# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Quantize after training, at run time and during training
#
# **You end with:** two observers, a layer that quantizes each token at run time, a fake quantizer whose
# gradient you wrote yourself, and one network measured three ways: static, dynamic, and trained for 4 bits.
#
# About 120 minutes. 34 points: 31 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network.
# You need scales and zero-points (1.1, lesson 2), ranges from data (1.1, lesson 3) and PyTorch's autograd.
#
# Everywhere here: **weights** symmetric, codes from $-q_{max}$ to $q_{max} = 2^{b-1}-1$, one scale for each
# matrix; **inputs of layers** affine, codes $0 \dots 2^b - 1$. Rounding to nearest, ties to even.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import copy
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograder import check
from lab.data import load_mnist
from lab.plots import COLOURS, INK, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile


# %% role="given" id="network"
# Layers this small are fastest on one thread; a second one mostly waits for the first.
torch.set_num_threads(1)
WIDTHS = (784, 24, 24, 24, 24, 24, 10)


def float_forward(params, x):
    """Logits (rows, 10) of images (rows, 784); params: a list of (weight (out, in), bias (out,))."""
    for k, (weight, bias) in enumerate(params):
        x = (torch.relu(x) if k else x) @ weight.T + bias
    return x


def shuffled_batches(seed, epochs, size=64):
    """The training images in a new order in each epoch, as (images, labels)."""
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(train_x), generator=order).split(size):
            yield train_x[rows], train_y[rows]


def train_float(seed, epochs, params=None, learning_rate=2e-3):
    """A network trained in floats with Adam, from a fresh start or from `params`."""
    seed_everything(seed)
    if params is None:
        params = [
            (torch.randn(o, i) * math.sqrt(2 / i), torch.zeros(o))
            for i, o in zip(WIDTHS, WIDTHS[1:], strict=False)
        ]
    params = [tuple(t.clone().to(profile.device).requires_grad_() for t in pair) for pair in params]
    optimizer = torch.optim.Adam([t for pair in params for t in pair], lr=learning_rate)
    for x, y in shuffled_batches(seed, epochs):
        optimizer.zero_grad()
        F.cross_entropy(float_forward(params, x), y).backward()
        optimizer.step()
    return [tuple(t.detach() for t in pair) for pair in params]


@torch.no_grad()
def accuracy_percent(logits):
    """Share of the test images whose logits (images, 10) are right, in percent."""
    return float((logits.argmax(1) == test_y).double().mean() * 100)


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
# About 1,250 steps of training and 500 of fine-tuning, whatever the data set's size.
EPOCHS = round(10 * 8000 / len(train_x))
TUNE_EPOCHS = round(4 * 8000 / len(train_x))
digits
# %% [markdown]
# ## A network that cannot learn
#
# A narrow network of six layers, trained here in seconds. Quantized to 4 bits it loses accuracy. The obvious
# repair: keep training, with the rounding inside, so that the weights adapt to it. The next cell does
# one such training step and looks at the gradients. Predict first.
# %% role="predict" id="predict-gradients"
# Of the network's parameters, what percentage gets a gradient other than zero?
my_percent_alive = ...


# %% role="given" id="surprise"
def rounded_forward(params, x, bits):
    """The network with torch.round in it; one symmetric scale for each tensor."""
    for k, (weight, bias) in enumerate(params):
        x = torch.relu(x) if k else x
        pair = []
        for tensor in (x, weight):
            scale = tensor.detach().abs().max() / (2 ** (bits - 1) - 1)
            pair.append(torch.round(tensor / scale) * scale)
        x = pair[0] @ pair[1].T + bias
    return x


trained = train_float(0, EPOCHS)
float_percent = accuracy_percent(float_forward(trained, test_x))
first_percent = {b: accuracy_percent(rounded_forward(trained, test_x, b)) for b in (8, 4, 3)}
print(
    f"float {float_percent:.2f} %;",
    ", ".join(f"{b} bits {p:.2f} %" for b, p in first_percent.items()),
)

stuck = [tuple(t.clone().requires_grad_() for t in pair) for pair in trained]
F.cross_entropy(rounded_forward(stuck, train_x[:512], 4), train_y[:512]).backward()
gradients = [t.grad for pair in stuck for t in pair]
parameter_count = sum(t.numel() for pair in stuck for t in pair)
alive = sum(int((g != 0).sum()) for g in gradients if g is not None)
print(f"{alive} of {parameter_count:,} parameters get a gradient other than zero")
reveal(my_percent_alive, 100 * alive / parameter_count, unit="%")
# %% [markdown] items="1.2.C4"
# **What happened.** Only the ten biases of the last layer learn: nothing is rounded after them.
# `torch.round` is a staircase. Its derivative is 0 on every step, and at the jumps it does not exist; autograd
# says 0 everywhere, which is correct, and useless. Training through a quantizer needs another idea of
# its slope. You will write it, after the two ways that need no training.
# %% [markdown] items="1.2.C1 1.2.C2 1.2.C3"
# ## Three ways to quantize
#
# | | range of a layer's input | weights | paid when |
# |---|---|---|---|
# | **static** (post-training) | measured once, then fixed | rounded | before deployment: some batches |
# | **dynamic** (post-training) | from the values, for each token | rounded | at every call: a pass over it |
# | **quantization-aware training** | fixed | trained to be rounded | before deployment: training |
#
# In all three, products and sums are integers.
# %% [markdown] items="1.2.C1"
# ## Static: watch, then fix
#
# An **observer** sits at a layer's input, sees batches, and keeps a *state* of fixed size. Afterwards it gives the scale
# and zero-point. The simplest state is two numbers, the smallest and the largest value. Or
# their **moving averages**, with weight $c$ for the newest batch:
#
# $$low \leftarrow low + c\,(low_{batch} - low).$$
#
# One freak batch then moves the range by $c$ of its excess, and not for good.
# %% [markdown] items="1.2.C1"
# ### Exercise: a range observer
#
# An observer that has seen nothing has no range, and a NaN has none either: both must be an **error**. A
# silent default such as 1.0 would be deployed.
#
# <details><summary>Hint 1</summary>Two attributes, <code>low</code> and <code>high</code>, <code>None</code> at
# first. The first batch sets both, also when it is averaged.</details>
# <details><summary>Hint 2</summary>Test the batch first and change the state afterwards: a refused batch must
# leave no trace. <code>torch.isfinite(x).all()</code> knows NaN and infinities.</details>
# <details><summary>Hint 3</summary><code>float(x.min())</code> leaves torch at once: averages in float16 would
# lose small updates.</details>


# %% role="exercise" id="range-observer" items="1.2.C1" minutes=12
class RangeObserver:
    """The range of all batches seen, or its moving average.

    Attributes:
        low, high: floats, None before the first batch. averaging None: the smallest and largest value
            of all batches. Else the first batch sets them to its own min and max, and each later one
            moves them: low += averaging * (batch_min - low), and high likewise. Never widened to 0.

    >>> observer = RangeObserver()
    >>> observer.observe(torch.tensor([-64.0, 2.0]))
    >>> observer.observe(torch.tensor([191.0]))
    >>> observer.low, observer.high, observer.qparams(8)
    (-64.0, 191.0, (1.0, 64))
    """

    def __init__(self, averaging: float | None = None):
        """averaging: weight of the newest batch, in (0, 1]. Raises ValueError for another number."""
        ### BEGIN SOLUTION
        if averaging is not None and not 0 < averaging <= 1:
            raise ValueError(f"averaging is None or in (0, 1], not {averaging}.")
        self.averaging = averaging
        self.low = self.high = None
        ### END SOLUTION

    def observe(self, x: torch.Tensor) -> None:
        """Take in one batch: a float tensor (float16 to float64) of any shape. It is not changed.

        Raises ValueError, and changes nothing, if x is empty or holds a NaN or an infinity.
        """
        ### BEGIN SOLUTION
        if not x.numel() or not torch.isfinite(x).all():
            raise ValueError("A batch needs one value or more, all of them finite.")
        low, high = float(x.min()), float(x.max())
        if self.low is None:
            self.low, self.high = low, high
        elif self.averaging is None:
            self.low, self.high = min(self.low, low), max(self.high, high)
        else:
            self.low += self.averaging * (low - self.low)
            self.high += self.averaging * (high - self.high)
        ### END SOLUTION

    def qparams(self, bits: int = 8) -> tuple[float, int]:
        """Scale and zero-point for codes 0 .. 2**bits - 1, as affine_params of lesson 1.1.2.

        low = min(low, 0), high = max(high, 0), scale = (high - low) / (2**bits - 1),
        zero_point = round(-low / scale), an int, ties to even; (1.0, 0) where low == high == 0.
        The attributes low and high stay as they are.

        Raises ValueError before the first batch, and for bits outside 2 to 8.
        """
        ### BEGIN SOLUTION
        if self.low is None:
            raise ValueError("The observer has seen no batch: calibrate first.")
        if not 2 <= bits <= 8:
            raise ValueError(f"bits is 2 to 8, not {bits}.")
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        if low == high:
            return 1.0, 0
        scale = (high - low) / (2**bits - 1)
        return scale, round(-low / scale)
        ### END SOLUTION


# %% role="check" id="range-observer" points=4
check("range-observer", RangeObserver)
# %% [markdown] items="1.2.C1"
# ## A percentile with a bounded memory
#
# A percentile needs all values, sorted, and an observer cannot keep them. A **histogram of magnitudes**
# has a fixed size: `bins` counts, each for a width $w$. Bin $k$ counts $k w \le |x| < (k+1) w$.
# %% [markdown] items="1.2.C1"
# A value beyond the last bin does not fit. Then $w$ **doubles**: bins $2k$ and $2k+1$ become bin $k$. That is
# exact: no count is guessed. The price is the resolution: the threshold is known to within one width.
# %% [markdown] items="1.2.C1"
# ### Exercise: a percentile observer
#
# `width` is a power of two, so that dividing by it is exact.
#
# <details><summary>Hint 1</summary>The largest magnitude of the batch decides how often to double, before anything is
# counted. Exactly <code>bins * width</code> is already outside.</details>
# <details><summary>Hint 2</summary><code>counts.reshape(-1, 2).sum(1)</code> is the merged lower half; the upper half
# is zeros.</details>
# <details><summary>Hint 3</summary><code>np.bincount(index, minlength=bins)</code> counts, and
# <code>np.argmax(running &gt;= share)</code> finds the first bin that reaches the share.</details>


# %% role="exercise" id="percentile-observer" items="1.2.C1" minutes=15
class PercentileObserver:
    """The magnitude that a percentage of all values stays below, from a histogram that can grow.

    Attributes:
        counts: integer array (bins,); bin k counts the values with k*width <= |x| < (k+1)*width.
        width: float, the initial width times a power of two: the least one with which all
            values so far lie below bins * width.

    >>> observer = PercentileObserver(75.0, bins=4, width=0.5)
    >>> observer.observe(torch.tensor([0.1, -0.6, 1.7, 0.2]))
    >>> observer.counts.tolist(), observer.amax()
    ([2, 1, 0, 1], 1.0)
    >>> observer.observe(torch.tensor([3.0]))
    >>> observer.counts.tolist(), observer.width
    ([3, 1, 0, 1], 1.0)
    """

    def __init__(self, percentile: float = 99.9, bins: int = 2048, width: float = 2.0**-10):
        """bins: even. width: a power of two. Raises ValueError for a percentile outside (0, 100]."""
        ### BEGIN SOLUTION
        if not 0 < percentile <= 100:
            raise ValueError(f"percentile is in (0, 100], not {percentile}.")
        self.percentile, self.width = percentile, width
        self.counts = np.zeros(bins, np.int64)
        ### END SOLUTION

    def observe(self, x: torch.Tensor) -> None:
        """Take in one float tensor (float16 to float64) of any shape. It is not changed.

        Raises ValueError, and changes nothing, if x is empty or holds a NaN or an infinity.
        """
        ### BEGIN SOLUTION
        if not x.numel() or not torch.isfinite(x).all():
            raise ValueError("A batch needs one value or more, all of them finite.")
        magnitudes = x.detach().abs().double().flatten().cpu().numpy()
        bins = len(self.counts)
        while magnitudes.max() >= bins * self.width:
            merged = self.counts.reshape(-1, 2).sum(1)
            self.counts = np.concatenate([merged, np.zeros(bins // 2, np.int64)])
            self.width *= 2
        index = np.floor(magnitudes / self.width).astype(np.int64)
        self.counts = self.counts + np.bincount(index, minlength=bins)
        ### END SOLUTION

    def amax(self) -> float:
        """The upper edge (k+1)*width of the first bin k for which the bins 0 .. k together hold at
        least percentile / 100 of all values seen. Raises ValueError before the first batch.
        """
        ### BEGIN SOLUTION
        running = np.cumsum(self.counts)
        if not running[-1]:
            raise ValueError("The observer has seen no batch: calibrate first.")
        first = int(np.argmax(running >= self.percentile / 100 * running[-1]))
        return (first + 1) * self.width
        ### END SOLUTION


# %% role="check" id="percentile-observer" points=4
check("percentile-observer", PercentileObserver)
# %% [markdown] items="1.2.C1"
# ## Three observers on one stream
#
# Forty batches of a normal distribution; in batch 12 one of 512 values is `freak` standard deviations out. Move the
# knobs. **Ask yourself first:** which of the three still remembers the freak at batch 40?
# %%
stream = [
    torch.randn(512, generator=torch.Generator().manual_seed(100 + k)).double() for k in range(40)
]


def draw_observers(freak=30, averaging=0.1, percentile=99.5):
    watchers = {
        "min-max": (RangeObserver(), lambda o: o.high),
        "moving average": (RangeObserver(averaging), lambda o: o.high),
        "percentile": (PercentileObserver(percentile), lambda o: o.amax()),
    }
    seen = {name: [] for name in watchers}
    for k, batch in enumerate(stream):
        batch = batch.clone()
        if k == 12:
            batch[0] = freak
        for name, (watcher, read) in watchers.items():
            watcher.observe(batch)
            seen[name].append(read(watcher))
    fig = curves(range(40), seen, xlabel="batch", ylabel="upper end of the range",
                 title="One freak value in 20,480")  # fmt: skip
    ends = ", ".join(f"{name} {values[-1]:.2f}" for name, values in seen.items())
    return fig, (
        f"Upper end of the range against batch for three observers. At batch 12 a value of {freak} comes: "
        f"min-max jumps to it and stays, the moving average jumps by {averaging:g} of the distance and decays, "
        f"the percentile hardly moves. At the end: {ends}."
    )


explore(
    draw_observers, freak=(5, 60, 5), averaging=(0.02, 0.5, 0.02), percentile=(95.0, 100.0, 0.5)
)
# %% [markdown] items="1.2.C1"
# **What you should see.** Min-max stays at 30 to the end: a range ten times too wide is 3.3 bits lost. The moving
# average decays, faster with a larger weight, but then follows every batch's noise. The percentile stays
# near 2.8, because one value in 20,480 is no half percent; but it clips 0.5 % of *ordinary* values, always. At
# 100 % it is min-max.
# %% [markdown] items="1.2.C1"
# ## Put an observer at each layer
#
# `register_forward_pre_hook(hook)` of a module has `hook(module, args)` called before each forward pass; `args[0]` is the
# layer's input. So a model of any shape can be observed without touching its code.
#
# Calibration must leave no trace: no hooks, no gradients, and no BatchNorm statistics that learned from
# it. So: evaluation mode, and back to what it was.
# %% [markdown] items="1.2.C1"
# ### Exercise: calibrate a model
#
# <details><summary>Hint 1</summary><code>model.named_modules()</code> gives names and modules, nested ones too; take those that
# are <code>nn.Linear</code>.</details>
# <details><summary>Hint 2</summary>A lambda in a loop sees the loop's last value. Bind it:
# <code>lambda module, args, seen=observers[name]: seen.observe(args[0])</code>.</details>
# <details><summary>Hint 3</summary><code>try: ... finally: ...</code> cleans up also when a batch raises.</details>


# %% role="exercise" id="calibrate-inputs" items="1.2.C1" minutes=12
def calibrate_inputs(model: nn.Module, batches: list[torch.Tensor], make_observer) -> dict:
    """Run batches through a model and observe the input of every nn.Linear.

    The batches run in order, as model(batch), in evaluation mode and without gradients. Afterwards,
    also when a batch raised an error (which is passed on as it is), the model has no hooks of this function,
    those of others are still there, and it is in training or evaluation mode as before. Gradients are
    on again, where they were.

    Args:
        model: any module, wholly in training or wholly in evaluation mode.
        batches: what the model takes, one tensor each. Not changed.
        make_observer: called with no arguments, gives an object with a method observe(x). Each linear
            layer gets one of its own, also one that no batch reaches; it sees the layer's input at each
            call of the layer.

    Returns:
        dict from the layer's name in model.named_modules() to its observer.

    Raises:
        ValueError: no batches, or no nn.Linear in the model.

    >>> net = nn.Sequential(nn.Identity(), nn.Linear(2, 1))
    >>> seen = calibrate_inputs(net, [torch.tensor([[3.0, -5.0]])], RangeObserver)
    >>> list(seen), seen["1"].low
    (['1'], -5.0)
    """
    ### BEGIN SOLUTION
    linears = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    if not batches or not linears:
        raise ValueError("Calibration needs one batch or more, and a model with nn.Linear layers.")
    observers = {name: make_observer() for name in linears}
    handles = [
        layer.register_forward_pre_hook(lambda _, args, seen=observers[name]: seen.observe(args[0]))
        for name, layer in linears.items()
    ]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                model(batch)
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return observers
    ### END SOLUTION


# %% role="check" id="calibrate-inputs" points=3
check("calibrate-inputs", calibrate_inputs)


# %% role="given" id="static-ranges"
def as_module(params):
    """The network as an nn.Sequential, for hooks."""
    layers = []
    for weight, bias in params:
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight, linear.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


CALIBRATION = [train_x[k : k + 50] for k in range(0, 200, 50)]


def static_ranges(params, bits):
    """(scale, zero_point) for each layer's input, from 200 training images."""
    observers = calibrate_inputs(as_module(params), CALIBRATION, RangeObserver)
    return [observer.qparams(bits) for observer in observers.values()]


# %%
for layer, (scale, zero_point) in enumerate(static_ranges(trained, 4)):
    print(f"layer {layer}: scale {scale:.4f}, zero-point {zero_point}, range to {15 * scale:.2f}")
# %% [markdown] items="1.2.C2"
# ## Dynamic: a scale for each token
#
# The range can also be taken from the input itself, when it comes. Then it can be **per token**: each row of
# $X$ (tokens, in) gets $s_t = \max_i |x_{ti}| / 127$. A loud token no longer spoils the others, and no calibration
# data are needed. With symmetric codes and a scale $s_o$ for each output:
#
# $$y_{to} = s_t\, s_o \sum_i q_{ti}\, q_{oi} + b_o.$$
# %% [markdown] items="1.2.C2"
# Both scales are constant along the sum, so the sum stays in integers.
# %% [markdown] items="1.2.C2"
# ### Exercise: a dynamic linear layer
#
# <details><summary>Hint 1</summary><code>x.abs().amax(1, keepdim=True)</code> has shape (tokens, 1) and broadcasts over
# each row.</details>
# <details><summary>Hint 2</summary>PyTorch multiplies int8 matrices into int8, which wraps. Widen the codes
# first.</details>
# <details><summary>Hint 3</summary>The ValueErrors come first: <code>amax</code> of a row with a NaN is NaN, and
# nothing after it means anything.</details>


# %% role="exercise" id="dynamic-linear" items="1.2.C2" minutes=12
def dynamic_linear(
    x: torch.Tensor, weight_codes: torch.Tensor, weight_scales: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """A linear layer in INT8 with a symmetric scale for each row of x, found at run time.

    Row scale: max|row| / 127, or 1.0 for a row of zeros. Codes: round(row / scale), ties to even, in
    [-127, 127]. The products of codes are summed exactly (int32, or float64, which holds these sums
    exactly too), then y = sum * row scale * weight scale + bias.

    Args:
        x: float32 (tokens, in); tokens may be 0.
        weight_codes: int8 (out, in), codes in [-127, 127].
        weight_scales: float32 (out,). bias: float32 (out,). No argument is changed.

    Returns:
        y: float32 (tokens, out).

    Raises:
        ValueError: x has not two axes or not `in` columns, or holds a NaN or an infinity.

    >>> codes = torch.tensor([[127, 0], [1, -2]], dtype=torch.int8)
    >>> x = torch.tensor([[127.0, 64.0]])
    >>> dynamic_linear(x, codes, torch.tensor([1.0, 0.5]), torch.tensor([0.0, 1.0])).tolist()
    [[16129.0, 0.5]]
    """
    ### BEGIN SOLUTION
    if x.ndim != 2 or x.shape[1] != weight_codes.shape[1]:
        raise ValueError(f"x has shape {tuple(x.shape)}, not (tokens, {weight_codes.shape[1]}).")
    if not torch.isfinite(x).all():
        raise ValueError("x holds a NaN or an infinity, which has no code.")
    scale = x.abs().amax(1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = torch.round(x / scale).clamp(-127, 127)
    sums = codes.double() @ weight_codes.double().T
    return (sums * scale * weight_scales + bias).float()
    ### END SOLUTION


# %% role="check" id="dynamic-linear" points=4
check("dynamic-linear", dynamic_linear)
# %% [markdown] items="1.2.C2"
# **What it costs.** Static codes need one pass: divide, round, clip. Dynamic ones need two, because the maximum
# must be known before the first code. The cell measures both for a (tokens, 4096) input.
# %%
pass_ms = {}
for tokens in (1, 16, 256):
    x = torch.randn(tokens, 4096, generator=torch.Generator().manual_seed(0)).to(profile.device)

    def static_codes(x=x):
        return torch.round(x * 25.0).clamp_(-127, 127).to(torch.int8)

    def dynamic_codes(x=x):
        return (
            torch.round(x * (127 / x.abs().amax(1, keepdim=True))).clamp_(-127, 127).to(torch.int8)
        )

    pass_ms[tokens] = measure(static_codes), measure(dynamic_codes)
    ratio = pass_ms[tokens][1].median_ms / pass_ms[tokens][0].median_ms
    print(f"{tokens:4d} tokens  static {pass_ms[tokens][0].median_ms:7.4f} ms  "
          f"dynamic {pass_ms[tokens][1].median_ms:7.4f} ms  {ratio:.1f} times")  # fmt: skip
print(profile.hardware)
# %% [markdown] items="1.2.C2"
# **What you should see.** Dynamic takes longer at every size, by about a third to two thirds, here with PyTorch's
# separate passes; a fused kernel narrows it. It is small beside a large matrix product, and felt beside a small one. Weights
# are never dynamic: they do not change.
# %% [markdown] items="1.2.C3 1.2.C4"
# ## Fake quantization and the straight-through estimator
#
# To train for rounding, the forward pass quantizes and **restores** at once:
#
# $$\hat x = s\,(\mathrm{clip}(\mathrm{round}(x/s) + z,\ low,\ high) - z).$$
#
# It stays a float ("fake"), on the integer grid. Backward, the **straight-through estimator** (STE) pretends that
# round is the identity and keeps only the clip:
#
# $$\frac{\partial \hat x}{\partial x} := 1 \text{ if } low \le \mathrm{round}(x/s) + z \le high, \text{ else } 0.$$
# %% [markdown] items="1.2.C4 1.2.K2"
# ## Why 1, and why 0 outside
#
# Look at the staircase from a distance. Its average slope over **one whole step**, $(Q(x + s/2) - Q(x - s/2)) / s$, is
# exactly 1 between the ends of the grid and 0 beyond: that is a finite difference with the step size that the quantizer can
# resolve. The STE is that slope.
# %% [markdown] items="1.2.C4 1.2.K2"
# Beyond the ends, moving $x$ changes nothing at any distance. A gradient there would push weights that no longer
# answer.
# %%
grid_s, grid_top = 0.5, 3
xs = np.linspace(-2.6, 2.6, 1041) + 1e-3  # off the ties of the grid


def staircase(x):
    return np.clip(np.rint(x / grid_s), -grid_top, grid_top) * grid_s


small = 1e-6
slopes = {
    "true derivative": (staircase(xs + small) - staircase(xs - small)) / (2 * small),
    "over one step": (staircase(xs + grid_s / 2) - staircase(xs - grid_s / 2)) / grid_s,
    "straight-through": (np.abs(np.rint(xs / grid_s)) <= grid_top).astype(float),
}
fig, axes = figure(rows=2, height_inch=2.3)
axes[0, 0].plot(xs, xs, ":", color=INK, label="x")
axes[0, 0].plot(xs, staircase(xs), "-", color=COLOURS[0], label="Q(x), 3 bits, s = 0.5")
axes[0, 0].set(ylabel="value")
for (name, values), colour, line in zip(
    slopes.items(), (INK, *COLOURS[1:]), (":", "-", "--"), strict=False
):
    values = np.where(np.abs(values) > 2, np.nan, values)
    axes[1, 0].plot(xs, values, line, color=colour, label=name)
axes[1, 0].set(xlabel="x", ylabel="slope")
for ax in axes[:, 0]:
    ax.legend(loc="upper left", fontsize=9)
axes[1, 0].set_ylim(-0.1, 1.75)
show(
    fig,
    alt="Above, a staircase of seven levels from -1.5 to 1.5 along the line y = x, flat beyond the ends. Below, its "
    "slopes: the true derivative is 0 everywhere; over one whole step it is 1 between -1.5 and 1.5 and 0 "
    "beyond; the straight-through gradient is 1 up to half a step further out on both sides, 0 beyond.",
)
# %% [markdown] items="1.2.C4 1.2.K2"
# **What you should see.** The two agree but for half a step at each end. Where to stop is a **convention**; here it is
# PyTorch's: what counts is the *rounded* code before clipping, both ends included. With codes up to 7, $x/s = 7.4$
# rounds to 7 and passes the gradient, $7.5$ rounds to 8 (even) and does not.
# %% [markdown] items="1.2.C3 1.2.C4 1.2.K2"
# ### Exercise: your own gradient
#
# A `torch.autograd.Function` is a pair: `forward(ctx, ...)` computes and saves what it will need,
# `backward(ctx, grad_output)` returns one gradient for **each** input of forward, `None` for those that get none.
#
# <details><summary>Hint 1</summary><code>ctx.save_for_backward(inside)</code> in forward,
# <code>(inside,) = ctx.saved_tensors</code> in backward.</details>
# <details><summary>Hint 2</summary>Compute <code>inside</code> from the codes <i>before</i> they are clipped; after it, all
# are inside.</details>
# <details><summary>Hint 3</summary><code>torch.as_tensor(scale)</code> lets one test serve numbers and tensors.</details>


# %% role="exercise" id="fake-quantize-ste" items="1.2.C3 1.2.C4 1.2.K2" minutes=15
class FakeQuantize(torch.autograd.Function):
    """Quantize and restore, with a straight-through gradient: FakeQuantize.apply(x, scale, ...).

    A network applies it many times before its backward pass: what backward needs is kept in ctx.

    >>> x = torch.tensor([-9.0, 0.3, 1.5, 7.4, 7.5], requires_grad=True)
    >>> y = FakeQuantize.apply(x, 1.0, 0, -7, 7)
    >>> y.tolist()
    [-7.0, 0.0, 2.0, 7.0, 7.0]
    >>> y.sum().backward(); x.grad.tolist()
    [0.0, 1.0, 1.0, 1.0, 0.0]
    """

    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        """(clip(round(x / scale) + zero_point, low, high) - zero_point) * scale.

        Args:
            x: float32 or float64 of any shape, infinities allowed, no NaN. It is not changed.
            scale: positive; a number, or a tensor that broadcasts against x.
            zero_point: integer-valued; a number, or a tensor that broadcasts against x.
            low, high: the smallest and the largest code, ints, low < high.

        Returns:
            tensor of x's shape and dtype. round: to nearest, ties to even, before zero_point is added.

        Raises:
            ValueError: a scale that is not positive and finite, or low >= high.
        """
        ### BEGIN SOLUTION
        scales = torch.as_tensor(scale)
        if low >= high or not (torch.isfinite(scales) & (scales > 0)).all():
            raise ValueError("Scales must be positive and finite, and low below high.")
        codes = torch.round(x / scale) + zero_point
        ctx.save_for_backward((codes >= low) & (codes <= high))
        return (codes.clamp(low, high) - zero_point) * scale
        ### END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        """The gradients of x, scale, zero_point, low, high.

        For x: grad_output where low <= round(x / scale) + zero_point <= high, exactly 0 elsewhere.
        None for the four others: they are constants.
        """
        ### BEGIN SOLUTION
        (inside,) = ctx.saved_tensors
        return (
            torch.where(inside, grad_output, torch.zeros_like(grad_output)),
            None,
            None,
            None,
            None,
        )
        ### END SOLUTION


# %% role="check" id="fake-quantize-ste" points=5
check("fake-quantize-ste", FakeQuantize)
# %% [markdown] items="1.2.C3 1.2.K1"
# ## One forward pass for all three
#
# Fake-quantize every layer's input and weight, and a float network computes what an integer one would (up to float
# rounding). With fixed ranges it is **static**; with each row's own range it is **dynamic**; and since your
# `FakeQuantize` has a gradient, it can be **trained**.
#
# Biases and sums stay in floats, as they stay in int32 on integer hardware.
# %% [markdown] items="1.2.C3 1.2.K1"
# ### Exercise: the quantized network
#
# <details><summary>Hint 1</summary>The loop is that of <code>float_forward</code>, with two calls of
# <code>FakeQuantize.apply</code> before the product.</details>
# <details><summary>Hint 2</summary>Dynamic: <code>low = x.amin(1, keepdim=True).clamp(max=0)</code>, the same for high, and
# lesson 1.1.2's formulas on the two columns.</details>
# <details><summary>Hint 3</summary>A scale is a constant: <code>detach()</code> what it is computed from, or the largest weight
# gets a second gradient through it.</details>


# %% role="exercise" id="quantized-forward" items="1.2.C3 1.2.K1" minutes=18
def quantized_forward(params, x: torch.Tensor, bits: int, ranges=None) -> torch.Tensor:
    """Logits of the ReLU network with the input and the weight of every layer fake-quantized.

    Layer k: (ReLU unless k is 0), input quantized to codes 0 .. 2**bits - 1, weight quantized to codes
    -qmax .. qmax with qmax = 2**(bits - 1) - 1 and scale max|weight| / qmax (1.0 for a weight of
    zeros), then x @ weight.T + bias. Straight-through gradients reach every weight and bias; scales
    and zero-points count as constants.

    Args:
        params: list of (weight (out, in), bias (out,)), one pair for each layer. Not changed.
        x: (rows, in), finite. Everything is computed in the dtype of x (float32 or float64).
        bits: 2 to 8, for inputs and weights.
        ranges: static: one (scale, zero_point) for each layer's input. None: dynamic, each
            row's own low = min(row, 0), high = max(row, 0), scale = (high - low) / (2**bits - 1) (1.0
            where that is 0), zero_point = round(-low / scale), ties to even.

    Returns:
        logits (rows, out of the last layer).

    Raises:
        ValueError: bits outside 2 to 8, another number of ranges than layers (an empty list too), a NaN
            or infinity in x.

    >>> layer = (torch.tensor([[3.0, -7.0]]), torch.tensor([0.5]))
    >>> quantized_forward([layer], torch.tensor([[1.2, 9.0]]), 4, ranges=[(1.0, 0)]).tolist()
    [[-59.5]]
    """
    ### BEGIN SOLUTION
    if not 2 <= bits <= 8:
        raise ValueError(f"bits is 2 to 8, not {bits}.")
    if ranges is not None and len(ranges) != len(params):
        raise ValueError(f"{len(params)} layers need as many ranges, not {len(ranges)}.")
    if not torch.isfinite(x).all():
        raise ValueError("x holds a NaN or an infinity.")
    steps, qmax = 2**bits - 1, 2 ** (bits - 1) - 1
    for k, (weight, bias) in enumerate(params):
        x = torch.relu(x) if k else x
        if ranges is None:
            low = x.detach().amin(1, keepdim=True).clamp(max=0)
            scale = (x.detach().amax(1, keepdim=True).clamp(min=0) - low) / steps
            scale = torch.where(scale > 0, scale, torch.ones_like(scale))
            zero_point = torch.round(-low / scale)
        else:
            scale, zero_point = ranges[k]
        weight_scale = weight.detach().abs().max() / qmax
        weight_scale = torch.where(weight_scale > 0, weight_scale, torch.ones_like(weight_scale))
        x = FakeQuantize.apply(x, scale, zero_point, 0, steps)
        x = x @ FakeQuantize.apply(weight, weight_scale, 0, -qmax, qmax).T + bias
    return x
    ### END SOLUTION


# %% role="check" id="quantized-forward" points=4
check("quantized-forward", quantized_forward)
# %% [markdown] items="1.2.C1 1.2.C2 1.2.K1"
# ## Static against dynamic, measured
#
# Three networks from three seeds, each in floats, static and dynamic, at 8, 4, 3 and 2 bits. One network's figure can
# be luck; the spread says how much.
# %%
SEEDS = (0, 1, 2)
networks = {seed: train_float(seed, EPOCHS) for seed in SEEDS}
results = {"float": [accuracy_percent(float_forward(p, test_x)) for p in networks.values()]}
for bits in (8, 4, 3, 2):
    results["static", bits] = [
        accuracy_percent(quantized_forward(p, test_x, bits, static_ranges(p, bits)))
        for p in networks.values()
    ]
    results["dynamic", bits] = [
        accuracy_percent(quantized_forward(p, test_x, bits)) for p in networks.values()
    ]


def spread(values):
    """Mean and range of a few accuracies, as text."""
    return f"{np.mean(values):6.2f} ({min(values):.2f} to {max(values):.2f})"


print(f"test accuracy in %, mean (least to most) of {len(SEEDS)} seeds, {len(test_x):,} images")
for name, values in results.items():
    print(f"{name if isinstance(name, str) else f'{name[0]} {name[1]} bits':16s} {spread(values)}")
# %% [markdown] items="1.2.C1 1.2.C2 1.2.K1"
# **What you should see.** At 8 bits nothing is lost, whichever way. At 4 bits static loses several points; dynamic wins some
# of them back, because each image has its own range. At 3 bits both fall far, at 2 bits to about guessing: the
# weights lose now, and a range for the inputs cannot heal that. The spread between seeds is of
# several points: too wide to rank methods by one run.
# %% [markdown] items="1.2.C3"
# ## Quantization-aware training
#
# The loop is ordinary training, with `quantized_forward` in place of the float network. Two sets of weights are in
# play: the gradient is taken at the **rounded** weights, the step is added to the **float** ones.
# Many small steps add up there until a code flips. Were the rounded weights kept instead, a step below $s/2$
# would be rounded away, every time.
# %% [markdown] items="1.2.C3 1.2.K1"
# ### Exercise: train for 4 bits
#
# Adam, with PyTorch's defaults but for the learning rate.
#
# <details><summary>Hint 1</summary><code>tuple(t.detach().clone().requires_grad_() for t in pair)</code> makes parameters of
# your own.</details>
# <details><summary>Hint 2</summary>One optimizer, made before the loop: its moments live across batches. And
# <code>zero_grad</code> for each batch.</details>
# <details><summary>Hint 3</summary>Return the float weights. Whoever uses them rounds them.</details>


# %% role="exercise" id="train-qat" items="1.2.C3 1.2.K1" minutes=12
def train_qat(params, batches, bits: int, ranges, learning_rate: float) -> list:
    """Fine-tune float parameters so that the network is good after quantization.

    For each batch in order: loss = mean cross-entropy of quantized_forward(params, x, bits, ranges)
    against the labels; one step of torch.optim.Adam (default betas and eps, no weight decay) on the float
    weights and biases. The ranges stay as they are.

    Args:
        params: list of (weight (out, in), bias (out,)). Not changed; the result shares no memory with it.
        batches: list of (x (rows, in), labels (rows,) int64), one or more.
        bits: 2 to 8. ranges: one (scale, zero_point) for each layer.
        learning_rate: of Adam.

    Returns:
        list of (weight, bias): the trained *float* parameters, in the dtype of params, detached.

    Raises:
        ValueError: no batches, or a loss of any batch that is NaN or infinite.

    >>> tiny = [(torch.tensor([[1.0], [-1.0]]), torch.zeros(2))]
    >>> batch = torch.tensor([[1.0]]), torch.tensor([1])
    >>> [(weight, bias)] = train_qat(tiny, [batch], 4, [(0.1, 0)], learning_rate=0.25)
    >>> weight.tolist(), [round(value, 4) for value in bias.tolist()]
    ([[0.75], [-0.75]], [-0.25, 0.25])
    """
    ### BEGIN SOLUTION
    if not batches:
        raise ValueError("Training needs one batch or more.")
    params = [tuple(t.detach().clone().requires_grad_() for t in pair) for pair in params]
    optimizer = torch.optim.Adam([t for pair in params for t in pair], lr=learning_rate)
    for x, labels in batches:
        loss = F.cross_entropy(quantized_forward(params, x, bits, ranges), labels)
        if not torch.isfinite(loss):
            raise ValueError(
                f"The loss is {loss.item()}: check the data or lower the learning rate."
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [tuple(t.detach() for t in pair) for pair in params]
    ### END SOLUTION


# %% role="check" id="train-qat" points=4
check("train-qat", train_qat)
# %% [markdown]
# **Predict.** At 4 bits, static quantization lost some points against floats. Of that loss, how many percent
# will this training win back, on average over the three networks?
# %% role="predict" id="predict-recovered"
my_percent_recovered = ...
# %%
tuned_float = {seed: train_float(seed, TUNE_EPOCHS, networks[seed], 1e-3) for seed in SEEDS}
for bits in (4, 3, 2):
    qat, control = [], []
    for seed in SEEDS:
        ranges = static_ranges(networks[seed], bits)
        batches = list(shuffled_batches(seed, TUNE_EPOCHS))
        tuned = train_qat(networks[seed], batches, bits, ranges, learning_rate=1e-3)
        qat.append(accuracy_percent(quantized_forward(tuned, test_x, bits, ranges)))
        # The same further training in floats, rounded afterwards: is it the rounding that helps?
        longer = tuned_float[seed]
        control.append(
            accuracy_percent(quantized_forward(longer, test_x, bits, static_ranges(longer, bits)))
        )
    results["QAT", bits], results["floats, then static", bits] = qat, control

print(f"test accuracy in %, mean (least to most) of {len(SEEDS)} seeds")
print(f"{'float':26s} {spread(results['float'])}")
for bits in (4, 3, 2):
    for way in ("static", "dynamic", "floats, then static", "QAT"):
        print(f"{way + f', {bits} bits':26s} {spread(results[way, bits])}")
means = {name: float(np.mean(values)) for name, values in results.items()}
recovered = {
    bits: 100
    * (means["QAT", bits] - means["static", bits])
    / (means["float"] - means["static", bits])
    for bits in (4, 3, 2)
}
print(
    "won back of what static lost:", ", ".join(f"{b} bits {r:.0f} %" for b, r in recovered.items())
)
reveal(my_percent_recovered, recovered[4], unit="%")
# %%
fig, axes = figure(height_inch=3.6)
ax = axes[0, 0]
for shift, (way, colour, marker) in enumerate(
    zip(
        ("static", "dynamic", "floats, then static", "QAT"),
        (*COLOURS[:2], INK, COLOURS[2]),
        "os^D",
        strict=True,
    )
):
    for place, bits in enumerate((4, 3, 2)):
        values = results[way, bits]
        at = place + 0.13 * (shift - 1.5)
        ax.plot([at, at], [min(values), max(values)], "-", color=colour, linewidth=2)
        ax.plot(at, np.mean(values), marker, color=colour, label=None if place else way)
ax.axhline(means["float"], color=INK, linewidth=1, linestyle="--", label="float")
ax.set_xticks(range(3), [f"{bits} bits" for bits in (4, 3, 2)])
ax.set_ylabel("test accuracy, %")
ax.legend(fontsize=9, loc="lower left")
show(
    fig,
    alt="Test accuracy of three seeds, mean and range, at 4, 3 and 2 bits. Static and dynamic fall from about 90 to "
    "about 50 percent and to guessing. QAT stays near the dashed float line at 4 bits, a few points below at "
    "3 bits, and is near guessing at 2 bits. Further training in floats helps little at any width.",
)
# %% [markdown] items="1.2.C3 1.2.K1"
# **What you should see.** QAT wins back most of the loss at 4 bits (about 70 to 85 %) and at 3 bits, where static was lost. The
# control, as many further steps in floats and then rounded, wins back far less: it is the rounding inside the loop that helps.
# %% [markdown] items="1.2.C3 1.2.K1"
# At 2 bits QAT fails. Two bits are the codes -1, 0, 1, and with the scale max|W| every weight below half the
# maximum is 0: nearly all of them. The **scale** is wrong there.
# %% [markdown] items="1.2.C4 1.2.K2"
# ## Learn the scale too
#
# LSQ (Esser et al. 2020) makes $s$ a parameter. The same straight-through rule, with $v = x/s$, codes
# $-q_{max} \dots q_{max}$:
#
# $$\frac{\partial \hat x}{\partial s} = \begin{cases} \mathrm{round}(v) - v & \text{inside} \\ \pm q_{max} & \text{clipped, by sign.}\end{cases}$$
#
# Inside it is the rounding error in steps; clipped values pull $s$ up. The sum over $n$ elements is divided
# by $\sqrt{n\,q_{max}}$, so that $s$ does not learn much faster than the weights (their section 2.2).
# %% [markdown] items="1.2.C4 1.2.K2"
# ### Exercise: the gradient of the scale
#
# "Inside" is as before: the rounded code lies in the range, ends included.
#
# <details><summary>Hint 1</summary>Where the code is clipped, <code>codes.clamp(-qmax, qmax)</code> is already the
# answer.</details>
# <details><summary>Hint 2</summary>Each element is weighted with the gradient that arrives at it, then added up.</details>


# %% role="exercise" id="learned-scale" items="1.2.C4 1.2.K2" minutes=10
def scale_gradient(x: torch.Tensor, scale: float, bits: int, upstream: torch.Tensor) -> float:
    """LSQ's gradient of the loss by the scale of a symmetric quantizer.

    codes = round(x / scale), ties to even; qmax = 2**(bits - 1) - 1. An element with |code| <= qmax
    contributes upstream * (code - x / scale), one with a larger code upstream * qmax, with a smaller
    one upstream * -qmax. The sum is divided by sqrt(number of elements * qmax).

    Args:
        x: float32, any shape. upstream: float32, shape of x: the gradient by the quantizer's output.
            Neither is changed.
        scale: positive. bits: 2 to 8.

    Returns:
        a Python float.

    Raises:
        ValueError: scale not positive (or NaN), bits outside 2 to 8, or x empty.

    >>> scale_gradient(torch.tensor([0.25, 1.0, 9.0, -9.0]), 1.0, 2, torch.tensor([4.0, 1.0, 3.0, 1.0]))
    0.5
    """
    ### BEGIN SOLUTION
    if not scale > 0 or not 2 <= bits <= 8 or not x.numel():
        raise ValueError("scale must be positive, bits 2 to 8, and x not empty.")
    qmax = 2 ** (bits - 1) - 1
    v = x.double() / scale
    codes = torch.round(v)
    slope = torch.where(codes.abs() <= qmax, codes - v, codes.clamp(-qmax, qmax))
    return float((slope * upstream.double()).sum() / math.sqrt(x.numel() * qmax))
    ### END SOLUTION


# %% role="check" id="learned-scale" points=3
check("learned-scale", scale_gradient)


# %% role="given" id="lsq"
class LearnedQuantize(torch.autograd.Function):
    """Your FakeQuantize's gradient for x, your scale_gradient for the scale."""

    @staticmethod
    def forward(ctx, x, scale, bits):
        qmax = 2 ** (bits - 1) - 1
        codes = torch.round(x / scale)
        ctx.save_for_backward(x, scale, codes.abs() <= qmax)
        ctx.bits = bits
        return codes.clamp(-qmax, qmax) * scale

    @staticmethod
    def backward(ctx, grad_output):
        x, scale, inside = ctx.saved_tensors
        by_scale = scale_gradient(x, scale.item(), ctx.bits, grad_output)
        return grad_output * inside, torch.full_like(scale, by_scale), None


def lsq_forward(params, scales, x, bits, ranges):
    """quantized_forward with a learned scale for each weight matrix."""
    for k, ((weight, bias), scale) in enumerate(zip(params, scales, strict=True)):
        x = torch.relu(x) if k else x
        x = FakeQuantize.apply(x, *ranges[k], 0, 2**bits - 1)
        x = x @ LearnedQuantize.apply(weight, scale, bits).T + bias
    return x


def train_lsq(params, batches, bits, ranges, learn=True):
    """QAT with weight scales that begin at 2 mean|W| / sqrt(qmax) (LSQ's start), learned or kept."""
    params = [tuple(t.clone().requires_grad_() for t in pair) for pair in params]
    qmax = 2 ** (bits - 1) - 1
    scales = [
        (2 * w.detach().abs().mean() / math.sqrt(qmax)).requires_grad_(learn) for w, _ in params
    ]
    leaves = [t for pair in params for t in pair] + (scales if learn else [])
    optimizer = torch.optim.Adam(leaves, lr=1e-3)
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(lsq_forward(params, scales, x, bits, ranges), y).backward()
        optimizer.step()
    return params, scales


# %%
learned, kept = [], []
for seed in SEEDS:
    ranges = static_ranges(networks[seed], 2)
    batches = list(shuffled_batches(seed, TUNE_EPOCHS))
    for learn, out in ((True, learned), (False, kept)):
        tuned, scales = train_lsq(networks[seed], batches, 2, ranges, learn)
        out.append(accuracy_percent(lsq_forward(tuned, scales, test_x, 2, ranges)))
results["QAT, LSQ's start, fixed", 2], results["QAT, learned scale", 2] = kept, learned
print("2 bits, test accuracy in %, mean (least to most)")
for way in ("static", "QAT", "QAT, LSQ's start, fixed", "QAT, learned scale"):
    print(f"{way:26s} {spread(results[way, 2])}")


# %% [markdown] items="1.2.C4 1.2.K2"
# **What you should see.** The network that guessed now reads most digits, with inputs of four levels and weights of three. Most of
# the gain is the *start*: $2\,\overline{|W|}/\sqrt{q_{max}}$ lies far below max|W|, so that
# more weights survive as -1 or 1. Learning it adds more on average; between two seeds the order can be the other way.
# %% [markdown] items="1.2.C1 1.2.C2 1.2.K1"
# ## At the scale of a language model
#
# The course's own language model has four blocks, each with an MLP of three matrices. Their inputs and weights are now
# quantized all three ways, the weights with one scale for each output. The rest stays in floats. Your `calibrate_inputs`
# finds the static ranges, unchanged.
# %% [markdown] items="1.2.C1 1.2.C2 1.2.K1"
# Training the whole model again would be long. Instead each quantized MLP learns to **reproduce its float
# original** on 2,048 tokens: 30 steps of Adam on the relative squared error. No labels are needed.
# %% role="given" id="language-model"
class QuantizedLinear(nn.Module):
    """A linear layer without bias, fake-quantized; `observer` None: a range for each token."""

    def __init__(self, linear, bits, observer=None):
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().clone())
        self.bits = bits
        self.qparams = observer.qparams(bits) if observer else None

    def forward(self, x):
        steps, qmax = 2**self.bits - 1, 2 ** (self.bits - 1) - 1
        if self.qparams:
            scale, zero_point = self.qparams
        else:
            low = x.detach().amin(-1, keepdim=True).clamp(max=0)
            scale = (x.detach().amax(-1, keepdim=True).clamp(min=0) - low) / steps
            scale = scale.clamp(min=1e-12)  # a token of zeros
            zero_point = torch.round(-low / scale)
        weight_scale = self.weight.detach().abs().amax(1, keepdim=True).clamp(min=1e-12) / qmax
        weight = FakeQuantize.apply(self.weight, weight_scale, 0, -qmax, qmax)
        return FakeQuantize.apply(x, scale, zero_point, 0, steps) @ weight.T


def quantize_mlps(model, bits, observers=None):
    """A copy of the model with QuantizedLinear in its MLPs: static with observers, else dynamic."""
    model = copy.deepcopy(model)
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and ".mlp." in name:
            parent, _, child = name.rpartition(".")
            observer = observers[name] if observers else None
            setattr(model.get_submodule(parent), child, QuantizedLinear(module, bits, observer))
    return model


class TokenMaxima:
    """An observer that keeps max|x| of each token."""

    def observe(self, x):
        self.values = x.abs().amax(-1).flatten()


def reconstruct(model, float_io, steps=30):
    """Train each quantized MLP to give its float original's outputs; the model is changed."""
    order = torch.Generator().manual_seed(0)
    for block, (x, y) in zip(model.model.layers, float_io, strict=True):
        optimizer = torch.optim.Adam(block.mlp.parameters(), lr=1e-3)
        for _ in range(steps):
            rows = torch.randint(len(x), (512,), generator=order).to(x.device)
            loss = ((block.mlp(x[rows]) - y[rows]) ** 2).mean() / (y**2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


# %%
from lab.lm import calibration_batch, load_lm
from lab.perplexity import perplexity

language_model = load_lm(profile=profile).float()
tokens = calibration_batch(16, 128, seed=0).to(profile.device)
lm_observers = calibrate_inputs(language_model, [tokens[:8], tokens[8:]], RangeObserver)
token_maxima = calibrate_inputs(language_model, [tokens], TokenMaxima)
loudest = {
    name: float(seen.values.max() / seen.values.median())
    for name, seen in token_maxima.items()
    if ".mlp." in name
}
print("loudest token over the median token, by layer:")
print(
    "  ".join(
        f"{name.removeprefix('model.layers.')} {ratio:.1f}" for name, ratio in loudest.items()
    )
)

float_io = []
hooks = [
    block.mlp.register_forward_hook(
        lambda _, args, out: float_io.append((args[0].flatten(0, 1), out.flatten(0, 1)))
    )
    for block in language_model.model.layers
]
with torch.no_grad():
    language_model(tokens, use_cache=False)
for hook in hooks:
    hook.remove()

WINDOWS = 16  # 2,048 scored tokens of the held-out text
lm_results = {"float": perplexity(language_model, windows=WINDOWS)}
for bits in (8, 4, 3):
    static = quantize_mlps(language_model, bits, lm_observers)
    dynamic = quantize_mlps(language_model, bits)
    lm_results[f"static, {bits} bits"] = perplexity(static, windows=WINDOWS)
    lm_results[f"dynamic, {bits} bits"] = perplexity(dynamic, windows=WINDOWS)
    if bits == 3:
        for name, model in (("static", static), ("dynamic", dynamic)):
            reconstruct(model, float_io)
            lm_results[f"{name} + QAT, {bits} bits"] = perplexity(model, windows=WINDOWS)
print("held-out perplexity, MLPs quantized (weights and inputs); lower is better")
for name, value in lm_results.items():
    print(f"{name:24s} {value:8.2f}")
# %% [markdown] items="1.2.C1 1.2.C2 1.2.K1"
# **What you should see.** At 8 bits, next to no loss. At 3 bits static is much worse than dynamic: here the *inputs* suffer.
# One static range must fit all tokens, and in some layers the loudest token is several times louder than the
# median one. QAT wins back part of either loss in 30 steps, but cannot narrow a fixed range. Best of the four is
# dynamic **and** trained: the ways combine. (One training run; the same windows.)
# %% [markdown] items="1.2.K1"
# ## In your own words
#
# Three customers: **A** has a trained 7B language model, no training data, and short requests, one at a time. **B**
# has a small image network for a chip with integers only, 500 sample images, and needs 8 bits. **C**
# has the same network and chip, all the training data, and room for 3 bits only.
#
# In 120 to 200 words: which of the three ways for each, what it costs, and what goes wrong with the
# two others? Why can C's training not use the true gradient, and what does the straight-through one get
# wrong? Use three figures from this notebook.
# %% [markdown] role="written" id="static-dynamic-or-qat" items="1.2.K1 1.2.K2" points=3
# **Model answer.** A: dynamic, per token: no data are needed, and each token has its own range; the price is a second pass over
# every input (a third to two thirds more time for the codes here), small beside a large matrix product. Static would need
# representative text, and QAT the training data and a training run.
#
# B: static: a chip without floats cannot search ranges on the fly, 500 images are plenty for a min-max or
# percentile observer, and at 8 bits nothing is lost (less than 0.2 points here). QAT would cost a training run and has
# nothing to win back.
#
# C: QAT. At 3 bits static lost tens of points here, QAT won back most of them in 500 steps; further training in
# floats did not. Dynamic does not help, since the weights are the problem.
#
# The true gradient of a staircase is 0: only 10 of the parameters learned. The straight-through one takes 1 inside the grid: the
# average slope over a step. It is wrong in detail: it ignores whether a code will flip, so weights near a tie
# swing to and fro; and at the ends the boundary is a convention.
#
# **Rubric.** 1 point: the right way for each with its cost. 1 point: what fails otherwise, with three figures used
# rightly. 1 point: zero gradient, what the STE replaces it by, where it passes nothing, and one way in which it is only an
# approximation. Half a point off for "dynamic weights" or for QAT that trains the rounded weights.
# %% [markdown]
# ## Recap
#
# - Static: observers see calibration data once; min-max remembers every freak, averages forget, percentiles clip.
# - Dynamic: each token's own range, no calibration, a second pass at every call.
# - Fake quantization restores at once; the STE passes the gradient where the rounded code is in the range.
# - QAT: gradient at the rounded weights, step on the float ones. It wins back most of what 4 and 3 bits lost.
# - At 2 bits the scale decides; LSQ learns it.
#
# **Three questions**
#
# <details><summary>1. An averaging observer has weight 0.01 and saw 20 batches. What is its range mostly?</summary>The
# first batch's: its share is still 0.99^19 = 0.83. Calibrate longer or take a larger weight.</details>
# <details><summary>2. In QAT all activations of a layer lie beyond the range. What do its weights learn?</summary>The STE
# passes nothing back through clipped inputs, so the layers before it stand still. This layer's own weights still
# learn.</details>
# <details><summary>3. Why is a row of zeros harmless in dynamic quantization, if you treat it?</summary>Its amax is 0, and
# 0/0 would be NaN. With scale 1.0 all codes are 0, and the output is the bias.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR
#   2018, section 3: training with simulated quantization, and ranges by moving averages.
# - Bengio, Leonard and Courville, *Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
#   Computation*, 2013: where the name "straight-through estimator" comes from.
# - Yin et al., *Understanding Straight-Through Estimator in Training Activation Quantized Neural Nets*, ICLR 2019: for
#   a simple network, when the coarse gradient still points downhill, and when it does not.
# - Esser et al., *Learned Step Size Quantization*, ICLR 2020, section 2: the gradient that you wrote, and its scale.
# - Krishnamoorthi, *Quantizing deep convolutional networks for efficient inference: A whitepaper*, 2018: post-training
#   against quantization-aware training on many networks.
# - Nagel et al., *A White Paper on Neural Network Quantization*, 2021, section 4: QAT in practice.
# - PyTorch, `torch.ao.quantization.observer` and `torch.fake_quantize_per_tensor_affine`: the same parts, which check
#   yours here.
#
# **Next:** the lesson on GPTQ: 3 bits without any training, from one matrix of second moments.
# %%
# Your result.
print(f"parameters that torch.round lets learn   {alive} of {parameter_count:,}")
print(f"float                                    {spread(results['float'])} %")
for bits in (8, 4, 3, 2):
    for way in ("static", "dynamic", "QAT"):
        if (way, bits) in results:
            print(f"{f'{way}, {bits} bits':40s} {spread(results[way, bits])} %")
print(f"QAT with a learned scale, 2 bits         {spread(results['QAT, learned scale', 2])} %")
print(f"won back by QAT at 4 bits                {recovered[4]:.0f} %")
for name, value in lm_results.items():
    print(f"language model, {name:24s} {value:.2f}")
