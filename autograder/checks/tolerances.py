"""Every tolerance a judge may use, with the arithmetic it comes from."""

import numpy as np

# A correct formula evaluated in another order, or with an intermediate in a wider type, differs by a
# few units in the last place. eps is the spacing of the type at 1; 16 roundings of eps/2 are allowed.
ROUNDINGS = 16


def relative(dtype) -> float:
    """Relative tolerance for values computed by one formula in `dtype`: 16 half-ulps.

    float64 1.8e-15, float32 9.5e-7, float16 7.8e-3.
    """
    return ROUNDINGS * float(np.finfo(dtype).eps) / 2


# Scales, errors and dB figures may be computed in float32 or float64 as the learner likes: the
# float32 bound covers both.
SCALAR = relative(np.float32)

# A mean over n float32 values summed pairwise loses log2(n) roundings, naively up to n; 1e-4 holds a
# float32 mean of 1e6 values and still separates every wrong formula in the bank.
MEAN = 1e-4


def round_trip(scale, dtype=np.float32):
    """Bound on |x - dequantize(quantize(x))| inside the range: scale/2 plus the float slack of x/scale.

    The slack: the division and the product each round once, so a value may land half a code's
    relative eps further away; 255 codes x eps of the dtype, in units of scale.
    """
    return np.asarray(scale, dtype=np.float64) * (0.5 + 256 * float(np.finfo(dtype).eps))
