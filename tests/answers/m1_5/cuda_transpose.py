"""Answers to cuda-transpose: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "transpose(const float* x, float* y, int rows, int cols)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


def _tiled(
    tile="__shared__ float tile[32][33];",
    put="tile[j][tx]",
    get="tile[tx][j]",
    barrier="__syncthreads();",
    load="row < rows && col < cols",
    store="out_row < cols && out_col < rows",
    at="out_row * rows + out_col",
    source="row * cols + col",
    end="32",
    step="8",
):
    return _source(f"""
    {tile}
    int tx = threadIdx.x, ty = threadIdx.y;
    for (int j = ty; j < {end}; j += {step}) {{
        int row = blockIdx.y * 32 + j, col = blockIdx.x * 32 + tx;
        if ({load}) {put} = x[{source}];
    }}
    {barrier}
    for (int j = ty; j < {end}; j += {step}) {{
        int out_row = blockIdx.x * 32 + j, out_col = blockIdx.y * 32 + tx;
        if ({store}) y[{at}] = {get};
    }}""")


@right("a padded tile")
def padded():
    return _tiled()


@right("a swizzled tile, exclusive or")
def swizzled():
    return _tiled("__shared__ float tile[32][32];", "tile[j][tx ^ j]", "tile[tx][j ^ tx]")


@right("a tile of 1,056 floats, written by columns")
def flat():
    return _tiled("__shared__ float tile[32 * 33];", "tile[tx * 33 + j]", "tile[j * 33 + tx]")


@right("rows of 35")
def wide():
    return _tiled("__shared__ float tile[32][35];")


@right("two barriers, and unsigned indices")
def careful():
    return _source("""
    __shared__ float tile[32][33];
    unsigned col = blockIdx.x * 32u + threadIdx.x, first = blockIdx.y * 32u;
    #pragma unroll
    for (unsigned j = threadIdx.y; j < 32u; j += blockDim.y)
        tile[j][threadIdx.x] = (first + j < (unsigned)rows && col < (unsigned)cols) ? x[(first + j) * cols + col] : 0.0f;
    __syncthreads();
    unsigned out_col = first + threadIdx.x;
    for (unsigned j = threadIdx.y; j < 32u; j += blockDim.y)
        if (blockIdx.x * 32u + j < (unsigned)cols && out_col < (unsigned)rows)
            y[(blockIdx.x * 32u + j) * rows + out_col] = tile[threadIdx.x][j];
    __syncthreads();""")


@wrong(
    "naive",
    "You transpose without a tile: the loads are coalesced, and each store of a warp touches 32 sectors.",
)
def naive():
    return _source("""
    int col = blockIdx.x * 32 + threadIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        int row = blockIdx.y * 32 + j;
        if (row < rows && col < cols) y[col * rows + row] = x[row * cols + col];
    }""")


@wrong(
    "naive-the-other-way",
    "You transpose without a tile: the stores are coalesced, and each load of a warp touches 32 sectors.",
)
def naive_reads():
    return _source("""
    int row = blockIdx.y * 32 + threadIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        int col = blockIdx.x * 32 + j;
        if (row < rows && col < cols) y[col * rows + row] = x[row * cols + col];
    }""")


@wrong(
    "no-barrier",
    "Warps read what others may not have written yet: __syncthreads() between the two loops.",
)
def no_barrier():
    return _tiled(barrier="")


@wrong("barrier-of-a-warp", "__syncwarp waits for a warp; the tile is filled by eight of them.")
def warp_barrier():
    return _tiled(barrier="__syncwarp();")


@wrong("no-guard", "Tiles at the edge reach outside of the matrix: guard load and store.")
def no_guard():
    return _tiled(load="true", store="true")


@wrong("load-not-guarded", "The load has no guard: tiles at the edge read outside of x.")
def load_unguarded():
    return _tiled(load="true")


@wrong(
    "store-guarded-like-the-load",
    "The store's guard has rows and cols the wrong way round: y has cols rows.",
)
def store_guard():
    return _tiled(store="out_row < rows && out_col < cols")


@wrong(
    "square-only",
    "You step through y by cols: a row of y has rows elements. Square matrices hide it.",
)
def square():
    return _tiled(at="out_row * cols + out_col")


@wrong("blocks-not-swapped", "The tile's place in y has the block indices swapped; you kept them.")
def not_swapped():
    return _source(
        _tiled()
        .split("{", 1)[1]
        .rsplit("}", 1)[0]
        .replace("out_row = blockIdx.x * 32", "out_row = blockIdx.y * 32")
        .replace("out_col = blockIdx.y * 32", "out_col = blockIdx.x * 32")
    )


@wrong("off-by-one-tile", "Your loops end at 31: the last row of each tile is left out.")
def short_tile():
    return _tiled(end="31")


@wrong(
    "eight-rows-of-the-tile",
    "A block of (32, 8) threads does 8 rows at a time: loop over the 32 rows.",
)
def eight_rows():
    return _tiled(end="8")


@wrong(
    "every-thread-all-rows",
    "All eight rows of threads do all 32 rows: the work is done eight times.",
)
def all_rows():
    return _source("""
    for (int j = 0; j < 32; j++) {
        int row = blockIdx.y * 32 + j, col = blockIdx.x * 32 + threadIdx.x;
        if (row < rows && col < cols) y[col * rows + row] = x[row * cols + col];
    }""")


@wrong("copied", "You copied the tile: read it with row and column exchanged.")
def copied():
    return (
        _tiled(store="row2 < rows && col2 < cols")
        .replace(
            "int out_row = blockIdx.x * 32 + j, out_col = blockIdx.y * 32 + tx;",
            "int row2 = blockIdx.y * 32 + j, col2 = blockIdx.x * 32 + tx, out_row = row2, out_col = col2;",
        )
        .replace("y[out_row * rows + out_col]", "y[row2 * cols + col2]")
    )


@wrong(
    "no-padding",
    "Your tile's rows have 32 words (tile[33][32] does too): a column lies in one bank, and takes 32 wavefronts.",
)
def unpadded():
    return _tiled("__shared__ float tile[32][32];")


@wrong(
    "padded-in-the-wrong-dimension",
    "tile[33][32] has a row more; what helps is a longer row: tile[32][33].",
)
def wrong_dimension():
    return _tiled("__shared__ float tile[33][32];")


@wrong("padded-by-two", "A pitch of 34 words is even: rows 0 and 16 share a bank.")
def by_two():
    return _tiled("__shared__ float tile[32][34];")


@wrong(
    "stores-along-columns",
    "The tile is used, and then stored with lanes down a column of y: right values, 32 sectors a request.",
)
def stores_down():
    return _source("""
    __shared__ float tile[32][33];
    int tx = threadIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        int row = blockIdx.y * 32 + j, col = blockIdx.x * 32 + tx;
        if (row < rows && col < cols) tile[j][tx] = x[row * cols + col];
    }
    __syncthreads();
    for (int j = threadIdx.y; j < 32; j += 8) {
        int row = blockIdx.y * 32 + j, col = blockIdx.x * 32 + tx;
        if (row < rows && col < cols) y[col * rows + row] = tile[j][tx];
    }""")


@wrong(
    "barrier-inside-a-guard",
    "Threads outside of the matrix return before the barrier: all must reach it.",
)
def early_return():
    return _source("""
    __shared__ float tile[32][33];
    int tx = threadIdx.x, col = blockIdx.x * 32 + tx;
    if (col >= cols) return;
    for (int j = threadIdx.y; j < 32; j += 8)
        if (blockIdx.y * 32 + j < rows) tile[j][tx] = x[(blockIdx.y * 32 + j) * cols + col];
    __syncthreads();
    for (int j = threadIdx.y; j < 32; j += 8) {
        int out_row = blockIdx.x * 32 + j, out_col = blockIdx.y * 32 + tx;
        if (out_row < cols && out_col < rows) y[out_row * rows + out_col] = tile[tx][j];
    }""")
