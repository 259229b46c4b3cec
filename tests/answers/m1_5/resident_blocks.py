"""Answers to resident-blocks."""

from math import ceil, floor

from autograder.checks.bank import right, wrong


def _up(value, unit):
    return -(-value // unit) * unit


def _refuse(threads, registers, shared):
    if not 1 <= threads <= 1024 or not 1 <= registers <= 255 or shared < 0:
        raise ValueError("out of range")


def _limits(threads, registers, shared, sm):
    warps = -(-threads // 32)
    fit = sm["registers"] // 4 // _up(32 * registers, 256) * 4
    return {
        "warps": sm["warps"] // warps,
        "blocks": sm["blocks"],
        "registers": fit // warps,
        "shared_bytes": sm["shared_bytes"] // _up(shared + 1024, 128),
    }


def _answer(threads, sm, limits):
    blocks = min(limits.values())
    warps = blocks * -(-threads // 32)
    return blocks, warps / sm["warps"], [k for k, v in limits.items() if v == blocks]


def _with(threads, registers, shared, sm, **changed):
    _refuse(threads, registers, shared)
    return _answer(threads, sm, _limits(threads, registers, shared, sm) | changed)


@right("the least of four")
def least(threads, registers, shared, sm):
    return _with(threads, registers, shared, sm)


@right("in floats, a tuple of names")
def floats(threads, registers, shared, sm):
    if threads < 1 or threads > 1024 or registers < 1 or registers > 255 or shared < 0:
        raise ValueError("range")
    warps = ceil(threads / 32)
    each = ceil(registers * 32 / 256) * 256
    rows = (
        ("blocks", sm["blocks"]),
        ("warps", floor(sm["warps"] / warps)),
        ("shared_bytes", floor(sm["shared_bytes"] / (128 * ceil((shared + 1024) / 128)))),
        ("registers", floor(4 * floor(sm["registers"] / 4 / each) / warps)),
    )
    blocks = min(v for _, v in rows)
    return blocks, blocks * warps / sm["warps"], tuple(sorted(k for k, v in rows if v == blocks))


@wrong("registers-not-rounded", "Registers are given to a warp in steps of 256.")
def exact_registers(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    fit = sm["registers"] // 4 // (32 * registers) * 4
    return _with(threads, registers, shared, sm, registers=fit // -(-threads // 32))


@wrong(
    "registers-for-the-block",
    "Registers are given warp by warp, in each quarter of the SM: whole warps only.",
)
def whole_file(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    fit = sm["registers"] // (_up(32 * registers, 256) * -(-threads // 32))
    return _with(threads, registers, shared, sm, registers=fit)


@wrong(
    "threads-not-warps",
    "A partial warp takes the place of a whole one: round the threads up to 32.",
)
def by_threads(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    limits = _limits(threads, registers, shared, sm)
    limits["warps"] = 32 * sm["warps"] // threads
    blocks = min(limits.values())
    share = blocks * threads / (32 * sm["warps"])
    return blocks, share, [k for k, v in limits.items() if v == blocks]


@wrong("warps-rounded-down", "Threads beyond the last full warp need a warp of their own.")
def down(threads, registers, shared, sm):
    return _with(max(32, threads // 32 * 32) if threads > 0 else threads, registers, shared, sm)


@wrong("reserved-shared-forgotten", "The driver keeps 1,024 bytes of shared memory for each block.")
def no_reserve(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    fit = sm["shared_bytes"] // _up(shared, 128) if shared else sm["blocks"]
    return _with(threads, registers, shared, sm, shared_bytes=fit)


@wrong("shared-not-rounded", "Shared memory is given in steps of 128 bytes.")
def exact_shared(threads, registers, shared, sm):
    return _with(threads, registers, shared, sm, shared_bytes=sm["shared_bytes"] // (shared + 1024))


@wrong("shared-ignored", "Shared memory is a limit too.")
def no_shared(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    limits = _limits(threads, registers, shared, sm)
    del limits["shared_bytes"]
    return _answer(threads, sm, limits)


@wrong("registers-ignored", "Registers are a limit too, and the most frequent one.")
def no_registers(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    limits = _limits(threads, registers, shared, sm)
    del limits["registers"]
    return _answer(threads, sm, limits)


@wrong("block-limit-ignored", "An SM holds a limited number of blocks, however small they are.")
def no_blocks(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    limits = _limits(threads, registers, shared, sm)
    del limits["blocks"]
    return _answer(threads, sm, limits)


@wrong(
    "fixed-limits",
    "The limits of one architecture are written into the function: take them from sm.",
)
def fixed(threads, registers, shared, sm):
    sm_80 = {"warps": 64, "blocks": 32, "registers": 65536, "shared_bytes": 164 * 1024}
    return _with(threads, registers, shared, sm_80)


@wrong("occupancy-of-the-block", "Occupancy is of all resident warps, not of one block.")
def one_block(threads, registers, shared, sm):
    blocks, _, names = least(threads, registers, shared, sm)
    return blocks, -(-threads // 32) / sm["warps"], names


@wrong("occupancy-in-percent", "Occupancy runs from 0 to 1.")
def percent(threads, registers, shared, sm):
    blocks, share, names = least(threads, registers, shared, sm)
    return blocks, 100 * share, names


@wrong("occupancy-of-threads", "Occupancy counts warps: a partial warp counts whole.")
def thread_share(threads, registers, shared, sm):
    blocks, _, names = least(threads, registers, shared, sm)
    return blocks, blocks * threads / (32 * sm["warps"]), names


@wrong("one-limit-named", "Two resources may allow equally few blocks: name all of them.")
def first_only(threads, registers, shared, sm):
    blocks, share, names = least(threads, registers, shared, sm)
    return blocks, share, names[:1]


@wrong("at-least-one-block", "A block that does not fit leaves 0 blocks: the launch fails.")
def at_least_one(threads, registers, shared, sm):
    blocks, share, names = least(threads, registers, shared, sm)
    return max(1, blocks), max(share, -(-threads // 32) / sm["warps"]), names


@wrong("units-of-256-bytes", "Shared memory is given in steps of 128 bytes, not of 256.")
def wide_unit(threads, registers, shared, sm):
    fit = sm["shared_bytes"] // _up(shared + 1024, 256)
    return _with(threads, registers, shared, sm, shared_bytes=fit)


@wrong("32-blocks-assumed", "The most blocks differ by architecture: take them from sm.")
def blocks_assumed(threads, registers, shared, sm):
    return _with(threads, registers, shared, sm, blocks=32)


@wrong(
    "more-than-48-kb-refused",
    "A block may have more than 48 KB of shared memory: it may still fit.",
)
def static_only(threads, registers, shared, sm):
    if shared > 48 * 1024:
        raise ValueError("too much shared memory")
    return least(threads, registers, shared, sm)


@wrong("largest-limit", "The scarcest resource decides: the least, not the most.")
def most(threads, registers, shared, sm):
    _refuse(threads, registers, shared)
    limits = _limits(threads, registers, shared, sm)
    blocks = max(limits.values())
    return (
        blocks,
        blocks * -(-threads // 32) / sm["warps"],
        [k for k in limits if limits[k] == blocks],
    )


@wrong("no-refusal", "Sizes that no launch can have must raise ValueError.")
def unchecked(threads, registers, shared, sm):
    if threads < 1 or registers < 1:
        return 0, 0.0, ["warps"]
    return _answer(threads, sm, _limits(threads, registers, shared, sm))
