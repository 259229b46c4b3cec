"""RawKernel and RawModule with the interface of CuPy's, on the CPU."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lab.cuda import build, launch, source
from lab.cuda.arrays import DeviceArray, asnumpy
from lab.cuda.errors import CudaError
from lab.cuda.report import Report

_watching: list[list[Report]] = []


class RawModule:
    """A source with several kernels, templates among them: cupy.RawModule.

    Args:
        code: CUDA C++.
        options: NVRTC's options; -DNAME=VALUE and -std=... count here.
        name_expressions: instantiations that get_function may ask for, such as "scale<float>".

    The source is compiled at the first launch, as CuPy does.
    """

    def __init__(
        self,
        *,
        code: str | None = None,
        options: Sequence[str] = (),
        backend: str = "nvrtc",
        name_expressions: Sequence[str] | None = None,
    ) -> None:
        if not isinstance(code, str):
            raise CudaError("RawModule needs the source: RawModule(code='...').")
        if isinstance(options, str):
            raise CudaError(f"options must be a tuple of strings, such as ({options!r},).")
        self.code, self.options, self.backend = code, tuple(options), backend
        self.name_expressions = tuple(name_expressions or ())
        self._symbols: dict[str, str] = {}

    def get_function(self, name: str) -> "RawKernel":
        """The kernel of that name or name expression.

        Raises:
            CudaError: there is none, it is a template, or its name is mangled.
        """
        if name not in self.name_expressions:
            source.pick(self.code, name)
        return RawKernel._of(self, name)

    def get_global(self, name: str) -> "Symbol":
        """A `__constant__` or `__device__` variable of the module."""
        known = source.symbols(self.code)
        if name not in known:
            have = ", ".join(known) or "none"
            raise CudaError(f"The module has no variable `{name}`; it has {have}.")
        return Symbol(self, name)

    def _names(self) -> dict[str, str]:
        found = source.kernels(self.code).values()
        plain = {k.name: k.name for k in found if k.c_name and not k.template}
        return plain | {name: name for name in self.name_expressions}

    def compile(self, watch: bool = False, run: build.Runner | None = None) -> build.Program:
        """Compile now, or take the program from the cache. Raises as `lab.cuda.build.build`."""
        return build.build(self.code, self._names(), self.options, watch, run)


class RawKernel:
    """One kernel of a source, called with (grid, block, args): cupy.RawKernel.

    Args:
        code: CUDA C++ with `extern "C" __global__ void name(...)`.
        name: the kernel.
        options: see RawModule.

    Attributes:
        max_dynamic_shared_size_bytes: raise it to launch with more than 48 KB of shared memory.
    """

    def __init__(
        self, code: str, name: str, options: Sequence[str] = (), backend: str = "nvrtc"
    ) -> None:
        self._module = RawModule(code=code, options=options, backend=backend)
        self.name = source.pick(code, name)
        self.max_dynamic_shared_size_bytes = launch.SHARED_BYTES

    @classmethod
    def _of(cls, module: RawModule, name: str) -> "RawKernel":
        kernel = cls.__new__(cls)
        kernel._module, kernel.name = module, name
        kernel.max_dynamic_shared_size_bytes = launch.SHARED_BYTES
        return kernel

    code = property(lambda self: self._module.code, doc="The source.")
    options = property(lambda self: self._module.options, doc="NVRTC's options.")

    def compile(self) -> None:
        """Compile now, rather than at the first launch."""
        self._module.compile(watch=bool(_watching))

    def __call__(self, grid, block, args, *, shared_mem: int = 0) -> None:
        """Launch. Arrays change in place; printf goes to stdout.

        Raises:
            KernelError: the kernel did something wrong, crashed or did not end.
            CudaError: the sizes or an argument cannot be.
        """
        if _watching:
            _watching[-1].append(self.watch(grid, block, args, shared_mem=shared_mem))
        else:
            self._launch(grid, block, args, shared_mem, False)

    def watch(
        self, grid, block, args, *, shared_mem: int = 0, run: build.Runner | None = None
    ) -> Report:
        """Launch with every access looked at. Returns the counters; raises as a call does."""
        return self._launch(grid, block, args, shared_mem, True, run)

    def _launch(self, grid, block, args, shared_mem, watch, run=None):
        sizes = launch.dimensions(block, "The block", launch.MOST_BLOCK)
        launch.check_block(sizes)
        self._check_shared(shared_mem)
        if not isinstance(args, tuple | list):
            raise CudaError(f"args must be a tuple, such as (x, y, np.int32(n)), not {args!r}.")
        base = self.name.split("<")[0].split("::")[-1].strip("& ")
        parsed = source.kernels(self.code).get(base)
        job = launch.Job(
            self._module.compile(watch, run),
            self.name,
            self.name,
            parsed.parameters if parsed else (),
            launch.dimensions(grid, "The grid", launch.MOST_GRID),
            sizes,
            tuple(args),
            int(shared_mem),
            self._module._symbols,
        )
        return launch.perform(job)

    def _check_shared(self, shared_mem: int) -> None:
        limit = self.max_dynamic_shared_size_bytes
        if not 0 <= shared_mem <= min(limit, launch.MOST_SHARED_BYTES):
            raise CudaError(
                f"shared_mem={shared_mem:,} bytes, and a launch takes up to {limit:,}: set "
                "kernel.max_dynamic_shared_size_bytes for more than 48 KB (163 KB on sm_80, 227 KB on sm_90)."
            )


class Symbol:
    """A module's variable. Its content lives from launch to launch."""

    def __init__(self, module: RawModule, name: str) -> None:
        self._module, self._name = module, name

    def set(self, values: np.ndarray | DeviceArray) -> None:
        """Overwrite it; the bytes must be as many as it has."""
        self._module._symbols[self._name] = asnumpy(values).tobytes().hex()

    def get(self, dtype: Any) -> np.ndarray:
        """Its bytes after the last launch, or after `set`."""
        text = self._module._symbols.get(self._name)
        if text is None:
            raise CudaError(f"`{self._name}` has no value yet: set it, or launch a kernel.")
        return np.frombuffer(bytes.fromhex(text), dtype).copy()
