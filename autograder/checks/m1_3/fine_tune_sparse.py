"""fine-tune-sparse: the loop held to AdamW written out, removed weights at 0 after every step."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import tiny_bert

PARTS = {"losses": 0.3, "weights": 0.2, "masks": 0.3, "the rest": 0.2}
BANK_SEEDS = 1
HINTS = (
    "Before each step: group['lr'] = learning_rate * (1 - step / len(batches)).",
    "loss.backward(), clip_grad_norm_(model.parameters(), 1.0), optimizer.step(), then the masks.",
    "parameters[name].mul_(mask) in torch.no_grad(), once before the first step and after each.",
    "torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01).",
)
PRUNED = (
    "bert.embeddings.word_embeddings.weight",
    "bert.encoder.layer.0.attention.self.query.weight",
    "bert.encoder.layer.0.output.dense.weight",
)


def cases(rng):
    def one(label, part, steps, rate, pruned=(), size=0.3, square=0.0, bad="", factor=1.0):
        state = tiny_bert.weights(rng, size)
        # Weight decay shows where weights are large beside Adam's steps; a norm follows them.
        state["bert.embeddings.word_embeddings.weight"] *= np.float32(factor)
        masks = {name: rng.random(state[name].shape) < 0.5 for name in pruned}
        if bad == "name":
            masks = {"bert.nothing.weight": np.ones((4, 4), bool)}
        elif bad == "shape":
            masks = {PRUNED[1]: np.ones((tiny_bert.HIDDEN, 1), bool)}
        return case(label, part, state=state, config=tiny_bert.CONFIG, rate=rate, masks=masks,
                    batches=[tiny_bert.batch(rng) for _ in range(steps)], square=square, bad=bad)  # fmt: skip

    yield one("one step", "losses", 1, 1e-2)
    yield one("five steps", "losses", 5, 1e-2)
    yield one("four steps, larger weights", "losses", 4, 1e-2, size=0.4)
    yield one("another loss", "losses", 3, 1e-2, square=1.0)
    yield one("word embeddings far from zero", "weights", 5, 1e-2, factor=60.0)
    yield one("one step, half removed", "masks", 1, 1e-2, PRUNED)
    yield one("five steps, half removed", "masks", 5, 1e-2, PRUNED)
    yield one("another loss, half removed", "masks", 3, 1e-2, PRUNED, square=1.0)
    yield one("three steps", "the rest", 3, 1e-2, PRUNED[:1])
    for bad, label in (("batches", "no batches"), ("name", "a mask for no parameter"),
                       ("shape", "a mask of another shape")):  # fmt: skip
        yield one(label, "the rest", 0 if bad == "batches" else 2, 1e-2, bad=bad)


def probe(solution, state, config, rate, masks, batches, square, bad):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    model = BertForSequenceClassification(BertConfig(**config))
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in state.items()}, strict=False)
    model.eval()
    tensors = [{k: torch.from_numpy(v) for k, v in batch.items()} for batch in batches]
    kept = {k: torch.from_numpy(v) for k, v in masks.items()}
    modes, alive = [], []
    handed = [dict(one) for one in tensors]

    def look(module, *rest):
        modes.append(module.training)
        now = dict(model.named_parameters())
        alive.append(sum(int((now[k][~m] != 0).sum()) for k, m in kept.items() if k in now))

    model.register_forward_pre_hook(look)

    def other(module, batch):
        out = module(**batch)
        return out.loss + square * (out.logits**2).mean()

    if bad:
        return refusal(lambda: solution(model, tensors, rate, kept or None))  # noqa: F821
    if square:
        losses = solution(model, tensors, rate, kept or None, other)
    else:
        losses = solution(model, tensors, rate, kept or None)
    after = {k: p.detach().numpy() for k, p in model.named_parameters()}
    same = len(tensors) == len(handed) and all(
        set(one) == set(was) and all(torch.equal(one[k], was[k]) for k in was)
        for one, was in zip(tensors, handed, strict=True)
    )
    masks_after = {k: m.numpy() for k, m in kept.items()}
    return {"losses": losses, "weights": after, "training": model.training, "modes": modes,
            "alive": alive, "masks": masks_after, "batches_kept": same}  # fmt: skip


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    found = expect.mapping(answer, ("losses", "weights", "training", "modes", "alive", "masks"))
    values = found["losses"]
    expect.that(
        isinstance(values, list) and all(type(v) is float for v in values), "Return a list of floats.",
        stage="type", yours=expect.kind(values), right="a list of floats", hint="loss.item()",
    )  # fmt: skip
    expect.that(len(values) == len(case.batches), "One loss for each batch.", stage="shape",
                yours=len(values), right=len(case.batches))  # fmt: skip
    expect.that(found["batches_kept"], "The batches were changed.", stage="mutation",
                hint="batch.pop takes the labels away for the next epoch.")  # fmt: skip
    if case.part == "the rest":
        return _rest(case, found)
    losses, weights = tiny_bert.fine_tuning(
        case.state, case.batches, case.rate, case.masks, case.square
    )
    if case.part == "masks":
        _removed(case, found)
    # float32 against float64 in models this small: losses 3e-7 apart, weights 4e-5 of their way.
    expect.close(np.array(values), np.array(losses), "losses", rtol=1e-4, hint=HINTS[0])
    if case.part == "losses":
        return None
    for name, want in weights.items():
        got, start = found["weights"][name], case.state[name]
        if case.part == "masks" and name in case.masks:
            start = start * case.masks[name]
        moved = np.linalg.norm(want - start)
        # A key's bias has no influence on the softmax: its gradient is rounding.
        if name.endswith("key.bias"):
            continue
        off = np.linalg.norm(got - want) / moved
        expect.that(
            off <= 2e-3, f"{name} moved elsewhere than AdamW moves it.",
            yours=f"off by {off:.2%} of the way", right="below 0.2 %", hint=HINTS[3],
        )  # fmt: skip
    return None


def _removed(case, found):
    alive = found["alive"]
    expect.that(
        not any(alive[:1]), "Removed weights are not 0 in the first step.", yours=alive[:1],
        right="0 weights", hint=HINTS[2],
    )  # fmt: skip
    expect.that(
        not any(alive), "Removed weights come back between the steps.", yours=max(alive),
        right="0 weights", hint="An optimizer with momentum moves a weight whose gradient is 0: "
        "multiply after each step.",
    )  # fmt: skip
    for name, mask in case.masks.items():
        back = int(np.count_nonzero(found["weights"][name][~mask]))
        expect.that(
            back == 0, f"{name}: removed weights are not 0 at the end.", yours=f"{back} of them",
            right="none", hint=HINTS[2],
        )  # fmt: skip
        expect.that(np.array_equal(found["masks"][name], mask), f"The mask of {name} has changed.",
                    stage="mutation")  # fmt: skip


def _rest(case, found):
    expect.that(found["training"] is False, "The model is left in training mode.")
    expect.that(
        len(found["modes"]) >= len(case.batches) and all(found["modes"][: len(case.batches)]),
        "The model does not learn in training mode: dropout would be off.", hint="model.train()",
    )  # fmt: skip
