# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Route requests to replicas, and size the fleet
#
# **You end with:** routers that look at what a request carries, each measured against round-robin on a trace; and a fleet whose size, spare capacity and
# autoscaling you can defend with numbers.
#
# About 150 minutes. 44 points: 41 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. You need the estimates of lesson 2.
#
# The fleet is simulated event by event (`lab.serving`, SimPy), which makes a trace repeatable. The simulator agrees with queueing theory; you will hold it
# against two formulas yourself.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import hashlib
import itertools
import math
from collections import OrderedDict

import numpy as np
import torch

from autograder import check
from lab.lm import load_lm, load_tokens
from lab.plots import bars, curves, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.serving import (  # noqa: F401
    Autoscaler,
    Engine,
    Failure,
    Load,
    ScriptedReplica,
    make_load,
    scripted_request,
    simulate,
)
from lab.timing import interleave_ms

torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## One glance at a second replica
#
# Eight replicas that rank documents: very unequal prompts, a word or two as output, Poisson arrivals. One router picks a replica at random. The other picks *two* at random and takes the one with
# fewer requests. How many times as long is the random router's P99 **TTFT** (time to first token)?
# %% role="predict" id="predict-choice"
my_random_ratio = ...  # P99 TTFT of random / P99 TTFT of the better of two
# %% role="given" id="opening"
fleet_size = 8
fleet_engine = Engine(prefill_tokens_per_s=10_000, decode_s=0.02, sequence_s=0.0005, slots=64)


def uneven_load(seed=0, rate_per_s=72.0, duration_s=120.0, output_tokens=60):
    """Prompts of median 500, mean about 820 tokens; outputs are as unequal."""
    return make_load(
        np.random.default_rng(seed), rate_per_s, duration_s, 500, output_tokens, spread=1.0
    )


def random_router(seed=1):
    """Any replica."""
    generator = np.random.default_rng(seed)
    return lambda request, replicas: int(generator.integers(len(replicas)))


def round_robin():
    """In turn."""
    turns = itertools.count()
    return lambda request, replicas: next(turns) % len(replicas)


def shortest_queue(request, replicas):
    """The fewest requests; the first of equals."""
    return min(range(len(replicas)), key=lambda i: replicas[i].load)


def show_choice():
    """Random against the better of two, over the same trace."""
    generator = np.random.default_rng(2)

    def better_of_two(request, replicas):
        pair = generator.choice(len(replicas), 2, replace=False)
        return int(min(pair, key=lambda i: replicas[i].load))

    p99 = {}
    for name, router in (("random", random_router()), ("better of two", better_of_two)):
        served = simulate(uneven_load(output_tokens=1), fleet_engine, fleet_size, router)
        p99[name] = served.percentile(0.99, "ttft_s")
        print(
            f"{name:14s} TTFT P50 {served.percentile(0.5, 'ttft_s'):.3f} s, P99 {p99[name]:.2f} s"
        )
    reveal(my_random_ratio, p99["random"] / p99["better of two"], "times")


show_choice()


# %% [markdown] items="2.1.C2"
# **What happened.** Same replicas, same requests, same mean utilisation. Random routing lets queues grow here while replicas idle there. A second look costs microseconds and removes much of the tail.
#
# A router is the cheapest part of the stack to improve. This lesson asks what it should look at: how busy a replica is, how long the prompt is, what its cache holds.
# %% [markdown] items="2.1.C2"
# ## What a router may read
#
# `router(request, replicas)` gives a *position* in `replicas`, those that are up now. Positions shift when a replica fails; `index` stays.
#
# - request: `index`, `prompt_tokens`, `prefix` (shared beginning; -1: none), `prefix_tokens`.
# - replica: `index`, `queued`, `running`, `load` (both together), `prompt_tokens_ahead` (prompt tokens waiting or being read), `has_prefix(prefix)`.
#
# `request.output_tokens` is the future: no router knows it.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## Two choices
#
# Of $n$ servers, the fullest of $n$ random throws holds about $\ln n/\ln\ln n$; with the better of two, about $\log_2 \ln n$ (Azar et al. 1994; Mitzenmacher 1996). Join-shortest-queue reads all $n$ loads; in a real fleet these are
# milliseconds old, and all routers run to the same replica. Two choices need two readings, and spread.
# %% [markdown] items="2.1.C2 2.1.K3"
# ### Exercise: power of two choices
#
# <details><summary>Hint 1</summary>The first: <code>int(u * n)</code>.</details>
# <details><summary>Hint 2</summary>The second is one of the other n - 1: draw from n - 1, and skip over the first.</details>
# %% role="exercise" id="route-two-choices" items="2.1.C2 2.1.K3" minutes=8
def two_choices(request, replicas, u: float, v: float) -> int:
    """The less loaded of two different replicas, chosen by two random numbers.

    With n replicas the first is at position floor(u n). The second is at position floor(v (n - 1)) of the others in their order: so add 1 if that is not below
    the first. The one with the smaller `load` wins; of equals the first drawn. With one replica: 0.

    Args:
        request: not looked at.
        replicas: 1 or more, as a router sees them. Not changed.
        u, v: in [0, 1).

    Returns:
        a position, an int.

    Raises:
        ValueError: no replica, or u or v outside [0, 1).

    >>> fleet = [ScriptedReplica(i, running=load) for i, load in enumerate([5, 2, 7])]
    >>> two_choices(scripted_request(), fleet, 0.0, 0.9), two_choices(scripted_request(), fleet, 0.9, 0.6)
    (0, 1)
    """
    ### BEGIN SOLUTION
    n = len(replicas)
    if not n or not (0 <= u < 1 and 0 <= v < 1):
        raise ValueError("One replica or more, and numbers from 0 to below 1.")
    if n == 1:
        return 0
    first, second = int(u * n), int(v * (n - 1))
    second += second >= first
    return second if replicas[second].load < replicas[first].load else first
    ### END SOLUTION


