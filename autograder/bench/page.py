"""The bench's page, BENCH.md, and the bars that the figures are held to."""

import os
import platform

from autograder.bench.ways import Row

WALL_RATIO = 0.1
CPU_FACTOR, CPU_EXTRA_S = 1.5, 0.3
MEANING = {
    "stock": "stock `nbgrader autograde`, stock Execute: every cell, checks in the learner's kernel",
    "ours": "`nbgrader autograde` with this course's configuration: sandbox, examiner, one at a time",
    "course grade": "`course grade`: the same, in parallel on the warm server's kernels",
    "floor": "the cells that answers depend on, and the checks, in one warm process: no start, "
    "no sandbox, no gradebook",
}


def find(rows: list[Row], notebook: str, way: str) -> Row:
    """The row of one way on one notebook."""
    return next(r for r in rows if (r.notebook, r.way) == (notebook, way))


def bars(rows: list[Row], notebook: str) -> list[tuple[str, float, float]]:
    """What is bounded, its figure, its bar."""
    stock, grade, floor = (find(rows, notebook, w) for w in ("stock", "course grade", "floor"))
    most_cpu_s = CPU_FACTOR * floor.cpu_s + CPU_EXTRA_S
    return [
        ("wall of `course grade` over stock's", grade.wall_s / stock.wall_s, WALL_RATIO),
        (
            f"CPU s of `course grade`, bar {CPU_FACTOR:g} floors + {CPU_EXTRA_S:g} s",
            grade.cpu_s,
            most_cpu_s,
        ),
    ]


def render(rows: list[Row], scale: list[Row], date: str) -> str:
    """The whole page. scale: the same way at growing numbers of submissions, may be empty."""
    lines = [
        "# What grading costs",
        "",
        f"Written by `make bench` on {date}: {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {platform.system()} {platform.machine()}. Every submission is "
        "right and gets full marks in every way. Seconds are per submission and hold everything: "
        "the command's start, the imports, the gradebook. Memory is the most that all processes "
        "held at one moment, shared pages counted once.",
        "",
    ]
    lines += [f"- **{way}**: {text}." for way, text in MEANING.items()]
    for notebook in dict.fromkeys(r.notebook for r in rows):
        lines += ["", *table(rows, notebook)]
    if scale:
        lines += ["", "## From a small class to a large one", ""]
        lines += [f"`course grade`, the notebook `{scale[0].notebook}`:", ""]
        lines += [
            "| submissions | whole run, s | s each | CPU s each | memory, MB |",
            "|--:|--:|--:|--:|--:|",
        ]
        for r in scale:
            run_s = r.wall_s * r.submissions
            lines.append(
                f"| {r.submissions} | {run_s:.0f} | {r.wall_s:.2f} | {r.cpu_s:.2f} | {r.peak_mb:.0f} |"
            )
    return "\n".join(lines) + "\n"


def table(rows: list[Row], notebook: str) -> list[str]:
    """One notebook's table and its bars."""
    stock = find(rows, notebook, "stock")
    lines = [
        f"## `{notebook}`, {stock.submissions} submissions",
        "",
        "| way | wall, s | CPU, s | memory, MB | wall, of stock's |",
        "|---|--:|--:|--:|--:|",
    ]
    for row in (r for r in rows if r.notebook == notebook):
        share = f"{row.wall_s / stock.wall_s:.3f}"
        lines.append(
            f"| {row.way} | {row.wall_s:.2f} | {row.cpu_s:.2f} | {row.peak_mb:.0f} | {share} |"
        )
    lines.append("")
    for name, value, bar in bars(rows, notebook):
        lines.append(
            f"- {name}: {value:.3f}, at most {bar:.3f}: {'met' if value <= bar else 'MISSED'}"
        )
    return lines
