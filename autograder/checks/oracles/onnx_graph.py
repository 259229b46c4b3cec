"""ONNX models that an answer returns: read without trust, rebuilt from plain parts, run within bounds.

An answer's bytes never reach ONNX Runtime. They are parsed under a size limit into names, attributes
and arrays of an allowed kind; each node is then computed by onnx's reference code, one at a time, after
its cost has been bounded from its actual inputs; and only a model rebuilt from those parts, which has
passed all that with the same inputs, is run. No external data, functions or custom operators.
"""

from dataclasses import dataclass, field

import numpy as np

from autograder.checks import expect
from autograder.checks.oracles import onnx_cost

MAX_BYTES = 128 * 1024
MAX_NODES, MAX_NAMES, MAX_RANK, MAX_DIM, MAX_ELEMENTS = 80, 200, 6, 4096, 32_768
IR_VERSION, OPSETS = 10, range(18, 24)
# FLOAT, UINT8, INT8, INT32, INT64, BOOL, DOUBLE: the types that a course model may hold.
TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 11: "float64"}


@dataclass
class Node:
    """One node; attributes are ints, floats, strings, lists of them, arrays or graphs."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict = field(default_factory=dict)


@dataclass
class Graph:
    """inputs and outputs: (name, element type, dims or None); dims hold int, str or None."""

    nodes: list[Node]
    inputs: list[tuple]
    outputs: list[tuple]
    constants: dict[str, np.ndarray]
    value_info: list[tuple]
    opset: int = 0

    def ops(self, deep: bool = True) -> list[str]:
        """Operator names, those of the branches included."""
        found = []
        for node in self.nodes:
            found.append(node.op)
            if deep:
                for value in node.attributes.values():
                    found += value.ops() if isinstance(value, Graph) else []
        return found


def read(answer) -> Graph:
    """The graph in an answer's bytes. Raises Wrong for anything that is no small plain model."""
    import onnx
    from google.protobuf.message import DecodeError

    if not isinstance(answer, bytes):
        expect.wrong("type", "Return the model as bytes: `model.SerializeToString()`.",
                     yours=expect.kind(answer), right="bytes")  # fmt: skip
    _that(len(answer) <= MAX_BYTES, f"The model has {len(answer)} bytes, far more than it needs.")
    try:
        model = onnx.ModelProto.FromString(answer)
    except DecodeError:
        expect.wrong("type", "The bytes are no ONNX model.", yours=f"{len(answer)} bytes")
    _that(model.HasField("graph"), "The model has no graph.")
    _that(not model.functions and not model.training_info, "The model holds functions.")
    stamps = {o.domain: o.version for o in model.opset_import}
    opset = stamps.get("", stamps.get("ai.onnx", 0))
    _that(opset in OPSETS, f"The model is stamped opset {opset}: keep to 18 to 23.")
    graph = _graph(model.graph, [0], 0)
    graph.opset = opset
    return graph


