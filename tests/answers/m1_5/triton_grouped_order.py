"""Answers to triton-grouped-order."""

from autograder.checks.bank import right, wrong


def _refuse(program, tiles_m, tiles_n, group):
    if tiles_m < 1 or tiles_n < 1 or group < 1 or not 0 <= program < tiles_m * tiles_n:
        raise ValueError("outside")


@right("divmod twice")
def by_divmod(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    band, inside = divmod(program, group * tiles_n)
    column, row = divmod(inside, min(group, tiles_m - band * group))
    return band * group + row, column


@right("Triton's tutorial, in its own words")
def tutorial(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    num_pid_in_group = group * tiles_n
    group_id = program // num_pid_in_group
    first_pid_m = group_id * group
    group_size_m = min(tiles_m - first_pid_m, group)
    pid_m = first_pid_m + ((program % num_pid_in_group) % group_size_m)
    return [pid_m, (program % num_pid_in_group) // group_size_m]


@right("written out as a list")
def listed(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    order = [
        (row, column)
        for first in range(0, tiles_m, group)
        for column in range(tiles_n)
        for row in range(first, min(first + group, tiles_m))
    ]
    return order[program]


@wrong("row-major", "This is row-major order: the tiles of a row one after another.")
def row_major(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    return divmod(program, tiles_n)


@wrong("column-major", "This is column-major order over all rows; a band has `group` rows.")
def column_major(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    return program % tiles_m, program // tiles_m


@wrong("row-by-row-in-the-band", "Inside a band you go along the rows; go down each column first.")
def rows_in_band(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    band, inside = divmod(program, group * tiles_n)
    return band * group + inside // tiles_n, inside % tiles_n


@wrong(
    "last-band-too-high", "The last band may have fewer than `group` rows; you give it all of them."
)
def high_band(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    band, inside = divmod(program, group * tiles_n)
    return band * group + inside % group, inside // group


@wrong(
    "last-row-clipped", "You clip the row to the matrix: some tiles are done twice, others never."
)
def clipped(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    band, inside = divmod(program, group * tiles_n)
    return min(band * group + inside % group, tiles_m - 1), inside // group


@wrong("bands-of-columns", "Your bands are made of columns; they are made of rows of tiles.")
def column_bands(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    band, inside = divmod(program, group * tiles_m)
    width = min(group, tiles_n - band * group)
    return inside // width, band * group + inside % width


@wrong("row-and-column-swapped", "You return (column, row); the order is row, column.")
def swapped(program, tiles_m, tiles_n, group):
    return by_divmod(program, tiles_m, tiles_n, group)[::-1]


@wrong("band-left-out", "You return the row inside the band; add the band's first row.")
def no_band(program, tiles_m, tiles_n, group):
    row, column = by_divmod(program, tiles_m, tiles_n, group)
    return row % group, column


@wrong("band-by-tiles-m", "A full band has group * tiles_n programs, not group * tiles_m.")
def by_tiles_m(program, tiles_m, tiles_n, group):
    _refuse(program, tiles_m, tiles_n, group)
    band, inside = divmod(program, group * tiles_m)
    height = max(1, min(group, tiles_m - band * group))
    return band * group + inside % height, inside // height


@wrong("no-refusal", "A program outside the grid must raise ValueError.")
def no_refusal(program, tiles_m, tiles_n, group):
    band, inside = divmod(program, max(1, group * tiles_n))
    height = max(1, min(group, tiles_m - band * group))
    return band * group + inside % height, inside // height


@wrong("negative-accepted", "You accept negative programs: the numbers begin at 0.")
def negative(program, tiles_m, tiles_n, group):
    if min(tiles_m, tiles_n, group) < 1 or program >= tiles_m * tiles_n:
        raise ValueError("outside")
    band, inside = divmod(program, group * tiles_n)
    height = max(1, min(group, tiles_m - band * group))
    return band * group + inside % height, inside // height


@wrong("floats", "Row and column are ints; / gives floats, // does not.")
def floats(program, tiles_m, tiles_n, group):
    row, column = by_divmod(program, tiles_m, tiles_n, group)
    return float(row), float(column)