# %% role="check" id="route-two-choices" points=4
check("route-two-choices", two_choices)


# %% [markdown] items="2.1.C2"
# ## Payload-aware
#
# Requests are no equals: a prompt of 8,000 tokens holds a replica's prefill for as long as eighty of 100. Counting *requests* misses that; counting **tokens ahead** sees it.
#
# A payload also says *where it may go*: a LoRA adapter that only some replicas hold, a model, a priority with machines of its own, long prompts kept away from short ones. All are one rule: **a kind, and a pool per kind**.
# %% [markdown] items="2.1.C2 2.1.K3"
# ### Exercise: a payload-aware router
#
# <details><summary>Hint 1</summary>First the positions that are allowed, then <code>min</code> over them with a key.</details>
# <details><summary>Hint 2</summary>Pools hold indexes, the answer is a position.</details>
# <details><summary>Hint 3</summary>Key: (prompt_tokens_ahead, load, position).</details>
# %% role="exercise" id="route-payload" items="2.1.C2 2.1.K3" minutes=14
def payload_router(kind, pools: dict):
    """A router that sends each kind of request to its pool, there to the least work.

    Allowed are the replicas whose `index` is in pools[kind(request)]; all, if pools has no such key, or if none of the pool is up. Of the allowed the one with the fewest
    prompt_tokens_ahead; of equals the one with the smaller load; of equals the first.

    Args:
        kind: function of a request that gives a key: an adapter's name, "long" or "short", a priority. Called once a request.
        pools: key to a set of replica indexes. Not changed.

    Returns:
        router(request, replicas) -> position, an int. `replicas` holds one or more, in any order; not changed. It raises ValueError for none.

    >>> router = payload_router(lambda r: "long" if r.prompt_tokens > 2000 else "short", {"long": {7}})
    >>> fleet = [ScriptedReplica(3, prompt_tokens_ahead=900), ScriptedReplica(4, prompt_tokens_ahead=50), ScriptedReplica(7, prompt_tokens_ahead=5000)]
    >>> router(scripted_request(prompt_tokens=100), fleet), router(scripted_request(prompt_tokens=3000), fleet), router(scripted_request(prompt_tokens=3000), fleet[:2])
    (1, 2, 1)
    """
    ### BEGIN SOLUTION

    def router(request, replicas):
        if not replicas:
            raise ValueError("There is no replica.")
        pool = pools.get(kind(request), ())
        every = range(len(replicas))
        allowed = [i for i in every if replicas[i].index in pool] or every
        return min(allowed, key=lambda i: (replicas[i].prompt_tokens_ahead, replicas[i].load))

    return router
    ### END SOLUTION


# %% role="check" id="route-payload" points=5
check("route-payload", payload_router)
# %% role="given" id="payload-use"


def length_kind(request):
    """Prompts above 2,000 tokens are long."""
    return "long" if request.prompt_tokens > 2000 else "short"


def choosing(seed=3):
    """Your two choices, with random numbers."""
    generator = np.random.default_rng(seed)
    return lambda request, replicas: two_choices(request, replicas, *generator.random(2))


def describe(name, served):
    """One line for one router."""
    busy = np.bincount(served.replica, minlength=fleet_size)
    print(f"{name:16s} TTFT P50 {served.percentile(0.5, 'ttft_s'):6.3f} s, P99 {served.percentile(0.99, 'ttft_s'):6.2f} s, hits {served.prefix_hit.mean():4.0%}, "
          f"within 1 s {served.goodput_per_s(1.0):5.1f}/s, requests a replica {busy.min()}-{busy.max()}")  # fmt: skip


def show_payload():
    """Five routers over one trace."""
    long_pool = {"long": {6, 7}, "short": set(range(6))}
    for label, router in (
        ("random", random_router()),
        ("round robin", round_robin()),
        ("two choices", choosing()),
        ("shortest queue", shortest_queue),
        ("least work", payload_router(length_kind, {})),
        ("long apart", payload_router(length_kind, long_pool)),
    ):
        describe(label, simulate(uneven_load(), fleet_engine, fleet_size, router))


show_payload()


# %% [markdown] items="2.1.C2 2.1.K3"
# **What you should see.** Counting *requests* hardly helps now: P99 stays between 1.6 and 2.3 s, as for random. Outputs are longer than in the opening; decoding requests drown the few prompts that wait. Tokens ahead: 0.5 s. Round-robin is even, and bad: equal numbers are not equal work.
#
# *Long apart* has the best median and the worst P99: two replicas are too few for all long prompts. A pool must be sized like a fleet of its own.
# %% [markdown] items="2.1.C2"
# ## Prefixes
#
# Chats share a system prompt, agents their tools, questions a document. A replica that has read this *prefix* keeps its KV cache and skips it. But a cache holds only so much: the **least recently used** (LRU) prefix leaves.
#
# Round-robin shows every prefix to every replica: eight caches with the same content. Sending a prefix always to the same replica makes them one large cache.
# %% [markdown] items="2.1.C2"
# ### Exercise: hits of an LRU cache
#
# <details><summary>Hint 1</summary>An <code>OrderedDict</code>: <code>move_to_end</code>, <code>popitem(last=False)</code>.</details>
# <details><summary>Hint 2</summary>A hit renews the entry. A miss stores it too, then the oldest goes if there are too many.</details>
# %% role="exercise" id="route-cache" items="2.1.C2" minutes=10
def prefix_hits(prefixes: list[int], slots: int) -> list[bool]:
    """Which requests find their prefix in an LRU cache that starts empty.

    Args:
        prefixes: the prefix of each request, in order; -1: none, which is no hit and leaves the cache as it is. Not changed.
        slots: prefixes that fit; 0: nothing is kept.

    Returns:
        a bool for each request, a list.

    Raises:
        ValueError: slots below 0.

    >>> prefix_hits([1, 2, 1, 3, 2, 1], slots=2)
    [False, False, True, False, False, False]
    """
    ### BEGIN SOLUTION
    if slots < 0:
        raise ValueError("slots is 0 or more.")
    kept, hits = OrderedDict(), []
    for prefix in prefixes:
        hits.append(prefix >= 0 and prefix in kept)
        if prefix >= 0:
            kept[prefix] = True
            kept.move_to_end(prefix)
            if len(kept) > slots:
                kept.popitem(last=False)
    return hits
    ### END SOLUTION


