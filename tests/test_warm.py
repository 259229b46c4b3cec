"""Kernels that are shut in and forked from the warm server, through nbclient, for real."""

import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from warm_kernels import NO_FILE, SMALL, failed, kernels_fixture, needs, run, variant  # noqa: F401

from autograder.syllabus import repo_root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("warm"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's"),
]


def test_only_its_own_files(kernels, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "answer.txt").write_text("42")
    own = tmp_path / "own"
    own.mkdir()
    (own / "given.txt").write_text("mine")
    root = repo_root()
    book = root / "autograder/work"
    forbidden = [
        "open('/etc/shadow').read()",
        f"open({str(other / 'answer.txt')!r}).read()",
        f"os.listdir({str(other)!r})",
        f"os.listdir({str(root / 'solutions')!r})",
        f"os.listdir({str(root / 'tests' / 'answers')!r})",
        f"os.listdir({str(root / 'autograder/checks/oracles')!r})",
        f"os.listdir({str(book)!r})",
        f"open({str(book / 'gradebook.db')!r}).read()",
        f"os.listdir({kernels.folder!r} + '/kernels')",
        f"open({kernels.server.log.as_posix()!r}).read()",
        f"open({str(Path.home() / 'planted')!r}, 'w')",
        f"open({str(other / 'answer.txt')!r}, 'w')",
        f"open({str(root / 'lab/__init__.py')!r}, 'a')",
        f"open({sys.prefix!r} + '/planted', 'w')",
        "open('/proc/1/environ').read()",
        f"os.symlink({str(other / 'answer.txt')!r}, 'link') or open('link').read()",
    ]
    found = run("import os", *forbidden, folder=own)
    needs(found, "view", "landlock")
    for cell, said in zip(forbidden, found.said[1:], strict=True):
        assert failed(said, *NO_FILE), (cell, said)
    assert (other / "answer.txt").read_text() == "42"
    mine = run(
        "open('given.txt').read()",
        "open('made.txt', 'w').write('made')",
        "import tempfile; tempfile.NamedTemporaryFile('w').write('x')",
        "from autograder import check; callable(check)",
        "import lab, torch, scipy, matplotlib; 'imported'",
        folder=own,
    )
    assert mine.said == ["'mine'", "4", "1", "True", "'imported'"]
    assert (own / "made.txt").read_text() == "made"
    # Lent to the kernel's user, the folder comes back a moment after the kernel's end.
    deadline = time.monotonic() + 10
    while own.stat().st_uid != os.getuid() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (own / "made.txt").stat().st_uid == own.stat().st_uid == os.getuid()


def test_no_network_no_secret_no_way_to_others(kernels, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "hush-hush")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    cells = {
        "import socket; socket.create_connection(('1.1.1.1', 53), 2)": ("OSError",),
        "socket.getaddrinfo('example.com', 80)": ("gaierror",),
        "s = socket.socket(); s.bind(('127.0.0.1', 0))": ("OSError",),
        "import os; os.kill(os.getppid(), 9)": ("PermissionError",),
        "os.kill(1, 9)": ("PermissionError",),
        f"os.kill({os.getpid()}, 9)": ("ProcessLookupError", "PermissionError"),
        f"os.kill({kernels.server.process.pid}, 9)": ("ProcessLookupError", "PermissionError"),
    }
    raw = (
        "import ctypes, errno; libc = ctypes.CDLL(None, use_errno=True)\n"
        "(libc.ptrace(16, 1, 0, 0), libc.unshare(0x10000000), libc.mount(b'x', b'/', b'tmpfs', 0, 0))"
    )
    names = (
        "[k for k, v in os.environ.items() if 'hush' in v]"
        " + ['hush' in open('/proc/self/environ').read()]"
    )
    found = run(*cells, raw, names, "os.getuid()")
    needs(found, "network", "pid", "seccomp", "user", "landlock")
    for (cell, errors), said in zip(cells.items(), found.said, strict=False):
        assert failed(said, *errors), (cell, said)
    assert found.said[-3:-1] == ["(-1, -1, -1)", "[False]"]
    assert int(found.said[-1]) != 0
    assert psutil.pid_exists(kernels.server.process.pid)


def test_neighbour_that_runs_at_the_same_time_is_out_of_sight(kernels, tmp_path):
    held = threading.Event()
    private = []

    def neighbour():
        notebook_folder = tmp_path / "neighbour"
        notebook_folder.mkdir()
        found = run("import time; time.sleep(3)", "'done'", folder=notebook_folder)
        private.append(found)
        held.set()

    thread = threading.Thread(target=neighbour)
    thread.start()
    time.sleep(1)
    folders = [p.name for p in Path(kernels.folder).glob("k*") if p.name != "kernels"]
    assert folders, "the neighbour has no folder yet"
    found = run(
        "import os, socket",
        f"os.listdir({kernels.folder + '/' + folders[0]!r})",
        f"s = socket.socket(socket.AF_UNIX); s.connect({kernels.server.path!r})",
        "[p for p in os.listdir('/proc') if p.isdigit()] if os.access('/proc', os.R_OK) else []",
    )
    thread.join()
    needs(found, "view", "pid", "landlock")
    assert failed(found.said[1], *NO_FILE) and failed(found.said[2], *NO_FILE)
    assert found.said[3] == "['1', '2']"
    assert private[0].said[1] == "'done'"


