"""Answers to qdq-precision."""

from collections import defaultdict

from autograder.checks.bank import right, wrong

COMMUTING = ("MaxPool", "Relu", "Reshape", "Transpose")
WEIGHTED, BOTH = ("Conv", "MatMul"), ("Add", "AveragePool")


def _label(
    nodes,
    outputs,
    *,
    commuting=COMMUTING,
    backward=None,
    weighted=WEIGHTED,
    both=BOTH,
    some=any,
    every=all,
    outs=True,
    unread=False,
    inputs=None,
    half="int8 in, float out",
    add_half=None,
    commute=lambda a, b: a or b,
    source=("Dequantize",),
    sink=("Quantize",),
    keep_qdq=False,
    rest="float",
):
    backward = commuting if backward is None else backward
    made = {n["name"]: n for n in nodes}
    read = defaultdict(list)
    for n in nodes:
        for t in n["inputs"]:
            read[t].append(n)

    def low_in(t):
        n = made.get(t)
        return n is not None and (
            n["op"] in source or (n["op"] in commuting and low_in(n["inputs"][0]))
        )

    def low_out(name):
        if outs and name in outputs:
            return False
        if not read[name]:
            return unread
        return every(
            n["op"] in sink or (n["op"] in backward and low_out(n["name"])) for n in read[name]
        )

    labels = {}
    for n in nodes:
        tensors = inputs(n) if inputs else n["inputs"]
        before, after = (
            some([low_in(t) for t in tensors]) if some is not any else all(map(low_in, tensors)),
            low_out(n["name"]),
        )
        if n["op"] in weighted:
            labels[n["name"]] = ("int8" if after else half) if before else "float"
        elif n["op"] in both:
            labels[n["name"]] = (
                "int8" if before and after else (add_half or "float") if before else "float"
            )
        elif n["op"] in COMMUTING:
            labels[n["name"]] = "int8" if commute(low_in(n["inputs"][0]), after) else "float"
        elif n["op"] not in ("Quantize", "Dequantize"):
            labels[n["name"]] = rest
        elif keep_qdq:
            labels[n["name"]] = "int8"
    return labels


@right("two recursive functions")
def recursive(nodes, outputs):
    return _label(nodes, outputs)


@right("two passes over the order")
def passes(nodes, outputs):
    low, good, read = {}, {}, {n["name"]: [] for n in nodes}
    for n in nodes:
        for t in n["inputs"]:
            if t in read:
                read[t].append(n)
    for n in nodes:
        low[n["name"]] = n["op"] == "Dequantize" or (
            n["op"] in COMMUTING and low.get(n["inputs"][0], False)
        )
    for n in reversed(nodes):
        following = read[n["name"]]
        good[n["name"]] = bool(following) and n["name"] not in outputs
        for f in following:
            good[n["name"]] &= f["op"] == "Quantize" or (f["op"] in COMMUTING and good[f["name"]])
    result = {}
    for n in nodes:
        if n["op"] in ("Quantize", "Dequantize"):
            continue
        full = all(low.get(t, False) for t in n["inputs"])
        result[n["name"]] = "float"
        if n["op"] in COMMUTING and (full or good[n["name"]]):
            result[n["name"]] = "int8"
        elif n["op"] in WEIGHTED + BOTH and full and good[n["name"]]:
            result[n["name"]] = "int8"
        elif n["op"] in WEIGHTED and full:
            result[n["name"]] = "int8 in, float out"
    return result


@wrong("all-int8", "You label everything int8: only what stands between DQ and Q is.")
def all_int8(nodes, outputs):
    return dict.fromkeys(recursive(nodes, outputs), "int8")


@wrong("all-float", "You label everything float.")
def all_float(nodes, outputs):
    return dict.fromkeys(recursive(nodes, outputs), "float")


@wrong("inputs-alone", "Low inputs give INT8 in; without a Q behind it the Conv writes floats.")
def inputs_alone(nodes, outputs):
    return _label(nodes, outputs, half="int8")


@wrong("output-alone", "A Q behind a Conv is not enough: its inputs must come from DQ.")
def output_alone(nodes, outputs):
    labels = _label(nodes, outputs, some=lambda x: True)
    true = recursive(nodes, outputs)
    return {k: "int8" if v == "int8" else true[k] for k, v in labels.items()}


