"""`course grade --cluster`: two worker hosts, one of them killed, and the gradebook of a local run.

The hosts are network namespaces that do not see the course's folder, where this machine can make
them; else separate processes with folders of their own (cluster_hosts).
"""

import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from cluster_hosts import Hosts
from nbgrader.api import Gradebook
from test_grade import (
    autograded,
    content,
    course_grade,
    journal,
    results,
    small_class,
    start,
    url,
    wait_for,
)
from test_nbgrader import FOLDER, nbgrader, submit

from autograder.cli import main
from autograder.grading.cluster import parcel
from autograder.grading.cluster import worker as relay
from autograder.grading.cluster.bundle import pack_submission
from autograder.grading.cluster.parcel import File, Refused, from_bytes, to_bytes, unpack
from autograder.grading.cluster.version import version
from autograder.grading.reading import Unreadable, file_bytes
from autograder.grading.task import not_graded

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]


@pytest.fixture
def hosts(course):
    work = course.parent / "hosts"
    work.mkdir()
    hosts = Hosts(course, work)
    yield hosts
    hosts.close()


def small_mixed_class(root):
    """Eight submissions; over one of them every process that judges it dies."""
    check = root.parent / "checks/m9_9/double.py"
    deadly = "def judge(case, answer):\n    if answer == 666:\n        __import__('os')._exit(9)\n"
    check.write_text(check.read_text().replace("def judge(case, answer):\n", deadly))
    with open(root / "nbgrader_config.py", "a") as config:
        config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    nbgrader(root, "generate_assignment", FOLDER, "--force")
    with Gradebook(url(root), "model-miniaturization") as book:
        book.update_or_create_assignment(FOLDER, duedate="2026-03-01 12:00:00 UTC")
    submit(root, "zapper", "return 666", None)
    submit(root, "half", "return 2 * x if x else None", "Because.")
    submit(root, "crasher", "import os; os._exit(3)", "It broke.")
    submit(root, "no-json", None, None).write_text("this is no notebook")
    right = submit(root, "right", "return 2 * x", "Because.").parent
    (right / "link.txt").symlink_to("/etc/passwd")
    (right / "huge.ipynb").touch()
    os.truncate(right / "huge.ipynb", 60 * 2**20)
    final = submit(root, "odd +name", "return 2 * x", None)
    final.rename(final.with_stem("final_1_double"))
    late = submit(root, "late", "return 2 * x", "Late.").parent
    (late / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC\n")
    (late / "notes.txt").write_text("mine")
    writer = "open('made.txt', 'w').write('by code'); return 2 * x"
    submit(root, "writer", writer, None)
    (root / f"autograder/work/source/{FOLDER}/table.csv").write_text("1,2\n")


def start_on(hosts, root, count):
    """A run on the cluster that has journaled `count` results."""
    run = start(root, f"--cluster={hosts.address}")
    wait_for(run, root, count)
    return run


def test_two_hosts_one_killed_same_gradebook_as_local(course, hosts, monkeypatch):
    for name, value in hosts.encrypt().items():
        monkeypatch.setenv(name, value)
    small_mixed_class(course)
    work = course / "autograder/work"
    shutil.copy(work / "gradebook.db", work / "local.db")
    assert hosts.scheduler().startswith(hosts.protocol)
    hosts.worker("one")

    run = start_on(hosts, course, 1)
    run.send_signal(signal.SIGINT)
    assert "goes on with the rest" in run.communicate(timeout=60)[1] and run.returncode == 130
    stopped = results(course)
    assert 1 <= len(stopped) < 6

    hosts.worker("two", nanny="--nanny")
    run = start(course, f"--cluster={hosts.address}", stdout=subprocess.PIPE)
    with hosts.client() as client:
        while not hosts.caught_busy("one", client):
            time.sleep(0.01)
            assert run.poll() is None, run.stderr.read()
    hosts.processes["one"].kill()
    said = run.communicate(timeout=120)[0]
    lost = re.findall(r"^(.+) is graded again, .*: (.+)\.$", said, re.MULTILINE)
    (victim,) = {student for student, how in lost if "exit status" not in how}
    assert run.returncode == 1, said

    lines = [e for e in journal(course)[1] if e["kind"] == "result"]
    assert len(lines) == 8 == len({e["student"] for e in lines})
    assert results(course).items() >= stopped.items()
    again = {e["student"] for e in lines if e["attempts"] == 2}
    assert victim != "zapper" and again == {"zapper", victim}
    first, books = content(url(course)), autograded(work / "autograded")
    assert len(first["submissions"]) == 8
    assert any("died 2 times (exit status 9)" in row for row in first["comments"])
    assert {f"writer/{FOLDER}/made.txt", f"writer/{FOLDER}/table.csv"} < set(books)

    course_grade(course, f"--db={url(course, 'local')}", check=False)
    assert first == content(url(course, "local"))
    assert books == autograded(work / "autograded")


class Hostile:
    """Unpickled, it would leave a mark."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def in_process(*words):
    done = CliRunner().invoke(main, ["grade", FOLDER, *words])
    return done.exit_code, " ".join(done.output.split())


def test_what_can_be_wrong_with_a_cluster(course, hosts, monkeypatch):
    small_class(course, ["ann"])
    before = content(url(course))
    with monkeypatch.context() as patch:
        patch.setattr("autograder.grading.cluster.pool.CONNECT_S", 1)
        for address in ("tcp://127.0.0.1:9", "tls://127.0.0.1:9", "ftp://x:1"):
            code, said = in_process(f"--cluster={address}")
            assert code == 2 and said.startswith("Error: No Dask scheduler answers at"), said
    assert content(url(course)) == before and results(course) == {}

    on = f"--cluster={hosts.scheduler()}"
    hello = json.dumps({"version": version()})
    with monkeypatch.context() as patch:
        patch.setattr(relay, "enlist", lambda name, bundle: {"hello": hello})

        # Results are plain data: a pickled object is not unpickled here. (Dask carries these lambdas.)
        hosts.worker("one")
        mark = str(course / "mark")
        patch.setattr(relay, "grade", lambda name, task: Hostile(mark))
        code, said = in_process(on)
        assert code == 1 and "died 2 times" in said and not os.path.exists(mark)
        forged = to_bytes(not_graded("ann", "") | {"graded": True}, [File("../../x", b"")])
        patch.setattr(relay, "grade", lambda name, task: {"answer": forged})
        code, said = in_process(on)
        assert code == 1 and "'../../x', which is no path inside its folder" in said

        # A submission over which every worker dies, then none is left.
        patch.setattr(relay, "grade", lambda name, task: os._exit(9))
        hosts.worker("two")
        code, said = in_process(on)
        assert code == 1 and "died 2 times (its worker was lost)" in said
        with Gradebook(url(course), "model-miniaturization") as book:
            comment = book.find_comment("double", "1_double", FOLDER, "ann").comment
        assert comment.startswith("The process that graded it died 2 times (its worker was lost)")
        code, said = in_process(on, "--wait=1")
        assert code == 2 and f"No worker has joined {hosts.address} within 1 s: start" in said

    # A worker with another check.
    other = course.parent / "other"
    shutil.copytree(course.parent / "checks", other / "checks")
    (other / "checks/m9_9/double.py").write_text("# another\n")
    (other / "sitecustomize.py").write_text(
        f"import autograder.checks as p\np.__path__ = [*p.__path__, {str(other / 'checks')!r}]\n"
    )
    hosts.worker("three", {"PYTHONPATH": os.pathsep.join([str(other), *sys.path])})
    done = course_grade(course, on, check=False)
    assert done.returncode == 2 and not done.stdout
    assert "has another version: course code differ" in done.stderr and "\n" not in done.stderr[:-1]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a//x", ".", "", "a\0b", "x" * 1001])
def test_a_parcel_writes_nowhere_else(tmp_path, path):
    with pytest.raises(Refused, match="no path inside"):
        unpack([File("fine"), File(path)], tmp_path / "in")
    assert not list(tmp_path.iterdir())


def test_a_parcel_is_bounded_and_plain(tmp_path, monkeypatch):
    sent = {"student": "ann"}, [File("a/b", b"12", 0o640), File("c", b"3", 0o444)]
    assert from_bytes(to_bytes(*sent)) == sent
    (tmp_path / "a").symlink_to("/")
    with pytest.raises(FileExistsError):
        unpack([File("a", b"x")], tmp_path)
    for files in ([File("a"), File("a")], [File("a"), File("a/b")]):
        with pytest.raises(Refused, match="twice"):
            unpack(files, tmp_path)
    whole = to_bytes(*sent)
    broken = [whole[:-1], whole + b"1", b"", b"\xff" * 99, pickle.dumps(sent), whole[:30]]
    for blob in (*broken, to_bytes([], []), whole.replace(b"416, 2]", b"416,-2]")):
        with pytest.raises(Refused):
            from_bytes(blob)
    monkeypatch.setattr(parcel, "MAX_BYTES", 2)
    with pytest.raises(Refused, match="more than"):
        unpack(sent[1], tmp_path / "in")
    monkeypatch.setattr(parcel, "MAX_JSON_BYTES", 9)
    for act in (lambda: to_bytes(*sent), lambda: from_bytes(whole)):
        with pytest.raises(Refused, match="large|more than"):
            act()


def test_a_submission_travels_as_it_is_met(tmp_path):
    """A link, a pipe and a huge file are what they were, and none of them is read or followed."""
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "deep").mkdir(parents=True)
    (here / "deep/notes.txt").write_text("mine")
    (here / "link.txt").symlink_to("/etc/passwd")
    os.mkfifo(here / "pipe")
    (here / ".hidden").write_text("not sent")
    (here / "huge.ipynb").touch()
    os.truncate(here / "huge.ipynb", 60 * 2**20)
    files = pack_submission(here)
    assert sum(len(file.data) for file in files) == 4
    unpack(files, there)
    assert (there / "deep/notes.txt").read_text() == "mine"
    for name, says in (("link.txt", "is a link"), ("pipe", "device"), ("huge.ipynb", "60 MB")):
        for folder in (here, there):
            with pytest.raises(Unreadable, match=says):
                file_bytes(folder / name)
    assert not (there / ".hidden").exists() and pack_submission(here / "link.txt") is None
