"""Run a learner's CUDA source for a judge: results and counters, or what went wrong as a finding."""

import copy
import hashlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks import expect
from autograder.checks.spec import Finding, Wrong
from lab.cuda import source as cuda_source
from lab.cuda.arrays import DeviceArray, empty
from lab.cuda.errors import CompileError, CudaError, KernelError
from lab.cuda.findings import Finding as KernelFinding
from lab.cuda.kernel import RawKernel

MOST_CHARS = 50_000
# Launches of late: to name a misconception, the same sources are run on the same cases again.
MOST_KEPT = 512
_kept: OrderedDict[bytes, Any] = OrderedDict()


@dataclass(frozen=True)
class Launch:
    """One launch of a kernel.

    Attributes:
        name: the kernel. grid, block: sizes. args: the arguments in order: ("in", name, array) is
            an array that must not change, ("out", name, array) one that the kernel fills, anything
            else a NumPy scalar. A fourth entry is the element of its allocation that an array begins
            at, for unaligned pointers.
        shared_mem: bytes of dynamic shared memory.
    """

    name: str
    grid: tuple
    block: tuple
    args: tuple
    shared_mem: int = 0
    options: tuple[str, ...] = ()


def source_of(answer: Any) -> str:
    """The answer as CUDA source text."""
    if not isinstance(answer, str):
        expect.wrong(
            "type",
            "Return the kernel's source as a string.",
            yours=expect.kind(answer),
            right="a string",
        )
    expect.that(len(answer) <= MOST_CHARS, f"The source is longer than {MOST_CHARS:,} characters.")
    return answer


def run(answer: Any, launch: Launch) -> dict[str, Any]:
    """Compile and run the source on the CPU, watched.

    Returns:
        the "out" arrays by name; "counters": load and store sectors, requests and bytes of global
        memory, requests and wavefronts of shared memory, bank conflicts, atomics, barriers,
        divergent branches; "loads", "requests" and "sectors": bytes, requests and 32-byte sectors of
        loads by array; "stored": by array, for each lane of block 0's warp 0 the elements that it
        stores, out of the launch's first 64 requests.

    Raises:
        Wrong: it does not compile, or a launch ends with an error; the sentence says where.
    """
    source = source_of(answer)
    what = hashlib.sha256(pickle.dumps((source, launch))).digest()
    if what in _kept:
        result = copy.deepcopy(_kept[what])
        if isinstance(result, Finding):
            raise Wrong(result)
        return result
    try:
        result = _run(source, launch)
    except Wrong as verdict:
        # A process that was stopped might have ended on a less busy machine.
        if not str(verdict.finding.yours).startswith("ended"):
            _keep(what, verdict.finding)
        raise
    _keep(what, copy.deepcopy(result))
    return result


def _keep(what: bytes, result: Any) -> None:
    _kept[what] = result
    if len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)


def _run(source: str, launch: Launch) -> dict[str, Any]:
    arrays, arguments = {}, []
    for value in launch.args:
        if isinstance(value, tuple):
            way, name, array, *begin = value
            start = begin[0] if begin else 0
            whole = empty(array.size + start, array.dtype)
            device = whole[start:].reshape(array.shape)
            device.set(array)
            arrays[name] = (way, array, device)
            arguments.append(device)
        else:
            arguments.append(value)
    try:
        # lab.cuda's own, with a GPU too: CuPy's arrays would be copied, and lose where they begin.
        report = RawKernel(source, launch.name, launch.options).watch(
            launch.grid, launch.block, tuple(arguments), shared_mem=launch.shared_mem
        )
    except CompileError as error:
        expect.wrong("error", _first(error), yours="does not compile", where=_lines(error))
    except KernelError as error:
        found = error.findings[0]
        expect.wrong("error", found.message.splitlines()[0], yours=_mistake(found))
    except CudaError as error:
        expect.wrong("error", _first(error), yours="cannot be launched")
    for name, (way, before, device) in arrays.items():
        if way == "in" and device.get().tobytes() != np.ascontiguousarray(before).tobytes():
            expect.wrong(
                "mutation", f"The kernel writes to its input `{name}`.", yours=f"writes `{name}`"
            )
    results = {name: d.get() for name, (way, _, d) in arrays.items() if way == "out"}
    called = _parameters(source, launch)
    loads = {name: report.select("load", "global", called[name]) for name in arrays}
    return results | {
        "counters": _counters(report),
        "loads": {name: sum(i.bytes for i in rows) for name, rows in loads.items()},
        "requests": {name: sum(i.requests for i in rows) for name, rows in loads.items()},
        "sectors": {name: sum(i.sectors for i in rows) for name, rows in loads.items()},
        "stored": {
            name: _stored(report, called[name], device)
            for name, (way, _, device) in arrays.items()
            if way == "out"
        },
    }


