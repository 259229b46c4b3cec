"""What nsys and ncu make of a command line, read by rule, without the lesson's solutions.

The rules are those of `nsys profile --help` (2022.4) and `ncu --help` (2022.3, 2024.1), tried with these
programs: options end at the first word that is neither an option nor the value of one; a short option and
its value are two words; every option of nsys has a value, even a yes or no; the switches of ncu have none.
"""

import re

from autograder.checks.oracles.shell_words import BadCommand, shell_words

NSYS_SHORT = {"-t": "--trace", "-s": "--sample", "-c": "--capture-range", "-o": "--output",
              "-f": "--force-overwrite", "-p": "--nvtx-capture"}  # fmt: skip
NSYS_VALUES = {
    "--trace": None, "--output": None, "--nvtx-capture": None,
    "--sample": ("process-tree", "system-wide", "none"),
    "--cpuctxsw": ("process-tree", "system-wide", "none"),
    "--capture-range": ("none", "cudaProfilerApi", "nvtx", "hotkey"),
    "--force-overwrite": ("true", "false"),
    "--stats": ("true", "false"),
    "--export": ("none", "arrow", "sqlite", "hdf", "text", "json"),
}  # fmt: skip
NCU_SHORT = {"-k": "--kernel-name", "-c": "--launch-count", "-s": "--launch-skip",
             "-o": "--export", "-f": "--force-overwrite"}  # fmt: skip
NCU_VALUES = {
    "--set": None, "--section": None, "--metrics": None, "--kernel-name": None,
    "--launch-count": None, "--launch-skip": None, "--export": None,
    "--page": ("details", "raw", "source", "session"),
    "--target-processes": ("application-only", "all"),
}  # fmt: skip
NCU_SWITCHES = ("--csv", "--force-overwrite")
MANY = ("--section",)


def words_of(command: str, program: str) -> list[str]:
    """The words behind the program's name, as a POSIX shell splits them. Raises BadCommand."""
    words = shell_words(command)
    if not words or words[0].rpartition("/")[2] != program:
        raise BadCommand(f"It does not start with {program}.")
    return words[1:]


def split(words, short, valued, switches, tool) -> tuple[dict[str, list[str]], list[str]]:
    """{option: values} and the words of the profiled program."""
    found: dict[str, list[str]] = {}
    at = 0
    while at < len(words) and words[at].startswith("-"):
        word, equals, value = words[at].partition("=")
        if not word.startswith("--"):
            if equals:
                raise BadCommand(
                    f"One dash makes {word} a short option: its value is the next word, without '='. "
                    "Long names have two dashes."
                )
            if word not in short:
                raise BadCommand(f"{word} was not asked for, or {tool} does not know it.")
            word = short[word]
        if word in switches:
            if equals:
                raise BadCommand(f"{word} of {tool} is a switch: it takes no value.")
        elif word not in valued:
            raise BadCommand(f"{word} was not asked for, or {tool} does not know it.")
        elif not equals:
            at += 1
            if at >= len(words):
                raise BadCommand(f"{word} lacks its value.")
            value = words[at]
        allowed = valued.get(word)
        if word not in switches and allowed and not set(value.split(",")) <= set(allowed):
            place = "" if equals else ", the next word"
            raise BadCommand(f"{word} takes {', '.join(allowed)}, not {value!r}{place}.")
        if word in found and word not in MANY:
            raise BadCommand(f"{word} stands twice.")
        found.setdefault(word, []).append(value)
        at += 1
    return found, words[at:]


def parse_nsys(command: str) -> tuple[dict[str, str], list[str]]:
    """{long option: value} and the profiled program of `nsys profile ...`. Raises BadCommand."""
    words = words_of(command, "nsys")
    if words[:1] != ["profile"]:
        raise BadCommand("Behind nsys stands what it is to do: profile.")
    options, program = split(words[1:], NSYS_SHORT, NSYS_VALUES, (), "nsys")
    return {name: values[0] for name, values in options.items()}, program


def parse_ncu(command: str) -> tuple[dict[str, list[str]], list[str]]:
    """{long option: values} and the profiled program of `ncu ...`. Raises BadCommand."""
    return split(words_of(command, "ncu"), NCU_SHORT, NCU_VALUES, NCU_SWITCHES, "ncu")


def matched(kernel_filter: str | None, names: list[str]) -> list[str]:
    """Those names that --kernel-name lets through; None: all. Raises BadCommand on a bad regex."""
    if kernel_filter is None:
        return list(names)
    if not kernel_filter.startswith("regex:"):
        return [name for name in names if name == kernel_filter]
    try:
        pattern = re.compile(kernel_filter.removeprefix("regex:"))
    except re.error as error:
        raise BadCommand(
            f"--kernel-name={kernel_filter} is no regular expression: {error}."
        ) from None
    return [name for name in names if pattern.search(name)]
