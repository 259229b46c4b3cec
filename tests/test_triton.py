"""lab's Triton: accesses counted and held to their buffers, PTX without a GPU, the probe's runs."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from lab.errors import CourseError
from lab.triton_probe import run_kernel
from lab.triton_ptx import compile_kernel
from lab.triton_setup import use_triton
from lab.triton_watch import UNDEFINED, OutOfBounds, watch

triton, tl = use_triton()

from lab.triton_math import round_even  # noqa: E402


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, stride, BLOCK: tl.constexpr):
    lanes = stride * (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    tl.store(out_ptr + lanes, tl.load(x_ptr + lanes, mask=lanes < n), mask=lanes < n)


@triton.jit
def open_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + lanes, tl.load(x_ptr + lanes), mask=lanes < n)


@triton.jit
def half_masked_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    tl.store(out_ptr + lanes, tl.load(x_ptr + lanes, mask=lanes < n))


@triton.jit
def unsupported_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    tl.make_block_ptr(x_ptr, (n,), (1,), (0,), (BLOCK,), (0,))


@triton.jit
def round_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    tl.store(out_ptr + lanes, round_even(tl.load(x_ptr + lanes, mask=lanes < n)), mask=lanes < n)


@triton.jit
def unwritten_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    raise NotImplementedError()


@triton.jit
def faulty_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    tl.store(out_ptr, no_such_name)  # noqa: F821


@triton.jit
def scribbling_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    tl.store(x_ptr + lanes, lanes.to(tl.float32), mask=lanes < n)


@pytest.mark.parametrize(
    ("dtype", "stride", "sectors"),
    [(torch.int8, 1, 4), (torch.float32, 1, 16), (torch.int8, 2, 8), (torch.int8, 32, 128)],
)
def test_sectors_of_a_request(dtype, stride, sectors):
    """128 lanes: contiguous bytes fill 4 sectors of 32, each float lane an eighth of one."""
    x = torch.zeros(128 * stride, dtype=dtype)
    out = torch.zeros_like(x)
    with watch(x=x, out=out) as seen:
        copy_kernel[(1,)](x, out, x.numel(), stride, BLOCK=128)
    # An allocation is aligned to 64 bytes, so a request starts at a sector's edge.
    assert (seen.loads["x"].requests, seen.loads["x"].sectors) == (1, sectors)
    assert seen.stores["out"].bytes == 128 * x.element_size()
    assert seen.loads["x"].sector_bytes == 32 * sectors


def test_masked_lanes_count_nothing():
    x, out = torch.zeros(100), torch.zeros(100)
    with watch(x=x, out=out) as seen:
        copy_kernel[(1,)](x, out, 100, 1, BLOCK=128)
    assert seen.loads["x"].elements == 100 and not seen.outside


def test_a_masked_lane_without_other_holds_no_zero():
    x, out = torch.ones(4), torch.zeros(4)
    with watch(x=x, out=out):
        half_masked_kernel[(1,)](x, out, 2, BLOCK=4)
    assert out.tolist() == [1, 1, UNDEFINED, UNDEFINED]


def test_programs_that_wrote_are_counted():
    x, out = torch.ones(100), torch.zeros(100)
    with watch(x=x, out=out) as seen:
        copy_kernel[(4,)](x, out, 100, 1, BLOCK=32)
    assert seen.stores["out"].programs == {(p, 0, 0) for p in range(4)}
    assert seen.stores["out"].elements == 100


def test_an_access_outside_stops_and_is_named():
    whole = torch.zeros(4096)  # far enough apart: beyond the end of x nothing of out begins
    x, out = whole[:100].copy_(torch.arange(100.0)), whole[2048:2148]
    with (
        pytest.raises(OutOfBounds, match=r"Program \(1, 0, 0\) would read element 100 of `x`"),
        watch(x=x, out=out),
    ):
        open_kernel[(2,)](x, out, 100, BLOCK=64)
    with watch(stop=False, x=x, out=out) as seen:
        open_kernel[(2,)](x, out, 100, BLOCK=64)
    assert torch.equal(out, x)
    assert [o[1] for o in seen.outside] == list(range(100, 128))
    # Outside the block nothing is watched any more.
    copy_kernel[(1,)](x, out, 100, 1, BLOCK=128)


def test_a_write_outside_does_not_happen():
    whole = torch.zeros(64)
    with watch(stop=False, x=whole, out=whole[:32]) as seen:
        copy_kernel[(1,)](torch.ones(1), whole[:32], 1, 1, BLOCK=1)
    assert seen.outside and seen.outside[0][2] == "read"


def test_round_even_is_numpys_rint():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.arange(-64, 65) / 2, rng.uniform(-2e6, 2e6, 800), [0.49999997]])
    x = torch.from_numpy(x.astype(np.float32))
    out = torch.empty_like(x)
    round_kernel[(1,)](x, out, x.numel(), BLOCK=1024)
    assert np.array_equal(out.numpy(), np.rint(x.numpy()))


def test_alignment_makes_wide_loads():
    types = {"x_ptr": "*i8", "out_ptr": "*i8", "n": "i32"}
    narrow = compile_kernel(open_kernel, types, {"BLOCK": 1024})
    wide = compile_kernel(open_kernel, types, {"BLOCK": 1024}, tuple(types), 80)
    assert narrow.instructions["ld.global.b8"] == 8
    assert wide.instructions == {"ld.global.v2.b32": 1, "st.global.v2.b32": 1}
    assert ".target sm_80" in wide.ptx and ".target sm_90" in narrow.ptx


def test_a_kernel_that_does_not_compile_is_one_sentence():
    types = {"x_ptr": "*i8", "out_ptr": "*i8", "n": "i32"}
    with pytest.raises(
        CourseError, match="faulty_kernel does not compile for sm_90: .*no_such_name"
    ):
        compile_kernel(faulty_kernel, types, {"BLOCK": 16})


def _run(kernel, n=10):
    x = np.arange(n, dtype=np.float32)
    return run_kernel(kernel, (1,), {"x": x}, {"out": np.zeros(n, np.float32)}, (n,), {"BLOCK": 16})


def test_the_probe_tells_kinds_of_answers():
    assert _run(lambda *a: None) == {"kind": "function"}
    with pytest.raises(NotImplementedError):
        _run(unwritten_kernel)
    with pytest.raises(RuntimeError, match="cannot run this: Block pointers"):
        _run(unsupported_kernel)
    with pytest.raises(NameError, match="no_such_name"):
        _run(faulty_kernel)
    changed = _run(scribbling_kernel, 3)
    assert changed["changed"] == "" and _run(open_kernel)["outside"][0] == [
        "x",
        10,
        "read",
        [0, 0, 0],
    ]
    right = _run(round_kernel)
    assert right["kind"] == "kernel" and right["outside"] == []
    assert right["stored"] == {"out": [10, 2, 1]}  # elements, sectors, programs


def test_the_end_of_one_buffer_is_not_the_next_one():
    """Small tensors may be neighbours in memory: the probe keeps them apart."""
    for _ in range(20):
        run = _run(open_kernel)
        assert len(run["outside"]) == 3 and {o[0] for o in run["outside"]} == {"x"}


def test_an_input_that_is_written_is_named():
    x = np.full(3, 9, np.float32)
    run = run_kernel(scribbling_kernel, (1,), {"x": x}, {"out": x}, (3,), {"BLOCK": 4})
    assert run["changed"] == "x" and x.tolist() == [9, 9, 9]


def test_triton_imported_for_a_gpu_is_refused():
    code = (
        "import os; os.environ['TRITON_INTERPRET'] = '0'\n"
        "import triton\nfrom lab.triton_setup import use_triton\nuse_triton()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "restart the kernel and run this cell first" in done.stderr.splitlines()[-1]
