"""Answers to slurm-time."""

import math
import re

from autograder.checks.bank import right, wrong


def _model(text, *, check=True, up=math.ceil, one="m", two="m:s", day="h", words=True, zero=True, case=True, ascii=True):  # fmt: skip
    if words and (text.lower() if case else text) in (
        "unlimited",
        "infinite",
        *(("UNLIMITED", "INFINITE") if case else ()),
    ):
        return None
    digits = "[0-9]+" if ascii else r"\d+"
    if check and not re.fullmatch(rf"({digits}-)?{digits}(:{digits}){{0,2}}", text):
        raise ValueError(text)
    days, dash, rest = text.strip().rpartition("-")
    parts = [int(x) for x in rest.split(":") if x]
    if dash and day == "h":
        parts = (parts + [0, 0])[:3]
    elif len(parts) == 1:
        parts = {"m": [0, parts[0], 0], "s": [0, 0, parts[0]], "h": [parts[0], 0, 0]}[one]
    elif len(parts) == 2:
        parts = [0, *parts] if two == "m:s" else [*parts, 0]
    seconds = int(days or 0) * 86400 + sum(
        x * u for x, u in zip(parts, (3600, 60, 1), strict=False)
    )
    return (up(seconds / 60) or None) if zero else up(seconds / 60)


@right("fields by count")
def by_count(text):
    return _model(text)


@right("a pattern a form")
def patterns(text):
    if re.fullmatch("(?i)unlimited|infinite", text):
        return None
    for pattern in (r"(?P<m>[0-9]+)", r"(?P<m>[0-9]+):(?P<s>[0-9]+)", r"(?P<h>[0-9]+):(?P<m>[0-9]+):(?P<s>[0-9]+)",
                    r"(?P<d>[0-9]+)-(?P<h>[0-9]+)(:(?P<m>[0-9]+))?(:(?P<s>[0-9]+))?"):  # fmt: skip
        found = re.fullmatch(pattern, text)
        if found:
            get = {k: int(v or 0) for k, v in found.groupdict().items()}
            minutes = get.get("d", 0) * 1440 + get.get("h", 0) * 60 + get.get("m", 0)
            minutes += (get.get("s", 0) + 59) // 60
            return minutes if minutes else None
    raise ValueError("no time limit: " + text)


def _wrong(name, sentence, **how):
    def answer(text):
        return _model(text, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong("one-number-is-seconds", "One number alone is minutes.", one="s")
_wrong("one-number-is-hours", "One number alone is minutes.", one="h")
_wrong("two-numbers-are-hours", "1:30 is minutes and seconds.", two="h:m")
_wrong("behind-days-as-without", "Behind a day part the first field is hours.", day="as without")
_wrong("seconds-dropped", "Seconds are rounded up to the next minute.", up=math.floor)
_wrong("seconds-rounded", "Seconds are rounded up, not to the nearest.", up=round)
_wrong("fraction-of-a-minute", "The resolution is a whole minute.", up=lambda x: x)
_wrong("zero-minutes", "Zero means no limit: None.", zero=False)
_wrong("words-forgotten", "UNLIMITED and INFINITE mean no limit.", words=False)
_wrong("words-in-small-letters-alone", "UNLIMITED may stand in capitals too.", case=False)
_wrong("other-digits", "Only the digits 0 to 9 are read.", ascii=False)


@wrong("not-checked", "What has none of the forms must raise ValueError.")
def unchecked(text):
    try:
        return _model(text, check=False)
    except ValueError:
        return None


@wrong("stripped", "Spaces around it are an error.")
def stripped(text):
    return _model(text.strip())


@wrong("fields-limited-to-59", "90:00 is 90 minutes: fields are not limited.")
def limited(text):
    if any(int(x) > 59 for x in re.findall("[0-9]+", text.partition("-")[2] or text)[1:]):
        raise ValueError(text)
    return _model(text)


@wrong("dollar-lets-a-line-end-pass", "A line end behind it is an error: use fullmatch.")
def dollar(text):
    if re.match(r"^([0-9]+-)?[0-9]+(:[0-9]+){0,2}$", text):
        text = text.rstrip("\n")
    return _model(text)


@wrong("seconds", "The answer is in minutes.")
def seconds(text):
    found = _model(text, up=lambda x: x)
    return found and round(found * 60)
