"""Answers to cuda-pack-int4: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "pack(const signed char* q, unsigned char* packed, int n)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("masks and a shift")
def by_bits():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")


@right("plus sixteen for negatives, in a loop")
def by_sixteen():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n + 1) / 2; i += gridDim.x * blockDim.x) {
        int low = q[2 * i], high = 2 * i + 1 < n ? (int)q[2 * i + 1] : 0;
        if (low < 0) low += 16;
        if (high < 0) high += 16;
        packed[i] = (unsigned char)(low + 16 * high);
    }""")


@wrong(
    "nibbles-swapped",
    "The first code belongs into the low four bits.",
)
def swapped():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 0;
    packed[i] = (unsigned char)(low << 4 | high);""")


@wrong(
    "low-nibble-unmasked",
    "A negative low code has ones in all upper bits: mask it with 15, or it covers its neighbour.",
)
def unmasked():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i];
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "offset-of-8",
    "You add 8: that is an offset code; here it is two's complement.",
)
def offset():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] + 8;
    int high = 2 * i + 1 < n ? q[2 * i + 1] + 8 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "reads-past-the-end",
    "With an odd number of codes you read one past the end.",
)
def reads_past():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 15;
    int high = q[2 * i + 1] & 15;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "no-guard",
    "Threads without a byte read and write outside: return when 2 * i >= n.",
)
def no_guard():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "guarded-by-the-codes",
    "Your guard compares the byte with n: there are only (n + 1) / 2 bytes.",
)
def guard_n():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "last-code-lost",
    "n / 2 bytes leave out the last code of an odd number.",
)
def drops_last():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n / 2) return;
    packed[i] = (unsigned char)((q[2 * i + 1] & 15) << 4 | (q[2 * i] & 15));""")


@wrong(
    "halves-apart",
    "Byte i holds codes 2 i and 2 i + 1, not i and i + n / 2.",
)
def halves():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int half = (n + 1) / 2;
    int low = q[i] & 15, high = i + half < n ? q[i + half] & 15 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "two-writes-a-byte",
    "You write the byte twice: put it together in a register, and store it once.",
)
def two_writes():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    packed[i] = (unsigned char)(q[2 * i] & 15);
    if (2 * i + 1 < n) packed[i] |= (unsigned char)((q[2 * i + 1] & 15) << 4);""")


@wrong(
    "a-thread-for-each-nibble",
    "Two threads write halves of one byte: a race, and one half is lost.",
)
def race():
    return _source("""
    int w = blockIdx.x * blockDim.x * 2 + threadIdx.x;
    for (int pass = 0; pass < 2; pass++, w += blockDim.x) {
        if (w >= n) return;
        int shift = 4 * (w % 2);
        packed[w / 2] = (packed[w / 2] & (15 << (4 - shift))) | (q[w] & 15) << shift;
    }""")


@wrong(
    "padding-of-15",
    "The high nibble of a last single code is 0.",
)
def padding():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 15;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "last-code-repeated",
    "The high nibble of a last single code is 0, not the code again.",
)
def repeated():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : low;
    packed[i] = (unsigned char)(high << 4 | low);""")


@wrong(
    "sign-lost",
    "& 7 throws the sign bit away: a nibble has four bits.",
)
def three_bits():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 7;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 7 : 0;
    packed[i] = (unsigned char)(high << 4 | low);""")
