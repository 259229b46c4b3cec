"""Our counters beside Nsight Compute's, on a CUDA machine: `python -m ci.ncu_counters`.

Runs the kernels of counted_kernels.cu under `ncu` (with CuPy) and watched on the CPU, and writes a
table to ci/reports/ncu-counters.md and ncu's own CSV, which module 1.6 reads, beside it. Exits with 1
where a counter differs, with 2 where there is no GPU.
"""

import csv
import datetime
import io
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ci.counted_kernels import CODE, KERNELS, Counted
from lab import cuda
from lab.cuda import arrays
from lab.cuda.kernel import RawModule
from lab.cuda.report import Report

REPORT = Path(__file__).with_name("reports") / "ncu-counters.md"
WALL_S = 600
# Nsight Compute Kernel Profiling Guide, "Metrics Decoder": L1TEX, op_ld and op_st of one space.
METRICS = {
    "global load requests": "l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum",
    "global load sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum",
    "global store requests": "l1tex__t_requests_pipe_lsu_mem_global_op_st.sum",
    "global store sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum",
    "shared load wavefronts": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",
    "shared load conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
    "shared store wavefronts": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum",
    "shared store conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
}


@dataclass(frozen=True)
class Row:
    """One counter of one kernel: ours, and ncu's (None where its output has none)."""

    kernel: str
    counter: str
    ours: int
    ncu: float | None

    @property
    def equal(self) -> bool:
        """Whether they agree; wavefronts are compared where ncu counts those of shared memory alone."""
        return self.ncu == self.ours


def ours(report: Report) -> dict[str, int]:
    """Our counters under the names of METRICS."""

    def total(kind: str, space: str, member: str) -> int:
        return sum(getattr(i, member) for i in report.select(kind, space))

    found = {}
    for kind in ("load", "store"):
        for member in ("requests", "sectors"):
            found[f"global {kind} {member}"] = total(kind, "global", member)
        for member in ("wavefronts", "conflicts"):
            found[f"shared {kind} {member}"] = total(kind, "shared", member)
    return found


def parse(text: str) -> dict[str, dict[str, float]]:
    """Metric values by kernel and metric from the output of `ncu --csv`.

    Both layouts are read: a metric a row ("Metric Name", "Metric Value"), and `--page raw`, where
    metrics are columns and the row below the header has their units. Lines of ncu's own ("==PROF==")
    and of the program are passed over; numbers may have thousands separators.

    Raises:
        ValueError: there is no table, or a value is no number.
    """
    lines = text.splitlines()
    start = next((i for i, x in enumerate(lines) if x.startswith('"ID",')), None)
    if start is None:
        raise ValueError('This is no output of `ncu --csv`: no header that begins with "ID".')
    table = [x for x in lines[start:] if x.startswith('"')]
    found: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(io.StringIO("\n".join(table))):
        if not row["ID"]:  # the units of the raw page
            continue
        kernel = row["Kernel Name"].split("(")[0]
        values = found.setdefault(kernel, {})
        if "Metric Name" in row:
            values[row["Metric Name"]] = number(row["Metric Value"])
        else:
            values.update({m: number(row[m]) for m in METRICS.values() if row.get(m)})
    return found


def recorded(text: str, device: str, day: datetime.date) -> str:
    """What is kept of ncu's output: the table, below a line with machine and date."""
    rows = [line for line in text.splitlines() if line.startswith('"')]
    first = next(i for i, line in enumerate(rows) if line.startswith('"ID",'))
    note = f"# Recorded by python -m ci.ncu_counters on {device}, {day.isoformat()}"
    return "\n".join([note, *rows[first:], ""])


def number(text: str) -> float:
    """1,234.5 as a float. Raises ValueError for anything else."""
    return float(text.replace(",", ""))


