"""The warm server: imports the heavy libraries once and forks a kernel for each request.

`python -m autograder.grading.warm.server SOCKET`. Its life is its standard input's: when the owner
closes it or dies, every kernel ends. It imports no check, no oracle and no answer, and is started
with a scrubbed environment, because every kernel is a copy of its memory.
"""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable

from autograder.grading.sandbox import apply, libc
from autograder.grading.warm import kernel, program, session
from autograder.grading.warm.fingerprint import fingerprint

INHERITED = "COURSE_WARM_LISTENER"
BACKLOG = 256


def preload(names: tuple[str, ...]) -> str:
    """Import ahead of the forks, with one thread each. Returns why a fork is unsafe, or ''."""
    gc.disable()  # imports make objects that stay
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"not preloaded: {error}", file=sys.stderr)
    apply.load()
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
        if torch.cuda.is_initialized():
            return "CUDA has been started before the fork"
    gc.collect()
    gc.enable()
    gc.freeze()  # collections in a child leave these objects' pages shared
    return threads()


def threads() -> str:
    """Why this process must not fork now: more threads than one; '' when it may."""
    native = len(os.listdir("/proc/self/task"))
    if native > 1 or threading.active_count() > 1:
        names = ", ".join(t.name for t in threading.enumerate()[1:]) or "native"
        return f"{native} threads run before the fork ({names})"
    return ""


def listen(path: str) -> socket.socket:
    """The listening socket: a new one, or the one that a restart handed on."""
    if number := os.environ.pop(INHERITED, ""):
        return socket.socket(fileno=int(number))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(BACKLOG)
    return listener


def main(path: str) -> int:
    """Serve until standard input is closed."""
    listener = listen(path)  # before the imports: early clients wait in the backlog
    unsafe = preload((*kernel.PRELOAD, *kernel.MACHINERY))
    known = fingerprint()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who closes our input
    keepers: set[int] = set()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], 0.5)
        reap(keepers)
        if sys.stdin in ready and not os.read(0, 4096):
            for pid in keepers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return 0
        if listener not in ready:
            continue
        if fingerprint() != known:
            restart(listener, path)
        connection, _ = listener.accept()
        answer(connection, listener, unsafe or threads(), keepers)


def answer(connection: socket.socket, listener: socket.socket, unsafe: str, keepers: set) -> None:
    """Fork a keeper for one client, or say why that is not safe."""
    with connection:
        if unsafe:
            session.send(connection, {"unsafe": unsafe})
            return
        pid = os.fork()
        if pid:
            keepers.add(pid)
            return
        code = 1
        try:
            listener.close()
            become_keeper(connection)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)


def become_keeper(connection: socket.socket) -> None:
    """In a process of its own: read the request and serve it."""
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # The kernel's own handler comes back: it is interrupted by this signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection.settimeout(30)
    request = session.receive(connection)
    connection.settimeout(None)
    session.serve(connection, request, body_of(request))


def body_of(request: dict) -> Callable[[], int]:
    """What a client wants to be run: a program or a kernel."""
    if "argv" in request:
        return lambda: program.become(request["argv"])
    return lambda: kernel.run(request["connection_file"])


def reap(keepers: set[int]) -> None:
    """Collect keepers that have ended."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        keepers.discard(pid)


def restart(listener: socket.socket, path: str) -> None:
    """Start afresh in the same process; waiting clients stay in the backlog."""
    print("libraries or files have changed: restarting", file=sys.stderr)
    sys.stderr.flush()
    os.set_inheritable(listener.fileno(), True)
    os.environ[INHERITED] = str(listener.fileno())
    os.execv(sys.executable, [sys.executable, "-P", "-m", "autograder.grading.warm.server", path])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
