"""The owner of a warm server, and a client's line to the keeper of one kernel."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from autograder.grading.sandbox.layers import Layer, SandboxRefused, from_plain
from autograder.grading.sandbox.policy import ENVIRONMENT, Policy

START_TIMEOUT_S = 60
# What the server itself needs; the kernels' environment comes with each request.
SERVER_ENVIRONMENT = (*ENVIRONMENT, "HOME", "XDG_CACHE_HOME", "PYTHONPATH")


def server_environment() -> dict[str, str]:
    """The owner's environment without secrets, and libraries told to start no threads."""
    kept = {name: os.environ[name] for name in SERVER_ENVIRONMENT if name in os.environ}
    single = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return (
        kept
        | dict.fromkeys(single, "1")
        | {
            "MPLBACKEND": "agg",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # ipykernel imports the debugger; it would warn
        }
    )


class Server:
    """A warm server of this process. It ends with close(), or when this process ends."""

    def __init__(self, folder: str):
        """Start it and return at once; clients wait while it imports.

        folder: a private folder (mode 0700) for the socket and the log.
        """
        self.path = f"{folder}/warm"
        self.log = Path(folder, "warm.log")
        command = [sys.executable, "-P", "-m", "autograder.grading.warm.server", self.path]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=server_environment(),
                start_new_session=True,
            )

    def close(self) -> None:
        """End it and its kernels."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Line:
    """A client's line to one kernel's keeper. Closing it ends the kernel.

    Attributes:
        warm: the kernel is forked from the warm server.
        note: why it is not, one sentence; empty when it is.
        layers: what each layer of the sandbox said.
        ended: None while the kernel runs, then status, reason and peak_mb.
    """

    def __init__(self):
        self.warm, self.note = False, ""
        self.layers: list[Layer] = []
        self.ended: dict | None = None
        self._socket: socket.socket | None = None
        self._cold: subprocess.Popen | None = None
        self._buffer = b""

    def start(self, server: str, policy: Policy, connection_file: str, require: bool) -> None:
        """Ask the server at the socket `server` for a kernel; without one, start a cold one.

        Raises:
            SandboxRefused: a layer is required that this machine does not give.
            RuntimeError: no kernel could be started, with the reason.
        """
        self._start(server, policy, {"connection_file": connection_file}, require)

    def start_program(self, server: str, policy: Policy, argv: list[str], require: bool) -> None:
        """The same for a program in place of a kernel."""
        self._start(server, policy, {"argv": argv}, require)

    def _start(self, server: str, policy: Policy, work: dict, require: bool) -> None:
        request = {"op": "start", "policy": policy.plain(), "require": require, **work}
        reply = self._ask(self._connect(server), request) if server else {}
        if "started" not in reply and "refused" not in reply:
            why = reply.get("unsafe") or reply.get("failed") or "the warm server does not answer"
            self.note = f"A cold kernel is used: {why}."
            reply = self._ask(self._start_cold(policy), request)
        else:
            self.warm = True
        if "refused" in reply:
            self.close()
            raise SandboxRefused(reply["refused"])
        if "started" not in reply:
            self.close()
            raise RuntimeError(reply.get("failed") or "No kernel could be started for grading.")
        self.layers = from_plain(reply["started"])

    def _connect(self, path: str) -> socket.socket | None:
        until = time.monotonic() + 5  # a server that has just been started binds its socket soon
        while time.monotonic() < until:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(path)
                return line
            except OSError:
                line.close()
                if not os.path.isdir(os.path.dirname(path)):
                    break
                time.sleep(0.02)
        return None

    def _start_cold(self, policy: Policy) -> socket.socket:
        ours, theirs = socket.socketpair()
        number = theirs.fileno()
        command = [sys.executable, "-P", "-m", "autograder.grading.warm.cold", str(number)]
        with theirs, open(f"{policy.private}/cold.log", "ab") as log:
            self._cold = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=server_environment(),
                pass_fds=[number],
            )
        return ours

    def _ask(self, line: socket.socket | None, request: dict) -> dict:
        if line is None:
            return {}
        self._socket = line
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            line.settimeout(START_TIMEOUT_S)
            while b"\n" not in self._buffer:
                more = line.recv(65536)
                if not more:
                    line.close()
                    return {}
                self._buffer += more
        except OSError:
            line.close()
            return {}
        first, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(first)

    def look(self) -> dict | None:
        """The end of the kernel if it has come, without waiting."""
        if self.ended is None and self._socket is not None:
            self._socket.settimeout(0)
            try:
                while more := self._socket.recv(65536):
                    self._buffer += more
                lost = {"status": 1, "reason": "the kernel's keeper has ended", "peak_mb": 0.0}
            except BlockingIOError:
                lost = None
            except OSError as error:
                lost = {"status": 1, "reason": str(error), "peak_mb": 0.0}
            told = [json.loads(x) for x in self._buffer.split(b"\n")[:-1]]
            self.ended = next((m["ended"] for m in told if "ended" in m), lost)
        return self.ended

    def wait(self, timeout_s: float) -> dict:
        """The end of the kernel, however long it takes up to `timeout_s`; then it is ended."""
        until = time.monotonic() + timeout_s
        ready = select.poll()
        ready.register(self._socket, select.POLLIN)
        while self.look() is None:
            left = until - time.monotonic()
            if left <= 0:
                lost = "the kernel's keeper does not answer"
                self.ended = {"status": 1, "reason": lost, "peak_mb": 0.0}
            else:
                ready.poll(1000 * left)
        return self.ended

    def say(self, **message) -> None:
        """Send a message to the keeper; one that has ended does not matter."""
        if self._socket is not None:
            self._socket.settimeout(5)
            with contextlib.suppress(OSError):
                self._socket.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """Close the line; the keeper ends the kernel."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._cold is not None:
            try:
                self._cold.wait(10)
            except subprocess.TimeoutExpired:
                self._cold.kill()
                self._cold.wait()
            self._cold = None
