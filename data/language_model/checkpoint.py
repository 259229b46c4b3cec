"""A training run on disk: written whole or not at all, refused where it does not belong."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lab.errors import CourseError


@dataclass
class Checkpoint:
    """A file and the run that it holds.

    Attributes:
        path: the file.
        made_of: what the run depends on (recipe, digest of the text); a file of another is refused.
        model, optimizer: saved, and filled by `load`.
        losses: the loss of each step so far, so its length is the step that the run stands at.
        seconds, cpu_seconds: time so far, wall clock and processor.
    """

    path: Path
    made_of: dict[str, Any]
    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def save(self) -> None:
        """Write beside and move, so that a crash leaves the older file whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(self.path.name + ".part")
        state = {
            "made_of": self.made_of,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "losses": self.losses,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
        }
        try:
            torch.save(state, part)
            os.replace(part, self.path)
        except (
            OSError,
            RuntimeError,
        ) as error:  # torch's writer raises RuntimeError on a full disk
            raise CourseError(
                f"The checkpoint {self.path} cannot be written ({error}): free some space "
                "or set COURSE_CACHE to another folder, and run again."
            ) from error

    def load(self) -> None:
        """Go on from the file, if there is one.

        Raises:
            CourseError: it cannot be read, or belongs to another recipe or text.
        """
        if not self.path.exists():
            return
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            made_of = state["made_of"]
        except Exception as error:
            raise CourseError(
                f"{self.path} is no checkpoint that can be read ({type(error).__name__}): "
                "delete it to start again."
            ) from error
        if made_of != self.made_of:
            raise CourseError(
                f"{self.path} belongs to another recipe or to other tokens: delete it to start "
                "again, or name another folder."
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.losses = state["losses"]
        self.seconds, self.cpu_seconds = state["seconds"], state["cpu_seconds"]
