"""remove-channels: smaller tensors that compute what the large ones do with channels at zero."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"convolutions": 0.4, "linear readers": 0.3, "memory": 0.1, "bad input": 0.2}
HINTS = (
    "weight[keep] copies rows; bias[keep] goes along.",
    "A convolution reads channel c at next_weight[:, c].",
    "Behind a Flatten, channel c is the columns c*P to (c+1)*P - 1: reshape to (out, C, P).",
)


def _site(rng, channels, inner=3, out=5, kernel=3, pixels=None, bias=True, linear=False):
    shape = (channels, inner) if linear else (channels, inner, kernel, kernel)
    reader = (out, channels * pixels) if pixels else (out, channels, kernel, kernel)
    return {
        "weight": rng.normal(0, 1, shape).astype(np.float32),
        "bias": rng.normal(0, 1, channels).astype(np.float32) if bias else None,
        "next_weight": rng.normal(0, 1, reader).astype(np.float32),
    }


def _chosen(rng, channels, count):
    return [int(k) for k in rng.permutation(channels)[:count]]


def cases(rng):
    def run(label, part, site, keep):
        return case(label, part, **site, keep=keep)

    yield run("half", "convolutions", _site(rng, 8), sorted(_chosen(rng, 8, 4)))
    yield run("in another order", "convolutions", _site(rng, 8), [5, 0, 7, 2, 1])
    yield run("one channel", "convolutions", _site(rng, 6), [3])
    yield run("all", "convolutions", _site(rng, 4), [0, 1, 2, 3])
    yield run("no bias", "convolutions", _site(rng, 5, bias=False), [4, 1])
    yield run("square", "convolutions", _site(rng, 6, inner=6, out=6), _chosen(rng, 6, 3))
    yield run("1 x 1 kernels", "convolutions", _site(rng, 9, kernel=1), _chosen(rng, 9, 4))
    yield run("a layer", "convolutions", _site(rng, 32, 16, 24), _chosen(rng, 32, 13))
    wide = {k: v.astype(np.float64) for k, v in _site(rng, 6).items()}
    yield run("float64", "convolutions", wide, [4, 0, 5])
    half = _site(rng, 6)
    half["weight"], half["bias"] = (
        half["weight"].astype(np.float16),
        half["bias"].astype(np.float64),
    )
    yield run("three dtypes", "convolutions", half, [1, 5, 2])
    yield run("flattened, 4 pixels", "linear readers", _site(rng, 6, pixels=4), [5, 2, 0])
    yield run(
        "flattened, 49 pixels", "linear readers", _site(rng, 8, pixels=49), _chosen(rng, 8, 5)
    )
    yield run("as many pixels as channels", "linear readers", _site(rng, 5, pixels=5), [3, 1])
    mlp = _site(rng, 7, pixels=1, linear=True)
    yield run("linear before linear", "linear readers", mlp, [6, 0, 3])
    mlp = _site(rng, 6, inner=6, out=6, pixels=1, linear=True, bias=False)
    yield run("square linear, no bias", "linear readers", mlp, [1, 4])
    yield run("a run of channels", "memory", _site(rng, 8, pixels=4), [0, 1, 2])
    yield run("a run of channels, conv", "memory", _site(rng, 8), [2, 3, 4, 5])
    yield run("all, in order", "memory", _site(rng, 4), [0, 1, 2, 3])
    good = _site(rng, 6)
    flat = _site(rng, 6, pixels=4)
    for label, keep in (
        ("nothing kept", []), ("a channel twice", [1, 2, 1]), ("channel 6 of 6", [0, 6]),
        ("channel -1", [-1, 2]),
    ):  # fmt: skip
        yield case(label, "bad input", **good, keep=keep, bad=True)
    for entries in (5, 7, 12):
        other = {**good, "bias": np.resize(good["bias"], entries)}
        label = f"a bias of {entries} for 6 channels"
        yield case(label, "bad input", **other, keep=[0], bad=True)
    reader = _site(rng, 12)["next_weight"]
    yield case("a convolution that reads 12", "bad input",
               **{**good, "next_weight": reader}, keep=[0, 1], bad=True)  # fmt: skip
    cut = {**flat, "next_weight": flat["next_weight"][:, :23].copy()}
    yield case("23 columns for 6 channels", "bad input", **cut, keep=[0, 1], bad=True)


def probe(solution, weight, bias, next_weight, keep, bad=False):
    import torch

    tensors = [None if a is None else torch.from_numpy(a) for a in (weight, bias, next_weight)]
    if bad:
        return refusal(lambda: solution(*tensors, keep))
    result = solution(*tensors, keep)
    held = []
    if isinstance(result, (tuple, list)):
        old = {t.untyped_storage().data_ptr() for t in tensors if t is not None}
        for t in result:
            if isinstance(t, torch.Tensor):
                memory = t.untyped_storage()
                held.append(
                    [memory.data_ptr() in old, memory.nbytes(), t.numel() * t.element_size()]
                )
    return {"result": result, "held": held}


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    result = expect.sequence(answer["result"], ("weight", "bias", "next_weight"))
    keep, channels = case.keep, len(case.weight)
    reader = case.next_weight
    if reader.ndim == 2:
        pixels = reader.shape[1] // channels
        columns = [c * pixels + p for c in keep for p in range(pixels)]
    else:
        columns = keep
    want = {
        "weight": np.stack([case.weight[c] for c in keep]),
        "bias": None if case.bias is None else np.array([case.bias[c] for c in keep]),
        "next_weight": np.stack([reader[:, c] for c in columns], axis=1),
    }
    for (name, right), yours in zip(want.items(), result, strict=True):
        if right is None:
            expect.that(yours is None, "`bias` was None and stays None.", stage="type",
                        yours=expect.kind(yours), right="None")  # fmt: skip
            continue
        values = expect.tensor(yours, name, shape=right.shape, dtype=f"torch.{right.dtype}")
        expect.codes(values, right, name, hint=f"Channels {keep}, in this order.")
    for shared, nbytes, own in answer["held"]:
        expect.that(not shared, "A result shares the memory of the old tensor, which stays alive.",
                    stage="values", hint="Copy: .clone(), or index with a list.")  # fmt: skip
        expect.that(nbytes == own, "A result holds more memory than its values.", stage="values",
                    yours=f"{nbytes} bytes", right=f"{own} bytes",
                    hint="Copy the kept part alone: .clone() of a slice keeps only its values.")  # fmt: skip
    return None
