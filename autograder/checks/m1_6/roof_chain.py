"""roof-chain: operations and bytes of steps on tensors, apart and fused, by counting every move."""

from autograder.checks import case, expect

PARTS = {"apart": 0.4, "fused": 0.4, "refuse": 0.2}
HINTS = (
    "Apart: each step reads each of its different inputs once and writes its outputs.",
    "Fused: from memory come the tensors that no step writes, each once.",
    "Fused: to memory go the tensors that no step reads, and those in keep.",
)
SOFTMAX = (
    [(64, ["x"], ["m"]), (64, ["x", "m"], ["d"]), (64, ["d"], ["e"]), (64, ["e"], ["s"]),
     (64, ["e", "s"], ["y"])],
    {"x": 256, "m": 32, "d": 256, "e": 256, "s": 32, "y": 256},
)  # fmt: skip
SQUARE = ([(9, ["x", "x"], ["q"]), (9, ["q", "x", "q"], ["y"])], {"x": 36, "q": 36, "y": 36})
TWO_ENDS = (
    [(5, ["a", "b"], ["c", "d"]), (6, ["c"], ["e"]), (7, ["c", "a"], ["f"])],
    {"a": 8, "b": 16, "c": 32, "d": 64, "e": 128, "f": 256},
)


def _drawn(rng, count):
    """Steps on random tensors made before them; inputs may repeat."""
    sizes = {f"in{i}": int(rng.integers(1, 1000)) for i in range(3)}
    steps = []
    for index in range(count):
        reads = [str(n) for n in rng.choice(list(sizes), int(rng.integers(1, 4)))]
        writes = [f"t{index}{letter}" for letter in "ab"[: int(rng.integers(1, 3))]]
        sizes |= {name: int(rng.integers(1, 1000)) for name in writes}
        steps.append((int(rng.integers(1, 5000)), reads, writes))
    keep = [n for n in sizes if n.startswith("t") and rng.random() < 0.3]
    return steps, sizes, keep


def cases(rng):
    for part in ("apart", "fused"):
        fused = part == "fused"
        yield case("softmax", part, steps=SOFTMAX[0], sizes=SOFTMAX[1], fused=fused)
        yield case("a step that reads one tensor twice", part, steps=SQUARE[0], sizes=SQUARE[1],
                   fused=fused)  # fmt: skip
        yield case("two outputs, read more than once", part, steps=TWO_ENDS[0], sizes=TWO_ENDS[1],
                   fused=fused)  # fmt: skip
        yield case("a tensor of no step has a size", part, steps=[(3, ["x"], ["y"])],
                   sizes={"x": 4, "other": 512, "y": 8}, fused=fused)  # fmt: skip
        yield case("kept tensors", part, steps=TWO_ENDS[0], sizes=TWO_ENDS[1], fused=fused,
                   keep=["c", "e"])  # fmt: skip
        yield case("no step", part, steps=[], sizes={"x": 4}, fused=fused)
        yield case("a step without inputs", part, fused=fused, sizes={"z": 40, "y": 40},
                   steps=[(10, [], ["z"]), (10, ["z"], ["y"])])  # fmt: skip
        for count in (2, 4, 7, 12):
            steps, sizes, keep = _drawn(rng, count)
            yield case(f"{count} steps", part, steps=steps, sizes=sizes, fused=fused, keep=keep)
    steps, sizes = TWO_ENDS
    missing = {name: size for name, size in sizes.items() if name != "b"}
    no_output = {name: size for name, size in sizes.items() if name != "e"}
    for label, bad in (
        ("an input without a size", {"sizes": missing}),
        ("an output without a size", {"sizes": no_output}),
        ("a tensor read before it is written", {"steps": [steps[1], steps[0], steps[2]]}),
        ("a step that reads its own output", {"steps": [(1, ["a", "c"], ["c"])]}),
        ("a tensor written twice", {"steps": [*steps, (1, ["a"], ["e"])]}),
        ("an input in keep", {"keep": ["a"]}),
        ("an unknown tensor in keep", {"keep": ["nowhere"]}),
    ):
        for fused in (False, True):
            given = {"steps": steps, "sizes": sizes, "keep": [], **bad}
            yield case(label, "refuse", **given, fused=fused, refuse=True)


def probe(solution, steps, sizes, fused, keep=None, refuse=False):
    steps = [tuple(step) for step in steps]
    more = {} if keep is None else {"keep": tuple(keep)}
    if refuse:
        return refusal(lambda: solution(steps, sizes, fused, **more))  # noqa: F821
    return solution(steps, sizes, fused, **more)


def moves(steps, fused, keep):
    """Every tensor that crosses to or from memory, once for each time."""
    log, inside = [], set()  # inside: what a fused kernel holds
    for index, (_, reads, writes) in enumerate(steps):
        for name in dict.fromkeys(reads):
            if not (fused and name in inside):
                log.append(name)
                inside.add(name)
        for name in writes:
            used = any(name in later for _, later, _ in steps[index + 1 :])
            if not fused or not used or name in keep:
                log.append(name)
            inside.add(name)
    return log


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    flops, moved = expect.sequence(answer, ("flops", "bytes"))
    keep = case.inputs.get("keep") or []
    expect.integer(flops, sum(step[0] for step in case.steps), "flops")
    want = sum(case.sizes[name] for name in moves(case.steps, case.fused, keep))
    expect.integer(moved, want, "bytes")
    return None
