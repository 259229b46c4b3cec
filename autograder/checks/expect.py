"""Comparisons for judges. Each raises `Wrong` with one finding at the first thing that is off."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from autograder.checks import tolerances
from autograder.checks.spec import Finding, Wrong

LONGEST_TEXT = 1000  # characters of one text in a report


def wrong(stage: str, message: str, **details: Any) -> None:
    """Raise a finding; `details` are the other fields of Finding, shown through `show`."""
    for key in ("yours", "right"):
        if key in details and not isinstance(details[key], str):
            details[key] = show(details[key])
    details = {key: _short(value) for key, value in details.items()}
    raise Wrong(Finding(stage, _short(message), **details))


def _short(text: Any) -> Any:
    """A text of a report: an answer's own strings may be megabytes long."""
    if isinstance(text, str) and len(text) > LONGEST_TEXT:
        return f"{text[:LONGEST_TEXT]}... ({len(text):,} characters)"
    return text


def that(condition: bool, message: str, *, stage: str = "values", **details: Any) -> None:
    """Raise a finding unless `condition` holds."""
    if not condition:
        wrong(stage, message, **details)


def show(value: Any) -> str:
    """A short text for one value; arrays are described, never printed whole."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray):
        if value.size <= 6:
            return f"{value.tolist()} ({value.dtype})"
        return f"array {value.shape} {value.dtype}"
    if isinstance(value, (list, tuple, dict, set)) and len(value) > 6:
        return f"{type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def kind(value: Any) -> str:
    """The type of a plain value in a learner's words."""
    if value is None:
        return "None (does your function end with `return`?)"
    if is_tensor(value):
        return f"a torch tensor of {value['torch_dtype']}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of {value.dtype}"
    return f"a {type(value).__name__}"


def is_tensor(value: Any) -> bool:
    """True for the plain form of a torch tensor."""
    return isinstance(value, dict) and set(value) == {"torch", "torch_dtype"}


def sequence(answer: Any, names: tuple[str, ...]) -> tuple:
    """The answer as a tuple of len(names); lists are accepted."""
    listed = ", ".join(names)
    if not isinstance(answer, (tuple, list)):
        wrong("type", f"Return {len(names)} values: {listed}.", yours=kind(answer), right=listed)
    if len(answer) != len(names):
        wrong(
            "type",
            f"Return {len(names)} values: {listed}.",
            yours=f"{len(answer)} values",
            right=f"{len(names)} values",
        )
    return tuple(answer)


def mapping(answer: Any, keys: tuple[str, ...], *, only: bool = False) -> dict:
    """The answer as a dict that has at least `keys`; only=True: and no others."""
    if not isinstance(answer, dict):
        wrong("type", f"Return a dict with {', '.join(keys)}.", yours=kind(answer), right="a dict")
    missing = [key for key in keys if key not in answer]
    if missing:
        wrong(
            "type",
            f"The dict lacks {missing[0]!r}.",
            yours=sorted(map(str, answer)),
            right=list(keys),
        )
    more = [key for key in answer if key not in keys] if only else []
    if more:
        wrong("type", f"The dict has {more[0]!r}, which was not asked.", right=list(keys))
    return answer


def array(
    value: Any, name: str, *, shape: tuple | None = None, dtype: Any = None, hint: str = ""
) -> np.ndarray:
    """A NumPy array of this shape and (one of) this dtype. Returns it."""
    if not isinstance(value, np.ndarray):
        wrong(
            "type",
            f"`{name}` must be a NumPy array.",
            yours=kind(value),
            right="a NumPy array",
            hint=hint,
        )
    if shape is not None and value.shape != tuple(shape):
        wrong(
            "shape",
            f"`{name}` has the wrong shape.",
            yours=str(value.shape),
            right=str(tuple(shape)),
            hint=hint,
        )
    if dtype is not None:
        allowed = dtype if isinstance(dtype, (tuple, list)) else (dtype,)
        if value.dtype not in [np.dtype(d) for d in allowed]:
            names = " or ".join(str(np.dtype(d)) for d in allowed)
            wrong(
                "dtype",
                f"`{name}` has the wrong dtype.",
                yours=str(value.dtype),
                right=names,
                hint=hint,
            )
    return value


def tensor(
    value: Any, name: str, *, shape: tuple | None = None, dtype: str | None = None
) -> np.ndarray:
    """A torch tensor (in plain form) of this shape and dtype such as "torch.float16", as an array."""
    if not is_tensor(value):
        wrong(
            "type", f"`{name}` must be a torch tensor.", yours=kind(value), right="a torch tensor"
        )
    data = value["torch"]
    if shape is not None and data.shape != tuple(shape):
        wrong(
            "shape",
            f"`{name}` has the wrong shape.",
            yours=str(data.shape),
            right=str(tuple(shape)),
        )
    if dtype is not None and value["torch_dtype"] != dtype:
        wrong("dtype", f"`{name}` has the wrong dtype.", yours=value["torch_dtype"], right=dtype)
    return data


