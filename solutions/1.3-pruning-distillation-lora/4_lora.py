# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Train a thin update: LoRA
#
# **You end with:** the count behind LoRA's famous ratios, its gradients by hand, an adapter cut out of a finished
# fine-tuning, a layer that switches and merges adapters, and a batch in which every row uses another one.
#
# About 100 minutes. 30 points: 27 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. You need matrix
# products, the singular value decomposition by name, and the adapter of module 1.2, lesson 4 (useful, not required).
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
from lab.plots import curves, explore
from lab.predict import reveal
from lab.profile import seed_everything, use_profile
from lab.timing import measure

# Layers this small are fastest on one thread; a second one mostly waits for the first.
torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile
# %% role="given" id="dialects"
from lab.fake_quant import decoder_linears
from lab.lm import load_lm, load_tokenizer, load_tokens
from lab.perplexity import perplexity

base_lm = load_lm(profile=profile).float()
tokenizer = load_tokenizer()
LEET = str.maketrans("aeiost", "431057")
CHANGES = {"leet": lambda text: text.translate(LEET), "upper": str.upper}


def dialect_tokens(split, name, count):
    """The first `count` tokens of a split, rewritten in a dialect, as token ids (N,) int64."""
    ids = load_tokens(split)[:count]
    ids = ids[ids != 0]  # <|endoftext|> is no text to rewrite
    texts = [
        CHANGES[name](tokenizer.decode(part.tolist())) for part in np.array_split(ids, count // 150)
    ]
    return np.concatenate([np.array(tokenizer(text).input_ids, np.int64) for text in texts])


dialects = {
    name: {
        "train": dialect_tokens("train", name, 45_000),
        "heldout": dialect_tokens("heldout", name, 9_000),
    }
    for name in CHANGES
}
print(tokenizer.decode(dialects["leet"]["heldout"][100:140].tolist()))


# %% role="given" id="training"
class LowRank(nn.Module):
    """base(x) + x A^T B^T, the layer of lesson 1.2.4 with alpha = rank; the base is frozen."""

    def __init__(self, base, rank):
        super().__init__()
        self.base = base.requires_grad_(False)
        bound = 1 / math.sqrt(base.in_features)
        self.A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + x @ self.A.T @ self.B.T


def replace_linears(make):
    """A copy of the model with make(name, linear) for every linear layer of its blocks."""
    model = copy.deepcopy(base_lm)
    for name, linear in list(decoder_linears(model).items()):
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, make(name, linear).to(profile.device))
    return model


