"""One notebook through papermill, in a process of its own. Started by run_notebooks.py.

Its one argument is a JSON object: input, output, profile, kernel, folder, parent_pid.
Exit status: 0 executed, FAILED a cell raised, KERNEL_DIED, NOT_RUN anything else; the log
(stdout and stderr) carries the reason.
"""

import json
import os
import signal
import sys
from pathlib import Path

FAILED, KERNEL_DIED, NOT_RUN = 20, 21, 22
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def _tie_to_parent(parent_pid: int) -> None:
    """On Linux: end with the runner, even if it is killed, and adopt the kernel's orphans.

    SIGUSR1, because nbclient takes SIGTERM for itself and then waits for a polite shutdown.
    """
    if sys.platform != "linux":
        return
    import ctypes

    signal.signal(signal.SIGUSR1, _end_with_children)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    if os.getppid() != parent_pid:  # It died before the line above took effect.
        sys.exit(NOT_RUN)


def _end_with_children(signum, frame) -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(NOT_RUN)


def _kernel_config(folder: Path):
    """Kernels talk over sockets in the notebook's own folder.

    TCP ports are chosen first and bound later, and kernels that start together lose that race
    now and then. A socket's path must stay short (104 characters on some systems).
    """
    from traitlets.config import Config

    prefix = str(folder / "k")
    if os.name != "posix" or len(prefix) > 90:
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": prefix}})


def main() -> int:
    """Execute the notebook that the argument describes; return the exit status."""
    spec = json.loads(sys.argv[1])
    _tie_to_parent(spec["parent_pid"])
    import papermill
    from nbclient.exceptions import DeadKernelError

    folder = Path(spec["folder"])
    try:
        papermill.execute_notebook(
            spec["input"],
            spec["output"],
            parameters={"PROFILE": spec["profile"]},
            kernel_name=spec["kernel"],
            cwd=str(folder / "cwd"),
            progress_bar=False,
            config=_kernel_config(folder),
        )
    except papermill.PapermillExecutionError:
        return FAILED  # The executed notebook holds the traceback.
    except DeadKernelError as error:
        print(error, file=sys.stderr)
        return KERNEL_DIED
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return NOT_RUN
    return 0


if __name__ == "__main__":
    sys.exit(main())
