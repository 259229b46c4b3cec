"""Answers to fine-tune-adapters."""

import torch

from autograder.checks.bank import right, wrong


def _train(model, batches, learning_rate=5e-3, *, decay=0.0, schedule=lambda k, n: 1 - k / n,
           clip=1.0, zero=True, every=False, kind=torch.optim.AdamW, after=lambda m: m.eval(),
           batch=lambda b: b, order=lambda b: b, record=True, thaw=False, learn=True):  # fmt: skip
    if thaw:
        for p in model.parameters():
            p.requires_grad_(True)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not batches or not parameters:
        raise ValueError("nothing to do")
    more = {} if kind is torch.optim.SGD else {"weight_decay": decay}
    optimizer = kind(parameters, lr=learning_rate, **more)
    model.train(learn)
    losses = []
    for k, b in enumerate(order(batches)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * schedule(k, len(batches))
        if zero:
            optimizer.zero_grad()
        loss = model(**batch(b)).loss
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        if not record:
            with torch.no_grad():
                loss = model(**b).loss
        losses.append(loss.item())
    after(model)
    return losses


@right("rates set by hand")
def by_hand(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate)


@right("LambdaLR, gradients cleared to None after the step")
def scheduler(model, batches, learning_rate=5e-3):
    batches = list(batches)
    adapters = [p for n, p in model.named_parameters() if "lora_" in n and p.requires_grad]
    if len(batches) == 0 or len(adapters) == 0:
        raise ValueError("no batches or no adapters")
    optimizer = torch.optim.AdamW(adapters, lr=learning_rate, weight_decay=0)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 - k / len(batches))
    losses = []
    model.train()
    for batch in batches:
        out = model(**batch)
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(adapters, max_norm=1.0)
        optimizer.step()
        falling.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(out.loss))
    model.eval()
    return losses


@right("Adam, which is AdamW without decay")
def adam(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, kind=torch.optim.Adam)


@wrong("default-decay", "AdamW decays by 0.01 unless weight_decay=0.0 is given.")
def decayed(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, decay=0.01)


@wrong("constant-rate", "The learning rate falls linearly to 0; yours is constant.")
def constant(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, schedule=lambda k, n: 1)


@wrong("rate-starts-low", "The first step has the full rate: 1 - step / steps with step from 0.")
def starts_low(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, schedule=lambda k, n: 1 - (k + 1) / n)


@wrong("no-clipping", "The gradient is not clipped to norm 1.")
def unclipped(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, clip=None)


@wrong("gradients-pile-up", "zero_grad is missing: gradients of all steps are summed.")
def piled(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, zero=False)


@wrong("sgd", "That is plain gradient descent; the exercise asks for AdamW.")
def sgd(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, kind=torch.optim.SGD)


@wrong("base-thawed", "All parameters were made trainable; only the adapters may move.")
def thawed(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, thaw=True)


@wrong("left-training", "The model is left in training mode.")
def left_training(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, after=lambda m: None)


@wrong("never-in-training", "model.train() is missing: dropout and its like would stay off.")
def never_in_training(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, learn=False)


@wrong("prompt-in-the-loss", "The labels were replaced by the tokens: the prompt is in the loss.")
def prompt(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, batch=lambda b: {**b, "labels": b["input_ids"]})


@wrong("backwards", "The batches were taken in another order.")
def backwards(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, order=lambda b: b[::-1])


@wrong("loss-after-the-step", "A loss was noted after its step; note it before.")
def after_step(model, batches, learning_rate=5e-3):
    return _train(model, batches, learning_rate, record=False)


@wrong("no-refusal", "No batches, or nothing to train, must raise ValueError.")
def unguarded(model, batches, learning_rate=5e-3):
    try:
        return _train(model, batches, learning_rate)
    except ValueError:
        return []
