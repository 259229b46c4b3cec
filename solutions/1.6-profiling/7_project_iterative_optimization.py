# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Project: optimize in rounds
#
# **You end with:** a 4-bit language model that writes the same text several times as fast, and a report that proves it: a profile before and after, gains with their intervals, results held equal.
#
# About 150 minutes. 42 points: 36 graded by machine, 6 by a person. Runs on a laptop, no GPU, no network; on a CUDA machine the same cells run there. You need lessons 1 to 3 and 5.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

for _threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # the profiler's own messages

import contextlib
import inspect
import itertools
import math
import time
from collections.abc import Callable

import numpy as np
import torch

from autograder import check
from lab import naive_pipeline as slow
from lab.four_bit_lm import four_bit_weights, sample_prompts
from lab.lm import load_lm
from lab.plots import bars, curves, explore, show
from lab.predict import reveal
from lab.profile import use_profile

torch.set_num_threads(1)  # one thread: gains come from doing less, not from more cores
profile = use_profile(PROFILE)
profile

# %% [markdown]
# ## A smaller model that is slower
#
# The shipped language model, twice: float32 weights in Hugging Face's `generate`, and 4-bit weights, a seventh of the bytes, in a pipeline of our own. Both write 8 tokens after three prompts. How
# much does the smaller one gain?
# %% role="given" id="surprise"
demo_weights = {name: tensor.to(profile.device) for name, tensor in four_bit_weights().items()}
demo_prompts = sample_prompts([1, 24, 60], seed=3)


def wall_ms(work):
    """Milliseconds of one call, the device waited for."""
    wait = torch.cuda.synchronize if profile.device == "cuda" else int
    wait()
    began = time.perf_counter()
    work()
    wait()
    return (time.perf_counter() - began) * 1e3


demo_float = load_lm().to(profile.device)


def float_model():
    """Hugging Face's generate, prompt by prompt."""
    for demo_prompt in demo_prompts:
        demo_ids = torch.tensor([demo_prompt], device=profile.device)
        demo_float.generate(
            demo_ids,
            attention_mask=torch.ones_like(demo_ids),
            max_new_tokens=8,
            min_new_tokens=8,
            do_sample=False,
            pad_token_id=0,
        )


def offered():
    """The pipeline that this project is about."""
    return slow.generate(demo_weights, demo_prompts, 8)


for demo_name, demo_call in (("float32, Hugging Face", float_model), ("4 bits, offered", offered)):
    demo_call()
    demo_times = [wall_ms(demo_call) for _ in range(5)]
    print(f"{demo_name:24s} {np.median(demo_times):8.1f} ms median of 5")

# %% [markdown] items="1.6.P1"
# **What happened.** Nothing here is wrong: the tokens are right, the weights are small. Read the pipeline below and note what you would change. Then do not change it yet: of the slow habits
# that one *sees*, most cost nothing that counts. Which ones do, the profile says.
# %% role="given" id="source"
print(inspect.getsource(slow).split("Result = ")[1].split("\n", 1)[1])

# %% [markdown] items="1.6.P1"
# ## 1. Record the baseline
#
# `torch.profiler` writes down each operator with start, duration and thread. `record` runs a call under it and returns plain events, in nanoseconds as whole numbers, so that nesting is exact.
# %% role="given" id="record"