def test_kernels_share_no_random_numbers_and_no_state(kernels):
    draw = (
        "import random, numpy as np, torch\n"
        "(random.random(), np.random.rand(), torch.rand(1).item(), torch.randn(1).item())"
    )
    poison = (
        "import builtins; builtins.planted = np.planted = torch.nn.planted = random.planted = 1"
    )
    look = "any(hasattr(m, 'planted') for m in (__builtins__, np, torch.nn, random))"
    first, second = run(draw, poison, look), run(draw, look)
    one, two = eval(first.said[0]), eval(second.said[0])
    assert all(a != b for a, b in zip(one, two, strict=True))
    assert (first.said[-1], second.said[-1]) == ("True", "False")
    assert first.provisioner.line is None and first.provisioner.note == ""


def test_warm_kernel_is_ready_soon(kernels):
    run("1")  # the server has its imports
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        assert run("1").said == ["1"]
        seconds.append(time.perf_counter() - began)
    # Start, one cell and end; 4 s without the server. Wide, for a machine with other work.
    assert min(seconds) < 1.5, seconds


def test_crashes_are_named_and_the_server_goes_on(kernels):
    segfault = run("import ctypes; ctypes.string_at(0)")
    left = run("import os; os._exit(3)")
    killed = run("import os; os.kill(os.getpid(), 9)")
    assert segfault.died and segfault.reason == "ended by SIGSEGV"
    assert left.died and left.reason == "left with status 3"
    assert killed.died and killed.reason == "ended by SIGKILL"
    assert run("1 + 1").said == ["2"] and kernels.server.process.poll() is None


def test_memory_hog_is_ended_with_the_reason(kernels):
    found = run("import numpy as np; hoard = []\nwhile True: hoard.append(np.ones(1_000_000))")
    assert found.died and found.reason == "memory limit 1200 MB exceeded"
    assert found.provisioner.ended["peak_mb"] < 2 * 1200


def test_full_disk_is_ended_with_the_reason(kernels):
    found = run(
        "import time\nfor i in range(200):\n open(f'{i}', 'wb').write(bytes(2**20)); time.sleep(.01)"
    )
    assert found.died and found.reason == "disk limit 64 MB exceeded"


def test_fork_bomb_is_bounded_and_gone(kernels):
    bomb = "import os, time\nwhile True:\n try: os.fork()\n except OSError: time.sleep(0.1)"
    thread_count = []
    done = threading.Event()

    def count():
        while not done.wait(0.1):
            thread_count.append(len(psutil.Process(kernels.server.process.pid).children(True)))

    watcher = threading.Thread(target=count)
    watcher.start()
    found = run(bomb, kernel=variant(kernels, "course-brief", wall_s=3))
    done.set()
    watcher.join()
    assert found.died and "exceeded" in found.reason
    assert 5 < max(thread_count) < 2 * SMALL.processes
    left = psutil.Process(kernels.server.process.pid).children(True)
    # A keeper that has just ended waits for the server to collect it.
    assert not [p for p in left if p.status() != psutil.STATUS_ZOMBIE]


def test_endless_loop_is_ended_by_the_time_limit_and_nothing_is_left(kernels):
    daemon = (
        "import os, subprocess, time\n"
        "subprocess.Popen(['sleep', '98765'], start_new_session=True)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: os.execvp('sleep', ['sleep', '98765'])\n"
        "    os._exit(0)\n"
        "time.sleep(0.3)"
    )

    def left():
        return [p for p in psutil.process_iter(["cmdline"]) if "98765" in (p.info["cmdline"] or [])]

    found = run(daemon, "while True: pass", kernel=variant(kernels, "course-brief", wall_s=3))
    assert found.died and found.reason == "time limit 3 s exceeded"
    assert not left()
    assert not run(daemon).died and not left()


def test_cpu_limit_is_named(kernels):
    found = run("while True: pass", kernel=variant(kernels, "course-cpu", cpu_s=1))
    assert found.died and found.reason == "CPU time limit 1 s exceeded"


def test_interrupt_stops_a_cell_and_keeps_the_kernel(kernels, tmp_path):
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name=kernels.kernel_name, cwd=str(tmp_path))
    try:
        client.execute("while True: pass", stop_on_error=False)
        time.sleep(0.3)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=10)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        client.execute("1")
        assert client.get_shell_msg(timeout=10)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
