# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Read a quantization-aware training run in TensorBoard
#
# **You end with:** a logger for quantization-aware training whose files survive a crash, a reader of those files, and a rule that names the layer, the step and the
# kind of a collapse, tried on four runs that were trained wrong on purpose.
#
# About 115 minutes. 45 points: 42 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network.
# You need fake quantization, the straight-through gradient (STE) and learned scales (1.2, lesson 1).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import math
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from torch.utils.tensorboard import SummaryWriter

from autograder import check
from lab.data import load_mnist
from lab.event_runs import CorruptRecord, event_files, frame, read_run
from lab.plots import bars, curves, explore, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile

profile = use_profile(PROFILE)
profile


# %% role="given" id="network"
# Layers this small are fastest on one thread.
torch.set_num_threads(1)
WIDTHS = (784, 64, 64, 64, 10)


class LearnedStep(torch.autograd.Function):
    """Fake quantization with codes low .. high: STE for x, LSQ's gradient for the scale (lesson 1.2.1)."""

    @staticmethod
    def forward(ctx, x, scale, low, high):
        codes = torch.round(x / scale)
        ctx.save_for_backward(x / scale, codes, (codes >= low) & (codes <= high))
        ctx.low, ctx.high = low, high
        return codes.clamp(low, high) * scale

    @staticmethod
    def backward(ctx, grad):
        v, codes, inside = ctx.saved_tensors
        slope = torch.where(inside, codes - v, codes.clamp(ctx.low, ctx.high))
        return grad * inside, (grad * slope).sum() / math.sqrt(v.numel() * ctx.high), None, None


def rounded_weight(weight, scale, bits, broken=False):
    """The fake-quantized weight; `broken`: torch.round's own gradient, which is 0."""
    qmax = 2 ** (bits - 1) - 1
    if broken:
        return torch.round(weight / scale).clamp(-qmax, qmax) * scale
    return LearnedStep.apply(weight, scale, -qmax, qmax)


class Network:
    """Four layers; weights with learned scales, inputs with a range from an observer. bits None: floats."""

    def __init__(self, bits):
        self.bits, self.ranges = bits, [None] * (len(WIDTHS) - 1)
        self.weights = [
            torch.randn(o, i) * math.sqrt(2 / i) for i, o in zip(WIDTHS, WIDTHS[1:], strict=False)
        ]
        self.biases = [torch.zeros(o) for o in WIDTHS[1:]]
        start = math.sqrt(2 ** ((bits or 8) - 1) - 1)
        self.scales = [2 * w.abs().mean() / start for w in self.weights]
        for group in self.parameters():
            group[:] = [t.to(profile.device).requires_grad_() for t in group]

    def parameters(self):
        """Three lists, one entry for each layer."""
        return self.weights, self.biases, self.scales

    def forward(self, x, watch=None, broken=()):
        """Logits. watch(k, x) is told of each layer's input before its range is used."""
        for k, (weight, bias, scale) in enumerate(zip(*self.parameters(), strict=True)):
            x = torch.relu(x) if k else x
            if watch:
                watch(k, x.detach())
            if self.bits:
                top = 2**self.bits - 1
                step = torch.tensor(self.ranges[k] / top, device=x.device)
                x = LearnedStep.apply(x, step, 0, top)
                weight = rounded_weight(weight, scale, self.bits, k in broken)
            x = x @ weight.T + bias
        return x


