"""Answers to kv-cache."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong

TOPS = {"int8": (127.0, torch.int8), "e4m3": (448.0, torch.float8_e4m3fn)}


def _codes(x, fmt, dims=-1):
    top, dtype = TOPS[fmt]
    if not bool(torch.isfinite(x).all()):
        raise ValueError("not finite")
    x = x.float()
    amax = x.abs().amax(dims, keepdim=True)
    scales = torch.where(amax > 0, amax / top, torch.ones_like(amax)).expand(*x.shape[:2], 1)
    ratio = (x / scales).clamp(-top, top)
    return (ratio.round() if fmt == "int8" else ratio).to(dtype), scales.clone()


class _Base:
    """The right cache; each wrong one changes a single method."""

    dims = -1

    def __init__(self, heads, head_dim, fmt="int8"):
        self.heads, self.head_dim, self.fmt = heads, head_dim, fmt
        self.parts = []  # (key codes, key scales, value codes, value scales)

    def check(self, key, value):
        good = key.ndim == 3 and key.shape[0] == self.heads and key.shape[2] == self.head_dim
        if not good or key.shape != value.shape:
            raise ValueError("shapes")

    def append(self, key, value):
        self.check(key, value)
        self.parts.append((*_codes(key, self.fmt, self.dims), *_codes(value, self.fmt, self.dims)))

    def __len__(self):
        return sum(part[0].shape[1] for part in self.parts)

    def size_bytes(self):
        return sum(t.nbytes for part in self.parts for t in part)

    def stored(self):
        kc, ks, vc, vs = (torch.cat([p[i].float() for p in self.parts], 1) for i in range(4))
        return kc * ks, vc * vs

    def check_query(self, query):
        if not len(self) or query.ndim != 2 or query.shape[1] != self.head_dim:
            raise ValueError("empty, or shape")
        if query.shape[0] % self.heads or not bool(torch.isfinite(query).all()):
            raise ValueError("query")

    def spread(self, t, group):
        return t.repeat_interleave(group, 0)

    def factor(self):
        return 1 / math.sqrt(self.head_dim)

    def attend(self, query):
        self.check_query(query)
        group = query.shape[0] // self.heads
        k, v = (self.spread(t, group) for t in self.stored())
        scores = torch.einsum("hd,htd->ht", query.float(), k) * self.factor()
        return torch.einsum("ht,htd->hd", scores.softmax(-1), v)


def _with(**changed):
    return type("KVCache", (_Base,), changed)


@right("a list of parts", call=True)
def parts():
    return _Base


@right("four tensors, scales applied to scores and probabilities", call=True)
def four():
    class KVCache:
        def __init__(self, heads, head_dim, fmt="int8"):
            dtype = TOPS[fmt][1]
            self.kc = torch.zeros(heads, 0, head_dim).to(dtype)
            self.vc = self.kc.clone()
            self.ks, self.vs = torch.zeros(heads, 0, 1), torch.zeros(heads, 0, 1)
            self.fmt = fmt

        def append(self, key, value):
            h, _, d = self.kc.shape
            for t in (key, value):
                if t.ndim != 3 or (t.shape[0], t.shape[2]) != (h, d) or t.shape != key.shape:
                    raise ValueError("shape")
            (kc, ks), (vc, vs) = _codes(key, self.fmt), _codes(value, self.fmt)
            self.kc, self.ks = torch.cat([self.kc, kc], 1), torch.cat([self.ks, ks], 1)
            self.vc, self.vs = torch.cat([self.vc, vc], 1), torch.cat([self.vs, vs], 1)

        def __len__(self):
            return self.kc.size(1)

        def size_bytes(self):
            return 2 * self.kc.numel() + 4 * (self.ks.numel() + self.vs.numel())

        def attend(self, query):
            h, n, d = self.kc.shape
            if n == 0 or query.ndim != 2 or query.shape[1] != d or query.shape[0] % h:
                raise ValueError("query")
            if query.isnan().any() or query.isinf().any():
                raise ValueError("query")
            q = query.float().view(h, -1, d)
            scores = torch.matmul(q, self.kc.float().transpose(1, 2)) / d**0.5
            weights = torch.softmax(scores * self.ks.transpose(1, 2), -1) * self.vs.transpose(1, 2)
            return torch.matmul(weights, self.vc.float()).reshape(-1, d)

    return KVCache


@right("NumPy in float64, one token at a time", call=True)
def by_numpy():
    def attend(self, query):
        self.check_query(query)
        k, v = (t.double().numpy() for t in self.stored())
        out = []
        for i, q in enumerate(query.double().numpy()):
            head = i * self.heads // len(query)
            s = k[head] @ q / np.sqrt(self.head_dim)
            p = np.exp(s - s.max())
            out.append((p / p.sum()) @ v[head])
        return torch.tensor(np.array(out), dtype=torch.float32)

    def append(self, key, value):
        self.check(key, value)
        made = [
            (*_codes(key[:, i : i + 1], self.fmt), *_codes(value[:, i : i + 1], self.fmt))
            for i in range(key.shape[1])
        ]
        self.parts.extend(made)

    return _with(attend=attend, append=append)


@wrong(
    "keeps-floats",
    "Your cache holds the restored floats: four bytes a number. Keep the codes and scales.",
    call=True,
)
def keeps_floats():
    def append(self, key, value):
        self.check(key, value)
        self.parts.append(
            tuple((c.float() * s) for c, s in (_codes(key, self.fmt), _codes(value, self.fmt)))
        )

    def stored(self):
        return tuple(torch.cat([p[i] for p in self.parts], 1) for i in range(2))

    def size_bytes(self):
        return 2 * self.heads * len(self) * (self.head_dim + 4)

    return _with(append=append, stored=stored, size_bytes=size_bytes)


@wrong(
    "not-quantized", "Your cache keeps the tokens as they came; store codes and scales.", call=True
)
def not_quantized():
    def append(self, key, value):
        self.check(key, value)
        if not bool(torch.isfinite(key).all() and torch.isfinite(value).all()):
            raise ValueError("not finite")
        self.parts.append((key, value))

    def stored(self):
        return tuple(torch.cat([p[i].float() for p in self.parts], 1) for i in range(2))

    def size_bytes(self):
        return 2 * self.heads * len(self) * (self.head_dim + 4)

    return _with(append=append, stored=stored, size_bytes=size_bytes)


@wrong(
    "a-float-copy-beside-the-codes",
    "You keep the restored floats beside the codes; then nothing has been saved.",
    call=True,
)
def float_copy():
    def attend(self, query):
        self.check_query(query)
        self.restored = self.stored()
        return _Base.attend(self, query)

    return _with(attend=attend)


@wrong(
    "one-scale-a-portion",
    "All tokens of one call share a scale in your cache; each token of each head has its own.",
    call=True,
)
def portion():
    return _with(dims=(0, 1, 2))


@wrong(
    "replaces-instead-of-appends",
    "Your append forgets what was there; join the new tokens to the old.",
    call=True,
)
def replaces():
    def append(self, key, value):
        self.parts = []
        _Base.append(self, key, value)

    return _with(append=append)


@wrong(
    "new-tokens-in-front",
    "You put new tokens before the old ones, and keys and values no longer belong together.",
    call=True,
)
def in_front():
    def stored(self):
        k, v = _Base.stored(self)
        return k, v.flip(1)

    return _with(stored=stored)


@wrong(
    "shared-between-caches",
    "Two caches share their tokens: a list in the class body belongs to all. Make it in __init__.",
    call=True,
    diagnose=False,
)
def shared():
    kept = []

    def __init__(self, heads, head_dim, fmt="int8"):
        _Base.__init__(self, heads, head_dim, fmt)
        if fmt:
            self.parts = kept

    return _with(__init__=__init__)


@wrong(
    "scores-not-divided",
    "Divide the scores by the square root of head_dim before the softmax.",
    call=True,
)
def no_root():
    return _with(factor=lambda self: 1.0)


@wrong("divided-by-head-dim", "You divided by head_dim; it is its square root.", call=True)
def by_dim():
    return _with(factor=lambda self: 1 / self.head_dim)


@wrong(
    "heads-tiled",
    "Your query heads take the key-value heads in turn; neighbours share one: repeat_interleave.",
    call=True,
)
def tiled():
    return _with(spread=lambda self, t, group: t.repeat(group, 1, 1))


@wrong(
    "softmax-over-the-heads",
    "Your softmax runs over the heads; it runs over the stored tokens.",
    call=True,
)
def over_heads():
    def attend(self, query):
        self.check_query(query)
        k, v = (self.spread(t, query.shape[0] // self.heads) for t in self.stored())
        scores = torch.einsum("hd,htd->ht", query.float(), k) * self.factor()
        return torch.einsum("ht,htd->hd", scores.softmax(0), v)

    return _with(attend=attend)


@wrong("codes-not-scaled", "attend uses the codes without their scales.", call=True)
def unscaled():
    def stored(self):
        return tuple(torch.cat([p[i].float() for p in self.parts], 1) for i in (0, 2))

    return _with(stored=stored)


@wrong(
    "values-scaled-after-the-sum",
    "You took the mean of the values' scales; each token's scale belongs to its own probability.",
    call=True,
)
def scaled_after():
    def stored(self):
        k, _ = _Base.stored(self)
        v = torch.cat([p[2].float() for p in self.parts], 1)
        return k, v * torch.cat([p[3] for p in self.parts], 1).mean(1, keepdim=True)

    return _with(stored=stored)


@wrong(
    "scales-not-counted", "size_bytes leaves out the scales: four bytes for each row.", call=True
)
def no_scales():
    return _with(size_bytes=lambda self: sum(p[0].nbytes + p[2].nbytes for p in self.parts))


@wrong("half-scales", "You keep float16 scales; the exercise asks for float32.", call=True)
def half_scales():
    def append(self, key, value):
        self.check(key, value)
        (kc, ks), (vc, vs) = _codes(key, self.fmt), _codes(value, self.fmt)
        self.parts.append((kc, ks.half(), vc, vs.half()))

    return _with(append=append)


@wrong("always-int8", "Your cache ignores fmt.", call=True)
def always_int8():
    def __init__(self, heads, head_dim, fmt="int8"):
        _Base.__init__(self, heads, head_dim, "int8")

    return _with(__init__=__init__)


@wrong("empty-attended", "attend on an empty cache must raise ValueError.", call=True)
def empty_attended():
    def attend(self, query):
        return _Base.attend(self, query) if len(self) else torch.zeros_like(query)

    return _with(attend=attend)


@wrong(
    "stores-before-it-checks",
    "A refused append left a part behind: check keys and values before you store either.",
    call=True,
)
def half_stored():
    class KVCache:
        def __init__(self, heads, head_dim, fmt="int8"):
            self.k, self.v = _Base(heads, head_dim, fmt), _Base(heads, head_dim, fmt)

        def append(self, key, value):
            self.k.append(key, key)
            if value.shape != key.shape:
                raise ValueError("shape")
            self.v.append(value, value)

        def __len__(self):
            return len(self.k)

        def size_bytes(self):
            return (self.k.size_bytes() + self.v.size_bytes()) // 2

        def attend(self, query):
            both = _Base(self.k.heads, self.k.head_dim, self.k.fmt)
            both.parts = [
                (*a[:2], *b[2:]) for a, b in zip(self.k.parts, self.v.parts, strict=False)
            ]
            return both.attend(query)

    return KVCache


@wrong(
    "shapes-not-checked",
    "A head_dim or a head count that does not fit must raise ValueError in append.",
    call=True,
)
def unchecked():
    return _with(check=lambda self, key, value: None)


@wrong("nan-query-answered", "A NaN in the query must raise ValueError.", call=True)
def nan_query():
    return _with(attend=lambda self, query: _Base.attend(self, torch.nan_to_num(query)))


@wrong(
    "sliding-window", "You keep the newest 128 tokens only; the cache holds all of them.", call=True
)
def sliding_window():
    def append(self, key, value):
        _Base.append(self, key, value)
        columns = [torch.cat(column, 1)[:, -128:] for column in zip(*self.parts, strict=True)]
        self.parts = [tuple(columns)]

    return _with(append=append)


@wrong(
    "exp-overflows",
    "Large scores overflow in exp; subtract the largest first (softmax does).",
    call=True,
)
def exp_overflows():
    def attend(self, query):
        self.check_query(query)
        k, v = (self.spread(t, query.shape[0] // self.heads) for t in self.stored())
        weights = torch.exp(torch.einsum("hd,htd->ht", query.float(), k) * self.factor())
        weights = weights / weights.sum(-1, keepdim=True)
        return torch.einsum("ht,htd->hd", weights, v)

    return _with(attend=attend)
