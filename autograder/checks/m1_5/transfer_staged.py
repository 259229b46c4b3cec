"""transfer-staged: a pageable copy through staging buffers, against an event simulation."""

from autograder.checks import case, expect
from autograder.checks.oracles.transfers import staged_us

PARTS = {"one buffer": 0.35, "more buffers": 0.45, "refuse": 0.2}
HINTS = (
    "Keep two lists: when each piece is in its buffer, and when each piece has been sent.",
    "The host begins piece k when piece k - 1 is in its buffer and piece k - buffers has been sent.",
    "The link begins piece k when it is in its buffer and piece k - 1 has been sent.",
)


def cases(rng):
    for buffers, part in ((1, "one buffer"), (2, "more buffers"), (3, "more buffers")):
        for host, link in ((8.0, 25.0), (25.0, 8.0), (12.0, 12.0)):
            buffer = int(rng.integers(20_000, 90_000))
            size = buffer * int(rng.integers(4, 12)) + int(rng.integers(1, buffer))
            latency = float(rng.uniform(0.5, 4))
            yield case(f"{buffers} buffers, host {host}, link {link} GB/s", part, size=size,
                       buffer=buffer, buffers=buffers, host=host, link=link, latency=latency)  # fmt: skip
        for label, size in (("empty", 0), ("one full piece", 64_000), ("one small piece", 100),
                            ("whole pieces", 640_000)):  # fmt: skip
            yield case(f"{label}, {buffers} buffers", part, size=size, buffer=64_000,
                       buffers=buffers, host=10.0, link=20.0, latency=2.0)  # fmt: skip
    good = {
        "size": 100,
        "buffer": 10,
        "buffers": 2,
        "host": 1.0,
        "link": 1.0,
        "latency": 1.0,
    }
    for name, value in (("size", -1), ("buffer", 0), ("buffers", 0), ("host", 0.0), ("link", -1.0),
                        ("latency", -0.5)):  # fmt: skip
        yield case(f"{name} {value}", "refuse", **{**good, name: value}, refuse=True)


def probe(solution, size, buffer, buffers, host, link, latency, refuse=False):
    if refuse:
        return refusal(lambda: solution(size, buffer, buffers, host, link, latency))  # noqa: F821
    return solution(size, buffer, buffers, host, link, latency)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = staged_us(case.size, case.buffer, case.buffers, case.host, case.link, case.latency)
    expect.number(answer, want, "time_us")
    return None
