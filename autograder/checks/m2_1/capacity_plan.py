"""capacity-plan: against every tensor-parallel size, number of replicas and batch, in fractions."""

from autograder.checks import case, expect
from autograder.checks.m2_1.est_phase_time import LLAMA
from autograder.checks.oracles import capacity

PARTS = {"one GPU a replica": 0.35, "tensor parallel": 0.3, "cannot be": 0.15, "refuse": 0.2}
HINTS = (
    "First, for one tp: prefill_s, and tpot_s(b) for b = 1, 2, ... up to fit.",
    "Then replicas = 1, 2, ...: find the batch at which Little's law holds, and test the three limits.",
    "More replicas make every limit easier. If an idle replica breaks one, no number of replicas helps.",
    "Compare the plans by (gpus, tp).",
)
A100 = {"flops_per_s": 312e12, "bytes_per_s": 2.039e12, "usable_bytes": 72_000_000_000}
L4 = {"flops_per_s": 121e12, "bytes_per_s": 300e9, "usable_bytes": 21_600_000_000}
LLAMA_70B = {"matrix_parameters": 68_713_185_280, "pair_flops": 2_621_440,
             "weight_bytes": 137_953_296_384, "kv_token_bytes": 327_680}  # fmt: skip
CHAT = {"requests_per_s": 12.0, "prompt_tokens": 800, "output_tokens": 250}
KPI = {"ttft_s": 0.5, "tpot_s": 0.05}
ALONE, SIZES = {1: 0.0}, {1: 0.0, 2: 0.0008, 4: 0.001, 8: 0.0016}
COST = {key: value for key, value in SIZES.items() if key > 1}


def _case(label, part, model, gpu, load, kpi, sizes):
    return case(label, part, model=model, gpu=gpu | {"overhead_s": sizes}, load=load, kpi=kpi)


def _drawn(rng, part, sizes, count):
    found = 0
    while found < count:
        model = {"matrix_parameters": int(rng.integers(10**9, 9 * 10**9)),
                 "pair_flops": int(rng.integers(10**5, 10**6)),
                 "weight_bytes": int(rng.integers(5 * 10**9, 40 * 10**9)),
                 "kv_token_bytes": int(rng.integers(4 * 10**4, 9 * 10**5))}  # fmt: skip
        gpu = (L4 if rng.integers(2) else A100) | {"overhead_s": sizes}
        load = {"requests_per_s": round(float(rng.uniform(0.2, 25)), 2),
                "prompt_tokens": int(rng.integers(600, 5000)),
                "output_tokens": int(rng.integers(2, 600))}  # fmt: skip
        kpi = {"ttft_s": round(float(rng.uniform(0.3, 2)), 3),
               "tpot_s": round(float(rng.uniform(0.02, 0.12)), 4)}  # fmt: skip
        plan = capacity.plan(model, gpu, load, kpi)
        if not plan or plan["fit"] > 250 or not capacity.clear(model, gpu, load, kpi):
            continue
        found += 1
        yield _case(f"drawn, {found}", part, model, gpu, load, kpi, sizes)


def cases(rng):
    part = "one GPU a replica"
    for label, model, gpu, load, kpi in (
        ("Llama-3-8B, chat", LLAMA, A100, CHAT, KPI),
        ("hardly a request", LLAMA, A100, CHAT | {"requests_per_s": 0.01}, KPI),
        ("memory limits the batch", LLAMA, L4, CHAT | {"prompt_tokens": 8000},
         {"ttft_s": 9.0, "tpot_s": 0.9}),
        ("TPOT limits the batch", LLAMA, A100, CHAT | {"requests_per_s": 60.0}, KPI | {"tpot_s": 0.016}),
        ("TTFT asks for replicas", LLAMA, A100, CHAT | {"prompt_tokens": 4000, "output_tokens": 8},
         {"ttft_s": 0.26, "tpot_s": 2.0}),
        ("two tokens of output, an odd half", LLAMA, A100, CHAT | {"output_tokens": 2},
         KPI | {"tpot_s": 9.0}),
        ("an odd output", LLAMA, A100, CHAT | {"output_tokens": 251}, KPI),
    ):  # fmt: skip
        yield _case(label, part, model, gpu, load, kpi, ALONE)
    yield from _drawn(rng, part, ALONE, 4)
    part = "tensor parallel"
    yield _case("Llama-2-70B needs two or more", part, LLAMA_70B, A100,
                CHAT | {"prompt_tokens": 1500}, KPI | {"ttft_s": 2.0}, SIZES)  # fmt: skip
    yield _case("sizes in another order, without 1", part, LLAMA, A100, CHAT, KPI,
                dict(reversed(COST.items())))  # fmt: skip
    yield _case("as many GPUs either way: the smaller tp", part, LLAMA, A100,
                CHAT | {"requests_per_s": 30.0}, KPI, {4: 0.03, 2: 0.0, 1: 0.0})  # fmt: skip
    dear = {1: 0.0, 2: 0.01, 4: 0.02}
    yield _case("communication eats the gain", part, LLAMA, A100, CHAT, KPI, dear)
    yield from _drawn(rng, part, SIZES, 4)
    part = "cannot be"
    for label, model, kpi in (
        ("the weights do not fit", LLAMA_70B, KPI),
        ("not one sequence fits", LLAMA | {"weight_bytes": 71_900_000_000}, KPI | {"tpot_s": 1.0}),
        ("TPOT below an idle step", LLAMA, KPI | {"tpot_s": 0.004}),
        ("TTFT below an idle prefill", LLAMA, KPI | {"ttft_s": 0.02}),
    ):
        yield _case(label, part, model, A100, CHAT, kpi, ALONE)
    for label, load, kpi in (
        ("no requests", {"requests_per_s": 0.0}, {}),
        ("no prompt", {"prompt_tokens": 0}, {}),
        ("one token of output", {"output_tokens": 1}, {}),
        ("a TTFT of 0", {}, {"ttft_s": 0.0}),
        ("a negative TPOT", {}, {"tpot_s": -0.05}),
    ):
        yield case(label, "refuse", model=LLAMA, gpu=A100 | {"overhead_s": ALONE},
                   load=CHAT | load, kpi=KPI | kpi, refuse=True)  # fmt: skip


def probe(solution, model, gpu, load, kpi, refuse=False):
    if refuse:
        return refusal(lambda: solution(model, gpu, load, kpi))  # noqa: F821
    return solution(model, gpu, load, kpi)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = capacity.plan(case.model, case.gpu, case.load, case.kpi)
    if want is None:
        expect.that(answer is None, "No plan keeps these limits: return None.", yours=answer,
                    right="None")  # fmt: skip
        return None
    expect.that(answer is not None, "There is a plan.", yours="None", right=str(want))
    answer = expect.mapping(answer, tuple(want))
    for key in ("fit", "tp", "replicas", "gpus", "batch"):
        if key != "fit" or answer["tp"] == want["tp"]:
            expect.integer(answer[key], want[key], key)
    for key in ("tpot_s", "ttft_s"):
        expect.number(answer[key], want[key], key)
    return None
