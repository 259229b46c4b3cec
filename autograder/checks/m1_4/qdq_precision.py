"""qdq-precision: the labels of a second planner that grows two sets until nothing changes."""

import re

from autograder.checks import case, expect
from autograder.checks.oracles import fusion

PARTS = {"one layer": 0.45, "propagation": 0.55}
HINTS = (
    "Write low_in(tensor): is it a Dequantize node's, or a commuting node's whose input is low_in?",
    "Write low_out(name): it is read, no output, and every reader is a Quantize or a commuting low_out node.",
    "A commuting node runs in int8 if either is true of it.",
)
NAMES = {"Q": "Quantize", "D": "Dequantize"}


def _graph(text):
    """'q:Q(x) d:D(q) c:Conv(d,w)' as nodes; '@c' stands for a Q and a DQ behind c."""
    text = re.sub(r"@(\w+)", r"\1q:Q(\1) \1d:D(\1q)", text)
    nodes = []
    for item in text.split():
        name, _, rest = item.partition(":")
        op, _, inputs = rest.rstrip(")").partition("(")
        nodes.append({"name": name, "op": NAMES.get(op, op), "inputs": inputs.split(",")})
    return nodes


IN = "q:Q(x) d:D(q) @w "


def cases(rng):
    one, moved = PARTS
    for label, part, text, outputs in (
        ("Q and DQ on both sides", one, IN + "c:Conv(d,wd) @c", "cd"),
        ("no Q behind the Conv", one, IN + "c:Conv(d,wd) s:Softmax(c)", "s"),
        ("the Conv is the output", one, IN + "c:Conv(d,wd)", "c"),
        ("a Q behind it, and an output too", one, IN + "c:Conv(d,wd) @c", "cd,c"),
        ("float weights", one, "q:Q(x) d:D(q) c:Conv(d,w) @c", "cd"),
        ("float weights of a MatMul", one, IN + "m:MatMul(d,w) @m", "md"),
        ("a MatMul of two low activations", one,
         "q:Q(x) d:D(q) p:Q(y) e:D(p) m:MatMul(d,e) s:Softmax(m)", "s"),
        ("float activations", one, "@w c:Conv(x,wd) @c", "cd"),
        ("no Q or DQ at all", one, "c:Conv(x,w) r:Relu(c) s:Softmax(r)", "s"),
        ("only a Q behind", one, "c:MatMul(x,w) @c", "cd"),
        ("a second reader that is no Q", one, IN + "c:Conv(d,wd) @c s:Softmax(c)", "cd,s"),
        ("two readers, both Q", one, IN + "c:Conv(d,wd) a:Q(c) ad:D(a) b:Q(c) bd:D(b)", "ad,bd"),
        ("Add, int8 on both sides", one, "q:Q(x) d:D(q) p:Q(y) e:D(p) a:Add(d,e) @a", "ad"),
        ("Add with one float input", one, "q:Q(x) d:D(q) a:Add(d,y) @a", "ad"),
        ("Add without a Q behind", one, "q:Q(x) d:D(q) p:Q(y) e:D(p) a:Add(d,e) s:Softmax(a)", "s"),
        ("AveragePool", one, "q:Q(x) d:D(q) a:AveragePool(d) @a", "ad"),
        ("a Conv that nobody reads", one, IN + "c:Conv(d,wd) s:Softmax(d)", "s"),
        ("weights stored as INT8, a DQ alone", one, "q:Q(x) d:D(q) w:D(stored) c:Conv(d,w) @c", "cd"),
        ("an op that has no int8", one, "q:Q(x) d:D(q) s:LayerNorm(d) @s", "sd"),
        ("Q moves back over MaxPool", moved, IN + "c:Conv(d,wd) p:MaxPool(c) @p", "pd"),
        ("Q moves back over Relu and MaxPool", moved, IN + "c:Conv(d,wd) r:Relu(c) p:MaxPool(r) @p", "pd"),
        ("DQ moves on over MaxPool", moved, "q:Q(x) d:D(q) p:MaxPool(d) @w c:Conv(p,wd) s:Softmax(c)", "s"),
        ("DQ moves on over Transpose and Reshape", moved,
         "q:Q(x) d:D(q) t:Transpose(d) h:Reshape(t) @w c:MatMul(h,wd) @c", "cd"),
        ("a pool in front of nothing", moved, "q:Q(x) d:D(q) p:MaxPool(d)", "p"),
        ("a float pool", moved, "p:MaxPool(x) s:Softmax(p)", "s"),
        ("the pool is an output: Q cannot move", moved, IN + "c:Conv(d,wd) p:MaxPool(c) @p", "pd,p"),
        ("the Conv is an output: Q stops behind it", moved, IN + "c:Conv(d,wd) p:MaxPool(c) @p", "pd,c"),
        ("one branch without a Q", moved, IN + "c:Conv(d,wd) p:MaxPool(c) @p r:Relu(c) s:Softmax(r)", "pd,s"),
        ("both branches with a Q", moved, IN + "c:Conv(d,wd) p:MaxPool(c) @p r:Relu(c) @r", "pd,rd"),
        ("an AveragePool stops the Q", moved, IN + "c:Conv(d,wd) a:AveragePool(c) @a", "ad"),
        ("an AveragePool stops the DQ", moved, "q:Q(x) d:D(q) a:AveragePool(d) @w c:Conv(a,wd) @c", "cd"),
        ("an Add stops the DQ", moved, "q:Q(x) d:D(q) a:Add(d,d) @a @w c:Conv(a,wd) @c", "ad,cd"),
        ("a Conv stops the DQ", moved, IN + "b:Conv(d,wd) c:Conv(b,wd) @c", "cd"),
        ("Q moves back over four layers", moved,
         IN + "c:Conv(d,wd) r:Relu(c) p:MaxPool(r) t:Transpose(p) h:Reshape(t) @h", "hd"),
        ("DQ moves on over four layers", moved,
         "q:Q(x) d:D(q) r:Relu(d) p:MaxPool(r) t:Transpose(p) h:Reshape(t) @w c:Conv(h,wd) @c", "cd"),
        ("the pool behind the DQ is an output too", moved,
         "q:Q(x) d:D(q) p:MaxPool(d) r:Relu(p) @w c:Conv(r,wd) @c", "cd,p"),
        ("an Add stops the Q", moved, IN + "c:Conv(d,wd) a:Add(c,d) @a", "ad"),
        ("a Softmax stops the DQ", moved, "q:Q(x) d:D(q) s:Softmax(d) @w c:Conv(s,wd)", "c"),
        ("a residual block, quantized well", moved,
         IN + "c:Conv(d,wd) r:Relu(c) @r @v e:Conv(rd,vd) @e a:Add(ed,d) z:Relu(a) @z", "zd"),
        ("a residual block, the shortcut forgotten", moved,
         IN + "c:Conv(d,wd) r:Relu(c) @r @v e:Conv(rd,vd) a:Add(e,x) z:Relu(a) @z", "zd"),
    ):  # fmt: skip
        yield case(label, part, nodes=_graph(text), outputs=outputs.split(","))
    for i in range(4):
        yield case(f"a random graph, {i}", moved, **_random(rng))


