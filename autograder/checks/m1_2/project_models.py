"""project-models: the QLoRA and the GPTQ model rebuilt from their arrays and measured here."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import channel_scales, shipped_lm, tiny_llama
from lab.instructions import instruction_set, score_responses
from lab.lm import load_tokenizer

PARTS = {"the arrays": 0.3, "GPTQ": 0.3, "QLoRA": 0.4}
BANK_SEEDS = 1
HINTS = (
    "gptq: {layer: {'codes', 'scales', 'zeros'}} for all 28 layers, as gptq_codes gave them.",
    "adapters: {layer: {'A', 'B'}} as float32 arrays; scaling: alpha / rank.",
    "Bytes: 4-bit codes and, for GPTQ, a float16 scale and a 4-bit zero-point for each group.",
    "Rerun training and measuring after a change, in order.",
)
GROUP = 128
KEYS = ("gptq", "adapters", "scaling", "nf4_bytes", "gptq_bytes", "gptq_perplexity",
        "qlora_perplexity", "qlora_response_loss")  # fmt: skip
# The untuned model needs 6.2 nats a token of a response; 40 steps of 8 examples leave 3.3.
MOST_RESPONSE_LOSS = 3.8
# Of the KL from the float model that rounding to nearest has on the same grid; see _measured_gptq.
MOST_OF_RTN = 0.8
# Both measure in float32: another order of sums moves 1e-6. The nearest wrong model (NF4's, RTN's
# perplexity in the GPTQ cell; the adapters on the float base) is 1e-3 or 1e-2 away. QLoRA's may come
# from bitsandbytes' own kernels, which round to bfloat16 on some processors.
GPTQ_RTOL, QLORA_RTOL = 1e-3, 5e-3
_scored = {}


def cases(rng):
    yield case("codes, adapters, bytes", "the arrays")
    yield case("perplexity of the GPTQ model", "GPTQ")
    yield case("perplexity and responses of the tuned model", "QLoRA")


def probe(solution):
    return solution()


def judge(case, answer):
    found = expect.mapping(answer, KEYS)
    gptq = _gptq_form(found["gptq"])
    adapters = _adapters_form(found["adapters"])
    if case.part == "the arrays":
        _bytes(found)
        _close_to_the_model(gptq)
    elif case.part == "GPTQ":
        _measured_gptq(found, gptq)
    else:
        _measured_qlora(found, adapters)


def _gptq_form(layers):
    expect.mapping(layers, tuple(shipped_lm.shapes()))
    weights = {}
    for name, (rows, columns) in shipped_lm.shapes().items():
        parts = expect.mapping(layers[name], ("codes", "scales", "zeros"))
        groups = columns // GROUP
        codes = expect.array(
            parts["codes"], f"{name}: codes", shape=(rows, columns), dtype=np.uint8
        )
        scales = expect.array(
            parts["scales"], f"{name}: scales", shape=(rows, groups), dtype=np.float32
        )
        zeros = expect.array(parts["zeros"], f"{name}: zeros", shape=(rows, groups), dtype=np.uint8)
        expect.that(
            codes.max() <= 15 and zeros.max() <= 15, f"{name} holds codes or zero-points above 15.",
            yours=int(max(codes.max(), zeros.max())), right="0 to 15",
        )  # fmt: skip
        expect.that(
            bool(np.isfinite(scales).all() and (scales > 0).all()),
            f"{name}: a scale is not positive.",
        )
        scale, zero = (np.repeat(v.astype(np.float64), GROUP, axis=1) for v in (scales, zeros))
        weights[name] = (scale * (codes - zero)).astype(np.float32)
    return weights


def _adapters_form(layers):
    expect.mapping(layers, tuple(shipped_lm.shapes()))
    pairs = {}
    for name, (rows, columns) in shipped_lm.shapes().items():
        parts = expect.mapping(layers[name], ("A", "B"))
        a = expect.array(parts["A"], f"{name}: A", dtype=np.float32)
        rank = a.shape[0] if a.ndim == 2 else 0
        fits = a.ndim == 2 and a.shape[1] == columns and 1 <= rank <= 32
        expect.that(fits, f"{name}: A is (rank, in), rank 1 to 32.",
                    stage="shape", yours=str(a.shape), right=f"(rank, {columns})")  # fmt: skip
        b = expect.array(parts["B"], f"{name}: B", shape=(rows, rank), dtype=np.float32)
        expect.that(
            bool(np.isfinite(a).all() and np.isfinite(b).all()),
            f"{name}: an adapter is not finite.",
        )
        pairs[name] = (a, b)
    return pairs


def _bytes(found):
    nf4 = gptq = 0
    for rows, columns in shipped_lm.shapes().values():
        n = rows * columns
        blocks = -(-n // 64)
        nf4 += n // 2 + blocks + 4 * -(-blocks // 256) + 4
        groups = rows * (columns // GROUP)
        gptq += n // 2 + 2 * groups + groups // 2
    expect.integer(
        found["nf4_bytes"], nf4, "nf4_bytes", hint="codes + scales of stored_bytes(loaded model)."
    )
    expect.integer(found["gptq_bytes"], gptq, "gptq_bytes", hint=HINTS[2])


def _close_to_the_model(weights):
    for name, mine in weights.items():
        w = shipped_lm.weight(name)
        off = float(np.linalg.norm(mine - w) / np.linalg.norm(w))
        expect.that(
            off <= 0.3, f"The GPTQ weights of {name} are not those of the shipped model.",
            yours=f"{off:.0%} away", right="about 10 % away",
        )  # fmt: skip


def _measured_gptq(found, weights):
    # At 4 bits the perplexities of GPTQ and RTN lie within each other's standard error. KL sees them.
    plain = {
        n: channel_scales.group_round_trip(shipped_lm.weight(n), 4, GROUP).astype(np.float32)
        for n in shipped_lm.shapes()
    }
    most = MOST_OF_RTN * shipped_lm.divergence(plain)
    mine = shipped_lm.divergence(weights)
    expect.that(
        mine <= most, "Your GPTQ model is hardly nearer to the float model than rounding to nearest.",
        yours=f"KL {mine:.2e} nats a token", right=f"{most:.2e} or less",
        hint="Solve each layer on the inputs that the quantized layers before it make.",
    )  # fmt: skip
    mine = shipped_lm.perplexity(weights)
    expect.number(found["gptq_perplexity"], mine, "gptq_perplexity", rtol=GPTQ_RTOL,
                  cause="The number does not belong to these codes.")  # fmt: skip


def _measured_qlora(found, adapters):
    scaling = found["scaling"]
    fits = type(scaling) is float and 0 < scaling <= 64
    expect.that(fits, "`scaling` is alpha / rank, a float.", stage="type",
                yours=scaling)  # fmt: skip
    weights = {}
    for name, (a, b) in adapters.items():
        weights[name] = (_base(name) + scaling * (b @ a)).astype(np.float32)
    perplexity = shipped_lm.perplexity(weights)
    loss = _responses(weights, perplexity)
    expect.that(
        loss <= MOST_RESPONSE_LOSS, "The tuned model has learned too little of the instructions.",
        yours=f"{loss:.2f} nats a token of held-out responses", right=f"{MOST_RESPONSE_LOSS} or less",
        hint=HINTS[3],
    )  # fmt: skip
    expect.number(found["qlora_response_loss"], loss, "qlora_response_loss", rtol=QLORA_RTOL)
    expect.number(found["qlora_perplexity"], perplexity, "qlora_perplexity", rtol=QLORA_RTOL)


def _base(name):
    if name not in _scored:
        _scored[name] = tiny_llama.nf4(shipped_lm.weight(name))[1]
    return _scored[name]


def _responses(weights, key):
    """Held-out response loss of the model with these weights, nats."""
    if ("loss", key) not in _scored:
        changed = shipped_lm.with_arrays(weights)
        _scored["loss", key] = score_responses(changed, load_tokenizer(), instruction_set()[1])[0]
    return _scored["loss", key]
