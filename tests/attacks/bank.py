"""The attacks by name. `@attack` enters a function; `load()` imports every module of the bank."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

MODULES = (
    "patched_judging",
    "returned_data",
    "ipython_hooks",
    "expected_values",
    "reading",
    "writing",
    "own_folder",
    "kernel_channel",
    "examiner_requests",
    "processes",
    "resources",
    "endless",
    "notebook_cells",
    "submitted_files",
    "environment_and_network",
    "next_submission",
)
# Groups whose course has each exercise in a notebook, and so in a kernel, of its own.
APART = ("own_folder", "submitted_files", "next_submission")
BARE = {
    "stock": "stock nbgrader, its own Execute, no sandbox",
    "open": "the examiner without the sandbox",
}


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes:
        name: words joined by hyphens; the student's id in the class.
        tries: one sentence.
        group: the module's name.
        build: puts the attack into a Handin.
        answers: the honest answers below it: "wrong", "half" (the first is right) or "right". The
            same answers without an attack are graded beside it.
        bare: a key of BARE: where it is also run without the defence, to see that it would work.
        never: why there is no such run.
    """

    name: str
    tries: str
    group: str
    build: Callable
    answers: str = "wrong"
    bare: str = ""
    never: str = ""


_found: dict[str, Attack] = {}


def attack(answers: str = "wrong", bare: str = "", never: str = "") -> Callable:
    """Enter a function in the bank. Give `bare`, or `never` with the reason."""

    def enter(build: Callable) -> Callable:
        name = build.__name__.replace("_", "-")
        if bool(bare) == bool(never) or (bare and bare not in BARE):
            raise ValueError(f"{name}: say where it runs bare, or why never.")
        if name in _found:
            raise ValueError(f"two attacks are called {name}")
        tries = " ".join(build.__doc__.split())
        group = build.__module__.rpartition(".")[2]
        _found[name] = Attack(name, tries, group, build, answers, bare, never)
        return build

    return enter


def load() -> dict[str, Attack]:
    """All attacks by name, module by module."""
    for module in MODULES:
        importlib.import_module(f"attacks.{module}")
    order = {name: place for place, name in enumerate(MODULES)}
    return dict(sorted(_found.items(), key=lambda pair: order[pair[1].group]))
