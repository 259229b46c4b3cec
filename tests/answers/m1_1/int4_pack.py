"""Answers to int4-pack."""

import numpy as np

from autograder.checks.bank import right, wrong


def _checked(values):
    if values.size and (values.min() < -8 or values.max() > 7):
        raise ValueError("an int4 is between -8 and 7")
    return values.astype(np.int16)


def _padded(v, fill=0):
    return np.append(v, fill) if len(v) % 2 else v


@right("slices, masks and a shift")
def by_slices(values):
    v = _padded(_checked(values)) & 0xF
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@right("a loop over pairs")
def by_loop(values):
    out = bytearray()
    numbers = values.tolist()
    for low, high in zip(numbers[0::2], [*numbers[1::2], 0], strict=False):
        for v in (low, high):
            if not -8 <= v < 8:
                raise ValueError(v)
        out.append(low % 16 + 16 * (high % 16))
    return np.frombuffer(bytes(out), np.uint8)


@right("reshape to pairs and weigh with 1 and 16")
def by_weights(values):
    v = _padded(_checked(values)).reshape(-1, 2) % 16
    return (v @ np.array([1, 16])).astype(np.uint8)


@right("ml_dtypes' int4 nibbles")
def by_ml_dtypes(values):
    import ml_dtypes

    v = _padded(_checked(values)).astype(ml_dtypes.int4)
    nibbles = v.view(np.uint8) & 0xF
    return nibbles[0::2] + nibbles[1::2] * np.uint8(16)


@wrong(
    "high-nibble-first",
    "You put the first value of each pair into the high nibble: it goes to the low one.",
)
def high_first(values):
    v = _padded(_checked(values)) & 0xF
    return ((v[0::2] << 4) | v[1::2]).astype(np.uint8)


@wrong("offset-binary", "You added 8 to each value: the nibbles are two's complement, v & 0xF.")
def offset_binary(values):
    v = _padded(_checked(values)) + 8
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@wrong(
    "no-mask",
    "You did not mask the low nibble: the sign bits of a negative spill into the high one.",
)
def no_mask(values):
    v = _padded(_checked(values))
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@wrong(
    "sign-and-magnitude", "You stored a sign bit and a magnitude: the nibbles are two's complement."
)
def sign_and_magnitude(values):
    v = _padded(_checked(values))
    n = (np.abs(v) & 7) | np.where(v < 0, 8, 0)
    return (n[0::2] | (n[1::2] << 4)).astype(np.uint8)


@wrong(
    "halves-not-pairs", "You joined the first half with the second half: neighbours share a byte."
)
def halves(values):
    v = _padded(_checked(values)) & 0xF
    half = len(v) // 2
    return (v[:half] | (v[half:] << 4)).astype(np.uint8)


@wrong("one-value-a-byte", "You used a byte for each value: two share one.")
def one_a_byte(values):
    return (_checked(values) & 0xF).astype(np.uint8)


@wrong("int8-returned", "You returned int8: the packed bytes are uint8.")
def int8_returned(values):
    return by_slices(values).view(np.int8)


@wrong("last-dropped", "You dropped the last value of an odd length: pad it with a 0.")
def last_dropped(values):
    v = _checked(values)[: len(values) // 2 * 2] & 0xF
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@wrong(
    "padded-in-front",
    "You put the padding in front: it belongs at the end, in the last high nibble.",
)
def padded_in_front(values):
    v = _checked(values) & 0xF
    v = np.insert(v, 0, 0) if len(v) % 2 else v
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@wrong("padded-with-a-copy", "You repeated the last value as padding: pad with 0.")
def padded_with_copy(values):
    v = _checked(values)
    v = _padded(v, v[-1] if len(v) else 0) & 0xF
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@wrong(
    "not-refused", "You let values that do not fit through, clipped or wrapped: raise ValueError."
)
def wrapped(values):
    v = _padded(values.astype(np.int16)) & 0xF
    return (v[0::2] | (v[1::2] << 4)).astype(np.uint8)


@wrong(
    "clipped",
    "You clipped values that do not fit: raise ValueError in place of it.",
)
def clipped(values):
    return by_slices(np.clip(values, -8, 7))


@wrong("upper-limit-only", "You refuse values above 7 but not those below -8.")
def upper_only(values):
    if values.size and values.max() > 7:
        raise ValueError
    return wrapped(values)


@wrong("symmetric-limits", "You refuse -8: four bits hold -8 to 7.")
def symmetric_limits(values):
    if values.size and np.abs(values.astype(int)).max() > 8 or (values == 8).any():
        raise ValueError
    if len(values) == 2 and (values == -8).any():
        raise ValueError
    return wrapped(values)


@wrong("assertion", "You raise AssertionError: raise ValueError, assert can be switched off.")
def assertion(values):
    assert not values.size or (values.min() >= -8 and values.max() <= 7)
    return wrapped(values)
