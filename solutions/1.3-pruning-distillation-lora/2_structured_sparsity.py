# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Remove what hardware can skip: channels, heads, layers, blocks, two of four
#
# **You end with:** a network whose tensors really shrink, a ranking of attention heads and layers of a language
# model, and a 2:4 format with packed metadata that compresses, restores, and refuses what is not 2:4.
#
# About 110 minutes. 37 points: 34 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network.
# You need the masks of lesson 1.
#
# Shapes: a convolution's weight is (out, in, kernel, kernel), a linear layer's (out, in). A **MAC** is one multiplication
# with its addition. Tensors that your functions get are contiguous; values are compared in their own dtype.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import copy
import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograder import check
from lab.data import load_mnist
from lab.fake_quant import decoder_linears, with_weights
from lab.lm import calibration_batch, load_lm
from lab.perplexity import perplexity
from lab.plots import COLOURS, bars, explore, figure, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile
from lab.timing import measure

# Layers this small are fastest on one thread; a second one mostly waits for the first.
torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile


# %% role="given" id="setup-bytes"
def saved_bytes(network):
    """Size of the file that torch.save writes."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.tell()


# %% role="given" id="network"
SEEDS = range(3)
STEPS, TUNE_STEPS, BATCH = 120, 40, 60


def make_network(widths=(16, 32), seed=0):
    """Two convolutions of 3 x 3, each with ReLU and pooling, and a linear layer; for (1, 28, 28)."""
    seed_everything(seed)
    return nn.Sequential(
        nn.Conv2d(1, widths[0], 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(widths[0], widths[1], 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(widths[1] * 49, 10),
    ).to(profile.device)  # fmt: skip


def train(network, steps=STEPS, seed=0, masks=None):
    """Adam, in place; masks: {parameter name: bool tensor} of weights that stay at 0."""
    dice = torch.Generator().manual_seed(seed)
    order = torch.cat([torch.randperm(len(train_x), generator=dice) for _ in range(8)])
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for rows in order[: steps * BATCH].split(BATCH):
        loss = F.cross_entropy(network(train_x[rows]), train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for name, mask in (masks or {}).items():
                network.get_parameter(name).mul_(mask)
    return network


@torch.no_grad()
def accuracy_percent(network):
    """Share of the test images that are read rightly, in percent."""
    hits = [
        network(x).argmax(1) == y for x, y in zip(test_x.split(500), test_y.split(500), strict=True)
    ]
    return float(torch.cat(hits).double().mean() * 100)


def spread(values):
    """Mean and range over the seeds."""
    return f"{np.mean(values):5.1f} ({min(values):.1f} to {max(values):.1f})"


# %% role="given" id="data"
digits = load_mnist()
train_x, test_x = (
    torch.from_numpy(images[:, None]).to(profile.device, torch.float32) / 255
    for images in (digits.train_images, digits.test_images)
)
train_y, test_y = (
    torch.from_numpy(labels.astype(np.int64)).to(profile.device)
    for labels in (digits.train_labels, digits.test_labels)
)
digits
# %% [markdown]
# ## Half of it, twice
#
# A small convolutional network. Once half of its *weights* are set to zero, wherever they are smallest. Once half of the
# *channels* of both convolutions do not exist. The next cell times both. First: how many of the multiplications
# are left in the second?
# %% role="predict" id="predict-macs"
# With half the channels in both convolutions: what percentage of the MACs is left?
my_percent = ...


# %% role="given" id="surprise"
def macs_of(network):
    """Multiply-adds for one image, counted from the shapes that really occur."""
    total, x = 0, test_x[:1]
    for layer in network:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            total += x[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()
    return total


def parameters_of(network):
    return sum(p.numel() for p in network.parameters())


whole, zeroed, halved = make_network(), make_network(), make_network((8, 16))
with torch.no_grad():
    for parameter in zeroed.parameters():
        parameter[parameter.abs() < parameter.abs().median()] = 0
print("network          parameters  non-zero       MACs   time for 64 images")
for name, network in (
    ("whole", whole),
    ("half the weights", zeroed),
    ("half the channels", halved),
):
    nonzero = sum(int((p != 0).sum()) for p in network.parameters())
    with torch.no_grad():
        time = measure(lambda n=network: n(test_x[:64]), repeats=15)
    print(f"{name:18s} {parameters_of(network):8,} {nonzero:9,} {macs_of(network):10,}   {time}")
percent_left = 100 * macs_of(halved) / macs_of(whole)
reveal(my_percent, percent_left, unit="%")
# %% [markdown] items="1.3.C2 1.3.K1"
# **What happened.** Half of the weights at zero: the same parameters, the same time. Half of the channels: under a third of the MACs,
# because the second convolution lost half of its outputs **and** half of its inputs, and the time falls with
# it. No special kernel is needed: the tensors are simply smaller.
#
# That is **structured** pruning: remove what a dense kernel can leave out. The price is paid in accuracy, since whole
# groups go, good weights among them.
# %% [markdown] items="1.3.C2 1.3.K1"
# ## What a convolution costs
#
# An output pixel of one channel is a dot product over (in / groups) · kernel². With padding $p$, stride $t$ and kernel
# $k$, an image of height $h$ gives $\lfloor (h + 2p - k)/t \rfloor + 1$ rows.
#
# **Parameters** do not depend on the image, **MACs** do: early layers have few parameters and many MACs. So removing 30 % of
# the parameters says little about time.
# %% [markdown] items="1.3.C2 1.3.K1"
# ### Exercise: count parameters and MACs
#
# <details><summary>Hint 1</summary>Weights: out * (in // groups) * kernel². A bias adds a parameter for each output channel, and no
# MAC.</details>
# <details><summary>Hint 2</summary>MACs: weights times output pixels.</details>


# %% role="exercise" id="conv-cost" items="1.3.C2 1.3.K1" minutes=8
def conv_cost(
    channels: tuple[int, int], size: tuple[int, int], kernel: int = 3, stride: int = 1,
    padding: int = 0, groups: int = 1, bias: bool = True,
) -> tuple[int, int]:  # fmt: skip
    """Parameters and MACs (for one image) of a 2-D convolution with a square kernel.

    Args:
        channels: input and output channels, each a multiple of groups.
        size: height and width of the input, pixels. kernel, stride, padding: the same for both axes.
        groups: each output channel sees in // groups input channels.
        bias: one parameter for each output channel; it is not counted as a MAC.

    Returns:
        parameters, macs: ints.

    Raises:
        ValueError: a channel count, size, kernel, stride or groups below 1, padding below 0, channels
            that groups does not divide, or a kernel larger than the padded image.

    >>> conv_cost((3, 8), (5, 4), kernel=3, stride=2, padding=1)
    (224, 1296)
    """
    ### BEGIN SOLUTION
    if min(*channels, *size, kernel, stride, groups) < 1 or padding < 0:
        raise ValueError("Sizes are 1 or more, padding 0 or more.")
    if channels[0] % groups or channels[1] % groups:
        raise ValueError(f"{groups} groups do not divide {channels} channels.")
    if min(size) + 2 * padding < kernel:
        raise ValueError(f"A kernel of {kernel} does not fit into {size} with padding {padding}.")
    weights = channels[1] * (channels[0] // groups) * kernel**2
    height, width = ((n + 2 * padding - kernel) // stride + 1 for n in size)
    return weights + bias * channels[1], weights * height * width
    ### END SOLUTION


# %% role="check" id="conv-cost" points=3
check("conv-cost", conv_cost)
# %% [markdown] items="1.3.C2"
# ## Remove a channel, and its reader
#
# Channel $c$ of a convolution is row $c$ of its weight and entry $c$ of its bias. The **next** layer reads it: a convolution at input
# $c$, a linear layer behind `Flatten` at the columns $c\,P \dots (c+1)P - 1$, with $P$ pixels in each channel.
#
# ReLU and pooling act on each channel alone, so nothing else changes: the smaller network computes **exactly** what the large one
# does with these channels at zero.
# %% [markdown] items="1.3.C2"
# ### Exercise: shrink the tensors
#
# A slice such as `w[:8]` is a *view*: it keeps the whole old memory alive. Make new tensors.
#
# <details><summary>Hint 1</summary><code>weight[keep]</code> with a list copies rows; <code>next_weight[:, keep]</code> copies input
# channels.</details>
# <details><summary>Hint 2</summary>Behind a Flatten, reshape the columns to (out, C, P), choose, and reshape
# back.</details>


# %% role="exercise" id="remove-channels" items="1.3.C2 1.3.K1" minutes=15
def remove_channels(
    weight: torch.Tensor, bias: torch.Tensor | None, next_weight: torch.Tensor, keep: list[int]
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
    """Keep some output channels of a layer, and the inputs of the next layer that read them.

    New channel k is channel keep[k] of the old layer, in the order given.

    Args:
        weight: (C, in, kernel, kernel) or (C, in). bias: (C,) or None.
        next_weight: (out, C, kernel, kernel) of a convolution; or (out, C * P) of a linear layer that
            reads the flattened channels, the P pixels of a channel side by side (P is 1 or more).
            No argument is changed.
        keep: distinct ints from 0 to C - 1, one or more.

    Returns:
        weight, bias, next_weight: new tensors with len(keep) channels, each of the dtype of its old one, that
        share no memory with the old ones and hold no more memory than their own values; bias None stays None.

    Raises:
        ValueError: keep is empty, has a channel twice or one outside 0 .. C - 1; bias has not C entries; or
            next_weight does not read C channels.

    >>> w, b, nxt = remove_channels(
    ...     torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([4.0, 5.0, 6.0]), torch.arange(6.0)[None], [2, 0])
    >>> w.tolist(), b.tolist(), nxt.tolist()
    ([[3.0], [1.0]], [6.0, 4.0], [[4.0, 5.0, 0.0, 1.0]])
    """
    ### BEGIN SOLUTION
    channels = len(weight)
    keep = list(keep)
    if not keep or len(set(keep)) < len(keep) or not all(0 <= k < channels for k in keep):
        raise ValueError(f"keep names one or more distinct channels from 0 to {channels - 1}.")
    if bias is not None and bias.shape != (channels,):
        raise ValueError(f"The bias has shape {tuple(bias.shape)}, not ({channels},).")
    columns, rest = next_weight.shape[1], next_weight.shape[2:]
    if columns != channels if len(rest) else columns % channels or not columns:
        raise ValueError(f"{columns} inputs of the next layer do not read {channels} channels.")
    by_channel = next_weight.reshape(len(next_weight), channels, columns // channels, *rest)
    smaller = by_channel[:, keep].reshape(len(next_weight), -1, *rest)
    return weight[keep], None if bias is None else bias[keep], smaller
    ### END SOLUTION


# %% role="check" id="remove-channels" points=5
check("remove-channels", remove_channels)


# %% role="given" id="prune-network"
def prune_channels(network, share):
    """A smaller copy: the channels of both convolutions with the least L1 norm are gone.

    Li et al. 2017: sum |w| over a filter is its score.
    """
    new = copy.deepcopy(network)
    for layer, reader in ((new[0], new[3]), (new[3], new[7])):
        scores = layer.weight.detach().abs().sum((1, 2, 3))
        keep = torch.argsort(scores, descending=True)[: round((1 - share) * len(scores))]
        parts = remove_channels(
            layer.weight.detach(),
            layer.bias.detach(),
            reader.weight.detach(),
            keep.sort().values.tolist(),
        )
        layer.weight, layer.bias, reader.weight = (nn.Parameter(p) for p in parts)
        layer.out_channels = len(keep)
        if isinstance(reader, nn.Conv2d):
            reader.in_channels = len(keep)
        else:
            reader.in_features = reader.weight.shape[1]
    return new


def smallest_masks(network, share):
    """Layer-wise magnitude masks of the weight matrices (lesson 1)."""
    masks = {}
    for name, p in network.named_parameters():
        if p.ndim > 1:
            order = torch.argsort(p.detach().abs().flatten(), stable=True)
            flat = torch.ones(p.numel(), dtype=torch.bool, device=p.device)
            flat[order[: round(share * p.numel())]] = False
            masks[name] = flat.reshape(p.shape)
    return masks


# %% [markdown] items="1.3.C2 1.3.K1"
# **Measure.** Three networks are trained. From each, a share of the channels is removed by the L1 norm of their filters, or as large a share of
# the weights; then both are tuned for 40 steps. A network that is small **from the start** gets all the steps.
# %%
networks = {seed: train(make_network(seed=seed), seed=seed) for seed in SEEDS}
found, costs = {}, {}
for seed, network in networks.items():
    found.setdefault(("whole", 0.0), []).append(accuracy_percent(network))
    for share in (0.5, 0.75):
        small = prune_channels(network, share)
        found.setdefault(("channels, not tuned", share), []).append(accuracy_percent(small))
        train(small, TUNE_STEPS, seed=100 + seed)
        found.setdefault(("channels, tuned", share), []).append(accuracy_percent(small))
        sparse, masks = copy.deepcopy(network), smallest_masks(network, share)
        with torch.no_grad():
            for name, mask in masks.items():
                sparse.get_parameter(name).mul_(mask)
        train(sparse, TUNE_STEPS, seed=100 + seed, masks=masks)
        found.setdefault(("weights, tuned", share), []).append(accuracy_percent(sparse))
        widths = tuple(round(w * (1 - share)) for w in (16, 32))
        fresh = train(make_network(widths, seed), STEPS + TUNE_STEPS, seed=seed)
        found.setdefault(("small from the start", share), []).append(accuracy_percent(fresh))
        costs["channels, tuned", share] = small
        costs["weights, tuned", share] = sparse
print("test accuracy in %, mean (least to most) of 3 seeds")
for (name, share), values in found.items():
    print(f"{share:4.0%}  {name:21s} {spread(values)}")
print("\nremoved                 parameters  bytes on disk       MACs   64 images")
for (name, share), network in {("whole", 0.0): networks[0], **costs}.items():
    with torch.no_grad():
        time = measure(lambda n=network: n(test_x[:64]), repeats=15)
    print(
        f"{share:4.0%}  {name:16s} {parameters_of(network):11,} {saved_bytes(network):14,} "
        f"{macs_of(network):10,}   {time.median_ms:6.2f} ms"
    )
print(profile.hardware)
# %% [markdown] items="1.3.C2 1.3.K1"
# **What you should see.** Without tuning the accuracy hangs on luck: look at the spread. Forty steps repair most of it. The pruned network is at
# least as good as one that was small **from the start**: on MNIST clearly better, on the stand-in digits level. At the same share, single
# weights cost less accuracy: they choose freely. But only the channels made anything smaller: parameters, file, MACs and
# time.
# %% [markdown] items="1.3.C2 1.3.C3"
# ## Heads: what would the loss say?
#
# Which **attention heads** can go? Put a gate $\xi_h = 1$ on the output $A_h$ of head $h$. Closing it changes the loss, to first order (Taylor), by
# $\partial L / \partial \xi_h = \sum A_h \odot \partial L / \partial A_h$. Michel et al. (2019) take, over tokens and features,
#
# $$I_h = \frac{1}{N} \sum_{x} \Big| \sum_{t,d} A_h(x)_{td}\, \frac{\partial L(x)}{\partial A_h(x)_{td}} \Big|.$$
#
# Bars *outside* the inner sum: within a sequence, effects may cancel.
# %% [markdown] items="1.3.C2 1.3.C3"
# ### Exercise: head importance
#
# One backward pass gives what you need to score all heads.
#
# <details><summary>Hint 1</summary><code>(outputs * gradients).reshape(sequences, tokens, heads, -1)</code> splits the
# features.</details>
# <details><summary>Hint 2</summary>Sum over tokens and features, then the absolute value, then the mean over
# sequences.</details>


# %% role="exercise" id="head-importance" items="1.3.C2 1.3.C3" minutes=12
def head_importance(outputs: torch.Tensor, gradients: torch.Tensor, heads: int) -> torch.Tensor:
    """Taylor importance of each attention head of a layer.

    For each sequence and head: the sum of output * gradient over all tokens and features of the head,
    and of that the absolute value; the mean of it over the sequences.

    Args:
        outputs: (sequences, tokens, heads * head_dim) float32 or float64: the heads' outputs side by side,
            head 0 first. gradients: the same shape: of each sequence's own loss. Neither is changed.
        heads: how many.

    Returns:
        (heads,) tensor of the dtype of outputs.

    Raises:
        ValueError: not three axes, shapes that differ, no sequences, tokens or features, heads below 1, or features
            that heads does not divide.

    >>> outputs = torch.tensor([[[1.0, 2.0], [3.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]])
    >>> gradients = torch.tensor([[[1.0, 1.0], [-1.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])
    >>> head_importance(outputs, gradients, 2).tolist()
    [2.0, 1.5]
    """
    ### BEGIN SOLUTION
    if outputs.ndim != 3 or outputs.shape != gradients.shape or not outputs.numel():
        raise ValueError("outputs and gradients have one shape, (sequences, tokens, features).")
    if heads < 1 or outputs.shape[2] % heads:
        raise ValueError(f"{heads} heads do not divide {outputs.shape[2]} features.")
    products = (outputs * gradients).reshape(*outputs.shape[:2], heads, -1)
    return products.sum((1, 3)).abs().mean(0)
    ### END SOLUTION


# %% role="check" id="head-importance" points=5
check("head-importance", head_importance)


# %% role="given" id="language-model"
language_model = load_lm(profile=profile).float()
WINDOWS = 8  # 1,024 scored tokens: enough to compare versions of one model on the same text
HEADS = language_model.config.num_attention_heads
LAYERS = language_model.config.num_hidden_layers


def taylor_scores(model, tokens):
    """(layers, heads): your head_importance from one backward pass over tokens (sequences, length)."""
    seen = []

    def watch(_module, args):
        args[0].requires_grad_().retain_grad()
        seen.append(args[0])

    handles = [b.self_attn.o_proj.register_forward_pre_hook(watch) for b in model.model.layers]
    try:
        logits = model(tokens, use_cache=False).logits
        losses = F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
        losses.mean(1).sum().backward()  # each sequence's own loss: the sum mixes no gradients
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack([head_importance(a.detach(), a.grad, HEADS) for a in seen])


def without_heads(model, gone):
    """A copy in which the heads (layer, head) in `gone` write nothing: o_proj's columns are 0."""
    model = copy.deepcopy(model)
    for layer, head in gone:
        columns = model.model.layers[layer].self_attn.o_proj.weight
        width = columns.shape[1] // HEADS
        columns.data[:, head * width : (head + 1) * width] = 0
    return model


# %%
tokens = calibration_batch(16, 128, seed=0).to(profile.device)
taylor = taylor_scores(language_model, tokens)
norms = torch.stack(
    [
        b.self_attn.o_proj.weight.float()
        .reshape(b.self_attn.o_proj.weight.shape[0], HEADS, -1)
        .norm(dim=(0, 2))
        for b in language_model.model.layers
    ]
)
places = [(layer, head) for layer in range(LAYERS) for head in range(HEADS)]


def ranked(scores):
    """Heads from the least to the most important."""
    return [places[i] for i in torch.argsort(scores.flatten(), stable=True).tolist()]


head_ppl = {0: {"dense": perplexity(language_model, windows=WINDOWS)}}
for count in (2, 4, 8):
    row = {}
    for name, order in (
        ("least Taylor", ranked(taylor)), ("least norm", ranked(norms)), ("most Taylor", ranked(-taylor))
    ):  # fmt: skip
        row[name] = perplexity(without_heads(language_model, order[:count]), windows=WINDOWS)
    chance = []
    for seed in range(5):
        drawn = np.random.default_rng(seed).permutation(len(places))[:count]
        chance.append(
            perplexity(without_heads(language_model, [places[i] for i in drawn]), windows=WINDOWS)
        )
    row["random, 5 draws"] = chance
    head_ppl[count] = row
print(f"Taylor importance, {LAYERS} layers x {HEADS} heads\n{np.round(taylor.cpu().numpy(), 3)}")
print(f"held-out perplexity, dense {head_ppl[0]['dense']:.2f}")
for count in (2, 4, 8):
    shown = "  ".join(
        f"{name} {spread(v) if isinstance(v, list) else f'{v:.1f}'}"
        for name, v in head_ppl[count].items()
    )
    print(f"{count} of {len(places)} heads gone: {shown}")
# %% [markdown] items="1.3.C2 1.3.C3"
# **What you should see.** A quarter of the heads, chosen by Taylor, costs next to nothing, half of them a few points of perplexity. The
# norm of a head's columns, which never asks the loss, does worse. Most random draws are catastrophes: the first layer has heads that
# the model cannot do without, and Taylor found them.
# %% [markdown] items="1.3.C2"
# **Delete.** Here columns were zeroed, which saves nothing. The next cell deletes. In this model two query heads share a key and
# value head, so a whole **group** goes: rows of q, k and v, columns of the output. Your `remove_channels` does it.
# %%
GROUPS = language_model.config.num_key_value_heads


def without_groups(model, gone):
    """A copy whose attention really lacks the groups (layer, group) in `gone`."""
    model = copy.deepcopy(model)
    for layer, group in gone:
        attention = model.model.layers[layer].self_attn
        q, k, v, o = (getattr(attention, f"{name}_proj") for name in "qkvo")
        width = attention.head_dim * HEADS // GROUPS
        keep = [row for row in range(len(q.weight)) if row // width != group]
        rows, _, columns = remove_channels(q.weight.detach(), None, o.weight.detach(), keep)
        q.weight, o.weight = nn.Parameter(rows), nn.Parameter(columns)
        for reader in (k, v):
            keep = [r for r in range(len(reader.weight)) if r // attention.head_dim != group]
            reader.weight = nn.Parameter(reader.weight.detach()[keep])
    return model


group_scores = taylor.reshape(LAYERS, GROUPS, -1).sum(-1)
best = group_scores.min(1)
idle = [(layer, int(best.indices[layer])) for layer in best.values.argsort()[:2].tolist()]
shrunk = without_groups(language_model, idle)
both = HEADS // GROUPS
silenced = without_heads(language_model, [(n, g * both + k) for n, g in idle for k in range(both)])
with torch.no_grad():
    gap = (shrunk(tokens[:2]).logits - silenced(tokens[:2]).logits).abs().max()
sizes = [sum(p.numel() for p in m.parameters()) for m in (language_model, silenced, shrunk)]
print(f"groups (layer, group) gone: {idle}; largest difference in logits {float(gap):.1e}")
print(f"parameters: whole {sizes[0]:,}, zeroed {sizes[1]:,}, deleted {sizes[2]:,}")
print(
    f"perplexity: whole {head_ppl[0]['dense']:.2f}, deleted {perplexity(shrunk, windows=WINDOWS):.2f}"
)
# %% [markdown] items="1.3.C2 1.3.K1"
# **What you should see.** Zeroed and deleted compute the same logits, up to rounding. Zeroed has all its parameters, deleted a twentieth fewer, its
# matrix products are smaller on any machine, and so is its key-value cache: these groups no longer store anything.
# %% [markdown] items="1.3.C2"
# ## Whole layers
#
# A transformer block *adds* to its input: $x_{l+1} = x_l + f(x_l)$. Where $f$ adds little, the block can be left out, and
# time falls in proportion on any hardware. ShortGPT (Men et al. 2024) scores a block by how far it **turns** the
# hidden state of a token, **block influence**:
#
# $$BI_l = 1 - \frac{1}{T}\sum_t \cos(x_{l,t},\, x_{l+1,t}).$$
# %% [markdown] items="1.3.C2"
# ### Exercise: block influence
#
# <details><summary>Hint 1</summary>The cosine belongs to each token: dot product over the two lengths, then the mean.</details>
# <details><summary>Hint 2</summary>A token whose state is all zeros has no direction: refuse it.</details>


# %% role="exercise" id="block-influence" items="1.3.C2" minutes=8
def block_influence(before: torch.Tensor, after: torch.Tensor) -> float:
    """1 - the mean over all tokens of the cosine between a token's state before and after a block.

    Args:
        before, after: (..., hidden) float32 or float64, of one shape; every vector along the last axis is
            a token. Neither is changed.

    Returns:
        a Python float, 0 (no turn) to 2 (turned round).

    Raises:
        ValueError: shapes that differ, no tokens or no features, or a token that is all zeros.

    >>> block_influence(torch.tensor([[1.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 2.0], [6.0, 8.0]]))
    0.5
    """
    ### BEGIN SOLUTION
    if before.shape != after.shape or not before.numel():
        raise ValueError("before and after have one shape, with one token or more.")
    before, after = before.double(), after.double()
    lengths = before.norm(dim=-1) * after.norm(dim=-1)
    if (lengths == 0).any():
        raise ValueError("A token of zeros has no direction.")
    return float(1 - ((before * after).sum(-1) / lengths).mean())
    ### END SOLUTION


# %% role="check" id="block-influence" points=3
check("block-influence", block_influence)
# %%
with torch.no_grad():
    states = language_model.model(tokens, use_cache=False, output_hidden_states=True).hidden_states


def without_layer(model, layer):
    """A copy with one block left out: smaller file, shorter pass."""
    model = copy.deepcopy(model)
    model.model.layers = nn.ModuleList(b for k, b in enumerate(model.model.layers) if k != layer)
    for k, block in enumerate(model.model.layers):
        block.self_attn.layer_idx = k
    model.config.num_hidden_layers -= 1
    return model


# The last state that transformers gives is already behind the final norm: take the block's own output.
grabbed = []
handle = language_model.model.layers[-1].register_forward_hook(
    lambda _m, _a, out: grabbed.append(out[0] if isinstance(out, tuple) else out)
)
with torch.no_grad():
    language_model(tokens, use_cache=False)
handle.remove()
states = [*states[:-1], grabbed[0]]
layer_rows = {}
for layer in range(LAYERS):
    smaller = without_layer(language_model, layer)
    layer_rows[layer] = (
        block_influence(states[layer], states[layer + 1]),
        perplexity(smaller, windows=WINDOWS),
    )
with torch.no_grad():
    whole_ms = measure(lambda: language_model(tokens[:2], use_cache=False), repeats=7).median_ms
    short_ms = measure(lambda: smaller(tokens[:2], use_cache=False), repeats=7).median_ms
print(
    f"dense: perplexity {head_ppl[0]['dense']:.2f}, {whole_ms:.1f} ms for 256 tokens; three blocks {short_ms:.1f} ms"
)
for layer, (influence, value) in layer_rows.items():
    print(f"without block {layer}: influence {influence:.3f}, perplexity {value:9.2f}")
# %% [markdown] items="1.3.C2"
# **What you should see.** Block influence puts the four in the right order, without looking at the loss. The first block turns every
# state nearly at right angles: it makes something new of the embeddings; nothing works without it. The second adds little:
# dropping it costs a few points of perplexity before tuning, saves a fifth of the model. Time falls too; the output layer
# stays. In ShortGPT's deep models idle blocks lie from the *middle* on, the last excepted.
# %% [markdown] items="1.3.C2"
# ## Blocks: a middle way
#
# **Block sparsity** removes tiles of a matrix, say 16 x 16. A kernel skips a whole tile and computes the others densely; the
# places cost one index a tile instead of one a weight. A tile's score is its norm. The larger the tile, the
# easier for the hardware, and the more good weights go with the bad.
# %% [markdown] items="1.3.C2"
# ### Exercise: a mask of blocks
#
# <details><summary>Hint 1</summary><code>weight.reshape(R // r, r, K // c, c)</code>: axes 1 and 3 are inside a
# block.</details>
# <details><summary>Hint 2</summary><code>repeat_interleave</code> twice makes blocks of a mask of tiles.</details>


# %% role="exercise" id="block-mask" items="1.3.C2" minutes=10
def block_mask(weight: torch.Tensor, block: tuple[int, int], sparsity: float) -> torch.Tensor:
    """Remove the blocks with the least sum of squares.

    Exactly round(sparsity * blocks) blocks are removed (round: a half goes to the even number). Of equal sums
    those first in row-major order of the blocks go first.

    Args:
        weight: (R, K) float32 or float64, not changed.
        block: rows and columns of a block; they divide R and K.
        sparsity: share of the blocks that is removed, 0 to 1.

    Returns:
        bool (R, K), True where a weight stays: constant within a block.

    Raises:
        ValueError: sparsity outside [0, 1] or NaN; a weight without two axes or without entries; a block size below 1,
            or one that does not divide its dimension.

    >>> weight = torch.tensor([[1.0, 1.0, 0.0, 3.0], [1.0, 1.0, 0.0, 0.0]])
    >>> block_mask(weight, (2, 2), 0.5).int().tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    ### BEGIN SOLUTION
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a share from 0 to 1, not {sparsity}.")
    if weight.ndim != 2 or not weight.numel():
        raise ValueError(f"The weight is a matrix with entries, not {tuple(weight.shape)}.")
    (rows, columns), (r, c) = weight.shape, block
    if r < 1 or c < 1 or rows % r or columns % c:
        raise ValueError(f"Blocks of {r} x {c} do not divide a matrix of {rows} x {columns}.")
    sums = weight.double().reshape(rows // r, r, columns // c, c).square().sum((1, 3))
    tiles = torch.ones(sums.numel(), dtype=torch.bool, device=weight.device)
    tiles[torch.argsort(sums.flatten(), stable=True)[: round(sparsity * sums.numel())]] = False
    return tiles.reshape(sums.shape).repeat_interleave(r, 0).repeat_interleave(c, 1)
    ### END SOLUTION


# %% role="check" id="block-mask" points=4
check("block-mask", block_mask)
# %% [markdown] items="1.3.C5"
# ## Two of every four
#
# Since NVIDIA's Ampere, tensor cores know one kind of sparsity: in each group of **four neighbours along the inputs** (the axis that
# is summed) at most **two** are non-zero. Stored are two values and two indices of two bits. The core takes the two inputs that the
# indices name: half of the multiplications.
#
# Pruning to it is greedy and local: the two largest magnitudes of each four stay, exactly 50 %.
# %% [markdown] items="1.3.C5 1.3.K6"
# ### Exercise: the best 2:4 mask
#
# <details><summary>Hint 1</summary><code>weight.reshape(rows, -1, 4)</code>, and a ranking along the last axis.</details>
# <details><summary>Hint 2</summary><code>argsort(descending=True, stable=True)</code> leaves equal magnitudes in order; the first two
# stay. <code>scatter_</code> writes True there.</details>


# %% role="exercise" id="mask-two-four" items="1.3.C5 1.3.K6" minutes=8
def mask_two_four(weight: torch.Tensor) -> torch.Tensor:
    """True for the two largest magnitudes of every four neighbours in a row.

    Groups: columns 0-3, 4-7, ... of each row. Exactly two entries of each group are True. Of equal
    magnitudes those with the lower column stay.

    Args:
        weight: (rows, columns) float32 or float64, finite, not changed; columns a multiple of 4.

    Returns:
        bool (rows, columns).

    Raises:
        ValueError: not two axes, no entries, or columns that are not a multiple of 4.

    >>> mask_two_four(torch.tensor([[1.0, -3.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]])).int().tolist()
    [[0, 1, 1, 0, 1, 1, 0, 0]]
    """
    ### BEGIN SOLUTION
    if weight.ndim != 2 or not weight.numel() or weight.shape[1] % 4:
        raise ValueError(f"A matrix with 4, 8, 12 ... columns is asked, not {tuple(weight.shape)}.")
    groups = weight.abs().reshape(len(weight), -1, 4)
    best = torch.argsort(groups, dim=-1, descending=True, stable=True)[..., :2]
    mask = torch.zeros_like(groups, dtype=torch.bool).scatter_(-1, best, True)
    return mask.reshape(weight.shape)
    ### END SOLUTION


# %% role="check" id="mask-two-four" points=4
check("mask-two-four", mask_two_four)
# %% [markdown] items="1.3.C5 1.3.K6"
# ## The format
#
# Each group has two positions $i < j$ and their values. Metadata: $i$ in the two low of four bits, $j$ in the high ones. Two groups
# share a byte, the first in the low half. (Hardware orders its words in its own way.)
#
# Below two non-zeros, zeros fill up, lowest positions first: `[0, 0, 0, 5]` is positions 0 and 3, values 0, 5. Three are
# **illegal**: storing two loses one in silence.
# %% [markdown] items="1.3.C5 1.3.K6"
# ### Exercise: compress
#
# <details><summary>Hint 1</summary>Positions: sort by (is zero, position), stable; take two; sort those. <code>torch.argsort((groups == 0).int(),
# dim=-1, stable=True)[..., :2].sort(-1)</code>.</details>
# <details><summary>Hint 2</summary><code>torch.gather(groups, -1, positions)</code> picks the values.</details>
# <details><summary>Hint 3</summary>A nibble is <code>i | j &lt;&lt; 2</code>. With an odd number of groups add a column of zeros before you
# pair them.</details>


# %% role="exercise" id="compress-two-four" items="1.3.C5 1.3.K6" minutes=18
def compress_two_four(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values and packed metadata of a 2:4 sparse matrix.

    In each group of four columns: positions i < j of its non-zeros; where there are fewer than two, the
    lowest positions of zeros fill up (-0.0 is a zero). The code of a group is i + 4 * j. Byte b of a row holds
    the code of group 2b in its low four bits and that of group 2b + 1 in its high four; the high half of the last byte
    is 0 where the number of groups is odd.

    Args:
        weight: (rows, columns) float32, float16 or int8, not changed; columns a multiple of 4.

    Returns:
        values: (rows, columns / 2) of the weight's dtype, group by group, in the order i, j.
        metadata: uint8 (rows, ceil(columns / 8)).

    Raises:
        ValueError: not two axes, no entries, columns that are not a multiple of 4, or a group with more than two
            non-zeros.

    >>> values, metadata = compress_two_four(torch.tensor([[0.0, 7.0, 0.0, 8.0, 0.0, 0.0, 0.0, 5.0]]))
    >>> values.tolist(), metadata.tolist()
    ([[7.0, 8.0, 0.0, 5.0]], [[205]])
    """
    ### BEGIN SOLUTION
    if weight.ndim != 2 or not weight.numel() or weight.shape[1] % 4:
        raise ValueError(f"A matrix with 4, 8, 12 ... columns is asked, not {tuple(weight.shape)}.")
    groups = weight.reshape(len(weight), -1, 4)
    if ((groups != 0).sum(-1) > 2).any():
        raise ValueError("A group of four has more than two non-zeros: prune it to 2:4 first.")
    order = torch.argsort((groups == 0).int(), dim=-1, stable=True)
    positions = order[..., :2].sort(-1).values
    values = torch.gather(groups, -1, positions).reshape(len(weight), -1)
    codes = F.pad(positions[..., 0] + 4 * positions[..., 1], (0, groups.shape[1] % 2))
    return values, (codes[:, ::2] + 16 * codes[:, 1::2]).to(torch.uint8)
    ### END SOLUTION


# %% role="check" id="compress-two-four" points=6
check("compress-two-four", compress_two_four)
# %% [markdown] items="1.3.C5 1.3.K6"
# ### Exercise: decompress, and refuse
#
# Metadata comes from a file, and files are damaged. A code with $i \ge j$ names no two places.
#
# <details><summary>Hint 1</summary>Codes: <code>torch.stack([metadata &amp; 15, metadata &gt;&gt; 4], -1).flatten(1)</code>, cut to the number of
# groups; <code>.long()</code> first.</details>
# <details><summary>Hint 2</summary><code>scatter_</code> on zeros of shape (rows, groups, 4) puts the values back.</details>


# %% role="exercise" id="decompress-two-four" items="1.3.C5 1.3.K6" minutes=12
def decompress_two_four(values: torch.Tensor, metadata: torch.Tensor) -> torch.Tensor:
    """The dense matrix, from what compress_two_four returns.

    Args:
        values: (rows, columns / 2) float32, float16 or int8, an even number in each row.
        metadata: uint8 (rows, ceil(columns / 8)); the high half of the last byte is not read where the
            number of groups is odd. Neither is changed.

    Returns:
        (rows, columns) of the dtype of values, zeros elsewhere.

    Raises:
        ValueError: values without two axes or without entries, or with an odd number in a row; metadata of another shape or
            dtype than these values need; a code whose position i is not below its j, whatever its values are.

    >>> decompress_two_four(torch.tensor([[7.0, 8.0]]), torch.tensor([[13]], dtype=torch.uint8)).tolist()
    [[0.0, 7.0, 0.0, 8.0]]
    """
    ### BEGIN SOLUTION
    if values.ndim != 2 or not values.numel() or values.shape[1] % 2:
        raise ValueError(f"values have an even number in each row, not {tuple(values.shape)}.")
    rows, groups = len(values), values.shape[1] // 2
    if metadata.shape != (rows, -(-groups // 2)) or metadata.dtype != torch.uint8:
        raise ValueError(
            f"{groups} groups need uint8 metadata of shape ({rows}, {-(-groups // 2)})."
        )
    bytes_ = metadata.long()
    codes = torch.stack([bytes_ & 15, bytes_ >> 4], -1).flatten(1)[:, :groups]
    positions = torch.stack([codes & 3, codes >> 2], -1)
    if (positions[..., 0] >= positions[..., 1]).any():
        raise ValueError("A metadata code does not name two ascending positions: damaged.")
    dense = torch.zeros(rows, groups, 4, dtype=values.dtype, device=values.device)
    return dense.scatter_(-1, positions, values.reshape(rows, groups, 2)).reshape(rows, -1)
    ### END SOLUTION


# %% role="check" id="decompress-two-four" points=4
check("decompress-two-four", decompress_two_four)
# %% role="predict" id="predict-storage"
# 2:4 in int8, metadata included: what percentage of the dense int8 bytes is stored?
my_stored = ...
# %%
layer = language_model.model.layers[0].mlp.up_proj.weight.detach().float()
pruned = layer * mask_two_four(layer)
stored_percent = {}
for dtype in (torch.float32, torch.float16, torch.int8):
    if dtype == torch.int8:
        dense = torch.round(pruned / pruned.abs().max() * 127).to(dtype)
    else:
        dense = pruned.to(dtype)
    values, metadata = compress_two_four(dense)
    assert torch.equal(decompress_two_four(values, metadata), dense)
    stored = values.nbytes + metadata.nbytes
    stored_percent[dtype] = 100 * stored / dense.nbytes
    print(
        f"{str(dtype):14s} dense {dense.nbytes:9,} bytes, 2:4 {stored:9,} bytes: {stored_percent[dtype]:.2f} %"
    )
reveal(my_stored, stored_percent[torch.int8], unit="%")


# %%
def draw_storage(value_bits=8, kept=2, group=4):
    kept = min(kept, group)
    index_bits = math.ceil(math.log2(group)) if group > 1 else 0
    per_group = {"values": kept * value_bits, "metadata": kept * index_bits}
    dense = group * value_bits
    total = 100 * sum(per_group.values()) / dense
    fig, axes = figure(height_inch=1.7)
    ax, left = axes[0, 0], 0
    for (name, bits), colour in zip(per_group.items(), COLOURS, strict=False):
        ax.barh([0], [100 * bits / dense], left=left, color=colour, label=f"{name}, {bits} bits")
        left += 100 * bits / dense
    ax.axvline(100 * kept / group, color="black", linestyle="--", label="values alone")
    ax.set(xlim=(0, 130), yticks=[], xlabel="% of the dense bytes")
    ax.set_title(f"{kept}:{group}, {value_bits}-bit values: {total:.2f} %", loc="left", fontsize=11)
    ax.legend(loc="lower right", fontsize=8)
    return fig, (
        f"A bar of stored bits for {kept}:{group} sparsity with {value_bits}-bit values: values and metadata "
        f"together {total:.2f} % of the dense bytes, values alone {100 * kept / group:.0f} %."
    )


explore(draw_storage, value_bits=[8, 16, 4, 32], kept=(1, 4, 1), group=[4, 8, 16, 2])


# %% [markdown] items="1.3.C5"
# **What you should see.** 56.25 % with 16-bit values, 62.5 % with 8-bit ones, not 50: each kept value brings two bits along. With 4-bit values it would be
# 75 %. Metadata do not shrink with the values: sparsity and quantization *compete*. Longer groups cost longer indices. And
# "50 % sparse, twice as fast" is the arithmetic's best case only.
# %% [markdown] items="1.3.C2 1.3.C5 1.3.K1"
# ## One model, one sparsity, five structures
#
# All linear layers of the language model's decoder at exactly 50 %, one-shot: single weights, 2:4, blocks, whole rows (a row is an
# output: a *neuron*). The freer the pattern, the better the model; the stricter, the more hardware can use it.
# %% role="given" id="structures"
def single_mask(weight):
    """The half with the largest magnitudes (lesson 1)."""
    return block_mask(weight, (1, 1), 0.5)


STRUCTURES = {
    "single weights": single_mask,
    "2:4": mask_two_four,
    "blocks 4 x 4": lambda w: block_mask(w, (4, 4), 0.5),
    "blocks 16 x 16": lambda w: block_mask(w, (16, 16), 0.5),
    "whole rows": lambda w: block_mask(w, (1, w.shape[1]), 0.5),
}


def tune_lm(model, masks, steps=10, learning_rate=3e-4):
    """Train the decoder's linear layers on the training text, in place; masked weights stay 0."""
    linears = decoder_linears(model)
    optimizer = torch.optim.Adam(
        [m.weight.requires_grad_() for m in linears.values()], lr=learning_rate
    )
    for step in range(steps):
        batch = calibration_batch(4, 128, seed=step).to(model.device)
        loss = model(batch, labels=batch, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        for name, linear in linears.items():
            linear.weight.grad *= masks[name]
        optimizer.step()
    return model


# %%
lm_rows = {}
for name, mask_of in STRUCTURES.items():
    masks = {k: mask_of(m.weight.detach()) for k, m in decoder_linears(language_model).items()}
    pruned = with_weights(language_model, lambda k, w, masks=masks: w * masks[k])
    one_shot = perplexity(pruned, windows=WINDOWS)
    lm_rows[name] = one_shot, perplexity(tune_lm(pruned, masks), windows=WINDOWS)
alike = sum(
    int((single_mask(w) & mask_two_four(w)).sum())
    for w in (m.weight.detach() for m in decoder_linears(language_model).values())
) / (sum(m.weight.numel() for m in decoder_linears(language_model).values()) / 2)
print(f"of the weights that 2:4 keeps, a free choice keeps {alike:.0%} too")
print(f"held-out perplexity, dense {head_ppl[0]['dense']:.2f}")
for name, (one_shot, tuned) in lm_rows.items():
    print(f"{name:16s} one-shot {one_shot:9.2f}   10 steps of tuning {tuned:8.2f}")
show(
    bars({name: tuned for name, (_, tuned) in lm_rows.items()}, unit="perplexity",
         reference=("dense", head_ppl[0]["dense"]), title="50 % removed, 10 steps of tuning"),
    alt="Bars of held-out perplexity of the language model with half of its weights removed and ten steps of tuning, by structure: "
    + ", ".join(f"{name} {tuned:.1f}" for name, (_, tuned) in lm_rows.items())
    + f"; the dense model has {head_ppl[0]['dense']:.1f}.",
)  # fmt: skip


# %% [markdown] items="1.3.C2 1.3.C5 1.3.K1"
# **What you should see.** The order is that of freedom: single weights, 2:4 close behind, then, far away, blocks and whole rows.
# 2:4 is the exception that pays: hardware can use it, and the model hardly minds, since most of what it keeps a free choice
# would keep too. For blocks and rows ten steps win back much, not enough: they need rounds, longer tuning, or another criterion.
# %% [markdown] items="1.3.C5 1.3.K1"
# ## On a GPU
#
# PyTorch's `to_sparse_semi_structured` makes a tensor that tensor cores take as 2:4 (compute capability 8.0 and later, fp16, bf16 or int8).
# The cell runs it under the GPU profile and times it against the dense product. On a CPU or an older GPU there is no such path,
# and the cell says so: the format stores less, and multiplying means unpacking.
# %% role="given" id="semi-structured"
def time_on_device(size=4096, tokens=4096):
    """Dense and 2:4 products of a (size, size) weight with (size, tokens) inputs, in fp16 on a GPU."""
    from torch.sparse import to_sparse_semi_structured

    weight = torch.randn(size, size, device="cuda", dtype=torch.float32)
    weight = (weight * mask_two_four(weight)).half()
    x = torch.randn(size, tokens, device="cuda", dtype=torch.float16)
    sparse = to_sparse_semi_structured(weight)
    error = (torch.mm(sparse, x) - weight @ x).abs().max() / (weight @ x).abs().max()
    return measure(lambda: weight @ x), measure(lambda: torch.mm(sparse, x)), float(error)


# %%
on_cuda = profile.device == "cuda"
if on_cuda and torch.cuda.get_device_capability() >= (8, 0):
    for size in (1024, 4096, 8192):
        dense_time, sparse_time, error = time_on_device(size)
        print(f"{size}: dense {dense_time}\n      2:4   {sparse_time}")
        print(
            f"      {dense_time.median_ms / sparse_time.median_ms:.2f} times as fast, relative error {error:.1e}"
        )
else:
    size = 1024
    weight = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    weight = weight * mask_two_four(weight)
    values, metadata = compress_two_four(weight)
    x = torch.randn(size, 16, generator=torch.Generator().manual_seed(1))
    dense_time = measure(lambda: weight @ x, repeats=7)
    unpacked_time = measure(lambda: decompress_two_four(values, metadata) @ x, repeats=7)
    print(f"dense product           {dense_time}")
    print(f"2:4, unpacked each time {unpacked_time}")
    missing = "This GPU is older than compute capability 8.0" if on_cuda else "No CUDA device"
    print(f'{missing}: PROFILE = "gpu" on such a GPU runs the semi-structured product.')
# %% [markdown] items="1.3.K1"
# ## In your own words
#
# A team serves one language model on three machines: **A** a laptop CPU, **B** a GPU with 2:4 tensor cores in fp16, **C** the same GPU with the model
# already in 4-bit weights. They ask for "50 % sparsity" on all three.
#
# In 120 to 200 words: which structure would you use on each, or none? What happens to bytes, MACs, time and quality? What
# would you measure first? Use three figures from this notebook.
# %% [markdown] role="written" id="which-structure" items="1.3.C5 1.3.K1" points=3
# **Model answer.** A: a CPU runs dense kernels: only smaller tensors help, so channels, neurons, heads or whole layers, and then training to
# repair it. Half the channels left 28 % of the MACs here and the time fell with them; zeros alone changed nothing. A dropped block
# saves its share of time, at a high price in perplexity before tuning. Unpacking 2:4 at each product was slower than dense.
#
# B: 2:4: legal along the input axis, 56.25 % of the bytes in fp16, at most twice the arithmetic; its perplexity lies between
# single weights and blocks, and a short tuning wins back part. Measure the real layer sizes: small products do not reach it, and at batch 1
# bytes decide.
#
# C: rather not: 4-bit values with 2 bits of index take 75 % of the bytes, the errors of both add up, and kernels for both at once are rare. The
# same bytes may be better spent on more bits or a smaller dense model. Measure held-out perplexity at equal bytes.
#
# **Rubric.** 1 point: a structure that each machine can use, with time measured, not derived. 1 point: bytes with metadata (56.25, 62.5 or
# 75 %). 1 point: quality in the right order, tuning named, three figures used rightly. Half a point off for "50 % sparse means twice as fast".
# %% [markdown]
# ## Recap
#
# - Structured pruning makes smaller tensors: parameters, MACs and time all fall; removed channels take their readers along.
# - MACs and parameters are counted apart; half of the channels leave about a quarter of a middle layer.
# - Taylor importance scores all heads in one backward pass; block influence scores layers in one forward pass.
# - 2:4: two values and two 2-bit positions for four weights: 56.25 % in 16 bits, 62.5 % in 8, and illegal groups are refused.
# - The stricter the pattern, the worse the model before tuning, and the more hardware can use it.
#
# **Three questions**
#
# <details><summary>1. All hidden layers lose 30 % of their channels. What is left of a middle layer's MACs?</summary>0.7 · 0.7 = 49 %.</details>
# <details><summary>2. Why must the four of 2:4 lie along the inputs?</summary>The product sums over them: the core takes two of four inputs. Across outputs it
# could skip nothing in a sum.</details>
# <details><summary>3. A head's outputs and gradients are large, but its Taylor importance is near 0. How?</summary>The products cancel within each
# sequence: closing the gate moves the loss up at some tokens and down at others.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Li et al., *Pruning Filters for Efficient ConvNets*, ICLR 2017: L1 norms of filters, and which layers bear it.
# - Molchanov et al., *Importance Estimation for Neural Network Pruning*, CVPR 2019: Taylor scores and their check against the true change.
# - Michel, Levy and Neubig, *Are Sixteen Heads Really Better than One?*, NeurIPS 2019: the head score that you wrote.
# - Men et al., *ShortGPT: Layers in Large Language Models are More Redundant Than You Expect*, 2024: block influence.
# - Mishra et al., *Accelerating Sparse Deep Neural Networks*, 2021: the 2:4 format, and how to retrain for it.
# - Frantar and Alistarh, *SparseGPT*, ICML 2023: 2:4 in one shot, with the errors repaired as in GPTQ.
# - Sun et al., *A Simple and Effective Pruning Approach for Large Language Models* (Wanda), ICLR 2024: weight times activation
#   norm as a score.
# - PyTorch, `torch.sparse.to_sparse_semi_structured`: the GPU path of this lesson.
#
# **Next:** distillation. Instead of cutting a model, teach a smaller one.
# %%
# Your result.
print(f"MACs left with half the channels   {percent_left:.1f} %")
for (name, share), values in found.items():
    print(f"{share:4.0%}  {name:21s}        {spread(values)} %")
for count in (2, 4, 8):
    print(f"{count} heads gone, least Taylor          {head_ppl[count]['least Taylor']:.2f}")
for dtype, percent in stored_percent.items():
    print(f"2:4 in {str(dtype):14s}              {percent:.2f} % of the dense bytes")
for name, (one_shot, tuned) in lm_rows.items():
    print(f"50 %, {name:16s}             {one_shot:.2f}, tuned {tuned:.2f}")
