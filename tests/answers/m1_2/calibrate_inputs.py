"""Answers to calibrate-inputs."""

import copy

import torch
from torch import nn

from autograder.checks.bank import right, wrong


def _run(
    model,
    batches,
    make_observer,
    *,
    pick=lambda args, out: args[0],
    evaluate=True,
    restore=True,
    remove=True,
    safe=True,
    grad=False,
    shared=False,
    only=None,
    top_only=False,
    refuse=True,
    kinds=nn.Linear,
    rename=lambda name: name,
    take=lambda batches: batches,
):
    modules = model.named_children() if top_only else model.named_modules()
    linears = {n: m for n, m in modules if isinstance(m, kinds)}
    if refuse and (not batches or not linears):
        raise ValueError("nothing to calibrate")
    one = make_observer() if shared else None
    observers = {rename(n): one or make_observer() for n in linears}

    def hook(name):
        return lambda module, args, out: observers[rename(name)].observe(pick(args, out))

    handles = [m.register_forward_hook(hook(n)) for n, m in linears.items()]
    was = model.training

    def clean():
        if restore:
            model.train(was)
        if remove:
            for handle in handles:
                handle.remove()

    if evaluate:
        model.eval()
    try:
        with torch.set_grad_enabled(grad):
            for batch in take(batches):
                model(batch)
    except BaseException:
        if safe:
            clean()
        raise
    clean()
    return observers


@right("pre-hooks with a bound observer")
def by_pre_hooks(model, batches, make_observer):
    if len(batches) == 0:
        raise ValueError("no calibration batches")
    seen, handles = {}, []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            seen[name] = make_observer()
            handles.append(
                module.register_forward_pre_hook(lambda m, a, s=seen[name]: s.observe(a[0]))
            )
    if not seen:
        raise ValueError("no linear layers")
    before = model.training
    model.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                model(batch)
    finally:
        for handle in handles:
            handle.remove()
        model.train(before)
    return seen


@right("forward hooks under inference_mode")
def by_forward_hooks(model, batches, make_observer):
    with torch.inference_mode():
        return _run(model, batches, make_observer)


@right("wrapped forward methods, put back")
def by_wrapping(model, batches, make_observer):
    linears = {n: m for n, m in model.named_modules() if type(m) is nn.Linear}
    if not (linears and batches):
        raise ValueError("nothing to calibrate")
    observers = {}
    was = [(m, m.training) for m in model.modules()]
    model.train(False)
    try:
        for name, module in linears.items():
            observers[name] = observer = make_observer()

            def forward(x, module=module, observer=observer):
                observer.observe(x)
                return nn.functional.linear(x, module.weight, module.bias)

            module.forward = forward
        with torch.no_grad():
            for batch in batches:
                model(batch)
    finally:
        for module in linears.values():
            module.__dict__.pop("forward", None)
        for module, flag in was:
            module.training = flag
    return observers


@wrong("outputs-observed", "You observe the layer's output; its input is what gets quantized.")
def outputs(model, batches, make_observer):
    return _run(model, batches, make_observer, pick=lambda args, out: out)


@wrong(
    "hooks-left",
    "Your hooks stay on the model and go on observing in production; remove the handles.",
)
def hooks_left(model, batches, make_observer):
    return _run(model, batches, make_observer, remove=False)


@wrong(
    "not-cleaned-after-an-error",
    "When a batch raises, your clean-up is passed over; put it into `finally`.",
)
def unsafe(model, batches, make_observer):
    return _run(model, batches, make_observer, safe=False)


@wrong(
    "training-mode",
    "You calibrate in training mode: Dropout is active and BatchNorm learns from the data.",
)
def training(model, batches, make_observer):
    return _run(model, batches, make_observer, evaluate=False)


@wrong("left-in-eval-mode", "You leave the model in evaluation mode; put it back as it was.")
def left_in_eval(model, batches, make_observer):
    return _run(model, batches, make_observer, restore=False)


@wrong(
    "always-back-to-training",
    "You call model.train() at the end; the model may have been in evaluation mode.",
)
def always_train(model, batches, make_observer):
    try:
        return _run(model, batches, make_observer, restore=False)
    finally:
        if batches:
            model.train()


