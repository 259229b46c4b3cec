"""slurm-time: against the six forms, each as a pattern with the seconds of its fields."""

from autograder.checks import case, expect
from autograder.checks.oracles import sbatch

PARTS = {"forms": 0.5, "no limit": 0.2, "refuse": 0.3}
HINTS = (
    "Take off the days; how many fields are left, and whether there were days, says what they are.",
    "Seconds are rounded up to a minute: 0:01 is one minute.",
)


def cases(rng):
    for text in ("90", "1", "1:30", "0:01", "2:00", "90:00", "0:61", "1:30:00", "0:00:59", "12:00:01",
                 "1-0", "1-12", "2-06:30", "0-1:90", "1-00:00:01", "7-23:59:59", "007", "08:09"):  # fmt: skip
        yield case(text, "forms", text=text)
    for k in range(8):
        days = f"{int(rng.integers(0, 9))}-" if k % 2 else ""
        fields = [str(int(rng.integers(1, 70))) for _ in range(1 + k // 2 % 3)]
        text = days + ":".join(fields)
        yield case(text, "forms", text=text)
    for text in ("0", "00", "0:00", "0:00:00", "0-0", "0-0:0:0", "UNLIMITED", "unlimited",
                 "INFINITE", "Infinite"):  # fmt: skip
        yield case(text, "no limit", text=text)
    for text in ("", " ", "1h", "90m", "1:2:3:4", "1-", "-1", "-5", "1-2:3:4:5", "1--2", "1:", ":30", "1::2",
                 "1:30:", " 90", "90 ", "90\n", "1.5", "+5", "1-1-1", "1:-5", "٣", "²", "1_0",
                 "none"):  # fmt: skip
        yield case(f"{text!r}", "refuse", text=text)


def probe(solution, text):
    return outcome(lambda: solution(text))  # noqa: F821


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    if "value" not in answer:
        expect.wrong(
            "error",
            f"{case.text} is a time limit.",
            yours=f"{answer['raised']}: {answer['message']}",
        )
    right, yours = sbatch.time_minutes(case.text), answer["value"]
    if right is None:
        expect.that(yours is None, "This means no limit: return None.", yours=yours, right="None")
        return None
    expect.integer(yours, right, "minutes")
    return None
