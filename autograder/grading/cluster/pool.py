"""A pool whose workers are Dask's: the same interface as the local pool.

Dask carries the tasks; which worker gets which is decided here, one at a time, each bound to its
worker. So a lost worker costs one task one attempt, and nothing is ever graded a third time,
whatever the scheduler's settings are.
"""

import hashlib
import json
import logging
import queue
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client, Future

from autograder.grading.cluster import worker as relay
from autograder.grading.cluster.parcel import Refused, from_bytes, unpack
from autograder.grading.cluster.version import differences, version
from autograder.grading.pool import ATTEMPTS, CannotStart, Died
from autograder.grading.task import not_graded, sentence

CONNECT_S = 10
POLL_S = 0.5
CLOSE_S = 5


@dataclass
class Task:
    """A submission to grade. attempt: counts from 1; avoid: the worker that had it before."""

    key: str
    attempt: int = 1
    avoid: str = ""


@dataclass
class Hired:
    """A worker that we use. future: what it does, None when idle. ready: it can take tasks."""

    future: Future | None = None
    task: Task | None = None
    ready: bool = False


class ClusterPool:
    """Workers at a Dask scheduler that grade with one bundle.

    pack(key, *load(key)) gives a task for child.Handler; folder(key) is where its autograded files
    go, which is not there yet; say() shows the instructor a sentence.
    """

    def __init__(
        self,
        address: str,
        jobs: int | None,
        bundle: Callable[[], bytes],
        pack: Callable[..., tuple],
        folder: Callable[[str], Path],
        say: Callable[[str], None],
        wait_s: float,
    ):
        """address: of the scheduler, or its scheduler file. jobs: workers to use at most."""
        self.address, self.jobs, self.wait_s = address, jobs, wait_s
        self._make_bundle, self._pack, self._folder, self._say = bundle, pack, folder, say
        self._client: Client | None = None
        self._workers: dict[str, Hired] = {}
        self._events: queue.SimpleQueue[tuple[str, Future]] = queue.SimpleQueue()

    def run(
        self, keys: Iterable[str], load: Callable[[str], tuple]
    ) -> Iterator[tuple[str, dict | Died]]:
        """Results as they come, their autograded files in place; see pool.Pool.run.

        Raises CannotStart, also when the scheduler or all workers are lost for long.
        """
        waiting = deque(Task(key) for key in keys)
        if not waiting:
            return
        self._connect()
        looked = 0.0
        while waiting or any(hired.task for hired in self._workers.values()):
            if time.monotonic() - looked > POLL_S:
                yield from self._muster(waiting)
                looked = time.monotonic()
            yield from self._hand_out(waiting, load)
            try:
                address, future = self._events.get(timeout=POLL_S)
            except queue.Empty:
                continue
            hired = self._workers.get(address)
            if hired is not None and hired.future is future:
                yield from self._take(address, hired, waiting)

    def close(self) -> None:
        """End what runs on the workers for us, and the connection."""
        if self._client is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A worker that is lost just now must not hold this up.
            ending = threading.Thread(target=self._end, daemon=True)
            ending.start()
            ending.join(CLOSE_S)
        self._client = None

    def _end(self) -> None:
        try:
            workers = [w for w in self._workers if w in self._client.nthreads()]
            if workers:
                self._client.run(relay.dismiss, self._name, workers=workers, on_error="ignore")
        finally:
            self._client.close(timeout=CLOSE_S)

    def _connect(self) -> None:
        # Dask's own messages are for the people who run the cluster; ours are sentences.
        logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
        # It hints that workers could fetch large data by themselves: ours do, after the first.
        warnings.filterwarnings("ignore", "Sending large graph")
        where = {"address": self.address}
        if Path(self.address).is_file():
            where = {"scheduler_file": self.address}
        try:
            # Results are msgpack's plain data: a pickled one is refused.
            self._client = Client(
                **where,
                timeout=CONNECT_S,
                set_as_default=False,
                direct_to_workers=False,
                deserializers=["msgpack"],
            )
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise CannotStart(
                f"No Dask scheduler answers at {self.address} ({sentence(error)}): "
                "give the address that it printed when it started, such as tcp://HOST:8786."
            ) from None
        self._version = version()
        blob = self._make_bundle()
        self._name = hashlib.sha256(blob).hexdigest()
        # A task, not scattered data: it can be made again when its holder is lost.
        self._bundle = self._client.submit(bytes, blob, key=f"course-bundle-{self._name}")
        self._missed = None

    def _muster(self, waiting: deque[Task]) -> Iterator[tuple[str, Died]]:
        """Look who is there: forget lost workers, prepare new ones."""
        try:
            there = set(self._client.nthreads())
        except Exception as error:
            raise self._disconnected(sentence(error)) from None
        for address in set(self._workers) - there:
            yield from self._lose(address, waiting, "its worker was lost")
        for address in sorted(there - set(self._workers)):
            wanted = len(waiting) + sum(h.task is not None for h in self._workers.values())
            if len(self._workers) < min(wanted, self.jobs or wanted):
                self._workers[address] = Hired()
                self._send(address, relay.enlist, self._name, self._bundle)
        if self._workers:
            self._missed = None
        elif self._missed is None:
            self._missed = time.monotonic()
            self._say(f"Waiting for a worker to join {self.address}, {self.wait_s:g} s at most.")
        elif time.monotonic() - self._missed > self.wait_s:
            raise CannotStart(
                f"No worker has joined {self.address} within {self.wait_s:g} s: "
                "start workers, then give the same command again."
            )

    def _hand_out(self, waiting: deque[Task], load: Callable) -> Iterator[tuple[str, dict]]:
        for address, hired in self._workers.items():
            while hired.ready and hired.future is None and waiting:
                other = len(self._workers) > 1
                task = next((t for t in waiting if not (other and t.avoid == address)), None)
                if task is None:
                    break
                waiting.remove(task)
                try:
                    packed = self._pack(*load(task.key))
                except Refused as error:
                    said = f"It cannot be sent to a worker: {error} Grade it without --cluster."
                    yield task.key, not_graded(task.key, said)
                    continue
                hired.task = task
                self._send(address, relay.grade, self._name, packed)

    def _send(self, address: str, function: Callable, *arguments: Any) -> None:
        future = self._client.submit(
            function, *arguments, workers=[address], allow_other_workers=False, pure=False
        )
        self._workers[address].future = future
        future.add_done_callback(lambda done: self._events.put((address, done)))

    def _take(
        self, address: str, hired: Hired, waiting: deque[Task]
    ) -> Iterator[tuple[str, dict | Died]]:
        """What came of a worker's task, or of its preparation."""
        status, future, hired.future = hired.future.status, hired.future, None
        if status in ("cancelled", "lost"):
            raise self._disconnected("it restarted")
        try:
            answer = future.result(timeout=CONNECT_S * 3)
        except Exception as error:
            if type(error).__name__ == "KilledWorker" or hired.ready:
                yield from self._lose(address, waiting, sentence(error))
                return
            raise self._unfit(address, sentence(error)) from None
        future.release()
        if not isinstance(answer, dict) or not {"hello", "answer"} & set(answer):
            how = "its worker was lost"
            if isinstance(answer, dict) and isinstance(answer.get("died"), int):
                how = Died(answer["died"]).how_it_ended()
            if not hired.ready:
                raise self._unfit(address, f"the process that grades does not start ({how})")
            yield from self._lose(address, waiting, how)
        elif not hired.ready:
            self._greet(address, answer["hello"])
            hired.ready = True
        else:
            task, hired.task = hired.task, None
            yield task.key, self._result(task, answer["answer"])

    def _greet(self, address: str, hello: bytes) -> None:
        """Raise CannotStart unless the worker grades as we would."""
        try:
            said = json.loads(hello)
            differ = differences(self._version, said["version"])
            problem = str(said.get("cannot_start", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._unfit(address, "its answer is no answer of this course") from None
        if differ:
            shown = ", ".join(differ[:4]) + (" and more" if len(differ) > 4 else "")
            raise CannotStart(
                f"The worker {address} has another version: {shown} differ; "
                "install this version of the course there."
            )
        if problem:
            raise self._unfit(address, sentence(problem))

    def _result(self, task: Task, blob: bytes) -> dict:
        """The plain result, once its files are written."""
        try:
            result, files = from_bytes(blob)
            if set(result) != set(not_graded("", "")) or result["student"] != task.key:
                raise Refused("The answer of the worker is no result.")
            if result["graded"]:
                self._folder(task.key).mkdir(parents=True)
                unpack(files, self._folder(task.key))
        except (Refused, OSError) as error:
            result = not_graded(task.key, sentence(error))
        return {**result, "attempts": task.attempt}

    def _lose(self, address: str, waiting: deque[Task], how: str) -> Iterator[tuple[str, Died]]:
        """Forget a worker; its task is tried once more. It may be prepared again."""
        task = self._workers.pop(address).task
        if task is None:
            return
        if task.attempt < ATTEMPTS:
            self._say(f"{task.key} is graded again, on another worker if there is one: {how}.")
            waiting.appendleft(Task(task.key, task.attempt + 1, address))
        else:
            yield task.key, Died(None, how)

    def _unfit(self, address: str, why: str) -> CannotStart:
        return CannotStart(
            f"The worker {address} cannot grade: {why}; install this version of the course there."
        )

    def _disconnected(self, why: str) -> CannotStart:
        return CannotStart(
            f"The scheduler at {self.address} was lost ({why}): "
            "the same command goes on with the rest."
        )
