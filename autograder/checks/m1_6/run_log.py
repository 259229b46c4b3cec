"""run-log: what a learner's logger leaves in its folder, read by TensorBoard's own reader."""

import math
import tempfile
from pathlib import Path

import numpy as np

from autograder.checks import case, expect
from lab.event_runs import PREFIX, read_run

BANK_SEEDS = 1  # each case opens and closes a file
PARTS = {"scalars": 0.3, "histograms": 0.2, "steps": 0.2, "on disk": 0.3}
HINTS = (
    "Check every and event_files(folder) before SummaryWriter is made: it opens its file at once.",
    "Remember the step of each call that is not refused; return early where step % every is not 0.",
    "writer.flush() at the end of the call; __exit__ closes and returns None.",
)
SCALARS = ("scale", "clipped", "gradient_rms", "input_low", "input_high", "batch_low", "batch_high")


def _layer(rng, shape, bits):
    """A layer whose w / s is clear of ties, with some of it clipped."""
    scale = float(rng.uniform(0.05, 0.4))
    steps = np.round(rng.normal(0, 0.45 * 2 ** (bits - 1), shape))
    low = float(rng.uniform(-1, 0))
    return {
        "weight": ((steps + rng.uniform(-0.4, 0.4, shape)) * scale).astype(np.float32),
        "gradient": rng.normal(0.01, 0.05, shape).astype(np.float32),
        "scale": scale,
        "input_range": (low, float(rng.uniform(1, 3))),
        "batch_range": (low - 0.5, float(rng.uniform(3, 5))),
    }


def _calls(rng, steps, bits, names=("layer1",), shape=(6, 5)):
    return [
        (step, float(rng.uniform(0.1, 2)), {name: _layer(rng, shape, bits) for name in names})
        for step in steps
    ]


def cases(rng):
    yield _case("one step", "scalars", _calls(rng, [0], 3), 3)
    for part in ("scalars", "histograms"):
        names = ("layer1", "block.1/mlp", "head")
        yield _case("three layers", part, _calls(rng, [0, 1], 4, names), 4)
        calls = _calls(rng, [5], 2, shape=(4, 3, 3, 3))
        yield _case("2 bits, a convolution", part, calls, 2)
        calls = _calls(rng, [3], 3)
        layer = calls[0][2]["layer1"]
        layer["weight"][:] = np.float32(layer["scale"] * 40)
        layer["weight"][0] *= -1
        # At the last code, beyond qmax * scale: rounded into the grid, so not clipped.
        layer["weight"][1:4] = np.float32(layer["scale"] * 3.3)
        yield _case("clipped, and at the last code", part, calls, 3)
    yield _case("every 10", "steps", _calls(rng, range(31), 3, shape=(2, 2)), 3, every=10)
    yield _case("a step again", "steps", _calls(rng, [0, 2, 2, 3], 3, shape=(2, 2)), 3)
    yield _case("a step back", "steps", _calls(rng, [0, 5, 3, 4, 6], 3, shape=(2, 2)), 3)
    yield _case("back behind a step not logged", "steps",
                _calls(rng, [10, 17, 15, 16, 20], 3, shape=(2, 2)), 3, every=5)  # fmt: skip
    yield _case("negative, then up", "steps", _calls(rng, [-2, 0], 3, shape=(2, 2)), 3)
    yield _case("read before close", "on disk", _calls(rng, [0, 1], 3), 3, end="open")
    yield _case("an exception in the block", "on disk", _calls(rng, [0, 1], 3), 3, end="raise")
    yield _case("closed twice", "on disk", _calls(rng, [0], 3), 3, end="twice")
    yield _case("a folder that is not there", "on disk", _calls(rng, [0], 3), 3, below="a/b")
    yield _case(
        "a folder with another run", "on disk", _calls(rng, [0], 3), 3, there=f"{PREFIX}.1.host"
    )
    yield _case("a folder with a note", "on disk", _calls(rng, [0], 3), 3, there="notes.txt")
    yield _case("every 0", "on disk", _calls(rng, [0], 3), 3, every=0, below="new")


