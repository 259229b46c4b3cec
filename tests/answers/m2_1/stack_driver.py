"""Answers to stack-driver."""

import re

from autograder.checks.bank import right, wrong


def _fields(text):
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", text):
        raise ValueError("version")
    fields = [int(x) for x in text.split(".")]
    while fields and not fields[-1]:
        fields.pop()
    return tuple(fields)


def _model(driver, image, shipped, least, *, version=_fields, key=True, ptx=True, order="fmw", beyond=False,
           major=None, branch=None, forward_ptx=True, family=True, at_least=lambda a, b: a >= b):  # fmt: skip
    have = version(driver)
    cuda = image["cuda"]
    if cuda not in shipped:
        if key:
            raise ValueError("CUDA")
        return "none"
    major = major(cuda) if major else int(cuda.split(".")[0])
    own = branch(driver) if branch else int(driver.split(".")[0])
    full = at_least(have, version(shipped[cuda]))
    minor = family and at_least(have, version(least[major])) and not (ptx and image["ptx"])
    forward = own in image["compat_branches"] and (forward_ptx or not image["ptx"])
    if beyond:
        forward = bool(image["compat_branches"]) and own >= min(image["compat_branches"])
    for letter in order:
        for name, holds in (("full", full), ("minor", minor), ("forward", forward)):
            if {"f": "full", "m": "minor", "w": "forward"}[letter] == name and holds:
                return name
    return "none"


@right("tuples without zeros at the end")
def by_tuples(driver, image, shipped, least):
    return _model(driver, image, shipped, least)


@right("padded lists")
def by_padding(driver, image, shipped, least):
    def numbers(text):
        pieces = text.split(".")
        if not all(p and all(c in "0123456789" for c in p) for p in pieces):
            raise ValueError(f"{text!r} is no version")
        return [int(p) for p in pieces] + [0] * (8 - len(pieces))

    mine = numbers(driver)
    if image["cuda"] not in shipped:
        raise ValueError("unknown CUDA")
    if mine >= numbers(shipped[image["cuda"]]):
        return "full"
    if not image["ptx"] and mine >= numbers(least[numbers(image["cuda"])[0]]):
        return "minor"
    return "forward" if mine[0] in image["compat_branches"] else "none"


@wrong("text-compared", "Versions are not text: '525.105' is newer than '525.60'.")
def as_text(driver, image, shipped, least):
    def version(text):
        _fields(text)
        return text

    return _model(driver, image, shipped, least, version=version)


@wrong("float-compared", "A version is no float: 570.124 is newer than 570.26.")
def as_float(driver, image, shipped, least):
    def version(text):
        _fields(text)
        return float(".".join(text.split(".")[:2]))

    return _model(driver, image, shipped, least, version=version)


@wrong("branch-only", "All numbers of a version count, not the first alone.")
def first_number(driver, image, shipped, least):
    return _model(driver, image, shipped, least, version=lambda t: _fields(t)[:1])


@wrong("two-numbers-only", "The third number counts as well.")
def two_numbers(driver, image, shipped, least):
    return _model(driver, image, shipped, least, version=lambda t: _fields(t)[:2])


@wrong("zeros-at-the-end", "570.26 and 570.26.0 are the same: numbers left out count as 0.")
def zeros(driver, image, shipped, least):
    def version(text):
        _fields(text)
        return tuple(int(x) for x in text.split("."))

    return _model(driver, image, shipped, least, version=version)


@wrong("digits-joined", "Removing the points does not keep the order: numbers differ in length.")
def joined(driver, image, shipped, least):
    def version(text):
        _fields(text)
        return int(text.replace(".", ""))

    return _model(driver, image, shipped, least, version=version)


@wrong("newer-than", "A driver that equals the one that shipped is enough.")
def strictly(driver, image, shipped, least):
    return _model(driver, image, shipped, least, at_least=lambda a, b: a > b)


@wrong("no-minor", "Within a major version, drivers from the family's least on will do.")
def no_minor(driver, image, shipped, least):
    return _model(driver, image, shipped, least, family=False)


@wrong("ptx-ignored", "With PTX to compile, minor-version compatibility does not hold.")
def ptx_ignored(driver, image, shipped, least):
    return _model(driver, image, shipped, least, ptx=False)


@wrong(
    "ptx-forbids-forward",
    "The compat package brings a compiler for PTX: forward compatibility holds.",
)
def ptx_forward(driver, image, shipped, least):
    return _model(driver, image, shipped, least, forward_ptx=False)


@wrong("forward-first", "Minor-version compatibility comes before forward compatibility.")
def forward_first(driver, image, shipped, least):
    return _model(driver, image, shipped, least, order="fwm")


@wrong(
    "forward-before-full", "A driver that is new enough is 'full', whatever package the image has."
)
def forward_before_full(driver, image, shipped, least):
    return _model(driver, image, shipped, least, order="wfm")


@wrong("minor-before-full", "'full' comes first.")
def minor_first(driver, image, shipped, least):
    return _model(driver, image, shipped, least, order="mfw")


@wrong("no-forward", "The compat package counts if the driver's branch is in its list.")
def no_forward(driver, image, shipped, least):
    return _model(driver, image, shipped, least, order="fm")


@wrong(
    "forward-for-newer-branches",
    "Forward compatibility holds for the listed branches only, not for all newer ones.",
)
def beyond(driver, image, shipped, least):
    return _model(driver, image, shipped, least, beyond=True)


@wrong(
    "package-is-enough", "A compat package alone is not enough: the driver's branch must be listed."
)
def any_branch(driver, image, shipped, least):
    found = _model(driver, image, shipped, least)
    return "forward" if found == "none" and image["compat_branches"] else found


@wrong(
    "major-of-two-characters", "The major version is what stands before the point, of any length."
)
def two_characters(driver, image, shipped, least):
    return _model(driver, image, shipped, least, major=lambda cuda: int(cuda[:2].rstrip(".")))


@wrong("branch-of-three-characters", "A driver's branch is its first number, of any length.")
def three_characters(driver, image, shipped, least):
    return _model(driver, image, shipped, least, branch=lambda driver: int(driver[:3]))


@wrong(
    "same-major-only",
    "A driver of a newer family runs older CUDA fully: it is backward compatible.",
)
def same_major(driver, image, shipped, least):
    found = _model(driver, image, shipped, least)
    newer = [_fields(v) for k, v in least.items() if k > int(image["cuda"].split(".")[0])]
    return "none" if any(_fields(driver) >= v for v in newer) else found


@wrong("malformed-accepted", "A text that is no version must raise ValueError.")
def malformed(driver, image, shipped, least):
    def version(text):
        fields = [int(x) if x.strip("-").isdecimal() else 0 for x in re.split(r"[.\-_ v]", text)]
        while fields and not fields[-1]:
            fields.pop()
        return fields

    return _model(
        driver, image, shipped, least, version=version, branch=lambda d: (version(d) or [0])[0]
    )


@wrong(
    "int-accepts-too-much", "int() accepts blanks, signs, underscores and other alphabets' digits."
)
def by_int(driver, image, shipped, least):
    def version(text):
        fields = [int(x) for x in text.split(".")]
        while fields and not fields[-1]:
            fields.pop()
        return fields

    return _model(driver, image, shipped, least, version=version)


@wrong("unknown-cuda-is-none", "A CUDA version that is not in the table must raise ValueError.")
def unknown(driver, image, shipped, least):
    return _model(driver, image, shipped, least, key=False)
