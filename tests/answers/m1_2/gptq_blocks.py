"""Answers to gptq-blocks."""

import numpy as np

from autograder.checks.bank import right, wrong


def _positive(block_size):
    if block_size < 1:
        raise ValueError("block_size must be 1 or more")


def _blocks(w, u, solve_block, size, *, update=None, corner=None):
    """The loop of the exercise; update(w, errors, u, start, end) is what wrong answers replace."""
    _positive(size)
    w, codes = w.copy(), np.zeros(w.shape, np.uint8)
    for start in range(0, w.shape[1], size):
        end = min(start + size, w.shape[1])
        part = corner(u, start, end) if corner else u[start:end, start:end]
        codes[:, start:end], errors = solve_block(w[:, start:end].copy(), part)
        if update:
            update(w, errors, u, start, end)
        else:
            w[:, end:] -= errors @ u[start:end, end:]
    return codes


@right("right-looking: all later columns after each block")
def right_looking(w, u, solve_block, block_size=128):
    return _blocks(w, u, solve_block, block_size)


@right("left-looking: a block is brought up to date when its turn comes")
def left_looking(w, u, solve_block, block_size=128):
    _positive(block_size)
    parts, errors = [], np.zeros((len(w), 0))
    for start in range(0, w.shape[1], block_size):
        part = slice(start, start + block_size)
        codes, lost = solve_block(w[:, part] - errors @ u[:start, part], u[part, part])
        parts.append(codes)
        errors = np.concatenate([errors, lost], axis=1)
    return np.concatenate(parts, axis=1)


@right("recursive")
def recursive(w, u, solve_block, block_size=128):
    _positive(block_size)
    codes, errors = solve_block(w[:, :block_size].copy(), u[:block_size, :block_size])
    if w.shape[1] <= block_size:
        return codes
    rest = w[:, block_size:] - errors @ u[:block_size, block_size:]
    later = recursive(rest, u[block_size:, block_size:], solve_block, block_size)
    return np.hstack([codes, later])


@right("torch for the update")
def by_torch(w, u, solve_block, block_size=128):
    import torch

    _positive(block_size)
    now, factor, codes = torch.tensor(w), torch.tensor(u), []
    for start in range(0, w.shape[1], block_size):
        end = min(start + block_size, w.shape[1])
        made, errors = solve_block(now[:, start:end].numpy().copy(), u[start:end, start:end])
        codes.append(torch.tensor(made))
        now[:, end:] = torch.addmm(
            now[:, end:], torch.tensor(errors), factor[start:end, end:], alpha=-1
        )
    return torch.cat(codes, dim=1).numpy()


@wrong("no-update", "Your blocks do not know of each other; update the later columns.")
def no_update(w, u, solve_block, block_size=128):
    return _blocks(w, u, solve_block, block_size, update=lambda *_: None)


@wrong("next-block-only", "You brought only the next block up to date; all later columns need it.")
def next_block_only(w, u, solve_block, block_size=128):
    def update(w, errors, u, start, end):
        last = end + block_size
        w[:, end:last] -= errors @ u[start:end, end:last]

    return _blocks(w, u, solve_block, block_size, update=update)


@wrong("wrong-sign", "You added the errors; subtract them.")
def wrong_sign(w, u, solve_block, block_size=128):
    def update(w, errors, u, start, end):
        w[:, end:] += errors @ u[start:end, end:]

    return _blocks(w, u, solve_block, block_size, update=update)


@wrong("lower-triangle", "You took u[end:, start:end], which is zero; take u[start:end, end:].")
def lower_triangle(w, u, solve_block, block_size=128):
    def update(w, errors, u, start, end):
        w[:, end:] -= errors @ np.tril(u)[end:, start:end].T

    return _blocks(w, u, solve_block, block_size, update=update)


@wrong("last-error-only", "You used the block's last column of errors; all of them count.")
def last_error_only(w, u, solve_block, block_size=128):
    def update(w, errors, u, start, end):
        w[:, end:] -= errors[:, -1:] @ u[end - 1 : end, end:]

    return _blocks(w, u, solve_block, block_size, update=update)


@wrong("first-rows-of-u", "You took the first rows of U for every block; take the block's own.")
def first_rows_of_u(w, u, solve_block, block_size=128):
    def update(w, errors, u, start, end):
        w[:, end:] -= errors @ u[: end - start, end:]

    return _blocks(w, u, solve_block, block_size, update=update)


@wrong("first-corner", "Every block got the first corner of U; take u[start:end, start:end].")
def first_corner(w, u, solve_block, block_size=128):
    return _blocks(
        w, u, solve_block, block_size, corner=lambda u, start, end: u[: end - start, : end - start]
    )


@wrong("transposed-corner", "The block of U that you hand on is transposed.")
def transposed_corner(w, u, solve_block, block_size=128):
    return _blocks(
        w, u, solve_block, block_size, corner=lambda u, start, end: u[start:end, start:end].T.copy()
    )


@wrong("original-blocks", "Each block gets the original weights, not those brought up to date.")
def original_blocks(w, u, solve_block, block_size=128):
    _positive(block_size)
    codes, now = np.zeros(w.shape, np.uint8), w.copy()
    for start in range(0, w.shape[1], block_size):
        end = min(start + block_size, w.shape[1])
        codes[:, start:end], errors = solve_block(w[:, start:end].copy(), u[start:end, start:end])
        now[:, end:] -= errors @ u[start:end, end:]
    return codes


@wrong("tail-dropped", "The last, shorter block is missing.")
def tail_dropped(w, u, solve_block, block_size=128):
    _positive(block_size)
    whole = w.shape[1] // block_size * block_size
    codes = np.zeros(w.shape, np.uint8)
    if whole:
        codes[:, :whole] = _blocks(w[:, :whole], u[:whole, :whole], solve_block, block_size)
    return codes


@wrong("column-by-column", "You called solve_block for single columns; give it whole blocks.")
def column_by_column(w, u, solve_block, block_size=128):
    _positive(block_size)
    return _blocks(w, u, solve_block, 1)


@wrong("block-size-fixed", "Your blocks always have 128 columns; use block_size.")
def block_size_fixed(w, u, solve_block, block_size=128):
    _positive(block_size)
    return _blocks(w, u, solve_block, 128)


@wrong("float-codes", "Your codes are floats; they are uint8.")
def float_codes(w, u, solve_block, block_size=128):
    return _blocks(w, u, solve_block, block_size).astype(np.float64)


@wrong("size-unchecked", "A block size below 1 must raise ValueError.")
def size_unchecked(w, u, solve_block, block_size=128):
    return _blocks(w, u, solve_block, max(block_size, 1))


@wrong("in-place", "You changed the caller's weights; work on a copy.")
def in_place(w, u, solve_block, block_size=128):
    _positive(block_size)
    codes = np.zeros(w.shape, np.uint8)
    for start in range(0, w.shape[1], block_size):
        end = min(start + block_size, w.shape[1])
        codes[:, start:end], errors = solve_block(w[:, start:end].copy(), u[start:end, start:end])
        w[:, end:] -= errors @ u[start:end, end:]
    return codes
