# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Export a model to ONNX, and prove that it is the same model
#
# **You end with:** a toolbox on ONNX files (read their shapes, free a frozen batch, write a branch, fold a norm, quantize
# a product) and an INT8 model whose codes in ONNX Runtime you predict with your own integer arithmetic.
#
# About 110 minutes. 37 points: 34 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. You need
# lessons 1.1.2 (scale and zero-point) and 1.1.4 (integer arithmetic).
#
# How to work: run the cells from the top. Where a cell says `raise NotImplementedError`, write your code. The cell
# below it checks it and says what is off.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import contextlib
import io
import logging
import math
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from autograder import check
from lab.plots import bars, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

# Layers this small lose more by waiting for a second core than they win.
torch.set_num_threads(1)
for chatty in ("torch.onnx", "torch.fx", "onnxruntime", "root"):
    logging.getLogger(chatty).setLevel(logging.ERROR)
profile = use_profile(PROFILE)
profile
# %% role="given" id="setup-run"
LEVEL = onnxruntime.GraphOptimizationLevel


def session(model_bytes, level=LEVEL.ORT_ENABLE_EXTENDED, save_as=None):
    """An ONNX Runtime session on the CPU with one thread; `save_as` writes the optimized graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = level
    options.log_severity_level = 4  # errors arrive as exceptions anyway
    if save_as:
        options.optimized_model_filepath = str(save_as)
    return onnxruntime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])


def run(model_bytes, *arrays, level=LEVEL.ORT_ENABLE_EXTENDED):
    """The first output of a model for its inputs, in their order."""
    ready = session(model_bytes, level)
    feeds = {i.name: a for i, a in zip(ready.get_inputs(), arrays, strict=True)}
    return ready.run(None, feeds)[0]


def to_bytes(nodes, inputs, outputs, constants):
    """A model in opset 21. inputs, outputs: (name, TensorProto type, dims). constants: name to array."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    stamp = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=stamp, ir_version=10).SerializeToString()


# %% [markdown]
# ## No error, and the wrong answer
#
# A small network reads digits of 8 by 8 pixels. A scanner sometimes delivers white on black, sometimes black on white,
# so the module turns bright batches round first. We train it, export it **the classic way, by tracing**, and test both
# on dark and on bright batches.
# %% role="given" id="opening"
from sklearn.datasets import load_digits

digits, labels = load_digits(return_X_y=True)
digits = (digits.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
train_x, train_y = torch.from_numpy(digits[:1400]), torch.from_numpy(labels[:1400])
test_x, test_y = digits[1400:], labels[1400:]


class Digits(nn.Module):
    """Images (batch, 1, 8, 8) in [0, 1] to logits (batch, 10)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.batch_norm = nn.BatchNorm2d(8)
        self.hidden = nn.Linear(8 * 16, 32)
        self.layer_norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, 10)

    def features(self, image):
        maps = torch.relu(self.batch_norm(self.conv(image)))
        return nn.functional.max_pool2d(maps, 2)

    def classify(self, flat):
        return self.head(nn.functional.gelu(self.layer_norm(self.hidden(flat))))

    def forward(self, image):
        return self.classify(self.features(image).flatten(1))


class Guarded(nn.Module):
    """The same, after a turn of bright batches."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, image):
        if image.mean() > 0.5:
            image = 1 - image
        return self.inner(image)


def trace(module, example, **more):
    """Bytes of the classic exporter: it runs the module once and writes down what happened."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are read aloud further down
        torch.onnx.export(module, (example,), buffer, dynamo=False, opset_version=18, **more)
    return buffer.getvalue()


def right_share(logits):
    return float((np.asarray(logits).argmax(1) == test_y).mean())


torch.manual_seed(0)
net = Digits()
optimizer = torch.optim.Adam(net.parameters(), 3e-3)
for _ in range(6):
    for rows in torch.randperm(1400).split(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(train_x[rows]), train_y[rows]).backward()
        optimizer.step()
net.eval()
guarded = Guarded(net).eval()
free_names = {
    "input_names": ["image"],
    "output_names": ["logits"],
    "dynamic_axes": {"image": {0: "batch"}, "logits": {0: "batch"}},
}
traced_guard = trace(guarded, train_x[:2], **free_names)
guard_shares = {}
for label, images in (("dark", test_x), ("bright", 1 - test_x)):
    with torch.inference_mode():
        in_torch = right_share(guarded(torch.from_numpy(images)))
    guard_shares[label] = in_torch, right_share(run(traced_guard, images))
    print(f"{label:6s} batch   PyTorch {in_torch:.1%}   exported file {guard_shares[label][1]:.1%}")
# %% [markdown] items="1.4.C6 1.4.K5"
# **What happened.** Tracing runs the module once on an example and records each operation. The example was dark; the turn never ran, so
# it is not in the file. Export, checker and runtime were all content.
#
# An exported model is a **claim**. This lesson is about proof: read the graph, run both on inputs that differ in shape, size
# and branch, and compare.
# %% [markdown] items="1.4.C6"
# ## What an ONNX file is
#
# One protobuf message: a **graph** of nodes in the order in which they can run, each with an operator, named inputs, named
# outputs and attributes. Weights are **initializers**, constants with a name. `graph.input` and `graph.output` declare types and
# sizes. A stamp, the **opset**, says which version of each operator is meant.
#
# An axis holds a number (frozen), a name (symbolic: any size), or nothing.
# %% role="given" id="anatomy"
guard_model = onnx.load_from_string(traced_guard)
print("opset  ", [(o.domain or "ai.onnx", o.version) for o in guard_model.opset_import])
for node in guard_model.graph.node:
    print(f"{node.op_type:20s} {list(node.input)[:2]} -> {list(node.output)}")
print("weights", {t.name: tuple(t.dims) for t in guard_model.graph.initializer})


# %% [markdown] items="1.4.C6"
# ### Exercise: what must a caller feed?
#
# <details><summary>Hint 1</summary><code>onnx.load_from_string</code>, then <code>value.type.tensor_type</code> of each input.</details>
# <details><summary>Hint 2</summary><code>d.WhichOneof("value")</code> is "dim_value", "dim_param" or None; a size of 0 is a size.</details>
# <details><summary>Hint 3</summary><code>tensor_type.HasField("shape")</code> is False where not even the rank is known.</details>
# %% role="exercise" id="graph-inputs" items="1.4.C6" minutes=8
def graph_inputs(model_bytes: bytes) -> dict[str, tuple[str, tuple | None]]:
    """The inputs that a caller must feed: {name: (dtype, dims)}, in the graph's order.

    dtype: NumPy's name, such as "float32" or "int64". dims: a tuple with one entry an axis: an int
    (fixed size, 0 too), a str (symbolic), or None (the file says nothing about the axis). A scalar has
    (); an input of unknown rank has None in place of the tuple. All inputs are tensors.

    An input that is also an initializer has a default value: leave it out.

    Raises:
        ValueError: the bytes are no protobuf of a model, or the model has no graph.

    >>> relu = helper.make_node("Relu", ["x"], ["y"])
    >>> model = to_bytes([relu], [("x", TensorProto.FLOAT, ["batch", 3])], [("y", 1, None)], {})
    >>> graph_inputs(model)
    {'x': ('float32', ('batch', 3))}
    """
    ### BEGIN SOLUTION
    try:
        model = onnx.load_from_string(model_bytes)
    except DecodeError as error:
        raise ValueError(f"These {len(model_bytes)} bytes are no ONNX model: {error}") from error
    if not model.HasField("graph"):
        raise ValueError("The model has no graph: is the file empty?")
    defaults = {tensor.name for tensor in model.graph.initializer}
    found = {}
    for value in model.graph.input:
        if value.name in defaults:
            continue
        tensor = value.type.tensor_type
        dims = None
        if tensor.HasField("shape"):
            kinds = [(d, d.WhichOneof("value")) for d in tensor.shape.dim]
            dims = tuple(getattr(d, kind) if kind else None for d, kind in kinds)
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        found[value.name] = (dtype, dims)
    return found
    ### END SOLUTION


# %% role="check" id="graph-inputs" points=3
check("graph-inputs", graph_inputs)


# %% [markdown] items="1.4.C6 1.4.K5"
# ## Dynamic axes, and three ways to lose them
#
# By default an exporter freezes **every** axis at the example's size. A free batch must be asked for: `dynamic_axes` in the classic
# exporter, `dynamic_shapes` in the new one (`dynamo=True`), which analyses the program instead of tracing it.
#
# Asking is not getting. `int(x.shape[0])` turns a size into a Python number, and a Python number is a constant.
# %% role="given" id="frozen"
class Careless(Digits):
    def forward(self, image):
        count = int(image.shape[0])  # a Python number: the exporters see a constant
        return self.classify(self.features(image).reshape(count, 128))


careless = Careless().eval()
careless.load_state_dict(net.state_dict())
batch = torch.export.Dim("batch")


def export(module, example, **more):
    """Bytes of the new exporter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, (example,), dynamo=True, verbose=False, input_names=["image"],
            output_names=["logits"], **more,
        )  # fmt: skip
    return program.model_proto.SerializeToString()