def train(bits=3, fault=None, log=None, steps=400, every=10):
    """Train with AdamW; log(step, loss, layers) every `every` steps, before the update.

    fault: "decay": from step 103 on, AdamW's weight decay also on layer3's scale. "frozen": layer3's observer
    saw one batch, of images ten times too dark. "outlier": min-max observers, and in step 153 one image that
    was not divided by 255. "round": from step 203 on, layer2's weight is rounded without the STE.
    """
    seed_everything(0)
    net, newest = Network(bits), [0.0] * 4
    groups = [{"params": net.weights + net.biases}]
    groups += [{"params": [s]} for s in net.scales]
    optimizer = torch.optim.AdamW(groups, lr=2e-3, weight_decay=0.0)
    order = torch.Generator().manual_seed(0)

    def watch(k, x):
        newest[k] = high = float(x.max())
        old = net.ranges[k]
        if old is None:
            net.ranges[k] = max(high * (0.1 if (fault, k) == ("frozen", 2) else 1.0), 1e-6)
        elif fault == "outlier":
            net.ranges[k] = max(old, high)  # min-max: never forgets
        elif (fault, k) != ("frozen", 2):
            net.ranges[k] = max(old + 0.1 * (high - old), 1e-6)  # moving average

    for step in range(steps):
        rows = torch.randint(len(train_x), (64,), generator=order).to(train_x.device)
        x = train_x[rows]
        if fault == "outlier" and step == 153:
            x[0] *= 255
        if fault == "decay" and step == 103:
            optimizer.param_groups[3]["weight_decay"] = 60.0
        broken = {1} if fault == "round" and step >= 203 else ()
        loss = F.cross_entropy(net.forward(x, watch, broken), train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        if log and step % every == 0:
            log(step, float(loss.detach()), snapshot(net, newest))
        optimizer.step()
    with torch.no_grad():
        right = (net.forward(test_x).argmax(1) == test_y).double().mean()
    return float(right * 100)


def snapshot(net, newest):
    """What a logger is told of each layer: copies, as NumPy arrays and floats."""
    return {
        f"layer{k + 1}": {
            "weight": weight.detach().cpu().numpy().copy(),
            "gradient": weight.grad.cpu().numpy().copy(),
            "scale": float(net.scales[k].detach()),
            "input_range": (0.0, net.ranges[k]),
            "batch_range": (0.0, newest[k]),
        }
        for k, weight in enumerate(net.weights)
    }


# %% role="given" id="data"
digits = load_mnist()
train_x, test_x = (
    torch.from_numpy(images.reshape(-1, 784)).to(profile.device, torch.float32) / 255
    for images in (digits.train_images, digits.test_images)
)
train_y, test_y = (
    torch.from_numpy(labels.astype(np.int64)).to(profile.device)
    for labels in (digits.train_labels, digits.test_labels)
)
digits
# %% [markdown]
# ## A loss curve that tells nothing
#
# Two runs of 400 steps, weights of 3 bits (codes -3 to 3, learned scales), inputs of 3 bits. One is healthy. In the other, a restart at step 103 forgot that weight decay
# must leave the *scale* of layer 3 alone, and decay pulls it towards zero. The next cell trains both and draws both losses.
#
# **Predict.** In the sick run, which per cent of layer 3's weights is clipped at the last logged step: $|\mathrm{round}(w/s)| > 3$?
# %% role="predict" id="predict-clipped"
my_clipped_percent = ...
# %% role="given" id="opening"


def opening_run(fault):
    """(losses by step, clipped percentage of layer 3 at the last logged step, test accuracy in percent)."""
    losses, last = [], {}

    def keep(step, loss, layers):
        losses.append(loss)
        last.update(layers["layer3"])

    accuracy = train(fault=fault, log=keep)
    outside = np.abs(np.round(last["weight"].astype(np.float64) / last["scale"])) > 3
    return losses, 100 * outside.mean(), accuracy


opening = {name: opening_run(fault) for name, fault in (("healthy", None), ("sick", "decay"))}
show(
    curves(
        range(0, 400, 10),
        {name: losses for name, (losses, *_) in opening.items()},
        xlabel="step",
        ylabel="training loss",
        title="Both learn",
    ),
    "Training loss of the healthy and the sick run over 400 steps: both fall from 2.3 to well below 0.5, and cross often.",
)
for name, (losses, clipped, accuracy) in opening.items():
    print(
        f"{name:8} last loss {losses[-1]:.2f}, test accuracy {accuracy:.1f} %, clipped in layer 3: {clipped:.0f} %"
    )
reveal(my_clipped_percent, opening["sick"][1], unit="%")


# %% [markdown] items="1.6.C4"
# **What happened.** The losses look alike, and so do the accuracies (from one seed to the next they move by one or two points). Yet in one layer most weights are clipped: they get no gradient, and of seven codes little more than two are
# left. Here the other layers make up for it; a harder task has no such reserve. You need to see **inside the layers, over time**. That is what TensorBoard's histograms are for.
# %% [markdown] items="1.6.C4"
# ## Scalars, histograms, distributions
#
# A run is a folder with event files. A **scalar** is one number for a tag and a step. A **histogram** is counts in buckets, for a tag and a step; the page
# *Histograms* draws one slice a step, the page *Distributions* the same data as percentiles over steps.
#
# Tags are paths: `layer3/scale` puts all of layer 3 under one heading. One folder is one run; the folder above it is given to `tensorboard --logdir`.
# %% [markdown] items="1.6.C4"
# ## What an event file is
#
# A chain of records, little-endian:
#
# | bytes | what |
# |---|---|
# | 8 | length $n$ of the data, uint64 |
# | 4 | masked CRC-32C of those 8 bytes |
# | $n$ | the data: an `Event` message |
# | 4 | masked CRC-32C of the data |
#
# A writer only appends. While training runs, or after a crash, the last record may be cut **anywhere**: normal. A wrong sum is not.
# %% [markdown] items="1.6.C4"
# ### Exercise: read the records
#
# `masked_crc32c(data)` gives the masked sum as an int. The length's sum is checked as soon as the 12 bytes of the header are there: before anybody believes the length.
#
# <details><summary>Hint 1</summary><code>struct.unpack_from("&lt;QI", data, at)</code> reads a length and its sum; <code>data[at:at + 8]</code> are the bytes it is the sum of.</details>
# <details><summary>Hint 2</summary>Two ways to end early: fewer than 12 bytes left, or fewer than 12 + n + 4. Both return.</details>
# %% role="exercise" id="event-records" items="1.6.C4" minutes=12
def read_records(data: bytes) -> tuple[list[bytes], int]:
    """The whole records of an event file.

    Args:
        data: the file's bytes, perhaps none. The last record may be cut anywhere.

    Returns:
        the data of each whole record, a list of bytes, without lengths and sums; and the number of bytes that they took with lengths and
        sums: where the next record begins, an int. A cut record is no error and not returned.

    Raises:
        CorruptRecord(offset): a sum does not fit: the length's, checked once 12 bytes of the record are there, even if the rest is cut; or the
            data's, checked once the record is whole. offset: the byte of the file where the first such record begins.

    >>> read_records(frame(b"one") + frame(b"two") + frame(b"three")[:15])
    ([b'one', b'two'], 38)
    """
    ### BEGIN SOLUTION
    records, at = [], 0
    while len(data) - at >= 12:
        length, head_sum = struct.unpack_from("<QI", data, at)
        if masked_crc32c(data[at : at + 8]) != head_sum:
            raise CorruptRecord(at)
        end = at + 12 + length
        if end + 4 > len(data):
            break
        payload = data[at + 12 : end]
        if masked_crc32c(payload) != struct.unpack_from("<I", data, end)[0]:
            raise CorruptRecord(at)
        records.append(payload)
        at = end + 4
    return records, at
    ### END SOLUTION


# %% role="check" id="event-records" points=6
check("event-records", read_records)
# %% role="given" id="look-inside"


def first_events():
    """Write two scalars as a training program does, and look at the file's messages."""
    from tensorboard.compat.proto.event_pb2 import Event

    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as two:
            two.add_scalar("loss/train", 2.3, 0)
            two.add_scalar("loss/train", 1.9, 10)
        data = event_files(folder)[0].read_bytes()
    payloads, end = read_records(data)
    print(f"{len(payloads)} records in {end} of {len(data)} bytes")
    for payload in payloads:
        event = Event.FromString(payload)
        said = [(v.tag, round(v.simple_value, 3)) for v in event.summary.value]
        print(f"  {len(payload):3} bytes, step {event.step}: {said or event.file_version}")
    payloads, end = read_records(data + frame(b"cut by a crash")[:20])
    print(f"with a cut record behind them: {len(payloads)} records, and the next begins at {end}")


first_events()


# %% [markdown] items="1.6.C4"
# ## Buckets: what is kept, and what is lost
#
# `add_histogram(tag, values, step)` counts into fixed buckets whose edges grow by 10 % each, from $10^{-12}$ to $10^{20}$ on both sides of zero.
# Beside the counts, `HistogramProto` keeps min, max, num, sum and sum of squares.
#
# `bucket_limit[i]` is the **right** edge of bucket $i$. A NaN is in `num` and in no bucket. And the page draws 30 bars of *equal* width, sharing out each bucket evenly.
# %% [markdown] items="1.6.C4"
# ## One bucket for each code
#
# For a quantized weight the question is *how often is each code used?* Default buckets hold no answer of that kind: two codes may share a bar, and a bar may be the smear of one.
# So choose the edges: halfway between the codes, $(k + \tfrac12)\,s$. `add_histogram_raw` takes buckets that you counted.
# %% [markdown] items="1.6.C4 1.6.K3"
# ### Exercise: count into code buckets
#
# Codes as everywhere in module 1.2: $q_{max} = 2^{b-1} - 1$, $\mathrm{code} = \mathrm{clip}(\mathrm{round}(x / s), -q_{max}, q_{max})$, ties to even.
#
# <details><summary>Hint 1</summary>Count the codes, not the values: a tie belongs where rounding puts it, and a clipped value into an end bucket.</details>
# <details><summary>Hint 2</summary><code>np.bincount(codes + qmax, minlength=2 * qmax + 1)</code>.</details>
# %% role="exercise" id="code-buckets" items="1.6.C4 1.6.K3" minutes=10
def code_buckets(x: np.ndarray, scale: float, bits: int) -> dict:
    """What SummaryWriter.add_histogram_raw wants for a quantized tensor: one bucket for each code.

    Args:
        x: float32 or float64, any shape; not changed. Divided by the scale in float64.
        scale: above 0. bits: 2 to 8.

    Returns:
        a dict of
        min, max, sum, sum_squares: of the fake-quantized values code * scale, float64 arithmetic, floats.
        num: how many values, an int.
        bucket_limits: (k + 0.5) * scale for k = -qmax .. qmax, a float64 array (2 * qmax + 1,).
        bucket_counts: how many values have code k, an array (2 * qmax + 1,) of whole numbers (an integer or a float dtype). Also empty buckets.

    Raises:
        ValueError: x empty or with a NaN or an infinity; scale not a finite number above 0; bits outside 2 to 8.

    >>> found = code_buckets(np.float32([0.5, -0.25, 9.0, 0.1]), 0.5, 2)
    >>> found["bucket_limits"].tolist(), found["bucket_counts"].tolist(), found["max"], found["sum"]
    ([-0.25, 0.25, 0.75], [0, 2, 2], 0.5, 1.0)
    """
    ### BEGIN SOLUTION
    x = np.asarray(x, np.float64).ravel()
    if not x.size or not np.isfinite(x).all():
        raise ValueError("give one value or more, all finite")
    if not 0 < scale < math.inf or not 2 <= bits <= 8:
        raise ValueError("scale is above 0, bits are 2 to 8")
    qmax = 2 ** (bits - 1) - 1
    codes = np.clip(np.round(x / scale), -qmax, qmax)
    values = codes * scale
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "num": x.size,
        "sum": float(values.sum()),
        "sum_squares": float((values**2).sum()),
        "bucket_limits": (np.arange(-qmax, qmax + 1) + 0.5) * scale,
        "bucket_counts": np.bincount(codes.astype(np.int64) + qmax, minlength=2 * qmax + 1),
    }
    ### END SOLUTION


