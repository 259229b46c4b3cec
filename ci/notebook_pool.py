"""Runs notebooks side by side, each in its own worker, and watches their time and memory.

Everything happens in one thread: workers end with the thread that started them (Linux), and
nothing here waits for anything but the next look, POLL_S later.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from notebook_findings import Failure, failures_in, load_cells, plain, running_cell
from notebook_worker import FAILED, KERNEL_DIED
from process_tree import descendants_of, end_tree, memory_mb
from run_state import Result

POLL_S = 0.1
GRACE_S = 3.0  # from the interrupt at the time limit to the end by force
WORKER = Path(__file__).with_name("notebook_worker.py")


@dataclass(frozen=True)
class Job:
    """One notebook to run: its name in reports, its file, its key in the state."""

    name: str
    path: Path
    key: str


@dataclass(frozen=True)
class Limits:
    """What every notebook gets. memory_mb None: no limit. threads: OMP_NUM_THREADS."""

    profile: str
    jobs: int
    timeout_s: float
    memory_mb: float | None
    threads: int


@dataclass
class Running:
    """A worker at work."""

    job: Job
    worker: subprocess.Popen
    process: psutil.Process
    folder: Path
    output: Path
    log: Path
    started: float = field(default_factory=time.monotonic)
    interrupted: float | None = None
    peak_mb: float = 0.0
    seen: set[psutil.Process] = field(default_factory=set)

    def interrupt(self) -> None:
        """Ctrl-C for the kernel: its traceback then shows the line that takes so long."""
        self.interrupted = time.monotonic()
        with contextlib.suppress(psutil.Error, ValueError):
            for kernel in self.process.children():
                kernel.send_signal(signal.SIGINT)

    def end(self) -> None:
        """End the worker and all that it started, and remove its folder."""
        end_tree(self.process, self.seen)
        self.worker.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_all(
    jobs: list[Job],
    limits: Limits,
    out: Path,
    done: Callable[[Job, Result], None],
    stopping: Callable[[], bool],
) -> None:
    """Run `jobs`, calling `done` after each. Returns early once `stopping()` is true: what runs
    then is ended, and `done` is not called for it."""
    waiting, running = list(jobs), []
    try:
        while (waiting or running) and not stopping():
            while waiting and len(running) < limits.jobs:
                running.append(_start(waiting.pop(0), limits, out))
            time.sleep(POLL_S)
            _sample(running)
            for each in list(running):
                result = _look(each, limits)
                if result:
                    running.remove(each)
                    each.end()
                    done(each.job, result)
    finally:
        for each in running:
            each.end()


def _start(job: Job, limits: Limits, out: Path) -> Running:
    folder = Path(tempfile.mkdtemp(prefix="nb-"))
    (folder / "cwd").mkdir()
    output = out / "notebooks" / job.name
    log = output.with_suffix(".log")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)  # An old result must never be taken for this run's.
    spec = {
        "input": str(job.path),
        "output": str(output),
        "profile": limits.profile,
        "kernel": "python3",
        "folder": str(folder),
        "parent_pid": os.getpid(),
    }
    with open(log, "wb") as stream:
        worker = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(spec)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=_environment(folder, limits),
            start_new_session=True,  # Ctrl-C reaches the runner alone, which ends workers itself.
        )
    return Running(job, worker, psutil.Process(worker.pid), folder, output, log)


def _environment(folder: Path, limits: Limits) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name != "COURSE_GRADING"}
    # A person's IPython start-up files and learner's log are no part of a run.
    private = {"IPYTHONDIR": folder / "ipython", "COURSE_STATE": folder / "state"}
    env |= {name: str(path) for name, path in private.items()}
    return env | {"OMP_NUM_THREADS": str(limits.threads)}


def _sample(running: list[Running]) -> None:
    below = descendants_of({each.worker.pid for each in running})
    for each in running:
        processes = below[each.worker.pid]
        each.seen.update(processes)
        each.peak_mb = max(each.peak_mb, memory_mb(processes))


def _look(each: Running, limits: Limits) -> Result | None:
    """The result if the notebook is finished or over a limit; None while it is fine."""
    status = each.worker.poll()
    seconds = time.monotonic() - each.started
    if limits.memory_mb is not None and each.peak_mb > limits.memory_mb:
        text = f"Used {each.peak_mb:.0f} MB, over the limit of {limits.memory_mb:g} MB."
        failures = [_ended(each, text)]
    elif each.interrupted is not None:
        if status is None and time.monotonic() - each.interrupted < GRACE_S:
            return None
        failures = [_ended(each, f"Ended after the limit of {limits.timeout_s:g} s.")]
    elif status is not None:
        failures = _failures(each, status)
    else:
        if seconds > limits.timeout_s:
            each.interrupt()
        return None
    return Result(
        name=each.job.name,
        profile=limits.profile,
        status="failed" if failures else "passed",
        seconds=round(seconds, 2),
        peak_memory_mb=round(each.peak_mb, 1),
        failures=failures,
    )


def _ended(each: Running, sentence: str) -> Failure:
    each.end()  # Before the notebook is read: papermill may be writing it.
    return running_cell(load_cells(each.output), sentence)


def _failures(each: Running, status: int) -> list[Failure]:
    cells = load_cells(each.output)
    if status == KERNEL_DIED:
        return [running_cell(cells, "The kernel died (a crash in native code, or no memory left).")]
    if status not in (0, FAILED) or cells is None:
        log = plain(each.log.read_text(encoding="utf-8", errors="replace"))
        last = (log.strip().splitlines() or [f"the worker ended with status {status}"])[-1]
        return [Failure(f"papermill could not run the notebook: {last}", text=log)]
    failures = failures_in(cells)
    if status == FAILED and not failures:
        failures = [Failure("papermill says that a cell failed, and no cell shows an error.")]
    return failures
