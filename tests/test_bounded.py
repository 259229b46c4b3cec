"""Calls with limits on memory and time."""

import sys
import tracemalloc

import numpy as np
import pytest

from lab import bounded
from lab.bounded import bounded_call
from lab.errors import CourseError

needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="RLIMIT_DATA counts on Linux alone"
)


class Named(ValueError):
    field = "dims"


def test_a_result_and_its_memory():
    found = bounded_call(lambda: len(bytearray(5_000_000)))
    assert found["value"] == 5_000_000 and 5_000_000 <= found["peak_bytes"] < 6_000_000
    assert bounded_call(lambda: 1)["peak_bytes"] < 100_000
    assert not tracemalloc.is_tracing()


def test_an_error_is_told_by_name_and_field():
    def refuse():
        raise Named("zero")

    found = bounded_call(refuse)
    assert (found["raised"], found["message"], found["field"]) == ("ValueError", "zero", "dims")
    assert bounded_call(lambda: {}["x"])["raised"] == "KeyError"
    with pytest.raises(NotImplementedError):
        bounded_call(lambda: (_ for _ in ()).throw(NotImplementedError))


@needs_linux
def test_memory_is_limited_and_the_limit_taken_back():
    assert bounded_call(lambda: bytearray(2**30), memory_mb=64)["raised"] == "MemoryError"
    assert bounded_call(lambda: np.ones(2**27), memory_mb=64)["raised"] == "MemoryError"
    assert len(bytearray(2**27)) == 2**27


def test_an_endless_loop_is_stopped_even_if_it_catches_errors():
    def endless():
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue

    assert bounded_call(endless, seconds=0.2)["raised"] == "TimeoutError"


def test_what_was_stopped_is_not_called_again_at_once(monkeypatch):
    calls = []

    def endless():
        calls.append(1)
        while True:
            pass

    for _ in range(3):
        assert bounded_call(endless, seconds=0.1, of=endless)["raised"] == "TimeoutError"
    assert len(calls) == 1
    assert bounded_call(lambda: 5, of=len)["value"] == 5
    monkeypatch.setattr(bounded, "FORGET_S", 0.0)
    bounded_call(endless, seconds=0.1, of=endless)
    assert len(calls) == 2


def test_tracing_that_was_on_stays_on():
    tracemalloc.start()
    try:
        bounded_call(lambda: bytearray(10_000))
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("limits", [{"memory_mb": 0}, {"seconds": 0}, {"seconds": float("inf")}])
def test_limits_are_positive(limits):
    with pytest.raises(CourseError):
        bounded_call(lambda: 1, **limits)
