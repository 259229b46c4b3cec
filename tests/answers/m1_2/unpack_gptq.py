"""Answers to unpack-gptq."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(qweight, g_idx, bits):
    if bits not in (2, 4, 8) or len(g_idx) * bits != 32 * len(qweight):
        raise ValueError("does not fit")


def _split(words, bits, axis, first_low=True, unsigned=True):
    if unsigned:
        words = words.view(np.uint32)
    per = 32 // bits
    places = range(per) if first_low else range(per - 1, -1, -1)
    parts = [(words >> words.dtype.type(bits * k)) & words.dtype.type(2**bits - 1) for k in places]
    stacked = np.stack(parts, axis=axis + 1)
    shape = list(words.shape)
    shape[axis] *= per
    return stacked.reshape(shape).astype(np.float32)


def _unpack(qweight, qzeros, scales, g_idx, bits, *, plus=1, first_low=True, groups=None,
            zero_axis=1, transpose=True, refuse=_refuse):  # fmt: skip
    refuse(qweight, g_idx, bits)
    codes = _split(qweight, bits, 0, first_low)
    zeros = _split(qzeros, bits, 1, first_low)
    if zero_axis == 0:
        zeros = _split(qzeros, bits, 0, first_low).reshape(zeros.shape)
    index = g_idx if groups is None else groups
    out = scales.astype(np.float32)[index] * (codes - (zeros[index] + plus))
    return np.ascontiguousarray(out.T if transpose else out).astype(np.float32)


@right("stack of shifted words")
def stacked(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits)


@right("unpackbits")
def unpackbits(qweight, qzeros, scales, g_idx, bits=4):
    if 32 % bits or len(qweight) * 32 // bits != len(g_idx):
        raise ValueError("wrong sizes")

    def integers(words):  # (n, m) to (n, m, per)
        raw = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, 4)
        flags = np.unpackbits(raw, axis=-1, bitorder="little").reshape(*words.shape, -1, bits)
        return flags @ (2 ** np.arange(bits))

    codes = integers(qweight).transpose(0, 2, 1).reshape(len(g_idx), -1)
    zeros = integers(qzeros).reshape(len(scales), -1) + 1
    weight = (codes - zeros[g_idx]) * scales[g_idx].astype(np.float64)
    return weight.T.astype(np.float32)


@wrong("zero-not-shifted", "The file stores zero-points minus one: add it back.")
def no_plus(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits, plus=0)


@wrong("minus-one-twice", "The stored zero-points are one too small, not one too large.")
def minus(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits, plus=-1)


@wrong("high-bits-first", "The first code of a word is in its lowest bits.")
def high_first(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits, first_low=False)


@wrong(
    "no-act-order", "Groups were cut in the order of inputs; g_idx says which group an input is in."
)
def no_order(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits, groups=np.sort(g_idx))


@wrong("zeros-along-groups", "qzeros is packed along the outputs, not along the groups.")
def zero_axis(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits, zero_axis=0)


@wrong("transposed", "The file is (in, out); a linear layer's weight is (out, in).")
def transposed(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits, transpose=False)


@wrong("sign-bit", "A word with its highest bit set was shifted as a negative number.")
def sign_bit(qweight, qzeros, scales, g_idx, bits=4):
    _refuse(qweight, g_idx, bits)
    per, top = 32 // bits, 2**bits - 1

    def split(words):
        parts = [words >> (bits * k) for k in range(per)]
        return np.stack([p if k == per - 1 else p & top for k, p in enumerate(parts)], 1)

    codes = split(qweight).reshape(len(g_idx), -1)
    words = qzeros.view(np.uint32)
    zeros = np.stack([(words >> np.uint32(bits * k)) & np.uint32(top) for k in range(per)], 2)
    zeros = zeros.reshape(len(scales), -1).astype(np.int64) + 1
    return (scales[g_idx].astype(np.float32) * (codes - zeros[g_idx])).T.astype(np.float32)


@wrong("no-zero-point", "The zero-point is left out: codes are unsigned.")
def no_zero(qweight, qzeros, scales, g_idx, bits=4):
    _refuse(qweight, g_idx, bits)
    return (scales.astype(np.float32)[g_idx] * _split(qweight, bits, 0)).T.copy()


@wrong("mid-point", "The middle code was taken for the zero-point; it is stored in qzeros.")
def middle(qweight, qzeros, scales, g_idx, bits=4):
    _refuse(qweight, g_idx, bits)
    return (
        scales.astype(np.float32)[g_idx] * (_split(qweight, bits, 0) - 2 ** (bits - 1))
    ).T.copy()


@wrong("four-bits-always", "The argument bits is ignored.")
def four(qweight, qzeros, scales, g_idx, bits=4):
    _refuse(qweight, g_idx, bits)
    if bits == 4:
        return _unpack(qweight, qzeros, scales, g_idx, 4)
    rows = scales.shape[1]
    codes = np.resize(_split(qweight, 4, 0), (len(g_idx), rows))
    zeros = np.resize(_split(qzeros, 4, 1), (len(scales), rows))
    return (scales.astype(np.float32)[g_idx] * (codes - zeros[g_idx] - 1)).T.copy()


@wrong("half-result", "The result is float16; the exercise asks for float32.")
def half(qweight, qzeros, scales, g_idx, bits=4):
    return _unpack(qweight, qzeros, scales, g_idx, bits).astype(np.float16)


@wrong(
    "no-refusal",
    "Widths that do not fill a word and lengths that do not fit must raise ValueError.",
)
def unguarded(qweight, qzeros, scales, g_idx, bits=4):
    if bits not in (2, 4, 8):
        return np.zeros((scales.shape[1], len(g_idx)), np.float32)
    columns = len(qweight) * 32 // bits
    index = np.resize(g_idx, columns)
    return _unpack(qweight, qzeros, scales, index, bits, refuse=lambda *a: None)
