"""A submission folder brought into a form that grading can rely on; the learner's files stay untouched.

Each of the assignment's notebooks is found (by name, or by what is in it), read, and rebuilt; what
cannot be read becomes the released notebook with the reason at its top. The result is a folder of
sound notebooks, and of the other files that a notebook may need: no links, nothing huge, nothing
that hides a library.
"""

import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.grading.instructor import base_cells
from autograder.grading.matching import likeness
from autograder.grading.reading import (
    MAX_FILE_BYTES,
    Submitted,
    Unreadable,
    file_bytes,
    read_bytes,
)
from autograder.grading.rebuild import rebuild, refused

MAX_NOTEBOOKS = 60
MAX_OTHER_FILES = 200
MAX_OTHER_BYTES = 50 * 2**20
MAX_DEPTH = 4
TIMESTAMP = Path("timestamp.txt")  # read by the converter alone
SKIPPED = re.compile(r"^\.|^__pycache__$|^(sitecustomize|usercustomize|jupyter_\w*config)\b")


@dataclass
class Taken:
    """What became of one notebook. status: graded, refused (unreadable), missing or crashed."""

    notebook: str
    status: str
    remarks: list[str] = field(default_factory=list)
    file: str = ""


@dataclass
class Intake:
    """What became of one submission folder. files_left_out: a sentence each."""

    notebooks: list[Taken]
    files_left_out: list[str]

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        temporary = path.with_name(f"{path.name}.new")
        temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)


@dataclass
class Candidate:
    """A file that may be one of the notebooks. load gives its bytes or raises Unreadable."""

    name: str
    load: Callable[[], bytes]
    _read: Submitted | Unreadable | None = None

    def read(self) -> Submitted | Unreadable:
        if self._read is None:
            try:
                self._read = read_bytes(self.load())
            except Unreadable as reason:
                self._read = reason
        return self._read


def take_in(folder: Path, target: Path, instructor: dict[str, NotebookNode]) -> Intake:
    """Write a sound copy of a submission folder to `target` (replaced).

    instructor: by name, the notebooks that the assignment has. Raises OSError only for `target`.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if folder.is_symlink():
        why = "The submission folder is a link; a real folder is needed."
        found, files = {}, []
        out = {name: Taken(name, "refused", [why]) for name in instructor}
    else:
        files = list(walk(folder))
        found = _find(list(_candidates(files)), instructor)
        out = {}
    for name, notebook in instructor.items():
        if name not in out:
            out[name] = Taken(name, "missing", [f"The notebook {name}.ipynb was not handed in."])
        made = _make(notebook, out[name], found.get(name))
        text = nbformat.writes(made) + "\n"
        (target / f"{name}.ipynb").write_text(text, encoding="utf-8")
    return Intake(list(out.values()), copy_files(files, folder, target))


def _make(notebook: NotebookNode, taken: Taken, file: Candidate | None) -> NotebookNode:
    """The notebook to grade; `taken` is told what became of the file."""
    if file is not None:
        taken.file, read = file.name, file.read()
        if isinstance(read, Unreadable):
            taken.status, taken.remarks = "refused", [str(read)]
        else:
            made = rebuild(notebook, read)
            if file.name != f"{taken.notebook}.ipynb":
                said = f"The notebook was found in the file {shown(file.name)}."
                made = rebuild(notebook, Submitted(read.cells, read.language, [said, *read.notes]))
            taken.status, taken.remarks = "graded", made.repairs
            return made.notebook
    return refused(notebook, f"0 points: {taken.remarks[0]}").notebook


def shown(name: str) -> str:
    """A learner's file name, safe to print."""
    return re.sub(r"[^\w ./()+,=@-]", "?", name)[:120]


def walk(folder: Path) -> Iterator[Path]:
    """Regular files, sorted, not through links, not too deep, not hidden."""
    for where, folders, names in os.walk(folder):
        depth = len(Path(where).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not SKIPPED.match(f) and depth < MAX_DEPTH)
        yield from (Path(where) / name for name in sorted(names) if not name.startswith("."))


