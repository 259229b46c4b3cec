# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Split a model over devices
#
# **You end with:** a planner that says how a model is spread over a machine, tensor, pipeline and data parallel, with the bytes and the
# microseconds that each choice costs; and layers of yours that run on two processes and give what one process gives.
#
# About 175 minutes. 46 points: 43 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. You need the estimates of
# lesson 2 (weights, KV cache, a decode step that reads them) and module 1.2's shipped model.
#
# The processes are real and talk over `torch.distributed`'s gloo. The grader's sandbox has no network at all, not even a loopback: there the same
# functions run as threads that pass real messages (`lab.thread_ranks`).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import itertools
import subprocess
import time

import numpy as np
import torch
import torch.nn.functional as F

from autograder import check
from lab.lm import load_lm, load_tokens
from lab.plots import COLOURS, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.thread_ranks import thread_ranks
from lab.two_processes import process_ranks

torch.set_num_threads(1)  # a process each, a thread each
profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## A thousand times the bytes
#
# Two processes on this machine, each with a vector. An **all-reduce** leaves the sum of both in both. How much longer does it take for 4 MB
# than for 4 KB?
# %% role="predict" id="predict-bytes"
my_time_ratio = ...  # time for 4 MB / time for 4 KB
# %% role="given" id="opening"


