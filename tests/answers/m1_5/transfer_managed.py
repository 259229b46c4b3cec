"""Answers to transfer-managed."""

from collections import OrderedDict

from autograder.checks.bank import right, wrong


def _refuse(accesses, page, device, fault, rate, checks="apdfr"):
    bad = {"a": any(first < 0 or size < 0 for first, size in accesses), "p": page < 1,
           "d": device < page, "f": fault < 0, "r": rate <= 0}  # fmt: skip
    if any(bad[name] for name in checks):
        raise ValueError("bad input")


def _pages(first, size, page):
    return range(first // page, (first + size - 1) // page + 1) if size > 0 else ()


def _run(accesses, page, device, fault, rate, *, pages=_pages, places=lambda d, p: d // p,
         touch=True, oldest=True, checks="apdfr"):  # fmt: skip
    _refuse(accesses, page, device, fault, rate, checks)
    page = max(1, page)
    there, faults, evictions = OrderedDict(), 0, 0
    for first, size in accesses:
        for number in pages(first, size, page):
            if number in there:
                if touch:
                    there.move_to_end(number)
                continue
            faults += 1
            if len(there) >= max(1, places(device, page)):
                there.popitem(last=not oldest)
                evictions += 1
            there[number] = None
    return _cost(faults, evictions, page, fault, rate)


def _cost(faults, evictions, page, fault, rate, unit=1000):
    time_us = faults * fault + (faults + evictions) * page / (rate * unit)
    return {"faults": faults, "evictions": evictions, "time_us": time_us}


@right("an ordered dict")
def ordered(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate)


@right("a clock for each page")
def by_clock(accesses, page_bytes, device_bytes, fault_us, gb_per_s):
    _refuse(accesses, page_bytes, device_bytes, fault_us, gb_per_s)
    last, clock, faults, evictions = {}, 0, 0, 0
    for first, size in accesses:
        at = first
        while at < first + size:
            page, clock = at // page_bytes, clock + 1
            if page not in last:
                faults += 1
                if len(last) == device_bytes // page_bytes:
                    del last[min(last, key=last.get)]
                    evictions += 1
            last[page] = clock
            at = (page + 1) * page_bytes
    bytes_moved = page_bytes * faults + page_bytes * evictions
    time_us = fault_us * faults + bytes_moved / gb_per_s / 1e3
    return {"time_us": time_us, "faults": faults, "evictions": evictions}


@right("a list, the oldest first")
def by_list(accesses, page, device, fault, rate):
    _refuse(accesses, page, device, fault, rate)
    there, faults = [], 0
    for first, size in accesses:
        for number in _pages(first, size, page):
            if number in there:
                there.remove(number)
            else:
                faults += 1
            there.append(number)
            there = there[-(device // page) :]
    return _cost(faults, faults - len(there), page, fault, rate)


@wrong(
    "fifo", "You evict the page that came first (FIFO); evict the one touched longest ago (LRU)."
)
def fifo(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, touch=False)


@wrong("mru", "You evict the page touched last; evict the one touched longest ago.")
def mru(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, oldest=False)


@wrong("page-rounding-forgotten", "A part of a page faults and moves the whole page: round up.")
def rounded_down(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate,
                pages=lambda f, s, p: range(f // p, f // p + s // p))  # fmt: skip


@wrong("first-byte-ignored", "Where an access begins matters: two bytes can touch two pages.")
def unaligned(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate,
                pages=lambda f, s, p: range(f // p, f // p + -(-s // p)))  # fmt: skip


@wrong("one-page-too-many", "The last byte is first + size - 1: an access that ends on a boundary does not touch the next page.")  # fmt: skip
def one_more(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate,
                pages=lambda f, s, p: range(f // p, (f + s) // p + 1) if s else ())  # fmt: skip


@wrong("empty-access-touches", "An access of 0 bytes touches nothing.")
def empty_touches(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, pages=lambda f, s, p: _pages(f, max(1, s), p))


@wrong("first-page-only", "An access touches all pages from its first byte to its last.")
def first_page(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, pages=lambda f, s, p: _pages(f, min(s, 1), p))


@wrong("never-full", "The device holds device_bytes // page_bytes pages; you never evict.")
def never_full(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, places=lambda d, p: 1 << 60)


@wrong("half-a-page-fits", "Only whole pages fit: round device_bytes / page_bytes down.")
def ceil_places(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, places=lambda d, p: -(-d // p))


@wrong("one-place-unused", "You evict one page too early: the last place can be used too.")
def early(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, places=lambda d, p: d // p - 1)


@wrong("always-a-fault", "A page that is on the device does not fault again.")
def always(accesses, page, device, fault, rate):
    _refuse(accesses, page, device, fault, rate)
    faults = sum(len(_pages(f, s, page)) for f, s in accesses)
    return _cost(faults, max(0, faults - device // page), page, fault, rate)


@wrong("way-back-forgotten", "An evicted page travels back: its bytes take time too.")
def no_way_back(accesses, page, device, fault, rate):
    found = _run(accesses, page, device, fault, rate)
    return {**found, "time_us": _cost(found["faults"], 0, page, fault, rate)["time_us"]}


@wrong("evictions-fault", "An eviction moves bytes; it is no fault of its own.")
def evictions_fault(accesses, page, device, fault, rate):
    found = _run(accesses, page, device, fault, rate)
    return {**found, "time_us": found["time_us"] + found["evictions"] * fault}


@wrong("touched-bytes-only", "A fault moves the whole page, not only the bytes that are touched.")
def touched_bytes(accesses, page, device, fault, rate):
    found = _run(accesses, page, device, fault, rate)
    moved = sum(size for _, size in accesses) + found["evictions"] * page
    return {**found, "time_us": found["faults"] * fault + moved / rate / 1000}


@wrong("faults-free", "Each fault costs fault_us, besides its bytes.")
def free_faults(accesses, page, device, fault, rate):
    found = _run(accesses, page, device, fault, rate)
    return {**found, "time_us": found["time_us"] - found["faults"] * fault}


@wrong("bytes-free", "The bytes that are moved take time, besides the faults.")
def free_bytes(accesses, page, device, fault, rate):
    found = _run(accesses, page, device, fault, rate)
    return {**found, "time_us": found["faults"] * fault}


@wrong("gib-for-gb", "1 GB is 10**9 bytes here, not 2**30.")
def gib(accesses, page, device, fault, rate):
    found = _run(accesses, page, device, fault, rate)
    return _cost(found["faults"], found["evictions"], page, fault, rate, unit=2**30 / 1e6)


@wrong("accesses-not-checked", "A negative address or size must raise ValueError.")
def any_access(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, checks="pdfr")


@wrong("pages-not-checked", "Pages of 0 bytes, or a device without room for one, must raise ValueError.")  # fmt: skip
def any_page(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, checks="afr")


@wrong("fault-not-checked", "A negative fault cost must raise ValueError.")
def any_fault(accesses, page, device, fault, rate):
    return _run(accesses, page, device, fault, rate, checks="apdr")


@wrong("rate-not-checked", "A rate that is not above 0 must raise ValueError.")
def any_rate(accesses, page, device, fault, rate):
    _refuse(accesses, page, device, fault, rate, "apdf")
    return _run(accesses, page, device, fault, rate or 1e-9, checks="apdf")
