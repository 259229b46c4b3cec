"""Every function that a kernel may call, against NumPy: one small kernel for each."""

import ctypes

import numpy as np
import pytest

from lab import cuda
from lab.cuda import compiler
from lab.cuda.kernel import RawModule

pytestmark = pytest.mark.skipif(
    not any(map(compiler.shutil.which, compiler.CANDIDATES)), reason="needs a C++ compiler"
)
N = 256
rng = np.random.default_rng(3)
A, B, C = (rng.integers(-(2**31), 2**31, N).astype(np.int32) for _ in range(3))
for values, edges in ((A, (0, 1, -1, 2**31 - 1, -(2**31))), (B, (0, -1, 1, -(2**31), 2**31 - 1))):
    values[: len(edges)] = edges
UA, UB, UC = (x.view(np.uint32) for x in (A, B, C))
EDGES = [0.5, 1.5, -0.5, -2.5, 2.5, 0, -0.0, 1e10, -1e10, np.nan, np.inf, -np.inf, 0.49999997]
F = rng.uniform(-300, 300, N).astype(np.float32)
F[: len(EDGES)] = EDGES
G = rng.uniform(0.1, 30, N).astype(np.float32)
L = rng.integers(-(2**63), 2**63, N).astype(np.int64)


def bits(x):
    """Rows of 32 bits, lowest first."""
    return (x[:, None] >> np.arange(32, dtype=np.uint32)) & 1


def bytes_of(x, dtype):
    return x.view(dtype).reshape(-1, 4).astype(np.int64)


def halves_of(x):
    return x.view(np.int16).reshape(-1, 2).astype(np.int64)


def to_int(rounding, low=-(2**31), high=2**31 - 1, dtype=np.int32):
    def convert(x):
        rounded = rounding(x.astype(np.float64))
        return np.where(np.isnan(rounded), 0, np.clip(rounded, low, high)).astype(dtype)

    return convert


def by_parts(dtype, what):
    """What `what` gives for the parts of two words, as words; it wraps unless it clips."""

    def words(*inputs):
        parts = (x.view(dtype).astype(np.int64) for x in inputs)
        return np.asarray(what(*parts)).astype(dtype).view(np.uint32)

    return words


def permute(a, b, s):
    both = np.concatenate([a.view(np.uint8).reshape(-1, 4), b.view(np.uint8).reshape(-1, 4)], 1)
    nibble = s[:, None] >> (4 * np.arange(4, dtype=np.uint32)) & 15
    picked = np.take_along_axis(both, (nibble & 7).astype(np.int64), 1)
    sign = np.where(picked & 128, 255, 0).astype(np.uint8)
    return np.where(nibble & 8, sign, picked).astype(np.uint8).copy().view(np.uint32).ravel()


def rounded_to(x, side):
    """int32 as float32, towards zero (0), up or down."""
    near = x.astype(np.float32)
    exact, value = x.astype(np.float64), near.astype(np.float64)
    side = np.where(exact < 0, 1, -1) if side == 0 else np.full(len(x), side)
    up = (side > 0) & (value < exact)
    down = (side < 0) & (value > exact)
    return np.where(up, np.nextafter(near, np.float32(np.inf)),
                    np.where(down, np.nextafter(near, np.float32(-np.inf)), near))  # fmt: skip


def funnel(low, high):
    return high.astype(np.uint64) << np.uint64(32) | low


fmaf = ctypes.CDLL(None).fmaf
fmaf.argtypes, fmaf.restype = [ctypes.c_float] * 3, ctypes.c_float

