"""Write the expanded instructor notebooks where stock nbgrader looks for its sources."""

import hashlib
import os
import shutil
from pathlib import Path

import nbformat

from autograder.build.expand import expand
from autograder.build.sources import BuildError, Source, read_source
from autograder.build.validate import validate, validate_module
from autograder.syllabus import load_syllabus, repo_root

STAGED = "autograder/work/source"


def read_all(root: Path) -> dict[str, list[Source]]:
    """Every source of every ready module, validated, by module folder. Raises BuildError."""
    syllabus = load_syllabus(root / "syllabus.yml")
    found: dict[str, list[Source]] = {}
    known = {m.folder for m in syllabus.modules}
    for folder in sorted(p for p in (root / "solutions").iterdir() if p.is_dir()):
        if folder.name not in known and folder.name != "__pycache__":
            raise BuildError(
                f"solutions/{folder.name}: no module has this folder. See syllabus.yml."
            )
    for module in syllabus.modules:
        if module.status != "ready":
            continue
        paths = sorted((root / "solutions" / module.folder).glob("*.py"))
        sources = [read_source(path, root) for path in paths]
        for source in sources:
            validate(source, syllabus)
        validate_module(module, sources)
        found[module.folder] = sources
    return found


def write(sources: dict[str, list[Source]], target: Path) -> None:
    """Write the expanded notebooks as target/<module folder>/<name>.ipynb."""
    for folder, notebooks in sources.items():
        (target / folder).mkdir(parents=True, exist_ok=True)
        for source in notebooks:
            path = target / folder / f"{source.name}.ipynb"
            path.write_text(nbformat.writes(expand(source)) + "\n", encoding="utf-8")


def fingerprint(root: Path) -> str:
    """A hash of everything that the staged notebooks depend on."""
    paths = sorted((root / "solutions").rglob("*.py")) + [root / "syllabus.yml"]
    paths += sorted((root / "autograder" / "build").glob("*.py"))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(
            path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
        )
    return digest.hexdigest()


def stage(root: Path | None = None, sources: dict[str, list[Source]] | None = None) -> Path:
    """Bring autograder/work/source/ up to date; cheap when nothing changed. Returns the folder."""
    root = root or repo_root()
    target = root / STAGED
    stamp = target.parent / "source.sha256"
    current = fingerprint(root)
    if target.is_dir() and stamp.exists() and stamp.read_text() == current:
        return target
    fresh = target.with_name(f"source.new-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    write(sources or read_all(root), fresh)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    stamp.write_text(current)
    return target
