"""ONNX models from an answer: hostile ones are refused at once, honest ones give ONNX Runtime's numbers."""

import resource

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from autograder.checks import engine, registry
from autograder.checks.bank import answers
from autograder.checks.oracles import onnx_cost, onnx_graph
from autograder.checks.spec import Wrong

X = np.ones((2, 4), np.float32)


def model(nodes, constants=(), functions=(), opset=21, imports=(), outputs=("y",)):
    """A ModelProto with the float input x (n, 4)."""
    tensors = [
        t if isinstance(t, TensorProto) else numpy_helper.from_array(np.asarray(t[1]), t[0])
        for t in constants
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", 1, ["n", 4])],
        [helper.make_tensor_value_info(o, 1, ["n", None]) for o in outputs], tensors,
    )  # fmt: skip
    stamps = [helper.make_opsetid("", opset), *imports]
    return helper.make_model(graph, opset_imports=stamps, ir_version=10, functions=functions)


def node(op, inputs, output="y", **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def elsewhere():
    tensor = TensorProto(name="w", data_type=1, dims=[4, 4], data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model([node("MatMul", ["x", "w"])], [tensor])


def huge():
    return model(
        [node("MatMul", ["x", "w"])], [TensorProto(name="w", data_type=1, dims=[2**40, 4])]
    )


def short_data():
    return model([node("Add", ["x", "w"])],
                 [TensorProto(name="w", data_type=1, dims=[4, 4], raw_data=b"abc")])  # fmt: skip


def growing_product():
    column, row = ("c", np.ones((2000, 1), np.float32)), ("r", np.ones((1, 2000), np.float32))
    chain = [node("MatMul", ["c", "r"], "t0")]
    chain += [node("MatMul", [f"t{k}", f"t{k}"], f"t{k + 1}") for k in range(60)]
    return model([*chain, node("Relu", ["x"])], [column, row])


def growing_broadcast():
    sizes = [[4096 if i == k else 1 for i in range(5)] for k in range(5)]
    arrays = [(f"a{k}", np.ones(size, np.float32)) for k, size in enumerate(sizes)]
    chain = [node("Add", ["a0", "a1"], "t1")]
    chain += [node("Add", [f"t{k}", f"a{k + 1}"], f"t{k + 1}") for k in range(1, 4)]
    return model([*chain, node("Relu", ["x"])], arrays)


def growing(op, *arrays, **attributes):
    names = [f"a{k}" for k in range(len(arrays))]
    constants = list(zip(names, arrays, strict=True))
    return model([node(op, names, "big", **attributes), node("Relu", ["x"])], constants)


def wide(count, at=1, rank=2, dtype=np.float32):
    return np.ones([count if k == at else 1 for k in range(rank)], dtype)


def growing_scales():
    return growing(
        "DequantizeLinear", wide(4096, 0, dtype=np.int8), np.ones(4096, np.float32), axis=1
    )


def growing_norm():
    parts = [np.ones(4096, np.float32)] * 4
    return growing("BatchNormalization", wide(4096, 0, 4), *parts)


def growing_gemm():
    return growing("Gemm", wide(1), wide(4096), wide(4096, 0))


def growing_padding():
    return growing("Conv", np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 1, 1), np.float32),
                   pads=[4000] * 4)  # fmt: skip


def growing_bias():
    return growing("Conv", np.ones((1, 1, 100, 100), np.float32), np.ones((1, 1, 1, 1), np.float32),
                   np.ones(4096, np.float32))  # fmt: skip


def endless_loop():
    body = helper.make_graph(
        [node("Identity", ["c"], "out")], "b",
        [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("c", 9, [])],
        [helper.make_tensor_value_info("out", 9, [])],
    )  # fmt: skip
    loop = helper.make_node("Loop", ["times", "yes"], [], body=body)
    return model([loop, node("Relu", ["x"])], [("times", np.int64(2**60)), ("yes", np.bool_(True))])


def nested(depth):
    graph = None
    for k in range(depth):
        inner = [node("Relu", ["x"], f"z{k}")]
        if graph is not None:
            inner = [node("If", ["yes"], f"z{k}", then_branch=graph, else_branch=graph)]
        graph = helper.make_graph(inner, "b", [], [helper.make_tensor_value_info(f"z{k}", 1, None)])
    return model(
        [node("If", ["yes"], "y", then_branch=graph, else_branch=graph)], [("yes", np.bool_(True))]
    )


def own_function():
    body = [helper.make_node("Relu", ["a"], ["b"])]
    stamp = [helper.make_opsetid("", 21)]
    function = helper.make_function("own", "F", ["a"], ["b"], body, stamp)
    call = helper.make_node("F", ["x"], ["y"], domain="own")
    return model([call], functions=[function], imports=[helper.make_opsetid("own", 1)])


def foreign_operator():
    call = helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")
    return model([call], imports=[helper.make_opsetid("com.microsoft", 1)])


def graph_for_a_tensor():
    empty = helper.make_graph([], "b", [], [])
    return model(
        [helper.make_node("Constant", [], ["k"], value_int=1), node("Relu", ["x"], axis=empty)]
    )


