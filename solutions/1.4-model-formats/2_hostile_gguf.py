# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Refuse a hostile file
#
# **You end with:** a GGUF reader that survives several hundred malformed files and a fuzzer: every refusal names the field at fault, takes
# no memory for what is not there, and every valid file is still read.
#
# About 115 minutes. 33 points: 30 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. You need lesson 1's
# layout: header, key-values, tensor table, padding, data.
#
# How to work: run the cells from the top. Where a cell says `raise NotImplementedError`, write your
# code. The cell below it checks it and says what is off.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import collections
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

from autograder import check
from lab.bounded import bounded_call
from lab.gguf_files import write_lm_gguf
from lab.plots import COLOURS, INK, explore, figure
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)

# As in lesson 1: value types with their struct formats, and (values in a block, bytes of a block) by tensor type.
SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
UINT32, BOOL, STRING, ARRAY = 4, 7, 8, 9
BLOCKS = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}


class GGUFError(ValueError):
    """A malformed file. field: which part of the file is at fault; problem: a sentence."""

    def __init__(self, field: str, problem: str):
        super().__init__(f"{field}: {problem}")
        self.field = field


def refused_field(call):
    """The field that `call()` refuses as malformed, or None."""
    try:
        call()
    except GGUFError as error:
        return error.field
    return None


profile


# %% [markdown]
# ## A reader that believes
#
# The next cell holds lesson 1's reader, and some hundred malformed files that the course's generator makes from one small valid file: cut
# short, with lengths that lie, with unknown types, with tensors outside the file. Each breaks one rule of the format.
# %% role="given" id="naive"
def naive_value(data, at, value_type):
    """Lesson 1's reader of a value: it trusts every number."""
    if value_type in SCALARS:
        code = "<" + SCALARS[value_type]
        return struct.unpack_from(code, data, at)[0], at + struct.calcsize(code)
    size = struct.unpack_from("<Q", data, at + (4 if value_type == ARRAY else 0))[0]
    if value_type == STRING:
        return bytes(data[at + 8 : at + 8 + size]).decode(), at + 8 + size
    element_type = struct.unpack_from("<I", data, at)[0]
    values, at = [None] * size, at + 12
    for i in range(size):
        values[i], at = naive_value(data, at, element_type)
    return values, at


def naive_reader(data):
    """Lesson 1's reader of a file: what it finds is what the file says."""
    magic, version, tensor_count, kv_count = struct.unpack_from("<4sIQQ", data)
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError("no GGUF file of version 2 or 3")
    at, metadata, tensors = 24, {}, {}
    for _ in range(kv_count):
        key, at = naive_value(data, at, STRING)
        value_type, at = naive_value(data, at, UINT32)
        metadata[key], at = naive_value(data, at, value_type)
    for _ in range(tensor_count):
        name, at = naive_value(data, at, STRING)
        n_dims, at = naive_value(data, at, UINT32)
        *dims, kind, offset = struct.unpack_from(f"<{n_dims}QIQ", data, at)
        at += 8 * n_dims + 12
        tensors[name] = {"shape": tuple(reversed(dims)), "type": kind, "offset": offset}
    start = at + -at % metadata.get("general.alignment", 32)
    return {"version": version, "metadata": metadata, "tensors": tensors, "data_offset": start}


# %% [markdown] items="1.4.C3"
# **Predict.** In C such a reader crashes or worse. Python checks every index, so it is safe? Of the malformed files, what
# percentage does this reader *accept*, without any error? Put your number in place of `...`.
# %% role="predict" id="predict-accepted"
my_accepted_percent = ...
# %% role="given" id="surprise"
from autograder.checks.oracles import gguf_hostile  # noqa: E402

sample = gguf_hostile.base(np.random.default_rng(1))
sample_bytes = sample.bytes()
hostile = gguf_hostile.files(sample)
naive_ends = collections.Counter()
heaviest = 0
for bad in hostile:
    end = bounded_call(lambda: naive_reader(bad.data), memory_mb=128, seconds=0.5)  # noqa: B023
    naive_ends[end.get("raised", "accepted").replace("error", "struct.error")] += 1
    heaviest = max(heaviest, end["peak_bytes"])
print(f"{len(hostile)} malformed files from a valid one of {len(sample_bytes)} bytes:")
for how, times in naive_ends.most_common():
    print(f"  {how:20s} {times:4d}")
