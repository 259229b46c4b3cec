"""The machine instructions (SASS) of a kernel, counted by mnemonic. Needs NVRTC and nvdisasm, no GPU.

nvdisasm comes with the CUDA toolkit, and inside Triton's wheel.
"""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from lab.cuda import nvrtc, nvrtc_program
from lab.cuda.errors import CompileError, CudaError

LINE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_]*)((?:\.\w+)*)")


def nvdisasm() -> str:
    """The disassembler: on PATH, else in Triton's wheel; "" where there is none."""
    spec = importlib.util.find_spec("triton")
    places = (
        [Path(p) / "backends/nvidia/bin" for p in (spec.submodule_search_locations or [])]
        if spec
        else []
    )
    inside = next((p / "nvdisasm" for p in places if (p / "nvdisasm").is_file()), None)
    return shutil.which("nvdisasm") or str(inside or "")


def instructions(code: str, arch: str = "sm_80") -> Counter:
    """Instructions of all kernels in `code`, by mnemonic with its modifiers ("IMMA.16832.S8.S8", "FFMA").

    Args:
        code: CUDA C++.
        arch: as NVRTC names it, such as sm_80 or sm_90a.

    Raises:
        CudaError: NVRTC or nvdisasm is not installed.
        CompileError: NVRTC refuses the source.
    """
    tool = nvdisasm()
    if not nvrtc.installed() or not tool:
        raise CudaError(
            f"NVRTC (`{nvrtc.REMEDY}`) and nvdisasm (`pip install triton`) are needed for SASS."
        )
    cubin, log, _ = nvrtc_program.compile_for(code.encode(), arch, {"names": [], "options": []})
    if cubin is None:
        raise CompileError(f"NVIDIA's compiler (NVRTC) refuses the source for {arch}.", log)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        done = subprocess.run([tool, "-c", str(path)], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise CudaError(
            f"nvdisasm could not read the compiled kernel: {done.stderr.strip()[-200:]}"
        )
    return Counter("".join(found) for found in LINE.findall(done.stdout))
