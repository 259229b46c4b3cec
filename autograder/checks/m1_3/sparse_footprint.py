"""sparse-footprint: parameters, non-zeros and bytes, dense or with a bit mask, tensor by tensor."""

import struct

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"counts": 0.35, "bytes": 0.45, "edges": 0.2}
HINTS = (
    "np.count_nonzero(array.astype(np.float16)): what is stored is float16.",
    "Bit mask: -(-n // 8) bytes, + 2 for each non-zero; dense: 2 n.",
    "The smaller form is chosen for each tensor, then they are summed.",
)
KEYS = ("parameters", "nonzero", "sparsity", "dense_bytes", "sparse_bytes")


def _sparse(rng, shape, share, dtype=np.float32):
    return (rng.standard_normal(shape) * (rng.random(shape) >= share)).astype(dtype)


def cases(rng):
    for part in ("counts", "bytes"):
        for label, share in (("dense", 0.0), ("half zeros", 0.5), ("nine tenths zeros", 0.9)):
            yield case(
                label, part, arrays={"w": _sparse(rng, (13, 17), share), "b": _sparse(rng, 5, 0.0)}
            )
        mixed = {f"w{i}": _sparse(rng, (11, 3 + 7 * i), 0.25 * i) for i in range(4)}
        yield case("four matrices, 0 to 75 % zeros", part, arrays=mixed)
        yield case("three dimensions and float16", part,
                   arrays={"w": _sparse(rng, (3, 4, 5), 0.6, np.float16)})  # fmt: skip
        odd = {f"w{n}": (np.arange(n) % 3 == 0).astype(np.float32) for n in (9, 17, 25)}
        yield case("three tensors, each with a byte begun", part, arrays=odd)
        few = np.ones(160, np.float32)
        few[:11] = 0
        yield case("one zero more than the mask costs", part,
                   arrays={"w": few, "v": np.ones(9, np.float32)})  # fmt: skip
        near = np.ones(160, np.float32)
        near[:10] = 0
        yield case("as many zeros as the mask costs", part,
                   arrays={"w": near, "v": few[::-1].copy()})  # fmt: skip
    tiny = np.array(
        [[1e-9, -1e-9, 1.0, 0.0], [4e-8, 6e-8, 2e-8, -3.0], [-0.0, 1.0, 3e-8, 2.9e-8]] * 3,
        np.float32,
    )
    yield case("values that are 0 in float16", "edges", arrays={"w": tiny})
    yield case("all zero", "edges", arrays={"w": np.zeros((4, 4), np.float32)})
    yield case(
        "one value", "edges", arrays={"w": np.float32([2.0]), "s": np.array(0.0, np.float32)}
    )
    yield case("no arrays", "edges", arrays={})
    yield case("an empty array", "edges", arrays={"w": tiny, "e": np.zeros((0, 3), np.float32)})


def probe(solution, arrays):
    if not arrays or any(a.size == 0 for a in arrays.values()):
        return refusal(lambda: solution(arrays))
    return solution(arrays)


def judge(case, answer):
    if not case.arrays or any(a.size == 0 for a in case.arrays.values()):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    found = expect.mapping(answer, KEYS)
    n, m, sparse = 0, 0, 0
    for array in case.arrays.values():
        values = [struct.unpack("<e", struct.pack("<e", float(v)))[0] for v in array.ravel()]
        live = sum(v != 0 for v in values)
        mask = (len(values) + 7) // 8
        n, m, sparse = n + len(values), m + live, sparse + min(2 * len(values), mask + 2 * live)
    expect.integer(found["parameters"], n, "parameters")
    expect.integer(found["nonzero"], m, "nonzero", hint=HINTS[0])
    expect.number(found["sparsity"], 1 - m / n, "sparsity", atol=1e-9,
                  hint="The share of zeros, 0 to 1.")  # fmt: skip
    if case.part != "counts":
        expect.integer(found["dense_bytes"], 2 * n, "dense_bytes", hint=HINTS[1])
        expect.integer(found["sparse_bytes"], sparse, "sparse_bytes", hint=HINTS[2])
