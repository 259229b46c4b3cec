"""parallel-heads: rows of the projections on a rank, head by head."""

from autograder.checks import case, expect

BANK_SEEDS = 1
PARTS = {"own heads": 0.4, "copied heads": 0.4, "refuse": 0.2}
HINTS = (
    "Query head h belongs to KV head h // (heads // kv_heads).",
    "The last row is exclusive: (last head + 1) * head_dim.",
    "copies: ranks / kv_heads where there are more ranks than KV heads, else 1.",
)
NAMES = ("q_start", "q_stop", "kv_start", "kv_stop", "copies")


def cases(rng):
    for ranks, heads, kv, dim in ((1, 4, 2, 64), (2, 8, 4, 64), (2, 8, 8, 16), (4, 32, 8, 128),
                                  (8, 64, 8, 128), (3, 12, 6, 80), (3, 12, 3, 5)):  # fmt: skip
        for rank in sorted({0, ranks // 2, ranks - 1}):
            yield case(f"rank {rank} of {ranks}: {heads} heads, {kv} for KV", "own heads",
                       rank=rank, ranks=ranks, heads=heads, kv_heads=kv, head_dim=dim)  # fmt: skip
    for ranks, heads, kv, dim in ((2, 8, 1, 64), (4, 8, 2, 64), (16, 64, 8, 128), (8, 8, 1, 32),
                                  (12, 24, 3, 10), (6, 12, 2, 7)):  # fmt: skip
        for rank in range(ranks):
            if ranks < 8 or rank % 3 == 1:
                yield case(f"rank {rank} of {ranks}: {heads} heads, {kv} for KV", "copied heads",
                           rank=rank, ranks=ranks, heads=heads, kv_heads=kv, head_dim=dim)  # fmt: skip
    good = {"rank": 0, "ranks": 2, "heads": 8, "kv_heads": 4, "head_dim": 8}
    for label, bad in (
        ("heads that do not divide among the ranks", {"ranks": 3, "kv_heads": 8, "heads": 8}),
        ("more ranks than heads", {"ranks": 16}),
        ("6 KV heads on 4 ranks", {"heads": 24, "kv_heads": 6, "ranks": 4}),
        ("4 KV heads on 6 ranks", {"heads": 12, "kv_heads": 4, "ranks": 6}),
        ("heads that are no multiple of the KV heads", {"heads": 8, "kv_heads": 6}),
        ("rank 2 of 2", {"rank": 2}),
        ("rank -1", {"rank": -1}),
        ("no ranks", {"ranks": 0}),
        ("no KV heads", {"kv_heads": 0}),
        ("no heads", {"heads": 0}),
        ("heads of no size", {"head_dim": 0}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, rank, ranks, heads, kv_heads, head_dim, refuse=False):
    if refuse:
        return refusal(lambda: solution(rank, ranks, heads, kv_heads, head_dim))  # noqa: F821
    return solution(rank, ranks, heads, kv_heads, head_dim)


def rows(rank, ranks, heads, kv_heads, head_dim):
    """By dealing heads out one at a time, and asking every rank which KV heads it needs."""
    owners = [head * ranks // heads for head in range(heads)]
    shared = [kv for kv in range(kv_heads) for _ in range(heads // kv_heads)]
    needs = [{shared[h] for h in range(heads) if owners[h] == r} for r in range(ranks)]
    mine = [h for h in range(heads) if owners[h] == rank]
    first, last = min(needs[rank]), max(needs[rank])
    copies = sum(first in need for need in needs)
    return (min(mine) * head_dim, (max(mine) + 1) * head_dim, first * head_dim,
            (last + 1) * head_dim, copies)  # fmt: skip


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = rows(case.rank, case.ranks, case.heads, case.kv_heads, case.head_dim)
    for value, right, name in zip(expect.sequence(answer, NAMES), want, NAMES, strict=True):
        expect.integer(value, right, name)
    return None
