"""Answers to parallel-collective."""

from fractions import Fraction

from autograder.checks.bank import right, wrong

RING = {"all-reduce": 2, "all-gather": 1, "reduce-scatter": 1, "all-to-all": 1}


def _refuse(kind, size, ports, skip=""):
    if "k" not in skip and kind != "send" and kind not in RING:
        raise ValueError("kind")
    if "n" not in skip and len(ports) < 2:
        raise ValueError("ranks")
    if "s" not in skip and kind == "send" and len(ports) != 2:
        raise ValueError("send")
    if "b" not in skip and not size > 0:
        raise ValueError("bytes")
    for latency, gb in ports if "p" not in skip else []:
        if gb <= 0 or ("l" not in skip and latency < 0):
            raise ValueError("port")


def _model(kind, size, ports, *, skip="", slow=None, steps=None, piece=None, factor=None, unit=1000,
           senders=1, rate=None):  # fmt: skip
    _refuse(kind, size, ports, skip)
    n = len(ports)
    count = 1 if kind == "send" else RING.get(kind, 2) * (n - 1)
    if steps:
        count = steps(kind, n, count)
    each = size if kind == "send" else size / n
    if piece:
        each = piece(kind, n, size, each)
    used = ports[:senders] if kind == "send" else ports
    if slow:
        time = count * slow(used, each / unit)
    else:
        time = count * max(latency + each / (unit * gb) for latency, gb in used)
    share = 1 if kind == "send" else RING.get(kind, 2) * (n - 1) / n
    if factor:
        share = factor(kind, n, share)
    algorithm = rate(size, time) if rate else size / time / 1000
    return float(time), float(algorithm), float(algorithm * share)


@right("steps times the slowest port")
def by_steps(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports)


@right("exact fractions, a list returned")
def by_fractions(kind, size_bytes, ports):
    n = len(ports)
    if n < 2 or size_bytes <= 0 or any(a < 0 or b <= 0 for a, b in ports):
        raise ValueError("range")
    if kind == "send":
        if n > 2:
            raise ValueError("two")
        steps, share, part = 1, Fraction(1), ports[:1]
    else:
        try:
            halves = RING[kind]
        except KeyError:
            raise ValueError(kind) from None
        steps, share, part = halves * (n - 1), Fraction(halves * (n - 1), n), ports
    size = Fraction(size_bytes) / (1 if kind == "send" else n)
    took = steps * max(Fraction(a) + size / (1000 * Fraction(b)) for a, b in part)
    algorithm = Fraction(size_bytes) / took / 1000
    return [float(took), float(algorithm), float(algorithm * share)]


@right("nanoseconds inside")
def by_ns(kind, size_bytes, ports):
    found = _model(kind, size_bytes, [(a * 1000, b) for a, b in ports], unit=1)
    return found[0] / 1000, found[1] * 1000, found[2] * 1000


@wrong("latency-once", "Each step pays the latency, not the whole collective once.")
def latency_once(kind, size_bytes, ports):
    _refuse(kind, size_bytes, ports)
    time, algorithm, bus = _model(kind, size_bytes, ports)
    n = len(ports)
    steps = 1 if kind == "send" else RING[kind] * (n - 1)
    each = size_bytes if kind == "send" else size_bytes / n
    used = ports[:1] if kind == "send" else ports
    new = max(a + steps * each / (1000 * b) for a, b in used)
    return new, algorithm * time / new, bus * time / new


@wrong("no-latency", "A step takes latency as well as bytes / bandwidth.")
def no_latency(kind, size_bytes, ports):
    return _model(kind, size_bytes, [(0.0 if a >= 0 else a, b) for a, b in ports]) if any(a == 0 for a, _ in ports) else _model(kind, size_bytes, ports, slow=lambda used, kb: max(kb / b for _, b in used))  # fmt: skip


@wrong("whole-vector-each-step", "In each step a rank sends S / n bytes, not S.")
def whole(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, piece=lambda k, n, size, each: size)


@wrong("n-steps", "A ring of n ranks has n - 1 steps each way, not n.")
def n_steps(kind, size_bytes, ports):
    return _model(
        kind, size_bytes, ports, steps=lambda k, n, c: c if k == "send" else c // (n - 1) * n
    )


