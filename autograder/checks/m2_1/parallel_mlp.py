"""parallel-mlp: column- then row-parallel MLP on threads, against the whole layer in float64."""

import math

import numpy as np

from autograder.checks import case, expect

PARTS = {"result": 0.5, "shares": 0.3, "edges": 0.2}
HINTS = (
    "Rank r: rows of w_in, entries of b_in, columns of w_out, all from r F / n to (r + 1) F / n.",
    "b_out belongs to the sum once: add it after the all-reduce.",
    "GELU acts on the shard, before the second matrix and before any sum.",
)


def _layer(rng, hidden, units, dtype):
    def draw(*shape):
        return (rng.standard_normal(shape) * 1.2).astype(dtype)

    return {
        "w_in": draw(units, hidden),
        "b_in": draw(units),
        "w_out": draw(hidden, units),
        "b_out": draw(hidden) + np.asarray(2, dtype),
    }


def cases(rng):
    for part in ("result", "shares"):
        for ranks, hidden, units, rows, dtype in (
            (2, 4, 8, 3, "float64"),
            (3, 5, 12, 4, "float64"),
            (4, 8, 32, 6, "float32"),
            (8, 6, 24, 2, "float64"),
            (2, 3, 2, 5, "float64"),
        ):
            x = rng.standard_normal((rows, hidden)).astype(dtype)
            yield case(f"{ranks} ranks, {units} units, {dtype}", part, x=x, ranks=ranks,
                       **_layer(rng, hidden, units, dtype))  # fmt: skip
    yield case("square matrices", "result", x=rng.standard_normal((6, 6)), ranks=3,
               **_layer(rng, 6, 6, "float64"))  # fmt: skip
    part = "edges"
    yield case("one rank", part, x=rng.standard_normal((2, 4)), ranks=1,
               **_layer(rng, 4, 6, "float64"))  # fmt: skip
    yield case("one vector", part, x=rng.standard_normal(4), ranks=2,
               **_layer(rng, 4, 6, "float64"))  # fmt: skip
    yield case("a batch of texts", part, x=rng.standard_normal((2, 3, 4)), ranks=2,
               **_layer(rng, 4, 6, "float64"))  # fmt: skip
    for ranks, units in ((3, 8), (4, 6), (2, 1)):
        yield case(f"{units} units, {ranks} ranks", part, x=rng.standard_normal((2, 4)),
                   ranks=ranks, refuse=True, **_layer(rng, 4, units, "float64"))  # fmt: skip


def probe(solution, x, w_in, b_in, w_out, b_out, ranks, refuse=False):
    import torch

    from lab.thread_ranks import thread_ranks

    class View:
        """What the text offers, and no more."""

        def __init__(self, me):
            self.rank, self.ranks, self.all_reduce = me.rank, me.ranks, me.all_reduce

    given = [torch.from_numpy(a.copy()) for a in (x, w_in, b_in, w_out, b_out)]
    seen = []

    def on_rank(me):
        seen.append(me)
        own = [a.clone() for a in given]
        result = solution(View(me), *own)
        return result, all(torch.equal(a, b) for a, b in zip(own, given, strict=True))

    if refuse:
        found = refusal(lambda: thread_ranks(on_rank, [()] * ranks))  # noqa: F821
        return {**found, "calls": sum(len(me.reduced) for me in seen)}
    rows, members = thread_ranks(on_rank, [()] * ranks)
    return {
        "results": [row[0] for row in rows],
        "kept": [row[1] for row in rows],
        "given": [[[op, part.numpy()] for op, part in me.reduced] for me in members],
    }


def _gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def _share(case, rank=None):
    """In float64: what the units of a rank (None: all) add to the output, without b_out."""
    x, w_in, b_in, w_out = (
        np.asarray(a, dtype=np.float64) for a in (case.x, case.w_in, case.b_in, case.w_out)
    )
    count = len(b_in)
    first, stop = 0, count
    if rank is not None:
        first, stop = (r * count // case.ranks for r in (rank, rank + 1))
    total = np.zeros(x.shape)
    for unit in range(first, stop):  # unit by unit, unlike any answer
        total += _gelu(np.asarray(x @ w_in[unit] + b_in[unit]))[..., None] * w_out[:, unit]
    return total


def judge(case, answer):
    if case.inputs.get("refuse"):
        expect.raised(answer, "ValueError", "Raise ValueError where the units do not divide.")
        expect.integer(answer["calls"], 0, "calls of all_reduce before the refusal")
        return
    want = _share(case) + np.asarray(case.b_out, dtype=np.float64)
    loose = 1e-4 if case.x.dtype == np.float32 else 1e-11
    for rank, result in enumerate(answer["results"]):
        name = f"result of rank {rank}"
        found = expect.tensor(result, name, shape=case.x.shape, dtype=f"torch.{case.x.dtype}")
        expect.close(found, want, name, rtol=loose, atol=loose)
        expect.that(answer["kept"][rank], "An argument was changed: work on new tensors.",
                    stage="mutation")  # fmt: skip
    if case.part == "result" or case.ranks == 1:  # alone, a rank may leave the sum out
        return
    for rank, calls in enumerate(answer["given"]):
        expect.integer(len(calls), 1, f"calls of all_reduce on rank {rank}")
        op, part = calls[0]
        expect.that(op == "sum", "The all-reduce sums.", yours=op, right="sum")
        expect.that(part.shape == case.x.shape, "The all-reduce takes a tensor shaped like x.",
                    stage="shape", yours=str(part.shape), right=str(case.x.shape))  # fmt: skip
        rest = (part - _share(case, rank)).reshape(-1, case.x.shape[-1])
        near = np.abs(rest - rest[0]).max() <= 10 * loose * (1 + np.abs(part).max())
        expect.that(near, f"What rank {rank} gives to the sum is not the share of its own units.",
                    hint="Units r F / n to (r + 1) F / n - 1, in order.")  # fmt: skip
