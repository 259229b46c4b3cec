"""CUDA on the CPU where submissions are graded: in the learner's kernel, and by the judge's side."""

import shutil
import sys

import pytest
from warm_kernels import kernels_fixture  # noqa: F401
from warm_kernels import run as run_cells

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("warm"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's"),
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++"),
]

DOUBLE = r"""
extern "C" __global__ void twice(const int *x, int *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    GUARD y[i] = 2 * x[i];
}
"""


def test_kernels_run_in_a_graded_notebook(kernels):
    cells = [
        "import numpy as np\nfrom lab import cuda\nx = cuda.arange(100, dtype=np.int32)",
        f"code = {DOUBLE!r}",
        """
kernel = cuda.RawKernel(code.replace("GUARD", "if (i < n)"), "twice")
y = cuda.zeros_like(x)
report = cuda.watch(kernel, (1,), (128,), (x, y, np.int32(100)))
kernel((1,), (128,), (x, y, np.int32(100)))
report.sectors_per_request("load"), int(y.get().sum())
""",
        """
kernel = cuda.RawKernel(code.replace("GUARD", ""), "twice")
cuda.watch(kernel, (1,), (128,), (x, y, np.int32(100)))
""",
        """
cuda.RawKernel('extern "C" __global__ void f(int *x) { *(volatile int *)16 = 1; }', "f")((1,), (1,), (x,))
""",
        "'alive'",
    ]
    done = run_cells(*cells, timeout=120)
    assert not done.died, done.reason
    assert done.said[2] == "(3.25, 9900)", done.said
    assert "line 4, block (0, 0, 0), thread (100, 0, 0): reads `x[100]`" in done.said[3]
    assert "null pointer" in done.said[4]
    assert done.said[5] == "'alive'"
