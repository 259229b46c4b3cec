"""python -m data.record_traces: record the traces that ship with the course, each with a planted fault.

Runs small programs, most on the shipped draft model, on one thread under torch.profiler and keeps one step of
each in `data/traces/<letter>.json.gz`, as the profiler wrote it but for the machine's name. The programs
are below; which letter is which stands there, not beside the files. Versions, date
and sizes go to `made_by.json`. With --gpu, on a CUDA machine, a few steps of the shipped model go to
`ci/reports/*.trace.json.gz` instead, where the lesson picks them up.
"""

import copy
import datetime
import json
import os
import platform
import time
import warnings
from collections.abc import Callable

os.environ.setdefault("KINETO_LOG_LEVEL", "6")

import click
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from lab.errors import CourseError
from lab.fake_quant import decoder_linears
from lab.lm import calibration_batch, load_lm
from lab.paths import repo_root
from lab.profile import cpu_hardware, use_profile
from lab.traces import record, traces_dir, write_trace

TOKENS, READ_VALUES, WIDTH, DEPTH, TRIES = 8, 300, 1024, 8, 9


def linears(wrap: Callable[[nn.Linear], nn.Module]) -> Callable:
    """A row through a stack of wide linear layers with SiLU between them, each layer wrapped."""
    torch.manual_seed(0)
    layers = [wrap(nn.Linear(WIDTH, WIDTH, bias=False)) for _ in range(DEPTH)]
    stack, x = (
        nn.Sequential(*[m for layer in layers for m in (layer, nn.SiLU())]),
        torch.randn(1, WIDTH),
    )
    return lambda: stack(x)


def healthy() -> Callable:
    """The float model on a batch of tokens."""
    model, ids = load_lm("draft"), calibration_batch(1, 64)
    return lambda: model(ids)


def fake_quantized() -> Callable:
    """Linear layers that quantize and dequantize input and weight in each call, INT8 per tensor."""

    class Wrapped(nn.Module):
        def __init__(self, linear: nn.Linear):
            super().__init__()
            self.linear = linear

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pair = []
            for value in (x, self.linear.weight):
                low, high = torch.aminmax(value)
                scale = float(torch.maximum(-low, high)) / 127
                codes = torch.quantize_per_tensor(value, scale, 0, torch.qint8)
                pair.append(codes.dequantize())
            return F.linear(*pair)

    return linears(Wrapped)


def item_loop() -> Callable:
    """The likeliest token found by reading one logit after another into Python."""
    model, ids = load_lm("draft"), calibration_batch(1, TOKENS)

    def step() -> int:
        logits = model(ids).logits[0, -1]
        best = 0
        for index in range(READ_VALUES):
            if logits[index].item() > logits[best].item():
                best = index
        return best

    return step


def starved() -> Callable:
    """A data loader whose examples take 4 ms each to come, with no worker."""
    model, rows = load_lm("draft"), calibration_batch(4, 32)

    class Slow(Dataset):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, index: int) -> torch.Tensor:
            time.sleep(0.004)
            return rows[index]

    def step() -> None:
        for batch in DataLoader(Slow(), batch_size=4):
            model(batch)

    return step


def converted() -> Callable:
    """Weights kept in float16 to save memory, converted to float32 in every call."""

    class Half(nn.Module):
        def __init__(self, linear: nn.Linear):
            super().__init__()
            self.weight = linear.weight.half()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.linear(x, self.weight.float())

    return linears(Half)


def repacked() -> Callable:
    """INT8 linears that pack their weight for the kernel in every call instead of once."""
    model, ids = load_lm("draft"), calibration_batch(1, TOKENS)

    class Repacked(nn.Module):
        def __init__(self, linear: nn.Linear):
            super().__init__()
            weight = copy.deepcopy(linear.weight)
            scale = float(weight.abs().max()) / 127
            self.codes = torch.quantize_per_tensor(weight, scale, 0, torch.qint8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            packed = torch.ops.quantized.linear_prepack(self.codes, None)
            return torch.ops.quantized.linear_dynamic(x, packed, True)

    for name, linear in decoder_linears(model).items():
        model.set_submodule(name, Repacked(linear))
    return lambda: model(ids)


# In an order that tells nothing.
PROGRAMS = {
    "a": item_loop,
    "b": repacked,
    "c": healthy,
    "d": starved,
    "e": fake_quantized,
    "f": converted,
}


def step_us(trace: dict) -> float:
    """Duration of the recorded steps."""
    return sum(e["dur"] for e in trace["traceEvents"] if e["name"].startswith("ProfilerStep#"))


def record_shipped() -> dict:
    """Record all programs on this CPU and write the files; returns what made_by.json holds."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*quantized tensor creation.*")
    sizes = {}
    folder = traces_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for letter, program in PROGRAMS.items():
        step = program()
        with torch.inference_mode():
            tries = [record(step, wait=1, warmup=2, active=1) for _ in range(TRIES)]
        # The shortest: an interruption by the operating system looks like a fault of its own.
        found = min(tries, key=lambda one: step_us(one.trace))
        sizes[letter] = write_trace(found.trace, folder / f"{letter}.json.gz")
        click.echo(f"{letter}: {len(found.trace['traceEvents']):,} events, {sizes[letter]:,} bytes")
    made = {"recorded": datetime.date.today().isoformat(), "python": platform.python_version(),
            "torch": torch.__version__, "threads": 1, "hardware": cpu_hardware(),
            "size_bytes": sizes}  # fmt: skip
    (folder / "made_by.json").write_text(json.dumps(made, indent=1) + "\n")
    return made


def record_gpu() -> None:
    """The shipped model on a CUDA device, three programs, into ci/reports/. Needs a GPU."""
    profile = use_profile("gpu")
    model, ids = load_lm(profile=profile), calibration_batch(4, 128).to(profile.device)

    def reads_values() -> None:
        for row in model(ids).logits[:, -1].argmax(-1):
            row.item()

    def copies_late() -> None:
        model(calibration_batch(4, 128).to(profile.device))

    folder = repo_root() / "ci" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    for name, step in (
        ("forward", lambda: model(ids)),
        ("item", reads_values),
        ("copies", copies_late),
    ):
        with torch.inference_mode():
            trace = record(step).trace
        trace["recorded"] = (
            f"{datetime.date.today().isoformat()}, {profile.hardware}, torch {torch.__version__}"
        )
        size = write_trace(trace, folder / f"{name}.trace.json.gz")
        click.echo(f"{name}: {size:,} bytes")


@click.command(help=__doc__)
@click.option("--gpu", is_flag=True, help="Record on the CUDA device into ci/reports/.")
def main(gpu: bool) -> None:
    if gpu and not torch.cuda.is_available():
        raise click.ClickException("--gpu needs a CUDA device, and torch finds none here.")
    try:
        record_gpu() if gpu else record_shipped()
    except CourseError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