# %% role="check" id="code-buckets" points=6
check("code-buckets", code_buckets)


# %% [markdown] items="1.6.C4"
# ## A logger that a crash cannot empty
#
# `SummaryWriter` queues events and writes them on a thread, at the latest after 120 s. A process that is killed loses them, and these are the steps you want to see. `flush()` after
# each logged step costs little; `close()` at the end, also when training raises.
#
# A second run in the same folder mixes with the first one: zigzag curves. And a step that goes back does so too.
# %% [markdown] items="1.6.C4 1.6.K3"
# ### Exercise: log a QAT run
#
# `SummaryWriter` from the setup. Scalars are stored as float32.
#
# <details><summary>Hint 1</summary>Check the folder *before* you make the SummaryWriter: it opens its file at once. <code>event_files(folder)</code> lists the event files there.</details>
# <details><summary>Hint 2</summary><code>writer.add_histogram_raw(tag, global_step=step, **code_buckets(...))</code>.</details>
# <details><summary>Hint 3</summary><code>__exit__</code> closes and returns None, so that an exception goes on. SummaryWriter.close may be called twice.</details>
# %% role="exercise" id="run-log" items="1.6.C4 1.6.K3" minutes=15
class RunLog:
    """Scalars and histograms of a QAT run, for `with RunLog(folder, bits) as log:`.

    >>> folder = tempfile.mkdtemp()
    >>> layer = {"weight": np.float32([[0.5, 4.0]]), "gradient": np.float32([[3.0, 4.0]]), "scale": 0.5,
    ...     "input_range": (0.0, 1.0), "batch_range": (0.0, 1.5)}
    >>> with RunLog(folder, bits=3) as log:
    ...     log(10, 0.25, {"mlp": layer})
    >>> read = read_run(folder)
    >>> read["scalars"]["mlp/clipped"], read["histograms"]["mlp/codes"][0]["counts"].tolist()
    ([(10, 0.5)], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    """

    def __init__(self, folder: str, bits: int, every: int = 1):
        """Open one event file in `folder`, which is made if it is not there (parents too).

        Raises ValueError, and makes no file and no folder, if `folder` holds an event file already or `every` is below 1.
        """
        ### BEGIN SOLUTION
        if every < 1 or event_files(folder):
            raise ValueError("every is 1 or more, and the folder holds no other run")
        self.bits, self.every, self.last = bits, every, None
        self.writer = SummaryWriter(str(folder))
        ### END SOLUTION

    def __call__(self, step: int, loss: float, layers: dict[str, dict]) -> None:
        """Log one step, if it is a multiple of `every`. All of it is in the file when this returns.

        layers: by name, each {"weight": w, "gradient": g (float32 arrays of one shape), "scale": s,
            "input_range": (low, high) of the quantizer of its input, "batch_range": (low, high) of the values}.

        Scalars: loss/train; for each layer NAME/scale; NAME/clipped, the share of the weights with
        |round(w / s)| > qmax (ties to even, float64); NAME/gradient_rms, the root of the mean of g**2 (float64);
        NAME/input_low, NAME/input_high, NAME/batch_low, NAME/batch_high.
        Histograms: NAME/weight, of w, in the default buckets; NAME/codes, of code_buckets(w, s, bits). No other tags, no other files.

        Raises ValueError, and writes nothing, if the step is not above that of every earlier call (logged or not, but not refused).
        """
        ### BEGIN SOLUTION
        if self.last is not None and step <= self.last:
            raise ValueError(f"step {step} comes after step {self.last}")
        self.last = step
        if step % self.every:
            return
        self.writer.add_scalar("loss/train", loss, step)
        for name, layer in layers.items():
            weight, scale = layer["weight"].astype(np.float64), layer["scale"]
            outside = np.abs(np.round(weight / scale)) > 2 ** (self.bits - 1) - 1
            numbers = {"scale": scale, "clipped": outside.mean()}
            numbers["gradient_rms"] = np.sqrt((layer["gradient"].astype(np.float64) ** 2).mean())
            numbers["input_low"], numbers["input_high"] = layer["input_range"]
            numbers["batch_low"], numbers["batch_high"] = layer["batch_range"]
            for quantity, value in numbers.items():
                self.writer.add_scalar(f"{name}/{quantity}", value, step)
            self.writer.add_histogram(f"{name}/weight", layer["weight"], step)
            buckets = code_buckets(weight, scale, self.bits)
            self.writer.add_histogram_raw(f"{name}/codes", global_step=step, **buckets)
        self.writer.flush()
        ### END SOLUTION

    def close(self) -> None:
        """Close the file; again is harmless."""
        ### BEGIN SOLUTION
        self.writer.close()
        ### END SOLUTION

    def __enter__(self):
        ### BEGIN SOLUTION
        return self
        ### END SOLUTION

    def __exit__(self, *error):
        """Close; an exception goes on."""
        ### BEGIN SOLUTION
        self.close()
        ### END SOLUTION


