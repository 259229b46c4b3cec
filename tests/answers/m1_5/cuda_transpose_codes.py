"""Answers to cuda-transpose-codes: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "transpose_codes(const signed char* x, signed char* y, int rows, int cols)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


def _tiled(
    tile="extern __shared__ signed char tile[];",
    put="tile[j * 36 + tx]",
    get="tile[tx * 36 + j]",
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


@right("rows of 36 bytes")
def padded():
    return _tiled()


@right("rows of 32 bytes, the words of a row swizzled")
def swizzled():
    return _tiled(
        put="tile[j * 32 + 4 * ((tx / 4) ^ (j / 4)) + tx % 4]",
        get="tile[tx * 32 + 4 * ((j / 4) ^ (tx / 4)) + j % 4]",
    )


@right("one int of padding behind each row, a static tile")
def static_tile():
    return _tiled(
        "__shared__ struct { signed char code[32]; int padding; } line[32];",
        "line[j].code[tx]",
        "line[tx].code[j]",
    )


@right("a static tile of 32 x 36")
def static_array():
    return _tiled("__shared__ signed char tile[32][36];", "tile[j][tx]", "tile[tx][j]")


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
    "no-padding", "Rows of 32 bytes are 8 words: rows 0, 4, 8, ... share banks, eight to a bank."
)
def unpadded():
    return _tiled(put="tile[j * 32 + tx]", get="tile[tx * 32 + j]")


@wrong(
    "padded-by-a-byte",
    "A pitch of 33 bytes helps column 0; in most others two words still share a bank.",
)
def by_a_byte():
    return _tiled(put="tile[j * 33 + tx]", get="tile[tx * 33 + j]")


@wrong(
    "padded-by-two-bytes", "A pitch of 34 bytes is no whole number of words: columns still collide."
)
def by_two_bytes():
    return _tiled(put="tile[j * 34 + tx]", get="tile[tx * 34 + j]")


@wrong("tile-too-large", "Rows of 40 bytes reach beyond the 1,152 bytes of dynamic shared memory.")
def too_large():
    return _tiled(put="tile[j * 40 + tx]", get="tile[tx * 40 + j]")


@wrong("floats-in-the-tile", "Your tile holds floats: 1,024 of them do not fit into 1,152 bytes.")
def floats():
    return _tiled("extern __shared__ float tile[];", "tile[j * 33 + tx]", "tile[tx * 33 + j]")


@wrong("unsigned-by-half", "You clipped the codes at 0 on the way: they are signed.")
def clipped():
    return _tiled(get="max((int)tile[tx * 36 + j], 0)")
