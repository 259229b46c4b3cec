"""est-phase-time: FLOPs pair by pair, bytes by token, the longer of two times in fractions."""

from autograder.checks import case, expect
from autograder.checks.oracles import estimates

PARTS = {"decode": 0.4, "prefill": 0.4, "refuse": 0.2}
HINTS = (
    "FLOPs: each sequence has new_tokens passes through the matrices, and its own pairs.",
    "Bytes: the weights once for the whole batch; the cache for each sequence.",
    "seconds is the larger of flops / flops_per_s and bytes / bytes_per_s.",
)
KEYS = ("flops", "bytes", "seconds", "bound")
LLAMA = {"matrix_parameters": 7504658432, "pair_flops": 524288, "weight_bytes": 16060522496,
         "kv_token_bytes": 131072}  # fmt: skip
H100 = {"flops_per_s": 989.4e12, "bytes_per_s": 3.35e12}
# Alike at batch 8, 1,024 of each a second: 8 (2 * 56 + 16) FLOPs, 768 + 8 * 32 bytes.
EVEN = {"matrix_parameters": 56, "pair_flops": 16, "weight_bytes": 768, "kv_token_bytes": 32}


def tiny(rng):
    return {"matrix_parameters": int(rng.integers(50, 500)), "pair_flops": int(rng.integers(1, 90)),
            "weight_bytes": int(rng.integers(100, 5000)),
            "kv_token_bytes": int(rng.integers(1, 200))}  # fmt: skip


def tiny_gpu(rng, intensity):
    rate = float(rng.integers(1000, 9000))
    return {"flops_per_s": rate * intensity, "bytes_per_s": rate}


def cases(rng):
    part = "decode"
    for batch, past in ((1, 1024), (64, 1024), (256, 8192), (512, 0)):
        yield case(f"Llama-3-8B, batch {batch}, {past} past", part, model=LLAMA, gpu=H100,
                   batch=batch, new=1, past=past)  # fmt: skip
    for i in range(5):
        yield case(f"drawn, {i}", part, model=tiny(rng), gpu=tiny_gpu(rng, (0.5, 2, 8, 30, 90)[i]),
                   batch=int(rng.integers(1, 40)), new=1, past=int(rng.integers(0, 60)))  # fmt: skip
    yield case("both times equal", part, model=EVEN,
               gpu={"flops_per_s": 1024.0, "bytes_per_s": 1024.0}, batch=8, new=1, past=0)  # fmt: skip
    part = "prefill"
    for batch, new, past in ((1, 2048, 0), (1, 16, 0), (4, 512, 4096), (1, 8192, 0)):
        yield case(f"Llama-3-8B, {batch} x {new} new, {past} past", part, model=LLAMA, gpu=H100,
                   batch=batch, new=new, past=past)  # fmt: skip
    for i in range(5):
        yield case(f"drawn, {i}", part, model=tiny(rng), gpu=tiny_gpu(rng, (0.5, 5, 20, 90, 300)[i]),
                   batch=int(rng.integers(1, 6)), new=int(rng.integers(2, 40)),
                   past=int(rng.integers(0, 60)))  # fmt: skip
    for label, batch, new, past in (
        ("a batch of 0", 0, 1, 10),
        ("no new tokens", 2, 0, 10),
        ("a negative past", 2, 1, -1),
    ):
        yield case(label, "refuse", model=LLAMA, gpu=H100, batch=batch, new=new, past=past,
                   refuse=True)  # fmt: skip


def probe(solution, model, gpu, batch, new, past, refuse=False):
    if refuse:
        return refusal(lambda: solution(model, gpu, batch, new, past))  # noqa: F821
    return solution(model, gpu, batch, new, past)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    where = case.model, case.gpu, case.batch, case.new, case.past
    flops, moved = estimates.phase(*where)
    longest, compute, memory = estimates.seconds(*where)
    answer = expect.mapping(answer, KEYS)
    expect.integer(answer["flops"], flops, "flops")
    expect.integer(answer["bytes"], moved, "bytes")
    expect.number(answer["seconds"], float(longest), "seconds")
    bound = "compute" if compute >= memory else "memory"
    expect.that(answer["bound"] == bound, "`bound` is off.", yours=answer["bound"], right=bound)
    return None
