"""unpack-gptq: the tensors of a GPTQ checkpoint back to a weight."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"4 bits": 0.5, "other widths": 0.2, "act order": 0.2, "refusals": 0.1}
HINTS = (
    "32 // bits codes a word, the first in the lowest bits: (words >> (bits * k)) & (2**bits - 1).",
    "qweight is packed along the inputs (rows of words), qzeros along the outputs (columns).",
    "Read words as uint32 (view, not astype), or the sign bit fills the shifted word.",
    "The stored zero-points are one too small. scales[g_idx] and zeros[g_idx] give a row for each input.",
)


def cases(rng):
    for label, part, rows, columns, bits, size, order in (
        ("one group", "4 bits", 8, 8, 4, 8, False),
        ("four groups", "4 bits", 16, 64, 4, 16, False),
        ("more outputs than inputs", "4 bits", 48, 32, 4, 16, False),
        ("8 bits", "other widths", 8, 32, 8, 16, False),
        ("2 bits", "other widths", 16, 32, 2, 16, False),
        ("groups in another order", "act order", 16, 64, 4, 16, True),
    ):
        yield case(label, part, **_checkpoint(rng, rows, columns, bits, size, order))
    fine = _checkpoint(rng, 8, 16, 4, 8, False)
    yield case("3 bits, which do not fill a word", "refusals", refused=True, **{**fine, "bits": 3})
    yield case(
        "g_idx of another length", "refusals", refused=True, **{**fine, "g_idx": fine["g_idx"][:-1]}
    )


def _checkpoint(rng, rows, columns, bits, size, order):
    top, groups = 2**bits - 1, columns // size
    codes = rng.integers(0, top + 1, (columns, rows))
    zeros = rng.integers(1, top + 1, (groups, rows))
    codes[-1], zeros[0, -1] = top, top  # the sign bit of a word is set
    g_idx = np.arange(columns) // size
    if order:
        g_idx = rng.permutation(g_idx)
    return {
        "qweight": _pack(codes, bits), "qzeros": _pack((zeros - 1).T, bits).T.copy(),
        "scales": rng.uniform(0.01, 0.2, (groups, rows)).astype(np.float16),
        "g_idx": g_idx.astype(np.int32), "bits": bits,
    }  # fmt: skip


def _pack(values, bits):
    """Integers (n, m) into (n * bits / 32, m) int32, word by word."""
    per = 32 // bits
    out = np.zeros((len(values) // per, values.shape[1]), np.int64)
    for k in range(per):
        out += values[k::per].astype(np.int64) << (bits * k)
    return out.astype(np.uint32).view(np.int32)


def probe(solution, qweight, qzeros, scales, g_idx, bits, refused=False):
    if refused:
        return refusal(lambda: solution(qweight, qzeros, scales, g_idx, bits))  # noqa: F821
    return solution(qweight, qzeros, scales, g_idx, bits)


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    groups, rows = case.scales.shape
    columns, per, mask = len(case.g_idx), 32 // case.bits, 2**case.bits - 1
    got = expect.array(answer, "weight", shape=(rows, columns), dtype=np.float32)
    want = np.zeros((rows, columns))
    words, zero_words = (v.astype(np.int64) % 2**32 for v in (case.qweight, case.qzeros))
    for j in range(columns):
        group = int(case.g_idx[j])
        for i in range(rows):
            code = (int(words[j // per, i]) >> (case.bits * (j % per))) & mask
            zero = ((int(zero_words[group, i // per]) >> (case.bits * (i % per))) & mask) + 1
            want[i, j] = float(case.scales[group, i]) * (code - zero)
    step = np.repeat(case.scales.max(0)[:, None].astype(np.float64), columns, axis=1)
    return expect.close(got, want, "weight", rtol=1e-6, atol=1e-7, step=step, hint=HINTS[1])
