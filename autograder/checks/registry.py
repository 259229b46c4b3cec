"""From an exercise id to its check and to its bank of answers."""

import importlib
import importlib.util
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

from autograder.checks import runner
from autograder.checks.spec import Check
from autograder.syllabus import load_syllabus, repo_root


class UnknownExercise(Exception):
    """No exercise, or no check, has this id."""


def _folder(exercise_id: str) -> str:
    for module in load_syllabus().modules:
        if any(exercise.id == exercise_id for exercise in module.exercises):
            return "m" + module.id.replace(".", "_")
    raise UnknownExercise(
        f"No exercise is called {exercise_id!r}: compare with the ids in syllabus.yml."
    )


def check_path(exercise_id: str) -> Path:
    """Where the check of an exercise is written."""
    name = exercise_id.replace("-", "_") + ".py"
    return repo_root() / "autograder" / "checks" / _folder(exercise_id) / name


def bank_path(exercise_id: str) -> Path:
    """Where the right and wrong answers to an exercise are written."""
    name = exercise_id.replace("-", "_") + ".py"
    return repo_root() / "tests" / "answers" / _folder(exercise_id) / name


@cache
def load_check(exercise_id: str) -> Check:
    """The check of an exercise. Raises UnknownExercise if there is none."""
    folder = _folder(exercise_id)
    name = f"autograder.checks.{folder}.{exercise_id.replace('-', '_')}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UnknownExercise(
                f"Exercise {exercise_id!r} has no check: write {check_path(exercise_id).name} "
                f"in autograder/checks/{folder}/."
            ) from None
        raise
    return _from_module(exercise_id, module)


def _from_module(exercise_id: str, module: ModuleType) -> Check:
    parts = dict(getattr(module, "PARTS", {"all": 1.0}))
    if abs(sum(parts.values()) - 1) > 1e-9:
        raise ValueError(f"{module.__name__}: PARTS add up to {sum(parts.values())}, not 1.")
    return Check(
        id=exercise_id,
        cases=module.cases,
        probe=isolated(module.probe),
        judge=module.judge,
        parts=parts,
        hints=tuple(getattr(module, "HINTS", ())),
        bank_seeds=getattr(module, "BANK_SEEDS", 3),
        probe_source=textwrap.dedent(inspect.getsource(module.probe)),
        observe=getattr(module, "observe", None),
    )


def isolated(probe: Callable) -> Callable:
    """The probe rebuilt from its source with the globals that the runner gives it.

    A probe runs beside the learner's code, away from the judge: this proves that it can.
    """
    namespace = runner.probe_scope()
    source = textwrap.dedent(inspect.getsource(probe))
    exec(compile(source, inspect.getsourcefile(probe) or "<probe>", "exec"), namespace)
    return namespace[probe.__name__]


@cache
def load_bank(exercise_id: str) -> ModuleType | None:
    """The answers to an exercise as a module, or None where the tests are not at hand."""
    path = bank_path(exercise_id)
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