print(
    f"most memory in one call: {heaviest / 2**20:,.0f} MiB (128 MiB more than at the start are allowed)"
)
accepted_percent = 100 * naive_ends["accepted"] / len(hostile)
reveal(my_accepted_percent, accepted_percent, unit="%")
# %% [markdown] items="1.4.C3"
# **What happened.** A slice past the end is *silently short* in Python, so many cut files pass as whole. Others end in `struct.error` or
# `MemoryError`: a caller cannot tell a bad file from a bug. And nothing looks at types, offsets and dimensions: the crash comes
# later, in a kernel that reads outside the file.
# %% [markdown] items="1.4.C3"
# ## It has happened
#
# | CVE | believed |
# |---|---|
# | 2024-23605, 2024-21836 | llama.cpp: the two counts |
# | 2024-23496, 2024-21825 | lengths of strings and arrays |
# | 2024-21802 | dimensions (`info->ne`) |
# | 2025-53630, 2026-27940 | sums of tensor sizes that wrap; the second passes the first's fix |
# | 2026-7482 | Ollama: offsets beyond the file |
#
# The first five came from Cisco Talos in 2024: heap overflows, by *opening a model*.
# %% [markdown] items="1.4.C3 1.4.K8"
# ## What the `gguf` package does
#
# Measured, not assumed: the package's `GGUFReader` opens the same files in a process of its own, which may take 2 GiB of memory and two seconds a
# file.
# %% role="given" id="package"
OPENER = """
import collections, json, resource, signal, sys
from pathlib import Path
from gguf import GGUFReader
resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31))
def late(*_): raise TimeoutError
signal.signal(signal.SIGALRM, late)
ends = {}
for path in sorted(Path(sys.argv[1]).glob("*.gguf")):
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        GGUFReader(path)
        ends[path.stem] = "accepted"
    except BaseException as error:
        ends[path.stem] = type(error).__name__
    signal.setitimer(signal.ITIMER_REAL, 0)
print(json.dumps(ends))
"""
with tempfile.TemporaryDirectory() as place:
    for number, bad in enumerate(hostile):
        (Path(place) / f"{number:04d}.gguf").write_bytes(bad.data)
    done = subprocess.run(
        [sys.executable, "-c", OPENER, place], capture_output=True, text=True, timeout=600
    )
if done.returncode:
    print(f"the process died with status {done.returncode}: {done.stderr[-300:]}")
    package_ends = {}
else:
    package_ends = json.loads(done.stdout)
    for how, times in collections.Counter(package_ends.values()).most_common():
        print(f"  {how:20s} {times:4d}")
    by_family = collections.Counter(
        hostile[int(number)].family for number, how in package_ends.items() if how == "accepted"
    )
    print("accepted, by family:", dict(by_family))


# %% [markdown] items="1.4.C3"
# **What you should see.** No memory is corrupted: it is Python. The package refuses duplicates on purpose, much by accident
# (`IndexError`). It accepts text that is no UTF-8, dimensions of 0, deep arrays, tensors in one place. And the offset
# $2^{64} - 32$: NumPy's sum wraps, and the tensor begins 32 bytes *before* the data. It is made for files that one trusts.
# %% [markdown] items="1.4.C3 1.4.K8"
# ## One rule: ask before you take
#
# Every number in the file is a **claim**. Before it is used for a slice, an allocation or a loop, compare it with the bytes that are
# left.
#
# In C the comparison itself can fail: `at + count * size <= length` *wraps* in 64 bits. With $2^{61}$ entries of 8 bytes the product is 0,
# and everything fits. Use integers that cannot wrap.
# %% role="given" id="wrap"
with np.errstate(over="ignore"):
    wrapped = np.array([2**61 + 1], np.uint64) * np.uint64(8)
print(f"(2^61 + 1) * 8 in uint64: {int(wrapped[0])}, in Python: {(2**61 + 1) * 8:,}")
print(f"so 'is 8 <= bytes left?' says yes, and the loop runs {2**61 + 1:,} times")
# %% [markdown] items="1.4.K8"
# ### Exercise: take
#
# All reading goes through this function. `GGUFError` is defined in the first cell.
#
# <details><summary>Hint</summary>Compare <code>count * size</code> with <code>len(data) - at</code>: Python's integers do not
# wrap.</details>


# %% role="exercise" id="gguf-take" items="1.4.K8 1.4.C3" minutes=7
def take(data: bytes, at: int, count: int, size: int, field: str) -> tuple[bytes, int]:
    """The next `count` things of `size` bytes each, if the file has them.

    Args:
        data: the file, bytes or a memoryview of bytes.
        at: where to begin, 0 .. len(data).
        count: 0 .. 2**64 - 1, as the file claims. size: 1 .. 8, bytes.
        field: the name for the error.

    Returns:
        raw: count * size bytes (bytes, or a memoryview).
        end: the place behind them.

    Raises:
        GGUFError: for `field`, when fewer bytes are left. Nothing is cut out or allocated before.

    >>> take(b"GGUF...", 0, 4, 1, "magic")
    (b'GGUF', 4)
    >>> refused_field(lambda: take(b"GGUF...", 4, 2**61, 8, "value"))
    'value'
    """
    ### BEGIN SOLUTION
    left = len(data) - at
    if count * size > left:
        raise GGUFError(field, f"{count} times {size} bytes are claimed, {left} bytes are left.")
    end = at + count * size
    return data[at:end], end
    ### END SOLUTION