@wrong(
    "q-on-both-sides-or-nothing", "A Conv with low inputs runs in INT8 even when it writes floats."
)
def both_sides(nodes, outputs):
    return _label(nodes, outputs, half="float")


@wrong("first-input-only", "All inputs must come from DQ, the weights too.")
def first_input(nodes, outputs):
    return _label(nodes, outputs, inputs=lambda n: n["inputs"][:1])


@wrong("any-input", "One low input is not enough: all must be.")
def any_input(nodes, outputs):
    return _label(nodes, outputs, some=lambda x: True in x)


@wrong("any-reader", "Every reader must be a Q; one is not enough.")
def any_reader(nodes, outputs):
    return _label(nodes, outputs, every=any)


@wrong("first-reader", "Look at every reader of the output, not only at the first.")
def first_reader(nodes, outputs):
    return _label(nodes, outputs, every=lambda found: next(iter(found)))


@wrong("outputs-ignored", "A tensor that the network returns is written in float.")
def no_outputs(nodes, outputs):
    return _label(nodes, outputs, outs=False)


@wrong("unread-is-low", "An output that nobody reads is no low output.")
def unread(nodes, outputs):
    return _label(nodes, outputs, outs=False, unread=True)


@wrong(
    "no-propagation",
    "Q and DQ move over MaxPool, Relu, Reshape and Transpose; you look at direct neighbours only.",
)
def no_propagation(nodes, outputs):
    return _label(nodes, outputs, commuting=())


@wrong("dq-stays", "DQ moves forward over commuting layers.")
def dq_stays(nodes, outputs):
    return _label(nodes, outputs, commuting=(), backward=COMMUTING)


@wrong("q-stays", "Q moves backward over commuting layers.")
def q_stays(nodes, outputs):
    return _label(nodes, outputs, backward=())


@wrong("relu-blocks", "Relu commutes with a positive scale.")
def relu_blocks(nodes, outputs):
    return _label(nodes, outputs, commuting=("MaxPool", "Reshape", "Transpose"))


@wrong("pool-blocks", "MaxPool commutes: the largest stays the largest.")
def pool_blocks(nodes, outputs):
    return _label(nodes, outputs, commuting=("Relu", "Reshape", "Transpose"))


@wrong("softmax-commutes", "Softmax does not commute with scaling.")
def softmax(nodes, outputs):
    return _label(nodes, outputs, commuting=(*COMMUTING, "Softmax"))


@wrong("add-commutes", "Q does not move over an Add.")
def add_commutes(nodes, outputs):
    return _label(nodes, outputs, commuting=(*COMMUTING, "Add", "AveragePool"))


@wrong("add-like-conv", "An Add needs both sides; it has no INT8-in, float-out form here.")
def add_like(nodes, outputs):
    return _label(nodes, outputs, add_half="int8 in, float out")


@wrong("conv-like-add", "AveragePool runs in INT8 too where both sides are low.")
def no_average(nodes, outputs):
    return _label(nodes, outputs, both=("Add",))


@wrong(
    "commuting-needs-both",
    "A commuting layer runs in INT8 if DQ or Q reaches it; both are not needed.",
)
def commuting_both(nodes, outputs):
    return _label(nodes, outputs, commute=lambda a, b: a and b)


@wrong("commuting-needs-dq", "A commuting layer runs in INT8 also when a Q moves back over it.")
def commuting_dq(nodes, outputs):
    return _label(nodes, outputs, commute=lambda a, b: a)


@wrong("every-op-can", "LayerNorm and Softmax stay float by these rules.")
def every_op(nodes, outputs):
    return _label(nodes, outputs, both=(*BOTH, "LayerNorm", "Softmax"))


@wrong("matmul-forgotten", "MatMul runs in INT8 like Conv.")
def no_matmul(nodes, outputs):
    return _label(nodes, outputs, weighted=("Conv",))


@wrong("q-counts-as-dq", "A Q does not make the next layer's input low: the DQ behind it does.")
def q_as_dq(nodes, outputs):
    return _label(nodes, outputs, source=("Quantize",))


@wrong("dq-counts-as-q", "A DQ behind a layer is no Q.")
def dq_as_q(nodes, outputs):
    return _label(nodes, outputs, sink=("Dequantize",))


@wrong("qdq-labelled", "Quantize and Dequantize nodes get no label.")
def qdq_labelled(nodes, outputs):
    return _label(nodes, outputs, keep_qdq=True)


