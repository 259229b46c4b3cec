"""Answers to master-weights."""

import numpy as np

from autograder.checks.bank import right, wrong


def _good(gradient):
    return bool(np.isfinite(gradient).all())


@right("numpy, float32 throughout")
def by_numpy(master, gradient, lr, loss_scale):
    new = master.copy()
    if np.isfinite(gradient).all():
        new -= np.float32(lr) * (gradient.astype(np.float32) / np.float32(loss_scale))
    return new, new.astype(np.float16)


@right("float64 in between")
def by_float64(master, gradient, lr, loss_scale):
    new = np.array(master, np.float64)
    if not (np.isinf(gradient).any() or np.isnan(gradient).any()):
        new = new - gradient.astype(np.float64) * (lr / loss_scale)
    new = new.astype(np.float32)
    return [new, np.float16(new)]


@right("torch's SGD")
def by_torch(master, gradient, lr, loss_scale):
    import torch

    weight = torch.nn.Parameter(torch.tensor(master))
    weight.grad = torch.tensor(gradient).float() / loss_scale
    if bool(weight.grad.isfinite().all()):
        torch.optim.SGD([weight], lr=lr).step()
    new = weight.detach()
    return new.numpy(), new.half().numpy()


@wrong(
    "updated-in-float16",
    "You updated in float16, where a step below half the spacing rounds away; update the float32 master.",
)
def in_half(master, gradient, lr, loss_scale):
    new = master.copy()
    if _good(gradient):
        step = (np.float32(lr) * (gradient.astype(np.float32) / np.float32(loss_scale))).astype(
            np.float16
        )
        new = (master.astype(np.float16) - step).astype(np.float32)
    return new, new.astype(np.float16)


@wrong(
    "master-rounded",
    "You returned the rounded weights as the master; it must keep the digits that float16 drops.",
)
def rounded_master(master, gradient, lr, loss_scale):
    new, weights = by_numpy(master, gradient, lr, loss_scale)
    return weights.astype(np.float32), weights


@wrong(
    "float16-unscale",
    "You divided by the loss scale in float16, where small gradients vanish again; cast to float32 first.",
)
def half_unscale(master, gradient, lr, loss_scale):
    new = master.copy()
    if _good(gradient):
        new -= np.float32(lr) * (gradient / np.float16(loss_scale)).astype(np.float32)
    return new, new.astype(np.float16)


@wrong(
    "learning-rate-in-float16",
    "You multiplied gradient and learning rate in float16; the product of two small numbers vanishes there.",
)
def half_rate(master, gradient, lr, loss_scale):
    new = master.copy()
    if _good(gradient):
        new -= (gradient * np.float16(lr)).astype(np.float32) / np.float32(loss_scale)
    return new, new.astype(np.float16)


@wrong(
    "not-unscaled", "You forgot to divide by the loss scale: the step is that many times too large."
)
def not_unscaled(master, gradient, lr, loss_scale):
    return by_numpy(master, gradient, lr, 1.0)


@wrong(
    "scaled-twice", "You multiplied by the loss scale; the gradient is scaled already, so divide."
)
def scaled_twice(master, gradient, lr, loss_scale):
    return by_numpy(master, gradient, lr, 1 / loss_scale)


@wrong("ascent", "You added the gradient; descent subtracts it.")
def ascent(master, gradient, lr, loss_scale):
    return by_numpy(master, gradient, -lr, loss_scale)


@wrong(
    "no-skip",
    "You stepped although the gradient is not finite; the weights stay NaN or infinite from then on.",
)
def no_skip(master, gradient, lr, loss_scale):
    new = master - np.float32(lr) * (gradient.astype(np.float32) / np.float32(loss_scale))
    return new, new.astype(np.float16)


@wrong(
    "bad-values-only",
    "You left out the bad values and used the others; if one overflowed the whole step is skipped.",
)
def masked(master, gradient, lr, loss_scale):
    good = np.where(np.isfinite(gradient), gradient, np.float16(0))
    return by_numpy(master, good, lr, loss_scale)


@wrong(
    "clipped",
    "You replaced infinities by the largest value and NaN by 0; if one overflowed the whole step is skipped.",
)
def clipped(master, gradient, lr, loss_scale):
    return by_numpy(master, np.nan_to_num(gradient), lr, loss_scale)


@wrong("nan-missed", "You skip at infinities but not at NaN; np.isfinite finds both.")
def only_inf(master, gradient, lr, loss_scale):
    if np.isinf(gradient).any():
        return by_numpy(master, gradient, lr, loss_scale)
    return no_skip(master, gradient, lr, loss_scale)


@wrong("sum-as-detector", "You tested the sum for overflow; finite values can add up to infinity.")
def by_sum(master, gradient, lr, loss_scale):
    if not np.isfinite(gradient.sum()):
        return master.copy(), master.astype(np.float16)
    return by_numpy(master, gradient, lr, loss_scale)


@wrong(
    "65504-as-overflow",
    "You took 65504 for an overflow; it is float16's largest number, infinity comes after it.",
)
def at_the_top(master, gradient, lr, loss_scale):
    if not (np.abs(gradient) < 65504).all():
        return master.copy(), master.astype(np.float16)
    return by_numpy(master, gradient, lr, loss_scale)


@right("one factor, lr / loss_scale")
def by_one_factor(master, gradient, lr, loss_scale):
    if not np.isfinite(gradient).all():
        return master.copy(), master.astype(np.float16)
    new = master - np.float32(lr / loss_scale) * gradient.astype(np.float32)
    return new, new.astype(np.float16)


@wrong("float32-weights", "Your second array is float32; the model's copy is float16.")
def float32_weights(master, gradient, lr, loss_scale):
    new, _ = by_numpy(master, gradient, lr, loss_scale)
    return new, new.copy()


@wrong("old-weights", "You returned the weights from before the step; round the new master.")
def old_weights(master, gradient, lr, loss_scale):
    return by_numpy(master, gradient, lr, loss_scale)[0], master.astype(np.float16)


@wrong("cut-off", "You cut the digits off; float16 rounds to nearest, so use astype.")
def cut_off(master, gradient, lr, loss_scale):
    new, weights = by_numpy(master, gradient, lr, loss_scale)
    toward = np.nextafter(weights, np.float16(0))
    return new, np.where(np.abs(weights.astype(np.float32)) > np.abs(new), toward, weights)


@wrong("in-place", "You changed the caller's master with -=; work on a copy.")
def in_place(master, gradient, lr, loss_scale):
    if _good(gradient):
        master -= np.float32(lr) * (gradient.astype(np.float32) / np.float32(loss_scale))
    return master, master.astype(np.float16)


@wrong(
    "no-cast-at-all",
    "You multiplied and divided the float16 array, so all of it happened in float16; cast it first.",
)
def no_cast(master, gradient, lr, loss_scale):
    if not _good(gradient):
        return master.copy(), master.astype(np.float16)
    new = master - lr * gradient / loss_scale
    return new, new.astype(np.float16)


@wrong(
    "master-itself",
    "Where the step is skipped you return the master that came in; return a copy of it.",
)
def master_itself(master, gradient, lr, loss_scale):
    g = gradient.astype(np.float32)
    new = (
        master
        if not np.isfinite(g).all()
        else master - np.float32(lr) * (g / np.float32(loss_scale))
    )
    return new, new.astype(np.float16)
