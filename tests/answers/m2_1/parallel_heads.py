"""Answers to parallel-heads."""

from autograder.checks.bank import right, wrong


def _refuse(rank, ranks, heads, kv, dim, skip=""):
    if "c" not in skip and min(ranks, heads, kv, dim) < 1:
        raise ValueError("counts")
    if "r" not in skip and not 0 <= rank < ranks:
        raise ValueError("rank")
    if "g" not in skip and kv and heads % kv:
        raise ValueError("groups")
    if "h" not in skip and ranks and heads % ranks:
        raise ValueError("heads")
    if "k" not in skip and kv % ranks and ranks % kv:
        raise ValueError("KV heads")


def _model(rank, ranks, heads, kv, dim, *, skip="", kv_rows=None, copies=None, rows=True):
    _refuse(rank, ranks, heads, kv, dim, skip)
    own = heads // ranks
    group = max(1, heads // kv)
    first, last = rank * own // group, ((rank + 1) * own - 1) // group
    q = [rank * own, (rank + 1) * own]
    k = [first, last + 1]
    if kv_rows:
        k = kv_rows(rank, ranks, heads, kv)
    size = dim if rows else 1
    count = max(1, ranks // kv) if copies is None else copies(ranks, heads, kv)
    return (q[0] * size, q[1] * size, k[0] * size, k[1] * size, count)


@right("heads, then rows")
def by_heads(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim)


@right("two cases")
def by_cases(rank, ranks, heads, kv_heads, head_dim):
    if ranks < 1 or rank < 0 or rank >= ranks or heads < 1 or kv_heads < 1 or head_dim < 1:
        raise ValueError("range")
    if heads % ranks or heads % kv_heads:
        raise ValueError("multiple")
    q = heads // ranks * head_dim
    if kv_heads % ranks == 0:
        size = kv_heads // ranks * head_dim
        return [rank * q, rank * q + q, rank * size, rank * size + size, 1]
    if ranks % kv_heads:
        raise ValueError("KV")
    copies = ranks // kv_heads
    return [
        rank * q,
        rank * q + q,
        rank // copies * head_dim,
        (rank // copies + 1) * head_dim,
        copies,
    ]


@wrong(
    "kv-cut-like-q",
    "KV heads are fewer: rows of W_K follow from the groups, not from the query rows.",
)
def like_q(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim,
                  kv_rows=lambda r, n, h, k: [r * h // n, (r + 1) * h // n])  # fmt: skip


@wrong("kv-not-cut", "Each rank keeps the KV heads of its own query heads, not all.")
def not_cut(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, kv_rows=lambda r, n, h, k: [0, k])


@wrong(
    "kv-dealt-in-turn",
    "Ranks that share a KV head are neighbours: KV head rank // copies, not rank % kv_heads.",
)
def in_turn(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, kv_rows=lambda r, n, h, k:
                  [r % k, r % k + 1] if n > k else [r * k // n, (r + 1) * k // n])  # fmt: skip


@wrong("kv-rows-empty", "With more ranks than KV heads a rank still keeps one of them.")
def empty(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim,
                  kv_rows=lambda r, n, h, k: [r * (k // n), (r + 1) * (k // n)])  # fmt: skip


@wrong("heads-for-rows", "Return rows: head numbers times head_dim.")
def head_numbers(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, rows=False)


@wrong("copies-not-counted", "With more ranks than KV heads each is kept ranks / kv_heads times.")
def no_copies(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, copies=lambda n, h, k: 1)


@wrong("copies-is-group", "copies counts ranks, not the query heads of a group.")
def group_size(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, copies=lambda n, h, k: h // k)


@wrong("copies-is-zero", "Where none is copied, one rank keeps each KV head.")
def zero(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, copies=lambda n, h, k: n // k)


@wrong("copies-is-all-ranks", "Not every rank keeps the same KV head.")
def all_ranks(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, copies=lambda n, h, k: n if n > k else 1)


@wrong("last-row-included", "The stops are exclusive.")
def inclusive(rank, ranks, heads, kv_heads, head_dim):
    a, b, c, d, e = _model(rank, ranks, heads, kv_heads, head_dim)
    return a, b - 1, c, d - 1, e


@wrong("floats", "Rows are ints: use //.")
def floats(rank, ranks, heads, kv_heads, head_dim):
    a, b, c, d, e = _model(rank, ranks, heads, kv_heads, head_dim)
    return a / 1, b / 1, c / 1, d / 1, e


@wrong("refuses-copies", "Fewer KV heads than ranks is allowed: they are copied.")
def no_fewer(rank, ranks, heads, kv_heads, head_dim):
    if kv_heads % ranks:
        raise ValueError("KV heads do not divide")
    return _model(rank, ranks, heads, kv_heads, head_dim)


@wrong(
    "uneven-kv-allowed",
    "Where neither of kv_heads and ranks is a multiple of the other, raise ValueError.",
)
def uneven(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, skip="k")


@wrong("uneven-heads-allowed", "Heads that do not divide among the ranks must raise ValueError.")
def uneven_heads(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, skip="hk")


@wrong("groups-not-checked", "heads must be a multiple of kv_heads.")
def groups(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, skip="g")


@wrong("rank-not-checked", "A rank outside 0 to ranks - 1 must raise ValueError.")
def any_rank(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, skip="r")


@wrong("zero-accepted", "Counts below 1 must raise ValueError.")
def counts(rank, ranks, heads, kv_heads, head_dim):
    return _model(rank, ranks, heads, kv_heads, head_dim, skip="c")
