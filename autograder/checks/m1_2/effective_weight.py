"""effective-weight: W0 + (alpha / r) B A of a PEFT layer, whose base may be packed in 4 bits."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import tiny_llama

PARTS = {"a float base": 0.5, "a 4-bit base": 0.5}
HINTS = (
    "layer.base_layer.weight is W0; layer.lora_A['default'].weight is A (r, in), lora_B B (out, r).",
    "layer.scaling['default'] is alpha / r.",
    "A 4-bit base: bitsandbytes.functional.dequantize_4bit(weight.data, weight.quant_state).",
)


def cases(rng):
    for part in PARTS:
        for label, rows, columns, rank, alpha in (
            ("a square layer", 64, 64, 4, 8),
            ("a wide layer", 32, 128, 8, 8),
            ("a tall layer, alpha below rank", 128, 64, 8, 2),
        ):
            w, a, b = (
                rng.standard_normal(s).astype(np.float32) * size
                for s, size in (((rows, columns), 0.1), ((rank, columns), 0.3), ((rows, rank), 0.2))
            )
            yield case(
                label, part, weight=w, a=a, b=b, alpha=alpha, four_bit=part != "a float base"
            )


def probe(solution, weight, a, b, alpha, four_bit):
    import torch
    from peft import LoraConfig, get_peft_model

    rows, columns = weight.shape
    model = torch.nn.Module()
    model.proj = torch.nn.Linear(columns, rows, bias=False)
    model.proj.weight.data = torch.from_numpy(weight)
    if four_bit:
        import bitsandbytes

        model.proj = bitsandbytes.nn.Linear4bit(
            columns, rows, bias=False, quant_type="nf4", compress_statistics=True,
            compute_dtype=torch.float32,
        )  # fmt: skip
        model.proj.load_state_dict({"weight": torch.from_numpy(weight)})
        model.proj.to("cpu")
        # Else a forward pass repacks the codes and rounds to bfloat16, on some processors.
        model.proj.support_avx512bf16_for_cpu = False
    config = LoraConfig(r=len(a), lora_alpha=alpha, target_modules=["proj"])
    layer = get_peft_model(model, config).base_model.model.proj
    layer.lora_A["default"].weight.data = torch.from_numpy(a)
    layer.lora_B["default"].weight.data = torch.from_numpy(b)
    kept = [p.detach().numpy().copy() for p in layer.parameters()]
    result = solution(layer)
    same = all(np.array_equal(p.detach().numpy(), k) for p, k in zip(layer.parameters(), kept))  # noqa: B905
    return {"weight": result, "unchanged": bool(same), "merged": bool(layer.merged)}


def judge(case, answer):
    found = expect.mapping(answer, ("weight", "unchanged", "merged"))
    value = found["weight"]
    if expect.is_tensor(value):
        value = value["torch"]
    got = expect.array(value, "weight", shape=case.weight.shape, dtype=(np.float32, np.float64))
    base = tiny_llama.nf4(case.weight)[1] if case.four_bit else case.weight
    change = np.einsum("or,ri->oi", case.b.astype(np.float64), case.a) * case.alpha / len(case.a)
    expect.close(got, base + change, "weight", rtol=1e-5, atol=2e-6, hint=HINTS[1])
    expect.that(
        found["unchanged"] and not found["merged"], "The layer itself was changed.", stage="mutation",
        hint="Compute with copies; merge() writes into the base, and a 4-bit base is rounded again.",
    )  # fmt: skip