@wrong(
    "average-commutes",
    "An average of rounded values is no value of the grid: AveragePool does not commute.",
)
def average_commutes(nodes, outputs):
    return _label(nodes, outputs, commuting=(*COMMUTING, "AveragePool"))


@wrong("dq-moves-over-add", "An Add is no commuting layer: DQ does not move over it.")
def dq_over_add(nodes, outputs):
    return _label(nodes, outputs, commuting=(*COMMUTING, "Add"), backward=COMMUTING)


@wrong("dq-moves-over-average", "AveragePool is no commuting layer: DQ does not move over it.")
def dq_over_average(nodes, outputs):
    return _label(nodes, outputs, commuting=(*COMMUTING, "AveragePool"), backward=COMMUTING)


@wrong("q-moves-over-average", "AveragePool is no commuting layer: Q does not move back over it.")
def q_over_average(nodes, outputs):
    return _label(nodes, outputs, backward=(*COMMUTING, "AveragePool"))


@wrong("unread-counts", "A tensor that nobody reads has no Q behind it: its output is not low.")
def unread_counts(nodes, outputs):
    return _label(nodes, outputs, unread=True)


@wrong(
    "outputs-stop-dq", "That a tensor is an output stops Q, not DQ: what reads it may still be low."
)
def outputs_stop_dq(nodes, outputs):
    split = []
    for node in nodes:
        # A second name for what the outputs hold: its readers see a float tensor.
        stopped = [
            ""
            if t in outputs and any(n["name"] == t and n["op"] in COMMUTING for n in nodes)
            else t
            for t in node["inputs"]
        ]
        split.append(
            {**node, "inputs": stopped if node["op"] not in ("Quantize",) else node["inputs"]}
        )
    return _label(split, outputs)


@wrong(
    "dq-needs-a-q", "Weights may be stored as INT8, with a DQ alone: any Dequantize node makes low."
)
def dq_needs_q(nodes, outputs):
    ops = {n["name"]: n["op"] for n in nodes}
    real = [
        {**n, "op": "Cast"}
        if n["op"] == "Dequantize" and ops.get(n["inputs"][0]) != "Quantize"
        else n
        for n in nodes
    ]
    labels = _label(real, outputs)
    return {name: label for name, label in labels.items() if ops[name] != "Dequantize"}


@wrong(
    "two-layers-at-most", "Q and DQ move over any number of commuting layers; you stop after two."
)
def two_at_most(nodes, outputs):
    depth, cut = {}, []
    for node in nodes:
        moved = node["op"] in COMMUTING
        depth[node["name"]] = 1 + depth.get(node["inputs"][0], 0) if moved else 0
        cut.append(node if depth[node["name"]] <= 2 else {**node, "op": "Stop"})
    return _label(cut, outputs)


@right("forwards, then backwards, over the list")
def two_passes(nodes, outputs):
    low_in, low_out, read = {}, {}, defaultdict(list)
    for n in nodes:
        moves = n["op"] in COMMUTING and low_in.get(n["inputs"][0], False)
        low_in[n["name"]] = n["op"] == "Dequantize" or moves
        for t in n["inputs"]:
            read[t].append(n)
    for n in reversed(nodes):
        low_out[n["name"]] = (
            len(read[n["name"]]) > 0
            and n["name"] not in outputs
            and all(
                r["op"] == "Quantize" or (r["op"] in COMMUTING and low_out[r["name"]])
                for r in read[n["name"]]
            )
        )
    labels = {}
    for n in nodes:
        before, after = all(low_in.get(t, False) for t in n["inputs"]), low_out[n["name"]]
        full = before or after if n["op"] in COMMUTING else before and after
        known = n["op"] in (*COMMUTING, *WEIGHTED, *BOTH)
        label = "int8" if full and known else "float"
        if n["op"] in WEIGHTED and before and not after:
            label = "int8 in, float out"
        if n["op"] not in ("Quantize", "Dequantize"):
            labels[n["name"]] = label
    return labels


@wrong("matmul-weights-free", "All inputs of a MatMul must be low, the weights too.")
def free_weights(nodes, outputs):
    return _label(
        nodes, outputs, inputs=lambda n: n["inputs"][:1] if n["op"] == "MatMul" else n["inputs"]
    )