def _case(label, part, calls, bits, every=1, end="with", below="", there=""):
    inputs = {"calls": calls, "bits": bits, "every": every}
    return case(label, part, **inputs, end=end, below=below, there=there)


def probe(solution, calls, bits, every, end, below, there):
    import os
    import tempfile
    import time

    class Planned(Exception):
        pass

    report = {"refused": [], "made": None, "raised_on": None, "went_on": None}
    with tempfile.TemporaryDirectory() as base:
        folder = os.path.join(base, below) if below else base
        if there:
            with open(os.path.join(folder, there), "wb") as file:
                file.write(b"kept")

        def write(log):
            for step, loss, layers in calls:
                try:
                    log(step, loss, layers)
                except ValueError:
                    report["refused"].append(step)

        def files():
            found = {}
            for where, _, names in os.walk(base):
                for name in names:
                    path = os.path.join(where, name)
                    with open(path, "rb") as file:
                        found[os.path.relpath(path, base)] = file.read()
            return found

        try:
            log = solution(folder, bits=bits, every=every)
        except NotImplementedError:
            raise
        except Exception as error:
            name = "ValueError" if isinstance(error, ValueError) else type(error).__name__
            folders = os.listdir(base) if below else []
            return {**report, "made": name, "files": files(), "folders": folders}
        if end == "open":
            # A slow disk: what waits in the queue is not in the file by luck.
            from tensorboard.summary.writer.record_writer import RecordWriter

            fast = RecordWriter.write

            def slow(self, data):
                time.sleep(0.01)
                fast(self, data)

            RecordWriter.write = slow
            try:
                write(log)
                report["files"] = files()
                log.close()
            finally:
                RecordWriter.write = fast
        elif end == "twice":
            write(log)
            log.close()
            log.close()
        elif end == "raise":
            try:
                with log as entered:
                    write(entered)
                    raise Planned
            except Planned:
                report["went_on"] = True
            else:
                report["went_on"] = False
        else:
            with log as entered:
                write(entered)
        if "files" not in report:
            report["files"] = files()
    return report


def observe(case, answer):
    """What the files say: times and the file's own name differ from run to run."""
    found = expect.mapping(answer, ("refused", "made", "files"))
    events = [name for name in sorted(found["files"]) if PREFIX in Path(name).name]
    others = {k: v for k, v in found["files"].items() if k not in events or k == case.there}
    runs = []
    for name in events:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / Path(name).name).write_bytes(found["files"][name])
            if name != case.there:
                runs.append({"folder": str(Path(name).parent), **read_run(folder)})
    return {**found, "files": others, "runs": runs}


def judge(case, answer):
    expect.mapping(answer, ("refused", "made", "files", "runs"))
    if case.every < 1 or case.there.startswith(PREFIX):
        why = "every below 1" if case.every < 1 else "The folder holds a run already"
        expect.raised({"raised": answer["made"]}, "ValueError", f"{why}: raise ValueError.")
        before = {case.there: b"kept"} if case.there else {}
        expect.that(
            answer["files"] == before and not answer["runs"] and not answer.get("folders"),
            "Refuse before you make a file or a folder.",
            stage="edge",
            yours=f"{len(answer['runs'])} event files more",
            right="all as it was",
        )
        return
    expect.that(answer["made"] is None, "RunLog(folder, bits, every) raises.", stage="error",
                yours=answer["made"], right="an open log")  # fmt: skip
    expect.that(answer["went_on"] is not False, "An exception inside `with` must go on.", stage="edge",
                yours="swallowed", right="raised again")  # fmt: skip
    wanted, refused = _plan(case)
    expect.that(
        answer["refused"] == refused,
        "A step is refused with ValueError if it is not above all earlier ones, and only then.",
        stage="edge",
        yours=answer["refused"],
        right=refused,
    )
    runs = answer["runs"]
    expect.that(len(runs) == 1, "One run, one event file.", yours=len(runs), right=1)
    expect.that(
        runs[0]["folder"] == (case.below or "."),
        "The event file is not in the folder.",
        yours=runs[0]["folder"],
        right=case.below or "the folder itself",
    )
    _compare(case, runs[0], wanted)


