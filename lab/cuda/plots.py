"""Figures of what a warp does: the bytes that its lanes reach, by sector or by bank."""

import numpy as np
from matplotlib.figure import Figure

from lab.cuda.report import SECTOR_BYTES, Access, Report
from lab.errors import CourseError
from lab.plots import COLOURS, INK, figure

WARP, BANKS, BANK_BYTES = 32, 32, 4
MOST_SECTORS = 64


def pick(report: Report, line: int = 0, kind: str = "", name: str = "") -> Access:
    """The first request of block 0, warp 0 with this line, kind and array; each may be left out.

    Raises:
        CourseError: there is none among the first 64 requests.
    """
    for access in report.trace:
        if line in (0, access.line) and kind in ("", access.kind) and name in ("", access.name):
            return access
    have = sorted({f"line {a.line}: {a.kind} {a.name}" for a in report.trace})
    raise CourseError(f"Warp 0 made no such request; it made: {'; '.join(have) or 'none'}.")


def access_pattern(
    report: Report, line: int = 0, kind: str = "", name: str = ""
) -> tuple[Figure, str]:
    """One request of warp 0: a lane a row, global memory by sectors, shared memory by banks.

    Returns:
        the figure, and alt text for lab.plots.show.

    Raises:
        CourseError: no such request.
    """
    access = pick(report, line, kind, name)
    if access.space == "shared":
        return _banks(access)
    return _sectors(access)


def sectors(access: Access) -> list[int]:
    """Sector numbers, from the array's start, that the active lanes touch, in order."""
    found = {
        sector
        for offset in access.offsets
        if offset is not None
        for sector in range(
            offset // SECTOR_BYTES, (offset + access.size_bytes - 1) // SECTOR_BYTES + 1
        )
    }
    return sorted(found)


def wavefronts(access: Access) -> int:
    """Passes over the banks: in each part of the warp, the words in its busiest bank."""
    part = {8: 16, 16: 8}.get(access.size_bytes, 32)
    total = 0
    for start in range(0, WARP, part):
        words = {
            word
            for offset in access.offsets[start : start + part]
            if offset is not None
            for word in range(
                offset // BANK_BYTES, (offset + access.size_bytes - 1) // BANK_BYTES + 1
            )
        }
        if words:
            total += int(np.bincount([word % BANKS for word in words]).max())
    return total


def _sectors(access: Access) -> tuple[Figure, str]:
    touched = sectors(access)
    shown = {sector: i for i, sector in enumerate(touched[:MOST_SECTORS])}
    fig, axes = figure(height_inch=3.8)
    ax = axes[0, 0]
    for lane, offset in enumerate(access.offsets):
        if offset is not None and (place := shown.get(offset // SECTOR_BYTES)) is not None:
            left = place + offset % SECTOR_BYTES / SECTOR_BYTES
            ax.barh(
                lane, access.size_bytes / SECTOR_BYTES, left=left, align="edge", color=COLOURS[0]
            )
    for place in range(len(shown) + 1):
        ax.axvline(place, color=INK, linewidth=0.5, linestyle="-")
    ax.set(ylim=(WARP, 0), xlim=(0, max(1, len(shown))), ylabel="lane")
    ax.set_xlabel(f"32-byte sectors of {access.name} that the warp touches")
    ax.set_title(_title(access, _count(len(touched), "sector")), loc="left")
    ax.set_xticks([])
    ax.grid(False)
    alt = (
        f"Line {access.line}: the {_active(access)} active lanes of a warp {access.kind} "
        f"{_count(access.size_bytes, 'byte')} each of {access.name}; together they touch "
        f"{_count(len(touched), 'sector')}."
    )
    return fig, alt


def _banks(access: Access) -> tuple[Figure, str]:
    passes = wavefronts(access)
    waves = _count(passes, "wavefront")
    fig, axes = figure(height_inch=3.8)
    ax = axes[0, 0]
    width = max(1, access.size_bytes // BANK_BYTES)
    for lane, offset in enumerate(access.offsets):
        if offset is not None:
            bank = offset // BANK_BYTES % BANKS
            ax.barh(lane, width, left=bank, align="edge", color=COLOURS[0])
    ax.set(ylim=(WARP, 0), xlim=(0, BANKS), ylabel="lane", xlabel="bank of shared memory")
    ax.set_title(_title(access, waves), loc="left")
    alt = (
        f"Line {access.line}: the bank that each of {_active(access)} active lanes of a warp reaches in "
        f"shared memory, {_count(access.size_bytes, 'byte')} each; the request takes {waves}."
    )
    return fig, alt


def _active(access: Access) -> int:
    return sum(offset is not None for offset in access.offsets)


def _title(access: Access, result: str) -> str:
    return (
        f"line {access.line}, {access.kind} of {_count(access.size_bytes, 'byte')} a lane: {result}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
