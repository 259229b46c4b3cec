"""Answers to cuda-amax-tree: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "block_amax(const float* x, float* out, int n)"
LOAD = "part[t] = i < n ? fabsf(x[i]) : 0.0f;"
TREE = """for (int s = 1; s < blockDim.x; s *= 2) {
        if (t % (2 * s) == 0 && t + s < blockDim.x) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }"""


def _source(
    load=LOAD, tree=TREE, after="__syncthreads();", end="if (t == 0) out[blockIdx.x] = part[0];"
):
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    extern __shared__ float part[];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    {load}
    {after}
    {tree}
    {end}
}}
"""


@right("neighbours first")
def neighbours():
    return _source()


@right("halves, rounded up")
def halves():
    return _source(
        tree="""for (int size = blockDim.x; size > 1; ) {
        int half = (size + 1) / 2;
        if (t + half < size) part[t] = fmaxf(part[t], part[t + half]);
        __syncthreads();
        size = half;
    }"""
    )


@right("padded to a power of two, by index")
def padded():
    return _source(
        tree="""int s = 1;
    while (2 * s < blockDim.x) s *= 2;
    for (; s > 0; s >>= 1) {
        if (t < s && t + s < blockDim.x && part[t + s] > part[t]) part[t] = part[t + s];
        __syncthreads();
    }"""
    )


@right("a tree down to a warp, then shuffles")
def with_shuffles():
    return _source(
        tree="""int s = 16;
    while (2 * s < blockDim.x) s *= 2;
    for (; s >= 32; s >>= 1) {
        if (t < s && t + s < blockDim.x) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }
    if (t >= 32) return;
    float best = part[t];
    unsigned mask = blockDim.x < 32 ? (1u << blockDim.x) - 1 : 0xffffffffu;
    for (int k = 16; k > 0; k >>= 1) {
        float other = __shfl_down_sync(mask, best, k);
        if (t + k < blockDim.x) best = fmaxf(best, other);
    }
    part[0] = best;""".replace("part[0] = best;", ""),
        end="if (t == 0) out[blockIdx.x] = best;",
    )


@wrong(
    "no-first-barrier",
    "The first step reads what another thread has just stored: a barrier before the loop.",
)
def no_first():
    return _source(after="")


@wrong(
    "no-barrier-in-the-loop",
    "Each step reads the results of the step before: a barrier in every one.",
)
def no_inner():
    return _source(tree=TREE.replace("        __syncthreads();\n", ""))


@wrong(
    "barrier-inside-the-if",
    "Only some threads enter the if; the barrier waits for all of them.",
)
def inside():
    return _source(
        tree="""for (int s = 1; s < blockDim.x; s *= 2) {
        if (t % (2 * s) == 0 && t + s < blockDim.x) {
            part[t] = fmaxf(part[t], part[t + s]);
            __syncthreads();
        }
    }"""
    )


@wrong(
    "powers-of-two-only",
    "blockDim.x / 2 drops the last element of an odd size: 7 threads are not 3 pairs.",
)
def halves_down():
    return _source(
        tree="""for (int s = blockDim.x / 2; s > 0; s /= 2) {
        if (t < s) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }"""
    )


@wrong(
    "beyond-the-block",
    "t + s can lie behind the block's last thread when its size is no power of two.",
)
def no_bound():
    return _source(tree=TREE.replace(" && t + s < blockDim.x", ""))


@wrong(
    "last-warp-without-barriers",
    "The last 32 lanes are not in step by themselves: since Volta, __syncwarp() is needed.",
)
def implicit_warp():
    return _source(
        tree="""int s = 1;
    while (2 * s < blockDim.x) s *= 2;
    for (; s > 16; s >>= 1) {
        if (t < s && t + s < blockDim.x) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }
    volatile float* v = part;
    for (; s > 0; s >>= 1)
        if (t < s && t + s < blockDim.x) v[t] = fmaxf(v[t], v[t + s]);"""
    )


@wrong("amax-without-abs", "The largest magnitude may belong to a negative value: fabsf.")
def no_abs():
    return _source(load=LOAD.replace("fabsf(x[i])", "x[i]"))


@wrong("abs-of-ints", "abs takes an int: 0.7 became 0. For floats it is fabsf.")
def int_abs():
    return _source(load=LOAD.replace("fabsf(x[i])", "(float)abs((int)x[i])"))


@wrong(
    "no-tail-identity",
    "Threads past the end store nothing, and the tree reads their places: store 0.",
)
def no_identity():
    return _source(load="if (i < n) part[t] = fabsf(x[i]);")


@wrong(
    "tail-of-minus-infinity",
    "A block without an element gives -inf: the identity of a maximum of magnitudes is 0.",
)
def minus_infinity():
    return _source(load="part[t] = i < n ? fabsf(x[i]) : -INFINITY;").replace(
        "-INFINITY", "__int_as_float(0xff800000)"
    )


@wrong("tail-of-one", "Threads past the end must not change the maximum: store 0, not 1.")
def one():
    return _source(load=LOAD.replace(": 0.0f", ": 1.0f"))


@wrong("early-return", "Threads past the end return, and the others wait for them at the barrier.")
def returned():
    return _source(load="if (i >= n) return;\n    part[t] = fabsf(x[i]);")


@wrong("one-thread-does-all", "Thread 0 goes through the whole block alone: that is no tree.")
def serial():
    return _source(
        tree="if (t == 0) for (int j = 1; j < blockDim.x; j++) part[0] = fmaxf(part[0], part[j]);"
    )


@wrong(
    "a-step-for-each-element",
    "One element is taken in each step, with a barrier: blockDim.x steps where log2 of it are enough.",
)
def linear():
    return _source(
        tree="""for (int j = 1; j < blockDim.x; j++) {
        if (t == 0) part[0] = fmaxf(part[0], part[j]);
        __syncthreads();
    }"""
    )


@wrong(
    "serial-remainder",
    "Thread 0 takes what is beyond the largest power of two alone, up to half of the block.",
)
def remainder():
    return _source(
        tree="""int s = 1;
    while (2 * s <= blockDim.x) s *= 2;
    if (t == 0) for (int j = s; j < blockDim.x; j++) part[0] = fmaxf(part[0], part[j]);
    __syncthreads();
    for (s /= 2; s > 0; s /= 2) {
        if (t < s) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }"""
    )


@wrong("sum-for-maximum", "You add the magnitudes; the amax is the largest of them.")
def summed():
    return _source(tree=TREE.replace("fmaxf(part[t], part[t + s])", "part[t] + part[t + s]"))


@wrong("every-thread-writes-its-own", "out has one element for each block, at blockIdx.x.")
def out_index():
    return _source(end="out[i] = part[0];")


@wrong("tree-stops-early", "The last step is missing: two halves are left.")
def short():
    return _source(tree=TREE.replace("s < blockDim.x; s *= 2", "2 * s < blockDim.x; s *= 2"))


@wrong(
    "atomics", "Right, but every thread waits its turn at one address; the exercise is the tree."
)
def atomic():
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    extern __shared__ float part[];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    if (t == 0) part[0] = 0.0f;
    __syncthreads();
    if (i < n) atomicMax((int*)part, __float_as_int(fabsf(x[i])));
    __syncthreads();
    if (t == 0) out[blockIdx.x] = part[0];
}}
"""
