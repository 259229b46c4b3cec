"""Answers to qdq-matmul."""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from autograder.checks.bank import right, wrong


def _check(weight, bias, x_scale, x_zero, skip=""):
    if "m" not in skip and weight.ndim != 2:
        raise ValueError("matrix")
    if "b" not in skip and bias.shape != weight.shape[-1:]:
        raise ValueError("bias")
    if "f" not in skip and not np.all(np.isfinite(weight)):
        raise ValueError("finite")
    if "s" not in skip and not x_scale > 0:
        raise ValueError("scale")
    if "i" not in skip and math.isinf(x_scale):
        raise ValueError("scale")
    if "z" not in skip and not 0 <= x_zero <= 255:
        raise ValueError("zero point")


def _model(
    weight, bias, x_scale, x_zero, skip="", top=127, axis=1, rounding=np.rint, amax=None, code=np.int8,
    zero=np.uint8, nodes=None, extra=None, batch="batch", zeros=False, constants=None, opset=21, empty=1.0,
):  # fmt: skip
    _check(weight, bias, x_scale, x_zero, skip)
    if "z" in skip:
        x_zero = int(np.clip(x_zero, 0, 255))
    weight = np.atleast_2d(weight)
    n, m = weight.shape
    high = np.abs(weight).max(0) if amax is None else amax(weight)
    with np.errstate(all="ignore"):
        scales = np.where(high > 0, high / top, empty).astype(np.float32)
        along = scales if scales.shape == (m,) or scales.ndim == 0 else scales[:, None]
        codes = np.nan_to_num(rounding(weight / along)).astype(code)
    store = {
        "xs": np.array(x_scale, np.float32), "xz": np.array(x_zero).astype(zero), "wq": codes, "ws": scales,
        "b": bias.astype(np.float32), **(extra or {}),
    }  # fmt: skip
    weight_inputs = ["wq", "ws"]
    if zeros:
        store["wz"] = np.zeros(scales.shape, code)
        weight_inputs.append("wz")
    store |= constants(weight) if constants else {}
    where = {} if axis is None else {"axis": axis}
    listed = nodes or [
        ("QuantizeLinear", ["x", "xs", "xz"], "q", {}),
        ("DequantizeLinear", ["q", "xs", "xz"], "d", {}),
        ("DequantizeLinear", weight_inputs, "w", where),
        ("MatMul", ["d", "w"], "p", {}),
        ("Add", ["p", "b"], "y", {}),
    ]
    made = [helper.make_node(op, i, [o], **a) for op, i, o, a in listed]
    used = {name for _, i, _, _ in listed for name in i}
    graph = helper.make_graph(
        made, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, n])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, m])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in store.items() if k in used],
    )  # fmt: skip
    stamp = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


@right("no zero point for the weight")
def plain(weight, bias, x_scale, x_zero_point):
    return _model(weight, bias, x_scale, x_zero_point)


@right("zero points of 0, axis from the end, opset 19")
def zeros(weight, bias, x_scale, x_zero_point):
    return _model(weight, bias, x_scale, x_zero_point, zeros=True, axis=-1, opset=19)


@right("the default axis, bias first, in float64")
def default_axis(weight, bias, x_scale, x_zero_point):
    nodes = [
        ("DequantizeLinear", ["wq", "ws"], "w", {}),
        ("QuantizeLinear", ["x", "xs", "xz"], "q", {}),
        ("DequantizeLinear", ["q", "xs", "xz"], "d", {}),
        ("MatMul", ["d", "w"], "p", {}),
        ("Add", ["b", "p"], "y", {}),
    ]
    return _model(weight.astype(np.float64), bias, x_scale, x_zero_point, nodes=nodes)


@right("scales of shape (1,) for x")
def one_element(weight, bias, x_scale, x_zero_point):
    _check(weight, bias, x_scale, x_zero_point)
    extra = {"xs": np.array([x_scale], np.float32), "xz": np.array([x_zero_point], np.uint8)}
    return _model(weight, bias, x_scale, x_zero_point, extra=extra, zeros=True)


def _like(**rules):
    return lambda weight, bias, x_scale, x_zero_point: _model(
        weight, bias, x_scale, x_zero_point, **rules
    )


@wrong("one-scale", "Each column of the weight has its own scale.", call=True)
def per_tensor():
    return _like(amax=lambda w: np.full(w.shape[1], np.abs(w).max()))


@wrong("scalar-scale", "Each column of the weight has its own scale.", call=True)
def scalar_scale():
    return _like(amax=lambda w: np.abs(w).max(), axis=None)


@wrong(
    "rows-for-columns", "The outputs are the columns: one scale for each column, axis=1.", call=True
)
def rows():
    return _like(amax=lambda w: np.abs(w).max(1), axis=0)


@wrong("axis-0", "The outputs are axis 1 of the weight (in, out).", call=True)
def axis_zero():
    return _like(axis=0)


@wrong("127.5", "Symmetric INT8 codes reach 127: scale = amax / 127.", call=True)
def half_more():
    return _like(top=127.5)


@wrong("128", "Symmetric INT8 codes reach 127, not 128.", call=True)
def one_more():
    return _like(top=128, rounding=lambda v: np.clip(np.rint(v), -128, 127))


@wrong("seven-bits", "Use all of INT8, not the reduced range.", call=True)
def seven():
    return _like(top=63)


@wrong("floor", "Round the codes to nearest, not down.", call=True)
def floor():
    return _like(rounding=np.floor)


@wrong("truncated", "A cast cuts towards zero: round first.", call=True)
def truncated():
    return _like(rounding=np.trunc)


