"""Answers to cuda-histogram: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "histogram(const signed char* q, unsigned int* bins, int n)"
ZERO = "for (int b = threadIdx.x; b < 256; b += blockDim.x) own[b] = 0;"
COUNT = """for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&own[q[i] + 128], 1u);"""
MERGE = "for (int b = threadIdx.x; b < 256; b += blockDim.x) atomicAdd(&bins[b], own[b]);"
BARRIER = "__syncthreads();"


def _source(zero=ZERO, first=BARRIER, count=COUNT, second=BARRIER, merge=MERGE):
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ unsigned int own[256];
    {zero}
    {first}
    {count}
    {second}
    {merge}
}}
"""


@right("counters of the block")
def shared():
    return _source()


@right("empty bins left out")
def only_filled():
    return _source(
        merge="""for (int b = threadIdx.x; b < 256; b += blockDim.x)
        if (own[b]) atomicAdd(bins + b, own[b]);"""
    )


@right("counters for each of two halves of the block")
def two_copies():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ int own[2][256];
    for (int b = threadIdx.x; b < 512; b += blockDim.x) own[b / 256][b % 256] = 0;
    __syncthreads();
    int* mine = own[threadIdx.x / 32 % 2];
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&mine[(unsigned char)(q[i] ^ 0x80)], 1);
    __syncthreads();
    for (int b = threadIdx.x; b < 256; b += blockDim.x)
        atomicAdd(&bins[b], (unsigned int)(own[0][b] + own[1][b]));
}}
"""


@wrong(
    "global-atomics", "Right, but every code is an atomic on global memory: count in shared memory."
)
def all_global():
    return _source("", "", COUNT.replace("own[", "bins["), "", "")


@wrong("not-zeroed", "Shared memory holds what was there before: set the counters to 0.")
def not_zeroed():
    return _source(zero="")


@wrong("no-barrier-after-zeroing", "A thread counts while another still zeroes: its count is lost.")
def no_first():
    return _source(first="")


@wrong("no-barrier-before-merging", "A thread merges a bin while another still counts.")
def no_second():
    return _source(second="")


@wrong(
    "non-atomic-count", "own[c]++ is a read and a write: two lanes with the same code count once."
)
def plain_count():
    return _source(count=COUNT.replace("atomicAdd(&own[q[i] + 128], 1u)", "own[q[i] + 128]++"))


@wrong("non-atomic-merge", "Blocks merge at the same time: bins[b] += own[b] loses counts.")
def plain_merge():
    return _source(merge=MERGE.replace("atomicAdd(&bins[b], own[b])", "bins[b] += own[b]"))


@wrong("merge-overwrites", "bins[b] = own[b] forgets the other blocks, and what was there.")
def overwrites():
    return _source(merge=MERGE.replace("atomicAdd(&bins[b], own[b])", "bins[b] = own[b]"))


@wrong("exchange", "atomicExch replaces the count; it must be added to.")
def exchange():
    return _source(merge=MERGE.replace("atomicAdd", "atomicExch"))


@wrong(
    "256-threads-assumed",
    "With fewer than 256 threads some counters are not zeroed: go on in steps of blockDim.x.",
)
def one_each():
    return _source(
        zero="if (threadIdx.x < 256) own[threadIdx.x] = 0;",
        merge="if (threadIdx.x < 256) atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);",
    )


@wrong("no-guard-above-256", "With more than 256 threads, the last ones reach beyond the counters.")
def too_many():
    return _source(
        merge="""int b = threadIdx.x;
    do { atomicAdd(&bins[b], own[b]); b += blockDim.x; } while (b < 256);"""
    )


@wrong("thread-0-zeroes-one", "Only one counter is set to 0.")
def one_zeroed():
    return _source(zero="if (threadIdx.x == 0) own[0] = 0;")


@wrong("negative-index", "The codes begin at -128: add 128 for the bin.")
def no_offset():
    return _source(count=COUNT.replace("q[i] + 128", "q[i]"))


@wrong(
    "unsigned-order", "As unsigned char, -128 is 128: the bins are in another order, code 0 first."
)
def unsigned():
    return _source(count=COUNT.replace("q[i] + 128", "(unsigned char)q[i]"))


@wrong("offset-of-127", "The lowest code is -128, so the offset is 128.")
def by_127():
    return _source(count=COUNT.replace("q[i] + 128", "max(0, q[i] + 127)"))


@wrong("magnitudes", "Codes 5 and -5 have bins of their own.")
def magnitudes():
    return _source(count=COUNT.replace("q[i] + 128", "min(255, abs((int)q[i]) + 128)"))


@wrong(
    "kernel-zeroes-bins",
    "The bins hold counts already, and other blocks add to them: do not set them to 0.",
)
def zero_bins():
    return _source(zero=ZERO.replace("own[b] = 0;", "own[b] = bins[b] = 0;"))


@wrong("no-loop", "There may be more codes than threads: go on in steps of the grid.")
def no_loop():
    return _source(
        count="""int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&own[q[i] + 128], 1u);"""
    )


@wrong(
    "every-block-counts-all",
    "Each block goes through all codes: they are counted once for each block.",
)
def all_codes():
    return _source(
        count="for (int i = threadIdx.x; i < n; i += blockDim.x) atomicAdd(&own[q[i] + 128], 1u);"
    )


@wrong("off-by-one-guard", "i <= n lets one thread past the end.")
def one_more():
    return _source(count=COUNT.replace("i < n", "i <= n"))


@wrong("byte-counters", "A counter of one byte wraps at 256.")
def bytes_only():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ unsigned int own[256];
    {ZERO}
    {BARRIER}
    {COUNT}
    {BARRIER}
    for (int b = threadIdx.x; b < 256; b += blockDim.x) atomicAdd(&bins[b], own[b] & 255u);
}}
"""


@wrong(
    "warps-rounded-down",
    "blockDim.x / 32 counts whole warps: the last lanes of a block of 40, or of 1, have no counters.",
)
def whole_warps():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ unsigned int own[32][256];
    int warps = blockDim.x / 32, warp = threadIdx.x / 32;
    for (int b = threadIdx.x; b < 256 * warps; b += blockDim.x) own[b / 256][b % 256] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        if (warp < warps) atomicAdd(&own[warp][q[i] + 128], 1u);
    __syncthreads();
    for (int b = threadIdx.x; b < 256; b += blockDim.x) {{
        unsigned int sum = 0;
        for (int w = 0; w < warps; w++) sum += own[w][b];
        if (sum) atomicAdd(&bins[b], sum);
    }}
}}
"""


@wrong("counters-of-16-bits", "Two counters in a word: one of them runs over at 65,536 codes.")
def packed():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ unsigned int own[128];
    for (int b = threadIdx.x; b < 128; b += blockDim.x) own[b] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {{
        int c = q[i] + 128;
        atomicAdd(&own[c / 2], c % 2 ? 1u << 16 : 1u);
    }}
    __syncthreads();
    for (int b = threadIdx.x; b < 256; b += blockDim.x)
        atomicAdd(&bins[b], b % 2 ? own[b / 2] >> 16 : own[b / 2] & 0xffffu);
}}
"""
