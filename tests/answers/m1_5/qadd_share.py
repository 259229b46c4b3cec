"""Answers to qadd-share."""

from autograder.checks.bank import right, wrong


def _refuse(n, add_ms, copied_bytes, copy_ms):
    if n < 1 or copied_bytes < 1 or not add_ms > 0 or not copy_ms > 0:
        raise ValueError("sizes and times")


def _share(n, add_ms, copied_bytes, copy_ms, add_bytes=3, copy_bytes=2, giga=1e9):
    _refuse(n, add_ms, copied_bytes, copy_ms)
    add = add_bytes * n / (add_ms / 1e3) / giga
    return add, add / (copy_bytes * copied_bytes / (copy_ms / 1e3) / giga)


@right("bytes over seconds")
def by_seconds(n, add_ms, copied_bytes, copy_ms):
    return _share(n, add_ms, copied_bytes, copy_ms)


@right("megabytes per ms, a list")
def by_ms(n, add_ms, copied_bytes, copy_ms):
    _refuse(n, add_ms, copied_bytes, copy_ms)
    add, copy = 3e-6 * n / add_ms, 2e-6 * copied_bytes / copy_ms
    return [add, add / copy]


@wrong("two-bytes-a-code", "The sum reads two codes and writes one: three bytes.")
def two(n, add_ms, copied_bytes, copy_ms):
    return _share(n, add_ms, copied_bytes, copy_ms, add_bytes=2)


@wrong("one-byte-a-code", "Count the reads too: three bytes for each code.")
def one(n, add_ms, copied_bytes, copy_ms):
    return _share(n, add_ms, copied_bytes, copy_ms, add_bytes=1)


@wrong("copy-counted-once", "A copy reads and writes each byte: 2 for each.")
def copy_once(n, add_ms, copied_bytes, copy_ms):
    return _share(n, add_ms, copied_bytes, copy_ms, copy_bytes=1)


@wrong("gib", "GB are 10**9 bytes; you divided by 2**30.")
def gib(n, add_ms, copied_bytes, copy_ms):
    return _share(n, add_ms, copied_bytes, copy_ms, giga=2**30)


@wrong("bits", "Bytes, not bits.")
def bits(n, add_ms, copied_bytes, copy_ms):
    add, share = _share(n, add_ms, copied_bytes, copy_ms)
    return 8 * add, share


@wrong("ms-for-seconds", "The times are in milliseconds.")
def seconds(n, add_ms, copied_bytes, copy_ms):
    add, share = _share(n, add_ms, copied_bytes, copy_ms)
    return add / 1e3, share


@wrong("inverted-share", "The share is the sum's over the copy's bandwidth.")
def inverted(n, add_ms, copied_bytes, copy_ms):
    add, share = _share(n, add_ms, copied_bytes, copy_ms)
    return add, 1 / share


@wrong("ratio-of-times", "Times may be of different sizes: compare bytes per second.")
def times(n, add_ms, copied_bytes, copy_ms):
    add, _ = _share(n, add_ms, copied_bytes, copy_ms)
    return add, copy_ms / add_ms


@wrong("percent", "The share is 1.0 for a copy's speed, not 100.")
def percent(n, add_ms, copied_bytes, copy_ms):
    add, share = _share(n, add_ms, copied_bytes, copy_ms)
    return add, 100 * share


@wrong("capped-at-one", "The share may exceed 1: do not cut it.")
def capped(n, add_ms, copied_bytes, copy_ms):
    add, share = _share(n, add_ms, copied_bytes, copy_ms)
    return add, min(1.0, share)


@wrong("no-refusal", "Sizes below 1 and times that are not above 0 must be refused.")
def no_refusal(n, add_ms, copied_bytes, copy_ms):
    add = 3 * n / ((add_ms or 1.0) * 1e6)
    return add, add / (2 * (copied_bytes or 1) / (copy_ms * 1e6))


@wrong("not-a-number-accepted", "A time that is NaN is not above 0: `time <= 0` does not see it.")
def nan(n, add_ms, copied_bytes, copy_ms):
    if n < 1 or copied_bytes < 1 or add_ms <= 0 or copy_ms <= 0:
        raise ValueError("sizes and times")
    add = 3 * n / (add_ms * 1e6)
    return add, add / (2 * copied_bytes / (copy_ms * 1e6))
