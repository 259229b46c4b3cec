"""free-batch: the rebuilt answer run at several batch sizes beside a model that was made symbolic."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import onnx_graph

PARTS = {"inputs and Reshape": 0.5, "weights and allowzero": 0.3, "bad input": 0.2}
HINTS = (
    "In graph.input and graph.output: dim[0].dim_param = name (protobuf then drops the number).",
    "A Reshape's target: 0 copies the size of the input's own axis 0; -1 elsewhere stays as it is.",
    "New constant, new name: graph.initializer.append(numpy_helper.from_array(array, new_name)).",
    "allowzero=1 turns 0 into a size of zero: remove the attribute, or set it to 0.",
    "del graph.value_info[:]",
)
C, W = 3, 4


def _model(
    rng, batch, width=6, second=False, minus=False, weight="plain", allowzero=0, seed=0, info=True,
    turned=False,
):  # fmt: skip
    """Bytes of a model whose batch is an int (frozen), or a name (free)."""
    from onnx import TensorProto as T
    from onnx import helper, numpy_helper

    rng = np.random.default_rng(seed)
    free = isinstance(batch, str)
    first = 0 if free else batch
    flat, k = C * W, width
    one = rng.normal(0, 0.5, (flat, k)).astype(np.float32)
    shapes = {
        "flat": [first, -1 if minus else flat],
        "split": [first, 2, k // 2],
        "join": [first, k],
        "weight_shape": [flat, k],
        "halves": [2, k // 2, -1],
    }
    constants = {name: np.array(shape, np.int64) for name, shape in shapes.items()}
    constants |= {"w1": one.reshape(-1) if weight != "plain" else one,
                  "w2": rng.normal(0, 0.5, (k, 5)).astype(np.float32)}  # fmt: skip
    zero = {"allowzero": allowzero} if allowzero and not free else {}
    nodes = []
    matrix = "w1"
    if weight != "plain":
        # "shared": the very constant that also flattens the images (batch and width are both 12).
        source = "flat" if weight == "shared" and not free else "weight_shape"
        nodes.append(helper.make_node("Reshape", ["w1", source], ["w1m"]))
        matrix = "w1m"
    nodes += [
        helper.make_node("Reshape", ["x", "flat"], ["r1"], **zero),
        helper.make_node("MatMul", ["r1", matrix], ["h1"]),
        helper.make_node("Relu", ["h1"], ["h2"]),
        helper.make_node("Reshape", ["h2", "split"], ["h3"], **zero),
        helper.make_node("Transpose", ["h3"], ["h4"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["h4", "join"], ["h5"], **zero),
        *(_turned() if turned else ()),
        helper.make_node("MatMul", ["r4" if turned else "h5", "w2"], ["y" if not second else "h6"]),
    ]
    inputs = [helper.make_tensor_value_info("x", T.FLOAT, [batch, C, W])]
    outputs = [helper.make_tensor_value_info("y", T.FLOAT, [batch, 5])]
    if second:
        inputs.append(helper.make_tensor_value_info("side", T.FLOAT, [batch, 5]))
        outputs.append(helper.make_tensor_value_info("h2", T.FLOAT, [batch, k]))
        nodes.append(helper.make_node("Add", ["h6", "side"], ["y"]))
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes, "g", inputs, outputs,
        [numpy_helper.from_array(v, n) for n, v in constants.items() if n in used],
        value_info=[helper.make_tensor_value_info("h1", T.FLOAT, [batch, k])] if info else [],
    )  # fmt: skip
    stamp = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


def _turned():
    """A Reshape of data whose axis 0 is not the batch: its target begins with another number."""
    from onnx import helper

    return [
        helper.make_node("Transpose", ["h5"], ["r1t"], perm=[1, 0]),
        helper.make_node("Reshape", ["r1t", "halves"], ["r2"]),
        helper.make_node("Transpose", ["r2"], ["r3"], perm=[2, 0, 1]),
        helper.make_node("Reshape", ["r3", "join"], ["r4"]),
    ]


def cases(rng):
    def make(label, part, batch, name="batch", **more):
        given = {"seed": int(rng.integers(2**31)), **more}
        return case(label, part, model=_model(rng, batch, **given), name=name, bad=False,
                    true=_model(rng, name, **given), old=batch,
                    noise=int(rng.integers(2**31)))  # fmt: skip

    part = "inputs and Reshape"
    yield make("batch 2", part, 2)
    yield make("batch 1", part, 1)
    yield make("two inputs, two outputs", part, 4, second=True)
    yield make("another name", part, 3, name="images")
    yield make("a Reshape to [batch, -1]", part, 5, minus=True)
    yield make("a Reshape that begins with another number", part, 5, turned=True)
    part = "weights and allowzero"
    yield make("weights reshaped, batch 12", part, 12, weight="own", width=10)
    yield make("one constant for images and weights", part, 12, weight="shared", width=12)
    yield make("allowzero=1", part, 3, allowzero=1)
    yield make("allowzero=1, weights reshaped", part, 12, weight="own", width=8, allowzero=1)
    for label, model in (
        ("inputs with two batch sizes", _two(2, 3)), ("a batch that is free already", _two("n", "n")),
        ("a batch that says nothing", _two(None, None)), ("a scalar input", _two(2, 2, scalar=True)),
        ("one batch frozen, one free", _two(2, "n")),
        ("an input of unknown rank", _two(None, None, ranks=False)),
        ("no input", _two(2, 2, inputs=False)), ("no bytes", b""), ("text", b"this is not a model"),
    ):  # fmt: skip
        yield case(
            label, "bad input", model=model, name="batch", bad=True, true=b"", old=0, noise=0
        )


def _two(one, other, scalar=False, ranks=True, inputs=True) -> bytes:
    from onnx import TensorProto as T
    from onnx import helper, numpy_helper

    sizes = {"x": [one, 3], "z": [] if scalar else [other, 3]}
    values = [
        helper.make_tensor_value_info(k, T.FLOAT, v if ranks else None) for k, v in sizes.items()
    ]
    stored = (
        [] if inputs else [numpy_helper.from_array(np.ones((2, 3), np.float32), k) for k in sizes]
    )
    nodes = [helper.make_node("Identity", ["x"], ["y"]), helper.make_node("Identity", ["z"], ["v"])]
    outs = [helper.make_tensor_value_info("y", T.FLOAT, [one, 3])]
    graph = helper.make_graph(nodes, "g", values if inputs else [], outs, stored)
    stamp = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


def probe(solution, model, name, bad, true, old, noise):
    if bad:
        return refusal(lambda: solution(model, name))
    return solution(model) if name == "batch" else solution(model, name)


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    graph, true = onnx_graph.read(answer), onnx_graph.read(case.true)
    for what, got, want in (
        ("input", graph.inputs, true.inputs),
        ("output", graph.outputs, true.outputs),
    ):
        expect.that([n for n, _, _ in got] == [n for n, _, _ in want], f"The {what}s' names changed.",
                    yours=[n for n, _, _ in got], right=[n for n, _, _ in want])  # fmt: skip
        for (name, kind, dims), (_, kind2, dims2) in zip(got, want, strict=True):
            expect.that(kind == kind2 and dims == dims2, f"The declared shape of {name!r} is off.",
                        yours=str(dims), right=str(dims2), stage="shape")  # fmt: skip
    stored = {n for n, _, _ in onnx_graph.read(case.model).value_info}
    stale = [n for n, _, d in graph.value_info if n in stored and d and d[0] == case.old]
    expect.that(not stale, "A stored intermediate shape (value_info) still has the old batch.",
                yours=str(stale[:1]))  # fmt: skip
    expect.that(graph.ops().count("MatMul") == 2, "The graph must keep its two MatMul nodes.")
    rng = np.random.default_rng(case.noise)
    for batch in (case.old, 1, case.old + 3):
        feeds = {n: rng.normal(0, 1, (batch, *d[1:])).astype(np.float32) for n, _, d in true.inputs}
        want = onnx_graph.run(true, feeds)
        for (name, _, _), got, right in zip(
            true.outputs, onnx_graph.run(graph, feeds), want, strict=True
        ):
            expect.that(got.shape == right.shape, f"{name!r} has another shape at batch {batch}.",
                        stage="shape", yours=str(got.shape), right=str(right.shape))  # fmt: skip
            expect.close(got, right, f"{name} at batch {batch}", rtol=1e-5, atol=1e-5)
    return None
