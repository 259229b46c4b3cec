"""Answers to cubic-schedule."""

import math

from autograder.checks.bank import right, wrong


def _sparsity(
    step, start, every, updates, initial=0.0, final=0.9, *, power=3, done=None, shape=None,
    checks="eusf",
):  # fmt: skip
    if ("e" in checks and every < 1) or ("u" in checks and updates < 1):
        raise ValueError("every, updates")
    if "s" in checks and not (0 <= initial <= 1 and 0 <= final <= 1):
        raise ValueError("sparsity")
    if "f" in checks and final < initial:
        raise ValueError("order")
    every, updates = max(every, 1), max(updates, 1)
    k = done(step) if done else min(max((step - start) // every, 0), updates)
    x = k / updates
    return shape(x) if shape else final + (initial - final) * (1 - x) ** power


@right("the formula")
def by_formula(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, updates, initial, final)


@right("cases apart")
def by_cases(step, start, every, updates, initial=0.0, final=0.9):
    if every <= 0 or updates <= 0 or math.isnan(initial) or math.isnan(final):
        raise ValueError("bad")
    if initial < 0 or final > 1 or initial > final:
        raise ValueError("bad")
    if step < start:
        return initial
    if step >= start + updates * every:
        return final
    last = step - (step - start) % every
    left = 1 - (last - start) / (every * updates)
    return final - (final - initial) * left**3


@wrong("linear", "You raise the sparsity in a straight line; the cube is missing.")
def linear(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, updates, initial, final, power=1)


@wrong("square", "You take the square; Zhu and Gupta take the cube.")
def square(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, updates, initial, final, power=2)


@wrong(
    "slow-start", "Your curve starts slowly and ends steeply; the cube is of what is LEFT, 1 - k/n."
)
def slow(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        shape=lambda x: initial + (final - initial) * x**3,
    )  # fmt: skip


@wrong("ends-swapped", "Your curve falls: initial and final are swapped.")
def swapped(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        shape=lambda x: initial + (final - initial) * (1 - x) ** 3,
    )  # fmt: skip


@wrong("no-stairs", "Your sparsity changes at every step; it stands still between two updates.")
def smooth(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        done=lambda s: min(max((s - start) / max(every, 1), 0), max(updates, 1)),
    )  # fmt: skip


@wrong("rounded-up", "You count the update that is still to come; floor, not ceil.")
def up(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        done=lambda s: min(max(-(-(s - start) // max(every, 1)), 0), max(updates, 1)),
    )  # fmt: skip


@wrong("start-ignored", "You count the steps from 0; the schedule begins at `start`.")
def from_zero(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, 0, every, updates, initial, final)


@wrong("no-end", "After the last update your formula goes on; hold the sparsity at final.")
def no_end(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        done=lambda s: max((s - start) // max(every, 1), 0),
    )  # fmt: skip


@wrong("no-beginning", "Before `start` your formula runs backwards; hold the sparsity at initial.")
def no_beginning(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        done=lambda s: min((s - start) // max(every, 1), max(updates, 1)),
    )  # fmt: skip


@wrong("zero-before-the-start", "Before `start` the sparsity is `initial`, not 0.")
def zero_before(step, start, every, updates, initial=0.0, final=0.9):
    value = _sparsity(step, start, every, updates, initial, final)
    return 0.0 if step < start else value


@wrong(
    "one-update-too-few",
    "You divide by updates - 1; the first update is k = 1, the last k = updates.",
)
def off_by_one(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        done=lambda s: min(
            min(max((s - start) // max(every, 1), 0), updates) * updates / max(updates - 1, 1),
            updates,
        ),
    )  # fmt: skip


@wrong("initial-ignored", "You begin at 0 whatever `initial` says.")
def no_initial(step, start, every, updates, initial=0.0, final=0.9):
    value = _sparsity(step, start, every, updates, initial, final)
    return _sparsity(step, start, every, updates, 0.0, final) if value is not None else value


@wrong("density", "You return the share that stays.")
def density(step, start, every, updates, initial=0.0, final=0.9):
    return 1 - _sparsity(step, start, every, updates, initial, final)


@wrong("rounded", "You round the sparsity to two places; return it as it is.")
def rounded(step, start, every, updates, initial=0.0, final=0.9):
    return round(_sparsity(step, start, every, updates, initial, final), 2)


@wrong("percent", "A sparsity of 90 is refused, not read as per cent.")
def percent(step, start, every, updates, initial=0.0, final=0.9):
    final = final / 100 if final > 1.5 else final
    return _sparsity(step, start, every, updates, initial, final)


@wrong("every-not-checked", "every and updates below 1 must raise ValueError.")
def no_every(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, updates, initial, final, checks="sf")


@wrong("sparsity-not-checked", "initial and final outside [0, 1] must raise ValueError.")
def no_range(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, updates, initial, final, checks="euf")


@wrong("order-not-checked", "final below initial must raise ValueError: nothing grows back here.")
def no_order(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, updates, initial, final, checks="eus")


@wrong("nan-accepted", "A NaN passes `initial < 0 or final > 1`; write 0 <= initial <= final <= 1.")
def nan(step, start, every, updates, initial=0.0, final=0.9):
    if initial < 0 or final > 1 or final < initial or every < 1 or updates < 1:
        raise ValueError("bad")
    return _sparsity(step, start, every, updates, initial, final, checks="")


@wrong(
    "checked-late", "You check the arguments only while pruning runs; refuse them at every step."
)
def late(step, start, every, updates, initial=0.0, final=0.9):
    if step <= start:
        return initial
    return _sparsity(step, start, every, updates, initial, final)


@right("update by update")
def by_updates(step, start, every, updates, initial=0.0, final=0.9):
    _sparsity(0, 0, every, updates, 0.0, 0.0)
    if not 0 <= initial <= final <= 1:
        raise ValueError("sparsity")
    left = 1.0
    for k in range(1, updates + 1):
        if step >= start + k * every:
            left = ((updates - k) / updates) ** 3
    return left * initial + (1 - left) * final


@wrong(
    "stairs-from-step-0",
    "Your stairs lie at multiples of `every`; they are counted from `start`.",
)
def absolute_stairs(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(
        step, start, every, updates, initial, final,
        done=lambda s: min(max(s // max(every, 1) - start // max(every, 1), 0), updates),
    )  # fmt: skip


@wrong("updates-of-zero-only", "Fewer than one update must raise ValueError, -1 as well.")
def negative_updates(step, start, every, updates, initial=0.0, final=0.9):
    return _sparsity(step, start, every, abs(updates), initial, final)
