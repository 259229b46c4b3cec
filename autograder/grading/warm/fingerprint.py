"""What a warm process depends on: when it changes, imports are stale."""

import hashlib
import sys
import sysconfig
from pathlib import Path

from autograder.syllabus import repo_root


def fingerprint() -> str:
    """A digest of the interpreter, the installed packages and the course's own files.

    Packages count by the names and times of their .dist-info folders, files by time and size:
    some milliseconds, so it can be asked for each kernel.
    """
    digest = hashlib.sha256(sys.version.encode())
    packages = Path(sysconfig.get_paths()["purelib"])
    code = Path(__file__).resolve().parents[3]
    found = [*packages.glob("*.dist-info"), *packages.glob("*.pth")]
    for root in {code, repo_root()}:
        found += [*root.glob("lab/**/*.py"), root / "pyproject.toml"]
    for name in ("*.py", "sandbox/*.py", "warm/*.py"):
        found += (code / "autograder/grading").glob(name)
    for path in sorted(set(found)):
        try:
            about = path.stat()
        except OSError:
            continue
        digest.update(f"{path}\0{about.st_mtime_ns}\0{about.st_size}\n".encode())
    return digest.hexdigest()
