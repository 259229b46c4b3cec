"""Answers to loss-scaler."""

import math

import numpy as np

from autograder.checks.bank import right, wrong

FLOAT32_MAX = float(np.finfo(np.float32).max)


class _Base:
    """The right scaler; each wrong one changes a single method."""

    def __init__(
        self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
    ):
        self.scale = float(init_scale)
        self.growth_factor, self.backoff_factor = growth_factor, backoff_factor
        self.growth_interval, self.good = growth_interval, 0

    def scale_loss(self, loss):
        return loss * self.scale

    def unscale(self, grads):
        found = any(not np.isfinite(g).all() for g in grads)
        return [g.astype(np.float32) / np.float32(self.scale) for g in grads], found

    def grown(self):
        new = self.scale * self.growth_factor
        return new if new <= FLOAT32_MAX else self.scale

    def update(self, found_inf):
        if found_inf:
            self.scale *= self.backoff_factor
            self.good = 0
            return
        self.good += 1
        if self.good == self.growth_interval:
            self.scale, self.good = self.grown(), 0


@right("a counter", call=True)
def counter():
    return _Base


@right("float32 scale, counting down", call=True)
def countdown():
    class Scaler:
        def __init__(
            self, init_scale=65536, growth_factor=2, backoff_factor=0.5, growth_interval=2000
        ):
            self.scale = np.float32(init_scale)
            self.rule = np.float32(growth_factor), np.float32(backoff_factor), growth_interval
            self.left = growth_interval

        def scale_loss(self, loss):
            return loss * float(self.scale)

        def unscale(self, grads):
            inverse = np.float32(1) / self.scale
            out, bad = [], 0
            for g in grads:
                wide = np.array(g, dtype=np.float32)
                bad += int(np.count_nonzero(np.isinf(wide)) + np.count_nonzero(wide != wide))
                out.append(wide * inverse)
            return tuple(out), bool(bad)

        def update(self, found_inf):
            grow, back, interval = self.rule
            self.left = interval if found_inf else self.left - 1
            if found_inf:
                self.scale = self.scale * back
            elif self.left == 0:
                self.left = interval
                with np.errstate(over="ignore"):
                    new = self.scale * grow
                self.scale = new if np.isfinite(new) else self.scale

    return Scaler


@right("torch's own tensors", call=True)
def by_torch():
    class Scaler:
        def __init__(
            self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
        ):
            import torch

            self._s = torch.tensor(float(init_scale))
            self._n = torch.zeros((), dtype=torch.int32)
            self._rule = float(growth_factor), float(backoff_factor), growth_interval

        @property
        def scale(self):
            return self._s.item()

        def scale_loss(self, loss):
            return loss * self.scale

        def unscale(self, grads):
            import torch

            back = [torch.from_numpy(np.asarray(g, np.float32)) / self._s for g in grads]
            return [b.numpy() for b in back], not all(bool(b.isfinite().all()) for b in back)

        def update(self, found_inf):
            import torch

            torch._amp_update_scale_(self._s, self._n, torch.tensor(float(found_inf)), *self._rule)

    return Scaler


