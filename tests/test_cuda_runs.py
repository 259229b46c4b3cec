"""What a judge gets of a learner's CUDA source: results of its own, and a launch run once."""

import numpy as np
import pytest

from autograder.checks.oracles import cuda_runs
from autograder.checks.spec import Finding, Wrong

SOURCE = """extern "C" __global__ void add_one(const int* x, int* out) {
    int i = threadIdx.x; { out[i] = x[i] + 1; }
}"""


def _launch(values):
    x = np.array(values, np.int32)
    arguments = ("in", "x", x), ("out", "out", np.zeros_like(x))
    return cuda_runs.Launch("add_one", (1,), (x.size,), arguments)


@pytest.fixture
def ran(monkeypatch):
    cuda_runs._kept.clear()
    real, calls = cuda_runs._run, []
    monkeypatch.setattr(cuda_runs, "_run", lambda *a: (calls.append(a), real(*a))[1])
    return calls


def test_a_launch_is_run_once_and_its_result_belongs_to_the_caller(ran):
    first = cuda_runs.run(SOURCE, _launch([1, 2, 3]))
    first["out"][:] = 0
    second = cuda_runs.run(SOURCE, _launch([1, 2, 3]))
    second["out"][0] = 9
    assert cuda_runs.run(SOURCE, _launch([1, 2, 3]))["out"].tolist() == [2, 3, 4]
    assert len(ran) == 1


def test_other_values_and_other_sources_are_run(ran):
    assert cuda_runs.run(SOURCE, _launch([1, 2, 3]))["out"].tolist() == [2, 3, 4]
    assert cuda_runs.run(SOURCE, _launch([1, 2, 4]))["out"].tolist() == [2, 3, 5]
    assert cuda_runs.run(SOURCE.replace("+ 1", "- 1"), _launch([1, 2, 3]))["out"].tolist() == [
        0,
        1,
        2,
    ]
    assert len(ran) == 3


def test_a_finding_is_raised_again(ran):
    outside = SOURCE.replace("out[i] =", "out[i + 1] =")
    for _ in range(2):
        with pytest.raises(Wrong) as caught:
            cuda_runs.run(outside, _launch([1, 2, 3]))
        assert "out" in caught.value.finding.message
    assert len(ran) == 1


def test_a_process_that_was_ended_is_tried_again(monkeypatch):
    calls = []

    def ended(source, launch):
        calls.append(source)
        raise Wrong(Finding("error", "The kernel was stopped.", yours="ended"))

    monkeypatch.setattr(cuda_runs, "_run", ended)
    for _ in range(2):
        with pytest.raises(Wrong):
            cuda_runs.run(SOURCE, _launch([7]))
    assert len(calls) == 2


def test_a_literal_null_pointer_is_found():
    null = SOURCE.replace("{ out", "{ *(volatile int*)0 = 1; out")
    with pytest.raises(Wrong, match="null pointer"):
        cuda_runs.run(null, _launch([1]))


def test_the_elements_that_each_thread_stores():
    turned = SOURCE.replace("{ out[i] =", "{ i ^= 1; if (i < 3) out[i] =")
    answer = cuda_runs.run(turned, _launch([1, 2, 3]))
    assert answer["stored"]["out"][:4] == [[1], [0], [], []]
    cuda_runs.own_elements(answer, "out", lambda lane: [lane ^ 1] if lane < 2 else [], "wrong")
    with pytest.raises(Wrong) as caught:
        cuda_runs.own_elements(answer, "out", lambda lane: [lane] if lane < 3 else [], "wrong")
    assert caught.value.finding.yours == "thread 0 of block 0 writes out[1]"