# %% role="check" id="route-cache" points=4
check("route-cache", prefix_hits)
# %% role="given" id="cache-figure"


def draw_hits(zipf=1.0):
    """Hit rate by slots: every replica sees every prefix, or an eighth of them."""
    weights = 1 / np.arange(1, 65) ** zipf
    drawn = np.random.default_rng(4).choice(64, 4000, p=weights / weights.sum()).tolist()
    sizes = [1, 2, 4, 8, 16, 32]
    mixed = [np.mean(prefix_hits(drawn[::8], s)) for s in sizes]
    parted = [
        sum(sum(prefix_hits([p for p in drawn if p % 8 == r], s)) for r in range(8)) / len(drawn)
        for s in sizes
    ]
    fig = curves(sizes, {"round robin": mixed, "one home a prefix": parted}, xlabel="prefixes that a replica keeps", ylabel="hit rate",
                 logx=True, title="64 prefixes, 8 replicas")  # fmt: skip
    return fig, (f"Hit rate over cache size: with 8 slots {mixed[3]:.0%} when each replica sees all prefixes, "
                 f"{parted[3]:.0%} when each prefix has one home.")  # fmt: skip


explore(draw_hits, zipf=[1.0, 0.0, 0.5, 1.5])


# %% [markdown] items="2.1.C2"
# **What you should see.** With eight slots a replica the homes hold all 64 prefixes, and only first visits miss. Round-robin needs eight times the memory for the same rate. The more the popular prefixes dominate (large exponent), the smaller the difference: they stay in
# every cache anyway.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## Affinity, with a limit
#
# A popular prefix overloads its home: hits there are cheap, but the queue before them is not. So affinity needs a *fallback*: follow the cache while that replica is at most a few requests busier than the least busy one; else go where it is empty. The fallback warms a second cache, and load
# spreads by itself.
# %% [markdown] items="2.1.C2 2.1.K3"
# ### Exercise: a prefix-aware router
#
# <details><summary>Hint 1</summary>Two minima by load: over all, and over those that have the prefix.</details>
# <details><summary>Hint 2</summary>Mind prefix -1, and that no replica may have it.</details>
# %% role="exercise" id="route-prefix" items="2.1.C2 2.1.K3" minutes=12
def route_by_prefix(request, replicas, most_ahead: int) -> int:
    """The replica that has the prefix, unless it is too busy.

    Let `least` be the replica with the smallest load of all, and `warm` the one with the smallest load of those that have request.prefix; of equals always the first. warm if there is one
    and its load <= load of least + most_ahead; else least. A request with prefix -1 has no warm replica.

    Args:
        request, replicas: as a router sees them; 1 replica or more. Not changed.
        most_ahead: requests, 0 or more.

    Returns:
        a position, an int.

    Raises:
        ValueError: no replica, or most_ahead below 0.

    >>> fleet = [ScriptedReplica(0, running=3), ScriptedReplica(1, running=6, prefixes=(5,)), ScriptedReplica(2, running=1)]
    >>> [route_by_prefix(scripted_request(prefix=5), fleet, ahead) for ahead in (4, 5)]
    [2, 1]
    """
    ### BEGIN SOLUTION
    if not replicas or most_ahead < 0:
        raise ValueError("One replica or more, and most_ahead 0 or more.")

    def lowest(positions):
        return min(positions, key=lambda i: replicas[i].load, default=None)

    every = range(len(replicas))
    least = lowest(every)
    warm = lowest(
        [i for i in every if request.prefix >= 0 and replicas[i].has_prefix(request.prefix)]
    )
    near = warm is not None and replicas[warm].load <= replicas[least].load + most_ahead
    return warm if near else least
    ### END SOLUTION


# %% role="check" id="route-prefix" points=5
check("route-prefix", route_by_prefix)


