"""Answers to sparse-footprint."""

import numpy as np

from autograder.checks.bank import right, wrong


def _count(arrays, *, guard=True, dtype=np.float16, width=2, mask=lambda n: -(-n // 8), each=True,
           cheaper=min, share=lambda n, m: 1 - m / n, nonzero=np.count_nonzero):  # fmt: skip
    if guard and (not arrays or any(a.size == 0 for a in arrays.values())):
        raise ValueError("nothing to store")
    sizes = [(a.size, int(nonzero(a.astype(dtype)))) for a in arrays.values()]
    n, m = (sum(s[i] for s in sizes) for i in (0, 1))
    forms = [(width * k, mask(k) + width * live) for k, live in sizes]
    sparse = (
        sum(cheaper(f) for f in forms) if each else cheaper([sum(f[i] for f in forms) for i in (0, 1)])
    )  # fmt: skip
    return {
        "parameters": n, "nonzero": m, "sparsity": share(n, m) if n else 0.0,
        "dense_bytes": width * n, "sparse_bytes": int(sparse),
    }  # fmt: skip


@right("tensor by tensor")
def by_tensor(arrays):
    return _count(arrays)


@right("packed bits, really stored")
def packed(arrays):
    if len(arrays) == 0:
        raise ValueError("no arrays")
    out = {"parameters": 0, "nonzero": 0, "dense_bytes": 0, "sparse_bytes": 0}
    for a in arrays.values():
        if a.size < 1:
            raise ValueError("empty")
        half = np.asarray(a, np.float16).reshape(-1)
        live = half[half != 0]
        out["parameters"] += half.size
        out["nonzero"] += live.size
        out["dense_bytes"] += half.nbytes
        out["sparse_bytes"] += min(half.nbytes, np.packbits(half != 0).nbytes + live.nbytes)
    out["sparsity"] = float(np.float64(out["parameters"] - out["nonzero"]) / out["parameters"])
    return out


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(arrays):
        return _count(arrays, **changes)

    return answer


float32_zeros = _wrong("zeros-of-float32", "A tiny value is 0 once it is stored as float16: round first.",
                       dtype=np.float32)  # fmt: skip
four_bytes = _wrong("four-bytes", "float16 takes 2 bytes, not 4.", width=4)
mask_down = _wrong("mask-rounded-down", "A started byte of the mask is a byte: round n / 8 up.",
                   mask=lambda n: n // 8)  # fmt: skip
mask_bytes = _wrong(
    "mask-of-bytes", "The mask takes one bit a weight, not one byte.", mask=lambda n: n
)
no_mask = _wrong(
    "mask-forgotten", "The positions of the non-zeros cost bytes, too.", mask=lambda n: 0
)
always = _wrong("always-masked", "A dense tensor is stored dense: the mask would only add to it.",
                cheaper=lambda f: f[1])  # fmt: skip
at_the_end = _wrong("smaller-at-the-end", "The cheaper form is chosen for each tensor, not for the sum.",
                    each=False)  # fmt: skip
density = _wrong("density", "sparsity is the share of zeros.", share=lambda n, m: m / n)
percent = _wrong(
    "per-cent", "sparsity is a share from 0 to 1.", share=lambda n, m: 100 * (1 - m / n)
)
positive = _wrong(
    "positive-alone", "Negative values are non-zeros.", nonzero=lambda a: (a > 0).sum()
)
unguarded = _wrong("no-refusal", "No arrays, or an empty one, must raise ValueError.", guard=False)
never = _wrong(
    "never-sparse", "A tensor with many zeros is cheaper with a bit mask.", cheaper=lambda f: f[0]
)

threshold = _wrong("threshold-for-rounding",
                   "float16 rounds 2**-25 and more up to 2**-24: convert, then count.",
                   dtype=np.float64,
                   nonzero=lambda a: np.count_nonzero(np.abs(a) >= 2**-24))  # fmt: skip


@wrong("bytes-begun-once", "Each tensor's mask begins its own byte: round up tensor by tensor.")
def begun_once(arrays):
    found = _count(arrays)
    parts = [
        min(2 * a.size, a.size / 8 + 2 * np.count_nonzero(a.astype(np.float16)))
        for a in arrays.values()
    ]
    return {**found, "sparse_bytes": int(np.ceil(sum(parts)))}
