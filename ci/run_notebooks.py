"""Runs notebooks through papermill, side by side, and says which of them are broken.

    python ci/run_notebooks.py                      every solution notebook, on the CPU
    python ci/run_notebooks.py --resume             only those that have not passed yet
    python ci/run_notebooks.py --profile gpu PATH   on a CUDA machine

A notebook passes when every cell ran, every check gave full points and wrote nothing to stderr,
and it kept to its time and memory. Exit status: 0 all passed, 1 some failed, 2 it could not
start, 130 interrupted with Ctrl-C, 143 ended by SIGTERM.
"""

import contextlib
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import click
from notebook_pool import Job, Limits, run_all
from report_files import failures_text, totals, write_reports
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from run_state import Result, State, environment_digest, notebook_key

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "autograder" / "work" / "source"
TIMEOUT_S = {"cpu": 120.0, "gpu": 1800.0}
MEMORY_MB = {"cpu": 4096.0, "gpu": None}  # On a GPU machine models go through host memory.


class CannotRun(click.ClickException):
    """Nothing was run, for the reason that the one sentence gives."""

    exit_code = 2


def find_notebooks(paths: tuple[str, ...]) -> list[Path]:
    """The notebooks under `paths`, sorted. Raises CannotRun where there is nothing to run."""
    if not paths and not SOURCE.is_dir():
        raise CannotRun(
            "There is no autograder/work/source: run `course build` first, or name notebooks."
        )
    found: set[Path] = set()
    for path in [Path(p).resolve() for p in paths] or [SOURCE]:
        if path.is_dir():
            below = {p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts}
            if not below:
                raise CannotRun(f"{_shown(path)} holds no notebooks: nothing to run.")
            found |= below
        elif path.suffix == ".ipynb" and path.is_file():
            found.add(path)
        else:
            raise CannotRun(f"{_shown(path)} is neither a folder nor an .ipynb file.")
    return sorted(found)


def _shown(path: Path) -> str:
    for base in (SOURCE, ROOT):
        with contextlib.suppress(ValueError):
            return path.relative_to(base).as_posix()
    return path.as_posix().removeprefix(path.anchor)


def require_own_kernel() -> None:
    """Raise CannotRun unless the kernel "python3" starts the interpreter that runs this."""
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import KernelManager

    cure = f"Run `{sys.executable} -m ipykernel install --sys-prefix`"
    try:
        command = KernelManager(kernel_name="python3").format_kernel_cmd()[0]
    except NoSuchKernel:
        raise CannotRun(f"Jupyter finds no kernel named python3. {cure}.") from None
    # Not resolved: the Python of a virtual environment is a link to the one it was made from.
    ours, theirs = (Path(os.path.abspath(p)) for p in (sys.executable, command))
    if ours.parent != theirs.parent or not theirs.exists() or not ours.samefile(theirs):
        raise CannotRun(
            f"The kernel python3 starts {theirs}, not {ours}, so it would test another "
            f"environment. {cure}, or remove the other one (`jupyter kernelspec list`)."
        )


