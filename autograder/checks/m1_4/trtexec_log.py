"""trtexec-log: freshly generated logs, read a second time by the judge."""

import re

from autograder.checks import case, expect
from autograder.checks.oracles import trtexec
from lab.trtexec_log import generate_log
from lab.trtexec_texts import WARNINGS

PARTS = {"runs that passed": 0.5, "units and percentiles": 0.2, "failed runs": 0.3}
HINTS = (
    "The last line that starts with &&&& decides: PASSED or not.",
    "Take a line apart: re.match(r'\\[.*?\\] \\[(.)\\] (.*)', line) gives the severity and the text.",
    "'Latency: ' must stand at the start of the text: 'H2D Latency: ' holds it too.",
)
EMPTY = ("queries", "throughput_qps", "latency_ms", "compute_ms")


def cases(rng):
    def log(label, part, outcome="passed", **options):
        text = generate_log(int(rng.integers(2**31)), outcome, **options).text
        return case(label, part, text=text)

    passed, figures, failed = PARTS
    yield log("bound by the GPU", passed)
    for bound in ("enqueue", "h2d", "d2h"):
        yield log(f"bound by {bound}", passed, bound=bound)
    yield log("with --useSpinWait", passed, spin_wait=True)
    yield log("metrics explained (verbose)", passed, verbose=True)
    yield log("release 11", passed, version="11.4.0")
    yield log("passed in spite of an [E] line", passed, harmless_error=True)
    yield log("built, inference skipped", passed, "skipped")
    yield log("times in us", figures, unit="us")
    yield log("times in us, verbose", figures, unit="us", bound="d2h", verbose=True)
    yield log("one percentile", figures, percentiles=(99,))
    yield log("other percentiles", figures, percentiles=(50, 75, 98))
    slow = generate_log(int(rng.integers(2**31)), unit="us").text.replace(" us", " ms")
    yield case("slow queries, in ms", figures, text=slow)
    text = generate_log(int(rng.integers(2**31)), bound="h2d").text
    both = re.search(r"^(.* \[W\] )\* .*host-to-device.*\n.*\n", text, re.M)
    warning, advice = WARNINGS["d2h"]
    more = f"{both[0]}{both[1]}* {warning}\n{both[1]}  {advice}\n"
    yield case("bound by both transfers", passed, text=text.replace(both[0], more))
    text = generate_log(int(rng.integers(2**31))).text
    yield case("a model called FAILED", passed, text=text.replace("=model.", "=FAILED."))
    text = generate_log(int(rng.integers(2**31)), "failed_after_timing").text
    yield case("a model called PASSED", failed, text=text.replace("=model.", "=PASSED."))
    for outcome in ("parse_error", "build_error", "out_of_memory", "wrong_version"):
        yield log(outcome.replace("_", " "), failed, outcome)
    yield log("failed after the timing", failed, "failed_after_timing", bound="h2d")
    yield log("interrupted before the last line", failed, "interrupted")
    whole = generate_log(int(rng.integers(2**31))).text
    for place in ("Latency: min = ", "Throughput: "):
        yield case(
            f"cut off behind {place!r}", failed, text=whole[: whole.index(place) + len(place)]
        )
    yield log("failed, with a harmless error first", failed, "build_error", harmless_error=True)


def probe(solution, text):
    return solution(text)


def judge(case, answer):
    right = trtexec.parse_log(case.text)
    answer = expect.mapping(answer, tuple(right))
    passed = answer["passed"]
    expect.that(
        isinstance(passed, bool),
        "`passed` must be a bool.",
        stage="type",
        yours=expect.kind(passed),
    )
    expect.that(passed == right["passed"], "`passed` is off.", yours=passed, right=right["passed"],
                hint="The last &&&& line decides, not the [E] lines.")  # fmt: skip
    for key in ("errors", "warnings"):
        value = answer[key]
        expect.that(
            isinstance(value, (list, tuple)),
            f"`{key}` must be a list.",
            stage="type",
            yours=expect.kind(value),
        )
        expect.that(
            list(value) == right[key], f"`{key}` is off.", yours=list(value), right=right[key]
        )
    for key in EMPTY:
        if right[key] is None:
            expect.that(answer[key] is None, f"`{key}` must be None: this run gives no such figure.",
                        yours=answer[key], right="None")  # fmt: skip
    if right["queries"] is None:
        return
    expect.integer(answer["queries"], right["queries"], "queries")
    expect.number(answer["throughput_qps"], right["throughput_qps"], "throughput_qps", rtol=1e-9)
    for key in ("latency_ms", "compute_ms"):
        times = expect.mapping(answer[key], tuple(right[key]))
        more = sorted(set(map(str, times)) - set(right[key]))
        expect.that(not more, f"`{key}` has keys that the log lacks.", yours=more)
        for name, value in right[key].items():
            expect.number(
                times[name],
                value,
                f"{key}[{name!r}]",
                rtol=1e-9,
                hint="Times are wanted in ms; mind the unit.",
            )
