"""Answers to cuda-vector-loads: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "dequantize4(const signed char* q, float* x, float scale, int n)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


INDEX = "int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);"
ALIGNED = "(unsigned long long)q % 4 == 0 && (unsigned long long)x % 16 == 0"
FAST = """char4 c = *reinterpret_cast<const char4*>(q + i);
        *reinterpret_cast<float4*>(x + i) = make_float4(scale * c.x, scale * c.y, scale * c.z, scale * c.w);"""
SLOW = "for (int k = i; k < n && k < i + 4; k++) x[k] = scale * q[k];"


@right("char4 and float4, one by one otherwise")
def char4():
    return _source(f"""{INDEX}
    if (i + 4 <= n && {ALIGNED}) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@right("loads and stores decided apart, the pointers as arrays of vectors")
def apart():
    return _source("""
    int t = threadIdx.x + blockDim.x * blockIdx.x, left = n - 4 * t;
    if (left <= 0) return;
    signed char c[4] = {0, 0, 0, 0};
    if (left >= 4 && ((size_t)q & 3) == 0) {
        char4 v = ((const char4*)q)[t];
        c[0] = v.x; c[1] = v.y; c[2] = v.z; c[3] = v.w;
    } else {
        for (int k = 0; k < 4; k++) if (k < left) c[k] = q[4 * t + k];
    }
    if (left >= 4 && ((size_t)x & 15) == 0) {
        float4 v;
        v.x = c[0] * scale; v.y = c[1] * scale; v.z = c[2] * scale; v.w = c[3] * scale;
        ((float4*)x)[t] = v;
    } else {
        for (int k = 0; k < 4; k++) if (k < left) x[4 * t + k] = c[k] * scale;
    }""")


@right("four codes in an int, shifted out")
def shifts():
    return _source(f"""{INDEX}
    if (i + 3 < n && ((unsigned long long)(q + i) & 3) == 0 && ((unsigned long long)(x + i) & 15) == 0) {{
        int w = *(const int*)(q + i);
        float4 r = {{scale * (float)(signed char)w, scale * (float)(signed char)(w >> 8),
                    scale * (float)(signed char)(w >> 16), scale * (float)(w >> 24)}};
        *(float4*)(x + i) = r;
        return;
    }}
    {SLOW}""")


@wrong(
    "one-by-one",
    "You load and store single elements: right, and four requests where one would do.",
)
def scalar():
    return _source(f"""{INDEX}
    {SLOW}""")


@wrong("scalar-stores", "You load four codes at once, and store four single floats.")
def scalar_stores():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)q % 4 == 0) {{
        char4 c = *reinterpret_cast<const char4*>(q + i);
        x[i] = scale * c.x; x[i + 1] = scale * c.y; x[i + 2] = scale * c.z; x[i + 3] = scale * c.w;
    }} else {{
        {SLOW}
    }}""")


@wrong("scalar-loads", "You store four floats at once, and load four single codes.")
def scalar_loads():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)x % 16 == 0) {{
        *reinterpret_cast<float4*>(x + i) =
            make_float4(scale * q[i], scale * q[i + 1], scale * q[i + 2], scale * q[i + 3]);
    }} else {{
        {SLOW}
    }}""")


@wrong(
    "alignment-taken-for-granted",
    "A vector access to an unaligned pointer is an error: look first.",
)
def trusting():
    return _source(f"""{INDEX}
    if (i + 4 <= n) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong("only-q-looked-at", "You look at q's alignment only; x needs a multiple of 16.")
def only_q():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)q % 4 == 0) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong("only-x-looked-at", "You look at x's alignment only; q needs a multiple of 4.")
def only_x():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)x % 16 == 0) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong("aligned-to-4-is-not-enough", "A float4 must lie at a multiple of 16 bytes, not of 4.")
def four_for_sixteen():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)q % 4 == 0 && (unsigned long long)x % 4 == 0) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong(
    "too-strict-with-q",
    "You ask for a multiple of 16 in q too: a char4 needs a multiple of 4 only.",
)
def too_strict():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)q % 16 == 0 && (unsigned long long)x % 16 == 0) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong("no-tail", "The last n % 4 elements are left undone.")
def no_tail():
    return _source(f"""{INDEX}
    if ({ALIGNED}) {{
        if (i + 4 <= n) {{
        {FAST}
        }}
    }} else {{
        {SLOW}
    }}""")


@wrong(
    "tail-past-the-end",
    "You guard i < n: the last thread writes up to three elements past the end.",
)
def past():
    return _source(f"""{INDEX}
    if (i < n && {ALIGNED}) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong("tail-by-one-thread-only", "The tail has up to three elements, and you do one of them.")
def one_of_tail():
    return _source(f"""{INDEX}
    if (i + 4 <= n && {ALIGNED}) {{
        {FAST}
    }} else if ({ALIGNED}) {{
        if (i < n) x[i] = scale * q[i];
    }} else {{
        {SLOW}
    }}""")


@wrong("bytes-in-the-wrong-order", "x is the first of the four in memory; you began with w.")
def reversed_bytes():
    return _source(f"""{INDEX}
    if (i + 4 <= n && {ALIGNED}) {{
        char4 c = *reinterpret_cast<const char4*>(q + i);
        *reinterpret_cast<float4*>(x + i) = make_float4(scale * c.w, scale * c.z, scale * c.y, scale * c.x);
    }} else {{
        {SLOW}
    }}""")


@wrong("unsigned-codes", "You loaded uchar4: -1 became 255.")
def unsigned():
    return _source(f"""{INDEX}
    if (i + 4 <= n && {ALIGNED}) {{
        uchar4 c = *reinterpret_cast<const uchar4*>(q + i);
        *reinterpret_cast<float4*>(x + i) = make_float4(scale * c.x, scale * c.y, scale * c.z, scale * c.w);
    }} else {{
        {SLOW}
    }}""")


@wrong(
    "vector-index-not-scaled",
    "q + t moves by one code a thread: the fourth thread re-does the first one's.",
)
def overlapping():
    return _source(f"""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i + 4 <= n && (unsigned long long)(q + i) % 4 == 0 && (unsigned long long)(x + i) % 16 == 0) {{
        {FAST}
    }} else if (i < n) x[i] = scale * q[i];""")


@wrong(
    "vectors-for-whole-arrays-only",
    "You take vectors only where n is a multiple of 4; all threads but the last have their four anyway.",
)
def whole_arrays():
    return _source(f"""{INDEX}
    if (n % 4 == 0 && i + 4 <= n && {ALIGNED}) {{
        {FAST}
    }} else {{
        {SLOW}
    }}""")


@wrong(
    "memcpy-from-bytes",
    "memcpy from signed char* promises no alignment, so a GPU loads byte by byte: cast to char4*.",
)
def by_memcpy():
    return _source(f"""{INDEX}
    if (i + 4 <= n && (unsigned long long)x % 16 == 0) {{
        int w;
        memcpy(&w, q + i, 4);
        *(float4*)(x + i) = make_float4(scale * (signed char)w, scale * (signed char)(w >> 8),
                                        scale * (signed char)(w >> 16), scale * (w >> 24));
    }} else {{
        {SLOW}
    }}""")
