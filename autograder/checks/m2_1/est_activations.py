"""est-activations: against what autograd keeps of real layers, and item by item from the paper."""

from functools import cache

from autograder.checks import case, expect

PARTS = {"none": 0.4, "recomputed": 0.4, "refuse": 0.2}
HINTS = (
    "One layer keeps 34 s b h + 5 a s s b bytes: no layer keeps less when nothing is recomputed.",
    "selective: the 5 a s s b of one layer exist at a time, beside the 34 s b h of all.",
    "full: the inputs of all layers, and one whole layer whose input is among them already.",
)
# Bytes in units of s b h, and of a s s b: Korthikanti et al. 2022, section 4.1, item by item.
BY_TOKEN = {"norms' inputs": 4, "q, k, v input": 2, "q and k": 4, "v": 2, "projection input": 2,
            "attention mask": 1, "MLP input": 2, "GELU input": 8, "second linear's input": 8,
            "MLP mask": 1}  # fmt: skip
BY_PAIR = {"softmax output": 2, "dropout mask": 1, "dropout output": 2}


def cases(rng):
    shapes = [(8, 1, 16, 1, 1), (16, 2, 32, 4, 2), (12, 3, 24, 2, 3), (40, 1, 16, 4, 1)]
    heads = int(rng.integers(1, 4))
    shapes.append((int(rng.integers(4, 40)), int(rng.integers(1, 4)), heads * 8, heads, 2))
    shapes += [(2048, 1, 12288, 96, 96), (8192, 4, 4096, 32, 32)]  # GPT-3; a long context
    for s, b, h, a, layers in shapes:
        label = f"{s} tokens, batch {b}, {layers} layer{'s'[: layers - 1]}"
        sizes = {"tokens": s, "batch": b, "hidden": h, "heads": a, "layers": layers}
        yield case(label, "none", **sizes, recompute="none")
        for how in ("selective", "full"):
            yield case(f"{label}, {how}", "recomputed", **sizes, recompute=how)
    good = {"tokens": 8, "batch": 1, "hidden": 16, "heads": 2, "layers": 2, "recompute": "none"}
    yield case("the default of recompute", "none", **good | {"recompute": None})
    for label, change in (
        ("an unknown way", {"recompute": "half"}),
        ("no tokens", {"tokens": 0}),
        ("a batch of 0", {"batch": 0}),
        ("no layers", {"layers": 0}),
        ("a negative hidden size", {"hidden": -16}),
        ("heads that do not divide hidden", {"heads": 3}),
        ("no heads", {"heads": 0}),
    ):
        yield case(label, "refuse", **good | change, refuse=True)


def probe(solution, tokens, batch, hidden, heads, layers, recompute, refuse=False):
    more = () if recompute is None else (recompute,)
    if refuse:
        return refusal(lambda: solution(tokens, batch, hidden, heads, layers, *more))  # noqa: F821
    return solution(tokens, batch, hidden, heads, layers, *more)


@cache
def _measured(*sizes):
    from lab.activations import layers_kept_bytes

    return layers_kept_bytes(*sizes)


def right_bytes(case):
    s, b, h, a, layers = case.tokens, case.batch, case.hidden, case.heads, case.layers
    by_token = sum(units * s * b * h for units in BY_TOKEN.values())
    by_pair = sum(units * a * s * s * b for units in BY_PAIR.values())
    if case.recompute == "selective":
        return sum(by_token for _ in range(layers)) + by_pair
    if case.recompute == "full":
        inputs = [2 * s * b * h for _ in range(layers)]
        return sum(inputs[1:]) + by_token + by_pair
    if s * b * h * layers < 10_000:
        return _measured(s, b, h, a, layers)
    return layers * (by_token + by_pair)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.integer(answer, right_bytes(case), "bytes")
    return None
