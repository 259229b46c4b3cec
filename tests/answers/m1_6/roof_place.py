"""Answers to roof-place."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(points, peak, bandwidth, near, slack, checks):
    if "c" in checks and (peak <= 0 or bandwidth <= 0):
        raise ValueError("ceilings")
    if "z" in checks and near <= 0:
        raise ValueError("near")
    if "o" in checks and near > 1:
        raise ValueError("near")
    if "s" in checks and slack < 0:
        raise ValueError("slack")
    for _, flops, moved, seconds in points:
        bad = ("f" in checks and flops <= 0) or ("b" in checks and moved <= 0)
        if bad or ("t" in checks and seconds <= 0):
            raise ValueError("point")


def _word(share, intensity, ridge, near, slack):
    if share > 1 + slack:
        return "above the roof"
    if share < near:
        return "below both"
    if intensity * (1 + slack) < ridge:
        return "memory"
    return "compute" if intensity > ridge * (1 + slack) else "ridge"


def _model(points, peak, bandwidth, near=0.5, slack=0.1, *, checks="czosfbt", word=_word, roof=min,
           share=None, intensity=None):  # fmt: skip
    _refuse(points, peak, bandwidth, near, slack, checks)
    found = []
    for name, flops, moved, seconds in points:
        value = intensity(flops, moved) if intensity else flops / (moved or 1)
        rate = flops / (seconds or 1)
        top = roof(peak, value * bandwidth) or 1
        part = share(rate, peak, top) if share else rate / top
        said = word(part, value, peak / (bandwidth or 1), near, slack)
        found.append({"name": name, "intensity": value, "rate": rate, "roof": top, "share": part,
                      "verdict": said})  # fmt: skip
    return found


@right("in order of the text")
def plain(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack)


@right("numpy columns")
def columns(points, peak, bandwidth, near=0.5, slack=0.1):
    numbers = np.array([p[1:] for p in points], dtype=np.float64).reshape(-1, 3)
    if (numbers <= 0).any() or not (peak > 0 and bandwidth > 0 and 0 < near <= 1 and slack >= 0):
        raise ValueError("range")
    flops, moved, seconds = numbers.T
    intensity, rate = flops / moved, flops / seconds
    roof = np.minimum(peak, intensity * bandwidth)
    share, wide = rate / roof, 1 + slack
    words = np.select(
        [share > wide, share < near, intensity * bandwidth * wide < peak, intensity * bandwidth > peak * wide],
        ["above the roof", "below both", "memory", "compute"], "ridge")  # fmt: skip
    rows = zip(points, intensity, rate, roof, share, words, strict=True)
    return [{"verdict": str(w), "share": s, "roof": t, "rate": r, "intensity": i, "name": p[0]}
            for p, i, r, t, s, w in rows]  # fmt: skip


@wrong("share-of-peak", "The share is of the operator's own roof, not of the peak.")
def of_peak(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack, share=lambda rate, peak, top: rate / peak)


@wrong("peak-for-roof", "The roof is the lower of peak and intensity * bandwidth.")
def flat(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack, roof=lambda p, m: p)


@wrong("slope-for-roof", "The roof is the lower of peak and intensity * bandwidth.")
def slope(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack, roof=lambda p, m: m)


@wrong("higher-roof", "The lower limit holds.")
def higher(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack, roof=max)


@wrong("share-upside-down", "Share is rate / roof, at most about 1.")
def inverse(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack, share=lambda rate, peak, top: top / rate)


@wrong("share-in-percent", "Share is a ratio, not percent.")
def percent(points, peak, bandwidth, near=0.5, slack=0.1):
    return [
        {**row, "share": 100 * row["share"]} for row in _model(points, peak, bandwidth, near, slack)
    ]


@wrong("share-cut-at-1", "A share above 1 must show: it says that something is wrong.")
def cut(points, peak, bandwidth, near=0.5, slack=0.1):
    return [
        {**row, "share": min(row["share"], 1.0)}
        for row in _model(points, peak, bandwidth, near, slack)
    ]


@wrong("intensity-upside-down", "Intensity is operations by bytes.")
def bytes_a_flop(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack, intensity=lambda f, m: m / (f or 1))


@wrong("above-the-roof-ignored", "A share above 1 + slack is impossible: say so.")
def no_above(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack,
                  word=lambda s, *rest: _word(min(s, 1.0), *rest))  # fmt: skip


@wrong("roof-without-slack", "A share up to 1 + slack is noise, not above the roof.")
def no_slack(points, peak, bandwidth, near=0.5, slack=0.1):
    def word(s, i, r, near, slack):
        return "above the roof" if s > 1 else _word(s, i, r, near, slack)

    return _model(points, peak, bandwidth, near, slack, word=word)


@wrong("below-both-ignored", "A share below `near` is limited by neither roof.")
def no_below(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack,
                  word=lambda s, i, r, near, slack: _word(s, i, r, 0.0, slack))  # fmt: skip


@wrong("near-included", "A share equal to `near` is near enough: < decides.")
def near_equal(points, peak, bandwidth, near=0.5, slack=0.1):
    def word(s, i, r, near, slack):
        return "below both" if s <= near else _word(s, i, r, near, slack)

    return _model(points, peak, bandwidth, near, slack, word=word)


@wrong("limit-of-slack-excluded", "A share of exactly 1 + slack is not above the roof.")
def slack_equal(points, peak, bandwidth, near=0.5, slack=0.1):
    def word(s, i, r, near, slack):
        return "above the roof" if s >= 1 + slack else _word(s, i, r, near, slack)

    return _model(points, peak, bandwidth, near, slack, word=word)


@wrong("no-ridge", "Near the ridge both limits are near: within the slack the verdict is ridge.")
def no_ridge(points, peak, bandwidth, near=0.5, slack=0.1):
    def word(s, i, r, near, slack):
        said = _word(s, i, r, near, slack)
        return said if said != "ridge" else "memory" if i < r else "compute"

    return _model(points, peak, bandwidth, near, slack, word=word)


@wrong("ridge-limits-included", "At exactly ridge * (1 + slack) the verdict is still ridge.")
def wide_equal(points, peak, bandwidth, near=0.5, slack=0.1):
    def word(s, i, r, near, slack):
        said = _word(s, i, r, near, slack)
        return "compute" if said == "ridge" and i >= r * (1 + slack) else said

    return _model(points, peak, bandwidth, near, slack, word=word)


@wrong(
    "one-minus-slack",
    "Below the ridge: intensity * (1 + slack) < ridge, not intensity < ridge * (1 - slack).",
)
def minus(points, peak, bandwidth, near=0.5, slack=0.1):
    def word(s, i, r, near, slack):
        said = _word(s, i, r, near, slack)
        if said in ("memory", "ridge"):
            return (
                "memory" if i < r * (1 - slack) else "compute" if i > r * (1 + slack) else "ridge"
            )
        return said

    return _model(points, peak, bandwidth, near, slack, word=word)


@wrong("sides-swapped", "Left of the ridge is memory, right of it compute.")
def swapped(points, peak, bandwidth, near=0.5, slack=0.1):
    other = {"memory": "compute", "compute": "memory"}
    rows = _model(points, peak, bandwidth, near, slack)
    return [{**row, "verdict": other.get(row["verdict"], row["verdict"])} for row in rows]


@wrong("sorted", "Keep the order of the points.")
def by_share(points, peak, bandwidth, near=0.5, slack=0.1):
    return sorted(_model(points, peak, bandwidth, near, slack), key=lambda row: row["share"])


@wrong("impossible-dropped", "Keep every point: also the impossible ones get a verdict.")
def dropped(points, peak, bandwidth, near=0.5, slack=0.1):
    return [
        r for r in _model(points, peak, bandwidth, near, slack) if r["verdict"] != "above the roof"
    ]


@wrong("defaults-used", "near and slack are arguments.")
def defaults(points, peak, bandwidth, near=0.5, slack=0.1):
    _refuse(points, peak, bandwidth, near, slack, "czosfbt")
    return _model(points, peak, bandwidth)


def _without(letter):
    def answer(points, peak, bandwidth, near=0.5, slack=0.1):
        return _model(points, peak, bandwidth, near, slack, checks="czosfbt".replace(letter, ""))

    return answer


@wrong("ceilings-not-checked", "Ceilings that are not above 0 must raise ValueError.", call=True)
def any_ceiling():
    return _without("c")


@wrong("near-0-accepted", "near 0 must raise ValueError.", call=True)
def near_zero():
    return _without("z")


@wrong("near-above-1-accepted", "near above 1 must raise ValueError.", call=True)
def near_above():
    return _without("o")


@wrong("slack-not-checked", "A negative slack must raise ValueError.", call=True)
def any_slack():
    return _without("s")


@wrong("flops-not-checked", "A point without operations must raise ValueError.", call=True)
def any_flops():
    return _without("f")


@wrong("bytes-not-checked", "A point without bytes must raise ValueError.", call=True)
def any_bytes():
    return _without("b")


@wrong("times-not-checked", "A point without time must raise ValueError.", call=True)
def any_time():
    return _without("t")


@wrong("one-row-a-name", "Two operators may have one name: keep a row for each.")
def by_name(points, peak, bandwidth, near=0.5, slack=0.1):
    return list({row["name"]: row for row in _model(points, peak, bandwidth, near, slack)}.values())


@wrong("no-points-no-checks", "Ceilings, near and slack must be checked without any point too.")
def unchecked(points, peak, bandwidth, near=0.5, slack=0.1):
    return _model(points, peak, bandwidth, near, slack) if points else []


@wrong("only-zero-refused", "Operations, bytes and near below 0 must raise ValueError too.")
def only_zero(points, peak, bandwidth, near=0.5, slack=0.1):
    if near == 0 or any(0 in point[1:3] for point in points):
        raise ValueError("zero")
    return _model(points, peak, bandwidth, near, slack, checks="cost")


@wrong("another-default-near", "`near` is 0.5 where it is not given.")
def other_near(points, peak, bandwidth, near=0.6, slack=0.1):
    return _model(points, peak, bandwidth, near, slack)


@wrong("another-default-slack", "`slack` is 0.1 where it is not given.")
def other_slack(points, peak, bandwidth, near=0.5, slack=0.05):
    return _model(points, peak, bandwidth, near, slack)
