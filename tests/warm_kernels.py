"""Kernels of the course's own kind, run through nbclient, for tests."""

import functools
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from autograder.grading.sandbox import Limits
from autograder.grading.warm.prepare import prepare, write_spec


@dataclass
class Run:
    """What a notebook's cells printed or raised ("Error: text"), and how its kernel ended."""

    said: list[str]
    provisioner: object
    died: bool

    @property
    def reason(self) -> str:
        return self.provisioner.ended["reason"]


def run(*cells: str, kernel: str = "course-graded", folder: Path | None = None, timeout=60) -> Run:
    """Run cells in a new kernel, errors allowed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(
        notebook,
        kernel_name=kernel,
        timeout=timeout,
        allow_errors=True,
        resources={"metadata": {"path": str(folder or tempfile.mkdtemp())}},
        shutdown_kernel="immediate",
    )
    died = False
    client.create_kernel_manager()
    client.start_new_kernel()
    provisioner = client.km.provisioner
    try:
        client.start_new_kernel_client()
        with client.setup_kernel():
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
    except (DeadKernelError, CellTimeoutError):
        died = True
    return Run([_text(cell) for cell in notebook.cells], provisioner, died)


def _text(cell) -> str:
    parts = []
    for out in cell.outputs:
        if out.output_type == "error":
            parts.append(f"{out.ename}: {out.evalue}")
        else:
            parts.append(out.get("text") or out.get("data", {}).get("text/plain", ""))
    return "".join(parts).strip()


SMALL = Limits(wall_s=30, cpu_s=30, memory_mb=1200, processes=48, disk_mb=64)
NO_FILE = ("FileNotFoundError", "PermissionError", "OSError")


@functools.cache
def _prepared():
    # A class's secret is in the environment of the server's owner.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_SECRET", "hush-hush")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
        return prepare(limits=SMALL)


@pytest.fixture(name="kernels")
def kernels_fixture():
    """The warm server; one for all tests of a process, ended with it."""
    return _prepared()


def variant(kernels, name, **changes):
    """The same server, other limits."""
    limits = asdict(SMALL) | changes
    write_spec(kernels.folder, kernels.config | {"limits": limits}, name)
    return name


def needs(found, *names):
    """Skip where the machine does not give a layer that the test is about."""
    for layer in found.provisioner.layers:
        if not layer.held and layer.name in names:
            pytest.skip(str(layer))


def failed(text, *errors):
    """Whether a cell raised one of these."""
    return text.split(":")[0] in errors
