"""The small tools of lab: paths, profile, timing, predict, and what importing them costs."""

import ast
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lab import paths
from lab.errors import CourseError
from lab.predict import reveal
from lab.profile import seed_everything, use_profile
from lab.timing import interleave_ms, measure, sample_ms

ROOT = Path(__file__).resolve().parent.parent


def test_importing_lab_is_cheap():
    code = (
        "import sys, time; start = time.perf_counter(); import lab; "
        "print(time.perf_counter() - start, 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    seconds, torch, numpy = done.stdout.split()
    assert float(seconds) < 0.05
    assert (torch, numpy) == ("False", "False")


def test_the_loaders_do_not_import_torch():
    code = "import sys, lab.data, lab.plots, lab.timing, lab.predict; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "False", done.stderr


def test_lab_imports_nothing_of_the_autograder():
    seen = 0
    for path in (ROOT / "lab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            seen += len(names)
            assert not any(name.split(".")[0] == "autograder" for name in names), path
    assert seen > 50


def test_repo_root(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_ROOT", raising=False)
    assert paths.repo_root() == ROOT
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path))
    assert paths.repo_root() == tmp_path.resolve()
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path / "none"))
    with pytest.raises(CourseError, match="correct it or unset it"):
        paths.repo_root()


def test_cache_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a" / "b"))
    assert paths.cache_dir().is_dir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(CourseError, match="cannot be made.*set COURSE_CACHE"):
        paths.cache_dir()
    monkeypatch.delenv("COURSE_CACHE")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert paths.cache_dir() == (tmp_path / "xdg" / paths.APP).resolve()


def test_the_cpu_profile():
    import torch

    profile = use_profile()
    assert (profile.name, profile.device, profile.dtype) == ("cpu", "cpu", torch.float32)
    assert "core" in profile.hardware
    assert str(profile) == f"Profile cpu: device cpu, float32, {profile.hardware}"
    assert "<strong>Profile cpu</strong>" in profile._repr_html_()
    torch.empty(1, device=profile.device, dtype=profile.dtype)


def test_the_gpu_profile_never_falls_back():
    import torch

    if torch.cuda.is_available():
        profile = use_profile("gpu")
        assert (profile.device, profile.dtype) == ("cuda", torch.bfloat16)
        assert "GiB" in profile.hardware
    else:
        with pytest.raises(CourseError, match="no CUDA device here: set PROFILE"):
            use_profile("gpu")


@pytest.mark.parametrize("name", ["GPU", "", None, "cuda"])
def test_an_unknown_profile_is_one_sentence(name):
    with pytest.raises(CourseError, match='set it to "cpu" or "gpu"'):
        use_profile(name)


def test_seeds_reach_every_generator():
    import torch

    def draw():
        return random.random(), np.random.rand(), torch.rand(1).item()

    seed_everything(7)
    first = draw()
    assert draw() != first
    seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_measure_times_the_call_and_not_the_warm_up():
    calls = []

    def fn():
        calls.append(None)
        time.sleep(0.2 if len(calls) <= 2 else 0.01)

    timing = measure(fn, warmup=2, repeats=5)
    assert len(calls) == 7
    assert 10 <= timing.median_ms < 100
    assert timing.p10_ms <= timing.median_ms <= timing.p90_ms
    assert timing.repeats == 5
    assert str(timing).startswith(f"{timing.median_ms:.2f} ms median (")
    assert f"5 runs, {use_profile().hardware})" in str(timing)


def test_measure_waits_for_the_device():
    """What `sync` takes belongs to the call; the wait for earlier work does not."""
    order = []
    timing = measure(
        lambda: order.append("fn"),
        warmup=1,
        repeats=2,
        sync=lambda: (order.append("sync"), time.sleep(0.005)),
    )
    assert order == ["fn", "sync", "fn", "sync", "fn", "sync"]
    assert timing.median_ms >= 5