def _candidates(files: list[Path]) -> Iterator[Candidate]:
    near_first = sorted(files, key=lambda p: (len(p.parts), p.name))
    books = [p for p in near_first if ".ipynb" in p.name.lower()]
    for path in books[:MAX_NOTEBOOKS]:
        yield Candidate(path.name, lambda path=path: file_bytes(path))
    for path in [p for p in near_first if p.suffix.lower() == ".zip"][:5]:
        yield from _zipped(path)


def _zipped(path: Path) -> Iterator[Candidate]:
    """Notebooks in an archive, read in memory; their paths are never used as paths."""
    try:
        if path.is_symlink() or path.stat().st_size > 4 * MAX_FILE_BYTES:
            return
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()[:10_000]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return
    books = [e for e in entries if e.filename.lower().endswith(".ipynb")]
    books = [e for e in books if "__MACOSX" not in e.filename and ".ipynb_" not in e.filename]
    for entry in books[:MAX_NOTEBOOKS]:
        name = f"{path.name}/{entry.filename.replace(chr(92), '/').rpartition('/')[2]}"
        yield Candidate(name, lambda entry=entry: _unzip(path, entry))


def _unzip(path: Path, entry: zipfile.ZipInfo) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    # zlib, lzma and the format's own faults have no common base class.
    except Exception:
        raise Unreadable("The notebook in the archive cannot be unpacked.") from None
    if len(data) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES / 2**20
        raise Unreadable(f"The notebook in the archive has more than {limit:.0f} MB.")
    return data


def _find(files: list[Candidate], instructor: dict[str, NotebookNode]) -> dict[str, Candidate]:
    """Which file is which notebook: its name where the content agrees, else the content alone."""
    bases = {name: base_cells(notebook) for name, notebook in instructor.items()}
    found: dict[str, Candidate] = {}
    spare = list(files)

    def like(name: str, file: Candidate) -> int:
        read = file.read()
        return 0 if isinstance(read, Unreadable) else likeness(bases[name], read)

    def take(name: str, file: Candidate) -> None:
        found[name] = file
        spare.remove(file)

    for name in instructor:
        same = [f for f in spare if f.name == f"{name}.ipynb" and like(name, f)]
        if same and like(name, same[0]) >= max(like(other, same[0]) for other in instructor):
            take(name, same[0])
    pairs = [
        (like(name, f), f.name.startswith(name), -number, name, f)
        for name in instructor
        if name not in found
        for number, f in enumerate(spare)
    ]
    for score, _, _, name, file in sorted(pairs, key=lambda p: p[:3], reverse=True):
        if score and name not in found and file in spare:
            take(name, file)
    for name in instructor:
        own = [
            f
            for f in spare
            if f.name.rpartition("/")[2].lower().startswith(f"{name}.ipynb".lower())
        ]
        if name not in found and own:
            take(name, own[0])
    if len(instructor) == 1 and not found and len(spare) == 1:
        take(next(iter(instructor)), spare[0])
    return found


@cache
def _libraries() -> frozenset[str]:
    return frozenset(sys.stdlib_module_names) | frozenset(packages_distributions())


def copy_files(files: list[Path], folder: Path, target: Path) -> list[str]:
    """Copy what a notebook may read beside it, no notebook. Returns sentences on what is left out."""
    left_out, copied, total = [], 0, 0
    for path in files:
        place = path.relative_to(folder)
        if ".ipynb" in path.name.lower() or path.suffix.lower() == ".zip" or place == TIMESTAMP:
            continue
        hides = place.parts[0].partition(".")[0] in _libraries()
        code = path.suffix in (".py", ".so", ".pth", ".pyc")
        if SKIPPED.match(path.name) or (hides and code) or not path.name.isprintable():
            left_out.append(f"{shown(str(place))}: it would change how Python or Jupyter works.")
            continue
        try:
            data = file_bytes(path, MAX_OTHER_BYTES - total)
        except Unreadable as reason:
            left_out.append(f"{shown(str(place))}: {reason}")
            continue
        if copied == MAX_OTHER_FILES:
            left_out.append(f"Further files: at most {MAX_OTHER_FILES} are taken.")
            break
        copied, total = copied + 1, total + len(data)
        try:
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            (target / place).write_bytes(data)
        except OSError as error:  # a file where a folder is, or the other way round
            left_out.append(f"{shown(str(place))}: {error.strerror}.")
    return left_out[:50]
