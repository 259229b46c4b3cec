# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Measure before you change anything
#
# **You end with:** a benchmark that waits for its device, intervals that say how far a median or a P99 can be trusted, and a verdict
# on which of two versions of a model is faster, with the uncertainty beside it.
#
# About 115 minutes. 42 points: 39 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network; on a CUDA machine the same
# cells time kernels. You need module 1.2, lesson 1 (fake quantization) and, for the GPU, what a stream is (module 1.5, lesson 7).
#
# All checks use a clock and a device that are handed to your function. So their result never depends on how fast your machine is.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import copy
import math
import time
import warnings

import numpy as np
import torch
from scipy.stats import binom

from autograder import check
from lab.async_device import WorkerDevice, open_device
from lab.fake_quant import decoder_linears, int8_activations, round_to_nearest, with_weights
from lab.lm import load_lm, load_tokens
from lab.plots import COLOURS, curves, explore, figure, histogram, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import interleave_ms, sample_ms

torch.set_num_threads(1)  # one busy thread is disturbed less than many
profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## Eight bits must be faster than thirty-two
#
# In module 1.2 you quantized the shipped model to INT8, weights and activations. A quarter of the bytes, cheap integers instead of
# floats. How long does the INT8 model take for 64 tokens, with the float model at 1?
#
# Guess first. A guess that stands on paper is the only one that can be wrong.
# %% role="predict" id="predict-int8"
my_int8_time = ...  # time of the INT8 model / time of the float model
# %% role="given" id="opening"
model = load_lm("lm", profile)
tokens = torch.from_numpy(load_tokens("heldout")[: 32 * 64].astype(np.int64)).reshape(32, 64)
tokens = tokens.to(profile.device)
int8_model = with_weights(model, lambda _name, weight: round_to_nearest(weight, 8))


def forward(network, ids) -> None:
    """One pass over ids (batch, tokens), without a cache."""
    with torch.inference_mode():
        network(ids, use_cache=False)


def wait() -> None:
    """Until the GPU has done its work; a CPU has done it already."""
    if profile.device == "cuda":
        torch.cuda.synchronize()


def forward_int8(ids) -> None:
    """The same for the model of module 1.2: INT8 weights, INT8 activations."""
    with int8_activations(int8_model):
        forward(int8_model, ids)


def show_opening() -> None:
    """Both models, interleaved, in milliseconds; and the guess beside the ratio."""
    versions = {
        "float": lambda: forward(model, tokens[:1]),
        "INT8": lambda: forward_int8(tokens[:1]),
    }
    medians = {name: np.median(ms) for name, ms in interleave_ms(versions, rounds=30).items()}
    print(*(f"{name:5s} {ms:6.2f} ms for 64 tokens" for name, ms in medians.items()), sep="\n")
    reveal(my_int8_time, medians["INT8"] / medians["float"], "of the float model's time")


show_opening()
# %% [markdown] items="1.6.C1"
# **What happened.** That INT8 model is no faster; on a quiet machine it is plainly slower. *Fake* quantization computes the floats of the float model, and rounds the activations
# on top. It was made to measure accuracy. No byte less is read, no integer multiplied.
#
# Everybody knows this; many still forget it when they guess. Intuition works on names ("INT8"), the machine works on instructions.
# %% [markdown] items="1.6.C1"
# ## Where does the time go?
#
# A second guess. Generating text, the model takes one token at a time. Almost all of its multiplications are in the linear layers: the
# decoder's, and the one that gives the logits. Which share of the *time* do they take?
# %% role="predict" id="predict-share"
my_linear_percent = ...  # of the time of a pass over 1 token
# %% role="given" id="linear-share"


def linear_percent(ids, rounds: int = 15) -> float:
    """Median share of a pass that is spent inside linear layers, percent."""
    inside, began, handles, shares = [0], [0], [], []

    def begin(*_):
        wait()
        began[0] = time.perf_counter_ns()

    def end(*_):
        wait()
        inside[0] += time.perf_counter_ns() - began[0]

    for layer in [*decoder_linears(model).values(), model.lm_head]:
        handles += [layer.register_forward_pre_hook(begin), layer.register_forward_hook(end)]
    for _ in range(rounds):
        inside[0], start = 0, time.perf_counter_ns()
        forward(model, ids)
        wait()
        shares.append(100 * inside[0] / (time.perf_counter_ns() - start))
    for handle in handles:
        handle.remove()
    return float(np.median(shares))


def show_shares() -> None:
    """The share by batch and tokens."""
    found = {
        (batch, n): linear_percent(tokens[:batch, :n]) for batch, n in ((8, 64), (1, 64), (1, 1))
    }
    for (batch, n), percent in found.items():
        print(f"batch {batch}, {n:2d} tokens: {percent:5.1f} % of the time in linear layers")
    reveal(my_linear_percent, found[1, 1], "%")


show_shares()
# %% [markdown] items="1.6.C1"
# **What you should see.** With many tokens most of the time, two thirds or more. With one token about half or less, though the multiplications are still
# nearly all there. The rest is the price of *starting* hundreds of small operations.
#
# So a linear layer made infinitely fast would halve a one-token step and no more. Measure where the time is; then choose what to
# change; then measure again. (On a GPU the waits inside distort: lesson 3 takes traces.)
# %% [markdown] items="1.6.C1"
# ## The first calls are different
#
# They allocate memory, fill caches, choose algorithms, compile; a GPU raises its clock. If you ask for the speed in steady operation, they do not belong to the
# sample: **warm up**, then measure. If you ask how long a user waits after a start, they are all that counts.
# %% role="given" id="cold"


def show_cold() -> None:
    """The first passes of a fresh copy over a shape never seen before."""
    fresh, ids = copy.deepcopy(model), tokens[:3, :37].contiguous()
    times_ms = sample_ms(lambda: forward(fresh, ids), warmup=0, repeats=30)
    drawn = curves(range(1, 31), {"each call": times_ms}, xlabel="call", ylabel="ms")
    steady = np.median(times_ms[10:])
    show(
        drawn,
        f"Milliseconds of calls 1 to 30: the first takes {times_ms[0]:.1f} ms, the median from call 11 on is {steady:.1f} ms.",
    )
    print(f"first call {times_ms[0]:.2f} ms, median of calls 11 to 30 {steady:.2f} ms")


