"""Answers to triton-int8-matmul."""

from autograder.checks.bank import right, wrong
from lab.triton_setup import use_triton

triton, tl = use_triton()


@right("tl.dot, masks of 0")
@triton.jit
def by_dot(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@right("weights loaded as rows and transposed, sums added outside of dot")
@triton.jit
def by_trans(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (cols[:, None] < N) & (ks[None, :] < K)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[:, None] * K + ks[None, :], mask=b_inside, other=0)
        sums += tl.dot(a, tl.trans(b), out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@right("no dot: products widened to int32 and summed along the inner dimension")
@triton.jit
def by_sum(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        products = a.to(tl.int32)[:, :, None] * b.to(tl.int32)[None, :, :]
        sums += tl.sum(products, axis=1)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong(
    "inner-dimension-unmasked",
    "Past column K - 1 the next row begins: mask the inner dimension too.",
)
@triton.jit
def no_k_mask(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] >= 0)
        b_inside = (cols[None, :] < N) & (ks[:, None] >= 0)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong("float32-sums", "Your sums are float32: above 2**24 they skip odd numbers. Sum in int32.")
@triton.jit
def float_sums(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a.to(tl.float32), b.to(tl.float32), sums)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums.to(tl.int32), mask=inside)


@wrong(
    "float16-products",
    "Your blocks are float16 and so are their sums: above 2,048 they skip numbers.",
)
@triton.jit
def half_sums(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float16)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums += tl.dot(a.to(tl.float16), b.to(tl.float16)).to(tl.float16)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums.to(tl.int32), mask=inside)


@wrong("int8-products", "Your products are INT8 and wrap around: widen before you multiply.")
@triton.jit
def int8_products(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        products = a[:, :, None] * b[None, :, :]
        sums += tl.sum(products.to(tl.int32), axis=1)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong("int16-sums", "Your sums are int16: two products of 127 * 127 are nearly all that fits.")
@triton.jit
def int16_sums(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums += tl.dot(a, b, out_dtype=tl.int32).to(tl.int16).to(tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums.to(tl.int16).to(tl.int32), mask=inside)


@wrong(
    "only-the-last-step",
    "You keep the last step's product: pass the sums on from step to step.",
)
@triton.jit
def last_step(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong("only-one-step", "You multiply the first BLOCK_K columns only: loop over all of K.")
@triton.jit
def one_step(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, BLOCK_K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong("last-step-left-out", "You loop K // BLOCK_K times: the last, shorter step is missing.")
@triton.jit
def short_loop(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K // BLOCK_K * BLOCK_K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong(
    "weights-read-as-k-by-n",
    "You read b as (K, N); it is stored one row for each output, (N, K).",
)
@triton.jit
def k_by_n(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + ks[:, None] * N + cols[None, :], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong(
    "rows-and-columns-swapped",
    "Program (i, j) does row block i and column block j, not the other way round.",
)
@triton.jit
def swapped(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(1) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong(
    "store-without-a-mask",
    "Your store has no mask: tiles at the edge write into the next row and past the end.",
)
@triton.jit
def open_store(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums)


@wrong(
    "columns-unmasked-in-the-store",
    "Your store masks rows only: columns past N are the next row's first ones.",
)
@triton.jit
def open_columns(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] >= 0)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong(
    "loads-without-row-masks",
    "Rows past M and columns past N are read outside the matrices, although they are never stored.",
)
@triton.jit
def open_loads(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] >= 0) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] >= 0)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)


@wrong("result-by-columns", "You store c by columns; it is row-major, N elements a row.")
@triton.jit
def by_columns(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + cols[None, :] * M + rows[:, None], sums, mask=inside)


@wrong(
    "other-left-out",
    "Without `other` a masked lane holds anything, and it is added to the sum: other=0.",
)
@triton.jit
def no_other(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (cols[None, :] < N) & (ks[:, None] < K)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)
