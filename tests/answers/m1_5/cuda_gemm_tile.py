"""Answers to cuda-gemm-tile: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "gemm(const signed char* a, const signed char* b, int* c, int m, int n, int k)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("two tiles of 16 x 16")
def tiles():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@right("b stored transposed, a padded row, ints in the tiles")
def turned():
    return _source("""
    __shared__ int a_tile[16][17], b_tile[16][17];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[x][y] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[i][x];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@right("steps counted, barriers at the top and in the middle")
def steps():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int step = 0; step < (k + 15) / 16; step++) {
        __syncthreads();
        int start = step * 16;
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "no-barrier-after-loading",
    "Nobody waits until the tiles are loaded: add a barrier before computing.",
)
def no_first():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "no-barrier-after-computing",
    "Fast threads load the next tile while slow ones still read this one: a second barrier.",
)
def no_second():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "threads-leave-before-the-barrier",
    "Threads without an output return, and are missing at the barrier.",
)
def early():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    if (row >= m || col >= n) return;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "no-tiles",
    "Everything is read from global memory, 16 times as often.",
)
def no_shared():
    return _source("""
    int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
    if (row >= m || col >= n) return;
    int sum = 0;
    for (int l = 0; l < k; l++) sum += a[row * k + l] * b[col * k + l];
    c[row * n + col] = sum;""")


@wrong(
    "inner-edge-unguarded",
    "Past column k - 1 the next row begins: load 0 there.",
)
def k_unmasked():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && row * k + l < m * k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && b_row * k + l < n * k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "rows-unguarded-when-loading",
    "Rows past the end are read outside the matrices, although never stored.",
)
def rows_unmasked():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = l < k ? a[row * k + l] : 0;
        b_tile[y][x] = l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "b-read-as-k-by-n",
    "b is (n, k): one row for each output column.",
)
def b_by_col():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = start + y < k && col < n ? b[(start + y) * n + col] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[i][x];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "int8-products",
    "The product is stored in a signed char: it overflows.",
)
def int8_products():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += (signed char)(a_tile[y][i] * b_tile[x][i]);
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "short-accumulator",
    "A short overflows at the second worst product: sum in int.",
)
def int16_sum():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    short sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "last-step-left-out",
    "k / 16 steps leave out the last, shorter one.",
)
def last_step():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start + 16 <= k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "off-by-one-tile",
    "Your inner loop does 15 of the tile's 16 columns.",
)
def fifteen():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 15; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "store-unguarded",
    "Threads past the last column write into the next row.",
)
def open_store():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m) c[row * n + col] = sum;""")


@wrong(
    "block-indices-swapped",
    "blockIdx.x counts columns, blockIdx.y rows.",
)
def swapped_blocks():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.x * 16 + y, col = blockIdx.y * 16 + x, b_row = blockIdx.y * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "sum-reset-at-each-tile",
    "The sum starts again with each tile: only the last one is left.",
)
def reset():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        sum = 0;
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "tile-read-the-wrong-way",
    "b_tile[i][x] is right only for a tile that was stored transposed.",
)
def b_turned():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[i][x];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;""")


@wrong(
    "float-accumulator",
    "float32 holds integers up to 2^24: sum in int.",
)
def float_sum():
    return _source("""
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    float sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += (float)(a_tile[y][i] * b_tile[x][i]);
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = (int)sum;""")
