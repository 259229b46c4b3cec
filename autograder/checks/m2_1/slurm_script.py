"""slurm-script: the script is read as sbatch and a shell read it, and compared with the specification."""

from autograder.checks import case, expect
from autograder.checks.oracles import sbatch
from autograder.checks.oracles.shell_words import BadCommand, shell_words

PARTS = {"script": 0.5, "options": 0.25, "refuse": 0.25}
HINTS = (
    "All #SBATCH lines before the first command: behind it they are comments.",
    "Ten jobs are --array=0-9.",
    "shlex.join(command) behind srun.",
)
GOOD = {"name": "bench", "nodes": 2, "gpus_per_node": 8, "minutes": 90, "command": ["python", "run.py"],
        "array": None, "at_once": None, "after": None, "exclusive": False}  # fmt: skip


def cases(rng):
    part = "script"
    yield case("two nodes", part, spec=GOOD)
    yield case("one of each", part, spec=GOOD | {"nodes": 1, "gpus_per_node": 1, "minutes": 1})
    yield case("three days", part, spec=GOOD | {"minutes": 3 * 24 * 60 + 61})
    for word in ("a b", "it's", "$HOME/x", "*.json", "a;b", "#1", "~", 'say "hi"', "a\\b", "", "--nodes=4",
                 "x&&y", "`id`", "a|b", "{1,2}"):  # fmt: skip
        yield case(f"the word {word!r}", part, spec=GOOD | {"command": ["python", "run.py", word]})
    for k in range(3):
        drawn = {"name": f"job_{k}-{int(rng.integers(99))}", "nodes": int(rng.integers(1, 9)),
                 "gpus_per_node": int(rng.integers(1, 9)), "minutes": int(rng.integers(1, 9000))}  # fmt: skip
        yield case(f"drawn, {k + 1}", part, spec=GOOD | drawn)
    part = "options"
    yield case("an array", part, spec=GOOD | {"array": 10})
    yield case("an array of one", part, spec=GOOD | {"array": 1})
    yield case("two at once", part, spec=GOOD | {"array": int(rng.integers(5, 99)), "at_once": 2})
    yield case("after another job", part, spec=GOOD | {"after": int(rng.integers(100, 10**6))})
    yield case("exclusive", part, spec=GOOD | {"exclusive": True, "gpus_per_node": 2})
    yield case("all of it", part,
               spec=GOOD | {"array": 4, "at_once": 4, "after": 77, "exclusive": True})  # fmt: skip
    for label, change in (
        ("no nodes", {"nodes": 0}),
        ("no GPUs", {"gpus_per_node": 0}),
        ("a limit of 0, which is none", {"minutes": 0}),
        ("an empty array", {"array": 0}),
        ("none at once", {"array": 3, "at_once": 0}),
        ("at_once without array", {"at_once": 2}),
        ("no command", {"command": []}),
        ("an empty name", {"name": ""}),
        ("a name with a space", {"name": "my job"}),
        ("a name with a line end", {"name": "job\n"}),
    ):
        yield case(label, "refuse", spec=GOOD | change, refuse=True)


def probe(solution, spec, refuse=False):
    if refuse:
        return refusal(lambda: solution(spec))  # noqa: F821
    return solution(spec)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    spec = case.spec
    if not isinstance(answer, str):
        expect.wrong("type", "Return one string.", yours=expect.kind(answer), right="a str")
    try:
        options, body = sbatch.read_script(answer)
        if "time" in options:
            options["time"] = str(sbatch.time_minutes(options["time"]))
        commands = [shell_words(line) for line in body]
    except BadCommand as error:
        expect.wrong("values", str(error))
    gpus = options.pop("gres", None)
    if gpus is not None and "gpus-per-node" not in options:
        options["gpus-per-node"] = gpus.removeprefix("gpu:") if gpus.startswith("gpu:") else gpus
        gpus = None
    expect.that(gpus is None, "Say the GPUs once: --gpus-per-node or --gres.", yours=gpus)
    wanted = _wanted(spec)
    for name in (*wanted, *options):
        expect.that(options.get(name) == wanted.get(name), f"Not as asked for: --{name}.",
                    yours=options.get(name, "left out"), right=wanted.get(name, "left out"))  # fmt: skip
    right = [["set", "-e"], ["srun", *spec["command"]]]
    expect.that(commands == right, "The body is `set -e` and one line with srun and the command.",
                yours=body, right=["set -e", f"srun and the words {spec['command']}"])  # fmt: skip
    return None


def _wanted(spec):
    """Options by name; the numbers as text."""
    gpus = str(spec["gpus_per_node"])
    wanted = {"job-name": spec["name"], "nodes": str(spec["nodes"]), "ntasks-per-node": gpus,
              "gpus-per-node": gpus, "time": str(spec["minutes"])}  # fmt: skip
    if spec["array"] is not None:
        share = "" if spec["at_once"] is None else f"%{spec['at_once']}"
        wanted["array"] = f"0-{spec['array'] - 1}{share}"
    if spec["after"] is not None:
        wanted["dependency"] = f"afterok:{spec['after']}"
    if spec["exclusive"]:
        wanted["exclusive"] = ""
    return wanted
