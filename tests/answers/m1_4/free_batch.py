"""Answers to free-batch."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from autograder.checks.bank import right, wrong


def _load(data, skip=""):
    try:
        model = onnx.load_from_string(data)
    except Exception as error:
        raise ValueError("no model") from error
    if not model.HasField("graph") and "e" not in skip:
        raise ValueError("no graph")
    batches = []
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        batches.append(dims[0].dim_value if dims and dims[0].HasField("dim_value") else None)
    first = batches[0] if batches else None
    if "e" not in skip and (not batches or ("f" not in skip and None in batches)):
        raise ValueError("not frozen")
    if "d" not in skip and len(set(batches)) > 1:
        raise ValueError("two batches")
    return model, first


def _free(
    data, name, skip="", outputs=True, target=None, weights=False, share=False, allow=True, info=True,
    reshape=True, every=False, text=None,
):  # fmt: skip
    model, old = _load(data, skip)
    graph = model.graph
    for value in (*graph.input, *(graph.output if outputs else ())):
        dims = value.type.tensor_type.shape.dim
        for d in dims if every else dims[:1]:
            d.dim_param = text or name
    if info:
        del graph.value_info[:]
    stored = {t.name: t for t in graph.initializer}
    for at, node in enumerate(graph.node):
        if not reshape or node.op_type != "Reshape" or node.input[1] not in stored:
            continue
        if node.input[0] in stored and not weights:
            continue
        numbers = numpy_helper.to_array(stored[node.input[1]]).copy()
        if numbers[0] != old:
            continue
        numbers = target(numbers) if target else np.concatenate([[0], numbers[1:]])
        if share:
            stored[node.input[1]].CopyFrom(numpy_helper.from_array(numbers, node.input[1]))
        else:
            fresh = f"target_{at}"
            graph.initializer.append(numpy_helper.from_array(numbers.astype(np.int64), fresh))
            node.input[1] = fresh
        if allow:
            for a in [a for a in node.attribute if a.name == "allowzero"]:
                node.attribute.remove(a)
    return model.SerializeToString()


@right("0 in the target, a new constant")
def zeros(data, name="batch"):
    return _free(data, name)


@right("-1 for the batch, the rest written out")
def minus_one(data, name="batch"):
    # [B, -1] keeps its 0: two unknowns would be one too many.
    return _free(data, name, target=lambda t: np.array([0 if -1 in t[1:] else -1, *t[1:]]))


@right("the batch taken from the input at run time")
def by_shape(data, name="batch"):
    model, old = _load(data)
    graph, nodes = model.graph, []
    stored = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    source = graph.input[0].name
    for value in [*graph.input, *graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = name
    nodes.append(helper.make_node("Shape", [source], ["the_batch"], start=0, end=1))
    for node in graph.node:
        tail = stored.get(node.input[1]) if node.op_type == "Reshape" else None
        if tail is not None and node.input[0] not in stored and tail[0] == old:
            rest, joined = f"{node.name}{len(nodes)}_rest", f"{node.name}{len(nodes)}_joined"
            graph.initializer.append(numpy_helper.from_array(tail[1:], rest))
            nodes.append(helper.make_node("Concat", ["the_batch", rest], [joined], axis=0))
            node.input[1] = joined
        nodes.append(node)
    nodes = [n if n is not node else node for n in nodes]
    copies = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(copies)
    return model.SerializeToString()


@right("a copy of the graph made with helper, Constant nodes for the targets")
def constant_nodes(data, name="batch"):
    model, old = _load(data)
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        target = stored.get(node.input[1]) if node.op_type == "Reshape" else None
        if target is None or node.input[0] in stored or target[0] != old:
            nodes.append(node)
            continue
        made = numpy_helper.from_array(np.r_[0, target[1:]].astype(np.int64))
        nodes.append(helper.make_node("Constant", [], [f"k{len(nodes)}"], value=made))
        nodes.append(
            helper.make_node(
                "Reshape", [node.input[0], f"k{len(nodes) - 1}"], node.output, allowzero=0
            )
        )

    def values(part):
        for v in part:
            t = v.type.tensor_type
            rest = [d.dim_value for d in t.shape.dim][1:]
            yield helper.make_tensor_value_info(v.name, t.elem_type, [name, *rest])

    graph = helper.make_graph(nodes, "free", [*values(model.graph.input)], [*values(model.graph.output)],
                              model.graph.initializer)  # fmt: skip
    return helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=10
    ).SerializeToString()


def _like(**rules):
    return lambda data, name="batch": _free(data, name, **rules)


@wrong("unchanged", "You returned the model as it was.")
def same(data, name="batch"):
    _load(data)
    return data


@wrong("declaration-only", "The targets of the Reshape nodes still hold the old batch.", call=True)
def declared():
    return _like(reshape=False)


@wrong("outputs-frozen", "The outputs' batch must be free as well.", call=True)
def frozen_outputs():
    return _like(outputs=False)


@wrong(
    "weights-reshaped",
    "A Reshape whose data is an initializer changes a weight: leave it.",
    call=True,
)
def weights():
    return _like(weights=True)


@wrong(
    "shared-constant-changed", "Another Reshape reads the same constant: make a new one.", call=True
)
def shared():
    return _like(share=True)


@wrong("allowzero-kept", "With allowzero=1 a 0 means a size of zero.", call=True)
def allowzero():
    return _like(allow=False)


@wrong(
    "value-info-kept", "The stored intermediate shapes are no longer true: delete them.", call=True
)
def stale():
    return _like(info=False)


@wrong("two-unknowns", "Two -1 in one target cannot be inferred; use 0 for the batch.", call=True)
def two_unknowns():
    return _like(target=lambda t: np.array([-1, *t[1:]]))


@wrong("batch-one", "You froze the batch at 1.", call=True)
def one():
    return _like(target=lambda t: np.array([1, *t[1:]]))


@wrong("all-axes-free", "Only axis 0 becomes free; the other sizes stay.", call=True)
def all_free():
    return _like(every=True)


@wrong("name-ignored", "Use the name that the caller gave.", call=True)
def fixed_name():
    return _like(text="batch_size")


@wrong("everything-flattened", "The other numbers of a target stay as they are.", call=True)
def flattened():
    return _like(target=lambda t: np.array([0, -1]))


@wrong("model-object", "Return bytes, not the model object.")
def as_text(data, name="batch"):
    return str(onnx.load_from_string(_free(data, name)).graph.name)


@wrong(
    "two-batches-pass", "Inputs with different sizes of axis 0 must raise ValueError.", call=True
)
def two_batches():
    return _like(skip="d")


@wrong("free-batch-passes", "A batch that is not frozen must raise ValueError.", call=True)
def free_already():
    return _like(skip="f")


@wrong("empty-file-passes", "A model without graph or input must raise ValueError.", call=True)
def empty():
    return _like(skip="e")


def _refuse(data, test):
    """The model if it has a graph for which `test` holds (a reader that lets it pass)."""
    try:
        model = onnx.load_from_string(data)
    except Exception as error:
        raise ValueError("no model") from error
    return model.HasField("graph") and test(model.graph)


@wrong("no-input-passes", "A model without inputs has no batch: raise ValueError.")
def no_input(data, name="batch"):
    return data if _refuse(data, lambda graph: not graph.input) else _free(data, name)


@wrong("unknown-rank-passes", "An input of unknown rank has no frozen batch: raise ValueError.")
def unknown_rank(data, name="batch"):
    def open_rank(graph):
        return any(not v.type.tensor_type.HasField("shape") for v in graph.input)

    return data if _refuse(data, open_rank) else _free(data, name)


@wrong(
    "one-free-input-passes", "All inputs must have the same number on axis 0, or raise ValueError."
)
def one_free(data, name="batch"):
    def kinds(graph):
        found = [v.type.tensor_type.shape.dim[:1] for v in graph.input]
        return {d[0].WhichOneof("value") for d in found if d} == {"dim_value", "dim_param"}

    return data if _refuse(data, kinds) else _free(data, name)


@wrong("every-reshape", "Only a target that begins with the batch changes; leave the others.")
def every_reshape(data, name="batch"):
    model = onnx.load_from_string(_free(data, name))
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for at, node in enumerate(model.graph.node):
        if node.op_type == "Reshape" and node.input[0] not in stored:
            target = np.r_[0, stored[node.input[1]][1:]].astype(np.int64)
            model.graph.initializer.append(numpy_helper.from_array(target, f"each_{at}"))
            node.input[1] = f"each_{at}"
    return model.SerializeToString()


@wrong(
    "name-required", "The name has a default: free_batch(model_bytes) is a call, too.", call=True
)
def name_required():
    return lambda data, name: _free(data, name)
