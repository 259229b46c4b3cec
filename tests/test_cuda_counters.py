"""Counters of lab.cuda against theory: sectors, wavefronts, branches, atomics."""

import math
from collections import Counter

import numpy as np
import pytest

from ci.counted_kernels import CODE, KERNELS, SIDE, N
from lab import cuda
from lab.cuda import compiler, plots
from lab.errors import CourseError
from lab.plots import image_html

pytestmark = pytest.mark.skipif(
    not any(map(compiler.shutil.which, compiler.CANDIDATES)), reason="needs a C++ compiler"
)
BY_NAME = {counted.name: counted for counted in KERNELS}


@pytest.fixture(scope="module")
def module():
    from lab.cuda.kernel import RawModule

    return RawModule(code=CODE)


def launch(module, name, watch=True):
    """The counted kernel's report, and its values before and after."""
    counted = BY_NAME[name]
    host = counted.arguments()
    args = tuple(cuda.asarray(a) if isinstance(a, np.ndarray) else a for a in host)
    kernel = module.get_function(name)
    report = kernel.watch(counted.grid, counted.block, args) if watch else None
    if not watch:
        kernel(counted.grid, counted.block, args)
    after = tuple(a if isinstance(a, np.generic) else cuda.asnumpy(a) for a in args)
    return report, host, after


def equal(value, expected):
    return math.isnan(value) if expected is None else value == expected


@pytest.mark.parametrize("name", BY_NAME)
def test_sectors_and_wavefronts_are_those_of_theory(module, name):
    counted = BY_NAME[name]
    report, before, after = launch(module, name)
    assert counted.check(before, after)
    assert equal(report.sectors_per_request("load"), counted.load)
    assert equal(report.sectors_per_request("store"), counted.store)
    assert equal(report.wavefronts_per_request("load"), counted.shared_load)
    assert equal(report.wavefronts_per_request("store"), counted.shared_store)
    _, before, after = launch(module, name, watch=False)
    assert counted.check(before, after)


def test_totals(module):
    report, *_ = launch(module, "contiguous")
    assert report.global_load_sectors == report.global_store_sectors == N * 4 // 32
    assert report.global_bytes == report.moved_bytes == 2 * N * 4
    assert report.lanes_per_step == 32 and report.divergent_branches == 0
    strided, *_ = launch(module, "strided")
    assert strided.moved_bytes == 32 * N + 4 * N and strided.global_bytes == 2 * N * 4


