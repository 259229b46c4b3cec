"""See every memory access of an interpreted Triton kernel: bounds, bytes and sectors."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lab.errors import CourseError
from lab.triton_setup import is_interpreted

SECTOR_BYTES = 32
# What a masked lane holds when tl.load has no `other`: on a GPU anything, in Triton's interpreter 0.
UNDEFINED = 77


class OutOfBounds(CourseError):
    """A kernel read or wrote where no buffer is."""


@dataclass
class Traffic:
    """What a kernel asked of one buffer.

    Attributes:
        requests: calls of tl.load or tl.store in a program that touched at least one element.
        elements, bytes: that were asked for; masked lanes count nothing.
        sectors: 32-byte pieces of memory touched, summed over requests.
        programs: that touched at least one element.
    """

    requests: int = 0
    elements: int = 0
    bytes: int = 0
    sectors: int = 0
    programs: set[tuple[int, int, int]] = field(default_factory=set)

    @property
    def sector_bytes(self) -> int:
        """Bytes that the memory moves for these requests without a cache: whole sectors."""
        return self.sectors * SECTOR_BYTES


@dataclass
class Watch:
    """Loads and stores by buffer name, filled while `watch` is active.

    outside: (buffer nearest, element index, "read" or "write", program) of accesses out of bounds
    that were let pass; empty where `watch` stops at the first.
    """

    loads: dict[str, Traffic] = field(default_factory=dict)
    stores: dict[str, Traffic] = field(default_factory=dict)
    outside: list[tuple[str, int, str, tuple[int, int, int]]] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [("read", k, t) for k, t in self.loads.items()]
        rows += [("written", k, t) for k, t in self.stores.items()]
        lines = [f"{'':8s} {'buffer':10s}{'requests':>9s}{'bytes':>12s}{'in sectors':>12s}"]
        lines += [
            f"{way:8s} {name:10s}{t.requests:9,}{t.bytes:12,}{t.sector_bytes:12,}"
            for way, name, t in rows
        ]
        lines += [f"out of bounds: {len(self.outside)} accesses"] if self.outside else []
        return "\n".join(lines)


@contextlib.contextmanager
def watch(stop: bool = True, **buffers: Any) -> Iterator[Watch]:
    """Record the accesses of every kernel that runs in this `with` block.

    A masked lane of a load without `other` holds UNDEFINED.

    Args:
        stop: raise OutOfBounds at the first access outside all buffers. False: note it, read 0
            there, write nothing.
        buffers: name: torch tensor on the CPU, in one piece. The kernels may touch these and no others.

    Raises:
        CourseError: Triton compiles in this process, or a tensor is not on the CPU or not contiguous.
        OutOfBounds: see `stop`.
    """
    from triton.runtime import interpreter

    if not is_interpreted():
        raise CourseError("watch sees interpreted kernels only: compiled ones belong to Nsight.")
    for name, tensor in buffers.items():
        if tensor.device.type != "cpu" or not tensor.is_contiguous():
            raise CourseError(f"{name} must be a contiguous tensor on the CPU to be watched.")
    seen, builder = Watch(), interpreter.InterpreterBuilder
    accesses = _Accesses(seen, buffers, stop)
    kept = {name: getattr(builder, name) for name in ("create_masked_load", "create_masked_store")}

    def load(self, ptrs, mask, other, *rest):
        good = accesses.note("read", ptrs, mask.data, self.grid_idx)
        other = _undefined(interpreter, ptrs, mask) if other is None else other
        masked = _masked(interpreter, mask, good)
        return kept["create_masked_load"](self, ptrs, masked, other, *rest)

    def store(self, ptrs, value, mask, *rest):
        good = accesses.note("write", ptrs, mask.data, self.grid_idx)
        return kept["create_masked_store"](
            self, ptrs, value, _masked(interpreter, mask, good), *rest
        )

    builder.create_masked_load, builder.create_masked_store = load, store
    try:
        yield seen
    except interpreter.InterpreterError as error:
        found = _found(error)
        if found is error:
            raise
        raise found from None
    finally:
        for name, function in kept.items():
            setattr(builder, name, function)


def _found(error: BaseException) -> BaseException:
    """Our own finding inside the interpreter's error, which names the line; else the error itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OutOfBounds):
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _masked(interpreter: Any, mask: Any, good: np.ndarray) -> Any:
    return interpreter.TensorHandle(
        np.asarray(good, dtype=bool).reshape(mask.data.shape), mask.dtype
    )


def _undefined(interpreter: Any, ptrs: Any, mask: Any) -> Any:
    kind = ptrs.get_element_ty()
    data = np.where(np.broadcast_to(mask.data, np.shape(ptrs.data)), 0, UNDEFINED)
    return interpreter.TensorHandle(data.astype(interpreter._get_np_dtype(kind)), kind)


class _Accesses:
    """Sorts addresses into buffers."""

    def __init__(self, seen: Watch, buffers: dict[str, Any], stop: bool):
        self.seen, self.stop = seen, stop
        self.names = list(buffers)
        self.starts = np.array([t.data_ptr() for t in buffers.values()], np.int64)
        self.sizes = np.array([t.numel() * t.element_size() for t in buffers.values()], np.int64)

    def note(self, way: str, ptrs: Any, mask: np.ndarray, program: Any) -> np.ndarray:
        """Count one request; which of its lanes may go to memory, bool of the mask's shape."""
        item = max(1, ptrs.get_element_ty().primitive_bitwidth // 8)
        asked = np.atleast_1d(mask).astype(bool)
        addresses = np.broadcast_to(np.atleast_1d(ptrs.data), asked.shape).astype(np.int64)
        inside = np.zeros(asked.shape, bool)
        side = self.seen.loads if way == "read" else self.seen.stores
        for name, start, size in zip(self.names, self.starts, self.sizes, strict=True):
            here = asked & (addresses >= start) & (addresses + item <= start + size)
            inside |= here
            if here.any():
                traffic = side.setdefault(name, Traffic())
                traffic.programs.add(tuple(program))
                _count(traffic, addresses[here], item)
        if (asked & ~inside).any():
            self._outside(way, addresses[asked & ~inside], item, program)
        return inside

    def _outside(self, way: str, addresses: np.ndarray, item: int, program: Any) -> None:
        for address in addresses:
            gaps = np.maximum(self.starts - address, address + item - self.starts - self.sizes)
            near = int(np.argmin(gaps))
            index = int(address - self.starts[near]) // item
            if self.stop:
                length = int(self.sizes[near]) // item
                raise OutOfBounds(
                    f"Program {tuple(program)} would {way} element {index} of `{self.names[near]}`, "
                    f"which has {length}: mask the lanes that lie outside."
                )
            self.seen.outside.append((self.names[near], index, way, tuple(program)))


def _count(traffic: Traffic, addresses: np.ndarray, item: int) -> None:
    traffic.requests += 1
    traffic.elements += addresses.size
    traffic.bytes += addresses.size * item
    ends = np.stack([addresses, addresses + item - 1]) // SECTOR_BYTES
    traffic.sectors += np.unique(ends).size
