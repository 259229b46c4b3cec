"""Answers to trtexec-log."""

import re

from autograder.checks.bank import right, wrong

KEYS = ("queries", "throughput_qps", "latency_ms", "compute_ms")
PHRASES = (
    ("Enqueue Time", "enqueue"),
    ("host-to-device", "h2d"),
    ("device-to-host", "d2h"),
    ("unstable", "unstable"),
)


@right("regular expressions over the whole text")
def by_regex(text):
    passed = bool(re.search(r"^&&&& PASSED", text, re.M))
    said = {"passed": passed, "errors": re.findall(r"^\[.*?\] \[E\] (.*)$", text, re.M)}
    starred = re.findall(r"^\[.*?\] \[W\] \* (.*)$", text, re.M)
    said["warnings"] = [word for line in starred for phrase, word in PHRASES if phrase in line]
    said.update(dict.fromkeys(KEYS))
    if passed and "Throughput: " in text:
        said["queries"] = int(re.search(r"Timing trace has (\d+) queries", text)[1])
        said["throughput_qps"] = float(re.search(r"\[I\] Throughput: (\S+) qps", text)[1])
        for title, key in (("Latency", "latency_ms"), ("GPU Compute Time", "compute_ms")):
            line = re.search(rf"\[I\] {title}: (min = .*)$", text, re.M)[1]
            said[key] = {}
            for name, number, unit in re.findall(r"([a-z]+(?:\([\d.]+%\))?) = (\S+) (ms|us)", line):
                name = "p" + name[11:-2] if name.startswith("percentile") else name
                said[key][name] = float(number) if unit == "ms" else float(number) / 1000
    return said


def _read(
    text,
    *,
    passed=None,
    unit=True,
    factor=1000,
    title="Latency: ",
    second="GPU Compute Time: ",
    errors="E",
    keep=False,
    starred=True,
    percent=lambda p: f"p{p}",
    cut=False,
):
    lines = text.splitlines()
    last = [line for line in lines if line.startswith("&&&&")][-1]
    ok = passed(text) if passed else "&&&& PASSED" in last
    said = {"passed": ok, "errors": [], "warnings": [], **dict.fromkeys(KEYS)}
    for line in lines:
        if not line.startswith("["):
            continue
        _, _, rest = line.partition("] [")
        severity, body = rest[0], rest[3:]
        if severity in errors:
            said["errors"].append(body.removeprefix("[TRT] ") if cut else body)
        if severity == "W" and (body.startswith("* ") or not starred):
            said["warnings"] += [word for phrase, word in PHRASES if phrase in body]
        if severity == "V" or not (ok or keep):
            continue
        if body.startswith("Timing trace has"):
            said["queries"] = int(body.split()[3])
        if body.startswith("Throughput"):
            said["throughput_qps"] = float(body.split()[1])
        for start, key in ((title, "latency_ms"), (second, "compute_ms")):
            if body.startswith(start):
                times = {}
                for part in body[len(start) :].split(", "):
                    name, value = part.split(" = ")
                    number, given = value.split()
                    if name.startswith("percentile("):
                        name = percent(name[11:-2])
                    times[name] = float(number) / (factor if unit and given == "us" else 1)
                said[key] = times
    return said


@right("line by line")
def by_line(text):
    return _read(text)


@wrong(
    "compute-for-latency",
    "You report the GPU compute time as the latency; latency is H2D + compute + D2H.",
)
def compute_for_latency(text):
    return _read(text, title="GPU Compute Time: ")


@wrong("latency-for-compute", "You report the latency as the GPU compute time.")
def latency_for_compute(text):
    return _read(text, second="Latency: ")


@wrong(
    "h2d-for-latency",
    "You take the line of the H2D latency; the line wanted starts with `Latency: `.",
)
def h2d(text):
    return _read(text, title="H2D Latency: ")


@wrong(
    "last-latency-line", "`Latency: ` also occurs in the H2D and D2H lines: you kept the last one."
)
def last_line(text):
    said = _read(text)
    other = _read(text, title="D2H Latency: ")
    return {**said, "latency_ms": other["latency_ms"]}


@wrong(
    "enqueue-for-latency",
    "You take the enqueue time as the latency; it is the host's time to launch.",
)
def enqueue(text):
    return _read(text, title="Enqueue Time: ")


@wrong("unit-ignored", "Some logs print us: divide by 1000 to get ms.")
def unit(text):
    return _read(text, unit=False)


@wrong("unit-the-wrong-way", "1 us is 0.001 ms: you multiplied.")
def inverse_unit(text):
    return _read(text, factor=1 / 1000)


@wrong("seconds", "Times are wanted in ms; yours are in seconds.")
def seconds(text):
    said = _read(text)
    for key in ("latency_ms", "compute_ms"):
        said[key] = said[key] and {name: value / 1000 for name, value in said[key].items()}
    return said


@wrong(
    "latency-from-throughput",
    "1000 / throughput is the time between finished queries, not a query's latency.",
)
def from_throughput(text):
    said = _read(text)
    if said["latency_ms"]:
        said["latency_ms"] = dict.fromkeys(said["latency_ms"], 1000 / said["throughput_qps"])
    return said


@wrong("errors-decide", "An [E] line alone is no failure: the last &&&& line decides.")
def errors_decide(text):
    return _read(text, passed=lambda t: "[E]" not in t and "&&&& PASSED" in t)


@wrong("no-fail-is-pass", "A log that ends early holds no FAILED, and has not passed either.")
def no_fail(text):
    return _read(text, passed=lambda t: "&&&& FAILED" not in t)


@wrong("summary-is-pass", "A run may fail after its summary: the last &&&& line decides.")
def summary(text):
    return _read(text, passed=lambda t: "Performance summary" in t or "Skipped" in t)