def time_sizes(me, sizes_bytes, repeats):
    """Fewest microseconds of an all-reduce by size, on this rank: other programs only add time."""
    found = []
    for size in sizes_bytes:
        vector, times = torch.ones(size // 4), []
        for _ in range(repeats):
            start = time.perf_counter_ns()
            me.all_reduce(vector)
            times.append((time.perf_counter_ns() - start) / 1e3)
        found.append(min(times))
    return found


gloo_sizes = [4 * 2**k for k in range(0, 21, 2)] + [4_000, 4_000_000]


def measure_gloo():
    """Microseconds by size, the slower of two ranks."""
    rows = process_ranks(time_sizes, [(gloo_sizes, 20)] * 2)
    return dict(zip(gloo_sizes, np.max(rows, axis=0), strict=True))


gloo_us = measure_gloo()
print(f"4 KB {gloo_us[4_000]:,.0f} us, 4 MB {gloo_us[4_000_000]:,.0f} us")
reveal(my_time_ratio, gloo_us[4_000_000] / gloo_us[4_000], "times")


# %% [markdown] items="2.1.C7"
# **What happened.** Far less than a thousand. A message has a price before its first byte: $\alpha$, its **latency**. Only then bytes cost, at the link's
# **bandwidth**. One token's activations are a few kilobytes: a model that is split well still pays $\alpha$ hundreds of times a token.
#
# This lesson counts both.
# %% [markdown] items="2.1.C7"
# ## Four ways to split
#
# - **Tensor** (TP, $t$ devices): each weight matrix is cut; partial results are summed, inside every layer.
# - **Pipeline** (PP, $p$): whole layers, in stages; activations go from stage to stage.
# - **Data** (DP, $d$): copies of the model share the requests. Training sums gradients; serving sends nothing.
# - **Sequence** (SP): beside TP, what lies between matrices is cut by tokens.
#
# A mixture is cut by *expert*: tokens travel to theirs, all-to-all.
# %% [markdown] items="2.1.C7"
# ## Collectives
#
# Of $n$ ranks (processes, one a device), each holds a vector of $S$ bytes:
#
# - **all-reduce**: all get the sum;
# - **reduce-scatter**: rank $r$ gets the $r$-th piece of the sum;
# - **all-gather**: pieces become the whole, everywhere;
# - **all-to-all**: rank $r$ sends its $j$-th piece to rank $j$;
# - **send**: point to point.
#
# All-reduce = reduce-scatter, then all-gather. A **ring** does both with neighbours only.
# %% [markdown] items="2.1.C7"
# ## The ring
#
# Cut the vector into $n$ chunks. *Reduce-scatter*, $n-1$ steps: send a chunk to the next rank, add the one that comes from the previous; what you sent
# next is what you just added to. Then each rank owns one finished chunk. *All-gather*, $n-1$ steps: pass finished chunks on.
#
# Each rank sends $2(n-1)$ chunks: $2\frac{n-1}{n}S$ bytes, hardly more for 1,000 ranks than for 2.
# %% [markdown] items="2.1.C7"
# ### Exercise: a ring all-reduce
#
# Every rank runs your function. `ring` is its view: `ring.rank`, `ring.ranks`, `ring.send_next(array)` (a copy leaves, nobody waits), `ring.recv_previous()` (waits for the next message).
#
# <details><summary>Hint 1</summary>Reduce-scatter, step s: send chunk (rank - s) % n, add the message to chunk (rank - s - 1) % n.</details>
# <details><summary>Hint 2</summary>After it, rank r owns chunk (r + 1) % n. All-gather, step s: send chunk (rank + 1 - s) % n, and overwrite chunk (rank - s) % n.</details>
# <details><summary>Hint 3</summary><code>np.array_split</code> gives views of its argument: split a copy.</details>
# %% role="exercise" id="parallel-ring" items="2.1.C7" minutes=22
def ring_all_reduce(ring, x: np.ndarray) -> np.ndarray:
    """The sum of all ranks' x, on every rank, by a ring.

    Chunk c of a vector is np.array_split(vector, n)[c], n = ring.ranks. Each rank sends exactly 2 (n - 1) messages of one chunk each, in x's dtype; a
    chunk may be empty, and is sent all the same. It receives as many, and leaves none unread. All ranks return the same numbers, bit for bit.

    Args:
        ring: rank, ranks, send_next(array), recv_previous(); see above.
        x: (N,), the same N and dtype (float32, float64 or int64) on every rank. Not changed.

    Returns:
        A new array (N,) of x's dtype. With one rank a copy of x, and no message.

    Raises:
        ValueError: x has not one dimension; nothing is sent then.

    >>> results, ranks = thread_ranks(ring_all_reduce, [(np.array([1.0, 2.0, 3.0]) * 10**r,) for r in range(3)])
    >>> [r.tolist() for r in results]
    [[111.0, 222.0, 333.0], [111.0, 222.0, 333.0], [111.0, 222.0, 333.0]]
    >>> ranks[0].sent  # (elements, dtype) of each message
    [(1, 'float64'), (1, 'float64'), (1, 'float64'), (1, 'float64')]
    """
    ### BEGIN SOLUTION
    if x.ndim != 1:
        raise ValueError("x needs one dimension.")
    n, rank = ring.ranks, ring.rank
    result = x.copy()
    chunks = np.array_split(result, n)
    for step in range(n - 1):
        ring.send_next(chunks[(rank - step) % n])
        chunks[(rank - step - 1) % n] += ring.recv_previous()
    for step in range(n - 1):
        ring.send_next(chunks[(rank + 1 - step) % n])
        chunks[(rank - step) % n][:] = ring.recv_previous()
    return result
    ### END SOLUTION


# %% role="check" id="parallel-ring" points=6
check("parallel-ring", ring_all_reduce)
# %% role="given" id="ring-real"


def compare_rings(me, vector):
    """Your ring and gloo's own all-reduce in a process: the largest difference, and milliseconds of both."""
    times = {}
    for name, call in (
        ("yours", lambda: ring_all_reduce(me, vector)),
        ("gloo", lambda: me.all_reduce(torch.from_numpy(vector)).numpy()),
    ):
        start = time.perf_counter_ns()
        times[name] = call(), (time.perf_counter_ns() - start) / 1e6
    (mine, mine_ms), (right, right_ms) = times["yours"], times["gloo"]
    return float(np.abs(mine - right).max()), mine_ms, right_ms


def show_rings():
    """For 2 and 4 processes."""
    for ranks in (2, 4):
        made = np.random.default_rng(0)
        parts = [(made.standard_normal(250_001),) for _ in range(ranks)]
        rows = process_ranks(compare_rings, parts)
        print(f"{ranks} processes, 2 MB: largest difference {max(r[0] for r in rows):.1e}, "
              f"yours {max(r[1] for r in rows):.1f} ms, gloo {max(r[2] for r in rows):.1f} ms")  # fmt: skip


show_rings()


# %% [markdown] items="2.1.C7"
# **What you should see.** With two processes no difference at all; with four about $10^{-15}$, because the sums are taken in another order. That is why a model on eight
# GPUs may answer in other words than on four: a near-tie between two tokens turns on the last bit.
#
# Times vary widely on shared cores; a first message also opens its connection.
# %% [markdown] items="2.1.C7"
# ## Time: $\alpha + \text{bytes}/\beta$
#
# A step of a collective lasts as long as its slowest port: latency $\alpha$ (µs) plus bytes over bandwidth $\beta$. The ring of $n$ ranks:
#
# $$T = 2(n-1)\left(\alpha + \frac{S}{n\,\beta}\right)$$
#
# Bytes per rank stay nearly constant with $n$; latency grows with it. **Trees** need only about $2\log_2 n$ steps: libraries take them for short messages, rings for long ones.
# %% [markdown] items="2.1.C7"
# ## One direction or both?
#
# Vendors add both directions. A ring sends and receives at once, so what counts is *one* direction:
#
# | link | quoted | each way |
# |---|---|---|
# | NVLink 4, one H100 | 900 GB/s | 450 |
# | PCIe 5 x16 | 128 GB/s | 64 |
# | InfiniBand NDR | 400 **Gb**/s | 50 |
#
# Sources: NVIDIA's H100 data sheet (first two), DGX H100 user guide (ConnectX-7, 400 Gb/s a port). All are peaks.
# %% [markdown] items="2.1.C7"
# ## What a benchmark prints
#
# `nccl-tests` (`all_reduce_perf -b 8 -e 1G -f 2 -g 8`) prints two bandwidths. *Algorithm*: $S/T$. *Bus*: $S/T$ times a factor, so that the figure can be held against the
# port's peak whatever $n$ is:
#
# - all-reduce $2(n-1)/n$;
# - all-gather, reduce-scatter, all-to-all $(n-1)/n$;
# - send 1.
#
# $S$ is the *whole* vector: an all-gather's result, a reduce-scatter's input.
# %% [markdown] items="2.1.C7"
# ### Exercise: time of a collective
#
# <details><summary>Hint 1</summary>Two numbers describe a kind: how many steps, and how many bytes a rank sends in each.</details>
# <details><summary>Hint 2</summary>1 GB/s is 1,000 bytes in a µs.</details>
# <details><summary>Hint 3</summary>The slowest port is that of the largest sum, latency plus bytes; it may be neither the one of the largest latency nor the one of the lowest bandwidth.</details>
# %% role="exercise" id="parallel-collective" items="2.1.C7" minutes=15
def collective_time(
    kind: str, size_bytes: float, ports: list[tuple[float, float]]
) -> tuple[float, float, float]:
    """Time of a collective, and the two bandwidths that nccl-tests would print.

    With n ranks and S = size_bytes: "all-reduce" has 2 (n - 1) steps in which each rank sends S / n bytes; "all-gather", "reduce-scatter" and
    "all-to-all" have n - 1 such steps; "send" goes from rank 0 to rank 1, in one step of S bytes, and has two ranks.
    A step ends when every rank that sends in it is done: latency + bytes / bandwidth of its own port.
    Factors for the bus bandwidth: as above.

    Args:
        kind: one of the five.
        size_bytes: S, bytes of the whole vector, above 0.
        ports: of each rank (latency_us, gb_per_s): latency 0 or more, bandwidth in one direction above 0, 1 GB = 10**9 bytes.

    Returns:
        (time_us, algorithm_gb_per_s, bus_gb_per_s), floats.

    Raises:
        ValueError: another kind, fewer than two ranks ("send": not two), or a number outside its range.

    >>> collective_time("all-reduce", 4_000_000, [(5.0, 100.0)] * 4)
    (90.0, 44.44444444444444, 66.66666666666666)
    """
    ### BEGIN SOLUTION
    n = len(ports)
    if n < 2 or not size_bytes > 0 or any(not a >= 0 or not b > 0 for a, b in ports):
        raise ValueError("Two ports or more, bytes and bandwidths above 0, latencies 0 or more.")
    if kind == "send":
        if n != 2:
            raise ValueError("A send has two ranks.")
        steps, piece, factor, ports = 1, size_bytes, 1.0, ports[:1]
    elif kind in ("all-reduce", "all-gather", "reduce-scatter", "all-to-all"):
        steps, piece = (2 if kind == "all-reduce" else 1) * (n - 1), size_bytes / n
        factor = steps / n
    else:
        raise ValueError(f"No collective is called {kind!r}.")
    time_us = steps * max(latency + piece / (1000 * gb) for latency, gb in ports)
    rate = size_bytes / time_us / 1000
    return time_us, rate, rate * factor
    ### END SOLUTION


# %% role="check" id="parallel-collective" points=5
check("parallel-collective", collective_time)
# %% role="given" id="links-figure"
# Each way, GB/s: half of NVIDIA's figures for NVLink 4 and PCIe 5 x16; 400 Gb/s; 25 Gb/s. The latencies are
# assumptions, of the right order: measure your own with nccl-tests.
link_kinds = {"NVLink 4": (2.0, 450.0), "PCIe 5 x16": (5.0, 64.0), "InfiniBand NDR": (8.0, 50.0),
              "25 Gb Ethernet": (30.0, 3.125)}  # fmt: skip


def draw_links(ranks=8):
    """All-reduce time by size over each link, and this machine's gloo."""
    sizes = [2**k for k in range(8, 31, 2)]
    drawn = {
        name: [collective_time("all-reduce", size, [link] * ranks)[0] for size in sizes]
        for name, link in link_kinds.items()
    }
    fig = curves(sizes, drawn, xlabel="bytes", ylabel="µs", logx=True, logy=True,
                 title=f"all-reduce, {ranks} ranks, by the model")  # fmt: skip
    small = drawn["NVLink 4"][0]
    text = f"Time of an all-reduce of {ranks} ranks from 256 bytes to 1 GB, four links, log-log: flat at {small:.0f} µs for short messages over NVLink, then proportional to the bytes."
    return fig, text


explore(draw_links, ranks=[2, 4, 8, 16, 64])
# %% [markdown] items="2.1.C7"
# **What you should see.** A flat part, where only latency counts, and a slope, where only bandwidth does. More ranks raise the flat part in proportion and hardly move the
# slope. The knee is at $S = n\,\alpha\,\beta$: megabytes for NVLink. A decode step's messages (16 KB for one token of a 70 B model) lie in the flat part: there a
# faster link gains nothing, fewer messages do.
# %% role="given" id="gloo-fit"


def show_gloo_fit():
    """Latency and bandwidth of this machine's gloo, fitted to the opening's times, and the model beside them."""
    sizes = np.array(sorted(gloo_us))
    measured = np.array([gloo_us[s] for s in sizes])
    # Relative errors, or the largest size would decide alone.
    columns = np.column_stack([np.full(len(sizes), 2.0), sizes / 1000]) / measured[:, None]
    (alpha, inverse), *_ = np.linalg.lstsq(columns, np.ones(len(sizes)), rcond=None)
    fitted = [collective_time("all-reduce", s, [(alpha, 1 / inverse)] * 2)[0] for s in sizes]
    drawn = curves(sizes, {"measured": measured, "alpha + bytes/beta": fitted}, xlabel="bytes", ylabel="µs",
                   logx=True, logy=True, title="gloo, two processes on this machine")  # fmt: skip
    print(f"fitted: latency {alpha:.0f} µs a step, bandwidth {1 / inverse:.2f} GB/s each way")
    show(
        drawn,
        f"Measured and fitted all-reduce times over size: flat near {measured[0]:.0f} µs, then rising to {measured[-1]:,.0f} µs.",
    )


show_gloo_fit()
# %% [markdown] items="2.1.C7"
# ## Inside a DGX, and between
#
# A DGX H100: 8 GPUs, each with 18 NVLinks into 4 **NVSwitch** chips, so that any GPU reaches any other at full speed; 8 network ports, one a GPU. Within a *node* the bandwidth is nine times that between nodes.
#
# Launchers number ranks node by node (`torchrun`: rank = node $\times$ 8 + local rank). So neighbours in number share a node: give them the traffic that is heaviest.
# %% role="given" id="hierarchy"


def hierarchical_us(size, nodes, gpus, inside, between):
    """All-reduce in three parts: reduce-scatter in each node, all-reduce of every piece between nodes, all-gather."""
    parts = collective_time("reduce-scatter", size, [inside] * gpus)[0]
    parts += collective_time("all-reduce", size / gpus, [between] * nodes)[0]
    return parts + collective_time("all-gather", size, [inside] * gpus)[0]


def show_hierarchy():
    """One flat ring over 4 nodes of 8 (its last GPU of each node sends over the network), against three parts."""
    inside, between = link_kinds["NVLink 4"], link_kinds["InfiniBand NDR"]
    flat = ([inside] * 7 + [between]) * 4
    for size in (16e3, 1e6, 1e9):
        one = collective_time("all-reduce", size, flat)[0]
        print(f"{size / 1e6:8.3f} MB: flat ring {one:10,.0f} µs, by node first "
              f"{hierarchical_us(size, 4, 8, inside, between):10,.0f} µs")  # fmt: skip


def show_topology():
    """Which link joins which GPUs of this machine; NV18 stands for 18 NVLinks, SYS for a path through both CPUs."""
    if profile.device != "cuda":
        print("nvidia-smi topo -m: not run, there is no GPU here")
        return
    said = subprocess.run(["nvidia-smi", "topo", "-m"], capture_output=True, text=True, timeout=60)
    print(said.stdout or said.stderr)


show_hierarchy()
show_topology()


# %% [markdown] items="2.1.C7"
# **What you should see.** By node first is several times faster: an eighth of the bytes on each network port, and six steps over the network in place of 62.
#
# **NCCL** chooses among such algorithms itself: rings, trees, NVLS (the switch adds). It reads the topology (`nvidia-smi topo -m` shows it). `NCCL_DEBUG=INFO` tells what it chose, `NCCL_SOCKET_IFNAME` names the network interface,
# `NCCL_ALGO`, `NCCL_P2P_DISABLE=1` are for finding faults, not for production. (Not run here: NCCL needs GPUs.)
# %% [markdown] items="2.1.C7"
# ## Cut a linear layer
#
# $y = xW^\top + b$, $W$ stored (out, in) as `torch.nn.Linear` does. **Column-parallel** (Megatron's word, for $W^\top$): each rank has a block of the *outputs*. No message.
# **Row-parallel**: each rank has a block of the *inputs*; its product is a summand of all of $y$: one all-reduce.
#
# An MLP is column, activation, row: what the first leaves the second needs. GELU acts on single values, so on parts too.
# %% [markdown] items="2.1.C7"
# ### Exercise: an MLP over ranks
#
# `comm` is the rank's view: `comm.rank`, `comm.ranks`, `comm.all_reduce(tensor)`, which returns a *new* tensor, the sum over all ranks.
#
# <details><summary>Hint 1</summary>Rank r takes rows r F/n to (r+1) F/n of w_in and of b_in, and the same <em>columns</em> of w_out.</details>
# <details><summary>Hint 2</summary>If every rank adds b_out before the sum, it is added n times.</details>
# %% role="exercise" id="parallel-mlp" items="2.1.C7" minutes=20
def mlp_on_rank(
    comm,
    x: torch.Tensor,
    w_in: torch.Tensor,
    b_in: torch.Tensor,
    w_out: torch.Tensor,
    b_out: torch.Tensor,
) -> torch.Tensor:
    """gelu(x w_in^T + b_in) w_out^T + b_out, with the hidden units shared out over the ranks.

    Rank r computes hidden units r F/n to (r+1) F/n - 1, n = comm.ranks, and no others. There is one all-reduce in all, of a tensor shaped like x (with one rank it may be left out). What a rank gives to it is its units' share of
    the sum, and perhaps a part of b_out that is the same for every row. GELU is the exact one, torch's default.

    Args:
        comm: rank, ranks, all_reduce(tensor) -> the sum over ranks, a new tensor.
        x: (..., H) float32 or float64, the same on every rank.
        w_in: (F, H), b_in: (F,), w_out: (H, F), b_out: (H,): the whole layer, of x's dtype. Nothing is changed.

    Returns:
        (..., H) of x's dtype, the same on every rank.

    Raises:
        ValueError: F is no multiple of the number of ranks; nothing is sent then.

    >>> one = torch.ones(1, 1)
    >>> results, ranks = thread_ranks(mlp_on_rank, [(one, torch.tensor([[0.0], [9.0]]), torch.zeros(2),
    ...                                              torch.tensor([[5.0, 2.0]]), torch.ones(1))] * 2)
    >>> [r.tolist() for r in results], len(ranks[0].reduced)
    ([[[19.0]], [[19.0]]], 1)
    """
    ### BEGIN SOLUTION
    units, n = len(w_in), comm.ranks
    if units % n:
        raise ValueError(f"{units} hidden units do not divide among {n} ranks.")
    mine = slice(comm.rank * units // n, (comm.rank + 1) * units // n)
    hidden = F.gelu(x @ w_in[mine].T + b_in[mine])
    return comm.all_reduce(hidden @ w_out[:, mine].T) + b_out
    ### END SOLUTION


# %% role="check" id="parallel-mlp" points=6
check("parallel-mlp", mlp_on_rank)
# %% role="given" id="mlp-real"


def time_mlp(me, x, layer, repeats):
    """This process's result and fewest milliseconds."""
    times = []
    with torch.inference_mode():
        for _ in range(repeats):
            me.all_reduce(torch.zeros(1))  # both begin together
            start = time.perf_counter_ns()
            y = mlp_on_rank(me, x, *layer)
            times.append((time.perf_counter_ns() - start) / 1e6)
    return y.numpy(), min(times)


def show_mlp():
    """One process against two, for one token and for 512."""
    seeded = torch.Generator().manual_seed(0)
    wide = 768
    layer = [torch.randn(s, generator=seeded) / 30 for s in
             ((4 * wide, wide), (4 * wide,), (wide, 4 * wide), (wide,))]  # fmt: skip
    for count in (1, 512):
        x = torch.randn(count, wide, generator=seeded)
        alone = process_ranks(time_mlp, [(x, layer, 15)])
        pair = process_ranks(time_mlp, [(x, layer, 15)] * 2)
        gap = max(np.abs(y - alone[0][0]).max() for y, _ in pair)
        slower = max(ms for _, ms in pair)
        print(f"{count:3d} tokens: largest difference {gap:.1e}; one process {alone[0][1]:.2f} ms, "
              f"two {slower:.2f} ms: {alone[0][1] / slower:.2f} times as fast")  # fmt: skip


show_mlp()


# %% [markdown] items="2.1.C7"
# **What you should see.** The same numbers but for rounding, around $10^{-6}$. Half the multiplications a process, yet not twice as fast: the sum has to travel, and two
# processes on one machine share its memory and perhaps its cores. With one token two processes are often slower than one: the all-reduce's latency outweighs what half the layer saves.
# %% [markdown] items="2.1.C7"
# ## Cut attention by heads
#
# Heads do not look at one another, so rank $r$ takes a block of query heads: rows of $W_Q$, columns of $W_O$. With **grouped-query attention** several query heads share a KV head, and the rank needs the KV heads of *its* query heads.
#
# Fewer KV heads than ranks? Then several ranks keep a copy of the same one, and each has its own KV cache of it: memory that splitting no longer saves.
# %% [markdown] items="2.1.C7 2.1.K7"
# ### Exercise: heads of a rank
#
# <details><summary>Hint 1</summary>Query head h belongs to KV head h // (heads // kv_heads).</details>
# <details><summary>Hint 2</summary>Take the KV heads of the rank's first and last query head.</details>
# %% role="exercise" id="parallel-heads" items="2.1.C7 2.1.K7" minutes=10
def head_shard(
    rank: int, ranks: int, heads: int, kv_heads: int, head_dim: int
) -> tuple[int, int, int, int, int]:
    """Rows of the projections that a rank keeps, and how many ranks keep the same KV heads.

    Query heads are dealt in equal blocks in order; rows of head h are h head_dim to (h+1) head_dim - 1. Heads h of one group of heads / kv_heads share a KV head.

    Args:
        rank: 0 to ranks - 1.
        ranks, heads, kv_heads, head_dim: 1 or more; heads is a multiple of kv_heads.

    Returns:
        (q_start, q_stop, kv_start, kv_stop, copies): rows q_start to q_stop - 1 of W_Q, rows kv_start to kv_stop - 1 of W_K and of W_V, and
        the number of ranks that hold each of these KV heads, 1 where none is copied.

    Raises:
        ValueError: heads is no multiple of ranks; neither of kv_heads and ranks is a multiple of the other; or a number is
            outside its range.

    >>> head_shard(1, 2, heads=8, kv_heads=4, head_dim=64)
    (256, 512, 128, 256, 1)
    """
    ### BEGIN SOLUTION
    if min(ranks, heads, kv_heads, head_dim) < 1 or not 0 <= rank < ranks:
        raise ValueError("Counts are 1 or more, rank from 0 to ranks - 1.")
    if heads % kv_heads or heads % ranks or (kv_heads % ranks and ranks % kv_heads):
        raise ValueError(
            f"{heads} heads with {kv_heads} KV heads do not divide among {ranks} ranks."
        )
    first, last = rank * heads // ranks, (rank + 1) * heads // ranks - 1
    group = heads // kv_heads
    kv_first, kv_stop = first // group, last // group + 1
    copies = max(1, ranks // kv_heads)
    return (
        first * head_dim,
        (last + 1) * head_dim,
        kv_first * head_dim,
        kv_stop * head_dim,
        copies,
    )
    ### END SOLUTION


# %% role="check" id="parallel-heads" points=4
check("parallel-heads", head_shard)
# %% role="given" id="shipped-layers"
shipped = load_lm("lm")  # on the CPU in every profile: gloo's ranks are processes without a GPU
shipped_ids = torch.from_numpy(load_tokens("heldout")[:128].astype(np.int64))[None]


def rotate(x, cosine, sine):
    """Rotary positions on x (heads, tokens, head_dim)."""
    half = x.shape[-1] // 2
    return x * cosine + torch.cat([-x[..., half:], x[..., :half]], -1) * sine


def attention_on_rank(me, layer, x, cosine, sine):
    """Attention of one decoder layer with this rank's heads: one all-reduce."""
    setup, a = shipped.config, layer.self_attn
    q0, q1, k0, k1, _ = head_shard(me.rank, me.ranks, setup.num_attention_heads,
                                   setup.num_key_value_heads, setup.head_dim)  # fmt: skip

    def by_head(weight):
        return (x @ weight.T).unflatten(-1, (-1, setup.head_dim)).transpose(0, 1)

    q = rotate(by_head(a.q_proj.weight[q0:q1]), cosine, sine)
    k, v = rotate(by_head(a.k_proj.weight[k0:k1]), cosine, sine), by_head(a.v_proj.weight[k0:k1])
    k, v = (z.repeat_interleave(len(q) // len(z), 0) for z in (k, v))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return me.all_reduce(mixed.transpose(0, 1).flatten(1) @ a.o_proj.weight[:, q0:q1].T)


def decoder_on_rank(me, ids):
    """Final hidden states (tokens, hidden) of the shipped model; two all-reduces a layer."""
    with torch.inference_mode():
        x = shipped.model.embed_tokens(ids[0])
        cosine, sine = (z[0] for z in shipped.model.rotary_emb(x[None], torch.arange(len(x))[None]))
        for layer in shipped.model.layers:
            x = x + attention_on_rank(me, layer, layer.input_layernorm(x), cosine, sine)
            z, mlp = layer.post_attention_layernorm(x), layer.mlp
            units = mlp.gate_proj.weight.shape[0] // me.ranks
            own = slice(me.rank * units, (me.rank + 1) * units)
            gated = F.silu(z @ mlp.gate_proj.weight[own].T) * (z @ mlp.up_proj.weight[own].T)
            x = x + me.all_reduce(gated @ mlp.down_proj.weight[:, own].T)
        return shipped.model.norm(x)


def show_decoder():
    """The whole model by 2 processes, and by 4 threads (2 KV heads: each held twice), against transformers."""
    with torch.inference_mode():
        right = shipped.model(shipped_ids).last_hidden_state[0]
    for label, found in (
        ("2 processes", process_ranks(decoder_on_rank, [(shipped_ids,)] * 2)),
        ("4 threads", thread_ranks(decoder_on_rank, [(shipped_ids,)] * 4)[0]),
    ):
        gap = max(float((x - right).abs().max()) for x in found)
        print(f"{label}: largest difference to one process {gap:.1e} "
              f"of values up to {float(right.abs().max()):.1f}")  # fmt: skip


show_decoder()


# %% [markdown] items="2.1.C7"
# **What you should see.** The shipped model, cut by your heads and by hidden units, gives transformers' hidden states to about $10^{-5}$. Two all-reduces a layer: that is all that tensor parallelism
# sends in a forward pass. Norms and residual sums were computed on every rank alike: **sequence parallelism** cuts these by tokens.
# %% [markdown] items="2.1.C7"
# ## The vocabulary, cut
#
# The last matrix gives logits for $V$ words, for LLMs 32,000 to 256,000. Cut by rows, each rank has logits of a part of the vocabulary. To gather them all would send $V$ numbers a token. A loss needs far less:
#
# $$-\log p = m + \log\sum_v e^{z_v - m} - z_\text{target}$$
#
# A maximum, a sum and one logit: three numbers a token.
# %% [markdown] items="2.1.C7"
# ### Exercise: cross-entropy with a cut vocabulary
#
# `comm.all_reduce(tensor, op)` takes "sum" (the default) or "max".
#
# <details><summary>Hint 1</summary>First the maximum over all ranks, then the sum of exponentials relative to it.</details>
# <details><summary>Hint 2</summary>Only one rank holds a target's logit; the others add 0 to the sum.</details>
# <details><summary>Hint 3</summary>Index with targets clamped into the shard, then <code>torch.where</code> with the mask of what is truly inside: 0 times minus infinity is NaN.</details>
# %% role="exercise" id="parallel-vocabulary" items="2.1.C7" minutes=15
def cross_entropy_on_rank(comm, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """-log softmax(all logits)[target] of each token, from this rank's part of the vocabulary.

    Rank r holds words r W to (r+1) W - 1. Each rank gives at most 3 T numbers to all_reduce, all calls together. Logits up to 1e4 in size, at other levels for each token, must neither overflow nor underflow.

    Args:
        comm: rank, ranks, all_reduce(tensor, op="sum" or "max") -> a new tensor on each rank.
        logits: (T, W) float32 or float64, W the same on each rank, T and W at least 1; some may be -inf (words that do not exist), even all of a rank's; the target's
            is not. Not changed.
        targets: (T,) int64, word numbers of the whole vocabulary, the same on each rank. Not changed.

    Returns:
        (T,) of logits' dtype, the same on each rank.

    Raises:
        ValueError: a target below 0, or not below W * ranks; nothing is sent then.

    >>> parts = [torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]])]
    >>> results, _ = thread_ranks(cross_entropy_on_rank, [(p, torch.tensor([3])) for p in parts])
    >>> [round(r.item(), 4) for r in results]  # log 4
    [1.3863, 1.3863]
    """
    ### BEGIN SOLUTION
    count, width = logits.shape
    if (targets < 0).any() or (targets >= width * comm.ranks).any():
        raise ValueError(f"Targets lie from 0 to {width * comm.ranks - 1}.")
    top = comm.all_reduce(logits.max(1).values, "max")
    local = targets - comm.rank * width
    inside = (local >= 0) & (local < width)
    picked = logits[torch.arange(count), local.clamp(0, width - 1)]
    own = torch.where(inside, picked - top, torch.zeros_like(top))
    total, target = comm.all_reduce(torch.stack([(logits - top[:, None]).exp().sum(1), own]))
    return total.log() - target
    ### END SOLUTION


# %% role="check" id="parallel-vocabulary" points=5
check("parallel-vocabulary", cross_entropy_on_rank)
# %% role="given" id="vocabulary-real"


def loss_on_rank(me, states, targets):
    """The shipped model's losses with its 2,048 words cut over the ranks."""
    words = shipped.lm_head.weight.shape[0] // me.ranks
    part = states @ shipped.lm_head.weight[me.rank * words : (me.rank + 1) * words].T
    return cross_entropy_on_rank(me, part, targets)


def show_losses():
    """Two processes against torch's cross-entropy over the whole vocabulary."""
    with torch.inference_mode():
        states = shipped.model(shipped_ids).last_hidden_state[0, :-1]
        next_ids = shipped_ids[0, 1:].clone()
        whole = F.cross_entropy(states @ shipped.lm_head.weight.T, next_ids, reduction="none")
    states = states.clone()
    cut = process_ranks(loss_on_rank, [(states, next_ids)] * 2)
    gap = max(float((part - whole).abs().max()) for part in cut)
    print(f"mean loss {float(whole.mean()):.4f}; largest difference {gap:.1e}; "
          f"3 numbers a token sent, not {shipped.config.vocab_size:,}")  # fmt: skip


show_losses()


# %% [markdown] items="2.1.C7"
# **What you should see.** Differences around $10^{-6}$. Choosing the likeliest word is cheaper still: each rank sends its best logit and that word's number.
# %% [markdown] items="2.1.C7"
# ## Sequence parallelism sends as much
#
# Between the matrices, norms and residuals work token by token. Cut them by tokens and each rank keeps $1/t$ of these activations. Before a column-parallel matrix all tokens are needed: **all-gather**. After a row-parallel one each rank wants
# its tokens' sums: **reduce-scatter**.
#
# Together these send what one all-reduce sent, $2\frac{t-1}{t}S$: memory saved, no byte added.
# %% [markdown] items="2.1.C7"
# ### Exercise: bytes by layout
#
# <details><summary>Hint 1</summary>One ring all-reduce of S bytes among n ranks: all ranks together send 2 (n - 1) S.</details>
# <details><summary>Hint 2</summary>Gradients: tp * pp groups of dp devices, each with 1 / (tp pp) of the parameters.</details>
# %% role="exercise" id="parallel-traffic" items="2.1.C7" minutes=13
def traffic_bytes(
    tokens: int,
    hidden: int,
    layers: int,
    parameters: int,
    tp: int = 1,
    pp: int = 1,
    dp: int = 1,
    value_bytes: int = 2,
    sequence_parallel: bool = False,
    training: bool = False,
) -> dict[str, float]:
    """Bytes that all tp * pp * dp devices together send in one pass, by kind of parallelism.

    A replica passes activations (tokens, hidden) of value_bytes a number through its layers; S is their size. There are dp replicas, each with its own tokens.

    - "tensor": in each layer two ring all-reduces of S among tp ranks; with sequence_parallel two all-gathers and two reduce-scatters of S instead. In training
      as many collectives again, for the backward pass.
    - "pipeline": at each of the pp - 1 boundaries every one of the tp devices of a stage sends the activations that it holds to its peer in the next stage: all of S, or with sequence_parallel its
      S / tp. In training the gradients of these go back, as many bytes.
    - "data": in training one ring all-reduce of gradients among the dp devices that hold the same parameters; parameters are split evenly over tp * pp
      devices, a gradient has value_bytes. Nothing when serving.

    Args:
        tokens, hidden, layers, parameters, tp, pp, dp, value_bytes: 1 or more.
        sequence_parallel, training: as above.

    Returns:
        {"tensor": bytes, "pipeline": bytes, "data": bytes}, ints or floats.

    Raises:
        ValueError: a number below 1, layers no multiple of pp, or sequence_parallel with tokens no multiple of tp.

    >>> traffic_bytes(tokens=4, hidden=10, layers=3, parameters=1000, tp=2)
    {'tensor': 960, 'pipeline': 0, 'data': 0}
    """
    ### BEGIN SOLUTION
    if min(tokens, hidden, layers, parameters, tp, pp, dp, value_bytes) < 1:
        raise ValueError("All numbers are 1 or more.")
    if layers % pp or (sequence_parallel and tokens % tp):
        raise ValueError("Stages take equal numbers of layers, ranks equal numbers of tokens.")
    size = tokens * hidden * value_bytes
    passes = 2 if training else 1
    held = size // tp if sequence_parallel else size
    return {
        "tensor": dp * passes * layers * 2 * 2 * (tp - 1) * size,
        "pipeline": dp * passes * (pp - 1) * tp * held,
        "data": 2 * (dp - 1) * parameters * value_bytes if training else 0,
    }
    ### END SOLUTION


# %% role="check" id="parallel-traffic" points=4
check("parallel-traffic", traffic_bytes)
# %% role="given" id="traffic-use"


def show_traffic():
    """A model of Llama-2-70B's shape (80 layers, hidden 8,192) on 8 devices, three layouts, serving and training."""
    for label, given in (
        ("decode, 32 sequences", {"tokens": 32}),
        ("prefill, 4,096 tokens", {"tokens": 4096}),
        ("training, 4,096 tokens", {"tokens": 4096, "training": True}),
    ):
        row = []
        for layout in ({"tp": 8}, {"pp": 8}, {"dp": 8}):
            sent = traffic_bytes(
                hidden=8192, layers=80, parameters=69_000_000_000, **layout, **given
            )
            row.append(f"{next(iter(layout))} {sum(sent.values()) / 1e6:10,.1f} MB")
        print(f"{label:22s}", *row, sep="  ")


show_traffic()


# %% [markdown] items="2.1.C7"
# **What you should see.** Tensor parallelism sends hundreds of times what a pipeline sends, in 160 collectives, and the next matrix waits for each. So it stays within a node. A pipeline's few sends cross the network easily. Data
# parallel serving sends nothing; training sends the gradients, once a step, and can hide them behind the backward pass.
# %% [markdown] items="2.1.C7"
# ## Bubbles
#
# A pipeline of $p$ equal stages works on $m$ **micro-batches**: while stage 2 has the first, stage 1 takes the second. Each stage works $m$ of $m + p - 1$ stage times. Idle share, the **bubble**: $\frac{p-1}{m+p-1}$.
# (Megatron's papers divide by useful time: $\frac{p-1}{m}$.)
#
# Training waits for all gradients: each step has a bubble. Serving does not: new batches follow at once, if enough requests are in flight. Then a pipeline costs latency, not throughput.
# %% [markdown] items="2.1.C7"
# ## Stages are not equal
#
# The embedding is cheap, the vocabulary's matrix is not. The slowest stage sets the pace: a forward pass of $m$ micro-batches takes $\sum_s T_s + (m-1)\max_s T_s$.
#
# So cut the layers, in order, so that the largest stage is as small as can be. All cuts are $\binom{L-1}{p-1}$: 3 billion for 80 layers and 8 stages. Better: the best cut of $i$ layers into $s$ stages follows from the best cuts into $s-1$.
# %% [markdown] items="2.1.C7 2.1.K7"
# ### Exercise: cut layers into stages
#
# <details><summary>Hint 1</summary>best[s][i] = the smallest over j of max(best[s-1][j], sum of layers j to i-1). Remember the j.</details>
# <details><summary>Hint 2</summary>Or search for the limit: with a limit given, fill each stage as far as it goes and count stages. Then every stage still needs a layer.</details>
# %% role="exercise" id="parallel-stages" items="2.1.C7 2.1.K7" minutes=20
def cut_stages(
    layer_ms: list[float], stages: int, micro_batches: int
) -> tuple[list[int], float, float]:
    """A cut of the layers, in order, into stages so that a pass of all micro-batches ends soonest.

    T_s, a stage's time for one micro-batch, is the sum of its layers' times; each stage has one layer or more. Sending takes no time. The pass takes
    sum_s T_s + (micro_batches - 1) max_s T_s. The bubble is the share of stages x pass time in which a stage does not work.

    Args:
        layer_ms: milliseconds of each layer for one micro-batch, above 0; up to 100 layers and 16 stages, to be cut within 2 s. Not changed.
        stages, micro_batches: 1 or more; stages at most the number of layers.

    Returns:
        (sizes, total_ms, bubble): layers in each stage from the first on, a list of ints; of several best cuts any; the time of the pass; a number from 0 to 1.

    Raises:
        ValueError: a number outside its range.

    >>> cut_stages([1.0, 1.0, 1.0, 3.0], 2, 3)
    ([3, 1], 12.0, 0.25)
    """
    ### BEGIN SOLUTION
    count = len(layer_ms)
    if not 1 <= stages <= count or micro_batches < 1 or not all(t > 0 for t in layer_ms):
        raise ValueError("Times above 0, 1 to as many stages as layers, micro-batches 1 or more.")
    before = [0.0, *itertools.accumulate(layer_ms)]
    best = {0: (0.0, ())}  # layers cut so far: largest stage, sizes
    for stage in range(1, stages + 1):
        best = {
            i: min(
                (max(best[j][0], before[i] - before[j]), (*best[j][1], i - j))
                for j in best
                if j < i
            )
            for i in range(stage, count - (stages - stage) + 1)
        }
    longest, sizes = best[count]
    total_ms = before[-1] + (micro_batches - 1) * longest
    return list(sizes), total_ms, 1 - micro_batches * before[-1] / (stages * total_ms)
    ### END SOLUTION


# %% role="check" id="parallel-stages" points=5
check("parallel-stages", cut_stages)
# %% role="given" id="pipeline-figure"


def draw_pipeline(micro_batches=4, last_layer=4.0):
    """Who works when: 16 layers of 1 ms, the last with the vocabulary's matrix, over 4 stages."""
    layer_times = [1.0] * 15 + [float(last_layer)]
    sizes, total_ms, bubble = cut_stages(layer_times, 4, micro_batches)
    ends = np.cumsum([0, *sizes])
    stage_ms = [sum(layer_times[a:b]) for a, b in itertools.pairwise(ends)]
    fig, axes = figure(height_inch=2.6)
    free = [0.0] * 4
    for m in range(micro_batches):
        done = 0.0
        for s, length in enumerate(stage_ms):
            begin = max(done, free[s])
            done = free[s] = begin + length
            axes[0, 0].barh(s, length, left=begin, color=COLOURS[m % 6], edgecolor="white")
            axes[0, 0].text(begin + length / 2, s, str(m), ha="center", va="center", color="white")
    axes[0, 0].set_yticks(range(4), [f"stage {s} ({size})" for s, size in enumerate(sizes)])
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_xlabel("ms")
    axes[0, 0].set_title(f"{total_ms:.0f} ms, bubble {bubble:.0%}")
    return fig, (f"Gantt chart of 4 stages of {sizes} layers and {micro_batches} micro-batches: "
                 f"{total_ms:.0f} ms, idle {bubble:.0%}, triangles at start and end.")  # fmt: skip


explore(draw_pipeline, micro_batches=[4, 1, 2, 8, 16, 32], last_layer=[4.0, 1.0, 8.0])


# %% [markdown] items="2.1.C7"
# **What you should see.** Two triangles of idle time, at the start and at the end. More micro-batches make them a smaller share: 75 % for one, under 10 % for 32 equal ones. A heavy last layer
# leaves gaps in all other stages, which no micro-batch fills.
# %% [markdown] items="2.1.K7"
# ## Put it together
#
# A plan is three numbers, $t \times p \times d$. What you know now:
#
# - TP cuts weights, cache and latency, until all-reduces eat the gain; within a node; heads must divide.
# - PP cuts weights; it sends little; latency stays.
# - DP multiplies throughput, and memory with it.
#
# Try all combinations. The model of costs below is for decoding, memory-bound: lesson 2's. A plan is as good as its model: before you buy, measure.
# %% [markdown] items="2.1.K7"
# ### Exercise: the planner
#
# <details><summary>Hint 1</summary>Three loops, a chain of <code>continue</code>, one dict a layout, then <code>min</code> with a key.</details>
# <details><summary>Hint 2</summary>Stage s of replica d begins at rank (d pp + s) tp; the next stage begins tp further on. Compare the nodes of the two.</details>
# <details><summary>Hint 3</summary>Key for latency: (latency, devices, tp). For throughput: (-tokens_per_s, devices, tp).</details>
# %% role="exercise" id="parallel-plan" items="2.1.K7 2.1.C7" minutes=30
def choose_layout(
    model: dict, machine: dict, batch: int, context: int, limit_us: float | None = None
) -> dict | None:
    """The best layout for decoding, tp x pp x dp, under a stated model of costs.

    All layouts with tp, pp, dp of 1 or more and at most nodes * gpus_per_node devices, such that
    - tp divides gpus_per_node and heads; and kv_heads is a multiple of tp, or tp of kv_heads;
    - pp divides layers;
    - a device's memory holds it: weights + cache <= 0.9 memory, where weights = parameters * value_bytes / (tp pp), and
      cache = pp batches in flight * batch * context * 2 * (layers / pp) * max(1, kv_heads / tp) * head_dim * value_bytes.

    Replica d, stage s, tensor rank t is device (d pp + s) tp + t; device i is in node i // gpus_per_node, and node after node is filled.
    A step makes one token for each sequence of a batch. With m = batch * hidden * value_bytes it takes the sum of
    - reading: pp * (weights + cache / pp) / memory bandwidth;
    - tensor: 2 * layers ring all-reduces of m bytes over `inside`, each 2 (tp - 1) (latency + m / (tp * bandwidth)); none for tp 1;
    - pipeline: for each s from 0 to pp - 2 a send, latency + m / bandwidth, over `inside` if device t of stage s and device t of stage s + 1 are in one node, else over `between`.
    latency_us is the step of the slowest replica; tokens_per_s = dp * pp * batch / latency.

    Args:
        model: parameters, layers, hidden, heads, kv_heads, head_dim, value_bytes.
        machine: nodes, gpus_per_node, memory_gb, memory_gb_per_s (both of one device, GB = 10**9 bytes), inside and between: (latency_us, gb_per_s) within a node and between nodes.
        batch, context: sequences of a batch, tokens in the cache of each; 1 or more.
        limit_us: None: the lowest latency is wanted. A number above 0: the highest tokens_per_s with latency_us <= limit_us.

    Returns:
        {"tp", "pp", "dp", "memory_gb", "latency_us", "tokens_per_s"}; memory_gb is weights + cache of a device. Of layouts that are equally good the one with the
        fewest devices, then with the smallest tp. None if there is no such layout. The dicts given are not changed.

    Raises:
        ValueError: batch or context below 1, or limit_us not above 0.

    >>> small = dict(parameters=10**9, layers=2, hidden=1000, heads=2, kv_heads=2, head_dim=500, value_bytes=2)
    >>> pair = dict(nodes=1, gpus_per_node=2, memory_gb=4.0, memory_gb_per_s=1000.0, inside=(10.0, 100.0), between=(20.0, 10.0))
    >>> found = choose_layout(small, pair, batch=1, context=1000)
    >>> found["tp"], found["pp"], found["dp"], round(found["latency_us"], 2), round(found["tokens_per_s"], 1)
    (2, 1, 1, 1084.08, 922.4)
    """
    ### BEGIN SOLUTION
    if batch < 1 or context < 1 or (limit_us is not None and not limit_us > 0):
        raise ValueError("batch and context are 1 or more, the limit is above 0.")
    gpus, value = machine["gpus_per_node"], model["value_bytes"]
    message = batch * model["hidden"] * value

    def send_us(link, size):
        return link[0] + size / (1000 * link[1])

    def evaluate(tp, pp, dp):
        weights = model["parameters"] * value / (tp * pp)
        kept = max(1, model["kv_heads"] // tp) * model["head_dim"]
        cache = batch * context * 2 * model["layers"] * kept * value
        if weights + cache > 0.9e9 * machine["memory_gb"]:
            return None
        step = pp * (weights + cache / pp) / (1000 * machine["memory_gb_per_s"])
        step += 2 * model["layers"] * 2 * (tp - 1) * send_us(machine["inside"], message / tp)
        begins = [[(d * pp + s) * tp // gpus for s in range(pp)] for d in range(dp)]
        step += max(
            sum(send_us(machine["inside" if a == b else "between"], message)
                for a, b in itertools.pairwise(nodes))
            for nodes in begins
        )  # fmt: skip
        return {"tp": tp, "pp": pp, "dp": dp, "memory_gb": (weights + cache) / 1e9,
                "latency_us": step, "tokens_per_s": dp * pp * batch / step * 1e6}  # fmt: skip

    found, devices = [], machine["nodes"] * gpus
    for tp in range(1, gpus + 1):
        kv = model["kv_heads"]
        if gpus % tp or model["heads"] % tp or (kv % tp and tp % kv):
            continue
        for pp in (p for p in range(1, devices // tp + 1) if model["layers"] % p == 0):
            found += [evaluate(tp, pp, dp) for dp in range(1, devices // (tp * pp) + 1)]
    found = [x for x in found if x and (limit_us is None or x["latency_us"] <= limit_us)]
    goal = (lambda x: x["latency_us"]) if limit_us is None else (lambda x: -x["tokens_per_s"])
    return min(found, key=lambda x: (goal(x), x["tp"] * x["pp"] * x["dp"], x["tp"]), default=None)
    ### END SOLUTION


# %% role="check" id="parallel-plan" points=8
check("parallel-plan", choose_layout)
# %% role="given" id="plan-use"
# Llama-2-70B's published shape: 80 layers, hidden 8,192, 64 heads, 8 KV heads.
seventy = {"parameters": 69_000_000_000, "layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8,
           "head_dim": 128, "value_bytes": 2}  # fmt: skip
two_dgx = {"nodes": 2, "gpus_per_node": 8, "memory_gb": 80.0, "memory_gb_per_s": 3350.0,
           "inside": link_kinds["NVLink 4"], "between": link_kinds["InfiniBand NDR"]}  # fmt: skip


def show_plans():
    """Two DGX H100: the fastest answer, and the most tokens under three limits; then the same over PCIe."""
    for label, machine in (
        ("NVLink", two_dgx),
        ("PCIe", {**two_dgx, "inside": link_kinds["PCIe 5 x16"]}),
    ):
        for limit_us in (None, 15_000, 30_000, 100_000):
            plan = choose_layout(seventy, machine, 32, 2048, limit_us)
            wanted = "lowest latency" if limit_us is None else f"within {limit_us / 1e3:.0f} ms"
            text = "no layout" if plan is None else (
                f"tp {plan['tp']} pp {plan['pp']:2d} dp {plan['dp']:2d}: {plan['latency_us'] / 1e3:5.1f} ms a token, "
                f"{plan['tokens_per_s']:8,.0f} tokens/s, {plan['memory_gb']:4.1f} GB a device")  # fmt: skip
            print(f"{label:7s} {wanted:15s} {text}")


show_plans()
# %% [markdown] items="2.1.K7"
# **What you should see.** Latency asks for the whole node as one tensor group. As the limit grows, groups shrink; pipelines and replicas take their place: more tokens a second, each later. Over PCIe latency is
# nearly twice, throughput almost the same.
#
# The figures are the model's, from peak bandwidths and assumed latencies, without prefill, compute limit or scheduling. What it is for is the *order* of layouts.
# %% [markdown] items="2.1.K7 2.1.C7"
# ## In your own words: a plan to review
#
# A colleague plans a chat service: a model of 70 billion parameters, BF16, 8 KV heads, on two servers with 8 GPUs of 80 GB each, NVLink inside, one 100 Gb/s network card a *server*. "Tensor parallel over all 16 GPUs, so each
# answers 16 times as fast. NVLink has 900 GB/s, and the all-reduces are small, so communication does not matter."
#
# Say what is wrong, with numbers; propose a layout for low latency and one for throughput; and say what you would measure first. 120 to 200 words.
# %% [markdown] role="written" id="parallel-review" items="2.1.K7 2.1.C7" points=3
# **Model answer.** A tensor group of 16 crosses the network: 160 all-reduces a token, each of 30 ring steps, and some hops over a card of 12.5 GB/s that eight GPUs share. With some 10 µs a network step that is about 50 ms a token,
# more than reading all the weights takes. Small messages do not help: they are latency-bound, and 900 GB/s counts both directions. With 8 KV heads over 16 ranks every KV head is kept twice, so the cache shrinks 8 times, not 16.
# And the speed-up ends where the all-reduces outweigh the reading.
#
# Low latency: tp 8 within a server, two replicas, one each: 138 GB of weights are 17.3 GB a GPU, over 50 GB remain for the cache. Throughput: smaller groups, tp 4 with two stages or four replicas of tp 4 (34.5 GB of weights a GPU), as
# long as cache and latency limit allow; data parallel across servers sends nothing.
#
# First I would run `all_reduce_perf` within a server and between both, at 16 KB to 1 MB, for latency and bus bandwidth, then a decode step by tp 2, 4, 8 at the expected batch.
#
# **Rubric.** 1 point: why TP over the network fails, with the number of collectives and latency (not only bandwidth). 1 point: two layouts that fit, with memory figures, TP inside a server. 1 point: at least two of one-directional bandwidth, copied KV heads, the
# shared network card, and a measurement that would decide.
# %% [markdown]
# ## Recap
#
# - A message costs latency, then bytes. A ring all-reduce: $2(n-1)$ steps, $2\frac{n-1}{n}S$ bytes a rank.
# - Column then row: one all-reduce an MLP, one an attention. Add the bias once. Few KV heads get copied.
# - Sequence parallelism: all-gather + reduce-scatter, as many bytes, less memory.
# - Pipeline: few bytes, bubbles $\frac{p-1}{m+p-1}$; the slowest stage sets the pace.
# - Tensor inside a node, pipeline or data between nodes; then try all layouts that fit.
#
# ## Three questions without code
#
# <details><summary>1. A benchmark shows 400 GB/s bus bandwidth with 8 GPUs. What is the algorithm bandwidth of the all-reduce, and which of the two do you hold against the data sheet?</summary>400 / (2 * 7 / 8) = 229 GB/s. The bus bandwidth, against one direction: 450.</details>
# <details><summary>2. Why does a tensor-parallel MLP cut the first matrix by outputs and the second by inputs, and not both by outputs?</summary>Then the first one's result would have to be gathered before the second: one more collective, of four times the size.</details>
# <details><summary>3. Pipeline parallel serving with a single user: what is gained?</summary>Memory. Latency is that of one device that holds everything, plus the sends; all but one stage idle at any time.</details>
#
# ## Reading
#
# - Shoeybi et al., "Megatron-LM" (2019), section 3: column and row parallel layers, the vocabulary cut.
# - Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM" (2021), sections 2 and 3: combining the three, and the bubble.
# - Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models" (2022), section 4: sequence parallelism and its communication.
# - Huang et al., "GPipe" (2018): micro-batches. Pope et al., "Efficiently Scaling Transformer Inference" (2022): layouts for decoding, and their costs.
# - NVIDIA, `nccl-tests`, doc/PERFORMANCE.md: algorithm and bus bandwidth. NCCL's user guide, "Environment Variables".
#
# **Next:** routing: which replica gets which request?
