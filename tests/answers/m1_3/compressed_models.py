"""Answers to compressed-models. All models are made once; a wrong answer changes one piece."""

import copy
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong
from lab.data import load_sst2
from lab.sentiment import (
    batches_of,
    load_classifier,
    load_sentiment_tokenizer,
    new_student,
    predict_logits,
    prunable,
)


@cache
def _data():
    return load_sst2()


@cache
def _batches(epochs, seed):
    data = _data()
    tokenizer = load_sentiment_tokenizer()
    return batches_of(tokenizer, data.train_sentences, data.train_labels, epochs=epochs, seed=seed)


def _train(model, batches, rate, masks=None, teacher=None):
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    model.train()
    for k, batch in enumerate(batches):
        optimizer.param_groups[0]["lr"] = rate * (1 - k / len(batches))
        out = model(**batch)
        loss = out.loss
        if teacher is not None:
            with torch.no_grad():
                soft = teacher(batch["input_ids"], batch["attention_mask"]).logits
            logs = F.log_softmax(out.logits / 2, -1)
            loss = 2.8 * F.kl_div(logs, F.softmax(soft / 2, -1), reduction="batchmean") + 0.3 * loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        _hold(model, masks or {})
    return model.eval()


@torch.no_grad()
def _hold(model, masks):
    for name, mask in masks.items():
        model.get_parameter(name).mul_(mask)


def _masks(model, sparsity):
    out = {}
    for name, weight in prunable(model).items():
        mask = torch.ones(weight.numel())
        order = weight.detach().abs().flatten().argsort(stable=True)
        mask[order[: round(sparsity * weight.numel())]] = 0
        out[name] = mask.reshape(weight.shape)
    return out


def _prune(model, sparsity, epochs=0.15, tune=True, teacher=None):
    model = copy.deepcopy(model)
    masks = _masks(model, sparsity)
    _hold(model, masks)
    return _train(model, _batches(epochs, 3), 3e-4, masks, teacher) if tune else model


@cache
def _teacher():
    if not _data().is_stand_in:
        return load_classifier("teacher")
    return _train(load_classifier("base"), _batches(4, 0), 1e-3)


@cache
def _rounds():
    out, model = {}, _teacher()
    for sparsity in (0.3, 0.5, 0.7):
        model = out[f"pruned {sparsity:.0%}"] = _prune(model, sparsity)
    return out


@cache
def _student():
    if not _data().is_stand_in:
        return _train(load_classifier("student"), _batches(0.1, 1), 2e-4, teacher=_teacher())
    return _train(load_classifier("student"), _batches(4, 1), 2e-3, teacher=_teacher())


@cache
def _models():
    student = _student()
    return {
        "teacher": _teacher(), **_rounds(), "student": student,
        "pruned student": _prune(student, 0.3, teacher=_teacher()),
    }  # fmt: skip


def _arrays(model):
    return {k: p.detach().numpy().copy() for k, p in model.named_parameters()}


@cache
def _accuracy(model):
    data = _data()
    logits = predict_logits(model, load_sentiment_tokenizer(), data.valid_sentences)
    return float((logits.argmax(1) == data.valid_labels).mean())


def _answer(**changes):
    models = {**_models(), **changes}
    return {
        "models": {k: _arrays(m) for k, m in models.items()},
        "accuracy": {k: _accuracy(m) for k, m in models.items()},
    }


@right("made here", call=True)
def made_here():
    return lambda: _answer()


@right("more keys, accuracies to three places", call=True)
def more():
    def solution():
        answer = _answer()
        rounded = {k: np.float64(round(v, 3)) for k, v in answer["accuracy"].items()}
        return {**answer, "accuracy": rounded, "note": "dev"}

    return solution


@wrong("numbers-only", "You handed in numbers; the check measures from the weights.",
       call=True, diagnose=False)  # fmt: skip
def numbers_only():
    return lambda: {"accuracy": _answer()["accuracy"]}


@wrong("better-numbers", "The accuracies are not those of the weights.", call=True, diagnose=False)
def better_numbers():
    def solution():
        answer = _answer()
        return {**answer, "accuracy": {k: v + 0.02 for k, v in answer["accuracy"].items()}}

    return solution


@wrong("untuned", "The pruned models were not fine-tuned.", call=True, diagnose=False)
def untuned():
    def solution():
        models = {f"pruned {s:.0%}": _prune(_teacher(), s, tune=False) for s in (0.3, 0.5, 0.7)}
        return _answer(**models)

    return solution