def run(graph: Graph, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs of a rebuilt graph in ONNX Runtime, unoptimized, one thread. Raises Wrong."""
    import onnx
    import onnxruntime

    _that(set(feeds) == {name for name, _, _ in graph.inputs if name not in graph.constants},
          "The graph's inputs have other names than asked for.",
          yours=sorted(n for n, _, _ in graph.inputs), right=sorted(feeds))  # fmt: skip
    onnx_cost.interpret(graph, feeds)
    model = rebuild(graph)
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        expect.wrong("values", "onnx.checker refuses the model.", yours=_first_line(error))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.graph_optimization_level = level
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return [np.asarray(out) for out in session.run(None, feeds)]
    except Exception as error:
        expect.wrong("values", "ONNX Runtime refuses the model.", yours=_first_line(error),
                     where=_shapes(feeds))  # fmt: skip


def rebuild(graph: Graph):
    """A new onnx.ModelProto of the same meaning."""
    from onnx import helper

    stamp = helper.make_opsetid("", graph.opset)
    return helper.make_model(_proto(graph), opset_imports=[stamp], ir_version=IR_VERSION)


def value(name: str, kind: int, dims):
    """A ValueInfoProto; dims None leaves the rank open."""
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, dims)


def one(items: list, what: str):
    """The only item of a list. Raises Wrong."""
    _that(len(items) == 1, f"The graph must have exactly one {what}.", yours=len(items), right=1)
    return items[0]


def _proto(graph: Graph):
    from onnx import helper, numpy_helper

    nodes = []
    for node in graph.nodes:
        given = {
            key: _proto(v) if isinstance(v, Graph)
            else numpy_helper.from_array(v) if isinstance(v, np.ndarray) else v
            for key, v in node.attributes.items()
        }  # fmt: skip
        nodes.append(helper.make_node(node.op, node.inputs, node.outputs, **given))
    constants = [numpy_helper.from_array(v, k) for k, v in graph.constants.items()]
    return helper.make_graph(nodes, "g", [value(*v) for v in graph.inputs],
                             [value(*v) for v in graph.outputs], constants,
                             value_info=[value(*v) for v in graph.value_info])  # fmt: skip


def _graph(proto, count: list[int], depth: int) -> Graph:
    _that(depth <= 2, "The model nests graphs too deeply.")
    _that(not proto.sparse_initializer, "The model holds sparse constants.")
    count[0] += len(proto.node)
    _that(count[0] <= MAX_NODES, f"The model has over {MAX_NODES} nodes, far more than it needs.")
    for part in (proto.input, proto.output, proto.initializer, proto.value_info):
        _that(len(part) <= MAX_NAMES, "The model has far more names than it needs.")
    constants = {}
    for tensor in proto.initializer:
        constants[_name(tensor.name)] = _array(tensor)
    return Graph(
        [_node(node, count, depth) for node in proto.node],
        *([_value(v) for v in part] for part in (proto.input, proto.output)),
        constants,
        [_value(v) for v in proto.value_info],
    )


def _node(proto, count, depth) -> Node:
    op = proto.op_type
    _that(proto.domain in ("", "ai.onnx") and op in onnx_cost.OPS,
          "The graph holds an operator that this exercise does not need.",
          yours=f"{proto.domain}:{op}"[:60], right=", ".join(sorted(onnx_cost.OPS)))  # fmt: skip
    _that(len(proto.input) <= 8 and len(proto.output) <= 5, f"{op} has too many inputs or outputs.")
    attributes = {}
    for a in proto.attribute:
        _that(a.name in onnx_cost.ATTRIBUTES and not a.ref_attr_name,
              f"{op} has an attribute that this exercise does not need.", yours=a.name[:40])  # fmt: skip
        attributes[a.name] = _attribute(a, count, depth)
    _that(attributes.get("to", 1) in TYPES, "Cast goes to a type that this exercise does not need.")
    ins, outs = [_name(n) for n in proto.input], [_name(n) for n in proto.output]
    return Node(op, ins, outs, attributes)


def _attribute(a, count, depth):
    from onnx import AttributeProto as A

    if a.type == A.GRAPH:
        return _graph(a.g, count, depth + 1)
    if a.type == A.TENSOR:
        return _array(a.t)
    if a.type == A.FLOAT:
        return float(a.f)
    if a.type == A.STRING:
        return a.s.decode("ascii", "replace")[:40]
    _that(a.type in (A.INT, A.INTS, A.FLOATS), "A node has an attribute of an unknown type.")
    if a.type == A.FLOATS:
        _that(len(a.floats) <= 4096, "A node's attribute is too long.")
        return list(a.floats)
    numbers = [a.i] if a.type == A.INT else list(a.ints)
    _that(len(numbers) <= 16 and all(abs(n) <= MAX_DIM for n in numbers),
          f"The attribute {a.name!r} is out of range.")  # fmt: skip
    return numbers[0] if a.type == A.INT else numbers


def _array(tensor) -> np.ndarray:
    from onnx import TensorProto, numpy_helper

    inside = tensor.data_location == TensorProto.DEFAULT and not tensor.external_data
    _that(inside, "A constant lies in another file: keep the data in the model.")
    _that(tensor.data_type in TYPES, "A constant has a type that this exercise does not need.")
    dims = list(tensor.dims)
    size = int(np.prod(dims, dtype=np.float64)) if dims else 1
    _that(len(dims) <= MAX_RANK and all(0 <= d <= MAX_DIM for d in dims) and size <= MAX_ELEMENTS,
          "A constant is far larger than it needs to be.", yours=str(dims)[:60])  # fmt: skip
    try:
        array = numpy_helper.to_array(tensor)
    except Exception as error:
        expect.wrong("values", "A constant cannot be read.", yours=_first_line(error))
    _that(array.shape == tuple(dims), "A constant's data does not fit its shape.")
    return np.array(array)


def _value(info) -> tuple:
    tensor = info.type.tensor_type
    _that(info.type.HasField("tensor_type") and tensor.elem_type in TYPES,
          "An input, an output or a value has no tensor type of this exercise.",
          yours=info.name[:40])  # fmt: skip
    if not tensor.HasField("shape"):
        return _name(info.name), tensor.elem_type, None
    dims = []
    for d in tensor.shape.dim:
        which = d.WhichOneof("value")
        dims.append(None if which is None else getattr(d, which))
    _that(len(dims) <= MAX_RANK, "A tensor has too many axes.")
    for d in dims:
        # Text that is no UTF-8 arrives as bytes.
        good = d is None or (
            len(d) <= 64 if isinstance(d, str) else isinstance(d, int) and 0 <= d <= MAX_DIM
        )
        _that(good, "A tensor's declared size is out of range.", yours=str(d)[:40])
    return _name(info.name), tensor.elem_type, dims


def _name(text: str) -> str:
    _that(
        isinstance(text, str) and len(text) <= 200, "A name in the model is too long, or no text."
    )
    return text


def _that(condition, message, **details):
    expect.that(bool(condition), message, **details)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _shapes(feeds: dict) -> str:
    return "with " + ", ".join(f"{k} {v.shape}" for k, v in feeds.items())
