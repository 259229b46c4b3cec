"""Answers to fp8-delayed-scale."""

from collections import deque

import numpy as np
import torch

from autograder.checks.bank import right, wrong

FORMATS = {"e4m3": (448.0, torch.float8_e4m3fn), "e5m2": (57344.0, torch.float8_e5m2)}


class _Base:
    """The right scaler; each wrong one changes a single method."""

    def __init__(self, fmt="e4m3", history=16, margin=0):
        if fmt not in FORMATS or history < 1 or margin < 0:
            raise ValueError("not possible")
        self.top, self.dtype = FORMATS[fmt]
        self.keep, self.margin, self.past, self.scale = history, margin, [], 1.0

    def check(self, x):
        if not x.numel() or not bool(torch.isfinite(x).all()):
            raise ValueError("not finite")

    def cast(self, x):
        scaled = x.float() * self.scale
        return scaled.clamp(-self.top, self.top).to(self.dtype), int(
            (scaled.abs() > self.top).sum()
        )

    def record(self, x):
        self.past = (self.past + [float(x.abs().max())])[-self.keep :]

    def largest(self):
        return max(self.past)

    def renew(self):
        if self.largest() > 0:
            self.scale = self.top / self.largest() / 2**self.margin

    def quantize(self, x):
        self.check(x)
        out = self.cast(x)
        self.record(x)
        self.renew()
        return out


def _with(**changed):
    return type("DelayedScaling", (_Base,), changed)


@right("a list", call=True)
def by_list():
    return _Base


@right("a deque and ml_dtypes", call=True)
def by_deque():
    class DelayedScaling:
        def __init__(self, fmt="e4m3", history=16, margin=0):
            import ml_dtypes

            if fmt not in ("e4m3", "e5m2") or history <= 0 or margin < 0:
                raise ValueError("not possible")
            self.narrow = ml_dtypes.float8_e4m3fn if fmt == "e4m3" else ml_dtypes.float8_e5m2
            self.fp8_max = float(ml_dtypes.finfo(self.narrow).max)
            self.target = FORMATS[fmt][1]
            self.amaxes = deque(maxlen=history)
            self.scale, self.room = 1.0, 2.0**margin

        def quantize(self, x):
            a = x.to(torch.float64).numpy()
            if a.size == 0 or not np.all(np.isfinite(a)):
                raise ValueError("not finite")
            scaled = a * self.scale
            codes = np.clip(scaled, -self.fp8_max, self.fp8_max).astype(self.narrow)
            self.amaxes.append(np.abs(a).max())
            if any(self.amaxes):
                self.scale = float(self.fp8_max / (max(self.amaxes) * self.room))
            back = torch.from_numpy(codes.astype(np.float32)).to(self.target)
            return back, int(np.count_nonzero(np.abs(scaled) > self.fp8_max))

    return DelayedScaling


@wrong(
    "current-amax",
    "You set the scale from x before the cast; delayed scaling casts with the scale of the past.",
    call=True,
)
def current():
    def quantize(self, x):
        self.check(x)
        self.record(x)
        self.renew()
        return self.cast(x)

    return _with(quantize=quantize)


@wrong(
    "two-steps-late",
    "Your scale is one step too old: x's amax counts for the very next step.",
    call=True,
)
def two_late():
    def quantize(self, x):
        self.check(x)
        out = self.cast(x)
        if self.past:
            self.renew()
        self.record(x)
        return out

    return _with(quantize=quantize)


@wrong(
    "inverse-scale",
    "Your scale is amax / fp8_max; here it multiplies x, so it is fp8_max / amax.",
    call=True,
)
def inverse():
    def renew(self):
        if self.largest() > 0:
            self.scale = self.largest() / self.top * 2**self.margin

    def cast(self, x):
        scaled = x.float() / self.scale
        return scaled.clamp(-self.top, self.top).to(self.dtype), int(
            (scaled.abs() > self.top).sum()
        )

    return _with(renew=renew, cast=cast)


@wrong("last-amax-only", "You used the last amax; it is the largest of the history.", call=True)
def last():
    return _with(largest=lambda self: self.past[-1])


@wrong("mean-amax", "You averaged the history; it is its largest entry.", call=True)
def mean():
    return _with(largest=lambda self: sum(self.past) / len(self.past))


@wrong(
    "history-never-ends",
    "Your history keeps every step; only the last `history` amaxes count.",
    call=True,
)
def endless():
    def record(self, x):
        self.past = [*self.past, float(x.abs().max())]

    return _with(record=record)


@wrong("history-one-longer", "Your history is one step too long.", call=True)
def longer():
    def record(self, x):
        self.past = (self.past + [float(x.abs().max())])[-self.keep - 1 :]

    return _with(record=record)


@wrong("history-one-shorter", "Your history is one step too short.", call=True)
def shorter():
    def record(self, x):
        self.past = (self.past + [float(x.abs().max())])[-max(self.keep - 1, 1) :]

    return _with(record=record)


@wrong(
    "scale-never-rises",
    "Your scale only falls; when a large amax leaves the history, it rises again.",
    call=True,
)
def never_rises():
    def renew(self):
        if self.largest() > 0:
            new = self.top / self.largest() / 2**self.margin
            self.scale = new if len(self.past) == 1 else min(self.scale, new)

    return _with(renew=renew)


@wrong("margin-ignored", "Your scale has no margin; divide it by 2**margin.", call=True)
def no_margin():
    def renew(self):
        if self.largest() > 0:
            self.scale = self.top / self.largest()

    return _with(renew=renew)


