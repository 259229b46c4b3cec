"""One launch: arguments written for the program, the program run, its findings and counters read."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.cuda import elf, findings, process
from lab.cuda.arrays import DeviceArray
from lab.cuda.build import Program
from lab.cuda.errors import CudaError, KernelError
from lab.cuda.report import Report

PAGE = 4096
CPU_S, WALL_S, MEMORY_MB = 10, 30.0, 8192
# CUDA C++ Programming Guide, "Compute Capabilities", technical specifications.
MOST_THREADS, MOST_BLOCK, MOST_GRID = 1024, (1024, 1024, 64), (2**31 - 1, 65535, 65535)
SHARED_BYTES, MOST_SHARED_BYTES = 48 * 1024, 227 * 1024


@dataclass(frozen=True)
class Job:
    """What is asked of a program.

    Attributes:
        name: the kernel, as in the program's table.
        title: the kernel's name in messages.
        names: its parameters' names.
        symbols: contents of the module's variables by name, hexadecimal.
    """

    program: Program
    name: str
    title: str
    names: tuple[str, ...]
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    args: tuple
    shared_mem: int
    symbols: dict[str, str]


def dimensions(value: Any, what: str, most: tuple[int, ...]) -> tuple[int, int, int]:
    """One to three sizes as three.

    Raises:
        CudaError: no tuple of one to three integers, or a size that no GPU takes.
    """
    sizes = tuple(value) if isinstance(value, tuple | list) else (value,)
    good = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in sizes)
    if not good or not 1 <= len(sizes) <= 3:
        raise CudaError(f"{what} must be a tuple of one to three integers, not {value!r}.")
    sizes = tuple(int(n) for n in sizes) + (1,) * (3 - len(sizes))
    for axis, n, limit in zip("xyz", sizes, most, strict=True):
        if not 1 <= n <= limit:
            raise CudaError(f"{what} {value!r} has {n} in {axis}; it takes 1 to {limit:,}.")
    return sizes


def check_block(block: tuple[int, int, int]) -> None:
    """Raise CudaError for more threads than a block takes."""
    if (threads := block[0] * block[1] * block[2]) > MOST_THREADS:
        raise CudaError(
            f"A block of {block} has {threads:,} threads; {MOST_THREADS:,} is the most."
        )


def perform(job: Job) -> Report | None:
    """Run the launch. Arrays change in place. Returns the report of a watched program.

    Raises:
        KernelError: the kernel did something wrong, crashed or did not end.
        CudaError: an argument does not fit the kernel.
    """
    memories, lines = _arguments(job)
    text, memory = _written(job, memories, lines)
    files = {"main": job.program.binary, "launch.txt": text.encode(), "memory.bin": memory}
    done = job.program.run(["./main"], files, ["result.json", "memory.bin"], WALL_S)
    result = _result(job, done)
    offset = 0
    data = np.frombuffer(done.files.get("memory.bin", b""), np.uint8)
    for root in memories:
        if data.size >= offset + root.size:
            root[...] = data[offset : offset + root.size]
        offset += _padded(root.size)
    try:
        found, report = _read(result, job, memories)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        # Written by the process that ran the kernel, which may have done anything.
        why = (
            f"The kernel `{job.title}` left a result that cannot be read ({type(error).__name__})."
        )
        raise KernelError([findings.Finding("ended", why)]) from error
    if found and found[0].kind == "argument":
        raise CudaError(found[0].message)
    if found:
        raise KernelError(found, report)
    return report


def _read(result: dict, job: Job, memories) -> tuple[list[findings.Finding], Report | None]:
    """Findings and report of a result; what the kernel printed goes to stdout, but for a judge."""
    for name, data in dict(result["symbols"]).items():
        bytes.fromhex(data)
        job.symbols[name] = data
    if job.program.run is process.run:
        print(str(result["printed"]), end="")
    buffers = _buffer_names(job, memories)
    found = findings.read(result["findings"], job, memories, buffers)
    report = Report.read(result, job, buffers, found) if job.program.watch else None
    return found, report


def _padded(size: int) -> int:
    return max(PAGE, -(-size // PAGE) * PAGE)


def _arguments(job: Job) -> tuple[list[np.ndarray], list[str]]:
    """Allocations in order of their first use, and a line for each argument."""
    memories: list[np.ndarray] = []
    lines = []
    for position, value in enumerate(job.args):
        if isinstance(value, DeviceArray):
            at = next((i for i, m in enumerate(memories) if m is value._memory), None)
            if at is None:
                at = len(memories)
                memories.append(value._memory)
            kind = value.dtype.kind if value.dtype.kind in "iufb" else "o"
            lines.append(f"array {at} {value.offset} {kind} {value.itemsize}")
        elif value is None:
            lines.append("null")
        else:
            lines.append(_scalar(job, position, value))
    return memories, lines


def _scalar(job: Job, position: int, value: Any) -> str:
    if isinstance(value, np.ndarray):
        raise CudaError(
            f"{findings.argument_name(job, position)} is a NumPy array, in the host's memory: "
            "copy it to the device first with cuda.asarray(x)."
        )
    # As CuPy passes Python's own numbers.
    if isinstance(value, bool):
        value = np.bool_(value)
    elif isinstance(value, int):
        value = np.int64(value)
    elif isinstance(value, float):
        value = np.float64(value)
    if not isinstance(value, np.generic):
        raise CudaError(
            f"{findings.argument_name(job, position)} is of type {type(value).__name__}: pass a device "
            "array or a NumPy scalar such as np.int32(n)."
        )
    kind = value.dtype.kind if value.dtype.kind in "iufb" else "o"
    return f"scalar {kind} {value.tobytes().hex() or '-'}"


def _written(job: Job, memories, lines) -> tuple[str, np.ndarray]:
    text = [
        f"limit {CPU_S} {MEMORY_MB}",
        f"kernel {job.name}",
        "grid {} {} {}".format(*job.grid),
        "block {} {} {}".format(*job.block),
        f"shared {job.shared_mem}",
        f"watch {int(job.program.watch)}",
    ]
    items = {}
    for value in job.args:
        if isinstance(value, DeviceArray):
            items.setdefault(id(value._memory), value.itemsize)
    offset = 0
    for root in memories:
        text.append(f"buffer {offset} {root.size} {items[id(root)]}")
        offset += _padded(root.size)
    memory = np.zeros(offset, np.uint8)
    offset = 0
    for root in memories:
        memory[offset : offset + root.size] = root
        offset += _padded(root.size)
    text += [f"guard {start} {size}" for start, size in elf.guards(job.program.binary)]
    text += [f"gap {start} {size}" for start, size in elf.shared_gaps(job.program.binary)]
    text += [f"symbol {name} {data}" for name, data in job.symbols.items()]
    return "\n".join([*text, *lines, ""]), memory


def _result(job: Job, done: Any) -> dict:
    try:
        return json.loads(done.files["result.json"])
    except (KeyError, ValueError, RecursionError):
        pass
    if done.reason:
        why = f"The kernel `{job.title}` was stopped: {done.reason}; does a loop never end?"
    else:
        said = done.stderr.decode(errors="replace").strip()[:300]
        why = (
            f"The kernel `{job.title}` ended its process (status {done.status}) {said}".rstrip()
            + "."
        )
    raise KernelError([findings.Finding("ended", why)])


def _buffer_names(job: Job, memories) -> list[str]:
    """For each allocation the name of the first parameter that points into it."""
    names = ["" for _ in memories]
    for position, value in enumerate(job.args):
        if isinstance(value, DeviceArray):
            at = next(i for i, m in enumerate(memories) if m is value._memory)
            names[at] = names[at] or findings.parameter(job, position)
    return names
