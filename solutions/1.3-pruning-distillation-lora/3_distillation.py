# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Teach a small model what a large one knows
#
# **You end with:** the distillation loss and its training loop, a loss for hidden features, one for models with
# different vocabularies, and a small language model that learned from its own samples. Each is measured against plain labels.
#
# About 110 minutes. 34 points: 31 graded by machine, 3 by a person. Runs on a laptop, no GPU; without MNIST at
# hand it uses scikit-learn's digits and says so. You need softmax, cross-entropy and PyTorch's autograd.
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
from lab.plots import bars, curves, explore, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile

# Layers this small are fastest on one thread; a second one mostly waits for the first.
torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile
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


# %% role="given" id="networks"
class Classifier(nn.Module):
    """Images (N, 1, 28, 28) to logits (N, 10); `features` gives what the last layer reads."""

    def __init__(self, features, width):
        super().__init__()
        self.features, self.head = features, nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.features(x))


def make_network(kind, seed):
    """An untrained network: "teacher" (convolutions), or a student: "mlp", "cnn" or "linear"."""
    seed_everything(seed)
    if kind == "teacher":
        layers = [nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(1568, 64), nn.ReLU(), nn.Dropout(0.3)]
        width = 64
    elif kind == "cnn":
        layers = [nn.Conv2d(1, 6, 5, 3, 1), nn.ReLU(), nn.Conv2d(6, 12, 3, 2, 1), nn.ReLU()]
        layers, width = [*layers, nn.Flatten()], 300
    elif kind == "mlp":
        layers, width = [nn.Flatten(), nn.Linear(784, 32), nn.ReLU()], 32
    else:
        layers, width = [nn.Flatten()], 784
    return Classifier(nn.Sequential(*layers), width).to(profile.device)


def train(parameters, row_count, steps, seed, loss_of, learning_rate=2e-3, size=64):
    """Adam on loss_of(rows), for `steps` random batches of row numbers below row_count."""
    optimizer = torch.optim.Adam(parameters, learning_rate)
    order = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(row_count, (size,), generator=order).to(profile.device)
        optimizer.zero_grad()
        loss_of(rows).backward()
        optimizer.step()


@torch.no_grad()
def accuracy_percent(network, rows=slice(None)):
    """Share of the test images (all, or these rows) that the network reads rightly, in percent."""
    return float((network.eval()(test_x[rows]).argmax(1) == test_y[rows]).double().mean() * 100)


# %% [markdown]
# ## A digit that the student never saw
#
# A convolutional teacher learns from all training images. Then a student, a plain network with one hidden layer of 32, learns
# from the **teacher's answers** instead of labels, and from a pile from which **every 3 has been removed**. It sees no picture of a 3,
# and no label 3. Then it takes the test. Predict first.
# %% role="predict" id="predict-unseen"
# What percentage of the test set's 3s does this student call a 3?
my_unseen_percent = ...
# %% role="given" id="surprise"
teacher = make_network("teacher", 0)
train(
    teacher.parameters(), len(train_x), 800, 0, lambda r: F.cross_entropy(teacher(train_x[r]), train_y[r])
)  # fmt: skip
teacher.eval().requires_grad_(False)
with torch.no_grad():
    teacher_logits = torch.cat([teacher(part) for part in train_x.split(2000)])
teacher_percent = accuracy_percent(teacher)
print(
    f"teacher: {sum(p.numel() for p in teacher.parameters()):,} parameters, {teacher_percent:.1f} %"
)

SEEDS = range(5)
no_threes = torch.where(train_y != 3)[0]
threes = test_y == 3
unseen = {"labels": [], "teacher's answers": []}
raised_bias = []
for seed in SEEDS:
    for way in unseen:
        student = make_network("mlp", seed)

        def unseen_loss(r, way=way, student=student):
            rows = no_threes[r]
            if way == "labels":
                return F.cross_entropy(student(train_x[rows]), train_y[rows])
            # The answers softened, by a number that this lesson explains.
            return F.cross_entropy(
                student(train_x[rows]) / 4, (teacher_logits[rows] / 4).softmax(1)
            )

        train(student.parameters(), len(no_threes), 800, seed, unseen_loss)
        unseen[way].append(accuracy_percent(student, threes))
    # The last student of the seed learned from the teacher; its bias for "3" never met a 3.
    with torch.no_grad():
        student.head.bias[3] += 3
    raised_bias.append((accuracy_percent(student, threes), accuracy_percent(student)))
for way, values in unseen.items():
    shown = ", ".join(f"{value:.0f}" for value in values)
    print(f"learned from {way:18s}: {np.mean(values):5.1f} % of the 3s found (five seeds: {shown})")
print(
    "the same, 3 added to the logit of class 3: {:.1f} % of the 3s, {:.1f} % of all digits".format(*np.mean(raised_bias, axis=0))
)  # fmt: skip
unseen_soft = float(np.mean(unseen["teacher's answers"]))
reveal(my_unseen_percent, unseen_soft, unit="%")
# %% [markdown] items="1.3.C6"
# **What happened.** A label says "this is an 8". The teacher says "an 8, which looks a little like a 3 and not at all like a 1".
# What a 3 looks like is spread over its answers for *other* digits. Hinton and others call it **dark knowledge**:
# the small probabilities of the wrong classes. The student cannot have learned it from the labels: there it finds no 3 at all.
# %% [markdown] items="1.3.C6"
# ## Temperature
#
# A good teacher is almost sure of everything: the small probabilities are too small to matter in a loss. Divide its **logits**
# $z$ (one number for each class, before the softmax) by a **temperature** $T > 0$:
#
# $$p_i = \frac{e^{z_i/T}}{\sum_j e^{z_j/T}}.$$
#
# $T = 1$ is the ordinary softmax. Larger $T$ flattens: at $T \to \infty$ all classes are equal. The order of the classes never changes.
# %% [markdown] items="1.3.C6"
# ### Exercise: soft targets
#
# <details><summary>Hint 1</summary>Subtracting a row's largest logit changes no probability, and keeps the exponential from
# overflowing.</details>
# <details><summary>Hint 2</summary>Convert to float64 <em>before</em> you divide: in float16, 600 / 0.005 is infinite.</details>
# <details><summary>Hint 3</summary><code>keepdims=True</code>, on the last axis, for the maximum and the sum.</details>


