"""Answers to transfer-where."""

import math

from autograder.checks.bank import right, wrong


def _refuse(size, read, passes, costs, checks="rspldk"):
    bad = {"r": read < 1, "s": read > size, "p": passes < 1 or costs["page_bytes"] < 1,
           "l": min(costs["latency_us"], costs["fault_us"]) < 0,
           "d": costs["device_gb_per_s"] <= 0, "k": costs["link_gb_per_s"] <= 0}  # fmt: skip
    if any(bad[name] for name in checks):
        raise ValueError("bad input")


def _times(size, read, passes, costs, *, unit=1000, checks="rspldk"):
    _refuse(size, read, passes, costs, checks)
    link = (costs["link_gb_per_s"] or 1e-9) * unit
    device = (costs["device_gb_per_s"] or 1e-9) * unit
    page = max(1, costs["page_bytes"])
    on_device = passes * read / device
    return {
        "copy": costs["latency_us"] + size / link + on_device,
        "managed": -(-read // page) * (costs["fault_us"] + page / link) + on_device,
        "zero-copy": passes * read / link,
    }


def _pick(times):
    return min(times, key=times.get), times


@right("three formulas")
def formulas(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs))


@right("seconds, sorted")
def by_seconds(size_bytes, read_bytes, passes, *, page_bytes, latency_us, fault_us, link_gb_per_s,
               device_gb_per_s):  # fmt: skip
    if read_bytes < 1 or read_bytes > size_bytes or passes < 1 or page_bytes < 1:
        raise ValueError("bytes")
    if latency_us < 0 or fault_us < 0 or link_gb_per_s <= 0 or device_gb_per_s <= 0:
        raise ValueError("costs")
    pages = math.ceil(read_bytes / page_bytes)
    kernel = passes * read_bytes / (device_gb_per_s * 1e9)
    seconds = [
        (passes * read_bytes / (link_gb_per_s * 1e9), "zero-copy"),
        (pages * fault_us * 1e-6 + pages * page_bytes / (link_gb_per_s * 1e9) + kernel, "managed"),
        (latency_us * 1e-6 + size_bytes / (link_gb_per_s * 1e9) + kernel, "copy"),
    ]
    return [min(seconds)[1], {name: t * 1e6 for t, name in seconds}]


@wrong("only-what-is-read-is-copied", "An explicit copy moves the whole buffer, read or not.")
def partial_copy(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    return _pick({**times, "copy": _times(read, read, passes, costs)["copy"]})


@wrong("page-rounding-forgotten", "Managed memory moves whole pages: round the pages up.")
def no_rounding(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    page, link = costs["page_bytes"], costs["link_gb_per_s"] * 1000
    kernel = passes * read / costs["device_gb_per_s"] / 1000
    return _pick({**times, "managed": read / page * (costs["fault_us"] + page / link) + kernel})


@wrong("all-pages-fault", "Only the pages that are read fault, not all pages of the buffer.")
def all_pages(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    page, link = costs["page_bytes"], costs["link_gb_per_s"] * 1000
    kernel = passes * read / costs["device_gb_per_s"] / 1000
    return _pick(
        {**times, "managed": -(-size // page) * (costs["fault_us"] + page / link) + kernel}
    )


@wrong("faults-in-each-pass", "A page faults once; then it is on the device.")
def each_pass(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    once = times["managed"] - passes * read / costs["device_gb_per_s"] / 1000
    return _pick({**times, "managed": times["managed"] + (passes - 1) * once})


@wrong("zero-copy-once", "Zero-copy keeps nothing: each pass reads over the link.")
def zero_once(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    return _pick({**times, "zero-copy": times["zero-copy"] / passes})


@wrong("zero-copy-reads-all", "Zero-copy moves what a pass reads, not the whole buffer.")
def zero_all(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    return _pick({**times, "zero-copy": _times(size, size, passes, costs)["zero-copy"]})


@wrong("zero-copy-latency", "In this model zero-copy pays no latency.")
def zero_latency(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    return _pick({**times, "zero-copy": times["zero-copy"] + costs["latency_us"]})


@wrong("copy-in-each-pass", "The explicit copy is done once, not for each pass.")
def copy_each(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    once = costs["latency_us"] + size / costs["link_gb_per_s"] / 1000
    return _pick({**times, "copy": times["copy"] + (passes - 1) * once})


@wrong(
    "device-reads-free", "Each pass over data on the device reads device memory: that takes time."
)
def free_device(size, read, passes, **costs):
    times = _times(size, read, passes, {**costs, "device_gb_per_s": 1e15})
    _refuse(size, read, passes, costs)
    return _pick(times)


@wrong("device-read-once", "Each pass reads device memory again.")
def device_once(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    less = (passes - 1) * read / costs["device_gb_per_s"] / 1000
    return _pick({name: t - less * (name != "zero-copy") for name, t in times.items()})


@wrong("latency-forgotten", "The explicit copy pays latency_us.")
def no_latency(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    return _pick({**times, "copy": times["copy"] - costs["latency_us"]})


@wrong("fault-once", "Each page that is read faults; you pay one fault for all.")
def one_fault(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    pages = -(-read // costs["page_bytes"])
    return _pick({**times, "managed": times["managed"] - (pages - 1) * costs["fault_us"]})


@wrong("gib-for-gb", "1 GB is 10**9 bytes here, not 2**30.")
def gib(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs, unit=2**30 / 1e6))


@wrong("dearest", "You return the dearest way, not the cheapest.")
def dearest(size, read, passes, **costs):
    times = _times(size, read, passes, costs)
    return max(times, key=times.get), times


@wrong("always-copy", "An explicit copy is not always the cheapest.")
def always_copy(size, read, passes, **costs):
    return "copy", _times(size, read, passes, costs)


@wrong("read-not-checked", "read_bytes below 1 must raise ValueError.")
def any_read(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs, checks="spldk"))


@wrong("size-not-checked", "read_bytes above size_bytes must raise ValueError.")
def any_size(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs, checks="rpldk"))


@wrong("passes-not-checked", "passes or page_bytes below 1 must raise ValueError.")
def any_passes(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs, checks="rsldk"))


@wrong("costs-not-checked", "A negative latency or fault cost must raise ValueError.")
def any_cost(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs, checks="rspdk"))


@wrong("rates-not-checked", "A rate that is not above 0 must raise ValueError.")
def any_rate(size, read, passes, **costs):
    return _pick(_times(size, read, passes, costs, checks="rspl"))
