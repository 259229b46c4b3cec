"""Plain data as JSON text and back: what passes between the examiner and the learner's kernel.

No pickle, no code, no objects: a reader can build numbers, strings, bytes, lists, tuples, dicts,
arrays and (for inputs) torch tensors, bounded in depth, count and bytes. What is read may have been
written to hurt the reader, so each bound is held before memory is taken. The source of this module is
also sent to the kernel, so it imports nothing of the course.
"""

import base64
import json
from typing import Any

import numpy as np

MAX_TEXT_BYTES = 128 * 2**20
MAX_NESTING = 12
# An entry of a few characters takes some hundred bytes once it is read.
MAX_ENTRIES = 2_000_000
MAX_INT_DIGITS = 4096
# NumPy makes each string of an array as wide as the longest.
MAX_TEXT_ARRAY_CHARS = 16 * 2**20
# Everything else is refused by name: a dtype string could ask for objects.
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *INTEGERS, "float16", "float32", "float64", "complex64", "complex128"]
EXTENSIONS = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3", "float4_e2m1fn"]
EXTENSIONS += ["int4", "uint4"]


class CodecError(ValueError):
    """The text is not what `dumps` writes, or the value is nothing that it can write."""


def dumps(value: Any) -> str:
    """Plain data (or a torch tensor, for inputs) as JSON text. Raises CodecError."""
    return json.dumps(_encode(value, 0), allow_nan=False)


def loads(text: str, tensors: bool = True) -> Any:
    """The value that `dumps` wrote. Raises CodecError for any other text.

    tensors: accept torch tensors. An answer has none: plain.py turns them into arrays.
    """
    if not isinstance(text, str):
        raise CodecError(f"not text but {type(text).__name__}")
    if len(text) > MAX_TEXT_BYTES:
        raise CodecError(f"{len(text)} characters, the limit is {MAX_TEXT_BYTES}")
    entries = text.count("[") + text.count("{") + text.count(",")
    if entries > MAX_ENTRIES:
        raise CodecError(f"{entries} entries, the limit is {MAX_ENTRIES}")
    try:
        return _decode(json.loads(text), 0, tensors)
    except CodecError:
        raise
    # torch raises RuntimeError for a shape that does not fit, and for memory that is not there.
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        RuntimeError,
        MemoryError,
    ) as error:
        raise CodecError(f"not plain data: {type(error).__name__}") from None


def _encode(value: Any, depth: int) -> Any:
    if depth > MAX_NESTING:
        raise CodecError(f"nested more than {MAX_NESTING} deep")
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return {"i": hex(value)}
    if kind is float:
        return {"f": value.hex()}
    if kind is bytes:
        return {"b": base64.b64encode(value).decode("ascii")}
    if kind in (list, tuple):
        return {"l" if kind is list else "t": [_encode(item, depth + 1) for item in value]}
    if kind is dict:
        return {"d": [[_encode(k, depth + 1), _encode(v, depth + 1)] for k, v in value.items()]}
    if isinstance(value, np.generic):
        return {"s": _array(np.asarray(value))}
    if isinstance(value, np.ndarray):
        return {"a": _array(value)}
    if kind.__module__ == "torch" and kind.__name__ == "Tensor":
        return {"torch": _tensor(value)}
    raise CodecError(f"a {kind.__name__} is not plain data")


def _array(value: np.ndarray) -> list:
    name = value.dtype.name
    if value.dtype.kind in "US":
        return ["text", list(value.shape), [str(x) for x in value.ravel().tolist()]]
    if name not in DTYPES and name not in EXTENSIONS:
        raise CodecError(f"an array of {value.dtype} is not plain data")
    # The strides travel as a flag: a transposed input must stay one.
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    data = value.tobytes(order=order)
    return [name, list(value.shape), base64.b64encode(data).decode("ascii"), order]


def _tensor(value: Any) -> list:
    import torch

    name = str(value.dtype).removeprefix("torch.")
    data = value.detach().cpu().contiguous()
    raw = data.reshape(-1).view(torch.uint8).numpy() if data.numel() else np.zeros(0, np.uint8)
    return [name, list(value.shape), base64.b64encode(raw.tobytes()).decode("ascii")]


def _decode(value: Any, depth: int, tensors: bool) -> Any:
    if depth > MAX_NESTING:
        raise CodecError(f"nested more than {MAX_NESTING} deep")
    if value is None or isinstance(value, (bool, str)):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise CodecError("not plain data")
    ((tag, body),) = value.items()
    if tag == "i":
        if len(body) > MAX_INT_DIGITS:
            raise CodecError(f"an int of {len(body)} digits, the limit is {MAX_INT_DIGITS}")
        return int(body, 16)
    if tag == "f":
        return float.fromhex(body)
    if tag == "b":
        return base64.b64decode(body, validate=True)
    if tag in ("l", "t"):
        items = [_decode(item, depth + 1, tensors) for item in body]
        return items if tag == "l" else tuple(items)
    if tag == "d":
        return {_decode(k, depth + 1, tensors): _decode(v, depth + 1, tensors) for k, v in body}
    if tag == "a":
        return _to_array(body)
    if tag == "s":
        return _to_array(body)[()]
    if tag == "torch" and tensors:
        return _to_tensor(body)
    raise CodecError(f"unknown tag {str(tag)[:20]!r}")


def _shape(shape: Any) -> tuple:
    good = isinstance(shape, list) and len(shape) <= 32
    if not good or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise CodecError("not a shape")
    return tuple(shape)


def _to_array(body: list) -> np.ndarray:
    name, shape = body[0], _shape(body[1])
    if name == "text":
        return _to_text_array(body[2], shape)
    if name in EXTENSIONS:
        import ml_dtypes

        dtype = np.dtype(getattr(ml_dtypes, name))
    elif name in DTYPES:
        dtype = np.dtype(name)
    else:
        raise CodecError(f"unknown dtype {str(name)[:20]!r}")
    data = base64.b64decode(body[2], validate=True)
    order = "F" if body[3] == "F" else "C"
    # A copy: frombuffer gives read-only memory, and learners may write to what they are given.
    return np.frombuffer(data, dtype=dtype).reshape(shape, order=order).copy(order=order)


def _to_text_array(items: list, shape: tuple) -> np.ndarray:
    longest = max((len(x) for x in items), default=0)
    if longest * len(items) > MAX_TEXT_ARRAY_CHARS:
        raise CodecError(f"{len(items)} strings of up to {longest} characters")
    return np.array([str(x) for x in items], dtype=np.str_).reshape(shape)


def _to_tensor(body: list) -> Any:
    import torch

    dtype = getattr(torch, body[0], None) if str(body[0]).isidentifier() else None
    if not isinstance(dtype, torch.dtype):
        raise CodecError(f"unknown dtype {str(body[0])[:20]!r}")
    shape = _shape(body[1])
    data = bytearray(base64.b64decode(body[2], validate=True))
    if not data and 0 not in shape:
        raise CodecError("a tensor without its data")
    if not data:
        return torch.zeros(shape, dtype=dtype)
    return torch.frombuffer(data, dtype=torch.uint8).view(dtype).reshape(shape).clone()
