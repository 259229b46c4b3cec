"""Transfers between host and device, by simulation: events, pages by reuse distance."""

import heapq
from collections import defaultdict, deque


def simulate(operations):
    """(start, end) of each operation, from an event simulation.

    operations: (queues, duration, after). An operation begins when it is at the head of each of its
    queues (first in, first out, in the order given) and the operations `after` have ended; it stays at
    the head until its own end.
    """
    queues = defaultdict(deque)
    for index, (names, _, _) in enumerate(operations):
        for name in names:
            queues[name].append(index)
    waiting = defaultdict(list)
    for index, (_, _, after) in enumerate(operations):
        for earlier in after:
            waiting[earlier].append(index)
    now, running, spans, ended = 0.0, [], {}, set()
    perhaps = {queue[0] for queue in queues.values()}
    while len(ended) < len(operations):
        for index in perhaps - spans.keys():
            names, duration, after = operations[index]
            if all(queues[name][0] == index for name in names) and ended.issuperset(after):
                spans[index] = (now, now + duration)
                heapq.heappush(running, (now + duration, index))
        now, index = heapq.heappop(running)
        ended.add(index)
        left = [queues[name] for name in operations[index][0]]
        for queue in left:
            queue.popleft()
        perhaps = {queue[0] for queue in left if queue}.union(waiting[index])
    return [spans[index] for index in range(len(operations))]


def pipeline_us(chunks, stages_us, overhead_us):
    """End of the last operation when each of `chunks` equal chunks passes all stages."""
    operations = [
        ((("chunk", chunk), ("stage", stage)), overhead_us + work_us / chunks, ())
        for chunk in range(chunks)
        for stage, work_us in enumerate(stages_us)
    ]
    return max(end for _, end in simulate(operations))


def staged_us(size, buffer, buffers, host, link, latency):
    """A pageable copy through `buffers` staging buffers: pieces in order, microseconds."""
    operations, left = [], size
    while left > 0:
        piece, number = min(left, buffer), len(operations) // 2
        free = () if number < buffers else (2 * (number - buffers) + 1,)
        operations.append((("host",), piece / host / 1e3, free))
        operations.append((("link",), latency + piece / link / 1e3, (2 * number,)))
        left -= piece
    return max((end for _, end in simulate(operations)), default=0.0)


def paging(accesses, page, places):
    """Faults and evictions of least-recently-used pages: a page is present when fewer than `places` others
    were touched since its last touch."""
    touched = [
        number
        for first, size in accesses
        if size
        for number in range(first // page, (first + size - 1) // page + 1)
    ]
    faults = 0
    for now, number in enumerate(touched):
        before = next((t for t in range(now - 1, -1, -1) if touched[t] == number), None)
        faults += before is None or len(set(touched[before + 1 : now])) >= places
    return faults, max(0, faults - places)
