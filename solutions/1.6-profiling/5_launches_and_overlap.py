# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Launch less, fuse more, overlap the rest
#
# **You end with:** a model of launches, streams and events that predicts when the host is the bottleneck, a decode step that can be captured as a
# graph, the true price of compiling, and the shipped language model with its norms folded and its Q, K and V in one product.
#
# About 160 minutes. 46 points: 43 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network; a C++ compiler makes `torch.compile` run, and without
# one the lesson says so and goes on. On a CUDA machine the same cells capture real graphs and time real streams. You need lesson 1 (measuring) and module 1.5, lesson 7 (copies,
# streams, engines).
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
from pathlib import Path

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autograder import check
from lab.async_device import open_device
from lab.lm import load_lm, load_tokens
from lab.plots import COLOURS, HATCHES, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.stream_capture import capture
from lab.timing import interleave_ms, sample_ms

torch.set_num_threads(1)  # one busy thread is disturbed less than many
profile = use_profile(PROFILE)
NO_GPU = "Not measured: this machine has no CUDA device. The model above stands for itself."
profile
# %% [markdown]
# ## The same additions, in pieces
#
# Add 1 to a million numbers: once as one operator, once as 1,024 operators on 1,024 numbers each. The same additions, the same bytes.
#
# How many times as long do the pieces take?
# %% role="predict" id="predict-pieces"
my_pieces_ratio = ...  # time of 1,024 small operators / time of one large one
# %% role="given" id="opening"


def show_pieces() -> None:
    """One addition of 2^20 numbers against 2^10 additions of 2^10, interleaved."""
    whole = torch.zeros(2**20, device=profile.device)
    pieces = list(torch.zeros(2**20, device=profile.device).split(2**10))

    def add_pieces() -> None:
        for piece in pieces:
            piece.add_(1)

    versions = {"one operator": lambda: whole.add_(1), "1,024 operators": add_pieces}
    medians = {name: np.median(ms) for name, ms in interleave_ms(versions, rounds=30).items()}
    for name, ms in medians.items():
        print(f"{name:16s} {ms:8.3f} ms")
    reveal(my_pieces_ratio, medians["1,024 operators"] / medians["one operator"], "times as long")


show_pieces()
# %% [markdown] items="1.6.C10"
# **What happened.** Each call of an operator costs something before the first number is touched: Python, argument parsing, the dispatcher, allocation, the
# loop's set-up. On a GPU a **launch** comes on top.
#
# So an operator on $n$ numbers takes about $t(n) = a + b\,n$: $a$ the overhead (µs a call), $b$ the work (µs a number). Fit both, by least squares of the *relative* error, since the sizes span
# orders of magnitude.
# %% role="given" id="fit"


def fit_overhead() -> tuple[float, float, list[int], list[float]]:
    """a (us a call) and b (us a number) of an in-place addition; the sizes and their medians, us."""
    sizes = [2**k for k in range(4, 21, 2)]
    arrays = {str(n): torch.zeros(n, device=profile.device) for n in sizes}

    def twenty(array):
        return lambda: [array.add_(1) for _ in range(20)]

    times = interleave_ms({k: twenty(v) for k, v in arrays.items()}, rounds=40)
    us = [float(np.median(times[str(n)])) * 1e3 / 20 for n in sizes]
    columns = np.stack([1 / np.array(us), np.array(sizes) / np.array(us)], axis=1)
    (a, b), *_ = np.linalg.lstsq(columns, np.ones(len(sizes)), rcond=None)
    return float(a), float(b), sizes, us


def show_fit() -> None:
    """The measured times and the line through them."""
    a, b, sizes, us = fit_overhead()
    line = [a + b * n for n in sizes]
    drawn = curves(
        sizes,
        {"measured": us, "a + b n": line},
        xlabel="numbers",
        ylabel="µs a call",
        logx=True,
        logy=True,
    )
    show(
        drawn,
        f"Time of an addition by size, both axes logarithmic: flat at about {a:.2f} us for small arrays, then rising in proportion.",
    )
    print(
        f"a = {a:.2f} us a call, b = {b * 1e3:.3f} ns a number; half of the time is overhead at n = {a / b:,.0f}"
    )


show_fit()
# %% [markdown]
# **What you should see.** On a CPU $a$ is one or two microseconds for the cheapest operator there is, more for others; on a GPU the launch comes on top. Below some ten thousand
# numbers you pay for calling, not for adding.
# %% [markdown] items="1.6.C10"
# ## How many calls is a model?
#
# Every operator passes PyTorch's dispatcher, where a mode can count it. One token through the shipped model: how many operators, and how many numbers does each make?
# %% role="given" id="operators"
model = load_lm("lm", profile)
ids = torch.from_numpy(load_tokens("heldout")[:64].astype(np.int64))[None].to(profile.device)


class Counting(TorchDispatchMode):
    """Counts operators that compute; views move no byte and launch nothing."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result._base is None:
            self.sizes.append(result.numel())
        return result


def forward(network, tokens):
    """Logits of one pass, no cache."""
    with torch.inference_mode():
        return network(tokens, use_cache=False).logits


def show_operators() -> None:
    """Operators of one pass, by tokens, and the share of the time that the fitted overhead explains."""
    a_us = fit_overhead()[0]
    for count in (1, 64):
        with torch.no_grad(), Counting() as counting:
            model(ids[:, :count], use_cache=False)
        ms = float(np.median(sample_ms(lambda n=count: forward(model, ids[:, :n]), repeats=30)))
        calls, middle = len(counting.sizes), np.median(counting.sizes)
        print(
            f"{count:2d} tokens: {calls} operators, median result {middle:,.0f} numbers, {ms:.2f} ms;",
            end=" ",
        )
        print(f"{calls} calls of {a_us:.1f} us are at least {calls * a_us / ms / 10:.0f} % of it")


show_operators()


# %% [markdown]
# **What you should see.** A few hundred operators, most with a few hundred numbers for one token. The share is a lower bound: a linear layer or a softmax costs more to call than an addition, and the Python of the
# model's own code is not in it.
# %% [markdown] items="1.6.C10"
# ## The launch queue
#
# On a GPU the host runs ahead: a launch only queues a kernel. Kernel $i$ starts when it has been launched and kernel $i-1$ has ended:
#
# $$ s_i = \max(\ell_i,\ e_{i-1}), \qquad e_i = s_i + k_i $$
#
# ($\ell_i$: end of launch $i$; $k_i$: the kernel's time; µs). If launches take longer than kernels, the device starves: **launch-bound**. A full queue holds the
# host up. (Users saw about 1,000 places; NVIDIA promises no number.)
# %% [markdown] items="1.6.C10"
# ### Exercise: the launch queue
#
# <details><summary>Hint 1</summary>Two clocks: when the host is free, and the list of the kernels' ends.</details>
# <details><summary>Hint 2</summary>Launch i begins at the later of "host free" and <code>end[i - depth]</code>. What it waits there is host_wait_us.</details>
# %% role="exercise" id="launch-queue" items="1.6.C10" minutes=14
def launch_queue(
    launch_us: list[float], kernel_us: list[float], depth: int = 1024
) -> dict[str, float]:
    """Time of kernels that one host thread launches into one stream, microseconds.

    Launch i takes launch_us[i] on the host, one launch after another, the first from 0.0. Kernel i takes kernel_us[i]; it
    starts as soon as its launch has ended and kernel i - 1 has ended. The queue holds `depth` kernels: launch i
    does not begin before kernel i - depth has ended.

    Args:
        launch_us, kernel_us: one number a kernel, 0 or more. depth: 1 or more.

    Returns:
        "total_us": when the last kernel has ended, 0.0 for none. "host_wait_us": how long the host
        waited for a place, all launches together. "device_idle_us": how long no kernel ran, from 0.0 to total_us.

    Raises:
        ValueError: lists of different lengths, a negative time, depth below 1.

    >>> launch_queue([5, 5, 5], [2, 9, 1])
    {'total_us': 20.0, 'host_wait_us': 0.0, 'device_idle_us': 8.0}
    >>> launch_queue([1, 1, 1], [10, 10, 10], depth=1)
    {'total_us': 33.0, 'host_wait_us': 20.0, 'device_idle_us': 3.0}
    """
    ### BEGIN SOLUTION
    if len(launch_us) != len(kernel_us) or depth < 1 or min([*launch_us, *kernel_us, 0]) < 0:
        raise ValueError("One launch a kernel, times of 0 or more, depth of 1 or more.")
    host, waited, ends = 0.0, 0.0, []
    for index, (launch, kernel) in enumerate(zip(launch_us, kernel_us, strict=True)):
        begin = max(host, ends[index - depth] if index >= depth else 0.0)
        waited += begin - host
        host = begin + launch
        ends.append(max(host, ends[-1] if ends else 0.0) + kernel)
    total = ends[-1] if ends else 0.0
    return {"total_us": total, "host_wait_us": waited, "device_idle_us": total - sum(kernel_us)}
    ### END SOLUTION


# %% role="check" id="launch-queue" points=5
check("launch-queue", launch_queue)
# %% role="given" id="queue-knob"


def draw_queue(launch_us=5.0):
    """Time a kernel, for 500 equal kernels, by the kernel's own time."""
    kernel = [0.5, 1, 2, 3, 5, 8, 12, 20]
    eager = [launch_queue([launch_us] * 500, [k] * 500)["total_us"] / 500 for k in kernel]
    graph = [
        launch_queue([2 * launch_us] + [0.0] * 499, [k] * 500)["total_us"] / 500 for k in kernel
    ]
    series = {f"launched one by one, {launch_us:g} µs each": eager, "one launch for all": graph}
    drawn = curves(
        kernel, series, xlabel="µs of a kernel", ylabel="µs a kernel, in all", logx=True, logy=True
    )
    return drawn, (
        f"Time for each of 500 kernels by their length: with {launch_us:g} microseconds a launch the curve is flat up to kernels "
        f"of {launch_us:g} microseconds and follows the kernel beyond; with one launch for all it follows the kernel throughout."
    )


