"""Answers to soft-targets."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(logits, temperature):
    if not 0 < temperature < math.inf or logits.shape[-1] == 0:
        raise ValueError("temperature must be positive and finite")


def _soft(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@right("largest logit subtracted")
def by_numpy(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64) / temperature)


@right("torch in float64")
def by_torch(logits, temperature=1.0):
    _refuse(logits, temperature)
    z = torch.from_numpy(np.array(logits, dtype=np.float64))
    return torch.softmax(z / temperature, dim=-1).numpy()


@right("log of the sum of exponentials")
def by_logsumexp(logits, temperature=1.0):
    if temperature <= 0 or not np.isfinite(temperature):
        raise ValueError("temperature")
    z = np.array(logits, np.float64)
    z = (z - z.max(axis=-1, keepdims=True)) / temperature
    return np.exp(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


@right("row by row")
def by_rows(logits, temperature=1.0):
    _refuse(logits, temperature)
    flat = logits.reshape(-1, logits.shape[-1]).astype(float)
    out = [_soft(row / temperature) for row in flat]
    return np.array(out).reshape(logits.shape)


@wrong("temperature-multiplied", "You multiply by the temperature; the logits are divided by it.")
def multiplied(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64) * temperature)


@wrong("temperature-ignored", "You ignore the temperature: the result is that of T = 1.")
def ignored(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64))


@wrong("temperature-after-the-softmax", "You divide the probabilities by T; divide the logits.")
def after(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64)) / temperature


@wrong("power-without-sum", "You raise to the power 1/T and forget to divide by the sum.")
def power(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64)) ** (1 / temperature)


@wrong("temperature-squared", "You divide by T squared; the square belongs to the loss.")
def squared(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64) / temperature**2)


@wrong("first-axis", "You normalise over the first axis; the classes are the last one.")
def first_axis(logits, temperature=1.0):
    _refuse(logits, temperature)
    z = logits.astype(np.float64) / temperature
    powers = np.exp(z - z.max(0, keepdims=True))
    return powers / powers.sum(0, keepdims=True)


@wrong("second-axis", "You normalise over axis 1; with three axes the classes are the last one.")
def second_axis(logits, temperature=1.0):
    _refuse(logits, temperature)
    axis = min(1, logits.ndim - 1)
    z = logits.astype(np.float64) / temperature
    powers = np.exp(z - z.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


@wrong("whole-array", "You normalise over the whole array; each row sums to 1.")
def whole(logits, temperature=1.0):
    _refuse(logits, temperature)
    z = logits.astype(np.float64) / temperature
    powers = np.exp(z - z.max())
    return powers / powers.sum()


@wrong("overflow", "Your exponential overflows for large logits; subtract the row's largest first.")
def overflow(logits, temperature=1.0):
    _refuse(logits, temperature)
    powers = np.exp(logits.astype(np.float64) / temperature)
    return powers / powers.sum(-1, keepdims=True)


@wrong("one-maximum-for-all-rows", "You subtract one maximum from all rows; low rows underflow.")
def one_maximum(logits, temperature=1.0):
    _refuse(logits, temperature)
    z = logits.astype(np.float64) / temperature
    powers = np.exp(z - z.max())
    return powers / powers.sum(-1, keepdims=True)


@wrong("scaled-in-the-logits-type", "You divide in the type of the logits; float16 overflows.")
def scaled_low(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft((logits / logits.dtype.type(temperature)).astype(np.float64))


@wrong("float32-inside", "You compute in float32 and convert at the end; digits are lost.")
def single(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float32) / np.float32(temperature)).astype(np.float64)


@wrong("not-float64", "You return the dtype of the logits; float64 is asked.")
def own_dtype(logits, temperature=1.0):
    _refuse(logits, temperature)
    return _soft(logits.astype(np.float64) / temperature).astype(logits.dtype)


@wrong("base-two", "You use powers of 2; the softmax uses powers of e.")
def base_two(logits, temperature=1.0):
    _refuse(logits, temperature)
    z = logits.astype(np.float64) / temperature
    powers = np.exp2(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@wrong("logarithms-returned", "You return logarithms of the probabilities.")
def logs(logits, temperature=1.0):
    _refuse(logits, temperature)
    z = logits.astype(np.float64) / temperature
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


@wrong(
    "any-temperature", "You accept a temperature of 0 or below, NaN or infinity; raise ValueError."
)
def accepting(logits, temperature=1.0):
    if not logits.shape[-1]:
        raise ValueError("no classes")
    return _soft(logits.astype(np.float64) / (temperature or 1.0))


@wrong("nan-temperature", "A temperature of NaN passes `temperature <= 0`; raise ValueError.")
def nan_accepted(logits, temperature=1.0):
    if temperature <= 0 or temperature == math.inf or not logits.shape[-1]:
        raise ValueError("temperature")
    return _soft(logits.astype(np.float64) / temperature)


@wrong("in-place", "You change the logits that came in.")
def in_place(logits, temperature=1.0):
    _refuse(logits, temperature)
    if logits.dtype == np.float64:
        logits /= temperature
        return _soft(logits)
    return _soft(logits.astype(np.float64) / temperature)
