"""What a learner's kernel may read, write, spend and know."""

import os
import sys
import sysconfig
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder.syllabus import repo_root

# Enough for `from autograder import check`; checks/m*_* (the judges) and oracles/ are not here.
CHECK_FILES = (
    "autograder/__init__.py",
    "autograder/syllabus.py",
    "autograder/syllabus_reader.py",
    *(
        f"autograder/checks/{name}.py"
        for name in ("__init__", "api", "bank", "engine", "expect", "plain", "record", "registry")
    ),
    *(
        f"autograder/checks/{name}.py"
        for name in ("codec", "report", "runner", "spec", "tolerances")
    ),
)
COURSE_FOLDERS = ("lab", "data", "syllabus.yml")
SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/timezone",
    "/var/cache/fontconfig",
)
ENVIRONMENT = (
    "COURSE_CACHE",
    "COURSE_GRADING",
    "COURSE_MIRROR",
    "COURSE_ROOT",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "MPLBACKEND",
    "PATH",
    "PYTHONHASHSEED",
    "TZ",
    "VIRTUAL_ENV",
)


@dataclass(frozen=True)
class Limits:
    """What one kernel may spend. Zero: no limit.

    Attributes:
        wall_s, cpu_s: seconds for the whole notebook.
        memory_mb: resident memory of all its processes together, MB (2**20 bytes).
        processes: processes and threads.
        file_mb, disk_mb: size of one file; of all that it wrote, MB.
        open_files: open file descriptors.
    """

    wall_s: float = 900
    cpu_s: int = 900
    memory_mb: int = 4096
    processes: int = 128
    file_mb: int = 256
    disk_mb: int = 1024
    open_files: int = 512


@dataclass(frozen=True)
class Policy:
    """All that the sandbox needs to know. Paths are absolute.

    Attributes:
        folder: the working folder, readable and writable.
        private: a folder of the kernel's own (connection file, HOME, TMPDIR), short enough for
            socket names: 107 bytes with the name.
        read: further paths that may be read.
        environment: the kernel's whole environment.
    """

    folder: str
    private: str
    read: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()

    @property
    def write(self) -> tuple[str, ...]:
        """Paths that may be written."""
        return (self.folder, self.private)

    def check(self) -> None:
        """Raise ValueError when the working folder is none, or holds more than a submission."""
        if not os.path.isdir(self.folder):
            raise ValueError(f"There is no folder {self.folder} to run a kernel in.")
        own = f"{os.path.realpath(self.folder).rstrip('/')}/"
        code = Path(__file__).resolve().parents[3]
        for path in (code, repo_root(), sys.prefix, sys.base_prefix, Path.home(), self.private):
            if f"{os.path.realpath(path)}/".startswith(own):
                raise ValueError(
                    f"A graded kernel may write to its working folder, and {self.folder} holds "
                    f"{path}: give it a folder with one submission."
                )

    def plain(self) -> dict:
        """As plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: dict) -> "Policy":
        """The inverse of plain."""
        return cls(**{**row, "read": tuple(row["read"]), "limits": Limits(**row["limits"])})


def readable(env: dict[str, str], extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Paths that exist and that every kernel may read: interpreter, libraries, lab, data."""
    root = repo_root()
    course = [root / name for name in (*COURSE_FOLDERS, *CHECK_FILES)]
    # The course's code may lie beside another COURSE_ROOT.
    code = Path(__file__).resolve().parents[3]
    course += [code / name for name in (*COURSE_FOLDERS, *CHECK_FILES)]
    python = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    data = [env[name] for name in ("COURSE_MIRROR", "COURSE_CACHE") if env.get(name)]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    data.append(str(cache / "model-miniaturization-course"))
    named = [*SYSTEM, *sorted(python), *map(str, course), *data, *extra]
    return outermost(os.path.abspath(path) for path in named if os.path.exists(path))


def system_only(extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Paths that exist and that a compiled program or a compiler may read: nothing of the course."""
    return outermost(os.path.abspath(path) for path in (*SYSTEM, *extra) if os.path.exists(path))


def outermost(paths) -> tuple[str, ...]:
    """The paths without those that lie below another one of them, sorted."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == up or path.startswith(up.rstrip("/") + "/") for up in kept):
            kept.append(path)
    return tuple(kept)


def scrub(env: dict[str, str], private: str, extra: tuple[str, ...] = ()) -> dict[str, str]:
    """The kernel's environment: names on the list and no others; HOME and TMPDIR of its own."""
    kept = {name: env[name] for name in (*ENVIRONMENT, *extra) if name in env}
    home, temporary = f"{private}/home", f"{private}/tmp"
    own = {
        "HOME": home,
        "TMPDIR": temporary,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "XDG_CACHE_HOME": f"{home}/.cache",
        "LOGNAME": "learner",
        "USER": "learner",
        "COURSE_OFFLINE": "1",
        "COURSE_STATE": f"{home}/.course",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    kept.setdefault("MPLBACKEND", "agg")
    # HOME is new: the cache of downloads keeps its old place.
    cache = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "/")) / ".cache")
    if (cache / "model-miniaturization-course").is_dir():
        kept.setdefault("COURSE_CACHE", str(cache / "model-miniaturization-course"))
    return kept | own