# %% [markdown] items="2.1.C2 2.1.K3"
# ## A ring
#
# Asking every replica for its cache does not scale. **Consistent hashing** (Karger et al. 1997) needs no state: hash replicas, each at many points, and prefixes onto a circle; a prefix belongs to the next replica clockwise. If one fails, only *its* prefixes move.
#
# **Bounded loads** (Mirrokni et al. 2018): a replica with $c$ times the mean load or more is full; walk on. $c = 1.25$ caps the hottest.
# %% [markdown] items="2.1.C2 2.1.K3"
# ### Exercise: a ring with bounded loads
#
# <details><summary>Hint 1</summary>Sort (hash, node) pairs of all points; the walk is the sorted list, rotated.</details>
# <details><summary>Hint 2</summary>A point at the key's own place counts as next.</details>
# <details><summary>Hint 3</summary>With factor 1 or more, one node always has room: the least loaded.</details>
# %% role="exercise" id="route-ring" items="2.1.C2 2.1.K3" minutes=18
def ring_owner(
    key: str, nodes: list[int], copies: int, hash_of, loads: dict[int, int], factor: float
) -> int:
    """The node that serves a key, by consistent hashing with bounded loads.

    Node i has points hash_of(f"{i}#{copy}"), copy = 0 to copies - 1; the key is at hash_of(key). Walk over the points in ascending order, from the first that is not below the key's place, past
    the end on to the smallest. Of points at one place the smaller node comes first. The first node on the way that is not full serves the key. A node is full if its load >= factor * (sum of the
    loads of `nodes` + 1) / number of nodes.

    Args:
        key: what is hashed, such as a prefix.
        nodes: different ints, 1 or more, in any order. Not changed.
        copies: points of each node, 1 or more.
        hash_of: function of a str that gives an int, 0 or more.
        loads: requests at each node; absent: 0. Others than `nodes` may be in it, and do not count. Not changed.
        factor: 1 or more; math.inf: no node is ever full.

    Returns:
        the node, an int of `nodes`.

    Raises:
        ValueError: no node, copies below 1, or factor below 1.

    >>> places = {"0#0": 10, "1#0": 20, "2#0": 30, "key": 15, "late": 31}
    >>> ring_owner("key", [0, 1, 2], 1, places.get, {}, math.inf), ring_owner("late", [0, 1, 2], 1, places.get, {}, math.inf)
    (1, 0)
    >>> ring_owner("key", [0, 1, 2], 1, places.get, {1: 5}, 1.25)
    2
    """
    ### BEGIN SOLUTION
    if not nodes or copies < 1 or not factor >= 1:
        raise ValueError("Nodes, a copy or more of each, and a factor of 1 or more.")
    points = sorted((hash_of(f"{node}#{copy}"), node) for node in nodes for copy in range(copies))
    place = hash_of(key)
    ahead = [p for p in points if p[0] >= place] + [p for p in points if p[0] < place]
    total = sum(loads.get(node, 0) for node in nodes)
    limit = factor * (total + 1) / len(nodes)
    return next(node for _, node in ahead if loads.get(node, 0) < limit)
    ### END SOLUTION


# %% role="check" id="route-ring" points=6
check("route-ring", ring_owner)
# %% role="given" id="prefix-use"
cached_engine = Engine(
    10_000, decode_s=0.02, sequence_s=0.0005, slots=64, prefix_slots=8
)  # 8 prefixes of 64


