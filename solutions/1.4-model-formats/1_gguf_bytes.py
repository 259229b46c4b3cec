# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Read and write a GGUF file, byte by byte
#
# **You end with:** a reader and a writer of your own for the format in which most quantized language models are
# shared, equal to the `gguf` package byte for byte, and a tensor in memory without a copy.
#
# About 120 minutes. 41 points: 38 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. You need
# Python's `struct`, NumPy and what a byte is; lesson 3 of this module reads what the quantized blocks hold.
#
# How to work: run the cells from the top. Where a cell says `raise NotImplementedError`, write your
# code. The cell below it checks it and says what is off.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import mmap
import os
import shutil
import struct
import tempfile
import time
from pathlib import Path

import gguf
import numpy as np
from tokenizers import pre_tokenizers

from autograder import check
from lab.gguf_files import write_lm_gguf
from lab.lm import load_tokenizer
from lab.plots import COLOURS, INK, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)

# Type ids of metadata values: eleven scalars with their struct formats, then two that have a length.
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
UINT32, STRING, ARRAY = 4, 8, 9
# Type ids of tensors: values that NumPy has, and for every type (values in a block, bytes of a block).
TENSOR_DTYPES = {
    0: "float32", 1: "float16", 24: "int8", 25: "int16", 26: "int32", 27: "int64", 28: "float64",
}  # fmt: skip
BLOCKS = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
TYPE_NAMES = {int(kind): kind.name for kind in gguf.GGMLQuantizationType}
profile

# %% [markdown]
# ## One file, and nothing beside it
#
# The next cell writes the course's small language model as GGUF with the `gguf` package, deletes everything but that file, and
# opens it again: the shape of the network, its tokenizer, its weights.
# **Predict** how many bytes of every thousand are *not* weights: names, settings, the tokenizer, padding. Put your number in place of
# `...`.
# %% role="predict" id="predict-overhead"
my_bytes_per_thousand = ...
# %% role="given" id="surprise"
folder = Path(tempfile.mkdtemp())
lm_path = write_lm_gguf(folder / "lm-f16.gguf", dtype="f16")
opened = gguf.GGUFReader(lm_path)
weight_bytes = sum(int(t.n_bytes) for t in opened.tensors)
file_bytes = lm_path.stat().st_size
print(
    f"{lm_path.name}: {file_bytes:,} bytes, {len(opened.tensors)} tensors, {weight_bytes:,} bytes of weights"
)
for key in ("general.architecture", "llama.block_count", "llama.embedding_length"):
    print(f"  {key:26s} {opened.fields[key].contents()}")
words = opened.fields["tokenizer.ggml.tokens"].contents()
print(f"  tokenizer.ggml.tokens      {len(words)} of them, such as {words[300:306]}")
overhead = 1000 * (1 - weight_bytes / file_bytes)
reveal(my_bytes_per_thousand, overhead, unit="bytes per thousand")
# %% [markdown] items="1.4.C1"
# **What happened.** A handful of bytes in a thousand hold everything else that a program needs to run the model: sizes, names, the tokenizer with
# its merges. In a model of billions this share vanishes.
#
# **GGUF** is one file: weights, **metadata** and **tokenizer**; quantized blocks as the kernels read them; tensors
# aligned, so that a program can *map* the file instead of reading it.
# %% [markdown] items="1.4.C2"
# ## The first bytes
#
# Numbers are little-endian. A file is: header, key-values, tensor table, padding, data.
#
# | bytes | header |
# |---|---|
# | 0 to 3 | magic: the letters `GGUF` |
# | 4 to 7 | version, uint32 |
# | 8 to 15 | number of tensors, uint64 |
# | 16 to 23 | number of key-values, uint64 |
#
# Below, each box is a byte of the file. Move the slider: where does the first key begin?
# %% role="given" id="byte-map"
lm_bytes = lm_path.read_bytes()


def byte_map(first_row=0):
    """Sixteen rows of sixteen bytes, coloured by what they belong to."""
    fig, axes = figure(1, 1, height_inch=4.2)
    ax = axes[0, 0]
    parts = [(4, "magic"), (8, "version"), (16, "tensor count"), (24, "key-value count")]
    colours = dict(zip([name for _, name in parts], COLOURS, strict=False))
    seen = set()
    for i in range(256):
        at = 16 * first_row + i
        name = next((part for end, part in parts if at < end), "key-values")
        colour = colours.get(name, "white")
        row, column = divmod(i, 16)
        ax.add_patch(matplotlib_box(column, row, colour))
        byte = lm_bytes[at]
        letter = chr(byte) if 32 < byte < 127 else f"{byte:02x}"
        ax.text(column + 0.5, row + 0.5, letter, ha="center", va="center", fontsize=8, color=INK)
        if name not in seen:
            seen.add(name)
            ax.plot([], [], "s", color=colour, markeredgecolor=INK, alpha=0.45, label=name)
    ax.set(xlim=(0, 16), ylim=(16, 0), xticks=[], yticks=np.arange(16) + 0.5)
    ax.set_yticklabels([str(16 * (first_row + r)) for r in range(16)])
    ax.set_ylabel("place in the file, bytes")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=5, fontsize=7)
    return fig, (
        f"256 bytes of the file from byte {16 * first_row}, sixteen in a row, letters where a byte is one. "
        "The header takes 24 bytes in four parts; names with their lengths before them follow."
    )


