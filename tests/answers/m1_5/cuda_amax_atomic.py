"""Answers to cuda-amax-atomic: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "amax_all(const float* x, float* amax, int n)"
LOOP = """for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        best = fmaxf(best, fabsf(x[i]));"""
BLOCK = """for (int s = 16; s > 0; s /= 2) best = fmaxf(best, __shfl_xor_sync(0xffffffffu, best, s));
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = best;
    __syncthreads();"""
END = """if (threadIdx.x == 0) {
        for (int w = 1; w < blockDim.x / 32; w++) best = fmaxf(best, part[w]);
        atomicMax((int*)amax, __float_as_int(best));
    }"""


def _source(loop=LOOP, block=BLOCK, end=END, start="0.0f"):
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ float part[32];
    float best = {start};
    {loop}
    {block}
    {end}
}}
"""


@right("shuffles, then one atomic on an int")
def on_int():
    return _source()


@right("unsigned bits")
def on_unsigned():
    return _source(
        end=END.replace("(int*)amax, __float_as_int", "(unsigned int*)amax, __float_as_uint")
    )


@right("a shared atomic, then a global one")
def shared_first():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ int own;
    if (threadIdx.x == 0) own = 0;
    __syncthreads();
    float best = 0.0f;
    {LOOP}
    atomicMax(&own, __float_as_int(best));
    __syncthreads();
    if (threadIdx.x == 0) atomicMax(reinterpret_cast<int*>(amax), own);
}}
"""


@right("a tree, and no atomic where the block has nothing")
def tree():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    __shared__ float part[1024];
    int t = threadIdx.x;
    float best = 0.0f;
    {LOOP}
    part[t] = best;
    __syncthreads();
    for (int s = 1; s < blockDim.x; s *= 2) {{
        if (t % (2 * s) == 0 && t + s < blockDim.x) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }}
    if (t == 0 && part[0] > 0.0f) atomicMax((int*)amax, __float_as_int(part[0]));
}}
"""


def _last_block(fence):
    return f"""__device__ float partial[65536];
__device__ unsigned int ticket;
extern "C" __global__ void {SIGNATURE}
{{
    __shared__ float part[32];
    float best = 0.0f;
    {LOOP}
    {BLOCK}
    if (threadIdx.x != 0) return;
    for (int w = 1; w < blockDim.x / 32; w++) best = fmaxf(best, part[w]);
    partial[blockIdx.x] = best;
    {fence}
    if (atomicInc(&ticket, gridDim.x - 1) < gridDim.x - 1) return;
    best = 0.0f;
    for (int b = 0; b < gridDim.x; b++) best = fmaxf(best, partial[b]);
    atomicExch(amax, best);
}}
"""


@right("the last block takes what the others left")
def ticket():
    return _last_block("__threadfence();")


@wrong(
    "last-block-without-fence",
    "The ticket may be seen before the block's result: __threadfence() between the two.",
)
def no_fence():
    return _last_block("")


@wrong("eight-warps-assumed", "part[] has room for 8 warps; a block may have up to 32 of them.")
def eight():
    return _source().replace("part[32]", "part[8]")


@wrong(
    "plain-write-of-one-block",
    "Also where there is one block only, amax is to be touched by atomics alone.",
)
def plain_alone():
    return _source(
        end=END.replace("atomicMax", "if (gridDim.x == 1) *amax = best;\n        else atomicMax")
    )


@wrong(
    "atomic-for-each-element",
    "Every element waits its turn at one address: reduce the block first.",
)
def each_element():
    return _source(
        loop="""for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicMax((int*)amax, __float_as_int(fabsf(x[i])));""",
        block="",
        end="",
    )


@wrong("atomic-for-each-warp", "One atomic a warp: combine the warps of the block before.")
def each_warp():
    return _source(
        block=BLOCK.splitlines()[0],
        end="if (threadIdx.x % 32 == 0) atomicMax((int*)amax, __float_as_int(best));",
    )


@wrong("amax-without-abs", "The largest magnitude may belong to a negative value: fabsf.")
def no_abs():
    return _source(loop=LOOP.replace("fabsf(x[i])", "x[i]"))


@wrong(
    "signed-bits",
    "The bits of a negative float as unsigned are larger than those of any positive one: take fabsf first.",
)
def negative_bits():
    return _source(
        loop="""unsigned int bits = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        bits = max(bits, __float_as_uint(x[i]));""",
        block="best = __uint_as_float(bits);",
        end="atomicMax((unsigned int*)amax, __float_as_uint(best));",
    )


@wrong(
    "value-cast-to-int",
    "(int)best cuts the fraction off: the bits are meant, __float_as_int(best).",
)
def value_cast():
    return _source(end=END.replace("__float_as_int(best)", "(int)best"))


@wrong(
    "plain-write",
    "Two blocks read the same old maximum, and the later write wins: the update must be atomic.",
)
def plain():
    return _source(
        end=END.replace(
            "atomicMax((int*)amax, __float_as_int(best));", "*amax = fmaxf(*amax, best);"
        )
    )


@wrong("last-block-wins", "Each block overwrites the result of the others.")
def overwritten():
    return _source(end=END.replace("atomicMax((int*)amax, __float_as_int(best));", "*amax = best;"))


@wrong("exchange-for-maximum", "atomicExch stores whatever comes last: the operation is a maximum.")
def exchange():
    return _source(
        end=END.replace("atomicMax((int*)amax, __float_as_int(best))", "atomicExch(amax, best)")
    )


@wrong("sum-for-maximum", "You add the blocks' results.")
def added():
    return _source(
        end=END.replace("atomicMax((int*)amax, __float_as_int(best))", "atomicAdd(amax, best)")
    )


@wrong("minimum", "atomicMin leaves the 0 that the host put there.")
def minimum():
    return _source(end=END.replace("atomicMax", "atomicMin"))


@wrong("no-barrier", "Thread 0 reads part[] before the other warps have stored.")
def no_barrier():
    return _source(block=BLOCK.replace("    __syncthreads();", ""))


@wrong("first-warp-only", "Only the first warp's result reaches amax.")
def first_warp():
    return _source(
        end="if (threadIdx.x == 0) atomicMax((int*)amax, __float_as_int(best));",
    )


@wrong("thread-0-only", "Only thread 0's own elements reach amax: nothing reduced the block.")
def first_thread():
    return _source(
        block="", end="if (threadIdx.x == 0) atomicMax((int*)amax, __float_as_int(best));"
    )


@wrong("first-block-only", "blockIdx.x is forgotten: every block does the same elements.")
def same_elements():
    return _source(loop=LOOP.replace("blockIdx.x * blockDim.x + ", "").replace("gridDim.x * ", ""))


@wrong("no-loop", "There may be more elements than threads: go on in steps of the grid.")
def no_loop():
    return _source(
        loop="""int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) best = fabsf(x[i]);"""
    )


@wrong("starts-at-one", "The smallest magnitude is 0: start there.")
def one():
    return _source(start="1.0f")


@wrong(
    "fixed-point",
    "Scaled to an int, large values overflow and small ones vanish: compare the bits instead.",
)
def fixed():
    return _source(
        end=END.replace(
            "atomicMax((int*)amax, __float_as_int(best));",
            "atomicMax((int*)amax, __float_as_int((float)(int)(best * 1024.0f) / 1024.0f));",
        )
    )


@wrong(
    "kernel-zeroes-amax",
    "A block that starts late wipes out what others have found: the host sets amax to 0.",
)
def zeroed():
    return _source(block="if (threadIdx.x == 0) *amax = 0.0f;\n    " + BLOCK)
