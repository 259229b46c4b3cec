"""Answers to cuda-grid-stride: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "dequantize(const signed char* q, float* x, float scale, int zero_point, int n)"


def _source(body: str, before: str = "") -> str:
    return f'{before}\nextern "C" __global__ void {SIGNATURE}\n{{\n{body}\n}}\n'


@right("the grid-stride loop")
def loop():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = scale * (float)(q[i] - zero_point);""")


@right("a while loop, 64-bit indices")
def while_loop():
    return _source("""
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    while (i < n) {
        int code = q[i];
        x[i] = (code - zero_point) * scale;
        i += (long long)blockDim.x * gridDim.x;
    }""")


@right("steps counted")
def steps():
    return _source("""
    int threads = gridDim.x * blockDim.x, first = threadIdx.x + blockDim.x * blockIdx.x;
    for (int step = 0; step * threads + first < n; step++) {
        int i = step * threads + first;
        x[i] = scale * ((float)q[i] - (float)zero_point);
    }""")


@wrong(
    "one-element-a-thread",
    "Without a loop a small grid leaves most elements undone.",
)
def no_loop():
    return _source("""
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "stride-of-a-block",
    "Your step is blockDim.x: with more than one block, elements are done several times.",
)
def block_stride():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x)
        x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "stride-of-the-blocks",
    "Your step is gridDim.x blocks: a step is all threads, gridDim.x * blockDim.x.",
)
def grid_only():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x)
        x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "a-piece-for-each-thread",
    "Each thread does a run of its own: the results are right, but neighbouring threads are far apart in memory.",
)
def chunks():
    return _source("""
    int threads = gridDim.x * blockDim.x, each = (n + threads - 1) / threads;
    int start = (blockIdx.x * blockDim.x + threadIdx.x) * each;
    for (int i = start; i < start + each && i < n; i++)
        x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "a-run-for-each-block",
    "Each block does a run of its own: the step must be all threads of the grid.",
)
def block_runs():
    return _source("""
    int each = (n + gridDim.x - 1) / gridDim.x, start = blockIdx.x * each;
    for (int i = start + threadIdx.x; i < start + each && i < n; i += blockDim.x)
        x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "int8-overflow",
    "q - zero_point can be 255: subtract in int, do not store it in a signed char.",
)
def int8_difference():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    {
        signed char code = q[i] - zero_point;
        x[i] = scale * (float)code;
    }""")


@wrong(
    "zero-point-added",
    "Dequantizing subtracts the zero-point.",
)
def plus():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = scale * (float)(q[i] + zero_point);""")


@wrong(
    "zero-point-after-the-scale",
    "You subtract the zero-point after scaling: it is in codes, not in real numbers.",
)
def after():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = scale * (float)q[i] - (float)zero_point;""")


@wrong(
    "divided-by-the-scale",
    "Dequantizing multiplies by the scale.",
)
def divided():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = (float)(q[i] - zero_point) / scale;""")


@wrong(
    "off-by-one-guard",
    "i <= n lets one thread past the end.",
)
def one_more():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i <= n; i += gridDim.x * blockDim.x)
        x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "unsigned-codes",
    "You read the codes as unsigned char: -1 became 255.",
)
def unsigned():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = scale * (float)((unsigned char)q[i] - zero_point);""")


@wrong(
    "every-thread-does-all",
    "Every thread does every element: right numbers, and the work of one thread as often as there are threads.",
)
def all_do_all():
    return _source("""
    for (int i = 0; i < n; i++)
        x[i] = scale * (float)(q[i] - zero_point);""")


@wrong(
    "zero-point-left-out",
    "You left out the zero-point.",
)
def no_zero():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = scale * (float)q[i];""")


@wrong(
    "integer-scale",
    "You made the scale an int: 0.5 became 0.",
)
def int_scale():
    return _source("""
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        x[i] = (int)scale * (q[i] - zero_point);""")
