"""Answers to train-qat."""

import importlib.util
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong

_spec = importlib.util.spec_from_file_location(
    "forward_answers", Path(__file__).with_name("quantized_forward.py")
)
_answers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_answers)
quantized_forward = _answers.by_function


def _float_forward(params, x, bits, ranges):
    for k, (weight, bias) in enumerate(params):
        x = (torch.relu(x) if k else x) @ weight.T + bias
    return x


def _rounded(params, bits):
    top = 2 ** (bits - 1) - 1
    out = []
    for weight, bias in params:
        scale = weight.abs().max() / top
        out.append((torch.round(weight / scale).clamp(-top, top) * scale, bias))
    return out


def _train(
    params,
    batches,
    bits,
    ranges,
    learning_rate,
    *,
    forward=quantized_forward,
    loss_of=F.cross_entropy,
    make=lambda leaves, lr: torch.optim.Adam(leaves, lr=lr),
    fresh=False,
    zero=True,
    take=lambda batches: batches,
    chosen=lambda pair: pair,
    after=None,
    finish=lambda params, bits: params,
    copy=True,
    detach=True,
    check_batches=True,
    check_loss=True,
):
    if check_batches and not batches:
        raise ValueError("no batches")
    params = [
        tuple((t.detach().clone() if copy else t).requires_grad_() for t in p) for p in params
    ]
    leaves = [t for pair in params for t in chosen(pair)]
    optimizer = make(leaves, learning_rate)
    for x, labels in take(batches):
        if fresh:
            optimizer = make(leaves, learning_rate)
        loss = loss_of(forward(params, x, bits, ranges), labels)
        if check_loss and not torch.isfinite(loss):
            raise ValueError("loss")
        if zero:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if after:
            after(params, bits)
    params = finish([tuple(t.detach() for t in p) for p in params], bits) if detach else params
    return params


@right("torch.optim.Adam")
def by_optimizer(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate)


@right("Adam by hand with autograd.grad")
def by_hand(params, batches, bits, ranges, learning_rate):
    if len(batches) == 0:
        raise ValueError("nothing to train on")
    flat = [t.clone() for pair in params for t in pair]
    m, v = ([torch.zeros_like(t) for t in flat] for _ in range(2))
    for step, (x, labels) in enumerate(batches, 1):
        leaves = [t.clone().requires_grad_() for t in flat]
        pairs = list(zip(leaves[::2], leaves[1::2], strict=True))
        logits = quantized_forward(pairs, x, bits, ranges)
        loss = -logits.log_softmax(1)[torch.arange(len(labels)), labels].mean()
        if not bool(loss.isfinite()):
            raise ValueError("the loss is not finite")
        for k, g in enumerate(torch.autograd.grad(loss, leaves)):
            m[k] = 0.9 * m[k] + 0.1 * g
            v[k] = 0.999 * v[k] + 0.001 * g**2
            down = (v[k] / (1 - 0.999**step)).sqrt() + 1e-8
            flat[k] = flat[k] - learning_rate * m[k] / (1 - 0.9**step) / down
    return [[w, b] for w, b in zip(flat[::2], flat[1::2], strict=True)]


@right("nn.Parameters and a generator of batches")
def by_parameters(params, batches, bits, ranges, learning_rate):
    todo = list(batches)
    if not todo:
        raise ValueError("no batches")
    leaves = torch.nn.ParameterList([t.clone() for pair in params for t in pair])
    pairs = [(leaves[2 * k], leaves[2 * k + 1]) for k in range(len(params))]
    adam = torch.optim.Adam(leaves.parameters(), lr=learning_rate, foreach=False)
    while todo:
        x, labels = todo.pop(0)
        adam.zero_grad(set_to_none=False)
        loss = torch.nn.CrossEntropyLoss()(quantized_forward(pairs, x, bits, ranges), labels)
        if np.isnan(loss.item()) or np.isinf(loss.item()):
            raise ValueError("loss")
        loss.backward()
        adam.step()
    return [(w.data, b.data) for w, b in pairs]


@wrong(
    "rounded-weights-returned",
    "You return the rounded weights; the float ones are asked, they round when used.",
)
def rounded_at_the_end(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, finish=_rounded)


@wrong(
    "rounded-weights-trained",
    "You round the weights after each step; small steps are then rounded away for ever.",
)
def rounded_each_step(params, batches, bits, ranges, learning_rate):
    def after(pairs, b):
        with torch.no_grad():
            for (w, _), (rounded, _) in zip(pairs, _rounded(pairs, b), strict=True):
                w.copy_(rounded)

    return _train(params, batches, bits, ranges, learning_rate, after=after)


@wrong("trained-in-floats", "You train the float network; the loss must be the quantized one's.")
def in_floats(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, forward=_float_forward)