def stable_hash(text):
    """The same on every machine, unlike Python's hash of a str."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def shared_load(seed=5, rate_per_s=45.0, duration_s=120.0, zipf=1.0):
    """Every prompt begins with one of 64 prefixes of 2,000 tokens."""
    return make_load(np.random.default_rng(seed), rate_per_s, duration_s, 300, 60, spread=0.8,
                     prefixes=64, prefix_tokens=2000, zipf=zipf)  # fmt: skip


def ring_router(factor):
    """Your ring over the replicas that are up."""
    remembered = {}

    def kept_hash(text):
        return remembered.setdefault(text, stable_hash(text))

    def router(request, replicas):
        indexes = [r.index for r in replicas]
        loads_now = {r.index: r.load for r in replicas}
        return indexes.index(
            ring_owner(f"prefix {request.prefix}", indexes, 12, kept_hash, loads_now, factor)
        )

    return router


def prefix_routers():
    """Every router of the lesson by name."""
    return {
        "random": random_router(),
        "round robin": round_robin(),
        "shortest queue": shortest_queue,
        "least work": payload_router(lambda request: "any", {}),
        "warm, no limit": lambda request, up: route_by_prefix(request, up, 10**9),
        "warm, 4 ahead": lambda request, up: route_by_prefix(request, up, 4),
        "ring": ring_router(math.inf),
        "ring, 1.25": ring_router(1.25),
    }


def show_prefixes():
    """All routers over one trace; then those with affinity while a few prefixes are very popular."""
    for label, router in prefix_routers().items():
        describe(label, simulate(shared_load(), cached_engine, fleet_size, router))
    print("\nmore requests, and a few prefixes make up most of them:")
    for label, router in list(prefix_routers().items())[3:]:
        load = shared_load(6, rate_per_s=100.0, duration_s=60.0, zipf=1.6)
        describe(label, simulate(load, cached_engine, fleet_size, router))


show_prefixes()


# %% [markdown] items="2.1.C2 2.1.K3"
# **What you should see.** First trace: affinity lifts the hit rate from 40 % to 80-95 %, the median TTFT falls from 0.6 to about 0.06 s. Without a limit it is best of all.
#
# Second trace: the same router without a limit has a P99 of two *minutes*, since one home gets most requests. With a limit about 1 s. The plain ring breaks too; bounded, it holds, but less well than a router that sees the caches.
# %% role="given" id="moved-keys"


def show_moved():
    """How many of 2,000 prefixes change their replica when one of eight is lost."""
    keys = [f"prefix {k}" for k in range(2000)]
    places = {k: stable_hash(k) for k in keys}
    places.update({f"{n}#{c}": stable_hash(f"{n}#{c}") for n in range(8) for c in range(12)})
    owners = [
        [ring_owner(key, left, 12, places.get, {}, math.inf) for key in keys]
        for left in ([*range(8)], [0, 1, 2, 4, 5, 6, 7])
    ]
    ring_moved = np.mean([a != b for a, b in zip(*owners, strict=True)])
    modulo = np.mean([places[k] % 8 != [0, 1, 2, 4, 5, 6, 7][places[k] % 7] for k in keys])
    show(
        bars({"ring": 100 * ring_moved, "hash modulo n": 100 * modulo}, unit="%", title="prefixes that move when a replica is lost"),
        f"Share of prefixes that change their replica: ring {ring_moved:.0%}, hash modulo the number of replicas {modulo:.0%}.",
    )  # fmt: skip


show_moved()


# %% [markdown] items="2.1.C2 2.1.K3"
# **What you should see.** The ring moves only what the lost replica had: an eighth on average, 9 % for this one, since twelve points each divide the circle unevenly. `hash % n` moves nearly everything: at the moment of a failure every cache in the fleet turns cold, and the prefill load rises for all.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## How many? Little's law
#
# $L = \lambda W$: requests in the system $L$ = arrivals a second $\lambda$ times seconds in it $W$. No assumption on distributions (Little 1961). 30 requests/s of 8 s each are 240 in flight: with 32 slots a replica, at least 7.5 replicas.
#
# That is **utilisation** $\rho = 1$. Randomness needs spare capacity: at $\rho \to 1$ any waiting time goes to infinity.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## Waiting at one server
#
# Poisson arrivals, service time $S$ of any distribution (M/G/1), first come first served. Pollaczek and Khinchine:
#
# $$W_q = \frac{\lambda\, E[S^2]}{2(1-\rho)}, \qquad \rho = \lambda E[S]$$
#
# Two levers: $1-\rho$, and the *second* moment. A few very long prompts in the mix cost everyone. Random routing over $n$ replicas is $n$ such queues of $\lambda/n$ each.
# %% [markdown] items="2.1.C2 2.1.K3"
# ### Exercise: predict the waiting time
#
# <details><summary>Hint 1</summary>E[S^2] is the mean of the squares, not the square of the mean.</details>
# <details><summary>Hint 2</summary>One replica sees rate / replicas.</details>
# %% role="exercise" id="route-wait" items="2.1.C2" minutes=10
def predicted_wait(rate_per_s: float, service_s: np.ndarray, replicas: int) -> tuple[float, float]:
    """Utilisation and mean wait of replicas that get requests at random, each an M/G/1 queue.

    The distribution of the service time is the sample: each of its values equally likely.

    Args:
        rate_per_s: Poisson arrivals of the whole fleet, 0 or more.
        service_s: (n,), seconds that requests hold a replica, above 0; n 1 or more. Not changed.
        replicas: 1 or more.

    Returns:
        (utilisation of a replica, mean seconds from arrival to the start of service), floats; the wait is inf where utilisation is 1 or more. Utilisation is not cut off at 1.

    Raises:
        ValueError: a number outside its range, or no service time.

    >>> predicted_wait(1.0, np.array([0.5, 1.5]), 2)
    (0.5, 0.625)
    """
    ### BEGIN SOLUTION
    service_s = np.asarray(service_s, np.float64)
    if not rate_per_s >= 0 or replicas < 1 or not service_s.size or not np.all(service_s > 0):
        raise ValueError("A rate of 0 or more, times above 0, a replica or more.")
    rate = rate_per_s / replicas
    busy = rate * float(service_s.mean())
    if busy >= 1:
        return busy, math.inf
    return busy, rate * float((service_s**2).mean()) / (2 * (1 - busy))
    ### END SOLUTION


# %% role="check" id="route-wait" points=4
check("route-wait", predicted_wait)
# %% role="given" id="wait-use"


def show_wait():
    """The formula against the simulator, and against least work, by utilisation."""
    rates = [30, 50, 65, 75, 85, 90]
    drawn = {"formula, random": [], "simulated, random": [], "simulated, least work": []}
    shares = []
    for rate in rates:
        load = uneven_load(6, rate, 20_000 / rate)
        share, wait = predicted_wait(rate, load.prompt_tokens / 10_000, fleet_size)
        shares.append(share)
        drawn["formula, random"].append(wait)
        for label, router in (
            ("random", random_router()),
            ("least work", payload_router(length_kind, {})),
        ):
            served = simulate(load, fleet_engine, fleet_size, router)
            drawn[f"simulated, {label}"].append(float(np.mean(served.start_s - served.arrival_s)))
    for share, *waits in zip(shares, *drawn.values(), strict=True):
        print(f"utilisation {share:.2f}: " + ", ".join(f"{n} {w:.4f} s" for n, w in zip(drawn, waits, strict=True)))  # fmt: skip
    show(
        curves(shares, drawn, xlabel="utilisation of prefill", ylabel="mean wait, s", logy=True, title="8 replicas"),
        f"Mean wait over utilisation, log scale: from {drawn['formula, random'][0]:.3f} to {drawn['formula, random'][-1]:.2f} s for random routing, formula and simulation together; least work lies far below.",
    )  # fmt: skip


show_wait()


# %% [markdown] items="2.1.C2"
# **What you should see.** Formula and simulation agree within 5 % up to a utilisation of 0.8. Near saturation they part: 20,000 requests are a short sample, and the heaviest random share decides. Least work lies nine times below and more: one common queue in effect. And every curve bends upwards: the last 10 % of utilisation cost more waiting than
# the first 70 %.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## Waiting at $c$ servers with one queue
#
# M/M/c: offered load $a = \lambda E[S]$, $\rho = a/c$. The chance of waiting (Erlang 1917):
#
# $$C = \frac{\frac{a^c}{c!}\frac{1}{1-\rho}}{\sum_{k<c}\frac{a^k}{k!} + \frac{a^c}{c!}\frac{1}{1-\rho}}, \qquad P(W_q > t) = C\,e^{-(c-a)t/E[S]}$$
#
# and $W_q = C\,E[S]/(c-a)$. Larger fleets run hotter: spare capacity grows like $\sqrt a$.
#
# $a^c$ and $c!$ overflow for large $c$: use $B_k = \frac{aB_{k-1}}{k + aB_{k-1}}$, $B_0=1$, and $C = \frac{B_c}{1-\rho(1-B_c)}$.
# %% [markdown] items="2.1.C2 2.1.K3"
# ### Exercise: how many servers?
#
# <details><summary>Hint 1</summary>Start with the smallest c above a, go up by one until the share is reached.</details>
# <details><summary>Hint 2</summary>Keep B from step to step: one pass over c.</details>
# <details><summary>Hint 3</summary>Share within t: 1 - C exp(-(c - a) t / service).</details>
# %% role="exercise" id="route-servers" items="2.1.C2" minutes=16
def servers_needed(
    rate_per_s: float, service_s: float, most_wait_s: float, share: float
) -> tuple[int, float, float, float]:
    """The fewest servers of an M/M/c queue with which `share` of the requests wait at most most_wait_s.

    Args:
        rate_per_s: Poisson arrivals a second, above 0.
        service_s: mean service time, above 0; rate_per_s * service_s, the offered load, may be 2,000.
        most_wait_s: from arrival to the start of service, 0 or more.
        share: above 0, below 1.

    Returns:
        (servers, utilisation, chance of waiting at all, mean wait in seconds over all requests): an int, more than the offered load, and three floats.

    Raises:
        ValueError: a number outside its range.

    >>> servers, busy, chance, wait_s = servers_needed(2.0, 1.0, 0.5, 0.9)
    >>> servers, round(busy, 3), round(chance, 4), round(wait_s, 4)
    (4, 0.5, 0.1739, 0.087)
    """
    ### BEGIN SOLUTION
    if not (rate_per_s > 0 and service_s > 0 and most_wait_s >= 0 and 0 < share < 1):
        raise ValueError("Rate and service above 0, a wait of 0 or more, a share between 0 and 1.")
    offered, blocked = rate_per_s * service_s, 1.0
    servers, reached = 0, 0.0
    while reached < share:
        servers += 1
        blocked = offered * blocked / (servers + offered * blocked)
        busy, free = offered / servers, servers - offered
        if free > 0:
            chance = blocked / (1 - busy * (1 - blocked))
            reached = 1 - chance * math.exp(-free * most_wait_s / service_s)
    return servers, busy, chance, chance * service_s / free
    ### END SOLUTION


# %% role="check" id="route-servers" points=6
check("route-servers", servers_needed)
# %% role="given" id="servers-figure"


def draw_servers(most_wait=0.1):
    """Utilisation that a fleet may run at, by its size."""
    offers = [1, 3, 10, 30, 100, 300, 1000]
    drawn = {
        f"{share:.0%} within {most_wait:g} s": [
            servers_needed(a, 1.0, most_wait, share)[1] for a in offers
        ]
        for share in (0.5, 0.95, 0.99)
    }
    last = list(drawn.values())[-1]
    fig = curves(offers, drawn, xlabel="offered load (servers that would be busy)", ylabel="utilisation", logx=True,
                 title="service of 1 s: how hot may it run?")  # fmt: skip
    return (
        fig,
        f"Utilisation at which the target still holds, over offered load: for 99 % from {last[0]:.0%} for one busy server to {last[-1]:.0%} for a thousand.",
    )


explore(draw_servers, most_wait=[0.1, 0.0, 1.0])


# %% [markdown] items="2.1.C2"
# **What you should see.** Small fleets need much spare capacity, large ones little: for the same promise one pool of 100 beats ten pools of 10. That is a price of splitting by adapter or priority. No curve reaches 100 %: then the queue has no bound.
# %% [markdown] items="2.1.C2"
# ## Autoscaling
#
# Load changes; a replica takes minutes to come: machine, image, weights, warm-up. In that time the queue grows at the full excess.
#
# - **Signal.** Utilisation saturates at 100 %: it cannot say *how much* is missing. Requests in the system can.
# - **Flapping.** A dip must not remove what the next minute needs: up at once, down only to the highest wish of a *window* (Kubernetes' stabilization window, 5 minutes by default).
# %% [markdown] items="2.1.C2"
# ### Exercise: an autoscaler
#
# <details><summary>Hint 1</summary>Keep a list with one entry a replica: the look from which on it takes requests.</details>
# <details><summary>Hint 2</summary>Ordering extends the list at its end; giving up cuts the end off. That is the stated order.</details>
# <details><summary>Hint 3</summary>ordered = max(wanted, min(ordered, max(last `hold` wishes))).</details>
# %% role="exercise" id="route-autoscale" items="2.1.C2" minutes=20
def scale_decisions(
    in_system: list[int], target: int, start: int, least: int, most: int, hold: int, delay: int
) -> list[tuple[int, int]]:
    """Replicas ordered and up, look by look.

    At look k = 0, 1, ...:
    1. The wish is in_system[k] / target, rounded up, then brought into least..most.
    2. If the wish is above the number ordered, that many more are ordered. If it is below, the number is lowered to the highest wish of the last `hold` looks, this one included (of all looks so far, if they are fewer); it is
       never raised by this.
    3. What is ordered at look k is up at look k + delay and later; the first `start` are up from the beginning. Lowering first gives up replicas that are not up yet, then those that are.

    Args:
        in_system: requests waiting or running at each look, 0 or more. Not changed.
        target: requests a replica is meant to have, 1 or more.
        start: replicas before look 0, in least..most.
        least, most: bounds, 1 <= least <= most.
        hold: looks, 1 or more (1: no cool-down).
        delay: looks, 0 or more.

    Returns:
        for each look (ordered, up) after its decision; ordered counts those that are up.

    Raises:
        ValueError: a number outside its range.

    >>> scale_decisions([10, 45, 20, 20, 5], target=10, start=1, least=1, most=8, hold=3, delay=2)
    [(1, 1), (5, 1), (5, 1), (5, 5), (2, 2)]
    """
    ### BEGIN SOLUTION
    if target < 1 or not 1 <= least <= start <= most or hold < 1 or delay < 0:
        raise ValueError("Positive targets and windows, and start within least and most.")
    if any(n < 0 for n in in_system):
        raise ValueError("Requests are 0 or more.")
    wishes, ready, decisions = [], [0] * start, []
    for look, count in enumerate(in_system):
        wishes.append(min(most, max(least, -(-count // target))))
        ordered = max(wishes[-1], min(len(ready), max(wishes[-hold:])))
        ready += [look + delay] * (ordered - len(ready))
        del ready[ordered:]
        decisions.append((ordered, sum(at <= look for at in ready)))
    return decisions
    ### END SOLUTION


# %% role="check" id="route-autoscale" points=7
check("route-autoscale", scale_decisions)
# %% role="given" id="scale-use"


def wave_load(seed=7, turns=2):
    """Calm, a minute that announces the rush, the rush itself, which comes in bursts; and again."""
    generator, parts, begin = np.random.default_rng(seed), [], 0.0
    # rate, seconds, burstiness
    for rate, lasts_s, burstiness in [
        (6.0, 900.0, 1.0),
        (25.0, 60.0, 1.0),
        (60.0, 200.0, 4.0),
    ] * turns:
        part = make_load(generator, rate, lasts_s, 500, 60, spread=1.0, burstiness=burstiness)
        parts.append((part, begin))
        begin += lasts_s
    columns = [
        np.concatenate([getattr(part, name) + (begin if name == "arrival_s" else 0) for part, begin in parts])
        for name in ("arrival_s", "prompt_tokens", "output_tokens", "prefix", "prefix_tokens")
    ]  # fmt: skip
    return Load(*columns)


def by_count(hold, ahead_looks=0, per_replica=12):
    """Your policy on the requests in the system; with ahead_looks on a straight line into the future."""
    seen = []

    def wanted(replicas):
        seen.append(sum(r.load for r in replicas))
        slope = (seen[-1] - seen[-7]) / 6 if len(seen) > 6 else 0.0
        seen_ahead.append(max(0, round(seen[-1] + max(0.0, slope) * ahead_looks)))
        return scale_decisions(seen_ahead, per_replica, 2, 2, 16, hold, 0)[-1][0]

    seen_ahead = []
    return wanted


def by_utilisation(target=0.6):
    """As Kubernetes' HPA: replicas times utilisation over target, a mean of six looks. Busy: a prompt to read."""
    looked = []

    def wanted(replicas):
        looked.append(np.mean([r.prompt_tokens_ahead > 0 for r in replicas]))
        return math.ceil(len(replicas) * np.mean(looked[-6:]) / target)

    return wanted


