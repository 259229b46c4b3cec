"""Answers to fine-tune-sparse."""

import torch

from autograder.checks.bank import right, wrong


def _train(model, batches, learning_rate=1e-3, masks=None, loss_of=None, *, decay=0.01,
           schedule=lambda k, n: 1 - k / n, clip=1.0, zero=True, before=True, each=True, last=True,
           after=lambda m: m.eval(), start=lambda m: m.train(), order=lambda b: b, guard=True,
           use_loss=True, kind=torch.optim.AdamW, invert=False, gradients=False):  # fmt: skip
    parameters = dict(model.named_parameters())
    masks = masks or {}
    if guard:
        if not batches:
            raise ValueError("no batches")
        for name, mask in masks.items():
            if name not in parameters or parameters[name].shape != mask.shape:
                raise ValueError(name)

    def remove():
        with torch.no_grad():
            for name, mask in masks.items():
                if name in parameters:
                    parameters[name].mul_(~mask if invert else mask)

    if before:
        remove()
    more = {} if kind is torch.optim.SGD else {"weight_decay": decay}
    optimizer = kind(model.parameters(), lr=learning_rate, **more)
    start(model)
    losses = []
    for k, batch in enumerate(order(batches)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * schedule(k, len(batches))
        loss = loss_of(model, batch) if loss_of and use_loss else model(**batch).loss
        if zero:
            optimizer.zero_grad()
        loss.backward()
        if gradients:
            for name, mask in masks.items():
                parameters[name].grad.mul_(mask)
        if clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if each:
            remove()
        losses.append(loss.item())
    if last:
        remove()
    after(model)
    return losses


@right("rates set by hand")
def by_hand(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
    return _train(model, batches, learning_rate, masks, loss_of)


@right("LambdaLR, index assignment for the masks")
def scheduler(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
    weights = {name: p for name, p in model.named_parameters()}
    masks = {} if masks is None else masks
    if len(batches) == 0:
        raise ValueError("Give at least one batch.")
    for name in masks:
        if name not in weights:
            raise ValueError(f"unknown parameter {name}")
        if tuple(weights[name].shape) != tuple(masks[name].shape):
            raise ValueError(f"shape of {name}")
    for name, mask in masks.items():
        weights[name].data[~mask] = 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 - k / len(batches))
    out = []
    model.train()
    for batch in batches:
        loss = model(**batch).loss if loss_of is None else loss_of(model, batch)
        out.append(float(loss.detach()))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        falling.step()
        optimizer.zero_grad(set_to_none=True)
        for name, mask in masks.items():
            weights[name].data[~mask] = 0
    model.eval()
    return out


@right("masked gradients after the clipping, and masks after the step")
def both(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
    def hook(optimizer, *rest):
        with torch.no_grad():
            for name, mask in (masks or {}).items():
                named[name].copy_(torch.where(mask, named[name], 0.0))

    named = dict(model.named_parameters())
    fits = all(k in named and named[k].shape == m.shape for k, m in (masks or {}).items())
    if not batches or not fits:
        raise ValueError("nothing fits")
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=1e-2)
    hook(optimizer)
    optimizer.register_step_post_hook(hook)
    losses = []
    model.train()
    for step in range(len(batches)):
        optimizer.param_groups[0]["lr"] = learning_rate * (len(batches) - step) / len(batches)
        loss = (loss_of or (lambda m, b: m(**b).loss))(model, batches[step])
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for name, mask in (masks or {}).items():
            named[name].grad.mul_(mask)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
        return _train(model, batches, learning_rate, masks, loss_of, **changes)

    return answer


masks_at_the_end = _wrong(
    "masks-at-the-end",
    "The masks were applied once at the end: the model learned with weights that are then taken away.",
    before=False, each=False,
)  # fmt: skip
masks_at_the_start = _wrong(
    "masks-at-the-start", "The masks were applied once at the start: removed weights grow back.",
    each=False, last=False,
)  # fmt: skip
masks_not_before = _wrong(
    "not-before-the-first-step", "Removed weights must be 0 before the first step, too.",
    before=False,
)  # fmt: skip
masked_gradients = _wrong(
    "gradients-masked-alone",
    "Masking the gradients is not enough: weight decay and momentum go on, and weights that are not 0 stay.",
    before=False, each=False, last=False, gradients=True,
)  # fmt: skip
masked_before_clipping = _wrong(
    "gradients-masked-before-clipping",
    "The norm for clipping is over the gradient as backward gives it, removed weights too.",
    gradients=True,
)  # fmt: skip
inverted = _wrong(
    "masks-inverted", "True marks the weights that stay; yours removed them.", invert=True
)
no_decay = _wrong("no-decay", "weight_decay is 0.01 here.", decay=0.0)
large_decay = _wrong("large-decay", "weight_decay is 0.01, not 0.1.", decay=0.1)
constant = _wrong(
    "constant-rate", "The rate falls linearly to 0; yours is constant.", schedule=lambda k, n: 1
)
starts_low = _wrong(
    "rate-starts-low", "The first step has the full rate: 1 - step / n with step from 0.",
    schedule=lambda k, n: 1 - (k + 1) / n,
)  # fmt: skip
unclipped = _wrong("no-clipping", "The gradient is not clipped to norm 1.", clip=None)
piled = _wrong("gradients-pile-up", "zero_grad is missing: gradients are summed.", zero=False)
adam = _wrong(
    "adam-with-decay", "Adam's weight_decay is added to the gradient; AdamW's is not.",
    kind=torch.optim.Adam,
)  # fmt: skip
sgd = _wrong("sgd", "That is plain gradient descent; use AdamW.", kind=torch.optim.SGD)
left_training = _wrong("left-training", "The model is left in training mode.", after=lambda m: None)
eval_training = _wrong(
    "trained-in-eval-mode", "The model learned in evaluation mode, without dropout.",
    start=lambda m: m.eval(),
)  # fmt: skip
backwards = _wrong("backwards", "The batches were taken in another order.", order=lambda b: b[::-1])
loss_ignored = _wrong("loss-ignored", "The argument loss_of was not used.", use_loss=False)
unguarded = _wrong(
    "no-refusal", "No batches, or a mask that fits nothing, must raise ValueError.", guard=False
)


@wrong("labels-taken", "You take the labels out of the batches; a second epoch has none.")
def labels_taken(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
    losses = _train(model, batches, learning_rate, masks, loss_of)
    for batch in batches:
        batch.pop("labels", None)
    return losses


@wrong("batches-used-up", "You empty the caller's list of batches; a second epoch finds none.")
def used_up(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
    losses = _train(model, batches, learning_rate, masks, loss_of)
    batches.clear()
    return losses


@wrong(
    "masks-before-the-step", "The optimizer moves removed weights: apply the masks after its step."
)
def before_the_step(model, batches, learning_rate=1e-3, masks=None, loss_of=None):
    parameters = dict(model.named_parameters())

    class Early(torch.optim.AdamW):
        def step(self, closure=None):
            with torch.no_grad():
                for name, mask in (masks or {}).items():
                    parameters[name].mul_(mask)
            return super().step(closure)

    return _train(model, batches, learning_rate, masks, loss_of, each=False, last=False, kind=Early)
