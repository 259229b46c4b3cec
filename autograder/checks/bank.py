"""The bank of answers: `right` and `wrong` mark functions in tests/answers/.

    @right("one line of numpy")
    def by_numpy(x, bits=8): ...

    @wrong("floor-for-round", "You rounded down; the exercise rounds to nearest, ties to even.")
    def floor_for_round(x, bits=8): ...

A wrong answer's sentence is shown to a learner whose answers equal it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer of the bank.

    diagnose: cheap enough, and repeatable, to recognise by name. defined_as: its name in the bank's
    file; called: the solution is what that name returns.
    """

    name: str
    right: bool
    sentence: str
    solution: Any
    diagnose: bool = True
    defined_as: str = ""
    called: bool = False


def right(name: str, *, call: bool = False) -> Callable:
    """Mark a right answer. call=True: the answer is what the function returns (data, a tuple)."""
    return _mark(name, True, "", call, False)


def wrong(name: str, sentence: str, *, call: bool = False, diagnose: bool = True) -> Callable:
    """Mark a wrong answer: a misconception's name and the sentence that tells it to the learner.

    diagnose=False: too slow or too random to be recognised in a learner's answers.
    """
    if not sentence.strip().endswith((".", "?")):
        raise ValueError(f"The misconception {name!r} needs a whole sentence.")
    return _mark(name, False, sentence, call, diagnose)


def _mark(name: str, is_right: bool, sentence: str, call: bool, diagnose: bool) -> Callable:
    def mark(function: Callable) -> Callable:
        # The caller is the bank's file, whether it marks a function or a class.
        written = sys._getframe(1).f_globals.setdefault("_ANSWERS", [])
        solution = function() if call else function
        answer = Answer(name, is_right, sentence, solution, diagnose, function.__name__, call)
        written.append(answer)
        return function

    return mark


def answers(module: ModuleType | None) -> list[Answer]:
    """The answers of a bank module, in the order they are written."""
    return list(getattr(module, "_ANSWERS", [])) if module else []
