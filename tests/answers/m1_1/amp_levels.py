"""Answers to amp-levels."""

from autograder.checks.bank import right, wrong

KEYS = ("weights", "master_weights", "linear", "softmax", "batchnorm", "loss_scale", "weight_bytes")


@right("a table")
def by_table(level):
    rows = {
        "O0": ("float32", False, "float32", "float32", "float32", None, 4),
        "O1": ("float32", False, "float16", "float32", "float32", "dynamic", 4),
        "O2": ("float16", True, "float16", "float16", "float32", "dynamic", 6),
    }
    if level not in rows:
        raise ValueError(f"no level {level!r}: choose O0, O1 or O2")
    return dict(zip(KEYS, rows[level], strict=True))


@right("from what each level does, O3 too")
def by_rules(level):
    known = ["O0", "O1", "O2", "O3"]
    if level not in known:
        raise ValueError(level)
    cast_model, patch = level in ("O2", "O3"), level == "O1"
    master = level == "O2"
    half = {True: "float16", False: "float32"}
    return {
        "weights": half[cast_model],
        "master_weights": master,
        "linear": half[cast_model or patch],
        "softmax": half[cast_model],
        "batchnorm": half[level == "O3"],
        "loss_scale": "dynamic" if level in ("O1", "O2") else None,
        "weight_bytes": (2 if cast_model else 4) + (4 if master else 0),
        "note": "Apex",
    }


def _changed(level, at, **changes):
    table = by_table(level)
    return {**table, **changes} if level == at else table


@wrong("softmax-wide-in-o2", "You gave O2 a float32 softmax; O2 patches no function, only O1 does.")
def softmax_o2(level):
    return _changed(level, "O2", softmax="float32")


@wrong(
    "softmax-narrow-in-o1",
    "You gave O1 a float16 softmax; it is on O1's list of functions that run in float32.",
)
def softmax_o1(level):
    return _changed(level, "O1", softmax="float16")


@wrong("batchnorm-narrow-in-o2", "You cast batch-norm in O2; keep_batchnorm_fp32 is True there.")
def batchnorm_o2(level):
    return _changed(level, "O2", batchnorm="float16")


@wrong(
    "weights-narrow-in-o1",
    "You cast the weights in O1; O1 casts at the function calls and leaves the weights in float32.",
)
def weights_o1(level):
    return _changed(level, "O1", weights="float16", weight_bytes=2)


@wrong("masters-in-o1", "You gave O1 master weights; its weights are float32 already.")
def masters_o1(level):
    return _changed(level, "O1", master_weights=True)


@wrong(
    "casts-counted-in-o1",
    "You counted O1's float16 casts as stored; they are made anew in each step.",
)
def bytes_o1(level):
    return _changed(level, "O1", weight_bytes=6)


@wrong("no-masters-in-o2", "You left out O2's master weights: that is level O3.")
def no_masters_o2(level):
    return _changed(level, "O2", master_weights=False, weight_bytes=2)


@wrong(
    "master-copy-not-counted",
    "You counted the float16 weights of O2 only; the float32 master copy is stored too.",
)
def bytes_o2(level):
    return _changed(level, "O2", weight_bytes=2)


@wrong(
    "linear-wide-in-o1",
    "You gave O1 a float32 linear layer; casting its inputs to float16 is what O1 is for.",
)
def linear_o1(level):
    return _changed(level, "O1", linear="float32")


@wrong("scaling-in-o0", "You scale the loss in O0; there is no float16 in it.")
def scaling_o0(level):
    return _changed(level, "O0", loss_scale="dynamic")


@wrong(
    "no-scaling-in-o1", "You left loss scaling out of O1; its gradients pass through float16 too."
)
def no_scaling_o1(level):
    return _changed(level, "O1", loss_scale=None)


@wrong("static-scaling", "You made the scale static; the default of O1 and O2 is dynamic.")
def static(level):
    table = by_table(level)
    return {**table, "loss_scale": table["loss_scale"] and "static"}


@wrong("o1-and-o2-swapped", "You swapped O1 and O2: O1 patches functions, O2 casts the model.")
def swapped(level):
    return by_table({"O1": "O2", "O2": "O1"}.get(level, level))


@wrong("o3-for-o2", "You described O3, pure float16, in place of O2.")
def o3(level):
    changes = {"master_weights": False, "batchnorm": "float16", "loss_scale": None}
    return _changed(level, "O2", weight_bytes=2, **changes)


@wrong("unknown-levels-accepted", "You answer for levels that do not exist; raise ValueError.")
def accepts(level):
    return by_table(level if level in ("O0", "O1", "O2") else "O1")


@wrong("case-forgiven", "You took o1 for O1; Apex does not, so raise ValueError.")
def case_forgiven(level):
    return by_table(level.upper())


@wrong(
    "key-error",
    "An unknown level ends in the dict's KeyError; look it up first and raise ValueError.",
)
def key_error(level):
    return {level: by_table(level)}[level] if level in ("O0", "O1", "O2") else {}[level]
