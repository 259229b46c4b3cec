"""Folders that a learner's code wrote: walked and removed however deep, long or closed they are.

os.walk and shutil.rmtree call themselves for each level (CPython 3.11), so a thousand nested folders
would end the caller.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator

MOST_DEPTH = 64


class TooDeep(Exception):
    """Folders are nested deeper than MOST_DEPTH."""


def walk(top: str) -> Iterator[os.DirEntry]:
    """Everything below a folder; links are not followed, what cannot be opened is passed over.

    Raises:
        TooDeep: there are more levels than MOST_DEPTH; what is above has been given.
    """
    waiting = [(top, 0)]
    deeper = False
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                for entry in listing:
                    yield entry
                    if entry.is_dir(follow_symlinks=False):
                        deeper = deeper or depth == MOST_DEPTH
                        if depth < MOST_DEPTH:
                            waiting.append((entry.path, depth + 1))
        except OSError:
            continue
    if deeper:
        raise TooDeep


def remove(folder: str) -> None:
    """Remove a folder and all in it. What cannot be removed stays, without an error."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        # Folders without permissions, or nested without end: rm walks without recursion.
        open_up(folder)
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)


def open_up(folder: str) -> None:
    """Rights for the owner on all that is there. chmod walks without recursion, and past links."""
    command = ["chmod", "-R", "u+rwX", "--", folder]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