@wrong("gradients-on", "You run the model with gradients: every batch keeps a graph in memory.")
def gradients(model, batches, make_observer):
    return _run(model, batches, make_observer, grad=True)


@wrong("one-observer-for-all", "All layers share one observer; each needs its own range.")
def one_for_all(model, batches, make_observer):
    return _run(model, batches, make_observer, shared=True)


@wrong("late-binding", "Your lambda sees the loop's last observer; bind it as a default argument.")
def late_binding(model, batches, make_observer):
    if not batches:
        raise ValueError("no batches")
    observers = {n: make_observer() for n, m in model.named_modules() if isinstance(m, nn.Linear)}
    if not observers:
        raise ValueError("no linear layers")
    was = model.training
    handles = []
    for name in observers:
        module = model.get_submodule(name)
        handles.append(
            module.register_forward_pre_hook(lambda m, a: observers[name].observe(a[0]))  # noqa: B023
        )
    model.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                model(batch)
    finally:
        for handle in handles:
            handle.remove()
        model.train(was)
    return observers


@wrong(
    "top-level-only",
    "You look at the model's direct children; layers inside blocks are missed: named_modules.",
)
def top_level(model, batches, make_observer):
    return _run(model, batches, make_observer, top_only=True)


@wrong("first-batch-only", "You run the first batch only.")
def first_batch(model, batches, make_observer):
    return _run(model, batches, make_observer, take=lambda b: b[:1])


@wrong("every-module", "You observe every module; asked are the inputs of nn.Linear layers.")
def every_module(model, batches, make_observer):
    return _run(model, batches, make_observer, kinds=nn.Module)


@wrong(
    "empty-calibration-accepted",
    "Without batches you return observers that have seen nothing; raise ValueError.",
)
def empty(model, batches, make_observer):
    return _run(model, batches, make_observer, refuse=False)


@wrong("batches-concatenated", "You run all batches as one; each must be seen as it comes.")
def concatenated(model, batches, make_observer):
    return _run(model, batches, make_observer, take=lambda b: [torch.cat(b)] if b else b)


@wrong("numbered-layers", "You number the layers; the keys are the names of model.named_modules().")
def numbered(model, batches, make_observer):
    found = _run(model, batches, make_observer)
    return {f"layer{k}": seen for k, seen in enumerate(found.values())}


@right("a copy of the model is observed")
def by_copy(model, batches, make_observer):
    return _run(copy.deepcopy(model), batches, make_observer)


@wrong(
    "others-hooks-removed",
    "You cleared every hook of the model, also those of others; remove your own handles.",
)
def all_cleared(model, batches, make_observer):
    try:
        return _run(model, batches, make_observer)
    finally:
        for module in model.modules():
            module._forward_hooks.clear()
            module._forward_pre_hooks.clear()


@wrong(
    "gradients-off-for-good",
    "You switched gradients off and never on again; use `with torch.no_grad():`.",
)
def switched_off(model, batches, make_observer):
    torch.set_grad_enabled(False)
    return _run(model, batches, make_observer)


@wrong(
    "model-frozen",
    "You set requires_grad to False to save the graph; the model can no longer be trained.",
)
def frozen(model, batches, make_observer):
    model.requires_grad_(False)
    return _run(model, batches, make_observer)


@wrong("error-renamed", "You turned the batch's error into another one; pass it on as it is.")
def renamed(model, batches, make_observer):
    try:
        return _run(model, batches, make_observer)
    except RuntimeError as error:
        raise ValueError("a batch failed") from error


@wrong(
    "root-passed-over",
    "A model may itself be one nn.Linear: its name in named_modules() is the empty string.",
)
def root_passed_over(model, batches, make_observer):
    if isinstance(model, nn.Linear):
        return _run(nn.Sequential(model), batches, make_observer)
    return _run(model, batches, make_observer)


@wrong(
    "unreached-layer-left-out",
    "You keep only the observers that saw something; each linear layer has one.",
)
def reached_only(model, batches, make_observer):
    made = _run(model, batches, make_observer)
    return {name: seen for name, seen in made.items() if seen.inputs}


@wrong("batches-changed", "You normalised the batches in place; the caller's data changed.")
def scaled(model, batches, make_observer):
    made = _run(model, batches, make_observer)
    for batch in batches:
        batch.sub_(batch.mean())
    return made
