"""layout-offset: the place of an element in an array that NumPy has laid out."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"NCHW and NHWC": 0.5, "blocks of eight": 0.3, "bad input": 0.2}
HINTS = (
    "Horner's rule: begin with the slowest index, then times the next size, plus the next index.",
    "NHWC: ((n * H + h) * W + w) * C + c.",
    "NCHW8c: block, inside = divmod(c, 8), and ceil(C / 8) blocks.",
)


def cases(rng):
    def make(label, part, shape, layout):
        index = [tuple(int(rng.integers(s)) for s in shape) for _ in range(12)]
        corners = [
            (0, 0, 0, 0),
            tuple(s - 1 for s in shape),
            (0, shape[1] - 1, 0, 0),
            (0, 0, shape[2] - 1, 0),
        ]
        return case(
            f"{label} {layout}", part, shape=shape, layout=layout, index=corners + index, bad=False
        )

    for layout in ("NCHW", "NHWC"):
        for label, shape in (("square", (1, 3, 4, 4)), ("ragged", (2, 5, 3, 7)), ("a vector", (3, 6, 1, 1)),
                             ("one channel", (2, 1, 5, 2)), ("wide", (2, 16, 9, 31))):  # fmt: skip
            yield make(label, "NCHW and NHWC", shape, layout)
    for label, shape in (("whole blocks", (2, 16, 3, 5)), ("a ragged block", (2, 11, 4, 3)),
                         ("fewer than eight", (3, 3, 2, 4)), ("eight", (1, 8, 3, 3))):  # fmt: skip
        yield make(label, "blocks of eight", shape, "NCHW8c")
    good = (2, 3, 4, 5)
    for label, shape, layout, index in (
        ("an unknown layout", good, "CHWN", (0, 0, 0, 0)),
        ("a lowercase layout", good, "nchw", (0, 0, 0, 0)),
        ("a channel too far", good, "NCHW", (0, 3, 0, 0)),
        ("a padding channel", good, "NCHW8c", (0, 3, 0, 0)),
        ("a negative row", good, "NHWC", (0, 0, -1, 0)), ("three indices", good, "NCHW", (0, 0, 0)),
        ("three sizes", (3, 4, 5), "NCHW", (0, 0, 0)),
        ("a batch too far", good, "NHWC", (2, 0, 0, 0)), ("a row too far", good, "NCHW", (0, 0, 4, 0)),
        ("a column too far", good, "NHWC", (0, 0, 0, 5)), ("a negative batch", good, "NCHW", (-1, 0, 0, 0)),
        ("a negative channel", good, "NCHW8c", (1, -1, 0, 0)),
        ("a negative column", good, "NCHW", (1, 1, 1, -1)),
        ("five indices", good, "NCHW", (0, 0, 0, 0, 0)), ("five sizes", (*good, 6), "NHWC", (0, 0, 0, 0)),
    ):  # fmt: skip
        yield case(label, "bad input", shape=shape, layout=layout, index=[index], bad=True)


def probe(solution, shape, layout, index, bad):
    if bad:
        return refusal(lambda: solution(index[0], shape, layout))
    return [solution(i, shape, layout) for i in index]


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    n, c, h, w = case.shape
    tags = np.arange(n * c * h * w).reshape(case.shape)
    if case.layout == "NHWC":
        memory = tags.transpose(0, 2, 3, 1).ravel()
    elif case.layout == "NCHW":
        memory = tags.ravel()
    else:
        padded = np.full((n, -(-c // 8) * 8, h, w), -1)
        padded[:, :c] = tags
        memory = padded.reshape(n, -1, 8, h, w).transpose(0, 1, 3, 4, 2).ravel()
    where = {int(tag): at for at, tag in enumerate(memory)}
    for index, got in zip(case.index, answer, strict=True):
        expect.integer(got, where[int(tags[index])], f"the offset of {index} in {case.shape}")
    return None
