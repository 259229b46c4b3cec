"""The notebook runner when it is stopped, taken up again, or cannot start."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from test_ci_runner import HANG, alive, code, command, repository, results, run, sentences, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ci_runner")]


def start_and_wait(repo: Path) -> subprocess.Popen:
    """A run of one quick notebook and one that hangs, at the moment when the quick one is done."""
    write(repo / "nb" / "1_quick.ipynb", code("1 + 1"))
    write(repo / "nb" / "2_hangs.ipynb", code(HANG.format(pids=str(repo / "pid"))))
    arguments = (str(repo / "nb"), "--jobs", "2", "--timeout", "60")
    runner = subprocess.Popen(command(repo, *arguments), stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 40
    while not (state_of(repo) and child_of(repo)):
        assert runner.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return runner


def state_of(repo: Path) -> dict[str, str]:
    """Name and status of what state.json holds; empty if there is none."""
    path = repo / "ci" / "out" / "state.json"
    stored = json.loads(path.read_text())["results"] if path.exists() else {}
    return {result["name"]: result["status"] for result in stored.values()}


def child_of(repo: Path) -> int:
    """The process that the hanging notebook started; 0 if it has not yet."""
    return int((repo / "pid").read_text() or 0) if (repo / "pid").exists() else 0


def test_an_interrupted_run_is_resumed(tmp_path):
    repo = repository(tmp_path)
    runner = start_and_wait(repo)
    runner.send_signal(signal.SIGINT)
    output, _ = runner.communicate(timeout=20)
    assert runner.returncode == 130
    assert not alive(child_of(repo))
    assert {n: r["status"] for n, r in results(repo).items()} == {
        "1_quick": "passed",
        "2_hangs": "not run",
    }
    assert "--resume" in output and output.splitlines()[-1] == "1 passed, 0 failed"
    assert state_of(repo) == {"nb/1_quick.ipynb": "passed"}

    write(repo / "nb" / "2_hangs.ipynb", code("assert False, 'changed'"))
    resumed = run(repo, str(repo / "nb"), "--resume")
    assert resumed.returncode == 1 and "1 passed earlier" in resumed.stdout
    assert results(repo)["1_quick"]["resumed"]
    assert sentences(results(repo)["2_hangs"]) == ["AssertionError in cell 2: changed"]

    # What failed runs again, and so does what passed once its content is another.
    write(repo / "nb" / "1_quick.ipynb", code("2 + 2"))
    again = run(repo, str(repo / "nb"), "--resume")
    assert "earlier" not in again.stdout
    assert again.stdout.splitlines()[-1] == "1 passed, 1 failed"


@pytest.mark.skipif(sys.platform != "linux", reason="workers outlive a killed runner elsewhere")
def test_a_killed_runner_leaves_its_state_and_no_processes(tmp_path):
    repo = repository(tmp_path)
    runner = start_and_wait(repo)
    family = psutil.Process(runner.pid).children(recursive=True)
    assert child_of(repo) in [process.pid for process in family]
    runner.kill()
    runner.communicate()
    deadline = time.monotonic() + 10
    while any(alive(process.pid) for process in family):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert state_of(repo) == {"nb/1_quick.ipynb": "passed"}


def test_state_that_makes_no_sense_is_said_and_replaced(tmp_path):
    repo = repository(tmp_path)
    write(repo / "nb" / "quick.ipynb", code("1 + 1"))
    (repo / "ci" / "out").mkdir()
    (repo / "ci" / "out" / "state.json").write_text('{"version": 1, "results": [')
    ended = run(repo, str(repo / "nb"), "--resume")
    assert ended.returncode == 0
    assert "state.json cannot be read" in ended.stderr
    assert state_of(repo) == {"nb/quick.ipynb": "passed"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "run `course build` first"),
        (["empty"], "holds no notebooks"),
        (["missing.ipynb"], "neither a folder nor an .ipynb file"),
        (["--profile", "tpu"], "'tpu' is not one of 'cpu', 'gpu'"),
        (["--resume", "--fresh"], "choose one"),
    ],
)
def test_bad_usage(tmp_path, arguments, said):
    repo = repository(tmp_path)
    (repo / "empty").mkdir()
    paths = [str(repo / a) if a in ("empty", "missing.ipynb") else a for a in arguments]
    ended = run(repo, *paths)
    assert ended.returncode == 2
    assert said in ended.stderr and "Traceback" not in ended.stderr
    assert not (repo / "ci" / "out").exists()


def test_another_kernel_is_refused(tmp_path):
    repo = repository(tmp_path)
    write(repo / "nb" / "quick.ipynb", code("1 + 1"))
    spec = {"argv": ["/usr/bin/env", "python3", "-f", "{connection_file}"], "language": "python"}
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps({**spec, "display_name": "Other"}))
    ended = run(repo, str(repo / "nb"), JUPYTER_PATH=str(tmp_path / "jupyter"))
    assert ended.returncode == 2
    assert "The kernel python3 starts /usr/bin/env, not" in ended.stderr


def test_gpu_profile_needs_a_gpu(tmp_path):
    repo = repository(tmp_path)
    write(repo / "nb" / "quick.ipynb", code("assert PROFILE == 'gpu'"))
    ended = run(repo, str(repo / "nb"), "--profile", "gpu", CUDA_VISIBLE_DEVICES="")
    assert ended.returncode == 2
    assert "needs a CUDA device" in ended.stderr


def test_two_runs_do_not_share_a_folder(tmp_path):
    import fcntl

    repo = repository(tmp_path)
    write(repo / "nb" / "quick.ipynb", code("1 + 1"))
    (repo / "ci" / "out").mkdir()
    with open(repo / "ci" / "out" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = run(repo, str(repo / "nb"))
    assert ended.returncode == 2
    assert "Another run is using" in ended.stderr
