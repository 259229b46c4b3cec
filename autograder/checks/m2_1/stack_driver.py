"""stack-driver: driver and image, with versions compared field by field."""

from itertools import zip_longest

from autograder.checks import case, expect

PARTS = {"fit": 0.5, "compare": 0.3, "refuse": 0.2}
BANK_SEEDS = 1
HINTS = (
    "Turn each version into a list of ints, without zeros at its end; Python compares lists field by field.",
    "Ask in the order of the text: full, minor, forward.",
    "PTX only forbids 'minor'.",
)
# NVIDIA, CUDA Toolkit release notes: the driver that shipped with each version, Linux.
SHIPPED = {"11.8": "520.61.05", "12.0": "525.60.13", "12.2": "535.54.03", "12.4": "550.54.14",
           "12.8": "570.26", "13.0": "580.65.06"}  # fmt: skip
LEAST = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
# Not real: for versions with two figures.
LATER = SHIPPED | {
    "12.5": "555.0",
    "12.6": "560.0.0",
    "12.9": "575.51.03",
    "12.10": "577.9",
    "9.2": "396.37",
    "100.1": "1000.2",
}
LEAST_LATER = LEAST | {9: "396.37", 100: "999"}


def _case(label, part, driver, cuda, ptx=False, branches=(), shipped=SHIPPED, least=LEAST, **more):
    image = {"cuda": cuda, "ptx": ptx, "compat_branches": list(branches)}
    return case(label, part, driver=driver, image=image, shipped=shipped, least=least, **more)


def cases(rng):
    for driver in (
        "550.54.14",
        "580.65.06",
        "535.104.05",
        "525.60.13",
        "520.61.05",
        "450.80.02",
        "418.39",
    ):
        for cuda in SHIPPED:
            for ptx, branches in (
                (False, ()),
                (True, ()),
                (True, (535, 550)),
                (False, (535, 550)),
                (False, (418, 520)),
            ):
                compat = f", compat {branches}" if branches else ""
                yield _case(f"driver {driver}, CUDA {cuda}{', PTX' if ptx else ''}{compat}", "fit",
                            driver, cuda, ptx, branches)  # fmt: skip
    for driver, cuda in (
        ("525.105.17", "12.0"), ("525.9.99", "12.0"), ("525.60.2", "12.0"), ("525.060.13", "12.0"),
        ("570.26.00", "12.8"), ("570", "12.8"), ("570.25.99", "12.8"), ("570.3", "12.8"),
        ("570.124.06", "12.8"),
        ("555", "12.5"), ("554.9", "12.5"), ("560.0", "12.6"), ("560", "12.6"),
        ("576", "12.10"), ("577.8.1", "12.10"), ("577.10", "12.10"), ("577.9.0.0", "12.10"),
        ("576.1", "12.9"),
        ("1000.2", "13.0"), ("1000.10", "100.1"), ("999.0", "100.1"), ("99.9", "100.1"), ("1000", "12.10"),
        ("396.37.00", "9.2"), ("396.4", "9.2"), ("4000.1", "11.8"), ("525.60", "12.4"),
        ("525.60.13.0", "12.4"),
    ):  # fmt: skip
        yield _case(
            f"driver {driver}, CUDA {cuda}",
            "compare",
            driver,
            cuda,
            shipped=LATER,
            least=LEAST_LATER,
        )
        yield _case(f"driver {driver}, CUDA {cuda}, PTX", "compare", driver, cuda, True, [570, 1000],
                    LATER, LEAST_LATER)  # fmt: skip
    for driver in ("", "550.", ".550", "550..14", "550.54.x", "v550.54", "550-54", "550.54.14\n", " 550",
                   "-550.1", "550.\u0665\u0664", "1e3", "5_50.1"):  # fmt: skip
        yield _case(f"driver {driver!r}", "refuse", driver, "12.4", refuse=True)
    for cuda in ("12.5", "12", "12.4.1", ""):
        yield _case(
            f"CUDA {cuda!r}, which is not in the table", "refuse", "600.1", cuda, refuse=True
        )


def probe(solution, driver, image, shipped, least, refuse=False):
    if refuse:
        return refusal(lambda: solution(driver, image, shipped, least))  # noqa: F821
    return solution(driver, image, shipped, least)


def at_least(a, b):
    """Field by field, missing ones as 0."""
    for x, y in zip_longest(a.split("."), b.split("."), fillvalue="0"):
        if int(x) != int(y):
            return int(x) > int(y)
    return True


def fit(driver, image, shipped, least):
    """The rules, in their order."""
    if at_least(driver, shipped[image["cuda"]]):
        return "full"
    family = least[int(image["cuda"].partition(".")[0])]
    if at_least(driver, family) and not image["ptx"]:
        return "minor"
    return "forward" if int(driver.partition(".")[0]) in image["compat_branches"] else "none"


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.that(isinstance(answer, str), "Return one of the four words.", stage="type",
                yours=expect.kind(answer))  # fmt: skip
    want = fit(case.driver, case.image, case.shipped, case.least)
    expect.that(answer == want, f"Wrong for {case.label}.", yours=answer, right=want)
    return None
