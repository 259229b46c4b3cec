"""fine-tune-adapters: the loop held to AdamW written out, on the adapters alone."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import tiny_llama

PARTS = {"losses": 0.4, "adapters": 0.35, "the rest": 0.25}
BANK_SEEDS = 1
HINTS = (
    "parameters = [p for p in model.parameters() if p.requires_grad].",
    "Before each step: group['lr'] = learning_rate * (1 - step / len(batches)).",
    "loss.backward(), clip_grad_norm_(parameters, 1.0), optimizer.step(), optimizer.zero_grad().",
    "torch.optim.AdamW(parameters, lr=..., weight_decay=0.0); its default decay is 0.01.",
)
RANK, SCALING = 4, 2.0


def cases(rng):
    for label, part, steps, rate, size in (
        ("one step", "losses", 1, 1e-2, 0.15),
        ("five steps", "losses", 5, 1e-2, 0.15),
        ("five steps, large gradients", "losses", 5, 5e-3, 0.6),
        ("five steps", "adapters", 5, 1e-2, 0.15),
        ("eight steps, large gradients", "adapters", 8, 5e-3, 0.6),
        ("four steps", "the rest", 4, 1e-2, 0.15),
        ("no batches", "the rest", 0, 1e-2, 0.15),
    ):
        yield case(label, part, state=tiny_llama.weights(rng, size), config=tiny_llama.CONFIG, rate=rate,
                   factors=_factors(rng), batches=[_batch(rng) for _ in range(steps)])  # fmt: skip
    # Weight decay of AdamW's default, 0.01, shows where A is large beside its steps.
    far = {name: (50 * a, b / 50) for name, (a, b) in _factors(rng).items()}
    yield case("A far from zero", "adapters", state=tiny_llama.weights(rng), config=tiny_llama.CONFIG,
               rate=1e-2, factors=far, batches=[_batch(rng) for _ in range(5)])  # fmt: skip
    yield case("nothing to train", "the rest", state=tiny_llama.weights(rng), config=tiny_llama.CONFIG,
               rate=1e-2, factors={}, batches=[_batch(rng)])  # fmt: skip


def _factors(rng):
    return {
        name: (rng.standard_normal((RANK, columns)).astype(np.float32) * 0.2,
               rng.standard_normal((rows, RANK)).astype(np.float32) * 0.1)
        for name, (rows, columns) in zip(tiny_llama.LAYERS, tiny_llama.SHAPES.values(), strict=True)
    }  # fmt: skip


def _batch(rng):
    ids = rng.integers(1, tiny_llama.VOCABULARY, (3, 12))
    labels = ids.copy()
    labels[:, : int(rng.integers(2, 6))] = -100
    mask = np.ones_like(ids)
    mask[0, -3:] = 0
    labels[0, -3:] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def probe(solution, state, config, rate, factors, batches):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    tuned = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=targets)).eval()
    for name, (a, b) in factors.items():
        layer = tuned.get_submodule("base_model.model." + name)
        layer.lora_A["default"].weight.data = torch.from_numpy(a.copy())
        layer.lora_B["default"].weight.data = torch.from_numpy(b.copy())
    if not factors:
        tuned.requires_grad_(False)
    tensors = [{k: torch.from_numpy(v) for k, v in batch.items()} for batch in batches]
    if not factors or not batches:
        return refusal(lambda: solution(tuned, tensors, rate))  # noqa: F821
    modes = []
    tuned.register_forward_pre_hook(lambda m, args: modes.append(m.training))
    losses = solution(tuned, tensors, rate)
    base = {
        n.replace("base_model.model.", "").replace(".base_layer", ""): p.detach().numpy()
        for n, p in tuned.named_parameters() if "lora_" not in n
    }  # fmt: skip
    after = {}
    for name in factors:
        layer = tuned.get_submodule("base_model.model." + name)
        pair = (layer.lora_A["default"].weight, layer.lora_B["default"].weight)
        after[name] = [p.detach().numpy() for p in pair]
    return {"losses": losses, "base": base, "factors": after, "training": tuned.training,
            "learned": any(modes)}  # fmt: skip


def judge(case, answer):
    if not case.factors or not case.batches:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    found = expect.mapping(answer, ("losses", "base", "factors", "training", "learned"))
    if case.part == "the rest":
        for name, value in case.state.items():
            expect.that(
                np.array_equal(found["base"].get(name), value),
                f"{name} of the base has changed.",
                hint=HINTS[0],
            )
        expect.that(
            found["learned"] is True, "The model learned in evaluation mode.",
            hint="model.train() before the first batch, model.eval() after the last.",
        )  # fmt: skip
        return expect.that(found["training"] is False, "The model is left in training mode.")
    losses, factors = tiny_llama.lora_training(
        case.state, case.factors, case.batches, case.rate, SCALING
    )
    if case.part == "losses":
        values = found["losses"]
        expect.that(
            isinstance(values, list) and all(type(v) is float for v in values), "Return a list of floats.",
            stage="type", yours=expect.kind(values), right="a list of floats",
        )  # fmt: skip
        expect.that(len(values) == len(losses), "One loss for each batch.", stage="shape",
                    yours=len(values), right=len(losses))  # fmt: skip
        # float32 against float64: Adam divides by the size of small gradients, which adds up.
        return expect.close(np.array(values), np.array(losses), "losses", rtol=1e-3, hint=HINTS[1])
    for name, pair in factors.items():
        for letter, got, want, start in zip(
            "AB", found["factors"][name], pair, case.factors[name], strict=True
        ):
            moved = np.linalg.norm(want - start)
            off = np.linalg.norm(got - want) / moved
            expect.that(
                off <= 0.02, f"{letter} of {name} moved elsewhere than AdamW moves it.",
                yours=f"off by {off:.1%} of the way", right="below 2 %", hint=HINTS[2],
            )  # fmt: skip
    return None
