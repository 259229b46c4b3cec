"""kmeans-codebook: Lloyd in one dimension from linearly spaced centres; ascending codebook, codes."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import codebook as oracle

PARTS = {"codebook": 0.6, "edges": 0.4}
HINTS = (
    "np.linspace(x.min(), x.max(), 2**bits) gives the starting centres, already ascending.",
    "np.abs(x.ravel()[:, None] - centres).argmin(1) is the nearest centre, the lower one on a tie.",
    "Move a centre only if it has members: centres[j] = x[codes == j].mean().",
    "Assign once more at the end, to the centres that you return.",
)
# Random values stay this share of the range away from every boundary, so that a mean that is
# rounded differently cannot move a value to another cluster.
MARGIN = 2e-6
ATOL = 1e-6


def _clear(rng, draw, bits, max_iter):
    """A drawn array whose values all stay clear of the boundaries in every round."""
    for _ in range(200):
        x = draw(rng)
        if oracle.lloyd(x, bits, max_iter)[3] > MARGIN:
            return x
    raise RuntimeError("no draw is clear of the boundaries")


def cases(rng):
    def normal(shape, dtype=np.float32):
        return lambda r: r.standard_normal(shape).astype(dtype)

    yield _case(rng, "64 normal values, 2 bits", normal(64), 2)
    yield _case(rng, "997 values with long tails, 3 bits", _tails, 3)
    yield _case(rng, "16 levels", normal(400), 4)
    yield _case(rng, "positive, with an outlier", _positive, 3)
    yield _case(rng, "a matrix, read through a view", _view, 2)
    yield _case(rng, "many equal values", lambda r: np.round(r.normal(0.1, 1, 300), 1), 3)
    yield _case(rng, "1 bit, float64", normal((5, 3, 7), np.float64), 1)
    yield case("a slow layer", part="codebook", x=_slow(rng), bits=4, max_iter=400)
    yield from _edges(rng)


def _slow(rng):
    """Weights that move for over 60 rounds, the last ones by less than most tolerances."""
    for _ in range(200):
        x = rng.normal(0, 0.02, (48, 64)).astype(np.float32)
        if not oracle.lloyd(x, 4, 60)[2]:
            return x
    raise RuntimeError("no draw is slow")


def _case(rng, label, draw, bits, max_iter=100, part="codebook"):
    x = _clear(rng, draw, bits, max_iter)
    return case(label, part=part, x=x, bits=bits, max_iter=max_iter)


def _tails(rng):
    return (rng.laplace(size=997) * 0.05).astype(np.float32)


def _far(rng):
    """Values that get other codes from centres, or from values, that are rounded to float32."""
    for _ in range(200):
        x = 1000 + rng.standard_normal(120) * 2e-4
        centres, codes, _, _ = oracle.lloyd(x, 2, 100)
        narrow = centres.astype(np.float32).astype(np.float64)
        if (
            np.unique(narrow).size == 4
            and (oracle.assign(x, narrow) != codes).sum() > 2
            and (oracle.lloyd(x.astype(np.float32), 2, 100)[1] != codes).sum() > 2
        ):
            return x
    raise RuntimeError("no draw tells float32 from float64")


def _positive(rng):
    return np.append(rng.gamma(2.0, 1.0, 300), 15.0).astype(np.float32)


def _view(rng):
    return rng.standard_normal((24, 26)).astype(np.float32)[:, ::2]


def _edges(rng):
    def edge(label, values, bits, max_iter=100, dtype=np.float32):
        x = np.array(values, dtype)
        return case(label, part="edges", x=x, bits=bits, max_iter=max_iter)

    for rounds in (0, 1, 2, 5):
        label = f"{rounds} round{'' if rounds == 1 else 's'} only"
        yield _case(rng, label, lambda r: r.normal(0.3, 1, 300), 3, rounds, "edges")
    yield _case(rng, "two clumps, empty clusters between", _clumps, 3, 100, "edges")
    yield _case(rng, "negative only", lambda r: -1 - r.random(50), 2, 100, "edges")
    yield _case(rng, "float64 values that float32 would merge", _far, 2, part="edges")
    yield edge("half-way values go to the lower index", [0, 1, 2, 3, 4, 5, 6], 2, 0)
    yield edge("a tie while it runs", [0, 1, 2], 1)
    yield edge("ties of negative values", [-6, -5, -4, -3, -2, -1, 0], 2, 1)
    yield edge("all values equal", np.full((2, 4), 0.5), 2)
    yield edge("one value", [-1.25], 3)
    yield edge("fewer values than levels", [-4, -1, 0, 0, 8], 4)


def _clumps(rng):
    clump = rng.normal(0, 0.05, (2, 40))
    clump[1] += 4
    return clump.astype(np.float32)


def probe(solution, x, bits, max_iter):
    return solution(x, bits, max_iter)


def judge(case, answer):
    codebook, codes = expect.sequence(answer, ("codebook", "codes"))
    levels = 2**case.bits
    expect.array(codebook, "codebook", shape=(levels,), dtype=np.float32)
    expect.array(codes, "codes", shape=case.x.shape, dtype=np.uint8)
    _readable(codebook, codes, levels)
    centres, want_codes, settled, _ = oracle.lloyd(case.x, case.bits, case.max_iter)
    span = centres[-1] - centres[0]
    slack = 1e-5 * span + float(np.spacing(np.abs(codebook).max()))
    _own_rules(case, codebook.astype(np.float64), codes, settled, slack)
    hint = _error_of(case.x, codebook, centres)
    expect.close(codebook, centres, "codebook", atol=ATOL * span, hint=hint)
    hint = "Equally near goes to the lower index; x and the centres are float64 until the end."
    expect.codes(codes, want_codes, "codes", hint=hint)


def _readable(codebook, codes, levels):
    """A finite ascending table that every code points into."""
    expect.that(
        bool(np.isfinite(codebook).all()),
        "`codebook` holds NaN or infinity.",
        yours=codebook[~np.isfinite(codebook)][:1],
        right="finite centres",
        hint="The mean of no members is 0/0: a centre without members stays where it is.",
    )
    falls = np.flatnonzero(np.diff(codebook) < 0)
    expect.that(
        falls.size == 0,
        "`codebook` is not ascending, so its codes are arbitrary labels.",
        yours=codebook[falls[0] : falls[0] + 2] if falls.size else "",
        right="ascending",
        where=f"index {falls[0]}" if falls.size else "",
        hint="Centres that start ascending stay ascending, if one without members stays too.",
    )
    expect.that(
        int(codes.max()) < levels,
        "A code points past the end of the codebook.",
        yours=int(codes.max()),
        right=f"at most {levels - 1}",
    )


def _own_rules(case, codebook, codes, settled, slack):
    """What must hold whatever the centres are; told apart because the cause is then plain."""
    values, codes = case.x.astype(np.float64).ravel(), codes.ravel()
    gaps = np.abs(values[:, None] - codebook)
    lost = gaps[np.arange(values.size), codes] - gaps.min(1)
    at = int(lost.argmax())
    expect.that(
        lost[at] <= slack,
        "A code does not name the nearest centre.",
        yours=int(codes[at]),
        right=int(gaps[at].argmin()),
        where=f"value {values[at]:.4g}, flat index {at}",
        hint="After the last move, assign every value once more.",
    )
    if not settled:
        return
    for j in np.unique(codes):
        mean = values[codes == j].mean()
        expect.that(
            abs(codebook[j] - mean) <= slack,
            f"Centre {j} is not the mean of its members, although there were rounds left.",
            yours=codebook[j],
            right=mean,
            hint="Repeat assigning and moving until no assignment changes.",
        )


def _error_of(x, codebook, centres):
    """Mean squared errors of both codebooks, for the report."""
    values = x.astype(np.float64).ravel()
    yours, ours = (
        ((values - book[oracle.assign(values, book)]) ** 2).mean()
        for book in (codebook.astype(np.float64), centres)
    )
    return (
        f"Mean squared error {yours:.4g} with your codebook, {ours:.4g} with the right one: look at "
        "the starting centres, the mean, and the number of rounds."
    )
