"""Answers to qadd-wide: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = """quantized_vector_add_kernel(
    const signed char* a, const signed char* b, signed char* out,
    int m_a, int m_b, int shift, int z_a, int z_b, int z_out, int n)"""


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("int4 and a union")
def by_union():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@right("uint4, codes shifted out of four words")
def by_bits():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned long long where = (unsigned long long)a | (unsigned long long)b | (unsigned long long)out;
    int groups = where % 16 == 0 ? n / 16 : 0;
    if (thread < groups) {
        uint4 x = reinterpret_cast<const uint4*>(a)[thread], y = reinterpret_cast<const uint4*>(b)[thread];
        uint4 sum;
        sum.x = add_four(x.x, y.x, m_a, m_b, shift, z_a, z_b, z_out);
        sum.y = add_four(x.y, y.y, m_a, m_b, shift, z_a, z_b, z_out);
        sum.z = add_four(x.z, y.z, m_a, m_b, shift, z_a, z_b, z_out);
        sum.w = add_four(x.w, y.w, m_a, m_b, shift, z_a, z_b, z_out);
        reinterpret_cast<uint4*>(out)[thread] = sum;
    }
    for (int i = groups * 16 + thread; i < n; i += gridDim.x * blockDim.x) {
        unsigned one = add_four((unsigned char)a[i], (unsigned char)b[i], m_a, m_b, shift, z_a, z_b, z_out);
        out[i] = (signed char)(one & 255);
    }""",
        """
__device__ __forceinline__ unsigned add_four(
    unsigned a, unsigned b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    unsigned result = 0;
    for (int j = 0; j < 32; j += 8) {
        int x = (int)(a << (24 - j)) >> 24, y = (int)(b << (24 - j)) >> 24;
        int code = ((m_a * (x - z_a) + m_b * (y - z_b) + (1 << (shift - 1))) >> shift) + z_out;
        code = code > 127 ? 127 : code < -128 ? -128 : code;
        result |= (unsigned)(code & 255) << j;
    }
    return result;
}
""",
    )


@wrong(
    "alignment-not-checked",
    "A 16-byte access at an address that is no multiple of 16 is illegal: check the pointers.",
)
def never_narrow():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = n / 16;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "output-alignment-not-checked",
    "The store must be aligned too: look at all three pointers.",
)
def only_inputs():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "one-pointer-checked",
    "You look at a alone; b and out may begin elsewhere.",
)
def only_a():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = ((size_t)a & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "addresses-summed",
    "8 + 8 is a multiple of 16, though neither address is: each of the three must be.",
)
def summed():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a + (size_t)b + (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "tail-left-out",
    "The last n % 16 codes are never done.",
)
def no_tail():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    if (aligned) {
        if (thread >= n / 16) return;
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
        return;
    }
    for (int i = thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "tail-read-wide",
    "The last group has fewer than 16 codes: a wide access goes past the end.",
)
def tail_wide():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? (n + 15) / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "one-code-at-a-time",
    "Right, but each access moves one code: use int4 where the pointers allow it.",
)
def one_by_one():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "sixteen-in-a-run",
    "Each lane does a run of 16 codes one by one: neighbouring lanes are 16 apart.",
)
def runs():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x;
    for (int i = 16 * thread; i < 16 * thread + 16 && i < n; i++)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "sixteen-in-a-run-unaligned",
    "Without alignment, let neighbouring lanes do neighbouring codes, not runs of 16.",
)
def runs_unaligned():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    if (!aligned) {
        for (int i = 16 * thread; i < 16 * thread + 16 && i < n; i++)
            out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);
        return;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "four-codes-at-a-time",
    "Four codes an access are a quarter of what int4 moves.",
)
def char4():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 4 : 0;
    for (int g = thread; g < wide; g += threads) {
        Sixteen x, y, sum;
        x.part = ((const int*)a)[g];
        y.part = ((const int*)b)[g];
        for (int j = 0; j < 4; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int*)out)[g] = sum.part;
    }
    for (int i = 4 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; int part; signed char code[16]; };
""",
    )


@wrong(
    "done-twice",
    "You do all codes one by one after the wide groups: every byte is moved twice.",
)
def tail_twice():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "unsigned-codes",
    "unsigned char in the union: -1 became 255.",
)
def unsigned_bytes():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; unsigned char code[16]; };
""",
    )


@wrong(
    "float32-sum",
    "float32 has 24 bits: the sum loses its last ones, and near a tie the code is wrong.",
)
def float_sum():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    float total = (float)m_a * (a - z_a) + (float)m_b * (b - z_b);
    int code = (int)floorf(total / (float)(1 << shift) + 0.5f) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "shift-written-in",
    "The shift is an argument: 20 fits one pair of scales only.",
)
def fixed_shift():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << 19)) >> 20) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )


@wrong(
    "narrow-loads",
    "You store 16 codes at once and load them one by one: an int4 load from each input.",
)
def narrow_loads():
    return _source(
        """
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen sum;
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(a[16 * thread + j], b[16 * thread + j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);""",
        """
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };
""",
    )
