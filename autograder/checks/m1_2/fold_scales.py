"""fold-scales: what writes the channels is divided, what reads them multiplied; the function stays."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"norm": 0.4, "linear and bias": 0.4, "bad input": 0.2}
HINTS = (
    "The writer is divided, the readers are multiplied: their product over a channel stays.",
    "Channel j is row j of a writer (K, M) and column j of a reader (R, K).",
    "s.reshape(-1, 1) broadcasts down the rows of a matrix.",
)


def _site(rng, channels, outputs, inner=None, bias=False):
    return {
        "writer": rng.normal(1, 0.3, channels)
        if inner is None
        else rng.standard_normal((channels, inner)),
        "readers": [rng.standard_normal((r, channels)) for r in outputs],
        "s": np.exp(rng.normal(0, 1.5, channels)),
        "bias": rng.standard_normal(channels) if bias else None,
    }


def cases(rng):
    yield case("RMSNorm, one reader", **_site(rng, 5, [3]), part="norm")
    yield case("RMSNorm, square reader", **_site(rng, 8, [8]), part="norm")
    yield case("RMSNorm before q, k and v", **_site(rng, 16, [16, 8, 8]), part="norm")
    yield case("one channel", **_site(rng, 1, [4]), part="norm")
    yield case("all scales 1", **{**_site(rng, 5, [4]), "s": np.ones(5)}, part="norm")
    yield case("no readers", **_site(rng, 4, []), part="norm")
    yield case("LayerNorm with bias", **_site(rng, 6, [6, 4], bias=True), part="linear and bias")
    yield case("linear before", **_site(rng, 6, [5], inner=4), part="linear and bias")
    yield case("square linear", **_site(rng, 7, [7], inner=7, bias=True), part="linear and bias")
    yield case("a layer", **_site(rng, 96, [64, 33], inner=48, bias=True), part="linear and bias")
    good = _site(rng, 6, [6, 4], inner=6, bias=True)
    for value in (0.0, -2.0, np.nan, np.inf):
        s = good["s"].copy()
        s[2] = value
        yield case(f"a scale of {value}", **{**good, "s": s}, part="bad input")
    yield case("one scale for all", **{**good, "s": np.ones(1)}, part="bad input")
    yield case("s as a column", **{**good, "s": good["s"][:, None]}, part="bad input")
    norm = _site(rng, 6, [4])
    yield case("7 scales for 6 channels", **{**norm, "s": np.ones(7)}, part="bad input")
    odd = [norm["readers"][0], rng.standard_normal((4, 1))]
    yield case("a reader with one column", **{**norm, "readers": odd}, part="bad input")
    turned = [norm["readers"][0].T.copy()]
    yield case("a reader turned round", **{**norm, "readers": turned}, part="bad input")


def probe(solution, writer, readers, s, bias):
    k = len(writer)
    good = s.shape == (k,) and np.isfinite(s).all() and (s > 0).all()
    if good and all(r.shape[1] == k for r in readers):
        answer = solution(writer, readers, s, bias)
        found, waiting = [], [answer]
        while waiting:
            value = waiting.pop()
            if isinstance(value, np.ndarray):
                found.append(value)
            elif isinstance(value, (list, tuple)) and len(value) < 100:
                waiting += value
        given = [a for a in (writer, bias, *readers) if a is not None]
        shared = any(np.may_share_memory(a, b) for a in found for b in given)
        return {"answer": answer, "shared": shared}
    return refusal(lambda: solution(writer, readers, s, bias))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    shared, answer = answer["shared"], answer["answer"]
    writer, bias, readers = expect.sequence(answer, ("writer", "bias", "readers"))
    expect.array(writer, "writer", shape=case.writer.shape, dtype=np.float64)
    if case.bias is None:
        expect.that(bias is None, "`bias` was None and stays None.", stage="type",
                    yours=expect.kind(bias), right="None")  # fmt: skip
    else:
        expect.array(bias, "bias", shape=case.bias.shape, dtype=np.float64)
    expect.that(isinstance(readers, (list, tuple)), "`readers` must be a list.", stage="type",
                yours=expect.kind(readers), right="a list of arrays")  # fmt: skip
    expect.that(len(readers) == len(case.readers), "Return as many readers as were given.",
                stage="shape", yours=len(readers), right=len(case.readers))  # fmt: skip
    for i, reader in enumerate(readers):
        shape = case.readers[i].shape
        expect.array(reader, f"readers[{i}]", shape=shape, dtype=np.float64)
    _same_function(case, writer, bias, readers)
    expect.that(
        not shared,
        "An array that you return is one that was given.",
        stage="mutation",
        right="new arrays",
        hint="The caller may change either: copy, also where s is 1.",
    )
    inverse = np.diag(1 / case.s)
    expect.close(writer, inverse @ case.writer, "writer", rtol=1e-12, hint=HINTS[1])
    if bias is not None:
        expect.close(bias, inverse @ case.bias, "bias", rtol=1e-12)
    for i, reader in enumerate(readers):
        want = case.readers[i] @ np.diag(case.s)
        expect.close(reader, want, f"readers[{i}]", rtol=1e-12, hint=HINTS[1])


def _same_function(case, writer, bias, readers):
    """Outputs of writer and readers for random inputs, before and after, in float64 by torch."""
    import torch
    from torch.nn import functional

    inner = case.writer.shape[-1]
    x = torch.from_numpy(np.random.default_rng(5).standard_normal((7, inner)))

    def outputs(given_writer, given_bias, given_readers):
        given = torch.from_numpy(given_writer)
        extra = None if given_bias is None else torch.from_numpy(given_bias)
        if given.ndim == 2:
            hidden = functional.linear(x, given, extra)
        elif extra is None:
            hidden = functional.rms_norm(x, (inner,), given)
        else:
            hidden = functional.layer_norm(x, (inner,), given, extra)
        return [functional.linear(hidden, torch.from_numpy(r)).numpy() for r in given_readers]

    before = outputs(case.writer, case.bias, case.readers)
    after = outputs(writer, bias, readers)
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        name = f"the output of readers[{i}]"
        slack = 1e-12 * float(np.abs(a).max())
        expect.close(b, a, name, rtol=0, atol=slack, cause="The layers compute another function now.",
                     hint=HINTS[0])  # fmt: skip
