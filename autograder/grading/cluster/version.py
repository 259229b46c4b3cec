"""Whether a worker would grade as this machine does: the course's code, Python, the pins."""

import re
import sys
from importlib import metadata

from autograder.grading.keys import code_digest

COURSE = "model-miniaturization-course"
EXTRA = "cluster"


def version() -> dict[str, str]:
    """What decides grades on this machine: by name, a version or a digest."""
    out = {"course code": code_digest(), "Python": sys.version.split()[0]}
    for requirement in metadata.requires(COURSE) or ():
        named, _, marker = requirement.partition(";")
        if "extra" in marker and EXTRA not in marker:
            continue
        name = re.match(r"[\w.-]+", named).group()
        try:
            # One build or another (+cpu, +cu130) of a version is the same version.
            out[name] = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            out[name] = "none"
    return out


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """What differs, as words for a sentence."""
    out = []
    for name in sorted({*here, *there}):
        mine, other = here.get(name, "none"), str(there.get(name, "none"))
        if mine != other:
            digest = len(mine) == 64
            out.append(name if digest else f"{name} ({other[:40]} there, {mine} here)")
    return out
