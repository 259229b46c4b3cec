"""Quantized vector addition in int64, by floor division."""

from types import SimpleNamespace

import numpy as np

from autograder.checks import expect

LARGEST = 2**21
NAMES = ("m_a", "m_b", "shift", "z_a", "z_b", "z_out")
# Each is put to all pairs of codes. Multiples of 1/4: thousands of ties. Multiples of a sixth and a
# little: sums that float32 takes for ties. Odd products whose sum is a tie wherever both differences are
# one odd number: a bit lost in either shows. The largest products and shift, where z_out cannot be
# shifted with them. The smallest shift, where nearly all sums saturate.
EVERY_PAIR = {
    "many ties": (1_310_720, 524_288, 20, 3, -7, 2),
    "near ties": (1_398_101, 1_048_576, 21, -29, -48, 36),
    "odd multipliers": (700_001, 348_575, 21, -20, 33, -5),
    "shift 30": (2**21, 2**21 - 1, 30, -128, 127, 101),
    "shift 1": (1, 3, 1, 90, -60, -77),
}


def params(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    """The parameters, found from small shifts upwards; None where no shift fits."""
    best = None
    for shift in range(1, 31):
        m_a, m_b = (round(s / s_out * 2**shift) for s in (s_a, s_b))
        if m_a <= LARGEST and m_b <= LARGEST:
            best = SimpleNamespace(m_a=m_a, m_b=m_b, shift=shift, z_a=z_a, z_b=z_b, z_out=z_out)
    return best


def named(numbers):
    """The parameters from their numbers, in the order of NAMES."""
    return SimpleNamespace(**dict(zip(NAMES, numbers, strict=True)))


def drawn(rng, *scales):
    """Numbers of parameters for three scales, with zero-points drawn from -50..49."""
    p = params(*scales, *(int(z) for z in rng.integers(-50, 50, 3)))
    return tuple(getattr(p, name) for name in NAMES)


def add(a, b, p):
    """Codes of the sum; int8 arrays of any shape. Floor of the fraction, in int64."""
    total = p.m_a * (a.astype(np.int64) - p.z_a) + p.m_b * (b.astype(np.int64) - p.z_b)
    # floor(total / 2**shift + 1/2) over one denominator; // rounds down for both signs.
    codes = (2 * total + 2**p.shift) // 2 ** (p.shift + 1) + p.z_out
    return np.minimum(np.maximum(codes, -128), 127).astype(np.int8)


def judge(out, a, b, p, name, before=None):
    """Hold `out` against the codes of the sum; a finding shows the first wrong pair in numbers.

    before: what each element held before the kernel ran.
    """
    want = add(a, b, p)
    bad = np.flatnonzero(np.ravel(out) != want.ravel())
    hint = ""
    if bad.size:
        x, y = int(a.flat[bad[0]]), int(b.flat[bad[0]])
        exact = (p.m_a * (x - p.z_a) + p.m_b * (y - p.z_b)) / 2**p.shift
        numbers = ", ".join(f"{key} = {getattr(p, key)}" for key in NAMES)
        hint = f"a = {x}, b = {y}, {numbers}: {exact:.10g} before rounding and z_out."
        if np.ravel(out)[bad[0]] == before:
            hint = f"{before} is what `{name}` held before the launch: was it written? {hint}"
    expect.codes(out, want, name, hint=hint)


def pairs():
    """All 65,536 pairs of codes, two int8 arrays."""
    codes = np.arange(-128, 128)
    a, b = np.meshgrid(codes, codes, indexing="ij")
    return a.ravel().astype(np.int8), b.ravel().astype(np.int8)


def numbers(p, n):
    """The kernel's scalar arguments."""
    return tuple(np.int32(v) for v in (p.m_a, p.m_b, p.shift, p.z_a, p.z_b, p.z_out, n))
