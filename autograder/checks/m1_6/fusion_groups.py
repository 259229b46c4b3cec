"""fusion-groups: any partition by the rules that is as cheap as the best of all partitions."""

from numbers import Integral

from autograder.checks import case, expect
from autograder.checks.oracles.fusion_bytes import allowed, cost, least

PARTS = {"rules": 0.35, "cheapest": 0.65}
HINTS = (
    "First a function that says whether ops[i:j] may be one group, and one that counts its bytes.",
    "best[j]: the least cost of the first j operators. best[j] = min over i of best[i] + cost of ops[i:j].",
    "Remember for each j the i that was best, and walk back from the end.",
)
LAUNCH = 500
M, E, R = "matmul", "elementwise", "reduction"


def _chain(kinds, sizes):
    """Each operator reads the one before and an input of its own, w0, w1, ..."""
    ops = [[kind, [f"t{i - 1}" if i else "x", f"w{i}"], f"t{i}"] for i, kind in enumerate(kinds)]
    bytes_of = {"x": 1000} | {f"w{i}": 10 for i in range(len(kinds))}
    return ops, bytes_of | {f"t{i}": size for i, size in enumerate(sizes)}, [f"t{len(kinds) - 1}"]


def _drawn(rng, count, near):
    kinds = [(M, E, E, E, R)[int(k)] for k in rng.integers(0, 5, count)]
    names, ops = ["x", "w"], []
    for index, kind in enumerate(kinds):
        pool = names[-3:] if near else names
        ops.append([kind, [pool[int(i)] for i in rng.integers(0, len(pool), 2)], f"t{index}"])
        names.append(f"t{index}")
    sizes = {name: int(rng.integers(1, 5000)) for name in names}
    used = {name for _, inputs, _ in ops for name in inputs}
    return ops, sizes, [name for name in names[2:] if name not in used]


def cases(rng):
    lists = [
        ("one operator", *_chain([E], [100])),
        ("linear, bias, activation", *_chain([M, E, E], [900, 900, 900])),
        ("two linears", *_chain([M, E, M, E], [900, 800, 700, 600])),
        ("softmax", *_chain([R, E, E, R, E], [10, 900, 900, 10, 900])),
        ("two reductions", *_chain([R, R], [50, 10])),
        ("to the matmul or to the reduction?", *_chain([M, E, E, R], [300, 900, 200, 1])),
        ("the other way", *_chain([M, E, E, R], [300, 200, 900, 1])),
        ("a matmul and its norm", *_chain([M, E, R, E, M], [800, 800, 10, 800, 500])),
        ("elementwise throughout", *_chain([E] * 7, [500] * 7)),
        ("matmuls only", *_chain([M] * 4, [100, 200, 300, 400])),
    ]
    ops, sizes, keep = _chain([E, E, E], [900, 900, 900])
    lists.append(("an intermediate that is kept", ops, sizes, ["t0", *keep]))
    residual = [
        [E, ["x", "w0"], "t0"],
        [M, ["t0", "w1"], "t1"],
        [E, ["t1", "x"], "t2"],
        [R, ["t2"], "t3"],
        [E, ["t2", "t3"], "t4"],
        [M, ["t4", "w2"], "t5"],
    ]
    sizes = dict.fromkeys(("x", "t0", "t1", "t2", "t4"), 800)
    sizes |= {"w0": 8, "t3": 8, "w1": 4000, "w2": 4000, "t5": 400}
    lists.append(("a residual around a linear", residual, sizes, ["t2", "t5"]))
    shared = [
        [E, ["x", "w0"], "t0"],
        [M, ["t0", "w1"], "t1"],
        [M, ["t0", "w2"], "t2"],
        [E, ["t1", "t2"], "t3"],
    ]
    lists.append(("one tensor for two linears", shared, {"x": 90, "w0": 9, "w1": 500, "w2": 500, "t0": 90,
                  "t1": 300, "t2": 300, "t3": 300}, ["t3"]))  # fmt: skip
    side = [
        [M, ["x", "w"], "t0"],
        [E, ["t0", "s"], "t1"],
        [E, ["t1", "s"], "t2"],
        [R, ["t2"], "t3"],
    ]
    sizes = {"x": 90, "w": 90, "s": 300, "t0": 500, "t1": 450, "t2": 900, "t3": 1}
    lists.append(("a side input read by two", side, sizes, ["t3"]))
    apart = [[E, ["x"], "t0"], [E, ["w"], "t1"]]
    lists.append(
        ("two that share nothing", apart, {"x": 90, "w": 80, "t0": 70, "t1": 60}, ["t0", "t1"])
    )
    lists += [
        (f"{count} drawn {'near' if near else 'far'}", *_drawn(rng, count, near))
        for count, near in ((5, True), (7, True), (8, False), (9, True), (9, False))
    ]
    for part in PARTS:
        for label, ops, sizes, keep in lists:
            yield case(label, part, ops=ops, sizes=sizes, keep=keep, launch=LAUNCH)
        yield case("nothing", part, ops=[], sizes={}, keep=[], launch=LAUNCH)
        yield case(
            "launches for free",
            part,
            ops=lists[7][1],
            sizes=lists[7][2],
            keep=lists[7][3],
            launch=0,
        )


def probe(solution, ops, sizes, keep, launch):
    given = [(kind, tuple(inputs), output) for kind, inputs, output in ops]
    return solution(given, sizes, set(keep), launch)


def judge(case, answer):
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    expect.that(
        isinstance(answer, (list, tuple)),
        "Return a list of groups.",
        stage="type",
        yours=expect.kind(answer),
    )
    groups = []
    for group in answer:
        group = group.tolist() if hasattr(group, "tolist") else group
        good = isinstance(group, (list, tuple)) and all(
            isinstance(i, Integral) and not isinstance(i, bool) for i in group
        )
        expect.that(good, "A group is a list of indexes.", stage="type", yours=group)
        groups.append([int(i) for i in group])
    order = [i for group in groups for i in group]
    expect.that(
        order == list(range(len(case.ops))) and all(groups),
        "Each operator in one group, in order, and no group empty.",
        yours=groups,
        right=f"the indexes 0 to {len(case.ops) - 1}, cut into runs",
    )
    for group in groups:
        kinds = [case.ops[i][0] for i in group]
        expect.that(allowed(kinds), "A group breaks the rules.", yours=f"{group}: {kinds}",
                    hint="A matmul only first, a reduction only last, not both in one group.")  # fmt: skip
    if case.part == "rules":
        # One group each would obey the rules too: fewer where that is possible.
        kinds = [op[0] for op in case.ops]
        pairs = [kinds[i : i + 2] for i in range(len(kinds) - 1)]
        expect.that(
            len(groups) < len(case.ops)
            or not any(allowed(pair) for pair in pairs)
            or case.launch == 0,
            "Here some operators may be fused, and you fused none.",
            yours=groups,
        )
        return
    operators = [tuple(op) for op in case.ops]
    mine = cost(operators, groups, case.sizes, case.keep, case.launch)
    best = least(operators, case.sizes, case.keep, case.launch) if operators else 0
    expect.that(
        mine == best,
        "There is a cheaper way.",
        yours=f"{mine} bytes with {groups}",
        right=f"{best} bytes",
        hint=f"{case.ops}, kept: {case.keep}",
    )
