"""Answers to cuda-unpack-int4: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "unpack(const unsigned char* packed, const float* scale, float* x, int n, int group)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("xor for the sign")
def by_xor():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[(2 * i + 1) / group];""")


@right("shifts up and down, the sign comes along")
def by_shifts():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < (n + 1) / 2) {
        int both = packed[i];
        int low = both << 28 >> 28, high = both << 24 >> 28;
        x[2 * i] = scale[(2 * i) / group] * low;
        if (2 * i + 1 < n) x[2 * i + 1] = scale[(2 * i + 1) / group] * high;
    }""")


@wrong(
    "nibbles-swapped",
    "The first weight is in the low four bits.",
)
def swapped():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both >> 4) ^ 8) - 8) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both & 15) ^ 8) - 8) * scale[(2 * i + 1) / group];""")


@wrong(
    "unsigned-nibbles",
    "8 to 15 stand for -8 to -1.",
)
def unsigned_codes():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(both & 15) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(both >> 4) * scale[(2 * i + 1) / group];""")


@wrong(
    "offset-of-8",
    "Minus 8 undoes an offset code; here it is two's complement.",
)
def offset():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)((both & 15) - 8) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)((both >> 4) - 8) * scale[(2 * i + 1) / group];""")


@wrong(
    "sign-and-magnitude",
    "Bit 3 is no minus sign: two's complement takes 16 off.",
)
def magnitude():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    int low = both & 8 ? -(both & 7) : both & 7, up = both >> 4, high = up & 8 ? -(up & 7) : up;
    x[2 * i] = (float)low * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)high * scale[(2 * i + 1) / group];""")


@wrong(
    "one-scale-a-byte",
    "The two weights of a byte may be in different groups.",
)
def one_scale():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    float s = scale[2 * i / group];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * s;
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * s;""")


@wrong(
    "groups-of-bytes",
    "group counts weights, not bytes.",
)
def byte_groups():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[i / group];""")


@wrong(
    "half-a-group",
    "The scale of weight w is w / group; you divided by half of it.",
)
def half_groups():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[min(2 * i / max(1, group / 2), (n - 1) / group)];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[min((2 * i + 1) / max(1, group / 2), (n - 1) / group)];""")


@wrong(
    "padding-written",
    "The last high nibble of an odd number is padding: guard its store.",
)
def writes_past():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[2 * i / group];
    x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[min((2 * i + 1) / group, (n - 1) / group)];""")


@wrong(
    "no-guard",
    "Threads without a byte read and write outside.",
)
def no_guard():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[(2 * i + 1) / group];""")


@wrong(
    "last-weight-lost",
    "n / 2 bytes leave out the last weight of an odd number.",
)
def drops_last():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n / 2) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[(2 * i + 1) / group];""")


@wrong(
    "byte-loaded-twice",
    "You load each byte twice: keep it in a register.",
)
def twice():
    return _source("""
    int w = blockIdx.x * blockDim.x * 2 + threadIdx.x;
    for (int pass = 0; pass < 2; pass++, w += blockDim.x) {
        if (w >= n) return;
        int nibble = packed[w / 2] >> (4 * (w % 2)) & 15;
        x[w] = (float)((nibble ^ 8) - 8) * scale[w / group];
    }""")


@wrong(
    "scale-forgotten",
    "You store the codes: multiply by the scale.",
)
def no_scale():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8);
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8);""")


@wrong(
    "sign-from-the-byte",
    "You read the byte as signed and shifted it: the high nibble is right, the low one has no sign.",
)
def sign_of_byte():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = (signed char)packed[i];
    x[2 * i] = (float)(both & 15) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(both >> 4) * scale[(2 * i + 1) / group];""")


@wrong(
    "scale-of-the-padding",
    "The padding nibble has no scale: read scale[(2 * i + 1) / group] behind the guard.",
)
def padding_scale():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    float low = scale[2 * i / group], high = scale[(2 * i + 1) / group];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * low;
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * high;""")