# name: C expression of a, b, c; result type; inputs; NumPy's answer.
TESTS = {
    "popc": ("__popc(a)", "int", (UA,), lambda a: bits(a).sum(1)),
    "popcll": ("__popcll(a)", "int", (L.view(np.uint64),),
               lambda a: [bin(int(v)).count("1") for v in a]),
    "clz": ("__clz(a)", "int", (A,), lambda a: [32 - int(v).bit_length() for v in a.view(np.uint32)]),
    "ffs": ("__ffs(a)", "int", (A,), lambda a: [(int(v) & -int(v)).bit_length() for v in a]),
    "brev": ("__brev(a)", "unsigned int", (UA,),
             lambda a: (bits(a)[:, ::-1].astype(np.uint64) << np.arange(32, dtype=np.uint64)).sum(1)),
    "byte_perm": ("__byte_perm(a, b, c)", "unsigned int", (UA, UB, UC), permute),
    "mulhi": ("__mulhi(a, b)", "int", (A, B), lambda a, b: a.astype(np.int64) * b >> 32),
    "umulhi": ("__umulhi(a, b)", "unsigned int", (UA, UB),
               lambda a, b: a.astype(np.uint64) * b >> np.uint64(32)),
    "mul24": ("__mul24(a, b)", "int", (A >> 8, B >> 8),
              lambda a, b: (a.astype(np.int64) * b).astype(np.int32)),
    "sad": ("__usad(a, b, c)", "unsigned int", (UA, UB, UC),
            lambda a, b, c: np.maximum(a, b) - np.minimum(a, b) + c),
    "funnel_l": ("__funnelshift_l(a, b, c)", "unsigned int", (UA, UB, UC % 32),
                 lambda a, b, c: (funnel(a, b) << c) >> np.uint64(32)),
    "funnel_r": ("__funnelshift_r(a, b, c)", "unsigned int", (UA, UB, UC % 32),
                 lambda a, b, c: (funnel(a, b) >> c).astype(np.uint32)),
    "dp4a": ("__dp4a(a, b, c)", "int", (A, B, C),
             lambda a, b, c: ((bytes_of(a, np.int8) * bytes_of(b, np.int8)).sum(1) + c).astype(np.int32)),
    "dp4a_unsigned": ("__dp4a(a, b, c)", "unsigned int", (UA, UB, UC),
                      lambda a, b, c: ((bytes_of(a, np.uint8) * bytes_of(b, np.uint8)).sum(1) + c)
                      .astype(np.uint32)),
    "dp2a_lo": ("__dp2a_lo(a, b, c)", "int", (A, B, C), lambda a, b, c:
                (halves_of(a) * bytes_of(b, np.int8)[:, :2]).sum(1) + c),
    "dp2a_hi": ("__dp2a_hi(a, b, c)", "int", (A, B, C), lambda a, b, c:
                (halves_of(a) * bytes_of(b, np.int8)[:, 2:]).sum(1) + c),
    "hadd": ("__hadd(a, b)", "int", (A, B), lambda a, b: a.astype(np.int64) + b >> 1),
    "urhadd": ("__urhadd(a, b)", "unsigned int", (UA, UB),
               lambda a, b: a.astype(np.uint64) + b + np.uint64(1) >> np.uint64(1)),
    "mul64hi": ("__mul64hi(a, b)", "long long", (L, L[::-1].copy()),
                lambda a, b: [int(x) * int(y) >> 64 for x, y in zip(a, b, strict=True)]),
    "funnel_rc": ("__funnelshift_rc(a, b, c)", "unsigned int", (UA, UB, UC % 48),
                  lambda a, b, c: (funnel(a, b) >> np.minimum(c, 32)).astype(np.uint32)),
    "vadd4": ("__vadd4(a, b)", "unsigned int", (UA, UB), by_parts(np.int8, np.add)),
    "vsub2": ("__vsub2(a, b)", "unsigned int", (UA, UB), by_parts(np.int16, np.subtract)),
    "vaddss4": ("__vaddss4(a, b)", "unsigned int", (UA, UB),
                by_parts(np.int8, lambda a, b: np.clip(a + b, -128, 127))),
    "vsubss2": ("__vsubss2(a, b)", "unsigned int", (UA, UB),
                by_parts(np.int16, lambda a, b: np.clip(a - b, -32768, 32767))),
    "vsubus4": ("__vsubus4(a, b)", "unsigned int", (UA, UB),
                by_parts(np.uint8, lambda a, b: np.maximum(a - b, 0))),
    "vmaxs4": ("__vmaxs4(a, b)", "unsigned int", (UA, UB), by_parts(np.int8, np.maximum)),
    "vminu4": ("__vminu4(a, b)", "unsigned int", (UA, UB), by_parts(np.uint8, np.minimum)),
    "vcmpgts4": ("__vcmpgts4(a, b)", "unsigned int", (UA, UB),
                 by_parts(np.int8, lambda a, b: np.where(a > b, -1, 0))),
    "vsetleu2": ("__vsetleu2(a, b)", "unsigned int", (UA, UB), by_parts(np.uint16, np.less_equal)),
    "vabsss4": ("__vabsss4(a)", "unsigned int", (UA,),
                by_parts(np.int8, lambda a: np.minimum(np.abs(a), 127))),
    "vneg4": ("__vneg4(a)", "unsigned int", (UA,), by_parts(np.int8, np.negative)),
    "vavgu4": ("__vavgu4(a, b)", "unsigned int", (UA, UB),
               by_parts(np.uint8, lambda a, b: a + b + 1 >> 1)),
    "vsads4": ("__vsads4(a, b)", "unsigned int", (UA, UB),
               lambda a, b: np.abs(bytes_of(a, np.int8) - bytes_of(b, np.int8)).sum(1)),
    "min": ("min(a, b)", "int", (A, B), np.minimum),
    "max": ("max(a, b)", "int", (A, B), np.maximum),
    "umax": ("max(a, b)", "unsigned int", (UA, UB), np.maximum),
    "mixed_max": ("max(a, b)", "unsigned int", (A, UB), lambda a, b: np.maximum(a.view(np.uint32), b)),
    "abs": ("abs(a)", "int", (A[5:],), np.abs),
    "wraps": ("a + b * a", "int", (A, B), lambda a, b: a + b * a),
    "fmin": ("fminf(a, b)", "float", (F, G), np.fmin),
    "fmax": ("max(a, b)", "float", (F, G), np.fmax),
    "rintf": ("rintf(a)", "float", (F,), np.rint),
    "roundf": ("roundf(a)", "float", (F,),
               lambda a: np.sign(a) * np.floor(np.abs(a.astype(np.float64)) + 0.5)),
    "truncf": ("truncf(a)", "float", (F,), np.trunc),
    "float2int_rn": ("__float2int_rn(a)", "int", (F,), to_int(np.rint)),
    "float2int_rz": ("__float2int_rz(a)", "int", (F,), to_int(np.trunc)),
    "float2int_ru": ("__float2int_ru(a)", "int", (F,), to_int(np.ceil)),
    "float2int_rd": ("__float2int_rd(a)", "int", (F,), to_int(np.floor)),
    "float2uint_rn": ("__float2uint_rn(a)", "unsigned int", (F,), to_int(np.rint, 0, 2**32 - 1, np.uint32)),
    "double2int_rn": ("__double2int_rn(a)", "int", (F.astype(np.float64),), to_int(np.rint)),
    "int2float_rn": ("__int2float_rn(a)", "float", (A,), lambda a: a.astype(np.float32)),
    "int2float_rz": ("__int2float_rz(a)", "float", (A,), lambda a: rounded_to(a, 0)),
    "int2float_ru": ("__int2float_ru(a)", "float", (A,), lambda a: rounded_to(a, 1)),
    "int2float_rd": ("__int2float_rd(a)", "float", (A,), lambda a: rounded_to(a, -1)),
    "fmaf_rn": ("__fmaf_rn(a, b, a)", "float", (G, F),
                lambda a, b: [fmaf(x, y, x) for x, y in zip(a, b, strict=True)]),
    "no_contraction": ("a * b + a", "float", (G, F), lambda a, b: a * b + a),
    "saturatef": ("__saturatef(a)", "float", (F / 100,),
                  lambda a: np.where(np.isnan(a), 0, np.clip(a, 0, 1))),
    "fdividef": ("__fdividef(a, b)", "float", (F, G), lambda a, b: a / b),
    "float_as_int": ("__float_as_int(a)", "int", (F,), lambda a: a.view(np.int32)),
    "int_as_float": ("__int_as_float(a)", "float", (F.view(np.int32),), lambda a: a.view(np.float32)),
    "ldg": ("__ldg(&x0[i])", "int", (A,), lambda a: a),
    "clock": ("clock64() > 0", "int", (A,), lambda a: np.ones(len(a))),
}  # fmt: skip
NAMES = {
    np.dtype(np.int32): "int",
    np.dtype(np.uint32): "unsigned int",
    np.dtype(np.float32): "float",
    np.dtype(np.float64): "double",
    np.dtype(np.int64): "long long",
    np.dtype(np.uint64): "unsigned long long",
    np.dtype(np.float16): "__half",
}
DTYPES = {name: dtype for dtype, name in NAMES.items()}
HALF = {
    "half_add": ("a + b", "__half", "same", np.add),
    "half_sub": ("__hsub(a, b)", "__half", "same", np.subtract),
    "half_mul": ("a * b", "__half", "same", np.multiply),
    "half_div": ("a / b", "__half", "same", np.divide),
    "half_less": ("(int)(a < b)", "int", "same", np.less),
    "half_max": ("__hmax(a, b)", "__half", "same", np.fmax),
    "half_float": ("__half2float(a)", "float", "same", lambda a, b: a.astype(np.float32)),
    "half_neg": ("__hneg(a)", "__half", "same", lambda a, b: -a),
    "half_two": (
        "__low2float(__hadd2(__halves2half2(a, b), __float2half2_rn(1.0f)))",
        "float",
        "same",
        lambda a, b: (a + np.float16(1)).astype(np.float32),
    ),
}
every = np.arange(65536, dtype=np.uint16).view(np.float16)
HALVES = (every, rng.permutation(every))
FLOATS = np.concatenate(
    [every.astype(np.float32), F, np.float32([65519, 65520, 2**-25, 2**-24 * 1.5])]
)


