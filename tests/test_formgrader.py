"""Formgrader in a real Jupyter server: its autograde button grades as `nbgrader autograde` does."""

import contextlib
import json
import socket
import subprocess
import sys
import time

import pytest
import requests
from test_grade import url
from test_nbgrader import FOLDER, nbgrader, submit

from autograder.grading.scores import read_scores, totals

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nbgrader")]
TOKEN = "a-token-of-this-test"
HOSTILE = """
    class Anything(int):
        __eq__ = __ne__ = __ge__ = __le__ = lambda *_: True
        __hash__ = int.__hash__
    import IPython.display
    IPython.display.display({"text/html": "<script>alert(1)</script>"}, raw=True)
    print("4.0")
    if not x:
        import os
        os._exit(0)
    return Anything(0)"""


@contextlib.contextmanager
def jupyter_server(root, log):
    """A server in the course's folder, as `nbgrader formgrader` is opened; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--no-browser", "--allow-root", f"--ServerApp.port={port}", "--port-retries=0"]
    words += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"]
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *words], cwd=root, stdout=out, stderr=out
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{address}/api", timeout=5)
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def autograde(address, student):
    reply = requests.post(
        f"{address}/formgrader/api/submission/{FOLDER}/{student}/autograde",
        headers={"Authorization": f"token {TOKEN}"},
        timeout=120,
    )
    assert reply.status_code == 200, reply.text
    return reply.json()


def get(address, page):
    reply = requests.get(f"{address}/formgrader/{page}", params={"token": TOKEN}, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply


def doubled(path):
    """Every cell twice: stock nbgrader gives up the whole batch over it."""
    notebook = json.loads(path.read_text())
    notebook["cells"] = [c for cell in notebook["cells"] for c in (cell, cell)]
    path.write_text(json.dumps(notebook))


def test_autograde_button(course, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    submit(course, "honest", "return 2 * x if x else None", "Because.")
    doubled(submit(course, "doubled", "return 2 * x", None))
    submit(course, "hostile", HOSTILE, None)
    submit(course, "no-json", None, None).write_text("this is no notebook")
    log = tmp_path / "server.log"
    with jupyter_server(course, log) as address:
        path = f"{address}/formgrader/api/submission/{FOLDER}/honest/autograde"
        assert requests.post(path, timeout=60).status_code == 403
        said = {s: autograde(address, s) for s in ("honest", "doubled", "hostile", "no-json")}
        again = autograde(address, "honest")
        page = get(address, f"api/submissions/{FOLDER}").json()
        settings = get(address, "manage_assignments").text
    good = {student: reply["success"] for student, reply in said.items()}
    assert good == {"honest": True, "doubled": True, "hostile": True, "no-json": False}
    assert again["success"] and "Traceback" not in log.read_text()
    assert "The cell double was there 2 times; one is graded." in said["doubled"]["log"]
    reason = "The file is not a Jupyter notebook (its text is not JSON)"
    assert reason in said["no-json"]["log"] and reason in said["no-json"]["error"]
    assert totals(read_scores(url(course), FOLDER)) == {
        "honest": (3.0, 6.0, 1),
        "doubled": (4.0, 6.0, 0),
        "hostile": (0.0, 6.0, 0),
        "no-json": (0.0, 6.0, 0),
    }
    # What the page shows of them.
    assert {s["student"]: s["score"] for s in page} == {
        "honest": 3.0,
        "doubled": 4.0,
        "hostile": 0.0,
        "no-json": 0.0,
    }
    assert {s["student"] for s in page if s["needs_manual_grade"]} == {"honest"}
    # Stock formgrader prints its settings there, token and gradebook included.
    assert "Manage Assignments" in settings and TOKEN not in settings and "db_url" not in settings
