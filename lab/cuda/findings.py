"""What went wrong in a kernel, in sentences: kernel, line, block and thread, and what to do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.cuda import elf, outside
from lab.cuda.arrays import DeviceArray


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes:
        kind: outside, misaligned, uninitialised, race, barrier, mask, constant, endless,
            division, stack, overrun, stopped, argument, crash or ended.
        message: what happened, where, and what to do.
        line: of the source, from 1; 0 where it is not known.
        block, thread: indices (x, y, z).
        name: the array or variable, "" where there is none.
    """

    kind: str
    message: str
    line: int = 0
    block: tuple[int, int, int] = (0, 0, 0)
    thread: tuple[int, int, int] = (0, 0, 0)
    name: str = ""


def parameter(job: Any, position: int) -> str:
    """A parameter's name, or its number."""
    name = job.names[position] if position < len(job.names) else ""
    return name or f"argument {position + 1}"


def argument_name(job: Any, position: int) -> str:
    """How a message begins that is about one argument."""
    name = job.names[position] if position < len(job.names) else ""
    return f"Argument {position + 1}{f' (`{name}`)' if name else ''} of `{job.title}`"


def read(rows: list[dict], job: Any, memories: list, buffers: list[str]) -> list[Finding]:
    """Findings from a result file."""
    from lab.cuda import lines  # late: it needs build, which needs the runner

    table = lines.find(job.program, [row.get("pc", 0) for row in rows]) if rows else {}
    found = [_finding(row, job, memories, buffers, table) for row in rows]
    # What ended the kernel, then races; what a race leaves behind comes last.
    return sorted(found, key=lambda f: {"race": 1, "uninitialised": 2}.get(f.kind, 0))


def _finding(row: dict, job, memories, buffers, table) -> Finding:
    line = row.get("line") or table.get(row.get("pc", 0), 0)
    about = _About(row, job, memories, buffers)
    kind = row["kind"]
    text = SENTENCES.get(kind, _crash)(about)
    if kind in ("argument", "unknown", "overrun"):
        return Finding(kind, text)
    block, thread = tuple(row["block"]), tuple(row["thread"])
    where = f"`{job.title}`, " + (f"line {line}, " if line else "")
    message = f"{where}block {_index(block)}, thread {_index(thread)}: {text}"
    source = job.program.code.splitlines()
    if 0 < line <= len(source):
        message += f"\n    line {line}: {source[line - 1].strip()}"
    return Finding(kind, message, line, block, thread, about.name or about.variable)


def _index(index) -> str:
    return "({}, {}, {})".format(*index)


