"""The grading bench: its bars, its page, and the README's quotation of it."""

import re
from pathlib import Path

import pytest

from autograder.bench import page
from autograder.bench.ways import Row

ROOT = Path(__file__).resolve().parent.parent
WAYS = ("stock", "ours", "course grade", "floor")


def rows(grade_wall_s, grade_cpu_s):
    """Stock takes 4 s, the floor 0.1 CPU s: the bars are 0.4 s and 0.45 CPU s."""
    walls, cpus = (4.0, 1.0, grade_wall_s, 0.1), (3.5, 0.9, grade_cpu_s, 0.1)
    found = zip(WAYS, walls, cpus, strict=True)
    return [Row("small_torch", way, 20, wall, cpu, 400.0) for way, wall, cpu in found]


@pytest.mark.parametrize(
    ("wall_s", "cpu_s", "met"),
    [(0.4, 0.45, [True, True]), (0.41, 0.45, [False, True]), (0.4, 0.46, [True, False])],
)
def test_a_bar_is_a_tenth_of_stocks_wall_and_a_half_more_than_the_floors_cpu(wall_s, cpu_s, met):
    found = rows(wall_s, cpu_s)
    bars = page.bars(found, "small_torch")
    assert [value <= bar + 1e-12 for _, value, bar in bars] == met
    text = page.render(found, [Row("small_torch", "course grade", 100, 0.3, 0.3, 500.0)], "today")
    assert text.count(": MISSED") == met.count(False)
    assert "| 100 | 30 | 0.30 | 0.30 | 500 |" in text


def test_page_meets_its_bars_and_readme_quotes_it():
    text = (ROOT / "autograder/BENCH.md").read_text(encoding="utf-8")
    assert text.count(": met") == 4 and "MISSED" not in text, "run `make bench`, quietly"
    table = re.findall(r"^\| (stock|course grade) \| ([\d.]+) \|", text, re.MULTILINE)
    assert [way for way, _ in table] == ["stock", "course grade"] * 2
    memory = re.findall(r"^\| (\d+) \| \d+ \| [\d.]+ \| [\d.]+ \| (\d+) \|$", text, re.MULTILINE)
    assert [count for count, _ in memory] == ["20", "100", "1000"]
    small, lesson = ([s for _, s in table[i : i + 2]] for i in (0, 2))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{lesson[1]} s a submission instead of {lesson[0]} s" in readme
    assert f"{small[1]} s instead of {small[0]} s" in readme
    assert f"from {memory[0][1]} MB at 20 submissions to {memory[2][1]} MB at 1,000" in readme
