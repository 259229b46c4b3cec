"""Capture and replay of tensor code without a GPU: a stand-in for CUDA Graphs that refuses what they refuse.

Two real tools of PyTorch do it. On the "meta" device a tensor has a shape and no data, so whatever needs a
value on the host fails: `.item()`, `if tensor:`, shapes that depend on data. What this device lets pass
and a GPU does not, a mode refuses: printing, and operands on the host. Then `make_fx` records the
operators, and a replay runs these again on the very same buffers: Python is not asked any more, and what it
computed at capture stays as it was. Nothing is made faster; CUDA refuses more, such as `torch.tensor([1])`
on the GPU or work on the default stream.
"""

from collections.abc import Callable

from lab.errors import CourseError


def capture(fn: Callable[..., object], *buffers: object) -> Callable[[], None]:
    """Record `fn(*buffers)`; its operators run in replays only, not now.

    Args:
        fn: works on tensors and writes its results into the buffers in place.
        buffers: CPU tensors. Replays read and write these, at these addresses.

    Returns:
        replay, called without arguments.

    Raises:
        CourseError: fn reads or prints a value on the host, makes a shape from data, or mixes tensors on
            the device with one on the host (one without dimensions is a number, and may be there).
    """
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves

    class OnDevice(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func in (torch.Tensor.__repr__, torch.Tensor.__format__):
                raise RuntimeError("Printing a tensor reads its values on the host")
            tensors = [leaf for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
            if {t.is_meta for t in tensors if t.dim() or t.is_meta} == {True, False}:
                name = getattr(func, "__name__", "an operator").strip("_")
                raise RuntimeError(f"{name} mixes tensors on the device with one on the host")
            return func(*args, **(kwargs or {}))

    try:
        stand_ins = [torch.empty_like(buffer, device="meta") for buffer in buffers]
        with OnDevice():
            fn(*stand_ins)
        graph = make_fx(fn, tracing_mode="fake")(*buffers)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        # torch's own errors about data-dependent values are kinds of RuntimeError.
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise CourseError(f"This cannot be captured: {type(error).__name__}: {reason}") from error

    def replay() -> None:
        with torch.no_grad():
            graph(*buffers)

    return replay