@wrong(
    "all-reduce-as-one-half",
    "An all-reduce is a reduce-scatter and an all-gather: 2 (n - 1) steps.",
)
def one_half(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, steps=lambda k, n, c: c // 2 if k == "all-reduce" else c)


@wrong(
    "gather-as-all-reduce",
    "An all-gather or a reduce-scatter has n - 1 steps, half of an all-reduce.",
)
def gather_double(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports,
                  steps=lambda k, n, c: 2 * c if k in ("all-gather", "reduce-scatter") else c)  # fmt: skip


@wrong(
    "largest-latency-and-lowest-bandwidth",
    "The slowest port is that of the largest sum; latency and bandwidth belong together.",
)
def mixed_ports(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports,
                  slow=lambda used, kb: max(a for a, _ in used) + kb / min(b for _, b in used))  # fmt: skip


@wrong("lowest-bandwidth-decides", "Short messages are slowest on the port of the largest latency.")
def narrowest(kind, size_bytes, ports):
    def slow(used, kb):
        a, b = min(used, key=lambda port: port[1])
        return a + kb / b

    return _model(kind, size_bytes, ports, slow=slow)


@wrong("mean-port", "A step ends with its slowest port, not after the mean.")
def mean_port(kind, size_bytes, ports):
    return _model(
        kind, size_bytes, ports, slow=lambda used, kb: sum(a + kb / b for a, b in used) / len(used)
    )


@wrong("first-port-only", "Every rank sends; look at all ports.")
def first_port(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, slow=lambda used, kb: used[0][0] + kb / used[0][1])


@wrong("receiver-counts", "In a send only rank 0 sends: its port alone counts.")
def receiver(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, senders=2)


@wrong("send-in-pieces", "A send is one step of all S bytes.")
def send_pieces(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, piece=lambda k, n, size, each: size / n)


@wrong("bandwidth-in-bits", "GB is gigabytes: no factor of 8.")
def bits(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, unit=125)


@wrong("binary-gigabytes", "1 GB is 10**9 bytes, not 2**30.")
def binary(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, unit=2**30 / 1e6)


@wrong("both-directions", "Bandwidths are of one direction already; nothing to halve or double.")
def both(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, unit=500)


@wrong("bus-without-factor", "Bus bandwidth has a factor: 2 (n - 1) / n or (n - 1) / n.")
def no_factor(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, factor=lambda k, n, s: 1)


@wrong(
    "bus-factor-inverted",
    "Bus bandwidth is algorithm bandwidth times the factor, not divided by it.",
)
def inverted(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, factor=lambda k, n, s: 1 / s)


@wrong("all-reduce-factor-for-all", "Only an all-reduce has the factor 2 (n - 1) / n.")
def one_factor(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, factor=lambda k, n, s: 2 * (n - 1) / n)


@wrong("megabytes-a-second", "S / T in GB/s: bytes a microsecond, divided by 1,000.")
def megabytes(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, rate=lambda s, t: s / t)


@wrong("bandwidths-swapped", "Return the algorithm bandwidth before the bus bandwidth.")
def swapped(kind, size_bytes, ports):
    time, algorithm, bus = _model(kind, size_bytes, ports)
    return time, bus, algorithm


@wrong("any-kind", "Another kind must raise ValueError.")
def any_kind(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, skip="k")


@wrong("one-rank-allowed", "Fewer than two ranks must raise ValueError.")
def one_rank(kind, size_bytes, ports):
    if len(ports) < 2 and kind in RING:
        return 0.0, 0.0, 0.0
    return _model(kind, size_bytes, ports)


@wrong("send-of-many", "A send with other than two ranks must raise ValueError.")
def many(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, skip="s")


@wrong("no-bytes-allowed", "0 bytes must raise ValueError.")
def no_bytes(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, skip="b")


@wrong("negative-latency-allowed", "A negative latency must raise ValueError.")
def negative(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, skip="l")


@wrong("ports-not-checked", "A bandwidth that is not above 0 must raise ValueError.")
def unchecked(kind, size_bytes, ports):
    return _model(kind, size_bytes, ports, skip="p")
