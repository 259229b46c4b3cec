"""fuse-qkv: rows of three projections in the order of key-value heads, and the way back."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"weight": 0.4, "rows": 0.25, "biases": 0.2, "refuse": 0.15}
HINTS = (
    "Reshape each weight to (kv_heads, its rows in a group, width).",
    "np.concatenate along axis 1, then back to two dimensions.",
    "rows: do the same with np.arange in place of weights: the fused order of q's, k's and v's row numbers.",
)


def _projections(rng, heads, kv_heads, dim, width, biases, dtype):
    found = []
    for count, bias in zip((heads, kv_heads, kv_heads), biases, strict=True):
        weight = rng.normal(size=(count * dim, width)).astype(dtype)
        found.append([weight, rng.normal(size=count * dim).astype(dtype) if bias else None])
    return found


def cases(rng):
    shapes = ((1, 1, 2, 3), (4, 4, 2, 5), (4, 2, 3, 6), (8, 1, 2, 4), (6, 3, 1, 6), (8, 2, 4, 8))
    for part in ("weight", "rows"):
        for heads, kv_heads, dim, width in shapes:
            label = f"{heads} heads, {kv_heads} for keys, {dim} wide"
            yield case(label, part, qkv=_projections(rng, heads, kv_heads, dim, width, (0, 0, 0), "float64"),
                       heads=heads, kv_heads=kv_heads)  # fmt: skip
        yield case(
            "float32",
            part,
            qkv=_projections(rng, 4, 2, 4, 16, (0, 0, 0), "float32"),
            heads=4,
            kv_heads=2,
        )
    for biases in ((1, 1, 1), (1, 0, 1), (0, 1, 0), (0, 0, 0)):
        for dtype in ("float64", "float32"):
            names = [name for name, there in zip("qkv", biases, strict=True) if there]
            yield case(f"biases: {', '.join(names) or 'none'}, {dtype}", "biases", heads=4, kv_heads=2,
                       qkv=_projections(rng, 4, 2, 3, 5, biases, dtype))  # fmt: skip
    for label, heads, kv_heads, shapes in (
        ("heads that do not divide", 4, 3, ((12, 6), (9, 6), (9, 6))),
        ("rows that are no whole heads", 4, 2, ((10, 6), (5, 6), (5, 6))),
        ("heads of two sizes", 4, 2, ((12, 6), (8, 6), (8, 6))),
        ("k and v of two sizes", 4, 2, ((12, 6), (6, 6), (8, 6))),
        ("inputs of two widths", 4, 2, ((12, 6), (6, 5), (6, 6))),
        ("no heads", 0, 2, ((12, 6), (6, 6), (6, 6))),
        ("no key heads", 4, 0, ((12, 6), (6, 6), (6, 6))),
    ):
        yield case(label, "refuse", heads=heads, kv_heads=kv_heads, refuse=True,
                   qkv=[[rng.normal(size=shape), None] for shape in shapes])  # fmt: skip
    short = _projections(rng, 4, 2, 3, 5, (1, 1, 1), "float64")
    short[1][1] = short[1][1][:1]
    yield case("a bias of another length", "refuse", qkv=short, heads=4, kv_heads=2, refuse=True)


def probe(solution, qkv, heads, kv_heads, refuse=False):
    given = [tuple(pair) for pair in qkv]
    if refuse:
        return refusal(lambda: solution(*given, heads, kv_heads))  # noqa: F821
    return solution(*given, heads, kv_heads)


def _order(heads, kv_heads, dim):
    """(which projection, its row) for each fused row."""
    order, each = [], heads // kv_heads
    for group in range(kv_heads):
        for head in range(group * each, (group + 1) * each):
            order += [("q", head * dim + i) for i in range(dim)]
        order += [(name, group * dim + i) for name in "kv" for i in range(dim)]
    return order


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    weight, bias, rows = expect.sequence(answer, ("weight", "bias", "rows"))
    parts = dict(zip("qkv", case.qkv, strict=True))
    dtype = parts["q"][0].dtype
    dim = len(parts["q"][0]) // case.heads
    order = _order(case.heads, case.kv_heads, dim)
    where = {name: [i for i, (n, _) in enumerate(order) if n == name] for name in "qkv"}
    if case.part == "weight":
        want = np.stack([parts[name][0][row] for name, row in order])
        expect.array(weight, "weight", shape=want.shape, dtype=dtype)
        expect.codes(
            weight,
            want,
            "weight",
            hint="Group after group: its query heads, its key head, its value head.",
        )
    if case.part == "rows":
        got = expect.mapping(rows, ("q", "k", "v"), only=True)
        for name in "qkv":
            mine = got[name]
            if isinstance(mine, (list, tuple)):
                mine = np.array(mine)
            mine = expect.array(mine, f"rows[{name!r}]", shape=(len(where[name]),))
            expect.that(
                mine.dtype.kind in "iu",
                "`rows` holds indexes.",
                stage="dtype",
                yours=str(mine.dtype),
            )
            expect.codes(mine, np.array(where[name]), f"rows[{name!r}]")
    if case.part == "biases":
        if all(pair[1] is None for pair in case.qkv):
            expect.that(
                bias is None,
                "No projection has a bias: `bias` is None.",
                yours=expect.kind(bias),
                right="None",
            )
            return None
        want = np.array([0.0 if parts[n][1] is None else parts[n][1][row] for n, row in order])
        expect.array(bias, "bias", shape=want.shape, dtype=dtype)
        expect.codes(bias, want.astype(dtype), "bias")
    return None
