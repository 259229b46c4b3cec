"""The doctor's looks at the machine: GPU, compilers, disk, network, data."""

import ctypes
import ctypes.util
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.doctor import Finding
from lab.errors import CourseError
from lab.paths import cache_dir, repo_root

WANTED_GIB = 5.0
CXX_CANDIDATES = ("g++", "clang++", "c++")
ANSWER = 42
# Uses a header, so that a compiler without its standard library is found out.
ONE_LINE = f"#include <vector>\nint main() {{ return std::vector<int>({ANSWER}).size(); }}\n"


def gpu() -> Finding:
    """The driver's view and torch's."""
    try:
        import torch
    except ImportError:
        return judge_gpu(_nvidia_smi(), None, None)
    sees = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return judge_gpu(_nvidia_smi(), torch.version.cuda, sees)


def judge_gpu(driver_sees: str | None, torch_build: str | None, torch_sees: str | None) -> Finding:
    """From nvidia-smi's line, the CUDA version torch was built for, and torch's device name."""
    costs = "the gpu profile; every lesson runs on the CPU"
    if torch_sees:
        return Finding("GPU", "ok", driver_sees or torch_sees)
    if driver_sees and torch_build is None:
        remedy = "install the CUDA build of the pinned torch"
        return Finding("GPU", "warning", f"{driver_sees}, but torch has no CUDA", costs, remedy)
    if driver_sees:
        remedy = f"update the driver: torch was built for CUDA {torch_build}"
        return Finding("GPU", "warning", f"{driver_sees}, but torch cannot use it", costs, remedy)
    return Finding(
        "GPU", "missing", "nvidia-smi finds none", costs, "nothing to do on a laptop without one"
    )


def cuda_compiler() -> Finding:
    """nvcc, or NVRTC loaded and asked for its version."""
    versions = []
    if nvcc := _nvcc_version():
        versions.append(f"nvcc {nvcc}")
    if nvrtc := _nvrtc_version():
        versions.append(f"NVRTC {nvrtc}")
    if versions:
        return Finding("CUDA compiler", "ok", ", ".join(versions))
    return Finding(
        "CUDA compiler",
        "missing",
        "neither nvcc nor NVRTC",
        "kernels are compiled for the CPU only, not for a real architecture",
        "pip install -e .[gpu], or the CUDA toolkit",
    )


def cxx_compiler() -> Finding:
    """The first compiler that turns one line into a program that gives the right answer."""
    named = os.environ.get("CXX")
    faults = []
    for name in (named, *CXX_CANDIDATES) if named else CXX_CANDIDATES:
        path = shutil.which(name)
        if path is None:
            continue
        if fault := compile_fault(path):
            faults.append(f"{name} {fault}")
        else:
            return Finding("C++ compiler", "ok", path)
    return Finding(
        "C++ compiler",
        "missing",
        "; ".join(faults) or f"none of {', '.join(CXX_CANDIDATES)}",
        "module 1.5 runs CUDA kernels on the CPU with it",
        "install g++ or clang++ (Debian: g++, macOS: xcode-select --install)",
    )