show_cold()
# %% [markdown]
# **What you should see.** On a quiet CPU the first call over a new shape costs a little more, most of all in memory. On a GPU the first call of a process also starts the
# device and loads kernels, and with `torch.compile` it compiles: there it can take a thousand times as long as the next.
# %% [markdown] items="1.6.C1"
# ## A clock has a tick
#
# A clock that moves in ticks of $q$ ns reads an interval $D$ to within one tick: the relative error is below $q / D$. So time $n$ calls at
# once and divide by $n$, with $n$ so large that $D$ is many ticks.
#
# Take a clock that never jumps: `time.perf_counter_ns`. `time.time` follows corrections of the wall clock and can go backwards.
# %% role="given" id="ticks"


def show_ticks() -> None:
    """The smallest step seen in each clock, and the time between two readings."""
    clocks = {
        "perf_counter": time.perf_counter_ns,
        "monotonic": time.monotonic_ns,
        "time": time.time_ns,
    }
    clocks |= {"process_time": time.process_time_ns, "thread_time": time.thread_time_ns}
    for name, read in clocks.items():
        seen = np.array([read() for _ in range(20_000)])
        steps = np.diff(seen)
        steps, mean = steps[steps > 0], (seen[-1] - seen[0]) / len(steps)
        print(f"{name:13s} smallest step {steps.min():7,} ns, mean {mean:8.1f} ns a reading")


show_ticks()


# %% [markdown] items="1.6.C1"
# ### Exercise: enough calls for the clock
#
# <details><summary>Hint 1</summary>The clock must have moved by at least <code>tick_ns / error</code>.</details>
# <details><summary>Hint 2</summary>Each attempt starts afresh: read, call n times, read. Do not add up attempts.</details>
# %% role="exercise" id="bench-inner" items="1.6.C1" minutes=10
def inner_repetitions(fn, clock_ns, tick_ns: float, error: float = 0.01, most: int = 2**20) -> int:
    """How many calls of fn to time at once.

    One call that is not timed comes first. Then attempts with n = 1, 2, 4, 8, ... calls in a row, each between two readings of the
    clock of its own. The first n whose difference is at least tick_ns / error is the answer.

    Args:
        fn: called without arguments.
        clock_ns: clock_ns() gives nanoseconds; read no other clock.
        tick_ns: the clock's tick, above 0.
        error: the relative error allowed, above 0 and below 1.
        most: no attempt has more calls than this; 1 or more.

    Raises:
        ValueError: tick_ns, error or most outside these ranges (fn is not called then); or no attempt with
            n <= most lasts long enough.

    >>> now = [0]
    >>> def call():
    ...     now[0] += 30
    >>> inner_repetitions(call, lambda: now[0], tick_ns=10.0)
    64
    """
    ### BEGIN SOLUTION
    if not tick_ns > 0 or not 0 < error < 1 or most < 1:
        raise ValueError("tick_ns is above 0, error between 0 and 1, most 1 or more.")
    fn()
    n = 1
    while n <= most:
        start = clock_ns()
        for _ in range(n):
            fn()
        if clock_ns() - start >= tick_ns / error:
            return n
        n *= 2
    raise ValueError(f"Even {most} calls are too short for this clock.")
    ### END SOLUTION


# %% role="check" id="bench-inner" points=3
check("bench-inner", inner_repetitions)
# %% role="given" id="inner-use"


def show_inner() -> None:
    """Calls needed on this machine for 1 %, if its clock ticked as coarsely as some do."""
    small = torch.ones(4)
    for label, fn in (("an addition of 4 numbers", lambda: small + small),
                      ("a pass over 64 tokens", lambda: (forward(model, tokens[:1]), wait()))):  # fmt: skip
        for tick_ns in (100.0, 1e6):
            n = inner_repetitions(fn, time.perf_counter_ns, tick_ns)
            print(f"{label:26s} tick {tick_ns:11,.0f} ns: {n:6,} calls a sample")


show_inner()
# %% [markdown] items="1.6.C1"
# **What you should see.** For a pass of milliseconds and a fine clock one call is enough, and best: a sample of many calls hides the spread
# between them. For an operation below a microsecond, or a clock of 1 ms, you need many.
# %% [markdown] items="1.6.C1"
# ## A device that goes on alone
#
# A CUDA kernel is launched, and the launch returns before the kernel has run. The host has to **synchronize**: wait until the device is done.
#
# Without a GPU this lesson uses a **stand-in**, `lab.async_device.WorkerDevice`: a queue and one thread. `submit(fn, *args)` queues and returns;
# `synchronize()` waits. It truly computes, in order, while the host goes on. On the GPU profile the same two calls go to CUDA.
# %% role="given" id="hasty"
SIZE = 4096 if profile.device == "cuda" else 512


def square_input():
    """A matrix (SIZE, SIZE) on the device."""
    return torch.rand(SIZE, SIZE, device=profile.device)


def multiply(x) -> None:
    """The work to time: one matrix product."""
    torch.mm(x, x)


