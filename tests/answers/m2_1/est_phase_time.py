"""Answers to est-phase-time."""

from fractions import Fraction

from autograder.checks.bank import right, wrong


def _model(m, gpu, batch, new, past, *, checks="bnp", weights=1, pairs=None, two=2, read=None,
           time=max, bound=None, cached=None):  # fmt: skip
    if "b" in checks and batch < 1:
        raise ValueError("batch")
    if "n" in checks and new < 1:
        raise ValueError("new")
    if "p" in checks and past < 0:
        raise ValueError("past")
    pairs = new * past + new * (new + 1) // 2 if pairs is None else pairs
    flops = batch * (two * m["matrix_parameters"] * new + m["pair_flops"] * pairs)
    cached = batch * (past + new) if cached is None else cached
    moved = m["weight_bytes"] * (read or weights) + cached * m["kv_token_bytes"]
    compute, memory = flops / gpu["flops_per_s"], moved / gpu["bytes_per_s"]
    said = bound(compute, memory) if bound else ("compute" if compute >= memory else "memory")
    return {"flops": flops, "bytes": moved, "seconds": time(compute, memory), "bound": said}


@right("formula")
def formula(model, gpu, batch, new_tokens, past_tokens):
    return _model(model, gpu, batch, new_tokens, past_tokens)


@right("fractions, sequence by sequence")
def exact(model, gpu, batch, new_tokens, past_tokens):
    if batch <= 0 or new_tokens <= 0 or past_tokens < 0:
        raise ValueError("counts")
    flops = moved = 0
    for _ in range(batch):
        keys = sum(range(past_tokens + 1, past_tokens + new_tokens + 1))
        flops += new_tokens * model["matrix_parameters"] * 2 + keys * model["pair_flops"]
        moved += (past_tokens + new_tokens) * model["kv_token_bytes"]
    moved += model["weight_bytes"]
    times = {"compute": flops / Fraction(gpu["flops_per_s"]),
             "memory": moved / Fraction(gpu["bytes_per_s"])}  # fmt: skip
    bound = max(times, key=times.get)
    return {"seconds": float(times[bound]), "bound": bound, "bytes": moved, "flops": flops}


def _wrong(name, sentence, change):
    def answer(model, gpu, batch, new_tokens, past_tokens):
        return _model(model, gpu, batch, new_tokens, past_tokens,
                      **change(batch, new_tokens, past_tokens))  # fmt: skip

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong("weights-for-each-sequence", "A batch reads the weights once: that is why batches pay.",
       lambda b, n, p: {"read": b})  # fmt: skip
_wrong("weights-for-each-token", "A pass reads the weights once, whatever the number of tokens.",
       lambda b, n, p: {"read": n})  # fmt: skip
_wrong("one-flop", "A multiplication and an addition are two FLOPs.", lambda b, n, p: {"two": 1})
_wrong("times-added", "Reading and computing overlap: take the longer time.",
       lambda b, n, p: {"time": lambda c, m: c + m})  # fmt: skip
_wrong("shorter-time", "The slower of the two decides.", lambda b, n, p: {"time": min})
_wrong("compute-alone", "Reading takes time too.", lambda b, n, p: {"time": lambda c, m: c})
_wrong("memory-alone", "Computing takes time too.", lambda b, n, p: {"time": lambda c, m: m})
_wrong("no-pairs", "Attention's FLOPs grow with the context.", lambda b, n, p: {"pairs": 0})
_wrong("all-pairs", "A token meets itself and those before it, not those after it.",
       lambda b, n, p: {"pairs": n * (p + n)})  # fmt: skip
_wrong("one-cache", "Each sequence of a batch has a cache of its own.",
       lambda b, n, p: {"cached": p + n})  # fmt: skip
_wrong("no-cache", "The cache is read in every pass.", lambda b, n, p: {"cached": 0})
_wrong("past-alone", "The new tokens' keys and values are written too.",
       lambda b, n, p: {"cached": b * p})  # fmt: skip
_wrong("cache-read-for-each-token", "The cache is read once in a pass, not for each new token.",
       lambda b, n, p: {"cached": b * (n * p + n * (n + 1) // 2)})  # fmt: skip
_wrong("bounds-swapped", "Compute-bound is the phase whose computing takes longer.",
       lambda b, n, p: {"bound": lambda c, m: "memory" if c >= m else "compute"})  # fmt: skip
_wrong("memory-when-equal", "Equal times count as compute-bound here.",
       lambda b, n, p: {"bound": lambda c, m: "compute" if c > m else "memory"})  # fmt: skip
_wrong("decode-is-memory-bound", "Whether decoding is memory-bound depends on the batch.",
       lambda b, n, p: {"bound": lambda c, m: "memory" if n == 1 else "compute"})  # fmt: skip
_wrong(
    "batch-not-checked", "A batch below 1 must raise ValueError.", lambda b, n, p: {"checks": "np"}
)
_wrong("new-not-checked", "new_tokens below 1 must raise ValueError.",
       lambda b, n, p: {"checks": "bp"})  # fmt: skip
_wrong("past-not-checked", "past_tokens below 0 must raise ValueError.",
       lambda b, n, p: {"checks": "bn"})  # fmt: skip