# %% role="check" id="gguf-take" points=3
check("gguf-take", take)
# %% [markdown] items="1.4.K8 1.4.C3"
# ## Values: lengths, depth, text
#
# Four ways to lie in a value:
#
# - a **length** or **count** beyond the end: an element takes its scalar's bytes at least, a string 8, an array 12;
# - **depth**: an array in an array in an array ... ends in a stack overflow. Four levels are plenty;
# - **text** that is no UTF-8;
# - a **boolean** that is neither 0 nor 1, which a C compiler may treat as both.
# %% [markdown] items="1.4.K8"
# ### Exercise: a value that cannot lie
#
# All problems inside a value have the field `value`. Only a `value_type` that is none of the thirteen has the field `value_type`.
#
# <details><summary>Hint 1</summary>Read every length with <code>take(data, at, 1, 8, "value")</code>; before the loop call
# <code>take(data, at, count, least, "value")</code> as a test.</details>
# <details><summary>Hint 2</summary><code>str(raw, "utf-8")</code> raises UnicodeDecodeError, which is a ValueError, but no
# GGUFError.</details>
# <details><summary>Hint 3</summary>Test the element type before you hand it down: there it would be called
# value_type.</details>


# %% role="exercise" id="gguf-safe-value" items="1.4.K8 1.4.C3" minutes=20
def safe_value(data: bytes, at: int, value_type: int, depth: int = 1) -> tuple[object, int]:
    """One metadata value, as in lesson 1, or a refusal.

    Args:
        data: the file, or any part of one. at: where the value begins, 0 .. len(data).
        value_type: any uint32.
        depth: of this value if it is an array: 1, and one more for each array around it.

    Returns:
        value: int, float, bool, str or list. end: the place behind it.

    Raises:
        GGUFError: field "value_type": value_type is none of the thirteen. Field "value": the value, or any
            part of it, is cut off; a string or an array claims more than the bytes left can hold (an
            element takes its scalar's size at least, a string 8, an array 12; refused before any element
            is read); an element type is none of the thirteen, also if there is no element; an array has
            depth 5 or more, also if it is empty; a boolean is not 0 or 1; a string is not UTF-8.
        The memory taken is at most 64 bytes for each byte of data, and 1 MiB.

    >>> safe_value(struct.pack("<IQ3h", 3, 3, -1, 0, 7), 0, ARRAY)
    ([-1, 0, 7], 18)
    >>> refused_field(lambda: safe_value(struct.pack("<IQ", STRING, 2**40), 0, ARRAY))
    'value'
    """
    ### BEGIN SOLUTION
    if value_type == BOOL:
        raw, at = take(data, at, 1, 1, "value")
        if raw[0] > 1:
            raise GGUFError("value", f"a boolean is 0 or 1, not {raw[0]}.")
        return bool(raw[0]), at
    if value_type in SCALARS:
        code = "<" + SCALARS[value_type]
        raw, at = take(data, at, 1, struct.calcsize(code), "value")
        return struct.unpack(code, raw)[0], at
    if value_type == STRING:
        raw, at = take(data, at, 1, 8, "value")
        raw, at = take(data, at, int.from_bytes(raw, "little"), 1, "value")
        try:
            return str(raw, "utf-8"), at
        except UnicodeDecodeError as error:
            raise GGUFError("value", f"no UTF-8 at byte {error.start} of the string.") from None
    if value_type != ARRAY:
        raise GGUFError("value_type", f"{value_type} is none of the types 0 to 12.")
    if depth > 4:
        raise GGUFError("value", "arrays lie more than 4 deep in one another.")
    raw, at = take(data, at, 12, 1, "value")
    element_type, count = struct.unpack("<IQ", raw)
    if element_type > 12:
        raise GGUFError("value", f"{element_type} is no element type, 0 to 12 are.")
    least = {STRING: 8, ARRAY: 12}
    size = least.get(element_type) or struct.calcsize("<" + SCALARS[element_type])
    take(data, at, count, size, "value")
    values = []
    for _ in range(count):
        value, at = safe_value(data, at, element_type, depth + 1)
        values.append(value)
    return values, at
    ### END SOLUTION