# %% role="exercise" id="soft-targets" items="1.3.C6" minutes=8
def soften(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax over the last axis, at a temperature.

    Args:
        logits: float16, float32 or float64 (..., classes), finite. Not changed.
        temperature: positive; the logits are divided by it.

    Returns:
        float64, shape of logits: each row sums to 1, also for logits of 1e4 and small temperatures.

    Raises:
        ValueError: a temperature that is not positive and finite (0, NaN and infinity too), or no
            classes at all (a last axis of length 0).

    >>> soften(np.array([math.log(9.0), 0.0]), 2.0).round(6).tolist()
    [0.75, 0.25]
    """
    ### BEGIN SOLUTION
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be positive and finite, not {temperature}.")
    if not logits.shape or not logits.shape[-1]:
        raise ValueError("logits need a last axis with one class or more.")
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
    ### END SOLUTION


# %% role="check" id="soft-targets" points=3
check("soft-targets", soften)
# %% [markdown] items="1.3.C6"
# The least certain answers of the teacher among the first 200 training images, softened by your function. Which temperature
# shows the second and third choice, and still tells them from the rest?
# %%
sample = teacher_logits[:200].cpu().numpy().astype(np.float64)
ordered = np.sort(soften(sample), axis=1)
odd_ones = np.argsort(ordered[:, -1])[:8]


def draw_soft(temperature=1.0, image=0):
    row = odd_ones[image]
    p = soften(sample[row], temperature)
    fig = bars(
        {f"{k}": round(100 * value, 1) for k, value in enumerate(p)},
        unit="%",
        title=f"The teacher on a {int(train_y[row])}, T = {temperature:g}",
    )
    best = ", ".join(f"{k} with {p[k]:.3f}" for k in np.argsort(-p)[:3])
    return fig, (
        f"Ten bars, the teacher's probability of each digit for one training image at temperature {temperature:g}. "
        f"The three longest: {best}."
    )


explore(draw_soft, temperature=(1.0, 20.0, 0.5), image=(0, 7, 1))
for t in (1, 2, 4, 8, 20):
    p = soften(teacher_logits.cpu().numpy(), t)
    p_wrong = 1 - p.max(1)
    print(f"T {t:2d}: the classes after the first hold {100 * p_wrong.mean():5.1f} % on average")
# %% [markdown] items="1.3.C6"
# ## The loss, and three ways to get it wrong
#
# The student's softened answer $q$ is to equal the teacher's $p$. The distance is the **Kullback-Leibler divergence**, in nats:
#
# $$\mathrm{KL}(p\,\|\,q) = \sum_i p_i\,(\log p_i - \log q_i).$$
#
# The **teacher** stands first: its probabilities weigh the sum. A class that the teacher holds possible must not be impossible for
# the student. The other direction, $\mathrm{KL}(q\,\|\,p)$, is another loss (at the end). PyTorch's
# `F.kl_div(input, target)` takes *log q* as input.
# %% [markdown] items="1.3.C6"
# ## Why T squared
#
# By the student's logit $z_i$ the gradient of $\mathrm{KL}$ is $(q_i - p_i)/T$; and at large $T$ the difference $q_i - p_i$
# itself shrinks like $1/T$. Together $1/T^2$: without a repair, a change of $T$ also changes the balance with the labels.
#
# $$L = \alpha\,T^2\,\mathrm{KL}(p\,\|\,q) + (1-\alpha)\,\mathrm{CE}(\text{labels}).$$
#
# The labels' cross-entropy CE is taken at temperature **1**; both terms are means over the rows.
# %% [markdown] items="1.3.C6 1.3.C7"
# ### Exercise: the distillation loss
#
# A teacher with 11 classes and a student with 10 cannot be compared: refuse, and name both. A teacher of shape (1, 10) would
# broadcast over all rows **in silence**: refuse that too.
#
# <details><summary>Hint 1</summary><code>F.log_softmax(z / T, dim=1)</code> for both. The logarithm of a softmax gives
# minus infinity where it underflows.</details>
# <details><summary>Hint 2</summary><code>F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)</code>: "batchmean" divides by the
# rows, "mean" by rows times classes.</details>
# <details><summary>Hint 3</summary><code>teacher_logits.detach()</code>: the teacher does not learn. <code>F.cross_entropy</code> ignores
# the label -100: compare the labels with the range yourself.</details>


# %% role="exercise" id="kd-loss" items="1.3.C6 1.3.K2" minutes=15
def kd_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    labels: torch.Tensor,
    temperature: float = 4.0,
    alpha: float = 0.5,
) -> torch.Tensor:
    """alpha * T**2 * KL(teacher || student) + (1 - alpha) * cross-entropy with the labels.

    KL compares both softmaxes at temperature T, natural logarithms, summed over the classes; the
    cross-entropy is that of the student at temperature 1. Both are means over the rows.

    Args:
        student_logits, teacher_logits: (rows, classes), the same float dtype, finite; values of 1e4 give a
            finite loss too. No gradient goes to the teacher. labels: int64 (rows,), 0 to classes - 1.
        temperature: positive and finite. alpha: 0 (labels alone) to 1 (teacher alone).
            No argument is changed, and torch's gradient mode is afterwards what it was.

    Returns:
        a tensor without dimensions, dtype of the student's logits, with the gradient by them.

    Raises:
        ValueError: logits that are not (rows, classes) of one same shape, no rows, labels not (rows,) or outside
            0 .. classes - 1, a temperature that is not positive and finite, alpha outside [0, 1] or NaN.

    >>> student, teacher = torch.zeros(1, 2), torch.tensor([[math.log(9.0), 0.0]])
    >>> loss = kd_loss(student, teacher, torch.tensor([0]), temperature=2.0, alpha=1.0)
    >>> round(loss.item(), 4)  # 4 (0.75 log 1.5 + 0.25 log 0.5)
    0.5232
    """
    ### BEGIN SOLUTION
    if student_logits.ndim != 2 or student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f"The student's logits are {tuple(student_logits.shape)}, the teacher's "
            f"{tuple(teacher_logits.shape)}: both must be (rows, classes), with the same classes."
        )
    rows, classes = student_logits.shape
    if not rows or labels.shape != (rows,):
        raise ValueError(f"{rows} rows need as many labels (and at least one), not {labels.shape}.")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"Labels must be 0 to {classes - 1}.")
    if not 0 < temperature < math.inf or not 0 <= alpha <= 1:
        raise ValueError(f"temperature={temperature} must be positive, alpha={alpha} in [0, 1].")
    log_q = F.log_softmax(student_logits / temperature, dim=1)
    log_p = F.log_softmax(teacher_logits.detach() / temperature, dim=1)
    soft = F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
    return alpha * temperature**2 * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)
    ### END SOLUTION


# %% role="check" id="kd-loss" points=6
check("kd-loss", kd_loss)
# %% [markdown] items="1.3.C6"
# Measured: the size of the gradient by the logits of an untrained student, with $T^2$ (your loss) and without it, beside the labels' own.
# %%
fresh = make_network("mlp", 0)
logits = fresh(train_x[:512]).detach().requires_grad_()
label_gradient = torch.autograd.grad(F.cross_entropy(logits, train_y[:512]), logits)[0].norm()
temperatures = (1, 2, 4, 8, 16)
with_square = []
for t in temperatures:
    loss = kd_loss(logits, teacher_logits[:512], train_y[:512], float(t), 1.0)
    with_square.append(float(torch.autograd.grad(loss, logits)[0].norm() / label_gradient))
without = [g / t**2 for g, t in zip(with_square, temperatures, strict=True)]
fig = curves(
    temperatures, {"with T squared": with_square, "without": without}, logx=True, logy=True,
    xlabel="temperature", ylabel="gradient (labels' term: 1)", title="What T squared keeps in balance",
)  # fmt: skip
show(
    fig,
    "Two lines over temperatures 1 to 16, both axes logarithmic. With T squared the soft term's gradient stays within a "
    f"factor of {max(with_square) / min(with_square):.1f}; without it falls by a factor of {without[0] / without[-1]:.0f}.",
)
for t, a, b in zip(temperatures, with_square, without, strict=True):
    print(f"T {t:2d}: gradient {a:.2f} of the labels' with T squared, {b:.4f} without")
# %% [markdown] items="1.3.C6"
# **What you should see.** With $T^2$ the gradient keeps its order of magnitude from $T=1$ to 16. Without it, at $T=16$
# next to nothing is left of the teacher, and $\alpha$ means something else at every temperature. (An optimizer such as Adam hides a scale
# that is common to *both* terms; it cannot repair the balance between them.)
# %% [markdown] items="1.3.C6 1.3.K2"
# ## Soft against hard, over seeds
#
# Labels are scarce: 200 images. Each of five seeds draws its own 200, and its own start; all ways get the same. The **control** is
# label smoothing: 0.1 of the probability spread evenly over the classes. It is soft, too, but knows nothing.
# %%
FEW, STEPS = 200, 300


def few_rows(seed):
    """200 rows of the training images, drawn with the seed."""
    chosen = torch.randperm(len(train_x), generator=torch.Generator().manual_seed(100 + seed))
    return chosen[:FEW].to(profile.device)


def student_loss(student, x, y, answers, way):
    """The loss of a way for images x, labels y and the teacher's logits."""
    if way == "hard labels":
        return F.cross_entropy(student(x), y)
    if way == "smoothed labels":
        return F.cross_entropy(student(x), y, label_smoothing=0.1)
    temperature, alpha = {
        "soft, T 1": (1.0, 1.0),
        "soft, T 4": (4.0, 1.0),
        "half soft, T 4": (4.0, 0.5),
    }[way]
    return kd_loss(student(x), answers, y, temperature, alpha)


WAYS = ("hard labels", "smoothed labels", "soft, T 1", "soft, T 4", "half soft, T 4")
few_results = {way: [] for way in WAYS}
for seed in SEEDS:
    few = few_rows(seed)
    for way in WAYS:
        student = make_network("mlp", seed)
        train(
            student.parameters(), FEW, STEPS, seed,
            lambda r, s=student, w=way, f=few: student_loss(s, train_x[f[r]], train_y[f[r]], teacher_logits[f[r]], w),
        )  # fmt: skip
        few_results[way].append(accuracy_percent(student))


def spread(values):
    """Mean and standard deviation over the seeds."""
    return f"{np.mean(values):5.2f} % (sd {np.std(values, ddof=1):.2f})"


T_95 = {5: 2.776, 3: 4.303}  # Student's t, two-sided 95 %, by the number of seeds


def paired(values, base):
    """Mean difference on the same seeds, with its 95 % interval."""
    gap = np.subtract(values, base)
    half = T_95[len(gap)] * gap.std(ddof=1) / math.sqrt(len(gap))
    return f"{gap.mean():+5.2f} points (95 %: {gap.mean() - half:+.2f} to {gap.mean() + half:+.2f})"


for way, values in few_results.items():
    against = "" if way == WAYS[0] else paired(values, few_results[WAYS[0]])
    print(f"{way:16s} {spread(values)}  {against}")
# %% [markdown] items="1.3.C6 1.3.K2"
# **What you should see.** The same images, the same student, and on MNIST two to five points more. Most of it needs the
# *temperature*: at $T = 1$ the teacher is nearly as hard as the labels. Smoothed labels are *worse* than hard ones there: it is
# the knowledge that helps and not the softness. A single seed
# would prove little; and on the small stand-in digits (360 test images) the intervals hold 0: too few to tell.
# %% [markdown] items="1.3.C6"
# ## The loop
#
# A teacher never tires: it answers for images that nobody labelled. So the loop asks it afresh for each batch. Three things must not happen:
#
# - its dropout stays on (its answers become noise);
# - its batch-norm statistics move (it forgets while it teaches);
# - gradients are kept for it (memory for nothing).
# %% [markdown] items="1.3.C6"
# ### Exercise: distil
#
# <details><summary>Hint 1</summary>Remember <code>teacher.training</code>; <code>teacher.eval()</code>; the loop inside
# <code>try: ... finally: ...</code>.</details>
# <details><summary>Hint 2</summary><code>with torch.no_grad(): answers = teacher(x)</code>. One Adam, made before the loop, over
# <code>student.parameters()</code>.</details>
# <details><summary>Hint 3</summary>Test <code>torch.isfinite(loss)</code> before <code>backward()</code>: after the step all weights would be
# NaN.</details>


# %% role="exercise" id="distil-student" items="1.3.C6 1.3.K2" minutes=15
def distil(
    student: nn.Module,
    teacher: nn.Module,
    batches: list[tuple[torch.Tensor, torch.Tensor]],
    temperature: float = 4.0,
    alpha: float = 1.0,
    learning_rate: float = 2e-3,
) -> list[float]:
    """Train a student on your kd_loss, one step of Adam for each batch, in order.

    Args:
        student: changed in place; in training mode while it learns. Called once for each batch.
        teacher: answers in evaluation mode and without gradients. Its parameters, buffers, .grad and
            requires_grad stay as they are.
        batches: (inputs, labels int64); both models take the inputs and give logits (rows, classes).
            Not changed.
        temperature, alpha: of kd_loss. learning_rate: torch.optim.Adam's, its other settings default.

    Afterwards each model is in training or evaluation mode as it was before, also after an error, and so is
    torch's gradient mode.

    Returns:
        the loss of each batch, before its step.

    Raises:
        ValueError: no batches, a loss that is not finite (before that step is taken), and what
            kd_loss refuses.

    >>> small, big = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> x, y = torch.randn(8, 2), torch.zeros(8, dtype=torch.int64)
    >>> losses = distil(small, big, [(x, y)] * 50, alpha=1.0, learning_rate=0.05)
    >>> len(losses), losses[-1] < losses[0], big.weight.grad
    (50, True, None)
    """
    ### BEGIN SOLUTION
    if not batches:
        raise ValueError("No batches: there is nothing to learn from.")
    modes = student.training, teacher.training
    student.train()
    teacher.eval()
    optimizer = torch.optim.Adam(student.parameters(), lr=learning_rate)
    losses = []
    try:
        for x, labels in batches:
            with torch.no_grad():
                answers = teacher(x)
            loss = kd_loss(student(x), answers, labels, temperature, alpha)
            if not torch.isfinite(loss):
                raise ValueError(f"The loss of batch {len(losses)} is {loss.item()}.")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    finally:
        student.train(modes[0])
        teacher.train(modes[1])
    return losses
    ### END SOLUTION


# %% role="check" id="distil-student" points=5
check("distil-student", distil)
# %% [markdown] items="1.3.C6"
# **Ask yourself first:** do shifted images help the student of the labels? The same 200 images, but shifted at random by up to 3 pixels at each step: 49 versions of each. The labels
# are the old ones; the teacher looks at every version anew.
# %%


def shifted_batches(seed, steps=STEPS, size=64):
    """Batches of the seed's 200 images, each moved by -3 to 3 pixels both ways, with labels."""
    few, random = few_rows(seed), np.random.default_rng(seed)
    for _ in range(steps):
        rows = few[torch.from_numpy(random.integers(FEW, size=size)).to(few.device)]
        down, right = random.integers(-3, 4, size=2).tolist()
        yield torch.roll(train_x[rows], (down, right), (2, 3)), train_y[rows]


shift_results = {"hard labels, shifted": [], "soft, T 4, shifted": []}
for seed in list(SEEDS)[:3]:
    batches = list(shifted_batches(seed))
    for way, alpha in zip(shift_results, (0.0, 1.0), strict=True):
        student = make_network("mlp", seed)
        distil(student, teacher, batches, 4.0, alpha)
        shift_results[way].append(accuracy_percent(student))
for way, values in shift_results.items():
    print(f"{way:22s} {spread(values)}")
print("soft - hard:", paired(*reversed(shift_results.values())))
# %% [markdown] items="1.3.C6 1.3.K2"
# **What you should see.** Shifts make the task harder, and so few steps of so small a student do worse with labels than
# without shifts. The student of the teacher loses next to nothing: at each version it gets an answer *for this version*. The gap
# between soft and hard more than doubles.
# %% [markdown] items="1.3.C7"
# ## Features: learn the steps, not only the answer
#
# FitNets compare what the models think on the way: **hidden features** $h_s$ (student, width $d_s$) and $h_t$ (teacher, width
# $d_t$). The widths differ, so the student's pass through a **projection** $P$ of shape $(d_t, d_s)$, trained along and thrown
# away afterwards:
#
# $$L_{feat} = \mathrm{mean}\,(P h_s - h_t)^2.$$
#
# The mean runs over positions and the $d_t$ features. With texts some positions are padding: they hold garbage and must not count.
# %% [markdown] items="1.3.C7"
# ### Exercise: a feature loss
#
# <details><summary>Hint 1</summary><code>student @ projection.T</code> works for any leading dimensions.</details>
# <details><summary>Hint 2</summary>NaN times 0 is NaN: take the kept rows out with <code>student[keep]</code>, before any
# arithmetic.</details>
# <details><summary>Hint 3</summary>Compare <code>student.shape[:-1]</code> with <code>teacher.shape[:-1]</code>: subtraction would
# broadcast.</details>


# %% role="exercise" id="feature-loss" items="1.3.C7 1.3.K5" minutes=12
def feature_loss(
    student: torch.Tensor,
    teacher: torch.Tensor,
    projection: torch.Tensor,
    keep: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean squared error between projected student features and the teacher's.

    Args:
        student: float (..., d_s), with one leading dimension or more. teacher: same dtype and leading shape,
            (..., d_t); no gradient goes to it. projection: (d_t, d_s), applied as projection @ h.
        keep: bool, the leading shape; None keeps all. Other positions do not count: they may hold NaN or
            infinities, and get a gradient of exactly 0. No argument is changed.

    Returns:
        a tensor without dimensions: the mean over kept positions and d_t features, with gradients by the
        student's features and the projection.

    Raises:
        ValueError: leading shapes that differ (nothing broadcasts), a projection that is not
            (d_t, d_s), a keep of another shape, or no position kept.

    >>> h_s, h_t = torch.tensor([[1.0], [9.0]]), torch.tensor([[1.0, 4.0], [0.0, 0.0]])
    >>> P = torch.tensor([[1.0], [2.0]])
    >>> feature_loss(h_s, h_t, P, torch.tensor([True, False])).item()
    2.0
    """
    ### BEGIN SOLUTION
    lead = student.shape[:-1]
    if not lead or teacher.shape[:-1] != lead:
        raise ValueError(f"Positions differ: {tuple(student.shape)} and {tuple(teacher.shape)}.")
    if projection.shape != (teacher.shape[-1], student.shape[-1]):
        raise ValueError(
            f"The projection must be {(teacher.shape[-1], student.shape[-1])}, "
            f"not {tuple(projection.shape)}."
        )
    if keep is None:
        keep = torch.ones(lead, dtype=torch.bool, device=student.device)
    if keep.shape != lead or not keep.any():
        raise ValueError(f"keep must be {tuple(lead)} and keep one position or more.")
    return ((student[keep] @ projection.T - teacher.detach()[keep]) ** 2).mean()
    ### END SOLUTION


# %% role="check" id="feature-loss" points=4
check("feature-loss", feature_loss)
# %% [markdown] items="1.3.C7 1.3.K5"
# ## Across architectures
#
# Logits and features are the only interface: the teacher convolves, and the student need not. Three students of different build,
# 200 images, three seeds: hard labels; hard labels plus 10 times the feature loss (the teacher's features divided by their
# standard deviation); soft targets. The linear student has no hidden layer, so there is nothing to match.
# %%
with torch.no_grad():
    teacher_features = torch.cat([teacher.features(part) for part in train_x.split(2000)])
teacher_features /= teacher_features.std()


def cross_train(kind, way, seed):
    """Test accuracy in percent of a student trained one way on the seed's 200 images."""
    student, few = make_network(kind, seed), few_rows(seed)
    width = student.head.in_features
    projection = (torch.randn(64, width) / math.sqrt(width)).to(profile.device).requires_grad_()

    def loss_of(r):
        rows = few[r]
        hidden = student.features(train_x[rows])
        if way == "soft, T 4":
            return kd_loss(student.head(hidden), teacher_logits[rows], train_y[rows], 4.0, 1.0)
        loss = F.cross_entropy(student.head(hidden), train_y[rows])
        if way == "hard + features":
            loss = loss + 10 * feature_loss(hidden, teacher_features[rows], projection)
        return loss

    train([*student.parameters(), projection], FEW, STEPS, seed, loss_of)
    return accuracy_percent(student)


cross_results = {}
for kind in ("linear", "mlp", "cnn"):
    count = sum(p.numel() for p in make_network(kind, 0).parameters())
    for way in ("hard labels", "hard + features", "soft, T 4"):
        if kind == "linear" and way == "hard + features":
            continue
        values = [cross_train(kind, way, seed) for seed in list(SEEDS)[:3]]
        cross_results[kind, way] = values
        base = cross_results[kind, "hard labels"]
        against = "" if way == "hard labels" else paired(values, base)
        print(f"{kind:6s} {count:6,} parameters, {way:16s} {spread(values)}  {against}")
# %% [markdown] items="1.3.C7 1.3.K5"
# **What you should see.** On MNIST every build gains from soft targets on average, and the convolutional student with 3,826 parameters
# gains most. Features help it too, by about half as much: it has the teacher's kind of hidden layer. The plain network
# gains little from them, and varies more. Three seeds are few: an interval that contains 0 proves nothing, whatever the
# mean says. (In trials, features on top of soft targets added nothing here.)
# %% [markdown] items="1.3.C7 1.3.K5"
# ## Different vocabularies
#
# With another tokenizer column 17 is another token. If the *widths* differ, your `kd_loss` refuses. If they
# happen to agree, nothing complains and nonsense is learned.
#
# The **universal logit distillation** loss compares only the *shape* of the answers: both rows of probabilities sorted, the largest
# first, the shorter one filled with zeros, and
#
# $$L_{ULD} = \sum_k |q_{(k)} - p_{(k)}|,$$
#
# a mean over the rows. It needs no common classes, and it cannot know which token is meant.
# %% [markdown] items="1.3.C7 1.3.K5"
# ### Exercise: a loss without a common vocabulary
#
# <details><summary>Hint 1</summary><code>torch.sort(..., descending=True, dim=1).values</code> passes gradients on.</details>
# <details><summary>Hint 2</summary><code>F.pad(p, (0, missing))</code> adds zeros at the end of the last axis.</details>
# <details><summary>Hint 3</summary>Zeros are added to <em>probabilities</em>, after the softmax: a logit of 0 would be a
# token.</details>


# %% role="exercise" id="sorted-logit-loss" items="1.3.C7 1.3.K5" minutes=10
def uld_loss(student_logits: torch.Tensor, teacher_logits: torch.Tensor) -> torch.Tensor:
    """The distance of two models' sorted probabilities, whatever their vocabularies.

    Both softmaxes at temperature 1; each row sorted in descending order; the shorter filled
    with zeros; absolute differences, summed over a row; the mean over the rows.

    Args:
        student_logits: float (rows, student_classes). teacher_logits: same dtype, (rows,
            teacher_classes); no gradient goes to it. The classes may differ in number, either way.
            Neither is changed.

    Returns:
        a tensor without dimensions, between 0 and 2, with the gradient by the student's logits.

    Raises:
        ValueError: logits that are not (rows, classes), different numbers of rows, or no rows.

    >>> student = torch.tensor([[0.0, math.log(3.0)]])
    >>> teacher = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    >>> round(uld_loss(student, teacher).item(), 4)  # 0.75 - 0.5, 0.25 - 0.25, 0 - 0.25
    0.5
    """
    ### BEGIN SOLUTION
    if student_logits.ndim != 2 or teacher_logits.ndim != 2:
        raise ValueError("Logits must be (rows, classes).")
    if len(student_logits) != len(teacher_logits) or not len(student_logits):
        raise ValueError(f"{len(student_logits)} and {len(teacher_logits)} rows: they must match.")
    width = max(student_logits.shape[1], teacher_logits.shape[1])
    q, p = (
        F.pad(z.softmax(1).sort(dim=1, descending=True).values, (0, width - z.shape[1]))
        for z in (student_logits, teacher_logits.detach())
    )
    return (q - p).abs().sum(1).mean()
    ### END SOLUTION


# %% role="check" id="sorted-logit-loss" points=4
check("sorted-logit-loss", uld_loss)
# %% [markdown] items="1.3.C7 1.3.K5"
# A teacher with a foreign vocabulary: the ten digits in another order, and two classes more that it never uses. The students get hard labels plus
# your ULD loss, five seeds. And the two language models of this course: they share a vocabulary; what does each loss say if the teacher's columns are
# shuffled?
# %%
order = torch.randperm(12, generator=torch.Generator().manual_seed(3)).to(profile.device)
foreign_logits = F.pad(teacher_logits, (0, 2), value=-20.0)[:, order]
try:
    kd_loss(teacher_logits[:4], foreign_logits[:4], train_y[:4])
except ValueError as error:
    print("kd_loss refuses:", error)
few_results["hard + ULD"] = []
for seed in SEEDS:
    student, few = make_network("mlp", seed), few_rows(seed)

    def uld_total(r, s=student, f=few):
        answer = s(train_x[f[r]])
        return F.cross_entropy(answer, train_y[f[r]]) + 1.5 * uld_loss(answer, foreign_logits[f[r]])

    train(student.parameters(), FEW, STEPS, seed, uld_total)
    few_results["hard + ULD"].append(accuracy_percent(student))
values = few_results["hard + ULD"]
print(f"hard labels + ULD  {spread(values)}  {paired(values, few_results['hard labels'])}")
# %% role="given" id="language-models"
from lab.lm import calibration_batch, load_lm, load_tokens

lm_teacher, lm_draft = (load_lm(name, profile).float() for name in ("lm", "draft"))
END = 0  # the id of <|endoftext|>


def logits_of(model):
    """ids (B, T) int64 to logits (B, T, V) float32, for the functions below."""
    return lambda ids: model(ids, use_cache=False).logits


held_out = torch.from_numpy(load_tokens("heldout").astype(np.int64))
PROMPT, NEW = 16, 32


def held_out_text(count, length, seed=0):
    """Sequences of the held-out text, (count, length) int64."""
    starts = np.random.default_rng(seed).integers(len(held_out) - length + 1, size=count)
    return held_out[torch.from_numpy(starts[:, None] + np.arange(length))].to(profile.device)


# %%
with torch.no_grad():
    ids = held_out_text(16, 64)
    of_draft, of_lm = (logits_of(m)(ids).flatten(0, 1) for m in (lm_draft, lm_teacher))
shuffled = of_lm[
    :, torch.randperm(2048, generator=torch.Generator().manual_seed(0)).to(of_lm.device)
]
any_labels = ids.flatten()
for name, answers in (("the same vocabulary", of_lm), ("columns shuffled", shuffled)):
    kl = kd_loss(of_draft, answers, any_labels, 1.0, 1.0)
    print(f"{name:20s} KL {kl:6.3f} nats, ULD {uld_loss(of_draft, answers):.4f}")
# %% [markdown] items="1.3.C7 1.3.K5"
# **What you should see.** Shuffled columns cost the KL ten times as much: a student would be taught nonsense. ULD cannot
# tell them apart. That is its strength (no common vocabulary needed) and its limit: it says how *sure* to be, not of
# what. Here it neither helps nor harms: the interval holds 0. Its paper uses it on long texts, beside the labels, where being
# rightly unsure is worth more than on digits.
# %% [markdown] items="1.3.C7"
# ## On-policy: learn from your own mistakes
#
# A language model that writes reads its **own** tokens. Trained on other people's text, it has never seen the situations that its own
# slips lead to. **On-policy distillation**: the *student* writes the completion, and the *teacher* says at every token what it would have
# written there. No label is needed; the teacher answers for any text.
#
# First the student must write: one token at a time, **drawn** from its softmax, not the likeliest.
# %% [markdown] items="1.3.C7"
# ### Exercise: sample completions
#
# <details><summary>Hint 1</summary>The logits at the <em>last</em> position are those of the next token.</details>
# <details><summary>Hint 2</summary><code>torch.multinomial(p, 1, generator=generator)</code> draws one token a row;
# <code>torch.cat([ids, new], dim=1)</code> appends.</details>
# <details><summary>Hint 3</summary>Keep a bool for each row: has it ended? The prompt's own end tokens do not
# count.</details>


# %% role="exercise" id="sample-completions" items="1.3.C7" minutes=12
def sample_completions(
    model, prompts: torch.Tensor, new_tokens: int, end_id: int, generator: torch.Generator
) -> torch.Tensor:
    """Completions drawn from a model's own distribution, token by token.

    The model runs inside torch.no_grad(); afterwards torch's gradient mode is what it was. Each new token is drawn from softmax(logits of the last position),
    each row on its own. Once a row has
    drawn end_id, the rest of the row is end_id. An end_id in the prompt ends nothing.

    Args:
        model: a callable from ids (rows, length) int64 to logits (rows, length, vocabulary).
        prompts: int64 (rows, prompt_length). Not changed.
        new_tokens: 1 or more. generator: the only source of randomness. Its state moves on: a second call with it
            draws other tokens.

    Returns:
        int64 (rows, prompt_length + new_tokens): the prompts and, after them, the new tokens.

    Raises:
        ValueError: prompts that are not (rows, length) with one token or more, or new_tokens < 1.

    >>> def model(ids):  # always the token after the last
    ...     return 1e4 * F.one_hot((ids + 1) % 5, 5).float()
    >>> sample_completions(model, torch.tensor([[0, 1]]), 4, 4, torch.Generator()).tolist()
    [[0, 1, 2, 3, 4, 4]]
    """
    ### BEGIN SOLUTION
    if prompts.ndim != 2 or not prompts.shape[1] or new_tokens < 1:
        raise ValueError("Give prompts (rows, length), not empty, and new_tokens of 1 or more.")
    ids = prompts
    ended = torch.zeros(len(ids), 1, dtype=torch.bool, device=ids.device)
    with torch.no_grad():
        for _ in range(new_tokens):
            p = model(ids)[:, -1].softmax(-1)
            new = torch.multinomial(p, 1, generator=generator)
            new = torch.where(ended, end_id, new)
            ended = ended | (new == end_id)
            ids = torch.cat([ids, new], dim=1)
    return ids
    ### END SOLUTION


# %% role="check" id="sample-completions" points=4
check("sample-completions", sample_completions)
# %% [markdown] items="1.3.C7"
# ## The other direction
#
# On its own samples the student minimises the **reverse** divergence, at each token and over the whole vocabulary:
#
# $$\mathrm{KL}(q\,\|\,p) = \sum_v q_v\,(\log q_v - \log p_v).$$
#
# Now the *student's* probabilities weigh the sum: it is punished for what it says and the teacher would not. What only the
# teacher would say costs little. A small model, which cannot do everything, had better do a part well: **mode seeking**,
# as against **mode covering**.
# %% [markdown] items="1.3.C7"
# ### Exercise: the on-policy loss
#
# <details><summary>Hint 1</summary>The logits at position $t$ predict token $t + 1$: those for the completion are
# <code>[:, prompt_length - 1 : -1]</code>.</details>
# <details><summary>Hint 2</summary>With <code>is_end = (completion == end_id).long()</code>, the tokens <em>after</em> the first end are those
# where <code>is_end.cumsum(1) - is_end</code> is above 0.</details>
# <details><summary>Hint 3</summary>One sum over all scored tokens divided by their count, not a mean of each row's
# mean.</details>


# %% role="exercise" id="on-policy-loss" items="1.3.C7 1.3.K5" minutes=15
def on_policy_loss(
    student, teacher, ids: torch.Tensor, prompt_length: int, end_id: int
) -> torch.Tensor:
    """The mean of KL(student || teacher) over the tokens that the student wrote.

    Scored: the tokens from position prompt_length on, in each row up to and including its first end_id
    there; what follows is padding, and an end_id in the prompt ends nothing. Each scored token counts the
    same. The distributions for the token at position t are the softmaxes of the logits at t - 1, temperature 1.

    Args:
        student, teacher: callables from ids (rows, length) to logits (rows, length, vocabulary). The gradient
            goes through the student's logits alone; the teacher runs without gradients, and torch's
            gradient mode is afterwards what it was.
        ids: int64 (rows, length), prompts and completions, from sample_completions. Not changed.
        prompt_length: 1 to length - 1.

    Returns:
        a tensor without dimensions, nats for each token; finite for finite logits, also of 1e3.

    Raises:
        ValueError: prompt_length outside 1 .. length - 1, or different vocabularies.

    >>> ids = torch.tensor([[7, 1, 2, 0, 0]])
    >>> flat, sure = torch.zeros(1, 5, 2), torch.tensor([[[math.log(3.0), 0.0]]]).repeat(1, 5, 1)
    >>> loss = on_policy_loss(lambda i: flat, lambda i: sure, ids, 2, 0)
    >>> round(loss.item(), 4)  # 0.5 log(0.5 / 0.75) + 0.5 log(0.5 / 0.25)
    0.1438
    """
    ### BEGIN SOLUTION
    if not 1 <= prompt_length < ids.shape[1]:
        raise ValueError(f"prompt_length={prompt_length} must be 1 to {ids.shape[1] - 1}.")
    log_q = student(ids)[:, prompt_length - 1 : -1].log_softmax(-1)
    with torch.no_grad():
        log_p = teacher(ids)[:, prompt_length - 1 : -1].log_softmax(-1)
    if log_q.shape != log_p.shape:
        raise ValueError(
            f"The student has {log_q.shape[-1]} tokens, the teacher {log_p.shape[-1]}: "
            "on-policy distillation compares token by token and needs one vocabulary."
        )
    is_end = (ids[:, prompt_length:] == end_id).long()
    scored = is_end.cumsum(1) - is_end == 0
    divergence = (log_q.exp() * (log_q - log_p)).sum(-1)
    return divergence[scored].mean()
    ### END SOLUTION


# %% role="check" id="on-policy-loss" points=5
check("on-policy-loss", on_policy_loss)
# %% [markdown] items="1.3.C7 1.3.K5"
# ## At the scale of a language model
#
# The course's `lm` (3.7 M parameters, 4 layers) teaches `draft` (0.75 M, 2 layers): the same vocabulary, half the width and depth. Four ways, 20 steps
# of 12 sequences each, one learning rate. Two of them differ from on-policy in *one* thing: "text, reverse KL" has the same
# loss on other people's text.
# %%


def text_loss(student, ids, way):
    """The loss of an off-policy way on a batch of the training text."""
    if way == "text, labels":
        return F.cross_entropy(
            logits_of(student)(ids)[:, PROMPT - 1 : -1].flatten(0, 1), ids[:, PROMPT:].flatten()
        )
    if way == "text, reverse KL":
        return on_policy_loss(logits_of(student), logits_of(lm_teacher), ids, PROMPT, -1)
    with torch.no_grad():
        answers = logits_of(lm_teacher)(ids)[:, PROMPT - 1 : -1].flatten(0, 1)
    mine = logits_of(student)(ids)[:, PROMPT - 1 : -1].flatten(0, 1)
    return kd_loss(mine, answers, ids[:, PROMPT:].flatten(), 1.0, 1.0)


def train_draft(way, steps=20, size=12, learning_rate=3e-4):
    """A copy of the draft model, trained one way."""
    student = copy.deepcopy(lm_draft).requires_grad_(True)
    optimizer = torch.optim.Adam(student.parameters(), learning_rate)
    random = torch.Generator(device=profile.device).manual_seed(1)
    for step in range(steps):
        ids = calibration_batch(size, PROMPT + NEW, seed=100 + step).to(profile.device)
        if way == "own samples, reverse KL":
            ids = sample_completions(logits_of(student), ids[:, :PROMPT], NEW, END, random)
            loss = on_policy_loss(logits_of(student), logits_of(lm_teacher), ids, PROMPT, END)
        else:
            loss = text_loss(student, ids, way)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return student


@torch.no_grad()
def judge_draft(student):
    """On 64 held-out prompts, 8 groups of 8: reverse KL on the student's own samples by group, (8,),
    and forward KL on the text itself."""
    text = held_out_text(64, PROMPT + NEW)
    random = torch.Generator(device=profile.device).manual_seed(9)
    own = sample_completions(logits_of(student), text[:, :PROMPT], NEW, END, random)
    models = logits_of(student), logits_of(lm_teacher)
    on_own = [on_policy_loss(*models, group, PROMPT, END).item() for group in own.split(8)]
    return np.array(on_own), float(text_loss(student, text, "text, forward KL"))


lm_results = {"as shipped": judge_draft(lm_draft)}
for way in ("text, labels", "text, forward KL", "text, reverse KL", "own samples, reverse KL"):
    lm_results[way] = judge_draft(train_draft(way))
print("nats a token            reverse KL on own samples   forward KL on text")
for way, (own, text) in lm_results.items():
    print(f"{way:24s} {own.mean():16.3f} (se {own.std(ddof=1) / math.sqrt(8):.3f}) {text:17.3f}")
for way in ("text, forward KL", "text, reverse KL"):
    gap = lm_results["own samples, reverse KL"][0] - lm_results[way][0]
    print(f"own samples - {way}: {gap.mean():+.3f} (se {gap.std(ddof=1) / math.sqrt(8):.3f})")
# %% [markdown] items="1.3.C7 1.3.K5"
# **What you should see.** Labels alone no longer help a model that knows such text already; the teacher's answers do, at once.
# Each direction is best at what it minimises: forward KL on text, reverse KL on the student's own samples. But the
# *control* is as good as on-policy: in 20 steps (one run each) the gain comes from the direction, and the student's own
# samples add nothing above the standard error. Without that row one would claim the contrary.
# %% [markdown] items="1.3.K2 1.3.K5"
# ## In your own words
#
# Three teams ask you. **A** has a trained image classifier, 300 labelled images and 100,000 unlabelled ones, and a phone that runs only small networks.
# **B** has a chat model of 70 billion parameters and wants one of 3 billion **from another family**, with another tokenizer. **C** has
# a small model of the *same* family that writes well at first and then drifts off.
#
# In 120 to 200 words: which loss or losses from this lesson for each, and why not the others? What do you choose for temperature and $\alpha$ for A?
# Which experiment of this lesson would convince each of them, with its figures and their spread?
# %% [markdown] role="written" id="distillation-choices" items="1.3.K2 1.3.K5" points=3
# **Model answer.** A: the distillation loss on all 100,300 images: the teacher answers for unlabelled ones. T about 4 (here 1 gained less
# than a point, 4 more than three), alpha near 1 (half soft did as well). To convince: soft against hard labels on the same
# images and seeds, with the interval of the paired difference, and smoothed labels as control, which lost more than two: it is the knowledge.
# The architectures may differ; features are optional.
#
# B: `kd_loss` does not apply: other tokens, other columns; with shuffled columns the KL was ten times larger. ULD works
# without a common vocabulary but says nothing of which token (same value when shuffled, no gain on digits);
# or let the teacher write texts and train on them as labels. Features through a projection are possible, but positions differ as well.
#
# C: on-policy with the reverse divergence: it is trained in the states that its own slips lead to, and the vocabulary is shared.
# To convince: divergence on its own samples, 0.64 against 0.68 with the forward one on text (standard error of the difference
# 0.02). But the control, reverse KL on text, did as well here: C should ask for that row on its own model before it believes in own samples.
#
# **Rubric.** 1 point: the right loss for each. 1 point: why not the others (shared vocabulary, what the labels lack, whose text).
# 1 point: T and alpha with a reason, and figures **with spread** and a control. Half a point off for KL the wrong way round, or for a claim
# from one seed.
# %% [markdown]
# ## Recap
#
# - Soft targets carry what labels cannot: how wrong classes resemble the right one. The temperature makes it visible.
# - $\alpha T^2\,\mathrm{KL}(teacher\,\|\,student) + (1-\alpha)\,\mathrm{CE}$; $T^2$ keeps the balance when $T$ moves.
# - The teacher is in evaluation mode, without gradients, and answers for unlabelled inputs too.
# - Features need a projection; different vocabularies need a loss that sorts, or they are refused.
# - On-policy: the student writes, the teacher judges every token, by the reverse divergence. A control tells whose merit it is.
#
# **Three questions**
#
# <details><summary>1. At T = 1 and alpha = 1 the teacher is always 100 % sure and right. What is the loss?</summary>The cross-entropy with
# the labels: its p is one-hot. Soft targets without softness.</details>
# <details><summary>2. Your kd_loss is 2,048 times too small for a language model. What happened?</summary><code>reduction="mean"</code>
# divides by the classes as well; "batchmean" divides by the rows alone.</details>
# <details><summary>3. Why no gradient through the sampling of on-policy data?</summary>A drawn token is an integer: it has no derivative. The loss is a
# function of the logits at the tokens drawn; the way that the choice of tokens depends on the weights is left out.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Hinton, Vinyals and Dean, *Distilling the Knowledge in a Neural Network*, 2015, section 2: temperature and $T^2$; section 3: the
#   missing 3 of this lesson's opening, where a shift of one bias repairs most of the rest.
# - Romero et al., *FitNets: Hints for Thin Deep Nets*, ICLR 2015: features through a trained regressor.
# - Sanh et al., *DistilBERT*, 2019: three losses in one, and every second layer of the teacher as a start.
# - Boizard et al., *Towards Cross-Tokenizer Distillation: the Universal Logit Distillation Loss for LLMs*, 2024: the sorted loss.
# - Agarwal et al., *On-Policy Distillation of Language Models: Learning from Self-Generated Mistakes* (GKD), ICLR 2024: mixes of own and
#   given text, and of both directions.
# - Gu et al., *MiniLLM*, ICLR 2024: the reverse divergence, and why mode seeking suits small models.
#
# **Next:** low-rank adapters: the model stays as large, and only a thin update is trained.
# %%
# Your result.
print(f"teacher                                    {teacher_percent:.1f} %")
print(f"3s found by students that never saw a 3    {unseen_soft:.1f} %")
for way, values in few_results.items():
    print(f"200 images, {way:30s} {spread(values)}")
for way, values in shift_results.items():
    print(f"{way:42s} {spread(values)}")
for (kind, way), values in cross_results.items():
    print(f"{kind + ', ' + way:42s} {spread(values)}")
for way, (own, text) in lm_results.items():
    print(f"draft, {way:24s} own samples {own.mean():.3f}, text {text:.3f} nats a token")