frozen_files = {
    "traced, not asked": trace(net, train_x[:2], input_names=["image"]),
    "traced, asked, careless code": trace(careless, train_x[:2], **free_names),
    "dynamo, asked, careless code": export(careless, train_x[:2], dynamic_shapes=({0: batch},)),
    "dynamo, asked": export(net, train_x[:2], dynamic_shapes=({0: batch},)),
}


# Where the message itself begins, behind the name of a source file or a list of next steps.
OPENINGS = ("Got invalid dim", "Invalid rank", "Unexpected input data type", "The input tensor cannot",
            "Could not guard on", "ONNX Runtime only", "No Op registered")  # fmt: skip


def answer_of(call):
    """What a call gives: "runs", or the library's own message from its first telling words on."""
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            call()
        return "runs"
    except Exception as error:
        text = " ".join(str(error).split())
        starts = [text.find(words) for words in OPENINGS if words in text]
        text = text[min(starts, default=0) :]
        return f"{type(error).__name__}: {text[:230]}"


for label, file in frozen_files.items():
    print(f"{label}: declared {graph_inputs(file)['image'][1]}")
    for count in (2, 5):
        print(f"   batch {count}: {answer_of(lambda f=file, n=count: run(f, test_x[:n]))}")
# %% [markdown] items="1.4.C6 1.4.K5"
# **Read the messages.** The first file refuses honestly: `Got invalid dimensions`. The second *declares* a free batch and breaks deep
# inside, in a `Reshape` whose target holds the example's 2. The third was asked for a free batch and froze it **silently**: only its declared shape tells. The
# cure in your own code: `flatten(1)` or `reshape(-1, 128)`.
#
# When only the file is left, repair the graph.


# %% [markdown] items="1.4.C6 1.4.K5"
# ### Exercise: free the batch of a finished file
#
# In a `Reshape`'s target 0 means "as in the input" (with `allowzero=1`: a size of zero), -1 "what is left".
#
# <details><summary>Hint 1</summary><code>dim.dim_param = name</code>.</details>
# <details><summary>Hint 2</summary>A repaired Reshape gets a constant of its own, with a new name.</details>
# <details><summary>Hint 3</summary>Leave a Reshape whose data is an initializer (a weight).</details>
# <details><summary>Hint 4</summary><code>del graph.value_info[:]</code>, and remove or zero <code>allowzero</code>.</details>
# %% role="exercise" id="free-batch" items="1.4.C6 1.4.K5" minutes=18
def free_batch(model_bytes: bytes, name: str = "batch") -> bytes:
    """The model with its frozen batch made symbolic; all other sizes, names and weights stay.

    Axis 0 of every input and every output is the batch, frozen at one number B. Make it `name` in both.
    In each Reshape that reads data (not an initializer) and whose target is an initializer beginning with B,
    replace that B by 0, with allowzero absent or 0. A constant may be shared, also with the Reshape of a
    weight, which must stay. No Reshape merges the batch with another axis. Stored intermediate shapes
    (graph.value_info) are deleted. No input is an initializer.

    Raises:
        ValueError: the bytes are no ONNX model or hold no graph, there is no input, or axis 0 of the
            inputs is not one and the same number (an input without axes has none).

    >>> reshape = helper.make_node("Reshape", ["x", "to"], ["y"])
    >>> shapes = [("x", 1, [2, 3, 4])], [("y", 1, [2, 12])]
    >>> frozen = to_bytes([reshape], *shapes, {"to": np.array([2, 12])})
    >>> run(free_batch(frozen), np.ones((5, 3, 4), np.float32)).shape
    (5, 12)
    """
    ### BEGIN SOLUTION
    sizes = {dims[0] if dims else None for _, dims in graph_inputs(model_bytes).values()}
    frozen = min(sizes, key=str) if len(sizes) == 1 else None
    if not isinstance(frozen, int):
        raise ValueError(f"Axis 0 of the inputs is {sizes}: there must be one frozen batch.")
    model = onnx.load_from_string(model_bytes)
    graph = model.graph
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = name
    del graph.value_info[:]
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for at, node in enumerate(graph.node):
        if node.op_type != "Reshape" or node.input[0] in constants:
            continue
        target = constants.get(node.input[1])
        if target is None or not target.size or target[0] != frozen:
            continue
        target = target.copy()
        target[0] = 0
        node.input[1] = f"{node.input[1]}_free_{at}"
        graph.initializer.append(numpy_helper.from_array(target, node.input[1]))
        kept = [a for a in node.attribute if a.name != "allowzero"]
        del node.attribute[:]
        node.attribute.extend(kept)
    return model.SerializeToString()
    ### END SOLUTION


# %% role="check" id="free-batch" points=5
check("free-batch", free_batch)
# %%
repaired = free_batch(frozen_files["dynamo, asked, careless code"])
with torch.inference_mode():
    wanted = net(torch.from_numpy(test_x)).numpy()
gap = float(np.abs(run(repaired, test_x) - wanted).max())
print(f"declared {graph_inputs(repaired)['image'][1]}, {len(test_x)} images at once, gap {gap:.1e}")


# %% [markdown]
# **What you should see.** A gap of about 1e-6 to 1e-5: float32 sums in another order. That is what "the same model" means: the same up to the
# rounding of its arithmetic, at every size that you will serve.
# %% [markdown] items="1.4.K5"
# ## Control flow: traced away, refused, kept
#
# A branch on **data** has three fates. The tracer keeps the side that ran, with a warning. The new exporter refuses: it cannot
# know the side. And `torch.cond` says in the program that both sides exist: the file gets an `If` node, each side a graph of its own.
#
# `torch.where` is the other cure: compute both sides, select.
# %% role="given" id="control-flow"
class Cond(Guarded):
    def forward(self, image):
        turned = torch.cond(image.mean() > 0.5, lambda i: 1 - i, lambda i: i.clone(), (image,))
        return self.inner(turned)


