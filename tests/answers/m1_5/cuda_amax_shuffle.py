"""Answers to cuda-amax-shuffle: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "row_amax(const signed char* q, int* out, int cols)"
LOOP = """for (int c = threadIdx.x; c < cols; c += blockDim.x)
        best = max(best, abs((int)q[blockIdx.x * cols + c]));"""
WARP = "for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_xor_sync(0xffffffffu, best, s));"
LAST = """if (warp == 0) {
        best = lane < blockDim.x / 32 ? part[lane] : 0;
        for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_xor_sync(0xffffffffu, best, s));
        if (lane == 0) out[blockIdx.x] = best;
    }"""


def _source(
    loop=LOOP,
    warp=WARP,
    store="if (lane == 0) part[warp] = best;",
    barrier="__syncthreads();",
    last=LAST,
):
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ int part[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, best = 0;
    {loop}
    {warp}
    {store}
    {barrier}
    {last}
}}
"""


@right("butterflies")
def butterflies():
    return _source()


@right("shuffles down")
def down():
    return _source(
        warp="for (int s = 1; s < 32; s *= 2) best = max(best, __shfl_down_sync(0xffffffffu, best, s));",
        last="""int warps = blockDim.x / 32;
    if (threadIdx.x == 0) {
        for (int w = 1; w < warps; w++) best = max(best, part[w]);
        out[blockIdx.x] = best;
    }""",
    )


@right("the hardware's reduction of a warp")
def reduce_sync():
    return _source(
        warp="best = __reduce_max_sync(0xffffffffu, best);",
        last="""if (warp == 0) {
        best = __reduce_max_sync(0xffffffffu, lane * 32 < blockDim.x ? part[lane] : 0);
        if (lane == 0) out[blockIdx.x] = best;
    }""",
    )


@right("a mask for the warps that exist")
def narrow():
    return _source(
        last="""int warps = blockDim.x / 32;
    if (threadIdx.x < warps) {
        unsigned mask = warps == 32 ? 0xffffffffu : (1u << warps) - 1;
        best = part[lane];
        for (int s = 16; s > 0; s /= 2) {
            int other = __shfl_down_sync(mask, best, s);
            if (lane + s < warps) best = max(best, other);
        }
        if (lane == 0) out[blockIdx.x] = best;
    }"""
    )


@wrong("one-warp-only", "The first warp's result is written; the other warps are forgotten.")
def first_warp():
    return _source(last="if (threadIdx.x == 0) out[blockIdx.x] = best;")


@wrong("no-barrier", "The first warp reads part[] before the others have stored.")
def no_barrier():
    return _source(barrier="")


@wrong("barrier-of-a-warp", "__syncwarp() orders one warp; part[] is filled by all of them.")
def warp_barrier():
    return _source(barrier="__syncwarp();")


@wrong(
    "missing-warps-uninitialised",
    "Warps that do not exist left no value in part[]: take 0 for them.",
)
def uninitialised():
    return _source(last=LAST.replace("lane < blockDim.x / 32 ? part[lane] : 0", "part[lane]"))


@wrong("eight-warps-assumed", "You take 8 warps for granted; the block may have up to 32.")
def eight():
    return _source(
        last=LAST.replace("lane < blockDim.x / 32", "lane < 8 && lane < blockDim.x / 32")
    )


@wrong("minus-128-in-int8", "The magnitude of -128 is 128, and a signed char ends at 127.")
def int8_abs():
    return _source(
        loop="""for (int c = threadIdx.x; c < cols; c += blockDim.x) {
        signed char v = q[blockIdx.x * cols + c];
        signed char magnitude = v < 0 ? -v : v;
        best = max(best, (int)magnitude);
    }"""
    )


@wrong("clipped-to-127", "Nothing is clipped here: the amax of a row with -128 is 128.")
def clipped():
    return _source(
        loop=LOOP.replace(
            "abs((int)q[blockIdx.x * cols + c])", "min(127, abs((int)q[blockIdx.x * cols + c]))"
        )
    )


@wrong("amax-without-abs", "The largest magnitude may belong to a negative code.")
def no_abs():
    return _source(
        loop=LOOP.replace("abs((int)q[blockIdx.x * cols + c])", "(int)q[blockIdx.x * cols + c]")
    )


@wrong(
    "half-a-warp", "The first shuffle must reach 16 lanes: from 8 on, half of the warp is left out."
)
def from_eight():
    return _source(warp=WARP.replace("s = 16", "s = 8"))


@wrong("width-16", "With a width of 16 the two halves of a warp never meet.")
def width():
    return _source(warp=WARP.replace("best, s)", "best, s, 16)"))


@wrong(
    "mask-of-16-lanes",
    "The mask must name every lane that takes part: 0xffffffff for a whole warp.",
)
def mask():
    return _source(warp=WARP.replace("0xffffffffu", "0x0000ffffu"))


@wrong("step-one-missing", "The last shuffle, over 1 lane, is missing: neighbours do not meet.")
def stops_at_two():
    return _source(warp=WARP.replace("s > 0", "s > 1"))


@wrong(
    "shuffle-up-read-at-lane-0",
    "__shfl_up_sync moves values to higher lanes: the result is in lane 31, not in lane 0.",
)
def up():
    return _source(
        warp="for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_up_sync(0xffffffffu, best, s));"
    )


@wrong(
    "shuffle-inside-the-loop",
    "Not every lane makes the same number of turns: lanes that have left the loop do not shuffle.",
)
def in_loop():
    return _source(
        loop="""for (int c = threadIdx.x; c < cols; c += blockDim.x) {
        best = max(best, abs((int)q[blockIdx.x * cols + c]));
        for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_xor_sync(0xffffffffu, best, s));
    }"""
    )


@wrong("one-code-a-thread", "A row may be longer than the block: go on in steps of blockDim.x.")
def no_loop():
    return _source(
        loop="if (threadIdx.x < cols) best = abs((int)q[blockIdx.x * cols + threadIdx.x]);"
    )


@wrong("no-guard", "A row may be shorter than the block: guard the column.")
def no_guard():
    return _source(loop="best = abs((int)q[blockIdx.x * cols + threadIdx.x]);")


@wrong("unsigned-codes", "You read the codes as unsigned: -1 became 255.")
def unsigned():
    return _source(loop=LOOP.replace("(int)q[", "(int)(unsigned char)q["))


@wrong(
    "tree-in-shared-memory",
    "Right, but it is the tree again, with a barrier for each step: use shuffles.",
)
def tree():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ int part[1024];
    int t = threadIdx.x, best = 0;
    {LOOP}
    part[t] = best;
    __syncthreads();
    for (int s = 1; s < blockDim.x; s *= 2) {{
        if (t % (2 * s) == 0 && t + s < blockDim.x) part[t] = max(part[t], part[t + s]);
        __syncthreads();
    }}
    if (t == 0) out[blockIdx.x] = part[0];
}}
"""


@wrong("atomics", "Right, but every thread waits its turn at one address: use shuffles.")
def atomic():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ int own;
    int best = 0;
    if (threadIdx.x == 0) own = 0;
    __syncthreads();
    {LOOP}
    atomicMax(&own, best);
    __syncthreads();
    if (threadIdx.x == 0) out[blockIdx.x] = own;
}}
"""