def watched() -> dict[str, dict[str, int]]:
    """Our counters of every kernel."""
    module, found = RawModule(code=CODE), {}
    for counted in KERNELS:
        args = tuple(
            arrays.asarray(a) if isinstance(a, np.ndarray) else a for a in counted.arguments()
        )
        report = module.get_function(counted.name).watch(counted.grid, counted.block, args)
        found[counted.name] = ours(report)
    return found


def compare(mine: dict[str, dict[str, int]], theirs: dict[str, dict[str, float]]) -> list[Row]:
    """A row for each kernel and counter."""
    return [
        Row(kernel, counter, value, theirs.get(kernel, {}).get(METRICS[counter]))
        for kernel, counters in mine.items()
        for counter, value in counters.items()
    ]


def table(rows: list[Row], device: str) -> str:
    """The report, Markdown."""
    apart = [row for row in rows if not row.equal]
    lines = [
        "# Counters of lab.cuda beside Nsight Compute's",
        "",
        f"{device}: {len(rows) - len(apart)} of {len(rows)} counters are equal.",
        "Kernels and launches: `ci/counted_kernels.cu`; made by `python -m ci.ncu_counters`.",
        "",
        "| kernel | counter | lab.cuda | ncu | |",
        "|---|---|---:|---:|---|",
    ]
    for row in rows:
        value = "none" if row.ncu is None else f"{row.ncu:,.0f}"
        mark = "" if row.equal else "differs"
        lines.append(f"| {row.kernel} | {row.counter} | {row.ours:,} | {value} | {mark} |")
    return "\n".join([*lines, ""])


def launch_all() -> str:
    """Launch every kernel once on the GPU, checking its values; returns the device's name."""
    import cupy

    module = cupy.RawModule(code=CODE)
    for counted in KERNELS:
        launch_one(cupy, module, counted)
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    print(f"device: {name}", file=sys.stderr)
    return name


def launch_one(cupy, module, counted: Counted) -> None:
    """One kernel on the GPU. Raises AssertionError on wrong values."""
    host = counted.arguments()
    args = tuple(cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in host)
    module.get_function(counted.name)(counted.grid, counted.block, args)
    cupy.cuda.Device().synchronize()
    after = tuple(cupy.asnumpy(a) if isinstance(a, cupy.ndarray) else a for a in args)
    assert counted.check(host, after), f"{counted.name}: wrong values on the GPU"


def ncu_command(ncu: str) -> list[str]:
    """ncu over this module's launches. No cache control or clocks: sectors do not depend on them."""
    kernels = "regex:^(" + "|".join(counted.name for counted in KERNELS) + ")$"
    return [
        ncu, "--csv", "--page", "raw", "--metrics", ",".join(METRICS.values()),
        "--kernel-name-base", "function", "--kernel-name", kernels,
        sys.executable, "-m", "ci.ncu_counters", "--launch",
    ]  # fmt: skip


def main(words: list[str]) -> int:
    """Run it all; with --launch, only what ncu looks at."""
    if words == ["--launch"]:
        launch_all()
        return 0
    ncu = shutil.which("ncu")
    if not cuda.on_gpu() or not ncu:
        lacks = "no GPU that CuPy finds" if not cuda.on_gpu() else "no ncu on PATH"
        print(f"There is {lacks}: this comparison waits for a CUDA machine with Nsight Compute.")
        return 2
    done = subprocess.run(ncu_command(ncu), capture_output=True, text=True, timeout=WALL_S)
    if done.returncode:
        print(
            f"ncu ended with status {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-1000:]}"
        )
        return 1
    import cupy

    device = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    rows = compare(watched(), parse(done.stdout))
    REPORT.parent.mkdir(exist_ok=True)
    kept = recorded(done.stdout, device, datetime.date.today())
    REPORT.with_suffix(".csv").write_text(kept, encoding="utf-8")
    REPORT.write_text(table(rows, device), encoding="utf-8")
    print(table(rows, device))
    return int(not all(row.equal for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
