"""One replica of a model: a queue, prefill one prompt at a time, decoding of all sequences together.

Prefill is served in order of arrival, one prompt after the other, and does not slow down decoding (as
with chunks small enough, or prefill on machines of its own). A decode step takes the same time for
every sequence in it: `decode_s + sequences * sequence_s`. So sequences share the machine equally, and
the next to finish is known from one clock that counts tokens (Kleinrock, Queueing Systems II, 4.4).
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import simpy

from lab.errors import CourseError


@dataclass(frozen=True)
class Engine:
    """What a replica can do.

    Attributes:
        prefill_tokens_per_s: prompt tokens read a second.
        decode_s: seconds of a decode step that do not depend on the batch: reading the weights.
        sequence_s: seconds that each sequence adds to a step: reading its KV cache.
        slots: sequences in the batch at most, the one in prefill counted in.
        prefix_slots: shared prefixes that stay in the KV cache, the least recently used leaves.
    """

    prefill_tokens_per_s: float
    decode_s: float
    sequence_s: float = 0.0
    slots: int = 32
    prefix_slots: int = 0

    def __post_init__(self):
        if min(self.prefill_tokens_per_s, self.decode_s) <= 0 or self.sequence_s < 0:
            raise CourseError("Rates and step times of an engine must be above 0.")
        if self.slots < 1 or self.prefix_slots < 0:
            raise CourseError(
                "An engine needs at least 1 slot, and no negative number of prefixes."
            )


@dataclass(slots=True)
class Request:
    """One request and what became of it; times in seconds, NaN while unknown."""

    index: int
    arrival_s: float
    prompt_tokens: int
    output_tokens: int
    prefix: int
    prefix_tokens: int
    start_s: float = float("nan")
    first_token_s: float = float("nan")
    finish_s: float = float("nan")
    replica: int = -1
    retries: int = 0
    prefix_hit: bool = False


@dataclass(eq=False)
class Replica:
    """One replica, as a router sees it.

    Attributes:
        index: its number. up: it takes requests.
        queued: requests that wait. running: requests in prefill or decoding.
        waiting_tokens: prompt and output tokens of the requests that wait.
        waiting_prompt_tokens: their prompt tokens alone.
    """

    env: simpy.Environment
    engine: Engine
    index: int
    done: Callable[[Request], None]
    up: bool = True
    queue: deque = field(default_factory=deque)
    waiting_tokens: int = 0
    waiting_prompt_tokens: int = 0
    prefixes: OrderedDict = field(default_factory=OrderedDict)
    _prefilling: Request | None = None
    _decoding: list = field(default_factory=list)
    _tokens: float = 0.0
    _counted_s: float = 0.0
    _timer: int = 0
    _life: int = 0

    @property
    def queued(self) -> int:
        return len(self.queue)

    @property
    def running(self) -> int:
        return len(self._decoding) + (self._prefilling is not None)

    @property
    def load(self) -> int:
        """Requests that are here, waiting or running."""
        return self.queued + self.running

    @property
    def prompt_tokens_ahead(self) -> int:
        """Prompt tokens of the requests that wait or are in prefill, cached prefixes counted in."""
        prefilling = self._prefilling.prompt_tokens if self._prefilling else 0
        return self.waiting_prompt_tokens + prefilling

    def has_prefix(self, prefix: int) -> bool:
        """Whether the shared prefix is in the KV cache now."""
        return prefix in self.prefixes

    def admit(self, request: Request) -> None:
        """Take a request into the queue."""
        request.replica = self.index
        self.queue.append(request)
        self.waiting_tokens += request.prompt_tokens + request.output_tokens
        self.waiting_prompt_tokens += request.prompt_tokens
        self._start()

    def fail(self) -> list[Request]:
        """Lose everything; the requests that were here, oldest first, have to begin again."""
        lost = [entry[2] for entry in self._decoding] + list(self.queue)
        if self._prefilling:
            lost.append(self._prefilling)
        self.up, self._prefilling = False, None
        self.waiting_tokens = self.waiting_prompt_tokens = 0
        self.queue.clear()
        self._decoding.clear()
        self.prefixes.clear()
        self._timer += 1
        self._life += 1
        for request in lost:
            request.retries += 1
            request.start_s = request.first_token_s = float("nan")
        return sorted(lost, key=lambda request: request.index)

    def _start(self) -> None:
        if self._prefilling or not self.queue or self.running >= self.engine.slots:
            return
        request = self._prefilling = self.queue.popleft()
        self.waiting_tokens -= request.prompt_tokens + request.output_tokens
        self.waiting_prompt_tokens -= request.prompt_tokens
        request.start_s = self.env.now
        request.prefix_hit = self._use(request.prefix)
        tokens = request.prompt_tokens - request.prefix_tokens * request.prefix_hit
        self._after(tokens / self.engine.prefill_tokens_per_s, self._prefilled, self._life)

    def _after(self, delay_s: float, what: Callable[[int], None], ticket: int) -> None:
        self.env.timeout(delay_s).callbacks.append(lambda _: what(ticket))

    def _use(self, prefix: int) -> bool:
        """Whether a prefix is cached; it is, afterwards."""
        if prefix < 0 or not self.engine.prefix_slots:
            return False
        hit = prefix in self.prefixes
        self.prefixes[prefix] = True
        self.prefixes.move_to_end(prefix)
        if len(self.prefixes) > self.engine.prefix_slots:
            self.prefixes.popitem(last=False)
        return hit

    def _prefilled(self, life: int) -> None:
        if life != self._life:
            return
        request, self._prefilling = self._prefilling, None
        request.first_token_s = self.env.now
        if request.output_tokens == 1:
            self._finish(request)
        else:
            self._count()
            entry = (self._tokens + request.output_tokens - 1, request.index, request)
            heapq.heappush(self._decoding, entry)
            self._set_timer()
        self._start()

    def _step_s(self) -> float:
        return self.engine.decode_s + len(self._decoding) * self.engine.sequence_s

    def _count(self) -> None:
        """Bring the clock of tokens to now: what each sequence has been given since time 0."""
        if self._decoding:
            self._tokens += (self.env.now - self._counted_s) / self._step_s()
        self._counted_s = self.env.now

    def _set_timer(self) -> None:
        self._timer += 1
        if self._decoding:
            left = max(0.0, self._decoding[0][0] - self._tokens)
            self._after(left * self._step_s(), self._decoded, self._timer)

    def _decoded(self, timer: int) -> None:
        if timer != self._timer:
            return
        self._count()
        # The first is due by the timer itself, whatever was lost in rounding.
        self._tokens = max(self._tokens, self._decoding[0][0])
        while self._decoding and self._decoding[0][0] <= self._tokens:
            self._finish(heapq.heappop(self._decoding)[2])
        self._set_timer()
        self._start()

    def _finish(self, request: Request) -> None:
        request.finish_s = self.env.now
        self.done(request)
