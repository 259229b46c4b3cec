"""Answers to cuda-window-sums: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "window_sums(const signed char* q, int* sums, int radius, int n)"


def _source(body: str) -> str:
    return f'extern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


def _tiled(
    size="blockDim.x + 2 * radius",
    first="(int)(blockIdx.x * blockDim.x) - radius",
    inside="i >= 0 && i < n",
    outside="0",
    barrier="__syncthreads();",
    low="0",
    high="2 * radius",
    total="int",
    step="blockDim.x",
    tile="signed char",
):
    return _source(f"""
    extern __shared__ {tile} tile[];
    int first = {first};
    for (int k = threadIdx.x; k < {size}; k += {step}) {{
        int i = first + k;
        tile[k] = {inside} ? q[i] : {outside};
    }}
    {barrier}
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    {total} sum = 0;
    for (int k = {low}; k <= {high}; k++) sum += tile[threadIdx.x + k];
    sums[i] = sum;""")


@right("a tile filled in strides")
def strides():
    return _tiled()


@right("the middle and two halos")
def halos():
    return _source("""
    extern __shared__ signed char tile[];
    int t = threadIdx.x, size = blockDim.x, i = blockIdx.x * size + t;
    tile[radius + t] = i < n ? q[i] : (signed char)0;
    if (t < radius) {
        int left = i - radius, right = i + size;
        tile[t] = left >= 0 && left < n ? q[left] : (signed char)0;
        tile[radius + size + t] = right < n ? q[right] : (signed char)0;
    }
    __syncthreads();
    if (i < n) {
        int sum = 0;
        for (int k = -radius; k <= radius; k++) sum += tile[radius + t + k];
        sums[i] = sum;
    }""")


@right("a long long sum, from the right")
def from_right():
    return _tiled(total="long long").replace(
        "for (int k = 0; k <= 2 * radius; k++)", "for (int k = 2 * radius; k >= 0; k--)"
    )


@wrong(
    "straight-from-global-memory",
    "Right sums, but each code is loaded 2 * radius + 1 times: stage it in shared memory.",
)
def direct():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int sum = 0;
    for (int k = max(0, i - radius); k <= min(n - 1, i + radius); k++) sum += q[k];
    sums[i] = sum;""")


@wrong(
    "halo-from-global-memory",
    "You take what lies outside of the block from global memory: stage the halo too.",
)
def halo_direct():
    return _source("""
    extern __shared__ signed char tile[];
    int t = threadIdx.x, size = blockDim.x, i = blockIdx.x * size + t;
    tile[t] = i < n ? q[i] : (signed char)0;
    __syncthreads();
    if (i >= n) return;
    int sum = 0;
    for (int k = -radius; k <= radius; k++) {
        int at = t + k;
        if (at >= 0 && at < size) sum += tile[at];
        else if (i + k >= 0 && i + k < n) sum += q[i + k];
    }
    sums[i] = sum;""")


@wrong(
    "no-barrier",
    "Threads read codes that others may not have stored yet: __syncthreads() before the sum.",
)
def no_barrier():
    return _tiled(barrier="")


@wrong("barrier-of-a-warp", "__syncwarp waits for a warp; the tile is filled by all of the block.")
def warp_barrier():
    return _tiled(barrier="__syncwarp();")


@wrong(
    "return-before-the-barrier",
    "Threads with i >= n leave before the barrier, and their part of the tile is not filled.",
)
def early():
    return _tiled(
        first="(int)(blockIdx.x * blockDim.x) - radius;\n"
        "    if (blockIdx.x * blockDim.x + threadIdx.x >= n) return"
    )


@wrong("no-halo", "Your tile ends with the block: sums at its borders lack their neighbours.")
def no_halo():
    return _source("""
    extern __shared__ signed char tile[];
    int t = threadIdx.x, size = blockDim.x, i = blockIdx.x * size + t;
    tile[t] = i < n ? q[i] : (signed char)0;
    __syncthreads();
    if (i >= n) return;
    int sum = 0;
    for (int k = max(0, t - radius); k <= min(size - 1, t + radius); k++) sum += tile[k];
    sums[i] = sum;""")


