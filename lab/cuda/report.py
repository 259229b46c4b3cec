"""What a watched launch did: requests, sectors, wavefronts, branches, as a profiler names them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.cuda import elf
from lab.cuda.findings import Finding

KINDS = ("branch", "load", "store", "atomic")
SPACES = ("local", "global", "shared", "constant", "module", "nowhere")
SECTOR_BYTES = 32


@dataclass(frozen=True)
class Instruction:
    """One load, store or atomic of the source, over the whole launch.

    Attributes:
        line: of the source; 0 where it is not known.
        kind: load, store or atomic.
        space: global, shared, constant or module (a `__device__` variable, or a table).
        name: the array that its first warp reached; "shared" for shared memory.
        size_bytes: of one lane's access.
        requests: how many warps executed it.
        lanes: how many lanes took part, over all requests.
        sectors: 32-byte sectors over all requests (0 for shared memory).
        wavefronts: passes over the banks (0 but for shared memory).
        conflicts: wavefronts beyond what the width of the access needs.
        repeats: atomics: lanes whose address another lane of the request has too.
    """

    line: int
    kind: str
    space: str
    name: str
    size_bytes: int
    requests: int
    lanes: int
    sectors: int
    wavefronts: int
    conflicts: int
    repeats: int

    @property
    def bytes(self) -> int:
        """Bytes that the lanes asked for."""
        return self.lanes * self.size_bytes

    @property
    def sectors_per_request(self) -> float:
        """Mean; 4.00 is a contiguous float of each lane."""
        return self.sectors / self.requests if self.requests else 0.0

    @property
    def wavefronts_per_request(self) -> float:
        """Mean; 1.00 is free of conflicts for accesses of up to 4 bytes."""
        return self.wavefronts / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Branch:
    """One basic block of the kernel: where its warps go after it.

    times: warps that ran it; lanes: lanes in them; divergent: times that lanes went different ways.
    """

    line: int
    times: int
    lanes: int
    divergent: int


@dataclass(frozen=True)
class Access:
    """One request of block 0, warp 0.

    offsets: bytes by lane, from the start of the allocation or of the shared variable; None for a
    lane that is not active.
    """

    line: int
    kind: str
    space: str
    name: str
    size_bytes: int
    offsets: tuple[int | None, ...]


def _from_its_start(row: dict, image: bytes) -> tuple[int | None, ...]:
    """The offsets, in static shared memory from the start of the first lane's variable."""
    offsets = row["offsets"]
    if SPACES[row["space"]] != "shared" or row["which"]:
        return tuple(offsets)
    first = next(offset for offset in offsets if offset is not None)
    _, within = elf.shared_variable(image, first) or ("", first)
    return tuple(None if offset is None else offset - first + within for offset in offsets)


