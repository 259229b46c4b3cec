"""What was seen of one graded attack, and the layer of the defence that it speaks of.

Nothing here knows an attack: layers are read off error numbers, findings, remarks and reasons.
"""

import html
import json
import re
from dataclasses import dataclass, field
from stat import filemode

import nbformat

from attacks.course import ASSIGNMENT, CANARY, Course

# Whose words are worth stealing.
WORTH = ("secret", "home", "solution", "answers", "a-reference", "zz-reference", "b-twin-right")
LINE = re.compile(r"^\[(reach|tamper)\] (.*?): (done (.*)|(\w+) (\S+) (.*))$", re.MULTILINE)
LEFT = re.compile(r"^\[left\] (.) (.+)$", re.MULTILINE)
# errno(3), then names of exceptions.
REFUSALS = {
    "2": "view: the path is not there",
    "17": "view: the path is not there",
    "18": "view: no link across its borders",
    "30": "view: read-only",
    "28": "view: folders of bounded size",
    "13": "landlock or user: permission denied",
    "1": "seccomp or user: not permitted",
    "38": "seccomp: no such system call",
    "97": "seccomp: no sockets but local ones",
    "101": "network: none there",
    "111": "network: none there",
    "-3": "network: none there",
    "3": "pid: no other process there",
    "10": "pid: no other process there",
    "11": "limits: processes",
    "12": "limits: memory",
    "24": "limits: open files",
    "27": "limits: file size",
    "ModuleNotFoundError": "view: the module is not there",
    "ImportError": "view: the module is not there",
    "MemoryError": "limits: memory",
    "RuntimeError": "limits: processes",
    "OperationalError": "view: the path is not there",
    "KeyError": "environment: the name is not there",
    "LookupError": "examiner: nothing of it is in the kernel",
}
APART = "kernel apart: its end costs its own exercise"
REASONS = {
    "time limit": "limits: wall time",
    "CPU time limit": "limits: CPU time",
    "memory limit": "limits: memory",
    "disk limit": "limits: disk",
    "process limit": "limits: processes",
    "nested folders": "limits: nested folders",
    "files exceeded": "limits: number of files",
    "ended by": APART,
    "left with status": APART,
}
FINDINGS = {
    "cannot be read": "codec: plain data only",
    "did not finish": "examiner: time limit of a check",
    "ended the kernel": APART,
    "not defined": "examiner: judged outside the kernel",
}
JUDGED = "examiner: judged outside the kernel"
OUTPUT = "limits: output of a cell"
TIMEOUT = "limits: time of a cell"
ENDED = "pid: every process ends with the kernel"
FOLDER = "working folder: only ordinary files come back from it"


@dataclass
class Seen:
    """What one submission left behind.

    Attributes:
        points: by exercise; None where the gradebook waits for a person or has no row.
        text: all that its cells printed or raised, without markup.
        reports: the text of each check's report, by exercise.
        remarks: the intake's sentences.
        done: what `reach` got hold of. refused: (what, error's name, number) where it did not.
        tampered: what the kernel did to itself.
        left: (kind, name) of what lay in the kernel's own folder when it looked.
        ended: marks of processes that it left and that were gone after the run.
        returned: (kind, name) of what is in its autograded folder now.
        loot: canaries of others found in its notebooks, files or feedback.
    """

    points: dict[str, float | None]
    text: str = ""
    reports: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    tampered: list[str] = field(default_factory=list)
    left: set[tuple[str, str]] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    returned: set[tuple[str, str]] = field(default_factory=set)
    loot: set[str] = field(default_factory=set)

    @property
    def total(self) -> float:
        return sum(value or 0.0 for value in self.points.values())


def look(course: Course, student: str, points: dict[str, float | None]) -> Seen:
    """Read what is left of a submission in the autograded and the feedback folders."""
    seen = Seen(points)
    folder = course.work / "autograded" / student / ASSIGNMENT
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                _note(seen, cell, output)
    facts = course.work / "intake" / student / f"{ASSIGNMENT}.json"
    if facts.is_file():
        intake = json.loads(facts.read_text(encoding="utf-8"))
        seen.remarks = [r for n in intake["notebooks"] for r in n["remarks"]]
        seen.remarks += intake["files_left_out"]
    for kind, what, _, got, error, number, text in LINE.findall(seen.text):
        inner = re.search(r"\[Errno (-?\d+)\]", text)
        if kind == "tamper":
            seen.tampered.append(what)
        elif error:
            seen.refused.append((what, error, inner[1] if inner else number))
        else:
            seen.done.append(f"{what}: {got[:80]}")
    seen.left = set(LEFT.findall(seen.text))
    seen.returned = {(filemode(p.lstat().st_mode)[0], repr(p.name)) for p in folder.glob("*")}
    seen.loot = _loot(course, student)
    return seen


def _note(seen: Seen, cell, output) -> None:
    report = output.get("metadata", {}).get("course")
    if output.output_type == "stream":
        seen.text += output.text + "\n"
    elif output.output_type == "error":
        seen.text += f"{output.ename}: {output.evalue}\n"
    elif report and cell.metadata.get("nbgrader", {}).get("grade"):
        text = re.sub(r"<[^>]*>", "", output.data.get("text/html", ""))
        seen.reports[cell.metadata.nbgrader.grade_id] = html.unescape(text)


def _loot(course: Course, student: str) -> set[str]:
    """Canaries that were planted with others."""
    found: set[str] = set()
    for step in ("autograded", "feedback"):
        for path in (course.work / step / student).rglob("*"):
            if path.is_file() and path.stat().st_size < 2**26:
                text = path.read_bytes().decode("utf-8", "replace")
                found |= set(re.findall(rf"{CANARY}-({'|'.join(WORTH)})(?![\w-])", text))
    return found - {student}


def layers(seen: Seen) -> list[str]:
    """The layers that the evidence speaks of, each once, in the order in which they act."""
    found = [] if not seen.remarks else ["intake: rebuilt on the instructor's notebook"]
    for _, error, number in seen.refused:
        found.append(REFUSALS.get(number) or REFUSALS.get(error) or f"refused: {error} {number}")
    for words, layer in REASONS.items():
        if words in seen.text + " ".join(seen.reports.values()):
            found.append(layer)
    if "KernelDied" in seen.text and not any(x in seen.text for x in REASONS):
        found.append(APART)
    if "Output is cut" in seen.text or "Output truncated" in seen.text:
        found.append(OUTPUT)
    if "did not finish" in seen.text or "CellTimeout" in seen.text:
        found.append(TIMEOUT)
    for report in seen.reports.values():
        if "0 of" in report or "Already right" in report:
            named = [layer for words, layer in FINDINGS.items() if words in report]
            found += named or [JUDGED]
    if seen.ended:
        found.append(ENDED)
    if seen.left - seen.returned:
        found.insert(0, FOLDER)
    return list(dict.fromkeys(found))
