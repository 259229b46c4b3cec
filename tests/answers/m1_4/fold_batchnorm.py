"""Answers to fold-batchnorm."""

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from autograder.checks.bank import right, wrong


def _load(data, skip=""):
    try:
        model = onnx.load_from_string(data)
    except Exception as error:
        if "p" in skip:
            raise
        raise ValueError("no model") from error
    if not model.HasField("graph") and "p" not in skip:
        raise ValueError("no graph")
    for node in model.graph.node:
        for a in node.attribute:
            if a.name == "training_mode" and a.i and "t" not in skip:
                raise ValueError("training")
    return model


def _numbers(w, b, gamma, beta, mean, var, eps):
    factor = gamma / np.sqrt(var + eps)
    return w * factor[:, None, None, None], (b - mean) * factor + beta


def _fold(
    data, skip="", numbers=_numbers, eps=None, readers=True, outputs=True, fresh=True, keep=False, limit=99,
    old_bias=True, any_data=False,
):  # fmt: skip
    model = _load(data, skip)
    graph = model.graph
    stored = {t.name: t for t in graph.initializer}
    value = {k: numpy_helper.to_array(t).astype(np.float64) for k, t in stored.items()}
    done = 0
    for norm in list(graph.node):
        if norm.op_type != "BatchNormalization" or done >= limit:
            continue
        data_name = norm.input[0]
        conv = [n for n in graph.node if n.op_type == "Conv" and data_name in n.output]
        if any_data and not conv:
            conv = [n for n in graph.node if n.op_type == "Conv"][:1]
        count = sum(list(n.input).count(data_name) for n in graph.node)
        if not conv or (readers and count > 1):
            continue
        if outputs and data_name in [o.name for o in graph.output]:
            continue
        conv = conv[0]
        e = next((a.f for a in norm.attribute if a.name == "epsilon"), 1e-5) if eps is None else eps
        bias = value[conv.input[2]] if len(conv.input) > 2 and old_bias else 0.0
        w, b = numbers(value[conv.input[1]], bias, *(value[k] for k in norm.input[1:]), e)
        b = np.broadcast_to(b, (len(w),))
        if fresh:
            names = [f"w_{done}", f"b_{done}"]
            graph.initializer.extend(
                numpy_helper.from_array(a.astype(np.float32), k)
                for a, k in zip((w, b), names, strict=True)
            )
        else:
            names = [conv.input[1], f"b_{done}"]
            stored[names[0]].CopyFrom(numpy_helper.from_array(w.astype(np.float32), names[0]))
            graph.initializer.append(numpy_helper.from_array(b.astype(np.float32), names[1]))
        source = conv.input[0]
        del conv.input[:]
        conv.input.extend([source, *names])
        if keep:
            norm.op_type = "Identity"
            del norm.input[1:], norm.attribute[:]
        else:
            old = conv.output[0]
            conv.output[0] = norm.output[0]
            graph.node.remove(norm)
            for n in graph.node:  # only where a second reader was not respected
                for at, name in enumerate(n.input):
                    if name == old:
                        n.input[at] = conv.output[0]
        done += 1
    return model.SerializeToString()


@right("the formula")
def formula(data):
    return _fold(data)


@right("torch's own fusion")
def by_torch(data):
    def numbers(w, b, gamma, beta, mean, var, eps):
        b = torch.from_numpy(np.broadcast_to(b, (len(w),)).copy())
        parts = (torch.from_numpy(a) for a in (w, mean, var, gamma, beta))
        w, mean, var, gamma, beta = parts
        fused = torch.nn.utils.fusion.fuse_conv_bn_weights(w, b, mean, var, eps, gamma, beta)
        return tuple(t.detach().numpy() for t in fused)

    return _fold(data, numbers=numbers)


@right("in float32, a new graph made with helper")
def rebuilt(data):
    model = _load(data)
    graph = model.graph
    value = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    reads = [name for n in graph.node for name in n.input] + [o.name for o in graph.output]
    norms = {
        n.input[0]: n
        for n in graph.node
        if n.op_type == "BatchNormalization" and reads.count(n.input[0]) == 1
    }
    nodes, constants, gone = [], dict(value), set()
    for node in graph.node:
        if node.op_type == "Conv" and node.output[0] in norms:
            norm = norms[node.output[0]]
            gone.add(norm.output[0])
            gamma, beta, mean, var = (value[k] for k in norm.input[1:])
            eps = [a.f for a in norm.attribute if a.name == "epsilon"]
            f = gamma / np.sqrt(var + np.float32(eps[0] if eps else 1e-5))
            bias = value[node.input[2]] if len(node.input) == 3 else np.zeros(len(f), np.float32)
            k = f"n{len(nodes)}"
            constants[k + "w"], constants[k + "b"] = (
                value[node.input[1]] * f.reshape(-1, 1, 1, 1),
                beta + f * (bias - mean),
            )
            made = helper.make_node("Conv", [node.input[0], k + "w", k + "b"], [norm.output[0]])
            made.attribute.extend(node.attribute)
            nodes.append(made)
        elif node.output[0] not in gone:
            nodes.append(node)
    used = {name for n in nodes for name in n.input}
    stored = [numpy_helper.from_array(v, k) for k, v in constants.items() if k in used]
    made = helper.make_graph(nodes, "folded", graph.input, graph.output, stored)
    return helper.make_model(
        made, opset_imports=model.opset_import, ir_version=9
    ).SerializeToString()


def _like(**rules):
    return lambda data: _fold(data, **rules)


