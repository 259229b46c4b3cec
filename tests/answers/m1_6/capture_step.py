"""Answers to capture-step."""

import torch

from autograder.checks.bank import right, wrong


@right("where and index_copy_")
def plain(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(dim=-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@right("a mask over the columns")
def by_mask(logits, history, position, finished, peak, eos, pad):
    best = logits.max(dim=1).indices.masked_fill(finished, pad)
    here = torch.arange(history.shape[1], device=history.device) == position
    history.copy_(torch.where(here, best.unsqueeze(1), history))
    finished |= best.eq(eos)
    peak[:] = torch.cat([peak, logits.abs().flatten()]).amax()
    position += 1


@right("indexing with a tensor of one index")
def indexing(logits, history, position, finished, peak, eos, pad):
    alive = (~finished).to(torch.int64)
    tokens = logits.topk(1).indices[:, 0] * alive + pad * (1 - alive)
    history[:, position] = tokens[:, None]
    finished.copy_(finished | (tokens == eos))
    torch.maximum(peak, logits.abs().amax().reshape(1), out=peak)
    position.copy_(position + 1)


@right("scatter_, constants on the inputs' device")
def scattered(logits, history, position, finished, peak, eos, pad):
    best = torch.argmax(logits, 1)
    tokens = torch.where(finished, torch.full_like(best, pad), best)
    history.scatter_(1, position.expand(len(best), 1), tokens.view(-1, 1))
    finished.add_(tokens == torch.tensor(eos, device=tokens.device))
    peak.clamp_(min=logits.abs().max())
    position.copy_(position + torch.ones_like(position))


@wrong(
    "host-reads",
    "`.item()`, float(), int(), `if tensor:` and an index such as position[0] read the device's data on the host.",
)
def host_reads(logits, history, position, finished, peak, eos, pad):
    largest = logits.abs().max().item()
    if largest > peak.item():
        peak.fill_(largest)
    at = position.item()
    for row in range(len(logits)):
        if finished[row]:
            history[row, at] = pad
        else:
            history[row, at] = logits[row].argmax()
            finished[row] = history[row, at] == eos
    position += 1


@wrong("through-numpy", "NumPy works on the host.")
def through_numpy(logits, history, position, finished, peak, eos, pad):
    import numpy as np

    tokens = np.where(finished.numpy(), pad, logits.numpy().argmax(1))
    history.numpy()[:, int(position)] = tokens
    finished.copy_(torch.from_numpy(finished.numpy() | (tokens == eos)))
    peak.copy_(torch.tensor([max(float(peak), float(np.abs(logits.numpy()).max()))]))
    position.add_(1)


@wrong("over-the-cpu", "A copy to the CPU, also by .tolist(), waits for the device.")
def over_cpu(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished.cpu(), pad, logits.cpu().argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong(
    "masked-rows",
    "What nonzero() or a mask such as logits[~finished] selects has a shape that depends on data.",
)
def masked(logits, history, position, finished, peak, eos, pad):
    alive = ~finished
    tokens = torch.full_like(history[:, 0], pad)
    tokens[alive] = logits[alive].argmax(-1)
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("position-as-a-number", "position[0] as an index, or int(position), is read on the host.")
def number(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history[:, position[0]] = tokens
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("tensors-elsewhere", "New tensors belong on the device of the inputs.")
def elsewhere(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, torch.full((len(logits),), pad), logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("names-rebound", "A new tensor under the old name is not the buffer: write in place.")
def rebound(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished = finished | (tokens == eos)
    peak = torch.maximum(peak, logits.abs().max())
    position = position + 1


@wrong("peak-rebound", "peak is a buffer: copy the new value into it.")
def peak_rebound(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak = torch.maximum(peak, logits.abs().max())
    position.add_(1)


@wrong("finished-rows-go-on", "A row that had finished gets pad.")
def go_on(logits, history, position, finished, peak, eos, pad):
    tokens = logits.argmax(-1)
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong(
    "pad-too-early",
    "The step in which a row ends still writes its eos; pad comes from the next step on.",
)
def too_early(logits, history, position, finished, peak, eos, pad):
    best = logits.argmax(-1)
    finished.logical_or_(best == eos)
    tokens = torch.where(finished, pad, best)
    history.index_copy_(1, position, tokens[:, None])
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("finished-forgotten", "A finished row stays finished.")
def forgets(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.copy_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("signed-peak", "peak is of absolute values.")
def signed(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.max()))
    position.add_(1)


@wrong("peak-of-this-step", "peak keeps the largest of all steps.")
def this_step(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(logits.abs().max())
    position.add_(1)


@wrong("peak-of-living-rows", "peak counts all rows, finished or not.")
def living(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    shown = logits.abs().masked_fill(finished[:, None], 0.0)
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, shown.max()))
    position.add_(1)


@wrong("always-column-zero", "The token is written at position.")
def column_zero(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history[:, 0] = tokens
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("position-first", "Write at position, then let it grow.")
def position_first(logits, history, position, finished, peak, eos, pad):
    position.add_(1)
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))


_steps = []


@wrong(
    "python-counter", "A counter in Python is frozen at capture: the device counts.", diagnose=False
)
def counter(logits, history, position, finished, peak, eos, pad):
    if not position.is_meta and type(position) is torch.Tensor:
        _steps.clear()
        at = int(position)
    else:
        at = 0
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history[:, at] = tokens
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("logits-changed", "The step does not change logits.")
def changed(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(-1))
    history.index_copy_(1, position, tokens[:, None])
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs_().max()))
    position.add_(1)


@right("row by row, without a look at the data")
def by_row(logits, history, position, finished, peak, eos, pad):
    for row in range(len(logits)):
        token = torch.where(finished[row], pad, logits[row].argmax())
        history[row].index_copy_(0, position, token.reshape(1))
        finished[row] = finished[row] | (token == eos)
    peak.copy_(peak.max(logits.abs().max()))
    position.add_(1)


@right("masks assigned with numbers")
def masks(logits, history, position, finished, peak, eos, pad):
    rows = torch.arange(len(logits), device=logits.device)
    tokens = logits.argmax(-1)
    tokens[finished] = pad
    history[rows, position] = tokens
    finished[tokens == eos] = True
    peak[0] = torch.maximum(peak[0], logits.abs().max())
    position += 1


@wrong("indexes-on-the-host", "New tensors belong on the device of the inputs, indexes too.")
def host_indexes(logits, history, position, finished, peak, eos, pad):
    tokens = torch.where(finished, pad, logits.argmax(dim=-1))
    history[torch.arange(len(logits)), position] = tokens
    finished.logical_or_(tokens == eos)
    peak.copy_(torch.maximum(peak, logits.abs().max()))
    position.add_(1)


@wrong("one-on-the-host", "New tensors belong on the device of the inputs.")
def host_one(logits, history, position, finished, peak, eos, pad):
    plain(logits, history, torch.zeros_like(position) + position, finished, peak, eos, pad)
    position.add_(torch.ones(1, dtype=torch.int64))


@wrong("prints-the-peak", "Printing a tensor reads its values on the host.")
def prints(logits, history, position, finished, peak, eos, pad):
    plain(logits, history, position, finished, peak, eos, pad)
    f"peak {peak}"
