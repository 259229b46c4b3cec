"""resident-blocks: an SM is filled block by block, warp by warp, until one does not fit."""

from functools import cache

from autograder.checks import case, expect

PARTS = {"blocks": 0.5, "limits": 0.3, "refuse": 0.2}
HINTS = (
    "Warps of a block: threads / 32, rounded up. The SM's warps // those.",
    "Registers of a warp: 32 * registers, up to 256s. Warps that fit: 4 * (the SM's registers / 4 // that).",
    "Shared: (bytes + 1024) rounded up to 128; SM's bytes // that. The least of the four decides.",
)
SM_80 = {"warps": 64, "blocks": 32, "registers": 65536, "shared_bytes": 164 * 1024}
SM_90 = {"warps": 64, "blocks": 32, "registers": 65536, "shared_bytes": 228 * 1024}
SM_86 = {"warps": 48, "blocks": 16, "registers": 65536, "shared_bytes": 100 * 1024}
SMALL = {"warps": 20, "blocks": 6, "registers": 20480, "shared_bytes": 24 * 1024}
KERNELS = [
    (256, 32, 0),
    (256, 64, 0),
    (256, 33, 0),
    (128, 40, 0),
    (1024, 32, 0),
    (1024, 33, 0),
    (32, 16, 0),
    (100, 32, 4096),
    (96, 72, 0),
    (256, 32, 16 * 1024),
    (256, 32, 48 * 1024),
    (64, 255, 1000),
    (1, 1, 1),
    (256, 24, 19 * 1024 + 1),
    (192, 56, 19 * 1024),
    (512, 65, 0),
    (1024, 255, 0),
    (64, 32, 26965),
    (64, 32, 45670),
    (64, 32, 4224),
    (64, 32, 100 * 1024),
    (64, 32, 170 * 1024),
]


def cases(rng):
    drawn = [
        (int(rng.integers(1, 1025)), int(rng.integers(16, 129)), int(rng.integers(0, 20000)))
        for _ in range(4)
    ]
    for part in ("blocks", "limits"):
        for kernel in KERNELS + drawn:
            for name, sm in (("sm_80", SM_80), ("sm_90", SM_90)):
                yield case(f"{kernel} on {name}", part=part, arguments=(*kernel, sm))
        for kernel in (*KERNELS[:4], (32, 16, 0)):
            yield case(f"{kernel} on sm_86", part=part, arguments=(*kernel, SM_86))
        for kernel in (
            *KERNELS[:4],
            (32, 16, 0),
            (1024, 32, 0),
            (1024, 16, 0),
            (64, 32, 48 * 1024),
        ):
            yield case(f"{kernel} on a small SM", part=part, arguments=(*kernel, SMALL))
    for bad in ((0, 32, 0), (1025, 32, 0), (64, 0, 0), (64, 256, 0), (64, 32, -1)):
        yield case(f"{bad}", part="refuse", arguments=(*bad, SM_80), good=False)


def probe(solution, arguments, good=True):
    arguments = (*arguments[:3], dict(arguments[3]))
    if good:
        return solution(*arguments)
    return refusal(lambda: solution(*arguments))  # noqa: F821


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    blocks, share, limited_by = expect.sequence(answer, ("blocks", "occupancy", "limited_by"))
    threads, registers, shared, sm = case.arguments
    fit = {
        name: _filled(threads, registers, shared, tuple(sm.items()), name)
        for name in ("warps", "blocks", "registers", "shared_bytes")
    }
    want = _filled(threads, registers, shared, tuple(sm.items()), *fit)
    detail = ", ".join(f"{name}: {value}" for name, value in fit.items())
    hint = f"Blocks that each resource allows: {detail}."
    expect.integer(blocks, want, "blocks", hint=hint)
    warps = want * ((threads + 31) // 32)
    expect.number(share, warps / sm["warps"], "occupancy", hint=hint)
    if case.part == "limits":
        expect.that(
            isinstance(limited_by, (list, tuple)) and all(isinstance(n, str) for n in limited_by),
            "`limited_by` must be a list of names.",
            stage="type",
            yours=expect.kind(limited_by),
            right="a list",
        )
        names = [name for name, value in fit.items() if value == want]
        expect.that(
            sorted(limited_by) == sorted(names),
            "`limited_by` names the resources that allow the fewest blocks.",
            yours=", ".join(limited_by) or "none",
            right=", ".join(names),
            hint=hint,
        )


@cache
def _filled(threads, registers, shared, sm, *watched):
    """Blocks placed one by one until one of the watched resources is used up."""
    sm, unit = dict(sm), 256
    warp_registers = unit
    while warp_registers < 32 * registers:
        warp_registers += unit
    block_shared = 128
    while block_shared < shared + 1024:
        block_shared += 128
    parts = [sm["registers"] // 4] * 4
    left = {"warps": sm["warps"], "blocks": sm["blocks"], "shared_bytes": sm["shared_bytes"]}
    placed = 0
    while True:
        free = list(parts)
        for _ in range((threads + 31) // 32):
            at = free.index(max(free))
            free[at] -= warp_registers
            left["warps"] -= 1
        left["blocks"] -= 1
        left["shared_bytes"] -= block_shared
        if any(left[name] < 0 for name in watched if name != "registers"):
            return placed
        if "registers" in watched and min(free) < 0:
            return placed
        parts, placed = free, placed + 1
