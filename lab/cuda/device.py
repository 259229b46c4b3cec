"""Where kernels run: CuPy's objects where there is a GPU, ours elsewhere. The same cells run on both."""

import contextlib
import functools
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from lab.cuda import arrays, build, kernel
from lab.cuda.errors import CudaError
from lab.cuda.report import Report


@functools.cache
def _cupy() -> ModuleType | None:
    """CuPy where it is installed and finds a GPU. COURSE_CUDA=cpu says to go without."""
    if os.environ.get("COURSE_CUDA") == "cpu":
        return None
    try:
        import cupy

        return cupy if cupy.cuda.runtime.getDeviceCount() else None
    except Exception:  # not installed, no driver, a driver too old: each raises something else
        return None


def on_gpu() -> bool:
    """Whether kernels run on a GPU, with CuPy."""
    return _cupy() is not None


def RawKernel(code: str, name: str, options=(), backend: str = "nvrtc"):  # noqa: N802
    """cupy.RawKernel, or `lab.cuda.kernel.RawKernel` without a GPU."""
    return (_cupy() or kernel).RawKernel(code, name, options=options, backend=backend)


def RawModule(*, code: str, options=(), backend: str = "nvrtc", name_expressions=None):  # noqa: N802
    """cupy.RawModule, or `lab.cuda.kernel.RawModule` without a GPU."""
    return (_cupy() or kernel).RawModule(
        code=code, options=options, backend=backend, name_expressions=name_expressions
    )


def _array_function(name: str):
    def call(*values, **options):
        return getattr(_cupy() or arrays, name)(*values, **options)

    call.__name__ = name
    call.__doc__ = f"cupy.{name}, or without a GPU `lab.cuda.arrays.{name}`: {_first(name)}"
    return call


def _first(name: str) -> str:
    return (getattr(arrays, name).__doc__ or "").splitlines()[0]


array = _array_function("array")
asarray = _array_function("asarray")
asnumpy = _array_function("asnumpy")
arange = _array_function("arange")
empty = _array_function("empty")
empty_like = _array_function("empty_like")
full = _array_function("full")
zeros = _array_function("zeros")
zeros_like = _array_function("zeros_like")


def synchronize() -> None:
    """Wait until the device has done all that was launched; nothing to wait for on the CPU."""
    if on_gpu():
        _cupy().cuda.Device().synchronize()


def set_global(module: Any, name: str, values: np.ndarray) -> None:
    """Fill a module's `__constant__` or `__device__` variable."""
    if on_gpu():
        cupy, host = _cupy(), np.ascontiguousarray(asnumpy(values))
        device = cupy.ndarray(host.shape, host.dtype, module.get_global(name))
        device.set(host)
    else:
        module.get_global(name).set(values)


def watch(
    function: Any, grid, block, args, *, shared_mem: int = 0, run: build.Runner | None = None
) -> Report:
    """Launch on the CPU with every access looked at, on a machine with a GPU too.

    Args:
        function: what RawKernel or get_function gave.
        run: what runs the compiler and the kernel; the sandbox's while grading.

    Returns:
        the counters; the arrays have changed as by a launch.

    Raises:
        KernelError: an access out of bounds, a race, a barrier that not all reach ...; its
            `report` has the counters up to there.
        CudaError: the sizes or an argument cannot be.
    """
    if isinstance(function, kernel.RawKernel):
        return function.watch(grid, block, args, shared_mem=shared_mem, run=run)
    return _watch_cupy(function, grid, block, args, shared_mem, run)


def _watch_cupy(function, grid, block, args, shared_mem, run) -> Report:
    """The same source and copies of the arrays, on the CPU."""
    cupy = _cupy()
    if not getattr(function, "code", None):
        raise CudaError("watch needs a kernel made from source by RawKernel or RawModule.")
    expressions = getattr(function, "name_expressions", None) or ()
    if expressions and function.name not in source_names(function.code):
        raise CudaError(
            'On a GPU, watch takes RawKernel\'s kernels and extern "C" ones of a module.'
        )
    own = kernel.RawKernel(function.code, function.name, tuple(function.options))
    own.max_dynamic_shared_size_bytes = max(shared_mem, own.max_dynamic_shared_size_bytes)
    copies = {id(a): arrays.asarray(a.get()) for a in args if isinstance(a, cupy.ndarray)}
    try:
        return own.watch(
            grid, block, tuple(copies.get(id(a), a) for a in args), shared_mem=shared_mem, run=run
        )
    finally:
        for a in args:
            if id(a) in copies:
                a.set(copies[id(a)].get())


def source_names(code: str) -> set[str]:
    """Kernels of a source that their own names reach."""
    from lab.cuda import source

    return {k.name for k in source.kernels(code).values() if k.c_name}


@contextlib.contextmanager
def watching() -> Iterator[list[Report]]:
    """Watch every launch on the CPU inside the block: their reports, in order.

    With a GPU, launches there are not watched: use `watch`.
    """
    kernel._watching.append([])
    try:
        yield kernel._watching[-1]
    finally:
        kernel._watching.pop()
