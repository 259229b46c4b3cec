"""Native code that a judge compiles and runs (lab.cuda): in the sandbox, like the learner's kernel.

A judge compares what the code does with an oracle; the code is the learner's, so neither the compiler
that reads it nor the program runs with the instructor's rights.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from autograder.grading.sandbox import program
from autograder.grading.sandbox.policy import Limits
from autograder.grading.warm import prepare
from lab.cuda import process

MEMORY_MB, PROCESSES, CPU_S = 2048, 32, 60


def run(
    argv: list[str],
    files: Mapping[str, bytes | np.ndarray | Path],
    outputs: Iterable[str],
    wall_s: float,
) -> process.Ended:
    """As lab.cuda.process.run, shut in."""
    given = {name: _bytes(data) for name, data in files.items()}
    # Python is called for NVRTC alone: it may read its own environment then, else nothing does.
    read = (sys.prefix, sys.base_prefix) if argv[0] == sys.executable else ()
    config = _config()
    done = program.run(
        argv,
        given,
        outputs=outputs,
        limits=Limits(
            wall_s=wall_s,
            cpu_s=CPU_S,
            memory_mb=MEMORY_MB,
            processes=PROCESSES,
            file_mb=64,
            disk_mb=256,
            open_files=256,
        ),
        read=read,
        server=config.get("server", ""),
        require=config.get("require", False),
        allow_unconfined=True,
    )
    # A program that ends by itself, whatever its status, was not ended from outside.
    reason = done.reason if done.status < 0 else ""
    return process.Ended(done.status, reason, done.stderr + done.stdout, done.files)


run.__name__ = "sandboxed"  # keeps what it compiled apart from what ran with the user's rights


@contextlib.contextmanager
def shut_in() -> Iterator[None]:
    """Inside the block, lab.cuda compiles and runs in the sandbox."""
    with process.run_by(run):
        yield


def _bytes(data: bytes | np.ndarray | Path) -> bytes:
    if isinstance(data, Path):
        return data.read_bytes()
    return data if isinstance(data, bytes) else data.tobytes()


def _config() -> dict:
    """What graded kernels are started with here: the warm server's socket, the layers required."""
    folder = os.environ.get(prepare.INHERITED, "")
    file = prepare.spec_file(folder) if folder else None
    if not file or not file.is_file():
        return {}
    return json.loads(file.read_text())["metadata"]["kernel_provisioner"]["config"]
