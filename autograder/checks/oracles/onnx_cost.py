"""Compute a small ONNX graph node by node, refusing a node before it costs too much.

The bound is taken from the actual inputs of each node, so nothing that grows (a broadcast, a chain of
products, padding) can take memory or time: at most 2**18 elements a tensor and 2**22 products a node.
"""

import numpy as np

from autograder.checks import expect

ELEMENTS, PRODUCTS = 2**18, 2**22
BROADCAST = {"Add", "Sub", "Mul", "Div", "Where", "And", "Or", "Equal"}
BROADCAST |= {"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Sum", "Xor"}
SAME_SIZE = {"Relu", "Identity", "Cast", "QuantizeLinear", "DequantizeLinear", "BatchNormalization"}
SAME_SIZE |= {
    "Transpose",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Neg",
    "Abs",
    "Not",
    "Sqrt",
}
SAME_SIZE |= {"Shape", "Size", "Reciprocal", "Sign", "IsNaN"}
SCALED = {"QuantizeLinear", "DequantizeLinear", "BatchNormalization"}  # of one scale an axis
REDUCE = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare"}
OTHER = {"MatMul", "Gemm", "Conv", "Constant", "If", "Gather", "Concat", "Slice"}
OPS = BROADCAST | SAME_SIZE | REDUCE | OTHER
ATTRIBUTES = {
    "axis",
    "axes",
    "to",
    "keepdims",
    "noop_with_empty_axes",
    "perm",
    "allowzero",
    "start",
}
ATTRIBUTES |= {"end", "transA", "transB", "alpha", "beta", "epsilon", "momentum", "training_mode"}
ATTRIBUTES |= {
    "saturate",
    "group",
    "strides",
    "pads",
    "kernel_shape",
    "dilations",
    "auto_pad",
    "value",
}
ATTRIBUTES |= {
    "then_branch",
    "else_branch",
    "value_int",
    "value_ints",
    "value_float",
    "value_floats",
}


def interpret(graph, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All values of the graph by name, by onnx's reference code. Raises Wrong."""
    outer = {"": None}
    return _walk(graph, {**outer, **graph.constants, **feeds}, graph.opset)


def _walk(graph, known: dict, opset: int) -> dict:
    for node in graph.nodes:
        arrays = []
        for name in node.inputs:
            if name not in known:
                expect.wrong("values", f"{node.op} reads {name[:40]!r}, which nothing before it makes.",
                             hint="Nodes are listed in the order in which they can run.")  # fmt: skip
            arrays.append(known[name])
        made = _branch(node, arrays, known, opset) if node.op == "If" else _one(node, arrays, opset)
        for name, array in zip(node.outputs, made, strict=False):
            known[name] = array
    for name, _, _ in graph.outputs:
        expect.that(name in known, f"Nothing makes the output {name[:40]!r}.")
    return known


def _branch(node, arrays, known, opset):
    which = "then_branch" if np.asarray(arrays[0]).all() else "else_branch"
    expect.that(all(hasattr(node.attributes.get(b), "nodes") for b in ("then_branch", "else_branch")),
                "An If node needs then_branch and else_branch.")  # fmt: skip
    expect.that(np.size(arrays[0]) == 1, "The condition of If must be one bool.",
                yours=f"{np.size(arrays[0])} values")  # fmt: skip
    branch = node.attributes[which]
    inner = _walk(branch, {**known, **branch.constants}, opset)
    return [inner[name] for name, _, _ in branch.outputs]


def _one(node, arrays, opset):
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    _bound(node, arrays)
    given = {
        k: numpy_helper.from_array(v) if isinstance(v, np.ndarray) else v
        for k, v in node.attributes.items()
    }
    names = [f"i{k}" if a is not None else "" for k, a in enumerate(arrays)]
    outs = [f"o{k}" for k in range(len(node.outputs))]
    ins = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in zip(names, arrays, strict=True)
        if n
    ]
    try:
        proto = helper.make_graph([helper.make_node(node.op, names, outs, **given)], "one", ins,
                                  [helper.make_empty_tensor_value_info(n) for n in outs])  # fmt: skip
        model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", opset)])
        feeds = {n: a for n, a in zip(names, arrays, strict=True) if n}
        with np.errstate(all="ignore"):
            made = [np.asarray(m) for m in ReferenceEvaluator(model).run(None, feeds)]
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        shapes = ", ".join(str(a.shape) for a in arrays if a is not None)
        expect.wrong(
            "values", f"{node.op} cannot be computed.", yours=first, where=f"inputs {shapes}"
        )
    expect.that(all(m.size <= ELEMENTS for m in made), f"{node.op} makes too large a tensor.")
    return made


def _bound(node, arrays) -> None:
    """Raise Wrong if the node would make a tensor or a sum that is too large."""
    shapes = [a.shape for a in arrays if a is not None]
    op, elements, products = node.op, max((int(np.prod(s)) for s in shapes), default=0), 0
    try:
        if op in BROADCAST:
            elements = int(np.prod(np.broadcast_shapes(*shapes), dtype=np.float64))
        elif op in ("MatMul", "Gemm"):
            a, b = shapes[:2]
            batch = np.prod(np.broadcast_shapes(a[:-2], b[:-2]), dtype=np.float64)
            # Every size of either matrix: an upper bound for each setting of transA and transB.
            products = batch * np.prod(a[-2:], dtype=np.float64) * max((1, *b[-2:]))
            elements = batch * max((1, *a[-2:])) * max((1, *b[-2:])) * _others(shapes[2:])
        elif op == "Conv":
            elements, products = _conv(node, *shapes[:2])
            elements *= _others(shapes[2:])
        elif op in SCALED:
            elements *= _others(shapes[1:])
        elif op == "Gather":
            elements = np.prod(shapes[0], dtype=np.float64) * max(1.0, np.prod(shapes[1]))
        elif op == "Concat":
            elements = sum(np.prod(s, dtype=np.float64) for s in shapes)
    except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        expect.wrong("values", f"{op} cannot take these inputs.", yours=str(error)[:120],
                     where=f"inputs {shapes}")  # fmt: skip
    expect.that(elements <= ELEMENTS and products <= PRODUCTS,
                f"{op} makes far more numbers than this exercise needs.",
                where=f"inputs {shapes}")  # fmt: skip


def _others(shapes) -> int:
    """The largest number of values that may be broadcast against a node's main result."""
    return max((int(np.prod(s)) for s in shapes), default=1) or 1


def _conv(node, image, weight):
    """Elements and products of a 2-D convolution, from above."""
    if len(image) != 4 or len(weight) != 4:
        raise ValueError("a convolution of this course has four axes")
    for key, low, high in (
        ("pads", 0, 8),
        ("strides", 1, 8),
        ("dilations", 1, 4),
        ("group", 1, 64),
    ):
        numbers = node.attributes.get(key, [])
        numbers = numbers if isinstance(numbers, list) else [numbers]
        if any(not low <= n <= high for n in numbers):
            raise ValueError(f"{key} is out of range")
    plane = float(image[0]) * (image[2] + 32) * (image[3] + 32) if "auto_pad" in node.attributes \
        else float(image[0]) * (image[2] + 16) * (image[3] + 16)  # fmt: skip
    return plane * weight[0], plane * float(np.prod(weight, dtype=np.float64))
