"""CUDA C++ kernels with CuPy's interface: CuPy itself on a GPU, the host's compiler elsewhere.

from lab import cuda
kernel = cuda.RawKernel(code, "add")
kernel((4,), (256,), (x, y, out, np.int32(n)))        # on a GPU, or on the CPU at full speed
report = cuda.watch(kernel, (4,), (256,), (x, y, out, np.int32(n)))   # on the CPU, every access seen
print(report)

docs/cuda-on-the-cpu.md says what is supported, what is counted, and what is not.
"""

from lab.cuda.device import (
    RawKernel,
    RawModule,
    arange,
    array,
    asarray,
    asnumpy,
    empty,
    empty_like,
    full,
    on_gpu,
    set_global,
    synchronize,
    watch,
    watching,
    zeros,
    zeros_like,
)
from lab.cuda.errors import CompileError, CudaError, KernelError

__all__ = [
    "CompileError",
    "CudaError",
    "KernelError",
    "RawKernel",
    "RawModule",
    "arange",
    "array",
    "asarray",
    "asnumpy",
    "empty",
    "empty_like",
    "full",
    "on_gpu",
    "set_global",
    "synchronize",
    "watch",
    "watching",
    "zeros",
    "zeros_like",
]
