"""Plain data: what may pass from a probe to a judge. No methods, no pickle, bounded in size."""

import math
from typing import Any

import numpy as np

MAX_ITEMS = 200_000
MAX_DEPTH = 8
MAX_INT_BITS = 4096
MAX_BYTES = 256 * 2**20
ARRAY_KINDS = "biufcSU"


class NotPlain(Exception):
    """The answer holds something that is not a number, a string, an array, a list or a dict."""


def to_plain(value: Any, depth: int = 0) -> Any:
    """A deep copy of `value` made of plain data only.

    NumPy scalars become Python numbers; a torch tensor becomes {"torch": array, "torch_dtype": name}
    (bfloat16 and float8 widened to float32); tuples stay tuples.
    Raises NotPlain for anything else, for depth over 8 or more than 200,000 items.
    """
    if depth > MAX_DEPTH:
        raise NotPlain(f"nested more than {MAX_DEPTH} deep")
    if type(value) is int and value.bit_length() > MAX_INT_BITS:
        raise NotPlain(f"an int of {value.bit_length()} bits, the limit is {MAX_INT_BITS}")
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in ARRAY_KINDS:
        return value.item()
    if isinstance(value, np.ndarray):
        return _array(value)
    if type(value).__module__ == "torch" and type(value).__name__ in ("Tensor", "Parameter"):
        return _tensor(value)
    if type(value).__name__ == "Parameter" and hasattr(value, "detach"):
        return _tensor(value)
    if isinstance(value, (list, tuple)):
        if len(value) > MAX_ITEMS:
            raise NotPlain(f"{len(value)} items, the limit is {MAX_ITEMS}")
        items = [to_plain(item, depth + 1) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        if len(value) > MAX_ITEMS:
            raise NotPlain(f"{len(value)} items, the limit is {MAX_ITEMS}")
        return {_key(k): to_plain(v, depth + 1) for k, v in value.items()}
    raise NotPlain(f"a {type(value).__name__}, which is not plain data")


def _key(key: Any) -> Any:
    if isinstance(key, np.generic):
        key = key.item()
    if type(key) not in (str, int, float, bool):
        raise NotPlain(f"a dict key of type {type(key).__name__}")
    return key


def _array(value: np.ndarray) -> np.ndarray:
    extension = value.dtype.kind == "V" and value.dtype.names is None and value.dtype.num >= 256
    if value.dtype.kind not in ARRAY_KINDS and not extension:
        raise NotPlain(f"an array of {value.dtype}")
    if value.nbytes > MAX_BYTES:
        raise NotPlain(f"an array of {value.nbytes} bytes, the limit is {MAX_BYTES}")
    return np.array(value, copy=True, subok=False)


def _tensor(value: Any) -> dict:
    import torch

    data = value.detach().to("cpu")
    if data.dtype in (torch.bfloat16,) or "float8" in str(data.dtype):
        array = data.float().numpy()
    else:
        array = data.numpy()
    return {"torch": _array(array), "torch_dtype": str(value.dtype)}


def same(a: Any, b: Any, rtol: float = 1e-6) -> bool:
    """Whether two plain values are the same answer: structure and codes exact, floats within rtol."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype.kind in "fc":
            return bool(np.allclose(a, b, rtol=rtol, atol=0, equal_nan=True))
        return a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=rtol)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, rtol) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], rtol) for k in a)
    return a == b