class Where(Guarded):
    def forward(self, image):
        return self.inner(torch.where(image.mean() > 0.5, 1 - image, image))


def all_ops(graph):
    """Counts of the operators, those inside branches and loops included."""
    counts = Counter(node.op_type for node in graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                counts += all_ops(attribute.g)
    return counts


with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    torch.onnx.export(guarded, (train_x[:2],), io.BytesIO(), dynamo=False)
said = [str(w.message) for w in heard if "boolean" in str(w.message)]
print("tracer warns:  ", said[0][:118], "...")
refusal_text = answer_of(lambda: export(guarded, train_x[:2]))
print("dynamo refuses:", refusal_text[:118], "...")
branch_files = {"traced": traced_guard}
for label, kind in (("torch.cond", Cond), ("torch.where", Where)):
    branch_files[label] = export(kind(net).eval(), train_x[:2], dynamic_shapes=({0: batch},))
for label, file in branch_files.items():
    ops = all_ops(onnx.load_from_string(file).graph)
    share = right_share(run(file, 1 - test_x))
    print(f"{label:12s} If {ops['If']}  Where {ops['Where']}  bright batch {share:.1%}")


# %% [markdown] items="1.4.K5"
# ## Loops that depend on data
#
# A loop whose count depends on data is **unrolled** by the tracer: the example's number of rounds becomes a row of nodes. Often the loop has a closed form
# that needs no loop at all: rewrite it, and both exporters are content.
# %% role="given" id="loops"
class Halve(nn.Module):
    """Halve x as often as its first entry says."""

    def forward(self, x):
        for _ in range(int(x[0])):
            x = x * 0.5
        return x


class HalveClosed(nn.Module):
    def forward(self, x):
        return x * 0.5 ** x[0].floor().clamp(min=0)


three, five = torch.tensor([3.0, 8.0]), torch.tensor([5.0, 8.0])
unrolled, closed = trace(Halve(), three), trace(HalveClosed(), three)
print("nodes unrolled:", dict(all_ops(onnx.load_from_string(unrolled).graph)))
for label, file in (("unrolled", unrolled), ("closed form", closed)):
    for x in (three, five):
        got, right = run(file, x.numpy()).tolist(), Halve()(x).tolist()
        print(f"{label:12s} {x.tolist()} gives {got}, PyTorch {right}")


# %% [markdown] items="1.4.K5"
# ### Exercise: write a branch by hand
#
# A gate reads the sum of a batch and multiplies it by one of two matrices. Write the graph with `onnx.helper`; only the chosen product may be
# computed. A branch has no inputs: it reads the names around it. `to_bytes` makes the whole model.
#
# <details><summary>Hint 1</summary>ReduceSum (no axes, keepdims=0), Greater, If; each branch is a graph with one MatMul.</details>
# <details><summary>Hint 2</summary><code>helper.make_graph([matmul], "hot", [], [helper.make_tensor_value_info("hot_y", 1, None)])</code></details>
# %% role="exercise" id="onnx-branch" items="1.4.K5 1.4.C6" minutes=15
def branch_model(hot: np.ndarray, cold: np.ndarray, threshold: float) -> bytes:
    """An ONNX model of one If: y = x @ hot if the sum of all of x is above threshold, else x @ cold.

    Opset 18 to 23, ONNX's own operators (no Einsum, Loop or Scan). One input "x", float32 ("batch", n); one output "y",
    float32 ("batch", m). The main graph has exactly one If and no MatMul or Gemm; each of its two branches has
    exactly one. The sum and the comparison run in float32; a sum equal to the threshold, or a NaN, takes cold.

    Args:
        hot, cold: (n, m), stored as float32. threshold: a number.

    Raises:
        ValueError: hot and cold are not two matrices of one shape, or threshold is NaN.

    >>> model = branch_model(np.eye(2), -np.eye(2), threshold=1.0)
    >>> run(model, np.array([[2.0, 0.0]], np.float32)).tolist()
    [[2.0, 0.0]]
    >>> run(model, np.array([[1.0, 0.0]], np.float32)).tolist()
    [[-1.0, 0.0]]
    """
    ### BEGIN SOLUTION
    if hot.ndim != 2 or hot.shape != cold.shape or math.isnan(threshold):
        raise ValueError(f"hot {hot.shape} and cold {cold.shape} must be matrices of one shape.")

    def branch(name):
        product = helper.make_node("MatMul", ["x", name], [f"{name}_y"])
        out = helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, None)
        return helper.make_graph([product], name, [], [out])

    nodes = [
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        helper.make_node("Greater", ["total", "threshold"], ["is_hot"]),
        helper.make_node(
            "If", ["is_hot"], ["y"], then_branch=branch("hot"), else_branch=branch("cold")
        ),
    ]
    constants = {"hot": hot.astype(np.float32), "cold": cold.astype(np.float32),
                 "threshold": np.float32(threshold)}  # fmt: skip
    n, m = hot.shape
    return to_bytes(nodes, [("x", 1, ["batch", n])], [("y", 1, ["batch", m])], constants)
    ### END SOLUTION


# %% role="check" id="onnx-branch" points=5
check("onnx-branch", branch_model)
# %% [markdown] items="1.4.C6 1.4.K5"
# ## Opsets: the stamp can lie
#
# An opset is the vocabulary. `Gelu` is a word since opset 20; before, the exporter must spell it in five nodes. Ask the new exporter for an opset that does not
# exist and look at what you get.
# %% role="given" id="opsets"
unknown = export(net, train_x[:2], opset_version=99)
print("asked for opset 99, stamped", onnx.load_from_string(unknown).opset_import[0].version)
print("checker:", answer_of(lambda: onnx.checker.check_model(unknown)))
print("runtime:", answer_of(lambda: run(unknown, test_x[:2])))
plain = export(net, train_x[:2], dynamic_shapes=({0: batch},))
spelled = trace(net, train_x[:2], **free_names)
for label, file in (("opset 20", plain), ("opset 18", spelled)):
    loaded = onnx.load_from_string(file)
    names = ", ".join(node.op_type for node in loaded.graph.node if node.op_type != "Constant")
    print(f"{label}: stamped {loaded.opset_import[0].version}: {names}")


# %% [markdown] items="1.4.K5"
# **What you should see.** No error at export: the file is stamped 18 and holds a word of 20, which checker and runtime both refuse. So ask for an opset that your
# runtime documents, and let `onnx.checker` read every file that you ship.
#
# Libraries report bad input in their own terms. A service should say what to do. Three cases, theirs and ours:
# %% role="given" id="bad-input"
def stamped(version):
    """A model of one Relu that claims to be written in this opset."""
    tiny = onnx.load_from_string(to_bytes([helper.make_node("Relu", ["x"], ["y"])],
                                          [("x", 1, [1])], [("y", 1, [1])], {}))  # fmt: skip
    tiny.opset_import[0].version = version
    return tiny.SerializeToString()


known_opsets = [
    v for v in range(7, onnx.defs.onnx_opset_version() + 1)
    if answer_of(lambda v=v: session(stamped(v))) == "runs"
]  # fmt: skip


