"""A run's results for machines: JUnit XML, JSON, a table for GitHub's job summary, plain text."""

import datetime
import json
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from notebook_findings import Failure
from report_page import render_page
from run_state import Result, write_atomically

# Characters that XML 1.0 forbids, even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TAIL_LINES = 15  # of each part of a failure on the terminal; report.html has the whole


def write_reports(results: list[Result], profile: str, out: Path) -> None:
    """Write junit.xml, results.json and report.html to `out`, and append the job summary."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    write_atomically(out / "junit.xml", junit(results, profile, now))
    stored = {"time": now, "profile": profile, "notebooks": [asdict(r) for r in results]}
    write_atomically(out / "results.json", json.dumps(stored, indent=1) + "\n")
    write_atomically(out / "report.html", render_page(results, profile, now))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with open(summary, "a", encoding="utf-8") as stream:
            stream.write(markdown(results, profile))


def totals(results: list[Result]) -> str:
    """The plain last line: "N passed, N failed"."""
    return f"{_count(results, 'passed')} passed, {_count(results, 'failed')} failed"


def junit(results: list[Result], profile: str, time: str) -> str:
    """JUnit XML: each notebook a testcase with the properties seconds and peak_memory_mb."""
    counts = {
        "tests": str(len(results)),
        "failures": str(_count(results, "failed")),
        "errors": "0",
        "skipped": str(_count(results, "not run")),
        "time": f"{sum(r.seconds for r in results):.2f}",
    }
    root = ET.Element("testsuites", {"name": "notebooks", **counts})
    suite = ET.SubElement(
        root, "testsuite", {"name": f"notebooks.{profile}", "timestamp": time[:19], **counts}
    )
    for result in results:
        _testcase(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _testcase(suite: ET.Element, result: Result) -> None:
    path = PurePosixPath(result.name)
    folder = ".".join(path.parent.parts) or "notebooks"
    attributes = {"classname": folder, "name": path.stem, "time": f"{result.seconds:.2f}"}
    case = ET.SubElement(suite, "testcase", attributes)
    properties = ET.SubElement(case, "properties")
    values = {"seconds": result.seconds, "peak_memory_mb": result.peak_memory_mb}
    for name, value in {**values, "resumed": str(result.resumed).lower()}.items():
        ET.SubElement(properties, "property", {"name": name, "value": str(value)})
    if result.status == "not run":
        ET.SubElement(case, "skipped", {"message": "The run was interrupted before its end."})
    elif result.failures:
        # One failure element a testcase: several are read by few tools.
        message = " ".join(failure.sentence for failure in result.failures)
        failure = ET.SubElement(case, "failure", {"message": _xml(message), "type": "notebook"})
        failure.text = _xml("\n\n".join(as_text(f) for f in result.failures))


def as_text(failure: Failure, tail_lines: int | None = None) -> str:
    """A failure as plain text; each part cut to its last `tail_lines` lines if given."""
    parts = [failure.sentence]
    for title, text in (
        ("source", failure.source),
        ("output", failure.text),
        ("traceback", failure.traceback),
    ):
        lines = text.strip("\n").splitlines()
        if not lines:
            continue
        cut = tail_lines is not None and len(lines) > tail_lines
        shown = [f"[... {len(lines) - tail_lines} lines]", *lines[-tail_lines:]] if cut else lines
        parts += [f"  {title}:", *(f"    {line}" for line in shown)]
    return "\n".join(parts)


def failures_text(results: list[Result]) -> str:
    """Every failure, for the terminal."""
    blocks = []
    for result in results:
        for failure in result.failures:
            blocks.append(f"FAILED {result.name}\n{as_text(failure, TAIL_LINES)}")
    return "\n\n".join(blocks)


def markdown(results: list[Result], profile: str) -> str:
    """A table of all notebooks for GITHUB_STEP_SUMMARY."""
    lines = [
        f"### Notebooks, profile {profile}: {totals(results)}",
        "",
        "| notebook | result | seconds | peak MB | why |",
        "|---|---|---:|---:|---|",
    ]
    for r in results:
        why = _cell(" ".join(failure.sentence for failure in r.failures))
        status = "passed earlier" if r.resumed else r.status
        figures = "| |" if r.status == "not run" else f"{r.seconds:.1f} | {r.peak_memory_mb:.0f} |"
        lines.append(f"| {_cell(r.name)} | {status} | {figures} {why} |")
    return "\n".join(lines) + "\n\n"


def _cell(text: str) -> str:
    text = " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
    return text.replace("&", "&amp;").replace("<", "&lt;")[:600]


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)


def _count(results: list[Result], status: str) -> int:
    return sum(result.status == status for result in results)
