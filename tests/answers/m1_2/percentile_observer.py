"""Answers to percentile-observer."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


class _Base:
    def __init__(self, percentile=99.9, bins=2048, width=2.0**-10):
        if not 0 < percentile <= 100:
            raise ValueError("percentile")
        self.percentile, self.width = percentile, width
        self.counts = np.zeros(bins, np.int64)

    def check(self, x):
        if not x.numel() or not torch.isfinite(x).all():
            raise ValueError("batch")

    def magnitudes(self, x):
        return x.abs().double().flatten().numpy()

    def full(self, top):
        return top >= len(self.counts) * self.width

    def merge(self):
        half = self.counts.reshape(-1, 2).sum(1)
        self.counts = np.concatenate([half, np.zeros_like(half)])
        self.width *= 2

    def index(self, values):
        return np.floor(values / self.width).astype(np.int64)

    def observe(self, x):
        self.check(x)
        values = self.magnitudes(x)
        while self.full(values.max()):
            self.merge()
        index = np.clip(self.index(values), 0, len(self.counts) - 1)
        self.counts = self.counts + np.bincount(index, minlength=len(self.counts))

    def amax(self):
        if not self.counts.sum():
            raise ValueError("no data")
        running = np.cumsum(self.counts)
        return self.edge(int(np.argmax(running >= self.percentile / 100 * running[-1])))

    def edge(self, k):
        return (k + 1) * self.width


@right("bincount and cumsum", call=True)
def by_bincount():
    return _Base


@right("a Python loop over a list of counts", call=True)
def by_loop():
    class Observer:
        def __init__(self, percentile=99.9, bins=2048, width=2.0**-10):
            if percentile <= 0 or percentile > 100:
                raise ValueError("percentile must be in (0, 100]")
            self.p, self.bins, self.width, self.cells = percentile, bins, width, [0] * bins

        @property
        def counts(self):
            return np.array(self.cells)

        def observe(self, x):
            values = [abs(v) for v in x.flatten().tolist()]
            if not values or not all(math.isfinite(v) for v in values):
                raise ValueError("bad batch")
            for v in values:
                while v / self.width >= self.bins:
                    pairs = [a + b for a, b in zip(self.cells[::2], self.cells[1::2], strict=True)]
                    self.cells = pairs + [0] * (self.bins // 2)
                    self.width = self.width * 2
                self.cells[int(v // self.width)] += 1

        def amax(self):
            total = sum(self.cells)
            if total == 0:
                raise ValueError("calibrate first")
            seen = 0
            for k, count in enumerate(self.cells):
                seen += count
                if 100 * seen >= self.p * total:
                    return self.width * (k + 1)

    return Observer


@right("torch.histc on exact edges", call=True)
def by_torch():
    class Observer(_Base):
        def observe(self, x):
            self.check(x)
            values = x.detach().abs().to(torch.float64).reshape(-1)
            ratio = float(values.max()) / (len(self.counts) * self.width)
            for _ in range(math.frexp(ratio)[1] if ratio >= 1 else 0):
                self.merge()
            edges = torch.arange(1, len(self.counts) + 1, dtype=torch.float64) * self.width
            index = torch.searchsorted(edges, values, right=True)
            add = torch.zeros(len(self.counts), dtype=torch.int64)
            add.scatter_add_(0, index, torch.ones_like(index))
            self.counts = self.counts + add.numpy()

        def amax(self):
            if not self.counts.any():
                raise ValueError("no data")
            share = self.percentile / 100 * self.counts.sum()
            return float(np.searchsorted(np.cumsum(self.counts), share) + 1) * self.width

    return Observer


def _with(**methods):
    return type("Observer", (_Base,), methods)


@wrong("sign-kept", "You count x, not |x|: negative values all land in bin 0.", call=True)
def sign_kept():
    def magnitudes(self, x):
        values = x.double().flatten().numpy()
        return np.maximum(values, 0)

    return _with(magnitudes=magnitudes)


@wrong(
    "clipped-to-the-last-bin",
    "You put values beyond the range into the last bin; double the width instead.",
    call=True,
)
def clipped():
    return _with(full=lambda self, top: False)


@wrong(
    "doubled-once",
    "You double at most once a batch; a value may lie many doublings out.",
    call=True,
)
def once():
    def observe(self, x):
        self.check(x)
        values = self.magnitudes(x)
        if self.full(values.max()):
            self.merge()
        index = np.clip(self.index(values), 0, len(self.counts) - 1)
        self.counts = self.counts + np.bincount(index, minlength=len(self.counts))

    return _with(observe=observe)


@wrong(
    "top-edge-kept",
    "A value of exactly bins * width lies outside: bin k ends before (k+1) * width.",
    call=True,
)
def top_edge():
    return _with(full=lambda self, top: top > len(self.counts) * self.width)


@wrong("width-not-doubled", "You merged the bins but kept the width.", call=True)
def width_kept():
    class Observer(_Base):
        def merge(self):
            super().merge()
            self.done = getattr(self, "done", 0) + 1
            self.width /= 2

        def full(self, top):
            return top >= len(self.counts) * self.width * 2 ** getattr(self, "done", 0)

        def index(self, values):
            return np.floor(values / (self.width * 2 ** getattr(self, "done", 0))).astype(np.int64)

    return Observer


@wrong(
    "counts-not-merged", "You doubled the width but left the old counts where they were.", call=True
)
def not_merged():
    def merge(self):
        self.width *= 2

    return _with(merge=merge)


@wrong("counts-dropped", "You threw the old counts away when the range grew.", call=True)
def dropped():
    def merge(self):
        self.counts = np.zeros_like(self.counts)
        self.width *= 2

    return _with(merge=merge)


@wrong(
    "halves-added",
    "You added the upper half of the bins to the lower; bins 2k and 2k+1 are neighbours.",
    call=True,
)
def halves():
    def merge(self):
        n = len(self.counts) // 2
        self.counts = np.concatenate([self.counts[:n] + self.counts[n:], np.zeros(n, np.int64)])
        self.width *= 2

    return _with(merge=merge)


@wrong(
    "rounded-index", "You rounded |x| / width to the nearest bin; the bin is the floor.", call=True
)
def rounded():
    return _with(index=lambda self, values: np.rint(values / self.width).astype(np.int64))


@wrong(
    "lower-edge",
    "You return the bin's lower edge; the share is below its upper edge, (k+1) * width.",
    call=True,
)
def lower():
    return _with(edge=lambda self, k: k * self.width)


@wrong("middle-of-the-bin", "You return the middle of the bin; the upper edge is asked.", call=True)
def middle():
    return _with(edge=lambda self, k: (k + 0.5) * self.width)


@wrong("one-bin-late", "You ask for more than the share; reaching it exactly is enough.", call=True)
def strictly():
    def amax(self):
        if not self.counts.sum():
            raise ValueError("no data")
        running = np.cumsum(self.counts)
        above = running > self.percentile / 100 * running[-1]
        return self.edge(
            int(np.argmax(above)) if above.any() else int(np.flatnonzero(self.counts)[-1])
        )

    return _with(amax=amax)


@wrong(
    "share-not-percent",
    "You compared with percentile times the total; it is a percentage: divide by 100.",
    call=True,
)
def share():
    def amax(self):
        if not self.counts.sum():
            raise ValueError("no data")
        running = np.cumsum(self.counts)
        return self.edge(int(np.argmax(running >= min(self.percentile, 1) * running[-1])))

    return _with(amax=amax)


@wrong("percentile-ignored", "You return the top of all values; that is min-max.", call=True)
def ignored():
    def amax(self):
        if not self.counts.sum():
            raise ValueError("no data")
        return self.edge(int(np.flatnonzero(self.counts)[-1]))

    return _with(amax=amax)


@wrong(
    "last-batch-only",
    "Your counts are those of the newest batch; they add up over batches.",
    call=True,
)
def last():
    def observe(self, x):
        self.check(x)
        self.counts = np.zeros_like(self.counts)
        _Base.observe(self, x)

    return _with(observe=observe)


@wrong(
    "nan-accepted",
    "You count a batch with a NaN or an infinity; refuse it with ValueError.",
    call=True,
)
def nan_accepted():
    class Observer(_Base):
        def check(self, x):
            if not x.numel():
                raise ValueError("empty")

        def magnitudes(self, x):
            return super().magnitudes(
                x[torch.isfinite(x)].flatten() if torch.isfinite(x).any() else torch.zeros(1)
            )

    return Observer


@wrong(
    "default-before-data",
    "Without data you return a default threshold; raise ValueError.",
    call=True,
)
def default():
    def amax(self):
        return _Base.amax(self) if self.counts.sum() else self.width * len(self.counts)

    return _with(amax=amax)


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


@wrong("percentile-not-checked", "A percentile outside (0, 100] must raise ValueError.", call=True)
def unchecked():
    def __init__(self, percentile=99.9, bins=2048, width=2.0**-10):
        _Base.__init__(self, 50.0, bins, width)
        self.percentile = percentile

    return _with(__init__=__init__)


@wrong("grown-array", "You made the array longer; its size is fixed, the width grows.", call=True)
def grown():
    class Observer(_Base):
        def merge(self):
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])

    return Observer


@wrong("shared-counts", "All your observers share one histogram; keep it in self.", call=True)
def shared():
    class Observer(_Base):
        state = {}

        def __init__(self, *args, **options):
            _Base.__init__(self, *args, **options)
            Observer.state = self.__dict__

        def observe(self, x):
            self.__dict__ = Observer.state
            _Base.observe(self, x)

    return Observer


@wrong(
    "batch-changed",
    "You took the magnitudes in place (abs_); the model still needs the batch.",
    call=True,
)
def batch_changed():
    class Observer(_Base):
        def magnitudes(self, x):
            return _Base.magnitudes(self, x.abs_())

    return Observer


@wrong(
    "float16-ratio",
    "You divide in float16, whose largest number is 65504: widen the batch first.",
    call=True,
)
def in_half():
    class Observer(_Base):
        def check(self, x):
            _Base.check(self, x)
            if not torch.isfinite(x / 2.0**-10).all():
                raise ValueError("overflow")

    return Observer


@wrong(
    "infinity-of-one-sign",
    "You look at the largest value only; minus infinity slips through: test isfinite on all.",
    call=True,
)
def one_sign():
    class Observer(_Base):
        def check(self, x):
            if not x.numel() or not torch.isfinite(x.max()):
                raise ValueError("batch")

        def magnitudes(self, x):
            return _Base.magnitudes(self, x.nan_to_num(neginf=0.0))

    return Observer
