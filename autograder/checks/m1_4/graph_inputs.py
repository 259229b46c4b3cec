"""graph-inputs: what a caller must feed, compared with the list from which the model was made."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"sizes and types": 0.5, "unknown and default": 0.3, "bad input": 0.2}
HINTS = (
    "onnx.load_from_string(model_bytes).graph.input; each has .name and .type.tensor_type.",
    'd.WhichOneof("value") tells "dim_value", "dim_param" or None; 0 is a size too.',
    'tensor_type.HasField("shape") is False where not even the rank is known; a scalar has a shape.',
    "Names in graph.initializer have a value already: leave them out.",
)
# element types of ONNX, and NumPy's names
KINDS = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64"}
KINDS |= {9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64"}


def _model(inputs, defaults=(), nodes=True) -> bytes:
    from onnx import helper, numpy_helper

    values = [helper.make_tensor_value_info(*i) for i in inputs]
    first = inputs[0][0] if inputs else "one"
    constants = [numpy_helper.from_array(np.ones(3, np.float32), n) for n in defaults]
    graph = helper.make_graph(
        [helper.make_node("Identity", [first], ["out"])] if nodes else [], "g", values,
        [helper.make_tensor_value_info("out" if nodes else first, 1, None)], constants,
    )  # fmt: skip
    stamp = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


def _case(label, part, *inputs, defaults=(), nodes=True):
    named = [(name, kind, dims) for name, kind, dims in inputs]
    want = {
        name: (KINDS[kind], None if dims is None else tuple(dims))
        for name, kind, dims in named
        if name not in defaults
    }
    return case(label, part, model=_model(named, defaults, nodes), want=want, bad=False)


def cases(rng):
    part = "sizes and types"
    n = [int(v) for v in rng.integers(2, 99, 6)]
    yield _case("one fixed input", part, ("x", 1, [n[0], n[1]]))
    yield _case("a symbolic batch", part, ("image", 1, ["batch", 3, n[2], n[3]]))
    yield _case("two inputs, not in alphabetical order", part, ("tokens", 7, ["batch", "length"]),
                ("mask", 9, ["batch", "length", n[4]]))  # fmt: skip
    yield _case("five axes", part, ("video", 1, ["batch", 3, n[0], n[1], n[2]]))
    for kind in (2, 3, 4, 5, 6, 10, 11, 12, 13):
        yield _case(KINDS[kind], part, ("x", kind, [n[5], "n"]))
    part = "unknown and default"
    yield _case("an axis that says nothing", part, ("x", 1, [None, 4, None]))
    yield _case("a scalar and an unknown rank", part, ("s", 1, []), ("any", 7, None))
    yield _case("an axis of size 0", part, ("past", 1, ["batch", 8, 0, 64]))
    yield _case("an axis named like a number", part, ("x", 1, ["7", 7]))
    yield _case("an input with a default", part, ("x", 1, ["n", 3]), ("w", 1, [3]), ("y", 6, [1]),
                defaults=("w",))  # fmt: skip
    yield _case("weights that are no inputs", part, ("x", 1, ["n", 3]), defaults=("w", "b"))
    yield _case("two inputs with defaults", part, ("w", 1, [3]), ("x", 1, [2]), ("b", 1, [3]),
                defaults=("w", "b"))  # fmt: skip
    yield _case("only an input with a default", part, ("c", 1, [3]), defaults=("c",))
    yield _case("no input at all", part, defaults=("one",))
    yield _case("a graph without nodes", part, ("x", 1, ["n", 2]), nodes=False)
    good = _model([("x", 1, [2, 3])])
    for label, model in (
        ("no bytes", b""), ("text", b"this is not a model"), ("a cut model", good[:-3]),
        ("a model without a graph", b"\x08\x0a"),
    ):  # fmt: skip
        yield case(label, "bad input", model=model, want=None, bad=True)


def probe(solution, model, want, bad):
    if bad:
        return refusal(lambda: solution(model))
    return solution(model)


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    expect.that(isinstance(answer, dict), "Return a dict from name to (dtype, dims).", stage="type",
                yours=expect.kind(answer))  # fmt: skip
    expect.that(list(answer) == list(case.want), "The dict's names are off (or their order).",
                yours=list(answer), right=list(case.want))  # fmt: skip
    for name, (kind, dims) in case.want.items():
        got_kind, got = expect.sequence(answer[name], ("dtype", "dims"))
        expect.that(got_kind == kind, f"The dtype of {name!r} is off.", stage="dtype",
                    yours=expect.show(got_kind), right=kind)  # fmt: skip
        if dims is not None and isinstance(got, list):
            got = tuple(got)
        same = got == dims and (dims is None or [type(d) for d in got] == [type(d) for d in dims])
        expect.that(
            same, f"The dims of {name!r} are off.", yours=expect.show(got), right=expect.show(dims)
        )
    return None
