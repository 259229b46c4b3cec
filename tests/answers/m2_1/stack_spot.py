"""Answers to stack-spot."""

from fractions import Fraction

from autograder.checks.bank import right, wrong


def _row(m, p):
    return (1 / (1 - p)) ** m - 1


def _model(work, every, p, restart, save, *, skip="", saves=None, rest=True, restarts=None, hours=None,
           number=Fraction):  # fmt: skip
    if "w" not in skip and (work < 1 or every < 1):
        raise ValueError("hours")
    if "p" not in skip and p < 0:
        raise ValueError("p")
    if "1" not in skip and p >= 1:
        raise ValueError("p")
    if "n" not in skip and (restart < 0 or save < 0):
        raise ValueError("negative")
    p, restart, save = number(p), number(restart), number(save)
    sizes = [every] * (work // every)
    if rest and work % every:
        sizes.append(work % every)
    total = number(0)
    for m in sizes:
        fails = _row(m, p)
        total += hours(m, p) if hours else (fails / p if p else m)
        total += (restarts(m, p) if restarts else fails) * restart
    count = len(sizes) - 1 if saves is None else saves(work, every, sizes)
    return total + count * save


@right("formula by pieces")
def by_formula(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h)


@right("recursion hour by hour")
def by_recursion(work_h, every_h, interrupted, restart_h, save_h):
    if (
        work_h < 1
        or every_h < 1
        or interrupted < 0
        or interrupted >= 1
        or restart_h < 0
        or save_h < 0
    ):
        raise ValueError("range")
    keep = 1 - Fraction(interrupted)
    total = Fraction(0)
    in_piece = Fraction(0)
    since = 0
    for hour in range(1, work_h + 1):
        # To reach one more hour in a row: this hour, and after a loss all of it again.
        in_piece = (in_piece + 1 + (1 - keep) * restart_h) / keep
        since += 1
        if since == every_h or hour == work_h:
            total += in_piece + (save_h if hour < work_h else 0)
            in_piece, since = Fraction(0), 0
    return total


@wrong("floats", "Floats are not exact: keep Fractions.")
def floats(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, number=float)


@wrong("float-turned-fraction", "A Fraction made of a float keeps the float's error.")
def turned(work_h, every_h, interrupted, restart_h, save_h):
    return Fraction(float(_model(work_h, every_h, interrupted, restart_h, save_h)) * (1 + 2**-50))


@wrong("one-hour-lost", "An interruption loses all work since the last checkpoint, not one hour.")
def one_hour(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, hours=lambda m, p: m / (1 - p),
                  restarts=lambda m, p: m * p / (1 - p))  # fmt: skip


@wrong("retries-ignored", "Repeated work may be interrupted again.")
def no_retries(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, hours=lambda m, p: m + m * p * m,
                  restarts=lambda m, p: m * p)  # fmt: skip


@wrong(
    "piece-as-one-trial",
    "A piece is not paid in full when it is lost: it ends with the interrupted hour.",
)
def whole_piece(work_h, every_h, interrupted, restart_h, save_h):
    return _model(
        work_h, every_h, interrupted, restart_h, save_h, hours=lambda m, p: m / (1 - p) ** m
    )


@wrong("lost-hour-free", "The interrupted hour is paid in full.")
def free_hour(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h,
                  hours=lambda m, p: (_row(m, p) / p if p else m) - _row(m, p))  # fmt: skip


@wrong("lost-hour-half", "The interrupted hour is paid in full, not by half.")
def half_hour(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h,
                  hours=lambda m, p: (_row(m, p) / p if p else m) - _row(m, p) / 2)  # fmt: skip


@wrong("no-checkpoints", "After a checkpoint only later work is lost.")
def one_piece(work_h, every_h, interrupted, restart_h, save_h):
    if every_h < 1:
        raise ValueError("every")
    saves = max(0, -(-work_h // every_h) - 1)
    return _model(work_h, max(1, work_h), interrupted, restart_h, save_h, saves=lambda *a: saves)


@wrong("checkpoint-at-the-end", "No checkpoint is written at the job's end.")
def at_end(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, saves=lambda w, e, s: len(s))


@wrong("checkpoint-after-full-pieces", "A full last piece is not followed by a checkpoint.")
def full_pieces(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, saves=lambda w, e, s: w // e)


@wrong("checkpoints-free", "Writing checkpoints takes paid time.")
def free_saves(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, saves=lambda *a: 0)


@wrong("rest-forgotten", "The last, shorter piece is work too.")
def no_rest(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, rest=False)


@wrong("rest-as-a-full-piece", "The last piece is only as long as the work that is left.")
def full_rest(work_h, every_h, interrupted, restart_h, save_h):
    if every_h < 1 or work_h < 1:
        raise ValueError("hours")
    return _model(-(-work_h // every_h) * every_h, every_h, interrupted, restart_h, save_h)


@wrong("restarts-free", "A restart is paid after each interruption.")
def free_restarts(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, restarts=lambda m, p: 0)


@wrong("restart-at-start", "The first start is free.")
def first_start(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h) + Fraction(restart_h)


@wrong("restart-each-piece", "A restart follows an interruption, not a checkpoint.")
def each_piece(work_h, every_h, interrupted, restart_h, save_h):
    return _model(
        work_h, every_h, interrupted, restart_h, save_h, restarts=lambda m, p: _row(m, p) + 1
    )


@wrong(
    "restart-hours-p",
    "One restart for each interruption: their number is (1 - p)**-m - 1, not p times the piece.",
)
def few_restarts(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, restarts=lambda m, p: m * p)


@wrong("zero-not-handled", "With p = 0 the work takes its hours: do not divide by 0.")
def no_zero(work_h, every_h, interrupted, restart_h, save_h):
    return _model(
        work_h, every_h, interrupted, restart_h, save_h, hours=lambda m, p: _row(m, p) / p
    )


@wrong("hours-not-checked", "Hours below 1 must raise ValueError.")
def any_hours(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, skip="w")


@wrong("negative-p-accepted", "A negative probability must raise ValueError.")
def negative_p(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, skip="p")


@wrong(
    "certain-loss-accepted", "With a probability of 1 or more the job never ends: raise ValueError."
)
def certain(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, skip="1")


@wrong("negative-times-accepted", "Negative times must raise ValueError.")
def negative_times(work_h, every_h, interrupted, restart_h, save_h):
    return _model(work_h, every_h, interrupted, restart_h, save_h, skip="n")
