"""attach-adapters: LoRA on all seven kinds of layers, everything else frozen, nothing changed yet."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import tiny_llama

PARTS = {"adapters": 0.55, "the base": 0.3, "seed": 0.15}
BANK_SEEDS = 1
HINTS = (
    "LoraConfig(r=rank, lora_alpha=alpha, target_modules=[...], lora_dropout=0.0, bias='none').",
    "target_modules: the last part of the layers' names, q_proj to down_proj, seven of them.",
    "get_peft_model(model, config) freezes the base and puts the adapters in.",
    "A is drawn from torch's global generator: torch.manual_seed(seed) before get_peft_model.",
)


def cases(rng):
    state = tiny_llama.weights(rng)
    ids = rng.integers(0, tiny_llama.VOCABULARY, (2, 12))
    seed = int(rng.integers(1, 1000))
    for part in PARTS:
        for rank, alpha in ((4, 8), (8, 4)):
            yield case(f"rank {rank}, alpha {alpha}", part, state=state, config=tiny_llama.CONFIG,
                       ids=ids, rank=rank, alpha=alpha, seed=seed)  # fmt: skip


def probe(solution, state, config, ids, rank, alpha, seed):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    def fresh():
        model = LlamaForCausalLM(LlamaConfig(**config))
        model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
        return model.eval()

    def drawn(s):
        tuned = solution(fresh(), rank, alpha, s)
        return {n: p.detach().numpy() for n, p in tuned.named_parameters() if "lora_A" in n}

    tokens = torch.from_numpy(ids)
    tuned = solution(fresh(), rank, alpha, seed)
    training = tuned.training
    with torch.inference_mode():
        before = fresh()(tokens).logits.numpy()
        after = tuned.eval()(tokens).logits.numpy()
    out = {"class": type(tuned).__name__, "before": before, "after": after, "training": training}
    out["trainable"] = {n: list(p.shape) for n, p in tuned.named_parameters() if p.requires_grad}
    out["all"] = {n: p.detach().numpy() for n, p in tuned.named_parameters()}
    out["scaling"] = [float(m.scaling["default"]) for m in tuned.modules() if hasattr(m, "lora_A")]
    out["dropout"] = [
        float(getattr(m.lora_dropout["default"], "p", 0.0))
        for m in tuned.modules() if hasattr(m, "lora_A")
    ]  # fmt: skip
    out["same"], out["again"], out["other"] = drawn(seed), drawn(seed), drawn(seed + 1)
    return out


def judge(case, answer):
    keys = (
        "class",
        "before",
        "after",
        "trainable",
        "all",
        "scaling",
        "dropout",
        "same",
        "again",
        "other",
    )
    found = expect.mapping(answer, keys)
    if case.part == "adapters":
        _adapters(case, found)
    elif case.part == "the base":
        _base(case, found)
    else:
        _seed(found)


def _adapters(case, found):
    wanted = {}
    for layer in tiny_llama.LAYERS:
        rows, columns = tiny_llama.SHAPES[layer.removeprefix(tiny_llama.PREFIX)]
        wanted[f"{layer}.lora_A"], wanted[f"{layer}.lora_B"] = (
            [case.rank, columns],
            [rows, case.rank],
        )
    got = {_short(name): shape for name, shape in found["trainable"].items()}
    missing = [n for n in wanted if n not in got]
    expect.that(
        not missing,
        f"{len(missing)} adapters are missing, first {missing[:1]}.",
        yours=f"{len(got)} trainable",
        right=f"{len(wanted)} trainable",
        hint=HINTS[1],
    )
    extra = [n for n in got if n not in wanted]
    expect.that(not extra, f"{extra[:1]} is trainable and should be frozen.", hint=HINTS[2])
    for name, shape in wanted.items():
        expect.that(
            got[name] == shape, f"{name} has the wrong shape.", yours=got[name], right=shape
        )
    scale = case.alpha / case.rank
    for value in found["scaling"]:
        expect.number(value, scale, "scaling", hint="PEFT multiplies B A by lora_alpha / r.")
    expect.that(all(p == 0 for p in found["dropout"]), "lora_dropout is not 0.")


def _base(case, found):
    expect.that(
        found["class"].startswith("Peft"),
        "Return the PEFT model.",
        stage="type",
        yours=found["class"],
    )
    held = {
        n.replace("base_model.model.", "").replace(".base_layer", ""): v
        for n, v in found["all"].items()
    }
    for name, value in case.state.items():
        same = name in held and np.array_equal(held[name], value)
        expect.that(same, f"{name} of the base is not what it was.")
    for name, value in found["all"].items():
        if "lora_B" in name:
            expect.that(not value.any(), f"{name} does not start at zero.")
        if "lora_A" in name:
            expect.that(bool(np.ptp(value) > 0), f"{name} is constant: B would get no gradient.")
    expect.close(
        found["after"], found["before"], "logits with fresh adapters", rtol=1e-5, atol=1e-5,
        cause="Adapters that were just attached must not change the output.",
    )  # fmt: skip


def _seed(found):
    for name, value in found["same"].items():
        expect.that(
            np.array_equal(value, found["again"][name]),
            "The same seed gives other adapters.",
            hint=HINTS[3],
        )
        expect.that(
            not np.array_equal(value, found["other"][name]),
            "Another seed gives the same adapters.",
            hint=HINTS[3],
        )


def _short(name):
    return name.replace("base_model.model.", "").replace(".default.weight", "")
