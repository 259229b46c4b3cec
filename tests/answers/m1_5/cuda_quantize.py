"""Answers to cuda-quantize: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "quantize(const float* x, signed char* q, float scale, int zero_point, int n)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("clipped as float")
def clipped_as_float():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@right("a device function, clipped before the zero-point")
def by_helper():
    return _source(
        """
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) q[i] = affine(x[i] / scale, zero_point);""",
        """
__device__ __forceinline__ signed char affine(float ratio, int zero_point)
{
    ratio = min(max(ratio, -1000.0f), 1000.0f);
    int code = __float2int_rn(ratio) + zero_point;
    return (signed char)min(max(code, -128), 127);
}""",
    )


@right("an intrinsic that saturates, and a loop that runs once")
def saturating_cast():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        float code = nearbyintf(x[i] / scale) + zero_point;
        q[i] = code < -128.0f ? -128 : code > 127.0f ? 127 : (int)code;
    }""")


@wrong(
    "no-guard",
    "Threads past the end write too: return when i >= n.",
)
def no_guard():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "off-by-one-guard",
    "Your guard lets thread n in: elements run from 0 to n - 1.",
)
def off_by_one():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i > n) return;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "block-left-out",
    "You used threadIdx.x alone: every block does the first elements again.",
)
def thread_only():
    return _source("""
    int i = threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "gridDim-for-blockDim",
    "A block has blockDim.x threads; gridDim.x is the number of blocks.",
)
def grid_for_block():
    return _source("""
    int i = blockIdx.x * gridDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "truncated",
    "A cast to int cuts the fraction off: round first, with rintf.",
)
def truncated():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = truncf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "half-up",
    "You added 0.5 and rounded down; rintf rounds half to even.",
)
def half_up():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = floorf(x[i] / scale + 0.5f) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "half-away-from-zero",
    "roundf rounds half away from zero; the exercise says half to even: rintf.",
)
def half_away():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = roundf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "zero-point-before-rounding",
    "You rounded after adding the zero-point: with an odd one, ties go the other way.",
)
def round_late():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale + (float)zero_point);
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "int8-overflow",
    "Without clipping the cast to signed char keeps the low 8 bits: 130 becomes -126.",
)
def wraps():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    q[i] = (signed char)(int)(rintf(fmaxf(-1e6f, fminf(1e6f, x[i] / scale))) + zero_point);""")


@wrong(
    "clipped-before-the-zero-point",
    "You clip before adding the zero-point: the sum can leave the range again.",
)
def clip_early():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = fmaxf(-128.0f, fminf(127.0f, rintf(x[i] / scale)));
    q[i] = (signed char)((int)code + zero_point);""")


@wrong(
    "narrow-range",
    "The range is -128 to 127; you clip at -127.",
)
def narrow():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-127.0f, fminf(127.0f, code));""")


@wrong(
    "zero-point-left-out",
    "You left out the zero-point.",
)
def no_zero():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale);
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "zero-point-subtracted",
    "Quantizing adds the zero-point; dequantizing subtracts it.",
)
def minus_zero():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale) - (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "multiplied-by-the-scale",
    "You multiplied by the scale; quantizing divides by it.",
)
def times():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] * scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "cast-before-clipping",
    "You cast to int before clipping: 1e20 does not fit into an int.",
)
def cast_first():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int code = (int)rintf(x[i] / scale) + zero_point;
    q[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "one-thread-does-all",
    "One thread does all elements and the others none: thread i does element i.",
)
def one_thread():
    return _source("""
    if (blockIdx.x > 0 || threadIdx.x > 0) return;
    for (int i = 0; i < n; i++) {
        float code = rintf(x[i] / scale) + (float)zero_point;
        q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));
    }""")