@wrong("figures-of-failed-runs", "A run that did not pass has no figures: None.")
def keep(text):
    return _read(text, keep=True)


@wrong("zero-for-none", "No figure is None, not 0: a latency of 0 ms would be read as very good.")
def zeros(text):
    said = _read(text)
    return {key: 0 if value is None else value for key, value in said.items()}


@wrong("empty-dict-for-none", "No figure is None, not an empty dict.")
def empties(text):
    said = _read(text)
    return {**said, **{key: said[key] or {} for key in ("latency_ms", "compute_ms")}}


@wrong("percent-in-the-key", "The key of percentile(99%) is p99, without the sign.")
def percent_sign(text):
    return _read(text, percent=lambda p: f"p{p}%")


@wrong("raw-percentile-key", "The key of percentile(99%) is p99.")
def raw(text):
    return _read(text, percent=lambda p: f"percentile({p}%)")


@wrong(
    "fixed-percentiles", "Which percentiles a log holds depends on --percentile: read their names."
)
def fixed(text):
    said = _read(text)
    for key in ("latency_ms", "compute_ms"):
        if said[key]:
            plain = {name: value for name, value in said[key].items() if name[0] == "m"}
            values = [value for name, value in said[key].items() if name[0] != "m"]
            said[key] = {**plain, **dict(zip(("p90", "p95", "p99"), values, strict=False))}
    return said


@wrong("mean-and-median-swapped", "You exchange mean and median.")
def swapped(text):
    said = _read(text)
    for key in ("latency_ms", "compute_ms"):
        if said[key]:
            said[key]["mean"], said[key]["median"] = said[key]["median"], said[key]["mean"]
    return said


@wrong(
    "warm-up-queries",
    "You report the queries of the warm-up; the timed ones are in `Timing trace has`.",
)
def warmups(text):
    said = _read(text)
    found = re.search(r"Warmup completed (\d+)", text)
    return {**said, "queries": int(found[1]) if said["queries"] is not None else None}


@wrong("warm-up-counted", "Warm-up queries are not timed: do not add them.")
def added(text):
    said = _read(text)
    found = re.search(r"Warmup completed (\d+)", text)
    return {
        **said,
        "queries": said["queries"] + int(found[1]) if said["queries"] is not None else None,
    }


@wrong("warnings-as-errors", "[W] lines are warnings, not errors.")
def mixed(text):
    return _read(text, errors="EW")


@wrong("last-error-only", "All [E] lines are wanted, in order.")
def last_error(text):
    said = _read(text)
    return {**said, "errors": said["errors"][-1:]}


@wrong("errors-of-failures-only", "A run that passes may have logged an error: report it too.")
def failures_only(text):
    said = _read(text)
    return {**said, "errors": [] if said["passed"] else said["errors"]}


@wrong("prefix-cut", "The text behind `[E] ` is wanted whole, `[TRT] ` included.")
def cut(text):
    return _read(text, cut=True)


@wrong("warnings-forgotten", "You report no warnings.")
def no_warnings(text):
    return {**_read(text), "warnings": []}


@wrong(
    "first-average",
    "You read the averages of 10 runs in the trace; the summary is about all queries.",
)
def averages(text):
    said = _read(text)
    found = re.search(r"Host latency: (\S+) ms", text)
    if said["latency_ms"] and found:
        said["latency_ms"]["mean"] = float(found[1])
    return said


@wrong("passed-as-text", "`passed` is a bool, not a word.")
def words(text):
    said = _read(text)
    return {**said, "passed": "PASSED" if said["passed"] else "FAILED"}


@wrong(
    "passed-anywhere", "PASSED may be part of a file name: the word behind the last &&&& decides."
)
def anywhere(text):
    return _read(text, passed=lambda t: "PASSED" in t)


@wrong(
    "failed-anywhere", "FAILED may be part of a file name: the word behind the last &&&& decides."
)
def failed_anywhere(text):
    return _read(text, passed=lambda t: "&&&& PASSED" in t and "FAILED" not in t)


@wrong("warnings-sorted", "Warnings are wanted in the order of the log.")
def sorted_warnings(text):
    said = _read(text)
    return {**said, "warnings": sorted(said["warnings"])}


@wrong("unit-guessed", "You guess the unit from the size of the number; it stands behind it.")
def guessed(text):
    said = _read(text, unit=False)
    for key in ("latency_ms", "compute_ms"):
        if said[key]:
            said[key] = {k: v / 1000 if v > 100 else v for k, v in said[key].items()}
    return said


@right("split and partition")
def by_partition(text):
    lines = text.split("\n")
    marks = [line.split() for line in lines if line.startswith("&&&&")]
    passed = len(marks) > 0 and marks[-1][1:2] == ["PASSED"]
    said = {"passed": passed, "errors": [], "warnings": [], **dict.fromkeys(KEYS)}
    for line in lines:
        _, found, body = line.partition("] [E] ")
        if found:
            said["errors"].append(body)
        _, found, body = line.partition("] [W] * ")
        said["warnings"] += [word for phrase, word in PHRASES if found and phrase in body]
        _, found, body = line.partition("] [I] ")
        title, _, rest = body.partition(": ")
        if not passed or not found:
            continue
        if title == "Throughput":
            said["throughput_qps"] = float(rest.removesuffix(" qps"))
        if title.startswith("Timing trace has "):
            said["queries"] = int(title.split()[3])
        key = {"Latency": "latency_ms", "GPU Compute Time": "compute_ms"}.get(title)
        if key:
            said[key] = {}
            for part in rest.split(", "):
                name, number, unit = part.replace(" = ", " ").split(" ")
                name = name.replace("percentile(", "p").replace("%)", "")
                said[key][name] = float(number) * {"ms": 1, "us": 1e-3}[unit]
    return said
