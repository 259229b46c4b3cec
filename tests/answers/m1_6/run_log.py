"""Answers to run-log."""

import math
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from autograder.checks.bank import right, wrong
from lab.event_runs import event_files


def code_buckets(x, scale, bits):
    top = 2 ** (bits - 1) - 1
    codes = np.clip(np.round(np.asarray(x, np.float64).ravel() / scale), -top, top)
    values = codes * scale
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "num": codes.size,
        "sum": float(values.sum()),
        "sum_squares": float((values**2).sum()),
        "bucket_limits": (np.arange(-top, top + 1) + 0.5) * scale,
        "bucket_counts": np.bincount(codes.astype(int) + top, minlength=2 * top + 1),
    }


@right("a SummaryWriter and a loop")
class RunLog:
    def __init__(self, folder, bits, every=1):
        self.check(folder, every)
        self.bits, self.every, self.last = bits, every, None
        self.writer = SummaryWriter(str(folder))

    def check(self, folder, every):
        if every < 1 or event_files(folder):
            raise ValueError("every is 1 or more; the folder holds a run")

    def accept(self, step):
        if self.last is not None and step <= self.last:
            raise ValueError("steps go up")
        self.last = step
        return step % self.every == 0

    def __call__(self, step, loss, layers):
        if not self.accept(step):
            return
        self.writer.add_scalar("loss/train", loss, step)
        for name, layer in layers.items():
            for quantity, value in self.numbers(layer).items():
                self.writer.add_scalar(f"{name}/{quantity}", value, step)
            self.histograms(name, layer, step)
        self.finish()

    def numbers(self, layer):
        low, high = layer["input_range"]
        batch_low, batch_high = layer["batch_range"]
        return {"scale": layer["scale"], "clipped": self.clipped(layer), "gradient_rms": self.rms(layer),
                "input_low": low, "input_high": high, "batch_low": batch_low,
                "batch_high": batch_high}  # fmt: skip

    def clipped(self, layer):
        codes = np.round(layer["weight"].astype(np.float64) / layer["scale"])
        return float((np.abs(codes) > 2 ** (self.bits - 1) - 1).mean())

    def rms(self, layer):
        return float(np.sqrt((layer["gradient"].astype(np.float64) ** 2).mean()))

    def histograms(self, name, layer, step):
        self.writer.add_histogram(f"{name}/weight", layer["weight"], step)
        self.codes(name, layer, step)

    def codes(self, name, layer, step):
        buckets = code_buckets(layer["weight"], layer["scale"], self.bits)
        self.writer.add_histogram_raw(f"{name}/codes", global_step=step, **buckets)

    def finish(self):
        self.writer.flush()

    def close(self):
        self.writer.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


@right("torch for the numbers, one context, tensors for histograms")
class TorchLog:
    def __init__(self, folder, bits, every=1):
        folder = Path(folder)
        if every < 1:
            raise ValueError("every")
        if folder.is_dir() and any(
            p.name.startswith("events.out.tfevents") for p in folder.iterdir()
        ):
            raise ValueError("another run is here")
        self.writer = SummaryWriter(log_dir=folder, flush_secs=5)
        self.bits, self.every, self.seen = bits, every, []

    def __call__(self, step, loss, layers):
        if self.seen and step <= max(self.seen):
            raise ValueError("step")
        self.seen.append(step)
        if step % self.every != 0:
            return None
        top = 2 ** (self.bits - 1) - 1
        for name in layers:
            w = torch.from_numpy(layers[name]["weight"].copy())
            g = torch.from_numpy(layers[name]["gradient"].copy()).double()
            s = layers[name]["scale"]
            outside = torch.round(w.double() / s).abs() > top
            self.writer.add_scalar(f"{name}/scale", torch.tensor(s), global_step=step)
            self.writer.add_scalar(f"{name}/clipped", outside.double().mean(), global_step=step)
            self.writer.add_scalar(
                f"{name}/gradient_rms", g.norm() / math.sqrt(g.numel()), global_step=step
            )
            for kind in ("input", "batch"):
                for end, value in zip(("low", "high"), layers[name][f"{kind}_range"], strict=True):
                    self.writer.add_scalar(f"{name}/{kind}_{end}", value, global_step=step)
            self.writer.add_histogram(f"{name}/weight", w, global_step=step)
            codes = code_buckets(w.numpy(), s, self.bits)
            self.writer.add_histogram_raw(f"{name}/codes", **codes, global_step=step)
        self.writer.add_scalar("loss/train", loss, global_step=step)
        return self.writer.flush()

    def close(self):
        self.writer.flush()
        self.writer.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
        return False


