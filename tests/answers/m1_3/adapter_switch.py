"""Answers to adapter-switch."""

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.bank import right, wrong


class _Base(nn.Module):
    """A right answer, to be bent."""

    def __init__(self, base):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.adapters, self.active, self.merged, self.kept = {}, None, False, None

    def fits(self, A, B):
        tall, wide = self.base.weight.shape
        return A.ndim == 2 and A.shape[1] == wide and tuple(B.shape) == (tall, A.shape[0])

    def store(self, A, B, alpha):
        return A.detach().clone(), B.detach().clone(), alpha / A.shape[0]

    def add(self, name, A, B, alpha):
        if not self.fits(A, B) or name in self.adapters:
            raise ValueError("the shapes do not fit, or the name is taken")
        self.adapters[name] = self.store(A, B, alpha)

    def activate(self, name):
        if self.merged or (name is not None and name not in self.adapters):
            raise ValueError("merged, or an unknown name")
        self.active = name

    def beside(self, x):
        A, B, scaling = self.adapters[self.active]
        return scaling * (x @ A.T @ B.T)

    def forward(self, x):
        y = self.base(x)
        return y if self.active is None or self.merged else y + self.beside(x)

    def update(self):
        A, B, scaling = self.adapters[self.active]
        return scaling * (B @ A)

    def merge(self):
        if self.active is None or self.merged:
            raise ValueError("nothing to merge")
        self.kept = self.base.weight.detach().clone()
        with torch.no_grad():
            self.base.weight += self.update()
        self.merged = True

    def unmerge(self):
        if not self.merged:
            raise ValueError("nothing is merged")
        with torch.no_grad():
            self.base.weight.copy_(self.kept)
        self.merged = False


def _with(**methods):
    return type("AdapterLinear", (_Base,), methods)


@right("a dict and a kept clone", call=True)
def by_dict():
    return _Base


@right("buffers, the original kept from the start", call=True)
def by_buffers():
    class AdapterLinear(nn.Module):
        def __init__(self, base):
            super().__init__()
            for parameter in base.parameters():
                parameter.requires_grad = False
            self.base = base
            self.original = base.weight.data.clone()
            self.scalings = {}
            self.active = None
            self.merged = False

        def add(self, name, A, B, alpha):
            if name in self.scalings:
                raise ValueError("taken")
            if A.dim() != 2 or B.dim() != 2 or A.size(0) != B.size(1):
                raise ValueError("ranks")
            if A.size(1) != self.base.in_features or B.size(0) != self.base.out_features:
                raise ValueError("widths")
            self.register_buffer("A_" + name, A.detach().clone())
            self.register_buffer("B_" + name, B.detach().clone())
            self.scalings[name] = alpha / A.size(0)

        def activate(self, name):
            if self.merged:
                raise ValueError("unmerge first")
            if name is not None and name not in self.scalings:
                raise ValueError("unknown")
            self.active = name

        def forward(self, x):
            out = F.linear(x, self.base.weight, self.base.bias)
            if self.merged or self.active is None:
                return out
            A, B = getattr(self, "A_" + self.active), getattr(self, "B_" + self.active)
            return out + F.linear(F.linear(x, A), B) * self.scalings[self.active]

        def merge(self):
            if self.merged or self.active is None:
                raise ValueError("cannot merge")
            A, B = getattr(self, "A_" + self.active), getattr(self, "B_" + self.active)
            whole = self.original.double() + self.scalings[self.active] * B.double() @ A.double()
            self.base.weight.data.copy_(whole.float())
            self.merged = True

        def unmerge(self):
            if not self.merged:
                raise ValueError("not merged")
            self.base.weight.data.copy_(self.original)
            self.merged = False

    return AdapterLinear


@right("the weight's storage exchanged", call=True)
def by_data():
    def merge(self):
        if self.merged or self.active not in self.adapters:
            raise ValueError("cannot merge")
        self.kept = self.base.weight.data
        self.base.weight.data = self.kept + self.update()
        self.merged = True

    def unmerge(self):
        if self.kept is None:
            raise ValueError("not merged")
        self.base.weight.data, self.kept, self.merged = self.kept, None, False

    return _with(merge=merge, unmerge=unmerge)


def _subtract(self):
    if not self.merged:
        raise ValueError("nothing is merged")
    with torch.no_grad():
        self.base.weight -= self.update()
    self.merged = False


@wrong(
    "unmerged-by-subtraction",
    "You subtract the update: the bits of the base drift. Keep a copy.",
    call=True,
)
def subtracted():
    return _with(unmerge=_subtract)


@wrong(
    "adapter-added-when-merged", "Merged, your forward adds the adapter a second time.", call=True
)
def added_twice():
    def forward(self, x):
        y = self.base(x)
        return y if self.active is None else y + self.beside(x)

    return _with(forward=forward)


@wrong(
    "products-computed-when-merged",
    "Merged, you compute the thin products and multiply them by 0.",
    call=True,
)
def zero_products():
    def forward(self, x):
        y = self.base(x)
        return y if self.active is None else y + (0.0 if self.merged else 1.0) * self.beside(x)

    return _with(forward=forward)


@wrong("scaling-forgotten", "The scaling alpha / rank is missing.", call=True)
def unscaled():
    return _with(store=lambda self, A, B, alpha: (A.clone(), B.clone(), 1.0))


@wrong("alpha-alone", "You scale by alpha; the scaling is alpha / rank.", call=True)
def alpha_alone():
    return _with(store=lambda self, A, B, alpha: (A.clone(), B.clone(), alpha))


@wrong("merge-without-scaling", "Your merge forgets alpha / rank.", call=True)
def merge_unscaled():
    def update(self):
        A, B, _ = self.adapters[self.active]
        return B @ A

    return _with(update=update)


