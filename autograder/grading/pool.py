"""A pool of worker processes in which a worker that dies costs its own task only.

concurrent.futures gives up the whole pool when one process dies; a class cannot afford that.
Workers answer in JSON text: nothing that they send is unpickled.
"""

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.connection import Connection, arbitrary_address, wait
from typing import Any

import psutil

ATTEMPTS = 2


class CannotStart(Exception):
    """A worker could not set itself up; the others could not either."""


@dataclass
class Died:
    """In place of a result: every worker that took the task died.

    exit_code: as of Process. how: in its place, where the process itself is out of sight.
    """

    exit_code: int | None
    how: str = ""

    def how_it_ended(self) -> str:
        """In some words."""
        if self.exit_code is not None and self.exit_code < 0:
            return signal.Signals(-self.exit_code).name
        return self.how or f"exit status {self.exit_code}"

    def sentence(self) -> str:
        """What the instructor reads."""
        return (
            f"The process that graded it died {ATTEMPTS} times ({self.how_it_ended()}), "
            "perhaps for want of memory: zeros until it is graded again."
        )


def warm_up(*modules: str, alone: bool) -> None:
    """Have `modules` imported in the process that workers are forked from.

    alone: this process has no thread, file or database open yet: it imports the modules itself and
        splits that process off. Otherwise multiprocessing starts it anew, and it imports them again.
    """
    if not alone:
        multiprocessing.get_context("forkserver").set_forkserver_preload(list(modules))
        forkserver.ensure_running()
        return
    gc.disable()
    try:
        for name in modules:
            importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()
    nursery = forkserver._forkserver
    with nursery._lock, socket.socket(socket.AF_UNIX) as listener:
        if nursery._forkserver_pid is not None:
            return
        resource_tracker.ensure_running()
        listener.bind(arbitrary_address("AF_UNIX"))
        listener.listen()
        # All that may ask for workers hold the other end: when they are gone, so is the nursery.
        alive, held = os.pipe()
        util._flush_std_streams()
        pid = os.fork()
        if not pid:
            _nursery(listener, alive)
        os.close(alive)
        nursery._forkserver_address = listener.getsockname()
        nursery._forkserver_alive_fd, nursery._forkserver_pid = held, pid


def _nursery(listener: socket.socket, alive: int) -> None:
    """Fork workers until nobody is left to ask for one."""
    code = 1
    try:
        # What else is open here is the owner's: a pipe whose end another process waits for.
        low = 3
        for kept in (*sorted((listener.fileno(), alive, resource_tracker.getfd())), util.MAXFD):
            if low < kept:
                os.closerange(low, kept)
            low = kept + 1
        forkserver.main(listener.detach(), alive, [])
    except SystemExit:
        code = 0
    finally:
        os._exit(code)


class Pool:
    """Workers that each build a handler, `make(*setup)`, and call it for task after task.

    make, setup and tasks are pickled on the way to the worker; a handler returns JSON data.
    """

    def __init__(self, jobs: int, make: Callable, setup: tuple):
        self._context = multiprocessing.get_context("forkserver")
        self._start = (make, setup, dict(os.environ), os.getcwd())
        self.jobs = jobs
        self._workers: dict[Connection, tuple[Any, Any]] = {}

    def run(
        self, keys: Iterable[str], load: Callable[[str], tuple]
    ) -> Iterator[tuple[str, dict | Died]]:
        """Results as they come. load(key) gives a task's arguments when its turn has come.

        A result tells in "attempts" how many workers took the task. Raises CannotStart.
        """
        waiting = deque((key, 1) for key in keys)
        for _ in range(min(self.jobs, len(waiting))):
            self._hire()
        while True:
            for connection, (process, task) in list(self._workers.items()):
                if task is None and waiting:
                    self._hand_out(connection, process, waiting.popleft(), load)
            busy = [c for c, (_, task) in self._workers.items() if task is not None]
            if not busy:
                return
            for connection in wait(busy):
                process, (key, attempt) = self._workers[connection]
                try:
                    result = json.loads(connection.recv_bytes())
                except (EOFError, OSError):
                    exit_code = self._bury(connection, patience_s=5)
                    self._hire()
                    if attempt < ATTEMPTS:
                        waiting.appendleft((key, attempt + 1))
                    else:
                        yield key, Died(exit_code)
                    continue
                if "cannot_start" in result:
                    raise CannotStart(result["cannot_start"])
                self._workers[connection] = (process, None)
                yield key, {**result, "attempts": attempt}

    def close(self) -> None:
        """End the workers and whatever they started."""
        for connection in list(self._workers):
            self._bury(connection)

    def _hire(self) -> None:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_work, args=(there, *self._start), daemon=False)
        process.start()
        there.close()
        self._workers[here] = (process, None)

    def _hand_out(self, connection: Connection, process: Any, task: tuple, load: Callable) -> None:
        self._workers[connection] = (process, task)
        # A worker that is gone is noticed when its answer is waited for.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.send(load(task[0]))

    def _bury(self, connection: Connection, patience_s: float = 0) -> int | None:
        process, _ = self._workers.pop(connection)
        process.join(patience_s)
        end_tree(process.pid)
        process.join(10)
        connection.close()
        return process.exitcode


def end_tree(pid: int, itself: bool = True) -> None:
    """Kill a process that we started, and its descendants."""
    try:
        process = psutil.Process(pid)
        found = process.children(recursive=True) + ([process] if itself else [])
    except psutil.NoSuchProcess:
        return
    for each in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def _work(connection: Connection, make: Callable, setup: tuple, env: dict, folder: str) -> None:
    """A worker's life: ends when the pool closes the connection or dies."""
    # Ctrl-C goes to the whole terminal; the pool decides. (Kernels must not inherit SIG_IGN.)
    signal.signal(signal.SIGINT, lambda *_: None)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    with open(os.devnull, "r+b") as nowhere:
        for stream in (0, 1, 2):
            os.dup2(nowhere.fileno(), stream)
    # A notebook is many small objects that live as long as its grading.
    gc.set_threshold(20_000, 20, 20)
    try:
        handle = make(*setup)
        gc.freeze()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        connection.send_bytes(json.dumps({"cannot_start": text}).encode())
        return
    while True:
        try:
            arguments = connection.recv()
        except EOFError:
            return
        connection.send_bytes(json.dumps(handle(*arguments)).encode())


def _end_with_parent() -> None:
    """No worker, and no kernel of one, outlives a run that was killed."""
    wait([multiprocessing.parent_process().sentinel])
    end_tree(os.getpid(), itself=False)
    os._exit(1)
