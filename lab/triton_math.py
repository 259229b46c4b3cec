"""Device functions that lessons and answers call from their Triton kernels.

Import it after `use_triton`.
"""

import triton
import triton.language as tl


@triton.jit
def round_even(x):
    """x, float32 with |x| < 2**22, rounded to an integer, half to even; still float32.

    From 2**23 on float32 has no fractions: adding 1.5 * 2**23 rounds them away by the adder's own
    rule, round half to even (IEEE 754, section 4.3.1), and subtracting brings the value back.
    """
    shift: tl.constexpr = 12582912.0
    return (x + shift) - shift
