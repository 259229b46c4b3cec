"""Answers to cuda-column-sums: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "column_sums(const signed char* q, int* sums, int rows, int cols)"


def _source(body: str) -> str:
    return f'extern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


COL = "int col = blockIdx.x * blockDim.x + threadIdx.x;"


@right("a sum in a register")
def register():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@right("a pointer that walks down")
def pointer():
    return _source(f"""{COL}
    if (col < cols) {{
        long long total = 0;
        const signed char* at = q + col;
        for (int left = rows; left > 0; --left, at += cols) total += *at;
        sums[col] = (int)total;
    }}""")


@right("rows from the last to the first")
def upwards():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = 0, row = rows;
    while (row--) sum += (int)q[col + row * cols];
    sums[col] = sum;""")


@wrong(
    "sum-kept-in-global-memory",
    "You add into sums[col] at every row: a read and a write of global memory each time. Keep the sum in a variable.",
)
def in_memory():
    return _source(f"""{COL}
    if (col >= cols) return;
    sums[col] = 0;
    for (int row = 0; row < rows; row++) sums[col] += q[row * cols + col];""")


@wrong("int8-sum", "Your sum is a signed char: it wraps around after a few codes.")
def narrow():
    return _source(f"""{COL}
    if (col >= cols) return;
    signed char sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@wrong("int16-sum", "Your sum is a short: 300 codes of 127 do not fit into it.")
def short():
    return _source(f"""{COL}
    if (col >= cols) return;
    short sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@wrong("unsigned-codes", "You read the codes as unsigned char: -1 became 255.")
def unsigned():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += (unsigned char)q[row * cols + col];
    sums[col] = sum;""")


@wrong("no-guard", "Threads beyond the last column read and write past the end: guard col < cols.")
def unguarded():
    return _source(f"""{COL}
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@wrong("off-by-one-guard", "col > cols lets the thread col == cols through.")
def off_by_one():
    return _source(f"""{COL}
    if (col > cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@wrong("row-sums", "You summed along a row: a column's elements are cols apart.")
def rows_instead():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += q[(col * rows + row) % (rows * cols)];
    sums[col] = sum;""")


@wrong("last-row-left-out", "Your loop ends a row too early.")
def one_row_less():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows - 1; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@wrong(
    "pitch-of-the-rows",
    "You step by rows: right for square matrices only. A row has cols elements.",
)
def square():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) {{
        int at = row * rows + col;
        if (at < rows * cols) sum += q[at];
    }}
    sums[col] = sum;""")


@wrong(
    "columns-far-apart",
    "Your threads take columns that are far apart: the sums are right, and each request touches many sectors.",
)
def scattered():
    return _source("""
    int t = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    if (cols % 64 == 0 && threads == cols) {
        int parts = cols / 32;
        t = (t % 32) * parts + t / 32;
    }
    if (t >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + t];
    sums[t] = sum;""")


@wrong(
    "atomics-on-global-memory",
    "You add each code to sums with an atomic: right at last, and thousands of updates of global memory.",
)
def atomic():
    return _source(f"""{COL}
    if (col >= cols) return;
    sums[col] = 0;
    for (int row = 0; row < rows; row++) atomicAdd(&sums[col], (int)q[row * cols + col]);""")


@wrong("sum-not-begun", "You add to what sums held before: begin at 0.")
def no_zero():
    return _source(f"""{COL}
    if (col >= cols) return;
    int sum = sums[col];
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")


@wrong("float-sum", "Your sum is a float: from 2**24 on it cannot count every integer.")
def single():
    return _source(f"""{COL}
    if (col >= cols) return;
    float sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = (int)sum;""")


@wrong(
    "blocks-of-powers-of-two",
    "You shift blockIdx.x by the bits of blockDim.x: a block may have any number of threads.",
)
def shifted_block():
    return _source("""
    int col = (blockIdx.x << (31 - __clz(blockDim.x))) + threadIdx.x;
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) sum += q[row * cols + col];
    sums[col] = sum;""")
