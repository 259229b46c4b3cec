"""gguf-tensor-bytes: the size of a tensor, and dimensions and types that name none."""

import numpy as np

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_reader

PARTS = {"sizes": 0.4, "blocks": 0.2, "overflow": 0.25, "other refusals": 0.15}
HINTS = (
    "Blocks lie along the first dimension: rows of dims[0] values.",
    "Python's integers do not wrap; NumPy's do, in silence.",
    "No dimensions: one value.",
)


def cases(rng):
    def one(label, part, dims, kind, fields=()):
        made = case(label, part, dims=tuple(int(n) for n in dims), kind=kind)
        made.fields = fields
        return made

    for kind in (0, 1, 24, 28, 30):
        dims = tuple(rng.integers(1, 50, rng.integers(1, 5)))
        yield one(f"type {kind}, {len(dims)} dimensions", "sizes", dims, kind)
    yield one("no dimensions", "sizes", (), 0)
    yield one("2^40 values of F32", "sizes", (2**20, 2**20), 0)
    yield one("3 GiB of F16", "sizes", (2**15, 3 * 2**15), 1)
    for kind, (block, _) in sorted(gguf_reader.BLOCKS.items()):
        if block > 1:
            rows = int(rng.integers(1, 9))
            yield one(f"type {kind}, blocks of {block}", "blocks", (3 * block, rows, 2), kind)
    for dims, kind in (
        ((33,), 8),
        ((31, 2), 2),
        ((16, 2), 8),
        ((2, 32), 8),
        ((64, 4), 12),
        ((), 8),
    ):
        yield one(f"{dims} in blocks, type {kind}", "blocks", dims, kind, ("dims", "type"))
    part = "overflow"
    for dims, kind in (((2**32, 2**32), 0), ((2**62, 4), 1), ((2**61, 2), 0), ((2**63, 2), 24),
                       ((2**64 - 1,), 0), ((2**64 - 1,) * 4, 0), ((2**60, 16), 8), ((2**61,), 0),
                       ((2**62,), 1), ((2**63,), 24), ((2**16,) * 4, 24), ((2**58, 2, 2, 2), 0),
                       ((2**31, 2**31, 4), 24), ((3 * 2**62, 4), 24)):  # fmt: skip
        yield one(f"{dims} of type {kind}", part, dims, kind, ("dims",))
    yield one("one byte less than 2^63", part, (2**63 - 1,), 24)
    yield one("2^63 - 4 bytes of F32", part, (2**61 - 1,), 0)
    yield one("2^62 bytes of I8 in rows", part, (2**31, 2**31), 24)
    part = "other refusals"
    for kind in (4, 5, 31, 36, 99, 2**31, 2**32 - 1):
        yield one(f"tensor type {kind}", part, (32,), kind, ("type",))
    for dims in ((0,), (4, 0), (0, 2**63), (3, 0, 2)):
        yield one(f"dimensions {dims}", part, dims, 0, ("dims",))
    yield one("a dimension 0 of blocks", part, (0, 2), 8, ("dims",))
    for n in (5, 6, 40):
        yield one(f"{n} dimensions", part, (1,) * n, 0, ("n_dims",))


def probe(solution, dims, kind):
    return outcome(lambda: solution(dims, kind))


def judge(case, answer):
    if case.fields:
        return gguf_judge.named(answer, case.fields, case.label.capitalize())
    got = gguf_judge.returned(answer, "This is a good tensor.")
    block, block_bytes = gguf_reader.BLOCKS[case.kind]
    want = int(np.prod(np.array(case.dims, dtype=object), initial=1)) // block * block_bytes
    return expect.integer(got, want, "size", hint=HINTS[0])