def show_scaling(start_s=60.0, every_s=5.0):
    """Cost and P99 of five fleets over the same calm and rush."""
    load, price = wave_load(), 2.0
    least_work = payload_router(length_kind, {})
    looks = round(start_s / every_s)
    policies = {
        "8 always": None,
        "count, no cool-down": by_count(1),
        "count, 2 min": by_count(24),
        "count, 2 min, forecast": by_count(24, looks),
        "utilisation": by_utilisation(),
    }
    for label, policy in policies.items():
        changes = []

        def wanted(replicas, policy=policy, changes=changes):
            changes.append(min(16, max(2, policy(replicas))))
            return changes[-1]

        scaler = policy and Autoscaler(wanted, every_s, start_s, least=2, most=16)
        served = simulate(load, fleet_engine, 2 if policy else 8, least_work, autoscaler=scaler)
        flips = int(np.sum(np.diff(changes) != 0))
        print(f"{label:24s} P50 {served.percentile(0.5, 'ttft_s'):6.2f} s, P99 {served.percentile(0.99, 'ttft_s'):6.1f} s, within 1 s {np.mean(served.ttft_s <= 1):4.0%}, "
              f"{served.replica_s / served.end_s:4.1f} replicas, {1000 * served.cost(price) / len(load):.3f} $ per 1,000, {flips} changes")  # fmt: skip


