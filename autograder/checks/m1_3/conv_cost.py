"""conv-cost: parameters and MACs of a convolution, as exact integers counted by torch's own layer."""

from autograder.checks import case, expect, refusal

PARTS = {"plain": 0.4, "stride, padding, groups": 0.4, "bad input": 0.2}
HINTS = (
    "Weights: out * (in // groups) * kernel**2; a bias adds one parameter for each output channel.",
    "Output size: (n + 2 * padding - kernel) // stride + 1.",
    "MACs: weights times output pixels, without the bias.",
)


def cases(rng):
    def run(label, part, channels, size, **more):
        return case(label, part, given={"channels": channels, "size": size, **more})

    for _ in range(4):
        a, b, h, w = (int(n) for n in rng.integers([2, 2, 5, 5], [20, 40, 30, 30]))
        yield run(f"{a} to {b}, {h} x {w}", "plain", (a, b), (h, w))
        yield run("kernel 5, no bias", "plain", (a, b), (h, w + 7), kernel=5, bias=False)
    # More than int32 and float32 count.
    yield run("a large layer", "plain", (2046, 1025), (225, 233))
    yield run("1 x 1", "plain", (7, 5), (6, 4), kernel=1)
    yield run("one pixel out", "plain", (2, 3), (3, 3))
    part = "stride, padding, groups"
    for _ in range(4):
        a, b, g, h, w = (int(n) for n in rng.integers([2, 2, 2, 9, 9], [6, 9, 5, 40, 40]))
        kernel, stride, padding = (int(n) for n in rng.integers([2, 2, 1], [6, 4, 4]))
        yield run("all at once", part, (a * g, b * g), (h, w), kernel=kernel, stride=stride,
                  padding=padding, groups=g)  # fmt: skip
    yield run("depthwise", part, (12, 12), (14, 10), padding=1, groups=12)
    yield run("depthwise, twice as many", part, (6, 12), (9, 9), padding=1, groups=6, bias=False)
    yield run("stride 2", part, (3, 8), (7, 8), stride=2)
    yield run("padding alone reaches", part, (3, 4), (1, 2), padding=1)
    good = {"channels": (4, 8), "size": (9, 9)}
    for label, more in (
        ("no inputs", {"channels": (0, 8)}), ("no outputs", {"channels": (4, 0)}),
        ("height 0", {"size": (0, 9)}), ("kernel 0", {"kernel": 0}), ("stride 0", {"stride": 0}),
        ("width 0, padded", {"size": (9, 0), "padding": 2}), ("kernel -1", {"kernel": -1}),
        ("stride -1", {"stride": -1}), ("-4 inputs", {"channels": (-4, 8)}),
        ("-8 outputs", {"channels": (4, -8)}), ("-1 groups", {"groups": -1}),
        ("width -1, padded", {"size": (9, -1), "padding": 3}),
        ("padding -1", {"padding": -1}), ("groups 0", {"groups": 0}),
        ("3 groups", {"groups": 3}), ("groups that divide the outputs only", {"groups": 8}),
        ("groups that divide the inputs only", {"channels": (9, 8), "groups": 3}),
        ("kernel 10", {"kernel": 10}), ("a kernel too wide", {"size": (9, 2)}),
        ("a kernel too high", {"size": (2, 9)}),
    ):  # fmt: skip
        yield case(label, "bad input", given={**good, **more}, bad=True)


def probe(solution, given, bad=False):
    if bad:
        return refusal(lambda: solution(**given))
    return solution(**given)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    import torch

    given = {"kernel": 3, "stride": 1, "padding": 0, "groups": 1, "bias": True, **case.given}
    layer = torch.nn.Conv2d(
        *given["channels"], given["kernel"], given["stride"], given["padding"],
        groups=given["groups"], bias=given["bias"], device="meta",
    )  # fmt: skip
    image = torch.empty(1, given["channels"][0], *given["size"], device="meta")
    pixels = layer(image).shape[2:].numel()
    parameters, macs = expect.sequence(answer, ("parameters", "macs"))
    expect.integer(parameters, sum(p.numel() for p in layer.parameters()), "parameters")
    return expect.integer(macs, layer.weight.numel() * pixels, "macs",
                          hint=f"{pixels} output pixels in each channel.")  # fmt: skip
