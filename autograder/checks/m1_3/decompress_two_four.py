"""decompress-two-four: the dense matrix again, and damaged metadata refused."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import two_four

PARTS = {"restored": 0.45, "odd groups and dtypes": 0.25, "bad input": 0.3}
HINTS = (
    "Codes: the low four bits first, then the high four, cut to the number of groups.",
    "i = code & 3, j = code >> 2; scatter_ on zeros of (rows, groups, 4).",
    "Refuse a code with i >= j: it names no two places.",
)


def _stored(rng, rows, columns, dtype=np.float32):
    dense = two_four.sparse(rng, rows, columns, dtype)
    values, metadata = two_four.compress(dense)
    return dense, {"values": values, "metadata": metadata}


def cases(rng):
    for rows, columns in ((1, 8), (3, 16), (8, 24), (32, 64)):
        dense, stored = _stored(rng, rows, columns)
        yield case(f"({rows}, {columns})", "restored", **stored, dense=dense)
    dense, stored = _stored(rng, 2, 16)
    yield case("values that are zero", "restored", dense=dense * 0,
               values=stored["values"] * 0, metadata=stored["metadata"])  # fmt: skip
    codes = np.array([[4, 8, 12, 9, 13, 14]], np.uint8)  # all six legal codes
    packed = codes[:, ::2] | codes[:, 1::2] << 4
    values = np.arange(1, 13, dtype=np.float32)[None]
    six = np.zeros((1, 24), np.float32)
    for g, code in enumerate(codes[0]):
        six[0, 4 * g + int(code & 3)], six[0, 4 * g + int(code >> 2)] = 2 * g + 1, 2 * g + 2
    yield case("all six codes", "restored", values=values, metadata=packed, dense=six)
    _, stored = _stored(rng, 5, 16)
    real = rng.normal(0, 1, stored["values"].shape).astype(np.float32)
    dense = two_four.restore(real, stored["metadata"])
    yield case("real numbers", "restored", **{**stored, "values": real}, dense=dense)
    part = "odd groups and dtypes"
    for rows, columns in ((3, 4), (3, 12), (4, 12), (3, 28)):
        dense, stored = _stored(rng, rows, columns)
        yield case(f"({rows}, {columns})", part, **stored, dense=dense)
    dense, stored = _stored(rng, 3, 12)
    noisy = stored["metadata"].copy()
    noisy[:, -1] |= 0xF0
    yield case("something in the unused bits", part, values=stored["values"], metadata=noisy,
               dense=dense)  # fmt: skip
    for dtype in (np.float16, np.int8):
        dense, stored = _stored(rng, 4, 24, dtype)
        yield case(np.dtype(dtype).name, part, **stored, dense=dense)

    _, good = _stored(rng, 3, 16)

    def bad(label, **changed):
        return case(label, "bad input", **{**good, **changed}, dense=None)

    for code, place in ((0, 0), (5, 0), (15, 4), (1, 0), (6, 4), (11, 4)):
        spoilt = good["metadata"].copy()
        spoilt[1, 1] = (int(spoilt[1, 1]) & (0xF0 if place == 0 else 0x0F)) | code << place
        yield bad(f"code {code}, {'high' if place else 'low'} bits", metadata=spoilt)
        nothing = good["values"] * 0
        yield bad(f"code {code}, values of zero", values=nothing, metadata=spoilt)
    yield bad("a byte too few", metadata=good["metadata"][:, :-1].copy())
    yield bad("a byte too many", metadata=np.repeat(good["metadata"], 2, axis=1))
    yield bad("a row too few", metadata=good["metadata"][:-1].copy())
    yield bad("one row for all", metadata=good["metadata"][:1].copy())
    for dtype in ("int64", "int32", "int16", "int8", "float32"):
        yield bad(f"metadata of {dtype}", metadata=good["metadata"].astype(dtype))
    yield bad("metadata turned on its side", metadata=good["metadata"].reshape(2, 3))
    yield bad("values with three axes", values=good["values"][None].copy())
    none = {"values": good["values"][:, :0].copy(), "metadata": good["metadata"][:, :0].copy()}
    yield bad("no columns", **none)
    yield bad("an odd number of values", values=good["values"][:, :-1].copy())
    yield bad("values with one axis", values=good["values"][0].copy())
    yield bad("no rows", values=good["values"][:0].copy(), metadata=good["metadata"][:0].copy())


def probe(solution, values, metadata, dense):
    import torch

    tensors = torch.from_numpy(values), torch.from_numpy(metadata)
    if dense is None:
        return refusal(lambda: solution(*tensors))
    return solution(*tensors)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    dtype = f"torch.{case.values.dtype}"
    values = expect.tensor(answer, "the matrix", shape=case.dense.shape, dtype=dtype)
    return expect.codes(values, case.dense, "the matrix", hint=HINTS[1])