show_scaling()


# %% [markdown] items="2.1.C2"
# **What you should see.** Eight always: best P99, dearest. Counting requests saves about a third, and pays in each rush: 60 s of too few replicas. The cool-down buys P99 back, since a gap between bursts removes nothing. The forecast almost reaches the fixed fleet's P99 for some 10 % less.
#
# Utilisation is cheapest and fails: P99 of 40 s. At 100 % busy it asks for 1/0.6 as many, a step at a time, whatever the queue.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## Failure and retries
#
# A replica dies with all it holds: queue, half-written answers, KV cache. Its requests begin again elsewhere, so the others get *more* than the lost share for a while, with cold prefixes. At $\rho = 0.9$ on 8 replicas, 7 have $\rho = 1.03$: the queue grows until it is back. **N+1**: size so that
# the loss of one still keeps the promise. Limit retries, or a request that kills its replica visits all.
# %% role="given" id="failure-use"


def show_failure():
    """One of eight is down from 40 s to 80 s, at two loads."""
    for rate in (45.0, 80.0):
        for label, router in (("round robin", round_robin()), ("least work", payload_router(length_kind, {}))):  # fmt: skip
            load = uneven_load(8, rate, 120.0)
            for happens in ((), (Failure(0, 40.0, 80.0),)):
                served = simulate(load, fleet_engine, fleet_size, router, happens)
                print(f"{rate:.0f}/s, {label:12s} {'one fails' if happens else 'all well ':9s} P99 {served.percentile(0.99, 'ttft_s'):6.2f} s, within 1 s {served.goodput_per_s(1.0):5.1f}/s, "
                      f"begun again {int(served.retries.sum())}")  # fmt: skip


show_failure()


# %% [markdown] items="2.1.C2 2.1.K3"
# **What you should see.** Few requests begin again: 8 to 50. At 45/s (utilisation 0.46) the loss hardly shows. At 80/s (0.82, and 0.94 on seven) round-robin loses an eighth of its goodput; least work steers around the queue and keeps it. No router helps above 1: only spare capacity does.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## The shipped model as engine
#
# So far the engine's figures were assumed. Measure them: a prefill of 256 tokens, and a decode step for 1 and for 8 sequences. Then the same routers on a fleet of *this* machine's speed, at 70 % utilisation of its prefill.
# %% role="given" id="shipped-engine"


