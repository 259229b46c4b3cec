"""Answers to cuda-row-scales: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "dequantize_rows(const signed char* q, const float* scale, float* x, int rows, int cols, int pitch)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("two guards")
def guarded():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@right("an early return, pointers to the row")
def early_return():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (col >= cols || row >= rows) return;
    const signed char* from = q + row * pitch;
    float* to = x + (size_t)row * cols;
    to[col] = from[col] * scale[row];""")


@right("strided loops in both directions")
def strided():
    return _source("""
    for (int row = blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += gridDim.y * blockDim.y)
        for (int col = blockIdx.x * blockDim.x + threadIdx.x; col < cols; col += gridDim.x * blockDim.x)
            x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "rows-unguarded",
    "Threads below the last row read and write outside: guard the row too.",
)
def no_row_guard():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (col < cols)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "columns-unguarded",
    "Threads right of the last column do the next row again, and the last ones write outside.",
)
def no_col_guard():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "guarded-by-the-product",
    "row * cols + col < rows * cols lets threads right of the last column into the next row.",
)
def flat_guard():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row * cols + col < rows * cols && row < rows)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "x-for-rows",
    "You take rows from x; the launch has x along the columns.",
)
def swapped():
    return _source("""
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    int col = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "pitch-ignored",
    "The rows of q are `pitch` apart, not cols.",
)
def no_pitch():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[row] * (float)q[row * cols + col];""")


@wrong(
    "result-with-the-pitch",
    "x is contiguous: its rows are cols apart.",
)
def pitch_out():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * pitch + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "scale-by-column",
    "The scale belongs to the row, not to the column.",
)
def scale_col():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[col % rows] * (float)q[row * pitch + col];""")


@wrong(
    "one-scale",
    "You used scale[0] for all rows.",
)
def one_scale():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[0] * (float)q[row * pitch + col];""")


@wrong(
    "result-by-columns",
    "x is row-major: row * cols + col.",
)
def column_major():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[col * rows + row] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "unsigned-codes",
    "You read the codes as unsigned char: -1 became 255.",
)
def unsigned():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[row] * (float)(unsigned char)q[row * pitch + col];""")


@wrong(
    "a-row-for-each-block-row",
    "blockIdx.y is a block, not a row: multiply by blockDim.y and add threadIdx.y.",
)
def block_row():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")


@wrong(
    "integer-scale",
    "You multiply in int: the scale lost its fraction.",
)
def int_product():
    return _source("""
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols)
        x[row * cols + col] = (int)scale[row] * q[row * pitch + col];""")


@wrong(
    "a-row-for-each-thread",
    "The first thread of a row does all its columns: each thread does one element.",
)
def row_by_thread():
    return _source("""
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= rows || blockIdx.x > 0 || threadIdx.x > 0) return;
    for (int col = 0; col < cols; col++)
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];""")
