"""Answers to occupancy-cure."""

from math import ceil

from autograder.checks.bank import right, wrong
from lab.cuda.occupancy import LIMITS, occupancy


def _refuse(target):
    if target <= 0 or target > 1:
        raise ValueError("target")


def _share(threads, registers, shared, arch):
    return occupancy(threads, registers, shared, arch).share


def _first(values, good):
    return next((v for v in values if good(v)), None)


def _caps(registers):
    return [registers] + [r for r in range(255, 15, -1) if r < registers and r % 8 == 0]


def _sizes(threads):
    return sorted(range(32, 1056, 32)[:32], key=lambda t: (abs(t - threads), t))


def _tiles(shared):
    return [shared] + [s for s in range(shared - 1, -1, -1) if s % 128 == 0]


def _fewest(threads, target, arch):
    sm, warps = LIMITS[arch], threads // 32
    blocks = ceil(target * sm.warps / warps)
    return blocks if blocks <= min(sm.blocks, sm.warps // warps) else None


def _answer(block, cap, shared, target, arch, reaches=None, **changed):
    _refuse(target)
    reaches = reaches or (lambda t, r, s: _share(t, r, s, arch) >= target)
    found = {
        "limited_by": list(occupancy(block, cap, shared, arch).limited_by),
        "registers": _first(_caps(cap), lambda r: reaches(block, r, shared)),
        "threads": _first(_sizes(block), lambda t: reaches(t, cap, shared)),
        "shared_bytes": _first(_tiles(shared), lambda s: reaches(block, cap, s)),
        "min_blocks": _fewest(block, target, arch),
    }
    return found | {name: make(reaches) for name, make in changed.items()}


@right("candidates in order")
def in_order(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch)


@right("all candidates, the nearest good one")
def nearest(threads, registers, shared_bytes, target, arch):
    if not (target > 0 and target <= 1):
        raise ValueError("no such occupancy")
    need = target * LIMITS[arch].warps

    def good(t, r, s):
        return occupancy(t, r, s, arch).warps >= need - 1e-9

    caps = [r for r in {registers, *range(16, registers, 8)} if good(threads, r, shared_bytes)]
    sizes = [t for t in range(32, 1025, 32) if good(t, registers, shared_bytes)]
    tiles = [s for s in {shared_bytes, *range(0, shared_bytes, 128)} if good(threads, registers, s)]
    counts = [
        n
        for n in range(1, LIMITS[arch].blocks + 1)
        if need <= n * threads / 32 <= LIMITS[arch].warps
    ]
    return {
        "min_blocks": min(counts) if counts else None,
        "shared_bytes": max(tiles, default=None),
        "threads": min(sizes, key=lambda t: (abs(t - threads), t), default=None),
        "registers": max(caps, default=None),
        "limited_by": tuple(sorted(occupancy(threads, registers, shared_bytes, arch).limited_by)),
    }


@right("every cap tried: the allocation is in steps of 8")
def any_cap(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch,
                   registers=lambda ok: _first(range(registers, 15, -1), lambda r: ok(threads, r, shared_bytes)))  # fmt: skip


@wrong(
    "lowest-cap", "As little as possible: the highest cap that reaches the target, not the lowest."
)
def lowest(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch,
                   registers=lambda ok: _first(_caps(registers)[::-1], lambda r: ok(threads, r, shared_bytes)))  # fmt: skip


@wrong("cap-below-16", "Caps run from 16 up.")
def tiny(threads, registers, shared_bytes, target, arch):
    def make(ok):
        found = _first(_caps(registers), lambda r: ok(threads, r, shared_bytes))
        return 8 if found is None else found

    return _answer(threads, registers, shared_bytes, target, arch, registers=make)


@wrong("more-registers", "The cap is not above the registers that the kernel has.")
def more(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch,
                   registers=lambda ok: _first(range(248, 15, -8), lambda r: ok(threads, r, shared_bytes)))  # fmt: skip


@wrong(
    "powers-of-two-for-blocks",
    "A block may have any multiple of 32 threads, not powers of two alone.",
)
def powers(threads, registers, shared_bytes, target, arch):
    sizes = sorted((32, 64, 128, 256, 512, 1024), key=lambda t: (abs(t - threads), t))
    return _answer(threads, registers, shared_bytes, target, arch,
                   threads=lambda ok: _first(sizes, lambda t: ok(t, registers, shared_bytes)))  # fmt: skip


@wrong("smaller-blocks-alone", "A larger block may be nearer.")
def smaller(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch,
                   threads=lambda ok: _first(range(threads, 0, -32), lambda t: ok(t, registers, shared_bytes)))  # fmt: skip


@wrong("smallest-block", "The nearest block size, not the smallest that reaches the target.")
def smallest(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch,
                   threads=lambda ok: _first(range(32, 1025, 32), lambda t: ok(t, registers, shared_bytes)))  # fmt: skip


@wrong(
    "best-block",
    "The target is to be reached with the least change, not exceeded as far as possible.",
)
def best(threads, registers, shared_bytes, target, arch):
    def make(ok):
        t = max(_sizes(threads), key=lambda t: _share(t, registers, shared_bytes, arch))
        return t if ok(t, registers, shared_bytes) else None

    return _answer(threads, registers, shared_bytes, target, arch, threads=make)


@wrong("ties-upward", "Of two equally near block sizes the smaller one.")
def upward(threads, registers, shared_bytes, target, arch):
    sizes = sorted(range(32, 1025, 32), key=lambda t: (abs(t - threads), -t))
    return _answer(threads, registers, shared_bytes, target, arch,
                   threads=lambda ok: _first(sizes, lambda t: ok(t, registers, shared_bytes)))  # fmt: skip


@wrong("shared-scaled-with-the-block", "Only one knob turns: the shared bytes of a block stay.")
def scaled(threads, registers, shared_bytes, target, arch):
    most = LIMITS[arch].block_shared_bytes
    return _answer(threads, registers, shared_bytes, target, arch,
                   threads=lambda ok: _first(_sizes(threads), lambda t: ok(
                       t, registers, min(most, shared_bytes * t // threads))))  # fmt: skip


@wrong("tile-halved", "The most shared memory that reaches the target, not the next half.")
def halved(threads, registers, shared_bytes, target, arch):
    halves = [shared_bytes >> n for n in range(18)]
    return _answer(threads, registers, shared_bytes, target, arch,
                   shared_bytes=lambda ok: _first(halves, lambda s: ok(threads, registers, s)))  # fmt: skip


@wrong(
    "tile-to-the-byte",
    "Shared memory comes in steps of 128 bytes: multiples of 128 were asked for.",
)
def to_the_byte(threads, registers, shared_bytes, target, arch):
    def make(ok):
        found = _first(_tiles(shared_bytes), lambda s: ok(threads, registers, s))
        return found if found in (None, shared_bytes) else found + 1

    return _answer(threads, registers, shared_bytes, target, arch, shared_bytes=make)


@wrong("no-tile-at-all", "Not no shared memory, but as much as the target allows.")
def none_at_all(threads, registers, shared_bytes, target, arch):
    def make(ok):
        return (
            shared_bytes
            if ok(threads, registers, shared_bytes)
            else _first([0], lambda s: ok(threads, registers, s))
        )

    return _answer(threads, registers, shared_bytes, target, arch, shared_bytes=make)


@wrong("above-the-target", "Exactly the target is enough: >=, not >.")
def above(threads, registers, shared_bytes, target, arch):
    return _answer(threads, registers, shared_bytes, target, arch,
                   reaches=lambda t, r, s: _share(t, r, s, arch) > target)  # fmt: skip


@wrong("knobs-together", "One knob at a time: the others keep their given values.")
def together(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    cap = found["registers"] or 16
    found["shared_bytes"] = _first(
        _tiles(shared_bytes), lambda s: _share(threads, cap, s, arch) >= target
    )
    return found


@wrong("architecture-fixed", "The limits are those of `arch`, not of sm_80.")
def fixed(threads, registers, shared_bytes, target, arch):
    most = min(shared_bytes, LIMITS["sm_80"].block_shared_bytes)
    return _answer(threads, registers, most, target, "sm_80")


@wrong("none-as-zero", "Where a knob cannot do it the answer is None.")
def zero(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    return {name: 0 if value is None else value for name, value in found.items()}


@wrong("blocks-rounded-down", "Fewer blocks than the target needs do not reach it: round up.")
def down(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    if found["min_blocks"]:
        found["min_blocks"] = max(1, int(target * LIMITS[arch].warps / (threads // 32)))
    return found


@wrong("blocks-that-run-now", "min_blocks is what the target needs, not what is resident now.")
def now(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    return found | {"min_blocks": occupancy(threads, registers, shared_bytes, arch).blocks}


@wrong(
    "blocks-beyond-the-sm",
    "An SM holds a limited number of warps and blocks: None where the target needs more.",
)
def beyond(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    return found | {"min_blocks": ceil(target * LIMITS[arch].warps / (threads // 32))}


@wrong("one-limit-named", "Several resources may allow equally few blocks: name all.")
def one_limit(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    return found | {"limited_by": found["limited_by"][:1]}


@wrong("limits-behind-the-cure", "limited_by is of the kernel as it is given.")
def after(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    cap = found["registers"] or registers
    return found | {"limited_by": list(occupancy(threads, cap, shared_bytes, arch).limited_by)}


@wrong("target-not-checked", "A target of 0 or less, or above 1, must raise ValueError.")
def unchecked(threads, registers, shared_bytes, target, arch):
    return in_order(threads, registers, shared_bytes, min(1.0, max(0.01, target)), arch)


@wrong("percent-accepted", "A target of 50 is no occupancy: it runs from 0 to 1.")
def percent(threads, registers, shared_bytes, target, arch):
    return in_order(threads, registers, shared_bytes, target / 100 if target > 1 else target, arch)


@wrong(
    "smaller-blocks-first",
    "A larger block that is nearer comes before a smaller one that is farther.",
)
def smaller_first(threads, registers, shared_bytes, target, arch):
    found = _answer(threads, registers, shared_bytes, target, arch)
    sizes = sorted(range(32, 1025, 32), key=lambda t: (t > threads, abs(t - threads)))
    return found | {
        "threads": _first(sizes, lambda t: _share(t, registers, shared_bytes, arch) >= target)
    }
