"""transfer-where: three ways to let a kernel read a host buffer, in exact fractions."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"times": 0.6, "choice": 0.2, "refuse": 0.2}
HINTS = (
    "A copy moves the buffer once; managed memory the pages read; zero-copy what is read, each time.",
    "Once on the device, each pass reads read_bytes from device memory.",
    "Pages: -(-read_bytes // page_bytes), and each is moved whole.",
)
KEYS = ("copy", "managed", "zero-copy")
NAMES = ("page_bytes", "latency_us", "fault_us", "link_gb_per_s", "device_gb_per_s")
TIE = 1e-9


def cases(rng):
    def one(label, part, size, read, passes, **changed):
        costs = {"page_bytes": 65536, "latency_us": 10.0, "fault_us": 30.0, "link_gb_per_s": 25.0,
                 "device_gb_per_s": 2000.0}  # fmt: skip
        return case(label, part, size=size, read=read, passes=passes, costs={**costs, **changed})

    for passes in (1, 2, 50):
        size = int(rng.integers(10**6, 10**9))
        read = int(rng.integers(1, size))
        yield one(f"{read} of {size} bytes, {passes} passes", "times", size, read, passes,
                  link_gb_per_s=float(rng.uniform(5, 60)), fault_us=float(rng.uniform(5, 60)),
                  latency_us=float(rng.uniform(1, 30)),
                  device_gb_per_s=float(rng.uniform(900, 4000)))  # fmt: skip
    yield one("whole pages", "times", 4 * 65536, 2 * 65536, 3)
    yield one("one byte", "times", 10**6, 1, 1)
    yield one("all of it", "times", 10**6, 10**6, 7)
    yield one("2 MiB pages", "times", 10**9, 3 * 10**6, 2, page_bytes=2 << 20)
    yield one("read all, many times", "choice", 10**8, 10**8, 100)
    yield one("read a little, once", "choice", 10**8, 10**4, 1)
    yield one("read a part, many times, cheap faults", "choice", 10**9, 10**7, 200, fault_us=1.0)
    yield one("read all, once", "choice", 10**8, 10**8, 1)
    for label, changed in (
        ("read_bytes above size_bytes", {"read": 101}),
        ("read_bytes 0", {"read": 0}),
        ("passes 0", {"passes": 0}),
    ):
        good = {"size": 100, "read": 50, "passes": 1, **changed}
        yield one(label, "refuse", **good)
    for name, value in (("page_bytes", 0), ("latency_us", -1.0), ("fault_us", -1.0),
                        ("link_gb_per_s", 0.0), ("device_gb_per_s", -1.0)):  # fmt: skip
        yield one(f"{name} {value}", "refuse", 100, 50, 1, **{name: value})


def probe(solution, size, read, passes, costs):
    bad = not 1 <= read <= size or passes < 1 or min(costs["latency_us"], costs["fault_us"]) < 0
    bad |= min(costs["page_bytes"], costs["link_gb_per_s"], costs["device_gb_per_s"]) <= 0
    if bad:
        return refusal(lambda: solution(size, read, passes, **costs))  # noqa: F821
    return solution(size, read, passes, **costs)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    page, latency, fault, link, device = (Fraction(case.costs[name]) for name in NAMES)
    place, times = expect.sequence(answer, ("cheapest", "times_us"))
    times = expect.mapping(times, KEYS, only=True)
    pages = len(range(0, case.read, int(page)))
    on_device = case.passes * case.read / (device * 1000)
    want = {
        "copy": latency + case.size / (link * 1000) + on_device,
        "managed": pages * (fault + page / (link * 1000)) + on_device,
        "zero-copy": case.passes * case.read / (link * 1000),
    }
    for name in KEYS:
        expect.number(times[name], float(want[name]), f"times_us[{name!r}]")
    least = min(want.values())
    expect.that(isinstance(place, str), "`cheapest` is a name.", stage="type", yours=place)
    best = [name for name in KEYS if want[name] <= least * (1 + Fraction(TIE))]
    expect.that(place in best, "`cheapest` is off.", yours=place, right=best[0])
    return None
