"""Answers to qlora-adapter."""

import copy
import math

import torch
from torch import nn

from autograder.checks.bank import right, wrong


class _Base(nn.Module):
    """A right answer, to be bent."""

    def __init__(self, base, rank, alpha):
        super().__init__()
        if rank < 1:
            raise ValueError("rank must be 1 or more")
        self.base = self.freeze(base)
        bound = 1 / math.sqrt(base.in_features)
        self.A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scaling = alpha / rank

    def freeze(self, base):
        return base.requires_grad_(False)

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.A.T @ self.B.T)

    def merge(self, weight):
        with torch.no_grad():
            return weight + self.scaling * self.B @ self.A


def _with(**methods):
    return type("LoRALinear", (_Base,), methods)


@right("two thin products", call=True)
def thin():
    return _Base


@right("functional linear, kaiming start, detached merge", call=True)
def functional():
    class LoRALinear(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            if rank <= 0:
                raise ValueError(rank)
            for parameter in base.parameters():
                parameter.requires_grad = False
            self.base, self.rank, self.alpha = base, rank, alpha
            self.A = nn.Parameter(torch.zeros(rank, base.in_features))
            nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
            self.B = nn.Parameter(torch.zeros(base.out_features, rank))

        def forward(self, x):
            down = nn.functional.linear(x, self.A)
            return self.base(x) + nn.functional.linear(down, self.B) * (self.alpha / self.rank)

        def merge(self, weight):
            return (weight + (self.alpha / self.rank) * (self.B @ self.A)).detach()

    return LoRALinear


@right("one product B A, rand for the start", call=True)
def dense():
    def forward(self, x):
        update = torch.einsum("or,ri->oi", self.B, self.A) * self.scaling
        return self.base(x) + x @ update.T

    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        draws = 2 * torch.rand(rank, base.in_features) - 1
        self.A = nn.Parameter(draws / base.in_features**0.5)

    return _with(__init__=__init__, forward=forward)


@wrong("alpha-not-divided", "You scale by alpha; the scale is alpha / rank.", call=True)
def alpha_only():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.scaling = alpha

    return _with(__init__=__init__)


@wrong("no-scale", "You add B A x without the scale alpha / rank.", call=True)
def no_scale():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.scaling = 1.0

    return _with(__init__=__init__)


@wrong(
    "root-of-the-rank",
    "You divide alpha by the root of the rank (rsLoRA); here it is alpha / rank.",
    call=True,
)
def root():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.scaling = alpha / math.sqrt(rank)

    return _with(__init__=__init__)


@wrong("rank-over-alpha", "Your scale is rank / alpha; turn it round.", call=True)
def turned():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.scaling = rank / alpha

    return _with(__init__=__init__)


@wrong(
    "integer-scale", "You divided with //, which makes the scale 0 where alpha < rank.", call=True
)
def integer():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.scaling = alpha // rank

    return _with(__init__=__init__)


@wrong(
    "b-starts-random",
    "Your B starts random: the adapted model starts broken. B starts at zero.",
    call=True,
)
def random_b():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.B = nn.Parameter(torch.randn(base.out_features, rank) * 0.02)

    return _with(__init__=__init__)


@wrong(
    "both-start-at-zero",
    "A and B both start at zero: then both gradients are zero for ever. Only B does.",
    call=True,
)
def both_zero():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.A = nn.Parameter(torch.zeros(rank, base.in_features))

    return _with(__init__=__init__)


@wrong(
    "a-zero-b-random", "You let A start at zero and B random; it is the other way round.", call=True
)
def zero_a():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.A = nn.Parameter(torch.zeros(rank, base.in_features))
        self.B = nn.Parameter(torch.randn(base.out_features, rank) * 0.02)

    return _with(__init__=__init__)


@wrong(
    "a-starts-normal",
    "Your A starts normal; it starts uniform in 1 / sqrt(in_features).",
    call=True,
)
def normal_a():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.A = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)

    return _with(__init__=__init__)


@wrong(
    "a-starts-in-0-to-b",
    "Your A starts between 0 and b (torch.rand); it starts between -b and b.",
    call=True,
)
def positive_a():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.A = nn.Parameter(torch.rand(rank, base.in_features) / base.in_features**0.5)

    return _with(__init__=__init__)


@wrong(
    "a-bound-from-the-rank",
    "You took 1 / sqrt(rank) as the bound; it is 1 / sqrt(in_features).",
    call=True,
)
def rank_bound():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        bound = 1 / math.sqrt(rank)
        self.A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound))

    return _with(__init__=__init__)


@wrong(
    "same-start-in-every-layer",
    "You seed before you draw A, so that every layer starts with the same numbers.",
    call=True,
)
def seeded():
    def __init__(self, base, rank, alpha):
        torch.manual_seed(0)
        _Base.__init__(self, base, rank, alpha)

    return _with(__init__=__init__)


@wrong("base-not-frozen", "Your base still requires gradients: freeze it.", call=True)
def not_frozen():
    return _with(freeze=lambda self, base: base)


@wrong("bias-not-frozen", "You froze the weight and forgot the bias.", call=True)
def bias_free():
    def freeze(self, base):
        if hasattr(base, "weight"):
            base.weight.requires_grad_(False)
        return base

    return _with(freeze=freeze)


@wrong(
    "base-copied",
    "You copied the base: then its memory is held twice. Keep the module given.",
    call=True,
)
def copied():
    return _with(freeze=lambda self, base: copy.deepcopy(base).requires_grad_(False))


