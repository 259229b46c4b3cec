"""gguf-take: bytes that are there, or a refusal, before anything is cut or allocated."""

from autograder.checks import case, expect
from autograder.checks.oracles import gguf_judge

PARTS = {"bytes": 0.5, "refusals": 0.5}
HINTS = (
    "Compare count * size with len(data) - at, the bytes that are left.",
    "A slice past the end is silently short: test first.",
    "Equal is enough: the last byte of the file may be read.",
)


def cases(rng):
    def one(label, part, data, at, count, size, field="value", view=False):
        return case(label, part, data=data, at=at, count=count, size=size, field=field, view=view)

    data = rng.bytes(40)
    for at, count, size in ((0, 5, 1), (3, 4, 2), (8, 3, 4), (7, 2, 8), (11, 0, 8), (0, 0, 1)):
        yield one(f"{count} times {size} at {at}", "bytes", data, at, count, size)
    for at, count, size in ((0, 40, 1), (0, 5, 8), (36, 1, 4), (40, 0, 8), (39, 1, 1)):
        yield one(f"{count} times {size} at {at}, to the last byte", "bytes", data, at, count, size,
                  view=True)  # fmt: skip
    yield one("nothing of nothing", "bytes", b"", 0, 0, 1)
    part = "refusals"
    for at, count, size, field in ((0, 41, 1, "key"), (0, 6, 8, "value"), (37, 1, 4, "n_dims"),
                                   (40, 1, 1, "name"), (39, 1, 2, "type"), (33, 1, 8, "offset")):  # fmt: skip
        yield one(f"{count} times {size} at {at} of 40", part, data, at, count, size, field)
    yield one("one byte of nothing", part, b"", 0, 1, 1, "magic")
    # All far beyond the limit below: a process that has freed memory could give less.
    for count, size in ((2**64 - 1, 1), (2**63, 2), (2**62, 4), (2**61, 8), (2**60 + 1, 8),
                        (2**32, 1), (2**32, 8), (2**61 + 1, 8), (2**27, 8)):  # fmt: skip
        yield one(f"{count} times {size}", part, data, int(rng.integers(0, 9)), count, size)
    # long enough to show what is cut out piece by piece before the end is found
    yield one("2^62 bytes of 400,000", part, bytes(400_000), 0, 2**62, 1)


def probe(solution, data, at, count, size, field, view):
    from lab.bounded import bounded_call

    def call():
        raw, end = solution(memoryview(data) if view else data, at, count, size, field)
        return bytes(raw) if isinstance(raw, (memoryview, bytearray)) else raw, end

    # What allocates before it tests must not take the machine's memory here.
    found = bounded_call(call, memory_mb=64, of=solution)
    found["heavy"] = found.pop("peak_bytes") > 2**20
    del found["seconds"]
    return found


def judge(case, answer):
    size = case.count * case.size
    if size > len(case.data) - case.at:
        gguf_judge.named(answer, (case.field,), case.label.capitalize())
        return expect.that(not answer["heavy"], "Memory was taken before the test.",
                           yours="over 1 MiB", right="none")  # fmt: skip
    got = gguf_judge.returned(answer, "These bytes are there.")
    raw, end = expect.sequence(got, ("raw", "end"))
    gguf_judge.same(raw, case.data[case.at : case.at + size], "raw")
    return expect.integer(end, case.at + size, "end")
