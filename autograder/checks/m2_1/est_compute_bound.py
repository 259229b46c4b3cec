"""est-compute-bound: the batch is found by trying, in exact fractions."""

import json
from fractions import Fraction
from functools import cache

from autograder.checks import case, expect
from autograder.checks.m2_1.est_phase_time import EVEN, H100, LLAMA, tiny, tiny_gpu
from autograder.checks.oracles import estimates

PARTS = {"a batch": 0.5, "never": 0.3, "refuse": 0.2}
HINTS = (
    "Computing and reading are both linear in the batch; only reading has a fixed part, the weights.",
    "If a sequence reads its cache no faster than it computes, no batch is large enough: None.",
    "Round up; a phase whose times are equal is compute-bound; 1 is the least.",
)
ONE = {"flops_per_s": 1024.0, "bytes_per_s": 1024.0}


def slopes(model, gpu, past):
    """Seconds that a sequence adds to computing and to reading, and the fixed seconds of reading."""
    flops, _ = estimates.phase(model, gpu, 1, 1, past)
    compute = flops / Fraction(gpu["flops_per_s"])
    cache_s = (past + 1) * model["kv_token_bytes"] / Fraction(gpu["bytes_per_s"])
    return compute, cache_s, model["weight_bytes"] / Fraction(gpu["bytes_per_s"])


def is_clear(model, gpu, past):
    """Whether a float's rounding cannot move the answer."""
    compute, cache_s, fixed = slopes(model, gpu, past)
    if abs(compute - cache_s) < Fraction(1, 1000) * compute:
        return False
    exact = fixed / (compute - cache_s)
    return exact < 0 or (exact < 10**5 and abs(exact - round(exact)) > Fraction(1, 10**6))


def cases(rng):
    part = "a batch"
    for past in (0, 100, 1000, 3000):
        yield case(f"Llama-3-8B, {past} past", part, model=LLAMA, gpu=H100, past=past)
    yield case("exactly a whole batch", part, model=EVEN, gpu=ONE, past=0)
    yield case("the first sequence", part, model=EVEN | {"weight_bytes": 8}, gpu=ONE, past=0)
    drawn = {"a batch": 0, "never": 0}
    while min(drawn.values()) < 5:
        model, gpu = tiny(rng), tiny_gpu(rng, float(rng.uniform(0.1, 10)))
        past = int(rng.integers(0, 30))
        compute, cache_s, _ = slopes(model, gpu, past)
        part = "a batch" if compute > cache_s else "never"
        if not is_clear(model, gpu, past) or drawn[part] >= 5:
            continue
        drawn[part] += 1
        yield case(f"drawn, {drawn[part]}", part, model=model, gpu=gpu, past=past)
    yield case("Llama-3-8B, 50,000 past", "never", model=LLAMA, gpu=H100, past=50_000)
    level = {"matrix_parameters": 8, "pair_flops": 16, "kv_token_bytes": 32, "weight_bytes": 64}
    yield case("computing and cache alike", "never", model=level, gpu=ONE, past=0)
    yield case("a negative past", "refuse", model=LLAMA, gpu=H100, past=-1, refuse=True)


def probe(solution, model, gpu, past, refuse=False):
    if refuse:
        return refusal(lambda: solution(model, gpu, past))  # noqa: F821
    return solution(model, gpu, past)


def by_trying(model, gpu, past):
    """Doubling, then halving, on the whole definition."""
    return _by_trying(json.dumps([model, gpu, past], sort_keys=True))


@cache
def _by_trying(text):
    model, gpu, past = json.loads(text)

    def bound(batch):
        _, compute, memory = estimates.seconds(model, gpu, batch, 1, past)
        return compute >= memory

    compute, cache_s, _ = slopes(model, gpu, past)
    if compute <= cache_s:  # reading stays ahead by its fixed part
        return None
    high = 1
    while not bound(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) else (middle, high)
    return high


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = by_trying(case.model, case.gpu, case.past)
    if want is None:
        expect.that(answer is None, "No batch makes this compute-bound: return None.",
                    yours=answer, right="None")  # fmt: skip
        return None
    expect.that(answer is not None, "A batch makes this compute-bound.", yours="None",
                right=f"batch {want}")  # fmt: skip
    expect.integer(answer, want, "batch")
    return None
