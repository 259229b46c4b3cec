"""Make `modules/` from the sources through stock nbgrader generate_assignment."""

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from autograder.build import stage
from autograder.build.sources import BuildError


def nbgrader_config(root: Path) -> Config:
    """The project's nbgrader_config.py as a traitlets Config."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()


def generate(root: Path, target: Path) -> dict[str, list[str]]:
    """Generate every ready module into target/modules/. Returns the file names by module folder."""
    sources = stage.read_all(root)
    config = nbgrader_config(root)
    course = config.CourseDirectory
    course.root = str(target)
    course.db_url = f"sqlite:///{target / 'gradebook.db'}"
    stage.write(sources, target / course.source_directory)
    # nbgrader starts `alembic` by name.
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    for folder in sources:
        result = api.generate_assignment(folder, force=True, create=True)
        if not result["success"]:
            reason = (result.get("error") or result.get("log") or "").strip().splitlines()
            raise BuildError(
                f"nbgrader could not generate {folder}: {reason[-1] if reason else '?'}"
            )
    api.gradebook.close()
    return {folder: sorted(s.name + ".ipynb" for s in found) for folder, found in sources.items()}


def stale(root: Path, fresh: Path, folders: dict[str, list[str]]) -> list[str]:
    """Files under modules/ that differ from the fresh ones, are missing, or should not be there."""
    out = []
    modules = root / "modules"
    for folder, names in folders.items():
        for name in names:
            old = modules / folder / name
            if not old.exists() or old.read_bytes() != (fresh / folder / name).read_bytes():
                out.append(f"modules/{folder}/{name}")
    wanted = {f"{folder}/{name}" for folder, names in folders.items() for name in names}
    present = (
        p.relative_to(modules).as_posix()
        for p in modules.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in p.parts
    )
    return sorted(out + [f"modules/{p}" for p in present if p not in wanted])


def swap(root: Path, fresh: Path, folders: dict[str, list[str]]) -> None:
    """Put the fresh folders in place, one rename each; folders of no module are removed."""
    modules = root / "modules"
    modules.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=modules, prefix=".build-") as work:
        for folder in folders:
            new, old = Path(work) / f"{folder}.new", Path(work) / f"{folder}.old"
            shutil.copytree(fresh / folder, new)
            if (modules / folder).exists():
                (modules / folder).rename(old)
            new.rename(modules / folder)
        for path in modules.iterdir():
            if path.is_dir() and path.name not in folders and not path.name.startswith("."):
                path.rename(Path(work) / f"{path.name}.gone")


def build(root: Path, check_only: bool = False) -> list[str]:
    """Build modules/. Returns the stale files (check_only) or those that were written.

    Where modules/ is fresh in the end, the staged sources are brought up to date too.
    """
    with tempfile.TemporaryDirectory(prefix="course-build-") as work:
        folders = generate(root, Path(work))
        fresh = Path(work) / "modules"
        changed = stale(root, fresh, folders)
        if changed and not check_only:
            swap(root, fresh, folders)
    if not (check_only and changed):
        stage.stage(root)
    return changed