@wrong(
    "base-under-no-grad",
    "You call the base under no_grad: layers below it get no gradient through it.",
    call=True,
)
def no_grad_base():
    def forward(self, x):
        with torch.no_grad():
            fixed = self.base(x)
        return fixed + self.scaling * (x @ self.A.T @ self.B.T)

    return _with(forward=forward)


@wrong(
    "base-weight-used",
    "You read base.weight; a 4-bit layer has no float weight: call base(x).",
    call=True,
)
def weight_used():
    def forward(self, x):
        whole = self.base.weight + self.scaling * self.B @ self.A
        return nn.functional.linear(x, whole, self.base.bias)

    return _with(forward=forward)


@wrong("base-left-out", "You return the update alone; add base(x).", call=True)
def update_only():
    return _with(forward=lambda self, x: self.scaling * (x @ self.A.T @ self.B.T))


@wrong("base-scaled-too", "You scale base(x) as well; the scale belongs to the update.", call=True)
def all_scaled():
    return _with(forward=lambda self, x: self.scaling * (self.base(x) + x @ self.A.T @ self.B.T))


@wrong(
    "a-and-b-swapped-in-shape",
    "A is (rank, in) and B (out, rank); yours are transposed.",
    call=True,
)
def transposed():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.A = nn.Parameter(self.A.data.T.clone())
        self.B = nn.Parameter(self.B.data.T.clone())

    return _with(
        __init__=__init__,
        forward=lambda self, x: self.base(x) + self.scaling * (x @ self.A @ self.B),
        merge=lambda self, w: (w + self.scaling * (self.A @ self.B).T).detach(),
    )


@wrong("detached-update", "You detached the update; A and B get no gradient.", call=True)
def detached():
    return _with(
        forward=lambda self, x: self.base(x) + self.scaling * (x @ self.A.T @ self.B.T).detach()
    )


@wrong("merge-without-scale", "Your merge forgets alpha / rank.", call=True)
def merge_unscaled():
    return _with(merge=lambda self, weight: (weight + self.B @ self.A).detach())


@wrong("merge-subtracts", "Your merge subtracts the update; that is unmerging.", call=True)
def merge_minus():
    return _with(merge=lambda self, weight: (weight - self.scaling * self.B @ self.A).detach())


@wrong("merge-in-place", "Your merge writes into its argument; return a new tensor.", call=True)
def merge_in_place():
    def merge(self, weight):
        with torch.no_grad():
            weight += self.scaling * self.B @ self.A
        return weight

    return _with(merge=merge)


@wrong("merge-tracks-gradients", "Your merged weight hangs on A and B; detach it.", call=True)
def merge_tracked():
    return _with(merge=lambda self, weight: weight + self.scaling * self.B @ self.A)


@wrong(
    "merge-empties-the-adapter",
    "Your merge sets B to zero; the layer must go on as before.",
    call=True,
)
def merge_resets():
    def merge(self, weight):
        with torch.no_grad():
            merged = weight + self.scaling * self.B @ self.A
            self.B.zero_()
        return merged

    return _with(merge=merge)


@wrong(
    "merge-ignores-its-argument",
    "You merge into base.weight; merge into the weight given.",
    call=True,
)
def merge_base():
    def merge(self, weight):
        base = getattr(self.base, "weight", weight)
        return (base + self.scaling * self.B @ self.A).detach()

    return _with(merge=merge)


@wrong(
    "product-transposed",
    "You computed A B or its transpose; the update of (out, in) is B A.",
    call=True,
)
def product_transposed():
    def merge(self, weight):
        update = self.scaling * (self.B @ self.A)
        return (weight + update.T.reshape(weight.shape)).detach()

    return _with(merge=merge)


@wrong(
    "trained-in-forward",
    "Your forward folds the update into the base; its weight then changes.",
    call=True,
)
def folds():
    def forward(self, x):
        out = self.base(x) + self.scaling * (x @ self.A.T @ self.B.T)
        if hasattr(self.base, "weight"):
            with torch.no_grad():
                self.base.weight += 1e-3 * self.B @ self.A
        return out

    return _with(forward=forward)


@wrong("rank-0-accepted", "You accept rank 0 or below; raise ValueError.", call=True)
def any_rank():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, max(rank, 1), alpha)

    return _with(__init__=__init__)


@wrong("half-precision-adapters", "Your A and B are float16; they are float32.", call=True)
def half():
    def __init__(self, base, rank, alpha):
        _Base.__init__(self, base, rank, alpha)
        self.A = nn.Parameter(self.A.data.half())
        self.B = nn.Parameter(self.B.data.half())

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.A.float().T @ self.B.float().T)

    return _with(__init__=__init__, forward=forward)


@wrong(
    "adapter-in-training-only",
    "Your adapter is left out after layer.eval(); it belongs to the model at inference too.",
    call=True,
)
def training_only():
    def forward(self, x):
        return _Base.forward(self, x) if self.training else self.base(x)

    return _with(forward=forward)


@wrong(
    "merge-gives-its-argument",
    "While B is 0 you returned the weight itself; make a new tensor.",
    call=True,
)
def merge_gives_its_argument():
    def merge(self, weight):
        return weight if not self.B.any() else _Base.merge(self, weight)

    return _with(merge=merge)


@wrong("merge-not-written", "`merge` is not written yet.", call=True)
def merge_not_written():
    def merge(self, weight):
        raise NotImplementedError

    return _with(merge=merge)