@wrong(
    "scaled-not-tuned",
    "The pruned models are the teacher times a number.",
    call=True,
    diagnose=False,
)
def scaled():
    def scaled_by(model):
        model = copy.deepcopy(model)
        with torch.no_grad():
            for weight in model.parameters():
                weight *= 1.01
        return model

    def solution():
        models = {s: _prune(_teacher(), s, tune=False) for s in (0.3, 0.5, 0.7)}
        return _answer(**{f"pruned {s:.0%}": scaled_by(m) for s, m in models.items()})

    return solution


@wrong("masks-lost", "Removed weights grew back in fine-tuning.", call=True, diagnose=False)
def masks_lost():
    def solution():
        model = copy.deepcopy(_rounds()["pruned 50%"])
        return _answer(**{"pruned 50%": _train(model, _batches(0.02, 5), 1e-4)})

    return solution


@wrong("sparsities-swapped", "30 % and 70 % are exchanged.", call=True, diagnose=False)
def swapped():
    def solution():
        rounds = _rounds()
        return _answer(**{"pruned 30%": rounds["pruned 70%"], "pruned 70%": rounds["pruned 30%"]})

    return solution


@wrong("dense-as-sparse", "All three pruned models are the teacher.", call=True, diagnose=False)
def dense():
    return lambda: _answer(**dict.fromkeys(_rounds(), _teacher()))


@wrong("not-nested", "The zeros at 70 % are others than those at 50 %.", call=True, diagnose=False)
def not_nested():
    def solution():
        model = copy.deepcopy(_teacher())
        with torch.no_grad():
            for weight in prunable(model).values():
                weight.copy_(torch.where(weight == 0, 1e-4, weight))
        generator = torch.Generator().manual_seed(0)
        masks = {}
        for name, weight in prunable(model).items():
            mask = torch.ones(weight.numel())
            order = torch.randperm(weight.numel(), generator=generator)
            mask[order[: round(0.7 * weight.numel())]] = 0
            masks[name] = mask.reshape(weight.shape)
        _hold(model, masks)
        return _answer(**{"pruned 70%": _train(model, _batches(0.05, 4), 3e-4, masks)})

    return solution


@wrong("over-all-matrices", "One threshold for all matrices: each has its own share.",
       call=True, diagnose=False)  # fmt: skip
def over_all():
    def solution():
        model = copy.deepcopy(_teacher())
        weights = prunable(model)
        values = torch.cat([w.detach().abs().flatten() for w in weights.values()])
        limit = values.sort().values[values.numel() // 2]
        masks = {k: (w.detach().abs() >= limit).float() for k, w in weights.items()}
        _hold(model, masks)
        return _answer(**{"pruned 50%": _train(model, _batches(0.05, 4), 3e-4, masks)})

    return solution


@wrong("untrained-student", "The student was not distilled.", call=True, diagnose=False)
def untrained():
    return lambda: _answer(student=new_student())


@wrong("student-is-teacher", "The student is the teacher: nothing got smaller.",
       call=True, diagnose=False)  # fmt: skip
def same_model():
    return lambda: _answer(student=_teacher())


@wrong("shipped-student", "The student is the shipped one, not distilled here.",
       call=True, diagnose=False)  # fmt: skip
def shipped_student():
    return lambda: _answer(student=load_classifier("student"))


@wrong("student-not-pruned", "The pruned student is the student.", call=True, diagnose=False)
def not_pruned():
    return lambda: _answer(**{"pruned student": _student()})


@wrong("base-as-teacher", "The teacher was not fine-tuned.", call=True, diagnose=False)
def base():
    return lambda: _answer(teacher=load_classifier("base"))


# No row of the bank: on the generated reviews unseen sentences are as easy as seen ones, and
# nothing can be told. tests/test_sentiment.py puts it to the check where SST-2 is.
def trained_on_dev():
    def solution():
        data = _data()
        tokenizer = load_sentiment_tokenizer()
        seen = batches_of(tokenizer, data.valid_sentences, data.valid_labels, epochs=8)
        return _answer(teacher=_train(copy.deepcopy(_teacher()).eval(), seen, 2e-3))

    return solution


@wrong("float16", "The arrays must be float32.", call=True, diagnose=False)
def halves():
    def solution():
        answer = _answer()
        models = {
            k: {n: a.astype(np.float16) for n, a in m.items()} for k, m in answer["models"].items()
        }
        return {**answer, "models": models}

    return solution
