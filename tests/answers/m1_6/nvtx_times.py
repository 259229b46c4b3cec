"""Answers to nvtx-times."""

from collections import defaultdict

from autograder.checks.bank import right, wrong

QUERY = """SELECT coalesce(text, value), start, end, eventType, globalTid, NVTX_EVENTS.rowid FROM NVTX_EVENTS
    LEFT JOIN StringIds ON StringIds.id = NVTX_EVENTS.textId"""


def _tables(connection):
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


def _events(connection, kinds=(59, 60), query=QUERY):
    if not {"NVTX_EVENTS"} <= _tables(connection):
        return []
    if "StringIds" not in _tables(connection):
        query = query.replace("value", "NULL").split("LEFT JOIN")[0]
    return [e for e in connection.execute(query).fetchall() if e[2] is not None and e[3] in kinds]


def _own(events, thread=lambda e: e[4], push_pop=(59,), deeper=False):
    """Rowid to the time of ranges (directly) inside it."""
    inside = defaultdict(int)
    stacks = defaultdict(list)
    for e in sorted(events, key=lambda e: (e[1], -e[2])):
        if e[3] not in push_pop:
            continue
        stack = stacks[thread(e)]
        while stack and stack[-1][2] <= e[1]:
            stack.pop()
        for outer in stack if deeper else stack[-1:]:
            inside[outer[5]] += e[2] - e[1]
        stack.append(e)
    return inside


def _answer(events, inside, change=lambda row: row):
    found = defaultdict(lambda: [0, 0, 0])
    for e in events:
        row = found[e[0]]
        row[0] += 1
        row[1] += e[2] - e[1]
        row[2] += e[2] - e[1] - inside[e[5]]
    return {name: tuple(change(row)) for name, row in found.items()}


@right("a stack for each thread")
def stacks(connection):
    events = _events(connection)
    return _answer(events, _own(events))


@right("every pair compared")
def pairs(connection):
    events = _events(connection)
    nested = [e for e in events if e[3] == 59]
    found = {}
    for e in events:
        row = found.setdefault(e[0], [0, 0, 0])
        row[0], row[1], row[2] = row[0] + 1, row[1] + e[2] - e[1], row[2] + e[2] - e[1]
        outer = [o for o in nested if o is not e and o[4] == e[4] and o[1] <= e[1] and e[2] <= o[2]]
        if e[3] == 59 and outer:
            found.setdefault(min(outer, key=lambda o: o[2] - o[1])[0], [0, 0, 0])[2] -= e[2] - e[1]
    return {name: list(row) for name, row in found.items()}


@right("totals in SQL")
def in_sql(connection):
    if "NVTX_EVENTS" not in _tables(connection):
        return {}
    base = f"WITH e AS (SELECT coalesce(text, value) AS name, start, end, eventType AS kind, globalTid AS tid FROM ({QUERY.replace('coalesce(text, value), start, end, eventType, globalTid, NVTX_EVENTS.rowid', '*')}) WHERE end IS NOT NULL AND eventType IN (59, 60))"
    totals = connection.execute(
        f"{base} SELECT name, count(*), sum(end - start) FROM e GROUP BY name"
    )
    found = {name: [n, total, total] for name, n, total in totals}
    query = f"""{base} SELECT (SELECT o.name FROM e AS o WHERE o.kind = 59 AND o.tid = i.tid AND o.start <= i.start
        AND i.end <= o.end AND (o.start, o.end) <> (i.start, i.end) ORDER BY o.end - o.start LIMIT 1), i.end - i.start
        FROM e AS i WHERE i.kind = 59"""
    for outer, ns in connection.execute(query):
        if outer is not None:
            found[outer][2] -= ns
    return found


@wrong(
    "registered-names-alone",
    "A string that was not registered is in `text`, and its textId is NULL.",
)
def registered(connection):
    events = _events(
        connection,
        query=QUERY.replace("LEFT JOIN", "JOIN").replace("coalesce(text, value)", "value"),
    )
    return _answer(events, _own(events))


@wrong("text-alone", "Registered strings stand in StringIds: text is NULL for them.")
def text_alone(connection):
    events = _events(connection, query=QUERY.replace("coalesce(text, value)", "text"))
    return _answer([e for e in events if e[0] is not None], _own(events))


@wrong("numbers-for-names", "textId is the number of a name: join StringIds.")
def numbers(connection):
    events = _events(
        connection, query=QUERY.replace("coalesce(text, value)", "coalesce(text, textId)")
    )
    return {str(k): v for k, v in _answer(events, _own(events)).items()}


