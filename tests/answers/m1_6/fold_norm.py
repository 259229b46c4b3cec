"""Answers to fold-norm."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(gain, shift, linears, checks="gsb"):
    for weight, bias in linears:
        if "g" in checks and gain.shape != (weight.shape[1],):
            raise ValueError("gain")
        if "s" in checks and shift is not None and shift.shape != gain.shape:
            raise ValueError("shift")
        if "b" in checks and bias is not None and bias.shape != (weight.shape[0],):
            raise ValueError("bias")


def _bias(weight, bias, shift):
    if shift is None:
        return None if bias is None else bias.copy()
    moved = weight @ shift
    return (moved if bias is None else moved + bias).astype(weight.dtype)


def _fold(gain, shift, linears, weigh=lambda w, g: w * g, offset=_bias, checks="gsb"):
    _refuse(gain, shift, linears, checks)
    return [(weigh(w, gain).astype(w.dtype), offset(w, b, shift)) for w, b in linears]


@right("columns times the gain")
def columns(gain, shift, linears):
    return _fold(gain, shift, linears)


@right("a diagonal matrix, in float64")
def diagonal(gain, shift, linears):
    pairs = []
    for weight, bias in linears:
        if gain.ndim != 1 or weight.shape[1] != len(gain):
            raise ValueError("gain")
        if shift is not None and shift.shape != gain.shape:
            raise ValueError("shift")
        if bias is not None and bias.shape != (len(weight),):
            raise ValueError("bias")
        wide = weight.astype(np.float64)
        total = np.zeros(len(weight)) if bias is None else bias.astype(np.float64)
        if shift is not None:
            total = total + wide @ shift.astype(np.float64)
        none = bias is None and shift is None
        pairs.append(
            [
                (wide @ np.diag(gain)).astype(weight.dtype),
                None if none else total.astype(weight.dtype),
            ]
        )
    return tuple(pairs)


@right("loops")
def loops(gain, shift, linears):
    _refuse(gain, shift, linears)
    pairs = []
    for weight, bias in linears:
        new = np.empty_like(weight)
        for column in range(weight.shape[1]):
            new[:, column] = weight[:, column] * gain[column]
        offset = None
        if bias is not None or shift is not None:
            offset = np.array(
                [
                    (0 if shift is None else float(np.dot(row, shift)))
                    + (0 if bias is None else float(bias[i]))
                    for i, row in enumerate(weight)
                ],
                dtype=weight.dtype,
            )
        pairs.append((new, offset))
    return pairs


@wrong("rows-scaled", "The gain belongs to the inputs, the columns of weight.")
def rows(gain, shift, linears):
    return _fold(gain, shift, linears, lambda w, g: w * np.resize(g, len(w))[:, None])


@wrong("divided", "The linear saw gain * input: multiply.")
def divided(gain, shift, linears):
    return _fold(gain, shift, linears, lambda w, g: w / g)


@wrong("absolute-gain", "A gain may be negative.")
def absolute(gain, shift, linears):
    return _fold(gain, shift, linears, lambda w, g: w * np.abs(g))


@wrong("gain-plus-one", "The gain is as given; some models store gain - 1, this one does not.")
def plus_one(gain, shift, linears):
    return _fold(gain, shift, linears, lambda w, g: w * (1 + g))


@wrong(
    "shift-through-the-new-weight",
    "The shift passes through the old weight: the gain does not act on it.",
)
def new_weight(gain, shift, linears):
    return _fold(gain, shift, linears, offset=lambda w, b, s: _bias(w * gain, b, s))


@wrong("shift-forgotten", "The shift becomes weight @ shift in the bias.")
def forgotten(gain, shift, linears):
    def offset(w, b, s):
        if b is None:
            return None if s is None else np.zeros(len(w), w.dtype)
        return b.copy()

    return _fold(gain, shift, linears, offset=offset)


@wrong("old-bias-lost", "The old bias stays and the shift's part is added.")
def lost(gain, shift, linears):
    return _fold(
        gain, shift, linears, offset=lambda w, b, s: _bias(w, None if s is not None else b, s)
    )


@wrong("no-bias-for-linears-without", "A LayerNorm's shift gives a bias to a linear that had none.")
def no_new_bias(gain, shift, linears):
    return _fold(gain, shift, linears, offset=lambda w, b, s: None if b is None else _bias(w, b, s))


@wrong("bias-scaled", "The gain scales the input, not the bias.")
def bias_scaled(gain, shift, linears):
    def offset(w, b, s):
        scaled = None if b is None else (b * np.resize(gain, len(b))).astype(w.dtype)
        return _bias(w, scaled, s)

    return _fold(gain, shift, linears, offset=offset)


@wrong("zeros-for-none", "Where there was no bias and is no shift, bias stays None.")
def zeros(gain, shift, linears):
    return _fold(gain, shift, linears,
                 offset=lambda w, b, s: np.zeros(len(w), w.dtype) if b is None and s is None else _bias(w, b, s))  # fmt: skip


@wrong("in-place", "The arguments stay as they were: a tied matrix is used elsewhere too.")
def in_place(gain, shift, linears):
    _refuse(gain, shift, linears)
    pairs = []
    for weight, bias in linears:
        offset = _bias(weight, bias, shift)
        weight *= gain
        pairs.append((weight, offset))
    return pairs


@wrong("bias-handed-on", "A result shares no memory with an argument: copy the bias too.")
def handed_on(gain, shift, linears):
    return _fold(gain, shift, linears, offset=lambda w, b, s: b if s is None else _bias(w, b, s))


@wrong("first-linear-alone", "Every linear that reads the norm's output is folded.")
def first(gain, shift, linears):
    done = _fold(gain, shift, linears)
    return done[:1] + [(w.copy(), None if b is None else b.copy()) for w, b in linears[1:]]


@wrong("always-float64", "Results have the dtype of the old weight.")
def float64(gain, shift, linears):
    _refuse(gain, shift, linears)
    wide = [(w.astype(np.float64), None if b is None else b.astype(np.float64)) for w, b in linears]
    return _fold(gain, shift, wide)


@wrong("always-float32", "Results have the dtype of the old weight.")
def float32(gain, shift, linears):
    return [(w.astype(np.float32), None if b is None else b.astype(np.float32))
            for w, b in _fold(gain, shift, linears)]  # fmt: skip


@wrong("rounded-to-float16", "Compute in the dtype of the weight or wider.")
def half(gain, shift, linears):
    return _fold(gain, shift, linears, lambda w, g: w * g.astype(np.float16).astype(w.dtype))


@wrong(
    "gain-not-checked",
    "A gain that is not one number a column must raise ValueError; NumPy stretches it silently.",
)
def any_gain(gain, shift, linears):
    def weigh(w, g):
        return w * np.resize(g, w.shape[1])

    return _fold(gain, shift, linears, weigh, checks="b")


@wrong("shift-not-checked", "A shift of another shape than gain must raise ValueError.")
def any_shift(gain, shift, linears):
    def offset(w, b, s):
        return _bias(w, b, None if s is None else np.resize(s, w.shape[1]))

    return _fold(gain, shift, linears, offset=offset, checks="gb")


@wrong("bias-not-checked", "A bias that is not one number a row must raise ValueError.")
def any_bias(gain, shift, linears):
    def offset(w, b, s):
        return _bias(w, None if b is None else np.resize(b, len(w)), s)

    return _fold(gain, shift, linears, offset=offset, checks="gs")
