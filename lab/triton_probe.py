"""Run a learner's Triton kernel on plain arrays, for a check: results, and accesses out of bounds."""

from typing import Any

import numpy as np

from lab.triton_setup import is_interpreted
from lab.triton_watch import Watch, watch

SHOWN = 3
# Elements around each buffer on a GPU, where accesses are not watched.
CANARIES = 256
# Elements around each watched buffer: what lies beyond an end must not be inside the next one.
GUARD = 1 << 12


def run_kernel(
    kernel: Any,
    grid: tuple[int, ...],
    inputs: dict[str, np.ndarray],
    outputs: dict[str, np.ndarray],
    scalars: tuple = (),
    constants: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Launch `kernel[grid](*inputs, *outputs, *scalars, **constants)` on copies of the arrays.

    Returns:
        "kind": "kernel", or the type of what is no kernel (then nothing else);
        each output's name: the array after the run;
        "changed": the input that the kernel wrote to, or "";
        "outside": up to three accesses out of bounds, [buffer, element, "read" or "write", program];
        "stored": where accesses are watched, [elements, 32-byte sectors, programs] that wrote, by buffer.

    Raises:
        NotImplementedError: the kernel is not written yet.
        Exception: what the kernel raised, without the interpreter's wrapping.
    """

    if not hasattr(kernel, "fn") or not hasattr(kernel, "run"):
        return {"kind": type(kernel).__name__}
    if _unwritten(kernel):
        raise NotImplementedError
    arrays = {**inputs, **outputs}
    arguments = (list(arrays), scalars, constants or {})
    if is_interpreted():
        tensors = {k: _apart(a) for k, a in arrays.items()}
        seen = _interpreted(kernel, grid, tensors, arguments)
        outside = seen.outside
        stored = {k: [t.elements, t.sectors, len(t.programs)] for k, t in seen.stores.items()}
    else:
        (tensors, outside), stored = _compiled(kernel, grid, arrays, arguments), {}
    after = {k: t.cpu().numpy() for k, t in tensors.items()}
    changed = [k for k, a in inputs.items() if after[k].tobytes() != a.tobytes()]
    return {
        "kind": "kernel",
        **{k: after[k] for k in outputs},
        "changed": changed[0] if changed else "",
        "outside": [[name, i, way, list(where)] for name, i, way, where in outside[:SHOWN]],
        "stored": stored,
    }


def _apart(array: np.ndarray) -> Any:
    """A copy of the array as a tensor with GUARD elements of memory on both sides."""
    import torch

    given = torch.from_numpy(np.ascontiguousarray(array))
    # torch's memory begins at a sector's edge, NumPy's need not: counts of sectors are the same each time.
    whole = torch.zeros(array.size + 2 * GUARD, dtype=given.dtype)
    part = whole[GUARD : GUARD + array.size].view(array.shape)
    part.copy_(given)
    return part


def _interpreted(kernel: Any, grid: tuple, tensors: dict, arguments: tuple) -> Watch:
    names, scalars, constants = arguments
    try:
        with watch(stop=False, **tensors) as seen:
            kernel[grid](*(tensors[n] for n in names), *scalars, **constants)
    except Exception as error:
        found = _innermost(error)
        if isinstance(found, NotImplementedError):  # else it would read as an unwritten answer
            raise RuntimeError(f"Triton's interpreter cannot run this: {found}") from None
        raise found from None
    return seen


def _compiled(kernel: Any, grid: tuple, arrays: dict, arguments: tuple) -> tuple[dict, list]:
    """On a GPU each buffer lies between canaries: a write there is seen, a read is not."""
    import torch

    names, scalars, constants = arguments
    wide, tensors = {}, {}
    for name, array in arrays.items():
        flat = torch.from_numpy(np.ascontiguousarray(array).copy()).cuda()
        around = torch.ones(CANARIES, dtype=flat.dtype, device="cuda")
        wide[name] = torch.cat([around, flat.reshape(-1), around])
        tensors[name] = wide[name][CANARIES : CANARIES + flat.numel()].view(flat.shape)
    kernel[grid](*(tensors[n] for n in names), *scalars, **constants)
    torch.cuda.synchronize()
    outside = []
    for name, whole in wide.items():
        size = tensors[name].numel()
        bad = torch.nonzero(torch.cat([whole[:CANARIES], whole[CANARIES + size :]]) != 1)
        for at in bad[:1, 0].tolist():
            index = at - CANARIES if at < CANARIES else at - CANARIES + size
            outside.append((name, index, "write", (0, 0, 0)))
    return tensors, outside


def _unwritten(kernel: Any) -> bool:
    """A kernel that raises NotImplementedError cannot be compiled, so it is not even tried."""
    return "NotImplementedError" in kernel.fn.__code__.co_names


def _innermost(error: BaseException) -> BaseException:
    """The exception inside the interpreter's."""
    while type(error).__name__ == "InterpreterError" and error.__cause__ is not None:
        error = error.__cause__
    return error
