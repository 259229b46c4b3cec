"""The instructor's secret, and the seed of cases that it gives to each submission."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from autograder.syllabus import repo_root

# On another machine: seeds without the secret that they come from.
_known: dict[tuple[str, str, str], int] | None = None


def know_seeds(seeds: dict[tuple[str, str, str], int]) -> None:
    """Let this process have these seeds, by student, assignment and notebook, and no secret."""
    global _known
    _known = seeds


# Names of the environment that no kernel gets: the secret, and the gradebook's password.
PRIVATE = ("COURSE_SECRET", "PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE", "PGSSLKEY")


def secret_path() -> Path:
    """Where the secret lives: beside the gradebook, never committed."""
    return repo_root() / "autograder" / "work" / "secret"


def load_secret() -> bytes:
    """COURSE_SECRET, or the secret file, made at the first use (mode 0600)."""
    if os.environ.get("COURSE_SECRET"):
        return os.environ["COURSE_SECRET"].encode()
    path = secret_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_hex(32).encode())
    return path.read_bytes()


def submission_seed(student: str, assignment: str, notebook: str) -> int:
    """A seed in [0, 2**63) that a learner cannot foresee and a regrade repeats (HMAC-SHA-256).

    Raises KeyError where only seeds are known (know_seeds), and not this one.
    """
    if _known is not None:
        return _known[student, assignment, notebook]
    message = "\0".join((student, assignment, notebook)).encode()
    digest = hmac.new(load_secret(), message, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> 1
