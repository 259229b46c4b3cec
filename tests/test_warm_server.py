"""The warm server's life, its cold stand-in, and nbgrader's Execute on top of it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client import KernelManager
from warm_kernels import NO_FILE, SMALL, failed, kernels_fixture, needs, run  # noqa: F401

from autograder.grading.sandbox import SandboxRefused
from autograder.grading.warm import server
from autograder.grading.warm.client import Line
from autograder.grading.warm.prepare import prepare, write_spec
from autograder.syllabus import repo_root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("warm"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's"),
]


def test_layers_are_reported_and_may_be_required(kernels):
    layers = run("1").provisioner.layers
    assert {"user", "network", "pid", "view", "landlock", "seccomp", "limits"} <= {
        layer.name for layer in layers
    }
    write_spec(kernels.folder, kernels.config | {"require": True}, "course-strict")
    if all(layer.held for layer in layers):
        assert run("1", kernel="course-strict").said == ["1"]
    else:
        with pytest.raises(SandboxRefused, match="The sandbox is required"):
            run("1", kernel="course-strict")


def test_cold_kernel_has_the_same_sandbox_and_says_why_it_is_cold(kernels, tmp_path):
    unsafe = threading.Thread(target=_answer_unsafe, args=(str(tmp_path / "s"),), daemon=True)
    unsafe.start()
    config = kernels.config | {"server": str(tmp_path / "s")}
    write_spec(kernels.folder, config, "course-cold")
    found = run("open('/etc/shadow')", "1", kernel="course-cold")
    assert found.provisioner.note == "A cold kernel is used: 2 threads run before the fork (x)."
    assert found.said[1] == "1"
    needs(found, "view", "landlock")
    assert failed(found.said[0], *NO_FILE)


def _answer_unsafe(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    connection, _ = listener.accept()
    connection.recv(1 << 20)
    why = {"unsafe": "2 threads run before the fork (x)"}
    connection.sendall(json.dumps(why).encode() + b"\n")
    connection.close()


def test_threads_make_a_fork_unsafe():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="busy")
    thread.start()
    assert "busy" in server.threads() and "threads run before the fork" in server.threads()
    stop.set()
    thread.join()


def test_server_restarts_when_files_change_and_kernels_end_with_client_and_server(
    tmp_path, monkeypatch
):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/extra.py").write_text("x = 1\n")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path))
    prepared = prepare(limits=SMALL)
    try:
        assert run("1").said == ["1"]
        (tmp_path / "lab/extra.py").write_text("x = 1234\n")
        again = run("1")
        assert again.said == ["1"] and again.provisioner.note == ""
        assert "restarting" in prepared.server.log.read_text()
        assert prepared.server.process.poll() is None
        process = psutil.Process(prepared.server.process.pid)
        manager = KernelManager(kernel_name=prepared.kernel_name)
        manager.start_kernel(cwd=str(work))
        assert len(process.children(recursive=True)) >= 3
        manager.provisioner.line.close()  # as when the client dies
        until = time.monotonic() + 10
        while process.children(recursive=True) and time.monotonic() < until:
            time.sleep(0.05)
        assert not [p for p in process.children(True) if p.status() != psutil.STATUS_ZOMBIE]
        manager = KernelManager(kernel_name=prepared.kernel_name)
        manager.start_kernel(cwd=str(work))
        family = process.children(recursive=True)
        assert manager.is_alive()
        prepared.server.process.kill()  # as when the server dies: no kernel stays behind
        _, alive = psutil.wait_procs(family, 10)
        assert not alive
        assert not asyncio.run(_alive(manager.provisioner))
    finally:
        prepared.close()
    assert not Path(prepared.folder).exists()
    assert prepared.folder not in os.environ.get("JUPYTER_PATH", "")


async def _alive(provisioner):
    return await provisioner.poll() is None


def test_without_a_server_the_line_says_why_nothing_started(tmp_path):
    from autograder.grading.sandbox import Policy

    rules = Policy(str(tmp_path / "no such folder"), str(tmp_path))
    with pytest.raises(RuntimeError, match="no folder .*no such folder"):
        Line().start("", rules, str(tmp_path / "connection.json"), False)


def test_nbgraders_execute_uses_it_by_name(kernels, monkeypatch, tmp_path):
    from autograder.grading import execute as module

    monkeypatch.setenv("COURSE_SECRET", "hush-hush")
    monkeypatch.setattr(module, "shared", lambda require: kernels)
    cells = [
        "import os; os.environ.get('COURSE_SECRET'), os.path.exists('/etc/shadow')",
        "os.getpid()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "x", "language": "python"}
    execute = module.CourseExecute(only_needed=False)
    execute.shutdown_kernel = "immediate"
    done, _ = execute.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    said = [cell.outputs[0].data["text/plain"] for cell in done.cells]
    assert said[0].startswith("(None, ") and execute.provisioner.ended["reason"] == ""
    if {"view", "pid"} <= {layer.name for layer in execute.provisioner.layers if layer.held}:
        assert said == ["(None, False)", "2"]


@pytest.mark.parametrize("warm", [True, False])
def test_a_folder_named_like_the_course_where_grading_starts_hides_nothing(
    warm, monkeypatch, tmp_path
):
    (tmp_path / "autograder/work").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    prepared = prepare(warm=warm)
    try:
        assert run("from autograder import check; callable(check)").said == ["True"]
    finally:
        prepared.close()


@pytest.mark.parametrize("folder", ["/", str(Path.home()), str(repo_root())])
def test_working_folder_that_holds_more_than_a_submission_is_refused(kernels, folder):
    with pytest.raises(ValueError, match="give it a folder with one submission"):
        run("1", folder=folder)


def test_workers_are_forked_from_what_the_command_has_imported(tmp_path):
    code = (
        "import multiprocessing, os, sys\n"
        "from multiprocessing import forkserver\n"
        "from autograder.grading.pool import warm_up\n"
        "def ask(q): q.put((os.getppid(), 'wave' in sys.modules))\n"
        "if __name__ == '__main__':\n"
        "    end, held = os.pipe()\n"
        "    warm_up('wave', alone=True)\n"
        "    context = multiprocessing.get_context('forkserver')\n"
        "    queue = context.SimpleQueue()\n"
        "    worker = context.Process(target=ask, args=(queue,))\n"
        "    worker.start()\n"
        "    print(queue.get() == (forkserver._forkserver._forkserver_pid, True))\n"
        "    worker.join()\n"
        "    os.close(held)\n"
        "    print(os.read(end, 1))\n"  # it would wait if the nursery held the other end too
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "b''"], done.stderr
