"""Answers to cuda-fix-races: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "deltas(const signed char* q, short* d, int* large, int n)"


def _source(body: str) -> str:
    return f'extern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


def _loop(first="__syncthreads();", second="__syncthreads();", count="atomicAdd(large, 1);"):
    return _source(f"""
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {{
        int i = start + t;
        if (i < n) tile[t] = q[i];
        {first}
        if (i < n) {{
            int before = t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0;
            int delta = tile[t] - before;
            d[i] = (short)delta;
            if (abs(delta) > 127) {count}
        }}
        {second}
    }}""")


@right("two barriers and an atomic")
def repaired():
    return _loop()


@right("no shared memory at all")
def direct():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        int delta = q[i] - (i ? q[i - 1] : 0);
        d[i] = (short)delta;
        if (delta > 127 || delta < -127) atomicAdd(large, 1);
    }""")


@right("two tiles in turn, counted in shared memory first")
def two_tiles():
    return _source("""
    __shared__ int tile[2][1024];
    __shared__ int own;
    int t = threadIdx.x, turn = 0;
    if (t == 0) own = 0;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {
        int i = start + t;
        tile[turn][t] = i < n ? q[i] : 0;
        __syncthreads();
        if (i < n) {
            int delta = tile[turn][t] - (t ? tile[turn][t - 1] : i ? q[i - 1] : 0);
            d[i] = (short)delta;
            if (abs(delta) > 127) atomicAdd(&own, 1);
        }
        turn ^= 1;
    }
    __syncthreads();
    if (t == 0) atomicAdd(large, own);""")


@wrong("as-it-was", "This is the kernel as it was given: all three races are in it.")
def untouched():
    return _source("""
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {
        int i = start + t;
        if (i < n) {
            tile[t] = q[i];
            int before = t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0;
            int delta = tile[t] - before;
            d[i] = (short)delta;
            if (abs(delta) > 127) *large += 1;
        }
    }""")


@wrong(
    "no-barrier-before-the-read",
    "tile[t - 1] is another thread's: it may not have been written yet.",
)
def no_first():
    return _loop(first="")


@wrong(
    "no-barrier-before-the-next-pass",
    "A fast thread writes the next pass's code while its neighbour still reads this one: a second barrier is needed.",
)
def no_second():
    return _loop(second="")


@wrong("no-atomic", "*large += 1 is a read, a sum and a write: two threads lose a count.")
def plain_count():
    return _loop(count="*large += 1;")


@wrong(
    "tile-of-512",
    "The tile has room for 512 codes, and a block may have up to 1,024 threads.",
)
def small_tile():
    return _loop().replace("tile[1024]", "tile[512]")


@wrong(
    "volatile-count",
    "volatile makes the compiler read memory each time; it does not make the three steps one.",
)
def volatile_count():
    return _loop(count="{ volatile int* v = large; *v = *v + 1; }")


@wrong(
    "barrier-of-a-warp",
    "__syncwarp() orders the lanes of a warp; the neighbour of lane 0 is in another one.",
)
def warp_barrier():
    return _loop(first="__syncwarp();")


@wrong(
    "fence-for-barrier",
    "__threadfence_block() orders one thread's own writes; it does not wait for the others.",
)
def fence():
    return _loop(first="__threadfence_block();", second="__threadfence_block();")


@wrong(
    "barrier-inside-the-if",
    "With a ragged end not every thread enters the if, and the barrier waits for all.",
)
def divergent_barrier():
    return _source("""
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {
        int i = start + t;
        if (i < n) {
            tile[t] = q[i];
            __syncthreads();
            int before = t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0;
            int delta = tile[t] - before;
            d[i] = (short)delta;
            if (abs(delta) > 127) atomicAdd(large, 1);
            __syncthreads();
        }
    }""")


@wrong(
    "loop-bound-by-thread",
    "The loop ends at i >= n, which differs between threads: some reach the barrier, some do not.",
)
def uneven_loop():
    return _source("""
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int i = blockIdx.x * blockDim.x + t; i < n; i += gridDim.x * blockDim.x) {
        tile[t] = q[i];
        __syncthreads();
        int before = t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0;
        int delta = tile[t] - before;
        d[i] = (short)delta;
        if (abs(delta) > 127) atomicAdd(large, 1);
        __syncthreads();
    }""")


@wrong("early-return", "A thread that returns never reaches the barrier.")
def returned():
    return _source("""
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {
        int i = start + t;
        if (i >= n) return;
        tile[t] = q[i];
        __syncthreads();
        int delta = tile[t] - (t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0);
        d[i] = (short)delta;
        if (abs(delta) > 127) atomicAdd(large, 1);
        __syncthreads();
    }""")


@wrong(
    "shared-count-not-zeroed",
    "Shared memory holds what was there: set the counter to 0 first.",
)
def not_zeroed():
    return _source("""
    __shared__ int own;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        int delta = q[i] - (i ? q[i - 1] : 0);
        d[i] = (short)delta;
        if (abs(delta) > 127) atomicAdd(&own, 1);
    }
    __syncthreads();
    if (threadIdx.x == 0) atomicAdd(large, own);""")


@wrong(
    "block-start-takes-no-neighbour",
    "The first thread of a block has a left neighbour too, in the block before: read q[i - 1].",
)
def no_neighbour():
    return _loop().replace("i > 0 ? q[i - 1] : 0", "0")


@wrong(
    "one-pass-only",
    "The loop is gone: codes beyond the grid's threads are not done.",
)
def no_loop():
    return _source("""
    __shared__ int tile[1024];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    if (i < n) tile[t] = q[i];
    __syncthreads();
    if (i < n) {
        int delta = tile[t] - (t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0);
        d[i] = (short)delta;
        if (abs(delta) > 127) atomicAdd(large, 1);
    }""")
