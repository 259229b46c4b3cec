"""The learner's own log of check results, one JSON object a line."""

import datetime
import json

from autograder.checks.report import Report
from autograder.syllabus import state_dir


def append(report: Report) -> None:
    """Add a report's result to `checks.jsonl`. A full or read-only disk never fails a check."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = json.dumps({"time": now, **report.result()}) + "\n"
    try:
        state_dir().mkdir(parents=True, exist_ok=True)
        with open(state_dir() / "checks.jsonl", "a", encoding="utf-8") as log:
            log.write(line)
    except OSError:
        return
