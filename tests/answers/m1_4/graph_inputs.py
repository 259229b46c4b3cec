"""Answers to graph-inputs."""

import numpy as np
import onnx

from autograder.checks.bank import right, wrong


def _load(data, skip=""):
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:
        if "p" in skip:
            raise
        raise ValueError("no protobuf") from error
    if "g" not in skip and not model.HasField("graph"):
        raise ValueError("no graph")
    return model


def _size(d):
    kind = d.WhichOneof("value")
    return getattr(d, kind) if kind else None


def _inputs(
    data, skip="", size=_size, rank=None, dtype=None, wrap=tuple, defaults=False, order=None
):
    graph = _load(data, skip).graph
    stored = set() if defaults else {t.name for t in graph.initializer}
    found = {}
    for value in graph.input:
        t = value.type.tensor_type
        if value.name in stored:
            continue
        dims = wrap(size(d) for d in t.shape.dim)
        if not t.HasField("shape"):
            dims = None if rank is None else rank
        kind = (
            dtype(t.elem_type)
            if dtype
            else np.dtype(onnx.helper.tensor_dtype_to_np_dtype(t.elem_type)).name
        )
        found[value.name] = (kind, dims)
    return dict(sorted(found.items())) if order else found


@right("WhichOneof")
def which_one(data):
    return _inputs(data)


@right("HasField, one by one")
def has_field(data):
    graph = _load(data).graph
    known = [t.name for t in graph.initializer]
    result = {}
    for value in graph.input:
        if value.name not in known:
            tensor = value.type.tensor_type
            dims = []
            for d in tensor.shape.dim:
                if d.HasField("dim_value"):
                    dims.append(d.dim_value)
                elif d.HasField("dim_param"):
                    dims.append(d.dim_param)
                else:
                    dims.append(None)
            kind = str(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
            result[value.name] = (kind, tuple(dims) if tensor.HasField("shape") else None)
    return result


@right("a table of types, pairs as lists")
def table(data):
    names = {
        1: "float32",
        2: "uint8",
        3: "int8",
        4: "uint16",
        5: "int16",
        6: "int32",
        7: "int64",
        9: "bool",
        10: "float16",
        11: "float64",
        12: "uint32",
        13: "uint64",
    }
    return {k: list(v) for k, v in _inputs(data, dtype=names.get).items()}


def _like(**rules):
    return lambda data: _inputs(data, **rules)


@wrong(
    "zero-is-unknown",
    "An axis of size 0 is fixed: ask WhichOneof, not the number's truth.",
    call=True,
)
def zero_unknown():
    return _like(size=lambda d: d.dim_value or d.dim_param or None)


@wrong("name-as-zero", "A symbolic axis has a name, and dim_value 0 for it is no size.", call=True)
def no_names():
    return _like(size=lambda d: d.dim_value)


@wrong("unknown-as-empty-name", "An axis that says nothing is None, not an empty name.", call=True)
def empty_name():
    return _like(size=lambda d: d.dim_value if d.HasField("dim_value") else d.dim_param)


@wrong("all-as-text", "A fixed size is an int.", call=True)
def as_text():
    return _like(size=lambda d: None if _size(d) is None else str(_size(d)))


@wrong("unknown-rank-as-scalar", "No shape at all is None; () is a scalar.", call=True)
def scalar():
    return _like(rank=())


@wrong("scalar-as-unknown", "A scalar has the shape (); None means that the rank is unknown.")
def scalar_unknown(data):
    return {k: (a, b or None) for k, (a, b) in _inputs(data).items()}


@wrong(
    "defaults-kept",
    "An input that is also an initializer need not be fed: leave it out.",
    call=True,
)
def with_defaults():
    return _like(defaults=True)


@wrong("onnx-type-numbers", "Give NumPy's name of the type, not ONNX's number.", call=True)
def numbers():
    return _like(dtype=int)


@wrong("onnx-type-names", "Give NumPy's name, float32, not ONNX's, FLOAT.", call=True)
def onnx_names():
    return _like(dtype=lambda kind: onnx.TensorProto.DataType.Name(kind).lower())


@wrong("always-float32", "Read the type of each input.", call=True)
def always_float():
    return _like(dtype=lambda kind: "float32")


@wrong("sorted", "Keep the graph's order of inputs.", call=True)
def in_order():
    return _like(order=True)


@wrong("negative-for-symbolic", "A symbolic axis has its name, not -1.", call=True)
def minus_one():
    return _like(size=lambda d: d.dim_value if d.HasField("dim_value") else -1)


@wrong("dims-only", "Each input has a type and dims.")
def only_dims(data):
    return {k: b for k, (_, b) in _inputs(data).items()}


@wrong("outputs", "You listed the outputs.")
def outputs(data):
    graph = _load(data).graph
    return {
        v.name: ("float32", tuple(_size(d) for d in v.type.tensor_type.shape.dim))
        for v in graph.output
    }


@wrong(
    "parse-error-passes",
    "Bytes that are no protobuf must raise ValueError, not protobuf's own error.",
    call=True,
)
def parse_error():
    return _like(skip="p")


@wrong("empty-file-passes", "A model without a graph must raise ValueError.", call=True)
def no_graph():
    return _like(skip="g")


def _unless(refused, data):
    model = _load(data)
    if refused(model.graph):
        raise ValueError("refused")
    return _inputs(data)


@wrong("no-inputs-refused", "A graph that needs no input is a model too: return an empty dict.")
def no_inputs(data):
    return _unless(lambda graph: not graph.input, data)


@wrong("no-nodes-refused", "A graph without nodes is a graph: only a missing one is an error.")
def no_nodes(data):
    return _unless(lambda graph: not graph.node, data)


@wrong(
    "few-types", "Your table lacks some of NumPy's types: ask onnx.helper for the dtype.", call=True
)
def few_types():
    known = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool"}
    return _like(dtype=(known | {10: "float16", 11: "float64"}).get)


@wrong("one-default", "Every input that is an initializer has a default, not only the first.")
def one_default(data):
    graph = _load(data).graph
    first = graph.initializer[0].name if graph.initializer else None
    return {k: v for k, v in _inputs(data, defaults=True).items() if k != first}


@wrong("four-axes", "An input may have more than four axes.")
def four_axes(data):
    return {k: (a, b and b[:4]) for k, (a, b) in _inputs(data).items()}