@wrong(
    "off-by-one-tile", "Your tile is one code too short: the last one's right neighbour is missing."
)
def short():
    return _tiled(size="blockDim.x + 2 * radius - 1")


@wrong("tile-too-long", "Your tile has one code more than the shared memory of the launch.")
def long():
    return _tiled(size="blockDim.x + 2 * radius + 1")


@wrong("off-by-one-window", "The window has 2 * radius + 1 codes; yours lacks the last.")
def window():
    return _tiled(high="2 * radius - 1")


@wrong(
    "right-half-only", "You sum from the code itself on; the window begins radius codes earlier."
)
def half():
    return _tiled(low="radius")


@wrong("int8-sum", "Your sum is a signed char: it wraps around.")
def narrow():
    return _tiled(total="signed char")


@wrong("int16-sum", "Your sum is a short: 257 codes of -128 do not fit into it.")
def short_total():
    return _tiled(total="short")


@wrong(
    "halo-by-one-pass",
    "You fill the halo with a second step of too few codes: radius may be as large as the block.",
)
def one_pass():
    return _source("""
    extern __shared__ signed char tile[];
    int t = threadIdx.x, size = blockDim.x, first = (int)(blockIdx.x * size) - radius;
    for (int k = t; k < size + min(2 * radius, size); k += size) {
        int i = first + k;
        tile[k] = i >= 0 && i < n ? q[i] : 0;
    }
    __syncthreads();
    int i = blockIdx.x * size + t;
    if (i >= n) return;
    int sum = 0;
    for (int k = 0; k <= 2 * radius; k++) sum += tile[t + k];
    sums[i] = sum;""")


@wrong("halo-not-guarded", "The first block's halo begins before q: guard i >= 0 and i < n.")
def unguarded():
    return _tiled(inside="true")


@wrong(
    "right-end-not-guarded",
    "You guard the left end only; the last block's halo reads past the end.",
)
def right_unguarded():
    return _tiled(inside="i >= 0")


@wrong("ends-repeated", "Outside of q there are zeros; you repeated the code at the end.")
def clamped():
    return _tiled(inside="true", outside="0").replace("q[i] : 0", "q[max(0, min(n - 1, i))] : 0")


@wrong(
    "ints-in-the-tile",
    "Your tile holds ints: it needs four times the shared memory that the launch gives.",
)
def ints():
    return _tiled(tile="int")


@wrong("a-tile-of-64", "A static tile of 64 codes is enough for some launches only.")
def static_tile():
    return _tiled().replace(
        "extern __shared__ signed char tile[]", "__shared__ signed char tile[64]"
    )


@wrong(
    "one-thread-fills-the-tile",
    "Thread 0 fills the tile alone, one code a request, and all others wait: share the work.",
)
def lonely():
    return _source("""
    extern __shared__ signed char tile[];
    int first = (int)(blockIdx.x * blockDim.x) - radius;
    if (threadIdx.x == 0) {
        for (int k = 0; k < (int)blockDim.x + 2 * radius; k++) {
            int i = first + k;
            tile[k] = i >= 0 && i < n ? q[i] : 0;
        }
    }
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int sum = 0;
    for (int k = 0; k <= 2 * radius; k++) sum += tile[threadIdx.x + k];
    sums[i] = sum;""")


@wrong("mean-for-sum", "You divided by the window's length; the sum is asked for.")
def mean():
    return _tiled().replace("sums[i] = sum", "sums[i] = sum / (2 * radius + 1)")


@wrong(
    "blocks-of-whole-warps",
    "You fill the tile warp by warp, and count blockDim.x / 32 warps: a block of 40 has two.",
)
def whole_warps():
    return _source("""
    extern __shared__ signed char tile[];
    int warps = blockDim.x / 32, size = blockDim.x + 2 * radius;
    int first = (int)(blockIdx.x * blockDim.x) - radius;
    for (int k = threadIdx.x; k < size; k += 32 * warps) {
        int i = first + k;
        tile[k] = i >= 0 && i < n ? q[i] : 0;
    }
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int sum = 0;
    for (int k = 0; k <= 2 * radius; k++) sum += tile[threadIdx.x + k];
    sums[i] = sum;""")
