"""Answers to transfer-staged."""

from autograder.checks.bank import right, wrong


def _refuse(size, buffer, buffers, host, link, latency, checks="sbnhlt"):
    bad = {"s": size < 0, "b": buffer < 1, "n": buffers < 1, "h": host <= 0, "l": link <= 0,
           "t": latency < 0}  # fmt: skip
    if any(bad[name] for name in checks):
        raise ValueError("bad input")


def _pieces(size, buffer):
    return [min(buffer, size - first) for first in range(0, size, buffer)]


def _walk(size, buffer, buffers, host, link, latency, *, checks="sbnhlt", pieces=_pieces):
    _refuse(size, buffer, buffers, host, link, latency, checks)
    filled, sent = [0.0], [0.0] * buffers
    for piece in pieces(size, buffer):
        filled.append(max(filled[-1], sent[-buffers]) + piece / host / 1e3)
        sent.append(max(filled[-1], sent[-1]) + latency + piece / link / 1e3)
    return sent[-1]


@right("a list that begins with free buffers")
def walk(size, buffer, buffers, host, link, latency):
    return _walk(size, buffer, buffers, host, link, latency)


@right("memoised recursion")
def recursive(size_bytes, buffer_bytes, buffers, host_gb_per_s, link_gb_per_s, latency_us):
    _refuse(size_bytes, buffer_bytes, buffers, host_gb_per_s, link_gb_per_s, latency_us)
    pieces, known = _pieces(size_bytes, buffer_bytes), {}

    def end(what, k):
        if k < 0:
            return 0.0
        if (what, k) not in known:
            if what == "fill":
                begin = max(end("fill", k - 1), end("send", k - buffers))
                known[what, k] = begin + pieces[k] / (host_gb_per_s * 1000)
            else:
                begin = max(end("fill", k), end("send", k - 1))
                known[what, k] = begin + latency_us + pieces[k] / (link_gb_per_s * 1000)
        return known[what, k]

    return end("send", len(pieces) - 1)


@right("one buffer is a sum, more are a pipeline")
def two_formulas(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    pieces = _pieces(size, buffer)
    fill = [p / host / 1000 for p in pieces]
    send = [latency + p / link / 1000 for p in pieces]
    if buffers == 1 or not pieces:
        return sum(fill) + sum(send)
    # the path through a two-machine flow shop that takes longest
    return max(sum(fill[: k + 1]) + sum(send[k:]) for k in range(len(pieces)))


@wrong("pinned-time", "This is the time from pinned memory; the copy into the buffer is missing.")
def pinned(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    return sum(latency + p / link / 1e3 for p in _pieces(size, buffer))


@wrong("always-a-sum", "With two buffers filling and sending overlap; you add them.")
def summed(size, buffer, buffers, host, link, latency):
    return _walk(size, buffer, 1, host, link, latency, checks="sbhlt") if buffers > 0 else _walk(
        size, buffer, buffers, host, link, latency)  # fmt: skip


@wrong("one-buffer-overlaps", "A single buffer cannot be filled while it is being sent.")
def always_two(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    return _walk(size, buffer, max(2, buffers), host, link, latency)


@wrong("fill-and-drain-forgotten", "The first piece must be filled before anything is sent, and the last sent after.")  # fmt: skip
def slower_only(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    pieces = _pieces(size, buffer)
    fill, send = size / host / 1e3, sum(latency + p / link / 1e3 for p in pieces)
    return fill + send if buffers == 1 else max(fill, send)


@wrong("latency-once", "Each piece that is sent pays the latency.")
def latency_once(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    return (_walk(size, buffer, buffers, host, link, 0.0) + latency) if size else 0.0


@wrong("last-piece-full", "The last piece may be smaller, and takes less time.")
def rounded_up(size, buffer, buffers, host, link, latency):
    def pieces(size, buffer):
        return [buffer] * -(-size // buffer)

    return _walk(size, buffer, buffers, host, link, latency, pieces=pieces)


@wrong("last-piece-lost", "What is left after the full pieces must be copied too.")
def rounded_down(size, buffer, buffers, host, link, latency):
    def pieces(size, buffer):
        return [buffer] * (size // buffer)

    return _walk(size, buffer, buffers, host, link, latency, pieces=pieces)


@wrong("rates-swapped", "The host's rate fills the buffers, the link's rate sends them.")
def swapped(size, buffer, buffers, host, link, latency):
    return _walk(size, buffer, buffers, link, host, latency)


@wrong("latency-on-the-fill", "The latency belongs to sending; filling has none.")
def latency_on_fill(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    filled, sent = [0.0], [0.0] * buffers
    for piece in _pieces(size, buffer):
        filled.append(max(filled[-1], sent[-buffers]) + latency + piece / host / 1e3)
        sent.append(max(filled[-1], sent[-1]) + piece / link / 1e3)
    return sent[-1]


@wrong("gib-for-gb", "1 GB is 10**9 bytes here, not 2**30.")
def gib(size, buffer, buffers, host, link, latency):
    more = 2**30 / 1e9
    return _walk(size, buffer, buffers, host * more, link * more, latency)


@wrong(
    "copied-whole-first", "Sending begins when the first buffer is full, not when all is staged."
)
def whole(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency)
    return size / host / 1e3 + sum(latency + p / link / 1e3 for p in _pieces(size, buffer))


@wrong("empty-pays", "0 bytes take 0.0: there is no piece.")
def empty_pays(size, buffer, buffers, host, link, latency):
    return _walk(size, buffer, buffers, host, link, latency) or latency


@wrong("size-not-checked", "A negative size must raise ValueError.")
def any_size(size, buffer, buffers, host, link, latency):
    return _walk(size, buffer, buffers, host, link, latency, checks="bnhlt")


@wrong("buffers-not-checked", "No buffers, or buffers of 0 bytes, must raise ValueError.")
def any_buffers(size, buffer, buffers, host, link, latency):
    return _walk(size, max(1, buffer), max(1, buffers), host, link, latency)


@wrong("rates-not-checked", "A rate that is not above 0 must raise ValueError.")
def any_rate(size, buffer, buffers, host, link, latency):
    _refuse(size, buffer, buffers, host, link, latency, "sbnt")
    return _walk(size, buffer, buffers, host or 1e-9, link, latency, checks="sbnt")


@wrong("latency-not-checked", "A negative latency must raise ValueError.")
def any_latency(size, buffer, buffers, host, link, latency):
    return _walk(size, buffer, buffers, host, link, latency, checks="sbnhl")