def opset_or_sentence(version):
    if version not in known_opsets:
        least, most = known_opsets[0], known_opsets[-1]
        raise ValueError(f"This runtime does not know opset {version}: choose {least} to {most}.")
    return version


def feed_or_sentence(model_bytes, feeds):
    for name, (dtype, dims) in graph_inputs(model_bytes).items():
        if name not in feeds:
            raise ValueError(f"Input {name!r} is missing: feed {dtype} of shape {dims}.")
        array = feeds[name]
        fits = array.ndim == len(dims) and all(
            not isinstance(d, int) or d == n for d, n in zip(dims, array.shape, strict=True)
        )
        if array.dtype != dtype or not fits:
            raise ValueError(
                f"{name!r} is {array.dtype} {array.shape}: feed {dtype} of shape {dims}."
            )
    return feeds


def calibration_or_sentence(images):
    if len(images) < 1:
        raise ValueError("The calibration set is empty: give some hundred typical inputs.")
    return images


two_pictures = test_x[:2, 0]  # the channel axis is missing
print("theirs:", answer_of(lambda: run(plain, two_pictures)))
print("ours:  ", answer_of(lambda: feed_or_sentence(plain, {"image": two_pictures})))
print("theirs:", answer_of(lambda: run(plain, test_x[:2].astype(np.float64))))
print(
    "ours:  ", answer_of(lambda: feed_or_sentence(plain, {"image": test_x[:2].astype(np.float64)}))
)
print("theirs:", answer_of(lambda: session(stamped(99))))
print("ours:  ", answer_of(lambda: opset_or_sentence(99)))
# %% [markdown] items="1.4.C6"
# ## Fusion: what the runtime does to your graph
#
# A session rewrites the graph before it runs: constants are computed, a batch norm goes into the convolution before it, five nodes become one
# `Gelu`, an activation joins its convolution. Each fusion saves a trip through memory. The optimized graph can be saved and read.
#
# **Predict.** The raw file below has 13 nodes besides constants. How many are left at the level `EXTENDED`?
# %% role="predict" id="predict-nodes"
my_node_count = ...
# %% role="given" id="fusion"
raw = trace(
    net,
    train_x[:2],
    training=torch.onnx.TrainingMode.PRESERVE,
    do_constant_folding=False,
    **free_names,
)
scratch = tempfile.TemporaryDirectory()  # removed when the kernel ends
work = Path(scratch.name)


def optimized_ops(model_bytes, level):
    """Operators of the graph that a session really runs, in order."""
    session(model_bytes, level, work / "optimized.onnx")
    return [node.op_type for node in onnx.load(work / "optimized.onnx").graph.node]


LEVELS = {
    "as exported": LEVEL.ORT_DISABLE_ALL,
    "BASIC": LEVEL.ORT_ENABLE_BASIC,
    "EXTENDED": LEVEL.ORT_ENABLE_EXTENDED,
    "ALL": LEVEL.ORT_ENABLE_ALL,
}
fused_ops = {label: optimized_ops(raw, level) for label, level in LEVELS.items()}
for label, names in fused_ops.items():
    print(f"{label:12s} {len(names):2d}  {' '.join(names)}")
reveal(my_node_count, len(fused_ops["EXTENDED"]), "nodes", tolerance=0.15)
# %%
show(
    bars(
        {label: float(len(names)) for label, names in fused_ops.items()},
        unit="nodes",
        title="One network, four levels of optimization",
    ),
    alt="Bars with the number of nodes: "
    + ", ".join(f"{label} {len(names)}" for label, names in fused_ops.items())
    + ". BASIC and EXTENDED leave fewer and fewer.",
)
# %% [markdown] items="1.4.C6 1.4.C8"
# **What you should see.** BASIC swallows the batch norm. EXTENDED finds Gelu in its five pieces and joins Conv with Relu. ALL may add one node: on a CPU with wide
# vectors it stores channels in blocks (`NCHWc`) and reorders the result (`ReorderOutput`), so such a saved file belongs to this kind of machine.
# %% [markdown] items="1.4.C6"
# ## The arithmetic of one fusion
#
# In inference a batch norm is a line for each channel $c$, and so is a convolution's effect on its weights:
#
# $$y_c = \gamma_c \frac{(w_c * x + b_c) - \mu_c}{\sqrt{\sigma^2_c + \epsilon}} + \beta_c.$$
#
# With $f_c = \gamma_c / \sqrt{\sigma_c^2 + \epsilon}$: new weight $f_c w_c$, new bias $f_c (b_c - \mu_c) + \beta_c$. It is only allowed if
# **nobody else** reads what the convolution made.


# %% [markdown] items="1.4.C6"
# ### Exercise: fold batch norms in a graph
#
# <details><summary>Hint 1</summary>A dict from output name to Conv node; a Counter of all node inputs and of <code>graph.output</code>'s names.</details>
# <details><summary>Hint 2</summary>The Conv takes over the norm's output name; then <code>graph.node.remove(norm)</code>.</details>
# <details><summary>Hint 3</summary><code>helper.get_node_attr_value</code> or a loop over <code>node.attribute</code> for epsilon; 1e-5 where absent.</details>
# %% role="exercise" id="fold-batchnorm" items="1.4.C6" minutes=20
def fold_batchnorm(model_bytes: bytes) -> bytes:
    """The model with each foldable Conv -> BatchNormalization pair made one Conv.

    Foldable: the norm's data is the output of a Conv that no other node reads and that is no output of
    the graph. The Conv gets new weights and a bias (float32, under new names: a weight may be shared) and
    the norm's output name; the norm goes, no node is added. All other nodes, the graph's outputs and their
    names stay. Unused initializers may stay. Weights, biases and the norm's scale, bias, mean and
    variance (its inputs 1 to 4) are initializers. Each Conv is two-dimensional; no If or Loop. epsilon is
    1e-5 where the attribute is absent. The graph's inputs stay; a model without a norm comes back as it is.

    Raises:
        ValueError: the bytes are no ONNX model or hold no graph, or a norm has training_mode=1 (it would
            use the batch's own statistics).

    >>> nodes = [helper.make_node("Conv", ["x", "w"], ["a"]),
    ...          helper.make_node("BatchNormalization", ["a", "two", "one", "one", "var"], ["y"], epsilon=0.0)]
    >>> one = np.ones(1, np.float32)
    >>> numbers = {"w": np.ones((1, 1, 1, 1), np.float32), "one": one, "two": 2 * one, "var": 4 * one}
    >>> model = to_bytes(nodes, [("x", 1, ["n", 1, 1, 1])], [("y", 1, None)], numbers)
    >>> folded = fold_batchnorm(model)
    >>> len(onnx.load_from_string(folded).graph.node), run(folded, np.full((1, 1, 1, 1), 5, np.float32)).item()
    (1, 5.0)
    """
    ### BEGIN SOLUTION
    graph_inputs(model_bytes)  # refuses what is no model
    model = onnx.load_from_string(model_bytes)
    graph = model.graph
    arrays = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    convs = {node.output[0]: node for node in graph.node if node.op_type == "Conv"}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(value.name for value in graph.output)
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        attributes = {a.name: helper.get_attribute_value(a) for a in norm.attribute}
        if attributes.get("training_mode", 0):
            raise ValueError("A BatchNormalization is in training mode: export with model.eval().")
        conv = convs.get(norm.input[0])
        if conv is None or readers[norm.input[0]] != 1:
            continue
        gamma, beta, mean, var = (arrays[name] for name in norm.input[1:5])
        factor = gamma / np.sqrt(var + attributes.get("epsilon", 1e-5))
        weight = arrays[conv.input[1]] * factor[:, None, None, None]
        old_bias = arrays[conv.input[2]] if len(conv.input) > 2 and conv.input[2] else 0.0
        made = {"weight": weight, "bias": (old_bias - mean) * factor + beta}
        names = [f"{norm.output[0]}_folded_{part}" for part in made]
        for name, array in zip(names, made.values(), strict=True):
            graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), name))
        inputs = [conv.input[0], *names]
        del conv.input[:]
        conv.input.extend(inputs)
        conv.output[0] = norm.output[0]
        graph.node.remove(norm)
    return model.SerializeToString()
    ### END SOLUTION