explore(draw_queue, launch_us=[5.0, 1.0, 2.0, 10.0, 20.0])
# %% [markdown]
# **What you should see.** A corner at kernel time = launch time. Left of it a faster kernel gains nothing, so quantizing it gains nothing. Right of it launches are free. Turn the launch up (a slow
# CPU, Python) and the corner moves right.
# %% role="given" id="queue-measured"


def show_queue_measured(count: int = 60) -> None:
    """Predicted and measured: `count` products of growing size on the device, or on its stand-in."""
    sizes = (512, 1024, 2048, 4096) if profile.device == "cuda" else (32, 128, 256, 384)
    with open_device(profile) as device:
        for size in sizes:
            x = torch.rand(size, size, device=profile.device)

            def run(times, x=x) -> float:
                """Microseconds until all is done, and until all is submitted; the least of nine runs."""
                spans = []
                for _ in range(9):
                    device.synchronize()
                    start = time.perf_counter_ns()
                    for _ in range(times):
                        device.submit(torch.mm, x, x)
                    launched = time.perf_counter_ns()
                    device.synchronize()
                    spans.append((time.perf_counter_ns() - start, launched - start))
                return np.min(np.array(spans), axis=0) / 1e3

            (few, _), (many, launch) = run(count // 2), run(2 * count)
            kernel = (many - few) / (
                1.5 * count
            )  # what one more costs: the kernel, where the device is the slower
            now, _ = run(count)
            guess = launch_queue([launch / (2 * count)] * count, [kernel] * count)["total_us"]
            print(
                f"{device.name}, {size:4d} x {size:4d}: launch {launch / (2 * count):6.2f} us, step {kernel:8.2f} us;",
                end=" ",
            )
            print(f"{count} of them predicted {guess:9,.0f} us, measured {now:9,.0f} us")


show_queue_measured()
# %% [markdown]
# **What you should see.** On a GPU: the step time stays at the launch time for small matrices and leaves it for large ones. The CPU's stand-in (a worker thread) shares the interpreter with the host, so its smallest steps are hand-overs
# between threads, and on a busy machine a prediction can be off by half. The least of nine runs is taken: disturbances only add.
# %% [markdown] items="1.6.C10"
# ## CUDA Graphs
#
# Record the launches once, then send all with one call. A graph holds *kernels with their arguments*: addresses, sizes, numbers passed by value. A replay repeats exactly these:
#
# - inputs are copied **into the same buffers**; results appear in the same buffers;
# - shapes are fixed: one graph for each batch size, or padding;
# - Python runs at capture only. Its `if`s, counters and floats are frozen.
# %% [markdown] items="1.6.C10"
# ## What breaks a capture
#
# - A wait for the device: `.item()`, `if tensor:`, `.cpu()`, `print` of values, `synchronize`.
# - A shape that depends on data: `x[mask]`, `nonzero`, `unique`.
# - Work on the default stream; synchronous copies; `cudaMalloc`. PyTorch's allocator gives a capture a pool of its own, so new tensors are allowed: in every replay they lie at the same addresses.
#
# The errors are the harmless case. What is frozen silently gives wrong results.
# %% role="given" id="setup-step"


def hasty_step(logits, history, position, finished, peak, eos: int, pad: int) -> None:
    """A decode step as one writes it first. It works, and cannot be captured."""
    largest = logits.abs().max().item()
    if largest > peak.item():
        peak.fill_(largest)
    at = position.item()
    for row in range(len(logits)):
        if finished[row]:
            history[row, at] = pad
        else:
            history[row, at] = logits[row].argmax()
            finished[row] = history[row, at] == eos
    position += 1


def fresh_buffers(batch: int = 3, vocab: int = 8, length: int = 12):
    """logits, history, position, finished, peak on the CPU."""
    return (torch.zeros(batch, vocab), torch.full((batch, length), -1), torch.zeros(1, dtype=torch.int64),
            torch.zeros(batch, dtype=torch.bool), torch.zeros(1))  # fmt: skip


# %% role="given" id="hasty-capture"
def try_capture(step) -> None:
    """Capture `step` on the stand-in, and say what came of it."""
    try:
        capture(lambda *buffers: step(*buffers, 2, 0), *fresh_buffers())
        print(f"{step.__name__}: captured")
    except Exception as error:
        print(f"{step.__name__}: {error}")


try_capture(hasty_step)


# %% [markdown] items="1.6.C10"
# ### Exercise: a decode step that can be captured
#
# `lab.stream_capture.capture` stands in for the GPU. It runs your function once on tensors *without data* (device "meta"), where each read on the host fails, then records its operators; a replay runs only these, on the same buffers.
# Make new tensors on the device of the inputs.
#
# <details><summary>Hint 1</summary><code>torch.where(finished, pad, tokens)</code>: all rows at once, no <code>if</code>.</details>
# <details><summary>Hint 2</summary><code>history.index_copy_(1, position, column)</code> takes the index from the device.</details>
# <details><summary>Hint 3</summary><code>peak.copy_(torch.maximum(...))</code>; a plain <code>peak = ...</code> only renames.</details>
# %% role="exercise" id="capture-step" items="1.6.C10" minutes=18
def decode_step(logits, history, position, finished, peak, eos: int, pad: int) -> None:
    """What hasty_step does, without a look at the data from the host. Writes into the buffers; returns nothing.

    Each row's token: `pad` if the row had finished before this step, else the index of its largest logit (no ties). The token is
    written to history[row, position]. A row whose token is eos is finished from then on; none becomes
    unfinished. peak becomes the larger of itself and the largest absolute logit of all rows, finished or not. position
    grows by 1.

    Args:
        logits: (batch, vocab) float32; not changed. history: (batch, length) int64. position: (1,) int64, below length.
        finished: (batch,) bool. peak: (1,) float32, 0 or more. All on one device.
        eos, pad: token ids; they may be frozen. They may be equal.

    >>> logits, history, position, finished, peak = fresh_buffers(batch=2, vocab=4, length=3)
    >>> replay = capture(lambda *buffers: decode_step(*buffers, 2, 0), logits, history, position, finished, peak)
    >>> for best in ([3, 2], [1, 1]):  # the second row ends in the first step
    ...     _ = logits.copy_(torch.eye(4)[best])
    ...     replay()
    >>> history.tolist(), position.tolist(), finished.tolist(), peak.tolist()
    ([[3, 1, -1], [2, 0, -1]], [2], [False, True], [1.0])
    """
    ### BEGIN SOLUTION
    tokens = torch.where(finished, pad, logits.argmax(dim=-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)
    ### END SOLUTION


# %% role="check" id="capture-step" points=6
check("capture-step", decode_step)
# %% role="given" id="graph-gpu"


def measure_graph() -> None:
    """The model's pass over one token: launched from Python, and as a CUDA graph."""
    fixed = ids[:, :1].clone()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.inference_mode():
        for _ in range(3):  # libraries make their workspaces before the capture
            model(fixed, use_cache=False)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        logits = model(fixed, use_cache=False).logits
    fixed.copy_(ids[:, 1:2])  # another token, into the same buffer
    graph.replay()
    print("largest difference to eager:", (logits - forward(model, ids[:, 1:2])).abs().max().item())
    versions = {"eager": lambda: forward(model, fixed), "graph": graph.replay}
    for name, ms in interleave_ms(versions, rounds=50).items():
        print(f"{name:6s} {np.median(ms):.3f} ms")


def predict_graph() -> None:
    """The queue's model of the same, for kernels of 2 us and launches of 5 us (assumed, not measured)."""
    with torch.no_grad(), Counting() as counting:
        model(ids[:, :1], use_cache=False)
    count = len(counting.sizes)
    eager = launch_queue([5.0] * count, [2.0] * count)["total_us"]
    graph = launch_queue([10.0] + [0.0] * (count - 1), [2.0] * count)["total_us"]
    print(
        f"model, {count} kernels of 2 us: eager {eager:,.0f} us, graph {graph:,.0f} us, {eager / graph:.1f} times as fast"
    )
    print(NO_GPU)


if profile.device == "cuda":
    measure_graph()
else:
    predict_graph()
# %% [markdown] items="1.6.C10"
# ## torch.compile
#
# `torch.compile` watches Python's bytecode (**Dynamo**), extracts graphs of operators, and **Inductor** writes code for them: C++ on a CPU, Triton on a GPU. Operators fuse; a whole chain becomes one call.
#
# It costs time: the first call compiles. Guess how many calls of the small function below pay for that.
# %% role="predict" id="predict-breakeven"
my_breakeven_calls = ...  # calls until compiling has paid for itself
# %% role="given" id="compile"


def gated_chain(x, bias):
    """An elementwise chain over x (rows, width): bias, GELU's approximation, a gate."""
    h = x + bias
    return h * torch.sigmoid(1.702 * h) * torch.tanh(h) + x


def try_compile(function, *arguments):
    """(compiled function, seconds of its first call); (function, None) where it cannot be compiled."""
    import tempfile

    # Nothing is taken from an earlier run: this is the price of a cold start.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torch._inductor.config as inductor

            inductor.compile_threads = 1  # no pool of processes for one small function
            compiled = torch.compile(function)
            with tempfile.TemporaryDirectory() as cache:
                os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
                start = time.perf_counter()
                compiled(*arguments)
                return compiled, time.perf_counter() - start
        except Exception as error:
            first = (str(error).strip().splitlines() or [""])[0]
            print(
                f"Not compiled: torch.compile needs a C++ compiler (g++) and a writable folder; eager goes on. ({type(error).__name__}: {first[:120]})"
            )
            return function, None
        finally:
            os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)


x_chain = torch.randn(256, 1024, device=profile.device)
bias_chain = torch.randn(1024, device=profile.device)
compiled_chain, cold_s = try_compile(gated_chain, x_chain, bias_chain)


def show_compile() -> None:
    """Eager against compiled, and the calls until the first call is paid."""
    versions = {"eager": lambda: gated_chain(x_chain, bias_chain)}
    if cold_s is not None:
        versions["compiled"] = lambda: compiled_chain(x_chain, bias_chain)
        apart = (versions["eager"]() - versions["compiled"]()).abs().max().item()
        print(f"first call {cold_s:.1f} s; largest difference of the results {apart:.1e}")
    ms = {name: float(np.median(t)) for name, t in interleave_ms(versions, rounds=30).items()}
    for name, value in ms.items():
        print(f"{name:9s} {value:7.3f} ms a call")
    if cold_s is not None and ms["eager"] > ms["compiled"]:
        reveal(
            my_breakeven_calls, math.ceil(1e3 * cold_s / (ms["eager"] - ms["compiled"])), "calls"
        )


show_compile()
# %% [markdown]
# **What you should see.** Seconds to tens of seconds for the first call, two to three times as fast from then on, and thousands to tens of thousands of calls to break even. A second process would find Inductor's cache on disk and start sooner. Without a
# compiler one line says so, and every other cell works.
# %% [markdown] items="1.6.C10"
# ## Graph breaks
#
# What Dynamo cannot follow it leaves to Python: `print`, `.item()`, an `if` on a tensor. The function falls into several graphs, with a wait between them; nothing fuses across a **graph break**.
#
# `torch._dynamo.explain` counts them. `fullgraph=True` makes a break an error.
# %% role="given" id="breaks"


def gated(x):
    """One host read in the middle."""
    h = torch.relu(x) * 2
    if h.sum() > 0:
        h = h / h.sum()
    return h + 1


def gated_on_device(x):
    """The same values without it."""
    h = torch.relu(x) * 2
    total = h.sum()
    h = torch.where(total > 0, h / total, h)
    return h + 1


def show_breaks() -> None:
    """Graphs, breaks and reasons of both."""
    from torch._dynamo import explain, reset

    for function in (gated, gated_on_device):
        reset()
        seen = explain(function)(torch.randn(8))
        reason = (
            f" ({seen.break_reasons[0].reason.splitlines()[0][:60]})" if seen.break_reasons else ""
        )
        print(
            f"{function.__name__:16s} {seen.graph_count} graph(s), {seen.graph_break_count} break(s){reason}"
        )
    reset()


show_breaks()
# %% [markdown] items="1.6.C10"
# ## Recompilation
#
# Compiled code holds for what its **guards** checked: dtype, device, shape. The first call gives a *static* artifact, for its own sizes alone. By default a second size gives one *dynamic* artifact, for all sizes from 2 up; sizes 0 and 1 get
# their own. With `dynamic=False` each size is compiled, up to a limit (8); then new sizes run eagerly.
#
# The next cell counts on the real compiler.
# %% role="given" id="recompiles"


def count_compilations(sizes, **options) -> list[int]:
    """Compilations so far after each call with a batch of this size. The back end "compiles" by doing nothing."""
    import logging

    from torch._dynamo import reset

    made = [0]

    def backend(graph, _inputs):
        made[0] += 1
        return graph.forward

    reset()
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)  # the limit is met on purpose
    compiled = torch.compile(lambda x: (x * 2).sum(0), backend=backend, **options)
    seen = []
    for size in sizes:
        compiled(torch.ones(size, 1000))
        seen.append(made[0])
    reset()
    return seen


