"""CUDA on the CPU where submissions are graded: in the learner's kernel, and by the judge's side."""

import asyncio
import re
import shutil
import sys

import numpy as np
import pytest
from warm_kernels import (
    kernels_fixture,  # noqa: F401
    variant,
)
from warm_kernels import run as run_cells

from autograder.grading.examiner import examine, native
from lab import cuda
from lab.cuda import build, nvrtc, process
from lab.cuda.kernel import RawKernel

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


SEEN = r"""
extern "C" __global__ void look(int *y, int n) {
    int i = threadIdx.x;
    if (i < n) y[i] = i;
}
"""
# What a judge refuses to build; here it is let through, to see the sandbox hold.
READS_A_FILE = r"""
extern "C" int open(const char *, int, ...);
extern "C" __global__ void look(int *y, int n) {
    y[0] = open("PATH", 0);
    y[1] = open("/usr/bin/env", 0);
}
"""


def test_a_judges_kernels_run_shut_in(kernels, tmp_path, monkeypatch):
    monkeypatch.setattr(nvrtc, "installed", lambda: False)
    monkeypatch.setattr(build, "KNOWN", re.compile(".*"))
    secret = tmp_path / "secret"
    secret.write_text("42")
    y = cuda.zeros(4, np.int32)
    code = READS_A_FILE.replace("PATH", str(secret))
    RawKernel(code, "look")((1,), (1,), (y, np.int32(4)))
    assert y.get()[0] >= 0  # with the user's own rights
    with native.shut_in():
        assert process.runner() is native.run
        y = cuda.zeros(4, np.int32)
        RawKernel(code, "look")((1,), (1,), (y, np.int32(4)))
        assert y.get()[0] == -1 and y.get()[1] >= 0
        report = RawKernel(SEEN, "look").watch((1,), (32,), (y, np.int32(4)))
        assert report.sectors_per_request("store") == 1 and y.get().tolist() == [0, 1, 2, 3]
        with pytest.raises(
            cuda.KernelError, match=r"line 4, .*thread \(4, 0, 0\): writes `y\[4\]`"
        ):
            RawKernel(SEEN, "look").watch((1,), (32,), (y, np.int32(5)))
        with pytest.raises(cuda.CompileError, match="in line 1"):
            RawKernel('extern "C" __global__ void look() { oops }', "look")((1,), (1,), ())
    assert process.runner() is process.run


def test_the_examiner_shuts_judges_native_code_in(tiny, monkeypatch):
    class Prober:
        hung = False

        async def outcomes(self, name, check, cases):
            return []

    runners = []
    monkeypatch.setattr(
        examine.engine, "run_cases", lambda *_: runners.append(process.runner()) or "report"
    )
    call = examine.CheckCall("double", "double")
    assert asyncio.run(examine.examine(call, Prober(), 1)) == ("report", True)
    assert runners == [native.run] and process.runner() is process.run


def test_nvrtc_works_shut_in(kernels):
    if not nvrtc.installed():
        pytest.skip("needs NVRTC")
    with native.shut_in():
        assert 4 <= nvrtc.resources(SEEN, "look").registers <= 32
        with pytest.raises(cuda.CompileError, match="refuses the source for sm_80"):
            nvrtc.resources(READS_A_FILE, "look")


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
    roomy = variant(kernels, "course-cuda", wall_s=120, cpu_s=120)
    done = run_cells(*cells, kernel=roomy, timeout=120)
    assert not done.died, done.reason
    assert done.said[2] == "(3.25, 9900)", done.said
    assert "line 4, block (0, 0, 0), thread (100, 0, 0): reads `x[100]`" in done.said[3]
    assert "null pointer" in done.said[4]
    assert done.said[5] == "'alive'"
