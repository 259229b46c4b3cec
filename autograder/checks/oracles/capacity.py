"""The smallest fleet by trying: every tensor-parallel size, every number of replicas, every batch."""

import json
from fractions import Fraction
from functools import cache

from autograder.checks.oracles import estimates


def plan(model: dict, gpu: dict, load: dict, kpi: dict) -> dict | None:
    """The plan in exact fractions, or None."""
    gpu = gpu | {"overhead_s": sorted(gpu["overhead_s"].items())}
    return _plan(json.dumps([model, gpu, load, kpi], sort_keys=True))


@cache
def _plan(text: str) -> dict | None:
    model, gpu, load, kpi = json.loads(text)
    plans = [_smallest(model, gpu, load, kpi, tp, over) for tp, over in gpu["overhead_s"]]
    return min(filter(None, plans), key=lambda p: (p["gpus"], p["tp"]), default=None)


def _smallest(model, gpu, load, kpi, tp, overhead_s) -> dict | None:
    prompt, output = load["prompt_tokens"], load["output_tokens"]
    fit, used = 0, tp * gpu["usable_bytes"] - model["weight_bytes"]
    while used - (prompt + output) * model["kv_token_bytes"] >= 0:
        used -= (prompt + output) * model["kv_token_bytes"]
        fit += 1

    def time_s(batch, new, past):
        return estimates.seconds(model, gpu, batch, new, past, tp)[0] + Fraction(overhead_s)

    prefill = time_s(1, prompt, 0)
    tpot = [None] + [
        time_s(b, 1, prompt + output // 2) + b * prefill / (output - 1) for b in range(1, fit + 1)
    ]
    most_ttft, most_tpot = Fraction(kpi["ttft_s"]), Fraction(kpi["tpot_s"])
    if not fit or tpot[1] > most_tpot or prefill >= most_ttft:
        return None
    replicas = 0
    while True:
        replicas += 1
        each = Fraction(load["requests_per_s"]) / replicas
        batch = next((b for b in range(1, fit + 1) if each * (output - 1) * tpot[b] <= b), None)
        if batch is None or tpot[batch] > most_tpot:
            continue
        ttft = prefill + each * prefill**2 / (2 * (1 - each * prefill))
        if ttft <= most_ttft:
            return {"gpus": tp * replicas, "tp": tp, "replicas": replicas, "fit": fit,
                    "batch": batch, "tpot_s": float(tpot[batch]), "ttft_s": float(ttft)}  # fmt: skip


WHOLE = ("gpus", "tp", "replicas", "fit", "batch")


def clear(model: dict, gpu: dict, load: dict, kpi: dict) -> bool:
    """Whether the plan stays when every limit moves by one part in ten million."""
    wanted = _whole(plan(model, gpu, load, kpi))
    for factor in (1 - 1e-7, 1 + 1e-7):
        moved = [load | {"requests_per_s": load["requests_per_s"] * factor}, kpi]
        if _whole(plan(model, gpu, *moved)) != wanted:
            return False
        for key in kpi:
            if _whole(plan(model, gpu, load, kpi | {key: kpi[key] * factor})) != wanted:
                return False
    return True


def _whole(found):
    return found and [found[key] for key in WHOLE]
