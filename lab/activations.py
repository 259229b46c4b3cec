"""What autograd keeps of a transformer layer for the backward pass, counted in a real forward pass."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn import functional

DROPOUT = 0.1


def kept_bytes(run: Callable[[], object], parameters: Iterable[torch.Tensor], least: int) -> int:
    """Bytes that `run()` leaves saved for a backward pass; storage that two operations share counts once.

    Args:
        run: builds a graph.
        parameters: they are there anyway and do not count.
        least: tensors with fewer elements do not count (a norm's means and deviations).
    """
    own = {p.untyped_storage().data_ptr() for p in parameters}
    found, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and tensor.numel() >= least:
            found[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # or its address might be given out again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    del result
    return sum(found.values())


class DropoutLayer(nn.Module):
    """The layer that Korthikanti et al. (2022, section 4.1) count: heads, GELU, dropout with masks of bytes.

    Takes and gives (tokens, batch, hidden) bfloat16.
    """

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(2))
        sizes = [(hidden, hidden)] * 4 + [(hidden, 4 * hidden), (4 * hidden, hidden)]
        self.linears = nn.ModuleList(nn.Linear(i, o) for i, o in sizes)
        self.to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + _drop(self.linears[3](self.attention(self.norms[0](x))))
        inner = functional.gelu(self.linears[4](self.norms[1](x)))
        return x + _drop(self.linears[5](inner))

    def attention(self, x: torch.Tensor) -> torch.Tensor:
        tokens, batch, hidden = x.shape
        shape = tokens, batch * self.heads, hidden // self.heads
        q, k, v = (linear(x).reshape(shape).transpose(0, 1) for linear in self.linears[:3])
        weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)) * (1 / math.sqrt(shape[2])), -1)
        return torch.bmm(_drop(weights), v).transpose(0, 1).reshape(tokens, batch, hidden)


def _drop(x: torch.Tensor) -> torch.Tensor:
    """Dropout that keeps a mask of one byte an element, on a CPU too."""
    return torch.native_dropout(x, DROPOUT, True)[0]


def layers_kept_bytes(tokens: int, batch: int, hidden: int, heads: int, layers: int) -> int:
    """Bytes kept by a stack of `DropoutLayer`s, the first one's input included."""
    stack = nn.Sequential(*(DropoutLayer(hidden, heads) for _ in range(layers)))
    x = torch.randn(tokens, batch, hidden, dtype=torch.bfloat16, requires_grad=True)
    return kept_bytes(lambda: stack(x), stack.parameters(), least=tokens * batch + 1)