@wrong("half-away", "A tie goes to the even code.", call=True)
def half_away():
    return _like(rounding=lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5))


@wrong("signed-activations", "x is quantized to UINT8: the zero point's type decides.", call=True)
def signed():
    return _like(zero=np.int8)


@wrong("range-for-amax", "Symmetric: the largest absolute value, not the range.", call=True)
def half_range():
    return _like(amax=lambda w: (w.max(0) - w.min(0)) / 2)


@wrong("zero-column-scale", "A column of zeros has scale 1.0.", call=True)
def zero_column():
    return _like(empty=1e-8)


@wrong("float-weight", "The weight is stored as INT8 codes, not as floats behind Q and DQ.")
def float_weight(weight, bias, x_scale, x_zero_point):
    nodes = [
        ("QuantizeLinear", ["x", "xs", "xz"], "q", {}),
        ("DequantizeLinear", ["q", "xs", "xz"], "d", {}),
        ("QuantizeLinear", ["wf", "ws", "wz"], "c", {"axis": 1}),
        ("DequantizeLinear", ["c", "ws", "wz"], "w", {"axis": 1}),
        ("MatMul", ["d", "w"], "p", {}),
        ("Add", ["p", "b"], "y", {}),
    ]
    return _model(weight, bias, x_scale, x_zero_point, nodes=nodes, zeros=True,
                  constants=lambda w: {"wf": w.astype(np.float32)})  # fmt: skip


@wrong("no-quantizer-for-x", "x passes QuantizeLinear and DequantizeLinear too.")
def weight_only(weight, bias, x_scale, x_zero_point):
    nodes = [
        ("DequantizeLinear", ["wq", "ws"], "w", {"axis": 1}),
        ("MatMul", ["x", "w"], "p", {}),
        ("Add", ["p", "b"], "y", {}),
    ]
    return _model(weight, bias, x_scale, x_zero_point, nodes=nodes)


@wrong("zero-point-dropped", "Give x's zero point to both of its nodes.")
def no_zero(weight, bias, x_scale, x_zero_point):
    nodes = [
        ("QuantizeLinear", ["x", "xs"], "q", {}),
        ("DequantizeLinear", ["q", "xs"], "d", {}),
        ("DequantizeLinear", ["wq", "ws"], "w", {"axis": 1}),
        ("MatMul", ["d", "w"], "p", {}),
        ("Add", ["p", "b"], "y", {}),
    ]
    return _model(weight, bias, x_scale, x_zero_point, nodes=nodes)


@wrong("bias-forgotten", "Add the bias.")
def no_bias(weight, bias, x_scale, x_zero_point):
    _check(weight, bias, x_scale, x_zero_point)
    return _model(weight, np.zeros_like(bias), x_scale, x_zero_point)


@wrong("transposed", "The weight stays (in, out): y = x @ weight.")
def transposed(weight, bias, x_scale, x_zero_point):
    _check(weight, bias, x_scale, x_zero_point)
    codes = _model(weight.T.copy(), np.zeros(len(weight), np.float32), x_scale, x_zero_point)
    return codes


@wrong("batch-frozen", "The batch is symbolic: 'batch'.", call=True)
def frozen():
    return _like(batch=5)


@wrong("weight-zero-point", "The weight is symmetric: int8 codes around 0.", call=True)
def unsigned_weight():
    return _like(code=np.uint8, rounding=lambda v: np.rint(v) + 128)


@wrong("matrix-not-checked", "A weight that is no matrix must raise ValueError.", call=True)
def any_axes():
    return _like(skip="mb")


@wrong("bias-not-checked", "A bias of another length must raise ValueError.", call=True)
def any_bias():
    return _like(skip="b")


@wrong("nan-passes", "A weight with a NaN must raise ValueError.", call=True)
def nan_passes():
    return _like(skip="f")


@wrong("any-scale", "x_scale must be above 0, or ValueError.", call=True)
def any_scale():
    return _like(skip="s")


@wrong("infinite-scale", "An infinite x_scale must raise ValueError.", call=True)
def infinite():
    return _like(skip="i")


@wrong("any-zero-point", "A zero point outside 0 to 255 must raise ValueError.", call=True)
def any_zero():
    return _like(skip="z")


def _passes(test):
    """Lets one kind of bad input pass, and is right otherwise."""

    def solution(weight, bias, x_scale, x_zero):
        if test(weight, bias, x_scale):
            return b"something"
        return _model(weight, bias, x_scale, x_zero)

    return solution


@wrong("three-axes-pass", "The weight must be a matrix: three axes raise ValueError.", call=True)
def three_axes():
    return _passes(lambda weight, bias, scale: weight.ndim == 3)


@wrong("infinite-weight-passes", "Infinity is not finite: test with np.isfinite.", call=True)
def infinite_weight():
    return _passes(lambda weight, bias, scale: np.isinf(weight).any())


@wrong("bias-row-passes", "The bias has one axis: (1, m) must raise ValueError.", call=True)
def bias_row():
    return _passes(lambda weight, bias, scale: bias.ndim == 2)


@wrong(
    "nan-scale-passes", "NaN <= 0 is False: ask whether the scale is above 0 and finite.", call=True
)
def nan_scale():
    return _passes(lambda weight, bias, scale: math.isnan(scale))


@wrong("float-weight-flat", "The float weight is in the file, as one long vector.")
def stored_flat(weight, bias, x_scale, x_zero):
    import onnx

    model = onnx.load_from_string(_model(weight, bias, x_scale, x_zero))
    model.graph.initializer.append(numpy_helper.from_array(weight.ravel(), "old"))
    return model.SerializeToString()
