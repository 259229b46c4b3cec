"""Answers to lora-count."""

from autograder.checks.bank import right, wrong


def _refuse(layers, rank, model=None, skip=""):
    if not layers:
        raise ValueError("no layers")
    if (rank < 1 and skip != "rank") or (skip != "high" and any(rank > min(x) for x in layers)):
        raise ValueError("rank")
    if skip != "model" and model is not None and model < sum(a * b for a, b in layers):
        raise ValueError("the model is smaller than its layers")


def _count(layers, rank, model=None, *, trained=None, full=None, ratio=None, skip=""):
    _refuse(layers, rank, model, skip)
    held = sum(a * b for a, b in layers)
    t = sum(trained(a, b, rank) if trained else rank * (a + b) for a, b in layers)
    f = full(held, t, model) if full else (held if model is None else model)
    return {"full": f, "trained": t, "reduction": ratio(f, t) if ratio else f / t}


@right("sums")
def by_sums(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters)


@right("a loop")
def by_loop(layers, rank, model_parameters=None):
    if len(layers) == 0 or rank <= 0:
        raise ValueError("layers and rank")
    held = trained = 0
    for wide, tall in layers:
        if not (rank <= wide and rank <= tall):
            raise ValueError("rank")
        held += wide * tall
        trained += rank * wide + tall * rank
    if model_parameters is None:
        model_parameters = held
    elif model_parameters < held:
        raise ValueError("model")
    return {"full": model_parameters, "trained": trained, "reduction": model_parameters / trained}


@wrong("product-of-widths", "You take r * d_in * d_out; A and B together hold r * (d_in + d_out).")
def product(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, trained=lambda a, b, r: r * a * b)


@wrong("a-only", "You count A alone; B is trained too.")
def only_a(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, trained=lambda a, b, r: r * a)


@wrong("b-only", "You count B alone; A is trained too.")
def only_b(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, trained=lambda a, b, r: r * b)


@wrong("square-layers", "You count 2 r d_in, which is right for square layers only.")
def square(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, trained=lambda a, b, r: 2 * r * a)


@wrong("scaling-matrix", "You add r * r parameters; alpha / r is a number, not trained.")
def middle(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, trained=lambda a, b, r: r * (a + b) + r * r)


@wrong("biases-counted", "You count biases; only the matrices are asked.")
def biases(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, trained=lambda a, b, r: r * (a + b) + b)


@wrong("mean-of-ratios", "You average the layers' ratios; divide the sums.")
def mean_ratio(layers, rank, model_parameters=None):
    out = _count(layers, rank, model_parameters)
    if model_parameters is None:
        ratios = [a * b / (rank * (a + b)) for a, b in layers]
        out["reduction"] = sum(ratios) / len(ratios)
    return out


@wrong("first-layer-only", "You count the first layer alone.")
def first(layers, rank, model_parameters=None):
    _refuse(layers, rank, model_parameters)
    return _count(layers[:1], rank, model_parameters)


@wrong("model-ignored", "You ignore model_parameters; it is the number to compare with.")
def model_ignored(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, full=lambda held, t, m: held)


@wrong("model-added", "You add the adapted layers to model_parameters, which holds them already.")
def model_added(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, full=lambda held, t, m: held + (m or 0))


@wrong("adapters-in-the-numerator", "You add the adapters to full; it is the number without LoRA.")
def plus_adapters(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters,
                  full=lambda held, t, m: (held if m is None else m) + t)  # fmt: skip


@wrong("share-not-reduction", "You return trained / full; asked is full / trained.")
def share(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, ratio=lambda f, t: t / f)


@wrong("whole-number-reduction", "You round the reduction down to a whole number.")
def floored(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, ratio=lambda f, t: float(f // t))


@wrong("float-counts", "Counts are whole numbers; yours are floats.")
def floats(layers, rank, model_parameters=None):
    out = _count(layers, rank, model_parameters)
    return {key: float(value) for key, value in out.items()}


@wrong("any-rank", "You accept a rank above a layer's smaller width; raise ValueError.")
def any_rank(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, skip="high")


@wrong(
    "larger-width-compared",
    "You compare the rank with the larger width; the smaller one bounds it.",
)
def larger(layers, rank, model_parameters=None):
    if any(rank > max(x) or min(x) < 1 for x in layers):
        raise ValueError("rank")
    return _count(layers, rank, model_parameters, skip="high")


@wrong("rank-0-accepted", "You accept a rank below 1; raise ValueError.")
def rank_zero(layers, rank, model_parameters=None):
    return _count(layers, max(rank, 1), model_parameters)


@wrong("small-models-accepted", "You accept a model smaller than its own layers; raise ValueError.")
def small_model(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters, skip="model")


@wrong("zero-taken-for-none", "A model of 0 parameters is not `None`: test `is None`.")
def falsy(layers, rank, model_parameters=None):
    return _count(layers, rank, model_parameters or None)


@wrong("equal-layers-once", "Layers of one shape are counted once; each has its own adapter.")
def once(layers, rank, model_parameters=None):
    _refuse(layers, rank, model_parameters)
    return _count(sorted(set(layers)), rank, model_parameters)
