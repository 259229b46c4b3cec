"""fold-batchnorm: node counts, and the rebuilt answer run beside the model as it was."""

from collections import Counter

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import onnx_graph

PARTS = {"one pair": 0.45, "several": 0.2, "pairs that must stay": 0.2, "bad input": 0.15}
HINTS = (
    "factor = gamma / sqrt(var + epsilon); weight * factor[:, None, None, None].",
    "bias = (old bias, or 0) - mean, times factor, plus beta.",
    "Rename the Conv's output to the BatchNormalization's output, then remove that node.",
    "Count the readers of the Conv's output among all nodes, and look into graph.output.",
)


class _Net:
    """Collects nodes and constants of a small network on x (n, 4, 6, 5)."""

    def __init__(self, seed):
        self.rng, self.nodes, self.constants, self.tensors = np.random.default_rng(seed), [], {}, 0

    def constant(self, array, name=None):
        name = name or f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array, np.float32)
        return name

    def node(self, op, inputs, out=None, **attributes):
        from onnx import helper

        self.tensors += 1
        out = out or f"t{self.tensors}"
        self.nodes.append(helper.make_node(op, inputs, [out], **attributes))
        return out

    def conv(self, x, out=4, into=4, bias=True, groups=1, weight=None, **more):
        weight = weight or self.constant(self.rng.normal(0, 0.4, (out, into // groups, 3, 3)))
        names = [x, weight] + ([self.constant(self.rng.normal(0, 1, out))] if bias else [])
        return self.node("Conv", names, pads=[1, 1, 1, 1], group=groups, **more)

    def norm(self, x, size=4, out=None, spread=1.0, **more):
        r = self.rng
        parts = (r.normal(1, 0.6, size), r.normal(0, 1, size), r.normal(0, 1, size),
                 spread * np.exp(r.normal(0, 1, size)))  # fmt: skip
        return self.node("BatchNormalization", [x, *map(self.constant, parts)], out, **more)

    def bytes(self, *outputs):
        from onnx import TensorProto as T
        from onnx import helper, numpy_helper

        graph = helper.make_graph(
            self.nodes, "g", [helper.make_tensor_value_info("x", T.FLOAT, ["n", 4, 6, 5])],
            [helper.make_tensor_value_info(o, T.FLOAT, ["n", None, 6, 5]) for o in outputs],
            [numpy_helper.from_array(v, k) for k, v in self.constants.items()],
        )  # fmt: skip
        stamp = [helper.make_opsetid("", 21)]
        return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


def _pair(net, out=4, groups=1, bias=True, **norm):
    return net.bytes(net.node("Relu", [net.norm(net.conv("x", out, 4, bias, groups), out, **norm)]))


def _two(net):
    a = net.node("Relu", [net.norm(net.conv("x"))])
    return net.bytes(net.norm(net.conv(a, 3), 3, out="y"))


def _shared_weight(net):
    weight = net.constant(net.rng.normal(0, 0.4, (4, 4, 3, 3)), "shared")
    a, b = (net.norm(net.conv("x", weight=weight, bias=k == 0)) for k in range(2))
    c = net.conv("x", weight=weight)
    return net.bytes(net.node("Add", [net.node("Add", [a, b]), c]))


def _two_readers(net):
    a = net.conv("x")
    return net.bytes(net.node("Add", [net.norm(a), a]))


def _two_norms(net):
    a = net.conv("x")
    return net.bytes(net.node("Add", [net.norm(a), net.norm(a)]))


def _no_norm(net):
    return net.bytes(net.node("Relu", [net.conv("x")]))


def _conv_is_output(net):
    a = net.conv("x")
    return net.bytes(net.norm(a), a)


def _after_relu(net):
    return net.bytes(net.norm(net.node("Relu", [net.norm(net.conv("x"))])))


def _norm_first(net):
    return net.bytes(net.conv(net.norm("x")))


def _norm_on_input_and_conv(net):
    return net.bytes(net.node("Add", [net.norm(net.conv("x")), net.norm("x")]))


def cases(rng):
    def make(label, part, build, stay=0, **more):
        net = _Net(int(rng.integers(2**31)))
        yield case(label, part, model=build(net, **more), stay=stay, bad=False,
                   noise=int(rng.integers(2**31)))  # fmt: skip

    yield from make("a pair", "one pair", _pair)
    yield from make("another number of channels", "one pair", _pair, out=7)
    yield from make("no bias", "one pair", _pair, bias=False)
    yield from make("epsilon 0.3", "one pair", _pair, epsilon=0.3)
    # variances as small as epsilon: one that is left out or replaced shows
    yield from make("epsilon absent, small variances", "one pair", _pair, spread=1e-5)
    yield from make("epsilon 0, small variances", "one pair", _pair, spread=1e-5, epsilon=0.0)
    yield from make("training_mode=0", "one pair", _pair, training_mode=0)
    yield from make("groups", "one pair", _pair, out=8, groups=2)
    yield from make("two pairs in a row", "several", _two)
    yield from make("one weight for three convolutions", "several", _shared_weight)
    stay = "pairs that must stay"
    yield from make("a second reader", stay, _two_readers, 1)
    yield from make("two norms read one Conv", stay, _two_norms, 2)
    yield from make("no norm at all", stay, _no_norm)
    yield from make("the Conv's result is an output too", stay, _conv_is_output, 1)
    yield from make("a second norm after Relu", stay, _after_relu, 1)
    yield from make("the norm comes first", stay, _norm_first, 1)
    yield from make("one on the input as well", stay, _norm_on_input_and_conv, 1)
    training = _Net(1)
    a = training.conv("x")
    other = _Net(2)
    b = other.node("Relu", [other.conv("x")])
    for label, model in (
        ("training_mode=1 behind a Relu", other.bytes(other.norm(b, training_mode=1))),
        ("training_mode=1", training.bytes(training.norm(a, training_mode=1))),
        ("no bytes", b""), ("text", b"this is not a model"),
    ):  # fmt: skip
        yield case(label, "bad input", model=model, stay=0, bad=True, noise=0)


def probe(solution, model, stay, bad, noise):
    if bad:
        return refusal(lambda: solution(model))
    return solution(model)


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    graph, before = onnx_graph.read(answer), onnx_graph.read(case.model)
    want = Counter(before.ops())
    want["BatchNormalization"] = case.stay
    got = Counter(graph.ops())
    for op in sorted(set(want) | set(got)):
        expect.that(got[op] == want[op], f"The number of {op} nodes is off.",
                    yours=got[op], right=want[op])  # fmt: skip
    expect.that(graph.inputs == before.inputs, "The declared inputs changed.", stage="shape",
                yours=str(graph.inputs)[:80], right=str(before.inputs)[:80])  # fmt: skip
    names = [[n for n, _, _ in g.outputs] for g in (graph, before)]
    expect.that(names[0] == names[1], "The outputs' names changed.", yours=names[0], right=names[1])
    x = np.random.default_rng(case.noise).normal(0, 1, (2, 4, 6, 5)).astype(np.float32)
    want = onnx_graph.run(before, {"x": x})
    for name, got, right in zip(names[0], onnx_graph.run(graph, {"x": x}), want, strict=True):
        expect.array(got, name, shape=right.shape, dtype=np.float32)
        expect.close(got, right, name, rtol=1e-4, atol=1e-4 * float(np.abs(right).max()))
    return None