def record(work, names=None):
    """Events of one call as dicts (name, start_us, duration_us, thread); only `names` if given."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as recorded:
        work()
    found = []
    for event in recorded.events():
        begun, ended = (round(t * 1000) for t in (event.time_range.start, event.time_range.end))
        on_cpu = event.device_type == torch.autograd.DeviceType.CPU
        if on_cpu and ended > begun and (names is None or event.name in names):
            found.append(
                {
                    "name": event.name,
                    "start_us": begun / 1000,
                    "duration_us": (ended - begun) / 1000,
                    "thread": event.thread,
                }
            )
    return found


offered()
demo_events = record(offered)
print(f"{len(demo_events):,} events; the first three:")
for demo_event in demo_events[:3]:
    print(demo_event)


# %% [markdown] items="1.6.P2"
# ## 2. Self time
#
# `aten::matmul` calls `aten::mm`, so both last about as long: adding their **durations** counts the same work twice. The **self time** of a call is its duration less the durations of the calls
# directly inside. Self times add up to the whole.
# %% [markdown] items="1.6.P1 1.6.P2"
# ### Exercise: the table
#
# <details><summary>Hint 1</summary>Handle each thread alone. Sorted by start, and by duration downwards where starts are equal, a call comes before what is inside it.</details>
# <details><summary>Hint 2</summary>Keep a stack of open calls. Before a new one is pushed, pop those that ended at or before its start; the top of the stack is the call around it.</details>
# <details><summary>Hint 3</summary>Total: add the duration unless the stack already holds a call of that name.</details>
# %% role="exercise" id="opt-self-times" items="1.6.P1 1.6.P2" minutes=20
def self_time_table(events: list[dict]) -> list[dict]:
    """Time by operator.

    Args:
        events: dicts with name, start_us, duration_us (numbers) and thread, in any order. Calls of one thread nest: two
            of them are apart (they may touch), or one holds the other. Of two with the same start and duration, the
            one listed first is the outer. Calls of different threads have nothing to do with each other. Not changed.

    Returns:
        one dict for each name, most self_us first, equal ones by name:
            name; calls: how many events;
            self_us: the sum of their durations, less those of the calls directly inside them;
            total_us: the sum of their durations, without calls that lie inside a call of the same name;
            share: self_us over the sum of all self times.
        An empty list for no events.

    Raises:
        ValueError: a duration that is not above 0, or calls of one thread that overlap without nesting.

    >>> for row in self_time_table([
    ...     {"name": "mm", "start_us": 20, "duration_us": 60, "thread": 1},
    ...     {"name": "matmul", "start_us": 10, "duration_us": 75, "thread": 1},
    ... ]):
    ...     print(row)
    {'name': 'mm', 'calls': 1, 'self_us': 60, 'total_us': 60, 'share': 0.8}
    {'name': 'matmul', 'calls': 1, 'self_us': 15, 'total_us': 75, 'share': 0.2}
    """
    ### BEGIN SOLUTION
    rows = {}
    for thread in {e["thread"] for e in events}:
        mine = [e for e in events if e["thread"] == thread]
        open_calls = []
        for e in sorted(mine, key=lambda e: (e["start_us"], -e["duration_us"])):  # a stable sort
            start, length = e["start_us"], e["duration_us"]
            if not length > 0:
                raise ValueError(f"{e['name']} lasts {length} us: durations must be above 0.")
            while open_calls and open_calls[-1][1] <= start:
                open_calls.pop()
            if open_calls and start + length > open_calls[-1][1] + 1e-6:
                raise ValueError(f"{e['name']} overlaps {open_calls[-1][0]} without nesting.")
            new = {"name": e["name"], "calls": 0, "self_us": 0, "total_us": 0}
            row = rows.setdefault(e["name"], new)
            row["calls"] += 1
            row["self_us"] += length
            if all(name != e["name"] for name, _ in open_calls):
                row["total_us"] += length
            if open_calls:
                rows[open_calls[-1][0]]["self_us"] -= length
            open_calls.append((e["name"], start + length))
    whole = sum(row["self_us"] for row in rows.values())
    table = sorted(rows.values(), key=lambda row: (-row["self_us"], row["name"]))
    return [row | {"share": row["self_us"] / whole} for row in table]
    ### END SOLUTION


# %% role="check" id="opt-self-times" points=5
check("opt-self-times", self_time_table)
# %% role="given" id="operators"


def print_table(table, rows=10):
    """The first rows of a self-time table."""
    print(f"{'name':24s} {'calls':>6s} {'self ms':>9s} {'total ms':>9s} {'share':>6s}")
    for row in table[:rows]:
        self_ms, total_ms = row["self_us"] / 1e3, row["total_us"] / 1e3
        print(
            f"{row['name'][:24]:24s} {row['calls']:6d} {self_ms:9.2f} {total_ms:9.2f} {row['share']:6.1%}"
        )


print_table(self_time_table(demo_events))

# %% [markdown] items="1.6.P2"
# ### From operators to stages
#
# `aten::mm` is the model's arithmetic. But `copy_`, `cat`, `mul`, `sub`: whose are they? An operator does not know who called it. `record_function` puts a named range around a stage; the same
# table of those ranges alone gives each stage's self time.
# %% role="given" id="stages"
STAGES = (
    "generate_one",
    "forward",
    "attention",
    "mlp",
    "linear",
    "dequantize",
    "rms_norm",
    "rotate",
)


@contextlib.contextmanager
def replaced(functions):
    """Inside the block, the offered pipeline uses these functions in place of its own."""
    kept = {called: getattr(slow, called) for called in functions}
    try:
        for called, function in functions.items():
            setattr(slow, called, function)
        yield
    finally:
        for called, function in kept.items():
            setattr(slow, called, function)


def ranged(stage, function):
    """The function, with its calls as named ranges in a profile."""

    def inside(*given):
        with torch.profiler.record_function(stage):
            return function(*given)

    return inside


with replaced({stage: ranged(stage, getattr(slow, stage)) for stage in STAGES}):
    offered()
    demo_stages = self_time_table(record(offered, STAGES))
print_table(demo_stages)
demo_shares = {row["name"]: row["share"] for row in demo_stages}
demo_figure = bars(
    {k: 100 * v for k, v in demo_shares.items()}, unit="%", title="Self time by stage"
)
show(
    demo_figure,
    "Bars of self time by stage of the offered pipeline; dequantize is the longest, linear comes next.",
)


# %% [markdown]
# **What you should see.** `dequantize` takes about half of the time: the same 28 matrices, restored for each of 24 tokens. `linear`, which is the matrix products, takes a quarter to a third, and most of it for
# positions that were computed one token before. The habits that look worst, `.item()` in `generate_one` and the mask made anew in `attention`, are a few per cent each.
# %% [markdown] items="1.6.P3"
# ## 3. Predict before you change
#
# Amdahl's law with several targets: a target's share $s_i$ of the time shrinks to $s_i / f_i$, the rest stays. The new time over the old is
#
# $$ 1 - \sum_i s_i + \sum_i \frac{s_i}{f_i}, $$
#
# and the gain is its inverse. What is saved **adds up**; gains do not multiply. Two cures for the same target do multiply their factors.
# %% [markdown] items="1.6.P3"
# ### Exercise: the predicted gain
#
# <details><summary>Hint 1</summary>The factor of a target is the product over all cures that name it, 1 if none does.</details>
# <details><summary>Hint 2</summary>Python divides by <code>math.inf</code>: the result is 0.</details>
# %% role="exercise" id="opt-predict" items="1.6.P3" minutes=12
def predicted_gain(shares: dict[str, float], cures: list[dict[str, float]]) -> float:
    """Old time over new time, by Amdahl's law.

    Args:
        shares: each target's share of the time, 0 to 1; what they leave of 1 belongs to no target and stays. Not changed.
        cures: each names targets with the factor by which it makes them faster: above 0, below 1 for a cost,
            math.inf when the target's time is gone. Several cures for one target multiply their factors. Not changed.

    Returns:
        the gain; math.inf when nothing is left (new over old time at most 1e-12).

    Raises:
        ValueError: a share below 0 or NaN, shares that add up to more than 1 + 1e-9, a factor that is not above 0,
            or a cure for a target that has no share.

    >>> predicted_gain({"dequantize": 0.5, "products": 0.25}, [{"dequantize": 2.0}, {"products": math.inf}])
    2.0
    """
    ### BEGIN SOLUTION
    if not all(share >= 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
        raise ValueError(f"Shares are 0 or more and add up to 1 at most: {shares}.")
    for cure in cures:
        for name, factor in cure.items():
            if name not in shares or not factor > 0:
                raise ValueError(f"{name!r} needs a share, and a factor above 0: {factor}.")
    left = max(0.0, 1 - sum(shares.values()))
    for name, share in shares.items():
        left += share / math.prod(cure.get(name, 1.0) for cure in cures)
    return 1 / left if left > 1e-12 else math.inf
    ### END SOLUTION


# %% role="check" id="opt-predict" points=4
check("opt-predict", predicted_gain)
# %% role="given" id="knob"


def amdahl(dequantize_percent=50, products_factor=1.0):
    """Gain by factor of the first target, with another one cured as well."""
    factors = np.geomspace(1, 64, 40)
    first = min(dequantize_percent, 100) / 100
    second = 0.8 * (1 - first)
    gains = [
        predicted_gain({"a": first, "b": second}, [{"a": float(f)}, {"b": products_factor}])
        for f in factors
    ]
    fig = curves(
        factors,
        {"gain": gains, "limit": [1 / (1 - first - second + second / products_factor)] * 40},
        xlabel="factor for dequantize",
        ylabel="gain of the whole",
        logx=True,
        title=f"dequantize {first:.0%}; products {second:.0%}, {products_factor:g} times as fast",
    )
    return fig, f"The gain of the whole rises with the factor and stops at {gains[-1]:.1f}."


explore(amdahl, dequantize_percent=(10, 90, 10), products_factor=[1.0, 2.0, 4.0, 16.0])


# %% [markdown] items="1.6.P3"
# ### Exercise: the targets
#
# A cure costs hours. With a budget, which set of targets gains most? The largest target first is not always right, nor the best saving for an hour.
#
# <details><summary>Hint 1</summary>A target saves <code>share * (1 - 1 / factor)</code>.</details>
# <details><summary>Hint 2</summary>A table has a dozen rows: try all sets with <code>itertools.combinations</code>.</details>
# %% role="exercise" id="opt-targets" items="1.6.P3" minutes=15
def choose_targets(rows: list[dict], budget_hours: float) -> tuple[list[str], float]:
    """The targets with the largest predicted gain that fit the budget.

    Args:
        rows: up to 12 dicts: name; share, 0 to 1, of time that no other row counts; factor, above 0, math.inf for gone;
            hours, 0 or more, that the cure costs. Not changed.
        budget_hours: the hours of the chosen add up to this at most.

    Returns:
        names: of the chosen, in the table's order; an empty list when nothing is worth it.
        gain: predicted for all of them together, by Amdahl's law; 1.0 for none, math.inf when nothing is left.
        Of choices whose gains are equal (within a relative 1e-9) the one with fewer hours, then with fewer targets.

    Raises:
        ValueError: a share or hours below 0, a factor that is not above 0, shares that add up to more than 1 + 1e-9, a
            name twice, or a budget below 0.

    >>> choose_targets([
    ...     {"name": "products", "share": 0.25, "factor": math.inf, "hours": 6},
    ...     {"name": "dequantize", "share": 0.5, "factor": math.inf, "hours": 2},
    ... ], 7)
    (['dequantize'], 2.0)
    """
    ### BEGIN SOLUTION
    names = [row["name"] for row in rows]
    if len(set(names)) < len(names) or not budget_hours >= 0:
        raise ValueError(f"Each name once, and a budget of 0 or more: {names}, {budget_hours}.")
    if not all(row["hours"] >= 0 for row in rows):
        raise ValueError("Hours must be 0 or more.")
    shares = {row["name"]: row["share"] for row in rows}
    predicted_gain(shares, [{row["name"]: row["factor"] for row in rows}])  # refuses what is off
    best = (1.0, 0.0, ())
    for count in range(1, len(rows) + 1):
        for chosen in itertools.combinations(rows, count):
            hours = sum(row["hours"] for row in chosen)
            if hours > budget_hours:
                continue
            gain = predicted_gain(shares, [{row["name"]: row["factor"] for row in chosen}])
            equal = math.isclose(gain, best[0], rel_tol=1e-9)
            if (equal and hours < best[1]) or (gain > best[0] and not equal):
                best = gain, hours, chosen
    return [row["name"] for row in best[2]], best[0]
    ### END SOLUTION


# %% role="check" id="opt-targets" points=5
check("opt-targets", choose_targets)

# %% [markdown] items="1.6.P3"
# ### Targets from the profile
#
# Shares are measured; factors and hours are guesses, written down before the work. One factor can be computed: without a cache the layers see every position again for each new token, with one they see
# each position once.
# %% role="given" id="targets"
demo_seen = sum(len(p) + step for p in demo_prompts for step in range(8))
demo_needed = sum(len(p) + 7 for p in demo_prompts)
demo_factor = demo_seen / demo_needed
demo_rest = sum(demo_shares[s] for s in ("attention", "mlp", "rms_norm", "rotate"))
demo_targets = [
    {"name": "dequantize once", "share": demo_shares["dequantize"], "factor": math.inf, "hours": 1.0},
    {"name": "cache keys and values", "share": demo_shares["linear"] + demo_rest, "factor": demo_factor, "hours": 3.0},
    {"name": "logits of the last position", "share": demo_shares["forward"], "factor": demo_factor, "hours": 0.5},
    {"name": "no .item() per token", "share": demo_shares["generate_one"], "factor": 2.0, "hours": 1.0},
]  # fmt: skip
print(f"positions through the layers: {demo_seen:,} without a cache, {demo_needed} with one")
for demo_row in demo_targets:
    demo_alone = choose_targets([demo_row], 8)[1]
    print(f"{demo_row['name']:28s} {demo_row['share']:6.1%}  alone {demo_alone:.2f} times as fast")
for demo_budget in (1.0, 3.0, 4.0, 6.0):
    print(demo_budget, "hours:", *choose_targets(demo_targets, demo_budget))

# %% [markdown]
# **Predict, then run.** Dequantizing once makes the whole about twice as fast, the cache alone about one and a half times. What do both together measure, in your version below?
# %% role="predict" id="guess-gain"
my_guess_gain = ...


# %% [markdown] items="1.6.P4"
# ## 4. Apply the cures
#
# **The deal.** `optimized_pipeline(weights)` is called once; it may prepare what it likes (up to 30 s). What it returns is called with fresh prompts again and again, and timed. Same tokens, and logits
# within 3e-4 of the offered pipeline's: float32 sums in another order differ by about 2e-5.
#
# Points: equal results, then a gain of 1.5, then of 3.0, which no single cure reaches here. The judge has its own copy of the offered pipeline.
# %% [markdown] items="1.6.P4"
# ### How it is timed
#
# Your function's text, with the functions, imports and plain constants of the notebook that it uses, goes to a process of its own: PyTorch on one CPU thread, NumPy, `lab.naive_pipeline`, nothing
# else of the course. Both versions take turns, timed from outside. The ratio of median **CPU times** counts, for a busy machine hardly moves it; by the clock, half of what is asked must be reached. Processes started by yours are refused:
# no `torch.compile`.
# %% [markdown] items="1.6.P4"
# ### Exercise: the pipeline
#
# Weights are inputs: do not change them. Make new tensors on their device.
#
# <details><summary>Hint 1: dequantize once</summary>Before you define <code>generate</code>, make a dict of dense matrices with <code>slow.dequantize</code>. Profile again: what is largest now?</details>
# <details><summary>Hint 2: cache</summary>The first step sends the whole prompt through the layers and keeps each layer's rotated keys, and values. Each later step sends one token, with position = tokens
# so far, and appends.</details>
# <details><summary>Hint 3: mask</summary>A query at position p sees keys at positions 0 to p. With the cache the mask is (new, all), not square.</details>
# <details><summary>Hint 4: fewer, larger products</summary>q, k and v read the same input: one product with the three matrices joined; gate and up as well. <code>torch.nn.functional.scaled_dot_product_attention</code> with
# <code>enable_gqa=True</code> fuses the attention.</details>
# <details><summary>Hint 5: batches</summary>Several prompts at once need padding, positions that do not count it, and a mask that hides it. Worth it when prompts are many and alike.</details>
# %% role="exercise" id="opt-pipeline" items="1.6.P4" minutes=50
def optimized_pipeline(weights: slow.Weights) -> Callable:
    """A function that gives what `slow.generate(weights, ...)` gives, in less time.

    Args:
        weights: as `lab.naive_pipeline` describes them; not changed.

    Returns:
        generate(prompts, new_tokens): one or more prompts, lists of one or more token ids, not changed; new_tokens 1 or
            more; a prompt and its new tokens fit the context of 512. It returns a list with, for each prompt in order:
                tokens: list of new_tokens ints, each the likeliest of its row of logits; no token ends a text early;
                logits: float32 tensor (new_tokens, V), the row that each token was chosen from.

    >>> model = four_bit_weights()
    >>> results = optimized_pipeline(model)([[5], [17, 3, 99]], 2)
    >>> [tokens for tokens, _ in results] == [tokens for tokens, _ in slow.generate(model, [[5], [17, 3, 99]], 2)]
    True
    """
    ### BEGIN SOLUTION
    device, layers = weights["embed"].device, []
    for i in range(slow.LAYERS):
        name = f"layers.{i}"
        w = {
            n: slow.dequantize(weights[f"{name}.{n}.codes"], weights[f"{name}.{n}.scales"])
            for n in slow.LINEARS
        }
        joined = torch.cat([w["q"], w["k"], w["v"]]).T, torch.cat([w["gate"], w["up"]]).T
        norms = weights[f"{name}.attention_norm"], weights[f"{name}.mlp_norm"]
        layers.append((*norms, *joined, w["o"].T, w["down"].T))

    def last_logits(ids, past, start):
        x, end = weights["embed"][ids], start + len(ids)
        positions = torch.arange(start, end, device=device)
        sees = positions[:, None] >= torch.arange(end, device=device)
        for i, (norm, mlp_norm, qkv, gate_up, out, down) in enumerate(layers):
            heads = (slow.rms_norm(x, norm) @ qkv).view(len(ids), -1, slow.HEAD_DIM).transpose(0, 1)
            rotated = slow.rotate(heads[: -slow.KV_HEADS], positions)
            q, k, v = rotated[: slow.HEADS], rotated[slow.HEADS :], heads[-slow.KV_HEADS :]
            if start:
                k, v = torch.cat((past[i][0], k), 1), torch.cat((past[i][1], v), 1)
            past[i] = k, v
            mixed = torch.nn.functional.scaled_dot_product_attention(
                q[None], k[None], v[None], attn_mask=sees, enable_gqa=True
            )[0]
            x = x + mixed.transpose(0, 1).flatten(1) @ out
            gate, up = (slow.rms_norm(x, mlp_norm) @ gate_up).chunk(2, -1)
            x = x + (torch.nn.functional.silu(gate) * up) @ down
        return slow.rms_norm(x[-1], weights["norm"]) @ weights["embed"].T

    @torch.inference_mode()
    def generate(prompts, new_tokens):
        results = []
        for prompt in prompts:
            ids, past, rows = torch.tensor(prompt, device=device), {}, []
            for step in range(new_tokens):
                rows.append(last_logits(ids, past, len(prompt) + step - 1 if step else 0))
                ids = rows[-1].argmax().reshape(1)
            logits = torch.stack(rows)
            results.append((logits.argmax(-1).tolist(), logits))
        return results

    return generate
    ### END SOLUTION


# %% role="check" id="opt-pipeline" points=12
check("opt-pipeline", optimized_pipeline)

# %% [markdown] items="1.6.P5"
# ## 5. Profile again
#
# First the results, then the operators. A new profile after each cure: the shares have moved, and the next target is another one.
# %% role="given" id="again"
demo_fast = optimized_pipeline(demo_weights)


def compared(reference, other):
    """Whether all tokens are the same, and the largest difference of logits."""
    same = all(list(a[0]) == list(b[0]) for a, b in zip(reference, other, strict=True))
    gaps = [float((a[1] - b[1]).abs().max()) for a, b in zip(reference, other, strict=True)]
    return same, max(gaps)


def fast_call():
    return demo_fast(demo_prompts, 8)


fast_call()
demo_after = self_time_table(record(fast_call))
demo_before = self_time_table(demo_events)
for demo_title, demo_table in (("before", demo_before), ("after", demo_after)):
    demo_calls = sum(row["calls"] for row in demo_table)
    demo_sum = sum(row["self_us"] for row in demo_table) / 1e3
    print(f"\n{demo_title}: {demo_calls:,} operators, {demo_sum:.0f} ms under the profiler")
    print_table(demo_table, 6)


# %% [markdown]
# **What you should see.** About 107,000 operators before; about a sixth of that after, and some three quarters of the time in `aten::mm`: the model's own arithmetic, once for each position. That is the sign to stop:
# the next cure must make the products themselves cheaper.
# %% [markdown] items="1.6.P5"
# ### A gain with its interval
#
# A machine's load comes in spells. Time both versions in each **round**: a spell then hits both. The gain is the ratio of the medians. How sure is it? **Bootstrap**: draw as many rounds as
# there are, with replacement, and take the ratio again; a thousand times. The middle 95 % of those ratios are the interval.
# %% [markdown] items="1.6.P5"
# ### Exercise: the measured gain
#
# <details><summary>Hint 1</summary><code>picked = np.random.default_rng(seed).integers(n, size=(resamples, n))</code>: row by row, the rounds that were drawn.</details>
# <details><summary>Hint 2</summary><code>np.median(before[picked], axis=1)</code>, the same rounds for <code>after</code>, then
# <code>np.quantile</code>.</details>
# %% role="exercise" id="opt-gain" items="1.6.P5" minutes=15
def measured_gain(
    before_ms: list[float], after_ms: list[float], resamples: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """How many times as fast, with a 95 % bootstrap interval over rounds.

    Args:
        before_ms, after_ms: times of both versions in the same rounds, milliseconds; 5 rounds or more. Not changed.
        resamples: 1 or more.
        seed: rounds are drawn by np.random.default_rng(seed).integers(n, size=(resamples, n)), called once: row r holds the
            indexes of the rounds in resample r, for both versions.

    Returns:
        gain: median of before over median of after. low, high: quantiles 0.025 and 0.975 (NumPy's default method)
        of that ratio over the resamples.

    Raises:
        ValueError: lists of different lengths, fewer than 5 rounds, or a time that is not finite and above 0.

    >>> measured_gain([8.0] * 5, [2.0] * 5)
    (4.0, 4.0, 4.0)
    """
    ### BEGIN SOLUTION
    before, after = np.array(before_ms, dtype=float), np.array(after_ms, dtype=float)
    if before.shape != after.shape or len(before) < 5:
        raise ValueError(f"Five or more rounds of both: {len(before)} and {len(after)}.")
    if not all(np.isfinite(t).all() and (t > 0).all() for t in (before, after)):
        raise ValueError("Times must be finite and above 0.")
    n = len(before)
    picked = np.random.default_rng(seed).integers(n, size=(resamples, n))
    ratios = np.median(before[picked], axis=1) / np.median(after[picked], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(np.median(before) / np.median(after)), float(low), float(high)
    ### END SOLUTION


# %% role="check" id="opt-gain" points=5
check("opt-gain", measured_gain)


# %% [markdown] items="1.6.P6"
# ## 6. Report before and after
#
# A report of a speed-up needs: what was compared, on which machine, how many rounds, median and spread, the gain with its interval, and that the results are the same. All of it from the samples, none of it
# typed.
# %% [markdown] items="1.6.P6"
# ### Exercise: the rows of the report
#
# <details><summary>Hint 1</summary><code>np.percentile(times, [10, 50, 90])</code>; gain and interval from <code>measured_gain(baseline, times)</code>.</details>
# <details><summary>Hint 2</summary>Ask <code>error &lt;= bound</code>: that is False for NaN.</details>
# %% role="exercise" id="opt-report" items="1.6.P6" minutes=15
def report_rows(
    samples: dict[str, list[float]], results: dict[str, tuple[bool, float]], bound: float
) -> list[dict]:
    """The rows of a before/after report.

    Args:
        samples: times of each version in the same rounds, milliseconds, 5 or more; the first is the baseline. Not changed.
        results: for each version but the baseline, in any order: whether its tokens are the baseline's, and the largest
            difference of its logits. Not changed.
        bound: the largest difference that counts as the same.

    Returns:
        one dict for each version, in the order of samples:
            version; rounds; median_ms, p10_ms, p90_ms (NumPy's default percentiles);
            gain, low, high: over the baseline, as measured_gain gives them with its defaults; 1.0 for the baseline itself;
            same_results: bool, tokens the same and difference <= bound; True for the baseline;
            verdict: "baseline"; else "results differ" unless same_results; else "faster" when low > 1, "slower" when
                high < 1, otherwise "no difference shown".

    Raises:
        ValueError: no samples, versions with different numbers of rounds, times that are not above 0, or results for
            other versions than those of the samples but the first.

    >>> for row in report_rows({"a": [8.0] * 5, "b": [2.0] * 5}, {"b": (True, 1e-5)}, 3e-4):
    ...     print(row["version"], row["median_ms"], row["gain"], row["verdict"])
    a 8.0 1.0 baseline
    b 2.0 4.0 faster
    """
    ### BEGIN SOLUTION
    if not samples or set(results) != set(list(samples)[1:]):
        raise ValueError("Samples of a baseline, and results for every other version, are needed.")
    rows, baseline = [], next(iter(samples))
    for version, times in samples.items():
        gain, low, high = measured_gain(samples[baseline], times)  # refuses what is off
        p10_ms, median_ms, p90_ms = (float(p) for p in np.percentile(times, [10, 50, 90]))
        tokens, error = results.get(version, (True, 0.0))
        same = bool(tokens) and bool(error <= bound)
        if version == baseline:
            gain, low, high, verdict = 1.0, 1.0, 1.0, "baseline"
        elif not same:
            verdict = "results differ"
        else:
            verdict = "faster" if low > 1 else "slower" if high < 1 else "no difference shown"
        row = {"version": version, "rounds": len(times), "median_ms": median_ms, "p10_ms": p10_ms}
        row |= {"p90_ms": p90_ms, "gain": gain, "low": low, "high": high}
        rows.append(row | {"same_results": same, "verdict": verdict})
    return rows
    ### END SOLUTION


# %% role="check" id="opt-report" points=5
check("opt-report", report_rows)
# %% role="given" id="measured"


def in_turns(versions, rounds):
    """Times of each version, milliseconds: all of them in each round, each round beginning with another."""
    times = {version: [] for version in versions}
    names = list(versions)
    for number in range(rounds):
        for place in range(len(names)):
            name = names[(number + place) % len(names)]
            times[name].append(wall_ms(versions[name]))
    return times


demo_ready = {}


def ready_linear(weights, layer, x):
    """`slow.linear` that dequantizes each weight at its first use only."""
    if layer not in demo_ready:
        restored = slow.dequantize(weights[f"{layer}.codes"], weights[f"{layer}.scales"])
        demo_ready[layer] = restored
    return x @ demo_ready[layer].T


def offered_dense():
    with replaced({"linear": ready_linear}):
        return offered()


def no_gradients():
    with torch.inference_mode():
        return offered()


demo_versions = {
    "offered": offered,
    "no gradients": no_gradients,
    "dequantized once": offered_dense,
    "all cures": fast_call,
}
demo_reference = offered()
demo_results = {
    name: compared(demo_reference, call())
    for name, call in demo_versions.items()
    if name != "offered"
}
demo_samples = in_turns(demo_versions, rounds=11)
demo_report = report_rows(demo_samples, demo_results, 3e-4)
reveal(my_guess_gain, demo_report[-1]["gain"], unit="times as fast")
# %% role="given" id="printed"


def as_markdown(rows, results, hardware):
    """The report as a Markdown table."""
    lines = [
        f"**{hardware}, {rows[0]['rounds']} rounds in turns, medians; 8 new tokens after prompts of 1, 24 and 60.**\n",
        "| version | median ms | 10th to 90th percentile | gain (95 % interval) | largest difference of logits | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        spread = f"{row['p10_ms']:.1f} to {row['p90_ms']:.1f}"
        gain = f"{row['gain']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        gap = f"{results[row['version']][1]:.1e}" if row["version"] in results else ""
        lines.append(
            f"| {row['version']} | {row['median_ms']:.1f} | {spread} | {gain} | {gap} | {row['verdict']} |"
        )
    return "\n".join(lines)


demo_text = as_markdown(demo_report, demo_results, profile.hardware)
print(demo_text)

# %% [markdown]
# **What you should see.** Dequantizing once about doubles the speed, all cures together give six to ten times. Leaving gradients off, the cure that everybody tries first, gains a tenth at most:
# no weight asks for a gradient, so none was recorded, and what is saved is the bookkeeping of each operator. Its interval may hold 1.
# %% [markdown] items="1.6.P4"
# ### On a GPU
#
# There the same cures count, and others come up: a decode step is a hundred launches of a few microseconds each, so the launches themselves are the largest share (lesson 5, CUDA Graphs), and a copy
# from pageable memory cannot overlap. The cell below measures the copy.
# %% role="given" id="pinned"
if profile.device != "cuda":
    print(
        "Not measured: no CUDA device here. The copy from pageable and from pinned memory is timed there."
    )
else:
    demo_host = torch.zeros(64 * 2**20, dtype=torch.uint8)
    demo_pinned = demo_host.pin_memory()
    for demo_kind, demo_buffer in (("pageable", demo_host), ("pinned", demo_pinned)):
        demo_copies = [
            wall_ms(lambda b=demo_buffer: b.to("cuda", non_blocking=True)) for _ in range(12)
        ]
        demo_ms = float(np.median(demo_copies[2:]))
        print(
            f"64 MiB from {demo_kind} memory: {demo_ms:.2f} ms, {64 * 2**20 / demo_ms / 1e6:.1f} GB/s"
        )
# %% [markdown] items="1.6.P6"
# ## 7. In your own words
#
# In 150 to 250 words: what the baseline's profile showed (stage and share); which targets you chose and what Amdahl's law predicted; what you changed; what was measured, with interval, rounds and machine; how you know
# that the results are the same; where prediction and measurement differ and why; what you would do next, and what you would leave.
# %% [markdown] role="written" id="opt-findings" items="1.6.P6" points=6
# **Model answer.** Baseline, on a laptop CPU with one thread: by self time `dequantize` took about half, the products in `linear` about a quarter, everything else under ten per cent each; `.item()` and lists under one per cent.
#
# I chose two targets: dequantize once (its share goes to nearly nothing: predicted about 2) and a cache of keys and values (each position once in place of once a token: about eight times fewer positions). Together Amdahl's law
# predicted about 8.
#
# I made the dense matrices before serving, kept rotated keys and values, and joined q, k, v and gate, up into one product each.
#
# Measured in 11 rounds in turns: the figures of my table, gain with its interval, well above 3. Tokens were the same in every call, logits within 2e-5, against a bound of 3e-4; prompts of one token, of unequal lengths and of a full context were compared.
#
# The measured gain is not the predicted one: products with one row do not reach the rate of products with sixty, so the cache's factor is smaller than the count of positions says; joining the products works the other way.
#
# Next: dense float32 gives up the memory that 4 bits saved. On a larger model I would keep the codes and use a kernel that restores them on the way into the product. I would leave `.item()`: the profile shows nothing to gain.
#
# **Rubric.** 1 point: stages and shares from the profile. 1 point: targets with a prediction made before the change. 1 point: at least two cures, said exactly. 1 point: gain with interval, rounds and machine. 1 point: equal results, with bound and the
# hard cases. 1 point: prediction against measurement explained, or what dense weights cost. No point for figures that were not measured.
# %% [markdown]
# ## Recap
#
# - Self times add up; durations count nested work again and again. Operators say what runs, named ranges say why.
# - What is saved adds up, so two cures of a half and a third give six, not three.
# - A gain is a ratio with an interval, from rounds in turns, and counts only for equal results.
#
# **Three questions**
#
# <details><summary>1. A cure makes 5 % of the time vanish. Can 11 rounds show it?</summary>Only if a round's ratio spreads less than that. Rounds in turns help; so does CPU time; so do more rounds. Otherwise the honest verdict is: no difference
# shown.</details>
# <details><summary>2. Why did the first cure change the share of the second target?</summary>Shares are of what is left. After half is gone, a quarter has become a half.</details>
# <details><summary>3. What did dequantizing once cost?</summary>Memory: about 12 MB of float32 in place of 2 MB of codes and scales. On a model of 7 billion weights that is 28 GB, and the reason for kernels that read codes.</details>
#
# ## Reading, with what to look for
#
# - PyTorch's documentation, "torch.profiler": `record_function`, self and total time, `key_averages`.
# - Amdahl (1967), *Validity of the single processor approach to achieving large scale computing capabilities*: four pages; the argument is on the second.
# - Efron and Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 13: percentile intervals, and when they mislead.
#
# **Next:** module 2.1, where what you did by hand has names: prefill, decode, KV cache, continuous batching.
