"""Answers to onnx-branch."""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from autograder.checks.bank import right, wrong


def _check(hot, cold, threshold, skip=""):
    if "m" not in skip and (hot.ndim != 2 or cold.ndim != 2):
        raise ValueError("matrices")
    if "s" not in skip and hot.shape != cold.shape:
        raise ValueError("shapes")
    if "n" not in skip and math.isnan(threshold):
        raise ValueError("threshold")


def _model(
    nodes, n, m, constants, batch="batch", opset=21, names=("x", "y"), kind=TensorProto.FLOAT
):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(names[0], kind, [batch, n])],
        [helper.make_tensor_value_info(names[1], kind, [batch, m])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )  # fmt: skip
    stamp = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


def _branch(matrix, x="x", extra=(), inside=None):
    constants = [numpy_helper.from_array(inside, matrix)] if inside is not None else []
    out = helper.make_tensor_value_info(f"{matrix}_out", TensorProto.FLOAT, None)
    product = helper.make_node("MatMul", [x, matrix], [f"{matrix}_out"])
    return helper.make_graph([product, *extra], matrix, [], [out], constants)


def _answer(
    hot, cold, threshold, skip="", reduce="ReduceSum", compare="Greater", swap=False, first="x",
    where="", axis=None, scale=1.0, **model,
):  # fmt: skip
    _check(hot, cold, threshold, skip)
    hot2, cold2 = np.atleast_2d(hot), np.atleast_2d(cold)
    n, m = hot2.shape
    constants = {"hot": hot2.astype(np.float32), "cold": cold2.astype(np.float32),
                 "t": np.array(threshold * scale, np.float32)}  # fmt: skip
    inputs = [first]
    if axis is not None:
        constants["axes"] = np.array(axis, np.int64)
        inputs.append("axes")
    nodes = [helper.make_node(reduce, inputs, ["s"], keepdims=0),
             helper.make_node(compare, ["s", "t"], ["c"])]  # fmt: skip
    if where:
        nodes += [
            helper.make_node("MatMul", ["x", "hot"], ["a"]),
            helper.make_node("MatMul", ["x", "cold"], ["b"]),
        ]
    if where == "where":
        nodes.append(helper.make_node("Where", ["c", "a", "b"], ["y"]))
    elif where == "if":
        sides = [
            helper.make_graph([helper.make_node("Identity", [k], [f"{k}o"])], k, [],
                              [helper.make_tensor_value_info(f"{k}o", 1, None)]) for k in "ab"
        ]  # fmt: skip
        nodes.append(
            helper.make_node("If", ["c"], ["y"], then_branch=sides[0], else_branch=sides[1])
        )
    else:
        sides = [_branch("hot"), _branch("cold")][:: -1 if swap else 1]
        nodes.append(
            helper.make_node("If", ["c"], ["y"], then_branch=sides[0], else_branch=sides[1])
        )
    return _model(nodes, n, m, constants, **model)


@right("names of the graph around")
def outer(hot, cold, threshold):
    return _answer(hot, cold, threshold)


@right("matrices inside the branches, axes as an input, opset 18")
def inner(hot, cold, threshold):
    _check(hot, cold, threshold)
    hot, cold = hot.astype(np.float32), cold.astype(np.float32)
    nodes = [
        helper.make_node("Identity", ["x"], ["z"]),
        helper.make_node("ReduceSum", ["z", "axes"], ["s"], keepdims=1),
        helper.make_node("Squeeze", ["s"], ["flat"]),
        helper.make_node("Greater", ["flat", "t"], ["c"]),
        helper.make_node("If", ["c"], ["y"], then_branch=_branch("hot", "z", inside=hot),
                         else_branch=_branch("cold", "z", inside=cold)),
    ]  # fmt: skip
    constants = {"axes": np.array([0, 1], np.int64), "t": np.float32(threshold).reshape(())}
    return _model(nodes, *hot.shape, constants, opset=18)


@right("the sides turned round, with LessOrEqual")
def less_or_equal(hot, cold, threshold):
    _check(hot, cold, threshold)
    limit = numpy_helper.from_array(np.array(threshold, np.float32))
    nodes = [
        helper.make_node("Constant", [], ["t"], value=limit),
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "t"], ["above"]),
        helper.make_node("Not", ["above"], ["c"]),
        helper.make_node(
            "If", ["c"], ["y"], then_branch=_branch("cold"), else_branch=_branch("hot")
        ),
    ]
    constants = {"hot": hot.astype(np.float32), "cold": cold.astype(np.float32)}
    return _model(nodes, *hot.shape, constants)


@right("Gemm in the branches, Less with its inputs turned")
def gemm(hot, cold, threshold):
    _check(hot, cold, threshold)
    sides = []
    for name in ("hot", "cold"):
        node = helper.make_node("Gemm", ["x", name], [f"{name}_o"])
        sides.append(
            helper.make_graph(
                [node], name, [], [helper.make_tensor_value_info(f"{name}_o", 1, ["b", "m"])]
            )
        )
    nodes = [helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
             helper.make_node("Less", ["t", "s"], ["c"]),
             helper.make_node("If", ["c"], ["y"], then_branch=sides[0], else_branch=sides[1])]  # fmt: skip
    constants = {
        "hot": hot.astype(np.float32),
        "cold": cold.astype(np.float32),
        "t": np.array(threshold, np.float32),
    }
    return _model(nodes, *hot.shape, constants, opset=23)


def _like(**rules):
    return lambda hot, cold, threshold: _answer(hot, cold, threshold, **rules)


@wrong("sides-swapped", "then_branch runs when the condition is true.", call=True)
def swapped():
    return _like(swap=True)


