"""Libraries that a lesson can use but that may be missing: one clear sentence where they are."""

import importlib
from types import ModuleType

from lab.errors import CourseError


def require(name: str, what_for: str, remedy: str = "") -> ModuleType:
    """Import a library by name and return it.

    Args:
        name: what `import` takes.
        what_for: completes "... is needed for ".
        remedy: a command; default: installing the package of that name.

    Raises:
        CourseError: it is not installed, or fails when imported.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.split(".")[0]:
            raise CourseError(
                f"{name}, needed for {what_for}, lacks the module {error.name}: "
                f"`{remedy or f'pip install {name}'}`."
            ) from error
        raise CourseError(
            f"{name} is not installed; it is needed for {what_for}: "
            f"`{remedy or f'pip install {name}'}`."
        ) from error
    except (ImportError, OSError, RuntimeError) as error:
        raise CourseError(
            f"{name}, needed for {what_for}, is installed but cannot be imported "
            f"({type(error).__name__}: {error})."
        ) from error
