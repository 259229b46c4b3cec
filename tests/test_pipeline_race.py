"""The race of project 1.6: what a worker may send, and that its clock and its files are of no use."""

import sys

import pytest

from autograder.checks import engine, registry
from autograder.checks.m1_6 import opt_pipeline
from autograder.checks.oracles import pipeline_race as race
from autograder.checks.spec import Case
from autograder.grading.examiner import native

FORGER = '''
import json, os, sys, time
import numpy as np
from lab import naive_pipeline as slow

def forger(weights):
    """Looks for the job, leaves a result of its own, turns the clock back, reaches for the timer."""
    found = [n for n in os.listdir(".") if n not in ("stderr", "stdout")]
    report = {"key": "guess", "times": [[9, 9, 1, 1]], "built": {"ok": True}, "checked": []}
    np.savez("result.npz", report=np.frombuffer(json.dumps(report).encode(), np.uint8))
    time.perf_counter = time.monotonic = time.process_time = time.clock_gettime = lambda *a: 0.0
    try:
        open(f"/proc/{os.getppid()}/mem", "rb").close()
        found.append("the timer's memory")
    except OSError:
        pass
    if found:
        raise RuntimeError(f"found {found}")
    return lambda prompts, new_tokens: slow.generate(weights, prompts, new_tokens)
'''


def findings(source, name, part="results"):
    case = Case("", part, {"seed": 5})
    result = race.run(source, name, 5)
    return engine.judge(registry.load_check("opt-pipeline"), case, result), result


@pytest.fixture(scope="module")
def forged():
    with native.shut_in():
        return race.run(FORGER, "forger", 5)


def test_nothing_to_find_and_nothing_to_forge(forged):
    """In the sandbox: no file of the job is left, the result is the driver's, the times are real."""
    check = registry.load_check("opt-pipeline")
    assert forged["built"] == {"ok": True, "kind": "function"}, forged
    assert engine.judge(check, Case("", "results", {}), forged) is None
    assert race.counted(forged["times"]) < race.GAIN
    assert engine.judge(check, Case("", "gain", {}), forged).message == "Too little is gained."


@pytest.mark.parametrize(
    "body, message",
    [
        ("return lambda p, n: None", "Return a list, not a NoneType."),
        ("return lambda p, n: missing_name", "name 'missing_name' is not defined"),
        ("import os\n    os._exit(3)", "its process ended"),
        ("import os\n    return lambda p, n: os.fork()", "PermissionError"),
        ("return lambda p, n: [([0.5] * n, None) for _ in p]", "list of ints, not float"),
        ("import os\n    os.write(5, b'x' * 64)\n    os.write(6, b'x' * 64)", ""),
    ],
    ids=["none", "name", "exit", "fork", "floats", "garbage"],
)
def test_what_is_no_answer_is_refused_with_a_reason(body, message):
    found, _ = findings(f"def broken(weights):\n    {body}", "broken")
    assert found and message in found.message


def test_an_unwritten_pipeline_is_not_run():
    def unwritten(weights):
        """Text only."""
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        opt_pipeline.probe(unwritten, 1)


def test_rounds_end_when_more_would_change_nothing():
    from autograder.checks.oracles import pipeline_worker

    sys.modules["pipeline_worker"] = pipeline_worker  # beside it, where the driver runs
    from autograder.checks.oracles.pipeline_driver import clear

    def rounds(gain, count):
        return [[gain, gain, 1.0, 1.0]] * count

    demands = race.GAIN, race.FULL_GAIN
    assert not clear(rounds(9.0, 1), demands, late=True), "one round shows nothing"
    assert clear(rounds(9.0, 2), demands, late=False) and clear(rounds(1.0, 2), demands, late=False)
    for near in (1.4, 1.6, 2.8, 3.2):
        assert not clear(rounds(near, 8), demands, late=False)
        assert clear(rounds(near, 3), demands, late=True)


def test_gain_is_a_ratio_of_medians():
    times = [[4.0, 3.0, 1.0, 1.0], [4.0, 3.0, 1.0, 1.0], [400.0, 3.0, 1.0, 90.0]]
    assert race.gains(times) == (4.0, 3.0)
    assert race.counted(times) == 3.0
    assert race.counted([[4.0, 9.0, 1.0, 1.0]]) == 8.0, "at most twice the clock's"
    assert race.counted([[4.0, 3.0, 1.0, float("nan")]]) == 4.0, (
        "without CPU time the clock decides"
    )
