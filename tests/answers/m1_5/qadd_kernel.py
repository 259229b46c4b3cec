"""Answers to qadd-kernel: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = """quantized_vector_add_kernel(
    const signed char* a, const signed char* b, signed char* out,
    int m_a, int m_b, int shift, int z_a, int z_b, int z_out, int n)"""


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("int, half, shift")
def by_shift():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@right("long long, the bit below the shift added")
def by_long():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        long long total = (long long)m_a * (a[i] - z_a) + (long long)m_b * (b[i] - z_b);
        long long code = (total >> shift) + ((total >> (shift - 1)) & 1) + z_out;
        out[i] = code > 127 ? 127 : code < -128 ? -128 : (signed char)code;
    }""")


@right("double: exact for these sizes")
def by_double():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double total = (double)m_a * (a[i] - z_a) + (double)m_b * (b[i] - z_b);
    double code = floor(total / (double)(1LL << shift) + 0.5) + z_out;
    out[i] = (signed char)fmax(-128.0, fmin(127.0, code));""")


@wrong(
    "no-guard",
    "Threads past the end read and write outside.",
)
def no_guard():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "off-by-one-guard",
    "i > n lets thread n in.",
)
def one_more():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i > n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "no-rounding",
    "The bare shift rounds down: add half of 2^shift.",
)
def no_half():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = (total >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "division-for-shift",
    "Division cuts off towards zero: negative sums come out too high.",
)
def divided():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = (total + (1 << (shift - 1))) / (1 << shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "half-away-from-zero",
    "Half goes up for both signs.",
)
def away():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int half = 1 << (shift - 1);
    int code = (total >= 0 ? (total + half) >> shift : -((-total + half) >> shift)) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "half-to-even",
    "rintf sends half to the even neighbour; here half goes up.",
)
def even():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = (int)rint((double)total / (double)(1LL << shift)) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "no-clipping",
    "The cast keeps the low 8 bits: clip first.",
)
def wraps():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)code;""")


@wrong(
    "clipped-before-the-zero-point",
    "Clip after adding z_out.",
)
def early():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = max(-128, min(127, (total + (1 << (shift - 1))) >> shift));
    out[i] = (signed char)(code + z_out);""")


@wrong(
    "narrow-range",
    "The range is -128 to 127.",
)
def narrow():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-127, min(127, code));""")


@wrong(
    "int8-overflow",
    "a - z_a can be 255: keep it in an int.",
)
def int8_difference():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    signed char x = a[i] - z_a, y = b[i] - z_b;
    int total = m_a * x + m_b * y;
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "unsigned-codes",
    "You read the codes as unsigned char: -1 became 255.",
)
def unsigned_codes():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * ((unsigned char)a[i] - z_a) + m_b * ((unsigned char)b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "zero-points-added",
    "Take the zero-points off the inputs.",
)
def plus_zeros():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] + z_a) + m_b * (b[i] + z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "output-zero-point-left-out",
    "Add z_out after the shift.",
)
def no_z_out():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = (total + (1 << (shift - 1))) >> shift;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "each-product-rounded",
    "You round both products: round once, at the end.",
)
def twice():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int half = 1 << (shift - 1);
    int code = ((m_a * (a[i] - z_a) + half) >> shift) + ((m_b * (b[i] - z_b) + half) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "float32-sum",
    "float32 has 24 bits: the sum loses its last ones, and near a tie the code is wrong.",
)
def float_sum():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float total = (float)m_a * (a[i] - z_a) + (float)m_b * (b[i] - z_b);
    float code = floorf(total / (float)(1LL << shift) + 0.5f) + z_out;
    out[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));""")


@wrong(
    "input-overwritten",
    "You write the sum into a: that is an input.",
)
def in_place():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    ((signed char*)a)[i] = (signed char)max(-128, min(127, code));
    out[i] = a[i];""")


@wrong(
    "block-left-out",
    "threadIdx.x alone: every block does the first elements again.",
)
def block_left_out():
    return _source("""
    int i = threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "zero-point-shifted-too",
    "z_out << shift does not fit an int for large shifts: add z_out after the shift.",
)
def shifted_zero_point():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = (total + (1 << (shift - 1)) + (z_out << shift)) >> shift;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "products-halved-first",
    "You shift each product before the sum: two lost bits can make a whole one, and a tie goes down.",
)
def halved():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = ((m_a * (a[i] - z_a)) >> 1) + ((m_b * (b[i] - z_b)) >> 1);
    int code = ((total + ((1 << (shift - 1)) >> 1)) >> (shift - 1)) + z_out;
    out[i] = (signed char)max(-128, min(127, code));""")


@wrong(
    "one-thread-does-all",
    "Thread 0 does every element, and the others none.",
)
def thread_0():
    return _source("""
    if (blockIdx.x || threadIdx.x) return;
    for (int i = 0; i < n; i++) {
        int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
        int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
        out[i] = (signed char)max(-128, min(127, code));
    }""")