@wrong(
    "dynamic-ranges",
    "You left the static ranges out; the network is trained for the ranges it will run with.",
)
def dynamic(params, batches, bits, ranges, learning_rate):
    def forward(pairs, x, b, r):
        return quantized_forward(pairs, x, b, None)

    return _train(params, batches, bits, ranges, learning_rate, forward=forward)


@wrong("eight-bits", "You train for 8 bits whatever `bits` says.")
def eight(params, batches, bits, ranges, learning_rate):
    def forward(pairs, x, b, r):
        return quantized_forward(pairs, x, 8 if b != 8 else 4, r)

    return _train(params, batches, bits, ranges, learning_rate, forward=forward)


@wrong(
    "gradients-added-up",
    "You never call zero_grad: gradients of old batches are added to the new ones.",
)
def accumulated(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, zero=False)


@wrong(
    "optimizer-made-anew", "You make a new optimizer for each batch, and Adam's moments are lost."
)
def fresh(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, fresh=True)


@wrong("sgd", "You use plain SGD; asked is Adam.")
def sgd(params, batches, bits, ranges, learning_rate):
    def make(leaves, lr):
        return torch.optim.SGD(leaves, lr=lr)

    return _train(params, batches, bits, ranges, learning_rate, make=make)


@wrong(
    "adamw", "You use AdamW, whose default weight decay pulls the weights towards 0; asked is Adam."
)
def adamw(params, batches, bits, ranges, learning_rate):
    def make(leaves, lr):
        return torch.optim.AdamW(leaves, lr=lr)

    return _train(params, batches, bits, ranges, learning_rate, make=make)


@wrong("learning-rate-ignored", "You ignore `learning_rate` and use Adam's default.")
def default_rate(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, 1e-3 if learning_rate != 1e-3 else 2e-3)


@wrong("weights-only", "You train the weights only; the biases learn too.")
def weights_only(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, chosen=lambda pair: pair[:1])


@wrong("uphill", "You maximise the loss: the sign is wrong.")
def uphill(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, -learning_rate,
                  make=lambda leaves, lr: torch.optim.Adam(leaves, lr=-lr, maximize=True))  # fmt: skip


@wrong("softmax-twice", "cross_entropy takes logits; you gave it probabilities.")
def softmax_twice(params, batches, bits, ranges, learning_rate):
    def loss_of(logits, labels):
        return F.cross_entropy(logits.softmax(1), labels)

    return _train(params, batches, bits, ranges, learning_rate, loss_of=loss_of)


@wrong("first-batch-only", "You train on the first batch only.")
def first_only(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, take=lambda b: b[:1])


@wrong("two-epochs", "You pass over the batches twice; each is used once.")
def twice(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, take=lambda b: list(b) * 2)


@wrong("last-batch-dropped", "You leave out the last batch.")
def dropped(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, take=lambda b: b[:-1])


@wrong("nothing-trained", "You return the parameters as they came.")
def nothing(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, take=lambda b: [])


@wrong("arguments-trained", "You train the tensors that came in; clone them first.")
def in_place(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, copy=False)


@wrong(
    "result-asks-for-gradients", "Your result still asks for gradients; return detached tensors."
)
def attached(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, detach=False)


@wrong(
    "no-batches-accepted",
    "Without batches you return untrained parameters in silence; raise ValueError.",
)
def no_batches(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, check_batches=False)


@wrong(
    "nan-loss-accepted",
    "You go on with a loss that is NaN: all parameters become NaN. Raise ValueError.",
)
def nan_loss(params, batches, bits, ranges, learning_rate):
    return _train(params, batches, bits, ranges, learning_rate, check_loss=False)


def _loss_checked(test):
    def train(params, batches, bits, ranges, learning_rate):
        seen = []

        def loss_of(logits, labels):
            seen.append(F.cross_entropy(logits, labels))
            if test(seen[-1].detach(), len(seen), len(batches)):
                raise ValueError("loss")
            return seen[-1]

        return _train(
            params, batches, bits, ranges, learning_rate, loss_of=loss_of, check_loss=False
        )

    return train


@wrong("infinite-loss-accepted", "You test the loss for NaN only; test isfinite.")
def nan_only(params, batches, bits, ranges, learning_rate):
    test = _loss_checked(lambda loss, step, steps: torch.isnan(loss))
    return test(params, batches, bits, ranges, learning_rate)


@wrong("first-loss-tested", "You test the first batch's loss only; any of them may be infinite.")
def first_loss_only(params, batches, bits, ranges, learning_rate):
    test = _loss_checked(lambda loss, step, steps: step == 1 and not torch.isfinite(loss))
    return test(params, batches, bits, ranges, learning_rate)


@wrong("last-loss-tested", "You test the last batch's loss only; any of them may be infinite.")
def last_loss_only(params, batches, bits, ranges, learning_rate):
    test = _loss_checked(lambda loss, step, steps: step == steps and not torch.isfinite(loss))
    return test(params, batches, bits, ranges, learning_rate)
