"""An access outside of every array and variable, in a sentence: how far from which one."""

from typing import Any

from lab.cuda import elf


def sentence(a: Any) -> str:
    """What an access reached instead, by a row of the result (`findings._About`)."""
    if a.row.get("beyond") == "dynamic":
        return (
            f"{a.does} byte {a.offset:,} of the dynamic shared memory, and the launch gives it "
            f"{a.row['shared_mem']:,} bytes: raise shared_mem, or guard the index."
        )
    if a.row.get("beyond") == "variable":
        return (
            f"{a.does} {a.bytes} bytes, {a.offset:,} bytes beyond the end of the variable "
            f"`{a.row['variable']}`: guard the index."
        )
    if a.row.get("beyond") == "static":
        return f"{a.does} {a.bytes} bytes, {_beside(a)}: guard the index."
    if a.row.get("beyond") == "wrapped":
        return (
            f"{a.does} far outside of the shared memory: an unsigned index went below 0, and so 2**32 "
            "elements too far."
        )
    if a.row.get("shared") == 1:
        return (
            f"{a.does} {a.element}, and the launch gives it {a.job.shared_mem:,} bytes: raise shared_mem, "
            "or guard the index."
        )
    if a.shared:
        return f"{a.does} {a.element}, and so beyond the variable's end."
    if not a.name:
        if a.row.get("address", 1 << 20) < 4096:
            return f"{a.does} through a null pointer."
        return (
            f"{a.does} an address that belongs to no array of this launch, nor to its shared "
            "memory."
        )
    size = f"{a.elements:,} element{'s' * (a.elements != 1)} of {a.dtype}"
    if a.row.get("wrapped"):
        return (
            f"{a.does} {a.element}: an unsigned index went below 0, and so 2**32 elements too far "
            f"({size})."
        )
    if a.index < a.low:
        away, side = a.low - a.index, "before its start"
    else:
        last = a.index + max(1, a.bytes // a.dtype.itemsize) - 1
        away, side = last - a.elements + 1, "beyond its end"
    return f"{a.does} {a.element}, {away:,} element{'s' * (away != 1)} {side} ({size}): guard the index."


def _beside(a: Any) -> str:
    """Where an address between static `__shared__` variables lies, or behind them."""
    near = elf.shared_neighbour(a.job.program.binary, a.offset, a.job.title.split("<")[0])
    if not near:
        return "outside of the block's shared memory"
    name, size, offset = near
    if offset < 0:
        side = f"{-offset:,} bytes before the start"
    elif offset > size:
        side = f"{offset - size:,} bytes beyond the end"
    else:
        side = "just beyond the end"
    return f"{side} of `{name}` (shared, {size:,} bytes)"
