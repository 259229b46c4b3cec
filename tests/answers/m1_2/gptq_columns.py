"""Answers to gptq-columns."""

import numpy as np

from autograder.checks.bank import right, wrong


def _code(column, scale, zero, bits, rounding=np.rint):
    return np.clip(rounding(column / scale) + zero, 0, 2**bits - 1).astype(np.uint8)


def _loop(
    w, u, scale, zero, bits, *, rounding=np.rint, sign=1.0, row=None, divisor=None, code=_code
):
    """The loop of the exercise; row(u, j) and divisor(u, j) are what wrong answers replace."""
    w, codes, errors = w.copy(), np.zeros(w.shape, np.uint8), np.zeros(w.shape)
    for j in range(w.shape[1]):
        codes[:, j] = code(w[:, j], scale, zero, bits, rounding)
        lost = w[:, j] - (codes[:, j] - zero) * scale
        errors[:, j] = lost / (divisor(u, j) if divisor else u[j, j])
        later = row(u, j) if row else u[j, j + 1 :]
        w[:, j + 1 :] -= sign * np.outer(errors[:, j], later)
    return codes, errors


@right("the column loop")
def the_loop(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits)


@right("left-looking: a column is brought up to date when its turn comes")
def left_looking(w, u, scale, zero, bits):
    errors, codes = np.zeros(w.shape), np.zeros(w.shape, np.uint8)
    for j in range(w.shape[1]):
        now = w[:, j] - errors[:, :j] @ u[:j, j]
        codes[:, j] = _code(now, scale, zero, bits)
        errors[:, j] = (now - (codes[:, j].astype(float) - zero) * scale) / u[j, j]
    return codes, errors


@right("row by row")
def row_by_row(w, u, scale, zero, bits):
    codes, errors = np.zeros(w.shape, np.uint8), np.zeros(w.shape)
    for r in range(len(w)):
        row = w[r].copy()
        for j in range(len(row)):
            q = min(max(round(row[j] / scale[r]) + zero[r], 0), 2**bits - 1)
            codes[r, j] = q
            errors[r, j] = (row[j] - (q - zero[r]) * scale[r]) / u[j, j]
            row[j:] -= errors[r, j] * u[j, j:]
    return codes, errors


@right("torch, with the whole row of U")
def by_torch(w, u, scale, zero, bits):
    import torch

    w, u, scale, zero = (torch.tensor(a) for a in (w, u, scale, zero))
    codes, errors = [], []
    for j in range(w.shape[1]):
        q = torch.clamp(torch.round(w[:, j] / scale) + zero, 0, 2**bits - 1)
        e = (w[:, j] - (q - zero) * scale) / u[j, j]
        w[:, j:] -= e[:, None] * u[j, j:][None]
        codes.append(q.to(torch.uint8))
        errors.append(e)
    return torch.stack(codes, 1).numpy(), torch.stack(errors, 1).numpy()


@wrong("no-repair", "You rounded every weight alone; later columns must repair each error.")
def no_repair(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits, sign=0.0)


@wrong("wrong-sign", "You added the update; subtract it.")
def wrong_sign(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits, sign=-1.0)


@wrong("column-of-u", "You took column j of U, which is zero below the diagonal; take row j.")
def column_of_u(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits, row=lambda u, j: u[j + 1 :, j])


@wrong(
    "row-of-the-inverse", "You used H^-1 of all columns throughout; row j of U has the free ones."
)
def row_of_the_inverse(w, u, scale, zero, bits):
    inverse = u.T @ u
    codes, errors = _loop(
        w, inverse, scale, zero, bits, row=lambda a, j: a[j, j + 1 :], divisor=lambda a, j: a[j, j]
    )
    return codes, errors * np.diag(inverse) / np.diag(u)


@wrong("not-divided", "You did not divide the error by U_jj.")
def not_divided(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits, divisor=lambda u, j: 1.0)


@wrong("divided-twice", "You divided by U_jj squared; one factor of it stands in the row.")
def divided_twice(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits, divisor=lambda u, j: u[j, j] ** 2)


@wrong("plain-errors", "Your codes are right, but the errors must be divided by U_jj.")
def plain_errors(w, u, scale, zero, bits):
    codes, errors = _loop(w, u, scale, zero, bits)
    return codes, errors * np.diag(u)


@wrong(
    "errors-of-the-original",
    "Your errors compare with the original weights; take them as they are then.",
)
def errors_of_the_original(w, u, scale, zero, bits):
    codes, _ = _loop(w, u, scale, zero, bits)
    restored = (codes.astype(float) - zero[:, None]) * scale[:, None]
    return codes, (w - restored) / np.diag(u)


@wrong("next-column-only", "You repaired in the next column alone; all later ones take part.")
def next_column_only(w, u, scale, zero, bits):
    return _loop(
        w, u, scale, zero, bits, row=lambda u, j: u[j, j + 1 :] * (np.arange(len(u) - j - 1) < 1)
    )


@wrong("backwards", "You went from right to left; U belongs to the order from left to right.")
def backwards(w, u, scale, zero, bits):
    flipped = np.ascontiguousarray(u[::-1, ::-1].T)
    codes, errors = _loop(w[:, ::-1], flipped, scale, zero, bits)
    return codes[:, ::-1].copy(), errors[:, ::-1].copy()


@wrong("floor-for-round", "You rounded down; encode rounds to nearest.")
def floor_for_round(w, u, scale, zero, bits):
    return _loop(w, u, scale, zero, bits, rounding=np.floor)


@wrong("no-clip", "Codes beyond the range wrap around in uint8; clip them.")
def no_clip(w, u, scale, zero, bits):
    def free(column, scale, zero, bits, rounding):
        return (rounding(column / scale) + zero).astype(np.int64).astype(np.uint8)

    return _loop(w, u, scale, zero, bits, code=free)


@wrong("signed-codes", "Your codes are int8; 8 bits need 0 to 255.")
def signed_codes(w, u, scale, zero, bits):
    codes, errors = _loop(w, u, scale, zero, bits)
    return codes.astype(np.int8), errors


@wrong("restored-for-codes", "You returned restored weights in place of the codes.")
def restored_for_codes(w, u, scale, zero, bits):
    codes, errors = _loop(w, u, scale, zero, bits)
    return (codes.astype(float) - zero[:, None]) * scale[:, None], errors


@wrong("zero-point-forgotten", "You restored without the zero-point: (codes - zero) * scale.")
def zero_point_forgotten(w, u, scale, zero, bits):
    w, codes, errors = w.copy(), np.zeros(w.shape, np.uint8), np.zeros(w.shape)
    for j in range(w.shape[1]):
        codes[:, j] = _code(w[:, j], scale, zero, bits)
        errors[:, j] = (w[:, j] - codes[:, j] * scale) / u[j, j]
        w[:, j + 1 :] -= np.outer(errors[:, j], u[j, j + 1 :])
    return codes, errors


@wrong("in-place", "You changed the caller's weights; work on a copy.")
def in_place(w, u, scale, zero, bits):
    codes, errors = _loop(w, u, scale, zero, bits)
    w[:] = (codes.astype(float) - zero[:, None]) * scale[:, None]
    return codes, errors


@wrong(
    "zero-point-inside-round",
    "You added the zero-point before rounding; with an odd one the ties fall differently.",
)
def zero_inside(w, u, scale, zero, bits):
    code = lambda v, s, z, b, r: np.clip(r(v / s + z), 0, 2**b - 1).astype(np.uint8)  # noqa: E731
    return _loop(w, u, scale, zero, bits, code=code)