# %% role="check" id="gguf-safe-value" points=6
check("gguf-safe-value", safe_value)
# %% [markdown] items="1.4.K8 1.4.C3"
# ## Dimensions multiply
#
# A tensor's bytes are a product of up to four 64-bit numbers and a block size. In C every multiplication can wrap: dimensions $2^{32} \times
# 2^{32}$ have $2^{64}$ values, which is 0 in a uint64. The loader allocates nothing, and the kernel writes through $2^{32}$ rows.
#
# C code divides instead: is `n > limit / so_far`? In Python multiply, but not in NumPy, and compare the result with $2^{63} - 1$.
# %% [markdown] items="1.4.K8"
# ### Exercise: the bytes of a tensor
#
# <details><summary>Hint 1</summary>Order: number of dimensions, type, zeros, rows that blocks do not divide, the product.</details>
# <details><summary>Hint 2</summary>Blocks lie along the first dimension. Without dimensions there is one value in one
# row.</details>


# %% role="exercise" id="gguf-tensor-bytes" items="1.4.K8" minutes=10
def tensor_bytes(dims: tuple[int, ...], kind: int) -> int:
    """How many bytes the data of a tensor take.

    Args:
        dims: in the file's order, the fastest first; each 0 .. 2**64 - 1, as the file claims. () is one value.
        kind: tensor type, any uint32.

    Returns:
        size: a Python int, dims[0] // values of a block * bytes of a block, times the other dimensions.

    Raises:
        GGUFError: field "n_dims": more than 4 dimensions. Field "type": kind is not in BLOCKS. Field "dims": a
            dimension is 0; dims[0] (or the 1 of no dimensions) is no multiple of the block ("type" is right
            here too); the size is more than 2**63 - 1 bytes.

    >>> tensor_bytes((64, 3), 8)
    204
    >>> refused_field(lambda: tensor_bytes((2**32, 2**32), 0))
    'dims'
    """
    ### BEGIN SOLUTION
    if len(dims) > 4:
        raise GGUFError("n_dims", f"{len(dims)} dimensions, 4 are allowed.")
    if kind not in BLOCKS:
        raise GGUFError("type", f"{kind} is no tensor type.")
    if 0 in dims:
        raise GGUFError("dims", f"one of {tuple(dims)} is 0.")
    values, block_bytes = BLOCKS[kind]
    row, *others = dims or (1,)
    if row % values:
        raise GGUFError("dims", f"rows of {row} are no multiple of the block of {values}.")
    size = row // values * block_bytes
    for n in others:
        size *= n
    if size > 2**63 - 1:
        raise GGUFError("dims", f"{size} bytes are more than 2^63 - 1.")
    return size
    ### END SOLUTION


# %% role="check" id="gguf-tensor-bytes" points=4
check("gguf-tensor-bytes", tensor_bytes)
# %% [markdown] items="1.4.K8 1.4.C3"
# ## Where tensors may lie
#
# Each tensor has a place: offset and size. Four conditions: the offset is a multiple of the **alignment**; it is not **before the end** of the
# tensor before it in the table; the tensor **ends inside** the data; and the table's order is the order in the file.
#
# With this order overlap needs one comparison for each tensor, instead of one for each pair: a million entries cannot make the check
# itself slow.
# %% [markdown] items="1.4.K8"
# ### Exercise: the layout
#
# Gaps are allowed, and so are bytes behind the last tensor. Return how many bytes belong to no tensor: padding, and whatever somebody
# hides there.
#
# <details><summary>Hint</summary>One loop with the end of the tensor before; <code>max(available, 0)</code> when the file ends before
# the data section.</details>


# %% role="exercise" id="gguf-layout" items="1.4.K8" minutes=8
def check_layout(places: list[tuple[int, int]], alignment: int, available: int) -> int:
    """Refuse tensors that are misaligned, out of order, overlapping or outside the file.

    Args:
        places: (offset, size) in bytes of each tensor in the table's order; offsets 0 .. 2**64 - 1 from the
            beginning of the data section, sizes 1 .. 2**63 - 1.
        alignment: a power of two.
        available: bytes of the data section; below 0 when the file ends before it begins.

    Returns:
        unused: bytes of the data section in no tensor; max(available, 0) if there is no tensor, and no tensor
            is no error.

    Raises:
        GGUFError: field "offset": an offset is no multiple of the alignment, is before the end of the
            tensor before it, or offset + size is more than available. A tensor that alone is longer than
            the data section may have the field "dims" or "offset".

    >>> check_layout([(0, 40), (64, 10)], 32, 96)
    46
    >>> refused_field(lambda: check_layout([(0, 40), (32, 10)], 32, 96))
    'offset'
    """
    ### BEGIN SOLUTION
    end = 0
    for offset, size in places:
        if size > available:
            raise GGUFError("dims", f"{size} bytes of a tensor, the data section has {available}.")
        if offset % alignment:
            raise GGUFError("offset", f"{offset} is no multiple of {alignment}.")
        if offset < end:
            raise GGUFError("offset", f"{offset} is before the end of the tensor before it, {end}.")
        end = offset + size
        if end > available:
            raise GGUFError("offset", f"the tensor ends at {end}, the data at {available}.")
    return max(available, 0) - sum(size for _, size in places)
    ### END SOLUTION