@wrong(
    "merge-is-a-flag",
    "Your merge changes no weight; the output then lacks the adapter, or costs extra.",
    call=True,
)
def flag_only():
    def merge(self):
        if self.active is None or self.merged:
            raise ValueError("nothing to merge")
        self.kept, self.merged = self.base.weight.detach().clone(), True

    def forward(self, x):
        return self.base(x) if self.active is None else self.base(x) + self.beside(x)

    return _with(merge=merge, forward=forward)


@wrong(
    "base-replaced",
    "merge puts a new layer in place of base; base.weight of the layer given must change.",
    call=True,
)
def replaced():
    def merge(self):
        if self.active is None or self.merged:
            raise ValueError("nothing to merge")
        self.kept = self.base
        new = nn.Linear(self.base.in_features, self.base.out_features, self.base.bias is not None)
        new.load_state_dict(self.base.state_dict())
        new.weight.data += self.update()
        self.base, self.merged = new, True

    def unmerge(self):
        if not self.merged:
            raise ValueError("nothing is merged")
        self.base, self.merged = self.kept, False

    return _with(merge=merge, unmerge=unmerge)


@wrong("adapters-not-copied", "You keep the caller's tensors; copy them.", call=True)
def shared():
    return _with(store=lambda self, A, B, alpha: (A, B, alpha / A.shape[0]))


@wrong("adapters-summed", "Only the active adapter counts; you add all of them.", call=True)
def summed():
    def beside(self, x):
        return sum(s * (x @ A.T @ B.T) for A, B, s in self.adapters.values())

    return _with(beside=beside)


@wrong("last-added-is-active", "add makes the new adapter active; only activate does.", call=True)
def last_active():
    def add(self, name, A, B, alpha):
        _Base.add(self, name, A, B, alpha)
        self.active = name

    return _with(add=add)


@wrong("off-does-nothing", "activate(None) leaves the adapter on; it turns it off.", call=True)
def never_off():
    def activate(self, name):
        if name is None and not self.merged:
            return
        _Base.activate(self, name)

    return _with(activate=activate)


@wrong(
    "adapter-off-after-unmerge",
    "After unmerge the adapter is still active; you turn it off.",
    call=True,
)
def forgotten():
    def unmerge(self):
        _Base.unmerge(self)
        self.active = None

    return _with(unmerge=unmerge)


@wrong(
    "unknown-name-accepted", "An unknown name is accepted in silence; raise ValueError.", call=True
)
def unknown():
    def activate(self, name):
        if self.merged:
            raise ValueError("merged")
        self.active = name if name in self.adapters else None

    return _with(activate=activate)


@wrong("key-error", "An unknown name raises KeyError; asked is ValueError.", call=True)
def key_error():
    def activate(self, name):
        if self.merged:
            raise ValueError("merged")
        if name is not None:
            self.adapters[name]
        self.active = name

    return _with(activate=activate)


@wrong(
    "switch-while-merged",
    "You switch while an adapter is in the weights; raise ValueError.",
    call=True,
)
def switch_merged():
    def activate(self, name):
        if name is not None and name not in self.adapters:
            raise ValueError("unknown")
        self.active = name

    return _with(activate=activate)


@wrong(
    "merged-twice",
    "You merge twice: the update is in the weights two times. Raise ValueError.",
    call=True,
)
def twice():
    def merge(self):
        if self.active is None:
            raise ValueError("nothing active")
        self.kept = self.kept if self.merged else self.base.weight.detach().clone()
        with torch.no_grad():
            self.base.weight += self.update()
        self.merged = True

    return _with(merge=merge)


@wrong(
    "unmerge-always", "unmerge with nothing merged passes in silence; raise ValueError.", call=True
)
def always():
    def unmerge(self):
        if self.merged:
            _Base.unmerge(self)

    return _with(unmerge=unmerge)


@wrong(
    "name-overwritten",
    "A name that is taken is overwritten in silence; raise ValueError.",
    call=True,
)
def overwritten():
    def add(self, name, A, B, alpha):
        if not self.fits(A, B):
            raise ValueError("shapes")
        self.adapters[name] = self.store(A, B, alpha)

    return _with(add=add)


@wrong("shapes-not-tested", "Shapes that do not fit are accepted; raise ValueError.", call=True)
def any_shape():
    return _with(fits=lambda self, A, B: True)


@wrong("base-not-frozen", "The base still asks for gradients; freeze it.", call=True)
def trained_base():
    def __init__(self, base):
        _Base.__init__(self, base)
        base.requires_grad_(True)

    return _with(__init__=__init__)


@wrong("update-transposed", "The update of (out, in) is B A; you add its transpose.", call=True)
def transposed():
    def update(self):
        A, B, scaling = self.adapters[self.active]
        return (scaling * (B @ A)).T.reshape(self.base.weight.shape)

    return _with(update=update)


@wrong(
    "kept-for-all-layers", "The kept weight belongs to the class: two layers share it.", call=True
)
def kept_for_all():
    kept = {}

    def merge(self):
        _Base.merge(self)
        kept[self.active] = self.kept

    def unmerge(self):
        self.kept = kept.get(self.active, self.kept)
        _Base.unmerge(self)

    return _with(merge=merge, unmerge=unmerge)


@wrong("no-gradient-for-x", "forward runs without gradients: layers below cannot learn.", call=True)
def without_gradients():
    return _with(forward=torch.no_grad()(_Base.forward))


@wrong("activated-while-merged", "While an adapter is merged every activate is refused.", call=True)
def again_while_merged():
    def activate(self, name):
        if not (self.merged and name == self.active):
            _Base.activate(self, name)

    return _with(activate=activate)
