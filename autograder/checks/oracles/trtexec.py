"""What trtexec makes of a command line, and what its log says: read by rule, without the lesson's solutions.

The rules are those of TensorRT's samples/common/sampleOptions.cpp (releases 10.x): a flag and its value are
joined by "="; a shape is name:AxBxC, split at the last colon; the shape flags of a profile stand
directly behind its --profile.
"""

import re
import shlex

SHAPES = ("--minShapes", "--optShapes", "--maxShapes")
VALUED = ("--onnx", "--saveEngine", "--memPoolSize", "--timingCacheFile", "--profile", *SHAPES)
SWITCHES = ("--skipInference",)
PRECISIONS = ("fp16", "bf16", "int8", "fp8", "int4", "best", "stronglyTyped")
GONE = {
    "--workspace": "--memPoolSize=workspace:N",
    "--buildOnly": "--skipInference",
    "--explicitBatch": "nothing: it has no effect since 8.2 and is gone",
    "--minTiming": "--avgTiming",
    "--maxBatch": "the first dimension of the shape flags",
    "--batch": "the first dimension of the shape flags",
    "--streams": "--infStreams",
    "--plugins": "--staticPlugins",
}
UNITS = {"B": 1 / 2**20, "K": 1 / 2**10, "M": 1, "G": 2**10}


class BadCommand(Exception):
    """trtexec would not take the command, or would read it in another way."""


def shapes(text: str) -> dict[str, list[int]]:
    """name:AxBxC,name:AxB as {name: [A, B, C]}."""
    found = {}
    for part in text.split(","):
        name, colon, dims = part.rpartition(":")
        name = name.strip("'\\")
        if not colon or not re.fullmatch(r"\d+(x\d+)*", dims):
            raise BadCommand(f"{part!r} is no name:AxBxC.")
        if name in found:
            raise BadCommand(f"{name!r} occurs twice in {text!r}.")
        found[name] = [int(d) for d in dims.split("x")]
    return found


def mebibytes(text: str) -> float:
    """The workspace of --memPoolSize=workspace:N[B|K|M|G], in MiB."""
    match = re.fullmatch(r"workspace:(\d+(?:\.\d+)?)([BKMG]?)", text)
    if not match:
        raise BadCommand(f"--memPoolSize={text} is no workspace:N in MiB.")
    return float(match[1]) * UNITS[match[2] or "M"]


def parse_command(command: str) -> dict:
    """{"flags": {flag: value}, "switches": set, "profiles": [{flag: shapes}]}. Raises BadCommand."""
    command = command.strip().replace("\\\n", "")
    if "\n" in command:
        raise BadCommand(
            "A shell ends the command at the line's end: one line, or a \\ before each end."
        )
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadCommand(f"A shell cannot read it: {error}.") from None
    if not words or words[0].replace("\\", "/").rpartition("/")[2] not in (
        "trtexec",
        "trtexec.exe",
    ):
        raise BadCommand("It does not start with trtexec.")
    items = [word.partition("=") for word in words[1:]]
    flags, switches, indexed, loose, at = {}, set(), {}, {}, 0
    while at < len(items):
        flag, equals, value = items[at]
        at += 1
        if flag in GONE:
            raise BadCommand(f"{flag} is deprecated or gone; use {GONE[flag]}.")
        if not flag.startswith("--"):
            raise BadCommand(
                f"trtexec does not know {flag!r}: a value is joined to its flag by '='."
            )
        if flag in SWITCHES or flag[2:] in PRECISIONS:
            if equals:
                raise BadCommand(f"{flag} is a switch: it takes no value.")
            if flag[2:] in switches:
                raise BadCommand(f"{flag} occurs twice.")
            switches.add(flag[2:])
        elif flag not in VALUED:
            raise BadCommand(f"{flag} was not asked for.")
        elif not equals or not value:
            raise BadCommand(f"{flag} needs a value behind '='.")
        elif flag == "--profile":
            if not value.isdigit() or int(value) in indexed:
                raise BadCommand(f"--profile={value}: indices are whole numbers, each once.")
            block = indexed[int(value)] = {}
            while at < len(items) and items[at][0] in SHAPES and items[at][0] not in block:
                block[items[at][0]] = shapes(items[at][2])
                at += 1
        elif flag in SHAPES:
            if flag in loose:
                raise BadCommand(f"{flag} occurs twice outside a --profile.")
            loose[flag] = shapes(value)
        elif flag in flags:
            raise BadCommand(f"{flag} occurs twice.")
        else:
            flags[flag] = value
    if loose and indexed:
        raise BadCommand("Shape flags stand apart from their --profile.")
    if sorted(indexed) != list(range(len(indexed))):
        raise BadCommand("Profile indices must count up from 0.")
    profiles = [indexed[i] for i in sorted(indexed)] if indexed else [loose] if loose else []
    for i, profile in enumerate(profiles):
        for flag in SHAPES:
            if flag not in profile:
                raise BadCommand(f"Profile {i} lacks {flag}.")
    return {"flags": flags, "switches": switches, "profiles": profiles}


def parse_log(text: str) -> dict:
    """What a log says: passed, errors, warnings, and the figures, None where it did not pass."""
    lines = text.splitlines()
    bodies = [re.match(r"\[[^\]]*\] \[([A-Z])\] ?(.*)$", line) for line in lines]
    bodies = [(m[1], m[2]) for m in bodies if m]
    last = [line for line in lines if line.startswith("&&&& ")][-1:]
    out = {
        "passed": bool(last) and last[0].startswith("&&&& PASSED"),
        "errors": [body for severity, body in bodies if severity == "E"],
        "warnings": [],
        "queries": None,
        "throughput_qps": None,
        "latency_ms": None,
        "compute_ms": None,
    }
    phrases = {
        "Enqueue Time": "enqueue",
        "host-to-device": "h2d",
        "device-to-host": "d2h",
        "unstable": "unstable",
    }
    for severity, body in bodies:
        if severity == "W" and body.startswith("* "):
            out["warnings"] += [word for phrase, word in phrases.items() if phrase in body]
        if severity != "I" or not out["passed"]:
            continue
        if body.startswith("Timing trace has "):
            out["queries"] = int(body.split()[3])
        elif body.startswith("Throughput: "):
            out["throughput_qps"] = float(body.split()[1])
        for start, key in (("Latency: ", "latency_ms"), ("GPU Compute Time: ", "compute_ms")):
            if body.startswith(start):
                out[key] = _times(body.removeprefix(start))
    return out


def _times(text: str) -> dict[str, float]:
    found = {}
    for part in text.split(", "):
        name, _, rest = part.partition(" = ")
        number, unit = rest.split()
        percent = re.fullmatch(r"percentile\((.*)%\)", name)
        found[f"p{percent[1]}" if percent else name] = float(number) / {"ms": 1, "us": 1000}[unit]
    return found
