"""Answers to range-observer."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


class _Base:
    def __init__(self, averaging=None):
        if averaging is not None and not 0 < averaging <= 1:
            raise ValueError("averaging")
        self.averaging = averaging
        self.low = self.high = None

    def check(self, x):
        if not x.numel() or not torch.isfinite(x).all():
            raise ValueError("batch")

    def observe(self, x):
        self.check(x)
        self.take(float(x.min()), float(x.max()))

    def take(self, low, high):
        if self.low is None:
            self.low, self.high = low, high
        elif self.averaging is None:
            self.low, self.high = min(self.low, low), max(self.high, high)
        else:
            self.low += self.averaging * (low - self.low)
            self.high += self.averaging * (high - self.high)

    def qparams(self, bits=8):
        if self.low is None:
            raise ValueError("no data")
        if not 2 <= bits <= 8:
            raise ValueError("bits")
        return self.affine(bits)

    def affine(self, bits):
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        if low == high:
            return 1.0, 0
        scale = (high - low) / (2**bits - 1)
        return scale, round(-low / scale)


@right("running floats", call=True)
def floats():
    return _Base


@right("aminmax and torch.lerp in float64", call=True)
def by_lerp():
    class Observer:
        def __init__(self, averaging=None):
            if averaging is not None and (averaging <= 0 or averaging > 1):
                raise ValueError("averaging must be in (0, 1]")
            self.c, self._range = averaging, None

        low = property(lambda self: None if self._range is None else self._range[0].item())
        high = property(lambda self: None if self._range is None else self._range[1].item())

        def observe(self, x):
            if x.numel() == 0 or bool((~torch.isfinite(x)).any()):
                raise ValueError("nothing to observe")
            new = torch.stack(torch.aminmax(x.detach().double()))
            if self._range is None:
                self._range = new
            elif self.c is None:
                old = self._range
                self._range = torch.stack(
                    [torch.minimum(old[0], new[0]), torch.maximum(old[1], new[1])]
                )
            else:
                self._range = torch.lerp(self._range, new, self.c)

        def qparams(self, bits=8):
            if bits not in range(2, 9) or self._range is None:
                raise ValueError("no range or no such width")
            ends = self._range.clone()
            ends[0].clamp_(max=0), ends[1].clamp_(min=0)
            scale = (ends[1] - ends[0]).item() / (2**bits - 1)
            if scale == 0:
                return [1.0, 0]
            return [scale, int(np.rint(-ends[0].item() / scale))]

    return Observer


@right("keeps every batch's range, computes late", call=True)
def late():
    class Observer(_Base):
        def __init__(self, averaging=None):
            super().__init__(averaging)
            self.seen = []

        def take(self, low, high):
            self.seen.append((low, high))
            lows, highs = zip(*self.seen, strict=True)
            if self.averaging is None:
                self.low, self.high = min(lows), max(highs)
                return
            n, c = len(lows), self.averaging
            weights = [(1 - c) ** (n - 1)] + [c * (1 - c) ** (n - 1 - k) for k in range(1, n)]
            self.low = math.fsum(w * v for w, v in zip(weights, lows, strict=True))
            self.high = math.fsum(w * v for w, v in zip(weights, highs, strict=True))

    return Observer


def _with(**methods):
    return type("Observer", (_Base,), methods)


@wrong(
    "last-batch-only",
    "You keep the newest batch's range only; an observer adds up all batches.",
    call=True,
)
def last_only():
    def take(self, low, high):
        self.low, self.high = low, high

    return _with(take=take)


@wrong(
    "starts-at-zero",
    "Your range begins at [0, 0]; the first batch must set it, or positive data get low 0.",
    call=True,
)
def starts_at_zero():
    def take(self, low, high):
        self.low, self.high = self.low or 0.0, self.high or 0.0
        _Base.take(self, low, high)

    return _with(take=take)


@wrong(
    "average-from-zero",
    "Your average begins at 0 and is drawn there; the first batch sets it.",
    call=True,
)
def average_from_zero():
    def take(self, low, high):
        if self.averaging is not None and self.low is None:
            self.low = self.high = 0.0
        _Base.take(self, low, high)

    return _with(take=take)


@wrong(
    "weight-on-the-past",
    "You gave `averaging` to the past; it is the weight of the newest batch.",
    call=True,
)
def weight_on_past():
    def take(self, low, high):
        if self.low is None or self.averaging is None:
            return _Base.take(self, low, high)
        c = 1 - self.averaging
        self.low, self.high = self.low + c * (low - self.low), self.high + c * (high - self.high)

    return _with(take=take)


@wrong("averaging-ignored", "You ignore `averaging` and keep the running min and max.", call=True)
def ignored():
    def take(self, low, high):
        kept, self.averaging = self.averaging, None
        _Base.take(self, low, high)
        self.averaging = kept

    return _with(take=take)


@wrong(
    "symmetric-state",
    "You keep max|x| on both sides; low and high are the smallest and the largest value.",
    call=True,
)
def symmetric():
    def take(self, low, high):
        amax = max(abs(low), abs(high))
        _Base.take(self, -amax, amax)

    return _with(take=take)


@wrong(
    "state-widened-to-zero",
    "You widened low and high to 0 in the state; only qparams does that.",
    call=True,
)
def widened():
    def take(self, low, high):
        _Base.take(self, min(low, 0.0), max(high, 0.0))

    return _with(take=take)


@wrong(
    "zero-not-in-range",
    "qparams must widen the range to contain 0, or zero has no code.",
    call=True,
)
def not_widened():
    def affine(self, bits):
        if self.low == self.high:
            return 1.0, 0
        scale = (self.high - self.low) / (2**bits - 1)
        return scale, round(-self.low / scale)

    return _with(affine=affine)


@wrong("two-to-the-bits-steps", "2**bits codes have 2**bits - 1 steps between them.", call=True)
def steps():
    def affine(self, bits):
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        scale = (high - low) / 2**bits or 1.0
        return scale, round(-low / scale)

    return _with(affine=affine)


@wrong("always-8-bits", "Your qparams ignores `bits`.", call=True)
def eight():
    return _with(affine=lambda self, bits: _Base.affine(self, 8))


@wrong(
    "half-up-zero-point",
    "You rounded the zero-point's ties up; they go to the even neighbour.",
    call=True,
)
def half_up():
    def affine(self, bits):
        scale, _ = _Base.affine(self, bits)
        return scale, math.floor(-min(self.low, 0.0) / scale + 0.5)

    return _with(affine=affine)


@wrong(
    "zero-scale",
    "A range of [0, 0] gives scale 0, and then everything divides by it; return (1.0, 0).",
    call=True,
)
def zero_scale():
    def affine(self, bits):
        if self.low == self.high == 0:
            return 0.0, 0
        return _Base.affine(self, bits)

    return _with(affine=affine)


@wrong("nan-accepted", "You let NaN and infinities into the range; refuse the batch.", call=True)
def nan_accepted():
    def check(self, x):
        if not x.numel():
            raise ValueError("empty")

    return _with(check=check)


@wrong(
    "infinity-accepted",
    "You test for NaN only; an infinite range has an infinite scale: test isfinite.",
    call=True,
)
def inf_accepted():
    def check(self, x):
        if not x.numel() or torch.isnan(x).any():
            raise ValueError("batch")

    return _with(check=check)


@wrong(
    "empty-skipped",
    "You pass over an empty batch in silence; it is an error in the calibration data.",
    call=True,
)
def skipped():
    def observe(self, x):
        if x.numel():
            _Base.observe(self, x)

    return _with(observe=observe)


@wrong(
    "default-before-data",
    "Without data you return a default; nobody will notice until it is deployed: raise ValueError.",
    call=True,
)
def default():
    def qparams(self, bits=8):
        if self.low is None:
            return 1.0, 0
        return _Base.qparams(self, bits)

    return _with(qparams=qparams)


@wrong(
    "state-changed-before-the-test",
    "You change the state before you test the batch, so that a refused batch leaves a trace.",
    call=True,
)
def late_test():
    def observe(self, x):
        if x.numel():
            self.take(float(x.min()), float(x.max()))
        self.check(x)

    return _with(observe=observe)


@wrong("bits-not-checked", "bits outside 2 to 8 must raise ValueError.", call=True)
def any_bits():
    def qparams(self, bits=8):
        if self.low is None:
            raise ValueError("no data")
        return self.affine(max(bits, 1))

    return _with(qparams=qparams)


@wrong("averaging-not-checked", "averaging outside (0, 1] must raise ValueError.", call=True)
def any_averaging():
    def __init__(self, averaging=None):
        self.averaging = averaging
        self.low = self.high = None

    return _with(__init__=__init__)


@wrong("shared-state", "All your observers share one state; keep it in self.", call=True)
def shared():
    class Observer(_Base):
        state = {}

        def __init__(self, averaging=None):
            Observer.state = (
                Observer.state if averaging is None and Observer.state.get("low") is None else {}
            )
            self.__dict__ = Observer.state
            _Base.__init__(self, averaging)

    return Observer


@wrong(
    "average-in-float16",
    "You average in the batch's float16; small updates are rounded away: use Python floats.",
    call=True,
)
def in_half():
    class Observer(_Base):
        def observe(self, x):
            self.check(x)
            low, high = x.min(), x.max()
            if self.low is None or self.averaging is None:
                return self.take(float(low), float(high))
            c = self.averaging
            old = torch.tensor([self.low, self.high], dtype=x.dtype)
            new = old + c * (torch.stack([low, high]) - old)
            self.low, self.high = new.tolist()

    return Observer


@wrong(
    "qparams-changes-the-state",
    "Your qparams widens low and high themselves; the next batch then meets another range.",
    call=True,
)
def widened_late():
    def affine(self, bits):
        self.low, self.high = min(self.low, 0.0), max(self.high, 0.0)
        return _Base.affine(self, bits)

    return _with(affine=affine)


@wrong(
    "batch-changed",
    "Your observe works in place on the batch, which the model still needs.",
    call=True,
)
def batch_changed():
    def observe(self, x):
        _Base.observe(self, x)
        x.clamp_(-1, 1)

    return _with(observe=observe)


@wrong(
    "starts-at-infinity",
    "low and high are None before the first batch; infinities look like a range.",
    call=True,
)
def from_infinity():
    class Observer(_Base):
        def __init__(self, averaging=None):
            _Base.__init__(self, averaging)
            self.low, self.high, self.seen = math.inf, -math.inf, False

        def take(self, low, high):
            if not self.seen:
                self.low, self.high, self.seen = low, high, True
            else:
                _Base.take(self, low, high)

        def qparams(self, bits=8):
            if not self.seen:
                raise ValueError("no data")
            return _Base.qparams(self, bits)

    return Observer


@wrong(
    "positive-infinity-accepted",
    "You refuse minus infinity only; test isfinite, which knows both.",
    call=True,
)
def positive_infinity():
    def check(self, x):
        if not x.numel() or torch.isnan(x).any() or (x == -math.inf).any():
            raise ValueError("batch")

    return _with(check=check)


@wrong(
    "trace-of-a-refused-first-batch",
    "A refused first batch leaves a range of zeros behind; set it after the test.",
    call=True,
)
def first_refused():
    def observe(self, x):
        fresh = self.low is None
        if fresh:
            self.low = self.high = 0.0
        self.check(x)
        if fresh:
            self.low = self.high = None
        self.take(float(x.min()), float(x.max()))

    return _with(observe=observe)