# %% role="check" id="run-log" points=7
check("run-log", RunLog)
# %% [markdown] items="1.6.K3"
# ## Five runs, for real
#
# A healthy one, and four with one mistake each; their names say nothing. Each writes its event file with your logger, and everything below reads the files alone. To look at them in the browser:
#
# `tensorboard --logdir FOLDER` with the folder that is printed, while this notebook is open. Pages: *Scalars*, *Histograms*, *Distributions*.
# %% role="given" id="five-runs"
PLANTED = {"healthy": None, "A": "decay", "B": "frozen", "C": "outlier", "D": "round"}


def record_runs(root):
    """Train and log all five, and one in floats; test accuracies by name."""
    accuracies = {}
    for name, fault in PLANTED.items():
        with RunLog(root / name, bits=3) as log:
            accuracies[name] = train(fault=fault, log=log)
    with SummaryWriter(str(root / "float")) as plain:
        accuracies["float"] = train(
            bits=None, log=lambda step, loss, _: plain.add_scalar("loss/train", loss, step)
        )
    return accuracies


runs_folder = Path(tempfile.mkdtemp(prefix="qat-runs-"))
accuracies = record_runs(runs_folder)
runs = {name: read_run(runs_folder / name) for name in accuracies}
print(f"tensorboard --logdir {runs_folder}")
for name, accuracy in accuracies.items():
    size = sum(path.stat().st_size for path in event_files(runs_folder / name))
    print(
        f"{name:8} test accuracy {accuracy:5.1f} %, {size / 1000:6.0f} kB, last loss {runs[name]['scalars']['loss/train'][-1][1]:.2f}"
    )
# %% role="given" id="slices"


def page_bars(event, bins=30):
    """Counts as the page draws them: `bins` equal bars from min to max, buckets shared out evenly."""
    low, high = event["min"], event["max"]
    edges = np.clip(np.r_[low, event["limits"]], low, high)
    # Buckets beside the values have no width left; their count is 0.
    below = np.interp(np.linspace(low, high, bins + 1), edges, np.r_[0, np.cumsum(event["counts"])])
    return np.diff(below)


def draw_slice(run="A", layer="layer3", buckets="one for each code", slice=39):
    """A histogram as it was logged, or as the page draws the default buckets."""
    if buckets == "one for each code":
        event = runs[run]["histograms"][f"{layer}/codes"][slice]
        shown = {f"{k:+d}": n for k, n in zip(range(-3, 4), event["counts"], strict=True)}
    else:
        event = runs[run]["histograms"][f"{layer}/weight"][slice]
        middles = np.linspace(event["min"], event["max"], 61)[1::2]
        shown = {
            f"{m:+.3f}": n
            for m, n in zip(middles[1::3], page_bars(event).reshape(10, 3).sum(1), strict=True)
        }
    title = f"Run {run}, {layer}, step {event['step']}: {buckets}"
    said = ", ".join(f"{name}: {count:.0f}" for name, count in shown.items())
    return bars(shown, unit="weights", title=title), f"{title}. {said}."