def test_bank_conflicts(module):
    # 32 x 32 tiles: a column of the tile lies in one bank; a row has a warp for each of 4 x 4 tiles.
    requests = (SIDE // 32) ** 2 * 32
    tiled, *_ = launch(module, "transpose_tiled")
    padded, *_ = launch(module, "transpose_padded")
    assert tiled.bank_conflicts == 31 * requests and padded.bank_conflicts == 0
    assert tiled.barriers == (SIDE // 32) ** 2


def test_divergent_branches(module):
    blocks, warps = N // 256, N // 32
    # Once in each warp, odd lanes against even ones.
    assert launch(module, "divergent")[0].divergent_branches == warps
    # Steps 1 to 16 split all 8 warps of a block, 32 to 128 split 4, 2 and 1; then `t == 0`.
    interleaved = launch(module, "reduce_interleaved")[0]
    assert interleaved.divergent_branches == blocks * (5 * 8 + 4 + 2 + 1 + 1)
    # Whole warps stop first; 16 to 1 split warp 0, and so does `t == 0`.
    sequential = launch(module, "reduce_sequential")[0]
    assert sequential.divergent_branches == blocks * (5 + 1)
    assert interleaved.lanes_per_step < sequential.lanes_per_step < 32


def test_atomics(module):
    report, *_ = launch(module, "histogram")
    shared, bins = report.select("atomic", "shared"), report.select("atomic", "global")
    assert [i.lanes for i in shared] == [N] and [i.lanes for i in bins] == [N]
    assert report.atomics == 2 * N and shared[0].repeats == 0
    same = np.zeros(N, np.uint8)
    args = (cuda.asarray(same), cuda.zeros(256, np.uint32), np.int32(N))
    report = module.get_function("histogram").watch((N // 256,), (256,), args)
    assert report.select("atomic", "shared")[0].repeats == N - N // 32


WIDE = r"""
#define MOVE(T, NAME) extern "C" __global__ void NAME(const T *x, T *y) { \
    __shared__ T s[64]; s[threadIdx.x] = x[threadIdx.x]; __syncthreads(); y[threadIdx.x] = s[threadIdx.x]; }
MOVE(float, one) MOVE(float2, two) MOVE(float4, four) MOVE(signed char, byte) MOVE(double, eight)
extern "C" __global__ void broadcast(const float *x, float *y) {
    __shared__ float s[64];
    if (threadIdx.x < 1) s[0] = x[0];
    __syncthreads();
    y[threadIdx.x] = s[0];
}
extern "C" __global__ void two_apart(const float *x, float *y) {
    __shared__ float s[64];
    s[2 * threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[2 * threadIdx.x];
}
extern "C" __global__ void inside(const float *x, float *y) {
    float4 v = reinterpret_cast<const float4 *>(x)[threadIdx.x];
    union { float4 f; unsigned char b[16]; } u;
    u.f = v;
    int sum = 0;
#pragma unroll
    for (int j = 0; j < 16; ++j) sum += u.b[j];
    y[threadIdx.x] = v.x + v.y + v.z + v.w + 0.0f * sum;
}
"""


@pytest.fixture(scope="module")
def wide():
    from lab.cuda.kernel import RawModule

    return RawModule(code=WIDE)


@pytest.mark.parametrize(
    ("name", "dtype", "sectors", "wavefronts", "conflicts"),
    [
        ("byte", np.int8, 1, 1, 0),
        ("one", np.float32, 4, 1, 0),
        ("two", np.float32, 8, 2, 0),
        ("eight", np.float64, 8, 2, 0),
        ("four", np.float32, 16, 4, 0),
        ("broadcast", np.float32, 1, 1, 0),
        ("two_apart", np.float32, 4, 2, 2),
    ],
)
def test_widths(wide, name, dtype, sectors, wavefronts, conflicts):
    x = np.arange(128).astype(dtype)
    y = cuda.zeros(128, dtype)
    report = wide.get_function(name).watch((1,), (32,), (cuda.asarray(x), y))
    assert report.sectors_per_request("load") == sectors
    assert report.wavefronts_per_request("load") == wavefronts
    assert report.bank_conflicts == conflicts
    count = {"two": 64, "four": 128}.get(name, 32)
    expected = np.full(32, x[0]) if name == "broadcast" else x[:count]
    assert np.array_equal(y.get()[:count], expected)


def test_a_vector_stays_one_access_where_its_parts_are_used(wide):
    x = np.arange(128, dtype=np.float32)
    y = cuda.zeros(32, np.float32)
    report = wide.get_function("inside").watch((1,), (32,), (cuda.asarray(x), y))
    loads = report.select("load", "global")
    assert [(i.size_bytes, i.requests, i.sectors) for i in loads] == [(16, 1, 16)]
    assert np.array_equal(y.get(), x.reshape(32, 4).sum(1))


LOOPS = r"""
extern "C" __global__ void uneven(const int *count, const float *x, float *y) {
    float sum = 0;
    for (int j = 0; j < count[threadIdx.x]; ++j)
        sum += x[32 * j + threadIdx.x];
    y[threadIdx.x] = sum;
}
extern "C" __global__ void turns(const float *x, float *y) {
    int t = threadIdx.x;
    for (int j = 0; j < 4; ++j) {
        if (t % 4 == j) y[t] = x[t];
        y[32 + t] = j;
    }
}
__device__ float apart(const float *x, int i);
extern "C" __global__ void called(const float *x, float *y) {
    int t = threadIdx.x;
    if (t % 2) y[t] = apart(x, t);
    else y[t] = apart(x, t) + 1;
    y[32 + t] = 0;
}
__device__ __noinline__ float apart(const float *x, int i) { return x[i]; }
"""


@pytest.fixture(scope="module")
def loops():
    from lab.cuda.kernel import RawModule

    return RawModule(code=LOOPS)


def test_lanes_leave_a_loop_one_by_one_and_meet_behind_it(loops):
    count = np.arange(1, 33, dtype=np.int32)
    x = np.ones(32 * 32, np.float32)
    y = cuda.zeros(32, np.float32)
    args = (cuda.asarray(count), cuda.asarray(x), y)
    report = loops.get_function("uneven").watch((1,), (32,), args)
    assert np.array_equal(y.get(), count)
    (load,) = report.select("load", name="x")
    assert load.requests == 32 and load.lanes == 32 * 33 // 2
    (store,) = report.select("store")
    assert store.requests == 1 and store.lanes == 32


def test_a_branch_inside_a_loop_is_a_request_for_each_turn(loops):
    y = cuda.zeros(64, np.float32)
    report = loops.get_function("turns").watch((1,), (32,), (cuda.arange(32, dtype=np.float32), y))
    (load,) = report.select("load")
    assert (load.requests, load.lanes) == (4, 32)
    assert sorted(i.requests for i in report.select("store")) == [4, 4]


def test_lanes_meet_again_behind_calls(loops):
    y = cuda.zeros(64, np.float32)
    x = np.arange(32, dtype=np.float32)
    report = loops.get_function("called").watch((1,), (32,), (cuda.asarray(x), y))
    assert np.array_equal(y.get()[:32], x + (np.arange(32) % 2 == 0))
    assert Counter(i.requests for i in report.select("store")) == {1: 3}
    assert sum(i.requests for i in report.select("load")) == 2


def test_lines_and_text(module):
    report, *_ = launch(module, "transpose_tiled")
    lines = CODE.splitlines()
    for row in report.instructions:
        assert "tile[" in lines[row.line - 1]
    assert "32.00" in str(report) and "bank conflicts 15,872" in str(report)


def test_figures_show_the_same_counts(module):
    report, *_ = launch(module, "strided")
    access = plots.pick(report, kind="load")
    assert len(plots.sectors(access)) == 32 and access.offsets[:3] == (0, 32, 64)
    report, *_ = launch(module, "transpose_tiled")
    access = plots.pick(report, kind="load", name="shared")
    assert plots.wavefronts(access) == 32 and access.offsets[:3] == (0, 128, 256)
    for name in ("in", "out"):
        fig, alt = plots.access_pattern(report, name=name)
        assert "touch 4 sectors" in alt and "<img" in image_html(fig, alt)
    fig, alt = plots.access_pattern(report, kind="load", name="shared")
    assert "32 wavefronts" in alt and "<img" in image_html(fig, alt)
    with pytest.raises(CourseError, match="no such request"):
        plots.pick(report, line=9999)
