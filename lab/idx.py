"""Read the idx format of MNIST (the format is described on MNIST's page by LeCun et al.)."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from lab.errors import CourseError

HEADER_START_BYTES = 4
UNSIGNED_BYTE = 0x08
REMEDY = "delete it and run again, or ask for a new copy"


def read_idx(path: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    """Read an idx file of unsigned bytes, gzipped or not.

    The layout: two zero bytes, the type code (0x08), the number of dimensions, each dimension as
    a big-endian uint32, then the values in row-major order.

    Args:
        path: the file.
        shape: the shape that it must have; None leaves a dimension free, (None, 28, 28) for images.

    Returns:
        A uint8 array that owns its memory.

    Raises:
        CourseError: no idx file of unsigned bytes, another shape, truncated, or bytes left over.
    """
    raw = _read_bytes(path)
    rank = len(shape)
    header_bytes = HEADER_START_BYTES + 4 * rank
    magic = bytes([0, 0, UNSIGNED_BYTE, rank])
    if raw[:HEADER_START_BYTES] != magic:
        found = raw[:HEADER_START_BYTES].hex() or "nothing"
        raise CourseError(
            f"{path} is no idx file of unsigned bytes with {rank} dimensions "
            f"(it starts with {found}, not {magic.hex()}): {REMEDY}."
        )
    if len(raw) < header_bytes:
        raise CourseError(f"{path} ends within its header: {REMEDY}.")
    dims = tuple(int(d) for d in np.frombuffer(raw, ">u4", count=rank, offset=HEADER_START_BYTES))
    if any(want is not None and want != got for want, got in zip(shape, dims, strict=True)):
        wanted = "x".join("any" if want is None else str(want) for want in shape)
        raise CourseError(
            f"{path} holds an array of {'x'.join(map(str, dims))}, not {wanted}: {REMEDY}."
        )
    expected_bytes = 1
    for dim in dims:
        expected_bytes *= dim
    found_bytes = len(raw) - header_bytes
    if found_bytes != expected_bytes:
        fault = "is truncated" if found_bytes < expected_bytes else "has bytes left over"
        raise CourseError(
            f"{path} {fault} ({found_bytes:,} bytes of values, its header says "
            f"{expected_bytes:,}): {REMEDY}."
        )
    return np.frombuffer(raw, np.uint8, offset=header_bytes).reshape(dims).copy()


def _read_bytes(path: Path) -> bytes:
    """The file's bytes, unzipped where they start with gzip's magic number."""
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CourseError(f"{path} is a damaged gzip file ({error}): {REMEDY}.") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}): {REMEDY}.") from error
