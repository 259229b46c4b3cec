"""Mutations of GGUF files, and a fuzz run against the reference reader.

    python -m autograder.checks.oracles.gguf_fuzz --seconds 60

says how many files were read, refused (by field) and accepted, and the largest allocation. It fails on any
error other than GGUFError, on an accepted file that breaks a rule, on a call that takes over two
seconds, and on memory out of proportion to the file.
"""

import argparse
import collections
import struct
import sys
import time
import tracemalloc
from dataclasses import dataclass, field

import numpy as np

from autograder.checks.oracles import gguf_hostile, gguf_reader, gguf_valid

# A uint8 becomes an entry of a list (8 bytes), a float32 an object of 24 and an entry: 64 bytes of
# memory for each byte of the file is more than any honest reader takes. The rest is start-up.
BYTES_PER_BYTE, SPARE_BYTES, LONGEST_S = 64, 2**20, 2.0
LARGEST_KEPT = 20_000
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 9, 12, 13, 31, 32, 33, 64, 127, 128, 255, 2**16, 2**31, 2**32 - 1,
           2**32, 2**53, 2**61, 2**62, 2**63 - 1, 2**63, 2**64 - 32, 2**64 - 1)  # fmt: skip


def most_bytes(size: int) -> int:
    """The memory that reading a file of this size may take, in bytes."""
    return SPARE_BYTES + BYTES_PER_BYTE * size


def seeds(rng: np.random.Generator, count: int = 40) -> list[bytes]:
    """Valid files to begin with."""
    found = [gguf_hostile.base(rng).bytes() for _ in range(count // 2)]
    while len(found) < count:
        types = [int(t) for t in rng.integers(0, 13, rng.integers(0, 7))]
        alignment = int(rng.choice([8, 32, 64]))
        draft, _ = gguf_valid.draft(rng, types, int(rng.integers(0, 4)), alignment)
        found.append(draft.bytes())
    return found


def mutate(data: bytes, rng: np.random.Generator, other: bytes = b"") -> bytes:
    """The file with one to four changes: bits, bytes, numbers, cuts, copies, a piece of another file."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        size = len(changed)
        at = int(rng.integers(size + 1))
        long = int(rng.integers(1, 17))
        kind = rng.integers(8)
        if kind == 0 and at < size:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1 and at < size:
            changed[at] = int(rng.integers(256))
        elif kind in (2, 3):
            code, most = ("<I", 2**32) if kind == 2 else ("<Q", 2**64)
            number = struct.pack(code, NUMBERS[rng.integers(len(NUMBERS))] % most)
            changed[at : at + len(number)] = number
        elif kind == 4:
            del changed[at : at + long]
        elif kind == 5:
            changed[at:at] = rng.bytes(long)
        elif kind == 6:
            start = int(rng.integers(size + 1))
            changed[at:at] = (other or bytes(changed))[start : start + 4 * long]
        elif kind == 7 and rng.random() < 0.3:
            del changed[at:]
    return bytes(changed)


@dataclass
class Report:
    """What a run found. crashes: descriptions with the file in hex, empty when all is well."""

    executions: int = 0
    accepted: int = 0
    refused: collections.Counter = field(default_factory=collections.Counter)
    crashes: list[str] = field(default_factory=list)
    largest_bytes: int = 0
    largest_ratio: float = 0.0
    slowest_s: float = 0.0

    def __str__(self) -> str:
        by_field = ", ".join(f"{name} {n:,}" for name, n in self.refused.most_common())
        return (
            f"{self.executions:,} files: {self.accepted:,} accepted, {self.refused.total():,} refused "
            f"({by_field}); {len(self.crashes)} crashes; largest allocation "
            f"{self.largest_bytes:,} bytes, {100 * self.largest_ratio:.0f} % of what is allowed; "
            f"slowest {1000 * self.slowest_s:.1f} ms"
        )


def fuzz(seconds: float, seed: int = 0, reader=gguf_reader.read_gguf, most: int = 10**9) -> Report:
    """Read mutated files for a time, or `most` of them."""
    rng, report = np.random.default_rng(seed), Report()
    pool = seeds(rng)
    first = len(pool)
    end = time.monotonic() + seconds
    tracemalloc.start()
    try:
        while time.monotonic() < end and report.executions < most:
            one, two = (pool[i] for i in rng.integers(len(pool), size=2))
            data = mutate(one, rng, two)
            kept = _try(report, data, reader)
            # A file that is still valid goes on changing from there; the first ones stay.
            if kept and rng.random() < 0.05 and len(data) <= LARGEST_KEPT:
                if len(pool) < 2 * first:
                    pool.append(data)
                else:
                    pool[rng.integers(first, 2 * first)] = data
    finally:
        tracemalloc.stop()
    return report


def _try(report: Report, data: bytes, reader) -> bool:
    """One file; True where it was accepted."""
    report.executions += 1
    tracemalloc.reset_peak()
    before, begin = tracemalloc.get_traced_memory()[0], time.perf_counter()
    accepted = False
    try:
        found = reader(data)
        accepted = True
        report.accepted += 1
        _examine(found, data)
    except gguf_reader.GGUFError as error:
        report.refused[error.field] += 1
    except Exception as error:
        report.crashes.append(f"{type(error).__name__}: {error}: {data.hex()}")
    peak = tracemalloc.get_traced_memory()[1] - before
    taken = time.perf_counter() - begin
    report.largest_bytes = max(report.largest_bytes, peak)
    report.largest_ratio = max(report.largest_ratio, peak / most_bytes(len(data)))
    report.slowest_s = max(report.slowest_s, taken)
    if peak > most_bytes(len(data)):
        report.crashes.append(f"took {peak} bytes of memory: {data.hex()}")
    if taken > LONGEST_S:
        report.crashes.append(f"took {taken:.1f} s: {data.hex()}")
    return accepted


def _examine(found: dict, data: bytes) -> None:
    """An accepted file: each tensor lies in it, apart from the others."""
    end = found["data_offset"]
    for name, info in found["tensors"].items():
        start = found["data_offset"] + info["offset"]
        size = gguf_reader.tensor_bytes(tuple(reversed(info["shape"])), info["type"])
        if not end <= start <= start + size <= len(data) or size <= 0:
            raise AssertionError(f"{name!r} at {start} with {size} bytes")
        end = start + size


def main() -> int:
    """The command; 1 where something was found."""
    parser = argparse.ArgumentParser(description="Fuzz the reference GGUF reader.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    report = fuzz(options.seconds, options.seed)
    print(report)
    for crash in report.crashes[:5]:
        print(crash[:2000])
    return 1 if report.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
