"""parallel-vocabulary: cross-entropy from shards of logits, against log-sum-exp over all words."""

import math

import numpy as np

from autograder.checks import case, expect

BANK_SEEDS = 2  # threads cost time
PARTS = {"losses": 0.35, "few numbers": 0.3, "extremes": 0.2, "refuse": 0.15}
HINTS = (
    "A maximum over ranks, then sums: of exp(logit - maximum), and of the target's logit.",
    "Rank r holds word v if r W <= v < (r + 1) W; its place there is v - r W.",
    "Two calls are enough: torch.stack the two sums.",
)


def _split(logits, ranks):
    return [part.copy() for part in np.split(logits, ranks, axis=1)]


def cases(rng):
    for part in ("losses", "few numbers"):
        for ranks, tokens, width, dtype in ((2, 5, 4, "float64"), (4, 9, 8, "float32"),
                                            (3, 7, 5, "float64"), (8, 3, 2, "float64")):  # fmt: skip
            logits = (3 * rng.standard_normal((tokens, ranks * width))).astype(dtype)
            targets = rng.integers(0, ranks * width, tokens)
            targets[: min(tokens, ranks)] = np.arange(min(tokens, ranks)) * width  # first words
            yield case(f"{ranks} ranks, {tokens} tokens, {width} words each, {dtype}", part,
                       parts=_split(logits, ranks), targets=targets)  # fmt: skip
    yield case(
        "one rank", "losses", parts=[rng.standard_normal((4, 6))], targets=np.array([0, 5, 2, 2])
    )
    yield case("last words", "losses", parts=_split(rng.standard_normal((3, 12)), 3),
               targets=np.array([3, 7, 11]))  # fmt: skip
    part = "extremes"
    logits = rng.standard_normal((6, 12)) * 10
    for shift in (1e4, -1e4):
        yield case(f"logits around {shift:g}", part, parts=_split(logits + shift, 3),
                   targets=rng.integers(0, 12, 6))  # fmt: skip
    levels = np.array([1e4, -1e4, 0.0, 5e3, -300.0, 900.0])[:, None]
    yield case("tokens far apart", part, parts=_split(logits + levels, 3),
               targets=rng.integers(0, 12, 6))  # fmt: skip
    yield case("ranks far apart", part, targets=np.array([0, 4, 8, 11, 5, 1]),
               parts=_split(logits + np.repeat([0.0, 900.0, -900.0], 4), 3))  # fmt: skip
    padded = logits.copy()
    padded[:, 10:] = -np.inf
    yield case(
        "words that do not exist",
        part,
        parts=_split(padded, 3),
        targets=np.array([0, 9, 3, 4, 8, 1]),
    )
    padded[:, 8:] = -np.inf
    yield case(
        "a rank without any word",
        part,
        parts=_split(padded, 3),
        targets=np.array([0, 7, 3, 4, 5, 1]),
    )
    parts = _split(rng.standard_normal((3, 8)), 2)
    for label, targets in (("a target of V", [0, 8, 3]), ("a target of -1", [0, -1, 3]),
                           ("a target far off", [100, 1, 2])):  # fmt: skip
        yield case(label, "refuse", parts=parts, targets=np.array(targets), refuse=True)


def probe(solution, parts, targets, refuse=False):
    import torch

    from lab.thread_ranks import thread_ranks

    class View:
        """What the text offers, and no more."""

        def __init__(self, me):
            self.rank, self.ranks, self.all_reduce = me.rank, me.ranks, me.all_reduce

    seen = []

    def on_rank(me, logits):
        seen.append(me)
        own, ids = torch.from_numpy(logits.copy()), torch.from_numpy(targets.copy())
        result = solution(View(me), own, ids)
        return result, np.array_equal(own.numpy(), logits) and np.array_equal(ids.numpy(), targets)

    given = [(part,) for part in parts]
    if refuse:
        found = refusal(lambda: thread_ranks(on_rank, given))  # noqa: F821
        return {**found, "calls": sum(len(me.reduced) for me in seen)}
    rows, members = thread_ranks(on_rank, given)
    return {
        "results": [row[0] for row in rows],
        "kept": [bool(row[1]) for row in rows],
        "numbers": [sum(int(part.numel()) for _, part in me.reduced) for me in members],
    }


def losses(parts, targets):
    """Token by token in float64, with math.fsum."""
    whole = np.concatenate(parts, axis=1).astype(np.float64)
    found = []
    for row, target in zip(whole, targets, strict=True):
        top = row.max()
        found.append(math.log(math.fsum(math.exp(z - top) for z in row)) + top - row[target])
    return np.array(found)


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        expect.integer(answer["calls"], 0, "calls of all_reduce before the refusal")
        return
    want, dtype = losses(case.parts, case.targets), case.parts[0].dtype
    # Rounding of the logits themselves, seen through a difference of two of them.
    size = max(float(np.abs(p[np.isfinite(p)]).max(initial=1.0)) for p in case.parts)
    loose = 64 * float(np.finfo(dtype).eps) * size
    for rank, result in enumerate(answer["results"]):
        name = f"losses on rank {rank}"
        found = expect.tensor(result, name, shape=want.shape, dtype=f"torch.{dtype}")
        expect.close(found, want, name, rtol=0, atol=loose)
        expect.that(answer["kept"][rank], "An argument was changed: work on new tensors.",
                    stage="mutation")  # fmt: skip
    if case.part != "losses":
        for rank, numbers in enumerate(answer["numbers"]):
            expect.that(numbers <= 3 * len(want), "Send at most 3 numbers a token.",
                        yours=f"{numbers} from rank {rank}", right=f"at most {3 * len(want)}")  # fmt: skip