@wrong("marks-counted", "A mark is a point in time: its end is NULL, and it is no range.")
def marks(connection):
    if "NVTX_EVENTS" not in _tables(connection):
        return {}
    events = [
        (*e[:2], e[2] if e[2] is not None else e[1], *e[3:]) for e in connection.execute(QUERY)
    ]
    return _answer(events, _own(events))


@wrong("start-end-left-out", "Start/end ranges (60) are ranges too.")
def push_pop_alone(connection):
    events = _events(connection, (59,))
    return _answer(events, _own(events))


@wrong("start-end-nested", "A start/end range has no part in the nesting of the push/pop ranges.")
def nested_all(connection):
    events = _events(connection)
    return _answer(events, _own(events, push_pop=(59, 60)))


@wrong("threads-mixed", "Ranges nest within one thread: what another thread does is not inside.")
def one_thread(connection):
    events = _events(connection)
    return _answer(events, _own(events, thread=lambda e: 0))


@wrong(
    "process-forgotten",
    "Threads of two processes may have the same low 24 bits: take the whole globalTid.",
)
def low_bits(connection):
    events = _events(connection)
    return _answer(events, _own(events, thread=lambda e: e[4] & 0xFFFFFF))


@wrong("grandchildren-taken-twice", "Only ranges directly inside count against the own time.")
def deep(connection):
    events = _events(connection)
    return _answer(events, _own(events, deeper=True))


@wrong("own-is-total", "The own time leaves out the ranges directly inside.")
def own_total(connection):
    events = _events(connection)
    return _answer(events, defaultdict(int))


@wrong(
    "namesakes-not-nested",
    "A range inside another of its name is still inside: it counts against the own time.",
)
def namesakes(connection):
    events = _events(connection)
    inside = defaultdict(int)
    nested = [e for e in events if e[3] == 59]
    for e in nested:
        outer = [o for o in nested if o is not e and o[4] == e[4] and o[1] <= e[1] and e[2] <= o[2]]
        if outer:
            near = min(outer, key=lambda o: o[2] - o[1])
            inside[near[5]] += (e[2] - e[1]) * (near[0] != e[0])
    return _answer(events, inside)


@wrong(
    "namesakes-counted-once",
    "Also a range inside another of its name counts, and adds to the total.",
)
def outermost(connection):
    events = _events(connection)
    good = _answer(events, _own(events))
    outer = [e for e in events if not any(
        o is not e and o[0] == e[0] and o[4] == e[4] and o[3] == e[3] == 59 and o[1] <= e[1] and e[2] <= o[2]
        for o in events)]  # fmt: skip
    few = _answer(outer, _own(events))
    return {name: (*few[name][:2], good[name][2]) for name in good}


@wrong(
    "touching-is-inside", "A range that starts where its neighbour ends is behind it, not inside."
)
def touching(connection):
    events = _events(connection)
    inside, stacks = defaultdict(int), defaultdict(list)
    for e in sorted(events, key=lambda e: (e[1], -e[2])):
        if e[3] == 59:
            stack = stacks[e[4]]
            while stack and stack[-1][2] < e[1]:
                stack.pop()
            if stack:
                inside[stack[-1][5]] += e[2] - e[1]
            stack.append(e)
    return _answer(events, inside)


@wrong("last-one-kept", "Ranges of one name add up.")
def last(connection):
    events = _events(connection)
    inside = _own(events)
    return {e[0]: (1, e[2] - e[1], e[2] - e[1] - inside[e[5]]) for e in events}


@wrong("microseconds", "Times stay in ns.")
def micro(connection):
    events = _events(connection)
    return _answer(events, _own(events), lambda row: (row[0], row[1] // 1000, row[2] // 1000))


@wrong("mean-for-total", "total_ns is the sum, not the mean.")
def mean(connection):
    events = _events(connection)
    return _answer(events, _own(events), lambda row: (row[0], row[1] // row[0], row[2] // row[0]))


@wrong(
    "table-expected", "Tables are made only where there is something: NVTX_EVENTS may be missing."
)
def expected(connection):
    connection.execute("SELECT count(*) FROM NVTX_EVENTS")
    return stacks(connection)


@wrong(
    "kinds-not-looked-at",
    "Only push/pop (59) and start/end ranges (60) count, not every event with an end.",
)
def all_kinds(connection):
    events = _events(connection, range(200))
    return _answer(events, _own(events))


@wrong("names-in-small-letters", "Names stay as they are: step and Step are two.")
def small_letters(connection):
    events = [(e[0].lower(), *e[1:]) for e in _events(connection)]
    return _answer(events, _own(events))