def require_gpu() -> None:
    """Raise CannotRun unless torch can use a CUDA device."""
    import torch

    if not torch.cuda.is_available():
        raise CannotRun(
            "--profile gpu needs a CUDA device, and torch sees none here: use --profile cpu, "
            "or see `course doctor`."
        )


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def only_run_in(out: Path):
    """Hold `out` for this run alone. Raises CannotRun if another run holds it."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(out / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(
                f"Another run is using {out}: wait for it, or give another --out."
            ) from None
        yield


class Stop:
    """Remembers the first SIGINT or SIGTERM, so that a run ends in order."""

    def __init__(self):
        self.signal = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number, frame) -> None:
        self.signal = self.signal or number

    def __call__(self) -> bool:
        return self.signal != 0


def run(jobs: list[Job], limits: Limits, out: Path, resume: bool, stop: Stop) -> list[Result]:
    """Run what has to run; the results of all jobs, in their order."""
    state = State(out / "state.json")
    if resume and state.unreadable:
        click.echo("state.json cannot be read, so every notebook runs.", err=True)
    results = {job: Result(job.name, limits.profile) for job in jobs}
    for job in jobs:
        results[job] = (resume and state.passed(job.key)) or results[job]
    waiting = [job for job in jobs if not results[job].resumed]
    if len(waiting) < len(jobs):
        click.echo(f"{len(jobs) - len(waiting)} passed earlier and are skipped.")
    # The longest first, so that none of them is left alone at the end.
    waiting.sort(key=lambda job: -state.seconds(job.name, limits.profile))
    threads = max(1, cores() // max(1, min(limits.jobs, len(waiting))))
    with _progress(len(waiting)) as finished:

        def done(job: Job, result: Result) -> None:
            results[job] = result
            state.record(job.key, result)
            finished(result)

        run_all(waiting, replace(limits, threads=threads), out, done, stop)
    return list(results.values())


@contextlib.contextmanager
def _progress(total: int):
    console = Console(soft_wrap=True, highlight=False)
    columns = (TextColumn("Notebooks"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def finished(result: Result) -> None:
            figures = f"{result.seconds:7.1f} s {result.peak_memory_mb:7.0f} MB"
            bar.console.print(f"{result.status:6} {figures}  {result.name}", markup=False)
            bar.advance(task)

        yield finished


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1)
@click.option("--profile", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="At once [cpu: cores, gpu: 1].")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS")
@click.option("--memory-limit-mb", type=click.FloatRange(min=0, min_open=True), metavar="MB")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "ci/out")
@click.option("--resume", is_flag=True, help="Skip what passed with the same content.")
@click.option("--fresh", is_flag=True, help="Forget earlier results first.")
def main(paths, profile, jobs, timeout, memory_limit_mb, out, resume, fresh):
    """Run notebooks (files or folders; default: every solution notebook) through papermill.

    SECONDS counts for a whole notebook (cpu: 120, gpu: 1800), MB for its kernel and what that
    starts (cpu: 4096, gpu: no limit).
    """
    stop, out = Stop(), out.resolve()
    if resume and fresh:
        raise CannotRun("--resume keeps earlier results and --fresh drops them: choose one.")
    notebooks = find_notebooks(paths)
    require_own_kernel()
    if profile == "gpu":
        require_gpu()
    limits = Limits(
        profile=profile,
        # Notebooks that share one GPU would disturb each other's memory and timings.
        jobs=jobs or (cores() if profile == "cpu" else 1),
        timeout_s=timeout or TIMEOUT_S[profile],
        memory_mb=memory_limit_mb or MEMORY_MB[profile],
        threads=1,  # Known once it is known how many run at once.
    )
    with only_run_in(out):
        if fresh:
            (out / "state.json").unlink(missing_ok=True)
            shutil.rmtree(out / "notebooks", ignore_errors=True)
        environment = environment_digest(ROOT)
        jobs = [Job(_shown(p), p, notebook_key(p, profile, environment)) for p in notebooks]
        results = run(jobs, limits, out, resume, stop)
        write_reports(results, profile, out)
    sys.exit(conclude(results, out, stop))


def conclude(results: list[Result], out: Path, stop: Stop) -> int:
    """Print failures and totals; the exit status."""
    text = failures_text(results)
    if text:
        click.echo(f"\n{text}\n")
    left = sum(result.status == "not run" for result in results)
    if left:
        click.echo(f"Interrupted: {left} of {len(results)} not run; --resume runs them.")
    click.echo(f"Report: {_shown(out / 'report.html')}")
    click.echo(totals(results))
    if stop() and left:
        return 128 + stop.signal
    return int(any(result.status == "failed" for result in results))


if __name__ == "__main__":
    main()
