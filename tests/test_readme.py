"""The README and PROGRESS.md say what syllabus.yml and the Makefile say."""

import re
import subprocess
from pathlib import Path

from click.testing import CliRunner

from autograder.cli import COMMANDS, main
from autograder.dashboard.course_map import course_map
from autograder.syllabus import load_syllabus

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_map_is_the_syllabus_s():
    text = README.split("tests/test_readme.py -->")[1].split("<!-- end of map -->")[0].strip()
    assert text == course_map(load_syllabus()), "paste autograder.dashboard.course_map's table"


def test_make_targets_and_commands_named_here_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make ([a-z]+)", README)) - {"course"}:
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"
    for command in set(re.findall(r"`course ([a-z-]+)", README)):
        assert command in COMMANDS, command


def test_files_and_pictures_named_here_exist():
    for name in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / name).exists(), name


def test_make_help_fits_a_screen():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.strip().splitlines()
    assert 10 <= len(lines) <= 26 and all(line.lstrip().startswith("make ") for line in lines)


def test_progress_page_is_the_blank_one(tmp_path):
    out = tmp_path / "PROGRESS.md"
    words = ["progress", "--blank", "--out", str(out), "--html", str(tmp_path / "p.html")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    committed = (ROOT / "PROGRESS.md").read_text(encoding="utf-8")
    assert out.read_text(encoding="utf-8") == committed, "run `course progress --blank`"