def _random(rng):
    names, nodes = ["x"], []
    for i in range(24):
        op = str(
            rng.choice(
                ["Q", "Q", "Dequantize", "Dequantize", "Conv", "MaxPool", "Relu", "Add", "Softmax"]
            )
        )
        inputs = [str(rng.choice(names[-3:])) for _ in range(2 if op in ("Conv", "Add") else 1)]
        if op == "Conv":
            inputs[1] = inputs[0]  # one tensor on both sides, as in an attention score
        nodes.append({"name": f"n{i}", "op": NAMES.get(op, op), "inputs": inputs})
        names.append(f"n{i}")
    read = {t for n in nodes for t in n["inputs"]}
    return {"nodes": nodes, "outputs": [n["name"] for n in nodes if n["name"] not in read]}


def probe(solution, nodes, outputs):
    return solution(nodes, outputs)


def judge(case, answer):
    right = fusion.precisions(case.nodes, case.outputs)
    answer = expect.mapping(answer, tuple(right))
    more = sorted(set(map(str, answer)) - set(right))
    expect.that(not more, "Quantize and Dequantize nodes get no label.", yours=more)
    ops = {n["name"]: n["op"] for n in case.nodes}
    for name, label in right.items():
        expect.that(
            answer[name] == label,
            f"The {ops[name]} {name!r} is off.",
            yours=str(answer[name]),
            right=label,
        )
