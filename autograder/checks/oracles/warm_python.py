"""Python programs of judges, forked from a process that has loaded PyTorch: for banks of many answers.

Loading PyTorch takes longer than most races of module 1.6's project. Only the bank's answers, which are
the course's own, are run like this; a learner's program is started afresh.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from lab.cuda import process

ZYGOTE = """
import json, os, runpy, sys, traceback
import numpy, torch
torch.set_num_threads(1)
for line in sys.stdin:
    folder, program = json.loads(line)
    pid = os.fork()
    if not pid:
        status = 0
        try:
            os.setsid()
            os.chdir(folder)
            log = os.open("stderr", os.O_WRONLY | os.O_CREAT)
            for stream in (1, 2):
                os.dup2(log, stream)
            sys.path.insert(0, folder)
            sys.argv = [program]
            runpy.run_path(program, run_name="__main__")
        except BaseException:
            status = 1
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(status)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@contextlib.contextmanager
def loaded() -> Iterator[None]:
    """Inside the block, `python PROGRAM` is forked from one process; that ends with the block."""
    started = []

    def run(argv, files, outputs, wall_s):
        if argv[0] != sys.executable or len(argv) != 2:
            return process.run(argv, files, outputs, wall_s)
        if not started:
            started.append(_start())
        return _run(started[0], argv[1], files, outputs, wall_s)

    try:
        with process.run_by(run):
            yield
    finally:
        for zygote in started:
            zygote.stdin.close()  # it reads to the end, and leaves
            zygote.stdout.close()
            zygote.wait(30)


def _start() -> subprocess.Popen:
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(threads, "1"), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", ZYGOTE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
        bufsize=0,
    )


def _run(zygote, program, files, outputs, wall_s) -> process.Ended:
    with process._folder(process.scratch()) as folder:
        for name, data in files.items():
            with open(f"{folder}/{name}", "wb") as out:
                out.write(data)
        zygote.stdin.write(json.dumps([folder, program]).encode() + b"\n")
        pid, reason = int(zygote.stdout.readline()), ""
        deadline = time.monotonic() + wall_s
        if not select.select([zygote.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            reason = f"it ran for more than {wall_s:g} s"
            os.killpg(pid, signal.SIGKILL)
        status = int(zygote.stdout.readline())
        found = {}
        for name in outputs:
            if os.path.isfile(f"{folder}/{name}"):
                with open(f"{folder}/{name}", "rb") as made:
                    found[name] = made.read()
        with open(f"{folder}/stderr", "rb") as log:
            return process.Ended(status, reason, log.read(process.MOST_STREAM_BYTES), found)