def matplotlib_box(x, y, colour):
    """A square with a thin edge."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 1, 1, facecolor=colour, edgecolor=INK, linewidth=0.3, alpha=0.45)


explore(byte_map, first_row=(0, 40, 1))
# %% [markdown] items="1.4.K2"
# ## Refuse first
#
# A reader that guesses reads garbage. **Version 1** had 32-bit counts; versions 2 and 3 have the layout above. A **big-endian**
# file has the same letters, but its version bytes are reversed: 3 looks like 50,331,648.
#
# The predecessors are told by their magic. It was written as one number, so that its letters stand backwards in the
# file: `lmgg`, `fmgg`, `tjgg` for GGML, GGMF and GGJT.
# %% [markdown] items="1.4.K2 1.4.C2"
# ### Exercise: the header, or a sentence
#
# A refusal is a `ValueError` whose message says what the file is and what to do. Test in the order of the docstring: length, magic,
# byte order, version.
#
# <details><summary>Hint 1</summary><code>struct.unpack_from("&lt;IQQ", data, 4)</code> reads the three numbers behind the
# magic.</details>
# <details><summary>Hint 2</summary><code>int.from_bytes(data[4:8], "big")</code> is what a big-endian machine sees.</details>


# %% role="exercise" id="gguf-header" items="1.4.K2 1.4.C2" minutes=12
def read_header(data: bytes) -> dict[str, int]:
    """Magic, version and counts of a GGUF file of version 2 or 3, little-endian.

    Args:
        data: the file or its beginning, bytes or a memoryview of bytes.

    Returns:
        {"version": int, "tensor_count": int, "kv_count": int}.

    Raises:
        ValueError: in this order, with a message that holds the words in quotes (in any case):
            fewer than 24 bytes: "24";
            the first four bytes are not b"GGUF": for b"lmgg", b"fmgg" and b"tjgg" the name of the old
            format, "GGML", "GGMF" or "GGJT"; for any others "GGUF";
            the version bytes, read in big-endian order, give 1, 2 or 3: "big-endian";
            a version other than 2 and 3: "version" and its number.
            "GGML", "GGMF", "GGJT" and "big-endian" stand in no other message.

    >>> read_header(b"GGUF" + struct.pack("<IQQ", 3, 38, 21))
    {'version': 3, 'tensor_count': 38, 'kv_count': 21}
    >>> read_header(b"GGUF" + struct.pack("<IQQ", 1, 0, 0))
    Traceback (most recent call last):
    ...
    ValueError: GGUF version 1 is not supported, only 2 and 3: convert the model again.
    """
    ### BEGIN SOLUTION
    if len(data) < 24:
        raise ValueError(f"A GGUF file has 24 bytes of header, this one has {len(data)} in all.")
    magic = bytes(data[:4])
    if magic != b"GGUF":
        old = {b"lmgg": "GGML", b"fmgg": "GGMF", b"tjgg": "GGJT"}.get(magic)
        if old:
            raise ValueError(f"This is an old {old} file: convert the original model again.")
        raise ValueError(f"The file begins with {magic!r}, not with GGUF: is it a model at all?")
    version, tensor_count, kv_count = struct.unpack_from("<IQQ", data, 4)
    if int.from_bytes(data[4:8], "big") in (1, 2, 3):
        raise ValueError("This is a big-endian file: convert it to little-endian first.")
    if version not in (2, 3):
        raise ValueError(
            f"GGUF version {version} is not supported, only 2 and 3: convert the model again."
        )
    return {"version": version, "tensor_count": tensor_count, "kv_count": kv_count}
    ### END SOLUTION


# %% role="check" id="gguf-header" points=4
check("gguf-header", read_header)
# %% [markdown] items="1.4.C2"
# ## Thirteen types of values
#
# A key-value is: the key (a string), the type id of the value (uint32), the value.
#
# - Scalars lie **without padding**: a uint8 takes one byte.
# - A **string** is its length in *bytes* (uint64), then UTF-8, with no zero at the end.
# - An **array** is: element type (uint32), count (uint64), elements, without type ids of their own. Inner arrays begin with
#   their own type and count.
# %% [markdown] items="1.4.C2"
# ### Exercise: one value
#
# The place of a value depends on all that lie before it, so a reader returns the value **and** the place behind it.
#
# <details><summary>Hint 1</summary><code>struct.calcsize("&lt;" + code)</code> is the size of a scalar.</details>
# <details><summary>Hint 2</summary>Cut the bytes of a string out first, then decode: <code>bytes(data[a:b]).decode()</code>.</details>
# <details><summary>Hint 3</summary>For an array, call <code>read_value</code> for each element with the element type.</details>


# %% role="exercise" id="gguf-value" items="1.4.C2" minutes=15
def read_value(data: bytes, offset: int, value_type: int) -> tuple[object, int]:
    """Read one metadata value that begins at data[offset].

    Args:
        data: bytes or a memoryview of bytes; long enough, and well formed but for unknown types.
        offset: 0 or more.
        value_type: a key of SCALARS, STRING or ARRAY.

    Returns:
        value: int, float, bool (for type 7), str, or a list for an array (of lists for arrays in it).
        end: the offset of the first byte behind the value.

    Raises:
        ValueError: value_type, or the element type of an array, is none of the thirteen.

    >>> read_value(b"..\\x05\\0\\0\\0\\0\\0\\0\\0llama", 2, STRING)
    ('llama', 15)
    >>> read_value(struct.pack("<IQ3h", 3, 3, -1, 0, 7), 0, ARRAY)
    ([-1, 0, 7], 18)
    """
    ### BEGIN SOLUTION
    if value_type in SCALARS:
        code = "<" + SCALARS[value_type]
        return struct.unpack_from(code, data, offset)[0], offset + struct.calcsize(code)
    if value_type == STRING:
        (size,) = struct.unpack_from("<Q", data, offset)
        end = offset + 8 + size
        return bytes(data[offset + 8 : end]).decode(), end
    if value_type != ARRAY:
        raise ValueError(f"There is no value type {value_type}.")
    element_type, count = struct.unpack_from("<IQ", data, offset)
    if element_type not in SCALARS and element_type not in (STRING, ARRAY):
        raise ValueError(f"There is no element type {element_type}.")
    values, offset = [], offset + 12
    for _ in range(count):
        value, offset = read_value(data, offset, element_type)
        values.append(value)
    return values, offset
    ### END SOLUTION


# %% role="check" id="gguf-value" points=5
check("gguf-value", read_value)
# %% [markdown] items="1.4.C2"
# ## The tensor table
#
# Behind the key-values, for each tensor: name (string), number of dimensions (uint32), the dimensions (uint64 each), type (uint32),
# offset (uint64).
#
# - The **fastest** dimension comes first. NumPy's shape `(768, 256)` is stored as 256, 768: reverse it.
# - The **offset** counts from the beginning of the data section, not of the file.
# - The **type** says how the values are packed: 0 is F32, 1 F16, 8 Q8_0, 12 Q4_K. `BLOCKS` has their sizes.
# %% [markdown] items="1.4.K4 1.4.C2"
# ## Alignment
#
# The data section begins at the next multiple of the **alignment**, and so does each tensor in it; zero bytes fill the gaps. The metadata key
# `general.alignment` (uint32) sets it; without the key it is 32.
#
# From `end`, the byte behind the table, to the data: `-end % alignment` bytes of padding. 32 bytes is what a 256-bit vector load
# takes at once, and it is enough for every type of number.
# %% [markdown] items="1.4.C2 1.4.C1"
# ### Exercise: the whole reader
#
# It tells where everything is and leaves the weights alone: on a file of 40 GB it returns at once. Use `read_header` and
# `read_value`. **Keep this function**: the module's project reads real models with it.
#
# <details><summary>Hint 1</summary>The key and the name are strings: <code>read_value(data, at, STRING)</code>.</details>
# <details><summary>Hint 2</summary><code>struct.unpack_from(f"&lt;{n}Q", data, at)</code> reads n dimensions.</details>


# %% role="exercise" id="gguf-reader" items="1.4.C2 1.4.C1" minutes=15
def read_gguf(data: bytes) -> dict:
    """What is in a GGUF file, without the weights.

    Args:
        data: the whole file, bytes or a memoryview of bytes (of a mapped file as well); well formed
            behind its header.

    Returns:
        {"version": int,
         "metadata": {key: value as read_value gives it},
         "tensors": {name: {"shape": tuple of ints in NumPy's order, the slowest first,
                            "type": int, "offset": int, bytes from data_offset}},
         "data_offset": int, bytes from the beginning of the file: the end of the tensor table rounded up
            to the alignment, general.alignment in the metadata or 32, also where there is no tensor}
        Both inner dicts are in the file's order. No dimensions: the shape (), one value.

    Raises:
        ValueError: as read_header and read_value do.

    >>> read_gguf(b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    ...           + struct.pack("<Q4sIB", 4, b"n.ok", 7, 1))
    {'version': 3, 'metadata': {'n.ok': True}, 'tensors': {}, 'data_offset': 64}
    """
    ### BEGIN SOLUTION
    header = read_header(data)
    at, metadata, tensors = 24, {}, {}
    for _ in range(header["kv_count"]):
        key, at = read_value(data, at, STRING)
        value_type, at = read_value(data, at, UINT32)
        metadata[key], at = read_value(data, at, value_type)
    for _ in range(header["tensor_count"]):
        name, at = read_value(data, at, STRING)
        n_dims, at = read_value(data, at, UINT32)
        *dims, kind, offset = struct.unpack_from(f"<{n_dims}QIQ", data, at)
        at += 8 * n_dims + 12
        tensors[name] = {"shape": tuple(reversed(dims)), "type": kind, "offset": offset}
    alignment = metadata.get("general.alignment", 32)
    return {
        "version": header["version"],
        "metadata": metadata,
        "tensors": tensors,
        "data_offset": at + -at % alignment,
    }
    ### END SOLUTION


# %% role="check" id="gguf-reader" points=6
check("gguf-reader", read_gguf)
# %% [markdown] items="1.4.C2"
# **Measure.** Your reader and the package's on the same real file: every key, every shape, every place.
# %%
mine = read_gguf(lm_bytes)
same_keys = all(
    mine["metadata"][key] == field.contents()
    for key, field in opened.fields.items()
    if not key.startswith("GGUF.")
)
same_places = all(
    mine["data_offset"] + mine["tensors"][t.name]["offset"] == t.data_offset
    and mine["tensors"][t.name]["shape"] == tuple(reversed(t.shape.tolist()))
    for t in opened.tensors
)
print(
    f"{len(mine['metadata'])} keys equal: {same_keys}; {len(mine['tensors'])} tensors equal: {same_places}"
)
for tensor_name in ("token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_norm.weight"):
    info = mine["tensors"][tensor_name]
    print(
        f"  {tensor_name:24s} {TYPE_NAMES[info['type']]:4s} {info['shape']}  offset {info['offset']:,}"
    )
read_time = measure(lambda: read_gguf(lm_bytes), repeats=7)
package_time = measure(lambda: gguf.GGUFReader(lm_path), repeats=5)
print(f"your reader         {read_time}")
print(f"the gguf package    {package_time}")


# %% [markdown] items="1.4.C1"
# **What you should see.** Both equal. The time goes to the tokenizer's few thousand strings, none of it to the weights; the package makes NumPy
# arrays of each length and each string, so yours is many times faster. Norms are vectors and stay in F32; matrices are F16.
# %% [markdown] items="1.4.K4"
# ## Map, do not read
#
# `read()` copies the file into memory of the process. **`mmap`** only notes that these addresses *are* the file. The first touch
# of a page (4 KiB) is a page fault; the kernel brings the page in, and then it is ordinary memory.
#
# Two processes that map a file share one copy; an untouched page is never loaded. But a tensor must be usable **where it
# lies**: hence the alignment, and blocks as kernels read them.
# %% [markdown] items="1.4.K4"
# ### Exercise: a tensor without a copy
#
# `np.frombuffer` makes an array of memory that is already there. Map the file read-only. The check changes the file afterwards: a
# view follows, a copy does not.
#
# <details><summary>Hint 1</summary><code>mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)</code>; it stays mapped when the file
# object is closed, for as long as the array lives.</details>
# <details><summary>Hint 2</summary>A type that NumPy lacks: dtype uint8, and the last dimension counts bytes.</details>


# %% role="exercise" id="gguf-map" items="1.4.K4 1.4.C1" minutes=12
def map_tensor(path: str, name: str) -> np.ndarray:
    """A tensor of a GGUF file as a read-only array that shares the mapped file's memory.

    Args:
        path: a well-formed GGUF file, one tensor or more, none empty.
        name: of the tensor.

    Returns:
        for a type in TENSOR_DTYPES: that dtype, the tensor's shape.
        for any other type: uint8, its shape with the last dimension in bytes,
            shape[-1] // values in a block * bytes of a block (see BLOCKS). BF16 is one of them.

    Raises:
        KeyError: no tensor has this name.

    >>> with tempfile.TemporaryDirectory() as place:
    ...     example = write_lm_gguf(Path(place) / "draft.gguf", name="draft")
    ...     map_tensor(example, "output_norm.weight").dtype
    dtype('float32')
    """
    ### BEGIN SOLUTION
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    found = read_gguf(memoryview(mapped))
    info = found["tensors"][name]
    shape, start = info["shape"], found["data_offset"] + info["offset"]
    dtype = TENSOR_DTYPES.get(info["type"], "uint8")
    if info["type"] not in TENSOR_DTYPES:
        values, block_bytes = BLOCKS[info["type"]]
        shape = (*shape[:-1], shape[-1] // values * block_bytes)
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(mapped, dtype, count, start).reshape(shape)
    ### END SOLUTION


# %% role="check" id="gguf-map" points=6
check("gguf-map", map_tensor)
# %% [markdown] items="1.4.K4"
# **Predict.** A larger file, with the same layers many times over. One tensor of it is wanted. Reading the whole file and cutting the tensor
# out takes how many times as long as mapping it, when the file was read before and lies in the page cache?
# %% role="predict" id="predict-map"
my_map_factor = ...
# %% role="given" id="load-time"
big_path = write_lm_gguf(folder / "big-f32.gguf", "f32", repeat=8 if profile.name == "cpu" else 64)
big_mib = big_path.stat().st_size / 2**20
wanted = "blk.20.ffn_down.weight"
big_info = gguf.GGUFReader(big_path).tensors
big_place = next((t.data_offset, int(t.n_elements)) for t in big_info if t.name == wanted)
del big_info


def by_read():
    """Copy the whole file into memory, then cut the tensor out; its sum touches each value."""
    whole = big_path.read_bytes()
    return float(np.frombuffer(whole, np.float32, big_place[1], big_place[0]).sum())


def by_map():
    """Map the file; only the pages of the tensor are touched."""
    with open(big_path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return float(np.frombuffer(mapped, np.float32, big_place[1], big_place[0]).sum())


def drop_cache(path):
    """Ask the kernel to forget the file's pages; True where there is such a request."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def once_ms(fn):
    """One call, milliseconds: a file is cold only once."""
    begin = time.perf_counter()
    fn()
    return 1000 * (time.perf_counter() - begin)


