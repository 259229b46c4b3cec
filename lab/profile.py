"""The machine a notebook runs on: `cpu` (the default) or `gpu`, chosen by papermill's PROFILE."""

import html
import os
import platform
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch

NAMES = ("cpu", "gpu")


@dataclass(frozen=True)
class Profile:
    """Which device the notebook uses.

    Attributes:
        name: "cpu" or "gpu".
        device: what torch calls it: "cpu" or "cuda".
        hardware: CPU model and cores, or GPU name and memory.
    """

    name: str
    device: str
    hardware: str

    @property
    def dtype(self) -> "torch.dtype":
        """The dtype for whole models: float32 on a CPU, bfloat16 on a GPU."""
        import torch

        return torch.bfloat16 if self.device == "cuda" else torch.float32

    def __str__(self) -> str:
        dtype = str(self.dtype).removeprefix("torch.")
        return f"Profile {self.name}: device {self.device}, {dtype}, {self.hardware}"

    def _repr_html_(self) -> str:
        name, rest = str(self).split(":", 1)
        return f"<p><strong>{html.escape(name)}</strong>:{html.escape(rest)}</p>"


def use_profile(name: str = "cpu") -> Profile:
    """Choose the device for a notebook. There is no silent fallback.

    Args:
        name: "cpu" or "gpu".

    Raises:
        CourseError: the name is unknown, or "gpu" on a machine without a CUDA device.
    """
    if name == "cpu":
        return Profile("cpu", "cpu", cpu_hardware())
    if name == "gpu":
        import torch

        if not torch.cuda.is_available():
            raise CourseError(
                'PROFILE is "gpu" but torch finds no CUDA device here: '
                'set PROFILE = "cpu", or run `course doctor` to see what is missing.'
            )
        return Profile("gpu", "cuda", gpu_hardware())
    raise CourseError(f'PROFILE is {name!r}: set it to "cpu" or "gpu".')


@cache
def cpu_hardware() -> str:
    """CPU model and the number of cores this process may use, such as "AMD EPYC, 2 cores"."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_cpu_model()}, {cores} core{'' if cores == 1 else 's'}"


def gpu_hardware() -> str:
    """Name and memory of the current CUDA device, such as "NVIDIA H200, 140 GiB"."""
    import torch

    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"


def seed_everything(seed: int) -> None:
    """Seed `random`, numpy's global generator and torch (every device)."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _cpu_model() -> str:
    """The CPU's marketing name where the system tells it, else its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    if platform.system() == "Darwin":
        import subprocess

        done = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True
        )
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
    return platform.processor() or platform.machine() or "unknown CPU"
