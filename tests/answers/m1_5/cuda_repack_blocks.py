"""Answers to cuda-repack-blocks: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "repack(const unsigned int* blocks, float* scale, unsigned int* q, int n)"


def _source(body: str) -> str:
    return f'extern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


T = "int t = blockIdx.x * blockDim.x + threadIdx.x;"


@right("one word a thread")
def words():
    return _source(f"""{T}
    if (t >= 9 * n) return;
    int record = t / 9, word = t % 9;
    unsigned int value = blocks[t];
    if (word == 0) scale[record] = __uint_as_float(value);
    else q[8 * record + word - 1] = value;""")


@right("the scale by a pointer, the place by subtraction")
def pointers():
    return _source(f"""{T}
    if (t < n * 9) {{
        const unsigned int r = t / 9u;
        if (t == 9 * r) scale[r] = ((const float*)blocks)[t];
        else q[t - r - 1] = blocks[t];
    }}""")


@right("a grid-stride loop over the words")
def stride():
    return _source("""
    for (int t = blockIdx.x * blockDim.x + threadIdx.x; t < 9 * n; t += gridDim.x * blockDim.x) {
        unsigned int value = blocks[t];
        if (t % 9) q[t - t / 9 - 1] = value;
        else ((unsigned int*)scale)[t / 9] = value;
    }""")


@wrong(
    "a-record-for-each-thread",
    "One thread takes a whole record: neighbouring threads are 36 bytes apart, and each request touches 32 sectors or more.",
)
def record_a_thread():
    return _source(f"""{T}
    if (t >= n) return;
    scale[t] = __uint_as_float(blocks[9 * t]);
    for (int w = 0; w < 8; w++) q[8 * t + w] = blocks[9 * t + 1 + w];""")


@right("codes by output word, scales by a second step")
def scales_apart():
    return _source(f"""{T}
    if (t < 8 * n) q[t] = blocks[9 * (t / 8) + 1 + t % 8];
    if (t < n) scale[t] = __uint_as_float(blocks[9 * t]);""")


@wrong(
    "records-by-lanes",
    "Each lane walks through a block of its own: at every step, a warp's lanes are 36 bytes apart.",
)
def codes_transposed():
    return _source("""
    int warp = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    int warps = gridDim.x * blockDim.x / 32;
    for (int record = lane + 32 * warp; record - lane < n; record += 32 * warps) {
        if (record >= n) continue;
        for (int w = 0; w < 9; w++) {
            unsigned int value = blocks[9 * record + w];
            if (w == 0) scale[record] = __uint_as_float(value);
            else q[8 * record + w - 1] = value;
        }
    }""")


@wrong("scale-converted", "You converted the scale's bits as a number: reinterpret them.")
def converted():
    return _source(f"""{T}
    if (t >= 9 * n) return;
    int record = t / 9, word = t % 9;
    if (word == 0) scale[record] = (float)blocks[t];
    else q[8 * record + word - 1] = blocks[t];""")


@wrong("scale-at-the-end", "The scale is the first word of a block, not the last.")
def last_word():
    return _source(f"""{T}
    if (t >= 9 * n) return;
    int record = t / 9, word = t % 9;
    if (word == 8) scale[record] = __uint_as_float(blocks[t]);
    else q[8 * record + word] = blocks[t];""")


@wrong("no-guard", "Threads beyond the last word read past the end: guard t < 9 * n.")
def unguarded():
    return _source(f"""{T}
    int record = t / 9, word = t % 9;
    unsigned int value = blocks[t];
    if (word == 0) scale[record] = __uint_as_float(value);
    else q[8 * record + word - 1] = value;""")


@wrong("guard-by-records", "There are 9 words to a block; your guard lets only n threads work.")
def guard_n():
    return _source(f"""{T}
    if (t >= n) return;
    int record = t / 9, word = t % 9;
    if (word == 0) scale[record] = __uint_as_float(blocks[t]);
    else q[8 * record + word - 1] = blocks[t];""")


@wrong("off-by-one-word", "You left a hole: the first code word of a block belongs at 8 * record.")
def shifted():
    return _source(f"""{T}
    if (t >= 9 * n) return;
    int record = t / 9, word = t % 9;
    if (word == 0) scale[record] = __uint_as_float(blocks[t]);
    else if (8 * record + word < 8 * n) q[8 * record + word] = blocks[t];""")


@wrong("records-of-8-words", "A block has 9 words: 1 of scale and 8 of codes.")
def eight():
    return _source(f"""{T}
    if (t >= 9 * n) return;
    int record = t / 8, word = t % 8;
    if (record >= n) return;
    if (word == 0) scale[record] = __uint_as_float(blocks[t]);
    else q[8 * record + word - 1] = blocks[t];""")


@wrong("codes-kept-in-9-words", "q keeps gaps for the scales: it has 8 words a block.")
def gaps():
    return _source(f"""{T}
    if (t >= 9 * n) return;
    int record = t / 9, word = t % 9;
    if (word == 0) scale[record] = __uint_as_float(blocks[t]);
    else if (t < 8 * n) q[t] = blocks[t];""")


@wrong(
    "a-warp-for-each-record",
    "Nine lanes of each warp work on one block: every block's 36 bytes cost two sectors or more, "
    "and 23 lanes are idle.",
)
def warp_a_record():
    return _source("""
    int lane = threadIdx.x % 32, warps = gridDim.x * blockDim.x / 32;
    for (int r = (blockIdx.x * blockDim.x + threadIdx.x) / 32; r < n; r += warps) {
        if (lane == 0) scale[r] = __uint_as_float(blocks[9 * r]);
        else if (lane < 9) q[8 * r + lane - 1] = blocks[9 * r + lane];
    }""")