def show_recompiles() -> None:
    """Two traces of batch sizes, both modes."""
    for sizes in ([4, 4, 6, 4, 9, 1, 1, 7], [1, 4, 6, 1, 8]):
        print("sizes", sizes)
        print("  automatic    ", count_compilations(sizes))
        print("  dynamic=False", count_compilations(sizes, dynamic=False))


show_recompiles()


# %% [markdown] items="1.6.C10"
# ### Exercise: what a trace of sizes costs
#
# A server sees batches of changing size. Which mode pays, and from which call on?
#
# <details><summary>Hint 1</summary>One inner function for a mode; it returns the time of each call.</details>
# <details><summary>Hint 2</summary>pays_after: cumulate; the answer lies behind the last call at which compiled was behind.</details>
# %% role="exercise" id="compile-cost" items="1.6.C10" minutes=18
def compile_cost(
    sizes: list[int],
    *,
    eager_us: int,
    static_us: int,
    dynamic_us: int,
    compile_us: int,
    limit: int = 8,
) -> dict[str, dict]:
    """Compilations and time of a trace of calls in the modes "static" (dynamic=False) and "automatic" (the default).

    A static artifact serves one size. The dynamic artifact serves all sizes from 2 up, and goes before a
    static one. If an artifact serves the call, it takes static_us or dynamic_us. If none does and there are
    fewer than `limit` artifacts, one is compiled (compile_us) and then serves the call. If there are `limit`, the
    call runs eagerly. What is compiled: in mode "static" a static artifact; in mode "automatic" a static one if it is the
    first of all or the size is 0 or 1, else the dynamic one.

    Args:
        sizes: batch size of each call, 0 or more. eager_us and the other times: of one call; whole numbers.
        limit: 1 or more.

    Returns:
        For "static" and "automatic" a dict: "compiles"; "total_us" of the trace; "pays_after": the smallest n of 1
        or more such that the first n calls, and every longer beginning of the trace, took no longer than
        the same calls run eagerly; None if there is none.

    >>> costs = compile_cost([4, 4, 4, 6, 6, 6, 6], eager_us=50, static_us=20, dynamic_us=30, compile_us=70)
    >>> costs["static"]
    {'compiles': 2, 'total_us': 280, 'pays_after': 5}
    >>> costs["automatic"]
    {'compiles': 2, 'total_us': 320, 'pays_after': 6}
    """
    ### BEGIN SOLUTION
    costs = {}
    for mode in ("static", "automatic"):
        static, dynamic, took = set(), False, []
        for size in sizes:
            served = size in static or (dynamic and size > 1)
            compiled = not served and len(static) + dynamic < limit
            if compiled and mode == "automatic" and static and size > 1:
                dynamic = True
            elif compiled:
                static.add(size)
            own = dynamic_us if dynamic and size > 1 else static_us if size in static else eager_us
            took.append(own + compile_us * compiled)
        behind = np.cumsum(took) > eager_us * np.arange(1, len(took) + 1)
        pays = 1 + max((i + 1 for i in range(len(took)) if behind[i]), default=0)
        costs[mode] = {
            "compiles": len(static) + dynamic,
            "total_us": sum(took),
            "pays_after": pays if pays <= len(took) else None,
        }
    return costs
    ### END SOLUTION


