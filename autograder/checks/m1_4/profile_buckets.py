"""profile-buckets: any choice of least padding is right; the least comes from a dynamic programme."""

from collections import Counter
from numbers import Integral

from autograder.checks import case, expect

PARTS = {"legal": 0.2, "least padding": 0.6, "refuse": 0.2}
HINTS = (
    "In a best choice every bucket is one of the lengths: move it down to the longest request in it.",
    "best[k][j]: least cost of the j shortest distinct lengths in k buckets; the last takes lengths i+1..j",
    "Keep which i was best, and walk back.",
)


def cases(rng):
    legal, least, refuse = PARTS
    yield case("one request", legal, lengths=[17], count=1)
    yield case("all alike", legal, lengths=[64] * 9, count=3)
    yield case("more buckets than lengths", legal, lengths=[5, 9, 9, 70], count=8)
    yield case("one bucket", legal, lengths=[3, 40, 12, 40, 7], count=1)
    yield case("given in no order", legal, lengths=[90, 3, 55, 3, 12], count=2)
    yield case("a few long requests", least, lengths=[10] * 50 + [100] * 3 + [1000], count=2)
    yield case("quantiles are not best", least, lengths=[1, 2, 3, 4, 5, 6, 7, 8, 9, 200], count=2)
    yield case(
        "powers of two are not best", least, lengths=[33] * 40 + [65] * 40 + [129] * 5, count=3
    )
    yield case(
        "frequent lengths weigh more",
        least,
        lengths=[10] * 3 + [20] * 90 + [30] * 2 + [40] * 60,
        count=2,
    )
    yield case(
        "equal steps are not best", least, lengths=[1] * 5 + [2] * 5 + [3] * 5 + [100] * 5, count=3
    )
    steps = [20] * 8 + [40] * 3 + [60] * 4 + [100] * 2 + [110] * 7
    yield case("one bucket after another is not best", least, lengths=steps, count=3)
    # On these, moving one bucket at a time gets stuck, from quantiles or from a greedy choice.
    for sizes, times, count in (
        ((90, 110, 140, 160, 170, 190, 230, 240), (3, 2, 4, 3, 1, 1, 1, 7), 4),
        ((30, 50, 70, 110, 160, 190), (6, 5, 3, 3, 7, 8), 4),
    ):
        lengths = [size for size, n in zip(sizes, times, strict=True) for _ in range(n)]
        label = f"moving one of {count} buckets at a time is not best, {len(lengths)} requests"
        yield case(label, least, lengths=lengths, count=count)
    for size, count in ((12, 3), (40, 4), (150, 6), (150, 2)):
        lengths = [int(v) + 1 for v in rng.lognormal(3.5, 0.9, size)]
        yield case(f"{size} requests, {count} buckets", least, lengths=lengths, count=count)
    for label, lengths, count in (
        ("no requests", [], 2),
        ("no buckets", [4, 5], 0),
        ("-1 buckets", [4, 5], -1),
        ("a length of 0", [4, 0], 2),
        ("a negative length", [-3, 4], 2),
    ):
        yield case(label, refuse, lengths=lengths, count=count, good=False)


def probe(solution, lengths, count, good=True):
    if not good:
        return refusal(lambda: solution(lengths, count))  # noqa: F821
    answer = solution(lengths, count)
    if isinstance(answer, (list, tuple)):
        answer = list(answer)
    return answer.tolist() if isinstance(answer, np.ndarray) else answer  # noqa: F821


def cost(lengths, buckets) -> int:
    """Tokens computed when each request is padded to the smallest bucket that holds it."""
    return sum(min(b for b in buckets if b >= length) for length in lengths)


def least(lengths, count) -> int:
    """The least tokens computed with at most `count` buckets."""
    pairs = sorted(Counter(lengths).items())
    infinite = float("inf")
    best = [0] + [infinite] * len(pairs)
    for _ in range(count):
        new = [0] + [infinite] * len(pairs)
        for j in range(1, len(pairs) + 1):
            held = 0
            for i in range(j - 1, -1, -1):
                held += pairs[i][1]
                new[j] = min(new[j], best[i] + held * pairs[j - 1][0])
        best = [min(a, b) for a, b in zip(best, new, strict=True)]
    return int(best[-1])


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.that(
        isinstance(answer, list),
        "Return a list of bucket lengths.",
        stage="type",
        yours=expect.kind(answer),
    )
    ints = all(isinstance(b, Integral) and not isinstance(b, bool) for b in answer)
    expect.that(
        ints and len(answer) > 0,
        "Bucket lengths are ints, at least one.",
        stage="type",
        yours=answer,
    )
    expect.that(
        all(a < b for a, b in zip(answer, answer[1:], strict=False)),
        "Buckets must ascend, each once.",
        yours=answer,
    )
    expect.that(
        len(answer) <= case.count,
        "Too many buckets.",
        yours=len(answer),
        right=f"at most {case.count}",
    )
    expect.that(
        answer[-1] >= max(case.lengths),
        "The longest request fits in no bucket.",
        yours=answer[-1],
        right=max(case.lengths),
    )
    if case.part == "legal":
        return
    yours, right = cost(case.lengths, answer), least(case.lengths, case.count)
    expect.that(
        yours == right,
        "Fewer padded tokens are possible.",
        yours=f"{yours} tokens computed",
        right=f"{right} tokens",
    )
