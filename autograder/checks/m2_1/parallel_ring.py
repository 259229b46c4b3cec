"""parallel-ring: a ring all-reduce on threads that pass real messages, against the exact sum."""

from fractions import Fraction

import numpy as np

from autograder.checks import case, expect

PARTS = {"sums": 0.4, "messages": 0.4, "edges": 0.2}
HINTS = (
    "Send before you wait: in a ring where all wait first nobody goes on.",
    "n - 1 steps add what comes in; n - 1 steps overwrite.",
    "In step s of the first half rank r sends chunk (r - s) % n.",
)


def _vectors(rng, ranks, count, dtype):
    """Whole numbers, so that sums are exact in any order."""
    return [rng.integers(-1000, 1000, count).astype(dtype) for _ in range(ranks)]


def cases(rng):
    for ranks, count, dtype in ((2, 8, "float64"), (3, 12, "float64"), (4, 20, "float32"),
                                (5, 25, "int64"), (8, 64, "float64")):  # fmt: skip
        for part in ("sums", "messages"):
            yield case(f"{ranks} ranks, {count} {dtype}", part,
                       vectors=_vectors(rng, ranks, count, dtype))  # fmt: skip
    for ranks, count in ((2, 7), (3, 10), (4, 15), (7, 40)):
        for part in ("sums", "messages"):
            yield case(f"{count} numbers in {ranks} chunks", part,
                       vectors=_vectors(rng, ranks, count, "float64"))  # fmt: skip
    rows = [rng.standard_normal(33) * 10.0 ** rng.integers(-6, 6, 33) for _ in range(6)]
    yield case("numbers that round", "sums", vectors=rows)
    yield case("large integers", "sums", vectors=_vectors(rng, 3, 5, "int64") + [np.full(5, 2**55)])
    yield case("one rank", "edges", vectors=[_vectors(rng, 1, 6, "float32")[0]])
    yield case("fewer numbers than ranks", "edges", vectors=_vectors(rng, 5, 3, "float64"))
    yield case("no numbers", "edges", vectors=_vectors(rng, 3, 0, "float64"))
    for ranks in (1, 2):
        matrices = [row.reshape(2, 3) for row in _vectors(rng, ranks, 6, "float64")]
        yield case(f"matrices, {ranks} ranks", "edges", vectors=matrices, refuse=True)


def probe(solution, vectors, refuse=False):
    from lab.thread_ranks import thread_ranks

    class View:
        """What the text offers, and no more."""

        def __init__(self, me):
            self.rank, self.ranks = me.rank, me.ranks
            self.send_next, self.recv_previous = me.send_next, me.recv_previous

    seen = []

    def on_rank(me, x):
        seen.append(me)
        result = solution(View(me), x)
        return result, bool(isinstance(result, np.ndarray) and np.shares_memory(result, x))

    if refuse:
        found = refusal(lambda: thread_ranks(on_rank, [(x,) for x in vectors]))  # noqa: F821
        return {**found, "sent": sum(len(me.sent) for me in seen)}
    rows, members = thread_ranks(on_rank, [(x,) for x in vectors])
    return {
        "results": [row[0] for row in rows],
        "shared": [row[1] for row in rows],
        "sent": [me.sent for me in members],
        "unread": [me.unread for me in members],
    }


def _sums(vectors):
    """The exact sums, and the sums of magnitudes, which bound the rounding of any order."""
    exact = [sum(Fraction(x.item()) for x in column) for column in zip(*vectors, strict=True)]
    size = [sum(abs(float(x)) for x in column) for column in zip(*vectors, strict=True)]
    return np.array([float(x) for x in exact]), np.array(size)


def judge(case, answer):
    if case.inputs.get("refuse"):
        expect.raised(answer, "ValueError", "Raise ValueError for an x that has not one dimension.")
        expect.integer(answer["sent"], 0, "messages sent before the refusal")
        return
    given = case.vectors
    ranks, first = len(given), given[0]
    for rank, result in enumerate(answer["results"]):
        name = f"result of rank {rank}"
        result = expect.array(result, name, shape=first.shape, dtype=first.dtype)
        expect.that(not answer["shared"][rank], "Return a new array, not x or a view of it.")
        if first.dtype.kind == "i":
            expect.codes(result, np.sum(given, axis=0), name)
        else:
            want, size = _sums(given)
            bound = ranks * np.finfo(first.dtype).eps * size
            expect.close(result, want, name, rtol=0, atol=bound)
        same = result.tobytes() == np.asarray(answer["results"][0]).tobytes()
        expect.that(same, "All ranks return the same numbers, bit for bit.",
                    where=f"ranks 0 and {rank}")  # fmt: skip
    if case.part != "sums":
        _messages(answer, ranks, first)


def _messages(answer, ranks, first):
    total, most = 0, -(-len(first) // ranks)
    for rank, sent in enumerate(answer["sent"]):
        expect.integer(len(sent), 2 * (ranks - 1), f"messages of rank {rank}")
        for size, dtype in sent:
            expect.that(
                dtype == first.dtype.name, "Send in x's dtype.", yours=dtype, right=first.dtype.name
            )
            expect.that(size <= most, "A message is one chunk.", yours=f"{size} numbers",
                        right=f"at most {most}")  # fmt: skip
            total += size
        expect.integer(answer["unread"][rank], 0, f"messages that rank {rank} left unread")
    expect.integer(total, 2 * (ranks - 1) * len(first), "numbers sent by all ranks together")
