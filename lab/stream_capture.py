"""Capture and replay of tensor code without a GPU: a stand-in for CUDA Graphs that refuses what they refuse.

Two real tools of PyTorch do it. On the "meta" device a tensor has a shape and no data, so whatever needs a
value on the host fails: `.item()`, `if tensor:`, shapes that depend on data. Then `make_fx` records the
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
        CourseError: fn reads a value on the host, makes a shape from data, or mixes devices where PyTorch
            looks for it.
    """
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    try:
        fn(*(torch.empty_like(buffer, device="meta") for buffer in buffers))
        graph = make_fx(fn, tracing_mode="fake")(*buffers)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        # torch's own errors about data-dependent values are kinds of RuntimeError.
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise CourseError(f"This cannot be captured: {type(error).__name__}: {reason}") from error

    def replay() -> None:
        with torch.no_grad():
            graph(*buffers)

    return replay