# %% role="check" id="gguf-layout" points=4
check("gguf-layout", check_layout)


# %% [markdown] items="1.4.K8"
# ## Keys and names
#
# Both are strings with rules of their own: not empty, not too long, UTF-8, and **only once**. Two entries with one name are a classic: one
# program takes the first, another the last, and a scanner has looked at the other one.
#
# The helper below reads both kinds through your `take`.
# %% role="given" id="setup-text"
def safe_text(data, at, most, field, taken):
    """A string of 1 to `most` bytes of UTF-8 that is not in `taken`, and the place behind it."""
    raw, at = take(data, at, 1, 8, field)
    size = int.from_bytes(raw, "little")
    if not 1 <= size <= most:
        raise GGUFError(field, f"it has {size} bytes, 1 to {most} are allowed.")
    raw, at = take(data, at, size, 1, field)
    try:
        text = str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise GGUFError(field, f"no UTF-8 at byte {error.start}.") from None
    if text in taken:
        raise GGUFError(field, f"{text!r} is there already.")
    return text, at


# %% [markdown] items="1.4.K8"
# ### Exercise: the key-values
#
# `general.alignment` is a key like others, with one difference: all further places depend on it. So its faults, of the type and of the value,
# have the field `alignment`.
#
# <details><summary>Hint 1</summary>Test the count with <code>take(data, at, count, 13, "kv_count")</code>: a key-value takes 8 bytes
# of length, 4 of type and 1 of value at least.</details>
# <details><summary>Hint 2</summary>A power of two has one bit: <code>n &amp; (n - 1) == 0</code>, and 0 passes this
# test.</details>


# %% role="exercise" id="gguf-safe-metadata" items="1.4.K8 1.4.C3" minutes=12
def safe_metadata(data: bytes, at: int, count: int) -> tuple[dict, int]:
    """All key-values of a file, or a refusal.

    Args:
        data: the file, or any part of one. at: where the first key begins, 0 .. len(data).
        count: of key-values, 0 .. 2**64 - 1, as the file claims.

    Returns:
        metadata: key to value, in the file's order. end: the place behind the last value.

    Raises:
        GGUFError: field "kv_count": 13 bytes times count are more than are left; tested first. Field "key": not
            1 .. 65,535 bytes, not UTF-8, there already, or cut off. Field "value_type": none of the thirteen,
            or cut off. Field "alignment": general.alignment is not of type UINT32 (whatever its value), no
            power of two, not 8 .. 65,536, or its value is cut off. Field "value": as safe_value, for all other
            keys.
        The memory taken is at most 64 bytes for each byte of data, and 1 MiB.

    >>> safe_metadata(struct.pack("<Q4sIB", 4, b"n.ok", BOOL, 1), 0, 1)
    ({'n.ok': True}, 17)
    >>> alignment = struct.pack("<Q17sII", 17, b"general.alignment", UINT32, 48)
    >>> refused_field(lambda: safe_metadata(alignment, 0, 1))
    'alignment'
    """
    ### BEGIN SOLUTION
    take(data, at, count, 13, "kv_count")
    metadata = {}
    for _ in range(count):
        key, at = safe_text(data, at, 65_535, "key", metadata)
        raw, at = take(data, at, 1, 4, "value_type")
        value_type = int.from_bytes(raw, "little")
        if key != "general.alignment" or value_type > 12:
            metadata[key], at = safe_value(data, at, value_type)
            continue
        if value_type != UINT32:
            raise GGUFError("alignment", f"its type is {value_type}, not UINT32.")
        raw, at = take(data, at, 1, 4, "alignment")
        alignment = metadata[key] = int.from_bytes(raw, "little")
        if alignment & (alignment - 1) or not 8 <= alignment <= 65_536:
            raise GGUFError("alignment", f"{alignment} is no power of two from 8 to 65,536.")
    return metadata, at
    ### END SOLUTION