warm = {"read": measure(by_read, repeats=7), "map": measure(by_map, repeats=7)}
cold = {}
for way, call in (("read", by_read), ("map", by_map)):
    runs = [once_ms(call) for _ in range(3) if drop_cache(big_path)]
    cold[way] = float(np.median(runs)) if runs else float("nan")
print(f"{big_path.name}: {big_mib:,.0f} MiB, the tensor {4 * big_place[1] / 2**20:.2f} MiB")
for way in ("read", "map"):
    print(f"  {way:5s} warm {warm[way]}")
    print(f"  {'':5s} after asking the kernel to drop the file: {cold[way]:,.1f} ms median of 3")
map_factor = warm["read"].median_ms / warm["map"].median_ms
reveal(my_map_factor, map_factor, unit="times")


# %% [markdown] items="1.4.K4"
# **What you should see.** Warm, mapping wins by hundreds to thousands: reading copies every byte, the map touches one tensor in about 130. *Warm*
# is the usual case, for the page cache keeps files in free memory.
#
# *Cold* depends on the disk, and on whether the kernel obeyed: dropping is a request, and a virtual disk has caches of its own. A
# program that needs **all** weights gains less: every page must come in either way.
# %% role="given" id="resident"
def memory_mib():
    """Resident memory of this process in MiB: its own (anonymous), and pages of files."""
    path = Path("/proc/self/status")
    if not path.exists():
        return {"own": float("nan"), "file": float("nan")}
    fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return {
        "own": int(fields["RssAnon"].split()[0]) / 1024,
        "file": int(fields["RssFile"].split()[0]) / 1024,
    }


