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