# %% role="check" id="compile-cost" points=6
check("compile-cost", compile_cost)
# %% role="given" id="compile-trace"


def show_trace_cost() -> None:
    """A day of batches: geometric sizes, both modes, at the price measured above."""
    rng = np.random.default_rng(0)
    sizes = [int(n) for n in np.minimum(rng.geometric(0.15, 3000), 32)]
    price = round((cold_s or 10.0) * 1e6)
    shown = "measured" if cold_s is not None else "assumed"
    for eager_us in (5_000, 50_000):
        costs = compile_cost(
            sizes,
            eager_us=eager_us,
            static_us=eager_us // 2,
            dynamic_us=int(0.55 * eager_us),
            compile_us=price,
        )
        print(
            f"eager {eager_us / 1e3:.0f} ms a call, {3000 * eager_us / 1e6:.0f} s in all; a compilation {price / 1e6:.1f} s ({shown})"
        )
        for mode, found in costs.items():
            print(
                f"  {mode:9s} {found['compiles']} compilations, {found['total_us'] / 1e6:6.1f} s, ahead from call {found['pays_after']}"
            )


show_trace_cost()
# %% [markdown]
# **What you should see.** "dynamic=False" compiles its eight sizes and runs the others eagerly; "automatic" compiles three times. Short calls may never pay in 3,000 calls. So servers compile (or capture) chosen batch sizes at the
# start, and pad to the next.
# %% [markdown] items="1.6.C10"
# On a GPU `mode="reduce-overhead"` lets Inductor wrap its kernels in CUDA Graphs, `mode="max-autotune"` also times variants of kernels, and compiles longer for it.
# %% role="given" id="compile-modes"


def measure_modes() -> None:
    """The model's pass over one token: eager and two modes, with the first call's price."""
    versions = {"eager": lambda: forward(model, ids[:, :1])}
    for mode in ("default", "reduce-overhead"):
        network = torch.compile(copy.deepcopy(model), mode=mode)
        start = time.perf_counter()
        for _ in range(3):  # the mode with graphs records in its second call
            forward(network, ids[:, :1])
        print(f"{mode}: first three calls {time.perf_counter() - start:.1f} s")
        versions[mode] = lambda network=network: forward(network, ids[:, :1])
    for name, ms in interleave_ms(versions, rounds=30).items():
        print(f"{name:16s} {np.median(ms):.3f} ms")


if profile.device == "cuda":
    measure_modes()
else:
    print(NO_GPU)


# %% [markdown] items="1.6.C11"
# ## Fusion counts bytes
#
# An elementwise operator does one or two operations a number and moves 8 to 12 bytes: it is limited by memory. Five in a row move the tensor ten times. One **fused** kernel reads what comes from outside once, keeps intermediates in registers, and writes what somebody needs.
#
# So count: tensors read from outside, tensors written.
# %% [markdown] items="1.6.C11"
# ### Exercise: bytes of a chain
#
# <details><summary>Hint</summary>One by one: for each operator the set of its inputs, and its output. Fused: (all inputs) minus (all outputs) is read, keep is written.</details>
# %% role="exercise" id="chain-bytes" items="1.6.C11" minutes=12
def chain_bytes(
    operators: list[tuple[tuple[str, ...], str]], size_bytes: dict[str, int], keep: set[str]
) -> tuple[int, int]:
    """Bytes moved by elementwise operators, run one by one and as one fused kernel.

    Unfused: each operator reads each of its different inputs once and writes its output, needed or not. Fused: each tensor that no
    operator makes is read once, if an operator uses it; each tensor in `keep` is written once; nothing else moves.

    Args:
        operators: (inputs, output) by names, in order. An input that an operator makes is made before it is used.
        size_bytes: bytes of each tensor by name.
        keep: outputs that are needed afterwards.

    Returns:
        unfused_bytes, fused_bytes.

    Raises:
        ValueError: a tensor without a size; a tensor made twice; one used (also by the operator that makes it) before it is made;
            a name in keep that no operator makes.

    >>> sizes = {"x": 400, "b": 40, "h": 400, "y": 400}
    >>> chain_bytes([(("x", "b"), "h"), (("h", "h"), "y")], sizes, {"y"})
    (1640, 840)
    """
    ### BEGIN SOLUTION
    outputs = [output for _, output in operators]
    used = {name for inputs, _ in operators for name in inputs}
    late = any(set(inputs) & set(outputs[i:]) for i, (inputs, _) in enumerate(operators))
    if late or len(set(outputs)) < len(outputs) or not set(keep) <= set(outputs):
        raise ValueError("Make each tensor once and before its use; keep only what is made.")
    if not used | set(outputs) <= set(size_bytes):
        raise ValueError("Give the size of every tensor.")
    unfused = sum(
        sum(size_bytes[n] for n in {*inputs}) + size_bytes[out] for inputs, out in operators
    )
    fused = sum(size_bytes[n] for n in used - set(outputs)) + sum(size_bytes[n] for n in set(keep))
    return unfused, fused
    ### END SOLUTION


# %% role="check" id="chain-bytes" points=4
check("chain-bytes", chain_bytes)
# %% role="given" id="chain-measured"


