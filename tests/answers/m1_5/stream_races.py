"""Answers to stream-races."""

from itertools import combinations

from autograder.checks.bank import right, wrong


def _before(commands, served=True, through=True, all_records=False, sync=True):
    """For each command, the set of commands that are certainly done before it starts."""
    done, last, records, floor = [], {}, {}, set()
    for j, (stream, kind, name) in enumerate(commands):
        known = set(floor) | (last[stream][0] if stream in last else set())
        if kind == "synchronize":
            known = set(range(j)) if sync else set()
            floor = floor | known
        if kind == "wait" and served:
            for i, found in records.get(name, [])[0 if all_records else -1 :]:
                known |= (found if through else set()) | {i}
                if not through:
                    known |= {k for k in range(i) if commands[k][0] == commands[i][0]}
        done.append(known)
        if kind == "record":
            records.setdefault(name, []).append((j, known | {j}))
        if kind != "synchronize":
            last[stream] = (known | {j},)
    return done


def _touch(commands, i, j):
    a, b = commands[i], commands[j]
    return (
        a[1] in ("read", "write")
        and b[1] in ("read", "write")
        and "write" in (a[1], b[1])
        and a[2] == b[2]
    )


def _races(commands, **options):
    done = _before(commands, **options)
    return [
        (i, j)
        for i, j in combinations(range(len(commands)), 2)
        if _touch(commands, i, j) and i not in done[j]
    ]


@right("what is done before each command")
def sets(commands):
    return _races(commands)


@right("a search for a path")
def search(commands):
    edges = {i: set() for i in range(len(commands))}
    for i, a in enumerate(commands):
        for j in range(i + 1, len(commands)):
            b = commands[j]
            if a[1] == "synchronize" or b[1] == "synchronize" or a[0] == b[0]:
                edges[i].add(j)
    for j, (_, kind, name) in enumerate(commands):
        if kind == "wait":
            for i in reversed(range(j)):
                if commands[i][1] == "record" and commands[i][2] == name:
                    edges[i].add(j)
                    break

    def reached(i):
        seen, todo = set(), [i]
        while todo:
            for k in edges[todo.pop()] - seen:
                seen.add(k)
                todo.append(k)
        return seen

    return [
        [i, j]
        for i in range(len(commands))
        for j in range(i + 1, len(commands))
        if _touch(commands, i, j) and j not in reached(i)
    ]


@wrong("host-order", "The order in which the host issues commands orders only those of one stream.")
def host_order(commands):
    return []


@wrong("events-ignored", "A wait for a recorded event orders two streams.")
def no_events(commands):
    return _races(commands, served=False)


@wrong("synchronize-ignored", "After synchronize, everything before it is done.")
def no_sync(commands):
    return _races(commands, sync=False)


@wrong(
    "synchronize-forgets-new-streams",
    "A stream that is used for the first time after synchronize starts after all that was before, too.",
)
def only_known_streams(commands):
    known, events, done = {}, {}, []
    for j, (stream, kind, name) in enumerate(commands):
        if kind == "synchronize":
            known = {s: set(range(j)) for s in known}
        mine = known.get(stream, set())
        if kind == "wait":
            mine = mine | events.get(name, set())
        if kind == "record":
            events[name] = mine | {j}
        done.append(mine)
        if kind != "synchronize":
            known[stream] = mine | {j}
    return [
        (i, j)
        for i, j in combinations(range(len(commands)), 2)
        if _touch(commands, i, j) and i not in done[j]
    ]


@wrong(
    "one-hop-only",
    "Order goes on from stream to stream: what was done before the record's own stream waited is done too.",
)
def one_hop(commands):
    return _races(commands, through=False)


@wrong(
    "every-record-served",
    "A wait is for the last record before it, not for all of them.",
)
def all_records(commands):
    return _races(commands, all_records=True)


@wrong("later-record-served", "A wait issued before the record waits for nothing.")
def later(commands):
    records = {c[2]: i for i, c in enumerate(commands) if c[1] == "record"}
    done = _before(commands)
    for j, (stream, kind, name) in enumerate(commands):
        if kind == "wait" and name in records:
            i = records[name]
            for k in range(j, len(commands)):
                if commands[k][0] == stream:
                    done[k] = done[k] | done[i] | {i}
    return [
        (i, j)
        for i, j in combinations(range(len(commands)), 2)
        if _touch(commands, i, j) and i not in done[j]
    ]


@wrong(
    "streams-that-share-an-event-are-one",
    "An event orders what was before the record with what comes after the wait, and nothing else.",
)
def merged(commands):
    pairs = set()
    for i, a in enumerate(commands):
        for b in commands[i:]:
            if a[1] == "record" and b[1] == "wait" and a[2] == b[2]:
                pairs |= {(a[0], b[0]), (b[0], a[0])}
    return [
        (i, j)
        for i, j in _races(commands, served=False)
        if (commands[i][0], commands[j][0]) not in pairs
    ]


@wrong("reads-race", "Two reads do not race.")
def reads(commands):
    done = _before(commands)
    return [
        (i, j)
        for i, j in combinations(range(len(commands)), 2)
        if commands[i][1] in ("read", "write")
        and commands[j][1] in ("read", "write")
        and commands[i][2] == commands[j][2]
        and i not in done[j]
    ]


@wrong("only-two-writes", "A read beside a write races too.")
def writes(commands):
    return [(i, j) for i, j in sets(commands) if commands[i][1] == commands[j][1]]


@wrong("any-buffer", "Commands on different buffers do not race.")
def any_buffer(commands):
    done = _before(commands)
    return [
        (i, j)
        for i, j in combinations(range(len(commands)), 2)
        if {commands[i][1], commands[j][1]} in ({"write"}, {"read", "write"}) and i not in done[j]
    ]


@wrong("one-stream-races", "Commands of one stream run one after another.")
def no_streams(commands):
    return [p for p in combinations(range(len(commands)), 2) if _touch(commands, *p)]


@wrong("a-record-waits", "A record does not wait: it marks a place in its own stream.")
def records_join(commands):
    changed = [(s, "wait" if k == "record" else k, n) for s, k, n in commands]
    last, floor = {}, set()
    done = []
    for j, (stream, kind, name) in enumerate(changed):
        known = last.get(stream, set()) | floor
        if kind == "wait":
            known |= last.get(("event", name), set())
            last["event", name] = known | {j}
        if kind == "synchronize":
            floor = known = set(range(j))
        done.append(known)
        last[stream] = known | {j}
    return [
        (i, j)
        for i, j in combinations(range(len(commands)), 2)
        if _touch(commands, i, j) and i not in done[j]
    ]


@wrong("buffers-for-numbers", "Return the commands' numbers in the list.")
def names(commands):
    return [(commands[i], commands[j]) for i, j in sets(commands)]


@wrong("both-orders", "List each pair once, the smaller number first.")
def both(commands):
    pairs = sets(commands)
    return sorted(pairs + [(j, i) for i, j in pairs])


@wrong("counted-from-one", "Numbers begin at 0.")
def from_one(commands):
    return [(i + 1, j + 1) for i, j in sets(commands)]
