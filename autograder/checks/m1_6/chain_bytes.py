"""chain-bytes: bytes of operators one by one and as one kernel, tensor by tensor."""

from autograder.checks import case, expect
from autograder.checks.oracles.fusion_bytes import traffic

PARTS = {"one by one": 0.35, "fused": 0.4, "refuse": 0.25}
HINTS = (
    "A set of an operator's inputs counts each tensor once, however often it is read.",
    "Fused: read what is used and not made here; write what is made here and kept.",
)
SIZES = {
    "x": 4000,
    "b": 40,
    "g": 40,
    "r": 2000,
    "h": 4000,
    "i": 4000,
    "j": 1000,
    "y": 4000,
    "z": 2000,
}


def _op(inputs, output):
    return [list(inputs), output]


def _drawn(rng, count):
    names = ["in0", "in1", "in2"]
    ops = []
    for index in range(count):
        ops.append(
            _op(
                [names[int(i)] for i in rng.integers(0, len(names), int(rng.integers(1, 4)))],
                f"t{index}",
            )
        )
        names.append(f"t{index}")
    kept = [ops[int(i)][1] for i in rng.integers(0, count, 2)]
    sizes = {name: int(rng.integers(1, 5000)) for name in names}
    return ops, sizes, sorted({*kept, ops[-1][1]})


def cases(rng):
    fixed = (
        ("one operator", [_op("xb", "y")], "y"),
        ("bias, activation", [_op("xb", "h"), _op("h", "y")], "y"),
        ("x times x", [_op("xx", "y")], "y"),
        ("an input read by two", [_op("xb", "h"), _op("xh", "y")], "y"),
        ("an intermediate that is kept", [_op("xb", "h"), _op("h", "y")], "hy"),
        ("an intermediate read twice", [_op("xg", "h"), _op("hb", "i"), _op("ih", "y")], "y"),
        ("two results of one input", [_op("x", "y"), _op("x", "z")], "yz"),
        ("a result that nobody keeps", [_op("xb", "h"), _op("x", "j"), _op("h", "y")], "y"),
        ("a kept tensor read again", [_op("xr", "h"), _op("hg", "i"), _op("ib", "y")], "hy"),
        ("nothing kept", [_op("xb", "h")], ""),
        ("no operator", [], ""),
    )
    lists = [(label, ops, SIZES, list(keep)) for label, ops, keep in fixed]
    lists += [(f"{count} drawn", *_drawn(rng, count)) for count in (4, 8, 20)]
    for part in ("one by one", "fused"):
        for label, ops, sizes, keep in lists:
            yield case(label, part, ops=ops, sizes=sizes, keep=keep)
    for label, ops, keep in (
        ("a tensor of unknown size", [_op("xq", "y")], "y"),
        ("a result of unknown size", [_op("x", "q")], ""),
        ("a tensor made twice", [_op("x", "h"), _op("b", "h")], "h"),
        ("a tensor read before it is made", [_op("h", "y"), _op("x", "h")], "y"),
        ("an operator that reads its own result", [_op("xh", "h")], "h"),
        ("keeping what is not made", [_op("x", "h")], "hz"),
        ("keeping an input", [_op("x", "h")], "hx"),
    ):
        yield case(label, "refuse", ops=ops, sizes=SIZES, keep=list(keep), refuse=True)


def probe(solution, ops, sizes, keep, refuse=False):
    given = [(tuple(inputs), output) for inputs, output in ops]
    if refuse:
        return refusal(lambda: solution(given, sizes, set(keep)))  # noqa: F821
    return solution(given, sizes, set(keep))


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    unfused, fused = expect.sequence(answer, ("unfused_bytes", "fused_bytes"))
    ops = [("elementwise", inputs, output) for inputs, output in case.ops]
    if case.part == "fused":
        want = traffic(ops, range(len(ops)), case.sizes, case.keep)
        expect.integer(fused, want, "fused_bytes", hint=f"{case.ops}, kept: {case.keep}")
    else:
        every = set(case.sizes)
        want = sum(traffic(ops, [i], case.sizes, every) for i in range(len(ops)))
        expect.integer(unfused, want, "unfused_bytes", hint=f"{case.ops}")
    return None
