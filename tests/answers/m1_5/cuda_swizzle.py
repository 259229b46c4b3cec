"""Answers to cuda-swizzle."""

from autograder.checks.bank import right, wrong


@right("exclusive or")
def xor(row, col):
    return 32 * row + (col ^ row)


@right("turned by the row")
def turned(row, col):
    return 32 * row + (col + row) % 32


@right("turned the other way")
def back(row, col):
    return row * 32 + (col - row) % 32


@right("columns kept, rows moved")
def by_columns(row, col):
    return 32 * col + (row ^ col)


@right("exclusive or with the reversed row")
def mirrored(row, col):
    return 32 * row + (col ^ (31 - row))


@wrong("no-swizzle", "Plain order: a column's 32 elements are all in one bank.")
def plain(row, col):
    return 32 * row + col


@wrong("transposed", "Transposed order: now a row's 32 elements are all in one bank.")
def transposed(row, col):
    return 32 * col + row


@wrong("padded", "Rows of 33 are padding: the last ones lie outside of 1,024 places.")
def padded(row, col):
    return 33 * row + col


@wrong("padded-and-wrapped", "Rows of 33 wrapped at 1,024: two elements get one place.")
def wrapped(row, col):
    return (33 * row + col) % 1024


@wrong("not-wrapped", "col + row runs over into the next row: wrap it at 32.")
def runs_over(row, col):
    return min(1023, 32 * row + col + row)


@wrong("eight-rows", "Only the row's lowest 3 bits go in: rows 0 and 8 still collide.")
def eight(row, col):
    return 32 * row + (col ^ (row & 7))


@wrong("shifted-row", "row // 4 repeats for four rows, and they collide.")
def shifted(row, col):
    return 32 * row + (col ^ (row >> 2))


@wrong("turned-by-two", "Turning by 2 a row comes back after 16 rows.")
def by_two(row, col):
    return 32 * row + (col + 2 * row) % 32


@wrong("and-for-xor", "col & row loses bits: elements share places.")
def masked(row, col):
    return 32 * row + (col & row)


@wrong("or-for-xor", "col | row loses bits: elements share places.")
def either(row, col):
    return 32 * row + (col | row)


@wrong("bank-only", "You return the bank; the place is 32 * row more.")
def bank(row, col):
    return col ^ row


@wrong("product", "col * (row + 1) meets itself where row + 1 is even.")
def product(row, col):
    return 32 * row + col * (row + 1) % 32


@wrong("a-float", "A place is a whole number: // for /.")
def floating(row, col):
    return 32 * row + (col ^ row) / 1