explore(
    draw_slice,
    run=["A", "healthy", "B", "C", "D"],
    layer=["layer3", "layer1", "layer2", "layer4"],
    buckets=["one for each code", "default, ten bars"],
    slice=(0, 39, 1),
)


# %% [markdown] items="1.6.K3"
# **What you should see.** Run A, layer 3: at first a bell over seven codes; slice by slice its flanks fill, until the codes -3 and 3 hold most weights. In the default buckets the same weights
# stay a bell from start to end. The *scale* moved. A histogram of the float weights does not show this collapse; one of the codes does.
# %% [markdown] items="1.6.C4"
# ## What a logged histogram still knows
#
# The values are gone, but each lies between the edges of its bucket. So a percentile is known to within one bucket: 10 % wide by default. That is enough to choose a clipping range from a log, without the model.
#
# TensorBoard counts percentiles in **basis points**: 10,000 are all values.
# %% [markdown] items="1.6.C4 1.6.K3"
# ### Exercise: a percentile, with its bounds
#
# <details><summary>Hint 1</summary><code>running = np.cumsum(counts)</code>; the bucket is the first with <code>running &gt;= rank</code>.</details>
# <details><summary>Hint 2</summary>Rank in whole numbers: <code>-(-basis_points * n // 10_000)</code>. As a float, 0.07 * 100 is more than 7.</details>
# %% role="exercise" id="bucket-percentile" items="1.6.C4 1.6.K3" minutes=10
def bucket_percentile(event: dict, basis_points: int) -> tuple[float, float, float]:
    """Where a percentile lies, as far as the buckets know.

    Args:
        event: a histogram as read_run gives it; not changed. Read are limits (right edges, ascending), counts (whole numbers as floats), min and max
            (of the counted values). Bucket i begins at limits[i - 1], bucket 0 at min; and no bucket goes beyond min or max.
            Any bucket may be empty. `num` may be larger than the sum of counts: NaNs are in no bucket.
        basis_points: 0 to 10,000, an int.

    Returns:
        (left, estimate, right), floats. With n the sum of counts, the percentile is the value of rank max(1, ceil(basis_points * n / 10,000)) in ascending
        order. left and right: the edges of the bucket that holds it, moved to min or max where they lie beyond.
        estimate: left + (right - left) * (rank - values before the bucket) / count of the bucket.

    Raises:
        ValueError: no value is counted, or basis_points outside 0 to 10,000.

    >>> event = {"limits": np.array([1.0, 2.0, 4.0]), "counts": np.array([0.0, 6.0, 4.0]), "min": 1.25, "max": 3.5}
    >>> bucket_percentile(event, 8000)
    (2.0, 2.75, 3.5)
    """
    ### BEGIN SOLUTION
    running = np.cumsum(event["counts"])
    total = int(running[-1]) if len(running) else 0
    if not total or not 0 <= basis_points <= 10_000:
        raise ValueError("count one value or more; basis points are 0 to 10,000")
    rank = max(1, -(-int(basis_points) * total // 10_000))
    i = int(np.argmax(running >= rank))
    left = event["min"] if i == 0 else max(event["min"], event["limits"][i - 1])
    right = min(event["max"], event["limits"][i])
    part = (rank - (running[i] - event["counts"][i])) / event["counts"][i]
    return float(left), float(left + (right - left) * part), float(right)
    ### END SOLUTION


# %% role="check" id="bucket-percentile" points=5
check("bucket-percentile", bucket_percentile)


# %% [markdown] items="1.6.K3"
# ## How many bits are used?
#
# A 3-bit layer has seven codes. If the range is far too wide, nearly all weights have code 0; far too narrow, nearly all are at the ends. Both waste bits. One number tells: the **entropy** of the codes,
# $-\sum_k p_k \log_2 p_k$, at most $\log_2 7 = 2.81$ bits. The share at the two ends tells which of the two it is.
# %% [markdown] items="1.6.K3"
# ### Exercise: code use over time
#
# A job that was restarted from a checkpoint repeats steps. What was logged last is what the model is.
#
# <details><summary>Hint 1</summary><code>{event["step"]: event for event in events}</code> keeps the last one of each step.</details>
# <details><summary>Hint 2</summary>Drop the zeros before the logarithm.</details>
# %% role="exercise" id="code-use" items="1.6.K3" minutes=9
def code_use(events: list[dict], bits: int) -> dict:
    """How the codes of a layer are used, step by step.

    Args:
        events: histograms as read_run gives them for a codes tag, in the order of the file; not changed. Read are
            step and counts, one for each code -qmax .. qmax. A step may come again: the last event counts.
        bits: 2 to 8.

    Returns:
        a dict of arrays of one length, ascending by step, without repeated steps:
        steps (integers); levels: how many codes have at least one value (integers);
        entropy_bits: of the shares of the codes, base 2 (floats), 0 for a single code; end_share: of the codes -qmax and qmax together (floats).
        No events: arrays of length 0.

    Raises:
        ValueError: an event that counts (the last of its step) has not 2 * qmax + 1 counts, or no value.

    >>> found = code_use([{"step": 0, "counts": np.array([2.0, 4.0, 2.0])}], bits=2)
    >>> {name: array.tolist() for name, array in found.items()}
    {'steps': [0], 'levels': [3], 'entropy_bits': [1.5], 'end_share': [0.5]}
    """
    ### BEGIN SOLUTION
    last = {event["step"]: np.asarray(event["counts"], np.float64) for event in events}
    steps = sorted(last)
    levels, entropy, ends = [], [], []
    for step in steps:
        counts = last[step]
        if len(counts) != 2**bits - 1 or not counts.sum() > 0:
            raise ValueError(f"step {step}: one count for each code is needed, and a value")
        p = counts / counts.sum()
        levels.append(int((p > 0).sum()))
        entropy.append(float(-(p[p > 0] * np.log2(p[p > 0])).sum()))
        ends.append(float(p[0] + p[-1]))
    return {
        "steps": np.array(steps, np.int64),
        "levels": np.array(levels, np.int64),
        "entropy_bits": np.array(entropy, np.float64),
        "end_share": np.array(ends, np.float64),
    }
    ### END SOLUTION


# %% role="check" id="code-use" points=5
check("code-use", code_use)
# %%
use_of = {run: code_use(runs[run]["histograms"]["layer3/codes"], 3) for run in PLANTED}
show(
    curves(
        use_of["healthy"]["steps"],
        {f"run {run}": use["end_share"] for run, use in use_of.items()},
        xlabel="step",
        ylabel="share at the two end codes",
        title="Layer 3",
    ),
    "Share of layer 3's weights at the two end codes over the steps: in run A it climbs above one half, in the others it stays below a third.",
)
for run, use in use_of.items():
    print(
        f"{run:8} layer3 at the last step: {use['levels'][-1]} codes, {use['entropy_bits'][-1]:.2f} bits, {use['end_share'][-1]:.0%} at the ends"
    )
# %% [markdown] items="1.6.K3"
# **What you should see.** Only run A stands out, most of all by its *ends*: four weights in five. B, C and D are as sick as A, in places that weight codes do not show: input ranges and gradients. One
# plot for one disease. So log all of them, and let code look.
# %% [markdown] items="1.6.K3"
# ## Four ways to collapse
#
# | kind | what happens | usual cause |
# |---|---|---|
# | `scale` | weight scale shrinks | weight decay on it |
# | `narrow` | input range far below the values | observer frozen early |
# | `wide` | input range far above them | outlier, min-max observer |
# | `gradient` | no gradient for the weight | STE missing, all clipped |
#
# Drift is harmless: scales adapt, ranges follow, all gradients fade together.
# %% [markdown] items="1.6.K3"
# ## A rule that tells drift from collapse
#
# Compare with what drift has in common: a scale with its own *start*, a range with the *batch* of the same step, a gradient with the *other layers* at that step. Then demand that it
# **lasts**: from some step to the end. One bad batch is no collapse.
#
# One fault brings others behind it, in other layers too. The **earliest** onset is nearest to the cause.
# %% [markdown] items="1.6.K3"
# ### Exercise: find the collapse
#
# <details><summary>Hint 1</summary>First a function <code>series(layer, quantity)</code>: the last value of each step, as an array in order of steps.</details>
# <details><summary>Hint 2</summary>For each layer and kind a bool array over the steps. Set its first five to False. The onset: one behind the last False.</details>
# <details><summary>Hint 3</summary>Collect <code>(onset, layer, place of the kind)</code> for all that last three steps or more; <code>min()</code> of these tuples is the answer.</details>
# %% role="exercise" id="find-collapse" items="1.6.K3" minutes=20
KINDS = ("scale", "narrow", "wide", "gradient")


def find_collapse(run: dict) -> dict | None:
    """The collapse with the earliest onset, by these rules.

    Args:
        run: as read_run gives it; not changed; read are the scalars LAYER/scale, LAYER/gradient_rms, LAYER/input_low, LAYER/input_high,
            LAYER/batch_low, LAYER/batch_high: lists of (step, value) in the order of the file. There are other tags, and LAYER itself may have slashes: the
            layers are those with a tag LAYER/scale, and each has all six. A step may come again: the last value counts, for each tag. All six tags of
            all layers have the same steps. All values are finite; scales are above 0.

    Returns:
        None if nothing has collapsed, else {"layer": name, "step": step of the onset, an int, "kind": one of KINDS}.

        A kind is *bad* at a step if
            scale: scale < b / 4, b the median of the layer's scales at the run's first five steps;
            narrow: 2 * (input_high - input_low) < batch_high - batch_low;
            wide: input_high - input_low > 4 * (batch_high - batch_low);
            gradient: gradient_rms < m / 100, m the median over all layers (this one too) at this step.
        The first five steps are never bad. A collapse is bad at the last step of the run and the ones before it without a gap, at least three
        steps; the first of them is its onset. Returned is the earliest onset; among equal ones the layer that comes first in
        alphabetical order (as sorted() does), then the kind that comes first in KINDS. Fewer than eight steps: None.

    >>> flat = {"scale": 0.1, "gradient_rms": 0.01, "input_low": 0, "input_high": 2, "batch_low": 0, "batch_high": 2}
    >>> run = {"scalars": {f"mlp/{k}": [(s, v) for s in range(9)] for k, v in flat.items()}, "histograms": {}}
    >>> run["scalars"]["mlp/batch_high"][6:] = [(6, 5.0), (7, 6.0), (8, 6.0)]
    >>> find_collapse(run)
    {'layer': 'mlp', 'step': 6, 'kind': 'narrow'}
    """
    ### BEGIN SOLUTION
    scalars = run["scalars"]
    layers = sorted(tag[: -len("/scale")] for tag in scalars if tag.endswith("/scale"))
    steps = sorted({step for layer in layers for step, _ in scalars[f"{layer}/scale"]})
    if len(steps) < 8:
        return None

    def series(layer, quantity):
        last = dict(scalars[f"{layer}/{quantity}"])
        return np.array([last[step] for step in steps], np.float64)

    common = np.median([series(layer, "gradient_rms") for layer in layers], axis=0)
    found = []
    for layer in layers:
        scale = series(layer, "scale")
        width = series(layer, "input_high") - series(layer, "input_low")
        batch = series(layer, "batch_high") - series(layer, "batch_low")
        bad = {
            "scale": scale < np.median(scale[:5]) / 4,
            "narrow": 2 * width < batch,
            "wide": width > 4 * batch,
            "gradient": series(layer, "gradient_rms") < common / 100,
        }
        for place, kind in enumerate(KINDS):
            good = np.flatnonzero(~bad[kind])
            onset = max(5, good[-1] + 1 if len(good) else 0)
            if onset <= len(steps) - 3:
                found.append((steps[onset], layer, place))
    if not found:
        return None
    step, layer, place = min(found)
    return {"layer": layer, "step": int(step), "kind": KINDS[place]}
    ### END SOLUTION


# %% role="check" id="find-collapse" points=8
check("find-collapse", find_collapse)
# %%
verdicts = {name: find_collapse(runs[name]) for name in PLANTED}
for name, verdict in verdicts.items():
    print(f"{name:8} {verdict}")


# %% [markdown] items="1.6.K3"
# **What you should see.** Healthy: None. The mistakes were: **A** weight decay on layer 3's scale from step 103, found when a quarter is left: a threshold dates a slide late.
# **B** layer 3's observer saw one batch, ten times too dark; the first five steps are not judged. **C** at step 153 one image was not divided by 255; min-max never forgets, and hits all layers at once. **D** from
# step 203 layer 2 was rounded without the STE.
# %% [markdown] items="1.6.K3"
# ## Against the float run, step by step
#
# The loss of one batch is noisy: hard batches, easy batches. But both runs drew the *same* batches (one seed for the order), so the **difference at each step** has lost most of that noise. A running median
# takes the rest. Only the steps that both have can be compared.
# %% [markdown] items="1.6.K3"
# ### Exercise: compare two runs
#
# <details><summary>Hint 1</summary><code>dict(events)</code> keeps the last value of a step; <code>sorted(a.keys() &amp; b.keys())</code> are the common steps.</details>
# <details><summary>Hint 2</summary>The median of <code>gaps[max(0, i - window + 1) : i + 1]</code>: only what was known at that step.</details>
# %% role="exercise" id="compare-runs" items="1.6.K3" minutes=9
def compare_runs(
    float_events: list[tuple[int, float]],
    qat_events: list[tuple[int, float]],
    limit: float,
    window: int = 5,
) -> dict:
    """Since when a QAT run is behind its float run.

    Args:
        float_events, qat_events: (step, loss) in the order of the file; not changed. A step may come again: the last counts. Finite losses.
        limit: a gap that is still accepted. window: steps in the running median, 1 or more.

    Returns:
        a dict of
        steps: the steps that both runs have, ascending, an array of integers.
        gaps: QAT loss minus float loss at these steps, a float array.
        smoothed: the median of the gaps at this step and the window - 1 common steps before it (fewer at the beginning), a float array.
        since: the first step from which on, to the end, every smoothed gap is above the limit; None if the last one is not. An int.

    Raises:
        ValueError: no common step, or window below 1.

    >>> found = compare_runs([(0, 2.0), (10, 1.0), (20, 0.5)], [(0, 2.0), (20, 1.0), (10, 1.5)], limit=0.25, window=1)
    >>> found["steps"].tolist(), found["gaps"].tolist(), found["since"]
    ([0, 10, 20], [0.0, 0.5, 0.5], 10)
    """
    ### BEGIN SOLUTION
    one, other = dict(float_events), dict(qat_events)
    steps = sorted(one.keys() & other.keys())
    if not steps or window < 1:
        raise ValueError("the runs need a common step, and window is 1 or more")
    gaps = np.array([other[s] - one[s] for s in steps], np.float64)
    smoothed = np.array([np.median(gaps[max(0, i - window + 1) : i + 1]) for i in range(len(gaps))])
    fine = np.flatnonzero(~(smoothed > limit))
    first = fine[-1] + 1 if len(fine) else 0
    since = int(steps[first]) if first < len(steps) else None
    return {"steps": np.array(steps, np.int64), "gaps": gaps, "smoothed": smoothed, "since": since}
    ### END SOLUTION


# %% role="check" id="compare-runs" points=5
check("compare-runs", compare_runs)
# %%
behind = {
    name: compare_runs(
        runs["float"]["scalars"]["loss/train"], runs[name]["scalars"]["loss/train"], 0.25
    )
    for name in PLANTED
}
for name, gap in behind.items():
    print(
        f"{name:8} median gap of the last ten logged steps {np.median(gap['gaps'][-10:]):+.3f}, behind by more than 0.25 since step {gap['since']}"
    )
# %% [markdown] items="1.6.K3"
# **What you should see.** The loss finds C, at step 180: two logged steps behind the first bad one, which is the price of a running median. It finds none of the others for sure: their gaps are not far from the healthy run's own, which is the price of 3 bits. A loss
# says *that* something is badly wrong; the layers say *where*, and also what is not yet visible.
# %% [markdown] items="1.6.C4"
# ## What it costs, at the scale of a language model
#
# The shipped model's linear layers, 3 bits, one snapshot: default histograms of all weights, code histograms, some scalars.
#
# **Predict.** The weights are float32, four bytes each. How large is one snapshot in the file, in kB?
# %% role="predict" id="predict-size"
my_snapshot_kb = ...
# %% role="given" id="language-model"
from lab.fake_quant import decoder_linears
from lab.lm import load_lm


def snapshot_cost():
    """Bytes and seconds of one snapshot of the shipped model, by kind of histogram; the model's bytes."""
    layers = {
        name: linear.weight.detach().float().cpu().numpy()
        for name, linear in decoder_linears(load_lm(profile=profile)).items()
    }
    costs = {}
    for kind in ("default", "codes"):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            with SummaryWriter(folder) as writer:
                for name, weight in layers.items():
                    if kind == "default":
                        writer.add_histogram(f"{name}/weight", weight, 0)
                    else:
                        counted = code_buckets(weight, float(np.abs(weight).mean() * 1.15), 3)
                        writer.add_histogram_raw(f"{name}/codes", global_step=0, **counted)
            seconds = time.perf_counter() - start
            costs[kind] = (event_files(folder)[0].stat().st_size, seconds)
            if kind == "default":
                logged = read_run(folder)["histograms"]
    error = [
        abs(
            bucket_percentile(logged[f"{name}/weight"][0], 9990)[1] / np.quantile(weight, 0.999) - 1
        )
        for name, weight in layers.items()
    ]
    return costs, sum(w.nbytes for w in layers.values()), len(layers), max(error)


lm_costs, lm_bytes, lm_layers, lm_error = snapshot_cost()
for kind, (size, seconds) in lm_costs.items():
    print(f"{kind:8} {size / 1000:8.1f} kB, {seconds * 1000:6.0f} ms for {lm_layers} layers")
print(f"the weights themselves: {lm_bytes / 1e6:.1f} MB")
print(f"99.9 % percentile from the log: at most {lm_error:.1%} off")
reveal(my_snapshot_kb, lm_costs["default"][0] / 1000, unit="kB")
# %% [markdown] items="1.6.C4 1.6.K3"
# **What you should see.** Some hundred kB for the default buckets of all layers: a histogram has a few hundred buckets however large the layer is. Code buckets take about a fortieth of that. Time is the larger price: a sort of every weight, on the CPU, in the training
# loop. So log every 50 or 100 steps, not each; and scalars more often. The percentile from the log is better than its bound of 10 %.
# %% [markdown] items="1.6.C4 1.6.K3"
# ## In your own words: a plan for a real run
#
# A 7B model with 224 linear layers gets QAT at 4 bits: 20,000 steps of 6 s on eight GPUs. Last time the run was lost: at step 9,000 the loss was a little high, nobody knew why, and the job had been restarted twice into one folder.
#
# In 130 to 220 words: what do you log (tags, scalar or histogram, which buckets), how often, where, what does it cost, and which three alarms do you set? Use two figures from this notebook.
# %% [markdown] role="written" id="qat-log-plan" items="1.6.C4 1.6.K3" points=3
# **Model answer.** Scalars for each of the 224 layers every 20 steps: weight scale, clipped share, range of the input quantizer beside the range of the batch, gradient RMS behind the STE; and the loss. Reduced on the GPU, one transfer: some
# thousand numbers, next to 6 s a step nothing. Histograms of the *codes*, one bucket each (15 at 4 bits), every 200 steps: in run A the histogram of the float weights stayed a bell while most weights of layer 3 were clipped; only scale and codes showed it. Float weights in
# default buckets seldom, every 2,000 steps: for the shipped model a snapshot of them was 40 times larger than one of codes (256 against 7 kB), and slower; counting a 7B on the host takes minutes.
#
# One folder for each start, named with run and start step; flush after each logged step; only rank 0 writes. A restart repeats steps: the last value counts.
#
# Alarms, each only when it lasts three logged steps: a scale below a quarter of its start; input range and batch range apart by more than 2 below or 4 above; a layer's gradient a hundred times below the median of the layers. The loss gap to a float run on the same batches: a
# late alarm: it found C, and A, B and D not at all.
#
# **Rubric.** 1 point: the right quantities with tags and code buckets, and why float weights are not enough. 1 point: frequency and place with costs from measured figures; flush, folders, restarts. 1 point: three alarms that compare
# with something (start, batch, other layers) and must last. Half a point off for alarms on the loss alone.
# %% [markdown]
# ## Recap
#
# - An event file is a chain of records with sums; cut ends are normal, wrong sums are not.
# - A histogram knows each value to within its bucket: 10 % by default, one code if you choose the edges.
# - Flush after each logged step; one folder for each start; the last value of a step counts.
# - Codes show what float weights hide. Ranges and gradients collapse where codes look healthy.
# - Compare with what drifts along: the start, the batch, the other layers. Demand that it lasts. The earliest onset is nearest to the cause.
# - The same batches in both runs: compare by step.
#
# **Three questions**
#
# <details><summary>1. A weight histogram has num 1,000 and its counts add up to 990. What happened?</summary>Ten values are in no bucket: NaNs (or infinities, beyond the last edge). The picture looks healthy, the layer is not.</details>
# <details><summary>2. The entropy of a layer's codes rises to its maximum. Good news?</summary>Not always: all codes equally used may mean a scale that is too small for a bell-shaped weight. Look at the share of the ends and at the clipped share.</details>
# <details><summary>3. Why is the gradient compared with other layers, not with its start?</summary>All gradients fade when the loss falls, by a factor of ten and more. That drift is common to the layers, and divides out.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - PyTorch, `torch.utils.tensorboard`: `add_histogram`, its `bins`, and `add_histogram_raw`.
# - TensorFlow, guide *TFRecord and tf.train.Example*: "TFRecords format details" has the framing and the mask of the sum.
# - TensorBoard, `tensorboard/plugins/histogram/README.md` and the message `HistogramProto` in `summary.proto`.
# - Esser et al., *Learned Step Size Quantization*, ICLR 2020, section 2: why the scale needs a gradient scale of its own.
# - Krishnamoorthi, *Quantizing deep convolutional networks for efficient inference: A whitepaper*, 2018: practice of QAT, with ranges by moving averages.
#
# **Next:** the project: profile, choose, change, and prove it.
# %%
# Your result.
for name, verdict in verdicts.items():
    said = (
        "nothing found"
        if verdict is None
        else f"{verdict['kind']} in {verdict['layer']} from step {verdict['step']}"
    )
    print(f"{name:8} test accuracy {accuracies[name]:5.1f} %  {said}")
