"""The kernels of counted_kernels.cu with a launch of each, and what theory says that is counted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

CODE = Path(__file__).with_suffix(".cu").read_text(encoding="utf-8")
N, SIDE, BLOCK = 4096, 128, 256


@dataclass(frozen=True)
class Counted:
    """One kernel's launch.

    Attributes:
        arguments: makes host values: arrays, and NumPy scalars as they are.
        check: what the arrays must hold afterwards; called with the values before and after.
        load, store: 32-byte sectors a request to global memory, None without one.
        shared_load, shared_store: wavefronts a request to shared memory, None without one.
    """

    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    arguments: Callable[[], tuple]
    check: Callable[[tuple, tuple], bool]
    load: float | None = 4.0
    store: float | None = 4.0
    shared_load: float | None = None
    shared_store: float | None = None
    more: dict[str, float] = field(default_factory=dict)


def _floats(size: int) -> np.ndarray:
    return np.random.default_rng(7).random(size, dtype=np.float32)


def _square() -> np.ndarray:
    return _floats(SIDE * SIDE).reshape(SIDE, SIDE)


def _transpose(name: str, **expected) -> Counted:
    return Counted(
        name,
        (SIDE // 32, SIDE // 32),
        (32, 32),
        lambda: (_square(), np.zeros((SIDE, SIDE), np.float32), np.int32(SIDE)),
        lambda before, after: np.array_equal(after[1], before[0].T),
        **expected,
    )


def _reduce(name: str, **expected) -> Counted:
    return Counted(
        name,
        (N // BLOCK,),
        (BLOCK,),
        lambda: (np.arange(N, dtype=np.int32), np.zeros(N // BLOCK, np.int32)),
        lambda before, after: np.array_equal(after[1], before[0].reshape(-1, BLOCK).sum(1)),
        store=1.0,
        **expected,
    )


def _line(name: str, inputs: Callable[[], tuple], check, **expected) -> Counted:
    return Counted(name, (N // BLOCK,), (BLOCK,), inputs, check, **expected)


def _out(dtype=np.float32, size: int = N) -> np.ndarray:
    return np.zeros(size, dtype)


def _unpacked(packed: np.ndarray) -> np.ndarray:
    codes = packed[:, None] >> (4 * np.arange(8, dtype=np.uint32)) & 15
    return (codes.astype(np.int8) ^ 8) - 8


def _both_ways(x: np.ndarray) -> np.ndarray:
    odd, even = x.copy(), x.copy()
    for _ in range(8):
        odd = np.sqrt(odd) + np.float32(1)
    for _ in range(4):
        even = even * even * np.float32(0.5)
    return np.where(np.arange(len(x)) % 2, odd, even)


KERNELS = (
    _line(
        "contiguous",
        lambda: (_floats(N), _out(), np.int32(N)),
        lambda before, after: np.array_equal(after[1], 2 * before[0]),
    ),
    _line(
        "strided",
        lambda: (_floats(8 * N), _out(), np.int32(N), np.int32(8)),
        lambda before, after: np.array_equal(after[1], before[0][::8]),
        load=32.0,
    ),
    # Four bytes on: the 128 bytes of a warp begin inside a sector and touch five.
    _line(
        "offset",
        lambda: (_floats(N + 1), _out(), np.int32(N), np.int32(1)),
        lambda before, after: np.array_equal(after[1], before[0][1:]),
        load=5.0,
    ),
    _line(
        "array_of_structures",
        lambda: (_floats(4 * N), _out(), np.int32(N)),
        lambda before, after: np.array_equal(after[1], before[0][::4] + before[0][2::4]),
        load=16.0,
    ),
    _line(
        "structure_of_arrays",
        lambda: (_floats(N), _floats(N), _out(), np.int32(N)),
        lambda before, after: np.array_equal(after[2], before[0] + before[1]),
    ),
    _transpose("transpose_naive", store=32.0),
    _transpose("transpose_tiled", shared_load=32.0, shared_store=1.0),
    _transpose("transpose_padded", shared_load=1.0, shared_store=1.0),
    _reduce("reduce_interleaved", shared_load=1.0, shared_store=1.0),
    _reduce("reduce_sequential", shared_load=1.0, shared_store=1.0),
    _reduce("reduce_shuffle", shared_load=1.0, shared_store=1.0),
    _line(
        "histogram",
        lambda: (
            (np.arange(N) % 256).astype(np.uint8),
            np.zeros(256, np.uint32),
            np.int32(N),
        ),
        lambda before, after: np.array_equal(after[1], np.full(256, N // 256)),
        load=1.0,
        store=None,
        shared_load=1.0,
        shared_store=1.0,
    ),
    # A store of four bytes at every second word: eight sectors.
    _line(
        "int4_unpack",
        lambda: (
            np.random.default_rng(7).integers(0, 2**32, N, dtype=np.uint32),
            _out(np.int8, 8 * N),
            np.int32(N),
        ),
        lambda before, after: np.array_equal(after[1].reshape(-1, 8), _unpacked(before[0])),
        store=8.0,
    ),
    _line(
        "divergent",
        lambda: (_floats(N), _out(), np.int32(N)),
        lambda before, after: np.allclose(after[1], _both_ways(before[0]), rtol=1e-6),
    ),
)
