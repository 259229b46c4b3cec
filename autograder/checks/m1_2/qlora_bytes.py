"""qlora-bytes: the bytes of one tensor, counted from arrays of that size."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"one scale": 0.4, "double": 0.4, "ragged": 0.2}
HINTS = (
    "n = math.prod(shape); codes: -(-n // 2); scales: -(-n // block_size) of them.",
    "With outer_block: one byte a scale, 4 for each outer block, 4 for the mean.",
)


def cases(rng):
    yield case("64 x 64", part="one scale", shape=(64, 64), block=64, outer=None)
    yield case("4096 x 4096", part="one scale", shape=(4096, 4096), block=64, outer=None)
    yield case("blocks of 32", part="one scale", shape=(256, 768), block=32, outer=None)
    yield case("one dimension", part="one scale", shape=(512,), block=128, outer=None)
    yield case("64 x 64, double", part="double", shape=(64, 64), block=64, outer=256)
    yield case("4096 x 11008, double", part="double", shape=(4096, 11008), block=64, outer=256)
    yield case("outer blocks of 64", part="double", shape=(256, 768), block=32, outer=64)
    yield case("three dimensions, double", part="double", shape=(4, 256, 64), block=128, outer=256)
    yield case("one element", part="ragged", shape=(1,), block=64, outer=None)
    yield case("one element, double", part="ragged", shape=(1,), block=64, outer=256)
    yield case("65 elements", part="ragged", shape=(5, 13), block=64, outer=None)
    for _ in range(3):
        shape = tuple(int(n) for n in rng.integers(50, 400, 2) * 2 + 1)
        label = f"{shape[0]} x {shape[1]}"
        yield case(label, part="ragged", shape=shape, block=64, outer=None)
        yield case(f"{label}, double", part="ragged", shape=shape, block=64, outer=256)


def probe(solution, shape, block, outer):
    return solution(tuple(shape), block, outer)


def judge(case, answer):
    keys = ("codes", "scales", "total", "bits_per_parameter")
    answer = expect.mapping(answer, keys)
    n = np.empty(tuple(case.shape), np.uint8).size
    codes = len(range(0, n, 2))
    count = len(range(0, n, case.block))
    scales = 4 * count if case.outer is None else count + 4 * len(range(0, count, case.outer)) + 4
    hint = f"{n} elements, {count} scales."
    expect.integer(answer["codes"], codes, "codes", hint=hint)
    expect.integer(answer["scales"], scales, "scales", hint=hint)
    expect.integer(answer["total"], codes + scales, "total", hint="Codes and scales.")
    bits = 8 * (codes + scales) / n
    expect.number(answer["bits_per_parameter"], bits, "bits_per_parameter", hint=hint)
