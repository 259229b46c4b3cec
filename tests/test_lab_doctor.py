"""lab.doctor: the judgements on made-up machines, and the look at this one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab import doctor, probes
from lab.doctor import Finding

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.delenv("COURSE_MIRROR", raising=False)


def test_this_machine():
    findings = doctor.examine()
    by_name = {finding.name: finding for finding in findings}
    assert by_name["Python"].state == "ok"
    assert by_name["package numpy"].detail.count(".") == 2
    assert {"extra gpu", "extra llamacpp", "extra dev", "GPU", "CUDA compiler"} <= set(by_name)
    assert by_name["network"].detail == "COURSE_OFFLINE is set"
    assert by_name["mirror"].state == "missing"
    assert "no data set" in by_name["data cache"].detail
    for finding in findings:
        assert finding.state in ("ok", "warning", "missing")
        assert "\n" not in finding.detail + finding.costs + finding.remedy
        if finding.state == "ok":
            assert not finding.costs
        else:
            assert finding.costs and finding.remedy
    assert doctor.exit_code(findings) == 0


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 10, 14), "missing"),
        ((3, 11, 0), "ok"),
        ((3, 13, 9), "ok"),
        ((3, 14, 0), "missing"),
        ((2, 7, 18), "missing"),
    ],
)
def test_python_versions(version, state):
    finding = doctor.judge_python(version)
    assert finding.state == state
    assert doctor.exit_code([finding]) == (state == "missing")


def test_packages():
    assert doctor.judge_package("torch", "2.13.0", "2.13.0+cpu").state == "ok"
    other = doctor.judge_package("torch", "2.13.0", "2.12.1")
    assert (other.state, other.detail) == ("warning", "2.12.1, pinned to 2.13.0")
    assert doctor.exit_code([other]) == 0
    absent = doctor.judge_package("torch", "2.13.0", None)
    assert absent.state == "missing"
    assert doctor.exit_code([absent]) == 1
    assert doctor.installed_version("no-such-package-as-this") is None


def test_pins_are_read_from_the_project():
    lines = ["a==1.2", "b.c-d==3; python_version > '3'", "free>=2"]
    assert doctor.pins({"dependencies": lines}) == [("a", "1.2"), ("b.c-d", "3")]
    names = {finding.name for finding in doctor.look_at_packages()}
    assert {"package torch", "package nbgrader", "extra llamacpp"} <= names


def test_extras():
    wanted = [("a", "1"), ("b", "2")]
    absent = doctor.judge_extra("serve", wanted, {"a": "1", "b": None})
    assert (absent.state, absent.detail) == ("missing", "without b")
    assert absent.remedy == "pip install -e .[serve]"
    built = doctor.judge_extra("llamacpp", wanted, {"a": "1", "b": None})
    assert built.remedy.startswith("make llamacpp") and "GGUF" in built.costs
    other = doctor.judge_extra("serve", wanted, {"a": "1", "b": "3"})
    assert (other.state, other.detail) == ("warning", "has b 3 (pinned 2)")
    assert doctor.judge_extra("serve", wanted, {"a": "1+cpu", "b": "2"}).state == "ok"
    assert doctor.exit_code([absent, other]) == 0


@pytest.mark.parametrize(
    ("smi", "build", "sees", "state", "says"),
    [
        (None, None, None, "missing", "nvidia-smi finds none"),
        ("RTX, 8 GiB, 580", "13.0", "RTX", "ok", "RTX, 8 GiB, 580"),
        ("RTX, 8 GiB, 580", None, None, "warning", "but torch has no CUDA"),
        ("RTX, 8 GiB, 450", "13.0", None, "warning", "but torch cannot use it"),
        (None, "13.0", "RTX", "ok", "RTX"),
    ],
)
def test_gpu(smi, build, sees, state, says):
    finding = probes.judge_gpu(smi, build, sees)
    assert finding.state == state
    assert says in finding.detail


def test_disk():
    assert probes.judge_disk("disk", 6 * 2**30).state == "ok"
    assert probes.judge_disk("disk", 2**30).detail == "1.0 GiB free"
    assert probes.judge_disk("disk", 2**30).state == "warning"


def script(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="uses shell scripts")
def test_a_compiler_must_really_compile(tmp_path, monkeypatch):
    assert "does not compile" in probes.compile_fault(str(script(tmp_path, "g++", "exit 1")))
    liar = script(tmp_path, "liar", 'printf "#!/bin/sh\\nexit 0\\n" > "$3"; chmod +x "$3"')
    assert probes.compile_fault(str(liar)) == "builds programs that do not run"
    lazy = script(tmp_path, "lazy", "exit 0")
    assert "does not run" in probes.compile_fault(str(lazy))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    finding = probes.cxx_compiler()
    assert finding.state == "missing"
    assert "g++ does not compile a one-line program" in finding.detail
    assert probes.make().state == "missing"
    assert probes._nvidia_smi() is None


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_a_real_compiler_passes():
    assert probes.compile_fault(shutil.which("g++")) is None


@pytest.mark.skipif(sys.platform == "win32", reason="uses shell scripts")
def test_tools_are_asked_for_their_version(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    script(tmp_path, "nvcc", "exit 127")
    assert probes._nvcc_version() is None
    script(tmp_path, "nvcc", "echo Cuda compilation tools, release 13.0, V13.0.88")
    assert probes._nvcc_version() == "13.0"
    script(tmp_path, "nvidia-smi", "echo NVIDIA-SMI has failed; exit 9")
    assert probes._nvidia_smi() is None
    script(tmp_path, "nvidia-smi", "echo 'NVIDIA T4, 15360 MiB, 580.1'; echo second")
    assert probes._nvidia_smi() == "NVIDIA T4, 15360 MiB, 580.1"


def test_mirrors(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "none"))
    assert "no folder" in probes.mirror().detail
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path))
    assert "of no use" in probes.mirror().costs
    (tmp_path / "sst2").mkdir()
    (tmp_path / "sst2" / "dev.tsv").write_text("bad\t0\n")
    finding = probes.mirror()
    assert finding.state == "warning"
    assert "dev.tsv has 6 bytes, not 92,057" in finding.detail


@pytest.mark.skipif(not (ROOT.parent / "shared" / "data").is_dir(), reason="no mirror here")
def test_a_whole_mirror(monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", str(ROOT.parent / "shared" / "data"))
    finding = probes.mirror()
    assert finding.state == "ok"
    assert finding.detail.endswith("has mnist, sst2, wikitext-2, tinyshakespeare")


def test_render_is_one_line_each():
    findings = [
        Finding("Python", "ok", "3.11.7", essential=True),
        Finding("package a", "ok", "1", essential=True),
        Finding("package b", "missing", "not installed", "all", "install it", essential=True),
        Finding("package c", "ok", "1", essential=True),
        Finding("GPU", "missing", "none", "speed", "buy one"),
    ]
    assert doctor.render(findings).splitlines() == [
        "ok       Python         3.11.7",
        "ok       base packages  2 as pinned",
        "missing  package b      not installed. Costs: all. Remedy: install it",
        "missing  GPU            none. Costs: speed. Remedy: buy one",
        "",
        "The course cannot run here yet: package b missing.",
    ]
    assert doctor.exit_code(findings) == 1
    assert doctor.summary(findings[4:]) == (
        "The course runs here; 1 optional thing could be better."
    )
    assert doctor.summary(findings[:2]) == "Everything is here."


def test_the_doctor_runs_without_any_package(tmp_path):
    """A bare interpreter: it must say what is missing instead of failing itself."""
    code = (
        "from lab import doctor; f = doctor.examine(); "
        "print(doctor.render(f)); raise SystemExit(doctor.exit_code(f))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert "missing  package torch" in done.stdout
    assert "The course cannot run here yet" in done.stdout
