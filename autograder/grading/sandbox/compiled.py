"""C and C++ of a learner's: compiled by the host's compiler in the sandbox, then run in another one."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from autograder.grading.sandbox import program
from autograder.grading.sandbox.policy import Limits
from autograder.grading.sandbox.program import Ended

COMPILE_LIMITS = Limits(
    wall_s=120, cpu_s=60, memory_mb=2048, processes=32, file_mb=16, disk_mb=128, open_files=256
)
# By language: the source's name, the variable that names a compiler, and compilers to look for.
LANGUAGES = {
    "c": ("main.c", "CC", ("gcc", "clang", "cc")),
    "c++": ("main.cpp", "CXX", ("g++", "clang++", "c++")),
}
PROGRAM = "main"


class NoCompiler(RuntimeError):
    """This machine has no compiler for the language; one sentence that says what to install."""


@dataclass(frozen=True)
class Built:
    """A compilation and, when it succeeded, the program's run (else None)."""

    compilation: Ended
    run: Ended | None

    @property
    def good(self) -> bool:
        """Whether it compiled, and ran to its end with status 0."""
        return self.run is not None and self.run.good


def compiler(language: str) -> str:
    """The path of the host's compiler. Raises NoCompiler, and ValueError for another language."""
    if language not in LANGUAGES:
        raise ValueError(f"No language is called {language!r}: choose from {', '.join(LANGUAGES)}.")
    _, variable, names = LANGUAGES[language]
    for name in filter(None, (os.environ.get(variable), *names)):
        if found := shutil.which(name):
            return found
    raise NoCompiler(f"There is no compiler for {language} here: install {names[0]}.")


def compile_source(
    source: str | bytes,
    language: str = "c++",
    *,
    flags: Iterable[str] = ("-O2",),
    headers: Mapping[str, bytes] | None = None,
    limits: Limits = COMPILE_LIMITS,
    **options: Any,
) -> tuple[Ended, bytes | None]:
    """Compile one source, with `headers` beside it. Returns the run and the program, None without one.

    The compiler's messages are in stderr. options: as for program.run. Raises as it does, and
    NoCompiler.
    """
    name = LANGUAGES.get(language, ("",))[0]
    argv = [compiler(language), *flags, name, "-o", PROGRAM]
    text = source.encode() if isinstance(source, str) else source
    files = {**(headers or {}), name: text}
    done = program.run(argv, files, outputs=[PROGRAM], limits=limits, **options)
    return done, done.files.get(PROGRAM) if done.good else None


def compile_and_run(
    source: str | bytes,
    language: str = "c++",
    *,
    arguments: Iterable[str] = (),
    files: Mapping[str, bytes] | None = None,
    outputs: Iterable[str] = (),
    flags: Iterable[str] = ("-O2",),
    headers: Mapping[str, bytes] | None = None,
    compile_limits: Limits = COMPILE_LIMITS,
    limits: Limits = program.LIMITS,
    **options: Any,
) -> Built:
    """Compile a source and run the program with `arguments` and input `files`. See program.run."""
    done, binary = compile_source(
        source, language, flags=flags, headers=headers, limits=compile_limits, **options
    )
    # The program comes back once, in the compilation's place in memory only.
    done = replace(done, files={})
    if binary is None:
        return Built(done, None)
    argv = [f"./{PROGRAM}", *arguments]
    given = {**(files or {}), PROGRAM: binary}
    return Built(done, program.run(argv, given, outputs=outputs, limits=limits, **options))
