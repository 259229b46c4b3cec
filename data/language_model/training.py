"""Train one model from token ids: the same weights whether it was interrupted or not."""

import contextlib
import hashlib
import math
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import LlamaConfig, LlamaForCausalLM

from data.language_model.checkpoint import Checkpoint
from lab.errors import CourseError
from lab.profile import cpu_hardware, gpu_hardware, seed_everything

BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.1
CLIP_NORM = 1.0
CHECKPOINT_EVERY_S = 60.0
LINES = 20  # lines of progress in a log, where a bar is not drawn


@dataclass(frozen=True)
class Recipe:
    """The shape of a Llama and how it is trained.

    Attributes:
        hidden, intermediate, layers, heads, kv_heads, vocabulary: the architecture; a head has 64
            channels, the embedding is the output layer too.
        context: tokens that the model sees at once, in training too.
        steps, batch: optimizer steps, sequences in each.
        peak_rate, warmup: the learning rate's peak, reached after `warmup` steps; a cosine to a
            tenth of it follows.
        seed: of the initial weights and of the order of the sequences.
    """

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int = 2048
    context: int = 512
    steps: int = 2600
    batch: int = 4
    peak_rate: float = 3e-3
    warmup: int = 100
    seed: int = 0

    def config(self) -> LlamaConfig:
        """The architecture as transformers states it."""
        return LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.hidden,
            intermediate_size=self.intermediate,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=64,
            max_position_embeddings=self.context,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=None,
        )

    def rate(self, step: int) -> float:
        """The learning rate of a step: a linear warm-up, then a cosine to a tenth of the peak."""
        if step < self.warmup:
            return self.peak_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak_rate * (0.55 + 0.45 * math.cos(math.pi * done))


@dataclass(frozen=True)
class Trained:
    """A model and what its training took.

    Attributes:
        model: in float32, on the device it was trained on.
        losses: mean cross-entropy of each step, nats a token, (steps,).
        seconds: wall-clock time, summed over interruptions.
        cpu_seconds: processor time of all threads, which other programs do not lengthen.
        hardware: the machine of the last part.
    """

    model: LlamaForCausalLM
    losses: list[float]
    seconds: float
    cpu_seconds: float
    hardware: str


def train(
    recipe: Recipe,
    token_ids: np.ndarray,
    checkpoint: Path,
    device: str = "cpu",
    stop_after: int | None = None,
) -> Trained:
    """Train `recipe` on `token_ids`, going on from `checkpoint` if it is there.

    The checkpoint is written every minute, at the end and on Ctrl-C, whole or not at all. On a GPU
    the forward pass runs in bfloat16.

    Args:
        token_ids: (N,) integers below `recipe.vocabulary`.
        checkpoint: the file to write; its folder is made.
        stop_after: stop at this step, as Ctrl-C would.

    Raises:
        CourseError: too few tokens, ids outside the vocabulary, a checkpoint of another recipe
            or text, or the training was stopped (the message says how to go on).
    """
    _refuse(recipe, token_ids)
    seed_everything(recipe.seed)
    model = LlamaForCausalLM(recipe.config()).to(device)
    optimizer = _optimizer(model)
    digest = hashlib.sha256(np.ascontiguousarray(token_ids, np.uint16).tobytes()).hexdigest()
    made_of = asdict(recipe) | {"tokens_sha256": digest}
    state = Checkpoint(checkpoint, made_of, model, optimizer)
    state.load()
    with first_interrupt() as stopped, progress_bar() as bar:
        task = bar.add_task("training", total=recipe.steps, completed=len(state.losses), loss="")
        saved_at = time.monotonic()
        while len(state.losses) < recipe.steps:
            began, cpu_began = time.monotonic(), time.process_time()
            step = len(state.losses)
            batch = torch.from_numpy(sequences(recipe, token_ids, step)).to(device)
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(step)
            state.losses.append(_step(model, optimizer, batch))
            state.seconds += time.monotonic() - began
            state.cpu_seconds += time.process_time() - cpu_began
            _report(bar, task, recipe, state)
            if stopped() or len(state.losses) == stop_after:
                state.save()
                raise CourseError(
                    f"Training stopped after step {len(state.losses)} of {recipe.steps}: "
                    "run the same command again, and it goes on from there."
                )
            if time.monotonic() - saved_at > CHECKPOINT_EVERY_S:
                state.save()
                saved_at = time.monotonic()
    state.save()
    hardware = gpu_hardware() if device == "cuda" else cpu_hardware()
    return Trained(model.eval(), state.losses, state.seconds, state.cpu_seconds, hardware)


def sequences(recipe: Recipe, token_ids: np.ndarray, step: int) -> np.ndarray:
    """The batch of a step, (batch, context + 1) int64; it depends on seed and step alone.

    Each epoch cuts the text at another offset and visits every cut once in a shuffled order.
    """
    per_epoch = (len(token_ids) - 1) // recipe.context - 1
    rows = []
    for index in range(step * recipe.batch, (step + 1) * recipe.batch):
        rng = np.random.default_rng([recipe.seed, index // per_epoch])
        offset = int(rng.integers(recipe.context))
        start = offset + int(rng.permutation(per_epoch)[index % per_epoch]) * recipe.context
        rows.append(token_ids[start : start + recipe.context + 1])
    return np.stack(rows).astype(np.int64)


def _refuse(recipe: Recipe, token_ids: np.ndarray) -> None:
    if len(token_ids) <= 2 * recipe.context:
        raise CourseError(
            f"{len(token_ids)} tokens are too few to train on sequences of {recipe.context}: "
            f"give more than {2 * recipe.context}."
        )
    if int(token_ids.max()) >= recipe.vocabulary:
        raise CourseError(
            f"Token id {int(token_ids.max())} is outside the vocabulary of {recipe.vocabulary}: "
            "encode the text with the tokenizer of this model."
        )


def _optimizer(model: LlamaForCausalLM) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only (Loshchilov and Hutter 2019)."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors}]
    return torch.optim.AdamW(groups, lr=0.0, betas=BETAS, weight_decay=0.0)


def _step(model: LlamaForCausalLM, optimizer: torch.optim.Optimizer, batch: torch.Tensor) -> float:
    """One update on a batch (B, T + 1); the loss before it."""
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=batch.device.type == "cuda"):
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    return float(loss.detach())


@contextlib.contextmanager
def first_interrupt() -> Iterator[Any]:
    """Hold back the first Ctrl-C until the step is done; a second one stops at once."""
    asked = []

    def handler(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps, {task.fields[loss]}"),
        TimeRemainingColumn(),
        console=Console(stderr=False),
    )


def _report(bar: Progress, task: Any, recipe: Recipe, state: Checkpoint) -> None:
    """Move the bar; a line now and then for logs."""
    done = len(state.losses)
    recent = sum(state.losses[-50:]) / len(state.losses[-50:])
    bar.update(task, completed=done, loss=f"loss {recent:.3f}")
    if done % max(1, recipe.steps // LINES) == 0:
        per_s = done * recipe.batch * recipe.context / state.seconds
        bar.console.print(
            f"step {done:,} of {recipe.steps:,}: loss {recent:.3f} (mean of 50), "
            f"{state.seconds:,.0f} s, {per_s:,.0f} tokens a second",
            soft_wrap=True,
        )
