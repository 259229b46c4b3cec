"""A keeper's talk with its client: lines of JSON over a socket, from start to the kernel's end.

Client: {"op": "start", "policy": ..., "connection_file": ..., "require": ...}, or "argv" of a program
in place of the connection file; later
{"op": "signal", "number": n} and {"op": "end"}. Keeper: {"started": layers, "kernel": pid} or
{"refused": sentence}, at the end {"ended": {"status": n, "reason": text, "peak_mb": x}}. When the
client's socket closes, the kernel ends.
"""

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable

from autograder.grading.sandbox.layers import SandboxRefused, demand, to_plain
from autograder.grading.sandbox.policy import Policy
from autograder.grading.warm import keeper
from autograder.grading.warm.watch import Watch

LOOK_EVERY_S = 0.1
MOST_BYTES = 1 << 20
ASKED = "asked"
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGKILL}


def send(connection: socket.socket, message: dict) -> None:
    """One message; a client that has gone does not matter."""
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(message).encode() + b"\n")


def receive(connection: socket.socket) -> dict:
    """The first message of a client. Raises ValueError when it is none."""
    data = b""
    while not data.endswith(b"\n"):
        more = connection.recv(65536)
        data += more
        if not more or len(data) > MOST_BYTES:
            raise ValueError("the client sent no request")
    return json.loads(data)


def serve(connection: socket.socket, request: dict, body: Callable[[], int]) -> None:
    """Run `body` as the kernel that a client asks for, and stay with it to its end."""
    policy = Policy.from_plain(request["policy"])
    try:
        policy.check()
        started = keeper.start(policy, body)
    except (RuntimeError, ValueError, OSError) as error:
        send(connection, {"failed": str(error)})
        return
    if request.get("require"):
        try:
            demand(started.layers)
        except SandboxRefused as error:
            keeper.end(started)
            send(connection, {"refused": str(error)})
            return
    send(connection, {"started": to_plain(started.layers), "kernel": started.kernel})
    watch = Watch(started.first, policy)
    reason = _stay(connection, started, watch)
    code = keeper.end(started)
    said = "" if reason == ASKED else reason or say(code, policy)
    ended = {"status": code, "reason": said, "peak_mb": round(watch.peak_mb, 1)}
    send(connection, {"ended": ended})


def _stay(connection: socket.socket, started: keeper.Started, watch: Watch) -> str:
    """Until the end: a limit's sentence, ASKED by the client, or "" when the kernel ended."""
    ending = os.pidfd_open(started.first)
    buffer = b""
    try:
        while True:
            ready, _, _ = select.select([connection, ending], [], [], LOOK_EVERY_S)
            if ending in ready:
                return ""
            if connection in ready:
                try:
                    more = connection.recv(65536)
                except OSError:
                    more = b""
                if not more:
                    return ASKED
                *lines, buffer = (buffer + more).split(b"\n")
                if any(_obey(json.loads(line), started) for line in lines):
                    return ASKED
            if broken := watch.broken():
                return broken
    finally:
        os.close(ending)


def _obey(message: dict, started: keeper.Started) -> bool:
    """Do what the client says. True: end the kernel."""
    if message["op"] == "end":
        return True
    kernel, number = started.kernel, message.get("number")
    if kernel is not None and number in SIGNALS:
        with contextlib.suppress(OSError):  # it may have just ended
            os.killpg(kernel, number)
    return False


def say(code: int, policy: Policy) -> str:
    """Why a kernel that nobody ended has ended; empty for an ordinary end."""
    if code == 0:
        return ""
    number = code - 128 if code > 128 else -code if code < 0 else 0
    if number == signal.SIGXCPU:
        return f"CPU time limit {policy.limits.cpu_s} s exceeded"
    if number == signal.SIGXFSZ:
        return f"file size limit {policy.limits.file_mb} MB exceeded"
    if number:
        try:
            return f"ended by {signal.Signals(number).name}"
        except ValueError:
            return f"ended by signal {number}"
    return f"left with status {code}"
