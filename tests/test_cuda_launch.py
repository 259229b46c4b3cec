"""The interface of CuPy's RawKernel and RawModule, launches, arrays, the cache, and no compiler."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from lab import cuda
from lab.cuda import build, cache, compiler, device, nvrtc, process, source
from lab.cuda.kernel import RawKernel, RawModule

pytestmark = pytest.mark.skipif(
    not any(map(compiler.shutil.which, compiler.CANDIDATES)), reason="needs a C++ compiler"
)
CODE = r"""
#ifndef FACTOR
#define FACTOR 2
#endif
__constant__ float table[4] = {1, 2, 3, 4};
__device__ int calls;
__device__ const int steps[4] = {1, 10, 100, 1000};
__constant__ const int fixed = 5;
struct Pair { int a; float b; };

extern "C" {
__global__ void __launch_bounds__(256) where(int4 *out) {
    int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    int size = blockDim.x * blockDim.y * blockDim.z;
    dim3 whole(gridDim.x * blockDim.x, gridDim.y * blockDim.y, gridDim.z * blockDim.z);
    out[block * size + thread] = make_int4(blockIdx.x * blockDim.x + threadIdx.x,
        blockIdx.y * blockDim.y + threadIdx.y, blockIdx.z * blockDim.z + threadIdx.z, whole.z);
}
}
extern "C" __global__ void scalars(signed char a, unsigned short b, int c, unsigned long long d, float e,
                                   double f, bool g, Pair p, double *out) {
    out[0] = a; out[1] = b; out[2] = c; out[3] = d; out[4] = e; out[5] = f; out[6] = g;
    out[7] = p.a; out[8] = p.b;
}
extern "C" __global__ void scale(const float *__restrict__ x, float *__restrict__ y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = FACTOR * __ldg(&x[i]);
}
extern "C" __global__ void look_up(float *y) {
    y[threadIdx.x] = table[threadIdx.x] + steps[threadIdx.x] - steps[threadIdx.x] + fixed - 5;
    atomicAdd(&calls, 1);
}
extern "C" __global__ void talk(int n) {
    if (threadIdx.x % 2 == 0) printf("block %d thread %d of %d\n", blockIdx.x, threadIdx.x, n);
    __syncthreads();
    if (threadIdx.x % 2) printf("late %u %.2f %s\n", threadIdx.x, 1.5, "text");
}
template <typename T, int K> __global__ void times(const T *x, T *y) {
    __shared__ T part[64];
    part[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = part[63 - threadIdx.x] * (T)K;
}
#define KERNEL(NAME, OP) extern "C" __global__ void NAME(int *y) { y[threadIdx.x] OP 3; }
KERNEL(plus, +=)
KERNEL(minus, -=)
extern "C" __global__ void dynamic(const int *x, int *y) {
    extern __shared__ __align__(16) unsigned char bytes[];
    int *part = reinterpret_cast<int *>(bytes);
    part[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = part[blockDim.x - 1 - threadIdx.x];
}
template <typename T> __global__ void turned(const T *x, T *y) {
    extern __shared__ T part[];
    part[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = part[blockDim.x - 1 - threadIdx.x];
}
typedef long long int64_t;  // as NVRTC, the course's headers leave the name free
#if 0
int host_only(int x) { return x; }
#endif
#define OF_A_THREAD __device__ inline
OF_A_THREAD int rank_of(uint3 thread, dim3 block) { return thread.x + block.x * thread.y; }
extern "C" __global__ void ranks(int *y) {
    __shared__ alignas(16) int part[64];
    const uint3 thread = threadIdx;
    const dim3 block = blockDim, same(thread);
    part[rank_of(thread, block)] = same.x + 10 * same.y;
    __syncthreads();
    y[rank_of(threadIdx, blockDim)] = part[thread.x + block.x * thread.y];
}
"""


SMALL = r"""
extern "C" __global__ void scale(const float *x, float *y, int n) {
    if (threadIdx.x < n) y[threadIdx.x] = 2 * x[threadIdx.x];
}
"""


@pytest.fixture(scope="module")
def module():
    expressions = ["times<float, 3>", "times<signed char, 2>", "turned<short>"]
    return RawModule(code=CODE, name_expressions=expressions)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    ours = build._base(compiler.find())
    content = build.runtime(compiler.find())
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(nvrtc, "installed", lambda: False)
    cache.store(ours, content)
    return tmp_path / "cache" / "cuda"


def test_dynamic_shared_memory_in_a_template(module):
    x = np.arange(40).astype(np.int16)
    y = cuda.zeros(40, x.dtype)
    kernel = module.get_function("turned<short>")  # NVRTC refuses two of other types in one source
    kernel.watch((1,), (40,), (cuda.asarray(x), y), shared_mem=x.nbytes)
    assert y.get().tolist() == x[::-1].tolist()
    with pytest.raises(cuda.KernelError, match="raise shared_mem"):
        kernel.watch((1,), (40,), (cuda.asarray(x), y), shared_mem=x.nbytes - x.itemsize)


def test_indices_are_passed_as_cuda_has_them(module):
    y = cuda.zeros(64, np.int32)
    module.get_function("ranks").watch((1,), (16, 4), (y,))
    assert y.get().tolist() == [x + 10 * line for line in range(4) for x in range(16)]


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
def test_indices_in_three_dimensions(module, watch):
    grid, block = (3, 2, 2), (4, 3, 5)
    total = int(np.prod(grid) * np.prod(block))
    out = cuda.zeros((total, 4), np.int32)
    kernel = module.get_function("where")
    (kernel.watch if watch else kernel)(grid, block, (out,))
    found = out.get()
    assert (found[:, 3] == 10).all()
    everywhere = {(x, y, z) for x in range(12) for y in range(6) for z in range(10)}
    assert set(map(tuple, found[:, :3])) == everywhere
    # The thread behind the first one differs in x, and a block of 60 threads is followed by block (1, 0, 0).
    assert found[1].tolist()[:3] == [1, 0, 0] and found[60].tolist()[:3] == [4, 0, 0]


def test_scalars_arrive_by_value(module):
    out = cuda.zeros(9, np.float64)
    pair = np.array((7, 0.25), dtype=[("a", np.int32), ("b", np.float32)])[()]
    values = (np.int8(-3), np.uint16(65535), np.int32(-9), np.uint64(2**40), np.float32(1.5))
    args = (*values, 2.25, True, pair, out)
    module.get_function("scalars")((1,), (1,), args)
    assert out.get().tolist() == [-3, 65535, -9, 2**40, 1.5, 2.25, 1, 7, 0.25]


def floats(n):
    return cuda.zeros(n, np.float32)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (lambda: (floats(4), floats(4)), r"`scale` takes 3 arguments .*int n\), and got 2"),
        (lambda: (floats(4), floats(4), 4), r"Argument 3 \(`n`\) of `scale` is `int` .* 4: pass np.int32"),
        (lambda: (floats(4), floats(4), np.uint32(4)), r"got a numpy.uint32: pass np.int32"),
        (lambda: (floats(4), floats(4), np.float32(4)), r"got a numpy.float32: pass np.int32"),
        (lambda: (floats(4), floats(4), floats(4)), r"`n`.* got an array: pass a scalar"),
        (lambda: (cuda.zeros(4), floats(4), np.int32(4)), r"`const float\*` .* array of float64: convert"),
        (lambda: (floats(4), cuda.zeros(4, np.int32), np.int32(4)), r"`y`.* array of int32"),
        (lambda: (np.float32(1), floats(4), np.int32(4)), r"`x`.* numpy.float32: pass a device array"),
        (lambda: (np.zeros(4, np.float32), floats(4), np.int32(4)), r"`x`.* NumPy array.*cuda.asarray"),
        (lambda: (floats(4), floats(4), "4"), r"Argument 3 \(`n`\) of `scale` is of type str"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_one_sentence(module, args, words):
    for run in (module.get_function("scale"), module.get_function("scale").watch):
        with pytest.raises(cuda.CudaError, match=words) as caught:
            run((1,), (4,), args())
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "block", "words"),
    [
        ((0,), (4,), "The grid .* has 0 in x"),
        ((1,), (1025,), "The block .* has 1025 in x; it takes 1 to 1,024"),
        ((1,), (1, 1, 65), "has 65 in z"),
        ((1,), (64, 32), "2,048 threads; 1,024 is the most"),
        ((1, 2, 3, 4), (1,), "one to three integers"),
        ((1.5,), (1,), "one to three integers"),
    ],
)
def test_sizes_that_no_gpu_takes(module, grid, block, words):
    with pytest.raises(cuda.CudaError, match=words):
        module.get_function("scale")(grid, block, (floats(1), floats(1), np.int32(1)))


def test_shared_memory_has_limits(module):
    kernel = module.get_function("dynamic")
    x, y = cuda.arange(8, dtype=np.int32), cuda.zeros(8, np.int32)
    with pytest.raises(cuda.CudaError, match="max_dynamic_shared_size_bytes"):
        kernel((1,), (8,), (x, y), shared_mem=48 * 1024 + 1)
    kernel.max_dynamic_shared_size_bytes = 100 * 1024
    kernel((1,), (8,), (x, y), shared_mem=100 * 1024)
    assert y.get().tolist() == list(range(7, -1, -1))


def test_options_and_macros(module):
    x = cuda.arange(5, dtype=np.float32)
    for options, factor in (((), 2), (("-DFACTOR=7", "--use_fast_math"), 7)):
        y = floats(5)
        RawKernel(CODE, "scale", options=options)((1,), (8,), (x, y, np.int32(5)))
        assert np.array_equal(y.get(), factor * x.get())
    with pytest.raises(cuda.CudaError, match="'-fplugin=x' is not known"):
        RawKernel(CODE, "scale", options=("-fplugin=x",))((1,), (8,), (x, y, np.int32(5)))
    with pytest.raises(cuda.CudaError, match="must be a tuple"):
        RawKernel(CODE, "scale", options="-DFACTOR=7")
    y = cuda.full(4, 10, np.int32)
    module.get_function("plus")((1,), (4,), (y,))
    module.get_function("minus")((1,), (2,), (y,))
    assert y.get().tolist() == [10, 10, 13, 13]


def test_templates_by_name_expression(module):
    x = cuda.arange(64, dtype=np.float32)
    y = cuda.zeros_like(x)
    module.get_function("times<float, 3>").watch((1,), (64,), (x, y))
    assert np.array_equal(y.get(), 3 * x.get()[::-1])
    x = cuda.arange(64, dtype=np.int8)
    y = cuda.zeros_like(x)
    module.get_function("times<signed char, 2>")((1,), (64,), (x, y))
    assert np.array_equal(y.get(), 2 * x.get()[::-1])
    with pytest.raises(cuda.CudaError, match="name_expressions"):
        module.get_function("times")


def test_variables_of_the_module_live_from_launch_to_launch(module):
    y, kernel = floats(4), module.get_function("look_up")
    kernel((1,), (4,), (y,))
    assert y.get().tolist() == [1, 2, 3, 4]
    cuda.set_global(module, "table", np.array([5, 6, 7, 8], np.float32))
    kernel((1,), (4,), (y,))
    kernel.watch((1,), (4,), (y,))
    assert y.get().tolist() == [5, 6, 7, 8]
    assert module.get_global("calls").get(np.int32)[0] == 12
    with pytest.raises(cuda.CudaError, match="no variable `other`; it has table, calls"):
        module.get_global("other")


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
def test_printf_comes_in_the_order_of_blocks_and_threads(module, watch, capsys):
    kernel = module.get_function("talk")
    (kernel.watch if watch else kernel)((2,), (4,), (np.int32(9),))
    block = [
        "block {0} thread 0 of 9",
        "late 1 1.50 text",
        "block {0} thread 2 of 9",
        "late 3 1.50 text",
    ]
    assert capsys.readouterr().out.splitlines() == [x.format(b) for b in (0, 1) for x in block]


def test_watching_collects_reports(module):
    x, y = cuda.arange(64, dtype=np.float32), floats(64)
    with cuda.watching() as reports:
        module.get_function("scale")((2,), (32,), (x, y, np.int32(64)))
        module.get_function("scale")((1,), (32,), (x, y, np.int32(32)))
    assert [r.grid for r in reports] == [(2, 1, 1), (1, 1, 1)]
    assert reports[0].sectors_per_request("load") == 4


def test_arrays_share_memory_as_views_do(module):
    x = cuda.arange(10, dtype=np.float32)
    y = floats(16)
    module.get_function("scale").watch((1,), (8,), (x[3:], y[5:], np.int32(7)))
    assert np.array_equal(y.get(), np.r_[np.zeros(5), 2 * np.arange(3, 10), np.zeros(4)])
    assert y[5:].offset == 20 and y.view(np.uint8).shape == (64,)
    x[0] = 9
    x[1:3] = cuda.full(2, 4, np.float32)
    assert x.get()[:4].tolist() == [9, 4, 4, 3] and len(x) == 10
    z = cuda.array(x)
    z.fill(0)
    assert x.get()[0] == 9 and cuda.asarray(x) is x and cuda.asarray(x, np.int8).dtype == np.int8
    assert (cuda.empty(3, np.uint8).get() == 0xCD).all()
    with pytest.raises(TypeError, match="asnumpy"):
        np.asarray(x)
    with pytest.raises(cuda.CudaError, match="cannot hold object"):
        cuda.asarray(np.array(["a", None], dtype=object))
    with pytest.raises(AttributeError, match="asnumpy"):
        x.mean()


def test_a_damaged_or_lost_cache_entry_is_made_again(own_cache, monkeypatch):
    x, y = cuda.arange(5, dtype=np.float32), floats(5)

    def works():
        RawKernel(SMALL, "scale")((1,), (8,), (x, y, np.int32(5)))
        return y.get()[4] == 8

    assert works()
    entries = list(own_cache.iterdir())
    assert len(entries) == 2  # the runtime and the program
    for path in entries:
        data = path.read_bytes()
        path.write_bytes(data[:-100] + bytes(100))
        assert cache.load(path.name) is None
    assert works()
    program = next(path for path in entries if cache.load(path.name) is not None)
    program.write_bytes(b"")
    assert works() and cache.load(program.name).startswith(b"\x7fELF")

    def no_compiler(*_, **__):
        raise AssertionError("compiled although it is in the cache")

    monkeypatch.setattr(build, "_compile", no_compiler)
    assert works()


def test_several_threads_compile_the_same_source(own_cache):
    results = []

    def work():
        x, y = cuda.arange(5, dtype=np.float32), floats(5)
        RawKernel(SMALL, "scale")((1,), (8,), (x, y, np.int32(5)))
        results.append(y.get()[4])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [8, 8, 8] and not list(own_cache.glob(".new-*"))


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setattr(cache, "folders", lambda: [blocked, tmp_path / "second"])
    assert cache.get("name", lambda: b"made") == b"made"
    assert cache.load("name") == b"made" and (tmp_path / "second" / "name").is_file()
    monkeypatch.setattr(cache, "folders", lambda: [blocked])
    assert cache.get("name", lambda: b"again") == b"again"


def test_without_a_compiler_the_package_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    compiler.find.cache_clear()
    try:
        with pytest.raises(cuda.CudaError, match="needs a C\\+\\+ compiler.*apt install g\\+\\+"):
            RawKernel(CODE, "scale")((1,), (1,), (floats(1), floats(1), np.int32(1)))
    finally:
        compiler.find.cache_clear()


def test_clang_runs_kernels_but_does_not_watch_them(tmp_path, monkeypatch):
    clang = tmp_path / "clang++"
    clang.write_text("#!/bin/sh\necho clang version 99")
    clang.chmod(0o755)
    monkeypatch.setenv("CXX", str(clang))
    compiler.find.cache_clear()
    try:
        assert compiler.find() == str(clang) and compiler.find(watch=True) != str(clang)
        compiler.find.cache_clear()
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(cuda.CudaError, match="only clang here: install the package g\\+\\+"):
            compiler.find(watch=True)
        monkeypatch.setattr(compiler.sys, "platform", "darwin")
        compiler.find.cache_clear()
        with pytest.raises(cuda.CudaError, match="runs on Linux"):
            compiler.find()
    finally:
        compiler.find.cache_clear()


def test_a_program_that_ends_itself_or_hangs_is_an_error(module, monkeypatch):
    def ended(status, reason):
        def run(argv, files, outputs, wall_s):
            return process.Ended(status, reason, b"noise")

        return run

    x = floats(1)
    kernel = module.get_function("scale")
    program = module.compile()
    for status, reason, words in ((-9, "", r"ended its process \(status -9\) noise"),
                                  (-9, "it ran for more than 30 s", "does a loop never end")):  # fmt: skip
        broken = build.Program(
            program.code, program.binary, False, program.kernels, ended(status, reason)
        )
        monkeypatch.setattr(kernel._module, "compile", lambda *_, broken=broken: broken)
        with pytest.raises(cuda.KernelError, match=words):
            kernel((1,), (1,), (x, x, np.int32(1)))


HOSTILE = (b"[]", b'{"symbols": 3}', b'{"symbols": {}, "printed": "", "findings": [{"kind": "race"}]}',
           b'{"symbols": {}, "printed": "", "findings": 7}', b'{"symbols": {"a": "xy"}, "printed": ""}',
           b'{"symbols": {}, "printed": "", "findings": [{"kind": "race", "pc": "x"}]}')  # fmt: skip


@pytest.mark.parametrize("text", [*HOSTILE, b"[" * 100_000, b"\xff"])
def test_a_result_that_the_kernel_forged_badly_is_an_error(module, text, monkeypatch):
    def run(argv, files, outputs, wall_s):
        return process.Ended(0, "", b"", {"result.json": text})

    kernel, program = module.get_function("scale"), module.compile(watch=True)
    forged = build.Program(program.code, program.binary, True, program.kernels, run)
    monkeypatch.setattr(kernel._module, "compile", lambda *_: forged)
    x = floats(1)
    with pytest.raises(cuda.KernelError, match="cannot be read|ended its process"):
        kernel.watch((1,), (1,), (x, x, np.int32(1)))


def test_a_process_that_sleeps_is_ended():
    done = process.run(["sleep", "30"], {}, [], 0.3)
    assert "more than 0.3 s" in done.reason and done.status == -9


def test_portable_fibers_give_the_same(monkeypatch, own_cache):
    monkeypatch.setattr(compiler, "SEMANTICS", (*compiler.SEMANTICS, "-DCOURSE_UCONTEXT"))
    build._base.cache_clear()
    build.runtime.cache_clear()
    try:
        x, y = cuda.arange(32, dtype=np.int32), cuda.zeros(32, np.int32)
        kernel = RawKernel(CODE, "dynamic")
        kernel.watch((2,), (32,), (x, y), shared_mem=128)
        assert y.get().tolist() == list(range(31, -1, -1))
    finally:
        build._base.cache_clear()
        build.runtime.cache_clear()


def test_what_a_source_declares():
    code = """
    // __global__ void commented(int a)
    extern "C" __global__ void one(const float *__restrict__ x, int (&rows)[4], float y[], unsigned n);
    template <class T> __global__ void two(T a);
    __global__ __launch_bounds__(256, 2) void three() {}
    __device__ float a, b;
    static __device__ const int c[2][3] = {{1, 2, 3}};
    __constant__ __align__(16) signed char d[16];
    __device__ int helper(int x) { __constant__ int inside; return x; }
    """
    found = source.kernels(code)
    assert list(found) == ["one", "two", "three"]
    assert found["one"].parameters[0] == "x" and found["one"].parameters[-2:] == ("y", "n")
    assert [k.c_name for k in found.values()] == [True, False, False]
    assert [k.template for k in found.values()] == [False, True, False]
    assert source.symbols(code) == {"a": False, "b": False, "d": True}


class OnGpu:
    """What cupy.ndarray has that watch needs."""

    def __init__(self, values):
        self.values = values

    def get(self):
        return self.values.copy()

    def set(self, values):
        self.values = values


class FakeCupy:
    """Stands where CuPy would: what it is asked for is what lessons hand out."""

    ndarray = OnGpu

    def __getattr__(self, name):
        return lambda *values, **options: (name, values, options)


def test_with_a_gpu_everything_is_cupys(monkeypatch):
    monkeypatch.setattr(device, "_cupy", FakeCupy)
    assert cuda.on_gpu()
    assert cuda.zeros(3, np.int8) == ("zeros", (3, np.int8), {})
    name, values, options = cuda.RawKernel("code", "k", ("-DA=1",))
    assert (name, values) == ("RawKernel", ("code", "k")) and options["options"] == ("-DA=1",)
    name, _, options = cuda.RawModule(code="code", name_expressions=["k<int>"])
    assert name == "RawModule" and options["name_expressions"] == ["k<int>"]


def test_with_a_gpu_watch_runs_cupys_kernel_on_the_cpu(monkeypatch):
    monkeypatch.setattr(device, "_cupy", FakeCupy)
    function = SimpleNamespace(code=SMALL, name="scale", options=(), name_expressions=None)
    x, y = OnGpu(np.arange(8, dtype=np.float32)), OnGpu(np.zeros(8, np.float32))
    report = cuda.watch(function, (1,), (32,), (x, y, np.int32(8)))
    assert report.sectors_per_request() == 1 and y.values.tolist() == [2.0 * i for i in range(8)]
    with pytest.raises(cuda.KernelError, match=r"reads `x\[8\]`"):
        cuda.watch(function, (1,), (32,), (x, y, np.int32(9)))
    with pytest.raises(cuda.CudaError, match="made from source"):
        cuda.watch(SimpleNamespace(code=None), (1,), (32,), (x,))