def train(model, name, learning_rate, steps=24):
    """Train what asks for gradients on a dialect; the loss of each step."""
    tokens = torch.from_numpy(dialects[name]["train"])
    order = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], learning_rate)
    losses = []
    for _ in range(steps):
        starts = torch.randint(len(tokens) - 64, (8, 1), generator=order)
        ids = tokens[starts + torch.arange(64)].to(profile.device)
        logits = model(ids, use_cache=False).logits[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def heldout_loss(model, name):
    """Mean cross-entropy on a dialect's held-out text, nats a token."""
    return math.log(perplexity(model, dialects[name]["heldout"], windows=12))


# %% [markdown]
# ## One direction for each matrix
#
# The course's language model knows Python's documentation. Now it must read it in another spelling: `53d wh3n r3fu51ng`.
# The usual way is to train all 28 matrices of its blocks. The thin way: each matrix gets an update of **rank 1**, one column times
# one row. Both get the same 24 batches. Predict first.
# %% role="predict" id="predict-rank-one"
# Full training lowers the held-out loss by some nats. What percentage of that does rank 1 reach?
my_percent_of_gain = ...
# %% role="given" id="surprise"
RATES = {1: 2e-2, 16: 5e-3}  # a lower rank bears a higher learning rate
seed_everything(0)
full_model = replace_linears(lambda name, linear: linear.requires_grad_(True))
full_count = sum(p.numel() for p in full_model.parameters() if p.requires_grad)
train(full_model, "leet", 1e-3)
leet_loss = {"untrained": heldout_loss(base_lm, "leet"), "full": heldout_loss(full_model, "leet")}
low_rank = {}
for rank, rate in RATES.items():
    seed_everything(0)
    low_rank[rank] = replace_linears(lambda name, linear, rank=rank: LowRank(linear, rank))
    train(low_rank[rank], "leet", rate)
    leet_loss[f"rank {rank}"] = heldout_loss(low_rank[rank], "leet")

gain = leet_loss["untrained"] - leet_loss["full"]
for way, loss in leet_loss.items():
    part = (leet_loss["untrained"] - loss) / gain
    print(f"{way:10s} {loss:.2f} nats, perplexity {math.exp(loss):6.1f}, {part:.0%} of the gain")
rank_one_count = sum(p.numel() for p in low_rank[1].parameters() if p.requires_grad)
print(
    f"rank 1 trains {rank_one_count:,} of {full_count:,} parameters: {rank_one_count / full_count:.2%}"
)
rank_one_percent = 100 * (leet_loss["untrained"] - leet_loss["rank 1"]) / gain
reveal(my_percent_of_gain, rank_one_percent, unit="%")
# %% [markdown] items="1.3.C8"
# **What happened.** The model knows the texts already. What it must learn is small: a handful of directions in each matrix.
# **LoRA** (low-rank adaptation) trains only them and leaves the weights $W_0$ alone:
#
# $$W = W_0 + \frac{\alpha}{r}\,B A,\qquad A: (r, d_{in}),\quad B: (d_{out}, r).$$
#
# The rank $r$ is far below both widths. $\alpha$ is a number that you choose; $\alpha/r$ is the scaling.
# %% [markdown] items="1.3.C8"
# ## Counting honestly
#
# A matrix has $d_{in} d_{out}$ weights, its adapter $r\,(d_{in} + d_{out})$. Their ratio is the reduction **of what is trained**. Nothing else
# shrinks: the model in memory is as large as before, plus the adapter.
#
# The paper's "10,000 times" has another numerator: **all** parameters of GPT-3 over the adapters of *two* of its matrices
# in each block, at $r = 4$. You will recompute it.
# %% [markdown] items="1.3.C8 1.3.K3"
# ### Exercise: count
#
# <details><summary>Hint 1</summary>Sum over the layers first, then divide.</details>
# <details><summary>Hint 2</summary><code>full</code> is <code>model_parameters</code> if it is given: it holds the adapted layers and all the
# others.</details>
# <details><summary>Hint 3</summary>A rank above the smaller width adds nothing that the matrix can hold: refuse it for
# any layer.</details>


# %% role="exercise" id="lora-count" items="1.3.C8 1.3.K3" minutes=8
def lora_count(
    layers: list[tuple[int, int]], rank: int, model_parameters: int | None = None
) -> dict:
    """How many parameters LoRA trains, and how many times fewer that is.

    Args:
        layers: (d_in, d_out) of each adapted matrix, without biases. rank: the same for all.
        model_parameters: parameters of the whole model, to compare with; None: those of the
            adapted matrices alone.

    Returns:
        {"full": int, the number compared with, "trained": int, in all A and B together,
        "reduction": float, full / trained (below 1 where LoRA trains more)}

    Raises:
        ValueError: no layers, a width below 1, rank below 1 or above the smaller width of any
            layer, or model_parameters fewer than the adapted matrices hold.

    >>> lora_count([(2048, 8192)], 16)
    {'full': 16777216, 'trained': 163840, 'reduction': 102.4}
    """
    ### BEGIN SOLUTION
    if not layers or rank < 1 or any(rank > min(layer) for layer in layers):
        raise ValueError(f"rank={rank} must be 1 to the smaller width of every layer.")
    held = sum(d_in * d_out for d_in, d_out in layers)
    if model_parameters is not None and model_parameters < held:
        raise ValueError(f"The layers hold {held:,} parameters, the model {model_parameters:,}.")
    full = held if model_parameters is None else model_parameters
    trained = sum(rank * (d_in + d_out) for d_in, d_out in layers)
    return {"full": full, "trained": trained, "reduction": full / trained}
    ### END SOLUTION


# %% role="check" id="lora-count" points=3
check("lora-count", lora_count)
# %%
GPT3, WIDTH, BLOCKS = 175_000_000_000, 12_288, 96
print("one layer, 2048 to 8192, r = 16:", lora_count([(2048, 8192)], 16)["reduction"])
for rank, matrices in ((1, 1), (4, 2), (8, 4), (64, 4)):
    counted = lora_count([(WIDTH, WIDTH)] * (BLOCKS * matrices), rank, GPT3)
    print(
        f"GPT-3, r = {rank:2d}, {matrices} square matrices a block: {counted['trained'] / 1e6:7.1f} M trained, "
        f"{counted['reduction']:9,.0f} times fewer"
    )
counted = lora_count(
    [(m.in_features, m.out_features) for m in decoder_linears(base_lm).values()], 16
)
print(f"this model, r = 16, all matrices: {counted['reduction']:.1f} times fewer")
# %% [markdown] items="1.3.C8 1.3.K3"
# **What you should see.** 102.4 for the layer. "10,000 times" holds for GPT-3 with $r = 4$ on the query and value matrices: 9,272 by
# this count. With $r = 64$ on four matrices it is some 290, and for a small model like ours, 10. The ratio grows with the width and
# falls with $r$: always ask *of which matrices, at which rank, against what*.
# %% [markdown] items="1.3.C8"
# ## Why B starts at zero
#
# At the start $BA$ must be 0, so that training begins at the model that you have. So $A$ or $B$ is zero, or both. Which? The gradients
# tell: a matrix whose gradient is 0 stays where it is.
# %% [markdown] items="1.3.C8"
# ### The two gradients
#
# With loss $L$, inputs $x$ $(n, d_{in})$,
# output $y = x W_0^T + s\,x A^T B^T$ with $s = \alpha / r$, and $G = \partial L / \partial y$ $(n, d_{out})$, the chain rule gives
#
# $$\frac{\partial L}{\partial B} = s\,G^T (x A^T),\qquad \frac{\partial L}{\partial A} = s\,(G B)^T x.$$
#
# With $B = 0$ only $A$'s gradient is 0: $B$ moves first, then $A$. With **both** zero both gradients are 0, for ever.
# %% [markdown] items="1.3.C8"
# ### Exercise: gradients by hand
#
# <details><summary>Hint 1</summary>Check your shapes: the gradient of $A$ has the shape of $A$.</details>
# <details><summary>Hint 2</summary><code>x @ a.T</code> is (n, r), <code>upstream @ b</code> is (n, r): nothing of size (out, in) is
# needed.</details>


# %% role="exercise" id="lora-gradients" items="1.3.C8" minutes=10
def lora_gradients(
    x: np.ndarray, upstream: np.ndarray, a: np.ndarray, b: np.ndarray, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of a loss by an adapter's two matrices.

    Args:
        x: (n, d_in), the layer's inputs. upstream: (n, d_out), the gradient of the loss by the layer's output
            x W0^T + (alpha / r) x A^T B^T. a: (r, d_in). b: (d_out, r). All float64, none is changed.
        alpha: the numerator of the scaling.

    Returns:
        (by_a, by_b): float64, shapes of a and of b.

    Raises:
        ValueError: different numbers of rows in x and upstream, different ranks in a and b, or widths that
            do not fit.

    >>> by_a, by_b = lora_gradients(
    ...     np.array([[1.0, 2.0]]), np.array([[3.0]]), np.array([[1.0, 1.0]]), np.array([[0.0]]), 2.0
    ... )
    >>> by_a.tolist(), by_b.tolist()
    ([[0.0, 0.0]], [[18.0]])
    """
    ### BEGIN SOLUTION
    if len(x) != len(upstream) or a.shape[0] != b.shape[1]:
        raise ValueError("x and upstream need the same rows, a and b the same rank.")
    if x.shape[1] != a.shape[1] or upstream.shape[1] != b.shape[0]:
        raise ValueError("The widths of x and a, and of upstream and b, must be equal.")
    scaling = alpha / a.shape[0]
    return scaling * (upstream @ b).T @ x, scaling * upstream.T @ (x @ a.T)
    ### END SOLUTION


# %% role="check" id="lora-gradients" points=4
check("lora-gradients", lora_gradients)
# %% [markdown] items="1.3.C8"
# Measured on the model, 8 steps at rank 16, three starts: as above; both matrices zero; both random.
# %%
for start in ("B zero", "both zero", "both random"):
    seed_everything(0)
    started = replace_linears(lambda name, linear: LowRank(linear, 16))
    with torch.no_grad():
        for module in started.modules():
            if isinstance(module, LowRank) and start == "both zero":
                module.A.zero_()
            if isinstance(module, LowRank) and start == "both random":
                module.B.normal_(0, 0.5)
    plain = perplexity(started, windows=8)
    losses = train(started, "leet", RATES[16], steps=8)
    print(
        f"{start:12s} perplexity on plain text before training {plain:5.1f}; "
        f"loss on leet at step 1 {losses[0]:.2f}, at step 8 {losses[-1]:.2f} nats"
    )
# %% [markdown] items="1.3.C8"
# **What you should see.** Both zero: nothing moves; the losses differ only because the batches do. Both random: before the first step
# the model that you had is damaged, its perplexity on its own text more than doubled. (On leet it had nothing to lose.) With $B = 0$ the
# start is the base itself, and learning is as fast.
# %% [markdown] items="1.3.C8"
# ## How much rank does an update have?
#
# LoRA *assumes* a thin update. Full training did not, so its result can be asked: take
# $\Delta W = W_{trained} - W_0$ and its **singular values** $\sigma_1 \ge \sigma_2 \ge \dots$ The best matrix of rank $r$ keeps the
# first $r$ singular directions (Eckart and Young), and its squared error is
#
# $$\|\Delta W - \Delta W_r\|_F^2 = \sum_{k > r} \sigma_k^2.$$
#
# So a fine-tuned model can become an adapter afterwards.
# %% [markdown] items="1.3.C8"
# ### Exercise: cut out an adapter
#
# <details><summary>Hint 1</summary><code>u, s, vt = np.linalg.svd(delta, full_matrices=False)</code>: delta is
# <code>(u * s) @ vt</code>.</details>
# <details><summary>Hint 2</summary>Who takes the singular values is up to you: <code>B = u[:, :rank] * s[:rank]</code>,
# <code>A = vt[:rank]</code>, or their roots to each.</details>
# <details><summary>Hint 3</summary>The layer multiplies by alpha / rank: divide by it once.</details>


# %% role="exercise" id="extract-lora" items="1.3.C8" minutes=12
def extract_lora(delta: np.ndarray, rank: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """The adapter of a rank that comes nearest to an update, in the Frobenius norm.

    Args:
        delta: (d_out, d_in), float32 or float64: trained minus original weights. Not changed.
        rank: 1 to min(d_out, d_in). alpha: positive; the layer multiplies B A by alpha / rank.

    Returns:
        (a, b): float64 (rank, d_in) and (d_out, rank). (alpha / rank) * b @ a is a best approximation of delta
        among all matrices of that rank; how it is split between a and b is free.

    Raises:
        ValueError: a rank outside 1 .. min(d_out, d_in), alpha not positive, or a delta with NaN or
            infinity.

    >>> a, b = extract_lora(np.array([[3.0, 0.0], [0.0, 1.0]]), rank=1, alpha=2.0)
    >>> np.abs(2.0 * b @ a).round(6).tolist()
    [[3.0, 0.0], [0.0, 0.0]]
    """
    ### BEGIN SOLUTION
    if not 1 <= rank <= min(delta.shape) or not alpha > 0:
        raise ValueError(f"rank={rank} must be 1 to {min(delta.shape)}, alpha={alpha} positive.")
    if not np.isfinite(delta).all():
        raise ValueError("delta holds a NaN or an infinity.")
    u, s, vt = np.linalg.svd(delta.astype(np.float64), full_matrices=False)
    return vt[:rank], u[:, :rank] * s[:rank] * (rank / alpha)
    ### END SOLUTION


# %% role="check" id="extract-lora" points=5
check("extract-lora", extract_lora)
# %% [markdown] items="1.3.C8"
# The singular values of the full training's updates. **Ask yourself first:** what share of the squared update do 16 of 256 directions
# hold? And what is left of the *gain* with them alone?
# %%
originals, trained_linears = decoder_linears(base_lm), decoder_linears(full_model)
deltas = {
    name: (trained_linears[name].weight - originals[name].weight).detach().double().cpu().numpy()
    for name in originals
}
spectra = {
    name: torch.linalg.svdvals(torch.from_numpy(delta)).numpy() for name, delta in deltas.items()
}


def draw_spectrum(layer=0, rank=16):
    name = list(spectra)[layer]
    energy = np.cumsum(spectra[name] ** 2) / np.sum(spectra[name] ** 2)
    ranks = np.unique(np.geomspace(1, len(energy), 24).astype(int))
    flat = ranks / len(energy)
    fig = curves(ranks, {"the update": energy[ranks - 1], "all directions alike": flat}, logx=True,
                 xlabel="rank", ylabel="share of the squared update",
                 title=f"{name.removeprefix('model.layers.')}: rank {rank} holds {energy[rank - 1]:.0%}")  # fmt: skip
    fig.axes[0].axvline(rank, color="black", linewidth=0.8)
    return fig, (
        f"Share of the squared update of {name} held by its first singular directions, from rank 1 to {len(energy)}, on a "
        f"logarithmic axis. Rank 1 holds {energy[0]:.0%}, rank {rank} {energy[rank - 1]:.0%}; were all alike, {rank / len(energy):.0%}."
    )


explore(draw_spectrum, layer=(0, len(spectra) - 1, 1), rank=(1, 128, 1))
held_share = {}
for rank in (1, 16):
    shares = [np.sum(s[:rank] ** 2) / np.sum(s**2) for s in spectra.values()]
    cut = copy.deepcopy(base_lm)
    for name, linear in decoder_linears(cut).items():
        a, b = extract_lora(deltas[name], rank, float(rank))
        linear.weight.data += torch.from_numpy(b @ a).to(linear.weight)
    loss = heldout_loss(cut, "leet")
    held_share[rank] = 100 * (leet_loss["untrained"] - loss) / gain
    trained = leet_loss.get(f"rank {rank}")
    beside = (
        f", trained at this rank {(leet_loss['untrained'] - trained) / gain:.0%}" if trained else ""
    )
    print(
        f"rank {rank:2d}: {np.mean(shares):.0%} of the squared update, {held_share[rank]:.0f} % of the gain{beside}"
    )
# %% [markdown] items="1.3.C8"
# **What you should see.** Far from flat, and far from rank 1: one direction holds about a third of the squared update, 16 hold about
# four fifths. The *gain* is more concentrated than the energy: with 16 directions nearly all of it is there. Rank 1 *trained* does
# better than rank 1 *cut out*: training puts into its one direction what counts for the loss, the cut what is largest.
# %% [markdown] items="1.3.C8"
# ## Merge, and nothing is left
#
# An adapter beside a layer costs two small products at every call. It can be **merged**: $W_0 + \frac{\alpha}{r} BA$ is a matrix of
# the old shape. The output is the same (up to rounding), and the cost is that of the base: *no added latency*.
#
# To switch, **unmerge**. Subtracting $BA$ again does not give back the old bits: $(w + u) - u$ rounds twice. In time the base drifts: keep the
# original.
# %% [markdown] items="1.3.C8"
# ### Exercise: switch and merge
#
# <details><summary>Hint 1</summary>A dict from the name to <code>(A, B, scaling)</code>; <code>A.detach().clone()</code> makes a copy
# of your own.</details>
# <details><summary>Hint 2</summary>In merge: <code>self.kept = self.base.weight.detach().clone()</code>, then, inside
# <code>torch.no_grad()</code>, <code>self.base.weight += ...</code>.</details>
# <details><summary>Hint 3</summary>forward returns <code>base(x)</code> alone when nothing is active <em>or</em> when it is
# merged.</details>


# %% role="exercise" id="adapter-switch" items="1.3.C8" minutes=18
class AdapterLinear(nn.Module):
    """A frozen linear layer with named adapters, one or none of them active.

    Attributes:
        base: the nn.Linear given, frozen. active: the active adapter's name, or None (at first).
        merged: whether the active adapter is in base.weight (False at first).

    Several layers may exist at once; each keeps its own state.

    >>> layer = AdapterLinear(nn.Linear(2, 1, bias=False))
    >>> layer.add("double", layer.base.weight.detach().clone(), torch.ones(1, 1), alpha=1.0)
    >>> layer.activate("double")
    >>> x = torch.ones(1, 2)
    >>> bool(torch.allclose(layer(x), 2 * layer.base(x)))
    True
    """

    def __init__(self, base: nn.Linear):
        super().__init__()
        ### BEGIN SOLUTION
        self.base = base.requires_grad_(False)
        self.adapters, self.active, self.merged = {}, None, False
        ### END SOLUTION

    def add(self, name: str, A: torch.Tensor, B: torch.Tensor, alpha: float) -> None:
        """Store copies of A (rank, in) and B (out, rank). It does not become active.

        Raises ValueError, and stores nothing, if the shapes do not fit the base or each other, or the
        name is taken.
        """
        ### BEGIN SOLUTION
        out, wide = self.base.weight.shape
        if A.ndim != 2 or A.shape[1] != wide or B.shape != (out, A.shape[0]):
            raise ValueError(
                f"A must be (r, {wide}) and B ({out}, r), not {A.shape} and {B.shape}."
            )
        if name in self.adapters:
            raise ValueError(f"There is an adapter {name!r} already.")
        self.adapters[name] = A.detach().clone(), B.detach().clone(), alpha / A.shape[0]
        ### END SOLUTION

    def activate(self, name: str | None) -> None:
        """Make an adapter the active one; None: the base alone.

        Raises ValueError, and changes nothing, for an unknown name or while an adapter is merged.
        """
        ### BEGIN SOLUTION
        if self.merged:
            raise ValueError(f"{self.active!r} is merged: unmerge it first.")
        if name is not None and name not in self.adapters:
            raise ValueError(f"No adapter is called {name!r}.")
        self.active = name
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (..., in) to (..., out): base(x) + (alpha / rank) x A^T B^T with an active adapter.

        Merged, or with none active, no product but the base's is computed. Gradients go through to x.
        """
        ### BEGIN SOLUTION
        y = self.base(x)
        if self.active is None or self.merged:
            return y
        A, B, scaling = self.adapters[self.active]
        return y + scaling * (x @ A.T @ B.T)
        ### END SOLUTION

    def merge(self) -> None:
        """Add (alpha / rank) B A to base.weight in place. ValueError: none active, or merged already."""
        ### BEGIN SOLUTION
        if self.active is None or self.merged:
            raise ValueError("Merging needs an active adapter that is not merged yet.")
        A, B, scaling = self.adapters[self.active]
        self.kept = self.base.weight.detach().clone()
        with torch.no_grad():
            self.base.weight += scaling * (B @ A)
        self.merged = True
        ### END SOLUTION

    def unmerge(self) -> None:
        """Put base.weight back bit for bit; the adapter stays active. ValueError: nothing is merged."""
        ### BEGIN SOLUTION
        if not self.merged:
            raise ValueError("Nothing is merged.")
        with torch.no_grad():
            self.base.weight.copy_(self.kept)
        self.kept, self.merged = None, False
        ### END SOLUTION


# %% role="check" id="adapter-switch" points=6
check("adapter-switch", AdapterLinear)
# %% [markdown] items="1.3.C8"
# The syllabus's layer, 2048 to 8192, with an adapter of rank 16: the same input through the base, the base with the adapter
# beside it, and the merged one. And a hundred merges and unmerges by subtraction, beside yours.
# %%
seed_everything(1)
wide = AdapterLinear(nn.Linear(2048, 8192, bias=False).to(profile.device))
factors = torch.randn(16, 2048) / 45, torch.randn(8192, 16) / 45
factors = tuple(f.to(profile.device) for f in factors)
wide.add("task", *factors, alpha=32.0)
original = wide.base.weight.detach().clone()
latency_ms = {}
for rows in (1, 64):
    x = torch.randn(rows, 2048, device=profile.device)
    with torch.no_grad():
        wide.activate(None)
        latency_ms["base", rows] = measure(lambda x=x: wide(x), repeats=15)
        wide.activate("task")
        beside = wide(x)
        latency_ms["adapter beside", rows] = measure(lambda x=x: wide(x), repeats=15)
        wide.merge()
        gap = (wide(x) - beside).abs().max() / beside.abs().max()
        latency_ms["merged", rows] = measure(lambda x=x: wide(x), repeats=15)
        wide.unmerge()
    for way in ("base", "adapter beside", "merged"):
        print(f"{rows:2d} rows, {way:15s} {latency_ms[way, rows]}")
    print(f"{rows:2d} rows, merged against beside: {gap:.1e} of the largest output")
update = 2.0 * factors[1] @ factors[0]
drifting = original.clone()
for _ in range(100):
    drifting += update
    drifting -= update
print(f"after 100 subtractions {float((drifting != original).double().mean()):.1%} of the weights have other bits,",
      f"yours: {int((wide.base.weight != original).sum())} weights")  # fmt: skip
# %% [markdown] items="1.3.C8"
# **What you should see.** The adapter's products are 1 % of the base's ($16\,(2048 + 8192)$ against $2048 \cdot 8192$), so for one row the
# three times differ by a few percent on a quiet machine. Merged is the base's own product, so it adds nothing on any machine;
# beside it, a GPU also pays two more kernel launches for each layer. About a fifth of the weights had other bits after
# subtractions; yours had none.
# %% [markdown] items="1.3.C8"
# ## One base, many adapters
#
# A second dialect, capitals only, gets an adapter of rank 16 too. All 28 layers of the model become your `AdapterLinear`; switching them switches the
# dialect. Held-out loss, nats a token:
# %%
seed_everything(0)
upper_model = replace_linears(lambda name, linear: LowRank(linear, 16))
train(upper_model, "upper", RATES[16])
tuned = {"leet": low_rank[16], "upper": upper_model}


def adapter_of(dialect, layer):
    """(A, B) of a layer, as trained for a dialect."""
    module = tuned[dialect].get_submodule(layer)
    return module.A.detach(), module.B.detach()


def make_switchable(name, linear):
    layer = AdapterLinear(linear)
    for dialect in tuned:
        layer.add(dialect, *adapter_of(dialect, name), alpha=16.0)
    return layer


switchable = replace_linears(make_switchable)
layers = [m for m in switchable.modules() if isinstance(m, AdapterLinear)]
switch_loss = {}
for active in (None, "leet", "upper"):
    for layer in layers:
        layer.activate(active)
    for dialect in dialects:
        switch_loss[active, dialect] = heldout_loss(switchable, dialect)
    print(
        f"{active or 'base':6s}", ", ".join(f"{d} {switch_loss[active, d]:.2f}" for d in dialects)
    )
for layer in layers:
    layer.merge()
print(
    f"upper, merged: {heldout_loss(switchable, 'upper'):.4f}, before {switch_loss['upper', 'upper']:.4f}"
)
for layer in layers:
    layer.unmerge()
# %% [markdown] items="1.3.C8"
# ## A batch of mixed requests
#
# A server gets requests for different adapters at once. Merging serves one of them. The base's product is the same for all rows: compute it
# **once**, and add for each row the two thin products of *its* adapter. With the adapters stacked, $A: (k, r, d_{in})$,
# $B: (k, d_{out}, r)$, this is one gather and two batched products.
# %% [markdown] items="1.3.C8"
# ### Exercise: mix adapters in a batch
#
# <details><summary>Hint 1</summary>An index of -1 means the <em>last</em> adapter to PyTorch. Clamp it to 0 and take the row's update
# away again, or leave those rows out.</details>
# <details><summary>Hint 2</summary><code>torch.einsum("nd,nrd->nr", x, a[safe])</code>, then
# <code>"nr,nor->no"</code> with <code>b[safe]</code>.</details>
# <details><summary>Hint 3</summary>Or a loop over the adapters: <code>rows = which == k</code>, two thin products for
# <code>x[rows]</code>.</details>


# %% role="exercise" id="mixed-adapters" items="1.3.C8" minutes=14
def mixed_lora(
    x: torch.Tensor,
    weight: torch.Tensor,
    a: torch.Tensor,
    b: torch.Tensor,
    scaling: torch.Tensor,
    which: torch.Tensor,
) -> torch.Tensor:
    """A linear layer in which each row has an adapter of its own, or none.

    Row i is x[i] W^T + scaling[j] x[i] A_j^T B_j^T with j = which[i], and x[i] W^T alone where which[i] is -1.
    No matrix B_j A_j is formed, by @ or entry by entry: the work is at most that of the base's product for each
    row plus the thin products of all k adapters for each row (scalings and masks come on top).

    Args:
        x: (n, d_in), n may be 0. weight: (d_out, d_in). a: (k, r, d_in). b: (k, d_out, r). scaling: (k,), alpha / r of
            each. One float dtype; k is 1 or more. which: int64 (n,), -1 to k - 1. Nothing is changed.

    Returns:
        (n, d_out), dtype of x.

    Raises:
        ValueError: which not (n,) or with a value outside -1 .. k - 1, or a, b and scaling with different
            numbers of adapters.

    >>> x, W = torch.tensor([[1.0], [1.0], [1.0]]), torch.tensor([[10.0]])
    >>> a, b = torch.ones(2, 1, 1), torch.tensor([[[1.0]], [[2.0]]])
    >>> mixed_lora(x, W, a, b, torch.ones(2), torch.tensor([1, -1, 0])).flatten().tolist()
    [12.0, 10.0, 11.0]
    """
    ### BEGIN SOLUTION
    count = len(a)
    if len(b) != count or scaling.shape != (count,):
        raise ValueError(f"{count} A, {len(b)} B and {len(scaling)} scalings: one of each.")
    if which.shape != (len(x),) or ((which < -1) | (which >= count)).any():
        raise ValueError(f"which needs one number from -1 to {count - 1} for each row.")
    y = x @ weight.T
    for k in range(count):
        rows = which == k
        y[rows] = y[rows] + scaling[k] * (x[rows] @ a[k].T @ b[k].T)
    return y
    ### END SOLUTION


# %% role="check" id="mixed-adapters" points=5
check("mixed-adapters", mixed_lora)


# %%
class MixedLinear(nn.Module):
    """A layer that sends each sequence of a batch through its own adapter; `which` is set from outside."""

    def __init__(self, name, linear):
        super().__init__()
        self.weight = linear.weight
        self.a, self.b = (
            torch.stack(f) for f in zip(*(adapter_of(d, name) for d in tuned), strict=True)
        )
        self.scaling = torch.ones(2, device=linear.weight.device)

    def forward(self, x):
        which = self.which.repeat_interleave(x.shape[1])
        return mixed_lora(
            x.flatten(0, 1), self.weight, self.a, self.b, self.scaling, which
        ).unflatten(0, x.shape[:2])


mixed_model = replace_linears(MixedLinear)
which = torch.tensor([0, 1, -1, 1, 0, 0], device=profile.device)  # leet, upper, base, ...
kinds = [list(dialects)[k] if k >= 0 else "leet" for k in which.tolist()]
rows = np.stack([dialects[d]["heldout"][300 * i : 300 * i + 128] for i, d in enumerate(kinds)])
ids = torch.from_numpy(rows).to(profile.device)
for module in mixed_model.modules():
    if isinstance(module, MixedLinear):
        module.which = which
with torch.no_grad():
    logits = mixed_model(ids, use_cache=False).logits
    alone = []
    for i, k in enumerate(which.tolist()):
        for layer in layers:
            layer.activate(list(tuned)[k] if k >= 0 else None)
        alone.append(switchable(ids[i : i + 1], use_cache=False).logits[0])
gap = (logits - torch.stack(alone)).abs().max() / logits.abs().max()
print(f"six sequences, three kinds, one pass: {gap:.1e} of the largest logit from one at a time")
for k, d, row, line in zip(which.tolist(), kinds, ids, logits, strict=True):
    name = list(tuned)[k] if k >= 0 else "base"
    print(f"text {d:5s}, adapter {name:5s}: {F.cross_entropy(line[:-1], row[1:]):.2f} nats")
# %% [markdown] items="1.3.C8"
# ## Adding adapters
#
# Two skills in one model: $W_0 + w_1 s_1 B_1 A_1 + w_2 s_2 B_2 A_2$. The sum of two updates of rank $r$ is *one* update of rank $2r$: stack the
# $A$s on top of each other and the $B$s side by side. Averaging the $A$s and the $B$s instead is a common mistake: $(B_1 + B_2)(A_1 + A_2)$ holds cross
# terms that nobody trained.
# %% [markdown] items="1.3.C8"
# ### Exercise: join adapters
#
# <details><summary>Hint 1</summary><code>np.concatenate</code> on axis 0 for A and on axis 1 for B.</details>
# <details><summary>Hint 2</summary>Put weight and scaling into <em>one</em> of the two: a weight may be negative, and has no
# root.</details>


# %% role="exercise" id="join-adapters" items="1.3.C8" minutes=10
def join_adapters(
    adapters: list[tuple[np.ndarray, np.ndarray, float]], weights: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    """A weighted sum of adapters as one adapter, exactly.

    Args:
        adapters: (a, b, alpha) each, a (r, d_in) and b (d_out, r), float32 or float64; the ranks r may differ.
            An adapter's update is (alpha / r) * b @ a. None is changed.
        weights: a real number for each adapter; negative ones take a skill away, 0 is allowed.

    Returns:
        (a, b): float64 (R, d_in) and (d_out, R) with R the sum of all ranks, so that b @ a (scaling 1) is the
        weighted sum of the updates.

    Raises:
        ValueError: no adapters, another number of weights, or shapes that do not fit each other.

    >>> one = (np.array([[1.0, 0.0]]), np.array([[2.0]]), 1.0)
    >>> two = (np.array([[0.0, 1.0]]), np.array([[3.0]]), 2.0)
    >>> a, b = join_adapters([one, two], [1.0, -1.0])
    >>> (b @ a).tolist()
    [[2.0, -6.0]]
    """
    ### BEGIN SOLUTION
    if not adapters or len(adapters) != len(weights):
        raise ValueError(f"{len(adapters)} adapters need as many weights (one or more).")
    wide, tall = adapters[0][0].shape[1], adapters[0][1].shape[0]
    if any(a.shape != (b.shape[1], wide) or b.shape[0] != tall for a, b, _ in adapters):
        raise ValueError("All adapters must be for one layer, with a (r, in) and b (out, r).")
    a = np.concatenate([a for a, _, _ in adapters]).astype(np.float64)
    scaled = [
        weight * alpha / b.shape[1] * b.astype(np.float64)
        for (_, b, alpha), weight in zip(adapters, weights, strict=True)
    ]
    return a, np.concatenate(scaled, axis=1)
    ### END SOLUTION


# %% role="check" id="join-adapters" points=4
check("join-adapters", join_adapters)
# %%


def joined_losses(combine):
    """Held-out losses of the model with combine(leet's (A, B), upper's (A, B)) added to its weights."""
    model = copy.deepcopy(base_lm)
    for name, linear in decoder_linears(model).items():
        pairs = [[f.double().cpu().numpy() for f in adapter_of(d, name)] for d in tuned]
        linear.weight.data += torch.from_numpy(combine(*pairs)).to(linear.weight)
    return {d: heldout_loss(model, d) for d in dialects}


def joined(w1, w2):
    def combine(one, two):
        a, b = join_adapters([(*one, 16.0), (*two, 16.0)], [w1, w2])
        return b @ a

    return combine


print(
    "held-out loss, nats a token",
    f"(base: leet {switch_loss[None, 'leet']:.2f}, upper {switch_loss[None, 'upper']:.2f})",
)
joined_results = {
    "joined, weights 1 and 1": joined_losses(joined(1.0, 1.0)),
    "joined, weights 0.5 and 0.5": joined_losses(joined(0.5, 0.5)),
    "A and B averaged": joined_losses(
        lambda one, two: (one[1] + two[1]) / 2 @ ((one[0] + two[0]) / 2)
    ),
}
for way, losses in joined_results.items():
    print(f"{way:28s}", ", ".join(f"{d} {loss:.2f}" for d, loss in losses.items()))
# %% [markdown] items="1.3.C8"
# **What you should see.** One adapter with both skills: at full weights leet is nearly as good as alone, capitals lose more, and both
# are better than the base. The two updates share directions and disturb each other; other weights move the balance. Averaged factors
# hold each update at a quarter of its strength, plus cross terms: leet suffers most.
# %% [markdown] items="1.3.K3"
# ## In your own words
#
# A colleague writes: "LoRA makes our 7-billion-parameter model 10,000 times smaller, and since $BA$ is added at every layer, inference gets slower. For our 40
# customers we will merge 40 copies. We start $A$ and $B$ both at zero, to be safe."
#
# In 120 to 200 words: correct each sentence, with figures from this notebook. What shrinks and what does not? When does 10,000 hold? When do you merge, and what do
# you do for 40 customers?
# %% [markdown] role="written" id="lora-claims" items="1.3.K3" points=3
# **Model answer.** "10,000 times smaller": what shrinks is what is *trained* (and stored for each task), not the model: it is as large in memory
# as before. 10,000 holds for GPT-3 with r = 4 on two matrices a block (9,272 by our count) and the whole model as numerator; for a
# 2048 by 8192 layer at r = 16 it is 102.4, for our small model at 16 it is 10.
#
# "Slower": only while the adapter is beside; its products are 1 % of the base's there. Merged, W0 + (alpha / r) BA has the old shape
# and costs the base's time; outputs agree to some 1e-6.
#
# "40 merged copies": 40 times the memory. Keep one base and 40 adapters; switch, or mix them in one batch: the base's product is
# computed once, each row adds its own thin products. Merge when a single task is served for long, and keep the original weights: subtraction
# changed 18 % of them.
#
# "Both zero": then both gradients are zero and nothing ever learns (in our run the loss did not fall). One is random, the other zero.
#
# **Rubric.** 1 point: what shrinks and when 10,000 holds, with 102.4 or another count. 1 point: merging and latency, and one base for the 40.
# 1 point: the zero start with its reason, and figures from the notebook. Half a point off for "LoRA compresses the model".
# %% [markdown]
# ## Recap
#
# - An adapter of rank $r$ trains $r\,(d_{in} + d_{out})$ of $d_{in} d_{out}$ parameters: 102.4 times fewer for 2048 by 8192 at 16. The model does not shrink.
# - $B = 0$ starts at the base and still learns; both zero never learns.
# - Updates are thin, not exactly: the singular values tell how thin.
# - Merged, it costs nothing; keep the original bits to unmerge. Mixed batches share the base's product.
# - Sums of adapters are stacked, never averaged factor by factor.
#
# **Three questions**
#
# <details><summary>1. You double r and keep alpha. What happens to the scaling?</summary>It halves: alpha / r. That is why learning rates
# found at one rank serve about as well at another.</details>
# <details><summary>2. Where is the memory that LoRA saves in training?</summary>In gradients and optimizer states: Adam keeps two numbers for each
# trained parameter, and there are few. The weights and most activations are still there.</details>
# <details><summary>3. Can an adapter be merged into a 4-bit base?</summary>Only by rounding the sum to 4 bits again, which loses part of the
# update: merge into the float weights, or keep it beside.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models*, ICLR 2022: section 4.1 has the start and the merge, section 4.2 the
#   figures for GPT-3 (checkpoint from 350 GB to 35 MB), section 7 asks what rank is needed.
# - Aghajanyan, Zettlemoyer and Gupta, *Intrinsic Dimensionality Explains the Effectiveness of Language Model Fine-Tuning*, ACL 2021: why thin
#   updates are enough.
# - Kalajdzievski, *A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA*, 2023: alpha over the root of r for high ranks.
# - Chen et al., *Punica: Multi-Tenant LoRA Serving*, and Sheng et al., *S-LoRA*, both 2023: mixed batches as GPU kernels.
# - Ilharco et al., *Editing Models with Task Arithmetic*, ICLR 2023: adding and subtracting updates.
#
# **Next:** the project: a transformer pruned, distilled and measured, end to end.
# %%
# Your result.
print(
    f"rank 1 trains {rank_one_count / full_count:.2%} of the parameters for {rank_one_percent:.0f} % of the gain"
)
print(f"2048 x 8192, r = 16: {lora_count([(2048, 8192)], 16)['reduction']} times fewer trained")
for (way, rows), timing in latency_ms.items():
    print(f"{rows:2d} rows, {way:15s} {timing.median_ms:7.2f} ms")
for (active, dialect), loss in switch_loss.items():
    print(f"adapter {active or 'none':6s} on {dialect:6s} {loss:.2f} nats")
for way, losses in joined_results.items():
    print(f"{way:28s}", ", ".join(f"{d} {loss:.2f}" for d, loss in losses.items()))
