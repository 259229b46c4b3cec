"""What runs inside a Dask worker: a relay between the grader and a process that grades (child).

Light on purpose: the worker's own process, whose connections Dask trusts, reads nothing of a
submission. It passes bytes on. Functions here return plain dicts that msgpack can carry.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from multiprocessing.connection import Connection
from typing import Any

from distributed import get_worker

from autograder.grading.cluster.parcel import MAX_BYTES, MAX_JSON_BYTES
from autograder.grading.pool import end_tree

START_S = 180

_children: dict[str, "Child"] = {}
_enlisting = threading.Lock()


class Child:
    """One grading process, for one bundle. One task at a time."""

    def __init__(self, bundle: bytes, folder: str):
        """Start it in a folder of its own below `folder`, which it has to itself."""
        self.lock = threading.Lock()
        self.folder = tempfile.mkdtemp(prefix="course-", dir=folder)
        if os.geteuid() == 0:
            os.chmod(self.folder, 0o711)  # kernels of other user ids pass to their own folders
        here, there = socket.socketpair()
        env = {k: v for k, v in os.environ.items() if k not in ("COURSE_SECRET", "COURSE_STATE")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autograder.grading.cluster.child", str(there.fileno())],
            cwd=self.folder,
            env={**env, "COURSE_ROOT": self.folder},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[there.fileno()],
            start_new_session=True,
        )
        there.close()
        self.connection = Connection(here.detach())
        try:
            self.connection.send_bytes(bundle)
            if not self.connection.poll(START_S):
                raise EOFError
            self.hello = self.connection.recv_bytes(MAX_JSON_BYTES)
        except (EOFError, OSError):
            self.end()
            self.hello = b""

    def ask(self, task: tuple) -> dict[str, Any]:
        """{"answer": bytes} or, if the process ended over it, {"died": exit code}."""
        try:
            self.connection.send(task)
            return {"answer": self.connection.recv_bytes(8 + MAX_JSON_BYTES + MAX_BYTES)}
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self.end()
            return {"died": self.process.returncode}

    def end(self) -> None:
        """End the process, whatever it started, and its folder."""
        end_tree(self.process.pid)
        self.process.wait()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def enlist(name: str, bundle: bytes) -> dict[str, Any]:
    """Have a process ready that grades with this bundle. {"hello": JSON}, or {"died": exit code}."""
    with _enlisting:
        child = _children.get(name)
        if child is None or child.process.poll() is not None:
            child = _children[name] = Child(bundle, get_worker().local_directory)
        if not child.hello:
            del _children[name]
            return {"died": child.process.returncode}
        return {"hello": child.hello}


def grade(name: str, task: tuple) -> dict[str, Any]:
    """Child.ask, or {"gone": True} where no process has this bundle: another worker is here now."""
    child = _children.get(name)
    if child is None or child.process.poll() is not None:
        return {"gone": True}
    with child.lock:
        return child.ask(task)


def dismiss(name: str) -> None:
    """End the process that grades with this bundle."""
    child = _children.pop(name, None)
    if child is not None:
        child.end()