def _plan(case):
    """The calls that are to be logged, and the steps to be refused."""
    wanted, refused, last = [], [], -math.inf
    for step, loss, layers in case.calls:
        if step <= last:
            refused.append(step)
            continue
        last = step
        if step % case.every == 0:
            wanted.append((step, loss, layers))
    return wanted, refused


def _compare(case, run, calls):
    top = 2 ** (case.bits - 1) - 1
    layers = list(case.calls[0][2])
    tags = {"loss/train"} | {f"{layer}/{name}" for layer in layers for name in SCALARS}
    found = set(run["scalars"])
    expect.that(
        found == tags, "The scalar tags are off.", yours=_odd(found, tags), right=_odd(tags, found)
    )
    _series(run, "loss/train", [(step, loss) for step, loss, _ in calls])
    for layer in layers:
        rows = [(step, _numbers(told[layer], top)) for step, _, told in calls]
        for name in SCALARS:
            _series(run, f"{layer}/{name}", [(step, numbers[name]) for step, numbers in rows])
    if case.part == "scalars":
        return
    tags = {f"{layer}/{name}" for layer in layers for name in ("weight", "codes")}
    found = set(run["histograms"])
    expect.that(found == tags, "The histogram tags are off.", yours=_odd(found, tags),
                right=_odd(tags, found))  # fmt: skip
    for layer in layers:
        for step, _, told in calls:
            _histograms(run, layer, step, told[layer], top, [c[0] for c in calls])


def _odd(mine, other):
    return sorted(mine - other)[:3] or "all of the others"


def _numbers(layer, top):
    weight, gradient = layer["weight"].astype(np.float64), layer["gradient"].astype(np.float64)
    (input_low, input_high), (batch_low, batch_high) = layer["input_range"], layer["batch_range"]
    # Clear of ties by construction: beyond the last code's half step is clipped.
    clipped = np.count_nonzero(np.abs(weight) > (top + 0.5) * layer["scale"]) / weight.size
    rms = math.sqrt(math.fsum((gradient**2).ravel()) / gradient.size)
    ranges = {"input_low": input_low, "input_high": input_high, "batch_low": batch_low}
    return {"scale": layer["scale"], "clipped": clipped, "gradient_rms": rms, **ranges,
            "batch_high": batch_high}  # fmt: skip


def _series(run, tag, want):
    got = run["scalars"][tag]
    expect.that([s for s, _ in got] == [s for s, _ in want], f"The steps of {tag} are off.",
                yours=[s for s, _ in got], right=[s for s, _ in want])  # fmt: skip
    for (step, value), (_, right) in zip(got, want, strict=True):
        expect.number(value, right, f"{tag} at step {step}", rtol=2e-6, atol=1e-9)


def _histograms(run, layer, step, told, top, steps):
    from torch.utils.tensorboard.summary import make_histogram

    for name in ("weight", "codes"):
        events = run["histograms"][f"{layer}/{name}"]
        expect.that([e["step"] for e in events] == steps, f"The steps of {layer}/{name} are off.",
                    yours=[e["step"] for e in events], right=steps)  # fmt: skip
    event = next(e for e in run["histograms"][f"{layer}/codes"] if e["step"] == step)
    codes = np.round(told["weight"].astype(np.float64) / told["scale"]).clip(-top, top)
    counts = np.array([(codes == k).sum() for k in range(-top, top + 1)], float)
    expect.codes(event["counts"], counts, f"the counts of {layer}/codes")
    limits = (np.arange(-top, top + 1) + 0.5) * told["scale"]
    expect.close(event["limits"], limits, f"the limits of {layer}/codes", rtol=1e-9)
    event = next(e for e in run["histograms"][f"{layer}/weight"] if e["step"] == step)
    want = make_histogram(told["weight"], _default_edges())
    expect.codes(
        event["limits"], np.array(want.bucket_limit), f"the default limits of {layer}/weight"
    )
    expect.codes(event["counts"], np.array(want.bucket), f"the counts of {layer}/weight")


def _default_edges():
    edges, at = [], 1e-12
    while at < 1e20:
        edges.append(at)
        at *= 1.1
    return [-e for e in edges[::-1]] + [0] + edges
