"""A folder of a kernel's own to work in: what it leaves there is read with care, or not at all.

Those who grade write into the autograded folder with their own rights. If the kernel worked there, a
link or a pipe that it leaves in place of a notebook would make them write elsewhere, or wait for ever.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.grading.intake import copy_files, walk
from autograder.grading.sandbox import folders


@contextlib.contextmanager
def own_copy(folder: str) -> Iterator[str]:
    """A copy of the files in `folder`, without notebooks; new and changed files come back at the end.

    Only regular files come back, as many and as large as a submission may bring, none of them a
    notebook. Whatever else the kernel made is removed. folder: empty, and there is none: as it is.
    """
    if not folder:
        yield folder
        return
    place = Path(tempfile.mkdtemp(prefix="course-work-"))
    source = Path(folder)
    try:
        copy_files(list(walk(source)), source, place)
        yield str(place)
        folders.open_up(str(place))
        copy_files(list(walk(place)), place, source)
    finally:
        folders.remove(str(place))
