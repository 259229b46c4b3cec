"""TensorBoard itself shows the run that the lesson's logger writes, in a real browser."""

import contextlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import browser
import numpy as np
import pytest
from playwright.sync_api import Error

from autograder.build.sources import read_source
from autograder.syllabus import repo_root

LAYERS = ("blocks.0/mlp", "head")


def run_log():
    """RunLog of the lesson's solution."""
    root = repo_root()
    source = read_source(root / "solutions/1.6-profiling/6_tensorboard.py", root)
    namespace: dict = {"__name__": "lesson"}
    for cell in source.cells:
        if cell.id in ("parameters", "setup", "code-buckets", "run-log") and cell.kind == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(_without_checks(cell.text), cell.id, "exec"), namespace)
    return namespace["RunLog"]


def _without_checks(text: str) -> str:
    return re.sub(r"(?m)^check\(.*\)$", "", text)


def write_run(folder: Path) -> None:
    """A layer whose scale shrinks, and one that stays as it is."""
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.1, (40, 30)).astype(np.float32) for name in LAYERS}
    with run_log()(str(folder), bits=3) as log:
        for step in range(0, 100, 10):
            layers = {
                name: {
                    "weight": weight,
                    "gradient": weight / 10,
                    "scale": 0.08 * (0.7 ** (step / 10) if name == LAYERS[0] else 1),
                    "input_range": (0.0, 2.0),
                    "batch_range": (0.0, 2.1),
                }
                for name, weight in weights.items()
            }
            log(step, 2.0 - step / 100, layers)


@contextlib.contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """The address of a server on a free port, for as long as the block."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0"]
    command += ["--host", "127.0.0.1", "--load_fast", "false", "--reload_interval", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                yield found[0]
                return
        pytest.fail("TensorBoard ended: " + "".join(said))
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.slow
def test_tags_of_the_run_stand_on_tensorboards_page(tmp_path):
    write_run(tmp_path / "runs" / "collapsing")
    with browser.page() as page, tensorboard(tmp_path / "runs") as address:
        page.goto(f"{address}?tagFilter=codes#timeseries")
        for layer in LAYERS:
            page.get_by_title(f"{layer}/codes").first.wait_for()
        cards = page.locator("histogram-card")
        assert cards.count() == len(LAYERS)
        # Drawn, not only named: one slice for each of the ten steps.
        cards.first.locator("svg .histogram").nth(9).wait_for(state="attached")
        assert cards.first.locator("svg .histogram").count() == 10
        assert "collapsing" in cards.first.inner_text()
        page.screenshot(path=tmp_path / "histograms.png")
        page.goto(f"{address}?tagFilter=clipped#timeseries")
        page.get_by_title(f"{LAYERS[0]}/clipped").first.wait_for()
        assert page.locator("scalar-card").count() == len(LAYERS)
        with pytest.raises(Error):
            page.get_by_title("head/nothing").first.wait_for(timeout=200)