@dataclass(frozen=True)
class Report:
    """Counters of one launch. Properties add the instructions up."""

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    instructions: tuple[Instruction, ...]
    branches: tuple[Branch, ...]
    trace: tuple[Access, ...]
    barriers: int
    findings: tuple[Finding, ...] = ()
    printed: str = field(default="", repr=False)

    @classmethod
    def read(cls, result: dict, job: Any, buffers: list[str], found: list[Finding]) -> "Report":
        """From a result file."""
        from lab.cuda import lines

        rows = (*result["instructions"], *result["paths"], *result["trace"])
        table = lines.find(job.program, [row["pc"] for row in rows])

        def name(row: dict) -> str:
            space = SPACES[row["space"]]
            return buffers[row["which"]] if space == "global" else space

        def line(row: dict) -> int:
            return row.get("line") or table.get(row["pc"], 0)

        instructions = tuple(
            Instruction(
                line(row),
                KINDS[row["kind"]],
                SPACES[row["space"]],
                name(row),
                row["size"],
                row["requests"],
                row["lanes"],
                row["sectors"],
                row["wavefronts"],
                row["wavefronts"] - row["ideal"],
                row["repeats"],
            )
            for row in result["instructions"]
        )
        branches = tuple(
            Branch(line(row), row["times"], row["lanes"], row["split"]) for row in result["paths"]
        )
        trace = tuple(
            Access(
                line(row),
                KINDS[row["kind"]],
                SPACES[row["space"]],
                name(row),
                row["size"],
                _from_its_start(row, job.program.binary),
            )
            for row in result["trace"]
        )
        return cls(
            job.title,
            job.grid,
            job.block,
            instructions,
            branches,
            trace,
            result["barriers"],
            tuple(found),
            result.get("printed", ""),
        )

    def select(
        self, kind: str | None = None, space: str | None = None, name: str | None = None
    ) -> tuple[Instruction, ...]:
        """Instructions of a kind (load, store, atomic), a space and an array."""
        wanted: Callable[[Instruction], bool] = lambda i: (  # noqa: E731
            kind in (None, i.kind) and space in (None, i.space) and name in (None, i.name)
        )
        return tuple(i for i in self.instructions if wanted(i))

    def sectors_per_request(self, kind: str | None = None, name: str | None = None) -> float:
        """Mean 32-byte sectors a request to global memory; NaN without a request.

        kind: load, store or atomic; default loads and stores.
        """
        rows = [
            i for i in self.select(kind, "global", name) if kind is not None or i.kind != "atomic"
        ]
        requests = sum(i.requests for i in rows)
        return sum(i.sectors for i in rows) / requests if requests else float("nan")

    def wavefronts_per_request(self, kind: str | None = None) -> float:
        """Mean wavefronts a request to shared memory; NaN without a request."""
        rows = self.select(kind, "shared")
        requests = sum(i.requests for i in rows)
        return sum(i.wavefronts for i in rows) / requests if requests else float("nan")

    def _sum(self, member: str, kind: str | None, space: str) -> int:
        return sum(getattr(i, member) for i in self.select(kind, space))

    @property
    def global_load_sectors(self) -> int:
        """32-byte sectors that loads of global memory asked for."""
        return self._sum("sectors", "load", "global")

    @property
    def global_store_sectors(self) -> int:
        """The same for stores."""
        return self._sum("sectors", "store", "global")

    @property
    def bank_conflicts(self) -> int:
        """Wavefronts of shared memory beyond what the widths of the accesses need."""
        return self._sum("conflicts", None, "shared")

    @property
    def atomics(self) -> int:
        """Atomic updates by lanes, in global and shared memory."""
        return self._sum("lanes", "atomic", "global") + self._sum("lanes", "atomic", "shared")

    @property
    def global_bytes(self) -> int:
        """Bytes that lanes asked for in global memory."""
        return sum(i.bytes for i in self.select(space="global"))

    @property
    def moved_bytes(self) -> int:
        """Bytes of the sectors that the requests to global memory touched."""
        return SECTOR_BYTES * self._sum("sectors", None, "global")

    @property
    def divergent_branches(self) -> int:
        """Times that lanes of a warp went different ways."""
        return sum(b.divergent for b in self.branches)

    @property
    def lanes_per_step(self) -> float:
        """Mean active lanes over all basic blocks that warps ran; 32 without divergence."""
        times = sum(b.times for b in self.branches)
        return sum(b.lanes for b in self.branches) / times if times else float("nan")

    def table(self) -> str:
        """The instructions as text, a line each."""
        head = ("line", "access", "bytes", "requests", "lanes", "sectors", "/request", "wavefronts")
        rows = [head]
        for i in sorted(self.instructions, key=lambda i: (i.line, i.kind)):
            per = f"{i.sectors_per_request:.2f}" if i.sectors else f"{i.wavefronts_per_request:.2f}"
            what = f"{i.kind} {i.name}"
            numbers = (i.size_bytes, i.requests, i.lanes, i.sectors, per, i.wavefronts)
            rows.append(
                (str(i.line), what, *(f"{n:,}" if isinstance(n, int) else n for n in numbers))
            )
        widths = [max(len(row[c]) for row in rows) for c in range(len(head))]
        return "\n".join(
            "  ".join(
                cell.ljust(w) if c == 1 else cell.rjust(w)
                for c, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        )

    def __str__(self) -> str:
        return (
            f"{self.kernel}: grid {self.grid}, block {self.block}\n{self.table()}\n"
            f"divergent branches {self.divergent_branches:,}, lanes a step {self.lanes_per_step:.2f} of 32, "
            f"bank conflicts {self.bank_conflicts:,}, atomics {self.atomics:,}, "
            f"{self.global_bytes:,} bytes asked for, {self.moved_bytes:,} moved"
        )
