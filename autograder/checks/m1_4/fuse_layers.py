"""fuse-layers: the plan of a second planner that decides edge by edge."""

from autograder.checks import case, expect
from autograder.checks.oracles import fusion

PARTS = {"vertical": 0.6, "horizontal": 0.4}
HINTS = (
    "Count first who reads each tensor: readers[tensor] is a list of nodes.",
    "From each Conv or MatMul walk on while the tensor's only reader is a BatchNorm or Relu that may join.",
    "Merge chains with the same key: op, inputs, kernel size, list of ops.",
)


def _node(name, op, *inputs, kernel=None):
    node = {"name": name, "op": op, "inputs": list(inputs)}
    return node | ({"kernel": kernel} if op == "Conv" else {})


def _conv(name, source, kernel=3):
    return _node(name, "Conv", source, kernel=kernel)


def cases(rng):
    vertical, horizontal = PARTS
    chain = [_conv("c", "x"), _node("b", "BatchNorm", "c"), _node("r", "Relu", "b")]
    yield case("Conv, BatchNorm, Relu", vertical, nodes=chain, outputs=["r"])
    yield case(
        "Conv, Relu", vertical, nodes=[_conv("c", "x"), _node("r", "Relu", "c")], outputs=["r"]
    )
    yield case("the BatchNorm is an output too", vertical, nodes=chain, outputs=["b", "r"])
    yield case("the Conv is an output too", vertical, nodes=chain, outputs=["r", "c"])
    two = [*chain, _node("p", "MaxPool", "c"), _node("s", "Add", "r", "p")]
    yield case("the Conv is read twice", vertical, nodes=two, outputs=["s"])
    skip = [
        _conv("c", "x"),
        _node("r", "Relu", "c"),
        _conv("d", "r"),
        _node("e", "BatchNorm", "d"),
        _node("a", "Add", "e", "r"),
        _node("z", "Relu", "a"),
    ]
    yield case("a residual block", vertical, nodes=skip, outputs=["z"])
    wrong_order = [
        _conv("c", "x"),
        _node("r", "Relu", "c"),
        _node("b", "BatchNorm", "r"),
        _node("s", "Relu", "b"),
    ]
    yield case("BatchNorm behind the Relu", vertical, nodes=wrong_order, outputs=["s"])
    twice = [*chain, _node("b2", "BatchNorm", "r"), _node("r2", "Relu", "r")]
    yield case("a second Relu and BatchNorm", vertical, nodes=twice, outputs=["b2", "r2"])
    double = [_conv("c", "x"), _node("r", "Relu", "c"), _node("q", "Relu", "r")]
    yield case("Relu of a Relu", vertical, nodes=double, outputs=["q"])
    norms = [_conv("c", "x"), _node("b", "BatchNorm", "c"), _node("d", "BatchNorm", "b")]
    yield case("BatchNorm of a BatchNorm", vertical, nodes=norms, outputs=["d"])
    relus = [_conv("c", "x"), _node("r", "Relu", "c"), _node("q", "Relu", "c")]
    yield case("the Conv is read by two Relu", vertical, nodes=relus, outputs=["r", "q"])
    yield case(
        "no anchor",
        vertical,
        nodes=[_node("b", "BatchNorm", "x"), _node("r", "Relu", "b")],
        outputs=["r"],
    )
    dense = [_node("m", "MatMul", "x", "w"), _node("r", "Relu", "m"), _node("s", "Softmax", "r")]
    yield case("MatMul, Relu, Softmax", vertical, nodes=dense, outputs=["s"])
    normed = [_node("m", "MatMul", "x", "w"), _node("b", "BatchNorm", "m"), _node("r", "Relu", "b")]
    yield case("MatMul, BatchNorm, Relu", vertical, nodes=normed, outputs=["r"])
    yield case("a single node", vertical, nodes=[_node("s", "Softmax", "x")], outputs=["s"])
    pooled = [_conv("c", "x"), _node("p", "MaxPool", "c"), _node("r", "Relu", "p")]
    yield case("Conv, MaxPool, Relu", vertical, nodes=pooled, outputs=["r"])
    for i in range(2):
        yield case(f"a random graph, {i}", vertical, **_random(rng, 14))
    fork = [
        _conv("a", "x", 1),
        _conv("b", "x", 1),
        _conv("c", "x", 3),
        _node("ar", "Relu", "a"),
        _node("br", "Relu", "b"),
        _node("j", "Concat", "ar", "br", "c"),
    ]
    yield case("two 1 x 1 of one input", horizontal, nodes=fork, outputs=["j"])
    sizes = [_conv("a", "x", 1), _conv("b", "x", 3), _conv("c", "x", 1)]
    yield case("1 x 1 and 3 x 3 of one input", horizontal, nodes=sizes, outputs=["a", "b", "c"])
    kinds = [
        _conv("a", "x"),
        _conv("b", "x"),
        _node("an", "BatchNorm", "a"),
        _node("br", "Relu", "b"),
    ]
    yield case("one with BatchNorm, one with Relu", horizontal, nodes=kinds, outputs=["an", "br"])
    uneven = [
        _conv("a", "x", 1),
        _conv("b", "x", 1),
        _node("ar", "Relu", "a"),
        _node("j", "Concat", "ar", "b"),
    ]
    yield case("one with Relu, one without", horizontal, nodes=uneven, outputs=["j"])
    tails = [_conv(name, "x", 1) for name in "abcdefgh"]
    tails += [_node(f"{name}n", "BatchNorm", name) for name in "cdgh"]
    tails += [_node(f"{s}r", "Relu", s) for s in ("b", "dn", "f", "hn")]
    ends = ["a", "br", "cn", "dnr", "e", "fr", "gn", "hnr"]
    yield case("four lists of ops, twice each", horizontal, nodes=tails, outputs=ends)
    inner = [_node("r", "Relu", "x"), _conv("a", "r", 1), _conv("b", "r", 1)]
    yield case("two Conv of an inner tensor", horizontal, nodes=inner, outputs=["a", "b"])
    turned = [_node("a", "MatMul", "x", "y"), _node("b", "MatMul", "y", "x")]
    yield case("x y and y x", horizontal, nodes=turned, outputs=["a", "b"])
    apart = [_conv("a", "x", 1), _conv("b", "y", 1), _node("j", "Concat", "a", "b")]
    yield case("different inputs", horizontal, nodes=apart, outputs=["j"])
    pools = [_node("a", "MaxPool", "x"), _node("b", "MaxPool", "x"), _node("j", "Concat", "a", "b")]
    yield case("two pools of one input", horizontal, nodes=pools, outputs=["j"])
    heads = [_node(h, "MatMul", "x", "w") for h in "qkv"] + [_node("s", "Softmax", "q")]
    yield case("three equal MatMul", horizontal, nodes=heads, outputs=["s", "k", "v"])
    heads = [_node(h, "MatMul", "x", f"w{h}") for h in "qkv"]
    yield case(
        "three MatMul with weights of their own", horizontal, nodes=heads, outputs=["q", "k", "v"]
    )
    mixed = [_conv("a", "x", 1), _node("m", "MatMul", "x"), _conv("b", "x", 1)]
    yield case("Conv and MatMul of one input", horizontal, nodes=mixed, outputs=["a", "m", "b"])
    for i in range(3):
        yield case(f"a random graph, {i + 2}", horizontal, **_random(rng, 22))