@wrong(
    "not-flushed",
    "Flush after each logged step: what waits in the queue is lost in a crash.",
    diagnose=False,
)
class NotFlushed(RunLog):
    def finish(self):
        pass


@wrong("every-call-logged", "Log only steps that are a multiple of `every`.")
class AllLogged(RunLog):
    def accept(self, step):
        super().accept(step)
        return True


@wrong("every-nth-call", "`every` speaks of steps, not of calls.", diagnose=False)
class NthCall(RunLog):
    calls = -1

    def accept(self, step):
        super().accept(step)
        self.calls += 1
        return self.calls % self.every == 0


@wrong("steps-back-written", "A step that is not above all earlier ones is refused.")
class AnyStep(RunLog):
    def accept(self, step):
        return step % self.every == 0


@wrong("same-step-accepted", "The same step again is refused too.", diagnose=False)
class SameStep(RunLog):
    def accept(self, step):
        if self.last is not None and step < self.last:
            raise ValueError("steps go up")
        self.last = step
        return step % self.every == 0


@wrong(
    "silent-about-steps",
    "Raise ValueError for a step that goes back: do not skip it in silence.",
    diagnose=False,
)
class Silent(RunLog):
    def accept(self, step):
        try:
            return super().accept(step)
        except ValueError:
            return False


@wrong("only-logged-steps-remembered", "Earlier calls count also where their step was not logged.")
class OnlyLogged(RunLog):
    def accept(self, step):
        if self.last is not None and step <= self.last:
            raise ValueError("steps go up")
        if step % self.every:
            return False
        self.last = step
        return True


@wrong(
    "step-before-the-first",
    "There is no earlier step before the first call: negative steps are fine.",
    diagnose=False,
)
class FromMinusOne(RunLog):
    def __init__(self, folder, bits, every=1):
        super().__init__(folder, bits, every)
        self.last = -1


@wrong(
    "refused-step-remembered",
    "A refused call leaves no trace: the next step is compared with those before it.",
)
class Remembers(RunLog):
    def accept(self, step):
        last, self.last = self.last, step
        if last is not None and step <= last:
            raise ValueError("steps go up")
        return step % self.every == 0


@wrong("call-number-for-step", "The step is the one given, not a count of calls.", diagnose=False)
class Counted(RunLog):
    number = 0

    def __call__(self, step, loss, layers):
        if self.accept(step):
            every, self.every, last, self.last = self.every, 1, self.last, None
            super().__call__(self.number, loss, layers)
            self.number, self.every, self.last = self.number + 1, every, last


@wrong("mixed-runs", "A folder that holds a run is refused: two runs in one folder mix.")
class Mixed(RunLog):
    def check(self, folder, every):
        if every < 1:
            raise ValueError("every")


@wrong("writer-before-the-check", "SummaryWriter opens its file at once: check first.")
class Late(RunLog):
    def __init__(self, folder, bits, every=1):
        found = event_files(folder)
        self.bits, self.every, self.last = bits, every, None
        self.writer = SummaryWriter(str(folder))
        if every < 1 or found:
            self.writer.close()
            raise ValueError("checked late")


@wrong("any-file-refused", "Only event files are another run; other files may lie there.")
class AnyFile(RunLog):
    def check(self, folder, every):
        if every < 1 or (Path(folder).is_dir() and any(Path(folder).iterdir())):
            raise ValueError("not empty")


@wrong("old-run-deleted", "Never delete another run: refuse the folder.", diagnose=False)
class Deletes(RunLog):
    def check(self, folder, every):
        if every < 1:
            raise ValueError("every")
        for path in event_files(folder):
            path.unlink()


@wrong("folder-must-exist", "The folder is made if it is not there.", diagnose=False)
class MustExist(RunLog):
    def check(self, folder, every):
        if not Path(folder).is_dir():
            raise ValueError("no such folder")
        super().check(folder, every)


@wrong("every-not-checked", "`every` below 1 is refused.", diagnose=False)
class EveryKept(RunLog):
    def check(self, folder, every):
        if event_files(folder):
            raise ValueError("another run")


@wrong("exception-swallowed", "__exit__ must not return True: the exception goes on.")
class Swallows(RunLog):
    def __exit__(self, *error):
        self.close()
        return True