@pytest.fixture()
def clock(monkeypatch):
    """A clock that stands still until `pass_ms` moves it."""
    now = [0]

    def pass_ms(ms):
        now[0] += int(ms * 1e6)

    monkeypatch.setattr("lab.timing.time.perf_counter_ns", lambda: now[0])
    return pass_ms


def test_samples_are_the_calls_in_their_order(clock):
    durations_ms = iter([50, 1, 30, 2])
    assert sample_ms(lambda: clock(next(durations_ms)), warmup=1, repeats=3).tolist() == [1, 30, 2]


def test_interleaving_calls_each_version_once_a_round_in_changing_order(clock):
    """Warm-up in whole rounds, one wait after each call, every sample under its own name."""
    calls = []

    def version(name, ms):
        return lambda: (calls.append(name), clock(ms))

    versions = {"a": version("a", 20), "b": version("b", 3), "c": version("c", 5)}
    times_ms = interleave_ms(
        versions, warmup=1, rounds=30, sync=lambda: (calls.append("."), clock(1))
    )
    text = "".join(calls)
    assert text.startswith("abc" + ".")
    rounds = text[4:].split(".")
    assert rounds.pop() == ""
    rounds = ["".join(rounds[i : i + 3]) for i in range(0, 90, 3)]
    assert all(sorted(found) == ["a", "b", "c"] for found in rounds)
    assert len(set(rounds)) == 6  # every order
    assert list(times_ms) == ["a", "b", "c"]
    for name, ms in {"a": 21, "b": 4, "c": 6}.items():
        assert times_ms[name].tolist() == [ms] * 30
    with pytest.raises(CourseError, match="one function or more"):
        interleave_ms({})


@pytest.mark.parametrize("bad", [{"repeats": 0}, {"warmup": -1}])
def test_measure_refuses_nonsense(bad):
    with pytest.raises(CourseError, match="repeats >= 1 and warmup >= 0"):
        measure(lambda: None, **bad)


@pytest.mark.parametrize(
    ("guess", "measured", "unit", "expected"),
    [
        (None, 4.0, "ms", "No guess yet: put your number in `...` above and run again. "
                          "Measured: 4 ms."),
        (..., 4.0, "", "No guess yet: put your number in `...` above and run again. Measured: 4."),
        ("four", 4.0, "", "Your guess 'four' is no number: write one such as 4 or 0.25. "
                          "Measured: 4."),
        (True, 4.0, "", "Your guess True is no number: write one such as 4 or 0.25. Measured: 4."),
        (float("nan"), 1, "", "Your guess nan is no number: write one such as 4 or 0.25. "
                              "Measured: 1."),
        (4, 4.0, "x", "You guessed 4 x, measured 4 x. Exactly right."),
        (95, 100, "%", "You guessed 95 %, measured 100 %. Well guessed: 5.0% off."),
        (10, 5, "ms", "You guessed 10 ms, measured 5 ms. Too high, by a factor of 2."),
        (0.01, 1, "", "You guessed 0.01, measured 1. Too low, by a factor of 100."),
        (75, 100, "", "You guessed 75, measured 100. Too low, by 25%."),
        (0, 3.5, "MB", "You guessed 0 MB, measured 3.5 MB. Too low, by 3.5 MB."),
        (1, -1, "", "You guessed 1, measured -1. Too high, by 2."),
        (5, 0, "", "You guessed 5, measured 0. Too high, by 5."),
        (0, 0, "", "You guessed 0, measured 0. Exactly right."),
        (1, float("nan"), "", "You guessed 1, measured nan. The measured figure is not finite, "
                              "so there is nothing to compare with."),
        (np.float32(1234567), np.int64(1234567), "", "You guessed 1,234,567, measured 1,234,567. "
                                                     "Exactly right."),
    ],
)  # fmt: skip
def test_reveal(capsys, guess, measured, unit, expected):
    assert reveal(guess, measured, unit) is None
    out, err = capsys.readouterr()
    assert out == expected + "\n"
    assert err == ""
