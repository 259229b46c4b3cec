"""The words that a POSIX shell makes of a line, where it takes every character as it is written.

`shlex.split` knows quotes and backslashes alone: it lets an unquoted `a|b` or a "$X" pass, which a shell
would change. Rules: POSIX.1-2017, Shell Command Language, 2.2 Quoting and 2.3 Token Recognition.
"""

import re

OPERATORS = "|&;<>()"
PATTERNS = "*?["
ESCAPED_IN_DOUBLE = '$`"\\'
EXPANSION = re.compile(r"\$[A-Za-z0-9_{(@*#?!$-]")


class BadCommand(Exception):
    """The program would not take the command, or would read it in another way."""


def shell_words(line: str) -> list[str]:
    """The words of one simple command. Raises BadCommand where a shell would do more than split."""
    words: list[str] = []
    word: str | None = None
    at, line = 0, line.replace("\r\n", "\n").strip()
    while at < len(line):
        mark = line[at]
        if mark in " \t":
            if word is not None:
                words.append(word)
            word, at = None, at + 1
            continue
        if mark == "'":
            text, at = _single(line, at + 1)
        elif mark == '"':
            text, at = _double(line, at + 1)
        elif mark == "\\":
            if at + 1 == len(line):
                raise BadCommand("A shell waits for more behind the backslash at the end.")
            text, at = line[at + 1], at + 2
            if text == "\n":  # a continued line is no character
                continue
        else:
            _plain(line, at, begins=word is None)
            text, at = mark, at + 1
        word = (word or "") + text
    return words if word is None else [*words, word]


def _single(line: str, at: int) -> tuple[str, int]:
    end = line.find("'", at)
    if end < 0:
        raise BadCommand("A shell cannot read it: a single quote is not closed.")
    return line[at:end], end + 1


def _double(line: str, at: int) -> tuple[str, int]:
    text = ""
    while at < len(line) and line[at] != '"':
        mark, behind = line[at], line[at + 1 : at + 2]
        if mark == "`" or EXPANSION.match(line, at):
            raise BadCommand(
                f"Inside double quotes a shell still replaces what begins at {line[at : at + 8]!r}: "
                "use single quotes, or a backslash before it."
            )
        if mark == "\\" and behind and behind in ESCAPED_IN_DOUBLE + "\n":
            text, at = text + behind.strip("\n"), at + 2
        else:
            text, at = text + mark, at + 1
    if at >= len(line):
        raise BadCommand("A shell cannot read it: a double quote is not closed.")
    return text, at + 1


def _plain(line: str, at: int, begins: bool) -> None:
    """Refuse a bare character that a shell does not take as itself."""
    mark = line[at]
    if mark == "\n":
        raise BadCommand(
            "A shell ends the command at the line's end: one line, or a \\ before each end."
        )
    what = ""
    if mark in OPERATORS:
        what = "has a meaning of its own"
    elif mark in PATTERNS:
        what = "stands for the names of files"
    elif mark == "`" or EXPANSION.match(line, at) or line[at : at + 2] in ("$'", '$"'):
        what = "is replaced"
    elif begins and mark == "#":
        what = "begins a comment"
    elif begins and mark == "~":
        what = "becomes a home folder"
    if what:
        raise BadCommand(f"To a shell an unquoted {mark} {what}: quote the word that has it.")