def measured_engine():
    """An engine with the shipped model's times on this device."""
    shipped = load_lm("lm", profile)
    text = torch.from_numpy(load_tokens("heldout")[:256].astype(np.int64))[None].to(profile.device)
    calls = {}
    for count in (1, 8):
        with torch.inference_mode():
            cache = shipped(text[:, :128].repeat(count, 1), logits_to_keep=1).past_key_values

        def decode(cache=cache, count=count):
            with torch.inference_mode():
                shipped(text[:, :1].repeat(count, 1), past_key_values=cache)

        calls[count] = decode

    def prefill():
        with torch.inference_mode():
            shipped(text, logits_to_keep=1)

    both = interleave_ms({"prefill": prefill, **{str(c): f for c, f in calls.items()}}, warmup=1, rounds=5)  # fmt: skip
    took = {name: float(np.median(ms)) / 1e3 for name, ms in both.items()}
    each = max(0.0, (took["8"] - took["1"]) / 7)
    return Engine(256 / took["prefill"], max(1e-6, took["1"] - each), each, slots=64, prefix_slots=8)  # fmt: skip


def show_shipped():
    """Three routers on that engine."""
    engine = measured_engine()
    print(
        f"prefill {engine.prefill_tokens_per_s:,.0f} tokens/s, a step {1e3 * engine.decode_s:.2f} ms + {1e3 * engine.sequence_s:.3f} ms a sequence"
    )
    # A prompt's mean: median times exp(spread^2 / 2).
    rate = 0.7 * fleet_size * engine.prefill_tokens_per_s / (100 * math.exp(0.5))
    load = make_load(np.random.default_rng(9), rate, 3000 / rate, 100, 16, spread=1.0)
    for label, router in (("random", random_router()), ("two choices", choosing()), ("least work", payload_router(length_kind, {}))):  # fmt: skip
        served = simulate(load, engine, fleet_size, router)
        print(
            f"{label:12s} {rate:.0f}/s: TTFT P50 {1e3 * served.percentile(0.5, 'ttft_s'):.0f} ms, P99 {1e3 * served.percentile(0.99, 'ttft_s'):.0f} ms"
        )


show_shipped()


# %% [markdown] items="2.1.C2 2.1.K3"
# **What you should see.** Other times, the same order. Ratios between routers depend on utilisation and on how unequal the prompts are, hardly on the engine's speed: queueing has no unit of its own. The figures above are this machine's at this moment.
# %% [markdown] items="2.1.C2 2.1.K3"
# ## In your own words: a router to review
#
# A team serves a document assistant on 12 replicas. "Round-robin is fair: each replica gets the same number of requests. We measured 92 % utilisation, so no GPU is wasted; the autoscaler adds a replica when GPU utilisation passes 95 %, start-up takes four minutes. P99 TTFT is bad only at the hour's start, when
# users open the same few documents."
#
# Say what is wrong, and propose router, size and scaling rule, with numbers or formulas and with what you would measure. 120 to 200 words.
# %% [markdown] role="written" id="route-review" items="2.1.C2 2.1.K3" points=3
# **Model answer.** Equal numbers of requests are not equal work: prompts of a document assistant differ by orders of magnitude, so queues form behind long ones. Round-robin also spreads each document over 12 caches, and every replica reads it again; at the hour's start that is twelve prefills of the same document.
#
# Router: prefix-aware, by the document, with a limit: warm replica if at most a few requests busier than the least loaded one, else least tokens ahead. At larger scale a consistent-hash ring with bounded load (1.25), so a lost replica moves only its own documents.
#
# Size: waiting grows like 1/(1 - rho). At 0.92 a failure makes 0.92 * 12/11 = 1.004: the queue has no bound. I would plan for rho near 0.7 with one replica down, by Erlang C for the P99 target, then simulate.
#
# Scaling: utilisation saturates, so it signals late and cannot say how many are missing. Use requests (or prompt tokens) in the system, scale ahead of the known hour, four minutes before; down only after a window.
#
# Measure on a recorded trace: hit rate, P99 TTFT, goodput, spread of load, with one replica failing.
#
# **Rubric.** 1 point: unequal work and split caches as causes. 1 point: 92 % is no success, with a calculation (one lost replica, or waiting). 1 point: a router with a fallback, and a scaling rule that accounts for start-up time and another signal than utilisation.
# %% [markdown]
# ## Recap
#
# - Look before you send: two choices remove most of random's tail; tokens ahead beat counts when prompts are unequal.
# - Prefix affinity turns many small caches into a large one; without a limit it makes hot spots. A ring moves only the lost replica's keys.
# - Waiting goes like $1/(1-\rho)$ and with $E[S^2]$. Large pools run hotter. Never plan for 100 %.
# - Autoscaling is late by the start-up time: scale on what is in the system, up fast, down slowly.
#
# ## Three questions without code
#
# <details><summary>1. Why can join-shortest-queue be worse than two choices in a real fleet with ten routers?</summary>Loads are reported with a delay. Until the next report all ten send to the same replica that looked empty.</details>
# <details><summary>2. Half of the requests carry one system prompt. What does a ring without bound do?</summary>One replica gets half of the load of the whole fleet.</details>
# <details><summary>3. Two teams with 10 replicas each merge their pools. What changes at the same load?</summary>Less waiting, or fewer replicas for the same promise: spare capacity grows with the root of the load only. Payload pools give that back.</details>
#
# ## Reading
#
# - Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (1996, thesis; 2001, IEEE TPDS).
# - Karger et al., "Consistent Hashing and Random Trees" (1997). Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
# - Kleinrock, "Queueing Systems", volume 1 (1975): M/M/c, M/G/1. Harchol-Balter, "Performance Modeling and Design of Computer Systems" (2013): task assignment by size.
# - Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs" (2024): RadixAttention and cache-aware scheduling.
# - Kubernetes documentation, "Horizontal Pod Autoscaling": the formula, tolerance, stabilization window.
#
# **Next:** Kubernetes, Slurm and NIM: who starts these replicas?
