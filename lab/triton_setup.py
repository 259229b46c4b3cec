"""Triton for a notebook: compiled where there is a CUDA device, interpreted elsewhere."""

import os
import sys
from types import ModuleType

from lab.errors import CourseError
from lab.profile import Profile


def use_triton(profile: Profile | None = None) -> tuple[ModuleType, ModuleType]:
    """Triton and its language, ready for kernels on the profile's device.

    On a CPU kernels are run by Triton's interpreter, program after program, with NumPy: the same
    results, not the same speed. On a CUDA device they are compiled.

    Args:
        profile: what `use_profile` gave; None for a CPU.

    Returns:
        the modules `triton` and `triton.language`.

    Raises:
        CourseError: Triton is not installed, or was imported before in the other way.
    """
    interpreted = profile is None or profile.device != "cuda"
    if "triton" not in sys.modules:
        os.environ["TRITON_INTERPRET"] = "1" if interpreted else "0"
    try:
        import triton
        import triton.language as tl
    except ImportError:
        raise CourseError(
            "Triton is not installed; its wheels are for Linux: run `make setup` there, or open this "
            "lesson in WSL or a container."
        ) from None
    if is_interpreted() != interpreted:
        raise CourseError(
            "Triton was imported before for another device: restart the kernel and run this cell "
            "first."
        )
    return triton, tl


def is_interpreted() -> bool:
    """Whether the Triton of this process interprets: decided when it was first imported."""
    import triton.language as tl
    from triton.runtime.interpreter import InterpretedFunction

    return isinstance(tl.cdiv, InterpretedFunction)