def _random(rng, count):
    names, nodes = ["x"], []
    for i in range(count):
        op = str(rng.choice(["Conv", "Conv", "BatchNorm", "Relu", "Relu", "MaxPool", "Add"]))
        last = names[max(0, len(names) - 3) :]
        inputs = [str(rng.choice(last)) for _ in range(2 if op == "Add" else 1)]
        nodes.append(_node(f"n{i}", op, *inputs, kernel=int(rng.choice([1, 3]))))
        names.append(f"n{i}")
    read = {t for n in nodes for t in n["inputs"]}
    return {"nodes": nodes, "outputs": [n["name"] for n in nodes if n["name"] not in read]}


def probe(solution, nodes, outputs):
    return [list(kernel) for kernel in solution(nodes, outputs)]


def judge(case, answer):
    right = fusion.kernels(case.nodes, case.outputs)
    expect.that(
        isinstance(answer, list),
        "Return a list of kernels.",
        stage="type",
        yours=expect.kind(answer),
    )
    named = sorted(str(name) for kernel in answer for name in kernel)
    expect.that(named == sorted(n["name"] for n in case.nodes), "Each node must be in one kernel, once.",
                yours=named, right=sorted(n["name"] for n in case.nodes))  # fmt: skip
    for i, kernel in enumerate(right):
        yours = answer[i] if i < len(answer) else None
        expect.that(
            yours == kernel, f"Kernel {i} of {len(right)} is off.", yours=yours, right=kernel
        )
    expect.that(
        len(answer) == len(right),
        "The number of kernels is off.",
        yours=len(answer),
        right=len(right),
    )
