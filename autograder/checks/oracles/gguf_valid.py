"""Random valid GGUF files, what a reader must find in them, and the same bytes from the `gguf` package."""

import tempfile
from pathlib import Path

import numpy as np

from autograder.checks.oracles.gguf_build import ARRAY, SCALARS, STRING, UINT32, Draft, tensor

WORDS = (
    "",
    "llama",
    "a b",
    "größe",
    "日本語",
    "\U0001f999",
    "x" * 70,
    "line\nline",
    "\x00",
    " x \n",
)
INTEGERS = {0: (0, 255), 1: (-128, 127), 2: (0, 65535), 3: (-(2**15), 2**15 - 1),
            4: (0, 2**32 - 1), 5: (-(2**31), 2**31 - 1), 10: (0, 2**64 - 1),
            11: (-(2**63), 2**63 - 1)}  # fmt: skip


def scalar(rng: np.random.Generator, value_type: int) -> object:
    """A random value of a scalar type or a string; integers are often at their limits."""
    if value_type == STRING:
        return WORDS[rng.integers(len(WORDS))]
    if value_type == 7:
        return bool(rng.integers(2))
    if value_type == 6:
        return float(np.float32(rng.normal()))
    if value_type == 12:
        return float(rng.normal())
    low, high = INTEGERS[value_type]
    if rng.random() < 0.5:
        return (low, high, low + 1, high - 1)[rng.integers(4)]
    return int(rng.integers(max(low, -(2**62)), min(high, 2**62)))


def value(rng: np.random.Generator, value_type: int, depth: int = 2) -> object:
    """A random value; an array is (element type, list), up to `depth` arrays in one another."""
    if value_type != ARRAY:
        return scalar(rng, value_type)
    kinds = [*SCALARS, STRING] + ([ARRAY] if depth > 1 else [])
    element_type = int(rng.choice(kinds))
    items = [value(rng, element_type, depth - 1) for _ in range(rng.integers(1, 5))]
    return element_type, items


def pairs(rng: np.random.Generator, types: list[int]) -> tuple:
    """Key-values of these types."""
    return tuple((f"test.key_{i}", t, value(rng, t)) for i, t in enumerate(types))


def arrays(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Tensors of ragged shapes and of the dtypes that NumPy and GGUF share."""
    dtypes = ("float32", "float16", "float64", "int8", "int16", "int32", "int64")
    found = {}
    for i in range(count):
        shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 5)))
        data = rng.normal(0, 50, shape).astype(dtypes[rng.integers(len(dtypes))])
        found[f"blk.{i}.weight"] = data
    return found


def draft(
    rng: np.random.Generator, types: list[int], tensors: int, alignment: int = 32
) -> tuple[Draft, dict[str, np.ndarray]]:
    """A file with key-values of these types, and its tensors as arrays.

    An alignment other than 32 gets its key, in the middle of the others.
    """
    metadata = list(pairs(rng, types))
    if alignment != 32:
        metadata.insert(len(metadata) // 2, ("general.alignment", UINT32, alignment))
    found = arrays(rng, tensors)
    entries = tuple(tensor(name, array) for name, array in found.items())
    return Draft(tuple(metadata), entries, alignment=alignment), found


def plain(value_type: int, content: object) -> object:
    """What a reader returns for a value: arrays are lists, without their element types."""
    if value_type != ARRAY:
        return content
    element_type, items = content
    return [plain(element_type, item) for item in items]


def expected(described: Draft) -> dict:
    """What a reader must return for a draft: version, metadata, tensors, data_offset."""
    data = described.bytes()
    position, tensors = 0, {}
    for i, entry in enumerate(described.tensors):
        tensors[entry.name] = {
            "shape": tuple(reversed(entry.dims)),
            "type": entry.type,
            "offset": described.offsets.get(i, position),
        }
        position += len(entry.data) + -len(entry.data) % described.alignment
    return {
        "version": described.version,
        "metadata": {key: plain(t, content) for key, t, content in described.metadata},
        "tensors": tensors,
        "data_offset": len(data) - position,
    }


def package_bytes(metadata: tuple, tensors: dict[str, np.ndarray]) -> bytes:
    """The file that the `gguf` package's GGUFWriter makes of these key-values and tensors.

    It cannot write empty arrays; the element types of arrays inside arrays are inferred from Python
    values there (int: INT32, float: FLOAT32).
    """
    from gguf import GGUFValueType, GGUFWriter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.gguf"
        writer = GGUFWriter(path, "none")
        writer.kv_data[0].clear()  # the architecture is put in by the constructor
        for key, value_type, content in metadata:
            if key == "general.alignment":
                writer.data_alignment = content
            sub_type = None
            if value_type == ARRAY:
                sub_type = GGUFValueType(content[0])
                content = plain(ARRAY, content)
            writer.add_key_value(key, content, GGUFValueType(value_type), sub_type)
        for name, array in tensors.items():
            writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def package_pairs(rng: np.random.Generator) -> tuple:
    """Key-values of all types that the package can write, with arrays of arrays as it types them."""
    nested = (ARRAY, [(5, [1, -2, 3]), (5, [4]), (STRING, ["a", "é"])])
    deeper = (ARRAY, [(ARRAY, [(6, [0.5]), (7, [True, False])])])
    flat = [(f"test.list_{t}", ARRAY, (t, [scalar(rng, t) for _ in range(rng.integers(1, 5))]))
            for t in [*SCALARS, STRING]]  # fmt: skip
    all_types = pairs(rng, [*SCALARS, STRING])
    return (*all_types, *flat, ("test.nested", ARRAY, nested), ("test.deeper", ARRAY, deeper))


def difference(got: object, want: object, place: str = "") -> tuple[str, object, object] | None:
    """The first place where two values differ, with both; None if they are the same.

    Types count: True is not 1, a list no tuple (but for shapes), 1.0 no int.
    """
    if isinstance(want, dict) and isinstance(got, dict):
        for key in want:
            if key not in got:
                return f"{place}[{key!r}]", "missing", want[key]
            found = difference(got[key], want[key], f"{place}[{key!r}]")
            if found:
                return found
        extra = [key for key in got if key not in want]
        return (f"{place}[{extra[0]!r}]", got[extra[0]], "nothing") if extra else None
    if isinstance(want, list) and isinstance(got, list) and len(got) == len(want):
        for i, (a, b) in enumerate(zip(got, want, strict=True)):
            found = difference(a, b, f"{place}[{i}]")
            if found:
                return found
        return None
    alike = type(got) is type(want) and (got == want or (got != got and want != want))
    return None if alike else (place, got, want)
