"""stream-races: orders by transitive closure of a graph of commands."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"streams": 0.4, "events": 0.4, "host": 0.2}
HINTS = (
    "Edges: each command to the next one of its stream; a record to each wait that it serves.",
    "A wait is served by the last record of its event before it in the list; without one, by nothing.",
    "Ordered means: there is a path. Two commands on one buffer race if one writes and no path joins them.",
)
WORDS = {"r": "read", "w": "write", "rec": "record", "wait": "wait", "sync": "synchronize"}
STREAMS = {
    "no command": "",
    "one stream": "a w x, a r x, a w x",
    "two streams, one buffer": "a w x, b r x",
    "two reads": "a r x, b r x",
    "two writes": "a w x, b w x",
    "different buffers": "a w x, b w y",
    "three streams": "a w x, b r x, c r x, c w y",
    "one stream between": "a w x, b r y, a r x, b w y, b r x",
}
EVENTS = {
    "recorded and waited for": "a w x, a rec e, b wait e, b r x",
    "the wait comes first": "a w x, b wait e, a rec e, b r x",
    "recorded before the write": "a rec e, a w x, b wait e, b r x",
    "read before the wait": "a w x, a rec e, b r x, b wait e, b r x",
    "through a third stream": "a w x, a rec e, b wait e, b rec f, c wait f, c r x",
    "another event": "a w x, a rec e, b wait f, b r x",
    "an event does not look back": "a w x, a rec e, b wait e, b r x, a w x",
    "there and back": "a w x, a rec e, b wait e, b r x, b rec f, a wait f, a w x",
    "recorded twice": "a w x, a rec e, a w y, a rec e, b wait e, b r y, b r x",
    "recorded again later": "a w x, a rec e, b wait e, a w y, a rec e, b r y, b r x",
    "recorded by two streams": "a w x, a rec e, b w y, b rec e, c wait e, c r y, c r x",
    "waited for twice": "a w x, a rec e, b wait e, c wait e, b r x, c r x, c w x",
    "records do not join": "a w x, a rec e, b rec e, b r x, a r x",
}
HOST = {
    "synchronized": "a w x, - sync -, b r x",
    "synchronized too late": "a w x, b r x, - sync -, b w x",
    "both sides": "a w x, b r y, - sync -, b r x, a w y, b r y",
    "twice": "a w x, - sync -, b w x, - sync -, a r x, b r x",
}


def cases(rng):
    for part, sets in (("streams", STREAMS), ("events", EVENTS), ("host", HOST)):
        for label, text in sets.items():
            yield case(label, part=part, commands=_read(text))
    yield case("12 commands", part="streams", commands=_drawn(rng, 12, "rw"))
    for _ in range(4):
        yield case(
            "16 commands", part="events", commands=_drawn(rng, 16, ("r", "w", "rec", "wait"))
        )
    kinds = ("r", "w", "w", "rec", "wait", "sync")
    yield case("20 commands", part="host", commands=_drawn(rng, 20, kinds))


def _read(text):
    rows = [row.split() for row in text.split(",") if row.strip()]
    return [(s.strip("-"), WORDS[kind], name.strip("-")) for s, kind, name in rows]


def _drawn(rng, count, kinds):
    rows = []
    for kind in rng.choice(list(kinds), count):
        stream, name = str(rng.choice(list("abc"))), str(rng.choice(list("xy")))
        if kind in ("rec", "wait"):
            name = {"x": "e", "y": "f"}[name]
        rows.append(("", WORDS[kind], "") if kind == "sync" else (stream, WORDS[str(kind)], name))
    return rows


def probe(solution, commands):
    return solution([tuple(row) for row in commands])


def judge(case, answer):
    if not isinstance(answer, (list, tuple)):
        expect.wrong("type", "Return a list of pairs.", yours=expect.kind(answer), right="a list")
    want = _races(case.commands)
    try:
        got = [(int(first), int(second)) for first, second in answer]
    except (TypeError, ValueError):
        expect.wrong("type", "A pair is (i, j).", yours=expect.show(answer[0]), right="(0, 1)")
    shown = "; ".join(" ".join(row).strip() for row in case.commands)[:200]
    for pair in got:
        expect.that(
            pair in want, "This pair does not race.", yours=str(pair), right="ordered", where=shown
        )
    for pair in want:
        expect.that(
            pair in got, "A race is not found.", yours="not listed", right=str(pair), where=shown
        )
    expect.that(
        got == want, "List each pair once, in ascending order.", yours=str(got), right=str(want)
    )


def _races(commands):
    """Pairs without a path in either direction; the path matrix is squared until it is closed."""
    n = len(commands)
    path = np.zeros((n, n), bool)
    for j, (stream, kind, name) in enumerate(commands):
        for i in range(j):
            both = {commands[i][1], kind}
            path[i, j] = commands[i][0] == stream or "synchronize" in both
        if kind == "wait":
            records = [i for i in range(j) if commands[i][1:] == ("record", name)]
            if records:
                path[records[-1], j] = True
    for _ in range(n):
        path |= (path.astype(int) @ path.astype(int)) > 0
    pairs = [(i, j) for j in range(n) for i in range(j)]
    touch = ("read", "write")
    return sorted(
        (i, j)
        for i, j in pairs
        if commands[i][1] in touch
        and commands[j][1] in touch
        and "write" in (commands[i][1], commands[j][1])
        and commands[i][2] == commands[j][2]
        and not path[i, j]
    )
