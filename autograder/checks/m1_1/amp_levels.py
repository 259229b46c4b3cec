"""amp-levels: what Apex's levels O0, O1 and O2 keep in which precision.

Apex documentation, apex.amp, "opt_levels and Properties", and in its source apex/amp/frontend.py
(the defaults of each level) and apex/amp/lists (the functions that O1 patches): O1 leaves the
weights alone and casts at each function, O2 casts the model and patches no function.
"""

from autograder.checks import case, expect

PARTS = {"O0": 0.2, "O1": 0.3, "O2": 0.4, "refusal": 0.1}
HINTS = (
    "O1 casts at function calls and leaves the model alone; O2 casts the model and patches nothing.",
    "No function is patched in O2, so softmax works in the type of the tensor that it is given.",
    "Bytes: the model's own weight, and the master copy where there is one.",
)
KEYS = ("weights", "master_weights", "linear", "softmax", "batchnorm", "loss_scale", "weight_bytes")
_ROWS = {
    "O0": ("float32", False, "float32", "float32", "float32", None, 4),
    "O1": ("float32", False, "float16", "float32", "float32", "dynamic", 4),
    "O2": ("float16", True, "float16", "float16", "float32", "dynamic", 6),
}
_WHY = {
    ("O0", "loss_scale"): "With no float16 anywhere there is nothing to scale for.",
    ("O1", "weights"): "O1 does not alter the model; it casts copies at each call.",
    ("O1", "master_weights"): "The weights are float32 already: a second copy would be the same.",
    ("O1", "linear"): "O1 casts the inputs of matrix products to float16 for the tensor cores.",
    ("O1", "softmax"): "softmax is on O1's list of functions that are run in float32.",
    ("O1", "weight_bytes"): "The float16 casts live for one step; what is stored is float32.",
    ("O2", "weights"): "O2 calls half() on the model, batch-norm layers excepted.",
    ("O2", "master_weights"): "The optimizer of O2 keeps and updates a float32 copy.",
    ("O2", "softmax"): "O2 patches no function: softmax gets the float16 tensor as it is.",
    ("O2", "batchnorm"): "O2 keeps the weights and statistics of batch-norm in float32.",
    ("O2", "weight_bytes"): "Both copies are stored: 2 bytes and 4 bytes.",
}


def cases(rng):
    for level in ("O0", "O1", "O2"):
        yield case(level, part=level, level=level)
    for level in ("O4", "o1", "", "01"):
        yield case(f"level {level!r}", part="refusal", level=level)


def probe(solution, level):
    try:
        return {"table": solution(level), "raised": None}
    except NotImplementedError:
        raise
    except Exception as error:
        if level in ("O0", "O1", "O2") and not isinstance(error, ValueError):
            raise
        return {"table": None, "raised": type(error).__name__}


def judge(case, answer):
    if case.part == "refusal":
        why = f"{case.level!r} is none of O0, O1 and O2: raise ValueError."
        expect.raised(answer, "ValueError", why)
        return
    expect.that(
        answer["raised"] is None,
        f"Your function refuses {case.level}.",
        stage="error",
        yours="ValueError",
        right="a dict",
    )
    table = expect.mapping(answer["table"], KEYS)
    for key, want in zip(KEYS, _ROWS[case.level], strict=True):
        _entry(case.level, key, table[key], want)


def _entry(level, key, yours, want):
    hint = _WHY.get((level, key), "")
    if key == "weight_bytes":
        expect.number(yours, want, f"{level}: {key}", hint=hint)
        return
    if isinstance(want, bool):
        fits, form = isinstance(yours, bool), "True or False"
    elif key == "loss_scale":
        fits = yours is None or (isinstance(yours, str) and yours in ("dynamic", "static"))
        form = 'None, "static" or "dynamic"'
    else:
        fits = isinstance(yours, str) and yours in ("float16", "float32")
        form = '"float16" or "float32"'
    if not fits:
        expect.wrong("type", f"`{key}` of {level} must be {form}.", yours=yours, right=form)
    expect.that(yours == want, f"`{key}` of {level} is off.", yours=yours, right=want, hint=hint)
