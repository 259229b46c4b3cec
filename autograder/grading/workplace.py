"""A folder of a kernel's own to work in: what it leaves there is read with care, or not at all.

Those who grade write into the autograded folder with their own rights. If the kernel worked there, a
link or a pipe that it leaves in place of a notebook would make them write elsewhere, or wait for ever.
"""

import tempfile
from pathlib import Path

from autograder.grading.intake import copy_files, walk
from autograder.grading.sandbox import folders


class Workplace:
    """A copy of the files in a folder, without notebooks, while it is entered (`with`).

    Only regular files come back at the end, as many and as large as a submission may bring, none of
    them a notebook. Whatever else the kernel made is removed.

    Attributes:
        path: where the kernel works; empty where `folder` is.
    """

    def __init__(self, folder: str):
        self.folder, self.path = folder, ""

    def __enter__(self) -> "Workplace":
        if self.folder:
            self.path = tempfile.mkdtemp(prefix="course-work-")
            self._copy()
        return self

    def __exit__(self, error: type | None, *about: object) -> None:
        try:
            if self.path and error is None:
                folders.open_up(self.path)
                place = Path(self.path)
                copy_files(list(walk(place)), place, Path(self.folder))
        finally:
            if self.path:
                folders.remove(self.path)

    def renew(self) -> None:
        """As it was at first, for a new kernel: the one before may have left it full."""
        if self.path:
            folders.open_up(self.path)
            for entry in Path(self.path).iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    folders.remove(str(entry))
                else:
                    entry.unlink()
            self._copy()

    def _copy(self) -> None:
        source = Path(self.folder)
        copy_files(list(walk(source)), source, Path(self.path))