def show_chain() -> None:
    """The compiled chain again: bytes counted, and the rate that follows from the measured times."""
    names = [
        (("x", "b"), "h"),
        (("h",), "s"),
        (("s",), "g"),
        (("h", "g"), "i"),
        (("h",), "t"),
        (("i", "t"), "j"),
        (("j", "x"), "y"),
    ]
    for rows in (256, 4096):
        x = torch.randn(rows, 1024, device=profile.device)
        sizes = dict.fromkeys("xhsgitjy", 4 * x.numel()) | {"b": 4 * 1024}
        unfused, fused = chain_bytes(names, sizes, {"y"})
        print(
            f"{rows} rows: bytes one by one {unfused / 1e6:.1f} MB, fused {fused / 1e6:.1f} MB: {unfused / fused:.1f} times fewer"
        )
        versions = {"eager": lambda x=x: gated_chain(x, bias_chain)}
        if cold_s is not None and rows == len(x_chain):
            versions["compiled"] = lambda x=x: compiled_chain(x, bias_chain)
        for name, ms in interleave_ms(versions, rounds=10).items():
            moved = fused if name == "compiled" else unfused
            print(
                f"  {name:9s} {np.median(ms):7.2f} ms: {moved / np.median(ms) / 1e6:6.2f} GB/s of the counted bytes"
            )


show_chain()


# %% [markdown]
# **What you should see.** About eight times fewer bytes. The gain in time is smaller on a CPU: caches catch part of the unfused traffic, and `tanh` and `sigmoid` keep a core busy, so the fused chain is limited by arithmetic (vectorized by
# Inductor). On a GPU the ratio of the bytes is nearer to the ratio of the times.
# %% [markdown] items="1.6.C11"
# ## Which operators together?
#
# A compiler chooses groups under rules. Ours, simplified from what compilers do:
#
# - an elementwise operator joins its neighbours;
# - a matmul may only *begin* a group: what follows is its **epilogue** (linear + bias + activation);
# - a reduction may only *end* a group: its result is complete when all is read;
# - no group has both.
#
# In *matmul, elementwise, reduction* the middle one may go either way: bytes decide.
# %% [markdown] items="1.6.C11"
# ### Exercise: the cheapest groups
#
# <details><summary>Hint 1</summary><code>best[j]</code>: least cost of the first j operators, 0 for none. The last group starts at some i.</details>
# <details><summary>Hint 2</summary>A group writes those of its outputs that are in keep or used outside it. Then chain_bytes gives its bytes.</details>
# %% role="exercise" id="fusion-groups" items="1.6.C11" minutes=20
def fusion_groups(
    operators: list[tuple[str, tuple[str, ...], str]],
    size_bytes: dict[str, int],
    keep: set[str],
    launch_bytes: int,
) -> list[list[int]]:
    """Cut the operators, in their order, into groups of neighbours with the least cost.

    Cost of a group: the bytes that its kernel moves (it reads once each tensor that it uses and does not make; it writes once each that it
    makes and that is in keep or used by an operator outside the group) plus launch_bytes, the bytes that could be moved
    during a launch. Allowed in a group: "matmul" only as its first operator, "reduction" only as its last, never both
    kinds in one group; "elementwise" anywhere.

    Args:
        operators: (kind, inputs, output), kind one of these three; every tensor is made once and before its use.
        size_bytes: bytes of each tensor. keep: outputs needed afterwards. launch_bytes: 0 or more.

    Returns:
        Indexes of the operators of each group, ascending, for example [[0, 1], [2]]; [] for no operators. If several ways cost equally
        little, any of them.

    >>> operators = [("matmul", ("x", "w"), "h"), ("elementwise", ("h",), "i"), ("reduction", ("i",), "s")]
    >>> fusion_groups(operators, {"x": 100, "w": 100, "h": 50, "i": 80, "s": 1}, {"s"}, 10)
    [[0], [1, 2]]
    """
    ### BEGIN SOLUTION
    count = len(operators)

    def cost(i: int, j: int) -> float:
        kinds = [kind for kind, _, _ in operators[i:j]]
        both = "matmul" in kinds and "reduction" in kinds
        if both or "matmul" in kinds[1:] or "reduction" in kinds[:-1]:
            return math.inf
        made = {output for _, _, output in operators[i:j]}
        outside = [*operators[:i], *operators[j:]]
        needed = set(keep).union(*(inputs for _, inputs, _ in outside))
        used = set().union(*(inputs for _, inputs, _ in operators[i:j]))
        return launch_bytes + sum(size_bytes[n] for n in (used - made) | (made & needed))

    best, start = [0.0] + [math.inf] * count, [0] * (count + 1)
    for j in range(1, count + 1):
        best[j], start[j] = min((best[i] + cost(i, j), i) for i in range(j))
    groups, j = [], count
    while j:
        groups.append(list(range(start[j], j)))
        j = start[j]
    return groups[::-1]
    ### END SOLUTION


# %% role="check" id="fusion-groups" points=6
check("fusion-groups", fusion_groups)
# %% role="given" id="block-groups"


def show_block(tokens: int = 64) -> None:
    """The feed-forward half of a decoder block of the shipped model: groups, and bytes before and after."""
    hidden, inner = model.config.hidden_size, model.config.intermediate_size
    a, b, row, w = 4 * tokens * hidden, 4 * tokens * inner, 4 * tokens, 4 * hidden * inner
    sizes = {"x": a, "square": a, "mean": row, "scale": row, "n": a, "gain": 4 * hidden, "m": a, "gate": b, "up": b,
             "sig": b, "act": b, "prod": b, "down": a, "y": a, "wg": w, "wu": w, "wd": w}  # fmt: skip
    operators = [
        ("elementwise", ("x",), "square"), ("reduction", ("square",), "mean"), ("elementwise", ("mean",), "scale"),
        ("elementwise", ("x", "scale"), "n"), ("elementwise", ("n", "gain"), "m"), ("matmul", ("m", "wg"), "gate"),
        ("elementwise", ("gate",), "sig"), ("elementwise", ("gate", "sig"), "act"), ("matmul", ("m", "wu"), "up"),
        ("elementwise", ("act", "up"), "prod"), ("matmul", ("prod", "wd"), "down"), ("elementwise", ("down", "x"), "y"),
    ]  # fmt: skip
    groups = fusion_groups(operators, sizes, {"y"}, 20_000)
    for group in groups:
        print(" ", " + ".join(operators[i][2] for i in group))
    before = sum(sum(sizes[n] for n in {*inputs}) + sizes[out] for _, inputs, out in operators)
    weights = 3 * w
    print(
        f"{len(operators)} kernels to {len(groups)}; {before / 1e6:.2f} MB one by one, of which weights {weights / 1e6:.2f} MB"
    )


show_block()