# %% role="check" id="gguf-safe-metadata" points=5
check("gguf-safe-metadata", safe_metadata)
# %% [markdown] items="1.4.K8"
# ## The rules
#
# | field | refuse |
# |---|---|
# | magic, version | not `GGUF`; not 2 or 3 |
# | tensor_count | more entries of 24 bytes than are left |
# | kv_count, key, value_type, value, alignment | as in `safe_metadata` |
# | name | empty, over 64 bytes, not UTF-8, twice |
# | n_dims, dims, type, offset | as in your functions |
#
# A field that is cut off has its own name.
# %% [markdown] items="1.4.K8 1.4.C3"
# ### Exercise: the whole reader, hardened
#
# Put your functions together. Everything that breaks none of the rules must be read.
#
# <details><summary>Hint 1</summary>The header: magic, version (uint32), tensor count, key-value count (uint64 each), at 0, 4, 8 and
# 16. Each has its own <code>take</code>.</details>
# <details><summary>Hint 2</summary>Refuse n_dims above 4 before you take the dimensions.</details>
# <details><summary>Hint 3</summary><code>len(data) - data_offset</code> is what check_layout calls available.</details>


# %% role="exercise" id="gguf-safe-reader" items="1.4.K8 1.4.C3" minutes=20
def read_gguf_safely(data: bytes) -> dict:
    """What is in a GGUF file, or a refusal that names the field.

    Args:
        data: bytes or a memoryview of bytes, of any content.

    Returns:
        {"version", "metadata", "tensors": {name: {"shape", "type", "offset"}}, "data_offset"}, as
        read_gguf of lesson 1 does: shape a tuple, the slowest dimension first; offset from
        data_offset; data_offset the end of the table rounded up to the alignment (without the key 32).

    Raises:
        GGUFError: nothing else, whatever the data are. Its field:
            "magic": not b"GGUF". "version": not 2 or 3, little-endian.
            "kv_count", "key", "value_type", "value", "alignment": as safe_metadata.
            "tensor_count": 24 bytes times the count are more than are left behind the header or behind
                the key-values; tested before the first entry is read.
            "name": not 1 .. 64 bytes, not UTF-8, or there already.
            "n_dims", "type", "dims": as tensor_bytes. "offset": as check_layout; a tensor that reaches past
                the end of the file, or into the next, may have "dims" or "offset".
            A field that is cut off: that field's name (a length belongs to what it measures).
            In a file that breaks several rules any of their fields is right.
        Not looked at: padding bytes, gaps between tensors, bytes behind the last tensor; the padding behind
        the last one may be missing, and without tensors the file may end before data_offset.
        Memory: at most 64 bytes for each byte of data, and 1 MiB. Time: two seconds.

    >>> read_gguf_safely(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    {'version': 3, 'metadata': {}, 'tensors': {}, 'data_offset': 32}
    >>> refused_field(lambda: read_gguf_safely(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0)))
    'tensor_count'
    """
    ### BEGIN SOLUTION
    if bytes(take(data, 0, 4, 1, "magic")[0]) != b"GGUF":
        raise GGUFError("magic", "the file does not begin with GGUF.")
    version = int.from_bytes(take(data, 4, 1, 4, "version")[0], "little")
    if version not in (2, 3):
        raise GGUFError("version", f"{version} is not 2 or 3.")
    tensor_count = int.from_bytes(take(data, 8, 1, 8, "tensor_count")[0], "little")
    kv_count = int.from_bytes(take(data, 16, 1, 8, "kv_count")[0], "little")
    take(data, 24, tensor_count, 24, "tensor_count")
    metadata, at = safe_metadata(data, 24, kv_count)
    take(data, at, tensor_count, 24, "tensor_count")
    tensors, places = {}, []
    for _ in range(tensor_count):
        name, at = safe_text(data, at, 64, "name", tensors)
        raw, at = take(data, at, 1, 4, "n_dims")
        n_dims = int.from_bytes(raw, "little")
        if n_dims > 4:
            raise GGUFError("n_dims", f"{n_dims} dimensions, 4 are allowed.")
        raw, at = take(data, at, n_dims, 8, "dims")
        dims = struct.unpack(f"<{n_dims}Q", raw)
        raw, at = take(data, at, 1, 4, "type")
        kind = int.from_bytes(raw, "little")
        raw, at = take(data, at, 1, 8, "offset")
        offset = int.from_bytes(raw, "little")
        places.append((offset, tensor_bytes(dims, kind)))
        tensors[name] = {"shape": dims[::-1], "type": kind, "offset": offset}
    start = at + -at % metadata.get("general.alignment", 32)
    check_layout(places, metadata.get("general.alignment", 32), len(data) - start)
    return {"version": version, "metadata": metadata, "tensors": tensors, "data_offset": start}
    ### END SOLUTION


# %% role="check" id="gguf-safe-reader" points=8
check("gguf-safe-reader", read_gguf_safely)


# %% [markdown] items="1.4.K8"
# **Measure.** The same malformed files again, and the price of the tests on a real model.
# %% role="given" id="hardened-measured"
safe_ends = collections.Counter()
for bad in hostile:
    safe_end = bounded_call(lambda: read_gguf_safely(bad.data))  # noqa: B023
    safe_ends["refused by field" if safe_end.get("field") in bad.fields else "other"] += 1