@right("history list", call=True)
def history():
    class Scaler(_Base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.events = []

        def update(self, found_inf):
            self.events.append(bool(found_inf))
            if self.events[-1]:
                self.scale = self.scale * self.backoff_factor
                self.events = []
            elif len(self.events) >= self.growth_interval:
                self.scale = self.grown() if math.isfinite(self.scale) else self.scale
                self.events = []

    return Scaler


def _with(**methods):
    return type("Scaler", (_Base,), methods)


@wrong(
    "counter-kept-at-overflow",
    "Your count of good steps survives an overflow; an overflow starts it again at 0.",
    call=True,
)
def kept():
    def update(self, found_inf):
        if found_inf:
            self.scale *= self.backoff_factor
            return
        self.good += 1
        if self.good == self.growth_interval:
            self.scale, self.good = self.grown(), 0

    return _with(update=update)


@wrong(
    "counter-kept-at-growth",
    "After a growth your count goes on, so the scale grows again at every step; start it again at 0.",
    call=True,
)
def grows_on():
    def update(self, found_inf):
        if found_inf:
            self.scale, self.good = self.scale * self.backoff_factor, 0
            return
        self.good += 1
        if self.good >= self.growth_interval:
            self.scale = self.grown()

    return _with(update=update)


@wrong(
    "grows-only-once",
    "Your scale grows once and never again: the count passes growth_interval and is not reset.",
    call=True,
)
def once():
    def update(self, found_inf):
        if found_inf:
            self.scale, self.good = self.scale * self.backoff_factor, 0
            return
        self.good += 1
        if self.good == self.growth_interval:
            self.scale = self.grown()

    return _with(update=update)


@wrong(
    "one-step-late",
    "You grow one step late: at growth_interval good steps, not one more.",
    call=True,
)
def late():
    def update(self, found_inf):
        if found_inf:
            self.scale, self.good = self.scale * self.backoff_factor, 0
            return
        self.good += 1
        if self.good > self.growth_interval:
            self.scale, self.good = self.grown(), 0

    return _with(update=update)


@wrong(
    "every-nth-step",
    "You grow at every growth_interval-th step of all; it must be that many good ones in a row.",
    call=True,
)
def every_nth():
    def update(self, found_inf):
        self.good += 1
        if found_inf:
            self.scale *= self.backoff_factor
        if self.good % self.growth_interval == 0 and not found_inf:
            self.scale = self.grown()

    return _with(update=update)


@wrong(
    "overflow-counts-as-a-step",
    "After an overflow you start the count at 1; the skipped step was no good step.",
    call=True,
)
def counts_overflow():
    def update(self, found_inf):
        if found_inf:
            self.scale, self.good = self.scale * self.backoff_factor, 1
            return
        self.good += 1
        if self.good >= self.growth_interval:
            self.scale, self.good = self.grown(), 0

    return _with(update=update)


@wrong(
    "no-growth",
    "Your scale only backs off; without growth it stays low after one bad batch.",
    call=True,
)
def no_growth():
    def update(self, found_inf):
        if found_inf:
            self.scale *= self.backoff_factor

    return _with(update=update)


@wrong(
    "no-backoff", "Your scale does not back off, so that the next step overflows again.", call=True
)
def no_backoff():
    def update(self, found_inf):
        self.good = 0 if found_inf else self.good + 1
        if self.good == self.growth_interval:
            self.scale, self.good = self.grown(), 0

    return _with(update=update)


@wrong(
    "factors-hard-coded",
    "You wrote 2 and 0.5 where growth_factor and backoff_factor belong.",
    call=True,
)
def hard_coded():
    def __init__(
        self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
    ):
        _Base.__init__(self, init_scale, 2.0, 0.5, growth_interval)

    return _with(__init__=__init__)


@wrong(
    "events-swapped",
    "You back off after good steps and grow after overflows: the other way round.",
    call=True,
)
def swapped():
    return _with(update=lambda self, found_inf: _Base.update(self, not found_inf))


@wrong(
    "float16-unscale",
    "You divided in float16; small gradients vanish again there, so cast to float32 first.",
    call=True,
)
def half_unscale():
    def unscale(self, grads):
        found = any(not np.isfinite(g).all() for g in grads)
        return [(g / g.dtype.type(self.scale)).astype(np.float32) for g in grads], found

    return _with(unscale=unscale)


@wrong(
    "still-float16",
    "You returned float16 gradients; unscaled, the small ones only exist in float32.",
    call=True,
)
def half_result():
    def unscale(self, grads):
        found = any(not np.isfinite(g).all() for g in grads)
        return [
            (g.astype(np.float32) / np.float32(self.scale)).astype(g.dtype) for g in grads
        ], found

    return _with(unscale=unscale)


@wrong(
    "nan-missed", "You looked for infinities only; a NaN is an overflow too (inf - inf).", call=True
)
def only_inf():
    def unscale(self, grads):
        return _Base.unscale(self, grads)[0], bool(any(np.isinf(g).any() for g in grads))

    return _with(unscale=unscale)


@wrong(
    "infinity-missed", "You looked for NaN only; an overflow first shows as infinity.", call=True
)
def only_nan():
    def unscale(self, grads):
        return _Base.unscale(self, grads)[0], bool(any(np.isnan(g).any() for g in grads))

    return _with(unscale=unscale)


@wrong(
    "first-array-only",
    "You looked at the first array only; one bad value in any array spoils the step.",
    call=True,
)
def first_only():
    def unscale(self, grads):
        return _Base.unscale(self, grads)[0], not np.isfinite(grads[0]).all()

    return _with(unscale=unscale)


@wrong(
    "last-array-only",
    "You kept the verdict of the last array only; one bad value in any array spoils the step.",
    call=True,
)
def last_only():
    def unscale(self, grads):
        return _Base.unscale(self, grads)[0], not np.isfinite(grads[-1]).all()

    return _with(unscale=unscale)


@wrong(
    "all-arrays-must-be-bad",
    "You ask for a bad value in every array; one in any array is enough.",
    call=True,
)
def all_bad():
    def unscale(self, grads):
        return _Base.unscale(self, grads)[0], all(not np.isfinite(g).all() for g in grads)

    return _with(unscale=unscale)


@wrong(
    "sum-as-detector",
    "You tested the sum; finite values can add up to infinity, so test the values.",
    call=True,
)
def by_sum():
    def unscale(self, grads):
        return _Base.unscale(self, grads)[0], any(not np.isfinite(g.sum()) for g in grads)

    return _with(unscale=unscale)


@wrong("multiplied", "You multiplied by the scale again; unscaling divides.", call=True)
def multiplied():
    def unscale(self, grads):
        found = _Base.unscale(self, grads)[1]
        return [g.astype(np.float32) * np.float32(self.scale) for g in grads], found

    return _with(unscale=unscale)


@wrong(
    "unscale-changes-the-scale",
    "Your unscale backs off by itself; then update does it a second time.",
    call=True,
)
def eager():
    def unscale(self, grads):
        out, found = _Base.unscale(self, grads)
        if found:
            self.scale *= self.backoff_factor
        return out, found

    return _with(unscale=unscale)


@wrong(
    "bad-values-zeroed",
    "You replaced bad values before you looked, so that no overflow is ever found.",
    call=True,
)
def zeroed():
    def unscale(self, grads):
        return _Base.unscale(self, [np.nan_to_num(g, posinf=0, neginf=0) for g in grads])

    return _with(unscale=unscale)


@wrong("floor-at-one", "You keep the scale at 1 or above; torch.amp has no floor.", call=True)
def floor_at_one():
    def update(self, found_inf):
        _Base.update(self, found_inf)
        self.scale = max(1.0, self.scale)

    return _with(update=update)


@wrong(
    "grows-past-float32",
    "Your scale grows past float32's largest value; a growth that would be infinite there is left out.",
    call=True,
)
def past_float32():
    return _with(grown=lambda self: self.scale * self.growth_factor)


@wrong(
    "initial-scale-for-losses",
    "You scale losses by the initial scale; use the present one.",
    call=True,
)
def initial():
    def __init__(self, *args, **kwargs):
        _Base.__init__(self, *args, **kwargs)
        self.first = self.scale

    return _with(__init__=__init__, scale_loss=lambda self, loss: loss * self.first)


@wrong(
    "loss-made-a-float",
    "Your scale_loss turns the loss into a plain float, so that a tensor cannot run backward.",
    call=True,
)
def float_loss():
    return _with(scale_loss=lambda self, loss: float(loss) * self.scale)


@wrong(
    "65504-as-overflow",
    "You took 65504 for an overflow; it is float16's largest number, infinity comes after it.",
    call=True,
)
def at_the_top():
    def unscale(self, grads):
        found = any(not (np.abs(g) < 65504).all() for g in grads)
        return _Base.unscale(self, grads)[0], found

    return _with(unscale=unscale)


@wrong(
    "scale-kept-as-int",
    "You keep the scale as an int; it may be 2.5 or 0.25, so keep a float.",
    call=True,
)
def as_int():
    def update(self, found_inf):
        _Base.update(self, found_inf)
        self.scale = int(self.scale)

    return _with(update=update)


@wrong(
    "capped-at-2-to-24",
    "You cap the scale at 2^24, as Apex does; torch.amp has no cap but float32's range.",
    call=True,
)
def capped():
    def update(self, found_inf):
        _Base.update(self, found_inf)
        self.scale = min(self.scale, 2.0**24)

    return _with(update=update)


@wrong(
    "no-cast-at-all",
    "You divided the float16 arrays as they are, and float16 came out; cast to float32 first.",
    call=True,
)
def no_cast():
    def unscale(self, grads):
        return [g / self.scale for g in grads], _Base.unscale(self, grads)[1]

    return _with(unscale=unscale)


@wrong(
    "shared-state",
    "All your scalers share one state (the class, or a global); keep it in self.",
    call=True,
)
def shared_state():
    class Scaler(_Base):
        state = {}

        def __init__(self, *args, **kwargs):
            self.__dict__ = self.state
            super().__init__(*args, **kwargs)

    return Scaler


@wrong(
    "negative-infinity-missed",
    "You looked for +inf and NaN; a negative gradient overflows to -inf: use np.isfinite.",
    call=True,
)
def positive_infinity():
    class Scaler(_Base):
        def unscale(self, grads):
            arrays, _ = super().unscale(grads)
            return arrays, any(bool((np.isnan(g) | np.isposinf(g)).any()) for g in grads)

    return Scaler


@wrong(
    "overflow-remembered",
    "After one overflow you back off at every step; found_inf is about its own step alone.",
    call=True,
)
def sticky():
    class Scaler(_Base):
        bad = False

        def update(self, found_inf):
            self.bad = self.bad or found_inf
            super().update(self.bad)

    return Scaler


@wrong(
    "clamped-to-float32",
    "You clamp a growth to float32's largest value; a growth beyond it leaves the scale as it is.",
    call=True,
)
def clamped():
    class Scaler(_Base):
        def grown(self):
            return min(self.scale * self.growth_factor, FLOAT32_MAX)

    return Scaler
