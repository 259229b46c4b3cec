"""Answers to cuda-thread-place."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(thread, block):
    if min(block) < 1 or block[0] * block[1] * block[2] > 1024:
        raise ValueError("no such block")
    if any(t < 0 or t >= b for t, b in zip(thread, block, strict=True)):
        raise ValueError("no such thread")


def _place(rank):
    return rank, rank // 32, rank % 32


@right("the formula")
def by_formula(thread, block):
    _refuse(thread, block)
    x, y, z = thread
    return _place(x + block[0] * y + block[0] * block[1] * z)


@right("NumPy's index arithmetic")
def by_numpy(thread, block):
    _refuse(thread, block)
    rank = int(np.ravel_multi_index(thread[::-1], block[::-1]))
    return [rank, *divmod(rank, 32)]


@wrong("z-fastest", "You let z run fastest; x does, then y, then z.")
def z_fastest(thread, block):
    _refuse(thread, block)
    return _place(thread[2] + block[2] * (thread[1] + block[1] * thread[0]))


@wrong("y-before-x", "You let y run fastest; x does.")
def y_fastest(thread, block):
    _refuse(thread, block)
    return _place(thread[1] + block[1] * (thread[0] + block[0] * thread[2]))


@wrong("y-times-its-own-size", "A row of threads has block x threads: multiply y by the size in x.")
def own_size(thread, block):
    _refuse(thread, block)
    return _place(thread[0] + block[1] * thread[1] + block[1] * block[2] * thread[2])


@wrong("only-x", "You took threadIdx.x for the rank; y and z count too.")
def only_x(thread, block):
    _refuse(thread, block)
    return _place(thread[0])


@wrong("z-by-x-only", "A layer has x * y threads: multiply z by both sizes.")
def z_by_x(thread, block):
    _refuse(thread, block)
    return _place(thread[0] + block[0] * (thread[1] + thread[2]))


@wrong("warps-of-64", "A warp has 32 threads on NVIDIA's GPUs; 64 is another maker's wavefront.")
def wavefront(thread, block):
    _refuse(thread, block)
    rank = thread[0] + block[0] * (thread[1] + block[1] * thread[2])
    return rank, rank // 64, rank % 64


@wrong("a-warp-for-each-row", "A warp is 32 consecutive ranks, also across rows of the block.")
def row_warps(thread, block):
    _refuse(thread, block)
    rank = thread[0] + block[0] * (thread[1] + block[1] * thread[2])
    return rank, thread[1] + block[1] * thread[2], thread[0] % 32


@wrong("counted-from-one", "Ranks, warps and lanes begin at 0.")
def from_one(thread, block):
    _refuse(thread, block)
    rank = thread[0] + block[0] * (thread[1] + block[1] * thread[2])
    return rank + 1, rank // 32 + 1, rank % 32 + 1


@wrong("lane-and-warp-swapped", "The order is rank, warp, lane.")
def swapped(thread, block):
    rank, warp, lane = by_formula(thread, block)
    return rank, lane, warp


@wrong("last-thread-refused", "Thread block - 1 exists: the indices run from 0 to size - 1.")
def too_strict(thread, block):
    if any(t < 0 or t >= max(1, b - 1) for t, b in zip(thread, block, strict=True)):
        raise ValueError("no such thread")
    return by_formula(thread, block)


@wrong("no-refusal", "A thread outside the block, or a block of over 1,024, must raise ValueError.")
def no_refusal(thread, block):
    return _place(thread[0] + block[0] * (thread[1] + block[1] * thread[2]))


@wrong("checked-by-rank", "A thread outside in x may have a rank inside: check each direction.")
def checked_by_rank(thread, block):
    rank = thread[0] + block[0] * (thread[1] + block[1] * thread[2])
    threads = block[0] * block[1] * block[2]
    if not 0 <= rank < threads <= 1024:
        raise ValueError("no such thread")
    return _place(rank)


@wrong("limit-by-axis", "The limit of 1,024 is on the whole block, not on each direction.")
def by_axis(thread, block):
    if min(block) < 1 or max(block) > 1024:
        raise ValueError("no such block")
    if any(t < 0 or t >= b for t, b in zip(thread, block, strict=True)):
        raise ValueError("no such thread")
    return _place(thread[0] + block[0] * (thread[1] + block[1] * thread[2]))


@wrong("floats", "rank, warp and lane are ints: / gives floats, // does not.")
def floats(thread, block):
    rank, _, lane = by_formula(thread, block)
    return rank, rank / 32, lane
