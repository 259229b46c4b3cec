"""`course grade --cluster`: two worker hosts, one of them killed, and the gradebook of a local run.

The hosts are network namespaces that do not see the course's folder, where this machine can make
them; else separate processes with folders of their own (cluster_hosts).
"""

import os
import shutil
import signal
import time

import pytest
from cluster_hosts import Hosts
from nbgrader.api import Gradebook
from test_grade import (
    autograded,
    content,
    course_grade,
    journal,
    results,
    start,
    url,
    wait_for,
)
from test_nbgrader import FOLDER, nbgrader, submit

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]


@pytest.fixture
def hosts(course):
    work = course.parent / "hosts"
    work.mkdir()
    hosts = Hosts(course, work)
    yield hosts
    hosts.close()


def small_mixed_class(root):
    """Ten submissions; over one of them every process that judges it dies."""
    check = root.parent / "checks/m9_9/double.py"
    deadly = "def judge(case, answer):\n    if answer == 666:\n        __import__('os')._exit(9)\n"
    check.write_text(check.read_text().replace("def judge(case, answer):\n", deadly))
    with open(root / "nbgrader_config.py", "a") as config:
        config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    nbgrader(root, "generate_assignment", FOLDER, "--force")
    with Gradebook(url(root), "model-miniaturization") as book:
        book.update_or_create_assignment(FOLDER, duedate="2026-03-01 12:00:00 UTC")
    submit(root, "deadly", "return 666", None)
    submit(root, "blank", None, None)
    submit(root, "half", "return 2 * x if x else None", "Because.")
    submit(root, "noisy", "import sys; print('hm', file=sys.stderr); return x + x", None)
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


def test_two_hosts_one_killed_same_gradebook_as_local(course, hosts):
    small_mixed_class(course)
    work = course / "autograder/work"
    shutil.copy(work / "gradebook.db", work / "local.db")
    hosts.scheduler()
    hosts.worker("one")
    hosts.worker("two")

    run = start_on(hosts, course, 2)
    run.send_signal(signal.SIGINT)
    assert "goes on with the rest" in run.communicate(timeout=60)[1] and run.returncode == 130
    stopped = results(course)
    assert 2 <= len(stopped) < 8

    run = start_on(hosts, course, len(stopped) + 1)
    with hosts.client() as client:
        while "one" not in hosts.busy(client):
            time.sleep(0.01)
            assert run.poll() is None, run.stderr.read()
    hosts.processes["one"].kill()
    said = run.communicate(timeout=120)[1]
    assert run.returncode == 1, said

    lines = [e for e in journal(course)[1] if e["kind"] == "result"]
    assert len(lines) == 10 == len({e["student"] for e in lines})
    assert results(course).items() >= stopped.items()
    again = {e["student"] for e in lines if e["attempts"] == 2}
    assert "deadly" in again and len(again) == 2
    first, books = content(url(course)), autograded(work / "autograded")
    assert len(first["submissions"]) == 10
    assert any("died 2 times (exit status 9)" in row for row in first["comments"])
    assert {f"writer/{FOLDER}/made.txt", f"writer/{FOLDER}/table.csv"} < set(books)

    course_grade(course, f"--db={url(course, 'local')}", check=False)
    assert first == content(url(course, "local"))
    assert books == autograded(work / "autograded")
