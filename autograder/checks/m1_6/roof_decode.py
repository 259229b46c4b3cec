"""roof-decode: operations and bytes of one decode step of a decoder layer, matrix by matrix."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"weights": 0.4, "scales": 0.2, "cache": 0.2, "refuse": 0.2}
HINTS = (
    "Seven matrices: q, k, v, o, gate, up, down. k and v have kv_heads * head_dim rows.",
    "The weights move once for the whole batch; each text has a cache of its own.",
    "Scales: rows * ceil(columns / group) for each matrix, 2 bytes each.",
)
KEYS = ("flops", "weight_bytes", "scale_bytes", "kv_bytes", "intensity")
SMALL = {"hidden": 64, "heads": 4, "kv_heads": 2, "head_dim": 16, "intermediate": 96}
ODD = {"hidden": 15, "heads": 3, "kv_heads": 1, "head_dim": 5, "intermediate": 21}
WIDE = {"hidden": 48, "heads": 4, "kv_heads": 4, "head_dim": 20, "intermediate": 56}
LLAMA = {"hidden": 4096, "heads": 32, "kv_heads": 8, "head_dim": 128, "intermediate": 14336}


def _drawn(rng):
    kv = int(rng.integers(1, 5))
    return {
        "hidden": int(rng.integers(8, 200)),
        "kv_heads": kv,
        "heads": kv * int(rng.integers(2, 5)),
        "head_dim": 2 * int(rng.integers(2, 40)),
        "intermediate": int(rng.integers(8, 400)),
    }


def cases(rng):
    part = "weights"
    yield case("one text, empty cache", part, layer=SMALL, batch=1, context=0, bits=32)
    for bits in (32, 16, 8, 4):
        yield case(f"{bits} bits, batch 3", part, layer=_drawn(rng), batch=3, context=0, bits=bits)
    yield case("4 bits, odd sizes", part, layer=ODD, batch=2, context=0, bits=4)
    yield case("heads wider than hidden", part, layer=WIDE, batch=5, context=0, bits=16)
    yield case("a short text, cache of 32 bits", part, layer=_drawn(rng), batch=2, context=6, bits=16,
               kv_bits=32)  # fmt: skip
    part = "scales"
    yield case("groups that fit", part, layer=SMALL, batch=2, context=3, bits=4, group=32)
    yield case("ragged groups", part, layer=ODD, batch=1, context=2, bits=4, group=4)
    yield case(
        "a group longer than a row", part, layer=SMALL, batch=1, context=1, bits=8, group=999
    )
    yield case("groups of 1", part, layer=ODD, batch=1, context=1, bits=8, group=1)
    yield case("rows of other lengths", part, layer=WIDE, batch=1, context=7, bits=4, group=32)
    yield case("drawn", part, layer=_drawn(rng), batch=4, context=9, bits=8, group=24)
    yield case("scales of 16-bit weights", part, layer=SMALL, batch=1, context=0, bits=16, group=16)
    part = "cache"
    for kv_bits in (None, 32, 8, 4):
        n = int(rng.integers(1, 5000))
        yield case(f"{n} tokens, {kv_bits or 16} bits", part, layer=_drawn(rng), batch=7, context=n,
                   bits=16, kv_bits=kv_bits)  # fmt: skip
    yield case("a large model", part, layer=LLAMA, batch=64, context=131072, bits=4, group=128,
               kv_bits=8)  # fmt: skip
    good = {"layer": SMALL, "batch": 2, "context": 4, "bits": 4, "group": 32, "kv_bits": 16}
    bad_layers = [
        (f"{key} {bad}", {"layer": {**SMALL, key: bad}}) for key in SMALL for bad in (0, -2)
    ]
    for label, bad in (
        *bad_layers,
        ("heads not a multiple of kv_heads", {"layer": {**SMALL, "kv_heads": 3}}),
        ("batch 0", {"batch": 0}),
        ("batch -2", {"batch": -2}),
        ("a negative context", {"context": -1}),
        *((f"weights of {bits} bits", {"bits": bits}) for bits in (5, 12, 2, 64, 0)),
        *((f"a cache of {bits} bits", {"kv_bits": bits}) for bits in (12, 5, 2, 64, 0)),
        ("a negative group", {"group": -1}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, layer, batch, context, bits, group=None, kv_bits=None, refuse=False):
    more = {} if group is None else {"group": group}
    if kv_bits is not None:
        more["kv_bits"] = kv_bits
    if refuse:
        return refusal(lambda: solution(layer, batch, context, bits, **more))  # noqa: F821
    return solution(layer, batch, context, bits, **more)


def counted(layer, batch, context, bits, group, kv_bits):
    """The five figures, counted row by row."""
    h, d, ffn = layer["hidden"], layer["head_dim"], layer["intermediate"]
    query, kv = layer["heads"] * d, layer["kv_heads"] * d
    shapes = [(query, h), (kv, h), (kv, h), (h, query), (ffn, h), (ffn, h), (h, ffn)]
    weight_bytes = sum((rows * columns * bits + 7) // 8 for rows, columns in shapes)
    scales = sum(rows * len(range(0, columns, group)) for rows, columns in shapes) if group else 0
    tokens = context + 1
    products = sum(2 * rows * columns for rows, columns in shapes)
    scores_and_mix = 2 * query * tokens + 2 * tokens * query
    flops = batch * (products + scores_and_mix)
    kv_bytes = batch * tokens * (kv + kv) * kv_bits // 8
    moved = weight_bytes + 2 * scales + kv_bytes
    return flops, weight_bytes, 2 * scales, kv_bytes, Fraction(flops, moved)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    found = expect.mapping(answer, KEYS)
    inputs = case.inputs
    want = counted(case.layer, case.batch, case.context, case.bits, inputs.get("group") or 0,
                   inputs.get("kv_bits") or 16)  # fmt: skip
    for key, right in zip(KEYS[:4], want[:4], strict=True):
        expect.integer(found[key], right, key)
    expect.number(found["intensity"], float(want[4]), "intensity")
    return None
