"""NVIDIA's compiler as a second opinion, resources of kernels, and occupancy."""

import shutil

import numpy as np
import pytest

from ci.counted_kernels import CODE
from lab import cuda
from lab.cuda import compiler, nvrtc
from lab.cuda.kernel import RawKernel, RawModule
from lab.cuda.occupancy import LIMITS, occupancy
from lab.errors import CourseError

needs_nvrtc = pytest.mark.skipif(not nvrtc.installed(), reason="needs the extra nvrtc")
needs_both = pytest.mark.skipif(
    not nvrtc.installed() or not any(map(shutil.which, compiler.CANDIDATES)),
    reason="needs the extra nvrtc and a C++ compiler",
)
# Fine for g++: a host function in a class, and a standard header that NVRTC has not.
HOST_FUNCTION = """
struct Helper { int next(int x) { return x + 1; } };
extern "C" __global__ void k(int *x) {
    x[0] = Helper().next(x[0]);
}
"""
HEADER = '#include <algorithm>\nextern "C" __global__ void k(int *x) { x[0] = std::max(x[0], 1); }'


@needs_both
@pytest.mark.parametrize(
    ("code", "words"),
    [(HOST_FUNCTION, "refuses the source for sm_80 in line [24]"), (HEADER, "line 1: cannot open")],
)
def test_what_passes_here_but_not_there_is_an_error(code, words, monkeypatch):
    x = cuda.zeros(1, np.int32)
    with pytest.raises(cuda.CompileError, match=words) as caught:
        RawKernel(code, "k")((1,), (1,), (x,))
    assert "kernel.cu(" in caught.value.messages
    monkeypatch.setattr(nvrtc, "installed", lambda: False)
    RawKernel(code, "k")((1,), (1,), (x,))
    assert x.get()[0] == 1


@needs_nvrtc
def test_resources_of_kernels():
    for arch in nvrtc.ARCHITECTURES:
        tiled = nvrtc.resources(CODE, "transpose_tiled", arch)
        padded = nvrtc.resources(CODE, "transpose_padded", arch)
        plain = nvrtc.resources(CODE, "contiguous", arch)
        assert (tiled.shared_bytes, padded.shared_bytes) == (32 * 32 * 4, 32 * 33 * 4)
        assert plain.shared_bytes == plain.local_bytes == 0 and 4 <= plain.registers <= 32
    spilled = (
        'extern "C" __global__ void k(int *x, int n) {\n'
        "    int a[64];\n    for (int j = 0; j < 64; ++j) a[x[j] & 63] = j;\n    x[0] = a[n];\n}"
    )
    assert nvrtc.resources(spilled, "k").local_bytes == 256
    code = """template <class T> __global__ void k(T *x) {
        __shared__ T part[32];
        part[threadIdx.x] = x[0];
        __syncthreads();
        x[threadIdx.x] = part[31 - threadIdx.x];
    }"""
    names = ("k<float>", "k<double>")
    found = [nvrtc.resources(code, name, names=names).shared_bytes for name in names]
    assert found == [128, 256]
    with pytest.raises(cuda.CudaError, match="no kernel `other`"):
        nvrtc.resources(CODE, "other")
    with pytest.raises(cuda.CudaError, match="No such architecture"):
        nvrtc.resources(CODE, "contiguous", "sm_10")


@needs_both
def test_half_precision_and_options_reach_nvrtc():
    code = "#include <cuda_fp16.h>\ntemplate <class T> __global__ void k(T *x) { x[0] = x[0] + (T)COUNT; }"
    module = RawModule(code=code, options=("-DCOUNT=3",), name_expressions=["k<__half>"])
    x = cuda.asarray(np.ones(1, np.float16))
    module.get_function("k<__half>")((1,), (1,), (x,))
    assert x.get()[0] == 4


def test_without_nvrtc_resources_name_the_remedy(monkeypatch):
    monkeypatch.setattr(nvrtc, "installed", lambda: False)
    with pytest.raises(CourseError, match=r"pip install -e \.\[nvrtc\]"):
        nvrtc.resources(CODE, "contiguous")


@pytest.mark.parametrize(
    ("arch", "threads", "registers", "shared", "blocks", "limited_by"),
    [
        # 2,048 threads, 65,536 registers in four parts, 164 KB less 1 KB a block.
        ("sm_80", 256, 32, 0, 8, ("warps", "registers")),
        ("sm_80", 256, 33, 0, 6, ("registers",)),  # 1,280 a warp: 12 of them in a part
        ("sm_80", 96, 33, 0, 16, ("registers",)),  # and so 48 in all, not 51
        ("sm_80", 32, 16, 0, 32, ("blocks",)),
        ("sm_80", 1024, 64, 0, 1, ("registers",)),
        ("sm_80", 128, 24, 40 * 1024, 4, ("shared",)),
        ("sm_80", 1000, 32, 0, 2, ("warps", "registers")),
        ("sm_80", 1024, 255, 0, 0, ("registers",)),
        ("sm_86", 256, 32, 0, 6, ("warps",)),
        ("sm_86", 1024, 32, 0, 1, ("warps",)),
        ("sm_86", 64, 16, 48 * 1024, 2, ("shared",)),
        ("sm_89", 32, 16, 0, 24, ("blocks",)),
        ("sm_89", 256, 40, 0, 6, ("warps", "registers")),
        ("sm_89", 128, 32, 31 * 1024, 3, ("shared",)),
        ("sm_90", 256, 32, 100 * 1024, 2, ("shared",)),
    ],
)
def test_occupancy_by_hand(arch, threads, registers, shared, blocks, limited_by):
    found = occupancy(threads, registers, shared, arch)
    assert (found.blocks, found.limited_by) == (blocks, limited_by)
    assert found.warps == blocks * -(-threads // 32)
    assert found.share == found.warps / LIMITS[arch].warps


def test_occupancy_refuses_what_no_gpu_has():
    for arguments, words in {
        (0, 32): "block_threads=0 is out of range",
        (1025, 32): "block_threads=1025",
        (32, 256): "registers=256",
        (32, 32, 164 * 1024): "shared_bytes=167936",
        (32, 32, 0, "sm_10"): "No limits are known",
    }.items():
        with pytest.raises(cuda.CudaError, match=words):
            occupancy(*arguments)