HOSTILE = {
    "external data": elsewhere, "huge size": huge, "data cut short": short_data,
    "product that grows": growing_product, "broadcast that grows": growing_broadcast,
    "scales that grow": growing_scales, "norm that grows": growing_norm, "Gemm that grows": growing_gemm,
    "padding that grows": growing_padding, "bias that grows": growing_bias, "loop": endless_loop,
    "nested": lambda: nested(6), "wide nest": lambda: nested(10), "function": own_function,
    "foreign operator": foreign_operator, "graph as an attribute": graph_for_a_tensor,
    "many nodes": lambda: model([node("Relu", ["x"], f"t{k}") for k in range(200)] + [node("Relu", ["x"])]),
    "opset 7": lambda: model([node("Relu", ["x"])], opset=7),
    "strings": lambda: model([node("Cast", ["x"], "s", to=TensorProto.STRING), node("Relu", ["x"])]),
    "a name from nowhere": lambda: model([node("Add", ["x", "ghost"])]),
    "no output": lambda: model([node("Relu", ["x"], "z")]),
}  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_models_are_refused_before_they_cost(make):
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(Wrong) as verdict:
        onnx_graph.run(onnx_graph.read(make().SerializeToString()), {"x": X})
    # The guard behind the computation must not be the one that speaks.
    assert "too large a tensor" not in verdict.value.finding.message
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert (after.ru_maxrss - before.ru_maxrss) / 1024 < 200, "megabytes"
    assert after.ru_utime - before.ru_utime < 5, "seconds of processor time"


@pytest.mark.parametrize(
    "answer", [None, "text", b"", b"\x0a" * 1000, b"x" * 2**20, bytearray(b"a")]
)
def test_what_is_no_model_is_refused(answer):
    with pytest.raises(Wrong):
        onnx_graph.read(answer)


@pytest.mark.parametrize("text", [b"n", b"weight"])
def test_names_that_are_no_text_are_a_finding(text):
    """protobuf hands a string that is no UTF-8 over as bytes: an axis's name, a tensor's name."""
    good = model([node("MatMul", ["x", "weight"])], [("weight", np.ones((4, 4), np.float32))])
    sized = bytes([len(text)])
    spoilt = good.SerializeToString().replace(sized + text, sized + b"\xb0" * len(text))
    assert spoilt != good.SerializeToString()
    with pytest.raises(Wrong, match="no text|out of range|operator"):
        onnx_graph.read(spoilt)


def test_damaged_models_are_refused_or_run_within_bounds():
    """Every truncation, and random damage: a graph or a finding, nothing else."""
    check = registry.load_check("fold-batchnorm")
    good = engine.make_cases(check, 11)[5].model
    rng = np.random.default_rng(0)
    damaged = [good[:n] for n in range(0, len(good), 3)]
    for _ in range(400):
        spoilt = bytearray(good)
        for at in rng.integers(0, len(good), 1 + rng.integers(3)):
            spoilt[at] = rng.integers(256)
        damaged.append(bytes(spoilt))
    survived, x = 0, rng.normal(0, 1, (2, 4, 6, 5)).astype(np.float32)
    for data in damaged:
        try:
            onnx_graph.run(onnx_graph.read(data), {"x": x})
            survived += 1
        except Wrong:
            pass
    assert survived, "damage to a weight's value leaves a model"


@pytest.mark.parametrize("exercise", ["free-batch", "onnx-branch", "fold-batchnorm", "qdq-matmul"])
def test_the_bounding_pass_computes_what_the_runtime_does(exercise):
    check = registry.load_check(exercise)
    rng, compared = np.random.default_rng(1), 0
    for answer in answers(registry.load_bank(exercise)):
        for case in engine.make_cases(check, 11):
            if not answer.right or case.bad:
                continue
            graph = onnx_graph.read(engine.probe(check, answer.solution, case).answer)
            feeds = {
                name: rng.normal(0, 1, [3, *(size or 1 for size in dims[1:])]).astype(np.float32)
                for name, _, dims in graph.inputs
            }
            got = onnx_graph.run(graph, feeds)
            known = onnx_cost.interpret(graph, feeds)
            for (name, _, _), array in zip(graph.outputs, got, strict=True):
                assert np.allclose(known[name], array, rtol=1e-4, atol=1e-4)
                compared += 1
    assert compared >= 20


@pytest.mark.parametrize("zero_point", [128, 97, 0, 255])
def test_the_answer_to_qlinear_matmul_gives_the_codes_of_onnx_runtime(zero_point):
    """Weights of 6 bits: no processor clamps them. Ties included, with even and odd zero points."""
    import onnxruntime

    rng = np.random.default_rng(zero_point)
    x = rng.integers(0, 256, (40, 12)).astype(np.uint8)
    w = rng.integers(-31, 32, (12, 9)).astype(np.int8)
    scales = (2.0 ** -rng.integers(3, 7, 9)).astype(np.float32)
    numbers = {"xs": np.float32(0.5), "xz": np.uint8(11), "w": w, "ws": scales, "wz": np.zeros(9, np.int8),
               "ys": np.float32(1), "yz": np.uint8(zero_point)}  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("QLinearMatMul", ["x", *numbers], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in numbers.items()],
    )  # fmt: skip
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    want = session.run(None, {"x": x})[0]
    for answer in answers(registry.load_bank("qlinear-matmul")):
        if answer.right:
            got = answer.solution(x, 0.5, 11, w, scales, 1.0, zero_point)
            assert got.dtype == np.uint8 and np.array_equal(got, want), answer.name