def resident_after(step):
    """MiB of own and of file memory that a step adds while its result is kept."""
    before = memory_mib()
    kept = step()
    after = memory_mib()
    del kept
    return {kind: after[kind] - before[kind] for kind in before}


def keep_map(touch):
    """The mapped file, after one byte of each of the first pages was read."""
    with open(big_path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    view = np.frombuffer(mapped, np.uint8)
    return view, int(view[: int(touch * len(view)) : 4096].sum())


resident = {
    "read the file": resident_after(big_path.read_bytes),
    "map it, touch nothing": resident_after(lambda: keep_map(0)),
    "map it, touch a tenth": resident_after(lambda: keep_map(0.1)),
    "map it, touch all": resident_after(lambda: keep_map(1)),
}
print(f"{'resident memory added, MiB':28s} own   file pages")
for way, added in resident.items():
    print(f"  {way:26s} {added['own']:6.1f} {added['file']:9.1f}")
# %% [markdown] items="1.4.K4"
# **What you should see.** Reading: the whole file as **own** memory, which the kernel can only swap out. Mapping: own memory
# near zero, file pages as far as they were touched. The kernel may drop these at any moment, and
# ten processes share them.
#
# So `top` shows a mapped model as large though it costs a second process nothing.
# %% [markdown] items="1.4.K1"
# ## Why GGML files had to go
#
# The formats before GGUF (GGML, GGMF, GGJT) began with a **list of untyped numbers**, in an order that each program knew by heart. The
# specification names what went wrong: the file did not say which *architecture* it held; a new hyperparameter broke every older reader; the
# quantization version hid in another number.
#
# Key-values cure this: a reader ignores keys it does not know, and names those it misses. Alignment came with GGJT.
# %% role="given" id="untyped"
old_style = struct.pack("<7i", 2048, 512, 256, 8, 6, 32, 1)
guesses = {
    "one program's order": ("n_vocab", "n_embd", "n_mult", "n_head", "n_layer", "n_rot", "ftype"),
    "another program's": ("n_vocab", "n_ctx", "n_embd", "n_head", "n_layer", "par_res", "ftype"),
}
print("the same 28 bytes of an untyped header:")
for guess, meaning in guesses.items():
    values_read = struct.unpack("<7i", old_style)
    print(f"  {guess:20s} {dict(zip(meaning, values_read, strict=True))}")
print("Both readers are content. Only one is right, and nothing in the bytes says which.")
# %% [markdown] items="1.4.C2"
# ## The way back: bytes from values
#
# The writer needs what Python's values do not say: is 7 a uint8 or an int64? So a value comes with its type id, and an array is the pair
# `(element type, list)`. An array of arrays is `(ARRAY, [(4, [1, 2]), (8, ["a"])])`.
# %% [markdown] items="1.4.C2"
# ### Exercise: write one value
#
# <details><summary>Hint</summary>The mirror of <code>read_value</code>, without the type id of the value itself; for an array the element
# type and the count come first.</details>


# %% role="exercise" id="gguf-write-value" items="1.4.C2" minutes=8
def write_value(value_type: int, value: object) -> bytes:
    """The bytes of a metadata value, without its own type id.

    Args:
        value_type: a key of SCALARS, STRING or ARRAY.
        value: int, float, bool or str that fits the type; for ARRAY a pair (element type, list), where
            an element that is an array is such a pair again.

    Returns:
        bytes, little-endian, no padding.

    Raises:
        ValueError: value_type or an element type is none of the thirteen.

    >>> write_value(STRING, "é").hex(" ")
    '02 00 00 00 00 00 00 00 c3 a9'
    >>> write_value(ARRAY, (0, [1, 255])).hex(" ")
    '00 00 00 00 02 00 00 00 00 00 00 00 01 ff'
    """
    ### BEGIN SOLUTION
    if value_type in SCALARS:
        return struct.pack("<" + SCALARS[value_type], value)
    if value_type == STRING:
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw
    if value_type != ARRAY:
        raise ValueError(f"There is no value type {value_type}.")
    element_type, items = value
    if element_type not in SCALARS and element_type not in (STRING, ARRAY):
        raise ValueError(f"There is no element type {element_type}.")
    head = struct.pack("<IQ", element_type, len(items))
    return head + b"".join(write_value(element_type, item) for item in items)
    ### END SOLUTION


# %% role="check" id="gguf-write-value" points=4
check("gguf-write-value", write_value)
# %% [markdown] items="1.4.C2 1.4.K4"
# ### Exercise: write the file
#
# Header, key-values, table, padding, then each tensor with the padding behind it, **the last one too**. The check compares with the
# `gguf` package's `GGUFWriter`, byte for byte.
#
# <details><summary>Hint 1</summary>Make the table first with a running offset; after each tensor round it up:
# <code>offset += nbytes + -nbytes % alignment</code>.</details>
# <details><summary>Hint 2</summary><code>array.tobytes()</code> gives the values in C order, however the array lies in
# memory.</details>


# %% role="exercise" id="gguf-writer" items="1.4.C2 1.4.K4" minutes=18
def write_gguf(metadata: dict[str, tuple], tensors: dict[str, np.ndarray]) -> bytes:
    """A GGUF file of version 3, little-endian.

    Args:
        metadata: key to (value type, value as write_value takes it), written in this order and as it is:
            no key is added. "general.alignment": (4, n) sets the alignment; without it 32.
        tensors: name to array of a dtype in TENSOR_DTYPES, native byte order, any memory layout, zero to
            four dimensions. They are stored in this order, each at the next multiple of the alignment.

    Returns:
        the file as bytes. Padding is zero bytes: behind the table (also if there is no tensor), and
        behind each tensor.

    Raises:
        ValueError: a tensor of another dtype.

    >>> found = read_gguf(write_gguf({"k": (8, "v")}, {"t": np.zeros((2, 3), np.float16)}))
    >>> found["metadata"], found["tensors"]
    ({'k': 'v'}, {'t': {'shape': (2, 3), 'type': 1, 'offset': 0}})
    """
    ### BEGIN SOLUTION
    type_ids = {name: kind for kind, name in TENSOR_DTYPES.items()}
    alignment = metadata.get("general.alignment", (UINT32, 32))[1]
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, (value_type, value) in metadata.items():
        out += write_value(STRING, key) + struct.pack("<I", value_type)
        out += write_value(value_type, value)
    offset, data = 0, []
    for name, array in tensors.items():
        if array.dtype.name not in type_ids:
            raise ValueError(f"{name}: a tensor of {array.dtype} cannot be written.")
        dims = array.shape[::-1]
        out += write_value(STRING, name) + struct.pack("<I", len(dims))
        out += struct.pack(f"<{len(dims)}QIQ", *dims, type_ids[array.dtype.name], offset)
        data.append(array.tobytes() + bytes(-array.nbytes % alignment))
        offset += len(data[-1])
    return out + bytes(-len(out) % alignment) + b"".join(data)
    ### END SOLUTION


# %% role="check" id="gguf-writer" points=6
check("gguf-writer", write_gguf)
# %% [markdown] items="1.4.C2"
# **Measure.** The shipped model read by you, written by you, and compared with the file of the package.
# %% role="given" id="round-trip"
value_types = {
    key: (int(field.types[0]), [int(t) for t in field.types[1:]])
    for key, field in opened.fields.items()
    if not key.startswith("GGUF.")
}
again = {}
for key, (kind, inner) in value_types.items():
    content = opened.fields[key].contents()
    again[key] = (kind, (inner[0], content) if kind == ARRAY else content)
rewritten = write_gguf(again, {name: map_tensor(lm_path, name) for name in mine["tensors"]})
rewritten_equal = rewritten == lm_bytes
print(f"{len(rewritten):,} bytes, equal to the package's file: {rewritten_equal}")
print(
    "bytes of each tensor divide by 1,024:", all(int(t.n_bytes) % 1024 == 0 for t in opened.tensors)
)


def padding_share(alignment):
    """Bytes of padding per thousand in the shipped model's file at an alignment."""
    sizes = [int(t.n_bytes) for t in opened.tensors]
    fill = sum(-size % alignment for size in sizes)
    return 1000 * fill / (sum(sizes) + fill)


alignments = [8, 32, 64, 512, 4096, 16384, 65536]
show(
    curves(
        alignments,
        {"this model, F16": [padding_share(a) for a in alignments]},
        xlabel="alignment, bytes",
        ylabel="padding, bytes per thousand",
        logx=True,
    ),
    alt="Padding in bytes per thousand against the alignment on a logarithmic axis. It is nothing up to "
    "an alignment of 512 bytes, small at 4,096 and climbs steeply to 65,536.",
)
# %% [markdown] items="1.4.K4"
# **What you should see.** Equal, to the last byte. And at 32 bytes padding is free: every tensor of this model is a multiple of 1,024 bytes
# anyway. At 65,536 each small norm vector would take 64 KiB.
# %% [markdown] items="1.4.K3"
# ## Why the tokenizer travels along
#
# A model knows **ids**, not text. Row 314 of the embedding means what token 314 was in training. With another vocabulary, or other
# merges, every id means something else, and *nothing fails*: the output is fluent nonsense, or slightly worse text, which is harder
# to notice.
#
# So the list of tokens is a weight like any other. In one file with the matrix, it cannot be lost or swapped.
# %% role="given" id="setup-bytes"
# GPT-2's table: each byte has a printable character, so that tokens can be written as text. A space is Ġ.
plain_bytes = [*range(33, 127), *range(161, 173), *range(174, 256)]
spare = iter(range(256, 512))
CHAR_OF = {byte: chr(byte if byte in plain_bytes else next(spare)) for byte in range(256)}
BYTE_OF = {char: byte for byte, char in CHAR_OF.items()}
# %%
tokens_read = mine["metadata"]["tokenizer.ggml.tokens"]
merges_read = mine["metadata"]["tokenizer.ggml.merges"]
print("tokens 500 to 506:", tokens_read[500:507])
print("first merges:     ", merges_read[:5])
swapped = tokens_read[:1] + tokens_read[1:][::-1]
some_ids = load_tokenizer()("The parameters are passed to the function.").input_ids
for label, table in (("its own tokens", tokens_read), ("another order", swapped)):
    print(f"{label:15s} {''.join(table[i] for i in some_ids)!r}")
# %% [markdown] items="1.4.K3"
# ### Exercise: from ids to text
#
# `BYTE_OF` maps a character to its byte. `tokenizer.ggml.token_type` has 3 for control tokens such as the end of a text: they are
# no text.
#
# <details><summary>Hint 1</summary>Join the tokens first, turn all characters into bytes next, decode last: a character of
# several bytes may be split over two tokens.</details>
# <details><summary>Hint 2</summary>A negative id would index from the end of the list.</details>


# %% role="exercise" id="gguf-detokenize" items="1.4.K3" minutes=8
def detokenize(metadata: dict, ids: list[int]) -> str:
    """The text of token ids, by the byte-level tokenizer in a file's metadata.

    Args:
        metadata: as read_gguf gives it; tokenizer.ggml.tokens (list of str, each of characters in
            BYTE_OF but for control tokens) and tokenizer.ggml.token_type (list of int, 3 is control).
        ids: zero or more.

    Returns:
        the text: control tokens left out, all bytes decoded together as UTF-8; bytes that are no UTF-8
        become U+FFFD (errors="replace").

    Raises:
        ValueError: an id below 0, or one that the list of tokens does not have.

    >>> tokens = ["<|endoftext|>", "ĠgrÃ", "¶ÃŁe"]
    >>> detokenize({"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": [3, 1, 1]}, [0, 1, 2])
    ' größe'
    """
    ### BEGIN SOLUTION
    tokens = metadata["tokenizer.ggml.tokens"]
    types = metadata["tokenizer.ggml.token_type"]
    wrong = [i for i in ids if not 0 <= i < len(tokens)]
    if wrong:
        raise ValueError(f"There is no token {wrong[0]}: the file has {len(tokens)}.")
    text = "".join(tokens[i] for i in ids if types[i] != 3)
    return bytes(BYTE_OF[char] for char in text).decode("utf-8", errors="replace")
    ### END SOLUTION


# %% role="check" id="gguf-detokenize" points=3
check("gguf-detokenize", detokenize)
# %% [markdown] items="1.4.K3"
# ## From text to ids
#
# **Byte-pair encoding** begins with single characters. The merges were learned in an order, and that order is their **rank**: of all neighbours
# in the piece, join the pair of the lowest rank, the leftmost if it occurs more than once; again, until no pair is in the list.
#
# Greedy matching of the longest token gives other ids. The model never saw those.
# %% [markdown] items="1.4.K3"
# ### Exercise: merge
#
# A text is first cut into pieces (words with the space before them); that part is given below.
#
# <details><summary>Hint 1</summary><code>rank = {tuple(m.split(" ")): i for i, m in enumerate(merges)}</code></details>
# <details><summary>Hint 2</summary>One merge a round is simple and right: find the lowest (rank, place), join, repeat.</details>


# %% role="exercise" id="gguf-tokenize" items="1.4.K3" minutes=12
def tokenize_piece(metadata: dict, piece: str) -> list[int]:
    """Token ids of one piece of text by the merges in a file's metadata.

    Args:
        metadata: tokenizer.ggml.tokens (list of str) and tokenizer.ggml.merges (list of "left right",
            the lowest rank first; every left + right is a token).
        piece: characters of the byte table, possibly none.

    Returns:
        ids: list of int.

    Raises:
        ValueError: a character that is no token.

    >>> bpe = {"tokenizer.ggml.tokens": ["a", "b", "c", "ab", "bc"], "tokenizer.ggml.merges": ["b c", "a b"]}
    >>> tokenize_piece(bpe, "abcab")
    [0, 4, 3]
    """
    ### BEGIN SOLUTION
    id_of = {token: i for i, token in enumerate(metadata["tokenizer.ggml.tokens"])}
    rank = {tuple(m.split(" ")): i for i, m in enumerate(metadata["tokenizer.ggml.merges"])}
    parts = list(piece)
    unknown = [part for part in parts if part not in id_of]
    if unknown:
        raise ValueError(f"The vocabulary has no token for {unknown[0]!r}.")
    while len(parts) > 1:
        pairs = list(zip(parts, parts[1:], strict=False))
        best = min(range(len(pairs)), key=lambda i: (rank.get(pairs[i], len(rank)), i))
        if pairs[best] not in rank:
            break
        parts[best : best + 2] = ["".join(pairs[best])]
    return [id_of[part] for part in parts]
    ### END SOLUTION


# %% role="check" id="gguf-tokenize" points=4
check("gguf-tokenize", tokenize_piece)
# %% [markdown] items="1.4.K3"
# **Measure.** A text through the tokenizer in the file and through transformers; and back.
# %% role="given" id="tokenizer-agrees"
cut = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
sample = "def größe(self):\n    return self.size  # naïve, 日本語, 3.14\n"
by_file = [
    i for piece, _ in cut.pre_tokenize_str(sample) for i in tokenize_piece(mine["metadata"], piece)
]
by_transformers = load_tokenizer()(sample).input_ids
ids_equal = by_file == by_transformers
print(f"{len(sample)} characters, {len(by_file)} ids, equal to transformers: {ids_equal}")
print("back:", repr(detokenize(mine["metadata"], by_file)))
print("same text:", detokenize(mine["metadata"], by_file) == sample)
shutil.rmtree(folder)
# %% [markdown]
# ## Written question
#
# A team stores models as a folder: `config.json`, `tokenizer.json`, and the weights as one file of raw float32 arrays with 4-byte alignment, in an
# order that `config.json` fixes. They plan to start eight server processes on one machine with 64 GB, each with a model of 28 GB in 4 bits.
# 1. Name two failures of such folders that GGUF prevents, and one that it does **not** prevent.
# 2. Estimate the memory of the eight processes with `read` and with `mmap`, and say what you assume.
# 3. What must change in their weight file so that a kernel can use mapped weights directly? Use figures of this lesson.
# %% [markdown] role="written" id="why-one-file" items="1.4.K1 1.4.K3 1.4.K4" points=3
# **Model answer.** 1. Parts that do not belong together (a tokenizer of another model: every id means another row, and nothing fails); an untyped
# order of arrays that a newer version reads wrongly, where GGUF names each tensor, its type and shape, and each setting by key. Not prevented: wrong
# or malicious contents. Nothing in the format is signed or has a checksum, and a length in the file can lie (lesson 2).
#
# 2. Read: eight private copies, 8 · 28 = 224 GB: it does not fit into 64. Mapped read-only: about 28 GB of page cache once, shared by all, plus
# what each process has of its own (KV cache, buffers). Assumed: the weights are used as stored, without conversion to another layout, and all processes map
# the same file. Here reading added the file's whole size as own memory, mapping nearly none.
#
# 3. Quantized blocks as the kernel reads them (28 GB in 4 bits is not float32: else a conversion makes a private copy), each tensor at a multiple of 32 bytes
# or more, a table with name, type, shape and offset. The padding costs nothing at 32 bytes for this model.
#
# **Rubric.** 1 point: two prevented failures with their mechanism and one that remains. 1 point: 224 GB against about 28 GB shared, with an assumption
# about sharing or conversion. 1 point: alignment and the stored layout as conditions, with a figure. Half a point off for "mmap makes loading free".
# %% [markdown]
# ## Recap
#
# - Header, key-values, tensor table, padding, data; little-endian; strings and arrays carry their lengths.
# - Refuse by magic, byte order and version, before anything else, with a sentence that says what to do.
# - Dimensions are stored fastest first; offsets count from the data section; the data section and each tensor are aligned.
# - A mapped tensor is memory that the file system lends: loaded by touch, shared, dropped without loss.
# - The tokenizer is a part of the model: ids mean nothing without the list.
#
# **Three questions**
#
# <details><summary>1. The table ends at byte 1,000, the alignment is 64. Where do the data begin?</summary>1,000 = 15 · 64 + 40, so 24 bytes of
# padding: at 1,024.</details>
# <details><summary>2. A file has the letters GGUF and version 33,554,432. What is it?</summary>2 · 2²⁴: version 2 written by a big-endian
# machine.</details>
# <details><summary>3. A Q8_0 matrix has the shape (64, 256). How many bytes?</summary>8 blocks of 34 bytes in a row: 64 · 272 = 17,408.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - *GGUF*, `docs/gguf.md` in the repository ggml-org/ggml: the specification. Sections "File Structure" (the structs that you read) and "Historical State
#   of Affairs" (why the older formats had to go).
# - The `gguf` package (`gguf-py` in ggml-org/llama.cpp): `gguf_writer.py`, functions `write_ti_data_to_file` and `_pack_val`: your writer's twins.
# - `mmap(2)` and `posix_fadvise(2)` in the Linux manual: MAP_SHARED and MAP_PRIVATE; what POSIX_FADV_DONTNEED promises.
# - Sennrich, Haddow and Birch, *Neural Machine Translation of Rare Words with Subword Units*, ACL 2016, section 3.2: byte-pair encoding in a
#   page, with code.
#
# **Next:** `2_hostile_gguf`: your reader believes every length that a file claims. That ends now.
# %%
# Your result.
print(f"bytes that are not weights     {overhead:.1f} per thousand")
print(f"read against map, warm         {map_factor:,.0f} times")
print(
    f"own memory: read, map          {resident['read the file']['own']:.0f} MiB, {resident['map it, touch all']['own']:.1f} MiB"
)
print(f"rewritten file equal           {rewritten_equal}")
print(f"ids equal to transformers      {ids_equal}")