@wrong("equal-is-hot", "A sum equal to the threshold takes cold: use Greater.", call=True)
def equal():
    return _like(compare="GreaterOrEqual")


@wrong("less", "The condition is sum > threshold.", call=True)
def less():
    return _like(compare="Less")


@wrong("mean", "The gate reads the sum, not the mean.", call=True)
def mean():
    return _like(reduce="ReduceMean")


@wrong("maximum", "The gate reads the sum, not the maximum.", call=True)
def maximum():
    return _like(reduce="ReduceMax")


@wrong("where", "Where computes both products; only the chosen one may be computed.", call=True)
def where():
    return _like(where="where")


@wrong("if-that-selects", "Your If only selects: both products are computed before it.", call=True)
def selects():
    return _like(where="if")


@wrong("row-sums", "One sum over the whole batch: a condition is one bool.", call=True)
def row_sums():
    return _like(axis=[1])


@wrong("threshold-forgotten", "Compare with the threshold, not with 0.", call=True)
def no_threshold():
    return _like(scale=0.0)


@wrong("traced-away", "The branch was decided when the model was made.")
def traced(hot, cold, threshold):
    _check(hot, cold, threshold)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return _model([node], *hot.shape, {"w": hot.astype(np.float32)})


@wrong("same-matrix-twice", "The else branch must use cold.")
def twice(hot, cold, threshold):
    _check(hot, cold, threshold)
    return _answer(hot, hot, threshold)


@wrong("batch-frozen", "The batch must have the symbolic size 'batch'.", call=True)
def frozen():
    return _like(batch=1)


@wrong("other-names", "The input is called x and the output y.")
def names(hot, cold, threshold):
    _check(hot, cold, threshold)
    nodes = [helper.make_node("ReduceSum", ["input"], ["s"], keepdims=0),
             helper.make_node("Greater", ["s", "t"], ["c"]),
             helper.make_node("If", ["c"], ["output"], then_branch=_branch("hot", "input"),
                              else_branch=_branch("cold", "input"))]  # fmt: skip
    constants = {
        "hot": hot.astype(np.float32),
        "cold": cold.astype(np.float32),
        "t": np.array(threshold, np.float32),
    }
    return _model(nodes, *hot.shape, constants, names=("input", "output"))


@wrong("float64-model", "Weights, input and output are float32.")
def doubles(hot, cold, threshold):
    _check(hot, cold, threshold)
    sides = []
    for name in ("hot", "cold"):
        out = helper.make_tensor_value_info(f"{name}_o", TensorProto.DOUBLE, None)
        sides.append(
            helper.make_graph(
                [helper.make_node("MatMul", ["x", name], [f"{name}_o"])], name, [], [out]
            )
        )
    nodes = [helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
             helper.make_node("Greater", ["s", "t"], ["c"]),
             helper.make_node("If", ["c"], ["y"], then_branch=sides[0], else_branch=sides[1])]  # fmt: skip
    constants = {
        "hot": hot.astype(float),
        "cold": cold.astype(float),
        "t": np.array(threshold, float),
    }
    return _model(nodes, *hot.shape, constants, kind=TensorProto.DOUBLE)


@wrong("shapes-not-checked", "Matrices of different shapes must raise ValueError.", call=True)
def any_shapes():
    return _like(skip="s")


@wrong("vectors-pass", "hot and cold must be matrices, or ValueError.", call=True)
def vectors():
    return _like(skip="m")


@wrong("nan-threshold-passes", "A threshold of NaN must raise ValueError.", call=True)
def nan_threshold():
    return _like(skip="n")


@wrong("compared-in-float64", "Compare in float32: a threshold of 0.1 is rounded, like the sum.")
def compared_wide(hot, cold, threshold):
    _check(hot, cold, threshold)
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Cast", ["s"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("Greater", ["wide", "t"], ["c"]),
        helper.make_node(
            "If", ["c"], ["y"], then_branch=_branch("hot"), else_branch=_branch("cold")
        ),
    ]
    constants = {"hot": hot.astype(np.float32), "cold": cold.astype(np.float32),
                 "t": np.array(threshold, np.float64)}  # fmt: skip
    return _model(nodes, *hot.shape, constants)


@wrong("infinite-threshold-refused", "Only NaN is no threshold: with -inf every sum is above it.")
def finite_only(hot, cold, threshold):
    if not math.isfinite(threshold):
        raise ValueError("threshold")
    return _answer(hot, cold, threshold)


@wrong("threshold-as-int", "Keep the fraction of the threshold.")
def whole(hot, cold, threshold):
    _check(hot, cold, threshold)
    return _answer(hot, cold, math.trunc(threshold) if math.isfinite(threshold) else threshold)


@wrong("threshold-in-float16", "The threshold is stored in float32.")
def half(hot, cold, threshold):
    _check(hot, cold, threshold)
    return _answer(hot, cold, float(np.float16(threshold)))


@right("a flattened batch, summed in one row")
def flattened(hot, cold, threshold):
    _check(hot, cold, threshold)
    nodes = [
        helper.make_node("Flatten", ["x"], ["row"], axis=0),
        helper.make_node("ReduceSum", ["row", "one"], ["s"], keepdims=1),
        helper.make_node("Greater", ["s", "t"], ["c"]),
        helper.make_node(
            "If", ["c"], ["y"], then_branch=_branch("hot"), else_branch=_branch("cold")
        ),
    ]
    constants = {"hot": hot.astype(np.float32), "cold": cold.astype(np.float32),
                 "t": np.array([[threshold]], np.float32), "one": np.array([1], np.int64)}  # fmt: skip
    return _model(nodes, *hot.shape, constants, opset=19)