class _About:
    """One row of the result with what it refers to."""

    def __init__(self, row: dict, job, memories, buffers) -> None:
        self.row, self.job = row, job
        self.bytes = int(row.get("bytes", 1))
        self.does = row.get("access", "reaches")
        self.name, self.index, self.elements, self.dtype = "", 0, 0, None
        self.offset = row.get("offset", 0)
        self.shared: tuple[str, int] | None = None
        if "buffer" in row:
            root = memories[row["buffer"]]
            first = next(a for a in job.args if isinstance(a, DeviceArray) and a._memory is root)
            self.name, self.dtype = buffers[row["buffer"]], first.dtype
            self.index = (row["offset"] - first.offset) // first.itemsize
            self.low = -(first.offset // first.itemsize)
            self.elements = (root.size - first.offset) // first.itemsize
        if "shared" in row:
            self._shared()

    def _shared(self) -> None:
        """Which `__shared__` variable: the dynamic one, or by the program's symbols."""
        if self.row["shared"] == 1:
            self.shared = ("dynamic shared memory", self.offset)
        else:
            image = self.job.program.binary
            self.shared = elf.shared_variable(image, self.offset) or ("shared memory", self.offset)

    @property
    def variable(self) -> str:
        """A variable of shared memory or of the module; "" where it is none, or has no name."""
        named = self.shared and " " not in self.shared[0]
        return self.shared[0] if named else self.row.get("variable", "")

    @property
    def element(self) -> str:
        """`x[7]`, or several of them."""
        if self.shared:
            name, offset = self.shared
            name = f"`{name}`" if " " not in name else name
            return f"{name} (shared; bytes {offset} to {offset + self.bytes - 1})"
        if variable := self.row.get("variable"):
            return f"`{variable}` (bytes {self.offset} to {self.offset + self.bytes - 1})"
        if not self.name:
            return f"{self.bytes} bytes"
        last = self.index + max(1, self.bytes // self.dtype.itemsize) - 1
        many = f"..{last}" if last > self.index else ""
        return f"`{self.name}[{self.index}{many}]`"


def _misaligned(a: _About) -> str:
    if "access" not in a.row:
        return (
            "reaches an address that the host's vector instruction cannot: it is not aligned to its size, "
            "or lies far outside."
        )
    if not a.name:
        return f"{a.does} {a.element} at an address that is no multiple of {a.bytes}: align the variable."
    return (
        f"{a.does} {a.bytes} bytes of {a.element} at once, {a.offset % a.bytes} bytes behind a multiple of "
        f"{a.bytes}: a vector access must be aligned to its size."
    )


def _uninitialised(a: _About) -> str:
    return (
        f"{a.does} {a.element} that no thread of this block has written: write it first, with a barrier "
        "in between."
    )


def _race(a: _About) -> str:
    other_block, other = tuple(a.row["other_block"]), tuple(a.row["other"])
    who = f"thread {_index(other)}"
    same = other_block == tuple(a.row["block"])
    if not same:
        who += f" of block {_index(other_block)}"
    did = {
        "reads after write": "reads {} that {} writes",
        "writes after read": "writes {} that {} reads",
        "writes after write": "writes {} that {} writes too",
    }[a.row["how"]]
    if a.does == "updates":
        did = did.replace("writes {}", "updates {}", 1)
    remedy = (
        "put a __syncthreads() between the two, or use an atomic if both update it"
        if same
        else "use an atomic, or one block's own place"
    )
    if same and a.row["how"] == "writes after write" and a.does != "updates":
        remedy = "give each thread a place of its own (is the index right?), or use an atomic"
    return f"data race: {did.format(a.element, who)}, and nothing orders the two: {remedy}."


def _barrier(a: _About) -> str:
    row = a.row
    call = row["call"] + ("()" if row["call"].startswith("__") else "")
    text = f"{call} is not reached by all: {row['waiting']} of {row['threads']} threads wait here, and "
    if row.get("other_call"):
        other = row["other_call"] + ("()" if row["other_call"].startswith("__") else "")
        text += f"thread {_index(row['other'])} waits at {other} in line {row['other_line']}"
    elif "other" in row:
        text += f"thread {_index(row['other'])} has ended without it"
    else:
        text += "nobody else comes"
    return f"{text}. Every thread of the block must pass the same barrier."


def _mask(a: _About) -> str:
    return (
        f"lane {a.row['lane']} calls {a.row['call']} with the mask {a.row['mask']:#010x}, which leaves "
        "it out: name every lane that calls."
    )


def _argument(a: _About) -> str:
    job, at, parameters = a.job, a.row["argument"], a.row["parameters"]
    if at < 0:
        given, wanted = len(job.args), len(parameters)
        names = ", ".join(
            f"{_type(p)} {n}".strip()
            for p, n in zip(parameters, job.names or [""] * wanted, strict=False)
        )
        return f"`{job.title}` takes {wanted} arguments ({names}), and got {given}."
    p, value = parameters[at], job.args[at]
    want = f"is `{_type(p)}` in the kernel"
    if isinstance(value, DeviceArray):
        if not p["pointer"]:
            return (
                f"{argument_name(job, at)} {want}, and got an array: pass a scalar, {_scalar(p)}."
            )
        return (
            f"{argument_name(job, at)} {want}, and got an array of {value.dtype}: convert it with "
            f"astype, or read the same bytes as another dtype with view."
        )
    shown = f"Python {type(value).__name__} {value!r}"
    if isinstance(value, np.generic):
        shown = f"numpy.{value.dtype}"
    if p["pointer"]:
        return f"{argument_name(job, at)} {want}, and got a {shown}: pass a device array."
    return f"{argument_name(job, at)} {want}, and got a {shown}: pass {_scalar(p)}."


def _type(p: dict) -> str:
    """The parameter's C++ type, out of __PRETTY_FUNCTION__."""
    match = re.search(r"T = ([^\];]*)", p["type"])
    text = match[1] if match else "?"
    return re.sub(r"\s+\*", "*", text)


def _scalar(p: dict) -> str:
    name = {"i": "int", "u": "uint", "f": "float"}.get(p["kind"])
    if p["kind"] == "b":
        return "np.bool_(...)"
    return f"np.{name}{8 * p['size']}(...)" if name else f"a NumPy scalar of {p['size']} bytes"


def _crash(a: _About) -> str:
    return f"the kernel ended with signal {a.row.get('signal', '?')}."


SENTENCES: dict[str, Callable[[_About], str]] = {
    "outside": outside.sentence,
    "misaligned": _misaligned,
    "uninitialised": _uninitialised,
    "race": _race,
    "barrier": _barrier,
    "mask": _mask,
    "argument": _argument,
    "constant": lambda a: "writes constant memory, which a kernel can only read.",
    "endless": lambda a: (
        "the kernel still runs after its limit of CPU time: does this loop never end?"
    ),
    "division": lambda a: (
        "divides an integer by zero, or the least int by -1; on a GPU the result is undefined."
    ),
    "stack": lambda a: "the local variables need more than the 64 KB of stack that a thread has.",
    "stopped": lambda a: f"{a.row['why']}.",
    "overrun": lambda a: (
        f"`{a.job.title}` writes beyond the end of `{a.name}` ({a.elements:,} elements of {a.dtype}): "
        "watch it, to see the line and the thread."
    ),
    "unknown": lambda a: f"The program has no kernel `{a.job.name}`.",
}
