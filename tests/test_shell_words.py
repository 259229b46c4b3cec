"""The reader of shell lines, held against a real POSIX shell."""

import itertools
import random
import re
import shlex
import subprocess

import pytest

from autograder.checks.oracles.shell_words import BadCommand, shell_words

LINES = (
    "a b  c\td",
    "'a b' \"c d\" e\\ f",
    "'it'\\''s' \"it's\" it\\'s",
    "'' a \"\" b",
    "x'y'\"z\"",
    'a \\\n  b \\\nc"d\\\ne"',
    '"\\$HOME \\` \\" \\\\ \\n" \'\\$HOME\'',
    "--kernel-name=regex:^gemm$ 'regex:^(a|b)$' \"regex:^(a|b)$\"",
    "a#b x~y p=~ 50% ^ @ , : ! ]",
    '"a$" "$ b" $',
    "é '日本' \\é",
)


def by_the_shell(line: str) -> list[str]:
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, text=True
    )
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("line", LINES)
def test_words_are_those_of_a_shell(line):
    assert shell_words(line) == by_the_shell(line)


def test_drawn_words_come_back_however_they_are_quoted():
    draw, words = random.Random(5), []
    for _ in range(60):
        words.append(
            "".join(draw.choices("ab $\"'`\\|&;<>()*?[]#~=%!{}^\n\t", k=draw.randrange(5)))
        )
    escaped = str.maketrans({c: "\\" + c for c in '"\\$`'})
    ways = itertools.cycle((shlex.quote, lambda word: f'"{word.translate(escaped)}"'))
    line = " ".join(way(word) for way, word in zip(ways, words, strict=False))
    assert shell_words(line) == words == by_the_shell(line)


@pytest.mark.parametrize(
    "line, what",
    [
        ("a | b", "unquoted |"), ("a&b", "unquoted &"), ("a;b", "unquoted ;"), ("a >b", "unquoted >"),
        ("(a)", "unquoted ("), ("a*", "unquoted *"), ("a?", "unquoted ?"), ("[a]", "unquoted ["),
        ("$HOME", "is replaced"), ("`a`", "is replaced"), ("a$1", "is replaced"), ("$'a'", "is replaced"),
        ("#a", "comment"), ("~/a", "home folder"), ('"$HOME"', "double quotes"), ('"`a`"', "double quotes"),
        ("a\nb", "line's end"), ("'a", "single quote"), ('"a', "double quote"), ("a\\", "backslash"),
    ],
)  # fmt: skip
def test_what_a_shell_would_change_is_refused(line, what):
    with pytest.raises(BadCommand, match=re.escape(what)):
        shell_words(line)
