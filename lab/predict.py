"""Predict, then measure: put the learner's guess beside the figure that came out."""

import math
from numbers import Real


def reveal(guess, measured: float, unit: str = "", tolerance: float = 0.1) -> None:
    """Print the guess beside the measured figure and how far off it was.

    Args:
        guess: the learner's number; `None` or `...` when there is none yet.
        measured: the figure that this notebook measured.
        unit: printed after both numbers, such as "ms" or "%".
        tolerance: the relative distance within which a guess counts as right.
    """
    if guess is None or guess is ...:
        print(
            "No guess yet: put your number in `...` above and run again. "
            f"Measured: {_show(measured, unit)}."
        )
        return
    if isinstance(guess, bool) or not isinstance(guess, Real) or not math.isfinite(guess):
        print(
            f"Your guess {guess!r} is no number: write one such as 4 or 0.25. "
            f"Measured: {_show(measured, unit)}."
        )
        return
    print(
        f"You guessed {_show(guess, unit)}, measured {_show(measured, unit)}. "
        f"{_verdict(float(guess), float(measured), unit, tolerance)}"
    )


def _verdict(guess: float, measured: float, unit: str, tolerance: float) -> str:
    """One sentence; a ratio where both numbers have one sign, else a difference."""
    if not math.isfinite(measured):
        return "The measured figure is not finite, so there is nothing to compare with."
    if math.isclose(guess, measured, rel_tol=1e-9):
        return "Exactly right."
    # Relative to the measured figure, so that a tolerance of 0.1 means "within 10 %".
    if measured != 0 and abs(guess - measured) <= tolerance * abs(measured):
        return f"Well guessed: {abs(guess - measured) / abs(measured):.1%} off."
    side = "high" if guess > measured else "low"
    if guess * measured > 0:
        ratio = max(abs(guess), abs(measured)) / min(abs(guess), abs(measured))
        if ratio >= 1.995:
            return f"Too {side}, by a factor of {ratio:.3g}."
        return f"Too {side}, by {abs(guess - measured) / abs(measured):.0%}."
    return f"Too {side}, by {_show(abs(guess - measured), unit)}."


def _show(value: float, unit: str) -> str:
    """Four significant digits with the unit, thousands separated."""
    number = float(value)
    if number.is_integer() and abs(number) < 1e15:
        text = f"{int(number):,}"
    elif 1e-4 <= abs(number) < 1e6:
        text = f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
    else:
        text = f"{number:.4g}"
    return f"{text} {unit}".rstrip()
