"""load-four-bit: a saved model comes back with NF4 layers, nested scales and a float32 rest."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import tiny_llama

PARTS = {"the layers": 0.6, "the rest": 0.25, "refusals": 0.15}
BANK_SEEDS = 1
HINTS = (
    "BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=..., bnb_4bit_use_double_quant=...).",
    "bnb_4bit_compute_dtype=compute_dtype: without it the products are made in another type.",
    "LlamaForCausalLM.from_pretrained(folder, quantization_config=..., dtype=compute_dtype, device_map=...).",
    "Path(folder, 'config.json').is_file() tells whether there is a model.",
)


def cases(rng):
    state, config = tiny_llama.weights(rng), tiny_llama.CONFIG
    for part in ("the layers", "the rest"):
        yield case("a small Llama in float32", part, state=state, config=config, dtype="float32")
    yield case("bfloat16 asked for", "the rest", state=state, config=config, dtype="bfloat16")
    yield case("an empty folder", "refusals", state={}, config=config, dtype="float32")


def probe(solution, state, config, dtype):
    import tempfile

    import torch
    from bitsandbytes import functional
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        if not state:
            return refusal(lambda: solution(folder))  # noqa: F821
        model = LlamaForCausalLM(LlamaConfig(**config))
        model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
        model.half().save_pretrained(folder)
        loaded = solution(folder) if dtype == "float32" else solution(folder, getattr(torch, dtype))
    layers = {}
    for name, m in loaded.named_modules():
        if name.endswith("_proj") or name == "lm_head":
            layers[name] = {"class": type(m).__name__}
            kept = getattr(m.weight, "quant_state", None)
            if kept is not None:
                restored = functional.dequantize_4bit(m.weight.data, kept).float()
                layers[name] |= {
                    "packed": m.weight.data.cpu().numpy().ravel(), "restored": restored.cpu().numpy(),
                    "type": str(kept.quant_type), "nested": bool(kept.nested),
                    "compute": str(m.compute_dtype),
                }  # fmt: skip
    rest = {n: str(p.dtype) for n, p in loaded.named_parameters() if "norm" in n or "embed" in n}
    ids = torch.arange(8)[None]
    with torch.inference_mode():
        logits = loaded(ids.to(loaded.device)).logits.float().cpu().numpy()
    return {"layers": layers, "rest": rest, "training": loaded.training, "logits": logits}


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(answer, "ValueError", "A folder without a model must be refused.")
    found = expect.mapping(answer, ("layers", "rest", "training", "logits"))
    if case.part == "the layers":
        for name in tiny_llama.LAYERS:
            _layer(name, found["layers"].get(name, {}), case.state[f"{name}.weight"])
        return None
    compute = f"torch.{case.dtype}"
    head = found["layers"].get("lm_head", {})
    expect.that(
        head.get("class") == "Linear",
        "lm_head is not to be quantized.",
        yours=str(head.get("class")),
    )
    for name in tiny_llama.LAYERS:
        expect.that(
            found["layers"].get(name, {}).get("compute") == compute, f"{name} computes in another type.",
            yours=str(found["layers"].get(name, {}).get("compute")), right=compute, hint=HINTS[1],
        )  # fmt: skip
    for name, dtype in found["rest"].items():
        expect.that(
            dtype == compute,
            f"{name} has the wrong dtype.",
            yours=dtype,
            right=compute,
            hint=HINTS[2],
        )
    expect.that(found["training"] is False, "The model is in training mode: call .eval().")
    if case.dtype == "float32":
        merged = {
            k: tiny_llama.nf4(v)[1] if k.removesuffix(".weight") in tiny_llama.LAYERS else v
            for k, v in case.state.items()
        }
        import torch

        with torch.inference_mode():
            want = tiny_llama.build(merged)(torch.arange(8)[None]).logits.numpy()
        # The library's kernel for few tokens rounds on its way: up to 1 % of the largest logit.
        expect.close(found["logits"], want, "logits", rtol=0, atol=0.03 * np.abs(want).max())
    return None


def _layer(name, found, weight):
    expect.that(
        found.get("class") == "Linear4bit" and "packed" in found, f"{name} is no 4-bit layer.",
        yours=str(found.get("class")), right="Linear4bit", hint=HINTS[0],
    )  # fmt: skip
    expect.that(
        found["type"] == "nf4", f"{name} has the wrong levels.", yours=found["type"], right="nf4"
    )
    expect.that(
        found["nested"] is True, f"{name}: the scales are not quantized.", yours="one level",
        right="two levels", hint="bnb_4bit_use_double_quant=True",
    )  # fmt: skip
    packed, restored = tiny_llama.nf4(weight)
    expect.codes(
        expect.array(found["packed"], f"{name}: packed", dtype=np.uint8), packed, f"{name}: packed"
    )
    expect.close(found["restored"], restored, f"{name}: restored", rtol=1e-5, atol=1e-6)