def _formula(weight=None, bias=None):
    def numbers(w, b, gamma, beta, mean, var, eps):
        f = gamma / np.sqrt(var + eps)
        given = (w, b, gamma, beta, mean, var, eps, f)
        plain = w * f[:, None, None, None], (b - mean) * f + beta
        return (weight(*given) if weight else plain[0]), (bias(*given) if bias else plain[1])

    return numbers


@wrong("unchanged", "You returned the model as it was.")
def same(data):
    _load(data)
    return data


@wrong("norm-dropped", "You removed the norm and left the Conv as it was.", call=True)
def dropped():
    return _like(numbers=lambda w, b, *rest: (w, b))


@wrong("old-bias-forgotten", "The Conv's own bias is normalized too.", call=True)
def no_old_bias():
    return _like(old_bias=False)


@wrong("bias-not-scaled", "The old bias is multiplied by the factor as well.", call=True)
def bias_unscaled():
    return _like(numbers=_formula(bias=lambda w, b, g, be, m, v, e, f: b - m * f + be))


@wrong("mean-forgotten", "Subtract the mean before the factor.", call=True)
def no_mean():
    return _like(numbers=_formula(bias=lambda w, b, g, be, m, v, e, f: b * f + be))


@wrong("beta-forgotten", "Add the norm's own bias.", call=True)
def no_beta():
    return _like(numbers=_formula(bias=lambda w, b, g, be, m, v, e, f: (b - m) * f))


@wrong("variance-for-deviation", "Divide by the square root of the variance.", call=True)
def variance():
    return _like(
        numbers=lambda w, b, g, be, m, v, e: (
            w * (g / (v + e))[:, None, None, None],
            (b - m) * g / (v + e) + be,
        )
    )


@wrong("epsilon-default", "Read the attribute epsilon.", call=True)
def default_epsilon():
    return _like(eps=1e-5)


@wrong("epsilon-outside", "epsilon stands inside the root.", call=True)
def outside():
    def numbers(w, b, g, be, m, v, e):
        f = g / (np.sqrt(v) + e)
        return w * f[:, None, None, None], (b - m) * f + be

    return _like(numbers=numbers)


@wrong("wrong-axis", "The factor belongs to axis 0 of the weight, the output channels.", call=True)
def axis():
    def weight(w, b, g, be, m, v, e, f):
        return w * np.resize(f, w.shape[1])[None, :, None, None]

    return _like(numbers=_formula(weight=weight))


@wrong("second-reader", "Somebody else reads the Conv's result: this pair must stay.", call=True)
def second_reader():
    return _like(readers=False)


@wrong(
    "output-lost", "The Conv's result is an output of the graph: this pair must stay.", call=True
)
def output_lost():
    return _like(outputs=False)


@wrong("shared-weight-changed", "Another Conv reads the same weight: make a new one.", call=True)
def shared():
    return _like(fresh=False)


@wrong("identity-left", "The norm's node goes; do not leave another in its place.", call=True)
def identity():
    return _like(keep=True)


@wrong("first-pair-only", "Fold every pair.", call=True)
def first():
    return _like(limit=1)


@wrong("any-norm-folded", "A norm behind another operator than Conv stays.", call=True)
def any_norm():
    return _like(any_data=True)


@wrong("training-mode-passes", "A norm in training mode must raise ValueError.", call=True)
def training():
    return _like(skip="t")


@wrong("no-model-passes", "Bytes that are no model must raise ValueError.", call=True)
def no_model():
    return _like(skip="p")


def _epsilon(change):
    def numbers(w, b, gamma, beta, mean, var, eps):
        return _numbers(w, b, gamma, beta, mean, var, change(eps))

    return _like(numbers=numbers)


def _absent(eps):
    return abs(eps - 1e-5) < 1e-12


@wrong("absent-epsilon-is-0", "Where the attribute is absent epsilon is 1e-5, not 0.", call=True)
def absent_zero():
    return _epsilon(lambda eps: 0.0 if _absent(eps) else eps)


@wrong("absent-epsilon-is-1e-6", "Where the attribute is absent epsilon is 1e-5.", call=True)
def absent_other():
    return _epsilon(lambda eps: 1e-6 if _absent(eps) else eps)


@wrong(
    "epsilon-0-replaced", "An epsilon of 0 is an epsilon: test for None, not for truth.", call=True
)
def zero_replaced():
    return _epsilon(lambda eps: eps or 1e-5)


@wrong("training-by-presence", "training_mode=0 is inference: read the attribute's value.")
def by_presence(data):
    if any(a.name == "training_mode" for n in _load(data).graph.node for a in n.attribute):
        raise ValueError("training")
    return _fold(data)


@wrong("training-only-behind-conv", "Every norm in training mode is refused, foldable or not.")
def only_behind_conv(data):
    try:
        return _fold(data)
    except ValueError:
        model = _load(data, "t")
        convs = {n.output[0] for n in model.graph.node if n.op_type == "Conv"}
        if any(n.input[0] in convs for n in model.graph.node if n.op_type[:5] == "Batch"):
            raise
        return _fold(data, "t")


@wrong("norms-are-no-readers", "A second norm is a reader of the Conv as well: both stay.")
def norms_do_not_read(data):
    nodes = _load(data).graph.node
    read = [n.input[0] for n in nodes if n.op_type == "BatchNormalization"]
    return _fold(data, readers=len(set(read)) == len(read))


@wrong("no-norm-refused", "A model without a norm is no error: return it as it is.")
def no_norm(data):
    if not any(n.op_type == "BatchNormalization" for n in _load(data).graph.node):
        raise ValueError("nothing to fold")
    return _fold(data)


@wrong("batch-frozen", "The inputs' declared sizes stay as they are.")
def batch_frozen(data):
    model = onnx.load_from_string(_fold(data))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    return model.SerializeToString()