# %% [markdown]
# **What you should see.** Twelve kernels become five. The weights are read in any case: with few tokens fusion saves launches above all, with many it saves bytes.
# %% [markdown] items="1.6.C11"
# ## Fold the norm into the matrix
#
# By algebra: with $\hat x = x / \mathrm{rms}(x)$, a gain $g$ and a linear $W$ (outputs, inputs):
#
# $$ W (g \odot \hat x) = (W\,\mathrm{diag}(g))\,\hat x $$
#
# The gain's multiplication vanishes; a LayerNorm's shift $\beta$ becomes $W\beta$ in the bias. (Module 1.4 folded batch norm likewise.) *Every* reader of the norm's output must be folded, and a
# matrix used elsewhere too (an output layer tied to the embedding) must be copied first.
# %% [markdown] items="1.6.C11"
# ### Exercise: fold gain and shift
#
# <details><summary>Hint 1</summary><code>weight * gain</code> scales columns, <code>weight * gain[:, None]</code> rows. Which belong to the inputs?</details>
# <details><summary>Hint 2</summary>NumPy would stretch a gain of one number silently: compare shapes first.</details>
# %% role="exercise" id="fold-norm" items="1.6.C11" minutes=14
def fold_norm(
    gain: np.ndarray, shift: np.ndarray | None, linears: list[tuple[np.ndarray, np.ndarray | None]]
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Linears that do to the normalized input what the old ones did to gain * input + shift.

    Args:
        gain: (inputs,), of any sign. shift: (inputs,) of a LayerNorm, or None for an RMSNorm.
        linears: (weight, bias) of each linear that reads the norm's output: weight (outputs, inputs), bias (outputs,) or None.
            They compute weight @ v + bias. float32 or float64.

    Returns:
        New (weight, bias) in the same order, in the dtype of the old weight. bias is None where there was none and shift is None.
        No array shares memory with an argument or with another result; the arguments stay as they were.

    Raises:
        ValueError: gain that is not one number for each column of every weight, a shift of another shape than
            gain, a bias that is not one number for each row.

    >>> fold_norm(np.array([2.0, 3.0]), np.array([1.0, 0.0]), [(np.array([[1.0, 1.0], [0.0, 2.0]]), None)])
    [(array([[2., 3.], [0., 6.]]), array([1., 0.]))]
    """
    ### BEGIN SOLUTION
    folded = []
    for weight, bias in linears:
        good = gain.shape == weight.shape[1:] and (shift is None or shift.shape == gain.shape)
        if not good or (bias is not None and bias.shape != weight.shape[:1]):
            raise ValueError("gain and shift: one number a column of each weight; bias: one a row.")
        moved = None if bias is None else bias.copy()
        if shift is not None:
            moved = weight @ shift + (0 if bias is None else bias)
        folded.append(
            (
                (weight * gain).astype(weight.dtype),
                moved if moved is None else moved.astype(weight.dtype),
            )
        )
    return folded
    ### END SOLUTION


# %% role="check" id="fold-norm" points=5
check("fold-norm", fold_norm)
# %% role="given" id="fold-model"


class Normalize(torch.nn.Module):
    """An RMSNorm without a gain."""

    def __init__(self, eps: float):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.eps).to(x.dtype)


def fold_model(network):
    """A copy of the model with all gains folded into the linears behind them."""
    network = copy.deepcopy(network)
    network.lm_head.weight = torch.nn.Parameter(
        network.lm_head.weight.detach().clone(), requires_grad=False
    )
    places = [(network.model, "norm", [network.lm_head])]
    for layer in network.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        places.append(
            (layer, "input_layernorm", [attention.q_proj, attention.k_proj, attention.v_proj])
        )
        places.append((layer, "post_attention_layernorm", [mlp.gate_proj, mlp.up_proj]))
    for owner, name, linears in places:
        norm = getattr(owner, name)
        gain = norm.weight.detach().float().cpu().numpy()
        pairs = [(m.weight.detach().float().cpu().numpy(), None) for m in linears]
        for module, (weight, _) in zip(linears, fold_norm(gain, None, pairs), strict=True):
            module.weight.data.copy_(torch.from_numpy(weight))
        setattr(owner, name, Normalize(norm.variance_epsilon))
    return network


def show_folded() -> None:
    """Logits, operators and time of the folded model."""
    folded = fold_model(model)
    apart = (forward(folded, ids) - forward(model, ids)).abs().max().item()
    size = forward(model, ids).abs().max().item()
    print(f"largest difference of a logit {apart:.1e}, largest logit {size:.1f}")
    print("output layer tied to the embedding:", model.config.tie_word_embeddings)
    for name, network in (("as shipped", model), ("folded", folded)):
        with torch.no_grad(), Counting() as counting:
            network(ids[:, :1], use_cache=False)
        print(f"{name:10s} {len(counting.sizes)} operators for one token")
    versions = {
        "as shipped": lambda: forward(model, ids[:, :1]),
        "folded": lambda: forward(folded, ids[:, :1]),
    }
    for name, ms in interleave_ms(versions, rounds=60).items():
        print(f"{name:10s} {np.median(ms):.3f} ms a token")


show_folded()


# %% [markdown]
# **What you should see.** The same logits to rounding, one multiplication fewer for each norm, and a gain of a few percent or less that a busy machine hides. In quantized models folding has another price: scaled columns can widen the range that a
# group must cover (module 1.2, lesson 3, does it on purpose).
# %% [markdown] items="1.6.C11"
# ## Three products of one input
#
# Q, K and V read the same input: **horizontal** fusion makes one matrix of three, one launch for three, one read of the input. Grouped queries share key-value heads, so widths differ.
#
# Tensor parallelism cuts the fused matrix into equal slices of rows. If rows lie *group by group* (the query heads of a group, its key head, its value head), each slice is complete. Megatron-LM stores it in this way.
# %% [markdown] items="1.6.C11"
# ### Exercise: one matrix for Q, K and V
#
# <details><summary>Hint 1</summary>Build the order of rows once, as numbers: 0 .. for q, then on for k, then for v. Index the stacked weight with it.</details>
# <details><summary>Hint 2</summary><code>rows</code> is the inverse permutation, cut at the three widths: <code>np.argsort(order)</code>.</details>
# %% role="exercise" id="fuse-qkv" items="1.6.C11" minutes=16
def fuse_qkv(
    q: tuple[np.ndarray, np.ndarray | None],
    k: tuple[np.ndarray, np.ndarray | None],
    v: tuple[np.ndarray, np.ndarray | None],
    heads: int,
    kv_heads: int,
) -> tuple[np.ndarray, np.ndarray | None, dict[str, np.ndarray]]:
    """One projection for three, its rows ordered by key-value heads.

    Rows of the fused matrix: for each key-value head g in order, the rows of query heads g * r to g * r + r - 1
    (r = heads / kv_heads), then the rows of key head g, then those of value head g. A head's rows stay in order.

    Args:
        q: weight (heads * dim, inputs) and bias (heads * dim,) or None.
        k, v: weight (kv_heads * dim, inputs) and bias (kv_heads * dim,) or None.
        heads, kv_heads: 1 or more; heads is a multiple of kv_heads.

    Returns:
        weight: ((heads + 2 * kv_heads) * dim, inputs), dtype as given.
        bias: one number a row, 0 where a projection has none; None if none of the three has one. dtype of the weight.
        rows: "q", "k", "v": places in the fused output, integers, such that y[..., rows["q"]] is what q alone gives,
            in its own order; the same for k and v.

    Raises:
        ValueError: heads outside these ranges, weights that do not have these shapes with one dim and one number of inputs, a
            bias of another length than its weight has rows.

    >>> eye = np.eye(4)
    >>> weight, bias, rows = fuse_qkv((eye, None), (eye[:2] * 10, None), (eye[:2] * 100, None), heads=4, kv_heads=2)
    >>> weight.max(axis=1).tolist(), rows["q"].tolist()
    ([1.0, 1.0, 10.0, 100.0, 1.0, 1.0, 10.0, 100.0], [0, 1, 4, 5])
    """
    ### BEGIN SOLUTION
    if min(heads, kv_heads) < 1 or heads % kv_heads:
        raise ValueError("heads is a multiple of kv_heads, both 1 or more.")
    (wq, _), (wk, _), (wv, _) = q, k, v
    dim, inputs = len(wq) // heads, wq.shape[1]
    shapes = [(count * dim, inputs) for count in (heads, kv_heads, kv_heads)]
    if [wq.shape, wk.shape, wv.shape] != shapes:
        raise ValueError(f"The weights have the shapes {shapes}.")
    if any(b is not None and b.shape != w.shape[:1] for w, b in (q, k, v)):
        raise ValueError("A bias has one number a row.")
    edges = np.cumsum([0, *(rows for rows, _ in shapes)])
    numbers = [
        np.arange(a, b).reshape(kv_heads, -1) for a, b in zip(edges, edges[1:], strict=False)
    ]
    order = np.concatenate(numbers, axis=1).ravel()
    bias = None
    if any(b is not None for _, b in (q, k, v)):
        parts = [np.zeros(len(w), w.dtype) if b is None else b for w, b in (q, k, v)]
        bias = np.concatenate(parts)[order].astype(wq.dtype)
    places = np.split(np.argsort(order), edges[1:-1])
    return np.concatenate([wq, wk, wv])[order], bias, dict(zip("qkv", places, strict=True))
    ### END SOLUTION


# %% role="check" id="fuse-qkv" points=5
check("fuse-qkv", fuse_qkv)
# %% role="given" id="qkv-measured"


def show_qkv() -> None:
    """Q, K and V of the shipped model's first layer: three products against one."""
    attention, config = model.model.layers[0].self_attn, model.config
    layers = {"q": attention.q_proj, "k": attention.k_proj, "v": attention.v_proj}
    pairs = [(m.weight.detach().float().cpu().numpy(), None) for m in layers.values()]
    weight, _, rows = fuse_qkv(*pairs, config.num_attention_heads, config.num_key_value_heads)
    fused = torch.from_numpy(weight).to(profile.device, profile.dtype)
    print(
        f"{config.num_attention_heads} heads, {config.num_key_value_heads} for keys and values: fused {tuple(weight.shape)}"
    )
    for count in (1, 64, 512):
        x = torch.randn(count, config.hidden_size, device=profile.device, dtype=profile.dtype)
        with torch.inference_mode():
            y = torch.nn.functional.linear(x, fused)
            apart = max(
                (y[:, torch.from_numpy(rows[n])] - m(x)).abs().max().item()
                for n, m in layers.items()
            )
            versions = {
                "three": lambda x=x: [m(x) for m in layers.values()],
                "one": lambda x=x: torch.nn.functional.linear(x, fused),
            }
            us = {
                name: 1e3 * np.median(ms)
                for name, ms in interleave_ms(versions, rounds=100).items()
            }
        print(
            f"{count:3d} tokens: three {us['three']:7.1f} us, one {us['one']:7.1f} us ({us['three'] / us['one']:.2f} x); differs by {apart:.0e}"
        )


show_qkv()


# %% [markdown]
# **What you should see.** For one token about two times as fast or more: two calls are saved, and the weights are read as before. With hundreds of tokens the products dominate and the ratio comes near 1. (Bringing the rows back into three tensors by an index would copy: kernels for
# attention take the fused layout with strides.)
# %% [markdown] items="1.6.C8"
# ## Streams, seen from the host
#
# Module 1.5 gave a timeline in which issuing cost nothing. Now the host has a clock: each launch takes time, and `synchronize` holds it.
#
# Events as CUDA defines them: `record` marks the work issued to a stream *so far*; a later record of the same event replaces it. `wait` makes a stream wait for the event as it was last recorded *when the wait was
# called*; an event never recorded holds nothing up.
# %% [markdown] items="1.6.C8"
# ### Exercise: run a program of streams
#
# <details><summary>Hint 1</summary>A launch: now += launch_us; start = max(now, stream free, engine free).</details>
# <details><summary>Hint 2</summary>"record" stores the time at which the stream is free; "wait" raises another stream's time to it. Neither moves the host.</details>
# %% role="exercise" id="stream-program" items="1.6.C8" minutes=18
def run_program(program: list[tuple], launch_us: float) -> tuple[list[tuple[float, float]], float]:
    """When the work of a host's program runs on the device.

    Calls, in the host's order; the host begins at 0.0:
    ("launch", stream, engine, duration_us): takes the host launch_us. The work can start when this call has ended, when all
        earlier work of its stream has ended, waits included, and when the work issued before it to its engine has ended. engine: "in",
        "kernel" or "out"; each does one thing at a time, in the order of issue.
    ("record", stream, event): the event happens when all work issued so far to this stream has ended, waits included. Recording again
        replaces it for later calls.
    ("wait", stream, event): work issued later to this stream starts no earlier than the event, as recorded last before this call.
    ("sync", event): the host waits until the event, as recorded last, has happened. ("sync", None): until all work issued so far
        has ended. A wait or sync with an event that was not recorded before does nothing.
    Only "launch" and "sync" take the host time. stream: any int; event: any string.

    Args:
        program: the calls. launch_us: 0 or more.

    Returns:
        spans: (start_us, end_us) of each launch, in order. host_us: when the host has ended its last call (the device may still work).

    Raises:
        ValueError: another call or engine, a negative duration or launch_us.

    >>> copy, use = ("launch", 0, "in", 20.0), ("launch", 1, "kernel", 10.0)
    >>> run_program([copy, ("record", 0, "copied"), ("wait", 1, "copied"), use], launch_us=5.0)
    ([(5.0, 25.0), (25.0, 35.0)], 10.0)
    >>> run_program([copy, ("sync", None), use], launch_us=5.0)
    ([(5.0, 25.0), (30.0, 40.0)], 30.0)
    """
    ### BEGIN SOLUTION
    if launch_us < 0:
        raise ValueError("launch_us is 0 or more.")
    now, streams, engines, events, spans = 0.0, {}, {}, {}, []
    for call, *rest in program:
        if call == "launch":
            stream, engine, duration = rest
            if engine not in ("in", "kernel", "out") or duration < 0:
                raise ValueError("An engine is in, kernel or out, a duration 0 or more.")
            now += launch_us
            start = max(now, streams.get(stream, 0.0), engines.get(engine, 0.0))
            streams[stream] = engines[engine] = start + duration
            spans.append((start, start + duration))
        elif call == "record":
            events[rest[1]] = streams.get(rest[0], 0.0)
        elif call == "wait":
            streams[rest[0]] = max(streams.get(rest[0], 0.0), events.get(rest[1], 0.0))
        elif call == "sync":
            now = max(
                [now, *streams.values()] if rest[0] is None else [now, events.get(rest[0], 0.0)]
            )
        else:
            raise ValueError(f"No such call: {call}.")
    return spans, now
    ### END SOLUTION


# %% role="check" id="stream-program" points=6
check("stream-program", run_program)
# %% role="given" id="layers"


def layer_program(
    layers: int, kernels: int, copy_us: float, kernel_us: float, way: str
) -> list[tuple]:
    """Weights of each layer come over the link, then its kernels run.

    way: "one stream"; "prefetch": copies in a stream of their own, two buffers; "sync": the same, with the host
    waiting for each copy.
    """
    program = []
    for layer in range(layers):
        stream = 0 if way == "one stream" else 1
        if stream and layer >= 2:
            program.append(("wait", 1, f"used {layer - 2}"))  # its buffer must be free again
        program += [("launch", stream, "in", copy_us), ("record", stream, f"copied {layer}")]
        program.append(
            ("sync", f"copied {layer}") if way == "sync" else ("wait", 0, f"copied {layer}")
        )
        program += [("launch", 0, "kernel", kernel_us)] * kernels
        program.append(("record", 0, f"used {layer}"))
    return program


def draw_program(launch_us=5.0):
    """Three ways as bars of time."""
    ways = ("one stream", "prefetch", "sync")
    fig, axes = figure(height_inch=3.0)
    ax, told = axes[0, 0], []
    for line, way in enumerate(ways):
        program = layer_program(4, 4, 60.0, 15.0, way)
        spans, _ = run_program(program, launch_us)
        for (start, end), call in zip(spans, [c for c in program if c[0] == "launch"], strict=True):
            copies = call[2] == "in"
            ax.barh(line + (0.2 if copies else -0.2), end - start, left=start, height=0.35, color=COLOURS[0 if copies else 1],
                    hatch=HATCHES[0 if copies else 1], edgecolor="white", linewidth=0.5)  # fmt: skip
        told.append(f"{way} {max(end for _, end in spans):.0f} µs")
    ax.set_yticks(range(len(ways)), ways)
    ax.set_xlabel("µs (copies above, kernels below)")
    ax.set_xlim(left=0)
    return (
        fig,
        f"Timelines with {launch_us:g} microseconds a launch, copies above kernels, end of each: "
        + ", ".join(told)
        + ".",
    )


explore(draw_program, launch_us=[5.0, 1.0, 10.0, 20.0, 30.0])
# %% [markdown]
# **What you should see.** With cheap launches prefetching hides most copies behind kernels. At 20 µs a launch the kernels (15 µs) starve: the copies overlap, and the time is the host's. Then more streams do not help; fewer launches do.
# %% role="given" id="streams-gpu"


def measure_program() -> None:
    """The same three ways on the GPU, with its own copy and kernel times put into the model."""
    from torch.cuda import synchronize

    host = torch.empty(2**24, dtype=torch.uint8, pin_memory=True)
    buffers = [torch.empty_like(host, device="cuda") for _ in range(2)]
    x = torch.rand(1024, 1024, device="cuda")
    streams = [torch.cuda.Stream(), torch.cuda.Stream()]

    def issue(program) -> tuple[float, float]:
        """Run the calls for real; microseconds until all is done, and until all is issued."""
        events, copies = {}, 0
        synchronize()
        start = time.perf_counter_ns()
        for call, *rest in program:
            if call == "launch":
                with torch.cuda.stream(streams[rest[0]]):
                    if rest[1] == "in":
                        buffers[copies % 2].copy_(host, non_blocking=True)
                        copies += 1
                    else:
                        _ = torch.mm(x, x)
            elif call == "record":
                events[rest[1]] = streams[rest[0]].record_event()
            elif call == "wait" and rest[1] in events:
                streams[rest[0]].wait_event(events[rest[1]])
            elif call == "sync" and rest[0] in events:
                events[rest[0]].synchronize()
        issued = time.perf_counter_ns()
        synchronize()
        return (time.perf_counter_ns() - start) / 1e3, (issued - start) / 1e3

    def median(program) -> np.ndarray:
        return np.median([issue(program) for _ in range(15)], axis=0)

    one_more = {}
    for name, call in (
        ("copy", ("launch", 1, "in", 0.0)),
        ("product", ("launch", 0, "kernel", 0.0)),
    ):
        one_more[name] = (median([call] * 100)[0] - median([call] * 50)[0]) / 50
    launch_us = median([("launch", 0, "kernel", 0.0)] * 50)[1] / 50
    copy_us, kernel_us = one_more["copy"], one_more["product"]
    print(f"copy {copy_us:.0f} us, product {kernel_us:.0f} us, launch {launch_us:.1f} us")
    for way in ("one stream", "prefetch", "sync"):
        program = layer_program(8, 8, copy_us, kernel_us, way)
        guess = max(end for _, end in run_program(program, launch_us)[0])
        print(f"{way:10s} predicted {guess:8.0f} us, measured {median(program)[0]:8.0f} us")


if profile.device == "cuda":
    measure_program()
else:
    print(NO_GPU)
# %% [markdown] items="1.6.C8"
# ## Links, and who sits where
#
# NVLink joins GPUs: 900 GB/s a GPU on H100 and H200 (18 links, both directions added up), 1,800 on B200 (NVIDIA's data sheets). A PCIe 5.0 x16 slot: 63 GB/s in each direction. `nvidia-smi topo -m` shows for each pair the path: `NV18`, `PIX` (one PCIe bridge), `PXB`
# (several), `PHB` (through the CPU's host bridge), `NODE` (between host bridges of one NUMA node), `SYS` (across sockets).
# %% [markdown] items="1.6.C8"
# **NUMA.** In a machine with two sockets each has its memory and its PCIe slots. A process on the wrong socket copies, and launches, across the link between them. So bind it to the GPU's node, given by `nvidia-smi topo -m` ("NUMA Affinity"):
#
# `numactl --cpunodebind=1 --membind=1 python serve.py`
#
# `--cpunodebind` limits where threads run, `--membind` where memory comes from (it fails when that node is full; `--preferred` falls back). Memory is placed at its first touch: bind before allocating.
# %% role="given" id="numa"


def show_nodes() -> None:
    """NUMA nodes of this machine, and the CPUs this process may use."""
    nodes = sorted(Path("/sys/devices/system/node").glob("node[0-9]*"))
    if not nodes:
        print("This system tells nothing of NUMA nodes.")
    for node in nodes:
        cpus, distance = ((node / name).read_text().strip() for name in ("cpulist", "distance"))
        print(f"{node.name}: CPUs {cpus}; distances to all nodes {distance} (10 is local)")
    if hasattr(os, "sched_getaffinity"):
        print("this process may run on CPUs", sorted(os.sched_getaffinity(0)))


show_nodes()
# %% [markdown] items="1.6.C8"
# **GPUDirect** leaves the host's memory out of the path. *Peer to peer*: GPU to GPU in one machine, over NVLink or PCIe. *RDMA*: a network card reads and writes GPU memory over PCIe; both should share a PCIe root complex, so `SYS` between them is bad news. *Storage*: a disk's DMA goes to GPU memory
# without a bounce buffer in the host's.
#
# None makes a slow link fast; each saves a copy and the CPU's work for it.
# %% [markdown] items="1.6.C10 1.6.C11 1.6.C8"
# ## In your own words: a plan to judge
#
# A team serves a 1-billion-parameter INT4 model on an H100, batch 1. A trace shows 900 kernels a token, median 3 µs, GPU busy 40 % of 7 ms. They plan, in this order: INT2 kernels (each 30 % shorter), four streams, `torch.compile` with default settings on a server whose
# batch changes from 1 to 32, then a CUDA graph of the step, whose sampler reads the token with `.item()` and stops at end-of-text.
#
# Say what each point will bring and why, with numbers where the model gives them; what must change before the graph works; and your own order. 120 to 200 words.
# %% [markdown] role="written" id="launch-review" items="1.6.C10 1.6.C11 1.6.C8" points=3
# **Model answer.** 900 kernels in 7 ms are 7.8 µs each, of which 3 µs run: the step is launch-bound, the host needs about 7.8 µs a launch. INT2 shortens kernels that the device waits between: 0 %. Streams add no launches a second, and a token's kernels depend on each other: 0 %.
#
# Compile fuses, so fewer launches: half the kernels would be about 3.5 ms, if there are no breaks; `.item()` is one a token. Default mode compiles once for the first size, once dynamic, once for batch 1: seconds each, so warm all up before traffic.
#
# A graph sends 900 kernels at once: near 2.7 ms plus one launch. Before: the token stays on the device (where, index_copy_), end-of-text becomes a mask checked every few steps outside the graph, position and lengths are device tensors, inputs are copied into fixed buffers; one graph for each of a few batch sizes, with padding.
#
# Order: remove `.item()`, capture, then fuse (compile or QKV, epilogues), which shortens the 2.7 ms; then measure whether kernels are limited by bytes, and only then INT2.
#
# **Rubric.** 1 point: launch-bound shown from the numbers, so that shorter kernels and streams bring nothing now. 1 point: what the graph needs (no host read, buffers, sizes) and about 2.7 ms as its bound. 1 point: recompilation by batch size, and an order that follows the bottleneck with a measurement between steps.
# %% [markdown]
# ## Recap
#
# - An operator costs $a + bn$; a small model pays mostly $a$. On a GPU: $s_i = \max(\ell_i, e_{i-1})$, a corner at kernel time = launch time.
# - A graph replays addresses, sizes and frozen numbers. Host reads break the capture; frozen Python is worse, since it is silent.
# - Compiling costs seconds and pays by the call; breaks and new shapes cost again. Choose sizes, warm up.
# - Fusion saves launches and bytes: count what crosses memory. Algebra folds gains; one matrix serves Q, K and V.
# - Streams overlap what the host issues early enough. Bind the process to the GPU's node.
#
# ## Three questions without code
#
# <details><summary>1. A kernel became twice as fast and the step did not. What do you look at first?</summary>At the gap before the next kernel: if the device waits for the launch, kernel time is hidden behind launch time. Then at the share of that kernel (Amdahl).</details>
# <details><summary>2. A captured step gives the same token for ever. What happened?</summary>Likely the new input went into a new tensor, not into the captured buffer; or position was a Python number, frozen at capture.</details>
# <details><summary>3. Why can a compiler not fold the RMSNorm's gain by itself, while it fuses the multiplication?</summary>Folding changes weights, that is parameters, which somebody may train, share or save. It needs the promise that they are frozen (Inductor has an option for frozen weights), and it changes rounding.</details>
#
# ## Reading
#
# - NVIDIA, "CUDA Graph Best Practice for PyTorch" (docs.nvidia.com/dl-cuda-graph): constraints, sync-free code, dynamic patterns, a checklist.
# - PyTorch, "CUDA semantics", section on CUDA Graphs: capture, pools, static buffers.
# - PyTorch, "torch.compile" programming model: graph breaks, recompilation, dynamic shapes.
# - Jason Ansel et al., "PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode Transformation and Graph Compilation", ASPLOS 2024: Dynamo and Inductor, what fuses.
# - NVIDIA, "Developing a Linux Kernel Module using GPUDirect RDMA": how the path works, and the root complex.
# - numactl(8): policies and their difference.
#
# **Next:** histograms of a quantization-aware training run in TensorBoard.