@wrong(
    "clipped-by-value",
    "Clipped means that the rounded code lies outside: up to qmax + 1/2 nothing is.",
)
class ByValue(RunLog):
    def clipped(self, layer):
        top = 2 ** (self.bits - 1) - 1
        return float((np.abs(layer["weight"]) > top * layer["scale"]).mean())


@wrong("end-codes-for-clipped", "A weight at the last code is not clipped: only codes beyond are.")
class AtEnds(RunLog):
    def clipped(self, layer):
        codes = np.round(layer["weight"].astype(np.float64) / layer["scale"])
        return float((np.abs(codes) >= 2 ** (self.bits - 1) - 1).mean())


@wrong("clipped-count", "A share, not a count.", diagnose=False)
class CountClipped(RunLog):
    def clipped(self, layer):
        return super().clipped(layer) * layer["weight"].size


@wrong("clipped-percent", "A share from 0 to 1, not per cent.", diagnose=False)
class Percent(RunLog):
    def clipped(self, layer):
        return super().clipped(layer) * 100


@wrong("clipped-above-alone", "Weights are clipped at both ends.", diagnose=False)
class AboveAlone(RunLog):
    def clipped(self, layer):
        codes = np.round(layer["weight"].astype(np.float64) / layer["scale"])
        return float((codes > 2 ** (self.bits - 1) - 1).mean())


@wrong("norm-for-rms", "The root of the mean square, not of the sum: layers have different sizes.")
class Norm(RunLog):
    def rms(self, layer):
        return super().rms(layer) * math.sqrt(layer["gradient"].size)


@wrong("std-for-rms", "The root of the mean square: the mean is not subtracted.")
class Std(RunLog):
    def rms(self, layer):
        return float(layer["gradient"].astype(np.float64).std())


@wrong("mean-magnitude", "The root of the mean square, not the mean magnitude.", diagnose=False)
class Magnitude(RunLog):
    def rms(self, layer):
        return float(np.abs(layer["gradient"]).mean())


@wrong(
    "ranges-swapped",
    "input_* is the quantizer's range, batch_* that of the values.",
    diagnose=False,
)
class Ranges(RunLog):
    def numbers(self, layer):
        return super().numbers(
            {**layer, "input_range": layer["batch_range"], "batch_range": layer["input_range"]}
        )


@wrong("underscores", "The tags are paths: NAME/scale.", diagnose=False)
class Underscores(RunLog):
    def __call__(self, step, loss, layers):
        super().__call__(step, loss, {name.replace("/", "_"): v for name, v in layers.items()})


@wrong("values-for-codes", "NAME/codes has one bucket for each code, not the default buckets.")
class DefaultCodes(RunLog):
    def codes(self, name, layer, step):
        top = 2 ** (self.bits - 1) - 1
        codes = np.clip(np.round(layer["weight"] / layer["scale"]), -top, top)
        self.writer.add_histogram(f"{name}/codes", codes * layer["scale"], step)


@wrong(
    "quantized-weight",
    "NAME/weight is the float weight; its codes have a tag of their own.",
    diagnose=False,
)
class QuantizedWeight(RunLog):
    def histograms(self, name, layer, step):
        top = 2 ** (self.bits - 1) - 1
        codes = np.clip(np.round(layer["weight"] / layer["scale"]), -top, top)
        self.writer.add_histogram(f"{name}/weight", codes * layer["scale"], step)
        self.codes(name, layer, step)


@wrong("auto-buckets", "NAME/weight takes the default buckets.", diagnose=False)
class Auto(RunLog):
    def histograms(self, name, layer, step):
        self.writer.add_histogram(f"{name}/weight", layer["weight"], step, bins="auto")
        self.codes(name, layer, step)


@wrong("no-histograms", "Two histograms for each layer are missing.")
class NoHistograms(RunLog):
    def histograms(self, name, layer, step):
        pass


@wrong("first-layer-alone", "Every layer is logged.", diagnose=False)
class OneLayer(RunLog):
    def __call__(self, step, loss, layers):
        super().__call__(step, loss, dict(list(layers.items())[:1]))


@wrong(
    "add-scalars",
    "add_scalars opens a folder of its own for each line: use add_scalar.",
    diagnose=False,
)
class Grouped(RunLog):
    def __call__(self, step, loss, layers):
        if not self.accept(step):
            return
        self.writer.add_scalars("loss", {"train": loss}, step)
        for name, layer in layers.items():
            for quantity, value in self.numbers(layer).items():
                self.writer.add_scalar(f"{name}/{quantity}", value, step)
            self.histograms(name, layer, step)
        self.finish()