# %% role="check" id="fold-batchnorm" points=5
check("fold-batchnorm", fold_batchnorm)
# %%
folded_raw = fold_batchnorm(raw)
fold_gap = float(
    np.abs(run(folded_raw, test_x) - run(raw, test_x, level=LEVEL.ORT_DISABLE_ALL)).max()
)
print("norms before and after:", *(all_ops(onnx.load_from_string(f).graph)["BatchNormalization"]
                                    for f in (raw, folded_raw)), f"  gap {fold_gap:.1e}")  # fmt: skip
# %% [markdown] items="1.4.K5"
# ## INT8 in a graph: Q and DQ
#
# An INT8 model in ONNX is a float graph with **marks**: `QuantizeLinear` (Q) makes codes, `DequantizeLinear` (DQ) numbers:
#
# $$q = \mathrm{clip}(\mathrm{rint}(x / s) + z,\ 0,\ 255), \qquad \hat x = s\,(q - z).$$
#
# Weights are INT8 codes behind a DQ, with a scale for each output **channel**; the attribute `axis` says where. A runtime with integer kernels replaces DQ, MatMul, Q
# by one; any other still gets the right numbers.


# %% [markdown] items="1.4.K5"
# ### Exercise: a product between Q and DQ
#
# <details><summary>Hint 1</summary>scale = amax / 127 for each column of the weight; 1.0 for a column of zeros.</details>
# <details><summary>Hint 2</summary>Five nodes: QuantizeLinear, DequantizeLinear (of x), DequantizeLinear (of the weight, axis=1), MatMul, Add.</details>
# <details><summary>Hint 3</summary>The type of the zero point sets the type of the codes: np.uint8(x_zero_point).</details>
# %% role="exercise" id="qdq-matmul" items="1.4.K5 1.4.C6" minutes=18
def qdq_matmul(weight: np.ndarray, bias: np.ndarray, x_scale: float, x_zero_point: int) -> bytes:
    """A QDQ model of y = x @ weight + bias with INT8 weights and UINT8 activations.

    x passes QuantizeLinear and DequantizeLinear (uint8, one scale, one zero point). The weight is an int8
    initializer (n, m) behind DequantizeLinear with float32 scales (m,): amax / 127 of each column, 1.0 for a
    column of zeros; codes = weight / scale rounded half to even; zero points 0 or left out. Then one MatMul
    and one Add of the float32 bias: five nodes in all. Scales, zero points and codes are initializers; the
    float weight is not in the file. Opset 18 to 23.

    One input "x", float32 ("batch", n); one output "y", float32 ("batch", m).

    Args:
        weight: (n, m) float32. bias: (m,) float32.
        x_scale: above 0. x_zero_point: 0 to 255.

    Raises:
        ValueError: weight no matrix or not finite, bias of another shape than (m,), x_scale not a finite
            number above 0, or x_zero_point not in 0 to 255.

    >>> weight = np.array([[1.984375], [-1.0]], np.float32)
    >>> model = qdq_matmul(weight, np.zeros(1, np.float32), x_scale=0.5, x_zero_point=10)
    >>> run(model, np.array([[1.1, 0.0], [-99.0, 0.0]], np.float32)).tolist()
    [[1.984375], [-9.921875]]
    """
    ### BEGIN SOLUTION
    if weight.ndim != 2 or not np.isfinite(weight).all() or bias.shape != weight.shape[1:]:
        raise ValueError(f"weight {weight.shape}, bias {bias.shape}: give finite (n, m) and (m,).")
    if not (math.isfinite(x_scale) and x_scale > 0 and 0 <= x_zero_point <= 255):
        raise ValueError(f"x_scale={x_scale}, x_zero_point={x_zero_point}: not a UINT8 quantizer.")
    amax = np.abs(weight).max(axis=0)
    scales = np.where(amax > 0, amax / 127, 1.0).astype(np.float32)
    constants = {
        "x_scale": np.float32(x_scale),
        "x_zero": np.uint8(x_zero_point),
        "w_codes": np.rint(weight / scales).astype(np.int8),
        "w_scales": scales,
        "bias": bias.astype(np.float32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["x_q"]),
        helper.make_node("DequantizeLinear", ["x_q", "x_scale", "x_zero"], ["x_dq"]),
        helper.make_node("DequantizeLinear", ["w_codes", "w_scales"], ["w_dq"], axis=1),
        helper.make_node("MatMul", ["x_dq", "w_dq"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
    ]
    n, m = weight.shape
    return to_bytes(nodes, [("x", 1, ["batch", n])], [("y", 1, ["batch", m])], constants)
    ### END SOLUTION


# %% role="check" id="qdq-matmul" points=6
check("qdq-matmul", qdq_matmul)
# %% [markdown] items="1.4.K5"
# ## What the integer kernel computes
#
# With a Q behind the product the runtime needs no float matrix at all. `QLinearMatMul` sums in int32 and converts once. With $q$ the codes, $s$ the scales, $z$ the
# zero points:
#
# $$q^y_{ij} = \mathrm{clip}\Big(\mathrm{rint}\Big(\frac{s_x s_{w,j}}{s_y} \sum_k (q^x_{ik} - z_x)\, q^w_{kj}\Big) + z_y,\ 0,\ 255\Big).$$
#
# The only freedom is the rounding of the multiplier: beside a half, two runtimes may differ by one code.


# %% [markdown] items="1.4.K5"
# ### Exercise: the codes of QLinearMatMul
#
# <details><summary>Hint 1</summary>Subtract the zero point in int32: in uint8 it wraps around.</details>
# <details><summary>Hint 2</summary>Round first, then add the zero point, then clip, then cast.</details>
# %% role="exercise" id="qlinear-matmul" items="1.4.K5" minutes=12
def qlinear_matmul(
    x: np.ndarray,
    x_scale: float,
    x_zero_point: int,
    w: np.ndarray,
    w_scales: np.ndarray,
    y_scale: float,
    y_zero_point: int,
) -> np.ndarray:
    """UINT8 codes of a product, from codes: exact integer sums, one conversion, round half to even.

    A result within 0.0001 of a half may go either way (float32 or float64 multiplier); a true half
    goes to even, before the zero point is added.

    Args:
        x: (b, n) uint8, b may be 0. w: (n, m) int8, symmetric (no zero point).
        w_scales: (m,) floats. x_scale, y_scale: floats above 0.
        x_zero_point, y_zero_point: 0 to 255.

    Returns:
        (b, m) uint8.

    Raises:
        ValueError: other dtypes or shapes than these, a scale that is not above 0, a zero point outside
            0 to 255.

    >>> x, w = np.array([[12, 10]], np.uint8), np.array([[100, -3], [50, 7]], np.int8)
    >>> qlinear_matmul(x, 0.5, 10, w, np.array([0.25, 0.25]), 1.0, 128).tolist()
    [[153, 127]]
    """
    ### BEGIN SOLUTION
    if x.dtype != np.uint8 or w.dtype != np.int8 or x.ndim != 2 or w.ndim != 2:
        raise ValueError(f"x is {x.dtype} {x.shape}, w is {w.dtype} {w.shape}.")
    if x.shape[1] != w.shape[0] or np.shape(w_scales) != w.shape[1:]:
        raise ValueError(f"{x.shape}, {w.shape} and {np.shape(w_scales)} do not fit together.")
    if not (x_scale > 0 and y_scale > 0 and np.all(np.asarray(w_scales) > 0)):
        raise ValueError("Scales are above 0.")
    if not (0 <= x_zero_point <= 255 and 0 <= y_zero_point <= 255):
        raise ValueError(f"Zero points {x_zero_point} and {y_zero_point}: give 0 to 255.")
    sums = (x.astype(np.int32) - x_zero_point) @ w.astype(np.int32)
    multiplier = np.asarray(w_scales, np.float64) * x_scale / y_scale
    return np.clip(np.rint(sums * multiplier) + y_zero_point, 0, 255).astype(np.uint8)
    ### END SOLUTION


# %% role="check" id="qlinear-matmul" points=4
check("qlinear-matmul", qlinear_matmul)
# %% [markdown] items="1.4.K5"
# ## Static quantization of the whole network
#
# `onnxruntime.quantization` runs the float model on a **calibration set**, takes ranges, and writes Q and DQ around each tensor. We do it twice: for the whole
# network, and for its hidden layer alone, whose codes you then predict.
# %% role="given" id="static"
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


class Batches(CalibrationDataReader):
    """Feeds one calibration input after the other."""

    def __init__(self, name, arrays):
        self.feeds = iter([{name: array[None]} for array in arrays])

    def get_next(self):
        return next(self.feeds, None)


def static_int8(model_bytes, name, calibration, **more):
    """Bytes of the QDQ model: UINT8 activations, INT8 weights by channel."""
    calibration_or_sentence(calibration)
    (work / "float.onnx").write_bytes(model_bytes)
    settings = {"per_channel": True, "quant_format": QuantFormat.QDQ,
                "activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8} | more  # fmt: skip
    quantize_static(
        str(work / "float.onnx"), str(work / "int8.onnx"), Batches(name, calibration), **settings
    )
    return (work / "int8.onnx").read_bytes()


empty = Batches("image", test_x[:0])
(work / "float.onnx").write_bytes(plain)
print("theirs:", answer_of(lambda: quantize_static(work / "float.onnx", work / "int8.onnx", empty)))
print("ours:  ", answer_of(lambda: static_int8(plain, "image", test_x[:0])))
whole = static_int8(plain, "image", digits[:64])
float_logits, int8_logits = run(plain, test_x), run(whole, test_x)
whole_error = float(np.linalg.norm(int8_logits - float_logits) / np.linalg.norm(float_logits))
print(f"float {right_share(float_logits):.1%}, {len(plain):,} bytes; "
      f"INT8 {right_share(int8_logits):.1%}, {len(whole):,} bytes; error of the logits {whole_error:.1%}")  # fmt: skip
print("in the file:", dict(all_ops(onnx.load_from_string(whole).graph)))
(work / "whole.onnx").write_bytes(whole)
print("really run: ", dict(Counter(optimized_ops(whole, LEVEL.ORT_ENABLE_EXTENDED))))
# %% [markdown]
# **What you should see.** The accuracy moves by a few images at most, and 16 DQ nodes shrink to a handful: the runtime found pairs around `Conv` and `Gemm` and put
# `QLinearConv` and `QGemm` in their place. Such a small file is mostly names and marks, so INT8 does not quarter it.
# %% role="given" id="hidden-int8"
with torch.inference_mode():
    flat_train = net.features(torch.from_numpy(digits[:1400])).flatten(1).numpy()
    flat_test = net.features(torch.from_numpy(test_x)).flatten(1).numpy()
hidden_weight = net.hidden.weight.detach().numpy().T.copy()  # (128, 32)
layer_float = to_bytes(
    [helper.make_node("MatMul", ["x", "w"], ["y"])],
    [("x", 1, ["batch", 128])], [("y", 1, ["batch", 32])], {"w": hidden_weight},
)  # fmt: skip
layer_int8 = static_int8(layer_float, "x", flat_train[:256])


def constants_of(model_bytes):
    graph = onnx.load_from_string(model_bytes).graph
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    return graph, arrays


layer_graph, layer_numbers = constants_of(layer_int8)
quantizers = [node for node in layer_graph.node if node.op_type == "QuantizeLinear"]
(x_scale, x_zero), (y_scale, y_zero) = (
    (layer_numbers[q.input[1]].item(), layer_numbers[q.input[2]].item()) for q in quantizers
)
codes_name = next(name for name, array in layer_numbers.items() if array.ndim == 2)
weight_node = next(n for n in layer_graph.node if n.input[0] == codes_name)
weight_codes, weight_scales = (layer_numbers[name] for name in weight_node.input[:2])
x_codes = np.clip(np.rint(flat_test / np.float32(x_scale)) + x_zero, 0, 255).astype(np.uint8)
my_codes = qlinear_matmul(x_codes, x_scale, x_zero, weight_codes, weight_scales, y_scale, y_zero)
runtime_codes = np.rint(run(layer_int8, flat_test) / np.float32(y_scale)) + y_zero
code_gap = np.abs(runtime_codes - my_codes)
print("really run:", " ".join(optimized_ops(layer_int8, LEVEL.ORT_ENABLE_EXTENDED)))
print(
    f"{code_gap.size:,} codes, {int((code_gap > 0).sum())} differ, largest difference {code_gap.max():.0f} codes"
)
fits = code_gap.max() <= 1  # the bound: one code, where a result lies beside a half
print(
    "within the bound of one code" if fits else "beyond the bound: this processor clamps, read on"
)
# %% [markdown]
# **What you should see.** No difference, or a handful of single codes: the bound is one code, and you can say why. On some processors a code may be
# further off. That is no rounding; the next exercise explains it.
# %% [markdown] items="1.4.K5"
# ## The same file, another processor, another answer
#
# Processors with AVX2 but no VNNI multiply UINT8 by INT8 with an instruction (`vpmaddubsw`) that adds **two neighbouring products into int16**, and clamps:
#
# $$\max(-32768, \min(32767,\ x_{2k} w_{2k} + x_{2k+1} w_{2k+1})).$$
#
# One product fits, $255 \cdot 127 = 32385$; two need not. Newer processors add four into int32. The file is the same; the sums are not.


# %% [markdown] items="1.4.K5"
# ### Exercise: compute what the old instruction computes
#
# <details><summary>Hint 1</summary>Pad an odd k with a zero, then <code>products[:, 0::2] + products[:, 1::2]</code> along k.</details>
# <details><summary>Hint 2</summary>Clamp each pair, then add the pairs in int32.</details>
# %% role="exercise" id="saturating-pairs" items="1.4.K5" minutes=10
def pair_saturated_matmul(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """x @ w where products 2i and 2i + 1 of each sum are added, clamped to int16, then summed.

    Args:
        x: (b, k) uint8. w: (k, m) int8. A last product without a neighbour stands alone.

    Returns:
        (b, m) int32.

    Raises:
        ValueError: other dtypes, not two axes each, or inner sizes that differ.

    >>> x = np.array([[255, 255, 255, 255]], np.uint8)
    >>> pair_saturated_matmul(x, np.array([[127], [127], [1], [-1]], np.int8)).tolist()
    [[32767]]
    """
    ### BEGIN SOLUTION
    if x.dtype != np.uint8 or w.dtype != np.int8 or x.ndim != 2 or w.ndim != 2:
        raise ValueError(f"x is {x.dtype} {x.shape}, w is {w.dtype} {w.shape}.")
    if x.shape[1] != w.shape[0]:
        raise ValueError(f"{x.shape} times {w.shape}: the inner sizes differ.")
    odd = x.shape[1] % 2
    x = np.pad(x.astype(np.int32), ((0, 0), (0, odd)))
    w = np.pad(w.astype(np.int32), ((0, odd), (0, 0)))
    pairs = x[:, 0::2, None] * w[None, 0::2] + x[:, 1::2, None] * w[None, 1::2]
    return np.clip(pairs, -32768, 32767).sum(axis=1).astype(np.int32)
    ### END SOLUTION


# %% role="check" id="saturating-pairs" points=3
check("saturating-pairs", pair_saturated_matmul)
# %% role="given" id="this-machine"
loud = to_bytes(
    [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
    [("x", TensorProto.UINT8, ["b", 64])], [("y", TensorProto.INT32, ["b", 8])],
    {"w": np.full((64, 8), 127, np.int8)},
)  # fmt: skip
here = int(run(loud, np.full((4, 64), 255, np.uint8))[0, 0])
print(
    f"64 products of 255 and 127: exact {64 * 255 * 127:,}, clamped {32 * 32767:,}, this machine {here:,}"
)
column_sums = weight_codes.sum(0, dtype=np.int32)
clamped_sums = pair_saturated_matmul(x_codes, weight_codes) - x_zero * column_sums
to_steps = weight_scales.astype(np.float64) * x_scale / y_scale
clamped_codes = np.clip(np.rint(clamped_sums * to_steps) + y_zero, 0, 255)
for label, codes in (("exact sums", my_codes), ("clamped pairs", clamped_codes)):
    equal = (np.abs(runtime_codes - codes) <= 1).mean()
    print(f"hidden layer, {label}: {equal:.2%} of the runtime's codes explained within one")
# %% [markdown] items="1.4.K5"
# **Predict.** Busy activations (codes even over 0 to 255) meet normally distributed weights in INT8. By which factor is the error of the sums larger with clamped pairs than
# with exact ones?
# %% role="predict" id="predict-saturation"
my_saturation_factor = ...
# %% role="given" id="saturation"
noise = np.random.default_rng(0)
busy = noise.uniform(0, 1, (64, 256)).astype(np.float32)  # activations in [0, 1]
dense = noise.normal(0, 1, (256, 64)).astype(np.float32)


def sum_errors(weight_bits, brightest=1.0):
    """Relative errors of exact and of clamped sums against float; activations up to `brightest`."""
    top = 2 ** (weight_bits - 1) - 1
    scales = np.abs(dense).max(0) / top
    codes = np.rint(dense / scales).astype(np.int8)
    seen = np.rint(busy * brightest * 255).astype(np.uint8)
    right = (busy * brightest) @ dense
    results = {}
    for name, product in (
        ("exact sums", lambda a, b: a.astype(np.int32) @ b.astype(np.int32)),
        ("clamped pairs", pair_saturated_matmul),
    ):
        made = product(seen, codes) * (scales / 255)
        results[name] = float(np.linalg.norm(made - right) / np.linalg.norm(right))
    return results


eight, seven = sum_errors(8), sum_errors(7)
print(
    "8 bits, exact sums",
    f"{eight['exact sums']:.4f}",
    "  clamped pairs",
    f"{eight['clamped pairs']:.4f}",
)
print(
    "7 bits, exact sums",
    f"{seven['exact sums']:.4f}",
    "  clamped pairs",
    f"{seven['clamped pairs']:.4f}",
)
saturation_factor = eight["clamped pairs"] / eight["exact sums"]
reveal(my_saturation_factor, saturation_factor, tolerance=0.5)


# %% [markdown]
# **What you should see.** With 8-bit weights clamping makes the error about three times as large (the digits' hidden layer, with its many zeros, hardly clamps); with **7 bits** ($255 \cdot 64 \cdot 2 = 32640$) no pair can reach the limit, and the
# error is only that of the coarser grid. That is `reduce_range=True`: one bit given away against a machine that you do not know. UINT8 weights are the other way out.
# %%
def draw_saturation(weight_bits=8, brightest=1.0):
    found = sum_errors(weight_bits, brightest)
    fig = bars(
        {name: 100 * error for name, error in found.items()}, unit="%",
        title=f"{weight_bits}-bit weights, activations up to {brightest:.2f}",
    )  # fmt: skip
    listed = ", ".join(f"{name} {error:.2%}" for name, error in found.items())
    return fig, f"Relative error of the sums with {weight_bits}-bit weights: {listed}."


explore(draw_saturation, weight_bits=(4, 8, 1), brightest=(0.1, 1.0, 0.1))
# %% [markdown] items="1.4.C8"
# ## Where a pixel lies: NCHW, NHWC, blocks
#
# A tensor is one row of memory; the layout says which index runs fastest:
#
# - **NCHW**: $((n\,C + c)\,H + h)\,W + w$. Planes lie together.
# - **NHWC**, channels-last: $((n\,H + h)\,W + w)\,C + c$.
# - **NCHW8c**: channels in $B = \lceil C/8 \rceil$ blocks: $(((n\,B + \lfloor c/8 \rfloor)\,H + h)\,W + w)\,8 + c \bmod 8$.
#
# A convolution sums over channels, so vector units like them adjacent.


# %% [markdown] items="1.4.C8"
# ### Exercise: the offset of an element
#
# <details><summary>Hint</summary>Start with the slowest index; times the next size, plus the next index.</details>
# %% role="exercise" id="layout-offset" items="1.4.C8" minutes=8
def element_offset(
    index: tuple[int, int, int, int], shape: tuple[int, int, int, int], layout: str
) -> int:
    """The place of an element in memory, counted in elements from the tensor's start.

    Args:
        index: (n, c, h, w), each from 0 to size - 1.
        shape: (N, C, H, W), in this order for every layout.
        layout: "NCHW", "NHWC" or "NCHW8c" (the last block is filled up to eight channels).

    Returns:
        an int.

    Raises:
        ValueError: another layout, an index outside the shape (negative ones too), not four numbers each.

    >>> [element_offset((0, 1, 0, 2), (1, 3, 4, 5), layout) for layout in ("NCHW", "NHWC", "NCHW8c")]
    [22, 7, 17]
    """
    ### BEGIN SOLUTION
    if len(index) != 4 or len(shape) != 4:
        raise ValueError(f"index {index} and shape {shape} must hold four numbers each.")
    if not all(0 <= i < size for i, size in zip(index, shape, strict=True)):
        raise ValueError(f"index {index} lies outside {shape}.")
    (n, c, h, w), (_, channels, height, width) = index, shape
    if layout == "NCHW":
        return ((n * channels + c) * height + h) * width + w
    if layout == "NHWC":
        return ((n * height + h) * width + w) * channels + c
    if layout == "NCHW8c":
        blocks = -(-channels // 8)
        return (((n * blocks + c // 8) * height + h) * width + w) * 8 + c % 8
    raise ValueError(f"layout {layout!r}: choose NCHW, NHWC or NCHW8c.")
    ### END SOLUTION


# %% role="check" id="layout-offset" points=3
check("layout-offset", element_offset)
# %% [markdown] items="1.4.C8"
# ## Layouts, measured
#
# PyTorch changes the layout, not the shape: `to(memory_format=torch.channels_last)` moves the strides. Model **and** input must agree, or someone
# converts on the way. In ONNX a `Conv` is NCHW by definition: a channels-last program brings `Transpose` nodes, and the runtime's optimizer moves and cancels them.
# %% role="given" id="layouts"
image = torch.randn(1, 64, 56, 56, generator=torch.Generator().manual_seed(0)).to(profile.device)
conv = nn.Conv2d(64, 64, 3, padding=1).eval().to(profile.device)
last = image.to(memory_format=torch.channels_last)
print("strides NCHW", image.stride(), "  channels-last", last.stride())
conv_last = (
    nn.Conv2d(64, 64, 3, padding=1).eval().to(profile.device, memory_format=torch.channels_last)
)
layout_ms = {}
with torch.inference_mode():
    for name, call in (
        ("NCHW", lambda: conv(image)),
        ("NHWC", lambda: conv_last(last)),
        ("NCHW, copied to NHWC and back", lambda: conv_last(
            image.to(memory_format=torch.channels_last)).contiguous()),
    ):  # fmt: skip
        took = measure(call, warmup=3, repeats=15)
        layout_ms[name] = took.median_ms
        print(f"{name:30s} {took}")


class ChannelsLast(nn.Module):
    """A program that keeps (batch, height, width, channels) and converts around each convolution."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x):
        x = torch.tanh(self.first(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return self.second(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


pictures = trace(ChannelsLast().eval(), torch.randn(1, 8, 8, 3))
transposes = {
    label: optimized_ops(pictures, level).count("Transpose") for label, level in LEVELS.items()
}
print("Transpose nodes:", transposes)
# %% [markdown] items="1.4.C8"
# **What you should see.** Usually NHWC is the faster convolution, by 5 to 40 % here; copying to it and back costs the gain or more. Of four transposes the
# runtime keeps two, or one and a reordering of blocks. The layout pays when **neighbours** agree on it.
# %% [markdown] items="1.4.K5 1.4.C6"
# ## In your own words
#
# A colleague sends `model.onnx` and `model_int8.onnx` and writes: "Exported without errors, the checker is happy, batch 1 gives the same label as PyTorch, INT8 is
# fine on my machine." You must put both into production on machines that you have not seen, with batches of 1 to 64.
#
# In 120 to 200 words: which tests must these files still pass, in which order, with which bounds? Use three observations of this notebook.
# %% [markdown] role="written" id="onnx-proof" items="1.4.K5 1.4.C6" points=3
# **Model answer.** First read the files: declared inputs (`graph_inputs`), opset, operators including those inside `If` and `Loop`. "No errors" proves little: here
# the tracer dropped a branch, the new exporter froze a batch although asked for a free one, and opset 99 gave a file that the checker refused.
#
# Then compare with PyTorch on logits, not labels: batch 1, 2, 5 and 64, random and real inputs, and for each data-dependent branch or loop an input on every side.
# Bound: float32 rounding, about 1e-5 of the largest logit; more means another graph.
#
# For INT8: accuracy on held-out data beside the float file, and the error of the logits (a per cent or two here). Codes against integer arithmetic on one layer: at
# most one code apart. Then the processor: on AVX2 without VNNI pairs of products clamp at int16, which multiplied our error; so test on such a machine, or export with
# `reduce_range=True` or UINT8 weights.
#
# Last: bad inputs (shape, dtype, missing name) must give a sentence, not a crash; measure time with the layout and optimization level of production.
#
# **Rubric.** 1 point: free sizes and branches are tested with inputs that differ from the example. 1 point: numbers with bounds and a reason (logits to rounding, codes to one).
# 1 point: the processor's clamping or the optimization level as a property of the machine, and three observations used rightly. Half a point off for "the checker is enough".
# %% [markdown]
# ## Recap
#
# - Export is a claim; the proof is a comparison at other sizes, on other branches, on other machines.
# - Frozen sizes hide in declared shapes and in the targets of `Reshape`.
# - The tracer drops branches and unrolls loops; the new exporter refuses; `torch.cond` keeps, `torch.where` selects, a closed form needs neither.
# - The opset stamp is a promise; let the checker read it.
# - Fusion is algebra with a condition: nobody else may read what disappears.
# - QDQ marks a float graph; integer kernels give your codes, within one, unless int16 pairs clamp.
# - NCHW, NHWC, blocks: one tensor, three addresses.
#
# **Three questions**
#
# <details><summary>1. A Reshape has target [0, -1] and allowzero=1. What happens?</summary>0 means a size of zero, and with -1 beside it the shape cannot be
# inferred: an error. Without allowzero, axis 0 is copied.</details>
# <details><summary>2. Why may a Conv that two nodes read not swallow the norm behind it?</summary>The other reader would get normalized numbers.</details>
# <details><summary>3. Activations in 7 bits, weights in 8: can a pair still clamp?</summary>127 times 128 times 2 is 32,512: no.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - ONNX, *Operators* reference: `Reshape` (0, -1, allowzero), `If`, `QuantizeLinear`, `DequantizeLinear` (axis), with their versions by opset.
# - PyTorch documentation, *torch.onnx*: dynamo against TorchScript exporter, `dynamic_shapes`; and *torch.cond*.
# - ONNX Runtime documentation, *Quantize ONNX models*: QDQ against QOperator, calibration, and when `reduce_range` is needed.
# - ONNX Runtime documentation, *Graph optimizations*: the levels, and why a file saved at the last one is bound to the hardware.
# - Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR 2018, section 2: the formula of `QLinearMatMul`,
#   and folding of batch norms in section 3.2.
# - PyTorch tutorials, *Channels Last Memory Format in PyTorch*: strides, and which operators keep the layout.
#
# **Next:** TensorRT takes such an ONNX file and builds an engine for one GPU.
# %%
# Your result.
print(
    f"bright batch: PyTorch {guard_shares['bright'][0]:.1%}, traced file {guard_shares['bright'][1]:.1%}"
)
print(f"nodes as exported {len(fused_ops['as exported'])}, really run {len(fused_ops['EXTENDED'])}")
print(f"codes that differ from the runtime's: {int((code_gap > 0).sum())} of {code_gap.size:,}")
print(
    f"clamped pairs multiply the error by {saturation_factor:.1f}; with 7 bits {seven['clamped pairs']:.4f}"
)
print(f"NHWC / NCHW time: {layout_ms['NHWC'] / layout_ms['NCHW']:.2f}")
