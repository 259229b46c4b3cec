"""Answers to capacity-plan."""

import math

from autograder.checks.bank import right, wrong


def _time_s(m, gpu, batch, new, past, tp, over, **how):
    pairs = new * past + new * (new + 1) // 2
    flops = batch * (2 * m["matrix_parameters"] * new + m["pair_flops"] * pairs)
    moved = m["weight_bytes"] + batch * (past + new) * m["kv_token_bytes"]
    tp = 1 if how.get("slow") else tp
    over = 0.0 if how.get("no_over") else over
    return max(flops / gpu["flops_per_s"], moved / gpu["bytes_per_s"]) / tp + over


def _one(m, gpu, load, kpi, tp, over, how):
    prompt, output, rate = load["prompt_tokens"], load["output_tokens"], load["requests_per_s"]
    steps = output - 1 + how.get("steps", 0)
    space = (1 if how.get("one_gpu") else tp) * gpu["usable_bytes"]
    space -= m["weight_bytes"] * (tp if how.get("copies") else 1)
    room = {"both": prompt + output, "prompt": prompt, "mean": prompt + output // 2}
    fit = int(space // (room[how.get("room", "both")] * m["kv_token_bytes"]))
    context = (
        prompt
        + {"half": output // 2, "none": 0, "all": output, "up": -(-output // 2)}[
            how.get("context", "half")
        ]
    )
    prefill = _time_s(m, gpu, 1, prompt, 0, tp, over, **how)

    def tpot(b):
        shared = 0.0 if how.get("free_prefill") else b * prefill / steps
        return _time_s(m, gpu, b, 1, context, tp, over, **how) + shared

    if fit < 1 or tpot(1) > kpi["tpot_s"] or prefill >= kpi["ttft_s"]:
        return None
    times = [0.0] + [tpot(b) for b in range(1, fit + 1)]
    served = max(b / times[b] for b in range(1, fit + 1)) / steps
    for replicas in range(max(1, int(0.999 * rate / served)), 2000):
        each = rate / replicas
        if how.get("full"):
            batch = fit if each * steps * times[fit] <= fit else None
        else:
            batch = next((b for b in range(1, fit + 1) if each * steps * times[b] <= b), None)
        if batch is None or (times[batch] > kpi["tpot_s"] and "tpot" not in how):
            continue
        busy = each * prefill
        if busy >= 1:
            continue
        wait = each * prefill**2 / (1 - busy) * how.get("wait", 0.5)
        if prefill + wait <= kpi["ttft_s"] or "ttft" in how:
            return {"gpus": tp * replicas, "tp": tp, "replicas": replicas, "fit": fit,
                    "batch": batch, "tpot_s": tpot(batch), "ttft_s": prefill + wait}  # fmt: skip
    return None


def _model(model, gpu, load, kpi, *, checks="rpok", best=None, sizes=None, none=None, **how):
    if ("r" in checks and not load["requests_per_s"] > 0) or (
        "p" in checks and load["prompt_tokens"] < 1
    ):
        raise ValueError("load")
    if "o" in checks and load["output_tokens"] < 2:
        raise ValueError("output")
    if "k" in checks and min(kpi.values()) <= 0:
        raise ValueError("kpi")
    sizes = sizes(gpu["overhead_s"]) if sizes else gpu["overhead_s"]
    plans = [_one(model, gpu, load, kpi, tp, gpu["overhead_s"][tp], how) for tp in sizes]
    plans = [p for p in plans if p]
    return (
        (best or (lambda ps: min(ps, key=lambda p: (p["gpus"], p["tp"]))))(plans) if plans else none
    )


@right("by trying")
def trying(model, gpu, load, kpi):
    return _model(model, gpu, load, kpi)


@right("the largest batch first, then what is left to replicas")
def from_the_largest(model, gpu, load, kpi):
    prompt, output = load["prompt_tokens"], load["output_tokens"]
    if load["requests_per_s"] <= 0 or prompt <= 0 or output <= 1:
        raise ValueError("load")
    if kpi["ttft_s"] <= 0 or kpi["tpot_s"] <= 0:
        raise ValueError("kpi")
    plans = []
    for tp in sorted(gpu["overhead_s"]):
        over = gpu["overhead_s"][tp]
        bytes_each = (prompt + output) * model["kv_token_bytes"]
        fit = (tp * gpu["usable_bytes"] - model["weight_bytes"]) // bytes_each
        prefill = _time_s(model, gpu, 1, prompt, 0, tp, over)
        tpots = {b: _time_s(model, gpu, b, 1, prompt + output // 2, tp, over)
                 + b * prefill / (output - 1) for b in range(1, fit + 1)}  # fmt: skip
        allowed = [b for b, tpot in tpots.items() if tpot <= kpi["tpot_s"]]
        spare = kpi["ttft_s"] - prefill
        if not allowed or spare <= 0:
            continue
        top = max(b / ((output - 1) * tpots[b]) for b in allowed)
        top = min(top, 2 * spare / (prefill**2 + 2 * spare * prefill))
        replicas = math.ceil(load["requests_per_s"] / top)
        rate = load["requests_per_s"] / replicas
        batch = min(b for b in allowed if b / ((output - 1) * tpots[b]) >= rate)
        ttft = prefill + rate * prefill * prefill / 2 / (1 - rate * prefill)
        plans.append({"tp": tp, "replicas": replicas, "gpus": replicas * tp, "fit": fit,
                      "batch": batch, "ttft_s": ttft, "tpot_s": tpots[batch]})  # fmt: skip
    plans.sort(key=lambda plan: plan["gpus"])
    return plans[0] if plans else None


def _wrong(name, sentence, **how):
    def answer(model, gpu, load, kpi):
        return _model(model, gpu, load, kpi, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong("output-needs-no-room", "At its end a sequence holds prompt and output in the cache.",
       room="prompt")  # fmt: skip
_wrong("room-for-the-mean", "Each sequence needs room for its longest state.", room="mean")
_wrong("prefill-is-free", "A prefill takes time of the same GPU: each one delays the batch.",
       free_prefill=True)  # fmt: skip
_wrong("context-of-the-prompt", "Decoding runs at the mean context, half of the output included.",
       context="none")  # fmt: skip
_wrong("context-of-the-end", "Only the last step has the whole output as context.", context="all")
_wrong("half-rounded-up", "Half of an odd output is rounded down: O // 2.", context="up")
_wrong("output-steps", "The first token comes from the prefill: output - 1 steps follow.", steps=1)
_wrong("always-full", "The batch settles where Little's law holds; it need not be full.", full=True)
_wrong("no-wait", "Requests wait for the prefills before them.", wait=0.0)
_wrong("m-m-1-wait", "Prefills take equal times: half of M/M/1's wait.", wait=1.0)
_wrong("ttft-ignored", "The TTFT is a limit.", ttft=True)
_wrong("tpot-ignored", "The TPOT is a limit, with the load as it is.", tpot=True)
_wrong("memory-of-one-gpu", "tp GPUs hold the model together.", one_gpu=True)
_wrong(
    "weights-on-each-gpu", "Tensor parallelism splits the weights; replicas copy them.", copies=True
)
_wrong("tp-does-not-speed-up", "tp GPUs compute and read at tp times the rate.", slow=True)
_wrong("no-overhead", "Each pass pays overhead_s for its tp.", no_over=True)
_wrong("first-that-works", "Take the plan with the fewest GPUs.", best=lambda plans: plans[0])
_wrong("fewest-replicas", "Count GPUs, not replicas.",
       best=lambda plans: min(plans, key=lambda p: (p["replicas"], p["tp"])))  # fmt: skip
_wrong("larger-tp-of-equals", "Of plans with as many GPUs take the smaller tp.",
       best=lambda plans: min(plans, key=lambda p: (p["gpus"], -p["tp"])))  # fmt: skip
_wrong(
    "tp-1-alone",
    "Try every tp that overhead_s names.",
    sizes=lambda over: [t for t in over if t == 1],
)
_wrong("empty-for-none", "Where nothing works, return None.", none={})
_wrong("requests-not-checked", "Requests that are not above 0 must raise ValueError.", checks="pok")
_wrong("kpi-not-checked", "A limit that is not above 0 must raise ValueError.", checks="rpo")


@wrong(
    "output-not-checked", "output_tokens below 2 must raise ValueError: there is no step to time."
)
def any_output(model, gpu, load, kpi):
    if load["output_tokens"] < 2:
        return None
    return _model(model, gpu, load, kpi)


@wrong("prompt-not-checked", "prompt_tokens below 1 must raise ValueError.")
def any_prompt(model, gpu, load, kpi):
    if load["prompt_tokens"] < 1:
        return None
    return _model(model, gpu, load, kpi)
