"""NVIDIA's own compiler as a second opinion: every source for sm_80 and sm_90, where NVRTC is installed.

It needs no GPU and no driver: `pip install -e .[nvrtc]`.
"""

import functools
import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cuda import cache
from lab.cuda.errors import CompileError, CudaError
from lab.cuda.occupancy import RESERVED_BYTES
from lab.optional import require

ARCHITECTURES = ("sm_80", "sm_90")
WALL_S = 120.0
REMEDY = "pip install -e .[nvrtc]"
USAGE = re.compile(r"Function (\S+):\s*REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)")


@dataclass(frozen=True)
class Resources:
    """What one kernel takes on one architecture (cuobjdump --dump-resource-usage).

    Attributes:
        registers: of a thread, 32 bits each.
        shared_bytes: static shared memory of a block, without what the driver reserves.
        local_bytes: of a thread in local memory: arrays with computed indices, spilled registers.
    """

    registers: int
    shared_bytes: int
    local_bytes: int


@functools.cache
def installed() -> bool:
    """Whether NVRTC's wheels are here."""
    try:
        return importlib.util.find_spec("cuda.bindings.nvrtc") is not None and bool(_library())
    except ModuleNotFoundError:
        return False


def _library() -> str | None:
    spec = importlib.util.find_spec("nvidia")
    places = list(spec.submodule_search_locations or []) if spec else []
    return next((str(p) for place in places for p in Path(place).glob("*/lib/libnvrtc.so*")), None)


def _headers() -> list[str]:
    """-I options for CUDA's own headers (cuda_fp16.h), from nvidia-cuda-runtime."""
    library = _library()
    folder = Path(library).parents[1] / "include" if library else None
    return [f"-I{folder}"] if folder and (folder / "cuda_fp16.h").is_file() else []


def _tool() -> str:
    """cuobjdump: on PATH, or beside this interpreter."""
    beside = Path(sys.executable).with_name("cuobjdump")
    if beside.is_file():
        return str(beside)
    library = _library()
    inside = Path(library).parents[1] / "bin" / "cuobjdump" if library else None
    if inside and inside.is_file():
        return str(inside)
    return shutil.which("cuobjdump") or ""


def check(
    code: str, options: tuple[str, ...], names: tuple[str, ...], run: Callable[..., Any]
) -> None:
    """Raise CompileError when NVRTC refuses the source; nothing where it is not installed."""
    if installed():
        _compile(code, options, names, run)


def resources(
    code: str,
    name: str,
    arch: str = "sm_80",
    options: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    run: Callable[..., Any] | None = None,
) -> Resources:
    """Registers and memory of one kernel.

    Args:
        name: the kernel, or one of `names`.
        arch: sm_80 or sm_90.
        names: the module's name expressions.

    Raises:
        CourseError: NVRTC or cuobjdump is not installed.
        CompileError: NVRTC refuses the source.
        CudaError: no such kernel or architecture.
    """
    from lab.cuda import process

    require("cuda.bindings", "registers and shared memory of a kernel", REMEDY)
    if not installed() or not _tool():
        raise CudaError(f"NVRTC and cuobjdump are needed for registers of a kernel: `{REMEDY}`.")
    result = _compile(code, tuple(options), tuple(names), run or process.runner())
    if arch not in result["usage"]:
        raise CudaError(f"No such architecture here: {arch!r}; choose from {ARCHITECTURES}.")
    wanted = result["names"].get(name, name)
    for found, registers, stack, shared, local in USAGE.findall(result["usage"][arch]):
        if found == wanted:
            # From sm_90 on, the figure holds what the driver reserves in a block that uses any.
            reserved = RESERVED_BYTES if int(arch[3:]) >= 90 and int(shared) else 0
            return Resources(int(registers), int(shared) - reserved, int(stack) + int(local))
    raise CudaError(f"The compiled source has no kernel `{name}`.")


def _compile(code: str, options, names, run) -> dict:
    """result.json of nvrtc_program.py, from the cache where it is."""
    child = Path(__file__).with_name("nvrtc_program.py").read_bytes()
    request = {
        "archs": ARCHITECTURES,
        "options": [*_headers(), *(word for option in options for word in option.split())],
        "names": names,
        "tool": _tool(),
    }
    text = json.dumps(request)
    name = cache.key(code, text, child, _version(), run.__name__)

    def make() -> bytes:
        files = {"kernel.cu": code.encode(), "request.json": text.encode(), "program.py": child}
        done = run([sys.executable, "-I", "program.py"], files, ["result.json"], WALL_S)
        if "result.json" not in done.files:
            said = done.reason or done.stderr.decode(errors="replace").strip()[-400:]
            raise CompileError(f"NVRTC could not compile the source: {said}")
        return done.files["result.json"]

    result = json.loads(cache.get(name, make))
    if result["arch"]:
        log = result["log"]
        first = re.search(r"kernel\.cu\((\d+)\): (?:catastrophic )?error: (.*)", log)
        where = f" in line {first[1]}: {first[2]}" if first else ""
        if "cannot open source file" in where:
            where += ". It has none of the host's headers: leave the #include out"
        raise CompileError(
            f"NVIDIA's compiler (NVRTC) refuses the source for {result['arch']}{where}", log
        )
    return result


@functools.cache
def _version() -> str:
    from importlib import metadata

    return metadata.version("cuda-bindings") + (_library() or "")
