"""The parts of a check: a case to try, a finding about an answer, the check itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Case:
    """One input to try. Its inputs are read as attributes: `case.x`, `case.bits`.

    label: a few words for the report ("contains zero"). part: the share of the points it belongs to.
    """

    def __init__(self, label: str, part: str, inputs: dict[str, Any]):
        self.label, self.part, self.inputs = label, part, inputs

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["inputs"][name]
        except KeyError:
            raise AttributeError(f"case {self.__dict__.get('label')!r} has no {name!r}") from None

    def __repr__(self) -> str:
        return f"Case({self.label!r}, part={self.part!r}, inputs={sorted(self.inputs)})"


def case(label: str, part: str = "all", **inputs: Any) -> Case:
    """A case whose `inputs` are handed to the probe by name."""
    return Case(label, part, inputs)


@dataclass
class Finding:
    """What a judge found wrong in one answer.

    stage: type, shape, dtype, values, edge, error, missing, mutation. message: one sentence.
    yours, right: one short value each. where: the first bad place. cause: the likely mistake.
    """

    stage: str
    message: str
    yours: str = ""
    right: str = ""
    where: str = ""
    cause: str = ""
    hint: str = ""
    case: str = ""
    part: str = ""
    misconception: str = ""


class Wrong(Exception):
    """Raised inside a judge at the first failing stage; carries the finding."""

    def __init__(self, finding: Finding):
        super().__init__(finding.message)
        self.finding = finding


@dataclass(frozen=True)
class Check:
    """An exercise's check.

    cases(rng) -> iterator of Case. probe(solution, **inputs) -> plain data, self-contained: it may
    use `np`, `refusal`, `outcome` (runner.py) and what it imports in its own body, nothing else, so that
    it can run beside the learner's code while the judge runs elsewhere. judge(case, answer) -> None, or
    raises Wrong.
    parts: share of the points by part name, summing to 1; the first part gates the others.
    probe_source: the probe's text, for a kernel elsewhere. bank_seeds: seeds to put the bank to
    (1 where the cases are the same for all seeds, or where an answer trains for seconds).
    observe(case, answer) -> plain data: for answers that are source text, what running it gives; the
    judge and the diagnosis see that instead. It runs where the judge runs, and may raise Wrong.
    """

    id: str
    cases: Callable[[np.random.Generator], Iterator[Case]]
    probe: Callable[..., Any]
    judge: Callable[[Case, Any], None]
    parts: dict[str, float] = field(default_factory=lambda: {"all": 1.0})
    hints: tuple[str, ...] = ()
    probe_source: str = ""
    bank_seeds: int = 3
    observe: Callable[[Case, Any], Any] | None = None
