"""A batch script as sbatch reads it: directives up to the first command, then a body for the shell.

Rules: Slurm's documentation of sbatch ("the batch script may contain options preceded with #SBATCH before
any executable commands"; processing stops at the first line that is no comment and not blank) and --time.
"""

import re

from autograder.checks.oracles.shell_words import BadCommand, shell_words

SHORT = {"J": "job-name", "N": "nodes", "t": "time", "a": "array", "d": "dependency"}
VALUES = {*SHORT.values(), "ntasks-per-node", "gpus-per-node", "gres"}
SWITCHES = {"exclusive"}
# Fields of each form, in seconds.
FORMS = (
    (r"(\d+)", (60,)),
    (r"(\d+):(\d+)", (60, 1)),
    (r"(\d+):(\d+):(\d+)", (3600, 60, 1)),
    (r"(\d+)-(\d+)", (86400, 3600)),
    (r"(\d+)-(\d+):(\d+)", (86400, 3600, 60)),
    (r"(\d+)-(\d+):(\d+):(\d+)", (86400, 3600, 60, 1)),
)


def time_minutes(text: str) -> int | None:
    """Minutes of a --time, seconds rounded up; None where it means no limit. Raises BadCommand."""
    if text.lower() in ("unlimited", "infinite"):
        return None
    for pattern, units in FORMS:
        if found := re.fullmatch(pattern, text, re.ASCII):
            seconds = sum(int(x) * unit for x, unit in zip(found.groups(), units, strict=True))
            return seconds // 60 + (seconds % 60 > 0) or None
    raise BadCommand(f"sbatch knows no time {text!r}.")


def read_script(text: str) -> tuple[dict[str, str], list[str]]:
    """Options by their long name (a switch has the value ""), and the body's lines with something on them.

    Raises:
        BadCommand: no shebang, an option that is not known here or stands twice, or one without its value.
    """
    if "\r" in text:
        raise BadCommand("sbatch refuses lines that end as DOS ends them.")
    lines = text.split("\n")
    if not re.match(r"#!\s*/\S*\bbash(\s|$)", lines[0]):
        raise BadCommand("The first line must be #!/bin/bash: sbatch refuses a script without it.")
    options: dict[str, str] = {}
    end = next((i for i, x in enumerate(lines) if x.strip() and not x.startswith("#")), len(lines))
    for line in lines[:end]:
        if line.startswith("#SBATCH") and line[7:8] in (" ", "\t", ""):
            _read_directive(line[7:], options)
    body = [
        line.strip() for line in lines[end:] if line.strip() and not line.strip().startswith("#")
    ]
    return options, body


def _read_directive(text: str, options: dict[str, str]) -> None:
    words = shell_words(text)
    if not words:
        raise BadCommand("A #SBATCH line has no option.")
    if len(words) > 2:
        raise BadCommand(f"One option a #SBATCH line: {text.strip()!r}.")
    first = words[0]
    if first.startswith("--"):
        name, sign, value = first[2:].partition("=")
        given = [value] if sign else []
    elif first.startswith("-") and first[1:2] in SHORT:
        name, given = SHORT[first[1]], [first[2:]] if first[2:] else []
    else:
        raise BadCommand(f"sbatch reads no option in {text.strip()!r}.")
    given += words[1:]
    if name not in VALUES | SWITCHES:
        raise BadCommand(f"Not among the options of this exercise: {first}.")
    if name in options:
        raise BadCommand(f"--{name} stands twice.")
    if len(given) != (name in VALUES) or "" in given:
        raise BadCommand(f"--{name} takes {'one value' if name in VALUES else 'no value here'}.")
    options[name] = given[0] if given else ""