def _mistake(found: KernelFinding) -> str:
    """The mistake with its thread, and what races: two of one kind are seldom the same one."""
    name = f" `{found.name}`" if found.name else ""
    if not found.line or found.kind == "endless":
        return found.kind + name
    race = re.search(
        r"data race: (\w+) .* that (thread \([\d, ]+\)).*? (\w+(?: too)?), and ", found.message
    )
    does = f" {race[1]}, {race[2]} {race[3]}" if race else ""
    return f"{found.kind}{name}, block {found.block}, thread {found.thread}{does}"


def _parameters(source: str, launch: Launch) -> dict[str, str]:
    """What the learner's own signature calls each array: reports use those names."""
    found = cuda_source.kernels(source).get(launch.name)
    names = found.parameters if found else ()
    return {
        value[1]: (names[i] if i < len(names) else "") or f"argument {i + 1}"
        for i, value in enumerate(launch.args)
        if isinstance(value, tuple)
    }


def _counters(report: Any) -> dict[str, int]:
    loads, stores = report.select("load", "global"), report.select("store", "global")
    shared = report.select(space="shared")
    return {
        "load_requests": sum(i.requests for i in loads),
        "load_sectors": sum(i.sectors for i in loads),
        "load_bytes": sum(i.bytes for i in loads),
        "store_requests": sum(i.requests for i in stores),
        "store_sectors": sum(i.sectors for i in stores),
        "store_bytes": sum(i.bytes for i in stores),
        "shared_requests": sum(i.requests for i in shared),
        "shared_wavefronts": sum(i.wavefronts for i in shared),
        "bank_conflicts": report.bank_conflicts,
        "shared_load_requests": sum(i.requests for i in report.select("load", "shared")),
        "atomics": report.atomics,
        "global_atomics": sum(i.lanes for i in report.select("atomic", "global")),
        "barriers": report.barriers,
        "divergent_branches": report.divergent_branches,
    }


def _stored(report: Any, name: str, array: DeviceArray) -> list[list[int]]:
    lanes: list[list[int]] = [[] for _ in range(32)]
    for access in report.trace:
        if (access.kind, access.space, access.name) != ("store", "global", name):
            continue
        many = max(1, access.size_bytes // array.itemsize)
        for lane, offset in enumerate(access.offsets):
            if offset is not None:
                first = (offset - array.offset) // array.itemsize
                lanes[lane] += range(first, first + many)
    return lanes


def own_elements(
    answer: dict[str, Any], name: str, wanted: Callable[[int], list[int]], message: str
) -> None:
    """Judge that each lane of block 0's warp 0 stores its own elements of an array.

    wanted: lane -> indices in the flat array, in any order.
    """
    for lane, stored in enumerate(answer["stored"][name]):
        mine, own = sorted(set(stored)), sorted(wanted(lane))
        expect.that(
            mine == own,
            message,
            yours=f"thread {lane} of block 0 writes {_elements(name, mine)}",
            right=f"thread {lane} of block 0 writes {_elements(name, own)}",
        )


def _elements(name: str, indices: list[int]) -> str:
    shown = ", ".join(f"{name}[{i}]" for i in indices[:4])
    return (shown or "nothing") + (", ..." if len(indices) > 4 else "")


def at_most(counters: dict[str, int], counter: str, most: int, message: str) -> None:
    """Judge one counter: a finding when it is above `most`."""
    what = counter.replace("_", " ")
    expect.that(
        counters[counter] <= most,
        message,
        yours=f"{counters[counter]:,} {what}",
        right=f"{most:,} {what}" if most else f"no {what}",
    )


def written_once(counters: dict[str, int], count: int, message: str, item_bytes: int = 1) -> None:
    """Judge that global memory was written `count` times, items of `item_bytes` bytes."""
    stored = counters["store_bytes"] // item_bytes
    expect.that(stored == count, message, yours=f"{stored} writes", right=f"{count} writes")


def launched_once(launches: list, size: int, blocks: int, message: str) -> None:
    """Judge recorded launches of an array of `size` elements: one of `blocks` blocks of 256 threads.

    launches: [grid, block, ...] each. None is wanted where size is 0; message: the sentence for a wrong
    number of blocks.
    """
    wanted = int(size > 0)
    expect.that(
        len(launches) == wanted,
        "Launch the kernel once, and not at all for an empty array.",
        yours=f"{len(launches)} launches",
        right=f"{wanted} launches",
    )
    if not launches:
        return
    grid, block = launches[0][:2]
    _one_dimension(block, 256, "Launch blocks of 256 threads.")
    _one_dimension(grid, blocks, message)


def _one_dimension(sizes: list, wanted: int, message: str) -> None:
    expect.that(
        sizes[0] == wanted and all(v == 1 for v in sizes[1:]),
        message,
        yours=str(tuple(sizes)),
        right=f"({wanted},)",
    )


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]


def _lines(error: Exception) -> str:
    """The compiler's own message, shortened."""
    rest = [line for line in str(error).splitlines()[1:] if line.strip()]
    return " ".join(rest[:2])[:300]
