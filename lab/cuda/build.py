"""From a source to a program that runs one of its kernels."""

import functools
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.cuda import cache, compiler, elf, nvrtc, process, source
from lab.cuda.errors import CompileError, CudaError

COMPILE_WALL_S = 60.0
# What a kernel's object may want: the runtime, memory moves of the compiler's own, mathematics.
KNOWN = re.compile(
    r"course_\w+|_ZN6course\w+|__tsan_\w+|__sanitizer_cov_\w+|_Znwm|mem(cpy|set|move|cmp)|_GLOBAL_OFFSET_TABLE_|"
    r"__[a-z]+[qhsdtx][if][0-9]?|"  # the compiler's own arithmetic: __popcountdi2, __muldc3
    r"(a?(sin|cos|tan)h?|sincos|a?tan2|exp2?|exp10|expm1|log|log2|log10|log1p|logb|ilogb|pow|sqrt|cbrt|hypot|"
    r"fma|fmod|remainder|remquo|fdim|fmin|fmax|fabs|ceil|floor|trunc|l?l?rint|nearbyint|l?l?round|copysign|"
    r"nextafter|ldexp|scalbl?n|frexp|modf|erfc?|[tl]gamma|[jy][01n]|finite|isnan|isinf|signbit)[fl]?|"
    r"__(isnan|isinf|finite|signbit)[fl]?"
)
Runner = Callable[..., Any]  # called as process.run


@dataclass(frozen=True)
class Program:
    """A compiled source.

    Attributes:
        code: the learner's text.
        binary: the program, ELF.
        watch: compiled to be watched.
        kernels: names in its table.
        run: the runner that it was built by, and is to be run by.
    """

    code: str
    binary: bytes
    watch: bool
    kernels: tuple[str, ...]
    run: Runner


def build(
    code: str,
    names: dict[str, str],
    options: tuple[str, ...] = (),
    watch: bool = False,
    run: Runner | None = None,
) -> Program:
    """Compile a source, or take the program from the cache.

    Args:
        names: kernels by the caller's name -> C++ expression.
        run: what runs the compiler; default: process.runner().

    Raises:
        CompileError: the compiler refuses it.
        CudaError: no compiler, an unknown option, a kernel that is not there.
    """
    run = run or process.runner()
    path = compiler.find(watch)
    text = source.translate(code, names)
    command = compiler.kernel_command(path, tuple(options), watch)
    name = cache.key(text, "\0".join(command[1:]), _base(path), run.__name__)

    def make() -> bytes:
        files = {
            **compiler.headers(),
            "kernel.cpp": text.encode(),
            "kernel.cu": code.encode(),
        }
        return _compile(path, command, files, run)

    program = Program(code, cache.get(name, make), watch, tuple(names), run)
    expressions = tuple(n for n in names if n not in source.kernels(code))
    nvrtc.check(code, tuple(options), expressions, run)
    return program


def _compile(path: str, command: list[str], files: dict[str, bytes], run: Runner) -> bytes:
    files = {**files, "runtime.o": runtime(path)}
    done = run(command, files, ["kernel.o", "main"], COMPILE_WALL_S)
    if done.reason:
        raise CompileError(f"The source did not compile: {done.reason}.")
    messages = done.stderr.decode(errors="replace")
    if "kernel.o" not in done.files:
        raise compiler.refuse(messages)
    foreign = _foreign(done.files["kernel.o"])
    if foreign and "main" in done.files:
        raise CompileError(
            f"The source calls `{foreign[0]}`, a function of the host's: a kernel can call device "
            "functions alone."
        )
    if "main" not in done.files:
        raise CompileError(
            "The source compiles, but a function or variable that it names is nowhere defined.",
            compiler.tidy(messages),
        )
    return done.files["main"]


def _foreign(kernel_object: bytes) -> list[str]:
    """Functions that the source takes from the host's libraries, but for those of mathematics."""
    try:
        names = [s.name for s in elf.symbols(kernel_object) if s.name and not s.defined]
    except ValueError:  # no ELF: another system's format
        return []
    return [elf.plain_name(name) for name in names if not KNOWN.fullmatch(name)]


@functools.lru_cache
def runtime(path: str) -> bytes:
    """runtime.o: ours, so compiled without any limits but time."""

    def make() -> bytes:
        done = process.run(
            compiler.runtime_command(path), compiler.runtime_files(), ["runtime.o"], 120.0
        )
        if "runtime.o" not in done.files or done.status:
            text = done.stderr.decode(errors="replace")[:2000]
            raise CudaError(
                f"{path} cannot compile the course's own runtime; is it a whole C++ compiler with "
                f"its library? It says:\n{done.reason or text}"
            )
        return done.files["runtime.o"]

    return cache.get(_base(path), make)


@functools.lru_cache
def _base(path: str) -> str:
    """A name for the compiler, the machine and our own native files."""
    parts = [path, compiler.version(path), platform.machine()]
    parts += [" ".join(compiler.runtime_command(path)[1:])]
    for name, data in {**compiler.headers(), **compiler.runtime_files()}.items():
        parts += [name, data]
    return cache.key(*parts)
