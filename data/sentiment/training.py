"""Train one classifier (or its base) step by step; an interrupted run goes on where it stood."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from data.language_model.checkpoint import Checkpoint
from data.language_model.training import first_interrupt, progress_bar
from lab.errors import CourseError

CLIP_NORM = 1.0
CHECKPOINT_EVERY_S = 60.0
LINES = 20  # lines of progress in a log, where a bar is not drawn

Batch = dict[str, torch.Tensor]
Loss = Callable[[torch.nn.Module, Batch], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """How long and how fast a stage trains.

    Attributes:
        epochs: passes over the training sentences.
        batch: sentences in a step.
        peak_rate, warmup: AdamW's learning rate rises over `warmup` steps, then falls linearly to 0.
        decay: weight decay of matrices.
        seed: of the order of the batches, of dropout and of masked words.
    """

    epochs: float
    batch: int = 32
    peak_rate: float = 1e-3
    warmup: int = 100
    decay: float = 0.05
    seed: int = 0

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step."""
        if step < self.warmup:
            return self.peak_rate * (step + 1) / self.warmup
        return self.peak_rate * (steps - step) / max(1, steps - self.warmup)


def train(
    model: torch.nn.Module,
    batches: list[Batch],
    loss_of: Loss,
    recipe: Recipe,
    checkpoint: Path,
    made_of: dict[str, Any],
    masks: dict[str, torch.Tensor] | None = None,
    stop_after: int | None = None,
) -> Checkpoint:
    """Train `model` in place, one step for each batch, going on from `checkpoint` if it is there.

    Dropout and masked words are seeded by the step, so an interrupted run gives the same weights.

    Args:
        loss_of: the loss of a batch, a scalar tensor.
        made_of: what the run depends on besides the recipe; a checkpoint of another run is refused.
        masks: for parameter names, True where a weight stays; the others are held at 0.
        stop_after: stop at this step, as Ctrl-C would.

    Returns:
        the run: its losses and times; the model is in evaluation mode.

    Raises:
        CourseError: a checkpoint of another run, or the training was stopped (the message says how
            to go on).
    """
    optimizer = _optimizer(model, recipe)
    state = Checkpoint(checkpoint, {**asdict(recipe), **made_of}, model, optimizer)
    state.load()
    parameters, steps = dict(model.named_parameters()), len(batches)
    model.train()
    with first_interrupt() as stopped, progress_bar() as bar:
        task = bar.add_task("training", total=steps, completed=len(state.losses), loss="")
        saved_at = time.monotonic()
        while len(state.losses) < steps:
            began, cpu_began = time.monotonic(), time.process_time()
            step = len(state.losses)
            torch.manual_seed(recipe.seed * 1_000_003 + step)
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(step, steps)
            loss = loss_of(model, batches[step])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
            optimizer.step()
            apply_masks(parameters, masks or {})
            state.losses.append(float(loss.detach()))
            state.seconds += time.monotonic() - began
            state.cpu_seconds += time.process_time() - cpu_began
            _report(bar, task, state, steps)
            if stopped() or len(state.losses) == stop_after:
                state.save()
                raise CourseError(
                    f"Training stopped after step {len(state.losses)} of {steps}: "
                    "run the same command again, and it goes on from there."
                )
            if time.monotonic() - saved_at > CHECKPOINT_EVERY_S:
                state.save()
                saved_at = time.monotonic()
    state.save()
    model.eval()
    return state


@torch.no_grad()
def apply_masks(parameters: dict[str, torch.nn.Parameter], masks: dict[str, torch.Tensor]) -> None:
    """Set the weights that the masks remove to 0."""
    for name, mask in masks.items():
        parameters[name].mul_(mask)


def _optimizer(model: torch.nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only (Loshchilov and Hutter 2019)."""
    parts = {True: [], False: []}
    for parameter in model.parameters():
        parts[parameter.ndim > 1].append(parameter)
    groups = [
        {"params": parts[True], "weight_decay": recipe.decay},
        {"params": parts[False], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0)


def _report(bar: Any, task: Any, state: Checkpoint, steps: int) -> None:
    """Move the bar; a line now and then for logs."""
    done = len(state.losses)
    recent = sum(state.losses[-50:]) / len(state.losses[-50:])
    bar.update(task, completed=done, loss=f"loss {recent:.3f}")
    if done % max(1, steps // LINES) == 0:
        bar.console.print(
            f"step {done:,} of {steps:,}: loss {recent:.3f} (mean of 50), {state.seconds:,.0f} s",
            soft_wrap=True,
        )
