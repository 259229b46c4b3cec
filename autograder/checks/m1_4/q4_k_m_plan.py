"""q4-k-m-plan: types and bits of a whole file, against llama.cpp's rule written as sets of layers.

tests/test_gguf_blocks.py holds this rule to two files that llama.cpp made.
"""

import math

from autograder.checks import case, expect
from autograder.checks.oracles import blocks

PARTS = {"types": 0.5, "fallback": 0.25, "bits": 0.25}
HINTS = (
    'A tensor with one axis is F32, whatever its name. "blk.I.part.weight".split(".") gives I and the part.',
    "Decide between Q6_K and Q4_K first; then the length of the row may change it.",
    "bits = 8 * bytes / weights, both summed over all tensors, vectors included.",
)
FALLBACK = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}


def cases(rng):
    small = _llama(2048, 256, 768, 4, 128)
    yield _case("this course's model", "types", small, 4)
    yield _case(
        "an output matrix of its own", "types", _llama(512, 256, 512, 8, 256, tied=False), 8
    )
    yield _case("32 layers", "types", _llama(320, 512, 1024, 32, 256, tied=False), 32)
    yield _case("one layer", "types", _llama(512, 256, 256, 1, 256), 1)
    for depth in (7, 9, *rng.integers(10, 60, 3)):
        yield _case(f"{depth} layers", "types", _llama(256, 256, 512, int(depth), 256), int(depth))
    yield _case("names in reverse order", "types", dict(reversed(small.items())), 4)
    with_biases = _llama(512, 256, 512, 12, 256, biases=True)
    yield _case("biases", "types", with_biases, 12)
    yield _case("rows of 128", "fallback", _llama(2048, 128, 512, 2, 64), 2)
    yield _case("rows of 896", "fallback", _llama(4096, 896, 4864, 24, 128, biases=True), 24)
    yield _case("rows of 100", "fallback", _llama(512, 100, 256, 4, 50), 4)
    yield _case(
        "rows of 100, inner rows of 96", "fallback", _llama(64, 100, 96, 3, 20, tied=False), 3
    )
    yield _case("rows of 112", "fallback", _llama(64, 112, 240, 4, 48), 4)
    part = {n: s for n, s in _llama(512, 256, 512, 32, 256).items() if n.startswith("blk.1")}
    yield _case("a few layers of 32", "types", part, 32)
    yield _case("bits of this course's model", "bits", small, 4)
    yield _case("bits with fallbacks", "bits", _llama(2048, 128, 512, 2, 64), 2)
    yield _case("bits with F16", "bits", _llama(512, 100, 256, 4, 50), 4)
    yield _case("bits of 8 billion", "bits", _llama(128256, 4096, 14336, 32, 1024, tied=False), 32)
    yield _case("bits with many vectors", "bits", with_biases, 12)
    yield _case("bits of a vector", "bits", {"output_norm.weight": (100,)}, 1)


def _llama(vocabulary, hidden, inner, depth, kv, tied=True, biases=False):
    """Names and shapes of a Llama's tensors."""
    shapes = {"token_embd.weight": (vocabulary, hidden), "output_norm.weight": (hidden,)}
    if not tied:
        shapes["output.weight"] = (vocabulary, hidden)
    for i in range(depth):
        for part, shape in (
            ("attn_norm", (hidden,)),
            ("attn_q", (hidden, hidden)),
            ("attn_k", (kv, hidden)),
            ("attn_v", (kv, hidden)),
            ("attn_output", (hidden, hidden)),
            ("ffn_norm", (hidden,)),
            ("ffn_gate", (inner, hidden)),
            ("ffn_up", (inner, hidden)),
            ("ffn_down", (hidden, inner)),
        ):
            shapes[f"blk.{i}.{part}.weight"] = shape
            if biases and part in ("attn_q", "attn_k", "attn_v"):
                shapes[f"blk.{i}.{part}.bias"] = shape[:1]
    return shapes


def _case(label, part, shapes, layers):
    return case(label, part=part, shapes=shapes, layers=layers, field=part)


def probe(solution, shapes, layers, field):
    return solution({name: tuple(shape) for name, shape in shapes.items()}, layers)


def judge(case, answer):
    types, bits = expect.sequence(answer, ("types", "bits_per_weight"))
    want = plan(case.shapes, case.layers)
    types = expect.mapping(types, tuple(want))
    expect.that(len(types) == len(want), "`types` has names that are no tensors.", stage="shape")
    if case.field != "bits":
        for name, kind in want.items():
            if types[name] != kind:
                count = sum(types[n] != k for n, k in want.items())
                expect.wrong(
                    "values",
                    f"{count} of {len(want)} types are wrong.",
                    yours=types[name],
                    right=kind,
                    where=f"{name}, shape {tuple(case.shapes[name])}, {case.layers} layers",
                )
        return
    size = count = 0
    for name, kind in want.items():
        weights, length = blocks.sizes(kind)
        count += math.prod(case.shapes[name])
        size += math.prod(case.shapes[name]) // weights * length
    expect.number(bits, 8 * size / count, "bits_per_weight")


def plan(shapes: dict, layers: int) -> dict[str, str]:
    """The type of each tensor."""
    first, last = set(range(layers // 8)), set(range(7 * layers // 8, layers))
    third = set(range(layers // 8 + 2, layers, 3))
    wanted = {
        f"blk.{i}.{part}.weight" for i in first | last | third for part in ("attn_v", "ffn_down")
    }
    wanted.add("output.weight" if "output.weight" in shapes else "token_embd.weight")
    types = {}
    for name, shape in shapes.items():
        kind = "Q6_K" if name in wanted else "Q4_K"
        if len(shape) == 1:
            kind = "F32"
        elif shape[-1] % 256:
            kind = FALLBACK[kind] if shape[-1] % 32 == 0 else "F16"
        types[name] = kind
    return types
