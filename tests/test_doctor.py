"""`course doctor`: the bench's findings and the sandbox's layers, one line each."""

from click.testing import CliRunner

from autograder import doctor
from autograder.cli import main
from autograder.grading import sandbox
from autograder.grading.sandbox.layers import NAMES, Layer, none_here

HELD = Layer("seccomp", True, "55 system calls refused")
ABSENT = Layer("landlock", False, "not available: too old")


def lines_of(monkeypatch, layers):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    if layers is not None:
        monkeypatch.setattr(sandbox, "probe_layers", lambda: layers)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_this_machine_s_layers_are_shown_in_order(monkeypatch):
    shown = [line for line in lines_of(monkeypatch, None) if " sandbox " in line]
    assert [line.split()[2] for line in shown] == [layer.name for layer in sandbox.probe_layers()]
    assert {line.split()[2] for line in shown} == set(NAMES)
    for line in shown:
        assert line.startswith("ok ") == ("  held: " in line)
        assert line.startswith("missing ") == ("  not held: " in line)


def test_a_layer_that_is_absent_costs_and_means_something(monkeypatch):
    *shown, last = lines_of(monkeypatch, [HELD, ABSENT])
    assert any(x.startswith("ok ") and x.endswith("held: 55 system calls refused") for x in shown)
    missing = next(line for line in shown if "sandbox landlock" in line)
    assert missing.startswith("missing") and "not held: not available: too old" in missing
    assert "Costs: " in missing and "Remedy: " in missing
    assert last.startswith("The sandbox is incomplete here (landlock): a submission's code could")


def test_without_a_sandbox_one_sentence_says_what_that_means(monkeypatch):
    *shown, last = lines_of(monkeypatch, none_here())
    assert last == f"Without a sandbox, {doctor.RISK}"
    assert sum("not held: not available on" in line for line in shown) == len(NAMES)


def test_with_every_layer_nothing_is_added(monkeypatch):
    assert lines_of(monkeypatch, [HELD])[-1].startswith("The course runs here; ")
