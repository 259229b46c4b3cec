"""What the examiner sends to a kernel gives the same outcomes as the same code run here."""

import json
import subprocess
import sys

import pytest

from autograder.checks import bank, codec, engine, registry
from autograder.checks.answers_table import code_exercises
from autograder.grading.examiner.remote import request_code


@pytest.mark.parametrize("exercise", code_exercises())
def test_every_right_answer_gives_the_same_outcomes_through_the_codec(exercise):
    check = registry.load_check(exercise)
    answer = next(a for a in bank.answers(registry.load_bank(exercise)) if a.right)
    cases = engine.make_cases(check, seed=5)
    namespace = {"theirs": answer.solution}
    exec(request_code("theirs", check, cases), namespace)
    results = codec.loads(namespace["_course_answer"])
    assert len(results) == len(cases)
    for case, result in zip(cases, results, strict=True):
        local = engine.probe(check, answer.solution, case)
        assert local.failure is None, case.label
        assert engine.to_outcome(result).equals(local), case.label
    found = {id(c): engine.to_outcome(r) for c, r in zip(cases, results, strict=True)}
    report = engine.run_cases(check, cases, lambda case: found[id(case)], 1.0)
    assert report.passed


def test_missing_name_is_said():
    exercise = code_exercises()[0]
    check = registry.load_check(exercise)
    namespace = {}
    exec(request_code("absent", check, engine.make_cases(check, 5)), namespace)
    assert codec.loads(namespace["_course_answer"]) == [["undefined", "absent", "", ""]]


REFUSING = """
def stopped(values):
    raise {error}

class Missing(ValueError):
    pass
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ValueError('odd')", ["ok", {"raised": "ValueError"}]),
        ("Missing('odd')", ["ok", {"raised": "ValueError"}]),
        ("KeyError('odd')", ["ok", {"raised": "KeyError"}]),
        ("NotImplementedError", ["missing", "", "", ""]),
    ],
)
def test_refusal_reaches_a_kernel_that_cannot_import_the_course(error, said):
    check = registry.load_check("int4-pack")
    cases = [c for c in engine.make_cases(check, 5) if not c.inputs["good"]][:1]
    blocked = "import sys; sys.modules['autograder'] = None"
    kernel = f"{blocked}\n{REFUSING.format(error=error)}\n{request_code('stopped', check, cases)}"
    kernel += "\nprint(_course_answer)"
    done = subprocess.run(
        [sys.executable, "-"], input=kernel, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == json.loads(codec.dumps([said]))
