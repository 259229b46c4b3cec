"""occupancy-cure: every value of every knob is tried, and the nearest one that reaches the target taken."""

from functools import cache

from autograder.checks import case, expect
from lab.cuda.occupancy import LIMITS, occupancy

PARTS = {"one knob at a time": 0.6, "limits and blocks": 0.25, "refuse": 0.15}
HINTS = (
    "Write a small function that says whether (threads, registers, shared_bytes) reaches the target.",
    "A list of candidates for each knob, in order of distance, and next((v for v in ... if ...), None).",
    "min_blocks: ceil(target * warps of the SM / warps of a block), unless the SM cannot hold them.",
)
FIXED = [
    (256, 64, 0, 0.75, "sm_80"),
    (256, 72, 0, 0.5, "sm_80"),
    (1024, 33, 0, 1.0, "sm_80"),
    (1024, 40, 0, 1.0, "sm_86"),
    (1024, 32, 0, 1.0, "sm_86"),
    (256, 32, 48 * 1024, 0.75, "sm_80"),
    (128, 40, 40000, 0.5, "sm_90"),
    (256, 96, 36000, 0.5, "sm_80"),
    (32, 32, 0, 1.0, "sm_80"),
    (32, 24, 0, 0.75, "sm_86"),
    (768, 32, 0, 1.0, "sm_80"),
    (768, 40, 0, 1.0, "sm_86"),
    (512, 128, 100 * 1024, 0.5, "sm_90"),
    (1024, 255, 0, 0.25, "sm_80"),
    (1024, 168, 0, 0.5, "sm_90"),
    (256, 32, 0, 1.0, "sm_80"),
    (64, 37, 1000, 0.25, "sm_90"),
    (96, 48, 9000, 0.625, "sm_80"),
    (320, 32, 20000, 0.875, "sm_80"),
    (1024, 64, 65000, 0.75, "sm_86"),
    (640, 56, 101, 0.625, "sm_90"),
    (32, 255, 99 * 1024, 1.0, "sm_86"),
    (192, 41, 3 * 1024 + 1, 0.75, "sm_86"),
    (224, 32, 0, 1.0, "sm_80"),  # 256 is nearer than 128
    (512, 56, 0, 0.75, "sm_86"),  # 576 is nearer than 384
]


def cases(rng):
    drawn = [
        (
            32 * int(rng.integers(1, 33)),
            int(rng.integers(20, 200)),
            int(rng.integers(0, 60000)) * int(rng.integers(0, 2)),
            int(rng.integers(2, 9)) / 8,
            ("sm_80", "sm_86", "sm_90")[int(rng.integers(3))],
        )
        for _ in range(5)
    ]
    for part in ("one knob at a time", "limits and blocks"):
        for kernel in FIXED + drawn:
            yield case(_label(*kernel), part, arguments=list(kernel))
    for target in (0.0, -0.5, 1.01, 50.0):
        bad = [256, 64, 0, target, "sm_80"]
        yield case(f"target {target}", "refuse", arguments=bad, good=False)


def _label(threads, registers, shared, target, arch):
    return f"{threads} threads, {registers} registers, {shared:,} bytes, target {target:g}, {arch}"


def probe(solution, arguments, good=True):
    if good:
        return solution(*arguments)
    return refusal(lambda: solution(*arguments))  # noqa: F821


@cache
def _right(threads, registers, shared, target, arch):
    """{knob: value or None} by trying all."""

    def nearest(values, now, kernel):
        good = [v for v in values if occupancy(*kernel(v), arch).share >= target]
        return min(good, key=lambda v: (abs(v - now), v), default=None)

    knobs = {
        "registers": (
            {*range(16, registers, 8), registers},
            registers,
            lambda v: (threads, v, shared),
        ),
        "threads": (range(32, 1025, 32), threads, lambda v: (v, registers, shared)),
        "shared_bytes": (
            {*range(0, shared, 128), shared},
            shared,
            lambda v: (threads, registers, v),
        ),
    }
    found = {name: nearest(*knob) for name, knob in knobs.items()}
    sm, warps = LIMITS[arch], threads // 32
    counts = [n for n in range(1, sm.blocks + 1) if target <= n * warps / sm.warps <= 1]
    found["min_blocks"] = min(counts, default=None)
    return found


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    names = ("limited_by", "registers", "threads", "shared_bytes", "min_blocks")
    got = expect.mapping(answer, names, only=True)
    want = _right(*case.arguments)
    threads, registers, shared, _, arch = case.arguments
    now = occupancy(threads, registers, shared, arch)
    limits = ", ".join(f"{name} {n}" for name, n in now.limits.items())
    hint = f"Occupancy is {now.share:.3g}; blocks that each resource allows: {limits}."
    if case.part == "limits and blocks":
        mine = got["limited_by"]
        expect.that(
            isinstance(mine, (list, tuple)) and sorted(map(str, mine)) == sorted(now.limited_by),
            "`limited_by` is off.",
            yours=mine,
            right=list(now.limited_by),
            hint=hint,
        )
        _maybe(got["min_blocks"], want["min_blocks"], "min_blocks", hint)
        return
    for name in ("registers", "threads", "shared_bytes"):
        _maybe(got[name], want[name], name, hint)


def _maybe(value, want, name, hint):
    if want is None:
        expect.that(value is None, f"No value of `{name}` reaches the target.", yours=value,
                    right="None", hint=hint)  # fmt: skip
    else:
        expect.that(value is not None, f"A value of `{name}` reaches the target.", yours="None",
                    right=want, hint=hint)  # fmt: skip
        expect.integer(value, want, name, hint=hint)
