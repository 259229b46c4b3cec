"""qdq-matmul: structure and constants of the graph, and its values in ONNX Runtime beside NumPy."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import onnx_graph

PARTS = {"graph and codes": 0.4, "values": 0.4, "bad input": 0.2}
HINTS = (
    "amax = abs(weight).max(0): one scale for each output, so for each column.",
    "QuantizeLinear takes x, x_scale (float32, no axis) and x_zero_point (uint8, no axis).",
    "DequantizeLinear(w_codes, w_scales, axis=1): axis 1 of (in, out) are the outputs.",
    "np.rint rounds half to even; cast after it.",
)
SLACK = 1e-4  # of a step: float32 or float64 in weight / scale


def cases(rng):
    def make(label, part, n, m, zero_point, spread=1.0, weight=None, x_scale=None):
        if weight is None:
            weight = rng.normal(0, 1, (n, m)) * np.exp(spread * rng.normal(0, 1, m))
        scale = float(np.float32(x_scale or rng.uniform(0.01, 0.1)))
        # At most 0.4 steps from a code, and beyond both ends: no float rounding decides.
        steps = rng.integers(-zero_point - 40, 296 - zero_point, (5, n)) + rng.uniform(
            -0.4, 0.4, (5, n)
        )
        return case(label, part, weight=weight.astype(np.float32), x_scale=scale, bad=False,
                    bias=rng.normal(0, 1, m).astype(np.float32), x_zero_point=zero_point,
                    x=(steps * scale).astype(np.float32))  # fmt: skip

    part = "graph and codes"
    yield make("(6, 4)", part, 6, 4, 128)
    yield make("(1, 1)", part, 1, 1, 3)
    yield make("columns of very different size", part, 16, 8, 120, spread=3.0)
    zero = rng.normal(0, 1, (6, 5)).astype(np.float32)
    zero[:, 2] = 0
    yield make("a column of zeros", part, 6, 5, 77, weight=zero)
    ties = np.array([[127, -127, 0.5], [2.5, -3.5, 127], [-1.5, 0.5, 1.5]], np.float32)
    yield make("ties", part, 3, 3, 0, weight=ties * np.float32(0.25))
    part = "values"
    for n, m, zero_point in ((5, 5, 128), (12, 7, 0), (9, 20, 255), (32, 16, 101)):
        yield make(f"({n}, {m}), zero point {zero_point}", part, n, m, zero_point)
    good = {"weight": np.ones((3, 2), np.float32), "bias": np.zeros(2, np.float32),
            "x_scale": 0.1, "x_zero_point": 128}  # fmt: skip
    nan = np.ones((3, 2), np.float32)
    nan[1, 1] = np.nan
    infinite = np.where(np.isnan(nan), -np.inf, nan)
    for label, change in (
        ("x_scale 0", {"x_scale": 0.0}), ("a negative x_scale", {"x_scale": -0.1}),
        ("x_scale infinite", {"x_scale": float("inf")}), ("zero point 256", {"x_zero_point": 256}),
        ("zero point -1", {"x_zero_point": -1}), ("a weight vector", {"weight": np.ones(3, np.float32)}),
        ("a weight of three axes", {"weight": np.ones((2, 3, 2), np.float32)}),
        ("a NaN in the weight", {"weight": nan}), ("minus infinity in the weight", {"weight": infinite}),
        ("x_scale NaN", {"x_scale": float("nan")}),
        ("a bias of (1, m)", {"bias": np.zeros((1, 2), np.float32)}),
        ("a bias as long as the inputs", {"bias": np.zeros(3, np.float32)}),
    ):  # fmt: skip
        yield case(label, "bad input", **{**good, **change}, x=None, bad=True)


def probe(solution, weight, bias, x_scale, x_zero_point, x, bad):
    if bad:
        return refusal(lambda: solution(weight, bias, x_scale, x_zero_point))
    return solution(weight, bias, x_scale, x_zero_point)


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    graph = onnx_graph.read(answer)
    n, m = case.weight.shape
    for want, got, size in (("x", graph.inputs, n), ("y", graph.outputs, m)):
        name, kind, dims = onnx_graph.one(got, "input" if want == "x" else "output")
        expect.that(name == want and kind == 1 and dims == ["batch", size],
                    f"{want} must be declared as float32 with shape (batch, {size}).",
                    stage="shape", yours=f"{name}: {dims}")  # fmt: skip
    want = ["Add", "DequantizeLinear", "DequantizeLinear", "MatMul", "QuantizeLinear"]
    expect.that(sorted(graph.ops()) == want, "The graph's nodes are off.",
                yours=", ".join(sorted(graph.ops())), right=", ".join(want))  # fmt: skip
    _activation(graph, case)
    codes, scales, axis = _weight(graph, case)
    floats = [k for k, v in graph.constants.items() if v.dtype.kind == "f" and v.size >= n * m]
    expect.that(
        n == 1 or not floats, "The float weight is still stored in the file.", yours=str(floats)
    )
    if case.part == "graph and codes":
        return None
    expect.that(axis == 1, "The weight's DequantizeLinear has the wrong axis.", yours=axis, right=1)
    x = np.clip(np.rint(case.x.astype(np.float64) / case.x_scale) + case.x_zero_point, 0, 255)
    x = (x - case.x_zero_point) * np.float64(np.float32(case.x_scale))
    right = x @ (codes * scales.astype(np.float64)) + case.bias
    got = onnx_graph.run(graph, {"x": case.x})[0]
    expect.array(got, "y", shape=right.shape, dtype=np.float32)
    return expect.close(got, right, "y", rtol=1e-4, atol=1e-4 * float(np.abs(right).max()))


def _constant(graph, name, what, dtype):
    expect.that(name in graph.constants, f"{what} must be an initializer.", yours=name[:40])
    value = graph.constants[name]
    expect.that(value.dtype == dtype, f"{what} has the wrong type.", stage="dtype",
                yours=str(value.dtype), right=str(np.dtype(dtype)))  # fmt: skip
    return value


def _activation(graph, case):
    quantize = onnx_graph.one(
        [x for x in graph.nodes if x.op == "QuantizeLinear"], "QuantizeLinear"
    )
    again = [
        x for x in graph.nodes if x.op == "DequantizeLinear" and x.inputs[0] in quantize.outputs
    ]
    back = onnx_graph.one(again, "DequantizeLinear behind the QuantizeLinear")
    expect.that(quantize.inputs[0] == "x", "QuantizeLinear must read x.", yours=quantize.inputs[0])
    for node in (quantize, back):
        expect.that(len(node.inputs) == 3, f"{node.op} of x needs a scale and a zero point.")
        scale = _constant(graph, node.inputs[1], "x's scale", np.float32)
        zero = _constant(graph, node.inputs[2], "x's zero point", np.uint8)
        expect.that(scale.size == 1 and zero.size == 1, "x has one scale and one zero point.",
                    stage="shape", yours=f"{scale.shape}, {zero.shape}")  # fmt: skip
        expect.number(float(scale.ravel()[0]), float(np.float32(case.x_scale)), "x's scale")
        expect.integer(int(zero.ravel()[0]), case.x_zero_point, "x's zero point")


def _weight(graph, case):
    stored = [
        x for x in graph.nodes if x.op == "DequantizeLinear" and x.inputs[0] in graph.constants
    ]
    node = onnx_graph.one(stored, "DequantizeLinear that reads stored codes")
    n, m = case.weight.shape
    codes = _constant(graph, node.inputs[0], "The weight's codes", np.int8)
    scales = _constant(graph, node.inputs[1], "The weight's scales", np.float32)
    expect.array(codes, "the weight's codes", shape=(n, m))
    expect.array(scales, "the weight's scales", shape=(m,), hint=HINTS[0])
    if len(node.inputs) > 2 and node.inputs[2]:
        zero = _constant(graph, node.inputs[2], "The weight's zero point", np.int8)
        expect.that(not zero.any(), "The weight is symmetric: its zero points are 0.")
    amax = np.abs(case.weight.astype(np.float64)).max(0)
    expect.close(scales, np.where(amax > 0, amax / 127, 1.0), "the weight's scales", rtol=1e-6)
    ratio = case.weight.astype(np.float64) / scales
    low, high = np.rint(ratio - SLACK), np.rint(ratio + SLACK)
    exact = np.rint(ratio)
    tie = np.abs(np.abs(ratio - np.trunc(ratio)) - 0.5) < 1e-12  # a true tie goes to even
    good = np.where(tie, codes == exact, (codes == low) | (codes == high))
    at = np.unravel_index(int(np.argmin(good)), good.shape)
    expect.that(good.all(), "The weight's codes are off.", yours=int(codes[at]), right=int(exact[at]),
                where=f"{int((~good).sum())} of {good.size} wrong, first at {tuple(map(int, at))}: "
                f"weight / scale = {ratio[at]:.6g}")  # fmt: skip
    return codes.astype(np.float64), scales, node.attributes.get("axis", 1) % 2
