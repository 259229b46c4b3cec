"""Make the kernel `course-graded` known to this process and those it starts, and warm it up."""

import atexit
import functools
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder.grading.sandbox import folders
from autograder.grading.sandbox.policy import Limits
from autograder.grading.warm.client import Server

KERNEL = "course-graded"
# Tells the processes that this one starts where the prepared kernel is.
INHERITED = "COURSE_GRADED_KERNEL"
FALLBACK = "python3"


@dataclass
class Prepared:
    """What prepare() set up.

    Attributes:
        kernel_name: for nbclient, papermill or nbgrader's Execute.
        note: what is less than it should be, one sentence; empty when nothing is.
        server: the warm server, None without one.
        folder: the private folder with the kernelspec and the kernels' folders.
        config: the provisioner's settings, as written in the kernelspec.
    """

    kernel_name: str
    note: str
    server: Server | None
    folder: str
    config: dict = field(default_factory=dict)

    def close(self) -> None:
        """End the server and its kernels; forget the kernel's name."""
        if self.server is not None:
            self.server.close()
            self.server = None
        if self.folder:
            os.environ.pop(INHERITED, None)
            paths = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
            kept = [path for path in paths if path and path != self.folder]
            os.environ["JUPYTER_PATH"] = os.pathsep.join(kept)
            folders.remove(self.folder)


def prepare(
    *,
    read: Iterable[str] = (),
    keep_environment: Iterable[str] = (),
    limits: Limits | None = None,
    require: bool = False,
    warm: bool = True,
) -> Prepared:
    """Write the kernelspec into a private folder on JUPYTER_PATH and start the warm server.

    Returns at once; the first kernel waits for the server's imports. Processes that are started
    afterwards inherit JUPYTER_PATH and share the server. Everything ends with this process.

    Args:
        read: further paths that kernels may read.
        keep_environment: further names of the environment to keep.
        limits: what a kernel may spend.
        require: kernels refuse to start without every layer of the sandbox (SandboxRefused).
        warm: False: cold kernels only.
    """
    if not sys.platform.startswith("linux"):
        note = f"There is no sandbox on {sys.platform}: grade only submissions that you trust."
        return Prepared(FALLBACK, note, None, "")
    # Short: socket names have 107 bytes (unix(7)). Private: mkdtemp makes it 0700.
    base = None if len(tempfile.gettempdir()) < 60 else "/tmp"
    folder = tempfile.mkdtemp(prefix="course-", dir=base)
    if os.geteuid() == 0:
        os.chmod(folder, 0o711)  # kernels of other user ids pass to their own folders
    server = Server(folder) if warm else None
    config = {
        "server": server.path if server else "",
        "folder": folder,
        "read": list(read),
        "keep_environment": list(keep_environment),
        "limits": asdict(limits or Limits()),
        "require": require,
    }
    write_spec(folder, config)
    paths = os.environ.get("JUPYTER_PATH", "")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (folder, paths)))
    os.environ[INHERITED] = folder
    prepared = Prepared(KERNEL, "", server, folder, config)
    atexit.register(prepared.close)
    return prepared


@functools.cache
def shared(require: bool = False) -> Prepared:
    """The kernel that this process grades with, prepared at the first call.

    A process that was started by one which had prepared it shares that one's warm server.
    """
    folder = os.environ.get(INHERITED, "")
    if folder and (file := spec_file(folder)).is_file():
        config = json.loads(file.read_text())["metadata"]["kernel_provisioner"]["config"]
        if require and not config["require"]:
            write_spec(folder, config | {"require": True})
        return Prepared(KERNEL, "", None, "")
    return prepare(require=require)


def spec_file(folder: str, name: str = KERNEL) -> Path:
    """Where the kernelspec is, in a folder of JUPYTER_PATH."""
    return Path(folder, "kernels", name, "kernel.json")


def write_spec(folder: str, config: dict, name: str = KERNEL) -> None:
    """The kernelspec, found through JUPYTER_PATH/kernels/NAME/kernel.json."""
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Course, graded",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"kernel_provisioner": {"provisioner_name": "course-warm", "config": config}},
    }
    path = spec_file(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(spec, indent=1), encoding="utf-8")
