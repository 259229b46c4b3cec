"""Replicas behind a router: requests sent, replicas that fail, start and drain."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import simpy

from lab.errors import CourseError
from lab.serving.load import Load
from lab.serving.outcome import Outcome
from lab.serving.replica import Engine, Replica, Request

Router = Callable[[Request, Sequence[Replica]], int]


@dataclass(frozen=True)
class Failure:
    """A replica that is down from `down_s` to `up_s`; its requests begin again elsewhere."""

    replica: int
    down_s: float
    up_s: float = float("inf")


@dataclass(frozen=True)
class Autoscaler:
    """How the number of replicas follows the load.

    Attributes:
        wanted: called with the replicas that take requests; how many there should be.
        every_s: seconds between two looks.
        start_s: seconds from ordering a replica to its first request: image, weights, warm-up.
        least, most: bounds of the number.
    """

    wanted: Callable[[Sequence[Replica]], int]
    every_s: float
    start_s: float
    least: int = 1
    most: int = 64


def simulate(
    load: Load,
    engine: Engine,
    replicas: int,
    router: Router,
    failures: Sequence[Failure] = (),
    autoscaler: Autoscaler | None = None,
) -> Outcome:
    """Serve a load to its last request.

    Args:
        replicas: how many there are at the start, all alike.
        router: called with a request and the replicas that are up; gives the position of one of them
            in that sequence. It may keep state of its own.
        failures: replicas that go down.
        autoscaler: None: the number stays.

    Raises:
        CourseError: no replica, a router's answer that is no position, a failure of a replica that
            there is not, or a load that can never be served.
    """
    if replicas < 1:
        raise CourseError("At least one replica is needed.")
    fleet = _Fleet(simpy.Environment(), engine, router, len(load))
    for _ in range(replicas):
        fleet.add()
    for failure in failures:
        fleet.plan(failure)
    if autoscaler:
        fleet.env.process(fleet.scale(autoscaler))
    requests = _requests(load)
    fleet.env.process(fleet.arrive(requests))
    fleet.env.run(fleet.all_done)
    return Outcome.of(requests, fleet.paid(), fleet.env.now)


def _requests(load: Load) -> list[Request]:
    columns = (
        load.arrival_s,
        load.prompt_tokens,
        load.output_tokens,
        load.prefix,
        load.prefix_tokens,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Request(i, *row) for i, row in enumerate(rows)]


class _Fleet:
    def __init__(self, env: simpy.Environment, engine: Engine, router: Router, count: int):
        self.env, self.engine, self.router = env, engine, router
        self.left = count
        self.all_done = env.event()
        self.replicas: list[Replica] = []
        self.up: list[Replica] = []
        self.held: deque[Request] = deque()
        self.spans: dict[int, list[float]] = {}  # replica: [ordered at, gone at]
        if not count:
            self.all_done.succeed()

    def add(self, ordered_s: float = 0.0) -> Replica:
        replica = Replica(self.env, self.engine, len(self.replicas), self._served)
        self.replicas.append(replica)
        self.spans[replica.index] = [ordered_s, float("nan")]
        self._admit_to(replica)
        return replica

    def _admit_to(self, replica: Replica) -> None:
        replica.up = True
        self.up = [r for r in self.replicas if r.up]
        while self.held:
            self.send(self.held.popleft())

    def send(self, request: Request) -> None:
        if not self.up:
            self.held.append(request)
            return
        at = self.router(request, self.up)
        good = isinstance(at, int | np.integer) and not isinstance(at, bool)
        if not good or not 0 <= at < len(self.up):
            raise CourseError(
                f"The router must return a position from 0 to {len(self.up) - 1}, not {at!r}."
            )
        self.up[at].admit(request)

    def arrive(self, requests: list[Request]):
        for request in requests:
            yield self.env.timeout(max(0.0, request.arrival_s - self.env.now))
            self.send(request)

    def _served(self, request: Request) -> None:
        self.left -= 1
        replica = self.replicas[request.replica]
        if not replica.up and not replica.load:  # drained
            self.spans[replica.index][1] = self.env.now
        if not self.left:
            self.all_done.succeed()

    def plan(self, failure: Failure) -> None:
        if not 0 <= failure.replica < len(self.replicas):
            raise CourseError(f"There is no replica {failure.replica} to fail at the start.")
        if failure.up_s == float("inf") and len(self.replicas) == 1:
            raise CourseError("The only replica never comes back: the load cannot be served.")
        self.env.process(self._fail(failure))

    def _fail(self, failure: Failure):
        replica = self.replicas[failure.replica]
        yield self.env.timeout(failure.down_s)
        lost = replica.fail()
        self.up = [r for r in self.replicas if r.up]
        for request in lost:
            self.send(request)
        if failure.up_s < float("inf"):
            yield self.env.timeout(failure.up_s - failure.down_s)
            self._admit_to(replica)

    def scale(self, how: Autoscaler):
        ordered = 0

        def start(_):
            nonlocal ordered
            ordered -= 1
            self.add(self.env.now - how.start_s)

        while True:
            yield self.env.timeout(how.every_s)
            wanted = min(how.most, max(how.least, int(how.wanted(self.up))))
            for _ in range(wanted - len(self.up) - ordered):
                ordered += 1
                self.env.timeout(how.start_s).callbacks.append(start)
            self._drain(len(self.up) - wanted)

    def _drain(self, count: int) -> None:
        """The replicas with the fewest requests take no more, and go when they are empty."""
        for replica in sorted(self.up, key=lambda r: r.load)[: max(0, count)]:
            replica.up = False
            if not replica.load:
                self.spans[replica.index][1] = self.env.now
        self.up = [r for r in self.replicas if r.up]

    def paid(self) -> float:
        """Replica-seconds: from the order of each to its end, or to the end of all."""
        ends = ((a, self.env.now if np.isnan(b) else b) for a, b in self.spans.values())
        return float(sum(b - a for a, b in ends))
