"""What each layer of the sandbox says of itself on this machine."""

import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass

NAMES = [
    "network",
    "ipc",
    "uts",
    "pid",
    "view",
    "user",
    "privileges",
    "limits",
    "environment",
    "landlock",
    "seccomp",
]


@dataclass(frozen=True)
class Layer:
    """One layer of the sandbox.

    Attributes:
        name: "user", "network", "ipc", "pid", "view", "landlock", "seccomp", "privileges",
            "limits" or "environment".
        held: it is in force on this machine.
        detail: what it does here, or why it is not in force.
    """

    name: str
    held: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {'held' if self.held else 'NOT held'}, {self.detail}"


def none_here() -> list[Layer]:
    """Every layer as not held, with this system's name: there is no sandbox off Linux."""
    return [Layer(name, False, f"not available on {platform.system()}") for name in NAMES]


class SandboxRefused(RuntimeError):
    """A layer that was required is not available. The text is one sentence for the instructor."""


def to_plain(layers: Iterable[Layer]) -> list[dict]:
    """Layers as plain dictionaries, for JSON."""
    return [asdict(layer) for layer in layers]


def from_plain(rows: Iterable[dict]) -> list[Layer]:
    """The inverse of to_plain."""
    return [Layer(str(r["name"]), bool(r["held"]), str(r["detail"])) for r in rows]


def demand(layers: Iterable[Layer]) -> None:
    """Raise SandboxRefused when a layer is not held."""
    absent = [f"{layer.name} ({layer.detail})" for layer in layers if not layer.held]
    if absent:
        raise SandboxRefused(
            "The sandbox is required, and this machine does not give all of it: "
            f"{'; '.join(absent)}. Grade on another machine or without --require-sandbox."
        )


def sentence(layers: Iterable[Layer]) -> str:
    """What a report says of the sandbox, one sentence. No layers: there was no sandbox at all."""
    layers = list(layers)
    absent = [f"{layer.name} ({layer.detail})" for layer in layers if not layer.held]
    if not layers:
        return "Sandbox: none, the submission ran with the grader's own rights."
    if not absent:
        return f"Sandbox: all {len(layers)} layers held ({', '.join(x.name for x in layers)})."
    held = len(layers) - len(absent)
    return f"Sandbox: {held} of {len(layers)} layers held; missing: {'; '.join(absent)}."


def render(layers: Iterable[Layer]) -> str:
    """One line a layer."""
    return "\n".join(str(layer) for layer in layers)