print(f"{len(hostile)} malformed files: {dict(safe_ends)}")
with tempfile.TemporaryDirectory() as place:
    real = write_lm_gguf(Path(place) / "lm.gguf").read_bytes()
equal = read_gguf_safely(real) == naive_reader(real)
naive_time = measure(lambda: naive_reader(real), repeats=9)
safe_time = measure(lambda: read_gguf_safely(real), repeats=9)
print(f"the shipped model, {len(real):,} bytes: the same result {equal}")
print(f"  believing {naive_time}")
print(f"  hardened  {safe_time}")
slowdown = safe_time.median_ms / naive_time.median_ms


# %% [markdown] items="1.4.K8 1.4.C3"
# ## Fuzz it
#
# A list of malformed files holds what somebody thought of. A **fuzzer** changes valid files at random, thousands a second, and looks for anything but
# a result or a `GGUFError`. Numbers near the limits ($2^{63}$, $2^{64} - 1$) find more than random ones.
#
# **Predict.** After how many changed files does the believing reader first do something else than read or raise ValueError?
# %% role="predict" id="predict-fuzz"
my_first_crash = ...
# %% role="given" id="fuzz"
EDGES = [0, 1, 4, 9, 13, 255, 2**31, 2**32 - 1, 2**61, 2**62, 2**63, 2**64 - 1]


def mutated(data, rng):
    """The file with one to three changes: a bit, a number at its limits, or a cut."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at, how = int(rng.integers(len(changed))), rng.integers(8)
        if how < 4:
            changed[at] ^= 1 << int(rng.integers(8))
        elif how < 7:
            size = int(rng.choice([4, 8]))
            number = EDGES[rng.integers(len(EDGES))] % 2 ** (8 * size)
            changed[at : at + size] = number.to_bytes(size, "little")
        else:
            del changed[at + 1 :]
    return bytes(changed)


def fuzz(reader, tries, seed=0):
    """How `tries` changed files end, and the number of the first that is neither read nor ValueError."""
    rng, ends, first = np.random.default_rng(seed), collections.Counter(), None
    for i in range(tries):
        data = mutated(sample_bytes, rng)
        end = bounded_call(lambda: reader(data), memory_mb=128, seconds=0.5)  # noqa: B023
        how = end.get("field") or end.get("raised", "read")
        ends[how] += 1
        if first is None and end.get("raised", "ValueError") != "ValueError":
            first = i + 1
    return ends, first


tries = 3000 if profile.name == "cpu" else 30_000
naive_fuzzed, naive_first = fuzz(naive_reader, tries)
safe_fuzzed, safe_first = fuzz(read_gguf_safely, tries)
print("believing:", dict(naive_fuzzed.most_common()))
print("hardened: ", dict(safe_fuzzed.most_common()))
print(f"first crash: believing at file {naive_first}, hardened {safe_first}")
reveal(my_first_crash, naive_first or tries, unit="files")


# %% [markdown] items="1.4.C3"
# ## What no reader can refuse
#
# Set every byte in turn to one value, and see what the hardened reader says. Move the slider. Weights and values may be anything: a changed weight is
# a *valid* file. Only a **checksum or signature from elsewhere** protects them, because whoever changes the file can change a checksum
# inside it too.
# %% role="given" id="every-byte"
def every_byte(value=255):
    """The file's bytes in rows of 32, coloured by what becomes of the file when the byte is `value`."""
    whole = read_gguf_safely(sample_bytes)
    kinds = ["refused", "read, other metadata", "read, as before"]
    rows = -(-len(sample_bytes) // 32)
    fig, axes = figure(1, 1, height_inch=4.0)
    ax = axes[0, 0]
    tally = collections.Counter()
    for i in range(len(sample_bytes)):
        trial = sample_bytes[:i] + bytes([value]) + sample_bytes[i + 1 :]
        try:
            same = read_gguf_safely(trial) == whole
            kind = kinds[2] if same else kinds[1]
        except GGUFError:
            kind = kinds[0]
        tally[kind] += 1
        ax.fill_between(
            [i % 32, i % 32 + 1], i // 32, i // 32 + 1, color=COLOURS[kinds.index(kind)], lw=0
        )
    for colour, kind in zip(COLOURS, kinds, strict=False):
        ax.plot([], [], "s", color=colour, label=f"{kind}: {tally[kind]} bytes")
    data_row = whole["data_offset"] / 32
    ax.axhline(data_row, color=INK, lw=1)
    ax.text(32.3, data_row, "data", va="center", fontsize=8)
    ax.set(xlim=(0, 32), ylim=(rows, 0), xlabel="byte in the row", ylabel="row of 32 bytes")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=7)
    return fig, (
        f"Each byte of a {len(sample_bytes)}-byte file set to {value}: {tally['refused']} lead to a refusal, "
        f"{tally[kinds[1]]} to other metadata or tensors, {tally[kinds[2]]} to the same result, among them "
        "the whole data section below the line."
    )