def compile_fault(compiler: str) -> str | None:
    """Compile and run one line; what went wrong, None when nothing did."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "one.cpp")
        program = Path(folder, "one.out")
        source.write_text(ONE_LINE)
        try:
            built = subprocess.run(
                [compiler, str(source), "-o", str(program)], capture_output=True, timeout=60
            )
            if built.returncode:
                return "does not compile a one-line program"
            ran = subprocess.run([str(program)], capture_output=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"does not run ({type(error).__name__})"
    return None if ran.returncode == ANSWER else "builds programs that do not run"


def make() -> Finding:
    """The program that runs the Makefile."""
    if path := shutil.which("make"):
        return Finding("make", "ok", path)
    return Finding(
        "make",
        "missing",
        "not on PATH",
        "the `make` shortcuts; `course` does the work without it",
        "install make (Debian: make, macOS: xcode-select --install)",
    )


def disk() -> list[Finding]:
    """Free space where the course lies and where the cache lies."""
    return [
        judge_disk(f"disk ({name})", shutil.disk_usage(folder).free)
        for name, folder in (("course", repo_root()), ("cache", cache_dir()))
    ]


def judge_disk(name: str, free_bytes: int) -> Finding:
    """Enough for the packages and the models, or not."""
    detail = f"{free_bytes / 2**30:,.1f} GiB free"
    if free_bytes >= WANTED_GIB * 2**30:
        return Finding(name, "ok", detail)
    return Finding(
        name,
        "warning",
        detail,
        "installs and model files may not fit",
        f"free up to {WANTED_GIB:.0f} GiB, or set COURSE_CACHE to another disk",
    )


def network() -> Finding:
    """A short question to the first upstream host of the manifest."""
    from lab.manifest import load_manifest
    from lab.network import why_offline

    urls = (file.url for entry in load_manifest().values() for file in entry.needed if file.url)
    reason = why_offline(next(urls))
    if reason is None:
        return Finding("network", "ok", "the data sets' source answers")
    return Finding(
        "network",
        "warning",
        reason,
        "data sets come from the cache, a mirror or a stand-in",
        "connect, or set COURSE_MIRROR to a folder with the data sets",
    )


def mirror() -> Finding:
    """COURSE_MIRROR and what in it can be used."""
    from lab.sources import mirror_dir

    try:
        folder = mirror_dir()
        if folder is None:
            return Finding(
                "mirror",
                "missing",
                "COURSE_MIRROR is not set",
                "without a network, small stand-ins replace the data sets",
                "set COURSE_MIRROR to a folder with the data sets, if you have one",
            )
        found = judge_folder("mirror", folder)
        if found.state == "ok" and " has no data set" in found.detail:
            remedy = "put the files where data/manifest.yml says (mirror:)"
            return Finding("mirror", "warning", found.detail, "the mirror is of no use", remedy)
        return found
    except CourseError as error:
        return Finding("mirror", "warning", str(error).rstrip("."), "loaders stop", "as it says")


def data_cache() -> Finding:
    """What the loaders can read without asking anyone."""
    return judge_folder("data cache", cache_dir() / "data")


def judge_folder(name: str, folder: Path) -> Finding:
    """Which data sets below `folder` are whole, and which are damaged."""
    from lab.manifest import load_manifest
    from lab.sources import verified

    whole, lacking, damaged = [], [], []
    for key, entry in load_manifest().items():
        try:
            (whole if verified(entry, folder, name) else lacking).append(key)
        except CourseError as error:
            damaged.append(str(error).rstrip("."))
    if damaged:
        remedy = "delete the damaged file, or replace it with a good copy"
        return Finding(name, "warning", "; ".join(damaged), "loaders stop at it", remedy)
    has = f"{folder} has {', '.join(whole) or 'no data set'}"
    lacks = f"; it lacks {', '.join(lacking)}" if whole and lacking else ""
    return Finding(name, "ok", has + lacks)


def _nvidia_smi() -> str | None:
    """Name, memory and driver of the first GPU, as nvidia-smi tells them."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run([program, *query], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def _nvcc_version() -> str | None:
    """The release that nvcc says it is; None where it is absent or does not run."""
    program = shutil.which("nvcc")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    release = re.search(r"release ([\d.]+)", done.stdout)
    return release[1] if done.returncode == 0 and release else None


def _nvrtc_version() -> str | None:
    """Load NVRTC, from the system or from a wheel, and ask it."""
    names = [ctypes.util.find_library("nvrtc")]
    if spec := importlib.util.find_spec("nvidia"):
        for place in spec.submodule_search_locations or ():
            names += sorted(str(p) for p in Path(place).glob("*/lib/libnvrtc.so.*"))
            names += sorted(str(p) for p in Path(place).glob("*/bin/**/nvrtc64_*.dll"))
    major, minor = ctypes.c_int(), ctypes.c_int()
    for name in filter(None, names):
        try:
            library = ctypes.CDLL(name)
            if library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)) == 0:
                return f"{major.value}.{minor.value}"
        except (OSError, AttributeError):
            continue
    return None