@wrong(
    "margin-multiplied",
    "Your margin makes the scale larger; it is room, so the scale gets smaller.",
    call=True,
)
def margin_up():
    def renew(self):
        if self.largest() > 0:
            self.scale = self.top / self.largest() * 2**self.margin

    return _with(renew=renew)


@wrong(
    "margin-not-a-power", "You divided by the margin itself; it counts powers of two.", call=True
)
def margin_linear():
    def renew(self):
        if self.largest() > 0:
            self.scale = self.top / self.largest() / max(1, self.margin)

    return _with(renew=renew)


@wrong(
    "power-of-two-scale",
    "You rounded the scale to a power of two; the exercise takes the quotient as it is.",
    call=True,
)
def power():
    def renew(self):
        if self.largest() > 0:
            self.scale = 2.0 ** np.floor(np.log2(self.top / self.largest() / 2**self.margin))

    return _with(renew=renew)


@wrong(
    "not-saturated",
    "You cast without a clamp: E5M2 then gives infinities where the largest value is due.",
    call=True,
)
def unclamped():
    def cast(self, x):
        scaled = x.float() * self.scale
        return scaled.to(self.dtype), int((scaled.abs() > self.top).sum())

    return _with(cast=cast)


@wrong("448-for-both", "You used 448 for E5M2 too; its largest value is 57344.", call=True)
def same_top():
    def __init__(self, fmt="e4m3", history=16, margin=0):
        _Base.__init__(self, fmt, history, margin)
        self.top = 448.0

    return _with(__init__=__init__)


@wrong("e4m3-always", "You cast to E4M3 whatever fmt says.", call=True)
def always_e4m3():
    def __init__(self, fmt="e4m3", history=16, margin=0):
        _Base.__init__(self, fmt, history, margin)
        self.dtype = torch.float8_e4m3fn

    return _with(__init__=__init__)


@wrong(
    "overflow-as-a-flag",
    "You told only whether there was overflow; return the number of elements.",
    call=True,
)
def flag():
    def cast(self, x):
        codes, over = _Base.cast(self, x)
        return codes, int(over > 0)

    return _with(cast=cast)


@wrong(
    "saturated-counted",
    "You counted every element at the largest code; overflow is |x| * scale above fp8_max before the cast.",
    call=True,
)
def at_the_top():
    def cast(self, x):
        codes, _ = _Base.cast(self, x)
        return codes, int((codes.float().abs() == self.top).sum())

    return _with(cast=cast)


@wrong(
    "negative-overflow-missed",
    "You counted x * scale above fp8_max; large negative values overflow too.",
    call=True,
)
def one_side():
    def cast(self, x):
        codes, _ = _Base.cast(self, x)
        return codes, int((x.float() * self.scale > self.top).sum())

    return _with(cast=cast)


@wrong(
    "max-without-abs",
    "Your amax is the maximum of x; the largest magnitude may be negative.",
    call=True,
)
def no_abs():
    def record(self, x):
        self.past = (self.past + [float(x.max())])[-self.keep :]

    return _with(record=record)


@wrong(
    "amax-of-the-scaled",
    "You recorded the amax after scaling; the history holds amaxes of x itself.",
    call=True,
)
def of_scaled():
    def quantize(self, x):
        self.check(x)
        out = self.cast(x)
        self.record(x * self.scale)
        self.renew()
        return out

    return _with(quantize=quantize)


@wrong(
    "zeros-reset-the-scale",
    "When the history holds only zeros, the scale stays as it was; you set it back to 1.",
    call=True,
)
def reset():
    def renew(self):
        self.scale = self.top / self.largest() / 2**self.margin if self.largest() > 0 else 1.0

    return _with(renew=renew)


@wrong(
    "zeros-not-recorded",
    "A step of zeros is a step: its amax 0 joins the history and pushes an old one out.",
    call=True,
)
def skips_zeros():
    def record(self, x):
        if float(x.abs().max()) > 0:
            _Base.record(self, x)

    def renew(self):
        if self.past:
            _Base.renew(self)

    return _with(record=record, renew=renew)


@wrong(
    "infinity-recorded",
    "An infinity or a NaN must raise ValueError and leave history and scale alone.",
    call=True,
)
def recorded():
    def check(self, x):
        if x.numel() and not bool(torch.isfinite(x).all()):
            self.past = [*self.past, 1e30][-self.keep :]
            self.renew()
        _Base.check(self, x)

    return _with(check=check)


@wrong(
    "settings-not-checked",
    "A history below 1, a negative margin or another fmt must raise ValueError.",
    call=True,
)
def unchecked():
    def __init__(self, fmt="e4m3", history=16, margin=0):
        fmt = fmt if fmt in FORMATS else "e4m3"
        _Base.__init__(self, fmt, max(history, 1), max(margin, 0))

    return _with(__init__=__init__)


@wrong(
    "shared-history",
    "Two scalers share their history: make the list in __init__.",
    call=True,
    diagnose=False,
)
def shared():
    kept = []

    def record(self, x):
        kept.append(float(x.abs().max()))
        self.past = kept[-self.keep :]

    return _with(record=record)


@wrong(
    "full-counts-as-overflow",
    "A value of exactly fp8_max fits; count what lies beyond it.",
    call=True,
)
def full_counts():
    def cast(self, x):
        codes, _ = _Base.cast(self, x)
        return codes, int(((x.float() * self.scale).abs() >= self.top).sum())

    return _with(cast=cast)


@wrong(
    "float16-before-fp8",
    "You rounded to float16 on the way: a value rounded twice can miss.",
    call=True,
)
def by_way_of_float16():
    def cast(self, x):
        _, over = _Base.cast(self, x)
        scaled = (x.float() * self.scale).clamp(-self.top, self.top)
        return scaled.half().to(self.dtype), over

    return _with(cast=cast)