explore(every_byte, value=[255, 0, 1, 127, 128])
# %% [markdown]
# ## Written question
#
# A company lets customers upload GGUF files to a service that runs them with a C++ engine. Someone writes: "We now have a hardened Python reader in
# front of it. It refused all malformed files and ran a week of fuzzing without a crash. So uploads are safe."
# 1. Name two ways in which an upload that this reader accepts can still do harm, and say which part of the file does it.
# 2. The engine parses the file again. Why can this matter, and what do you do about it?
# 3. What does a week of fuzzing show, and what not? Use your measurements of this lesson.
# %% [markdown] role="written" id="after-the-reader" items="1.4.C3 1.4.K8" points=3
# **Model answer.** 1. Metadata that is executed later: a chat template (`tokenizer.chat_template`) is a Jinja program; llama-cpp-python rendered it
# without a sandbox (CVE-2024-34359), which ran the uploader's code. Metadata that is well formed but inconsistent: token ids or a layer count that the engine uses
# as an index; a tokenizer array with another element type than the engine assumes. Weights that make the model behave as the uploader wants: valid floats.
# Or resources: a valid file with huge, sparse dimensions that the engine allocates activations for.
#
# 2. Two parsers can differ (duplicate keys, wrapping sums, offsets): what one accepts as harmless the other reads otherwise. Let the engine read a file
# that was *written anew* from what was parsed, keep it patched, run it as another user in a sandbox without network, with limits on memory and time.
#
# 3. That random changes of these seeds found no crash: evidence, no proof. Here the believing reader failed after a handful of files and the
# hardened one not in thousands, but both runs start from one small file; rules nobody wrote down (consistency between keys) are not tested. Coverage, more seeds and
# a fuzzer with knowledge of the format, run on the engine itself, say more.
#
# **Rubric.** 1 point: two harms with the part of the file, not parser bugs of this reader. 1 point: the differing second parser and a measure
# against it. 1 point: what fuzzing shows and does not, with a figure. Half a point off for "a checksum in the file would help".
# %% [markdown]
# ## Recap
#
# - Every number in a file is a claim. Compare it with the bytes that are left before you slice, allocate or loop.
# - Products and sums wrap in 64 bits: $2^{61}$ entries of 8 bytes are 0 bytes.
# - Bound depth, counts, names; refuse duplicates; demand an order that makes overlap cheap to test.
# - One kind of error with the field's name: a caller can tell a bad file from a bug, a user what to do.
# - A perfect parser says nothing about the contents: templates run, weights act. Trust comes from the source and a signature.
#
# **Three questions**
#
# <details><summary>1. Why test kv_count * 13 before the loop, when the loop would fail at the end of the file anyway?</summary>The error names the field that
# lies, and a reader that allocates room for kv_count entries first is dead before the loop.</details>
# <details><summary>2. offset = 2^64 - 32 and size = 64. What does offset + size &lt;= available say in uint64?</summary>The sum is 32: it says
# yes.</details>
# <details><summary>3. Why may padding not simply be ignored by a scanner for hidden data?</summary>Nobody reads it: it carries anything. check_layout
# returns how many such bytes there are.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Cisco Talos, vulnerability reports on llama.cpp of February 2024 (CVE-2024-21802, 21825, 21836, 23496, 23605): for each the line that believed a
#   number.
# - `ggml/src/gguf.cpp` in ggml-org/llama.cpp: today's reader, with the tests that those reports brought; compare its rules with yours.
# - *SECURITY.md* in ggml-org/llama.cpp: which inputs the project regards as untrusted, and what it asks of users.
# - CWE-190 (integer overflow), CWE-122 (heap overflow), CWE-125 (read outside of bounds), CWE-674 (uncontrolled recursion): the names of what you
#   refused.
# - Zalewski's notes on AFL and the libFuzzer documentation (LLVM): coverage-guided fuzzing, the next step after random changes.
#
# **Next:** `3_block_formats`: what the bytes of a quantized tensor mean.
# %%
# Your result.
print(
    f"malformed files accepted        {naive_ends['accepted']} of {len(hostile)} before, {safe_ends['other']} not as they should after"
)
print(f"gguf package accepted           {sum(how == 'accepted' for how in package_ends.values())}")
print(f"first crash under the fuzzer    file {naive_first} before, {safe_first} after {tries:,}")
print(f"price on the shipped model      {slowdown:.1f} times the reading time")
