"""Answers to cuda-requantize: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = (
    "requantize(const int* sum, signed char* q, int multiplier, int shift, int zero_point, int n)"
)


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("half added, shifted")
def by_shift():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@right("shifted down, the bit below added")
def by_bit():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = (product >> shift) + ((product >> (shift - 1)) & 1) + zero_point;
    if (code > 127) code = 127;
    if (code < -128) code = -128;
    q[i] = (signed char)code;""")


@wrong(
    "product-in-32-bits",
    "int times int stays 32 bits and overflows: cast one of them to long long first.",
)
def int32():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "cast-after-the-product",
    "You cast the finished product: it has overflowed by then.",
)
def cast_late():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)(sum[i] * multiplier);
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "no-rounding",
    "The bare shift rounds down: add half of 2^shift first.",
)
def truncated():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = (product >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "division-for-shift",
    "Division cuts off towards zero: negative sums come out one too high.",
)
def divided():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = (product + (1LL << (shift - 1))) / (1LL << shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "half-away-from-zero",
    "Half goes up for both signs here; you round it away from zero.",
)
def half_away():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long half = 1LL << (shift - 1);
    long long code = (product >= 0 ? (product + half) >> shift : -((-product + half) >> shift)) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "half-to-even",
    "Half goes up here, not to the even neighbour.",
)
def half_even():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long half = 1LL << (shift - 1), low = product >> shift, rest = product - (low << shift);
    long long code = low + (rest > half || (rest == half && (low & 1))) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "float32-product",
    "float32 has 24 bits: large sums are rounded before you round them.",
)
def by_float():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = floorf((float)sum[i] * ((float)multiplier / (float)(1LL << shift)) + 0.5f) + zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "no-clipping",
    "Without clipping the cast keeps the low 8 bits.",
)
def wraps():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)code;""")


@wrong(
    "clipped-before-the-zero-point",
    "Clip after adding the zero-point.",
)
def clip_early():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = (product + (1LL << (shift - 1))) >> shift;
    q[i] = (signed char)(max(-128LL, min(127LL, code)) + zero_point);""")


@wrong(
    "clipped-in-int",
    "You narrowed to int before clipping: a large product wraps around.",
)
def narrow_clip():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    int code = (int)((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "half-in-32-bits",
    "1 << (shift - 1) is an int: write 1LL, or the half is lost for large shifts.",
)
def half_in_int():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1 << ((shift - 1) & 31))) >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "zero-point-before-the-shift",
    "The zero-point is added after the shift, in codes.",
)
def zero_first():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = (product + zero_point + (1LL << (shift - 1))) >> shift;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "zero-point-subtracted",
    "Requantizing adds the zero-point.",
)
def minus_zero():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) - zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "no-guard",
    "Threads past the end read and write outside.",
)
def no_guard():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));""")


@wrong(
    "narrow-range",
    "The range is -128 to 127.",
)
def narrow():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-127LL, min(127LL, code));""")


@wrong(
    "float64-product",
    "A double has 53 bits and the product up to 62: it is rounded before you round it.",
)
def in_double():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double code = floor(ldexp((double)sum[i] * multiplier, -shift) + 0.5) + zero_point;
    q[i] = (signed char)fmax(-128.0, fmin(127.0, code));""")


@wrong(
    "every-thread-does-all",
    "Every thread does every element: right numbers, and the work of one thread as often as there are threads.",
)
def all_do_all():
    return _source("""
    for (int i = 0; i < n; i++) {
        long long product = (long long)sum[i] * multiplier;
        long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
        q[i] = (signed char)max(-128LL, min(127LL, code));
    }""")
