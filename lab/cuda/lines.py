"""Lines of the learner's source for addresses of code, from the program's line table (addr2line)."""

import functools
import re
import shutil

from lab.cuda.build import Program
from lab.cuda.source import FILE

LINE = re.compile(rf"(?:^|/){re.escape(FILE)}:(\d+)")
WALL_S = 20.0


def find(program: Program, addresses: list[int]) -> dict[int, int]:
    """Line by return address; addresses with no line of the learner's are left out.

    Where a function of our headers was inlined, the line is the learner's that calls it.
    """
    wanted = tuple(sorted({a for a in addresses if a}))
    return dict(_find(program, wanted)) if wanted else {}


@functools.lru_cache(maxsize=64)
def _find(program: Program, addresses: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    tool = shutil.which("addr2line") or shutil.which("llvm-addr2line")
    if not tool:  # it comes with the assembler; without it, errors lack their line
        return ()
    # A return address is the next instruction's: one byte before it is still the call.
    asked = [hex(address - 1) for address in addresses]
    done = program.run(
        [tool, "-a", "-i", "-e", "main", *asked], {"main": program.binary}, [], WALL_S
    )
    found, at = [], None
    for row in done.stderr.decode(errors="replace").splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", row):
            at = int(row, 16) + 1
        elif at is not None and (match := LINE.search(row)):
            found.append((at, int(match[1])))
            at = None
    return tuple(found)
