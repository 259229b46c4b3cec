"""nim-launch: the command is read as a shell and docker read it, and compared with the specification."""

import csv
import re

from autograder.checks import case, expect
from autograder.checks.oracles.shell_words import BadCommand, shell_words

PARTS = {"command": 0.5, "devices": 0.25, "refuse": 0.25}
HINTS = (
    "Collect words; shlex.join quotes them.",
    'The word that docker receives for two devices is "device=0,1", the double quotes being part of it.',
    "-e NGC_API_KEY without a value: docker takes it from the environment.",
)
GOOD = {
    "name": "nim",
    "image": "example/llm-nim:1",
    "gpus": None,
    "shm_gb": 16,
    "port": 8000,
    "cache": "/data/nim",
}
NAMES = {"-e": "--env", "-v": "--volume", "-p": "--publish"}
VALUES = ("--name", "--gpus", "--shm-size", "--env", "--volume", "--publish")


def cases(rng):
    part = "command"
    yield case("all GPUs", part, spec=GOOD)
    yield case("another port", part, spec=GOOD | {"port": int(rng.integers(1024, 65000))})
    yield case("the last port", part, spec=GOOD | {"port": 65535})
    yield case("1 GB of shared memory", part, spec=GOOD | {"shm_gb": 1})
    yield case(
        "drawn",
        part,
        spec=GOOD | {"shm_gb": int(rng.integers(2, 64)), "name": f"n{int(rng.integers(99))}"},
    )
    for path in (
        "/data/nim cache",
        "/it's",
        "/a$HOME",
        "/x;y",
        '/say "hi"',
        "/a,b",
        "/~x",
        "/*",
        "/a&b",
    ):
        yield case(f"the cache {path}", part, spec=GOOD | {"cache": path})
    part = "devices"
    for gpus in ([0], [3], [0, 1], [2, 0], [4, 5, 6, 7]):
        yield case(f"devices {gpus}", part, spec=GOOD | {"gpus": gpus})
    for label, change in (
        ("no devices", {"gpus": []}),
        ("a device below 0", {"gpus": [0, -1]}),
        ("a device twice", {"gpus": [1, 1]}),
        ("no shared memory", {"shm_gb": 0}),
        ("port 0", {"port": 0}),
        ("port 65536", {"port": 65536}),
        ("a relative cache", {"cache": "nim"}),
        ("an empty cache", {"cache": ""}),
        ("a cache with a colon", {"cache": "/a:b"}),
    ):
        yield case(label, "refuse", spec=GOOD | change, refuse=True)


def probe(solution, spec, refuse=False):
    if refuse:
        return refusal(lambda: solution(spec))  # noqa: F821
    return solution(spec)


def read_docker(line):
    """Options by long name, and the words behind them. Raises BadCommand."""
    words = shell_words(line)
    if words[:2] != ["docker", "run"]:
        raise BadCommand("The command begins with docker run.")
    options, at = {}, 2
    while at < len(words) and words[at].startswith("-"):
        name, sign, value = (
            words[at].partition("=") if words[at].startswith("--") else (words[at], "", "")
        )
        name, at = NAMES.get(name, name), at + 1
        if name in options:
            raise BadCommand(f"{name} stands twice.")
        if name == "--rm":
            if sign and value != "true":
                raise BadCommand("--rm takes no value here.")
            value = ""
        elif name not in VALUES:
            raise BadCommand(f"Not among the options of this exercise: {name}.")
        elif not sign:
            if at == len(words):
                raise BadCommand(f"{name} needs a value.")
            value, at = words[at], at + 1
        options[name] = value
    return options, words[at:]


def devices(value):
    """None for all, or device numbers in order, as docker's comma-separated fields give them."""
    if value == "all":
        return None
    fields = next(csv.reader([value], strict=True), [])
    if len(fields) != 1 or not re.fullmatch(r"device=[0-9]+(,[0-9]+)*", fields[0]):
        raise BadCommand(
            f"docker reads the fields {fields} in --gpus {value}: quotes belong around device=..."
        )
    return [int(x) for x in fields[0].removeprefix("device=").split(",")]


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    if not isinstance(answer, str):
        expect.wrong("type", "Return one string.", yours=expect.kind(answer), right="a str")
    spec = case.spec
    try:
        options, rest = read_docker(answer)
        chosen = devices(options.get("--gpus", "none"))
    except (BadCommand, csv.Error) as error:
        expect.wrong("values", str(error), yours=answer[:110])
    expect.that(rest == [spec["image"]], "The image is the last word, and the only one behind the options.",
                yours=rest, right=[spec["image"]])  # fmt: skip
    wanted = {"--rm": "", "--name": spec["name"], "--env": "NGC_API_KEY",
              "--volume": f"{spec['cache']}:/opt/nim/.cache",
              "--publish": f"127.0.0.1:{spec['port']}:8000"}  # fmt: skip
    for name, right in wanted.items():
        expect.that(options.get(name) == right, f"Not as asked for: {name}.",
                    yours=options.get(name, "left out"), right=right or "said")  # fmt: skip
    size = re.fullmatch(r"([0-9]+)(gb?)", options.get("--shm-size", ""), re.IGNORECASE)
    expect.that(bool(size) and int(size[1]) == spec["shm_gb"], "Not as asked for: --shm-size.",
                yours=options.get("--shm-size", "left out"), right=f"{spec['shm_gb']}GB")  # fmt: skip
    same = (
        chosen == spec["gpus"]
        if chosen is None or spec["gpus"] is None
        else sorted(chosen) == sorted(spec["gpus"])
    )
    expect.that(same, "Other GPUs than asked for.", yours=chosen, right=spec["gpus"] or "all")
    return None
