"""onnx-branch: the rebuilt If graph run on both sides of the threshold beside NumPy in float64."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import onnx_graph

PARTS = {"both sides": 0.5, "the threshold and odd inputs": 0.3, "bad input": 0.2}
HINTS = (
    "ReduceSum without axes adds everything up; with keepdims=0 its result is a scalar.",
    "A branch is a graph of its own with no inputs: its nodes read names of the graph around it.",
    "helper.make_node('If', ['condition'], ['y'], then_branch=..., else_branch=...)",
    "Each branch needs one output with its own name, such as 'hot_y', declared in make_graph.",
)


def cases(rng):
    def make(label, part, rows, n, m, batches, threshold=0.0, dtype=np.float32):
        return case(label, part, hot=rng.normal(0, 1, (n, m)).astype(dtype), batches=batches,
                    cold=rng.normal(0, 1, (n, m)).astype(dtype), threshold=threshold, bad=False)  # fmt: skip

    def around(rows, n, threshold, sign):
        x = rng.normal(0, 1, (rows, n))
        x += (threshold + sign * rng.uniform(2, 9) - x.sum()) / x.size
        return x.astype(np.float32)

    part = "both sides"
    for rows, n, m, threshold in (
        (1, 3, 2, 0.0),
        (4, 5, 5, 0.0),
        (3, 8, 4, 12.5),
        (6, 4, 7, -30.0),
    ):
        both = [around(rows, n, threshold, s) for s in (1, -1)] + [
            around(rows + 2, n, threshold, 1)
        ]
        yield make(f"({rows}, {n}) at {threshold}", part, rows, n, m, both, threshold)
    part = "the threshold and odd inputs"
    exact = np.array([[1, 2, 3], [4, -2, 0]], np.float32)
    yield make("a sum equal to the threshold", part, 2, 3, 2, [exact, exact + 1], 8.0)
    # row sums, means and first elements would all decide otherwise
    mixed = np.array([[9, 9, 9], [-30, 0, 1]], np.float32)
    yield make("rows that disagree", part, 2, 3, 4, [mixed, -mixed], 0.5)
    small = np.full((5, 3), 1.0, np.float32)
    yield make("a sum above, a mean below", part, 5, 3, 3, [small, -small], 7.0)
    yield make("an empty batch", part, 0, 3, 2, [np.zeros((0, 3), np.float32)], -1.0)
    nan = exact.copy()
    nan[0, 0] = np.nan
    yield make("a NaN", part, 2, 3, 2, [nan], 1.0)
    near = np.zeros((1, 3), np.float32)
    near[0, 0] = 0.1  # in float32, where it equals a threshold of 0.1; in float64 it is above
    yield make("a threshold that float32 rounds", part, 1, 3, 2, [near, near * 1.01], 0.1)
    large = np.zeros((2, 3), np.float32)
    large[1] = [3000, 0.5, 0]
    yield make("a threshold of 3000.7", part, 2, 3, 2, [large, large + 0.05], 3000.7)
    yield make("a threshold of minus infinity", part, 2, 3, 2, [-exact], -np.inf)
    yield make("weights in float64", part, 2, 3, 2, [exact, -exact], 0.0, np.float64)
    good = np.ones((3, 2), np.float32)
    for label, hot, cold, threshold in (
        ("weights of two shapes", good, np.ones((3, 3), np.float32), 0.0),
        ("other inputs", good, np.ones((4, 2), np.float32), 0.0),
        ("a vector", good[0], good[0], 0.0), ("a threshold of NaN", good, good, float("nan")),
    ):  # fmt: skip
        yield case(
            label, "bad input", hot=hot, cold=cold, threshold=threshold, batches=[], bad=True
        )


def probe(solution, hot, cold, threshold, batches, bad):
    if bad:
        return refusal(lambda: solution(hot, cold, threshold))
    return solution(hot, cold, threshold)


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    graph = onnx_graph.read(answer)
    n, m = case.hot.shape
    for what, got, size in (("input", graph.inputs, n), ("output", graph.outputs, m)):
        name, kind, dims = onnx_graph.one(got, what)
        want = "x" if what == "input" else "y"
        expect.that(name == want, f"The {what}'s name is off.", yours=name, right=want)
        expect.that(kind == 1, f"{want} must be float32.", stage="dtype")
        expect.that(dims == ["batch", size], f"The declared shape of {want} is off.", stage="shape",
                    yours=str(dims), right=str(["batch", size]))  # fmt: skip
    node = onnx_graph.one([x for x in graph.nodes if x.op == "If"], "If node in the main graph")
    outside = [x.op for x in graph.nodes if x.op in ("MatMul", "Gemm")]
    expect.that(not outside, "A product stands outside the branches: it is computed every time.",
                yours=str(outside))  # fmt: skip
    for key in ("then_branch", "else_branch"):
        inside = getattr(node.attributes.get(key), "nodes", [])
        products = [x.op for x in inside if x.op in ("MatMul", "Gemm")]
        expect.that(len(products) == 1, f"{key} must hold exactly one product.",
                    yours=len(products), right=1)  # fmt: skip
    for x in case.batches:
        hot = float(x.astype(np.float64).sum()) > float(np.float32(case.threshold))
        with np.errstate(invalid="ignore"):
            want = x.astype(np.float64) @ (case.hot if hot else case.cold).astype(np.float64)
        got = onnx_graph.run(graph, {"x": x})[0]
        expect.array(got, "y", shape=want.shape, dtype=np.float32)
        side = "above" if hot else "not above"
        expect.close(got, want, "y", rtol=1e-5, atol=1e-5,
                     hint=f"The sum {float(x.sum()):.6g} is {side} {case.threshold}.")  # fmt: skip
    return None
