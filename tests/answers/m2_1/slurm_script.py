"""Answers to slurm-script."""

import re
import shlex

from autograder.checks.bank import right, wrong


def _refuse(spec):
    counts = [spec["nodes"], spec["gpus_per_node"], spec["minutes"]]
    counts += [spec[k] for k in ("array", "at_once") if spec[k] is not None]
    if min(counts) < 1 or (spec["at_once"] is not None and spec["array"] is None):
        raise ValueError("numbers")
    if not spec["command"] or not re.fullmatch(r"[\w-]+", spec["name"], re.ASCII):
        raise ValueError("command or name")


def _options(spec):
    options = {"job-name": spec["name"], "nodes": spec["nodes"], "ntasks-per-node": spec["gpus_per_node"],
               "gpus-per-node": spec["gpus_per_node"], "time": spec["minutes"]}  # fmt: skip
    if spec["array"]:
        options["array"] = f"0-{spec['array'] - 1}" + (
            f"%{spec['at_once']}" if spec["at_once"] else ""
        )
    if spec["after"] is not None:
        options["dependency"] = f"afterok:{spec['after']}"
    if spec["exclusive"]:
        options["exclusive"] = None
    return options


def _script(spec, edit=None, check=True, join=shlex.join, shebang="#!/bin/bash", guard="set -e", run="srun ", late=False):  # fmt: skip
    if check:
        _refuse(spec)
    options = _options(spec)
    if edit:
        edit(options, spec)
    heads = [f"#SBATCH --{k}" + ("" if v is None else f"={v}") for k, v in options.items()]
    body = [guard, run + join(spec["command"])]
    return "\n".join(
        [shebang, *body[:1], *heads, body[1], ""] if late else [shebang, *heads, "", *body, ""]
    )


@right("one line an option")
def plain(spec):
    return _script(spec)


@right("short forms, --gres, days in the time, comments between")
def short(spec):
    _refuse(spec)
    days, minutes = divmod(spec["minutes"], 1440)
    lines = ["#!/usr/bin/bash -l", "# a job", f"#SBATCH -J {spec['name']}", "", f"#SBATCH -N{spec['nodes']}",
             f"#SBATCH --gres gpu:{spec['gpus_per_node']}", f"#SBATCH --ntasks-per-node {spec['gpus_per_node']}",
             f"#SBATCH -t {days}-{minutes // 60:02d}:{minutes % 60:02d}:00"]  # fmt: skip
    lines += [f"#SBATCH -a {_options(spec)['array']}"] if spec["array"] else []
    lines += [f"#SBATCH -d afterok:{spec['after']}"] if spec["after"] is not None else []
    lines += ["#SBATCH --exclusive"] if spec["exclusive"] else []
    words = " ".join(shlex.quote(word) for word in spec["command"])
    return "\n".join([*lines, "# now run", "set -e", "", f"srun {words}"])


@right("seconds in the time")
def seconds(spec):
    def edit(options, spec):
        options["time"] = f"{spec['minutes']}:00"

    return _script(spec, edit)


def _wrong(name, sentence, edit=None, **how):
    def answer(spec):
        return _script(spec, edit, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


def _put(key, value, only=None):
    def edit(options, spec):
        if only is None or only in options:
            options[key] = value(spec)

    return edit


_wrong("options-behind-a-command", "sbatch stops reading options at the first command.", late=True)
_wrong("no-shebang", "sbatch refuses a script whose first line is no #!.", shebang="# a script")
_wrong("not-quoted", "The shell splits and replaces: quote the command's words.", join=" ".join)
_wrong("no-srun", "Without srun the command runs once, on the first node.", run="")
_wrong("no-set-e", "Without set -e a failed step does not fail the job.", guard="")
_wrong("one-task-a-node", "One task a GPU.", _put("ntasks-per-node", lambda s: 1))
_wrong("gpus-of-all-nodes", "--gpus-per-node is for one node.",
       _put("gpus-per-node", lambda s: s["nodes"] * s["gpus_per_node"]))  # fmt: skip
_wrong("tasks-of-all-nodes", "--ntasks-per-node is for one node.",
       _put("ntasks-per-node", lambda s: s["nodes"] * s["gpus_per_node"]))  # fmt: skip
_wrong("hours-and-minutes", "1:30 means a minute and a half.",
       _put("time", lambda s: f"{s['minutes'] // 60}:{s['minutes'] % 60:02d}"))  # fmt: skip
_wrong(
    "seconds-for-minutes", "One number alone is minutes.", _put("time", lambda s: s["minutes"] * 60)
)
_wrong(
    "array-from-1", "The array begins with 0.", _put("array", lambda s: f"1-{s['array']}", "array")
)
_wrong(
    "array-one-too-long", "Ten jobs are 0-9.", _put("array", lambda s: f"0-{s['array']}", "array")
)
_wrong("afterany", "afterok waits for success; afterany for any end.",
       _put("dependency", lambda s: f"afterany:{s['after']}", "dependency"))  # fmt: skip
_wrong("dependency-without-kind", "Say afterok: before the job's number.",
       _put("dependency", lambda s: s["after"], "dependency"))  # fmt: skip
_wrong(
    "exclusive-with-a-value",
    "--exclusive takes no value here.",
    _put("exclusive", lambda s: "true", "exclusive"),
)
_wrong("not-checked", "Bad numbers, names and commands must raise ValueError.", check=False)


@wrong("at-once-forgotten", "%N behind the array limits how many run at once.")
def all_at_once(spec):
    def edit(options, spec):
        options |= {k: str(v).partition("%")[0] for k, v in options.items() if k == "array"}

    return _script(spec, edit)


@wrong("exclusive-forgotten", "--exclusive was asked for.")
def shared(spec):
    return _script(spec, lambda options, spec: options.pop("exclusive", None))


@wrong("space-behind-the-hash", "# SBATCH with a space is a comment.")
def spaced(spec):
    return _script(spec).replace("#SBATCH", "# SBATCH")


@wrong("small-letters", "#sbatch in small letters is a comment.")
def small(spec):
    return _script(spec).replace("#SBATCH", "#sbatch")


@wrong("dos-line-ends", "sbatch refuses lines that end as DOS ends them.")
def dos(spec):
    return _script(spec).replace("\n", "\r\n")


@wrong("repr-for-quotes", "Python's quotes are not a shell's.")
def python_quotes(spec):
    return _script(spec, join=lambda words: " ".join(repr(w) for w in words).replace('"', '\\"'))
