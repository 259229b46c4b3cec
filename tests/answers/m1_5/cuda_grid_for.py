"""Answers to cuda-grid-for."""

import math

from autograder.checks.bank import right, wrong


def _refuse(rows, cols, block):
    if rows < 1 or cols < 1 or min(block) < 1 or block[0] * block[1] > 1024:
        raise ValueError("cannot be")


@right("rounded up by floor division")
def by_floor(rows, cols, block):
    _refuse(rows, cols, block)
    x, y = -(-cols // block[0]), -(-rows // block[1])
    return (x, y), x * block[0] * y * block[1] - rows * cols


@right("math.ceil, a list")
def by_ceil(rows, cols, block):
    _refuse(rows, cols, block)
    grid = [math.ceil(cols / block[0]), (rows + block[1] - 1) // block[1]]
    return grid, math.prod(grid) * math.prod(block) - rows * cols


def _grid(x, y, rows, cols, block):
    return (x, y), x * block[0] * y * block[1] - rows * cols


@wrong("rounded-down", "You rounded down: the last columns and rows have no thread.")
def down(rows, cols, block):
    _refuse(rows, cols, block)
    return _grid(max(1, cols // block[0]), max(1, rows // block[1]), rows, cols, block)


@wrong("one-block-more", "cols // x + 1 is one block too many when x divides cols.")
def one_more(rows, cols, block):
    _refuse(rows, cols, block)
    return _grid(cols // block[0] + 1, rows // block[1] + 1, rows, cols, block)


@wrong("rows-in-x", "x runs along the columns; you gave it the rows.")
def rows_in_x(rows, cols, block):
    _refuse(rows, cols, block)
    return _grid(-(-rows // block[0]), -(-cols // block[1]), rows, cols, block)


@wrong("grid-as-rows-and-columns", "The grid is (x, y): columns first, unlike a matrix's shape.")
def row_col(rows, cols, block):
    (x, y), idle = by_floor(rows, cols, block)
    return (y, x), idle


@wrong("one-dimension", "You covered rows * cols in x alone: the grid has two dimensions here.")
def flat(rows, cols, block):
    _refuse(rows, cols, block)
    x = -(-rows * cols // (block[0] * block[1]))
    return _grid(x, 1, rows, cols, block)


@wrong("idle-in-the-last-block-only", "Every block at the right and lower edge has idle threads.")
def last_block(rows, cols, block):
    grid, _ = by_floor(rows, cols, block)
    return grid, -cols % block[0] + (-rows % block[1])


@wrong("threads-for-idle", "You return all threads of the launch; take the elements off.")
def all_threads(rows, cols, block):
    grid, idle = by_floor(rows, cols, block)
    return grid, idle + rows * cols


@wrong(
    "product-of-the-edges", "Idle threads are not only those in the corner: count the whole edges."
)
def corner(rows, cols, block):
    grid, _ = by_floor(rows, cols, block)
    return grid, (-cols % block[0]) * (-rows % block[1])


@wrong(
    "rounded-to-nearest",
    "You rounded to nearest: with 100 columns in blocks of 96 some stay undone.",
)
def nearest(rows, cols, block):
    _refuse(rows, cols, block)
    x, y = max(1, round(cols / block[0])), max(1, round(rows / block[1]))
    return _grid(x, y, rows, cols, block)


@wrong("no-refusal", "Sizes below 1 and blocks of over 1,024 threads must raise ValueError.")
def no_refusal(rows, cols, block):
    x, y = -(-cols // (block[0] or 1)), -(-rows // (block[1] or 1))
    return _grid(x, y, rows, cols, block)


@wrong("checked-by-products", "Two negative sizes have a positive product: check each size.")
def by_products(rows, cols, block):
    if rows * cols < 1 or not 1 <= block[0] * block[1] <= 1024:
        raise ValueError("cannot be")
    return _grid(-(-cols // block[0]), -(-rows // block[1]), rows, cols, block)


@wrong("large-blocks-accepted", "A block of more than 1,024 threads cannot be launched.")
def large(rows, cols, block):
    if min(rows, cols, *block) < 1:
        raise ValueError("cannot be")
    return _grid(-(-cols // block[0]), -(-rows // block[1]), rows, cols, block)


@wrong("floats", "Blocks are counted in ints.")
def floats(rows, cols, block):
    (x, y), idle = by_floor(rows, cols, block)
    return (float(x), float(y)), idle