def hasty_benchmark(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    """Nanoseconds of one call of work. Wrong in more than one way."""
    total = 0
    for _ in range(repeats):
        start = clock_ns()
        for _ in range(inner):
            device.submit(work, make_input())
        total += clock_ns() - start
    device.synchronize()
    return total / repeats


# %% role="given" id="hasty-run"
def show_hasty() -> None:
    """What the hasty benchmark says, and the rate that would follow from it."""
    with open_device(profile) as device:
        ns = hasty_benchmark(device, multiply, square_input, time.perf_counter_ns)
    print(f"{device.name}: {ns / 1e3:,.0f} us for a product of {SIZE} x {SIZE} matrices,")
    print(f"which would be {2 * SIZE**3 / ns:,.0f} GFLOP/s")


show_hasty()


# %% [markdown] items="1.6.C1"
# ### Exercise: mend the benchmark
#
# That figure is not the time of a product. Count what lies between the two readings, and what does not. Then write the benchmark that you would trust.
#
# <details><summary>Hint 1</summary>Five faults: inputs, warm-up, the wait before, the wait after, and the division.</details>
# <details><summary>Hint 2</summary>What is still in the queue when the clock is read belongs to nobody: wait before the first reading.</details>
# <details><summary>Hint 3</summary>One wait for each sample, after its last call. A wait after each call would forbid the device to run ahead.</details>
# %% role="exercise" id="bench-mend" items="1.6.C1" minutes=18
def benchmark(
    device, work, make_input, clock_ns, warmup: int = 3, repeats: int = 10, inner: int = 1
) -> list[float]:
    """Nanoseconds of one call of work, from `repeats` samples of `inner` calls each.

    A call: device.submit(work, x), with x from make_input(). First `warmup` calls that are not timed. Then the samples: read the clock,
    submit `inner` calls, wait for the device once, read the clock; the difference is divided by inner. When the
    clock of a sample starts, the device has nothing left to do, whoever gave it work before. No input is made within a sample.

    Args:
        device: submit(fn, *args) queues fn(*args) and returns; synchronize() waits for all that was submitted.
        work: takes an input. Only the device calls it.
        make_input: takes nothing, gives an input. It takes time, and may itself submit work to the device
            (a copy of data, say). Call it once, or as often as you like, outside the samples.
        clock_ns: clock_ns() gives nanoseconds; read no other clock.
        warmup: 0 or more. repeats, inner: 1 or more.

    Returns:
        The samples in the order in which they were taken, `repeats` floats.

    Raises:
        ValueError: warmup, repeats or inner outside these ranges; nothing is submitted then.

    >>> class Plain:  # a device that works at once
    ...     submit = staticmethod(lambda fn, *args: fn(*args))
    ...     synchronize = staticmethod(lambda: None)
    >>> now = [0]
    >>> def work(cost_ns):
    ...     now[0] += cost_ns
    >>> benchmark(Plain, work, lambda: 40, lambda: now[0], warmup=1, repeats=2, inner=3)
    [40.0, 40.0]
    """
    ### BEGIN SOLUTION
    if warmup < 0 or repeats < 1 or inner < 1:
        raise ValueError("warmup is 0 or more, repeats and inner are 1 or more.")
    x = make_input()
    for _ in range(warmup):
        device.submit(work, x)
    samples = []
    for _ in range(repeats):
        device.synchronize()
        start = clock_ns()
        for _ in range(inner):
            device.submit(work, x)
        device.synchronize()
        samples.append((clock_ns() - start) / inner)
    return samples
    ### END SOLUTION


# %% role="check" id="bench-mend" points=6
check("bench-mend", benchmark)
# %% role="given" id="mended-run"


def show_mended() -> None:
    """The same product by the hasty and by the mended benchmark; and ten calls a sample."""
    with open_device(profile) as device:
        hasty = hasty_benchmark(device, multiply, square_input, time.perf_counter_ns)
        arguments = (device, multiply, square_input, time.perf_counter_ns)
        mended = {inner: np.median(benchmark(*arguments, inner=inner)) for inner in (1, 10)}
    print(f"hasty            {hasty / 1e3:10,.0f} us")
    for inner, ns in mended.items():
        print(f"mended, inner {inner:2d} {ns / 1e3:10,.0f} us, {2 * SIZE**3 / ns:,.0f} GFLOP/s")


show_mended()
# %% [markdown] items="1.6.C1"
# **What you should see.** The hasty figure is neither the launch nor the product: it holds the making of inputs, which competes with the stand-in's
# worker for the CPU. The mended one is the product and one hand-over. With ten calls a sample the hand-overs hide behind the work: little here (below a busy machine's
# noise), much for a kernel of microseconds.
#
# An error of the device shows at a wait too, not at the launch.
# %% [markdown] items="1.6.C1"
# ## Which number to report
#
# Samples of time are skewed: nothing makes a call faster than its work, much makes it slower. The **mean** follows a few disturbed calls. The **median** does not. The
# **minimum** is the work with the least disturbance: good for comparing code, no promise to a user.
#
# Spread: the **MAD**, the median of $|x_i - \mathrm{median}|$, is as robust as the median. (The standard deviation is not. For normal data it is 1.4826 MAD.)
# %% role="given" id="recorded"
one_token = sample_ms(lambda: forward(model, tokens[:1, :1]), warmup=10, repeats=1000)


def show_recorded() -> None:
    """A histogram of 1,000 one-token steps with four figures in it."""
    marks = {"min": one_token.min(), "median": np.median(one_token), "mean": one_token.mean()}
    near = one_token[one_token < 3 * marks["median"]]
    drawn = histogram(near, xlabel="ms of a one-token step", marks=marks, log=True)
    said = ", ".join(f"{name} {value:.3f}" for name, value in marks.items())
    show(
        drawn,
        f"Histogram of one-token steps, logarithmic counts, with a tail to the right; {said} ms.",
    )
    print(
        f"{one_token.size - near.size} of {one_token.size:,} steps lie beyond the figure;", end=" "
    )
    print(f"{said}, max {one_token.max():.3f} ms")


show_recorded()


# %% [markdown]
# **What you should see.** A steep start at the left, a tail to the right, the mean to the right of the median. On a machine shared with other programs there are several humps, a few milliseconds apart:
# the operating system lets others run for a time slice, and your step waits for one, two, three of them.
# %% [markdown] items="1.6.C6"
# ## Percentiles by nearest rank
#
# **P99** is a time that 99 % of the calls do not exceed. By *nearest rank* it is one of the samples: with $n$ of them in ascending order, number $\lceil P n / 100 \rceil$, counted from 1.
#
# Other definitions interpolate between two samples (`np.percentile` does). With few samples they differ much: the "P99" of 10 samples is made of the largest two. So state the definition.
# %% [markdown] items="1.6.C1 1.6.C6"
# ### Exercise: the summary
#
# The rank must be exact. `7 / 100 * 100` is 7.000000000000001, and its ceiling is 8; NumPy's `method="inverted_cdf"` stumbles over the same thing. Multiply integers first.
#
# <details><summary>Hint 1</summary><code>-(-percent * n // 100)</code> is the ceiling, in integers.</details>
# <details><summary>Hint 2</summary>The median of an even count is the mean of the middle two; P50 by nearest rank is the lower of them.</details>
# %% role="exercise" id="bench-summary" items="1.6.C1 1.6.C6" minutes=10
def summary(samples_ms: list[float], percents: tuple[int, ...] = (50, 90, 99)) -> dict:
    """What to report about samples of time.

    Args:
        samples_ms: one or more times in any order, milliseconds, finite, 0 or more. A list or an array. Not changed.
        percents: whole numbers from 1 to 100.

    Returns:
        "count" (int); "min", "mean"; "median", for an even count the mean of the two in the middle; "mad", the median (likewise) of the absolute
        distances from the median, not scaled; "percentiles", a dict from each percent to its nearest-rank percentile: the sample of rank
        ceil(percent * count / 100) in ascending order, counted from 1, the rank computed exactly.

    Raises:
        ValueError: no samples, one that is negative or not finite, or a percent outside 1 to 100.

    >>> found = summary([4.0, 1.0, 2.0, 9.0], percents=(50, 75))
    >>> found["median"], found["mad"], found["percentiles"]
    (3.0, 1.5, {50: 2.0, 75: 4.0})
    """
    ### BEGIN SOLUTION
    x = np.sort(np.asarray(samples_ms, dtype=np.float64))
    if not x.size or not np.isfinite(x).all() or x[0] < 0:
        raise ValueError("Give one time or more, each finite and 0 or more.")
    if any(not 1 <= percent <= 100 for percent in percents):
        raise ValueError("A percent is a whole number from 1 to 100.")
    median = float(np.median(x))
    return {
        "count": x.size,
        "min": float(x[0]),
        "mean": float(x.mean()),
        "median": median,
        "mad": float(np.median(np.abs(x - median))),
        "percentiles": {p: float(x[-(-p * x.size // 100) - 1]) for p in percents},
    }
    ### END SOLUTION


# %% role="check" id="bench-summary" points=5
check("bench-summary", summary)
# %% [markdown] items="1.6.C6"
# ## How far can a percentile be trusted?
#
# Let $\xi$ be the true percentile: a call stays below it with probability $p$. Of $n$ independent calls the number below $\xi$ is **binomial**, whatever the distribution of times. With
# $x_{(1)} \le \dots \le x_{(n)}$ and $B \sim \mathrm{Bin}(n, p)$:
#
# $$P(\xi < x_{(l)}) = P(B \le l - 1), \qquad P(\xi > x_{(u)}) = P(B \ge u).$$
# %% [markdown] items="1.6.C6"
# Choose $l$ as large and $u$ as small as possible with both chances at most $\alpha / 2$. Then $[x_{(l)}, x_{(u)}]$ holds $\xi$ with probability $1 - \alpha$ or more.
# This interval is *distribution-free*: skewed, two humps, a long tail, it does not matter.
# %% [markdown] items="1.6.C6"
# ## When there is no such sample
#
# Even the largest of $n$ samples lies below $\xi$ with probability $p^n$. While that is above $\alpha / 2$, no sample bounds the percentile from above: the interval has no upper end.
#
# How many samples must you take before a 95 % interval for P99 has one?
# %% role="predict" id="predict-samples"
my_least_samples = ...
# %% role="given" id="least-samples"


def least_samples(percent: float, confidence: float = 0.95) -> int:
    """The smallest n with p^n <= alpha / 2."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log(percent / 100))


def show_least() -> None:
    """The least number of samples by percentile."""
    for percent in (50, 90, 95, 99, 99.9):
        print(f"P{percent:<5g} {least_samples(percent):6,} samples")
    reveal(my_least_samples, least_samples(99), "samples")


show_least()


# %% [markdown] items="1.6.C6"
# ### Exercise: an interval for a percentile
#
# <details><summary>Hint 1</summary><code>binom.cdf(k, n, p)</code> is P(B &le; k), for an array of k too; P(B &ge; u) is 1 - P(B &le; u - 1).</details>
# <details><summary>Hint 2</summary>l is the number of k = 0, 1, ... with P(B &le; k) &le; &alpha;/2. If it is 0, there is no l.</details>
# %% role="exercise" id="quantile-interval" items="1.6.C6" minutes=18
def quantile_interval(
    samples_ms: list[float], percent: int, confidence: float = 0.95
) -> tuple[float, float]:
    """An interval of order statistics for a percentile, whatever the distribution.

    With n samples in ascending order x_1 to x_n, p = percent / 100, B ~ Bin(n, p) and alpha = 1 - confidence: low is x_l for the
    largest l in 1..n with P(B <= l - 1) <= alpha / 2, high is x_u for the smallest u in 1..n with P(B >= u) <= alpha / 2.

    Args:
        samples_ms: one or more times in any order, 0 or more. A list or an array. Not changed.
        percent: a whole number from 1 to 99.
        confidence: above 0 and below 1.

    Returns:
        (low, high). Where there is no l, low is 0.0, since times are never negative; where there is no u, high is math.inf.

    Raises:
        ValueError: no samples, or percent or confidence outside these ranges.

    >>> quantile_interval([5.0, 3.0, 1.0, 4.0, 2.0, 6.0], 50)
    (1.0, 6.0)
    >>> quantile_interval([5.0, 3.0, 1.0, 4.0, 2.0, 6.0], 99)
    (5.0, inf)
    """
    ### BEGIN SOLUTION
    n = len(samples_ms)
    if not n or not 1 <= percent <= 99 or not 0 < confidence < 1:
        raise ValueError("Give samples, a percent from 1 to 99, a confidence between 0 and 1.")
    ascending = sorted(float(x) for x in samples_ms)
    k = np.arange(n)
    half = (1 - confidence) / 2
    lower = int((binom.cdf(k, n, percent / 100) <= half).sum())  # l
    upper = n + 1 - int((binom.sf(k, n, percent / 100) <= half).sum())  # u: sf(k) is P(B >= k + 1)
    low = ascending[lower - 1] if lower else 0.0
    return low, ascending[upper - 1] if upper <= n else math.inf
    ### END SOLUTION


# %% role="check" id="quantile-interval" points=6
check("quantile-interval", quantile_interval)
# %% role="given" id="interval-table"


def show_intervals() -> None:
    """95 % intervals for P50 and P99 from the first n recorded steps."""
    print(f"{'steps':>5s} {'P50 from':>10s} {'to':>8s} {'P99 from':>10s} {'to':>8s}   ms")
    for n in (10, 50, 100, 200, 400, 1000):
        middle, tail = (quantile_interval(list(one_token[:n]), p) for p in (50, 99))
        print(f"{n:5d} {middle[0]:10.3f} {middle[1]:8.3f} {tail[0]:10.3f} {tail[1]:8.3f}")


show_intervals()
# %% [markdown] items="1.6.C6"
# **What you should see.** On a quiet machine the median is known to a few percent after 50 steps. The P99 has no upper end until 368 samples, and a wide interval then: a report of "P99 over 100 calls" reports its
# second-largest sample.
#
# The interval supposes independent samples of one distribution. A machine that warms up or is shared does not give these: look at the samples in time order first.
# %% [markdown] items="1.6.C6"
# ## Latency, throughput, and what joins them
#
# **Latency** $W$: how long one request takes, in seconds, waiting included. **Throughput** $\lambda$: requests that pass in a second. $L$: requests inside, averaged over *time*.
#
# $$L = \lambda W \qquad \text{(Little, 1961)}$$
#
# No distribution is assumed: each request that stays $w$ seconds adds $w$ request-seconds. Over a window in which all that came also left, sum and division give the equation exactly. Where a window cuts requests, its ends leave a difference.
# %% role="given" id="serve"


def serve(load: float, count: int = 150, seed: int = 0) -> tuple[list[float], list[float]]:
    """Arrivals and departures, seconds, of passes over 64 tokens that come at random.

    One server: a worker thread that runs the model. The arrivals are a Poisson process; `load` is their rate times the median
    time of a pass.
    """
    seconds = np.median(sample_ms(lambda: forward(model, tokens[:1]))) / 1e3
    gaps = np.random.default_rng(seed).exponential(seconds / load, count)
    arrivals, departures = [], []

    def request():
        forward(model, tokens[:1])
        wait()
        departures.append(time.perf_counter() - began)

    began = time.perf_counter()
    with WorkerDevice() as server:
        for at in np.cumsum(gaps):
            time.sleep(max(0.0, began + at - time.perf_counter()))
            arrivals.append(time.perf_counter() - began)
            server.submit(request)
    return arrivals, departures


recorded_trace = serve(0.7)
print(f"{len(recorded_trace[0])} requests in {recorded_trace[1][-1]:.2f} s")


# %% [markdown] items="1.6.C6"
# ### Exercise: Little's law on a trace
#
# <details><summary>Hint 1</summary>L needs no simulation: each request is inside from max(arrival, begin) to min(departure, end), if that is positive.</details>
# <details><summary>Hint 2</summary>W: take those that arrive in the window, and all the time that they stay, also after its end.</details>
# %% role="exercise" id="little-trace" items="1.6.C6" minutes=12
def little(
    arrivals_s: list[float], departures_s: list[float], begin_s: float, end_s: float
) -> dict[str, float]:
    """The three terms of Little's law, and the throughput, over the window [begin_s, end_s).

    Args:
        arrivals_s, departures_s: when request i came and when it left, seconds, in any order of i; any number of requests.
        begin_s, end_s: the window; requests may lie outside or across its ends.

    Returns:
        "in_system": requests inside at a time, averaged over the window's time.
        "arrivals_per_s": requests with begin_s <= arrival < end_s, by the window's length.
        "departures_per_s": requests with begin_s <= departure < end_s, by the window's length.
        "latency_s": mean of departure - arrival of the requests that arrive in the window; 0.0 if none does.

    Raises:
        ValueError: lists of different lengths, a departure before its arrival, or end_s not after begin_s.

    >>> little([0.0, 1.0, 2.0], [3.0, 2.0, 6.0], 0.0, 4.0)
    {'in_system': 1.5, 'arrivals_per_s': 0.75, 'departures_per_s': 0.5, 'latency_s': 2.6666666666666665}
    """
    ### BEGIN SOLUTION
    if len(arrivals_s) != len(departures_s) or end_s <= begin_s:
        raise ValueError(
            "Give as many departures as arrivals, and a window that ends after it begins."
        )
    spans = list(zip(arrivals_s, departures_s, strict=True))
    if any(d < a for a, d in spans):
        raise ValueError("A request cannot leave before it arrives.")
    window_s = end_s - begin_s
    stays = [d - a for a, d in spans if begin_s <= a < end_s]
    left = sum(begin_s <= d < end_s for _, d in spans)
    return {
        "in_system": sum(max(0.0, min(d, end_s) - max(a, begin_s)) for a, d in spans) / window_s,
        "arrivals_per_s": len(stays) / window_s,
        "departures_per_s": left / window_s,
        "latency_s": sum(stays) / len(stays) if stays else 0.0,
    }
    ### END SOLUTION


# %% role="check" id="little-trace" points=5
check("little-trace", little)
# %% role="given" id="little-use"


def show_little() -> None:
    """L and lambda W of the recorded trace: all of it, its halves, and a tenth."""
    arrivals, departures = recorded_trace
    last = max(departures) + 1e-9
    windows = {"all": (0.0, last), "first half": (0.0, last / 2), "second half": (last / 2, last)}
    windows["a tenth"] = (0.45 * last, 0.55 * last)
    print(f"{'window':12s} {'L':>7s} {'lambda W':>9s} {'arrive':>8s} {'leave':>8s} /s")
    for name, (begin, end) in windows.items():
        found = little(arrivals, departures, begin, end)
        product = found["arrivals_per_s"] * found["latency_s"]
        rates = f"{found['arrivals_per_s']:8.1f} {found['departures_per_s']:8.1f}"
        print(f"{name:12s} {found['in_system']:7.3f} {product:9.3f} {rates}")


show_little()


# %% [markdown] items="1.6.C6"
# **What you should see.** Over the whole trace both columns agree in every digit. Over parts they differ by the requests that the ends cut: little where few wait, much where a queue grows (on a busy machine).
#
# Two uses. A server that admits at most $L$ requests and takes $W$ seconds passes at most $L / W$. And of three figures in a report, two check the third.
# %% [markdown] items="1.6.C6"
# ## The requests that were never sent
#
# A load test sends a request, waits for the answer, sends the next. When the server stalls for a second, the client stalls too: the hundred requests that users would have sent meanwhile are not sent, and so not
# slow. Gil Tene calls this **coordinated omission**.
#
# Cure: fix the times at which requests *should* go out, and count latency from there.
# %% [markdown] items="1.6.C6"
# ### Exercise: two latencies of one test
#
# <details><summary>Hint</summary>Keep one number: when the last answer came. sent = max(intended, that).</details>
# %% role="exercise" id="omitted-waits" items="1.6.C6" minutes=8
def client_latencies(
    intended_s: list[float], service_s: list[float]
) -> tuple[list[float], list[float]]:
    """What a client with one connection reports, and what users would have felt.

    Request k should be sent at intended_s[k]. It is sent then, or when the answer to request k - 1 arrives, if that is later.
    Its answer arrives service_s[k] after it was sent.

    Args:
        intended_s: ascending, seconds; equal times are allowed. service_s: as many, 0 or more.

    Returns:
        reported: for each request the time from being sent to its answer, seconds.
        felt: for each request the time from its intended time to its answer, seconds.

    Raises:
        ValueError: different lengths, intended times that descend, or a negative service time.

    >>> client_latencies([0.0, 1.0, 2.0, 9.0], [0.5, 3.0, 0.5, 0.5])
    ([0.5, 3.0, 0.5, 0.5], [0.5, 3.0, 2.5, 0.5])
    """
    ### BEGIN SOLUTION
    if len(intended_s) != len(service_s) or any(s < 0 for s in service_s):
        raise ValueError("Give as many service times as intended times, each 0 or more.")
    if any(b < a for a, b in zip(intended_s, intended_s[1:], strict=False)):
        raise ValueError("Intended times must not descend.")
    free, reported, felt = -math.inf, [], []
    for intended, service in zip(intended_s, service_s, strict=True):
        free = max(intended, free) + service
        reported.append(service)
        felt.append(free - intended)
    return reported, felt
    ### END SOLUTION


# %% role="check" id="omitted-waits" points=4
check("omitted-waits", client_latencies)
# %% role="given" id="omission-use"


def show_omission() -> None:
    """Recorded steps at 60 % load, with one stall of 300 ms put in by hand."""
    service = list(one_token / 1e3)
    service[200] = 0.3
    step = float(np.median(one_token)) / 1e3 / 0.6
    for name, found in zip(
        ("reported", "felt"),
        client_latencies([k * step for k in range(1000)], service),
        strict=True,
    ):
        found = summary([1e3 * s for s in found])["percentiles"]
        print(f"{name:9s}", *(f"P{p} {ms:8.2f} ms" for p, ms in found.items()))


show_omission()
# %% [markdown] items="1.6.C6"
# **What you should see,** on a quiet machine. One stall in 1,000 requests. The report's P90 does not move, its P99 hardly; what users felt is worse by a factor of 100 or so, because hundreds of requests queued up behind.
#
# The same loop is a queue with one server. The next figure feeds it recorded steps and random arrivals (simulated): turn the load and look at the tail.
# %% role="given" id="load-slider"


def draw_load(percent=50):
    """Latency of 1,000 requests by time of arrival, at this load."""
    step_s = float(one_token.mean()) / 1e3
    gaps = np.random.default_rng(1).exponential(step_s / (percent / 100), one_token.size)
    felt = client_latencies(list(np.cumsum(gaps)), list(one_token / 1e3))[1]
    found = summary([1e3 * s for s in felt])["percentiles"]
    said = f"load {percent} %: P50 {found[50]:.1f} ms, P99 {found[99]:.1f} ms"
    drawn, axes = figure()
    axes[0, 0].plot(np.cumsum(gaps), [1e3 * s for s in felt], color=COLOURS[0], linewidth=1)
    axes[0, 0].set(xlabel="time of arrival, s", ylabel="felt latency, ms", title=said)
    return (
        drawn,
        f"Latency of each request by its time of arrival; {said}; waits grow in waves as the load nears 100 %.",
    )


explore(draw_load, percent=[10, 30, 50, 70, 80, 90, 95, 100, 110])
# %% [markdown] items="1.6.C6"
# ## Batches
#
# A batch of $b$ requests shares what a step costs once: launches, and reading the weights. Throughput rises, $b / t(b)$; the latency of each rises too, $t(b)$, and the first of a batch has waited for the last.
#
# How much is shared? Measure a decode step, and a pass over 64 tokens, by batch size.
# %% role="given" id="batches"


def decode_ms(batch: int, steps: int = 60, warmup: int = 4) -> np.ndarray:
    """Milliseconds of `steps` decode steps, one token for each of `batch` texts, with a cache."""
    with torch.inference_mode():
        state = model(tokens[:batch, :32], use_cache=True)
        cache = state.past_key_values
        token = state.logits[:, -1:].argmax(-1)
        return sample_ms(
            lambda: model(token, past_key_values=cache, use_cache=True),
            warmup=warmup,
            repeats=steps,
        )


decode_by_batch = {batch: decode_ms(batch) for batch in (1, 2, 4, 8, 16, 32)}


def show_batches() -> None:
    """Tokens a second and latency by batch size."""
    prompt = {
        batch: sample_ms(lambda batch=batch: forward(model, tokens[:batch]), warmup=1, repeats=5)
        for batch in decode_by_batch
    }
    rates = {
        "decode, 1 token a text": [1e3 * b / np.median(ms) for b, ms in decode_by_batch.items()],
        "prompt, 64 tokens a text": [64e3 * b / np.median(ms) for b, ms in prompt.items()],
    }
    print(f"{'batch':>5s} {'decode ms':>10s} {'tokens/s':>9s} {'prompt ms':>10s} {'tokens/s':>9s}")
    for index, batch in enumerate(decode_by_batch):
        one, other = np.median(decode_by_batch[batch]), np.median(prompt[batch])
        decode_rate, prompt_rate = (rate[index] for rate in rates.values())
        print(f"{batch:5d} {one:10.2f} {decode_rate:9,.0f} {other:10.2f} {prompt_rate:9,.0f}")
    drawn = curves(
        list(decode_by_batch), rates, xlabel="batch size", ylabel="tokens/s", logx=True, logy=True
    )
    axes, sizes = drawn.axes[0], list(decode_by_batch)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xticks([], minor=True)
    said = "; ".join(f"{name}: {r[0]:,.0f} at 1, {r[-1]:,.0f} at 32" for name, r in rates.items())
    show(drawn, f"Tokens a second by batch size, both axes logarithmic. {said}.")


show_batches()


# %% [markdown] items="1.6.C6"
# **What you should see,** on a quiet machine. Decoding 32 texts at once takes a few times as long as one, and gives several times the tokens. A prompt of 64 tokens already fills the CPU: 32 prompts take about 32 times as long, and nothing is shared. (A GPU is filled much later.)
#
# Batching pays where a step has a cost that does not grow with the batch. Lesson 2 says from which size on it ends.
# %% [markdown] items="1.6.C6"
# ### Exercise: the batch size under a limit
#
# Requests come evenly, `per_s` a second. A batch starts when it is full, so its first request has waited for $b - 1$ others.
#
# <details><summary>Hint 1</summary>capacity = 1000 * b / median ms. It must exceed <code>per_s</code>, else the queue grows for ever.</details>
# <details><summary>Hint 2</summary>latency = 1000 * (b - 1) / per_s + P99 of the batch's time, in ms.</details>
# %% role="exercise" id="batch-choice" items="1.6.C6" minutes=12
def choose_batch(
    measured_ms: dict[int, list[float]], per_s: float, limit_ms: float
) -> tuple[int, float, float] | None:
    """The batch size with the highest throughput that keeps a limit on latency.

    For a batch of b requests with measured times: capacity_per_s = 1000 * b / (median of the times), requests a second. latency_ms = the
    wait of its first request, 1000 * (b - 1) / per_s, plus the P99 of the times by nearest rank (the sample of
    rank ceil(99 * n / 100), counted from 1). b is allowed if capacity_per_s > per_s and latency_ms <= limit_ms.

    Args:
        measured_ms: batch size to one or more measured times of a batch, above 0, in any order. Not changed. The median of an
            even count is the mean of the two in the middle.
        per_s: requests that arrive in a second, above 0.
        limit_ms: of the latency.

    Returns:
        (b, latency_ms, capacity_per_s) of the allowed batch with the highest capacity, of equal ones the smaller b; None if
        none is allowed.

    Raises:
        ValueError: nothing measured, a batch size below 1 or without times, or per_s not above 0.

    >>> choose_batch({1: [2.0, 2.0], 4: [4.0, 5.0], 16: [8.0, 8.0]}, per_s=600.0, limit_ms=20.0)
    (4, 10.0, 888.8888888888889)
    >>> choose_batch({1: [2.0, 2.0]}, per_s=600.0, limit_ms=20.0)
    """
    ### BEGIN SOLUTION
    if not measured_ms or per_s <= 0:
        raise ValueError("Give measurements, and an arrival rate above 0.")
    best = None
    for b in sorted(measured_ms):
        times = np.sort(np.asarray(measured_ms[b], dtype=np.float64))
        if b < 1 or not times.size:
            raise ValueError("A batch has 1 request or more, and measured times.")
        capacity = 1000 * b / float(np.median(times))
        latency = 1000 * (b - 1) / per_s + float(times[-(-99 * times.size // 100) - 1])
        allowed = capacity > per_s and latency <= limit_ms
        if allowed and (best is None or capacity > best[2]):
            best = (b, latency, capacity)
    return best
    ### END SOLUTION


# %% role="check" id="batch-choice" points=4
check("batch-choice", choose_batch)
# %% role="given" id="batch-use"


def show_choice() -> None:
    """The choice for this machine, by arrivals and limit, from the decode steps measured above."""
    times = {batch: list(ms) for batch, ms in decode_by_batch.items()}
    print(f"{'steps/s':>8s}", *(f"{limit:>13d} ms" for limit in (10, 40, 160)))
    for per_s in (100, 500, 1500, 4000, 20000):
        found = [choose_batch(times, per_s, limit) for limit in (10, 40, 160)]
        print(
            f"{per_s:8d}",
            *(f"batch {f[0]:2d} {f[1]:5.1f} ms" if f else f"{'none':>16s}" for f in found),
        )


show_choice()


# %% [markdown]
# **What you should see.** On a quiet machine, few arrivals and a tight limit: batch 1, since waiting for company costs more than it saves. Many arrivals: only large batches keep up, and they fill at once. Beyond some rate nothing keeps up: then no batch
# size helps, only more machines or a faster model. (The P99 of 60 steps is their maximum: one disturbed step can forbid a batch.)
# %% [markdown] items="1.6.C1"
# ## Which of two is faster?
#
# Not "first all of A, then all of B": a machine that slows down meanwhile makes B look slow. **Interleave** in rounds: each version once, in an order drawn anew (`lab.timing.interleave_ms`).
#
# Then the **bootstrap**: draw as many rounds as there are, with replacement, and compute the ratio of medians; many times. The middle 95 % of these ratios are an interval. With 1 inside, no difference is shown.
# %% [markdown] items="1.6.C1"
# ### Exercise: compare two versions
#
# The draws are handed in, so that everyone gets the same interval.
#
# <details><summary>Hint 1</summary>A draw picks rounds: the same rows of both columns.</details>
# <details><summary>Hint 2</summary><code>pairs[draws]</code> has shape (resamples, rounds, 2); take medians over axis 1.</details>
# %% role="exercise" id="compare-versions" items="1.6.C1" minutes=12
def compare(
    rounds_ms: np.ndarray, draws: np.ndarray, confidence: float = 0.95
) -> tuple[float, float, float, str]:
    """The speed-up of a new version over an old one, with a bootstrap interval and a verdict.

    Speed-up: the median of the old times by the median of the new ones (of an even count the mean of the two in the middle). It is also computed
    for each resample: row j of draws holds the numbers of the rounds in it, the same for both versions. low and high are the quantiles alpha / 2 and 1 - alpha / 2 of the
    resampled speed-ups, alpha = 1 - confidence, with linear interpolation (np.quantile's default).

    Args:
        rounds_ms: (rounds, 2) float64, times above 0; column 0 the old version, column 1 the new. Not changed.
        draws: (resamples, rounds) integers from 0 to rounds - 1. Not changed.
        confidence: above 0 and below 1.

    Returns:
        (speedup, low, high, verdict); the verdict is "faster" if low > 1, "slower" if high < 1, else "no difference shown".

    Raises:
        ValueError: rounds_ms not (rounds, 2) with one round or more, a time not above 0, draws not (one or more, rounds), or confidence
            outside its range.

    >>> speedup, low, high, verdict = compare(np.array([[4.0, 2.0], [6.0, 2.0], [5.0, 2.0]]),
    ...                                       np.array([[0, 0, 1], [1, 1, 2], [0, 1, 2]]))
    >>> speedup, round(low, 4), round(high, 4), verdict
    (2.5, 2.025, 2.975, 'faster')
    """
    ### BEGIN SOLUTION
    rounds_ms, draws = np.asarray(rounds_ms, dtype=np.float64), np.asarray(draws)
    if rounds_ms.ndim != 2 or rounds_ms.shape[1] != 2 or not rounds_ms.size:
        raise ValueError("rounds_ms is (rounds, 2), with one round or more.")
    if not (rounds_ms > 0).all() or not 0 < confidence < 1:
        raise ValueError("Times are above 0, the confidence lies between 0 and 1.")
    if draws.ndim != 2 or draws.shape[1] != len(rounds_ms) or not len(draws):
        raise ValueError("draws is (resamples, rounds), with one resample or more.")
    old, new = np.median(rounds_ms, axis=0)
    medians = np.median(rounds_ms[draws], axis=1)
    half = (1 - confidence) / 2
    low, high = np.quantile(medians[:, 0] / medians[:, 1], [half, 1 - half])
    verdict = "faster" if low > 1 else "slower" if high < 1 else "no difference shown"
    return float(old / new), float(low), float(high), verdict
    ### END SOLUTION


# %% role="check" id="compare-versions" points=6
check("compare-versions", compare)
# %% [markdown] items="1.6.C1"
# ## An A/A test, then A/B
#
# Before you believe a comparison, compare the float model with itself. The interval must hold 1, in 95 of 100 such tests. If it often does not, the method is wrong, whatever it says about B.
#
# Then two quantized models: the fake one, and on a CPU one that truly multiplies integers (`torch.ao.quantization.quantize_dynamic`: weights stored in INT8, activations quantized in each call).
# %% role="given" id="versions"


def true_int8():
    """A copy whose linear layers run INT8 kernels of the CPU; None where there are none."""
    if profile.device == "cuda":
        print("INT8 kernels: not run, torch's dynamic quantization is for CPUs")
        return None
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch.ao is deprecated in favour of torchao; it still runs
        return torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(model), {torch.nn.Linear}, dtype=torch.qint8
        )


def show_versions(rounds: int = 50) -> None:
    """All versions interleaved in one run, each compared with the first."""
    integers = true_int8()
    versions = {
        "float": lambda: forward(model, tokens[:1]),
        "float again": lambda: forward(model, tokens[:1]),
        "fake INT8": lambda: forward_int8(tokens[:1]),
    }
    if integers is not None:
        versions["INT8 kernels"] = lambda: forward(integers, tokens[:1])
    measured = interleave_ms(versions, rounds=rounds)
    draws = np.random.default_rng(0).integers(0, rounds, (1000, rounds))
    for name in list(versions)[1:]:
        pairs = np.column_stack([measured["float"], measured[name]])
        speedup, low, high, verdict = compare(pairs, draws)
        print(f"{name:13s} {speedup:5.2f} x ({low:.2f} to {high:.2f}): {verdict}")


show_versions()
# %% [markdown]
# **What you should see.** The float model against itself: an interval around 1. Fake INT8: slower (or "no difference shown" on a machine so busy that its interval holds 1: take more rounds). The INT8 kernels on a CPU: faster, two to three times on the machine this was written on, since they read a quarter of the bytes and have instructions for it. Quantization pays in time only where the *kernel* uses it.
#
# A verdict on time is half of a report: the other half is that results stay equal, or how much they change (module 1.2).
# %% [markdown] items="1.6.C1 1.6.C6"
# ## In your own words: a benchmark to review
#
# A pull request says: "New INT8 kernel, 40 times faster! Old version: 8.1 ms, mean of 10 calls, measured on Monday. New version: 0.2 ms on average over 10 calls, measured today on the same GPU with `time.time()` around the
# call. P99 0.3 ms. Throughput therefore 5,000 requests a second instead of 123."
#
# Name what is wrong or missing, say what the 0.2 ms most likely are, and describe the measurement that you would accept, with numbers. 120 to 200 words.
# %% [markdown] role="written" id="measure-review" items="1.6.C1 1.6.C6" points=3
# **Model answer.** A GPU call returns when it is launched. Without a synchronization before the second reading the 0.2 ms are most likely the launch, not the kernel; `time.time` is also coarser and can jump. Nothing is said of
# a warm-up: the first of ten calls may dominate a mean. Monday's figure comes from another state of the machine (clocks, load, driver), so the ratio compares two machines. A P99 from ten calls is their largest; it has no upper
# bound below 368 samples. Throughput is the inverse of latency only with one request at a time and no gaps; whether it holds under arrivals is a question of load and queue.
#
# I would accept: both versions in one run, 10 warm-up calls each, then 400 interleaved rounds, `perf_counter_ns`, a synchronization before and after each call, inputs made beforehand. Report medians with MAD, the ratio with a bootstrap
# interval, an A/A test of the old version, the P99 with its interval, and the largest difference between both outputs. Throughput: measured, with arrival times fixed beforehand.
#
# **Rubric.** 1 point: the missing synchronization, and what was timed instead. 1 point: at least three other faults (warm-up, mean, separate days, P99 of ten, clock, throughput from latency). 1 point: a measurement with numbers that would
# settle it, interleaved and with an interval.
# %% [markdown]
# ## Recap
#
# - Guess, then measure: names mislead, and the share of the time is not the share of the multiplications.
# - Warm up; time enough calls for the clock; wait for the device before and after; make inputs outside.
# - Report median and MAD; a percentile with its definition, its count and an interval. P99 needs 368 samples for an upper end at 95 %.
# - $L = \lambda W$ ties latency, throughput and requests inside. Count latency from the time at which a request should have gone out.
# - Batches trade latency for throughput, where a step has a fixed cost.
# - Compare in one run, interleaved, with an interval, after an A/A test.
#
# ## Three questions without code
#
# <details><summary>1. Why may the minimum be the best figure for comparing two versions of a function, and a bad one for a service?</summary>Disturbances only add time, so the minimum is nearest to the work itself. A user meets the disturbances too, so a service
# is judged by its percentiles.</details>
# <details><summary>2. A server has on average 12 requests inside and passes 40 a second. What is the mean latency, and what do you know of the P99?</summary>W = L / lambda = 0.3 s. Of the P99 nothing: Little's law speaks of means. By Markov's inequality at most 1 % can exceed 30 s, which says little.</details>
# <details><summary>3. Twenty comparisons of a version with itself gave two intervals without 1. Is the benchmark broken?</summary>With 95 % one in twenty is expected, and two or more happen in about a quarter of such series (1 - 0.95^20 - 20 * 0.05 * 0.95^19 = 0.26). Not yet
# a proof; repeat, and look at the samples in time order.</details>
#
# ## Reading
#
# - John D. C. Little, "A Proof for the Queuing Formula: L = &lambda;W", *Operations Research* 9(3), 1961: the law, under mild conditions.
# - Raj Jain, *The Art of Computer Systems Performance Analysis*, Wiley, 1991: choosing metrics, summarizing samples, comparing systems.
# - Andy Georges, Dries Buytaert, Lieven Eeckhout, "Statistically Rigorous Java Performance Evaluation", OOPSLA 2007: start-up against steady state, intervals instead of best runs.
# - Gil Tene, "How NOT to Measure Latency" (talk): coordinated omission.
# - PyTorch's documentation of `torch.utils.benchmark`: a timer that warms up, synchronizes CUDA and chooses the number of calls.
#
# **Next:** rooflines: how fast could an operation be at all on this machine?
