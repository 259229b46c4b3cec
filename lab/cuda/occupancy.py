"""How many warps of a kernel a streaming multiprocessor (SM) holds at once, and what limits them.

Limits: CUDA C++ Programming Guide, "Compute Capabilities", table of technical specifications; units
of allocation: cuda_occupancy.h of the CUDA toolkit.
"""

from dataclasses import dataclass

from lab.cuda.errors import CudaError

WARP = 32
REGISTER_UNIT = 256  # registers are given to a warp in these steps
SHARED_UNIT = 128  # bytes
RESERVED_BYTES = 1024  # of shared memory, by the driver, for each block
PARTITIONS = 4  # of an SM, each with a quarter of the registers


@dataclass(frozen=True)
class Limits:
    """One architecture's SM. Shared memory in bytes."""

    warps: int
    blocks: int
    registers: int
    shared_bytes: int
    block_shared_bytes: int
    thread_registers: int = 255
    block_threads: int = 1024


LIMITS = {
    "sm_80": Limits(64, 32, 65536, 164 * 1024, 163 * 1024),
    "sm_86": Limits(48, 16, 65536, 100 * 1024, 99 * 1024),
    "sm_89": Limits(48, 24, 65536, 100 * 1024, 99 * 1024),
    "sm_90": Limits(64, 32, 65536, 228 * 1024, 227 * 1024),
}


@dataclass(frozen=True)
class Occupancy:
    """Attributes:
    blocks, warps: resident on one SM.
    share: warps / the most that the SM holds, 0 to 1.
    limits: blocks that each resource would allow: warps, blocks, registers, shared.
    limited_by: the resources that allow the fewest.
    """

    blocks: int
    warps: int
    share: float
    limits: dict[str, int]
    limited_by: tuple[str, ...]


def occupancy(
    block_threads: int, registers: int, shared_bytes: int = 0, arch: str = "sm_80"
) -> Occupancy:
    """Theoretical occupancy of a kernel.

    Args:
        block_threads: threads of a block, 1 to 1,024.
        registers: of a thread, 1 to 255.
        shared_bytes: static and dynamic shared memory of a block.
        arch: sm_80, sm_86, sm_89 or sm_90.

    Raises:
        CudaError: a size out of range.

    >>> occupancy(256, 32).share
    1.0
    >>> occupancy(256, 64).limited_by
    ('registers',)
    """
    if arch not in LIMITS:
        raise CudaError(f"No limits are known for {arch!r}: choose from {', '.join(LIMITS)}.")
    sm = LIMITS[arch]
    for what, value, low, high in (
        ("block_threads", block_threads, 1, sm.block_threads),
        ("registers", registers, 1, sm.thread_registers),
        ("shared_bytes", shared_bytes, 0, sm.block_shared_bytes),
    ):
        if not low <= value <= high:
            raise CudaError(f"{what}={value} is out of range on {arch}: {low} to {high:,}.")
    warps = -(-block_threads // WARP)
    warp_registers = _up(registers * WARP, REGISTER_UNIT)
    register_warps = sm.registers // PARTITIONS // warp_registers * PARTITIONS
    limits = {
        "warps": sm.warps // warps,
        "blocks": sm.blocks,
        "registers": register_warps // warps,
        "shared": sm.shared_bytes // _up(shared_bytes + RESERVED_BYTES, SHARED_UNIT),
    }
    blocks = min(limits.values())
    lowest = tuple(name for name, value in limits.items() if value == blocks)
    return Occupancy(blocks, blocks * warps, blocks * warps / sm.warps, limits, lowest)


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
