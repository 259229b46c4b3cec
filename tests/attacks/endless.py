"""Answers that do not come to an end, in Python, in C, asleep, and deaf to interrupts."""

from attacks.bank import attack

SLOW = "it would only make the run wait for its time limit"


def sqnr(h, body: str) -> None:
    h.answer("sqnr", f"import re, signal, time\ndef sqnr(x, x_hat):\n    {body}")


@attack(never=SLOW)
def endless_loop(h):
    """Loops in Python."""
    sqnr(h, "while True: pass")


@attack(never=SLOW)
def endless_loop_in_c(h):
    """Sums a range of 10**15 numbers in C, where no interrupt is seen."""
    sqnr(h, "return sum(range(10**15)), 0.0")


@attack(never=SLOW)
def endless_regular_expression(h):
    """Matches a pattern that backtracks for years."""
    sqnr(h, "return re.match('(a+)+$', 'a' * 60 + 'b')")


@attack(never=SLOW)
def endless_integer_power(h):
    """Computes a power with a thousand million digits."""
    sqnr(h, "return (3 ** (10**9)) % 7, 0.0")


@attack(never=SLOW)
def loop_that_swallows_interrupts(h):
    """Loops, and catches every exception that an interrupt raises."""
    sqnr(
        h,
        "while True:\n        try:\n            while True: time.sleep(0.01)\n"
        "        except BaseException: continue",
    )


@attack(never=SLOW)
def loop_that_ignores_signals(h):
    """Loops with all signals ignored and blocked."""
    sqnr(
        h,
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\n    while True: pass",
    )


@attack(never=SLOW)
def sleeper_in_a_cell(h):
    """Sleeps in a cell of its own instead of in an answer."""
    h.first("import time\nwhile True:\n    try: time.sleep(10**6)\n    except BaseException: pass")


@attack(answers="right", never=SLOW)
def sleeper_below_the_limit(h):
    """Sleeps a moment in every case, so that each check takes as long as it may."""
    h.first(
        "import time\nreal = math.log10\ndef slow(v): time.sleep(0.15); return real(v)\nmath.log10 = slow"
    )


@attack(answers="right", never=SLOW)
def loop_in_one_exercise_only(h):
    """Loops in the first exercise in C; the second one is right."""
    sqnr(h, "return sum(range(10**15)), 0.0")


@attack(never=SLOW)
def sleeps_at_import_of_the_next(h):
    """Makes every import sleep, the runner's among them."""
    h.first(
        "import builtins, time\n"
        "real = builtins.__import__\n"
        "def slow(*a, **k):\n"
        "    time.sleep(10**6)\n"
        "def patch(): builtins.__import__ = slow\n"
        "tamper('import', patch)"
    )
