"""The project's network is judged on the images that the judge finds, whatever a kernel says."""

import os
import subprocess
import sys

import pytest

from autograder.checks import codec, engine, registry
from autograder.checks.engine import to_outcome
from autograder.grading.examiner.remote import request_code
from autograder.syllabus import repo_root

MIRROR = repo_root().parent / "shared" / "data"
# A kernel whose loader claims the stand-in, so that its network meets the lower bar only.
CLAIMS_STAND_IN = """
import lab.data
from autograder.checks import bank, registry

lab.data.locate = lambda *a, **k: lab.data.Located(None, "none", {{}})
assert lab.data.load_mnist().is_stand_in
answers = bank.answers(registry.load_bank("quantized-lenet"))
hand_in = next(a.solution for a in answers if a.right)
{request}
print(_course_answer)
"""


@pytest.fixture(scope="module")
def claimed():
    """The check, its cases, and what the kernel gives for each."""
    check = registry.load_check("quantized-lenet")
    cases = engine.make_cases(check, 5)
    kernel = CLAIMS_STAND_IN.format(request=request_code("hand_in", check, cases))
    done = subprocess.run(
        [sys.executable, "-"],
        input=kernel,
        capture_output=True,
        text=True,
        check=True,
        cwd=repo_root(),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    results = codec.loads(done.stdout.strip().splitlines()[-1])
    found = {id(c): to_outcome(r) for c, r in zip(cases, results, strict=True)}
    return check, cases, lambda case: found[id(case)]


def test_stand_in_is_accepted_where_the_judge_has_no_other_images(claimed, monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    assert engine.run_cases(*claimed, 5.0).passed


@pytest.mark.skipif(not MIRROR.is_dir(), reason="no mirror here")
def test_claim_of_the_stand_in_does_not_lower_the_bar(claimed, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_MIRROR", str(MIRROR))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    report = engine.run_cases(*claimed, 5.0)
    accuracy = next(f for f in report.findings if f.part == "accuracy")
    assert "too few of 2000 test images" in accuracy.message
    assert "read from the mirror folder" in accuracy.hint


def test_judge_never_downloads(monkeypatch, tmp_path):
    from autograder.checks.oracles import lenet

    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    data = lenet.mnist()
    assert data.is_stand_in and data.note.endswith("is in no cache or mirror.")
    assert not any(tmp_path.rglob("*-ubyte*"))