def kernel(name, expression, result, inputs):
    """Source of one kernel over three arrays at most."""
    given = ", ".join(f"const {NAMES[x.dtype]} *x{j}" for j, x in enumerate(inputs))
    loads = " ".join(
        f"{NAMES[x.dtype]} {letter} = x{j}[i];"
        for j, (letter, x) in enumerate(zip("abc", inputs, strict=False))
    )
    return (
        f'extern "C" __global__ void try_{name}({given}, {result} *y, int n) {{\n'
        "    int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        f"    if (i >= n) return;\n    {loads}\n    y[i] = {expression};\n}}\n"
    )


@pytest.fixture(scope="module")
def module():
    code = "#include <cuda_fp16.h>\n"
    code += "".join(kernel(k, t[0], t[1], t[2]) for k, t in TESTS.items())
    code += "".join(kernel(k, t[0], t[1], HALVES) for k, t in HALF.items())
    code += kernel("float2half", "__float2half_rn(a)", "__half", (FLOATS,))
    return RawModule(code=code + MORE)


def launch(module, name, inputs, result):
    n = len(inputs[0])
    y = cuda.empty(n, DTYPES[result])
    args = (*map(cuda.asarray, inputs), y, np.int32(n))
    module.get_function(f"try_{name}")((-(-n // 128),), (128,), args)
    return y.get()


@pytest.mark.parametrize("name", TESTS)
def test_functions(module, name):
    expression, result, inputs, oracle = TESTS[name]
    with np.errstate(all="ignore"):
        expected = np.asarray(oracle(*inputs)).astype(DTYPES[result])
    np.testing.assert_array_equal(launch(module, name, inputs, result), expected)


@pytest.mark.parametrize("name", HALF)
def test_half_precision_over_every_bit_pattern(module, name):
    _, result, _, oracle = HALF[name]
    with np.errstate(all="ignore"):
        expected = oracle(*HALVES).astype(DTYPES[result])
    np.testing.assert_array_equal(launch(module, name, HALVES, result), expected)


def test_float_to_half_rounds_to_nearest_even(module):
    with np.errstate(all="ignore"):
        expected = FLOATS.astype(np.float16)
    found = launch(module, "float2half", (FLOATS,), "__half")
    np.testing.assert_array_equal(found, expected)
    assert np.array_equal(np.signbit(found), np.signbit(expected) & ~np.isnan(expected))


MORE = r"""
extern "C" __global__ void shuffles(const int *x, int *y) {
    int t = threadIdx.x, v = x[t], lane = t % 32;
    const unsigned all = 0xffffffffu;
    y[t] = __shfl_sync(all, v, 5);
    y[64 + t] = __shfl_up_sync(all, v, 3);
    y[128 + t] = __shfl_down_sync(all, v, 3);
    y[192 + t] = __shfl_xor_sync(all, v, 9);
    y[256 + t] = __shfl_sync(all, v, 6, 8);
    y[320 + t] = __shfl_down_sync(all, v, 3, 8);
    y[384 + t] = __shfl_up_sync(all, v, 3, 8);
    y[448 + t] = __ballot_sync(all, v > 40);
    y[512 + t] = __any_sync(all, v > 90) + 2 * __all_sync(all, v >= 0);
    y[576 + t] = lane < 12 ? (int)__activemask() : 0;
    y[640 + t] = __reduce_add_sync(all, v) + __reduce_max_sync(all, v - 50);
    y[704 + t] = __match_any_sync(all, v % 4);
    double d = __shfl_xor_sync(all, (double)v / 3, 1);
    y[768 + t] = (int)(d * 3 + 0.5);
}
extern "C" __global__ void votes(const int *x, int *y) {
    int v = x[threadIdx.x];
    int many = __syncthreads_count(v > 50);
    int all = __syncthreads_and(v >= 0), any = __syncthreads_or(v > 99);
    if (threadIdx.x == 0) { y[0] = many; y[1] = all; y[2] = any; }
}
template <class T> __device__ void exercise(T *y, T v) {
    atomicAdd(&y[0], v);
    atomicMax(&y[1], v);
    atomicMin(&y[2], v);
    atomicAnd(&y[3], v | (T)1);
    atomicOr(&y[4], v);
    atomicXor(&y[5], v);
    atomicExch(&y[6], (T)77);
    T old = y[7], seen;
    do { seen = old; old = atomicCAS(&y[7], seen, seen + 2 * v); } while (old != seen);
}
#define EXERCISE(NAME, T) extern "C" __global__ void NAME(const T *x, T *y) { exercise(y, x[threadIdx.x]); }
EXERCISE(atomics_int, int)
EXERCISE(atomics_uint, unsigned int)
EXERCISE(atomics_ull, unsigned long long)
extern "C" __global__ void atomics_more(const int *x, int *i, unsigned *u, float *f, double *d) {
    int v = x[threadIdx.x];
    atomicSub(&i[0], v);
    atomicInc(&u[0], 9u);
    atomicDec(&u[1], 9u);
    atomicAdd(&f[0], (float)v);
    atomicExch(&f[1], 2.5f);
    atomicAdd(&d[0], (double)v / 4);
}
extern "C" __global__ void halves(const __half *x, __half *y) {
    __shared__ __half part[64];
    __shared__ __half2 pairs[32];
    part[threadIdx.x] = x[threadIdx.x];
    if (threadIdx.x < 32) pairs[threadIdx.x] = reinterpret_cast<const __half2 *>(x)[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = part[63 - threadIdx.x] + pairs[threadIdx.x / 2].y;
}
extern "C" __global__ void moves(const unsigned char *x, unsigned char *y) {
    int t = threadIdx.x;
    unsigned char local[8];
    memcpy(local, x + 8 * t, 8);
    memset(y + 8 * t, 3, 8);
    memcpy(y + 8 * t, local, 4);
}
extern "C" __global__ void vectors(const char4 *a, const uchar4 *b, const short2 *s, int4 *y, float4 *f) {
    int t = threadIdx.x;
    char4 p = a[t];
    uchar4 q = b[t];
    short2 r = s[t];
    y[t] = make_int4(p.x + q.x, p.y + q.y, p.z - q.z, p.w * q.w);
    f[t] = make_float4(r.x, r.y, __dp4a(p, p, r.x), __dp4a(q, q, 1u));
}
"""


def test_warp_functions(module):
    x = rng.integers(0, 100, 64).astype(np.int32)
    y = cuda.zeros(13 * 64, np.int32)
    module.get_function("shuffles")((1,), (64,), (cuda.asarray(x), y))
    rows, w, lane = y.get().reshape(13, 2, 32), x.reshape(2, 32), np.arange(32)
    low = lane & ~7

    def from_lane(source):
        return w[:, source]

    masks = np.where(w > 40, 1 << lane.astype(np.int64), 0).sum(1)[:, None] * np.ones(32, np.int64)
    kin = [[sum(1 << j for j in range(32) if r[j] % 4 == v % 4) for v in r.tolist()] for r in w]
    expected = [
        from_lane(np.full(32, 5)),
        from_lane(np.where(lane < 3, lane, lane - 3)),
        from_lane(np.where(lane > 28, lane, lane + 3)),
        from_lane(lane ^ 9),
        from_lane(low + 6),
        from_lane(np.where(lane + 3 > low + 7, lane, lane + 3)),
        from_lane(np.where(lane - 3 < low, lane, lane - 3)),
        masks.astype(np.uint32).view(np.int32) if masks.dtype == np.uint32 else masks,
        (w > 90).any(1)[:, None] + 2 * np.ones(32, int),
        np.where(lane < 12, 0xFFF, 0) * np.ones((2, 1), int),
        (w.sum(1) + w.max(1) - 50)[:, None] * np.ones(32, int),
        np.array(kin),
        from_lane(lane ^ 1),
    ]
    for number, (found, right) in enumerate(zip(rows, expected, strict=True)):
        wanted = np.asarray(right).astype(np.int64).astype(np.uint32).view(np.int32)
        np.testing.assert_array_equal(found, wanted, err_msg=f"row {number}")


def test_block_votes(module):
    x = rng.integers(0, 100, 96).astype(np.int32)
    y = cuda.zeros(3, np.int32)
    module.get_function("votes")((1,), (96,), (cuda.asarray(x), y))
    assert y.get().tolist() == [(x > 50).sum(), 1, 0]


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
@pytest.mark.parametrize("name", ["int", "uint", "ull"])
def test_atomics(module, name, watch):
    dtype = {"int": np.int32, "uint": np.uint32, "ull": np.uint64}[name]
    x = rng.integers(0, 2**20, 64).astype(dtype)
    start = np.array([3, 5, 2**30, 2**31 - 1, 0, 9, 0, 4], dtype)
    y = cuda.asarray(start)
    function = module.get_function(f"atomics_{name}")
    if watch:  # `old = y[7]` is a plain read beside atomics: a race, and found as one
        with pytest.raises(cuda.KernelError, match="race"):
            function.watch((1,), (64,), (cuda.asarray(x), y))
    else:
        function((1,), (64,), (cuda.asarray(x), y))
    right = [3 + x.sum(), max(5, x.max()), min(2**30, x.min()), np.bitwise_and.reduce(x | 1),
             np.bitwise_or.reduce(x), 9 ^ np.bitwise_xor.reduce(x), 77, 4 + 2 * x.sum()]  # fmt: skip
    assert y.get().tolist() == [int(v) for v in right]


def test_more_atomics(module):
    x = np.arange(32, dtype=np.int32)
    i, u = cuda.zeros(1, np.int32), cuda.asarray(np.array([7, 1], np.uint32))
    f, d = cuda.zeros(2, np.float32), cuda.zeros(1, np.float64)
    module.get_function("atomics_more").watch((1,), (32,), (cuda.asarray(x), i, u, f, d))
    up, down = 7, 1
    for _ in range(32):
        up = 0 if up >= 9 else up + 1
        down = 9 if down == 0 or down > 9 else down - 1
    assert (i.get()[0], u.get().tolist()) == (-x.sum(), [up, down])
    assert f.get().tolist() == [x.sum(), 2.5] and d.get()[0] == x.sum() / 4


def test_half_precision_in_shared_memory(module):
    x = rng.random(64).astype(np.float16)
    y = cuda.zeros(64, np.float16)
    report = module.get_function("halves").watch((1,), (64,), (cuda.asarray(x), y))
    np.testing.assert_array_equal(y.get(), x[::-1] + np.repeat(x[1::2], 2))
    assert {i.size_bytes for i in report.select(space="shared")} == {2, 4}


def test_memory_moves_are_accesses(module):
    x, y = cuda.arange(256, dtype=np.uint8), cuda.zeros(256, np.uint8)
    kernel = module.get_function("moves")
    report = kernel.watch((1,), (32,), (x, y))
    right = np.where(np.arange(256) % 8 < 4, np.arange(256), 3)
    assert y.get().tolist() == right.tolist() and report.global_bytes == 32 * (8 + 8 + 4)
    # Bytes promise no alignment, so that a GPU copies byte by byte.
    assert {i.size_bytes for i in report.select("load", "global")} == {1}
    with pytest.raises(cuda.KernelError, match=r"thread \(31, 0, 0\): reads `x\[250\]"):
        kernel.watch((1,), (32,), (x[:250].copy(), y))


def test_vector_types(module):
    a = rng.integers(-128, 128, (32, 4)).astype(np.int8)
    b = rng.integers(0, 256, (32, 4)).astype(np.uint8)
    s = rng.integers(-999, 999, (32, 2)).astype(np.int16)
    y, f = cuda.zeros((32, 4), np.int32), cuda.zeros((32, 4), np.float32)
    module.get_function("vectors").watch((1,), (32,), (*map(cuda.asarray, (a, b, s)), y, f))
    p, q = a.astype(int), b.astype(int)
    right = np.stack(
        [p[:, 0] + q[:, 0], p[:, 1] + q[:, 1], p[:, 2] - q[:, 2], p[:, 3] * q[:, 3]], 1
    )
    np.testing.assert_array_equal(y.get(), right)
    sums = np.stack([s[:, 0], s[:, 1], (p * p).sum(1) + s[:, 0], (q * q).sum(1) + 1], 1)
    np.testing.assert_array_equal(f.get(), sums)
