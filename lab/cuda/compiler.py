"""The host's C++ compiler: found, described, and called to make one program of a source."""

import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from lab.cuda.errors import CompileError, CudaError
from lab.cuda.source import FILE, OWN

NATIVE = Path(__file__).with_name("native")
NONE_HERE = "CUDA on the CPU needs a C++ compiler, and there is none here"
CANDIDATES = ("g++", "clang++", "c++")
# As a GPU computes: signed integers wrap, types may be read as others, no a*b+c is contracted.
SEMANTICS = (
    "-std=c++17",
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fno-delete-null-pointer-checks",  # code after such an access is not dropped
    "-fsigned-char",
    "-ffp-contract=off",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fno-pie",
    "-fno-stack-protector",
    "-fstack-clash-protection",
    "-fno-asynchronous-unwind-tables",
    "-w",
    "-g1",
    "-gdwarf-4",
)
PLAIN = ("-O2",)
# Each load and store of the source stays one, in the order of the source.
WATCHED = (
    "-O1",
    "-fsanitize=thread",
    "-fsanitize-coverage=trace-pc",
    "-fno-tree-sra",  # a vector is loaded whole, also where only its parts are used
    "-fno-reorder-blocks",  # code in the source's order: lanes meet behind a branch
    "-fno-jump-tables",
    "-fno-tree-sink",  # a quotient is computed where the source does, not inside a branch
)
_OPTION = re.compile(r"-D\w+(=[^\s]*)?|-U\w+|--?std=c\+\+(14|17|20)")
_IGNORED = re.compile(
    r"--?(use_fast_math|lineinfo|G|device-debug|restrict|extra-device-vectorization|"
    r"default-device|dopt=\w+|maxrregcount=\d+|ftz=\w+|fmad=\w+|prec-div=\w+|prec-sqrt=\w+|"
    r"gpu-architecture=\w+|arch=\w+)"
)


@functools.cache
def find(watch: bool = False) -> str:
    """The path of the compiler: $CXX, g++, clang++ or c++, the first that there is.

    Args:
        watch: for a watched kernel, which takes GCC: clang splits the accesses of vector types.

    Raises:
        CudaError: there is none, or this is no Linux; the sentence says what to install.
    """
    if not sys.platform.startswith("linux"):
        raise CudaError(
            "CUDA on the CPU runs on Linux: use the Windows Subsystem for Linux, or a Linux container."
        )
    names = filter(None, (os.environ.get("CXX"), *CANDIDATES))
    paths = list(dict.fromkeys(filter(None, map(shutil.which, names))))
    fitting = [path for path in paths if not (watch and is_clang(path))]
    if fitting:
        return fitting[0]
    what = "Watching a kernel needs GCC, and there is only clang here" if paths else NONE_HERE
    raise CudaError(f"{what}: install the package g++ (apt install g++; dnf install gcc-c++).")


@functools.cache
def version(path: str) -> str:
    """The compiler's own description."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    return done.stdout.strip() or done.stderr.strip()


def is_clang(path: str) -> bool:
    """Whether it is a clang, by whatever name."""
    return "clang" in version(path)


def host_options(options: tuple[str, ...]) -> list[str]:
    """Of NVRTC's options, those that mean something to the host's compiler.

    Raises:
        CudaError: an option that is not known here.
    """
    kept, words = [], [word for option in options for word in str(option).split()]
    for word in words:
        if _OPTION.fullmatch(word):
            kept.append(word.replace("--std", "-std"))
        elif not _IGNORED.fullmatch(word):
            raise CudaError(
                f"The compiler option {word!r} is not known here: use -DNAME=VALUE and -std=c++17."
            )
    return kept


def kernel_command(path: str, options: tuple[str, ...], watch: bool) -> list[str]:
    """argv that compiles kernel.cpp to kernel.o, and that with runtime.o to main, in the working folder."""
    mode = WATCHED if watch else PLAIN
    source = ["-I.", "-c", "kernel.cpp", "-o", "kernel.o"]
    first = [path, *SEMANTICS, *mode, *host_options(options), *source]
    # Apart from the compilation: with its option, the sanitizer's library would be linked, and its
    # functions are the runtime's.
    second = [path, "-no-pie", "kernel.o", "runtime.o", "-o", "main"]
    return ["/bin/sh", "-c", f"{shlex.join(first)} && {shlex.join(second)}"]


def runtime_command(path: str) -> list[str]:
    """argv that compiles the runtime to runtime.o."""
    semantics = [flag for flag in SEMANTICS if flag != "-g1"]
    return [path, *semantics, "-O2", "-I.", "-c", "all.cpp", "-o", "runtime.o"]


def headers() -> dict[str, bytes]:
    """What a source may include, by plain name."""
    return {path.name: path.read_bytes() for path in sorted(NATIVE.glob("*.h"))}


def runtime_files() -> dict[str, bytes]:
    """The runtime's sources, by plain name."""
    return {
        path.name: path.read_bytes()
        for path in sorted((NATIVE / "runtime").iterdir())
        if path.suffix in (".h", ".cpp")
    }


def tidy(messages: str) -> str:
    """The compiler's errors in the learner's file, without our own headers' lines."""
    lines = [line for line in messages.splitlines() if "In file included from" not in line]
    errors = [i for i, line in enumerate(lines) if re.match(rf"{FILE}:\d+", line)]
    kept = lines[errors[0] :] if errors else lines
    text = re.sub(r"/\S*/(kernel\.(?:cu|cpp))", r"\1", "\n".join(kept[:20]))
    return text.replace("thread_local ", "__shared__ ").replace(OWN, "")


def refuse(messages: str) -> CompileError:
    """The error for a source that does not compile."""
    first = re.search(rf"{FILE}:(\d+)(?::\d+)?: (?:fatal )?error: (.*)", messages)
    other = re.search(r"error: (?:static assertion failed: )?(.*)", messages)
    # An error inside a macro of ours: the learner's line comes in a note.
    used = re.search(rf"{FILE}:(\d+):\d+: note: in expansion of macro", messages)
    if not first and "'namespace' definition is not allowed here" in messages:
        where = ": a brace { is never closed"
    elif first:
        where = f" in line {first[1]}: {first[2].replace(OWN, '')}"
    elif other:
        where = f" in line {used[1]}: {other[1]}" if used else f": {other[1]}"
    else:
        where = "; the compiler says:"
    theirs = first or used or not other  # our own headers' lines say nothing to a learner
    return CompileError(
        f"The CUDA source does not compile{where}", tidy(messages) if theirs else ""
    )
