"""The engine: parts and points, quiet probes, errors in the learner's words, named misconceptions."""

import sys
import types
import warnings

import numpy as np
import pytest

from autograder.checks import bank, case, engine, expect, registry
from autograder.checks.registry import isolated
from autograder.checks.spec import Check


def cases(rng):
    yield case("ones", part="core", x=np.ones(3))
    yield case("random", part="core", x=rng.normal(size=5))
    yield case("empty", part="edges", x=np.zeros(0))


def probe(solution, x):
    return solution(x)


def judge(case, answer):
    expect.array(answer, "doubled", shape=case.x.shape, dtype=np.float64)
    expect.close(answer, 2 * case.x, "doubled")


DOUBLE = Check("double", cases, probe, judge, {"core": 0.75, "edges": 0.25})


def squared(x):
    return x * x


@pytest.fixture(autouse=True)
def small_bank(monkeypatch):
    module = types.ModuleType("answers_double")
    module._ANSWERS = [
        bank.Answer("twice", True, "", lambda x: x + x),
        bank.Answer("squared", False, "You squared.", squared),
        bank.Answer("unchanged", False, "You returned the input.", lambda x: x.copy()),
    ]
    monkeypatch.setattr(registry, "load_bank", lambda exercise_id: module)


def run(solution, **options):
    return engine.run(DOUBLE, solution, 4.0, **options)


def test_right_answer_earns_all():
    report = run(lambda x: 2 * x)
    assert report.passed and report.points == 4.0 and report.cases_tried == 3


def test_edge_part_loses_only_its_share():
    report = run(lambda x: 2 * x if x.size else x[:0].astype(np.float32))
    assert report.points == 3.0
    assert [f.part for f in report.findings] == ["edges"]
    assert report.findings[0].stage == "dtype"


def test_failed_gate_earns_nothing_even_if_edges_hold():
    report = run(lambda x: x.copy())
    assert report.points == 0.0 and len(report.findings) == 1


def test_misconception_is_named():
    report = run(lambda x: x.copy() if x.size else x[:0].astype(np.float32))
    assert report.findings[0].misconception == "unchanged"
    assert report.findings[0].cause == "You returned the input."
    assert report.result()["misconception"] == "unchanged"


def test_failures_of_a_source_are_one_mistake_only_if_they_tell_the_same(monkeypatch):
    told = {
        "kernel A": "`a`, line 3, thread (1, 0, 0): reads `tile` that thread (2, 0, 0) writes.",
        "elsewhere": "`b`, line 9, thread (1, 0, 0): reads `part` that thread (2, 0, 0) writes.",
        "another": "`a`, line 3, thread (1, 0, 0): writes `tile` that thread (0, 0, 0) reads.",
    }
    monkeypatch.setattr(
        registry.load_bank(""),
        "_ANSWERS",
        [bank.Answer("unordered", False, "A barrier is missing.", lambda x: "kernel A")],
    )

    def observe(case, answer):
        expect.wrong("error", told[answer], yours="race")

    sources = Check("double", cases, probe, judge, {"core": 0.75, "edges": 0.25}, observe=observe)
    for answer, name in (("kernel A", "unordered"), ("elsewhere", "unordered"), ("another", "")):
        report = engine.run(sources, lambda x, answer=answer: answer, 4.0)
        assert report.findings[0].misconception == name


def test_misconception_must_match_every_case_of_its_part():
    report = run(lambda x: x.copy() if x[:1] == 1 else x + 1)
    assert report.findings[0].misconception == ""


def test_unwritten_exercise_is_said_so():
    def blank(x):
        raise NotImplementedError

    finding = run(blank).findings[0]
    assert finding.stage == "missing" and not finding.misconception


def test_error_names_type_and_text():
    finding = run(lambda x: x / {}["scale"]).findings[0]
    assert finding.stage == "error" and "KeyError" in finding.message and "scale" in finding.message


def test_argument_changed_in_place_is_found():
    def in_place(x):
        x *= 2
        return x

    finding = run(in_place).findings[0]
    assert finding.stage == "mutation" and "`x`" in finding.message


def test_noise_on_stderr_and_warnings_stay_inside(capfd):
    def noisy(x):
        print("progress", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        np.log(np.zeros(1))
        return 2 * x

    assert run(noisy).passed
    assert capfd.readouterr().err == ""


def test_object_that_equals_everything_is_refused():
    class Always:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert run(lambda x: Always()).points == 0
    assert run(lambda x: np.array([Always()] * x.size, dtype=object)).points == 0


def test_same_seed_same_cases_other_seed_other_cases():
    inputs = {}

    def spy(key):
        def solution(x):
            inputs.setdefault(key, []).append(x.copy())
            return 2 * x

        return solution

    for key, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(spy(key), seed=seed)
    assert np.array_equal(inputs["a"][1], inputs["b"][1])
    assert not np.array_equal(inputs["a"][1], inputs["c"][1])


def test_part_without_case_is_refused():
    def only_core(rng):
        yield case("ones", part="core", x=np.ones(3))

    check = Check("double", only_core, probe, judge, {"core": 0.75, "edges": 0.25})
    with pytest.raises(ValueError, match="'edges' has no case"):
        engine.run(check, lambda x: 2 * x, 4.0)


def test_unknown_part_is_refused():
    check = Check("double", cases, probe, judge, {"core": 1.0})
    with pytest.raises(ValueError, match="unknown part 'edges'"):
        engine.run(check, lambda x: 2 * x, 4.0)


HELPER = 3


def leaning_probe(solution, x):
    return solution(x) * HELPER


def test_probe_that_leans_on_its_module_fails_when_isolated():
    with pytest.raises(NameError):
        isolated(leaning_probe)(lambda x: x, 1)
    assert isolated(probe)(lambda x: x + 1, 1) == 2


def test_answer_that_is_right_in_the_part_explains_nothing(monkeypatch):
    """-0.0 equals 0.0 as an answer, but a judge may tell them apart."""

    def strict(case, answer):
        expect.that(not np.signbit(answer).any(), "a lost sign")

    check = Check("double", cases, probe, strict, {"core": 0.75, "edges": 0.25})
    report = engine.run(check, lambda x: -np.zeros_like(x), 4.0)
    assert report.points == 0
    module = types.ModuleType("answers_double")
    module._ANSWERS = [bank.Answer("zeros", False, "All zeros.", lambda x: np.zeros_like(x))]
    monkeypatch.setattr(registry, "load_bank", lambda exercise_id: module)
    assert engine.run(check, lambda x: -np.zeros_like(x), 4.0).findings[0].misconception == ""
