"""Answers to cuda-gemv-dp4a: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "gemv(const signed char* w, const signed char* x, int* y, int rows, int k)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("dp4a and shuffles down")
def by_shfl_down():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@right("char4 by hand, butterfly shuffles")
def by_xor():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const char4* weights = (const char4*)(w + row * k);
    const char4* inputs = (const char4*)x;
    int sum = 0;
    for (int i = lane; 4 * i < k; i += 32) {
        char4 a = weights[i], b = inputs[i];
        sum += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
    }
    for (int d = 1; d < 32; d *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
    if (lane == 0) y[row] = sum;""")


@right("a guarded body, no early return")
def by_guard():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row < rows) {
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;
    }""")


@wrong(
    "codes-one-at-a-time",
    "You read one code at a time: four times as many requests. Read through const int*.",
)
def byte_loads():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    int sum = 0;
    for (int i = lane; i < k; i += 32) sum += w[row * k + i] * x[i];
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "a-piece-for-each-lane",
    "Each lane reads a run of its own: neighbouring lanes are far apart. Let lane l start at int l.",
)
def pieces():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    int each = (k / 4 + 31) / 32;
    for (int i = lane * each; i < (lane + 1) * each && i < k / 4; i++) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "lanes-not-added",
    "Lane 0 stores its own part: add the 32 partial sums first.",
)
def no_shuffle():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "shuffle-too-short",
    "Your shuffles begin at 8: half of the lanes are never added.",
)
def short_shuffle():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 8; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "shuffled-the-wrong-way",
    "__shfl_up_sync brings sums to lane 31; lane 0 keeps its own.",
)
def up():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_up_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "lanes-leave-before-the-shuffle",
    "Lanes without work leave before the shuffle, whose mask names them.",
)
def lane_guard():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    if (lane >= k / 4) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "unsigned-products",
    "unsigned operands make __dp4a take -1 for 255.",
)
def unsigned_dp4a():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const unsigned* weights = (const unsigned*)(w + row * k);
    const unsigned* inputs = (const unsigned*)x;
    unsigned sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = (int)sum;""")


@wrong(
    "k-for-ints",
    "A row has k / 4 ints, not k.",
)
def k_ints():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "a-block-for-each-row",
    "A row belongs to a warp; you gave it a whole block.",
)
def block_row():
    return _source("""
    int row = blockIdx.x, lane = threadIdx.x % 32;
    if (row >= rows || threadIdx.x >= 32) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "rows-unguarded",
    "Warps to spare read and write outside.",
)
def no_row_guard():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "first-128-codes-only",
    "Without the loop a lane does one int: rows over 128 codes are cut.",
)
def one_step():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    if (lane < k / 4) sum = __dp4a(weights[lane], inputs[lane], 0);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "short-accumulator",
    "A short overflows at the second worst product: sum in int.",
)
def int16():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    short part = 0;
    for (int i = lane; i < k / 4; i += 32) part = (short)__dp4a(weights[i], inputs[i], (int)part);
    sum = part;
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    sum = (short)sum;
    if (lane == 0) y[row] = sum;""")


@wrong(
    "every-lane-adds-to-memory",
    "You add atomically to y, which was never set to 0.",
)
def atomics():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    atomicAdd(&y[row], sum);""")


@wrong(
    "every-lane-does-the-row",
    "Every lane does the whole row: 32 times the work. Start at the lane, step by 32.",
)
def all_lanes():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = 0; i < k / 4; i++) sum = __dp4a(weights[i], inputs[i], sum);
    if (lane == 0) y[row] = sum;""")


@wrong(
    "float-accumulator",
    "float32 holds integers up to 2^24: sum in int.",
)
def float_sum():
    return _source("""
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    float sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum += (float)__dp4a(weights[i], inputs[i], 0);
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (lane == 0) y[row] = (int)sum;""")