def _scalar(value: Any, name: str, wanted: type, word: str) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, wanted):
        wrong("type", f"`{name}` must be {word}.", yours=kind(value), right=word)
    return value


def number(
    value: Any,
    want: float,
    name: str,
    *,
    rtol: float = tolerances.SCALAR,
    atol: float = 0.0,
    cause: str = "",
    hint: str = "",
) -> float:
    """A real number equal to `want` within rtol/atol; NaN and infinities compare by identity."""
    value = float(_scalar(value, name, Real, "a number"))
    if math.isnan(want) or math.isinf(want):
        good = (math.isnan(want) and math.isnan(value)) or value == want
    else:
        good = math.isfinite(value) and abs(value - want) <= max(atol, rtol * abs(want))
    yours, right = show(value), show(float(want))
    if yours == right:  # they differ behind the digits that are shown
        yours, right = repr(value), repr(float(want))
    that(good, f"`{name}` is off.", yours=yours, right=right, cause=cause, hint=hint)
    return value


def integer(value: Any, want: int, name: str, *, cause: str = "", hint: str = "") -> int:
    """An int (Python or NumPy) equal to `want`; a float such as 3.0 is refused by type."""
    value = int(_scalar(value, name, Integral, "an int"))
    that(value == want, f"`{name}` is off.", yours=value, right=int(want), cause=cause, hint=hint)
    return value


def _first_bad(bad: np.ndarray) -> tuple[tuple[int, ...], str]:
    index = (
        tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape)) if bad.ndim else ()
    )
    count = int(bad.sum())
    place = f"index {index if len(index) != 1 else index[0]}" if index else "the value"
    return index, f"{count} of {bad.size} wrong, first at {place}"


def codes(
    value: np.ndarray, want: np.ndarray, name: str, *, cause: str = "", hint: str = ""
) -> None:
    """Integer (or boolean) arrays equal everywhere; shape and dtype are checked before by `array`."""
    value, want = np.asarray(value), np.asarray(want)
    if value.shape != want.shape:
        wrong(
            "shape", f"`{name}` has the wrong shape.", yours=str(value.shape), right=str(want.shape)
        )
    bad = np.atleast_1d(value != want)
    if bad.any():
        index, where = _first_bad(bad)
        wrong(
            "values",
            f"`{name}` has wrong values.",
            yours=np.atleast_1d(value)[index],
            right=np.atleast_1d(want)[index],
            where=where,
            cause=cause,
            hint=hint,
        )


def close(
    value: np.ndarray,
    want: np.ndarray,
    name: str,
    *,
    rtol: float | None = None,
    atol: Any = 0.0,
    step: Any = None,
    cause: str = "",
    hint: str = "",
) -> None:
    """Real arrays within atol + rtol |want|; NaN equals NaN. `step`: show the error in steps.

    rtol defaults to `tolerances.relative` of the value's dtype (float32 for integers).
    """
    value, want = np.asarray(value), np.asarray(want, dtype=np.float64)
    if value.shape != want.shape:
        wrong(
            "shape", f"`{name}` has the wrong shape.", yours=str(value.shape), right=str(want.shape)
        )
    if rtol is None:
        rtol = tolerances.relative(value.dtype if value.dtype.kind == "f" else np.float32)
    got = np.atleast_1d(value.astype(np.float64))
    want = np.atleast_1d(want)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        gap = np.abs(got - want)
        near = gap <= np.broadcast_to(atol, want.shape) + rtol * np.abs(want)
    near &= np.isfinite(got) & np.isfinite(want)  # an infinite bound would let anything pass
    bad = ~(same | near)
    if bad.any():
        index, where = _first_bad(bad)
        if step is not None and np.isfinite(gap[index]):
            where += f", off by {gap[index] / np.broadcast_to(step, want.shape)[index]:.3g} steps"
        wrong(
            "values",
            f"`{name}` has wrong values.",
            yours=got[index],
            right=want[index],
            where=where,
            cause=cause,
            hint=hint,
        )


def raised(answer: Any, error: str, why: str) -> None:
    """The probe's record of a refusal, {"raised": name or None}: it must name `error`."""
    got = answer.get("raised") if isinstance(answer, dict) else None
    that(
        got == error,
        why,
        stage="edge",
        yours=f"raised {got}" if got else "no error",
        right=f"raise {error}",
    )
