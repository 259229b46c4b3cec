"""Answers to transfer-weights."""

import math

from autograder.checks.bank import right, wrong


def _refuse(count, bits, group, costs, checks="cbgrl"):
    bad = {"c": count < 1, "b": bits not in (4, 8), "g": group < 1,
           "r": min(costs["link_gb_per_s"], costs["device_gb_per_s"]) <= 0,
           "l": min(costs["latency_us"], costs["launch_us"]) < 0}  # fmt: skip
    if any(bad[name] for name in checks):
        raise ValueError("bad input")


def _plan(count, bits, group, costs, *, packed=None, work=None, unit=1000, launch=1, latency=1,
          checks="cbgrl"):  # fmt: skip
    _refuse(count, bits, group, costs, checks)
    group = max(1, group)
    link = (costs["link_gb_per_s"] or 1e-9) * unit
    device = (costs["device_gb_per_s"] or 1e-9) * unit
    if packed is None:
        packed = -(-count * bits // 8) + 2 * -(-count // group)
    moved = packed + 2 * count if work is None else work(packed)
    return {
        "packed_bytes": packed,
        "fp16_us": costs["latency_us"] + 2 * count / link,
        "packed_us": latency * costs["latency_us"] + packed / link + launch * costs["launch_us"]
        + moved / device,
    }  # fmt: skip


@right("formulas")
def formulas(count, bits, group, **costs):
    return _plan(count, bits, group, costs)


@right("math.ceil, in seconds")
def by_seconds(count, bits, group, *, link_gb_per_s, device_gb_per_s, latency_us, launch_us):
    if count < 1 or group < 1 or bits not in {4, 8}:
        raise ValueError("weights")
    if link_gb_per_s <= 0 or device_gb_per_s <= 0 or latency_us < 0 or launch_us < 0:
        raise ValueError("costs")
    codes = count if bits == 8 else (count + 1) // 2
    packed = codes + math.ceil(count / group) * 2
    copy = latency_us * 1e-6 + packed / link_gb_per_s * 1e-9
    kernel = launch_us * 1e-6 + packed / device_gb_per_s * 1e-9 + count * 2e-9 / device_gb_per_s
    wide = latency_us * 1e-6 + count * 2e-9 / link_gb_per_s
    return {"packed_us": 1e6 * (copy + kernel), "packed_bytes": packed, "fp16_us": wide * 1e6}


@wrong("scales-forgotten", "The scales travel too: 2 bytes for each group.")
def no_scales(count, bits, group, **costs):
    return _plan(count, bits, group, costs, packed=-(-count * bits // 8))


@wrong("bits-for-bytes", "You count bits; divide by 8.")
def in_bits(count, bits, group, **costs):
    _refuse(count, bits, group, costs)
    return _plan(count, bits, group, costs, packed=count * bits + 16 * -(-count // group))


@wrong("codes-rounded-down", "An odd 4-bit code takes a byte of its own: round up.")
def codes_down(count, bits, group, **costs):
    _refuse(count, bits, group, costs)
    return _plan(count, bits, group, costs, packed=count * bits // 8 + 2 * -(-count // group))


@wrong("last-group-lost", "A smaller last group has a scale too: round up.")
def groups_down(count, bits, group, **costs):
    _refuse(count, bits, group, costs)
    return _plan(count, bits, group, costs, packed=-(-count * bits // 8) + 2 * (count // group))


@wrong("scales-of-4-bytes", "A scale is FP16: 2 bytes, not 4.")
def wide_scales(count, bits, group, **costs):
    _refuse(count, bits, group, costs)
    return _plan(count, bits, group, costs, packed=-(-count * bits // 8) + 4 * -(-count // group))


@wrong("one-scale", "There is a scale for each group, not one for the tensor.")
def one_scale(count, bits, group, **costs):
    return _plan(count, bits, group, costs, packed=-(-count * bits // 8) + 2)


@wrong("last-group-padded", "Codes of a smaller last group are not filled up to a whole group.")
def padded(count, bits, group, **costs):
    _refuse(count, bits, group, costs)
    groups = -(-count // group)
    return _plan(count, bits, group, costs, packed=-(-groups * group * bits // 8) + 2 * groups)


@wrong("int4-in-a-byte", "Two 4-bit codes share a byte.")
def byte_codes(count, bits, group, **costs):
    _refuse(count, bits, group, costs)
    return _plan(count, bits, group, costs, packed=count + 2 * -(-count // group))


@wrong("dequantize-free", "Dequantizing takes time: bytes read and bytes written at the device's rate.")  # fmt: skip
def free_kernel(count, bits, group, **costs):
    return _plan(count, bits, group, costs, work=lambda packed: 0)


@wrong("reads-only", "The kernel also writes 2 bytes a weight.")
def reads_only(count, bits, group, **costs):
    return _plan(count, bits, group, costs, work=lambda packed: packed)


@wrong("writes-only", "The kernel also reads the packed bytes.")
def writes_only(count, bits, group, **costs):
    return _plan(count, bits, group, costs, work=lambda packed: 2 * count)


@wrong("reads-beside-writes", "Reads and writes share the memory's bandwidth: add them, do not take the larger.")  # fmt: skip
def larger(count, bits, group, **costs):
    return _plan(count, bits, group, costs, work=lambda packed: max(packed, 2 * count))


@wrong("launch-forgotten", "The kernel costs a launch.")
def no_launch(count, bits, group, **costs):
    return _plan(count, bits, group, costs, launch=0)


@wrong("two-copies", "Codes and scales are one copy: one latency.")
def two_copies(count, bits, group, **costs):
    return _plan(count, bits, group, costs, latency=2)


@wrong("overlapped", "Nothing overlaps here: add the copy and the kernel.")
def overlapped(count, bits, group, **costs):
    found = _plan(count, bits, group, costs)
    copy = costs["latency_us"] + found["packed_bytes"] / costs["link_gb_per_s"] / 1000
    return {**found, "packed_us": max(copy, found["packed_us"] - copy)}


@wrong("fp32-baseline", "FP16 is 2 bytes a weight; you count 4.")
def fp32(count, bits, group, **costs):
    found = _plan(count, bits, group, costs)
    return {**found, "fp16_us": costs["latency_us"] + count / costs["link_gb_per_s"] / 250}


@wrong("gib-for-gb", "1 GB is 10**9 bytes here, not 2**30.")
def gib(count, bits, group, **costs):
    return _plan(count, bits, group, costs, unit=2**30 / 1e6)


@wrong("float-bytes", "Bytes are an int.")
def floats(count, bits, group, **costs):
    found = _plan(count, bits, group, costs)
    return {**found, "packed_bytes": float(found["packed_bytes"])}


@wrong("count-not-checked", "count below 1 must raise ValueError.")
def any_count(count, bits, group, **costs):
    return _plan(count, bits, group, costs, checks="bgrl")


@wrong("bits-not-checked", "bits other than 4 and 8 must raise ValueError.")
def any_bits(count, bits, group, **costs):
    return _plan(count, bits, group, costs, checks="cgrl")


@wrong("group-not-checked", "group below 1 must raise ValueError.")
def any_group(count, bits, group, **costs):
    return _plan(count, bits, group, costs, checks="cbrl")


@wrong("rates-not-checked", "A rate that is not above 0 must raise ValueError.")
def any_rate(count, bits, group, **costs):
    return _plan(count, bits, group, costs, checks="cbgl")


@wrong("costs-not-checked", "A negative latency or launch cost must raise ValueError.")
def any_cost(count, bits, group, **costs):
    return _plan(count, bits, group, costs, checks="cbgr")
