"""Answers to cuda-uniform-warps: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = (
    "dequantize_pairs(const signed char* q, const float* table, float* y, float scale, int n)"
)
WORK = """if (odd) y[e] = table[q[e] + 128];
    else y[e] = scale * (float)q[e];"""


def _source(place: str, work=WORK, guard="if (e >= n) return;") -> str:
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    {place}
    {guard}
    {work}
}}
"""


TILE = """int tile = i / 64, r = i % 64, odd = r / 32;
    int e = 64 * tile + 2 * (r % 32) + odd;"""


@right("warps by turns")
def by_turns():
    return _source(TILE)


@right("bits")
def bits():
    return _source("""int odd = (i >> 5) & 1;
    int e = (i & ~63) | ((i & 31) << 1) | odd;""")


@right("the first half of the threads takes the even elements")
def halves():
    return _source("""int half = (n + 1) / 2, odd = i >= half;
    int e = odd ? 2 * (i - half) + 1 : 2 * i;""")


@right("the first half of each block takes the even elements")
def block_halves():
    return _source("""int half = blockDim.x / 2, t = threadIdx.x, odd = t >= half;
    int e = blockIdx.x * blockDim.x + 2 * (odd ? t - half : t) + odd;""").replace(
        "int i = blockIdx.x * blockDim.x + threadIdx.x;", ""
    )


@wrong("element-by-element", "Thread i does element i: every warp holds both kinds.")
def plain():
    return _source("int e = i, odd = i % 2;")


@wrong(
    "both-computed",
    "Both formulas are computed, and one is thrown away: the table is read for even elements too.",
)
def predicated():
    return _source(
        "int e = i, odd = i % 2;",
        "float a = table[q[e] + 128], b = scale * (float)q[e];\n    y[e] = odd ? a : b;",
    )


@wrong("half-warps", "The kinds change every 16 threads: a warp has 32.")
def half_warps():
    return _source("""int tile = i / 32, r = i % 32, odd = r / 16;
    int e = 32 * tile + 2 * (r % 16) + odd;""")


@wrong(
    "pairs-by-one-thread",
    "One thread does two elements and the other none: half of the threads idle in each warp.",
)
def one_thread():
    return _source(
        "int e = i;",
        """if (i % 2 == 0) {
        y[i] = scale * (float)q[i];
        if (i + 1 < n) y[i + 1] = table[q[i + 1] + 128];
    }""",
    )


@wrong(
    "guard-on-the-thread",
    "With n no multiple of 64, thread i < n may have an element past the end.",
)
def thread_guard():
    return _source(TILE, guard="if (i >= n) return;")


@wrong("no-guard", "Guard the element: the last tile is not full.")
def no_guard():
    return _source(TILE, guard="")


@wrong("kinds-swapped", "Odd elements go through the table.")
def swapped():
    return _source(TILE, WORK.replace("if (odd)", "if (!odd)"))


@wrong("table-offset", "The table begins with code -128: add 128.")
def no_offset():
    return _source(TILE, WORK.replace("q[e] + 128", "(unsigned char)q[e]"))


@wrong("wrong-inverse", "The place of element e is mixed up: you moved the data, not the work.")
def moved():
    return _source(
        TILE,
        """if (odd) y[i] = table[q[e] + 128];
    else y[i] = scale * (float)q[e];""",
        "if (e >= n || i >= n) return;",
    )


@wrong("even-elements-only", "Odd elements have no thread.")
def even_only():
    return _source("int e = 2 * i, odd = 0;")


@wrong("half-of-an-even-n", "n / 2 even elements are one too few for an odd n.")
def floor_half():
    return _source("""int half = n / 2, odd = i >= half;
    int e = odd ? 2 * (i - half) + 1 : 2 * i;""")


@wrong("tile-of-32", "A tile of 32 elements does not give a warp of its own to each kind.")
def overlap():
    return _source("""int tile = i / 32, odd = tile % 2;
    int e = 32 * tile + 2 * (i % 32) + odd;""")


@wrong("every-element-twice", "Both warps of a tile do both kinds.")
def twice():
    return _source(
        "int e = i;",
        """if (i % 2) y[i] = table[q[i] + 128];
    else y[i] = scale * (float)q[i];
    int f = i ^ 1;
    if (f < n) { if (f % 2) y[f] = table[q[f] + 128]; else y[f] = scale * (float)q[f]; }""",
    )
