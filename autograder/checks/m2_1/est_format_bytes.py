"""est-format-bytes: bits walked through value by value; GGUF's own block sizes where they apply."""

from autograder.checks import case, expect
from autograder.checks.oracles import estimates

PARTS = {"matrices": 0.5, "whole models": 0.3, "refuse": 0.2}
HINTS = (
    "Groups run along the last axis; a row has in / group of them, rounded up.",
    "Tensors of one axis, and those named in keep, take 16 bits a value and no scales.",
    "Round up to whole bytes at the end of each tensor.",
)
PLAIN = {"keep": [], "bits": 4, "group": None, "scale_bits": 16, "zero_bits": 0}
BLOCKS = {"Q4_0": (4, 32, 16, 0), "Q4_1": (4, 32, 16, 16), "Q8_0": (8, 32, 16, 0)}


def model(layers, hidden, inner, vocabulary):
    shapes = {"embed": (vocabulary, hidden), "norm": (hidden,), "head": (vocabulary, hidden)}
    for i in range(layers):
        shapes |= {f"{i}.qkv": (3 * hidden, hidden), f"{i}.o": (hidden, hidden),
                   f"{i}.up": (inner, hidden), f"{i}.down": (hidden, inner),
                   f"{i}.norm": (hidden,)}  # fmt: skip
    return shapes


def _case(label, part, shapes, **how):
    return case(label, part, shapes=shapes, how={"keep": [], "bits": 4} | how)


def cases(rng):
    part = "matrices"
    for name, (bits, group, scale, zero) in BLOCKS.items():
        yield case(f"GGUF's {name}", part, shapes={"w": (64, 256)}, block=name,
                   how={"keep": [], "bits": bits, "group": group, "scale_bits": scale,
                        "zero_bits": zero})  # fmt: skip
    yield _case("no groups", part, {"w": (48, 40)}, bits=16)
    yield _case("group and scale by default", part, {"w": (48, 40)}, bits=8)
    yield _case("groups of 128", part, {"w": (24, 256)}, group=128, zero_bits=4)
    yield _case("rows that end within a group", part, {"w": (10, 200)}, group=128)
    yield _case("one scale a row", part, {"w": (24, 100)}, bits=8, group=100)
    yield _case("a group wider than a row", part, {"w": (24, 100)}, bits=8, group=128)
    yield _case("not whole bytes", part, {"a": (3, 5), "b": (1, 3)}, bits=3)
    yield _case("not whole bytes, with zeros", part, {"a": (3, 5), "b": (1, 3), "c": (7, 7)},
                bits=3, group=4, scale_bits=5, zero_bits=2)  # fmt: skip
    for i in range(4):
        shapes = {str(k): tuple(rng.integers(1, 40, 2).tolist()) for k in range(3)}
        yield _case(f"drawn, {i}", part, shapes, bits=int(rng.integers(2, 9)),
                    group=int(rng.integers(2, 20)), scale_bits=int(rng.choice([8, 16])),
                    zero_bits=int(rng.integers(0, 9)))  # fmt: skip
    part = "whole models"
    tiny = model(2, 24, 40, 50)
    yield _case("norms stay at 16 bits", part, tiny, group=8)
    yield _case("the embedding is kept", part, tiny, group=8, keep=["embed"])
    yield _case("embedding and head are kept", part, tiny, group=16, keep=["embed", "head"])
    yield _case("a name in keep that is not there", part, tiny, group=16, keep=["lm_head"])
    yield _case("a norm in keep", part, tiny, group=16, keep=["norm"], zero_bits=4)
    yield _case("nothing", part, {})
    for label, how in (
        ("0 bits", {"bits": 0}),
        ("a group of 0", {"group": 0}),
        ("a negative group", {"group": -8}),
        ("negative scale bits", {"group": 8, "scale_bits": -16}),
        ("negative zero bits", {"group": 8, "zero_bits": -1}),
    ):
        yield case(label, "refuse", shapes=tiny, how={"keep": [], "bits": 4} | how, refuse=True)
    for label, shape in (("three axes", (2, 3, 4)), ("no axis", ())):
        yield case(label, "refuse", shapes={"w": (8, 8), "conv": shape},
                   how={"keep": [], "bits": 4}, refuse=True)  # fmt: skip


def probe(solution, shapes, how, block=None, refuse=False):
    shapes = {name: tuple(int(n) for n in shape) for name, shape in shapes.items()}
    if refuse:
        return refusal(lambda: solution(shapes, **how))  # noqa: F821
    return solution(shapes, **how)


def right_bytes(case):
    how = PLAIN | case.how
    keep, total = how.pop("keep"), 0
    for name, shape in case.shapes.items():
        if len(shape) == 1 or name in keep:
            total += sum(2 for _ in range(shape[0])) * (shape[1] if len(shape) == 2 else 1)
        else:
            bits = shape[0] * estimates.grouped_bits(shape[1], **how)
            total += (bits + 7) // 8
    return total


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = right_bytes(case)
    if case.inputs.get("block"):
        import gguf

        values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[case.block]]
        assert want == 64 * 256 // values * size
    expect.integer(answer, want, "bytes")
    return None
