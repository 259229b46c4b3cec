"""The way to TensorRT: what is said where it is missing, and what a binary on PATH is given."""

import sys

import pytest
import yaml

from autograder.syllabus import repo_root
from lab import tensorrt_engine
from lab.errors import CourseError
from lab.tensorrt_engine import build_and_time


@pytest.fixture
def no_tensorrt(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(tensorrt_engine, "USUAL", ())
    monkeypatch.setitem(sys.modules, "tensorrt", None)  # import then says that it is not there


def test_absent_is_one_sentence(no_tensorrt, tmp_path):
    with pytest.raises(CourseError, match="TensorRT is not here"):
        build_and_time("trtexec --onnx=a.onnx --saveEngine=a.plan", tmp_path)


def _binary(tmp_path, monkeypatch, body):
    path = tmp_path / "trtexec"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_binary_gets_the_words_and_the_folder(tmp_path, monkeypatch):
    _binary(tmp_path, monkeypatch, 'pwd; for word in "$@"; do echo "<$word>"; done')
    log = build_and_time("trtexec '--onnx=my model.onnx' --fp16", tmp_path)
    assert log.splitlines() == [str(tmp_path), "<--onnx=my model.onnx>", "<--fp16>"]


def test_failure_shows_the_last_lines(tmp_path, monkeypatch):
    _binary(tmp_path, monkeypatch, "echo '[E] Engine set up failed'; exit 1")
    with pytest.raises(CourseError, match="Engine set up failed"):
        build_and_time("trtexec --onnx=a.onnx", tmp_path)


def test_a_run_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    _binary(tmp_path, monkeypatch, "exec sleep 30")
    with pytest.raises(CourseError, match="longer than"):
        build_and_time("trtexec --onnx=a.onnx", tmp_path, timeout_s=0.2)


def test_names_table_is_whole():
    table = yaml.safe_load(
        (repo_root() / "data" / "tensorrt_names.yml").read_text(encoding="utf-8")
    )
    for entry in table["names"]:
        assert set(entry) == {"name", "package", "looked_at", "in", "source", "note"}
        assert set(entry["in"]) <= set(entry["looked_at"]) and entry["looked_at"]
        assert entry["in"] == entry["looked_at"] or entry["note"], (
            f"{entry['name']}: say what to use instead"
        )
    for entry in table["flags"]:
        assert set(entry) == {"flag", "in", "says", "source"} and set(entry["in"]) <= {10, 11}
